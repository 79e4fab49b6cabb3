// SPDX-License-Identifier: GPL-2.0-only
/*
 * around.c - what a fault does for the pages beside its own, to save them theirs.
 * Callers: fault.c, when it has mapped its page.
 * Never: waits, for memory or for a page; asks a pager.
 * Locks: map->lock and family->lock are held for reading; folio locks only by trylock.
 */
#include "fault.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "pmap.h"

#define AROUND_PAGES 64

/*
 * What the chain answers for a page, locked; NULL if there is none, it is in use, or its pager
 * forbids to read it.  One of top's @own stays the answer as long as family->lock is held; one from
 * below is looked up again.
 */
static struct folio *chain_answer_trylock(struct machvm_object *top, u64 index, struct folio *own)
{
	struct folio *folio = own ?: machvm_object_answer_locked(top, index);

	/* Whether an inactive one is used can only be seen while it is not mapped. */
	if (!folio || machvm_page_test(folio, MACHVM_PAGE_INACTIVE) || !folio_trylock(folio))
		return NULL;
	if ((own || machvm_object_answer_locked(top, index) == folio) &&
	    !(machvm_page_locks(folio) & MACHVM_PROT_READ))
		return folio;
	folio_unlock(folio);
	return NULL;
}

/* The pages around one that was read. */
struct around {
	u64 first;			/* page of top */
	unsigned long nr;
	struct page *page[AROUND_PAGES];	/* of top's; of a run, those that it answers */
};

/* Locks pages side by side, from the @i-th on, but not that of the fault.  Returns how many. */
static unsigned long run_lock(struct machvm_fault *fault, struct around *around, unsigned long i)
{
	struct page **run = around->page + i;
	unsigned long nr;

	for (nr = 0; i + nr < around->nr; nr++) {
		u64 index = around->first + i + nr;
		struct folio *folio = NULL;

		if (index != fault->index)
			folio = chain_answer_trylock(fault->top, index,
						     run[nr] ? page_folio(run[nr]) : NULL);
		if (!folio)
			break;
		run[nr] = folio_page(folio, 0);
	}
	return nr;
}

/* Maps and unlocks them.  @addr is that of the first, as the map knows it. */
static int run_enter(struct machvm_fault *fault, u64 addr, struct page **run, unsigned long nr)
{
	int err;

	if (!nr)
		return 0;
	err = machvm_pmap_enter_run(fault->vma, fault->at + addr - fault->addr, run, nr,
				    fault->entry->protection & MACHVM_PROT_EXECUTE);
	while (nr--)
		folio_unlock(page_folio(run[nr]));
	return err;
}

/**
 * machvm_fault_map_around - map what is resident around a page that was read
 * @fault: has mapped its page
 *
 * Read-only, run by run.  What cannot be locked at once is left alone.
 * Context: map->lock and family->lock held for reading.
 */
void machvm_fault_map_around(struct machvm_fault *fault)
{
	u64 span = AROUND_PAGES << PAGE_SHIFT;
	u64 addr = max(fault->addr & ~(span - 1), fault->entry->start);
	u64 end = min((fault->addr | (span - 1)) + 1, fault->entry->end);
	unsigned long i = 0, nr;
	struct around around;
	int err;

	/* A page that was waited for has come alone, or with those behind it. */
	if (fault->waited)
		addr = fault->addr + PAGE_SIZE;
	if (addr >= end)
		return;
	around.first = machvm_entry_offset(fault->entry, addr) >> PAGE_SHIFT;
	around.nr = (end - addr) >> PAGE_SHIFT;
	machvm_page_window(fault->top, around.first, around.nr, around.page);
	do {
		nr = run_lock(fault, &around, i);
		err = run_enter(fault, addr + i * PAGE_SIZE, around.page + i, nr);
		i += nr + 1;
	} while (i < around.nr && !err && !fault->waited);
}
