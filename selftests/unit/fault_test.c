// SPDX-License-Identifier: GPL-2.0-only
/* fault_test.c - what an access ends in, and what it leaves in the page tables. */
#include "mock.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)
#define RWN (RW | MACHVM_PROT_NOTIFY)

TEST(fault, V46_outcomes)
{
	static const struct {
		u32 protection;
		int load, store;
	} cases[] = {
		{ RW, 0, 0 },
		{ MACHVM_PROT_ALL, 0, 0 },
		{ MACHVM_PROT_READ, 0, MACHVM_KERN_PROTECTION_FAILURE },
		{ MACHVM_PROT_NONE, MACHVM_KERN_PROTECTION_FAILURE, MACHVM_KERN_PROTECTION_FAILURE },
		{ MACHVM_PROT_WRITE, MACHVM_KERN_PROTECTION_FAILURE, MACHVM_KERN_PROTECTION_FAILURE },
		{ MACHVM_PROT_EXECUTE, MACHVM_KERN_PROTECTION_FAILURE,
		  MACHVM_KERN_PROTECTION_FAILURE },
		{ RWN, 0, 0 },
		{ MACHVM_PROT_READ | MACHVM_PROT_NOTIFY, 0, MACHVM_KERN_WRITE_PROTECTION_FAILURE },
		{ MACHVM_PROT_NOTIFY, MACHVM_KERN_PROTECTION_FAILURE,
		  MACHVM_KERN_WRITE_PROTECTION_FAILURE },
	};
	struct machvm_map *map = map_new();
	unsigned int i;
	u8 value;

	check_eq(allocate_at(map, 0, 1), 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		test_at("protection %#x", cases[i].protection);
		check_eq(protect_at(map, 0, 1, cases[i].protection), 0);
		check_eq(cpu_load(map, AT(0), &value), cases[i].load);
		check_eq(cpu_store(map, AT(0), 1), cases[i].store);
		check_eq(cpu_load(map, AT(0), &value), cases[i].load);
		check_eq(cpu_load(map, AT(1), &value), MACHVM_KERN_INVALID_ADDRESS);
		check_eq(cpu_store(map, AT(1), 1), MACHVM_KERN_INVALID_ADDRESS);
	}
	map_end(map);
}

TEST(fault, a_zeroed_page_is_a_page_of_its_own)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 2), 0);
	check_eq(load(map, 0), 0);
	check_eq(load(map, 1), 0);
	check(pte_at(map, 0)->folio != pte_at(map, 1)->folio);
	check(!machvm_page_test(pte_at(map, 0)->folio, MACHVM_PAGE_DIRTY));
	check_eq(store(map, 0, 1), 0);
	check(machvm_page_test(pte_at(map, 0)->folio, MACHVM_PAGE_DIRTY));
	check_eq(mock_stats[MACHVM_STAT_ZERO_FILL], 2);
	check_eq(mock_user.pages, 2);
	map_end(map);
}

TEST(fault, neighbours_that_are_resident_come_along_read_only)
{
	struct machvm_map *map = map_new(), *child;
	int i;

	check_eq(allocate_at(map, 0, 40), 0);
	for (i = 0; i < 40; i += 2)
		check_eq(store(map, i, i), 0);
	child = map_fork(map);
	require(child);
	check_eq(load(child, 4), 4);
	check(pte_at(child, 6)->folio);
	check(!pte_at(child, 5)->folio);
	for (i = 0; i < 40; i++)
		check(!pte_at(child, i)->write);
	check_eq(mock_user.pages, 20);
	/* Not beyond the region, and not where it was forbidden. */
	machvm_pmap_zap(child, AT(0), AT(40));
	check_eq(protect_at(child, 8, 2, MACHVM_PROT_NONE), 0);
	check_eq(load(child, 4), 4);
	check(!pte_at(child, 8)->folio);
	map_end(child);
	map_end(map);
}

