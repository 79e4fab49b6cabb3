// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapcopy.c - memory moved by reference: fork, vm_copy, vm_read, vm_write.
 * Callers: vma.c at fork; dev.c for the verbs; proxy.c.
 * Never: asks for a page; touches one, unless it is wired or in use by a device, see push.c.
 * Locks: takes map->lock for writing, of one map at a time but for fork (parent, then the child
 * that nobody knows); then the objects'.
 *
 * What is in transit is a map of its own, without page tables: a snapshot from byte 0 on, whose
 * entries share their objects with the source.  To receive it, entries are moved out of it, or
 * exchanged with those it overwrites, so that it carries the old contents away.
 */
#include "copycall.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "pmap.h"
#include "vm.h"

/*
 * A delayed copy of what @entry shows, referenced; NULL without memory.  Regions of one object get
 * the same one, or writes would have to push what the earlier one has into the later one.
 */
static struct machvm_object *copy_for(struct machvm_entry *entry, struct machvm_map *into)
{
	struct machvm_object *object = entry->object, *copy = NULL;

	down_read(&object->family->lock);
	if (into->last_copy && into->last_copy == object->copy)
		copy = machvm_object_get(object->copy);
	up_read(&object->family->lock);
	if (!copy)
		copy = machvm_object_copy(object, machvm_entry_offset(entry, entry->end));
	into->last_copy = copy;
	return copy;
}

/*
 * The object goes on being written to: the twin gets a delayed copy, with contents of its own for
 * the pages that must stay what they are.
 */
static int twin_delayed(struct machvm_entry *entry, struct machvm_entry *twin,
			struct machvm_map *into)
{
	struct machvm_object *object = entry->object, *copy = copy_for(entry, into);

	if (!copy)
		return -ENOMEM;
	machvm_entry_set_object(twin, copy, entry->offset);
	return machvm_push_range(object, entry->offset >> PAGE_SHIFT,
				 (entry->end - entry->start) >> PAGE_SHIFT,
				 entry->wired || machvm_object_copied_now(object));
}

/* The twin gets a memory object of its own, and the pager is told. */
static int twin_called(struct machvm_entry *entry, struct machvm_entry *twin,
		       struct machvm_map *into)
{
	struct machvm_object *copy;

	copy = machvm_object_copy_call(entry->object, entry->offset >> PAGE_SHIFT,
				       (entry->end - entry->start) >> PAGE_SHIFT, into->user);
	if (!copy)
		return -ENOMEM;
	machvm_entry_set_object(twin, copy, 0);
	return 0;
}

/* May the entry leave its object, which nobody else writes to, for a shadow at the next write? */
static bool may_move_up(struct machvm_entry *entry)
{
	return !entry->wired &&
	       !machvm_object_pinned(entry->object, entry->offset >> PAGE_SHIFT,
				     (entry->end - entry->start) >> PAGE_SHIFT);
}

/* Returns 0 or -ENOMEM; the twin may have an object all the same. */
static int twin_object(struct machvm_entry *entry, struct machvm_entry *twin,
		       struct machvm_map *into)
{
	if (!entry->needs_copy && machvm_object_copied_by_call(entry->object))
		return twin_called(entry, twin, into);
	/* If both are, they go on with one object, and whoever writes first makes a shadow. */
	twin->needs_copy = true;
	twin->fresh_ident = true;
	if (!entry->needs_copy && !machvm_object_is_shared(entry->object)) {
		machvm_pmap_zap(entry->map, entry->start, entry->end);
		if (may_move_up(entry))
			entry->needs_copy = true;
		else
			machvm_object_share(entry->object, MACHVM_OBJ_DIRECT);
	}
	if (!entry->needs_copy)
		return twin_delayed(entry, twin, into);
	machvm_entry_set_object(twin, machvm_object_get(entry->object), entry->offset);
	return 0;
}

/* Would a new object in the place of what is there go unseen by others, or not stay there? */
static bool shared_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, start);

	for (; entry && entry->start < end; entry = machvm_entry_next(entry))
		if (entry->wire || (entry->object && !entry->needs_copy &&
				    machvm_object_is_shared(entry->object)))
			return true;
	return false;
}

