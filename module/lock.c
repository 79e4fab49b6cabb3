// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - access that pagers forbid page by page, and the questions of those who need it.
 * Callers: fault.c asks; memobj.c when an incarnation ends.
 * Never: waits for a pager.
 * Locks: the folio lock of the page, so that no question is asked about a lock that has changed.
 *
 * A page that is resident fills its slot, so data_unlock questions have a table of their own in
 * the memory object.  There is one for who must read and one for who must write, too, of each
 * page: the second covers the first, so a pager is told once of each access that is missing.
 */
#include "lock.h"
#include "request.h"

static unsigned long unlock_slot(u64 index, u32 access)
{
	return index * 2 + !!(access & MACHVM_PROT_WRITE);
}

static struct machvm_request *open_request(struct machvm_memobj *memobj, unsigned long slot)
{
	struct machvm_request *request;

	rcu_read_lock();
	request = xa_load(&memobj->unlocks, slot);
	if (request && !machvm_request_tryget(request))
		request = NULL;
	rcu_read_unlock();
	if (!request || !machvm_request_done(request))
		return request;
	/* Its pager has died: it only has not been swept out yet. */
	if (xa_cmpxchg(&memobj->unlocks, slot, request, NULL, GFP_KERNEL) == request)
		machvm_request_put(request);	/* the table's */
	machvm_request_put(request);
	return NULL;
}

/**
 * machvm_unlock_find - the open question that covers @access to a page
 * @memobj: whose
 * @index: the page
 * @access: MACHVM_PROT_*
 *
 * Context: the folio locked.
 * Return: the request with a reference for the caller, or NULL.
 */
struct machvm_request *machvm_unlock_find(struct machvm_memobj *memobj, u64 index, u32 access)
{
	unsigned long slot = unlock_slot(index, MACHVM_PROT_WRITE);
	struct machvm_request *request = open_request(memobj, slot);

	if (!request && !(access & MACHVM_PROT_WRITE))
		request = open_request(memobj, slot - 1);
	return request;
}

/*
 * Enters a question that machvm_unlock_find() has not found; the table takes a reference.
 * Return: 0 or -ENOMEM.
 */
int machvm_unlock_ask(struct machvm_memobj *memobj, u64 index, struct machvm_request *request)
{
	int err;

	machvm_request_get(request);
	err = xa_insert(&memobj->unlocks, unlock_slot(index, request->msg.access), request,
			GFP_KERNEL | __GFP_NOWARN);
	if (err)
		machvm_request_put(request);
	return err;
}

/* Access to a page that its pager was asked to allow and has not yet; a glance, as ever. */
u32 machvm_unlock_wanted(struct machvm_memobj *memobj, u64 index)
{
	unsigned long slot = unlock_slot(index, 0);
	struct machvm_request *request;
	u32 wanted = 0;

	for (; slot <= unlock_slot(index, MACHVM_PROT_WRITE); slot++) {
		request = open_request(memobj, slot);
		if (!request)
			continue;
		wanted |= request->msg.access;
		machvm_request_put(request);
	}
	return wanted;
}

/* Ends the questions about [first, last]: who waits looks at the pages again. */
void machvm_unlock_end(struct machvm_memobj *memobj, u64 first, u64 last, int result)
{
	unsigned long end = unlock_slot(min_t(u64, last, ULONG_MAX / 2), MACHVM_PROT_WRITE);
	struct machvm_request *request;
	unsigned long slot;

	xa_for_each_range(&memobj->unlocks, slot, request, unlock_slot(first, 0), end) {
		if (xa_cmpxchg(&memobj->unlocks, slot, request, NULL, GFP_KERNEL) != request)
			continue;
		machvm_request_finish(request, result, 0);
		machvm_request_put(request);
	}
}
