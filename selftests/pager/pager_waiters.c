// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_waiters.c - who waits for which page of which pager, as machvmctl pager list shows it.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <machvm/pager.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ MACHVM_PROT_READ
#define WRITE MACHVM_PROT_WRITE

/* All of them; as if nobody else waited in this guest. */
static unsigned int waiters(struct machvm_waiter_info *room, unsigned int nr)
{
	struct machvm_waiter_info call = { .size = sizeof(call) };
	unsigned int found = 0;
	int ret;

	while (!(ret = util_ioctl(util_device(), MACHVM_WAITER_INFO, &call))) {
		must(found < nr);
		room[found++] = call;
	}
	must_eq(ret, -ENOENT);
	return found;
}

static struct machvm_waiter_info *waiter(struct machvm_waiter_info *all, unsigned int nr, pid_t tid)
{
	for (unsigned int i = 0; i < nr; i++)
		if (all[i].out_thread == tid)
			return &all[i];
	raw_die(__FILE__, __LINE__, "%d is not among %u waiters", tid, nr);
}

TEST(each_waiter_is_listed_with_its_page_and_its_pager)
{
	unsigned char data[PAGE] = { 1 };
	struct machvm_data_supply locked = {
		.length = PAGE, .address = (uintptr_t)data, .lock_value = WRITE,
	};
	struct machvm_waiter_info all[8], *one;
	struct touch readers[2], writer, other;
	struct served s, unready;

	EXPECT_EQ(0, waiters(all, 8));
	serve(&s, 8);
	serve_start(&unready, 2);
	locked.epoch = s.object.epoch;
	must_eq(supply_status(&s.object, &locked), 0);
	for (int i = 0; i < 2; i++)
		sleeping_read(&readers[i], s.base + PAGES(3));
	sleeping_write(&writer, s.base, 1);
	sleeping_write(&other, unready.base + PAGE, 1);
	ASSERT_EQ(4, waiters(all, 8));
	for (int i = 0; i < 2; i++) {
		one = waiter(all, 4, readers[i].tid);
		EXPECT_EQ(s.object.id, one->id);
		EXPECT_EQ(PAGES(3), one->out_offset);
		EXPECT_EQ(READ, one->out_access);
		EXPECT_EQ(MACHVM_WAITER_SENT, one->out_state);
		EXPECT_EQ(getpid(), one->out_pager);
		EXPECT_EQ(object_info(&s.object).out_port, one->out_port);
		EXPECT_LT(0, one->out_age_ns);
	}
	one = waiter(all, 4, writer.tid);
	EXPECT_EQ(0, one->out_offset);
	EXPECT_EQ(MACHVM_WAITER_UNLOCK, one->out_state);
	one = waiter(all, 4, other.tid);
	EXPECT_EQ(unready.object.id, one->id);
	EXPECT_EQ(PAGE, one->out_offset);
	EXPECT_EQ(READ | WRITE, one->out_access);
	EXPECT_EQ(MACHVM_WAITER_GATED, one->out_state);
	must(strstr(output_of("machvmctl pager list"), "threads that wait") ||
	     strstr(output_of("machvmctl -j pager list"), "\"waiters\":[{"));

	must_eq(supply_mark(&s.object, 3, 0), 0);
	for (int i = 0; i < 2; i++)
		touch_end(&readers[i]);
	EXPECT_EQ(2, waiters(all, 8));
	unmap(s.base, 8);
	unmap(unready.base, 2);
	touch_end(&writer);
	touch_end(&other);
	EXPECT_EQ(0, waiters(all, 8));
}

/* A question that was asked along, or whose thread is gone, is nobody's. */
TEST(a_question_that_nobody_waits_for_is_not_listed)
{
	struct machvm_attributes clusters = {
		.size = sizeof(clusters), .copy_strategy = COPY_DELAY, .cluster_size = PAGES(8),
	};
	struct machvm_waiter_info all[8];
	struct touch reader;
	struct served s;

	serve(&s, 8);
	must_eq(util_ioctl(s.object.control, MACHVM_SET_ATTRIBUTES, &clusters), 0);
	sleeping_read(&reader, s.base + PAGES(5));
	EXPECT_EQ(8, object_info(&s.object).out_requests);
	ASSERT_EQ(1, waiters(all, 8));
	EXPECT_EQ(PAGES(5), all[0].out_offset);
	must_eq(supply_mark(&s.object, 5, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(7, object_info(&s.object).out_requests);
	EXPECT_EQ(0, waiters(all, 8));
}

/* A process that writes to as many pages as it may, and one more. */
static pid_t write_past_limit(struct served *s, unsigned int limit)
{
	pid_t pid;

	must_eq(vm_inherit(SELF, s->base, PAGES(limit + 1), VM_INHERIT_SHARE), 0);
	must_eq(machvm_pager_dirty_limit(s->object.control, PAGES(limit)), 0);
	pid = fork_client(s);
	if (pid)
		return pid;
	for (unsigned int page = 0; page <= limit; page++)
		write_page(s, page, 1);
	_exit(0);
}

TEST(K14_S3_24_who_waits_at_a_dirty_limit_is_listed)
{
	struct machvm_waiter_info all[2];
	struct served s;
	pid_t writer;
	int status;

	serve_clean(&s, 17);
	writer = write_past_limit(&s, 16);
	wait_until(waiters(all, 2) == 1);
	EXPECT_EQ(writer, all[0].out_thread);
	EXPECT_EQ(s.object.id, all[0].id);
	EXPECT_EQ(PAGES(16), all[0].out_offset);
	EXPECT_EQ(WRITE, all[0].out_access);
	EXPECT_EQ(MACHVM_WAITER_LIMIT, all[0].out_state);
	EXPECT_EQ(getpid(), all[0].out_pager);
	EXPECT_EQ(object_info(&s.object).out_port, all[0].out_port);
	expect_return(&s, 0, 16, true, true, 1);
	released(&s, 0, 16);
	must_eq(waitpid(writer, &status, 0), writer);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, waiters(all, 2));
}

static void *sync_all(void *argument)
{
	struct served *s = argument;

	must_eq(vm_msync(SELF, s->base + PAGE, PAGES(2), VM_SYNC_SYNCHRONOUS), 0);
	return NULL;
}

/* For what the pager has before it, and for a pager when there is none. */
TEST(V27_who_waits_for_pages_to_be_taken_is_listed)
{
	struct machvm_waiter_info all[2];
	pthread_t thread;
	struct served s;

	serve_clean(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	write_page(&s, 2, 1);
	must(!pthread_create(&thread, NULL, sync_all, &s));
	expect_return(&s, 2, 1, true, true, 1);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(1, waiters(all, 2));
		EXPECT_NE(getpid(), all[0].out_thread);
		EXPECT_EQ(s.object.id, all[0].id);
		EXPECT_EQ(PAGE, all[0].out_offset);
		EXPECT_EQ(0, all[0].out_access);
		EXPECT_EQ(MACHVM_WAITER_SYNC, all[0].out_state);
		EXPECT_LT(0, all[0].out_age_ns);
		if (i == 0)
			channel_close(&s.channel);
	}
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	expect_return(&s, 2, 1, true, true, 1);
	released(&s, 2, 1);
	must(!pthread_join(thread, NULL));
	EXPECT_EQ(0, waiters(all, 2));
}

HARNESS_MAIN
