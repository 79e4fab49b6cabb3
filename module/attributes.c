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

static bool cluster_is_served(u64 size)
{
	return size >= PAGE_SIZE && size <= MACHVM_CLUSTER_MAX && is_power_of_2(size);
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
		machvm_request_open_gate_locked(port, memobj, true);
	}
	machvm_memobj_unlock_port(port);
	if (listed)
		machvm_memobj_put(memobj);
	return MACHVM_KERN_SUCCESS;
}

/* Each value that is to hold is one. */
static bool is_served(const struct machvm_attributes *want)
{
	if (want->set & ~MACHVM_ATTRIBUTES_ALL || want->behavior & ~MACHVM_BEHAVIORS)
		return false;
	if (want->set & MACHVM_ATTRIBUTE_MAY_CACHE && want->may_cache > 1)
		return false;
	if (want->set & MACHVM_ATTRIBUTE_CLUSTER_SIZE && !cluster_is_served(want->cluster_size))
		return false;
	if (want->set & MACHVM_ATTRIBUTE_DIRTY_LIMIT && !PAGE_ALIGNED(want->dirty_limit))
		return false;
	return !(want->set & MACHVM_ATTRIBUTE_COPY_STRATEGY) ||
	       strategy_is_served(want->copy_strategy);
}

/* Would it be copied in another way than now? */
static bool changes_strategy(struct machvm_memobj *memobj, const struct machvm_attributes *want)
{
	return want->set & MACHVM_ATTRIBUTE_COPY_STRATEGY &&
	       want->copy_strategy != MACHVM_COPY_TEMPORARY &&
	       want->copy_strategy != memobj->copy_strategy;
}

/* Delayed copies were made of it, and rely on its being copied like that. */
static bool has_copies(struct machvm_memobj *memobj)
{
	lockdep_assert_held(&memobj->lock);
	return memobj->object && READ_ONCE(memobj->object->copy);
}

static bool is_initialized_locked(struct machvm_memobj *memobj)
{
	return memobj->state != MACHVM_MEMOBJ_IDLE && memobj->state != MACHVM_MEMOBJ_INIT;
}

static void set_locked(struct machvm_memobj *memobj, const struct machvm_attributes *want)
{
	if (want->set & MACHVM_ATTRIBUTE_COPY_STRATEGY)
		apply_locked(memobj, memobj->may_cache, want->copy_strategy);
	if (want->set & MACHVM_ATTRIBUTE_MAY_CACHE)
		memobj->may_cache = want->may_cache;
	if (want->set & MACHVM_ATTRIBUTE_CLUSTER_SIZE)
		memobj->cluster_pages = want->cluster_size >> PAGE_SHIFT;
	if (want->set & MACHVM_ATTRIBUTE_DIRTY_LIMIT)
		WRITE_ONCE(memobj->max_dirty, want->dirty_limit >> PAGE_SHIFT);
	if (want->set & want->behavior & MACHVM_ATTRIBUTE_TEMPORARY)
		memobj->temporary = true;
	if (want->set & MACHVM_ATTRIBUTE_INVALIDATE)
		memobj->invalidate = want->behavior & MACHVM_ATTRIBUTE_INVALIDATE;
	if (want->set & MACHVM_ATTRIBUTE_SILENT_OVERWRITE)
		memobj->silent_overwrite = want->behavior & MACHVM_ATTRIBUTE_SILENT_OVERWRITE;
}

/* In: memobj->lock held; @fixed: no other strategy once init is answered. */
static int set_attributes(struct machvm_memobj *memobj, const struct machvm_attributes *want,
			  bool fixed)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	int kr = MACHVM_KERN_SUCCESS;

	if (changes_strategy(memobj, want) &&
	    (has_copies(memobj) || (fixed && is_initialized_locked(memobj))))
		kr = MACHVM_KERN_INVALID_ARGUMENT;
	else if (want->set & ~want->behavior & MACHVM_ATTRIBUTE_TEMPORARY && memobj->temporary)
		kr = MACHVM_KERN_INVALID_ARGUMENT;
	else
		set_locked(memobj, want);
	machvm_memobj_unlock_port(port);
	return kr;
}

/**
 * machvm_memobj_set_attributes - the pager changes some attributes of its object
 * @memobj: the object
 * @want: set, and what it names; as the uapi header says
 *
 * What is cached and may be no longer ends with the next
 * machvm_memobj_advance(), which the caller sees to.
 * Return: KERN_SUCCESS; KERN_INVALID_ARGUMENT: nothing has changed.
 */
int machvm_memobj_set_attributes(struct machvm_memobj *memobj,
				 const struct machvm_attributes *want)
{
	struct machvm_attributes all = *want;
	int kr;

	if (!want->set)
		all.set = MACHVM_ATTRIBUTE_MAY_CACHE | MACHVM_ATTRIBUTE_COPY_STRATEGY |
			  (want->cluster_size ? MACHVM_ATTRIBUTE_CLUSTER_SIZE : 0);
	if (!is_served(&all))
		return MACHVM_KERN_INVALID_ARGUMENT;
	mutex_lock(&memobj->lock);
	kr = set_attributes(memobj, &all, want->set);
	mutex_unlock(&memobj->lock);
	return kr;
}

/**
 * machvm_memobj_change - the pager changes what it has said with ready
 * @memobj: the object
 * @may_cache: its pages may outlive the last mapping
 * @strategy: &enum machvm_copy_strategy
 * @cluster: bytes that it wants to be asked for at once, 0: as before
 *
 * Return: as machvm_memobj_set_attributes().
 * Source: GNU Mach reference manual, "Memory Object Cache Control",
 * memory_object_change_attributes.
 */
int machvm_memobj_change(struct machvm_memobj *memobj, bool may_cache, u32 strategy, u64 cluster)
{
	const struct machvm_attributes want = {
		.may_cache = may_cache, .copy_strategy = strategy, .cluster_size = cluster,
	};

	return machvm_memobj_set_attributes(memobj, &want);
}

static u32 behavior_locked(struct machvm_memobj *memobj)
{
	return (memobj->temporary ? MACHVM_ATTRIBUTE_TEMPORARY : 0) |
	       (memobj->invalidate ? MACHVM_ATTRIBUTE_INVALIDATE : 0) |
	       (memobj->silent_overwrite ? MACHVM_ATTRIBUTE_SILENT_OVERWRITE : 0);
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
	out->behavior = behavior_locked(memobj);
	out->dirty_limit = memobj->max_dirty << PAGE_SHIFT;
	machvm_memobj_unlock_port(port);
}
