// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire.c - which regions are wired.
 * Callers: resident.c, which brings the pages in; dev.c.
 * Never: brings a page in, or waits for a pager.
 * Locks: takes map->lock for writing.
 *
 * Wiring is three steps.  The first marks what was not wired yet with the number of the call; then
 * the pages are brought in, with no lock held; the last takes the number off, or the mark if that
 * failed.  Another call that wants to wire the same region waits for the last step, so that it is
 * not told that memory is wired which is about to be given up.  Nothing else waits: regions may be
 * unwired, cut and taken away under the feet of a call, which then has less to end.
 */
#include "map.h"
#include "pmap.h"
#include "vm.h"

/* @entry, unless it begins behind the range. */
static struct machvm_entry *entry_before(struct machvm_entry *entry, u64 end)
{
	return entry && entry->start < end ? entry : NULL;
}

#define for_each_entry_locked(entry, map, start, end)                             \
	for (entry = entry_before(machvm_map_next_locked(map, start), end); entry; \
	     entry = entry_before(machvm_entry_next(entry), end))

/* Entries without gaps, all of which allow @access? */
static bool range_allows_locked(struct machvm_map *map, u64 start, u64 end, u8 access)
{
	struct machvm_entry *entry = machvm_map_lookup_locked(map, start);

	while (entry && entry->start <= start && !(access & ~entry->protection)) {
		start = entry->end;
		if (start >= end)
			return true;
		entry = machvm_entry_next(entry);
	}
	return false;
}

static bool being_wired_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry;

	for_each_entry_locked(entry, map, start, end)
		if (entry->wiring)
			return true;
	return false;
}

/* Bytes of the range that are not wired yet. */
static u64 unwired_bytes_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry;
	u64 bytes = 0;

	for_each_entry_locked(entry, map, start, end)
		if (!entry->wire)
			bytes += min(entry->end, end) - max(entry->start, start);
	return bytes;
}

/* What keeps the range from being wired; 0 if nothing does. */
static int wire_check_locked(struct machvm_wiring *wiring)
{
	struct machvm_map *map = wiring->map;
	u64 bytes;

	if (!wiring->all &&
	    !range_allows_locked(map, wiring->start, wiring->end, wiring->access))
		return MACHVM_KERN_NO_SPACE;
	bytes = unwired_bytes_locked(map, wiring->start, wiring->end);
	if (bytes && !machvm_pmap_may_wire(map, bytes, wiring->privileged))
		return MACHVM_KERN_NO_ACCESS;
	if (map->nr_entries >= MACHVM_REGIONS_MAX)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	return MACHVM_KERN_SUCCESS;
}

static void wire_mark_locked(struct machvm_wiring *wiring, struct machvm_entry **spares)
{
	struct machvm_map *map = wiring->map;
	struct machvm_entry *entry;

	machvm_map_clip_locked(map, wiring->start, &spares[0]);
	machvm_map_clip_locked(map, wiring->end, &spares[1]);
	wiring->number = ++map->last_wiring;
	for_each_entry_locked(entry, map, wiring->start, wiring->end) {
		if (entry->wire)
			continue;
		entry->wiring = wiring->number;
		machvm_entry_set_wire(entry, wiring->access);
	}
}

/* Waits until some wiring of the map has ended since @seen. */
static int wait_for_end(struct machvm_map *map, u64 seen)
{
	return wait_event_killable(map->wirings, READ_ONCE(map->wirings_ended) != seen);
}

static int wire_begin(struct machvm_wiring *wiring, struct machvm_entry **spares)
{
	struct machvm_map *map = wiring->map;
	int kr;

	for (;;) {
		u64 seen;

		kr = machvm_map_lock(map);
		if (kr)
			return kr;
		seen = map->wirings_ended;
		if (!being_wired_locked(map, wiring->start, wiring->end))
			break;
		up_write(&map->lock);
		if (wait_for_end(map, seen))
			return -EINTR;
	}
	kr = wire_check_locked(wiring);
	if (!kr)
		wire_mark_locked(wiring, spares);
	up_write(&map->lock);
	return kr;
}

/**
 * machvm_wire_begin - mark the regions of a range as wired
 * @wiring: all but the number filled in; the range is whole pages and not empty
 *
 * Waits for other calls that are wiring the same memory.  Success is to be followed, when the
 * pages are in or cannot be had, by machvm_wire_end().
 * Return: KERN_SUCCESS; KERN_NO_SPACE (a hole, or a protection without that access),
 * KERN_NO_ACCESS (over the limit), KERN_RESOURCE_SHORTAGE, KERN_INVALID_TASK, -EINTR: then nothing
 * is marked.
 */
