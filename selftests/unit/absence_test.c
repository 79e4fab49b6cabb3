// SPDX-License-Identifier: GPL-2.0-only
/* absence_test.c - requests that nobody answers, and pagers that take over. */
#include "absence.h"
#include "mock.h"
#include "fake/thread.h"

#define MS 1000000ULL

static struct pager pager;
static struct machvm_map *map;

static void setup(u8 fallback, u32 answer_ms, u32 successor_ms)
{
	map = map_new_of(16);
	pager_new(&pager);
	machvm_absence_set(pager.memobj, fallback, answer_ms, successor_ms);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 8, 0, false), 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
}

static void teardown(void)
{
	if (map)
		map_end(map);
	map = NULL;
	pager_end(&pager);
	mock_sents_forget();
}

static struct machvm_request *ask_page(u64 index)
{
	struct machvm_request *request = ask(entry_at(map, 0)->object, index);

	require(request);
	return request;
}

/* The timer runs after @ms. */
static void pass(u64 ms)
{
	fake_time_add(ms * MS);
	machvm_absence_run(pager.memobj);
}

static void ended(struct machvm_request *request, int kr)
{
	check(machvm_request_done(request));
	check_eq(request->result, kr);
	machvm_request_put(request);
}

TEST(absence, a_deadline_ends_a_request_in_an_error)
{
	struct machvm_request *first, *second;

	setup(MACHVM_FALLBACK_ERROR, 100, 0);
	first = ask_page(1);
	pass(60);
	second = ask_page(2);
	check_eq(pager.memobj->deadline.work.pending, true);
	pass(39);
	check(!machvm_request_done(first));
	pass(1);
	check(!machvm_request_done(second));
	ended(first, MACHVM_KERN_MEMORY_ERROR);
	check_eq(pager.binding->in_flight, 1);
	pass(60);
	ended(second, MACHVM_KERN_MEMORY_ERROR);
	/* An answer that comes too late is a page that nobody asked for. */
	check_eq(supply(&pager, 1, 11, false), 0);
	check_eq(load(map, 1), 11);
	teardown();
}

TEST(absence, a_deadline_ends_a_request_in_zeroes)
{
	struct machvm_supply slow;
	struct machvm_request *request, *filled;

	setup(MACHVM_FALLBACK_ZERO, 100, 0);
	request = ask_page(1);
	filled = ask_page(2);
	/* Somebody has begun to fill this one, and takes too long. */
	check_eq(machvm_memobj_supply_begin(pager.memobj, PAGES(2), &slow), 0);
	pass(100);
	ended(request, MACHVM_KERN_SUCCESS);
	ended(filled, MACHVM_KERN_SUCCESS);
	check_eq(machvm_memobj_supply_end(&slow, 0, false), MACHVM_KERN_MEMORY_PRESENT);
	check_eq(load(map, 1), 0);
	check_eq(load(map, 2), 0);
	check_eq(supply(&pager, 1, 11, false), MACHVM_KERN_MEMORY_PRESENT);
	teardown();
}

TEST(absence, a_change_holds_for_open_requests)
{
	struct machvm_request *request;

	setup(MACHVM_FALLBACK_ERROR, 0, 0);
	request = ask_page(1);
	pass(1000);
	check(!machvm_request_done(request));
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ZERO, 1000, 0);
	ended(request, MACHVM_KERN_SUCCESS);
	teardown();
}

TEST(absence, P15_without_a_pager_and_with_zeroes)
{
	struct machvm_request *request, *later;

	setup(MACHVM_FALLBACK_ZERO, 0, 0);
	request = ask_page(1);
	pager_close(&pager);
	ended(request, MACHVM_KERN_SUCCESS);
	later = ask_page(2);
	check(pager.memobj->deadline.work.pending);
	pass(0);
	ended(later, MACHVM_KERN_SUCCESS);
	machvm_memobj_die(pager.memobj);
	later = ask_page(3);
	pass(0);
	ended(later, MACHVM_KERN_SUCCESS);
	check_eq(load(map, 3), 0);
	teardown();
}

TEST(absence, S2_51_a_successor_is_waited_for_but_not_for_ever)
{
	struct machvm_request *request, *later;

	setup(MACHVM_FALLBACK_ERROR, 0, 100);
	request = ask_page(1);
	pager_close(&pager);
	pass(50);
	later = ask_page(2);
	check(!machvm_request_done(request));
	pass(50);
	ended(request, MACHVM_KERN_MEMORY_ERROR);
	check(!machvm_request_done(later));
	pass(50);
	ended(later, MACHVM_KERN_MEMORY_ERROR);
	teardown();
}

