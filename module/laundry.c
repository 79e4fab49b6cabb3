// SPDX-License-Identifier: GPL-2.0-only
/*
 * laundry.c - pages of a living object on their way to its pager: one run of them an object.
 * Callers: job.c gathers and sends a run; memobj.c hands out its pages and takes the release.
 * Never: waits for a pager, but in machvm_laundry_wait().
 * Locks: memobj->lock for the run; family->lock, then the folio lock, for pages of the object.
 *
 * A page that is flushed leaves the object and stays in the run.  One that the object keeps is
 * write-protected and marked RETURNED instead of being copied: the pager reads it where it is.
 * Who writes to it first leaves a copy of it in the run and takes the mark off, so that what the
 * pager gets is what the page was when it was cleaned.  The page stays dirty until the pager has
 * released it, and if the mark is gone by then it stays dirty after: nothing that was written is
 * lost, whenever it was written and whoever dies.
 *
 * What was cleaned to make room goes with its release, unless it was used since, and only then are
 * those told who wait for room: they need not look for it.
 */
#include "laundry.h"
#include "lock.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "request.h"
#include "stats.h"

/*
 * Jiffies after which the laundry stands still, if nothing was heard of it.  Memory comes back
 * without a word, too, so who waits looks again then.
 */
#define PATIENCE (HZ / 10)

static DECLARE_WAIT_QUEUE_HEAD(laundry);
static atomic_long_t nr_events;
static unsigned long last_event;	/* (a) in jiffies */

/* Pages have become clean, or have been given up: who waits for memory may find some. */
void machvm_laundry_event(void)
{
	WRITE_ONCE(last_event, jiffies);
	atomic_long_inc(&nr_events);
	wake_up_all(&laundry);
}

/* So many there were. */
unsigned long machvm_laundry_events(void)
{
	return atomic_long_read(&nr_events);
}

/* True if the last event was just now, so that there is reason to hope for another one. */
bool machvm_laundry_moves(void)
{
	return machvm_laundry_events() && time_before(jiffies, READ_ONCE(last_event) + PATIENCE);
}

/**
 * machvm_laundry_wait - wait until it makes sense to look for memory again
 * @events: machvm_laundry_events(), before it was found that there is no way but to wait
 * @interruptible: any signal ends the wait, not only a fatal one
 *
 * Pagers have got on, or a moment has passed in which others may have given memory back.
 * Woken by machvm_laundry_event().
 * Return: 0, or -EINTR for a signal.
 */
int machvm_laundry_wait(unsigned long events, bool interruptible)
{
	long left;

	if (interruptible)
		left = wait_event_interruptible_timeout(laundry, machvm_laundry_events() != events,
							PATIENCE);
	else
		left = wait_event_killable_timeout(laundry, machvm_laundry_events() != events,
						   PATIENCE);
	return left < 0 ? -EINTR : 0;
}

/* True for a page that its pager does not have as it is, or wants back, or is just taking. */
bool machvm_laundry_owes(struct machvm_object *object, struct folio *folio)
{
	return object->memobj && (machvm_page_test(folio, MACHVM_PAGE_DIRTY) ||
				  machvm_page_test(folio, MACHVM_PAGE_PRECIOUS) ||
				  machvm_page_test(folio, MACHVM_PAGE_RETURNED));
}

/**
 * machvm_laundry_drop - let a page of a memory object go that is as its pager has it
 * @object: its object
 * @index: its place there
 * @folio: the page, locked; unlocked on return
 *
 * Who wants it next asks the pager for it.
 * Context: family->lock held for writing; no translation leads to the page.
 * Return: false if it stays, as the pager has it otherwise, or somebody else holds it.
 */
bool machvm_laundry_drop(struct machvm_object *object, u64 index, struct folio *folio)
{
	bool goes = !machvm_laundry_owes(object, folio) && folio_ref_freeze(folio, 1);

	lockdep_assert_held_write(&object->family->lock);
	if (goes) {
		machvm_page_take(object, index);
		folio_ref_unfreeze(folio, 1);
	}
	folio_unlock(folio);
	if (!goes)
		return false;
	/* Who has asked to use it finds that it must be asked for. */
	machvm_unlock_end(object->memobj, index, index, MACHVM_KERN_SUCCESS);
	machvm_page_free(folio);
	return true;
}

