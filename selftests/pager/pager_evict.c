// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_evict.c - pages of memory objects go for want of memory, and their pagers are asked again:
 * rows K14, K15 and L1.
 */
#include "harness.h"
#include "raw.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER 4321
/* Half of it is room for what is not pages: questions that RCU has not freed yet count, too. */
#define GROUP "machvm-evict"

/* A pager that keeps the pages of one object, in a thread of its own. */
struct keeper {
	struct served s;
	unsigned char *content;
	pthread_t thread;
	/* What it has done, in pages. */
	atomic_uint asked, supplied, returned;
	atomic_uint terminated;
};

static void keeper_supply(struct keeper *keeper, const struct message *message)
{
	for (uint64_t at = message->offset; at < message->offset + message->length; at += PAGE) {
		keeper->asked++;
		keeper->supplied++;	/* whoever gets it may look at once */
		must_eq(supply(&keeper->s.object, at, keeper->content + at, PAGE), 0);
	}
}

static void keeper_store(struct keeper *keeper, const struct message *message)
{
	must_eq(return_read(&keeper->s.object, message->offset,
			    keeper->content + message->offset, message->length), 0);
	keeper->returned += message->length / PAGE;
	must_eq(return_release(&keeper->s.object, message->offset, message->length), 0);
}

static void *keeper_run(void *argument)
{
	struct keeper *keeper = argument;

	for (;;) {
		struct message message = channel_next(&keeper->s.channel);

		switch (message.command) {
		case MACHVM_CMD_INIT:
			must_eq(say_ready(&keeper->s.channel, &keeper->s.object, COPY_DELAY), 0);
			break;
		case MACHVM_CMD_DATA_REQUEST:
			keeper_supply(keeper, &message);
			break;
		case MACHVM_CMD_DATA_RETURN:
			keeper_store(keeper, &message);
			break;
		default:
			must_eq(message.command, MACHVM_CMD_TERMINATE);
			keeper->terminated++;
			return NULL;
		}
	}
}

static void keeper_start(struct keeper *keeper, unsigned int pages)
{
	*keeper = (struct keeper){ .content = malloc(PAGES(pages)) };
	must(keeper->content);
	for (unsigned int i = 0; i < pages; i++)
		memset(keeper->content + PAGES(i), util_mark(i, 0), PAGE);
	serve(&keeper->s, pages);
	must_eq(pthread_create(&keeper->thread, NULL, keeper_run, keeper), 0);
}

/* Nothing maps the object any more; what was written is with the keeper then. */
static void keeper_stop(struct keeper *keeper)
{
	unmap(keeper->s.base, keeper->s.pages);
	must_eq(pthread_join(keeper->thread, NULL), 0);
}

static void keeper_end(struct keeper *keeper)
{
	keeper_stop(keeper);
	free(keeper->content);
}

/* Pages that the keeper has otherwise than they were written. */
static unsigned int keeper_wrong(struct keeper *keeper, unsigned int first, unsigned int pages,
				 unsigned int generation)
{
	unsigned int wrong = 0;

	for (unsigned int page = first; page < first + pages; page++) {
		unsigned int at = 0;

		while (at < PAGE && keeper->content[PAGES(page) + at] ==
					    util_mark(page - first, generation))
			at++;
		wrong += at < PAGE;
	}
	return wrong;
}

/*
 * A process that writes to the object.  A pager is not made to wait for pagers, so it cannot be
 * the one that the keeper is a thread of.
 */
static pid_t fork_writer(struct keeper *keeper)
{
	must_eq(vm_inherit(SELF, keeper->s.base, PAGES(keeper->s.pages), VM_INHERIT_SHARE), 0);
	return fork();
}

FIXTURE(evict) {
	long pages, user_pages;
};

FIXTURE_SETUP(evict)
{
	self->pages = util_parameter("max_pages");
	self->user_pages = util_parameter("max_user_pages");
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
}

FIXTURE_TEARDOWN_PARENT(evict)
{
	util_parameter_set("max_pages", self->pages);
	util_parameter_set("max_user_pages", self->user_pages);
}

/* From here on the test is a user who may have so many pages. */
static void be_limited(unsigned int pages)
{
	must_eq(util_parameter_set("max_user_pages", pages), 0);
	must_eq(setuid(USER), 0);
}

