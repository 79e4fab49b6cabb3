// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_manager.c - the default memory manager in user space: rows K6, K13, C13.
 */
#include "harness.h"
#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The same, where those that @offered was about were offered before, and the others not. */
static void take_after(struct manager *m, const struct message *offered, unsigned int nr)
{
	while (nr) {
		struct message message = channel_next(&m->channel);
		bool before = message.offset >= offered->offset &&
			      message.offset < offered->offset + offered->length;

		must_eq(message.command, before ? MACHVM_CMD_DATA_RETURN :
						  MACHVM_CMD_DATA_INITIALIZE);
		nr -= take_some(m, &message);
	}
}

static void give(struct manager *m, unsigned int page)
{
	struct message message = expect_message(&m->channel, MACHVM_CMD_DATA_REQUEST);

	must_eq(message.object, m->bank.id);
	must_eq(message.offset, PAGES(page));
	must_eq(message.length, PAGE);
	must_eq(supply(&m->bank, message.offset, m->kept[page], PAGE), 0);
}

static void fill(vm_address_t base, unsigned int pages, unsigned int from)
{
	for (unsigned int i = 0; i < pages; i++)
		memset((void *)(base + PAGES(i)), from + i, PAGE);
}

#define managed() (statistics().out_managed)

/* A manager that was told of memory, the first @written pages of which are on their way to it. */
static vm_address_t manager_begin(struct manager *m, unsigned int pages, unsigned int written)
{
	vm_address_t base = util_make(pages);

	manager_start(m);
	fill(base, written, 1);
	must_eq(pageout(base, written), written);
	told(m);
	return base;
}

/* The end of the memory is the end of the object. */
static void manager_end(struct manager *m, vm_address_t base, unsigned int pages)
{
	unmap(base, pages);
	expect_message(&m->channel, MACHVM_CMD_TERMINATE);
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
}

TEST(K13_create_and_data_initialize_then_data_return)
{
	struct manager m;
	struct touch touch;
	vm_address_t base;
	unsigned int i;

	base = manager_begin(&m, 4, 4);
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 4);
	wait_until(managed() == 4);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1 + i, m.kept[i][0]);
		EXPECT_EQ(1 + i, m.kept[i][PAGE - 1]);
	}
	/* What comes back is what the manager says. */
	m.kept[2][5] = 99;
	sleeping_read(&touch, base + PAGES(2) + 5);
	give(&m, 2);
	touch_end(&touch);
	EXPECT_EQ(99, touch.byte);
	EXPECT_EQ(3, managed());
	/* It was there before, so the next time it is returned. */
	memset((void *)(base + PAGES(2)), 50, PAGE);
	ASSERT_EQ(1, pageout(base, 4));
	take(&m, MACHVM_CMD_DATA_RETURN, 1);
	wait_until(managed() == 4);
	EXPECT_EQ(50, m.kept[2][5]);
	sleeping_write(&touch, base + PAGES(2), 51);
	give(&m, 2);
	touch_end(&touch);
	EXPECT_EQ(51, *(unsigned char *)(base + PAGES(2)));
	EXPECT_EQ(50, *(unsigned char *)(base + PAGES(2) + 1));
	manager_end(&m, base, 4);
	wait_until(managed() == 0);
}

TEST(K13_the_store_keeps_what_is_not_released)
{
	struct manager m;
	vm_address_t base;
	unsigned int i;

	base = manager_begin(&m, 4, 4);
	expect_message(&m.channel, MACHVM_CMD_DATA_INITIALIZE);
	/* It has them, and has said nothing: nobody waits for it. */
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(page_is(base, i, 1 + i));
	EXPECT_EQ(0, managed());
	must_eq(return_release(&m.bank, 0, PAGES(4)), 0);
	manager_end(&m, base, 4);
}

/* Others go out while a page is on its way in: it is there for who asked for it. */
TEST(K13_what_has_come_stays_until_it_is_used)
{
	struct manager m;
	vm_address_t base;

	base = manager_begin(&m, 3, 2);
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 2);
	wait_until(managed() == 2);
	must_eq(supply(&m.bank, 0, m.kept[0], PAGE), 0);
	fill(base + PAGES(2), 1, 3);
	ASSERT_EQ(1, pageout(base, 3));
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 1);
	wait_until(managed() == 3);
	EXPECT_EQ(1, object_info(&m.bank).out_resident);
	EXPECT_TRUE(page_is(base, 0, 1));
	EXPECT_TRUE(channel_empty(&m.channel));
	manager_end(&m, base, 3);
}

