// SPDX-License-Identifier: GPL-2.0-only
/*
 * limits.c - what one user may hold, what all may, who pays, and who may look.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <machvm/pager.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER 4321

/* The parameters are as they were after, whatever became of the test. */
FIXTURE(limits) {
	long user_pages, pages, objects;
};

FIXTURE_SETUP(limits)
{
	self->user_pages = util_parameter("max_user_pages");
	self->pages = util_parameter("max_pages");
	self->objects = util_parameter("max_user_objects");
	ASSERT_GE(self->user_pages, 0);
	ASSERT_GE(self->pages, 0);
	ASSERT_GT(self->objects, 0);
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
}

FIXTURE_TEARDOWN_PARENT(limits)
{
	util_parameter_set("max_user_pages", self->user_pages);
	util_parameter_set("max_pages", self->pages);
	util_parameter_set("max_user_objects", self->objects);
}

/* Touches pages until it fails: how many. */
static unsigned int touch(vm_address_t base, unsigned int pages, struct util_access *access)
{
	for (unsigned int i = 0; i < pages; i++) {
		*access = util_write(base + PAGES(i), 1);
		if (access->signal)
			return i;
	}
	return pages;
}

TEST_F(limits, pages_of_a_user)
{
	struct util_access access;
	vm_address_t base;

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 64));
	ASSERT_EQ(0, setuid(USER));
	base = util_make(256);		/* room is not what is limited */
	ASSERT_NE(0, base);
	EXPECT_EQ(64, touch(base, 256, &access));
	EXPECT_EQ(SIGBUS, access.signal);
	EXPECT_EQ(KERN_SUCCESS, access.info);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, access.why);
	EXPECT_EQ((void *)(base + PAGES(64)), access.address);
	/* Reading makes a page as well. */
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, util_why_read(base + PAGES(100)));
	/* What is there can be used on, and what is given back can be had again. */
	for (int i = 0; i < 64; i++)
		EXPECT_EQ(1, util_read(base + PAGES(i)).byte);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(10)));
	EXPECT_EQ(10, touch(base + PAGES(64), 100, &access));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, access.why);
}

TEST_F(limits, without_a_handler_it_is_SIGBUS)
{
	pid_t pid;

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 16));
	pid = fork();
	if (pid == 0) {
		vm_address_t base;

		if (setuid(USER))
			_exit(98);
		base = util_make(64);
		for (int i = 0; i < 64; i++)
			*(volatile char *)(base + PAGES(i)) = 1;
		_exit(99);
	}
	EXPECT_EQ(1000 + SIGBUS, util_wait(pid));
}

TEST_F(limits, in_a_system_call_it_is_EFAULT)
{
	vm_address_t base;
	int zero = open("/dev/zero", O_RDONLY);

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 16));
	ASSERT_EQ(0, setuid(USER));
	base = util_make(64);
	EXPECT_EQ(PAGES(16), read(zero, (void *)base, PAGES(64)));
	EXPECT_EQ(-1, read(zero, (void *)(base + PAGES(32)), PAGE));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(limits, copies_count_and_all_processes_of_a_user_share)
{
	struct util_access access;
	vm_address_t base;
	pid_t pid;

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 48));
	ASSERT_EQ(0, setuid(USER));
	base = util_make(64);
	EXPECT_EQ(32, touch(base, 32, &access));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(16, touch(base, 32, &access));
		EXPECT_EQ(KERN_RESOURCE_SHORTAGE, access.why);
		EXPECT_EQ(1, util_read(base + PAGES(20)).byte);
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, util_wait(pid));
	/* The child's are given back with it. */
	EXPECT_EQ(16, touch(base + PAGES(32), 32, &access));
}

TEST_F(limits, another_user_is_another)
{
	struct util_access access;
	vm_address_t base;
	pid_t pid;

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 32));
	pid = fork();
	if (pid == 0) {
		if (setuid(USER + 1))
			_exit(98);
		base = util_make(64);
		EXPECT_EQ(32, touch(base, 64, &access));
		_exit(_metadata->exit_code);
	}
	ASSERT_EQ(0, setuid(USER));
	base = util_make(64);
	EXPECT_EQ(32, touch(base, 64, &access));
	EXPECT_EQ(0, util_wait(pid));
}

/* A user namespace makes no new users. */
TEST_F(limits, a_user_namespace_is_its_owner)
{
	struct util_access access;
	vm_address_t base;
	pid_t pid;

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 32));
	ASSERT_EQ(0, setuid(USER));
	base = util_make(64);
	EXPECT_EQ(20, touch(base, 20, &access));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, vm_deallocate(SELF, base, PAGES(64)));
		ASSERT_EQ(0, unshare(CLONE_NEWUSER));
		base = util_make(64);
		EXPECT_EQ(12, touch(base, 64, &access));
		EXPECT_EQ(KERN_RESOURCE_SHORTAGE, access.why);
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, util_wait(pid));
}

