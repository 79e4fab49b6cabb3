// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_library.c - the library's pager loop against the real kernel.
 */
#include "harness.h"
#include "raw.h"

#include <machvm/pager.h>
#include <sched.h>

#define PAGES_SERVED 64

struct event {
	char what;		/* i, r, w (data_return), c (supply_completed), t */
	vm_offset_t offset;
	vm_size_t length;
	int value;
	unsigned char byte;
};

static struct event events[4096];
static atomic_int nr_events;

static void note(struct event event)
{
	events[atomic_fetch_add(&nr_events, 1)] = event;
}

static void init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		 vm_size_t page_size)
{
	(void)cookie;
	(void)name;
	note((struct event){ .what = 'i', .length = page_size });
	must_eq(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY), KERN_SUCCESS);
}

/* Page 10 has an error, page 11 is not there, page 12 is precious and is to be confirmed. */
static void data_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			 vm_size_t length, vm_prot_t desired)
{
	unsigned char data[PAGE];

	(void)cookie;
	note((struct event){ .what = 'r', .offset = offset, .length = length, .value = desired });
	memset(data, util_mark(offset / PAGE, 0), PAGE);
	switch (offset / PAGE) {
	case 10:
		must_eq(memory_object_data_error(control, offset, PAGE, 4321), KERN_SUCCESS);
		break;
	case 11:
		must_eq(memory_object_data_unavailable(control, offset, PAGE), KERN_SUCCESS);
		break;
	case 12:
		must_eq(memory_object_data_supply(control, offset, (vm_offset_t)data, PAGE,
						  VM_PROT_NONE, TRUE, control), KERN_SUCCESS);
		break;
	default:
		must_eq(memory_object_data_supply(control, offset, (vm_offset_t)data, PAGE,
						  VM_PROT_NONE, FALSE, MACH_PORT_NULL),
			KERN_SUCCESS);
	}
}

static void data_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
			const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	(void)cookie;
	(void)control;
	must_eq(kernel_copy, FALSE);
	note((struct event){ .what = 'w', .offset = offset, .length = length, .value = dirty,
			     .byte = *(const unsigned char *)data });
}

static void supply_completed(void *cookie, memory_object_control_t control, vm_offset_t offset,
			     vm_size_t length, kern_return_t result, vm_offset_t error_offset)
{
	(void)cookie;
	(void)control;
	(void)error_offset;
	note((struct event){ .what = 'c', .offset = offset, .length = length, .value = result });
}

static void terminate(void *cookie, memory_object_control_t control)
{
	(void)cookie;
	(void)control;
	note((struct event){ .what = 't' });
}

static const struct machvm_pager_ops ops = {
	.init = init, .data_request = data_request, .data_return = data_return,
	.supply_completed = supply_completed, .terminate = terminate,
};

static void *serve_thread(void *pager)
{
	must_eq(machvm_pager_run(pager), 0);
	return NULL;
}

static struct event *find(char what, vm_offset_t offset)
{
	for (int i = 0; i < atomic_load(&nr_events); i++)
		if (events[i].what == what && events[i].offset == offset)
			return &events[i];
	return NULL;
}

static unsigned int count(char what)
{
	unsigned int found = 0;

	for (int i = 0; i < atomic_load(&nr_events); i++)
		found += events[i].what == what;
	return found;
}

struct library {
	struct machvm_pager *pager;
	memory_object_t object;
	pthread_t threads[2];
	vm_address_t base;
};

static void library_start(struct library *l)
{
	must_eq(machvm_pager_create(&ops, &l->pager), KERN_SUCCESS);
	must_eq(machvm_pager_object(l->pager, NULL, &l->object), KERN_SUCCESS);
	for (int i = 0; i < 2; i++)
		must(!pthread_create(&l->threads[i], NULL, serve_thread, l->pager));
	l->base = util_map(l->object, 0, PAGES_SERVED, false);
	must(l->base);
}

static void library_stop(struct library *l)
{
	machvm_pager_stop(l->pager);
	for (int i = 0; i < 2; i++)
		must(!pthread_join(l->threads[i], NULL));
}

TEST(library_serves_a_life_from_init_to_terminate)
{
	struct touch failed;
	struct library l;

	library_start(&l);
	for (int i = 0; i < 10; i++)
		EXPECT_TRUE(page_is(l.base, i, util_mark(i, 0)));
	failed = touch_now(l.base + PAGES(10), false, 0);
	EXPECT_EQ(SIGBUS, failed.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, failed.why);
	EXPECT_EQ(4321, failed.reason);
	EXPECT_TRUE(page_is(l.base, 11, 0));
	EXPECT_TRUE(page_is(l.base, 12, util_mark(12, 0)));
	*(unsigned char *)(l.base + PAGES(20)) = 99;
	unmap(l.base, PAGES_SERVED);
	wait_until(count('t'));
	library_stop(&l);
	EXPECT_EQ('i', events[0].what);
	EXPECT_EQ(PAGE, events[0].length);
	EXPECT_EQ(1, count('i'));
	EXPECT_EQ(14, count('r'));
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(VM_PROT_READ, find('r', PAGES(i))->value);
	EXPECT_EQ(VM_PROT_READ | VM_PROT_WRITE, find('r', PAGES(20))->value);
	EXPECT_EQ(1, count('c'));
	EXPECT_EQ(KERN_SUCCESS, find('c', PAGES(12))->value);
	EXPECT_EQ(2, count('w'));
	EXPECT_EQ(FALSE, find('w', PAGES(12))->value);
	EXPECT_EQ(util_mark(12, 0), find('w', PAGES(12))->byte);
	EXPECT_EQ(TRUE, find('w', PAGES(20))->value);
	EXPECT_EQ(99, find('w', PAGES(20))->byte);
	EXPECT_EQ('t', events[atomic_load(&nr_events) - 1].what);
	machvm_pager_destroy(l.pager);
}

