// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault_kunit.c - faults on a real address space, taken by copies to and from it.
 */
#include "help.h"
#include <linux/uaccess.h>
#include "fault.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

/* What a program would see there; -1 if it would be killed for looking. */
static int peek(u64 addr)
{
	u8 byte;

	return copy_from_user(&byte, u64_to_user_ptr(addr), 1) ? -1 : byte;
}

static int poke(u64 addr, u8 byte)
{
	return copy_to_user(u64_to_user_ptr(addr), &byte, 1) ? -1 : 0;
}

static u64 allocate(struct kunit *test, struct machvm_map *map, u64 nr)
{
	u64 addr = 0;

	KUNIT_ASSERT_EQ(test, 0, machvm_vm_allocate(map, &addr, PAGES(nr), true));
	return addr;
}

static void fresh_memory_is_zero_and_keeps_what_is_written(struct kunit *test)
{
	struct machvm_map *map = help_map(test);
	u64 base = allocate(test, map, 64), i;

	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, 0, peek(base + PAGES(i) + i));
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, 0, poke(base + PAGES(i) + i, i + 1));
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, i + 1, peek(base + PAGES(i) + i));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, base, PAGES(64)));
	KUNIT_EXPECT_EQ(test, -1, peek(base));
}

static void protection_is_what_the_entry_says(struct kunit *test)
{
	struct machvm_map *map = help_map(test);
	u64 base = allocate(test, map, 4);

	KUNIT_EXPECT_EQ(test, 0, poke(base + PAGES(1), 7));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_protect(map, base, PAGES(4), false, MACHVM_PROT_READ));
	KUNIT_EXPECT_EQ(test, -1, poke(base + PAGES(1), 8));
	KUNIT_EXPECT_EQ(test, -1, poke(base + PAGES(2), 8));
	KUNIT_EXPECT_EQ(test, 7, peek(base + PAGES(1)));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_protect(map, base, PAGES(4), false, MACHVM_PROT_NONE));
	KUNIT_EXPECT_EQ(test, -1, peek(base + PAGES(1)));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_protect(map, base, PAGES(4), false, RW));
	KUNIT_EXPECT_EQ(test, 7, peek(base + PAGES(1)));
	KUNIT_EXPECT_EQ(test, 0, poke(base + PAGES(2), 8));
}

static void a_supplied_page_is_mapped(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 0);
	struct machvm_map *map = help_map(test);
	u64 base = help_map_object(pager, map, 8, false);

	KUNIT_EXPECT_EQ(test, 0, help_supply(pager, 2, 0x42));
	KUNIT_EXPECT_EQ(test, 0x42, peek(base + PAGES(2)));
	KUNIT_EXPECT_EQ(test, 0x42, peek(base + PAGES(3) - 1));
	KUNIT_EXPECT_FALSE(test, machvm_page_test(machvm_page_lookup(pager->object, 2),
						  MACHVM_PAGE_DIRTY));
	KUNIT_EXPECT_EQ(test, 0, poke(base + PAGES(2), 1));
	KUNIT_EXPECT_TRUE(test, machvm_page_test(machvm_page_lookup(pager->object, 2),
						 MACHVM_PAGE_DIRTY));
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&pager->memobj->requested));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, base, PAGES(8)));
}

/* Resolves one fault at @addr, and says what came of it. */
static enum machvm_outcome resolve(struct machvm_map *map, u64 addr, bool write,
				   struct machvm_request **wait)
{
	struct machvm_fault fault = { .map = map, .addr = addr, .at = addr, .write = write };
	enum machvm_outcome outcome;

	mmap_read_lock(current->mm);
	fault.vma = find_vma(current->mm, addr);
	outcome = machvm_fault_resolve(&fault);
	mmap_read_unlock(current->mm);
	*wait = fault.wait;
	return outcome;
}

