// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_absence.c - requests that nobody answers, and pagers that take over: rule S2.51.
 */
#include "harness.h"
#include "raw.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#define MANY 1000

static void expect_lost(struct touch *touch)
{
	must_eq(touch->signal, SIGBUS);
	must_eq(touch->why, KERN_MEMORY_ERROR);
}

TEST(S3_6_a_deadline_ends_what_a_pager_does_not_answer)
{
	struct touch reader;
	struct served s;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 30, 0);
	touch_start(&reader, s.base, false, 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	touch_end(&reader);
	expect_lost(&reader);
	EXPECT_EQ(0, object_info(&s.object).out_requests);
	/* It is asked again, and the answer may even come before the question. */
	must_eq(supply_mark(&s.object, 0, 0), 0);
	EXPECT_EQ(util_mark(0, 0), byte_at(s.base, 0));
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* It is another one while it runs, and none any more when the pager is dead. */
TEST(S3_6_a_deadline_that_does_not_come)
{
	struct touch reader;
	struct served s;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 3600000, 0);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 7200000, 0);
	touch_asleep(&reader);
	close(s.object.control);
	touch_end(&reader);
	expect_lost(&reader);
}

TEST(S3_6_a_deadline_ends_in_zeroes)
{
	struct served s;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ZERO, 30, 0);
	EXPECT_EQ(0, byte_at(s.base, 1));
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(KERN_MEMORY_PRESENT, supply_mark(&s.object, 1, 0));
	EXPECT_TRUE(page_is(s.base, 1, 0));
}

TEST(S3_6_a_deadline_for_a_pager_that_is_never_ready)
{
	struct served s;
	struct touch reader;

	serve_start(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 30, 0);
	reader = touch_now(s.base, false, 0);
	expect_lost(&reader);
}

TEST(S2_51_without_a_pager_zeroes_may_do)
{
	struct served s;
	struct touch waiter;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ZERO, 0, 0);
	sleeping_read(&waiter, s.base);
	channel_close(&s.channel);
	touch_end(&waiter);
	must_eq(waiter.signal, 0);
	EXPECT_EQ(0, byte_at(s.base, 1));
	close(s.object.control);
	EXPECT_EQ(0, byte_at(s.base, 2));
	*(unsigned char *)(s.base + PAGES(3)) = 3;
	EXPECT_EQ(3, byte_at(s.base, 3));
}

TEST(S2_51_a_successor_is_waited_for_but_not_for_ever)
{
	struct served s;
	struct touch waiter, later;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, 30);
	sleeping_read(&waiter, s.base);
	channel_close(&s.channel);
	touch_end(&waiter);
	expect_lost(&waiter);
	later = touch_now(s.base + PAGE, true, 1);
	expect_lost(&later);
}

TEST(S2_51_the_wait_for_a_successor_ends_with_the_last_control_port)
{
	struct served s;
	struct touch waiter;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	sleeping_read(&waiter, s.base);
	channel_close(&s.channel);
	touch_asleep(&waiter);
	close(s.object.control);
	touch_end(&waiter);
	expect_lost(&waiter);
}

TEST(S2_52_who_waits_for_a_successor_can_be_killed)
{
	struct served s;
	pid_t client;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	client = fork_client(&s);
	if (!client) {
		byte_at(s.base, 0);
		_exit(1);
	}
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	channel_close(&s.channel);
	process_asleep(client);
	must(!kill(client, SIGKILL));
	must_eq(util_wait(client), 1000 + SIGKILL);
}

/* A pager in a process of its own, that reads what it is sent and answers nothing more. */
static pid_t fork_silent(struct served *served, unsigned int nr)
{
	pid_t pid;

	for (unsigned int i = 0; i < nr; i++)
		served[i].channel = served[0].channel;
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		for (;;)
			channel_next(&served[0].channel);
	}
	channel_close(&served[0].channel);
	return pid;
}

static void kill_pager(pid_t pid)
{
	must(!kill(pid, SIGKILL));
	must_eq(util_wait(pid), 1000 + SIGKILL);
}

static struct touch crowd[MANY];

static void start_crowd(struct served *s, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		touch_start(&crowd[i], s->base + PAGES(i), i % 2, util_mark(i, 1));
	wait_until(object_info(&s->object).out_requests == nr);
}

TEST(S2_51_a_thousand_faults_resolve_when_the_pager_is_killed)
{
	struct served s;
	pid_t pager;

	serve(&s, MANY);
	pager = fork_silent(&s, 1);
	start_crowd(&s, MANY);
	kill_pager(pager);
	for (unsigned int i = 0; i < MANY; i++) {
		touch_end(&crowd[i]);
		expect_lost(&crowd[i]);
	}
	EXPECT_EQ(0, object_info(&s.object).out_requests);
}

