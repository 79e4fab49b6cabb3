// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_region.c - vm_region, and which neighbours become one region: rows V17, V18, V39, V42.
 */
#include "harness.h"
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static kern_return_t fixed(vm_address_t address, vm_size_t size)
{
	return vm_allocate(SELF, &address, size, FALSE);
}

static vm_address_t empty_range(unsigned int pages)
{
	vm_address_t base = util_make(pages);

	vm_deallocate(SELF, base, PAGES(pages));
	return base;
}

TEST(S2_12_region_of_a_hole_is_the_next)
{
	struct util_region region;
	vm_address_t base = util_make(8);

	vm_deallocate(SELF, base + PAGES(2), PAGES(3));
	ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGES(2), &region));
	EXPECT_EQ(base + PAGES(5), region.address);
	EXPECT_EQ(PAGES(3), region.size);
	ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGES(4) + 0xfff, &region));
	EXPECT_EQ(base + PAGES(5), region.address);
	/* An address inside gives all of the region. */
	ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGE + 5, &region));
	EXPECT_EQ(base, region.address);
	EXPECT_EQ(PAGES(2), region.size);
	ASSERT_EQ(KERN_SUCCESS, util_region(0, &region));
	EXPECT_EQ(base, region.address);
}

TEST(S2_12_past_the_last_region)
{
	struct util_region region = { .size = 77 };
	vm_address_t base = util_make(2);

	EXPECT_EQ(KERN_NO_SPACE, util_region(base + PAGES(2), &region));
	EXPECT_EQ(base + PAGES(2), region.address);
	EXPECT_EQ(77, region.size);
	EXPECT_EQ(KERN_NO_SPACE, util_region(USER_END, &region));
	EXPECT_EQ(KERN_NO_SPACE, util_region(-1UL, &region));
}

TEST(S2_12_a_task_without_regions)
{
	struct util_region region;
	vm_address_t base;

	EXPECT_EQ(KERN_NO_SPACE, util_region(0, &region));
	base = util_make(1);
	EXPECT_EQ(KERN_SUCCESS, util_region(0, &region));
	vm_deallocate(SELF, base, PAGE);
	EXPECT_EQ(KERN_NO_SPACE, util_region(0, &region));
}

TEST(S2_12_a_walk_ends)
{
	vm_address_t base = util_make(64);

	for (int i = 1; i < 64; i += 2)
		vm_deallocate(SELF, base + PAGES(i), PAGE);
	EXPECT_EQ(32, util_regions(0, -1UL));
	EXPECT_EQ(PAGES(32), util_covered(0, -1UL));
}

TEST(V17_linux_memory_is_no_region)
{
	vm_address_t base = util_make(1);
	struct util_region region;
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(1, util_regions(0, -1UL));
	if (util_region((vm_address_t)page, &region) == KERN_SUCCESS)
		EXPECT_EQ(base, region.address);
	if (util_region((vm_address_t)&page, &region) == KERN_SUCCESS)
		EXPECT_EQ(base, region.address);
}

TEST(V17_untouched_memory_has_no_object)
{
	struct util_region region;
	vm_address_t base = util_make(2);

	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(MACH_PORT_NULL, region.name);
	EXPECT_EQ(0, region.offset);
	*(char *)base = 1;
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_NE(MACH_PORT_NULL, region.name);
	EXPECT_EQ(KERN_SUCCESS, mach_port_deallocate(SELF, region.name));
}

TEST(V17_offset_follows_the_cut)
{
	struct util_region whole, part;
	vm_address_t base = util_make(8);

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &whole));
	vm_protect(SELF, base + PAGES(3), PAGES(2), FALSE, VM_PROT_READ);
	ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGES(3), &part));
	EXPECT_EQ(base + PAGES(3), part.address);
	EXPECT_EQ(PAGES(2), part.size);
	EXPECT_EQ(whole.name, part.name);
	EXPECT_EQ(whole.offset + PAGES(3), part.offset);
	ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGES(5), &part));
	EXPECT_EQ(whole.offset + PAGES(5), part.offset);
}

