// SPDX-License-Identifier: GPL-2.0-only
/*
 * collapse.c - keeps chains of shadows short: an object that only the one above it needs is
 * merged into that, and one above that needs nothing of it lets go of it.
 * Callers: object.c when a reference goes, copy.c when a shadow or a delayed copy is made.
 * Never: waits for a pager; copies a page.
 * Locks: family->lock for writing, so no fault is looking; folio locks, one at a time.
 *
 * Merging: pages that the upper object lacks move up; those that it has of its own, or that nobody
 * can see through it, are freed.  Paged out or resident is all the same: of a page that is paged
 * out, only the note where it lies moves.  A translation to a page that moves stays right: it shows
 * what the chain answers, before and after.  One to a page that is freed was taken away when the
 * upper object got its own.
 *
 * Letting go: no page changes its place, nor what anybody sees, so translations stay.  It needs
 * nobody's consent: who is below has one user less, and perhaps only one then, or none.  But the
 * source of a delayed copy pushes into it what those above the copy are going to need: neither it
 * nor they may look past one another.
 */
#include "object.h"
#include "page.h"
#include "stats.h"

/* How much is looked at in one call, so that nobody holds up a family for long. */
#define PAGES_MAX 1024
#define CHILDREN_MAX 16

/* The source below pushes into it: it must stay what and where it is. */
static bool is_delayed_copy(struct machvm_object *object)
{
	return object->shadow && object->shadow->copy == object;
}

/* Pages of the object, from the first on, that somebody may look at. */
static u64 pages_shown(struct machvm_object *object)
{
	u64 nr;

	mutex_lock(&object->family->mappers);
	nr = PAGE_ALIGN(object->size) >> PAGE_SHIFT;
	mutex_unlock(&object->family->mappers);
	return nr;
}

/* The only object above, if nothing else can look at @object. */
static struct machvm_object *sole_child(struct machvm_object *object, unsigned int refs)
{
	struct machvm_object *child;

	if (object->memobj || refcount_read(&object->refs) != refs ||
	    !list_is_singular(&object->children) || is_delayed_copy(object))
		return NULL;
	child = list_first_entry(&object->children, struct machvm_object, sibling);
	return child->memobj ? NULL : child;
}

/* Empties @object into @child.  Returns false if it could not be done to the end. */
static bool move_pages(struct machvm_object *object, struct machvm_object *child)
{
	u64 nr = pages_shown(child);
	u64 index = 0;
	int err = 0;

	while (!err && machvm_page_next_kept(object, &index, ULONG_MAX)) {
		struct folio *folio = machvm_page_lookup(object, index);
		u64 above = index - child->shadow_index;

		if (index < child->shadow_index || above >= nr ||
		    machvm_page_exists(child, above)) {
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

/*
 * @object comes to lie on @below, which may be NULL, and of which it has a reference then.  Its
 * page 0 was page 0 of another object so far, which is page @index of @below.
 */
static void lie_on(struct machvm_object *object, struct machvm_object *below, u64 index)
{
	list_del_init(&object->sibling);
	object->shadow = below;
	object->shadow_index += index;
	object->hidden = 0;
	if (below)
		list_add(&object->sibling, &below->children);
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
	struct machvm_object *child, *below = object->shadow;

	lockdep_assert_held_write(&object->family->lock);
	child = sole_child(object, 2);
	if (!child)
		return false;
	atomic_inc(&child->gains);	/* for those above */
	if (!move_pages(object, child))
		return false;
	list_del_init(&object->sibling);
	object->shadow = NULL;
	if (object->copy == child)
		object->copy = NULL;
	lie_on(child, below, object->shadow_index);	/* with object's reference on it */
	machvm_count(MACHVM_STAT_COLLAPSES, 1);
	return true;
}

/*
 * Does @object have a page of its own wherever its shadow has one that could be seen through it?
 * It goes on where it stopped, as pages that are hidden stay so: an object that somebody looks
 * through loses no page.  But if its shadow has gained some, be it of zeroes that @object would
 * show anyway, there may be translations to them.
 */
static bool hides_shadow(struct machvm_object *object, u64 nr)
{
	struct machvm_object *shadow = object->shadow;
	int gains = atomic_read(&shadow->gains);
	u64 first = object->shadow_index, at;
	unsigned int looked;

	if (shadow->memobj || is_delayed_copy(shadow))
		return false;
	if (object->hidden_gains != gains)
		object->hidden = 0;
	object->hidden_gains = gains;
	at = first + object->hidden;
	for (looked = 0; machvm_page_next_kept(shadow, &at, first + nr - 1); at++, looked++) {
		object->hidden = at - first;
		if (looked == PAGES_MAX || !machvm_page_exists(object, at - first))
			return false;
	}
	return true;
}

/**
 * bypass_locked - let an object go of the one below, if it needs nothing of that
 * @object: the object
 *
 * One that has all the pages it can show needs nobody below.
 * Return: the object below, with the reference that was @object's, to be dropped with no lock
 * held; NULL if it stays.
 */
static struct machvm_object *bypass_locked(struct machvm_object *object)
{
	struct machvm_object *shadow = object->shadow, *below = NULL;
	u64 nr = pages_shown(object);

	lockdep_assert_held_write(&object->family->lock);
	if (!shadow || !nr || is_delayed_copy(object))
		return NULL;
	if (!machvm_page_full(object, nr)) {
		if (!hides_shadow(object, nr))
			return NULL;
		below = shadow->shadow ? machvm_object_get(shadow->shadow) : NULL;
	}
	lie_on(object, below, shadow->shadow_index);
	machvm_count(MACHVM_STAT_BYPASSES, 1);
	return shadow;
}

/**
 * machvm_object_shed_locked - rid an object of those above that need nothing of it
 * @object: referenced by the caller
 *
 * A few at a time; each comes to its turn.
 * Context: family->lock held for writing.
 */
void machvm_object_shed_locked(struct machvm_object *object)
{
	struct machvm_object *child, *next;
	unsigned int looked = 0;

	list_rotate_left(&object->children);
	list_for_each_entry_safe(child, next, &object->children, sibling) {
		if (looked++ == CHILDREN_MAX)
			break;
		if (bypass_locked(child))
			machvm_object_put_shared(object);	/* what was the child's */
	}
}

/**
 * machvm_object_shorten - rid an object of those above that do not need it, and of those below
 * that it does not need
 * @object: referenced by the caller
 *
 * Context: none of our locks but map->lock may be held.
 */
void machvm_object_shorten(struct machvm_object *object)
{
	struct machvm_object *gone;

	down_write(&object->family->lock);
	machvm_object_shed_locked(object);
	gone = bypass_locked(object);
	up_write(&object->family->lock);
	while (gone) {
		machvm_object_put(gone);
		down_write(&object->family->lock);
		gone = bypass_locked(object);
		up_write(&object->family->lock);
	}
}
