// SPDX-License-Identifier: GPL-2.0-only
/* collapse_test.c - chains of shadows stay short while those who share them live on. */
#include "mock.h"

#define NR 8

static unsigned int depth_at(struct machvm_map *map, u64 page)
{
	struct machvm_region region;

	check_eq(machvm_vm_region(map, AT(page), &region), 0);
	return region.depth;
}

static void store_all(struct machvm_map *map, u64 first, u64 nr, u8 value)
{
	u64 page;

	for (page = first; page < first + nr; page++)
		check_eq(cpu_store(map, AT(page), value), 0);
}

/* Fails unless the first byte of each page is that. */
#define check_all(map, first, nr, expected)                                       \
	do {                                                                      \
		u8 value = 0;                                                     \
		u64 page;                                                         \
		for (page = (first); page < (u64)(first) + (nr); page++) {        \
			check_eq(cpu_load(map, AT(page), &value), 0);             \
			check_eq(value, expected);                                \
		}                                                                 \
	} while (0)

static struct machvm_map *some_pages(u64 nr)
{
	struct machvm_map *map = map_new_of(64);

	check_eq(allocate_at(map, 0, nr), 0);
	store_all(map, 0, nr, 1);
	return map;
}

static struct machvm_map *fork_of(struct machvm_map *map)
{
	struct machvm_map *child = map_fork(map);

	require(child);
	return child;
}

/* Each generation is kept, and the parent overwrites all that they share. */
TEST(collapse, C11_generations_that_live_do_not_make_a_chain)
{
	struct machvm_map *parent = some_pages(NR), *children[20];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		children[i] = fork_of(parent);
		store_all(parent, 0, NR, i + 2);
		check(depth_at(parent, 0) <= 1);
	}
	objects_check();
	for (i = 0; i < 20; i++) {
		check(depth_at(children[i], 0) <= 1);
		check_all(children[i], 0, NR, i + 1);
		map_end(children[i]);
	}
	check_all(parent, 0, NR, 21);
	check(mock_stats[MACHVM_STAT_BYPASSES] > 0);
	map_end(parent);
}

/* The same, but that it never overwrites the last page, which all of them show. */
TEST(collapse, C11_what_the_level_below_hides_is_not_needed_of_the_next)
{
	struct machvm_map *parent = some_pages(NR), *children[20];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		children[i] = fork_of(parent);
		store_all(parent, i % 2, NR - 2, i + 2);
		store_all(parent, (i + 1) % 2, NR - 2, i + 2);
		check(depth_at(parent, 0) <= 2);
	}
	objects_check();
	for (i = 0; i < 20; i++) {
		check(depth_at(children[i], 0) <= 2);
		check_all(children[i], 0, NR - 1, i + 1);
		check_all(children[i], NR - 1, 1, 1);
		map_end(children[i]);
	}
	map_end(parent);
}

/* Children come and go, while an older one that has overwritten everything lives on. */
TEST(collapse, C11_a_child_that_lives_on_costs_nothing)
{
	struct machvm_map *parent = some_pages(NR), *older = fork_of(parent), *child;
	long pages = 0, objects = 0;
	unsigned int i;

	store_all(older, 0, NR, 99);
	for (i = 0; i < 200; i++) {
		child = fork_of(parent);
		store_all(child, 0, i % NR + 1, 50);
		if (i % 2)
			store_all(parent, i % NR, 1, 1);
		map_end(child);
		store_all(parent, 0, NR / 2, 1);
		check(depth_at(parent, 0) <= 2);
		if (i == 10) {
			pages = mock_user.pages;
			objects = mock_stats[MACHVM_STAT_OBJECTS];
		}
	}
	check_eq(mock_user.pages, pages);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], objects);
	check_eq(pages, 2 * NR);
	check_eq(depth_at(older, 0), 0);
	check_all(older, 0, NR, 99);
	check_all(parent, 0, NR, 1);
	map_end(older);
	map_end(parent);
}

/* Whoever is left alone writes in place. */
TEST(collapse, C11_the_last_who_needs_it_has_it)
{
	struct machvm_map *parent = some_pages(NR), *child = fork_of(parent);

	store_all(child, 0, NR, 2);
	store_all(parent, 0, NR, 3);
	check_eq(mock_user.pages, 2 * NR);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 2);
	check_eq(depth_at(child, 0), 0);
	check_all(child, 0, NR, 2);
	map_end(parent);
	map_end(child);
}