static struct machvm_entry *twin_alloc(const struct machvm_entry *entry, struct machvm_map *into,
				       u64 shift)
{
	struct machvm_entry *twin = machvm_entry_alloc(into);

	if (!twin)
		return NULL;
	twin->start = entry->start - shift;
	twin->end = entry->end - shift;
	twin->protection = entry->protection;
	twin->max_protection = entry->max_protection;
	twin->inheritance = entry->inheritance;
	return twin;
}

/* Puts a copy of all of @entry into @into, @shift bytes lower.  Returns 0 or -ENOMEM. */
static int copy_entry_locked(struct machvm_entry *entry, struct machvm_map *into, u64 shift)
{
	struct machvm_entry *twin = twin_alloc(entry, into, shift);
	int err = 0;

	if (!twin)
		return -ENOMEM;
	if (entry->object)
		err = twin_object(entry, twin, into);
	if (err) {
		machvm_entry_unlink(twin);
		machvm_entry_dispose(twin);
	} else {
		machvm_map_insert_locked(into, twin);
	}
	return err;
}

/*
 * Puts @entry into @into with its very object, so that each sees what the other writes.  One that
 * has no object yet, or was to be copied before a write, gets its own first.
 */
static int share_entry(struct machvm_entry *entry, struct machvm_map *into, u64 shift,
		       unsigned long how)
{
	struct machvm_entry *twin = twin_alloc(entry, into, shift);
	int err;

	if (!twin)
		return -ENOMEM;
	err = machvm_entry_own_object_locked(entry);
	if (err) {
		machvm_entry_free(twin);
		return err;
	}
	machvm_object_share(entry->object, how);
	machvm_entry_set_object(twin, machvm_object_get(entry->object), entry->offset);
	machvm_map_insert_locked(into, twin);
	return 0;
}

static int share_entry_locked(struct machvm_entry *entry, struct machvm_map *into, u64 shift)
{
	return share_entry(entry, into, shift, MACHVM_OBJ_SHARED);
}

/* For a moment, and by the same task: that does not make the memory shared. */
static int alias_entry_locked(struct machvm_entry *entry, struct machvm_map *into, u64 shift)
{
	return share_entry(entry, into, shift, MACHVM_OBJ_DIRECT);
}

static int fork_entry_locked(struct machvm_entry *entry, struct machvm_map *child)
{
	struct machvm_entry *twin;

	switch (entry->inheritance) {
	case MACHVM_INHERIT_NONE:
		return 0;
	case MACHVM_INHERIT_SHARE:
		return share_entry_locked(entry, child, 0);
	case MACHVM_INHERIT_ZERO:
		twin = twin_alloc(entry, child, 0);
		if (!twin)
			return -ENOMEM;
		machvm_map_insert_locked(child, twin);
		return 0;
	default:
		return copy_entry_locked(entry, child, 0);
	}
}

/* Entries without gaps, all of which allow @protection? */
static int check_locked(struct machvm_map *map, u64 start, u64 end, u8 protection)
{
	struct machvm_entry *entry = machvm_map_lookup_locked(map, start);

	for (; start < end; entry = machvm_entry_next(entry)) {
		if (!entry || entry->start > start)
			return MACHVM_KERN_INVALID_ADDRESS;
		if (protection & ~entry->protection)
			return MACHVM_KERN_PROTECTION_FAILURE;
		start = entry->end;
		if (start >= end)
			break;
	}
	return MACHVM_KERN_SUCCESS;
}

/* Entries to cut others with, chained by ->chain. */
static bool spares_add(struct list_head *spares, struct machvm_map *map, unsigned long nr)
{
	while (nr--) {
		struct machvm_entry *spare = machvm_entry_alloc(map);

		if (!spare)
			return false;
		list_add(&spare->chain, spares);
	}
	return true;
}

static void spares_drop(struct list_head *spares)
{
	struct machvm_entry *spare, *next;

	list_for_each_entry_safe(spare, next, spares, chain)
		machvm_entry_free(spare);
}

/* Makes @addr a border; there is a spare, as they were counted before. */
static void cut_locked(struct machvm_map *map, u64 addr, struct list_head *spares)
{
	struct machvm_entry *spare = list_first_entry(spares, struct machvm_entry, chain);

	list_del(&spare->chain);
	spare->map = map;
	machvm_map_clip_locked(map, addr, &spare);
	if (spare)
		list_add(&spare->chain, spares);
}

