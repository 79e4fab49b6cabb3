// SPDX-License-Identifier: GPL-2.0-only
/* mapcopy_test.c - what a child inherits, and memory that is copied by reference. */
#include "mock.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

static int inherit_at(struct machvm_map *map, u64 page, u64 nr, u32 inheritance)
{
	return machvm_vm_inherit(map, AT(page), PAGES(nr), inheritance);
}

static int copy_at(struct machvm_map *map, u64 from, u64 nr, u64 to)
{
	return machvm_vm_copy(map, AT(from), PAGES(nr), AT(to));
}

/* Pages 0 to nr - 1 hold first, first + 1, ... */
static struct machvm_map *map_of(u64 nr, u8 first)
{
	struct machvm_map *map = map_new();
	u64 i;

	check_eq(allocate_at(map, 0, nr), 0);
	for (i = 0; i < nr; i++)
		check_eq(store(map, i, first + i), 0);
	return map;
}

TEST(mapcopy, V8_inheritance_is_kept_and_checked)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(inherit_at(map, 1, 2, MACHVM_INHERIT_NONE), 0);
	map_is(map, "0+1 rw-/rwx 1; 1+2 rw-/rwx 2; 3+1 rw-/rwx 1");
	check_eq(inherit_at(map, 0, 100, 3), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(inherit_at(map, 50, 1, ~0u), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(inherit_at(map, 0, 0, MACHVM_INHERIT_SHARE), 0);
	check_eq(inherit_at(map, 50, 5, MACHVM_INHERIT_SHARE), 0);
	check_eq(machvm_vm_inherit(map, AT(1), -AT(1), MACHVM_INHERIT_SHARE), 0);
	map_is(map, "0+1 rw-/rwx 1; 1+2 rw-/rwx 2; 3+1 rw-/rwx 1");
	check_eq(inherit_at(map, 0, 100, MACHVM_INHERIT_COPY), 0);
	map_is(map, "0+4 rw-/rwx 1");
	map_end(map);
}

TEST(mapcopy, C3_none_is_a_hole_in_the_child)
{
	struct machvm_map *map = map_of(4, 1), *child;

	check_eq(inherit_at(map, 1, 2, MACHVM_INHERIT_NONE), 0);
	child = map_fork(map);
	require(child);
	map_is(child, "0+1 rw-/rwx 1; 3+1 rw-/rwx 1");
	check_eq(load(map, 1), 2);
	map_end(child);
	map_end(map);
}

TEST(mapcopy, C1_sharers_see_one_another)
{
	struct machvm_map *map = map_of(4, 1), *child, *grandchild;
	struct machvm_region region;

	check_eq(inherit_at(map, 0, 4, MACHVM_INHERIT_SHARE), 0);
	child = map_fork(map);
	require(child);
	check_eq(store(child, 0, 50), 0);
	check_eq(load(map, 0), 50);
	check_eq(store(map, 1, 60), 0);
	check_eq(load(child, 1), 60);
	check_eq(machvm_vm_region(map, AT(0), &region), 0);
	check(region.flags & MACHVM_REGION_SHARED);
	check_eq(machvm_vm_region(child, AT(0), &region), 0);
	check(region.flags & MACHVM_REGION_SHARED);
	grandchild = map_fork(child);
	require(grandchild);
	map_end(child);
	check_eq(store(grandchild, 2, 70), 0);
	check_eq(load(map, 2), 70);
	objects_check();
	map_end(map);
	check_eq(load(grandchild, 2), 70);
	map_end(grandchild);
}

TEST(mapcopy, S2_25_memory_that_was_never_touched_is_shared_too)
{
	struct machvm_map *map = map_new(), *child;

	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(inherit_at(map, 0, 4, MACHVM_INHERIT_SHARE), 0);
	child = map_fork(map);
	require(child);
	check_eq(store(child, 2, 9), 0);
	check_eq(load(map, 2), 9);
	map_end(child);
	map_end(map);
}

TEST(mapcopy, S2_24_share_after_a_copy)
{
	struct machvm_map *map = map_of(4, 1), *first, *second;

	first = map_fork(map);
	check_eq(inherit_at(map, 0, 4, MACHVM_INHERIT_SHARE), 0);
	second = map_fork(map);
	require(first && second);
	check_eq(store(map, 0, 50), 0);
	check_eq(load(second, 0), 50);
	check_eq(load(first, 0), 1);
	check_eq(store(second, 1, 60), 0);
	check_eq(load(map, 1), 60);
	check_eq(load(first, 1), 2);
	check_eq(store(first, 2, 70), 0);
	check_eq(load(map, 2), 3);
	objects_check();
	map_end(map);
	map_end(first);
	map_end(second);
}

/* Two write to it, a third has a copy: that is a delayed one. */
TEST(mapcopy, S2_24_writes_of_a_third_never_reach_the_copy)
{
	struct machvm_map *map = map_of(4, 1), *sharer, *copy;

	check_eq(inherit_at(map, 0, 4, MACHVM_INHERIT_SHARE), 0);
	sharer = map_fork(map);
	check_eq(inherit_at(map, 0, 4, MACHVM_INHERIT_COPY), 0);
	copy = map_fork(map);
	require(sharer && copy);
	check_eq(store(sharer, 0, 50), 0);
	check_eq(load(map, 0), 50);
	check_eq(load(copy, 0), 1);
	check_eq(store(copy, 1, 60), 0);
	check_eq(load(sharer, 1), 2);
	check_eq(store(map, 1, 70), 0);
	check_eq(load(sharer, 1), 70);
	check_eq(load(copy, 1), 60);
	map_end(map);
	map_end(sharer);
	check_eq(load(copy, 2), 3);
	map_end(copy);
}

TEST(mapcopy, Z1_zero_is_fresh_in_the_child)
{
	struct machvm_map *map = map_of(2, 1), *child, *grandchild;

	check_eq(inherit_at(map, 0, 2, MACHVM_INHERIT_ZERO), 0);
	child = map_fork(map);
	require(child);
	check_eq(load(child, 0), 0);
	check_eq(store(child, 0, 5), 0);
	check_eq(load(map, 0), 1);
	grandchild = map_fork(child);
	require(grandchild);
	check_eq(load(grandchild, 0), 0);
	map_end(map);
	map_end(child);
	map_end(grandchild);
}

TEST(mapcopy, fork_of_everything_survives_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_map *map = map_of(8, 1), *child;

		check_eq(inherit_at(map, 0, 2, MACHVM_INHERIT_SHARE), 0);
		check_eq(inherit_at(map, 2, 2, MACHVM_INHERIT_NONE), 0);
		check_eq(inherit_at(map, 4, 2, MACHVM_INHERIT_ZERO), 0);
		fail_nth(n);
		child = map_fork(map);
		check(fail_end() || child);
		check_eq(store(map, 0, 50), 0);
		check_eq(store(map, 6, 56), 0);
		if (child) {
			check_eq(load(child, 0), 50);
			check_eq(load(child, 2), FAILED(MACHVM_KERN_INVALID_ADDRESS));
			check_eq(load(child, 4), 0);
			check_eq(load(child, 6), 7);
			map_end(child);
		}
		objects_check();
		map_end(map);
	}
}

