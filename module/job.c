// SPDX-License-Identifier: GPL-2.0-only
/*
 * job.c - lock requests: pages are cleaned, flushed and locked, in the order of the requests.
 * Callers: control.c, nl_in.c and sync.c start; machvm_memobj_advance() carries out.
 * Never: waits for a pager.
 * Locks: memobj->lock for the job at work; family->lock for writing while pages leave the object,
 * then one folio lock at a time.
 *
 * A job walks the resident pages of its range.  Those that the pager is to get gather in a run;
 * when that is full, or the next page is not like it, it is offered, and the job goes on when the
 * pager has released it.  So a job never holds more than a run, and lock_completed comes after
 * all that was returned has arrived.
 */
#include "lock.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "port.h"
#include "request.h"

#define BATCH_PAGES 64	/* looked at without letting others in */
#define PATIENCE 16	/* jiffies that a job waits in all for pages that are in use */
#define JOBS_MAX 1024	/* of one object that are not carried out, or not told of */
#define CLIENT_JOBS_MAX (JOBS_MAX / 2)	/* so that there is room for the pager's own */
#define EVICT_PAGES 256	/* that a job of the kernel's own returns, a run at a time */

/* Who makes room must not wait for some, nor have somebody killed for it. */
#define EVICT_GFP (GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOWARN)

enum verdict {
	PAGE_DONE,
	PAGE_NEXT_RUN,		/* it does not fit into this one */
	PAGE_NEED_SPARE,
	PAGE_IN_USE,		/* for a moment, perhaps */
};

/**
 * machvm_job_start - put a lock request in its object's queue
 * @memobj: the object
 * @order: what to do
 * @out: out: the job, with a reference; or NULL if nobody waits for it
 *
 * machvm_memobj_advance() or machvm_memobj_advance_later() carries it out.
 * Return: KERN_SUCCESS; KERN_INVALID_ARGUMENT (a lock beyond MACHVM_PROT_ALL that is not
 * NO_CHANGE, or a range that wraps); KERN_MEMORY_ERROR (nobody serves the object);
 * KERN_RESOURCE_SHORTAGE.
 * Source: GNU Mach reference manual, "Memory Object Cache Control", memory_object_lock_request.
 */
int machvm_job_start(struct machvm_memobj *memobj, const struct machvm_lock_order *order,
		     struct machvm_job **out)
{
	int max = order->for_client ? CLIENT_JOBS_MAX : JOBS_MAX;
	struct machvm_port *port;
	struct machvm_job *job;
	u64 last = order->offset;

	if ((order->locks & ~MACHVM_PROT_ALL && order->locks != MACHVM_PROT_NO_CHANGE) ||
	    (order->length && check_add_overflow(order->offset, order->length - 1, &last)))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (atomic_read(&memobj->nr_jobs) >= max)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	job = kzalloc(sizeof(*job), order->evict ? EVICT_GFP : GFP_KERNEL_ACCOUNT);
	if (!job)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	atomic_inc(&memobj->nr_jobs);
	refcount_set(&job->refs, out ? 2 : 1);
	job->msg.type = MACHVM_MSG_LOCK_COMPLETED;
	job->msg.memobj = machvm_memobj_get(memobj);
	job->msg.offset = order->offset;
	job->msg.length = order->length;
	INIT_LIST_HEAD(&job->msg.node);
	init_waitqueue_head(&job->wait);
	job->order = *order;
	job->run.initialize = order->initialize;
	job->run.evict = order->evict;
	job->index = order->offset >> PAGE_SHIFT;
	job->last = last >> PAGE_SHIFT;
	job->patience = order->evict || order->clean ? 0 : PATIENCE;
	if (!order->length)
		job->index = job->last + 1;
	port = machvm_memobj_lock_port(memobj);
	if (memobj->dead || list_empty(&port->bindings)) {
		machvm_memobj_unlock_port(port);
		refcount_set(&job->refs, 1);
		machvm_job_put(job);
		return MACHVM_KERN_MEMORY_ERROR;
	}
	list_add_tail(&job->node, &memobj->jobs);
	machvm_memobj_unlock_port(port);
	if (out)
		*out = job;
	return MACHVM_KERN_SUCCESS;
}

