/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inject.h - what a call needs is not to be had, one thing after the other.
 *
 * A kernel that can be told so lets any one allocation of this thread fail, and any copy to or
 * from user memory.  On others it is the pages that a user may have.
 */
#ifndef _SELFTESTS_INJECT_H
#define _SELFTESTS_INJECT_H

#include <stdbool.h>

struct util_inject {
	int fd;		/* -1: the kernel cannot */
	long limit;	/* pages that a user may have otherwise */
};

/* For the calling thread; false if nothing can be made to lack. */
bool util_inject_init(struct util_inject *inject);

/* From now on the @nth thing, counted from 1, is not to be had; only that one, if the kernel can. */
void util_inject(struct util_inject *inject, unsigned int nth);

/* No longer.  Returns whether there was such a thing, as far as is known. */
bool util_inject_end(struct util_inject *inject);

#endif /* _SELFTESTS_INJECT_H */
