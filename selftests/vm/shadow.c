// SPDX-License-Identifier: GPL-2.0-only
/*
 * shadow.c - chains of shadows stay short, whoever lives and whoever goes: what a level hides, or
 * nobody needs, does not stay in the way.
 */
#include "harness.h"
#include "util.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define NR 16
#define LIVING 16

/* A kernel that checks itself takes its time. */
static unsigned int generations(unsigned int nr)
{
	return access("/proc/lockdep", F_OK) ? nr : nr / 10;
}

static struct machvm_vm_statistics statistics(void)
{
	struct machvm_vm_statistics call = { .size = sizeof(call) };

	util_ioctl(util_device(), MACHVM_VM_STATISTICS, &call);
	return call;
}

static unsigned long pages(void)
{
	struct machvm_vm_statistics now = statistics();

	return now.out_active_count + now.out_inactive_count;
}

static unsigned int depth(vm_address_t at)
{
	struct machvm_vm_region region;

	if (util_region_full(MACHVM_TASK_SELF, at, &region) || region.address > at)
		return -1U;
	return region.out_shadow_depth;
}

/* A child that does what it is told to and ends, and is waited for. */
static int briefly(void (*run)(vm_address_t base, unsigned int generation), vm_address_t base,
		   unsigned int generation)
{
	pid_t pid = fork();

	if (pid == 0) {
		run(base, generation);
		_exit(0);
	}
	return util_wait(pid);
}

static void write_some(vm_address_t base, unsigned int generation)
{
	util_fill(base, generation % NR + 1, 50);
}

TEST(S2_35_a_thousand_generations)
{
	vm_address_t base = util_make(NR);
	unsigned long most;

	util_fill(base, NR, 1);
	most = pages() + NR;
	for (unsigned int i = 0; i < generations(1000); i++) {
		ASSERT_EQ(0, briefly(write_some, base, i));
		memset((void *)(base + PAGES(i % NR)), util_mark(i % NR, 1), PAGE);
		ASSERT_GE(2, depth(base));
		ASSERT_GE(most, pages());
	}
	EXPECT_EQ(0, util_wrong(base, NR, 1));
}

/*
 * An older child has overwritten everything and stays, so that what it has left is referenced, but
 * not needed, by two.
 */
TEST(C11_a_thousand_generations_beside_a_child_that_stays)
{
	vm_address_t base = util_make(NR);
	struct util_gate written, end;
	unsigned long most;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&written) | util_gate_init(&end));
	util_fill(base, NR, 1);
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&end);
		util_fill(base, NR, 99);
		util_gate_open(&written);
		util_gate_pass(&end);
		EXPECT_EQ(0, util_wrong(base, NR, 99));
		EXPECT_EQ(0, depth(base));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&written));
	/* The first generation lets the older child go. */
	ASSERT_EQ(0, briefly(write_some, base, 0));
	util_fill(base, NR, 1);
	most = pages();
	for (unsigned int i = 0; i < generations(1000); i++) {
		ASSERT_EQ(0, briefly(write_some, base, i));
		if (i % 2)
			util_fill(base, NR / 2, 1);
		else
			util_fill(base, NR, 1);
		ASSERT_GE(1, depth(base));
		ASSERT_GE(most, pages());
	}
	util_gate_open(&end);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, NR, 1));
}

/*
 * Children that live on, each with what the parent had when it came; the parent overwrites @nr
 * pages each time.  The children see what they should, and no chain is longer than @longest.
 */
static void many_that_live(struct __test_metadata *_metadata, unsigned int nr,
			   unsigned int longest)
{
	struct machvm_vm_statistics before = statistics();
	vm_address_t base = util_make(NR);
	struct util_gate end;
	pid_t child[LIVING];

	ASSERT_EQ(0, util_gate_init(&end));
	util_fill(base, NR, 1);
	for (unsigned int i = 0; i < LIVING; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			util_gate_close_writer(&end);
			util_gate_pass(&end);
			EXPECT_EQ(0, util_wrong(base, nr, i + 1));
			for (unsigned int page = nr; page < NR; page++)
				EXPECT_EQ(util_mark(page, 1), util_read(base + PAGES(page)).byte);
			EXPECT_GE(longest, depth(base));
			CHILD_END();
		}
		util_fill(base, nr, i + 2);
		EXPECT_GE(longest, depth(base));
	}
	EXPECT_LT(before.out_bypasses + LIVING / 2, statistics().out_bypasses);
	util_gate_close_writer(&end);
	for (unsigned int i = 0; i < LIVING; i++)
		EXPECT_EQ(0, util_wait(child[i]));
	EXPECT_EQ(0, util_wrong(base, nr, LIVING + 1));
	vm_deallocate(SELF, base, PAGES(NR));
	EXPECT_GE(before.out_objects, statistics().out_objects);
}

TEST(C11_generations_that_live_make_no_chain)
{
	many_that_live(_metadata, NR, 1);
}

TEST(C11_level_hides_the_next_but_not_the_last)
{
	many_that_live(_metadata, NR - 3, 2);
}

/* A copy of a part is complete when it has that part. */
TEST(C11_pages_outside_the_window_do_not_matter)
{
	vm_address_t base = util_make(NR), copy = util_make(2);
	struct machvm_vm_statistics before;

	util_fill(base, NR, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_copy(SELF, base + PAGES(3), PAGES(2), copy));
	memset((void *)copy, 7, PAGES(2));
	ASSERT_EQ(1, depth(copy));
	before = statistics();
	util_fill(base, NR, 2);
	EXPECT_EQ(0, depth(copy));
	EXPECT_EQ(before.out_bypasses + 1, statistics().out_bypasses);
	EXPECT_EQ(7, util_read(copy).byte);
	EXPECT_EQ(0, util_wrong(base, NR, 2));
}

