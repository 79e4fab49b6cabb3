// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_clean.c - lock_request: pages are cleaned, flushed and locked: rows P7 to P11, P17, K5
 * and K8.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#define ANY 0xee
#define READ MACHVM_PROT_READ
#define WRITE MACHVM_PROT_WRITE
#define NO_CHANGE MACHVM_PROT_NO_CHANGE
#define NONE MACHVM_RETURN_NONE
#define DIRTY MACHVM_RETURN_DIRTY
#define ALL MACHVM_RETURN_ALL
#define ANYTHING MACHVM_RETURN_ANYTHING

static int lock_request(struct object *object, uint64_t offset, uint64_t length, uint32_t what,
			bool flush, uint32_t lock)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .epoch = object->epoch, .offset = offset, .length = length,
		.should_return = what, .should_flush = flush, .lock_value = lock, .reply = 1,
	};

	return util_ioctl(object->control, MACHVM_LOCK_REQUEST, &call);
}

static void expect_completed(struct served *s, uint64_t offset, uint64_t length)
{
	struct message message = expect_message(&s->channel, MACHVM_CMD_LOCK_COMPLETED);

	must_eq(message.object, s->object.id);
	must_eq(message.offset, offset);
	must_eq(message.length, length);
	must_eq(message.result, 0);
}

/* Nothing is returned. */
static void locked(struct served *s, unsigned int page, unsigned int nr, uint32_t what, bool flush,
		   uint32_t lock)
{
	must_eq(lock_request(&s->object, PAGES(page), PAGES(nr), what, flush, lock), 0);
	expect_completed(s, PAGES(page), PAGES(nr));
}

/* As locked(); who waited asks again, before or after that is completed.  Returns for what. */
static uint32_t locked_and_asked(struct served *s, uint32_t lock, bool flush, uint8_t question)
{
	struct message first, second;

	must_eq(lock_request(&s->object, 0, PAGE, NONE, flush, lock), 0);
	first = channel_next(&s->channel);
	second = channel_next(&s->channel);
	if (first.command == question) {
		must_eq(second.command, MACHVM_CMD_LOCK_COMPLETED);
		return first.access;
	}
	must_eq(first.command, MACHVM_CMD_LOCK_COMPLETED);
	must_eq(second.command, question);
	return second.access;
}

/* A read of the page asks the pager, and shows what it says now. */
static void expect_asked(struct served *s, unsigned int page, unsigned int generation)
{
	struct touch reader;

	sleeping_read(&reader, s->base + PAGES(page));
	must_eq(expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST).offset, PAGES(page));
	must_eq(supply_mark(&s->object, page, generation), 0);
	touch_end(&reader);
	must_eq(reader.byte, util_mark(page, generation));
}

TEST(P8_K5_clean_returns_what_was_written_and_the_kernel_keeps_it)
{
	struct served s;

	serve_clean(&s, 8);
	write_page(&s, 1, ANY);
	write_page(&s, 2, ANY);
	write_page(&s, 5, ANY);
	must_eq(lock_request(&s.object, 0, PAGES(8), DIRTY, false, NO_CHANGE), 0);
	expect_return(&s, 1, 2, true, true, ANY);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(3, object_info(&s.object).out_dirty);		/* until the pager has it */
	released(&s, 1, 2);
	expect_return(&s, 5, 1, true, true, ANY);
	released(&s, 5, 1);
	expect_completed(&s, 0, PAGES(8));
	EXPECT_EQ(0, object_info(&s.object).out_dirty);
	EXPECT_EQ(8, object_info(&s.object).out_resident);
	EXPECT_TRUE(page_is(s.base, 1, ANY));
	locked(&s, 0, 8, DIRTY, false, NO_CHANGE);
	unmap(s.base, 8);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P7_K5_flush_returns_and_takes_away)
{
	struct served s;

	serve_clean(&s, 4);
	write_page(&s, 0, ANY);
	write_page(&s, 1, ANY);
	must_eq(lock_request(&s.object, 0, PAGES(4), DIRTY, true, NO_CHANGE), 0);
	expect_return(&s, 0, 2, true, false, ANY);
	released(&s, 0, 2);
	expect_completed(&s, 0, PAGES(4));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	for (unsigned int i = 0; i < 4; i++)
		expect_asked(&s, i, 3);
}

/* Page 0, again and again; a pager that is asked for it must know of what was written there. */
static void *look_all_the_time(void *argument)
{
	volatile unsigned char *page = argument;

	while (*page == ANY)
		;
	return NULL;
}

