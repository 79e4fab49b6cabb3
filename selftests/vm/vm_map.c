// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_map.c - vm_map of fresh memory, of objects, and of copies of objects: rows V14 to V16.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* vm_map of fresh memory with what a test is about, and the usual for the rest. */
struct call {
	vm_address_t address;
	vm_size_t size;
	vm_address_t mask;
	boolean_t fixed;
	memory_object_t object;
	vm_offset_t offset;
	boolean_t copy;
	vm_prot_t protection, maximum;
	vm_inherit_t inheritance;
};

static kern_return_t map(struct call *call)
{
	return vm_map(SELF, &call->address, call->size, call->mask, !call->fixed, call->object,
		      call->offset, call->copy, call->protection, call->maximum,
		      call->inheritance);
}

#define CALL(...)                                                                           \
	(struct call){ .size = PAGE, .object = MEMORY_OBJECT_NULL,                          \
		       .protection = VM_PROT_DEFAULT, .maximum = VM_PROT_ALL,               \
		       .inheritance = VM_INHERIT_COPY, __VA_ARGS__ }

TEST(V14_fresh_memory)
{
	struct call call = CALL(.size = PAGES(3) + 1, .protection = VM_PROT_READ,
				.maximum = VM_PROT_DEFAULT, .inheritance = VM_INHERIT_NONE);
	struct util_region region;

	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(0, util_not_zero(call.address, 4));
	ASSERT_EQ(KERN_SUCCESS, util_region(call.address, &region));
	EXPECT_EQ(PAGES(4), region.size);
	EXPECT_EQ(VM_PROT_READ, region.protection);
	EXPECT_EQ(VM_PROT_DEFAULT, region.max_protection);
	EXPECT_EQ(VM_INHERIT_NONE, region.inheritance);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(call.address, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, call.address, PAGE, FALSE, VM_PROT_DEFAULT));
	EXPECT_EQ(0, util_why_write(call.address, 1));
	EXPECT_EQ(KERN_PROTECTION_FAILURE,
		  vm_protect(SELF, call.address, PAGE, FALSE, VM_PROT_ALL));
}

TEST(S2_7_map_of_nothing)
{
	struct call call = CALL(.size = 0);

	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call.fixed = TRUE;
	call.address = util_make(1);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
}

TEST(S2_6_map_that_wraps)
{
	struct call call = CALL(.fixed = TRUE, .address = util_make(1), .size = -PAGE);

	EXPECT_EQ(KERN_INVALID_ADDRESS, map(&call));
	call.size = -1UL;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call.fixed = FALSE;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call.size = -PAGE;
	EXPECT_EQ(KERN_NO_SPACE, map(&call));
	call = CALL(.fixed = TRUE, .address = -PAGE);
	EXPECT_EQ(KERN_INVALID_ADDRESS, map(&call));
	call = CALL(.fixed = TRUE, .address = 1UL << 47);
	EXPECT_EQ(KERN_INVALID_ADDRESS, map(&call));
}

TEST(S2_11_anywhere_ignores_the_address)
{
	struct call call = CALL(.address = 0x40000000);

	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(0, util_why_write(call.address, 1));
	call = CALL(.address = -1UL);
	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(0, util_why_write(call.address, 1));
}

TEST(V14_fixed)
{
	vm_address_t base = util_make(8);
	struct call call = CALL(.fixed = TRUE, .address = base + PAGE);

	util_fill(base, 8, 1);
	EXPECT_EQ(KERN_NO_SPACE, map(&call));
	vm_deallocate(SELF, base + PAGES(2), PAGES(2));
	call = CALL(.fixed = TRUE, .address = base + PAGES(2) + 0x123, .size = PAGES(2));
	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(base + PAGES(2), call.address);
	EXPECT_EQ(0, util_not_zero(base + PAGES(2), 2));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
	EXPECT_EQ(util_mark(4, 1), util_read(base + PAGES(4)).byte);
}

TEST(S2_10_low_ones_align)
{
	const vm_address_t masks[] = { 0xfff, 0x1fff, 0xffff, 0x1fffff, 0x3fffffff, 0xffffffff,
				       0xfffffffff };

	for (int i = 0; i < 7; i++) {
		struct call call = CALL(.mask = masks[i]);

		/* Something that lies badly. */
		util_make(1);
		ASSERT_EQ(KERN_SUCCESS, map(&call));
		EXPECT_EQ(0, call.address & masks[i]);
		EXPECT_EQ(0, util_why_write(call.address, 1));
	}
}

