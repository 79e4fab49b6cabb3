// SPDX-License-Identifier: GPL-2.0-only
/* map_test.c - the regions of one map: placing, taking away, protecting, and what merges. */
#include "mock.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)
#define R MACHVM_PROT_READ
#define ALL MACHVM_PROT_ALL

TEST(map, a_new_map_is_empty)
{
	struct machvm_map *map = map_new();
	struct machvm_region region;

	map_is(map, "");
	check_eq(machvm_vm_region(map, 0, &region), MACHVM_KERN_NO_SPACE);
	map_end(map);
}

TEST(map, S2_7_allocating_nothing_succeeds_with_address_0)
{
	struct machvm_map *map = map_new();
	u64 addr = AT(3);

	check_eq(machvm_vm_allocate(map, &addr, 0, false), MACHVM_KERN_SUCCESS);
	check_eq(addr, 0);
	addr = AT(3);
	check_eq(machvm_vm_allocate(map, &addr, 0, true), MACHVM_KERN_SUCCESS);
	check_eq(addr, 0);
	map_is(map, "");
	map_end(map);
}

TEST(map, V1_fresh_memory_is_rw_all_copy)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 2, 3), MACHVM_KERN_SUCCESS);
	map_is(map, "2+3 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_8_allocate_rounds_address_and_size_by_themselves)
{
	struct machvm_map *map = map_new();
	u64 addr = AT(1) + 0x123;

	check_eq(machvm_vm_allocate(map, &addr, PAGE_SIZE, false), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(1));
	map_is(map, "1+1 rw-/rwx 1");
	addr = AT(5) + 0x123;
	check_eq(machvm_vm_allocate(map, &addr, PAGE_SIZE + 1, false), MACHVM_KERN_SUCCESS);
	map_is(map, "1+1 rw-/rwx 1; 5+2 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_9_fixed_allocation_never_replaces)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 4, 4), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 4, 4), MACHVM_KERN_NO_SPACE);
	check_eq(allocate_at(map, 3, 2), MACHVM_KERN_NO_SPACE);
	check_eq(allocate_at(map, 7, 2), MACHVM_KERN_NO_SPACE);
	check_eq(allocate_at(map, 5, 1), MACHVM_KERN_NO_SPACE);
	check_eq(allocate_at(map, 0, 20), MACHVM_KERN_NO_SPACE);
	map_is(map, "4+4 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_6_allocations_that_wrap_or_leave_user_space)
{
	struct machvm_map *map = map_new();
	u64 addr = U64_MAX - PAGE_SIZE + 1;

	check_eq(machvm_vm_allocate(map, &addr, PAGES(1), false), MACHVM_KERN_INVALID_ADDRESS);
	addr = AT(1);
	check_eq(machvm_vm_allocate(map, &addr, -PAGES(1), false), MACHVM_KERN_INVALID_ADDRESS);
	addr = AT(1);
	check_eq(machvm_vm_allocate(map, &addr, U64_MAX, false), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_allocate(map, &addr, U64_MAX, true), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_allocate(map, &addr, U64_MAX - PAGES(1), true), MACHVM_KERN_NO_SPACE);
	check_eq(machvm_vm_allocate(map, &addr, 1ULL << 47, true), MACHVM_KERN_NO_SPACE);
	addr = MACHVM_ADDRESS_END;
	check_eq(machvm_vm_allocate(map, &addr, PAGES(1), false), MACHVM_KERN_INVALID_ADDRESS);
	addr = MACHVM_ADDRESS_END - PAGES(1);
	check_eq(machvm_vm_allocate(map, &addr, PAGES(2), false), MACHVM_KERN_INVALID_ADDRESS);
	addr = 0;
	check_eq(machvm_vm_allocate(map, &addr, PAGES(1), false), MACHVM_KERN_NO_SPACE);
	check_eq(allocate_at(map, ARENA_PAGES - 1, 2), MACHVM_KERN_NO_SPACE);
	check_eq(allocate_at(map, ARENA_PAGES - 1, 1), MACHVM_KERN_SUCCESS);
	map_is(map, "4095+1 rw-/rwx 1");
	map_end(map);
}

TEST(map, V2_anywhere_takes_the_lowest_room)
{
	struct machvm_map *map = map_new();
	u64 addr;

	check_eq(allocate_at(map, 2, 1), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 8, 1), MACHVM_KERN_SUCCESS);
	addr = AT(100);
	check_eq(machvm_vm_allocate(map, &addr, PAGES(3), true), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(3));
	check_eq(machvm_vm_allocate(map, &addr, PAGES(2), true), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(0));
	check_eq(machvm_vm_allocate(map, &addr, PAGES(3), true), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(9));
	map_is(map, "0+6 rw-/rwx 1; 8+4 rw-/rwx 1");
	map_end(map);
}

TEST(map, the_whole_arena_and_not_one_page_more)
{
	struct machvm_map *map = map_new();
	u64 addr;

	check_eq(machvm_vm_allocate(map, &addr, PAGES(ARENA_PAGES) + 1, true),
		 MACHVM_KERN_NO_SPACE);
	check_eq(machvm_vm_allocate(map, &addr, PAGES(ARENA_PAGES), true), MACHVM_KERN_SUCCESS);
	check_eq(addr, ARENA);
	check_eq(machvm_vm_allocate(map, &addr, 1, true), MACHVM_KERN_NO_SPACE);
	check_eq(deallocate_at(map, 77, 1), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_allocate(map, &addr, 1, true), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(77));
	map_end(map);
}

TEST(map, S2_5_deallocating_holes_twice_and_nothing_succeeds)
{
	struct machvm_map *map = map_new();

	check_eq(deallocate_at(map, 0, 100), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 2, 2), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 6, 2), MACHVM_KERN_SUCCESS);
	check_eq(deallocate_at(map, 2, 0), MACHVM_KERN_SUCCESS);
	map_is(map, "2+2 rw-/rwx 1; 6+2 rw-/rwx 1");
	check_eq(deallocate_at(map, 3, 4), MACHVM_KERN_SUCCESS);
	map_is(map, "2+1 rw-/rwx 1; 7+1 rw-/rwx 1");
	check_eq(deallocate_at(map, 3, 4), MACHVM_KERN_SUCCESS);
	map_is(map, "2+1 rw-/rwx 1; 7+1 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_6_deallocations_that_wrap_do_nothing)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 2, 2), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_deallocate(map, AT(2), -AT(2)), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_deallocate(map, AT(2), -AT(2) + 1), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_deallocate(map, AT(2), U64_MAX), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_deallocate(map, U64_MAX, U64_MAX), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_deallocate(map, U64_MAX, 1), MACHVM_KERN_SUCCESS);
	map_is(map, "2+2 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_8_deallocate_and_protect_take_every_page_they_touch)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 8), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_deallocate(map, AT(1) + 1, 1), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-/rwx 1; 2+6 rw-/rwx 1");
	check_eq(machvm_vm_deallocate(map, AT(4) - 1, 2), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-/rwx 1; 2+1 rw-/rwx 1; 5+3 rw-/rwx 1");
	check_eq(machvm_vm_protect(map, AT(6) - 1, 2, false, R), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-/rwx 1; 2+1 rw-/rwx 1; 5+2 r--/rwx 1; 7+1 rw-/rwx 1");
	map_end(map);
}

TEST(map, V3_a_hole_in_the_middle_leaves_both_ends)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 10), MACHVM_KERN_SUCCESS);
	check_eq(deallocate_at(map, 4, 2), MACHVM_KERN_SUCCESS);
	map_is(map, "0+4 rw-/rwx 1; 6+4 rw-/rwx 1");
	check_eq(allocate_at(map, 4, 2), MACHVM_KERN_SUCCESS);
	map_is(map, "0+10 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_1_a_lower_maximum_lowers_the_current_protection)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 4), MACHVM_KERN_SUCCESS);
	check_eq(set_maximum_at(map, 1, 1, R), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-/rwx 1; 1+1 r--/r-- 1; 2+2 rw-/rwx 1");
	check_eq(protect_at(map, 1, 1, RW), MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(protect_at(map, 1, 1, MACHVM_PROT_NONE), MACHVM_KERN_SUCCESS);
	check_eq(protect_at(map, 1, 1, R), MACHVM_KERN_SUCCESS);
	check_eq(set_maximum_at(map, 2, 1, MACHVM_PROT_WRITE), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-/rwx 1; 1+1 r--/r-- 1; 2+1 -w-/-w- 1; 3+1 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_2_the_maximum_never_rises)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 2), MACHVM_KERN_SUCCESS);
	check_eq(set_maximum_at(map, 0, 2, MACHVM_PROT_NONE), MACHVM_KERN_SUCCESS);
	map_is(map, "0+2 ---/--- 1");
	check_eq(set_maximum_at(map, 0, 2, ALL), MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(set_maximum_at(map, 0, 2, R), MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(protect_at(map, 0, 1, R), MACHVM_KERN_PROTECTION_FAILURE);
	map_is(map, "0+2 ---/--- 1");
	map_end(map);
}

TEST(map, S2_3_protect_is_all_or_nothing_over_regions)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 6), MACHVM_KERN_SUCCESS);
	check_eq(protect_at(map, 0, 6, R), MACHVM_KERN_SUCCESS);
	check_eq(set_maximum_at(map, 4, 1, R), MACHVM_KERN_SUCCESS);
	check_eq(protect_at(map, 1, 4, RW), MACHVM_KERN_PROTECTION_FAILURE);
	map_is(map, "0+4 r--/rwx 1; 4+1 r--/r-- 1; 5+1 r--/rwx 1");
	check_eq(protect_at(map, 4, 2, RW), MACHVM_KERN_PROTECTION_FAILURE);
	map_is(map, "0+4 r--/rwx 1; 4+1 r--/r-- 1; 5+1 r--/rwx 1");
	check_eq(protect_at(map, 1, 3, RW), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 r--/rwx 1; 1+3 rw-/rwx 1; 4+1 r--/r-- 1; 5+1 r--/rwx 1");
	map_end(map);
}

TEST(map, S2_4_protect_passes_over_holes)
{
	struct machvm_map *map = map_new();

	check_eq(protect_at(map, 0, 100, R), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 2, 2), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 6, 2), MACHVM_KERN_SUCCESS);
	check_eq(protect_at(map, 0, 3, R), MACHVM_KERN_SUCCESS);
	map_is(map, "2+1 r--/rwx 1; 3+1 rw-/rwx 1; 6+2 rw-/rwx 1");
	check_eq(protect_at(map, 3, 4, R), MACHVM_KERN_SUCCESS);
	map_is(map, "2+2 r--/rwx 1; 6+1 r--/rwx 1; 7+1 rw-/rwx 1");
	check_eq(protect_at(map, 7, 10, R), MACHVM_KERN_SUCCESS);
	map_is(map, "2+2 r--/rwx 1; 6+2 r--/rwx 1");
	check_eq(machvm_vm_protect(map, AT(2), U64_MAX, false, RW), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_protect(map, AT(2), -AT(2), false, RW), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_protect(map, AT(2), 0, false, RW), MACHVM_KERN_SUCCESS);
	map_is(map, "2+2 r--/rwx 1; 6+2 r--/rwx 1");
	map_end(map);
}

