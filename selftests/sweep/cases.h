/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases.h - a call, tried with many arguments on layouts of all kinds.
 */
#ifndef _SWEEP_CASES_H
#define _SWEEP_CASES_H

#include "stage.h"

/* Where a layout stands, and how many arguments are left out: every so many is taken. */
struct sweep_scene {
	const char *layout;
	enum { MIDDLE, AT_START, AT_END } where;
	unsigned int stride;
};

/* A sweep: one test, that counts its cases and those that went wrong. */
struct sweep {
	struct stage stage;
	const struct sweep_scene *scene;
	bool first;		/* of all scenes */
	unsigned int slowness;	/* of the kernel: so many times fewer cases are tried */
	unsigned int cases, wrong;
	unsigned int number;	/* picks arguments in turn */
	unsigned int offered;	/* cases of lists */
	unsigned int changes;	/* of the oracle, when the case began */
};

/* What a sweep does with one pair of address and size. */
typedef void try_t(struct sweep *sweep, uint64_t address, uint64_t size);

/* Runs @over on each scene; did all cases agree? */
bool sweep_scenes(struct sweep *sweep, void (*over)(struct sweep *sweep, try_t *try), try_t *try);

/* Calls @try with addresses and sizes in the layout, beside it, far away, and wrapping. */
void sweep_ranges(struct sweep *sweep, try_t *try);

/* The layout of the first scene, for tests that need no more; the stage is initialised. */
bool sweep_first_scene(struct sweep *sweep);

/* Is the next case of a list to be left out, on a slow kernel? */
bool case_skipped(struct sweep *sweep);

/* Around a case; @agreed: the answers did. */
void case_begin(struct sweep *sweep);
void case_end(struct sweep *sweep, bool agreed);

#define PICK(array, i) ((array)[(i) % (sizeof(array) / sizeof((array)[0]))])

/* One test: so many cases at least. */
#define SWEEP(name, over, try, least)                             \
	TEST(name)                                                \
	{                                                         \
		struct sweep sweep;                               \
								  \
		EXPECT_TRUE(sweep_scenes(&sweep, over, try));     \
		EXPECT_LE((least) / sweep.slowness, sweep.cases); \
	}

#endif /* _SWEEP_CASES_H */
