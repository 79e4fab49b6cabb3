/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - tasks and memory objects as lists of bytes, one a page, beside the real ones.
 */
#ifndef _UNIT_MODEL_H
#define _UNIT_MODEL_H

#include "mock.h"

#define NR_TASKS 4
#define TASK_PAGES 48
#define NR_FILES 2
#define FILE_PAGES 24

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

/* Who shares a page shares its cell. */
struct cell {
	int refs;
	u8 value;
};

struct mpage {
	bool mapped, wired;
	u8 protection, max_protection, inheritance;
	struct cell *cell;
};

struct mtask {
	struct machvm_map *map;		/* NULL: there is no such task */
	struct mpage pages[TASK_PAGES];
};

struct mfile {
	struct pager pager;
	struct cell content[FILE_PAGES];	/* as every sharer sees it */
	u8 stored[FILE_PAGES];		/* as the pager has it */
	u32 strategy;			/* how it is copied */
	struct mfile *next;		/* on model_copies, if it is a copy that its pager serves */
	bool is_copy;			/* its end loses what was written to it */
	bool faulty;			/* the pager answers with errors for now */
	bool dead;			/* and no other can come: what is not there is lost */
};

extern struct mtask model_tasks[NR_TASKS];
extern struct mfile model_files[NR_FILES];
extern struct mfile *model_copies;	/* made by CALL, and taken by their pagers */
extern unsigned int model_taken;	/* how many there ever were */
extern unsigned int model_served;	/* messages that pagers have dealt with */
extern bool model_lazy;			/* returned pages may wait */
extern bool model_mortal;		/* pagers may die for good */
extern u32 model_strategy;		/* how all is copied; 0: in ways that vary */
extern bool model_scarce;		/* wired pages may be too many to be copied */

/* model.c: what there is, what pagers do, and whether all is as it should be. */
struct cell *cell_new(u8 value);
struct cell *cell_get(struct cell *cell);
void page_clear(struct mpage *page);
void page_set(struct mpage *page, struct cell *cell);
bool is_of_file(const struct cell *cell);
bool stored_all(struct mfile *file);
int access_allowed(const struct mpage *page, bool write);
bool excused(int kr, bool hit);
void check_load(struct mtask *task, unsigned int page);
void check_everything(void);
void model_world(void *arg);

/* model_test.c: a life of calls, as long as there are more. */
void model_run(bool (*more)(void));

/* model_pager.c: what pagers answer, and what they say by themselves. */
void serve(bool all);
void file_begin(struct mfile *file);
void file_check(struct mfile *file);
void file_end(struct mfile *file);
void do_pager_answers(struct mtask *task, u64 page, u64 nr);
void do_pager_attributes(struct mtask *task, u64 page, u64 nr);
void do_pager_death(struct mtask *task, u64 page, u64 nr);
void do_pager_lock(struct mtask *task, u64 page, u64 nr);
void do_pager_succession(struct mtask *task, u64 page, u64 nr);
void do_pager_supply(struct mtask *task, u64 page, u64 nr);
void do_pager_trouble(struct mtask *task, u64 page, u64 nr);

/* model_calls.c: each makes a call, perhaps without memory, and checks what comes of it. */
void do_alias(struct mtask *to, struct mtask *from, u64 source, u64 nr);
void do_allocate(struct mtask *task, u64 page, u64 nr);
void do_allocate_anywhere(struct mtask *task, u64 nr);
void do_check(struct mtask *task, u64 page, u64 nr);
void do_copy(struct mtask *to, u64 page, struct mtask *from, u64 source, u64 nr);
void do_deallocate(struct mtask *task, u64 page, u64 nr);
void do_exit(struct mtask *task);
void do_fork(struct mtask *parent);
void do_inherit(struct mtask *task, u64 page, u64 nr);
void do_load_run(struct mtask *task, u64 page, u64 nr);
void do_map(struct mtask *task, u64 page, u64 nr);
void do_map_fresh(struct mtask *task, u64 page, u64 nr, bool anywhere);
void do_map_proxy(struct mtask *task, u64 page, u64 nr);
void do_nothing(struct mtask *task, u64 page, u64 nr);
void do_pageout(struct mtask *task, u64 page, u64 nr);
void do_protect(struct mtask *task, u64 page, u64 nr);
void do_read(struct mtask *to, struct mtask *from, u64 source, u64 nr);
void do_region(struct mtask *task, u64 page);
void do_region_proxy(struct mtask *task, u64 page, u64 nr);
void do_set_maximum(struct mtask *task, u64 page, u64 nr);
void do_size_limit(struct mtask *task, u64 page, u64 nr);
void do_store(struct mtask *task, u64 page);
void do_store_run(struct mtask *task, u64 page, u64 nr);
bool starve(void);
void do_unwire(struct mtask *task, u64 page, u64 nr);
void do_wire(struct mtask *task, u64 page, u64 nr);
struct mtask *some_task(void);

#endif /* _UNIT_MODEL_H */
