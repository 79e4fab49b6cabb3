// SPDX-License-Identifier: GPL-2.0-only
/*
 * object_kunit.c - objects: shadows below, delayed copies above, and their ends.
 */
#include "help.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

#define CHAIN 1000	/* objects, and pages that the copies are to show */

static struct machvm_object *delayed_copy(struct kunit *test, struct machvm_object *source)
{
	struct machvm_object *spare = machvm_object_create_kin(source, source->user), *copy;

	KUNIT_ASSERT_NOT_NULL(test, spare);
	copy = machvm_object_copy_delayed(source, CHAIN << PAGE_SHIFT, &spare);
	if (spare)
		machvm_object_put(spare);
	return copy;
}

static void insert(struct kunit *test, struct machvm_object *object, u64 index)
{
	struct folio *folio = machvm_page_alloc(object->user, GFP_KERNEL | __GFP_ZERO);
	int err;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, folio);
	down_read(&object->family->lock);
	err = machvm_page_insert(object, index, folio);
	up_read(&object->family->lock);
	KUNIT_ASSERT_EQ(test, 0, err);
}

static unsigned int depth(struct machvm_object *object)
{
	unsigned int nr;

	down_read(&object->family->lock);
	nr = machvm_object_depth_locked(object);
	up_read(&object->family->lock);
	return nr;
}

static bool push_wanted(struct machvm_object *source, u64 index)
{
	bool wanted;

	down_read(&source->family->lock);
	wanted = machvm_push_wanted_locked(source, index);
	up_read(&source->family->lock);
	return wanted;
}

static void slots_hold_one_page(struct kunit *test)
{
	struct machvm_user *user = help_user(test);
	struct machvm_object *object = machvm_object_create(user, NULL);
	struct folio *folio;
	u64 index = 0;

	KUNIT_ASSERT_NOT_NULL(test, object);
	insert(test, object, 5);
	insert(test, object, 1ULL << 40);
	folio = machvm_page_alloc(user, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, folio);
	down_read(&object->family->lock);
	KUNIT_EXPECT_EQ(test, -EBUSY, machvm_page_insert(object, 5, folio));
	KUNIT_EXPECT_PTR_NE(test, folio, machvm_page_lookup(object, 5));
	KUNIT_EXPECT_NULL(test, machvm_page_lookup(object, 4));
	KUNIT_EXPECT_NOT_NULL(test, machvm_page_next(object, &index, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, 5, index);
	index++;
	KUNIT_EXPECT_NOT_NULL(test, machvm_page_next(object, &index, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, 1ULL << 40, index);
	up_read(&object->family->lock);
	machvm_page_free(folio);
	KUNIT_EXPECT_EQ(test, 2, atomic_long_read(&object->resident));
	machvm_object_put(object);
}

/* S2.30: without a write between them they may be one; with one they are in the order of time. */
static void delayed_copies_stand_in_the_order_of_time(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 0);
	struct machvm_object *first = delayed_copy(test, pager->object), *same, *second;

	KUNIT_EXPECT_PTR_EQ(test, first, pager->object->copy);
	KUNIT_EXPECT_PTR_EQ(test, pager->object, first->shadow);
	same = delayed_copy(test, pager->object);
	KUNIT_EXPECT_PTR_EQ(test, first, same);
	machvm_object_put(same);
	KUNIT_EXPECT_TRUE(test, push_wanted(pager->object, 3));
	insert(test, first, 3);		/* as a write to the source does */
	KUNIT_EXPECT_FALSE(test, push_wanted(pager->object, 3));
	second = delayed_copy(test, pager->object);
	KUNIT_EXPECT_PTR_NE(test, first, second);
	KUNIT_EXPECT_PTR_EQ(test, second, pager->object->copy);
	KUNIT_EXPECT_PTR_EQ(test, second, first->shadow);
	KUNIT_EXPECT_PTR_EQ(test, pager->object, second->shadow);
	KUNIT_EXPECT_EQ(test, 2, depth(first));
	KUNIT_EXPECT_TRUE(test, push_wanted(pager->object, 3));
	machvm_object_put(second);	/* the older one holds it */
	KUNIT_EXPECT_PTR_EQ(test, second, pager->object->copy);
	machvm_object_put(first);
	KUNIT_EXPECT_NULL(test, pager->object->copy);
	KUNIT_EXPECT_FALSE(test, push_wanted(pager->object, 3));
}

static void a_copy_holds_its_source(struct kunit *test)
{
	struct help_pager *pager = help_pager(test, 0);
	long objects = machvm_stat_sum(MACHVM_STAT_OBJECTS);
	struct machvm_object *copy = delayed_copy(test, pager->object);

	KUNIT_EXPECT_EQ(test, objects + 1, machvm_stat_sum(MACHVM_STAT_OBJECTS));
	machvm_object_put(pager->object);
	pager->object = NULL;
	KUNIT_EXPECT_EQ(test, MACHVM_MEMOBJ_READY, pager->memobj->state);
	KUNIT_EXPECT_EQ(test, 1, depth(copy));
	machvm_object_put(copy);
	KUNIT_EXPECT_EQ(test, objects - 1, machvm_stat_sum(MACHVM_STAT_OBJECTS));
	KUNIT_EXPECT_NE(test, MACHVM_MEMOBJ_READY, pager->memobj->state);
}

/* A chain of a thousand, each with a page that those above it show, is as short as it can be. */
static void a_long_chain_comes_and_goes(struct kunit *test)
{
	struct machvm_object **copies = kunit_kcalloc(test, CHAIN, sizeof(*copies), GFP_KERNEL);
	struct help_pager *pager = help_pager(test, 0);
	long objects = machvm_stat_sum(MACHVM_STAT_OBJECTS);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, copies);
	for (i = 0; i < CHAIN; i++) {
		copies[i] = delayed_copy(test, pager->object);
		insert(test, copies[i], i);
	}
	KUNIT_EXPECT_EQ(test, objects + CHAIN, machvm_stat_sum(MACHVM_STAT_OBJECTS));
	KUNIT_EXPECT_EQ(test, CHAIN, depth(copies[0]));
	for (i = 1; i < CHAIN; i++)
		machvm_object_put(copies[i]);
	/* The newest stays: the source pushes into it. */
	KUNIT_EXPECT_EQ(test, objects + 2, machvm_stat_sum(MACHVM_STAT_OBJECTS));
	KUNIT_EXPECT_EQ(test, 2, depth(copies[0]));
	machvm_object_put(copies[0]);
	KUNIT_EXPECT_EQ(test, objects, machvm_stat_sum(MACHVM_STAT_OBJECTS));
}

