// SPDX-License-Identifier: GPL-2.0-only
/*
 * pageout.c - takes pages out: internal ones to the store, those that a pager has by dropping them.
 * Callers: dev.c for a range of a task; reclaim.c for want of memory.
 * Never: asks a pager, or waits for one; takes a page that anybody else holds.
 * Locks: map->lock for reading to find objects; family->lock for writing, then the folio locks of
 * a run, all but the first of them by trylock.
 *
 * What a page must go through: its folio lock, all translations away, the reference count frozen
 * at exactly ours, the copy, and only then the place of the store in its slot.  A count that is
 * higher says that an I/O may be on its way into the page, whose data would come after the copy:
 * such a page stays.
 *
 * A page of a memory object that is as its pager gave it needs no copy: who wants it next asks for
 * it again.  It goes only while there is a pager that would answer.  What the page was locked
 * against is forgotten with it, as the pager says it anew.
 */
#include "pageout.h"
#include "cgroup.h"
#include "laundry.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "store.h"

/* Pages that leave together: one zap takes a run of neighbours away. */
#define RUN_PAGES 16

/* Looked at for a run, without letting others in. */
#define LOOK_PAGES 256

struct leaving {
	u64 index;
	struct folio *folio;	/* locked; NULL: stays */
	struct machvm_store_slot slot;
	bool gone;
};

/* Takes all translations away, of neighbours at once. */
static void run_zap(struct machvm_object *object, struct leaving *run, unsigned int nr)
{
	unsigned int first, end;

	for (first = 0; first < nr; first = end) {
		end = first + 1;
		if (!run[first].folio)
			continue;
		while (end < nr && run[end].folio && run[end].index == run[end - 1].index + 1)
			end++;
		machvm_zap_viewers_run_locked(object, run[first].index, end - first);
	}
}

static bool is_meant(struct folio *folio, const struct machvm_pageout *which)
{
	return (!which->user || machvm_page_user(folio) == which->user) &&
	       (!which->cgroup || machvm_cgroup_of(folio) == which->cgroup) &&
	       !(which->unpaid && machvm_cgroup_of(folio));
}

/* True if the page is not to go yet: it has been used, or may have been. */
static bool is_given_a_chance(struct folio *folio, const struct machvm_pageout *which)
{
	if (!which->second_chance || machvm_page_test(folio, MACHVM_PAGE_INACTIVE))
		return false;
	machvm_page_set(folio, MACHVM_PAGE_INACTIVE);
	return true;
}

enum fate {
	STAYS,
	LOSES_TRANSLATIONS,
	LEAVES,
};

/* What its pager is to get before it goes: who called sees to that. */
static enum fate owed(struct machvm_pageout *which, u64 index)
{
	which->owed_first = which->owed_end ? min(which->owed_first, index) : index;
	which->owed_end = max(which->owed_end, index + 1);
	return STAYS;
}

static enum fate fate_of(struct machvm_object *object, u64 index, struct folio *folio,
			 struct machvm_pageout *which)
{
	if (!is_meant(folio, which) || machvm_page_wired_locked(object, index))
		return STAYS;
	if (machvm_page_test(folio, MACHVM_PAGE_RETURNED)) {
		which->pending = true;
		return STAYS;
	}
	if (is_given_a_chance(folio, which))
		return LOSES_TRANSLATIONS;
	return machvm_laundry_owes(object, folio) ? owed(which, index) : LEAVES;
}

/*
 * Looks at the next resident pages of [*index, last].  Those that get a second chance lose their
 * translations, so that their next use is noticed.
 * Return: how many are to go.
 */
static noinline_for_stack unsigned int run_pick(struct machvm_object *object, u64 *index, u64 last,
						struct machvm_pageout *which, struct leaving *run)
{
	unsigned long enough = which->looked + LOOK_PAGES;
	struct leaving used[RUN_PAGES];
	unsigned int nr = 0, nr_used = 0;

