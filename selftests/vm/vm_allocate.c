// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_allocate.c - vm_allocate and vm_deallocate: rows V1 to V3 of Mach's calls.
 */
#include "harness.h"
#include "util.h"

#include <sys/mman.h>
#include <unistd.h>

static kern_return_t allocate(vm_address_t *address, vm_size_t size, boolean_t anywhere)
{
	return vm_allocate(SELF, address, size, anywhere);
}

static kern_return_t fixed(vm_address_t address, vm_size_t size)
{
	return allocate(&address, size, FALSE);
}

/* Room for tests with fixed addresses: where there is nothing, and nobody else comes. */
static vm_address_t empty_range(unsigned int pages)
{
	vm_address_t base = util_make(pages);

	vm_deallocate(SELF, base, PAGES(pages));
	return base;
}

TEST(V1_fresh_memory_is_zero_and_as_mach_makes_it)
{
	struct util_region region;
	vm_address_t base = util_make(8);

	ASSERT_NE(0, base);
	EXPECT_EQ(0, base % PAGE);
	EXPECT_EQ(0, util_not_zero(base, 8));
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(base, region.address);
	EXPECT_EQ(PAGES(8), region.size);
	EXPECT_EQ(VM_PROT_READ | VM_PROT_WRITE, region.protection);
	EXPECT_EQ(VM_PROT_ALL, region.max_protection);
	EXPECT_EQ(VM_INHERIT_COPY, region.inheritance);
	EXPECT_FALSE(region.shared);
}

TEST(V1_what_is_written_stays)
{
	vm_address_t base = util_make(64);

	ASSERT_NE(0, base);
	util_fill(base, 64, 1);
	EXPECT_EQ(0, util_wrong(base, 64, 1));
	util_fill(base, 64, 2);
	EXPECT_EQ(0, util_wrong(base, 64, 2));
}

TEST(S2_7_allocate_of_nothing_gives_address_0)
{
	vm_address_t address = 0x1234;

	EXPECT_EQ(KERN_SUCCESS, allocate(&address, 0, TRUE));
	EXPECT_EQ(0, address);
	address = util_make(1);
	ASSERT_NE(0, address);
	EXPECT_EQ(KERN_SUCCESS, allocate(&address, 0, FALSE));
	EXPECT_EQ(0, address);
}

TEST(S2_7_deallocate_of_nothing)
{
	vm_address_t base = util_make(1);

	util_fill(base, 1, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, 0));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + 5, 0));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, 0, 0));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
}

/* The size is rounded by itself, not together with the address. */
TEST(S2_8_allocate_rounds_address_and_size_apart)
{
	vm_address_t room = empty_range(8), at = room + 0x123;

	ASSERT_EQ(KERN_SUCCESS, allocate(&at, PAGE, FALSE));
	EXPECT_EQ(room, at);
	EXPECT_EQ(PAGE, util_covered(room, room + PAGES(8)));

	at = room + PAGES(4) + 0x123;
	ASSERT_EQ(KERN_SUCCESS, allocate(&at, PAGE + 1, FALSE));
	EXPECT_EQ(room + PAGES(4), at);
	EXPECT_EQ(PAGES(2), util_covered(room + PAGES(4), room + PAGES(8)));
}

TEST(S2_8_allocate_of_a_byte_is_a_page)
{
	vm_address_t address = 0;
	struct util_region region;

	ASSERT_EQ(KERN_SUCCESS, allocate(&address, 1, TRUE));
	ASSERT_EQ(KERN_SUCCESS, util_region(address, &region));
	EXPECT_EQ(PAGE, region.size);
	EXPECT_EQ(0, util_why_write(address + PAGE - 1, 1));
}

TEST(S2_8_deallocate_takes_every_page_it_touches)
{
	vm_address_t base = util_make(6);

	util_fill(base, 6, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + 1, 1));
	EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base));
	EXPECT_EQ(0, util_why_read(base + PAGE));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(2) + PAGE - 1, 2));
	EXPECT_EQ(0, util_why_read(base + PAGES(1)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base + PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base + PAGES(3)));
	EXPECT_EQ(0, util_why_read(base + PAGES(4)));
	EXPECT_EQ(PAGES(3), util_covered(base, base + PAGES(6)));
}

