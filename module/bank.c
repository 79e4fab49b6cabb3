// SPDX-License-Identifier: GPL-2.0-only
/*
 * bank.c - the default memory manager in user space: what is paged out goes on to it.
 * Callers: store.c, through which all pages that are paged out come and go; manager.c.
 * Never: waits with a lock held; waits for the manager but in a thread of its own.
 * Locks: bank_lock, a leaf.  The worker is one thread, and takes the others' locks without it.
 *
 * A page that is paged out is in the store (store.c) first, so paging out waits for nobody.  If
 * there is a manager, the page is put in a queue, and the worker takes it on: each internal object
 * with pages there has a memory object of its own, its bank, which the manager was told of by
 * create; the page becomes a dirty one of that, at the same offset, and an ordinary lock request
 * returns it.  When the manager has released it the store drops it.  To bring it back is to ask the
 * bank's pager for it.  So a page is in the store until it is with the manager, and none is lost
 * that it has not released, whatever becomes of it meanwhile.
 *
 * A place keeps its number, wherever its page lies: chains of objects, copies and collapse know
 * nothing of banks.  A page may so end in another object than its bank was made for; the bank
 * lives until the last of its places is free.
 *
 * What may follow a page at the same offset waits in the store until the one before is free.
 */
#include "bank.h"
#include <linux/workqueue.h>
#include "absence.h"
#include "channel.h"
#include "cluster.h"
#include "lock.h"
#include "manager.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "port.h"
#include "request.h"
#include "stats.h"
#include "user.h"

#define BATCH_PAGES MACHVM_RUN_PAGES

/*
 * Under bank_lock, which who reclaims memory may want, and for who pages out because there is none.
 * What cannot be entered stays in the store.
 */
#define BANK_GFP (GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT)

enum place_state {
	PLACE_QUEUED,		/* in the store, and is to go */
	PLACE_MOVING,		/* the worker has it */
	PLACE_MOVED,		/* with the manager */
};

/* The memory object that stands for an internal object at the manager. */
struct bank {
	struct list_head node;		/* (b) on banks; the worker takes it off */
	u64 id;				/* (c) of that object */
	struct machvm_memobj *memobj;	/* (w) NULL: not made yet */
	struct machvm_object *object;	/* (w) its incarnation, referenced */
	struct machvm_user *user;	/* (c) */
	struct list_head queue;		/* (b) places that are to go */
	struct list_head freed;		/* (b) places whose pages the bank may still show */
	struct xarray taken;		/* (b) index to the last place there, until it is freed */
	struct xarray known;		/* (w) indices that the manager was told of */
	u64 end;			/* (b) first index behind all there ever were */
	bool ended;			/* (b) the object is gone */
};

/* A place whose page is with the manager, or on its way. */
struct banked {
	struct list_head node;		/* (b) on bank->queue or bank->freed; the worker's own */
	u64 place;			/* (c) */
	struct bank *bank;		/* (c) */
	u64 index;			/* (c) of its page in the bank */
	u8 state;			/* (b) enum place_state */
	bool freed;			/* (b) in the place table no more */
};

/* Letters: (b) bank_lock, (w) the worker alone writes, with bank_lock; (c) constant. */
static DEFINE_MUTEX(bank_lock);
static LIST_HEAD(banks);
static DEFINE_XARRAY(bank_table);	/* (b) by object, those that are not ended */
static DEFINE_XARRAY(place_table);	/* (b) struct banked by place */
static struct workqueue_struct *bank_queue;

static void bank_worker(struct work_struct *work);
static DECLARE_WORK(bank_work, bank_worker);

/* There may be something to do for the worker. */
void machvm_bank_kick(void)
{
	queue_work(bank_queue, &bank_work);
}

/* The bank of an object; made, but for its memory object, if there is none.  NULL: no memory. */
static struct bank *bank_of_locked(struct machvm_object *object)
{
	struct bank *bank = xa_load(&bank_table, object->id);

