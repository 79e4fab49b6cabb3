// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_end.c - data_return and terminate: row K11 of Mach's pager interface.
 */
#include "harness.h"
#include "raw.h"

#include <fcntl.h>
#include <sched.h>

#define MANY 700

/* What came back between the last unmapping and terminate. */
struct returned {
	unsigned int times[MANY];
	unsigned int dirty[MANY];
	unsigned char first[MANY], last[MANY];
	unsigned int pages, messages;
};

/* Takes everything in, up to terminate; nothing may follow that. */
static void take_all(struct served *s, struct returned *all)
{
	static unsigned char data[256 * PAGE];

	memset(all, 0, sizeof(*all));
	for (;;) {
		struct message message = channel_next(&s->channel);

		must_eq(message.object, s->object.id);
		must_eq(message.epoch, s->object.epoch);
		if (message.command == MACHVM_CMD_TERMINATE)
			break;
		must_eq(message.command, MACHVM_CMD_DATA_RETURN);
		must_eq(message.kernel_copy, 0);
		must(message.length && message.length <= sizeof(data));
		must_eq(message.length % PAGE, 0);
		must_eq(return_read(&s->object, message.offset, data, message.length), 0);
		for (uint64_t at = 0; at < message.length; at += PAGE) {
			unsigned int page = (message.offset + at) / PAGE;

			must(page < MANY);
			all->times[page]++;
			all->dirty[page] = message.dirty;
			all->first[page] = data[at];
			all->last[page] = data[at + PAGE - 1];
			all->pages++;
		}
		all->messages++;
		must_eq(return_release(&s->object, message.offset, message.length), 0);
	}
	must(channel_empty(&s->channel));
}

