// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_object.c - memory objects: all of them in a table, or one with its shadow chain.
 */
#include <stdio.h>
#include <string.h>

#include "dev.h"
#include "graph.h"
#include "machvmctl.h"
#include "out.h"

static const struct {
	uint32_t flag;
	char letter;
	const char *key;
} flags[] = {
	{ MACHVM_OBJECT_INTERNAL, 'i', "internal" },
	{ MACHVM_OBJECT_READY, 'r', "ready" },
	{ MACHVM_OBJECT_DEAD, 'd', "dead" },
	{ MACHVM_OBJECT_ABSENT, 'a', "absent" },
	{ MACHVM_OBJECT_MAPPED, 'm', "mapped" },
	{ MACHVM_OBJECT_CACHEABLE, 'c', "cacheable" },
	{ MACHVM_OBJECT_SHARED, 's', "shared" },
	{ MACHVM_OBJECT_CACHED, 'k', "cached" },
	{ MACHVM_OBJECT_INITIALIZED, 'n', "initialized" },
	{ MACHVM_OBJECT_TEMPORARY, 't', "temporary" },
	{ MACHVM_OBJECT_DESTROYED, 'x', "destroyed" },
};

#define NR_FLAGS ARRAY_SIZE(flags)

/* print_flags - a letter each where there is a column for them, else words */
static void print_flags(uint32_t have, bool words)
{
	char letters[NR_FLAGS + 1] = "", list[96] = "";
	size_t i;

	for (i = 0; i < NR_FLAGS; i++) {
		bool set = have & flags[i].flag;

		if (out_is_json())
			out_bool(flags[i].key, "", set);
		letters[i] = set ? flags[i].letter : '-';
		if (set) {
			strcat(list, *list ? " " : "");
			strcat(list, flags[i].key);
		}
	}
	if (!out_is_json())
		out_str("flags", "FLAGS", words ? list : letters);
}

static const char *strategy_text(const struct machvm_object_info *o)
{
	static const char *const names[] = { "none", "call", "delay", "temporary", "symmetric" };

	if (o->out_copy_strategy < ARRAY_SIZE(names))
		return names[o->out_copy_strategy];
	return "?";
}

static void print_fields(const struct machvm_object_info *o, bool words)
{
	out_u64("id", "ID", o->id);
	print_flags(o->out_flags, words);
	out_u64("port", "PORT", o->out_port);
	out_u64("ref_count", "REFS", o->out_ref_count);
	out_u64("resident", "RESIDENT", o->out_resident);
	out_u64("dirty", "DIRTY", o->out_dirty);
	out_u64("size", "SIZE", o->out_size);
	out_u64("shadow", "SHADOW", o->out_shadow);
	out_hex("shadow_offset", "AT", o->out_shadow_offset);
	out_u64("shadow_depth", "SHADOWS", o->out_shadow_depth);
	out_u64("copy", "COPY", o->out_copy);
	out_str("copy_strategy", "STRATEGY", strategy_text(o));
	out_u64("requested", "REQUESTED", o->out_requested);
	out_u64("supplied", "SUPPLIED", o->out_supplied);
	out_u64("unasked", "UNASKED", o->out_unasked);
	out_u64("requests", "WAITING", o->out_requests);
	out_ns("oldest_request_ns", "OLDEST", o->out_oldest_request_ns);
}

static int print_all(int dev)
{
	struct machvm_object_info o;
	struct dev_walk walk;
	int ret;

	if (!dev_walk_objects(dev, &walk))
		return EXIT_FAILED;
	out_table("objects", NULL);
	while ((ret = dev_next_object(&walk, &o)) > 0) {
		out_row();
		print_fields(&o, false);
	}
	out_table_end("no objects (of yours; with CAP_SYS_ADMIN: of anybody)");
	return ret < 0 ? EXIT_FAILED : EXIT_OK;
}

/* print_chain - the objects below; one that went away meanwhile ends the walk */
static int print_chain(int dev, uint64_t below)
{
	struct machvm_object_info o;
	int ret = 0;

	out_table("shadow_chain", "below it, nearest first");
	while (below && (ret = dev_object(dev, below, &o)) > 0 && o.id == below) {
		out_row();
		print_fields(&o, false);
		below = o.out_shadow;
	}
	out_table_end(NULL);
	return ret < 0 ? EXIT_FAILED : EXIT_OK;
}

static int not_there(uint64_t id)
{
	return out_error("machvmctl object lists those that you may see.",
			 "there is no object %llu, or it is not yours", (unsigned long long)id);
}

static int print_one(int dev, uint64_t id)
{
	struct machvm_object_info o;
	int ret = dev_object(dev, id, &o);

	if (ret < 0)
		return EXIT_FAILED;
	if (!ret || o.id != id)
		return not_there(id);
	out_record("object", NULL);
	print_fields(&o, true);
	out_record_end();
	return print_chain(dev, o.out_shadow);
}

