// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup.c - pages of ours are counted by the memory cgroup that pays for them.
 * Callers: page.c where pages come and go; fault.c and reclaim.c ask how full the current one is;
 * shrinker.c.
 * Never: sleeps but to allocate.
 * Locks: groups_lock for the table and the list; readers of the table use RCU.
 *
 * Linux cannot reclaim what is on none of its lists.  If all of a group were ours, the first
 * allocation of somebody else would kill: so a part is kept free of us before it comes to that,
 * for page tables, and for pages that are on their way out.
 *
 * The list of groups is a list_lru, though nothing in it is ever old: being there is what makes
 * Linux ask for pages of the memory cgroup when it reclaims there.
 */
#include <linux/hashtable.h>
#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/slab.h>
#include "cgroup.h"
#include "stats.h"

/* What may be ours of the smallest limit above a group: a half. */
#define SHARE(limit) ((limit) / 2)

#if MACHVM_HAS_OBJCG

/* Lives while a page counts; each page holds a reference to its objcg, so the key stays true. */
struct group {
	struct hlist_node node;
	struct list_head lru;
	struct obj_cgroup *objcg;
	atomic_long_t pages;
	atomic_long_t wanted;		/* of them, back: by Linux's reclaim */
	long round;			/* of machvm_cgroup_next_wanted(), who alone uses it */
	struct rcu_head rcu;
};

static DEFINE_HASHTABLE(groups, 8);
static DEFINE_SPINLOCK(groups_lock);
static atomic_long_t grouped;		/* the pages of all */
static struct list_lru groups_lru;
static struct kmem_cache *group_cache;

static struct group *find_rcu(const struct obj_cgroup *objcg)
{
	struct group *group;

	hash_for_each_possible_rcu(groups, group, node, (unsigned long)objcg,
				   lockdep_is_held(&groups_lock))
		if (group->objcg == objcg)
			return group;
	return NULL;
}

static struct obj_cgroup *objcg_of(struct folio *folio)
{
	return folio_memcg_kmem(folio) ? __folio_objcg(folio) : NULL;
}

static bool count_one(struct obj_cgroup *objcg)
{
	struct group *group;
	bool counted;

	rcu_read_lock();
	group = find_rcu(objcg);
	counted = group && atomic_long_inc_not_zero(&group->pages);
	rcu_read_unlock();
	if (counted)
		atomic_long_inc(&grouped);
	return counted;
}

/* The first page of a group; somebody else may have been first. */
static void count_first(struct obj_cgroup *objcg, struct group *fresh)
{
	spin_lock(&groups_lock);
	if (count_one(objcg)) {
		kmem_cache_free(group_cache, fresh);
	} else {
		fresh->objcg = objcg;
		atomic_long_set(&fresh->pages, 1);
		atomic_long_inc(&grouped);
		INIT_LIST_HEAD(&fresh->lru);
		list_lru_add_obj(&groups_lru, &fresh->lru);
		hash_add_rcu(groups, &fresh->node, (unsigned long)objcg);
	}
	spin_unlock(&groups_lock);
}

/**
 * machvm_cgroup_charge - count a page that has just been allocated
 * @folio: the page
 * @gfp: how memory for the count may be had
 *
 * Return: 0, or -ENOMEM.
 */
int machvm_cgroup_charge(struct folio *folio, gfp_t gfp)
{
	struct obj_cgroup *objcg = objcg_of(folio);
	struct group *fresh;

	if (!objcg || count_one(objcg))
		return 0;
	gfp = (gfp & ~__GFP_HIGHMEM) | __GFP_ZERO | __GFP_ACCOUNT;
	fresh = kmem_cache_alloc_lru(group_cache, &groups_lru, gfp);
	if (!fresh)
		return -ENOMEM;
	count_first(objcg, fresh);
	return 0;
}

static void free_group(struct rcu_head *rcu)
{
	kmem_cache_free(group_cache, container_of(rcu, struct group, rcu));
}

