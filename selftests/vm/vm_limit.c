// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_limit.c - how much memory a task may have: vm_set_size_limit and vm_get_size_limit.
 */
#include "harness.h"
#include "util.h"

#include <sys/stat.h>
#include <unistd.h>

#define USER 4321

/* A task that has nothing, and may have that many pages. */
static kern_return_t limit(unsigned int pages)
{
	return vm_set_size_limit(mach_host_self(), SELF, PAGES(pages), USER_END);
}

static kern_return_t allocate(vm_address_t *address, unsigned int pages)
{
	return vm_allocate(SELF, address, PAGES(pages), TRUE);
}

TEST(V26_default_is_the_user_address_space)
{
	vm_size_t now = 0, most = 0;

	EXPECT_EQ(KERN_SUCCESS, vm_get_size_limit(SELF, &now, &most));
	EXPECT_EQ(USER_END, now);
	EXPECT_EQ(USER_END, most);
}

TEST(V26_wrong_arguments)
{
	vm_size_t now = 7, most = 7;

	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_set_size_limit(mach_host_priv(), SELF, PAGES(2), PAGES(1)));
	EXPECT_EQ(KERN_INVALID_HOST, vm_set_size_limit(SELF, SELF, PAGES(1), PAGES(1)));
	EXPECT_EQ(KERN_INVALID_HOST, vm_set_size_limit(MACH_PORT_NULL, SELF, PAGES(1), PAGES(1)));
	EXPECT_EQ(KERN_INVALID_TASK, vm_set_size_limit(mach_host_self(), 999, PAGES(1), PAGES(1)));
	EXPECT_EQ(KERN_INVALID_TASK,
		  vm_set_size_limit(mach_host_self(), MACH_PORT_NULL, PAGES(1), PAGES(1)));
	EXPECT_EQ(KERN_INVALID_TASK, vm_get_size_limit(999, &now, &most));
	EXPECT_EQ(7, now);
}

TEST(V26_only_privilege_raises_the_maximum)
{
	vm_size_t now, most;

	EXPECT_EQ(KERN_SUCCESS, vm_set_size_limit(mach_host_self(), SELF, PAGES(8), PAGES(16)));
	EXPECT_EQ(KERN_NO_ACCESS, vm_set_size_limit(mach_host_self(), SELF, PAGES(8), PAGES(17)));
	EXPECT_EQ(KERN_SUCCESS, vm_set_size_limit(mach_host_self(), SELF, PAGES(16), PAGES(16)));
	EXPECT_EQ(KERN_SUCCESS, vm_set_size_limit(mach_host_priv(), SELF, PAGES(20), PAGES(32)));
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666) || setuid(USER));
	EXPECT_EQ(KERN_NO_ACCESS, vm_set_size_limit(mach_host_priv(), SELF, PAGES(8), PAGES(33)));
	EXPECT_EQ(KERN_SUCCESS, vm_get_size_limit(SELF, &now, &most));
	EXPECT_EQ(PAGES(20), now);
	EXPECT_EQ(PAGES(32), most);
	EXPECT_EQ(KERN_SUCCESS, vm_set_size_limit(mach_host_priv(), SELF, 0, PAGES(32)));
}

TEST(S2_22_exactly_the_limit_and_one_page_more)
{
	vm_address_t base, other;

	ASSERT_EQ(KERN_SUCCESS, limit(16));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&base, 17));
	EXPECT_EQ(KERN_SUCCESS, allocate(&base, 10));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 7));
	EXPECT_EQ(KERN_NO_SPACE, vm_allocate(SELF, &other, -PAGES(9), TRUE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_allocate(SELF, &other, -1UL, TRUE));
	EXPECT_EQ(KERN_SUCCESS, allocate(&other, 6));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(3), PAGES(2)));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 3));
	EXPECT_EQ(KERN_SUCCESS, allocate(&other, 2));
}

TEST(S2_22_only_what_can_be_used_counts)
{
	vm_address_t base, other = 0;
	vm_prot_t none = VM_PROT_NONE;

	ASSERT_EQ(KERN_SUCCESS, limit(16));
	ASSERT_EQ(KERN_SUCCESS, allocate(&base, 16));
	EXPECT_EQ(KERN_SUCCESS, vm_map(SELF, &other, PAGES(100), 0, TRUE, MEMORY_OBJECT_NULL, 0,
				       FALSE, none, none, VM_INHERIT_COPY));
	EXPECT_EQ(KERN_NO_SPACE, vm_map(SELF, &other, PAGE, 0, TRUE, MEMORY_OBJECT_NULL, 0, FALSE,
					none, VM_PROT_ALL, VM_INHERIT_COPY));
	/* A protection that can come back keeps it, one that cannot gives it up, in part as well. */
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, VM_PROT_NONE));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base + PAGES(1), PAGES(2), TRUE, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base + PAGES(1), PAGES(2), TRUE, VM_PROT_NONE));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 3));
	EXPECT_EQ(KERN_SUCCESS, allocate(&other, 2));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 3));
	EXPECT_EQ(KERN_SUCCESS, allocate(&other, 2));
}

TEST(S2_22_below_what_there_is)
{
	vm_address_t base, other;

	ASSERT_EQ(KERN_SUCCESS, allocate(&base, 16));
	EXPECT_EQ(KERN_SUCCESS, limit(4));
	util_fill(base, 16, 1);
	EXPECT_EQ(0, util_wrong(base, 16, 1));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(2), base + PAGES(8)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(3), PAGES(13)));
	EXPECT_EQ(KERN_SUCCESS, allocate(&other, 1));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 1));
}

TEST(S2_22_what_is_received_counts)
{
	mach_msg_type_number_t size;
	vm_address_t base;
	vm_offset_t data;

	ASSERT_EQ(KERN_SUCCESS, limit(16));
	ASSERT_EQ(KERN_SUCCESS, allocate(&base, 10));
	EXPECT_EQ(KERN_NO_SPACE, vm_read(SELF, base, PAGES(7), &data, &size));
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(6), &data, &size));
	EXPECT_EQ(KERN_NO_SPACE, vm_read(SELF, base, 1, &data, &size));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, data, PAGES(6)));
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, base, 1, &data, &size));
}

TEST(S2_22_children_inherit_both)
{
	vm_address_t base, other;
	vm_size_t now, most;
	pid_t pid;

	ASSERT_EQ(KERN_SUCCESS, vm_set_size_limit(mach_host_self(), SELF, PAGES(16), PAGES(32)));
	ASSERT_EQ(KERN_SUCCESS, allocate(&base, 16));
	vm_inherit(SELF, base, PAGES(4), VM_INHERIT_NONE);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(KERN_SUCCESS, vm_get_size_limit(SELF, &now, &most));
		EXPECT_EQ(PAGES(16), now);
		EXPECT_EQ(PAGES(32), most);
		EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 5));
		EXPECT_EQ(KERN_SUCCESS, allocate(&other, 4));
		EXPECT_EQ(KERN_NO_ACCESS, limit(0));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_NO_SPACE, allocate(&other, 1));
}

HARNESS_MAIN
