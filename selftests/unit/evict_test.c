// SPDX-License-Identifier: GPL-2.0-only
/* evict_test.c - pages of memory objects that go for want of memory, and are asked for again. */
#include "cache.h"
#include "laundry.h"
#include "lock.h"
#include "mock.h"
#include "fake/thread.h"

#define FILE_PAGES 64

/* A pager that has the pages of one object, and answers when somebody waits for it. */
struct file {
	struct pager pager;
	u8 content[FILE_PAGES];
	unsigned int asked;	/* pages */
	unsigned int returned;
	bool idle;		/* takes nothing back */
};

static struct file file;
static struct machvm_map *map;

static void take_back(struct file *into, u64 index)
{
	struct folio *folio = machvm_memobj_returned(into->pager.memobj, PAGES(index));

	require(folio);
	into->content[index] = ((u8 *)folio_address(folio))[index % PAGE_SIZE];
	folio_put(folio);
	into->returned++;
}

static void answer(struct file *from, const struct mock_sent *sent)
{
	u64 first = sent->offset >> PAGE_SHIFT, nr = sent->length >> PAGE_SHIFT, index;

	for (index = first; index < first + nr; index++) {
		if (sent->type == MACHVM_MSG_DATA_RETURN) {
			take_back(from, index);
		} else if (sent->type == MACHVM_MSG_DATA_REQUEST) {
			from->asked++;
			check_eq(supply(&from->pager, index, from->content[index], false), 0);
		}
	}
	if (sent->type == MACHVM_MSG_DATA_RETURN)
		check_eq(release_pages(&from->pager, first, nr), 0);
}

static void world(void *arg)
{
	struct file *from = arg;
	struct mock_sent *sents;
	unsigned int i, nr;

	machvm_memobj_advance(from->pager.memobj);	/* as the kernel's thread does */
	nr = mock_nr_sent;
	if (from->idle)
		return;
	sents = malloc(nr * sizeof(*sents));
	memcpy(sents, mock_sents, nr * sizeof(*sents));
	mock_sents_forget();
	for (i = 0; i < nr; i++)
		if (sents[i].object == from->pager.memobj->id)
			answer(from, &sents[i]);
	free(sents);
}

static void file_new(struct file *into, u64 page, bool may_cache)
{
	unsigned int i;

	memset(into, 0, sizeof(*into));
	for (i = 0; i < FILE_PAGES; i++)
		into->content[i] = i + 1;
	pager_new(&into->pager);
	pager_bind(&into->pager, 0);
	check_eq(map_pager(map, &into->pager, page, FILE_PAGES, 0, false), 0);
	check_eq(machvm_memobj_ready(into->pager.memobj, may_cache, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
	fake_world = world;
	fake_world_arg = into;
}

/* There is nowhere to page out to: what goes can only be what a pager has. */
static void setup_as(bool may_cache)
{
	map = map_new_of(256);
	file_new(&file, 0, may_cache);
}

static void setup(void)
{
	setup_as(false);
}

static void teardown(void)
{
	objects_check();
	map_end(map);
	pager_end(&file.pager);
	mock_sents_forget();
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_PERM], 0);
	check_eq(mock_stats[MACHVM_STAT_RESIDENT_PERM], 0);
}

/* All pages of the range hold what the pager has. */
static void read_all(u64 page, u64 nr)
{
	u64 i;

	for (i = page; i < page + nr; i++)
		check_eq(load(map, i), file.content[i]);
}

static long resident(void)
{
	return atomic_long_read(&entry_at(map, 0)->object->resident);
}

/* Evicts what of these pages may go, used or not: how many went. */
static unsigned long evict(u64 page, u64 nr)
{
	struct machvm_pageout which = {};
	unsigned long gone = 0;
	u64 index = page;

	while (index < page + nr)
		gone += machvm_object_pageout(entry_at(map, 0)->object, &index, page + nr - 1,
					      &which);
	return gone;
}

TEST(evict, K15_a_clean_page_goes_and_is_asked_for_again)
{
	setup();
	read_all(0, 10);
	check_eq(file.asked, 10);
	check_eq(evict(2, 5), 5);
	check_eq(resident(), 5);
	check_eq(mock_user.pages, 5);
	check(!pte_at(map, 3)->folio && pte_at(map, 7)->folio);
	check_eq(mock_nr_sent, 0);			/* nobody is told */
	check_eq(mock_stats[MACHVM_STAT_PAGEOUTS], 0);	/* nor is anything written */
	read_all(0, 10);
	check_eq(file.asked, 15);
	check_eq(mock_stats[MACHVM_STAT_PAGEINS], 15);
	teardown();
}

