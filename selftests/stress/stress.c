// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress.c - everything at once for so many seconds: what is in memory is what was written, all
 * that has begun ends, and nothing is left behind.
 *
 * SECONDS=n, but at least OPERATIONS=m; SEED=n for the same choices again, which meet differently
 * each time.  COMPANY=1: others use the module meanwhile, so what is left is not this program's.
 */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 50
#define PATIENCE 6000		/* ticks until who does not end hangs */

struct board *board;
struct object objects[OBJECTS];

static uint64_t random_next(struct random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state;
}

void random_begin(struct random *random, unsigned int stream)
{
	random->state = (board->seed + 1) * 0x9e3779b97f4a7c15UL ^
			(stream + 1) * 0xbf58476d1ce4e5b9UL;
	for (int i = 0; i < 10; i++)
		random_next(random);
}

unsigned int random_below(struct random *random, unsigned int limit)
{
	return (random_next(random) >> 16) % limit;
}

static void tick(void)
{
	const struct timespec pause = { .tv_nsec = TICK_MS * 1000000L };

	nanosleep(&pause, NULL);
}

/* Processes that this one has started. */
static pid_t families[FAMILIES], pagers[OBJECTS];
static unsigned int incarnations[OBJECTS];

static void start_family(unsigned int number)
{
	families[number] = fork();
	must(families[number] >= 0);
	if (!families[number]) {
		for (unsigned int i = 0; i < OBJECTS; i++)
			close(objects[i].control);
		family_run(number);
		_exit(0);
	}
}

static void start_pager(unsigned int number)
{
	pagers[number] = fork();
	must(pagers[number] >= 0);
	if (!pagers[number]) {
		pager_run(number, incarnations[number]);
		_exit(0);
	}
	incarnations[number]++;
	atomic_fetch_add(&board->pagers, 1);
}

/* A pager that has died gets a successor; of families only the end is right. */
static void look_after(bool ending)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned int i = 0; i < OBJECTS; i++) {
			if (pid != pagers[i])
				continue;
			if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
				finding("a pager ends with %#x", status);
			start_pager(i);
		}
		for (unsigned int i = 0; i < FAMILIES; i++) {
			if (pid != families[i])
				continue;
			families[i] = 0;
			if (status || !ending)
				finding("family %u ends with %#x", i, status);
		}
	}
}

/* The module is in use, if only by this process. */
static void try_to_unload(void)
{
	if (!syscall(SYS_delete_module, "machvm", O_NONBLOCK))
		finding("the module could be unloaded");
	else if (errno != EAGAIN && errno != EBUSY)
		finding("unloading the module: %s", strerror(errno));
}

static bool families_live(void)
{
	for (unsigned int i = 0; i < FAMILIES; i++)
		if (families[i])
			return true;
	return false;
}

static void end_families(void)
{
	atomic_store(&board->stop, true);
	for (unsigned int i = 0; i < PATIENCE && families_live(); i++) {
		look_after(true);
		tick();
	}
	if (!families_live())
		return;
	finding("families do not end");
	util_say_stacks();
	for (unsigned int i = 0; i < FAMILIES; i++)
		if (families[i])
			kill(families[i], SIGKILL);
}

static void end_pagers(void)
{
	for (unsigned int i = 0; i < OBJECTS; i++) {
		kill(pagers[i], SIGKILL);
		util_wait(pagers[i]);
	}
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

static unsigned long operations(void)
{
	unsigned long all = 0;

	for (unsigned int i = 0; i < NR_OPERATIONS; i++)
		all += atomic_load(&board->done[i]);
	return all;
}

/* Somebody has not ended an operation for as long as nobody has to wait. */
static bool somebody_hangs(void)
{
	static unsigned long seen[FAMILIES][THREADS];
	static unsigned int ticks[FAMILIES][THREADS];

	for (unsigned int i = 0; i < FAMILIES; i++) {
		for (unsigned int j = 0; j < THREADS; j++) {
			unsigned long now = atomic_load(&board->ended[i][j]);

			ticks[i][j] = now == seen[i][j] ? ticks[i][j] + 1 : 0;
			seen[i][j] = now;
			if (ticks[i][j] < PATIENCE)
				continue;
			finding("family %u, thread %u does not go on", i, j);
			util_say_stacks();
			return true;
		}
	}
	return false;
}

static void run(unsigned long seconds, unsigned long at_least)
{
	struct timespec begun, now;

	for (unsigned int i = 0; i < OBJECTS; i++)
		start_pager(i);
	for (unsigned int i = 0; i < FAMILIES; i++)
		start_family(i);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		look_after(false);
		try_to_unload();
		tick();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begun.tv_sec < (long)seconds || operations() < at_least) &&
		 !atomic_load(&board->findings) && families_live() && !somebody_hangs());
	end_families();
}

#define OP_NAME(name) #name,

static void report(void)
{
	static const char *const names[] = { OPERATIONS(OP_NAME) };

	for (unsigned int i = 0; i < NR_OPERATIONS; i++)
		printf("# %s: %lu\n", names[i], atomic_load(&board->done[i]));
	printf("# seed %lu: %lu operations, %lu refused; %lu children, %lu empty, %lu pagers; %u findings\n",
	       board->seed, operations(), atomic_load(&board->refused), atomic_load(&board->children),
	       atomic_load(&board->empty), atomic_load(&board->pagers),
	       atomic_load(&board->findings));
}

int main(void)
{
	struct counts before;

	setvbuf(stdout, NULL, _IOLBF, 0);
	board = util_shared(sizeof(*board));
	must(board);
	findings_begin(&board->findings);
	board->seed = number_of("SEED", time(NULL) ^ getpid());
	board->company = number_of("COMPANY", 0);
	printf("# SEED=%lu\n", board->seed);
	must(util_device() >= 0);
	before = counts_now();
	for (unsigned int i = 0; i < OBJECTS; i++) {
		object_create(&objects[i]);
		set_absence(&objects[i], MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	}
	run(number_of("SECONDS", 60), number_of("OPERATIONS", 0));
	end_pagers();
	for (unsigned int i = 0; i < OBJECTS; i++) {
		close(objects[i].control);
		close(objects[i].fd);
	}
	if (!board->company)
		counts_expect(&before, PATIENCE, tick);
	report();
	return atomic_load(&board->findings) != 0;
}
