// SPDX-License-Identifier: GPL-2.0-only
/*
 * child.c - children of writers: they have what was written before they began, and what they
 * write themselves, and nothing of what is written meanwhile.
 */
#include "soak.h"

#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 40

/* Its own pages are marked, so that nobody takes them for those of the parent. */
static void child_write(struct memory *memory)
{
	unsigned long nr = 1 + below(&memory->seed, RUN), first = some_place(memory, nr);

	for (unsigned long i = first; i < first + nr; i++)
		memory->versions[i] |= CHILD;
	pages_write(memory, first, nr);
}

static void child_look(struct memory *memory)
{
	unsigned long nr = 1 + below(&memory->seed, RUN), first = some_place(memory, nr);

	pages_verify(memory, memory->base + PAGES(first), first, nr, "a child's memory");
}

static void child_run(struct memory *memory, bool killed)
{
	memory->published = NULL;
	for (unsigned int i = 0; i < ROUNDS && !stopped(); i++) {
		if (below(&memory->seed, 3))
			child_look(memory);
		else
			child_write(memory);
	}
	/* Until then it may be anywhere. */
	while (killed)
		pause();
	_exit(0);
}

static void child_end(struct memory *memory, unsigned int which, bool kill_it)
{
	pid_t pid = memory->children[which];
	int status;

	if (!pid)
		return;
	memory->children[which] = 0;
	if (kill_it)
		kill(pid, SIGKILL);
	status = util_wait(pid);
	if (status && !(kill_it && status == 1000 + SIGKILL))
		finding("a child of %s %u ends with %d", memory->part->name, memory->part->number,
			status);
}

/* Of two one is killed, wherever it is then. */
void op_fork(struct memory *memory)
{
	unsigned int which = below(&memory->seed, CHILDREN);
	unsigned int seed = memory->seed + 1;
	bool killed = which == 0;
	pid_t pid;

	child_end(memory, which, killed);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		for (unsigned int i = 0; i < CHILDREN; i++)
			memory->children[i] = 0;
		memory->seed = seed;
		child_run(memory, killed);
	}
	memory->children[which] = pid;
	atomic_fetch_add(&board->children, 1);
}

void children_end(struct memory *memory)
{
	for (unsigned int i = 0; i < CHILDREN; i++)
		child_end(memory, i, i == 0);
}
