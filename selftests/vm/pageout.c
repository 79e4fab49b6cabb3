// SPDX-License-Identifier: GPL-2.0-only
/*
 * pageout.c - internal memory that goes to the default memory manager and comes back, with swap
 * underneath: what any program sees of it is nothing.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define DISK "/dev/ram0"	/* what O_DIRECT reads */
#define SWAP "/dev/ram1"	/* 4 MiB on some kernels: keep to 900 pages */

/* Pages out what a range shows: how many pages went, or the answer negated. */
static long pageout(vm_address_t base, unsigned long pages)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = base,
		.length = PAGES(pages),
	};
	int answer = util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &call);

	return answer ? -answer : (long)call.out_pages;
}

static struct machvm_vm_statistics statistics(void)
{
	struct machvm_vm_statistics call = { .size = sizeof(call) };

	util_ioctl(util_device(), MACHVM_VM_STATISTICS, &call);
	return call;
}

static unsigned long free_swap_pages(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : info.freeswap * info.mem_unit / PAGE;
}

static unsigned int resident(vm_address_t base)
{
	struct machvm_vm_region region;

	return util_region_full(MACHVM_TASK_SELF, base, &region) ? -1U : region.out_resident;
}

FIXTURE(pageout) {
	struct machvm_vm_statistics before;
	long pages, user_pages;
};

FIXTURE_SETUP(pageout)
{
	swapoff(SWAP);		/* of a test that was killed */
	ASSERT_EQ(0, system("mkswap " SWAP " >/dev/null"));
	ASSERT_EQ(0, swapon(SWAP, 0));
	self->before = statistics();
	self->pages = util_parameter("max_pages");
	self->user_pages = util_parameter("max_user_pages");
}

FIXTURE_TEARDOWN_PARENT(pageout)
{
	util_parameter_set("max_pages", self->pages);
	util_parameter_set("max_user_pages", self->user_pages);
	swapoff(SWAP);
}

TEST_F(pageout, K13_pages_go_and_come_back)
{
	vm_address_t base = util_make(600);
	unsigned long free_before = free_swap_pages();
	struct machvm_vm_statistics after;

	util_fill(base, 600, 1);
	EXPECT_EQ(600, pageout(base, 600));
	EXPECT_LE(600, free_before - free_swap_pages());	/* at once */
	EXPECT_EQ(0, resident(base));
	after = statistics();
	EXPECT_EQ(600, after.out_pageouts - self->before.out_pageouts);
	EXPECT_EQ(600, after.out_paged_out - self->before.out_paged_out);
	EXPECT_EQ(0, pageout(base, 600));
	EXPECT_EQ(0, util_wrong(base, 600, 1));
	after = statistics();
	EXPECT_EQ(600, after.out_pageins - self->before.out_pageins);
	EXPECT_EQ(self->before.out_paged_out, after.out_paged_out);
	/* And out again after a change, in part. */
	util_fill(base + PAGES(100), 7, 2);
	EXPECT_EQ(50, pageout(base + PAGES(80), 50));
	EXPECT_EQ(0, util_wrong(base + PAGES(100), 7, 2));
	EXPECT_EQ(0, util_wrong(base, 100, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(600)));
	EXPECT_EQ(self->before.out_paged_out, statistics().out_paged_out);
}

TEST_F(pageout, ranges)
{
	vm_address_t base = util_make(8);

	util_fill(base, 8, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(3), PAGE));
	EXPECT_EQ(1, pageout(base + 5000, 0) + pageout(base, 1));
	EXPECT_EQ(3, pageout(base, 5));		/* over the hole */
	EXPECT_EQ(0, pageout(0, 100));
	EXPECT_EQ(-KERN_INVALID_ADDRESS, pageout(-PAGE, 2));
	EXPECT_EQ(3, pageout(0, USER_END / PAGE));
	EXPECT_EQ(0, util_wrong(base, 3, 1));
}

TEST_F(pageout, pages_of_a_pager_stay)
{
	struct util_pager *pager = util_pager_start(4);
	vm_address_t base;

	ASSERT_NE(NULL, pager);
	base = util_map(util_pager_object(pager), 0, 4, false);
	EXPECT_EQ(0, util_wrong(base, 4, 0));
	EXPECT_EQ(0, pageout(base, 4));
	EXPECT_EQ(4, resident(base));
	util_pager_stop(pager);
}

