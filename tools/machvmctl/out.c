// SPDX-License-Identifier: GPL-2.0-only
/*
 * out.c - text or JSON from the same calls.
 * Every value goes through cell(), which keeps a string for the reader or an object for the
 * machine.  Tables are held back until their end, when the widths are known.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machvmctl.h"
#include "out.h"

#define MAX_COLUMNS 32
#define STREAM_WIDTH 8
#define STREAM_PAGE 20 /* rows between two headings */

enum shape { TOP, TABLE, STREAM, LINES, RECORD };

struct column {
	const char *head;
	bool text; /* left-aligned */
	int width;
};

static struct {
	bool json;
	enum shape shape;
	struct json_object *top, *table, *row;
	const char *title;
	struct column columns[MAX_COLUMNS];
	size_t nr_columns, column; /* column: the next one in this row */
	char **cells;
	size_t nr_cells;
	size_t nr_rows;
	bool blank; /* something was printed: a blank line before the next block */
} out;

static void *must(void *p)
{
	if (p)
		return p;
	fputs("machvmctl: out of memory\n", stderr);
	exit(EXIT_FAILED);
}

static struct json_object *top(void)
{
	if (!out.top)
		out.top = must(json_object_new_object());
	return out.top;
}

static void add(struct json_object *to, const char *key, struct json_object *v)
{
	if (json_object_object_add(to, key, v))
		must(NULL);
}

void out_set_json(bool json)
{
	out.json = json;
}

bool out_is_json(void)
{
	return out.json;
}

static void block(const char *title)
{
	if (out.blank)
		putchar('\n');
	out.blank = true;
	if (title)
		printf("%s\n", title);
}

/* cell - one value for the reader, in a column of its own */
static void cell(const char *head, const char *text, bool is_text)
{
	struct column *c = &out.columns[out.column];
	int width = (int)strlen(text);

	if (out.column >= MAX_COLUMNS)
		abort();
	if (out.column++ == out.nr_columns) {
		out.nr_columns++;
		*c = (struct column){ head, is_text, (int)strlen(head) };
		if (out.shape == STREAM && c->width < STREAM_WIDTH)
			c->width = STREAM_WIDTH;
	}
	if (width > c->width && out.shape != STREAM)
		c->width = width;
	if (out.nr_cells % 64 == 0)
		out.cells = must(reallocarray(out.cells, out.nr_cells + 64, sizeof(char *)));
	out.cells[out.nr_cells++] = must(strdup(text));
}

static struct json_object *value_home(void)
{
	return out.row ? out.row : top();
}

/* word - one value of a line, behind its name if it has one */
static void word(const char *head, const char *text)
{
	printf("%s%s%s%s", out.column++ ? " " : "", head, *head ? "=" : "", text);
}

static void value(const char *key, const char *head, const char *text, bool is_text,
		  struct json_object *v)
{
	if (out.json)
		add(value_home(), key, v);
	else if (out.shape == LINES)
		word(head, text);
	else
		cell(head, text, is_text);
}

static void row_print(char **cells)
{
	size_t i;

	for (i = 0; i < out.nr_columns; i++) {
		const struct column *c = &out.columns[i];
		const char *gap = i ? "  " : "";

		if (c->text && i + 1 == out.nr_columns)
			printf("%s%s", gap, cells[i]);
		else
			printf("%s%*s", gap, c->text ? -c->width : c->width, cells[i]);
	}
	putchar('\n');
}

static void heads_print(void)
{
	char *heads[MAX_COLUMNS];
	size_t i;

	for (i = 0; i < out.nr_columns; i++)
		heads[i] = (char *)out.columns[i].head;
	row_print(heads);
}

static void cells_free(void)
{
	while (out.nr_cells)
		free(out.cells[--out.nr_cells]);
}

static void shape_begin(enum shape shape, const char *title)
{
	out.shape = shape;
	out.title = title;
	out.nr_columns = 0;
	out.column = 0;
	out.nr_rows = 0;
}

static void shape_end(void)
{
	cells_free();
	out.shape = TOP;
	out.row = NULL;
	out.table = NULL;
}

void out_table(const char *key, const char *title)
{
	shape_begin(TABLE, title);
	if (out.json) {
		out.table = must(json_object_new_array());
		add(top(), key, out.table);
	}
}

void out_row(void)
{
	out.column = 0;
	out.nr_rows++;
	if (!out.json)
		return;
	out.row = must(json_object_new_object());
	if (out.table && json_object_array_add(out.table, out.row))
		must(NULL);
}

void out_table_end(const char *if_empty)
{
	size_t i;

	if (!out.json && (out.nr_rows || if_empty)) {
		block(out.title);
		if (out.nr_rows)
			heads_print();
		else
			printf("%s\n", if_empty);
		for (i = 0; i < out.nr_rows; i++)
			row_print(out.cells + i * out.nr_columns);
	}
	shape_end();
}

