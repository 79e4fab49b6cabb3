// SPDX-License-Identifier: GPL-2.0-only
/*
 * absence.c - requests that nobody answers: for how long, and how they end then.
 * Callers: request.c when one is posted; life.c when a pager goes; control.c sets; a timer; sync.c
 * waits.
 * Never: waits with a lock held.
 * Locks: port->lock; none while a request is ended.
 *
 * A request ends without an answer when its pager has had answer_ms for it, or when there has been
 * no pager for successor_ms since it was asked or the last one went, whichever was later.  A
 * pager that comes before is asked again.  Requests of an object are due in the order in which
 * they were asked, so one timer an object does.
 */
#include "absence.h"
#include "lock.h"
#include "memobj.h"
#include "port.h"
#include "request.h"
#include "stats.h"
#include "store.h"

/* Who waits for a pager to come looks again; woken by whoever binds a socket or ends a wait. */
static DECLARE_WAIT_QUEUE_HEAD(pagers);

static u64 after(u64 ns, u32 ms)
{
	return ms == MACHVM_FOREVER_MS ? U64_MAX : ns + (u64)ms * NSEC_PER_MSEC;
}

/* When the wait for another pager ends, by who began it at @since. */
static u64 successor_due_locked(struct machvm_memobj *memobj, u64 since)
{
	struct machvm_port *port = memobj->port;

	if (memobj->dead)
		return 0;
	if (!machvm_port_absent_locked(port) || memobj->untaken)
		return U64_MAX;
	return after(max(since, port->absent_ns), memobj->successor_ms);
}

static u64 request_due_locked(struct machvm_memobj *memobj, struct machvm_request *request)
{
	u64 asked = request->msg.queued_ns;
	u64 due = successor_due_locked(memobj, asked);

	return memobj->answer_ms ? min(due, after(asked, memobj->answer_ms)) : due;
}

static struct machvm_request *oldest_locked(struct machvm_memobj *memobj)
{
	return list_first_entry_or_null(&memobj->open, struct machvm_request, open);
}

/* The next moment at which something ends of itself, U64_MAX if nothing does. */
static u64 due_locked(struct machvm_memobj *memobj)
{
	struct machvm_request *request = oldest_locked(memobj);
	u64 due = request ? request_due_locked(memobj, request) : U64_MAX;

	if (memobj->state == MACHVM_MEMOBJ_RETURNING || !list_empty(&memobj->copies))
		due = min(due, successor_due_locked(memobj, 0));
	return due;
}

/* A timer that is pending keeps its time unless @anew. */
static void arm_locked(struct machvm_memobj *memobj, u64 due, bool anew)
{
	u64 now = ktime_get_ns();
	unsigned long delay = due > now ? nsecs_to_jiffies(due - now) + 1 : 0;
	bool pending;

	if (due == U64_MAX)
		return;
	machvm_memobj_get(memobj);
	if (anew)
		pending = mod_delayed_work(machvm_queue, &memobj->deadline, delay);
	else
		pending = !queue_delayed_work(machvm_queue, &memobj->deadline, delay);
	if (pending)
		refcount_dec(&memobj->refs);	/* not the caller's */
}

/* Nobody serves the object, and what is asked of it now is an error at once. */
bool machvm_absence_refuses_locked(struct machvm_memobj *memobj)
{
	if (!memobj->dead &&
	    (memobj->untaken || !machvm_port_absent_locked(memobj->port)))
		return false;
	return memobj->fallback == MACHVM_FALLBACK_ERROR &&
	       (memobj->dead || !memobj->successor_ms);
}

/* A request was posted: it shall end in time. */
void machvm_absence_watch_locked(struct machvm_memobj *memobj, struct machvm_request *request)
{
	arm_locked(memobj, request_due_locked(memobj, request), false);
}

/* No pager will take what is to be returned. */
bool machvm_absence_over_locked(struct machvm_memobj *memobj)
{
	return successor_due_locked(memobj, 0) <= ktime_get_ns();
}

/* Until when a pager is waited for; 0: there is one, or none is waited for any more. */
static u64 waits_until(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	u64 due = successor_due_locked(memobj, 0);

	if (!machvm_port_absent_locked(port) || memobj->untaken || due <= ktime_get_ns())
		due = 0;
	machvm_memobj_unlock_port(port);
	return due;
}