TEST(mapcopy, V13_copy_and_write_by_reference)
{
	struct machvm_map *map = map_of(8, 1);
	long pages = mock_user.pages;

	check_eq(copy_at(map, 0, 4, 4), 0);
	check_eq(mock_user.pages, pages - 4);	/* what was there is gone */
	check_eq(load(map, 5), 0);		/* the byte at 5 of a page with a byte at 1 */
	check_eq(cpu_store(map, AT(1) + 100, 9), 0);
	check_eq(cpu_load(map, AT(5) + 1, &(u8){ 0 }), 0);
	map_is(map, "0+4 rw-/rwx 1; 4+4 rw-/rwx 1");
	objects_check();
	map_end(map);
}

TEST(mapcopy, S2_14_overlapping_copies_go_through_a_snapshot)
{
	struct machvm_map *map = map_new();
	u8 value;
	int i;

	check_eq(allocate_at(map, 0, 6), 0);
	for (i = 0; i < 6; i++)
		check_eq(cpu_store(map, AT(i), 100 + i), 0);
	check_eq(copy_at(map, 0, 4, 1), 0);
	for (i = 0; i < 6; i++) {
		check_eq(cpu_load(map, AT(i), &value), 0);
		check_eq(value, i == 0 ? 100 : i == 5 ? 105 : 99 + i);
	}
	check_eq(copy_at(map, 1, 4, 0), 0);
	for (i = 0; i < 4; i++) {
		check_eq(cpu_load(map, AT(i), &value), 0);
		check_eq(value, 100 + i);
	}
	check_eq(copy_at(map, 0, 6, 0), 0);
	check_eq(cpu_load(map, AT(3), &value), 0);
	check_eq(value, 103);
	objects_check();
	map_end(map);
}

