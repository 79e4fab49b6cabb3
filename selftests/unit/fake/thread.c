// SPDX-License-Identifier: GPL-2.0-only
/* thread.c - hands the baton from thread to thread, and tries all schedules. */
#include <pthread.h>
#include <semaphore.h>

#include "kinc.h"
#include "fake/thread.h"

struct baton {
	struct fake_thread thread;
	sem_t turn;
	void (*run)(void);
	unsigned long until;		/* the point at which it gives the baton away */
};

static struct fake_thread main_thread = { .name = "main" };
static struct baton batons[2];
static __thread struct baton *mine;

struct fake_thread *fake_self(void)
{
	return mine ? &mine->thread : &main_thread;
}

bool fake_racing(void)
{
	return mine;
}

static struct baton *other(void)
{
	return mine == &batons[0] ? &batons[1] : &batons[0];
}

static void wait_for_turn(struct baton *baton)
{
	while (sem_wait(&baton->turn))
		;
}

static void let_other_run(void)
{
	struct baton *me = mine;

	sem_post(&other()->turn);
	wait_for_turn(me);
}

unsigned long fake_steps;

void fake_point(void)
{
	fake_steps++;
	if (!mine)
		return;
	if (++mine->thread.points == mine->until && !other()->thread.done)
		let_other_run();
}

bool fake_block(void)
{
	if (!mine || other()->thread.done || other()->thread.blocked)
		return false;
	mine->thread.blocked = true;
	let_other_run();
	mine->thread.blocked = false;
	return true;
}

void fake_progress(void)
{
	batons[0].thread.blocked = false;
	batons[1].thread.blocked = false;
}

bool fake_anybody_reads_rcu(void)
{
	return main_thread.rcu_depth || batons[0].thread.rcu_depth || batons[1].thread.rcu_depth;
}

static void *thread_main(void *arg)
{
	mine = arg;
	wait_for_turn(mine);
	mine->run();
	if (!fake_nothing_held())
		test_die(__FILE__, __LINE__, "thread %s ends with a lock held", mine->thread.name);
	mine->thread.done = true;
	fake_progress();
	if (!other()->thread.done)
		sem_post(&other()->turn);
	return NULL;
}

static void start(struct baton *baton, pthread_t *id, const char *name, void (*run)(void),
		  unsigned long until)
{
	baton->thread = (struct fake_thread){ .name = name };
	baton->run = run;
	baton->until = until;
	sem_init(&baton->turn, 0, 0);
	if (pthread_create(id, NULL, thread_main, baton))
		test_die(__FILE__, __LINE__, "no thread");
}

/* Returns what the ends of a and b left unvisited: 0, or bits 1 and 2. */
static int run_once(const struct race *race, unsigned long a_until, unsigned long b_until)
{
	pthread_t ids[2];

	test_at("a up to %lu, b up to %lu", a_until, b_until);
	race->before();
	start(&batons[0], &ids[0], "a", race->a, a_until);
	start(&batons[1], &ids[1], "b", race->b, b_until);
	sem_post(&batons[0].turn);
	pthread_join(ids[0], NULL);
	pthread_join(ids[1], NULL);
	race->after();
	return (batons[0].thread.points < a_until ? 1 : 0) |
	       (batons[1].thread.points < b_until ? 2 : 0);
}

void race(const struct race *race)
{
	unsigned long a, b, most = 400;
	int beyond = 0;

	for (a = 1; a < most && !(beyond & 1); a++) {
		beyond = 0;
		for (b = 1; b < most && !beyond; b++) {
			beyond = run_once(race, a, b);
			if (test_has_failed())
				return;	/* the other schedules will say the same */
		}
	}
	if (a == most || b == most)
		test_die(__FILE__, __LINE__, "there is no end to the schedules");
	test_at("%s", "");
}
