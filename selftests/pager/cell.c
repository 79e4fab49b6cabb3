// SPDX-License-Identifier: GPL-2.0-only
/*
 * cell.c - see cell.h.
 *
 * The process of the test is the pager.  It behaves until its client, a child, has written to two
 * pages, and misbehaves from then on.  Whatever it does, the client gets the right bytes or one
 * error, the pager gets what was written unless it does not take it, and nothing is left behind.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cell.h"
#include "raw.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OBJECT_PAGES 8
#define ABSENT 4		/* the first pages are never touched before */
#define DIRTY 4			/* the page that was written, with the one behind it */
#define WROTE 0xd1		/* by the client before, and ... */
#define STORED 0xd2		/* ... in what it does */
#define LIE 0xbb		/* of the pager */
#define DEADLINE_MS 50

struct cell {
	enum how how;
	enum what what;
	struct channel channel;
	struct object object;
	vm_address_t own;		/* the pager's mapping, so that the client's is not the last */
	unsigned char store[OBJECT_PAGES];
	bool misbehaves, dead, terminated, completed, killed;
	unsigned int requests, returns;	/* since it misbehaves */
	struct machvm_vm_statistics before;
	pid_t client;
	int ended;			/* readable when the client is gone */
	struct util_gate prepared, go;
};

/* Does a page that has to be asked for end in an error? */
static bool requests_fail(const struct cell *c)
{
	return c->how == HOW_DIES || c->how == HOW_STALLS || c->how == HOW_OWN_FAULT;
}

/* The client; all it says is its exit status. */

static void load_absent(const struct cell *c, vm_address_t base)
{
	struct touch touch;

	for (unsigned int i = 0; i < ABSENT; i++) {
		touch = touch_now(base + PAGES(i), false, 0);
		if (requests_fail(c)) {
			must_eq(touch.signal, SIGBUS);
			must_eq(touch.why, KERN_MEMORY_ERROR);
			return;
		}
		must_eq(touch.signal, 0);
		must(page_is(base, i, util_mark(i, 0)));
	}
}

static void store_absent(const struct cell *c, vm_address_t base)
{
	struct touch touch;

	for (unsigned int i = 0; i < ABSENT; i++) {
		touch = touch_now(base + PAGES(i), true, STORED);
		if (requests_fail(c)) {
			must_eq(touch.signal, SIGBUS);
			must_eq(touch.why, KERN_MEMORY_ERROR);
			return;
		}
		must_eq(touch.signal, 0);
		must_eq(byte_at(base, i), STORED);
		must_eq(*(unsigned char *)(base + PAGES(i) + 1), util_mark(i, 0));
	}
}

static void read_absent(const struct cell *c, vm_address_t base)
{
	mach_msg_type_number_t count;
	vm_offset_t data;

	must_eq(vm_read(SELF, base, PAGES(ABSENT), &data, &count), KERN_SUCCESS);
	load_absent(c, data);
}

static kern_return_t answer_of(const struct cell *c)
{
	return requests_fail(c) ? KERN_MEMORY_ERROR : KERN_SUCCESS;
}

static void overwrite_absent(const struct cell *c, vm_address_t base)
{
	vm_address_t from = util_make(ABSENT);

	memset((void *)from, STORED, PAGES(ABSENT));
	must_eq(vm_write(SELF, base, from, PAGES(ABSENT)), answer_of(c));
	for (unsigned int i = 0; i < ABSENT && !requests_fail(c); i++)
		must(page_is(base, i, STORED));
}

static void copy_absent(const struct cell *c, vm_address_t base)
{
	static unsigned char to[PAGES(ABSENT)] __attribute__((aligned(PAGE)));

	memset(to, LIE, sizeof(to));
	must_eq(vm_copy(SELF, base, PAGES(ABSENT), (vm_address_t)to), answer_of(c));
	for (unsigned int i = 0; i < ABSENT; i++)
		must(page_is((vm_address_t)to, i, requests_fail(c) ? LIE : util_mark(i, 0)));
}

/* The object is one whose copies are made at once. */
static void map_copy(const struct cell *c, vm_address_t base)
{
	int regions = util_regions(0, USER_END);
	vm_address_t copy = 0;

	must_eq(vm_map(SELF, &copy, PAGES(ABSENT), 0, TRUE, c->object.fd, 0, TRUE,
		       VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY), answer_of(c));
	if (requests_fail(c)) {
		must_eq(util_regions(0, USER_END), regions);
		return;
	}
	memset((void *)base, STORED, PAGES(ABSENT));
	must_eq(util_wrong(copy, ABSENT, 0), 0);
}