TEST(map, V5_protect_refuses_bits_it_does_not_know)
{
	struct machvm_map *map = map_new();
	static const u32 bad[] = { 8, 0x20, ~0u, 0x80000001 };
	unsigned int i;

	check_eq(allocate_at(map, 0, 1), MACHVM_KERN_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		check_eq(protect_at(map, 0, 1, bad[i]), MACHVM_KERN_INVALID_ARGUMENT);
		check_eq(protect_at(map, 5, 1, bad[i]), MACHVM_KERN_INVALID_ARGUMENT);
		check_eq(set_maximum_at(map, 0, 1, bad[i]), MACHVM_KERN_INVALID_ARGUMENT);
	}
	map_is(map, "0+1 rw-/rwx 1");
	map_end(map);
}

TEST(map, V6_notify_is_of_the_current_protection)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 2), MACHVM_KERN_SUCCESS);
	check_eq(protect_at(map, 0, 1, RW | MACHVM_PROT_NOTIFY), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-n/rwx 1; 1+1 rw-/rwx 1");
	check_eq(set_maximum_at(map, 0, 1, RW | MACHVM_PROT_NOTIFY), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-n/rw- 1; 1+1 rw-/rwx 1");
	check_eq(set_maximum_at(map, 0, 1, R), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 r--/r-- 1; 1+1 rw-/rwx 1");
	map_end(map);
}

TEST(map, S2_12_region_finds_the_next_one)
{
	struct machvm_map *map = map_new();
	struct machvm_region region;

	check_eq(allocate_at(map, 4, 2), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_region(map, 0, &region), MACHVM_KERN_SUCCESS);
	check_eq(region.start, AT(4));
	check_eq(machvm_vm_region(map, AT(5) + 7, &region), MACHVM_KERN_SUCCESS);
	check_eq(region.start, AT(4));
	check_eq(region.end, AT(6));
	check_eq(region.object, 0);
	check_eq(region.flags, 0);
	check_eq(machvm_vm_region(map, AT(6), &region), MACHVM_KERN_NO_SPACE);
	check_eq(machvm_vm_region(map, U64_MAX, &region), MACHVM_KERN_NO_SPACE);
	map_end(map);
}

TEST(map, V42_S2_13_equal_neighbours_are_one_region)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 4, 1), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 5, 1), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 3, 1), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 7, 1), MACHVM_KERN_SUCCESS);
	check_eq(allocate_at(map, 6, 1), MACHVM_KERN_SUCCESS);
	map_is(map, "3+5 rw-/rwx 1");
	check_eq(protect_at(map, 5, 1, R), MACHVM_KERN_SUCCESS);
	map_is(map, "3+2 rw-/rwx 1; 5+1 r--/rwx 1; 6+2 rw-/rwx 1");
	check_eq(protect_at(map, 5, 1, RW), MACHVM_KERN_SUCCESS);
	map_is(map, "3+5 rw-/rwx 1");
	map_end(map);
}

