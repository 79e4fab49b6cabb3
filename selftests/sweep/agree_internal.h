/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agree_internal.h - how the files of agree.h compare.
 */
#ifndef _SWEEP_AGREE_INTERNAL_H
#define _SWEEP_AGREE_INTERNAL_H

#include "agree.h"

#include <inttypes.h>
#include <stdio.h>

#define X "%#" PRIx64

/* The last call in words. */
extern char agree_call_text[256];

bool agree_compare(int kr, int expected, uint64_t at, uint64_t expected_at);

/* Compares answers; addresses too where both succeeded. */
#define AGREE(kr, expected, at, expected_at, format, ...)                               \
	({                                                                              \
		int kr_ = (kr), expected_ = (expected);                                 \
											\
		snprintf(agree_call_text, sizeof(agree_call_text), format, ##__VA_ARGS__); \
		agree_compare(kr_, expected_, at, expected_at);                         \
	})

/* Has the call made by whom it is to be made. */
struct agree_call agree_send(struct agree *a, struct agree_call call);

#define MAKE(a, what_, at, ...) \
	agree_send(a, (struct agree_call){ .what = what_, .address = at, ##__VA_ARGS__ })

/* Around a call for a fixed address: what is there that the caller cannot have. */
void agree_closed_begin(struct agree *a, uint64_t address, uint64_t size);
void agree_closed_end(struct agree *a);

/* Where there is nothing of ours, Linux says why an access fails. */
bool agree_is_linux(const struct agree *a, uint64_t address);

#endif /* _SWEEP_AGREE_INTERNAL_H */
