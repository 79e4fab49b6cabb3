// SPDX-License-Identifier: GPL-2.0-only
/* object_test.c - references, shadows, symmetric and delayed copies: who sees which write. */
#include "mock.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

/* A pager that answers at once: every page holds the number of the page. */
static unsigned int served;

static void serve(struct pager *pager)
{
	while (served < mock_nr_sent) {
		struct mock_sent sent = mock_sents[served++];
		u64 page;

		if (sent.object != pager->memobj->id)
			continue;
		switch (sent.type) {
		case MACHVM_MSG_INIT:
			check_eq(machvm_memobj_ready(pager->memobj, false, MACHVM_COPY_DELAY), 0);
			machvm_port_pump(pager->memobj->port);
			break;
		case MACHVM_MSG_DATA_REQUEST:
			check_eq(supply(pager, sent.offset >> PAGE_SHIFT, sent.offset >> PAGE_SHIFT,
					false), 0);
			break;
		case MACHVM_MSG_DATA_RETURN:
			for (page = 0; page < sent.length; page += PAGE_SIZE)
				check_eq(machvm_memobj_release(pager->memobj, sent.offset + page,
							       PAGE_SIZE, NULL), 0);
			break;
		}
	}
}

static void world(void *arg)
{
	serve(arg);
}

static void file_new(struct pager *pager)
{
	pager_new(pager);
	pager_bind(pager, 0);
	fake_world = world;
	fake_world_arg = pager;
}

static void file_end(struct pager *pager)
{
	serve(pager);
	pager_end(pager);
	mock_sents_forget();
}

TEST(object, references_and_numbers)
{
	struct machvm_object *a = machvm_object_create(&mock_user, NULL), *b, *found;

	require(a);
	b = machvm_object_create(&mock_user, NULL);
	require(b);
	check(b->id > a->id && a->id > 0);
	check(machvm_object_get(a) == a);
	check(machvm_object_tryget(a));
	check_eq(refcount_read(&a->refs), 3);
	machvm_object_put_shared(a);
	machvm_object_put(a);
	found = machvm_object_first(0);
	check(found == a);
	machvm_object_put(found);
	found = machvm_object_first(a->id + 1);
	check(found == b);
	machvm_object_put(found);
	check(!machvm_object_first(b->id + 1));
	machvm_object_put(a);
	found = machvm_object_first(0);
	check(found == b);
	machvm_object_put(found);
	machvm_object_put(b);
	check(!machvm_object_first(0));
}

TEST(object, an_end_frees_pages_and_everything_below)
{
	struct machvm_map *map = map_new(), *child;

	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(store(map, 0, 1), 0);
	child = map_fork(map);
	require(child);
	check_eq(store(map, 0, 2), 0);
	check_eq(store(child, 0, 3), 0);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 3);
	check_eq(mock_user.pages, 3);
	objects_check();
	map_end(map);
	check(mock_user.pages <= 2);
	check_eq(load(child, 0), 3);
	map_end(child);
	check_eq(mock_user.pages, 0);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 0);
}

TEST(object, creation_survives_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_object *object, *kin = NULL;

		fail_nth(n);
		object = machvm_object_create(&mock_user, NULL);
		if (object)
			kin = machvm_object_create_kin(object, &mock_user);
		check(fail_end() || kin);
		if (kin) {
			check(kin->family == object->family);
			check_eq(refcount_read(&kin->family->refs), 2);
			machvm_object_put(kin);
		}
		if (object)
			machvm_object_put(object);
		check(!machvm_object_first(0));
	}
}

/* Symmetric copies: fork of private memory */

TEST(object, S2_26_neither_side_of_a_fork_sees_the_other)
{
	struct machvm_map *parent = map_new(), *child;

	check_eq(allocate_at(parent, 0, 4), 0);
	check_eq(store(parent, 0, 10), 0);
	check_eq(store(parent, 1, 11), 0);
	child = map_fork(parent);
	require(child);
	check_eq(store(parent, 0, 20), 0);
	check_eq(store(child, 1, 31), 0);
	check_eq(store(parent, 2, 22), 0);
	check_eq(load(child, 0), 10);
	check_eq(load(child, 1), 31);
	check_eq(load(child, 2), 0);
	check_eq(load(parent, 0), 20);
	check_eq(load(parent, 1), 11);
	check_eq(load(child, 3), 0);
	check_eq(store(child, 3, 33), 0);
	check_eq(load(parent, 3), 0);
	objects_check();
	map_end(parent);
	check_eq(load(child, 0), 10);
	check_eq(load(child, 1), 31);
	map_end(child);
}

