// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - what the locks know: who holds what, in which order, and where nobody may sleep.
 */
#include "kinc.h"
#include "fake/thread.h"

#define MAX_CLASSES 128

static unsigned long kill_countdown;

static unsigned int nr_classes;
static bool before[MAX_CLASSES][MAX_CLASSES];	/* [a][b]: b was taken with a held */
static const char *class_names[MAX_CLASSES];

void fake_lock_reset(void)
{
	memset(before, 0, sizeof(before));
	kill_countdown = 0;
}

bool fake_nothing_held(void)
{
	return !fake_self()->nr_held && !fake_self()->atomic_depth;
}

void fake_lock_end(void)
{
	struct fake_thread *me = fake_self();
	unsigned int i;

	for (i = 0; i < me->nr_held; i++)
		test_fail(me->held[i]->file, me->held[i]->line,
			  "lock: still held at the end: %s", me->held[i]->class->name);
	if (!me->nr_held && me->atomic_depth)
		test_fail(__FILE__, __LINE__, "atomic sections opened and not closed: %d",
			  me->atomic_depth);
}

void fail_killable(unsigned long n)
{
	kill_countdown = n;
}

void fake_atomic_add(int n)
{
	fake_self()->atomic_depth += n;
	BUG_ON(fake_self()->atomic_depth < 0);
}

bool fake_in_atomic(void)
{
	return fake_self()->atomic_depth;
}

void fake_might_sleep(const char *file, int line)
{
	if (fake_self()->atomic_depth)
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
	struct fake_thread *me = fake_self();
	int id = class_id(map->class);
	unsigned int i;

	for (i = 0; i < me->nr_held; i++) {
		bool visited[MAX_CLASSES] = { false };
		struct lockdep_map *held = me->held[i];
		int over = class_id(held->class);

		if (over == id) {
			if (!(kind & FAKE_LOCK_NESTED))
				test_die(file, line, "lock: two of one class: %s (held since %s:%d)",
					 map->class->name, held->file, held->line);
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

static int index_held(const struct lockdep_map *map)
{
	struct fake_thread *me = fake_self();
	unsigned int i;

	for (i = me->nr_held; i-- > 0;)
		if (me->held[i] == map)
			return i;
	return -1;
}

bool fake_lock_mine(const struct lockdep_map *map)
{
	return index_held(map) >= 0;
}

/* Returns 0, -EINTR (a killable one), or -EBUSY (a try). */
int fake_lock(struct lockdep_map *map, int kind, const char *file, int line)
{
	struct fake_thread *me = fake_self();
	bool read = kind & FAKE_LOCK_READ;

	fake_point();
	if (map->initialised != map)
		test_die(file, line, "lock: not initialised, or moved");
	if (!(kind & (FAKE_LOCK_SPIN | FAKE_LOCK_TRY)))
		fake_might_sleep(file, line);
	while (map->written || (map->readers && !read)) {
		if (kind & FAKE_LOCK_TRY)
			return -EBUSY;
		if (fake_lock_mine(map) || !fake_block())
			test_die(file, line, "lock: %s would wait for ever (taken at %s:%d)",
				 map->class->name, map->file, map->line);
	}
	if ((kind & FAKE_LOCK_KILLABLE) && kill_countdown && !--kill_countdown)
		return -EINTR;
	if (!(kind & FAKE_LOCK_TRY)) {
		if (fake_lock_mine(map))
			test_die(file, line, "lock: %s taken twice for reading (first at %s:%d)",
				 map->class->name, map->file, map->line);
		check_order(map, kind, file, line);
	}
	if (read)
		map->readers++;
	else
		map->written = true;
	if (kind & FAKE_LOCK_SPIN)
		me->atomic_depth++;
	map->file = file;
	map->line = line;
	BUG_ON(me->nr_held == FAKE_MAX_HELD);
	me->held[me->nr_held++] = map;
	return 0;
}

void fake_unlock(struct lockdep_map *map, int kind, const char *file, int line)
{
	struct fake_thread *me = fake_self();
	bool read = kind & FAKE_LOCK_READ;
	int i = index_held(map);

	if (map->initialised != map)
		test_die(file, line, "unlock: not initialised, or moved");
	if (i < 0 || (read ? !map->readers : !map->written))
		test_die(file, line, "unlock: %s is not held%s", map->class->name,
			 i < 0 ? "" : read ? " for reading" : " for writing");
	if (read)
		map->readers--;
	else
		map->written = false;
	if (kind & FAKE_LOCK_SPIN)
		me->atomic_depth--;
	memmove(me->held + i, me->held + i + 1, (me->nr_held - i - 1) * sizeof(*me->held));
	me->nr_held--;
	fake_progress();
	fake_point();
}

void fake_downgrade(struct lockdep_map *map, const char *file, int line)
{
	if (!map->written || !fake_lock_mine(map))
		test_die(file, line, "downgrade: %s is not held for writing", map->class->name);
	map->written = false;
	map->readers = 1;
	fake_progress();
	fake_point();
}
