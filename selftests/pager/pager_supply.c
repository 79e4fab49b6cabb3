// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_supply.c - data_supply, data_unavailable, data_error: rows P1, P5, P6.
 */
#include "harness.h"
#include "raw.h"

#include <sched.h>

#define ANY 0xee

TEST(P1_a_supply_by_address_of_any_alignment)
{
	static unsigned char data[2 * PAGE + 1];
	struct served s;
	struct touch reader;

	serve(&s, 4);
	for (unsigned int i = 0; i < 2 * PAGE; i++)
		data[i + 1] = i * 7 + i / PAGE;
	sleeping_read(&reader, s.base + PAGES(2) + 5);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(0, supply(&s.object, PAGES(2), data + 1, 2 * PAGE));
	touch_end(&reader);
	EXPECT_EQ(data[6], reader.byte);
	EXPECT_EQ(0, memcmp((void *)(s.base + PAGES(2)), data + 1, 2 * PAGE));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P1_S2_36_a_present_page_is_left_alone_and_later_ones_are_taken)
{
	unsigned char data[5 * PAGE], status[6];
	struct machvm_data_supply call = {
		.length = sizeof(data), .address = (uintptr_t)data, .status = (uintptr_t)status,
		.out_error_offset = 77,
	};
	struct touch early, late;
	struct served s;

	serve(&s, 5);
	call.epoch = s.object.epoch;
	must_eq(supply_mark(&s.object, 1, 0), 0);
	must_eq(supply_mark(&s.object, 3, 0), 0);
	memset((void *)(s.base + PAGE), ANY, PAGE);	/* dirty, too */
	sleeping_read(&early, s.base);
	sleeping_read(&late, s.base + PAGES(4));
	memset(data, 5, sizeof(data));
	memset(status, 99, sizeof(status));
	EXPECT_EQ(MACHVM_KERN_MEMORY_PRESENT, supply_status(&s.object, &call));
	EXPECT_EQ(PAGE, call.out_error_offset);
	ASSERT_EQ(0, memcmp(status, (unsigned char[]){ 0, 23, 0, 23, 0, 99 }, 6));
	touch_end(&early);
	touch_end(&late);
	EXPECT_EQ(5, early.byte);
	EXPECT_EQ(5, late.byte);
	EXPECT_TRUE(page_is(s.base, 0, 5));
	EXPECT_TRUE(page_is(s.base, 1, ANY));
	EXPECT_TRUE(page_is(s.base, 2, 5));
	EXPECT_TRUE(page_is(s.base, 3, util_mark(3, 0)));
	EXPECT_TRUE(page_is(s.base, 4, 5));
	EXPECT_EQ(5, object_info(&s.object).out_supplied);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_36_a_refused_supply_leaves_the_page_as_dirty_as_it_was)
{
	struct served s;
	struct message message;
	unsigned char back[PAGE];

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 2, 0), 0);
	memset((void *)s.base, ANY, PAGE);
	EXPECT_EQ(ANY, byte_at(s.base, 0));
	EXPECT_EQ(util_mark(2, 0), byte_at(s.base, 2));
	EXPECT_EQ(MACHVM_KERN_MEMORY_PRESENT, supply_mark(&s.object, 0, 1));
	EXPECT_EQ(MACHVM_KERN_MEMORY_PRESENT, supply_precious(&s.object, 2, 1));
	unmap(s.base, 4);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(0, message.offset);
	EXPECT_EQ(PAGE, message.length);
	EXPECT_EQ(1, message.dirty);
	must_eq(return_read(&s.object, 0, back, PAGE), 0);
	EXPECT_EQ(ANY, back[0]);
	must_eq(return_release(&s.object, 0, PAGE), 0);
	/* Page 2 was clean and not precious and stayed so. */
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(S2_36_who_is_second_is_refused)
{
	struct served s;
	struct touch reader;

	serve(&s, 1);
	sleeping_read(&reader, s.base);
	EXPECT_EQ(0, supply_mark(&s.object, 0, 1));
	EXPECT_EQ(MACHVM_KERN_MEMORY_PRESENT, supply_mark(&s.object, 0, 2));
	touch_end(&reader);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 1)));
	EXPECT_EQ(1, object_info(&s.object).out_supplied);
}

