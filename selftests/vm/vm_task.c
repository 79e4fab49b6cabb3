// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_task.c - calls on another task through its port, and how far a right to one goes.
 */
#include "harness.h"
#include "util.h"

#include <mach_debug/mach_debug.h>
#include <machvm.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that says when it is ready and checks its memory when it is told to. */
struct child {
	pid_t pid;
	int ready[2], go[2];
};

static void child_done(struct child *child, bool good)
{
	(void)child;
	_exit(!good);
}

static bool child_start(struct child *child)
{
	char c;

	if (pipe(child->ready) || pipe(child->go))
		return false;
	child->pid = fork();
	if (child->pid)
		return child->pid > 0 && read(child->ready[0], &c, 1) == 1;
	return false;
}

static void child_wait(struct child *child)
{
	char c;

	if (write(child->ready[1], "", 1) != 1 || read(child->go[0], &c, 1) != 1)
		_exit(1);
}

static int child_end(struct child *child)
{
	int status = -1;

	if (write(child->go[1], "", 1) == 1)
		waitpid(child->pid, &status, 0);
	return status;
}

TEST(task_for_pid_reads_and_writes_another_task)
{
	vm_address_t base = util_make(4), fresh = 0;
	mach_msg_type_number_t count;
	struct child child;
	vm_offset_t data;
	task_t task;

	strcpy((char *)base, "parent");
	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		strcpy((char *)base + PAGE, "child");
		child_wait(&child);
		child_done(&child, !strcmp((char *)base, "written") &&
				   ((char *)base)[PAGES(3)] == 3);
	}
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(child.pid, &task));
	ASSERT_EQ(KERN_SUCCESS, vm_read(task, base, PAGES(2), &data, &count));
	EXPECT_EQ(0, strcmp((char *)data, "parent"));
	EXPECT_EQ(0, strcmp((char *)data + PAGE, "child"));
	EXPECT_EQ(0, *(char *)(base + PAGE));
	strcpy((char *)data, "written");
	EXPECT_EQ(KERN_SUCCESS, vm_write(task, base, data, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_write(task, base + 1, data, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_write(task, base, data + 1, PAGE));
	*(char *)(base + PAGES(3)) = 3;
	EXPECT_EQ(KERN_SUCCESS, vm_write(task, base + PAGES(3), base + PAGES(3), PAGE));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(task, &fresh, PAGE, TRUE));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(task, fresh, PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(task, base, PAGE, base + PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(task, fresh, PAGE));
	EXPECT_EQ(0, child_end(&child));
	EXPECT_EQ(KERN_INVALID_TASK, vm_allocate(task, &fresh, PAGE, TRUE));
	EXPECT_EQ(KERN_INVALID_TASK, vm_read(task, base, PAGE, &data, &count));
	EXPECT_EQ(KERN_SUCCESS, mach_port_deallocate(SELF, task));
}

TEST(protection_taken_away_from_outside_holds)
{
	vm_address_t base = util_make(1);
	struct child child;
	int status = 0;
	task_t task;

	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		*(volatile char *)base = 1;
		child_wait(&child);
		*(volatile char *)base = 2;
		child_done(&child, false);
	}
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(child.pid, &task));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(task, base, PAGE, FALSE, VM_PROT_READ));
	status = child_end(&child);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(a_port_of_ones_own_is_the_task)
{
	vm_address_t base = 0;
	task_t task;

	ASSERT_EQ(KERN_SUCCESS, machvm_task_port(&task));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(task, &base, PAGE, TRUE));
	*(volatile char *)base = 1;
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGE));
	EXPECT_EQ(KERN_SUCCESS, mach_port_deallocate(SELF, task));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_allocate(task, &base, PAGE, TRUE));
}

