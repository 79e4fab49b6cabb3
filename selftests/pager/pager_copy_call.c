// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_copy_call.c - objects whose pager is told of copies, and serves them: rows C8 and K7, rules
 * S2.33 and S2.51.
 */
#include "harness.h"
#include "raw.h"

#include <mach_debug/mach_debug.h>
#include <machvm/pager.h>
#include <signal.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ANY 0xee
#define RESIDENT 2	/* the first pages are there; the second of them was written */
#define OBJECT_PAGES 4

static void serve_call(struct served *s)
{
	serve_start(s, OBJECT_PAGES);
	must_eq(say_ready(&s->channel, &s->object, COPY_CALL), 0);
	must_eq(object_info(&s->object).out_copy_strategy, COPY_CALL);
	must_eq(supply_mark(&s->object, 0, 0), 0);
	must_eq(supply_mark(&s->object, 1, 0), 0);
	write_page(s, 1, ANY);
}

static int take_call(struct object *object, uint64_t id, int *control)
{
	struct machvm_control_copy call = { .size = sizeof(call), .id = id };
	int ret = util_ioctl(object->control, MACHVM_CONTROL_COPY, &call);

	*control = call.out_control;
	return ret;
}

/* The next message tells of a copy of these pages, which is taken. */
static void expect_copy(struct served *s, unsigned int page, unsigned int nr, struct object *copy)
{
	struct message message = expect_message(&s->channel, MACHVM_CMD_COPY);

	must_eq(message.object, s->object.id);
	must_eq(message.offset, PAGES(page));
	must_eq(message.length, PAGES(nr));
	must(message.new_object && message.new_object != s->object.id);
	memset(copy, 0, sizeof(*copy));
	copy->id = message.new_object;
	must_eq(take_call(&s->object, copy->id, &copy->control), 0);
}

/* Serves it by the same socket. */
static void begin_copy(struct served *s, struct object *copy)
{
	must_eq(object_bind(copy, &s->channel, 0), 0);
	must_eq(expect_message(&s->channel, MACHVM_CMD_INIT).object, copy->id);
	must_eq(say_ready(&s->channel, copy, COPY_DELAY), 0);
}

/* A page that is not there is asked of the copy, and of nobody else. */
static void read_absent(struct served *s, struct object *copy, vm_address_t base,
			unsigned int page, unsigned int generation)
{
	struct touch reader;
	struct message message;

	sleeping_read(&reader, base + PAGES(page));
	message = expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(message.object, copy->id);
	must_eq(message.offset, PAGES(page));
	must_eq(supply_mark(copy, page, generation), 0);
	touch_end(&reader);
	must_eq(reader.signal, 0);
	must_eq(reader.byte, util_mark(page, generation));
}

TEST(K7_C8_the_pager_is_told_of_a_copy_and_serves_it)
{
	struct object copy;
	struct served s;
	vm_address_t base;
	struct touch reader;

	serve_call(&s);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	EXPECT_TRUE(channel_empty(&s.channel));		/* init comes when it is bound */
	begin_copy(&s, &copy);
	/* What was there is there. */
	EXPECT_TRUE(page_is(base, 0, util_mark(0, 0)));
	EXPECT_TRUE(page_is(base, 1, ANY));
	EXPECT_TRUE(channel_empty(&s.channel));
	read_absent(&s, &copy, base, 2, 5);
	sleeping_read(&reader, s.base + PAGES(2));
	EXPECT_EQ(s.object.id, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).object);
	must_eq(supply_mark(&s.object, 2, 6), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(2, 6), reader.byte);
	EXPECT_EQ(util_mark(2, 5), byte_at(base, 2));
	/* It is temporary: what was written to it is nobody's. */
	memset((void *)base, ANY + 1, PAGE);
	unmap(base, OBJECT_PAGES);
	EXPECT_EQ(copy.id, expect_message(&s.channel, MACHVM_CMD_TERMINATE).object);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(C8_S2_33_a_copy_and_its_source_go_their_own_ways)
{
	struct object copy;
	struct served s;
	vm_address_t base;

	serve_call(&s);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	begin_copy(&s, &copy);
	memset((void *)s.base, 1, PAGES(RESIDENT));
	EXPECT_TRUE(page_is(base, 0, util_mark(0, 0)));
	EXPECT_TRUE(page_is(base, 1, ANY));
	memset((void *)base, 2, PAGES(RESIDENT));
	EXPECT_TRUE(page_is(s.base, 0, 1));
	EXPECT_TRUE(page_is(s.base, 1, 1));
	unmap(s.base, OBJECT_PAGES);
	expect_return(&s, 0, 2, true, false, 1);
	released(&s, 0, 2);
	EXPECT_EQ(s.object.id, expect_message(&s.channel, MACHVM_CMD_TERMINATE).object);
	EXPECT_TRUE(page_is(base, 0, 2));
}

