// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork_copy.c - a child of fork gets a copy of every region: rows C2, C5 and C10.
 */
#include "harness.h"
#include "util.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

TEST(S2_26_resident_pages_are_copied)
{
	vm_address_t base = util_make(32);
	pid_t pid;

	util_fill(base, 32, 1);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(base, 32, 1));
		util_fill(base, 32, 2);
		EXPECT_EQ(0, util_wrong(base, 32, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 32, 1));
}

/*
 * One writes, then the other reads, and so on, for a page that was resident and for one that was
 * never touched.  Each letter of an order is a step: P or C writes, p or c reads what is its own.
 */
static void run_order(struct __test_metadata *_metadata, const char *order, bool touched)
{
	vm_address_t base = util_make(2);
	struct util_gate to_child, to_parent;
	unsigned int parent = touched ? 1 : 0, child = parent, generation = 2;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&to_child) || util_gate_init(&to_parent));
	if (touched)
		util_fill(base, 2, 1);
	pid = fork();
	for (const char *step = order; *step; step++, generation++) {
		bool mine = (*step == 'P' || *step == 'p') == (pid != 0);
		unsigned int *owner = *step == 'P' || *step == 'p' ? &parent : &child;

		if (*step == 'P' || *step == 'C')
			*owner = generation;
		if (mine && *owner == generation)
			util_fill(base, 1, generation);	/* the second page stays */
		if (mine) {
			EXPECT_EQ(0, *owner ? util_wrong(base, 1, *owner) : util_not_zero(base, 1))
				TH_LOG("order %s, step %td, touched %d", order, step - order,
				       touched);
			util_gate_open(pid ? &to_child : &to_parent);
		} else {
			EXPECT_EQ(0, util_gate_pass(pid ? &to_parent : &to_child));
		}
	}
	EXPECT_EQ(0, touched ? util_read(base + PAGE).byte != util_mark(1, 1) :
		  util_not_zero(base + PAGE, 1));
	if (pid == 0)
		CHILD_END();
	EXPECT_EQ(0, util_wait(pid));
	vm_deallocate(SELF, base, PAGES(2));
}

static const char *const orders[] = {
	"Pc", "Cp", "PcCp", "CpPc", "pcPcp", "cpCpc", "PCpc", "CPpc", "pPc", "cCp", "cPcCp",
	"PPcp", "PcPcPc", "CpCpCp", "PpCcPpCc",
};

TEST(S2_26_writes_in_every_order_resident)
{
	for (int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		run_order(_metadata, orders[i], true);
}

TEST(S2_26_writes_in_every_order_never_touched)
{
	for (int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		run_order(_metadata, orders[i], false);
}

/* A copy that is made before the source was ever read is zero whatever happens after. */
TEST(S2_26_copy_before_zero_fill_read)
{
	vm_address_t base = util_make(4);
	struct util_gate gate;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&gate));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&gate);
		EXPECT_EQ(0, util_gate_pass(&gate));
		EXPECT_EQ(0, util_not_zero(base, 4));
		CHILD_END();
	}
	EXPECT_EQ(0, util_not_zero(base, 4));	/* read first, then write */
	util_fill(base, 4, 1);
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

/* Part of the memory was touched, and the two sides touch different parts after. */
TEST(S2_26_partly_touched)
{
	vm_address_t base = util_make(16);
	pid_t pid;

	for (int i = 0; i < 16; i += 3)
		memset((void *)(base + PAGES(i)), util_mark(i, 1), PAGE);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 16; i += 2)
			memset((void *)(base + PAGES(i)), util_mark(i, 2), PAGE);
		for (int i = 1; i < 16; i += 2)
			EXPECT_EQ(i % 3 ? 0 : util_mark(i, 1), util_read(base + PAGES(i)).byte);
		CHILD_END();
	}
	for (int i = 1; i < 16; i += 2)
		memset((void *)(base + PAGES(i)), util_mark(i, 3), PAGE);
	EXPECT_EQ(0, util_wait(pid));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(i % 2 ? util_mark(i, 3) : i % 3 ? 0 : util_mark(i, 1),
			  util_read(base + PAGES(i)).byte);
}