TEST(V18_resident_and_dirty_pages)
{
	struct machvm_vm_region region;
	vm_address_t base = util_make(16);

	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	EXPECT_EQ(0, region.out_resident);
	EXPECT_EQ(0, region.out_object);
	util_fill(base, 5, 1);
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	EXPECT_EQ(5, region.out_resident);
	EXPECT_EQ(5, region.out_dirty);
	EXPECT_NE(0, region.out_object);
	EXPECT_EQ(0, region.out_shadow_depth);
	EXPECT_EQ(0, region.out_wired);
	EXPECT_EQ(0, region.out_flags);
	vm_deallocate(SELF, base + PAGES(1), PAGES(2));
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base + PAGES(3), &region));
	EXPECT_EQ(2, region.out_resident);
}

TEST(V42_neighbours_never_touched_are_one)
{
	vm_address_t room = empty_range(16), base = room + PAGES(4);

	ASSERT_EQ(KERN_SUCCESS, fixed(base, PAGE));
	ASSERT_EQ(KERN_SUCCESS, fixed(base + PAGE, PAGE));		/* appended */
	EXPECT_EQ(1, util_regions(room, room + PAGES(16)));
	ASSERT_EQ(KERN_SUCCESS, fixed(base - PAGE, PAGE));		/* before */
	EXPECT_EQ(1, util_regions(room, room + PAGES(16)));
	ASSERT_EQ(KERN_SUCCESS, fixed(base + PAGES(3), PAGE));
	EXPECT_EQ(2, util_regions(room, room + PAGES(16)));
	ASSERT_EQ(KERN_SUCCESS, fixed(base + PAGES(2), PAGE));		/* into the gap */
	EXPECT_EQ(1, util_regions(room, room + PAGES(16)));
	EXPECT_EQ(PAGES(5), util_covered(room, room + PAGES(16)));
}

TEST(V42_append_to_a_touched_region)
{
	vm_address_t room = empty_range(16);

	ASSERT_EQ(KERN_SUCCESS, fixed(room, PAGE));
	util_fill(room, 1, 1);
	for (int i = 1; i < 8; i++) {
		ASSERT_EQ(KERN_SUCCESS, fixed(room + PAGES(i), PAGE));
		EXPECT_EQ(1, util_regions(room, room + PAGES(16)));
		EXPECT_EQ(0, util_not_zero(room + PAGES(i), 1));
		*(char *)(room + PAGES(i)) = 1;
	}
	EXPECT_EQ(0, util_wrong(room, 1, 1));
}

/* Whatever is one region or two, the bytes are right. */
TEST(V42_before_and_between_touched_regions)
{
	vm_address_t room = empty_range(16);

	ASSERT_EQ(KERN_SUCCESS, fixed(room + PAGES(2), PAGE));
	util_fill(room + PAGES(2), 1, 1);
	ASSERT_EQ(KERN_SUCCESS, fixed(room + PAGES(1), PAGE));
	EXPECT_EQ(2, util_regions(room, room + PAGES(16)));
	ASSERT_EQ(KERN_SUCCESS, fixed(room + PAGES(4), PAGE));
	util_fill(room + PAGES(4), 1, 2);
	ASSERT_EQ(KERN_SUCCESS, fixed(room + PAGES(3), PAGE));
	EXPECT_EQ(PAGES(4), util_covered(room, room + PAGES(16)));
	EXPECT_EQ(0, util_not_zero(room + PAGES(1), 1));
	EXPECT_EQ(0, util_not_zero(room + PAGES(3), 1));
	EXPECT_EQ(0, util_wrong(room + PAGES(2), 1, 1));
	EXPECT_EQ(0, util_wrong(room + PAGES(4), 1, 2));
}

