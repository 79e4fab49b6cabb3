// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_copy.c - copies of pagers' objects: vm_map with copy (row V15) and fork.
 */
#include "harness.h"
#include "raw.h"

#include <sched.h>

#define NEW 0xa1
#define NEWER 0xb2
#define OTHER 0xc3

static void put(vm_address_t base, unsigned int page, unsigned char byte)
{
	*(volatile unsigned char *)(base + PAGES(page)) = byte;
}

static unsigned char old(unsigned int page)
{
	return util_mark(page, 0);
}

static void serve_all(struct served *s, unsigned int pages)
{
	serve(s, pages);
	for (unsigned int i = 0; i < pages; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
}

/* Takes what is returned up to terminate; one bit for each page. */
static unsigned int returned_pages(struct served *s, unsigned char bytes[32])
{
	unsigned int pages = 0;

	for (;;) {
		struct message message = channel_next(&s->channel);

		if (message.command == MACHVM_CMD_TERMINATE)
			break;
		must_eq(message.command, MACHVM_CMD_DATA_RETURN);
		for (uint64_t at = 0; at < message.length; at += PAGE) {
			unsigned char data[PAGE];
			unsigned int page = (message.offset + at) / PAGE;

			must(page < 32 && !(pages & 1U << page));
			must_eq(return_read(&s->object, message.offset + at, data, PAGE), 0);
			bytes[page] = data[0];
			pages |= 1U << page;
		}
		must_eq(return_release(&s->object, message.offset, message.length), 0);
	}
	must(channel_empty(&s->channel));
	return pages;
}

TEST(V15_a_copy_asks_for_nothing)
{
	struct served s;

	serve(&s, 8);
	map_object(&s.object, 0, 8, true);
	map_object(&s.object, 4, 4, true);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(0, object_info(&s.object).out_requested);
}

TEST(V15_a_copy_of_what_is_not_ready_does_not_wait)
{
	struct served s;
	struct touch reader;
	vm_address_t copy;

	serve_start(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	sleeping_read(&reader, copy);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(old(0), reader.byte);
}

TEST(S2_29_a_later_write_through_a_sharer_is_not_seen_by_the_copy)
{
	unsigned char back[32] = { 0 };
	struct served s;
	vm_address_t copy, sharer;

	serve_all(&s, 4);
	sharer = map_object(&s.object, 0, 4, false);
	EXPECT_EQ(old(0), byte_at(s.base, 0));
	put(s.base, 1, NEW);		/* before the copy: both see it */
	copy = map_object(&s.object, 0, 4, true);
	EXPECT_EQ(old(2), byte_at(copy, 2));	/* one translation there, none of page 3 */
	put(s.base, 0, NEW);
	put(s.base, 1, NEWER);
	put(sharer, 2, NEW);
	put(sharer, 3, NEW);
	EXPECT_EQ(old(0), byte_at(copy, 0));
	EXPECT_EQ(NEW, byte_at(copy, 1));
	EXPECT_EQ(old(2), byte_at(copy, 2));
	EXPECT_EQ(old(3), byte_at(copy, 3));
	EXPECT_EQ(NEW, byte_at(sharer, 0));
	EXPECT_EQ(NEWER, byte_at(sharer, 1));
	EXPECT_EQ(NEW, byte_at(s.base, 2));
	EXPECT_EQ(NEW, byte_at(s.base, 3));
	EXPECT_TRUE(channel_empty(&s.channel));
	unmap(s.base, 4);
	unmap(sharer, 4);
	EXPECT_TRUE(channel_empty(&s.channel));	/* the copy holds the object */
	EXPECT_EQ(old(3), byte_at(copy, 3));
	unmap(copy, 4);
	EXPECT_EQ(0xf, returned_pages(&s, back));
	EXPECT_EQ(NEW, back[0]);
	EXPECT_EQ(NEWER, back[1]);
	EXPECT_EQ(NEW, back[2]);
}

TEST(S2_29_writes_to_the_copy_are_seen_by_nobody_else)
{
	struct served s;
	vm_address_t copy, second;

	serve_all(&s, 4);
	copy = map_object(&s.object, 0, 4, true);
	second = map_object(&s.object, 0, 4, true);
	put(copy, 0, NEW);
	EXPECT_EQ(old(1), byte_at(copy, 1));
	put(copy, 1, NEW);
	EXPECT_EQ(NEW, byte_at(copy, 0));
	EXPECT_EQ(old(0), byte_at(second, 0));
	put(second, 0, OTHER);
	EXPECT_EQ(NEW, byte_at(copy, 0));
	EXPECT_EQ(OTHER, byte_at(second, 0));
	EXPECT_EQ(0, util_wrong(s.base, 4, 0));
	EXPECT_EQ(0, object_info(&s.object).out_dirty);
	unmap(copy, 4);
	unmap(second, 4);
	EXPECT_TRUE(channel_empty(&s.channel));
	unmap(s.base, 4);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);	/* the pager sees none of it */
}

TEST(S2_30_two_copies_in_time_order)
{
	struct served s;
	vm_address_t first, second, third;

	serve_all(&s, 4);
	first = map_object(&s.object, 0, 4, true);
	put(s.base, 0, NEW);
	second = map_object(&s.object, 0, 4, true);
	put(s.base, 0, NEWER);
	third = map_object(&s.object, 0, 4, true);
	put(s.base, 0, OTHER);
	put(s.base, 1, OTHER);
	EXPECT_EQ(old(0), byte_at(first, 0));
	EXPECT_EQ(NEW, byte_at(second, 0));
	EXPECT_EQ(NEWER, byte_at(third, 0));
	EXPECT_EQ(OTHER, byte_at(s.base, 0));
	EXPECT_EQ(old(1), byte_at(first, 1));
	EXPECT_EQ(old(1), byte_at(second, 1));
	EXPECT_EQ(old(1), byte_at(third, 1));
	/* Pages never looked at before, after all the copies. */
	put(s.base, 2, NEW);
	EXPECT_EQ(old(2), byte_at(third, 2));
	EXPECT_EQ(old(2), byte_at(first, 2));
	/* The one in the middle goes; the others stay what they are. */
	unmap(second, 4);
	EXPECT_EQ(old(0), byte_at(first, 0));
	EXPECT_EQ(NEWER, byte_at(third, 0));
	put(s.base, 3, NEW);
	EXPECT_EQ(old(3), byte_at(first, 3));
	EXPECT_EQ(old(3), byte_at(third, 3));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_30_copies_of_the_same_moment)
{
	struct served s;
	vm_address_t first, second;

	serve_all(&s, 2);
	first = map_object(&s.object, 0, 2, true);
	second = map_object(&s.object, 0, 2, true);
	put(s.base, 0, NEW);
	EXPECT_EQ(old(0), byte_at(first, 0));
	EXPECT_EQ(old(0), byte_at(second, 0));
	put(first, 0, OTHER);
	EXPECT_EQ(old(0), byte_at(second, 0));
	EXPECT_EQ(NEW, byte_at(s.base, 0));
}

TEST(S2_31_a_page_not_resident_is_asked_for_once_copy_first)
{
	struct served s;
	struct touch reader;
	vm_address_t copy;

	serve(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	sleeping_read(&reader, copy);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(old(0), reader.byte);
	EXPECT_EQ(old(0), byte_at(s.base, 0));
	/* The pager's own store has changed since; what is resident has not. */
	EXPECT_EQ(KERN_MEMORY_PRESENT, supply_mark(&s.object, 0, 1));
	EXPECT_TRUE(page_is(copy, 0, old(0)));
	EXPECT_TRUE(page_is(s.base, 0, old(0)));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_requested);
}

TEST(S2_31_a_page_not_resident_is_asked_for_once_source_first)
{
	struct served s;
	struct touch reader, also;
	vm_address_t copy;

	serve(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	sleeping_read(&reader, s.base);
	sleeping_read(&also, copy);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	touch_end(&also);
	EXPECT_EQ(old(0), also.byte);
	put(s.base, 0, NEW);
	EXPECT_EQ(old(0), byte_at(copy, 0));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_31_written_by_the_source_before_anybody_read_it)
{
	struct served s;
	struct touch writer;
	vm_address_t copy;

	serve(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	sleeping_write(&writer, s.base + PAGE, NEW);
	EXPECT_EQ(3, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).access);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&writer);
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(NEW, byte_at(s.base, 1));
	EXPECT_TRUE(page_is(copy, 1, old(1)));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_requested);
}

