// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_death.c - pagers that are absent, end, or die: row P15 and rule S2.51.
 */
#include "harness.h"
#include "raw.h"

#include <sched.h>

static void expect_lost(struct touch *touch)
{
	must_eq(touch->signal, SIGBUS);
	must_eq(touch->signals, 1);
	must_eq(touch->why, KERN_MEMORY_ERROR);
	must_eq(touch->reason, 0);
}

static void touch_lost(vm_address_t address, bool write)
{
	struct touch touch = touch_now(address, write, 1);

	expect_lost(&touch);
}

TEST(P15_no_pager_ever_came)
{
	struct object object;
	vm_address_t base, copy;
	struct machvm_vm_statistics before;

	object_create(&object);
	base = map_object(&object, 0, 4, false);
	copy = map_object(&object, 0, 4, true);
	before = statistics();
	touch_lost(base, false);
	touch_lost(base + PAGE, true);
	touch_lost(copy, false);
	touch_lost(copy + PAGES(2), true);
	EXPECT_EQ(MACHVM_OBJECT_ABSENT, object_info(&object).out_flags &
		  (MACHVM_OBJECT_ABSENT | MACHVM_OBJECT_DEAD | MACHVM_OBJECT_READY));
	EXPECT_EQ(0, object_info(&object).out_requests);
	EXPECT_EQ(before.out_requests, statistics().out_requests);
	EXPECT_EQ(before.out_queued, statistics().out_queued);
	unmap(base, 4);
	unmap(copy, 4);
}

TEST(P15_the_socket_closes_while_faults_wait)
{
	struct served s;
	struct touch waiters[6];
	vm_address_t copy;

	serve(&s, 8);
	copy = map_object(&s.object, 0, 8, true);
	must_eq(supply_mark(&s.object, 6, 0), 0);
	must_eq(supply_mark(&s.object, 7, 0), 0);
	*(unsigned char *)(s.base + PAGES(7)) = 99;
	for (int i = 0; i < 5; i++)
		touch_start(&waiters[i], s.base + PAGES(i / 2), i & 1, 1);
	touch_start(&waiters[5], copy + PAGES(3), false, 0);
	for (int i = 0; i < 6; i++)
		touch_asleep(&waiters[i]);
	EXPECT_EQ(4, object_info(&s.object).out_requests);
	channel_close(&s.channel);
	for (int i = 0; i < 6; i++) {
		touch_end(&waiters[i]);
		expect_lost(&waiters[i]);
	}
	EXPECT_EQ(0, object_info(&s.object).out_requests);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_ABSENT);
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_DEAD);
	/* What is there stays, and is as good as ever. */
	EXPECT_TRUE(page_is(s.base, 6, util_mark(6, 0)));
	*(unsigned char *)(s.base + PAGES(6)) = 98;
	*(unsigned char *)(s.base + PAGES(7) + 1) = 97;
	EXPECT_EQ(98, byte_at(s.base, 6));
	EXPECT_EQ(99, byte_at(s.base, 7));
	EXPECT_EQ(util_mark(6, 0), byte_at(copy, 6));
	/* What is not fails at once, every time. */
	touch_lost(s.base, false);
	touch_lost(s.base, false);
	touch_lost(s.base + PAGE, true);
	unmap(s.base, 8);
	unmap(copy, 8);
}

TEST(P15_the_socket_closes_before_ready)
{
	struct served s;
	struct touch reader, writer;

	serve_start(&s, 4);
	sleeping_read(&reader, s.base);
	sleeping_write(&writer, s.base + PAGE, 1);
	channel_close(&s.channel);
	touch_end(&reader);
	touch_end(&writer);
	expect_lost(&reader);
	expect_lost(&writer);
	touch_lost(s.base, false);
	/* A socket that comes later gets the init that nobody answered. */
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	EXPECT_EQ(s.object.epoch, expect_message(&s.channel, MACHVM_CMD_INIT).epoch);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 0), reader.byte);
}

TEST(P15_a_socket_comes_after_one_has_closed)
{
	struct served s;
	struct object before;
	struct touch reader;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	channel_close(&s.channel);
	touch_lost(s.base + PAGE, false);
	before = s.object;
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	EXPECT_NE(before.epoch, s.object.epoch);
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_ABSENT);
	sleeping_read(&reader, s.base + PAGE);
	EXPECT_EQ(s.object.epoch, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).epoch);
	EXPECT_EQ(-ESTALE, say_unavailable(&s.channel, &before, PAGE, PAGE));
	EXPECT_EQ(-ESTALE, supply_mark(&before, 1, 0));
	must_eq(supply_mark(&s.object, 1, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(1, 0), reader.byte);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
}

