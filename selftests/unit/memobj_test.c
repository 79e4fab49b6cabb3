// SPDX-License-Identifier: GPL-2.0-only
/* memobj_test.c - what a pager is told and in which order, and what its answers do. */
#include "mock.h"

static struct pager pager;
static struct machvm_map *map;

static void setup(void)
{
	map = map_new();
	pager_new(&pager);
}

static void teardown(void)
{
	if (map)
		map_end(map);
	pager_end(&pager);
	mock_sents_forget();
}

static void ready(void)
{
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), MACHVM_KERN_SUCCESS);
	machvm_port_pump(pager.memobj->port);
}

static void setup_ready(unsigned int window)
{
	setup();
	pager_bind(&pager, window);
	check_eq(map_pager(map, &pager, 0, 16, 0, false), 0);
	ready();
	mock_sents_forget();
}

static struct machvm_object *object(void)
{
	return entry_at(map, 0)->object;
}

static void unmap(void)
{
	map_end(map);
	map = NULL;
}

TEST(memobj, K1_init_is_sent_once_and_first)
{
	struct machvm_map *other = map_new();

	setup();
	pager_bind(&pager, 0);
	heard("");
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	check_eq(map_pager(other, &pager, 0, 4, 0, false), 0);
	check_eq(map_pager(other, &pager, 8, 4, 0, true), 0);
	heard("i");
	ready();
	heard("");
	map_end(other);
	unmap();
	heard("t");
	teardown();
}

TEST(memobj, K1_init_waits_for_a_socket)
{
	setup();
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	heard("");
	pager_bind(&pager, 0);
	heard("i");
	teardown();
}

TEST(memobj, a_mapping_that_ends_before_init_was_sent_is_not_mentioned)
{
	setup();
	mock_pump_held = true;
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	unmap();
	mock_pump_held = false;
	machvm_port_pump(pager.memobj->port);
	heard("");
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	teardown();
}

TEST(memobj, a_mapping_that_ends_before_ready_is_terminated)
{
	setup();
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	heard("i");
	unmap();
	heard("t");
	/* Ready comes too late. */
	ready();
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	map = map_new();
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	heard("i");
	teardown();
}

/* What GET_ATTRIBUTES answers. */
static struct machvm_attributes attributes(void)
{
	struct machvm_attributes now = {};

	machvm_memobj_attributes(pager.memobj, &now);
	return now;
}

TEST(memobj, P12_P13_attributes_are_changed_all_or_none)
{
	setup_ready(0);
	check_eq(attributes().out_ready, 1);
	check_eq(attributes().copy_strategy, MACHVM_COPY_DELAY);
	check_eq(attributes().cluster_size, PAGE_SIZE);
	check_eq(machvm_memobj_change(pager.memobj, true, MACHVM_COPY_DELAY, PAGES(16)), 0);
	check_eq(attributes().may_cache, 1);
	check_eq(attributes().cluster_size, PAGES(16));
	check_eq(machvm_memobj_change(pager.memobj, false, 5, PAGES(8)), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_SYMMETRIC, 0),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_DELAY, PAGES(3)),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_DELAY, 1),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_DELAY,
				      2 * MACHVM_CLUSTER_MAX), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(attributes().may_cache, 1);
	check_eq(attributes().cluster_size, PAGES(16));
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_DELAY, 0), 0);
	check_eq(attributes().may_cache, 0);
	check_eq(attributes().cluster_size, PAGES(16));
	heard("");
	teardown();
}

static int set(u32 which, u32 strategy, u64 cluster, u32 behavior)
{
	const struct machvm_attributes want = {
		.set = which, .may_cache = 1, .copy_strategy = strategy, .cluster_size = cluster,
		.behavior = behavior,
	};

	return machvm_memobj_set_attributes(pager.memobj, &want);
}

