// SPDX-License-Identifier: GPL-2.0-only
/*
 * reply.c - a pager's answers to data_request: data, no data, an error.
 * Callers: nl_in.c and control.c.
 * Never: touches user memory, or visits a map: an answer fills a slot and wakes.
 * Locks: family->lock for reading to fill slots; none while the caller fills a page.
 */
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "request.h"
#include "stats.h"

/* The request's parked page, or a fresh one for a page that nobody asked for. */
static int supply_folio(struct machvm_memobj *memobj, struct machvm_supply *supply)
{
	struct folio *folio;

	if (supply->request) {
		supply->folio = machvm_request_take_folio(supply->request);
		return supply->folio ? MACHVM_KERN_SUCCESS : MACHVM_KERN_MEMORY_PRESENT;
	}
	folio = machvm_page_alloc(memobj->user, GFP_KERNEL);
	if (IS_ERR(folio))
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	supply->folio = folio;
	return MACHVM_KERN_SUCCESS;
}

static void supply_drop(struct machvm_supply *supply)
{
	if (supply->request)
		machvm_request_put(supply->request);
	machvm_object_put(supply->object);
}

/**
 * machvm_memobj_supply_begin - start to take in one page
 * @memobj: the object
 * @offset: bytes, page aligned
 * @supply: out: @supply->folio is to be filled, with no lock held; then end or abort
 *
 * Return: KERN_SUCCESS; KERN_MEMORY_PRESENT (there is such a page, or somebody is filling it);
 * KERN_MEMORY_ERROR (not mapped, or not ready); KERN_RESOURCE_SHORTAGE.
 * Source: GNU Mach reference manual, "Data Transfer", memory_object_data_supply.
 */
int machvm_memobj_supply_begin(struct machvm_memobj *memobj, u64 offset,
			       struct machvm_supply *supply)
{
	struct machvm_object *object;
	bool present;
	int kr;

	object = machvm_memobj_object(memobj);
	if (!object)
		return MACHVM_KERN_MEMORY_ERROR;
	/* While we hold the incarnation its state cannot go on from READY. */
	if (READ_ONCE(memobj->state) != MACHVM_MEMOBJ_READY) {
		machvm_object_put(object);
		return MACHVM_KERN_MEMORY_ERROR;
	}
	supply->object = object;
	supply->index = offset >> PAGE_SHIFT;
	down_read(&object->family->lock);
	present = machvm_page_lookup(object, supply->index);
	supply->request = present ? NULL : machvm_page_request(object, supply->index);
	up_read(&object->family->lock);
	kr = present ? MACHVM_KERN_MEMORY_PRESENT : supply_folio(memobj, supply);
	if (kr) {
		machvm_count(MACHVM_STAT_REFUSED, kr == MACHVM_KERN_MEMORY_PRESENT);
		supply_drop(supply);
	}
	return kr;
}

static void count_supplied(struct machvm_memobj *memobj, bool unasked)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	port->supplied++;
	machvm_memobj_unlock_port(port);
	atomic_long_inc(&memobj->supplied);
	machvm_count(MACHVM_STAT_PAGEINS, 1);
	if (unasked) {
		atomic_long_inc(&memobj->unasked);
		machvm_count(MACHVM_STAT_UNASKED, 1);
	}
}

/**
 * machvm_memobj_supply_enter - the page is filled: it becomes resident
 * @supply: as machvm_memobj_supply_begin() handed it out
 * @locks: access to forbid, MACHVM_PROT_* bits
 * @precious: to be returned even if it stays clean
 * @asked: out: the request that it answers, with a reference, to be woken and put; NULL if none
 *
 * Return: KERN_SUCCESS; KERN_MEMORY_PRESENT, KERN_RESOURCE_SHORTAGE: the page is gone.
 */
int machvm_memobj_supply_enter(struct machvm_supply *supply, u32 locks, bool precious,
			       struct machvm_request **asked)
{
	struct machvm_object *object = supply->object;
	struct machvm_request *request = supply->request;
	int err;

	if (precious)
		machvm_page_set(supply->folio, MACHVM_PAGE_PRECIOUS);
	machvm_page_set_locks(supply->folio, locks);
	down_read(&object->family->lock);
	if (!request) {
		err = machvm_page_insert(object, supply->index, supply->folio);
		if (err == -EBUSY)	/* perhaps it was asked for meanwhile */
			request = machvm_page_request(object, supply->index);
	}
	if (request)
		err = machvm_page_answer(object, supply->index, request, supply->folio);
	up_read(&object->family->lock);
	if (!err)
		count_supplied(object->memobj, !request);
	else
		machvm_page_free(supply->folio);
	/* Before anybody is woken: who has the page may unmap it and end the incarnation. */
	machvm_object_put(object);
	if (request)
		machvm_request_settle(request, MACHVM_KERN_SUCCESS, 0);
	*asked = request;
	if (err == -ENOMEM)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	return err ? MACHVM_KERN_MEMORY_PRESENT : MACHVM_KERN_SUCCESS;
}

