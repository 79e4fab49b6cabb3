// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasks.c - see tasks.h.  A task is told what to do by messages, one at a time, over a socket that
 * was there before any of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tasks.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
	enum { CALL, FORK, EXIT, CHECK, PIPE } what;
	union {
		struct agree_call call;
		struct {
			int socket;	/* of the child */
			pid_t pid;	/* out */
		} fork;
		struct {
			unsigned int nr;	/* out: how many are wrong */
			struct task_check pages[TASKS_CHECK];	/* out: the first of them */
		} check;
		struct {
			uint64_t from, to;
			int read, written;	/* out: bytes, or -errno */
		} pipe;
	};
};

static bool message_send(int socket, const struct message *message)
{
	return send(socket, message, sizeof(*message), MSG_NOSIGNAL) == sizeof(*message);
}

static bool message_receive(int socket, struct message *message)
{
	return recv(socket, message, sizeof(*message), 0) == sizeof(*message);
}

/* The side of the tasks */

static void serve(int socket) __attribute__((noreturn));

static void serve_fork(struct message *message)
{
	message->fork.pid = fork();
	if (!message->fork.pid)
		serve(message->fork.socket);
}

static void serve_check(struct message *message)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < message->check.nr; i++) {
		const struct task_check *page = &message->check.pages[i];
		struct agree_call load = { .what = AGREE_LOAD, .address = page->address };

		agree_make(SELF, &load);
		if (agree_loaded(&load, page->kr, page->value))
			continue;
		if (!wrong++)
			message->check.pages[0] = (struct task_check){
				page->address, load.kr, load.kr ? ORACLE_UNKNOWN : (int)load.value };
	}
	message->check.nr = wrong;
}

static void serve_pipe(struct message *message)
{
	int ends[2];

	message->pipe.read = -1;
	if (pipe(ends)) {
		message->pipe.written = -errno;
		return;
	}
	message->pipe.written = write(ends[1], (void *)message->pipe.from, PAGE);
	if (message->pipe.written == PAGE)
		message->pipe.read = read(ends[0], (void *)message->pipe.to, PAGE);
	if (message->pipe.written < 0)
		message->pipe.written = -errno;
	else if (message->pipe.read < 0)
		message->pipe.read = -errno;
	close(ends[0]);
	close(ends[1]);
}

/* Until it is told to end, or nobody is left to tell it. */
static void serve(int socket)
{
	struct message message;

	/* Whoever forks does not wait. */
	signal(SIGCHLD, SIG_IGN);
	while (message_receive(socket, &message)) {
		switch (message.what) {
		case CALL:
			agree_make(SELF, &message.call);
			break;
		case FORK:
			serve_fork(&message);
			break;
		case EXIT:
			_exit(0);
		case CHECK:
			serve_check(&message);
			break;
		case PIPE:
			serve_pipe(&message);
			break;
		}
		if (!message_send(socket, &message))
			break;
	}
	_exit(1);
}

/* Our side */

static bool ask(struct task_slot *slot, struct message *message)
{
	if (message_send(slot->here, message) && message_receive(slot->here, message))
		return true;
	agree_complain("task %d is gone", slot->pid);
	return false;
}

static void send_call(struct agree *a, struct agree_call *call)
{
	struct message message = { .what = CALL, .call = *call };

	call->kr = -1;
	if (message_send(a->socket, &message) && message_receive(a->socket, &message))
		*call = message.call;
}

static bool slot_begin(struct task_slot *slot, pid_t pid)
{
	slot->pid = pid;
	slot->agree.send = send_call;
	slot->agree.socket = slot->here;
	slot->agree.pid = pid;
	if (pid > 0 && machvm_task_for_pid(pid, &slot->agree.task) == KERN_SUCCESS) {
		slot->agree.fd = (int)slot->agree.task;
		return true;
	}
	agree_complain("no port for task %d", pid);
	return false;
}

static bool first_fork(struct tasks *tasks)
{
	struct task_slot *slot = &tasks->slots[0];
	struct oracle_map *own = &tasks->stage.agree.map;
	pid_t pid = fork();

	if (!pid) {
		/* Only we have these ends, so that we are missed. */
		for (unsigned int i = 0; i < TASKS; i++)
			close(tasks->slots[i].here);
		serve(slot->there);
	}
	oracle_fork(own, &slot->agree.map);
	return slot_begin(slot, pid);
}

