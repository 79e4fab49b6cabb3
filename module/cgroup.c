// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup.c - pages of ours are counted by the memory cgroup that pays for them.
 * Callers: page.c where pages come and go; fault.c and reclaim.c ask how full the current one is.
 * Never: sleeps but to allocate.
 * Locks: groups_lock for the table; readers use RCU.
 *
 * Linux cannot reclaim what is on none of its lists.  If all of a group were ours, the first
 * allocation of somebody else would kill: so a part is kept free of us before it comes to that,
 * for page tables, and for pages that are on their way out.
 */
#include <linux/hashtable.h>
#include <linux/memcontrol.h>
#include "cgroup.h"

/* What may be ours of the smallest limit above a group: a half. */
#define SHARE(limit) ((limit) / 2)

#if MACHVM_HAS_OBJCG

/* Lives while a page counts; each page holds a reference to its objcg, so the key stays true. */
struct group {
	struct hlist_node node;
	struct obj_cgroup *objcg;
	atomic_long_t pages;
	struct rcu_head rcu;
};

static DEFINE_HASHTABLE(groups, 8);
static DEFINE_SPINLOCK(groups_lock);

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
	return counted;
}

/* The first page of a group; somebody else may have been first. */
static void count_first(struct obj_cgroup *objcg, struct group *fresh)
{
	spin_lock(&groups_lock);
	if (count_one(objcg)) {
		kfree(fresh);
	} else {
		fresh->objcg = objcg;
		atomic_long_set(&fresh->pages, 1);
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
	fresh = kzalloc(sizeof(*fresh), gfp & ~(__GFP_HIGHMEM | __GFP_ZERO | __GFP_ACCOUNT));
	if (!fresh)
		return -ENOMEM;
	count_first(objcg, fresh);
	return 0;
}

void machvm_cgroup_uncharge(struct folio *folio)
{
	struct obj_cgroup *objcg = objcg_of(folio);
	struct group *group;

	if (!objcg)
		return;
	rcu_read_lock();
	group = find_rcu(objcg);
	if (group && atomic_long_dec_and_test(&group->pages)) {
		spin_lock(&groups_lock);
		hash_del_rcu(&group->node);
		spin_unlock(&groups_lock);
		kfree_rcu(group, rcu);
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

#endif