/* An inherited port is the parent's; the pseudo-handle is whoever uses it. */
TEST(an_inherited_port_is_still_the_parents)
{
	vm_address_t base = util_make(1);
	task_t task;
	int status;
	pid_t pid;

	ASSERT_EQ(KERN_SUCCESS, machvm_task_port(&task));
	pid = fork();
	if (!pid) {
		if (vm_deallocate(SELF, base, PAGE) != KERN_SUCCESS)
			_exit(1);
		_exit(vm_protect(task, base, PAGE, FALSE, VM_PROT_READ) != KERN_SUCCESS);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ | VM_PROT_WRITE));
	*(volatile char *)base = 1;
}

TEST(others_may_not)
{
	vm_address_t base = util_make(1);
	struct child child;
	task_t task;

	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		*(volatile char *)base = 1;
		child_wait(&child);
		child_done(&child, true);
	}
	EXPECT_EQ(KERN_INVALID_TASK, machvm_task_for_pid(1, &task));	/* never used machvm */
	EXPECT_EQ(KERN_INVALID_TASK, machvm_task_for_pid(99999999, &task));
	if (!fork()) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		_exit(machvm_task_for_pid(child.pid, &task) != KERN_NO_ACCESS);
	} else {
		int status;

		EXPECT_GT(wait(&status), 0);
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, child_end(&child));
}

/* Ordinary memory, of which a child of fork has a copy: nobody's region. */
static unsigned char ordinary[PAGES(4)] __attribute__((aligned(PAGE)));

static bool all(const void *at, size_t size, unsigned char byte)
{
	const unsigned char *bytes = at;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

TEST(V9_V12_V13_ordinary_memory_of_another_task)
{
	vm_address_t base = util_make(4), there = (vm_address_t)ordinary;
	mach_msg_type_number_t count;
	struct child child;
	vm_offset_t data;
	task_t task;

	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		memset(ordinary, 1, sizeof(ordinary));
		memset((void *)base, 2, PAGES(2));
		child_wait(&child);
		child_done(&child, all(ordinary, PAGE, 3) && all(ordinary + PAGE, PAGE, 4) &&
				   all(ordinary + PAGES(2), PAGE, 2) &&
				   all(ordinary + PAGES(3), PAGE, 4) &&
				   all((void *)base, PAGE, 1) && all((void *)(base + PAGE), PAGE, 2));
	}
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(child.pid, &task));
	ASSERT_EQ(KERN_SUCCESS, vm_read(task, there + 100, PAGES(2), &data, &count));
	EXPECT_EQ(100, data % PAGE);
	EXPECT_EQ(PAGES(2), count);
	EXPECT_TRUE(all((void *)data, PAGES(2), 1));
	/* Within it: to a region, from a region, and neither. */
	EXPECT_EQ(KERN_SUCCESS, vm_copy(task, there, PAGE, base));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(task, base + PAGE, PAGE, there + PAGES(2)));
	memset((void *)base, 3, PAGE);
	EXPECT_EQ(KERN_SUCCESS, vm_write(task, there, base, PAGE));
	memset(ordinary, 4, PAGE);
	EXPECT_EQ(KERN_SUCCESS, vm_write(task, there + PAGES(1), there, PAGE));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(task, there + PAGE, PAGE, there + PAGES(3)));
	EXPECT_TRUE(all(ordinary + PAGE, PAGES(3), 0));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_copy(task, there + 1, PAGE, base));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_write(task, there + 1, base, PAGE));
	EXPECT_EQ(0, child_end(&child));
}