TEST(memobj, P16_attributes_are_changed_one_by_one)
{
	setup_ready(0);
	check_eq(set(MACHVM_ATTRIBUTE_MAY_CACHE, 99, 3, 0), 0);
	check_eq(attributes().may_cache, 1);
	check_eq(set(MACHVM_ATTRIBUTE_CLUSTER_SIZE, 99, PAGES(4), MACHVM_BEHAVIORS), 0);
	check_eq(attributes().cluster_size, PAGES(4));
	check_eq(attributes().copy_strategy, MACHVM_COPY_DELAY);
	check_eq(attributes().behavior, 0);
	check_eq(set(MACHVM_ATTRIBUTE_INVALIDATE, 0, 0, MACHVM_BEHAVIORS), 0);
	check_eq(attributes().behavior, MACHVM_ATTRIBUTE_INVALIDATE);
	check_eq(set(MACHVM_ATTRIBUTE_SILENT_OVERWRITE | MACHVM_ATTRIBUTE_INVALIDATE, 0, 0,
		     MACHVM_ATTRIBUTE_SILENT_OVERWRITE), 0);
	check_eq(attributes().behavior, MACHVM_ATTRIBUTE_SILENT_OVERWRITE);
	check_eq(attributes().out_temporary, 0);
	check_eq(set(MACHVM_ATTRIBUTE_TEMPORARY, 0, 0, MACHVM_BEHAVIORS), 0);
	check_eq(attributes().out_temporary, 1);
	check_eq(attributes().behavior,
		 MACHVM_ATTRIBUTE_TEMPORARY | MACHVM_ATTRIBUTE_SILENT_OVERWRITE);
	heard("");
	teardown();
}