TEST(S2_9_fixed_never_replaces)
{
	vm_address_t base = util_make(4);

	util_fill(base, 4, 1);
	EXPECT_EQ(KERN_NO_SPACE, fixed(base, PAGE));
	EXPECT_EQ(KERN_NO_SPACE, fixed(base + PAGES(1), PAGES(2)));
	EXPECT_EQ(KERN_NO_SPACE, fixed(base, PAGES(4)));
	EXPECT_EQ(KERN_NO_SPACE, fixed(base + PAGES(3), PAGES(2)));
	EXPECT_EQ(KERN_NO_SPACE, fixed(base + PAGES(3) + 0xfff, 1));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	EXPECT_EQ(PAGES(4), util_covered(base, base + PAGES(16)));
}

TEST(S2_9_fixed_never_replaces_at_either_end)
{
	vm_address_t room = empty_range(16), base = room + PAGES(4);

	ASSERT_EQ(KERN_SUCCESS, fixed(base, PAGES(4)));
	util_fill(base, 4, 1);
	/* One page over the lower end, and one over the upper end. */
	EXPECT_EQ(KERN_NO_SPACE, fixed(base - PAGES(2), PAGES(3)));
	EXPECT_EQ(KERN_NO_SPACE, fixed(base + PAGES(3), PAGES(3)));
	/* Around all of it. */
	EXPECT_EQ(KERN_NO_SPACE, fixed(room, PAGES(16)));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	EXPECT_EQ(PAGES(4), util_covered(room, room + PAGES(16)));
	/* Right up to it is not over it. */
	EXPECT_EQ(KERN_SUCCESS, fixed(base - PAGES(2), PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, fixed(base + PAGES(4), PAGES(2)));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

TEST(S2_9_fixed_over_linux_memory)
{
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	*page = 7;
	EXPECT_EQ(KERN_NO_SPACE, fixed((vm_address_t)page, PAGE));
	EXPECT_EQ(7, *page);
	EXPECT_EQ(KERN_NO_SPACE, fixed((vm_address_t)&page & -PAGE, PAGE));
}

TEST(V1_fixed_below_what_linux_allows)
{
	util_lowest_address(65536);
	ASSERT_EQ(0, setuid(1000));
	EXPECT_EQ(KERN_NO_SPACE, fixed(0, PAGE));
	EXPECT_EQ(KERN_NO_SPACE, fixed(PAGE, PAGE));
}

TEST(V1_fixed_outside_of_user_space)
{
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(1UL << 47, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(USER_END, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(USER_END - PAGE, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(-1UL << 47, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(util_make(1), 1UL << 47));
}

TEST(S2_6_allocate_that_wraps)
{
	vm_address_t base = util_make(2);

	util_fill(base, 2, 1);
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(-PAGE, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(-PAGE, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(base, -base));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(base, -base + PAGES(4)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(base, -PAGE));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
}

TEST(S2_6_allocate_of_a_size_that_rounds_to_0)
{
	vm_address_t address = 0x1000;

	EXPECT_EQ(KERN_INVALID_ARGUMENT, allocate(&address, -1UL, TRUE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, allocate(&address, -PAGE + 1, TRUE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, fixed(util_make(1), -1UL));
}

TEST(V1_anywhere_too_large)
{
	vm_address_t address = 0;

	EXPECT_EQ(KERN_NO_SPACE, allocate(&address, -PAGE, TRUE));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&address, 1UL << 47, TRUE));
	EXPECT_NE(0, util_make(1));
}

TEST(S2_6_deallocate_that_wraps_does_nothing)
{
	vm_address_t base = util_make(4);

	util_fill(base, 4, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, -base));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGE, -base));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(2), -PAGE));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, -1UL));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, -PAGE, PAGES(2)));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	EXPECT_EQ(PAGES(4), util_covered(base, base + PAGES(4)));
}

TEST(S2_5_deallocate_of_a_hole)
{
	vm_address_t base = util_make(8);

	util_fill(base, 8, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(2), PAGES(3)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(2), PAGES(3)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(3), PAGE));
	/* Neighbours are what they were. */
	EXPECT_EQ(0, util_wrong(base, 2, 1));
	for (int i = 5; i < 8; i++)
		EXPECT_EQ(util_mark(i, 1), util_read(base + PAGES(i)).byte);
	/* A hole at first, in the middle, at last. */
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(4), PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(1), PAGES(3)));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
	EXPECT_EQ(util_mark(6, 1), util_read(base + PAGES(6)).byte);
	EXPECT_EQ(PAGES(3), util_covered(base, base + PAGES(8)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(8)));
	EXPECT_EQ(0, util_covered(base, base + PAGES(8)));
}