/* True if the page may come behind those that are in the run. */
bool machvm_run_fits(const struct machvm_run *run, u64 index, bool dirty, bool kernel_copy)
{
	return !run->nr || (run->nr < MACHVM_RUN_PAGES && index == run->first + run->nr &&
			    dirty == run->dirty && kernel_copy == run->kernel_copy);
}

/* The pager is told of so many pages; negative: it need not release them any more. */
void machvm_laundry_offered(struct machvm_memobj *memobj, long nr)
{
	machvm_count(MACHVM_STAT_WRITEBACK, nr);
	atomic_long_add(nr, &memobj->writeback);
}

/* It has released so many. */
void machvm_laundry_taken(struct machvm_memobj *memobj, long nr)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	port->returned += nr;
	machvm_memobj_unlock_port(port);
	machvm_laundry_offered(memobj, -nr);
	machvm_count(MACHVM_STAT_PAGEOUTS, nr);
}

/* Who asks for one of the pages from now on waits until they are offered. */
static void begin_gathering(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	memobj->gathering = true;
	machvm_memobj_unlock_port(port);
}

/* Who waits for the next incarnation to be ready goes on waiting. */
static void end_gathering_locked(struct machvm_port *port, struct machvm_memobj *memobj)
{
	memobj->gathering = false;
	if (memobj->state == MACHVM_MEMOBJ_READY)
		machvm_request_open_gate_locked(port, memobj, false);
}

/*
 * @folio is the page, or a copy, or NULL if it stays where it is and is about to be marked.
 * In: the page locked.
 */
void machvm_run_add(struct machvm_memobj *memobj, struct machvm_run *run, u64 index, bool dirty,
		    bool kernel_copy, struct folio *folio)
{
	lockdep_assert_held(&memobj->lock);
	if (!run->nr)
		run->first = index;
	memobj->run = run;	/* for who writes to the page once it is unlocked */
	run->dirty = dirty;
	run->kernel_copy = kernel_copy;
	run->pages[run->nr++] = folio;
	machvm_count(MACHVM_STAT_LAUNDRY, 1);
	if (!kernel_copy && run->nr == 1)	/* before family->lock is given up */
		begin_gathering(memobj);
}

/* Offers the run that has gathered to the pager, which has no other control message. */
void machvm_run_send(struct machvm_memobj *memobj)
{
	struct machvm_run *run = memobj->run;
	struct machvm_port *port;

	lockdep_assert_held(&memobj->lock);
	run->sent = true;
	machvm_count(MACHVM_STAT_LAUNDRY, -(long)run->nr);
	machvm_laundry_offered(memobj, run->nr);
	port = machvm_memobj_lock_port(memobj);
	memobj->ctl.offset = run->first << PAGE_SHIFT;
	memobj->ctl.length = (u64)run->nr << PAGE_SHIFT;
	memobj->ctl.access = run->dirty;
	memobj->ctl.kernel_copy = run->kernel_copy;
	machvm_memobj_ctl_queue_locked(port, memobj, run->initialize ? MACHVM_MSG_DATA_INITIALIZE :
								       MACHVM_MSG_DATA_RETURN);
	end_gathering_locked(port, memobj);
	machvm_memobj_unlock_port(port);
}

/*
 * Somebody is about to write to a page that is marked: @old is a copy of it.
 * In: the page locked and marked, so that the run is there.
 */
void machvm_run_keep(struct machvm_memobj *memobj, u64 index, struct folio *old)
{
	struct machvm_run *run = memobj->run;

	run->pages[index - run->first] = old;
}

/* The object whose pages the run is about: gone from sight when nothing maps it any more. */
static struct machvm_object *run_object(struct machvm_memobj *memobj)
{
	return memobj->returning ?: memobj->object;
}

