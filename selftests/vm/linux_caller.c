// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_caller.c - callers that Linux has shut in: by a filter of system calls, by a user namespace.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mach_debug/mach_debug.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define USER 4321

/* The low half of an argument of the system call. */
#define ARGUMENT(n) offsetof(struct seccomp_data, args[n])

static int filter_install(struct sock_filter *code, unsigned short length)
{
	struct sock_fprog program = { .len = length, .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* From now on nothing but ioctl, and what a test needs to end. */
static int filter_all_but_ioctl(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return filter_install(code, sizeof(code) / sizeof(code[0]));
}

/* From now on that ioctl does not come through: it has @consequence instead. */
static int filter_ioctl(unsigned int command, unsigned int consequence)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, command, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, consequence),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return filter_install(code, sizeof(code) / sizeof(code[0]));
}

static int ioctl_allocate(int device, vm_address_t *address, vm_size_t size)
{
	struct machvm_vm_allocate call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .anywhere = 1, .length = size,
	};
	int ret = util_ioctl(device, MACHVM_VM_ALLOCATE, &call);

	*address = call.address;
	return ret;
}

static int ioctl_protect(int device, vm_address_t address, vm_size_t size, vm_prot_t protection)
{
	struct machvm_vm_protect call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = address,
		.length = size, .protection = protection,
	};

	return util_ioctl(device, MACHVM_VM_PROTECT, &call);
}

static int ioctl_copy(int device, vm_address_t from, vm_size_t size, vm_address_t to)
{
	struct machvm_vm_copy call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .source = from,
		.length = size, .destination = to,
	};

	return util_ioctl(device, MACHVM_VM_COPY, &call);
}

/* The mappings that machvm makes are no system calls of the caller's, nor are faults. */
TEST(linux_seccomp_filter_that_allows_ioctl)
{
	pid_t pid = fork();

	if (pid == 0) {
		int device = util_device();
		vm_address_t base;

		if (device < 0 || filter_all_but_ioctl())
			_exit(98);
		EXPECT_EQ(0, ioctl_allocate(device, &base, PAGES(16)));
		util_fill(base, 8, 1);
		EXPECT_EQ(0, ioctl_copy(device, base, PAGES(8), base + PAGES(8)));
		util_fill(base, 8, 2);
		EXPECT_EQ(0, util_wrong(base + PAGES(8), 8, 1));
		/* One that Linux has to map anew. */
		EXPECT_EQ(0, ioctl_protect(device, base, PAGE, VM_PROT_READ | VM_PROT_EXECUTE));
		EXPECT_EQ(0, ioctl_protect(device, base, PAGE, RW));
		EXPECT_EQ(0, util_wrong(base, 1, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	/* And it is a filter that kills. */
	pid = fork();
	if (pid == 0) {
		if (!filter_all_but_ioctl())
			getppid();
		_exit(98);
	}
	EXPECT_EQ(1000 + SIGSYS, util_wait(pid));
}

TEST(linux_seccomp_filter_that_kills)
{
	struct machvm_vm_statistics before = { .size = sizeof(before) }, after = before;
	vm_address_t mine = util_make(4);

	util_fill(mine, 4, 1);
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &before));
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			vm_address_t base = util_make(8);

			util_fill(base, 8, 2);
			if (filter_ioctl(MACHVM_VM_PROTECT, SECCOMP_RET_KILL_PROCESS))
				_exit(98);
			vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ);
			_exit(99);
		}
		EXPECT_EQ(1000 + SIGSYS, util_wait(pid));
	}
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &after));
	EXPECT_EQ(before.out_maps, after.out_maps);
	EXPECT_EQ(before.out_objects, after.out_objects);
	EXPECT_EQ(before.out_active_count, after.out_active_count);
	EXPECT_EQ(0, util_wrong(mine, 4, 1));
}

