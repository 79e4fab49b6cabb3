// SPDX-License-Identifier: GPL-2.0-only
/*
 * memobj.c - memory objects: their identity, their port, and the state that their pager knows.
 * Callers: dev.c makes them; nl_in.c and control.c with a pager's words; life.c.
 * Never: touches user memory, waits for a pager, or visits a map.
 * Locks: memobj->lock for the incarnations; port->lock for the state.
 *
 * The life of a memory object, as its pager sees it:
 *
 *	IDLE --first mapping--> INIT --ready--> READY --last unmap--> RETURNING --all released-->
 *	TERMINATING --terminate sent--> IDLE
 *
 * RETURNING is skipped when no page is dirty or precious.  A mapping made after the last unmap
 * starts a new incarnation, whose init follows the old one's terminate; life.c has the details.
 */
#include "memobj.h"
#include "absence.h"
#include "lock.h"
#include "object.h"
#include "page.h"
#include "port.h"
#include "request.h"
#include "stats.h"
#include "user.h"

static DEFINE_XARRAY(memobj_table);	/* by id; entries are not references */

/* Returns a memory object with one reference; ERR_PTR(-EDQUOT) at @user's limit, or -ENOMEM. */
struct machvm_memobj *machvm_memobj_create(struct machvm_user *user)
{
	struct machvm_memobj *memobj;
	struct machvm_port *port;

	if (!machvm_user_charge_object(user))
		return ERR_PTR(-EDQUOT);
	memobj = kzalloc(sizeof(*memobj), GFP_KERNEL_ACCOUNT);
	if (!memobj)
		goto err_charge;
	port = machvm_port_create(user);
	if (!port)
		goto err_memobj;
	refcount_set(&memobj->refs, 1);
	memobj->id = machvm_id_new();
	mutex_init(&memobj->lock);
	INIT_LIST_HEAD(&memobj->cached);
	machvm_absence_init(memobj);
	INIT_LIST_HEAD(&memobj->open);
	INIT_LIST_HEAD(&memobj->waiters);
	INIT_LIST_HEAD(&memobj->gated);
	INIT_LIST_HEAD(&memobj->jobs);
	machvm_memobj_init_advance(memobj);
	INIT_LIST_HEAD(&memobj->ctl.node);
	xa_init_flags(&memobj->unlocks, XA_FLAGS_ACCOUNT);
	memobj->ctl.memobj = memobj;
	INIT_LIST_HEAD(&memobj->copies);
	INIT_LIST_HEAD(&memobj->of_source);
	INIT_LIST_HEAD(&memobj->copied.node);
	memobj->copy_strategy = MACHVM_COPY_DELAY;
	memobj->cluster_pages = 1;
	memobj->next_index = U64_MAX;
	memobj->user = machvm_user_get(user);
	memobj->port = port;
	spin_lock(&port->lock);
	list_add(&memobj->on_port, &port->memobjs);
	port->nr_objects = 1;
	spin_unlock(&port->lock);
	/* A message may name it from here on. */
	if (xa_insert(&memobj_table, memobj->id, memobj, GFP_KERNEL_ACCOUNT))
		goto err_port;
	return memobj;

err_port:
	spin_lock(&port->lock);
	list_del(&memobj->on_port);
	port->nr_objects = 0;
	spin_unlock(&port->lock);
	machvm_port_put(port);
	machvm_user_put(user);
err_memobj:
	kfree(memobj);
err_charge:
	machvm_user_uncharge_object(user);
	return ERR_PTR(-ENOMEM);
}

struct machvm_memobj *machvm_memobj_get(struct machvm_memobj *memobj)
{
	refcount_inc(&memobj->refs);
	return memobj;
}

