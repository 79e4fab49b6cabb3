// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_wire.c - memory that stays resident: who may ask for it, what it counts, when it ends.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define USER 4321

static kern_return_t wire(vm_address_t base, unsigned int pages, vm_prot_t access)
{
	return vm_wire(mach_host_priv(), SELF, base, PAGES(pages), access);
}

/* 1 or 0; -1 if there is no region. */
static int wired(vm_address_t address)
{
	struct machvm_vm_region region;

	if (util_region_full(MACHVM_TASK_SELF, address, &region) || region.address > address)
		return -1;
	return (int)region.out_wired;
}

static long wire_count(void)
{
	vm_statistics_data_t stats;

	return vm_statistics(SELF, &stats) ? -1 : stats.wire_count;
}

static long faults(void)
{
	vm_statistics_data_t stats;

	return vm_statistics(SELF, &stats) ? -1 : stats.faults;
}

/* Pages of this process that Linux counts as locked. */
static long locked(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[200];
	long kib = -4;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmLck: %ld kB", &kib) == 1)
			break;
	if (status)
		fclose(status);
	return kib / 4;
}

static void limit(unsigned int pages)
{
	struct rlimit limit = { PAGES(pages), PAGES(pages) };

	setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* An ordinary user who may lock that much. */
static int become_user(unsigned int pages)
{
	limit(pages);
	return chmod(MACHVM_DEVICE, 0666) || setuid(USER);
}

TEST(S2_19_wiring_does_not_stack)
{
	vm_address_t base = util_make(4);
	long count = wire_count();

	EXPECT_EQ(KERN_SUCCESS, wire(base, 2, RW));
	EXPECT_EQ(count + 2, wire_count());
	EXPECT_EQ(2, locked());
	EXPECT_EQ(KERN_SUCCESS, wire(base, 2, RW));
	EXPECT_EQ(KERN_SUCCESS, wire(base, 2, VM_PROT_READ));
	EXPECT_EQ(count + 2, wire_count());
	EXPECT_EQ(1, wired(base));
	EXPECT_EQ(0, wired(base + PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, wire(base, 2, VM_PROT_NONE));
	EXPECT_EQ(0, wired(base));
	EXPECT_EQ(count, wire_count());
	EXPECT_EQ(0, locked());
}

TEST(S2_19_a_hole_and_nothing_is_wired)
{
	vm_address_t base = util_make(8);
	long count = wire_count();

	vm_deallocate(SELF, base + PAGES(3), PAGE);
	vm_protect(SELF, base + PAGES(5), PAGE, FALSE, VM_PROT_READ);
	vm_protect(SELF, base + PAGES(7), PAGE, FALSE, VM_PROT_NONE);
	EXPECT_EQ(KERN_NO_SPACE, wire(base, 5, RW));
	EXPECT_EQ(KERN_NO_SPACE, wire(base + PAGES(3), 1, VM_PROT_READ));
	EXPECT_EQ(KERN_NO_SPACE, wire(base + PAGES(4), 2, RW));
	EXPECT_EQ(KERN_NO_SPACE, wire(base + PAGES(7), 1, VM_PROT_READ));
	EXPECT_EQ(KERN_NO_SPACE, wire(base, 5, VM_PROT_NONE));
	EXPECT_EQ(KERN_NO_SPACE, wire(base + PAGES(3), 0, VM_PROT_READ));
	EXPECT_EQ(KERN_NO_SPACE, vm_wire(mach_host_priv(), SELF, base, -base, VM_PROT_READ));
	EXPECT_EQ(KERN_NO_SPACE, vm_wire(mach_host_priv(), SELF, base, -PAGE, VM_PROT_READ));
	for (int i = 0; i < 8; i++)
		EXPECT_NE(1, wired(base + PAGES(i)));
	EXPECT_EQ(count, wire_count());
	EXPECT_EQ(0, locked());
	EXPECT_EQ(KERN_SUCCESS, wire(base, 0, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, wire(base + PAGES(4), 2, VM_PROT_READ));
	EXPECT_EQ(count + 2, wire_count());
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(8)));
	EXPECT_EQ(count, wire_count());
}

TEST(V22_wrong_arguments)
{
	vm_address_t base = util_make(1);

	EXPECT_EQ(KERN_INVALID_ARGUMENT, wire(base, 1, 8));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, wire(base, 1, VM_PROT_NOTIFY | VM_PROT_READ));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, wire(base, 1, -1));
	EXPECT_EQ(KERN_INVALID_HOST, vm_wire(SELF, SELF, base, PAGE, RW));
	EXPECT_EQ(KERN_INVALID_HOST, vm_wire(MACH_PORT_NULL, SELF, base, PAGE, RW));
	EXPECT_EQ(KERN_INVALID_TASK, vm_wire(mach_host_priv(), 999, base, PAGE, RW));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_wire_all(mach_host_priv(), SELF, 4));
	EXPECT_EQ(KERN_INVALID_HOST, vm_wire_all(mach_host_self(), SELF, VM_WIRE_ALL));
	EXPECT_EQ(0, wired(base));
}