static long jiffies_until(u64 due)
{
	u64 now = ktime_get_ns();

	if (due == U64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	return due > now ? nsecs_to_jiffies(due - now) + 1 : 1;
}

/* No pager will come, or it was a manager: the default memory manager may have the object. */
static bool is_for_manager(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool is = !memobj->dead &&
		  (memobj->bank || (memobj->fallback == MACHVM_FALLBACK_MANAGER &&
				    machvm_absence_over_locked(memobj)));

	machvm_memobj_unlock_port(port);
	return is;
}

/* Somebody may come who serves it, if nobody does. */
bool machvm_absence_may_end(struct machvm_memobj *memobj)
{
	return READ_ONCE(memobj->successor_ms) ||
	       READ_ONCE(memobj->fallback) == MACHVM_FALLBACK_MANAGER;
}

/**
 * machvm_absence_wait - wait until somebody serves an object that its pager has left
 * @memobj: whose pager
 *
 * If nobody comes in time the default memory manager may be who does.
 * Context: no lock held; killable.
 * Return: KERN_SUCCESS: somebody does; KERN_MEMORY_ERROR: nobody has come in time, or ever will;
 * -EINTR.
 */
int machvm_absence_wait(struct machvm_memobj *memobj)
{
	struct machvm_port *port;
	bool served;
	u64 due;

	/* Anew whenever that is another time: the attributes may have been changed. */
	while ((due = waits_until(memobj)))
		if (wait_event_killable_timeout(pagers, waits_until(memobj) != due,
						jiffies_until(due)) < 0)
			return -EINTR;
	if (is_for_manager(memobj))
		machvm_store_adopt(memobj);
	port = machvm_memobj_lock_port(memobj);
	served = !memobj->dead && !machvm_port_absent_locked(port);
	machvm_memobj_unlock_port(port);
	return served ? MACHVM_KERN_SUCCESS : MACHVM_KERN_MEMORY_ERROR;
}

/* There is a pager, or somebody need not wait for one any longer. */
void machvm_absence_wake(void)
{
	wake_up_all(&pagers);
}

/* The oldest request if it is overdue, with a reference, or NULL. */
static struct machvm_request *next_overdue(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	struct machvm_request *request = oldest_locked(memobj);

	if (request && request_due_locked(memobj, request) <= ktime_get_ns())
		machvm_request_get(request);
	else
		request = NULL;
	machvm_memobj_unlock_port(port);
	return request;
}

/* A lock that nobody takes away is an error in any case. */
static void give_up(struct machvm_memobj *memobj, struct machvm_request *request)
{
	if (request->msg.type == MACHVM_MSG_DATA_REQUEST &&
	    READ_ONCE(memobj->fallback) == MACHVM_FALLBACK_ZERO &&
	    machvm_memobj_answer_zero(memobj, request))
		return;
	machvm_count(MACHVM_STAT_ERRORS, 1);
	machvm_request_finish(request, MACHVM_KERN_MEMORY_ERROR, 0);
}

/* What nobody is there to take is in the object again, and so there for who asks for it. */
static void take_back(struct machvm_memobj *memobj)
{
	mutex_lock(&memobj->lock);
	machvm_jobs_drop_absent(memobj);
	mutex_unlock(&memobj->lock);
}

/**
 * machvm_absence_run - end what is overdue now, and see to what will be
 * @memobj: whose questions
 *
 * To be called when a pager goes, or less time is left than when the timer was set.
 * Context: no lock of ours held.
 */
void machvm_absence_run(struct machvm_memobj *memobj)
{
	struct machvm_request *request;
	struct machvm_port *port;

	if (is_for_manager(memobj))
		machvm_store_adopt(memobj);
	machvm_destroy_unserved(memobj);
	take_back(memobj);
	while ((request = next_overdue(memobj))) {
		give_up(memobj, request);
		machvm_request_put(request);
		cond_resched();
	}
	machvm_memobj_drop_unserved(memobj);
	port = machvm_memobj_lock_port(memobj);
	arm_locked(memobj, due_locked(memobj), true);
	machvm_memobj_unlock_port(port);
	machvm_absence_wake();
	machvm_memobj_pump(memobj);	/* somebody may have come meanwhile */
}

static void deadline_work(struct work_struct *work)
{
	struct machvm_memobj *memobj = container_of(to_delayed_work(work), struct machvm_memobj,
						    deadline);

	machvm_absence_run(memobj);
	machvm_memobj_put(memobj);
}

void machvm_absence_init(struct machvm_memobj *memobj)
{
	INIT_DELAYED_WORK(&memobj->deadline, deadline_work);
}

/* The object is dead: all of it is overdue, and no timer will be needed again. */
void machvm_absence_end(struct machvm_memobj *memobj)
{
	machvm_absence_run(memobj);
	if (cancel_delayed_work(&memobj->deadline))
		machvm_memobj_put(memobj);
}

/* As &struct machvm_control_absence says; holds for open requests as well. */
void machvm_absence_set(struct machvm_memobj *memobj, u8 fallback, u32 answer_ms,
			u32 successor_ms)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	memobj->fallback = fallback;
	memobj->answer_ms = answer_ms;
	memobj->successor_ms = successor_ms;
	machvm_memobj_unlock_port(port);
	machvm_absence_run(memobj);
}