TEST(evict, what_the_pager_does_not_have_stays)
{
	setup();
	read_all(0, 4);
	check_eq(store(map, 1, 77), 0);
	check_eq(supply(&file.pager, 4, 5, true), 0);
	check_eq(evict(0, 5), 3);
	check_eq(load(map, 1), 77);
	check_eq(resident(), 2);
	teardown();
}

TEST(evict, V22_wired_pages_stay)
{
	setup();
	read_all(0, 4);
	check_eq(protect_at(map, 0, FILE_PAGES, MACHVM_PROT_READ), 0);	/* or wiring writes */
	check_eq(wire_at(map, 1, 2, MACHVM_PROT_READ), 0);
	check_eq(evict(0, 4), 2);
	check(pte_at(map, 1)->folio && pte_at(map, 2)->folio);
	check_eq(unwire_at(map, 1, 2), 0);
	check_eq(evict(0, 4), 2);
	teardown();
}

TEST(evict, a_page_that_somebody_holds_stays)
{
	struct folio *held;

	setup();
	read_all(0, 3);
	held = pte_at(map, 1)->folio;
	folio_get(held);
	check_eq(evict(0, 3), 2);
	folio_put(held);
	check_eq(load(map, 1), 2);
	check_eq(file.asked, 3);
	check_eq(evict(0, 3), 1);
	teardown();
}

/* Who could not be asked for a page must not lose it. */
TEST(evict, S2_51_pages_of_a_pager_that_has_gone_stay)
{
	setup();
	read_all(0, 3);
	pager_close(&file.pager);
	check_eq(evict(0, 3), 0);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	read_all(0, 3);
	pager_bind(&file.pager, 0);
	check_eq(evict(0, 3), 3);
	teardown();
}

TEST(evict, S2_50_pages_of_a_destroyed_object_stay)
{
	setup();
	read_all(0, 3);
	check_eq(machvm_memobj_destroy(file.pager.memobj, 5, false), 0);
	check_eq(evict(0, 3), 0);		/* begun */
	machvm_memobj_advance(file.pager.memobj);
	check_eq(evict(0, 3), 0);		/* and done */
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	read_all(0, 3);
	teardown();
}

/* A new use of the object has a pager that answers; the old one's pages it would not give. */
TEST(evict, S2_50_nor_do_those_that_a_new_incarnation_follows)
{
	setup();
	read_all(0, 3);
	check_eq(machvm_memobj_destroy(file.pager.memobj, 5, false), 0);
	machvm_memobj_advance(file.pager.memobj);
	check_eq(map_pager(map, &file.pager, 100, 4, 0, false), 0);
	check_eq(machvm_memobj_ready(file.pager.memobj, false, MACHVM_COPY_DELAY), 0);
	check(machvm_memobj_answers(file.pager.memobj));
	check_eq(evict(0, 3), 0);
	read_all(0, 3);
	teardown();
}

/* A copy that was made before goes on showing what it showed. */
TEST(evict, a_delayed_copy_does_not_notice)
{
	setup();
	read_all(0, 8);
	check_eq(map_pager(map, &file.pager, 100, 8, 0, true), 0);
	check_eq(store(map, 2, 50), 0);
	check_eq(store(map, 105, 60), 0);
	check_eq(evict(0, 8), 7);
	check_eq(load(map, 102), 3);
	check_eq(load(map, 104), 5);
	check_eq(load(map, 105), 60);
	check_eq(load(map, 2), 50);
	read_all(3, 5);
	teardown();
}

TEST(evict, who_waits_to_be_allowed_is_answered_by_a_new_page)
{
	struct machvm_request *request;
	struct machvm_supply in;
	struct folio *folio;

	setup();
	check_eq(machvm_memobj_supply_begin(file.pager.memobj, 0, &in), 0);
	memset(folio_address(in.folio), 1, PAGE_SIZE);
	check_eq(machvm_memobj_supply_end(&in, MACHVM_PROT_WRITE, false), 0);
	request = machvm_request_create_unlock(file.pager.memobj, 0,
						 MACHVM_PROT_READ | MACHVM_PROT_WRITE);
	require(request);
	folio = machvm_page_lookup(entry_at(map, 0)->object, 0);
	folio_lock(folio);
	check_eq(machvm_unlock_ask(file.pager.memobj, 0, request), 0);
	check_eq(machvm_request_post(request), 0);
	folio_unlock(folio);
	check_eq(evict(0, 1), 1);
	check(machvm_request_done(request));
	check_eq(request->result, MACHVM_KERN_SUCCESS);
	machvm_request_put(request);
	check_eq(store(map, 0, 9), 0);
	check_eq(file.asked, 1);
	teardown();
}

