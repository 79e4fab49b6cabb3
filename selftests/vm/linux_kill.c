// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_kill.c - SIGKILL in any call, at any moment, leaves nothing behind.
 *
 * A child makes one kind of call over and over and is killed at random; afterwards there is as
 * much of everything as before.  KILL_SEED=N repeats a run, as far as chance is ours.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <mach_debug/mach_debug.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define ROUNDS 210
#define ROUNDS_DEBUG 60		/* where everything is watched, and slow */
#define MOMENT_MAX 4000		/* microseconds */
#define PAGES_OF_OBJECT 8

#define WINDOW 0x200000000UL
#define THREADS_MAX 2

/* What a thread of a child has to work with. */
struct work {
	vm_address_t base;	/* 16 pages, 8 of them written */
	vm_address_t window;	/* a fixed place for 4 */
	memory_object_t object;	/* of a pager that answers */
	memory_object_t silent;	/* of one that does not */
};

static void work_allocate(const struct work *work)
{
	vm_address_t base = util_make(8), window = work->window;

	util_fill(base, 4, 1);
	vm_deallocate(SELF, base, PAGES(8));
	vm_allocate(SELF, &window, PAGES(4), FALSE);
	util_fill(window, 2, 1);
	vm_deallocate(SELF, window, PAGES(4));
}

static void work_protect(const struct work *work)
{
	vm_protect(SELF, work->base + PAGES(2), PAGES(4), FALSE, VM_PROT_READ);
	vm_protect(SELF, work->base + PAGE, PAGES(2), FALSE, VM_PROT_ALL);
	vm_protect(SELF, work->base, PAGES(16), FALSE, RW);
	*(volatile char *)(work->base + PAGES(3)) = 1;
}

static void work_copy(const struct work *work)
{
	vm_copy(SELF, work->base, PAGES(8), work->base + PAGES(8));
	util_fill(work->base + PAGES(4), 8, 2);
}

static void work_read_and_write(const struct work *work)
{
	static char other[PAGES(4)] __attribute__((aligned(4096)));
	mach_msg_type_number_t count;
	vm_offset_t data = 0;

	vm_read(SELF, work->base, PAGES(8), &data, &count);
	vm_write(SELF, work->base + PAGES(8), data, PAGES(8));
	vm_write(SELF, work->base, (vm_offset_t)other, PAGES(4));
	vm_deallocate(SELF, data, PAGES(8));
}

static void work_wire(const struct work *work)
{
	vm_wire(mach_host_priv(), SELF, work->base, PAGES(12), RW);
	vm_wire(mach_host_priv(), SELF, work->base + PAGES(4), PAGES(4), VM_PROT_NONE);
	vm_wire_all(mach_host_priv(), SELF, VM_WIRE_CURRENT | VM_WIRE_FUTURE);
	vm_wire_all(mach_host_priv(), SELF, VM_WIRE_NONE);
}

static void work_physical(const struct work *work)
{
	rpc_phys_addr_t physical, into[16], *each = into;
	mach_msg_type_number_t count = 16;
	vm_address_t base = 0;

	vm_allocate_contiguous(mach_host_priv(), SELF, &base, &physical, PAGES(4), 0, ~0UL, 0);
	vm_pages_phys(mach_host_priv(), SELF, work->base, PAGES(16), &each, &count);
	vm_deallocate(SELF, base, PAGES(4));
}

static void work_limits(const struct work *work)
{
	vm_size_t limit, maximum;

	vm_get_size_limit(SELF, &limit, &maximum);
	vm_set_size_limit(mach_host_priv(), SELF, limit, maximum);
	vm_inherit(SELF, work->base, PAGES(4), VM_INHERIT_NONE);
	vm_inherit(SELF, work->base, PAGES(8), VM_INHERIT_SHARE);
}

static void work_pageout(const struct work *work)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = work->base,
		.length = PAGES(16),
	};

	util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &call);
	util_fill(work->base, 8, 3);
}

static void work_fork(const struct work *work)
{
	pid_t pid = fork();

	if (pid == 0) {
		util_fill(work->base, 12, 4);
		_exit(0);
	}
	util_wait(pid);
	util_fill(work->base, 8, 5);
}

