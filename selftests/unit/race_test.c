// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_test.c - two things at once, in every order in which they can take turns.
 *
 * Each test says what must hold whichever comes first; the end of it takes everything down, which
 * finds what was lost or freed twice.
 */
#include "mock.h"
#include "fake/thread.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

static struct machvm_map *one, *two;
static struct pager file;
static int kr_a, kr_b;

static void two_maps(void)
{
	one = map_new_of(16);
	two = map_new_of(16);
}

static void end_maps(void)
{
	if (one)
		map_check(one);
	if (two)
		map_check(two);
	objects_check();
	if (one)
		map_end(one);
	if (two)
		map_end(two);
	one = two = NULL;
}

/* An object of 8 pages in which page n holds n, shared by both maps; all resident. */
static void shared_file(void)
{
	int i;

	two_maps();
	pager_new(&file);
	pager_bind(&file, 0);
	check_eq(map_pager(one, &file, 0, 8, 0, false), 0);
	check_eq(map_pager(two, &file, 0, 8, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	for (i = 0; i < 8; i++)
		check_eq(supply(&file, i, i, false), 0);
	mock_sents_forget();
}

/* Takes the maps down and everything back that is returned.  What page @page then held. */
static int end_file(u64 page)
{
	int found = -1;
	u64 i;

	end_maps();
	while (file.binding && file.memobj->state == MACHVM_MEMOBJ_RETURNING) {
		struct mock_sent sent = *mock_last_sent();

		for (i = 0; i < sent.length >> PAGE_SHIFT; i++) {
			u64 offset = sent.offset + PAGES(i);
			struct folio *folio = machvm_memobj_returned(file.memobj, offset);

			if (check(folio) && offset == PAGES(page))
				found = ((u8 *)folio_address(folio))[page];
			if (folio)
				folio_put(folio);
		}
		check_eq(machvm_memobj_release(file.memobj, sent.offset, sent.length, NULL), 0);
	}
	pager_end(&file);
	mock_sents_forget();
	return found;
}

/* One map forked from another, both on one page. */
static void parent_and_child(void)
{
	one = map_new_of(16);
	check_eq(allocate_at(one, 0, 4), 0);
	check_eq(store(one, 0, 1), 0);
	check_eq(store(one, 1, 2), 0);
	two = map_fork(one);
	require(two);
}

static void store_one(void)
{
	kr_a = store(one, 0, 10);
}

static void store_two(void)
{
	kr_b = store(two, 0, 20);
}

static void load_one(void)
{
	kr_a = load(one, 0);
}

static void after_stores_of_both(void)
{
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(load(one, 0), 10);
	check_eq(load(two, 0), 20);
	check_eq(load(one, 1), 2);
	check_eq(load(two, 1), 2);
	end_maps();
}

TEST(race, parent_and_child_write_the_same_page)
{
	race(&(struct race){ parent_and_child, store_one, store_two, after_stores_of_both });
}

static void end_two(void)
{
	map_end(two);
	two = NULL;
}

static void after_store_and_exit(void)
{
	check_eq(kr_a, 0);
	check_eq(load(one, 0), 10);
	end_maps();
}

TEST(race, one_writes_while_the_other_ends)
{
	race(&(struct race){ parent_and_child, store_one, end_two, after_store_and_exit });
}

static void load_both_pages(void)
{
	kr_a = load(one, 0);
	check_eq(load(one, 1), 2);
}

static void after_load_and_exit(void)
{
	check_eq(kr_a, 1);
	check_eq(store(one, 0, 10), 0);
	check_eq(load(one, 1), 2);
	end_maps();
}

/* Both have a level of their own: the end of one merges what is below into the other. */
static void parent_and_child_with_levels(void)
{
	parent_and_child();
	check_eq(store(two, 0, 5), 0);
	check_eq(store(one, 2, 6), 0);
	machvm_pmap_zap(one, AT(0), AT(4));
}

TEST(race, S2_35_a_reader_meets_a_merge)
{
	race(&(struct race){ parent_and_child_with_levels, load_both_pages, end_two,
			     after_load_and_exit });
}

TEST(race, S2_35_a_writer_meets_a_merge)
{
	race(&(struct race){ parent_and_child_with_levels, store_one, end_two,
			     after_store_and_exit });
}

/* The parent has overwritten all of it, while the child still needs what is below. */
static void parent_hides_all(void)
{
	int i;

	parent_and_child();
	for (i = 0; i < 4; i++)
		check_eq(store(one, i, i + 6), 0);
	machvm_pmap_zap(one, AT(0), AT(4));
}

/* A write of the child makes the parent let go, and then writes in place. */
static void store_two_pages(void)
{
	kr_b = store(two, 0, 20) ?: store(two, 1, 21);
}

static void after_letting_go(void)
{
	check_eq(kr_b, 0);
	check(!kr_a || kr_a == 6);
	check_eq(load(one, 0), kr_a ?: 10);
	check_eq(load(one, 1), 7);
	check_eq(load(one, 3), 9);
	check_eq(load(two, 0), 20);
	check_eq(load(two, 1), 21);
	check_eq(load(two, 2), 0);
	end_maps();
}

TEST(race, C11_a_reader_meets_a_bypass)
{
	race(&(struct race){ parent_hides_all, load_one, store_two_pages, after_letting_go });
}

TEST(race, C11_a_writer_meets_a_bypass)
{
	race(&(struct race){ parent_hides_all, store_one, store_two_pages, after_letting_go });
}

static struct machvm_map *three;

/* Two levels: that of the parent hides that of the middle, and shows what is below. */
static void parent_hides_the_middle(void)
{
	parent_and_child();
	check_eq(store(one, 0, 6), 0);
	three = map_fork(one);
	require(three);
	check_eq(store(one, 0, 8), 0);
	machvm_pmap_zap(one, AT(0), AT(4));
}

static void store_three(void)
{
	kr_b = store(three, 2, 30);
}

static void load_through(void)
{
	kr_a = load(one, 1);
}

static void store_through(void)
{
	kr_a = store(one, 1, 40);
}

static void after_passing(void)
{
	check_eq(kr_b, 0);
	check(!kr_a || kr_a == 2);
	check_eq(load(one, 0), 8);
	check_eq(load(one, 1), kr_a ?: 40);
	check_eq(load(two, 0), 1);
	check_eq(load(two, 1), 2);
	check_eq(load(three, 0), 6);
	check_eq(load(three, 1), 2);
	check_eq(load(three, 2), 30);
	objects_check();
	map_end(three);
	end_maps();
}

TEST(race, C11_a_reader_through_two_levels_meets_a_bypass)
{
	race(&(struct race){ parent_hides_the_middle, load_through, store_three, after_passing });
}

TEST(race, C11_a_writer_through_two_levels_meets_a_bypass)
{
	race(&(struct race){ parent_hides_the_middle, store_through, store_three, after_passing });
}

static void end_two_and_three(void)
{
	kr_b = 0;
	map_end(three);
	end_two();
}

static void after_two_are_gone(void)
{
	check_eq(load(one, 0), 8);
	check_eq(load(one, 1), kr_a ?: 40);
	check_eq(load(one, 2), 0);
	end_maps();
}

TEST(race, C11_a_writer_meets_the_end_of_two_levels)
{
	race(&(struct race){ parent_hides_the_middle, store_through, end_two_and_three,
			     after_two_are_gone });
}

static void end_one(void)
{
	map_end(one);
	one = NULL;
}

TEST(race, parent_and_child_end_at_once)
{
	race(&(struct race){ parent_and_child_with_levels, end_one, end_two, end_maps });
}

static void private_page(void)
{
	one = map_new_of(16);
	two = NULL;
	check_eq(allocate_at(one, 0, 4), 0);
	check_eq(store(one, 0, 1), 0);
}

static void fork_one(void)
{
	two = map_fork(one);
	require(two);
}

static void after_store_and_fork(void)
{
	int seen = load(two, 0);

	check(seen == 1 || seen == 10);
	check_eq(store(one, 0, 30), 0);
	check_eq(load(two, 0), seen);
	end_maps();
}

TEST(race, a_write_meets_a_fork)
{
	race(&(struct race){ private_page, store_one, fork_one, after_store_and_fork });
}

static void fresh_page(void)
{
	one = two = map_new_of(16);
	check_eq(allocate_at(one, 0, 4), 0);
}

static void store_neighbour(void)
{
	kr_b = store(one, 1, 20);
}

static void after_first_touches(void)
{
	two = NULL;
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(load(one, 0), 10);
	check_eq(load(one, 1), 20);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 1);
	check_eq(mock_user.pages, 2);
	end_maps();
}

TEST(race, two_threads_touch_fresh_memory)
{
	race(&(struct race){ fresh_page, store_one, store_neighbour, after_first_touches });
}

static void store_same(void)
{
	kr_b = cpu_store(one, AT(0) + 100, 20);
}

static void after_same_page(void)
{
	u8 value = 0;

	two = NULL;
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(load(one, 0), 10);
	check_eq(cpu_load(one, AT(0) + 100, &value), 0);
	check_eq(value, 20);
	check_eq(mock_user.pages, 1);
	end_maps();
}

TEST(race, two_threads_write_the_same_fresh_page)
{
	race(&(struct race){ fresh_page, store_one, store_same, after_same_page });
}

static void deallocate_one(void)
{
	kr_b = deallocate_at(one, 0, 1);
}

static void after_deallocation(void)
{
	check(!kr_a || kr_a == MACHVM_KERN_INVALID_ADDRESS);
	check_eq(kr_b, 0);
	check_eq(load(one, 0), FAILED(MACHVM_KERN_INVALID_ADDRESS));
	check_eq(allocate_at(one, 0, 1), 0);
	check_eq(load(one, 0), 0);
	end_maps();
}

TEST(race, a_write_meets_a_deallocation)
{
	race(&(struct race){ private_page, store_one, deallocate_one, after_deallocation });
}

static void replace_one(void)
{
	kr_b = deallocate_at(one, 0, 1) ?: allocate_at(one, 0, 1);
}

static void after_replacement(void)
{
	check(kr_a == 1 || kr_a == 0 || kr_a == FAILED(MACHVM_KERN_INVALID_ADDRESS));
	check_eq(kr_b, 0);
	check_eq(load(one, 0), 0);
	end_maps();
}

static void forget_translation(void)
{
	private_page();
	machvm_pmap_zap(one, AT(0), AT(4));
}

TEST(race, S2_5_replaced_memory_is_zero)
{
	race(&(struct race){ forget_translation, load_one, replace_one, after_replacement });
}

static void protect_one(void)
{
	kr_b = protect_at(one, 0, 1, MACHVM_PROT_READ);
}

static void after_protection(void)
{
	check(!kr_a || kr_a == MACHVM_KERN_PROTECTION_FAILURE);
	check_eq(kr_b, 0);
	check(!pte_at(one, 0)->write);
	check_eq(load(one, 0), kr_a ? 1 : 10);
	check_eq(store(one, 0, 50), MACHVM_KERN_PROTECTION_FAILURE);
	end_maps();
}

TEST(race, a_write_meets_a_protection)
{
	race(&(struct race){ forget_translation, store_one, protect_one, after_protection });
}

static void read_only_translation(void)
{
	forget_translation();
	check_eq(load(one, 0), 1);
}

TEST(race, an_upgrade_meets_a_protection)
{
	race(&(struct race){ read_only_translation, store_one, protect_one, after_protection });
}

TEST(race, an_upgrade_meets_a_deallocation)
{
	race(&(struct race){ read_only_translation, store_one, deallocate_one,
			     after_deallocation });
}

TEST(race, an_upgrade_meets_a_fork)
{
	race(&(struct race){ read_only_translation, store_one, fork_one, after_store_and_fork });
}

/* Sharers and delayed copies */

static void copy_to_two(void)
{
	kr_b = map_pager(two, &file, 8, 8, 0, true);
}

static void store_shared(void)
{
	kr_a = store(one, 3, 30);
}

static void after_copy(void)
{
	int seen = cpu_load(two, AT(11) + 3, &(u8){ 0 });
	u8 value = 0;

	check_eq(seen, 0);
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check(value == 3 || value == 30);
	seen = value;
	check_eq(store(one, 3, 31), 0);
	check_eq(store(two, 3, 32), 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check_eq(value, seen);
	/* Both map the file itself at 3. */
	check_eq(end_file(3), 32);
}

TEST(race, S2_29_a_write_meets_a_delayed_copy)
{
	race(&(struct race){ shared_file, store_shared, copy_to_two, after_copy });
}

static void file_read_mapped(void)
{
	shared_file();
	check_eq(load(one, 3), 3);
}

TEST(race, S2_29_an_upgrade_meets_a_delayed_copy)
{
	race(&(struct race){ file_read_mapped, store_shared, copy_to_two, after_copy });
}

static void file_and_copy(void)
{
	shared_file();
	check_eq(map_pager(two, &file, 8, 8, 0, true), 0);
}

/* Two pages of the object are mapped, all are there. */
static void file_mapped_in_part(void)
{
	int i;

	two_maps();
	pager_new(&file);
	pager_bind(&file, 0);
	check_eq(map_pager(one, &file, 0, 2, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	for (i = 0; i < 8; i++)
		check_eq(supply(&file, i, i, false), 0);
	mock_sents_forget();
}

static void copy_all_to_two(void)
{
	kr_a = map_pager(two, &file, 0, 8, 0, true);
}

/* Pushes all that is mapped, and makes a newer copy. */
static void write_and_copy(void)
{
	kr_b = store(one, 0, 10) ?: store(one, 1, 11) ?: map_pager(one, &file, 8, 1, 0, true);
}

static void after_copies_of_two_sizes(void)
{
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(load(two, 5), 5);
	check_eq(load(two, 7), 7);
	end_file(0);
}

TEST(race, C11_a_copy_of_more_than_is_mapped_meets_a_newer_one)
{
	race(&(struct race){ file_mapped_in_part, copy_all_to_two, write_and_copy,
			     after_copies_of_two_sizes });
}

static void store_shared_too(void)
{
	kr_b = cpu_store(two, AT(3) + 100, 40);
}

static void after_two_pushes(void)
{
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check_eq(value, 3);
	check_eq(cpu_load(two, AT(11) + 100, &value), 0);
	check_eq(value, 3);
	check_eq(load(one, 3), 30);
	check_eq(cpu_load(one, AT(3) + 100, &value), 0);
	check_eq(value, 40);
	check_eq(end_file(3), 30);
}

TEST(race, two_sharers_push_the_same_page)
{
	race(&(struct race){ file_and_copy, store_shared, store_shared_too, after_two_pushes });
}

static void load_copy(void)
{
	u8 value = 0;

	kr_b = cpu_load(two, AT(11) + 3, &value);
	check_eq(kr_b, 0);
	check_eq(value, 3);
}

static void store_copy(void)
{
	kr_b = cpu_store(two, AT(11) + 100, 40);
	check_eq(kr_b, 0);
}

static void after_push(void)
{
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check_eq(value, 3);
	check_eq(load(one, 3), 30);
	check_eq(cpu_load(one, AT(3) + 100, &value), 0);
	check_eq(value, 3);
	check_eq(end_file(3), 30);
}

TEST(race, a_push_meets_a_reader_of_the_copy)
{
	race(&(struct race){ file_and_copy, store_shared, load_copy, after_push });
}

TEST(race, a_push_meets_a_writer_of_the_copy)
{
	race(&(struct race){ file_and_copy, store_shared, store_copy, after_push });
}

static void unmap_copy(void)
{
	kr_b = deallocate_at(two, 8, 8);
}

static void after_unmapped_copy(void)
{
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(load(one, 3), 30);
	check_eq(end_file(3), 30);
}

TEST(race, a_push_meets_the_end_of_the_copy)
{
	race(&(struct race){ file_and_copy, store_shared, unmap_copy, after_unmapped_copy });
}

static void copy_to_one(void)
{
	kr_a = map_pager(one, &file, 8, 8, 0, true);
}

static void after_two_copies(void)
{
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(store(one, 3, 30), 0);
	check_eq(cpu_load(one, AT(11) + 3, &value), 0);
	check_eq(value, 3);
	if (entry_at(two, 8)) {
		check_eq(cpu_load(two, AT(11) + 3, &value), 0);
		check_eq(value, 3);
	}
	check_eq(end_file(3), 30);
}

TEST(race, two_delayed_copies_at_once)
{
	race(&(struct race){ shared_file, copy_to_one, copy_to_two, after_two_copies });
}

TEST(race, a_new_copy_meets_the_end_of_the_older)
{
	race(&(struct race){ file_and_copy, copy_to_one, unmap_copy, after_two_copies });
}

static void pushed_copy(void)
{
	file_and_copy();
	check_eq(store(two, 5, 9), 0);
}

TEST(race, a_new_copy_meets_the_end_of_an_older_one_with_pages)
{
	race(&(struct race){ pushed_copy, copy_to_one, unmap_copy, after_two_copies });
}

/* The life of a memory object */

/* The only mapping, with a page that was written. */
static void dirty_file(void)
{
	shared_file();
	map_end(two);
	two = map_new_of(16);
	check_eq(store(one, 3, 30), 0);
}

static void unmap_one(void)
{
	kr_a = deallocate_at(one, 0, 8);
}

static void map_to_two(void)
{
	kr_b = map_pager(two, &file, 0, 8, 0, false);
}

/* Either the new mapping found the old pages, or these are on their way to the pager first. */
static void after_unmap_and_map(void)
{
	int last;
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	if (mock_nr_sent) {
		struct mock_sent sent = mock_sents[0];
		struct folio *folio;

		check_eq(sent.type, MACHVM_MSG_DATA_RETURN);
		folio = machvm_memobj_returned(file.memobj, PAGES(3));
		require(folio);
		check_eq(((u8 *)folio_address(folio))[3], 30);
		folio_put(folio);
		check_eq(machvm_memobj_release(file.memobj, sent.offset, sent.length, NULL), 0);
		check_eq(mock_sent_of(MACHVM_MSG_TERMINATE), 1);
		check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
		check_eq(mock_last_sent()->type, MACHVM_MSG_INIT);
		check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
		check_eq(supply(&file, 3, 30, false), 0);
	}
	check_eq(cpu_load(two, AT(3) + 3, &value), 0);
	check_eq(value, 30);
	check_eq(store(two, 3, 31), 0);
	mock_sents_forget();
	last = end_file(3);
	check_eq(last, 31);
}

TEST(race, S2_48_the_last_unmap_meets_a_new_mapping)
{
	race(&(struct race){ dirty_file, unmap_one, map_to_two, after_unmap_and_map });
}

static void close_pager(void)
{
	pager_close(&file);
}

static void after_close(void)
{
	check(!machvm_memobj_returned(file.memobj, PAGES(3)));
	end_file(3);
}

TEST(race, the_last_unmap_meets_the_end_of_the_pager)
{
	race(&(struct race){ dirty_file, unmap_one, close_pager, after_close });
}

static void die(void)
{
	machvm_memobj_die(file.memobj);
}

TEST(race, the_last_unmap_meets_the_death_of_the_object)
{
	race(&(struct race){ dirty_file, unmap_one, die, after_close });
}

static void returning_file(void)
{
	dirty_file();
	check_eq(deallocate_at(one, 0, 8), 0);
}

static void release(void)
{
	kr_a = machvm_memobj_release(file.memobj, PAGES(3), PAGE_SIZE, NULL);
	check(!kr_a || kr_a == MACHVM_KERN_INVALID_ADDRESS);
}

TEST(race, a_release_meets_the_end_of_the_pager)
{
	race(&(struct race){ returning_file, release, close_pager, after_close });
}

static void after_release_and_map(void)
{
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(mock_sent_of(MACHVM_MSG_TERMINATE), 1);
	check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
	check_eq(mock_last_sent()->type, MACHVM_MSG_INIT);
	end_file(3);
}

TEST(race, a_release_meets_a_new_mapping)
{
	race(&(struct race){ returning_file, release, map_to_two, after_release_and_map });
}

/* A file that is mapped but has no page yet. */
static void empty_file(void)
{
	two_maps();
	pager_new(&file);
	pager_bind(&file, 1);
	check_eq(map_pager(one, &file, 0, 8, 0, false), 0);
	check_eq(map_pager(two, &file, 0, 8, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
}

static void load_page_3(void)
{
	kr_a = load(one, 3);
}

static void load_page_3_too(void)
{
	kr_b = load(two, 3);
}

static void answer(void *arg)
{
	if (mock_nr_sent)
		check_eq(supply(&file, 3, 3, false), 0);
}

static void empty_file_with_pager(void)
{
	empty_file();
	fake_world = answer;
}

static void after_two_loads(void)
{
	check_eq(kr_a, 3);
	check_eq(kr_b, 3);
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 1);
	end_file(3);
}

TEST(race, S2_41_two_readers_ask_once)
{
	race(&(struct race){ empty_file_with_pager, load_page_3, load_page_3_too,
			     after_two_loads });
}

static void supply_3(void)
{
	kr_b = supply(&file, 3, 3, false);
}

static void after_load_and_supply(void)
{
	check_eq(kr_a, 3);
	check_eq(kr_b, 0);
	end_file(3);
}

TEST(race, a_reader_meets_a_supply)
{
	race(&(struct race){ empty_file_with_pager, load_page_3, supply_3,
			     after_load_and_supply });
}

static void after_load_and_end(void)
{
	check(kr_a == 3 || kr_a == FAILED(MACHVM_KERN_MEMORY_ERROR));
	end_file(3);
}

TEST(race, a_reader_meets_the_end_of_the_pager)
{
	race(&(struct race){ empty_file, load_page_3, close_pager, after_load_and_end });
}

TEST(race, a_reader_meets_the_death_of_the_object)
{
	race(&(struct race){ empty_file, load_page_3, die, after_load_and_end });
}

static void unmap_both(void)
{
	kr_b = deallocate_at(one, 0, 8) ?: deallocate_at(two, 0, 8);
}

static void arrived_in_order(void)
{
	unsigned int i;

	for (i = 1; i < mock_nr_sent; i++)
		check_eq(mock_sents[i].sequence, mock_sents[i - 1].sequence + 1);
}

/* K12: no question comes after terminate. */
static void after_load_and_unmap(void)
{
	arrived_in_order();
	check_eq(mock_last_sent()->type, MACHVM_MSG_TERMINATE);
	check(kr_a == 3 || kr_a == FAILED(MACHVM_KERN_INVALID_ADDRESS));
	end_file(3);
}

TEST(race, a_reader_meets_the_unmapping_of_all)
{
	race(&(struct race){ empty_file, load_page_3, unmap_both, after_load_and_unmap });
}

static void asked_file(void)
{
	struct machvm_request *request;

	empty_file();
	request = ask(entry_at(one, 3)->object, 3);
	require(request);
	machvm_request_put(request);
}

static void supply_3_first(void)
{
	kr_a = supply(&file, 3, 3, false);
}

static void error_3(void)
{
	kr_b = machvm_memobj_error(file.memobj, PAGES(3), PAGE_SIZE, 5);
}

static void unavailable_3(void)
{
	kr_b = machvm_memobj_unavailable(file.memobj, PAGES(3), PAGE_SIZE);
}

static void after_answers(void)
{
	check(!kr_a || kr_a == MACHVM_KERN_MEMORY_PRESENT || kr_a == MACHVM_KERN_MEMORY_ERROR);
	check_eq(file.memobj->port->nr_queued, 0);
	check_eq(file.memobj->port->nr_sent, 0);
	check_eq(file.binding ? file.binding->in_flight : 0, 0);
	end_file(3);
}

TEST(race, two_supplies_of_one_page)
{
	race(&(struct race){ asked_file, supply_3_first, supply_3, after_answers });
}

TEST(race, a_supply_meets_an_error)
{
	race(&(struct race){ asked_file, supply_3_first, error_3, after_answers });
}

TEST(race, a_supply_meets_unavailable)
{
	race(&(struct race){ asked_file, supply_3_first, unavailable_3, after_answers });
}

static void after_supply_and_unmap(void)
{
	check(!kr_a || kr_a == MACHVM_KERN_MEMORY_PRESENT || kr_a == MACHVM_KERN_MEMORY_ERROR);
	end_file(3);
}

TEST(race, a_supply_meets_the_unmapping_of_all)
{
	race(&(struct race){ asked_file, supply_3_first, unmap_both, after_supply_and_unmap });
}

TEST(race, a_supply_meets_the_end_of_the_pager)
{
	race(&(struct race){ asked_file, supply_3_first, close_pager, after_answers });
}

static void mapped_unready(void)
{
	two_maps();
	pager_new(&file);
	pager_bind(&file, 1);
	check_eq(map_pager(one, &file, 0, 8, 0, false), 0);
	check_eq(map_pager(two, &file, 0, 8, 0, false), 0);
}

static void ready(void)
{
	kr_a = machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY);
	machvm_port_pump(file.memobj->port);
}

static void after_ready(void)
{
	end_file(3);
}

TEST(race, ready_meets_the_end_of_the_pager)
{
	race(&(struct race){ mapped_unready, ready, close_pager, after_ready });
}

TEST(race, ready_meets_the_unmapping_of_all)
{
	race(&(struct race){ mapped_unready, ready, unmap_both, after_ready });
}

static void ask_3(void)
{
	struct machvm_request *request;

	if (!entry_at(two, 3))
		return;
	request = ask(entry_at(two, 3)->object, 3);
	if (request)
		machvm_request_put(request);
}

static void after_ready_and_ask(void)
{
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 1);
	end_file(3);
}

TEST(race, ready_meets_a_question)
{
	race(&(struct race){ mapped_unready, ready, ask_3, after_ready_and_ask });
}

static void two_objects(void)
{
	empty_file();
}

static struct pager second;

static void unbound_second(void)
{
	two_objects();
	pager_new(&second);
	check_eq(map_pager(two, &second, 8, 4, 0, false), 0);
}

static void join_second(void)
{
	struct machvm_port *port = file.memobj->port;

	kr_a = machvm_memobj_join(second.memobj, port);
	check_eq(kr_a, 0);
	spin_lock(&port->lock);
	machvm_memobj_bound_locked(second.memobj);
	spin_unlock(&port->lock);
	machvm_port_pump(port);
}

static void ask_second(void)
{
	struct machvm_request *request = ask(entry_at(two, 8)->object, 0);

	require(request);
	kr_b = machvm_request_done(request) ? request->result : 0;
	machvm_request_put(request);
}

static void after_join(void)
{
	check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
	check(!kr_b || kr_b == MACHVM_KERN_MEMORY_ERROR);
	check_eq(deallocate_at(two, 8, 4), 0);
	machvm_memobj_die(second.memobj);
	end_file(3);
	machvm_memobj_put(second.memobj);
}

TEST(race, joining_a_port_meets_a_question)
{
	race(&(struct race){ unbound_second, join_second, ask_second, after_join });
}

/* K12: messages arrive in the order of their numbers, whoever sends them. */

static void wide_file(void)
{
	empty_file();
	file.binding->window = 8;
}

static void ask_page(u64 index)
{
	struct machvm_request *request = ask(entry_at(one, 0)->object, index);

	require(request);
	machvm_request_put(request);
}

static void ask_0_and_1(void)
{
	ask_page(0);
	ask_page(1);
}

static void ask_2_and_4(void)
{
	ask_page(2);
	ask_page(4);
}

static void after_questions(void)
{
	arrived_in_order();
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 4);
	check_eq(file.memobj->port->nr_queued, 0);
	end_file(3);
}

TEST(race, K12_a_question_does_not_overtake_another)
{
	race(&(struct race){ wide_file, ask_0_and_1, ask_2_and_4, after_questions });
}
