// SPDX-License-Identifier: GPL-2.0-only
/* page_test.c - the slots of an object: who may come where, and what leaves with whom. */
#include "mock.h"

static struct pager pager;
static struct machvm_object *object;

/* An external object, served by a pager that does nothing of itself. */
static void setup(void)
{
	pager_new(&pager);
	object = machvm_memobj_map(pager.memobj);
	require(object);
	pager_bind(&pager, 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
}

static void teardown(void)
{
	machvm_object_put(object);
	pager_end(&pager);
}

static int insert(u64 index, struct folio *folio)
{
	int err;

	down_read(&object->family->lock);
	err = machvm_page_insert(object, index, folio);
	up_read(&object->family->lock);
	return err;
}

static struct folio *lookup(u64 index)
{
	struct folio *folio;

	down_read(&object->family->lock);
	folio = machvm_page_lookup(object, index);
	up_read(&object->family->lock);
	return folio;
}

TEST(page, a_page_is_charged_while_it_lives)
{
	struct folio *folio = machvm_page_alloc(&mock_user, GFP_KERNEL | __GFP_ZERO);

	require(!IS_ERR(folio));
	check_eq(mock_user.pages, 1);
	check_eq(((u8 *)folio_address(folio))[100], 0);
	check(!folio_test_locked(folio));
	machvm_page_free(folio);
	check_eq(mock_user.pages, 0);
}

TEST(page, limits_and_shortage_charge_nothing)
{
	struct folio *folio;

	mock_user.page_limit = 0;
	check_eq(PTR_ERR(machvm_page_alloc(&mock_user, GFP_KERNEL)), -EDQUOT);
	check_eq(mock_user.pages, 0);
	mock_user.page_limit = 1;
	fail_nth(1);
	check_eq(PTR_ERR(machvm_page_alloc(&mock_user, GFP_KERNEL)), -ENOMEM);
	check(fail_end());
	check_eq(mock_user.pages, 0);
	folio = machvm_page_alloc(&mock_user, GFP_KERNEL);
	check_eq(PTR_ERR(machvm_page_alloc(&mock_user, GFP_KERNEL)), -EDQUOT);
	machvm_page_free(folio);
	mock_user.page_limit = LONG_MAX;
}

TEST(page, bits_do_not_disturb_who_pays)
{
	struct folio *folio = machvm_page_alloc(&mock_user, GFP_KERNEL);

	check(!machvm_page_test(folio, MACHVM_PAGE_DIRTY));
	machvm_page_set(folio, MACHVM_PAGE_DIRTY);
	machvm_page_set(folio, MACHVM_PAGE_DIRTY);
	check(machvm_page_test(folio, MACHVM_PAGE_DIRTY));
	check(!machvm_page_test(folio, MACHVM_PAGE_PRECIOUS));
	machvm_page_set(folio, MACHVM_PAGE_PRECIOUS);
	machvm_page_clear(folio, MACHVM_PAGE_DIRTY);
	check(!machvm_page_test(folio, MACHVM_PAGE_DIRTY));
	check(machvm_page_test(folio, MACHVM_PAGE_PRECIOUS));
	machvm_page_free(folio);
	check_eq(mock_user.pages, 0);
}

TEST(page, a_slot_takes_one_page)
{
	struct folio *first, *second;

	setup();
	first = machvm_page_alloc(&mock_user, GFP_KERNEL);
	second = machvm_page_alloc(&mock_user, GFP_KERNEL);
	check(!lookup(3));
	check_eq(insert(3, first), 0);
	check(lookup(3) == first);
	check(first->mapping == machvm_page_mapping);
	check_eq(insert(3, second), -EBUSY);
	check(!second->mapping);
	check_eq(insert(4, second), 0);
	check(second->index == first->index + 1);
	check_eq(atomic_long_read(&object->resident), 2);
	teardown();
}

TEST(page, next_walks_pages_and_not_questions)
{
	struct machvm_request *request;
	u64 index = 0;

	setup();
	fill(object, 2, 1);
	request = ask(object, 3);
	fill(object, 7, 1);
	check(machvm_page_next(object, &index, 100) == lookup(2));
	check_eq(index, 2);
	index++;
	check(machvm_page_next(object, &index, 100) == lookup(7));
	check_eq(index, 7);
	index++;
	check(!machvm_page_next(object, &index, 100));
	index = 3;
	check(!machvm_page_next(object, &index, 6));
	index = 7;
	check(machvm_page_next(object, &index, 7));
	index = 0;
	check(machvm_page_next_request(object, &index, 100));
	check_eq(index, 3);
	index = 4;
	check(!machvm_page_next_request(object, &index, 100));
	machvm_request_put(request);
	teardown();
}

TEST(page, a_question_keeps_others_out_and_is_joined)
{
	struct machvm_request *first, *second;
	struct folio *folio;

	setup();
	first = ask(object, 5);
	require(first && !machvm_request_done(first));
	check(!lookup(5));
	second = ask(object, 5);
	check(second == first);
	folio = machvm_page_alloc(&mock_user, GFP_KERNEL);
	check_eq(insert(5, folio), -EBUSY);
	machvm_page_free(folio);
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 1);
	machvm_request_put(first);
	machvm_request_put(second);
	teardown();
}

