/* SPDX-License-Identifier: GPL-2.0-only */
/* lock.h - what pagers forbid, the questions about it, and what they want done to pages. */
#ifndef _MACHVM_LOCK_H
#define _MACHVM_LOCK_H

#include "laundry.h"
#include "types.h"

/* What to do to the resident pages of a range of bytes. */
struct machvm_lock_order {
	u64 offset;
	u64 length;			/* need not be whole pages */
	u32 should_return;		/* enum machvm_return */
	bool flush;			/* take the pages away */
	bool reply;			/* send lock_completed */
	bool for_client;		/* not the pager's own: what is precious is returned */
	bool initialize;		/* what is returned the pager has never had */
	bool keep_clean;		/* what is not returned stays as it is */
	bool evict;			/* the kernel's own: a little of what is inactive */
	bool clean;			/* the kernel's own: but for what is in use */
	u32 locks;			/* access to forbid from now on, or MACHVM_PROT_NO_CHANGE */
};

/* An order that is being carried out. */
struct machvm_job {
	struct machvm_msg msg;		/* lock_completed */
	struct list_head node;		/* (p) on memobj->jobs */
	refcount_t refs;		/* (a) list or queue, who waits */
	struct machvm_lock_order order;	/* (c) */
	u64 index;			/* (o) page to look at next */
	u64 last;			/* (c) */
	unsigned int patience;		/* (o) how often to wait for pages in use */
	unsigned int returned;		/* (o) pages */
	long unclean;			/* (o) pages that were in use, if that matters */
	struct folio *spare;		/* (o) for a copy of a page */
	struct machvm_run run;		/* (o) */
	bool done;			/* (a) */
	int result;			/* kern_return_t, valid when done */
	wait_queue_head_t wait;
};

/* The job that a message is the end of, or NULL. */
static inline struct machvm_job *machvm_job_of(struct machvm_msg *msg)
{
	if (msg->type != MACHVM_MSG_LOCK_COMPLETED)
		return NULL;
	return container_of(msg, struct machvm_job, msg);
}

struct machvm_request *machvm_unlock_find(struct machvm_memobj *memobj, u64 index, u32 access);
int machvm_unlock_ask(struct machvm_memobj *memobj, u64 index, struct machvm_request *request);
u32 machvm_unlock_wanted(struct machvm_memobj *memobj, u64 index);
void machvm_unlock_end(struct machvm_memobj *memobj, u64 first, u64 last, int result);

/* job.c */
int machvm_job_start(struct machvm_memobj *memobj, const struct machvm_lock_order *order,
		     struct machvm_job **job);
void machvm_job_get(struct machvm_job *job);
void machvm_job_put(struct machvm_job *job);
bool machvm_job_done(struct machvm_job *job);
bool machvm_job_step(struct machvm_memobj *memobj, bool *pause);
void machvm_jobs_drop(struct machvm_memobj *memobj);
bool machvm_jobs_drop_absent(struct machvm_memobj *memobj);

#endif /* _MACHVM_LOCK_H */
