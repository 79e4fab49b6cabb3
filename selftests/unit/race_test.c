// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_test.c - two things at once, in every order in which they can take turns.
 *
 * Each test says what must hold whichever comes first; the end of it takes everything down, which
 * finds what was lost or freed twice.
 */
#include "race.h"

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
