// SPDX-License-Identifier: GPL-2.0-only
/*
 * attributes.c - what a pager says of its object as a whole: ready, kept, copied, by how much.
 * Callers: nl_in.c and control.c with a pager's words.
 * Never: waits for a pager, or touches a page.
 * Locks: memobj->lock where copies are looked for; inside it port->lock for the attributes.
 */
#include "memobj.h"
#include "object.h"
#include "port.h"
#include "request.h"

static bool strategy_is_served(u32 strategy)
{
	return strategy == MACHVM_COPY_NONE || strategy == MACHVM_COPY_DELAY ||
	       strategy == MACHVM_COPY_CALL || strategy == MACHVM_COPY_TEMPORARY;
}

static bool cluster_is_bad(u64 size)
{
	return size && (size < PAGE_SIZE || size > MACHVM_CLUSTER_MAX || !is_power_of_2(size));
}

/* TEMPORARY is one way, and says nothing of how copies are made. */
static void apply_locked(struct machvm_memobj *memobj, bool may_cache, u32 strategy)
{
	memobj->may_cache = may_cache;
	if (strategy == MACHVM_COPY_TEMPORARY)
		memobj->temporary = true;
	else
		memobj->copy_strategy = strategy;
}

static void open_gate_locked(struct machvm_port *port, struct machvm_memobj *memobj)
{
	struct machvm_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &memobj->gated, node) {
		list_move_tail(&msg->node, &port->queue);
		WRITE_ONCE(machvm_request_of(msg)->state, MACHVM_REQUEST_QUEUED);
	}
}

/**
 * machvm_memobj_ready - the pager has answered init
 * @memobj: the object
 * @may_cache: its pages may outlive the last mapping
 * @strategy: &enum machvm_copy_strategy
 *
 * Faults that waited for it are asked now.  Late or doubled, it does nothing.
 * Return: KERN_SUCCESS, or KERN_INVALID_ARGUMENT for a copy strategy that is not served.
 * Source: GNU Mach reference manual, "Memory Object Creation", memory_object_ready.
 */
int machvm_memobj_ready(struct machvm_memobj *memobj, bool may_cache, u32 strategy)
{
	struct machvm_port *port;
	bool listed = false;

	if (!strategy_is_served(strategy))
		return MACHVM_KERN_INVALID_ARGUMENT;
	port = machvm_memobj_lock_port(memobj);
	if (memobj->state == MACHVM_MEMOBJ_INIT) {
		listed = machvm_memobj_ctl_unlist_locked(port, memobj);
		memobj->state = MACHVM_MEMOBJ_READY;
		apply_locked(memobj, may_cache, strategy);
		open_gate_locked(port, memobj);
	}
	machvm_memobj_unlock_port(port);
	if (listed)
		machvm_memobj_put(memobj);
	return MACHVM_KERN_SUCCESS;
}

/* Delayed copies were made of it, and rely on its being copied like that. */
static bool strategy_is_fixed(struct machvm_memobj *memobj, u32 strategy)
{
	lockdep_assert_held(&memobj->lock);
	return strategy != MACHVM_COPY_TEMPORARY && strategy != memobj->copy_strategy &&
	       memobj->object && READ_ONCE(memobj->object->copy);
}

/**
 * machvm_memobj_change - the pager changes the attributes of its object
 * @memobj: the object
 * @may_cache: its pages may outlive the last mapping
 * @strategy: &enum machvm_copy_strategy
 * @cluster: bytes that it wants to be asked for at once, 0: as before
 *
 * What is cached and may be no longer ends with the next
 * machvm_memobj_advance(), which the caller sees to.
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT, also for another strategy while copies exist; then
 * nothing has changed.
 * Source: GNU Mach reference manual, "Memory Object Cache Control",
 * memory_object_change_attributes.
 */
int machvm_memobj_change(struct machvm_memobj *memobj, bool may_cache, u32 strategy, u64 cluster)
{
	struct machvm_port *port;
	int kr = MACHVM_KERN_SUCCESS;

	if (!strategy_is_served(strategy) || cluster_is_bad(cluster))
		return MACHVM_KERN_INVALID_ARGUMENT;
	mutex_lock(&memobj->lock);
	if (strategy_is_fixed(memobj, strategy)) {
		kr = MACHVM_KERN_INVALID_ARGUMENT;
	} else {
		port = machvm_memobj_lock_port(memobj);
		apply_locked(memobj, may_cache, strategy);
		if (cluster)
			memobj->cluster_pages = cluster >> PAGE_SHIFT;
		machvm_memobj_unlock_port(port);
	}
	mutex_unlock(&memobj->lock);
	return kr;
}

/* What holds now; a new object has the values that it begins with. */
void machvm_memobj_attributes(struct machvm_memobj *memobj, struct machvm_attributes *out)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	out->may_cache = memobj->may_cache;
	out->copy_strategy = memobj->copy_strategy;
	out->cluster_size = (u64)memobj->cluster_pages << PAGE_SHIFT;
	out->out_temporary = memobj->temporary;
	out->out_ready = memobj->state == MACHVM_MEMOBJ_READY;
	machvm_memobj_unlock_port(port);
}
