// SPDX-License-Identifier: GPL-2.0-only
/*
 * request_kunit.c - questions to pagers: joined, queued, sent on credit, answered, cancelled.
 */
#include "help.h"
#include <linux/completion.h>
#include <linux/kthread.h>

#define MANY 10000

static struct machvm_request **ask_many(struct help_pager *pager)
{
	struct machvm_request **requests;
	unsigned int i;

	requests = kunit_kcalloc(pager->test, MANY, sizeof(*requests), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(pager->test, requests);
	for (i = 0; i < MANY; i++)
		requests[i] = help_ask(pager, i, false);
	return requests;
}

static void put_many(struct machvm_request **requests)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		machvm_request_put(requests[i]);
}

static void finish_many(struct machvm_request **requests)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		machvm_request_finish(requests[i], MACHVM_KERN_SUCCESS, 0);
	put_many(requests);
}

static void ten_thousand_are_queued_and_joined(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 0);
	long queued = machvm_stat_sum(MACHVM_STAT_QUEUED);
	struct machvm_request **requests = ask_many(pager);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, MANY, pager->port->nr_queued);
	KUNIT_EXPECT_EQ(test, queued + MANY, machvm_stat_sum(MACHVM_STAT_QUEUED));
	KUNIT_EXPECT_EQ(test, MANY, atomic_long_read(&pager->memobj->requested));
	for (i = 0; i < MANY; i++) {
		struct machvm_request *joined = machvm_page_request(pager->object, i);

		KUNIT_ASSERT_PTR_EQ(test, requests[i], joined);
		machvm_request_put(joined);
	}
	KUNIT_EXPECT_EQ(test, MANY, pager->port->nr_queued);
	finish_many(requests);
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_queued);
	KUNIT_EXPECT_EQ(test, queued, machvm_stat_sum(MACHVM_STAT_QUEUED));
	for (i = 0; i < MANY; i += 99)
		KUNIT_EXPECT_NULL(test, machvm_page_request(pager->object, i));
}

/* Takes the next message as the sender would; its page, or -1. */
static long send_next(struct help_pager *pager, int err)
{
	struct machvm_sending sending;
	long page;

	if (!machvm_port_next(pager->port, &sending))
		return -1;
	page = sending.copy.offset >> PAGE_SHIFT;
	machvm_port_sent(pager->port, &sending, err);
	return page;
}

static void credit_is_kept_and_comes_back(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 7);
	struct machvm_request **requests = ask_many(pager);
	unsigned int i;

	for (i = 0; i < 7; i++)
		KUNIT_EXPECT_EQ(test, i, send_next(pager, 0));
	KUNIT_EXPECT_EQ(test, -1, send_next(pager, 0));
	KUNIT_EXPECT_EQ(test, 7, pager->port->nr_sent);
	KUNIT_EXPECT_EQ(test, MANY - 7, pager->port->nr_queued);
	for (i = 0; i < MANY - 7; i++) {
		machvm_request_finish(requests[i], MACHVM_KERN_SUCCESS, 0);
		KUNIT_ASSERT_EQ(test, i + 7, send_next(pager, 0));
		KUNIT_ASSERT_EQ(test, -1, send_next(pager, 0));
	}
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_queued);
	finish_many(requests);
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_sent);
	KUNIT_EXPECT_EQ(test, 0, pager->bindings[0]->in_flight);
}

/* What could not be sent is the first to be sent later, and the socket is left alone till then. */
static void a_full_socket_loses_nothing(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 100);
	struct machvm_request **requests = ask_many(pager);
	u64 messages = pager->port->messages;

	KUNIT_EXPECT_EQ(test, 0, send_next(pager, 0));
	KUNIT_EXPECT_EQ(test, 1, send_next(pager, -EAGAIN));
	KUNIT_EXPECT_EQ(test, -1, send_next(pager, 0));
	KUNIT_EXPECT_EQ(test, 1, pager->port->nr_sent);
	KUNIT_EXPECT_EQ(test, messages + 1, pager->port->messages);
	KUNIT_EXPECT_EQ(test, MACHVM_REQUEST_QUEUED, requests[1]->state);
	machvm_port_uncongest(pager->port);
	KUNIT_EXPECT_EQ(test, 1, send_next(pager, -EAGAIN));
	/* An answer says that it is being read. */
	machvm_request_finish(requests[0], MACHVM_KERN_SUCCESS, 0);
	KUNIT_EXPECT_EQ(test, 1, send_next(pager, 0));
	KUNIT_EXPECT_EQ(test, 2, send_next(pager, 0));
	finish_many(requests);
}