/* A fork does not wait; the child has what was there, and asks for the rest. */
TEST(C8_S2_33_fork_makes_an_object_for_the_child)
{
	struct util_gate gate;
	struct message message;
	struct object copy;
	struct served s;
	pid_t child;

	serve_call(&s);
	must(!util_gate_init(&gate));
	child = fork_client(&s);
	if (!child) {
		must(!util_gate_pass(&gate));
		must(page_is(s.base, 0, util_mark(0, 0)));
		must(page_is(s.base, 1, ANY));
		must(page_is(s.base, 3, util_mark(3, 7)));
		*(unsigned char *)s.base = 1;
		_exit(0);
	}
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	begin_copy(&s, &copy);
	memset((void *)s.base, 9, PAGES(RESIDENT));
	util_gate_open(&gate);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(copy.id, message.object);
	EXPECT_EQ(PAGES(3), message.offset);
	must_eq(supply_mark(&copy, 3, 7), 0);
	EXPECT_EQ(0, util_wait(child));
	EXPECT_EQ(copy.id, expect_message(&s.channel, MACHVM_CMD_TERMINATE).object);
	EXPECT_TRUE(page_is(s.base, 0, 9));
}

TEST(C8_vm_copy_vm_read_and_a_part_of_the_object)
{
	mach_msg_type_number_t count;
	vm_address_t to;
	struct object copy;
	struct served s;
	vm_offset_t data;

	serve_call(&s);
	to = util_make(2);
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, s.base + PAGE, PAGES(2), to));
	expect_copy(&s, 1, 2, &copy);
	begin_copy(&s, &copy);
	EXPECT_TRUE(page_is(to, 0, ANY));
	read_absent(&s, &copy, to, 1, 3);
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, s.base, PAGE, &data, &count));
	expect_copy(&s, 0, 1, &copy);
	EXPECT_TRUE(page_is(data, 0, util_mark(0, 0)));	/* whether it is served or not */
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(C8_what_is_on_its_way_to_the_pager_is_copied)
{
	struct machvm_lock_request flush = {
		.size = sizeof(flush), .length = PAGES(OBJECT_PAGES), .should_flush = 1,
		.should_return = MACHVM_RETURN_DIRTY, .lock_value = MACHVM_PROT_NO_CHANGE,
	};
	struct object copy;
	struct served s;
	vm_address_t base;

	serve_call(&s);
	must_eq(util_ioctl(s.object.control, MACHVM_LOCK_REQUEST, &flush), 0);
	expect_return(&s, 1, 1, true, false, ANY);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	EXPECT_TRUE(page_is(base, 1, ANY));
	released(&s, 1, 1);
	EXPECT_TRUE(channel_empty(&s.channel));
}

static int lock_all(struct object *object, uint32_t lock)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .length = PAGES(OBJECT_PAGES),
		.should_return = MACHVM_RETURN_NONE, .lock_value = lock,
	};

	return util_ioctl(object->control, MACHVM_LOCK_REQUEST, &call);
}

