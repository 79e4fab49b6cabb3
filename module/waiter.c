// SPDX-License-Identifier: GPL-2.0-only
/*
 * waiter.c - threads that wait for a pager, but not for the answer to a request.
 * Callers: vma.c at a dirty limit; sync.c for pages to be returned, or for a pager to come.
 * Never: waits itself.
 * Locks: port->lock.
 *
 * Nothing wakes them through this: it is what waiters.c shows.
 */
#include "memobj.h"
#include "waiter.h"

/**
 * machvm_waiter_begin - the calling thread is about to wait for a pager
 * @memobj: for whose; the caller has a reference until machvm_waiter_end()
 * @waiter: offset, access and state filled in
 *
 * Context: no lock held.
 */
void machvm_waiter_begin(struct machvm_memobj *memobj, struct machvm_waiter *waiter)
{
	struct machvm_port *port;

	waiter->thread = current;
	waiter->since_ns = ktime_get_ns();
	port = machvm_memobj_lock_port(memobj);
	list_add_tail(&waiter->node, &memobj->waiters);
	machvm_memobj_unlock_port(port);
}

/* It has waited. */
void machvm_waiter_end(struct machvm_memobj *memobj, struct machvm_waiter *waiter)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	list_del(&waiter->node);
	machvm_memobj_unlock_port(port);
}