/* Protection and layout are the parent's. */
TEST(C2_child_has_the_same_regions)
{
	vm_address_t base = util_make(8), other = 0;
	struct util_region before, after;
	pid_t pid;

	util_fill(base, 8, 1);
	vm_protect(SELF, base + PAGES(2), PAGE, FALSE, VM_PROT_READ);
	vm_protect(SELF, base + PAGES(4), PAGE, TRUE, VM_PROT_READ);
	vm_protect(SELF, base + PAGES(5), PAGE, FALSE, VM_PROT_NONE);
	vm_deallocate(SELF, base + PAGES(6), PAGE);
	vm_map(SELF, &other, PAGE, 0xffff, TRUE, MEMORY_OBJECT_NULL, 0, FALSE, VM_PROT_READ,
	       VM_PROT_DEFAULT, VM_INHERIT_COPY);
	ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGES(4), &before));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(PAGES(8), util_covered(0, -1UL));
		ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGES(4), &after));
		EXPECT_EQ(before.address, after.address);
		EXPECT_EQ(before.size, after.size);
		EXPECT_EQ(before.protection, after.protection);
		EXPECT_EQ(before.max_protection, after.max_protection);
		EXPECT_EQ(before.inheritance, after.inheritance);
		EXPECT_EQ(0, util_wrong(base, 5, 1));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGES(2), 1));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGES(4), 1));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGES(5)));
		EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base + PAGES(6)));
		EXPECT_EQ(KERN_PROTECTION_FAILURE,
			  vm_protect(SELF, base + PAGES(4), PAGE, FALSE, VM_PROT_DEFAULT));
		EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base + PAGES(5), PAGE, FALSE, VM_PROT_READ));
		EXPECT_EQ(util_mark(5, 1), util_read(base + PAGES(5)).byte);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGES(5)));
}

/* The child's calls change its own map only. */
TEST(C2_maps_are_apart)
{
	vm_address_t base = util_make(8);
	struct util_gate gate;
	pid_t pid;

	util_fill(base, 8, 1);
	ASSERT_EQ(0, util_gate_init(&gate));
	pid = fork();
	if (pid == 0) {
		vm_address_t mine;

		ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
		ASSERT_EQ(KERN_SUCCESS, vm_protect(SELF, base + PAGES(4), PAGE, FALSE, 0));
		mine = util_make(8);
		util_fill(mine, 8, 2);
		util_gate_close_writer(&gate);
		EXPECT_EQ(0, util_gate_pass(&gate));
		EXPECT_EQ(0, util_wrong(mine, 8, 2));
		EXPECT_EQ(util_mark(7, 1), util_read(base + PAGES(7)).byte);
		CHILD_END();
	}
	util_wait_asleep(pid, pid);
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	EXPECT_EQ(PAGES(8), util_covered(0, -1UL));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(8)));
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(pid));
}

TEST(C2_three_generations)
{
	vm_address_t base = util_make(8);
	pid_t pid, grandchild;

	util_fill(base, 8, 1);
	pid = fork();
	if (pid == 0) {
		util_fill(base, 4, 2);
		grandchild = fork();
		if (grandchild == 0) {
			EXPECT_EQ(0, util_wrong(base, 4, 2));
			util_fill(base, 2, 3);
			EXPECT_EQ(0, util_wrong(base, 2, 3));
			EXPECT_EQ(util_mark(3, 2), util_read(base + PAGES(3)).byte);
			EXPECT_EQ(util_mark(7, 1), util_read(base + PAGES(7)).byte);
			CHILD_END();
		}
		memset((void *)(base + PAGES(7)), 9, PAGE);
		EXPECT_EQ(0, util_wait(grandchild));
		EXPECT_EQ(0, util_wrong(base, 4, 2));
		EXPECT_EQ(util_mark(5, 1), util_read(base + PAGES(5)).byte);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 8, 1));
}

