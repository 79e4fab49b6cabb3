// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_destroy.c - a pager gives its object up: row P14, rule S2.50.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <machvm/pager.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REASON 77

static int destroy(struct object *object, bool flush)
{
	struct machvm_object_destroy call = {
		.size = sizeof(call), .epoch = object->epoch, .reason = REASON, .flush = flush,
	};

	return util_ioctl(object->control, MACHVM_OBJECT_DESTROY, &call);
}

static void expect_error(struct touch *touch)
{
	must_eq(touch->signal, SIGBUS);
	must_eq(touch->why, KERN_MEMORY_ERROR);
	must_eq(touch->reason, REASON);
}

static void expect_error_at(vm_address_t address, bool write)
{
	struct touch touch = touch_now(address, write, 1);

	expect_error(&touch);
}

TEST(P14_S2_50_what_is_resident_stays_and_the_rest_is_an_error)
{
	struct util_region region;
	struct served s;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	memset((void *)s.base, 200, PAGE);
	EXPECT_EQ(0, destroy(&s.object, false));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(page_is(s.base, 0, 200));
	EXPECT_TRUE(page_is(s.base, 1, util_mark(1, 0)));
	memset((void *)(s.base + PAGE), 201, PAGE);
	expect_error_at(s.base + PAGES(2), false);
	expect_error_at(s.base + PAGES(3), true);
	must_eq(util_region(s.base, &region), KERN_SUCCESS);
	EXPECT_EQ(MACH_PORT_NULL, region.name);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_DESTROYED);
	/* Nobody is told what becomes of what was written. */
	unmap(s.base, 4);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_FALSE(object_is_mapped(&s.object));
}

TEST(P14_S2_50_everybody_who_waits_is_woken_once)
{
	struct touch readers[4], writers[2];
	struct served s;

	serve(&s, 8);
	for (unsigned int i = 0; i < 4; i++)
		sleeping_read(&readers[i], s.base + PAGES(i / 2));	/* two on a page */
	for (unsigned int i = 0; i < 2; i++)
		sleeping_write(&writers[i], s.base + PAGES(4 + i), 1);
	EXPECT_EQ(0, destroy(&s.object, false));
	for (unsigned int i = 0; i < 4; i++) {
		touch_end(&readers[i]);
		expect_error(&readers[i]);
		EXPECT_EQ(1, readers[i].signals);
	}
	for (unsigned int i = 0; i < 2; i++) {
		touch_end(&writers[i]);
		expect_error(&writers[i]);
	}
	EXPECT_EQ(KERN_MEMORY_ERROR, supply_mark(&s.object, 0, 0));	/* too late */
	expect_error_at(s.base, false);
}

TEST(P14_S2_50_who_waits_for_ready_is_woken)
{
	struct touch reader;
	struct served s;

	serve_start(&s, 2);
	sleeping_read(&reader, s.base);
	EXPECT_EQ(0, say_destroy(&s.channel, &s.object, REASON, true));
	touch_end(&reader);
	expect_error(&reader);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(0, say_ready(&s.channel, &s.object, COPY_DELAY));	/* too late */
	expect_error_at(s.base, false);
}

TEST(P14_who_waits_to_be_let_in_is_let_in)
{
	unsigned char data[PAGE] = { 55 };
	struct machvm_data_supply call = {
		.length = PAGE, .address = (uintptr_t)data, .lock_value = MACHVM_PROT_WRITE,
	};
	struct touch writer;
	struct served s;

	serve(&s, 1);
	call.epoch = s.object.epoch;
	must_eq(supply_status(&s.object, &call), 0);
	sleeping_write(&writer, s.base, 99);
	EXPECT_EQ(0, destroy(&s.object, false));
	touch_end(&writer);
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(99, byte_at(s.base, 0));
}

