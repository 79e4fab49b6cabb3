// SPDX-License-Identifier: GPL-2.0-only
/*
 * life.c - the incarnations of a memory object: mapped, no longer mapped, returned, lost.
 * Callers: vm.c maps; object.c when the last mapping goes; control.c fetches what is returned.
 * Never: touches user memory, waits for a pager, or visits a map.
 * Locks: memobj->lock; inside it port->lock for the state.
 */
#include "absence.h"
#include "cache.h"
#include "copycall.h"
#include "laundry.h"
#include "lock.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "port.h"
#include "request.h"
#include "stats.h"

#define RETURN_PAGES_MAX 256	/* in one data_return message */

/* The incarnation that there is, if any, with one more reference. */
static struct machvm_object *join_incarnation(struct machvm_memobj *memobj)
{
	struct machvm_object *object = memobj->object;

	lockdep_assert_held(&memobj->lock);
	if (!object)
		return NULL;
	memobj->evicted = false;
	if (!machvm_cache_remove_locked(memobj))	/* or it is the cache's that we get */
		machvm_object_get(object);
	machvm_count(MACHVM_STAT_HITS, 1);
	return object;
}

/**
 * machvm_memobj_map - the pages of a memory object, for one more mapping
 * @memobj: the object
 *
 * Return: the incarnation with a reference; ERR_PTR(-ENOMEM) if there is no memory for one,
 * ERR_PTR(-EINTR) if a fatal signal came while another mapping was made or ended.
 */
struct machvm_object *machvm_memobj_map(struct machvm_memobj *memobj)
{
	struct machvm_object *object;
	struct machvm_port *port;

	machvm_count(MACHVM_STAT_LOOKUPS, 1);
	if (mutex_lock_killable(&memobj->lock))
		return ERR_PTR(-EINTR);
	object = join_incarnation(memobj);
	if (object) {
		mutex_unlock(&memobj->lock);
		return object;
	}
	object = machvm_object_create(memobj->user, memobj);
	if (!object) {
		mutex_unlock(&memobj->lock);
		return ERR_PTR(-ENOMEM);
	}
	memobj->object = object;
	memobj->evicted = false;
	port = machvm_memobj_lock_port(memobj);
	memobj->mapped = true;
	machvm_memobj_bound_locked(memobj);
	machvm_port_get(port);
	machvm_memobj_unlock_port(port);
	mutex_unlock(&memobj->lock);
	machvm_port_pump(port);
	machvm_port_put(port);
	return object;
}

/* True if the pager is to get the page back, or has begun to.  Of a temporary object it is not. */
static bool page_is_wanted(struct machvm_memobj *memobj, struct folio *folio)
{
	if (machvm_page_test(folio, MACHVM_PAGE_RETURNED))
		return true;
	return !READ_ONCE(memobj->temporary) && (machvm_page_test(folio, MACHVM_PAGE_DIRTY) ||
						 machvm_page_test(folio, MACHVM_PAGE_PRECIOUS));
}

/* Frees what the pager does not want, and all questions.  Returns true if some is left. */
static bool drop_unwanted(struct machvm_object *object)
{
	struct folio *folio;
	u64 index = 0, gap = 0;

	while ((folio = machvm_page_next(object, &index, ULONG_MAX))) {
		if (page_is_wanted(object->memobj, folio)) {
			if (index > gap)
				machvm_page_purge(object, gap, index - 1);
			gap = index + 1;
		}
		index++;
	}
	machvm_page_purge(object, gap, ULONG_MAX);
	return atomic_long_read(&object->resident);
}

/* Queues the next run of returned pages that are alike; false if no page is left. */
static bool return_next_locked(struct machvm_memobj *memobj, struct machvm_port *port)
{
	struct machvm_object *object = memobj->returning;
	u64 index = 0, first, dirty;
	struct folio *folio = machvm_page_next(object, &index, ULONG_MAX);

	if (!folio)
		return false;
	first = index;
	dirty = machvm_page_test(folio, MACHVM_PAGE_DIRTY);
	do {
		index++;
		folio = machvm_page_lookup(object, index);
	} while (folio && index - first < RETURN_PAGES_MAX &&
		 page_is_wanted(memobj, folio) &&
		 machvm_page_test(folio, MACHVM_PAGE_DIRTY) == dirty);
	machvm_laundry_offered(memobj, index - first);
	memobj->ctl.offset = first << PAGE_SHIFT;
	memobj->ctl.length = (index - first) << PAGE_SHIFT;
	memobj->ctl.access = dirty;
	memobj->ctl.kernel_copy = false;
	machvm_memobj_ctl_queue_locked(port, memobj, MACHVM_MSG_DATA_RETURN);
	return true;
}