static void fork_write(const struct cell *c, vm_address_t base)
{
	pid_t child = fork();

	must(child >= 0);
	if (!child) {
		store_absent(c, base);
		_exit(0);
	}
	must_eq(util_wait(child), 0);
	load_absent(c, base);
}

static void sync_dirty(const struct cell *c, vm_address_t base)
{
	must_eq(vm_msync(SELF, base, PAGES(OBJECT_PAGES), VM_SYNC_SYNCHRONOUS),
		c->how == HOW_DIES ? KERN_MEMORY_ERROR : KERN_SUCCESS);
	must(page_is(base, DIRTY, WROTE));
}

static void wire_absent(const struct cell *c, vm_address_t base)
{
	must_eq(vm_wire(mach_host_priv(), SELF, base, PAGES(ABSENT), VM_PROT_READ), answer_of(c));
	must_eq(vm_wire(mach_host_priv(), SELF, base, PAGES(ABSENT), VM_PROT_NONE), KERN_SUCCESS);
}

/* What was flushed comes back as it was written, or stayed with a pager that died over it. */
static void load_dirty(const struct cell *c, vm_address_t base)
{
	struct touch touch = touch_now(base + PAGES(DIRTY), false, 0);

	if (requests_fail(c) && c->how != HOW_DIES) {
		must_eq(touch.signal, SIGBUS);
		must_eq(touch.why, KERN_MEMORY_ERROR);
	} else {
		must_eq(touch.signal, 0);
		must(page_is(base, DIRTY, WROTE));
	}
}

static void act(const struct cell *c, vm_address_t base)
{
	switch (c->what) {
	case WHAT_READ: load_absent(c, base); break;
	case WHAT_WRITE: store_absent(c, base); break;
	case WHAT_VM_READ: read_absent(c, base); break;
	case WHAT_VM_WRITE: overwrite_absent(c, base); break;
	case WHAT_VM_COPY: copy_absent(c, base); break;
	case WHAT_MAP_COPY: map_copy(c, base); break;
	case WHAT_FORK_WRITE: fork_write(c, base); break;
	case WHAT_MSYNC: sync_dirty(c, base); break;
	case WHAT_WIRE: wire_absent(c, base); break;
	case WHAT_LOCK_REQUEST: load_dirty(c, base); break;
	case WHAT_DEALLOCATE: unmap(base, OBJECT_PAGES); break;
	case WHAT_EXIT: break;
	case WHAT_KILLED:
		load_absent(c, base);
		raw_die(__FILE__, __LINE__, "was not killed");
	}
}

static void client(struct cell *c)
{
	vm_address_t base;

	close(c->channel.fd);
	close(c->object.control);
	base = map_object(&c->object, 0, OBJECT_PAGES, false);
	memset((void *)(base + PAGES(DIRTY)), WROTE, PAGES(2));
	util_gate_open(&c->prepared);
	must(!util_gate_pass(&c->go));
	act(c, base);
	_exit(0);
}

/* Requests for pages */

static int supply_byte(struct cell *c, unsigned int page, unsigned char byte)
{
	unsigned char data[PAGE];

	memset(data, byte, sizeof(data));
	return supply(&c->object, PAGES(page), data, sizeof(data));
}

static void supply_right(struct cell *c, unsigned int page)
{
	must_eq(supply_byte(c, page, c->store[page]), KERN_SUCCESS);
}

static void die(struct cell *c)
{
	channel_close(&c->channel);
	close(c->object.control);
	c->dead = true;
}

static void supply_twice(struct cell *c, unsigned int page)
{
	supply_right(c, page);
	must_eq(supply_byte(c, page, LIE), KERN_MEMORY_PRESENT);
	must_eq(say_unavailable(&c->channel, &c->object, PAGES(page), PAGE), 0);
	must_eq(say_error(&c->channel, &c->object, PAGES(page), PAGE, 3), 0);
}

