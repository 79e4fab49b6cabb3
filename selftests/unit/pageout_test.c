// SPDX-License-Identifier: GPL-2.0-only
/* pageout_test.c - pages that go to the store, and what else becomes of them there. */
#include "mock.h"
#include "fake/thread.h"

static struct machvm_map *some_pages(u64 nr)
{
	struct machvm_map *map = map_new_of(64);
	u64 i;

	check_eq(allocate_at(map, 0, nr), 0);
	for (i = 0; i < nr; i++)
		check_eq(store(map, i, i + 1), 0);
	return map;
}

static void check_pages(struct machvm_map *map, u64 first, u64 nr)
{
	u64 i;

	for (i = first; i < first + nr; i++)
		check_eq(load(map, i), i + 1);
}

static struct machvm_object *object_at(struct machvm_map *map, u64 page)
{
	return entry_at(map, page)->object;
}

TEST(pageout, a_page_goes_and_comes_back)
{
	struct machvm_map *map = some_pages(40);

	check_eq(pageout_at(map, 0, 40), 40);
	check_eq(mock_stored, 40);
	check_eq(mock_user.pages, 0);
	check_eq(mock_stats[MACHVM_STAT_PAGEOUTS], 40);
	check_eq(mock_stats[MACHVM_STAT_PAGED_OUT], 40);
	check_eq(atomic_long_read(&object_at(map, 0)->resident), 0);
	check_eq(pageout_at(map, 0, 40), 0);
	check_pages(map, 0, 3);
	check_eq(mock_stored, 37);
	check_eq(mock_stats[MACHVM_STAT_PAGEINS], 3);
	check_eq(mock_store_reads, 3);
	check_eq(store(map, 3, 77), 0);
	check_eq(pageout_at(map, 0, 40), 4);
	check_eq(load(map, 3), 77);
	check_pages(map, 4, 36);
	check_eq(mock_stored, 3);
	check_pages(map, 0, 3);
	check_eq(mock_stored, 0);
	objects_check();
	map_end(map);
}

TEST(pageout, no_translation_stays)
{
	struct machvm_map *map = some_pages(3);

	mock_zaps_forget();
	check_eq(pageout_at(map, 1, 1), 1);
	check(!pte_at(map, 1)->folio);
	check(pte_at(map, 0)->folio && pte_at(map, 2)->folio);
	check_pages(map, 0, 3);
	map_end(map);
}

TEST(pageout, neighbours_go_with_one_zap)
{
	struct machvm_map *map = some_pages(8);

	mock_zaps_forget();
	check_eq(pageout_at(map, 0, 8), 8);
	check_eq(mock_nr_zaps, 1);
	map_end(map);
}

TEST(pageout, a_page_that_somebody_holds_stays)
{
	struct machvm_map *map = some_pages(3);
	struct folio *held = pte_at(map, 1)->folio;

	folio_get(held);
	check_eq(pageout_at(map, 0, 3), 2);
	check_eq(mock_stored, 2);
	memset(folio_address(held), 99, PAGE_SIZE);	/* as an I/O would */
	folio_put(held);
	check_eq(load(map, 1), 99);
	check_eq(pageout_at(map, 0, 3), 1);
	check_eq(load(map, 1), 99);
	check_eq(load(map, 2), 3);
	map_end(map);
}

TEST(pageout, V22_a_wired_page_stays)
{
	struct machvm_map *map = some_pages(3), *child;

	down_write(&map->lock);
	machvm_entry_set_wire(machvm_map_lookup_locked(map, AT(0)), MACHVM_PROT_READ);
	up_write(&map->lock);
	check_eq(machvm_vm_inherit(map, AT(0), 3 * PAGE_SIZE, MACHVM_INHERIT_SHARE), 0);
	child = map_fork(map);
	require(child);
	check_eq(pageout_at(map, 0, 3), 0);
	check_eq(pageout_at(child, 0, 3), 0);	/* shown by a wired region, though not by this */
	map_end(map);
	check_eq(pageout_at(child, 0, 3), 3);
	check_pages(child, 0, 3);
	map_end(child);
}