/* The last page is with the pager.  Returns the shell to be freed. */
static struct machvm_object *return_done_locked(struct machvm_memobj *memobj,
						struct machvm_port *port)
{
	struct machvm_object *object = memobj->returning;

	memobj->returning = NULL;
	memobj->state = MACHVM_MEMOBJ_TERMINATING;
	machvm_memobj_ctl_queue_locked(port, memobj, MACHVM_MSG_TERMINATE);
	return object;
}

/* Nobody is there for what was written, or will be in time, or can be had. */
static bool is_lost_locked(struct machvm_memobj *memobj)
{
	return machvm_absence_over_locked(memobj) && memobj->fallback != MACHVM_FALLBACK_MANAGER;
}

/*
 * What follows for the pager when an incarnation ends.
 * Returns true if memobj has kept the object to have its pages returned.
 */
static bool end_incarnation_locked(struct machvm_memobj *memobj, struct machvm_port *port,
				   struct machvm_object *object, bool wanted, bool *listed)
{
	bool absent = memobj->dead || machvm_port_absent_locked(port);
	bool awaited = memobj->awaited;

	memobj->mapped = false;
	memobj->awaited = false;
	switch (memobj->state) {
	case MACHVM_MEMOBJ_INIT:
		if (memobj->ctl.via || awaited) {	/* the pager has heard of it */
			*listed = machvm_memobj_ctl_unlist_locked(port, memobj);
			memobj->state = MACHVM_MEMOBJ_TERMINATING;
			machvm_memobj_ctl_queue_locked(port, memobj, MACHVM_MSG_TERMINATE);
		} else {
			*listed = machvm_memobj_ctl_unlist_locked(port, memobj);
			memobj->state = MACHVM_MEMOBJ_IDLE;
		}
		return false;
	case MACHVM_MEMOBJ_READY:
		if (absent && (!wanted || is_lost_locked(memobj))) {
			machvm_count(MACHVM_STAT_LOST, atomic_long_read(&object->resident));
			memobj->state = MACHVM_MEMOBJ_IDLE;
			return false;
		}
		if (wanted || !list_empty(&memobj->jobs)) {
			memobj->state = MACHVM_MEMOBJ_RETURNING;
			memobj->returning = object;
			return true;	/* offered by machvm_memobj_advance() */
		}
		memobj->state = MACHVM_MEMOBJ_TERMINATING;
		machvm_memobj_ctl_queue_locked(port, memobj, MACHVM_MSG_TERMINATE);
		return false;
	default:
		memobj->unheard = awaited;
		return false;	/* IDLE, or an earlier incarnation is still on its way out */
	}
}

/*
 * Nothing maps an incarnation any more.  Open questions are cancelled, clean pages freed.  Dirty
 * and precious ones are offered to the pager, if there is one, and stay until it has released them.
 * In: memobj->lock held, and a reference on @memobj beside the incarnation's.  Out: not held.
 */
static void last_unmap(struct machvm_memobj *memobj, struct machvm_object *object)
{
	bool wanted, kept, absent, listed = false;
	struct machvm_port *port;

	lockdep_assert_held(&memobj->lock);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&object->mappers.rb_root) ||
		     !list_empty(&object->children));
	machvm_jobs_drop_absent(memobj);
	memobj->object = NULL;
	WRITE_ONCE(memobj->doom, MACHVM_DOOM_NONE);	/* it ends as others do */
	machvm_unlock_end(memobj, 0, ULONG_MAX, MACHVM_KERN_INVALID_ADDRESS);
	wanted = drop_unwanted(object);
	port = machvm_memobj_lock_port(memobj);
	kept = end_incarnation_locked(memobj, port, object, wanted, &listed);
	absent = machvm_port_absent_locked(port);
	machvm_memobj_unlock_port(port);
	if (!kept)	/* before there can be pages of another incarnation, which are counted */
		machvm_page_purge(object, 0, ULONG_MAX);
	mutex_unlock(&memobj->lock);
	if (!kept)
		machvm_object_free(object);
	else if (absent)
		machvm_absence_run(memobj);	/* they wait for a pager, but not for ever */
	machvm_memobj_advance(memobj);
	if (listed)
		machvm_memobj_put(memobj);
	machvm_copy_forget(memobj);
	machvm_memobj_put(memobj);	/* the incarnation's */
}