/* Serves what @before had, and has got what that kept. */
static void succeed(struct manager *next, const struct manager *before)
{
	wait_until(!open_bank(next, before->bank.id));
	memcpy(next->kept, before->kept, sizeof(next->kept));
}

/* The manager ends amid a transfer; another one has what was released, and gets what was not. */
TEST(K13_a_successor_serves_what_was_released)
{
	struct manager m, next;
	struct message offered;
	struct touch touch;
	vm_address_t base;

	base = manager_begin(&m, 6, 3);
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 3);
	wait_until(managed() == 3);
	fill(base + PAGES(3), 3, 4);
	ASSERT_EQ(3, pageout(base + PAGES(3), 3));
	/* They go as they come: these may not be all. */
	offered = expect_message(&m.channel, MACHVM_CMD_DATA_INITIALIZE);
	sleeping_read(&touch, base + PAGES(1));
	channel_close(&m.channel);
	close(m.bank.control);

	/* Who waits goes on waiting; what is in the store can be had. */
	EXPECT_TRUE(page_is(base, 4, 5));
	manager_start(&next);
	succeed(&next, &m);
	give(&next, 1);
	touch_end(&touch);
	EXPECT_EQ(2, touch.byte);
	take_after(&next, &offered, 2);
	wait_until(managed() == 4);
	EXPECT_EQ(4, next.kept[3][0]);
	EXPECT_EQ(6, next.kept[5][0]);
	close(m.self.control);
	manager_end(&next, base, 6);
}

/* The one page of another object, written and released; its bank is in @bank. */
static void second_begin(struct manager *m, vm_address_t base, struct object *bank)
{
	const struct object first = m->bank;

	fill(base, 1, 50);
	must_eq(pageout(base, 1), 1);
	told(m);
	take(m, MACHVM_CMD_DATA_INITIALIZE, 1);
	*bank = m->bank;
	m->bank = first;
}

/* Who waits for a page waits no longer because the manager is slow to take others. */
TEST(K13_a_successor_is_asked_before_it_has_taken)
{
	struct manager m, next;
	struct object second;
	vm_address_t base, other = util_make(1);
	struct message message;
	struct touch touch;

	/* So that it is an object of its own. */
	must_eq(vm_inherit(SELF, other, PAGE, VM_INHERIT_NONE), KERN_SUCCESS);
	base = manager_begin(&m, 6, 3);
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 3);
	second_begin(&m, other, &second);
	wait_until(managed() == 4);
	fill(base + PAGES(3), 3, 4);
	ASSERT_EQ(3, pageout(base + PAGES(3), 3));
	expect_message(&m.channel, MACHVM_CMD_DATA_INITIALIZE);
	sleeping_read(&touch, other);
	channel_close(&m.channel);
	close(m.self.control);
	manager_start(&next);
	do {
		message = channel_next(&next.channel);
	} while (message.command != MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(second.id, message.object);
	close(second.control);
	close(m.bank.control);
	wait_until(!open_bank(&next, second.id));
	must_eq(supply_mark(&next.bank, 0, 7), 0);
	touch_end(&touch);
	EXPECT_EQ(util_mark(0, 7), touch.byte);
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
	close(next.bank.control);
	channel_close(&next.channel);
	unmap(other, 1);
	unmap(base, 6);
}

/* It was set while the one before was there, which kept what it had until it went. */
TEST(K13_who_is_set_already_is_asked_when_the_one_before_goes)
{
	struct manager m, next;
	struct touch touch;
	vm_address_t base;

	base = manager_begin(&m, 2, 2);
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 2);
	wait_until(managed() == 2);
	manager_start(&next);
	sleeping_read(&touch, base + PAGES(1));
	EXPECT_TRUE(channel_empty(&next.channel));
	channel_close(&m.channel);
	close(m.bank.control);
	close(m.self.control);
	succeed(&next, &m);
	give(&next, 1);
	touch_end(&touch);
	EXPECT_EQ(2, touch.byte);
	manager_end(&next, base, 2);
}