void machvm_cgroup_uncharge(struct folio *folio)
{
	struct obj_cgroup *objcg = objcg_of(folio);
	struct group *group;

	if (!objcg)
		return;
	atomic_long_dec(&grouped);
	rcu_read_lock();
	group = find_rcu(objcg);
	if (group && atomic_long_dec_and_test(&group->pages)) {
		spin_lock(&groups_lock);
		hash_del_rcu(&group->node);
		list_lru_del_obj(&groups_lru, &group->lru);
		spin_unlock(&groups_lock);
		call_rcu(&group->rcu, free_group);
	}
	rcu_read_unlock();
}

/* The group of a page, NULL if nobody pays. */
const void *machvm_cgroup_of(struct folio *folio)
{
	return objcg_of(folio);
}

/* In pages, of the group itself and all above it. */
static unsigned long smallest_limit_rcu(struct mem_cgroup *memcg)
{
	unsigned long limit = PAGE_COUNTER_MAX;

	for (; memcg; memcg = parent_mem_cgroup(memcg))
		limit = min3(limit, READ_ONCE(memcg->memory.max), READ_ONCE(memcg->memory.high));
	return limit;
}

/**
 * machvm_cgroup_limited - the current task's group, if anything limits it
 * @full: out: so much of it is ours already that we shall take no more before we give some back
 *
 * Groups are counted one by one: several that share a limit of one above them may have half of it
 * each.
 * Return: the group, NULL if it has no limit.
 */
const void *machvm_cgroup_limited(bool *full)
{
	struct obj_cgroup *objcg = NULL;
	struct mem_cgroup *memcg;
	unsigned long limit;
	struct group *group;

	*full = false;
	if (mem_cgroup_disabled())
		return NULL;
	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	limit = memcg ? smallest_limit_rcu(memcg) : PAGE_COUNTER_MAX;
	if (limit < PAGE_COUNTER_MAX)
		objcg = rcu_dereference(memcg->objcg);
	group = objcg ? find_rcu(objcg) : NULL;
	*full = group && atomic_long_read(&group->pages) >= SHARE(limit);
	rcu_read_unlock();
	return objcg;
}

/* What is to be done with the groups of a memory cgroup. */
struct visit {
	unsigned long pages;	/* out: theirs */
	unsigned long want;	/* of those, back; what is left, out */
};

static enum lru_status visit_group(struct list_head *item, struct list_lru_one *list,
				   spinlock_t *lock, void *arg)
{
	struct group *group = container_of(item, struct group, lru);
	unsigned long pages = atomic_long_read(&group->pages);
	struct visit *visit = arg;
	unsigned long want = min(pages, visit->want);

	visit->pages += pages;
	visit->want -= want;
	if (want)
		atomic_long_set(&group->wanted, want);
	return LRU_SKIP;
}

/* True if Linux reclaims in a memory cgroup, not everywhere. */
bool machvm_cgroup_is_meant(struct shrink_control *sc)
{
	return sc->memcg && parent_mem_cgroup(sc->memcg);
}

static void visit_groups(struct shrink_control *sc, struct visit *visit)
{
	unsigned long all = ULONG_MAX;

	list_lru_walk_one(&groups_lru, sc->nid, sc->memcg, visit_group, visit, &all);
}

/*
 * The pages of the memory cgroup that Linux reclaims in, or those that no group pays for.  A memory
 * cgroup that was removed has left its groups to the one above.
 */
unsigned long machvm_cgroup_pages(struct shrink_control *sc)
{
	struct visit visit = {};

	if (!machvm_cgroup_is_meant(sc))
		return max_t(s64, machvm_stat_sum(MACHVM_STAT_PAGES) -
				  atomic_long_read(&grouped), 0);
	visit_groups(sc, &visit);
	return visit.pages;
}

/* @sc->nr_to_scan pages of its groups are wanted: machvm_cgroup_next_wanted() will find them. */
void machvm_cgroup_want(struct shrink_control *sc)
{
	struct visit visit = { .want = sc->nr_to_scan };

	visit_groups(sc, &visit);
}