TEST(object, fork_allocates_copies_and_asks_nothing)
{
	struct machvm_map *parent = map_new(), *child;
	long pages;
	int i;

	check_eq(allocate_at(parent, 0, 64), 0);
	for (i = 0; i < 64; i++)
		check_eq(store(parent, i, i), 0);
	pages = mock_user.pages;
	mock_zaps_forget();
	child = map_fork(parent);
	require(child);
	check_eq(mock_user.pages, pages);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 1);
	check(mock_zapped(parent, AT(0), AT(64)));
	for (i = 0; i < 64; i++)
		check_eq(load(child, i), i);
	check_eq(mock_user.pages, pages);
	map_end(child);
	map_end(parent);
}

TEST(object, the_last_user_writes_without_a_copy)
{
	struct machvm_map *parent = map_new(), *child;

	check_eq(allocate_at(parent, 0, 1), 0);
	check_eq(store(parent, 0, 1), 0);
	child = map_fork(parent);
	require(child);
	map_end(child);
	check_eq(store(parent, 0, 2), 0);
	check_eq(mock_user.pages, 1);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 1);
	check(!entry_at(parent, 0)->needs_copy);
	map_end(parent);
}

TEST(object, the_source_side_keeps_the_futex_identity)
{
	struct machvm_map *parent = map_new(), *child;
	pgoff_t key, parents, childs;

	check_eq(allocate_at(parent, 0, 8), 0);
	check_eq(protect_at(parent, 0, 2, MACHVM_PROT_READ), 0);
	check_eq(store(parent, 5, 1), 0);
	key = pte_at(parent, 5)->folio->index;
	child = map_fork(parent);
	require(child);
	check_eq(load(child, 5), 1);
	check_eq(store(child, 5, 2), 0);
	check_eq(store(parent, 5, 3), 0);
	parents = pte_at(parent, 5)->folio->index;
	childs = pte_at(child, 5)->folio->index;
	check_eq(parents, key);
	check(childs != key);
	map_end(child);
	map_end(parent);
}

TEST(object, clipped_and_forked_regions_keep_their_bytes)
{
	struct machvm_map *parent = map_new(), *child, *grandchild;
	int i;

	check_eq(allocate_at(parent, 0, 10), 0);
	for (i = 0; i < 10; i++)
		check_eq(store(parent, i, i + 1), 0);
	check_eq(deallocate_at(parent, 2, 3), 0);
	child = map_fork(parent);
	require(child);
	check_eq(protect_at(child, 7, 1, MACHVM_PROT_READ), 0);
	check_eq(store(child, 8, 80), 0);
	grandchild = map_fork(child);
	require(grandchild);
	check_eq(store(child, 9, 90), 0);
	check_eq(store(grandchild, 5, 50), 0);
	for (i = 5; i < 10; i++)
		check_eq(load(parent, i), i + 1);
	check_eq(load(child, 5), 6);
	check_eq(load(grandchild, 5), 50);
	check_eq(load(grandchild, 8), 80);
	check_eq(load(grandchild, 9), 10);
	check_eq(load(child, 3), FAILED(MACHVM_KERN_INVALID_ADDRESS));
	objects_check();
	map_end(child);
	check_eq(load(grandchild, 8), 80);
	map_end(parent);
	check_eq(load(grandchild, 9), 10);
	map_end(grandchild);
}

