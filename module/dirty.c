// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty.c - how much of a memory object may be written before its pager gets some of it.
 * Callers: fault.c, before a page becomes dirty.
 * Never: waits; holds up a pager, or anybody for a pager that is not there.
 * Locks: none of its own.
 *
 * At the limit an order of the kernel's own has all that is dirty returned, and whoever wants to
 * write one page more waits for machvm_laundry_event() until some is released.  So a slow pager
 * holds up those who write to its memory, and nobody else.
 *
 * What I/O is using cannot be returned, and may be in use by the very task that wants one page
 * more.  The order counts such pages on its way: they come on top of the limit, until the next.
 */
#include "dirty.h"
#include "lock.h"
#include "memobj.h"
#include "page.h"
#include "port.h"

/* An instruction may need several pages at once, and several threads may be at one. */
#define LIMIT_MIN 16

static ulong max_dirty_pages;
module_param(max_dirty_pages, ulong, 0644);
MODULE_PARM_DESC(max_dirty_pages,
		 "pages of one memory object that may be written and not returned (0: any number)");

/* The smaller one of two limits, of which 0 is none. */
static long limit_of(struct machvm_memobj *memobj)
{
	u64 limit = min_not_zero((u64)READ_ONCE(max_dirty_pages), READ_ONCE(memobj->max_dirty));

	if (!limit || limit > LONG_MAX / 2)
		return LONG_MAX;
	return max_t(long, limit, LIMIT_MIN) + READ_ONCE(memobj->unclean);
}

/**
 * machvm_dirty_may - may a page be written now
 * @object: its object, which has a pager
 * @folio: the page, locked
 *
 * Who may not waits for machvm_laundry_event(), and asks again.
 * Context: family->lock held, either way.
 * Return: true if it may; it may be marked as dirty by then.
 */
bool machvm_dirty_may(struct machvm_object *object, struct folio *folio)
{
	struct machvm_memobj *memobj = object->memobj;

	return machvm_page_dirty_below(object, folio, limit_of(memobj)) ||
	       memobj->bank || machvm_port_serves_current() || !machvm_memobj_answers(memobj);
}

/**
 * machvm_dirty_clean - see to it that what is dirty is being returned
 * @memobj: of what
 *
 * Context: no lock of ours held; may sleep for memory.
 * Return: false if it will not be: nobody serves the object, or there is no memory.
 */
bool machvm_dirty_clean(struct machvm_memobj *memobj)
{
	const struct machvm_lock_order all = {
		.length = U64_MAX,
		.should_return = MACHVM_RETURN_DIRTY,
		.locks = MACHVM_PROT_NO_CHANGE,
		.clean = true,
	};

	if (atomic_read(&memobj->nr_jobs))
		return true;
	if (machvm_job_start(memobj, &all, NULL))
		return false;
	machvm_memobj_advance_later(memobj);
	return true;
}
