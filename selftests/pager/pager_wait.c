// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_wait.c - what a fault that waits for its pager lets happen: rules S2.52 and S2.53.
 */
#include "harness.h"
#include "raw.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>

static volatile atomic_int *stage;	/* of a child */
static atomic_int handled;

static void handle(int signal)
{
	(void)signal;
	atomic_fetch_add(&handled, 1);
	if (stage)
		atomic_store(&stage[1], atomic_load(&handled));
}

static void handle_usr1(void)
{
	struct sigaction action = { .sa_handler = handle };	/* no SA_RESTART: all is seen */

	must(!sigaction(SIGUSR1, &action, NULL));
}

static void stages_prepare(void)
{
	stage = util_shared(4096);
	must(stage);
}

enum way {
	LOAD,
	STORE,
	READ,		/* read(2) into the page */
	WRITE,		/* write(2) out of it */
};

/* A client that goes to sleep on page 0 of a mapping of its own.  It ends with 0 if all is well. */
static pid_t client(struct served *s, enum way way)
{
	int pipes[2];
	pid_t pid;

	stages_prepare();
	must(!pipe(pipes));
	pid = fork_client(s);
	if (!pid) {
		vm_address_t base = map_object(&s->object, 0, s->pages, false);
		unsigned char data[PAGE] = { 1 };

		handle_usr1();
		must_eq(write(pipes[1], data, PAGE), PAGE);
		atomic_store(stage, 1);
		switch (way) {
		case LOAD:
			must_eq(byte_at(base, 0), util_mark(0, 0));
			break;
		case STORE:
			*(unsigned char *)(base + 1) = 1;
			must_eq(byte_at(base, 0), util_mark(0, 0));
			break;
		case READ:
			must_eq(read(pipes[0], (void *)base, PAGE), PAGE);
			must_eq(byte_at(base, 0), 1);
			break;
		case WRITE:
			must_eq(write(pipes[1], (void *)base, PAGE), PAGE);
			break;
		}
		_exit(0);
	}
	wait_until(atomic_load(stage));
	process_asleep(pid);
	close(pipes[0]);
	close(pipes[1]);
	must_eq(expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST).offset, 0);
	return pid;
}

static void killed(enum way way)
{
	struct served s;
	struct touch other;
	pid_t pid;

	serve(&s, 2);
	pid = client(&s, way);
	must(!kill(pid, SIGKILL));
	must_eq(util_wait(pid), 1000 + SIGKILL);
	/* The late supply is accepted, and the page stays. */
	must_eq(supply_mark(&s.object, 0, 0), 0);
	other = touch_now(s.base, false, 0);
	must_eq(other.signal, 0);
	must_eq(other.byte, util_mark(0, 0));
	must(channel_empty(&s.channel));
	must_eq(object_info(&s.object).out_requested, 1);
}

TEST(S2_52_SIGKILL_ends_a_client_that_loads)
{
	killed(LOAD);
}

TEST(S2_52_SIGKILL_ends_a_client_that_stores)
{
	killed(STORE);
}

TEST(S2_52_SIGKILL_ends_a_client_in_read)
{
	killed(READ);
}

TEST(S2_52_SIGKILL_ends_a_client_in_write)
{
	killed(WRITE);
}

TEST(S2_52_SIGKILL_before_the_object_is_ready)
{
	struct served s;
	pid_t pid;

	serve_start(&s, 2);
	stages_prepare();
	pid = fork_client(&s);
	if (!pid) {
		vm_address_t base = map_object(&s.object, 0, 2, false);

		atomic_store(stage, 1);
		byte_at(base, 0);
		_exit(0);
	}
	wait_until(atomic_load(stage));
	process_asleep(pid);
	EXPECT_EQ(1, object_info(&s.object).out_requests);
	must(!kill(pid, SIGKILL));
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
}