TEST(P1_inline_with_reply)
{
	static unsigned char data[15 * PAGE];
	struct served s;
	struct touch reader;
	struct message message;

	serve(&s, 16);
	for (int i = 0; i < 15; i++)
		memset(data + PAGES(i), util_mark(i + 1, 3), PAGE);
	sleeping_read(&reader, s.base + PAGES(9));
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(0, say_supply(&s.channel, &s.object, PAGE, data, sizeof(data), false, true));
	touch_end(&reader);
	EXPECT_EQ(util_mark(9, 3), reader.byte);
	message = expect_message(&s.channel, MACHVM_CMD_SUPPLY_COMPLETED);
	EXPECT_EQ(s.object.id, message.object);
	EXPECT_EQ(s.object.epoch, message.epoch);
	EXPECT_EQ(PAGE, message.offset);
	EXPECT_EQ(sizeof(data), message.length);
	EXPECT_EQ(0, message.result);
	EXPECT_EQ(0, message.error_offset);
	ASSERT_EQ(15, message.nr_status);
	for (int i = 0; i < 15; i++)
		EXPECT_EQ(0, message.status[i]);
	for (int i = 1; i < 16; i++)
		EXPECT_TRUE(page_is(s.base, i, util_mark(i, 3)));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(15, object_info(&s.object).out_supplied);
	EXPECT_EQ(14, object_info(&s.object).out_unasked);
}

TEST(P1_inline_without_reply_is_not_answered)
{
	unsigned char data[PAGE];
	struct served s;

	serve(&s, 1);
	memset(data, 4, sizeof(data));
	EXPECT_EQ(0, say_supply(&s.channel, &s.object, 0, data, PAGE, false, false));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_TRUE(page_is(s.base, 0, 4));
}

TEST(P1_S2_36_inline_over_a_present_page)
{
	unsigned char data[4 * PAGE];
	struct served s;
	struct message message;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	must_eq(supply_mark(&s.object, 2, 0), 0);
	memset(data, 6, sizeof(data));
	EXPECT_EQ(-EEXIST, say_supply(&s.channel, &s.object, 0, data, sizeof(data), false, true));
	message = expect_message(&s.channel, MACHVM_CMD_SUPPLY_COMPLETED);
	EXPECT_EQ(MACHVM_KERN_MEMORY_PRESENT, message.result);
	EXPECT_EQ(PAGE, message.error_offset);
	ASSERT_EQ(4, message.nr_status);
	EXPECT_EQ(0, memcmp(message.status, (unsigned char[]){ 0, 23, 23, 0 }, 4));
	EXPECT_TRUE(page_is(s.base, 0, 6));
	EXPECT_TRUE(page_is(s.base, 1, util_mark(1, 0)));
	EXPECT_TRUE(page_is(s.base, 2, util_mark(2, 0)));
	EXPECT_TRUE(page_is(s.base, 3, 6));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P1_inline_precious_pages_come_back_clean)
{
	unsigned char data[PAGE] = { 1 };
	struct served s;
	struct message message;

	serve(&s, 1);
	must_eq(say_supply(&s.channel, &s.object, 0, data, PAGE, true, false), 0);
	unmap(s.base, 1);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(0, message.dirty);
}

TEST(P1_S2_55_what_nobody_asked_for_is_accepted_and_counted)
{
	struct served s;
	struct machvm_vm_statistics before;

	serve(&s, 8);
	before = statistics();
	for (int i = 0; i < 8; i++)
		must_eq(supply_mark(&s.object, i, 0), 0);
	EXPECT_EQ(8, object_info(&s.object).out_resident);
	EXPECT_EQ(8, object_info(&s.object).out_supplied);
	EXPECT_EQ(8, object_info(&s.object).out_unasked);
	EXPECT_EQ(8, statistics().out_unasked - before.out_unasked);
	EXPECT_EQ(8, statistics().out_pageins - before.out_pageins);
	EXPECT_EQ(0, util_wrong(s.base, 8, 0));
	*(unsigned char *)s.base = 1;
	EXPECT_TRUE(channel_empty(&s.channel));	/* no fault asked for anything */
	EXPECT_EQ(0, object_info(&s.object).out_requested);
}