TEST(absence, S2_51_a_successor_is_asked_again)
{
	struct machvm_request *sent, *queued;
	u32 epoch, sequence;

	setup(MACHVM_FALLBACK_ERROR, 0, 100);
	check_eq(supply(&pager, 7, 77, false), 0);
	sent = ask_page(1);
	epoch = pager.binding->epoch;
	sequence = mock_last_sent()->sequence;
	pager_close(&pager);
	queued = ask_page(2);
	mock_sents_forget();
	pass(50);
	pager_bind(&pager, 0);
	check_eq(mock_nr_sent, 2);
	check_eq(mock_sents[0].offset, PAGES(1));
	check_eq(mock_sents[0].sequence, sequence);
	check(mock_sents[0].epoch > epoch);
	check_eq(mock_sents[1].offset, PAGES(2));
	pass(1000);
	check(!machvm_request_done(sent) && !machvm_request_done(queued));
	check_eq(supply(&pager, 1, 11, false), 0);
	check_eq(supply(&pager, 2, 22, false), 0);
	ended(sent, MACHVM_KERN_SUCCESS);
	ended(queued, MACHVM_KERN_SUCCESS);
	check_eq(load(map, 7), 77);
	teardown();
}

TEST(absence, S2_51_returned_pages_wait_for_a_successor)
{
	setup(MACHVM_FALLBACK_ERROR, 0, 100);
	check_eq(supply(&pager, 3, 33, false), 0);
	check_eq(store(map, 3, 34), 0);
	map_end(map);
	map = NULL;
	check_eq(mock_last_sent()->type, MACHVM_MSG_DATA_RETURN);
	pager_close(&pager);
	mock_sents_forget();
	pass(99);
	pager_bind(&pager, 0);
	check_eq(mock_nr_sent, 1);
	check_eq(mock_last_sent()->type, MACHVM_MSG_DATA_RETURN);
	check_eq(machvm_memobj_release(pager.memobj, PAGES(3), PAGE_SIZE, NULL), 0);
	check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
	check_eq(mock_stats[MACHVM_STAT_LOST], 0);
	teardown();
}

TEST(absence, S2_51_pages_unmapped_without_a_pager_wait_for_a_successor)
{
	setup(MACHVM_FALLBACK_ERROR, 0, 100);
	check_eq(supply(&pager, 3, 33, false), 0);
	check_eq(store(map, 3, 34), 0);
	pager_close(&pager);
	map_end(map);
	map = NULL;
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_RETURNING);
	pass(100);
	check_eq(pager.memobj->state, MACHVM_MEMOBJ_IDLE);
	check_eq(mock_stats[MACHVM_STAT_LOST], 1);
	check_eq(mock_user.pages, 0);
	teardown();
}

/* Two objects of one pager are taken over by two. */
/* As pager_new(), one that is the default memory manager. */
static void manager_new(struct pager *manager)
{
	pager_new(manager);
	pager_bind(manager, 0);
	mock_manager = manager->memobj;
}

static void manager_end(struct pager *manager)
{
	mock_manager = NULL;
	teardown();
	pager_end(manager);
}

TEST(absence, S2_51_the_default_manager_is_asked_when_the_pager_has_gone)
{
	struct machvm_request *request;
	struct pager manager;

	setup(MACHVM_FALLBACK_MANAGER, 0, 0);
	manager_new(&manager);
	request = ask_page(1);
	mock_sents_forget();
	pager_close(&pager);
	machvm_memobj_absent(pager.memobj->port);
	check(!machvm_request_done(request));
	check(pager.memobj->port == manager.memobj->port);
	check_eq(mock_nr_sent, 1);
	check_eq(mock_sents[0].type, MACHVM_MSG_DATA_REQUEST);
	check_eq(supply(&pager, 1, 11, false), 0);
	ended(request, MACHVM_KERN_SUCCESS);
	manager_end(&manager);
}

TEST(absence, S2_51_the_default_manager_gets_what_was_written)
{
	struct pager manager;

	setup(MACHVM_FALLBACK_MANAGER, 0, 0);
	check_eq(supply(&pager, 2, 1, false), 0);
	check_eq(store(map, 2, 77), 0);
	pager_close(&pager);
	machvm_memobj_absent(pager.memobj->port);	/* there is no manager yet */
	manager_new(&manager);
	mock_sents_forget();
	map_end(map);
	map = NULL;
	check_eq(mock_nr_sent, 1);
	check_eq(mock_sents[0].type, MACHVM_MSG_DATA_RETURN);
	check_eq(mock_sents[0].offset, PAGES(2));
	check_eq(release_pages(&pager, 2, 1), 0);
	manager_end(&manager);
}

