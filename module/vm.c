// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm.c - the vm_* verbs that place, cut, protect and look at regions.
 * Callers: dev.c with arguments as they came; vma.c at the end; fault.c to prepare an entry.
 * Never: waits for a pager; touches user memory.
 * Locks: takes map->lock for writing, then the objects'.
 */
#include "vm.h"
#include "copycall.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "pmap.h"
#include "stats.h"
#include "window.h"

/* The whole pages that [addr, addr + length) touches; false if it is empty or wraps. */
static bool range_of(u64 addr, u64 length, u64 *start, u64 *end)
{
	if (!length || check_add_overflow(addr, length, end))
		return false;
	*start = addr & PAGE_MASK;
	*end = PAGE_ALIGN(*end);
	return *start < *end;	/* not if the end was rounded up to 0 */
}

/* For the verbs: 0, or what they answer. */
int machvm_map_lock(struct machvm_map *map)
{
	if (down_write_killable(&map->lock))
		return -EINTR;
	if (map->dead) {
		up_write(&map->lock);
		return MACHVM_KERN_INVALID_TASK;
	}
	return 0;
}

/*
 * Finds the place for @length bytes, or checks that *@addr is one.  @lacking: it is only that
 * Linux has given us no window there.
 */
static int place_locked(struct machvm_map *map, u64 *addr, u64 length, u64 mask, bool anywhere,
			bool *lacking)
{
	u64 start = *addr, end = *addr + length;
	int kr;

	*lacking = false;
	if (anywhere) {
		kr = machvm_map_find_space_locked(map, length, mask, addr);
		*lacking = kr;
		return kr;
	}
	if (!machvm_map_free_locked(map, start, end))
		return MACHVM_KERN_NO_SPACE;
	*lacking = machvm_window_hole_locked(map, &start, &end) != MACHVM_WINDOW_FINE;
	return *lacking ? MACHVM_KERN_NO_SPACE : MACHVM_KERN_SUCCESS;
}

/**
 * machvm_map_lock_space - lock a map in which there is room
 * @map: the map
 * @addr: where, or out: where, if @anywhere
 * @length: bytes, whole pages
 * @mask: as for vm_map
 * @anywhere: look for a place
 *
 * Windows are made where they lack.  Whoever then takes none of the room leaves empty ones, for
 * machvm_pmap_tidy().
 * Return: 0: locked for writing; else what the verb answers.
 */
int machvm_map_lock_space(struct machvm_map *map, u64 *addr, u64 length, u64 mask, bool anywhere)
{
	bool lacking;
	int kr;

	for (;;) {
		kr = machvm_map_lock(map);
		if (kr)
			return kr;
		kr = place_locked(map, addr, length, mask, anywhere, &lacking);
		if (!kr)
			return 0;
		up_write(&map->lock);
		if (!lacking)
			return kr;
		kr = anywhere ? machvm_pmap_grow(map, length, mask) :
				machvm_pmap_reserve(map, *addr, *addr + length);
		if (kr)
			return kr;
	}
}

/*
 * A fixed address is cut down to its page, must not violate the mask, and must lie in user space
 * with all of the range.
 */
static int fixed_address(u64 *addr, u64 length, u64 mask)
{
	u64 align, ceiling, end;

	*addr &= PAGE_MASK;
	if (!machvm_mask_parse(mask, &align, &ceiling) || *addr & (align - 1) || *addr > ceiling)
		return MACHVM_KERN_NO_SPACE;
	if (check_add_overflow(*addr, length, &end) || end > MACHVM_ADDRESS_END)
		return MACHVM_KERN_INVALID_ADDRESS;
	return MACHVM_KERN_SUCCESS;
}

/*
 * Puts @entry, which has everything but its place, into the map.  Consumes it on success.
 * Fresh memory may end up in the entry below instead.
 */
