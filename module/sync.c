// SPDX-License-Identifier: GPL-2.0-only
/*
 * sync.c - vm_msync and vm_object_sync: memory is brought into line with its pagers.
 * Callers: dev.c.
 * Never: holds a lock while it waits for a pager; touches pages that a pager has a say in.
 * Locks: map->lock for reading; inside it family->lock, or family->mappers.
 *
 * Each region that shows a memory object itself becomes a lock request (job.c), which is waited
 * for.  A region that shows one through a shadow or a copy does not: what was written there is the
 * task's own, and what was not is as its pager has it, or is for those to sync who wrote it.
 */
#include "absence.h"
#include "lock.h"
#include "map.h"
#include "mapper.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "user.h"
#include "vm.h"
#include "waiter.h"

/* Advice about pages; a call that gives some does nothing else. */
#define ADVICE (MACHVM_SYNC_KILLPAGES | MACHVM_SYNC_DEACTIVATE)
#define ADVICE_BYTES (2ULL << 20)	/* at a time, so that others get in between */
#define WRITE_BACK (MACHVM_SYNC_ASYNCHRONOUS | MACHVM_SYNC_SYNCHRONOUS)

/* A call on its way through the regions of a range. */
struct walk {
	struct machvm_map *map;
	u64 at;
	u64 end;
	u32 flags;
	bool hole;		/* one was passed */
};

/*
 * An order by who has no say in the object.  Who cannot write to it anyway is not to lose what
 * others wrote: it is returned, then, before it goes.
 */
static struct machvm_lock_order order_of(struct machvm_memobj *memobj, u64 offset, u64 length,
					 bool flush, bool write_back, bool may_write)
{
	if (write_back && READ_ONCE(memobj->invalidate))
		flush = true;
	return (struct machvm_lock_order){
		.offset = offset,
		.length = length,
		.should_return = write_back || !may_write ? MACHVM_RETURN_ALL :
							    MACHVM_RETURN_NONE,
		.flush = flush,
		.for_client = true,
		.locks = MACHVM_PROT_NO_CHANGE,
	};
}

/* As carry_out(), by the pager that there is, or by none. */
static int carry_out_now(struct machvm_memobj *memobj, const struct machvm_lock_order *order,
			 bool wait)
{
	struct machvm_job *job = NULL;
	int ret = machvm_job_start(memobj, order, wait ? &job : NULL);

	if (ret)
		return ret;
	machvm_memobj_advance(memobj);
	if (!wait)
		return MACHVM_KERN_SUCCESS;
	if (wait_event_killable(job->wait, machvm_job_done(job)))
		ret = -EINTR;
	else
		ret = job->result;
	machvm_job_put(job);
	return ret;
}

/* The number of the pages that are the object's now, or 0. */
static u64 incarnation(struct machvm_memobj *memobj)
{
	struct machvm_object *object = machvm_memobj_object(memobj);
	u64 id = object ? object->id : 0;

	if (object)
		machvm_object_put(object);
	return id;
}

/*
 * As carry_out_now(), but waits for a pager that is to come, as a fault would; it gets what its
 * predecessor left, and a page that has arrived is not returned twice.
 */
static int carry_out_in_the_end(struct machvm_memobj *memobj,
				const struct machvm_lock_order *order)
{
	u64 meant = incarnation(memobj);
	int ret;

	do {
		ret = carry_out_now(memobj, order, true);
		if (ret != MACHVM_KERN_MEMORY_ERROR || !machvm_absence_may_end(memobj))
			return ret;
		ret = machvm_absence_wait(memobj);
	} while (ret == MACHVM_KERN_SUCCESS && incarnation(memobj) == meant);
	return ret ?: MACHVM_KERN_MEMORY_ERROR;	/* it was destroyed meanwhile */
}

