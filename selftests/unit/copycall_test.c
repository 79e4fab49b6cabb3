// SPDX-License-Identifier: GPL-2.0-only
/* copycall_test.c - copies that are memory objects, of which a pager is told. */
#include "absence.h"
#include "copycall.h"
#include "lock.h"
#include "mock.h"
#include "page.h"

static struct pager pager, copy;
static struct machvm_map *map, *child;

/* 4 pages; the first two are there, with 1 and 2 in them. */
static void setup(void)
{
	map = map_new();
	child = NULL;
	pager_new(&pager);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_CALL), 0);
	check_eq(supply(&pager, 0, 1, false), 0);
	check_eq(supply(&pager, 1, 2, false), 0);
	mock_sents_forget();
}

static void teardown(void)
{
	if (child)
		map_end(child);
	map_end(map);
	if (pager.memobj)
		pager_end(&pager);
	mock_sents_forget();
}

static void send(void)
{
	machvm_port_pump(pager.memobj->port);
}

/* As its pager takes it. */
static void take_control(void)
{
	copy.memobj = entry_at(child ?: map, child ? 0 : 8)->object->memobj;
	require(copy.memobj && copy.memobj != pager.memobj);
	copy.memobj = machvm_copy_find(pager.memobj, copy.memobj->id);
	require(copy.memobj);
	check(machvm_copy_take(pager.memobj, copy.memobj));
	check(!machvm_copy_take(pager.memobj, copy.memobj));
}

/* And serves it by a socket of its own. */
static void take(void)
{
	take_control();
	pager_bind(&copy, 0);
}

TEST(copycall, C8_K7_a_copy_is_an_object_of_its_own)
{
	setup();
	check_eq(map_pager(map, &pager, 8, 3, 1, true), 0);
	send();
	check_eq(mock_nr_sent, 1);
	check_eq(mock_sents[0].type, MACHVM_MSG_COPY);
	check_eq(mock_sents[0].offset, PAGES(1));
	check_eq(mock_sents[0].length, PAGES(3));
	check_eq(pager.binding->in_flight, 1);
	mock_sents_forget();
	take();
	check_eq(pager.binding->in_flight, 0);
	heard("i");
	check_eq(store(map, 1, 9), 0);
	check_eq(load(map, 8), 2);
	check_eq(store(map, 8, 7), 0);
	check_eq(load(map, 1), 9);
	objects_check();
	/* Nothing of it comes back. */
	check_eq(machvm_memobj_ready(copy.memobj, false, MACHVM_COPY_DELAY), 0);
	check_eq(deallocate_at(map, 8, 3), 0);
	machvm_memobj_advance(copy.memobj);
	heard("t");
	pager_end(&copy);
	teardown();
}

TEST(copycall, C8_S2_33_fork_and_pages_that_are_under_way)
{
	struct machvm_lock_order flush = {
		.length = PAGES(4), .flush = true, .locks = MACHVM_PROT_NO_CHANGE,
		.should_return = MACHVM_RETURN_DIRTY,
	};

	setup();
	check_eq(store(map, 1, 5), 0);
	check_eq(machvm_job_start(pager.memobj, &flush, NULL), 0);
	machvm_memobj_advance(pager.memobj);
	heard("r");
	child = map_fork(map);
	require(child);
	check_eq(release_pages(&pager, 1, 1), 0);
	check_eq(load(child, 1), 5);
	take();
	objects_check();
	pager_end(&copy);
	teardown();
}

/* The object is mapped anew while the pager is given what was written before. */
TEST(copycall, C8_pages_of_the_incarnation_before)
{
	u8 value;

	setup();
	check_eq(cpu_store(map, AT(0), 6), 0);
	check_eq(cpu_store(map, AT(1), 5), 0);
	mock_sents_forget();
	check_eq(deallocate_at(map, 0, 4), 0);
	machvm_memobj_advance(pager.memobj);
	heard("r");
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	check_eq(cpu_load(map, AT(8), &value), 0);
	check_eq(value, 6);
	check_eq(cpu_load(map, AT(9), &value), 0);
	check_eq(value, 5);
	take();
	objects_check();
	pager_end(&copy);
	teardown();
}