TEST_F(evict, K15_clean_pages_go_and_come_back_as_they_were)
{
	struct machvm_vm_statistics before = statistics(), after;
	struct keeper keeper;

	be_limited(64);
	keeper_start(&keeper, 400);
	for (int round = 0; round < 3; round++)
		EXPECT_EQ(0, util_wrong(keeper.s.base, 400, 0));
	EXPECT_GE(64, object_info(&keeper.s.object).out_resident);
	/* No more could stay from one round to the next than there is room for. */
	EXPECT_LE(3 * 400 - 2 * 64, keeper.asked);
	after = statistics();
	EXPECT_EQ(keeper.asked, after.out_requests - before.out_requests);
	EXPECT_EQ(keeper.supplied, after.out_pageins - before.out_pageins);
	EXPECT_EQ(0, after.out_pageouts - before.out_pageouts);
	EXPECT_EQ(0, keeper.returned);
	keeper_end(&keeper);
}

/* Pages without a pager need the room; there is no swap for them. */
TEST_F(evict, K15_clean_pages_make_room_for_others)
{
	struct keeper keeper;
	vm_address_t base;

	be_limited(64);
	keeper_start(&keeper, 60);
	EXPECT_EQ(0, util_wrong(keeper.s.base, 60, 0));
	base = util_make(64);
	util_fill(base, 62, 1);
	EXPECT_EQ(0, util_wrong(base, 62, 1));
	EXPECT_GE(2, object_info(&keeper.s.object).out_resident);
	EXPECT_EQ(0, util_wrong(keeper.s.base, 60, 0));
	vm_deallocate(SELF, base, PAGES(64));
	keeper_end(&keeper);
}

TEST_F(evict, K15_more_than_a_cgroup_may_have)
{
	struct keeper keeper;	/* outside the group */
	pid_t pid;

	ASSERT_EQ(0, util_cgroup_make(GROUP, PAGES(2048)));
	keeper_start(&keeper, 1300);
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(SELF, keeper.s.base, PAGES(1300), VM_INHERIT_SHARE));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_cgroup_enter(GROUP));
		for (int round = 0; round < 2; round++)
			EXPECT_EQ(0, util_wrong(keeper.s.base, 1300, 0));
		EXPECT_GE(1024, object_info(&keeper.s.object).out_resident);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	keeper_end(&keeper);
	EXPECT_EQ(0, util_cgroup_kills(GROUP));
	EXPECT_EQ(0, util_cgroup_remove(GROUP));
}

/* Pages that a group pays for go too, though the group has room. */
TEST_F(evict, K15_groups_are_asked_before_Linux_kills)
{
	struct keeper keeper;	/* outside the group */
	pid_t victim;

	ASSERT_EQ(0, util_cgroup_make(GROUP, 0));
	keeper_start(&keeper, 8);
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(SELF, keeper.s.base, PAGES(8), VM_INHERIT_SHARE));
	victim = fork();
	if (victim == 0) {
		must_eq(util_cgroup_enter(GROUP), 0);
		must_eq(util_wrong(keeper.s.base, 8, 0), 0);
		for (;;)
			pause();
	}
	while (object_info(&keeper.s.object).out_resident < 8)
		sched_yield();
	EXPECT_EQ(0, util_oom_kill(victim));
	EXPECT_GT(8, object_info(&keeper.s.object).out_resident);
	keeper_end(&keeper);
	EXPECT_EQ(0, util_cgroup_remove(GROUP));
}

/* A pager that is not there cannot be asked again: its pages are worth more than new ones. */
TEST_F(evict, S2_51_pages_of_a_pager_that_has_gone_stay)
{
	struct served s;
	vm_address_t base;

	be_limited(64);
	serve_clean(&s, 50);
	EXPECT_EQ(0, util_wrong(s.base, 50, 0));
	channel_close(&s.channel);
	base = util_make(64);
	util_fill(base, 14, 1);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, util_why_write(base + PAGES(14), 1));
	EXPECT_EQ(0, util_wrong(s.base, 50, 0));
	EXPECT_EQ(50, object_info(&s.object).out_resident);
	/* And go when there is one. */
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	util_fill(base, 60, 1);
	EXPECT_EQ(0, util_wrong(base, 60, 1));
	EXPECT_GE(4, object_info(&s.object).out_resident);
}