	if (bank)
		return bank;
	bank = kzalloc(sizeof(*bank), BANK_GFP);
	if (!bank)
		return NULL;
	bank->id = object->id;
	bank->user = machvm_user_get(object->user);
	INIT_LIST_HEAD(&bank->queue);
	INIT_LIST_HEAD(&bank->freed);
	xa_init_flags(&bank->taken, XA_FLAGS_ACCOUNT);
	xa_init_flags(&bank->known, XA_FLAGS_ACCOUNT);
	if (xa_err(xa_store(&bank_table, bank->id, bank, BANK_GFP))) {
		machvm_user_put(bank->user);
		kfree(bank);
		return NULL;
	}
	list_add_tail(&bank->node, &banks);
	object->banked = true;
	return bank;
}

/* Puts a place in the queue of a bank, unless the page before at that offset is still there. */
static bool enter_locked(struct bank *bank, struct banked *banked)
{
	struct banked *before = xa_load(&bank->taken, banked->index);

	if ((before && !before->freed) ||
	    xa_err(xa_store(&bank->taken, banked->index, banked, BANK_GFP)))
		return false;
	if (xa_err(xa_store(&place_table, banked->place, banked, BANK_GFP))) {
		if (before)	/* a slot that is there takes no memory */
			xa_store(&bank->taken, banked->index, before, BANK_GFP);
		else
			xa_erase(&bank->taken, banked->index);
		return false;
	}
	banked->bank = bank;
	list_add_tail(&banked->node, &bank->queue);
	bank->end = max(bank->end, banked->index + 1);
	return true;
}

/* True if the slot still names the place: it was freed before we knew it, otherwise. */
static bool is_named(struct machvm_object *object, u64 index, u64 place)
{
	u64 found = 0;

	down_read(&object->family->lock);
	machvm_page_find(object, index, &found);
	up_read(&object->family->lock);
	return found == place;
}

/**
 * machvm_bank_offer - a page has gone to the store: it may go on from there
 * @object: whose, referenced by the caller
 * @index: which
 * @place: where it is
 *
 * Context: no lock of ours held.
 */
void machvm_bank_offer(struct machvm_object *object, u64 index, u64 place)
{
	struct banked *banked;
	struct bank *bank;
	bool entered;

	if (!machvm_manager_is_set())
		return;
	banked = kzalloc(sizeof(*banked), BANK_GFP);
	if (!banked)
		return;
	banked->place = place;
	banked->index = index;
	mutex_lock(&bank_lock);
	bank = bank_of_locked(object);
	entered = bank && enter_locked(bank, banked);
	mutex_unlock(&bank_lock);
	if (!entered) {
		kfree(banked);
		return;
	}
	if (is_named(object, index, place))
		machvm_bank_kick();
	else
		machvm_bank_free(place);
}

/* True if the page is with the manager, and only there. */
bool machvm_bank_has(u64 place)
{
	struct banked *banked;
	bool moved;

	if (xa_empty(&place_table))
		return false;
	mutex_lock(&bank_lock);
	banked = xa_load(&place_table, place);
	moved = banked && banked->state == PLACE_MOVED;
	mutex_unlock(&bank_lock);
	return moved;
}

/* The bank's object, with a reference, and the page of it; NULL if the page is not with it. */
static struct machvm_object *find_moved(u64 place, u64 *index)
{
	struct machvm_object *object = NULL;
	struct banked *banked;

	mutex_lock(&bank_lock);
	banked = xa_load(&place_table, place);
	if (banked && banked->state == PLACE_MOVED) {
		object = machvm_object_get(banked->bank->object);
		*index = banked->index;
	}
	mutex_unlock(&bank_lock);
	return object;
}

/**
 * machvm_bank_read - what lies in a place, if it has come from the manager
 * @place: of the store
 * @into: a page, filled on success
 *
 * Context: no lock of ours held.
 * Return: 0; -ENOENT, it is not with the manager; -EINPROGRESS, it is to be asked for.
 */
