/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pmap.h - the page tables of one map, as Mach calls that floor: translations are put in by the
 * page or by the run, and taken away by range; Linux is asked for room in the address space.
 */
#ifndef _MACHVM_PMAP_H
#define _MACHVM_PMAP_H

#include "types.h"

struct vm_area_struct;

void machvm_pmap_zap(struct machvm_map *map, u64 start, u64 end);
void machvm_pmap_free(struct machvm_map *map);
bool machvm_pmap_may_wire(struct machvm_map *map, u64 bytes, bool privileged);
int machvm_pmap_enter(struct vm_area_struct *vma, u64 addr, struct folio *folio, bool write,
		      bool execute);
int machvm_pmap_enter_run(struct vm_area_struct *vma, u64 addr, struct page **pages,
			  unsigned long nr, bool execute);

/* layout.c */
bool machvm_pmap_own(const struct machvm_map *map);
int machvm_pmap_reserve(struct machvm_map *map, u64 start, u64 end);
int machvm_pmap_grow(struct machvm_map *map, u64 length, u64 mask);
int machvm_pmap_execute(struct machvm_map *map, u64 start, u64 end);
int machvm_pmap_tidy(struct machvm_map *map, u64 start, u64 end);

#endif /* _MACHVM_PMAP_H */