static int enter(struct machvm_map *map, struct machvm_entry *entry, u64 *addr, u64 length,
		 u64 mask, bool anywhere)
{
	int kr = machvm_map_lock_space(map, addr, length, mask, anywhere);

	if (kr)
		return kr;
	if (entry->max_protection && !machvm_map_has_room_locked(map, length))
		kr = MACHVM_KERN_NO_SPACE;
	else if (map->nr_entries >= MACHVM_REGIONS_MAX ||
		 (map->wire_future && !machvm_pmap_may_wire(map, length, true)))
		kr = MACHVM_KERN_RESOURCE_SHORTAGE;
	if (kr) {
		up_write(&map->lock);
		machvm_pmap_tidy(map, *addr, *addr + length);
		return kr;
	}
	machvm_entry_place(entry, map, *addr, *addr + length);
	if (!entry->object && machvm_map_extend_locked(map, entry)) {
		machvm_entry_free(entry);
	} else {
		machvm_map_insert_locked(map, entry);
		machvm_map_merge_locked(map, *addr, *addr + length);
	}
	up_write(&map->lock);
	return MACHVM_KERN_SUCCESS;
}

/**
 * machvm_vm_allocate - fresh zero-filled memory
 * @map: the task's
 * @addr: in: where, unless @anywhere; out: where
 * @length: bytes, rounded up to pages; 0 is none, at address 0
 * @anywhere: the map finds a place
 *
 * Source: GNU Mach reference manual, "Memory Allocation"; where the live kernel differs from it
 * (initial protection, a hint that is ignored), as the live kernel.
 */
int machvm_vm_allocate(struct machvm_map *map, u64 *addr, u64 length, bool anywhere)
{
	struct machvm_entry *entry;
	int kr = MACHVM_KERN_SUCCESS;

	if (!length) {
		*addr = 0;
		return MACHVM_KERN_SUCCESS;
	}
	length = PAGE_ALIGN(length);
	if (!length)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!anywhere)
		kr = fixed_address(addr, length, 0);
	if (kr)
		return kr;
	entry = machvm_entry_alloc(map);
	if (!entry)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	entry->protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE;
	entry->max_protection = MACHVM_PROT_ALL;
	entry->inheritance = MACHVM_INHERIT_COPY;
	kr = enter(map, entry, addr, length, 0, anywhere);
	if (kr)
		machvm_entry_free(entry);
	return kr;
}

/* Two entries for a range whose borders may lie inside others; enough for one clip each. */
struct spares {
	struct machvm_entry *low, *high;
};

static bool spares_alloc(struct spares *spares, struct machvm_map *map)
{
	spares->low = machvm_entry_alloc(map);
	spares->high = machvm_entry_alloc(map);
	return spares->low && spares->high;
}

static void spares_free(struct spares *spares)
{
	machvm_entry_free(spares->low);
	machvm_entry_free(spares->high);
}

static void dispose_all(struct list_head *removed)
{
	struct machvm_entry *entry, *next;

	list_for_each_entry_safe(entry, next, removed, chain) {
		list_del(&entry->chain);
		machvm_entry_dispose(entry);
	}
}

/* Takes the entries of [start, end) out, whose borders are entry borders. */
static void remove_locked(struct machvm_map *map, u64 start, u64 end, struct list_head *removed)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, start);

	while (entry && entry->start < end) {
		struct machvm_entry *next = machvm_entry_next(entry);

		if (entry->object)
			machvm_pmap_zap(map, entry->start, entry->end);
		machvm_map_erase_locked(map, entry);
		machvm_entry_unlink(entry);
		list_add_tail(&entry->chain, removed);
		entry = next;
	}
}