void machvm_job_get(struct machvm_job *job)
{
	refcount_inc(&job->refs);
}

void machvm_job_put(struct machvm_job *job)
{
	if (!refcount_dec_and_test(&job->refs))
		return;
	if (job->spare)
		machvm_page_free(job->spare);
	atomic_dec(&job->msg.memobj->nr_jobs);
	machvm_laundry_event();
	machvm_memobj_put(job->msg.memobj);
	kfree(job);
}

/* The result is valid once this is true. */
bool machvm_job_done(struct machvm_job *job)
{
	return smp_load_acquire(&job->done);	/* pairs with the release in job_end() */
}

/* Takes a job off the list, tells the pager if it wants to know, and wakes who waits. */
static void job_end(struct machvm_memobj *memobj, struct machvm_job *job, bool tell)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	list_del(&job->node);
	tell = tell && job->order.reply && !list_empty(&port->bindings);
	machvm_job_get(job);
	if (tell) {
		job->msg.access = job->result;
		job->msg.queued_ns = ktime_get_ns();
		machvm_port_queue_locked(port, &job->msg);	/* with the list's reference */
	}
	machvm_memobj_unlock_port(port);
	smp_store_release(&job->done, true);	/* pairs with the acquire in machvm_job_done() */
	wake_up_all(&job->wait);
	if (!tell)
		machvm_job_put(job);	/* the list's */
	machvm_job_put(job);	/* ours; memobj has others */
}

static struct machvm_job *first_job(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	struct machvm_job *job = list_first_entry_or_null(&memobj->jobs, struct machvm_job, node);

	machvm_memobj_unlock_port(port);
	return job;	/* under memobj->lock it stays where it is */
}

static bool is_wanted(const struct machvm_job *job, struct folio *folio)
{
	if (job->order.evict && !machvm_page_test(folio, MACHVM_PAGE_INACTIVE))
		return false;	/* it was used since */
	switch (job->order.should_return) {
	case MACHVM_RETURN_NONE:
		return job->order.for_client && machvm_page_test(folio, MACHVM_PAGE_PRECIOUS);
	case MACHVM_RETURN_ALL:
		return machvm_page_test(folio, MACHVM_PAGE_DIRTY) ||
		       machvm_page_test(folio, MACHVM_PAGE_PRECIOUS);
	case MACHVM_RETURN_ANYTHING:
		return true;
	default:
		return machvm_page_test(folio, MACHVM_PAGE_DIRTY);
	}
}

/* A copy of the page, made of the spare. */
static struct folio *copy_of(struct machvm_job *job, struct folio *folio)
{
	struct folio *copy = job->spare;

	job->spare = NULL;
	copy_highpage(folio_page(copy, 0), folio_page(folio, 0));
	return copy;
}

/* The delayed copy of the object gets the page before that goes.  Returns 0 or -ENOMEM. */
static int push(struct machvm_job *job, struct machvm_object *object, struct folio *folio)
{
	struct folio *copy = copy_of(job, folio);
	int err;

	machvm_page_set(copy, MACHVM_PAGE_DIRTY);
	err = machvm_page_insert(object->copy, job->index, copy);
	if (err)
		job->spare = copy;
	return err;
}

static void set_locks(struct machvm_job *job, struct machvm_object *object, struct folio *folio)
{
	if (job->order.locks == MACHVM_PROT_NO_CHANGE)
		return;
	machvm_page_set_locks(folio, job->order.locks);
	machvm_unlock_end(object->memobj, job->index, job->index, MACHVM_KERN_SUCCESS);
}