TEST(pageout, the_futex_identity_stays)
{
	struct machvm_map *map = some_pages(2);
	pgoff_t index = pte_at(map, 1)->folio->index;

	check_eq(pageout_at(map, 0, 2), 2);
	check_eq(load(map, 1), 2);
	check_eq(pte_at(map, 1)->folio->index, index);
	map_end(map);
}

TEST(pageout, places_end_with_what_they_are_for)
{
	struct machvm_map *map = some_pages(12);

	check_eq(pageout_at(map, 0, 12), 12);
	check_eq(deallocate_at(map, 0, 4), 0);
	check_eq(mock_stored, 8);
	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(load(map, 0), 0);
	check_eq(load(map, 4), 5);
	map_end(map);
	check_eq(mock_stored, 0);
}

TEST(pageout, S2_26_a_page_out_belongs_to_both_sides_of_a_fork)
{
	struct machvm_map *map = some_pages(4), *child;

	check_eq(pageout_at(map, 0, 4), 4);
	child = map_fork(map);
	require(child);
	check_eq(store(map, 0, 50), 0);
	check_eq(load(child, 0), 1);
	check_eq(store(child, 1, 60), 0);
	check_eq(load(map, 1), 2);
	check_eq(pageout_at(map, 0, 4) + pageout_at(child, 0, 4), 4);
	check_eq(load(child, 0), 1);
	check_eq(load(map, 0), 50);
	check_eq(load(child, 1), 60);
	check_eq(load(map, 1), 2);
	map_end(map);
	check_pages(child, 2, 2);
	check_eq(load(child, 0), 1);
	objects_check();
	map_end(child);
}

TEST(pageout, an_upper_page_that_is_out_hides_the_lower_one)
{
	struct machvm_map *map = some_pages(2), *child = map_fork(map);

	require(child);
	check_eq(store(child, 0, 9), 0);
	check_eq(pageout_at(child, 0, 1), 2);
	check_eq(load(map, 0), 1);
	check_eq(load(child, 0), 9);
	check_eq(pageout_at(child, 0, 1), 2);
	check_eq(store(child, 0, 10), 0);
	check_eq(load(map, 0), 1);
	map_end(child);
	map_end(map);
}

/* The chain of shadows is as short as it would be, and no place is left over. */
TEST(pageout, S2_35_pages_out_do_not_block_a_merge)
{
	struct machvm_map *map = some_pages(4), *child;
	struct machvm_region region;
	unsigned int round;

	for (round = 0; round < 50; round++) {
		child = map_fork(map);
		require(child);
		check_eq(store(child, 2, 200), 0);
		check_eq(store(map, 1, round), 0);
		pageout_at(round % 2 ? map : child, 0, 4);
		map_end(child);
		check_eq(machvm_vm_region(map, AT(0), &region), 0);
		check(region.depth <= 1);
		check(mock_stored <= 4);
		objects_check();
	}
	check_eq(load(map, 0), 1);
	check_eq(load(map, 1), 49);
	check_eq(load(map, 2), 3);
	check_eq(load(map, 3), 4);
	map_end(map);
}

/* load() looks at another byte on each page. */
static int first_byte(struct machvm_map *map, u64 page)
{
	u8 value;
	int kr = cpu_load(map, AT(page), &value);

	return kr ? FAILED(kr) : value;
}

TEST(pageout, S2_30_a_copy_whose_pages_are_out_is_not_used_again)
{
	struct machvm_map *map = map_new_of(64);
	struct pager pager;
	int i;

	pager_new(&pager);
	pager_bind(&pager, 0);
	check_eq(map_pager(map, &pager, 0, 2, 0, false), 0);
	check_eq(machvm_memobj_ready(pager.memobj, false, MACHVM_COPY_DELAY), 0);
	for (i = 0; i < 2; i++)
		check_eq(supply(&pager, i, i + 1, false), 0);
	check_eq(map_pager(map, &pager, 10, 2, 0, true), 0);
	check_eq(store(map, 0, 70), 0);		/* pushes */
	check_eq(pageout_at(map, 10, 2), 1);
	check_eq(store(map, 0, 71), 0);		/* must not push again */
	check_eq(map_pager(map, &pager, 20, 2, 0, true), 0);
	check_eq(first_byte(map, 20), 71);
	check_eq(store(map, 0, 72), 0);
	check_eq(first_byte(map, 20), 71);
	check_eq(first_byte(map, 10), 1);
	check_eq(first_byte(map, 20), 71);
	check_eq(pageout_at(map, 0, 2), 0);	/* the pager's pages are not ours */
	objects_check();
	map_end(map);
	check_eq(mock_stored, 0);
	pager_end(&pager);
}