TEST(evict, K15_more_than_the_limit)
{
	unsigned int round;

	setup();
	mock_user.page_limit = 10;
	for (round = 0; round < 3; round++)
		read_all(0, FILE_PAGES);
	check(mock_user.pages <= 10);
	check(file.asked > 2 * FILE_PAGES);
	check_eq(mock_stored, 0);
	teardown();
}

TEST(evict, K15_part_of_a_cgroup_is_left_free_without_swap)
{
	setup();
	mock_cgroup_share = 20;
	read_all(0, FILE_PAGES);
	check(mock_user.pages <= 20);
	teardown();
}

/* Neither was used: what a pager has goes, and what must be written stays. */
TEST(evict, K15_external_before_internal)
{
	u64 i;

	setup();
	mock_store_room = true;
	check_eq(allocate_at(map, 100, FILE_PAGES), 0);
	for (i = 0; i < FILE_PAGES; i++)
		check_eq(store(map, 100 + i, i), 0);
	read_all(0, FILE_PAGES);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), FILE_PAGES);
	check_eq(resident(), 0);
	check_eq(mock_stored, 0);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), FILE_PAGES);
	check_eq(mock_stored, FILE_PAGES);
	teardown();
}

/* Twice round: what was used in between stays, and what was not goes first, whose ever it is. */
TEST(evict, K15_inactive_before_active)
{
	struct machvm_pageout which = { .second_chance = true };
	struct machvm_object *object;
	u64 i;

	setup();
	mock_store_room = true;
	check_eq(allocate_at(map, 100, 2 * FILE_PAGES), 0);
	for (i = 0; i < 2 * FILE_PAGES; i++)
		check_eq(store(map, 100 + i, i), 0);
	read_all(0, FILE_PAGES);
	object = entry_at(map, 0)->object;
	for (i = 0; i < FILE_PAGES;)
		check_eq(machvm_object_pageout(object, &i, FILE_PAGES - 1, &which), 0);
	object = entry_at(map, 100)->object;
	for (i = 0; i < 2 * FILE_PAGES;)
		check_eq(machvm_object_pageout(object, &i, 2 * FILE_PAGES - 1, &which), 0);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_PERM], FILE_PAGES);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_TMP], 2 * FILE_PAGES);
	read_all(0, FILE_PAGES);
	check_eq(mock_stats[MACHVM_STAT_REACTIVATIONS], FILE_PAGES);
	check_eq(mock_stats[MACHVM_STAT_INACTIVE_PERM], 0);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), FILE_PAGES);
	check_eq(resident(), FILE_PAGES);
	check_eq(mock_stored, FILE_PAGES);
	check_eq(file.asked, FILE_PAGES);
	teardown();
}

TEST(evict, nobody_elses_pages_go_for_a_limit_of_ones_own)
{
	struct machvm_user other = {
		.refs = REFCOUNT_INIT(1), .page_limit = LONG_MAX, .object_limit = LONG_MAX,
	};

	setup();
	read_all(0, 8);
	check_eq(machvm_reclaim(&other, -ENOMEM), 0);
	check_eq(resident(), 8);
	check_eq(machvm_reclaim(&mock_user, -ENOMEM), 8);
	check_eq(refcount_read(&other.refs), 1);
	teardown();
}

static bool is_cached(struct file *which)
{
	return machvm_cache_has(which->pager.memobj);
}

/* Before any page that somebody maps, used or not. */
TEST(evict, L1_what_nothing_maps_goes_whole_and_first)
{
	static struct file cached;
	u64 i;

	setup();
	file_new(&cached, 100, true);
	for (i = 0; i < 5; i++)
		check_eq(load(map, 100 + i), i + 1);
	check_eq(deallocate_at(map, 100, FILE_PAGES), 0);
	check(is_cached(&cached));
	fake_world_arg = &file;
	read_all(0, FILE_PAGES);
	mock_user.page_limit = mock_user.pages;
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 5);
	check(!is_cached(&cached));
	heard("t");
	read_all(0, FILE_PAGES);
	check_eq(file.asked, FILE_PAGES);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), FILE_PAGES);
	pager_end(&cached.pager);
	mock_user.page_limit = LONG_MAX;
	teardown();
}

