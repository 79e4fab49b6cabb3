/* SPDX-License-Identifier: GPL-2.0-only */
/* pageout.h - internal memory to the default memory manager. */
#ifndef _MACHVM_PAGEOUT_H
#define _MACHVM_PAGEOUT_H

#include "types.h"

unsigned long machvm_object_pageout(struct machvm_object *object, u64 *index, u64 last);
int machvm_vm_pageout(struct machvm_map *map, u64 addr, u64 length, u64 *pages);

#endif /* _MACHVM_PAGEOUT_H */
