// SPDX-License-Identifier: GPL-2.0-only
/* laundry_test.c - a run of pages at its pager: what it holds, and what is left of it. */
#include "mock.h"
#include "absence.h"
#include "fake/thread.h"
#include "laundry.h"
#include "lock.h"

static struct pager pager;
static struct machvm_map *map;

/* An order about all of 8 pages, begun: those that are dirty are with the pager. */
static void begin(bool flush)
{
	struct machvm_lock_order order = {
		.length = PAGES(8), .should_return = MACHVM_RETURN_DIRTY, .flush = flush,
		.locks = MACHVM_PROT_NO_CHANGE,
	};

	check_eq(machvm_job_start(pager.memobj, &order, NULL), 0);
	machvm_memobj_advance(pager.memobj);
}

static void setup(void)
{
	map = map_file(&pager, 8);
	check_eq(store(map, 2, 102), 0);
	check_eq(store(map, 3, 103), 0);
}

static void teardown(void)
{
	map_check(map);
	objects_check();
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 0);
	check_eq(mock_stats[MACHVM_STAT_LAUNDRY], 0);
	map_end(map);
	while (mock_nr_sent && mock_last_sent()->type == MACHVM_MSG_DATA_RETURN) {
		struct mock_sent sent = *mock_last_sent();

		mock_sents_forget();
		machvm_memobj_release(pager.memobj, sent.offset, sent.length, NULL);
	}
	pager_end(&pager);
	mock_sents_forget();
}

static struct folio *page_at(u64 index)
{
	struct machvm_object *object = entry_at(map, 0)->object;
	struct folio *folio;

	down_read(&object->family->lock);
	folio = machvm_page_lookup(object, index);
	up_read(&object->family->lock);
	return folio;
}

static bool is_dirty(u64 index)
{
	return machvm_page_test(page_at(index), MACHVM_PAGE_DIRTY);
}

static int returned(u64 index)
{
	struct folio *folio = machvm_memobj_returned(pager.memobj, PAGES(index));
	int value = folio ? ((u8 *)folio_address(folio))[index % PAGE_SIZE] : -1;

	if (folio)
		folio_put(folio);
	return value;
}

TEST(laundry, a_run_is_of_neighbours_that_are_alike)
{
	struct machvm_run run = {};
	u64 i;

	check(machvm_run_fits(&run, 7, true, false));
	run = (struct machvm_run){ .first = 7, .nr = 1, .dirty = true };
	check(machvm_run_fits(&run, 8, true, false));
	check(!machvm_run_fits(&run, 9, true, false));
	check(!machvm_run_fits(&run, 7, true, false));
	check(!machvm_run_fits(&run, 6, true, false));
	check(!machvm_run_fits(&run, 8, false, false));
	check(!machvm_run_fits(&run, 8, true, true));
	for (i = 8; i < 7 + MACHVM_RUN_PAGES; i++) {
		check(machvm_run_fits(&run, i, true, false));
		run.nr++;
	}
	check(!machvm_run_fits(&run, i, true, false));
}

TEST(laundry, K5_kept_pages_are_read_where_they_are)
{
	setup();
	begin(false);
	heard("r");
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 2);
	check_eq(mock_user.pages, 8);
	check_eq(returned(2), 102);
	check_eq(returned(1), -1);
	check_eq(returned(4), -1);
	check_eq(load(map, 2), 102);		/* may be read meanwhile */
	check(is_dirty(2) && is_dirty(3));
	check_eq(release_pages(&pager, 2, 2), 0);
	check(!is_dirty(2) && !is_dirty(3));
	check_eq(returned(2), -1);
	check_eq(mock_user.pages, 8);
	teardown();
}

TEST(laundry, S2_45_who_writes_leaves_the_pager_a_copy)
{
	setup();
	begin(false);
	check_eq(store(map, 2, 77), 0);
	check_eq(mock_user.pages, 9);
	check_eq(returned(2), 102);
	check_eq(load(map, 2), 77);
	check_eq(store(map, 2, 78), 0);		/* the second write costs nothing more */
	check_eq(mock_user.pages, 9);
	check_eq(release_pages(&pager, 2, 2), 0);
	check(is_dirty(2));
	check(!is_dirty(3));
	check_eq(mock_user.pages, 8);
	mock_sents_forget();
	begin(false);
	expect_return(&pager, 2, 1, true, true, 78);
	teardown();
}

TEST(laundry, writing_without_memory_for_the_copy_is_tried_again)
{
	setup();
	begin(false);
	for_each_failure(n) {
		int kr;

		fail_nth(n);
		kr = store(map, 3, 55);
		fail_end();
		check(kr == 0 || kr == FAILED(-ENOMEM) || kr == FAILED(MACHVM_KERN_RESOURCE_SHORTAGE));
		check_eq(returned(3), 103);
	}
	check_eq(load(map, 3), 55);
	check_eq(release_pages(&pager, 2, 2), 0);
	teardown();
}