/* The page of the object that is marked, locked and with a reference; else NULL. */
static struct folio *lock_returned(struct machvm_memobj *memobj, u64 index)
{
	struct machvm_object *object = run_object(memobj);
	struct folio *folio;

	if (!object)
		return NULL;
	down_read(&object->family->lock);
	folio = machvm_page_lookup(object, index);
	if (folio) {
		folio_get(folio);
		folio_lock(folio);
	}
	up_read(&object->family->lock);
	if (folio && !machvm_page_test(folio, MACHVM_PAGE_RETURNED)) {
		folio_unlock(folio);
		folio_put(folio);
		folio = NULL;
	}
	return folio;
}

static bool run_has(const struct machvm_run *run, u64 first, u64 nr)
{
	return first >= run->first && nr <= run->nr && first - run->first <= run->nr - nr;
}

/*
 * A page of the run that the pager has not released yet, with a reference, or NULL.  Its contents
 * are valid as long as asking again gives the same page.
 */
struct folio *machvm_run_page(struct machvm_memobj *memobj, u64 index)
{
	struct machvm_run *run = memobj->run;
	struct folio *folio;

	lockdep_assert_held(&memobj->lock);
	if (!run_has(run, index, 1))
		return NULL;
	folio = lock_returned(memobj, index);
	if (folio) {
		folio_unlock(folio);
		return folio;
	}
	folio = run->pages[index - run->first];
	if (folio)
		folio_get(folio);
	return folio;
}

/* What an object keeps is clean now, if it was not written since. */
static void release_in_place(struct machvm_memobj *memobj, u64 index)
{
	struct folio *folio = lock_returned(memobj, index);

	if (!folio)
		return;
	machvm_page_clear(folio, MACHVM_PAGE_RETURNED);
	machvm_page_clean(run_object(memobj), folio);
	folio_unlock(folio);
	folio_put(folio);
}

/* Puts what the pager is to have of one page into @into, too.  Returns 0 or an errno. */
static int share_page(struct machvm_memobj *memobj, u64 index, struct machvm_object *into,
		      u64 to)
{
	struct folio *folio = lock_returned(memobj, index), *copy;
	int err;

	if (!folio)
		return machvm_page_insert(into, to, memobj->run->pages[index - memobj->run->first]);
	copy = machvm_page_alloc(into->user, GFP_KERNEL);
	if (!IS_ERR(copy))
		copy_highpage(folio_page(copy, 0), folio_page(folio, 0));
	folio_unlock(folio);
	folio_put(folio);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	err = machvm_page_insert(into, to, copy);
	if (err)
		machvm_page_free(copy);
	return err;
}

/* Undoes share_page(). */
static void unshare_page(struct machvm_memobj *memobj, u64 index, struct machvm_object *into,
			 u64 to)
{
	struct folio *folio = machvm_page_take(into, to);

	if (folio != memobj->run->pages[index - memobj->run->first])
		machvm_page_free(folio);
}

static bool is_outstanding(struct machvm_memobj *memobj, u64 index)
{
	struct folio *folio = machvm_run_page(memobj, index);

	if (folio)
		folio_put(folio);
	return folio;
}

static void release_page(struct machvm_memobj *memobj, u64 index, struct folio *moved)
{
	struct folio **place = &memobj->run->pages[index - memobj->run->first];
	struct machvm_object *object = run_object(memobj);

	release_in_place(memobj, index);
	if (*place && object)
		machvm_page_forget(object, index);
	if (*place && *place == moved)
		machvm_page_strip(moved);
	else if (*place)
		machvm_page_free(*place);
	*place = NULL;
}

/* True if the page was not used since it was picked to go: nothing maps it. */
static bool is_unused(struct machvm_object *object, u64 index, struct folio *folio)
{
	return machvm_page_test(folio, MACHVM_PAGE_INACTIVE) && !folio_mapped(folio) &&
	       !machvm_page_wired_locked(object, index);
}