/* Answered between being taken and being sent. */
static void an_answer_overtakes_the_sending(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 4);
	struct machvm_request *request = help_ask(pager, 3, false);
	struct machvm_sending sending;

	KUNIT_ASSERT_TRUE(test, machvm_port_next(pager->port, &sending));
	machvm_request_finish(request, MACHVM_KERN_SUCCESS, 0);
	machvm_request_put(request);
	machvm_port_sent(pager->port, &sending, -EAGAIN);
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_queued);
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_sent);
	KUNIT_EXPECT_EQ(test, 0, pager->bindings[0]->in_flight);
}

static void a_closed_socket_leaves_its_requests_to_the_other(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 50);
	struct machvm_request **requests = ask_many(pager);
	unsigned int i;

	for (i = 0; i < 50; i++)
		KUNIT_EXPECT_EQ(test, i, send_next(pager, 0));
	help_second_socket(pager, 1024);
	pager->bindings[1]->congested = true;	/* sends nothing by itself */
	help_close_socket(pager, 0);
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_sent);
	KUNIT_EXPECT_EQ(test, MANY, pager->port->nr_queued);
	pager->bindings[1]->congested = false;
	for (i = 0; i < 1024; i++)
		KUNIT_ASSERT_EQ(test, i, send_next(pager, 0));
	KUNIT_EXPECT_EQ(test, -1, send_next(pager, 0));
	KUNIT_EXPECT_EQ(test, 1024, pager->bindings[1]->in_flight);
	finish_many(requests);
}

static void the_last_socket_ends_them_all(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 50);
	long queued = machvm_stat_sum(MACHVM_STAT_QUEUED);
	struct machvm_request **requests = ask_many(pager);
	unsigned int i;

	for (i = 0; i < 50; i++)
		send_next(pager, 0);
	help_close_socket(pager, 0);
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_queued);
	KUNIT_EXPECT_EQ(test, 0, pager->port->nr_sent);
	KUNIT_EXPECT_EQ(test, queued, machvm_stat_sum(MACHVM_STAT_QUEUED));
	for (i = 0; i < MANY; i++) {
		KUNIT_ASSERT_TRUE(test, machvm_request_done(requests[i]));
		KUNIT_ASSERT_EQ(test, MACHVM_KERN_MEMORY_ERROR, requests[i]->result);
	}
	put_many(requests);
}

/* Of two objects on one port, one dies. */
static void cancelling_is_for_one_object(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 4);
	struct machvm_request *ours[8], *theirs[8];
	struct machvm_memobj *other;
	struct machvm_object *object;
	unsigned int i;

	other = machvm_memobj_create(help_user(test));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_ASSERT_EQ(test, 0, machvm_memobj_join(other, pager->port));
	KUNIT_EXPECT_EQ(test, 2, pager->port->nr_objects);
	object = machvm_memobj_map(other);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
	for (i = 0; i < 8; i++) {
		ours[i] = help_ask(pager, i, false);
		/* Not ready, so these wait behind the gate. */
		theirs[i] = machvm_request_create(other, i, MACHVM_PROT_READ, NULL);
		KUNIT_ASSERT_NOT_NULL(test, theirs[i]);
		KUNIT_ASSERT_EQ(test, 0, machvm_request_post(theirs[i]));
		KUNIT_EXPECT_EQ(test, MACHVM_REQUEST_GATED, theirs[i]->state);
	}
	machvm_memobj_die(other);
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_TRUE(test, machvm_request_done(theirs[i]));
		KUNIT_EXPECT_FALSE(test, machvm_request_done(ours[i]));
		machvm_request_finish(ours[i], 0, 0);
		machvm_request_put(theirs[i]);
		machvm_request_put(ours[i]);
	}
	ours[0] = machvm_request_create(other, 99, MACHVM_PROT_READ, NULL);
	KUNIT_ASSERT_NOT_NULL(test, ours[0]);
	KUNIT_EXPECT_EQ(test, MACHVM_KERN_MEMORY_ERROR, machvm_request_post(ours[0]));
	machvm_request_put(ours[0]);
	machvm_object_put(object);
	machvm_memobj_put(other);
}

