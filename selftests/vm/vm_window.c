// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_window.c - memory at fixed addresses outside of the arena, and arenas that are full.
 */
#include "harness.h"
#include "util.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define TIB (1UL << 40)

/* Nothing of a program's is near. */
#define FREE 0x200000000UL

/* Arenas begin above it. */
#define ARENA_LOWEST (16 * TIB)

static kern_return_t fixed(vm_address_t address, vm_size_t size)
{
	return vm_allocate(SELF, &address, size, FALSE);
}

static void *linux_page(vm_address_t address)
{
	unsigned char *page = mmap((void *)address, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (page != MAP_FAILED)
		*page = 7;
	return page;
}

TEST(S2_9_a_window_where_nothing_is)
{
	vm_address_t unaligned = FREE + 0x123;
	struct util_mapping mapping;
	struct util_region region;

	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &unaligned, PAGES(3), FALSE));
	EXPECT_EQ(FREE, unaligned);
	ASSERT_TRUE(util_mapping(FREE, &mapping));
	EXPECT_TRUE(mapping.ours);
	EXPECT_EQ(FREE, mapping.start);
	EXPECT_EQ(FREE + PAGES(3), mapping.end);
	EXPECT_EQ(0, util_not_zero(FREE, 3));
	util_fill(FREE, 3, 1);
	EXPECT_EQ(0, util_wrong(FREE, 3, 1));
	ASSERT_EQ(KERN_SUCCESS, util_region(0, &region));
	EXPECT_EQ(FREE, region.address);
	EXPECT_EQ(PAGES(3), region.size);
	EXPECT_EQ(VM_PROT_DEFAULT, region.protection);
	EXPECT_EQ(KERN_NO_SPACE, fixed(FREE + PAGES(2), PAGE));
	/* When nothing is in it, the place is Linux's again. */
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, FREE, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(FREE));
	EXPECT_EQ(MAP_FAILED, linux_page(FREE));
	EXPECT_EQ(util_mark(2, 1), util_read(FREE + PAGES(2)).byte);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, FREE + PAGES(2), PAGE));
	EXPECT_EQ((void *)FREE, linux_page(FREE));
	EXPECT_EQ(KERN_NO_SPACE, fixed(FREE, PAGE));
}

TEST(S2_9_a_window_where_linux_has_a_part)
{
	unsigned char *page = linux_page(FREE + PAGES(2));

	ASSERT_EQ((void *)(FREE + PAGES(2)), page);
	EXPECT_EQ(KERN_NO_SPACE, fixed(FREE, PAGES(3)));
	EXPECT_EQ(KERN_NO_SPACE, fixed(FREE, PAGES(5)));
	EXPECT_EQ(KERN_NO_SPACE, fixed(FREE + PAGES(2), PAGE));
	EXPECT_EQ(KERN_NO_SPACE, fixed(FREE + PAGES(2), PAGES(2)));
	EXPECT_EQ(7, *page);
	EXPECT_EQ(0, util_mappings(FREE, FREE + PAGES(8), true));
	EXPECT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, fixed(FREE + PAGES(3), PAGES(2)));
	/* With a part that is ours, too. */
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, FREE + PAGE, PAGE));
	EXPECT_EQ(KERN_NO_SPACE, fixed(FREE + PAGE, PAGES(2)));
	EXPECT_EQ(7, *page);
	util_fill(FREE, 1, 1);
	EXPECT_EQ(7, *page);
}

TEST(V1_a_window_at_low_addresses_for_those_who_may)
{
	util_lowest_address(65536);
	ASSERT_EQ(KERN_SUCCESS, fixed(PAGES(2), PAGE));
	*(volatile char *)PAGES(2) = 1;
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, PAGES(2), PAGE));
	ASSERT_EQ(0, setuid(1000));
	EXPECT_EQ(KERN_NO_SPACE, fixed(PAGES(2), PAGE));
	EXPECT_EQ(KERN_SUCCESS, fixed(FREE, PAGE));
}

