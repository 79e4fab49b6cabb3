// SPDX-License-Identifier: GPL-2.0-only
/* request_test.c - questions and the port they wait at: none is lost, none is answered twice. */
#include "mock.h"

static struct pager pager;
static struct machvm_object *object;
static struct machvm_port *port;

static void setup(unsigned int window)
{
	pager_new(&pager);
	object = machvm_memobj_map(pager.memobj);
	require(object);
	port = pager.memobj->port;
	if (!window)
		return;
	pager_bind(&pager, window);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
}

static void teardown(void)
{
	machvm_object_put(object);
	pager_end(&pager);
	mock_sents_forget();
}

/* Requests, that is, beside @ctl other messages that are out. */
static void counts_are_with(unsigned long queued, unsigned long sent, unsigned long ctl)
{
	check_eq(port->nr_queued, queued);
	check_eq(port->nr_sent, sent + ctl);
	check_eq(mock_stats[MACHVM_STAT_QUEUED], queued + sent);
	check_eq(port->nr_open, queued + sent);
	check_eq(pager.memobj->nr_open, queued + sent);
}

static void counts_are(unsigned long queued, unsigned long sent)
{
	counts_are_with(queued, sent, 0);
}

TEST(request, a_question_is_sent_with_what_it_asks)
{
	struct machvm_request *request;
	struct mock_sent *sent;

	setup(4);
	request = ask(object, 7);
	require(request);
	check_eq(request->state, MACHVM_REQUEST_SENT);
	sent = mock_last_sent();
	require(sent && sent->type == MACHVM_MSG_DATA_REQUEST);
	check_eq(sent->object, pager.memobj->id);
	check_eq(sent->offset, PAGES(7));
	check_eq(sent->length, PAGE_SIZE);
	check_eq(sent->access, MACHVM_PROT_READ);
	check_eq(sent->epoch, pager.binding->epoch);
	counts_are(0, 1);
	machvm_request_put(request);
	teardown();
}

TEST(request, finish_wakes_once_and_the_first_result_stays)
{
	struct machvm_request *request;

	setup(4);
	request = ask(object, 7);
	fake_wakes = 0;
	machvm_request_finish(request, MACHVM_KERN_MEMORY_ERROR, 42);
	check(machvm_request_done(request));
	check_eq(fake_wakes, 1);
	machvm_request_finish(request, MACHVM_KERN_SUCCESS, 0);
	check_eq(request->result, MACHVM_KERN_MEMORY_ERROR);
	check_eq(request->error, 42);
	check(!request->folio);
	check_eq(mock_user.pages, 0);
	counts_are(0, 0);
	check_eq(pager.binding->in_flight, 0);
	machvm_request_put(request);
	teardown();
}

TEST(request, K2_questions_wait_for_ready)
{
	struct machvm_request *requests[3];
	unsigned int i;

	setup(0);
	pager_bind(&pager, 8);
	check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
	for (i = 0; i < 3; i++) {
		requests[i] = ask(object, i);
		require(requests[i]);
		check_eq(requests[i]->state, MACHVM_REQUEST_GATED);
	}
	counts_are_with(3, 0, 1);
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	machvm_port_pump(port);
	counts_are(0, 3);
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 3);
	/* In the order in which they were asked. */
	for (i = 0; i < 3; i++) {
		check_eq(mock_sents[1 + i].offset, PAGES(i));
		check_eq(mock_sents[1 + i].sequence, i + 2);
		machvm_request_put(requests[i]);
	}
	/* A second ready does nothing. */
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	counts_are(0, 3);
	teardown();
}

TEST(request, nobody_to_ask_is_an_error_at_once)
{
	struct machvm_request *request;

	setup(0);
	request = ask(object, 1);
	require(request && machvm_request_done(request));
	check_eq(request->result, MACHVM_KERN_MEMORY_ERROR);
	counts_are(0, 0);
	machvm_request_put(request);
	pager_bind(&pager, 1);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	request = ask(object, 1);
	check(!machvm_request_done(request));
	machvm_request_put(request);
	machvm_memobj_die(pager.memobj);
	request = ask(object, 2);
	check(machvm_request_done(request));
	check_eq(request->result, MACHVM_KERN_MEMORY_ERROR);
	machvm_request_put(request);
	teardown();
}

