// SPDX-License-Identifier: GPL-2.0-only
/* job_test.c - lock requests: which pages, in which order, and what is told of it. */
#include "mock.h"
#include "fake/thread.h"
#include "lock.h"

static struct pager pager;
static struct machvm_map *map;

static void setup(u64 nr)
{
	map = map_file(&pager, nr);
}

/* Pages that come back at the end are let go. */
static void teardown(void)
{
	map_check(map);
	objects_check();
	check_eq(atomic_read(&pager.memobj->nr_jobs), 0);
	map_end(map);
	while (mock_nr_sent && mock_last_sent()->type == MACHVM_MSG_DATA_RETURN) {
		struct mock_sent sent = *mock_last_sent();

		mock_sents_forget();
		machvm_memobj_release(pager.memobj, sent.offset, sent.length, NULL);
	}
	pager_end(&pager);
	mock_sents_forget();
}

static int order_of(struct machvm_memobj *memobj, u64 page, u64 nr, u32 what, bool flush, u32 locks)
{
	struct machvm_lock_order order = {
		.offset = PAGES(page), .length = PAGES(nr), .should_return = what, .flush = flush,
		.locks = locks, .reply = true,
	};
	int kr = machvm_job_start(memobj, &order, NULL);

	if (!kr)
		machvm_memobj_advance(memobj);
	return kr;
}

