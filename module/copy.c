// SPDX-License-Identifier: GPL-2.0-only
/*
 * copy.c - copy-on-write between objects: shadows, delayed copies, and who sees what.
 * Callers: mapcopy.c marks and copies; fault.c makes shadows and pushes; push.c pushes.
 * Never: waits for a pager.
 * Locks: family->lock for writing where the shape changes; family->mappers to find entries.
 *
 * A symmetric copy leaves both entries on one object, marked needs_copy: whoever writes first
 * gets a shadow of its own.  That needs an object that nobody writes to directly.  Where others
 * do (a memory object is mapped by many), a delayed copy is made: an empty object whose shadow is
 * the source and which the source knows as ->copy.  Whoever writes to a page of the source first
 * pushes the old page into it.  A newer delayed copy goes between the source and the older one,
 * so that the source pushes once and the older copy reads through the newer.  Nobody writes to a
 * delayed copy: entries point at it with needs_copy set.
 */
#include "mapper.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "pmap.h"

/* Somebody will go on writing to it directly, so a copy must be a delayed one. */
bool machvm_object_is_shared(struct machvm_object *object)
{
	return object->memobj || (object->flags & (MACHVM_OBJ_SHARED | MACHVM_OBJ_DIRECT));
}

/* Its pager would have copies made at once, not when something is written. */
bool machvm_object_copied_now(struct machvm_object *object)
{
	return object->memobj &&
	       READ_ONCE(object->memobj->copy_strategy) == MACHVM_COPY_NONE;
}

/* A fork has shared it, or a proxy was made of it: not every object that others may map, too. */
bool machvm_object_shows_shared(struct machvm_object *object)
{
	return object->flags & MACHVM_OBJ_SHARED;
}

/* Regions are about to go on writing to it directly: %MACHVM_OBJ_SHARED or %MACHVM_OBJ_DIRECT. */
void machvm_object_share(struct machvm_object *object, unsigned long how)
{
	down_write(&object->family->lock);
	object->flags |= how;
	up_write(&object->family->lock);
}

/* Takes the translations that the entries of @object have of [index, index + nr) away. */
void machvm_zap_mappers(struct machvm_object *object, u64 index, u64 nr)
{
	u64 last = index + nr - 1;
	struct machvm_entry *entry;

	mutex_lock(&object->family->mappers);
	machvm_for_each_mapper(entry, object, index, last) {
		u64 first = machvm_mapper_page(entry);
		u64 from = max(first, index);
		u64 end = min(machvm_mapper_last(entry), last) + 1;

		machvm_pmap_zap(entry->map, entry->start + ((from - first) << PAGE_SHIFT),
				entry->start + ((end - first) << PAGE_SHIFT));
	}
	mutex_unlock(&object->family->mappers);
}

static struct machvm_object *first_child(struct machvm_object *object)
{
	return list_first_entry_or_null(&object->children, struct machvm_object, sibling);
}

static struct machvm_object *next_sibling(struct machvm_object *object)
{
	if (list_is_last(&object->sibling, &object->shadow->children))
		return NULL;
	return list_next_entry(object, sibling);
}

/*
 * True if @child shows one of @nr pages of its shadow from @index on, having none of its own there.
 * Pages that lie before the first of the shadow have negative numbers.
 */
static bool object_sees(struct machvm_object *child, s64 index, u64 nr)
{
	s64 at = index - (s64)child->shadow_index;
	s64 end = at + (s64)nr;

	for (at = max_t(s64, at, 0); at < end; at++)
		if (!machvm_page_exists(child, at))
			return true;
	return false;
}

static void zap_mappers_from(struct machvm_object *object, s64 index, u64 nr)
{
	s64 first = max_t(s64, index, 0);

	machvm_zap_mappers(object, first, index + (s64)nr - first);
}

/*
 * The next object, depth first, that sees one of @nr pages of @at from *@index on, from above,
 * below or at @root; NULL after the last.  *@index becomes the page in its own count.  No
 * recursion.
 */
static struct machvm_object *next_viewer(struct machvm_object *root, struct machvm_object *at,
					 s64 *index, u64 nr)
{
	struct machvm_object *next = first_child(at);

	for (;;) {
		if (next && object_sees(next, *index, nr)) {
			*index -= next->shadow_index;
			return next;
		}
		if (next) {
			next = next_sibling(next);
			continue;
		}
		if (at == root)
			return NULL;
		next = next_sibling(at);
		*index += at->shadow_index;
		at = at->shadow;
	}
}

