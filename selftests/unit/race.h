/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * race.h - what races are about: two maps, a memory object, and how two calls ended.
 */
#ifndef _UNIT_RACE_H
#define _UNIT_RACE_H

#include "mock.h"
#include "fake/thread.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

extern struct machvm_map *one, *two;
extern struct pager file;
extern int kr_a, kr_b;

void two_maps(void);
void end_maps(void);
/* An object of 8 pages in which page n holds n, shared by both maps; all resident. */
void shared_file(void);
/* Takes the maps down and everything back that is returned.  What page @page then held. */
int end_file(u64 page);

#endif /* _UNIT_RACE_H */
