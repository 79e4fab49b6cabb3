// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_msync.c - vm_msync and vm_object_sync: arguments, memory without a pager, other tasks, and
 * what a client may rely on.
 */
#include "harness.h"
#include "util.h"

#include <machvm.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYNC VM_SYNC_SYNCHRONOUS
#define ASYNC VM_SYNC_ASYNCHRONOUS
#define INVALIDATE VM_SYNC_INVALIDATE
#define KILL VM_SYNC_KILLPAGES
#define CONTIGUOUS VM_SYNC_CONTIGUOUS

static kern_return_t sync_pages(vm_address_t base, unsigned int pages, vm_sync_t flags)
{
	return vm_msync(SELF, base, PAGES(pages), flags);
}

static uint64_t resident(vm_address_t address)
{
	struct machvm_vm_region region = { .count = 1 };

	if (util_region_full(MACHVM_TASK_SELF, address, &region))
		return -1;
	return region.out_resident;
}

TEST(V27_wrong_arguments)
{
	vm_address_t base = util_make(2);

	EXPECT_EQ(KERN_INVALID_ARGUMENT, sync_pages(base, 1, SYNC | ASYNC));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, sync_pages(base, 0, SYNC | ASYNC));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, sync_pages(base, 1, SYNC | ASYNC | INVALIDATE | KILL));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, sync_pages(base, 1, 0x40));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, sync_pages(base, 1, -1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_msync(SELF, base, -PAGE, SYNC));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_msync(SELF, base, -1, SYNC));
	EXPECT_EQ(KERN_INVALID_TASK, vm_msync(MACH_PORT_NULL, base, PAGE, SYNC));
	EXPECT_EQ(KERN_INVALID_TASK, vm_msync(MACH_PORT_DEAD, base, PAGE, SYNC));
	EXPECT_EQ(KERN_INVALID_TASK, vm_msync(mach_host_self(), base, PAGE, SYNC));
	EXPECT_EQ(KERN_INVALID_TASK, vm_msync(999, base, PAGE, SYNC));
	EXPECT_EQ(KERN_INVALID_TASK, vm_msync(util_device(), base, PAGE, SYNC));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_msync(999, base, PAGE, SYNC | ASYNC));
}

TEST(V27_S2_7_nothing_is_done_to_nothing)
{
	vm_address_t base = util_make(2);

	EXPECT_EQ(KERN_SUCCESS, sync_pages(base, 0, SYNC));
	EXPECT_EQ(KERN_SUCCESS, sync_pages(base + 100, 0, SYNC | CONTIGUOUS));
	EXPECT_EQ(KERN_SUCCESS, sync_pages(0, 0, SYNC | CONTIGUOUS));
	EXPECT_EQ(KERN_SUCCESS, sync_pages(-1UL, 0, SYNC | CONTIGUOUS));
}

