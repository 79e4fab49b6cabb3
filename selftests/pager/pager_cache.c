// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_cache.c - objects that outlive their mappings: rows L1 to L4, rules S2.49 and S2.54.
 */
#include "harness.h"
#include "raw.h"

#include <unistd.h>

static void serve_cached(struct served *s, unsigned int pages)
{
	serve_start(s, pages);
	must_eq(say_ready_as(&s->channel, &s->object, true, COPY_DELAY), 0);
	for (unsigned int i = 0; i < pages; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
}

static uint32_t flags(struct object *object)
{
	return object_info(object).out_flags & (MACHVM_OBJECT_MAPPED | MACHVM_OBJECT_CACHED);
}

TEST(L2_S2_49_a_cached_object_comes_back_as_it_was)
{
	struct machvm_vm_statistics before, after;
	struct served s;

	serve_cached(&s, 8);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_CACHEABLE);
	*(unsigned char *)(s.base + PAGES(5)) = 200;
	EXPECT_EQ(MACHVM_OBJECT_MAPPED, flags(&s.object));
	unmap(s.base, 8);
	EXPECT_EQ(MACHVM_OBJECT_CACHED, flags(&s.object));
	EXPECT_EQ(8, object_info(&s.object).out_resident);
	before = statistics();
	s.base = map_object(&s.object, 0, 8, false);
	EXPECT_EQ(MACHVM_OBJECT_MAPPED, flags(&s.object));
	for (unsigned int i = 0; i < 8; i++)
		EXPECT_EQ(i == 5 ? 200 : util_mark(i, 0), byte_at(s.base, i));
	after = statistics();
	EXPECT_EQ(before.out_lookups + 1, after.out_lookups);
	EXPECT_EQ(before.out_hits + 1, after.out_hits);
	EXPECT_EQ(before.out_requests, after.out_requests);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(L1_S2_49_without_resident_pages_it_is_not_cached)
{
	struct served s;

	serve_start(&s, 8);
	must_eq(say_ready_as(&s.channel, &s.object, true, COPY_DELAY), 0);
	unmap(s.base, 8);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_FALSE(object_is_mapped(&s.object));
}

TEST(L3_the_pager_is_heard_while_the_object_is_cached)
{
	struct served s;

	serve_cached(&s, 4);
	unmap(s.base, 4);
	must_eq(supply_mark(&s.object, 7, 0), 0);
	EXPECT_EQ(5, object_info(&s.object).out_resident);
	EXPECT_EQ(KERN_MEMORY_PRESENT, supply_mark(&s.object, 1, 1));
	s.base = map_object(&s.object, 0, 8, false);
	EXPECT_EQ(util_mark(7, 0), byte_at(s.base, 7));
	EXPECT_EQ(util_mark(1, 0), byte_at(s.base, 1));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(L1_the_oldest_goes_when_the_cache_is_full)
{
	struct served served[3];
	unsigned char back;

	must(!util_parameter_set("max_cached_pages", 20));
	for (int i = 0; i < 3; i++) {
		serve_cached(&served[i], 8);
		*(unsigned char *)served[i].base = 100 + i;
	}
	unmap(served[1].base, 8);
	unmap(served[0].base, 8);
	EXPECT_TRUE(channel_empty(&served[1].channel));
	unmap(served[2].base, 8);
	must(!util_parameter_set("max_cached_pages", 0));
	EXPECT_EQ(MACHVM_OBJECT_CACHED, flags(&served[0].object));
	EXPECT_EQ(MACHVM_OBJECT_CACHED, flags(&served[2].object));
	/* What was written comes back first. */
	EXPECT_EQ(0, expect_message(&served[1].channel, MACHVM_CMD_DATA_RETURN).offset);
	must_eq(return_read(&served[1].object, 0, &back, 0), 0);
	must_eq(return_release(&served[1].object, 0, PAGE), 0);
	expect_message(&served[1].channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&served[0].channel) && channel_empty(&served[2].channel));
}

/* The kernel log and the leak scan say whether anything is left. */
TEST(L1_cached_objects_end_with_their_control_port)
{
	struct served s;
	uint64_t before = statistics().out_active_count;

	serve_cached(&s, 64);
	unmap(s.base, 64);
	channel_close(&s.channel);
	EXPECT_EQ(MACHVM_OBJECT_CACHED, flags(&s.object));
	close(s.object.control);
	EXPECT_EQ(before, statistics().out_active_count);
}

TEST(L2_dirty_pages_survive_many_rounds)
{
	struct served s;

	serve_cached(&s, 16);
	for (unsigned int round = 1; round < 50; round++) {
		memset((void *)(s.base + PAGES(round % 16)), util_mark(round % 16, round), PAGE);
		unmap(s.base, 16);
		s.base = map_object(&s.object, 0, 16, false);
		must(page_is(s.base, round % 16, util_mark(round % 16, round)));
	}
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(16, object_info(&s.object).out_resident);
}

HARNESS_MAIN
