/* SPDX-License-Identifier: GPL-2.0-only */
/* map.h - the ordered entries of one address map.  All addresses in bytes, ends exclusive. */
#ifndef _MACHVM_MAP_H
#define _MACHVM_MAP_H

#include "types.h"

/* First byte after the user address space of Linux on x86-64 with four-level tables. */
#define MACHVM_ADDRESS_END ((1ULL << 47) - PAGE_SIZE)

/* Regions that one map may have: a bound on memory where no cgroup sets one. */
#define MACHVM_REGIONS_MAX BIT(21)

static inline void machvm_map_count(struct machvm_map *map, enum machvm_event event)
{
	atomic_long_inc(&map->events[event]);
}

struct machvm_map *machvm_map_create(u64 min, u64 max, struct machvm_user *user);
struct machvm_map *machvm_map_get(struct machvm_map *map);
void machvm_map_put(struct machvm_map *map);

struct machvm_entry *machvm_entry_alloc(struct machvm_map *map);
void machvm_entry_free(struct machvm_entry *entry);
u64 machvm_entry_offset(const struct machvm_entry *entry, u64 addr);
void machvm_entry_set_object(struct machvm_entry *entry, struct machvm_object *object, u64 offset);
void machvm_entry_place(struct machvm_entry *entry, struct machvm_map *map, u64 start, u64 end);
void machvm_entry_unlink(struct machvm_entry *entry);
void machvm_entry_dispose(struct machvm_entry *entry);
void machvm_entry_swap(struct machvm_entry *a, struct machvm_entry *b);
void machvm_entry_set_wire(struct machvm_entry *entry, u8 access);
void machvm_entry_set_protection(struct machvm_entry *entry, u8 protection, u8 max_protection);

struct machvm_entry *machvm_map_lookup_locked(struct machvm_map *map, u64 addr);
struct machvm_entry *machvm_map_next_locked(struct machvm_map *map, u64 addr);
struct machvm_entry *machvm_entry_next(struct machvm_entry *entry);
bool machvm_map_free_locked(struct machvm_map *map, u64 start, u64 end);
int machvm_map_find_space_locked(struct machvm_map *map, u64 length, u64 mask, u64 *start);
void machvm_map_insert_locked(struct machvm_map *map, struct machvm_entry *entry);
void machvm_map_erase_locked(struct machvm_map *map, struct machvm_entry *entry);
void machvm_map_clip_locked(struct machvm_map *map, u64 addr, struct machvm_entry **spare);
void machvm_map_merge_locked(struct machvm_map *map, u64 start, u64 end);
bool machvm_map_extend_locked(struct machvm_map *map, struct machvm_entry *entry);
bool machvm_map_has_room_locked(struct machvm_map *map, u64 bytes);
bool machvm_mask_parse(u64 mask, u64 *align, u64 *ceiling);

#endif /* _MACHVM_MAP_H */