static void signalled(enum way way, int signals)
{
	struct served s;
	pid_t pid;

	serve(&s, 2);
	pid = client(&s, way);
	for (int i = 1; i <= signals; i++) {
		must(!kill(pid, SIGUSR1));
		if (way == LOAD || way == STORE)
			wait_until(atomic_load(&stage[1]) == i);	/* at once */
		process_asleep(pid);
		must(channel_empty(&s.channel));	/* not asked again */
	}
	must_eq(object_info(&s.object).out_requests, 1);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(util_wait(pid), 0);
	must_eq(atomic_load(&stage[1]) > 0, 1);
	must(channel_empty(&s.channel));
	must_eq(object_info(&s.object).out_requested, 1);
}

TEST(S2_52_a_handled_signal_retries_a_load)
{
	signalled(LOAD, 5);
}

TEST(S2_52_a_handled_signal_retries_a_store)
{
	signalled(STORE, 5);
}

TEST(S2_52_a_handled_signal_in_read_waits_for_the_page)
{
	signalled(READ, 2);
}

TEST(S2_52_a_handled_signal_in_write_waits_for_the_page)
{
	signalled(WRITE, 2);
}

/* While a signal is pending that only a return to the program can deliver, it sleeps. */
TEST(S2_52_a_pending_signal_does_not_make_a_system_call_spin)
{
	struct machvm_vm_statistics before;
	struct served s;
	pid_t pid;

	serve(&s, 2);
	pid = client(&s, READ);
	must(!kill(pid, SIGUSR1));
	process_asleep(pid);
	before = statistics();
	for (int i = 0; i < 1000; i++) {
		process_asleep(pid);
		sched_yield();
	}
	EXPECT_GE(before.out_faults + 2, statistics().out_faults);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	EXPECT_EQ(0, util_wait(pid));
}

TEST(S2_52_stopped_and_continued)
{
	struct served s;
	int status;
	pid_t pid;

	serve(&s, 2);
	pid = client(&s, LOAD);
	for (int i = 0; i < 3; i++) {
		must(!kill(pid, SIGSTOP));
		must_eq(waitpid(pid, &status, WUNTRACED), pid);
		EXPECT_TRUE(WIFSTOPPED(status));
		must(!kill(pid, SIGCONT));
		must_eq(waitpid(pid, &status, WCONTINUED), pid);
		EXPECT_TRUE(WIFCONTINUED(status));
	}
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(supply_mark(&s.object, 0, 0), 0);
	EXPECT_EQ(0, util_wait(pid));
}

TEST(S2_52_answered_while_stopped)
{
	struct served s;
	int status;
	pid_t pid;

	serve(&s, 2);
	pid = client(&s, LOAD);
	must(!kill(pid, SIGSTOP));
	must_eq(waitpid(pid, &status, WUNTRACED), pid);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must(!kill(pid, SIGCONT));
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* What other threads do meanwhile. */

static void *nothing(void *argument)
{
	return argument;
}

TEST(S2_52_a_waiting_fault_is_in_nobodys_way)
{
	vm_address_t mine = 0, other;
	struct served s;
	struct touch waiter, more;
	pthread_t thread;
	void *memory;
	pid_t pid;

	serve(&s, 4);
	sleeping_write(&waiter, s.base, 5);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	memory = mmap(NULL, PAGES(64), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED);
	memset(memory, 1, PAGES(64));
	EXPECT_EQ(0, mprotect(memory, PAGE, PROT_READ));
	EXPECT_EQ(0, munmap(memory, PAGES(64)));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &mine, PAGES(4), TRUE));
	*(unsigned char *)mine = 1;
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, mine, PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, mine, PAGES(4)));
	other = map_object(&s.object, 0, 4, false);
	unmap(other, 4);
	other = map_object(&s.object, 0, 4, true);
	unmap(other, 4);
	/* Its own page, too. */
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, s.base, PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, s.base, PAGE, FALSE, VM_PROT_DEFAULT));
	must(!pthread_create(&thread, NULL, nothing, NULL));
	must(!pthread_join(thread, NULL));
	sleeping_read(&more, s.base + PAGES(3));
	must_eq(supply_mark(&s.object, 3, 0), 0);
	touch_end(&more);
	pid = fork();
	must(pid >= 0);
	if (!pid)
		_exit(0);
	EXPECT_EQ(0, util_wait(pid));
	touch_asleep(&waiter);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&waiter);
	EXPECT_EQ(0, waiter.signal);
	EXPECT_EQ(5, byte_at(s.base, 0));
}

