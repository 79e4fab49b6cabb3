// SPDX-License-Identifier: GPL-2.0-only
/*
 * graph.c - who lies on whom: trees of objects, as text for dot(1) or by a callback.
 * A picture of what changes meanwhile: an object that went away is left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dev.h"
#include "graph.h"
#include "machvmctl.h"
#include "out.h"

bool graph_load(struct graph *g, int dev)
{
	struct machvm_object_info o;
	struct dev_walk walk;
	size_t room = 0;
	int ret;

	*g = (struct graph){ 0 };
	if (!dev_walk_objects(dev, &walk))
		return false;
	while ((ret = dev_next_object(&walk, &o)) > 0) {
		if (g->nr == room) {
			struct machvm_object_info *more;

			room = room ? 2 * room : 64;
			more = reallocarray(g->objects, room, sizeof(*more));
			if (!more) {
				out_error(NULL, "out of memory");
				return false;
			}
			g->objects = more;
		}
		g->objects[g->nr++] = o;
	}
	return ret >= 0;
}

void graph_free(struct graph *g)
{
	free(g->objects);
	*g = (struct graph){ 0 };
}

static int compare(const void *key, const void *element)
{
	const struct machvm_object_info *o = element;
	uint64_t id = *(const uint64_t *)key;

	return id < o->id ? -1 : id > o->id;
}

const struct machvm_object_info *graph_find(const struct graph *g, uint64_t id)
{
	if (!g->nr)
		return NULL;
	return bsearch(&id, g->objects, g->nr, sizeof(*g->objects), compare);
}

const struct machvm_object_info *graph_root(const struct graph *g,
					    const struct machvm_object_info *o)
{
	size_t steps = g->nr; /* what was read while it changed might go in a circle */

	while (o->out_shadow && steps--) {
		const struct machvm_object_info *below = graph_find(g, o->out_shadow);

		if (!below)
			break;
		o = below;
	}
	return o;
}

static void walk(const struct graph *g, const struct machvm_object_info *o, unsigned int depth,
		 void (*show)(const struct machvm_object_info *o, unsigned int depth))
{
	size_t i;

	show(o, depth);
	if (depth >= g->nr)
		return;
	for (i = 0; i < g->nr; i++)
		if (g->objects[i].out_shadow == o->id)
			walk(g, &g->objects[i], depth + 1, show);
}

void graph_walk(const struct graph *g, const struct machvm_object_info *root,
		void (*show)(const struct machvm_object_info *o, unsigned int depth))
{
	walk(g, root, 0, show);
}

static void dot_node(const struct machvm_object_info *o, unsigned int depth)
{
	bool internal = o->out_flags & MACHVM_OBJECT_INTERNAL;

	(void)depth;
	printf("\to%" PRIu64 " [shape=%s label=\"%" PRIu64 "%s\\n%" PRIu64 " resident, %" PRIu64
	       " dirty\"];\n",
	       (uint64_t)o->id, internal ? "ellipse" : "box", (uint64_t)o->id,
	       internal ? "" : " (pager)", (uint64_t)o->out_resident, (uint64_t)o->out_dirty);
	if (o->out_shadow)
		printf("\to%" PRIu64 " -> o%" PRIu64 " [label=\"at %#" PRIx64 "\"];\n",
		       (uint64_t)o->id, (uint64_t)o->out_shadow, (uint64_t)o->out_shadow_offset);
	if (o->out_copy)
		printf("\to%" PRIu64 " -> o%" PRIu64
		       " [style=dashed constraint=false label=\"copy\"];\n",
		       (uint64_t)o->id, (uint64_t)o->out_copy);
}

void graph_dot(const struct graph *g, const struct machvm_object_info *root)
{
	printf("digraph machvm {\n\trankdir=TB;\n");
	graph_walk(g, root, dot_node);
	printf("}\n");
}
