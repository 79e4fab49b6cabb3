// SPDX-License-Identifier: GPL-2.0-only
/*
 * port.c - ports: where messages to pagers queue, and the sockets that serve them.
 * Callers: request.c and memobj.c queue; nl_out.c takes what may be sent and binds sockets.
 * Never: sends, or sleeps with port->lock held.
 * Locks: port->lock, a leaf.
 *
 * A question waits on port->queue for a socket with credit, anything else on port->notices for one
 * that is not full.  It moves to that socket's sent list, and leaves it when it is answered.  If
 * the socket closes first it goes back to the head of its queue for the next one; if there is none,
 * its request ends in an error.  So nothing is lost, and nobody waits for a socket.
 *
 * One task sends at a time, from machvm_port_next() to machvm_port_sent(), so that a socket gets
 * messages in the order of their numbers.  Who comes meanwhile leaves what it has queued to that
 * task, which looks for more before it goes.
 */
#include "port.h"
#include "absence.h"
#include "copycall.h"
#include "lock.h"
#include "memobj.h"
#include "request.h"
#include "stats.h"
#include "user.h"

static DEFINE_XARRAY(port_table);	/* by id; entries are not references */

struct machvm_port *machvm_port_create(struct machvm_user *user)
{
	struct machvm_port *port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);

	if (!port)
		return NULL;
	refcount_set(&port->refs, 1);
	port->id = machvm_id_new();
	spin_lock_init(&port->lock);
	INIT_LIST_HEAD(&port->queue);
	INIT_LIST_HEAD(&port->notices);
	INIT_LIST_HEAD(&port->bindings);
	INIT_LIST_HEAD(&port->memobjs);
	INIT_LIST_HEAD(&port->open);
	machvm_port_init_retry(port);
	port->user = machvm_user_get(user);
	/* Whoever looks at the table finds it from here on. */
	if (xa_insert(&port_table, port->id, port, GFP_KERNEL_ACCOUNT)) {
		machvm_user_put(port->user);
		kfree(port);
		return NULL;
	}
	machvm_count(MACHVM_STAT_PORTS, 1);
	return port;
}

/* Nobody serves it at the moment. */
bool machvm_port_absent_locked(struct machvm_port *port)
{
	lockdep_assert_held(&port->lock);
	return list_empty(&port->bindings);
}

struct machvm_port *machvm_port_get(struct machvm_port *port)
{
	refcount_inc(&port->refs);
	return port;
}

void machvm_port_put(struct machvm_port *port)
{
	if (!refcount_dec_and_test(&port->refs))
		return;
	WARN_ON_ONCE(!list_empty(&port->queue) || !list_empty(&port->notices) ||
		     !list_empty(&port->bindings));
	xa_erase(&port_table, port->id);
	machvm_port_release(port);
	machvm_user_put(port->user);
	machvm_count(MACHVM_STAT_PORTS, -1);
	kfree_rcu(port, rcu);
}

/* The first living port whose number is @id or larger, with a reference; NULL past the last. */
struct machvm_port *machvm_port_first(u64 id)
{
	struct machvm_port *port;
	unsigned long at = id;

	rcu_read_lock();
	xa_for_each_start(&port_table, at, port, id) {
		if (refcount_inc_not_zero(&port->refs))
			break;
	}
	rcu_read_unlock();
	return port;
}

static struct list_head *line_of(struct machvm_port *port, struct machvm_msg *msg)
{
	return machvm_request_of(msg) ? &port->queue : &port->notices;
}

void machvm_port_queue_locked(struct machvm_port *port, struct machvm_msg *msg)
{
	lockdep_assert_held(&port->lock);
	list_add_tail(&msg->node, line_of(port, msg));
	port->nr_queued++;
}

/* Takes a message off whichever list it is on, and gives its credit back. */
void machvm_port_unlist_locked(struct machvm_port *port, struct machvm_msg *msg)
{
	lockdep_assert_held(&port->lock);
	if (list_empty(&msg->node))
		return;
	list_del_init(&msg->node);
	if (msg->via) {
		msg->via->in_flight--;
		msg->via->asked -= !!machvm_request_of(msg);
		msg->via->congested = false;
		msg->via = NULL;
		port->nr_sent--;
	} else {
		port->nr_queued--;
	}
}

/*
 * The socket with the fewest messages in flight that can take one more.  Only a question needs
 * credit: to answer one, a pager may need to hear of something else first, that a page was flushed
 * or that its order was carried out.
 */
static struct machvm_binding *pick_binding_locked(struct machvm_port *port, bool question)
{
	struct machvm_binding *binding, *best = NULL;

	list_for_each_entry(binding, &port->bindings, node) {
		if (binding->congested || (question && binding->asked >= binding->window))
			continue;
		if (!best || binding->in_flight < best->in_flight)
			best = binding;
	}
	return best;
}

