// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_protect.c - vm_protect, and what protected memory lets one do: rows V5, V6 and V46.
 */
#include "harness.h"
#include "util.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <unistd.h>

static kern_return_t protect(vm_address_t address, vm_size_t size, vm_prot_t protection)
{
	return vm_protect(SELF, address, size, FALSE, protection);
}

static kern_return_t set_maximum(vm_address_t address, vm_size_t size, vm_prot_t protection)
{
	return vm_protect(SELF, address, size, TRUE, protection);
}

/* Current and maximum as two hexadecimal digits each: 0x0307. */
static int protections(vm_address_t address)
{
	struct util_region region;

	if (util_region(address, &region) != KERN_SUCCESS || region.address > address)
		return -1;
	return region.protection << 8 | region.max_protection;
}

#define RW_ALL 0x0307
#define R_ALL 0x0107

TEST(V5_read_only_can_be_read_and_not_written)
{
	struct util_access access;
	vm_address_t base = util_make(3);

	util_fill(base, 3, 1);
	ASSERT_EQ(KERN_SUCCESS, protect(base + PAGE, PAGE, VM_PROT_READ));
	EXPECT_EQ(R_ALL, protections(base + PAGE));
	EXPECT_EQ(0, util_wrong(base, 3, 1));
	access = util_write(base + PAGE + 8, 9);
	EXPECT_EQ(SIGSEGV, access.signal);
	EXPECT_EQ((void *)(base + PAGE + 8), access.address);
	EXPECT_EQ(KERN_SUCCESS, access.info);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, access.why);
	EXPECT_EQ(0, util_wrong(base, 3, 1));
	EXPECT_EQ(0, util_why_write(base, util_mark(0, 1)));
	EXPECT_EQ(0, util_why_write(base + PAGES(2), util_mark(2, 1)));
	ASSERT_EQ(KERN_SUCCESS, protect(base + PAGE, PAGE, VM_PROT_DEFAULT));
	util_fill(base, 3, 2);
	EXPECT_EQ(0, util_wrong(base, 3, 2));
}

TEST(V5_never_touched_memory_is_protected_too)
{
	vm_address_t base = util_make(2);

	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGES(2), VM_PROT_READ));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	EXPECT_EQ(0, util_not_zero(base, 2));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGES(2), VM_PROT_NONE));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGE));
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGES(2), VM_PROT_DEFAULT));
	EXPECT_EQ(0, util_not_zero(base, 2));
	EXPECT_EQ(0, util_why_write(base, 1));
}

TEST(V5_none_hides_and_keeps)
{
	vm_address_t base = util_make(4);

	util_fill(base, 4, 1);
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGES(4), VM_PROT_NONE));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGES(i)));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGES(i), 1));
	}
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGES(4), VM_PROT_READ));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

/* As on the processors that Mach was written for. */
TEST(V5_writing_needs_reading)
{
	vm_address_t base = util_make(2);

	util_fill(base, 2, 1);
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_WRITE));
	ASSERT_EQ(KERN_SUCCESS, protect(base + PAGE, PAGE, VM_PROT_EXECUTE));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGES(i)));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGES(i), 1));
	}
	EXPECT_EQ(0x0207, protections(base));
	EXPECT_EQ(0x0407, protections(base + PAGE));
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGES(2), VM_PROT_READ));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
}

TEST(S2_1_set_maximum_lowers_current)
{
	vm_address_t base = util_make(1);

	util_fill(base, 1, 1);
	ASSERT_EQ(KERN_SUCCESS, set_maximum(base, PAGE, VM_PROT_READ));
	EXPECT_EQ(0x0101, protections(base));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, protect(base, PAGE, VM_PROT_DEFAULT));
	EXPECT_EQ(0x0101, protections(base));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
	EXPECT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_READ));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
}

TEST(S2_1_set_maximum_write_on_read_write)
{
	vm_address_t base = util_make(1);

	util_fill(base, 1, 1);
	ASSERT_EQ(KERN_SUCCESS, set_maximum(base, PAGE, VM_PROT_WRITE));
	EXPECT_EQ(0x0202, protections(base));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
}

TEST(S2_1_set_maximum_does_not_raise_current)
{
	vm_address_t base = util_make(1);

	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_READ));
	ASSERT_EQ(KERN_SUCCESS, set_maximum(base, PAGE, VM_PROT_DEFAULT));
	EXPECT_EQ(0x0103, protections(base));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
}