/* The pager has the one that is clean; the other must not be lost, nor be read before it may. */
TEST(C8_what_must_not_be_read_must_not_be_read_in_the_copy)
{
	struct message message;
	struct object copy;
	struct touch reader;
	struct served s;
	vm_address_t base;

	serve_call(&s);
	must_eq(lock_all(&s.object, MACHVM_PROT_ALL), 0);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	begin_copy(&s, &copy);
	EXPECT_EQ(1, object_info(&copy).out_resident);
	read_absent(&s, &copy, base, 0, 3);
	sleeping_read(&reader, base + PAGE);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_UNLOCK);
	EXPECT_EQ(copy.id, message.object);
	EXPECT_EQ(PAGE, message.offset);
	EXPECT_EQ(MACHVM_PROT_READ, message.access);
	must_eq(lock_all(&copy, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(ANY, reader.byte);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K7_who_touches_a_copy_waits_until_it_is_taken_and_ready)
{
	struct object copy;
	struct served s;
	struct touch reader;
	vm_address_t base;
	int control;

	serve_call(&s);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	sleeping_read(&reader, base + PAGES(3));
	EXPECT_EQ(MACHVM_KERN_INVALID_ARGUMENT, take_call(&s.object, s.object.id, &control));
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	EXPECT_EQ(MACHVM_KERN_INVALID_ARGUMENT, take_call(&s.object, copy.id, &control));
	touch_asleep(&reader);
	begin_copy(&s, &copy);
	EXPECT_EQ(copy.id, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).object);
	touch_asleep(&reader);
	must_eq(supply_mark(&copy, 3, 1), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(3, 1), reader.byte);
}

static void expect_error(struct touch *touch)
{
	touch_end(touch);
	must_eq(touch->signal, SIGBUS);
	must_eq(touch->why, KERN_MEMORY_ERROR);
}

TEST(S2_51_C8_a_pager_that_will_not_serve_the_copy)
{
	struct object copy;
	struct served s;
	struct touch reader;
	vm_address_t base;

	serve_call(&s);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	sleeping_read(&reader, base + PAGES(3));
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	close(copy.control);
	expect_error(&reader);
	EXPECT_TRUE(page_is(base, 1, ANY));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_DEAD);
}

TEST(C8_a_copy_waits_until_there_is_a_descriptor_for_it)
{
	struct object copy = { .fd = -1 };
	struct message message;
	struct served s;

	serve_call(&s);
	map_object(&s.object, 0, OBJECT_PAGES, true);
	message = expect_message(&s.channel, MACHVM_CMD_COPY);
	must(!util_descriptors(0));
	EXPECT_EQ(-EMFILE, take_call(&s.object, message.new_object, &copy.control));
	must(!util_descriptors(-1));
	copy.id = message.new_object;
	EXPECT_EQ(0, take_call(&s.object, copy.id, &copy.control));
	begin_copy(&s, &copy);
}

/* A thread of the kernel's may still be about to send for an object that has gone. */
static void nothing_left(const struct machvm_vm_statistics *before)
{
	must_eq(statistics().out_objects, before->out_objects);
	must_eq(statistics().out_queued, before->out_queued);
	must_eq(statistics().out_active_count, before->out_active_count);
	wait_until(statistics().out_ports <= before->out_ports);
}

/* Its socket closes, or its last control descriptor: before the copy is taken, or after. */
TEST(S2_51_C8_the_pager_dies_over_a_copy)
{
	struct machvm_vm_statistics before = statistics();

	for (int i = 0; i < 4; i++) {
		struct object copy = { .control = -1 };
		struct served s;
		struct touch reader;
		vm_address_t base;

		serve_call(&s);
		base = map_object(&s.object, 0, OBJECT_PAGES, true);
		sleeping_read(&reader, base + PAGES(3));
		if (i & 1) {
			expect_copy(&s, 0, OBJECT_PAGES, &copy);
			begin_copy(&s, &copy);
		}
		if (i & 2) {
			close(s.object.control);
			if (i & 1)
				close(copy.control);
		} else {
			channel_close(&s.channel);
		}
		expect_error(&reader);
		EXPECT_TRUE(page_is(base, 0, util_mark(0, 0)));
		EXPECT_TRUE(page_is(base, 1, ANY));
		EXPECT_EQ(SIGBUS, touch_now(base + PAGES(2), true, 1).signal);
		/* A copy that is made now has what is there, too. */
		unmap(base, OBJECT_PAGES);
		base = map_object(&s.object, 0, OBJECT_PAGES, true);
		EXPECT_TRUE(page_is(base, 1, ANY));
		EXPECT_EQ(SIGBUS, touch_now(base + PAGES(3), false, 0).signal);
		unmap(base, OBJECT_PAGES);
		unmap(s.base, OBJECT_PAGES);
		close(s.object.fd);
		if (i & 2) {
			channel_close(&s.channel);
		} else {
			close(s.object.control);
			close(copy.control);
		}
	}
	nothing_left(&before);
}

