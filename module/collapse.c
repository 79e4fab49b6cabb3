// SPDX-License-Identifier: GPL-2.0-only
/*
 * collapse.c - keeps chains of shadows short: an object that only the one above it needs is
 * merged into that.
 * Callers: object.c when a reference goes, copy.c when a shadow is made.
 * Never: waits for a pager; copies a page.
 * Locks: family->lock for writing, so no fault is looking; folio locks, one at a time.
 *
 * Pages that the upper object lacks move up; those that it has of its own are freed.  Paged out
 * or resident is all the same: of a page that is paged out, only the note where it lies moves.  A
 * translation to a page that moves stays right: it shows what the chain answers, before and
 * after.  One to a page that is freed was taken away when the upper object got its own.
 */
#include "object.h"
#include "page.h"

/* The only object above, if nothing else can look at @object. */
static struct machvm_object *sole_child(struct machvm_object *object, unsigned int refs)
{
	struct machvm_object *child;

	if (object->memobj || refcount_read(&object->refs) != refs ||
	    !list_is_singular(&object->children))
		return NULL;
	/* The source of a delayed copy pushes into it: it must stay what it is. */
	if (object->shadow && object->shadow->copy == object)
		return NULL;
	child = list_first_entry(&object->children, struct machvm_object, sibling);
	return child->memobj ? NULL : child;
}

/* Empties @object into @child.  Returns false if it could not be done to the end. */
static bool move_pages(struct machvm_object *object, struct machvm_object *child)
{
	u64 index = 0;
	int err = 0;

	while (!err && machvm_page_next_kept(object, &index, ULONG_MAX)) {
		struct folio *folio = machvm_page_lookup(object, index);
		u64 above = index - child->shadow_index;

		if (index < child->shadow_index || machvm_page_exists(child, above)) {
			machvm_page_purge(object, index, index);
		} else {
			if (folio)
				folio_lock(folio);
			err = machvm_page_move(object, index, child, above);
			if (folio)
				folio_unlock(folio);
		}
		index++;
	}
	return !err;
}

/* @child comes to lie on what @object lies on. */
static void bypass(struct machvm_object *object, struct machvm_object *child)
{
	struct machvm_object *below = object->shadow;

	list_del_init(&child->sibling);
	child->shadow = below;
	child->shadow_index += object->shadow_index;
	object->shadow = NULL;
	if (object->copy == child)
		object->copy = NULL;
	if (!below)
		return;
	list_del_init(&object->sibling);
	list_add(&child->sibling, &below->children);	/* with object's reference on it */
}

/**
 * machvm_object_collapse_locked - merge an object into the only one above it, if that is all
 * @object: referenced by the caller
 *
 * Context: family->lock held for writing.
 * Return: true if so: @object is empty and without kin, and the caller's reference is joined by
 * the one its child had; the caller drops both.
 */
bool machvm_object_collapse_locked(struct machvm_object *object)
{
	struct machvm_object *child;

	lockdep_assert_held_write(&object->family->lock);
	child = sole_child(object, 2);
	if (!child || !move_pages(object, child))
		return false;
	bypass(object, child);
	return true;
}