int machvm_bank_read(u64 place, struct folio *into)
{
	struct machvm_object *object;
	struct folio *folio;
	u64 index;

	if (xa_empty(&place_table))
		return -ENOENT;
	object = find_moved(place, &index);
	if (!object)
		return -ENOENT;
	down_read(&object->family->lock);
	folio = machvm_page_lookup(object, index);
	if (folio)
		copy_highpage(folio_page(into, 0), folio_page(folio, 0));
	up_read(&object->family->lock);
	machvm_object_put(object);
	return folio ? 0 : -EINPROGRESS;
}

/* The question that is open for the page, referenced, or NULL. */
static struct machvm_request *open_question(struct machvm_object *object, u64 index)
{
	struct machvm_request *request;

	down_read(&object->family->lock);
	request = machvm_page_request(object, index);
	up_read(&object->family->lock);
	return request;
}

/**
 * machvm_bank_ask - ask the manager for the page of a place
 * @place: of the store
 * @folio: to be filled; NULL when it was taken
 *
 * Return: the question, to be waited for, with a reference; NULL if it is to be read again;
 * ERR_PTR(-ENOMEM), ERR_PTR(-EIO).
 */
struct machvm_request *machvm_bank_ask(u64 place, struct folio **folio)
{
	struct machvm_request *request;
	struct machvm_object *object;
	u64 index;
	int kr;

	object = find_moved(place, &index);
	if (!object)
		return NULL;
	request = open_question(object, index);
	if (request)
		goto out;
	request = machvm_request_create(object->memobj, index, MACHVM_PROT_READ, *folio);
	if (!request) {
		request = ERR_PTR(-ENOMEM);
		goto out;
	}
	*folio = NULL;
	kr = machvm_question_ask(object, index, request);
	if (kr) {
		machvm_request_finish(request, kr, 0);
		machvm_request_put(request);
		request = kr == MACHVM_KERN_MEMORY_PRESENT ? NULL : ERR_PTR(-EIO);
	}
out:
	machvm_object_put(object);
	return request;
}

/* A place is not wanted any more.  What its bank shows of it the worker takes away. */
void machvm_bank_free(u64 place)
{
	struct banked *banked;

	if (xa_empty(&place_table))
		return;
	mutex_lock(&bank_lock);
	banked = xa_erase(&place_table, place);
	if (banked)
		banked->freed = true;
	if (banked && banked->state != PLACE_MOVING) {
		if (banked->state == PLACE_MOVED)
			machvm_count(MACHVM_STAT_BANKED, -1);
		else
			list_del(&banked->node);
		list_add_tail(&banked->node, &banked->bank->freed);
	}
	mutex_unlock(&bank_lock);
	if (banked)
		machvm_bank_kick();
}

/* The object is gone; no place will be added to its bank. */
void machvm_bank_forget(u64 id)
{
	struct bank *bank;

	mutex_lock(&bank_lock);
	bank = xa_erase(&bank_table, id);
	if (bank)
		bank->ended = true;
	mutex_unlock(&bank_lock);
	machvm_bank_kick();
}

static void purge(struct bank *bank, u64 index)
{
	if (!bank->object)
		return;
	down_write(&bank->object->family->lock);
	machvm_page_purge(bank->object, index, index);
	up_write(&bank->object->family->lock);
}

/* The next of a list of places, off it, or NULL. */
static struct banked *next_of(struct list_head *list)
{
	struct banked *banked;

	mutex_lock(&bank_lock);
	banked = list_first_entry_or_null(list, struct banked, node);
	if (banked)
		list_del_init(&banked->node);
	mutex_unlock(&bank_lock);
	return banked;
}

/* The page behind it at this offset may be in the queue already, or gone. */
static void finish_freed(struct bank *bank, struct banked *banked)
{
	purge(bank, banked->index);
	mutex_lock(&bank_lock);
	if (xa_load(&bank->taken, banked->index) == banked)
		xa_erase(&bank->taken, banked->index);
	mutex_unlock(&bank_lock);
	kfree(banked);
}