	down_read(&object->family->lock);
	while (nr < RUN_PAGES && nr_used < RUN_PAGES && which->looked < enough && *index <= last) {
		struct folio *folio = machvm_page_next(object, index, last);

		if (!folio) {
			*index = last + 1;
			break;
		}
		which->looked++;
		switch (fate_of(object, *index, folio, which)) {
		case LOSES_TRANSLATIONS:
			used[nr_used++] = (struct leaving){ *index, folio };
			break;
		case LEAVES:
			run[nr++] = (struct leaving){ *index };
			break;
		case STAYS:
			break;
		}
		++*index;
	}
	run_zap(object, used, nr_used);
	up_read(&object->family->lock);
	return nr;
}

/* Room in the store, for the first of the run at least; returns for how many. */
static unsigned int run_reserve(struct leaving *run, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (machvm_store_reserve(&run[i].slot))
			break;
	return i;
}

static void run_lock(struct machvm_object *object, struct leaving *run, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct folio *folio = machvm_page_lookup(object, run[i].index);

		if (folio && !machvm_page_wired_locked(object, run[i].index) &&
		    folio_trylock(folio))
			run[i].folio = folio;
	}
}

static void run_store(struct machvm_object *object, struct leaving *run, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct folio *folio = run[i].folio;

		if (!folio)
			continue;
		if (folio_ref_freeze(folio, 1)) {
			machvm_store_fill(&run[i].slot, folio);
			run[i].gone = !machvm_page_out(object, run[i].index, folio,
						       run[i].slot.place);
			folio_ref_unfreeze(folio, 1);
		}
		folio_unlock(folio);
		if (run[i].gone)
			machvm_page_free(folio);
	}
}

/* The pages go to the store, as far as it has room. */
static unsigned long run_pageout(struct machvm_object *object, struct leaving *run,
				 unsigned int nr)
{
	unsigned long gone = 0;
	unsigned int i;

	down_write(&object->family->lock);
	run_lock(object, run, nr);
	run_zap(object, run, nr);
	run_store(object, run, nr);
	up_write(&object->family->lock);
	for (i = 0; i < nr; i++) {
		if (run[i].gone)
			machvm_store_commit(&run[i].slot, object, run[i].index);
		else
			machvm_store_cancel(&run[i].slot);
		gone += run[i].gone;
	}
	return gone;
}

/* Takes out those that are still as their pager has them. */
static void run_drop(struct machvm_object *object, struct leaving *run, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		run[i].gone = run[i].folio &&
			      machvm_laundry_drop(object, run[i].index, run[i].folio);
}

/* The pages of a memory object go, unless it was given up meanwhile. */
static unsigned long run_evict(struct machvm_object *object, struct leaving *run, unsigned int nr)
{
	unsigned long gone = 0;
	unsigned int i;

	down_write(&object->family->lock);
	if (!(object->flags & MACHVM_OBJ_DESTROYED)) {
		run_lock(object, run, nr);
		run_zap(object, run, nr);
		run_drop(object, run, nr);
	}
	up_write(&object->family->lock);
	for (i = 0; i < nr; i++)
		gone += run[i].gone;
	return gone;
}

/**
 * machvm_object_pageout - page out the next run of resident pages
 * @object: referenced by the caller
 * @index: where to begin; moves past what was looked at, beyond @last at the end
 * @last: last page to look at
 * @which: which pages; tells what came of it
 *
 * Context: none of our locks held; may sleep for memory.
 * Return: how many pages were taken out.  Without memory for a single one, or a pager to have them
 * back from, *@index is at the end.
 */
unsigned long machvm_object_pageout(struct machvm_object *object, u64 *index, u64 last,
				    struct machvm_pageout *which)
{
	struct leaving run[RUN_PAGES];
	unsigned int picked, nr;