TEST(P15_the_last_control_descriptor_closes)
{
	struct served s;
	struct touch reader;
	int other;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	other = dup(s.object.control);
	sleeping_read(&reader, s.base + PAGE);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	close(s.object.control);
	touch_asleep(&reader);		/* there is another */
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_DEAD);
	close(other);
	touch_end(&reader);
	expect_lost(&reader);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_DEAD);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
	*(unsigned char *)s.base = 1;
	touch_lost(s.base + PAGE, true);
	/* For good: it can be mapped, but nobody can come. */
	unmap(s.base, 4);
	EXPECT_TRUE(channel_empty(&s.channel));	/* no data_return, no terminate */
	s.base = map_object(&s.object, 0, 4, false);
	touch_lost(s.base, false);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_DEAD);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P15_the_control_descriptor_closes_before_ready)
{
	struct served s;
	struct touch reader;

	serve_start(&s, 2);
	sleeping_read(&reader, s.base);
	close(s.object.control);
	touch_end(&reader);
	expect_lost(&reader);
	say_ready(&s.channel, &s.object, COPY_DELAY);	/* whatever it answers */
	touch_lost(s.base, false);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P15_one_object_of_a_port_dies)
{
	struct channel channel;
	struct object objects[2];
	struct touch readers[2];
	vm_address_t bases[2];

	channel_open(&channel);
	for (int i = 0; i < 2; i++) {
		object_create(&objects[i]);
		must_eq(object_bind(&objects[i], &channel, 0), 0);
		bases[i] = map_object(&objects[i], 0, 2, false);
		expect_message(&channel, MACHVM_CMD_INIT);
		must_eq(say_ready(&channel, &objects[i], COPY_DELAY), 0);
		sleeping_read(&readers[i], bases[i]);
		expect_message(&channel, MACHVM_CMD_DATA_REQUEST);
	}
	close(objects[0].control);
	touch_end(&readers[0]);
	expect_lost(&readers[0]);
	touch_asleep(&readers[1]);
	must_eq(supply_mark(&objects[1], 0, 0), 0);
	touch_end(&readers[1]);
	EXPECT_EQ(util_mark(0, 0), readers[1].byte);
	unmap(bases[0], 2);
	unmap(bases[1], 2);
	EXPECT_EQ(objects[1].id, expect_message(&channel, MACHVM_CMD_TERMINATE).object);
	EXPECT_TRUE(channel_empty(&channel));
}

TEST(P15_waiting_in_a_system_call)
{
	struct served s;
	int pipes[2];
	pid_t client;
	volatile atomic_int *stage = util_shared(sizeof(*stage));

	serve(&s, 2);
	must(!pipe(pipes));
	client = fork_client(&s);
	if (!client) {
		vm_address_t base = map_object(&s.object, 0, 2, false);

		atomic_store(stage, 1);
		must_eq(write(pipes[1], (void *)base, PAGE), -1);
		must_eq(errno, EFAULT);
		_exit(0);
	}
	wait_until(atomic_load(stage));
	process_asleep(client);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	channel_close(&s.channel);
	EXPECT_EQ(0, util_wait(client));
}

TEST(S2_51_the_socket_closes_while_pages_are_returned)
{
	struct served s;
	unsigned char data[PAGE];

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	*(unsigned char *)s.base = 1;
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	channel_close(&s.channel);
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_read(&s.object, 0, data, PAGE));	/* lost */
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_release(&s.object, 0, PAGE));
	s.base = map_object(&s.object, 0, 2, false);
	touch_lost(s.base, false);
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_51_mapped_again_and_the_socket_closes_while_pages_are_returned)
{
	struct served s;
	struct touch reader;

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	*(unsigned char *)s.base = 1;
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	s.base = map_object(&s.object, 0, 2, false);
	sleeping_read(&reader, s.base);
	channel_close(&s.channel);
	touch_end(&reader);
	expect_lost(&reader);
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	sleeping_read(&reader, s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&s.object, 0, 3), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 3), reader.byte);
}

TEST(S2_51_the_control_descriptor_closes_while_pages_are_returned)
{
	struct machvm_vm_statistics before = statistics();
	struct served s;

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	*(unsigned char *)s.base = 1;
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	close(s.object.control);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(before.out_active_count, statistics().out_active_count);
	EXPECT_EQ(before.out_objects, statistics().out_objects);
}

/* A process that serves, and is killed at a certain point. */

enum point {
	BEFORE_INIT_IS_READ,
	BEFORE_READY,
	AFTER_READY,
	WITH_A_REQUEST,
	WITH_RETURNED_PAGES,
	WITH_PAGES_READ_BUT_NOT_RELEASED,
};

static void pager_until(struct served *s, enum point point, struct util_gate *supplied)
{
	unsigned char data[PAGE];

	if (point == BEFORE_INIT_IS_READ)
		return;
	expect_message(&s->channel, MACHVM_CMD_INIT);
	if (point == BEFORE_READY)
		return;
	must_eq(say_ready(&s->channel, &s->object, COPY_DELAY), 0);
	must_eq(supply_mark(&s->object, 0, 0), 0);
	must_eq(supply_mark(&s->object, 1, 0), 0);
	if (point == AFTER_READY)
		return;
	if (point == WITH_A_REQUEST) {
		expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);
		return;
	}
	util_gate_open(supplied);
	expect_message(&s->channel, MACHVM_CMD_DATA_RETURN);
	if (point == WITH_PAGES_READ_BUT_NOT_RELEASED)
		must_eq(return_read(&s->object, PAGE, data, PAGE), 0);
}

