// SPDX-License-Identifier: GPL-2.0-only
/*
 * vault.c - a file for the default memory manager that somebody else has made: by SQL, or of bytes.
 * If it is taken, what is put there is there, and what is forgotten is not.
 */
#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "../../tools/machvmctl/out.h"
#include "../../tools/machvmctl/vault.h"
#include "fuzz.h"

#define PAGE 4096
#define OBJECT 77
#define MOST_OBJECTS 100	/* that are looked for in it */
#define MOST_STEPS 20000	/* of SQLite's machine, for what makes the file */

static char path[64];

/* No other file is touched, and nothing runs for ever. */
static int allowed(void *context, int action, const char *a, const char *b, const char *c,
		   const char *d)
{
	(void)context, (void)a, (void)b, (void)c, (void)d;
	return action == SQLITE_ATTACH || action == SQLITE_RECURSIVE || action == SQLITE_PRAGMA ?
	       SQLITE_DENY : SQLITE_OK;
}

static int too_long(void *steps)
{
	return ++*(int *)steps > MOST_STEPS / 1000;
}

static void make_by_sql(const char *text)
{
	sqlite3 *db;
	int steps = 0;

	must(sqlite3_open(path, &db) == SQLITE_OK);
	/* Else nothing of it is taken. */
	must(sqlite3_exec(db, "PRAGMA application_id = 1297499207", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 100000);
	sqlite3_set_authorizer(db, allowed, NULL);
	sqlite3_progress_handler(db, 1000, too_long, &steps);
	sqlite3_exec(db, text, NULL, NULL, NULL);
	sqlite3_close_v2(db);
}

static void make_of_bytes(const struct bytes *bytes)
{
	FILE *file = fopen(path, "w");

	must(file && fwrite(bytes->at, 1, bytes->left, file) == bytes->left);
	fclose(file);
}

static void look(struct vault *vault)
{
	static char page[PAGE];
	uint64_t object = 0, before = 0;

	for (int i = 0; i < MOST_OBJECTS && vault_next(vault, &object); i++) {
		must((int64_t)object > (int64_t)before);
		before = object;
		vault_get(vault, object, 0, page, PAGE);
		vault_get(vault, object, PAGE, page, PAGE);
	}
	vault_pages(vault);
}

static void use(struct vault *vault, unsigned char byte)
{
	char in[2 * PAGE], out[PAGE];

	memset(in, byte, sizeof(in));
	if (!vault_put(vault, OBJECT, 0, in, sizeof(in)))
		return;
	for (unsigned int i = 0; i < 2; i++)
		if (vault_get(vault, OBJECT, i * PAGE, out, PAGE) >= 0)
			must(!memcmp(in, out, PAGE));
	if (vault_forget(vault, OBJECT))
		must(vault_get(vault, OBJECT, 0, out, PAGE) <= 0);
}

static void forget_files(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[80];

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		must(!unlink(name) || errno == ENOENT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size };
	uint8_t kind = take_byte(&bytes);
	struct vault *vault;
	char *text;

	snprintf(path, sizeof(path), "/dev/shm/machvm-libfuzzer.%d", getpid());
	forget_files();
	if (kind == 'b') {
		make_of_bytes(&bytes);
	} else {
		text = strndup((const char *)bytes.at, bytes.left);
		must(text);
		make_by_sql(text);
		free(text);
	}
	vault = vault_open(path);
	if (vault) {
		look(vault);
		use(vault, kind);
		vault_close(vault);
	}
	forget_files();
	return 0;
}
