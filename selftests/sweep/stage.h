/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stage.h - memory of every kind, side by side, for calls to be tried on.
 *
 * A layout is a string, a letter a page:
 *   .  hole
 *   w  written to              u  fresh, untouched
 *   r  read only               n  no access, by the current protection
 *   m  read only, maximum too  x  no access, by the maximum
 *   o  write only              t  writes end in KERN_WRITE_PROTECTION_FAILURE
 *   i  not inherited           s  shared with another task
 *   c  a copy of the first w, not made yet
 *   e  a memory object's       d  a delayed copy of it
 *   k  wired                   q  wired, no access at the moment
 * Marks are what util_mark() says of the number of the page in the layout.
 */
#ifndef _SWEEP_STAGE_H
#define _SWEEP_STAGE_H

#include "agree.h"

/* Pages of the memory object. */
#define STAGE_OBJECT 64

#define STAGE_PROXIES 4

struct stage {
	struct agree agree;
	uint64_t base;			/* of the layout */
	uint64_t ordinary;		/* Linux's memory, of so many pages: */
	const char *layout;
	unsigned int pages;		/* of the layout */
	struct util_pager *pager;
	struct oracle_object object;
	struct agree_object memory_object, fresh_memory;
	struct agree_object proxies[STAGE_PROXIES];	/* of the object; the last was revoked */
	pid_t keeper, sharer;		/* tasks that keep what they inherited */
};

#define STAGE_ORDINARY 4

/* Finds the arena, makes the object; false if that does not work. */
bool stage_init(struct stage *stage);
void stage_end(struct stage *stage);

/* Nothing but the layout at @base is there afterwards. */
bool stage_set(struct stage *stage, uint64_t base, const char *layout);

#endif /* _SWEEP_STAGE_H */