static void work_spawn(const struct work *work)
{
	char *argument[] = { "true", NULL };
	pid_t pid;

	(void)work;
	if (!posix_spawn(&pid, "/bin/busybox", NULL, NULL, argument, environ))
		util_wait(pid);
}

/* Calls on another task, which comes and goes. */
static void work_task(const struct work *work)
{
	mach_msg_type_number_t count;
	vm_address_t fresh = 0;
	vm_offset_t data = 0;
	pid_t pid = fork();
	task_t task;

	if (pid == 0) {
		util_fill(work->base, 4, 6);
		pause();
	}
	if (machvm_task_for_pid(pid, &task) == KERN_SUCCESS) {
		vm_allocate(task, &fresh, PAGES(4), TRUE);
		vm_write(task, work->base, work->base, PAGES(4));
		vm_read(task, work->base, PAGES(4), &data, &count);
		vm_deallocate(SELF, data, PAGES(4));
		mach_port_deallocate(SELF, task);
	}
	kill(pid, SIGKILL);
	util_wait(pid);
}

static void work_look(const struct work *work)
{
	struct machvm_object_info object = { .size = sizeof(object) };
	struct machvm_port_info port = { .size = sizeof(port) };
	vm_page_info_t room[8], *pages = room;
	vm_cache_statistics_data_t cache;
	vm_statistics_data_t statistics;
	mach_msg_type_number_t count = 8;
	struct util_region region;

	vm_statistics(SELF, &statistics);
	vm_cache_statistics(SELF, &cache);
	util_ioctl(util_device(), MACHVM_OBJECT_INFO, &object);
	util_ioctl(util_device(), MACHVM_PORT_INFO, &port);
	if (util_region(work->base, &region) == KERN_SUCCESS)
		mach_vm_object_pages(region.name, &pages, &count);
	util_regions(0, -1UL);
}

static void work_proxy(const struct work *work)
{
	memory_object_t object = work->object;
	vm_offset_t nothing = 0;
	vm_size_t length = PAGES(2);
	mach_port_t proxy[2] = { MACH_PORT_NULL, MACH_PORT_NULL };
	vm_address_t base;

	memory_object_create_proxy(SELF, VM_PROT_READ, &object, MACH_MSG_TYPE_COPY_SEND, 1,
				   &nothing, 1, &nothing, 1, &length, 1, &proxy[0]);
	vm_region_create_proxy(SELF, work->base, RW, PAGES(4), &proxy[1]);
	for (int i = 0; i < 2; i++) {
		base = util_map(proxy[i], 0, 2, i);
		if (base)
			vm_deallocate(SELF, base, PAGES(2));
		mach_port_deallocate(SELF, proxy[i]);
	}
}

static void work_object(const struct work *work)
{
	vm_address_t base = util_map(work->object, 0, PAGES_OF_OBJECT, false);
	vm_address_t copy = util_map(work->object, 0, PAGES_OF_OBJECT, true);

	*(volatile char *)(base + PAGES(3)) = 1;
	*(volatile char *)(copy + PAGES(3)) = 2;
	*(volatile char *)(copy + PAGES(4)) = 2;
	vm_deallocate(SELF, base, PAGES(PAGES_OF_OBJECT));
	vm_deallocate(SELF, copy, PAGES(PAGES_OF_OBJECT));
}

static void work_sync(const struct work *work)
{
	vm_address_t base = util_map(work->object, 0, PAGES_OF_OBJECT, false);
	struct util_region region;

	for (int i = 0; i < PAGES_OF_OBJECT; i++)
		*(volatile char *)(base + PAGES(i)) = 1;
	vm_msync(SELF, base, PAGES(4), VM_SYNC_ASYNCHRONOUS);
	vm_msync(SELF, base, PAGES(PAGES_OF_OBJECT), VM_SYNC_SYNCHRONOUS | VM_SYNC_INVALIDATE);
	if (util_region(base, &region) == KERN_SUCCESS)
		vm_object_sync(region.name, 0, PAGES(4), TRUE, TRUE, TRUE);
	vm_msync(SELF, work->base, PAGES(16), VM_SYNC_DEACTIVATE);
	vm_msync(SELF, work->base, PAGES(4), VM_SYNC_KILLPAGES);
	vm_deallocate(SELF, base, PAGES(PAGES_OF_OBJECT));
}