TEST(memobj, P16_what_cannot_be_had_changes_nothing)
{
	const u32 all = MACHVM_ATTRIBUTES_ALL & ~MACHVM_ATTRIBUTE_TEMPORARY;

	setup_ready(0);
	check_eq(set(MACHVM_ATTRIBUTES_ALL + 1, MACHVM_COPY_DELAY, PAGES(2), 0),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(set(all, MACHVM_COPY_DELAY, 0, 0), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(set(all, MACHVM_COPY_SYMMETRIC, PAGES(2), 0), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(set(all, MACHVM_COPY_DELAY, PAGES(2), MACHVM_ATTRIBUTE_MAY_CACHE),
		 MACHVM_KERN_INVALID_ARGUMENT);
	/* Once init is answered there is one strategy. */
	check_eq(set(all, MACHVM_COPY_NONE, PAGES(2), MACHVM_BEHAVIORS),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(attributes().may_cache, 0);
	check_eq(attributes().cluster_size, PAGE_SIZE);
	check_eq(attributes().behavior, 0);
	check_eq(set(all, MACHVM_COPY_DELAY, PAGES(2), 0), 0);
	check_eq(set(MACHVM_ATTRIBUTE_COPY_STRATEGY, MACHVM_COPY_TEMPORARY, 0, 0), 0);
	check_eq(attributes().copy_strategy, MACHVM_COPY_DELAY);
	check_eq(attributes().out_temporary, 1);
	check_eq(set(MACHVM_ATTRIBUTES_ALL, MACHVM_COPY_DELAY, PAGES(8), 0),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(attributes().cluster_size, PAGES(2));
	/* What GNU Mach calls by that name may change it still. */
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_NONE, 0), 0);
	heard("");
	teardown();
}

TEST(memobj, P16_before_init_is_answered_the_strategy_is_open)
{
	setup();
	check_eq(set(MACHVM_ATTRIBUTE_COPY_STRATEGY, MACHVM_COPY_NONE, 0, 0), 0);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	check_eq(attributes().copy_strategy, MACHVM_COPY_NONE);
	check_eq(set(MACHVM_ATTRIBUTE_COPY_STRATEGY, MACHVM_COPY_CALL, 0, 0), 0);
	check_eq(attributes().copy_strategy, MACHVM_COPY_CALL);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	check_eq(attributes().copy_strategy, MACHVM_COPY_DELAY);
	check_eq(set(MACHVM_ATTRIBUTE_COPY_STRATEGY, MACHVM_COPY_CALL, 0, 0),
		 MACHVM_KERN_INVALID_ARGUMENT);
	teardown();
}

TEST(memobj, C9_S2_54_a_temporary_object_is_not_returned)
{
	setup_ready(0);
	check_eq(supply(&pager, 3, 33, true), 0);
	check_eq(supply(&pager, 4, 44, false), 0);
	check_eq(store(map, 4, 45), 0);
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_TEMPORARY, 0), 0);
	check_eq(attributes().out_temporary, 1);
	check_eq(attributes().copy_strategy, MACHVM_COPY_DELAY);
	check_eq(machvm_memobj_change(pager.memobj, false, MACHVM_COPY_DELAY, 0), 0);
	check_eq(attributes().out_temporary, 1);	/* there is no way back */
	unmap();
	heard("t");
	teardown();
}

TEST(memobj, one_copy_strategy_is_not_for_pagers)
{
	u32 strategy;

	setup();
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	for (strategy = 0; strategy < 6; strategy++) {
		if (strategy != MACHVM_COPY_SYMMETRIC && strategy <= MACHVM_COPY_SYMMETRIC)
			continue;
		check_eq(machvm_memobj_ready(pager.memobj, false, strategy), MACHVM_KERN_INVALID_ARGUMENT);
		check_eq(pager.memobj->state, MACHVM_MEMOBJ_INIT);
	}
	teardown();
}

TEST(memobj, V14_vm_map_of_a_memory_object)
{
	struct machvm_vm_map good = {
		.size = sizeof(good), .address = AT(20), .length = PAGES(2),
		.protection = MACHVM_PROT_READ, .max_protection = MACHVM_PROT_READ,
		.inheritance = MACHVM_INHERIT_COPY,
	}, arg;
	struct machvm_region region;
	u64 addr;

	setup();
	pager_bind(&pager, 0);
	arg = good;
	arg.offset = 0x123;
	check_eq(machvm_vm_map(map, &arg, pager.memobj, &addr), MACHVM_KERN_INVALID_ARGUMENT);
	arg.offset = U64_MAX - PAGE_SIZE + 1;
	check_eq(machvm_vm_map(map, &arg, pager.memobj, &addr), MACHVM_KERN_INVALID_ARGUMENT);
	arg.length = 0;
	arg.offset = 0;
	check_eq(machvm_vm_map(map, &arg, pager.memobj, &addr), MACHVM_KERN_INVALID_ARGUMENT);
	heard("");
	map_is(map, "");
	arg = good;
	arg.offset = PAGES(5);
	check_eq(machvm_vm_map(map, &arg, pager.memobj, &addr), MACHVM_KERN_SUCCESS);
	map_is(map, "20+2 r--/r-- 1");
	check_eq(machvm_vm_region(map, 0, &region), MACHVM_KERN_SUCCESS);
	check_eq(region.object, pager.memobj->id);
	check_eq(region.offset, PAGES(5));
	check_eq(region.flags & MACHVM_REGION_EXTERNAL, MACHVM_REGION_EXTERNAL);
	/* Occupied: nothing is left behind. */
	check_eq(machvm_vm_map(map, &good, pager.memobj, &addr), MACHVM_KERN_NO_SPACE);
	good.copy = 1;
	check_eq(machvm_vm_map(map, &good, pager.memobj, &addr), MACHVM_KERN_NO_SPACE);
	objects_check();
	teardown();
}

TEST(memobj, the_first_mapping_may_fail_to_be_placed)
{
	setup();
	pager_bind(&pager, 0);
	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(map_pager(map, &pager, 2, 4, 0, false), MACHVM_KERN_NO_SPACE);
	check_eq(map_pager(map, &pager, 2, 4, 0, true), MACHVM_KERN_NO_SPACE);
	check(!machvm_memobj_object(pager.memobj));
	teardown();
}

/* Supplies */

TEST(memobj, P1_a_supply_answers_and_wakes)
{
	struct machvm_request *request;

	setup_ready(0);
	request = ask(object(), 3);
	heard("q");
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_SUCCESS);
	check(machvm_request_done(request));
	check_eq(request->result, MACHVM_KERN_SUCCESS);
	check_eq(load(map, 3), 33);
	heard("");
	check_eq(atomic_long_read(&pager.memobj->supplied), 1);
	check_eq(atomic_long_read(&pager.memobj->unasked), 0);
	machvm_request_put(request);
	teardown();
}