TEST(S2_51_a_successor_gets_all_that_was_asked)
{
	enum { NR = 200 };
	static bool asked[NR];
	struct channel channel;
	struct served s;
	pid_t pager;

	serve(&s, NR + 2);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	must_eq(supply_mark(&s.object, NR, 0), 0);
	must_eq(supply_mark(&s.object, NR + 1, 0), 0);
	*(unsigned char *)(s.base + PAGES(NR)) = 77;
	pager = fork_silent(&s, 1);
	start_crowd(&s, NR);
	kill_pager(pager);
	EXPECT_EQ(77, byte_at(s.base, NR));
	EXPECT_EQ(NR, object_info(&s.object).out_requests);
	EXPECT_EQ(0, port_info(object_info(&s.object).out_port).out_sent);

	channel_open(&channel);
	must_eq(object_bind(&s.object, &channel, 0), 0);
	for (unsigned int i = 0; i < NR; i++) {
		struct message message = expect_message(&channel, MACHVM_CMD_DATA_REQUEST);

		must_eq(message.epoch, s.object.epoch);
		must(!asked[message.offset / PAGE]);
		asked[message.offset / PAGE] = true;
		must_eq(supply_mark(&s.object, message.offset / PAGE, 0), 0);
	}
	for (unsigned int i = 0; i < NR; i++) {
		touch_end(&crowd[i]);
		must_eq(crowd[i].signal, 0);
		must_eq(byte_at(s.base, i), util_mark(i, i % 2));
	}
	EXPECT_TRUE(channel_empty(&channel));
	/* What was written under the first pager comes back to the second. */
	unmap(s.base, NR + 2);
	expect_message(&channel, MACHVM_CMD_DATA_RETURN);
}

TEST(S2_51_returned_pages_go_to_the_successor)
{
	uint64_t lost = statistics().out_lost;
	struct channel channel;
	struct served s;
	unsigned char back[PAGE];
	pid_t pager;

	serve(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	*(unsigned char *)(s.base + PAGE) = 77;
	pager = fork_silent(&s, 1);
	unmap(s.base, 4);
	kill_pager(pager);
	channel_open(&channel);
	must_eq(object_bind(&s.object, &channel, 0), 0);
	EXPECT_EQ(PAGE, expect_message(&channel, MACHVM_CMD_DATA_RETURN).offset);
	must_eq(return_read(&s.object, PAGE, back, PAGE), 0);
	EXPECT_EQ(77, back[0]);
	must_eq(return_release(&s.object, PAGE, PAGE), 0);
	expect_message(&channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(lost, statistics().out_lost);
}

TEST(S2_51_pages_that_nobody_takes_back_are_counted)
{
	uint64_t lost = statistics().out_lost;
	struct served s;

	serve(&s, 4);
	for (unsigned int i = 0; i < 4; i++) {
		must_eq(supply_mark(&s.object, i, 0), 0);
		*(unsigned char *)(s.base + PAGES(i)) = 77;
	}
	unmap(s.base, 4);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	channel_close(&s.channel);
	EXPECT_EQ(lost + 4, statistics().out_lost);
}

/* Two objects of one port go to a pager each; neither hears of the other's. */
TEST(S2_51_each_successor_hears_of_its_own_objects)
{
	struct served served[2];
	struct channel channels[2];
	struct touch waiters[2];
	pid_t pager;

	serve(&served[0], 2);
	object_create(&served[1].object);
	must_eq(object_bind(&served[1].object, &served[0].channel, 0), 0);
	served[1].base = map_object(&served[1].object, 0, 2, false);
	expect_message(&served[0].channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&served[0].channel, &served[1].object, COPY_DELAY), 0);
	for (int i = 0; i < 2; i++)
		set_absence(&served[i].object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	pager = fork_silent(served, 2);
	for (int i = 0; i < 2; i++)
		sleeping_read(&waiters[i], served[i].base + PAGES(i));
	kill_pager(pager);
	for (int i = 0; i < 2; i++) {
		struct message message;

		channel_open(&channels[i]);
		must_eq(object_bind(&served[i].object, &channels[i], 0), 0);
		message = expect_message(&channels[i], MACHVM_CMD_DATA_REQUEST);
		EXPECT_EQ(served[i].object.id, message.object);
		EXPECT_EQ(PAGES(i), message.offset);
		EXPECT_TRUE(channel_empty(&channels[i]));
		must_eq(supply_mark(&served[i].object, i, 0), 0);
		touch_end(&waiters[i]);
		EXPECT_EQ(util_mark(i, 0), waiters[i].byte);
	}
	EXPECT_TRUE(object_info(&served[0].object).out_port !=
		    object_info(&served[1].object).out_port);
}

HARNESS_MAIN
