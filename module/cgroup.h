/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cgroup.h - how much of a memory cgroup is machvm's, and how much may be.
 *
 * A page is known by the group that it was charged to when it was allocated, for as long as it is
 * ours.  Groups are named by a key that means nothing but itself.
 */
#ifndef _MACHVM_CGROUP_H
#define _MACHVM_CGROUP_H

#include "types.h"

struct shrink_control;
struct shrinker;

int machvm_cgroup_init(struct shrinker *shrinker);
void machvm_cgroup_exit(void);
int machvm_cgroup_charge(struct folio *folio, gfp_t gfp);
void machvm_cgroup_uncharge(struct folio *folio);
const void *machvm_cgroup_of(struct folio *folio);
const void *machvm_cgroup_limited(bool *full);

/* What Linux wants back. */
bool machvm_cgroup_is_meant(struct shrink_control *sc);
unsigned long machvm_cgroup_pages(struct shrink_control *sc);
void machvm_cgroup_want(struct shrink_control *sc);
void machvm_cgroup_want_of_all(unsigned long want);
const void *machvm_cgroup_next_wanted(long round, unsigned long *want);
void machvm_cgroup_put(const void *group);
struct mem_cgroup *machvm_cgroup_memcg(const void *group);

#endif /* _MACHVM_CGROUP_H */
