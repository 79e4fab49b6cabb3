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

TEST(wire, S2_19_once_undoes_any_number)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(wire_at(map, 0, 4, RW), 0);
	check_eq(wire_at(map, 1, 2, MACHVM_PROT_READ), 0);
	check_eq(map->wired_size, PAGES(4));
	check(wired_at(map, 1));
	check_eq(unwire_at(map, 0, 4), 0);
	check_eq(map->wired_size, 0);
	check(!wired_at(map, 1));
	map_end(map);
}

TEST(wire, S2_19_range_with_a_hole_is_left_alone)
{
	struct machvm_map *map = map_of(2);

	check_eq(allocate_at(map, 3, 1), 0);
	check_eq(wire_at(map, 0, 4, RW), MACHVM_KERN_NO_SPACE);
	check_eq(wire_at(map, 3, 2, RW), MACHVM_KERN_NO_SPACE);
	check_eq(unwire_at(map, 0, 4), MACHVM_KERN_NO_SPACE);
	check_eq(protect_at(map, 1, 1, MACHVM_PROT_READ), 0);
	check_eq(wire_at(map, 0, 2, RW), MACHVM_KERN_NO_SPACE);
	check_eq(map->wired_size, 0);
	check_eq(wire_at(map, 0, 2, MACHVM_PROT_READ), 0);
	check_eq(map->wired_size, PAGES(2));
	map_end(map);
}

TEST(wire, S2_20_what_is_wired_counts_once)
{
	struct machvm_map *map = map_of(4);

	mock_may_wire = PAGES(3);
	check_eq(wire_at(map, 0, 4, RW), MACHVM_KERN_NO_ACCESS);
	check_eq(map->wired_size, 0);
	check_eq(wire_at(map, 0, 3, RW), 0);
	check_eq(wire_at(map, 0, 3, RW), 0);
	check_eq(wire_at(map, 2, 2, RW), MACHVM_KERN_NO_ACCESS);
	check_eq(deallocate_at(map, 0, 1), 0);
	check_eq(wire_at(map, 2, 2, RW), 0);
	check_eq(map->wired_size, PAGES(3));
	map_end(map);
}

TEST(wire, V22_failed_wiring_leaves_the_range_as_it_was)
{
	struct machvm_map *map = map_of(4);
	struct machvm_wiring wiring = wiring_of(map, 0, 4, RW);

	check_eq(wire_at(map, 1, 1, MACHVM_PROT_READ), 0);
	check_eq(machvm_wire_begin(&wiring), 0);
	check_eq(map->wired_size, PAGES(4));
	/* What goes meanwhile, and comes back, is not the call's any more. */
	check_eq(unwire_at(map, 3, 1), 0);
	machvm_wire_end(&wiring, false);
	map_check(map);
	check_eq(map->wired_size, PAGES(1));
	check_eq(entry_at(map, 1)->wire, MACHVM_PROT_READ);
	map_end(map);
}

TEST(wire, S2_21_future_holds_for_what_merges)
{
	struct machvm_map *map = map_new();
	u64 addr;
	u8 old;

	check_eq(machvm_wire_future(map, MACHVM_PROT_READ, false, &old), 0);
	check_eq(allocate_at(map, 0, 2), 0);
	check_eq(allocate_at(map, 2, 2), 0);
	map_is(map, "0+4 rw-/rwx 1");
	check_eq(map->wired_size, PAGES(4));
	check_eq(machvm_vm_read(map, AT(0), PAGES(2), map, &addr), 0);
	check_eq(map->wired_size, PAGES(6));
	mock_may_wire = PAGES(6);
	check_eq(machvm_vm_read(map, AT(0), PAGES(2), map, &addr), 0);
	check_eq(machvm_unwire_all(map), 0);
	check_eq(allocate_at(map, 20, 1), 0);
	check_eq(map->wired_size, 0);
	map_end(map);
}

static void end_in_vain(void *arg)
{
	machvm_wire_end(arg, false);
}

TEST(wire, V22_second_caller_waits_for_the_first)
{
	struct machvm_map *map = map_of(2);
	struct machvm_wiring wiring = wiring_of(map, 0, 2, RW);

	check_eq(machvm_wire_begin(&wiring), 0);
	fake_signal(true);
	check_eq(wire_at(map, 0, 2, RW), -EINTR);
	fake_signal(false);
	fake_world = end_in_vain;
	fake_world_arg = &wiring;
	check_eq(wire_at(map, 0, 2, RW), 0);
	check_eq(fake_sleeps, 1);
	check_eq(map->wired_size, PAGES(2));
	map_end(map);
}