/**
 * machvm_zap_viewers_run_locked - take pages away from everyone who sees them through an object
 * @object: where they look first, or lower down
 * @index: first page of @object
 * @nr: how many; a few, as each is looked for
 *
 * That is the entries of @object, and those of the objects above it that lack one of them.
 * Context: family->lock held; so are the folio locks of the pages they see.
 */
void machvm_zap_viewers_run_locked(struct machvm_object *object, u64 index, u64 nr)
{
	struct machvm_object *at;
	s64 here = index;

	lockdep_assert_held(&object->family->lock);
	for (at = object; at; at = next_viewer(object, at, &here, nr))
		zap_mappers_from(at, here, nr);
}

static bool wired_mapper(struct machvm_object *object, u64 index)
{
	struct machvm_entry *entry;
	bool found = false;

	mutex_lock(&object->family->mappers);
	machvm_for_each_mapper(entry, object, index, index) {
		found = entry->wired;
		if (found)
			break;
	}
	mutex_unlock(&object->family->mappers);
	return found;
}

/**
 * machvm_page_wired_locked - must a page stay where it is
 * @object: the object that has it
 * @index: page of @object
 *
 * It must if a wired region of any task shows it.  That is found out from the regions, so there
 * is no count that could go wrong.
 * Context: family->lock held; for writing, if the page is to be taken away: then the answer holds
 * until it is released.
 */
bool machvm_page_wired_locked(struct machvm_object *object, u64 index)
{
	struct machvm_object *at;
	s64 here = index;

	lockdep_assert_held(&object->family->lock);
	if (!READ_ONCE(object->family->nr_wired))
		return false;
	for (at = object; at; at = next_viewer(object, at, &here, 1))
		if (wired_mapper(at, here))
			return true;
	return false;
}

void machvm_zap_viewers_locked(struct machvm_object *object, u64 index)
{
	machvm_zap_viewers_run_locked(object, index, 1);
}

/* True if one entry, and nothing above, looks at the object. */
bool machvm_object_single_view(struct machvm_object *object)
{
	bool single;

	mutex_lock(&object->family->mappers);
	single = machvm_mapper_single_locked(object) && list_empty(&object->children);
	mutex_unlock(&object->family->mappers);
	return single;
}

static void object_set_shadow(struct machvm_object *object, struct machvm_object *shadow,
			      u64 shadow_index)
{
	lockdep_assert_held_write(&object->family->lock);
	object->shadow = shadow;
	object->shadow_index = shadow_index;
	object->hidden = 0;
	list_add(&object->sibling, &shadow->children);
}

/* The entry leaves its object for @top, whose shadow that becomes. */
static void entry_move_up(struct machvm_entry *entry, struct machvm_object *top)
{
	struct machvm_object *below = entry->object;

	object_set_shadow(top, below, entry->offset >> PAGE_SHIFT);
	if (!entry->fresh_ident) {
		top->ident = below->ident;
		top->ident_index = below->ident_index + top->shadow_index;
	}
	mutex_lock(&below->family->mappers);
	machvm_mapper_remove_locked(entry);
	entry->object = top;	/* the reference on below is the shadow's now */
	entry->offset = 0;
	machvm_mapper_add_locked(entry);
	machvm_object_reach(top, entry->end - entry->start);
	mutex_unlock(&below->family->mappers);
}

/**
 * machvm_entry_shadow_locked - give an entry an object that it may write to
 * @entry: marked needs_copy, its map locked for writing
 * @spare: an object in the family; used up, and set to NULL, if one is needed
 *
 * The sole user of an object needs no shadow, unless the object is a delayed copy (its source
 * pushes into it) or its futex identity is somebody else's.  Before, and before another level comes
 * to lie on it, the object is rid of users that do not need it, and of what it does not need.
 */
void machvm_entry_shadow_locked(struct machvm_entry *entry, struct machvm_object **spare)
{
	struct machvm_object *object = entry->object;
	bool sole;

	lockdep_assert_held_write(&entry->map->lock);
	machvm_object_shorten(object);
	down_write(&object->family->lock);
	sole = refcount_read(&object->refs) == 1 && !machvm_object_is_shared(object) &&
	       !entry->fresh_ident && !(object->shadow && object->shadow->copy == object);
	if (!sole) {
		entry_move_up(entry, *spare);
		*spare = NULL;
	}
	entry->needs_copy = false;
	entry->fresh_ident = false;
	up_write(&object->family->lock);
}

