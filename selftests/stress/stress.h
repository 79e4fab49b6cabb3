/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stress.h - processes and threads that do everything at once, and know what must be where.
 *
 * Each page has one writer.  What it holds is a few words that tell whose it is, which page, and
 * how often it was written; between which two of these numbers it is, everybody can read on the
 * board.  So whoever looks at memory, at a copy of it, or at what a child has inherited, knows
 * what may be there, however much goes on meanwhile.
 */
#ifndef _SELFTESTS_STRESS_H
#define _SELFTESTS_STRESS_H

#include "../pager/raw.h"
#include "finding.h"

#define FAMILIES 2
#define THREADS 4		/* of a family */
#define SLOTS (2 * THREADS)	/* of a family: two of each thread */
#define SLOT_PAGES 8
#define OBJECTS 2
#define WRITERS (FAMILIES * THREADS)
#define OBJECT_PAGES (2 * WRITERS)
#define STRIDE 64		/* words of which one is looked at */
#define STRIDE_BYTES (STRIDE * 8)
#define ZERO (-1UL)		/* how page_check() says that a word is 0 and should not be */

/* How often a page, or all those of a slot, was written: at least, and at most. */
struct written {
	_Atomic uint64_t low, high;
	_Atomic uint64_t era;	/* odd: it is not mapped; another one: it was not, meanwhile */
};

#define OPERATIONS(OP)                                                                     \
	OP(write) OP(verify) OP(protect) OP(copy) OP(copy_part) OP(replace) OP(fetch)      \
	OP(remake) OP(fork) OP(pageout) OP(wire) OP(inherit) OP(object_write)              \
	OP(object_verify) OP(object_copy) OP(object_sync) OP(doom) OP(port)

#define OP_NUMBER(name) OP_##name,
enum operation { OPERATIONS(OP_NUMBER) NR_OPERATIONS };

/* What all processes see. */
struct board {
	unsigned long seed;
	atomic_bool stop;
	atomic_uint findings;
	atomic_ulong done[NR_OPERATIONS];
	atomic_ulong ended[FAMILIES][THREADS];	/* operations of a thread */
	atomic_ulong refused;		/* calls and accesses that may fail, and did */
	bool company;			/* others leave no room for pages now and then */
	atomic_ulong children, pagers;
	atomic_ulong empty;		/* children without memory */
	struct written slots[FAMILIES][SLOTS];
	struct written pages[OBJECTS][OBJECT_PAGES];
	_Atomic uint64_t shared[FAMILIES];	/* what children have added to shared memory */
	unsigned char store[OBJECTS][OBJECT_PAGES][PAGE];	/* of the pagers */
};

extern struct board *board;
extern struct object objects[OBJECTS];


/* Numbers of a thread: the same ones each time it is started with the same seed. */
struct random {
	uint64_t state;
};

void random_begin(struct random *random, unsigned int stream);
unsigned int random_below(struct random *random, unsigned int limit);

/* Words */

/* What all words of a page are that @owner has written so often; 0: nobody has. */
static inline uint64_t word_of(unsigned int owner, unsigned int page, uint64_t times)
{
	return times ? (uint64_t)(owner + 1) << 48 | (uint64_t)page << 40 | times : 0;
}

/* False if @word is none of that page's between the two numbers. */
bool word_fits(uint64_t word, unsigned int owner, unsigned int page, uint64_t low, uint64_t high);

/* How an access ended: KERN_SUCCESS, or why not. */
kern_return_t page_write(vm_address_t address, uint64_t word);

/* The same; *@wrong is a word that does not fit, if there is one, or 0. */
kern_return_t page_check(vm_address_t address, unsigned int owner, unsigned int page, uint64_t low,
			 uint64_t high, uint64_t *wrong);

/* To be called by a process before the two. */
void access_begin(void);

/* A family: processes that come from one another.  Ends when the board says so. */
void family_run(unsigned int number);

/* A pager of an object.  Ends when the board says so, or before that, by a signal. */
void pager_run(unsigned int number, unsigned int incarnation);

#endif /* _SELFTESTS_STRESS_H */