/* print_node - a line of the tree: what lies on an object stands below it, further to the right */
static void print_node(const struct machvm_object_info *o, unsigned int depth)
{
	char text[128];
	int indent = depth < 40 ? 2 * (int)depth : 80;

	out_row();
	if (out_is_json()) {
		out_u64("depth", "", depth);
		out_u64("id", "", o->id);
	} else {
		snprintf(text, sizeof(text), "%*s%llu", indent, "", (unsigned long long)o->id);
		out_str("", "OBJECT", text);
	}
	print_flags(o->out_flags, false);
	out_u64("shadow", "SHADOW", o->out_shadow);
	out_hex("shadow_offset", "AT", o->out_shadow_offset);
	out_u64("copy", "COPY", o->out_copy);
	out_u64("ref_count", "REFS", o->out_ref_count);
	out_u64("resident", "RESIDENT", o->out_resident);
	out_u64("dirty", "DIRTY", o->out_dirty);
}

/* print_graph - the object and all that lie below and above it */
static int print_graph(int dev, uint64_t id, bool dot)
{
	const struct machvm_object_info *o;
	int ret = EXIT_FAILED;
	struct graph g;

	if (graph_load(&g, dev)) {
		o = graph_find(&g, id);
		if (!o) {
			ret = not_there(id);
		} else if (dot) {
			graph_dot(&g, graph_root(&g, o));
			ret = EXIT_OK;
		} else {
			out_table("tree", NULL);
			graph_walk(&g, graph_root(&g, o), print_node);
			out_table_end(NULL);
			ret = EXIT_OK;
		}
	}
	graph_free(&g);
	return ret;
}

static int run_object(int argc, char **argv)
{
	enum { TREE = OPT_OWN, DOT };
	static const struct option own[] = {
		{ "tree", no_argument, NULL, TREE },
		{ "dot", no_argument, NULL, DOT },
		{ 0 },
	};
	int dev, ret, opt, graph = 0;
	uint64_t id = 0;

	while ((opt = verb_getopt(argc, argv, own)) != -1) {
		if (opt != TREE && opt != DOT)
			return verb_exit();
		if (graph && graph != opt)
			return usage_error("object takes --tree or --dot, not both");
		graph = opt;
	}
	if (graph == DOT && out_is_json())
		return usage_error("object --dot writes dot, never JSON");
	if (optind < argc) {
		if (!parse_u64(argv[optind], false, &id) || !id)
			return usage_error("ID is the number of an object, not '%s'", argv[optind]);
		optind++;
	}
	if (optind < argc)
		return usage_error("object takes at most one ID");
	if (graph && !id)
		return usage_error("object --tree and --dot need an ID");
	dev = dev_open();
	if (dev < 0)
		return EXIT_FAILED;
	if (graph)
		ret = print_graph(dev, id, graph == DOT);
	else
		ret = id ? print_one(dev, id) : print_all(dev);
	dev_close(dev);
	return ret;
}

const struct verb verb_object = {
	.name = "object",
	.args = "[[--tree | --dot] ID]",
	.help = "memory objects: all, or one and the shadow chain below it",
	.run = run_object,
	.more = "Shows your own objects; those of all users with CAP_SYS_ADMIN.\n"
		"\n"
		"  --tree     all that lie below and above the object: from the lowest on, each\n"
		"             with those that shadow it underneath\n"
		"  --dot      the same for graphviz: boxes have a pager, arrows go to shadows,\n"
		"             dashed ones to delayed copies\n"
		"\n"
		"  ID         number of the object, never reused\n"
		"  FLAGS      i internal (no pager)   r the pager is ready   d the pager is dead\n"
		"             a no pager is bound     m in use by a map      c cacheable\n"
		"             s several maps write to it directly    k only kept in the cache\n"
		"             n it was sent init      t temporary: nothing is returned at its end\n"
		"             x its pager has destroyed it\n"
		"  PORT       the pager port that serves it (see machvmctl pager list), or 0\n"
		"  REFS       references by regions, shadows, copies and descriptors\n"
		"  RESIDENT   pages in memory; DIRTY: of these, written\n"
		"  SIZE       bytes up to the end of the furthest region that ever showed it\n"
		"  SHADOW     id of the object below, or 0; AT: offset of this one in it\n"
		"  SHADOWS    how many objects are below\n"
		"  COPY       id of the newest delayed copy, or 0; STRATEGY: how it is copied\n"
		"  REQUESTED  pages ever asked of the pager; SUPPLIED: ever supplied;\n"
		"             UNASKED: of these, without having been asked for\n"
		"  WAITING    pages asked for and not answered; OLDEST: age of the oldest\n"
		"\n"
		"Examples:\n"
		"  machvmctl object\n"
		"  machvmctl object 7\n"
		"  machvmctl object --tree 7\n"
		"  machvmctl object --dot 7 | dot -Tsvg >object.svg\n"
		"  machvmctl -j object | jq '.objects[] | select(.requests > 0)'\n",
};