static void supply_sizes(struct cell *c, unsigned int page)
{
	bool taken = page + 1 < ABSENT || c->what == WHAT_LOCK_REQUEST;
	unsigned char data[2 * PAGE];

	memset(data, LIE, sizeof(data));
	must_eq(supply(&c->object, PAGES(page), data, 0), KERN_SUCCESS);
	must_eq(supply(&c->object, PAGES(page), data, 100), KERN_INVALID_ARGUMENT);
	must_eq(supply(&c->object, PAGES(page), data, PAGE + 1), KERN_INVALID_ARGUMENT);
	must_eq(say_supply(&c->channel, &c->object, PAGES(page), data, PAGE - 1, false, false),
		-EINVAL);
	must_eq(say_error(&c->channel, &c->object, PAGES(page), 100, 3), -EINVAL);
	/* More than was asked for is taken, where nothing is. */
	memset(data, c->store[page], PAGE);
	memset(data + PAGE, taken ? c->store[page + 1] : LIE, PAGE);
	must_eq(supply(&c->object, PAGES(page), data, 2 * PAGE),
		taken ? KERN_SUCCESS : KERN_MEMORY_PRESENT);
}

static void supply_unasked(struct cell *c, unsigned int page)
{
	unsigned int i;

	for (i = 0; i < OBJECT_PAGES; i++)
		if (i != page)
			supply_byte(c, i, c->store[i]);	/* some are there */
	must_eq(supply_byte(c, !page, LIE), KERN_MEMORY_PRESENT);
	supply_right(c, page);
}

static void supply_beyond(struct cell *c, unsigned int page)
{
	unsigned char data[PAGE];

	memset(data, LIE, sizeof(data));
	must_eq(supply(&c->object, PAGES(2), data, -PAGE), KERN_INVALID_ARGUMENT);
	must_eq(supply(&c->object, -PAGE, data, 2 * PAGE), KERN_INVALID_ARGUMENT);
	must_eq(supply(&c->object, PAGES(1000 + page), data, PAGE), KERN_SUCCESS);	/* for nobody */
	must_eq(say_unavailable(&c->channel, &c->object, -PAGE, 2 * PAGE), -EINVAL);
	supply_right(c, page);
}

/* It waits for itself, like anybody else, until the deadline. */
static void own_fault(struct cell *c, unsigned int page)
{
	vm_address_t base = c->own ?: map_object(&c->object, 0, OBJECT_PAGES, false);
	struct touch touch = touch_now(base + PAGES(page), false, 0);

	must(touch.signal == SIGBUS ? touch.why == KERN_MEMORY_ERROR :
				      touch.signal == 0 && touch.byte == WROTE);
	if (!c->own)
		unmap(base, OBJECT_PAGES);
}

static void answer_badly(struct cell *c, unsigned int page)
{
	switch (c->how) {
	case HOW_DIES: die(c); break;
	case HOW_STALLS: break;
	case HOW_TWICE: supply_twice(c, page); break;
	case HOW_SIZES: supply_sizes(c, page); break;
	case HOW_UNASKED: supply_unasked(c, page); break;
	case HOW_BEYOND: supply_beyond(c, page); break;
	case HOW_OWN_FAULT: own_fault(c, page); break;
	default: supply_right(c, page);
	}
}

static void set_deadline(struct cell *c)
{
	if (c->how == HOW_STALLS || c->how == HOW_OWN_FAULT)
		set_absence(&c->object, MACHVM_FALLBACK_ERROR, DEADLINE_MS, 0);
}

/* Who waits for the page is gone, and the answer is for whoever looks at it next. */
static void kill_client(struct cell *c)
{
	process_asleep(c->client);
	must(!kill(c->client, SIGKILL));
	must_eq(util_wait(c->client), 1000 + SIGKILL);
	c->killed = true;
	set_deadline(c);
}

static void serve_request(struct cell *c, const struct message *message)
{
	unsigned int first = message->offset / PAGE, nr = message->length / PAGE;

	must(nr && first + nr <= OBJECT_PAGES);
	if (c->misbehaves && c->what == WHAT_KILLED && !c->killed)
		kill_client(c);
	if (c->misbehaves && c->how == HOW_ORDER && !c->requests++ && first < ABSENT)
		must_eq(nr, ABSENT);
	while (nr-- && !c->dead) {
		if (c->misbehaves)
			answer_badly(c, first + nr);
		else
			supply_right(c, first + nr);
	}
}

/* Pages that come back */

static void take(struct cell *c, unsigned int page)
{
	unsigned char data[PAGE];

	must_eq(return_read(&c->object, PAGES(page), data, PAGE), KERN_SUCCESS);
	c->store[page] = data[0];
	must_eq(return_release(&c->object, PAGES(page), PAGE), KERN_SUCCESS);
}

