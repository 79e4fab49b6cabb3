// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_shrink.c - pages of memory objects go because Linux is short of memory: rows K13 and K15.
 */
#include "harness.h"
#include "raw.h"

#include <unistd.h>

TEST(K15_Linux_asks_for_clean_pages)
{
	struct served s;
	struct touch touch;

	serve_clean(&s, 8);
	while (object_info(&s.object).out_resident)
		must_eq(util_drop_caches(), 0);
	EXPECT_TRUE(channel_empty(&s.channel));
	touch_start(&touch, s.base + PAGES(3), false, 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 3, 0), 0);
	touch_end(&touch);
	EXPECT_EQ(0, touch.signal);
	EXPECT_EQ(util_mark(3, 0), byte_at(s.base, 3));
}

TEST(K13_Linux_asks_for_pages_that_were_written)
{
	struct served s;

	serve_clean(&s, 8);
	write_page(&s, 2, 7);
	while (channel_empty(&s.channel))
		must_eq(util_drop_caches(), 0);
	expect_return(&s, 2, 1, true, true, 7);
	while (object_info(&s.object).out_resident > 1)
		must_eq(util_drop_caches(), 0);
	EXPECT_TRUE(page_is(s.base, 2, 7));
	released(&s, 2, 1);
	while (object_info(&s.object).out_resident)
		must_eq(util_drop_caches(), 0);
}

TEST(K13_Linux_asks_for_what_nothing_maps)
{
	struct served s;

	serve_start(&s, 8);
	must_eq(say_ready_as(&s.channel, &s.object, true, COPY_DELAY), 0);
	for (unsigned int i = 0; i < 8; i++)
		must_eq(supply_mark(&s.object, i, 0), 0);
	unmap(s.base, 8);
	EXPECT_EQ(8, object_info(&s.object).out_resident);
	while (object_info(&s.object).out_resident)
		must_eq(util_drop_caches(), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

static void kill_one(void)
{
	pid_t victim = fork();

	if (victim == 0)
		for (;;)
			pause();
	must_eq(util_oom_kill(victim), 0);
}

TEST(K15_Linux_asks_once_more_before_it_kills)
{
	struct served s;

	serve_clean(&s, 8);
	kill_one();
	EXPECT_GT(8, object_info(&s.object).out_resident);
}

TEST(K13_pagers_get_what_was_written_before_Linux_kills)
{
	struct served s;

	serve_clean(&s, 1);
	write_page(&s, 0, 7);
	kill_one();
	expect_return(&s, 0, 1, true, true, 7);
	released(&s, 0, 1);
}

HARNESS_MAIN
