// SPDX-License-Identifier: GPL-2.0-only
/*
 * push.c - a delayed copy gets at once what it would get when the source is written.
 * Callers: mapcopy.c and vm.c, for pages that are wired, or that somebody has in hand.
 * Never: waits for a pager.
 * Locks: map->lock is held; family->lock for reading, a page at a time, then the folio lock.
 */
#include "object.h"
#include "page.h"
#include "pageout.h"
#include "vm.h"

/* Pushes one page, if that is still wanted; the spare is consumed. */
static int push_page(struct machvm_object *source, u64 index, struct folio *spare)
{
	struct folio *folio;
	int err = -EBUSY;

	down_read(&source->family->lock);
	folio = machvm_page_lookup(source, index);
	if (folio) {
		folio_lock(folio);
		if (machvm_push_wanted_locked(source, index))
			err = machvm_push_locked(source, index, folio, spare);
		folio_unlock(folio);
	}
	up_read(&source->family->lock);
	if (err)
		machvm_page_free(spare);
	return err == -EBUSY ? 0 : err;
}

/**
 * machvm_push_range - give a delayed copy now what it would get when the source is written
 * @source: has a delayed copy
 * @index: first page
 * @nr: pages
 * @all: every resident page of them, for they are wired; else those that somebody reads or writes
 *       beside the translations, and who could not follow if the source's page became another
 *
 * Afterwards the source is written in place, and what a device writes does not reach the copy.
 * Other pages may go for those of the copy, which may go themselves.
 * Context: the translations of the range were taken away, and none is made: map->lock held.
 * Return: 0 or -ENOMEM, also if a limit stands in the way and nothing can go.
 */
int machvm_push_range(struct machvm_object *source, u64 index, u64 nr, bool all)
{
	u64 last = index + nr - 1;
	struct folio *spare;
	bool found;
	int err = 0;

	for (; !err && index <= last; index++) {
		down_read(&source->family->lock);
		found = all ? machvm_page_next(source, &index, last) :
			      machvm_page_next_pinned(source, &index, last);
		up_read(&source->family->lock);
		if (!found)
			break;
		spare = machvm_reclaim_page(source->user, 0, NULL);
		err = IS_ERR(spare) ? -ENOMEM : push_page(source, index, spare);
		cond_resched();
	}
	return err;
}