TEST(S2_2_maximum_never_rises)
{
	vm_address_t base = util_make(2);

	util_fill(base, 2, 1);
	ASSERT_EQ(KERN_SUCCESS, set_maximum(base, PAGE, VM_PROT_NONE));
	EXPECT_EQ(0, protections(base));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, set_maximum(base, PAGE, VM_PROT_ALL));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, set_maximum(base, PAGE, VM_PROT_READ));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, protect(base, PAGE, VM_PROT_READ));
	EXPECT_EQ(0, protections(base));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base));
	EXPECT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, set_maximum(base, PAGE, VM_PROT_NONE));

	ASSERT_EQ(KERN_SUCCESS, set_maximum(base + PAGE, PAGE, VM_PROT_READ));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, set_maximum(base + PAGE, PAGE, VM_PROT_DEFAULT));
	EXPECT_EQ(0x0101, protections(base + PAGE));
}

TEST(S2_3_protect_is_all_or_nothing)
{
	vm_address_t base = util_make(6);

	util_fill(base, 6, 1);
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGES(6), VM_PROT_READ));
	ASSERT_EQ(KERN_SUCCESS, set_maximum(base + PAGES(3), PAGE, VM_PROT_READ));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, protect(base, PAGES(6), VM_PROT_DEFAULT));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, protect(base + PAGE, PAGES(3), VM_PROT_DEFAULT));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, set_maximum(base, PAGES(6), VM_PROT_DEFAULT));
	for (int i = 0; i < 6; i++) {
		EXPECT_EQ(i == 3 ? 0x0101 : R_ALL, protections(base + PAGES(i)));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base + PAGES(i), 1));
	}
	/* What was cut for the try is not seen. */
	EXPECT_EQ(3, util_regions(base, base + PAGES(6)));
	EXPECT_EQ(0, util_wrong(base, 6, 1));
}

TEST(S2_4_protect_over_holes)
{
	vm_address_t base = util_make(8);

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGE));
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(3), PAGES(2)));
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(7), PAGE));
	/* The hole first, in the middle and last. */
	EXPECT_EQ(KERN_SUCCESS, protect(base, PAGES(2), VM_PROT_READ));
	EXPECT_EQ(R_ALL, protections(base + PAGE));
	EXPECT_EQ(RW_ALL, protections(base + PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(2), PAGES(4), VM_PROT_READ));
	EXPECT_EQ(R_ALL, protections(base + PAGES(2)));
	EXPECT_EQ(R_ALL, protections(base + PAGES(5)));
	EXPECT_EQ(RW_ALL, protections(base + PAGES(6)));
	EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(6), PAGES(2), VM_PROT_READ));
	EXPECT_EQ(R_ALL, protections(base + PAGES(6)));
	/* Nothing but hole. */
	EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(3), PAGES(2), VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, protect(base + (1UL << 30), PAGES(2), VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, protect(1UL << 47, PAGES(2), VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, set_maximum(base, PAGES(8), VM_PROT_READ));
	EXPECT_EQ(0x0101, protections(base + PAGES(6)));
}

TEST(S2_4_linux_memory_is_as_a_hole)
{
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = 1;
	EXPECT_EQ(KERN_SUCCESS, protect((vm_address_t)page, PAGE, VM_PROT_NONE));
	*page = 2;
	EXPECT_EQ(2, *page);
}

TEST(S2_6_protect_that_wraps)
{
	vm_address_t base = util_make(4);

	util_fill(base, 4, 1);
	EXPECT_EQ(KERN_SUCCESS, protect(base + PAGE, -base, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, protect(-PAGE, PAGES(2), VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, set_maximum(base + PAGES(2), -PAGE, VM_PROT_NONE));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(RW_ALL, protections(base + PAGES(i)));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

TEST(S2_7_protect_of_nothing)
{
	vm_address_t base = util_make(1);

	EXPECT_EQ(KERN_SUCCESS, protect(base, 0, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, protect(base + 100, 0, VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, set_maximum(base, 0, VM_PROT_NONE));
	EXPECT_EQ(RW_ALL, protections(base));
}

TEST(S2_8_protect_takes_every_page_it_touches)
{
	vm_address_t base = util_make(4);

	EXPECT_EQ(KERN_SUCCESS, protect(base + PAGE + 1, 1, VM_PROT_READ));
	EXPECT_EQ(RW_ALL, protections(base));
	EXPECT_EQ(R_ALL, protections(base + PAGE));
	EXPECT_EQ(RW_ALL, protections(base + PAGES(2)));
	EXPECT_EQ(KERN_SUCCESS, protect(base + PAGES(2) + 0xfff, 2, VM_PROT_NONE));
	EXPECT_EQ(0x0007, protections(base + PAGES(2)));
	EXPECT_EQ(0x0007, protections(base + PAGES(3)));
}

TEST(V5_bits_that_are_none)
{
	vm_address_t base = util_make(1);
	const vm_prot_t bad[] = { 0x20, VM_PROT_NO_CHANGE, -1, 0x40, 0x103, 0x7fffffff };

	for (int i = 0; i < 6; i++) {
		EXPECT_EQ(KERN_INVALID_ARGUMENT, protect(base, PAGE, bad[i]));
		EXPECT_EQ(KERN_INVALID_ARGUMENT, set_maximum(base, PAGE, bad[i]));
	}
	EXPECT_EQ(RW_ALL, protections(base));
}

TEST(V6_notify_tells_a_forbidden_write)
{
	vm_address_t base = util_make(1);

	util_fill(base, 1, 1);
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_NOTIFY | VM_PROT_DEFAULT));
	EXPECT_EQ(0x1307, protections(base));
	EXPECT_EQ(0, util_why_write(base, util_mark(0, 1)));
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_NOTIFY | VM_PROT_READ));
	EXPECT_EQ(KERN_WRITE_PROTECTION_FAILURE, util_why_write(base, 1));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
	ASSERT_EQ(KERN_SUCCESS, protect(base, PAGE, VM_PROT_NOTIFY));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base));
}