static bool is_ready(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool ready = memobj->state == MACHVM_MEMOBJ_READY && !machvm_port_absent_locked(port);

	machvm_memobj_unlock_port(port);
	return ready;
}

/* The manager is told of the bank.  Returns 0 or -ENOMEM. */
static int open_bank(struct bank *bank, struct machvm_port *port)
{
	struct machvm_memobj *memobj = machvm_memobj_create(bank->user);
	struct machvm_object *object;

	if (IS_ERR(memobj))
		return -ENOMEM;
	memobj->bank = true;
	memobj->temporary = true;	/* at its end it holds nothing that anybody wants */
	memobj->successor_ms = MACHVM_FOREVER_MS;
	memobj->ctl.length = bank->end << PAGE_SHIFT;
	machvm_channel_adopt(memobj, port);
	object = machvm_memobj_map(memobj);
	if (IS_ERR(object)) {
		machvm_memobj_put(memobj);
		return -ENOMEM;
	}
	mutex_lock(&bank_lock);
	bank->memobj = memobj;
	bank->object = object;
	mutex_unlock(&bank_lock);
	return 0;
}

static void close_bank(struct bank *bank)
{
	if (bank->object)
		machvm_object_put(bank->object);
	if (bank->memobj)
		machvm_memobj_put(bank->memobj);
	machvm_user_put(bank->user);
	xa_destroy(&bank->taken);
	xa_destroy(&bank->known);
	kfree(bank);
}

/*
 * Places of the queue that the manager was all told of before, or all was not: these go by
 * data_initialize.  Returns how many.
 */
static unsigned int pick(struct bank *bank, struct list_head *batch, bool *initialize)
{
	struct banked *banked, *next;
	unsigned int nr = 0;

	mutex_lock(&bank_lock);
	list_for_each_entry_safe(banked, next, &bank->queue, node) {
		bool fresh = !xa_load(&bank->known, banked->index);

		if (!nr)
			*initialize = fresh;
		if (nr == BATCH_PAGES || fresh != *initialize)
			break;
		banked->state = PLACE_MOVING;
		list_move_tail(&banked->node, batch);
		nr++;
	}
	mutex_unlock(&bank_lock);
	return nr;
}

/* The page becomes a dirty one of the bank's.  Returns 0 or an errno. */
static int put_in(struct bank *bank, struct banked *banked)
{
	struct folio *folio = machvm_page_alloc(bank->user, GFP_KERNEL | __GFP_NOWARN);
	int err;

	if (IS_ERR(folio))
		return PTR_ERR(folio);
	err = machvm_store_load(banked->place, folio);
	if (!err)
		err = xa_err(xa_store(&bank->known, banked->index, xa_mk_value(1),
				      GFP_KERNEL_ACCOUNT));
	if (!err) {
		down_write(&bank->object->family->lock);
		machvm_page_purge(bank->object, banked->index, banked->index);
		machvm_page_set(folio, MACHVM_PAGE_DIRTY);
		err = machvm_page_insert(bank->object, banked->index, folio);
		up_write(&bank->object->family->lock);
	}
	if (err)
		machvm_page_free(folio);
	return err;
}

/*
 * Returns all dirty pages of the bank to the manager, and waits until it has released them.  The
 * others have come from it, and those who asked for them are about to look.
 */
static int hand_over(struct bank *bank, bool initialize)
{
	const struct machvm_lock_order order = {
		.length = bank->end << PAGE_SHIFT,
		.should_return = MACHVM_RETURN_DIRTY,
		.flush = true,
		.initialize = initialize,
		.keep_clean = true,
		.locks = MACHVM_PROT_NO_CHANGE,
	};
	struct machvm_job *job;
	int kr = machvm_job_start(bank->memobj, &order, &job);

	if (kr)
		return kr;
	machvm_memobj_advance(bank->memobj);
	wait_event_idle(job->wait, machvm_job_done(job));
	kr = job->result;
	machvm_job_put(job);
	return kr;
}