/* Source: GNU Mach reference manual, "Memory Deallocation"; holes succeed as in the live kernel. */
int machvm_vm_deallocate(struct machvm_map *map, u64 addr, u64 length)
{
	struct spares spares;
	LIST_HEAD(removed);
	u64 start, end;
	bool untidy;
	int kr;

	if (!range_of(addr, length, &start, &end))
		return MACHVM_KERN_SUCCESS;
	if (!spares_alloc(&spares, map)) {
		kr = MACHVM_KERN_RESOURCE_SHORTAGE;
		goto out;
	}
	kr = machvm_map_lock(map);
	if (kr)
		goto out;
	machvm_map_clip_locked(map, start, &spares.low);
	machvm_map_clip_locked(map, end, &spares.high);
	remove_locked(map, start, end, &removed);
	untidy = machvm_window_untidy_locked(map, start, end);
	up_write(&map->lock);
	dispose_all(&removed);
	if (untidy)
		machvm_pmap_tidy(map, start, end);
out:
	spares_free(&spares);
	return kr;
}

/* True if every entry in the range allows @protection. */
static bool protect_allowed_locked(struct machvm_map *map, u64 start, u64 end, u8 protection)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, start);

	for (; entry && entry->start < end; entry = machvm_entry_next(entry))
		if (protection & ~entry->max_protection & MACHVM_PROT_ALL)
			return false;
	return true;
}

/* Translations that allow too much must go; so must those that make a fetch trap for ever. */
static bool lost_or_execute(u8 old, u8 now)
{
	return (old & ~now & MACHVM_PROT_ALL) || (now & ~old & MACHVM_PROT_EXECUTE);
}

static void protect_locked(struct machvm_map *map, u64 start, u64 end, bool set_maximum,
			   u8 protection)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, start);

	for (; entry && entry->start < end; entry = machvm_entry_next(entry)) {
		u8 old = entry->protection, max = protection & MACHVM_PROT_ALL;

		if (set_maximum)
			machvm_entry_set_protection(entry, old & protection, max);
		else
			machvm_entry_set_protection(entry, protection, entry->max_protection);
		if (entry->object && lost_or_execute(old, entry->protection))
			machvm_pmap_zap(map, entry->start, entry->end);
	}
}

static int check_protect_locked(struct machvm_map *map, u64 start, u64 end, u8 protection)
{
	if (map->nr_entries >= MACHVM_REGIONS_MAX)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	if (!protect_allowed_locked(map, start, end, protection))
		return MACHVM_KERN_PROTECTION_FAILURE;
	return MACHVM_KERN_SUCCESS;
}

/* To execute memory takes a window that can be executed, before its entries say so. */
static int make_executable(struct machvm_map *map, u64 start, u64 end, u8 protection)
{
	int kr = machvm_map_lock(map);
	u64 from = start, to = end;
	bool lacking;

	if (kr)
		return kr;
	kr = check_protect_locked(map, start, end, protection);
	lacking = !kr && machvm_window_no_execute_locked(map, &from, &to);
	up_write(&map->lock);
	return lacking ? machvm_pmap_execute(map, start, end) : kr;
}

/* Source: GNU Mach reference manual, "Memory Protection". */
int machvm_vm_protect(struct machvm_map *map, u64 addr, u64 length, bool set_maximum,
		      u32 protection)
{
	struct spares spares;
	bool untidy = false;
	u64 start, end;
	int kr = MACHVM_KERN_SUCCESS, tidy = MACHVM_KERN_SUCCESS;

	if (protection & ~(MACHVM_PROT_ALL | MACHVM_PROT_NOTIFY))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!range_of(addr, length, &start, &end))
		return MACHVM_KERN_SUCCESS;
	if (!spares_alloc(&spares, map)) {
		kr = MACHVM_KERN_RESOURCE_SHORTAGE;
		goto out;
	}
	if (protection & MACHVM_PROT_EXECUTE && !set_maximum)
		kr = make_executable(map, start, end, protection);
	kr = kr ?: machvm_map_lock(map);
	if (kr)
		goto out;
	kr = check_protect_locked(map, start, end, protection);
	if (!kr) {
		machvm_map_clip_locked(map, start, &spares.low);
		machvm_map_clip_locked(map, end, &spares.high);
		protect_locked(map, start, end, set_maximum, protection);
		machvm_map_merge_locked(map, start, end);
	}
	untidy = machvm_window_untidy_locked(map, start, end);
	up_write(&map->lock);
