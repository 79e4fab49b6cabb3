/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.h - locks for one thread, which check how they are used.
 *
 * A lock that would have to wait is a deadlock and ends the test, so does one that was never
 * initialised, is given back by nobody who holds it, is taken against the order seen before in
 * the same test, or may sleep where nobody may.
 */
#ifndef _FAKE_LOCK_H
#define _FAKE_LOCK_H

/* Locks that were initialised by the same line are one class. */
struct lock_class_key {
	int id;				/* 0: not seen yet */
	const char *name;
};

struct lockdep_map {
	const void *initialised;	/* this */
	struct lock_class_key *class;
	unsigned int readers;
	bool written;
	const char *file;		/* who took it last */
	int line;
};

typedef struct spinlock {
	struct lockdep_map dep_map;
} spinlock_t;

typedef spinlock_t rwlock_t;

struct mutex {
	struct lockdep_map dep_map;
};

struct rw_semaphore {
	struct lockdep_map dep_map;
};

enum fake_lock_kind {
	FAKE_LOCK_SPIN = 1,		/* nobody may sleep with it */
	FAKE_LOCK_READ = 2,
	FAKE_LOCK_NESTED = 4,		/* one of its class may be held already */
	FAKE_LOCK_TRY = 8,
	FAKE_LOCK_KILLABLE = 16,
};

void fake_lock_init(struct lockdep_map *map, struct lock_class_key *class, const char *name);
int fake_lock(struct lockdep_map *map, int kind, const char *file, int line);
void fake_unlock(struct lockdep_map *map, int kind, const char *file, int line);
void fake_downgrade(struct lockdep_map *map, const char *file, int line);
void fake_might_sleep(const char *file, int line);
void fake_atomic_add(int n);
bool fake_in_atomic(void);

/* Held by this thread. */
bool fake_lock_mine(const struct lockdep_map *map);

/* Held by anybody. */
static inline bool fake_lock_held(const struct lockdep_map *map)
{
	return map->written || map->readers;
}

#define FAKE_LOCK_INIT(map, name)						\
	do {									\
		static struct lock_class_key key_;				\
		fake_lock_init(map, &key_, name);				\
	} while (0)
#define FAKE_LOCK(l, kind) fake_lock(&(l)->dep_map, kind, __FILE__, __LINE__)
#define FAKE_UNLOCK(l, kind) fake_unlock(&(l)->dep_map, kind, __FILE__, __LINE__)

