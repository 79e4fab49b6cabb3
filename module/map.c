// SPDX-License-Identifier: GPL-2.0-only
/*
 * map.c - the ordered entries of one address map: find, place, clip, merge.
 * Callers: vm.c (the vm_* verbs), fault.c (lookup).
 * Never: touches page tables, waits, or knows what an object holds.
 * Locks: map->lock is the caller's; takes family->mappers where an entry has an object.
 *
 * Entries hang in a red-black tree that is augmented with the free gap before each.  The nodes
 * are inside the entries, so once a verb has its spare entries nothing below can fail: a call
 * either changes all of its range or none of it.
 */
#include "map.h"
#include "mapper.h"
#include "object.h"
#include "pmap.h"
#include "stats.h"
#include "user.h"
#include "window.h"

#define entry_of(ptr) rb_entry_safe(ptr, struct machvm_entry, node)

#define entry_gap(entry) ((entry)->gap)
RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct machvm_entry, node, u64, subtree_gap,
			 entry_gap)

struct machvm_map *machvm_map_create(u64 min, u64 max, struct machvm_user *user)
{
	struct machvm_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	refcount_set(&map->refs, 1);
	init_rwsem(&map->lock);
	map->entries = RB_ROOT;
	map->windows = RB_ROOT;
	map->min = min;
	map->max = max;
	map->tail_gap = max - min;
	map->size_limit = MACHVM_ADDRESS_END;
	map->size_limit_max = MACHVM_ADDRESS_END;
	init_waitqueue_head(&map->wirings);
	map->user = machvm_user_get(user);
	return map;
}

struct machvm_map *machvm_map_get(struct machvm_map *map)
{
	refcount_inc(&map->refs);
	return map;
}

/* The last reference goes after the last VMA, whose end emptied the map. */
void machvm_map_put(struct machvm_map *map)
{
	if (!refcount_dec_and_test(&map->refs))
		return;
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&map->entries) || !RB_EMPTY_ROOT(&map->windows));
	machvm_user_put(map->user);
	if (map->pmap)
		machvm_pmap_free(map);
	kfree(map);
}

struct machvm_entry *machvm_entry_alloc(struct machvm_map *map)
{
	struct machvm_entry *entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);

	if (entry) {
		RB_CLEAR_NODE(&entry->mapper);
		entry->map = map;
	}
	return entry;
}

void machvm_entry_free(struct machvm_entry *entry)
{
	if (entry)
		WARN_ON_ONCE(entry->object);
	kfree(entry);
}

/* In: family->mappers held.  An entry that shows pages of the family keeps them, or no longer. */
static void count_wired(struct machvm_family *family, long n)
{
	if (!n)
		return;
	family->nr_wired += n;
	machvm_count(MACHVM_STAT_WIRED, n);
}

/* Byte of the object that is mapped at @addr. */
u64 machvm_entry_offset(const struct machvm_entry *entry, u64 addr)
{
	return entry->offset + (addr - entry->start);
}

/* Consumes the caller's reference on @object.  The entry has its range already. */
void machvm_entry_set_object(struct machvm_entry *entry, struct machvm_object *object, u64 offset)
{
	WARN_ON_ONCE(entry->object);
	mutex_lock(&object->family->mappers);
	entry->object = object;
	entry->offset = offset;
	machvm_object_reach(object, machvm_entry_offset(entry, entry->end));
	machvm_mapper_add_locked(entry);
	count_wired(object->family, entry->wired);
	mutex_unlock(&object->family->mappers);
}

/* In: family->mappers held.  The entry may be off the tree already. */
static void leave_object(struct machvm_entry *entry)
{
	if (!RB_EMPTY_NODE(&entry->mapper))
		count_wired(entry->object->family, -(long)entry->wired);
	machvm_mapper_remove_locked(entry);
}

/* Takes the entry off its object's tree; it keeps the reference, for machvm_entry_dispose(). */
void machvm_entry_unlink(struct machvm_entry *entry)
{
	if (!entry->object)
		return;
	mutex_lock(&entry->object->family->mappers);
	leave_object(entry);
	mutex_unlock(&entry->object->family->mappers);
}

