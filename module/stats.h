/* SPDX-License-Identifier: GPL-2.0-only */
/* stats.h - event and level counters of the whole module. */
#ifndef _MACHVM_STATS_H
#define _MACHVM_STATS_H

#include "types.h"

/*
 * Events first, then levels, which are back to nothing when the module goes.  Pages that are
 * resident or inactive are counted apart for memory of programs (TMP) and memory with a
 * pager (PERM): see machvm_count_page().
 */
enum machvm_stat {
	MACHVM_STAT_ZERO_FILL,
	MACHVM_STAT_PAGEINS,
	MACHVM_STAT_PAGEOUTS,
	MACHVM_STAT_FAULTS,
	MACHVM_STAT_COW_FAULTS,
	MACHVM_STAT_REACTIVATIONS,	/* pages used while they were inactive */
	MACHVM_STAT_LOOKUPS,
	MACHVM_STAT_HITS,
	MACHVM_STAT_REQUESTS,
	MACHVM_STAT_UNASKED,
	MACHVM_STAT_REFUSED,
	MACHVM_STAT_ERRORS,
	MACHVM_STAT_COLLAPSES,
	MACHVM_STAT_BYPASSES,

	MACHVM_STAT_LOOKED,		/* pages looked at for some to go */
	MACHVM_STAT_LOST,		/* pages that no pager was there to take back */
	MACHVM_STAT_LEVELS,
	MACHVM_STAT_PAGES = MACHVM_STAT_LEVELS,	/* ours, in an object or on the way */
	MACHVM_STAT_RESIDENT_TMP,	/* in the slots of objects */
	MACHVM_STAT_RESIDENT_PERM,
	MACHVM_STAT_INACTIVE_TMP,	/* of these, next to be paged out */
	MACHVM_STAT_INACTIVE_PERM,
	MACHVM_STAT_DIRTY,		/* pages that were written */
	MACHVM_STAT_LAUNDRY,		/* picked to be written back, and not offered yet */
	MACHVM_STAT_WRITEBACK,		/* offered to a pager, which has not released them yet */
	MACHVM_STAT_WIRED,		/* entries that keep pages of an object */
	MACHVM_STAT_EXTERNAL,		/* objects with a pager that are in memory */
	MACHVM_STAT_OBJECTS,
	MACHVM_STAT_MAPS,
	MACHVM_STAT_PORTS,
	MACHVM_STAT_QUEUED,
	MACHVM_STAT_PAGED_OUT,
	MACHVM_STAT_BANKED,
	MACHVM_NR_STATS,
};

void machvm_count(enum machvm_stat stat, long n);
s64 machvm_stat_sum(enum machvm_stat stat);
s64 machvm_stat_estimate(enum machvm_stat stat);
int machvm_stats_init(void);
void machvm_stats_exit(void);

/* @stat is a TMP one: it, or the PERM one behind it if the object has a pager. */
static inline void machvm_count_page(enum machvm_stat stat, const struct machvm_object *object,
				     long n)
{
	machvm_count(object->memobj ? stat + 1 : stat, n);
}

#endif /* _MACHVM_STATS_H */