TEST(memobj, S2_36_a_supply_over_a_present_page_is_refused)
{
	setup_ready(0);
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_SUCCESS);
	check_eq(store(map, 3, 34), 0);
	check_eq(supply(&pager, 3, 99, true), MACHVM_KERN_MEMORY_PRESENT);
	check_eq(load(map, 3), 34);
	check(machvm_page_test(pte_at(map, 3)->folio, MACHVM_PAGE_DIRTY));
	check(!machvm_page_test(pte_at(map, 3)->folio, MACHVM_PAGE_PRECIOUS));
	check_eq(mock_stats[MACHVM_STAT_REFUSED], 1);
	map_end(map);
	map = NULL;
	heard("r");
	check_eq(machvm_memobj_release(pager.memobj, PAGES(3), PAGE_SIZE, NULL), 0);
	teardown();
}

TEST(memobj, S2_55_an_unasked_supply_is_taken_and_never_asked_for)
{
	setup_ready(0);
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_SUCCESS);
	check_eq(atomic_long_read(&pager.memobj->unasked), 1);
	check_eq(load(map, 3), 33);
	heard("");
	teardown();
}

TEST(memobj, supplies_without_a_mapping_or_before_ready_are_refused)
{
	setup();
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_MEMORY_ERROR);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_MEMORY_ERROR);
	ready();
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_SUCCESS);
	unmap();
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_MEMORY_ERROR);
	teardown();
}

TEST(memobj, a_page_is_filled_by_one_supply_only)
{
	struct machvm_supply first, second;
	struct machvm_request *request;

	setup_ready(0);
	request = ask(object(), 3);
	check_eq(machvm_memobj_supply_begin(pager.memobj, PAGES(3), &first), 0);
	check_eq(machvm_memobj_supply_begin(pager.memobj, PAGES(3), &second),
		 MACHVM_KERN_MEMORY_PRESENT);
	memset(folio_address(first.folio), 7, PAGE_SIZE);
	check_eq(machvm_memobj_supply_end(&first, 0, false), MACHVM_KERN_SUCCESS);
	check_eq(load(map, 3), 7);
	machvm_request_put(request);
	teardown();
}

TEST(memobj, a_supply_that_cannot_be_read_leaves_the_question_open)
{
	struct machvm_request *request;
	struct machvm_supply supplied;

	setup_ready(0);
	request = ask(object(), 3);
	check_eq(machvm_memobj_supply_begin(pager.memobj, PAGES(3), &supplied), 0);
	machvm_memobj_supply_abort(&supplied);
	check(!machvm_request_done(request));
	check_eq(supply(&pager, 3, 5, false), MACHVM_KERN_SUCCESS);
	check(machvm_request_done(request));
	check_eq(machvm_memobj_supply_begin(pager.memobj, PAGES(4), &supplied), 0);
	machvm_memobj_supply_abort(&supplied);
	check_eq(supply(&pager, 4, 5, false), MACHVM_KERN_SUCCESS);
	machvm_request_put(request);
	teardown();
}

TEST(memobj, a_late_supply_after_an_error_is_unasked)
{
	struct machvm_request *request;
	struct machvm_supply supplied;

	setup_ready(0);
	request = ask(object(), 3);
	check_eq(machvm_memobj_supply_begin(pager.memobj, PAGES(3), &supplied), 0);
	check_eq(machvm_memobj_error(pager.memobj, PAGES(3), PAGE_SIZE, 5), 0);
	check_eq(request->result, MACHVM_KERN_MEMORY_ERROR);
	memset(folio_address(supplied.folio), 9, PAGE_SIZE);
	machvm_memobj_supply_end(&supplied, 0, false);
	machvm_request_put(request);
	objects_check();
	teardown();
}

TEST(memobj, P5_S2_37_unavailable_pages_are_zero_and_present)
{
	struct machvm_request *one, *two;

	setup_ready(0);
	one = ask(object(), 3);
	two = ask(object(), 5);
	check_eq(machvm_memobj_unavailable(pager.memobj, PAGES(3), PAGES(3)), 0);
	check(machvm_request_done(one) && machvm_request_done(two));
	check_eq(supply(&pager, 3, 33, false), MACHVM_KERN_MEMORY_PRESENT);
	check_eq(load(map, 3), 0);
	check_eq(load(map, 5), 0);
	heard("qq");
	/* Nobody waited for 4: it is asked for. */
	machvm_request_put(one);
	machvm_request_put(two);
	one = ask(object(), 4);
	heard("q");
	machvm_request_put(one);
	teardown();
}