/* What is refused changes nothing, and the library says that it failed. */
TEST(linux_seccomp_filter_that_refuses)
{
	vm_address_t base = util_make(4), other = 0;

	util_fill(base, 4, 1);
	ASSERT_EQ(0, filter_ioctl(MACHVM_VM_ALLOCATE, SECCOMP_RET_ERRNO | EPERM));
	EXPECT_EQ(KERN_NO_ACCESS, vm_allocate(SELF, &other, PAGE, TRUE));
	EXPECT_EQ(0, other);
	EXPECT_EQ(1, util_regions(0, -1UL));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* Ends as root of a user namespace of its own, who outside of it is USER. */
static int become_root_inside(void)
{
	char map[64];

	if (chmod(MACHVM_DEVICE, 0666) || setgid(USER) || setuid(USER) || unshare(CLONE_NEWUSER))
		return -1;
	/* Another program's credentials made its files under /proc root's. */
	prctl(PR_SET_DUMPABLE, 1);
	snprintf(map, sizeof(map), "0 %d 1", USER);
	if (file_write("/proc/self/setgroups", "deny") || file_write("/proc/self/uid_map", map) ||
	    file_write("/proc/self/gid_map", map))
		return -1;
	return setgid(0) || setuid(0) || geteuid();
}

TEST(linux_user_namespace_is_no_privilege)
{
	struct rlimit limit = { PAGES(2), PAGES(2) };
	host_priv_t host = mach_host_priv();
	rpc_phys_addr_t physical, *each = &physical;
	mach_msg_type_number_t count = 1;
	vm_page_phys_info_t room[1], *pages = room;
	vm_address_t base = 0, low = PAGES(2);
	struct util_region region;

	util_lowest_address(65536);
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, become_root_inside());
	base = util_make(4);
	ASSERT_NE(0, base);
	util_fill(base, 4, 1);
	/* Physical memory */
	EXPECT_EQ(KERN_NO_ACCESS,
		  vm_allocate_contiguous(host, SELF, &low, &physical, PAGE, 0, ~0UL, 0));
	EXPECT_EQ(KERN_NO_ACCESS, vm_pages_phys(host, SELF, base, PAGE, &each, &count));
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(KERN_NO_ACCESS, mach_vm_object_pages_phys(region.name, &pages, &count));
	/* Limits */
	EXPECT_EQ(KERN_NO_ACCESS, vm_wire(host, SELF, base, PAGES(4), RW));
	EXPECT_EQ(KERN_NO_ACCESS, vm_wire_all(host, SELF, VM_WIRE_CURRENT));
	EXPECT_EQ(KERN_SUCCESS, vm_set_size_limit(host, SELF, PAGES(64), PAGES(64)));
	EXPECT_EQ(KERN_NO_ACCESS, vm_set_size_limit(host, SELF, PAGES(64), PAGES(128)));
	/* Where Linux lets only the privileged map */
	EXPECT_EQ(KERN_NO_SPACE, vm_allocate(SELF, &low, PAGE, FALSE));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

/* What needs no privilege works there as everywhere. */
TEST(linux_user_namespace_and_ordinary_calls)
{
	vm_address_t base = util_make(4), fresh;
	vm_offset_t data;
	mach_msg_type_number_t count;
	task_t task;
	pid_t pid;

	util_fill(base, 4, 1);
	ASSERT_EQ(0, become_root_inside());
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	fresh = util_make(4);
	ASSERT_NE(0, fresh);
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(4), fresh));
	EXPECT_EQ(0, util_wrong(fresh, 4, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(4), &data, &count));
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, fresh, data, PAGES(4)));
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_self(), SELF, base, PAGE, RW));
	pid = fork();
	if (pid == 0) {
		util_fill(base, 4, 2);
		pause();
		_exit(99);
	}
	/* Its own child is its own, as for ptrace. */
	EXPECT_EQ(KERN_SUCCESS, machvm_task_for_pid(pid, &task));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(task, fresh, PAGE, FALSE, VM_PROT_READ));
	/* And its parent, which is outside, is not. */
	EXPECT_EQ(KERN_NO_ACCESS, machvm_task_for_pid(getppid(), &task));
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
}

/* Objects of the one who owns the namespace are seen in it, those of others are not. */
TEST(linux_user_namespace_sees_its_owners_objects)
{
	struct machvm_object_info info = { .size = sizeof(info) };
	unsigned long *others = util_shared(PAGE);
	struct machvm_vm_region region;
	struct util_gate gate;
	vm_address_t base;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&gate));
	pid = fork();		/* what it has is not inherited from anybody */
	if (pid == 0) {
		EXPECT_EQ(0, become_root_inside());
		util_gate_pass(&gate);
		base = util_make(1);
		util_fill(base, 1, 2);
		EXPECT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
		info.id = *others;
		EXPECT_EQ(0, util_ioctl(util_device(), MACHVM_OBJECT_INFO, &info));
		EXPECT_EQ(region.out_object, info.id);
		CHILD_END();
	}
	base = util_make(1);
	util_fill(base, 1, 1);
	EXPECT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	*others = region.out_object;
	EXPECT_NE(0, *others);
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(pid));
}

HARNESS_MAIN
