/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wait.h - sleeping and waking with one thread: a sleeper lets fake_world() run and looks again.
 * Also time, work queues and the current task.
 */
#ifndef _FAKE_WAIT_H
#define _FAKE_WAIT_H

#include "fake.h"

typedef struct wait_queue_head {
	spinlock_t lock;
	unsigned int sleepers;
	unsigned long wakes;
} wait_queue_head_t;

struct completion {
	unsigned int done;
	wait_queue_head_t wait;
};

#define init_waitqueue_head(wq)							\
	do {									\
		spin_lock_init(&(wq)->lock);					\
		(wq)->sleepers = 0;						\
		(wq)->wakes = 0;						\
	} while (0)
#define DECLARE_WAIT_QUEUE_HEAD(wq)						\
	wait_queue_head_t wq = { .lock = { FAKE_DEP_MAP_INIT((wq).lock) } }

void fake_wake(wait_queue_head_t *wq, const char *file, int line);
long fake_sleep(wait_queue_head_t *wq, bool killable, const char *file, int line);
long fake_sleep_for(wait_queue_head_t *wq, long timeout, const char *file, int line);
bool fake_signal_pending(void);

#define wake_up(wq) fake_wake(wq, __FILE__, __LINE__)
#define wake_up_all(wq) wake_up(wq)
#define wake_up_nr(wq, n) wake_up(wq)
#define wake_up_interruptible(wq) wake_up(wq)
#define wake_up_interruptible_all(wq) wake_up(wq)
#define waitqueue_active(wq) ((wq)->sleepers > 0)
#define wq_has_sleeper(wq) waitqueue_active(wq)

#define fake_wait(wq, cond, killable)						\
	({									\
		long slept_ = 0;						\
		might_sleep();							\
		while (!(cond) && !slept_)					\
			slept_ = fake_sleep(&(wq), killable, __FILE__, __LINE__); \
		slept_;								\
	})
#define wait_event(wq, cond) ((void)fake_wait(wq, cond, false))
#define wait_event_killable(wq, cond) fake_wait(wq, cond, true)
#define wait_event_interruptible(wq, cond) fake_wait(wq, cond, true)
/* The time is over when the world, or the other thread, had a turn and woke nobody. */
#define wait_event_killable_timeout(wq, cond, timeout)				\
	({									\
		long left_ = (timeout);						\
		might_sleep();							\
		while (!(cond) && left_ > 0)					\
			left_ = fake_sleep_for(&(wq), left_, __FILE__, __LINE__); \
		left_ ?: !!(cond);						\
	})
#define wait_event_interruptible_timeout(wq, cond, timeout)			\
	wait_event_killable_timeout(wq, cond, timeout)

/* A rest lets the other thread go on. */
void fake_rest(const char *file, int line);
#define schedule_timeout_uninterruptible(timeout)				\
	({ fake_rest(__FILE__, __LINE__); 0L; })

#define init_completion(c) do { (c)->done = 0; init_waitqueue_head(&(c)->wait); } while (0)
#define reinit_completion(c) ((c)->done = 0)
#define complete(c) do { (c)->done++; wake_up(&(c)->wait); } while (0)
#define complete_all(c) do { (c)->done = 1U << 30; wake_up(&(c)->wait); } while (0)
#define completion_done(c) ((c)->done > 0)
#define wait_for_completion(c)							\
	do { wait_event((c)->wait, (c)->done); (c)->done--; } while (0)
#define wait_for_completion_killable(c)						\
	({									\
		long end_ = wait_event_killable((c)->wait, (c)->done);		\
		if (!end_)							\
			(c)->done--;						\
		end_;								\
	})

/* Time stands still, but for one nanosecond a look. */
u64 ktime_get_ns(void);
#define ktime_get() ((ktime_t)ktime_get_ns())
#define ktime_to_ns(t) (t)
#define ktime_get_boottime_ns() ktime_get_ns()
#define NSEC_PER_SEC 1000000000L
#define NSEC_PER_MSEC 1000000L
#define HZ 1000
extern unsigned long jiffies;
#define time_before(a, b) ((long)((a) - (b)) < 0)
#define msecs_to_jiffies(ms) (ms)
#define MAX_SCHEDULE_TIMEOUT LONG_MAX
#define nsecs_to_jiffies(ns) ((unsigned long)((ns) / NSEC_PER_MSEC))

struct work_struct {
	void (*func)(struct work_struct *work);
	struct work_struct *next;
	bool pending;
};

struct delayed_work {
	struct work_struct work;
	unsigned long delay;
};

struct workqueue_struct;
#define system_wq ((struct workqueue_struct *)NULL)
#define system_unbound_wq system_wq
#define INIT_WORK(w, f) (*(w) = (struct work_struct){ .func = (f) })
#define INIT_DELAYED_WORK(w, f) (*(w) = (struct delayed_work){ .work.func = (f) })
#define to_delayed_work(w) container_of(w, struct delayed_work, work)
bool fake_work_queue(struct work_struct *work);
bool fake_work_cancel(struct work_struct *work);
#define schedule_work(w) fake_work_queue(w)
#define queue_work(wq, w) fake_work_queue(w)
#define schedule_delayed_work(w, d) ({ (w)->delay = (d); fake_work_queue(&(w)->work); })
#define queue_delayed_work(wq, w, d) schedule_delayed_work(w, d)
#define mod_delayed_work(wq, w, d) (!schedule_delayed_work(w, d))
#define cancel_work_sync(w) fake_work_cancel(w)
#define cancel_delayed_work(w) fake_work_cancel(&(w)->work)
#define cancel_delayed_work_sync(w) fake_work_cancel(&(w)->work)
#define flush_work(w) ((void)fake_work_run())
#define flush_delayed_work(w) ((void)fake_work_run())
#define work_pending(w) ((w)->pending)
#define delayed_work_pending(w) work_pending(&(w)->work)

struct mm_struct;
struct task_struct {
	pid_t pid, tgid;
	unsigned int flags;
	struct mm_struct *mm;
};

#define PF_EXITING 0x4
#define PF_DUMPCORE 0x200
#define PF_KTHREAD 0x200000
extern struct task_struct fake_current;
#define current (&fake_current)
#define fatal_signal_pending(task) fake_signal_pending()
#define signal_pending(task) fake_signal_pending()
#define task_tgid_nr(task) ((task)->tgid)

typedef struct { uid_t val; } kuid_t;

#endif /* _FAKE_WAIT_H */
