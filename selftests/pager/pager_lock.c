// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_lock.c - access that a pager forbids page by page, and data_unlock: rows P3 and K4.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANY 0xee
#define READ MACHVM_PROT_READ
#define WRITE MACHVM_PROT_WRITE
#define ALL MACHVM_PROT_ALL

static int supply_locked(struct object *object, unsigned int page, uint32_t lock)
{
	unsigned char data[PAGE];
	struct machvm_data_supply call = {
		.epoch = object->epoch, .offset = PAGES(page), .length = PAGE,
		.address = (uintptr_t)data, .lock_value = lock,
	};

	memset(data, util_mark(page, 0), sizeof(data));
	return supply_status(object, &call);
}

static void expect_unlock(struct served *s, unsigned int page, uint32_t access)
{
	struct message message = expect_message(&s->channel, MACHVM_CMD_DATA_UNLOCK);

	must_eq(message.object, s->object.id);
	must_eq(message.epoch, s->object.epoch);
	must(message.sequence);
	must_eq(message.offset, PAGES(page));
	must_eq(message.length, PAGE);
	must_eq(message.access, access);
}

TEST(P3_K4_who_writes_to_a_page_locked_against_it_makes_the_pager_be_asked)
{
	struct touch writer;
	struct served s;

	serve(&s, 2);
	EXPECT_EQ(0, supply_locked(&s.object, 0, WRITE));
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));	/* mapped, but only to be read */
	EXPECT_TRUE(channel_empty(&s.channel));
	sleeping_write(&writer, s.base, ANY);
	expect_unlock(&s, 0, READ | WRITE);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));	/* reads go on */
	EXPECT_EQ(0, object_info(&s.object).out_dirty);
	EXPECT_EQ(0, object_info(&s.object).out_requested);
	touch_asleep(&writer);
	EXPECT_TRUE(channel_empty(&s.channel));
	unmap(s.base, 2);
	touch_end(&writer);
	EXPECT_EQ(KERN_INVALID_ADDRESS, writer.why);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(P3_an_inline_supply_locks_too)
{
	static struct request request;
	unsigned char data[2 * PAGE] = { 1 };
	struct touch reader;
	struct served s;

	serve(&s, 2);
	request_begin(&request, &s.channel, MACHVM_CMD_DATA_SUPPLY);
	request_u64(&request, MACHVM_A_MSG_OBJECT, s.object.id);
	request_u32(&request, MACHVM_A_MSG_EPOCH, s.object.epoch);
	request_u64(&request, MACHVM_A_MSG_OFFSET, 0);
	request_put(&request, MACHVM_A_MSG_DATA, data, sizeof(data));
	request_u32(&request, MACHVM_A_MSG_LOCK_VALUE, ALL);
	EXPECT_EQ(0, request_send(&request, &s.channel));
	sleeping_read(&reader, s.base + PAGE);
	expect_unlock(&s, 1, READ);
	unmap(s.base, 2);
	touch_end(&reader);
	EXPECT_EQ(KERN_INVALID_ADDRESS, reader.why);
}

TEST(P3_data_that_answers_a_write_may_be_locked_against_it)
{
	struct touch writer;
	struct message message;
	struct served s;

	serve(&s, 1);
	sleeping_write(&writer, s.base, ANY);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(READ | WRITE, message.access);
	EXPECT_EQ(0, supply_locked(&s.object, 0, WRITE));
	expect_unlock(&s, 0, READ | WRITE);
	touch_asleep(&writer);
	unmap(s.base, 1);
	touch_end(&writer);
}