TEST(memobj, S2_38_an_error_reaches_who_waits_and_a_later_access_asks_again)
{
	struct machvm_request *first, *second;

	setup_ready(0);
	first = ask(object(), 3);
	second = ask(object(), 3);
	check(first == second);
	check_eq(machvm_memobj_error(pager.memobj, 0, PAGES(16), -77), 0);
	check(machvm_request_done(first));
	check_eq(first->result, MACHVM_KERN_MEMORY_ERROR);
	check_eq(first->error, -77);
	machvm_request_put(first);
	machvm_request_put(second);
	first = ask(object(), 3);
	check(!machvm_request_done(first));
	heard("qq");
	machvm_request_put(first);
	teardown();
}

TEST(memobj, S2_39_errors_and_unavailable_leave_resident_pages_alone)
{
	setup_ready(0);
	check_eq(supply(&pager, 3, 33, false), 0);
	check_eq(store(map, 3, 34), 0);
	check_eq(machvm_memobj_error(pager.memobj, 0, PAGES(16), 1), 0);
	check_eq(machvm_memobj_unavailable(pager.memobj, 0, PAGES(16)), 0);
	check_eq(load(map, 3), 34);
	map_end(map);
	map = NULL;
	check_eq(machvm_memobj_release(pager.memobj, PAGES(3), PAGE_SIZE, NULL), 0);
	teardown();
}

TEST(memobj, bad_ranges_in_answers_are_refused)
{
	setup_ready(0);
	check_eq(machvm_memobj_error(pager.memobj, 1, PAGE_SIZE, 1), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_error(pager.memobj, 0, 1, 1), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_error(pager.memobj, -PAGES(1), PAGES(2), 1),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_unavailable(pager.memobj, 0, PAGE_SIZE - 1),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_unavailable(pager.memobj, 0, 0), MACHVM_KERN_SUCCESS);
	check_eq(machvm_memobj_error(pager.memobj, -PAGES(1), PAGES(1), 1), MACHVM_KERN_SUCCESS);
	check_eq(machvm_memobj_unavailable(pager.memobj, 0, -PAGES(1)), MACHVM_KERN_SUCCESS);
	check_eq(machvm_memobj_release(pager.memobj, 0, 0, NULL), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_release(pager.memobj, 5, PAGE_SIZE, NULL),
		 MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_memobj_release(pager.memobj, 0, PAGE_SIZE, NULL),
		 MACHVM_KERN_INVALID_ADDRESS);
	teardown();
}

/* Returning */

static void supply_all(u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++)
		check_eq(supply(&pager, i, i + 1, false), 0);
}

TEST(memobj, S2_48_dirty_pages_come_back_before_terminate_and_nothing_after)
{
	struct folio *folio;

	setup_ready(0);
	supply_all(16);
	check_eq(store(map, 2, 102), 0);
	check_eq(store(map, 3, 103), 0);
	check_eq(store(map, 7, 107), 0);
	unmap();
	check_eq(mock_nr_sent, 1);
	check_eq(mock_sents[0].offset, PAGES(2));
	check_eq(mock_sents[0].length, PAGES(2));
	check_eq(mock_sents[0].access, 1);
	heard("r");
	check_eq(mock_user.pages, 3);
	check(!machvm_memobj_returned(pager.memobj, PAGES(1)));
	folio = machvm_memobj_returned(pager.memobj, PAGES(3));
	require(folio);
	check_eq(((u8 *)folio_address(folio))[3], 103);
	folio_put(folio);
	/* Half of a run: the rest is not offered yet. */
	check_eq(machvm_memobj_release(pager.memobj, PAGES(2), PAGE_SIZE, NULL), 0);
	heard("");
	check_eq(machvm_memobj_release(pager.memobj, PAGES(2), PAGE_SIZE, NULL),
		 MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_memobj_release(pager.memobj, PAGES(3), PAGE_SIZE, NULL), 0);
	check_eq(mock_sents[0].offset, PAGES(7));
	heard("r");
	check_eq(machvm_memobj_release(pager.memobj, PAGES(7), PAGE_SIZE, NULL), 0);
	heard("t");
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	check_eq(mock_user.pages, 0);
	teardown();
}