TEST(request, credit_bounds_what_is_in_flight)
{
	struct machvm_request *requests[10];
	unsigned int i;

	setup(4);
	for (i = 0; i < 10; i++)
		requests[i] = ask(object, i);
	counts_are(6, 4);
	check_eq(pager.binding->in_flight, 4);
	check_eq(requests[9]->state, MACHVM_REQUEST_QUEUED);
	check_eq(supply(&pager, 2, 1, false), 0);
	counts_are(5, 4);
	check_eq(mock_last_sent()->offset, PAGES(4));
	for (i = 0; i < 10; i++)
		if (i != 2)
			check_eq(supply(&pager, i, 1, false), 0);
	counts_are(0, 0);
	check_eq(pager.binding->in_flight, 0);
	for (i = 0; i < 10; i++) {
		check(machvm_request_done(requests[i]));
		check_eq(requests[i]->result, MACHVM_KERN_SUCCESS);
		machvm_request_put(requests[i]);
	}
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 10);
	teardown();
}

/* 10,000 questions while the pager does not read, then every answer, in a wild order. */
TEST(request, ten_thousand_wait_and_none_is_lost)
{
	enum { NR = 10000 };
	static struct machvm_request *requests[NR];
	static unsigned int order[NR];
	unsigned int i, j;

	setup(64);
	for (i = 0; i < NR; i++) {
		requests[i] = ask(object, i * 3);
		require(requests[i]);
		order[i] = i;
	}
	counts_are(NR - 64, 64);
	check_eq(port->requests, NR);
	check_eq(mock_user.pages, NR);
	for (i = 0; i < NR; i++) {
		j = i + test_random() % (NR - i);
		swap(order[i], order[j]);
	}
	/* Also answers to what was not sent yet. */
	for (i = 0; i < NR; i++)
		check_eq(supply(&pager, order[i] * 3, order[i], false), 0);
	counts_are(0, 0);
	check_eq(port->supplied, NR);
	check_eq(atomic_long_read(&pager.memobj->unasked), 0);
	check_eq(atomic_long_read(&object->resident), NR);
	for (i = 0; i < NR; i++) {
		struct folio *folio;

		check(machvm_request_done(requests[i]) && !requests[i]->result);
		machvm_request_put(requests[i]);
		down_read(&object->family->lock);
		folio = machvm_page_lookup(object, i * 3);
		up_read(&object->family->lock);
		check(folio && ((u8 *)folio_address(folio))[5] == (u8)i);
	}
	check(mock_sent_of(MACHVM_MSG_DATA_REQUEST) <= NR);
	teardown();
}

TEST(request, ten_thousand_end_when_the_pager_goes)
{
	enum { NR = 10000 };
	static struct machvm_request *requests[NR];
	unsigned int i;

	setup(64);
	for (i = 0; i < NR; i++)
		requests[i] = ask(object, i);
	fake_wakes = 0;
	pager_close(&pager);
	counts_are(0, 0);
	check(fake_wakes >= NR);
	check_eq(mock_user.pages, 0);
	for (i = 0; i < NR; i++) {
		check(machvm_request_done(requests[i]));
		check_eq(requests[i]->result, MACHVM_KERN_MEMORY_ERROR);
		machvm_request_put(requests[i]);
	}
	check_eq(mock_bindings_released, 1);
	teardown();
}

TEST(request, a_full_socket_only_delays)
{
	struct machvm_request *requests[3];
	unsigned int i;

	setup(8);
	mock_send_error = -EAGAIN;
	for (i = 0; i < 3; i++)
		requests[i] = ask(object, i);
	counts_are(3, 0);
	check(pager.binding->congested);
	check_eq(mock_nr_sent, 0);
	check_eq(requests[0]->state, MACHVM_REQUEST_QUEUED);
	mock_send_error = 0;
	machvm_port_pump(port);
	check_eq(mock_nr_sent, 0);
	machvm_port_uncongest(port);
	machvm_port_pump(port);
	counts_are(0, 3);
	for (i = 0; i < 3; i++) {
		check_eq(mock_sents[i].offset, PAGES(i));
		check_eq(mock_sents[i].sequence, mock_sents[0].sequence + i);
		machvm_request_put(requests[i]);
	}
	teardown();
}