/* The first page is still to be taken. */
static void release_sizes(struct cell *c, unsigned int page)
{
	unsigned char data[PAGE];

	must_eq(return_release(&c->object, PAGES(page), 0), KERN_INVALID_ARGUMENT);
	must_eq(return_release(&c->object, PAGES(page), 100), KERN_INVALID_ARGUMENT);
	must_eq(return_release(&c->object, PAGES(page) + 1, PAGE), KERN_INVALID_ARGUMENT);
	must_eq(return_release(&c->object, PAGES(page), PAGES(OBJECT_PAGES)), KERN_INVALID_ADDRESS);
	must_eq(return_read(&c->object, PAGES(page), data, 100), KERN_INVALID_ARGUMENT);
}

/* What a page that was not returned is to the pager. */
static void release_other(struct cell *c, uint64_t offset)
{
	unsigned char data[PAGE];

	must_eq(return_read(&c->object, offset, data, PAGE), KERN_INVALID_ADDRESS);
	must_eq(return_release(&c->object, offset, PAGE), KERN_INVALID_ADDRESS);
}

static void take_badly(struct cell *c, const struct message *message)
{
	unsigned int first = message->offset / PAGE, nr = message->length / PAGE;

	switch (c->how) {
	case HOW_SIZES: release_sizes(c, first); break;
	case HOW_UNASKED: release_other(c, PAGES(OBJECT_PAGES - 1)); break;
	case HOW_BEYOND: release_other(c, PAGES(1000)); break;
	case HOW_OWN_FAULT: own_fault(c, first); break;
	default: break;
	}
	while (nr--) {
		take(c, first + nr);
		if (c->how == HOW_TWICE)
			release_other(c, PAGES(first + nr));
	}
}

/* The client has ended, or can go no further. */
static void await_client(struct cell *c)
{
	struct pollfd ended = { .fd = c->ended, .events = POLLIN };

	while (!poll(&ended, 1, 0) && util_thread_state(c->client, c->client) != 'S' &&
	       util_thread_state(c->client, c->client) != 'D')
		sched_yield();
}

static void serve_return(struct cell *c, const struct message *message)
{
	must_eq(message->dirty, 1);
	if (!c->misbehaves)
		raw_die(__FILE__, __LINE__, "pages come back early");
	c->returns++;
	if (c->what == WHAT_LOCK_REQUEST && c->returns == 1 && c->how >= HOW_STALLS)
		util_gate_open(&c->go);
	if (c->how == HOW_DIES) {
		die(c);
		if (c->what == WHAT_LOCK_REQUEST)
			util_gate_open(&c->go);
	} else if (c->how == HOW_STALLS) {
		/* Nobody but who asked for it waits for the pager. */
		if (c->what == WHAT_MSYNC && !c->killed)
			kill_client(c);
	} else {
		if (c->how == HOW_SLEEPS)
			await_client(c);
		take_badly(c, message);
	}
}

/* The pager */

static void serve_one(struct cell *c)
{
	struct message message = channel_next(&c->channel);

	switch (message.command) {
	case MACHVM_CMD_INIT:
		must_eq(say_ready(&c->channel, &c->object, c->what == WHAT_MAP_COPY ?
				  MACHVM_COPY_NONE : COPY_DELAY), 0);
		break;
	case MACHVM_CMD_DATA_REQUEST: serve_request(c, &message); break;
	case MACHVM_CMD_DATA_RETURN: serve_return(c, &message); break;
	case MACHVM_CMD_LOCK_COMPLETED: c->completed = true; break;
	case MACHVM_CMD_TERMINATE: c->terminated = true; break;
	default: raw_die(__FILE__, __LINE__, "message %u came", message.command);
	}
}

/* Until @fd can be read, if that is one. */
static void serve_until(struct cell *c, int fd)
{
	struct pollfd polls[] = {
		{ .fd = fd, .events = POLLIN }, { .events = POLLIN },
	};

	for (;;) {
		polls[1].fd = c->dead ? -1 : c->channel.fd;
		if (c->channel.nr_stash) {
			serve_one(c);
			continue;
		}
		must(poll(polls, 2, -1) > 0);
		if (polls[0].revents)
			return;
		if (polls[1].revents && !channel_empty(&c->channel))
			serve_one(c);
	}
}

