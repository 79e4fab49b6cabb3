// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot.c - workload 10: how long a snapshot of 64 MiB resident memory stops its owner.
 *
 * All that copies on write: vm_copy, fork of arena memory, and a copy of a memory object by
 * vm_map, beside fork of Linux's memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define LENGTH (64 * MIB)

/* The parent goes on until it waits: the child's first steps are not part of the pause. */
static void run_before_children(void)
{
	const struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		die("sched_setscheduler: %s", strerror(errno));
}

static uint64_t fork_pause(void)
{
	uint64_t start, ins;
	pid_t pid;

	run_before_children();
	start = now();
	pid = fork();
	ins = now() - start;
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return ins;
}

static uint64_t arena_fork_run(void)
{
	write_pages(machvm_allocate(LENGTH), LENGTH);
	return fork_pause();
}

static uint64_t anonymous_fork_run(void)
{
	write_pages((uintptr_t)map_pages(LENGTH), LENGTH);
	return fork_pause();
}

static uint64_t copy_run(void)
{
	uintptr_t from = machvm_allocate(LENGTH);
	uintptr_t to = machvm_allocate(LENGTH);
	uint64_t start;

	write_pages(from, LENGTH);
	start = now();
	machvm_copy(from, LENGTH, to);
	return now() - start;
}

static uint64_t object_copy_run(void)
{
	uintptr_t at;
	int object = machvm_resident_object(LENGTH, &at);
	uint64_t start;

	write_pages(at, LENGTH);
	start = now();
	machvm_map(object, LENGTH, true);
	return now() - start;
}

static struct side copy = { .name = "vm_copy", .ops = 1, .run = copy_run };
static struct side arena_fork = { .name = "fork, arena", .ops = 1, .run = arena_fork_run };
static struct side object_copy = { .name = "vm_map copy", .ops = 1, .run = object_copy_run };
static struct side anonymous_fork = { .name = "fork, anonymous", .ops = 1,
				      .run = anonymous_fork_run };

static struct side *const sides[] = { &copy, &arena_fork, &object_copy, &anonymous_fork, NULL };

static const struct row rows[] = {
	{ "snapshot of 64 MiB, pause", &copy, &anonymous_fork, 1.0, 0.7 },
	{ "snapshot of 64 MiB, pause", &arena_fork, &anonymous_fork, 0, 0 },
	{ "snapshot of 64 MiB, pause", &object_copy, &anonymous_fork, 0, 0 },
	{ }
};

const struct group snapshot_group = {
	.number = 10,
	.unit = "snapshot",
	.note = "all pages resident and mapped writable; vm_copy onto fresh memory, fork, and\n"
		"    vm_map with copy of a memory object",
	.sides = sides,
	.rows = rows,
};