TEST(V22_wired_memory_does_not_trap)
{
	vm_address_t base = util_make(64);
	long before;

	vm_protect(SELF, base + PAGES(32), PAGES(32), FALSE, VM_PROT_READ);
	ASSERT_EQ(KERN_SUCCESS, wire(base, 64, VM_PROT_READ));
	before = faults();
	util_fill(base, 32, 1);
	EXPECT_EQ(0, util_not_zero(base + PAGES(32), 32));
	EXPECT_EQ(before, faults());
}

TEST(V22_pages_of_two_tasks_count_once)
{
	vm_address_t base = util_make(8);
	long count = wire_count();
	pid_t pid;

	vm_inherit(SELF, base, PAGES(8), VM_INHERIT_SHARE);
	util_fill(base, 8, 1);
	EXPECT_EQ(KERN_SUCCESS, wire(base, 8, RW));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, wired(base));
		EXPECT_EQ(KERN_SUCCESS, wire(base, 8, RW));
		EXPECT_EQ(count + 8, wire_count());
		EXPECT_EQ(8, locked());
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(count + 8, wire_count());
	EXPECT_EQ(KERN_SUCCESS, wire(base, 8, VM_PROT_NONE));
	EXPECT_EQ(count, wire_count());
}

TEST(V22_another_task)
{
	vm_address_t base = util_make(4);
	struct util_gate go, done;
	long count;
	task_t child;
	pid_t pid;

	util_fill(base, 4, 1);
	count = wire_count();
	ASSERT_EQ(0, util_gate_init(&go));
	ASSERT_EQ(0, util_gate_init(&done));
	pid = fork();
	if (pid == 0) {
		util_fill(base, 1, 2);
		util_gate_open(&go);
		util_gate_pass(&done);
		EXPECT_EQ(1, wired(base));
		EXPECT_EQ(4, locked());
		EXPECT_EQ(0, util_wrong(base, 1, 2));
		CHILD_END();
	}
	util_gate_pass(&go);
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(pid, &child));
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), child, base, PAGES(4), RW));
	EXPECT_EQ(count + 4, wire_count());
	EXPECT_EQ(0, locked());
	util_gate_open(&done);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_INVALID_TASK, vm_wire(mach_host_priv(), child, base, PAGES(4), RW));
	EXPECT_EQ(count, wire_count());
}

TEST(V25_S2_20_out_of_reach_and_back)
{
	vm_address_t base = util_make(4);
	long count = wire_count(), before;

	util_fill(base, 4, 1);
	ASSERT_EQ(KERN_SUCCESS, wire(base, 4, RW));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, VM_PROT_NONE));
	EXPECT_EQ(0, wired(base));
	EXPECT_EQ(count, wire_count());
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, RW));
	EXPECT_EQ(1, wired(base));
	EXPECT_EQ(count + 4, wire_count());
	EXPECT_EQ(4, locked());
	before = faults();
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	util_fill(base, 4, 2);
	EXPECT_EQ(before, faults());
}