out:
	if (untidy)
		tidy = machvm_pmap_tidy(map, start, end);
	/* Who was to execute nothing does not, tidy or not. */
	if (!kr && protection & MACHVM_PROT_EXECUTE && !set_maximum)
		kr = tidy;
	spares_free(&spares);
	return kr;
}

static bool inheritance_known(u32 inheritance)
{
	return inheritance <= MACHVM_INHERIT_NONE || inheritance == MACHVM_INHERIT_ZERO;
}

/* Source: GNU Mach reference manual, "Memory Inheritance"; ZERO is FreeBSD's minherit(2). */
int machvm_vm_inherit(struct machvm_map *map, u64 addr, u64 length, u32 inheritance)
{
	struct machvm_entry *entry;
	struct spares spares;
	u64 start, end;
	int kr;

	if (!inheritance_known(inheritance))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!range_of(addr, length, &start, &end))
		return MACHVM_KERN_SUCCESS;
	if (!spares_alloc(&spares, map)) {
		kr = MACHVM_KERN_RESOURCE_SHORTAGE;
		goto out;
	}
	kr = machvm_map_lock(map);
	if (kr)
		goto out;
	if (map->nr_entries < MACHVM_REGIONS_MAX) {
		machvm_map_clip_locked(map, start, &spares.low);
		machvm_map_clip_locked(map, end, &spares.high);
		for (entry = machvm_map_next_locked(map, start); entry && entry->start < end;
		     entry = machvm_entry_next(entry))
			entry->inheritance = inheritance;
		machvm_map_merge_locked(map, start, end);
	} else {
		kr = MACHVM_KERN_RESOURCE_SHORTAGE;
	}
	up_write(&map->lock);
out:
	spares_free(&spares);
	return kr;
}

/* A memory object of its own, of which the pager of @object, consumed, is told. */
static int entry_map_called(struct machvm_entry *entry, struct machvm_object *object, u64 offset)
{
	struct machvm_object *copy;

	copy = machvm_object_copy_call(object, offset >> PAGE_SHIFT,
				       (entry->end - entry->start) >> PAGE_SHIFT, entry->map->user);
	machvm_object_put(object);
	if (!copy)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	machvm_entry_set_object(entry, copy, 0);
	return MACHVM_KERN_SUCCESS;
}

/* Gives @entry an object, consumed, that others write to, or a delayed copy, from @offset on. */
int machvm_entry_map_object(struct machvm_entry *entry, struct machvm_object *object, u64 offset,
			    bool copy)
{
	struct machvm_object *delayed;
	int err;

	if (!copy) {
		machvm_entry_set_object(entry, object, offset);
		return MACHVM_KERN_SUCCESS;
	}
	if (machvm_object_copied_by_call(object))
		return entry_map_called(entry, object, offset);
	delayed = machvm_object_copy(object, offset + (entry->end - entry->start));
	err = delayed ? machvm_push_range(object, offset >> PAGE_SHIFT,
					  (entry->end - entry->start) >> PAGE_SHIFT,
					  machvm_object_copied_now(object)) :
			-ENOMEM;
	machvm_object_put(object);
	if (err) {
		machvm_object_put(delayed);
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	}
	machvm_entry_set_object(entry, delayed, offset);
	entry->needs_copy = true;
	entry->fresh_ident = true;
	return MACHVM_KERN_SUCCESS;
}

static int entry_map_memobj(struct machvm_entry *entry, struct machvm_memobj *memobj, u64 offset,
			    bool copy)
{
	struct machvm_object *object = machvm_memobj_map(memobj);

	if (IS_ERR(object))
		return PTR_ERR(object) == -EINTR ? -EINTR : MACHVM_KERN_RESOURCE_SHORTAGE;
	return machvm_entry_map_object(entry, object, offset, copy);
}

