// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats.c - counters of the whole module, one part a CPU.
 * Callers: everyone counts; info.c reads.
 * Locks: none.
 */
#include "stats.h"
#include <linux/percpu_counter.h>

static struct percpu_counter counters[MACHVM_NR_STATS];

void machvm_count(enum machvm_stat stat, long n)
{
	percpu_counter_add(&counters[stat], n);
}

/* Exact once nothing is going on. */
s64 machvm_stat_sum(enum machvm_stat stat)
{
	return percpu_counter_sum_positive(&counters[stat]);
}

/* Cheap, and off by a few dozen a CPU at most. */
s64 machvm_stat_estimate(enum machvm_stat stat)
{
	return percpu_counter_read_positive(&counters[stat]);
}

int machvm_stats_init(void)
{
	int i, err;

	for (i = 0; i < MACHVM_NR_STATS; i++) {
		err = percpu_counter_init(&counters[i], 0, GFP_KERNEL);
		if (err) {
			while (i--)
				percpu_counter_destroy(&counters[i]);
			return err;
		}
	}
	return 0;
}

void machvm_stats_exit(void)
{
	int i;

	for (i = 0; i < MACHVM_NR_STATS; i++) {
		/* Levels are back to nothing, or somebody has leaked. */
		if (i >= MACHVM_STAT_LEVELS)
			WARN(percpu_counter_sum(&counters[i]), "machvm: counter %d is left at %lld\n",
			     i, percpu_counter_sum(&counters[i]));
		percpu_counter_destroy(&counters[i]);
	}
}
