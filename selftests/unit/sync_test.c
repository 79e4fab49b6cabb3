// SPDX-License-Identifier: GPL-2.0-only
/* sync_test.c - vm_msync and vm_object_sync: which memory is meant, and who waits for what. */
#include "absence.h"
#include "mock.h"
#include "fake/thread.h"

#define SYNC MACHVM_SYNC_SYNCHRONOUS
#define ASYNC MACHVM_SYNC_ASYNCHRONOUS
#define INVALIDATE MACHVM_SYNC_INVALIDATE
#define KILL MACHVM_SYNC_KILLPAGES
#define CONTIGUOUS MACHVM_SYNC_CONTIGUOUS

static struct pager pager;
static struct machvm_map *map;
static unsigned int served;	/* runs that the pager has had while somebody waited */

/* What the pager does while somebody sleeps: it releases what it was sent. */
static void pager_works(void *arg)
{
	struct mock_sent sent;

	require(mock_nr_sent);
	sent = *mock_last_sent();
	require(sent.type == MACHVM_MSG_DATA_RETURN);
	mock_sents_forget();
	served++;
	check_eq(machvm_memobj_release(pager.memobj, sent.offset, sent.length, NULL), 0);
}

static void setup(u64 nr)
{
	map = map_file(&pager, nr);
	fake_world = pager_works;
	served = 0;
}

static void teardown(void)
{
	map_check(map);
	objects_check();
	map_end(map);
	while (mock_nr_sent && mock_last_sent()->type == MACHVM_MSG_DATA_RETURN)
		pager_works(NULL);
	pager_end(&pager);
	mock_sents_forget();
}

static int sync_at(u64 page, u64 nr, u32 flags)
{
	return machvm_vm_msync(map, AT(page), PAGES(nr), flags);
}

static long resident(void)
{
	return atomic_long_read(&entry_at(map, 0)->object->resident);
}

