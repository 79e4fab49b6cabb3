// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - what the locks know: who holds what, in which order, and where nobody may sleep.
 */
#include "kinc.h"

#define MAX_HELD 64
#define MAX_CLASSES 128

static struct lockdep_map *held[MAX_HELD];
static unsigned int nr_held;
static int atomic_depth;
static unsigned long kill_countdown;

static unsigned int nr_classes;
static bool before[MAX_CLASSES][MAX_CLASSES];	/* [a][b]: b was taken with a held */
static const char *class_names[MAX_CLASSES];

void fake_lock_reset(void)
{
	memset(before, 0, sizeof(before));
	nr_held = 0;
	atomic_depth = 0;
	kill_countdown = 0;
}

bool fake_nothing_held(void)
{
	return !nr_held && !atomic_depth;
}

void fake_lock_end(void)
{
	unsigned int i;

	for (i = 0; i < nr_held; i++)
		test_fail(held[i]->file, held[i]->line, "lock: still held at the end: %s",
			  held[i]->class->name);
	if (!nr_held && atomic_depth)
		test_fail(__FILE__, __LINE__, "atomic sections opened and not closed: %d",
			  atomic_depth);
}

void fail_killable(unsigned long n)
{
	kill_countdown = n;
}

void fake_atomic_add(int n)
{
	atomic_depth += n;
	BUG_ON(atomic_depth < 0);
}

bool fake_in_atomic(void)
{
	return atomic_depth;
}

void fake_might_sleep(const char *file, int line)
{
	if (atomic_depth)
		test_die(file, line, "sleeps where nobody may");
}

void fake_lock_init(struct lockdep_map *map, struct lock_class_key *class, const char *name)
{
	class->name = name;
	memset(map, 0, sizeof(*map));
	map->initialised = map;
	map->class = class;
}

static int class_id(struct lock_class_key *class)
{
	if (!class->id) {
		BUG_ON(nr_classes == MAX_CLASSES - 1);
		class->id = ++nr_classes;
		class_names[class->id] = class->name;
	}
	return class->id;
}

/* Is there a way from @from to @to over what was seen?  Few classes: a plain search will do. */
static bool leads_to(int from, int to, bool *visited)
{
	unsigned int next;

	if (from == to)
		return true;
	visited[from] = true;
	for (next = 1; next <= nr_classes; next++) {
		if (before[from][next] && !visited[next] && leads_to(next, to, visited))
			return true;
	}
	return false;
}

static void check_order(struct lockdep_map *map, int kind, const char *file, int line)
{
	int id = class_id(map->class);
	unsigned int i;

	for (i = 0; i < nr_held; i++) {
		bool visited[MAX_CLASSES] = { false };
		int over = class_id(held[i]->class);

		if (over == id) {
			if (!(kind & FAKE_LOCK_NESTED))
				test_die(file, line, "lock: two of one class: %s (held since %s:%d)",
					 map->class->name, held[i]->file, held[i]->line);
			continue;
		}
		if (before[over][id])
			continue;
		if (leads_to(id, over, visited))
			test_die(file, line, "lock order: %s after %s, was the other way round",
				 class_names[id], class_names[over]);
		before[over][id] = true;
	}
}

/* Returns 0, -EINTR (a killable one), or -EBUSY (a try). */
int fake_lock(struct lockdep_map *map, int kind, const char *file, int line)
{
	bool read = kind & FAKE_LOCK_READ;

	if (map->initialised != map)
		test_die(file, line, "lock: not initialised, or moved");
	if (!(kind & (FAKE_LOCK_SPIN | FAKE_LOCK_TRY)))
		fake_might_sleep(file, line);
	if (map->written || (map->readers && !read)) {
		if (kind & FAKE_LOCK_TRY)
			return -EBUSY;
		test_die(file, line, "lock: %s would wait for ever (taken at %s:%d)",
			 map->class->name, map->file, map->line);
	}
	if ((kind & FAKE_LOCK_KILLABLE) && kill_countdown && !--kill_countdown)
		return -EINTR;
	if (!(kind & FAKE_LOCK_TRY)) {
		if (map->readers)
			test_die(file, line, "lock: %s taken twice for reading (first at %s:%d)",
				 map->class->name, map->file, map->line);
		check_order(map, kind, file, line);
	}
	if (read)
		map->readers++;
	else
		map->written = true;
	if (kind & FAKE_LOCK_SPIN)
		atomic_depth++;
	map->file = file;
	map->line = line;
	BUG_ON(nr_held == MAX_HELD);
	held[nr_held++] = map;
	return 0;
}

void fake_unlock(struct lockdep_map *map, int kind, const char *file, int line)
{
	bool read = kind & FAKE_LOCK_READ;
	unsigned int i;

	if (map->initialised != map)
		test_die(file, line, "unlock: not initialised, or moved");
	if (read ? !map->readers : !map->written)
		test_die(file, line, "unlock: %s is not held%s", map->class->name,
			 !fake_lock_held(map) ? "" : read ? " for reading" : " for writing");
	if (read)
		map->readers--;
	else
		map->written = false;
	if (kind & FAKE_LOCK_SPIN)
		atomic_depth--;
	for (i = nr_held; i-- > 0;) {
		if (held[i] == map) {
			memmove(held + i, held + i + 1, (nr_held - i - 1) * sizeof(*held));
			nr_held--;
			return;
		}
	}
	BUG();
}

void fake_downgrade(struct lockdep_map *map, const char *file, int line)
{
	if (!map->written)
		test_die(file, line, "downgrade: %s is not held for writing", map->class->name);
	map->written = false;
	map->readers = 1;
}
