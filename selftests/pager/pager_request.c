// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_request.c - init, ready and data_request: rows K1, K2, K3 of Mach's pager interface.
 */
#include "harness.h"
#include "raw.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#define BIT(n) (1U << (n))
#define BASIC (BIT(MACHVM_A_MSG_OBJECT) | BIT(MACHVM_A_MSG_EPOCH) | BIT(MACHVM_A_MSG_SEQUENCE))

TEST(K1_init_once_with_the_page_size)
{
	struct channel channel;
	struct object object;
	struct message init;
	vm_address_t first, second;

	channel_open(&channel);
	object_create(&object);
	must_eq(object_bind(&object, &channel, 0), 0);
	EXPECT_TRUE(channel_empty(&channel));	/* nobody maps it */
	first = map_object(&object, 0, 4, false);
	init = expect_message(&channel, MACHVM_CMD_INIT);
	EXPECT_EQ(object.id, init.object);
	EXPECT_EQ(object.epoch, init.epoch);
	EXPECT_EQ(1, init.sequence);
	EXPECT_EQ(PAGE, init.page_size);
	EXPECT_EQ(BASIC | BIT(MACHVM_A_MSG_PAGE_SIZE), init.seen & ~BIT(MACHVM_A_MSG_PAD));
	second = map_object(&object, 2, 4, false);
	EXPECT_NE(first, second);
	EXPECT_TRUE(channel_empty(&channel));
	must_eq(say_ready(&channel, &object, COPY_DELAY), 0);
	map_object(&object, 0, 4, true);
	unmap(first, 4);
	EXPECT_TRUE(channel_empty(&channel));
}

TEST(K1_V15_init_at_a_first_mapping_by_copy)
{
	struct channel channel;
	struct object object;
	vm_address_t copy;

	channel_open(&channel);
	object_create(&object);
	must_eq(object_bind(&object, &channel, 0), 0);
	copy = map_object(&object, 0, 4, true);
	EXPECT_EQ(object.id, expect_message(&channel, MACHVM_CMD_INIT).object);
	must_eq(say_ready(&channel, &object, COPY_DELAY), 0);
	EXPECT_TRUE(channel_empty(&channel));	/* the copy is lazy */
	unmap(copy, 4);
	EXPECT_EQ(object.id, expect_message(&channel, MACHVM_CMD_TERMINATE).object);
}

TEST(K1_init_goes_to_a_socket_that_comes_later)
{
	struct channel channel;
	struct object object;

	channel_open(&channel);
	object_create(&object);
	map_object(&object, 0, 4, false);
	EXPECT_TRUE(object_info(&object).out_flags & MACHVM_OBJECT_ABSENT);
	must_eq(object_bind(&object, &channel, 0), 0);
	EXPECT_EQ(object.id, expect_message(&channel, MACHVM_CMD_INIT).object);
	EXPECT_FALSE(object_info(&object).out_flags & MACHVM_OBJECT_ABSENT);
	EXPECT_TRUE(channel_empty(&channel));
}

TEST(K1_each_object_of_a_port_has_its_own_init)
{
	struct channel channel;
	struct object objects[3];
	struct machvm_port_info port;

	channel_open(&channel);
	for (int i = 0; i < 3; i++) {
		object_create(&objects[i]);
		must_eq(object_bind(&objects[i], &channel, 0), 0);
		map_object(&objects[i], 0, 1, false);
	}
	for (int i = 0; i < 3; i++) {
		struct message init = expect_message(&channel, MACHVM_CMD_INIT);

		EXPECT_EQ(objects[i].id, init.object);
		EXPECT_EQ(1, init.sequence);
	}
	EXPECT_TRUE(channel_empty(&channel));
	EXPECT_EQ(object_info(&objects[0]).out_port, object_info(&objects[2]).out_port);
	port = port_info(object_info(&objects[0]).out_port);
	EXPECT_EQ(3, port.out_objects);
	EXPECT_EQ(1, port.out_sockets);
	EXPECT_EQ(getpid(), port.out_pid);
}

TEST(K2_faults_wait_for_ready)
{
	struct served s;
	struct touch reader, writer;
	struct message request;

	serve_start(&s, 4);
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_READY);
	sleeping_read(&reader, s.base);
	sleeping_write(&writer, s.base + PAGE, 9);
	EXPECT_EQ(2, object_info(&s.object).out_requests);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(0, request.offset);
	EXPECT_EQ(2, request.sequence);
	request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(PAGE, request.offset);
	EXPECT_EQ(3, request.sequence);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&reader);
	touch_end(&writer);
	EXPECT_EQ(0, reader.signal);
	EXPECT_EQ(util_mark(0, 0), reader.byte);
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(9, byte_at(s.base, 1));
}

TEST(K2_a_supply_before_ready_is_refused)
{
	struct served s;
	struct touch reader;
	unsigned char data[PAGE] = { 1 };

	serve_start(&s, 2);
	EXPECT_EQ(MACHVM_KERN_MEMORY_ERROR, supply(&s.object, 0, data, PAGE));
	EXPECT_EQ(-ENXIO, say_supply(&s.channel, &s.object, 0, data, PAGE, false, false));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 0), reader.byte);
}

