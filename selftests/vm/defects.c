// SPDX-License-Identifier: GPL-2.0-only
/*
 * defects.c - the calls that brought a live Mach kernel down, leaked, or took for ever: the same
 * ones in the same order, and what they are to come to.
 */
#include "harness.h"
#include "util.h"

#include <mach/memory_object_control.h>
#include <pthread.h>

/* The map is as it was, and its lock is free. */
#define EXPECT_USABLE(base)                                                              \
	do {                                                                             \
		vm_address_t at_ = 0;                                                    \
											 \
		EXPECT_EQ(0, util_wrong(base, 1, 1));                                    \
		EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &at_, PAGE, TRUE));            \
		EXPECT_EQ(0, util_why_write(at_, 1));                                    \
		EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, at_, PAGE));                 \
	} while (0)

static kern_return_t map_masked(vm_address_t *at, vm_size_t size, vm_address_t mask)
{
	return vm_map(SELF, at, size, mask, TRUE, MACH_PORT_NULL, 0, FALSE, VM_PROT_DEFAULT,
		      VM_PROT_ALL, VM_INHERIT_COPY);
}

/* There, the map was unlocked once too often, and two calls were a panic. */
TEST(defect_0_anywhere_with_a_mask_of_refused_shape)
{
	const vm_address_t masks[] = { 0x1000, 0xf0f000, 0xfff000, 0x1000, -1UL, 0xf0f000 };
	vm_address_t base = util_make(1), at;

	util_fill(base, 1, 1);
	for (unsigned int i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		at = 0;
		EXPECT_EQ(KERN_NO_SPACE, map_masked(&at, PAGE, masks[i]));
		EXPECT_EQ(0, at);
		EXPECT_USABLE(base);
	}
}

/* There, masks were scanned in 32 bits, and a gap above the ceiling ended the search. */
TEST(defect_0_ceilings_and_alignments_beyond_4_GiB)
{
	vm_address_t base = util_make(64), low = 0, aligned = 0;
	const vm_address_t ceiling = ~((1UL << 47) - 1);

	ASSERT_NE(0, base);
	EXPECT_EQ(KERN_SUCCESS, map_masked(&low, PAGE, ceiling));
	EXPECT_EQ(0, low & ceiling);
	EXPECT_EQ(KERN_SUCCESS, map_masked(&aligned, PAGE, (1UL << 34) - 1));
	EXPECT_NE(0, aligned);
	EXPECT_EQ(0, aligned & ((1UL << 34) - 1));
	/* The lowest gap is below the ceiling, whatever lies above. */
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(2)));
	low = 0;
	EXPECT_EQ(KERN_SUCCESS, map_masked(&low, PAGES(2), ceiling));
	EXPECT_EQ(0, low & ceiling);
	EXPECT_EQ(0, util_why_write(low, 1));
}

/* There, a panic. */
TEST(defect_1_data_supply_over_a_present_page_with_a_reply_port)
{
	struct util_pager *pager = util_pager_start(4);
	static char other[PAGE];
	memory_object_control_t control;
	vm_address_t base;

	ASSERT_NE(NULL, pager);
	base = util_map(util_pager_object(pager), 0, 4, false);
	ASSERT_EQ(util_mark(1, 0), util_read(base + PAGE).byte);
	control = util_pager_control(pager);
	memset(other, 99, PAGE);
	for (int i = 0; i < 3; i++)
		memory_object_data_supply(control, PAGE, (vm_offset_t)other, PAGE, VM_PROT_NONE,
					  FALSE, control);
	EXPECT_EQ(util_mark(1, 0), util_read(base + PAGE).byte);
	EXPECT_EQ(util_mark(1, 0), util_read(base + PAGES(2) - 1).byte);
	EXPECT_EQ(util_mark(2, 0), util_read(base + PAGES(2)).byte);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
	util_pager_wait_terminate(pager);
	util_pager_stop(pager);
}

