/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * logged.h - a memory object whose pager keeps all that is returned to it in a log, answers from
 * that, and counts.
 */
#ifndef _SWEEP_LOGGED_H
#define _SWEEP_LOGGED_H

#include "util.h"

struct logged;

/* What the pages hold at first: page i is full of value(i). */
struct logged *logged_start(unsigned int pages, unsigned char (*value)(unsigned int page));
memory_object_t logged_object(struct logged *l);

/* Ends the pager; what was not returned is lost. */
void logged_stop(struct logged *l);

/* The first byte of the newest version of a page. */
unsigned char logged_value(struct logged *l, unsigned int page);

/* Nobody maps the object any more: waits until all that was written is here. */
void logged_settle(struct logged *l);

/* Something in the log is not what was put there, or the kernel said what it may not. */
bool logged_is_wrong(struct logged *l);

/* Waits until the pager has dealt with what it was sent. */
void logged_wait(struct logged *l);

/*
 * The pager speaks, and each waits until it was heard; of no consequence for who uses the memory.
 * A lock is taken away again when somebody asks.
 */
void logged_lock(struct logged *l, unsigned int page, unsigned int nr, int should_return,
		 bool flush, vm_prot_t lock);
void logged_supply(struct logged *l, unsigned int page, unsigned int nr);
void logged_attributes(struct logged *l, bool may_cache, unsigned int cluster_pages);

/* Its socket closes, and another one takes over. */
void logged_succeed(struct logged *l);

/* The next requests end in an error, or do not any more. */
void logged_fail(struct logged *l, int error);

/* "n supplied, n returned, ...", for a line of output. */
const char *logged_counts(struct logged *l);

#endif /* _SWEEP_LOGGED_H */