/* A pager of one's own: every call on a control port. */
static void work_pager(const struct work *work)
{
	struct util_pager *pager = util_pager_start(4);
	vm_address_t base = util_map(util_pager_object(pager), 0, 4, false);
	memory_object_control_t control;

	(void)work;
	util_read(base);
	control = util_pager_control(pager);
	for (int i = 0; i < 4; i++)
		*(volatile char *)(base + PAGES(i)) = 1;
	memory_object_lock_request(control, 0, PAGES(2), MEMORY_OBJECT_RETURN_DIRTY, FALSE,
				   VM_PROT_NO_CHANGE, MACH_PORT_NULL);
	memory_object_lock_request(control, 0, PAGES(4), MEMORY_OBJECT_RETURN_ALL, TRUE,
				   VM_PROT_WRITE, MACH_PORT_NULL);
	memory_object_change_attributes(control, TRUE, MEMORY_OBJECT_COPY_NONE, MACH_PORT_NULL);
	vm_deallocate(SELF, util_map(util_pager_object(pager), 0, 4, true), PAGES(4));
	vm_deallocate(SELF, base, PAGES(4));
	util_pager_stop(pager);
}

/* The others wait for a page that does not come. */
static void work_wait_to_load(const struct work *work)
{
	util_read(util_map(work->silent, 0, 4, false));
}

static void work_wait_to_store(const struct work *work)
{
	util_write(util_map(work->silent, 0, 4, true), 1);
}

static void work_wait_to_wire(const struct work *work)
{
	vm_wire(mach_host_priv(), SELF, util_map(work->silent, 0, 4, false), PAGES(4), RW);
}

static void work_wait_in_a_system_call(const struct work *work)
{
	int null = open("/dev/zero", O_RDWR);

	(void)!read(null, (void *)util_map(work->silent, 0, 4, false), PAGES(4));
}

/* By bytes, which are waited for. */
static void work_wait_to_copy(const struct work *work)
{
	static char other[PAGES(4)] __attribute__((aligned(4096)));

	vm_write(SELF, (vm_address_t)other, util_map(work->silent, 0, 4, false), PAGES(4));
}

static void work_wait_in_a_child(const struct work *work)
{
	vm_address_t base = util_map(work->silent, 0, 4, false);
	pid_t pid = fork();

	if (pid == 0)
		util_read(base);
	util_wait(pid);
}