static unsigned long count_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, start);
	unsigned long nr = 0;

	for (; entry && entry->start < end; entry = machvm_entry_next(entry))
		nr++;
	return nr;
}

/* What a child inherits of [start, end), whose borders may lie inside entries. */
static int fork_range_locked(struct machvm_map *parent, struct machvm_map *child, u64 start,
			     u64 end)
{
	struct machvm_entry *entry;
	LIST_HEAD(spares);
	int err = 0;

	if (!spares_add(&spares, parent, 2)) {
		spares_drop(&spares);
		return -ENOMEM;
	}
	cut_locked(parent, start, &spares);
	cut_locked(parent, end, &spares);
	spares_drop(&spares);
	for (entry = machvm_map_next_locked(parent, start); entry && entry->start < end && !err;
	     entry = machvm_entry_next(entry))
		err = fork_entry_locked(entry, child);
	machvm_map_merge_locked(parent, start, start);
	machvm_map_merge_locked(parent, end, end);
	machvm_map_merge_locked(child, start, start);
	return err;
}

/**
 * machvm_vm_fork - give a new map what it inherits
 * @parent: the map of the task that forks
 * @child: known to nobody else; nothing in the range
 * @start: page aligned
 * @end: page aligned
 *
 * No page is asked for, and none is copied but those that are wired or in use by a device; write
 * access of the parent is taken away where both go on with one object.
 * Context: mmap_lock of the parent held for writing, so none of its faults is in flight.
 * Return: 0, or -ENOMEM: then the child is empty and dead, and the parent as good as before.
 */
int machvm_vm_fork(struct machvm_map *parent, struct machvm_map *child, u64 start, u64 end)
{
	int err;

	down_write(&parent->lock);
	down_write_nested(&child->lock, SINGLE_DEPTH_NESTING);
	child->size_limit = parent->size_limit;
	child->size_limit_max = parent->size_limit_max;
	err = fork_range_locked(parent, child, start, end);
	child->last_copy = NULL;
	up_write(&child->lock);
	up_write(&parent->lock);
	if (err)
		machvm_vm_clear(child);
	return err;
}

/* Takes a snapshot of [start, end), or the very memory, into @copy, from byte 0 on. */
static int take_locked(struct machvm_map *map, u64 start, u64 end, struct machvm_map *copy,
		       int (*take)(struct machvm_entry *entry, struct machvm_map *into, u64 shift))
{
	struct machvm_entry *entry;
	LIST_HEAD(spares);
	int err = 0;

	if (!spares_add(&spares, map, 2)) {
		spares_drop(&spares);
		return -ENOMEM;
	}
	cut_locked(map, start, &spares);
	cut_locked(map, end, &spares);
	spares_drop(&spares);
	down_write_nested(&copy->lock, SINGLE_DEPTH_NESTING);
	for (entry = machvm_map_next_locked(map, start); entry && entry->start < end && !err;
	     entry = machvm_entry_next(entry))
		err = take(entry, copy, start);
	up_write(&copy->lock);
	return err;
}

static int copyin_locked(struct machvm_map *map, u64 start, u64 end, struct machvm_map *copy)
{
	return take_locked(map, start, end, copy, copy_entry_locked);
}

/*
 * Exchanges what [start, ...) shows for the snapshot.  Nothing is changed if there is no memory.
 * In: the range was checked.  Out: @copy holds what was there, to be cleared with no lock held.
 */
static int overwrite_locked(struct machvm_map *map, u64 start, struct machvm_map *copy)
{
	u64 end = start + copy->max;
	struct machvm_entry *entry;
	LIST_HEAD(spares);

	/* Each border of one side may have to be cut into the other, and the ends; one to spare. */
	if (map->nr_entries + copy->nr_entries > MACHVM_REGIONS_MAX ||
	    !spares_add(&spares, map, copy->nr_entries + count_locked(map, start, end) + 3)) {
		spares_drop(&spares);
		return -ENOMEM;
	}
	down_write_nested(&copy->lock, SINGLE_DEPTH_NESTING);
	cut_locked(map, start, &spares);
	cut_locked(map, end, &spares);
	for (entry = machvm_map_next_locked(copy, 0); entry; entry = machvm_entry_next(entry))
		cut_locked(map, start + entry->start, &spares);
	for (entry = machvm_map_lookup_locked(map, start); entry && entry->start < end;
	     entry = machvm_entry_next(entry)) {
		cut_locked(copy, entry->end - start, &spares);
		machvm_pmap_zap(map, entry->start, entry->end);
		machvm_entry_swap(entry, machvm_map_lookup_locked(copy, entry->start - start));
	}
	up_write(&copy->lock);
	spares_drop(&spares);
	return 0;
}