static void touch(struct machvm_map *map, u64 page)
{
	check_eq(machvm_entry_prepare(map, AT(page), true), 0);
}

TEST(map, V42_touched_regions_split_and_merge_again)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 6), MACHVM_KERN_SUCCESS);
	touch(map, 3);
	check(entry_at(map, 3)->object);
	check_eq(protect_at(map, 2, 2, R), MACHVM_KERN_SUCCESS);
	check(entry_at(map, 0)->object == entry_at(map, 5)->object);
	check_eq(refcount_read(&entry_at(map, 0)->object->refs), 3);
	check_eq(machvm_entry_offset(entry_at(map, 5), AT(5)), PAGES(5));
	check_eq(protect_at(map, 2, 2, RW), MACHVM_KERN_SUCCESS);
	map_is(map, "0+6 rw-/rwx 1");
	check_eq(refcount_read(&entry_at(map, 0)->object->refs), 1);
	map_end(map);
}

TEST(map, V42_a_touched_region_grows_upwards)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 4, 1), MACHVM_KERN_SUCCESS);
	touch(map, 4);
	fill(entry_at(map, 4)->object, 0, 1);
	check_eq(allocate_at(map, 5, 1), MACHVM_KERN_SUCCESS);
	map_is(map, "4+2 rw-/rwx 1");
	check_eq(allocate_at(map, 3, 1), MACHVM_KERN_SUCCESS);
	map_is(map, "3+1 rw-/rwx 1; 4+2 rw-/rwx 1");
	map_end(map);
}