TEST(absence, S2_51_without_a_default_manager_it_is_an_error)
{
	struct machvm_request *request;

	setup(MACHVM_FALLBACK_MANAGER, 0, 0);
	request = ask_page(1);
	check_eq(supply(&pager, 2, 1, false), 0);
	check_eq(store(map, 2, 77), 0);
	pager_close(&pager);
	machvm_memobj_absent(pager.memobj->port);
	ended(request, MACHVM_KERN_MEMORY_ERROR);
	map_end(map);
	map = NULL;
	check_eq(mock_stats[MACHVM_STAT_LOST], 1);
	teardown();
}

TEST(absence, S2_51_a_pager_that_is_late_keeps_its_object)
{
	struct machvm_request *request;
	struct pager manager;

	setup(MACHVM_FALLBACK_MANAGER, 100, 0);
	manager_new(&manager);
	request = ask_page(1);
	pass(100);
	ended(request, MACHVM_KERN_MEMORY_ERROR);
	check(pager.memobj->port != manager.memobj->port);
	manager_end(&manager);
}

/* Once: what is waited for is nearer then, and not over yet. */
static void shorten(void *arg)
{
	fake_world = NULL;
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ERROR, 0, 100);
}

TEST(absence, S2_51_who_waits_for_a_successor_hears_of_another_end)
{
	u64 begun;

	setup(MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	pager_close(&pager);
	begun = ktime_get_ns();
	fake_world = shorten;
	check_eq(machvm_absence_wait(pager.memobj), MACHVM_KERN_MEMORY_ERROR);
	check(ktime_get_ns() - begun >= 99 * MS && ktime_get_ns() - begun < 200 * MS);
	teardown();
}

TEST(absence, S2_51_each_successor_gets_its_own_objects)
{
	struct machvm_request *first, *second;
	struct machvm_port *fresh;
	struct pager other;

	setup(MACHVM_FALLBACK_ERROR, 0, 100);
	pager_new(&other);
	machvm_absence_set(other.memobj, MACHVM_FALLBACK_ERROR, 0, 100);
	check_eq(machvm_memobj_join(other.memobj, pager.memobj->port), 0);
	check_eq(map_pager(map, &other, 8, 4, 0, false), 0);
	check_eq(machvm_memobj_ready(other.memobj, false, MACHVM_COPY_DELAY), 0);
	first = ask_page(1);
	second = ask(entry_at(map, 8)->object, 2);
	pager_close(&pager);
	fresh = machvm_port_create(&mock_user);
	check_eq(machvm_memobj_join(other.memobj, fresh), 0);
	machvm_port_put(fresh);
	check_eq(pager.memobj->port->nr_open, 1);
	check_eq(fresh->nr_open, 1);
	mock_sents_forget();
	pager_bind(&other, 0);
	check_eq(mock_nr_sent, 1);
	check_eq(mock_last_sent()->object, other.memobj->id);
	pager_bind(&pager, 0);
	check_eq(mock_nr_sent, 2);
	check_eq(mock_last_sent()->object, pager.memobj->id);
	check_eq(supply(&pager, 1, 1, false), 0);
	check_eq(supply(&other, 2, 2, false), 0);
	ended(first, MACHVM_KERN_SUCCESS);
	ended(second, MACHVM_KERN_SUCCESS);
	map_end(map);
	map = NULL;
	pager_end(&other);
	teardown();
}

/* A pager with a socket of its own takes over: what waits goes to its port. */
static void other_new(struct pager *other)
{
	pager_new(other);
	pager_bind(other, 0);
	check_eq(map_pager(map, other, 8, 4, 0, false), 0);
	check_eq(machvm_memobj_ready(other->memobj, false, MACHVM_COPY_DELAY), 0);
}

static void take_over(struct pager *other)
{
	pager_close(&pager);
	mock_sents_forget();
	check_eq(machvm_memobj_join(pager.memobj, other->memobj->port), 0);
	machvm_port_pump(other->memobj->port);
}

static void other_end(struct pager *other)
{
	map_end(map);
	map = NULL;
	pager_end(other);
	teardown();
}

TEST(absence, S2_51_who_takes_over_is_asked_in_the_order_of_all)
{
	struct machvm_request *requests[3], *request;
	struct pager other;
	unsigned int i = 0;

	setup(MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	other_new(&other);
	requests[0] = ask(entry_at(map, 8)->object, 0);
	fake_time_add(MS);
	requests[1] = ask_page(1);
	fake_time_add(MS);
	requests[2] = ask(entry_at(map, 8)->object, 1);
	take_over(&other);
	check_eq(mock_nr_sent, 1);
	check_eq(mock_last_sent()->object, pager.memobj->id);
	check(mock_last_sent()->via == other.binding);
	list_for_each_entry(request, &other.memobj->port->open, open_on_port)
		check(i < 3 && request == requests[i++]);
	check_eq(i, 3);
	check_eq(supply(&other, 0, 1, false), 0);
	check_eq(supply(&pager, 1, 2, false), 0);
	check_eq(supply(&other, 1, 3, false), 0);
	for (i = 0; i < 3; i++)
		ended(requests[i], MACHVM_KERN_SUCCESS);
	other_end(&other);
}

TEST(absence, S2_51_who_takes_over_gets_what_was_being_returned)
{
	struct pager other;

	setup(MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	other_new(&other);
	check_eq(supply(&pager, 3, 33, false), 0);
	check_eq(store(map, 3, 34), 0);
	check_eq(deallocate_at(map, 0, 8), 0);
	check_eq(mock_last_sent()->type, MACHVM_MSG_DATA_RETURN);
	take_over(&other);
	check_eq(mock_nr_sent, 1);
	check_eq(mock_last_sent()->type, MACHVM_MSG_DATA_RETURN);
	check_eq(mock_last_sent()->offset, PAGES(3));
	check(mock_last_sent()->via == other.binding);
	check_eq(release_pages(&pager, 3, 1), 0);
	check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
	check_eq(other.memobj->port->nr_queued, 0);
	check_eq(mock_stats[MACHVM_STAT_LOST], 0);
	other_end(&other);
}

/* Once, while a pager is waited for. */
static void set_manager(void *arg)
{
	fake_world = NULL;
	manager_new(arg);
}

TEST(absence, S2_51_who_waits_gets_a_default_manager_that_came_meanwhile)
{
	struct pager manager;

	setup(MACHVM_FALLBACK_MANAGER, 0, 100);
	pager_close(&pager);
	fake_world = set_manager;
	fake_world_arg = &manager;
	check_eq(machvm_absence_wait(pager.memobj), MACHVM_KERN_SUCCESS);
	check(pager.memobj->port == manager.memobj->port);
	manager_end(&manager);
}

/* Two at once */

static struct machvm_request *open;

static void asked(void)
{
	setup(MACHVM_FALLBACK_ZERO, 100, 0);
	open = ask_page(1);
	fake_time_add(100 * MS);
}

static int answer;

static void run(void)
{
	machvm_absence_run(pager.memobj);
}

static void supply_1(void)
{
	answer = supply(&pager, 1, 11, false);
}

static void after_deadline(void)
{
	check(!answer || answer == MACHVM_KERN_MEMORY_PRESENT);
	ended(open, MACHVM_KERN_SUCCESS);
	check_eq(load(map, 1), answer ? 0 : 11);
	check_eq(mock_stats[MACHVM_STAT_QUEUED], 0);
	objects_check();
	teardown();
}

TEST(absence, a_deadline_meets_the_answer)
{
	race(&(struct race){ asked, run, supply_1, after_deadline });
}

static void unmap(void)
{
	check_eq(deallocate_at(map, 0, 8), 0);
}

static void after_unmap(void)
{
	check(machvm_request_done(open));
	machvm_request_put(open);
	check_eq(mock_stats[MACHVM_STAT_QUEUED], 0);
	check_eq(mock_user.pages, 0);
	teardown();
}

TEST(absence, a_deadline_meets_the_last_unmapping)
{
	race(&(struct race){ asked, run, unmap, after_unmap });
}

static void unserved(void)
{
	setup(MACHVM_FALLBACK_ERROR, 0, 100);
	open = ask_page(1);
	pager_close(&pager);
	fake_time_add(100 * MS);
	mock_sents_forget();
}

static void bind(void)
{
	pager_bind(&pager, 0);
}

static void after_bind(void)
{
	/* Given up, or asked again; never both. */
	if (machvm_request_done(open)) {
		check_eq(open->result, MACHVM_KERN_MEMORY_ERROR);
	} else {
		check_eq(mock_nr_sent, 1);
		check_eq(supply(&pager, 1, 11, false), 0);
		check(machvm_request_done(open));
	}
	machvm_request_put(open);
	teardown();
}

TEST(absence, the_end_of_the_wait_meets_a_successor)
{
	race(&(struct race){ unserved, run, bind, after_bind });
}