void machvm_memobj_put(struct machvm_memobj *memobj)
{
	struct machvm_port *port;

	if (!refcount_dec_and_test(&memobj->refs))
		return;
	xa_erase(&memobj_table, memobj->id);
	port = machvm_memobj_lock_port(memobj);
	WARN_ON_ONCE(!list_empty(&memobj->open) || !list_empty(&memobj->ctl.node) ||
		     !list_empty(&memobj->jobs) || memobj->run || !list_empty(&memobj->copies) ||
		     !list_empty(&memobj->of_source) || !list_empty(&memobj->waiters));
	WARN_ON_ONCE(atomic_long_read(&memobj->resident) || atomic_long_read(&memobj->dirty) ||
		     atomic_long_read(&memobj->writeback));
	list_del(&memobj->on_port);
	port->nr_objects--;
	machvm_memobj_unlock_port(port);
	machvm_port_put(port);
	machvm_user_uncharge_object(memobj->user);
	machvm_user_put(memobj->user);
	kfree_rcu(memobj, rcu);
}

/* The memory object of that number, with a reference; NULL if there is none. */
struct machvm_memobj *machvm_memobj_find(u64 id)
{
	struct machvm_memobj *memobj;

	rcu_read_lock();
	memobj = xa_load(&memobj_table, id);
	if (memobj && !refcount_inc_not_zero(&memobj->refs))
		memobj = NULL;
	rcu_read_unlock();
	return memobj;
}

/* The first one whose number is @id or larger, with a reference; NULL past the last. */
struct machvm_memobj *machvm_memobj_first(u64 id)
{
	struct machvm_memobj *memobj;
	unsigned long at = id;

	rcu_read_lock();
	xa_for_each_start(&memobj_table, at, memobj, id) {
		if (refcount_inc_not_zero(&memobj->refs))
			break;
	}
	rcu_read_unlock();
	return memobj;
}

/* Locks the port that carries @memobj; ports outlive a grace period. */
struct machvm_port *machvm_memobj_lock_port(struct machvm_memobj *memobj)
	__acquires(&port->lock)
{
	struct machvm_port *port;

	rcu_read_lock();
	for (;;) {
		port = READ_ONCE(memobj->port);
		spin_lock(&port->lock);
		if (port == memobj->port)
			break;
		spin_unlock(&port->lock);
	}
	rcu_read_unlock();
	return port;
}

void machvm_memobj_unlock_port(struct machvm_port *port)
	__releases(&port->lock)
{
	spin_unlock(&port->lock);
}

/* Sends what there is credit for on the port that carries @memobj. */
void machvm_memobj_pump(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_port_get(machvm_memobj_lock_port(memobj));

	machvm_memobj_unlock_port(port);
	machvm_port_pump(port);
	machvm_port_put(port);
}

/* True if there is a pager that would be asked for a page now, and not just hear of the object. */
bool machvm_memobj_answers(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool answers = memobj->state == MACHVM_MEMOBJ_READY && !memobj->dead && !memobj->doom &&
		       !machvm_port_absent_locked(port);

	machvm_memobj_unlock_port(port);
	return answers;
}

/* The incarnation that is mapped or cached, with a reference, or NULL. */
struct machvm_object *machvm_memobj_object(struct machvm_memobj *memobj)
{
	struct machvm_object *object;

	mutex_lock(&memobj->lock);
	object = memobj->object;
	if (object)
		machvm_object_get(object);
	mutex_unlock(&memobj->lock);
	return object;
}

/* The message takes a reference, which whoever unlists it drops. */
void machvm_memobj_ctl_queue_locked(struct machvm_port *port, struct machvm_memobj *memobj,
				    u8 type)
{
	memobj->ctl.type = type;
	memobj->ctl.sequence = 0;
	memobj->ctl.queued_ns = ktime_get_ns();
	machvm_memobj_get(memobj);
	machvm_port_queue_locked(port, &memobj->ctl);
}

/* Returns true if it was listed: the caller then drops the list's reference, unlocked. */
bool machvm_memobj_ctl_unlist_locked(struct machvm_port *port, struct machvm_memobj *memobj)
{
	if (list_empty(&memobj->ctl.node))
		return false;
	machvm_port_unlist_locked(port, &memobj->ctl);
	return true;
}

/*
 * A socket was bound, or a first mapping was made: init goes out if both are there.  A pager that
 * has taken a copy by then which nothing maps any more gets terminate instead.
 */