static void start(struct cell *c)
{
	c->before = statistics();
	for (unsigned int i = 0; i < OBJECT_PAGES; i++)
		c->store[i] = util_mark(i, 0);
	must(!util_gate_init(&c->prepared) && !util_gate_init(&c->go));
	channel_open(&c->channel);
	object_create(&c->object);
	must_eq(object_bind(&c->object, &c->channel, 0), 0);
	c->client = fork();
	must(c->client >= 0);
	if (!c->client)
		client(c);
	c->ended = syscall(SYS_pidfd_open, c->client, 0);
	must(c->ended >= 0);
	if (c->what != WHAT_DEALLOCATE && c->what != WHAT_EXIT)
		c->own = map_object(&c->object, 0, OBJECT_PAGES, false);
	serve_until(c, c->prepared.fd[0]);
	must(!util_gate_pass(&c->prepared));
}

static void set_out(struct cell *c)
{
	struct machvm_attributes clusters = {
		.size = sizeof(clusters), .cluster_size = PAGES(ABSENT),
		.copy_strategy = c->what == WHAT_MAP_COPY ? MACHVM_COPY_NONE : COPY_DELAY,
	};
	struct machvm_lock_request flush = {
		.size = sizeof(flush), .length = PAGES(OBJECT_PAGES), .should_flush = 1,
		.should_return = MACHVM_RETURN_DIRTY, .lock_value = MACHVM_PROT_NO_CHANGE,
		.reply = 1,
	};

	c->misbehaves = true;
	if (c->what != WHAT_KILLED)	/* it is not to end before it is killed */
		set_deadline(c);
	if (c->how == HOW_ORDER)
		must_eq(util_ioctl(c->object.control, MACHVM_SET_ATTRIBUTES, &clusters), 0);
	if (c->what == WHAT_LOCK_REQUEST)
		must_eq(util_ioctl(c->object.control, MACHVM_LOCK_REQUEST, &flush), 0);
	else
		util_gate_open(&c->go);
}

/* What was waited for in vain is there all the same, or an error for who comes now. */
static void look_after_kill(struct cell *c)
{
	struct touch touch = touch_now(c->own, false, 0);

	must(c->killed);
	must_eq(touch.signal, requests_fail(c) ? SIGBUS : 0);
	if (!requests_fail(c))
		must(page_is(c->own, 0, util_mark(0, 0)));
	else
		must_eq(touch.why, KERN_MEMORY_ERROR);
}

static bool stores(enum what what)
{
	return what == WHAT_WRITE || what == WHAT_VM_WRITE || what == WHAT_MAP_COPY;
}

/* What the pager has in the end: all that was written, and nothing else. */
static void check_store(struct cell *c)
{
	must_eq(c->store[DIRTY], WROTE);
	must_eq(c->store[DIRTY + 1], WROTE);
	for (unsigned int i = 0; i < ABSENT; i++)
		must_eq(c->store[i], stores(c->what) && !requests_fail(c) ? STORED : util_mark(i, 0));
	for (unsigned int i = DIRTY + 2; i < OBJECT_PAGES; i++)
		must_eq(c->store[i], util_mark(i, 0));
	if (c->what == WHAT_LOCK_REQUEST)
		must(c->completed);
}

static unsigned long in_memory(const struct machvm_vm_statistics *all)
{
	return all->out_active_count + all->out_inactive_count + all->out_wire_count;
}

/* No more than before, once what works on the end of things has worked. */
static void check_nothing_left(struct cell *c)
{
	struct machvm_vm_statistics now, *was = &c->before;

	do {
		sched_yield();
		now = statistics();
	} while (now.out_objects > was->out_objects || now.out_ports > was->out_ports ||
		 now.out_queued > was->out_queued || in_memory(&now) > in_memory(was));
}

static void finish(struct cell *c)
{
	if (c->own)
		unmap(c->own, OBJECT_PAGES);
	c->own = 0;
	while (!c->terminated && !c->dead && c->how != HOW_STALLS)
		serve_one(c);
	if (c->terminated)
		check_store(c);
	if (!c->dead)
		die(c);
	close(c->object.fd);
	check_nothing_left(c);
}

void cell_play(enum how how, enum what what)
{
	struct cell *c = calloc(1, sizeof(*c));

	must(c);
	c->how = how;
	c->what = what;
	start(c);
	set_out(c);
	serve_until(c, c->ended);
	if (!c->killed)
		must_eq(util_wait(c->client), 0);
	if (c->what == WHAT_KILLED)
		look_after_kill(c);
	finish(c);
}
