/* SPDX-License-Identifier: GPL-2.0-only */
/* waiter.h - threads that wait for a pager, but not for the answer to a request. */
#ifndef _MACHVM_WAITER_H
#define _MACHVM_WAITER_H

#include "types.h"

/* On the stack of the thread that waits. */
struct machvm_waiter {
	struct list_head node;		/* (p) on memobj->waiters */
	struct task_struct *thread;	/* alive while this is listed */
	u64 offset;			/* in bytes, of what it waits about */
	u64 since_ns;
	u32 access;			/* MACHVM_PROT_* */
	u32 state;			/* enum machvm_waiter_state */
};

void machvm_waiter_begin(struct machvm_memobj *memobj, struct machvm_waiter *waiter);
void machvm_waiter_end(struct machvm_memobj *memobj, struct machvm_waiter *waiter);

#endif /* _MACHVM_WAITER_H */