TEST(P14_a_new_mapping_is_a_new_incarnation)
{
	vm_address_t again;
	struct served s;

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	EXPECT_EQ(0, destroy(&s.object, false));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	again = map_object(&s.object, 0, 2, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	must_eq(supply_mark(&s.object, 0, 1), 0);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
	EXPECT_TRUE(page_is(again, 0, util_mark(0, 1)));
	*(unsigned char *)s.base = 9;
	EXPECT_EQ(util_mark(0, 1), byte_at(again, 0));
	/* Each of the two ends by itself, in either order. */
	unmap(again, 2);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(9, byte_at(s.base, 0));
	unmap(s.base, 2);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P14_only_what_the_pager_knows_can_be_destroyed)
{
	struct served s;

	serve(&s, 1);
	unmap(s.base, 1);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(KERN_MEMORY_ERROR, destroy(&s.object, false));
	EXPECT_EQ(KERN_MEMORY_ERROR, destroy(&s.object, true));
	EXPECT_EQ(-ENXIO, say_destroy(&s.channel, &s.object, 1, false));
	s.base = map_object(&s.object, 0, 1, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	EXPECT_EQ(0, destroy(&s.object, false));
	EXPECT_EQ(KERN_MEMORY_ERROR, destroy(&s.object, false));	/* and once */
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(P14_a_delayed_copy_keeps_what_it_has_seen)
{
	struct served s;
	vm_address_t copy;

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	copy = map_object(&s.object, 0, 2, true);
	*(unsigned char *)s.base = 200;
	EXPECT_EQ(0, destroy(&s.object, false));
	EXPECT_TRUE(page_is(copy, 0, util_mark(0, 0)));
	expect_error_at(copy + PAGE, false);
	expect_error_at(copy + PAGE, true);
	*(unsigned char *)copy = 3;
	EXPECT_EQ(200, byte_at(s.base, 0));
	unmap(s.base, 2);
	EXPECT_EQ(3, byte_at(copy, 0));
}

TEST(P14_a_cached_object_is_dropped)
{
	uint64_t before = statistics().out_active_count;
	struct served s;

	serve_start(&s, 4);
	must_eq(say_ready_as(&s.channel, &s.object, true, COPY_DELAY), 0);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	*(unsigned char *)s.base = 1;
	unmap(s.base, 4);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_CACHED);
	EXPECT_EQ(0, destroy(&s.object, false));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(before, statistics().out_active_count);
}

/* All that was written comes back, though somebody goes on writing. */
TEST(P14_flush_first_returns_what_was_written)
{
	unsigned char data[PAGES(4)];
	struct touch reader, writer;
	struct message message;
	struct served s;

	serve(&s, 8);
	for (unsigned int i = 0; i < 4; i++)
		must_eq(supply_mark(&s.object, i, 0), 0);
	must_eq(supply_precious(&s.object, 6, 0), 0);
	memset((void *)(s.base + PAGE), 200, PAGES(2));
	sleeping_read(&reader, s.base + PAGES(4));
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(0, destroy(&s.object, true));
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(PAGE, message.offset);
	EXPECT_EQ(PAGES(2), message.length);
	EXPECT_EQ(1, message.dirty);
	/* Reading goes on; writing waits, and nobody is asked; a page that is not there is an error. */
	EXPECT_TRUE(page_is(s.base, 1, 200));
	sleeping_write(&writer, s.base + PAGE, 201);
	expect_error_at(s.base + PAGES(5), false);
	must_eq(return_read(&s.object, PAGE, data, PAGES(2)), 0);
	EXPECT_EQ(200, data[0]);
	EXPECT_EQ(200, data[PAGES(2) - 1]);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(return_release(&s.object, PAGE, PAGES(2)), 0);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(PAGES(6), message.offset);
	EXPECT_EQ(0, message.dirty);
	touch_asleep(&writer);
	must_eq(return_release(&s.object, PAGES(6), PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	touch_end(&writer);
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(201, byte_at(s.base, 1));
	touch_end(&reader);
	expect_error(&reader);
	unmap(s.base, 8);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P14_the_pager_dies_while_it_flushes)
{
	struct touch writer;
	struct served s;

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	*(unsigned char *)s.base = 200;
	EXPECT_EQ(0, destroy(&s.object, true));
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	sleeping_write(&writer, s.base, 201);
	channel_close(&s.channel);
	touch_end(&writer);
	EXPECT_EQ(0, writer.signal);
	EXPECT_EQ(201, byte_at(s.base, 0));
	expect_error_at(s.base + PAGE, false);
}

TEST(P14_the_last_mapping_goes_while_it_is_flushed)
{
	struct served s;

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	*(unsigned char *)s.base = 200;
	EXPECT_EQ(0, destroy(&s.object, true));
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	unmap(s.base, 2);
	s.base = map_object(&s.object, 0, 2, false);
	must_eq(return_release(&s.object, 0, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	/* The new incarnation has nothing to do with it. */
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	must_eq(supply_mark(&s.object, 1, 3), 0);
	EXPECT_TRUE(page_is(s.base, 1, util_mark(1, 3)));
}

TEST(P14_a_client_is_killed_in_its_wait_for_the_flush)
{
	struct served s;
	pid_t client;
	int status;

	serve(&s, 1);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	*(unsigned char *)s.base = 200;
	must_eq(vm_inherit(SELF, s.base, PAGE, VM_INHERIT_SHARE), KERN_SUCCESS);
	EXPECT_EQ(0, destroy(&s.object, true));
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	client = fork_client(&s);
	if (!client) {
		*(volatile unsigned char *)s.base = 1;
		_exit(0);
	}
	process_asleep(client);
	must(!kill(client, SIGKILL));
	must_eq(waitpid(client, &status, 0), client);
	EXPECT_TRUE(WIFSIGNALED(status));
	must_eq(return_release(&s.object, 0, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(200, byte_at(s.base, 0));
}

/* The library */

static atomic_int terminated, returned;

static void on_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		    vm_size_t page_size)
{
	(void)name;
	(void)page_size;
	must_eq(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY), KERN_SUCCESS);
	*(memory_object_control_t *)cookie = control;
}

static void on_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
		      const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	(void)cookie;
	(void)control;
	must(dirty && kernel_copy && !offset && length == PAGE);
	atomic_store(&returned, *(const unsigned char *)data);
}

static void on_terminate(void *cookie, memory_object_control_t control)
{
	(void)cookie;
	(void)control;
	atomic_fetch_add(&terminated, 1);
}

TEST(P14_by_way_of_the_library)
{
	const struct machvm_pager_ops ops = {
		.init = on_init, .data_return = on_return, .terminate = on_terminate,
	};
	static unsigned char page[PAGE];
	memory_object_control_t control = 0;
	struct machvm_pager *pager;
	memory_object_t object;
	vm_address_t base;

	must_eq(machvm_pager_create(&ops, &pager), KERN_SUCCESS);
	must_eq(machvm_pager_object(pager, &control, &object), KERN_SUCCESS);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, memory_object_destroy(object, 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, machvm_pager_retire(MACH_PORT_DEAD, 1));
	for (int flush = 0; flush < 2; flush++) {
		atomic_store(&terminated, 0);
		control = 0;
		base = util_map(object, 0, 2, false);
		while (!control)
			must(machvm_pager_dispatch(pager) >= 0);
		must_eq(memory_object_data_supply(control, 0, (vm_offset_t)page, PAGE, 0, FALSE,
						  MACH_PORT_NULL), KERN_SUCCESS);
		*(unsigned char *)base = 10 + flush;
		EXPECT_EQ(KERN_SUCCESS, flush ? machvm_pager_retire(control, REASON) :
						memory_object_destroy(control, REASON));
		while (!terminated)
			must(machvm_pager_dispatch(pager) >= 0);
		EXPECT_EQ(flush ? 11 : 0, returned);
		expect_error_at(base + PAGE, false);
		EXPECT_EQ(10 + flush, byte_at(base, 0));
	}
	machvm_pager_destroy(pager);
}

HARNESS_MAIN
