/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tasks.h - a few tasks that descend from one another by fork and make calls when they are told,
 * and what the oracle knows of their maps.
 */
#ifndef _SWEEP_TASKS_H
#define _SWEEP_TASKS_H

#include "stage.h"

#define TASKS 6

/* Checks what @nr pages from the list hold, each for itself. */
#define TASKS_CHECK 256

struct task_check {
	uint64_t address;
	int kr;			/* of a load */
	int value;		/* or ORACLE_UNKNOWN */
};

struct task_slot {
	struct agree agree;	/* the task on itself; .task is its port */
	pid_t pid;		/* 0: no such task */
	int here, there;	/* ends of its socket: ours and its own */
};

struct tasks {
	struct stage stage;	/* our own map, and the objects */
	struct task_slot slots[TASKS];
};

/* One task, with an empty map. */
bool tasks_init(struct tasks *tasks);
void tasks_end(struct tasks *tasks);

/* Forks @parent; the new task, or NULL if there are enough. */
struct task_slot *tasks_fork(struct tasks *tasks, struct task_slot *parent);

/* Ends it, by its own will or not; is its port dead then? */
bool tasks_exit(struct task_slot *slot, bool kill);

/* Has the task look at all of its pages, and some where there is none. */
bool tasks_check(struct task_slot *slot);

/*
 * Has it send the page through a pipe and back to another page, as read(2) and write(2) do: the
 * kernel's accesses, not the program's.
 */
bool tasks_pipe(struct task_slot *slot, uint64_t from, uint64_t to);

#endif /* _SWEEP_TASKS_H */