static const struct row {
	const char *name;
	void (*work)(const struct work *work);
	unsigned int threads;	/* more that do the same, up to THREADS_MAX */
} rows[] = {
	{ "allocate", work_allocate, 0 },
	{ "allocate in threads", work_allocate, 2 },
	{ "protect", work_protect, 0 },
	{ "protect in threads", work_protect, 2 },
	{ "copy", work_copy, 0 },
	{ "copy in threads", work_copy, 2 },
	{ "read and write", work_read_and_write, 0 },
	{ "wire", work_wire, 0 },
	{ "wire in threads", work_wire, 2 },
	{ "physical", work_physical, 0 },
	{ "limits", work_limits, 0 },
	{ "page out", work_pageout, 0 },
	{ "page out in threads", work_pageout, 2 },
	{ "fork", work_fork, 0 },
	{ "fork in threads", work_fork, 2 },
	{ "spawn", work_spawn, 0 },
	{ "another task", work_task, 0 },
	{ "look", work_look, 0 },
	{ "proxies", work_proxy, 0 },
	{ "an object", work_object, 0 },
	{ "an object in threads", work_object, 2 },
	{ "sync", work_sync, 0 },
	{ "sync in threads", work_sync, 2 },
	{ "a pager", work_pager, 0 },
	{ "wait to load", work_wait_to_load, 0 },
	{ "wait to store", work_wait_to_store, 1 },
	{ "wait to wire", work_wait_to_wire, 1 },
	{ "wait in a system call", work_wait_in_a_system_call, 0 },
	{ "wait to copy", work_wait_to_copy, 0 },
	{ "wait in a child", work_wait_in_a_child, 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct job {
	const struct row *row;
	struct work work;
};

static void *job_thread(void *argument)
{
	struct job *job = argument;

	for (;;)
		job->row->work(&job->work);
	return NULL;
}

/* In the child; its own children die with it.  Its threads have one map, and each its own memory. */
static void job_run(const struct job *like, struct util_gate *ready)
{
	struct job jobs[THREADS_MAX + 1];
	pthread_t thread;

	setpgid(0, 0);
	for (unsigned int i = 0; i <= like->row->threads; i++) {
		jobs[i] = *like;
		jobs[i].work.base = util_make(16);
		jobs[i].work.window = WINDOW + i * PAGES(8);
		util_fill(jobs[i].work.base, 8, 1);
	}
	for (unsigned int i = 1; i <= like->row->threads; i++)
		pthread_create(&thread, NULL, job_thread, &jobs[i]);
	util_gate_open(ready);
	job_thread(&jobs[0]);
}

struct counts {
	unsigned long maps, objects, ports, pages, wired, stored;
};

static struct counts count(void)
{
	struct machvm_vm_statistics now = { .size = sizeof(now) };

	util_ioctl(util_device(), MACHVM_VM_STATISTICS, &now);
	return (struct counts){
		now.out_maps, now.out_objects, now.out_ports,
		now.out_active_count + now.out_inactive_count + now.out_wire_count,
		now.out_wire_count, now.out_paged_out,
	};
}

/* What a process held may go a little later than the process.  Ends when all has, or never. */
static bool count_returns_to(struct counts before)
{
	struct counts now;

	for (int i = 0; i < 20000; i++) {
		now = count();
		if (!memcmp(&now, &before, sizeof(now)))
			return true;
		usleep(1000);
	}
	printf("# maps %lu %lu objects %lu %lu ports %lu %lu pages %lu %lu wired %lu %lu stored %lu %lu\n",
	       before.maps, now.maps, before.objects, now.objects, before.ports, now.ports,
	       before.pages, now.pages, before.wired, now.wired, before.stored, now.stored);
	return false;
}

static unsigned int seed_choose(void)
{
	const char *text = getenv("KILL_SEED");
	unsigned int seed = 0;

	if (text)
		return strtoul(text, NULL, 0);
	return getrandom(&seed, sizeof(seed), 0) == sizeof(seed) ? seed : 1;
}

TEST(linux_SIGKILL_in_any_call)
{
	struct util_pager *pager = util_pager_start(PAGES_OF_OBJECT);
	struct util_pager *silent = util_pager_start(PAGES_OF_OBJECT);
	unsigned int seed = seed_choose(), rounds = ROUNDS;
	vm_address_t mine = util_make(8);
	struct counts before;

	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		rounds = ROUNDS_DEBUG;
	TH_LOG("KILL_SEED=%u, %u rounds", seed, rounds);
	srand(seed);
	util_fill(mine, 8, 7);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ASSERT_TRUE(pager && silent);
	before = count();
	for (unsigned int round = 0; round < rounds; round++) {
		struct job job = {
			.row = &rows[round % ROWS],
			.work.object = util_pager_object(pager),
			.work.silent = util_pager_object(silent),
		};
		struct util_gate ready;
		pid_t pid;

		ASSERT_EQ(0, util_gate_init(&ready));
		util_pager_hold(silent, true);
		pid = fork();
		ASSERT_LE(0, pid);
		if (pid == 0) {
			vm_deallocate(SELF, mine, PAGES(8));
			job_run(&job, &ready);
		}
		util_gate_close_writer(&ready);
		ASSERT_EQ(0, util_gate_pass(&ready)) TH_LOG("round %u: %s", round, job.row->name);
		close(ready.fd[0]);
		usleep(rand() % MOMENT_MAX);
		EXPECT_EQ(0, kill(-pid, SIGKILL));
		EXPECT_EQ(1000 + SIGKILL, util_wait(pid)) TH_LOG("round %u: %s", round,
								 job.row->name);
		while (waitpid(-1, NULL, 0) > 0)
			;
		util_pager_hold(silent, false);
		ASSERT_TRUE(count_returns_to(before)) TH_LOG("round %u: %s", round,
							     job.row->name);
		EXPECT_EQ(0, util_wrong(mine, 8, 7));
	}
	util_pager_stop(silent);
	util_pager_stop(pager);
}

HARNESS_MAIN