/* A map in transit for @length bytes. */
static struct machvm_map *transit_create(struct machvm_map *like, u64 length)
{
	return machvm_map_create(0, length, like->user);
}

static void transit_end(struct machvm_map *copy)
{
	machvm_vm_clear(copy);
	machvm_map_put(copy);
}

static bool range_wraps(u64 addr, u64 length)
{
	u64 end;

	return check_add_overflow(addr, length, &end);
}

static int kern_of(int err)
{
	return err == -ENOMEM ? MACHVM_KERN_RESOURCE_SHORTAGE : err;
}

/**
 * machvm_vm_check - are all pages that a range touches there, and do they allow that access?
 * @map: the task's
 * @addr: first byte
 * @length: bytes
 * @protection: MACHVM_PROT_*
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS (a hole, or it wraps), KERN_PROTECTION_FAILURE,
 * KERN_INVALID_TASK, -EINTR.  What others do meanwhile may make it untrue.
 */
int machvm_vm_check(struct machvm_map *map, u64 addr, u64 length, u8 protection)
{
	u64 end;
	int kr;

	if (check_add_overflow(addr, length, &end) || PAGE_ALIGN(end) < end)
		return MACHVM_KERN_INVALID_ADDRESS;
	kr = machvm_map_lock(map);
	if (kr)
		return kr;
	kr = check_locked(map, addr & PAGE_MASK, end, protection);
	up_write(&map->lock);
	return kr;
}

/* What is wrong with the source counts before what is not aligned. */
static int unaligned(struct machvm_map *from, u64 source, u64 length)
{
	return machvm_vm_check(from, source, length, MACHVM_PROT_READ) ?:
	       MACHVM_KERN_INVALID_ARGUMENT;
}

/**
 * machvm_vm_copy - the pages at @destination come to show what those at @source do
 * @map: the task's
 * @source: address
 * @length: bytes
 * @destination: address
 *
 * Errors of the source come before those of the destination.
 * Return: also %MACHVM_VM_SHARED, if others share what would be replaced; then nothing was done.
 * Source: GNU Mach reference manual, "Data Transfer".
 */
int machvm_vm_copy(struct machvm_map *map, u64 source, u64 length, u64 destination)
{
	struct machvm_map *copy;
	int kr;

	if (!length)
		return MACHVM_KERN_SUCCESS;
	if (!PAGE_ALIGNED(source | length | destination))
		return unaligned(map, source, length);
	if (range_wraps(source, length) || range_wraps(destination, length))
		return MACHVM_KERN_INVALID_ADDRESS;
	copy = transit_create(map, length);
	if (!copy)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = machvm_map_lock(map);
	if (kr)
		goto out;
	kr = check_locked(map, source, source + length, MACHVM_PROT_READ) ?:
	     check_locked(map, destination, destination + length, MACHVM_PROT_WRITE) ?:
	     (shared_locked(map, destination, destination + length) ? MACHVM_VM_SHARED : 0) ?:
	     kern_of(copyin_locked(map, source, source + length, copy)) ?:
	     kern_of(overwrite_locked(map, destination, copy));
	up_write(&map->lock);
out:
	transit_end(copy);
	return kr;
}

/* Moves the snapshot into free space of @map, as memory of its own. */
static int copyout(struct machvm_map *map, struct machvm_map *copy, u64 *addr)
{
	struct machvm_entry *entry;
	int kr = machvm_map_lock_space(map, addr, copy->max, 0, true);

	if (kr)
		return kr;
	if (!machvm_map_has_room_locked(map, copy->max))
		kr = MACHVM_KERN_NO_SPACE;
	else if (map->nr_entries + copy->nr_entries > MACHVM_REGIONS_MAX ||
		 (map->wire_future && !machvm_pmap_may_wire(map, copy->max, true)))
		kr = MACHVM_KERN_RESOURCE_SHORTAGE;
	if (kr) {
		up_write(&map->lock);
		return kr;
	}
	down_write_nested(&copy->lock, SINGLE_DEPTH_NESTING);
	while ((entry = machvm_map_next_locked(copy, 0))) {
		machvm_map_erase_locked(copy, entry);
		entry->protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE;
		entry->max_protection = MACHVM_PROT_ALL;
		entry->inheritance = MACHVM_INHERIT_COPY;
		machvm_entry_place(entry, map, *addr + entry->start, *addr + entry->end);
		machvm_map_insert_locked(map, entry);
	}
	up_write(&copy->lock);
	machvm_map_merge_locked(map, *addr, *addr + copy->max);
	up_write(&map->lock);
	return MACHVM_KERN_SUCCESS;
}

