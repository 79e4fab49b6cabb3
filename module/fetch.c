// SPDX-License-Identifier: GPL-2.0-only
/*
 * fetch.c - what a pager wants copied at once comes in before it is copied.
 * Callers: dev.c, before a copy is made.
 * Never: waits with a lock held.
 * Locks: map->lock for reading to find what is to be copied; family->lock, a page at a time.
 *
 * A fork brings nothing in: it cannot wait.  What is absent then is delayed, as with other objects.
 */
#include "fetch.h"
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include "cluster.h"
#include "laundry.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "pageout.h"
#include "request.h"

/* A question with a page to fill.  Returns it, NULL or an ERR_PTR with a kern_return_t. */
static struct machvm_request *create(struct machvm_object *object, u64 index,
				     struct machvm_user *user)
{
	struct machvm_request *request;
	unsigned long events;
	struct folio *folio;

	do {
		folio = machvm_reclaim_page(user, 0, &events);
	} while (PTR_ERR_OR_ZERO(folio) == -EBUSY && !machvm_laundry_wait(events, false));
	if (IS_ERR(folio))
		return NULL;
	request = machvm_request_create(object->memobj, index, MACHVM_PROT_READ, folio);
	if (!request)
		machvm_page_free(folio);
	return request;
}

/*
 * What is known of a page.
 * Return: KERN_SUCCESS, with the question that is open in *@out, or NULL if the page is there;
 * KERN_MEMORY_PRESENT if it is to be asked for; KERN_MEMORY_ERROR.
 */
static int look(struct machvm_object *object, u64 index, struct machvm_request **out)
{
	int kr = MACHVM_KERN_SUCCESS;

	down_read(&object->family->lock);
	*out = machvm_page_request(object, index);
	if (!*out && !machvm_page_exists(object, index))
		kr = object->flags & MACHVM_OBJ_DESTROYED ? MACHVM_KERN_MEMORY_ERROR :
							    MACHVM_KERN_MEMORY_PRESENT;
	up_read(&object->family->lock);
	return kr;
}

/* As look(), of a page that nobody has asked for yet. */
static int ask(struct machvm_object *object, u64 index, struct machvm_user *user,
	       struct machvm_request **out)
{
	struct machvm_request *request = create(object, index, user);
	int kr;

	if (!request)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = machvm_question_ask(object, index, request);
	if (kr == MACHVM_KERN_SUCCESS) {
		machvm_cluster_ask(request, user);
		*out = request;
		return kr;
	}
	machvm_request_finish(request, kr, 0);
	machvm_request_put(request);
	return kr;
}

/* Waits for one page.  Returns a kern_return_t or -EINTR; KERN_MEMORY_PRESENT: look again. */
static int fetch_page(struct machvm_object *object, u64 index, struct machvm_user *user)
{
	struct machvm_request *request;
	int kr = look(object, index, &request);

	if (kr == MACHVM_KERN_MEMORY_PRESENT)
		kr = ask(object, index, user, &request);
	if (kr || !request)
		return kr;
	machvm_memobj_pump(object->memobj);
	if (wait_event_killable(request->wait, machvm_request_done(request)))
		kr = -EINTR;
	else
		kr = request->result ?: MACHVM_KERN_MEMORY_PRESENT;
	machvm_request_put(request);
	return kr;
}

static int fetch_pages(struct machvm_object *object, u64 first, u64 nr, struct machvm_user *user)
{
	u64 index = first;

	while (index < first + nr) {
		int kr = fetch_page(object, index, user);

		if (kr == MACHVM_KERN_SUCCESS)
			index++;
		else if (kr != MACHVM_KERN_MEMORY_PRESENT)
			return kr;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return MACHVM_KERN_SUCCESS;
}

/**
 * machvm_fetch_object - bring in what is to be copied of a memory object
 * @memobj: which
 * @offset: bytes
 * @length: bytes
 * @user: who pays
 * @held: out: if that is KERN_SUCCESS, what keeps the pages until the caller puts it, or NULL
 *
 * Does nothing if its copies need not be made at once, or the range is none.
 * Return: KERN_SUCCESS, KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE, -EINTR.
 */
int machvm_fetch_object(struct machvm_memobj *memobj, u64 offset, u64 length,
			struct machvm_user *user, struct machvm_object **held)
{
	struct machvm_object *object;
	int kr;

	*held = NULL;
	if (READ_ONCE(memobj->copy_strategy) != MACHVM_COPY_NONE || !length ||
	    machvm_range_is_bad(offset, PAGE_ALIGN(length)))
		return MACHVM_KERN_SUCCESS;
	object = machvm_memobj_map(memobj);
	if (IS_ERR(object))
		return PTR_ERR(object) == -EINTR ? -EINTR : MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = fetch_pages(object, offset >> PAGE_SHIFT, PAGE_ALIGN(length) >> PAGE_SHIFT, user);
	if (kr)
		machvm_object_put(object);
	else
		*held = object;
	return kr;
}

/* Pages of one object, which is referenced. */
struct source {
	struct machvm_object *object;
	u64 first;
	u64 nr;
};

/*
 * The next region of [*start, end) to be copied at once, if there is one; *start becomes its end.
 * Returns 0 or -EINTR.
 */
static int next_source(struct machvm_map *map, u64 *start, u64 end, struct source *source)
{
	struct machvm_entry *entry;
	u64 from, to;

	source->object = NULL;
	if (down_read_killable(&map->lock))
		return -EINTR;
	entry = machvm_map_next_locked(map, *start);
	while (entry && entry->start < end &&
	       !(entry->object && machvm_object_copied_now(entry->object)))
		entry = machvm_entry_next(entry);
	if (entry && entry->start < end) {
		from = max(*start, entry->start);
		to = min(end, entry->end);
		source->object = machvm_object_get(entry->object);
		source->first = machvm_entry_offset(entry, from) >> PAGE_SHIFT;
		source->nr = (to - from) >> PAGE_SHIFT;
		*start = to;
	}
	up_read(&map->lock);
	return 0;
}

/**
 * machvm_fetch_range - bring in what is to be copied of a task's memory
 * @map: the task's
 * @addr: first byte
 * @length: bytes
 *
 * Return: as machvm_fetch_object().
 */
int machvm_fetch_range(struct machvm_map *map, u64 addr, u64 length)
{
	u64 start = addr & PAGE_MASK, end;
	struct source source;
	int kr;

	if (check_add_overflow(addr, length, &end) || PAGE_ALIGN(end) < end)
		return MACHVM_KERN_SUCCESS;	/* whoever copies says what is wrong with it */
	end = PAGE_ALIGN(end);
	for (;;) {
		kr = next_source(map, &start, end, &source);
		if (kr || !source.object)
			return kr;
		kr = fetch_pages(source.object, source.first, source.nr, map->user);
		machvm_object_put(source.object);
		if (kr)
			return kr;
	}
}