/* Pages have been released that were cleaned to make room. */
static void make_room(struct machvm_memobj *memobj, u64 first, u64 nr)
{
	struct machvm_object *object = memobj->object;
	struct folio *folio;
	u64 index;

	if (!object || !machvm_memobj_answers(memobj))
		return;
	down_write(&object->family->lock);
	for (index = first; index < first + nr; index++) {
		folio = machvm_page_lookup(object, index);
		if (!folio || !folio_trylock(folio))
			continue;
		if (is_unused(object, index, folio))
			machvm_laundry_drop(object, index, folio);
		else
			folio_unlock(folio);
	}
	up_write(&object->family->lock);
}

static bool run_is_over(struct machvm_memobj *memobj)
{
	struct machvm_run *run = memobj->run;
	unsigned int i;

	for (i = 0; i < run->nr; i++)
		if (is_outstanding(memobj, run->first + i))
			return false;
	return true;
}

/* The run is with nobody any more.  Its message goes, with the reference that it held. */
static void run_end(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool listed = machvm_memobj_ctl_unlist_locked(port, memobj);

	end_gathering_locked(port, memobj);
	machvm_memobj_unlock_port(port);
	memobj->run->nr = 0;
	memobj->run->sent = false;
	memobj->run = NULL;
	if (listed)
		machvm_memobj_put(memobj);	/* not the caller's, so not the last */
}

/**
 * machvm_run_release - the pager has done with pages of the run
 * @memobj: whose
 * @first: page index
 * @nr: how many
 * @into: an object that takes them over, from its page 0 on, or NULL
 *
 * Context: memobj->lock held.
 * Return: as machvm_memobj_release().
 */
int machvm_run_release(struct machvm_memobj *memobj, u64 first, u64 nr,
		       struct machvm_object *into)
{
	u64 i;

	lockdep_assert_held(&memobj->lock);
	if (!run_has(memobj->run, first, nr))
		return MACHVM_KERN_INVALID_ADDRESS;
	for (i = 0; i < nr; i++)
		if (!is_outstanding(memobj, first + i))
			return MACHVM_KERN_INVALID_ADDRESS;
	for (i = 0; into && i < nr; i++)
		if (share_page(memobj, first + i, into, i))
			goto err_into;
	for (i = 0; i < nr; i++)
		release_page(memobj, first + i, into ? machvm_page_lookup(into, i) : NULL);
	machvm_laundry_taken(memobj, nr);
	if (memobj->run->evict)
		make_room(memobj, first, nr);
	if (run_is_over(memobj))
		run_end(memobj);
	machvm_laundry_event();
	return MACHVM_KERN_SUCCESS;

err_into:
	while (i--)
		unshare_page(memobj, first + i, into, i);
	return MACHVM_KERN_RESOURCE_SHORTAGE;
}

/* A page that had been taken out goes back. */
static void put_back(struct machvm_memobj *memobj, u64 index, struct folio *folio)
{
	struct machvm_object *object = run_object(memobj);

	if (!object) {
		machvm_page_free(folio);
		return;
	}
	down_read(&object->family->lock);
	machvm_page_return(object, index, folio);
	up_read(&object->family->lock);
}

/*
 * There is nobody who could take the run.  Its pages stay in the object, as dirty as they were, so
 * that a new pager gets them.
 */
void machvm_run_drop(struct machvm_memobj *memobj)
{
	struct machvm_run *run = memobj->run;
	unsigned int i, nr = 0;

	lockdep_assert_held(&memobj->lock);
	for (i = 0; i < run->nr; i++) {
		struct folio *folio = lock_returned(memobj, run->first + i);

		if (folio) {
			machvm_page_clear(folio, MACHVM_PAGE_RETURNED);
			folio_unlock(folio);
			folio_put(folio);
			nr++;
		} else if (run->pages[i]) {
			put_back(memobj, run->first + i, run->pages[i]);
			run->pages[i] = NULL;
			nr++;
		}
	}
	if (run->sent)
		machvm_laundry_offered(memobj, -(long)nr);
	else
		machvm_count(MACHVM_STAT_LAUNDRY, -(long)nr);
	run_end(memobj);
	machvm_laundry_event();
}
