// SPDX-License-Identifier: GPL-2.0-only
/*
 * reclaim.c - memory for who finds none: other pages are paged out, by whoever wants one.
 * Callers: fault.c and fetch.c; push.c, under map->lock; shrinker.c for Linux.
 * Never: waits for a pager.
 * Locks: those of pageout.c and of machvm_object_put().
 *
 * First go memory objects that nothing maps, whole, if their pagers have all there is in them.
 *
 * Then two clocks, over all objects with a pager and over all without.  Where a hand comes by, a
 * page loses its translations; if it was not asked for again when the hand is back, it goes.  The
 * hands move by turns, a little way at first, and all the way round only if that was not enough:
 * so what is not in use goes before what is, and of either what a pager has goes before what must
 * be written.  Several tasks may move the hands at once; what they then look at twice, or leave for
 * the next turn, matters to nobody.
 *
 * What a pager lacks is returned to it by a lock request of the kernel's own, one an object at a
 * time, and goes when it has been taken, see laundry.c.  Nobody here waits for that.  Who has found
 * nothing else may, with no lock held, unless he is a pager himself.  As long as pagers get on he
 * does not search far: there is less to be found than what they are about to make room for.
 */
#include "cache.h"
#include "cgroup.h"
#include "laundry.h"
#include "lock.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "pageout.h"
#include "port.h"
#include "stats.h"
#include "store.h"
#include "user.h"

/* So many pages at a time, that a program does not come here for each of its pages. */
#define RECLAIM_PAGES 64

/* Times that nothing may be found: others may have been faster, and have made room for all. */
#define PATIENCE 3

/* Cached objects that are looked at for one that may go. */
#define CACHED_MAX 16

/*
 * Pages that each hand passes in a turn.  The last three go to the end: of what is left of a round,
 * of one that gives second chances, and of one that takes what did not use them.
 */
static const unsigned long turns[] = { 1024, 16384, ULONG_MAX, ULONG_MAX, ULONG_MAX };
#define NEAR_TURNS 2	/* of those, that have an end */

struct clock {
	bool external;	/* its objects have pagers */
	u64 hand;	/* number of the object that is next; any value will do */
};

static struct clock external = { .external = true }, internal;

/*
 * Has those of the pages returned that their pager must get first.  A thread does it.  Those of a
 * bank are on their way already.
 */
static void launder(struct machvm_memobj *memobj, struct machvm_pageout *which)
{
	const struct machvm_lock_order order = {
		.offset = which->owed_first << PAGE_SHIFT,
		.length = (which->owed_end - which->owed_first) << PAGE_SHIFT,
		.should_return = MACHVM_RETURN_ALL,
		.locks = MACHVM_PROT_NO_CHANGE,
		.evict = true,
	};

	if (!which->owed_end)
		return;
	which->owed_end = 0;
	if (atomic_read(&memobj->nr_jobs)) {
		which->pending = true;
	} else if (!memobj->bank && !machvm_job_start(memobj, &order, NULL)) {
		which->pending = true;
		machvm_memobj_advance_later(memobj);
	}
}

/* Pages out of one object, from where its own hand stands.  True if that has reached the end. */
static bool reclaim_object(struct machvm_object *object, struct machvm_pageout *which,
			   unsigned long want, unsigned long enough, unsigned long *gone)
{
	u64 index = READ_ONCE(object->hand);
	bool over;

	while (*gone < want && which->looked < enough && index <= MACHVM_PAGE_INDEX_MAX &&
	       !fatal_signal_pending(current)) {
		*gone += machvm_object_pageout(object, &index, MACHVM_PAGE_INDEX_MAX, which);
		cond_resched();
	}
	if (object->memobj)
		launder(object->memobj, which);
	over = index > MACHVM_PAGE_INDEX_MAX;
	WRITE_ONCE(object->hand, over ? 0 : index);
	return over;
}

/*
 * Moves a hand until enough pages have gone, or been looked at, or the last object was.
 * Return: how many went.
 */
