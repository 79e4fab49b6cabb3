// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_inherit.c - what a child of fork gets of a region: rows V8 and C1 to C3.
 */
#include "harness.h"
#include "util.h"

#include <sys/mman.h>
#include <unistd.h>

static kern_return_t inherit(vm_address_t address, vm_size_t size, vm_inherit_t inheritance)
{
	return vm_inherit(SELF, address, size, inheritance);
}

static vm_inherit_t inheritance(vm_address_t address)
{
	struct util_region region;

	if (util_region(address, &region) != KERN_SUCCESS || region.address > address)
		return -1;
	return region.inheritance;
}

TEST(V8_values)
{
	vm_address_t base = util_make(2);

	EXPECT_EQ(KERN_SUCCESS, inherit(base, PAGE, VM_INHERIT_SHARE));
	EXPECT_EQ(VM_INHERIT_SHARE, inheritance(base));
	EXPECT_EQ(VM_INHERIT_COPY, inheritance(base + PAGE));
	EXPECT_EQ(KERN_SUCCESS, inherit(base, PAGE, VM_INHERIT_NONE));
	EXPECT_EQ(VM_INHERIT_NONE, inheritance(base));
	EXPECT_EQ(KERN_SUCCESS, inherit(base, PAGE, VM_INHERIT_ZERO));
	EXPECT_EQ(VM_INHERIT_ZERO, inheritance(base));
	EXPECT_EQ(KERN_SUCCESS, inherit(base, PAGE, VM_INHERIT_COPY));
	EXPECT_EQ(1, util_regions(base, base + PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, inherit(base, PAGE, 3));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, inherit(base, PAGE, -1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, inherit(base, PAGE, 7));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, inherit(base + (1UL << 30), PAGE, 3));
	EXPECT_EQ(VM_INHERIT_COPY, inheritance(base));
}

TEST(S2_4_inherit_over_holes)
{
	vm_address_t base = util_make(8);

	vm_deallocate(SELF, base, PAGE);
	vm_deallocate(SELF, base + PAGES(3), PAGE);
	vm_deallocate(SELF, base + PAGES(7), PAGE);
	EXPECT_EQ(KERN_SUCCESS, inherit(base, PAGES(8), VM_INHERIT_NONE));
	for (int i = 1; i < 7; i++)
		EXPECT_EQ(i == 3 ? -1 : VM_INHERIT_NONE, inheritance(base + PAGES(i)));
	EXPECT_EQ(KERN_SUCCESS, inherit(base + PAGES(3), PAGE, VM_INHERIT_SHARE));
	EXPECT_EQ(KERN_SUCCESS, inherit(base + (1UL << 30), PAGE, VM_INHERIT_SHARE));
	EXPECT_EQ(KERN_SUCCESS, inherit(1UL << 47, PAGE, VM_INHERIT_SHARE));
}

TEST(S2_6_inherit_that_wraps)
{
	vm_address_t base = util_make(4);

	EXPECT_EQ(KERN_SUCCESS, inherit(base + PAGE, -base, VM_INHERIT_NONE));
	EXPECT_EQ(KERN_SUCCESS, inherit(base + PAGES(2), -PAGE, VM_INHERIT_NONE));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(VM_INHERIT_COPY, inheritance(base + PAGES(i)));
	EXPECT_EQ(1, util_regions(base, base + PAGES(4)));
}

TEST(S2_7_inherit_of_nothing)
{
	vm_address_t base = util_make(1);

	EXPECT_EQ(KERN_SUCCESS, inherit(base, 0, VM_INHERIT_NONE));
	EXPECT_EQ(KERN_SUCCESS, inherit(base + 9, 0, VM_INHERIT_NONE));
	EXPECT_EQ(VM_INHERIT_COPY, inheritance(base));
}

TEST(S2_8_inherit_takes_every_page_it_touches)
{
	vm_address_t base = util_make(4);

	EXPECT_EQ(KERN_SUCCESS, inherit(base + 1, 1, VM_INHERIT_NONE));
	EXPECT_EQ(VM_INHERIT_NONE, inheritance(base));
	EXPECT_EQ(VM_INHERIT_COPY, inheritance(base + PAGE));
	EXPECT_EQ(KERN_SUCCESS, inherit(base + PAGE + 0xfff, 2, VM_INHERIT_NONE));
	EXPECT_EQ(VM_INHERIT_NONE, inheritance(base + PAGE));
	EXPECT_EQ(VM_INHERIT_NONE, inheritance(base + PAGES(2)));
	EXPECT_EQ(VM_INHERIT_COPY, inheritance(base + PAGES(3)));
}

