// SPDX-License-Identifier: GPL-2.0-only
/*
 * copycall.c - the copy strategy CALL: a copy is a memory object of its own.
 * Callers: mapcopy.c and vm.c copy; control.c hands copies to pagers; life.c ends them.
 * Never: waits for a pager, or touches user memory.
 * Locks: source's memobj->lock, inside it family->lock for writing while pages are copied; then
 * port->lock.
 *
 * What is there of the source is copied at once, also what is on its way to the pager, of this
 * incarnation or the one before; the copy belongs to nobody's backing store, so all of that is
 * dirty, and the object temporary.  The rest
 * the pager has, as it is when it hears of the copy: what is written to the source later is
 * returned after that message.  So copy, the message, is queued before memobj->lock is released.
 *
 * The new object stands on its source's list, with its message in the source's port, until the
 * pager takes it: then it is bound and gets init like any other.  Who touches what is not there
 * waits, as for a pager that is not ready, and gets an error if all who could take it are gone.
 */
#include "copycall.h"
#include "absence.h"
#include "laundry.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "port.h"

/* Its pager would hear of copies and serve them. */
bool machvm_object_copied_by_call(struct machvm_object *object)
{
	return object->memobj && !(object->flags & MACHVM_OBJ_DESTROYED) &&
	       READ_ONCE(object->memobj->copy_strategy) == MACHVM_COPY_CALL;
}

/* What is to be copied, and where to: a range that begins at page 0 there. */
struct copying {
	struct machvm_object *source;
	struct machvm_object *into;	/* nobody maps it; others may look at it */
	u64 first, last;		/* pages of the source */
};

/*
 * A page for what will be copied: dirty, or whoever looks for pages to be had would take it, and
 * precious as long as there is nothing in it.
 */
static int add_room(struct copying *c, u64 index)
{
	struct folio *folio = machvm_page_alloc(c->into->user, GFP_KERNEL);
	int err;

	if (IS_ERR(folio))
		return -ENOMEM;
	down_read(&c->into->family->lock);
	err = machvm_page_insert(c->into, index - c->first, folio);
	if (!err) {
		machvm_page_dirty(c->into, folio);
		machvm_page_set(folio, MACHVM_PAGE_PRECIOUS);
	}
	up_read(&c->into->family->lock);
	if (err)
		machvm_page_free(folio);
	return err;
}

/* The next page of @object that there is no room for; moves *@index to it.  False: none. */
static bool next_without_room(struct copying *c, struct machvm_object *object, u64 *index)
{
	struct folio *folio;

	down_read(&object->family->lock);
	while ((folio = machvm_page_next(object, index, c->last)) &&
	       machvm_page_lookup(c->into, *index - c->first))
		++*index;
	up_read(&object->family->lock);
	return folio;
}

/* The same of the incarnation before, which the pager is still being given. */
static bool next_returned_without_room(struct copying *c, u64 *index)
{
	struct machvm_memobj *memobj = c->source->memobj;
	bool found;

	mutex_lock(&memobj->lock);
	found = memobj->returning && next_without_room(c, memobj->returning, index);
	mutex_unlock(&memobj->lock);
	return found;
}

/* Memory is fetched before locks are taken; what comes in meanwhile needs another round. */
static int make_room(struct copying *c)
{
	struct machvm_memobj *memobj = c->source->memobj;
	u64 index, end;
	int err = 0;

	for (index = c->first; !err && next_without_room(c, c->source, &index); index++) {
		err = add_room(c, index);
		cond_resched();
	}
	for (index = c->first; !err && next_returned_without_room(c, &index); index++)
		err = add_room(c, index);
	mutex_lock(&memobj->lock);
	index = memobj->run ? memobj->run->first : 0;
	end = memobj->run ? index + memobj->run->nr : 0;
	mutex_unlock(&memobj->lock);
	for (index = max(index, c->first); !err && index < min(end, c->last + 1); index++)
		if (!machvm_page_lookup(c->into, index - c->first))
			err = add_room(c, index);
	return err;
}

/*
 * Returns 0, or -EAGAIN if there is no room.  What must not be read the pager is asked for, unless
 * what was written there is not with it: then the copy must not be read either.
 */
static int copy_one(struct copying *c, u64 index, struct folio *folio)
{
	struct folio *room = machvm_page_lookup(c->into, index - c->first);
	u32 locks = machvm_page_locks(folio) & MACHVM_PROT_READ;

	if (!room)
		return -EAGAIN;
	if (locks && !machvm_page_test(folio, MACHVM_PAGE_DIRTY))
		return 0;
	copy_highpage(folio_page(room, 0), folio_page(folio, 0));
	machvm_page_set_locks(room, locks);
	machvm_page_clear(room, MACHVM_PAGE_PRECIOUS);
	return 0;
}