static unsigned long sweep(struct clock *clock, struct machvm_pageout *which, unsigned long want,
			   unsigned long most)
{
	unsigned long gone = 0, enough = most > ULONG_MAX - which->looked ? ULONG_MAX :
								which->looked + most;
	u64 id = READ_ONCE(clock->hand);

	while (gone < want && which->looked < enough && !fatal_signal_pending(current)) {
		struct machvm_object *object = machvm_object_first(id);
		bool over = true;

		if (!object) {
			id = 0;
			break;
		}
		if (clock->external == !!object->memobj && atomic_long_read(&object->resident))
			over = reclaim_object(object, which, want, enough, &gone);
		if (clock->external && object->memobj &&
		    machvm_cache_recount(object->memobj, object))
			machvm_cache_drop(object->memobj);
		id = object->id + over;
		machvm_object_put(object);
		cond_resched();
	}
	WRITE_ONCE(clock->hand, id);
	return gone;
}

/* Memory with a pager is there at all. */
static bool has_external(void)
{
	return machvm_stat_sum(MACHVM_STAT_RESIDENT_PERM) > 0;
}

/* As sweep(), both hands. */
static unsigned long turn(struct machvm_pageout *which, unsigned long want, unsigned long most)
{
	unsigned long gone = 0;

	if (has_external())
		gone = sweep(&external, which, want, most);
	if (gone < want && machvm_store_has_room())
		gone += sweep(&internal, which, want - gone, most);
	return gone;
}

/* Ends an incarnation that is in the cache, if that makes nobody wait.  Returns its pages. */
static unsigned long drop_cached(struct machvm_memobj *memobj, const struct machvm_pageout *which)
{
	struct machvm_object *object = machvm_memobj_object(memobj);
	unsigned long pages = 0;

	if (!object)
		return 0;
	if (machvm_cache_has(memobj) && machvm_object_is_idle(object, which)) {
		pages = atomic_long_read(&object->resident);
		if (!machvm_cache_drop(memobj))
			pages = 0;
	}
	machvm_object_put(object);	/* and with it they go */
	return pages;
}

/* Ends incarnations that nothing maps, oldest first.  Returns how many pages went. */
static unsigned long reclaim_cached(const struct machvm_pageout *which, unsigned long want)
{
	struct machvm_memobj *memobjs[CACHED_MAX];
	unsigned int i, nr = machvm_cache_oldest(memobjs, CACHED_MAX);
	unsigned long gone = 0;

	for (i = 0; i < nr; i++) {
		if (gone < want)
			gone += drop_cached(memobjs[i], which);
		machvm_memobj_put(memobjs[i]);
	}
	return gone;
}

/* Somebody who wants a page. */
struct wanter {
	struct machvm_user *user;
	bool patient;		/* may wait for pagers */
	bool must_wait;		/* out: nothing has gone, but pagers are at it */
};

static struct machvm_pageout whose(struct machvm_user *user, int err)
{
	struct machvm_pageout which = { .second_chance = true };
	bool full;

	if (err == -ENOMEM)
		which.cgroup = machvm_cgroup_limited(&full);
	if (!which.cgroup && (err != -EDQUOT || machvm_user_at_limit(user)))
		which.user = user;
	return which;
}

/* As machvm_reclaim(). */
static unsigned long reclaim(struct wanter *wanter, int err)
{
	struct machvm_pageout which = whose(wanter->user, err);
	unsigned long gone = reclaim_cached(&which, RECLAIM_PAGES);
	unsigned int i;

	wanter->must_wait = false;
	if (gone)
		return gone;
	for (i = 0; i < ARRAY_SIZE(turns); i++) {
		if (gone >= RECLAIM_PAGES || fatal_signal_pending(current))
			break;
		if (i && wanter->patient && which.pending && machvm_laundry_moves())
			break;
		gone += turn(&which, RECLAIM_PAGES - gone, turns[i]);
	}
	wanter->must_wait = !gone && which.pending && wanter->patient;
	machvm_count(MACHVM_STAT_LOOKED, which.looked);
	return gone;
}