TEST(S2_52_unmapped_by_another_thread)
{
	struct served s;
	struct touch waiter;

	serve(&s, 4);
	map_object(&s.object, 0, 1, false);
	sleeping_read(&waiter, s.base + PAGE);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	unmap(s.base, 4);
	supply_mark(&s.object, 1, 0);
	touch_end(&waiter);
	EXPECT_EQ(SIGSEGV, waiter.signal);
	EXPECT_EQ(KERN_INVALID_ADDRESS, waiter.why);
}

#define WAITERS 4

/* A process of several threads that wait; 0 in the child's main thread, when all do. */
static pid_t waiting_process(struct served *s)
{
	static struct touch waiters[WAITERS];
	pid_t pid;

	stages_prepare();
	pid = fork_client(s);
	if (!pid) {
		vm_address_t base = map_object(&s->object, 0, s->pages, false);

		for (int i = 0; i < WAITERS; i++)
			sleeping_write(&waiters[i], base + PAGES(i), 1);
	}
	return pid;
}

static void expect_requests(struct served *s)
{
	for (int i = 0; i < WAITERS; i++)
		must_eq(expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST).offset, PAGES(i));
}

TEST(S2_52_exit_with_waiting_threads)
{
	struct served s;
	pid_t pid;

	serve(&s, WAITERS);
	pid = waiting_process(&s);
	if (!pid)
		exit(7);
	expect_requests(&s);
	EXPECT_EQ(7, util_wait(pid));
	for (int i = 0; i < WAITERS; i++)
		EXPECT_EQ(0, supply_mark(&s.object, i, 0));
	EXPECT_EQ(0, util_wrong(s.base, WAITERS, 0));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_52_exec_with_waiting_threads)
{
	struct served s;
	pid_t pid;

	serve(&s, WAITERS);
	pid = waiting_process(&s);
	if (!pid) {
		execlp("true", "true", NULL);
		_exit(9);
	}
	expect_requests(&s);
	EXPECT_EQ(0, util_wait(pid));
}

TEST(S2_52_fork_with_waiting_threads)
{
	struct served s;
	pid_t pid;

	serve(&s, WAITERS);
	pid = waiting_process(&s);
	if (!pid) {
		pid = fork();
		if (!pid)
			_exit(3);
		must_eq(util_wait(pid), 3);
		_exit(4);
	}
	expect_requests(&s);
	EXPECT_EQ(4, util_wait(pid));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_52_the_last_process_is_killed_while_it_waits)
{
	struct served s;
	pid_t pid;

	serve(&s, WAITERS);
	unmap(s.base, WAITERS);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	pid = waiting_process(&s);
	if (!pid)
		for (;;)
			pause();
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	expect_requests(&s);
	must(!kill(pid, SIGKILL));
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_FALSE(object_is_mapped(&s.object));
}

/* A pager that needs its own answer. */

enum self_way {
	TOUCHES_IT,
	SUPPLIES_FROM_IT,
	SUPPLIES_ANOTHER_PAGE_FROM_IT,
	SENDS_FROM_IT,
	STATUS_INTO_IT,
};

static void serve_oneself(enum self_way way)
{
	unsigned char data[PAGE] = { 1 };
	struct machvm_data_supply call = { .length = PAGE, .address = (uintptr_t)data };
	struct served s;

	serve(&s, 4);
	call.epoch = s.object.epoch;
	stage[1] = s.object.id;
	atomic_store(stage, 1);
	switch (way) {
	case TOUCHES_IT:
		byte_at(s.base, 0);
		break;
	case SUPPLIES_FROM_IT:
		supply(&s.object, 0, (void *)s.base, PAGE);
		break;
	case SUPPLIES_ANOTHER_PAGE_FROM_IT:
		supply(&s.object, PAGE, (void *)s.base, PAGE);
		break;
	case SENDS_FROM_IT:
		must(send(s.channel.fd, (void *)s.base, PAGE, 0) > 0);
		break;
	case STATUS_INTO_IT:
		call.offset = PAGES(2);
		call.status = s.base;
		supply_status(&s.object, &call);
		break;
	}
	_exit(1);
}

