// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_wired.c - lock requests that meet wired pages, and forks that meet pagers: row P10, rules
 * S2.28, S2.33 and S2.46.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANY 0xee

static int flush(struct served *s, unsigned int pages)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .epoch = s->object.epoch, .length = PAGES(pages),
		.should_return = MACHVM_RETURN_DIRTY, .should_flush = 1,
		.lock_value = MACHVM_PROT_NO_CHANGE, .reply = 1,
	};

	return util_ioctl(s->object.control, MACHVM_LOCK_REQUEST, &call);
}

static void serve_wired(struct served *s)
{
	serve(s, 4);
	for (unsigned int i = 0; i < 4; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
	memset((void *)(s->base + PAGE), ANY, PAGES(2));
	must_eq(vm_wire(mach_host_priv(), SELF, s->base + PAGE, PAGE, VM_PROT_READ | VM_PROT_WRITE),
		KERN_SUCCESS);
}

/* GNU Mach would have the pager wait until somebody else unwires. */
TEST(S2_46_P10_a_wired_page_is_returned_and_stays)
{
	unsigned char data[PAGE];
	struct message message;
	struct served s;

	serve_wired(&s);
	EXPECT_EQ(0, flush(&s, 4));
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(PAGE, message.offset);
	EXPECT_EQ(PAGE, message.length);
	EXPECT_EQ(1, message.kernel_copy);	/* it was not flushed */
	must_eq(return_read(&s.object, PAGE, data, PAGE), 0);
	EXPECT_EQ(ANY, data[0]);
	must_eq(return_release(&s.object, PAGE, PAGE), 0);
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(PAGES(2), message.offset);
	EXPECT_EQ(0, message.kernel_copy);
	must_eq(return_release(&s.object, PAGES(2), PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_LOCK_COMPLETED);
	EXPECT_EQ(1, object_info(&s.object).out_resident);
	EXPECT_TRUE(page_is(s.base, 1, ANY));
	EXPECT_TRUE(channel_empty(&s.channel));
	/* Once it is not wired any more it goes like others. */
	must_eq(vm_wire(mach_host_priv(), SELF, s.base + PAGE, PAGE, VM_PROT_NONE), KERN_SUCCESS);
	EXPECT_EQ(0, flush(&s, 4));
	expect_message(&s.channel, MACHVM_CMD_LOCK_COMPLETED);
	EXPECT_EQ(0, object_info(&s.object).out_resident);
}

TEST(S2_46_a_wired_page_does_not_hold_up_others)
{
	struct served s;

	serve_wired(&s);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, flush(&s, 4));
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	must_eq(return_release(&s.object, PAGE, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	must_eq(return_release(&s.object, PAGES(2), PAGE), 0);
	for (int i = 0; i < 3; i++)
		expect_message(&s.channel, MACHVM_CMD_LOCK_COMPLETED);
	EXPECT_EQ(1, object_info(&s.object).out_resident);
}

/* A fork asks nobody, so it ends whatever the pager does; the child finds out when it looks. */
TEST(S2_28_what_cannot_be_read_is_inherited_as_it_is)
{
	struct touch touch;
	struct served s;
	pid_t child;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(vm_protect(SELF, s.base, PAGES(2), FALSE, VM_PROT_NONE), KERN_SUCCESS);
	child = fork_client(&s);
	if (!child) {
		must_eq(touch_now(s.base, false, 0).why, KERN_PROTECTION_FAILURE);
		must_eq(vm_protect(SELF, s.base, PAGES(2), FALSE, VM_PROT_READ), KERN_SUCCESS);
		must(page_is(s.base, 0, util_mark(0, 0)));
		touch = touch_now(s.base + PAGE, false, 0);
		must_eq(touch.why, KERN_MEMORY_ERROR);
		must_eq(touch.reason, 9);
		_exit(0);
	}
	EXPECT_EQ(PAGE, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(say_error(&s.channel, &s.object, PAGE, PAGE, 9), 0);
	EXPECT_EQ(0, util_wait(child));
}

/* Neither a pager that is not ready nor one that does not answer holds a fork up. */
TEST(S2_28_S2_33_fork_waits_for_no_pager)
{
	static const uint32_t strategies[] = {
		MACHVM_COPY_NONE, MACHVM_COPY_DELAY, MACHVM_COPY_TEMPORARY,
	};

	for (unsigned int i = 0; i < 4; i++) {
		struct served s;
		pid_t child;

		serve_start(&s, 4);
		if (i)
			must_eq(say_ready(&s.channel, &s.object, strategies[i - 1]), 0);
		child = fork_client(&s);
		if (!child)
			_exit(0);
		EXPECT_EQ(0, util_wait(child));
		EXPECT_TRUE(channel_empty(&s.channel));
		unmap(s.base, 4);
	}
}

HARNESS_MAIN