/* A copy of a part: what lies outside of it, before and behind, holds nobody up. */
TEST(collapse, C11_pages_outside_the_window_do_not_matter)
{
	struct machvm_map *map = some_pages(NR), *child;

	check_eq(allocate_at(map, 20, 2), 0);
	check_eq(machvm_vm_copy(map, AT(3), PAGES(2), AT(20)), 0);
	child = fork_of(map);
	store_all(map, 0, 3, 4);		/* a level with pages outside of the window */
	store_all(map, 20, 2, 5);
	check_eq(depth_at(map, 20), 1);
	map_end(child);
	child = fork_of(map);
	store_all(map, 20, 1, 6);
	check(depth_at(map, 20) <= 1);
	check_all(child, 20, 2, 5);
	check_all(map, 20, 1, 6);
	check_all(map, 21, 1, 5);
	check_all(map, 0, 3, 4);
	check_all(map, 3, NR - 3, 1);
	map_end(child);
	map_end(map);
}

/* When the rest of an object that is shown in part has gone, so have its pages. */
TEST(collapse, C10_what_the_window_does_not_show_is_freed)
{
	struct machvm_map *map = some_pages(NR);

	check_eq(allocate_at(map, 20, 2), 0);
	check_eq(machvm_vm_copy(map, AT(3), PAGES(2), AT(20)), 0);
	store_all(map, 20, 1, 5);
	check_eq(deallocate_at(map, 0, NR), 0);
	check_eq(mock_user.pages, 2);
	check_all(map, 20, 1, 5);
	check_all(map, 21, 1, 1);
	map_end(map);
}

/* Pages that are out hide, and are hidden, as those that are in. */
TEST(collapse, C11_paged_out_or_not_is_the_same)
{
	struct machvm_map *parent = some_pages(NR), *children[6];
	unsigned int i;

	for (i = 0; i < 6; i++) {
		children[i] = fork_of(parent);
		store_all(parent, 0, NR - (i % 2), i + 2);
		if (i % 3)
			pageout_at(parent, 0, NR / 2 * (i % 3));
		check(depth_at(parent, 0) <= 2);
	}
	for (i = 0; i < 6; i++) {
		check_all(children[i], 0, NR - 1, i + 1);
		check_all(children[i], NR - 1, 1, i ? (i + 1) / 2 * 2 : 1);
		map_end(children[i]);
	}
	objects_check();
	map_end(parent);
	check_eq(mock_stored, 0);
}

/*
 * An object is known to hide the first page of the one below, but not all of them.  Then that one
 * gets another, of what was below it: what was known no longer holds.
 */
TEST(collapse, C11_a_level_that_got_more_pages_is_looked_at_again)
{
	struct machvm_map *parent = map_new_of(64), *q, *r;

	check_eq(allocate_at(parent, 0, 4), 0);
	store_all(parent, 1, 1, 1);
	q = fork_of(parent);
	store_all(parent, 0, 1, 2);
	store_all(parent, 2, 1, 2);
	r = fork_of(parent);
	store_all(parent, 0, 1, 3);
	store_all(r, 3, 1, 4);			/* looks whether the parent needs the level below */
	map_end(q);				/* page 1 moves up */
	store_all(parent, 2, 1, 3);
	store_all(r, 0, 1, 4);
	map_end(r);
	check_all(parent, 1, 1, 1);
	check_all(parent, 0, 1, 3);
	check_all(parent, 2, 1, 3);
	check_all(parent, 3, 1, 0);
	map_end(parent);
}

/* Delayed copies */

static struct pager file;
static unsigned int served;

/* A pager that answers at once, with pages full of ones. */
static void world(void *arg)
{
	while (served < mock_nr_sent) {
		struct mock_sent sent = mock_sents[served++];

		if (sent.type == MACHVM_MSG_DATA_REQUEST)
			check_eq(supply(&file, sent.offset >> PAGE_SHIFT, 1, false), 0);
		else if (sent.type == MACHVM_MSG_DATA_RETURN)
			check_eq(machvm_memobj_release(file.memobj, sent.offset, sent.length,
						       NULL), 0);
	}
}