/* What is wrong with the arguments; @external: with those, too, that say what of an object. */
int machvm_vm_map_check(const struct machvm_vm_map *arg, u64 length, bool external)
{
	u64 end;

	if (!length || (arg->protection | arg->max_protection) & ~MACHVM_PROT_ALL ||
	    !inheritance_known(arg->inheritance))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!external)
		return MACHVM_KERN_SUCCESS;
	if (!PAGE_ALIGNED(arg->offset) || check_add_overflow(arg->offset, length - 1, &end))
		return MACHVM_KERN_INVALID_ARGUMENT;
	return MACHVM_KERN_SUCCESS;
}

/**
 * machvm_vm_map - map a memory object, or fresh memory if @memobj is NULL
 * @map: the task's
 * @arg: as the caller gave it
 * @memobj: the object
 * @addr: out: where
 *
 * A current protection beyond the maximum is cut down to it.  Never waits for the pager.
 * Source: GNU Mach reference manual, "Mapping Memory Objects".
 */
int machvm_vm_map(struct machvm_map *map, const struct machvm_vm_map *arg,
		  struct machvm_memobj *memobj, u64 *addr)
{
	u64 length = PAGE_ALIGN(arg->length);
	u8 execute = arg->protection & arg->max_protection & MACHVM_PROT_EXECUTE;
	struct machvm_entry *entry;
	int kr = machvm_vm_map_check(arg, length, memobj);

	*addr = arg->address;
	if (!kr && !arg->anywhere)
		kr = fixed_address(addr, length, arg->mask);
	if (kr)
		return kr;
	entry = machvm_entry_alloc(map);
	if (!entry)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	entry->max_protection = arg->max_protection;
	entry->protection = (arg->protection & arg->max_protection) ^ execute;
	entry->inheritance = arg->inheritance;
	entry->end = length;	/* [0, length) until it has its place */
	if (memobj)
		kr = entry_map_memobj(entry, memobj, arg->offset, arg->copy);
	if (!kr)
		kr = enter(map, entry, addr, length, arg->mask, arg->anywhere);
	if (kr) {
		machvm_entry_unlink(entry);
		machvm_entry_dispose(entry);
		return kr;
	}
	if (execute)
		kr = machvm_vm_protect(map, *addr, length, false,
				       arg->protection & arg->max_protection);
	if (kr)
		machvm_vm_deallocate(map, *addr, length);
	return kr;
}

static int map_object(struct machvm_map *map, struct machvm_object *object, u64 length,
		      u8 protection, u8 wire, u64 *addr)
{
	struct machvm_entry *entry = machvm_entry_alloc(map);
	int kr;

	if (!entry)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	entry->protection = protection;
	entry->max_protection = protection ?: MACHVM_PROT_ALL;
	entry->inheritance = MACHVM_INHERIT_COPY;
	entry->wire = wire;
	entry->end = length;
	machvm_entry_set_object(entry, machvm_object_get(object), 0);
	kr = enter(map, entry, addr, length, 0, true);
	if (kr) {
		machvm_entry_unlink(entry);
		machvm_entry_dispose(entry);
	}
	return kr;
}

/* Maps an internal object that nobody else knows, out of reach until it is protected anew. */
int machvm_vm_map_object(struct machvm_map *map, struct machvm_object *object, u64 length,
			 u64 *addr)
{
	return map_object(map, object, length, MACHVM_PROT_NONE, 0, addr);
}

/*
 * What machvm_vm_map_object() has mapped comes within reach, but for what has been mapped in its
 * place since.  Takes no memory: it follows what cannot be undone.
 */