/*
 * Whoever takes a page away holds family->lock for writing, so it either sees that the page is
 * wired, or has taken it before whoever wires it looks for it.
 */
static void entry_set_wired(struct machvm_entry *entry, bool wired)
{
	struct machvm_family *family = entry->object ? entry->object->family : NULL;

	if (entry->wired == wired)
		return;
	if (!family) {
		entry->wired = wired;
		return;
	}
	down_write(&family->lock);
	mutex_lock(&family->mappers);
	count_wired(family, (long)wired - entry->wired);
	entry->wired = wired;
	mutex_unlock(&family->mappers);
	up_write(&family->lock);
}

/* Counts @bytes of an entry that is in a map, or no longer if negative. */
static void map_account(struct machvm_map *map, const struct machvm_entry *entry, s64 bytes)
{
	if (entry->max_protection)
		map->size += bytes;
	if (entry->wire)
		map->wired_size += bytes;
}

static s64 entry_bytes(const struct machvm_entry *entry)
{
	return entry->end - entry->start;
}

/*
 * Wires an entry of a locked map, or unwires it if @access is 0.  Bringing the pages in is the
 * caller's.
 */
void machvm_entry_set_wire(struct machvm_entry *entry, u8 access)
{
	map_account(entry->map, entry, -entry_bytes(entry));
	entry->wire = access;
	map_account(entry->map, entry, entry_bytes(entry));
	entry_set_wired(entry, access && entry->protection & MACHVM_PROT_READ);
}

/*
 * Of an entry of a locked map.  What is out of reach is not kept, but is wired again once it
 * can be read; what can never be used again is free of charge.
 */
void machvm_entry_set_protection(struct machvm_entry *entry, u8 protection, u8 max_protection)
{
	map_account(entry->map, entry, -entry_bytes(entry));
	entry->protection = protection;
	entry->max_protection = max_protection;
	map_account(entry->map, entry, entry_bytes(entry));
	entry_set_wired(entry, entry->wire && protection & MACHVM_PROT_READ);
}

/*
 * The end of an entry that was erased and unlinked.
 * Context: map->lock is not held: an object's death can take as long as it has pages.
 */
void machvm_entry_dispose(struct machvm_entry *entry)
{
	struct machvm_object *object = entry->object;

	entry->object = NULL;
	if (object) {
		machvm_object_release_range(object, entry->offset >> PAGE_SHIFT,
					    (entry->end - entry->start) >> PAGE_SHIFT);
		machvm_object_put(object);
	}
	machvm_entry_free(entry);
}

/*
 * Exchanges what two entries of the same length show.  Their own ranges and protections stay.
 * Context: both maps locked for writing, or unpublished.
 */
void machvm_entry_swap(struct machvm_entry *a, struct machvm_entry *b)
{
	struct machvm_object *a_object = a->object, *b_object = b->object;
	u64 a_offset = a->offset, b_offset = b->offset;

	machvm_entry_unlink(a);
	machvm_entry_unlink(b);
	a->object = NULL;
	b->object = NULL;
	if (b_object)
		machvm_entry_set_object(a, b_object, b_offset);
	if (a_object)
		machvm_entry_set_object(b, a_object, a_offset);
	swap(a->needs_copy, b->needs_copy);
	swap(a->fresh_ident, b->fresh_ident);
}

/* Returns the object with the entry's reference, which is now the caller's; NULL if none. */
static struct machvm_object *entry_drop_object(struct machvm_entry *entry)
{
	struct machvm_object *object = entry->object;

	if (!object)
		return NULL;
	mutex_lock(&object->family->mappers);
	leave_object(entry);
	entry->object = NULL;
	mutex_unlock(&object->family->mappers);
	return object;
}

static void move_borders(struct machvm_entry *entry, u64 start, u64 end)
{
	entry->offset += start - entry->start;
	entry->start = start;
	entry->end = end;
}

/*
 * Of an entry that is in a map.  Others read its range through its object's tree of mappers: it
 * changes under that lock.
 */
