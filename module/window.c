// SPDX-License-Identifier: GPL-2.0-only
/*
 * window.c - the ranges of a map in which Linux lets it decide: the arena and its additions.
 * Callers: map.c and vm.c ask; layout.c and vma.c, by way of vm.c, tell what Linux has mapped.
 * Never: maps anything; looks at what an entry shows.
 * Locks: map->lock is the caller's.
 *
 * Every border of a VMA is a border of windows; a VMA may be more than one of them.  Entries may
 * lie across windows, side by side.  Each window comes with two entries, so that its end, which
 * may not fail, can cut those that lie across its borders.
 */
#include "window.h"
#include "map.h"
#include "pmap.h"

#define window_of(ptr) rb_entry_safe(ptr, struct machvm_window, node)

struct machvm_window *machvm_window_alloc(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_window *window = kzalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);

	if (!window)
		return NULL;
	window->start = start;
	window->end = end;
	window->low = machvm_entry_alloc(map);
	window->high = machvm_entry_alloc(map);
	if (window->low && window->high)
		return window;
	machvm_window_free(window);
	return NULL;
}

void machvm_window_free(struct machvm_window *window)
{
	if (!window)
		return;
	machvm_entry_free(window->low);
	machvm_entry_free(window->high);
	kfree(window);
}

/* The window that contains @addr, or else the first one after it. */
struct machvm_window *machvm_window_next_locked(struct machvm_map *map, u64 addr)
{
	struct rb_node *node = map->windows.rb_node;
	struct machvm_window *best = NULL;

	lockdep_assert_held(&map->lock);
	while (node) {
		struct machvm_window *window = window_of(node);

		if (addr < window->end) {
			best = window;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct machvm_window *machvm_window_after(struct machvm_window *window)
{
	return window_of(rb_next(&window->node));
}

/* True if the range and a window have a byte in common. */
bool machvm_window_touch_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_window *window = machvm_window_next_locked(map, start);

	return window && window->start < end;
}

/* Nothing may be there yet. */
void machvm_window_insert_locked(struct machvm_map *map, struct machvm_window *window)
{
	struct rb_node **link = &map->windows.rb_node, *parent = NULL;

	lockdep_assert_held_write(&map->lock);
	while (*link) {
		parent = *link;
		link = window->start < window_of(parent)->start ? &parent->rb_left :
								  &parent->rb_right;
	}
	rb_link_node(&window->node, parent, link);
	rb_insert_color(&window->node, &map->windows);
	map->nr_windows++;
}

/**
 * machvm_window_split_locked - make @addr the border of two windows, if it lies inside one
 * @map: the map, locked for writing
 * @addr: page aligned
 * @spare: a window that is used up, and set to NULL, if one is needed
 */
void machvm_window_split_locked(struct machvm_map *map, u64 addr, struct machvm_window **spare)
{
	struct machvm_window *window = machvm_window_next_locked(map, addr);
	struct machvm_window *upper = *spare;

	if (!window || window->start >= addr || WARN_ON_ONCE(!upper))
		return;
	*spare = NULL;
	upper->start = addr;
	upper->end = window->end;
	upper->roomy = window->roomy;
	upper->execute = window->execute;
	window->end = addr;
	machvm_window_insert_locked(map, upper);
}

/* What lies in [start, end) goes, whose borders are window borders. */
void machvm_window_remove_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_window *window = machvm_window_next_locked(map, start);

	lockdep_assert_held_write(&map->lock);
	while (window && window->start < end) {
		struct machvm_window *next = machvm_window_after(window);

		rb_erase(&window->node, &map->windows);
		map->nr_windows--;
		machvm_window_free(window);
		window = next;
	}
}

static bool has_room(struct machvm_window *window)
{
	return window->roomy && !window->execute && !window->leaving;
}

/* The next run of windows, from @addr on, for memory that may lie anywhere. */
bool machvm_window_room_locked(struct machvm_map *map, u64 addr, u64 *start, u64 *end)
{
	struct machvm_window *window = machvm_window_next_locked(map, addr);

	while (window && !has_room(window))
		window = machvm_window_after(window);
	if (!window)
		return false;
	*start = window->start;
	do {
		*end = window->end;
		window = machvm_window_after(window);
	} while (window && window->start == *end && has_room(window));
	return true;
}

/**
 * machvm_window_hole_locked - what keeps new memory from a range without entries
 * @map: the map, locked
 * @start: first byte of the range; out: of its first part that is not ready
 * @end: first byte after the range; out: after that part
 *
 * Another process cannot have a window made plain: translations of its memory forbid execution
 * there, as for entries that it has protected.
 */
enum machvm_window_work machvm_window_hole_locked(struct machvm_map *map, u64 *start, u64 *end)
{
	struct machvm_window *window = machvm_window_next_locked(map, *start);