TEST(V42_reallocated_middle_and_tail)
{
	vm_address_t base = util_make(5);

	util_fill(base, 5, 1);
	vm_deallocate(SELF, base + PAGES(4), PAGE);
	ASSERT_EQ(KERN_SUCCESS, fixed(base + PAGES(4), PAGE));
	EXPECT_EQ(1, util_regions(base, base + PAGES(5)));
	EXPECT_EQ(0, util_not_zero(base + PAGES(4), 1));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

TEST(S2_13_protect_and_back_is_one_region)
{
	vm_address_t base = util_make(9);

	for (int touched = 0; touched < 2; touched++) {
		vm_protect(SELF, base + PAGES(4), PAGE, FALSE, VM_PROT_READ);
		EXPECT_EQ(3, util_regions(base, base + PAGES(9)));
		vm_protect(SELF, base + PAGES(4), PAGE, FALSE, VM_PROT_DEFAULT);
		EXPECT_EQ(1, util_regions(base, base + PAGES(9)));
		/* At both ends. */
		vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ);
		vm_protect(SELF, base + PAGES(8), PAGE, FALSE, VM_PROT_READ);
		EXPECT_EQ(3, util_regions(base, base + PAGES(9)));
		vm_protect(SELF, base, PAGES(9), FALSE, VM_PROT_DEFAULT);
		EXPECT_EQ(1, util_regions(base, base + PAGES(9)));
		/* In pieces that become alike one by one. */
		for (int i = 0; i < 9; i += 2)
			vm_protect(SELF, base + PAGES(i), PAGE, FALSE, VM_PROT_READ);
		EXPECT_EQ(9, util_regions(base, base + PAGES(9)));
		for (int i = 0; i < 9; i += 2)
			vm_protect(SELF, base + PAGES(i), PAGE, FALSE, VM_PROT_DEFAULT);
		EXPECT_EQ(1, util_regions(base, base + PAGES(9)));
		util_fill(base, 9, 1);
	}
	EXPECT_EQ(0, util_wrong(base, 9, 1));
}

/* Equal neighbours may be wired for different calls, so what was wired apart stays apart. */
TEST(S2_13_wiring_and_back_are_regions_still)
{
	vm_address_t base = util_make(3);

	util_fill(base, 3, 1);
	ASSERT_EQ(KERN_SUCCESS,
		  vm_wire(mach_host_priv(), SELF, base + PAGE, PAGE, VM_PROT_READ));
	EXPECT_EQ(3, util_regions(base, base + PAGES(3)));
	ASSERT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), SELF, base + PAGE, PAGE, VM_PROT_NONE));
	EXPECT_EQ(3, util_regions(base, base + PAGES(3)));
	EXPECT_EQ(0, util_wrong(base, 3, 1));
}

TEST(S2_13_what_differs_stays_apart)
{
	vm_address_t room = empty_range(8), at = room;

	ASSERT_EQ(KERN_SUCCESS, fixed(room, PAGE));
	at = room + PAGE;
	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &at, PAGE, 0, FALSE, MEMORY_OBJECT_NULL, 0, FALSE,
				       VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_NONE));
	EXPECT_EQ(2, util_regions(room, room + PAGES(8)));
	at = room + PAGES(2);
	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &at, PAGE, 0, FALSE, MEMORY_OBJECT_NULL, 0, FALSE,
				       VM_PROT_DEFAULT, VM_PROT_DEFAULT, VM_INHERIT_NONE));
	EXPECT_EQ(3, util_regions(room, room + PAGES(8)));
	at = room + PAGES(3);
	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &at, PAGE, 0, FALSE, MEMORY_OBJECT_NULL, 0, FALSE,
				       VM_PROT_READ, VM_PROT_DEFAULT, VM_INHERIT_NONE));
	EXPECT_EQ(4, util_regions(room, room + PAGES(8)));
}

TEST(V42_anywhere_makes_neighbours)
{
	vm_address_t first = util_make(1), low = first, high = first + PAGE;

	for (int i = 0; i < 3; i++) {
		vm_address_t next = util_make(1);

		low = next < low ? next : low;
		high = next + PAGE > high ? next + PAGE : high;
	}
	EXPECT_EQ(PAGES(4), high - low);
	EXPECT_EQ(1, util_regions(low, high));
}