static void entry_set_range(struct machvm_entry *entry, u64 start, u64 end)
{
	struct machvm_object *object = entry->object;

	map_account(entry->map, entry, (s64)(end - start) - entry_bytes(entry));
	if (!object) {
		move_borders(entry, start, end);
		return;
	}
	mutex_lock(&object->family->mappers);
	machvm_mapper_remove_locked(entry);
	move_borders(entry, start, end);
	machvm_object_reach(object, machvm_entry_offset(entry, end));
	machvm_mapper_add_locked(entry);
	mutex_unlock(&object->family->mappers);
}

/*
 * Gives an entry that is in no map, or was erased from another, its place in @map, which may want
 * it wired.  It may be on its object's tree already, and is as long there.
 */
void machvm_entry_place(struct machvm_entry *entry, struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_object *object = entry->object;

	if (object)
		mutex_lock(&object->family->mappers);
	entry->map = map;
	entry->start = start;
	entry->end = end;
	if (object)
		mutex_unlock(&object->family->mappers);
	if (!entry->wire)
		entry->wire = map->wire_future;
	entry_set_wired(entry, entry->wire && entry->protection & MACHVM_PROT_READ);
}

struct machvm_entry *machvm_entry_next(struct machvm_entry *entry)
{
	return entry_of(rb_next(&entry->node));
}

static struct machvm_entry *entry_prev(struct machvm_entry *entry)
{
	return entry_of(rb_prev(&entry->node));
}

/* The entry that contains @addr, or else the first one after it. */
struct machvm_entry *machvm_map_next_locked(struct machvm_map *map, u64 addr)
{
	struct rb_node *node = map->entries.rb_node;
	struct machvm_entry *best = NULL;

	lockdep_assert_held(&map->lock);
	while (node) {
		struct machvm_entry *entry = entry_of(node);

		if (addr < entry->end) {
			best = entry;
			if (addr >= entry->start)
				break;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct machvm_entry *machvm_map_lookup_locked(struct machvm_map *map, u64 addr)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, addr);

	return entry && entry->start <= addr ? entry : NULL;
}

/* May the map grow by that much?  It may be beyond its limit already. */
bool machvm_map_has_room_locked(struct machvm_map *map, u64 bytes)
{
	return map->size <= map->size_limit && bytes <= map->size_limit - map->size;
}

/* True if [start, end) lies in the map and nothing is there. */
bool machvm_map_free_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry;

	if (start < map->min || end > map->max || start >= end)
		return false;
	entry = machvm_map_next_locked(map, start);
	return !entry || entry->start >= end;
}

/**
 * machvm_mask_parse - take the mask of vm_map apart
 * @mask: address bits that must be zero
 * @align: out: alignment in bytes, at least a page
 * @ceiling: out: last address that the region may use
 *
 * Low contiguous ones ask for an alignment, high contiguous ones up to the top bit for a ceiling.
 * Return: false for any other shape (Mach answers KERN_NO_SPACE to those).
 */
bool machvm_mask_parse(u64 mask, u64 *align, u64 *ceiling)
{
	u64 low = mask & ~(mask + 1);	/* the contiguous ones at the bottom */
	u64 high = mask & ~low;

	*align = PAGE_SIZE;
	*ceiling = ~0ULL;
	if (!~mask)
		return false;
	if (low + 1 > PAGE_SIZE)
		*align = low + 1;
	if (~high & (~high + 1))	/* the ones at the top must be one run */
		return false;
	*ceiling = ~high;
	return true;
}

/* What a place for new memory must be like. */
struct want {
	u64 length, align, ceiling;
};

static bool range_fits(u64 first, u64 end, const struct want *want, u64 *start)
{
	u64 at = ALIGN(first, want->align);

	if (at < first || at > end || end - at < want->length)
		return false;
	if (at + want->length - 1 > want->ceiling)
		return false;
	*start = at;
	return true;
}

/* As much of the gap as windows offer. */
static bool gap_fits(struct machvm_map *map, u64 gap_start, u64 gap_end, const struct want *want,
		     u64 *start)
{
	u64 at, from, to;

	if (!map->windowed)
		return range_fits(gap_start, gap_end, want, start);
	for (at = gap_start; at < gap_end && machvm_window_room_locked(map, at, &from, &to) &&
	     from < gap_end; at = to)
		if (range_fits(max(from, gap_start), min(to, gap_end), want, start))
			return true;
	return false;
}