static int snapshot(struct machvm_map *map, u64 start, u64 end, struct machvm_map *copy)
{
	int kr = machvm_map_lock(map);

	if (kr)
		return kr;
	kr = check_locked(map, start, end, MACHVM_PROT_READ) ?:
	     kern_of(copyin_locked(map, start, end, copy));
	up_write(&map->lock);
	return kr;
}

/**
 * machvm_vm_read - a snapshot of @from becomes fresh memory of @into
 * @from: the task's
 * @addr: first byte
 * @length: bytes
 * @into: the caller's
 * @data: out: the address in @into that shows @addr
 *
 * Source: GNU Mach reference manual, "Data Transfer"; any alignment, as the live kernel.
 */
int machvm_vm_read(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *into,
		   u64 *data)
{
	u64 start = addr & PAGE_MASK, end, at;
	struct machvm_map *copy;
	int kr;

	*data = 0;
	if (!length)
		return MACHVM_KERN_SUCCESS;
	if (check_add_overflow(addr, length, &end) || PAGE_ALIGN(end) < end)
		return MACHVM_KERN_INVALID_ADDRESS;
	end = PAGE_ALIGN(end);
	copy = transit_create(into, end - start);
	if (!copy)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = snapshot(from, start, end, copy) ?: copyout(into, copy, &at);
	if (!kr)
		*data = at + (addr - start);
	transit_end(copy);
	return kr;
}

/**
 * machvm_vm_alias - the very pages of @from appear in @into as well
 * @from: whose
 * @addr: first byte
 * @length: bytes, whole pages
 * @into: where they appear, readable and writable
 * @alias: out: at which address
 *
 * Return: KERN_SUCCESS, KERN_PROTECTION_FAILURE (not writable), KERN_INVALID_ADDRESS (a hole),
 * KERN_NO_SPACE, KERN_RESOURCE_SHORTAGE, -EINTR.
 */
int machvm_vm_alias(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *into,
		    u64 *alias)
{
	struct machvm_map *copy = transit_create(into, length);
	int kr;

	if (!copy)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = machvm_map_lock(from);
	if (!kr) {
		kr = check_locked(from, addr, addr + length, MACHVM_PROT_WRITE) ?:
		     kern_of(take_locked(from, addr, addr + length, copy, alias_entry_locked));
		up_write(&from->lock);
	}
	kr = kr ?: copyout(into, copy, alias);
	transit_end(copy);
	return kr;
}

static int take_region_locked(struct machvm_map *from, u64 addr, u64 length,
			      struct machvm_map *into, u8 *max_protection)
{
	struct machvm_entry *entry = machvm_map_next_locked(from, addr);
	int err;

	if (!entry)
		return MACHVM_KERN_NO_SPACE;
	if (entry->start > addr)
		return MACHVM_KERN_INVALID_ADDRESS;
	if (length > entry->end - addr)
		return MACHVM_KERN_INVALID_ARGUMENT;
	*max_protection = entry->max_protection;
	/* Before it is cut, so that its parts have one object and can be one region again. */
	err = machvm_entry_own_object_locked(entry);
	if (!err)
		err = take_locked(from, addr, addr + length, into, share_entry_locked);
	machvm_map_merge_locked(from, addr, addr + length);
	return kern_of(err);
}

/**
 * machvm_vm_take - the very memory of a part of one region comes into a map in transit
 * @from: whose
 * @addr: first byte
 * @length: bytes, whole pages
 * @into: empty, known to nobody else
 * @max_protection: out: of the region
 *
 * Return: KERN_SUCCESS, KERN_NO_SPACE (nothing is mapped there or above), KERN_INVALID_ADDRESS (a
 * hole), KERN_INVALID_ARGUMENT (the region ends before), KERN_RESOURCE_SHORTAGE,
 * KERN_INVALID_TASK, -EINTR.
 */