TEST(request, an_answer_ends_congestion)
{
	struct machvm_request *first, *second;

	setup(8);
	first = ask(object, 1);
	mock_send_error = -EAGAIN;
	second = ask(object, 2);
	check(pager.binding->congested);
	mock_send_error = 0;
	check_eq(supply(&pager, 1, 1, false), 0);
	check_eq(second->state, MACHVM_REQUEST_SENT);
	counts_are(0, 1);
	machvm_request_put(first);
	machvm_request_put(second);
	teardown();
}

TEST(request, an_answer_may_overtake_the_end_of_the_send)
{
	struct machvm_request *request;
	struct machvm_sending sending;

	setup(8);
	mock_pump_held = true;
	request = ask(object, 1);
	check(machvm_port_next(port, &sending));
	check_eq(supply(&pager, 1, 1, false), 0);
	counts_are(0, 0);
	machvm_port_sent(port, &sending, -EAGAIN);
	counts_are(0, 0);
	check_eq(pager.binding->in_flight, 0);
	machvm_request_put(request);
	mock_pump_held = false;
	teardown();
}

TEST(request, a_socket_may_close_during_the_send)
{
	struct machvm_request *request;
	struct machvm_sending sending;
	int err;

	for (err = 0; err >= -EAGAIN; err -= EAGAIN) {
		setup(8);
		mock_pump_held = true;
		request = ask(object, 1);
		check(machvm_port_next(port, &sending));
		pager_close(&pager);
		check(machvm_request_done(request));
		machvm_port_sent(port, &sending, err);
		counts_are(0, 0);
		machvm_request_put(request);
		mock_pump_held = false;
		teardown();
	}
}

TEST(request, what_a_closed_socket_had_goes_to_the_next_in_order)
{
	struct machvm_binding *first, *second;
	struct machvm_request *requests[6];
	unsigned int i;
	u32 last = 0;

	setup(3);
	first = pager.binding;
	for (i = 0; i < 6; i++)
		requests[i] = ask(object, i);
	counts_are(3, 3);
	mock_sents_forget();
	mock_pump_held = true;
	second = machvm_binding_create(port, NULL, NULL, 2, 6);
	require(second);
	check(second->epoch > first->epoch);
	mock_pump_held = false;
	machvm_binding_close(first);
	check_eq(mock_nr_sent, 6);
	for (i = 0; i < 6; i++) {
		check_eq(mock_sents[i].offset, PAGES(i));
		check_eq(mock_sents[i].epoch, second->epoch);
		check(mock_sents[i].sequence > last);
		last = mock_sents[i].sequence;
		check(!machvm_request_done(requests[i]));
	}
	counts_are(0, 6);
	machvm_binding_close(first);	/* does nothing twice */
	machvm_binding_put(first);
	for (i = 0; i < 6; i++) {
		check_eq(supply(&pager, i, 1, false), 0);
		machvm_request_put(requests[i]);
	}
	pager.binding = second;
	teardown();
}

TEST(request, sockets_of_a_port_share_the_load)
{
	struct machvm_request *requests[8];
	struct machvm_binding *second;
	unsigned int i;

	setup(8);
	second = machvm_binding_create(port, NULL, NULL, 2, 2);
	for (i = 0; i < 8; i++)
		requests[i] = ask(object, i);
	check_eq(second->in_flight, 2);
	check_eq(pager.binding->in_flight, 6);
	for (i = 0; i < 8; i++)
		machvm_request_put(requests[i]);
	machvm_binding_close(second);
	machvm_binding_put(second);
	check_eq(pager.binding->in_flight, 8);
	teardown();
}

TEST(request, the_death_of_one_object_leaves_the_others_alone)
{
	struct pager other;
	struct machvm_object *others;
	struct machvm_request *a, *b, *gated;

	setup(1);
	pager_new(&other);
	others = machvm_memobj_map(other.memobj);
	check_eq(machvm_memobj_join(other.memobj, port), 0);
	check_eq(port->nr_objects, 2);
	a = ask(object, 1);
	b = ask(object, 2);
	gated = ask(others, 1);
	check_eq(a->state, MACHVM_REQUEST_SENT);
	check_eq(b->state, MACHVM_REQUEST_QUEUED);
	check_eq(gated->state, MACHVM_REQUEST_GATED);
	machvm_memobj_die(pager.memobj);
	check(machvm_request_done(a) && machvm_request_done(b));
	check(!machvm_request_done(gated));
	check_eq(pager.binding->in_flight, 1);	/* now init of the other */
	check_eq(port->nr_open, 1);
	pager_close(&pager);
	check(machvm_request_done(gated));
	machvm_request_put(a);
	machvm_request_put(b);
	machvm_request_put(gated);
	machvm_object_put(others);
	machvm_memobj_die(other.memobj);
	machvm_memobj_put(other.memobj);
	teardown();
}