TEST(evict, L1_a_cached_object_with_written_pages_loses_the_others_only)
{
	setup_as(true);
	read_all(0, 6);
	check_eq(store(map, 2, 200), 0);
	check_eq(deallocate_at(map, 0, FILE_PAGES), 0);
	check(is_cached(&file));
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 5);
	check(is_cached(&file));
	check_eq(mock_nr_sent, 0);
	check_eq(map_pager(map, &file.pager, 0, FILE_PAGES, 0, false), 0);
	file.asked = 0;
	check_eq(load(map, 2), 200);
	check_eq(load(map, 0), 1);
	file.content[2] = 200;
	read_all(0, 6);
	check_eq(file.asked, 5);
	check_eq(file.returned, 0);		/* it was used before its turn */
	deallocate_at(map, 0, FILE_PAGES);
	machvm_cache_drop(file.pager.memobj);
	check_eq(release_pages(&file.pager, 2, 1), 0);
	map_pager(map, &file.pager, 0, FILE_PAGES, 0, false);
	teardown();
}

/* The last page of one that holds nothing else: it has no reason to be there. */
TEST(evict, L1_without_its_last_page_a_cached_object_ends)
{
	struct machvm_object *object;

	setup_as(true);
	read_all(0, 3);
	object = machvm_object_get(entry_at(map, 0)->object);	/* as who looks at it has */
	check_eq(deallocate_at(map, 0, FILE_PAGES), 0);
	check(!is_cached(&file));
	machvm_object_put(object);
	check(is_cached(&file));
	check_eq(supply(&file.pager, 40, 1, true), 0);		/* not to go whole */
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 3);
	check(is_cached(&file));
	check_eq(map_pager(map, &file.pager, 0, FILE_PAGES, 0, false), 0);
	check_eq(atomic_long_read(&entry_at(map, 0)->object->resident), 1);
	deallocate_at(map, 0, FILE_PAGES);
	mock_sents_forget();
	machvm_cache_drop(file.pager.memobj);
	heard("r");
	check_eq(release_pages(&file.pager, 40, 1), 0);
	heard("t");
	map_pager(map, &file.pager, 0, FILE_PAGES, 0, false);
	teardown();
}

/* Writes another value to each page. */
static void write_all(u64 page, u64 nr, u8 value)
{
	u64 i;

	for (i = page; i < page + nr; i++)
		check_eq(store(map, i, value + i), 0);
}

static void check_written(u64 page, u64 nr, u8 value)
{
	u64 i;

	for (i = page; i < page + nr; i++)
		check_eq(load(map, i), (u8)(value + i));
}

TEST(evict, K14_what_was_written_is_returned_and_then_goes)
{
	struct mock_sent *sent;

	setup();
	read_all(0, 10);
	write_all(0, 5, 100);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 5);	/* what is clean */
	check_eq(mock_nr_sent, 0);
	machvm_memobj_advance(file.pager.memobj);
	sent = mock_last_sent();
	require(sent && sent->type == MACHVM_MSG_DATA_RETURN);
	check_eq(sent->offset, 0);
	check_eq(sent->length, PAGES(5));
	check_eq(sent->access, 1);
	check(sent->kernel_copy);			/* until it has them */
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	check_eq(resident(), 5);
	world(&file);
	check_eq(file.returned, 5);
	check_eq(mock_stats[MACHVM_STAT_PAGEOUTS], 5);
	check_eq(resident(), 0);
	check_eq(mock_user.pages, 0);
	check_written(0, 5, 100);
	read_all(5, 5);
	teardown();
}

/* The pager reads it, and somebody writes: he keeps what he wrote, and the pager gets it later. */
TEST(evict, S2_45_what_is_written_meanwhile_stays)
{
	setup();
	read_all(0, 4);
	write_all(0, 4, 100);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	machvm_memobj_advance(file.pager.memobj);
	write_all(1, 1, 200);
	world(&file);
	check_eq(file.content[1], 101);
	check_eq(resident(), 1);
	check_eq(load(map, 1), 201);
	world(&file);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	world(&file);
	check_eq(file.content[1], 201);
	teardown();
}