static void supply_all(struct served *s)
{
	for (unsigned int i = 0; i < s->pages; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
}

static void dirty(struct served *s, unsigned int page)
{
	memset((void *)(s->base + PAGES(page)), util_mark(page, 1), PAGE);
}

TEST(K11_S2_48_dirty_pages_come_back_then_terminate)
{
	static struct returned all;
	struct served s;

	serve(&s, 8);
	supply_all(&s);
	EXPECT_EQ(0, util_wrong(s.base, 8, 0));
	dirty(&s, 1);
	dirty(&s, 2);
	dirty(&s, 5);
	EXPECT_EQ(3, object_info(&s.object).out_dirty);
	unmap(s.base, 8);
	take_all(&s, &all);
	EXPECT_EQ(3, all.pages);
	for (int i = 0; i < 8; i++) {
		bool wanted = i == 1 || i == 2 || i == 5;

		EXPECT_EQ(wanted, all.times[i]);
		EXPECT_EQ(wanted, all.dirty[i]);
		EXPECT_EQ(wanted ? util_mark(i, 1) : 0, all.first[i]);
		EXPECT_EQ(wanted ? util_mark(i, 1) : 0, all.last[i]);
	}
	EXPECT_FALSE(object_is_mapped(&s.object));
}

TEST(K11_precious_pages_come_back_even_if_clean)
{
	static struct returned all;
	struct served s;

	serve(&s, 6);
	must_eq(supply_precious(&s.object, 0, 0), 0);
	must_eq(supply_precious(&s.object, 1, 0), 0);
	must_eq(supply_mark(&s.object, 2, 0), 0);
	must_eq(supply_mark(&s.object, 3, 0), 0);
	must_eq(supply_precious(&s.object, 5, 0), 0);
	EXPECT_EQ(util_mark(1, 0), byte_at(s.base, 1));
	dirty(&s, 0);
	dirty(&s, 3);
	unmap(s.base, 6);
	take_all(&s, &all);
	EXPECT_EQ(4, all.pages);
	EXPECT_EQ(1, all.times[0]);
	EXPECT_EQ(1, all.dirty[0]);
	EXPECT_EQ(util_mark(0, 1), all.first[0]);
	EXPECT_EQ(1, all.times[1]);
	EXPECT_EQ(0, all.dirty[1]);
	EXPECT_EQ(util_mark(1, 0), all.first[1]);
	EXPECT_EQ(0, all.times[2]);
	EXPECT_EQ(1, all.times[3]);
	EXPECT_EQ(1, all.dirty[3]);
	EXPECT_EQ(1, all.times[5]);
	EXPECT_EQ(0, all.dirty[5]);
}

TEST(K11_clean_pages_are_just_dropped)
{
	struct served s;
	uint64_t port;

	serve(&s, 8);
	supply_all(&s);
	port = object_info(&s.object).out_port;
	EXPECT_EQ(0, util_wrong(s.base, 8, 0));
	unmap(s.base, 8);
	EXPECT_EQ(s.object.id, expect_message(&s.channel, MACHVM_CMD_TERMINATE).object);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(0, port_info(port).out_sent);
	EXPECT_EQ(0, port_info(port).out_queued);
	EXPECT_EQ(0, port_info(port).out_oldest_ns);
}

TEST(K11_only_the_last_mapping_counts)
{
	struct served s;
	vm_address_t other;

	serve(&s, 4);
	other = map_object(&s.object, 1, 1, false);
	supply_all(&s);
	dirty(&s, 1);
	unmap(s.base, 4);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_TRUE(page_is(other, 0, util_mark(1, 1)));
	unmap(other, 1);
	EXPECT_EQ(PAGE, expect_message(&s.channel, MACHVM_CMD_DATA_RETURN).offset);
}

TEST(K11_a_part_that_is_unmapped_stays_in_the_object)
{
	struct served s;

	serve(&s, 4);
	supply_all(&s);
	dirty(&s, 2);
	unmap(s.base + PAGE, 2);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(4, object_info(&s.object).out_resident);
	EXPECT_TRUE(page_is(map_object(&s.object, 2, 1, false), 0, util_mark(2, 1)));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K11_more_pages_than_one_message_tells)
{
	static struct returned all;
	struct served s;

	serve(&s, MANY);
	supply_all(&s);
	for (int i = 0; i < MANY; i++)
		if (i != 300)
			dirty(&s, i);
	unmap(s.base, MANY);
	take_all(&s, &all);
	EXPECT_EQ(MANY - 1, all.pages);
	EXPECT_GT(20, all.messages);
	for (int i = 0; i < MANY; i++) {
		EXPECT_EQ(i != 300, all.times[i]);
		EXPECT_EQ(i == 300 ? 0 : util_mark(i, 1), all.first[i]);
	}
}

TEST(K11_a_process_that_ends_unmaps)
{
	static struct returned all;
	struct channel channel;
	struct object object;
	struct served s;
	pid_t client;

	channel_open(&channel);
	object_create(&object);
	must_eq(object_bind(&object, &channel, 0), 0);
	s.channel = channel;
	s.object = object;
	client = fork_client(&s);
	if (!client) {
		vm_address_t base = map_object(&object, 0, 2, false);

		memset((void *)(base + PAGE), 77, PAGE);
		_exit(0);
	}
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	EXPECT_EQ(0, util_wait(client));
	take_all(&s, &all);
	EXPECT_EQ(1, all.pages);
	EXPECT_EQ(1, all.dirty[1]);
	EXPECT_EQ(77, all.last[1]);
}

TEST(K11_what_a_system_call_wrote_is_dirty)
{
	static struct returned all;
	unsigned char data[PAGE];
	struct served s;
	int pipes[2];

	serve(&s, 2);
	supply_all(&s);
	must(!pipe2(pipes, O_CLOEXEC));
	memset(data, 55, sizeof(data));
	must_eq(write(pipes[1], data, PAGE), PAGE);
	EXPECT_EQ(util_mark(1, 0), byte_at(s.base, 1));
	EXPECT_EQ(PAGE, read(pipes[0], (void *)(s.base + PAGE), PAGE));
	unmap(s.base, 2);
	take_all(&s, &all);
	EXPECT_EQ(1, all.pages);
	EXPECT_EQ(55, all.first[1]);
}

/* The pager's three ways to deal with returned pages. */

static void return_four(struct served *s)
{
	serve(s, 4);
	supply_all(s);
	for (int i = 0; i < 4; i++)
		dirty(s, i);
	unmap(s->base, 4);
	must_eq(expect_message(&s->channel, MACHVM_CMD_DATA_RETURN).length, PAGES(4));
}

TEST(K11_reading_may_be_repeated)
{
	static unsigned char data[4 * PAGE + 1];
	struct served s;

	return_four(&s);
	for (int i = 0; i < 3; i++) {
		memset(data, 0, sizeof(data));
		EXPECT_EQ(0, return_read(&s.object, PAGE, data + 1, PAGES(2)));
		EXPECT_EQ(util_mark(1, 1), data[1]);
		EXPECT_EQ(util_mark(2, 1), data[2 * PAGE]);
		EXPECT_EQ(0, data[2 * PAGE + 1]);
	}
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(0, return_release(&s.object, 0, PAGES(4)));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_read(&s.object, 0, data, PAGE));
}

TEST(K11_terminate_follows_the_last_page)
{
	unsigned char data[PAGE];
	struct served s;

	return_four(&s);
	EXPECT_EQ(0, return_release(&s.object, PAGES(2), PAGE));
	EXPECT_EQ(0, return_release(&s.object, 0, PAGES(2)));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_read(&s.object, PAGES(2), data, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_release(&s.object, 0, PAGE));
	EXPECT_EQ(0, return_read(&s.object, PAGES(3), data, PAGE));
	EXPECT_EQ(util_mark(3, 1), data[0]);
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_release(&s.object, PAGES(2), PAGES(2)));
	EXPECT_EQ(0, return_release(&s.object, PAGES(3), PAGE));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_release(&s.object, PAGES(3), PAGE));
}