TEST(V23_S2_20_limit_of_an_ordinary_user)
{
	vm_address_t base = util_make(16);

	ASSERT_EQ(0, become_user(8));
	EXPECT_EQ(KERN_NO_ACCESS, wire(base, 9, RW));
	EXPECT_EQ(0, wired(base));
	EXPECT_EQ(0, locked());
	EXPECT_EQ(KERN_SUCCESS, wire(base, 8, RW));
	/* What is wired does not count twice, what is given back counts no more. */
	EXPECT_EQ(KERN_SUCCESS, wire(base, 8, VM_PROT_READ));
	EXPECT_EQ(KERN_NO_ACCESS, wire(base, 9, RW));
	EXPECT_EQ(KERN_NO_ACCESS, wire(base + PAGES(8), 1, RW));
	EXPECT_EQ(KERN_NO_ACCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_CURRENT));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(2), PAGES(2)));
	EXPECT_EQ(6, locked());
	EXPECT_EQ(KERN_NO_ACCESS, wire(base + PAGES(8), 3, RW));
	EXPECT_EQ(KERN_SUCCESS, wire(base + PAGES(8), 2, RW));
	EXPECT_EQ(KERN_SUCCESS, wire(base + PAGES(4), 6, VM_PROT_NONE));
	EXPECT_EQ(2, locked());
}

TEST(V23_limit_is_for_those_without_privilege)
{
	vm_address_t base = util_make(4);

	limit(2);
	EXPECT_EQ(KERN_NO_ACCESS, vm_wire(mach_host_self(), SELF, base, PAGES(4), RW));
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_self(), SELF, base, PAGES(2), RW));
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), SELF, base, PAGES(4), RW));
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_self(), SELF, base, PAGES(4), VM_PROT_NONE));
}

TEST(V23_linux_mlock_shares_the_limit)
{
	vm_address_t base = util_make(8);
	void *other = mmap(NULL, PAGES(8), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	ASSERT_EQ(0, become_user(8));
	ASSERT_EQ(0, mlock(other, PAGES(3)));
	EXPECT_EQ(KERN_NO_ACCESS, wire(base, 6, RW));
	EXPECT_EQ(KERN_SUCCESS, wire(base, 5, RW));
	EXPECT_EQ(8, locked());
	EXPECT_EQ(-1, mlock(other, PAGES(4)));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGE));
	EXPECT_EQ(0, mlock(other, PAGES(4)));
	EXPECT_EQ(0, munlock(other, PAGES(8)));
	EXPECT_EQ(KERN_SUCCESS, wire(base + PAGE, 7, RW));
	/* Of ours, munlock(2) and munlockall(2) know nothing. */
	EXPECT_EQ(0, munlock((void *)base, PAGES(8)));
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(1, wired(base + PAGE));
	EXPECT_EQ(7, locked());
}

/* The arena is large, and reserved anew; locking all that is to come does not touch it. */
TEST(linux_mlockall_future_before_the_first_call)
{
	vm_address_t base;

	ASSERT_EQ(0, mlockall(MCL_FUTURE));
	base = util_make(4);
	ASSERT_NE(0, base);
	EXPECT_EQ(0, wired(base));
	util_fill(base, 4, 1);
	EXPECT_EQ(KERN_SUCCESS, wire(base, 4, RW));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
}

TEST(V24_all_there_is_and_nothing)
{
	vm_address_t base = util_make(4), other = util_make(3);
	long count = wire_count();

	vm_deallocate(SELF, base + PAGE, PAGE);
	vm_protect(SELF, other, PAGE, FALSE, VM_PROT_NONE);
	vm_protect(SELF, other + PAGE, PAGE, FALSE, VM_PROT_READ);
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_CURRENT));
	EXPECT_EQ(count + 5, wire_count());
	EXPECT_EQ(1, wired(base + PAGES(3)));
	EXPECT_EQ(0, wired(util_make(1)));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, other, PAGE, FALSE, RW));
	EXPECT_EQ(count + 6, wire_count());
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_NONE));
	EXPECT_EQ(count, wire_count());
	EXPECT_EQ(0, locked());
	/* Of nothing, too. */
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, other + PAGES(4) - base));
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_ALL));
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_NONE));
}