TEST(map, V3_memory_that_comes_back_is_zero_again)
{
	struct machvm_map *map = map_new();
	struct machvm_object *object;
	unsigned int i;

	check_eq(allocate_at(map, 0, 4), MACHVM_KERN_SUCCESS);
	touch(map, 0);
	object = entry_at(map, 0)->object;
	for (i = 0; i < 4; i++)
		fill(object, i, 7);
	check_eq(deallocate_at(map, 2, 2), MACHVM_KERN_SUCCESS);
	check_eq(atomic_long_read(&object->resident), 2);
	check(mock_zapped(map, AT(2), AT(4)));
	check_eq(allocate_at(map, 2, 2), MACHVM_KERN_SUCCESS);
	map_is(map, "0+4 rw-/rwx 1");
	check(entry_at(map, 3)->object == object);
	check_eq(atomic_long_read(&object->resident), 2);
	map_end(map);
}

TEST(map, V4_a_partial_deallocation_frees_its_pages)
{
	struct machvm_map *map = map_new();
	unsigned int i;

	check_eq(allocate_at(map, 0, 100), MACHVM_KERN_SUCCESS);
	touch(map, 0);
	for (i = 0; i < 100; i++)
		fill(entry_at(map, 0)->object, i, 1);
	check_eq(mock_user.pages, 100);
	check_eq(deallocate_at(map, 20, 30), MACHVM_KERN_SUCCESS);
	check_eq(mock_user.pages, 70);
	check_eq(deallocate_at(map, 0, 100), MACHVM_KERN_SUCCESS);
	check_eq(mock_user.pages, 0);
	map_end(map);
}

TEST(map, V4_many_regions_of_an_object_free_each_its_pages)
{
	struct machvm_map *map = map_new();
	struct machvm_object *object;
	unsigned int i;

	check_eq(allocate_at(map, 0, 256), MACHVM_KERN_SUCCESS);
	touch(map, 0);
	object = entry_at(map, 0)->object;
	for (i = 0; i < 256; i++)
		fill(object, i, 1);
	for (i = 1; i < 256; i += 2)
		check_eq(deallocate_at(map, i, 1), MACHVM_KERN_SUCCESS);
	check_eq(atomic_long_read(&object->resident), 128);
	objects_check();
	for (i = 0; i < 128; i++) {
		check_eq(deallocate_at(map, i * 74 % 256, 1), MACHVM_KERN_SUCCESS);
		check_eq(mock_user.pages, 127 - i);
	}
	map_end(map);
}