static bool lies_beside(const struct machvm_msg *msg, u64 first, u64 end)
{
	return msg->offset == end || msg->offset + msg->length == first;
}

/* What a message becomes part of, or is sent as. */
static void hand_over_locked(struct machvm_port *port, struct machvm_msg *msg,
			     struct machvm_binding *via)
{
	struct machvm_request *request = machvm_request_of(msg);

	list_move_tail(&msg->node, &via->sent);
	port->nr_queued--;
	port->nr_sent++;
	via->in_flight++;
	via->asked += !!request;
	msg->via = via;
	msg->epoch = via->epoch;
	if (request)
		WRITE_ONCE(request->state, MACHVM_REQUEST_SENT);
}

/*
 * The message that goes out is for all the pages that are asked for in the queue behind @msg, side
 * by side, alike, and no more than a cluster.  They share its number.
 */
static void gather_locked(struct machvm_port *port, struct machvm_msg *msg,
			  struct machvm_binding *via, struct machvm_msg *copy)
{
	u64 most = (u64)msg->memobj->cluster_pages << PAGE_SHIFT;
	struct machvm_msg *next, *after;

	if (msg->type != MACHVM_MSG_DATA_REQUEST)
		return;
	list_for_each_entry_safe(next, after, &port->queue, node) {
		if (copy->length >= most || next->memobj != msg->memobj ||
		    next->type != msg->type || next->access != msg->access ||
		    !lies_beside(next, copy->offset, copy->offset + copy->length))
			break;
		copy->offset = min(copy->offset, next->offset);
		copy->length += next->length;
		hand_over_locked(port, next, via);
		next->sequence = msg->sequence;
	}
}

/* Frees the notices of @port, or only those about @memobj, that nobody is there to read. */
void machvm_port_drop_notices(struct machvm_port *port, struct machvm_memobj *memobj)
{
	struct machvm_msg *msg, *next;
	LIST_HEAD(dropped);

	if (memobj && !atomic_read(&memobj->nr_jobs))
		return;
	spin_lock(&port->lock);
	list_for_each_entry_safe(msg, next, &port->notices, node) {
		if (!machvm_job_of(msg) || (memobj && msg->memobj != memobj))
			continue;
		machvm_port_unlist_locked(port, msg);
		list_add(&msg->node, &dropped);
	}
	spin_unlock(&port->lock);
	list_for_each_entry_safe(msg, next, &dropped, node) {
		list_del_init(&msg->node);
		machvm_job_put(machvm_job_of(msg));
	}
}

static struct machvm_msg *first_queued_locked(struct machvm_port *port)
{
	return list_first_entry_or_null(&port->notices, struct machvm_msg, node) ?:
	       list_first_entry_or_null(&port->queue, struct machvm_msg, node);
}

/**
 * machvm_port_next - the next message that may be sent
 * @port: the port
 * @sending: out: what to send and where; machvm_port_sent() ends it
 *
 * Return: false if nothing is queued, no socket can take it, or another task is sending.
 */
bool machvm_port_next(struct machvm_port *port, struct machvm_sending *sending)
{
	struct machvm_binding *via;
	struct machvm_msg *msg;

	spin_lock(&port->lock);
	msg = port->sending ? NULL : first_queued_locked(port);
	via = msg ? pick_binding_locked(port, machvm_request_of(msg)) : NULL;
	if (!via) {
		spin_unlock(&port->lock);
		return false;
	}
	hand_over_locked(port, msg, via);
	port->messages++;
	port->sending = true;
	if (!msg->sequence)	/* sent again, it keeps its number */
		msg->sequence = ++msg->memobj->sequence;
	refcount_inc(&via->refs);
	sending->via = via;
	sending->msg = msg;
	sending->copy = *msg;
	gather_locked(port, msg, via, &sending->copy);
	sending->request = machvm_request_of(msg);
	if (sending->request)
		machvm_request_get(sending->request);
	sending->job = machvm_job_of(msg);
	if (sending->job)
		machvm_job_get(sending->job);
	sending->copied = machvm_copied_of(msg);
	if (sending->copied)
		machvm_memobj_get(sending->copied);
	machvm_memobj_get(msg->memobj);
	spin_unlock(&port->lock);
	return true;
}

/*
 * True if the message is still where machvm_port_next() has put it.  One that was answered, or
 * whose socket has closed, is not; nor is a control message that says something else by now.  It
 * may even be another port's: then it is sent by way of another binding, or by none.
 */
static bool in_flight_locked(const struct machvm_sending *sending)
{
	return READ_ONCE(sending->msg->via) == sending->via &&
	       sending->msg->sequence == sending->copy.sequence;
}