TEST(S2_55_a_supply_beyond_the_end_is_refused)
{
	unsigned char data[2 * PAGE] = { 1 };
	struct served s;

	serve(&s, 2);
	EXPECT_EQ(MACHVM_KERN_INVALID_ARGUMENT, supply(&s.object, -PAGE, data, 2 * PAGE));
	EXPECT_EQ(-EINVAL, say_supply(&s.channel, &s.object, -PAGE, data, 2 * PAGE, false, false));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	EXPECT_EQ(0, supply(&s.object, -PAGE, data, PAGE));
	EXPECT_EQ(0, say_supply(&s.channel, &s.object, -PAGES(2), data, PAGE, false, false));
	EXPECT_EQ(2, object_info(&s.object).out_resident);
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(P1_arguments_of_a_supply_by_address)
{
	unsigned char data[2 * PAGE] = { 1 };
	struct machvm_data_supply good = {
		.length = PAGE, .address = (uintptr_t)data,
	}, call;
	struct served s;

	serve(&s, 4);
	good.epoch = s.object.epoch;
	for (int i = 0; i < 6; i++) {
		call = good;
		switch (i) {
		case 0: call.offset = 0x123; break;
		case 1: call.length = 100; break;
		case 2: call.length = PAGE + 1; break;
		case 3: call.length = -PAGE; call.offset = PAGES(2); break;
		case 4: call.precious = 2; break;
		case 5: call.lock_value = 0x20; break;
		}
		EXPECT_EQ(MACHVM_KERN_INVALID_ARGUMENT, supply_status(&s.object, &call)) {
			TH_LOG("case %d", i);
		}
	}
	call = good;
	call.epoch = s.object.epoch + 1;
	EXPECT_EQ(-ESTALE, supply_status(&s.object, &call));
	call = good;
	call.length = 0;
	EXPECT_EQ(0, supply_status(&s.object, &call));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	call = good;
	call.epoch = 0;
	EXPECT_EQ(0, supply_status(&s.object, &call));
	EXPECT_EQ(1, object_info(&s.object).out_resident);
}

TEST(P1_data_that_cannot_be_read_leaves_the_question_open)
{
	unsigned char *data = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct served s;
	struct touch first, second;

	must(data != MAP_FAILED && !munmap(data + PAGE, PAGE));
	serve(&s, 4);
	sleeping_read(&first, s.base + PAGES(1));
	sleeping_read(&second, s.base + PAGES(2));
	memset(data, 8, PAGE);
	EXPECT_EQ(-EFAULT, supply(&s.object, PAGE, data, 2 * PAGE));
	touch_end(&first);	/* the page before the bad one was taken */
	EXPECT_EQ(8, first.byte);
	touch_asleep(&second);
	EXPECT_EQ(1, object_info(&s.object).out_requests);
	EXPECT_EQ(1, object_info(&s.object).out_resident);
	EXPECT_EQ(-EFAULT, supply(&s.object, PAGES(2), data + PAGE, PAGE));
	must_eq(supply_mark(&s.object, 2, 0), 0);
	touch_end(&second);
	EXPECT_EQ(util_mark(2, 0), second.byte);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P5_data_unavailable_gives_zeroes)
{
	struct served s;
	struct touch reader, writer;
	struct message message;

	serve(&s, 4);
	sleeping_read(&reader, s.base);
	sleeping_write(&writer, s.base + PAGE, ANY);
	EXPECT_EQ(0, say_unavailable(&s.channel, &s.object, 0, PAGES(4)));
	touch_end(&reader);
	touch_end(&writer);
	EXPECT_EQ(0, reader.signal);
	EXPECT_TRUE(page_is(s.base, 0, 0));
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(ANY, byte_at(s.base, 1));
	EXPECT_EQ(0, *(unsigned char *)(s.base + PAGE + 1));
	EXPECT_EQ(2, object_info(&s.object).out_resident);
	EXPECT_EQ(0, object_info(&s.object).out_supplied);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	/* Once written, it is returned as any other; the other is clean. */
	unmap(s.base, 4);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(PAGE, message.offset);
	EXPECT_EQ(PAGE, message.length);
	EXPECT_EQ(1, message.dirty);
	must_eq(return_release(&s.object, PAGE, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(P5_pages_that_nobody_waits_for_are_asked_for_later)
{
	struct served s;
	struct touch reader;

	serve(&s, 4);
	EXPECT_EQ(0, say_unavailable(&s.channel, &s.object, 0, PAGES(4)));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 0), reader.byte);
}

TEST(S2_37_a_supply_after_unavailable_is_refused)
{
	struct served s;
	struct touch reader;

	serve(&s, 1);
	sleeping_read(&reader, s.base);
	EXPECT_EQ(0, say_unavailable(&s.channel, &s.object, 0, PAGE));
	EXPECT_EQ(MACHVM_KERN_MEMORY_PRESENT, supply_mark(&s.object, 0, 0));
	touch_end(&reader);
	EXPECT_EQ(0, reader.byte);
	EXPECT_TRUE(page_is(s.base, 0, 0));
}

#define WAITERS 8

TEST(P6_S2_38_an_error_reaches_every_waiter_once)
{
	struct touch waiters[WAITERS], again;
	struct machvm_vm_statistics before;
	struct served s;

	serve(&s, 4);
	for (int i = 0; i < WAITERS; i++)
		touch_start(&waiters[i], s.base + PAGE + i, i & 1, 1);
	for (int i = 0; i < WAITERS; i++)
		touch_asleep(&waiters[i]);
	before = statistics();
	EXPECT_EQ(PAGE, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	EXPECT_EQ(0, say_error(&s.channel, &s.object, PAGE, PAGE, -4711));
	for (int i = 0; i < WAITERS; i++) {
		touch_end(&waiters[i]);
		EXPECT_EQ(SIGBUS, waiters[i].signal);
		EXPECT_EQ(1, waiters[i].signals);
		EXPECT_EQ(KERN_MEMORY_ERROR, waiters[i].why);
		EXPECT_EQ(-4711, waiters[i].reason);
	}
	EXPECT_EQ(1, statistics().out_errors - before.out_errors);
	EXPECT_TRUE(channel_empty(&s.channel));	/* nobody asked again by himself */
	EXPECT_EQ(1, object_info(&s.object).out_requested);
	EXPECT_EQ(0, object_info(&s.object).out_requests);
	EXPECT_EQ(0, object_info(&s.object).out_resident);

	sleeping_read(&again, s.base + PAGE);
	EXPECT_EQ(PAGE, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&again);
	EXPECT_EQ(0, again.signal);
	EXPECT_EQ(util_mark(1, 0), again.byte);
	EXPECT_EQ(2, object_info(&s.object).out_requested);
}

TEST(P6_any_error_value_is_a_memory_error)
{
	static const int values[] = { 1, 0, -1, KERN_SUCCESS, KERN_INVALID_ADDRESS, 0x7fffffff };
	struct served s;
	struct touch reader;

	serve(&s, 1);
	for (int i = 0; i < 6; i++) {
		sleeping_read(&reader, s.base);
		expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
		EXPECT_EQ(0, say_error(&s.channel, &s.object, 0, PAGE, values[i]));
		touch_end(&reader);
		EXPECT_EQ(SIGBUS, reader.signal);
		EXPECT_EQ(KERN_MEMORY_ERROR, reader.why);
		EXPECT_EQ(values[i], reader.reason);
	}
}

TEST(P6_an_error_is_for_its_pages_only)
{
	struct served s;
	struct touch waiters[4];

	serve(&s, 4);
	for (int i = 0; i < 4; i++) {
		sleeping_read(&waiters[i], s.base + PAGES(i));
		expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	}
	EXPECT_EQ(0, say_error(&s.channel, &s.object, PAGE, PAGES(2), 5));
	touch_end(&waiters[1]);
	touch_end(&waiters[2]);
	EXPECT_EQ(SIGBUS, waiters[1].signal);
	EXPECT_EQ(SIGBUS, waiters[2].signal);
	touch_asleep(&waiters[0]);
	touch_asleep(&waiters[3]);
	EXPECT_EQ(2, object_info(&s.object).out_requests);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 3, 0), 0);
	touch_end(&waiters[0]);
	touch_end(&waiters[3]);
	EXPECT_EQ(0, waiters[0].signal);
	EXPECT_EQ(0, waiters[3].signal);
}

TEST(S2_39_errors_and_unavailability_of_resident_pages_are_nothing)
{
	struct served s;

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	memset((void *)(s.base + PAGE), ANY, PAGE);
	EXPECT_EQ(0, say_error(&s.channel, &s.object, 0, PAGES(2), 5));
	EXPECT_EQ(0, say_unavailable(&s.channel, &s.object, 0, PAGES(2)));
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
	EXPECT_TRUE(page_is(s.base, 1, ANY));
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
	EXPECT_EQ(2, object_info(&s.object).out_resident);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_39_errors_of_pages_that_nobody_asked_for_are_nothing)
{
	struct served s;
	struct touch reader;

	serve(&s, 2);
	EXPECT_EQ(0, say_error(&s.channel, &s.object, 0, PAGES(2), 5));
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(0, reader.signal);
}

TEST(P6_an_error_in_a_system_call_is_EFAULT)
{
	struct served s;
	struct touch other;
	int pipes[2], status;
	pid_t client, got;

	serve(&s, 2);
	must(!pipe(pipes));
	client = fork_client(&s);
	if (!client) {
		vm_address_t base = map_object(&s.object, 0, 2, false);

		must_eq(write(pipes[1], (void *)base, PAGE), -1);
		must_eq(errno, EFAULT);
		_exit(0);
	}
	/* Linux may try the access again before it gives up; each time is a fault of its own. */
	while (!(got = waitpid(client, &status, WNOHANG))) {
		if (channel_empty(&s.channel))
			continue;
		EXPECT_EQ(0, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
		EXPECT_EQ(0, say_error(&s.channel, &s.object, 0, PAGE, 5));
	}
	EXPECT_EQ(client, got);
	EXPECT_EQ(0, status);
	sleeping_read(&other, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&other);
}

HARNESS_MAIN
