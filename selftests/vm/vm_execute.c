// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_execute.c - memory with VM_PROT_EXECUTE runs code, and no other does.
 */
#include "harness.h"
#include "util.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define RX (VM_PROT_READ | VM_PROT_EXECUTE)
#define TIB (1UL << 40)
#define FREE 0x200000000UL	/* nothing of a program's is near */

/* mov $value, %eax; ret */
static void put_code(vm_address_t address, unsigned char value)
{
	const unsigned char code[] = { 0xb8, value, 0, 0, 0, 0xc3 };

	memcpy((void *)address, code, sizeof(code));
}

/* Pages each of which returns its number plus the generation. */
static vm_address_t code_make(unsigned int pages, unsigned char generation)
{
	vm_address_t base = util_make(pages);

	for (unsigned int i = 0; base && i < pages; i++)
		put_code(base + PAGES(i), i + generation);
	return base;
}

static kern_return_t protect(vm_address_t base, unsigned int pages, vm_prot_t protection)
{
	return vm_protect(SELF, base, PAGES(pages), FALSE, protection);
}

TEST(V5_only_what_may_be_executed_is)
{
	vm_address_t base = code_make(4, 10);

	EXPECT_EQ(-1, util_run(base + PAGE));
	ASSERT_EQ(KERN_SUCCESS, protect(base + PAGE, 2, RX));
	EXPECT_EQ(-1, util_run(base));
	EXPECT_EQ(11, util_run(base + PAGE));
	EXPECT_EQ(12, util_run(base + PAGES(2)));
	EXPECT_EQ(-1, util_run(base + PAGES(3)));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGE, 1));
	EXPECT_EQ(0, util_why_write(base + PAGES(3), 0xb8));
	/* Memory that was never touched. */
	base = util_make(2);
	ASSERT_EQ(KERN_SUCCESS, protect(base, 2, VM_PROT_ALL));
	put_code(base + PAGE, 20);
	EXPECT_EQ(20, util_run(base + PAGE));
	/* As on i386 to execute is to read. */
	ASSERT_EQ(KERN_SUCCESS, protect(base, 2, VM_PROT_EXECUTE));
	EXPECT_EQ(-1, util_run(base + PAGE));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGE));
}

TEST(V5_write_and_execute_in_turn)
{
	vm_address_t base = code_make(3, 1);

	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(KERN_SUCCESS, protect(base + PAGE, 1, VM_PROT_DEFAULT));
		EXPECT_EQ(-1, util_run(base + PAGE));
		put_code(base + PAGE, i);
		EXPECT_EQ(-1, util_run(base + PAGE));
		ASSERT_EQ(KERN_SUCCESS, protect(base + PAGE, 1, RX));
		EXPECT_EQ(i, util_run(base + PAGE));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGE, 1));
		EXPECT_EQ(i, util_run(base + PAGE));
	}
	EXPECT_EQ(-1, util_run(base));
	EXPECT_EQ(-1, util_run(base + PAGES(2)));
	ASSERT_EQ(KERN_SUCCESS, protect(base, 3, RX));
	EXPECT_EQ(1, util_run(base));
	EXPECT_EQ(3, util_run(base + PAGES(2)));
}

TEST(S2_1_a_maximum_without_execution_takes_it_away)
{
	vm_address_t base = code_make(2, 1);

	ASSERT_EQ(KERN_SUCCESS, protect(base, 2, RX));
	EXPECT_EQ(2, util_run(base + PAGE));
	ASSERT_EQ(KERN_SUCCESS, vm_protect(SELF, base + PAGE, PAGE, TRUE, VM_PROT_DEFAULT));
	EXPECT_EQ(1, util_run(base));
	EXPECT_EQ(-1, util_run(base + PAGE));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, protect(base, 2, RX));
	EXPECT_EQ(1, util_run(base));
	EXPECT_EQ(-1, util_run(base + PAGE));
}

