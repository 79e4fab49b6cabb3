/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * family.h - the threads of one process, and the processes that come from it.
 */
#ifndef _SELFTESTS_STRESS_FAMILY_H
#define _SELFTESTS_STRESS_FAMILY_H

#include "stress.h"

#define CHILDREN 3		/* of a thread at a time */
#define OWN_PAGES (OBJECT_PAGES / WRITERS)	/* of an object that a thread writes to */

/* Owners, as words have them. */
#define SLOT_OWNER(family, slot) ((family) * SLOTS + (slot))
#define OBJECT_OWNER(object) (100 + (object))
#define SCRATCH_OWNER 200
#define CHILD_OWNER 201

struct child {
	pid_t pid;
	bool killed;
};

/* What all threads of the process see. */
struct family {
	unsigned int number;
	vm_address_t slots[SLOTS];
	vm_address_t objects[OBJECTS];
	vm_address_t shared;		/* a page in which children add */
};

struct thread {
	struct family *family;
	unsigned int number;
	struct random random;
	vm_address_t scratch;		/* 2 * SLOT_PAGES that nobody else touches */
	uint64_t scratched;		/* how often */
	struct child children[CHILDREN];
	pthread_t thread;
};

/* What may be in a slot, as it was at a moment before. */
struct bounds {
	uint64_t low[SLOTS], era[SLOTS];
	uint64_t objects[OBJECTS][OBJECT_PAGES];
};

struct bounds bounds_now(struct family *family);

/* Looks at memory that shows what a slot did since then, from its byte @offset on. */
void slot_check(struct family *family, unsigned int slot, const struct bounds *then,
		vm_address_t at, unsigned int first, unsigned int nr, const char *what);

/* The same of all pages of an object. */
void object_check(unsigned int object, const struct bounds *then, vm_address_t at,
		  const char *what);

/* An answer that is not among these is a finding; returns whether it is SUCCESS. */
bool expected(kern_return_t answer, const char *what, kern_return_t also, kern_return_t or_this);

/* fork.c */
void op_fork(struct thread *thread);
void children_reap(struct thread *thread);

#endif /* _SELFTESTS_STRESS_FAMILY_H */