static void answers_fill_the_slot(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 4);
	struct machvm_request *request = help_ask(pager, 1, true);
	struct machvm_supply supply;
	struct folio *folio;

	KUNIT_EXPECT_EQ(test, 0, help_supply(pager, 1, 0x55));
	KUNIT_EXPECT_TRUE(test, machvm_request_done(request));
	KUNIT_EXPECT_EQ(test, MACHVM_KERN_SUCCESS, request->result);
	KUNIT_EXPECT_EQ(test, MACHVM_KERN_MEMORY_PRESENT, help_supply(pager, 1, 0x66));
	folio = machvm_page_lookup(pager->object, 1);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, 0x55, *(u8 *)folio_address(folio));
	machvm_request_put(request);

	/* A supply that could not be read leaves the question open. */
	request = help_ask(pager, 2, true);
	KUNIT_ASSERT_EQ(test, 0, machvm_memobj_supply_begin(pager->memobj, PAGES(2), &supply));
	machvm_memobj_supply_abort(&supply);
	KUNIT_EXPECT_FALSE(test, machvm_request_done(request));
	KUNIT_EXPECT_EQ(test, 0, machvm_memobj_unavailable(pager->memobj, 0, PAGES(8)));
	KUNIT_EXPECT_TRUE(test, machvm_request_done(request));
	KUNIT_EXPECT_NOT_NULL(test, machvm_page_lookup(pager->object, 2));
	KUNIT_EXPECT_NULL(test, machvm_page_lookup(pager->object, 3));
	machvm_request_put(request);

	/* S2.39: errors do nothing to what is there. */
	KUNIT_EXPECT_EQ(test, 0, machvm_memobj_error(pager->memobj, 0, PAGES(8), 5));
	KUNIT_EXPECT_EQ(test, 2, atomic_long_read(&pager->object->resident));
}

#define WAITERS 8

struct waiter {
	struct machvm_request *request;
	struct completion asleep, ended;
	int result, error;
};

static int wait_for_answer(void *argument)
{
	struct waiter *waiter = argument;

	complete(&waiter->asleep);
	wait_event(waiter->request->wait, machvm_request_done(waiter->request));
	waiter->result = waiter->request->result;
	waiter->error = waiter->request->error;
	complete(&waiter->ended);
	return 0;
}

/* S2.38 */
static void an_error_wakes_every_waiter(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 4);
	struct machvm_request *request = help_ask(pager, 0, true);
	struct waiter *waiters = kunit_kcalloc(test, WAITERS, sizeof(*waiters), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, waiters);
	for (i = 0; i < WAITERS; i++) {
		waiters[i].request = request;
		init_completion(&waiters[i].asleep);
		init_completion(&waiters[i].ended);
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(wait_for_answer, &waiters[i],
							    "waiter")));
		wait_for_completion(&waiters[i].asleep);
	}
	KUNIT_EXPECT_EQ(test, 0, machvm_memobj_error(pager->memobj, 0, PAGE_SIZE, 42));
	for (i = 0; i < WAITERS; i++) {
		wait_for_completion(&waiters[i].ended);
		KUNIT_EXPECT_EQ(test, MACHVM_KERN_MEMORY_ERROR, waiters[i].result);
		KUNIT_EXPECT_EQ(test, 42, waiters[i].error);
	}
	KUNIT_EXPECT_NULL(test, machvm_page_request(pager->object, 0));
	machvm_request_put(request);
}

static struct kunit_case request_cases[] = {
	KUNIT_CASE_SLOW(ten_thousand_are_queued_and_joined),
	KUNIT_CASE_SLOW(credit_is_kept_and_comes_back),
	KUNIT_CASE_SLOW(a_full_socket_loses_nothing),
	KUNIT_CASE(an_answer_overtakes_the_sending),
	KUNIT_CASE_SLOW(a_closed_socket_leaves_its_requests_to_the_other),
	KUNIT_CASE_SLOW(the_last_socket_ends_them_all),
	KUNIT_CASE(cancelling_is_for_one_object),
	KUNIT_CASE(answers_fill_the_slot),
	KUNIT_CASE(an_error_wakes_every_waiter),
	{}
};

static struct kunit_suite request_suite = {
	.name = "machvm_request",
	.test_cases = request_cases,
};

kunit_test_suite(request_suite);