TEST(V1_a_window_at_the_end_of_user_space)
{
	/* The stack is far enough below it. */
	EXPECT_EQ(KERN_SUCCESS, fixed(USER_END - PAGE, PAGE));
	*(volatile char *)(USER_END - 1) = 1;
	EXPECT_EQ(KERN_INVALID_ADDRESS, fixed(USER_END - PAGES(2), PAGES(3)));
}

TEST(S2_9_a_region_across_the_border_of_the_arena)
{
	vm_address_t base = util_make(1), border, data;
	mach_msg_type_number_t count;
	struct util_mapping arena;
	struct util_region region;
	pid_t pid;

	ASSERT_TRUE(util_mapping(base, &arena));
	border = arena.end;
	ASSERT_EQ(KERN_SUCCESS, fixed(border - PAGES(8), PAGES(16)));
	EXPECT_EQ(0, util_not_zero(border - PAGES(8), 16));
	util_fill(border - PAGES(8), 16, 1);
	ASSERT_EQ(KERN_SUCCESS, util_region(border, &region));
	EXPECT_EQ(border - PAGES(8), region.address);
	EXPECT_EQ(PAGES(16), region.size);
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, border - PAGES(8), PAGES(16), &data, &count));
	EXPECT_EQ(0, util_wrong(data, 16, 1));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(border - PAGES(8), 16, 1));
		util_fill(border - PAGES(8), 16, 2);
		EXPECT_EQ(0, util_wrong(border - PAGES(8), 16, 2));
		EXPECT_EQ(KERN_SUCCESS, util_region(border, &region));
		EXPECT_EQ(PAGES(16), region.size);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(border - PAGES(8), 16, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, border - PAGES(4), PAGES(8), FALSE,
					   VM_PROT_READ));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(border, 1));
	EXPECT_EQ(0, util_wrong(border - PAGES(8), 16, 1));
	/* One half goes with the window that Linux unmaps. */
	EXPECT_EQ(0, munmap((void *)border, PAGES(8)));
	EXPECT_EQ(SIGSEGV, util_read(border).signal);
	EXPECT_EQ(0, util_wrong(border - PAGES(8), 8, 1));
	EXPECT_EQ(PAGES(8), util_covered(border - PAGES(8), border + PAGES(8)));
}

/* Every call, on a window and between a window and the arena. */
TEST(S2_9_all_calls_on_a_window)
{
	vm_address_t base = util_make(8), data;
	mach_msg_type_number_t count;
	struct util_pager *pager = util_pager_start(8);
	vm_address_t mapped = FREE + PAGES(64);

	ASSERT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(8)));
	util_fill(base, 8, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(8), FREE));
	EXPECT_EQ(0, util_wrong(FREE, 8, 1));
	util_fill(FREE, 8, 2);
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, FREE, PAGES(4), base));
	EXPECT_EQ(0, util_wrong(base, 4, 2));
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, FREE, PAGES(8), &data, &count));
	EXPECT_EQ(0, util_wrong(data, 8, 2));
	util_fill(data, 8, 3);
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, FREE, data, PAGES(8)));
	EXPECT_EQ(0, util_wrong(FREE, 8, 3));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, FREE + PAGE, PAGE, FALSE, VM_PROT_NONE));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(FREE + PAGE));
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(SELF, FREE, PAGES(8), VM_INHERIT_NONE));
	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &mapped, PAGES(8), 0, FALSE,
				       util_pager_object(pager), 0, FALSE, VM_PROT_DEFAULT,
				       VM_PROT_ALL, VM_INHERIT_SHARE));
	EXPECT_EQ(0, util_wrong(mapped, 8, 0));
	EXPECT_EQ(1, util_mappings(mapped, mapped + PAGES(8), true));
	/* Memory of Linux's beside a window still is copied by bytes. */
	ASSERT_EQ((void *)(FREE + PAGES(8)), linux_page(FREE + PAGES(8)));
	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, FREE + PAGES(8), PAGE, base));
	EXPECT_EQ(7, *(volatile char *)base);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, 0, USER_END));
	EXPECT_EQ(0, util_mappings(0, ARENA_LOWEST, true));
	EXPECT_EQ(0, util_regions(0, -1UL));
	util_pager_wait_terminate(pager);
	util_pager_stop(pager);
}