TEST(pageout, without_memory_pages_stay)
{
	struct machvm_map *map = some_pages(20);
	unsigned int nth, out;

	for (nth = 1; nth <= 20; nth++) {
		fail_nth(nth);
		out = pageout_at(map, 0, 20);
		check(fail_end());
		/* The rest of a run is left; where not one page can go, all. */
		check_eq(out, nth % 16 == 1 ? nth - 1 : 20);
		check_pages(map, 0, 20);
	}
	map_end(map);
}

TEST(pageout, a_page_that_cannot_be_read_fails_the_fault_alone)
{
	struct machvm_map *map = some_pages(2);

	check_eq(pageout_at(map, 0, 2), 2);
	mock_store_fail(-EIO);
	check_eq(load(map, 0), FAILED(MACHVM_KERN_MEMORY_ERROR));
	mock_store_fail(-ENOMEM);
	check(load(map, 0) < 0);
	check_pages(map, 0, 2);
	map_end(map);
}

TEST(pageout, ranges)
{
	struct machvm_map *map = some_pages(4);
	u64 pages;

	check_eq(machvm_vm_pageout(map, AT(1) + 100, 1, &pages), 0);
	check_eq(pages, 1);
	check_eq(machvm_vm_pageout(map, AT(1) + 100, 0, &pages), 0);
	check_eq(pages, 0);
	check_eq(machvm_vm_pageout(map, AT(0), U64_MAX, &pages), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_pageout(map, 0, AT(3) + 1, &pages), 0);
	check_eq(pages, 3);
	check_pages(map, 0, 4);
	map_end(map);
}

/* Two things at once, in every order in which they can take turns. */

static struct machvm_map *one, *two;
static int kr_one, kr_two;

static void fork_of_two_pages(void)
{
	one = some_pages(2);
	two = map_fork(one);
	require(two);
	check_eq(store(two, 1, 20), 0);
}

static void forked_and_out(void)
{
	fork_of_two_pages();
	check_eq(pageout_at(two, 0, 2), 3);
}

static void pageout_two(void)
{
	pageout_at(two, 0, 2);
}

static void load_one(void)
{
	kr_one = load(one, 0);
}

static void load_two(void)
{
	kr_two = load(two, 0);
}

static void store_one(void)
{
	kr_one = store(one, 0, 10) ?: 1;
}

static void end_one(void)
{
	kr_one = 1;
	map_end(one);
	one = NULL;
}

static void after(void)
{
	check_eq(kr_one, 1);
	check_eq(load(two, 0), 1);
	check_eq(load(two, 1), 20);
	check(!one || load(one, 1) == 2);
	objects_check();
	if (one)
		map_end(one);
	map_end(two);
}

TEST(pageout, a_reader_meets_a_pageout)
{
	race(&(struct race){ fork_of_two_pages, load_one, pageout_two, after });
}

TEST(pageout, a_writer_meets_a_pageout)
{
	race(&(struct race){ fork_of_two_pages, store_one, pageout_two, after });
}

TEST(pageout, a_merge_meets_a_pageout)
{
	race(&(struct race){ fork_of_two_pages, end_one, pageout_two, after });
}

TEST(pageout, two_readers_of_one_page_that_is_out)
{
	race(&(struct race){ forked_and_out, load_one, load_two, after });
}

TEST(pageout, a_reader_meets_a_merge_of_pages_that_are_out)
{
	race(&(struct race){ forked_and_out, end_one, load_two, after });
}

static void store_two(void)
{
	kr_two = store(two, 1, 20);
}

TEST(pageout, a_writer_meets_a_merge_of_pages_that_are_out)
{
	race(&(struct race){ forked_and_out, end_one, store_two, after });
}

static void pageout_one(void)
{
	kr_one = 1;
	pageout_at(one, 0, 2);
}

TEST(pageout, two_pageouts_of_the_same_pages)
{
	race(&(struct race){ fork_of_two_pages, pageout_one, pageout_two, after });
}