static struct machvm_map *map_of_file(u64 nr)
{
	struct machvm_map *map = map_new_of(64);

	pager_new(&file);
	pager_bind(&file, 0);
	served = 0;
	fake_world = world;
	check_eq(map_pager(map, &file, 0, nr, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	return map;
}

static void end_file(struct machvm_map *map)
{
	map_end(map);
	world(NULL);
	pager_end(&file);
	mock_sents_forget();
}

/* A page of zeroes that comes in below, where nothing had to be hidden, is looked at as well. */
TEST(collapse, C11_zeroes_that_come_in_below_are_not_passed)
{
	struct machvm_map *parent = map_new_of(64), *child;

	check_eq(allocate_at(parent, 0, NR), 0);
	store_all(parent, NR - 1, 1, 1);
	child = fork_of(parent);
	store_all(child, 0, 1, 2);
	map_end(fork_of(parent));	/* finds that the last page shows, and none before it */
	check_all(parent, 2, 1, 0);
	check_all(child, 2, 1, 0);	/* shows the parent's */
	store_all(child, NR - 1, 1, 2);
	store_all(parent, 2, 1, 3);
	check_all(child, 2, 1, 0);
	check_all(parent, 2, 1, 3);
	map_end(child);
	map_end(parent);
}

/* Copies that live, while the memory is written again and again: only a few pages of it. */
TEST(collapse, C11_delayed_copies_do_not_make_a_chain)
{
	struct machvm_map *map = map_of_file(NR), *copies[20];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		copies[i] = map_new_of(64);
		check_eq(map_pager(copies[i], &file, 0, NR, 0, true), 0);
		store_all(map, 0, 3, i + 2);
	}
	objects_check();
	for (i = 0; i < 20; i++) {
		check(depth_at(copies[i], 0) <= 3);
		check_all(copies[i], 0, 3, i + 1);
	}
	store_all(map, 5, 1, 77);
	for (i = 0; i < 20; i++) {
		check_all(copies[i], 3, NR - 3, 1);
		map_end(copies[i]);
	}
	end_file(map);
}

/* One that has everything needs no source, and its source does not push for it any more. */
TEST(collapse, C11_a_private_copy_that_is_complete_lets_go_of_the_file)
{
	struct machvm_map *map = map_of_file(NR), *copy = map_new_of(64), *child;

	check_eq(map_pager(copy, &file, 0, NR, 0, true), 0);
	store_all(copy, 0, NR, 5);
	check_eq(depth_at(copy, 0), 2);
	child = fork_of(copy);
	store_all(copy, 0, 1, 6);
	check_eq(depth_at(copy, 0), 1);
	check_eq(depth_at(child, 0), 0);
	check(!entry_at(map, 0)->object->copy);
	store_all(map, 0, NR, 7);
	check_all(child, 0, NR, 5);
	check_all(copy, 1, NR - 1, 5);
	map_end(child);
	map_end(copy);
	end_file(map);
}

/* The copy is empty as yet, but what its source is going to push must come through it. */
TEST(collapse, C11_an_empty_delayed_copy_is_not_passed)
{
	struct machvm_map *map = map_of_file(NR), *copy = map_new_of(64), *child;

	check_eq(map_pager(copy, &file, 0, NR, 0, true), 0);
	store_all(copy, 0, 1, 5);
	child = fork_of(copy);
	store_all(copy, 1, 1, 6);
	store_all(child, 2, 1, 7);
	store_all(map, 0, NR, 9);
	check_all(copy, 0, 1, 5);
	check_all(copy, 2, NR - 2, 1);
	check_all(child, 3, NR - 3, 1);
	map_end(child);
	map_end(copy);
	end_file(map);
}

/*
 * A copy of more than was mapped so far: to have all of the pages that were does not make it
 * complete.
 */
TEST(collapse, C11_a_copy_can_show_more_than_its_source_did)
{
	struct machvm_map *map = map_of_file(2), *copy = map_new_of(64), *other = map_new_of(64);

	check_eq(map_pager(copy, &file, 0, NR, 0, true), 0);
	store_all(map, 0, 2, 5);
	check_eq(map_pager(other, &file, 0, 1, 0, true), 0);
	check_all(copy, 0, NR, 1);
	check_all(other, 0, 1, 5);
	map_end(copy);
	map_end(other);
	end_file(map);
}