TEST(S2_41_data_unlock_is_sent_once_for_each_access_that_is_missing)
{
	struct touch readers[3], writers[4];
	struct served s;

	serve(&s, 3);
	EXPECT_EQ(0, supply_locked(&s.object, 0, WRITE));
	EXPECT_EQ(0, supply_locked(&s.object, 1, ALL));
	EXPECT_EQ(0, supply_locked(&s.object, 2, ALL));
	sleeping_write(&writers[0], s.base, 1);
	sleeping_write(&writers[1], s.base + 1, 2);
	expect_unlock(&s, 0, READ | WRITE);
	EXPECT_TRUE(channel_empty(&s.channel));		/* one for both */

	sleeping_read(&readers[0], s.base + PAGE);
	expect_unlock(&s, 1, READ);
	sleeping_write(&writers[2], s.base + PAGE, 1);
	expect_unlock(&s, 1, READ | WRITE);
	sleeping_read(&readers[1], s.base + PAGE + 1);
	EXPECT_TRUE(channel_empty(&s.channel));		/* reading is part of it */
	EXPECT_EQ(3, object_info(&s.object).out_requests);

	sleeping_write(&writers[3], s.base + PAGES(2), 1);
	expect_unlock(&s, 2, READ | WRITE);
	sleeping_read(&readers[2], s.base + PAGES(2));
	EXPECT_TRUE(channel_empty(&s.channel));		/* also where it was not asked for */
	EXPECT_EQ(4, object_info(&s.object).out_requests);
	unmap(s.base, 3);
	for (unsigned int i = 0; i < 4; i++)
		touch_end(&writers[i]);
	for (unsigned int i = 0; i < 3; i++)
		touch_end(&readers[i]);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(P3_neighbours_that_may_not_be_read_are_not_mapped_along)
{
	struct touch reader;
	struct served s;

	serve(&s, 16);
	for (unsigned int i = 0; i < 16; i++)
		must_eq(supply_locked(&s.object, i, i == 7 ? READ : 0), 0);
	EXPECT_EQ(util_mark(0, 0), byte_at(s.base, 0));
	for (unsigned int i = 0; i < 16; i++) {
		if (i != 7)
			EXPECT_EQ(util_mark(i, 0), byte_at(s.base, i));
	}
	EXPECT_TRUE(channel_empty(&s.channel));
	sleeping_read(&reader, s.base + PAGES(7));
	expect_unlock(&s, 7, READ);
	unmap(s.base, 16);
	touch_end(&reader);
}

TEST(P3_a_copy_is_read_from_what_may_be_read)
{
	struct touch reader, writer;
	struct served s;
	vm_address_t copy;

	serve(&s, 4);
	EXPECT_EQ(0, supply_locked(&s.object, 0, READ));
	EXPECT_EQ(0, supply_locked(&s.object, 1, WRITE));
	EXPECT_EQ(0, supply_locked(&s.object, 2, READ));
	copy = map_object(&s.object, 0, 4, true);
	EXPECT_EQ(0, touch_now(copy + PAGE, true, ANY).signal);	/* only its source is locked */
	EXPECT_EQ(util_mark(1, 0), byte_at(s.base, 1));
	EXPECT_TRUE(channel_empty(&s.channel));
	sleeping_read(&reader, copy);
	expect_unlock(&s, 0, READ);
	sleeping_write(&writer, copy + PAGES(2), ANY);
	expect_unlock(&s, 2, READ);
	channel_close(&s.channel);
	touch_end(&reader);
	touch_end(&writer);
	EXPECT_EQ(KERN_MEMORY_ERROR, reader.why);
	EXPECT_EQ(KERN_MEMORY_ERROR, writer.why);
}

TEST(K4_who_waits_to_be_let_in_gets_an_error_when_the_pager_dies)
{
	struct touch reader, writer;
	struct served s;

	serve(&s, 2);
	EXPECT_EQ(0, supply_locked(&s.object, 0, WRITE));
	EXPECT_EQ(0, supply_locked(&s.object, 1, ALL));
	sleeping_write(&writer, s.base, ANY);
	sleeping_read(&reader, s.base + PAGE);
	channel_close(&s.channel);
	touch_end(&writer);
	touch_end(&reader);
	EXPECT_EQ(SIGBUS, writer.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, writer.why);
	EXPECT_EQ(KERN_MEMORY_ERROR, reader.why);
	/* Nobody can be asked now; what is allowed stays allowed. */
	EXPECT_EQ(KERN_MEMORY_ERROR, touch_now(s.base, true, ANY).why);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
}

TEST(K4_a_new_pager_is_asked_anew)
{
	struct touch writer;
	struct served s;

	serve(&s, 1);
	EXPECT_EQ(0, supply_locked(&s.object, 0, WRITE));
	sleeping_write(&writer, s.base, ANY);
	expect_unlock(&s, 0, READ | WRITE);
	channel_close(&s.channel);
	touch_end(&writer);
	EXPECT_EQ(KERN_MEMORY_ERROR, writer.why);
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	sleeping_write(&writer, s.base, ANY);
	expect_unlock(&s, 0, READ | WRITE);
	unmap(s.base, 1);
	touch_end(&writer);
}

TEST(K4_who_waits_to_be_let_in_can_be_killed)
{
	struct served s;
	pid_t client;
	int status;

	serve(&s, 1);
	EXPECT_EQ(0, supply_locked(&s.object, 0, ALL));
	must_eq(vm_inherit(SELF, s.base, PAGE, VM_INHERIT_SHARE), KERN_SUCCESS);
	client = fork_client(&s);
	if (!client) {
		byte_at(s.base, 0);
		_exit(0);
	}
	expect_unlock(&s, 0, READ);
	process_asleep(client);
	must(!kill(client, SIGKILL));
	must_eq(waitpid(client, &status, 0), client);
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(K4_a_system_call_waits_to_be_let_in)
{
	struct served s;
	int pipes[2];
	pid_t client;

	serve(&s, 1);
	EXPECT_EQ(0, supply_locked(&s.object, 0, WRITE));
	must_eq(vm_inherit(SELF, s.base, PAGE, VM_INHERIT_SHARE), KERN_SUCCESS);
	must(!pipe(pipes));
	must_eq(write(pipes[1], "x", 1), 1);
	client = fork_client(&s);
	if (!client)
		_exit(read(pipes[0], (void *)s.base, 1) == -1 && errno == EFAULT ? 0 : 1);
	expect_unlock(&s, 0, READ | WRITE);
	process_asleep(client);
	channel_close(&s.channel);
	must_eq(util_wait(client), 0);
}

HARNESS_MAIN
