// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_test.c - random calls, forks, loads and stores of a few tasks and pagers, against a model
 * that knows no objects: each page of each task is a byte of its own, copied when it is copied
 * and shared when it is shared, and a memory object is an array.  The real code must agree on every
 * byte and every answer, also while allocations fail, and have nothing left at the end.
 *
 * MODEL_STEPS=n makes the runs longer, TEST_SEED=n makes others.
 */
#include <stdlib.h>
#include "model.h"

/* The kinds of call that are not just a function of a task and a range. */

static void do_exit_at_times(struct mtask *task, u64 page, u64 nr)
{
	if (test_random() % 3 == 0)
		do_exit(task);
}

static void do_fork_of(struct mtask *task, u64 page, u64 nr)
{
	do_fork(task);
}

static void do_store_one(struct mtask *task, u64 page, u64 nr)
{
	do_store(task, page);
}

static void do_load_one(struct mtask *task, u64 page, u64 nr)
{
	check_load(task, page);
}

static void do_copy_between(struct mtask *task, u64 page, u64 nr)
{
	u64 source = test_random() % TASK_PAGES;

	do_copy(task, page, some_task() ?: task, source, min(nr, TASK_PAGES - source));
}

/* Onto itself, by some pages. */
static void do_copy_overlapping(struct mtask *task, u64 page, u64 nr)
{
	do_copy(task, min(page + test_random() % 4, TASK_PAGES - nr), task, page, nr);
}

static void do_read_to(struct mtask *task, u64 page, u64 nr)
{
	do_read(some_task() ?: task, task, page, nr);
}

static void do_anywhere(struct mtask *task, u64 page, u64 nr)
{
	do_allocate_anywhere(task, nr);
}

static void do_map_fresh_at(struct mtask *task, u64 page, u64 nr)
{
	do_map_fresh(task, page, nr, false);
}

static void do_map_fresh_aligned(struct mtask *task, u64 page, u64 nr)
{
	do_map_fresh(task, page, nr, true);
}

static void do_set_maximum_one(struct mtask *task, u64 page, u64 nr)
{
	do_set_maximum(task, page, 1);
}

static void do_alias_to(struct mtask *task, u64 page, u64 nr)
{
	do_alias(some_task() ?: task, task, page, nr);
}

static void do_region_at(struct mtask *task, u64 page, u64 nr)
{
	do_region(task, page);
}

static void do_clear_at_times(struct mtask *task, u64 page, u64 nr)
{
	if (test_random() % 4 == 0)
		do_deallocate(task, 0, TASK_PAGES);
}

static const struct kind {
	const char *name;
	void (*run)(struct mtask *task, u64 page, u64 nr);
	unsigned int often;
} kinds[] = {
#define KIND(name, often) { #name, do_##name, often }
	KIND(allocate, 4), KIND(anywhere, 2), KIND(deallocate, 2), KIND(clear_at_times, 1),
	KIND(protect, 2), KIND(set_maximum_one, 1), KIND(inherit, 1), KIND(map, 3),
	KIND(map_fresh_at, 1), KIND(map_fresh_aligned, 1), KIND(fork_of, 1),
	KIND(exit_at_times, 1), KIND(pager_trouble, 1), KIND(store_one, 10), KIND(store_run, 4),
	KIND(load_one, 12), KIND(load_run, 1), KIND(copy_between, 2), KIND(copy_overlapping, 2),
	KIND(read_to, 1), KIND(pageout, 3), KIND(alias_to, 1), KIND(check, 1), KIND(region_at, 1),
	KIND(nothing, 1), KIND(wire, 2), KIND(unwire, 1), KIND(size_limit, 1), KIND(map_proxy, 2),
	KIND(region_proxy, 2), KIND(pager_lock, 3), KIND(pager_supply, 2), KIND(pager_answers, 1),
	KIND(pager_attributes, 1), KIND(pager_succession, 1), KIND(pager_death, 1),
};

static const struct kind *some_kind(void)
{
	unsigned int sum = 0, at, i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		sum += kinds[i].often;
	at = test_random() % sum;
	for (i = 0; at >= kinds[i].often; i++)
		at -= kinds[i].often;
	return &kinds[i];
}

/* A random one that is there; the first, made for it, if none is. */
static struct mtask *task_for_call(void)
{
	struct mtask *task = some_task();
	unsigned int i;

	for (i = 0; i < NR_TASKS && !task; i++)
		if (model_tasks[i].map)
			task = &model_tasks[i];
	if (task)
		return task;
	model_tasks[0].map = map_new_of(TASK_PAGES);
	return &model_tasks[0];
}

static void one_call(void)
{
	u64 page = test_random() % TASK_PAGES, nr = test_random() % 10 + 1;
	struct mtask *task = task_for_call();
	const struct kind *kind = some_kind();

	nr = min(nr, TASK_PAGES - page);
	test_at("task %d, %s, page %llu+%llu", (int)(task - model_tasks), kind->name, page, nr);
	kind->run(task, page, nr);
	serve(false);
}

static unsigned int steps(void)
{
	const char *wanted = getenv("MODEL_STEPS");

	return wanted ? strtoul(wanted, NULL, 0) : 20000;
}

void model_run(bool (*more)(void))
{
	unsigned int i;

	fake_world = model_world;
	for (i = 0; i < NR_FILES; i++)
		file_begin(&model_files[i]);
	for (i = 0; more(); i++) {
		one_call();
		if (i % 64 == 0)
			check_everything();
	}
	test_at("%s", "");
	for (i = 0; i < NR_TASKS; i++)
		if (model_tasks[i].map)
			do_exit(&model_tasks[i]);
	for (i = 0; i < NR_FILES; i++)
		file_check(&model_files[i]);
	serve(true);
	check(!model_copies);		/* who made them has gone, and nobody else could map them */
	for (i = 0; i < NR_FILES; i++)
		file_end(&model_files[i]);
	model_served = 0;
	mock_sents_forget();
}

static unsigned int calls_left;

static bool call_is_left(void)
{
	return calls_left && calls_left--;
}

static void run_model(unsigned int calls)
{
	calls_left = calls;
	model_run(call_is_left);
}

TEST(model, random_calls_of_several_tasks)
{
	run_model(steps());
}

TEST(model, random_calls_with_lazy_pagers)
{
	model_lazy = true;
	run_model(steps());
}

/* Whatever a seed makes of the others, here copies are the pagers'. */
TEST(model, C8_random_calls_of_what_is_copied_by_call)
{
	model_strategy = MACHVM_COPY_CALL;
	run_model(steps());
	check(model_taken > 100);
	model_lazy = true;
	run_model(steps());
	check(model_taken > 200);
}

/* Far less than the tasks use, and hardly more than the memory objects have. */
TEST(model, random_calls_with_little_memory)
{
	mock_user.page_limit = 112;
	model_scarce = true;
	mock_store_room = true;
	run_model(20000);
	check(mock_stats[MACHVM_STAT_PAGEOUTS] > 2000);
}

TEST(model, short_lives_end_clean)
{
	unsigned int round;

	for (round = 0; round < 100; round++) {
		model_lazy = round % 2;
		run_model(100);
	}
}

/* What is not there when a pager dies is an error from then on, and all else as it was. */
TEST(model, random_calls_while_pagers_die)
{
	unsigned int round;

	model_mortal = true;
	for (round = 0; round < 20; round++) {
		model_lazy = round % 2;
		run_model(400);
	}
}