TEST(K11_mapping_moves_the_pages)
{
	struct machvm_vm_statistics before;
	struct util_region region;
	vm_address_t mine;
	struct served s;

	return_four(&s);
	before = statistics();
	EXPECT_EQ(0, return_map(&s.object, PAGE, PAGES(2), &mine));
	EXPECT_EQ(before.out_active_count, statistics().out_active_count);	/* no copy */
	EXPECT_TRUE(page_is(mine, 0, util_mark(1, 1)));
	EXPECT_TRUE(page_is(mine, 1, util_mark(2, 1)));
	*(unsigned char *)mine = 1;
	EXPECT_EQ(KERN_SUCCESS, util_region(mine, &region));
	EXPECT_EQ(mine, region.address);
	EXPECT_EQ(PAGES(2), region.size);
	EXPECT_EQ(VM_PROT_READ | VM_PROT_WRITE, region.protection);
	EXPECT_EQ(0, return_release(&s.object, 0, PAGE));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_release(&s.object, PAGE, PAGE));
	EXPECT_EQ(0, return_release(&s.object, PAGES(3), PAGE));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(1, byte_at(mine, 0));
	unmap(mine, 2);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(before.out_pageouts + 4, statistics().out_pageouts);
}

TEST(K11_mapping_all_of_them_ends_the_object)
{
	vm_address_t mine;
	struct served s;

	return_four(&s);
	EXPECT_EQ(0, return_map(&s.object, 0, PAGES(4), &mine));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	for (int i = 0; i < 4; i++)
		EXPECT_TRUE(page_is(mine, i, util_mark(i, 1)));
}

TEST(K11_arguments_of_the_return_calls)
{
	static const unsigned long commands[] = {
		MACHVM_RETURN_READ, MACHVM_RETURN_MAP, MACHVM_RETURN_RELEASE,
	};
	unsigned char data[PAGE];
	struct served s;

	return_four(&s);
	for (int i = 0; i < 3; i++) {
		struct machvm_data_return call = {
			.size = sizeof(call), .length = PAGE,
			.address = i ? 0 : (uintptr_t)data,
		};

		call.offset = 5;
		EXPECT_EQ(KERN_INVALID_ARGUMENT, util_ioctl(s.object.control, commands[i], &call));
		call.offset = 0;
		call.length = 5;
		EXPECT_EQ(KERN_INVALID_ARGUMENT, util_ioctl(s.object.control, commands[i], &call));
		call.offset = -PAGE;
		call.length = PAGES(2);
		EXPECT_EQ(KERN_INVALID_ARGUMENT, util_ioctl(s.object.control, commands[i], &call));
		call.offset = 0;
		call.length = PAGES(5);	/* the fifth was never there */
		call.address = i ? 0 : (uintptr_t)mmap(NULL, PAGES(5), PROT_WRITE,
						       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		EXPECT_EQ(KERN_INVALID_ADDRESS, util_ioctl(s.object.control, commands[i], &call));
		call.length = PAGE;
		call.__reserved = 1;
		EXPECT_EQ(-EINVAL, util_ioctl(s.object.control, commands[i], &call));
	}
	EXPECT_EQ(-EFAULT, return_read(&s.object, 0, (void *)8, PAGE));
	/* After all that every page is still there. */
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(0, return_release(&s.object, 0, PAGES(4)));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(K11_nothing_is_returned_while_it_is_mapped)
{
	unsigned char data[PAGE];
	vm_address_t mine;
	struct served s;

	serve(&s, 2);
	supply_all(&s);
	dirty(&s, 0);
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_read(&s.object, 0, data, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_map(&s.object, 0, PAGE, &mine));
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_release(&s.object, 0, PAGE));
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 1)));
}

/* Terminate, and what comes after. */

TEST(S2_48_mapped_again_after_terminate)
{
	struct served s;
	struct touch reader;
	struct message message;
	uint32_t last;

	serve(&s, 2);
	supply_all(&s);
	unmap(s.base, 2);
	last = expect_message(&s.channel, MACHVM_CMD_TERMINATE).sequence;
	s.base = map_object(&s.object, 0, 2, false);
	message = expect_message(&s.channel, MACHVM_CMD_INIT);
	EXPECT_EQ(last + 1, message.sequence);
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_READY);
	sleeping_read(&reader, s.base);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);	/* the old pages are gone */
	must_eq(supply_mark(&s.object, 0, 2), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 2), reader.byte);
}