TEST(V14_map_with_execution)
{
	struct util_pager *pager = util_pager_start(2);
	vm_address_t code = 0, file = 0, base;

	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &code, PAGES(2), 0, TRUE, MACH_PORT_NULL, 0, FALSE,
				       VM_PROT_ALL, VM_PROT_ALL, VM_INHERIT_COPY));
	put_code(code, 5);
	EXPECT_EQ(5, util_run(code));
	/* A copy of a file, as a program's text. */
	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &file, PAGES(2), 0, TRUE, util_pager_object(pager),
				       0, TRUE, VM_PROT_ALL, VM_PROT_ALL, VM_INHERIT_COPY));
	EXPECT_EQ(util_mark(1, 0), util_read(file + PAGE).byte);
	put_code(file + PAGE, 6);
	EXPECT_EQ(6, util_run(file + PAGE));
	/* Fresh memory in the place of code cannot be executed. */
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, code, PAGES(2)));
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &code, PAGES(2), FALSE));
	put_code(code, 7);
	EXPECT_EQ(-1, util_run(code));
	for (int i = 0; i < 20; i++) {
		base = code_make(1, 9);
		EXPECT_EQ(-1, util_run(base));
	}
	util_pager_stop(pager);
}

/* Memory that was code leaves nothing behind for what comes to lie there. */
TEST(S2_8_deallocated_code)
{
	vm_address_t base = code_make(16, 1), room = base;

	ASSERT_EQ(KERN_SUCCESS, protect(base, 16, RX));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(4), PAGES(4)));
	EXPECT_EQ(4, util_run(base + PAGES(3)));
	EXPECT_EQ(9, util_run(base + PAGES(8)));
	room += PAGES(4);
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &room, PAGES(4), FALSE));
	put_code(room, 1);
	EXPECT_EQ(-1, util_run(room));
	ASSERT_EQ(KERN_SUCCESS, protect(base, 16, VM_PROT_DEFAULT));
	EXPECT_EQ(-1, util_run(base + PAGES(3)));
	EXPECT_EQ(4, ((unsigned char *)base)[PAGES(3) + 1]);
}

TEST(V13_copies_of_code)
{
	vm_address_t from = code_make(4, 1), to = code_make(4, 20), data;
	mach_msg_type_number_t count;

	ASSERT_EQ(KERN_SUCCESS, protect(from, 4, RX));
	ASSERT_EQ(KERN_SUCCESS, protect(to, 2, VM_PROT_ALL));
	EXPECT_EQ(1, util_run(from));
	EXPECT_EQ(20, util_run(to));
	ASSERT_EQ(KERN_SUCCESS, vm_copy(SELF, from, PAGES(4), to));
	/* The destination keeps its attributes. */
	EXPECT_EQ(1, util_run(to));
	EXPECT_EQ(2, util_run(to + PAGE));
	EXPECT_EQ(-1, util_run(to + PAGES(2)));
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, from, PAGES(4), &data, &count));
	EXPECT_EQ(-1, util_run(data));
	ASSERT_EQ(KERN_SUCCESS, protect(data, 4, RX));
	EXPECT_EQ(4, util_run(data + PAGES(3)));
	EXPECT_EQ(4, util_run(from + PAGES(3)));
}

TEST(S2_26_fork_with_code)
{
	vm_address_t base = code_make(8, 1);
	pid_t pid;

	ASSERT_EQ(KERN_SUCCESS, protect(base, 4, RX));
	ASSERT_EQ(KERN_SUCCESS, vm_inherit(SELF, base + PAGES(2), PAGES(2), VM_INHERIT_NONE));
	EXPECT_EQ(1, util_run(base));
	pid = fork();
	if (pid == 0) {
		vm_address_t gone = base + PAGES(2);

		EXPECT_EQ(1, util_run(base));
		EXPECT_EQ(-1, util_run(gone));
		EXPECT_EQ(-1, util_run(base + PAGES(4)));
		EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &gone, PAGES(2), FALSE));
		put_code(gone, 9);
		EXPECT_EQ(-1, util_run(gone));
		EXPECT_EQ(KERN_SUCCESS, protect(base, 1, VM_PROT_DEFAULT));
		put_code(base, 50);
		EXPECT_EQ(-1, util_run(base));
		EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(4), 2, RX));
		EXPECT_EQ(5, util_run(base + PAGES(4)));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(1, util_run(base));
	EXPECT_EQ(3, util_run(base + PAGES(2)));
	EXPECT_EQ(-1, util_run(base + PAGES(4)));
}

