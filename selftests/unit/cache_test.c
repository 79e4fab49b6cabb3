// SPDX-License-Identifier: GPL-2.0-only
/* cache_test.c - objects that outlive their mappings: rows L1-L4. */
#include "cache.h"
#include "mock.h"
#include "fake/thread.h"

static struct pager pager;
static struct machvm_map *map;

static void bind_ready(struct pager *pager)
{
	pager_new(pager);
	pager_bind(pager, 0);
	check_eq(map_pager(map, pager, 0, 8, 0, false), 0);
	check_eq(machvm_memobj_ready(pager->memobj, true, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
}

static void setup(void)
{
	map = map_new_of(16);
	bind_ready(&pager);
}

static void unmap(void)
{
	check_eq(deallocate_at(map, 0, 8), 0);
}

static void teardown(void)
{
	map_end(map);
	pager_end(&pager);
	mock_sents_forget();
}

static void set_may_cache(bool may)
{
	check_eq(machvm_memobj_change(pager.memobj, may, MACHVM_COPY_DELAY, 0), 0);
	machvm_memobj_advance(pager.memobj);
}

static bool is_cached(void)
{
	return machvm_cache_has(pager.memobj);
}

TEST(cache, L2_a_cached_object_comes_back_with_its_pages)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
	check_eq(store(map, 3, 34), 0);
	unmap();
	check(is_cached());
	check_eq(mock_nr_sent, 0);
	mock_stats[MACHVM_STAT_LOOKUPS] = mock_stats[MACHVM_STAT_HITS] = 0;
	check_eq(map_pager(map, &pager, 0, 8, 0, false), 0);
	check(!is_cached());
	check_eq(mock_stats[MACHVM_STAT_LOOKUPS], 1);
	check_eq(mock_stats[MACHVM_STAT_HITS], 1);
	check_eq(load(map, 3), 34);
	check_eq(mock_nr_sent, 0);
	objects_check();
	teardown();
}

TEST(cache, S2_49_without_resident_pages_it_ends)
{
	setup();
	unmap();
	check(!is_cached());
	check_eq(mock_nr_sent, 1);
	check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
	teardown();
}

TEST(cache, L3_the_pager_may_supply_while_it_is_cached)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
	unmap();
	check_eq(supply(&pager, 4, 44, false), 0);
	check(is_cached());
	check_eq(map_pager(map, &pager, 0, 8, 0, false), 0);
	check_eq(load(map, 4), 44);
	check_eq(mock_nr_sent, 0);
	teardown();
}

TEST(cache, L4_S2_54_may_cache_false_ends_a_cached_object)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
	check_eq(store(map, 3, 34), 0);
	unmap();
	set_may_cache(true);
	check(is_cached());
	set_may_cache(false);
	check(!is_cached());
	check_eq(mock_nr_sent, 1);
	check_eq(mock_last_sent()->type, MACHVM_MSG_DATA_RETURN);
	check_eq(machvm_memobj_release(pager.memobj, PAGES(3), PAGE_SIZE, NULL), 0);
	check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
	check(!machvm_memobj_object(pager.memobj));
	teardown();
}

TEST(cache, may_cache_false_leaves_a_mapped_object_alone)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
	set_may_cache(false);
	check_eq(load(map, 3), 33);
	check_eq(mock_nr_sent, 0);
	unmap();
	check(!is_cached());
	check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
	teardown();
}

TEST(cache, L1_the_oldest_is_evicted_first)
{
	struct pager others[3];
	unsigned int i;

	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
	unmap();
	for (i = 0; i < 3; i++) {
		bind_ready(&others[i]);
		check_eq(supply(&others[i], 1, 1, false), 0);
		unmap();
	}
	/* Used again, it is the newest. */
	check_eq(map_pager(map, &pager, 0, 8, 0, false), 0);
	unmap();
	for (i = 0; i < 3; i++) {
		mock_sents_forget();
		check(machvm_cache_evict_oldest());
		check_eq(mock_nr_sent, 1);
		check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
		check_eq(mock_last_sent()->object, others[i].memobj->id);
		pager_end(&others[i]);
	}
	check(is_cached());
	check(machvm_cache_evict_oldest());
	check(!machvm_cache_evict_oldest());
	teardown();
}

TEST(cache, a_cached_object_ends_with_its_last_control_port)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
	unmap();
	machvm_memobj_die(pager.memobj);
	check(!is_cached());
	check_eq(mock_user.pages, 0);
	teardown();
}

TEST(cache, the_death_of_a_pager_leaves_it_to_the_next)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
	unmap();
	pager_close(&pager);
	check(is_cached());
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 8, 0, false), 0);
	check_eq(load(map, 3), 33);
	check_eq(mock_nr_sent, 0);
	teardown();
}

/* Two at once */

static void mapped(void)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), 0);
}

static void cached(void)
{
	mapped();
	unmap();
}

static void map_again(void)
{
	check_eq(map_pager(map, &pager, 8, 8, 0, false), 0);
}

static void evict(void)
{
	machvm_cache_evict_oldest();
}

static void stop_caching(void)
{
	set_may_cache(false);
}

static void after_mapping(void)
{
	struct machvm_object *object = machvm_memobj_object(pager.memobj);

	require(object);
	check(!is_cached());
	/* As it was, or a new one. */
	if (pager.memobj->state == MACHVM_MEMOBJ_READY) {
		check_eq(load(map, 11), 33);
		check_eq(mock_nr_sent, 0);
	} else {
		check_eq(mock_nr_sent, 2);
		check_eq(mock_sents[0].type, MACHVM_MSG_TERMINATE);
		check_eq(mock_sents[1].type, MACHVM_MSG_INIT);
	}
	machvm_object_put(object);
	objects_check();
	teardown();
}

TEST(cache, a_mapping_meets_the_last_unmapping)
{
	race(&(struct race){ mapped, map_again, unmap, after_mapping });
}

TEST(cache, a_mapping_meets_an_eviction)
{
	race(&(struct race){ cached, map_again, evict, after_mapping });
}

static void after_end(void)
{
	check(!is_cached());
	check_eq(mock_user.pages, 0);
	check_eq(mock_sent_of(MACHVM_MSG_TERMINATE), 1);
	teardown();
}

TEST(cache, the_last_unmapping_meets_the_end_of_caching)
{
	race(&(struct race){ mapped, unmap, stop_caching, after_end });
}

TEST(cache, two_evict_at_once)
{
	race(&(struct race){ cached, evict, stop_caching, after_end });
}