/* Copies all that there is of an object.  Returns 0 or -EAGAIN. */
static int copy_object_locked(struct copying *c, struct machvm_object *object)
{
	struct folio *folio;
	int err = 0;
	u64 index;

	lockdep_assert_held(&object->family->lock);
	for (index = c->first; !err && (folio = machvm_page_next(object, &index, c->last)); index++)
		err = copy_one(c, index, folio);
	return err;
}

/* What the pager has not released of the incarnation before; nobody maps that. */
static int copy_returning(struct copying *c)
{
	struct machvm_object *object = c->source->memobj->returning;
	int err;

	lockdep_assert_held(&c->source->memobj->lock);
	if (!object)
		return 0;
	down_read(&object->family->lock);
	err = copy_object_locked(c, object);
	up_read(&object->family->lock);
	return err;
}

/* Pages that were taken out to be returned, of which the pager may not have heard. */
static int copy_run_locked(struct copying *c)
{
	struct machvm_run *run = c->source->memobj->run;
	unsigned int i;
	int err = 0;

	for (i = 0; run && i < run->nr && !err; i++) {
		u64 index = run->first + i;

		if (index < c->first || index > c->last || !run->pages[i] ||
		    machvm_page_lookup(c->source, index))
			continue;
		err = copy_one(c, index, run->pages[i]);
	}
	return err;
}

/* What an earlier try has copied may have changed. */
static void forget_copied(struct copying *c)
{
	struct folio *folio;
	u64 index;

	for (index = 0; (folio = machvm_page_next(c->into, &index, ULONG_MAX)); index++)
		machvm_page_set(folio, MACHVM_PAGE_PRECIOUS);
}

/* All pages as they are at one moment: nobody can write until the lock is released. */
static int copy_pages_locked(struct copying *c)
{
	lockdep_assert_held_write(&c->source->family->lock);
	machvm_zap_mappers(c->source, c->first, c->last - c->first + 1);
	return copy_object_locked(c, c->source) ?: copy_run_locked(c);
}

/* The pager will hear of the copy, unless there is none and none can come in time. */
static void announce_locked(struct copying *c)
{
	struct machvm_memobj *source = c->source->memobj, *copy = c->into->memobj;
	struct machvm_port *port = machvm_memobj_lock_port(source);

	copy->temporary = true;
	copy->fallback = source->fallback;
	copy->answer_ms = source->answer_ms;
	copy->successor_ms = source->successor_ms;
	if (machvm_absence_over_locked(source)) {
		copy->dead = true;
	} else {
		copy->untaken = true;
		copy->awaited = true;
		copy->source = machvm_memobj_get(source);
		list_add_tail(&machvm_memobj_get(copy)->of_source, &source->copies);
		copy->copied.type = MACHVM_MSG_COPY;
		copy->copied.memobj = source;
		copy->copied.offset = c->first << PAGE_SHIFT;
		copy->copied.length = (c->last - c->first + 1) << PAGE_SHIFT;
		copy->copied.new_object = copy->id;
		copy->copied.queued_ns = ktime_get_ns();
		machvm_port_queue_locked(port, &copy->copied);
	}
	machvm_memobj_unlock_port(port);
}

static int copy_once(struct copying *c)
{
	struct machvm_memobj *memobj = c->source->memobj;
	int err = make_room(c);

	if (err)
		return err;
	mutex_lock(&memobj->lock);
	forget_copied(c);
	err = copy_returning(c);
	if (!err) {
		down_write(&c->source->family->lock);
		err = copy_pages_locked(c);
		up_write(&c->source->family->lock);
	}
	if (!err)
		announce_locked(c);
	mutex_unlock(&memobj->lock);
	return err;
}

/* It is mapped from here on: as soon as a socket is bound to it, that gets init. */
static void publish(struct copying *c)
{
	struct machvm_memobj *copy = c->into->memobj;
	struct machvm_port *port;
	struct folio *folio;
	u64 index;

	down_write(&c->into->family->lock);
	for (index = 0; (folio = machvm_page_next(c->into, &index, ULONG_MAX)); index++)
		if (machvm_page_test(folio, MACHVM_PAGE_PRECIOUS))
			machvm_page_purge(c->into, index, index);	/* room for nothing */
	up_write(&c->into->family->lock);
	mutex_lock(&copy->lock);
	copy->object = c->into;
	port = machvm_memobj_lock_port(copy);
	copy->mapped = true;
	machvm_memobj_bound_locked(copy);
	machvm_memobj_unlock_port(port);
	mutex_unlock(&copy->lock);
}