TEST(object, fork_and_write_survive_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_map *parent = map_new(), *child = NULL;
		int kr = 0;

		check_eq(allocate_at(parent, 0, 4), 0);
		check_eq(store(parent, 0, 1), 0);
		check_eq(store(parent, 3, 4), 0);
		check_eq(protect_at(parent, 2, 1, MACHVM_PROT_READ), 0);
		fail_nth(n);
		child = map_fork(parent);
		if (child)
			kr = store(child, 0, 2) ?: store(parent, 0, 3);
		check(fail_end() || (child && !kr));
		map_is(parent, "0+2 rw-/rwx 1; 2+1 r--/rwx 1; 3+1 rw-/rwx 1");
		if (child) {
			map_is(child, "0+2 rw-/rwx 1; 2+1 r--/rwx 1; 3+1 rw-/rwx 1");
			check(load(child, 0) == (kr ? load(child, 0) : 2));
			check_eq(load(child, 3), 4);
			map_end(child);
		}
		check(kr || !child || load(parent, 0) == 3);
		check_eq(load(parent, 3), 4);
		check_eq(store(parent, 3, 5), 0);
		objects_check();
		map_end(parent);
	}
}

static unsigned int depth_at(struct machvm_map *map, u64 page)
{
	struct machvm_region region;

	check_eq(machvm_vm_region(map, AT(page), &region), 0);
	return region.depth;
}

TEST(object, S2_35_a_chain_stays_short_when_children_come_and_go)
{
	struct machvm_map *parent = map_new(), *child;
	long pages = 0, objects = 0;
	int i;

	check_eq(allocate_at(parent, 0, 8), 0);
	for (i = 0; i < 8; i++)
		check_eq(store(parent, i, i), 0);
	for (i = 0; i < 200; i++) {
		child = map_fork(parent);
		require(child);
		check_eq(store(child, i % 8, 100), 0);
		if (i % 2)
			check_eq(store(parent, (i + 3) % 8, i), 0);
		map_end(child);
		check_eq(store(parent, i % 8, i), 0);
		check(depth_at(parent, 0) <= 2);
		if (i == 10) {
			pages = mock_user.pages;
			objects = mock_stats[MACHVM_STAT_OBJECTS];
		}
	}
	check_eq(mock_user.pages, pages);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], objects);
	objects_check();
	map_end(parent);
}

TEST(object, S2_35_a_child_that_outlives_its_parents_keeps_a_short_chain)
{
	struct machvm_map *map = map_new(), *child;
	int i;

	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(store(map, 0, 1), 0);
	check_eq(store(map, 3, 4), 0);
	for (i = 0; i < 100; i++) {
		child = map_fork(map);
		require(child);
		check_eq(store(child, 1, i), 0);
		map_end(map);
		map = child;
		check(depth_at(map, 0) <= 2);
	}
	check_eq(load(map, 0), 1);
	check_eq(load(map, 1), 99);
	check_eq(load(map, 3), 4);
	check(mock_user.pages <= 4);
	map_end(map);
}

TEST(object, a_merge_keeps_every_byte_while_allocations_fail)
{
	for_each_failure(n) {
		struct machvm_map *parent = map_new(), *child;
		int i;

		check_eq(allocate_at(parent, 0, 80), 0);
		for (i = 0; i < 80; i += 7)
			check_eq(store(parent, i, i + 1), 0);
		child = map_fork(parent);
		require(child);
		check_eq(store(child, 7, 99), 0);
		check_eq(store(parent, 14, 98), 0);
		fail_nth(n);
		map_end(parent);
		fail_end();
		for (i = 0; i < 80; i += 7)
			check_eq(load(child, i), i == 7 ? 99 : i + 1);
		objects_check();
		map_end(child);
	}
}

/* Delayed copies: what others go on writing to */

TEST(object, C14_sharers_see_one_another_at_once)
{
	struct machvm_map *a = map_new(), *b = map_new();
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(map_pager(b, &file, 8, 2, 2, false), 0);
	check(entry_at(a, 0)->object == entry_at(b, 8)->object);
	check_eq(load(a, 3), 3);
	check_eq(store(a, 3, 33), 0);
	check_eq(cpu_store(b, AT(8), 9), 0);
	check_eq(load(b, 9), 3);	/* the byte at 9 of a page that holds 3s */
	check_eq(store(b, 9, 44), 0);
	check_eq(cpu_load(a, AT(3) + 9, &(u8){ 0 }), 0);
	check_eq(mock_sent_of(MACHVM_MSG_INIT), 1);
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 2);
	map_end(a);
	map_end(b);
	file_end(&file);
}