/* The middle one goes before the others. */
TEST(C2_grandchild_outlives_the_child)
{
	vm_address_t base = util_make(8);
	struct util_gate gate, result;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&gate) || util_gate_init(&result));
	util_fill(base, 8, 1);
	pid = fork();
	if (pid == 0) {
		util_fill(base, 4, 2);
		if (fork() == 0) {
			util_gate_close_writer(&gate);
			EXPECT_EQ(0, util_gate_pass(&gate));
			EXPECT_EQ(0, util_wrong(base, 4, 2));
			for (int i = 4; i < 8; i++)
				EXPECT_EQ(util_mark(i, 1), util_read(base + PAGES(i)).byte);
			util_fill(base, 8, 3);
			EXPECT_EQ(0, util_wrong(base, 8, 3));
			if (!_metadata->exit_code)
				util_gate_open(&result);
			CHILD_END();
		}
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	util_fill(base, 8, 4);
	util_gate_open(&gate);
	util_gate_close_writer(&result);
	EXPECT_EQ(0, util_gate_pass(&result));
	EXPECT_EQ(0, util_wrong(base, 8, 4));
}

/* Eight deep, each with a page of its own; the deepest sees what each left it. */
static int nest(vm_address_t base, int depth)
{
	pid_t pid;
	int bad = 0;

	for (int i = 0; i < 8; i++)
		bad += util_read(base + PAGES(i)).byte != (i < depth ? util_mark(i, 2) :
							   util_mark(i, 1));
	if (depth == 8 || bad)
		return bad;
	memset((void *)(base + PAGES(depth)), util_mark(depth, 2), PAGE);
	pid = fork();
	if (pid == 0)
		_exit(nest(base, depth + 1));
	bad = util_wait(pid);
	for (int i = 0; i < 8; i++)
		bad += util_read(base + PAGES(i)).byte != (i <= depth ? util_mark(i, 2) :
							   util_mark(i, 1));
	return bad;
}

TEST(C2_nested_forks)
{
	vm_address_t base = util_make(8);

	util_fill(base, 8, 1);
	EXPECT_EQ(0, nest(base, 0));
}

TEST(C2_many_children_at_once)
{
	vm_address_t base = util_make(8);
	struct util_gate gate;
	pid_t pid[16];

	util_fill(base, 8, 0);
	ASSERT_EQ(0, util_gate_init(&gate));
	for (int i = 0; i < 16; i++) {
		memset((void *)(base + PAGES(i % 8)), util_mark(i % 8, i), PAGE);
		pid[i] = fork();
		if (pid[i] == 0) {
			util_gate_close_writer(&gate);
			EXPECT_EQ(0, util_gate_pass(&gate));
			for (int j = 0; j < 8; j++) {
				int last = j <= i ? j + (i - j) / 8 * 8 : 0;

				EXPECT_EQ(util_mark(j, last), util_read(base + PAGES(j)).byte);
			}
			util_fill(base, 8, 100 + i);
			sched_yield();
			EXPECT_EQ(0, util_wrong(base, 8, 100 + i));
			CHILD_END();
		}
	}
	for (int i = 0; i < 16; i++)
		util_gate_open(&gate);
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(0, util_wait(pid[i]));
	for (int j = 0; j < 8; j++)
		EXPECT_EQ(util_mark(j, 8 + j), util_read(base + PAGES(j)).byte);
}

/* Threads that write all the time; each fork must catch whole what one of them has written. */
#define FAULTERS 4

static volatile bool faulters_stop;

struct faulter {
	vm_address_t base;
	unsigned int pages;
	volatile unsigned long rounds;
};

static void *faulter_thread(void *argument)
{
	struct faulter *faulter = argument;

	while (!faulters_stop) {
		unsigned long round = faulter->rounds + 1;

		/* Every page is one step behind or level with the one before, at any moment. */
		for (unsigned int i = 0; i < faulter->pages; i++)
			*(volatile unsigned long *)(faulter->base + PAGES(i)) = round;
		faulter->rounds = round;
	}
	return NULL;
}