static int order(u64 page, u64 nr, u32 what, bool flush, u32 locks)
{
	return order_of(pager.memobj, page, nr, what, flush, locks);
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

static void write_pages(u64 first, u64 nr, u8 value)
{
	u64 i;

	for (i = first; i < first + nr; i++)
		check_eq(store(map, i, value), 0);
}

static int byte_at(u64 page, unsigned int offset)
{
	u8 value;
	int kr = cpu_load(map, AT(page) + offset, &value);

	return kr ? FAILED(kr) : value;
}

#define NO_CHANGE MACHVM_PROT_NO_CHANGE
#define NONE MACHVM_RETURN_NONE
#define DIRTY MACHVM_RETURN_DIRTY
#define ALL MACHVM_RETURN_ALL
#define ANYTHING MACHVM_RETURN_ANYTHING

TEST(job, P17_bad_orders)
{
	struct machvm_lock_order bad = { .locks = 9 };
	struct machvm_job *job;

	setup(2);
	check_eq(order(0, 2, NONE, false, 0x20), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(order(0, 2, NONE, false, 9), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_job_start(pager.memobj, &bad, &job), MACHVM_KERN_INVALID_ARGUMENT);
	bad = (struct machvm_lock_order){ .offset = U64_MAX, .length = 2 };
	check_eq(machvm_job_start(pager.memobj, &bad, NULL), MACHVM_KERN_INVALID_ARGUMENT);
	heard("");
	check_eq(order(0, 0, ALL, true, 7), 0);
	heard("c");
	bad = (struct machvm_lock_order){ .offset = U64_MAX, .length = 1 };
	check_eq(machvm_job_start(pager.memobj, &bad, NULL), 0);
	machvm_memobj_advance(pager.memobj);
	heard("");
	check_eq(machvm_page_locks(page_at(0)), 0);
	teardown();
}

TEST(job, S2_43_S2_44_what_is_returned)
{
	setup(2);
	check_eq(supply(&pager, 2, 3, true), 0);
	write_pages(0, 1, 9);
	check_eq(order(0, 3, NONE, false, NO_CHANGE), 0);
	heard("c");
	check_eq(order(0, 3, DIRTY, false, NO_CHANGE), 0);
	expect_return(&pager, 0, 1, true, true, 9);
	heard("c");
	check_eq(order(0, 3, ALL, false, NO_CHANGE), 0);
	expect_return(&pager, 2, 1, false, true, 3);
	heard("c");
	check_eq(order(0, 2, ANYTHING, false, NO_CHANGE), 0);
	heard("r");
	check_eq(release_pages(&pager, 0, 2), 0);
	heard("c");
	write_pages(1, 1, 9);
	check_eq(order(0, 3, NONE, true, NO_CHANGE), 0);
	heard("c");
	check(!page_at(0) && !page_at(1) && !page_at(2));
	teardown();
}

/* Nobody else has them. */
TEST(job, V27_a_client_does_not_lose_precious_pages)
{
	struct machvm_lock_order order = {
		.length = PAGES(3), .flush = true, .locks = NO_CHANGE, .for_client = true,
	};

	setup(2);
	check_eq(supply(&pager, 2, 3, true), 0);
	write_pages(0, 1, 9);
	check_eq(machvm_job_start(pager.memobj, &order, NULL), 0);
	machvm_memobj_advance(pager.memobj);
	expect_return(&pager, 2, 1, false, false, 3);
	heard("");
	check(!page_at(0) && !page_at(1) && !page_at(2));
	teardown();
}

TEST(job, S2_42_a_run_at_a_time_and_completion_last)
{
	setup(80);
	write_pages(0, 70, 9);
	check_eq(order(0, 80, DIRTY, false, NO_CHANGE), 0);
	expect_return(&pager, 0, 32, true, true, 9);
	expect_return(&pager, 32, 32, true, true, 9);
	check_eq(mock_nr_sent, 1);
	expect_return(&pager, 64, 6, true, true, 9);
	heard("c");
	teardown();
}

TEST(job, orders_are_carried_out_in_their_order)
{
	setup(4);
	write_pages(0, 4, 9);
	check_eq(order(0, 1, DIRTY, false, NO_CHANGE), 0);
	check_eq(order(1, 3, NONE, true, NO_CHANGE), 0);
	check_eq(order(0, 4, DIRTY, true, NO_CHANGE), 0);
	check_eq(load(map, 3), 9);		/* its turn has not come */
	expect_return(&pager, 0, 1, true, true, 9);
	heard("cc" "c");
	check(!page_at(0) && !page_at(3));
	teardown();
}

TEST(job, a_waiter_is_told_when_the_pages_are_released)
{
	struct machvm_lock_order order = {
		.length = PAGES(4), .should_return = DIRTY, .locks = NO_CHANGE,
	};
	struct machvm_job *job;

	setup(4);
	write_pages(1, 1, 9);
	check_eq(machvm_job_start(pager.memobj, &order, &job), 0);
	check(!machvm_job_done(job));
	machvm_memobj_advance(pager.memobj);
	check(!machvm_job_done(job));
	expect_return(&pager, 1, 1, true, true, 9);
	check(machvm_job_done(job));
	check_eq(job->result, 0);
	heard("");				/* it did not ask to be told */
	machvm_job_put(job);
	teardown();
}

TEST(job, a_waiter_is_told_when_the_pager_is_gone)
{
	struct machvm_lock_order order = {
		.length = PAGES(4), .should_return = DIRTY, .locks = NO_CHANGE, .reply = true,
	};
	struct machvm_job *first, *second;

	setup(4);
	write_pages(1, 1, 9);
	check_eq(machvm_job_start(pager.memobj, &order, &first), 0);
	check_eq(machvm_job_start(pager.memobj, &order, &second), 0);
	machvm_memobj_advance(pager.memobj);
	pager_close(&pager);
	check(machvm_job_done(first) && machvm_job_done(second));
	check_eq(first->result, MACHVM_KERN_MEMORY_ERROR);
	check_eq(second->result, MACHVM_KERN_MEMORY_ERROR);
	machvm_job_put(first);
	machvm_job_put(second);
	check_eq(machvm_job_start(pager.memobj, &order, &first), MACHVM_KERN_MEMORY_ERROR);
	teardown();
}

/* The next pager has ordered nothing. */
TEST(job, S2_51_a_pager_goes_before_it_is_told)
{
	setup(4);
	mock_pump_held = true;
	check_eq(order(0, 4, DIRTY, false, NO_CHANGE), 0);
	check_eq(atomic_read(&pager.memobj->nr_jobs), 1);
	pager_close(&pager);
	check_eq(atomic_read(&pager.memobj->nr_jobs), 0);
	check_eq(pager.memobj->port->nr_queued, 0);
	mock_pump_held = false;
	pager_bind(&pager, 0);
	heard("");
	teardown();
}

/* Of two objects of one pager. */
TEST(job, S2_51_an_object_dies_before_its_pager_is_told)
{
	struct pager other;

	setup(4);
	pager_new(&other);
	check_eq(machvm_memobj_join(other.memobj, pager.memobj->port), 0);
	mock_pump_held = true;
	check_eq(order(0, 4, DIRTY, false, NO_CHANGE), 0);
	check_eq(order_of(other.memobj, 0, 4, DIRTY, false, NO_CHANGE), 0);
	machvm_memobj_die(other.memobj);
	check_eq(atomic_read(&other.memobj->nr_jobs), 0);
	check_eq(atomic_read(&pager.memobj->nr_jobs), 1);
	mock_pump_held = false;
	machvm_port_pump(pager.memobj->port);
	check_eq(mock_last_sent()->object, pager.memobj->id);
	heard("c");
	machvm_memobj_put(other.memobj);
	teardown();
}

TEST(job, V27_clients_leave_room_for_the_pager)
{
	struct machvm_lock_order order = { .length = PAGES(4), .should_return = DIRTY,
					   .locks = NO_CHANGE, .for_client = true };
	unsigned int clients = 0, own = 0;

	setup(4);
	write_pages(0, 1, 9);
	while (clients < 5000 && !machvm_job_start(pager.memobj, &order, NULL))
		clients++;
	check_eq(machvm_job_start(pager.memobj, &order, NULL), MACHVM_KERN_RESOURCE_SHORTAGE);
	order.for_client = false;
	while (own < 5000 && !machvm_job_start(pager.memobj, &order, NULL))
		own++;
	check_eq(clients, 512);
	check_eq(own, 512);
	machvm_memobj_advance(pager.memobj);
	expect_return(&pager, 0, 1, true, true, 9);
	teardown();
}

TEST(job, S2_40_locks_replace_locks_and_answer_questions)
{
	setup(2);
	check_eq(order(0, 1, NONE, false, MACHVM_PROT_WRITE), 0);
	check_eq(machvm_page_locks(page_at(0)), MACHVM_PROT_WRITE);
	check_eq(machvm_page_locks(page_at(1)), 0);
	check_eq(order(0, 2, NONE, false, MACHVM_PROT_READ), 0);
	check_eq(machvm_page_locks(page_at(0)), MACHVM_PROT_READ);
	check_eq(order(0, 2, NONE, false, NO_CHANGE), 0);
	check_eq(machvm_page_locks(page_at(1)), MACHVM_PROT_READ);
	check_eq(order(0, 2, NONE, false, 0), 0);
	check_eq(machvm_page_locks(page_at(0)), 0);
	heard("cccc");
	teardown();
}

/* Somebody's I/O may still go into it: the pager gets a copy, and the page stays as it is. */
TEST(job, a_page_in_use_is_copied_and_stays_dirty)
{
	struct folio *folio;

	setup(2);
	write_pages(0, 2, 9);
	folio = page_at(0);
	folio_get(folio);
	check_eq(order(0, 1, DIRTY, true, NO_CHANGE), 0);
	expect_return(&pager, 0, 1, true, true, 9);
	heard("c");
	check(page_at(0) == folio);
	check(machvm_page_test(folio, MACHVM_PAGE_DIRTY));
	folio_put(folio);
	check_eq(order(0, 1, DIRTY, true, NO_CHANGE), 0);
	expect_return(&pager, 0, 1, true, false, 9);
	heard("c");
	check(!page_at(0));
	teardown();
}

TEST(job, S2_34_a_delayed_copy_gets_the_page_before_it_goes)
{
	setup(4);
	write_pages(0, 1, 9);
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	check_eq(order(0, 4, NONE, true, NO_CHANGE), 0);
	heard("c");
	check_eq(byte_at(8, 0), 9);
	check_eq(byte_at(11, 0), 4);
	check_eq(supply(&pager, 0, 50, false), 0);
	check_eq(load(map, 0), 50);
	check_eq(byte_at(8, 0), 9);
	heard("");
	teardown();
}

/* Out of memory anywhere: what was not done is said, and nothing is lost. */
TEST(job, an_order_without_memory)
{
	for_each_failure(n) {
		struct machvm_lock_order order = {
			.length = PAGES(4), .should_return = DIRTY, .flush = true,
			.locks = NO_CHANGE,
		};
		struct machvm_job *job = NULL;
		struct folio *used;
		int kr;

		setup(4);
		write_pages(0, 1, 9);
		check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
		used = page_at(2);
		folio_get(used);
		fail_nth(n);
		kr = machvm_job_start(pager.memobj, &order, &job);
		if (!kr)
			machvm_memobj_advance(pager.memobj);
		fail_end();
		if (kr) {
			check_eq(kr, MACHVM_KERN_RESOURCE_SHORTAGE);
		} else {
			if (mock_nr_sent)
				expect_return(&pager, 0, 1, true, false, 9);
			check(machvm_job_done(job));
			check(!job->result || job->result == MACHVM_KERN_RESOURCE_SHORTAGE);
			if (job->result)
				check(page_at(0) || page_at(1) || page_at(3));
			machvm_job_put(job);
		}
		folio_put(used);
		check_eq(byte_at(8, 0), 9);
		check_eq(byte_at(9, 0), 2);
		teardown();
	}
}

/* Who is killed in the middle leaves the rest to a thread of the kernel's. */
TEST(job, a_fatal_signal_leaves_the_rest_for_later)
{
	setup(4);
	write_pages(0, 1, 9);
	fake_signal(true);
	check_eq(order(0, 4, DIRTY, true, NO_CHANGE), 0);
	fake_signal(false);
	while (mock_nr_sent == 0)
		machvm_memobj_advance(pager.memobj);
	expect_return(&pager, 0, 1, true, false, 9);
	heard("c");
	check(!page_at(3));
	teardown();
}

/* Races: nothing that a page held is lost, and nobody finds a run that is gone. */

static void dirty_pages(void)
{
	setup(4);
	write_pages(1, 2, 9);
}

static void cleans(void)
{
	check_eq(order(0, 4, DIRTY, false, NO_CHANGE), 0);
}

static void writes(void)
{
	check_eq(store(map, 1, 10), 0);
}

static void after_writing(void)
{
	struct mock_sent sent = *mock_last_sent();

	heard("r");
	check_eq(machvm_memobj_release(pager.memobj, sent.offset, sent.length, NULL), 0);
	check_eq(load(map, 1), 10);
	check_eq(load(map, 2), 9);
	heard("c");
	teardown();
}

TEST(job, S2_45_a_write_races_with_an_order)
{
	race(&(struct race){ dirty_pages, cleans, writes, after_writing });
}

static void closes(void)
{
	pager_close(&pager);
}

static void orders_perhaps(void)
{
	struct machvm_lock_order order = {
		.length = PAGES(4), .should_return = DIRTY, .flush = true, .locks = NO_CHANGE,
	};

	if (!machvm_job_start(pager.memobj, &order, NULL))
		machvm_memobj_advance(pager.memobj);
}

static void after_closing(void)
{
	mock_sents_forget();
	check(!pager.memobj->run);
	check_eq(load(map, 1), 9);
	check_eq(load(map, 2), 9);
	teardown();
}

TEST(job, S2_51_the_end_of_the_pager_races_with_an_order)
{
	race(&(struct race){ dirty_pages, orders_perhaps, closes, after_closing });
}
