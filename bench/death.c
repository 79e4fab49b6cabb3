// SPDX-License-Identifier: GPL-2.0-only
/*
 * death.c - workload 16: a pager is killed while 1,000 threads wait for a page each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <linux/machvm.h>

#include "bench.h"

#define WAITERS 1000
#define STACK (64UL << 10)

static pthread_t threads[WAITERS];
static atomic_int resolved;
static uint64_t end;			/* when the last one was */

/* A system call that reads the page says what became of it without a signal. */
static void *waiter(void *page)
{
	if (!access(page, F_OK) || errno != EFAULT)
		die("a page of a dead pager is no error");
	if (atomic_fetch_add(&resolved, 1) == WAITERS - 1)
		end = now();
	return NULL;
}

static void start_waiters(uintptr_t at)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	for (int i = 0; i < WAITERS; i++)
		if (pthread_create(&threads[i], &attributes, waiter, (void *)(at + i * PAGE)))
			die("no thread");
	pthread_attr_destroy(&attributes);
}

/* Each waits for a page of its own. */
static void wait_for_waiters(uint64_t id)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct machvm_object_info info;

	do {
		nanosleep(&pause, NULL);
		info = (struct machvm_object_info){ .size = sizeof(info), .id = id };
		machvm_call(machvm_device(), MACHVM_OBJECT_INFO, &info, "object_info");
	} while (info.out_requests < WAITERS);
}

static uint64_t machvm_run(void)
{
	uint64_t id, start;
	pid_t pager;
	int object = pager_start_mute(&pager, &id);

	start_waiters(machvm_map(object, WAITERS * PAGE, false));
	wait_for_waiters(id);
	start = now();
	if (kill(pager, SIGKILL))
		die("the pager cannot be killed");
	for (int i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
	return end - start;
}

/* Whoever waited for a page of userfaultfd's gets one of zeroes then, as if it had been served. */
static uint64_t never(void)
{
	return 0;
}

static struct side machvm = { .name = "an error", .ops = 1, .run = machvm_run };
static struct side uffd = { .name = "userfaultfd: zeroes", .ops = 1, .run = never };

static struct side *const sides[] = { &machvm, &uffd, NULL };

static const struct row rows[] = {
	{ "1,000 faults, pager killed", &machvm, &uffd, 0, 0 },
	{ }
};

const struct group death_group = {
	.number = 16,
	.unit = "death",
	.note = "from SIGKILL until the last of the threads has its error, those before it having ended; "
		"50,000,000 are 50 ms of the guest",
	.sides = sides,
	.rows = rows,
};