	if (object->memobj && !machvm_memobj_answers(object->memobj)) {
		*index = last + 1;
		return 0;
	}
	picked = run_pick(object, index, last, which, run);
	if (object->memobj)
		return picked ? run_evict(object, run, picked) : 0;
	nr = run_reserve(run, picked);
	if (nr < picked)
		*index = nr ? run[nr].index : last + 1;
	return nr ? run_pageout(object, run, nr) : 0;
}

/* A batch of machvm_object_is_idle().  Returns false if it is not; *index moves. */
static bool batch_is_idle(struct machvm_object *object, u64 *index,
			  const struct machvm_pageout *which)
{
	struct folio *folio;
	unsigned int i;
	bool idle = true;

	down_read(&object->family->lock);
	for (i = 0; idle && i < LOOK_PAGES; i++, ++*index) {
		folio = machvm_page_next(object, index, MACHVM_PAGE_INDEX_MAX);
		if (!folio) {
			*index = MACHVM_PAGE_INDEX_MAX + 1;
			break;
		}
		idle = is_meant(folio, which) && !machvm_laundry_owes(object, folio);
	}
	up_read(&object->family->lock);
	return idle;
}

/* True if all pages of a memory object are meant, and can be had from its pager again. */
bool machvm_object_is_idle(struct machvm_object *object, const struct machvm_pageout *which)
{
	u64 index = 0;

	if (!machvm_memobj_answers(object->memobj))
		return false;
	while (index <= MACHVM_PAGE_INDEX_MAX) {
		if (!batch_is_idle(object, &index, which) || fatal_signal_pending(current))
			return false;
		cond_resched();
	}
	return true;
}

/* The object below, with a reference, in exchange for that on @object. */
static struct machvm_object *step_down(struct machvm_object *object, u64 *index)
{
	struct machvm_object *below;

	down_read(&object->family->lock);
	below = object->shadow;
	if (below) {
		machvm_object_get(below);
		*index += object->shadow_index;
	}
	up_read(&object->family->lock);
	machvm_object_put(object);
	return below;
}

/* All objects of a chain, of which a reference is consumed.  Returns 0 or -EINTR. */
static int chain_pageout(struct machvm_object *object, u64 index, u64 nr, u64 *pages)
{
	struct machvm_pageout all = {};

	for (; object; object = step_down(object, &index)) {
		u64 at = index;

		while (!object->memobj && at < index + nr) {
			if (fatal_signal_pending(current)) {
				machvm_object_put(object);
				return -EINTR;
			}
			*pages += machvm_object_pageout(object, &at, index + nr - 1, &all);
		}
	}
	return 0;
}

/**
 * machvm_vm_pageout - page out the internal memory that a range shows
 * @map: whose
 * @addr: bytes
 * @length: bytes
 * @pages: out: how many pages went out, of whatever object of the chains they were
 *
 * Holes, pages of memory objects, wired pages, and those that somebody else holds are passed over.
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS for a range that wraps, -EINTR.
 */
int machvm_vm_pageout(struct machvm_map *map, u64 addr, u64 length, u64 *pages)
{
	struct machvm_entry *entry;
	int err = 0;
	u64 end;

	*pages = 0;
	if (check_add_overflow(addr, length, &end))
		return MACHVM_KERN_INVALID_ADDRESS;
	while (addr < end && !err) {
		struct machvm_object *object = NULL;
		u64 index = 0, nr = 0;

		if (down_read_killable(&map->lock))
			return -EINTR;
		entry = machvm_map_next_locked(map, addr);
		if (entry && entry->start < end) {
			u64 start = max(entry->start, addr), stop = min(entry->end, end);

			object = entry->object ? machvm_object_get(entry->object) : NULL;
			index = machvm_entry_offset(entry, start) >> PAGE_SHIFT;
			nr = ((stop - 1) >> PAGE_SHIFT) - (start >> PAGE_SHIFT) + 1;
			addr = stop;
		} else {
			addr = end;
		}
		up_read(&map->lock);
		err = chain_pageout(object, index, nr, pages);
	}
	return err;
}