/* The first entry, from @node's left end on, whose gap is large enough; then on by gap_next(). */
static struct machvm_entry *gap_first(struct rb_node *node, u64 length)
{
	while (node) {
		struct machvm_entry *entry = entry_of(node);
		struct machvm_entry *left = entry_of(node->rb_left);

		if (left && left->subtree_gap >= length) {
			node = node->rb_left;
			continue;
		}
		if (entry->gap >= length)
			return entry;
		node = node->rb_right;
	}
	return NULL;
}

static struct machvm_entry *gap_next(struct machvm_entry *entry, u64 length)
{
	struct rb_node *node = &entry->node;
	struct machvm_entry *right = entry_of(node->rb_right);

	if (right && right->subtree_gap >= length)
		return gap_first(node->rb_right, length);
	for (;;) {
		struct rb_node *parent = rb_parent(node);

		if (!parent)
			return NULL;
		if (node == parent->rb_left) {
			struct machvm_entry *up = entry_of(parent);

			if (up->gap >= length)
				return up;
			right = entry_of(parent->rb_right);
			if (right && right->subtree_gap >= length)
				return gap_first(parent->rb_right, length);
		}
		node = parent;
	}
}

/**
 * machvm_map_find_space_locked - the lowest free place that fits
 * @map: the map, locked
 * @length: bytes, whole pages
 * @mask: as for vm_map
 * @start: out: the address
 *
 * Return: KERN_SUCCESS or KERN_NO_SPACE.
 */
int machvm_map_find_space_locked(struct machvm_map *map, u64 length, u64 mask, u64 *start)
{
	struct want want = { .length = length };
	struct machvm_entry *entry;

	lockdep_assert_held(&map->lock);
	if (!machvm_mask_parse(mask, &want.align, &want.ceiling))
		return MACHVM_KERN_NO_SPACE;
	for (entry = gap_first(map->entries.rb_node, length); entry;
	     entry = gap_next(entry, length)) {
		if (gap_fits(map, entry->start - entry->gap, entry->start, &want, start))
			return MACHVM_KERN_SUCCESS;
	}
	if (gap_fits(map, map->max - map->tail_gap, map->max, &want, start))
		return MACHVM_KERN_SUCCESS;
	return MACHVM_KERN_NO_SPACE;
}

/* The free bytes before @next (or behind the last entry if NULL) have changed to @gap. */
static void gap_set(struct machvm_map *map, struct machvm_entry *next, u64 gap)
{
	if (!next) {
		map->tail_gap = gap;
		return;
	}
	next->gap = gap;
	gap_callbacks_propagate(&next->node, NULL);
}

/* The range of @entry must be free. */
void machvm_map_insert_locked(struct machvm_map *map, struct machvm_entry *entry)
{
	struct rb_node **link = &map->entries.rb_node, *parent = NULL;
	struct machvm_entry *prev = NULL, *next;

	lockdep_assert_held_write(&map->lock);
	while (*link) {
		struct machvm_entry *at = entry_of(*link);

		parent = *link;
		if (entry->start < at->start) {
			link = &parent->rb_left;
		} else {
			prev = at;
			link = &parent->rb_right;
		}
	}
	entry->gap = entry->start - (prev ? prev->end : map->min);
	entry->subtree_gap = entry->gap;
	rb_link_node(&entry->node, parent, link);
	gap_callbacks_propagate(parent, NULL);
	rb_insert_augmented(&entry->node, &map->entries, &gap_callbacks);
	map->nr_entries++;
	map_account(map, entry, entry_bytes(entry));
	next = machvm_entry_next(entry);
	gap_set(map, next, (next ? next->start : map->max) - entry->end);
}

/* The entry keeps its object; it is the caller's now. */
void machvm_map_erase_locked(struct machvm_map *map, struct machvm_entry *entry)
{
	struct machvm_entry *next = machvm_entry_next(entry);
	struct machvm_entry *prev = entry_prev(entry);

	lockdep_assert_held_write(&map->lock);
	rb_erase_augmented(&entry->node, &map->entries, &gap_callbacks);
	map->nr_entries--;
	map_account(map, entry, -entry_bytes(entry));
	gap_set(map, next, (next ? next->start : map->max) - (prev ? prev->end : map->min));
}