TEST(C2_fork_while_threads_fault)
{
	struct faulter faulter[FAULTERS];
	pthread_t thread[FAULTERS];

	for (int i = 0; i < FAULTERS; i++) {
		faulter[i] = (struct faulter){ .base = util_make(16), .pages = 16 };
		ASSERT_NE(0, faulter[i].base);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, faulter_thread, &faulter[i]));
	}
	for (int round = 0; round < 40; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			unsigned long seen[FAULTERS][16];

			for (int i = 0; i < FAULTERS; i++)
				for (int j = 0; j < 16; j++)
					seen[i][j] = *(unsigned long *)(faulter[i].base + PAGES(j));
			for (int i = 0; i < FAULTERS; i++)
				for (int j = 1; j < 16; j++)
					EXPECT_TRUE(seen[i][j] == seen[i][j - 1] ||
						    seen[i][j] + 1 == seen[i][j - 1]);
			/* Nobody writes here any more. */
			sched_yield();
			for (int i = 0; i < FAULTERS; i++)
				for (int j = 0; j < 16; j++)
					EXPECT_EQ(seen[i][j], *(unsigned long *)(faulter[i].base +
										 PAGES(j)));
			CHILD_END();
		}
		ASSERT_EQ(0, util_wait(pid));
	}
	faulters_stop = true;
	for (int i = 0; i < FAULTERS; i++) {
		pthread_join(thread[i], NULL);
		for (int j = 0; j < 16; j++)
			EXPECT_EQ(faulter[i].rounds,
				  *(unsigned long *)(faulter[i].base + PAGES(j)));
	}
}

/* Threads of parent and child fault on the same shared pages at the same time. */
struct both {
	vm_address_t base;
	unsigned int first, generation, wrong;
};

static void *both_thread(void *argument)
{
	struct both *both = argument;

	for (unsigned int i = 0; i < 64; i++) {
		unsigned int page = (both->first + i) % 64;

		if (*(volatile unsigned char *)(both->base + PAGES(page)) != util_mark(page, 1))
			both->wrong++;
	}
	return NULL;
}

TEST(C2_parent_and_child_fault_together)
{
	for (int round = 0; round < 10; round++) {
		vm_address_t base = util_make(64);
		struct both both[4];
		pthread_t thread[4];
		pid_t pid;

		util_fill(base, 64, 1);
		pid = fork();
		for (int i = 0; i < 4; i++) {
			both[i] = (struct both){ .base = base, .first = i * 16 };
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, both_thread, &both[i]));
		}
		for (int i = 0; i < 4; i++) {
			pthread_join(thread[i], NULL);
			EXPECT_EQ(0, both[i].wrong);
		}
		for (int i = 0; i < 64; i++)
			memset((void *)(base + PAGES(pid ? i : 63 - i)),
			       util_mark(pid ? i : 63 - i, pid ? 2 : 3), PAGE);
		EXPECT_EQ(0, util_wrong(base, 64, pid ? 2 : 3));
		if (pid == 0)
			CHILD_END();
		EXPECT_EQ(0, util_wait(pid));
		vm_deallocate(SELF, base, PAGES(64));
	}
}

TEST(C2_child_that_exits_leaves_the_parent_alone)
{
	vm_address_t base = util_make(8);

	for (int i = 0; i < 50; i++) {
		pid_t pid;

		util_fill(base, 8, i);
		pid = fork();
		if (pid == 0) {
			util_fill(base, 8, 100);
			_exit(0);
		}
		EXPECT_EQ(0, util_wait(pid));
		ASSERT_EQ(0, util_wrong(base, 8, i));
	}
}

/* What only relatives that are gone have seen is given back. */
TEST(S2_35_pages_do_not_pile_up)
{
	struct machvm_vm_statistics before = { .size = sizeof(before) }, after = before;
	vm_address_t base = util_make(16);

	util_fill(base, 16, 1);
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &before));
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			util_fill(base, i % 2 ? 16 : 8, 50);
			_exit(0);
		}
		EXPECT_EQ(0, util_wait(pid));
	}
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &after));
	EXPECT_EQ(before.out_active_count + before.out_inactive_count,
		  after.out_active_count + after.out_inactive_count);
	EXPECT_EQ(before.out_maps, after.out_maps);
	EXPECT_EQ(before.out_objects, after.out_objects);
}

/* Shared by nobody, so no region says that it is shared. */
TEST(C2_copies_are_not_shared)
{
	vm_address_t base = util_make(2);
	struct util_region region;
	pid_t pid;

	util_fill(base, 2, 1);
	pid = fork();
	if (pid == 0) {
		ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
		EXPECT_FALSE(region.shared);
		CHILD_END();
	}
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_FALSE(region.shared);
	EXPECT_EQ(0, util_wait(pid));
}

HARNESS_MAIN