TEST(S2_21_future_holds_for_memory_that_merges)
{
	vm_address_t base = util_make(8), address;
	mach_msg_type_number_t size;
	long count = wire_count(), before;
	vm_offset_t data;
	pid_t pid;

	vm_deallocate(SELF, base + PAGES(2), PAGES(6));
	ASSERT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_ALL));
	EXPECT_EQ(count + 2, wire_count());
	address = base + PAGES(2);
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &address, PAGES(2), FALSE));
	EXPECT_EQ(1, util_regions(base, base + PAGES(4)));
	EXPECT_EQ(1, wired(address));
	EXPECT_EQ(count + 4, wire_count());
	before = faults();
	util_fill(address, 2, 1);
	EXPECT_EQ(before, faults());
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(4), &data, &size));
	EXPECT_EQ(1, wired(data));
	EXPECT_EQ(count + 8, wire_count());
	EXPECT_EQ(8, locked());
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, wired(util_make(1)));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_NONE));
	EXPECT_EQ(0, wired(util_make(1)));
	EXPECT_EQ(count, wire_count());
}

TEST(V24_future_beyond_the_limit)
{
	vm_address_t base = util_make(4), address = base + PAGES(4);

	ASSERT_EQ(0, become_user(6));
	ASSERT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_ALL));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, vm_allocate(SELF, &address, PAGES(3), TRUE));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &address, PAGES(2), TRUE));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, vm_allocate(SELF, &address, PAGES(1), TRUE));
	EXPECT_EQ(6, locked());
}

TEST(V24_failure_takes_future_back)
{
	vm_address_t base = util_make(4);

	ASSERT_EQ(0, become_user(2));
	EXPECT_EQ(KERN_NO_ACCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_ALL));
	EXPECT_EQ(0, wired(base));
	EXPECT_EQ(0, wired(util_make(1)));
}

TEST(V24_who_may_lock_nothing)
{
	ASSERT_EQ(0, become_user(0));
	EXPECT_EQ(KERN_NO_ACCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_FUTURE));
	EXPECT_EQ(KERN_SUCCESS, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_NONE));
}

/* What the process had locked goes with its memory, however that goes. */
TEST(V22_end_gives_all_back)
{
	long count = wire_count();

	for (int how = 0; how < 3; how++) {
		pid_t pid = fork();

		if (pid == 0) {
			EXPECT_EQ(KERN_SUCCESS, wire(util_make(16), 16, RW));
			EXPECT_EQ(count + 16, wire_count());
			if (how == 1)
				execl("/bin/busybox", "true", NULL);
			if (how == 2)
				raise(SIGKILL);
			CHILD_END();
		}
		EXPECT_EQ(how == 2 ? 1000 + SIGKILL : 0, util_wait(pid));
		EXPECT_EQ(count, wire_count());
	}
}

static vm_address_t arena_start(vm_address_t inside, size_t *size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start = 0, end = 0;
	char line[300];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && inside >= start && inside < end)
			break;
	if (maps)
		fclose(maps);
	*size = end - start;
	return start;
}

TEST(V22_munmap_of_the_arena_gives_all_back)
{
	vm_address_t base = util_make(16), start;
	size_t size;

	ASSERT_EQ(KERN_SUCCESS, wire(base, 16, RW));
	EXPECT_EQ(16, locked());
	start = arena_start(base, &size);
	ASSERT_EQ(0, munmap((void *)start, size));
	EXPECT_EQ(0, locked());
	base = util_make(2);
	EXPECT_EQ(KERN_SUCCESS, wire(base, 2, RW));
	EXPECT_EQ(2, locked());
}

TEST(V22_munmap_of_one_window_gives_its_part_back)
{
	vm_address_t base = util_make(4), window, start;
	size_t size;

	window = (vm_address_t)mmap(NULL, PAGES(8), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE((vm_address_t)MAP_FAILED, window);
	ASSERT_EQ(0, munmap((void *)window, PAGES(8)));
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &window, PAGES(8), FALSE));
	ASSERT_EQ(KERN_SUCCESS, wire(base, 4, RW));
	ASSERT_EQ(KERN_SUCCESS, wire(window, 8, RW));
	EXPECT_EQ(12, locked());
	start = arena_start(window, &size);
	ASSERT_EQ(0, munmap((void *)start, size));
	EXPECT_EQ(4, locked());
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
	EXPECT_EQ(0, locked());
}