TEST(evict, K14_what_is_used_before_its_turn_stays)
{
	setup();
	read_all(0, 4);
	write_all(0, 4, 100);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	check_written(0, 4, 100);
	world(&file);
	check_eq(file.returned, 0);
	check_eq(atomic_read(&file.pager.memobj->nr_jobs), 0);
	check_eq(resident(), 4);
	teardown();
}

/* What is read while its pager has it stays, too, and is clean then. */
TEST(evict, K14_what_is_used_while_it_is_returned_stays)
{
	setup();
	write_all(0, 4, 100);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	machvm_memobj_advance(file.pager.memobj);
	check_eq(load(map, 1), 101);
	world(&file);
	check_eq(file.returned, 4);
	check_eq(resident(), 1);
	check(pte_at(map, 1)->folio);
	check_eq(mock_stats[MACHVM_STAT_DIRTY], 0);
	check_written(0, 4, 100);
	teardown();
}

/* As is what somebody holds, or wires, who does not touch it. */
TEST(evict, K14_what_is_held_while_it_is_returned_stays)
{
	struct folio *held;

	setup();
	write_all(0, 4, 100);
	held = pte_at(map, 1)->folio;
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	machvm_memobj_advance(file.pager.memobj);
	folio_get(held);
	check_eq(wire_at(map, 2, 1, MACHVM_PROT_READ), 0);
	world(&file);
	check_eq(file.returned, 4);
	check_eq(resident(), 2);
	folio_put(held);
	check_eq(unwire_at(map, 2, 1), 0);
	check_written(0, 4, 100);
	teardown();
}

/* Its pager cleans for reasons of its own: nobody wants the room. */
TEST(evict, K14_what_a_pager_cleans_stays)
{
	const struct machvm_lock_order order = {
		.length = PAGES(4), .should_return = MACHVM_RETURN_ALL,
		.locks = MACHVM_PROT_NO_CHANGE,
	};
	struct machvm_pageout which = { .second_chance = true };
	u64 index = 0;

	setup();
	write_all(0, 4, 100);
	check_eq(machvm_object_pageout(entry_at(map, 0)->object, &index, 3, &which), 0);
	check_eq(machvm_job_start(file.pager.memobj, &order, NULL), 0);
	world(&file);
	check_eq(file.returned, 4);
	check_eq(resident(), 4);
	teardown();
}

TEST(evict, L1_a_cached_object_ends_with_the_last_page_that_is_returned)
{
	setup_as(true);
	write_all(0, 4, 100);
	check_eq(deallocate_at(map, 0, FILE_PAGES), 0);
	check(is_cached(&file));
	mock_sents_forget();
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	machvm_memobj_advance(file.pager.memobj);
	heard("r");
	check_eq(release_pages(&file.pager, 0, 2), 0);
	check(is_cached(&file));
	check_eq(release_pages(&file.pager, 2, 2), 0);
	check(!is_cached(&file));
	heard("t");
	map_pager(map, &file.pager, 0, FILE_PAGES, 0, false);
	teardown();
}

/* Its pager is told that nobody else has it, and so it is. */
TEST(evict, K14_P4_a_precious_page_leaves_before_its_pager_has_it)
{
	setup();
	check_eq(supply(&file.pager, 0, 1, true), 0);
	check_eq(supply(&file.pager, 1, 2, true), 0);
	check_eq(store(map, 1, 77), 0);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	machvm_memobj_advance(file.pager.memobj);
	check_eq(mock_last_sent()->type, MACHVM_MSG_DATA_RETURN);
	check_eq(mock_last_sent()->length, PAGES(1));
	check_eq(mock_last_sent()->access, 0);
	check(!mock_last_sent()->kernel_copy);
	check_eq(resident(), 1);
	world(&file);
	check_eq(mock_last_sent()->offset, PAGES(1));
	check_eq(mock_last_sent()->access, 1);
	check(!mock_last_sent()->kernel_copy);
	check_eq(resident(), 0);
	world(&file);
	check_eq(file.returned, 2);
	check_eq(mock_user.pages, 0);
	check_eq(load(map, 0), 1);
	check_eq(load(map, 1), 77);
	teardown();
}