TEST(page, an_answer_takes_the_place_of_its_question)
{
	struct machvm_request *request, *other;
	struct folio *folio;

	setup();
	request = ask(object, 5);
	other = ask(object, 6);
	folio = machvm_request_take_folio(request);
	check(folio && !machvm_request_take_folio(request));
	down_read(&object->family->lock);
	check_eq(machvm_page_answer(object, 6, request, folio), -EBUSY);
	check_eq(machvm_page_answer(object, 5, request, folio), 0);
	up_read(&object->family->lock);
	check(lookup(5) == folio);
	check_eq(atomic_long_read(&object->resident), 1);
	machvm_request_finish(request, MACHVM_KERN_SUCCESS, 0);
	machvm_request_put(request);
	machvm_request_put(other);
	teardown();
}

TEST(page, an_ended_question_counts_as_nothing)
{
	struct machvm_request *request, *again;

	setup();
	request = ask(object, 5);
	machvm_request_finish(request, MACHVM_KERN_MEMORY_ERROR, 9);
	down_read(&object->family->lock);
	check(!machvm_page_request(object, 5));
	up_read(&object->family->lock);
	again = ask(object, 5);
	check(again != request && !machvm_request_done(again));
	machvm_request_put(request);
	machvm_request_put(again);
	teardown();
}

TEST(page, taking_a_page_empties_the_slot)
{
	struct folio *folio;

	setup();
	fill(object, 9, 1);
	down_write(&object->family->lock);
	folio = machvm_page_take(object, 9);
	check(!machvm_page_take(object, 9));
	check(!machvm_page_take(object, 10));
	up_write(&object->family->lock);
	check(folio && !lookup(9));
	check_eq(atomic_long_read(&object->resident), 0);
	machvm_page_free(folio);
	teardown();
}

static struct folio *lend(u64 index)
{
	struct folio *folio;

	down_write(&object->family->lock);
	folio = machvm_page_lend(object, index);
	up_write(&object->family->lock);
	return folio;
}

static void give_back(u64 index, struct folio *folio)
{
	down_read(&object->family->lock);
	machvm_page_return(object, index, folio);
	up_read(&object->family->lock);
}

/* Whatever was there meanwhile, and however far the other pages are. */
TEST(page, S2_51_a_page_that_was_lent_finds_its_place)
{
	static const u64 indices[] = { 0, 5, 1ULL << 40 };
	struct machvm_request *request;
	struct folio *folio;
	unsigned int i;

	setup();
	for (i = 0; i < ARRAY_SIZE(indices); i++) {
		u64 index = indices[i], next = 0;

		fill(object, index, 'a');
		folio = lend(index);
		require(folio);
		check(!lookup(index) && !machvm_page_exists(object, index));
		check(!machvm_page_next(object, &next, ULONG_MAX));
		check(!machvm_page_request(object, index));
		request = ask(object, index);
		require(request);
		machvm_request_finish(request, MACHVM_KERN_MEMORY_ERROR, 0);
		machvm_request_put(request);
		check(!machvm_page_request(object, index));
		fail_nth(1);
		give_back(index, folio);
		check(!fail_end());
		check(lookup(index) == folio);
		check(!xa_marked(&object->pages, XA_MARK_0));
		machvm_page_purge(object, 0, ULONG_MAX);
		check(xa_empty(&object->pages));
	}
	check_eq(mock_user.pages, 0);
	teardown();
}

TEST(page, a_page_that_does_not_come_back_leaves_nothing)
{
	setup();
	fill(object, 7, 'a');
	machvm_page_free(lend(7));
	check(!xa_empty(&object->pages));
	machvm_page_forget(object, 7);
	check(xa_empty(&object->pages));
	fill(object, 7, 'b');
	machvm_page_forget(object, 7);
	check(lookup(7));
	teardown();
}

TEST(page, a_purge_frees_pages_and_ends_questions)
{
	struct machvm_request *inside, *outside;

	setup();
	fill(object, 1, 1);
	fill(object, 5, 1);
	inside = ask(object, 3);
	outside = ask(object, 6);
	down_write(&object->family->lock);
	machvm_page_purge(object, 1, 5);
	up_write(&object->family->lock);
	check(machvm_request_done(inside));
	check_eq(inside->result, MACHVM_KERN_INVALID_ADDRESS);
	check(!machvm_request_done(outside));
	check_eq(atomic_long_read(&object->resident), 0);
	check_eq(mock_user.pages, 1);		/* outside's, parked */
	machvm_request_put(inside);
	machvm_request_put(outside);
	teardown();
}

TEST(page, slots_survive_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_request *request;
		struct folio *folio;
		int err;

		setup();
		folio = machvm_page_alloc(&mock_user, GFP_KERNEL);
		fail_nth(n);
		err = insert(1ULL << 40, folio);
		check(fail_end() || !err);
		check(!err || err == -ENOMEM);
		check(lookup(1ULL << 40) == (err ? NULL : folio));
		check_eq(atomic_long_read(&object->resident), !err);
		if (err) {
			check(!folio->mapping);
			machvm_page_free(folio);
		}
		fail_nth(n);
		request = ask(object, 1ULL << 30);
		check(fail_end() || request);
		if (request)
			machvm_request_put(request);
		teardown();
	}
}

/* Who walks down a chain passes an object in whose part of that page there never was any. */
TEST(page, parts_without_pages_are_known)
{
	struct machvm_request *request;
	u64 part = MACHVM_PART_PAGES;

	setup();
	check(!machvm_page_possible(object, 0));
	fill(object, 3 * part + 5, 1);
	check(machvm_page_possible(object, 3 * part));
	check(machvm_page_possible(object, 4 * part - 1));
	check(!machvm_page_possible(object, 3 * part - 1));
	check(!machvm_page_possible(object, 4 * part));
	check(machvm_page_possible(object, (BITS_PER_LONG + 3) * part));
	request = ask(object, 0);
	require(request);
	machvm_request_put(request);
	check(machvm_page_possible(object, 0));
	teardown();
}
