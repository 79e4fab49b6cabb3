// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_copy.c - vm_copy, vm_read and vm_write: rows V9, V12, V13.
 */
#include "harness.h"
#include "util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *at(vm_address_t base, int page)
{
	return (char *)(base + PAGES(page));
}

/* Memory whose pages hold 100, 101 ... */
static vm_address_t numbered(int pages)
{
	vm_address_t base = util_make(pages);

	for (int i = 0; i < pages; i++)
		*at(base, i) = 100 + i;
	return base;
}

TEST(S2_14_overlapping_copies)
{
	vm_address_t base = numbered(8);
	const char forward[] = { 100, 100, 101, 102, 103, 105, 106, 107 };
	const char back[] = { 100, 101, 102, 103, 105, 105, 106, 107 };

	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(4), base + PAGE));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(forward[i], *at(base, i));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base + PAGE, PAGES(5), base));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(back[i], *at(base, i));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(8), base));
	EXPECT_EQ(100, *at(base, 0));
}

TEST(V13_copy_is_private_both_ways)
{
	vm_address_t from = numbered(2), to = util_make(2);

	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, from, PAGES(2), to));
	*at(from, 0) = 1;
	*at(to, 1) = 2;
	EXPECT_EQ(100, *at(to, 0));
	EXPECT_EQ(101, *at(from, 1));
	EXPECT_EQ(2, *at(to, 1));
}

TEST(S2_17_errors_of_the_source_come_first)
{
	vm_address_t hole = numbered(3), none = numbered(1), good = numbered(3);

	vm_deallocate(SELF, hole + PAGE, PAGE);
	vm_protect(SELF, none, PAGE, FALSE, VM_PROT_NONE);
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_copy(SELF, hole, PAGES(3), good));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, vm_copy(SELF, none, PAGE, good));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, vm_copy(SELF, none, PAGE, hole + PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_copy(SELF, good + 1, PAGE, good));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_copy(SELF, good, PAGE + 1, good));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, hole + PAGE, 0, none));
}

TEST(S2_15_all_or_nothing)
{
	vm_address_t from = numbered(4), to = util_make(4);

	vm_protect(SELF, to + PAGES(3), PAGE, FALSE, VM_PROT_READ);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, vm_copy(SELF, from, PAGES(4), to));
	EXPECT_EQ(0, *at(to, 0));
	EXPECT_EQ(0, *at(to, 2));
	vm_deallocate(SELF, to + PAGES(3), PAGE);
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_copy(SELF, from, PAGES(4), to));
	EXPECT_EQ(0, *at(to, 0));
}

TEST(S2_16_destination_keeps_its_attributes)
{
	vm_address_t from = numbered(2), to = util_make(2);
	struct util_region region;

	vm_inherit(SELF, to, PAGE, VM_INHERIT_NONE);
	vm_protect(SELF, to, PAGES(2), TRUE, VM_PROT_READ | VM_PROT_WRITE);
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, from, PAGES(2), to));
	EXPECT_EQ(KERN_SUCCESS, util_region(to, &region));
	EXPECT_EQ(VM_INHERIT_NONE, region.inheritance);
	EXPECT_EQ(KERN_PROTECTION_FAILURE,
		  vm_protect(SELF, to, PAGE, FALSE, VM_PROT_ALL));
	EXPECT_EQ(100, *at(to, 0));
	EXPECT_EQ(101, *at(to, 1));
}

TEST(S2_18_read_is_a_snapshot)
{
	vm_address_t from = numbered(4);
	mach_msg_type_number_t count = 0;
	vm_offset_t data = 0;

	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, from + 0x104, PAGES(2), &data, &count));
	EXPECT_EQ(0x104, data & (PAGE - 1));
	EXPECT_EQ(PAGES(2), count);
	data &= ~(PAGE - 1UL);
	*at(from, 0) = 1;
	*at(data, 1) = 2;
	EXPECT_EQ(100, *at(data, 0));
	EXPECT_EQ(101, *at(from, 1));
	EXPECT_EQ(102, *at(data, 2));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, from, PAGES(4)));
	EXPECT_EQ(102, *at(data, 2));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_read(SELF, from, 1, &data, &count));
}

TEST(S2_7_read_and_write_of_nothing)
{
	mach_msg_type_number_t count = 1;
	vm_offset_t data = 1;

	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, PAGE, 0, &data, &count));
	EXPECT_EQ(0, data);
	EXPECT_EQ(0, count);
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, PAGE, PAGE, 0));
}