static unsigned int wire_count(void)
{
	vm_statistics_data_t statistics = { 0 };

	vm_statistics(SELF, &statistics);
	return statistics.wire_count;
}

static bool wired(vm_address_t address)
{
	struct machvm_vm_region region;

	return !util_region_full(MACHVM_TASK_SELF, address, &region) && region.out_wired;
}

static kern_return_t wire(vm_address_t address, vm_size_t size, vm_prot_t access)
{
	return vm_wire(mach_host_priv(), SELF, address, size, access);
}

/* There, vm_wire succeeded, and vm_deallocate was a panic, or never returned. */
TEST(defect_2_wiring_a_page_that_the_pager_refuses)
{
	struct util_pager *pager = util_pager_start(4);
	unsigned int before = wire_count();
	vm_address_t base;

	ASSERT_NE(NULL, pager);
	util_pager_fail_from(pager, 2, 5);
	base = util_map(util_pager_object(pager), 0, 4, false);
	ASSERT_NE(0, base);
	EXPECT_EQ(KERN_MEMORY_ERROR, wire(base, PAGES(4), VM_PROT_READ));
	for (int i = 0; i < 4; i++)
		EXPECT_FALSE(wired(base + PAGES(i)));
	EXPECT_EQ(before, wire_count());
	EXPECT_EQ(util_mark(1, 0), util_read(base + PAGE).byte);
	EXPECT_EQ(KERN_MEMORY_ERROR, util_why_read(base + PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
	util_pager_wait_terminate(pager);
	EXPECT_EQ(before, wire_count());
	util_pager_stop(pager);
}

/* There, the page stayed wired for good, without an owner. */
TEST(defect_4_vm_copy_onto_a_wired_page)
{
	vm_address_t from = util_make(2), to = util_make(2);
	unsigned int before = wire_count();

	util_fill(from, 2, 1);
	util_fill(to, 2, 2);
	ASSERT_EQ(KERN_SUCCESS, wire(to, PAGES(2), VM_PROT_DEFAULT));
	EXPECT_EQ(before + 2, wire_count());
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, from, PAGES(2), to));
	EXPECT_EQ(before + 2, wire_count());
	EXPECT_TRUE(wired(to));
	EXPECT_EQ(0, util_wrong(to, 2, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, to, PAGES(2)));
	EXPECT_EQ(before, wire_count());
	EXPECT_EQ(0, util_wrong(from, 2, 1));
}

/* There, as well; and in the end the counts were so wrong that the kernel fell over them. */
TEST(defect_4_protecting_a_wired_page_from_all_and_back)
{
	vm_address_t base = util_make(3);
	unsigned int before = wire_count();

	util_fill(base, 3, 1);
	ASSERT_EQ(KERN_SUCCESS, wire(base, PAGES(3), VM_PROT_DEFAULT));
	for (int i = 0; i < 8; i++) {
		EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base + PAGE, PAGE, FALSE, VM_PROT_NONE));
		EXPECT_FALSE(wired(base + PAGE));
		EXPECT_EQ(KERN_SUCCESS,
			  vm_protect(SELF, base + PAGE, PAGE, FALSE, VM_PROT_DEFAULT));
		EXPECT_TRUE(wired(base + PAGE));
		EXPECT_EQ(before + 3, wire_count());
	}
	EXPECT_EQ(0, util_wrong(base, 3, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(3)));
	EXPECT_EQ(before, wire_count());
}

/* There, what merged with its neighbour was not wired. */
TEST(defect_5_wire_future_and_an_allocation_that_merges)
{
	vm_address_t base = util_make(2), at;
	unsigned int before = wire_count();

	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGE, PAGE));
	ASSERT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_ALL));
	at = base + PAGE;
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &at, PAGE, FALSE));
	EXPECT_EQ(1, util_regions(base, base + PAGES(2)));
	EXPECT_TRUE(wired(at));
	EXPECT_EQ(before + 2, wire_count());
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_NONE));
	EXPECT_FALSE(wired(at));
	EXPECT_EQ(before, wire_count());
}

