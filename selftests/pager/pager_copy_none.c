// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_copy_none.c - objects whose pager wants copies made at once: row C7, rules S2.32 and S2.33.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANY 0xee

static void serve_none(struct served *s, unsigned int pages)
{
	serve_start(s, pages);
	must_eq(say_ready(&s->channel, &s->object, MACHVM_COPY_NONE), 0);
	must_eq(object_info(&s->object).out_copy_strategy, MACHVM_COPY_NONE);
}

/* A call that copies, in a thread of its own. */
struct copier {
	struct served *s;
	char how;		/* m: vm_map with copy, c: vm_copy, r: vm_read, w: vm_write */
	vm_address_t to;
	kern_return_t answer;
	pthread_t thread;
};

static void *copy(void *argument)
{
	struct copier *copier = argument;
	vm_address_t from = copier->s->base;
	vm_size_t size = PAGES(copier->s->pages);
	mach_msg_type_number_t count;
	vm_offset_t data = 0;

	switch (copier->how) {
	case 'm':
		copier->answer = vm_map(SELF, &copier->to, size, 0, TRUE, copier->s->object.fd, 0,
					TRUE, VM_PROT_READ | VM_PROT_WRITE, VM_PROT_ALL,
					VM_INHERIT_COPY);
		break;
	case 'c':
		copier->answer = vm_copy(SELF, from, size, copier->to);
		break;
	case 'w':
		copier->answer = vm_write(SELF, copier->to, from, size);
		break;
	default:
		copier->answer = vm_read(SELF, from, size, &data, &count);
		copier->to = data;
	}
	return NULL;
}

static void copy_start(struct copier *copier, struct served *s, char how)
{
	copier->s = s;
	copier->how = how;
	copier->answer = -1;
	copier->to = how == 'c' || how == 'w' ? util_make(s->pages) : 0;
	must(!pthread_create(&copier->thread, NULL, copy, copier));
}

static void copy_end(struct copier *copier)
{
	must(!pthread_join(copier->thread, NULL));
}

static unsigned int expect_request(struct served *s)
{
	struct message message = expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);

	must_eq(message.length, PAGE);
	must_eq(message.access, MACHVM_PROT_READ);
	return message.offset / PAGE;
}

static void made_at_once(char how)
{
	struct copier copier;
	struct served s;

	serve_none(&s, 4);
	must_eq(supply_mark(&s.object, 2, 0), 0);
	copy_start(&copier, &s, how);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int page = expect_request(&s);

		must(page != 2);
		must_eq(copier.answer, -1);
		must_eq(supply_mark(&s.object, page, 0), 0);
	}
	copy_end(&copier);
	must_eq(copier.answer, KERN_SUCCESS);
	/* From here on they have nothing to do with one another. */
	memset((void *)s.base, ANY, PAGES(4));
	must_eq(util_wrong(copier.to, 4, 0), 0);
	memset((void *)copier.to, ANY + 1, PAGE);
	must(page_is(s.base, 0, ANY));
	must(channel_empty(&s.channel));
	unmap(copier.to, 4);
	must(page_is(s.base, 3, ANY));
}

TEST(S2_32_C7_vm_map_waits_for_all_pages)
{
	made_at_once('m');
}

TEST(S2_32_C7_vm_copy_waits_for_all_pages)
{
	made_at_once('c');
}

TEST(S2_32_C7_vm_read_waits_for_all_pages)
{
	made_at_once('r');
}

TEST(S2_32_C7_vm_write_waits_for_all_pages)
{
	made_at_once('w');
}

/* Nothing else maps the object: what was waited for is not given back before it is copied. */
TEST(S2_32_C7_the_copy_is_the_first_to_map_it)
{
	struct copier copier;
	struct served s;

	serve_none(&s, 4);
	unmap(s.base, 4);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	copy_start(&copier, &s, 'm');
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, MACHVM_COPY_NONE), 0);
	for (unsigned int i = 0; i < 4; i++) {
		must_eq(copier.answer, -1);
		must_eq(supply_mark(&s.object, expect_request(&s), 0), 0);
	}
	copy_end(&copier);
	must_eq(copier.answer, KERN_SUCCESS);
	must_eq(channel_empty(&s.channel), true);
	EXPECT_EQ(0, util_wrong(copier.to, 4, 0));
}

