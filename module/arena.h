/* SPDX-License-Identifier: GPL-2.0-only */
/* arena.h - the reserved range of a process in which a Mach map decides. */
#ifndef _MACHVM_ARENA_H
#define _MACHVM_ARENA_H

#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/xarray.h>
#include "types.h"

/* The Linux side of one map. */
struct machvm_pmap {
	struct mm_struct *mm;		/* (c) grabbed; says whose map it is */
	struct inode *inode;		/* (c) referenced; its i_mapping finds the translations */
	struct machvm_map *map;		/* (c) not referenced: it owns us */
	struct hlist_node hash;		/* (t) by mm */
	unsigned int nr_vmas;		/* mmap_lock held for writing */
	unsigned long locked;		/* the same: pages of ours in mm->locked_vm */
	struct xarray notes;		/* why faults of each thread failed, see note.c */
};

extern const struct file_operations machvm_arena_fops;

struct machvm_map *machvm_arena_current(void);
struct machvm_map *machvm_arena_find(struct mm_struct *mm);
struct machvm_map *machvm_arena_of_proc_mem(struct file *file, fmode_t mode);
struct machvm_map *machvm_arena_create(u64 min, u64 max, struct mm_struct *mm,
				       struct inode *inode, struct machvm_user *user);
void machvm_arena_publish(struct machvm_map *map);
void machvm_arena_retire(struct machvm_map *map);
int machvm_arena_init(void);
void machvm_arena_exit(void);

/* note.c */
int machvm_note_prepare(struct machvm_map *map);
void machvm_note_set(struct machvm_map *map, u64 addr, int reason, int error, bool pending);
int machvm_note_take_pending(struct machvm_map *map, u64 addr);
int machvm_note_read(struct machvm_map *map, u64 addr, int *error);
void machvm_notes_free(struct machvm_map *map);

#endif /* _MACHVM_ARENA_H */