/* Memory of a pager */

FIXTURE(paged) {
	struct util_pager *pager;
	vm_address_t base;		/* 8 pages of it */
	long count;
};

FIXTURE_SETUP(paged)
{
	self->pager = util_pager_start(8);
	ASSERT_NE(NULL, self->pager);
	self->base = util_map(util_pager_object(self->pager), 0, 8, false);
	ASSERT_NE(0, self->base);
	self->count = wire_count();
}

FIXTURE_TEARDOWN(paged)
{
	util_pager_stop(self->pager);
}

TEST_F(paged, V22_pages_are_asked_for)
{
	EXPECT_EQ(KERN_SUCCESS, wire(self->base + PAGES(2), 3, RW));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(i >= 2 && i < 5, util_pager_requests(self->pager, i));
	EXPECT_EQ(self->count + 3, wire_count());
	EXPECT_EQ(0, wired(self->base));
	EXPECT_EQ(1, wired(self->base + PAGES(4)));
}

TEST_F(paged, V22_failed_page_and_nothing_is_wired)
{
	vm_address_t ordinary = util_make(1);

	util_pager_fail_from(self->pager, 6, 77);
	EXPECT_EQ(KERN_SUCCESS, wire(self->base + PAGES(4), 1, RW));
	EXPECT_EQ(KERN_MEMORY_ERROR, wire(self->base + PAGES(3), 4, RW));
	EXPECT_EQ(1, wired(self->base + PAGES(4)));
	EXPECT_EQ(0, wired(self->base + PAGES(3)));
	EXPECT_EQ(0, wired(self->base + PAGES(6)));
	EXPECT_EQ(self->count + 1, wire_count());
	EXPECT_EQ(1, locked());
	EXPECT_EQ(KERN_MEMORY_ERROR, vm_wire_all(mach_host_priv(), SELF, VM_WIRE_ALL));
	EXPECT_EQ(0, wired(ordinary));
	EXPECT_EQ(0, wired(util_make(1)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, self->base, PAGES(8)));
	EXPECT_EQ(self->count, wire_count());
	EXPECT_EQ(0, locked());
}

static void *wire_both(void *base)
{
	return (void *)(uintptr_t)wire((vm_address_t)base, 2, RW);
}

/* No lock is held meanwhile: the memory can be used, unwired, and taken away. */
TEST_F(paged, V22_waiting_for_a_pager_keeps_nobody_else)
{
	pthread_t thread;
	void *answer;

	util_pager_hold(self->pager, true);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wire_both, (void *)self->base));
	util_pager_wait_requests(self->pager, 1);
	EXPECT_EQ(KERN_SUCCESS, wire(util_make(2), 2, RW));
	EXPECT_EQ(KERN_SUCCESS, wire(self->base + PAGE, 1, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, self->base + PAGES(1), PAGE));
	util_pager_hold(self->pager, false);
	pthread_join(thread, &answer);
	EXPECT_EQ(KERN_SUCCESS, (int)(uintptr_t)answer);
	EXPECT_EQ(1, wired(self->base));
	EXPECT_EQ(-1, wired(self->base + PAGE));
	EXPECT_EQ(3, locked());
}

/* With a window of its own even what Linux knows of it goes. */
TEST_F(paged, V22_all_of_it_goes_meanwhile)
{
	vm_address_t window = 0x300000000UL;
	pthread_t thread;
	void *answer;

	ASSERT_EQ(KERN_SUCCESS,
		  vm_map(SELF, &window, PAGES(2), 0, FALSE, util_pager_object(self->pager), 0,
			 FALSE, RW, VM_PROT_ALL, VM_INHERIT_COPY));
	util_pager_hold(self->pager, true);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wire_both, (void *)window));
	util_pager_wait_requests(self->pager, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, window, PAGES(2)));
	EXPECT_EQ(0, util_mappings(window, window + PAGES(2), true));
	util_pager_hold(self->pager, false);
	pthread_join(thread, &answer);
	EXPECT_EQ(KERN_SUCCESS, (int)(uintptr_t)answer);
	EXPECT_EQ(0, locked());
}