void out_stream(void)
{
	shape_begin(STREAM, NULL);
}

void out_lines(void)
{
	shape_begin(LINES, NULL);
}

void out_stream_row_end(void)
{
	if (out.json) {
		puts(json_object_to_json_string_ext(out.row, JSON_C_TO_STRING_PLAIN));
		json_object_put(out.row);
		out.row = NULL;
	} else if (out.shape == LINES) {
		putchar('\n');
	} else {
		if (out.nr_rows % STREAM_PAGE == 1)
			heads_print();
		row_print(out.cells);
		cells_free();
	}
	fflush(stdout);
}

void out_record(const char *key, const char *title)
{
	shape_begin(RECORD, title);
	if (out.json) {
		out.row = must(json_object_new_object());
		add(top(), key, out.row);
	}
}

void out_record_end(void)
{
	int width = 0;
	size_t i;

	if (!out.json) {
		block(out.title);
		for (i = 0; i < out.nr_columns; i++)
			if ((int)strlen(out.columns[i].head) > width)
				width = (int)strlen(out.columns[i].head);
		for (i = 0; i < out.nr_columns; i++)
			printf("%s:%*s%s\n", out.columns[i].head,
			       width + 1 - (int)strlen(out.columns[i].head), "", out.cells[i]);
	}
	shape_end();
}

void out_u64(const char *key, const char *head, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	value(key, head, text, false, out.json ? must(json_object_new_uint64(v)) : NULL);
}

void out_i64(const char *key, const char *head, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	value(key, head, text, false, out.json ? must(json_object_new_int64(v)) : NULL);
}

void out_hex(const char *key, const char *head, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%#" PRIx64, v);
	value(key, head, text, false, out.json ? must(json_object_new_uint64(v)) : NULL);
}

void out_str(const char *key, const char *head, const char *v)
{
	value(key, head, v, true, out.json ? must(json_object_new_string(v)) : NULL);
}

void out_bool(const char *key, const char *head, bool v)
{
	value(key, head, v ? "yes" : "no", true,
	      out.json ? must(json_object_new_boolean(v)) : NULL);
}

/* out_ns - a time; text picks the unit, JSON is always nanoseconds (the key ends in _ns) */
void out_ns(const char *key, const char *head, uint64_t ns)
{
	static const struct {
		uint64_t from, unit;
		const char *name;
	} units[] = { { 1000000000, 1000000000, "s" }, { 1000000, 1000000, "ms" },
		      { 1000, 1000, "us" }, { 1, 1, "ns" } };
	char text[32] = "-";
	size_t i;

	for (i = 0; ns && i < 4; i++) {
		if (ns < units[i].from)
			continue;
		snprintf(text, sizeof(text), "%.*f%s", units[i].unit > 1,
			 (double)ns / (double)units[i].unit, units[i].name);
		break;
	}
	value(key, head, text, false, out.json ? must(json_object_new_uint64(ns)) : NULL);
}

void out_seconds(const char *key, const char *head, uint64_t ns)
{
	char text[40];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, ns / 1000000000,
		 ns % 1000000000 / 1000);
	value(key, head, text, false, out.json ? must(json_object_new_uint64(ns)) : NULL);
}

void out_range(const char *key_start, const char *key_end, const char *head, uint64_t start,
	       uint64_t end)
{
	char text[48];

	snprintf(text, sizeof(text), "%012" PRIx64 "-%012" PRIx64, start, end);
	if (!out.json) {
		cell(head, text, true);
		return;
	}
	add(value_home(), key_start, must(json_object_new_uint64(start)));
	add(value_home(), key_end, must(json_object_new_uint64(end)));
}

void out_str2(const char *key1, const char *key2, const char *head, const char *v1,
	      const char *v2)
{
	char text[64];

	snprintf(text, sizeof(text), "%s/%s", v1, v2);
	if (!out.json) {
		cell(head, text, true);
		return;
	}
	add(value_home(), key1, must(json_object_new_string(v1)));
	add(value_home(), key2, must(json_object_new_string(v2)));
}

int out_error(const char *advice, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "machvmctl: %s\n", text);
	if (advice)
		fprintf(stderr, "  %s\n", advice);
	if (out.json) {
		add(top(), "error", must(json_object_new_string(text)));
		if (advice)
			add(top(), "advice", must(json_object_new_string(advice)));
	}
	return EXIT_FAILED;
}

void out_warn(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("machvmctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int out_finish(int status)
{
	if (out.top)
		puts(json_object_to_json_string_ext(out.top, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out.top);
	out.top = NULL;
	free(out.cells);
	out.cells = NULL;
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "machvmctl: cannot write standard output: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}
