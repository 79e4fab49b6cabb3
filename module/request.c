// SPDX-License-Identifier: GPL-2.0-only
/*
 * request.c - questions that pagers were asked.
 * Callers: fault.c posts and waits; reply.c answers; port.c ends them.
 * Never: sends, touches a slot, or sleeps with port->lock held.
 * Locks: port->lock, a leaf.
 *
 * Who sleeps: a fault, on request->wait, until the state is DONE.  Who wakes it: finish(), which
 * every answer, cancellation and death ends in.  The sleeper then asks the object again.
 */
#include "request.h"
#include "absence.h"
#include "memobj.h"
#include "page.h"
#include "port.h"
#include "stats.h"
#include "user.h"

/**
 * machvm_request_create - a question for one page
 * @memobj: whom to ask
 * @index: page index in the object
 * @access: MACHVM_PROT_READ, with MACHVM_PROT_WRITE if the page is to be written
 * @folio: the page to fill, charged to who faults; consumed on success
 *
 * Return: the request with one reference, or NULL.
 */
struct machvm_request *machvm_request_create(struct machvm_memobj *memobj, u64 index, u32 access,
					     struct folio *folio)
{
	struct machvm_request *request = kzalloc(sizeof(*request), GFP_KERNEL_ACCOUNT);

	if (!request)
		return NULL;
	refcount_set(&request->refs, 1);
	INIT_LIST_HEAD(&request->msg.node);
	INIT_LIST_HEAD(&request->open);
	INIT_LIST_HEAD(&request->open_on_port);
	request->msg.type = MACHVM_MSG_DATA_REQUEST;
	request->msg.memobj = machvm_memobj_get(memobj);
	request->msg.offset = index << PAGE_SHIFT;
	request->msg.length = PAGE_SIZE;
	request->msg.access = access;
	request->folio = folio;
	init_waitqueue_head(&request->wait);
	return request;
}

/* The page is there, but its lock forbids @access; otherwise as machvm_request_create(). */
struct machvm_request *machvm_request_create_unlock(struct machvm_memobj *memobj, u64 index,
						    u32 access)
{
	struct machvm_request *request = machvm_request_create(memobj, index, access, NULL);

	if (request)
		request->msg.type = MACHVM_MSG_DATA_UNLOCK;
	return request;
}

void machvm_request_get(struct machvm_request *request)
{
	refcount_inc(&request->refs);
}

bool machvm_request_tryget(struct machvm_request *request)
{
	return refcount_inc_not_zero(&request->refs);
}

void machvm_request_put(struct machvm_request *request)
{
	struct folio *folio;

	if (!refcount_dec_and_test(&request->refs))
		return;
	folio = machvm_request_take_folio(request);
	if (folio)
		machvm_page_free(folio);
	machvm_memobj_put(request->msg.memobj);
	kfree_rcu(request, rcu);
}

/* Result and error are valid once this is true. */
bool machvm_request_done(struct machvm_request *request)
{
	/* Pairs with the release in machvm_request_finish(). */
	return smp_load_acquire(&request->state) == MACHVM_REQUEST_DONE;
}

/* Whoever gets the parked page fills it; anybody else comes too late. */
struct folio *machvm_request_take_folio(struct machvm_request *request)
{
	return xchg(&request->folio, NULL);
}

void machvm_request_park_folio(struct machvm_request *request, struct folio *folio)
{
	WARN_ON_ONCE(xchg(&request->folio, folio));
}

static void open_locked(struct machvm_port *port, struct machvm_request *request)
{
	struct machvm_memobj *memobj = request->msg.memobj;

	request->msg.queued_ns = ktime_get_ns();
	list_add_tail(&request->open, &memobj->open);
	list_add_tail(&request->open_on_port, &port->open);
	memobj->nr_open++;
	port->nr_open++;
}

static void close_locked(struct machvm_port *port, struct machvm_request *request)
{
	list_del_init(&request->open);
	list_del_init(&request->open_on_port);
	request->msg.memobj->nr_open--;
	port->nr_open--;
}

/*
 * To the port's queue.  But whose page has just left for the pager it must not ask for before it
 * has been offered what that has: it would supply what it had before.
 */