static struct machvm_request *oldest(struct list_head *open)
{
	return list_first_entry_or_null(open, struct machvm_request, open_on_port);
}

TEST(request, the_oldest_is_known)
{
	struct machvm_request *first, *second;

	setup(1);
	check(!oldest(&port->open));
	first = ask(object, 1);
	fake_time_add(1000);
	second = ask(object, 2);
	check(oldest(&port->open) == first);
	check(second->msg.queued_ns >= first->msg.queued_ns + 1000);
	check_eq(supply(&pager, 1, 1, false), 0);
	check(oldest(&port->open) == second);
	counts_are(0, 1);
	machvm_request_put(first);
	machvm_request_put(second);
	teardown();
}

/* Steps of taking down a port that carries @nr objects with two questions each. */
static unsigned long work_of_end(unsigned int nr, bool by_socket)
{
	struct pager *pagers = calloc(nr, sizeof(*pagers));
	struct machvm_object **objects = calloc(nr, sizeof(*objects));
	unsigned long work;
	unsigned int i;

	pager_new(&pagers[0]);
	pager_bind(&pagers[0], 4);
	for (i = 0; i < nr; i++) {
		if (i)
			pager_new(&pagers[i]);
		check_eq(machvm_memobj_join(pagers[i].memobj, pagers[0].memobj->port), 0);
		objects[i] = machvm_memobj_map(pagers[i].memobj);
		require(objects[i]);
		machvm_request_put(ask(objects[i], 1));
		machvm_request_put(ask(objects[i], 2));
	}
	work = fake_steps;
	if (by_socket)
		pager_close(&pagers[0]);
	for (i = 0; i < nr; i++)
		machvm_memobj_die(pagers[i].memobj);
	work = fake_steps - work;
	check_eq(mock_stats[MACHVM_STAT_QUEUED], 0);
	for (i = nr; i--;) {
		machvm_object_put(objects[i]);
		pager_end(&pagers[i]);
	}
	mock_sents_forget();
	free(objects);
	free(pagers);
	return work;
}

TEST(request, thousands_of_objects_end_in_linear_time)
{
	unsigned int by_socket;

	for (by_socket = 0; by_socket < 2; by_socket++) {
		unsigned long few = work_of_end(1000, by_socket);

		check(few > 1000);
		check(work_of_end(4000, by_socket) < few * 5);
	}
}

TEST(request, ports_are_found_by_number_while_they_live)
{
	struct machvm_port *one = machvm_port_create(&mock_user), *found;

	require(one);
	found = machvm_port_first(0);
	check(found == one);
	machvm_port_put(found);
	check(!machvm_port_first(one->id + 1));
	machvm_port_put(one);
	check(!machvm_port_first(0));
}

TEST(request, the_whole_life_survives_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_memobj *memobj;
		struct machvm_binding *binding;
		struct machvm_request *request;
		struct machvm_object *mapped;

		fail_nth(n);
		memobj = machvm_memobj_create(&mock_user);
		if (IS_ERR(memobj)) {
			check(fail_end() && PTR_ERR(memobj) == -ENOMEM);
			check_eq(mock_user.objects, 0);
			continue;
		}
		mapped = machvm_memobj_map(memobj);
		if (IS_ERR(mapped))
			mapped = NULL;
		binding = mapped ? machvm_binding_create(memobj->port, NULL, NULL, 1, 0) : NULL;
		request = NULL;
		if (binding) {
			spin_lock(&memobj->port->lock);
			machvm_memobj_bound_locked(memobj);
			spin_unlock(&memobj->port->lock);
			machvm_port_pump(memobj->port);
			check_eq(machvm_memobj_ready(memobj, false, MACHVM_COPY_DELAY), 0);
			request = ask(mapped, 1);
		}
		check(fail_end() || request);
		if (request)
			machvm_request_put(request);
		if (mapped)
			machvm_object_put(mapped);
		if (binding) {
			machvm_binding_close(binding);
			machvm_binding_put(binding);
		}
		machvm_memobj_die(memobj);
		machvm_memobj_put(memobj);
		check(!machvm_object_first(0) && !machvm_port_first(0));
	}
}