TEST(S2_32_what_its_pager_flushes_stays_in_the_copy)
{
	struct machvm_lock_request flush = {
		.size = sizeof(flush), .length = PAGES(4), .should_flush = 1,
		.lock_value = MACHVM_PROT_NO_CHANGE, .reply = 1,
	};
	struct copier copier;
	struct served s;

	serve_none(&s, 4);
	for (unsigned int i = 0; i < 4; i++)
		must_eq(supply_mark(&s.object, i, 0), 0);
	copy_start(&copier, &s, 'm');
	copy_end(&copier);
	EXPECT_EQ(KERN_SUCCESS, copier.answer);
	must_eq(util_ioctl(s.object.control, MACHVM_LOCK_REQUEST, &flush), 0);
	expect_message(&s.channel, MACHVM_CMD_LOCK_COMPLETED);
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	EXPECT_EQ(0, util_wrong(copier.to, 4, 0));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(S2_32_a_pager_that_fails_makes_the_call_fail)
{
	static const char how[] = "mcrw";

	for (unsigned int i = 0; i < 4; i++) {
		struct copier copier;
		struct served s;
		int regions;

		serve_none(&s, 4);
		regions = util_regions(0, USER_END);
		copy_start(&copier, &s, how[i]);
		must_eq(supply_mark(&s.object, expect_request(&s), 0), 0);
		must_eq(say_error(&s.channel, &s.object, PAGES(expect_request(&s)), PAGE, 5), 0);
		copy_end(&copier);
		EXPECT_EQ(KERN_MEMORY_ERROR, copier.answer);
		if (copier.to) {
			EXPECT_EQ(0, util_not_zero(copier.to, 4));
			unmap(copier.to, 4);
		}
		EXPECT_EQ(regions, util_regions(0, USER_END));
		unmap(s.base, 4);
	}
}

TEST(S2_32_who_waits_for_the_copy_can_be_killed)
{
	struct served s;
	pid_t client;
	int status;

	serve_none(&s, 4);
	must_eq(vm_inherit(SELF, s.base, PAGES(4), VM_INHERIT_SHARE), KERN_SUCCESS);
	client = fork_client(&s);
	if (!client) {
		mach_msg_type_number_t count;
		vm_offset_t data;

		vm_read(SELF, s.base, PAGES(4), &data, &count);
		_exit(0);
	}
	expect_request(&s);
	process_asleep(client);
	must(!kill(client, SIGKILL));
	must_eq(waitpid(client, &status, 0), client);
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* What is there is copied, what is not comes when it is needed. */
TEST(S2_33_C7_fork_copies_what_is_there)
{
	struct served s;
	pid_t child;

	serve_none(&s, 2);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	child = fork_client(&s);
	if (!child) {
		must(page_is(s.base, 0, util_mark(0, 0)));
		must(page_is(s.base, 1, util_mark(1, 0)));
		_exit(0);
	}
	memset((void *)s.base, ANY, PAGE);
	EXPECT_EQ(1, expect_request(&s));
	must_eq(supply_mark(&s.object, 1, 0), 0);
	EXPECT_EQ(0, util_wait(child));
}

TEST(S2_54_the_strategy_cannot_change_while_copies_exist)
{
	struct machvm_attributes call = {
		.size = sizeof(call), .copy_strategy = MACHVM_COPY_NONE, .may_cache = 1,
	};
	struct served s;
	vm_address_t copy;

	serve(&s, 4);
	copy = map_object(&s.object, 0, 4, true);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, util_ioctl(s.object.control, MACHVM_SET_ATTRIBUTES, &call));
	EXPECT_EQ(MACHVM_COPY_DELAY, object_info(&s.object).out_copy_strategy);
	EXPECT_FALSE(object_info(&s.object).out_flags & MACHVM_OBJECT_CACHEABLE);
	unmap(copy, 4);
	EXPECT_EQ(0, util_ioctl(s.object.control, MACHVM_SET_ATTRIBUTES, &call));
	EXPECT_EQ(MACHVM_COPY_NONE, object_info(&s.object).out_copy_strategy);
}

HARNESS_MAIN