TEST(S2_10_fixed_that_violates_the_mask)
{
	vm_address_t base = util_make(64), at = (base & ~0xffffUL) + 0x11000;
	struct call call = CALL(.fixed = TRUE, .address = at, .mask = 0xffff);

	vm_deallocate(SELF, base, PAGES(64));
	EXPECT_EQ(KERN_NO_SPACE, map(&call));
	call.address = at - PAGE;
	EXPECT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(at - PAGE, call.address);
}

TEST(S2_10_masks_of_other_shapes)
{
	const vm_address_t masks[] = { 0x1000, 0xfff000, 0xf0f000, -1UL, 0x8000000000001000,
				       0x7fffffff00000000, 1UL << 62, 0xffff0000 };
	struct util_region before, after;
	vm_address_t base = util_make(1);

	ASSERT_EQ(KERN_SUCCESS, util_region(base, &before));
	for (int i = 0; i < 8; i++) {
		struct call call = CALL(.mask = masks[i]);

		EXPECT_EQ(KERN_NO_SPACE, map(&call));
		call = CALL(.mask = masks[i], .fixed = TRUE, .address = base + PAGES(16));
		EXPECT_EQ(KERN_NO_SPACE, map(&call));
	}
	/* And nothing is held: other calls work. */
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &after));
	EXPECT_EQ(before.size, after.size);
	EXPECT_EQ(1, util_regions(0, -1UL));
	EXPECT_NE(0, util_make(1));
}

/* The last address of the region is below the ceiling, and a gap below it is found. */
TEST(S2_10_high_ones_are_a_ceiling)
{
	vm_address_t base = util_make(64), first = base;
	struct call call;
	int shift;

	/* The lowest power of two above a place that is free. */
	for (shift = 12; shift < 47 && (1UL << shift) <= base + PAGES(8); shift++)
		;
	vm_deallocate(SELF, base, PAGES(8));
	for (int i = 0; i < 8; i++) {
		call = CALL(.mask = ~((1UL << shift) - 1));
		ASSERT_EQ(KERN_SUCCESS, map(&call));
		EXPECT_LT(call.address + PAGE - 1, 1UL << shift);
		first = call.address < first ? call.address : first;
	}
	/* Together with an alignment. */
	call = CALL(.mask = ~((1UL << shift) - 1) | 0xffff);
	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(0, call.address & 0xffff);
	EXPECT_LT(call.address, 1UL << shift);
	/* A ceiling below the first page. */
	call = CALL(.mask = -PAGE, .size = PAGES(2));
	EXPECT_EQ(KERN_NO_SPACE, map(&call));
	call = CALL(.mask = ~((1UL << shift) - 1), .fixed = TRUE, .address = 1UL << shift);
	EXPECT_EQ(KERN_NO_SPACE, map(&call));
}

TEST(S2_23_current_beyond_maximum_is_cut)
{
	struct call call = CALL(.protection = VM_PROT_DEFAULT, .maximum = VM_PROT_READ);
	struct util_region region;

	ASSERT_EQ(KERN_SUCCESS, map(&call));
	ASSERT_EQ(KERN_SUCCESS, util_region(call.address, &region));
	EXPECT_EQ(VM_PROT_READ, region.protection);
	EXPECT_EQ(VM_PROT_READ, region.max_protection);
	EXPECT_EQ(0, util_why_read(call.address));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(call.address, 1));
	EXPECT_EQ(KERN_PROTECTION_FAILURE,
		  vm_protect(SELF, call.address, PAGE, FALSE, VM_PROT_DEFAULT));
}

TEST(V14_no_protection_at_all)
{
	struct call call = CALL(.protection = VM_PROT_NONE, .maximum = VM_PROT_NONE);

	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(call.address));
	EXPECT_EQ(KERN_PROTECTION_FAILURE,
		  vm_protect(SELF, call.address, PAGE, FALSE, VM_PROT_READ));
}

TEST(V14_values_that_are_none)
{
	struct call call = CALL(.protection = 8);

	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call = CALL(.maximum = 0x10);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call = CALL(.maximum = -1);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call = CALL(.inheritance = 3);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call = CALL(.inheritance = -1);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	EXPECT_EQ(0, util_regions(0, -1UL));
}

