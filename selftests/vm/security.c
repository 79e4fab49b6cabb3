// SPDX-License-Identifier: GPL-2.0-only
/*
 * security.c - what those may not who have the device open and no privilege: an ordinary user, and
 * the root of a user namespace.  Documentation/security.rst says what is meant.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER 5432
#define SUB_USER 100000

FIXTURE(security) {
	int device;
};

/* An ordinary user; as which the test is root in a namespace or not. */
FIXTURE_VARIANT(security) {
	bool namespace;
	bool owner;		/* of the namespace is the user, not root */
};

FIXTURE_VARIANT_ADD(security, user) { .namespace = false };
FIXTURE_VARIANT_ADD(security, namespace_root) { .namespace = true, .owner = true };
FIXTURE_VARIANT_ADD(security, namespace_of_root) { .namespace = true };

/* 0 in the namespace is @outside; written by who is privileged there, the process @pid's parent. */
static bool map_ids(pid_t pid, unsigned int outside)
{
	char path[64], text[64];

	snprintf(text, sizeof(text), "0 %u 1", outside);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (util_file_write(path, text))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	return !util_file_write(path, text);
}

/* In the child: true once it is root of a namespace, and nobody outside. */
static bool become_root_inside(struct util_gate *ready, struct util_gate *mapped, bool owner)
{
	if (owner && (setgid(USER) || setuid(USER)))
		return false;
	if (unshare(CLONE_NEWUSER))
		return false;
	util_gate_open(ready);
	return !util_gate_pass(mapped) && !setgid(0) && !setuid(0);
}

/*
 * A child that is what the variant says, and 0 in it; -1 there if that cannot be had.  What the
 * caller has made is root's.
 */
static pid_t fork_other(const FIXTURE_VARIANT(security) *variant)
{
	struct util_gate ready, mapped;
	pid_t pid;

	if (util_gate_init(&ready) || util_gate_init(&mapped))
		return -1;
	pid = fork();
	if (!pid && !variant->namespace)
		return setgid(USER) || setuid(USER) ? -1 : 0;
	if (!pid) {
		util_gate_close_writer(&mapped);
		return become_root_inside(&ready, &mapped, variant->owner) ? 0 : -1;
	}
	util_gate_close_writer(&ready);
	if (variant->namespace && !util_gate_pass(&ready) &&
	    map_ids(pid, variant->owner ? USER : SUB_USER))
		util_gate_open(&mapped);
	util_gate_close_writer(&mapped);
	return pid;
}

FIXTURE_SETUP(security)
{
	(void)variant;
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
	self->device = util_device();
	ASSERT_LE(0, self->device);
}

FIXTURE_TEARDOWN(security)
{
	(void)self;
}

#define DENIED(command, type, ...)                                             \
	({                                                                     \
		struct type call_ = { .size = sizeof(call_), __VA_ARGS__ };    \
		EXPECT_EQ(KERN_NO_ACCESS, util_ioctl(util_device(), command, &call_)); \
	})

/* Root inside a namespace is not who these are for. */
TEST_F(security, privileged_calls_are_denied)
{
	struct machvm_page_info room[4];
	pid_t pid = fork_other(variant);

	if (!pid) {
		vm_address_t base = util_make(4);
		struct machvm_vm_region region;

		util_fill(base, 4, 1);
		EXPECT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
		DENIED(MACHVM_VM_ALLOCATE_CONTIGUOUS, machvm_vm_allocate_contiguous,
		       .task = MACHVM_TASK_SELF, .length = PAGE);
		DENIED(MACHVM_VM_PAGES_PHYS, machvm_vm_pages_phys, .task = MACHVM_TASK_SELF,
		       .address = base, .length = PAGE, .pages = (uintptr_t)room);
		DENIED(MACHVM_OBJECT_PAGES, machvm_object_pages, .id = region.out_object,
		       .address = (uintptr_t)room, .count = 4, .flags = MACHVM_PAGES_PHYSICAL);
		DENIED(MACHVM_SET_DEFAULT_MANAGER, machvm_default_manager, .manager = -1);
		DENIED(MACHVM_SET_DEFAULT_MANAGER, machvm_default_manager, .manager = -1,
		       .flags = MACHVM_MANAGER_KERNEL);
		EXPECT_EQ(0, util_ioctl(util_device(), MACHVM_VM_SET_SIZE_LIMIT,
					&(struct machvm_vm_size_limit){
			.size = sizeof(struct machvm_vm_size_limit), .task = MACHVM_TASK_SELF,
			.limit = PAGES(1000), .maximum = PAGES(1000),
		}));
		DENIED(MACHVM_VM_SET_SIZE_LIMIT, machvm_vm_size_limit, .task = MACHVM_TASK_SELF,
		       .limit = PAGES(1000), .maximum = PAGES(1001), .privileged = 1);
		CHILD_END();
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, util_wait(pid));
}

/* What is wired past RLIMIT_MEMLOCK takes a privilege of the machine. */
TEST_F(security, wiring_past_the_limit_is_denied)
{
	pid_t pid = fork_other(variant);

	if (!pid) {
		vm_address_t base = util_make(4);
		struct machvm_vm_wire call = {
			.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = base,
			.length = PAGES(4), .access = VM_PROT_READ, .privileged = 1,
		};
		const struct rlimit none = { PAGES(2), PAGES(2) };

		EXPECT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &none));
		EXPECT_EQ(KERN_NO_ACCESS, util_ioctl(util_device(), MACHVM_VM_WIRE, &call));
		call.length = PAGES(2);
		EXPECT_EQ(0, util_ioctl(util_device(), MACHVM_VM_WIRE, &call));
		CHILD_END();
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, util_wait(pid));
}