/* In the caller only the right to map is left. */
static pid_t fork_pager(struct served *s, enum point point, struct util_gate *there)
{
	pid_t pid;

	must(!util_gate_init(there));
	channel_open(&s->channel);
	object_create(&s->object);
	must_eq(object_bind(&s->object, &s->channel, 0), 0);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		pager_until(s, point, there);
		util_gate_open(there);
		for (;;)
			pause();
	}
	channel_close(&s->channel);
	close(s->object.control);
	s->base = map_object(&s->object, 0, 4, false);
	return pid;
}

static void kill_pager(pid_t pid)
{
	must(!kill(pid, SIGKILL));
	must_eq(util_wait(pid), 1000 + SIGKILL);
}

TEST(S2_51_killed_before_it_reads_init)
{
	struct util_gate there;
	struct touch reader;
	struct served s;
	pid_t pager = fork_pager(&s, BEFORE_INIT_IS_READ, &there);

	must(!util_gate_pass(&there));
	sleeping_read(&reader, s.base);
	kill_pager(pager);
	touch_end(&reader);
	expect_lost(&reader);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_DEAD);
}

TEST(S2_51_killed_before_ready)
{
	struct util_gate there;
	struct touch reader, writer;
	struct served s;
	pid_t pager = fork_pager(&s, BEFORE_READY, &there);

	must(!util_gate_pass(&there));
	sleeping_read(&reader, s.base);
	sleeping_write(&writer, s.base, 1);
	kill_pager(pager);
	touch_end(&reader);
	touch_end(&writer);
	expect_lost(&reader);
	expect_lost(&writer);
	touch_lost(s.base, false);
}

TEST(S2_51_killed_when_nobody_waits)
{
	struct util_gate there;
	struct served s;
	pid_t pager = fork_pager(&s, AFTER_READY, &there);

	must(!util_gate_pass(&there));
	*(unsigned char *)s.base = 9;
	EXPECT_EQ(util_mark(1, 0), byte_at(s.base, 1));
	kill_pager(pager);
	EXPECT_EQ(9, byte_at(s.base, 0));
	EXPECT_TRUE(page_is(s.base, 1, util_mark(1, 0)));
	*(unsigned char *)(s.base + PAGE) = 8;
	EXPECT_EQ(8, byte_at(s.base, 1));
	touch_lost(s.base + PAGES(2), false);
	touch_lost(s.base + PAGES(3), true);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, s.base, PAGES(4)));
	EXPECT_FALSE(object_is_mapped(&s.object));
}

TEST(S2_51_killed_between_request_and_supply)
{
	struct util_gate there;
	struct touch readers[3];
	struct served s;
	pid_t pager = fork_pager(&s, WITH_A_REQUEST, &there);

	for (int i = 0; i < 3; i++)
		sleeping_read(&readers[i], s.base + PAGES(2 + i / 2));
	must(!util_gate_pass(&there));
	EXPECT_EQ(2, object_info(&s.object).out_requests);
	kill_pager(pager);
	for (int i = 0; i < 3; i++) {
		touch_end(&readers[i]);
		expect_lost(&readers[i]);
	}
	EXPECT_EQ(0, object_info(&s.object).out_requests);
	EXPECT_TRUE(page_is(s.base, 0, util_mark(0, 0)));
}

static void killed_while_returning(enum point point)
{
	struct machvm_vm_statistics before = statistics();
	struct util_gate there;
	struct served s;
	pid_t pager = fork_pager(&s, point, &there);

	must(!util_gate_pass(&there));
	*(unsigned char *)s.base = 1;
	*(unsigned char *)(s.base + PAGE) = 1;
	unmap(s.base, 4);
	must(!util_gate_pass(&there));
	kill_pager(pager);
	close(s.object.fd);
	must_eq(statistics().out_active_count, before.out_active_count);
	must_eq(statistics().out_objects, before.out_objects);
	must_eq(statistics().out_queued, before.out_queued);
}

TEST(S2_51_killed_with_returned_pages)
{
	killed_while_returning(WITH_RETURNED_PAGES);
}

TEST(S2_51_killed_with_pages_read_but_not_released)
{
	killed_while_returning(WITH_PAGES_READ_BUT_NOT_RELEASED);
}

TEST(P15_an_object_without_anybody_is_gone)
{
	struct machvm_vm_statistics before = statistics();
	struct channel channel;
	struct object object;

	channel_open(&channel);
	object_create(&object);
	must_eq(object_bind(&object, &channel, 0), 0);
	EXPECT_EQ(before.out_ports + 1, statistics().out_ports);
	close(object.fd);
	close(object.control);
	EXPECT_EQ(-ENOENT, say_ready(&channel, &object, COPY_DELAY));
	channel_close(&channel);
	EXPECT_EQ(before.out_ports, statistics().out_ports);
}

HARNESS_MAIN