TEST(S2_5_deallocate_of_what_was_never_there)
{
	vm_address_t base = util_make(1);
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + (1UL << 30), PAGE));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, 1UL << 47, PAGES(16)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, -PAGES(4), PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, 0, PAGE));
	/* Linux's memory is as a hole. */
	*page = 7;
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, (vm_address_t)page, PAGE));
	EXPECT_EQ(7, *page);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, (vm_address_t)&page & -PAGE, PAGE));
	EXPECT_EQ(PAGE, util_covered(base, base + PAGE));
}

TEST(V3_deallocated_memory_cannot_be_touched)
{
	struct util_access access;
	vm_address_t base = util_make(2);

	util_fill(base, 2, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(2)));
	access = util_read(base + 17);
	EXPECT_EQ(SIGSEGV, access.signal);
	EXPECT_EQ((void *)(base + 17), access.address);
	EXPECT_EQ(KERN_SUCCESS, access.info);
	EXPECT_EQ(KERN_INVALID_ADDRESS, access.why);
	access = util_write(base + PAGE, 1);
	EXPECT_EQ(SIGSEGV, access.signal);
	EXPECT_EQ(KERN_INVALID_ADDRESS, access.why);
}

TEST(V3_deallocated_and_allocated_anew_is_zero)
{
	vm_address_t base = util_make(8), middle = base + PAGES(3), tail = base + PAGES(7);

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, middle, PAGE));
	ASSERT_EQ(KERN_SUCCESS, fixed(middle, PAGE));
	EXPECT_EQ(0, util_not_zero(middle, 1));
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, tail, PAGE));
	ASSERT_EQ(KERN_SUCCESS, fixed(tail, PAGE));
	EXPECT_EQ(0, util_not_zero(tail, 1));
	EXPECT_EQ(0, util_wrong(base, 3, 1));
	EXPECT_EQ(util_mark(6, 1), util_read(base + PAGES(6)).byte);
}

TEST(V3_many_times_the_same_place)
{
	vm_address_t base = empty_range(16);

	for (int round = 0; round < 200; round++) {
		ASSERT_EQ(KERN_SUCCESS, fixed(base, PAGES(16)));
		ASSERT_EQ(0, util_not_zero(base + PAGES(round % 16), 1));
		util_fill(base, 16, round);
		ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(16)));
	}
	EXPECT_EQ(0, util_covered(base, base + PAGES(16)));
}

/* What is taken away gives its pages back, not only at the end of the region. */
/* Pages that machvm has in memory; -1 if nobody knows. */
static long pages_in_memory(void)
{
	vm_statistics_data_t now;

	if (vm_statistics(SELF, &now))
		return -1;
	return now.active_count + now.inactive_count;
}

TEST(V4_part_of_a_region_gives_its_pages_back)
{
	vm_address_t base = util_make(64);
	long before;

	util_fill(base, 64, 1);
	before = pages_in_memory();
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(16), PAGES(32)));
	EXPECT_EQ(before - 32, pages_in_memory());
	EXPECT_EQ(0, util_wrong(base, 16, 1));
}

/* As an allocator does: what is left becomes as many regions as there are pages. */
TEST(V4_every_second_page_gives_itself_back)
{
	vm_address_t base = util_make(128);
	long before;

	util_fill(base, 128, 1);
	before = pages_in_memory();
	for (int i = 1; i < 128; i += 2)
		ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(i), PAGE));
	EXPECT_EQ(before - 64, pages_in_memory());
	for (int i = 0; i < 128; i += 2)
		EXPECT_EQ(util_mark(i, 1), *(unsigned char *)(base + PAGES(i)));
}

TEST(V4_pages_give_themselves_back_in_any_order)
{
	vm_address_t base = util_make(128);
	long before;

	util_fill(base, 128, 1);
	before = pages_in_memory();
	for (int i = 0; i < 128; i++) {
		ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(i * 37 % 128), PAGE));
		ASSERT_EQ(before - i - 1, pages_in_memory());
	}
}