TEST(map, V8_V22_no_call_makes_a_region_too_many)
{
	struct machvm_map *map = map_new();
	unsigned long nr;

	check_eq(allocate_at(map, 0, 4), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_protect(map, AT(0), PAGES(1), false, R), MACHVM_KERN_SUCCESS);
	nr = map->nr_entries;
	map->nr_entries = MACHVM_REGIONS_MAX;
	check_eq(protect_at(map, 2, 1, R), MACHVM_KERN_RESOURCE_SHORTAGE);
	check_eq(machvm_vm_inherit(map, AT(2), PAGES(1), MACHVM_INHERIT_NONE),
		 MACHVM_KERN_RESOURCE_SHORTAGE);
	check_eq(wire_at(map, 2, 1, R), MACHVM_KERN_RESOURCE_SHORTAGE);
	check_eq(machvm_unwire(map, AT(2), AT(3)), MACHVM_KERN_RESOURCE_SHORTAGE);
	check_eq(map->wired_size, 0);
	map->nr_entries = nr;
	map_is(map, "0+1 r--/rwx 1; 1+3 rw-/rwx 1");
	map_end(map);
}

TEST(map, what_is_taken_away_is_zapped)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 8), MACHVM_KERN_SUCCESS);
	touch(map, 0);
	mock_zaps_forget();
	check_eq(protect_at(map, 2, 2, R), MACHVM_KERN_SUCCESS);
	check(mock_zapped(map, AT(2), AT(4)));
	mock_zaps_forget();
	check_eq(protect_at(map, 2, 2, RW), MACHVM_KERN_SUCCESS);
	check_eq(mock_nr_zaps, 0);
	check_eq(protect_at(map, 2, 2, RW | MACHVM_PROT_NOTIFY), MACHVM_KERN_SUCCESS);
	check_eq(mock_nr_zaps, 0);
	check_eq(set_maximum_at(map, 0, 8, R), MACHVM_KERN_SUCCESS);
	check(mock_zapped(map, AT(0), AT(8)));
	mock_zaps_forget();
	check_eq(deallocate_at(map, 1, 5), MACHVM_KERN_SUCCESS);
	check(mock_zapped(map, AT(1), AT(6)));
	map_end(map);
}

/* vm_map of fresh memory */

static int vm_map(struct machvm_map *map, u64 page, u64 nr, bool anywhere, u64 mask, u64 *addr)
{
	struct machvm_vm_map arg = {
		.size = sizeof(arg), .address = AT(page), .length = PAGES(nr), .mask = mask,
		.anywhere = anywhere, .object = -1, .protection = RW, .max_protection = ALL,
		.inheritance = MACHVM_INHERIT_COPY,
	};

	return machvm_vm_map(map, &arg, NULL, addr);
}

TEST(map, S2_10_low_ones_of_a_mask_align)
{
	struct machvm_map *map = map_new();
	u64 addr;

	check_eq(allocate_at(map, 0, 1), MACHVM_KERN_SUCCESS);
	check_eq(vm_map(map, 0, 1, true, 0xffff, &addr), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(16));
	check_eq(vm_map(map, 0, 1, true, 0x1fffff, &addr), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(512));
	check_eq(vm_map(map, 0, 1, true, 0xfff, &addr), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(1));
	check_eq(vm_map(map, 0, 1, true, 1, &addr), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(2));
	check_eq(vm_map(map, 4, 1, false, 0x3fff, &addr), MACHVM_KERN_SUCCESS);
	check_eq(vm_map(map, 5, 1, false, 0x3fff, &addr), MACHVM_KERN_NO_SPACE);
	map_end(map);
}