TEST(V14_without_object_offset_and_copy_do_not_matter)
{
	struct call call = CALL(.offset = 0x123, .copy = TRUE);
	struct util_region region;

	ASSERT_EQ(KERN_SUCCESS, map(&call));
	ASSERT_EQ(KERN_SUCCESS, util_region(call.address, &region));
	EXPECT_EQ(0, region.offset);
	EXPECT_EQ(0, util_not_zero(call.address, 1));
	call = CALL(.offset = -PAGE);
	EXPECT_EQ(KERN_SUCCESS, map(&call));
	call = CALL(.object = MACH_PORT_DEAD);
	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(0, util_not_zero(call.address, 1));
}

TEST(V14_what_is_no_object)
{
	struct util_pager *pager = util_pager_start(4);
	struct call call = CALL(.object = mach_host_self());
	int file = open("/proc/self/exe", O_RDONLY);

	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call.object = SELF;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call.object = file;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	close(file);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	call.object = util_device();
	EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	EXPECT_EQ(0, util_regions(0, -1UL));
	util_pager_stop(pager);
}

TEST(V14_object_shows_what_the_pager_supplies)
{
	struct util_pager *pager = util_pager_start(32);
	vm_address_t base = util_map(util_pager_object(pager), 0, 32, false);
	struct util_region region;

	ASSERT_NE(0, base);
	EXPECT_EQ(0, util_wrong(base, 32, 0));
	for (int i = 0; i < 32; i++)
		EXPECT_EQ(1, util_pager_requests(pager, i));
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(PAGES(32), region.size);
	EXPECT_EQ(0, region.offset);
	EXPECT_NE(MACH_PORT_NULL, region.name);
	vm_deallocate(SELF, base, PAGES(32));
	util_pager_stop(pager);
}

TEST(V14_object_at_an_offset)
{
	struct util_pager *pager = util_pager_start(32);
	struct call call = CALL(.object = util_pager_object(pager), .offset = PAGES(20),
				.size = PAGES(4));
	struct util_region region;

	ASSERT_EQ(KERN_SUCCESS, map(&call));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(util_mark(20 + i, 0), util_read(call.address + PAGES(i)).byte);
	EXPECT_EQ(1, util_pager_requests(pager, 20));
	EXPECT_EQ(0, util_pager_requests(pager, 0));
	EXPECT_EQ(0, util_pager_requests(pager, 24));
	ASSERT_EQ(KERN_SUCCESS, util_region(call.address, &region));
	EXPECT_EQ(PAGES(20), region.offset);
	/* Whatever the object was mapped for first, there is no end to it. */
	call = CALL(.object = util_pager_object(pager), .offset = 0x100000);
	EXPECT_EQ(KERN_SUCCESS, map(&call));
	call = CALL(.object = util_pager_object(pager), .offset = -PAGE);
	EXPECT_EQ(KERN_SUCCESS, map(&call));
	util_pager_stop(pager);
}

TEST(V14_object_offset_must_be_aligned_and_not_wrap)
{
	struct util_pager *pager = util_pager_start(4);

	for (int copy = 0; copy < 2; copy++) {
		struct call call = CALL(.object = util_pager_object(pager), .offset = 0x123,
					.copy = copy);

		EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
		call.offset = 1;
		EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
		call.offset = -PAGE;
		call.size = PAGES(2);
		EXPECT_EQ(KERN_INVALID_ARGUMENT, map(&call));
	}
	EXPECT_EQ(0, util_regions(0, -1UL));
	util_pager_stop(pager);
}

TEST(V14_two_mappings_are_one_memory)
{
	struct util_pager *pager = util_pager_start(8);
	vm_address_t one = util_map(util_pager_object(pager), 0, 8, false);
	vm_address_t two = util_map(util_pager_object(pager), PAGES(2), 4, false);
	struct util_region a, b;

	ASSERT_EQ(0, util_why_write(one + PAGES(3) + 5, 99));
	EXPECT_EQ(99, util_read(two + PAGE + 5).byte);
	EXPECT_EQ(0, util_why_write(two + PAGES(3), 98));
	EXPECT_EQ(98, util_read(one + PAGES(5)).byte);
	EXPECT_EQ(1, util_pager_requests(pager, 3));
	EXPECT_EQ(1, util_pager_requests(pager, 5));
	ASSERT_EQ(KERN_SUCCESS, util_region(one, &a));
	ASSERT_EQ(KERN_SUCCESS, util_region(two, &b));
	EXPECT_EQ(a.name, b.name);
	util_pager_stop(pager);
}

