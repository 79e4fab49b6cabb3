/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * soak.h - the parts of a machine that has less memory than is used, and what they tell.
 *
 * Each part is a process of its own.  Parts with memory know what each page of it holds: a page
 * has one writer, which counts how often it has written it.  So every word is right or wrong.
 */
#ifndef _SELFTESTS_SOAK_H
#define _SELFTESTS_SOAK_H

#include "../pager/raw.h"
#include "../stress/finding.h"
#include "disk_pager.h"

#define PARTS_MAX 16
#define GROUP "soak"
#define SWAP "/dev/vda"
#define SMALL_SWAP "/dev/vdb"	/* comes and goes */
#define PAGER_DISK "/dev/vdc"
#define FILES_DISK "/dev/vdd"
#define FILES "/tmp/soak"	/* where it is mounted */
#define DATABASE FILES "/pages"

#define OBJECT_WRITERS 2

/* A part is to go on all the time: what does not has found something. */
struct part {
	char name[16];
	void (*run)(struct part *part);
	unsigned int number;		/* among those with the same function */
	unsigned long pages;		/* that it is to use */
	pid_t pid;
	atomic_ulong progress;
	char doing[128];		/* in words, for a finding; or nothing */
};

/* What all processes see. */
struct board {
	unsigned long seed;
	atomic_bool stop;
	atomic_uint findings;
	atomic_ulong beats;		/* of the first process */
	atomic_ulong verified, written;	/* pages */
	atomic_ulong children, deaths, successions, managers, shocks, looks;
	atomic_ulong shortages;		/* calls that could not be carried out */
	unsigned int nr_parts;
	struct part parts[PARTS_MAX];
	unsigned long object_pages;
	struct disk_pager disk;
	uint32_t *object_versions;	/* how often each page of the object was written */
	atomic_uint terminated;		/* how often the object's pager has heard that it has ended */
};

extern struct board *board;
extern struct object object;	/* of the pager with a disk */

/* Numbers of a process: the same ones each time it is started with the same seed. */
unsigned int seed_of(const struct part *part);
unsigned int below(unsigned int *seed, unsigned int limit);

static inline bool stopped(void)
{
	return atomic_load(&board->stop);
}

static inline void go_on(struct part *part)
{
	atomic_fetch_add(&part->progress, 1);
}

/* Memory of one writer */

#define CHILDREN 2

struct memory {
	struct part *part;
	unsigned int owner;		/* as words have it: no two are the same */
	bool external;
	unsigned long pages;
	vm_address_t base, scratch;
	uint32_t *versions;		/* how often each page was written */
	uint32_t *published;		/* the same, for whoever looks when this process is gone */
	unsigned int seed;
	pid_t children[CHILDREN];
	int file;
};

/* How many pages are touched, copied, or given away at a time, at the most. */
#define RUN 32

/* Counts them as written, and writes them all over. */
void pages_write(struct memory *memory, unsigned long first, unsigned long nr);

/* Each word of the pages, which are seen at @at. */
void pages_verify(struct memory *memory, vm_address_t at, unsigned long first, unsigned long nr,
		  const char *what);

/* The pages of @data, read from elsewhere, are what this owner has written so often. */
bool page_holds(const void *data, unsigned int owner, unsigned long page, uint32_t version);

/* A place where nr pages are; more often than not it is one of few. */
unsigned long some_place(struct memory *memory, unsigned long nr);

void memory_run(struct part *part);	/* internal memory */
void group_run(struct part *part);	/* the same, in a memory cgroup */
void object_run(struct part *part);	/* memory of the object */

/* child.c */
#define CHILD (1U << 31)		/* in a version: it was written by a child */
void op_fork(struct memory *memory);
void children_end(struct memory *memory);

/* The rest of the parts */

void linux_run(struct part *part);	/* what Linux is told to do */
void look_run(struct part *part);	/* who looks on */

/* Pagers, which the first process starts and kills */

/* Whoever is missing is started; if it is to be deadly, one dies now and then. */
void pagers_tick(unsigned int *seed, bool deadly);
bool pagers_ended(pid_t pid, int status);	/* true if it was one of them */
void pagers_end(void);

/* What the default memory manager has it keeps; what leaves memory from now on the kernel keeps. */
void kernels_again(void);
void say_pagers(void);

#endif /* _SELFTESTS_SOAK_H */