TEST(evict, K14_wired_and_held_pages_are_not_returned)
{
	struct folio *held;

	setup();
	read_all(0, 4);
	write_all(0, 4, 100);
	check_eq(wire_at(map, 0, 2, MACHVM_PROT_READ), 0);
	held = pte_at(map, 2)->folio;
	folio_get(held);
	machvm_reclaim(&mock_user, -EDQUOT);
	world(&file);
	check_eq(file.returned, 1);
	folio_put(held);
	check_eq(resident(), 3);
	check_eq(unwire_at(map, 0, 2), 0);
	check_written(0, 4, 100);
	teardown();
}

/* A writer waits for the pager instead of being told that there is no memory. */
TEST(evict, K14_more_written_than_the_limit)
{
	unsigned int round;

	setup();
	mock_user.page_limit = 10;
	for (round = 0; round < 3; round++) {
		write_all(0, FILE_PAGES, round * 60);
		check_written(0, FILE_PAGES, round * 60);
	}
	check(mock_user.pages <= 10);
	check(file.returned > FILE_PAGES);
	check_eq(mock_stats[MACHVM_STAT_PAGEINS], file.asked);
	check_eq(mock_stats[MACHVM_STAT_PAGEOUTS], file.returned);
	teardown();
}

TEST(evict, K14_a_cgroup_is_not_filled_with_what_was_written)
{
	setup();
	mock_cgroup_share = 20;
	write_all(0, FILE_PAGES, 7);
	check_written(0, FILE_PAGES, 7);
	check(mock_user.pages <= 20);
	teardown();
}

/* Who would wait for himself is told. */
TEST(evict, K14_a_pager_does_not_wait)
{
	setup();
	mock_user.page_limit = 10;
	write_all(0, 10, 100);
	mock_serves = true;
	file.idle = true;
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	check_eq(allocate_at(map, 100, 1), 0);
	check_eq(load(map, 100), FAILED(MACHVM_KERN_RESOURCE_SHORTAGE));
	mock_serves = false;
	file.idle = false;
	check_eq(load(map, 100), 0);
	teardown();
}

static void pager_goes(void *arg)
{
	machvm_memobj_advance(file.pager.memobj);
	pager_close(&file.pager);
	machvm_memobj_drop_unserved(file.pager.memobj);
}

/* There is nobody to wait for any more. */
TEST(evict, S2_51_who_waits_for_the_laundry_hears_that_the_pager_has_gone)
{
	setup();
	mock_user.page_limit = 10;
	write_all(0, 10, 100);
	check_eq(allocate_at(map, 100, 1), 0);
	fake_world = pager_goes;
	check_eq(load(map, 100), FAILED(MACHVM_KERN_RESOURCE_SHORTAGE));
	check_written(0, 10, 100);
	mock_user.page_limit = LONG_MAX;
	teardown();
}

/* Not at once: whoever waits has been asleep before. */
static void others_give_back(void *arg)
{
	static bool slept;

	machvm_memobj_advance(file.pager.memobj);
	if (slept)
		deallocate_at(map, 200, 1);
	slept = !slept;
}

/* The pager takes nothing, but there is a page from elsewhere. */
TEST(evict, K14_who_waits_takes_what_others_give_back)
{
	setup();
	mock_user.page_limit = 10;
	check_eq(allocate_at(map, 200, 1), 0);
	check_eq(store(map, 200, 1), 0);
	write_all(0, 9, 100);
	check_eq(allocate_at(map, 100, 1), 0);
	fake_world = others_give_back;
	check_eq(load(map, 100), 0);
	check_eq(file.returned, 0);
	check_eq(resident(), 9);
	fake_world = world;
	mock_user.page_limit = LONG_MAX;
	teardown();
}

#define BIG_PAGES 3000ULL
#define BIG_LIMIT 2500ULL	/* more than a first turn looks at */

/* An object with as many written pages as there may be, its pager asked to take the first. */
static void setup_big(struct pager *big)
{
	u64 i;

	map = map_new();
	pager_new(big);
	pager_bind(big, 0);
	check_eq(map_pager(map, big, 0, BIG_PAGES, 0, false), 0);
	check_eq(machvm_memobj_ready(big->memobj, false, MACHVM_COPY_DELAY), 0);
	mock_sents_forget();
	for (i = 0; i < BIG_LIMIT; i++) {
		check_eq(supply(big, i, 1, false), 0);
		check_eq(store(map, i, i), 0);
	}
	mock_user.page_limit = mock_user.pages;
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	machvm_memobj_advance(big->memobj);
	require(mock_last_sent() && mock_last_sent()->length == PAGES(32));
}