/* Nobody may read either, until the pager says so; but the one it has not got is not lost. */
TEST(copycall, C8_S2_40_written_pages_that_must_not_be_read)
{
	struct machvm_lock_order lock = {
		.length = PAGES(2), .locks = MACHVM_PROT_ALL,
		.should_return = MACHVM_RETURN_NONE,
	}, unlock = {
		.length = PAGES(2), .should_return = MACHVM_RETURN_NONE,
	};
	u8 written;

	setup();
	check_eq(store(map, 1, 5), 0);
	check_eq(machvm_job_start(pager.memobj, &lock, NULL), 0);
	machvm_memobj_advance(pager.memobj);
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	send();
	take();
	check_eq(machvm_memobj_ready(copy.memobj, false, MACHVM_COPY_DELAY), 0);
	check_eq(atomic_long_read(&entry_at(map, 8)->object->resident), 1);
	check_eq(machvm_page_locks(machvm_page_lookup(entry_at(map, 8)->object, 1)),
		 MACHVM_PROT_READ);
	check_eq(machvm_job_start(copy.memobj, &unlock, NULL), 0);
	machvm_memobj_advance(copy.memobj);
	check_eq(cpu_load(map, AT(9) + 1, &written), 0);	/* store() writes one byte */
	check_eq(written, 5);
	objects_check();
	pager_end(&copy);
	teardown();
}

TEST(copycall, S2_51_the_pager_dies_before_it_takes_the_copy)
{
	setup();
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	send();
	pager_close(&pager);
	check_eq(load(map, 9), 2);
	check_eq(load(map, 10), FAILED(MACHVM_KERN_MEMORY_ERROR));
	check(list_empty(&pager.memobj->copies));
	/* Nor does anybody hear of one that is made now. */
	check_eq(map_pager(map, &pager, 16, 4, 0, true), 0);
	check(list_empty(&pager.memobj->copies));
	check_eq(load(map, 16), 1);
	check_eq(load(map, 18), FAILED(MACHVM_KERN_MEMORY_ERROR));
	teardown();
}

TEST(copycall, a_copy_that_is_gone_before_it_was_told_of)
{
	setup();
	mock_pump_held = true;
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	check(!list_empty(&pager.memobj->copies));
	check_eq(deallocate_at(map, 8, 4), 0);
	check(list_empty(&pager.memobj->copies));
	mock_pump_held = false;
	send();
	heard("");
	teardown();
}

/* Whoever has taken it hears of its end, once. */
TEST(copycall, C8_K7_the_end_comes_before_a_socket_is_bound)
{
	setup();
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	send();
	take_control();
	check_eq(deallocate_at(map, 8, 4), 0);
	mock_sents_forget();
	pager_bind(&copy, 0);
	heard("t");
	pager_close(&copy);
	pager_bind(&copy, 0);
	heard("");
	pager_end(&copy);
	teardown();
}

TEST(copycall, C8_K7_the_end_comes_before_init_is_sent)
{
	setup();
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	send();
	mock_pump_held = true;
	take();
	check_eq(deallocate_at(map, 8, 4), 0);
	mock_pump_held = false;
	mock_sents_forget();
	machvm_port_pump(copy.memobj->port);
	heard("t");
	pager_end(&copy);
	teardown();
}

/* The next one hears of it; if there is none, what was to be said holds nothing. */
TEST(copycall, S2_51_C8_the_pager_dies_before_it_hears_of_the_end)
{
	for (int successor = 0; successor < 2; successor++) {
		setup();
		check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
		send();
		mock_pump_held = true;
		take();
		pager_close(&copy);
		check_eq(deallocate_at(map, 8, 4), 0);
		mock_pump_held = false;
		mock_sents_forget();
		if (successor) {
			pager_bind(&copy, 0);
			heard("t");
		}
		pager_end(&copy);
		teardown();
	}
}

/* The pager heard of a copy, and died; another one is waited for. */
static void forsaken_setup(void)
{
	setup();
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	send();
	pager_close(&pager);
	mock_sents_forget();
}

TEST(copycall, a_successor_hears_of_it_on_another_port)
{
	forsaken_setup();
	pager_bind(&pager, 0);
	check_eq(mock_sent_of(MACHVM_MSG_COPY), 1);
	take();
	mock_sents_forget();
	pager_end(&copy);
	teardown();
}

TEST(copycall, S2_51_who_takes_over_with_a_socket_of_its_own_hears_of_it)
{
	struct pager other;

	forsaken_setup();
	pager_new(&other);
	pager_bind(&other, 0);
	check_eq(machvm_memobj_join(pager.memobj, other.memobj->port), 0);
	send();
	check_eq(mock_nr_sent, 1);
	check_eq(mock_last_sent()->type, MACHVM_MSG_COPY);
	check(mock_last_sent()->via == other.binding);
	take();
	check_eq(other.memobj->port->nr_sent + other.memobj->port->nr_queued, 0);
	pager_end(&copy);
	teardown();
	pager_end(&other);
}

TEST(copycall, failing_allocations_leave_nothing)
{
	for (unsigned long n = fail_next(0); n; n = fail_next(n)) {
		bool failed;

		setup();
		check_eq(store(map, 1, 5), 0);
		fail_nth(n);
		child = map_fork(map);
		failed = fail_end();
		check(child || failed);
		check(child || list_empty(&pager.memobj->copies));
		if (child)
			check_eq(load(child, 1), 5);
		check_eq(load(map, 1), 5);
		objects_check();
		teardown();
	}
}