/* One place of a batch is with the manager, or back in the queue. */
static void settle(struct bank *bank, struct banked *banked, bool moved)
{
	u64 place = banked->place;
	bool freed;

	/* What was asked and answered meanwhile may have been the page before at this offset. */
	purge(bank, banked->index);
	mutex_lock(&bank_lock);
	freed = banked->freed;
	if (freed) {
		list_add_tail(&banked->node, &bank->freed);
	} else if (moved) {
		banked->state = PLACE_MOVED;	/* before the store drops it, for who reads it */
		machvm_count(MACHVM_STAT_BANKED, 1);
	} else {
		banked->state = PLACE_QUEUED;
		list_add(&banked->node, &bank->queue);
	}
	mutex_unlock(&bank_lock);
	if (moved && !freed)
		machvm_store_drop(place);
}

/* Returns true if some of the queue has gone. */
static bool move_batch(struct bank *bank)
{
	struct banked *banked, *next;
	LIST_HEAD(batch);
	LIST_HEAD(failed);
	bool initialize, moved;

	if (!pick(bank, &batch, &initialize))
		return false;
	list_for_each_entry_safe(banked, next, &batch, node)
		if (put_in(bank, banked))
			list_move(&banked->node, &failed);
	moved = !list_empty(&batch) && !hand_over(bank, initialize);
	list_for_each_entry_safe_reverse(banked, next, &batch, node) {
		list_del_init(&banked->node);
		settle(bank, banked, moved);
	}
	list_for_each_entry_safe(banked, next, &failed, node) {
		list_del_init(&banked->node);
		settle(bank, banked, false);
	}
	return moved;
}

/* All there is to do for one bank now.  Returns true if it has ended. */
static bool serve_bank(struct bank *bank, struct machvm_port *port)
{
	struct banked *banked;
	bool over;

	while ((banked = next_of(&bank->freed)))
		finish_freed(bank, banked);
	if (port && bank->memobj)
		machvm_channel_adopt(bank->memobj, port);
	else if (port && !list_empty(&bank->queue))
		open_bank(bank, port);
	while (bank->memobj && is_ready(bank->memobj) && move_batch(bank))
		cond_resched();
	mutex_lock(&bank_lock);
	over = bank->ended && xa_empty(&bank->taken) && list_empty(&bank->freed);
	if (over)
		list_del(&bank->node);
	mutex_unlock(&bank_lock);
	return over;
}

/* The bank behind @bank, or the first one. */
static struct bank *bank_after(struct bank *bank)
{
	struct list_head *next;

	mutex_lock(&bank_lock);
	next = bank ? bank->node.next : banks.next;
	mutex_unlock(&bank_lock);
	return next == &banks ? NULL : list_entry(next, struct bank, node);
}

/* No other thread takes a bank off the list, so each leads to the next. */
static void bank_worker(struct work_struct *work)
{
	struct machvm_port *port = machvm_manager_port();
	struct bank *bank = bank_after(NULL), *next;

	for (; bank; bank = next) {
		next = bank_after(bank);
		if (serve_bank(bank, port))
			close_bank(bank);
	}
	if (port)
		machvm_port_put(port);
}

int machvm_bank_init(void)
{
	bank_queue = alloc_ordered_workqueue("machvm_bank", WQ_MEM_RECLAIM);
	return bank_queue ? 0 : -ENOMEM;
}

/* No object is left, so each bank has ended; the last were perhaps given up by machvm_queue. */
void machvm_bank_exit(void)
{
	flush_workqueue(machvm_queue);
	machvm_bank_kick();
	destroy_workqueue(bank_queue);
	WARN_ON_ONCE(!list_empty(&banks));
	machvm_manager_exit();
}