/* The page stays.  If it is wanted and @in_use its contents may change unseen: it stays dirty. */
static void keep_page(struct machvm_job *job, struct machvm_object *object, struct folio *folio,
		      bool wanted, bool in_use)
{
	if (wanted)
		machvm_run_add(object->memobj, &job->run, job->index,
			       machvm_page_test(folio, MACHVM_PAGE_DIRTY), true,
			       in_use ? copy_of(job, folio) : NULL);
	if (wanted && !in_use)
		machvm_page_set(folio, MACHVM_PAGE_RETURNED);
	set_locks(job, object, folio);
}

/* The page goes; nothing shows it.  Returns it if it is to be freed, once unlocked. */
static struct folio *take_page(struct machvm_job *job, struct machvm_object *object, bool wanted)
{
	struct folio *folio = wanted ? machvm_page_lend(object, job->index) :
				       machvm_page_take(object, job->index);

	machvm_unlock_end(object->memobj, job->index, job->index, MACHVM_KERN_SUCCESS);
	if (!wanted)
		return folio;
	machvm_run_add(object->memobj, &job->run, job->index,
		       machvm_page_test(folio, MACHVM_PAGE_DIRTY), false, folio);
	return NULL;
}

/*
 * True if the page is to leave.  What is evicted is cleaned first, and leaves when it is found
 * clean; but for what is precious: once its pager has it there must be no other.
 */
static bool is_to_go(const struct machvm_job *job, struct folio *folio, bool wanted)
{
	if (job->order.evict)
		return wanted && machvm_page_test(folio, MACHVM_PAGE_PRECIOUS);
	return job->order.flush && (wanted || !job->order.keep_clean);
}

/*
 * Does to one page what is to be done.  Its translations go first: only then is it known that
 * nobody writes to it, and that nobody has it for a system call or a device.
 * In: @folio locked.  Out: unlocked, if PAGE_DONE; perhaps freed.
 */
static enum verdict do_page(struct machvm_job *job, struct machvm_object *object,
			    struct folio *folio)
{
	bool wanted = is_wanted(job, folio), dirty = machvm_page_test(folio, MACHVM_PAGE_DIRTY);
	bool pushing, in_use, going, wired = machvm_page_wired_locked(object, job->index);

	if (job->order.evict && wired)
		wanted = false;
	if (wanted || job->order.flush || job->order.locks != MACHVM_PROT_NO_CHANGE)
		machvm_zap_viewers_locked(object, job->index);
	in_use = folio_ref_count(folio) != 1 || folio_mapped(folio);
	if (in_use && (job->order.evict || job->order.clean)) {
		job->unclean += wanted;
		wanted = false;
	}
	if (in_use && (wanted || job->order.flush) && job->patience)
		return PAGE_IN_USE;
	going = is_to_go(job, folio, wanted) && !in_use && !wired;
	if (wanted && !machvm_run_fits(&job->run, job->index, dirty, !going))
		return PAGE_NEXT_RUN;
	pushing = going && machvm_push_wanted_locked(object, job->index);
	if ((pushing || (wanted && in_use)) && !job->spare)
		return PAGE_NEED_SPARE;
	if (pushing && push(job, object, folio)) {
		job->result = MACHVM_KERN_RESOURCE_SHORTAGE;
		folio_unlock(folio);
		return PAGE_DONE;
	}
	job->returned += wanted;
	if (going) {
		struct folio *gone = take_page(job, object, wanted);

		folio_unlock(folio);
		if (gone)
			machvm_page_free(gone);
		return PAGE_DONE;
	}
	keep_page(job, object, folio, wanted, in_use);
	folio_unlock(folio);
	return PAGE_DONE;
}

/* A batch of pages.  Returns PAGE_DONE, or why the walk stands at job->index. */
static enum verdict walk(struct machvm_job *job, struct machvm_object *object)
{
	enum verdict verdict = PAGE_DONE;
	unsigned int nr;