/* There, each kept a reference, and the object never ended. */
TEST(defect_6_answers_of_odd_sizes_and_bad_locks_leak_the_object)
{
	struct util_pager *pager = util_pager_start(4);
	memory_object_control_t control;
	vm_address_t base;

	ASSERT_NE(NULL, pager);
	base = util_map(util_pager_object(pager), 0, 4, false);
	util_fill(base, 1, 1);
	control = util_pager_control(pager);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, memory_object_data_error(control, PAGE, 100, 5));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, memory_object_data_error(control, 5, PAGE, 5));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, memory_object_data_unavailable(control, PAGE, 100));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, memory_object_data_unavailable(control, 5, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  memory_object_lock_request(control, 0, PAGE, MEMORY_OBJECT_RETURN_NONE, FALSE,
					     0x20, MACH_PORT_NULL));
	EXPECT_EQ(util_mark(1, 0), util_read(base + PAGE).byte);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
	util_pager_wait_terminate(pager);
	EXPECT_EQ(1, util_pager_returns(pager, 0));
	util_pager_stop(pager);
}

static void *touch(void *address)
{
	return (void *)(uintptr_t)util_why_read((vm_address_t)address);
}

/* There, the caller and the fault waited for one another until the thread was killed. */
TEST(defect_7_destroy_with_a_fault_pending)
{
	struct util_pager *pager = util_pager_start(4);
	memory_object_control_t control;
	vm_address_t base;
	pthread_t thread;
	void *why;

	ASSERT_NE(NULL, pager);
	base = util_map(util_pager_object(pager), 0, 4, false);
	ASSERT_EQ(util_mark(0, 0), util_read(base).byte);
	control = util_pager_control(pager);
	util_pager_hold(pager, true);
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch, (void *)(base + PAGE)));
	util_pager_wait_requests(pager, 2);
	EXPECT_EQ(KERN_SUCCESS, memory_object_destroy(control, 5));
	ASSERT_EQ(0, pthread_join(thread, &why));
	EXPECT_EQ(KERN_MEMORY_ERROR, (kern_return_t)(uintptr_t)why);
	EXPECT_EQ(util_mark(0, 0), util_read(base).byte);
	EXPECT_EQ(KERN_MEMORY_ERROR, util_why_read(base + PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
	util_pager_wait_terminate(pager);
	util_pager_stop(pager);
}

#define MANY 512

static unsigned int cow_faults(void)
{
	vm_statistics_data_t statistics = { 0 };

	vm_statistics(SELF, &statistics);
	return statistics.cow_faults;
}

/*
 * There, each write looked at all pages that were written before, in chains that grew.  Here every
 * page is copied once, of one region over one object that never lies deeper.
 */
TEST(defect_8_ascending_writes_to_a_copy_are_quadratic)
{
	vm_address_t from = util_make(MANY), to = util_make(MANY);
	struct machvm_vm_region region;
	unsigned int before;

	util_fill(from, MANY, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_protect(SELF, to, PAGES(MANY), TRUE, VM_PROT_DEFAULT));
	ASSERT_EQ(KERN_SUCCESS, vm_copy(SELF, from, PAGES(MANY), to));
	before = cow_faults();
	for (unsigned int i = 0; i < MANY; i++)
		*(char *)(to + PAGES(i) + 8) = 1;
	EXPECT_LE(MANY, cow_faults() - before);
	EXPECT_GE(MANY + MANY / 8, cow_faults() - before);
	ASSERT_EQ(KERN_SUCCESS, util_region_full(MACHVM_TASK_SELF, to, &region));
	EXPECT_EQ(PAGES(MANY), region.out_length);
	EXPECT_GE(1, region.out_shadow_depth);
	EXPECT_EQ(MANY, region.out_resident);
	EXPECT_EQ(0, util_wrong(from, MANY, 1));
}

HARNESS_MAIN