/* Root's objects, and where they are served. */
TEST_F(security, what_root_has_made_is_not_shown)
{
	struct util_pager *pager = util_pager_start(4);
	vm_address_t base = util_map(util_pager_object(pager), 0, 4, false);
	struct machvm_vm_region region;
	pid_t pid;

	ASSERT_EQ(0, util_wrong(base, 4, 0));
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	pid = fork_other(variant);
	if (!pid) {
		struct machvm_object_info object = { .size = sizeof(object) };
		struct machvm_port_info port = { .size = sizeof(port) };
		struct machvm_waiter_info waiter = { .size = sizeof(waiter) };
		struct machvm_page_info room[4];
		struct machvm_object_pages pages = {
			.size = sizeof(pages), .id = region.out_object,
			.address = (uintptr_t)room, .count = 4,
		};
		struct machvm_object_sync sync = {
			.size = sizeof(sync), .id = region.out_object, .length = PAGES(4),
			.should_flush = 1,
		};

		EXPECT_EQ(-ENOENT, util_ioctl(util_device(), MACHVM_OBJECT_INFO, &object));
		EXPECT_EQ(-ENOENT, util_ioctl(util_device(), MACHVM_PORT_INFO, &port));
		EXPECT_EQ(-ENOENT, util_ioctl(util_device(), MACHVM_WAITER_INFO, &waiter));
		EXPECT_EQ(-ENOENT, util_ioctl(util_device(), MACHVM_OBJECT_PAGES, &pages));
		EXPECT_EQ(KERN_INVALID_ARGUMENT,
			  util_ioctl(util_device(), MACHVM_OBJECT_SYNC, &sync));
		CHILD_END();
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(1, util_pager_requests(pager, 0));	/* nobody has flushed anything */
	EXPECT_EQ(0, util_wrong(base, 4, 0));
}

/* A descriptor of /proc/PID/mem cannot be opened, and without one there is no port. */
TEST_F(security, another_task_is_out_of_reach)
{
	vm_address_t base = util_make(1);
	pid_t target = getpid(), pid;

	util_fill(base, 1, 1);
	pid = fork_other(variant);
	if (!pid) {
		task_t task;

		EXPECT_EQ(KERN_NO_ACCESS, machvm_task_for_pid(target, &task));
		CHILD_END();
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, util_wait(pid));
}

/* A size and the task -1 beside it make a number, too; no address of the kernel's is there. */
#define NO_KERNEL_FROM 0xffffffff00000000UL
#define NO_KERNEL_TO 0xffffffff80000000UL

/* A number as large as only the kernel's addresses are, but for those that mean none. */
static bool is_kernel_address(uint64_t value)
{
	return value >> 47 == 0x1ffff && value < -4096UL &&
	       !(value >= NO_KERNEL_FROM && value < NO_KERNEL_TO);
}

/* 32-bit fields beside one another make no address that is aligned to 64 bits. */
static unsigned int addresses_in(const void *answer, size_t size)
{
	const uint64_t *words = answer;
	unsigned int count = 0;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		count += is_kernel_address(words[i]);
	return count;
}

#define NO_ADDRESS(command, type, ...)                                            \
	({                                                                        \
		struct type call_ __attribute__((aligned(8))) = {                 \
			.size = sizeof(call_), __VA_ARGS__                        \
		};                                                                \
		EXPECT_EQ(0, util_ioctl(util_device(), command, &call_));         \
		EXPECT_EQ(0, addresses_in(&call_, sizeof(call_))) TH_LOG(#command); \
	})

TEST(security_no_answer_holds_an_address_of_the_kernel)
{
	struct util_pager *pager = util_pager_start(4);
	vm_address_t base = util_map(util_pager_object(pager), 0, 4, false);
	struct machvm_page_info room[4] = { 0 };
	struct machvm_vm_region region;
	vm_address_t copy;

	ASSERT_EQ(0, util_wrong(base, 4, 0));
	copy = util_map(util_pager_object(pager), 0, 4, true);
	*(volatile char *)copy = 1;
	*(volatile char *)base = 1;
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	EXPECT_EQ(0, addresses_in(&region, sizeof(region)));
	NO_ADDRESS(MACHVM_VM_STATISTICS, machvm_vm_statistics);
	NO_ADDRESS(MACHVM_VM_CACHE_STATISTICS, machvm_vm_cache_statistics);
	NO_ADDRESS(MACHVM_TASK_INFO, machvm_task_info, .task = MACHVM_TASK_SELF);
	NO_ADDRESS(MACHVM_OBJECT_INFO, machvm_object_info, .id = region.out_object);
	NO_ADDRESS(MACHVM_PORT_INFO, machvm_port_info);
	NO_ADDRESS(MACHVM_OBJECT_PAGES, machvm_object_pages, .id = region.out_object,
		   .address = (uintptr_t)room, .count = 4);
	EXPECT_EQ(0, addresses_in(room, sizeof(room)));
}

/* Nor is there one in what it says of a process, or of itself. */
static unsigned int lines_with_address(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int count = 0;
	char line[1024];

	if (!file)
		return -1U;
	while (fgets(line, sizeof(line), file))
		count += strstr(line, "machvm") && strstr(line, "ffff8");
	fclose(file);
	return count;
}

TEST(security_no_file_holds_an_address_of_the_kernel)
{
	vm_address_t base = util_make(4);

	util_fill(base, 4, 1);
	EXPECT_EQ(0, lines_with_address("/proc/self/maps"));
	EXPECT_EQ(0, lines_with_address("/proc/self/smaps"));
}

HARNESS_MAIN
