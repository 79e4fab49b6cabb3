/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h - bytes from outside: what a target is, and how it takes them apart.
 */
#ifndef _SELFTESTS_FUZZ_H
#define _SELFTESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called for each input, by libFuzzer or by replay.c; what is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(cond)                                                                     \
	do {                                                                           \
		if (!(cond)) {                                                         \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                       \
		}                                                                      \
	} while (0)

/* What is left of an input.  When nothing is, bytes are 0. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t take_byte(struct bytes *bytes)
{
	if (!bytes->left)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

static inline uint16_t take_short(struct bytes *bytes)
{
	uint16_t low = take_byte(bytes);

	return (uint16_t)(low | take_byte(bytes) << 8);
}

/* As many as there are, but no more than @most. */
static inline size_t take_some(struct bytes *bytes, void *to, size_t most)
{
	size_t nr = bytes->left < most ? bytes->left : most;

	memcpy(to, bytes->at, nr);
	bytes->at += nr;
	bytes->left -= nr;
	return nr;
}

#endif /* _SELFTESTS_FUZZ_H */
