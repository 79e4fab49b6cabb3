/* SPDX-License-Identifier: GPL-2.0-only */
/* finding.h - what is wrong is said and counted, by all processes of a program that goes on. */
#ifndef _MACHVM_FINDING_H
#define _MACHVM_FINDING_H

#include <stdatomic.h>

/* Where they are counted: memory that is shared by fork.  Before the first one. */
void findings_begin(atomic_uint *counter);

/* A line on standard error, of the first few. */
void finding(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the module has of everybody, as numbers. */
struct counts {
	unsigned long maps, objects, pages, wired, ports, queued, paged_out, managed, uses;
};

struct counts counts_now(void);

/*
 * What processes had goes when they have ended, and some of it a little later: @tick, which takes
 * a while, is called up to @patience times until it is.  What is still there is a finding.
 */
void counts_expect(const struct counts *before, unsigned int patience, void (*tick)(void));

#endif /* _MACHVM_FINDING_H */