TEST(object, S2_29_a_delayed_copy_sees_no_later_write)
{
	struct machvm_map *a = map_new(), *b = map_new();
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(load(a, 1), 1);
	check_eq(store(a, 1, 10), 0);
	check_eq(map_pager(b, &file, 0, 4, 0, true), 0);
	check_eq(load(b, 1), 10);
	check_eq(store(a, 1, 20), 0);
	check_eq(load(b, 1), 10);
	check_eq(store(b, 2, 99), 0);
	check_eq(load(a, 2), 2);
	check_eq(store(a, 3, 30), 0);
	check_eq(load(b, 3), 3);
	check_eq(load(a, 1), 20);
	objects_check();
	map_end(a);
	check_eq(load(b, 0), 0);
	check_eq(load(b, 1), 10);
	map_end(b);
	file_end(&file);
}

TEST(object, S2_30_delayed_copies_in_order_of_time)
{
	struct machvm_map *a = map_new(), *b = map_new(), *c = map_new();
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(map_pager(b, &file, 0, 4, 0, true), 0);
	check_eq(store(a, 1, 10), 0);
	check_eq(map_pager(c, &file, 0, 4, 0, true), 0);
	check_eq(store(a, 1, 20), 0);
	check_eq(store(a, 2, 21), 0);
	check_eq(load(b, 1), 1);
	check_eq(load(c, 1), 10);
	check_eq(load(a, 1), 20);
	check_eq(load(b, 2), 2);
	check_eq(load(c, 2), 2);
	objects_check();
	map_end(c);
	check_eq(store(a, 3, 22), 0);
	check_eq(load(b, 3), 3);
	map_end(b);
	map_end(a);
	file_end(&file);
}

TEST(object, S2_30_copies_without_a_write_between_are_one_object)
{
	struct machvm_map *a = map_new(), *b = map_new(), *c = map_new();
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(map_pager(b, &file, 0, 4, 0, true), 0);
	check_eq(map_pager(c, &file, 0, 4, 0, true), 0);
	check(entry_at(b, 0)->object == entry_at(c, 0)->object);
	check_eq(store(b, 1, 7), 0);
	check_eq(load(c, 1), 1);
	check_eq(store(a, 1, 10), 0);
	check_eq(load(c, 1), 1);
	map_end(a);
	map_end(b);
	map_end(c);
	file_end(&file);
}

/* A device writes to a page of the object while a copy of it is mapped. */
TEST(object, S2_29_a_copy_has_a_page_in_use_as_it_is_now)
{
	struct machvm_map *a = map_new(), *b = map_new();
	struct pager file;
	struct folio *used;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(store(a, 1, 10), 0);
	check_eq(store(a, 2, 11), 0);
	used = pte_at(a, 1)->folio;
	folio_get(used);
	check_eq(map_pager(b, &file, 0, 4, 0, true), 0);
	memset(folio_address(used), 12, PAGE_SIZE);
	check_eq(load(a, 1), 12);
	check_eq(load(b, 1), 10);
	check_eq(atomic_long_read(&entry_at(b, 0)->object->resident), 1);
	folio_put(used);
	map_end(b);
	map_end(a);
	file_end(&file);
}

TEST(object, S2_29_a_copy_without_memory_for_a_page_in_use)
{
	struct machvm_map *a = map_new(), *b = map_new();
	struct pager file;
	struct folio *used;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(store(a, 1, 10), 0);
	used = pte_at(a, 1)->folio;
	folio_get(used);
	for_each_failure(n) {
		int kr;

		fail_nth(n);
		kr = map_pager(b, &file, 0, 4, 0, true);
		check(fail_end() || !kr);
		if (kr)
			check_eq(kr, MACHVM_KERN_RESOURCE_SHORTAGE);
		else
			check_eq(load(b, 1), 10);
		check_eq(deallocate_at(b, 0, 4), 0);
		objects_check();
	}
	folio_put(used);
	map_end(b);
	map_end(a);
	file_end(&file);
}