TEST(sync, V27_arguments)
{
	setup(2);
	check_eq(sync_at(0, 2, SYNC | ASYNC), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(sync_at(0, 0, SYNC | ASYNC), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(sync_at(0, 2, MACHVM_SYNC_ALL + 1), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_msync(map, AT(1), -PAGES(1), SYNC), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_msync(map, 1, U64_MAX, SYNC), 0);
	check_eq(machvm_vm_msync(map, 2, U64_MAX, SYNC), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_msync(map, 0, U64_MAX, CONTIGUOUS), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_msync(map, U64_MAX, 1, CONTIGUOUS), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_msync(map, map->max - 1, 1, CONTIGUOUS), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_msync(map, U64_MAX, 0, SYNC | CONTIGUOUS), 0);
	check_eq(sync_at(0, 2, CONTIGUOUS), 0);
	heard("");
	teardown();
}

TEST(sync, V27_S2_58_sync_waits_until_all_is_released)
{
	setup(80);
	check_eq(store(map, 3, 9), 0);
	check_eq(store(map, 50, 9), 0);
	check_eq(store(map, 79, 9), 0);
	check_eq(sync_at(0, 79, SYNC), 0);
	check_eq(served, 2);
	check_eq(sync_at(0, 79, SYNC), 0);
	check_eq(served, 2);
	check_eq(machvm_vm_msync(map, AT(79) + 100, 1, SYNC), 0);
	check_eq(served, 3);
	heard("");
	teardown();
}

TEST(sync, V27_async_goes_as_far_as_it_can)
{
	setup(4);
	check_eq(store(map, 3, 9), 0);
	check_eq(sync_at(0, 4, ASYNC | INVALIDATE), 0);
	check_eq(served, 0);
	check_eq(resident(), 0);
	expect_return(&pager, 3, 1, true, false, 9);
	teardown();
}

TEST(sync, S2_58_holes)
{
	setup(8);
	check_eq(deallocate_at(map, 2, 2), 0);
	check_eq(store(map, 1, 9), 0);
	check_eq(store(map, 4, 9), 0);
	check_eq(sync_at(0, 8, SYNC | CONTIGUOUS), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(served, 2);
	check_eq(store(map, 4, 9), 0);
	check_eq(sync_at(2, 6, SYNC), 0);
	check_eq(served, 3);
	check_eq(sync_at(4, 4, SYNC | CONTIGUOUS), 0);
	check_eq(sync_at(4, 5, SYNC | CONTIGUOUS), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(sync_at(2, 1, CONTIGUOUS), MACHVM_KERN_INVALID_ADDRESS);
	teardown();
}

TEST(sync, V27_the_offset_in_the_object)
{
	setup(8);
	check_eq(map_pager(map, &pager, 20, 4, 3, false), 0);
	check_eq(cpu_store(map, AT(21) + 4, 9), 0);
	check_eq(cpu_store(map, AT(23) + 6, 9), 0);
	check_eq(sync_at(21, 1, ASYNC), 0);
	expect_return(&pager, 4, 1, true, true, 9);
	check_eq(sync_at(22, 2, ASYNC), 0);
	heard("r");
	check_eq(release_pages(&pager, 6, 1), 0);
	teardown();
}

TEST(sync, V27_shadows_are_not_the_pagers)
{
	struct machvm_map *child;

	setup(4);
	check_eq(map_pager(map, &pager, 8, 4, 0, true), 0);
	check_eq(store(map, 8, 9), 0);
	check_eq(store(map, 1, 9), 0);
	check_eq(sync_at(8, 4, SYNC | INVALIDATE | CONTIGUOUS), 0);
	child = map_fork(map);
	require(child);
	check_eq(store(child, 0, 7), 0);
	check_eq(machvm_vm_msync(child, AT(0), PAGES(4), SYNC | INVALIDATE), 0);
	check_eq(served, 0);
	check_eq(load(child, 0), 7);
	check_eq(load(map, 8), 9);
	heard("");
	map_end(child);
	teardown();
}

TEST(sync, V27_who_may_not_write_loses_nothing)
{
	setup(4);
	check_eq(map_pager(map, &pager, 8, 4, 0, false), 0);
	check_eq(set_maximum_at(map, 8, 4, MACHVM_PROT_READ), 0);
	check_eq(store(map, 1, 9), 0);
	check_eq(sync_at(8, 1, INVALIDATE), 0);
	check_eq(resident(), 3);
	check_eq(served, 0);
	check_eq(sync_at(8, 4, INVALIDATE), 0);
	check_eq(resident(), 0);
	check_eq(served, 1);
	check_eq(supply(&pager, 1, 5, false), 0);
	check_eq(store(map, 1, 9), 0);
	check_eq(sync_at(0, 4, INVALIDATE), 0);
	check_eq(served, 1);
	check_eq(resident(), 0);
	teardown();
}

TEST(sync, V27_an_absent_pager)
{
	setup(4);
	check_eq(store(map, 1, 9), 0);
	pager_close(&pager);
	check_eq(sync_at(0, 4, SYNC), MACHVM_KERN_MEMORY_ERROR);
	check_eq(sync_at(0, 5, ASYNC | CONTIGUOUS), MACHVM_KERN_MEMORY_ERROR);
	check_eq(sync_at(0, 4, INVALIDATE), MACHVM_KERN_MEMORY_ERROR);
	check_eq(sync_at(0, 4, 0), 0);
	check_eq(load(map, 1), 9);
	teardown();
}

static void pager_dies(void *arg)
{
	pager_close(&pager);
	mock_sents_forget();
	fake_world = NULL;
}

/* The object's pager has it so; who syncs has not asked for it. */
TEST(sync, P16_V27_what_is_synchronized_is_invalidated)
{
	struct machvm_attributes want = {
		.set = MACHVM_ATTRIBUTE_INVALIDATE, .behavior = MACHVM_ATTRIBUTE_INVALIDATE,
	};

	setup(4);
	check_eq(store(map, 1, 9), 0);
	check_eq(sync_at(0, 4, SYNC), 0);
	check_eq(resident(), 4);
	check_eq(machvm_memobj_set_attributes(pager.memobj, &want), 0);
	check_eq(sync_at(0, 4, 0), 0);
	check_eq(resident(), 4);
	check_eq(store(map, 1, 10), 0);
	check_eq(sync_at(0, 2, SYNC), 0);
	check_eq(served, 2);
	check_eq(resident(), 2);
	check_eq(machvm_vm_object_sync(map, entry_at(map, 0)->object->id, PAGES(2), PAGES(2), false,
				       true), 0);
	check_eq(resident(), 0);
	teardown();
}

TEST(sync, V27_the_pager_dies_while_it_is_waited_for)
{
	setup(4);
	check_eq(store(map, 1, 9), 0);
	fake_world = pager_dies;
	check_eq(sync_at(0, 4, SYNC | INVALIDATE), MACHVM_KERN_MEMORY_ERROR);
	check_eq(load(map, 1), 9);
	teardown();
}

static void signal_comes(void *arg)
{
	fake_signal(true);
}

TEST(sync, V27_a_fatal_signal_ends_the_wait)
{
	setup(4);
	check_eq(store(map, 1, 9), 0);
	fake_world = signal_comes;
	check_eq(sync_at(0, 4, SYNC), -EINTR);
	check_eq(sync_at(0, 4, SYNC), -EINTR);
	fake_signal(false);
	expect_return(&pager, 1, 1, true, true, 9);
	heard("");
	teardown();
}

static void successor_comes(void *arg)
{
	pager_bind(&pager, 0);
	fake_world = pager_works;
}

static void pager_dies_and_is_succeeded(void *arg)
{
	pager_dies(NULL);
	fake_world = successor_comes;
}

static void nobody_comes(void *arg)
{
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ERROR, 0, 0);
	fake_world = NULL;
}

TEST(sync, V27_S2_51_a_successor_is_waited_for_and_goes_on)
{
	setup(4);
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	check_eq(store(map, 1, 9), 0);
	pager_close(&pager);
	check_eq(sync_at(0, 4, ASYNC), MACHVM_KERN_MEMORY_ERROR);
	fake_world = successor_comes;
	check_eq(sync_at(0, 4, SYNC), 0);
	check_eq(served, 1);
	/* What the one began the next ends. */
	check_eq(store(map, 1, 10), 0);
	fake_world = pager_dies_and_is_succeeded;
	check_eq(sync_at(0, 4, SYNC | INVALIDATE), 0);
	check_eq(served, 2);
	check_eq(resident(), 0);
	teardown();
}

TEST(sync, V27_S2_51_the_wait_for_a_successor_ends)
{
	setup(4);
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	check_eq(store(map, 1, 9), 0);
	pager_close(&pager);
	fake_world = nobody_comes;
	check_eq(sync_at(0, 4, SYNC), MACHVM_KERN_MEMORY_ERROR);
	machvm_absence_set(pager.memobj, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	fake_world = signal_comes;
	check_eq(sync_at(0, 4, SYNC), -EINTR);
	fake_signal(false);
	check_eq(load(map, 1), 9);
	teardown();
}

TEST(sync, V27_killpages)
{
	struct machvm_map *child;

	setup(2);
	check_eq(allocate_at(map, 8, 4), 0);
	check_eq(store(map, 8, 8), 0);
	check_eq(store(map, 9, 9), 0);
	check_eq(store(map, 10, 10), 0);
	check_eq(pageout_at(map, 9, 1), 1);
	check_eq(sync_at(9, 1, KILL | SYNC), 0);
	check_eq(mock_stored, 0);
	check_eq(load(map, 8), 8);
	check_eq(load(map, 9), 0);
	check_eq(load(map, 10), 10);
	check_eq(sync_at(0, 2, KILL), 0);
	check_eq(resident(), 2);
	child = map_fork(map);
	require(child);
	check_eq(sync_at(8, 4, KILL), 0);
	check_eq(load(map, 8), 8);
	check_eq(load(child, 8), 8);
	map_end(child);
	check_eq(set_maximum_at(map, 10, 1, MACHVM_PROT_READ), 0);
	check_eq(sync_at(10, 1, KILL), 0);
	check_eq(load(map, 10), 10);
	check_eq(sync_at(7, 1, KILL | CONTIGUOUS), MACHVM_KERN_INVALID_ADDRESS);
	heard("");
	teardown();
}

TEST(sync, V27_deactivate)
{
	u64 page;

	setup(2);
	check_eq(allocate_at(map, 8, 1024), 0);
	for (page = 8; page < 1032; page += 8)
		check_eq(store(map, page, 9), 0);
	check_eq(sync_at(0, 1031, MACHVM_SYNC_DEACTIVATE), 0);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_TMP], 128);
	check_eq(load(map, 8), 9);
	check_eq(store(map, 1024, 10), 0);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_TMP], 126);
	check_eq(mock_stats[MACHVM_STAT_REACTIVATIONS], 2);
	heard("");
	teardown();
}

