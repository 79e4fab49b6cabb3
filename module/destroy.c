// SPDX-License-Identifier: GPL-2.0-only
/*
 * destroy.c - memory_object_destroy: an incarnation is cut from its memory object.
 * Callers: nl_in.c and control.c with a pager's words; life.c carries it out.
 * Never: waits for a pager, or visits a map.
 * Locks: memobj->lock; inside it family->lock for the mark, port->lock for the state.
 *
 * Who maps the incarnation keeps the pages that are there, to read and to write; nobody is asked
 * for those that are not, or told what becomes of the others.  A mapping made afterwards is of a
 * new incarnation, whose init follows the terminate of this one.
 *
 * If what was written is to be returned first, a lock request does that.  It also locks the pages
 * against being written, so that nothing is lost that comes later: who writes waits for the cut,
 * which does away with locks.
 */
#include "cache.h"
#include "lock.h"
#include "memobj.h"
#include "object.h"
#include "port.h"
#include "request.h"
#include "stats.h"

static int start_flush(struct machvm_memobj *memobj)
{
	const struct machvm_lock_order order = {
		.length = U64_MAX,
		.should_return = MACHVM_RETURN_ALL,
		.locks = MACHVM_PROT_WRITE,
	};

	return machvm_job_start(memobj, &order, NULL);
}

static void set_doom_locked(struct machvm_memobj *memobj, enum machvm_doom doom, int reason)
{
	if (memobj->doom < doom)
		memobj->doom = doom;
	memobj->doom_reason = reason;
}

/* There will be no flush.  Who has asked to use a page meanwhile was not heard: again, please. */
static void call_off(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	if (memobj->doom == MACHVM_DOOM_FLUSH)
		memobj->doom = MACHVM_DOOM_NONE;
	machvm_memobj_unlock_port(port);
	machvm_unlock_end(memobj, 0, ULONG_MAX, MACHVM_KERN_SUCCESS);
}

/**
 * machvm_memobj_destroy - the pager gives its object up
 * @memobj: the object
 * @reason: the pager's own value, for those whose accesses fail
 * @flush: what was written or is precious is returned first, if there is a pager to return it to
 *
 * Nothing is asked of the pager from here on.  The next machvm_memobj_advance(), which the caller
 * sees to, does the rest, or the one after the last page is returned.
 * Return: KERN_SUCCESS, KERN_MEMORY_ERROR (no incarnation that the pager knows of, or it is ending
 * already), KERN_RESOURCE_SHORTAGE.
 * Source: GNU Mach reference manual, "Memory Object Termination", memory_object_destroy.
 */
int machvm_memobj_destroy(struct machvm_memobj *memobj, int reason, bool flush)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	u8 state = memobj->state;
	int kr = MACHVM_KERN_SUCCESS;

	flush = flush && state == MACHVM_MEMOBJ_READY && !machvm_port_absent_locked(port);
	if (state == MACHVM_MEMOBJ_READY || state == MACHVM_MEMOBJ_INIT)
		set_doom_locked(memobj, flush ? MACHVM_DOOM_FLUSH : MACHVM_DOOM_DROP, reason);
	else
		kr = MACHVM_KERN_MEMORY_ERROR;
	machvm_memobj_unlock_port(port);
	if (kr || !flush)
		return kr;
	kr = start_flush(memobj);
	if (kr)
		call_off(memobj);
	return kr;
}

/* The open question to end next, with a reference. */
static struct machvm_request *next_open(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	struct machvm_request *request;

	request = list_first_entry_or_null(&memobj->open, struct machvm_request, open);
	if (request)
		machvm_request_get(request);
	machvm_memobj_unlock_port(port);
	return request;
}

/* Who asked to use a page may now; who asked for one will not get it. */
static void end_questions(struct machvm_memobj *memobj, int reason)
{
	struct machvm_request *request;

	machvm_unlock_end(memobj, 0, ULONG_MAX, MACHVM_KERN_SUCCESS);
	while ((request = next_open(memobj))) {
		machvm_count(MACHVM_STAT_ERRORS, 1);
		machvm_request_finish(request, MACHVM_KERN_MEMORY_ERROR, reason);
		machvm_request_put(request);
	}
}

/* From here on no fault asks: one that has, did so with family->lock held. */
static void mark(struct machvm_object *object, int reason)
{
	down_write(&object->family->lock);
	object->flags |= MACHVM_OBJ_DESTROYED;
	atomic_long_set(&object->memobj->resident, 0);	/* there is no other incarnation */
	atomic_long_set(&object->memobj->dirty, 0);
	object->destroyed = reason;
	up_write(&object->family->lock);
}

/*
 * The pager is told that this was the end.  Returns true if the message that stood there before is
 * gone: then its reference is to be dropped.
 */
static bool say_goodbye(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool told = memobj->state != MACHVM_MEMOBJ_INIT || memobj->ctl.via;
	bool listed = machvm_memobj_ctl_unlist_locked(port, memobj);

	memobj->state = MACHVM_MEMOBJ_IDLE;
	if (told && !memobj->dead && !machvm_port_absent_locked(port)) {
		memobj->state = MACHVM_MEMOBJ_TERMINATING;
		machvm_memobj_ctl_queue_locked(port, memobj, MACHVM_MSG_TERMINATE);
	}
	memobj->mapped = memobj->object;
	machvm_memobj_bound_locked(memobj);
	machvm_memobj_unlock_port(port);
	return listed;
}

static bool is_due(struct machvm_memobj *memobj, int *reason)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool due = memobj->doom == MACHVM_DOOM_DROP ||
		   (memobj->doom == MACHVM_DOOM_FLUSH && list_empty(&memobj->jobs));

	*reason = memobj->doom_reason;
	if (due)
		memobj->doom = MACHVM_DOOM_NONE;
	machvm_memobj_unlock_port(port);
	return due;
}

/**
 * machvm_destroy_step - carry out what machvm_memobj_destroy() has begun, if it is time
 * @memobj: the object
 * @cached: out: an incarnation whose only reference, the cache's, is the caller's to drop, or NULL
 *
 * Context: memobj->lock held.
 * Return: true if a reference on @memobj is the caller's to drop.
 */
bool machvm_destroy_step(struct machvm_memobj *memobj, struct machvm_object **cached)
{
	struct machvm_object *object = memobj->object;
	int reason;

	lockdep_assert_held(&memobj->lock);
	*cached = NULL;
	if (!READ_ONCE(memobj->doom) || !is_due(memobj, &reason))
		return false;
	machvm_jobs_drop(memobj);
	mark(object, reason);
	if (machvm_cache_remove_locked(memobj))
		*cached = object;
	memobj->object = NULL;
	end_questions(memobj, reason);
	return say_goodbye(memobj);
}

/* Nobody is there to whom anything could be returned: it is time. */
void machvm_destroy_unserved(struct machvm_memobj *memobj)
{
	struct machvm_object *cached = NULL;
	bool listed = false;

	if (!READ_ONCE(memobj->doom))
		return;
	mutex_lock(&memobj->lock);
	if (machvm_jobs_drop_absent(memobj))
		listed = machvm_destroy_step(memobj, &cached);
	mutex_unlock(&memobj->lock);
	if (cached)
		machvm_object_put(cached);
	if (listed)
		machvm_memobj_put(memobj);	/* not the caller's, so not the last */
}