TEST(wire, V22_all_or_nothing_without_memory)
{
	for_each_failure(n) {
		struct machvm_map *map = map_of(4);
		bool hit;
		int kr;

		check_eq(protect_at(map, 2, 1, MACHVM_PROT_READ), 0);
		fail_nth(n);
		kr = wire_at(map, 1, 3, MACHVM_PROT_READ);
		hit = fail_end();
		check(!kr || hit);
		check_eq(map->wired_size, kr ? 0 : PAGES(3));
		map_end(map);
	}
}

/* Copies of memory that stays */

static struct folio *folio_at(struct machvm_map *map, u64 page)
{
	check(load(map, page) >= 0);
	return pte_at(map, page)->folio;
}

TEST(wire, S2_27_fork_copies_and_the_pages_stay)
{
	struct machvm_map *map = map_of(3), *child, *grandchild;
	struct folio *was[3];
	int i;

	check_eq(wire_at(map, 0, 2, RW), 0);
	for (i = 0; i < 3; i++)
		was[i] = folio_at(map, i);
	child = map_fork(map);
	require(child);
	check_eq(child->wired_size, 0);
	check_eq(map->wired_size, PAGES(2));
	mock_stats[MACHVM_STAT_COW_FAULTS] = 0;
	for (i = 0; i < 2; i++) {
		check_eq(store(map, i, 100 + i), 0);
		check(folio_at(map, i) == was[i]);
	}
	check_eq(mock_stats[MACHVM_STAT_COW_FAULTS], 0);
	check_eq(store(map, 2, 102), 0);
	check_eq(mock_stats[MACHVM_STAT_COW_FAULTS], 1);
	grandchild = map_fork(map);
	require(grandchild);
	for (i = 0; i < 3; i++) {
		check_eq(load(child, i), i);
		check_eq(load(grandchild, i), 100 + i);
		check_eq(store(child, i, 50 + i), 0);
		check_eq(load(map, i), 100 + i);
	}
	for (i = 0; i < 2; i++)
		check(wired_at(map, i) && folio_at(map, i) == was[i]);
	objects_check();
	map_end(child);
	check_eq(load(grandchild, 0), 100);
	map_end(map);
	check_eq(load(grandchild, 0), 100);
	map_end(grandchild);
}

TEST(wire, S2_27_copies_of_a_range_as_well)
{
	struct machvm_map *map = map_of(4);
	struct folio *was;
	u64 addr;
	u8 value;

	check_eq(cpu_store(map, AT(0), 55), 0);
	check_eq(wire_at(map, 0, 1, RW), 0);
	was = folio_at(map, 0);
	check_eq(machvm_vm_read(map, AT(0), PAGES(1), map, &addr), 0);
	check_eq(allocate_at(map, 10, 1), 0);
	check_eq(machvm_vm_copy(map, AT(0), PAGES(1), AT(10)), 0);
	check_eq(cpu_store(map, AT(0), 77), 0);
	check(folio_at(map, 0) == was);
	check_eq(cpu_load(map, AT(10), &value), 0);
	check_eq(value, 55);
	check_eq(cpu_load(map, addr, &value), 0);
	check_eq(value, 55);
	map_end(map);
}

/* The answer that makes the caller write by bytes, into the very pages. */
TEST(wire, S2_16_wired_memory_is_not_exchanged)
{
	struct machvm_map *map = map_of(4);
	struct machvm_region region;
	u64 alias;

	check_eq(wire_at(map, 0, 1, RW), 0);
	check_eq(machvm_vm_copy(map, AT(2), PAGES(2), AT(0)), MACHVM_VM_SHARED);
	check_eq(load(map, 0), 0);
	check_eq(machvm_vm_alias(map, AT(0), PAGES(1), map, &alias), 0);
	check_eq(cpu_store(map, alias, 9), 0);
	check_eq(load(map, 0), 9);
	check_eq(machvm_vm_region(map, AT(0), &region), 0);
	check(!(region.flags & MACHVM_REGION_SHARED));
	map_end(map);
}