TEST(memobj, S2_44_precious_pages_come_back_clean)
{
	setup_ready(0);
	check_eq(supply(&pager, 1, 1, true), 0);
	check_eq(supply(&pager, 2, 2, false), 0);
	check_eq(load(map, 1), 1);
	check_eq(load(map, 2), 2);
	unmap();
	check_eq(mock_sents[0].offset, PAGES(1));
	check_eq(mock_sents[0].length, PAGES(1));
	check_eq(mock_sents[0].access, 0);
	heard("r");
	check_eq(machvm_memobj_release(pager.memobj, PAGES(1), PAGE_SIZE, NULL), 0);
	heard("t");
	teardown();
}

TEST(memobj, clean_pages_are_dropped_without_a_word)
{
	setup_ready(0);
	supply_all(16);
	check_eq(load(map, 4), 5);
	unmap();
	heard("t");
	check_eq(mock_user.pages, 0);
	teardown();
}

TEST(memobj, many_pages_come_back_in_runs)
{
	u64 nr = 600, i, back = 0;

	setup();
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, nr, 0, false), 0);
	ready();
	supply_all(nr);
	for (i = 0; i < nr; i++)
		check_eq(store(map, i, 9), 0);
	mock_sents_forget();
	unmap();
	while (mock_last_sent()->type == MACHVM_MSG_DATA_RETURN) {
		struct mock_sent sent = *mock_last_sent();

		check_eq(sent.offset, PAGES(back));
		back += sent.length >> PAGE_SHIFT;
		check_eq(machvm_memobj_release(pager.memobj, sent.offset, sent.length, NULL), 0);
	}
	check_eq(back, nr);
	check(mock_nr_sent < 10);
	teardown();
}

TEST(memobj, C7_a_page_may_be_in_use_while_it_is_released)
{
	struct folio *folio;

	setup_ready(0);
	check_eq(supply(&pager, 1, 1, false), 0);
	check_eq(store(map, 1, 5), 0);
	unmap();
	folio = machvm_memobj_returned(pager.memobj, PAGES(1));
	check_eq(machvm_memobj_release(pager.memobj, PAGES(1), PAGE_SIZE, NULL), 0);
	check_eq(((u8 *)folio_address(folio))[1], 5);
	folio_put(folio);
	teardown();
}

TEST(memobj, K1_a_new_mapping_gets_init_after_the_old_ones_terminate)
{
	setup_ready(0);
	supply_all(4);
	check_eq(store(map, 1, 77), 0);
	unmap();
	heard("r");
	map = map_new();
	check_eq(map_pager(map, &pager, 0, 16, 0, false), 0);
	heard("");
	check_eq(supply(&pager, 2, 3, false), MACHVM_KERN_MEMORY_ERROR);
	check_eq(machvm_memobj_release(pager.memobj, PAGES(1), PAGE_SIZE, NULL), 0);
	heard("ti");
	ready();
	check_eq(supply(&pager, 1, 77, false), 0);
	check_eq(load(map, 1), 77);
	heard("");
	teardown();
}

TEST(memobj, a_mapping_that_comes_and_goes_while_pages_return)
{
	struct machvm_request *request;

	setup_ready(0);
	supply_all(4);
	check_eq(store(map, 1, 77), 0);
	unmap();
	heard("r");
	map = map_new();
	check_eq(map_pager(map, &pager, 0, 16, 0, false), 0);
	request = ask(object(), 5);
	require(request);
	check_eq(request->state, MACHVM_REQUEST_GATED);
	unmap();
	check(machvm_request_done(request));
	machvm_request_put(request);
	check_eq(machvm_memobj_release(pager.memobj, PAGES(1), PAGE_SIZE, NULL), 0);
	heard("t");
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	teardown();
}

