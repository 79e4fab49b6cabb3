/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notes.h - what must be known when the guest is no more: in memory that is a file of the host's.
 *
 * The programs that were run last, of each lane in a ring of its own, a page each; and behind them
 * the corpus, as text that a 0 ends, and the places that were reached, each as four bytes.
 */
#ifndef _SELFTESTS_FUZZ_NOTES_H
#define _SELFTESTS_FUZZ_NOTES_H

#include "fuzz.h"

#define NOTES_LANES 4
#define NOTES_RING 1024			/* programs of a lane */
#define NOTES_CORPUS (47UL << 20)	/* bytes; run cuts it off at the same place */
#define NOTES_PLACES (1UL << 18)

/* With @kept false they are lost with the process. */
bool notes_open(bool kept);
void notes_program(unsigned int lane, const struct program *program);

/* The one that a lane has run @back before its last one. */
void notes_last(unsigned int lane, unsigned int back, char *text);
void notes_corpus(const struct program *programs, unsigned int nr);
void notes_places(void);

#endif /* _SELFTESTS_FUZZ_NOTES_H */
