// SPDX-License-Identifier: GPL-2.0-only
/* race_pager_test.c - what pagers say, and their end, meets who waits for them; as race_test.c. */
#include "race.h"

/* The only mapping, with a page that was written. */
static void dirty_file(void)
{
	shared_file();
	map_end(two);
	two = map_new_of(16);
	check_eq(store(one, 3, 30), 0);
}

static void unmap_one(void)
{
	kr_a = deallocate_at(one, 0, 8);
}

static void map_to_two(void)
{
	kr_b = map_pager(two, &file, 0, 8, 0, false);
}

/* Either the new mapping found the old pages, or these are on their way to the pager first. */
static void after_unmap_and_map(void)
{
	int last;
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	if (mock_nr_sent) {
		struct mock_sent sent = mock_sents[0];
		struct folio *folio;

		check_eq(sent.type, MACHVM_MSG_DATA_RETURN);
		folio = machvm_memobj_returned(file.memobj, PAGES(3));
		require(folio);
		check_eq(((u8 *)folio_address(folio))[3], 30);
		folio_put(folio);
		check_eq(machvm_memobj_release(file.memobj, sent.offset, sent.length, NULL), 0);
		check_eq(mock_sent_of(MACHVM_MSG_TERMINATE), 1);
		check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
		check_eq(mock_last_sent()->type, MACHVM_MSG_INIT);
		check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
		check_eq(supply(&file, 3, 30, false), 0);
	}
	check_eq(cpu_load(two, AT(3) + 3, &value), 0);
	check_eq(value, 30);
	check_eq(store(two, 3, 31), 0);
	mock_sents_forget();
	last = end_file(3);
	check_eq(last, 31);
}

TEST(race, S2_48_the_last_unmap_meets_a_new_mapping)
{
	race(&(struct race){ dirty_file, unmap_one, map_to_two, after_unmap_and_map });
}

static void close_pager(void)
{
	pager_close(&file);
}

static void after_close(void)
{
	check(!machvm_memobj_returned(file.memobj, PAGES(3)));
	end_file(3);
}

TEST(race, the_last_unmap_meets_the_end_of_the_pager)
{
	race(&(struct race){ dirty_file, unmap_one, close_pager, after_close });
}

static void die(void)
{
	machvm_memobj_die(file.memobj);
}

TEST(race, the_last_unmap_meets_the_death_of_the_object)
{
	race(&(struct race){ dirty_file, unmap_one, die, after_close });
}

static void returning_file(void)
{
	dirty_file();
	check_eq(deallocate_at(one, 0, 8), 0);
}

static void release(void)
{
	kr_a = machvm_memobj_release(file.memobj, PAGES(3), PAGE_SIZE, NULL);
	check(!kr_a || kr_a == MACHVM_KERN_INVALID_ADDRESS);
}

TEST(race, a_release_meets_the_end_of_the_pager)
{
	race(&(struct race){ returning_file, release, close_pager, after_close });
}

static void after_release_and_map(void)
{
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(mock_sent_of(MACHVM_MSG_TERMINATE), 1);
	check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
	check_eq(mock_last_sent()->type, MACHVM_MSG_INIT);
	end_file(3);
}

TEST(race, a_release_meets_a_new_mapping)
{
	race(&(struct race){ returning_file, release, map_to_two, after_release_and_map });
}

