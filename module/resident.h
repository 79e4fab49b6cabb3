/* SPDX-License-Identifier: GPL-2.0-only */
/* resident.h - wired memory is brought in, and counted as locked. */
#ifndef _MACHVM_RESIDENT_H
#define _MACHVM_RESIDENT_H

#include "types.h"

int machvm_resident_wire(struct machvm_map *map, u64 addr, u64 length, u32 access,
			 bool privileged);
int machvm_resident_wire_all(struct machvm_map *map, u32 flags, bool privileged);
int machvm_resident_fill(struct machvm_map *map, u64 start, u64 end);
int machvm_resident_try(struct machvm_map *map, u64 addr, u64 length, bool write);
void machvm_resident_settle(struct machvm_map *map);
void machvm_resident_unmapped(struct machvm_map *map);

#endif /* _MACHVM_RESIDENT_H */