TEST(V12_ordinary_memory_takes_part_by_bytes)
{
	vm_address_t arena = numbered(4);
	char *ordinary = aligned_alloc(PAGE, PAGES(2));
	mach_msg_type_number_t count;
	vm_offset_t data;

	memset(ordinary, 5, PAGES(2));
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, arena, (vm_offset_t)ordinary, PAGES(2)));
	EXPECT_EQ(5, at(arena, 1)[PAGE - 1]);
	EXPECT_EQ(102, *at(arena, 2));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, arena + PAGES(3), PAGE, (vm_address_t)ordinary));
	EXPECT_EQ(103, ordinary[0]);
	EXPECT_EQ(5, ordinary[PAGE]);
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, (vm_address_t)ordinary + 1, 7, &data, &count));
	EXPECT_EQ(0, memcmp((void *)data, ordinary + 1, 7));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_write(SELF, arena, PAGE, PAGE));
	EXPECT_EQ(5, *at(arena, 0));
	free(ordinary);
}

/* The counters of pages asked for and filled stand still while a call moves memory. */
TEST(V13_no_page_is_touched_by_the_call)
{
	struct vm_statistics before, after;
	vm_address_t from = numbered(64), to = util_make(64);
	mach_msg_type_number_t count;
	vm_offset_t data;

	vm_statistics(SELF, &before);
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, from, PAGES(64), to));
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, from, PAGES(64), &data, &count));
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, to, data, PAGES(64)));
	vm_statistics(SELF, &after);
	EXPECT_EQ(before.active_count, after.active_count);
	EXPECT_EQ(before.zero_fill_count, after.zero_fill_count);
	EXPECT_EQ(before.cow_faults, after.cow_faults);
}

/* Writes by reference onto memory that is shared are seen by the other side too. */
TEST(V12_sharers_see_what_is_copied_onto_them)
{
	vm_address_t shared = util_make(2), from = numbered(2);
	int status, go[2];
	pid_t child;
	char c;

	vm_inherit(SELF, shared, PAGES(2), VM_INHERIT_SHARE);
	ASSERT_EQ(0, pipe(go));
	child = fork();
	if (!child)
		_exit(read(go[0], &c, 1) != 1 || *at(shared, 0) != 100 || *at(shared, 1) != 101);
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, from, PAGE, shared));
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, shared + PAGE, from + PAGE, PAGE));
	*at(from, 0) = 1;
	EXPECT_EQ(100, *at(shared, 0));
	EXPECT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* A copy of shared memory is a copy of it as it is now, whoever writes later. */
TEST(S2_24_copy_of_shared_memory)
{
	vm_address_t shared = numbered(1), copy = util_make(1);
	int status, go[2];
	pid_t child;
	char c;

	vm_inherit(SELF, shared, PAGE, VM_INHERIT_SHARE);
	ASSERT_EQ(0, pipe(go));
	child = fork();
	if (!child) {
		if (read(go[0], &c, 1) == 1)
			*at(shared, 0) = 1;
		_exit(0);
	}
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, shared, PAGE, copy));
	EXPECT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(1, *at(shared, 0));
	EXPECT_EQ(100, *at(copy, 0));
	*at(copy, 0) = 2;
	EXPECT_EQ(1, *at(shared, 0));
}

TEST(S2_15_ordinary_memory_that_ends_early_keeps_what_it_has)
{
	vm_address_t from = numbered(2);
	char *to = mmap(NULL, PAGES(2), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, to);
	memset(to, 7, PAGES(2));
	ASSERT_EQ(0, munmap(to + PAGE, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_write(SELF, (vm_address_t)to, from, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_copy(SELF, from, PAGES(2), (vm_address_t)to));
	EXPECT_EQ(7, to[0]);
	EXPECT_EQ(7, to[PAGE - 1]);
}

/* The bytes may come to lie in that hole for a moment. */
TEST(S2_17_a_hole_is_no_destination_for_ordinary_memory)
{
	char *from = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	vm_address_t first = numbered(1);

	ASSERT_NE(MAP_FAILED, from);
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, first, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_write(SELF, first, (vm_address_t)from, PAGE));
	EXPECT_EQ(0, util_covered(first, first + PAGE));
}

HARNESS_MAIN
