// SPDX-License-Identifier: GPL-2.0-only
/* destroy_test.c - objects that their pager has given up, and that it leaves before they are cut. */
#include "cache.h"
#include "mock.h"

static struct pager pager;
static struct machvm_map *map;

static void setup(void)
{
	map = map_new_of(16);
	pager_new(&pager);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 8, 0, false), 0);
	heard("i");
}

static void teardown(void)
{
	map_end(map);
	pager_end(&pager);
	mock_sents_forget();
}

/* As the next pager sees it: an object that nothing has been mapped of. */
static void is_as_new(void)
{
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	mock_sents_forget();
	pager_bind(&pager, 0);
	heard("");
	check_eq(map_pager(map, &pager, 8, 8, 0, false), 0);
	heard("i");
}

/* Whether or not it was to be flushed: there is nobody to whom. */
TEST(destroy, P14_a_cached_object_ends_though_its_pager_has_gone)
{
	for (int flush = 0; flush < 2; flush++) {
		setup();
		check_eq(machvm_memobj_ready(pager.memobj, true, MACHVM_COPY_DELAY), 0);
		check_eq(supply(&pager, 3, 33, false), 0);
		check_eq(store(map, 3, 34), 0);
		check_eq(deallocate_at(map, 0, 8), 0);
		check(machvm_cache_has(pager.memobj));
		check_eq(machvm_memobj_destroy(pager.memobj, 5, flush), 0);
		pager_close(&pager);
		check(!machvm_cache_has(pager.memobj));
		check(!pager.memobj->object);
		check_eq(mock_user.pages, 0);
		is_as_new();
		teardown();
	}
}

/* Init is with a pager that cannot answer it any more. */
TEST(destroy, P14_an_object_ends_though_its_pager_was_never_ready)
{
	struct machvm_request *gated;

	setup();
	gated = ask(entry_at(map, 0)->object, 1);
	require(gated);
	check_eq(machvm_memobj_destroy(pager.memobj, 5, false), 0);
	check(!machvm_request_done(gated));
	pager_close(&pager);
	check(machvm_request_done(gated));
	check_eq(gated->result, MACHVM_KERN_MEMORY_ERROR);
	check_eq(gated->error, 5);
	machvm_request_put(gated);
	is_as_new();
	teardown();
}
