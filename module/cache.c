// SPDX-License-Identifier: GPL-2.0-only
/*
 * cache.c - memory objects that keep their pages though nothing maps them, oldest first.
 * Callers: life.c puts them in and takes them out; who needs memory evicts.
 * Never: waits for a pager.
 * Locks: memobj->lock; inside it cache_lock, a leaf.
 *
 * The cache has the one reference on each incarnation in it, so to everybody else that is an
 * object like any other: its pages can be supplied, returned and looked at.
 */
#include "cache.h"
#include "memobj.h"
#include "object.h"

static DEFINE_SPINLOCK(cache_lock);
static LIST_HEAD(cache);		/* (t) oldest first */
static unsigned long nr_pages;		/* (t) */

static ulong max_cached_pages;
module_param(max_cached_pages, ulong, 0644);
MODULE_PARM_DESC(max_cached_pages,
		 "pages of memory objects that nothing maps (0: a quarter of the memory)");

/* Takes over the only reference on the incarnation.  In: memobj->lock held. */
void machvm_cache_add_locked(struct machvm_memobj *memobj)
{
	lockdep_assert_held(&memobj->lock);
	spin_lock(&cache_lock);
	memobj->cached_pages = atomic_long_read(&memobj->object->resident);
	nr_pages += memobj->cached_pages;
	list_add_tail(&memobj->cached, &cache);
	spin_unlock(&cache_lock);
}

/* Returns true if it was there; then the cache's reference is the caller's. */
bool machvm_cache_remove_locked(struct machvm_memobj *memobj)
{
	lockdep_assert_held(&memobj->lock);
	if (list_empty(&memobj->cached))
		return false;
	spin_lock(&cache_lock);
	list_del_init(&memobj->cached);
	nr_pages -= memobj->cached_pages;
	spin_unlock(&cache_lock);
	return true;
}

bool machvm_cache_has(struct machvm_memobj *memobj)
{
	bool has;

	spin_lock(&cache_lock);
	has = !list_empty(&memobj->cached);
	spin_unlock(&cache_lock);
	return has;
}

/*
 * Pages of an incarnation have come or gone: if it is in the cache it counts for what is left.
 * Returns true if that is nothing, so that it has no reason to be there.
 */
bool machvm_cache_recount(struct machvm_memobj *memobj, struct machvm_object *object)
{
	bool empty = false;

	spin_lock(&cache_lock);
	if (!list_empty(&memobj->cached)) {
		nr_pages -= memobj->cached_pages;
		memobj->cached_pages = atomic_long_read(&object->resident);
		nr_pages += memobj->cached_pages;
		empty = !memobj->cached_pages;
	}
	spin_unlock(&cache_lock);
	return empty;
}

/* The first @max of the cache, oldest first, with a reference each.  Returns how many. */
unsigned int machvm_cache_oldest(struct machvm_memobj **memobjs, unsigned int max)
{
	struct machvm_memobj *memobj;
	unsigned int nr = 0;

	spin_lock(&cache_lock);
	list_for_each_entry(memobj, &cache, cached) {
		if (nr == max)
			break;
		memobjs[nr++] = machvm_memobj_get(memobj);	/* the incarnation has one */
	}
	spin_unlock(&cache_lock);
	return nr;
}

/**
 * machvm_cache_drop - end a cached incarnation as if its last mapping went now
 * @memobj: whose
 *
 * Its pager gets back what is dirty or precious, then terminate.
 * Context: as machvm_object_put(), and not from Linux's reclaim: takes memobj->lock.
 * Return: false if it was not cached.
 */
bool machvm_cache_drop(struct machvm_memobj *memobj)
{
	struct machvm_object *object;
	bool cached;

	mutex_lock(&memobj->lock);
	object = memobj->object;
	cached = machvm_cache_remove_locked(memobj);
	if (cached)
		memobj->evicted = true;
	mutex_unlock(&memobj->lock);
	if (cached)
		machvm_object_put(object);
	return cached;
}

/* Ends the incarnation that was cached first.  False if there is none.  Context: as drop. */
bool machvm_cache_evict_oldest(void)
{
	struct machvm_memobj *memobj;

	if (!machvm_cache_oldest(&memobj, 1))
		return false;
	machvm_cache_drop(memobj);
	machvm_memobj_put(memobj);
	return true;
}

/* Evicts until the cache is within its limit. */
void machvm_cache_trim(void)
{
	unsigned long limit = READ_ONCE(max_cached_pages) ?: totalram_pages() / 4;

	while (READ_ONCE(nr_pages) > limit && machvm_cache_evict_oldest())
		cond_resched();
}