static void queue_locked(struct machvm_port *port, struct machvm_request *request)
{
	struct machvm_memobj *memobj = request->msg.memobj;

	request->state = MACHVM_REQUEST_QUEUED;
	if (memobj->gathering && request->msg.type == MACHVM_MSG_DATA_REQUEST) {
		list_add_tail(&request->msg.node, &memobj->gated);
		port->nr_queued++;
	} else {
		machvm_port_queue_locked(port, &request->msg);
	}
}

/*
 * The pager is ready, or has been told of the pages that were gathered: questions go on to it, but
 * data_unlock only if @all, as that may wait for the end of the object.
 */
void machvm_request_open_gate_locked(struct machvm_port *port, struct machvm_memobj *memobj,
				     bool all)
{
	struct machvm_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &memobj->gated, node) {
		if (!all && msg->type != MACHVM_MSG_DATA_REQUEST)
			continue;
		list_move_tail(&msg->node, &port->queue);
		WRITE_ONCE(machvm_request_of(msg)->state, MACHVM_REQUEST_QUEUED);
	}
}

/**
 * machvm_request_post - put a question in its port's queue
 * @request: has its place in the object
 *
 * It waits for ready first if need be, for what is returned before it, or for a pager, as absence.c
 * has it.  The queue takes a reference.
 * Return: KERN_SUCCESS, or KERN_MEMORY_ERROR if there is no pager to ask and none is waited for, or
 * it is about to destroy the object.
 */
int machvm_request_post(struct machvm_request *request)
{
	struct machvm_memobj *memobj = request->msg.memobj;
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	if (machvm_absence_refuses_locked(memobj) ||
	    (memobj->doom && request->msg.type == MACHVM_MSG_DATA_REQUEST)) {
		machvm_memobj_unlock_port(port);
		return MACHVM_KERN_MEMORY_ERROR;
	}
	if (request->state == MACHVM_REQUEST_DONE) {
		machvm_memobj_unlock_port(port);
		return MACHVM_KERN_SUCCESS;	/* cancelled between its slot and here */
	}
	machvm_request_get(request);
	if (request->msg.type == MACHVM_MSG_DATA_REQUEST) {
		port->requests++;
		atomic_long_inc(&memobj->requested);
		machvm_count(MACHVM_STAT_REQUESTS, 1);
	}
	open_locked(port, request);
	machvm_absence_watch_locked(memobj, request);
	if (memobj->state == MACHVM_MEMOBJ_READY && !memobj->dead && !memobj->doom) {
		queue_locked(port, request);
	} else {
		/* Its port may have a pager again that was bound for another object. */
		machvm_memobj_bound_locked(memobj);
		request->state = MACHVM_REQUEST_GATED;
		list_add_tail(&request->msg.node, &memobj->gated);
		port->nr_queued++;
	}
	machvm_memobj_unlock_port(port);
	machvm_count(MACHVM_STAT_QUEUED, 1);
	return MACHVM_KERN_SUCCESS;
}

/**
 * machvm_request_settle - the one end of every request, but for the wake-up
 * @request: any reference on it will do
 * @result: kern_return_t for those who wait
 * @error: the pager's own value
 *
 * The second and later calls do nothing.  The caller wakes who waits, soon.
 */
void machvm_request_settle(struct machvm_request *request, int result, int error)
{
	struct machvm_port *port = machvm_memobj_lock_port(request->msg.memobj);
	bool listed = !list_empty(&request->open);
	struct folio *folio = NULL;

	if (listed) {
		machvm_port_unlist_locked(port, &request->msg);
		close_locked(port, request);
	}
	if (request->state != MACHVM_REQUEST_DONE) {
		request->result = result;
		request->error = error;
		/* Pairs with the acquire in machvm_request_done(). */
		smp_store_release(&request->state, MACHVM_REQUEST_DONE);
		folio = machvm_request_take_folio(request);
	}
	machvm_memobj_unlock_port(port);
	if (folio)
		machvm_page_free(folio);
	if (listed) {
		machvm_count(MACHVM_STAT_QUEUED, -1);
		machvm_request_put(request);	/* not the caller's, so not the last */
	}
}

void machvm_request_wake(struct machvm_request *request)
{
	wake_up_all(&request->wait);
}

/* The end of a request, as machvm_request_settle() says, and who waits is woken. */
void machvm_request_finish(struct machvm_request *request, int result, int error)
{
	machvm_request_settle(request, result, error);
	machvm_request_wake(request);
}