/* An order waits a moment for page 1, which is in use; page 0 has gone by then, and is missed. */
TEST(S2_43_a_page_that_goes_is_returned_before_it_is_asked_for)
{
	struct message message;
	pthread_t thread;
	struct served s;
	int pipes[2];

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	write_page(&s, 1, ANY);
	must(!pipe(pipes));
	must_eq(vmsplice(pipes[1], &(struct iovec){ (void *)(s.base + PAGE), PAGE }, 1, 0), PAGE);
	must(!pthread_create(&thread, NULL, look_all_the_time, (void *)s.base));
	must_eq(lock_request(&s.object, 0, PAGES(2), DIRTY, true, NO_CHANGE), 0);
	message = channel_next(&s.channel);
	must_eq(message.command, MACHVM_CMD_DATA_RETURN);
	must_eq(message.offset, 0);
	released(&s, 0, 1);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	pthread_join(thread, NULL);
	do {
		message = channel_next(&s.channel);
	} while (message.command == MACHVM_CMD_DATA_REQUEST);
	must_eq(message.command, MACHVM_CMD_DATA_RETURN);
	must_eq(message.offset, PAGE);
	released(&s, 1, 1);
}

/* Neither the pager nor its successor has what was written: the kernel does. */
TEST(S2_51_what_was_flushed_is_there_again_when_the_pager_dies)
{
	struct channel successor;
	struct touch reader;
	struct served s;

	serve_clean(&s, 2);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	write_page(&s, 0, ANY);
	write_page(&s, 1, ANY);
	must_eq(lock_request(&s.object, 0, PAGES(2), DIRTY, true, NO_CHANGE), 0);
	expect_return(&s, 0, 2, true, false, ANY);
	sleeping_read(&reader, s.base);
	must_eq(expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset, 0);
	channel_close(&s.channel);
	channel_open(&successor);
	must_eq(object_bind(&s.object, &successor, 0), 0);
	wait_until(atomic_load(&reader.stage) == 2 || !channel_empty(&successor));
	supply_mark(&s.object, 0, 0);			/* an answer to nothing */
	touch_end(&reader);
	EXPECT_EQ(ANY, reader.byte);
	EXPECT_TRUE(page_is(s.base, 0, ANY));
	EXPECT_TRUE(page_is(s.base, 1, ANY));
	EXPECT_EQ(2, object_info(&s.object).out_dirty);
	EXPECT_TRUE(channel_empty(&successor));
}

struct held {
	uint64_t resident, dirty, returning, returned, open;
};

static void expect_held(uint64_t port, struct held held)
{
	struct machvm_port_info info = port_info(port);

	must_eq(info.out_resident, held.resident);
	must_eq(info.out_dirty, held.dirty);
	must_eq(info.out_returning, held.returning);
	must_eq(info.out_returned, held.returned);
	must_eq(info.out_open, held.open);
}

