/* SPDX-License-Identifier: GPL-2.0-only */
/* pageout.h - internal memory to the default memory manager. */
#ifndef _MACHVM_PAGEOUT_H
#define _MACHVM_PAGEOUT_H

#include "types.h"

/* Which pages are to go. */
struct machvm_pageout {
	struct machvm_user *user;	/* this one's; NULL: anybody's */
	const void *cgroup;		/* those that this group pays for; NULL: anybody does */
	bool second_chance;		/* not before they were found unused once */
};

unsigned long machvm_object_pageout(struct machvm_object *object, u64 *index, u64 last,
				    const struct machvm_pageout *which);
int machvm_vm_pageout(struct machvm_map *map, u64 addr, u64 length, u64 *pages);
unsigned long machvm_reclaim(struct machvm_user *user, int err);

#endif /* _MACHVM_PAGEOUT_H */
