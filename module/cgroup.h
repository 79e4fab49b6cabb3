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

int machvm_cgroup_charge(struct folio *folio, gfp_t gfp);
void machvm_cgroup_uncharge(struct folio *folio);
const void *machvm_cgroup_of(struct folio *folio);
const void *machvm_cgroup_limited(bool *full);

#endif /* _MACHVM_CGROUP_H */
