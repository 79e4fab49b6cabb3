/* SPDX-License-Identifier: GPL-2.0-only */
/* stats.h - event and level counters of the whole module. */
#ifndef _MACHVM_STATS_H
#define _MACHVM_STATS_H

#include "types.h"

enum machvm_stat {
	MACHVM_STAT_PAGES,
	MACHVM_STAT_ZERO_FILL,
	MACHVM_STAT_PAGEINS,
	MACHVM_STAT_PAGEOUTS,
	MACHVM_STAT_FAULTS,
	MACHVM_STAT_COW_FAULTS,
	MACHVM_STAT_LOOKUPS,
	MACHVM_STAT_HITS,
	MACHVM_STAT_REQUESTS,
	MACHVM_STAT_UNASKED,
	MACHVM_STAT_REFUSED,
	MACHVM_STAT_ERRORS,
	MACHVM_STAT_OBJECTS,
	MACHVM_STAT_MAPS,
	MACHVM_STAT_PORTS,
	MACHVM_STAT_QUEUED,
	MACHVM_NR_STATS,
};

void machvm_count(enum machvm_stat stat, long n);
s64 machvm_stat_sum(enum machvm_stat stat);
s64 machvm_stat_estimate(enum machvm_stat stat);
int machvm_stats_init(void);
void machvm_stats_exit(void);

#endif /* _MACHVM_STATS_H */