TEST(memobj, returned_pages_move_to_another_object)
{
	struct machvm_object *into = machvm_object_create(&mock_user, NULL);
	struct folio *folio;

	setup_ready(0);
	supply_all(4);
	check_eq(store(map, 1, 11), 0);
	check_eq(store(map, 2, 12), 0);
	unmap();
	heard("r");
	check_eq(machvm_memobj_release(pager.memobj, PAGES(1), PAGES(2), into), 0);
	heard("t");
	down_read(&into->family->lock);
	folio = machvm_page_lookup(into, 1);
	check(folio && ((u8 *)folio_address(folio))[2] == 12);
	check_eq(folio->index, into->ident + into->ident_index + 1);
	up_read(&into->family->lock);
	machvm_object_put(into);
	teardown();
}

/* Either all that was asked has moved, or what has not is still returned: no byte is lost. */
TEST(memobj, returned_pages_survive_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_object *into = machvm_object_create(&mock_user, NULL);
		u64 at[] = { 1, 2, 3 };
		unsigned int i;
		int kr;

		setup_ready(0);
		supply_all(4);
		for (i = 0; i < 3; i++)
			check_eq(store(map, at[i], 10 + at[i]), 0);
		unmap();
		fail_nth(n);
		kr = machvm_memobj_release(pager.memobj, PAGES(1), PAGES(3), into);
		check(fail_end() || !kr);
		for (i = 0; i < 3; i++) {
			struct folio *here, *there;

			here = machvm_memobj_returned(pager.memobj, PAGES(at[i]));
			down_read(&into->family->lock);
			there = machvm_page_lookup(into, i);
			up_read(&into->family->lock);
			check(here || there);
			check(!(here && there));
			check(kr || there);
			if (here)
				folio_put(here);
		}
		machvm_object_put(into);
		if (kr)
			machvm_memobj_release(pager.memobj, PAGES(1), PAGES(3), NULL);
		teardown();
	}
}

/* Absence and death, at each point */

TEST(memobj, S2_51_a_pager_that_goes_before_ready)
{
	struct machvm_request *request;

	setup();
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	request = ask(object(), 1);
	pager_close(&pager);
	check(machvm_request_done(request));
	check_eq(request->result, MACHVM_KERN_MEMORY_ERROR);
	machvm_request_put(request);
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	mock_sents_forget();
	/* Who comes next is told. */
	pager_bind(&pager, 0);
	heard("i");
	ready();
	check_eq(supply(&pager, 1, 5, false), 0);
	check_eq(load(map, 1), 5);
	teardown();
}

TEST(memobj, S2_51_a_pager_that_goes_before_its_answer)
{
	struct machvm_request *request;

	setup_ready(0);
	check_eq(supply(&pager, 1, 5, false), 0);
	request = ask(object(), 2);
	pager_close(&pager);
	check_eq(request->result, MACHVM_KERN_MEMORY_ERROR);
	machvm_request_put(request);
	check_eq(load(map, 1), 5);
	check_eq(store(map, 1, 6), 0);
	request = ask(object(), 2);
	check(machvm_request_done(request));
	machvm_request_put(request);
	/* A successor takes over the object as it is. */
	mock_sents_forget();
	pager_bind(&pager, 0);
	heard("");
	request = ask(object(), 2);
	heard("q");
	check_eq(supply(&pager, 2, 7, false), 0);
	machvm_request_put(request);
	check_eq(load(map, 2), 7);
	check_eq(load(map, 1), 6);
	unmap();
	check_eq(mock_sents[0].offset, PAGES(1));
	heard("r");
	teardown();
}

TEST(memobj, S2_51_a_pager_that_goes_with_returned_pages)
{
	setup_ready(0);
	supply_all(4);
	check_eq(store(map, 1, 77), 0);
	unmap();
	heard("r");
	pager_close(&pager);
	check_eq(mock_user.pages, 0);
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	check(!machvm_memobj_returned(pager.memobj, PAGES(1)));
	teardown();
}

TEST(memobj, a_pager_that_goes_with_returned_pages_and_a_new_mapping)
{
	setup_ready(0);
	supply_all(4);
	check_eq(store(map, 1, 77), 0);
	unmap();
	map = map_new();
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	pager_close(&pager);
	check_eq(mock_user.pages, 0);
	mock_sents_forget();
	pager_bind(&pager, 0);
	heard("i");
	ready();
	check_eq(supply(&pager, 1, 3, false), 0);
	check_eq(load(map, 1), 3);
	teardown();
}