TEST(wire, C2_page_in_use_by_a_device_is_copied_now)
{
	struct machvm_map *map = map_of(3), *child;
	struct folio *was = folio_at(map, 1), *other = folio_at(map, 0);

	folio_get(was);
	child = map_fork(map);
	require(child);
	check_eq(store(map, 1, 101), 0);
	check(folio_at(map, 1) == was);
	/* As a device writes. */
	memset(folio_address(was), 7, PAGE_SIZE);
	check_eq(load(map, 1), 7);
	check_eq(load(child, 1), 1);
	check_eq(store(child, 1, 201), 0);
	check_eq(load(map, 1), 7);
	/* The others are copied when they are written. */
	check(folio_at(child, 0) == other);
	folio_put(was);
	map_end(map);
	check_eq(load(child, 0), 0);
	check_eq(load(child, 2), 2);
	map_end(child);
}

TEST(wire, C2_page_of_a_sharer_in_use_is_copied_now)
{
	struct machvm_map *map = map_of(2), *sharer, *child;
	struct folio *was;

	check_eq(machvm_vm_inherit(map, AT(0), PAGES(2), MACHVM_INHERIT_SHARE), 0);
	sharer = map_fork(map);
	require(sharer);
	check_eq(machvm_vm_inherit(map, AT(0), PAGES(2), MACHVM_INHERIT_COPY), 0);
	was = folio_at(map, 0);
	folio_get(was);
	child = map_fork(map);
	require(child);
	memset(folio_address(was), 7, PAGE_SIZE);
	check_eq(load(sharer, 0), 7);
	check_eq(load(child, 0), 0);
	folio_put(was);
	map_end(child);
	map_end(sharer);
	map_end(map);
}

TEST(wire, C4_out_of_reach_is_inherited_so)
{
	struct machvm_map *map = map_of(2), *child;

	check_eq(wire_at(map, 0, 2, RW), 0);
	check_eq(protect_at(map, 0, 2, MACHVM_PROT_NONE), 0);
	child = map_fork(map);
	require(child);
	map_is(child, "0+2 ---/rwx 1");
	check_eq(load(child, 1), FAILED(MACHVM_KERN_PROTECTION_FAILURE));
	check_eq(protect_at(child, 0, 2, RW), 0);
	check_eq(load(child, 1), 1);
	check_eq(child->wired_size, 0);
	map_end(child);
	map_end(map);
}

TEST(wire, S2_27_fork_without_memory_leaves_the_parent)
{
	for_each_failure(n) {
		struct machvm_map *map = map_of(4), *child;
		u64 i;

		check_eq(wire_at(map, 1, 2, RW), 0);
		fail_nth(n);
		child = map_fork(map);
		check(fail_end() || child);
		for (i = 0; i < 4; i++)
			check_eq(store(map, i, 10 + i), 0);
		for (i = 0; child && i < 4; i++)
			check_eq(load(child, i), i);
		check_eq(map->wired_size, PAGES(2));
		if (child)
			map_end(child);
		map_end(map);
	}
}

/* The limit on all memory */

TEST(limit, S2_22_sum_is_exact)
{
	struct machvm_map *map = map_new(), *child;
	u64 limit, maximum, addr;

	check_eq(machvm_vm_set_size_limit(map, PAGES(8), PAGES(9), false), 0);
	check_eq(allocate_at(map, 0, 8), 0);
	check_eq(allocate_at(map, 20, 1), MACHVM_KERN_NO_SPACE);
	check_eq(set_maximum_at(map, 2, 3, MACHVM_PROT_NONE), 0);
	check_eq(map->size, PAGES(5));
	child = map_fork(map);
	require(child);
	check_eq(child->size, PAGES(5));
	check_eq(machvm_vm_get_size_limit(child, &limit, &maximum), 0);
	check_eq(limit, PAGES(8));
	check_eq(maximum, PAGES(9));
	map_end(child);
	check_eq(deallocate_at(map, 1, 2), 0);
	check_eq(map->size, PAGES(4));
	check_eq(machvm_vm_read(map, AT(5), PAGES(3), map, &addr), 0);
	check_eq(map->size, PAGES(7));
	check_eq(allocate_at(map, 30, 2), MACHVM_KERN_NO_SPACE);
	check_eq(allocate_at(map, 30, 1), 0);
	check_eq(machvm_vm_set_size_limit(map, 0, 0, false), 0);
	check_eq(machvm_vm_set_size_limit(map, 0, 1, false), MACHVM_KERN_NO_ACCESS);
	check_eq(machvm_vm_set_size_limit(map, 1, 0, true), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(allocate_at(map, 40, 1), MACHVM_KERN_NO_SPACE);
	check_eq(machvm_vm_set_size_limit(map, U64_MAX, U64_MAX, true), 0);
	check_eq(allocate_at(map, 40, 1), 0);
	map_end(map);
}
