/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listen.h - what kernel and pagers say to one another, from the module's tracepoints.
 */
#ifndef MACHVMCTL_LISTEN_H
#define MACHVMCTL_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#define HEARD_NAME 24

enum heard_kind {
	HEARD_SENT,	/* to a pager */
	HEARD_REPLY,	/* from one */
	HEARD_UNSENT,	/* it did not go out, and will be sent again; result is an errno */
	HEARD_REFUSED,	/* result is a kern_return_t, or negative an errno */
};

/* One message, or what became of it; what it does not have is 0. */
struct heard {
	uint64_t ns;	/* since the machine was started */
	enum heard_kind kind;
	char name[HEARD_NAME];
	uint64_t object, port, offset, length, error_offset, cluster_size;
	uint32_t sequence, epoch, access, lock_value, should_return, copy_strategy;
	int32_t result, error;
	bool dirty, kernel_copy, precious, reply, should_flush, may_cache;
};

struct listener;

/*
 * listen_start - from now on nothing is missed; NULL: it cannot be done, and that was said
 * @object, @port: only what is said of this object, or to this port; 0: of all
 */
struct listener *listen_start(uint64_t object, uint64_t port);

/* listen_fd - readable when something was said */
int listen_fd(const struct listener *l);

/*
 * listen_hear - hands on what was said, in order of time
 * @all: all of it; else what came during the call may be left for the next one
 * Answers how much was left, or -1 if it has failed, and said so.
 */
long listen_hear(struct listener *l, bool all, void (*hear)(const struct heard *));

/* listen_lost - messages that came faster than they were heard */
uint64_t listen_lost(const struct listener *l);

/* listen_stop - and leaves nothing behind in the kernel; false if that failed, and was said */
bool listen_stop(struct listener *l);

#endif