void machvm_memobj_bound_locked(struct machvm_memobj *memobj)
{
	struct machvm_port *port = memobj->port;

	lockdep_assert_held(&port->lock);
	if (list_empty(&port->bindings))
		return;
	memobj->untaken = false;
	if (memobj->state != MACHVM_MEMOBJ_IDLE || memobj->dead)
		return;
	if (memobj->mapped) {
		memobj->state = MACHVM_MEMOBJ_INIT;
		machvm_memobj_ctl_queue_locked(port, memobj,
					       memobj->bank ? MACHVM_MSG_CREATE : MACHVM_MSG_INIT);
	} else if (memobj->unheard) {
		memobj->state = MACHVM_MEMOBJ_TERMINATING;
		machvm_memobj_ctl_queue_locked(port, memobj, MACHVM_MSG_TERMINATE);
	}
	memobj->unheard = false;
}

/* Terminate went out: the next incarnation, if there is one already, gets its init. */
void machvm_memobj_terminated_locked(struct machvm_memobj *memobj)
{
	if (memobj->state != MACHVM_MEMOBJ_TERMINATING ||
	    !machvm_memobj_ctl_unlist_locked(memobj->port, memobj))
		return;
	refcount_dec(&memobj->refs);	/* the sender has one of its own */
	memobj->state = MACHVM_MEMOBJ_IDLE;
	machvm_memobj_bound_locked(memobj);
}

/* Before which of the open requests of @port one belongs that was asked at @ns. */
static struct list_head *place_of(struct machvm_port *port, struct list_head *from, u64 ns)
{
	list_for_each_continue(from, &port->open) {
		if (list_entry(from, struct machvm_request, open_on_port)->msg.queued_ns > ns)
			break;
	}
	return from;
}

/* What waits on a port without sockets goes to another one with its object. */
static void move_messages(struct machvm_memobj *memobj, struct machvm_port *from,
			  struct machvm_port *to)
{
	struct list_head *place = &to->open;
	struct machvm_request *request;
	struct machvm_memobj *copy;
	unsigned long nr = memobj->nr_open;

	list_for_each_entry(request, &memobj->open, open) {
		if (request->state == MACHVM_REQUEST_QUEUED)
			list_move_tail(&request->msg.node, &to->queue);
		place = place_of(to, place, request->msg.queued_ns);
		list_move_tail(&request->open_on_port, place);
		place = &request->open_on_port;
	}
	from->nr_open -= nr;
	to->nr_open += nr;
	if (!list_empty(&memobj->ctl.node)) {
		list_move_tail(&memobj->ctl.node, &to->notices);
		nr++;
	}
	list_for_each_entry(copy, &memobj->copies, of_source) {
		list_move_tail(&copy->copied.node, &to->notices);
		nr++;
	}
	from->nr_queued -= nr;
	to->nr_queued += nr;
}

/**
 * machvm_memobj_join - let an object be served through @port
 * @memobj: the object
 * @port: of other objects
 *
 * Context: one at a time, so that the order of the two ports does not matter.
 * Return: 0, or -EBUSY if sockets are bound to its own port.
 */
int machvm_memobj_join(struct machvm_memobj *memobj, struct machvm_port *port)
{
	struct machvm_port *old;
	int err = 0;

	mutex_lock(&memobj->lock);
	old = memobj->port;
	if (old == port)
		goto out;
	/* What the old pager began with its pages nobody goes on with. */
	if (machvm_jobs_drop_absent(memobj))
		machvm_port_drop_notices(old, memobj);
	spin_lock(&old->lock);
	if (!machvm_port_absent_locked(old)) {
		err = -EBUSY;
		spin_unlock(&old->lock);
		goto out;
	}
	spin_lock_nested(&port->lock, SINGLE_DEPTH_NESTING);
	move_messages(memobj, old, port);
	list_move_tail(&memobj->on_port, &port->memobjs);
	old->nr_objects--;
	port->nr_objects++;
	WRITE_ONCE(memobj->port, machvm_port_get(port));
	spin_unlock(&port->lock);
	spin_unlock(&old->lock);
	machvm_port_put(old);
	machvm_absence_wake();	/* sockets may be there already */
out:
	mutex_unlock(&memobj->lock);
	return err;
}