TEST(V5_code_in_a_window_of_its_own)
{
	vm_address_t at = FREE;
	struct util_mapping mapping;

	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &at, PAGES(4), FALSE));
	put_code(at + PAGE, 3);
	ASSERT_EQ(KERN_SUCCESS, protect(at + PAGE, 1, RX));
	EXPECT_EQ(3, util_run(at + PAGE));
	EXPECT_EQ(-1, util_run(at));
	ASSERT_TRUE(util_mapping(at + PAGE, &mapping));
	EXPECT_EQ(at + PAGE, mapping.start);
	EXPECT_EQ(at + PAGES(2), mapping.end);
	EXPECT_EQ('x', mapping.access[2]);
	/* Linux may take that alone, as a whole. */
	EXPECT_EQ(-1, munmap((void *)at, PAGES(4) - 1 - PAGE));
	EXPECT_EQ(0, munmap((void *)(at + PAGE), PAGE));
	EXPECT_EQ(PAGES(3), util_covered(at, at + PAGES(4)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, at, PAGES(4)));
	EXPECT_EQ(0, util_mappings(at, at + PAGES(4), true));
}

/* Its teardown gives the machine its limit back. */
FIXTURE(few_windows) {
	long limit;
};

FIXTURE_SETUP(few_windows)
{
	self->limit = util_parameter("max_windows");
	ASSERT_EQ(0, util_parameter_set("max_windows", 64));
}

FIXTURE_TEARDOWN(few_windows)
{
	EXPECT_EQ(0, util_parameter_set("max_windows", self->limit));
}

/* Code here and there: mappings are used up, and found again. */
TEST_F(few_windows, V5_code_here_and_there)
{
	vm_address_t base = util_make(200);
	kern_return_t kr = KERN_SUCCESS;
	unsigned int i;

	ASSERT_NE(0, base);
	for (i = 1; i < 200; i += 2) {
		put_code(base + PAGES(i), i);
		kr = protect(base + PAGES(i), 1, RX);
		if (kr != KERN_SUCCESS)
			break;
	}
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, kr);
	EXPECT_LE(60, i);
	/* The page that it failed at is as it was. */
	EXPECT_EQ(0, util_why_write(base + PAGES(i), 0xb8));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGES(i - 2), 1));
	EXPECT_EQ(i - 2, util_run(base + PAGES(i - 2)));
	EXPECT_EQ(KERN_SUCCESS, protect(base, 200, VM_PROT_DEFAULT));
	EXPECT_EQ(-1, util_run(base + PAGE));
	/* What is left is one mapping for each border there was; they are joined when need be. */
	put_code(base + PAGES(199), 1);
	ASSERT_EQ(KERN_SUCCESS, protect(base + PAGES(199), 1, RX));
	EXPECT_EQ(1, util_run(base + PAGES(199)));
	EXPECT_EQ(2, util_mappings(base, base + PAGES(200), true));
	EXPECT_EQ(-1, util_run(base));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(200)));
	EXPECT_NE(0, util_make(1));
}

static volatile bool stop;

static void *runner_thread(void *argument)
{
	long calls = 0;

	while (!stop || !calls)
		calls += ((int (*)(void))argument)() == 42;
	return (void *)calls;
}