/**
 * machvm_object_copy_call - a copy of which the pager is told, and which it serves
 * @source: as machvm_object_copied_by_call() has it, referenced by the caller
 * @first: first page
 * @nr: pages
 * @user: who pays for the copy
 *
 * Context: none of our locks but map->lock held.  The message is sent by a worker.
 * Return: the copy, whose page 0 is @first of the source, with a reference for the caller; NULL if
 * there is no memory, or the user has too many objects.
 */
struct machvm_object *machvm_object_copy_call(struct machvm_object *source, u64 first, u64 nr,
					      struct machvm_user *user)
{
	struct copying c = { .source = source, .first = first, .last = first + nr - 1 };
	struct machvm_memobj *copy = machvm_memobj_create(user);
	int err;

	if (IS_ERR(copy))
		return NULL;
	c.into = machvm_object_create(user, copy);
	if (!c.into)
		goto err_copy;
	do {
		err = copy_once(&c);
	} while (err == -EAGAIN);
	if (err)
		goto err_into;
	publish(&c);
	machvm_memobj_put(copy);
	machvm_memobj_advance_later(source->memobj);
	return c.into;

err_into:
	machvm_object_put(c.into);	/* others may be looking at it */
err_copy:
	machvm_memobj_put(copy);
	return NULL;
}

/* Nobody will hear of it any more, or has to. */
static void unlist_locked(struct machvm_port *port, struct machvm_memobj *copy)
{
	list_del_init(&copy->of_source);
	machvm_port_unlist_locked(port, &copy->copied);
}

/* Drops what the list had.  The caller has references on both. */
static void drop_listing(struct machvm_memobj *copy)
{
	struct machvm_memobj *source = copy->source;

	WRITE_ONCE(copy->source, NULL);
	machvm_memobj_put(source);
	machvm_memobj_put(copy);
}

/* The copy of that number that nobody has taken, with a reference, or NULL. */
struct machvm_memobj *machvm_copy_find(struct machvm_memobj *source, u64 id)
{
	struct machvm_port *port = machvm_memobj_lock_port(source);
	struct machvm_memobj *copy, *found = NULL;

	list_for_each_entry(copy, &source->copies, of_source)
		if (copy->id == id)
			found = machvm_memobj_get(copy);
	machvm_memobj_unlock_port(port);
	return found;
}

/* Whoever takes it may serve it.  Returns false if somebody was faster, or it has ended. */
bool machvm_copy_take(struct machvm_memobj *source, struct machvm_memobj *copy)
{
	struct machvm_port *port = machvm_memobj_lock_port(source);
	bool listed = !list_empty(&copy->of_source);

	if (listed)
		unlist_locked(port, copy);
	machvm_memobj_unlock_port(port);
	if (listed)
		drop_listing(copy);
	return listed;
}

/* Nothing maps it any more: if its pager has not heard of it, it need not. */
void machvm_copy_forget(struct machvm_memobj *copy)
{
	struct machvm_memobj *source;
	struct machvm_port *port;
	bool listed;

	rcu_read_lock();
	source = READ_ONCE(copy->source);
	if (source && !refcount_inc_not_zero(&source->refs))
		source = NULL;
	rcu_read_unlock();
	if (!source)
		return;
	port = machvm_memobj_lock_port(source);
	listed = !list_empty(&copy->of_source) && !copy->copied.via;
	if (listed)
		unlist_locked(port, copy);
	machvm_memobj_unlock_port(port);
	if (listed)
		drop_listing(copy);
	machvm_memobj_put(source);
}

/* The first copy that nobody can take in time, off its list. */
static struct machvm_memobj *next_lost(struct machvm_memobj *source)
{
	struct machvm_port *port = machvm_memobj_lock_port(source);
	struct machvm_memobj *copy = NULL;

	if (!list_empty(&source->copies) && machvm_absence_over_locked(source)) {
		copy = list_first_entry(&source->copies, struct machvm_memobj, of_source);
		unlist_locked(port, machvm_memobj_get(copy));
	}
	machvm_memobj_unlock_port(port);
	return copy;
}

/* The pager has gone, and nobody takes over: nor can anybody serve the copies that it left. */
void machvm_copies_end(struct machvm_memobj *source)
{
	struct machvm_memobj *copy;

	while ((copy = next_lost(source))) {
		machvm_memobj_die(copy);
		drop_listing(copy);
		machvm_memobj_put(copy);
		cond_resched();
	}
}