static void set_held(struct served *s, uint64_t *port)
{
	serve(s, 8);
	*port = object_info(&s->object).out_port;
	expect_held(*port, (struct held){ 0 });
	for (unsigned int i = 0; i < 5; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
	write_page(s, 0, ANY);
	write_page(s, 1, ANY);
	expect_held(*port, (struct held){ .resident = 5, .dirty = 2 });
}

TEST(K14_a_port_counts_what_is_returned)
{
	struct served s;
	uint64_t port;

	set_held(&s, &port);
	must_eq(lock_request(&s.object, 0, PAGES(8), DIRTY, false, NO_CHANGE), 0);
	expect_return(&s, 0, 2, true, true, ANY);
	expect_held(port, (struct held){ .resident = 5, .dirty = 2, .returning = 2 });
	write_page(&s, 0, 1);			/* again: the pager gets it as it was */
	expect_held(port, (struct held){ .resident = 5, .dirty = 2, .returning = 2 });
	released(&s, 0, 1);
	expect_held(port, (struct held){ .resident = 5, .dirty = 2, .returning = 1,
					 .returned = 1 });
	released(&s, 1, 1);
	expect_completed(&s, 0, PAGES(8));
	expect_held(port, (struct held){ .resident = 5, .dirty = 1, .returned = 2 });
	must_eq(lock_request(&s.object, 0, PAGES(8), DIRTY, true, NO_CHANGE), 0);
	expect_return(&s, 0, 1, true, false, 1);
	expect_held(port, (struct held){ .returning = 1, .returned = 2 });
	channel_close(&s.channel);
	wait_until(!port_info(port).out_returning);
	expect_held(port, (struct held){ .resident = 1, .dirty = 1, .returned = 2 });
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	unmap(s.base, 8);
	expect_return(&s, 0, 1, true, false, 1);
	expect_held(port, (struct held){ .resident = 1, .dirty = 1, .returning = 1,
					 .returned = 2 });
	released(&s, 0, 1);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	expect_held(port, (struct held){ .returned = 3 });
}

TEST(K14_a_port_counts_what_is_asked_for)
{
	struct touch reader;
	struct served s;
	uint64_t port;

	set_held(&s, &port);
	sleeping_read(&reader, s.base + PAGES(6));
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	expect_held(port, (struct held){ .resident = 5, .dirty = 2, .open = 1 });
	must_eq(supply_mark(&s.object, 6, 0), 0);
	touch_end(&reader);
	expect_held(port, (struct held){ .resident = 6, .dirty = 2 });
}

/* Its pages stay where they are mapped, and are no pager's. */
TEST(K14_a_port_does_not_count_what_was_destroyed)
{
	struct served s;
	uint64_t port;

	set_held(&s, &port);
	must_eq(say_destroy(&s.channel, &s.object, 1, false), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	expect_held(port, (struct held){ 0 });
	EXPECT_TRUE(page_is(s.base, 0, ANY));
	write_page(&s, 2, ANY);
	expect_held(port, (struct held){ 0 });
	unmap(s.base, 8);
	expect_held(port, (struct held){ 0 });
}

TEST(S2_43_flush_without_return_drops_what_was_written)
{
	struct served s;

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	locked(&s, 0, 2, NONE, true, NO_CHANGE);
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	EXPECT_EQ(0, object_info(&s.object).out_dirty);
	expect_asked(&s, 0, 1);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 1)));
}