TEST_F(evict, V22_wired_pages_stay)
{
	struct served s;
	vm_address_t base;

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 64));
	serve_clean(&s, 50);
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, s.base, PAGES(50), FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), SELF, s.base, PAGES(20), VM_PROT_READ));
	base = util_make(64);
	util_fill(base, 44, 1);
	EXPECT_EQ(20, object_info(&s.object).out_resident);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, util_why_write(base + PAGES(44), 1));
	EXPECT_EQ(0, util_wrong(s.base, 20, 0));
	EXPECT_EQ(0, util_wrong(base, 44, 1));
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* What nothing maps goes before anything that is mapped, and the pager is told that it has. */
TEST_F(evict, L1_a_cached_object_goes_at_need)
{
	struct machvm_vm_statistics before, after;
	struct served cached, mapped;
	vm_address_t base;

	be_limited(100);
	serve_start(&cached, 30);
	must_eq(say_ready_as(&cached.channel, &cached.object, true, COPY_DELAY), 0);
	for (unsigned int i = 0; i < 30; i++)
		must_eq(supply_mark(&cached.object, i, 0), 0);
	serve_clean(&mapped, 40);
	unmap(cached.base, 30);
	EXPECT_TRUE(channel_empty(&cached.channel));
	base = util_make(64);
	util_fill(base, 31, 1);
	expect_message(&cached.channel, MACHVM_CMD_TERMINATE);
	EXPECT_FALSE(object_is_mapped(&cached.object));
	EXPECT_EQ(40, object_info(&mapped.object).out_resident);
	before = statistics();
	cached.base = map_object(&cached.object, 0, 30, false);
	expect_message(&cached.channel, MACHVM_CMD_INIT);
	after = statistics();
	EXPECT_EQ(1, after.out_lookups - before.out_lookups);
	EXPECT_EQ(0, after.out_hits - before.out_hits);
}

/* With dirty pages it stays, and what else it has goes page by page. */
TEST_F(evict, L1_a_cached_object_keeps_what_was_written)
{
	struct served cached;
	vm_address_t base;

	be_limited(64);
	serve_start(&cached, 50);
	must_eq(say_ready_as(&cached.channel, &cached.object, true, COPY_DELAY), 0);
	for (unsigned int i = 0; i < 50; i++)
		must_eq(supply_mark(&cached.object, i, 0), 0);
	write_page(&cached, 7, 77);
	unmap(cached.base, 50);
	base = util_make(64);
	util_fill(base, 60, 1);
	EXPECT_TRUE(object_info(&cached.object).out_flags & MACHVM_OBJECT_CACHED);
	EXPECT_LE(1, object_info(&cached.object).out_resident);
	EXPECT_GE(4, object_info(&cached.object).out_resident);
	cached.base = map_object(&cached.object, 0, 50, false);
	EXPECT_TRUE(page_is(cached.base, 7, 77));
}

/*
 * All that is written comes back, however often it went; and every counter says what the keeper
 * and the test have counted.
 */