/* A file that is mapped but has no page yet. */
static void empty_file(void)
{
	two_maps();
	pager_new(&file);
	pager_bind(&file, 1);
	check_eq(map_pager(one, &file, 0, 8, 0, false), 0);
	check_eq(map_pager(two, &file, 0, 8, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
}

static void load_page_3(void)
{
	kr_a = load(one, 3);
}

static void load_page_3_too(void)
{
	kr_b = load(two, 3);
}

static void answer(void *arg)
{
	if (mock_nr_sent)
		check_eq(supply(&file, 3, 3, false), 0);
}

static void empty_file_with_pager(void)
{
	empty_file();
	fake_world = answer;
}

static void after_two_loads(void)
{
	check_eq(kr_a, 3);
	check_eq(kr_b, 3);
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 1);
	end_file(3);
}

TEST(race, S2_41_two_readers_ask_once)
{
	race(&(struct race){ empty_file_with_pager, load_page_3, load_page_3_too,
			     after_two_loads });
}

static void supply_3(void)
{
	kr_b = supply(&file, 3, 3, false);
}

static void after_load_and_supply(void)
{
	check_eq(kr_a, 3);
	check_eq(kr_b, 0);
	end_file(3);
}

TEST(race, a_reader_meets_a_supply)
{
	race(&(struct race){ empty_file_with_pager, load_page_3, supply_3,
			     after_load_and_supply });
}

static void after_load_and_end(void)
{
	check(kr_a == 3 || kr_a == FAILED(MACHVM_KERN_MEMORY_ERROR));
	end_file(3);
}

TEST(race, a_reader_meets_the_end_of_the_pager)
{
	race(&(struct race){ empty_file, load_page_3, close_pager, after_load_and_end });
}

TEST(race, a_reader_meets_the_death_of_the_object)
{
	race(&(struct race){ empty_file, load_page_3, die, after_load_and_end });
}

static void unmap_both(void)
{
	kr_b = deallocate_at(one, 0, 8) ?: deallocate_at(two, 0, 8);
}

static void arrived_in_order(void)
{
	unsigned int i;

	for (i = 1; i < mock_nr_sent; i++)
		check_eq(mock_sents[i].sequence, mock_sents[i - 1].sequence + 1);
}

/* K12: no question comes after terminate. */
static void after_load_and_unmap(void)
{
	arrived_in_order();
	check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
	check(kr_a == 3 || kr_a == FAILED(MACHVM_KERN_INVALID_ADDRESS));
	end_file(3);
}

TEST(race, a_reader_meets_the_unmapping_of_all)
{
	race(&(struct race){ empty_file, load_page_3, unmap_both, after_load_and_unmap });
}

static void asked_file(void)
{
	struct machvm_request *request;

	empty_file();
	request = ask(entry_at(one, 3)->object, 3);
	require(request);
	machvm_request_put(request);
}

static void supply_3_first(void)
{
	kr_a = supply(&file, 3, 3, false);
}

static void error_3(void)
{
	kr_b = machvm_memobj_error(file.memobj, PAGES(3), PAGE_SIZE, 5);
}

static void unavailable_3(void)
{
	kr_b = machvm_memobj_unavailable(file.memobj, PAGES(3), PAGE_SIZE);
}

static void after_answers(void)
{
	check(!kr_a || kr_a == MACHVM_KERN_MEMORY_PRESENT || kr_a == MACHVM_KERN_MEMORY_ERROR);
	check_eq(file.memobj->port->nr_queued, 0);
	check_eq(file.memobj->port->nr_sent, 0);
	check_eq(file.binding ? file.binding->in_flight : 0, 0);
	end_file(3);
}

TEST(race, two_supplies_of_one_page)
{
	race(&(struct race){ asked_file, supply_3_first, supply_3, after_answers });
}

TEST(race, a_supply_meets_an_error)
{
	race(&(struct race){ asked_file, supply_3_first, error_3, after_answers });
}

TEST(race, a_supply_meets_unavailable)
{
	race(&(struct race){ asked_file, supply_3_first, unavailable_3, after_answers });
}

static void after_supply_and_unmap(void)
{
	check(!kr_a || kr_a == MACHVM_KERN_MEMORY_PRESENT || kr_a == MACHVM_KERN_MEMORY_ERROR);
	end_file(3);
}

TEST(race, a_supply_meets_the_unmapping_of_all)
{
	race(&(struct race){ asked_file, supply_3_first, unmap_both, after_supply_and_unmap });
}

TEST(race, a_supply_meets_the_end_of_the_pager)
{
	race(&(struct race){ asked_file, supply_3_first, close_pager, after_answers });
}

static void mapped_unready(void)
{
	two_maps();
	pager_new(&file);
	pager_bind(&file, 1);
	check_eq(map_pager(one, &file, 0, 8, 0, false), 0);
	check_eq(map_pager(two, &file, 0, 8, 0, false), 0);
}

static void ready(void)
{
	kr_a = machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY);
	machvm_port_pump(file.memobj->port);
}

static void after_ready(void)
{
	end_file(3);
}

TEST(race, ready_meets_the_end_of_the_pager)
{
	race(&(struct race){ mapped_unready, ready, close_pager, after_ready });
}

TEST(race, ready_meets_the_unmapping_of_all)
{
	race(&(struct race){ mapped_unready, ready, unmap_both, after_ready });
}

static void ask_3(void)
{
	struct machvm_request *request;

	if (!entry_at(two, 3))
		return;
	request = ask(entry_at(two, 3)->object, 3);
	if (request)
		machvm_request_put(request);
}

static void after_ready_and_ask(void)
{
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 1);
	end_file(3);
}

TEST(race, ready_meets_a_question)
{
	race(&(struct race){ mapped_unready, ready, ask_3, after_ready_and_ask });
}

static void two_objects(void)
{
	empty_file();
}

static struct pager second;

static void unbound_second(void)
{
	two_objects();
	pager_new(&second);
	check_eq(map_pager(two, &second, 8, 4, 0, false), 0);
}

static void join_second(void)
{
	struct machvm_port *port = file.memobj->port;

	kr_a = machvm_memobj_join(second.memobj, port);
	check_eq(kr_a, 0);
	spin_lock(&port->lock);
	machvm_memobj_bound_locked(second.memobj);
	spin_unlock(&port->lock);
	machvm_port_pump(port);
}

static void ask_second(void)
{
	struct machvm_request *request = ask(entry_at(two, 8)->object, 0);

	require(request);
	kr_b = machvm_request_done(request) ? request->result : 0;
	machvm_request_put(request);
}

static void after_join(void)
{
	check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
	check(!kr_b || kr_b == MACHVM_KERN_MEMORY_ERROR);
	check_eq(deallocate_at(two, 8, 4), 0);
	machvm_memobj_die(second.memobj);
	end_file(3);
	machvm_memobj_put(second.memobj);
}

TEST(race, joining_a_port_meets_a_question)
{
	race(&(struct race){ unbound_second, join_second, ask_second, after_join });
}

/* K12: messages arrive in the order of their numbers, whoever sends them. */

static void wide_file(void)
{
	empty_file();
	file.binding->window = 8;
}

static void ask_page(u64 index)
{
	struct machvm_request *request = ask(entry_at(one, 0)->object, index);

	require(request);
	machvm_request_put(request);
}

static void ask_0_and_1(void)
{
	ask_page(0);
	ask_page(1);
}

static void ask_2_and_4(void)
{
	ask_page(2);
	ask_page(4);
}

static void after_questions(void)
{
	arrived_in_order();
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 4);
	check_eq(file.memobj->port->nr_queued, 0);
	end_file(3);
}

TEST(race, K12_a_question_does_not_overtake_another)
{
	race(&(struct race){ wide_file, ask_0_and_1, ask_2_and_4, after_questions });
}
