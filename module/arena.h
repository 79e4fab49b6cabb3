/* SPDX-License-Identifier: GPL-2.0-only */
/* arena.h - the reserved ranges of a process in which a Mach map decides. */
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
	atomic_t vmas;			/* (a) and those who are about to make one */
	struct mm_struct *barren;	/* mmap_lock; a child without memory, grabbed */

	struct mutex layout;		/* what Linux maps here changes one at a time */
	struct file *file;		/* (L) what our own windows are mapped from */
	struct task_struct *layer;	/* (L) who maps right now, else NULL */
	struct machvm_window *making;	/* (L) what it maps, until Linux has taken it */
	struct machvm_window *spares[2];/* (L) for what is cut in two meanwhile */
	bool torn;			/* (L) Linux has taken what was there away */
	unsigned long locked;		/* mmap_lock: pages of ours in mm->locked_vm */
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
void machvm_arena_leave(struct machvm_map *map);
void machvm_arena_leave_unlocked(struct machvm_map *map);
struct file *machvm_arena_file(struct machvm_map *map);
int machvm_arena_init(void);
void machvm_arena_exit(void);

/* note.c */
int machvm_note_prepare(struct machvm_map *map);
void machvm_note_set(struct machvm_map *map, u64 addr, int reason, int error, bool pending);
int machvm_note_take_pending(struct machvm_map *map, u64 addr);
int machvm_note_read(struct machvm_map *map, u64 addr, int *error);
void machvm_notes_free(struct machvm_map *map);

#endif /* _MACHVM_ARENA_H */
