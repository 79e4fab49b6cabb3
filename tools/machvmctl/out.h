/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * out.h - the one print path: each call prints text or JSON, so the two cannot drift apart.
 *
 * A table is a JSON array of objects and aligned columns; a record is a JSON object and
 * "label: value" lines.  Keys are snake_case, heads are what a reader sees.
 */
#ifndef MACHVMCTL_OUT_H
#define MACHVMCTL_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "machvmctl.h"

void out_set_json(bool json);
bool out_is_json(void);

void out_table(const char *key, const char *title);
void out_row(void);
void out_table_end(const char *if_empty);

/* A stream has no end to measure columns by: each row is printed, and is one JSON document. */
void out_stream(void);
void out_stream_row_end(void);

/* A stream of rows that differ in what they have: "head=value ...", and one JSON document each. */
void out_lines(void);

void out_record(const char *key, const char *title);
void out_record_end(void);

void out_u64(const char *key, const char *head, uint64_t v);
void out_i64(const char *key, const char *head, int64_t v);
void out_hex(const char *key, const char *head, uint64_t v);
void out_str(const char *key, const char *head, const char *v);
void out_bool(const char *key, const char *head, bool v);
void out_ns(const char *key, const char *head, uint64_t ns);

/* A point in time, in seconds; JSON is nanoseconds, as for out_ns(). */
void out_seconds(const char *key, const char *head, uint64_t ns);

/* Two values of one cell, "a-b" or "a/b", that JSON gives a key each. */
void out_range(const char *key_start, const char *key_end, const char *head, uint64_t start,
	       uint64_t end);
void out_str2(const char *key1, const char *key2, const char *head, const char *v1,
	      const char *v2);

/* out_error - says what failed and what to do about it (@advice may be NULL); EXIT_FAILED. */
__printf(2, 3) int out_error(const char *advice, const char *fmt, ...);
__printf(1, 2) void out_warn(const char *fmt, ...);

/* out_finish - writes what is left; EXIT_FAILED if standard output could not be written. */
int out_finish(int status);

#endif
