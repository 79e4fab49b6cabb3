// SPDX-License-Identifier: GPL-2.0-only
/* wire_test.c - memory that stays: what is wired, and that it is counted right. */
#include "mock.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

/* The same pages, wired or not, without bringing any in. */
static void set_wire(struct machvm_map *map, u64 page, u8 access)
{
	down_write(&map->lock);
	machvm_entry_set_wire(machvm_map_lookup_locked(map, AT(page)), access);
	up_write(&map->lock);
	map_check(map);
}

/* Would pageout have to leave the page alone that @map shows there? */
static bool wired_at(struct machvm_map *map, u64 page)
{
	struct machvm_entry *entry = entry_at(map, page);
	struct machvm_object *object = entry->object;
	u64 index = machvm_entry_offset(entry, AT(page)) >> PAGE_SHIFT;
	bool wired;

	down_read(&object->family->lock);
	while (!machvm_page_lookup(object, index)) {
		index += object->shadow_index;
		object = object->shadow;
		require(object);
	}
	wired = machvm_page_wired_locked(object, index);
	up_read(&object->family->lock);
	return wired;
}

/* Pages 0 to nr - 1, written. */
static struct machvm_map *map_of(u64 nr)
{
	struct machvm_map *map = map_new();
	u64 i;

	check_eq(allocate_at(map, 0, nr), 0);
	for (i = 0; i < nr; i++)
		check_eq(store(map, i, i), 0);
	return map;
}

TEST(wire, V22_page_is_wired_while_a_wired_region_shows_it)
{
	struct machvm_map *map = map_of(4);

	check(!wired_at(map, 0));
	set_wire(map, 0, RW);
	check(wired_at(map, 0) && wired_at(map, 3));
	check_eq(protect_at(map, 1, 2, MACHVM_PROT_READ), 0);
	check(wired_at(map, 0) && wired_at(map, 1) && wired_at(map, 2) && wired_at(map, 3));
	check_eq(map->wired_size, PAGES(4));
	set_wire(map, 1, 0);
	check(wired_at(map, 0) && !wired_at(map, 1) && !wired_at(map, 2) && wired_at(map, 3));
	check_eq(map->wired_size, PAGES(2));
	check_eq(deallocate_at(map, 0, 1), 0);
	check_eq(map->wired_size, PAGES(1));
	map_end(map);
}

TEST(wire, V22_the_wire_of_one_task_holds_the_page_of_both)
{
	struct machvm_map *map = map_of(2), *child;

	check_eq(machvm_vm_inherit(map, AT(0), PAGES(2), MACHVM_INHERIT_SHARE), 0);
	child = map_fork(map);
	require(child);
	set_wire(child, 0, RW);
	check(wired_at(map, 1));
	set_wire(map, 0, RW);
	map_end(child);
	check(wired_at(map, 1));
	set_wire(map, 0, 0);
	check(!wired_at(map, 1));
	map_end(map);
}

TEST(wire, V22_page_of_a_lower_object_is_wired_from_above)
{
	struct machvm_map *map = map_of(2), *child = map_fork(map);

	require(child);
	check_eq(store(child, 1, 9), 0);
	set_wire(child, 0, RW);
	check(wired_at(map, 0));	/* the child reads the very page */
	check(!wired_at(map, 1));	/* but has a page 1 of its own */
	check(wired_at(child, 1));
	map_end(child);
	check(!wired_at(map, 0));
	map_end(map);
}

TEST(wire, S2_13_wired_and_other_memory_do_not_merge)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 2), 0);
	set_wire(map, 0, RW);
	check_eq(allocate_at(map, 2, 2), 0);
	map_is(map, "0+2 rw-/rwx 1; 2+2 rw-/rwx 1");
	set_wire(map, 2, RW);
	check_eq(allocate_at(map, 4, 1), 0);
	map_is(map, "0+2 rw-/rwx 1; 2+2 rw-/rwx 1; 4+1 rw-/rwx 1");
	check_eq(map->wired_size, PAGES(4));
	map_end(map);
}

TEST(wire, V25_out_of_reach_is_remembered_not_kept)
{
	struct machvm_map *map = map_of(2);

	set_wire(map, 0, RW);
	check_eq(protect_at(map, 0, 2, MACHVM_PROT_NONE), 0);
	check(!wired_at(map, 0));
	check_eq(map->wired_size, PAGES(2));
	check_eq(protect_at(map, 0, 2, MACHVM_PROT_READ), 0);
	check(wired_at(map, 0));
	map_end(map);
}