/* In the place of what the parent has, whatever that is, a child of any generation has zeroes. */
TEST(V8_C3_zero_is_fresh_memory_in_the_child)
{
	struct util_pager *pager = util_pager_start(2);
	vm_address_t base = util_make(4), object;
	pid_t pid, grandchild;

	object = util_map(util_pager_object(pager), 0, 2, false);
	ASSERT_NE(0, object);
	EXPECT_EQ(0, util_wrong(object, 2, 0));
	util_fill(base, 2, 1);
	ASSERT_EQ(KERN_SUCCESS, inherit(base, PAGES(4), VM_INHERIT_ZERO));
	ASSERT_EQ(KERN_SUCCESS, inherit(object, PAGES(2), VM_INHERIT_ZERO));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(VM_INHERIT_ZERO, inheritance(base));
		EXPECT_EQ(0, util_not_zero(base, 4));
		EXPECT_EQ(0, util_not_zero(object, 2));
		util_fill(base, 4, 2);
		util_fill(object, 2, 2);
		grandchild = fork();
		if (grandchild == 0) {
			EXPECT_EQ(0, util_not_zero(base, 4));
			EXPECT_EQ(0, util_not_zero(object, 2));
			CHILD_END();
		}
		EXPECT_EQ(0, util_wait(grandchild));
		EXPECT_EQ(0, util_wrong(base, 4, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
	EXPECT_EQ(0, util_not_zero(base + PAGES(2), 2));
	EXPECT_EQ(0, util_wrong(object, 2, 0));
	util_pager_stop(pager);
}

TEST(C3_none_is_a_hole_in_the_child)
{
	vm_address_t base = util_make(4);
	pid_t pid;

	util_fill(base, 4, 1);
	inherit(base + PAGE, PAGES(2), VM_INHERIT_NONE);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(PAGES(2), util_covered(base, base + PAGES(4)));
		EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base + PAGE));
		EXPECT_EQ(util_mark(3, 1), util_read(base + PAGES(3)).byte);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

/* Parent and child take turns to write to the same pages. */
static void share_turns(struct __test_metadata *_metadata, vm_address_t base)
{
	struct util_gate to_child, to_parent;
	struct util_region region;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&to_child) || util_gate_init(&to_parent));
	ASSERT_EQ(KERN_SUCCESS, inherit(base, PAGES(4), VM_INHERIT_SHARE));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&to_child);
		util_fill(base, 2, 5);
		util_gate_open(&to_parent);
		EXPECT_EQ(0, util_gate_pass(&to_child));
		EXPECT_EQ(0, util_wrong(base, 4, 6));
		ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
		EXPECT_TRUE(region.shared);
		CHILD_END();
	}
	util_gate_close_writer(&to_parent);
	EXPECT_EQ(0, util_gate_pass(&to_parent));
	EXPECT_EQ(0, util_wrong(base, 2, 5));
	util_fill(base, 4, 6);
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_TRUE(region.shared);
	util_gate_open(&to_child);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 6));
}

TEST(C1_share_of_touched_memory)
{
	vm_address_t base = util_make(4);

	util_fill(base, 4, 1);
	share_turns(_metadata, base);
}

TEST(S2_25_share_of_never_touched_memory)
{
	share_turns(_metadata, util_make(4));
}

/* The first child has a copy, the second shares; the parent sees only the second. */
TEST(S2_24_share_after_a_copy)
{
	vm_address_t base = util_make(4);
	struct util_gate gate;
	pid_t first;

	ASSERT_EQ(0, util_gate_init(&gate));
	util_fill(base, 4, 1);
	first = fork();
	if (first == 0) {
		util_gate_close_writer(&gate);
		EXPECT_EQ(0, util_gate_pass(&gate));
		EXPECT_EQ(0, util_wrong(base, 4, 1));
		CHILD_END();
	}
	share_turns(_metadata, base);
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(first));
	EXPECT_EQ(0, util_wrong(base, 4, 6));
}

/* A grandchild of shared memory may get a copy of it. */
TEST(S2_24_copy_after_a_share)
{
	vm_address_t base = util_make(4);
	struct util_gate gate;
	pid_t pid, copy;

	ASSERT_EQ(0, util_gate_init(&gate));
	util_fill(base, 4, 1);
	inherit(base, PAGES(4), VM_INHERIT_SHARE);
	pid = fork();
	if (pid == 0) {
		inherit(base, PAGES(4), VM_INHERIT_COPY);
		copy = fork();
		if (copy == 0) {
			util_gate_close_writer(&gate);
			EXPECT_EQ(0, util_gate_pass(&gate));
			EXPECT_EQ(0, util_wrong(base, 4, 1));
			util_fill(base, 4, 3);
			CHILD_END();
		}
		util_fill(base, 4, 2);
		util_gate_open(&gate);
		EXPECT_EQ(0, util_wait(copy));
		EXPECT_EQ(0, util_wrong(base, 4, 2));
		CHILD_END();
	}
	util_gate_close_writer(&gate);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 2));
}

/* Nor does what a third task writes, which had no part in the fork. */
TEST(S2_24_writes_of_a_third_task_do_not_reach_a_copy)
{
	vm_address_t base = util_make(4);
	struct util_gate copied, written;
	pid_t pid, copy;

	ASSERT_EQ(0, util_gate_init(&copied));
	ASSERT_EQ(0, util_gate_init(&written));
	util_fill(base, 4, 1);
	inherit(base, PAGES(4), VM_INHERIT_SHARE);
	pid = fork();
	if (pid == 0) {
		inherit(base, PAGES(4), VM_INHERIT_COPY);
		copy = fork();
		if (copy == 0) {
			EXPECT_EQ(0, util_gate_pass(&written));
			EXPECT_EQ(0, util_wrong(base, 4, 1));
			CHILD_END();
		}
		util_gate_open(&copied);
		EXPECT_EQ(0, util_wait(copy));
		EXPECT_EQ(0, util_wrong(base, 4, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_gate_pass(&copied));
	util_fill(base, 4, 2);
	util_gate_open(&written);
	EXPECT_EQ(0, util_wait(pid));
}

/* Protection and holes are each task's own, the memory is both's. */
TEST(C1_shared_memory_has_two_maps)
{
	vm_address_t base = util_make(4);
	pid_t pid;

	inherit(base, PAGES(4), VM_INHERIT_SHARE);
	pid = fork();
	if (pid == 0) {
		vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ);
		vm_deallocate(SELF, base + PAGE, PAGE);
		*(char *)(base + PAGES(2)) = 77;
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(77, util_read(base + PAGES(2)).byte);
	util_fill(base, 4, 2);
	EXPECT_EQ(0, util_wrong(base, 4, 2));
}

HARNESS_MAIN