TEST(laundry, pages_are_released_once_and_in_any_order)
{
	setup();
	begin(true);
	heard("r");
	check_eq(release_pages(&pager, 1, 2), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(release_pages(&pager, 2, 3), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(release_pages(&pager, 2, 1ULL << 40), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(release_pages(&pager, 3, 1), 0);
	check_eq(release_pages(&pager, 3, 1), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(release_pages(&pager, 2, 2), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(returned(3), -1);
	check_eq(returned(2), 102);
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 1);
	check(pager.memobj->run);
	check_eq(release_pages(&pager, 2, 1), 0);
	check(!pager.memobj->run);
	check_eq(mock_user.pages, 0);
	teardown();
}

/*
 * What MACHVM_RETURN_MAP does: the pages are the pager's, or nothing has changed.  The first one was
 * @written since, or both are where they were.
 */
static void move_into_an_object(bool written)
{
	struct machvm_object *into;

	for_each_failure(n) {
		int kr;

		setup();
		begin(false);
		if (written)
			check_eq(store(map, 2, 77), 0);
		into = machvm_object_create(&mock_user, NULL);
		fail_nth(n);
		kr = machvm_memobj_release(pager.memobj, PAGES(2), PAGES(2), into);
		fail_end();
		if (kr) {
			check_eq(kr, MACHVM_KERN_RESOURCE_SHORTAGE);
			check_eq(atomic_long_read(&into->resident), 0);
			check_eq(returned(2), 102);
			check_eq(returned(3), 103);
			check_eq(release_pages(&pager, 2, 2), 0);
		} else {
			check_eq(atomic_long_read(&into->resident), 2);
			check_eq(((u8 *)folio_address(machvm_page_lookup(into, 0)))[2], 102);
			check_eq(((u8 *)folio_address(machvm_page_lookup(into, 1)))[3], 103);
		}
		machvm_object_put(into);
		check_eq(load(map, 2), written ? 77 : 102);
		teardown();
	}
}

TEST(laundry, released_pages_may_move_into_an_object)
{
	move_into_an_object(true);
	move_into_an_object(false);
}

/* Between two batches of a long walk. */
TEST(laundry, V21_what_gathers_is_laundry)
{
	struct machvm_lock_order order = {
		.length = PAGES(1000), .should_return = MACHVM_RETURN_DIRTY,
		.locks = MACHVM_PROT_NO_CHANGE,
	};
	bool pause;
	u64 i;

	setup();
	for (i = 8; i < 80; i++)
		check_eq(supply(&pager, i, i, false), 0);
	check_eq(machvm_job_start(pager.memobj, &order, NULL), 0);
	mutex_lock(&pager.memobj->lock);
	check(machvm_job_step(pager.memobj, &pause));
	mutex_unlock(&pager.memobj->lock);
	check_eq(mock_stats[MACHVM_STAT_LAUNDRY], 2);
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 0);
	check_eq(returned(2), -1);		/* it was not offered */
	check_eq(release_pages(&pager, 2, 2), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(store(map, 2, 77), 0);
	machvm_memobj_advance(pager.memobj);
	check_eq(mock_stats[MACHVM_STAT_LAUNDRY], 0);
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 2);
	check_eq(returned(2), 102);
	check_eq(release_pages(&pager, 2, 2), 0);
	teardown();
}

/* A step of an order to flush 80 pages, of which the pager has not heard yet. */
static void begin_long(void)
{
	struct machvm_lock_order order = {
		.length = PAGES(1000), .should_return = MACHVM_RETURN_DIRTY, .flush = true,
		.locks = MACHVM_PROT_NO_CHANGE,
	};
	bool pause;
	u64 i;

	for (i = 8; i < 80; i++)
		check_eq(supply(&pager, i, i, false), 0);
	mock_sents_forget();
	check_eq(machvm_job_start(pager.memobj, &order, NULL), 0);
	mutex_lock(&pager.memobj->lock);
	check(machvm_job_step(pager.memobj, &pause));
	mutex_unlock(&pager.memobj->lock);
	check(!page_at(2));
}

/* A pager that is asked first would supply the page as it was before it was written. */
TEST(laundry, S2_43_who_asks_for_a_page_that_goes_comes_after_it)
{
	struct machvm_request *request, *other;

	setup();
	begin_long();
	request = ask(entry_at(map, 0)->object, 2);
	other = ask(entry_at(map, 0)->object, 5);
	check_eq(mock_nr_sent, 0);
	machvm_memobj_advance(pager.memobj);
	check_eq(mock_nr_sent, 3);
	check_eq(mock_sents[0].type, MACHVM_MSG_DATA_RETURN);
	check_eq(mock_sents[0].offset, PAGES(2));
	check_eq(mock_sents[1].type, MACHVM_MSG_DATA_REQUEST);
	check_eq(mock_sents[1].offset, PAGES(2));
	check_eq(mock_sents[2].offset, PAGES(5));
	check_eq(returned(2), 102);
	check_eq(release_pages(&pager, 2, 2), 0);
	check_eq(supply(&pager, 2, 102, false), 0);
	check_eq(supply(&pager, 5, 6, false), 0);
	check(machvm_request_done(request) && machvm_request_done(other));
	machvm_request_put(request);
	machvm_request_put(other);
	teardown();
}

/* If its pager goes before it is told, a successor is asked, and who waits for a page has it. */
TEST(laundry, S2_51_who_waits_for_what_gathers_is_not_forgotten)
{
	struct machvm_request *request, *other;

	setup();
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	begin_long();
	request = ask(entry_at(map, 0)->object, 2);
	other = ask(entry_at(map, 0)->object, 5);
	pager_close(&pager);
	check(machvm_request_done(request));
	check(is_dirty(2) && is_dirty(3));
	check(!machvm_request_done(other));
	pager_bind(&pager, 0);
	check_eq(mock_nr_sent, 1);
	check_eq(mock_sents[0].type, MACHVM_MSG_DATA_REQUEST);
	check_eq(mock_sents[0].offset, PAGES(5));
	check_eq(supply(&pager, 5, 6, false), 0);
	check(machvm_request_done(other));
	machvm_request_put(request);
	machvm_request_put(other);
	teardown();
}

TEST(laundry, S2_51_a_run_that_nobody_takes_goes_back)
{
	setup();
	begin(true);
	check_eq(returned(2), 102);
	check_eq(release_pages(&pager, 2, 1), 0);
	check(!page_at(3));
	pager_close(&pager);
	check(!pager.memobj->run);
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 0);
	check(!page_at(2));
	check_eq(load(map, 3), 103);
	check(is_dirty(3));
	teardown();
}

TEST(laundry, S2_51_kept_pages_stay_dirty_if_nobody_takes_them)
{
	setup();
	begin(false);
	check_eq(store(map, 3, 33), 0);
	pager_close(&pager);
	check(is_dirty(2) && is_dirty(3));
	check_eq(load(map, 2), 102);
	check_eq(load(map, 3), 33);
	check_eq(mock_user.pages, 8);
	teardown();
}

/* A newer page is there by then: the one that was taken out is of no use any more. */
TEST(laundry, a_page_that_goes_back_does_not_replace_a_newer_one)
{
	setup();
	begin(true);
	check_eq(supply(&pager, 3, 9, false), 0);
	pager_close(&pager);
	check_eq(load(map, 3), 9);
	check_eq(load(map, 2), 102);
	teardown();
}

TEST(laundry, S2_51_no_page_is_lost_for_want_of_memory)
{
	for_each_failure(n) {
		setup();
		begin(true);
		check(!page_at(2) && !page_at(3));
		fail_nth(n);
		pager_close(&pager);
		fail_end();
		check_eq(load(map, 2), 102);
		check_eq(load(map, 3), 103);
		check(is_dirty(2) && is_dirty(3));
		teardown();
	}
}

/* A successor has something older, if anything. */
TEST(laundry, S2_51_a_page_that_goes_back_is_not_asked_for_again)
{
	static const u32 successor_ms[] = { 0, 100 };
	struct machvm_request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(successor_ms); i++) {
		setup();
		machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ZERO, 0, successor_ms[i]);
		begin(true);
		request = ask(entry_at(map, 0)->object, 3);
		require(request);
		pager_close(&pager);
		check(machvm_request_done(request));
		check_eq(request->result, MACHVM_KERN_SUCCESS);
		machvm_request_put(request);
		mock_sents_forget();
		pager_bind(&pager, 0);
		heard("");
		check_eq(load(map, 3), 103);
		check(is_dirty(3));
		teardown();
	}
}

/* The last mapping goes while the pager does: pages that were with it belong nowhere any more. */

static void under_way(void)
{
	setup();
	begin(true);
	check(!page_at(2) && !page_at(3));
}

static void unmaps(void)
{
	check_eq(deallocate_at(map, 0, 8), 0);
}

static void closes(void)
{
	pager_close(&pager);
}

static void after_both(void)
{
	check(!pager.memobj->run);
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	check_eq(mock_user.pages, 0);
	teardown();
}

TEST(laundry, S2_51_the_end_of_the_pager_meets_the_last_unmapping)
{
	race(&(struct race){ under_way, unmaps, closes, after_both });
}