int machvm_vm_reveal_object(struct machvm_map *map, struct machvm_object *object, u64 addr,
			    u64 length)
{
	struct machvm_entry *entry;
	int kr = machvm_map_lock(map);

	if (kr)
		return kr;
	for (entry = machvm_map_next_locked(map, addr); entry && entry->start < addr + length;
	     entry = machvm_entry_next(entry))
		if (entry->object == object)
			machvm_entry_set_protection(entry, MACHVM_PROT_READ | MACHVM_PROT_WRITE,
						    entry->max_protection);
	up_write(&map->lock);
	return MACHVM_KERN_SUCCESS;
}

/* Maps an internal object with all its pages for good, wired whatever the limit says. */
int machvm_vm_map_wired(struct machvm_map *map, struct machvm_object *object, u64 length,
			u64 *addr)
{
	u8 access = MACHVM_PROT_READ | MACHVM_PROT_WRITE;

	return map_object(map, object, length, access, access, addr);
}

/**
 * machvm_vm_set_size_limit - say how much memory the map may have
 * @map: the map
 * @limit: bytes; may be less than it has, and then only keeps it from growing
 * @maximum: what @limit may later be raised to
 * @privileged: @maximum may be raised
 *
 * Memory whose maximum protection is NONE does not count.
 * Source: the live GNU Mach kernel.
 */
int machvm_vm_set_size_limit(struct machvm_map *map, u64 limit, u64 maximum, bool privileged)
{
	int kr;

	if (limit > maximum)
		return MACHVM_KERN_INVALID_ARGUMENT;
	kr = machvm_map_lock(map);
	if (kr)
		return kr;
	if (maximum > map->size_limit_max && !privileged) {
		kr = MACHVM_KERN_NO_ACCESS;
	} else {
		map->size_limit = limit;
		map->size_limit_max = maximum;
	}
	up_write(&map->lock);
	return kr;
}

int machvm_vm_get_size_limit(struct machvm_map *map, u64 *limit, u64 *maximum)
{
	int kr = machvm_map_lock(map);

	if (kr)
		return kr;
	*limit = map->size_limit;
	*maximum = map->size_limit_max;
	up_write(&map->lock);
	return kr;
}

static void region_describe_object(struct machvm_entry *entry, struct machvm_region *region)
{
	struct machvm_object *object = entry->object;

	down_read(&object->family->lock);
	region->object = object->flags & MACHVM_OBJ_DESTROYED ? 0 : object->id;
	region->offset = entry->offset;
	region->depth = machvm_object_depth_locked(object);
	if (object->memobj)
		region->flags |= MACHVM_REGION_EXTERNAL;
	if (machvm_object_shows_shared(object))
		region->flags |= MACHVM_REGION_SHARED;
	up_read(&object->family->lock);
}

static void region_describe(struct machvm_entry *entry, struct machvm_region *region)
{
	region->start = entry->start;
	region->end = entry->end;
	region->protection = entry->protection;
	region->max_protection = entry->max_protection;
	region->inheritance = entry->inheritance;
	region->wired = entry->wired;
	if (entry->needs_copy)
		region->flags |= MACHVM_REGION_NEEDS_COPY;
	if (entry->object)
		region_describe_object(entry, region);
}

/* @object: out, unless NULL: the object of the region with a reference, or NULL */
static int region_find(struct machvm_map *map, u64 addr, struct machvm_region *region,
		       struct machvm_object **object)
{
	struct machvm_entry *entry;

	memset(region, 0, sizeof(*region));
	if (down_read_killable(&map->lock))
		return -EINTR;
	if (map->dead) {
		up_read(&map->lock);
		return MACHVM_KERN_INVALID_TASK;
	}
	entry = machvm_map_next_locked(map, addr);
	if (entry) {
		region_describe(entry, region);
		if (object && entry->object)
			*object = machvm_object_get(entry->object);
	}
	up_read(&map->lock);
	return entry ? MACHVM_KERN_SUCCESS : MACHVM_KERN_NO_SPACE;
}