TEST(S2_51_C8_a_successor_hears_of_the_copy)
{
	struct message first;
	struct object copy;
	struct served s;
	struct touch reader;
	vm_address_t base;

	serve_call(&s);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	sleeping_read(&reader, base + PAGES(3));
	first = expect_message(&s.channel, MACHVM_CMD_COPY);
	channel_close(&s.channel);
	touch_asleep(&reader);
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	EXPECT_EQ(first.new_object, copy.id);
	begin_copy(&s, &copy);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&copy, 3, 1), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(3, 1), reader.byte);
}

TEST(S2_51_S2_52_C8_who_waits_for_a_copy_can_be_killed)
{
	volatile atomic_int *stage = util_shared(sizeof(*stage));
	struct object copy;
	struct served s;
	pid_t child;

	serve_call(&s);
	child = fork_client(&s);
	if (!child) {
		atomic_store(stage, 1);
		byte_at(s.base, 3);
		_exit(0);
	}
	expect_copy(&s, 0, OBJECT_PAGES, &copy);	/* of one that has ended it need not be told */
	wait_until(atomic_load(stage));
	process_asleep(child);
	must(!kill(child, SIGKILL));
	EXPECT_EQ(1000 + SIGKILL, util_wait(child));
	must_eq(object_bind(&copy, &s.channel, 0), 0);
	EXPECT_EQ(copy.id, expect_message(&s.channel, MACHVM_CMD_TERMINATE).object);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_TRUE(page_is(s.base, 1, ANY));
}

/* Whoever has taken a copy hears of its end, however soon that was. */
TEST(C8_K7_a_copy_that_ends_before_it_is_served)
{
	struct message message;
	struct object copy;
	struct served s;
	vm_address_t base;

	serve_call(&s);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	unmap(base, OBJECT_PAGES);
	must_eq(object_bind(&copy, &s.channel, 0), 0);
	EXPECT_EQ(copy.id, expect_message(&s.channel, MACHVM_CMD_TERMINATE).object);
	EXPECT_TRUE(channel_empty(&s.channel));
	close(copy.control);
	base = map_object(&s.object, 0, OBJECT_PAGES, true);
	expect_copy(&s, 0, OBJECT_PAGES, &copy);
	must_eq(object_bind(&copy, &s.channel, 0), 0);	/* init may be on its way or not */
	unmap(base, OBJECT_PAGES);
	message = channel_next(&s.channel);
	if (message.command == MACHVM_CMD_INIT)
		message = channel_next(&s.channel);
	EXPECT_EQ(MACHVM_CMD_TERMINATE, message.command);
	EXPECT_EQ(copy.id, message.object);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* Between taking a copy and hearing of its end its pager dies: the next one hears, if there is one. */
TEST(S2_51_C8_the_pager_dies_over_a_copy_that_ends)
{
	struct machvm_vm_statistics before = statistics();
	struct channel other;
	struct object copy;
	struct served s;
	vm_address_t base;

	serve_call(&s);
	for (int i = 0; i < 2; i++) {
		base = map_object(&s.object, 0, OBJECT_PAGES, true);
		expect_copy(&s, 0, OBJECT_PAGES, &copy);
		channel_open(&other);
		must_eq(object_bind(&copy, &other, 0), 0);
		channel_close(&other);			/* whether or not init was sent */
		wait_until(object_info(&copy).out_flags & MACHVM_OBJECT_ABSENT);
		unmap(base, OBJECT_PAGES);
		if (!i) {
			must_eq(object_bind(&copy, &s.channel, 0), 0);
			EXPECT_EQ(copy.id,
				  expect_message(&s.channel, MACHVM_CMD_TERMINATE).object);
		}
		close(copy.control);
		EXPECT_TRUE(channel_empty(&s.channel));
	}
	close(s.object.control);
	unmap(s.base, OBJECT_PAGES);
	close(s.object.fd);
	channel_close(&s.channel);
	nothing_left(&before);
}

TEST(C8_many_copies_that_nobody_takes)
{
	struct machvm_vm_statistics before = statistics();
	struct served s;

	serve_call(&s);
	channel_close(&s.channel);
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 1), 0);
	for (int i = 0; i < 100; i++) {
		vm_address_t base = map_object(&s.object, 0, OBJECT_PAGES, true);

		must_eq(byte_at(base, 1), ANY);
		unmap(base, OBJECT_PAGES);
	}
	close(s.object.control);
	unmap(s.base, OBJECT_PAGES);
	close(s.object.fd);
	channel_close(&s.channel);
	nothing_left(&before);
}