TEST(V14_read_only_mapping_of_an_object)
{
	struct util_pager *pager = util_pager_start(2);
	struct call call = CALL(.object = util_pager_object(pager), .protection = VM_PROT_READ,
				.maximum = VM_PROT_READ);
	vm_address_t writable = util_map(util_pager_object(pager), 0, 1, false);

	ASSERT_EQ(KERN_SUCCESS, map(&call));
	EXPECT_EQ(util_mark(0, 0), util_read(call.address).byte);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(call.address, 1));
	/* Also after somebody else wrote. */
	ASSERT_EQ(0, util_why_write(writable, 77));
	EXPECT_EQ(77, util_read(call.address).byte);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(call.address, 1));
	EXPECT_EQ(77, util_read(writable).byte);
	util_pager_stop(pager);
}

TEST(S2_29_copy_and_source_do_not_see_each_other)
{
	struct util_pager *pager = util_pager_start(8);
	memory_object_t object = util_pager_object(pager);
	vm_address_t source = util_map(object, 0, 8, false);
	vm_address_t copy = util_map(object, 0, 8, true);

	ASSERT_NE(0, source);
	ASSERT_NE(0, copy);
	/* Written in the source, resident or not; read in the copy after. */
	util_read(source);
	ASSERT_EQ(0, util_why_write(source, 100));
	ASSERT_EQ(0, util_why_write(source + PAGE, 101));
	EXPECT_EQ(util_mark(0, 0), util_read(copy).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(copy + PAGE).byte);
	/* Written in the copy. */
	ASSERT_EQ(0, util_why_write(copy + PAGES(2), 102));
	EXPECT_EQ(util_mark(2, 0), util_read(source + PAGES(2)).byte);
	/* Read in the copy before it is written in the source. */
	EXPECT_EQ(util_mark(3, 0), util_read(copy + PAGES(3)).byte);
	ASSERT_EQ(0, util_why_write(source + PAGES(3), 103));
	EXPECT_EQ(util_mark(3, 0), util_read(copy + PAGES(3)).byte);
	/* Written in both. */
	ASSERT_EQ(0, util_why_write(source + PAGES(4), 104));
	ASSERT_EQ(0, util_why_write(copy + PAGES(4), 105));
	EXPECT_EQ(104, util_read(source + PAGES(4)).byte);
	EXPECT_EQ(105, util_read(copy + PAGES(4)).byte);
	/* The rest of a page that was written is what it was. */
	EXPECT_EQ(util_mark(4, 0), util_read(source + PAGES(4) + 1).byte);
	EXPECT_EQ(util_mark(4, 0), util_read(copy + PAGES(4) + 1).byte);

	vm_deallocate(SELF, copy, PAGES(8));
	EXPECT_EQ(100, util_read(source).byte);
	vm_deallocate(SELF, source, PAGES(8));
	util_pager_wait_terminate(pager);
	/* The pager is given what the source wrote, and nothing of the copy. */
	EXPECT_EQ(100, util_pager_returned(pager, 0));
	EXPECT_EQ(101, util_pager_returned(pager, 1));
	EXPECT_EQ(0, util_pager_returns(pager, 2));
	EXPECT_EQ(103, util_pager_returned(pager, 3));
	EXPECT_EQ(104, util_pager_returned(pager, 4));
	EXPECT_EQ(0, util_pager_returns(pager, 5));
	util_pager_stop(pager);
}

TEST(S2_29_copy_outlives_the_source)
{
	struct util_pager *pager = util_pager_start(4);
	memory_object_t object = util_pager_object(pager);
	vm_address_t source = util_map(object, 0, 4, false);
	vm_address_t copy = util_map(object, 0, 4, true);

	util_read(source);
	util_why_write(source + PAGE, 9);
	util_why_write(copy + PAGES(2), 8);
	vm_deallocate(SELF, source, PAGES(4));
	EXPECT_EQ(util_mark(0, 0), util_read(copy).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(copy + PAGE).byte);
	EXPECT_EQ(8, util_read(copy + PAGES(2)).byte);
	EXPECT_EQ(util_mark(3, 0), util_read(copy + PAGES(3)).byte);
	util_pager_stop(pager);
}

TEST(S2_29_copy_at_an_offset)
{
	struct util_pager *pager = util_pager_start(16);
	memory_object_t object = util_pager_object(pager);
	vm_address_t source = util_map(object, 0, 16, false);
	vm_address_t copy = util_map(object, PAGES(4), 8, true);

	for (int i = 0; i < 16; i++)
		ASSERT_EQ(0, util_why_write(source + PAGES(i), 200));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(util_mark(4 + i, 0), util_read(copy + PAGES(i)).byte);
	util_pager_stop(pager);
}