int machvm_wire_begin(struct machvm_wiring *wiring)
{
	struct machvm_entry *spares[2] = {
		machvm_entry_alloc(wiring->map), machvm_entry_alloc(wiring->map),
	};
	int kr = MACHVM_KERN_RESOURCE_SHORTAGE;

	if (spares[0] && spares[1])
		kr = wire_begin(wiring, spares);
	machvm_entry_free(spares[0]);
	machvm_entry_free(spares[1]);
	return kr;
}

/* The end of what machvm_wire_begin() has begun; if it failed, the range is wired as before. */
void machvm_wire_end(struct machvm_wiring *wiring, bool success)
{
	struct machvm_map *map = wiring->map;
	struct machvm_entry *entry;

	down_write(&map->lock);
	for_each_entry_locked(entry, map, wiring->start, wiring->end) {
		bool ours = entry->wiring == wiring->number;

		if (ours)
			entry->wiring = 0;
		if (ours && !success)
			machvm_entry_set_wire(entry, 0);
		else if (success && entry->wire && !wiring->all)
			entry->wire = wiring->access;
	}
	map->wirings_ended++;
	up_write(&map->lock);
	wake_up_all(&map->wirings);
}

static void unwire_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *entry;

	for_each_entry_locked(entry, map, start, end) {
		entry->wiring = 0;
		machvm_entry_set_wire(entry, 0);
	}
}

/* Return: KERN_SUCCESS, KERN_NO_SPACE: a hole, KERN_RESOURCE_SHORTAGE, KERN_INVALID_TASK, -EINTR */
int machvm_unwire(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_entry *low = machvm_entry_alloc(map), *high = machvm_entry_alloc(map);
	int kr = MACHVM_KERN_RESOURCE_SHORTAGE;

	if (low && high)
		kr = machvm_map_lock(map);
	if (kr)
		goto out;
	if (!range_allows_locked(map, start, end, 0)) {
		kr = MACHVM_KERN_NO_SPACE;
	} else if (map->nr_entries >= MACHVM_REGIONS_MAX) {
		kr = MACHVM_KERN_RESOURCE_SHORTAGE;
	} else {
		machvm_map_clip_locked(map, start, &low);
		machvm_map_clip_locked(map, end, &high);
		unwire_locked(map, start, end);
	}
	up_write(&map->lock);
out:
	machvm_entry_free(low);
	machvm_entry_free(high);
	return kr;
}

/* All that there is, and no more of what is to come. */
int machvm_unwire_all(struct machvm_map *map)
{
	int kr = machvm_map_lock(map);

	if (kr)
		return kr;
	map->wire_future = 0;
	unwire_locked(map, map->min, map->max);
	up_write(&map->lock);
	return kr;
}

/**
 * machvm_wire_future - wire new regions from the start
 * @map: the map
 * @access: what for, or 0 for no longer
 * @privileged: the caller uses what privilege it has
 * @old: out: what it was before
 *
 * Return: KERN_SUCCESS, KERN_NO_ACCESS (the caller may not wire a single page), KERN_INVALID_TASK,
 * -EINTR.
 */
int machvm_wire_future(struct machvm_map *map, u8 access, bool privileged, u8 *old)
{
	int kr = machvm_map_lock(map);

	if (kr)
		return kr;
	*old = map->wire_future;
	if (machvm_pmap_may_wire(map, PAGE_SIZE, privileged))
		map->wire_future = access;
	else
		kr = MACHVM_KERN_NO_ACCESS;
	up_write(&map->lock);
	return kr;
}

/* Takes machvm_wire_future() back. */
void machvm_wire_future_restore(struct machvm_map *map, u8 old)
{
	down_write(&map->lock);
	map->wire_future = old;
	up_write(&map->lock);
}

/* Is the page at @addr in a region? */
bool machvm_wire_covers(struct machvm_map *map, u64 addr)
{
	bool covers;

	down_read(&map->lock);
	covers = machvm_map_lookup_locked(map, addr);
	up_read(&map->lock);
	return covers;
}

/**
 * machvm_wire_next - the next stretch of a range whose pages are to be brought in
 * @map: the map
 * @start: in: where to look; out: where it begins
 * @end: in: where the range ends; out: where the stretch ends
 * @write: out: as if by a write, so that no page has to be copied later
 *
 * Return: false if there is none.
 */
bool machvm_wire_next(struct machvm_map *map, u64 *start, u64 *end, bool *write)
{
	struct machvm_entry *entry;

	down_read(&map->lock);
	for_each_entry_locked(entry, map, *start, *end)
		if (entry->wired)
			break;
	if (entry) {
		*start = max(*start, entry->start);
		*end = min(*end, entry->end);
		*write = entry->protection & MACHVM_PROT_WRITE;
	}
	up_read(&map->lock);
	return entry;
}