/* The same of each group there is, whoever is above it. */
void machvm_cgroup_want_of_all(unsigned long want)
{
	struct group *group;
	unsigned int bucket;

	rcu_read_lock();
	hash_for_each_rcu(groups, bucket, group, node)
		atomic_long_set(&group->wanted, want);
	rcu_read_unlock();
}

/* One of a part of the table, with a reference. */
static struct obj_cgroup *wanted_in(unsigned int bucket, long round, unsigned long *want)
{
	struct obj_cgroup *objcg = NULL;
	struct group *group;

	rcu_read_lock();
	hlist_for_each_entry_rcu(group, &groups[bucket], node) {
		if (group->round == round)
			continue;
		*want = atomic_long_xchg(&group->wanted, 0);
		if (*want && obj_cgroup_tryget(group->objcg)) {
			group->round = round;
			objcg = group->objcg;
			break;
		}
	}
	rcu_read_unlock();
	return objcg;
}

/**
 * machvm_cgroup_next_wanted - a group of which Linux wants pages back
 * @round: not 0; each group comes once in a round, however often it is asked for
 * @want: out: how many
 *
 * Context: one caller at a time.
 * Return: the group, with a reference that machvm_cgroup_put() drops; NULL: no other one.
 */
const void *machvm_cgroup_next_wanted(long round, unsigned long *want)
{
	struct obj_cgroup *objcg = NULL;
	unsigned int bucket;

	for (bucket = 0; bucket < HASH_SIZE(groups) && !objcg; bucket++)
		objcg = wanted_in(bucket, round, want);
	return objcg;
}

void machvm_cgroup_put(const void *group)
{
	obj_cgroup_put((struct obj_cgroup *)group);
}

/* The memory cgroup of a group, with a reference. */
struct mem_cgroup *machvm_cgroup_memcg(const void *group)
{
	return get_mem_cgroup_from_objcg((struct obj_cgroup *)group);
}

/**
 * machvm_cgroup_init - before there is any page
 * @shrinker: who is asked for pages of groups; it is registered
 *
 * Return: 0, -ENOMEM.
 */
int machvm_cgroup_init(struct shrinker *shrinker)
{
	group_cache = kmem_cache_create("machvm_group", sizeof(struct group), 0, SLAB_ACCOUNT,
					NULL);
	if (!group_cache)
		return -ENOMEM;
	if (list_lru_init_memcg(&groups_lru, shrinker)) {
		kmem_cache_destroy(group_cache);
		return -ENOMEM;
	}
	return 0;
}

/* After the last page, and the shrinker, have gone. */
void machvm_cgroup_exit(void)
{
	rcu_barrier();
	list_lru_destroy(&groups_lru);
	kmem_cache_destroy(group_cache);
}

#else

int machvm_cgroup_charge(struct folio *folio, gfp_t gfp)
{
	return 0;
}

void machvm_cgroup_uncharge(struct folio *folio)
{
}

const void *machvm_cgroup_of(struct folio *folio)
{
	return NULL;
}

const void *machvm_cgroup_limited(bool *full)
{
	*full = false;
	return NULL;
}

bool machvm_cgroup_is_meant(struct shrink_control *sc)
{
	return false;
}

unsigned long machvm_cgroup_pages(struct shrink_control *sc)
{
	return max_t(s64, machvm_stat_sum(MACHVM_STAT_PAGES), 0);
}

void machvm_cgroup_want(struct shrink_control *sc)
{
}

void machvm_cgroup_want_of_all(unsigned long want)
{
}

const void *machvm_cgroup_next_wanted(long round, unsigned long *want)
{
	return NULL;
}

void machvm_cgroup_put(const void *group)
{
}

struct mem_cgroup *machvm_cgroup_memcg(const void *group)
{
	return NULL;
}

int machvm_cgroup_init(struct shrinker *shrinker)
{
	return 0;
}

void machvm_cgroup_exit(void)
{
}

#endif