TEST_F(evict, K14_written_pages_are_returned_and_come_back)
{
	struct machvm_vm_statistics before = statistics(), after;
	struct keeper keeper;
	pid_t pid;

	be_limited(64);
	keeper_start(&keeper, 300);
	pid = fork_writer(&keeper);
	if (pid == 0) {
		for (unsigned int round = 1; round < 4; round++) {
			util_fill(keeper.s.base, 300, round);
			EXPECT_GE(64, object_info(&keeper.s.object).out_resident);
			EXPECT_EQ(0, util_wrong(keeper.s.base, 300, round));
		}
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	keeper_stop(&keeper);
	EXPECT_EQ(0, keeper_wrong(&keeper, 0, 300, 3));
	after = statistics();
	EXPECT_LE(3 * 300 - 2 * 64, keeper.returned);
	EXPECT_EQ(keeper.asked, keeper.supplied);
	EXPECT_EQ(keeper.asked, after.out_requests - before.out_requests);
	EXPECT_EQ(keeper.supplied, after.out_pageins - before.out_pageins);
	EXPECT_EQ(keeper.returned, after.out_pageouts - before.out_pageouts);
	EXPECT_EQ(1, after.out_lookups - before.out_lookups);
	EXPECT_EQ(0, after.out_hits - before.out_hits);
	free(keeper.content);
}

/* What has no pager needs the room; it cannot be paged out, for want of swap. */
TEST_F(evict, K14_written_pages_make_room_for_others)
{
	struct keeper keeper;
	pid_t pid;

	be_limited(64);
	keeper_start(&keeper, 60);
	pid = fork_writer(&keeper);
	if (pid == 0) {
		vm_address_t base = util_make(64);

		util_fill(keeper.s.base, 60, 1);
		util_fill(base, 60, 2);
		EXPECT_EQ(0, util_wrong(base, 60, 2));
		EXPECT_EQ(0, util_wrong(keeper.s.base, 60, 1));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	keeper_stop(&keeper);
	EXPECT_EQ(0, keeper_wrong(&keeper, 0, 60, 1));
	free(keeper.content);
}

TEST_F(evict, K14_more_written_than_a_cgroup_may_have)
{
	struct keeper keeper;	/* outside the group */
	pid_t pid;

	ASSERT_EQ(0, util_cgroup_make(GROUP, PAGES(2048)));
	keeper_start(&keeper, 1300);
	pid = fork_writer(&keeper);
	if (pid == 0) {
		EXPECT_EQ(0, util_cgroup_enter(GROUP));
		util_fill(keeper.s.base, 1300, 1);
		EXPECT_EQ(0, util_wrong(keeper.s.base, 1300, 1));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	keeper_stop(&keeper);
	EXPECT_EQ(0, keeper_wrong(&keeper, 0, 1300, 1));
	EXPECT_EQ(0, util_cgroup_kills(GROUP));
	EXPECT_EQ(0, util_cgroup_remove(GROUP));
	free(keeper.content);
}

#define WRITERS 3

TEST_F(evict, K14_many_writers_of_few_pages)
{
	struct keeper keeper;
	pid_t pids[WRITERS];

	be_limited(48);
	keeper_start(&keeper, WRITERS * 40);
	for (unsigned int i = 0; i < WRITERS; i++) {
		pids[i] = fork_writer(&keeper);
		if (pids[i] == 0) {
			vm_address_t base = keeper.s.base + PAGES(40 * i);

			for (unsigned int round = 1; round < 8; round++) {
				util_fill(base, 40, round);
				EXPECT_EQ(0, util_wrong(base, 40, round));
			}
			CHILD_END();
		}
	}
	for (unsigned int i = 0; i < WRITERS; i++)
		EXPECT_EQ(0, util_wait(pids[i]));
	keeper_stop(&keeper);
	for (unsigned int i = 0; i < WRITERS; i++)
		EXPECT_EQ(0, keeper_wrong(&keeper, 40 * i, 40, 7));
	free(keeper.content);
}

static atomic_int *handled;	/* signals, shared */

static void handle(int signal)
{
	(void)signal;
	atomic_fetch_add(handled, 1);
}

/* A child that needs a page more than there are, when all are written and with their pager. */
static pid_t fork_waiter(struct served *s)
{
	pid_t pid;

	serve_clean(s, 60);
	util_fill(s->base, 60, 1);
	handled = util_shared(PAGE);
	must(handled);
	pid = fork_client(s);
	if (pid == 0) {
		struct sigaction action = { .sa_handler = handle };
		vm_address_t base = util_make(8);

		must(!sigaction(SIGUSR1, &action, NULL));
		util_fill(base, 4, 1);
		_exit(util_why_write(base + PAGES(4), 1));
	}
	must_eq(expect_message(&s->channel, MACHVM_CMD_DATA_RETURN).kernel_copy, 1);
	return pid;
}

TEST_F(evict, S2_51_who_waits_hears_that_the_pager_has_gone)
{
	struct served s;
	pid_t pid;

	be_limited(64);
	pid = fork_waiter(&s);
	channel_close(&s.channel);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, util_wait(pid));
	EXPECT_EQ(60, object_info(&s.object).out_resident);
	EXPECT_EQ(0, util_wrong(s.base, 60, 1));
}

TEST_F(evict, S2_52_who_waits_can_be_killed)
{
	struct served s;
	pid_t pid;

	be_limited(64);
	pid = fork_waiter(&s);
	process_asleep(pid);
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	EXPECT_EQ(0, util_wrong(s.base, 60, 1));
}

/* Again and again, while the pager has done nothing; and what was waited for comes all the same. */
TEST_F(evict, S2_52_who_waits_handles_signals)
{
	struct served s;
	pid_t pid;

	be_limited(64);
	pid = fork_waiter(&s);
	for (int i = 1; i <= 3; i++) {
		process_asleep(pid);
		must(!kill(pid, SIGUSR1));
		wait_until(atomic_load(handled) == i);
	}
	must_eq(return_release(&s.object, 0, PAGES(32)), 0);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(28, object_info(&s.object).out_resident);	/* and nobody looked for more */
}

/* The pager does nothing, but another process ends: its pages will do as well. */
TEST_F(evict, K14_who_waits_takes_what_others_give_back)
{
	struct util_gate made, enough;
	pid_t pid, other;
	struct served s;

	be_limited(66);
	ASSERT_EQ(0, util_gate_init(&made));
	ASSERT_EQ(0, util_gate_init(&enough));
	other = fork();
	if (other == 0) {
		util_fill(util_make(2), 2, 1);
		util_gate_open(&made);
		_exit(util_gate_pass(&enough));
	}
	ASSERT_EQ(0, util_gate_pass(&made));
	pid = fork_waiter(&s);
	process_asleep(pid);
	util_gate_open(&enough);
	EXPECT_EQ(0, util_wait(other));
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(60, object_info(&s.object).out_resident);
}

/* A pager that needs memory for itself would wait for itself. */
TEST_F(evict, K14_a_pager_does_not_wait)
{
	struct served s;
	vm_address_t base;

	be_limited(64);
	serve_clean(&s, 60);
	util_fill(s.base, 60, 1);
	base = util_make(8);
	util_fill(base, 4, 1);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, util_why_write(base + PAGES(4), 1));
	EXPECT_EQ(0, util_wrong(s.base, 60, 1));
}

/* What was to make room does so when its pager has it, unless it was used meanwhile. */
TEST_F(evict, K14_what_is_released_goes_at_once)
{
	struct served s;
	vm_address_t base;

	be_limited(64);
	serve_clean(&s, 60);
	util_fill(s.base, 60, 1);
	base = util_make(8);
	util_fill(base, 4, 1);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, util_why_write(base + PAGES(4), 1));
	EXPECT_EQ(PAGES(32), expect_message(&s.channel, MACHVM_CMD_DATA_RETURN).length);
	EXPECT_TRUE(page_is(s.base, 3, util_mark(3, 1)));
	EXPECT_EQ(60, object_info(&s.object).out_resident);
	EXPECT_EQ(0, return_release(&s.object, 0, PAGES(32)));
	EXPECT_EQ(29, object_info(&s.object).out_resident);
	EXPECT_TRUE(page_is(s.base, 3, util_mark(3, 1)));
}

#define READERS 4

struct reader {
	pthread_t thread;
	vm_address_t base;
	unsigned int seed;
	unsigned int wrong;
};

static void *read_about(void *argument)
{
	struct reader *reader = argument;

	for (int i = 0; i < 1500; i++) {
		unsigned int page = rand_r(&reader->seed) % 200;

		reader->wrong += !page_is(reader->base, page, util_mark(page, 0));
	}
	return NULL;
}

TEST_F(evict, K15_many_readers_of_few_pages)
{
	struct reader readers[READERS];
	struct keeper keeper;

	be_limited(40);
	keeper_start(&keeper, 200);
	for (unsigned int i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .base = keeper.s.base, .seed = i };
		must_eq(pthread_create(&readers[i].thread, NULL, read_about, &readers[i]), 0);
	}
	for (unsigned int i = 0; i < READERS; i++) {
		must_eq(pthread_join(readers[i].thread, NULL), 0);
		EXPECT_EQ(0, readers[i].wrong);
	}
	EXPECT_GE(40, object_info(&keeper.s.object).out_resident);
	keeper_end(&keeper);
}

HARNESS_MAIN