/* Whichever object has them, each page once; only the region's own. */
TEST(object, V18_a_region_counts_what_it_shows)
{
	struct machvm_map *parent = map_new(), *child;
	struct machvm_region region;
	u64 i;

	check_eq(allocate_at(parent, 0, 8), 0);
	for (i = 0; i < 7; i++)
		check_eq(store(parent, i, i + 1), 0);
	child = map_fork(parent);
	require(child);
	for (i = 3; i < 8; i++)
		check_eq(store(child, i, i + 10), 0);
	check_eq(machvm_vm_region_count(child, AT(0), &region), 0);
	check_eq(region.resident, 8);
	check_eq(region.dirty, 8);
	check_eq(machvm_vm_region_count(parent, AT(0), &region), 0);
	check_eq(region.resident, 7);
	check_eq(deallocate_at(child, 0, 2), 0);
	check_eq(machvm_vm_region_count(child, AT(2), &region), 0);
	check_eq(region.resident, 6);
	map_end(child);
	map_end(parent);
}

/* The pushed page went with a part that was unmapped; the next copy is of a later time. */
TEST(object, a_copy_that_was_pushed_into_is_not_used_again)
{
	struct machvm_map *a = map_new(), *b = map_new(), *c = map_new();
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(map_pager(b, &file, 0, 4, 0, true), 0);
	check_eq(store(a, 1, 10), 0);
	check_eq(deallocate_at(b, 1, 1), 0);
	check_eq(map_pager(c, &file, 0, 4, 0, true), 0);
	check_eq(load(c, 1), 10);
	check_eq(store(a, 1, 20), 0);
	check_eq(load(c, 1), 10);
	map_end(a);
	map_end(b);
	map_end(c);
	file_end(&file);
}

TEST(object, S2_31_a_page_that_comes_after_the_copy_is_asked_for_once)
{
	struct machvm_map *a = map_new(), *b = map_new();
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(map_pager(b, &file, 0, 4, 0, true), 0);
	check_eq(load(b, 1), 1);
	check_eq(load(a, 1), 1);
	check_eq(load(a, 2), 2);
	check_eq(load(b, 2), 2);
	check_eq(store(a, 3, 9), 0);
	check_eq(load(b, 3), 3);
	check_eq(store(b, 0, 9), 0);
	check_eq(load(a, 0), 0);
	check_eq(mock_sent_of(MACHVM_MSG_DATA_REQUEST), 4);
	map_end(a);
	map_end(b);
	file_end(&file);
}

TEST(object, the_last_page_of_the_largest_object_is_copied_too)
{
	struct machvm_map *a = map_new(), *b = map_new();
	u64 last = U64_MAX >> PAGE_SHIFT;
	struct pager file;
	u8 value;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 1, last, false), 0);
	check_eq(cpu_store(a, AT(0), 10), 0);
	check_eq(map_pager(b, &file, 0, 1, last, true), 0);
	check_eq(cpu_store(a, AT(0), 20), 0);
	check_eq(cpu_load(b, AT(0), &value), 0);
	check_eq(value, 10);
	map_end(a);
	map_end(b);
	file_end(&file);
}

TEST(object, a_fork_of_a_shared_mapping_is_a_delayed_copy)
{
	struct machvm_map *a = map_new(), *b = map_new(), *child;
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(map_pager(b, &file, 0, 4, 0, false), 0);
	check_eq(store(a, 1, 10), 0);
	child = map_fork(a);
	require(child);
	check_eq(store(b, 1, 20), 0);
	check_eq(load(child, 1), 10);
	check_eq(load(a, 1), 20);
	check_eq(store(child, 2, 30), 0);
	check_eq(load(a, 2), 2);
	check_eq(store(a, 3, 40), 0);
	check_eq(load(b, 3), 40);
	check_eq(load(child, 3), 3);
	objects_check();
	map_end(a);
	map_end(b);
	map_end(child);
	file_end(&file);
}

TEST(object, forks_of_a_copy_push_to_all)
{
	struct machvm_map *a = map_new(), *b = map_new(), *child;
	struct pager file;

	file_new(&file);
	check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
	check_eq(map_pager(b, &file, 0, 4, 0, true), 0);
	child = map_fork(b);
	require(child);
	check_eq(load(b, 1), 1);
	check_eq(load(child, 1), 1);
	check_eq(store(child, 2, 50), 0);
	check_eq(store(a, 1, 10), 0);
	check_eq(load(b, 1), 1);
	check_eq(load(child, 1), 1);
	check_eq(store(a, 2, 60), 0);
	check_eq(load(child, 2), 50);
	check_eq(load(b, 2), 2);
	map_end(b);
	check_eq(store(a, 3, 70), 0);
	check_eq(load(child, 3), 3);
	map_end(a);
	map_end(child);
	file_end(&file);
}