/* By way of the library */

struct kept {
	unsigned int inits, requests, copies;
	memory_object_control_t control;
	struct kept *copy;	/* to be adopted for copies; NULL: as the original */
	struct machvm_pager *pager;
};

static void on_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		    vm_size_t page_size)
{
	struct kept *kept = cookie;

	(void)name;
	(void)page_size;
	kept->inits++;
	kept->control = control;
	must_eq(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_CALL), KERN_SUCCESS);
}

static void on_data_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			    vm_size_t length, vm_prot_t desired)
{
	struct kept *kept = cookie;
	unsigned char data[PAGE];

	(void)desired;
	kept->requests++;
	memset(data, util_mark(offset / PAGE, kept->copies), PAGE);
	must_eq(memory_object_data_supply(control, offset, (vm_offset_t)data, length, VM_PROT_NONE,
					  FALSE, MACH_PORT_NULL), KERN_SUCCESS);
}

static void on_copy(void *cookie, memory_object_control_t old_control, vm_offset_t offset,
		    vm_size_t length, memory_object_t new_object)
{
	struct kept *kept = cookie;

	must_eq(old_control, kept->control);
	must_eq(offset, 0);
	must_eq(length, PAGES(OBJECT_PAGES));
	kept->copies++;
	if (!kept->copy)
		return;
	kept->copy->copies = 7;
	must_eq(machvm_pager_adopt(kept->pager, new_object, kept->copy), KERN_SUCCESS);
	must_eq(machvm_pager_adopt(kept->pager, new_object, kept->copy), KERN_INVALID_ARGUMENT);
}

static void *serve_thread(void *pager)
{
	must_eq(machvm_pager_run(pager), 0);
	return NULL;
}

TEST(K7_C8_copies_by_way_of_the_library)
{
	static const struct machvm_pager_ops ops = {
		.init = on_init, .data_request = on_data_request, .copy = on_copy,
	}, refuses = {
		.init = on_init, .data_request = on_data_request,
	};

	for (int i = 0; i < 3; i++) {
		struct kept copy = { 0 }, kept = { .copy = i == 1 ? &copy : NULL };
		memory_object_t object;
		vm_address_t base, copied;
		pthread_t thread;

		must_eq(machvm_pager_create(i == 2 ? &refuses : &ops, &kept.pager), KERN_SUCCESS);
		must_eq(machvm_pager_object(kept.pager, &kept, &object), KERN_SUCCESS);
		must(!pthread_create(&thread, NULL, serve_thread, kept.pager));
		base = util_map(object, 0, OBJECT_PAGES, false);
		EXPECT_EQ(util_mark(0, 0), byte_at(base, 0));
		copied = util_map(object, 0, OBJECT_PAGES, true);
		*(unsigned char *)base = ANY;
		EXPECT_EQ(util_mark(0, 0), byte_at(copied, 0));
		if (i == 2) {
			EXPECT_EQ(SIGBUS, touch_now(copied + PAGE, false, 0).signal);
		} else {
			EXPECT_EQ(util_mark(1, i ? 7 : 1), byte_at(copied, 1));
		}
		EXPECT_EQ(i ? 1 : 2, kept.inits);
		EXPECT_EQ(i == 1, copy.inits);
		EXPECT_EQ(i == 1, copy.requests);
		machvm_pager_stop(kept.pager);
		must(!pthread_join(thread, NULL));
		machvm_pager_destroy(kept.pager);
		unmap(base, OBJECT_PAGES);
		unmap(copied, OBJECT_PAGES);
	}
}

static struct {
	int inits, copies, ends;
	memory_object_control_t last;
	vm_address_t early;		/* unmapped by who hears of the copy of it, unless 0 */
} ending;

static void ending_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
			vm_size_t page_size)
{
	(void)cookie;
	(void)name;
	(void)page_size;
	ending.inits++;
	ending.last = control;
	must_eq(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_CALL), KERN_SUCCESS);
}

static void ending_copy(void *cookie, memory_object_control_t old_control, vm_offset_t offset,
			vm_size_t length, memory_object_t new_object)
{
	(void)cookie;
	(void)old_control;
	(void)offset;
	(void)length;
	ending.copies++;
	if (!ending.early)
		return;
	ending.last = new_object;	/* there will be no init that tells */
	unmap(ending.early, OBJECT_PAGES);
}