/* Has the order carried out.  Who does not wait leaves it at what can be done at once. */
static int carry_out(struct machvm_memobj *memobj, const struct machvm_lock_order *order, bool wait)
{
	struct machvm_waiter waiter = { .offset = order->offset, .state = MACHVM_WAITER_SYNC };
	int ret;

	if (!wait)
		return carry_out_now(memobj, order, false);
	machvm_waiter_begin(memobj, &waiter);
	ret = carry_out_in_the_end(memobj, order);
	machvm_waiter_end(memobj, &waiter);
	return ret;
}

/* Frees internal memory that nobody but the entry can ever show: it reads as zeroes then. */
static void kill_locked(struct machvm_entry *entry, u64 start, u64 end)
{
	struct machvm_object *object = entry->object;
	u64 index, nr = (end - start) >> PAGE_SHIFT;

	if (!object || object->memobj || entry->wire ||
	    !(entry->max_protection & MACHVM_PROT_WRITE))
		return;
	index = machvm_entry_offset(entry, start) >> PAGE_SHIFT;
	down_write(&object->family->lock);
	if (refcount_read(&object->refs) == 1 && !object->shadow && !object->copy) {
		machvm_zap_mappers(object, index, nr);
		machvm_page_purge(object, index, index + nr - 1);
	}
	up_write(&object->family->lock);
}

/* Pages of internal memory are the next to be paged out, unless they are used before. */
static void deactivate_locked(struct machvm_entry *entry, u64 start, u64 end)
{
	struct machvm_object *object = entry->object;
	struct folio *folio;
	u64 index, last;

	if (!object || object->memobj)
		return;
	index = machvm_entry_offset(entry, start) >> PAGE_SHIFT;
	last = machvm_entry_offset(entry, end - 1) >> PAGE_SHIFT;
	down_read(&object->family->lock);
	for (; index <= last && (folio = machvm_page_next(object, &index, last)); index++) {
		if (machvm_page_wired_locked(object, index))
			continue;
		machvm_page_set(folio, MACHVM_PAGE_INACTIVE);
		machvm_zap_viewers_locked(object, index);	/* so that a use is noticed */
	}
	up_read(&object->family->lock);
}

/* Does what the entry needs done at once.  Returns the memory object that needs @order, or NULL. */
static struct machvm_memobj *visit_locked(struct walk *walk, struct machvm_entry *entry, u64 end,
					  struct machvm_lock_order *order)
{
	if (walk->flags & MACHVM_SYNC_KILLPAGES)
		kill_locked(entry, walk->at, end);
	else if (walk->flags & MACHVM_SYNC_DEACTIVATE)
		deactivate_locked(entry, walk->at, end);
	if (walk->flags & ADVICE || !(walk->flags & (WRITE_BACK | MACHVM_SYNC_INVALIDATE)) ||
	    !entry->object || !entry->object->memobj)
		return NULL;
	*order = order_of(entry->object->memobj, machvm_entry_offset(entry, walk->at),
			  end - walk->at, walk->flags & MACHVM_SYNC_INVALIDATE,
			  walk->flags & WRITE_BACK, entry->max_protection & MACHVM_PROT_WRITE);
	return machvm_memobj_get(entry->object->memobj);
}

static struct machvm_memobj *step_locked(struct walk *walk, struct machvm_lock_order *order)
{
	struct machvm_entry *entry = machvm_map_next_locked(walk->map, walk->at);
	struct machvm_memobj *memobj;
	u64 end;

	if (!entry || entry->start >= walk->end) {
		walk->hole = true;
		walk->at = walk->end;
		return NULL;
	}
	if (entry->start > walk->at) {
		walk->hole = true;
		walk->at = entry->start;
	}
	end = min(entry->end, walk->end);
	if (walk->flags & ADVICE)
		end = min(end, walk->at + ADVICE_BYTES);
	memobj = visit_locked(walk, entry, end, order);
	walk->at = end;
	return memobj;
}

/* The next region. */
static int step(struct walk *walk)
{
	struct machvm_lock_order order;
	struct machvm_memobj *memobj = NULL;
	int ret = MACHVM_KERN_SUCCESS;

	if (fatal_signal_pending(current) || down_read_killable(&walk->map->lock))
		return -EINTR;
	if (walk->map->dead)
		ret = MACHVM_KERN_INVALID_TASK;
	else
		memobj = step_locked(walk, &order);
	up_read(&walk->map->lock);
	if (!memobj)
		return ret;
	ret = carry_out(memobj, &order, !(walk->flags & MACHVM_SYNC_ASYNCHRONOUS));
	machvm_memobj_put(memobj);
	return ret;
}