/**
 * machvm_vm_region - the region that contains @addr, or the next one
 * @map: the task's
 * @addr: any
 * @region: out: what it is
 *
 * Return: KERN_SUCCESS, KERN_NO_SPACE past the last region, KERN_INVALID_TASK, -EINTR.
 */
int machvm_vm_region(struct machvm_map *map, u64 addr, struct machvm_region *region)
{
	return region_find(map, addr, region, NULL);
}

/* The same, and its pages are counted, which come and go meanwhile: no lock is held for long. */
int machvm_vm_region_count(struct machvm_map *map, u64 addr, struct machvm_region *region)
{
	struct machvm_object *object = NULL;
	int ret = region_find(map, addr, region, &object);
	u64 first = region->offset >> PAGE_SHIFT;
	u64 pages = (region->end - region->start) >> PAGE_SHIFT;

	if (!object)
		return ret;
	ret = machvm_object_count_shown(object, first, first + pages - 1, &region->resident,
					&region->dirty);
	machvm_object_put(object);
	return ret;
}

/**
 * machvm_entry_own_object_locked - give an entry an object that it may write to
 * @entry: of that map
 *
 * An object if it was never touched, a shadow if it needs a copy; nothing if it has its own.
 * Context: map->lock held for writing.
 * Return: 0 or -ENOMEM.
 */
int machvm_entry_own_object_locked(struct machvm_entry *entry)
{
	struct machvm_user *user = entry->map->user;
	struct machvm_object *object;

	if (entry->object && !entry->needs_copy)
		return 0;
	if (!entry->object) {
		object = machvm_object_create(user, NULL);
		if (!object)
			return -ENOMEM;
		machvm_entry_set_object(entry, object, 0);
		return 0;
	}
	object = machvm_object_create_kin(entry->object, user);
	if (!object)
		return -ENOMEM;
	machvm_entry_shadow_locked(entry, &object);
	if (object)
		machvm_object_put(object);	/* the entry was the only one */
	return 0;
}

/*
 * Makes the entry at @addr ready for a fault: an object to look at, and one of its own to write.
 * Returns 0, also if the entry has vanished, or -ENOMEM, -EINTR.
 */
int machvm_entry_prepare(struct machvm_map *map, u64 addr, bool write)
{
	struct machvm_entry *entry;
	int err = 0;

	if (down_write_killable(&map->lock))
		return -EINTR;
	entry = machvm_map_lookup_locked(map, addr);
	if (entry && (write || !entry->object))
		err = machvm_entry_own_object_locked(entry);
	up_write(&map->lock);
	return err;
}

/* Takes entries out that have no translations any more. */
static void unlink_locked(struct machvm_map *map, u64 start, u64 end, struct list_head *removed)
{
	struct machvm_entry *entry;

	while ((entry = machvm_map_next_locked(map, start)) && entry->start < end) {
		machvm_map_erase_locked(map, entry);
		machvm_entry_unlink(entry);
		list_add_tail(&entry->chain, removed);
	}
}

/* Linux has taken windows away, with what was in them. */
void machvm_vm_unmapped(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_window *window;
	LIST_HEAD(removed);

	down_write(&map->lock);
	window = machvm_window_next_locked(map, start);
	if (window && window->start < end) {
		machvm_map_clip_locked(map, start, &window->low);
		machvm_map_clip_locked(map, end, &window->high);
		unlink_locked(map, start, end, &removed);
		machvm_window_remove_locked(map, start, end);
	}
	up_write(&map->lock);
	dispose_all(&removed);
}

/* Empties the map: its translations are gone, or it never had any. */
void machvm_vm_clear(struct machvm_map *map)
{
	LIST_HEAD(removed);

	down_write(&map->lock);
	unlink_locked(map, 0, U64_MAX, &removed);
	machvm_window_remove_locked(map, 0, U64_MAX);
	map->dead = true;
	up_write(&map->lock);
	dispose_all(&removed);
}
