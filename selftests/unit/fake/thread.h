/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * thread.h - two threads of which one runs at a time, and every way for them to take turns.
 *
 * race() runs @a and @b again and again.  In each run @a is interrupted at another point, @b runs
 * up to another point of its own, then @a to its end and @b to its end; who has to wait for a lock
 * lets the other run.  Points are where threads meet: locks, counts, atomics, allocations.
 */
#ifndef _FAKE_THREAD_H
#define _FAKE_THREAD_H

#define FAKE_MAX_HELD 96

struct lockdep_map;

struct fake_thread {
	const char *name;
	struct lockdep_map *held[FAKE_MAX_HELD];
	unsigned int nr_held;
	int atomic_depth;
	int rcu_depth;
	unsigned long points;		/* passed so far */
	bool blocked;			/* and nothing has happened since that could help */
	bool done;
};

struct fake_thread *fake_self(void);
bool fake_racing(void);
void fake_point(void);
/* Lets the other one run; false if there is none, or it waits as well. */
bool fake_block(void);
/* Something was given back or woken. */
void fake_progress(void);
bool fake_anybody_reads_rcu(void);

struct race {
	void (*before)(void);
	void (*a)(void);
	void (*b)(void);
	void (*after)(void);
};

void race(const struct race *race);

#endif /* _FAKE_THREAD_H */