TEST(S2_30_two_copies_in_the_order_of_time)
{
	struct util_pager *pager = util_pager_start(4);
	memory_object_t object = util_pager_object(pager);
	vm_address_t source = util_map(object, 0, 4, false), first, second, third;

	first = util_map(object, 0, 4, true);
	ASSERT_EQ(0, util_why_write(source, 1));
	second = util_map(object, 0, 4, true);
	ASSERT_EQ(0, util_why_write(source, 2));
	ASSERT_EQ(0, util_why_write(source + PAGE, 3));
	third = util_map(object, 0, 4, true);
	ASSERT_EQ(0, util_why_write(source + PAGE, 4));
	EXPECT_EQ(util_mark(0, 0), util_read(first).byte);
	EXPECT_EQ(1, util_read(second).byte);
	EXPECT_EQ(2, util_read(third).byte);
	EXPECT_EQ(2, util_read(source).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(first + PAGE).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(second + PAGE).byte);
	EXPECT_EQ(3, util_read(third + PAGE).byte);
	EXPECT_EQ(4, util_read(source + PAGE).byte);
	/* A copy that goes in between leaves the others as they are. */
	vm_deallocate(SELF, second, PAGES(4));
	ASSERT_EQ(0, util_why_write(source + PAGES(2), 5));
	EXPECT_EQ(util_mark(0, 0), util_read(first).byte);
	EXPECT_EQ(2, util_read(third).byte);
	EXPECT_EQ(util_mark(2, 0), util_read(first + PAGES(2)).byte);
	EXPECT_EQ(util_mark(2, 0), util_read(third + PAGES(2)).byte);
	util_pager_stop(pager);
}

TEST(S2_30_copies_with_no_write_in_between)
{
	struct util_pager *pager = util_pager_start(4);
	memory_object_t object = util_pager_object(pager);
	vm_address_t source = util_map(object, 0, 4, false);
	vm_address_t first = util_map(object, 0, 4, true);
	vm_address_t second = util_map(object, 0, 4, true);

	util_why_write(first, 1);
	util_why_write(second, 2);
	util_why_write(source, 3);
	util_why_write(source + PAGE, 4);
	EXPECT_EQ(1, util_read(first).byte);
	EXPECT_EQ(2, util_read(second).byte);
	EXPECT_EQ(3, util_read(source).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(first + PAGE).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(second + PAGE).byte);
	util_pager_stop(pager);
}

TEST(S2_31_copy_asks_for_a_page_once)
{
	struct util_pager *pager = util_pager_start(4);
	memory_object_t object = util_pager_object(pager);
	vm_address_t source = util_map(object, 0, 4, false);
	vm_address_t copy = util_map(object, 0, 4, true);

	/* Through the copy first, and through the source first. */
	EXPECT_EQ(util_mark(0, 0), util_read(copy).byte);
	EXPECT_EQ(util_mark(0, 0), util_read(source).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(source + PAGE).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(copy + PAGE).byte);
	/* By a write. */
	EXPECT_EQ(0, util_why_write(copy + PAGES(2), 7));
	EXPECT_EQ(util_mark(2, 0), util_read(source + PAGES(2)).byte);
	EXPECT_EQ(0, util_why_write(source + PAGES(3), 8));
	EXPECT_EQ(util_mark(3, 0), util_read(copy + PAGES(3)).byte);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(1, util_pager_requests(pager, i));
	util_pager_stop(pager);
}

TEST(V15_copy_does_not_wait_for_the_pager)
{
	struct util_pager *pager = util_pager_start(4);
	vm_address_t copy;

	util_pager_hold(pager, true);
	copy = util_map(util_pager_object(pager), 0, 4, true);
	EXPECT_NE(0, copy);
	EXPECT_EQ(0, util_pager_requests(pager, 0));
	util_pager_hold(pager, false);
	EXPECT_EQ(0, util_wrong(copy, 4, 0));
	util_pager_stop(pager);
}

