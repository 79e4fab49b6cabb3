/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - the vm_* verbs.  They answer a kern_return_t, or -EINTR if a fatal signal came while
 * they waited for a lock.  Addresses and lengths in bytes, straight from the caller.
 */
#ifndef _MACHVM_VM_H
#define _MACHVM_VM_H

#include "types.h"

struct machvm_region {
	u64 start, end, offset, object;
	u64 resident, dirty;
	u8 protection, max_protection, inheritance;
	u32 flags;
	unsigned int depth;
};

int machvm_vm_allocate(struct machvm_map *map, u64 *addr, u64 length, bool anywhere);
int machvm_vm_deallocate(struct machvm_map *map, u64 addr, u64 length);
int machvm_vm_protect(struct machvm_map *map, u64 addr, u64 length, bool set_maximum,
		      u32 protection);
int machvm_vm_map(struct machvm_map *map, const struct machvm_vm_map *arg,
		  struct machvm_memobj *memobj, u64 *addr);
int machvm_vm_map_object(struct machvm_map *map, struct machvm_object *object, u64 length,
			 u64 *addr);
int machvm_vm_region(struct machvm_map *map, u64 addr, struct machvm_region *region);
int machvm_vm_fork(struct machvm_map *parent, struct machvm_map *child);
void machvm_vm_clear(struct machvm_map *map);
int machvm_entry_prepare(struct machvm_map *map, u64 addr, bool write);

#endif /* _MACHVM_VM_H */