TEST(V27_S2_58_holes_of_all_kinds)
{
	vm_address_t base = util_make(4);
	char *linux_memory = mmap(NULL, PAGES(2), PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	vm_deallocate(SELF, base + PAGE, PAGE);
	linux_memory[0] = 7;
#define BOTH(with, base, size, flags)                                                   \
	do {                                                                            \
		EXPECT_EQ(KERN_SUCCESS, vm_msync(SELF, base, size, flags));             \
		EXPECT_EQ(with, vm_msync(SELF, base, size, (flags) | CONTIGUOUS));      \
	} while (0)
	BOTH(KERN_SUCCESS, base, PAGE, SYNC);
	BOTH(KERN_SUCCESS, base + PAGES(2), PAGES(2), ASYNC);
	BOTH(KERN_INVALID_ADDRESS, base, PAGES(4), SYNC);
	BOTH(KERN_INVALID_ADDRESS, base, PAGES(4), ASYNC | INVALIDATE);
	BOTH(KERN_INVALID_ADDRESS, base, PAGES(4), 0);
	BOTH(KERN_INVALID_ADDRESS, base, PAGE + 1, SYNC);
	BOTH(KERN_INVALID_ADDRESS, base + PAGES(2) - 1, 2, SYNC);
	BOTH(KERN_INVALID_ADDRESS, base + PAGE, PAGE, KILL);
	BOTH(KERN_INVALID_ADDRESS, base + PAGE, PAGE, VM_SYNC_DEACTIVATE);
	BOTH(KERN_INVALID_ADDRESS, base + PAGES(3), USER_END - base - PAGES(3), SYNC);
	BOTH(KERN_INVALID_ADDRESS, USER_END - PAGE, PAGES(2), SYNC);
	BOTH(KERN_INVALID_ADDRESS, USER_END, PAGE, SYNC);
	BOTH(KERN_INVALID_ADDRESS, -PAGE, PAGE, SYNC);
	BOTH(KERN_INVALID_ADDRESS, (vm_address_t)linux_memory, PAGES(2), SYNC | INVALIDATE);
	BOTH(KERN_INVALID_ADDRESS, (vm_address_t)linux_memory, PAGES(2), KILL);
#undef BOTH
	EXPECT_EQ(7, linux_memory[0]);
}

TEST(V27_internal_memory_has_no_pager)
{
	const vm_sync_t all[] = { SYNC, ASYNC, INVALIDATE, SYNC | INVALIDATE, ASYNC | INVALIDATE,
				  VM_SYNC_DEACTIVATE, VM_SYNC_DEACTIVATE | INVALIDATE };
	vm_address_t base = util_make(8);

	util_fill(base, 8, 1);
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		EXPECT_EQ(KERN_SUCCESS, sync_pages(base, 8, all[i] | CONTIGUOUS));
	EXPECT_EQ(0, util_wrong(base, 8, 1));
}

TEST(V27_killpages_frees_memory_of_ones_own)
{
	vm_address_t base = util_make(8);

	util_fill(base, 8, 1);
	EXPECT_EQ(KERN_SUCCESS, vm_msync(SELF, base + PAGES(3) - 1, 2, KILL));
	EXPECT_EQ(6, resident(base));
	EXPECT_EQ(0, util_not_zero(base + PAGES(2), 2));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
	EXPECT_EQ(util_mark(4, 1), util_read(base + PAGES(4)).byte);
	util_fill(base, 8, 2);
	EXPECT_EQ(0, util_wrong(base, 8, 2));
	EXPECT_EQ(1, util_regions(base, base + PAGES(8)));
}

TEST(V27_killpages_frees_what_is_paged_out)
{
	struct machvm_vm_pageout pageout = { .size = sizeof(pageout), .task = MACHVM_TASK_SELF,
					     .length = PAGES(4) };
	vm_address_t base = util_make(4);

	util_fill(base, 4, 1);
	pageout.address = base;
	EXPECT_EQ(KERN_SUCCESS, util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &pageout));
	EXPECT_EQ(4, pageout.out_pages);
	EXPECT_EQ(KERN_SUCCESS, sync_pages(base, 3, KILL));
	EXPECT_EQ(0, util_not_zero(base, 3));
	EXPECT_EQ(util_mark(3, 1), util_read(base + PAGES(3)).byte);
}

TEST(V27_killpages_leaves_what_others_see_or_nobody_may_write)
{
	vm_address_t shared = util_make(2), copied = util_make(2), wired = util_make(2),
		     readable = util_make(2), copy = util_make(2);
	pid_t child;

	util_fill(shared, 2, 1);
	util_fill(copied, 2, 1);
	util_fill(wired, 2, 1);
	util_fill(readable, 2, 1);
	vm_inherit(SELF, shared, PAGES(2), VM_INHERIT_SHARE);
	ASSERT_EQ(KERN_SUCCESS, vm_copy(SELF, copied, PAGES(2), copy));
	ASSERT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), SELF, wired, PAGES(2), VM_PROT_READ));
	vm_protect(SELF, readable, PAGES(2), TRUE, VM_PROT_READ);
	child = fork();
	if (!child) {
		vm_address_t all[] = { shared, copied, copy };

		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(KERN_SUCCESS, sync_pages(all[i], 2, KILL));
			EXPECT_EQ(0, util_wrong(all[i], 2, 1));
		}
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(child));
	EXPECT_EQ(KERN_SUCCESS, sync_pages(copied, 2, KILL));
	EXPECT_EQ(KERN_SUCCESS, sync_pages(wired, 2, KILL));
	EXPECT_EQ(KERN_SUCCESS, sync_pages(readable, 2, KILL));
	EXPECT_EQ(0, util_wrong(shared, 2, 1));
	EXPECT_EQ(0, util_wrong(copy, 2, 1));
	EXPECT_EQ(0, util_wrong(wired, 2, 1));
	EXPECT_EQ(0, util_wrong(readable, 2, 1));
}