	if (!map->windowed)
		return MACHVM_WINDOW_FINE;
	for (; *start < *end; window = machvm_window_after(window)) {
		if (!window || window->start > *start) {
			*end = min(*end, window ? window->start : U64_MAX);
			return MACHVM_WINDOW_ABSENT;
		}
		if (window->leaving || (window->execute && machvm_pmap_own(map))) {
			*end = min(*end, window->end);
			return window->leaving ? MACHVM_WINDOW_ABSENT : MACHVM_WINDOW_TO_PLAIN;
		}
		*start = window->end;
	}
	return MACHVM_WINDOW_FINE;
}

/* Does the window agree with what is at @addr?  Out: where the next thing is. */
static enum machvm_window_work work_at(struct machvm_map *map, struct machvm_window *window,
				       u64 addr, u64 *end)
{
	struct machvm_entry *entry = machvm_map_next_locked(map, addr);
	bool inside = entry && entry->start <= addr;
	bool execute = inside && entry->protection & MACHVM_PROT_EXECUTE;

	*end = window->end;
	if (entry)
		*end = min(*end, inside ? entry->end : entry->start);
	if (window->execute == execute)
		return MACHVM_WINDOW_FINE;
	return execute ? MACHVM_WINDOW_TO_EXECUTE : MACHVM_WINDOW_TO_PLAIN;
}

/**
 * machvm_window_work_locked - where windows and the protection of entries do not agree
 * @map: the map, locked
 * @start: first byte of the range; out: of its first part that is wrong
 * @end: first byte after the range; out: after that part
 */
enum machvm_window_work machvm_window_work_locked(struct machvm_map *map, u64 *start, u64 *end)
{
	struct machvm_window *window = machvm_window_next_locked(map, *start);
	enum machvm_window_work work;
	u64 next;

	for (; window && window->start < *end; window = machvm_window_after(window)) {
		*start = max(*start, window->start);
		for (; *start < min(*end, window->end); *start = next) {
			work = work_at(map, window, *start, &next);
			if (work == MACHVM_WINDOW_FINE)
				continue;
			*end = min(*end, next);
			return work;
		}
	}
	return MACHVM_WINDOW_FINE;
}

/**
 * machvm_window_no_execute_locked - memory that cannot be executed yet
 * @map: the map, locked
 * @start: first byte of the range; out: of its first part with entries in such windows
 * @end: first byte after the range; out: after that part
 *
 * Return: false if there is none.
 */
bool machvm_window_no_execute_locked(struct machvm_map *map, u64 *start, u64 *end)
{
	struct machvm_window *window = machvm_window_next_locked(map, *start);
	struct machvm_entry *entry;
	u64 first, last;

	for (; window && window->start < *end; window = machvm_window_after(window)) {
		first = max(*start, window->start);
		last = min(*end, window->end);
		entry = machvm_map_next_locked(map, first);
		if (window->execute || !entry || entry->start >= last)
			continue;
		*start = max(first, entry->start);
		for (first = entry->end; first < last; first = entry->end) {
			entry = machvm_entry_next(entry);
			if (!entry || entry->start > first)
				break;
		}
		*end = min(first, last);
		return true;
	}
	return false;
}

/* The first window that touches the range, was made for fixed addresses, and is empty. */
struct machvm_window *machvm_window_empty_locked(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_window *window = machvm_window_next_locked(map, start);
	struct machvm_entry *entry;

	for (; window && window->start < end; window = machvm_window_after(window)) {
		if (window->roomy || window->leaving)
			continue;
		entry = machvm_map_next_locked(map, window->start);
		if (!entry || entry->start >= window->end)
			return window;
	}
	return NULL;
}

/* True if what was done to entries in the range has left something for machvm_pmap_tidy(). */
bool machvm_window_untidy_locked(struct machvm_map *map, u64 start, u64 end)
{
	u64 from = start, to = end;

	return machvm_window_work_locked(map, &from, &to) != MACHVM_WINDOW_FINE ||
	       machvm_window_empty_locked(map, start, end);
}