static void self_served(enum self_way way)
{
	struct machvm_vm_statistics before = statistics();
	pid_t pid;

	stages_prepare();
	pid = fork();
	must(pid >= 0);
	if (!pid)
		serve_oneself(way);
	wait_until(atomic_load(stage));
	process_asleep(pid);
	must_eq(statistics().out_queued - before.out_queued, 1);
	must(!kill(pid, SIGKILL));
	must_eq(util_wait(pid), 1000 + SIGKILL);
	must_eq(statistics().out_queued, before.out_queued);
	must_eq(statistics().out_objects, before.out_objects);
	must_eq(statistics().out_active_count, before.out_active_count);
}

TEST(S2_53_a_pager_that_touches_its_own_object_can_be_killed)
{
	self_served(TOUCHES_IT);
}

TEST(S2_53_a_pager_that_supplies_a_page_from_itself_can_be_killed)
{
	self_served(SUPPLIES_FROM_IT);
}

TEST(S2_53_a_pager_that_supplies_another_page_from_it_can_be_killed)
{
	self_served(SUPPLIES_ANOTHER_PAGE_FROM_IT);
}

TEST(S2_53_a_pager_that_sends_from_it_can_be_killed)
{
	self_served(SENDS_FROM_IT);
}

TEST(S2_53_a_pager_that_wants_the_status_in_it_can_be_killed)
{
	self_served(STATUS_INTO_IT);
}

struct helper {
	struct object *object;
	vm_address_t data;
	int answer;
};

static void *supply_from(void *argument)
{
	struct helper *helper = argument;

	helper->answer = supply(helper->object, 0, (void *)helper->data, PAGE);
	return NULL;
}

/* A supply of page 0 from page 1, which another thread of the same pager supplies. */
TEST(S2_53_another_thread_of_the_pager_may_help)
{
	static struct helper helper;
	struct served s;
	struct touch waiter;
	pthread_t thread;

	serve(&s, 4);
	sleeping_read(&waiter, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	helper.object = &s.object;
	helper.data = s.base + PAGE;
	must(!pthread_create(&thread, NULL, supply_from, &helper));
	EXPECT_EQ(PAGE, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	touch_asleep(&waiter);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	must(!pthread_join(thread, NULL));
	EXPECT_EQ(0, helper.answer);
	touch_end(&waiter);
	EXPECT_EQ(util_mark(1, 0), waiter.byte);
}

/* Others who look into a client's memory wait as it would. */
TEST(S2_53_process_vm_readv_of_a_page_that_is_absent)
{
	unsigned char back[PAGE];
	struct served s;
	pid_t reader;

	serve(&s, 2);
	stages_prepare();
	reader = fork_client(&s);
	if (!reader) {
		struct iovec local = { back, PAGE }, remote = { (void *)(s.base + PAGE), PAGE };

		atomic_store(stage, 1);
		must_eq(process_vm_readv(getppid(), &local, 1, &remote, 1, 0), PAGE);
		must_eq(back[5], util_mark(1, 0));
		_exit(0);
	}
	wait_until(atomic_load(stage));
	process_asleep(reader);
	EXPECT_EQ(PAGE, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	EXPECT_EQ(0, util_wait(reader));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_53_a_reader_of_another_process_can_be_killed)
{
	unsigned char back[PAGE];
	struct served s;
	pid_t reader;

	serve(&s, 2);
	stages_prepare();
	reader = fork_client(&s);
	if (!reader) {
		struct iovec local = { back, PAGE }, remote = { (void *)s.base, PAGE };

		atomic_store(stage, 1);
		process_vm_readv(getppid(), &local, 1, &remote, 1, 0);
		_exit(0);
	}
	wait_until(atomic_load(stage));
	process_asleep(reader);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must(!kill(reader, SIGKILL));
	EXPECT_EQ(1000 + SIGKILL, util_wait(reader));
	must_eq(supply_mark(&s.object, 0, 0), 0);
	EXPECT_EQ(util_mark(0, 0), byte_at(s.base, 0));
}

HARNESS_MAIN
