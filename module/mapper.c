// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapper.c - who shows a page of an object: an interval tree of the entries that point at it.
 * Callers: map.c, copy.c put entries in and take them out; whoever takes pages away looks.
 * Never: changes an entry.
 * Locks: family->mappers is the caller's.
 *
 * An object can have as many entries as a map has regions, when a program gives back every second
 * page of what it has allocated.
 */
#include "mapper.h"

INTERVAL_TREE_DEFINE(struct machvm_entry, mapper, u64, mappers_last, machvm_mapper_page,
		     machvm_mapper_last, static, mappers)

/* The object and the pages of it that the entry shows stay the same until it is removed. */
void machvm_mapper_add_locked(struct machvm_entry *entry)
{
	struct machvm_object *object = entry->object;

	lockdep_assert_held(&object->family->mappers);
	mappers_insert(entry, &object->mappers);
}

/* It may have been removed already. */
void machvm_mapper_remove_locked(struct machvm_entry *entry)
{
	struct machvm_object *object = entry->object;

	lockdep_assert_held(&object->family->mappers);
	if (RB_EMPTY_NODE(&entry->mapper))
		return;
	mappers_remove(entry, &object->mappers);
	RB_CLEAR_NODE(&entry->mapper);
}

/* An entry that shows one of the pages [first, last], and then the others one by one. */
struct machvm_entry *machvm_mapper_first_locked(struct machvm_object *object, u64 first, u64 last)
{
	lockdep_assert_held(&object->family->mappers);
	return mappers_iter_first(&object->mappers, first, last);
}

struct machvm_entry *machvm_mapper_next_locked(struct machvm_entry *entry, u64 first, u64 last)
{
	return mappers_iter_next(entry, first, last);
}

/* True if just one entry points at the object. */
bool machvm_mapper_single_locked(struct machvm_object *object)
{
	struct rb_node *root = object->mappers.rb_root.rb_node;

	lockdep_assert_held(&object->family->mappers);
	return root && !root->rb_left && !root->rb_right;
}