TEST_F(limits, pages_of_all)
{
	struct machvm_vm_statistics statistics = { .size = sizeof(statistics) };
	struct util_access access;
	vm_address_t base = util_make(4096);
	unsigned int got;

	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &statistics));
	ASSERT_EQ(0, util_parameter_set("max_pages", statistics.out_active_count +
					statistics.out_inactive_count + 1000));
	got = touch(base, 4096, &access);
	/* Counted on each processor for itself, and so not to the page. */
	EXPECT_GT(got, 500);
	EXPECT_LT(got, 2000);
	EXPECT_EQ(SIGBUS, access.signal);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, access.why);
}

TEST_F(limits, objects_of_a_user)
{
	struct machvm_object_create create[5];
	int device = util_device();

	ASSERT_EQ(0, util_parameter_set("max_user_objects", 4));
	ASSERT_EQ(0, setuid(USER));
	for (int i = 0; i < 5; i++) {
		create[i] = (struct machvm_object_create){ .size = sizeof(create[i]) };
		EXPECT_EQ(i < 4 ? 0 : -EDQUOT,
			  util_ioctl(device, MACHVM_OBJECT_CREATE, &create[i]));
	}
	close(create[1].out_object);
	close(create[1].out_control);
	EXPECT_EQ(0, util_ioctl(device, MACHVM_OBJECT_CREATE, &create[4]));
	EXPECT_EQ(-EDQUOT, util_ioctl(device, MACHVM_OBJECT_CREATE, &create[1]));
}

TEST_F(limits, objects_through_the_library)
{
	static const struct machvm_pager_ops ops;
	struct machvm_pager *pager;
	memory_object_t object[3];

	ASSERT_EQ(0, util_parameter_set("max_user_objects", 2));
	ASSERT_EQ(0, setuid(USER));
	ASSERT_EQ(KERN_SUCCESS, machvm_pager_create(&ops, &pager));
	EXPECT_EQ(KERN_SUCCESS, machvm_pager_object(pager, NULL, &object[0]));
	EXPECT_EQ(KERN_SUCCESS, machvm_pager_object(pager, NULL, &object[1]));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, machvm_pager_object(pager, NULL, &object[2]));
	machvm_pager_destroy(pager);
}

/* The objects that the caller sees from an id on. */
static unsigned int objects_seen(unsigned long first)
{
	struct machvm_object_info info;
	unsigned int count = 0;
	unsigned long id = first;

	for (;; count++) {
		info = (struct machvm_object_info){ .size = sizeof(info), .id = id };
		if (util_ioctl(util_device(), MACHVM_OBJECT_INFO, &info))
			return count;
		id = info.id + 1;
	}
}

TEST_F(limits, objects_of_others_are_not_shown)
{
	vm_address_t base = util_make(2);
	struct machvm_vm_region region;
	pid_t pid;

	util_fill(base, 2, 1);
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	EXPECT_GE(objects_seen(region.out_object), 1);
	pid = fork();
	if (pid == 0) {
		if (setuid(USER))
			_exit(98);
		EXPECT_EQ(0, objects_seen(0));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, util_wait(pid));
}

#define GROUP "machvm-test"

/* The memory cgroup of who touches a page pays for it. */
TEST(limits_memory_cgroup_pays)
{
	long before, after;
	pid_t pid;

	ASSERT_EQ(0, util_cgroup_make(GROUP, 0));
	pid = fork();
	if (pid == 0) {
		vm_address_t base;

		EXPECT_EQ(0, util_cgroup_enter(GROUP));
		base = util_make(4096);
		*(char *)base = 1;
		before = util_cgroup_number(GROUP, "memory.current");
		util_fill(base, 4096, 1);
		after = util_cgroup_number(GROUP, "memory.current");
		EXPECT_GE(after, before + PAGES(4096 - 256));
		vm_deallocate(SELF, base, PAGES(4096));
		after = util_cgroup_number(GROUP, "memory.current");
		EXPECT_LE(after, before + PAGES(512));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_cgroup_remove(GROUP));
}

/* Beyond the cgroup's limit the cgroup's own process dies, and nothing else. */
TEST(limits_memory_cgroup_limit)
{
	vm_address_t mine = util_make(4);
	pid_t pid;
	int result;

	util_fill(mine, 4, 1);
	ASSERT_EQ(0, util_cgroup_make(GROUP, PAGES(4096)));
	pid = fork();
	if (pid == 0) {
		vm_address_t base;

		EXPECT_EQ(0, util_cgroup_enter(GROUP));
		base = util_make(16384);
		util_fill(base, 16384, 1);
		_exit(99);
	}
	result = util_wait(pid);
	EXPECT_TRUE(result == 1000 + SIGKILL || result == 1000 + SIGBUS);
	EXPECT_EQ(0, util_cgroup_remove(GROUP));
	EXPECT_EQ(0, util_wrong(mine, 4, 1));
}

HARNESS_MAIN
