// SPDX-License-Identifier: GPL-2.0-only
/* reclaim_test.c - limits that page out instead of failing. */
#include "mock.h"

static struct machvm_map *new_map(u64 pages)
{
	struct machvm_map *map = map_new_of(pages);

	check_eq(allocate_at(map, 0, pages), 0);
	mock_store_room = true;
	return map;
}

static void write_and_verify(struct machvm_map *map, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++)
		check_eq(store(map, i, i % 251), 0);
	for (i = 0; i < nr; i++)
		check_eq(load(map, i), i % 251);
}

TEST(reclaim, K13_more_than_the_limit)
{
	struct machvm_map *map = new_map(1000);

	mock_user.page_limit = 100;
	write_and_verify(map, 1000);
	check(mock_user.pages <= 100);
	check(mock_stored >= 900);
	objects_check();
	map_end(map);
}

/* A cgroup is not filled up and then emptied: part of it is never ours. */
TEST(reclaim, K13_part_of_a_cgroup_is_left_free)
{
	struct machvm_map *map = new_map(1000);

	mock_cgroup_share = 100;
	write_and_verify(map, 1000);
	check(mock_user.pages <= 100);
	check(mock_stored >= 900);
	objects_check();
	map_end(map);
}

TEST(reclaim, one_page_is_enough_for_a_program)
{
	struct machvm_map *map = new_map(20);

	mock_user.page_limit = 1;
	write_and_verify(map, 20);
	map_end(map);
}

TEST(reclaim, a_copy_on_write_needs_two)
{
	struct machvm_map *map = new_map(20), *child;
	u64 i;

	mock_user.page_limit = 2;
	write_and_verify(map, 20);
	child = map_fork(map);
	require(child);
	for (i = 0; i < 20; i++)
		check_eq(store(child, i, 100 + i), 0);
	for (i = 0; i < 20; i++) {
		check_eq(load(map, i), i);
		check_eq(load(child, i), 100 + i);
	}
	map_end(map);
	map_end(child);
}

TEST(reclaim, without_room_the_limit_fails)
{
	struct machvm_map *map = new_map(20);
	u64 i;

	mock_store_room = false;
	mock_user.page_limit = 10;
	for (i = 0; i < 10; i++)
		check_eq(store(map, i, i), 0);
	check_eq(store(map, 10, 1), MACHVM_KERN_RESOURCE_SHORTAGE);
	check_eq(mock_stored, 0);
	map_end(map);
}

/* Twice round: what was used in between stays. */
TEST(reclaim, K15_a_page_that_is_used_gets_another_turn)
{
	struct machvm_pageout which = { .second_chance = true };
	struct machvm_map *map = new_map(6);
	struct machvm_object *object;
	u64 index;

	write_and_verify(map, 6);
	object = entry_at(map, 0)->object;
	for (index = 0; index < 6;)
		check_eq(machvm_object_pageout(object, &index, 5, &which), 0);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_TMP], 6);
	check(!pte_at(map, 3)->folio);
	check_eq(load(map, 3), 3);
	check(!pte_at(map, 2)->folio);		/* not mapped along with its neighbour */
	check_eq(mock_stats[MACHVM_STAT_REACTIVATIONS], 1);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_TMP], 5);
	index = 0;
	check_eq(machvm_object_pageout(object, &index, 5, &which), 5);
	check_eq(mock_stored, 5);
	check_eq(atomic_long_read(&object->resident), 1);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_TMP], 1);	/* the one, and its turn begins */
	write_and_verify(map, 6);
	map_end(map);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_TMP], 0);
}

TEST(reclaim, nobody_elses_pages_go_for_a_limit_of_ones_own)
{
	struct machvm_user other = {
		.refs = REFCOUNT_INIT(1), .page_limit = LONG_MAX, .object_limit = LONG_MAX,
	};
	struct machvm_object *theirs = machvm_object_create(&other, NULL);
	struct machvm_map *map = new_map(40);
	long mine;
	u64 i;

	require(theirs);
	for (i = 0; i < 10; i++)
		fill(theirs, i, 1);
	mock_user.page_limit = 5;
	write_and_verify(map, 40);
	check_eq(atomic_long_read(&theirs->resident), 10);
	mine = mock_user.pages;
	check_eq(machvm_reclaim(&mock_user, -ENOMEM), mine);
	check_eq(atomic_long_read(&theirs->resident), 10);
	/* But for one of all they do. */
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 10);
	machvm_object_put(theirs);
	map_end(map);
	check_eq(refcount_read(&other.refs), 1);
}

TEST(reclaim, V22_wired_pages_stay)
{
	struct machvm_map *map = new_map(10);

	mock_user.page_limit = 10;
	write_and_verify(map, 10);
	down_write(&map->lock);
	machvm_entry_set_wire(machvm_map_lookup_locked(map, AT(0)), MACHVM_PROT_READ);
	up_write(&map->lock);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	check(pte_at(map, 4)->folio);
	map_end(map);
}

TEST(reclaim, failing_allocations_on_the_way_lose_nothing)
{
	unsigned int nth;

	for (nth = 1; nth < 60; nth++) {
		struct machvm_map *map = new_map(30);
		u64 i;

		mock_user.page_limit = 20;
		for (i = 0; i < 20; i++)
			check_eq(store(map, i, i), 0);
		fail_nth(nth);
		for (i = 20; i < 30; i++)
			store(map, i, i);
		fail_end();
		for (i = 0; i < 20; i++)
			check_eq(load(map, i), i);
		objects_check();
		map_end(map);
	}
}