TEST(V2_anywhere_is_free_and_aligned)
{
	vm_address_t base[32];

	for (int i = 0; i < 32; i++) {
		base[i] = util_make(1 + i % 5);
		ASSERT_NE(0, base[i]);
		EXPECT_EQ(0, base[i] % PAGE);
		for (int j = 0; j < i; j++)
			EXPECT_TRUE(base[i] + PAGES(1 + i % 5) <= base[j] ||
				    base[j] + PAGES(1 + j % 5) <= base[i]);
		util_fill(base[i], 1 + i % 5, i);
	}
	for (int i = 0; i < 32; i++)
		EXPECT_EQ(0, util_wrong(base[i], 1 + i % 5, i));
}

TEST(V2_anywhere_finds_a_hole)
{
	vm_address_t room, address;

	/* A hole of exactly the size among neighbours is as good as any place. */
	room = util_make(1024);
	for (int i = 1; i < 1024; i += 2)
		ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, room + PAGES(i), PAGE));
	for (int i = 0; i < 512; i++) {
		address = util_make(1);
		ASSERT_NE(0, address);
		*(char *)address = 1;
	}
}

TEST(S2_11_hint_is_not_looked_at)
{
	vm_address_t base = util_make(1);
	vm_address_t hints[] = { 0, 1, 0x40000000, base, base + 1, USER_END, 1UL << 47, -1UL };

	for (int i = 0; i < 8; i++) {
		vm_address_t address = hints[i];

		EXPECT_EQ(KERN_SUCCESS, allocate(&address, PAGE, TRUE));
		EXPECT_NE(0, address);
		EXPECT_EQ(0, address % PAGE);
		EXPECT_NE(base, address);
		EXPECT_EQ(0, util_why_write(address, 1));
	}
}

/* The library may leave the hint out; the kernel ignores it as well. */
TEST(S2_11_hint_is_not_looked_at_by_the_kernel)
{
	vm_address_t base = util_make(1);
	vm_address_t hints[] = { 1, base, base + 1, USER_END, 1UL << 47, -1UL };

	for (int i = 0; i < 6; i++) {
		struct machvm_vm_allocate call = {
			.size = sizeof(call),
			.task = MACHVM_TASK_SELF,
			.anywhere = 1,
			.address = hints[i],
			.length = PAGE,
		};
		struct machvm_vm_map map = {
			.size = sizeof(map),
			.task = MACHVM_TASK_SELF,
			.anywhere = 1,
			.address = hints[i],
			.length = PAGE,
			.object = -1,
			.protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE,
			.max_protection = MACHVM_PROT_ALL,
			.inheritance = MACHVM_INHERIT_COPY,
		};

		EXPECT_EQ(0, util_ioctl(util_device(), MACHVM_VM_ALLOCATE, &call));
		EXPECT_EQ(0, util_why_write(call.address, 1));
		EXPECT_EQ(0, util_ioctl(util_device(), MACHVM_VM_MAP, &map));
		EXPECT_EQ(0, util_why_write(map.address, 1));
	}
}

TEST(V1_task_of_no_kind)
{
	vm_address_t address = 0;

	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_allocate(MACH_PORT_NULL, &address, PAGE, TRUE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_allocate(MACH_PORT_DEAD, &address, PAGE, TRUE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_allocate(mach_host_self(), &address, PAGE, TRUE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_deallocate(MACH_PORT_NULL, 0x1000, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_deallocate(mach_host_self(), 0x1000, PAGE));
}

TEST(V1_thousand_regions)
{
	vm_address_t room = empty_range(2048);

	for (int i = 0; i < 2048; i += 2) {
		ASSERT_EQ(KERN_SUCCESS, fixed(room + PAGES(i), PAGE));
		*(char *)(room + PAGES(i)) = util_mark(i, 3);
	}
	EXPECT_EQ(1024, util_regions(room, room + PAGES(2048)));
	for (int i = 0; i < 2048; i += 2)
		EXPECT_EQ(util_mark(i, 3), *(unsigned char *)(room + PAGES(i)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, room, PAGES(2048)));
	EXPECT_EQ(0, util_regions(room, room + PAGES(2048)));
}

HARNESS_MAIN