static void ending_terminate(void *cookie, memory_object_control_t control)
{
	(void)cookie;
	must_eq(control, ending.last);
	must(fcntl((int)control, F_GETFD) >= 0);	/* for this last call */
	ending.ends++;
}

TEST(C8_a_copy_that_has_ended_leaves_no_descriptor)
{
	static const struct machvm_pager_ops ops = {
		.init = ending_init, .copy = ending_copy, .terminate = ending_terminate,
	};
	struct machvm_pager *pager;
	memory_object_t object;
	vm_address_t base, copied;

	must_eq(machvm_pager_create(&ops, &pager), KERN_SUCCESS);
	must_eq(machvm_pager_object(pager, NULL, &object), KERN_SUCCESS);
	base = util_map(object, 0, OBJECT_PAGES, false);
	while (ending.inits < 1)
		must(machvm_pager_dispatch(pager) >= 0);
	for (int i = 1; i <= 3; i++) {
		copied = util_map(object, 0, OBJECT_PAGES, true);
		while (ending.inits < 1 + i)
			must(machvm_pager_dispatch(pager) >= 0);
		EXPECT_EQ(i, ending.copies);
		unmap(copied, OBJECT_PAGES);
		while (ending.ends < i)
			must(machvm_pager_dispatch(pager) >= 0);
		EXPECT_EQ(-1, fcntl((int)ending.last, F_GETFD));
	}
	ending.early = util_map(object, 0, OBJECT_PAGES, true);
	while (ending.ends < 4)
		must(machvm_pager_dispatch(pager) >= 0);
	EXPECT_EQ(4, ending.inits);
	EXPECT_EQ(-1, fcntl((int)ending.last, F_GETFD));
	machvm_pager_destroy(pager);
	unmap(base, OBJECT_PAGES);
}

/* Memory without a pager: both sides have the old pages, and whoever writes gets one of its own. */
TEST(C13_C5_internal_objects_are_copied_symmetrically)
{
	memory_object_name_t name, shadow, copy;
	vm_address_t base = util_make(2), to = util_make(2);
	vm_region_info_t region;
	vm_object_info_t info;
	struct served s;
	pid_t child;

	util_fill(base, 2, 0);
	must_eq(mach_vm_region_info(SELF, base, &region, &name), KERN_SUCCESS);
	must_eq(mach_vm_object_info(name, &info, &shadow, &copy), KERN_SUCCESS);
	EXPECT_EQ(MACHVM_COPY_SYMMETRIC, info.voi_copy_strategy);
	EXPECT_TRUE(info.voi_state & VOI_STATE_INTERNAL);
	EXPECT_FALSE(info.voi_state & VOI_STATE_PAGER_CREATED);
	/* Neither is the copy of the other: both stand on one object, until they write. */
	must_eq(vm_copy(SELF, base, PAGES(2), to), KERN_SUCCESS);
	must_eq(mach_vm_object_info(name, &info, &shadow, &copy), KERN_SUCCESS);
	EXPECT_EQ(MACH_PORT_NULL, copy);
	EXPECT_EQ(2, info.voi_ref_count);
	EXPECT_EQ(2, info.voi_resident_page_count);
	util_fill(base, 1, 1);
	util_fill(to, 1, 2);
	EXPECT_EQ(0, util_wrong(base, 1, 1));
	EXPECT_EQ(0, util_wrong(to, 1, 2));
	EXPECT_EQ(util_mark(1, 0), byte_at(base, 1));
	EXPECT_EQ(util_mark(1, 0), byte_at(to, 1));
	child = fork();
	if (!child) {
		util_fill(base, 1, 3);
		_exit(util_wrong(base, 1, 3) || byte_at(base, 1) != util_mark(1, 0));
	}
	EXPECT_EQ(0, util_wait(child));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
	/* What is so of memory without a pager a pager cannot ask for. */
	serve_start(&s, 2);
	EXPECT_EQ(-EINVAL, say_ready(&s.channel, &s.object, MACHVM_COPY_SYMMETRIC));
	EXPECT_EQ(0, say_ready(&s.channel, &s.object, COPY_CALL));
	EXPECT_EQ(COPY_CALL, object_info(&s.object).out_copy_strategy);
}

HARNESS_MAIN
