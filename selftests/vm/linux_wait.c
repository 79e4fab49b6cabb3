// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_wait.c - a thread that waits for a pager holds up nobody, and can be stopped: S2.52.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <unistd.h>

/* A page that its pager does not give, and a thread that waits for it. */
struct held {
	struct util_pager *pager;
	vm_address_t base;
	pthread_t thread;
	volatile pid_t tid;
	bool write;
	struct util_access access;
	volatile int byte;
};

static void *held_thread(void *argument)
{
	struct held *held = argument;

	held->tid = gettid();
	held->access = held->write ? util_write(held->base, 200) : util_read(held->base);
	return NULL;
}

static void hold(struct held *held, bool write)
{
	held->write = write;
	held->pager = util_pager_start(8);
	held->base = util_map(util_pager_object(held->pager), 0, 8, false);
	util_pager_hold(held->pager, true);
	pthread_create(&held->thread, NULL, held_thread, held);
	util_pager_wait_requests(held->pager, 1);
	util_wait_asleep(getpid(), held->tid);
}

static void let_go(struct held *held)
{
	util_pager_hold(held->pager, false);
	pthread_join(held->thread, NULL);
}

TEST(S2_52_SIGKILL_ends_who_waits)
{
	struct util_pager *pager = util_pager_start(8);
	memory_object_t object = util_pager_object(pager);
	pid_t pid;

	util_pager_hold(pager, true);
	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (pid == 0) {
			vm_address_t base = util_map(object, 0, 8, i == 2);

			if (i)
				*(volatile char *)(base + PAGES(i)) = 1;
			else
				util_read(base);
			_exit(99);
		}
		util_pager_wait_requests(pager, i + 1);
		util_wait_asleep(pid, pid);
		kill(pid, SIGKILL);
		EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	}
	util_pager_stop(pager);
}

TEST(S2_52_SIGKILL_ends_a_system_call_that_waits)
{
	struct util_pager *pager = util_pager_start(8);
	memory_object_t object = util_pager_object(pager);
	int fd[2];
	pid_t pid;

	util_pager_hold(pager, true);
	ASSERT_EQ(0, pipe(fd));
	pid = fork();
	if (pid == 0) {
		(void)!write(fd[1], (void *)util_map(object, 0, 8, false), PAGE);
		_exit(99);
	}
	util_pager_wait_requests(pager, 1);
	util_wait_asleep(pid, pid);
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	util_pager_stop(pager);
}

TEST(S2_52_a_fatal_signal_ends_who_waits)
{
	struct util_pager *pager = util_pager_start(8);
	memory_object_t object = util_pager_object(pager);
	pid_t pid;

	util_pager_hold(pager, true);
	pid = fork();
	if (pid == 0) {
		util_read(util_map(object, 0, 8, false));
		_exit(99);
	}
	util_pager_wait_requests(pager, 1);
	util_wait_asleep(pid, pid);
	kill(pid, SIGTERM);
	EXPECT_EQ(1000 + SIGTERM, util_wait(pid));
	util_pager_stop(pager);
}

TEST(S2_52_exit_of_the_process_ends_who_waits)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct held held = { 0 };

		hold(&held, false);
		_exit(5);
	}
	EXPECT_EQ(5, util_wait(pid));
}

static struct util_gate handler_gate;
static volatile int handler_ran;

static void handler(int signal)
{
	(void)signal;
	handler_ran++;
	util_gate_open(&handler_gate);
}

/* The handler runs although the page does not come; then the access goes on. */
TEST(S2_52_a_handled_signal_is_handled_at_once)
{
	struct sigaction action = { .sa_handler = handler };
	struct held held = { 0 };

	ASSERT_EQ(0, util_gate_init(&handler_gate));
	sigaction(SIGUSR1, &action, NULL);
	hold(&held, true);
	for (int i = 1; i <= 5; i++) {
		pthread_kill(held.thread, SIGUSR1);
		ASSERT_EQ(0, util_gate_pass(&handler_gate));
		EXPECT_EQ(i, handler_ran);
		util_wait_asleep(getpid(), held.tid);
	}
	let_go(&held);
	EXPECT_EQ(0, held.access.signal);
	EXPECT_EQ(200, util_read(held.base).byte);
	EXPECT_EQ(util_mark(0, 0), util_read(held.base + 1).byte);
	/* It waited for the same question all the time. */
	EXPECT_EQ(1, util_pager_requests(held.pager, 0));
	util_pager_stop(held.pager);
}

TEST(S2_52_mmap_goes_on)
{
	struct held held = { 0 };
	void *memory;

	hold(&held, false);
	for (int i = 0; i < 10; i++) {
		memory = mmap(NULL, PAGES(64), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, memory);
		memset(memory, 1, PAGES(64));
		ASSERT_EQ(0, mprotect(memory, PAGE, PROT_READ));
		ASSERT_EQ(0, munmap(memory, PAGES(64)));
	}
	EXPECT_NE(0, held.tid);
	let_go(&held);
	EXPECT_EQ(util_mark(0, 0), held.access.byte);
	util_pager_stop(held.pager);
}

TEST(S2_52_fork_and_exec_go_on)
{
	struct held held = { 0 };
	pid_t pid;

	hold(&held, false);
	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (pid == 0) {
			int null = open("/dev/null", O_RDWR);

			dup2(null, 1);
			if (i == 2)
				execl("/proc/self/exe", "exec", "-l", NULL);
			EXPECT_EQ(PAGES(8), util_covered(0, -1UL));
			CHILD_END();
		}
		EXPECT_EQ(0, util_wait(pid));
	}
	/* A child that touches the page waits for the same question, and can be killed. */
	pid = fork();
	if (pid == 0) {
		util_read(held.base);
		_exit(99);
	}
	util_wait_asleep(pid, pid);
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	EXPECT_EQ(1, util_pager_requests(held.pager, 0));
	let_go(&held);
	EXPECT_EQ(util_mark(0, 0), held.access.byte);
	util_pager_stop(held.pager);
}

TEST(S2_52_other_memory_goes_on)
{
	vm_address_t other;
	struct held held = { 0 };

	hold(&held, true);
	other = util_make(16);
	util_fill(other, 16, 1);
	EXPECT_EQ(0, util_wrong(other, 16, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, other, PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, other, PAGES(16)));
	EXPECT_EQ(PAGES(8), util_covered(0, -1UL));
	let_go(&held);
	EXPECT_EQ(0, held.access.signal);
	util_pager_stop(held.pager);
}

/* The answer finds the memory gone: the waiter is told so. */
TEST(S2_52_deallocate_while_a_fault_waits)
{
	struct held held = { 0 };
	vm_address_t keep;

	hold(&held, false);
	keep = util_map(util_pager_object(held.pager), PAGES(4), 4, false);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, held.base, PAGE));
	let_go(&held);
	EXPECT_EQ(SIGSEGV, held.access.signal);
	EXPECT_EQ(KERN_INVALID_ADDRESS, held.access.why);
	EXPECT_EQ(util_mark(4, 0), util_read(keep).byte);
	util_pager_stop(held.pager);
}

TEST(S2_52_protect_while_a_write_waits)
{
	struct held held = { 0 };

	hold(&held, true);
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, held.base, PAGE, FALSE, VM_PROT_NONE));
	let_go(&held);
	EXPECT_EQ(SIGSEGV, held.access.signal);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, held.access.why);
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, held.base, PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(util_mark(0, 0), util_read(held.base).byte);
	util_pager_stop(held.pager);
}

HARNESS_MAIN