	down_write(&object->family->lock);
	for (nr = 0; nr < BATCH_PAGES && job->index <= job->last; nr++) {
		struct folio *folio = machvm_page_next(object, &job->index, job->last);

		if (!folio) {
			job->index = job->last + 1;
			break;
		}
		folio_lock(folio);
		verdict = do_page(job, object, folio);
		if (verdict != PAGE_DONE) {
			folio_unlock(folio);
			break;
		}
		job->index++;
	}
	up_write(&object->family->lock);
	return verdict;
}

/* Gets a page for a copy.  Without one the page that wanted it is passed over. */
static void get_spare(struct machvm_memobj *memobj, struct machvm_job *job)
{
	struct folio *folio = machvm_page_alloc(memobj->user, GFP_KERNEL);

	if (IS_ERR(folio)) {
		job->result = MACHVM_KERN_RESOURCE_SHORTAGE;
		job->index++;
	} else {
		job->spare = folio;
	}
}

/*
 * The pages that a job is about.  Those of an ended incarnation are no more once they are being
 * offered: they are all on their way.
 */
static struct machvm_object *job_object(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool offered = !list_empty(&memobj->ctl.node);

	machvm_memobj_unlock_port(port);
	return offered ? NULL : memobj->returning ?: memobj->object;
}

/* The kernel's own job has done enough for now, or others have something to do. */
static bool is_enough(struct machvm_memobj *memobj, struct machvm_job *job)
{
	struct machvm_port *port;
	bool others;

	if (!job->order.evict)
		return false;
	port = machvm_memobj_lock_port(memobj);
	others = !list_is_singular(&memobj->jobs);
	machvm_memobj_unlock_port(port);
	return others || job->returned >= EVICT_PAGES;
}

/**
 * machvm_job_step - do a piece of the first job of an object
 *
 * @memobj: whose
 * @pause: out: give those who use a page a moment before the next piece
 *
 * Context: memobj->lock held.
 * Return: true if there may be more to do at once.
 */
bool machvm_job_step(struct machvm_memobj *memobj, bool *pause)
{
	struct machvm_job *job = first_job(memobj);
	struct machvm_object *object;
	enum verdict verdict = PAGE_DONE;

	lockdep_assert_held(&memobj->lock);
	if (!job || machvm_run_sent(memobj))
		return false;
	object = job_object(memobj);
	if (object && job->index <= job->last && !is_enough(memobj, job))
		verdict = walk(job, object);
	else
		job->index = job->last + 1;
	if (verdict == PAGE_NEED_SPARE) {
		get_spare(memobj, job);
	} else if (verdict == PAGE_IN_USE) {
		job->patience--;
		*pause = true;
	} else if (job->run.nr && (verdict == PAGE_NEXT_RUN || job->index > job->last)) {
		machvm_run_send(memobj);
		return false;
	} else if (job->index > job->last) {
		if (job->order.clean)
			WRITE_ONCE(memobj->unclean, job->unclean);
		job_end(memobj, job, true);
	}
	return true;
}

/* Ends all jobs of an object, done or not.  In: memobj->lock held. */
void machvm_jobs_drop(struct machvm_memobj *memobj)
{
	struct machvm_job *job;

	if (memobj->run)
		machvm_run_drop(memobj);
	while ((job = first_job(memobj))) {
		job->result = MACHVM_KERN_MEMORY_ERROR;
		job_end(memobj, job, !memobj->dead);
	}
}

/**
 * machvm_jobs_drop_absent - if nobody serves the object, end its jobs
 * @memobj: whose
 *
 * Context: memobj->lock held.
 * Return: false if there is a pager.
 */
bool machvm_jobs_drop_absent(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool absent = memobj->dead || list_empty(&port->bindings);

	machvm_memobj_unlock_port(port);
	if (absent)
		machvm_jobs_drop(memobj);
	return absent;
}
