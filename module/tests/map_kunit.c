// SPDX-License-Identifier: GPL-2.0-only
/*
 * map_kunit.c - the regions of a map: cut, joined, and the room between them.
 */
#include "help.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

static u64 gap_before(struct machvm_map *map, struct machvm_entry *entry)
{
	struct rb_node *prev = rb_prev(&entry->node);

	if (!prev)
		return entry->start - map->min;
	return entry->start - rb_entry(prev, struct machvm_entry, node)->end;
}

static u64 check_subtree(struct kunit *test, struct machvm_map *map, struct rb_node *node)
{
	struct machvm_entry *entry = rb_entry(node, struct machvm_entry, node);
	u64 largest;

	if (!node)
		return 0;
	largest = gap_before(map, entry);
	KUNIT_EXPECT_EQ(test, largest, entry->gap);
	/* Balanced, so not deep. */
	largest = max(largest, check_subtree(test, map, node->rb_left));
	largest = max(largest, check_subtree(test, map, node->rb_right));
	KUNIT_EXPECT_EQ(test, largest, entry->subtree_gap);
	return largest;
}

/* Order, gaps and counts agree; returns the number of regions. */
static unsigned long check_map(struct kunit *test, struct machvm_map *map)
{
	struct machvm_entry *entry;
	unsigned long nr = 0;
	u64 end = map->min;

	down_read(&map->lock);
	for (entry = machvm_map_next_locked(map, 0); entry; entry = machvm_entry_next(entry)) {
		KUNIT_EXPECT_LE(test, end, entry->start);
		KUNIT_EXPECT_LT(test, entry->start, entry->end);
		end = entry->end;
		nr++;
	}
	KUNIT_EXPECT_EQ(test, map->max - end, map->tail_gap);
	KUNIT_EXPECT_EQ(test, nr, map->nr_entries);
	check_subtree(test, map, map->entries.rb_node);
	up_read(&map->lock);
	return nr;
}

static u64 allocate(struct kunit *test, struct machvm_map *map, u64 nr)
{
	u64 addr = 0;

	KUNIT_ASSERT_EQ(test, MACHVM_KERN_SUCCESS,
			machvm_vm_allocate(map, &addr, PAGES(nr), true));
	return addr;
}

static struct machvm_entry *entry_at(struct machvm_map *map, u64 addr)
{
	struct machvm_entry *entry;

	down_read(&map->lock);
	entry = machvm_map_lookup_locked(map, addr);
	up_read(&map->lock);
	return entry;
}

static void a_range_is_clipped_out_and_merged_back(struct kunit *test)
{
	struct machvm_map *map = help_map(test);
	u64 base = allocate(test, map, 10);

	KUNIT_EXPECT_EQ(test, 1, check_map(test, map));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_protect(map, base + PAGES(3), PAGES(4), false,
						   MACHVM_PROT_READ));
	KUNIT_EXPECT_EQ(test, 3, check_map(test, map));
	KUNIT_EXPECT_EQ(test, base + PAGES(3), entry_at(map, base + PAGES(4))->start);
	KUNIT_EXPECT_EQ(test, base + PAGES(7), entry_at(map, base + PAGES(4))->end);
	KUNIT_EXPECT_EQ(test, MACHVM_PROT_READ, entry_at(map, base + PAGES(6))->protection);
	KUNIT_EXPECT_EQ(test, RW, entry_at(map, base + PAGES(7))->protection);
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_protect(map, base, PAGES(10), false, RW));
	KUNIT_EXPECT_EQ(test, 1, check_map(test, map));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, base, PAGES(10)));
	KUNIT_EXPECT_EQ(test, 0, check_map(test, map));
}

/* Both halves of a clipped region stay on one object, at their offsets. */
static void a_clip_shares_the_object(struct kunit *test)
{
	struct machvm_map *map = help_map(test);
	u64 base = allocate(test, map, 10);
	struct machvm_entry *low, *high;
	struct machvm_object *object;

	KUNIT_ASSERT_EQ(test, 0, machvm_entry_prepare(map, base, true));
	object = entry_at(map, base)->object;
	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&object->refs));
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, base + PAGES(4), PAGES(2)));
	low = entry_at(map, base);
	high = entry_at(map, base + PAGES(9));
	KUNIT_ASSERT_PTR_NE(test, low, high);
	KUNIT_EXPECT_PTR_EQ(test, object, low->object);
	KUNIT_EXPECT_PTR_EQ(test, object, high->object);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&object->refs));
	KUNIT_EXPECT_EQ(test, PAGES(9), machvm_entry_offset(high, base + PAGES(9)));
	check_map(test, map);
}