/* The pager is not asked for anything any more. */
static void teardown_big(struct pager *big)
{
	pager_close(big);
	machvm_memobj_drop_unserved(big->memobj);
	mock_user.page_limit = LONG_MAX;
	map_end(map);
	pager_end(big);
	mock_sents_forget();
}

/* How many pages were looked at since the last time. */
static long looked(void)
{
	static long before;
	long now = mock_stats[MACHVM_STAT_LOOKED], since = now - before;

	before = now;
	return since;
}

/* What its pager has taken is there for who needs it, and nobody looks for more. */
TEST(evict, K14_what_is_released_need_not_be_looked_for)
{
	struct mock_sent *sent;
	unsigned long events;
	struct folio *folio;
	struct pager big;
	unsigned int i, n;

	setup_big(&big);
	for (n = 0; n < 4; n++) {
		looked();
		/* The laundry has just moved, in setup_big() or by the release. */
		machvm_laundry_event();
		folio = machvm_reclaim_page(&mock_user, 0, &events);
		check_eq(PTR_ERR_OR_ZERO(folio), -EBUSY);
		check(looked() < 1500);
		sent = mock_last_sent();
		require(sent && sent->type == MACHVM_MSG_DATA_RETURN);
		check_eq(release_pages(&big, sent->offset >> PAGE_SHIFT, 32), 0);
		check_eq(mock_user.pages, BIG_LIMIT - 32);
		for (i = 0; i < 32; i++) {
			folio = machvm_reclaim_page(&mock_user, 0, &events);
			require(!IS_ERR(folio));
			check_eq(machvm_page_insert(entry_at(map, 0)->object, BIG_LIMIT + 32 * n + i,
						    folio), 0);
			machvm_page_dirty(entry_at(map, 0)->object, folio);
		}
		check_eq(looked(), 0);
	}
	teardown_big(&big);
}

/* When nothing moves all is searched before anybody waits, and always by who may not wait. */
TEST(evict, K14_who_cannot_hope_searches_everything)
{
	struct machvm_object *object;
	unsigned long events;
	struct folio *folio;
	struct pager big;
	u64 clean = BIG_LIMIT - 1;

	setup_big(&big);
	looked();
	fake_time_add(NSEC_PER_SEC);
	folio = machvm_reclaim_page(&mock_user, 0, &events);
	check_eq(PTR_ERR_OR_ZERO(folio), -EBUSY);
	check(looked() >= (long)BIG_LIMIT);
	object = entry_at(map, 0)->object;
	mutex_lock(&object->memobj->lock);
	machvm_page_clean(object, machvm_page_lookup(object, clean));
	mutex_unlock(&object->memobj->lock);
	machvm_laundry_event();
	folio = machvm_reclaim_page(&mock_user, 0, NULL);
	require(!IS_ERR(folio));
	machvm_page_free(folio);
	teardown_big(&big);
}

/* A run at a time, and what its pager wants done comes between two of them. */
TEST(evict, K14_the_laundry_is_bounded_and_gives_way)
{
	const struct machvm_lock_order order = {
		.length = PAGES(1), .should_return = MACHVM_RETURN_NONE,
		.locks = MACHVM_PROT_NO_CHANGE, .reply = true,
	};

	setup();
	write_all(0, FILE_PAGES, 100);
	mock_sents_forget();
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	check_eq(atomic_read(&file.pager.memobj->nr_jobs), 1);
	machvm_memobj_advance(file.pager.memobj);
	check_eq(machvm_reclaim(&mock_user, -EDQUOT), 0);
	check_eq(atomic_read(&file.pager.memobj->nr_jobs), 1);
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 32);
	check_eq(machvm_job_start(file.pager.memobj, &order, NULL), 0);
	machvm_memobj_advance(file.pager.memobj);
	heard("r");
	check_eq(release_pages(&file.pager, 0, 32), 0);
	heard("c");
	check_eq(mock_stats[MACHVM_STAT_WRITEBACK], 0);
	teardown();
}

TEST(evict, failing_allocations_on_the_way_lose_nothing)
{
	unsigned int nth;

	for (nth = 1; nth < 40; nth++) {
		u64 i;

		setup();
		mock_user.page_limit = 20;
		read_all(0, 20);
		check_eq(store(map, 3, 99), 0);
		fail_nth(nth);
		for (i = 20; i < 30; i++)
			load(map, i);
		fail_end();
		file.content[3] = 99;
		read_all(0, 30);
		teardown();
	}
}