/* Whoever gets the copy may look at all that @other shows, and as far as @end. */
static void reach_as(struct machvm_object *copy, struct machvm_object *other, u64 end)
{
	mutex_lock(&other->family->mappers);
	machvm_object_reach(copy, max(other->size, end));
	mutex_unlock(&other->family->mappers);
}

/**
 * machvm_object_copy_delayed - a copy of an object that others go on writing to
 * @source: the object, referenced by the caller
 * @end: byte that the caller is going to show it up to; 0 for as much as the source shows
 * @spare: an object in its family; used up, and set to NULL, if one is needed
 *
 * A copy into which nothing was pushed yet still shows what the source shows, and serves again.
 * Otherwise write access to the source is taken away, so that the next write pushes, and the copy
 * that is replaced, which gets no more pages, is a shadow like others.
 * Return: the copy, with a reference for the caller.  Its indices are those of @source.
 */
struct machvm_object *machvm_object_copy_delayed(struct machvm_object *source, u64 end,
						 struct machvm_object **spare)
{
	struct machvm_object *older, *copy;

	down_write(&source->family->lock);
	older = source->copy;
	if (older && machvm_object_is_empty(older) && machvm_object_tryget(older)) {
		reach_as(older, source, end);
		up_write(&source->family->lock);
		return older;
	}
	copy = *spare;
	*spare = NULL;
	if (older) {
		/* Alive, or dying and about to wait for our lock to untie itself. */
		list_del_init(&older->sibling);
		object_set_shadow(copy, source, 0);	/* older's reference on source */
		object_set_shadow(older, machvm_object_get(copy), 0);
		reach_as(copy, older, 0);
	} else {
		object_set_shadow(copy, machvm_object_get(source), 0);
	}
	source->copy = copy;
	reach_as(copy, source, end);
	if (older && !machvm_object_tryget(older))
		older = NULL;
	machvm_zap_mappers(source, 0, (U64_MAX >> PAGE_SHIFT) + 1);
	up_write(&source->family->lock);
	if (older) {
		machvm_object_shorten(older);
		machvm_object_put(older);
	}
	return copy;
}

/**
 * machvm_object_copy - a delayed copy
 * @source: the object, referenced by the caller
 * @end: byte that the caller is going to show it up to
 *
 * The source remembers nothing of @end: a call that fails after this leaves it as it was.
 * Return: the copy, with a reference for the caller; NULL if there is no memory.
 */
struct machvm_object *machvm_object_copy(struct machvm_object *source, u64 end)
{
	struct machvm_object *spare = machvm_object_create_kin(source, source->user);
	struct machvm_object *copy;

	if (!spare)
		return NULL;
	copy = machvm_object_copy_delayed(source, end, &spare);
	if (spare)
		machvm_object_put(spare);
	return copy;
}

/* True if the page must go into the delayed copy before it may be written. */
bool machvm_push_wanted_locked(struct machvm_object *source, u64 index)
{
	lockdep_assert_held(&source->family->lock);
	return source->copy && !machvm_page_exists(source->copy, index);
}

/**
 * machvm_push_locked - put the old contents of a page into the delayed copy
 * @source: the object, whose page is wanted in its copy
 * @index: the page
 * @folio: the page itself, locked
 * @spare: where the contents go; consumed on success
 *
 * Context: family->lock held.
 * Return: 0, -EBUSY (somebody else was first), -ENOMEM.
 */
int machvm_push_locked(struct machvm_object *source, u64 index, struct folio *folio,
		       struct folio *spare)
{
	int err;

	copy_highpage(folio_page(spare, 0), folio_page(folio, 0));
	machvm_page_set(spare, MACHVM_PAGE_DIRTY);
	err = machvm_page_insert(source->copy, index, spare);
	if (!err)
		machvm_zap_viewers_locked(source->copy, index);
	return err;
}

/* Is any page of the range in use by a device, or by a system call?  Its translations are gone. */
bool machvm_object_pinned(struct machvm_object *object, u64 index, u64 nr)
{
	bool pinned;

	down_read(&object->family->lock);
	pinned = machvm_page_next_pinned(object, &index, index + nr - 1);
	up_read(&object->family->lock);
	return pinned;
}