TEST(map, S2_10_high_ones_of_a_mask_are_a_ceiling)
{
	struct machvm_map *map = map_new();
	u64 addr;

	check_eq(vm_map(map, 0, 1, true, ~(ARENA - 1), &addr), MACHVM_KERN_NO_SPACE);
	check_eq(vm_map(map, 0, 1, true, ~(2 * ARENA - 1), &addr), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(0));
	check_eq(allocate_at(map, 1, ARENA_PAGES - 2), MACHVM_KERN_SUCCESS);
	check_eq(vm_map(map, 0, 1, true, ~(2 * ARENA - 1) | 0x1fff, &addr), MACHVM_KERN_NO_SPACE);
	check_eq(deallocate_at(map, 4, 4), MACHVM_KERN_SUCCESS);
	check_eq(vm_map(map, 0, 2, true, ~(2 * ARENA - 1) | 0x1fff, &addr), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(4));
	check_eq(vm_map(map, 0, 1, true, 0xff0000000000ULL << 16, &addr), MACHVM_KERN_SUCCESS);
	map_end(map);
}

TEST(map, S2_10_masks_of_other_shapes_are_refused_without_effect)
{
	struct machvm_map *map = map_new();
	static const u64 bad[] = {
		~0ULL, 0x1000, 0xfff000, 0x7000000000000000, 0x8000000000000000 | 0x10000,
		0xf0f000, 0xffff00000000fff0,
	};
	unsigned int i;
	u64 addr;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		test_at("mask %#llx", bad[i]);
		check_eq(vm_map(map, 0, 1, true, bad[i], &addr), MACHVM_KERN_NO_SPACE);
		check_eq(vm_map(map, 0, 1, false, bad[i], &addr), MACHVM_KERN_NO_SPACE);
	}
	map_is(map, "");
	map_end(map);
}

TEST(map, V16_masks_of_64_bits)
{
	u64 align, ceiling;

	check(machvm_mask_parse(0, &align, &ceiling));
	check(align == PAGE_SIZE && ceiling == U64_MAX);
	check(machvm_mask_parse((1ULL << 40) - 1, &align, &ceiling));
	check(align == 1ULL << 40 && ceiling == U64_MAX);
	check(machvm_mask_parse(~((1ULL << 36) - 1), &align, &ceiling));
	check(align == PAGE_SIZE && ceiling == (1ULL << 36) - 1);
	check(machvm_mask_parse(~((1ULL << 36) - 1) | 0x1fffff, &align, &ceiling));
	check(align == 0x200000 && ceiling == (1ULL << 36) - 1);
	check(machvm_mask_parse(U64_MAX >> 1, &align, &ceiling));
	check(align == 1ULL << 63 && ceiling == U64_MAX);
	check(!machvm_mask_parse(U64_MAX, &align, &ceiling));
}

TEST(map, V14_vm_map_of_nothing_and_of_bad_arguments)
{
	struct machvm_map *map = map_new();
	struct machvm_vm_map good = {
		.size = sizeof(good), .address = AT(1), .length = PAGES(1), .object = -1,
		.protection = R, .max_protection = RW, .inheritance = MACHVM_INHERIT_NONE,
	}, arg;
	u64 addr;

#define REFUSED(field, value, kr)						\
	do {									\
		arg = good;							\
		arg.field = (value);						\
		check_eq(machvm_vm_map(map, &arg, NULL, &addr), kr);		\
	} while (0)
	REFUSED(length, 0, MACHVM_KERN_INVALID_ARGUMENT);
	REFUSED(length, U64_MAX, MACHVM_KERN_INVALID_ARGUMENT);
	REFUSED(protection, 8, MACHVM_KERN_INVALID_ARGUMENT);
	REFUSED(max_protection, 0x10, MACHVM_KERN_INVALID_ARGUMENT);
	REFUSED(inheritance, 3, MACHVM_KERN_INVALID_ARGUMENT);
	REFUSED(address, MACHVM_ADDRESS_END, MACHVM_KERN_INVALID_ADDRESS);
	REFUSED(address, -PAGES(1), MACHVM_KERN_INVALID_ADDRESS);
#undef REFUSED
	map_is(map, "");
	arg = good;
	arg.offset = 0x123;
	arg.copy = 1;
	arg.address += 5;
	check_eq(machvm_vm_map(map, &arg, NULL, &addr), MACHVM_KERN_SUCCESS);
	check_eq(addr, AT(1));
	map_is(map, "1+1 r--/rw- 2");
	map_end(map);
}

TEST(map, S2_23_current_beyond_maximum_is_cut_down)
{
	struct machvm_map *map = map_new();
	struct machvm_vm_map arg = {
		.size = sizeof(arg), .address = AT(1), .length = PAGES(1), .object = -1,
		.protection = RW, .max_protection = R, .inheritance = MACHVM_INHERIT_COPY,
	};
	u64 addr;

	check_eq(machvm_vm_map(map, &arg, NULL, &addr), MACHVM_KERN_SUCCESS);
	map_is(map, "1+1 r--/r-- 1");
	check_eq(protect_at(map, 1, 1, RW), MACHVM_KERN_PROTECTION_FAILURE);
	map_end(map);
}