/* For static initialisers; a class of its own is made at the first use. */
#define FAKE_DEP_MAP_INIT(name)							\
	{ .initialised = &(name).dep_map, .class = &(struct lock_class_key){ 0, #name } }
#define __SPIN_LOCK_UNLOCKED(name) (spinlock_t){ FAKE_DEP_MAP_INIT(name) }
#define DEFINE_SPINLOCK(x) spinlock_t x = { FAKE_DEP_MAP_INIT(x) }
#define DEFINE_MUTEX(x) struct mutex x = { FAKE_DEP_MAP_INIT(x) }
#define DECLARE_RWSEM(x) struct rw_semaphore x = { FAKE_DEP_MAP_INIT(x) }

#define spin_lock_init(l) FAKE_LOCK_INIT(&(l)->dep_map, #l)
#define spin_lock(l) ((void)FAKE_LOCK(l, FAKE_LOCK_SPIN))
#define spin_lock_nested(l, class) ((void)FAKE_LOCK(l, FAKE_LOCK_SPIN | FAKE_LOCK_NESTED))
#define spin_trylock(l) (FAKE_LOCK(l, FAKE_LOCK_SPIN | FAKE_LOCK_TRY) == 0)
#define spin_unlock(l) FAKE_UNLOCK(l, FAKE_LOCK_SPIN)
#define spin_is_locked(l) fake_lock_held(&(l)->dep_map)
#define spin_lock_bh(l) spin_lock(l)
#define spin_unlock_bh(l) spin_unlock(l)
#define spin_lock_irq(l) spin_lock(l)
#define spin_unlock_irq(l) spin_unlock(l)
#define spin_lock_irqsave(l, flags) do { (flags) = 0; spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, flags) do { (void)(flags); spin_unlock(l); } while (0)
#define spin_lock_irqsave_nested(l, flags, class)				\
	do { (flags) = 0; spin_lock_nested(l, class); } while (0)
#define assert_spin_locked(l) lockdep_assert_held(l)

#define mutex_init(l) FAKE_LOCK_INIT(&(l)->dep_map, #l)
#define mutex_destroy(l) ((void)WARN_ON(fake_lock_held(&(l)->dep_map)))
#define mutex_lock(l) ((void)FAKE_LOCK(l, 0))
#define mutex_lock_nested(l, class) ((void)FAKE_LOCK(l, FAKE_LOCK_NESTED))
#define mutex_lock_killable(l) FAKE_LOCK(l, FAKE_LOCK_KILLABLE)
#define mutex_lock_interruptible(l) FAKE_LOCK(l, FAKE_LOCK_KILLABLE)
#define mutex_trylock(l) (FAKE_LOCK(l, FAKE_LOCK_TRY) == 0)
#define mutex_unlock(l) FAKE_UNLOCK(l, 0)
#define mutex_is_locked(l) fake_lock_held(&(l)->dep_map)

#define init_rwsem(l) FAKE_LOCK_INIT(&(l)->dep_map, #l)
#define down_read(l) ((void)FAKE_LOCK(l, FAKE_LOCK_READ))
#define down_read_nested(l, class) ((void)FAKE_LOCK(l, FAKE_LOCK_READ | FAKE_LOCK_NESTED))
#define down_read_killable(l) FAKE_LOCK(l, FAKE_LOCK_READ | FAKE_LOCK_KILLABLE)
#define down_read_trylock(l) (FAKE_LOCK(l, FAKE_LOCK_READ | FAKE_LOCK_TRY) == 0)
#define up_read(l) FAKE_UNLOCK(l, FAKE_LOCK_READ)
#define down_write(l) ((void)FAKE_LOCK(l, 0))
#define down_write_nested(l, class) ((void)FAKE_LOCK(l, FAKE_LOCK_NESTED))
#define down_write_nest_lock(l, nest) ((void)FAKE_LOCK(l, FAKE_LOCK_NESTED))
#define down_write_killable(l) FAKE_LOCK(l, FAKE_LOCK_KILLABLE)
#define down_write_killable_nested(l, class) FAKE_LOCK(l, FAKE_LOCK_KILLABLE | FAKE_LOCK_NESTED)
#define down_write_trylock(l) (FAKE_LOCK(l, FAKE_LOCK_TRY) == 0)
#define up_write(l) FAKE_UNLOCK(l, 0)
#define downgrade_write(l) fake_downgrade(&(l)->dep_map, __FILE__, __LINE__)
#define rwsem_is_locked(l) fake_lock_held(&(l)->dep_map)
#define rwsem_is_contended(l) ((void)(l), false)

#define SINGLE_DEPTH_NESTING 1
#define lockdep_is_held(l) fake_lock_mine(&(l)->dep_map)
#define lockdep_set_class(l, key) ((l)->dep_map.class = (key))
#define lockdep_set_class_and_name(l, key, text) lockdep_set_class(l, key)
#define lockdep_register_key(key) ((void)(key))
#define lockdep_unregister_key(key) ((void)(key))
#define lockdep_assert(cond)							\
	do {									\
		if (!(cond))							\
			test_die(__FILE__, __LINE__, "lockdep: %s", #cond);	\
	} while (0)
#define lockdep_assert_once(cond) lockdep_assert(cond)
#define lockdep_assert_held(l)							\
	do {									\
		if (!fake_lock_mine(&(l)->dep_map))				\
			test_die(__FILE__, __LINE__, "lockdep: %s is not held", #l); \
	} while (0)
#define lockdep_assert_held_once(l) lockdep_assert_held(l)
#define lockdep_assert_held_write(l)						\
	do {									\
		if (!(l)->dep_map.written || !fake_lock_mine(&(l)->dep_map))	\
			test_die(__FILE__, __LINE__, "lockdep: %s is not held for writing", #l); \
	} while (0)
#define rwsem_assert_held(l) lockdep_assert_held(l)
#define rwsem_assert_held_write(l) lockdep_assert_held_write(l)
#define lockdep_assert_held_read(l)						\
	do {									\
		if (!(l)->dep_map.readers || !fake_lock_mine(&(l)->dep_map))	\
			test_die(__FILE__, __LINE__, "lockdep: %s is not held for reading", #l); \
	} while (0)
#define lockdep_assert_not_held(l)						\
	do {									\
		if (fake_lock_mine(&(l)->dep_map))				\
			test_die(__FILE__, __LINE__, "lockdep: %s is held", #l); \
	} while (0)

#define might_lock(l) fake_might_sleep(__FILE__, __LINE__)
#define might_sleep() fake_might_sleep(__FILE__, __LINE__)
#define might_sleep_if(cond) do { if (cond) might_sleep(); } while (0)
#define cond_resched() ({ might_sleep(); 0; })
#define in_atomic() fake_in_atomic()
#define preempt_disable() fake_atomic_add(1)
#define preempt_enable() fake_atomic_add(-1)
#define local_irq_save(flags) do { (flags) = 0; fake_atomic_add(1); } while (0)
#define local_irq_restore(flags) do { (void)(flags); fake_atomic_add(-1); } while (0)

#define refcount_dec_and_lock(r, l)						\
	({									\
		bool last_ = !refcount_dec_not_one(r);				\
		if (last_) {							\
			spin_lock(l);						\
			last_ = refcount_dec_and_test(r);			\
			if (!last_)						\
				spin_unlock(l);					\
		}								\
		last_;								\
	})
#define refcount_dec_and_mutex_lock(r, l)					\
	({									\
		bool last_ = !refcount_dec_not_one(r);				\
		if (last_) {							\
			mutex_lock(l);						\
			last_ = refcount_dec_and_test(r);			\
			if (!last_)						\
				mutex_unlock(l);				\
		}								\
		last_;								\
	})

#endif /* _FAKE_LOCK_H */
