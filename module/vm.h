/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - the vm_* verbs.  They answer a kern_return_t, or -EINTR if a fatal signal came while
 * they waited for a lock.  Addresses and lengths in bytes, straight from the caller.
 */
#ifndef _MACHVM_VM_H
#define _MACHVM_VM_H

#include "types.h"

/* Not for user space: the destination is shared, so it has to be written by bytes. */
#define MACHVM_VM_SHARED 1000

struct machvm_region {
	u64 start, end, offset, object;
	u64 resident, dirty;
	u8 protection, max_protection, inheritance;
	u32 flags;
	unsigned int depth;
	bool wired;
};

int machvm_vm_allocate(struct machvm_map *map, u64 *addr, u64 length, bool anywhere);
int machvm_vm_deallocate(struct machvm_map *map, u64 addr, u64 length);
int machvm_vm_protect(struct machvm_map *map, u64 addr, u64 length, bool set_maximum,
		      u32 protection);
int machvm_vm_inherit(struct machvm_map *map, u64 addr, u64 length, u32 inheritance);
int machvm_vm_map_check(const struct machvm_vm_map *arg, u64 length, bool external);
int machvm_vm_map(struct machvm_map *map, const struct machvm_vm_map *arg,
		  struct machvm_memobj *memobj, u64 *addr);
int machvm_vm_map_object(struct machvm_map *map, struct machvm_object *object, u64 length,
			 u64 *addr);
int machvm_vm_reveal_object(struct machvm_map *map, struct machvm_object *object, u64 addr,
			    u64 length);
int machvm_vm_map_wired(struct machvm_map *map, struct machvm_object *object, u64 length,
			u64 *addr);
int machvm_vm_set_size_limit(struct machvm_map *map, u64 limit, u64 maximum, bool privileged);
int machvm_vm_get_size_limit(struct machvm_map *map, u64 *limit, u64 *maximum);
int machvm_vm_region(struct machvm_map *map, u64 addr, struct machvm_region *region);
int machvm_vm_region_count(struct machvm_map *map, u64 addr, struct machvm_region *region);
void machvm_vm_unmapped(struct machvm_map *map, u64 start, u64 end);
void machvm_vm_clear(struct machvm_map *map);
int machvm_map_lock(struct machvm_map *map);
int machvm_entry_map_object(struct machvm_entry *entry, struct machvm_object *object, u64 offset,
			    bool copy);
int machvm_map_lock_space(struct machvm_map *map, u64 *addr, u64 length, u64 mask, bool anywhere);
int machvm_entry_own_object_locked(struct machvm_entry *entry);
int machvm_entry_prepare(struct machvm_map *map, u64 addr, bool write);

/* wire.c */
struct machvm_wiring {
	struct machvm_map *map;
	u64 start, end;
	u8 access;		/* what for, not 0 */
	bool all;		/* what there is in the range, whatever it allows */
	bool privileged;	/* the caller uses what privilege it has */
	u64 number;		/* set by begin */
};

int machvm_wire_begin(struct machvm_wiring *wiring);
void machvm_wire_end(struct machvm_wiring *wiring, bool success);
int machvm_unwire(struct machvm_map *map, u64 start, u64 end);
int machvm_unwire_all(struct machvm_map *map);
int machvm_wire_future(struct machvm_map *map, u8 access, bool privileged, u8 *old);
void machvm_wire_future_restore(struct machvm_map *map, u8 old);
bool machvm_wire_covers(struct machvm_map *map, u64 addr);
bool machvm_wire_next(struct machvm_map *map, u64 *start, u64 *end, bool *write);

/* mapcopy.c */
int machvm_vm_fork(struct machvm_map *parent, struct machvm_map *child, u64 start, u64 end);
int machvm_vm_copy(struct machvm_map *map, u64 source, u64 length, u64 destination);
int machvm_vm_read(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *into,
		   u64 *data);
int machvm_vm_write(struct machvm_map *map, u64 addr, struct machvm_map *from, u64 data,
		    u64 length);
int machvm_vm_check(struct machvm_map *map, u64 addr, u64 length, u8 protection);
int machvm_vm_take(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *into,
		   u8 *max_protection);
int machvm_vm_install(struct machvm_map *map, u64 addr, struct machvm_map *copy);
int machvm_vm_alias(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *into,
		    u64 *alias);

/* push.c */
int machvm_push_range(struct machvm_object *source, u64 index, u64 nr, bool all);

/* sync.c */
int machvm_vm_msync(struct machvm_map *map, u64 addr, u64 length, u32 flags);
int machvm_vm_object_sync(struct machvm_map *map, u64 id, u64 offset, u64 length, bool flush,
			  bool write_back);

#endif /* _MACHVM_VM_H */