TEST(V12_V13_S2_15_ordinary_memory_of_another_task_all_or_nothing)
{
	vm_address_t base = util_make(2);
	unsigned char *room = mmap(NULL, PAGES(4), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	vm_address_t there = (vm_address_t)room;
	mach_msg_type_number_t count;
	struct child child;
	vm_offset_t data;
	task_t task;

	ASSERT_NE(MAP_FAILED, (void *)room);
	memset(room, 1, PAGES(4));
	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		if (mprotect(room + PAGE, PAGE, PROT_READ) || munmap(room + PAGES(3), PAGE))
			_exit(1);
		child_wait(&child);
		child_done(&child, all(room, PAGES(3), 1));
	}
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(child.pid, &task));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_write(task, there, base, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_write(task, there + PAGES(2), base, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_copy(task, base, PAGES(2), there));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_copy(task, there + PAGES(2), PAGES(2), base));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_read(task, there + PAGES(2), PAGES(2), &data, &count));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_read(task, USER_END - PAGE, PAGES(2), &data, &count));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_write(task, -PAGES(1), base, PAGES(2)));
	EXPECT_EQ(0, child_end(&child));
}

static void send_fd(int socket, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	if (sendmsg(socket, &message, 0) != 1)
		abort();
}

static int receive_fd(int socket)
{
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	int fd = -1;

	if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* A right that was handed over is all that it takes: this user may not trace the task. */
TEST(V1_V9_a_task_port_travels_by_SCM_RIGHTS)
{
	vm_address_t base = util_make(2);
	int pair[2];
	task_t task;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
	util_fill(base, 2, 1);
	memset(ordinary, 7, PAGE);
	pid = fork();
	if (pid == 0) {
		mach_msg_type_number_t count;
		vm_address_t fresh = 0;
		vm_offset_t data;

		util_fill(base, 2, 9);
		ASSERT_TRUE(!setgid(1000) && !setuid(1000));
		EXPECT_EQ(KERN_NO_ACCESS, machvm_task_for_pid(getppid(), &task));
		task = (task_t)receive_fd(pair[1]);
		ASSERT_EQ(KERN_SUCCESS, vm_read(task, base, PAGES(2), &data, &count));
		EXPECT_EQ(0, util_wrong(data, 2, 1));
		ASSERT_EQ(KERN_SUCCESS, vm_read(task, (vm_address_t)ordinary, PAGE, &data, &count));
		EXPECT_TRUE(all((void *)data, PAGE, 7));
		EXPECT_EQ(KERN_SUCCESS, vm_allocate(task, &fresh, PAGE, TRUE));
		EXPECT_EQ(KERN_SUCCESS, vm_write(task, fresh, base, PAGE));
		EXPECT_EQ(KERN_SUCCESS, vm_protect(task, base, PAGE, FALSE, VM_PROT_READ));
		CHILD_END();
	}
	ASSERT_EQ(KERN_SUCCESS, machvm_task_port(&task));
	send_fd(pair[0], (int)task);
	ASSERT_EQ(KERN_SUCCESS, mach_port_deallocate(SELF, task));
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	EXPECT_EQ(PAGES(3), util_covered(0, USER_END));
}

/* Whom Linux lets fetch a descriptor has the right that it is. */
TEST(V1_V9_a_task_port_is_fetched_by_pidfd_getfd)
{
	int *number = util_shared(sizeof(*number)), pidfd, fd;
	vm_address_t base = util_make(2);
	mach_msg_type_number_t count;
	struct child child;
	vm_offset_t data;

	ASSERT_NE(NULL, number);
	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		util_fill(base, 2, 2);
		if (machvm_task_port((task_t *)number))
			_exit(1);
		child_wait(&child);
		child_done(&child, !util_wrong(base, 2, 3));
	}
	pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
	ASSERT_GE(pidfd, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, *number, 0);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(KERN_SUCCESS, vm_read((task_t)fd, base, PAGES(2), &data, &count));
	EXPECT_EQ(0, util_wrong(data, 2, 2));
	util_fill(base, 2, 3);
	EXPECT_EQ(KERN_SUCCESS, vm_write((task_t)fd, base, base, PAGES(2)));
	EXPECT_EQ(0, child_end(&child));
	EXPECT_EQ(KERN_INVALID_TASK, vm_deallocate((task_t)fd, base, PAGE));
}