TEST(library_S2_51_adopts_what_another_pager_left)
{
	struct touch reader;
	struct library l;
	struct served s;

	serve(&s, PAGES_SERVED);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	must_eq(supply_mark(&s.object, 1, 7), 0);
	*(unsigned char *)(s.base + PAGE) = 99;
	sleeping_read(&reader, s.base);
	must_eq(machvm_pager_create(&ops, &l.pager), KERN_SUCCESS);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, machvm_pager_adopt(l.pager, dup(s.channel.fd), NULL));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, machvm_pager_adopt(l.pager, MACH_PORT_NULL, NULL));
	channel_close(&s.channel);
	EXPECT_EQ(KERN_SUCCESS, machvm_pager_adopt(l.pager, s.object.control, NULL));
	for (int i = 0; i < 2; i++)
		must(!pthread_create(&l.threads[i], NULL, serve_thread, l.pager));
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 0), reader.byte);
	EXPECT_EQ(util_mark(2, 0), byte_at(s.base, 2));
	unmap(s.base, PAGES_SERVED);
	wait_until(count('t'));
	library_stop(&l);
	EXPECT_EQ(0, count('i'));
	EXPECT_EQ(2, count('r'));
	EXPECT_EQ(99, find('w', PAGE)->byte);
	machvm_pager_destroy(l.pager);
}

TEST(library_S2_48_init_follows_terminate)
{
	struct library l;
	unsigned int inits = 0;

	library_start(&l);
	for (int i = 0; i < 40; i++) {
		*(unsigned char *)l.base = i;
		EXPECT_EQ(i, byte_at(l.base, 0));
		unmap(l.base, PAGES_SERVED);
		l.base = util_map(l.object, 0, PAGES_SERVED, false);
	}
	EXPECT_EQ(util_mark(1, 0), byte_at(l.base, 1));
	unmap(l.base, PAGES_SERVED);
	wait_until(count('t') == 41);
	library_stop(&l);
	for (int i = 0; i < atomic_load(&nr_events); i++) {
		EXPECT_EQ(events[i].what == 'i' ? 0 : 1, inits);
		inits += (events[i].what == 'i') - (events[i].what == 't');
	}
	EXPECT_EQ(40, count('w'));
	machvm_pager_destroy(l.pager);
}

TEST(library_P15_objects_of_a_pager_that_was_destroyed)
{
	struct touch failed;
	struct library l;

	library_start(&l);
	EXPECT_TRUE(page_is(l.base, 3, util_mark(3, 0)));
	library_stop(&l);
	machvm_pager_destroy(l.pager);
	EXPECT_TRUE(page_is(l.base, 3, util_mark(3, 0)));
	failed = touch_now(l.base, false, 0);
	EXPECT_EQ(SIGBUS, failed.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, failed.why);
	EXPECT_EQ(0, failed.reason);
}

TEST(library_a_child_is_no_pager)
{
	struct library l;
	pid_t child;

	library_start(&l);
	child = fork();
	must(child >= 0);
	if (!child) {
		vm_address_t base = util_map(l.object, 0, 4, false);

		must(page_is(base, 2, util_mark(2, 0)));	/* the parent serves it */
		_exit(0);
	}
	EXPECT_EQ(0, util_wait(child));
	EXPECT_EQ(1, count('r'));
	/* A child that is left over does not keep the pager alive. */
	child = fork();
	must(child >= 0);
	if (!child)
		for (;;)
			pause();
	library_stop(&l);
	machvm_pager_destroy(l.pager);
	EXPECT_EQ(SIGBUS, touch_now(l.base, false, 0).signal);
	must(!kill(child, SIGKILL));
	util_wait(child);
}

TEST(library_many_clients_and_two_servers)
{
	struct library l;
	struct touch crowd[PAGES_SERVED];
	unsigned char seen[PAGES_SERVED] = { 0 };

	library_start(&l);
	for (int i = 0; i < PAGES_SERVED; i++)
		touch_start(&crowd[i], l.base + PAGES(i), i & 1, util_mark(i, 0));
	for (int i = 0; i < PAGES_SERVED; i++) {
		touch_end(&crowd[i]);
		EXPECT_EQ(i == 10 ? SIGBUS : 0, crowd[i].signal);
	}
	library_stop(&l);
	for (int i = 0; i < atomic_load(&nr_events); i++)
		if (events[i].what == 'r')
			seen[events[i].offset / PAGE]++;
	for (int i = 0; i < PAGES_SERVED; i++)
		EXPECT_EQ(1, seen[i]);
	machvm_pager_destroy(l.pager);
}

HARNESS_MAIN
