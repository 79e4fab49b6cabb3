// SPDX-License-Identifier: GPL-2.0-only
/* dirty_test.c - how much of a memory object may be written before its pager gets some of it. */
#include "lock.h"
#include "mock.h"
#include "fake/thread.h"

#define FILE_PAGES 64
#define LIMIT 16

static struct machvm_map *map;
static struct pager pager;
static unsigned int returned;	/* pages */
static bool dies;		/* instead of taking them */

static long nr_dirty(void)
{
	return atomic_long_read(&pager.memobj->dirty);
}

static void take(const struct mock_sent *sent)
{
	if (sent->type != MACHVM_MSG_DATA_RETURN || !pager.binding)
		return;
	if (dies) {
		pager_close(&pager);
		return;
	}
	check(nr_dirty() <= LIMIT);
	returned += sent->length >> PAGE_SHIFT;
	check_eq(release_pages(&pager, sent->offset >> PAGE_SHIFT, sent->length >> PAGE_SHIFT), 0);
}

static void world(void *arg)
{
	struct mock_sent sents[4];
	unsigned int i, nr;

	machvm_memobj_advance(pager.memobj);	/* as the kernel's thread does */
	nr = min_t(unsigned int, mock_nr_sent, ARRAY_SIZE(sents));
	memcpy(sents, mock_sents, nr * sizeof(*sents));
	mock_sents_forget();
	for (i = 0; i < nr; i++)
		take(&sents[i]);
}

static void setup(void)
{
	const struct machvm_attributes limit = {
		.set = MACHVM_ATTRIBUTE_DIRTY_LIMIT, .dirty_limit = PAGES(LIMIT),
	};
	unsigned int i;

	map = map_new_of(256);
	returned = 0;
	dies = false;
	pager_new(&pager);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, FILE_PAGES, 0, false), 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	check_eq(machvm_memobj_set_attributes(pager.memobj, &limit), 0);
	for (i = 0; i < FILE_PAGES; i++)
		check_eq(supply(&pager, i, i, false), 0);
	mock_sents_forget();
	fake_world = world;
}

static void teardown(void)
{
	fake_world = NULL;
	mock_serves = false;
	objects_check();
	map_end(map);
	pager_end(&pager);
	mock_sents_forget();
}

static void store_all(void)
{
	unsigned int i;

	for (i = 0; i < FILE_PAGES; i++)
		check_eq(store(map, i, 100 + i), 0);
	for (i = 0; i < FILE_PAGES; i++)
		check_eq(load(map, i), 100 + i);
}

TEST(dirty, K14_a_writer_waits_until_some_is_returned)
{
	setup();
	store_all();
	check_eq(returned, FILE_PAGES - LIMIT);
	check_eq(nr_dirty(), LIMIT);
	teardown();
}

TEST(dirty, K14_without_a_limit_nothing_is_returned)
{
	const struct machvm_attributes none = { .set = MACHVM_ATTRIBUTE_DIRTY_LIMIT };

	setup();
	check_eq(machvm_memobj_set_attributes(pager.memobj, &none), 0);
	store_all();
	check_eq(returned, 0);
	check_eq(nr_dirty(), FILE_PAGES);
	teardown();
}

TEST(dirty, K14_a_pager_does_not_wait)
{
	setup();
	mock_serves = true;
	store_all();
	check_eq(returned, 0);
	teardown();
}

TEST(dirty, K14_nobody_waits_for_a_pager_that_has_gone)
{
	setup();
	dies = true;
	store_all();
	check_eq(nr_dirty(), FILE_PAGES);
	teardown();
}

/* I/O has them, and may not be over before its caller has written more. */
TEST(dirty, K14_pages_in_use_come_on_top)
{
	struct folio *held[LIMIT];
	unsigned int i;

	setup();
	for (i = 0; i < LIMIT; i++) {
		check_eq(store(map, i, i), 0);
		held[i] = pte_at(map, i)->folio;
		folio_get(held[i]);
	}
	for (i = LIMIT; i < 2 * LIMIT; i++)
		check_eq(store(map, i, i), 0);
	check_eq(returned, 0);
	check_eq(nr_dirty(), 2 * LIMIT);
	for (i = 0; i < LIMIT; i++)
		folio_put(held[i]);
	teardown();
}

/* Nobody could end the wait. */
TEST(dirty, K14_without_memory_for_an_order_it_may_write)
{
	unsigned int i;

	setup();
	for (i = 0; i < LIMIT; i++)
		check_eq(store(map, i, i), 0);
	fail_nth(1);
	check_eq(store(map, LIMIT, 1), 0);
	check(fail_end());
	check_eq(returned, 0);
	check_eq(nr_dirty(), LIMIT + 1);
	teardown();
}