/* Neighbours come and go while code runs and pages beside it are read. */
TEST(V5_code_runs_on_while_others_change)
{
	vm_address_t base = util_make(16);
	pthread_t thread[2];
	void *calls;

	put_code(base + PAGES(7), 42);
	ASSERT_EQ(KERN_SUCCESS, protect(base + PAGES(7), 1, RX));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, runner_thread,
					    (void *)(base + PAGES(7))));
	for (int i = 0; i < 200; i++) {
		unsigned int first = i % 7, pid;

		EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(first), 7 - first, VM_PROT_ALL));
		EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(8), 1 + i % 8, VM_PROT_ALL));
		if (i % 20 == 0) {
			pid = fork();
			if (pid == 0)
				_exit(util_run(base + PAGES(7)) != 42);
			EXPECT_EQ(0, util_wait(pid));
		}
		EXPECT_EQ(KERN_SUCCESS, protect(base, 7, VM_PROT_DEFAULT));
		EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(8), 8, VM_PROT_DEFAULT));
	}
	stop = true;
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], &calls);
		EXPECT_LT(0, (long)calls);
	}
}

/* From outside execution is taken away at once, and given when the task itself says so. */
TEST(V5_execution_from_outside)
{
	vm_address_t base = code_make(4, 1);
	struct util_gate ready, go;
	task_t task;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&ready));
	ASSERT_EQ(0, util_gate_init(&go));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(KERN_SUCCESS, protect(base, 1, RX));
		EXPECT_EQ(1, util_run(base));
		util_gate_open(&ready);
		util_gate_pass(&go);
		EXPECT_EQ(0, util_why_write(base, 0xb8));
		EXPECT_EQ(-1, util_run(base + PAGE));
		EXPECT_EQ(KERN_SUCCESS, protect(base + PAGE, 1, RX));
		EXPECT_EQ(2, util_run(base + PAGE));
		EXPECT_EQ(KERN_SUCCESS, protect(base, 1, VM_PROT_DEFAULT));
		EXPECT_EQ(-1, util_run(base));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(pid, &task));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(task, base, PAGE, FALSE, VM_PROT_DEFAULT));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(task, base + PAGE, PAGE, FALSE, RX));
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(pid));
}

/* Where a task had code others may put memory, which it alone makes plain or code again. */
TEST(V1_fresh_memory_from_outside_where_code_was)
{
	vm_address_t base = code_make(3, 1), at = base;
	struct util_gate ready, go;
	task_t task;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&ready));
	ASSERT_EQ(0, util_gate_init(&go));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(KERN_SUCCESS, protect(base, 3, RX));
		EXPECT_EQ(2, util_run(base + PAGE));
		util_gate_open(&ready);
		util_gate_pass(&go);
		EXPECT_EQ(0, util_not_zero(base, 2));
		EXPECT_EQ(3, util_run(base + PAGES(2)));
		put_code(base + PAGE, 9);
		EXPECT_EQ(KERN_SUCCESS, protect(base, 2, VM_PROT_DEFAULT));
		EXPECT_EQ(-1, util_run(base + PAGE));
		EXPECT_EQ(KERN_SUCCESS, protect(base, 2, RX));
		EXPECT_EQ(9, util_run(base + PAGE));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(pid, &task));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(task, base, PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(task, &at, PAGES(2), FALSE));
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(pid));
}

/* Programs that Linux lets execute all they can read. */
TEST(linux_read_implies_exec)
{
	vm_address_t base;

	ASSERT_NE(-1, personality(READ_IMPLIES_EXEC));
	base = code_make(2, 1);
	ASSERT_NE(0, base);
	EXPECT_EQ(-1, util_run(base));
	EXPECT_EQ(KERN_SUCCESS, protect(base, 1, RX));
	EXPECT_EQ(1, util_run(base));
	EXPECT_EQ(-1, util_run(base + PAGE));
}

/* Who has forsworn new code gets none; on a kernel without the call there is nothing to see. */
TEST(linux_memory_deny_write_execute)
{
	vm_address_t base = code_make(2, 1);
	kern_return_t expected = KERN_SUCCESS;

	if (!prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		expected = KERN_PROTECTION_FAILURE;
	EXPECT_EQ(expected, protect(base, 1, RX));
	EXPECT_EQ(expected ? -1 : 1, util_run(base));
	EXPECT_EQ(expected ? 0 : KERN_PROTECTION_FAILURE, util_why_write(base, 0xb8));
}

HARNESS_MAIN