/* From a socket back to the head of the queue. */
static void requeue_locked(struct machvm_port *port, struct machvm_msg *msg)
{
	struct machvm_request *request = machvm_request_of(msg);

	machvm_port_unlist_locked(port, msg);
	list_add(&msg->node, line_of(port, msg));
	port->nr_queued++;
	if (request)
		WRITE_ONCE(request->state, MACHVM_REQUEST_QUEUED);
}

/* It did not go out: what is still where machvm_port_next() has put it goes back. */
static void take_back_locked(struct machvm_port *port, const struct machvm_sending *sending)
{
	struct machvm_msg *msg, *before;

	list_for_each_entry_safe_reverse(msg, before, &sending->via->sent, node) {
		if (msg->memobj == sending->copy.memobj &&
		    msg->sequence == sending->copy.sequence)
			requeue_locked(port, msg);
	}
	port->messages--;
}

/**
 * machvm_port_sent - what became of a message from machvm_port_next()
 * @port: the port
 * @sending: as it was handed out
 * @err: 0, or why it did not go out; then that socket is left alone until it answers something or
 *	 the retry timer runs
 */
void machvm_port_sent(struct machvm_port *port, struct machvm_sending *sending, int err)
{
	struct machvm_memobj *memobj = sending->copy.memobj;
	bool done = false;

	spin_lock(&port->lock);
	port->sending = false;
	if (err) {
		take_back_locked(port, sending);
		sending->via->congested = true;
	} else if (sending->copy.type == MACHVM_MSG_TERMINATE && in_flight_locked(sending)) {
		machvm_memobj_terminated_locked(memobj);
	} else if (sending->job && in_flight_locked(sending)) {
		/* Nobody answers it. */
		machvm_port_unlist_locked(port, sending->msg);
		done = true;
	}
	spin_unlock(&port->lock);
	if (sending->request)
		machvm_request_put(sending->request);
	if (done)
		machvm_job_put(sending->job);	/* the queue's */
	if (sending->job)
		machvm_job_put(sending->job);
	if (sending->copied)
		machvm_memobj_put(sending->copied);
	machvm_binding_put(sending->via);
	machvm_memobj_put(memobj);
}

/* The retry timer: full sockets are tried again. */
void machvm_port_uncongest(struct machvm_port *port)
{
	struct machvm_binding *binding;

	spin_lock(&port->lock);
	list_for_each_entry(binding, &port->bindings, node)
		binding->congested = false;
	spin_unlock(&port->lock);
}

/**
 * machvm_binding_create - a socket joins a port
 * @port: which
 * @sk: the socket; a reference is taken by the caller and released by its ops, see nl_out.c
 * @net: its network namespace
 * @portid: its address
 * @window: requests that may be unanswered, 0 for the default
 *
 * Return: the binding, on the port's list, with a reference for the caller; NULL.
 */
struct machvm_binding *machvm_binding_create(struct machvm_port *port, struct sock *sk,
					     struct net *net, u32 portid, unsigned int window)
{
	struct machvm_binding *binding = kzalloc(sizeof(*binding), GFP_KERNEL_ACCOUNT);

	if (!binding)
		return NULL;
	refcount_set(&binding->refs, 2);	/* the list's and the caller's */
	INIT_LIST_HEAD(&binding->sent);
	INIT_LIST_HEAD(&binding->all);
	binding->port = machvm_port_get(port);
	binding->sk = sk;
	binding->net = net;
	binding->portid = portid;
	binding->window = window ?: MACHVM_WINDOW_DEFAULT;
	spin_lock(&port->lock);
	binding->epoch = ++port->last_epoch;
	list_add_tail(&binding->node, &port->bindings);
	spin_unlock(&port->lock);
	machvm_absence_wake();
	return binding;
}

void machvm_binding_put(struct machvm_binding *binding)
{
	if (!refcount_dec_and_test(&binding->refs))
		return;
	machvm_binding_release(binding);
	machvm_port_put(binding->port);
	kfree(binding);
}

/**
 * machvm_binding_close - the socket is gone
 * @binding: of that socket
 *
 * What it had not answered is for the others; if there are none the pager is absent, and all who
 * wait get an error.  The list's reference is dropped.
 */
void machvm_binding_close(struct machvm_binding *binding)
{
	struct machvm_port *port = binding->port;
	struct machvm_msg *msg, *next;
	bool absent;

	spin_lock(&port->lock);
	if (binding->gone) {
		spin_unlock(&port->lock);
		return;
	}
	binding->gone = true;
	list_del_init(&binding->node);
	list_for_each_entry_safe_reverse(msg, next, &binding->sent, node)
		requeue_locked(port, msg);
	absent = machvm_port_absent_locked(port);
	if (absent)
		port->absent_ns = ktime_get_ns();
	spin_unlock(&port->lock);
	if (absent)
		machvm_memobj_absent(port);
	machvm_port_pump(port);
	machvm_binding_put(binding);
}