TEST(sync, V28_an_object_by_its_number)
{
	u64 id, other;

	setup(4);
	check_eq(allocate_at(map, 8, 1), 0);
	check_eq(store(map, 8, 8), 0);
	id = pager.memobj->id;
	other = entry_at(map, 8)->object->id;
	check_eq(store(map, 1, 9), 0);
#define TRY(map, id, page, nr, flush, write_back)                                           \
	machvm_vm_object_sync(map, id, PAGES(page), PAGES(nr), flush, write_back)
	check_eq(TRY(map, id + 1000, 0, 4, false, true), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(TRY(map, id, 1, -1, false, true), 0);
	check_eq(served, 1);
	check_eq(TRY(map, id, 2, -1, false, true), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(TRY(map, other, 0, 1, true, false), 0);
	check_eq(load(map, 8), 8);
	check_eq(TRY(map, id, 0, 4, false, false), 0);
	check_eq(store(map, 1, 9), 0);
	check_eq(TRY(NULL, id, 0, 4, true, false), 0);	/* no region of the caller's own */
	check_eq(served, 2);
	check_eq(resident(), 0);
	check_eq(supply(&pager, 1, 5, false), 0);
	check_eq(store(map, 1, 9), 0);
	check_eq(TRY(map, id, 0, 4, true, false), 0);
	check_eq(served, 2);
	check_eq(resident(), 0);
	pager_close(&pager);
	check_eq(TRY(map, id, 0, 4, false, true), MACHVM_KERN_MEMORY_ERROR);
#undef TRY
	teardown();
}

/* Races: in whatever order, nothing is lost and nobody is left asleep. */

static int kr_sync, kr_other;

static void one_page(void)
{
	setup(2);
	check_eq(store(map, 1, 9), 0);
}

static void does_sync(void)
{
	kr_sync = sync_at(0, 2, SYNC);
}

static void does_write(void)
{
	kr_other = store(map, 1, 10);
}

static void after_write(void)
{
	check_eq(kr_sync, 0);
	check_eq(kr_other, 0);
	check(served == 1);
	check_eq(load(map, 1), 10);
	/* Written before it was cleaned, or since: then the pager is to get it again. */
	check_eq(sync_at(0, 2, SYNC), 0);
	check(served == 1 || served == 2);
	check_eq(load(map, 1), 10);
	check(!machvm_page_test(pte_at(map, 1)->folio, MACHVM_PAGE_DIRTY));
	teardown();
}

TEST(sync, V27_a_write_races_with_a_sync)
{
	race(&(struct race){ one_page, does_sync, does_write, after_write });
}

static void does_unmap(void)
{
	kr_other = deallocate_at(map, 0, 2);
}

static void after_unmap(void)
{
	check(!kr_sync && !kr_other);
	teardown();
}

TEST(sync, V27_an_unmap_races_with_a_sync)
{
	race(&(struct race){ one_page, does_sync, does_unmap, after_unmap });
}