TEST(V42_append_after_a_fork_is_a_region_of_its_own)
{
	vm_address_t room = empty_range(8);
	struct util_gate gate;
	pid_t pid;

	ASSERT_EQ(KERN_SUCCESS, fixed(room, PAGES(2)));
	util_fill(room, 2, 1);
	ASSERT_EQ(0, util_gate_init(&gate));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&gate);
		util_gate_pass(&gate);
		EXPECT_EQ(0, util_wrong(room, 2, 1));
		EXPECT_EQ(PAGES(2), util_covered(room, room + PAGES(8)));
		CHILD_END();
	}
	ASSERT_EQ(KERN_SUCCESS, fixed(room + PAGES(2), PAGE));
	EXPECT_EQ(2, util_regions(room, room + PAGES(8)));
	EXPECT_EQ(0, util_not_zero(room + PAGES(2), 1));
	util_fill(room, 3, 2);
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(room, 3, 2));
}

TEST(V17_region_of_another_task)
{
	struct machvm_vm_region region;
	struct util_gate ready, done;
	vm_address_t *base = util_shared(PAGE);
	char path[64];
	pid_t pid;
	int fd;

	ASSERT_EQ(0, util_gate_init(&ready) || util_gate_init(&done));
	pid = fork();
	if (pid == 0) {
		*base = util_make(3);
		util_fill(*base, 2, 1);
		util_gate_open(&ready);
		util_gate_close_writer(&done);
		util_gate_pass(&done);
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(KERN_SUCCESS, util_region_full(fd, 0, &region));
	EXPECT_EQ(*base, region.address);
	EXPECT_EQ(PAGES(3), region.out_length);
	EXPECT_EQ(2, region.out_resident);
	EXPECT_EQ(KERN_NO_SPACE, util_region_full(fd, *base + PAGES(3), &region));
	close(fd);
	/* Without the right to read, and what is no task at all. */
	fd = open(path, O_WRONLY);
	EXPECT_EQ(-EBADF, util_region_full(fd, 0, &region));
	close(fd);
	fd = open("/dev/null", O_RDWR);
	EXPECT_EQ(-EBADF, util_region_full(fd, 0, &region));
	EXPECT_EQ(-EBADF, util_region_full(util_device(), 0, &region));
	EXPECT_EQ(-EBADF, util_region_full(-5, 0, &region));
	EXPECT_EQ(-EBADF, util_region_full(900, 0, &region));
	/* Our own map was never begun. */
	EXPECT_EQ(KERN_NO_SPACE, util_region_full(MACHVM_TASK_SELF, 0, &region));
	util_gate_open(&done);
	EXPECT_EQ(0, util_wait(pid));
}

/* Sizes and addresses are those of a 64-bit machine wherever a call takes one. */
TEST(V39_more_than_32_bits_will_hold)
{
	const vm_size_t span = 1UL << 32, size = 10 * span;
	struct util_region region;
	vm_address_t base = 0;

	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &base, size, TRUE));
	EXPECT_LT(span, base);
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(size, region.size);
	/* Pages that would be one another's if an offset were cut off. */
	for (unsigned int i = 0; i < 10; i++)
		util_fill(base + i * span, 1, i);
	for (unsigned int i = 0; i < 10; i++)
		EXPECT_EQ(0, util_wrong(base + i * span, 1, i));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base + 7 * span, span, base + 2 * span));
	EXPECT_EQ(0, util_wrong(base + 2 * span, 1, 7));
	EXPECT_EQ(0, util_wrong(base + 3 * span, 1, 3));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base + span, 2 * span, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(SELF, base + 4 * span, span, VM_INHERIT_NONE));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + 6 * span, 3 * span));
	ASSERT_EQ(KERN_SUCCESS, util_region(base + 3 * span - 1, &region));
	EXPECT_EQ(VM_PROT_READ, region.protection);
	EXPECT_EQ(base + 3 * span, region.address + region.size);
	ASSERT_EQ(KERN_SUCCESS, util_region(base + 4 * span, &region));
	EXPECT_EQ(VM_INHERIT_NONE, region.inheritance);
	EXPECT_EQ(span, region.size);
	ASSERT_EQ(KERN_SUCCESS, util_region(base + 6 * span, &region));
	EXPECT_EQ(base + 9 * span, region.address);
	EXPECT_EQ(0, util_wrong(region.address, 1, 9));
}

HARNESS_MAIN