static void the_lowest_gap_that_is_large_enough(struct kunit *test)
{
	struct machvm_map *map = help_map(test);
	u64 base = allocate(test, map, 1000), found;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, help_base(map), base);
	/* Gaps of 1, 2, 3 ... pages, each after a page that stays. */
	for (i = 1; i < 40; i++)
		KUNIT_ASSERT_EQ(test, 0, machvm_vm_deallocate(map, base + PAGES(i * (i + 1) / 2),
							      PAGES(i)));
	check_map(test, map);
	for (i = 1; i < 40; i += 7) {
		down_read(&map->lock);
		KUNIT_EXPECT_EQ(test, 0, machvm_map_find_space_locked(map, PAGES(i), 0, &found));
		up_read(&map->lock);
		KUNIT_EXPECT_LE(test, base + PAGES(1), found);
		KUNIT_EXPECT_TRUE(test, !entry_at(map, found) &&
				  !entry_at(map, found + PAGES(i - 1)));
	}
	down_read(&map->lock);
	KUNIT_EXPECT_EQ(test, 0, machvm_map_find_space_locked(map, PAGES(4), 0xffff, &found));
	KUNIT_EXPECT_EQ(test, 0, found & 0xffff);
	KUNIT_EXPECT_EQ(test, MACHVM_KERN_NO_SPACE,
			machvm_map_find_space_locked(map, map->max - map->min, 0, &found));
	up_read(&map->lock);
}

#define MODEL_PAGES 256

/* Every page of the map is what an array says. */
static void compare(struct kunit *test, struct machvm_map *map, u64 base, const u8 *model)
{
	unsigned int i;

	for (i = 0; i < MODEL_PAGES; i++) {
		struct machvm_entry *entry = entry_at(map, base + PAGES(i));

		KUNIT_EXPECT_EQ(test, model[i], entry ? entry->protection + 1 : 0);
	}
}

static void random_calls_agree_with_an_array(struct kunit *test)
{
	struct machvm_map *map = help_map(test);
	u8 *model = kunit_kzalloc(test, MODEL_PAGES, GFP_KERNEL);
	u64 base = help_base(map) + PAGES(1000), addr;
	unsigned int round, i, seed = 1;

	KUNIT_ASSERT_NOT_NULL(test, model);
	for (round = 0; round < 3000; round++) {
		unsigned int first, nr, protection, what;
		bool occupied = false;

		seed = seed * 1103515245 + 12345;
		what = (seed >> 8) % 3;
		first = (seed >> 12) % MODEL_PAGES;
		nr = 1 + (seed >> 20) % min(16U, MODEL_PAGES - first);
		protection = (seed >> 26) % 4;
		for (i = first; i < first + nr; i++)
			occupied |= model[i];
		addr = base + PAGES(first);
		switch (what) {
		case 0:
			KUNIT_EXPECT_EQ(test, occupied ? MACHVM_KERN_NO_SPACE : 0,
					machvm_vm_allocate(map, &addr, PAGES(nr), false));
			if (!occupied)
				memset(model + first, RW + 1, nr);
			break;
		case 1:
			KUNIT_EXPECT_EQ(test, 0, machvm_vm_deallocate(map, addr, PAGES(nr)));
			memset(model + first, 0, nr);
			break;
		case 2:
			KUNIT_EXPECT_EQ(test, 0, machvm_vm_protect(map, addr, PAGES(nr), false,
								   protection));
			for (i = first; i < first + nr; i++)
				if (model[i])
					model[i] = protection + 1;
		}
		if (round % 50)
			continue;
		compare(test, map, base, model);
		check_map(test, map);
	}
}

static void ten_thousand_regions(struct kunit *test)
{
	struct machvm_map *map = help_map(test);
	u64 base = allocate(test, map, 20000);
	unsigned int i;

	for (i = 0; i < 10000; i++)
		KUNIT_ASSERT_EQ(test, 0, machvm_vm_deallocate(map, base + PAGES(2 * i), 1));
	KUNIT_EXPECT_EQ(test, 10000, check_map(test, map));
	for (i = 0; i < 10000; i++)
		allocate(test, map, 1);
	KUNIT_EXPECT_EQ(test, 1, check_map(test, map));
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE(a_range_is_clipped_out_and_merged_back),
	KUNIT_CASE(a_clip_shares_the_object),
	KUNIT_CASE(the_lowest_gap_that_is_large_enough),
	KUNIT_CASE(random_calls_agree_with_an_array),
	KUNIT_CASE_SLOW(ten_thousand_regions),
	{}
};

static struct kunit_suite map_suite = {
	.name = "machvm_map",
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);
