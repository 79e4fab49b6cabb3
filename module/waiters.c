// SPDX-License-Identifier: GPL-2.0-only
/*
 * waiters.c - who waits for what of which pager.
 * Callers: dev.c's table.
 * Never: changes anything; shows other users' objects to those without the right.
 * Locks: port->lock, and inside it that of a wait queue: while one is held nobody leaves what it
 * guards, so the threads that are found there are alive.
 */
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include "ioctl.h"
#include "memobj.h"
#include "port.h"
#include "request.h"
#include "user.h"
#include "waiter.h"

/* The thread in the queue behind *@skip others, referenced; or NULL, and *@skip less by those. */
static struct pid *nth_thread(struct wait_queue_head *wait, u64 *skip)
{
	struct wait_queue_entry *entry;
	struct pid *pid = NULL;
	unsigned long flags;

	spin_lock_irqsave(&wait->lock, flags);
	list_for_each_entry(entry, &wait->head, entry) {
		if (!*skip) {
			pid = get_task_pid(entry->private, PIDTYPE_PID);
			break;
		}
		--*skip;
	}
	spin_unlock_irqrestore(&wait->lock, flags);
	return pid;
}

static u32 state_of(struct machvm_request *request)
{
	if (request->msg.type == MACHVM_MSG_DATA_UNLOCK)
		return MACHVM_WAITER_UNLOCK;
	switch (request->state) {
	case MACHVM_REQUEST_GATED:
		return MACHVM_WAITER_GATED;
	case MACHVM_REQUEST_SENT:
		return MACHVM_WAITER_SENT;
	default:
		return MACHVM_WAITER_QUEUED;
	}
}

/* The thread behind @skip others that wait for answers, as nth_thread(). */
static struct pid *find_asking_locked(struct machvm_memobj *memobj, u64 *skip,
				      struct machvm_waiter_info *call)
{
	struct machvm_request *request;
	struct pid *pid;

	list_for_each_entry(request, &memobj->open, open) {
		pid = nth_thread(&request->wait, skip);
		if (!pid)
			continue;
		call->out_offset = request->msg.offset;
		call->out_age_ns = ktime_get_ns() - request->msg.queued_ns;
		call->out_access = request->msg.access;
		call->out_state = state_of(request);
		return pid;
	}
	return NULL;
}

/* The thread behind @skip others that wait for something else. */
static struct pid *find_other_locked(struct machvm_memobj *memobj, u64 skip,
				     struct machvm_waiter_info *call)
{
	struct machvm_waiter *waiter;

	list_for_each_entry(waiter, &memobj->waiters, node) {
		if (skip--)
			continue;
		call->out_offset = waiter->offset;
		call->out_age_ns = ktime_get_ns() - waiter->since_ns;
		call->out_access = waiter->access;
		call->out_state = waiter->state;
		return get_task_pid(waiter->thread, PIDTYPE_PID);
	}
	return NULL;
}

/* The waiter behind @skip others of the object; false if there are not so many. */
static bool describe_waiter(struct machvm_memobj *memobj, u64 skip,
			    struct machvm_waiter_info *call)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	struct pid *pid = find_asking_locked(memobj, &skip, call) ?:
			  find_other_locked(memobj, skip, call);

	call->out_port = port->id;
	call->out_pager = pid_vnr(port->pid);
	machvm_memobj_unlock_port(port);
	call->out_thread = pid_vnr(pid);
	put_pid(pid);
	return pid;
}

long machvm_ioctl_waiter_info(struct file *file, void *arg)
{
	struct machvm_waiter_info *call = arg, found = { .size = call->size };
	u64 id = call->id, skip = call->skip;
	struct machvm_memobj *memobj;
	bool is_one = false;

	if (call->__reserved)
		return -EINVAL;
	while (!is_one && (memobj = machvm_memobj_first(id))) {
		if (memobj->id != call->id)
			skip = 0;
		is_one = machvm_user_may_see(memobj->user) &&
			 describe_waiter(memobj, skip, &found);
		found.id = memobj->id;
		id = memobj->id + 1;
		machvm_memobj_put(memobj);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (!is_one)
		return -ENOENT;
	found.skip = skip + 1;
	*call = found;
	return MACHVM_KERN_SUCCESS;
}