int machvm_vm_take(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *into,
		   u8 *max_protection)
{
	int kr = machvm_map_lock(from);

	if (kr)
		return kr;
	kr = take_region_locked(from, addr, length, into, max_protection);
	up_write(&from->lock);
	return kr;
}

/* Has nothing in the range: fresh memory may have become part of the object of what lies below. */
static bool is_fresh_locked(struct machvm_entry *entry, u64 start, u64 end)
{
	struct machvm_object *object = entry->object;
	u64 index, last;
	bool fresh;

	if (!object)
		return true;
	index = machvm_entry_offset(entry, max(start, entry->start)) >> PAGE_SHIFT;
	last = machvm_entry_offset(entry, min(end, entry->end) - 1) >> PAGE_SHIFT;
	down_read(&object->family->lock);
	fresh = !object->memobj && !object->shadow &&
		!machvm_page_next_kept(object, &index, last);
	up_read(&object->family->lock);
	return fresh;
}

/* Fresh memory that nobody can have used, and nothing else? */
static bool out_of_reach_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, start);

	if (check_locked(map, start, end, MACHVM_PROT_NONE))
		return false;
	for (; entry && entry->start < end; entry = machvm_entry_next(entry))
		if (entry->protection || !is_fresh_locked(entry, start, end))
			return false;
	return true;
}

/* The maximum of each part is what it was in transit. */
static void install_maximum_locked(struct machvm_map *map, u64 start, struct machvm_map *copy)
{
	struct machvm_entry *entry = machvm_map_lookup_locked(map, start);

	down_read_nested(&copy->lock, SINGLE_DEPTH_NESTING);
	for (; entry && entry->start < start + copy->max; entry = machvm_entry_next(entry)) {
		struct machvm_entry *was = machvm_map_lookup_locked(copy, entry->start - start);

		machvm_entry_set_protection(entry, MACHVM_PROT_NONE, was->max_protection);
	}
	up_read(&copy->lock);
}

/**
 * machvm_vm_install - what is in transit takes the place of fresh memory that is out of reach
 * @map: where
 * @addr: first byte
 * @copy: without gaps; its maximum protections come along, the current one is NONE
 *
 * Return: KERN_SUCCESS, KERN_NO_SPACE (something else is there), KERN_RESOURCE_SHORTAGE,
 * KERN_INVALID_TASK, -EINTR.
 */
int machvm_vm_install(struct machvm_map *map, u64 addr, struct machvm_map *copy)
{
	int kr = machvm_map_lock(map);

	if (kr)
		return kr;
	if (!out_of_reach_locked(map, addr, addr + copy->max))
		kr = MACHVM_KERN_NO_SPACE;
	else
		kr = kern_of(overwrite_locked(map, addr, copy));
	if (!kr)
		install_maximum_locked(map, addr, copy);
	up_write(&map->lock);
	return kr;
}

/**
 * machvm_vm_write - pages of @map come to show what those at @data in @from do
 * @map: the task's
 * @addr: first byte
 * @from: the caller's
 * @data: address in @from
 * @length: bytes
 *
 * Return: as machvm_vm_copy().
 * Source: GNU Mach reference manual, "Data Transfer".
 */
int machvm_vm_write(struct machvm_map *map, u64 addr, struct machvm_map *from, u64 data,
		    u64 length)
{
	struct machvm_map *copy;
	int kr;

	if (map == from)
		return machvm_vm_copy(map, data, length, addr);
	if (!length)
		return MACHVM_KERN_SUCCESS;
	if (!PAGE_ALIGNED(addr | data | length))
		return unaligned(from, data, length);
	if (range_wraps(addr, length) || range_wraps(data, length))
		return MACHVM_KERN_INVALID_ADDRESS;
	copy = transit_create(map, length);
	if (!copy)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = snapshot(from, data, data + length, copy) ?: machvm_map_lock(map);
	if (!kr) {
		kr = check_locked(map, addr, addr + length, MACHVM_PROT_WRITE) ?:
		     (shared_locked(map, addr, addr + length) ? MACHVM_VM_SHARED : 0) ?:
		     kern_of(overwrite_locked(map, addr, copy));
		up_write(&map->lock);
	}
	transit_end(copy);
	return kr;
}