TEST(V27_deactivated_pages_are_the_next_to_go)
{
	vm_address_t base = util_make(8);
	vm_statistics_data_t before, now;

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), SELF, base, PAGE, VM_PROT_READ));
	ASSERT_EQ(KERN_SUCCESS, vm_statistics(SELF, &before));
	EXPECT_EQ(KERN_SUCCESS, sync_pages(base, 4, VM_SYNC_DEACTIVATE | CONTIGUOUS));
	ASSERT_EQ(KERN_SUCCESS, vm_statistics(SELF, &now));
	EXPECT_EQ(before.inactive_count + 3, now.inactive_count);
	EXPECT_EQ(before.active_count - 3, now.active_count);
	EXPECT_EQ(before.reactivations, now.reactivations);
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	ASSERT_EQ(KERN_SUCCESS, vm_statistics(SELF, &now));
	EXPECT_EQ(before.inactive_count, now.inactive_count);
	EXPECT_EQ(before.reactivations + 3, now.reactivations);
}

TEST(V27_memory_of_another_task)
{
	struct util_pager *pager = util_pager_start(4);
	struct util_gate ready, go;
	vm_address_t base;
	pid_t child;
	task_t task;

	ASSERT_NE(NULL, pager);
	base = util_map(util_pager_object(pager), 0, 4, false);
	ASSERT_EQ(0, util_gate_init(&ready) | util_gate_init(&go));
	vm_inherit(SELF, base, PAGES(4), VM_INHERIT_SHARE);
	child = fork();
	if (!child) {
		*(volatile unsigned char *)(base + PAGES(2)) = 99;
		util_gate_open(&ready);
		_exit(util_gate_pass(&go) != 0);
	}
	util_gate_pass(&ready);
	vm_deallocate(SELF, base, PAGES(4));	/* so that only the child's map knows it */
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(child, &task));
	EXPECT_EQ(KERN_SUCCESS, vm_msync(task, base, PAGES(4), SYNC | CONTIGUOUS));
	EXPECT_EQ(99, util_pager_returned(pager, 2));
	EXPECT_EQ(KERN_INVALID_ADDRESS, vm_msync(SELF, base, PAGES(4), SYNC | CONTIGUOUS));
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(child));
	EXPECT_EQ(KERN_INVALID_TASK, vm_msync(task, base, PAGES(4), SYNC));
	util_pager_wait_terminate(pager);
	util_pager_stop(pager);
}

#define WRITERS 4
#define ROUNDS 50

struct writer {
	struct util_pager *pager;
	vm_address_t base;
	unsigned int page, wrong;
	pthread_t thread;
};

static void *writer_thread(void *argument)
{
	struct writer *writer = argument;
	vm_address_t address = writer->base + PAGES(writer->page);

	for (unsigned int i = 1; i <= ROUNDS; i++) {
		*(volatile unsigned char *)address = i;
		if (vm_msync(SELF, address, 1, i % 5 ? SYNC : SYNC | INVALIDATE) ||
		    util_pager_returned(writer->pager, writer->page) != i)
			writer->wrong++;
	}
	return NULL;
}

/* Each writes to a page, syncs it, and looks at once whether the pager has got it. */
TEST(V27_S2_58_after_a_sync_the_pager_has_what_was_written)
{
	struct util_pager *pager = util_pager_start(WRITERS);
	struct writer writers[WRITERS];
	vm_address_t base;

	ASSERT_NE(NULL, pager);
	base = util_map(util_pager_object(pager), 0, WRITERS, false);
	for (unsigned int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .pager = pager, .base = base, .page = i };
		ASSERT_EQ(0, pthread_create(&writers[i].thread, NULL, writer_thread, &writers[i]));
	}
	for (unsigned int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		EXPECT_EQ(0, writers[i].wrong);
	}
	vm_deallocate(SELF, base, PAGES(WRITERS));
	util_pager_wait_terminate(pager);
	util_pager_stop(pager);
}

TEST(V28_an_object_without_a_pager)
{
	vm_address_t base = util_make(2);
	struct util_region region;

	util_fill(base, 2, 1);
	ASSERT_EQ(KERN_SUCCESS, util_region(base, &region));
	EXPECT_EQ(KERN_SUCCESS, vm_object_sync(region.name, 0, PAGES(2), TRUE, TRUE, TRUE));
	EXPECT_EQ(KERN_SUCCESS, vm_object_sync(region.name, 0, PAGES(2), TRUE, FALSE, FALSE));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_object_sync(region.name, PAGE, -PAGE + 1, FALSE, TRUE, TRUE));
	vm_deallocate(SELF, base, PAGES(2));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_object_sync(region.name, 0, PAGES(2), FALSE, TRUE, TRUE));
}

HARNESS_MAIN