TEST(K2_ready_twice_is_once)
{
	struct served s;
	struct touch reader;

	serve(&s, 2);
	EXPECT_EQ(0, say_ready(&s.channel, &s.object, COPY_DELAY));
	sleeping_read(&reader, s.base);
	EXPECT_EQ(0, say_ready(&s.channel, &s.object, COPY_DELAY));
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(0, reader.signal);
}

TEST(K2_copy_strategies_that_are_not_served)
{
	struct served s;

	serve_start(&s, 2);
	EXPECT_EQ(-EINVAL, say_ready(&s.channel, &s.object, MACHVM_COPY_SYMMETRIC));
	EXPECT_EQ(-ERANGE, say_ready(&s.channel, &s.object, 5));
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_READY);
	EXPECT_EQ(0, say_ready(&s.channel, &s.object, COPY_DELAY));
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_READY);
	EXPECT_EQ(MACHVM_COPY_DELAY, object_info(&s.object).out_copy_strategy);
}

TEST(K2_ready_for_what_is_not_mapped)
{
	struct channel channel;
	struct object object;

	channel_open(&channel);
	object_create(&object);
	must_eq(object_bind(&object, &channel, 0), 0);
	EXPECT_EQ(0, say_ready(&channel, &object, COPY_DELAY));	/* says nothing to anybody */
	map_object(&object, 0, 1, false);
	expect_message(&channel, MACHVM_CMD_INIT);
	EXPECT_FALSE(object_info(&object).out_flags & MACHVM_OBJECT_READY);
}

TEST(K3_reading_asks_for_read_writing_for_both)
{
	struct served s;
	struct touch reader, writer;
	struct message request;

	serve(&s, 8);
	sleeping_read(&reader, s.base + PAGES(3) + 100);
	request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(s.object.id, request.object);
	EXPECT_EQ(s.object.epoch, request.epoch);
	EXPECT_EQ(PAGES(3), request.offset);
	EXPECT_EQ(PAGE, request.length);
	EXPECT_EQ(MACHVM_PROT_READ, request.access);
	EXPECT_EQ(BASIC | BIT(MACHVM_A_MSG_OFFSET) | BIT(MACHVM_A_MSG_LENGTH) |
		  BIT(MACHVM_A_MSG_ACCESS), request.seen & ~BIT(MACHVM_A_MSG_PAD));
	sleeping_write(&writer, s.base + PAGES(5), 1);
	request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(PAGES(5), request.offset);
	EXPECT_EQ(MACHVM_PROT_READ | MACHVM_PROT_WRITE, request.access);
	must_eq(supply_mark(&s.object, 3, 0), 0);
	must_eq(supply_mark(&s.object, 5, 0), 0);
	touch_end(&reader);
	touch_end(&writer);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(2, object_info(&s.object).out_requested);
	EXPECT_EQ(0, object_info(&s.object).out_requests);
}

TEST(K3_the_source_of_a_copy_on_write_is_only_read)
{
	struct served s;
	struct touch writer;
	struct message request;
	vm_address_t copy;

	serve(&s, 2);
	copy = map_object(&s.object, 0, 2, true);
	sleeping_write(&writer, copy + PAGE, 7);
	request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(PAGE, request.offset);
	EXPECT_EQ(MACHVM_PROT_READ, request.access);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&writer);
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(7, byte_at(copy, 1));
	EXPECT_TRUE(page_is(s.base, 1, util_mark(1, 0)));
}