/* True if an incarnation that has just lost its last mapping stays with its pages. */
static bool may_cache(struct machvm_memobj *memobj, struct machvm_object *object)
{
	struct machvm_port *port;
	bool may;

	if (memobj->evicted || !atomic_long_read(&object->resident))
		return false;
	port = machvm_memobj_lock_port(memobj);
	may = memobj->may_cache && !memobj->dead && memobj->state == MACHVM_MEMOBJ_READY;
	machvm_memobj_unlock_port(port);
	return may;
}

/**
 * machvm_memobj_put_object - drop a reference on an incarnation
 * @memobj: whose
 * @object: the incarnation
 *
 * With the last one it goes to the cache or ends.  That is decided with memobj->lock held, so
 * whoever holds it finds memobj->object alive, or NULL.
 *
 * Context: as machvm_object_put().
 */
void machvm_memobj_put_object(struct machvm_memobj *memobj, struct machvm_object *object)
{
	if (refcount_dec_not_one(&object->refs))
		return;
	machvm_memobj_get(memobj);	/* the incarnation's may go with it */
	mutex_lock(&memobj->lock);
	if (!refcount_dec_and_test(&object->refs)) {
		mutex_unlock(&memobj->lock);
		machvm_memobj_put(memobj);
		return;
	}
	if (object->flags & MACHVM_OBJ_DESTROYED) {
		mutex_unlock(&memobj->lock);
		machvm_page_purge(object, 0, ULONG_MAX);
		machvm_object_free(object);
		machvm_memobj_put(memobj);	/* the incarnation's */
	} else if (may_cache(memobj, object)) {
		refcount_set(&object->refs, 1);
		machvm_cache_add_locked(memobj);
		mutex_unlock(&memobj->lock);
		machvm_cache_trim();
	} else {
		last_unmap(memobj, object);
	}
	machvm_memobj_put(memobj);
}

/*
 * After the last job what is left goes to the pager, a run at a time; after the last page follows
 * terminate.  Returns the shell to be freed then.
 */
static struct machvm_object *advance_returning(struct machvm_memobj *memobj)
{
	struct machvm_object *object = memobj->returning, *ended = NULL;
	struct machvm_port *port;
	struct folio *folio;
	u64 index;

	for (index = 0; (folio = machvm_page_next(object, &index, ULONG_MAX)); index++) {
		if (page_is_wanted(memobj, folio))
			break;
		machvm_page_purge(object, index, index);	/* a job has cleaned it */
	}
	port = machvm_memobj_lock_port(memobj);
	if (list_empty(&memobj->ctl.node) && !return_next_locked(memobj, port))
		ended = return_done_locked(memobj, port);
	machvm_memobj_unlock_port(port);
	return ended;
}

/**
 * machvm_memobj_advance - do what is there to be done, up to what only the pager can do next
 * @memobj: whose
 *
 * That is lock requests, in their order, and the end of an incarnation: one that nothing maps, that
 * its pager no longer wants to be cached, or has destroyed.
 * Context: process context, no lock of ours but map->lock held.  Sleeps, but not for a pager.
 */
