/* SPDX-License-Identifier: GPL-2.0-only */
/* laundry.h - pages of a living object on their way to its pager. */
#ifndef _MACHVM_LAUNDRY_H
#define _MACHVM_LAUNDRY_H

#include "types.h"

#define MACHVM_RUN_PAGES 32	/* in one data_return, as Mach has it for lock requests */

/*
 * Pages side by side, and alike.  memobj->run is the one that gathers, or is with the pager; it is
 * there as long as some page is marked RETURNED.
 */
struct machvm_run {
	u64 first;			/* (o) page index; (l) of one that is marked will do */
	unsigned int nr;		/* (o) */
	bool sent;			/* (o) offered: the pager may have it */
	bool dirty;			/* (o) */
	bool kernel_copy;		/* (o) */
	bool initialize;		/* (o) its pager has never had them */
	bool evict;			/* (o) they are to go when the pager has them */
	/* (o) taken out, or as they were; (l) put there for one still marked RETURNED; or NULL */
	struct folio *pages[MACHVM_RUN_PAGES];
};

bool machvm_run_fits(const struct machvm_run *run, u64 index, bool dirty, bool kernel_copy);
void machvm_run_add(struct machvm_memobj *memobj, struct machvm_run *run, u64 index, bool dirty,
		    bool kernel_copy, struct folio *folio);
void machvm_run_send(struct machvm_memobj *memobj);
void machvm_run_keep(struct machvm_memobj *memobj, u64 index, struct folio *old);
struct folio *machvm_run_page(struct machvm_memobj *memobj, u64 index);
int machvm_run_release(struct machvm_memobj *memobj, u64 first, u64 nr,
		       struct machvm_object *into);
void machvm_run_drop(struct machvm_memobj *memobj);
bool machvm_laundry_owes(struct machvm_object *object, struct folio *folio);
bool machvm_laundry_drop(struct machvm_object *object, u64 index, struct folio *folio);
void machvm_laundry_offered(struct machvm_memobj *memobj, long nr);
void machvm_laundry_taken(struct machvm_memobj *memobj, long nr);
void machvm_laundry_event(void);
bool machvm_laundry_moves(void);
unsigned long machvm_laundry_events(void);
int machvm_laundry_wait(unsigned long events, bool interruptible);

/* The run that the pager was offered, or NULL. */
static inline struct machvm_run *machvm_run_sent(struct machvm_memobj *memobj)
{
	return memobj->run && memobj->run->sent ? memobj->run : NULL;
}

#endif /* _MACHVM_LAUNDRY_H */