TEST(V15_fork_of_an_object_mapping_is_a_copy)
{
	struct util_pager *pager = util_pager_start(4);
	vm_address_t base = util_map(util_pager_object(pager), 0, 4, false);
	struct util_gate to_child, to_parent;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&to_child) || util_gate_init(&to_parent));
	ASSERT_EQ(0, util_why_write(base, 50));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&to_child);
		EXPECT_EQ(50, util_read(base).byte);
		EXPECT_EQ(0, util_why_write(base + PAGE, 60));
		util_gate_open(&to_parent);
		EXPECT_EQ(0, util_gate_pass(&to_child));
		EXPECT_EQ(50, util_read(base).byte);
		EXPECT_EQ(60, util_read(base + PAGE).byte);
		EXPECT_EQ(util_mark(2, 0), util_read(base + PAGES(2)).byte);
		CHILD_END();
	}
	util_gate_close_writer(&to_parent);
	EXPECT_EQ(0, util_gate_pass(&to_parent));
	EXPECT_EQ(util_mark(1, 0), util_read(base + PAGE).byte);
	EXPECT_EQ(0, util_why_write(base, 51));
	EXPECT_EQ(0, util_why_write(base + PAGES(2), 52));
	util_gate_open(&to_child);
	EXPECT_EQ(0, util_wait(pid));
	util_pager_stop(pager);
}

/* The right to map passes by fork; what the child then maps is the same memory. */
TEST(S2_25_first_touch_by_the_child_is_seen)
{
	struct util_pager *pager = util_pager_start(4);
	memory_object_t object = util_pager_object(pager);
	vm_address_t base = util_map(object, 0, 4, false);
	struct util_gate to_child, to_parent;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&to_child) || util_gate_init(&to_parent));
	pid = fork();
	if (pid == 0) {
		vm_address_t mine = util_map(object, 0, 4, false);

		util_gate_close_writer(&to_child);
		EXPECT_EQ(0, util_why_write(mine + PAGE, 70));
		util_gate_open(&to_parent);
		EXPECT_EQ(0, util_gate_pass(&to_child));
		EXPECT_EQ(71, util_read(mine).byte);
		CHILD_END();
	}
	util_gate_close_writer(&to_parent);
	EXPECT_EQ(0, util_gate_pass(&to_parent));
	EXPECT_EQ(70, util_read(base + PAGE).byte);
	EXPECT_EQ(0, util_why_write(base, 71));
	util_gate_open(&to_child);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(1, util_pager_requests(pager, 0));
	EXPECT_EQ(1, util_pager_requests(pager, 1));
	util_pager_stop(pager);
}

TEST(V46_pager_error_is_SIGBUS_and_says_why)
{
	struct util_pager *pager = util_pager_start(8);
	vm_address_t base;
	struct util_access access;

	util_pager_fail_from(pager, 4, 1234);
	base = util_map(util_pager_object(pager), 0, 8, false);
	EXPECT_EQ(util_mark(3, 0), util_read(base + PAGES(3)).byte);
	access = util_read(base + PAGES(4) + 8);
	EXPECT_EQ(SIGBUS, access.signal);
	EXPECT_EQ((void *)(base + PAGES(4) + 8), access.address);
	EXPECT_EQ(KERN_SUCCESS, access.info);
	EXPECT_EQ(KERN_MEMORY_ERROR, access.why);
	EXPECT_EQ(1234, access.pager_reason);
	/* Errors pass: the next touch asks again. */
	util_pager_fail_from(pager, -1U, 0);
	EXPECT_EQ(util_mark(4, 0), util_read(base + PAGES(4)).byte);
	EXPECT_EQ(2, util_pager_requests(pager, 4));
	util_pager_stop(pager);
}

TEST(V46_pager_gone_is_SIGBUS)
{
	struct util_pager *pager = util_pager_start(8);
	vm_address_t base = util_map(util_pager_object(pager), 0, 8, false);
	vm_address_t copy = util_map(util_pager_object(pager), 0, 8, true);
	struct util_access access;

	EXPECT_EQ(util_mark(0, 0), util_read(base).byte);
	util_pager_stop(pager);
	EXPECT_EQ(util_mark(0, 0), util_read(base).byte);
	EXPECT_EQ(util_mark(0, 0), util_read(copy).byte);
	EXPECT_EQ(0, util_why_write(base, 3));
	EXPECT_EQ(0, util_why_write(copy, 4));
	access = util_read(base + PAGE);
	EXPECT_EQ(SIGBUS, access.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, access.why);
	access = util_write(copy + PAGE, 1);
	EXPECT_EQ(SIGBUS, access.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, access.why);
	EXPECT_EQ(3, util_read(base).byte);
	EXPECT_EQ(4, util_read(copy).byte);
}

HARNESS_MAIN