TEST(K3_an_offset_of_the_mapping_counts)
{
	struct served s;
	struct touch reader;
	vm_address_t far;
	uint64_t last = -PAGE;

	serve(&s, 2);
	far = map_object(&s.object, 1000000, 2, false);
	sleeping_read(&reader, far + PAGE);
	EXPECT_EQ(PAGES(1000001), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(supply_mark(&s.object, 1000001, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(1000001, 0), reader.byte);
	/* The very last page there can be. */
	far = map_object(&s.object, last / PAGE, 1, false);
	sleeping_read(&reader, far);
	EXPECT_EQ(last, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(say_unavailable(&s.channel, &s.object, last, PAGE), 0);
	touch_end(&reader);
	EXPECT_EQ(0, reader.signal);
	EXPECT_EQ(0, reader.byte);
}

TEST(K3_two_threads_on_one_page_are_one_request)
{
	struct served s;
	struct touch first, second;

	serve(&s, 2);
	sleeping_read(&first, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	sleeping_write(&second, s.base + 8, 3);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_requests);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&first);
	touch_end(&second);
	EXPECT_EQ(0, first.signal);
	EXPECT_EQ(util_mark(0, 0), first.byte);
	EXPECT_EQ(0, second.signal);
	EXPECT_EQ(3, *(unsigned char *)(s.base + 8));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_requested);
	EXPECT_EQ(1, object_info(&s.object).out_supplied);
	EXPECT_EQ(0, object_info(&s.object).out_unasked);
}

TEST(K3_two_processes_on_one_page_are_one_request)
{
	struct served s;
	volatile atomic_int *stage = util_shared(sizeof(*stage));
	struct touch reader;
	pid_t client;

	serve(&s, 4);
	client = fork_client(&s);
	if (!client) {
		vm_address_t base = map_object(&s.object, 0, 4, false);
		unsigned char byte;

		atomic_store(stage, 1);
		byte = byte_at(base, 2);
		must_eq(byte, util_mark(2, 0));
		_exit(0);
	}
	wait_until(atomic_load(stage));
	process_asleep(client);
	EXPECT_EQ(PAGES(2), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	sleeping_read(&reader, s.base + PAGES(2));
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(supply_mark(&s.object, 2, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(2, 0), reader.byte);
	EXPECT_EQ(0, util_wait(client));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_requested);
}

/* Linux touches the page for a program: in write(2) and in read(2). */
static void *push(void *argument)
{
	struct touch *touch = argument;

	touch->tid = gettid();
	atomic_store(&touch->stage, 1);
	touch->signal = write(touch->write ? 0 : (int)touch->signals, (void *)touch->address, PAGE);
	atomic_store(&touch->stage, 2);
	return NULL;
}

TEST(K3_a_system_call_asks_as_a_program_does)
{
	struct served s;
	struct touch writer = { 0 };
	struct message request;
	unsigned char back[PAGE];
	int pipes[2];

	serve(&s, 4);
	must(!pipe2(pipes, O_CLOEXEC));
	writer.address = s.base + PAGE;
	writer.signals = pipes[1];
	must(!pthread_create(&writer.thread, NULL, push, &writer));
	wait_until(atomic_load(&writer.stage));
	touch_asleep(&writer);
	request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(PAGE, request.offset);
	EXPECT_EQ(MACHVM_PROT_READ, request.access);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&writer);
	EXPECT_EQ(PAGE, writer.signal);
	EXPECT_EQ(PAGE, read(pipes[0], back, PAGE));
	EXPECT_EQ(util_mark(1, 0), back[0]);
	EXPECT_EQ(util_mark(1, 0), back[PAGE - 1]);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K3_each_page_of_an_object_is_asked_once)
{
	struct served s;
	struct touch touches[16];

	serve(&s, 16);
	for (int i = 0; i < 16; i++)
		sleeping_read(&touches[i], s.base + PAGES(i));
	for (int i = 0; i < 16; i++) {
		struct message request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);

		EXPECT_EQ(PAGES(i), request.offset);
		EXPECT_EQ(2 + i, request.sequence);
	}
	EXPECT_EQ(16, object_info(&s.object).out_requests);
	EXPECT_NE(0, object_info(&s.object).out_oldest_request_ns);
	for (int i = 15; i >= 0; i--)	/* any order will do */
		must_eq(supply_mark(&s.object, i, 0), 0);
	for (int i = 0; i < 16; i++) {
		touch_end(&touches[i]);
		EXPECT_EQ(0, touches[i].signal);
		EXPECT_EQ(util_mark(i, 0), touches[i].byte);
	}
	EXPECT_EQ(0, util_wrong(s.base, 16, 0));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(16, object_info(&s.object).out_requested);
	EXPECT_EQ(16, object_info(&s.object).out_supplied);
	EXPECT_EQ(0, object_info(&s.object).out_oldest_request_ns);
}

TEST(K3_a_page_unmapped_while_it_is_asked_for)
{
	struct served s;
	struct touch reader;
	vm_address_t other;

	serve(&s, 2);
	other = map_object(&s.object, 0, 2, false);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	unmap(s.base, 2);			/* at once */
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(SIGSEGV, reader.signal);
	EXPECT_EQ(KERN_INVALID_ADDRESS, reader.why);
	EXPECT_EQ(util_mark(0, 0), byte_at(other, 0));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K3_the_last_mapping_goes_while_a_page_is_asked_for)
{
	struct served s;
	struct touch reader;

	serve(&s, 2);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	unmap(s.base, 2);
	supply_mark(&s.object, 0, 0);		/* too late, whatever it answers */
	touch_end(&reader);
	EXPECT_EQ(SIGSEGV, reader.signal);
	EXPECT_EQ(KERN_INVALID_ADDRESS, reader.why);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_FALSE(object_is_mapped(&s.object));
}

TEST(K3_protected_while_it_is_asked_for)
{
	struct served s;
	struct touch writer;

	serve(&s, 2);
	sleeping_write(&writer, s.base, 1);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(vm_protect(SELF, s.base, PAGE, FALSE, VM_PROT_NONE), KERN_SUCCESS);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&writer);
	EXPECT_EQ(SIGSEGV, writer.signal);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, writer.why);
	must_eq(vm_protect(SELF, s.base, PAGE, FALSE, VM_PROT_READ), KERN_SUCCESS);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
}

HARNESS_MAIN
