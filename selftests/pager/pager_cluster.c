// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_cluster.c - one question for many pages: row K16.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <machvm/pager.h>

#define READ MACHVM_PROT_READ
#define WRITE MACHVM_PROT_WRITE

static void serve_clusters(struct served *s, unsigned int pages, unsigned int cluster)
{
	struct machvm_attributes call = {
		.size = sizeof(call), .copy_strategy = COPY_DELAY, .cluster_size = PAGES(cluster),
	};

	serve(s, pages);
	must_eq(util_ioctl(s->object.control, MACHVM_SET_ATTRIBUTES, &call), 0);
}

static void expect_request(struct served *s, unsigned int page, unsigned int pages, uint32_t access)
{
	struct message message = expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);

	must_eq(message.offset, PAGES(page));
	must_eq(message.length, PAGES(pages));
	must_eq(message.access, access);
}

static void supply_pages(struct served *s, unsigned int page, unsigned int pages)
{
	for (unsigned int i = page; i < page + pages; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
}

TEST(K16_a_request_is_for_the_aligned_cluster_around_the_page)
{
	struct touch reader, writer;
	struct served s;

	serve_clusters(&s, 64, 8);
	sleeping_read(&reader, s.base + PAGES(19));
	expect_request(&s, 16, 8, READ);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(8, object_info(&s.object).out_requests);
	EXPECT_EQ(8, object_info(&s.object).out_requested);
	sleeping_write(&writer, s.base + PAGES(40), 1);
	expect_request(&s, 40, 8, READ | WRITE);
	supply_pages(&s, 16, 8);
	supply_pages(&s, 40, 8);
	touch_end(&reader);
	touch_end(&writer);
	EXPECT_EQ(util_mark(19, 0), reader.byte);
	for (unsigned int i = 16; i < 24; i++)
		EXPECT_EQ(util_mark(i, 0), byte_at(s.base, i));
	EXPECT_EQ(0, object_info(&s.object).out_requests);
	EXPECT_EQ(0, object_info(&s.object).out_unasked);
	EXPECT_EQ(1, object_info(&s.object).out_dirty);	/* only the page that was written */
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K16_a_page_is_asked_for_alone_unless_the_pager_wants_more)
{
	struct touch reader;
	struct served s;

	serve(&s, 64);
	sleeping_read(&reader, s.base + PAGES(19));
	expect_request(&s, 19, 1, READ);
	EXPECT_TRUE(channel_empty(&s.channel));
	supply_pages(&s, 19, 1);
	touch_end(&reader);
}

TEST(K16_nothing_beyond_what_is_absent)
{
	struct touch reader, other;
	struct served s;

	serve_clusters(&s, 30, 8);
	supply_pages(&s, 18, 1);
	supply_pages(&s, 22, 1);
	sleeping_read(&reader, s.base + PAGES(20));
	expect_request(&s, 19, 3, READ);
	/* Another page that was asked for waits for the same answer. */
	sleeping_read(&other, s.base + PAGES(19));
	EXPECT_TRUE(channel_empty(&s.channel));
	supply_pages(&s, 19, 3);
	touch_end(&reader);
	touch_end(&other);
	EXPECT_EQ(util_mark(19, 0), other.byte);
	/* What lies behind a page that is there is another matter. */
	sleeping_read(&other, s.base + PAGES(17));
	expect_request(&s, 16, 2, READ);
	supply_pages(&s, 16, 2);
	touch_end(&other);
	/* Nor beyond what is mapped. */
	sleeping_read(&reader, s.base + PAGES(26));
	expect_request(&s, 24, 6, READ);
	supply_pages(&s, 24, 6);
	touch_end(&reader);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K16_who_reads_in_order_is_asked_for_ahead)
{
	struct touch reader;
	struct served s;

	serve_clusters(&s, 64, 4);
	sleeping_read(&reader, s.base + PAGES(8));
	expect_request(&s, 8, 4, READ);
	supply_pages(&s, 8, 4);
	touch_end(&reader);
	sleeping_read(&reader, s.base + PAGES(12));	/* the one behind */
	expect_request(&s, 12, 4, READ);
	expect_request(&s, 16, 4, READ);
	supply_pages(&s, 12, 8);
	touch_end(&reader);
	for (unsigned int i = 12; i < 20; i++)
		EXPECT_EQ(util_mark(i, 0), byte_at(s.base, i));
	sleeping_read(&reader, s.base + PAGES(40));	/* somewhere else */
	expect_request(&s, 40, 4, READ);
	EXPECT_TRUE(channel_empty(&s.channel));
	supply_pages(&s, 40, 4);
	touch_end(&reader);
}

TEST(K16_one_call_answers_for_all_of_a_cluster)
{
	static unsigned char data[32 * PAGE];
	struct touch reader;
	struct served s;

	for (unsigned int i = 0; i < 32; i++)
		memset(data + PAGES(i), util_mark(i, 0), PAGE);
	serve_clusters(&s, 32, 32);
	sleeping_read(&reader, s.base + PAGES(31));
	expect_request(&s, 0, 32, READ);
	must_eq(supply(&s.object, 0, data, sizeof(data)), 0);
	touch_end(&reader);
	for (unsigned int i = 0; i < 32; i++)
		EXPECT_TRUE(page_is(s.base, i, util_mark(i, 0)));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K16_each_page_may_have_another_answer)
{
	struct touch readers[4];
	struct served s;

	serve_clusters(&s, 8, 4);
	sleeping_read(&readers[0], s.base);
	expect_request(&s, 0, 4, READ);
	for (unsigned int i = 1; i < 4; i++)
		sleeping_read(&readers[i], s.base + PAGES(i));
	must_eq(say_error(&s.channel, &s.object, PAGES(1), PAGE, 5), 0);
	touch_end(&readers[1]);
	EXPECT_EQ(KERN_MEMORY_ERROR, readers[1].why);
	EXPECT_EQ(5, readers[1].reason);
	must_eq(say_unavailable(&s.channel, &s.object, PAGES(2), PAGE), 0);
	touch_end(&readers[2]);
	EXPECT_EQ(0, readers[2].byte);
	supply_pages(&s, 3, 1);
	touch_end(&readers[3]);
	EXPECT_EQ(util_mark(3, 0), readers[3].byte);
	touch_asleep(&readers[0]);
	supply_pages(&s, 0, 1);
	touch_end(&readers[0]);
	EXPECT_EQ(0, readers[0].signal);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* What the pager that has gone left of a cluster, and no more. */
TEST(K16_a_successor_is_asked_for_the_rest)
{
	struct touch reader;
	struct served s;

	serve_clusters(&s, 8, 8);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	sleeping_read(&reader, s.base + PAGES(4));
	expect_request(&s, 0, 8, READ);
	supply_pages(&s, 0, 2);
	channel_close(&s.channel);
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	expect_request(&s, 2, 6, READ);
	supply_pages(&s, 2, 6);
	touch_end(&reader);
	EXPECT_EQ(util_mark(4, 0), reader.byte);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K16_who_goes_away_leaves_nothing_behind)
{
	uint64_t before = statistics().out_active_count;
	struct touch reader;
	struct served s;

	serve_clusters(&s, 256, 256);
	sleeping_read(&reader, s.base + PAGES(100));
	expect_request(&s, 0, 256, READ);
	unmap(s.base, 256);
	touch_end(&reader);
	EXPECT_EQ(KERN_INVALID_ADDRESS, reader.why);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(before, statistics().out_active_count);
}

TEST(K16_a_small_window_lets_a_whole_cluster_through)
{
	struct machvm_attributes call = {
		.size = sizeof(call), .copy_strategy = COPY_DELAY, .cluster_size = PAGES(16),
	};
	struct touch readers[2];
	struct served s;

	channel_open(&s.channel);
	object_create(&s.object);
	must_eq(object_bind(&s.object, &s.channel, 1), 0);
	s.base = map_object(&s.object, 0, 64, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	must_eq(util_ioctl(s.object.control, MACHVM_SET_ATTRIBUTES, &call), 0);
	sleeping_read(&readers[0], s.base);
	sleeping_read(&readers[1], s.base + PAGES(32));
	expect_request(&s, 0, 16, READ);
	EXPECT_TRUE(channel_empty(&s.channel));
	supply_pages(&s, 0, 16);
	expect_request(&s, 32, 16, READ);
	supply_pages(&s, 32, 16);
	for (int i = 0; i < 2; i++)
		touch_end(&readers[i]);
}

HARNESS_MAIN