/* Nobody serves it when it is set; from the first socket on it is there. */
TEST(K13_who_is_bound_after_he_was_set_is_asked)
{
	struct manager m, next = { 0 };
	struct touch touch;
	vm_address_t base;

	base = manager_begin(&m, 2, 2);
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 2);
	wait_until(managed() == 2);
	sleeping_read(&touch, base + PAGES(1));
	channel_close(&m.channel);
	close(m.bank.control);
	object_create(&next.self);
	must_eq(set_manager(next.self.fd, 0, NULL), 0);
	close(m.self.control);
	channel_open(&next.channel);
	must_eq(object_bind(&next.self, &next.channel, 0), 0);
	succeed(&next, &m);
	give(&next, 1);
	touch_end(&touch);
	EXPECT_EQ(2, touch.byte);
	manager_end(&next, base, 2);
}

/* An object with pages 0 and 1, the first one written; page 2 is asked for, and read by @reader. */
static void forsaken_begin(struct served *s, struct touch *reader)
{
	serve(s, 4);
	set_absence(&s->object, MACHVM_FALLBACK_MANAGER, 0, 0);
	must_eq(supply_mark(&s->object, 0, 0), 0);
	must_eq(supply_mark(&s->object, 1, 0), 0);
	write_page(s, 0, 200);
	sleeping_read(reader, s->base + PAGES(2));
	expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);
}

/* As a process does that ends, in either order. */
static void forsake(struct served *s, bool socket_first)
{
	if (socket_first)
		channel_close(&s->channel);
	close(s->object.control);
	if (!socket_first)
		channel_close(&s->channel);
}

static void taken_over(struct __test_metadata *_metadata, bool socket_first)
{
	struct message message;
	struct touch reader;
	struct served s;
	struct manager m;

	manager_start(&m);
	forsaken_begin(&s, &reader);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, open_bank(&m, s.object.id));	/* it has a pager */
	forsake(&s, socket_first);
	message = expect_message(&m.channel, MACHVM_CMD_DATA_REQUEST);
	EXPECT_EQ(s.object.id, message.object);
	EXPECT_EQ(PAGES(2), message.offset);
	must(!util_descriptors(0));
	EXPECT_EQ(-EMFILE, open_bank(&m, message.object));
	must(!util_descriptors(-1));
	must_eq(open_bank(&m, message.object), 0);
	EXPECT_EQ(m.bank.epoch, message.epoch);
	memset(m.kept[2], 42, PAGE);
	must_eq(supply(&m.bank, PAGES(2), m.kept[2], PAGE), 0);
	touch_end(&reader);
	EXPECT_EQ(42, reader.byte);
	EXPECT_TRUE(page_is(s.base, 0, 200));
	EXPECT_TRUE(page_is(s.base, 1, util_mark(1, 0)));
	unmap(s.base, 4);
	take(&m, MACHVM_CMD_DATA_RETURN, 1);
	EXPECT_EQ(200, m.kept[0][0]);
	EXPECT_EQ(200, m.kept[0][PAGE - 1]);
	expect_message(&m.channel, MACHVM_CMD_TERMINATE);
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
}

TEST(K13_S2_51_the_manager_has_what_a_pager_leaves)
{
	taken_over(_metadata, true);
}

TEST(K13_S2_51_the_manager_has_what_nobody_else_could)
{
	taken_over(_metadata, false);
}

/* Nothing was asked for: it is when the memory ends that somebody is needed. */
TEST(K13_S2_51_the_manager_gets_what_was_written)
{
	struct manager m;
	struct served s;

	serve_clean(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_MANAGER, 0, 0);
	write_page(&s, 3, 200);
	channel_close(&s.channel);
	manager_start(&m);
	unmap(s.base, 4);
	m.bank.id = s.object.id;
	must_eq(open_bank(&m, s.object.id), 0);
	take(&m, MACHVM_CMD_DATA_RETURN, 1);
	EXPECT_EQ(200, m.kept[3][0]);
	expect_message(&m.channel, MACHVM_CMD_TERMINATE);
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
}

static void expect_lost(struct touch touch)
{
	must_eq(touch.signal, SIGBUS);
	must_eq(touch.why, KERN_MEMORY_ERROR);
}