TEST(S2_26_fork_takes_windows_along)
{
	struct machvm_vm_statistics before = { .size = sizeof(before) }, after = before;
	vm_address_t base = util_make(4);

	ASSERT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(4)));
	ASSERT_EQ(KERN_SUCCESS, fixed(FREE + TIB, PAGES(4)));
	ASSERT_EQ(KERN_SUCCESS, fixed(FREE + 2 * TIB, PAGES(4)));
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(SELF, FREE + TIB, PAGES(4), VM_INHERIT_SHARE));
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(SELF, FREE + 2 * TIB, PAGES(4), VM_INHERIT_NONE));
	util_fill(base, 4, 1);
	util_fill(FREE, 4, 1);
	util_fill(FREE + TIB, 4, 1);
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &before));
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			EXPECT_EQ(0, util_wrong(base, 4, 1));
			EXPECT_EQ(0, util_wrong(FREE, 4, 1));
			EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(FREE + 2 * TIB));
			util_fill(FREE, 4, 2);
			util_fill(FREE + TIB, 4, 3 + i);
			/* What was not inherited can be made anew. */
			EXPECT_EQ(KERN_SUCCESS, fixed(FREE + 2 * TIB, PAGES(2)));
			EXPECT_EQ(KERN_SUCCESS, fixed(FREE + 3 * TIB, PAGES(2)));
			EXPECT_EQ(0, util_not_zero(FREE + 2 * TIB, 2));
			EXPECT_EQ(0, munmap((void *)FREE, PAGES(4)));
			EXPECT_EQ(SIGSEGV, util_read(FREE).signal);
			EXPECT_EQ(0, util_wrong(base, 4, 1));
			CHILD_END();
		}
		ASSERT_EQ(0, util_wait(pid));
		EXPECT_EQ(0, util_wrong(FREE, 4, 1));
		EXPECT_EQ(0, util_wrong(FREE + TIB, 4, 3 + i));
		EXPECT_EQ(0, util_not_zero(FREE + 2 * TIB, 4));
	}
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &after));
	EXPECT_EQ(before.out_maps, after.out_maps);
	EXPECT_EQ(before.out_active_count + before.out_inactive_count + 4,
		  after.out_active_count + after.out_inactive_count);
}

/* A child has the windows that it was to have, and no others. */
TEST(linux_dontfork_of_a_window)
{
	vm_address_t base = util_make(4);
	pid_t pid;

	ASSERT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(4)));
	util_fill(base, 4, 1);
	util_fill(FREE, 4, 1);
	ASSERT_EQ(0, madvise((void *)FREE, PAGES(4), MADV_DONTFORK));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(SIGSEGV, util_read(FREE).signal);
		EXPECT_EQ(0, util_wrong(base, 4, 1));
		EXPECT_EQ(1, util_regions(0, -1UL));
		EXPECT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(4)));
		EXPECT_EQ(0, util_not_zero(FREE, 4));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(FREE, 4, 1));
}