static void fork_shares_until_somebody_writes(struct kunit *test)
{
	struct machvm_map *parent = help_map(test), *child;
	struct machvm_entry *mine, *twin;
	struct machvm_object *object;
	u64 addr = 0;

	KUNIT_ASSERT_EQ(test, 0, machvm_vm_allocate(parent, &addr, PAGES(8), true));
	KUNIT_ASSERT_EQ(test, 0, machvm_entry_prepare(parent, addr, true));
	child = machvm_arena_create(parent->min, parent->max, current->mm, parent->pmap->inode,
				    parent->user);
	KUNIT_ASSERT_NOT_NULL(test, child);
	mmap_write_lock(current->mm);
	KUNIT_EXPECT_EQ(test, 0, machvm_vm_fork(parent, child, parent->min, parent->max));
	mmap_write_unlock(current->mm);
	down_read(&parent->lock);
	mine = machvm_map_lookup_locked(parent, addr);
	up_read(&parent->lock);
	down_read(&child->lock);
	twin = machvm_map_lookup_locked(child, addr);
	up_read(&child->lock);
	KUNIT_ASSERT_NOT_NULL(test, twin);
	object = mine->object;
	KUNIT_EXPECT_PTR_EQ(test, object, twin->object);
	KUNIT_EXPECT_TRUE(test, mine->needs_copy && twin->needs_copy);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&object->refs));

	KUNIT_EXPECT_EQ(test, 0, machvm_entry_prepare(child, addr, true));
	KUNIT_EXPECT_PTR_NE(test, object, twin->object);
	KUNIT_EXPECT_PTR_EQ(test, object, twin->object->shadow);
	KUNIT_EXPECT_FALSE(test, twin->needs_copy);
	KUNIT_EXPECT_TRUE(test, mine->needs_copy);
	machvm_vm_clear(child);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&object->refs));
	/* Alone again, the parent needs no shadow. */
	KUNIT_EXPECT_EQ(test, 0, machvm_entry_prepare(parent, addr, true));
	KUNIT_EXPECT_PTR_EQ(test, object, mine->object);
	KUNIT_EXPECT_FALSE(test, mine->needs_copy);
	machvm_map_put(child);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(slots_hold_one_page),
	KUNIT_CASE(delayed_copies_stand_in_the_order_of_time),
	KUNIT_CASE(a_copy_holds_its_source),
	KUNIT_CASE(a_long_chain_comes_and_goes),
	KUNIT_CASE(fork_shares_until_somebody_writes),
	{}
};

static struct kunit_suite object_suite = {
	.name = "machvm_object",
	.test_cases = object_cases,
};

kunit_test_suite(object_suite);