TEST_F(pageout, S2_26_pages_that_are_out_are_copied)
{
	vm_address_t base = util_make(32);
	struct util_gate gate;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&gate));
	util_fill(base, 32, 1);
	ASSERT_EQ(32, pageout(base, 32));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&gate);
		util_fill(base, 8, 2);
		EXPECT_EQ(0, util_gate_pass(&gate));
		EXPECT_LT(0, pageout(base, 32));
		EXPECT_EQ(0, util_wrong(base, 8, 2));
		for (int i = 8; i < 32; i++)
			EXPECT_EQ(util_mark(i, 1), util_read(base + PAGES(i)).byte);
		CHILD_END();
	}
	for (int i = 16; i < 24; i++)
		memset((void *)(base + PAGES(i)), util_mark(i, 3), PAGE);
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(pid));
	for (int i = 0; i < 32; i++)
		EXPECT_EQ(util_mark(i, i / 8 == 2 ? 3 : 1), util_read(base + PAGES(i)).byte);
	EXPECT_EQ(self->before.out_paged_out, statistics().out_paged_out);
}

/* With pages out in each object of the chain, it is as short as without. */
TEST_F(pageout, S2_35_chains_stay_short_and_stores_empty)
{
	vm_address_t base = util_make(16);
	struct machvm_vm_region region;
	__u64 most;

	util_fill(base, 16, 1);
	most = statistics().out_paged_out + 16;
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			util_fill(base, 8, 2);
			pageout(base, i % 3 ? 16 : 4);
			EXPECT_EQ(0, util_wrong(base, 8, 2));
			pageout(base, 8);
			CHILD_END();
		}
		if (i % 2)
			memset((void *)(base + PAGES(9)), util_mark(9, 1), PAGE);
		EXPECT_EQ(0, util_wait(pid));
		memset((void *)(base + PAGES(12)), util_mark(12, 1), PAGE);
		ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
		EXPECT_GE(2, region.out_shadow_depth);
		EXPECT_GE(most, statistics().out_paged_out);
	}
	EXPECT_EQ(0, util_wrong(base, 16, 1));
	vm_deallocate(SELF, base, PAGES(16));
	EXPECT_EQ(self->before.out_paged_out, statistics().out_paged_out);
}

TEST_F(pageout, V13_a_copy_of_pages_that_are_out)
{
	vm_address_t base = util_make(16), copy = util_make(16);

	util_fill(base, 16, 1);
	util_fill(copy, 16, 2);
	EXPECT_EQ(32, pageout(base, 16) + pageout(copy, 16));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(16), copy));
	EXPECT_EQ(self->before.out_paged_out + 16, statistics().out_paged_out);
	util_fill(base, 16, 3);
	EXPECT_EQ(0, util_wrong(copy, 16, 1));
	EXPECT_LT(0, pageout(copy, 16));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(16)));
	EXPECT_EQ(0, util_wrong(copy, 16, 1));
}

#define USER 4321

/* A program that uses more than it may have resident is paged out by its own faults. */
TEST_F(pageout, K13_more_than_the_limit_of_a_user)
{
	struct machvm_vm_statistics after;
	vm_address_t base;

	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
	ASSERT_EQ(0, util_parameter_set("max_user_pages", 100));
	ASSERT_EQ(0, setuid(USER));
	base = util_make(700);
	util_fill(base, 700, 1);
	EXPECT_GE(100, resident(base));
	EXPECT_EQ(0, util_wrong(base, 700, 1));
	after = statistics();
	EXPECT_LE(600, after.out_paged_out - self->before.out_paged_out);
	EXPECT_LT(1200, after.out_pageouts - self->before.out_pageouts);
	EXPECT_LT(600, after.out_pageins - self->before.out_pageins);
}