TEST(linux_munmap_and_others_on_a_window)
{
	vm_address_t base = util_make(4);
	struct util_mapping arena;

	util_fill(base, 4, 1);
	ASSERT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(8)));
	util_fill(FREE, 8, 1);
	EXPECT_EQ(-1, munmap((void *)FREE, PAGES(4)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap((void *)(FREE + PAGES(2)), PAGE));
	EXPECT_EQ(-1, mprotect((void *)FREE, PAGES(8), PROT_READ));
	EXPECT_EQ(-1, mprotect((void *)(FREE + PAGE), PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, mremap((void *)FREE, PAGES(8), PAGES(16), MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap((void *)FREE, PAGES(8), PAGES(8),
				     MREMAP_MAYMOVE | MREMAP_FIXED, FREE + TIB));
	EXPECT_EQ(MAP_FAILED, mremap((void *)FREE, PAGES(4), PAGES(4),
				     MREMAP_MAYMOVE | MREMAP_FIXED, FREE + TIB));
	EXPECT_EQ(MAP_FAILED, mmap((void *)(FREE + PAGE), PAGE, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, util_wrong(FREE, 8, 1));
	EXPECT_EQ(1, util_mappings(FREE, FREE + PAGES(8), true));
	/* All of it, and more. */
	EXPECT_EQ(0, munmap((void *)(FREE - PAGES(2)), PAGES(12)));
	EXPECT_EQ(SIGSEGV, util_read(FREE).signal);
	EXPECT_EQ(0, util_covered(FREE, FREE + PAGES(8)));
	EXPECT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(8)));
	EXPECT_EQ(0, util_not_zero(FREE, 8));
	/* Without an arena, windows stay what they are. */
	util_fill(FREE, 8, 2);
	ASSERT_TRUE(util_mapping(base, &arena));
	ASSERT_EQ(0, munmap((void *)arena.start, arena.end - arena.start));
	EXPECT_EQ(0, util_wrong(FREE, 8, 2));
	EXPECT_EQ(0, util_covered(arena.start, arena.end));
	base = util_make(4);
	ASSERT_NE(0, base);
	util_fill(base, 4, 3);
	EXPECT_EQ(0, util_wrong(FREE, 8, 2));
}

/* Who allocates page by page does not use up mappings. */
TEST(V1_windows_side_by_side_are_few)
{
	for (int i = 0; i < 1024; i++) {
		ASSERT_EQ(KERN_SUCCESS, fixed(FREE + PAGES(i), PAGE));
		*(volatile unsigned char *)(FREE + PAGES(i)) = util_mark(i, 1);
	}
	EXPECT_GE(12, util_mappings(FREE, FREE + PAGES(1024), true));
	EXPECT_EQ(1, util_regions(FREE, FREE + PAGES(1024)));
	for (int i = 0; i < 1024; i++)
		EXPECT_EQ(util_mark(i, 1), *(volatile unsigned char *)(FREE + PAGES(i)));
	/* The last may have grown beyond the end. */
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, FREE, PAGES(1024)));
	EXPECT_EQ(0, util_mappings(0, ARENA_LOWEST, true));
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

TEST_F(few_windows, V1_windows_far_apart_are_bounded)
{
	kern_return_t kr = KERN_SUCCESS;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		kr = fixed(FREE + PAGES(2 * i), PAGE);
		if (kr != KERN_SUCCESS)
			break;
	}
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, kr);
	EXPECT_EQ(63, i);
	/* Then it goes on where there are windows, and where they are given back. */
	EXPECT_NE(0, util_make(4));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, FREE, PAGES(20)));
	EXPECT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(8)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, FREE, PAGES(200)));
	EXPECT_EQ(0, util_mappings(0, ARENA_LOWEST, true));
}

TEST(V2_a_full_arena_gets_another)
{
	vm_address_t base[4] = { 0 }, huge = 0;
	struct util_mapping mapping;

	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &base[i], TIB - (2UL << 30), TRUE));
		*(volatile char *)base[i] = i + 1;
		*(volatile char *)(base[i] + TIB - (2UL << 30) - 1) = i + 1;
	}
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i + 1, *(volatile char *)base[i]);
	/* More than any arena was made for. */
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &huge, 3 * TIB, TRUE));
	*(volatile char *)(huge + 3 * TIB - 1) = 1;
	ASSERT_TRUE(util_mapping(base[3], &mapping));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base[i], TIB - (2UL << 30)));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, huge, 3 * TIB));
	EXPECT_EQ(0, util_regions(0, -1UL));
}

