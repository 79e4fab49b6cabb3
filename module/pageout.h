/* SPDX-License-Identifier: GPL-2.0-only */
/* pageout.h - memory that goes, to the default memory manager or to be asked for again. */
#ifndef _MACHVM_PAGEOUT_H
#define _MACHVM_PAGEOUT_H

#include "types.h"

/* Which pages are to go. */
struct machvm_pageout {
	struct machvm_user *user;	/* this one's; NULL: anybody's */
	const void *cgroup;		/* those that this group pays for; NULL: anybody does */
	bool unpaid;			/* those that no group pays for */
	bool second_chance;		/* not before they were found unused once */
	/* What has come of it. */
	unsigned long looked;		/* pages that were looked at */
	u64 owed_first;			/* the first that its pager must get before it goes ... */
	u64 owed_end;			/* ... and behind the last; 0: there was none */
	bool pending;			/* a pager is to take some, or does just now */
};

unsigned long machvm_object_pageout(struct machvm_object *object, u64 *index, u64 last,
				    struct machvm_pageout *which);
bool machvm_object_is_idle(struct machvm_object *object, const struct machvm_pageout *which);
int machvm_vm_pageout(struct machvm_map *map, u64 addr, u64 length, u64 *pages);

/* reclaim.c */
bool machvm_reclaim_has_any(void);
bool machvm_reclaim_is_due(void);
unsigned long machvm_reclaim(struct machvm_user *user, int err);
unsigned long machvm_reclaim_for_linux(const void *cgroup, unsigned long want);
struct folio *machvm_reclaim_page(struct machvm_user *user, gfp_t gfp, unsigned long *events);

#endif /* _MACHVM_PAGEOUT_H */