bool tasks_init(struct tasks *tasks)
{
	memset(tasks, 0, sizeof(*tasks));
	if (!stage_init(&tasks->stage) || !stage_set(&tasks->stage, 0, ""))
		return false;
	for (unsigned int i = 0; i < TASKS; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
			return false;
		tasks->slots[i].here = ends[0];
		tasks->slots[i].there = ends[1];
	}
	return first_fork(tasks);
}

void tasks_end(struct tasks *tasks)
{
	for (unsigned int i = 0; i < TASKS; i++) {
		if (tasks->slots[i].pid)
			tasks_exit(&tasks->slots[i], true);
		close(tasks->slots[i].here);
		close(tasks->slots[i].there);
	}
	stage_end(&tasks->stage);
}

/* Whose writes the other sees changes when either of them ends: it is not asked here. */
static void forget_sharing(struct oracle_map *map)
{
	for (unsigned int i = 0; i < map->nr_pages; i++)
		map->pages[i].shared = false;
}

struct task_slot *tasks_fork(struct tasks *tasks, struct task_slot *parent)
{
	struct message message = { .what = FORK };
	struct task_slot *child = NULL;

	for (unsigned int i = 0; i < TASKS && !child; i++)
		if (!tasks->slots[i].pid)
			child = &tasks->slots[i];
	if (!child)
		return NULL;
	message.fork.socket = child->there;
	if (!ask(parent, &message))
		return NULL;
	oracle_fork(&parent->agree.map, &child->agree.map);
	forget_sharing(&parent->agree.map);
	forget_sharing(&child->agree.map);
	return slot_begin(child, message.fork.pid) ? child : NULL;
}

/* Its map ends when it does, which is some time after the signal. */
static void wait_gone(pid_t pid)
{
	while (!kill(pid, 0) && util_thread_state(pid, pid) != 'Z')
		sched_yield();
}

bool tasks_exit(struct task_slot *slot, bool by_signal)
{
	struct message message = { .what = EXIT };
	vm_address_t at = 0;
	kern_return_t kr;

	if (by_signal)
		kill(slot->pid, SIGKILL);
	else
		message_send(slot->here, &message);
	wait_gone(slot->pid);
	util_wait(slot->pid);
	kr = vm_allocate(slot->agree.task, &at, PAGE, TRUE);
	mach_port_deallocate(SELF, slot->agree.task);
	oracle_end(&slot->agree.map);
	slot->pid = 0;
	if (kr == KERN_INVALID_TASK)
		return true;
	agree_complain("vm_allocate in a task that has ended: %d", kr);
	return false;
}

static void check_add(struct message *message, const struct oracle_map *map, uint64_t address)
{
	const struct oracle_page *page = oracle_find(map, address);

	message->check.pages[message->check.nr++] = (struct task_check){
		.address = address,
		.kr = oracle_load(map, address),
		.value = page ? page->cell->value : ORACLE_UNKNOWN,
	};
}

bool tasks_check(struct task_slot *slot)
{
	const struct oracle_map *map = &slot->agree.map;
	struct message message = { .what = CHECK };
	uint64_t last = 0;

	for (unsigned int i = 0; i < map->nr_pages && message.check.nr + 2 < TASKS_CHECK; i++) {
		uint64_t address = map->pages[i].address;

		/* The first page of a hole, too, where that is ours. */
		if (last != address && last > map->min && last < map->max)
			check_add(&message, map, last);
		check_add(&message, map, address);
		last = address + PAGE;
	}
	if (!ask(slot, &message))
		return false;
	if (!message.check.nr)
		return agree_regions(&slot->agree);
	agree_complain("task %d: %u pages are wrong; %#" PRIx64 ": %d, holds %d", slot->pid,
		       message.check.nr, message.check.pages[0].address, message.check.pages[0].kr,
		       message.check.pages[0].value);
	return false;
}

bool tasks_pipe(struct task_slot *slot, uint64_t from, uint64_t to)
{
	struct message message = { .what = PIPE, .pipe = { from, to } };
	struct oracle_map *map = &slot->agree.map;
	bool readable = !oracle_load(map, from), writable = false;
	const struct oracle_cell *cell;

	if (readable) {
		cell = oracle_find(map, from)->cell;
		writable = !oracle_store(map, to, cell->value);
	}
	if (!ask(slot, &message))
		return false;
	if (message.pipe.written == (readable ? (int)PAGE : -EFAULT) &&
	    (!readable || message.pipe.read == (writable ? (int)PAGE : -EFAULT)))
		return true;
	agree_complain("pipe from %#" PRIx64 " to %#" PRIx64 ": %d, %d", from, to,
		       message.pipe.written, message.pipe.read);
	return false;
}