TEST(map, S2_13_unequal_neighbours_stay_apart)
{
	struct machvm_map *map = map_new();
	struct machvm_vm_map arg = {
		.size = sizeof(arg), .address = AT(1), .length = PAGES(1), .object = -1,
		.protection = RW, .max_protection = ALL, .inheritance = MACHVM_INHERIT_NONE,
	};
	u64 addr;

	check_eq(allocate_at(map, 0, 1), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_map(map, &arg, NULL, &addr), MACHVM_KERN_SUCCESS);
	arg.inheritance = MACHVM_INHERIT_COPY;
	arg.max_protection = RW;
	arg.address = AT(2);
	check_eq(machvm_vm_map(map, &arg, NULL, &addr), MACHVM_KERN_SUCCESS);
	map_is(map, "0+1 rw-/rwx 1; 1+1 rw-/rwx 2; 2+1 rw-/rw- 1");
	map_end(map);
}

/* Signals, death, memory */

TEST(map, a_fatal_signal_leaves_everything_as_it_was)
{
	struct machvm_map *map = map_new();
	struct machvm_region region;
	u64 addr;

	check_eq(allocate_at(map, 0, 4), MACHVM_KERN_SUCCESS);
	fail_killable(1);
	check_eq(allocate_at(map, 8, 4), -EINTR);
	fail_killable(1);
	check_eq(vm_map(map, 8, 4, true, 0, &addr), -EINTR);
	fail_killable(1);
	check_eq(deallocate_at(map, 1, 1), -EINTR);
	fail_killable(1);
	check_eq(protect_at(map, 1, 1, R), -EINTR);
	fail_killable(1);
	check_eq(machvm_vm_region(map, 0, &region), -EINTR);
	fail_killable(1);
	check_eq(machvm_entry_prepare(map, AT(1), true), -EINTR);
	map_is(map, "0+4 rw-/rwx 1");
	map_end(map);
}

TEST(map, a_dead_map_takes_nothing_in)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 4), MACHVM_KERN_SUCCESS);
	machvm_vm_clear(map);
	map_is(map, "");
	check_eq(allocate_at(map, 0, 4), MACHVM_KERN_INVALID_TASK);
	check_eq(deallocate_at(map, 0, 4), MACHVM_KERN_INVALID_TASK);
	map_is(map, "");
	map_end(map);
}

TEST(map, every_verb_survives_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_map *map;
		u64 addr;
		int kr;

		fail_nth(n);
		map = machvm_map_create(ARENA, ARENA_END, &mock_user);
		check(fail_end() || map);
		if (map)
			map_end(map);
		map = map_new();
		check_eq(allocate_at(map, 0, 8), MACHVM_KERN_SUCCESS);
		touch(map, 0);
		fill(entry_at(map, 0)->object, 3, 1);

		fail_nth(n);
		kr = allocate_at(map, 10, 2);
		check(fail_end() || !kr);
		check(!kr || kr == MACHVM_KERN_RESOURCE_SHORTAGE);
		map_is(map, kr ? "0+8 rw-/rwx 1" : "0+8 rw-/rwx 1; 10+2 rw-/rwx 1");
		check_eq(deallocate_at(map, 10, 2), MACHVM_KERN_SUCCESS);

		fail_nth(n);
		kr = vm_map(map, 10, 2, true, 0xffff, &addr);
		check(fail_end() || !kr);
		check(!kr || kr == MACHVM_KERN_RESOURCE_SHORTAGE);
		map_is(map, kr ? "0+8 rw-/rwx 1" : "0+8 rw-/rwx 1; 16+2 rw-/rwx 1");
		check_eq(deallocate_at(map, 16, 2), MACHVM_KERN_SUCCESS);

		fail_nth(n);
		kr = protect_at(map, 2, 2, R);
		check(fail_end() || !kr);
		check(!kr || kr == MACHVM_KERN_RESOURCE_SHORTAGE);
		map_is(map, kr ? "0+8 rw-/rwx 1" :
		       "0+2 rw-/rwx 1; 2+2 r--/rwx 1; 4+4 rw-/rwx 1");
		check_eq(protect_at(map, 2, 2, RW), MACHVM_KERN_SUCCESS);

		fail_nth(n);
		kr = deallocate_at(map, 2, 2);
		check(fail_end() || !kr);
		check(!kr || kr == MACHVM_KERN_RESOURCE_SHORTAGE);
		map_is(map, kr ? "0+8 rw-/rwx 1" : "0+2 rw-/rwx 1; 4+4 rw-/rwx 1");
		check_eq(mock_user.pages, kr ? 1 : 0);
		map_end(map);
	}
}

