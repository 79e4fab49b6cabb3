// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_fail.c - what a pager or its client lacks, one thing after the other: what was written is
 * never lost on its way to the pager, and nobody is told of an error that no pager has said.
 */
#include "harness.h"
#include "inject.h"
#include "raw.h"

#define NR 4			/* pages that are returned */
#define MOST 500		/* a call needs fewer things */

FIXTURE(lack) {
	struct util_inject inject;
	struct served s;
	long limit;
};

FIXTURE_SETUP(lack)
{
	self->limit = util_parameter("max_user_pages");
}

FIXTURE_TEARDOWN_PARENT(lack)
{
	util_parameter_set("max_user_pages", self->limit);
}

/* Pages that were written are on their way to the pager, which has been told. */
static void written(struct served *s, unsigned int generation)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .length = PAGES(NR), .should_return = MACHVM_RETURN_DIRTY,
		.should_flush = 1, .reply = 1,
	};

	for (unsigned int i = 0; i < NR; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
	util_fill(s->base, NR, generation);
	must_eq(util_ioctl(s->object.control, MACHVM_LOCK_REQUEST, &call), 0);
	must_eq(expect_message(&s->channel, MACHVM_CMD_DATA_RETURN).length, PAGES(NR));
}

/* The caller has the pages in memory of its own, wherever that is. */
static bool are_mine(struct served *s, unsigned int generation)
{
	struct util_region region;
	vm_address_t at = 0;

	for (; !util_region(at, &region); at = region.address + region.size) {
		if (region.address == s->base || util_why_read(region.address) ||
		    util_wrong(region.address, NR, generation))
			continue;
		unmap(region.address, NR);
		return true;
	}
	return false;
}

/* The pager can still read them, and lets go. */
static bool are_to_be_read(struct served *s, unsigned int generation)
{
	static unsigned char data[NR * PAGE];

	if (return_read(&s->object, 0, data, PAGES(NR)) ||
	    util_wrong((vm_address_t)data, NR, generation))
		return false;
	must_eq(return_release(&s->object, 0, PAGES(NR)), 0);
	return true;
}

/* Whatever the call says: it, or who made it, has them, and just once. */
TEST_F(lack, K5_pages_that_move_to_the_pager_are_not_lost)
{
	struct served *s = &self->s;
	unsigned int failures = 0, nth;
	vm_address_t place;
	bool more = true;
	int answer = -1;

	serve(s, NR);
	ASSERT_TRUE(util_inject_init(&self->inject));
	for (nth = 1; more && nth < MOST; nth++) {
		written(s, nth);
		util_inject(&self->inject, nth);
		answer = return_map(&s->object, 0, PAGES(NR), &place);
		more = util_inject_end(&self->inject);
		failures += answer != 0;
		ASSERT_TRUE(are_mine(s, nth) || (answer && are_to_be_read(s, nth)))
			TH_LOG("%d without number %u", answer, nth);
		expect_message(&s->channel, MACHVM_CMD_LOCK_COMPLETED);
		ASSERT_EQ(1, util_regions(0, -1UL)) TH_LOG("%d without number %u", answer, nth);
	}
	EXPECT_EQ(0, answer);
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_map(&s->object, 0, PAGES(NR), &place));
	EXPECT_EQ(0, place);
	if (self->inject.fd >= 0)
		EXPECT_LT(0, failures);
}

/* A thread that has never waited for a pager, and what it lacks. */
struct reader {
	vm_address_t address;
	unsigned int nth;
	unsigned char byte;
	bool lacked, possible;
};

/* A fault that failed would end all of it by a signal. */
static void *read_lacking(void *argument)
{
	struct reader *reader = argument;
	struct util_inject inject;

	must(util_inject_init(&inject));
	reader->possible = inject.fd >= 0;
	if (reader->possible)	/* the limit of other kernels is an error of its own */
		util_inject(&inject, reader->nth);
	reader->byte = *(volatile unsigned char *)reader->address;
	reader->lacked = util_inject_end(&inject);
	return NULL;
}

/* It is not there, and comes when it is asked for. */
TEST_F(lack, P6_no_memory_is_no_error_of_the_pager)
{
	struct reader reader = { .nth = 1, .lacked = true };
	struct served *s = &self->s;
	pthread_t thread;

	serve(s, MOST);
	for (; reader.lacked && reader.nth < MOST; reader.nth++) {
		reader.address = s->base + PAGES(reader.nth);
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_lacking, &reader));
		must_eq(expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST).offset,
			PAGES(reader.nth));
		must_eq(supply_mark(&s->object, reader.nth, 0), 0);
		pthread_join(thread, NULL);
		ASSERT_EQ(util_mark(reader.nth, 0), reader.byte);
	}
	EXPECT_FALSE(reader.lacked);
	if (reader.possible)
		EXPECT_LT(3, reader.nth);
}

HARNESS_MAIN