TEST_F(paged, V22_killed_while_waiting)
{
	pid_t pid;

	vm_inherit(SELF, self->base, PAGES(8), VM_INHERIT_SHARE);
	util_pager_hold(self->pager, true);
	pid = fork();
	if (pid == 0) {
		wire(self->base, 2, RW);
		_exit(1);
	}
	util_pager_wait_requests(self->pager, 1);
	util_wait_asleep(pid, pid);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	EXPECT_EQ(self->count, wire_count());
	util_pager_hold(self->pager, false);
	EXPECT_EQ(KERN_SUCCESS, wire(self->base, 2, RW));
}

/* Protection comes and goes while the pages are brought in: nobody is kept from ending. */
struct flipper {
	vm_address_t base;
	volatile bool stop;
};

static void *flipper_thread(void *argument)
{
	struct flipper *flipper = argument;

	while (!flipper->stop) {
		vm_protect(SELF, flipper->base, PAGES(32), FALSE, VM_PROT_NONE);
		vm_protect(SELF, flipper->base, PAGES(32), FALSE, RW);
	}
	return NULL;
}

/* Part of a region that is wired as a whole is let be read again. */
TEST(V25_part_of_a_region_comes_back)
{
	vm_address_t base = util_make(8);
	struct machvm_vm_region region;

	ASSERT_EQ(KERN_SUCCESS, wire(base, 8, RW));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, RW));
	/* They are one again. */
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	EXPECT_EQ(PAGES(8), region.out_length);
	EXPECT_EQ(1, region.out_wired);
	EXPECT_EQ(8, region.out_resident);
}

TEST(V25_protection_flips_while_wiring)
{
	struct flipper flipper = { .base = util_make(64) };
	struct machvm_vm_region region;
	unsigned long resident = 0;
	vm_address_t at;
	kern_return_t kr;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, flipper_thread, &flipper));
	for (int i = 0; i < 100; i++) {
		kr = wire(flipper.base, 64, VM_PROT_READ);
		/* It began while half of it could be read, or could not. */
		EXPECT_TRUE(kr == KERN_SUCCESS || kr == KERN_NO_SPACE);
		if (kr == KERN_SUCCESS && i % 2)
			EXPECT_EQ(KERN_SUCCESS, wire(flipper.base, 64, VM_PROT_NONE));
	}
	flipper.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(KERN_SUCCESS, wire(flipper.base, 64, VM_PROT_READ));
	/* The halves may be regions of their own, if they were not alike when they last met. */
	for (at = flipper.base; at < flipper.base + PAGES(64); at += region.out_length) {
		ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, at, &region));
		EXPECT_EQ(1, region.out_wired);
		resident += region.out_resident;
	}
	EXPECT_EQ(64, resident);
	EXPECT_EQ(64, locked());
}

/* Copies of wired memory, and of memory that something else than the program writes to */

/* The number of the physical page, 0 if none is mapped. */
static uint64_t physical(vm_address_t address)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (off_t)(address / PAGE * 8)) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

static long cow_faults(void)
{
	vm_statistics_data_t stats;

	return vm_statistics(SELF, &stats) ? -1 : stats.cow_faults;
}

TEST(S2_27_fork_copies_wired_memory)
{
	vm_address_t base = util_make(8);
	uint64_t was[8];
	long before;
	pid_t pid;

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, wire(base, 8, RW));
	for (int i = 0; i < 8; i++)
		ASSERT_NE(0, was[i] = physical(base + PAGES(i)));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, wired(base));
		EXPECT_EQ(0, locked());
		EXPECT_EQ(0, util_wrong(base, 8, 1));
		for (int i = 0; i < 8; i++)
			EXPECT_NE(was[i], physical(base + PAGES(i)));
		util_fill(base, 8, 3);
		CHILD_END();
	}
	before = cow_faults();
	util_fill(base, 4, 2);
	EXPECT_EQ(0, util_wait(pid));
	util_fill(base, 8, 2);
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(was[i], physical(base + PAGES(i)));
	EXPECT_GE(before + 8, cow_faults());	/* the child's own */
	EXPECT_EQ(1, wired(base));
}

