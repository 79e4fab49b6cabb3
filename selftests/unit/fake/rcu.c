// SPDX-License-Identifier: GPL-2.0-only
/*
 * rcu.c - what was handed to RCU stays as it is until rcu_barrier() or the end of the test, so
 * that a reader who kept a pointer too long meets freed memory there at the latest.
 */
#include "kinc.h"
#include "fake/thread.h"

struct deferred {
	struct deferred *next;
	struct rcu_head *head;
	rcu_callback_t func;
	const void *ptr;		/* kfree_rcu() */
	const char *file;
	int line;
};

static struct deferred *first, **last = &first;
static bool at_once;

void fake_rcu_reset(void)
{
	at_once = false;
}

void fake_rcu_at_once(bool on)
{
	at_once = on;
}

void fake_rcu_read(int n, const char *file, int line)
{
	fake_self()->rcu_depth += n;
	if (fake_self()->rcu_depth < 0)
		test_die(file, line, "rcu: no read section to end");
	fake_atomic_add(n);
}

bool rcu_read_lock_held(void)
{
	return fake_self()->rcu_depth;
}

static void run_all(void)
{
	while (first) {
		struct deferred *one = first;

		first = one->next;
		if (!first)
			last = &first;
		if (one->func)
			one->func(one->head);
		else
			fake_free(one->ptr, NULL, one->file, one->line);
		free(one);
	}
}

static void defer(struct deferred value)
{
	struct deferred *one = malloc(sizeof(*one));

	BUG_ON(!one);
	*one = value;
	*last = one;
	last = &one->next;
	if (at_once && !fake_anybody_reads_rcu())
		run_all();
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	defer((struct deferred){ .head = head, .func = func });
}

void fake_kfree_rcu(const void *ptr, const char *file, int line)
{
	if (!ptr)
		return;
	if (!fake_size(ptr))
		test_die(file, line, "free: %p is not allocated", ptr);
	defer((struct deferred){ .ptr = ptr, .file = file, .line = line });
}

void rcu_barrier(void)
{
	might_sleep();
	while (fake_anybody_reads_rcu())
		if (!fake_block())
			test_die(__FILE__, __LINE__, "rcu: a reader does not end");
	run_all();
}