TEST(V46_nothing_there_is_told_from_forbidden)
{
	struct util_access access;
	vm_address_t base = util_make(2);
	kern_return_t why;

	vm_deallocate(SELF, base, PAGE);
	protect(base + PAGE, PAGE, VM_PROT_NONE);
	EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGE));
	/* Only the last one is on record. */
	EXPECT_EQ(KERN_SUCCESS, machvm_fault_info((void *)(base + PAGE), &why, NULL));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, why);
	EXPECT_EQ(KERN_INVALID_ADDRESS, machvm_fault_info((void *)base, &why, NULL));
	/* Of what is not machvm's, nothing is. */
	access = util_read(0x10);
	EXPECT_EQ(SIGSEGV, access.signal);
	EXPECT_EQ(KERN_INVALID_ADDRESS, access.info);
}

TEST(V46_a_call_into_linux_answers_EFAULT)
{
	vm_address_t base = util_make(3);
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	util_fill(base, 3, 1);
	protect(base, PAGE, VM_PROT_NONE);
	protect(base + PAGE, PAGE, VM_PROT_READ);
	vm_deallocate(SELF, base + PAGES(2), PAGE);
	EXPECT_EQ(-1, write(fd[1], (void *)base, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(8, write(fd[1], (void *)(base + PAGE), 8));
	EXPECT_EQ(-1, read(fd[0], (void *)(base + PAGE), 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(fd[1], (void *)(base + PAGES(2)), 8));
	EXPECT_EQ(EFAULT, errno);
}

/* A thread that writes for ever, and goes on when it may not. */
static _Thread_local sigjmp_buf writer_env;
static volatile bool writer_stop;

static void writer_failed(int signal)
{
	(void)signal;
	siglongjmp(writer_env, 1);
}

static void *writer_thread(void *argument)
{
	volatile unsigned long *counter = argument;

	sigsetjmp(writer_env, 1);
	while (!writer_stop)
		(*counter)++;
	return NULL;
}

/* When the call has returned, the other processor can no longer write. */
TEST(V5_protect_holds_for_all_threads_at_once)
{
	volatile unsigned long *counter = (volatile unsigned long *)util_make(1);
	struct sigaction action = { .sa_handler = writer_failed };
	pthread_t thread;

	ASSERT_NE(NULL, counter);
	sigaction(SIGSEGV, &action, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, writer_thread, (void *)counter));
	while (*counter < 1000)
		sched_yield();
	for (int round = 0; round < 100; round++) {
		unsigned long seen;

		ASSERT_EQ(KERN_SUCCESS, protect((vm_address_t)counter, PAGE, VM_PROT_READ));
		seen = *counter;
		for (int i = 0; i < 1000; i++)
			ASSERT_EQ(seen, *counter);
		ASSERT_EQ(KERN_SUCCESS, protect((vm_address_t)counter, PAGE, VM_PROT_DEFAULT));
		while (*counter == seen)
			sched_yield();
	}
	writer_stop = true;
	pthread_join(thread, NULL);
}

TEST(V5_task_of_no_kind)
{
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_protect(MACH_PORT_NULL, util_make(1), PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  vm_protect(mach_host_self(), util_make(1), PAGE, FALSE, VM_PROT_READ));
}

HARNESS_MAIN
