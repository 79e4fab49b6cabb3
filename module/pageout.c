// SPDX-License-Identifier: GPL-2.0-only
/*
 * pageout.c - takes pages of internal objects out to the store.
 * Callers: dev.c for a range of a task; reclaim.c for want of memory.
 * Never: asks a pager; takes a page that anybody else holds.
 * Locks: map->lock for reading to find objects; family->lock for writing, then the folio locks of
 * a run, all but the first of them by trylock.
 *
 * What a page must go through: its folio lock, all translations away, the reference count frozen
 * at exactly ours, the copy, and only then the place of the store in its slot.  A count that is
 * higher says that an I/O may be on its way into the page, whose data would come after the copy:
 * such a page stays.
 */
#include "pageout.h"
#include "cgroup.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "store.h"

/* Pages that leave together: one zap takes a run of neighbours away. */
#define RUN_PAGES 16

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
	       (!which->cgroup || machvm_cgroup_of(folio) == which->cgroup);
}

/* True if the page is not to go yet: it has been used, or may have been. */
static bool is_given_a_chance(struct folio *folio, const struct machvm_pageout *which)
{
	if (!which->second_chance || machvm_page_test(folio, MACHVM_PAGE_INACTIVE))
		return false;
	machvm_page_set(folio, MACHVM_PAGE_INACTIVE);
	return true;
}

/*
 * Looks at the next resident pages of [*index, last].  Those that get a second chance lose their
 * translations, so that their next use is noticed.
 * Return: how many are to go.
 */
static unsigned int run_pick(struct machvm_object *object, u64 *index, u64 last,
			     const struct machvm_pageout *which, struct leaving *run)
{
	struct leaving used[RUN_PAGES];
	unsigned int nr = 0, nr_used = 0;

	down_read(&object->family->lock);
	while (nr < RUN_PAGES && nr_used < RUN_PAGES && *index <= last) {
		struct folio *folio = machvm_page_next(object, index, last);

		if (!folio) {
			*index = last + 1;
			break;
		}
		if (is_meant(folio, which) && !machvm_page_wired_locked(object, *index)) {
			if (is_given_a_chance(folio, which))
				used[nr_used++] = (struct leaving){ *index, folio };
			else
				run[nr++] = (struct leaving){ *index };
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

static void run_take(struct machvm_object *object, struct leaving *run, unsigned int nr)
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

/**
 * machvm_object_pageout - page out the next run of resident pages
 * @object: internal, referenced by the caller
 * @index: where to begin; moves past what was looked at, beyond @last at the end
 * @last: last page to look at
 * @which: which pages
 *
 * Context: none of our locks held; may sleep for memory.
 * Return: how many pages were taken out.  Without memory for a single one, *@index is at the end.
 */
unsigned long machvm_object_pageout(struct machvm_object *object, u64 *index, u64 last,
				    const struct machvm_pageout *which)
{
	struct leaving run[RUN_PAGES];
	unsigned int picked = run_pick(object, index, last, which, run), nr, i;
	unsigned long gone = 0;

	nr = run_reserve(run, picked);
	if (nr < picked)
		*index = nr ? run[nr].index : last + 1;
	if (!nr)
		return 0;
	down_write(&object->family->lock);
	run_lock(object, run, nr);
	run_zap(object, run, nr);
	run_take(object, run, nr);
	up_write(&object->family->lock);
	for (i = 0; i < nr; i++) {
		if (run[i].gone)
			machvm_store_commit(&run[i].slot);
		else
			machvm_store_cancel(&run[i].slot);
		gone += run[i].gone;
	}
	return gone;
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
	static const struct machvm_pageout all = {};

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