static void do_nothing(vm_address_t base, unsigned int generation)
{
	(void)base;
	(void)generation;
}

/*
 * Pages of zeroes come in below, by reading, after it was found out what else the child needs of
 * there: it still shows them, and so needs them.
 */
TEST(C11_zeroes_that_come_in_below_are_not_passed)
{
	vm_address_t base = util_make(NR);
	struct util_gate go, gone;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&go) | util_gate_init(&gone));
	util_write(base + PAGES(NR - 1), 1);
	pid = fork();
	if (pid == 0) {
		util_write(base, 2);
		util_gate_open(&gone);
		util_gate_pass(&go);
		EXPECT_EQ(0, util_read(base + PAGES(1)).byte);
		util_write(base + PAGES(NR - 1), 2);
		util_gate_open(&gone);
		util_gate_pass(&go);
		EXPECT_EQ(0, util_read(base + PAGES(1)).byte);
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&gone));
	ASSERT_EQ(0, briefly(do_nothing, base, 0));
	EXPECT_EQ(0, util_read(base + PAGES(1)).byte);
	util_gate_open(&go);
	ASSERT_EQ(0, util_gate_pass(&gone));
	util_write(base + PAGES(1), 3);
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(3, util_read(base + PAGES(1)).byte);
}

/* Private copies of a memory object that is written again and again. */
TEST(C11_delayed_copies_make_no_chain)
{
	struct util_pager *pager = util_pager_start(NR);
	vm_address_t base = util_map(util_pager_object(pager), 0, NR, false), copy[LIVING];

	ASSERT_NE(0, base);
	for (unsigned int i = 0; i < LIVING; i++) {
		copy[i] = util_map(util_pager_object(pager), 0, NR, true);
		ASSERT_NE(0, copy[i]);
		util_fill(base, NR / 2, i + 1);
	}
	memset((void *)(base + PAGES(NR - 1)), 1, PAGE);
	for (unsigned int i = 0; i < LIVING; i++) {
		EXPECT_GE(3, depth(copy[i]));
		EXPECT_EQ(0, util_wrong(copy[i], NR / 2, i));
		for (unsigned int page = NR / 2; page < NR; page++)
			ASSERT_EQ(util_mark(page, 0), util_read(copy[i] + PAGES(page)).byte);
		vm_deallocate(SELF, copy[i], PAGES(NR));
	}
	vm_deallocate(SELF, base, PAGES(NR));
	util_pager_stop(pager);
}

/* Faults of several tasks and threads while the levels that they go through come and go. */

static struct racing {
	vm_address_t base;
	atomic_uint generation;	/* that pages may have by now, or the one before */
	atomic_uint wrong;
	atomic_bool end;
} racing;

static void *read_all_the_time(void *arg)
{
	(void)arg;
	for (unsigned int page = 0; !atomic_load(&racing.end); page = (page + 7) % NR) {
		unsigned int from = atomic_load(&racing.generation) - 1;
		unsigned char byte = *(volatile unsigned char *)(racing.base + PAGES(page));
		unsigned int to = atomic_load(&racing.generation);

		while (from <= to && byte != util_mark(page, from))
			from++;
		if (from > to)
			atomic_fetch_add(&racing.wrong, 1);
	}
	return NULL;
}

static void pageout(vm_address_t base)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = base,
		.length = PAGES(NR),
	};

	util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &call);
}

/* A child's life: what it inherited, what it writes, and what it gives on. */
static int live(unsigned int generation)
{
	vm_address_t base = racing.base;
	unsigned int bad = 0, nr = generation % NR + 1;
	pid_t pid;

	for (unsigned int page = NR; page-- > 0;)
		bad += *(unsigned char *)(base + PAGES(page)) != util_mark(page, generation);
	util_fill(base, nr, 200);
	if (generation % 3 == 0)
		pageout(base);
	pid = generation % 2 ? fork() : -1;
	if (pid == 0) {
		bad += util_wrong(base, nr, 200);
		util_fill(base, NR, 201);
		_exit(bad + util_wrong(base, NR, 201));
	}
	util_fill(base, nr, 202);
	bad += util_wrong(base, nr, 202);
	for (unsigned int page = nr; page < NR; page++)
		bad += *(unsigned char *)(base + PAGES(page)) != util_mark(page, generation);
	return (int)bad + (pid > 0 ? util_wait(pid) : 0);
}

TEST(C11_faults_while_levels_come_and_go)
{
	struct machvm_vm_statistics before = statistics();
	pthread_t thread[2];
	pid_t child[4] = {};
	unsigned int i;

	racing.base = util_make(NR);
	util_fill(racing.base, NR, 1);
	atomic_store(&racing.generation, 1);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, read_all_the_time, NULL));
	for (i = 1; i < generations(400); i++) {
		pid_t *slot = &child[i % 4];

		if (*slot)
			EXPECT_EQ(0, util_wait(*slot));
		*slot = fork();
		if (*slot == 0)
			_exit(live(i));
		ASSERT_LT(0, *slot);
		atomic_store(&racing.generation, i + 1);
		util_fill(racing.base, NR, i + 1);
		if (i % 5 == 0)
			pageout(racing.base);
		ASSERT_GE(3, depth(racing.base));
	}
	atomic_store(&racing.end, true);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, child[i] ? util_wait(child[i]) : 0);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(0, atomic_load(&racing.wrong));
	EXPECT_LT(before.out_bypasses, statistics().out_bypasses);
	vm_deallocate(SELF, racing.base, PAGES(NR));
	EXPECT_GE(before.out_objects, statistics().out_objects);
	EXPECT_GE(before.out_paged_out, statistics().out_paged_out);
}

HARNESS_MAIN