/* What the child finds of what was done to it. */
struct findings {
	vm_address_t object, contiguous;
};

TEST(V8_V14_V22_V24_V26_V41_D1_the_other_calls_on_another_task)
{
	struct findings *found = util_shared(sizeof(*found));
	struct util_pager *pager = util_pager_start(2);
	rpc_phys_addr_t physical, room[2], *pages = room;
	vm_address_t base = util_make(4), fresh = 0;
	mach_msg_type_number_t count = 2;
	struct machvm_vm_region region;
	memory_object_name_t name;
	vm_region_info_t info;
	vm_size_t now, most;
	struct child child;
	task_t task;

	ASSERT_NE(NULL, found);
	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		child_wait(&child);
		child_done(&child, !util_wrong(found->object, 2, 0) &&
				   !util_not_zero(found->contiguous, 2));
	}
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(child.pid, &task));
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(task, base, PAGE, VM_INHERIT_NONE));
	ASSERT_EQ(KERN_SUCCESS, mach_vm_region_info(task, base, &info, &name));
	EXPECT_EQ(VM_INHERIT_NONE, info.vri_inheritance);
	EXPECT_EQ(KERN_SUCCESS, vm_map(task, &found->object, PAGES(2), 0, TRUE,
				       util_pager_object(pager), 0, FALSE, VM_PROT_READ,
				       VM_PROT_ALL, VM_INHERIT_COPY));
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), task, VM_WIRE_CURRENT));
	ASSERT_EQ(0, util_region_full((int)task, base, &region));
	EXPECT_EQ(1, region.out_wired);
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), task, VM_WIRE_NONE));
	ASSERT_EQ(0, util_region_full((int)task, base, &region));
	EXPECT_EQ(0, region.out_wired);
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), task, VM_WIRE_FUTURE));
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(task, &fresh, PAGES(2), TRUE));
	ASSERT_EQ(0, util_region_full((int)task, fresh, &region));
	EXPECT_EQ(1, region.out_wired);
	EXPECT_EQ(2, region.out_resident);
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), task, VM_WIRE_NONE));
	ASSERT_EQ(KERN_SUCCESS, vm_allocate_contiguous(mach_host_priv(), task, &found->contiguous,
						       &physical, PAGES(2), 0, UINT64_MAX, 0));
	ASSERT_EQ(KERN_SUCCESS, vm_pages_phys(mach_host_priv(), task, found->contiguous, PAGES(2),
					      &pages, &count));
	EXPECT_EQ(physical, pages[0]);
	EXPECT_EQ(physical + PAGE, pages[1]);
	EXPECT_EQ(KERN_SUCCESS, vm_set_size_limit(mach_host_self(), task, PAGES(11), PAGES(12)));
	EXPECT_EQ(KERN_SUCCESS, vm_get_size_limit(task, &now, &most));
	EXPECT_EQ(PAGES(11), now);
	EXPECT_EQ(PAGES(12), most);
	EXPECT_EQ(KERN_NO_SPACE, vm_allocate(task, &fresh, PAGES(2), TRUE));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(task, &fresh, PAGE, TRUE));
	EXPECT_EQ(KERN_SUCCESS, vm_get_size_limit(SELF, &now, &most));
	EXPECT_EQ(USER_END, now);
	EXPECT_EQ(0, child_end(&child));
	util_pager_stop(pager);
}