TEST_F(pageout, K13_more_than_all_may_have)
{
	struct machvm_vm_statistics now = statistics();
	vm_address_t base = util_make(700);
	pid_t pid;

	ASSERT_EQ(0, util_parameter_set("max_pages", now.out_active_count +
					now.out_inactive_count + 250));
	util_fill(base, 350, 1);
	pid = fork();
	if (pid == 0) {
		util_fill(base + PAGES(280), 190, 2);
		EXPECT_EQ(0, util_wrong(base, 280, 1));
		EXPECT_EQ(0, util_wrong(base + PAGES(280), 190, 2));
		CHILD_END();
	}
	util_fill(base + PAGES(350), 350, 3);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 350, 1));
	EXPECT_EQ(0, util_wrong(base + PAGES(350), 350, 3));
}

/* The child gets copies of what is wired at once: what is not goes for them, and then they themselves. */
TEST_F(pageout, K13_what_is_wired_is_copied_at_a_limit)
{
	const struct rlimit lock = { PAGES(60), PAGES(60) };
	vm_address_t base, copy;
	pid_t pid;

	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
	ASSERT_EQ(0, util_parameter_set("max_user_pages", 100));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &lock));
	ASSERT_EQ(0, setuid(USER));
	base = util_make(160);
	copy = util_make(60);
	util_fill(base, 60, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_wire(mach_host_self(), SELF, base, PAGES(60), VM_PROT_READ));
	util_fill(base + PAGES(60), 100, 2);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(base, 60, 1));
		EXPECT_EQ(0, util_wrong(base + PAGES(60), 100, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(60), copy));
	util_fill(base, 60, 3);
	EXPECT_EQ(0, util_wrong(copy, 60, 1));
	EXPECT_EQ(0, util_wrong(base, 60, 3));
}

#define GROUP "machvm-pageout"

/*
 * More than a memory cgroup may have.  Paging out needs memory of the same group, and so do others:
 * the share of it that is ours stays below the limit, and nobody is killed.
 */
TEST_F(pageout, K13_more_than_a_cgroup_may_have)
{
	unsigned int most = 0;
	pid_t pid;

	ASSERT_EQ(0, util_cgroup_make(GROUP, PAGES(1024)));
	pid = fork();
	if (pid == 0) {
		vm_address_t base;

		EXPECT_EQ(0, util_cgroup_enter(GROUP));
		base = util_make(1300);
		/* At no time, not just when Linux has asked for some of it. */
		for (unsigned int i = 0; i < 1300; i++) {
			memset((void *)(base + PAGES(i)), util_mark(i, 1), PAGE);
			/* Seldom: what KASAN keeps of a call that has ended is the group's, too. */
			if (i % 50 == 49 && resident(base) > most)
				most = resident(base);
		}
		EXPECT_GE(512, most);
		EXPECT_EQ(0, util_wrong(base, 1300, 1));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_cgroup_kills(GROUP));
	EXPECT_EQ(0, util_cgroup_remove(GROUP));
}

static unsigned long pageouts(void)
{
	return statistics().out_pageouts;
}

/* Nobody wants a page of ours: it is Linux that wants memory, and asks once more until it got it. */
TEST_F(pageout, K13_Linux_asks_for_pages)
{
	vm_address_t base = util_make(400);

	util_fill(base, 400, 1);
	while (pageouts() - self->before.out_pageouts < 300)
		ASSERT_EQ(0, util_drop_caches());
	EXPECT_GE(100, resident(base));
	EXPECT_EQ(0, util_wrong(base, 400, 1));
}