/**
 * machvm_reclaim - page out so that a page can be had
 * @user: who wants one
 * @err: what stands in the way: -EDQUOT, a limit of machvm's own, or -ENOMEM
 *
 * At a limit of all users anybody's pages may go, at a user's own that user's; for want of memory
 * those of the current memory cgroup, if it has a limit, else @user's.
 * Context: no lock of ours but map->lock; mmap_lock may be held, as it is when Linux reclaims.
 * Return: how many pages went; 0 if it makes no sense to try again.
 */
unsigned long machvm_reclaim(struct machvm_user *user, int err)
{
	struct wanter wanter = { .user = user };

	return reclaim(&wanter, err);
}

/**
 * machvm_reclaim_for_linux - page out some of what can go, as Linux wants memory
 * @cgroup: whose pages, see cgroup.h; NULL: those that no group pays for
 * @want: how many
 *
 * Linux asks again: the search goes on where it has ended, and what was not used in the meantime
 * goes then.
 * Context: as machvm_reclaim(); in a thread of the kernel's.
 * Return: how many pages went.
 */
unsigned long machvm_reclaim_for_linux(const void *cgroup, unsigned long want)
{
	struct machvm_pageout which = {
		.cgroup = cgroup, .unpaid = !cgroup, .second_chance = true,
	};
	unsigned long gone = reclaim_cached(&which, want);
	unsigned int i;

	for (i = 0; i < NEAR_TURNS && gone < want; i++)
		gone += turn(&which, want - gone, turns[i]);
	machvm_count(MACHVM_STAT_LOOKED, which.looked);
	return gone;
}

/* True if there may be anything that can go. */
bool machvm_reclaim_has_any(void)
{
	return machvm_store_has_room() || has_external();
}

/* True if we have our share of the memory cgroup, and may give some of it back first. */
bool machvm_reclaim_is_due(void)
{
	bool full = false;

	if (machvm_store_has_room() || machvm_stat_estimate(MACHVM_STAT_RESIDENT_PERM) > 0)
		machvm_cgroup_limited(&full);
	return full;
}

/* Tries to get one, as long as others go for it.  *@events is from before the last time. */
static struct folio *try_for_page(struct wanter *wanter, gfp_t gfp, unsigned long *events)
{
	unsigned int patience = PATIENCE;
	struct folio *folio;
	unsigned long gone;

	for (;;) {
		*events = machvm_laundry_events();
		folio = machvm_page_alloc(wanter->user, gfp | GFP_KERNEL | __GFP_RETRY_MAYFAIL |
								__GFP_NOWARN);
		if (!IS_ERR(folio))
			return folio;
		gone = reclaim(wanter, PTR_ERR(folio));
		if (!gone && (wanter->must_wait || !patience--))
			return folio;
	}
}

/**
 * machvm_reclaim_page - a page, for which others may have to go
 * @user: who pays
 * @gfp: __GFP_ZERO or nothing
 * @events: out: what to call machvm_laundry_wait() with; NULL for who cannot wait
 *
 * Only when none is left to be paged out it is demanded of Linux at any price.
 * Context: as machvm_reclaim().
 * Return: as machvm_page_alloc(), or ERR_PTR(-EBUSY): pagers must take some first.
 */
struct folio *machvm_reclaim_page(struct machvm_user *user, gfp_t gfp, unsigned long *events)
{
	struct wanter wanter = {
		.user = user, .patient = events && !machvm_port_serves_current(),
	};
	unsigned long before = machvm_laundry_events();
	struct folio *folio = NULL;

	if (machvm_reclaim_is_due())
		reclaim(&wanter, -ENOMEM);
	if (!wanter.must_wait)
		folio = try_for_page(&wanter, gfp, &before);
	if (wanter.must_wait && IS_ERR_OR_NULL(folio)) {
		*events = before;
		return ERR_PTR(-EBUSY);
	}
	if (PTR_ERR_OR_ZERO(folio) == -ENOMEM)
		folio = machvm_page_alloc(user, gfp | GFP_KERNEL);
	return folio;
}