TEST(S2_31_an_unasked_supply_is_for_the_copy_too)
{
	struct served s;
	vm_address_t copy;

	serve(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	put(s.base, 1, NEW);
	EXPECT_TRUE(page_is(copy, 1, old(1)));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_31_an_error_reaches_who_reads_the_copy)
{
	struct served s;
	struct touch reader, writer;
	vm_address_t copy;

	serve(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	sleeping_read(&reader, copy);
	sleeping_write(&writer, copy + 1, 1);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(say_error(&s.channel, &s.object, 0, PAGE, 12), 0);
	touch_end(&reader);
	touch_end(&writer);
	EXPECT_EQ(SIGBUS, reader.signal);
	EXPECT_EQ(12, reader.reason);
	EXPECT_EQ(SIGBUS, writer.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, writer.why);
	EXPECT_EQ(12, writer.reason);
}

TEST(V15_a_copy_at_an_offset)
{
	struct served s;
	vm_address_t copy;

	serve_all(&s, 8);
	copy = map_object(&s.object, 3, 4, true);
	put(s.base, 4, NEW);
	put(copy, 2, OTHER);
	EXPECT_EQ(old(3), byte_at(copy, 0));
	EXPECT_EQ(old(4), byte_at(copy, 1));
	EXPECT_EQ(OTHER, byte_at(copy, 2));
	EXPECT_EQ(old(5), byte_at(s.base, 5));
	EXPECT_EQ(old(6), byte_at(copy, 3));
}

TEST(V15_a_copy_outlives_the_mapping_it_was_made_beside)
{
	struct served s;
	struct touch reader;
	vm_address_t copy;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	copy = map_object(&s.object, 0, 4, true);
	put(s.base, 0, NEW);
	unmap(s.base, 4);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(old(0), byte_at(copy, 0));
	sleeping_read(&reader, copy + PAGE);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(old(1), reader.byte);
	unmap(copy, 4);
	EXPECT_EQ(0, expect_message(&s.channel, MACHVM_CMD_DATA_RETURN).offset);
	must_eq(return_release(&s.object, 0, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(V15_a_copy_made_after_the_pager_died)
{
	struct served s;
	struct touch reader;
	vm_address_t copy;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	put(s.base, 0, NEW);
	close(s.channel.fd);
	close(s.object.control);
	copy = map_object(&s.object, 0, 4, true);
	put(s.base, 1, NEW);
	EXPECT_EQ(NEW, byte_at(copy, 0));
	EXPECT_TRUE(page_is(copy, 1, old(1)));
	put(copy, 1, OTHER);
	EXPECT_EQ(NEW, byte_at(s.base, 1));
	reader = touch_now(copy + PAGES(2), false, 0);
	EXPECT_EQ(SIGBUS, reader.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, reader.why);
	reader = touch_now(copy + PAGES(2), true, 1);
	EXPECT_EQ(SIGBUS, reader.signal);
}

TEST(V15_a_copy_made_before_the_pager_died)
{
	struct served s;
	vm_address_t copy;

	serve_all(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	close(s.channel.fd);
	close(s.object.control);
	put(s.base, 0, NEW);
	EXPECT_TRUE(page_is(copy, 0, old(0)));
	put(copy, 1, NEW);
	EXPECT_TRUE(page_is(s.base, 1, old(1)));
}

TEST(V15_copies_in_other_processes)
{
	struct served s;
	pid_t clients[3];

	serve(&s, 4);
	for (int i = 0; i < 3; i++) {
		clients[i] = fork_client(&s);
		if (!clients[i]) {
			vm_address_t copy = map_object(&s.object, 0, 4, true);

			for (int page = 0; page < 4; page++)
				put(copy, page, 100 + i);
			for (int page = 0; page < 4; page++) {
				must_eq(byte_at(copy, page), 100 + i);
				must_eq(*(unsigned char *)(copy + PAGES(page) + 1), old(page));
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++) {
		uint64_t offset = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset;

		must_eq(supply_mark(&s.object, offset / PAGE, 0), 0);
	}
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, util_wait(clients[i]));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(0, util_wrong(s.base, 4, 0));
	EXPECT_EQ(4, object_info(&s.object).out_requested);
}

/* fork */

TEST(S2_29_fork_copies_what_is_mapped_shared)
{
	unsigned char back[32] = { 0 };
	struct util_gate go, told;
	struct served s;
	pid_t child;

	serve_all(&s, 4);
	put(s.base, 0, NEW);
	must(!util_gate_init(&go) && !util_gate_init(&told));
	child = fork_client(&s);
	if (!child) {
		must(!util_gate_pass(&go));
		must_eq(byte_at(s.base, 0), NEW);
		must_eq(byte_at(s.base, 1), old(1));	/* the parent's write came later */
		put(s.base, 2, OTHER);
		put(s.base, 1, OTHER);
		must_eq(byte_at(s.base, 2), OTHER);
		util_gate_open(&told);
		must(!util_gate_pass(&go));
		must_eq(byte_at(s.base, 3), old(3));
		must_eq(byte_at(s.base, 1), OTHER);
		_exit(0);
	}
	put(s.base, 1, NEWER);
	util_gate_open(&go);
	must(!util_gate_pass(&told));
	EXPECT_EQ(NEWER, byte_at(s.base, 1));
	EXPECT_EQ(old(2), byte_at(s.base, 2));
	put(s.base, 3, NEWER);
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(child));
	EXPECT_TRUE(channel_empty(&s.channel));
	unmap(s.base, 4);
	EXPECT_EQ(0xb, returned_pages(&s, back));	/* 0, 1 and 3 */
	EXPECT_EQ(NEWER, back[1]);
}

TEST(S2_31_fork_and_a_page_not_resident)
{
	struct served s;
	struct touch writer;
	volatile atomic_int *stage = util_shared(sizeof(*stage));
	pid_t child;

	serve(&s, 2);
	child = fork_client(&s);
	if (!child) {
		atomic_store(stage, 1);
		must_eq(byte_at(s.base, 1), old(1));
		_exit(0);
	}
	wait_until(atomic_load(stage));
	process_asleep(child);
	sleeping_write(&writer, s.base + PAGE, NEW);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&writer);
	EXPECT_EQ(0, util_wait(child));
	EXPECT_EQ(NEW, byte_at(s.base, 1));
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* A fork asks no pager and waits for none, whatever the child will find. */
TEST(C4_fork_of_what_cannot_be_read)
{
	struct util_pager *fails = util_pager_start(4), *silent = util_pager_start(4);
	vm_address_t error, closed;
	pid_t pid;

	error = util_map(util_pager_object(fails), 0, 4, false);
	closed = util_map(util_pager_object(silent), 0, 4, false);
	must(error && closed);
	util_pager_fail_from(fails, 0, 5);
	util_pager_hold(silent, true);
	must_eq(vm_protect(SELF, closed, PAGES(4), FALSE, VM_PROT_NONE), 0);
	pid = fork();
	if (pid == 0) {
		struct util_access access = util_read(error);

		EXPECT_EQ(SIGBUS, access.signal);
		EXPECT_EQ(KERN_MEMORY_ERROR, access.why);
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(closed));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_pager_requests(silent, 0));
	EXPECT_EQ(1, util_pager_requests(fails, 0));
	util_pager_stop(fails);
	util_pager_stop(silent);
}

TEST(V15_fork_of_a_copy)
{
	struct util_gate go;
	struct served s;
	vm_address_t copy;
	pid_t child;

	serve_all(&s, 4);
	copy = map_object(&s.object, 0, 4, true);
	put(copy, 0, NEW);
	must(!util_gate_init(&go));
	child = fork_client(&s);
	if (!child) {
		must(!util_gate_pass(&go));
		must_eq(byte_at(copy, 0), NEW);
		must_eq(byte_at(copy, 1), old(1));
		must_eq(byte_at(copy, 2), old(2));
		put(copy, 2, OTHER);
		must_eq(byte_at(copy, 2), OTHER);
		_exit(0);
	}
	put(copy, 0, NEWER);
	put(copy, 1, NEWER);
	put(s.base, 2, NEWER);
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(child));
	EXPECT_EQ(NEWER, byte_at(copy, 0));
	EXPECT_EQ(old(2), byte_at(copy, 2));
	EXPECT_EQ(NEWER, byte_at(s.base, 2));
}

TEST(V15_a_child_of_fork_may_outlive_its_parent)
{
	struct util_gate go;
	struct served s;
	pid_t parent, reaped;
	volatile atomic_int *result = util_shared(sizeof(*result));

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must(!util_gate_init(&go));
	parent = fork_client(&s);
	if (!parent) {
		vm_address_t base = map_object(&s.object, 0, 2, false);

		put(base, 0, NEW);
		if (!fork()) {
			must(!util_gate_pass(&go));
			must_eq(byte_at(base, 0), NEW);
			must_eq(byte_at(base, 1), old(1));
			atomic_store(result, 1);
			_exit(0);
		}
		put(base, 0, NEWER);
		_exit(0);
	}
	reaped = parent;
	EXPECT_EQ(0, util_wait(reaped));
	util_gate_open(&go);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	wait_until(atomic_load(result));
	EXPECT_EQ(NEWER, byte_at(s.base, 0));
}

HARNESS_MAIN
