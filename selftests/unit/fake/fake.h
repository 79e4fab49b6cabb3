/* SPDX-License-Identifier: GPL-2.0-only */
/* fake.h - what a test may ask of the fakes. */
#ifndef _FAKE_FAKE_H
#define _FAKE_FAKE_H

#include <stdbool.h>

/* Around every test.  The end reports what was not given back. */
void fake_begin(void);
void fake_end(void);

/*
 * Memory.  fail_nth(n) lets the n-th allocation from now on fail, once; fail_end() takes that
 * back and tells whether it happened.
 */
void fail_nth(unsigned long n);
bool fail_end(void);
unsigned long alloc_live(void);		/* allocations and pages that are not freed yet */
unsigned long alloc_count(void);	/* allocations ever made */

/*
 * Runs the statement for n = 1, 2, ... until no allocation is left that could fail; then again,
 * where all from the n-th on fail, which also gets past those who try twice.  In it, fail_nth(n)
 * starts the part that is to fail, and fail_end() must be called after it.
 */
#define for_each_failure(n) \
	for (unsigned long n = fail_next(0); n; n = fail_next(n))
unsigned long fail_next(unsigned long n);

/* Locks. */
bool fake_nothing_held(void);
void fail_killable(unsigned long n);	/* the n-th killable wait ends by a signal */

/* RCU: callbacks run at rcu_barrier(), synchronize_rcu() and the end, or at once. */
void fake_rcu_at_once(bool at_once);

/* Waiting: a sleeper calls this to let the world go on; without it nobody may have to sleep. */
extern void (*fake_world)(void *arg);
extern void *fake_world_arg;
extern unsigned long fake_wakes;	/* wake-ups of any queue or completion */
extern unsigned long fake_sleeps;
void fake_signal(bool pending);

/* Time, in nanoseconds. */
void fake_time_add(unsigned long long ns);

/* Work: runs what is queued, delayed or not; returns how many. */
unsigned int fake_work_run(void);

#endif /* _FAKE_FAKE_H */