/**
 * machvm_vm_msync - write memory back to its pagers, or read it anew from them
 * @map: whose
 * @addr: bytes
 * @length: bytes
 * @flags: MACHVM_SYNC_*
 *
 * Goes on behind a pager that fails, and behind holes; the first failure is what is answered, a
 * hole if there was none.
 * Context: no lock held; waits for pagers, killably.
 * Return: as &struct machvm_vm_msync says, or -EINTR.
 */
int machvm_vm_msync(struct machvm_map *map, u64 addr, u64 length, u32 flags)
{
	struct walk walk = { .map = map, .at = addr & PAGE_MASK, .flags = flags };
	int answer = MACHVM_KERN_SUCCESS;
	u64 last;

	if (flags & ~MACHVM_SYNC_ALL || (flags & WRITE_BACK) == WRITE_BACK)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!length)
		return MACHVM_KERN_SUCCESS;
	if (check_add_overflow(addr, length - 1, &last))
		return MACHVM_KERN_INVALID_ARGUMENT;
	walk.hole = last >= map->max;
	walk.end = walk.hole ? map->max : PAGE_ALIGN(last + 1);
	while (walk.at < walk.end) {
		int ret = step(&walk);

		if (ret == -EINTR || ret == MACHVM_KERN_INVALID_TASK)
			return ret;
		answer = answer ?: ret;
		cond_resched();
	}
	if (!answer && walk.hole && flags & MACHVM_SYNC_CONTIGUOUS)
		answer = MACHVM_KERN_INVALID_ADDRESS;
	return answer;
}

/* True if some region of the task shows the object, and may be made writable. */
static bool may_write(struct machvm_map *map, struct machvm_object *object)
{
	struct machvm_entry *entry;
	bool may = false;

	if (!map)
		return false;
	down_read(&map->lock);
	mutex_lock(&object->family->mappers);
	machvm_for_each_mapper(entry, object, 0, U64_MAX) {
		may = entry->map == map && entry->max_protection & MACHVM_PROT_WRITE;
		if (may)
			break;
	}
	mutex_unlock(&object->family->mappers);
	up_read(&map->lock);
	return may;
}

/* The object of that number, with a reference, if it is in memory and the caller's to see. */
static struct machvm_object *find_visible(u64 id)
{
	struct machvm_object *object = machvm_object_first(id);

	if (!object || (object->id == id && machvm_user_may_see(object->user)))
		return object;
	machvm_object_put(object);
	return NULL;
}

/**
 * machvm_vm_object_sync - the same for a part of an object
 * @map: the caller's, or NULL
 * @id: its number
 * @offset: bytes
 * @length: bytes
 * @flush: the pages go
 * @write_back: what the pager does not have, it gets
 *
 * Context: as machvm_vm_msync().
 * Return: as &struct machvm_object_sync says, or -EINTR.
 */
int machvm_vm_object_sync(struct machvm_map *map, u64 id, u64 offset, u64 length, bool flush,
			  bool write_back)
{
	struct machvm_object *object = find_visible(id);
	struct machvm_memobj *memobj = NULL;
	struct machvm_lock_order order;
	int ret = MACHVM_KERN_SUCCESS;

	if (!object)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (length && offset + length - 1 < offset)
		ret = MACHVM_KERN_INVALID_ARGUMENT;
	else if (object->memobj && (flush || write_back))
		memobj = machvm_memobj_get(object->memobj);
	if (memobj)
		order = order_of(memobj, offset, length, flush, write_back, may_write(map, object));
	machvm_object_put(object);	/* not kept in memory for the sake of this */
	if (!memobj)
		return ret;
	ret = carry_out(memobj, &order, true);
	machvm_memobj_put(memobj);
	return ret;
}