/* Fills @answers with what each call says about a task, with @size bytes; returns how many. */
static unsigned int ask_all(task_t task, vm_address_t at, vm_size_t size, vm_prot_t protection,
			    kern_return_t *answers)
{
	vm_machine_attribute_val_t value = MATTR_VAL_CACHE_FLUSH;
	rpc_phys_addr_t room[1], physical, *pages = room;
	vm_size_t limit, maximum;
	mach_msg_type_number_t count = 1, read_count;
	vm_cache_statistics_data_t cache;
	vm_statistics_data_t statistics;
	struct machvm_task_memory memory;
	struct util_region region;
	vm_address_t to = at;
	unsigned int i = 0;
	vm_offset_t data;
	mach_port_t proxy;

	answers[i++] = vm_allocate(task, &to, size, TRUE);
	answers[i++] = vm_allocate(task, &to, size, FALSE);
	answers[i++] = vm_deallocate(task, at, size);
	answers[i++] = vm_protect(task, at, size, FALSE, protection);
	answers[i++] = vm_inherit(task, at, size, protection);
	answers[i++] = vm_map(task, &to, size, 0, TRUE, MACH_PORT_NULL, 0, FALSE, protection,
			      protection, VM_INHERIT_COPY);
	answers[i++] = vm_copy(task, at, size, at + PAGE);
	answers[i++] = vm_read(task, at, size, &data, &read_count);
	answers[i++] = vm_write(task, at, at, size);
	answers[i++] = vm_region(task, &to, &region.size, &region.protection,
				 &region.max_protection, &region.inheritance, &region.shared,
				 &region.name, &region.offset);
	answers[i++] = vm_statistics(task, &statistics);
	answers[i++] = vm_cache_statistics(task, &cache);
	answers[i++] = vm_machine_attribute(task, at, size, MATTR_CACHE, &value);
	answers[i++] = machvm_task_memory(task, &memory);
	answers[i++] = vm_region_create_proxy(task, at, protection, size, &proxy);
	answers[i++] = vm_allocate_contiguous(mach_host_priv(), task, &to, &physical, size, 0,
					      UINT64_MAX, 0);
	answers[i++] = vm_pages_phys(mach_host_priv(), task, at, size, &pages, &count);
	answers[i++] = vm_wire(mach_host_priv(), task, at, size, protection);
	answers[i++] = vm_wire_all(mach_host_priv(), task, VM_WIRE_ALL);
	answers[i++] = vm_set_size_limit(mach_host_priv(), task, size, size);
	answers[i++] = vm_get_size_limit(task, &limit, &maximum);
	return i;
}

#define CALLS 21

/* From here on these calls have another name for what is no task. */
#define FIRST_OF_WIRE 17

TEST(V1_V45_a_dead_task_is_none_whatever_is_asked)
{
	static const vm_size_t sizes[] = { 0, 1, PAGE, -PAGE };
	static const vm_prot_t protections[] = { VM_PROT_NONE, VM_PROT_READ, 0x20 };
	kern_return_t answers[CALLS];
	vm_address_t base = util_make(1);
	struct child child;
	task_t task;

	if (!child_start(&child)) {
		ASSERT_EQ(0, child.pid);
		child_wait(&child);
		child_done(&child, true);
	}
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(child.pid, &task));
	ASSERT_EQ(0, child_end(&child));
	/* In thousands: which call, to be read in a failure. */
	for (int i = 0; i < 12; i++) {
		ASSERT_EQ(CALLS, ask_all(task, base + i % 2, sizes[i % 4], protections[i % 3],
					 answers));
		for (int j = 0; j < CALLS; j++)
			EXPECT_EQ(KERN_INVALID_TASK + 1000 * j, answers[j] + 1000 * j);
	}
}

TEST(V20_V45_what_is_no_task)
{
	struct util_pager *pager = util_pager_start(1);
	vm_address_t base = util_make(1);
	kern_return_t answers[CALLS];
	const task_t others[] = { 2, 999, util_pager_object(pager) };

	for (int i = 0; i < 3; i++) {
		ask_all(others[i], base, PAGE, VM_PROT_READ, answers);
		for (int j = 0; j < CALLS; j++)
			EXPECT_EQ((j < FIRST_OF_WIRE ? KERN_INVALID_ARGUMENT : KERN_INVALID_TASK) +
				  1000 * j, answers[j] + 1000 * j);
	}
	util_pager_stop(pager);
}

HARNESS_MAIN