/* Another task's address space is Linux's alone; what its windows offer is to be had. */
TEST(S2_9_no_window_in_another_task)
{
	struct util_gate ready, go;
	vm_address_t address;
	task_t task;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&ready));
	ASSERT_EQ(0, util_gate_init(&go));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(KERN_SUCCESS, fixed(FREE, PAGES(4)));
		EXPECT_NE(0, util_make(1));
		util_fill(FREE, 4, 1);
		util_gate_open(&ready);
		util_gate_pass(&go);
		EXPECT_EQ(0, util_not_zero(FREE, 4));
		/* What was left empty from outside still can be used, and goes. */
		EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, FREE, PAGES(4)));
		EXPECT_EQ(0, util_mappings(0, ARENA_LOWEST, true));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(pid, &task));
	address = FREE + PAGES(64);
	EXPECT_EQ(KERN_NO_SPACE, vm_allocate(task, &address, PAGE, FALSE));
	address = FREE;
	EXPECT_EQ(KERN_NO_SPACE, vm_allocate(task, &address, PAGE, FALSE));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(task, FREE, PAGES(4)));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(task, &address, PAGES(4), FALSE));
	address = 0;
	EXPECT_EQ(KERN_NO_SPACE, vm_allocate(task, &address, 2 * TIB, TRUE));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(task, &address, PAGE, TRUE));
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(KERN_INVALID_TASK, vm_allocate(task, &address, PAGE, TRUE));
}

struct racer {
	unsigned int number;
	unsigned int won[64];
	unsigned int wrong;
};

static pthread_barrier_t barrier;

/* Every round asks for the same page, for pages of one's own beside it, and lets go. */
static void *racer_thread(void *argument)
{
	struct racer *racer = argument;
	vm_address_t mine = FREE + PAGES(1 + 3 * racer->number);

	for (int i = 0; i < 64; i++) {
		pthread_barrier_wait(&barrier);
		racer->won[i] = fixed(FREE, PAGE) == KERN_SUCCESS;
		racer->wrong += fixed(mine, PAGES(2)) != KERN_SUCCESS;
		util_fill(mine, 2, racer->number);
		racer->wrong += util_wrong(mine, 2, racer->number);
		pthread_barrier_wait(&barrier);
		if (racer->won[i])
			racer->wrong += vm_deallocate(SELF, FREE, PAGE) != KERN_SUCCESS;
		racer->wrong += vm_deallocate(SELF, mine, PAGES(2)) != KERN_SUCCESS;
	}
	return NULL;
}

static void *forker_thread(void *argument)
{
	volatile bool *stop = argument;
	long failed = 0;

	while (!*stop) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		failed |= util_wait(pid);
	}
	return (void *)failed;
}

TEST(S2_9_threads_at_the_same_address_while_another_forks)
{
	struct racer racer[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
	pthread_t thread[3], forker;
	volatile bool stop = false;
	void *failed;

	ASSERT_NE(0, util_make(1));
	pthread_barrier_init(&barrier, NULL, 3);
	ASSERT_EQ(0, pthread_create(&forker, NULL, forker_thread, (void *)&stop));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, racer_thread, &racer[i]));
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, racer[i].wrong);
	}
	stop = true;
	pthread_join(forker, &failed);
	EXPECT_EQ(NULL, failed);
	for (int i = 0; i < 64; i++)
		EXPECT_EQ(1, racer[0].won[i] + racer[1].won[i] + racer[2].won[i]);
	EXPECT_EQ(0, util_mappings(0, ARENA_LOWEST, true));
}

TEST(linux_address_space_limit_and_windows)
{
	struct rlimit limit = { 2UL << 30, 2UL << 30 };

	ASSERT_NE(0, util_make(1));
	/* The arena alone is beyond it. */
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, fixed(FREE, PAGE));
	EXPECT_EQ(0, util_mappings(0, ARENA_LOWEST, true));
	EXPECT_NE(0, util_make(1));
}

HARNESS_MAIN
