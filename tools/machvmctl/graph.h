/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * graph.h - an object and all that are tied to it by shadow links, as a tree or for graphviz.
 */
#ifndef MACHVMCTL_GRAPH_H
#define MACHVMCTL_GRAPH_H

#include <linux/machvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph {
	struct machvm_object_info *objects; /* in the order of their numbers */
	size_t nr;
};

/* graph_load - every object that may be seen; false and said so if that fails */
bool graph_load(struct graph *g, int dev);
void graph_free(struct graph *g);

const struct machvm_object_info *graph_find(const struct graph *g, uint64_t id);

/* graph_root - the lowest object below @o that may be seen */
const struct machvm_object_info *graph_root(const struct graph *g,
					    const struct machvm_object_info *o);

/* graph_walk - calls back for @root and all above it, lower ones first */
void graph_walk(const struct graph *g, const struct machvm_object_info *root,
		void (*show)(const struct machvm_object_info *o, unsigned int depth));

/* graph_dot - @root and all above it in the language of dot(1) */
void graph_dot(const struct graph *g, const struct machvm_object_info *root);

#endif