TEST(S2_27_vm_read_and_vm_copy_of_wired_memory)
{
	vm_address_t base = util_make(4), other = util_make(4);
	uint64_t was = 0;
	vm_offset_t data;
	mach_msg_type_number_t size;
	long before;

	util_fill(base, 4, 1);
	ASSERT_EQ(KERN_SUCCESS, wire(base, 4, RW));
	was = physical(base);
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(4), &data, &size));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(4), other));
	before = cow_faults();
	util_fill(base, 4, 2);
	EXPECT_EQ(before, cow_faults());
	EXPECT_EQ(was, physical(base));
	EXPECT_EQ(0, util_wrong(data, 4, 1));
	EXPECT_EQ(0, util_wrong(other, 4, 1));
	EXPECT_EQ(0, wired(data));
	EXPECT_EQ(0, wired(other));
}

TEST(S2_16_write_keeps_wiring_and_the_pages)
{
	vm_address_t base = util_make(4), other = util_make(4);
	struct util_region region;
	uint64_t was[2];

	util_fill(base, 4, 1);
	util_fill(other, 4, 2);
	ASSERT_EQ(KERN_SUCCESS, wire(base, 2, RW));
	was[0] = physical(base);
	was[1] = physical(base + PAGE);
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, base, other, PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, other + PAGES(2), PAGES(3 - 1), base + PAGES(1)));
	EXPECT_EQ(util_mark(0, 2), util_read(base).byte);
	EXPECT_EQ(util_mark(2, 2), util_read(base + PAGES(1)).byte);
	EXPECT_EQ(util_mark(3, 2), util_read(base + PAGES(2)).byte);
	EXPECT_EQ(was[0], physical(base));
	EXPECT_EQ(was[1], physical(base + PAGE));
	EXPECT_EQ(1, wired(base));
	EXPECT_EQ(1, wired(base + PAGE));
	EXPECT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(FALSE, region.shared);
	/* The source stays its own. */
	util_fill(base, 2, 5);
	EXPECT_EQ(0, util_wrong(other, 4, 2));
}

TEST(C4_wired_memory_out_of_reach_is_inherited_so)
{
	vm_address_t base = util_make(4);
	pid_t pid;

	util_fill(base, 4, 1);
	ASSERT_EQ(KERN_SUCCESS, wire(base, 4, RW));
	ASSERT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, VM_PROT_NONE));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base));
		EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, RW));
		EXPECT_EQ(0, util_wrong(base, 4, 1));
		EXPECT_EQ(0, wired(base));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, RW));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

/* A pipe that was given pages without a copy goes on seeing the parent's, as a device does. */
TEST(C2_page_in_use_by_the_kernel_stays_the_parents)
{
	vm_address_t base = util_make(2);
	struct iovec vector = { (void *)base, PAGE };
	static unsigned char seen[PAGE];
	uint64_t was;
	int ends[2];
	pid_t pid;

	util_fill(base, 2, 1);
	was = physical(base);
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ((ssize_t)PAGE, vmsplice(ends[1], &vector, 1, 0));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(base, 2, 1));
		EXPECT_NE(was, physical(base));
		util_fill(base, 2, 7);
		CHILD_END();
	}
	util_fill(base, 2, 2);
	EXPECT_EQ(0, util_wait(pid));
	ASSERT_EQ((ssize_t)PAGE, read(ends[0], seen, PAGE));
	for (unsigned int i = 0; i < PAGE; i++)
		ASSERT_EQ(util_mark(0, 2), seen[i]);
	/* Only now: what the child does may take the translation away for a while. */
	EXPECT_EQ(0, util_wrong(base, 2, 2));
	EXPECT_EQ(was, physical(base));
}

HARNESS_MAIN