/* It dies in its turn.  Questions end as they do without any; what was written stays for the next. */
TEST(K13_S2_51_the_next_manager_has_what_was_left_to_the_one_before)
{
	struct manager m, next;
	struct touch reader;
	struct served s;

	manager_start(&m);
	forsaken_begin(&s, &reader);
	forsake(&s, true);
	expect_message(&m.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(open_bank(&m, s.object.id), 0);
	channel_close(&m.channel);
	touch_end(&reader);
	expect_lost(reader);
	close(m.bank.control);

	manager_start(&next);
	sleeping_read(&reader, s.base + PAGES(2));
	EXPECT_EQ(PAGES(2), expect_message(&next.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(open_bank(&next, s.object.id), 0);
	memset(next.kept[2], 43, PAGE);
	must_eq(supply(&next.bank, PAGES(2), next.kept[2], PAGE), 0);
	touch_end(&reader);
	EXPECT_EQ(43, reader.byte);
	EXPECT_TRUE(page_is(s.base, 0, 200));
	unmap(s.base, 4);
	take(&next, MACHVM_CMD_DATA_RETURN, 1);
	EXPECT_EQ(200, next.kept[0][0]);
	expect_message(&next.channel, MACHVM_CMD_TERMINATE);
	close(m.self.control);
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
}

TEST(K13_S2_51_without_a_manager_it_is_an_error)
{
	struct touch reader;
	struct manager m;
	struct served s;

	forsaken_begin(&s, &reader);
	channel_close(&s.channel);		/* there is none */
	touch_end(&reader);
	expect_lost(reader);
	manager_start(&m);
	channel_close(&m.channel);		/* there is one, that nobody serves */
	expect_lost(touch_now(s.base + PAGES(3), false, 0));
	EXPECT_TRUE(page_is(s.base, 0, 200));
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
}

TEST(K13_S2_51_a_pager_that_is_late_keeps_its_object)
{
	struct touch reader;
	struct manager m;
	struct served s;

	manager_start(&m);
	forsaken_begin(&s, &reader);
	set_absence(&s.object, MACHVM_FALLBACK_MANAGER, 30, 0);
	touch_end(&reader);
	expect_lost(reader);
	EXPECT_TRUE(channel_empty(&m.channel));
	must_eq(supply_mark(&s.object, 2, 0), 0);
	EXPECT_EQ(util_mark(2, 0), byte_at(s.base, 2));
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
}

TEST(K13_who_may_set_it)
{
	struct object object, gone;
	struct channel channel;
	int previous;
	pid_t pid;

	channel_open(&channel);
	object_create(&object);
	must_eq(object_bind(&object, &channel, 0), 0);
	EXPECT_EQ(KERN_SUCCESS, set_manager(-1, 0, &previous));
	EXPECT_EQ(-1, previous);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, set_manager(object.control, 0, NULL));
	object_create(&gone);
	close(gone.control);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, set_manager(gone.fd, 0, NULL));
	close(gone.fd);
	EXPECT_EQ(KERN_SUCCESS, set_manager(object.fd, 0, &previous));
	EXPECT_EQ(-1, previous);
	EXPECT_EQ(KERN_SUCCESS, set_manager(-1, 0, &previous));
	EXPECT_LE(0, previous);
	close(previous);
	pid = fork();
	if (!pid) {
		must(!setgid(1000) && !setuid(1000));
		must_eq(set_manager(-1, 0, NULL), KERN_NO_ACCESS);
		must_eq(set_manager(object.fd, 0, NULL), KERN_NO_ACCESS);
		_exit(0);
	}
	EXPECT_EQ(0, util_wait(pid));
	/* Nobody loses the one before for want of a descriptor: there is one for the device. */
	must(!util_descriptors(1));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, set_manager(-1, MACHVM_MANAGER_KERNEL, &previous));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, set_manager(object.fd, 0, &previous));
	EXPECT_EQ(-1, previous);
	must(!util_descriptors(-1));
	EXPECT_EQ(KERN_SUCCESS, set_manager(-1, MACHVM_MANAGER_KERNEL, &previous));
	EXPECT_LE(0, previous);
	close(previous);
	EXPECT_EQ(KERN_SUCCESS, set_manager(-1, 0, &previous));
	EXPECT_EQ(-1, previous);
}

HARNESS_MAIN