TEST(S2_48_mapped_again_while_pages_are_returned)
{
	static struct returned all;
	struct served s;
	struct touch reader, writer;
	struct message message;

	serve(&s, 4);
	supply_all(&s);
	dirty(&s, 0);
	dirty(&s, 2);
	unmap(s.base, 4);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	s.base = map_object(&s.object, 0, 4, false);
	sleeping_read(&reader, s.base);
	sleeping_write(&writer, s.base + PAGES(2), 3);
	EXPECT_TRUE(channel_empty(&s.channel));
	/* What is said of the new mapping now is too early. */
	EXPECT_EQ(KERN_MEMORY_ERROR, supply_mark(&s.object, 0, 3));
	EXPECT_EQ(0, say_ready(&s.channel, &s.object, COPY_DELAY));
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(return_release(&s.object, message.offset, message.length), 0);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(return_release(&s.object, message.offset, message.length), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	EXPECT_EQ(0, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	EXPECT_EQ(PAGES(2), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(supply_mark(&s.object, 0, 5), 0);
	must_eq(supply_mark(&s.object, 2, 5), 0);
	touch_end(&reader);
	touch_end(&writer);
	EXPECT_EQ(util_mark(0, 5), reader.byte);
	EXPECT_EQ(0, writer.signal);
	unmap(s.base, 4);
	take_all(&s, &all);
	EXPECT_EQ(1, all.pages);
	EXPECT_EQ(3, all.first[2]);
	EXPECT_EQ(util_mark(2, 5), all.last[2]);
}

TEST(S2_48_mapped_and_unmapped_while_pages_are_returned)
{
	struct served s;

	serve(&s, 2);
	supply_all(&s);
	dirty(&s, 0);
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	for (int i = 0; i < 3; i++)
		unmap(map_object(&s.object, 0, 2, i & 1), 2);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(return_release(&s.object, 0, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));	/* nobody maps it: no init */
	s.base = map_object(&s.object, 0, 2, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
}

TEST(S2_48_unmapped_before_ready)
{
	struct served s;
	struct touch reader;

	serve_start(&s, 2);
	sleeping_read(&reader, s.base);
	unmap(s.base, 2);
	touch_end(&reader);
	EXPECT_EQ(SIGSEGV, reader.signal);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(0, say_ready(&s.channel, &s.object, COPY_DELAY));	/* of what has ended */
	EXPECT_TRUE(channel_empty(&s.channel));
	s.base = map_object(&s.object, 0, 2, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_READY);
}

TEST(S2_48_unmapped_before_a_socket_came)
{
	struct channel channel;
	struct object object;

	channel_open(&channel);
	object_create(&object);
	unmap(map_object(&object, 0, 2, false), 2);
	must_eq(object_bind(&object, &channel, 0), 0);
	EXPECT_TRUE(channel_empty(&channel));	/* the pager never heard of it */
	map_object(&object, 0, 2, false);
	expect_message(&channel, MACHVM_CMD_INIT);
	EXPECT_TRUE(channel_empty(&channel));
}

TEST(S2_48_many_incarnations_in_order)
{
	struct served s;
	uint32_t sequence = 1;

	serve(&s, 2);
	for (int i = 0; i < 50; i++) {
		struct message message;

		must_eq(supply_mark(&s.object, 0, i), 0);
		if (i & 1)
			dirty(&s, 0);
		unmap(s.base, 2);
		s.base = map_object(&s.object, 0, 2, false);
		message = channel_next(&s.channel);
		if (i & 1) {
			must_eq(message.command, MACHVM_CMD_DATA_RETURN);
			must_eq(message.sequence, ++sequence);
			must_eq(return_release(&s.object, 0, PAGE), 0);
			message = channel_next(&s.channel);
		}
		must_eq(message.command, MACHVM_CMD_TERMINATE);
		must_eq(message.sequence, ++sequence);
		message = expect_message(&s.channel, MACHVM_CMD_INIT);
		must_eq(message.sequence, ++sequence);
		must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	}
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K11_the_mapping_holds_the_object_not_the_descriptor)
{
	struct served s;
	struct touch reader;

	serve(&s, 2);
	close(s.object.fd);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 0), reader.byte);
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(K11_a_supply_after_terminate_is_refused)
{
	unsigned char data[PAGE] = { 1 };
	struct served s;

	serve(&s, 2);
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(KERN_MEMORY_ERROR, supply(&s.object, 0, data, PAGE));
	EXPECT_EQ(-ENXIO, say_supply(&s.channel, &s.object, 0, data, PAGE, false, false));
	EXPECT_EQ(-ENXIO, say_unavailable(&s.channel, &s.object, 0, PAGE));
	EXPECT_EQ(-ENXIO, say_error(&s.channel, &s.object, 0, PAGE, 1));
	EXPECT_TRUE(channel_empty(&s.channel));
}

HARNESS_MAIN