/* K3 */
static void faults_on_one_page_join_one_request(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 0);
	struct machvm_map *map = help_map(test);
	u64 base = help_map_object(pager, map, 8, false);
	struct machvm_request *first, *second, *none;

	KUNIT_ASSERT_EQ(test, MACHVM_FAULT_WAIT, resolve(map, base, true, &first));
	KUNIT_ASSERT_EQ(test, MACHVM_FAULT_WAIT, resolve(map, base, false, &second));
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	KUNIT_EXPECT_EQ(test, RW, first->msg.access);
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&pager->memobj->requested));
	KUNIT_EXPECT_EQ(test, 0, help_supply(pager, 0, 9));
	KUNIT_EXPECT_TRUE(test, machvm_request_done(first));
	machvm_request_put(first);
	machvm_request_put(second);
	KUNIT_EXPECT_EQ(test, MACHVM_FAULT_MAPPED, resolve(map, base, true, &none));
	KUNIT_EXPECT_EQ(test, 9, peek(base));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, base, PAGES(8)));
}

/* A kernel thread must not wait: its access fails, and the question stays open. */
static void a_kernel_thread_does_not_wait(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 0);
	struct machvm_map *map = help_map(test);
	u64 base = help_map_object(pager, map, 8, false);

	KUNIT_EXPECT_EQ(test, -1, peek(base + PAGES(1)));
	KUNIT_EXPECT_EQ(test, 0, help_supply(pager, 1, 3));
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&pager->memobj->unasked));
	KUNIT_EXPECT_EQ(test, 3, peek(base + PAGES(1)));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, base, PAGES(8)));
}

/* S2.29, S2.30 on page tables */
static void copies_keep_their_moment(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 0);
	struct machvm_map *map = help_map(test);
	u64 base = help_map_object(pager, map, 4, false), first, second;

	KUNIT_EXPECT_EQ(test, 0, help_supply(pager, 0, 10));
	KUNIT_EXPECT_EQ(test, 0, help_supply(pager, 1, 11));
	KUNIT_EXPECT_EQ(test, 10, peek(base));
	first = help_map_object(pager, map, 4, true);
	KUNIT_EXPECT_EQ(test, 10, peek(first));		/* mapped from below */
	KUNIT_EXPECT_EQ(test, 0, poke(base, 20));
	second = help_map_object(pager, map, 4, true);
	KUNIT_EXPECT_EQ(test, 20, peek(second));
	KUNIT_EXPECT_EQ(test, 0, poke(base, 30));
	KUNIT_EXPECT_EQ(test, 10, peek(first));
	KUNIT_EXPECT_EQ(test, 20, peek(second));
	KUNIT_EXPECT_EQ(test, 30, peek(base));
	KUNIT_EXPECT_EQ(test, 0, poke(first, 40));
	KUNIT_EXPECT_EQ(test, 0, poke(second + PAGES(1), 41));
	KUNIT_EXPECT_EQ(test, 11, peek(base + PAGES(1)));
	KUNIT_EXPECT_EQ(test, 11, peek(first + PAGES(1)));
	KUNIT_EXPECT_EQ(test, 20, peek(second));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, map->min, map->max - map->min));
}

static void no_page_is_left_behind(struct kunit *test)
{
	long pages = machvm_stat_sum(MACHVM_STAT_PAGES), objects =
		machvm_stat_sum(MACHVM_STAT_OBJECTS);
	struct machvm_map *map = help_map(test);
	u64 base = allocate(test, map, 100), i;

	for (i = 0; i < 100; i += 2)
		KUNIT_EXPECT_EQ(test, 0, poke(base + PAGES(i), 1));
	KUNIT_EXPECT_EQ(test, pages + 50, machvm_stat_sum(MACHVM_STAT_PAGES));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, base, PAGES(100)));
	KUNIT_EXPECT_EQ(test, pages, machvm_stat_sum(MACHVM_STAT_PAGES));
	KUNIT_EXPECT_EQ(test, objects, machvm_stat_sum(MACHVM_STAT_OBJECTS));
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fresh_memory_is_zero_and_keeps_what_is_written),
	KUNIT_CASE(protection_is_what_the_entry_says),
	KUNIT_CASE(a_supplied_page_is_mapped),
	KUNIT_CASE(faults_on_one_page_join_one_request),
	KUNIT_CASE(a_kernel_thread_does_not_wait),
	KUNIT_CASE(copies_keep_their_moment),
	KUNIT_CASE(no_page_is_left_behind),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "machvm_fault",
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