TEST(S2_44_P4_precious_pages_are_returned_by_ALL_and_not_by_DIRTY)
{
	struct served s;

	serve(&s, 3);
	must_eq(supply_precious(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	must_eq(supply_precious(&s.object, 2, 0), 0);
	locked(&s, 0, 3, DIRTY, false, NO_CHANGE);
	for (unsigned int i = 0; i < 2; i++) {		/* again and again: it stays precious */
		must_eq(lock_request(&s.object, 0, PAGES(3), ALL, false, NO_CHANGE), 0);
		expect_return(&s, 0, 1, false, true, util_mark(0, 0));
		released(&s, 0, 1);
		expect_return(&s, 2, 1, false, true, util_mark(2, 0));
		released(&s, 2, 1);
		expect_completed(&s, 0, PAGES(3));
	}
	write_page(&s, 0, ANY);
	must_eq(lock_request(&s.object, 0, PAGES(3), ALL, true, NO_CHANGE), 0);
	expect_return(&s, 0, 1, true, false, ANY);
	released(&s, 0, 1);
	expect_return(&s, 2, 1, false, false, util_mark(2, 0));
	released(&s, 2, 1);
	expect_completed(&s, 0, PAGES(3));
	must_eq(supply_mark(&s.object, 1, 0), 0);
	must_eq(lock_request(&s.object, 0, PAGES(3), ANYTHING, false, NO_CHANGE), 0);
	expect_return(&s, 1, 1, false, true, util_mark(1, 0));
	released(&s, 1, 1);
	expect_completed(&s, 0, PAGES(3));
	unmap(s.base, 3);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);	/* nothing dirty nor precious */
}

TEST(P9_S2_40_a_lock_replaces_the_one_before)
{
	struct touch writer, reader;
	struct served s;

	serve_clean(&s, 1);
	EXPECT_EQ(util_mark(0, 0), byte_at(s.base, 0));
	locked(&s, 0, 1, NONE, false, WRITE);
	EXPECT_EQ(util_mark(0, 0), byte_at(s.base, 0));
	sleeping_write(&writer, s.base, ANY);
	EXPECT_EQ(READ | WRITE, expect_message(&s.channel, MACHVM_CMD_DATA_UNLOCK).access);
	locked(&s, 0, 1, DIRTY, false, NO_CHANGE);	/* the question stays open */
	EXPECT_TRUE(channel_empty(&s.channel));
	touch_asleep(&writer);
	/* The same again: it is asked again.  Not WRITE any more, but not both either. */
	EXPECT_EQ(READ | WRITE, locked_and_asked(&s, WRITE, false, MACHVM_CMD_DATA_UNLOCK));
	EXPECT_EQ(READ | WRITE, locked_and_asked(&s, READ, false, MACHVM_CMD_DATA_UNLOCK));
	sleeping_read(&reader, s.base);
	EXPECT_TRUE(channel_empty(&s.channel));
	locked(&s, 0, 1, NONE, false, 0);
	touch_end(&writer);
	touch_end(&reader);
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(0, reader.signal);
	EXPECT_EQ(ANY, byte_at(s.base, 0));
	locked(&s, 0, 1, NONE, false, WRITE);		/* also takes away what was mapped */
	sleeping_write(&writer, s.base, 1);
	expect_message(&s.channel, MACHVM_CMD_DATA_UNLOCK);
	locked(&s, 0, 1, NONE, false, 0);
	touch_end(&writer);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* A question fills the window, and its answer waits for a flush to end: that needs no credit. */
TEST(K5_what_is_returned_does_not_wait_for_credit)
{
	struct touch writer;
	struct served s;

	channel_open(&s.channel);
	object_create(&s.object);
	must_eq(object_bind(&s.object, &s.channel, 1), 0);
	s.base = map_object(&s.object, 0, 2, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	write_page(&s, 1, ANY);
	locked(&s, 0, 1, NONE, false, WRITE);
	sleeping_write(&writer, s.base, ANY);
	expect_message(&s.channel, MACHVM_CMD_DATA_UNLOCK);
	must_eq(lock_request(&s.object, PAGE, PAGE, DIRTY, true, NO_CHANGE), 0);
	must_eq(lock_request(&s.object, 0, PAGE, NONE, false, 0), 0);
	must_eq(port_info(object_info(&s.object).out_port).out_queued, 0);
	expect_return(&s, 1, 1, true, false, ANY);
	released(&s, 1, 1);
	expect_completed(&s, PAGE, PAGE);
	expect_completed(&s, 0, PAGE);
	touch_end(&writer);
	EXPECT_EQ(0, writer.signal);
}

TEST(P7_flushing_a_locked_page_sends_who_waits_to_ask_for_it)
{
	struct touch writer;
	struct served s;

	serve_clean(&s, 1);
	locked(&s, 0, 1, NONE, false, WRITE);
	sleeping_write(&writer, s.base, ANY);
	expect_message(&s.channel, MACHVM_CMD_DATA_UNLOCK);
	EXPECT_EQ(READ | WRITE, locked_and_asked(&s, NO_CHANGE, true, MACHVM_CMD_DATA_REQUEST));
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&writer);
	EXPECT_EQ(ANY, byte_at(s.base, 0));
}

TEST(S2_42_K8_completion_follows_all_data_and_has_the_range_as_given)
{
	struct served s;

	serve_clean(&s, 80);
	for (unsigned int i = 0; i < 80; i++)
		write_page(&s, i, ANY);
	must_eq(lock_request(&s.object, 5, PAGES(70) + 100, DIRTY, false, NO_CHANGE), 0);
	expect_return(&s, 0, 32, true, true, ANY);
	released(&s, 0, 32);
	expect_return(&s, 32, 32, true, true, ANY);
	released(&s, 40, 24);
	EXPECT_TRUE(channel_empty(&s.channel));
	released(&s, 32, 8);
	expect_return(&s, 64, 7, true, true, ANY);
	EXPECT_TRUE(channel_empty(&s.channel));
	released(&s, 64, 7);
	expect_completed(&s, 5, PAGES(70) + 100);
	EXPECT_EQ(9, object_info(&s.object).out_dirty);
}

TEST(P17_a_request_for_nothing_is_completed)
{
	struct served s;

	serve(&s, 4);
	must_eq(lock_request(&s.object, PAGE, 0, ALL, true, 0), 0);
	expect_completed(&s, PAGE, 0);
	must_eq(lock_request(&s.object, 0, PAGES(4), 5, true, 0), 0);	/* nothing is there */
	expect_completed(&s, 0, PAGES(4));
	must_eq(lock_request(&s.object, -PAGE, PAGE, ALL, true, 0), 0);
	expect_completed(&s, -PAGE, PAGE);
	EXPECT_EQ(MACHVM_KERN_INVALID_ARGUMENT, lock_request(&s.object, -PAGE, PAGE + 1, 0, 0, 0));
	EXPECT_EQ(MACHVM_KERN_INVALID_ARGUMENT, lock_request(&s.object, 0, PAGE, 0, 0, 0x20));
	EXPECT_EQ(MACHVM_KERN_INVALID_ARGUMENT, lock_request(&s.object, 0, PAGE, 0, 0, 9));
	s.object.epoch++;
	EXPECT_EQ(-ESTALE, lock_request(&s.object, 0, PAGE, 0, 0, 0));
	EXPECT_TRUE(channel_empty(&s.channel));
	channel_close(&s.channel);
	s.object.epoch = 0;
	EXPECT_EQ(MACHVM_KERN_MEMORY_ERROR, lock_request(&s.object, 0, PAGE, 0, 0, 0));
}

TEST(S2_45_what_is_written_after_cleaning_comes_back_later)
{
	struct served s;

	serve_clean(&s, 3);
	for (unsigned int i = 0; i < 3; i++)
		write_page(&s, i, ANY);
	must_eq(lock_request(&s.object, 0, PAGES(3), DIRTY, false, NO_CHANGE), 0);
	write_page(&s, 1, 7);			/* before the pager has read it */
	expect_return(&s, 0, 3, true, true, ANY);
	write_page(&s, 2, 8);			/* after that, and before it is released */
	EXPECT_TRUE(channel_empty(&s.channel));
	released(&s, 0, 3);
	expect_completed(&s, 0, PAGES(3));
	EXPECT_EQ(2, object_info(&s.object).out_dirty);
	EXPECT_TRUE(page_is(s.base, 1, 7));
	EXPECT_TRUE(page_is(s.base, 2, 8));
	must_eq(lock_request(&s.object, 0, PAGES(2), DIRTY, false, NO_CHANGE), 0);
	expect_return(&s, 1, 1, true, true, 7);
	released(&s, 1, 1);
	expect_completed(&s, 0, PAGES(2));
	must_eq(lock_request(&s.object, 0, PAGES(3), DIRTY, true, NO_CHANGE), 0);
	expect_return(&s, 2, 1, true, false, 8);
	released(&s, 2, 1);
	expect_completed(&s, 0, PAGES(3));
}

TEST(K5_kept_pages_may_be_mapped_by_the_pager)
{
	vm_address_t place;
	struct served s;

	serve_clean(&s, 3);
	for (unsigned int i = 0; i < 3; i++)
		write_page(&s, i, ANY);
	must_eq(lock_request(&s.object, 0, PAGES(3), DIRTY, false, WRITE), 0);
	must_eq(lock_request(&s.object, 0, PAGES(3), NONE, false, 0), 0);	/* its turn comes */
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(0, return_map(&s.object, 0, PAGES(3), &place));
	expect_completed(&s, 0, PAGES(3));
	expect_completed(&s, 0, PAGES(3));
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_TRUE(page_is(place, i, ANY));
	*(unsigned char *)place = 1;
	EXPECT_EQ(ANY, byte_at(s.base, 0));
	write_page(&s, 1, 3);
	EXPECT_TRUE(page_is(place, 1, ANY));
	unmap(place, 3);
}

TEST(P7_a_flushed_and_locked_page_is_the_pagers_to_map)
{
	vm_address_t place;
	struct served s;

	serve_clean(&s, 1);
	write_page(&s, 0, ANY);
	locked(&s, 0, 1, NONE, false, WRITE);
	must_eq(lock_request(&s.object, 0, PAGE, DIRTY, true, NO_CHANGE), 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(0, return_map(&s.object, 0, PAGE, &place));
	expect_completed(&s, 0, PAGE);
	memset((void *)place, 1, PAGE);		/* no lock follows it */
	expect_asked(&s, 0, 2);
	unmap(place, 1);
}

TEST(S2_34_a_flush_does_not_change_a_delayed_copy)
{
	struct served s;
	vm_address_t copy;

	serve_clean(&s, 3);
	write_page(&s, 0, ANY);
	copy = map_object(&s.object, 0, 3, true);
	EXPECT_EQ(ANY, byte_at(copy, 0));
	must_eq(lock_request(&s.object, 0, PAGES(2), DIRTY, true, NO_CHANGE), 0);
	expect_return(&s, 0, 1, true, false, ANY);
	released(&s, 0, 1);
	expect_completed(&s, 0, PAGES(2));
	expect_asked(&s, 0, 5);
	expect_asked(&s, 1, 5);
	EXPECT_TRUE(page_is(copy, 0, ANY));
	EXPECT_TRUE(page_is(copy, 1, util_mark(1, 0)));
	EXPECT_TRUE(page_is(copy, 2, util_mark(2, 0)));
	locked(&s, 0, 3, NONE, true, NO_CHANGE);	/* what was pushed stays pushed */
	EXPECT_TRUE(page_is(copy, 0, ANY));
	EXPECT_TRUE(page_is(copy, 2, util_mark(2, 0)));
	EXPECT_TRUE(channel_empty(&s.channel));
	unmap(copy, 3);
}

TEST(S2_47_P11_a_sparse_terabyte_takes_as_long_as_what_is_there)
{
	const uint64_t end = 1ULL << 40;
	struct served s;

	serve_clean(&s, 2);
	must_eq(supply_mark(&s.object, end / PAGE - 1, 0), 0);
	must_eq(supply_mark(&s.object, end / PAGE / 2, 0), 0);
	write_page(&s, 1, ANY);
	must_eq(lock_request(&s.object, 0, end, DIRTY, true, NO_CHANGE), 0);
	expect_return(&s, 1, 1, true, false, ANY);
	released(&s, 1, 1);
	expect_completed(&s, 0, end);
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	/* A million times as much. */
	must_eq(lock_request(&s.object, 0, end << 20, DIRTY, true, NO_CHANGE), 0);
	expect_completed(&s, 0, end << 20);
}

TEST(K8_lock_request_by_netlink)
{
	static struct request request;
	struct served s;

	serve_clean(&s, 2);
	write_page(&s, 1, ANY);
	request_begin(&request, &s.channel, MACHVM_CMD_LOCK_REQUEST);
	request_u64(&request, MACHVM_A_MSG_OBJECT, s.object.id);
	request_u32(&request, MACHVM_A_MSG_EPOCH, s.object.epoch);
	request_u64(&request, MACHVM_A_MSG_OFFSET, 0);
	request_u64(&request, MACHVM_A_MSG_LENGTH, PAGES(2));
	request_u32(&request, MACHVM_A_MSG_SHOULD_RETURN, DIRTY);
	request_put(&request, MACHVM_A_MSG_SHOULD_FLUSH, NULL, 0);
	request_put(&request, MACHVM_A_MSG_REPLY, NULL, 0);
	EXPECT_EQ(0, request_send(&request, &s.channel));
	expect_return(&s, 1, 1, true, false, ANY);
	released(&s, 1, 1);
	expect_completed(&s, 0, PAGES(2));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
}

TEST(S2_51_pages_that_a_dead_pager_has_not_taken_are_there_for_the_next)
{
	struct served s;

	serve_clean(&s, 4);
	for (unsigned int i = 0; i < 4; i++)
		write_page(&s, i, ANY);
	must_eq(lock_request(&s.object, 0, PAGES(2), DIRTY, true, NO_CHANGE), 0);
	must_eq(lock_request(&s.object, PAGES(2), PAGES(2), DIRTY, false, NO_CHANGE), 0);
	expect_return(&s, 0, 2, true, false, ANY);
	released(&s, 0, 1);
	channel_close(&s.channel);
	wait_until(object_info(&s.object).out_flags & MACHVM_OBJECT_ABSENT);
	wait_until(object_info(&s.object).out_resident == 3);
	EXPECT_TRUE(page_is(s.base, 1, ANY));
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	must_eq(lock_request(&s.object, 0, PAGES(4), DIRTY, false, NO_CHANGE), 0);
	expect_return(&s, 1, 3, true, true, ANY);
	released(&s, 1, 3);
	expect_completed(&s, 0, PAGES(4));
}

TEST(S2_48_the_last_unmap_in_the_middle_of_a_request)
{
	struct served s;

	serve_clean(&s, 40);
	for (unsigned int i = 0; i < 36; i++)
		write_page(&s, i, ANY);
	write_page(&s, 38, 1);
	must_eq(lock_request(&s.object, 0, PAGES(36), DIRTY, false, NO_CHANGE), 0);
	unmap(s.base, 40);
	expect_return(&s, 0, 32, true, true, ANY);
	released(&s, 0, 32);
	expect_return(&s, 32, 4, true, true, ANY);
	released(&s, 32, 4);
	expect_completed(&s, 0, PAGES(36));
	expect_return(&s, 38, 1, true, false, 1);
	released(&s, 38, 1);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
}

HARNESS_MAIN