TEST(object, delayed_copies_survive_failing_allocations)
{
	for_each_failure(n) {
		struct machvm_map *a = map_new(), *b = map_new();
		struct pager file;
		int kr, stored = 0;

		served = 0;
		file_new(&file);
		check_eq(map_pager(a, &file, 0, 4, 0, false), 0);
		check_eq(store(a, 1, 10), 0);
		fail_nth(n);
		kr = map_pager(b, &file, 0, 4, 0, true);
		if (!kr)
			stored = store(a, 1, 20);
		check(fail_end() || (!kr && !stored));
		map_is(b, kr ? "" : "0+4 rw-/rwx 1");
		check_eq(load(a, 1), kr || stored ? 10 : 20);
		if (!kr)
			check_eq(load(b, 1), 10);
		objects_check();
		map_end(a);
		map_end(b);
		file_end(&file);
	}
}

/* Growing and shrinking */

TEST(object, only_the_sole_user_lets_an_object_grow)
{
	struct machvm_object *object = machvm_object_create(&mock_user, NULL);

	fill(object, 5, 1);
	machvm_object_get(object);
	check(!machvm_object_extend(object, 4, 4));
	check_eq(atomic_long_read(&object->resident), 1);
	machvm_object_put_shared(object);
	check(machvm_object_extend(object, 4, 4));
	check_eq(atomic_long_read(&object->resident), 0);
	machvm_object_put(object);
}

TEST(object, pages_that_others_may_ask_for_are_not_released)
{
	struct machvm_map *map = map_new(), *child;
	int i;

	check_eq(allocate_at(map, 0, 4), 0);
	for (i = 0; i < 4; i++)
		check_eq(store(map, i, i + 1), 0);
	child = map_fork(map);
	require(child);
	check_eq(deallocate_at(map, 1, 2), 0);
	check_eq(load(child, 1), 2);
	check_eq(load(child, 2), 3);
	check_eq(store(child, 0, 9), 0);
	check_eq(deallocate_at(map, 0, 4), 0);
	check_eq(load(child, 3), 4);
	map_end(map);
	map_end(child);
}

TEST(object, limits_on_pages_fail_the_fault_and_nothing_else)
{
	struct machvm_map *map = map_new();

	check_eq(allocate_at(map, 0, 4), 0);
	check_eq(store(map, 0, 1), 0);
	mock_user.page_limit = 1;
	check_eq(store(map, 1, 1), MACHVM_KERN_RESOURCE_SHORTAGE);
	check_eq(load(map, 2), FAILED(MACHVM_KERN_RESOURCE_SHORTAGE));
	check_eq(store(map, 0, 2), 0);
	mock_user.page_limit = LONG_MAX;
	check_eq(store(map, 1, 1), 0);
	map_end(map);
}

TEST(object, zaps_reach_every_viewer_and_no_other_page)
{
	struct machvm_map *parent = map_new(), *one, *two;
	struct machvm_object *bottom;

	check_eq(allocate_at(parent, 0, 4), 0);
	check_eq(store(parent, 1, 1), 0);
	check_eq(store(parent, 2, 2), 0);
	bottom = entry_at(parent, 0)->object;
	one = map_fork(parent);
	two = map_fork(parent);
	require(one && two);
	check_eq(store(one, 2, 20), 0);		/* one is a level up, with a page 2 of its own */
	check_eq(load(one, 1), 1);
	check_eq(load(two, 1), 1);
	check_eq(load(parent, 1), 1);
	mock_zaps_forget();
	down_read(&bottom->family->lock);
	machvm_zap_viewers_locked(bottom, 1);
	up_read(&bottom->family->lock);
	check(!pte_at(one, 1)->folio && !pte_at(two, 1)->folio && !pte_at(parent, 1)->folio);
	check(pte_at(one, 2)->folio);
	check_eq(load(parent, 2), 2);
	down_read(&bottom->family->lock);
	machvm_zap_viewers_locked(bottom, 2);
	up_read(&bottom->family->lock);
	check(!pte_at(parent, 2)->folio);
	check(pte_at(one, 2)->folio);
	map_end(parent);
	map_end(one);
	map_end(two);
}