void machvm_memobj_advance(struct machvm_memobj *memobj)
{
	struct machvm_object *ended, *cached;
	bool more, pause, listed;

	if (!READ_ONCE(memobj->may_cache))
		machvm_cache_drop(memobj);
	do {
		ended = NULL;
		pause = false;
		mutex_lock(&memobj->lock);
		listed = machvm_destroy_step(memobj, &cached);
		more = machvm_job_step(memobj, &pause);
		if (!more && memobj->returning && !memobj->run)
			ended = advance_returning(memobj);
		mutex_unlock(&memobj->lock);
		if (ended)
			machvm_object_free(ended);
		if (cached)
			machvm_object_put(cached);
		if (listed)
			machvm_memobj_put(memobj);	/* not the caller's, so not the last */
		if (pause)
			schedule_timeout_uninterruptible(1);
		cond_resched();
	} while (more && !fatal_signal_pending(current));
	if (more)
		machvm_memobj_advance_later(memobj);
	machvm_memobj_pump(memobj);
}

/* Pages of the ended incarnation that the pager was told of and has not released. */
static long offered_locked(struct machvm_memobj *memobj)
{
	u64 index = memobj->ctl.offset >> PAGE_SHIFT;
	u64 last = index + (memobj->ctl.length >> PAGE_SHIFT) - 1;
	long nr = 0;

	for (; machvm_page_next(memobj->returning, &index, last); index++)
		nr++;
	return nr;
}

/*
 * Nobody serves the object: what it was being told is taken back.  Pages on their way to a pager
 * that has gone wait for another one if the object is set up so, and are lost then, as Mach has it.
 */
void machvm_memobj_drop_unserved(struct machvm_memobj *memobj)
{
	struct machvm_object *object;
	struct machvm_port *port;
	bool listed;

	mutex_lock(&memobj->lock);
	if (!machvm_jobs_drop_absent(memobj)) {
		mutex_unlock(&memobj->lock);
		return;
	}
	port = machvm_memobj_lock_port(memobj);
	if ((!memobj->dead && !machvm_port_absent_locked(port)) ||
	    (memobj->state == MACHVM_MEMOBJ_RETURNING && !machvm_absence_over_locked(memobj))) {
		machvm_memobj_unlock_port(port);
		mutex_unlock(&memobj->lock);
		return;
	}
	if (memobj->returning && !list_empty(&memobj->ctl.node))
		machvm_laundry_offered(memobj, -offered_locked(memobj));
	listed = machvm_memobj_ctl_unlist_locked(port, memobj);
	object = memobj->returning;
	memobj->returning = NULL;
	if (memobj->state != MACHVM_MEMOBJ_READY)
		memobj->state = MACHVM_MEMOBJ_IDLE;
	machvm_memobj_unlock_port(port);
	if (object) {
		machvm_count(MACHVM_STAT_LOST, atomic_long_read(&object->resident));
		machvm_page_purge(object, 0, ULONG_MAX);
	}
	mutex_unlock(&memobj->lock);
	if (object)
		machvm_object_free(object);
	machvm_copies_end(memobj);
	if (listed)
		machvm_memobj_put(memobj);
}

/* The last control descriptor is closed: there can be no pager any more. */
void machvm_memobj_die(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	memobj->dead = true;
	machvm_port_get(port);
	machvm_memobj_unlock_port(port);
	machvm_absence_end(memobj);
	machvm_cache_drop(memobj);
	machvm_port_drop_notices(port, memobj);
	machvm_port_pump(port);	/* what it had in flight may have been others' credit */
	machvm_port_put(port);
}

/*
 * The next of @left objects of a port that nobody serves, with a reference; NULL after the last,
 * or if somebody has come.  Each one looked at goes to the end of the list, so what is added
 * meanwhile does not keep us, and what goes only makes us look at some again.
 */
static struct machvm_memobj *next_unserved(struct machvm_port *port, unsigned long *left)
{
	struct machvm_memobj *memobj = NULL;

	spin_lock(&port->lock);
	while (!memobj && *left && machvm_port_absent_locked(port) &&
	       !list_empty(&port->memobjs)) {
		(*left)--;
		memobj = list_first_entry(&port->memobjs, struct machvm_memobj, on_port);
		list_move_tail(&memobj->on_port, &port->memobjs);
		if (!refcount_inc_not_zero(&memobj->refs))
			memobj = NULL;
	}
	spin_unlock(&port->lock);
	return memobj;
}

/*
 * The last socket of the port is closed.  An object whose pager was ready stays as it is for
 * whoever binds next.
 */
