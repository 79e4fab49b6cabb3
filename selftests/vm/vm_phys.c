// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_phys.c - memory for drivers in user space, and what the machine is told about memory.
 */
#include "harness.h"
#include "util.h"

#include <sys/stat.h>
#include <unistd.h>

#define USER 4321
#define BELOW_4_GIB 0xffffffffUL

static kern_return_t contiguous(vm_address_t *address, rpc_phys_addr_t *physical, vm_size_t size)
{
	return vm_allocate_contiguous(mach_host_priv(), SELF, address, physical, size, 0, ~0UL, 0);
}

/* Where the pages lie, as the call that asks for it says. */
static kern_return_t where(vm_address_t address, unsigned int pages, rpc_phys_addr_t *into)
{
	mach_msg_type_number_t count = pages;

	return vm_pages_phys(mach_host_priv(), SELF, address, PAGES(pages), &into, &count);
}

TEST(V41_pages_lie_side_by_side)
{
	rpc_phys_addr_t physical, each[5];
	struct machvm_vm_region full;
	struct util_region region;
	vm_address_t base;

	ASSERT_EQ(KERN_SUCCESS, contiguous(&base, &physical, PAGES(4) + 1));
	EXPECT_EQ(0, util_not_zero(base, 5));
	ASSERT_EQ(KERN_SUCCESS, where(base, 5, each));
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(physical + PAGES(i), each[i]);
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(PAGES(5), region.size);
	EXPECT_EQ(VM_PROT_READ | VM_PROT_WRITE, region.protection);
	EXPECT_EQ(VM_PROT_READ | VM_PROT_WRITE, region.max_protection);
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &full));
	EXPECT_EQ(1, full.out_wired);
	util_fill(base, 5, 1);
	EXPECT_EQ(0, util_wrong(base, 5, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(2)));
	EXPECT_EQ(util_mark(3, 1), util_read(base + PAGES(3)).byte);
}

TEST(V41_fork_leaves_the_pages_to_their_owner)
{
	rpc_phys_addr_t physical, each[2];
	vm_address_t base;
	pid_t pid;

	ASSERT_EQ(KERN_SUCCESS, contiguous(&base, &physical, PAGES(2)));
	util_fill(base, 2, 1);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(base, 2, 1));
		util_fill(base, 2, 2);
		EXPECT_EQ(KERN_SUCCESS, where(base, 2, each));
		EXPECT_NE(physical, each[0]);
		CHILD_END();
	}
	util_fill(base, 2, 3);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 2, 3));
	EXPECT_EQ(KERN_SUCCESS, where(base, 2, each));
	EXPECT_EQ(physical, each[0]);
	EXPECT_EQ(physical + PAGE, each[1]);
}

TEST(V41_wrong_arguments)
{
	vm_address_t base = 7;
	rpc_phys_addr_t at = 7;
	host_priv_t host = mach_host_priv();

	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_allocate_contiguous(host, SELF, &base, &at, PAGE, PAGE, ~0UL, 0));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_allocate_contiguous(host, SELF, &base, &at, PAGE, 0, ~0UL, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_allocate_contiguous(host, SELF, &base, &at, PAGE, 0, ~0UL, 3));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, contiguous(&base, &at, 0));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, contiguous(&base, &at, -1UL));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, contiguous(&base, &at, 1UL << 40));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE,
		  vm_allocate_contiguous(host, SELF, &base, &at, PAGE, 0, 100, 0));
	EXPECT_EQ(KERN_INVALID_HOST, vm_allocate_contiguous(mach_host_self(), SELF, &base, &at,
							    PAGE, 0, ~0UL, 0));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, where(USER_END / 2 + 1, 1, &at));
	EXPECT_EQ(7, base);
	EXPECT_EQ(7, at);
	EXPECT_EQ(KERN_SUCCESS,
		  vm_allocate_contiguous(host, SELF, &base, &at, PAGE, 0, BELOW_4_GIB, PAGE));
	EXPECT_GE(BELOW_4_GIB, at);
}

TEST(V41_not_for_ordinary_users)
{
	vm_address_t base = util_make(1);
	rpc_phys_addr_t at;

	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666) || setuid(USER));
	EXPECT_EQ(KERN_NO_ACCESS, contiguous(&base, &at, PAGE));
	EXPECT_EQ(KERN_NO_ACCESS, where(base, 1, &at));
}

TEST(V41_addresses_of_any_memory)
{
	vm_address_t base = util_make(40);
	mach_msg_type_number_t count = 0;
	rpc_phys_addr_t *each = NULL, few[2] = { 7, 7 };

	util_write(base + PAGES(1), 1);
	util_write(base + PAGES(39), 1);
	ASSERT_EQ(KERN_SUCCESS, vm_pages_phys(mach_host_priv(), SELF, base, PAGES(40), &each,
					      &count));
	ASSERT_EQ(40, count);
	for (int i = 0; i < 40; i++)
		EXPECT_EQ(i == 1 || i == 39, each[i] != 0);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, (vm_address_t)each, 40 * sizeof(*each)));
	/* Where there is nothing there is no address either. */
	EXPECT_EQ(KERN_SUCCESS, where(base + PAGES(100), 2, few));
	EXPECT_EQ(0, few[0]);
	EXPECT_EQ(0, few[1]);
}

TEST(V30_no_attribute_can_be_had)
{
	vm_machine_attribute_val_t value = MATTR_VAL_CACHE_FLUSH;
	vm_address_t base = util_make(1);

	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_machine_attribute(SELF, base, PAGE, MATTR_CACHE, &value));
	EXPECT_EQ(MATTR_VAL_CACHE_FLUSH, value);
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_machine_attribute(SELF, -PAGE, PAGE, MATTR_CACHE, &value));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_machine_attribute(SELF, base, -base, MATTR_CACHE, &value));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_machine_attribute(MACH_PORT_NULL, base, PAGE, MATTR_CACHE, &value));
}

HARNESS_MAIN