/* Short of memory is one group: its pages go, and it goes on paying where they have gone. */
TEST_F(pageout, K13_Linux_asks_for_pages_of_a_cgroup)
{
	vm_address_t ours = util_make(200);
	pid_t pid;

	util_fill(ours, 200, 1);
	ASSERT_EQ(0, util_cgroup_make(GROUP, 0));
	pid = fork();
	if (pid == 0) {
		vm_address_t base;
		long swapped;

		EXPECT_EQ(0, util_cgroup_enter(GROUP));
		base = util_make(400);
		util_fill(base, 400, 2);
		swapped = util_cgroup_number(GROUP, "memory.swap.current");
		EXPECT_LE(0, swapped);
		/* More than there is to be had, so the answer is no success. */
		while (pageouts() - self->before.out_pageouts < 300)
			util_file_write("/sys/fs/cgroup/" GROUP "/memory.reclaim", "4M");
		EXPECT_GE(100, resident(base));
		EXPECT_LE(swapped + (long)PAGES(200),
			  util_cgroup_number(GROUP, "memory.swap.current"));
		EXPECT_EQ(0, util_wrong(base, 400, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(200, resident(ours));
	EXPECT_EQ(0, util_wrong(ours, 200, 1));
	EXPECT_EQ(0, util_cgroup_remove(GROUP));
}

/* Somebody pages out without a pause. */
static atomic_bool stop;
static atomic_long evictions;
static vm_address_t evicted;
static unsigned int evicted_pages;

static void *evict(void *arg)
{
	(void)arg;
	while (!stop)
		evictions += pageout(evicted, evicted_pages);
	return NULL;
}

/* Who is evicted must have been so by the time the test is over, however the threads ran. */
static void eviction_end(pthread_t thread)
{
	while (evictions <= 0)
		sched_yield();
	stop = true;
	pthread_join(thread, NULL);
}

/* What a device writes into a page must not be lost with the page. */
TEST_F(pageout, K13_direct_reads_meet_eviction)
{
	const unsigned int pages = 64;
	vm_address_t base = util_make(pages), content = util_make(pages);
	int fd = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	unsigned int rounds = 0;
	pthread_t thread;

	ASSERT_GE(fd, 0);
	for (int i = 0; i < 2; i++) {
		util_fill(content, pages, i + 1);
		ASSERT_EQ(PAGES(pages), pwrite(fd, (void *)content, PAGES(pages), i * PAGES(pages)));
	}
	evicted = base;
	evicted_pages = pages;
	ASSERT_EQ(0, pthread_create(&thread, NULL, evict, NULL));
	for (; rounds < 20 || evictions <= 0; rounds++) {
		ASSERT_EQ(PAGES(pages), pread(fd, (void *)base, PAGES(pages),
					      rounds % 2 * PAGES(pages)));
		ASSERT_EQ(0, util_wrong(base, pages, rounds % 2 + 1));
	}
	eviction_end(thread);
}

static void *write_and_verify(void *arg)
{
	unsigned int which = *(unsigned int *)arg, wrong = 0;
	vm_address_t base = evicted + PAGES(which * 16);

	for (unsigned int round = 0; round < 20; round++) {
		util_fill(base, 16, round % 9);
		wrong += util_wrong(base, 16, round % 9);
	}
	return (void *)(unsigned long)wrong;
}

/* Three threads write and read, and children copy, while everything is paged out. */
TEST_F(pageout, K13_writers_and_forks_meet_eviction)
{
	unsigned int number[3] = { 0, 1, 2 };
	pthread_t thread, writer[3];

	evicted = util_make(64);
	evicted_pages = 64;
	util_fill(evicted + PAGES(48), 16, 1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, evict, NULL));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&writer[i], NULL, write_and_verify, &number[i]));
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			EXPECT_EQ(0, util_wrong(evicted + PAGES(48), 16, 1));
			util_fill(evicted + PAGES(40), 16, 5);
			EXPECT_LE(0, pageout(evicted, 64));
			EXPECT_EQ(0, util_wrong(evicted + PAGES(40), 16, 5));
			CHILD_END();
		}
		EXPECT_EQ(0, util_wait(pid));
	}
	for (int i = 0; i < 3; i++) {
		void *wrong;

		pthread_join(writer[i], &wrong);
		EXPECT_EQ(NULL, wrong);
	}
	eviction_end(thread);
	EXPECT_EQ(0, util_wrong(evicted + PAGES(48), 16, 1));
	vm_deallocate(SELF, evicted, PAGES(64));
	EXPECT_EQ(self->before.out_paged_out, statistics().out_paged_out);
}

/* A process that is killed leaves nothing in the store. */
TEST_F(pageout, a_kill_empties_the_store)
{
	struct util_gate gate;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&gate));
	pid = fork();
	if (pid == 0) {
		vm_address_t base = util_make(300);

		util_fill(base, 300, 1);
		if (pageout(base, 300) == 300)
			util_gate_open(&gate);
		pause();
	}
	EXPECT_EQ(0, util_gate_pass(&gate));
	EXPECT_EQ(self->before.out_paged_out + 300, statistics().out_paged_out);
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	EXPECT_EQ(self->before.out_paged_out, statistics().out_paged_out);
}

HARNESS_MAIN