void machvm_memobj_absent(struct machvm_port *port)
{
	unsigned long left = READ_ONCE(port->nr_objects);
	struct machvm_memobj *memobj;

	machvm_port_drop_notices(port, NULL);
	while ((memobj = next_unserved(port, &left))) {
		machvm_absence_run(memobj);
		machvm_memobj_put(memobj);
		cond_resched();
	}
}

/*
 * A page that waits for its pager to fetch it, with a folio reference; NULL if it does not.  What
 * was read of it is right if asking again gives the same one.
 */
struct folio *machvm_memobj_returned(struct machvm_memobj *memobj, u64 offset)
{
	struct folio *folio = NULL;

	mutex_lock(&memobj->lock);
	if (machvm_run_sent(memobj)) {
		folio = machvm_run_page(memobj, offset >> PAGE_SHIFT);
	} else if (memobj->returning) {
		folio = machvm_page_lookup(memobj->returning, offset >> PAGE_SHIFT);
		if (folio)
			folio_get(folio);
	}
	mutex_unlock(&memobj->lock);
	return folio;
}

static bool returned_all(struct machvm_object *object, u64 first, u64 nr)
{
	u64 index;

	for (index = first; object && index < first + nr; index++)
		if (!machvm_page_lookup(object, index))
			return false;
	return object;
}

/*
 * Takes the pages out, into the slots of @into from 0 on, or for good if that is NULL.  A page is
 * in both objects for a while: nobody else looks at either, and so none is lost if memory is.
 */
static int release_pages_to(struct machvm_object *object, u64 first, u64 nr,
			    struct machvm_object *into)
{
	u64 i;

	for (i = 0; into && i < nr; i++) {
		if (machvm_page_insert(into, i, machvm_page_lookup(object, first + i)))
			goto err_into;
	}
	for (i = 0; into && i < nr; i++)
		machvm_page_strip(machvm_page_take(object, first + i));
	machvm_page_purge(object, first, first + nr - 1);
	machvm_laundry_taken(object->memobj, nr);
	return MACHVM_KERN_SUCCESS;

err_into:
	while (i--)
		machvm_page_take(into, i);
	return MACHVM_KERN_RESOURCE_SHORTAGE;
}

/* Pages of an ended incarnation; when those that were offered are gone its message is, too. */
static int release_last(struct machvm_memobj *memobj, u64 first, u64 nr,
			struct machvm_object *into)
{
	int kr = release_pages_to(memobj->returning, first, nr, into);
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool listed = false;

	if (!offered_locked(memobj))
		listed = machvm_memobj_ctl_unlist_locked(port, memobj);
	machvm_memobj_unlock_port(port);
	if (listed)
		machvm_memobj_put(memobj);	/* not the caller's, so not the last */
	return kr;
}

/**
 * machvm_memobj_release - the pager has done with returned pages
 * @memobj: the object
 * @offset: bytes, page aligned
 * @length: bytes, whole pages
 * @into: an object that takes the pages over, or NULL
 *
 * The next run is offered when all of the present one is released; after the last one follows
 * terminate.
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT, KERN_INVALID_ADDRESS if one of the pages was not
 * returned, KERN_RESOURCE_SHORTAGE if @into has no room; then none is released.
 */
int machvm_memobj_release(struct machvm_memobj *memobj, u64 offset, u64 length,
			  struct machvm_object *into)
{
	u64 first = offset >> PAGE_SHIFT, nr = length >> PAGE_SHIFT;
	bool empty = false;
	int kr;

	if (machvm_range_is_bad(offset, length) || !length)
		return MACHVM_KERN_INVALID_ARGUMENT;
	mutex_lock(&memobj->lock);
	if (machvm_run_sent(memobj)) {
		kr = machvm_run_release(memobj, first, nr, into);
		empty = memobj->object && machvm_cache_recount(memobj, memobj->object);
	} else if (returned_all(memobj->returning, first, nr)) {
		kr = release_last(memobj, first, nr, into);
	} else {
		kr = MACHVM_KERN_INVALID_ADDRESS;
	}
	mutex_unlock(&memobj->lock);
	if (empty)
		machvm_cache_drop(memobj);
	machvm_memobj_advance(memobj);
	return kr;
}
