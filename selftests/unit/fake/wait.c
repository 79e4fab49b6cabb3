// SPDX-License-Identifier: GPL-2.0-only
/* wait.c - sleepers, wakers, the clock and what was put off. */
#include "kinc.h"
#include "fake/thread.h"

void (*fake_world)(void *arg);
void *fake_world_arg;
unsigned long fake_wakes, fake_sleeps;
unsigned long jiffies;
struct task_struct fake_current = { .pid = 1000, .tgid = 1000 };

static bool signalled;
static u64 now;
static struct work_struct *work_first, **work_last = &work_first;

void fake_wait_reset(void)
{
	fake_world = NULL;
	fake_wakes = 0;
	fake_sleeps = 0;
	signalled = false;
}

void fake_wait_end(void)
{
	if (work_first)
		test_fail(__FILE__, __LINE__, "work is queued at the end");
}

void fake_signal(bool pending)
{
	signalled = pending;
}

bool fake_signal_pending(void)
{
	return signalled;
}

void fake_wake(wait_queue_head_t *wq, const char *file, int line)
{
	if (wq->lock.dep_map.initialised != &wq->lock.dep_map)
		test_die(file, line, "wake: the queue was never initialised");
	wq->wakes++;
	fake_wakes++;
	fake_progress();
	fake_point();
}

static void sleep_check(wait_queue_head_t *wq, const char *file, int line)
{
	if (wq->lock.dep_map.initialised != &wq->lock.dep_map)
		test_die(file, line, "sleep: the queue was never initialised");
	if (!fake_nothing_held())
		test_die(file, line, "sleeps with a lock held");
}

/* Lets others go on; false if there is nobody. */
static bool sleep_once(wait_queue_head_t *wq)
{
	bool others = true;

	fake_sleeps++;
	wq->sleepers++;
	if (!fake_block()) {
		others = fake_world;
		if (others)
			fake_world(fake_world_arg);
	}
	wq->sleepers--;
	return others;
}

/* Returns 0 to look again, or an error if a signal ended the wait. */
long fake_sleep(wait_queue_head_t *wq, bool killable, const char *file, int line)
{
	static unsigned int rounds;
	unsigned long wakes = wq->wakes;

	sleep_check(wq, file, line);
	if (killable && signalled)
		return -ERESTARTSYS;
	if (!sleep_once(wq))
		test_die(file, line, "would sleep for ever");
	if (killable && signalled)
		return -ERESTARTSYS;
	if (wq->wakes != wakes)
		rounds = 0;
	else if (++rounds > 1000)
		test_die(file, line, "nobody wakes this sleeper");
	return 0;
}

/* Returns what is left of the time, which passes if nobody wakes; or an error for a signal. */
long fake_sleep_for(wait_queue_head_t *wq, long timeout, const char *file, int line)
{
	unsigned long wakes = wq->wakes;

	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return fake_sleep(wq, true, file, line) ?: timeout;
	sleep_check(wq, file, line);
	if (!signalled)
		sleep_once(wq);
	if (signalled)
		return -ERESTARTSYS;
	if (wq->wakes != wakes)
		return timeout;
	fake_time_add(timeout * (NSEC_PER_SEC / HZ));
	return 0;
}

void fake_rest(const char *file, int line)
{
	static unsigned int rests;

	fake_might_sleep(file, line);
	if (fake_block())
		rests = 0;
	else if (++rests > 1000)
		test_die(file, line, "rests for ever");
}

u64 ktime_get_ns(void)
{
	return ++now;
}

void fake_time_add(unsigned long long ns)
{
	now += ns;
	jiffies = now / NSEC_PER_MSEC;
}

bool fake_work_queue(struct work_struct *work)
{
	if (!work->func)
		test_die(__FILE__, __LINE__, "work without a function");
	if (work->pending)
		return false;
	work->pending = true;
	work->next = NULL;
	*work_last = work;
	work_last = &work->next;
	return true;
}

bool fake_work_cancel(struct work_struct *work)
{
	struct work_struct **link;

	if (!work->pending)
		return false;
	for (link = &work_first; *link != work; link = &(*link)->next)
		;
	*link = work->next;
	if (!*link)
		work_last = link;
	work->pending = false;
	return true;
}

unsigned int fake_work_run(void)
{
	unsigned int ran = 0;

	while (work_first) {
		struct work_struct *work = work_first;

		fake_work_cancel(work);
		work->func(work);
		ran++;
	}
	return ran;
}