/* Against a model: what each page of the arena is, one by one. */

#define MODEL_PAGES 64

struct model_page {
	bool mapped;
	u8 protection, max_protection;
};

static struct model_page model[MODEL_PAGES];

static bool model_free(u64 page, u64 nr)
{
	for (; nr--; page++)
		if (page >= MODEL_PAGES || model[page].mapped)
			return false;
	return true;
}

static int model_allocate(u64 *page, u64 nr, bool anywhere, u64 align)
{
	u64 at = *page;

	if (anywhere) {
		for (at = 0; at + nr <= MODEL_PAGES; at++)
			if (!(at % align) && model_free(at, nr))
				break;
	}
	if (at % align || !model_free(at, nr))
		return MACHVM_KERN_NO_SPACE;
	*page = at;
	for (; nr--; at++)
		model[at] = (struct model_page){ true, RW, ALL };
	return MACHVM_KERN_SUCCESS;
}

static int model_protect(u64 page, u64 nr, bool set_maximum, u8 protection)
{
	u64 i;

	for (i = page; i < page + nr; i++)
		if (model[i].mapped && protection & ~model[i].max_protection)
			return MACHVM_KERN_PROTECTION_FAILURE;
	for (i = page; i < page + nr; i++) {
		if (set_maximum) {
			model[i].max_protection = protection;
			model[i].protection &= protection;
		} else {
			model[i].protection = protection;
		}
	}
	return MACHVM_KERN_SUCCESS;
}

/* As many regions as there are runs of pages that are alike: nothing here was touched. */
static void model_compare(struct machvm_map *map)
{
	struct machvm_region region;
	unsigned int runs = 0, regions = 0, i;
	u64 addr = 0;

	map_check(map);
	for (i = 0; i < MODEL_PAGES; i++) {
		struct model_page *page = &model[i], *before = i ? page - 1 : NULL;
		bool found = !machvm_vm_region(map, AT(i), &region) && region.start <= AT(i);

		if (!check_eq(found, page->mapped) || !found)
			continue;
		check_eq(region.protection, page->protection);
		check_eq(region.max_protection, page->max_protection);
		if (!before || !before->mapped || before->protection != page->protection ||
		    before->max_protection != page->max_protection)
			runs++;
	}
	for (; !machvm_vm_region(map, addr, &region); addr = region.end)
		regions++;
	check_eq(regions, runs);
}

TEST(map, random_calls_agree_with_a_model)
{
	struct machvm_map *map =
		machvm_map_create(ARENA, AT(MODEL_PAGES), &mock_user);
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		u64 page = test_random() % MODEL_PAGES, nr = test_random() % 12 + 1, addr, at = page;
		u64 align = 1ULL << (test_random() % 4);
		u8 protection = test_random() % 8;
		bool flag = test_random() % 2;
		unsigned int op = test_random() % 8;
		bool starved = test_random() % 16 == 0, hit;
		int kr, expected;

		nr = min(nr, MODEL_PAGES - page);
		test_at("call %u: %u, %llu+%llu", i, op, page, nr);
		if (starved)
			fail_nth(test_random() % 2 + 1);
		switch (op) {
		case 0:
		case 1:
		case 2:
			kr = vm_map(map, page, nr, flag, PAGES(align) - 1, &addr);
			break;
		case 3:
		case 4:
			kr = deallocate_at(map, page, nr);
			break;
		default:
			kr = machvm_vm_protect(map, AT(page), PAGES(nr), flag, protection);
			break;
		}
		hit = starved && fail_end();
		if (hit && kr == MACHVM_KERN_RESOURCE_SHORTAGE)
			continue;
		switch (op) {
		case 0:
		case 1:
		case 2:
			expected = model_allocate(&at, nr, flag, align);
			if (!kr)
				check_eq(addr, AT(at));
			break;
		case 3:
		case 4:
			memset(model + page, 0, nr * sizeof(*model));
			expected = MACHVM_KERN_SUCCESS;
			break;
		default:
			expected = model_protect(page, nr, flag, protection);
			break;
		}
		check_eq(kr, expected);
		model_compare(map);
	}
	test_at("%s", "");
	map_end(map);
}
