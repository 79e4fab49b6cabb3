// SPDX-License-Identifier: GPL-2.0-only
/*
 * vault.c - pages in a SQLite database: its journal is what survives a kill, or a power cut.
 * Numbers of objects and offsets are kept as the 64 bits that they are, as signed ones.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "machvmctl.h"
#include "out.h"
#include "vault.h"

#define APPLICATION 0x4d564447 /* so that no other database is taken for one of ours */
#define PAGE 4096

enum { PUT, GET, FORGET, NEXT, COUNT, BEGIN, COMMIT, ROLLBACK, NR_STATEMENTS };

struct vault {
	sqlite3 *db;
	const char *path;
	sqlite3_stmt *statements[NR_STATEMENTS];
};

static const char *const texts[NR_STATEMENTS] = {
	[PUT] = "INSERT OR REPLACE INTO page VALUES (?, ?, ?)",
	[GET] = "SELECT data FROM page WHERE object = ? AND offset = ?",
	[FORGET] = "DELETE FROM page WHERE object = ?",
	[NEXT] = "SELECT object FROM page WHERE object > ? ORDER BY object LIMIT 1",
	[COUNT] = "SELECT count(*) FROM page",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
};

static bool trouble(const struct vault *v)
{
	out_error(NULL, "%s: %s", v->path, sqlite3_errmsg(v->db));
	return false;
}

static bool run_text(struct vault *v, const char *text)
{
	return sqlite3_exec(v->db, text, NULL, NULL, NULL) == SQLITE_OK || trouble(v);
}

/* number - the answer of a pragma */
static int64_t number(struct vault *v, const char *text)
{
	sqlite3_stmt *s = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(v->db, text, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

/* prepare - a file of ours, or an empty one, for us alone; what was committed is on the disk */
static bool prepare(struct vault *v)
{
	size_t i;

	if (!run_text(v, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; "
			 "PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT"))
		return false;
	if (number(v, "PRAGMA application_id") != APPLICATION &&
	    number(v, "SELECT count(*) FROM sqlite_master")) {
		out_error("Name a file that does not exist.", "%s: is not a file of ours", v->path);
		return false;
	}
	if (!run_text(v, "PRAGMA application_id = 1297499207; CREATE TABLE IF NOT EXISTS page "
			 "(object INTEGER, offset INTEGER, data BLOB NOT NULL, "
			 "PRIMARY KEY (object, offset)) WITHOUT ROWID"))
		return false;
	for (i = 0; i < NR_STATEMENTS; i++)
		if (sqlite3_prepare_v2(v->db, texts[i], -1, &v->statements[i], NULL) != SQLITE_OK)
			return trouble(v);
	return true;
}

struct vault *vault_open(const char *path)
{
	struct vault *v = calloc(1, sizeof(*v));

	if (!v) {
		out_error(NULL, "out of memory");
		return NULL;
	}
	v->path = path;
	if (sqlite3_open_v2(path, &v->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		trouble(v);
	else if (prepare(v))
		return v;
	vault_close(v);
	return NULL;
}

void vault_close(struct vault *v)
{
	size_t i;

	for (i = 0; i < NR_STATEMENTS; i++)
		sqlite3_finalize(v->statements[i]);
	sqlite3_close(v->db);
	free(v);
}

/* bound - a statement made ready with its numbers */
static sqlite3_stmt *bound(struct vault *v, int which, uint64_t object, uint64_t offset)
{
	sqlite3_stmt *s = v->statements[which];

	sqlite3_reset(s);
	if (sqlite3_bind_parameter_count(s) > 0)
		sqlite3_bind_int64(s, 1, (int64_t)object);
	if (sqlite3_bind_parameter_count(s) > 1)
		sqlite3_bind_int64(s, 2, (int64_t)offset);
	return s;
}

static bool done(struct vault *v, sqlite3_stmt *s)
{
	int ret = sqlite3_step(s);

	sqlite3_reset(s);
	return ret == SQLITE_DONE || trouble(v);
}

static bool put_page(struct vault *v, uint64_t object, uint64_t offset, const void *data)
{
	sqlite3_stmt *s = bound(v, PUT, object, offset);

	return sqlite3_bind_blob(s, 3, data, PAGE, SQLITE_STATIC) == SQLITE_OK ? done(v, s) :
										 trouble(v);
}

bool vault_put(struct vault *v, uint64_t object, uint64_t offset, const void *data, size_t length)
{
	size_t at;

	if (!done(v, bound(v, BEGIN, 0, 0)))
		return false;
	for (at = 0; at < length; at += PAGE) {
		if (put_page(v, object, offset + at, (const char *)data + at))
			continue;
		done(v, bound(v, ROLLBACK, 0, 0));
		return false;
	}
	return done(v, bound(v, COMMIT, 0, 0));
}

bool vault_forget(struct vault *v, uint64_t object)
{
	return done(v, bound(v, FORGET, object, 0));
}

int vault_get(struct vault *v, uint64_t object, uint64_t offset, void *page, size_t length)
{
	sqlite3_stmt *s = bound(v, GET, object, offset);
	int ret = sqlite3_step(s), answer = 0;

	if (ret == SQLITE_ROW && length == PAGE && sqlite3_column_bytes(s, 0) == PAGE) {
		__builtin_memcpy(page, sqlite3_column_blob(s, 0), PAGE);
		answer = 1;
	} else if (ret != SQLITE_DONE) {
		trouble(v);
		answer = -1;
	}
	sqlite3_reset(s);
	return answer;
}

bool vault_next(struct vault *v, uint64_t *object)
{
	sqlite3_stmt *s = bound(v, NEXT, *object, 0);
	int64_t next = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	/* what is no number sorts after all numbers, and counts as 0: it is none of ours */
	bool found = next > (int64_t)*object;

	if (found)
		*object = (uint64_t)next;
	sqlite3_reset(s);
	return found;
}

uint64_t vault_pages(struct vault *v)
{
	sqlite3_stmt *s = bound(v, COUNT, 0, 0);
	uint64_t n = sqlite3_step(s) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;

	sqlite3_reset(s);
	return n;
}