/* As machvm_memobj_supply_enter(), and who waits for the page is woken. */
int machvm_memobj_supply_end(struct machvm_supply *supply, u32 locks, bool precious)
{
	struct machvm_request *asked;
	int kr = machvm_memobj_supply_enter(supply, locks, precious, &asked);

	if (asked) {
		machvm_request_wake(asked);
		machvm_request_put(asked);
	}
	return kr;
}

/* The page could not be filled: the question stays open. */
void machvm_memobj_supply_abort(struct machvm_supply *supply)
{
	if (supply->request && !machvm_request_done(supply->request))
		machvm_request_park_folio(supply->request, supply->folio);
	else
		machvm_page_free(supply->folio);
	supply_drop(supply);
}

static void enter_zero(struct machvm_object *object, struct machvm_request *request,
		       struct folio *folio)
{
	folio_zero_range(folio, 0, PAGE_SIZE);
	machvm_count(MACHVM_STAT_ZERO_FILL, 1);
	if (machvm_page_answer(object, request->msg.offset >> PAGE_SHIFT, request, folio))
		machvm_page_free(folio);
}

/* Puts a zeroed page in the place of a question.  False if somebody else is filling it. */
static bool answer_zero(struct machvm_object *object, struct machvm_request *request)
{
	struct folio *folio = machvm_request_take_folio(request);

	if (!folio)
		return false;
	enter_zero(object, request, folio);
	return true;
}

/**
 * machvm_memobj_answer_zero - a zeroed page in the place of an answer that nobody gives
 * @memobj: whose
 * @request: the question, a data_request
 *
 * Somebody may be filling the request's page, for however long; then it is another one, and what
 * is filled comes too late.
 * Return: false if there is no such page to be had; the request is still open.
 */
bool machvm_memobj_answer_zero(struct machvm_memobj *memobj, struct machvm_request *request)
{
	struct machvm_object *object = machvm_memobj_object(memobj);
	struct folio *folio;

	if (!object)
		return false;
	folio = machvm_request_take_folio(request) ?: machvm_page_alloc(memobj->user, GFP_KERNEL);
	if (!IS_ERR(folio)) {
		down_read(&object->family->lock);
		enter_zero(object, request, folio);
		up_read(&object->family->lock);
	}
	machvm_object_put(object);
	if (IS_ERR(folio))
		return false;
	machvm_request_finish(request, MACHVM_KERN_SUCCESS, 0);
	return true;
}

/*
 * The next open question in [*index, last], with a reference, or NULL; answered with zeroes if
 * @zero, but not finished.  The incarnation is held no longer than that: who is woken may unmap.
 */
static struct machvm_request *next_request(struct machvm_memobj *memobj, u64 *index, u64 last,
					   bool zero)
{
	struct machvm_object *object = machvm_memobj_object(memobj);
	struct machvm_request *request = NULL;

	if (!object)
		return NULL;
	down_read(&object->family->lock);
	while (!request && *index <= last && machvm_page_next_request(object, index, last)) {
		request = machvm_page_request(object, (*index)++);
		if (request && zero && !answer_zero(object, request)) {
			machvm_request_put(request);
			request = NULL;
		}
	}
	up_read(&object->family->lock);
	machvm_object_put(object);
	return request;
}

/* Ends all open questions of a range, with zeroes or with an error. */
static int end_requests(struct machvm_memobj *memobj, u64 offset, u64 length, int result,
			int error)
{
	u64 index = offset >> PAGE_SHIFT, last = index + (length >> PAGE_SHIFT) - 1;
	struct machvm_request *request;

	if (machvm_range_is_bad(offset, length))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!length)
		return MACHVM_KERN_SUCCESS;
	if (!READ_ONCE(memobj->object))
		return MACHVM_KERN_MEMORY_ERROR;
	while ((request = next_request(memobj, &index, last, !result))) {
		if (result)
			machvm_count(MACHVM_STAT_ERRORS, 1);
		machvm_request_finish(request, result, error);
		machvm_request_put(request);
	}
	return MACHVM_KERN_SUCCESS;
}

/**
 * machvm_memobj_unavailable - the pager has no data: pages that are waited for become zero
 * @memobj: whose
 * @offset: first byte, page aligned
 * @length: bytes, whole pages
 *
 * Pages that are resident, or that nobody waits for, are left alone.
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT, KERN_MEMORY_ERROR (not mapped).
 * Source: GNU Mach reference manual, "Data Transfer", memory_object_data_unavailable.
 */
int machvm_memobj_unavailable(struct machvm_memobj *memobj, u64 offset, u64 length)
{
	return end_requests(memobj, offset, length, MACHVM_KERN_SUCCESS, 0);
}

/**
 * machvm_memobj_error - the pager cannot provide pages: all who wait for them are told
 * @memobj: whose
 * @offset: first byte, page aligned
 * @length: bytes, whole pages
 * @error: the reason, that clients are told
 *
 * A later access asks again.
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT, KERN_MEMORY_ERROR (not mapped).
 * Source: GNU Mach reference manual, "Data Transfer", memory_object_data_error.
 */
int machvm_memobj_error(struct machvm_memobj *memobj, u64 offset, u64 length, int error)
{
	return end_requests(memobj, offset, length, MACHVM_KERN_MEMORY_ERROR, error);
}