TEST(fault, S2_52_a_killed_sleeper_leaves_the_question_and_nobody_asks_again)
{
	struct machvm_map *map = map_new();
	struct pager pager;

	pager_new(&pager);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
	fake_signal(true);
	check_eq(load(map, 1), FAILED(MACHVM_KERN_ABORTED));
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 1);
	check_eq(load(map, 1), FAILED(MACHVM_KERN_ABORTED));
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 1);
	fake_signal(false);
	check_eq(supply(&pager, 1, 5, false), 0);
	check_eq(load(map, 1), 5);
	map_end(map);
	pager_end(&pager);
}

TEST(fault, a_killed_fault_changes_nothing)
{
	struct machvm_map *map = map_new();
	u8 value;

	check_eq(allocate_at(map, 0, 1), 0);
	fail_killable(1);
	check_eq(cpu_load(map, AT(0), &value), MACHVM_KERN_ABORTED);
	check_eq(mock_user.pages, 0);
	check_eq(load(map, 0), 0);
	map_end(map);
}

TEST(fault, absent_pagers_fail_and_resident_pages_stay)
{
	struct machvm_map *map = map_new();
	struct pager pager;

	pager_new(&pager);
	check_eq(map_pager(map, &pager, 0, 4, 0, false), 0);
	check_eq(load(map, 1), FAILED(MACHVM_KERN_MEMORY_ERROR));
	pager_bind(&pager, 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	check_eq(supply(&pager, 1, 5, false), 0);
	check_eq(store(map, 1, 6), 0);
	pager_close(&pager);
	check_eq(load(map, 2), FAILED(MACHVM_KERN_MEMORY_ERROR));
	check_eq(store(map, 2, 1), MACHVM_KERN_MEMORY_ERROR);
	check_eq(load(map, 1), 6);
	machvm_memobj_die(pager.memobj);
	check_eq(load(map, 2), FAILED(MACHVM_KERN_MEMORY_ERROR));
	check_eq(load(map, 1), 6);
	map_end(map);
	pager_end(&pager);
}

static struct pager file;

static void world(void *arg)
{
	check_eq(supply(&file, 1, 7, false), 0);
}

TEST(fault, a_reader_of_a_copy_asks_the_object_below)
{
	struct machvm_map *map = map_new();

	pager_new(&file);
	pager_bind(&file, 0);
	check_eq(map_pager(map, &file, 0, 4, 0, true), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	fake_world = world;
	mock_sents_forget();
	check_eq(store(map, 1, 8), 0);
	check_eq(mock_last_sent()->access, MACHVM_PROT_READ);
	check_eq(load(map, 1), 8);
	check_eq(atomic_long_read(&file.memobj->unasked), 0);
	map_end(map);
	pager_end(&file);
}

TEST(fault, K3_the_access_that_is_wanted_is_told)
{
	struct machvm_map *map = map_new();

	pager_new(&file);
	pager_bind(&file, 0);
	check_eq(map_pager(map, &file, 0, 4, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
	fake_signal(true);
	check_eq(store(map, 1, 8), MACHVM_KERN_ABORTED);
	check_eq(mock_last_sent()->access, RW);
	check_eq(load(map, 2), FAILED(MACHVM_KERN_ABORTED));
	check_eq(mock_last_sent()->access, MACHVM_PROT_READ);
	map_end(map);
	pager_end(&file);
}

TEST(fault, faults_survive_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_map *map = map_new();
		int kr;

		check_eq(allocate_at(map, 0, 4), 0);
		fail_nth(n);
		kr = store(map, 2, 9);
		check(fail_end() || !kr);
		check(!kr || kr == -ENOMEM || kr == MACHVM_KERN_RESOURCE_SHORTAGE);
		map_is(map, "0+4 rw-/rwx 1");
		check_eq(load(map, 2), kr ? 0 : 9);
		map_end(map);
	}
}

TEST(fault, page_ins_survive_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_map *map = map_new();
		int kr;

		pager_new(&file);
		pager_bind(&file, 0);
		check_eq(map_pager(map, &file, 0, 4, 0, n % 2), 0);
		check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
		fake_world = world;
		fail_nth(n);
		kr = store(map, 1, 9);
		check(fail_end() || !kr);
		check_eq(store(map, 1, 9), 0);
		check_eq(load(map, 1), 9);
		map_end(map);
		pager_close(&file);
		pager_end(&file);
		mock_sents_forget();
	}
}
