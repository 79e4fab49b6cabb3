// SPDX-License-Identifier: GPL-2.0-only
/*
 * reclaim.c - memory for a fault that finds none: other pages are paged out, by the fault itself.
 * Callers: fault.c, with no lock of ours held.
 * Never: waits for a pager; evicts a page of a memory object.
 * Locks: those of pageout.c.
 *
 * A clock over all objects.  Where its hand comes by, a page loses its translations; if it was not
 * asked for again when the hand is back, it goes.  Several faults may move the hand at once; what
 * they then look at twice, or leave for the next turn, matters to nobody.
 */
#include "cgroup.h"
#include "object.h"
#include "page.h"
#include "pageout.h"
#include "store.h"
#include "user.h"

/* So many pages at a time, that a program does not come here for each of its pages. */
#define RECLAIM_PAGES 64

/* A part of one, one that gives second chances, one that takes what did not use them. */
#define TURNS_MAX 3

static u64 hand;	/* number of the object that is next; any value will do */

/* Pages out of one object, from where its own hand stands. */
static unsigned long reclaim_object(struct machvm_object *object,
				    const struct machvm_pageout *which, unsigned long want)
{
	u64 index = READ_ONCE(object->hand);
	unsigned long gone = 0;

	while (gone < want && index <= MACHVM_PAGE_INDEX_MAX && !fatal_signal_pending(current)) {
		gone += machvm_object_pageout(object, &index, MACHVM_PAGE_INDEX_MAX, which);
		cond_resched();
	}
	WRITE_ONCE(object->hand, gone < want ? 0 : index);
	return gone;
}

static struct machvm_pageout whose(struct machvm_user *user, int err)
{
	struct machvm_pageout which = { .second_chance = true };
	bool full;

	if (err == -ENOMEM)
		which.cgroup = machvm_cgroup_limited(&full);
	if (!which.cgroup && (err != -EDQUOT || machvm_user_at_limit(user)))
		which.user = user;
	return which;
}

/**
 * machvm_reclaim - page out so that a page can be had
 * @user: who wants one
 * @err: what stands in the way: -EDQUOT, a limit of machvm's own, or -ENOMEM
 *
 * At a limit of all users anybody's pages may go, at a user's own that user's; for want of memory
 * those of the current memory cgroup, if it has a limit, else @user's.
 * Context: no lock of ours is held; mmap_lock may be, as it is when Linux reclaims.
 * Return: how many pages went; 0 if it makes no sense to try again.
 */
unsigned long machvm_reclaim(struct machvm_user *user, int err)
{
	struct machvm_pageout which = whose(user, err);
	unsigned int turns = 0;
	unsigned long gone = 0;
	u64 id = READ_ONCE(hand);

	while (gone < RECLAIM_PAGES && turns < TURNS_MAX && machvm_store_has_room() &&
	       !fatal_signal_pending(current)) {
		struct machvm_object *object = machvm_object_first(id);

		if (!object) {
			id = 0;
			turns++;
			continue;
		}
		if (!object->memobj && atomic_long_read(&object->resident))
			gone += reclaim_object(object, &which, RECLAIM_PAGES - gone);
		id = object->id + (gone < RECLAIM_PAGES);
		machvm_object_put(object);
		cond_resched();
	}
	WRITE_ONCE(hand, id);
	return gone;
}