/**
 * machvm_map_clip_locked - make @addr the border of two entries, if it lies inside one
 * @map: the map, locked for writing
 * @addr: page aligned
 * @spare: an entry that is used up, and set to NULL, if one is needed
 */
void machvm_map_clip_locked(struct machvm_map *map, u64 addr, struct machvm_entry **spare)
{
	struct machvm_entry *entry = machvm_map_lookup_locked(map, addr);
	struct machvm_entry *upper = *spare;
	u64 end, offset;

	if (!entry || entry->start == addr)
		return;
	*spare = NULL;
	end = entry->end;
	offset = machvm_entry_offset(entry, addr);
	upper->start = addr;
	upper->end = end;
	upper->protection = entry->protection;
	upper->max_protection = entry->max_protection;
	upper->inheritance = entry->inheritance;
	upper->needs_copy = entry->needs_copy;
	upper->fresh_ident = entry->fresh_ident;
	upper->wire = entry->wire;
	upper->wired = entry->wired;
	upper->wiring = entry->wiring;
	if (entry->object)
		machvm_entry_set_object(upper, machvm_object_get(entry->object), offset);
	entry_set_range(entry, entry->start, addr);
	machvm_map_insert_locked(map, upper);
}

static bool entries_alike(const struct machvm_entry *a, const struct machvm_entry *b)
{
	return a->protection == b->protection && a->max_protection == b->max_protection &&
	       a->inheritance == b->inheritance && a->needs_copy == b->needs_copy &&
	       a->fresh_ident == b->fresh_ident && a->wire == b->wire &&
	       a->wiring == b->wiring;
}

static bool entries_continue(const struct machvm_entry *a, const struct machvm_entry *b)
{
	if (a->end != b->start || !entries_alike(a, b) || a->object != b->object)
		return false;
	return !a->object || machvm_entry_offset(a, a->end) == b->offset;
}

/*
 * Takes @upper, which continues @lower, into it.  Until that is done both are on the tree of
 * mappers with the range, so that whoever looks for who shows a page always finds one.
 */
static void entry_absorb(struct machvm_map *map, struct machvm_entry *lower,
			 struct machvm_entry *upper)
{
	u64 end = upper->end;
	struct machvm_object *object;

	machvm_map_erase_locked(map, upper);
	entry_set_range(lower, lower->start, end);
	object = entry_drop_object(upper);
	machvm_entry_free(upper);
	upper = machvm_entry_next(lower);
	gap_set(map, upper, (upper ? upper->start : map->max) - end);
	if (object)
		machvm_object_put_shared(object);
}

/* Merges what has become alike in and around [start, end). */
void machvm_map_merge_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, start ? start - 1 : 0);

	lockdep_assert_held_write(&map->lock);
	while (entry && entry->start <= end) {
		struct machvm_entry *next = machvm_entry_next(entry);

		if (next && entries_continue(entry, next))
			entry_absorb(map, entry, next);
		else
			entry = next;
	}
}

/**
 * machvm_map_extend_locked - let a neighbour take in fresh memory
 * @map: the map, locked for writing
 * @entry: fresh zero-filled memory without an object, not inserted, its range free
 *
 * The entry below is made longer if nothing but it knows its object, from which stale pages of
 * the new range are dropped first.
 * Return: true if so; @entry is then still the caller's.
 */
bool machvm_map_extend_locked(struct machvm_map *map, struct machvm_entry *entry)
{
	struct machvm_entry *prev, *next;
	u64 index, nr;

	lockdep_assert_held_write(&map->lock);
	if (entry->start == map->min)
		return false;
	prev = machvm_map_lookup_locked(map, entry->start - 1);
	if (!prev || !entries_alike(prev, entry))
		return false;
	index = machvm_entry_offset(prev, prev->end) >> PAGE_SHIFT;
	nr = (entry->end - entry->start) >> PAGE_SHIFT;
	if (prev->object && !machvm_object_extend(prev->object, index, nr))
		return false;
	entry_set_range(prev, prev->start, entry->end);
	next = machvm_entry_next(prev);
	gap_set(map, next, (next ? next->start : map->max) - prev->end);
	if (next && entries_continue(prev, next))
		entry_absorb(map, prev, next);
	return true;
}