TEST(memobj, death_ends_every_question_and_is_for_good)
{
	struct machvm_request *gated, *request;

	setup();
	pager_bind(&pager, 1);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	gated = ask(object(), 0);
	machvm_memobj_die(pager.memobj);
	check_eq(gated->result, MACHVM_KERN_MEMORY_ERROR);
	machvm_request_put(gated);
	request = ask(object(), 0);
	check(machvm_request_done(request));
	machvm_request_put(request);
	teardown();
}

TEST(memobj, death_with_returned_pages_drops_them)
{
	setup_ready(0);
	supply_all(4);
	check_eq(store(map, 1, 77), 0);
	unmap();
	machvm_memobj_die(pager.memobj);
	check_eq(mock_user.pages, 0);
	teardown();
}

TEST(memobj, a_dirty_object_whose_pager_is_gone_is_dropped)
{
	setup_ready(0);
	supply_all(4);
	check_eq(store(map, 1, 77), 0);
	pager_close(&pager);
	mock_sents_forget();
	unmap();
	heard("");
	check_eq(mock_user.pages, 0);
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	teardown();
}

/* Numbers and ports */

TEST(memobj, objects_are_found_by_number_while_they_live)
{
	struct machvm_memobj *found;
	u64 id;

	setup();
	id = pager.memobj->id;
	found = machvm_memobj_find(id);
	check(found == pager.memobj);
	machvm_memobj_put(found);
	check(!machvm_memobj_find(id + 1));
	teardown();
	check(!machvm_memobj_find(id));
}

TEST(memobj, several_objects_share_a_port)
{
	struct machvm_request *one, *two;
	struct pager other;

	setup_ready(0);
	pager_new(&other);
	check_eq(map_pager(map, &other, 20, 4, 0, false), 0);
	heard("");
	check_eq(machvm_memobj_join(other.memobj, pager.memobj->port), 0);
	check_eq(machvm_memobj_join(other.memobj, pager.memobj->port), 0);
	spin_lock(&pager.memobj->port->lock);
	machvm_memobj_bound_locked(other.memobj);
	spin_unlock(&pager.memobj->port->lock);
	machvm_port_pump(pager.memobj->port);
	check_eq(mock_sents[0].object, other.memobj->id);
	check_eq(mock_sents[0].sequence, 1);
	heard("i");
	check_eq(machvm_memobj_ready(other.memobj, false, MACHVM_COPY_DELAY), 0);
	one = ask(object(), 1);
	two = ask(entry_at(map, 20)->object, 1);
	check_eq(mock_sents[1].object, other.memobj->id);
	check_eq(supply(&other, 1, 8, false), 0);
	check(machvm_request_done(two) && !machvm_request_done(one));
	check_eq(load(map, 21), 8);
	machvm_request_put(one);
	machvm_request_put(two);
	machvm_memobj_die(other.memobj);
	check_eq(deallocate_at(map, 20, 4), 0);
	machvm_memobj_put(other.memobj);
	check_eq(pager.memobj->port->nr_objects, 1);
	teardown();
}

TEST(memobj, an_object_with_sockets_of_its_own_does_not_move)
{
	struct pager other;

	setup_ready(0);
	pager_new(&other);
	pager_bind(&other, 0);
	check_eq(machvm_memobj_join(other.memobj, pager.memobj->port), -EBUSY);
	pager_end(&other);
	teardown();
}

static void map_with_failures(bool copy)
{
	for_each_failure(n) {
		int kr;

		setup();
		pager_bind(&pager, 0);
		fail_nth(n);
		kr = map_pager(map, &pager, 0, 4, 0, copy);
		check(fail_end() || !kr);
		check(!kr || kr == MACHVM_KERN_RESOURCE_SHORTAGE);
		map_is(map, kr ? "" : "0+4 rw-/rwx 1");
		if (kr)
			check(!machvm_memobj_object(pager.memobj));
		objects_check();
		teardown();
	}
}

TEST(memobj, a_vm_map_survives_failing_allocations)
{
	map_with_failures(false);
	map_with_failures(true);
}