TEST(mapcopy, V13_errors_of_the_source_come_first)
{
	struct machvm_map *map = map_of(12, 1);

	check_eq(deallocate_at(map, 3, 1), 0);
	check_eq(protect_at(map, 5, 1, MACHVM_PROT_READ), 0);
	check_eq(protect_at(map, 7, 1, MACHVM_PROT_WRITE), 0);
	check_eq(copy_at(map, 2, 2, 8), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(copy_at(map, 3, 1, 8), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(copy_at(map, 6, 2, 8), MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(copy_at(map, 8, 2, 4), MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(copy_at(map, 8, 2, 2), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(copy_at(map, 7, 1, 3), MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(copy_at(map, 3, 1, 5), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(copy_at(map, 11, 2, 0), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(copy_at(map, 50, 0, 60), 0);
	check_eq(machvm_vm_copy(map, AT(0) + 1, PAGE_SIZE, AT(1)), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_copy(map, AT(0), PAGE_SIZE - 1, AT(1)), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_copy(map, AT(0), PAGE_SIZE, AT(1) + 8), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_copy(map, AT(0), -PAGES(1), AT(1)), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(load(map, 4), 5);
	check_eq(load(map, 8), 9);
	check_eq(load(map, 2), 3);
	map_end(map);
}

TEST(mapcopy, S2_16_the_destination_keeps_its_attributes)
{
	struct machvm_map *map = map_of(8, 1);

	check_eq(protect_at(map, 0, 2, MACHVM_PROT_READ), 0);
	check_eq(set_maximum_at(map, 4, 2, RW), 0);
	check_eq(inherit_at(map, 4, 1, MACHVM_INHERIT_NONE), 0);
	check_eq(copy_at(map, 0, 2, 4), 0);
	map_is(map, "0+2 r--/rwx 1; 2+2 rw-/rwx 1; 4+1 rw-/rw- 2; 5+1 rw-/rw- 1; 6+2 rw-/rwx 1");
	check_eq(cpu_load(map, AT(5) + 1, &(u8){ 0 }), 0);
	check_eq(store(map, 5, 99), 0);
	check_eq(load(map, 1), 2);
	map_end(map);
}

TEST(mapcopy, S2_18_a_read_is_a_snapshot)
{
	struct machvm_map *map = map_of(4, 1), *other = map_new();
	u64 data;
	u8 value;

	check_eq(machvm_vm_read(map, AT(0), PAGES(4), other, &data), 0);
	check_eq(data, AT(0));
	map_is(other, "0+4 rw-/rwx 1");
	check_eq(store(map, 1, 50), 0);
	check_eq(load(other, 1), 2);
	check_eq(store(other, 2, 60), 0);
	check_eq(load(map, 2), 3);
	check_eq(deallocate_at(map, 0, 4), 0);
	check_eq(load(other, 3), 4);
	check_eq(machvm_vm_read(other, AT(1) + 0x104, 100, other, &data), 0);
	check_eq(data, AT(4) + 0x104);
	check_eq(cpu_load(other, AT(4) + 1, &value), 0);
	check_eq(value, 2);
	map_end(map);
	map_end(other);
}

TEST(mapcopy, S2_17_reads_of_what_is_missing_or_unreadable)
{
	struct machvm_map *map = map_of(4, 1);
	u64 data = 1;

	check_eq(machvm_vm_read(map, AT(0), 0, map, &data), 0);
	check_eq(data, 0);
	check_eq(protect_at(map, 1, 1, MACHVM_PROT_NONE), 0);
	check_eq(machvm_vm_read(map, AT(1), 1, map, &data), MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(machvm_vm_read(map, AT(0), PAGES(4), map, &data),
		 MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(machvm_vm_read(map, AT(3), PAGES(2), map, &data), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_read(map, AT(9), 1, map, &data), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_read(map, AT(0), U64_MAX, map, &data), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_read(map, U64_MAX - 10, 5, map, &data), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(data, 0);
	map_end(map);
}

static void check_transfer(struct machvm_map *map, struct machvm_map *other, int kr, bool hit)
{
	check(hit || !kr);
	check(!kr || kr == MACHVM_KERN_RESOURCE_SHORTAGE);
	objects_check();
	map_check(map);
	map_check(other);
}

TEST(mapcopy, S2_15_transfers_are_all_or_nothing_while_allocations_fail)
{
	for_each_failure(n) {
		struct machvm_map *map = map_of(8, 1), *other = map_of(8, 101);
		u64 data;
		bool hit;
		u8 value;
		int kr, i;

		check_eq(protect_at(map, 1, 1, MACHVM_PROT_ALL), 0);
		check_eq(inherit_at(other, 4, 1, MACHVM_INHERIT_SHARE), 0);
		fail_nth(n);
		kr = machvm_vm_write(other, AT(3), map, AT(0), PAGES(4));
		hit = fail_end();
		check_transfer(map, other, kr, hit);
		for (i = 3; i < 7; i++) {
			check_eq(cpu_load(other, AT(i) + (kr ? i : i - 3), &value), 0);
			check_eq(value, kr ? 101 + i : 1 + i - 3);
		}
		fail_nth(n);
		kr = copy_at(map, 0, 3, 5);
		hit = fail_end();
		check_transfer(map, other, kr, hit);
		for (i = 5; i < 8; i++) {
			check_eq(cpu_load(map, AT(i) + (kr ? i : i - 5), &value), 0);
			check_eq(value, kr ? 1 + i : 1 + i - 5);
		}
		fail_nth(n);
		kr = machvm_vm_read(map, AT(0), PAGES(3), other, &data);
		hit = fail_end();
		check_transfer(map, other, kr, hit);
		check_eq(data, kr ? 0 : AT(8));
		check_eq(load(map, 0), 1);
		check_eq(load(other, 0), 101);
		map_end(map);
		map_end(other);
	}
}

TEST(mapcopy, a_fatal_signal_leaves_both_sides_as_they_were)
{
	struct machvm_map *map = map_of(4, 1), *other = map_of(4, 101);
	unsigned long n;
	u64 data;
	int kr = -EINTR;

	for (n = 1; kr == -EINTR; n++) {
		fail_killable(n);
		kr = machvm_vm_write(other, AT(0), map, AT(0), PAGES(2));
		fail_killable(0);
		check_eq(load(map, 1), 2);
		if (kr)
			check_eq(load(other, 1), 102);
	}
	check_eq(kr, 0);
	fail_killable(1);
	check_eq(machvm_vm_read(map, AT(0), PAGES(2), other, &data), -EINTR);
	map_is(other, "0+2 rw-/rwx 1; 2+2 rw-/rwx 1");
	map_end(map);
	map_end(other);
}
