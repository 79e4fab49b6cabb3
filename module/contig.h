/* SPDX-License-Identifier: GPL-2.0-only */
/* contig.h - memory for drivers in user space. */
#ifndef _MACHVM_CONTIG_H
#define _MACHVM_CONTIG_H

#include "types.h"

int machvm_contig_allocate(struct machvm_map *map, u64 length, u64 pmax, u64 *addr, u64 *paddr);
int machvm_contig_phys(struct machvm_map *map, u64 addr, u64 *phys, unsigned long nr);

#endif /* _MACHVM_CONTIG_H */
