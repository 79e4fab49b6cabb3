// SPDX-License-Identifier: GPL-2.0-only
/*
 * shrinker.c - pages go because Linux is short of memory, in all or in a memory cgroup.
 * Callers: Linux's reclaim, in whatever it has interrupted; a work of our own.
 * Never: takes a lock of ours, or pages out, in the caller of Linux's reclaim, who may hold any.
 * Locks: none; those of reclaim.c in the work.
 *
 * What is asked for is noted, and a work pages it out: into a store that takes memory before it
 * gives some back, charged to the group whose pages go.  Who reclaims for himself is held up until
 * the first have gone, but not for long: he may hold what the work waits for.
 *
 * Linux counts what it could reclaim, and kills if that is too little.  Our pages are not counted:
 * so before it kills it is held up once more, until some have gone, or pagers have taken some.
 */
#include <linux/memcontrol.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>
#include "cgroup.h"
#include "laundry.h"
#include "pageout.h"
#include "port.h"
#include "shrinker.h"
#include "stats.h"

/* As long as Linux itself waits at a time for reclaim to get on. */
#define HELD_UP (HZ / 10)

/* Before somebody is killed: so many times that, and so many pages of each group. */
#define LAST_TIMES 10
#define LAST_PAGES 1024

static struct shrinker *shrinker;
static struct workqueue_struct *reclaimers;
static atomic_long_t wanted;		/* pages that no group pays for */
static atomic_long_t gone;		/* pages, ever */
static atomic_long_t rounds;		/* of the work that are over */
static DECLARE_WAIT_QUEUE_HEAD(waiters);

static void has_gone(unsigned long nr)
{
	atomic_long_add(nr, &gone);
	wake_up_all(&waiters);
}

/* Pages of one group; the places that they get in the store are the group's as well. */
static void reclaim_group(const void *group, unsigned long want)
{
	struct mem_cgroup *memcg = machvm_cgroup_memcg(group);
	struct mem_cgroup *before = set_active_memcg(memcg);

	has_gone(machvm_reclaim_for_linux(group, want));
	set_active_memcg(before);
	mem_cgroup_put(memcg);
	machvm_cgroup_put(group);
}

/*
 * All that is wanted, each once: what is asked for meanwhile is for the next round, queued then.
 * As in Linux's own reclaim, what it needs for that comes from the reserve, without reclaim.
 */
static void reclaim_work(struct work_struct *work)
{
	unsigned long want = atomic_long_xchg(&wanted, 0);
	long round = atomic_long_read(&rounds) + 1;
	unsigned int flags = memalloc_noreclaim_save();
	const void *group;

	if (want)
		has_gone(machvm_reclaim_for_linux(NULL, want));
	while ((group = machvm_cgroup_next_wanted(round, &want)))
		reclaim_group(group, want);
	memalloc_noreclaim_restore(flags);
	atomic_long_set(&rounds, round);
	wake_up_all(&waiters);
}

static DECLARE_WORK(reclaimer, reclaim_work);

static unsigned long count_pages(struct shrinker *unused, struct shrink_control *sc)
{
	return machvm_reclaim_has_any() ? machvm_cgroup_pages(sc) : 0;
}

/* Who can do without, or whom others may be waiting for, to have room made, is not held up. */
static bool may_hold_up(const struct shrink_control *sc)
{
	return sc->gfp_mask & __GFP_FS && !(sc->gfp_mask & __GFP_RETRY_MAYFAIL) &&
	       !(current->flags & PF_KTHREAD) && !machvm_port_serves_current();
}

/* Has the work done, and waits for the first pages, or a round of it that has found none. */
static void reclaim_now(bool wait)
{
	bool late = work_busy(&reclaimer) & WORK_BUSY_RUNNING;
	long end = atomic_long_read(&rounds) + (late ? 2 : 1);
	long before = atomic_long_read(&gone);

	queue_work(reclaimers, &reclaimer);
	if (wait)
		wait_event_killable_timeout(waiters, atomic_long_read(&gone) != before ||
					    atomic_long_read(&rounds) - end >= 0, HELD_UP);
}

static unsigned long want_pages(struct shrinker *unused, struct shrink_control *sc)
{
	long before = atomic_long_read(&gone), freed;

	if (current_work() == &reclaimer)
		return SHRINK_STOP;
	if (machvm_cgroup_is_meant(sc))
		machvm_cgroup_want(sc);
	else
		atomic_long_set(&wanted, sc->nr_to_scan);
	reclaim_now(may_hold_up(sc));
	freed = atomic_long_read(&gone) - before;
	return freed ?: SHRINK_STOP;
}

/* Pages that the work has taken out, and that pagers have taken, ever; some are both. */
static s64 nr_out(void)
{
	return atomic_long_read(&gone) + machvm_stat_sum(MACHVM_STAT_PAGEOUTS);
}

/* One more time.  Returns how many pages have gone. */
static unsigned long try_again(void)
{
	unsigned long events = machvm_laundry_events();
	s64 before = nr_out();

	atomic_long_set(&wanted, LAST_PAGES);
	machvm_cgroup_want_of_all(LAST_PAGES);
	reclaim_now(true);
	if (nr_out() == before)
		machvm_laundry_wait(events, false);
	return nr_out() - before;
}

static bool has_pages(void)
{
	return machvm_stat_sum(MACHVM_STAT_PAGES) > 0 && machvm_reclaim_has_any();
}

/* Others who find no memory wait for this one: so it has an end, whoever takes his time. */
static int before_kill(struct notifier_block *unused, unsigned long zero, void *freed)
{
	unsigned long nr = 0;
	unsigned int i;

	if (current_work() == &reclaimer)
		return NOTIFY_OK;
	for (i = 0; i < LAST_TIMES && !nr && has_pages() && !fatal_signal_pending(current); i++)
		nr = try_again();
	*(unsigned long *)freed += nr;
	return NOTIFY_OK;
}

static struct notifier_block last = { .notifier_call = before_kill };

/**
 * machvm_shrinker_init - let Linux ask for pages
 *
 * Return: 0, or a negative errno.
 */
int machvm_shrinker_init(void)
{
	int err;

	reclaimers = alloc_workqueue("machvm_reclaim", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!reclaimers)
		return -ENOMEM;
	err = register_oom_notifier(&last);
	if (err)
		goto err_queue;
	err = -ENOMEM;
	shrinker = shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE, "machvm");
	if (!shrinker)
		goto err_notifier;
	shrinker->count_objects = count_pages;
	shrinker->scan_objects = want_pages;
	err = machvm_compat_register(shrinker, "machvm");
	if (err)
		goto err_shrinker;
	err = machvm_cgroup_init(shrinker);
	if (err)
		goto err_shrinker;
	return 0;

err_shrinker:
	shrinker_free(shrinker);
err_notifier:
	unregister_oom_notifier(&last);
err_queue:
	destroy_workqueue(reclaimers);
	return err;
}

void machvm_shrinker_exit(void)
{
	shrinker_free(shrinker);
	unregister_oom_notifier(&last);
	destroy_workqueue(reclaimers);
	machvm_cgroup_exit();
}
