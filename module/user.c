// SPDX-License-Identifier: GPL-2.0-only
/*
 * user.c - limits on what one user, and all of them, may hold.
 * Callers: page.c and dev.c charge; everyone keeps references.
 * Never: waits.
 * Locks: users_lock, a leaf.
 *
 * Memory is charged to memory cgroups as well; these limits are for what no cgroup sees: pages
 * that only a descriptor holds, and machines that have no limits set.  A user inside a user
 * namespace counts as the owner of the outermost one, or 65,536 sub-uids would be 65,536 users.
 */
#include "user.h"
#include <linux/hashtable.h>
#include <linux/moduleparam.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include "stats.h"

struct machvm_user {
	refcount_t refs;		/* (a) */
	kuid_t uid;			/* (c) */
	atomic_long_t pages;		/* (a) */
	atomic_long_t objects;		/* (a) memory objects */
	struct hlist_node hash;		/* (t) */
} __aligned(MACHVM_USER_ALIGN);

static ulong max_pages;
module_param(max_pages, ulong, 0644);
MODULE_PARM_DESC(max_pages, "pages that machvm may hold in all (0: half of the memory)");

static ulong max_user_pages;
module_param(max_user_pages, ulong, 0644);
MODULE_PARM_DESC(max_user_pages, "pages that one user may hold (0: as max_pages)");

static ulong max_user_objects = 65536;
module_param(max_user_objects, ulong, 0644);
MODULE_PARM_DESC(max_user_objects, "memory objects that one user may hold");

static DEFINE_SPINLOCK(users_lock);
static DEFINE_HASHTABLE(users, 6);
static struct kmem_cache *user_cache;

static kuid_t paying_uid(void)
{
	struct user_namespace *ns = current_user_ns();

	if (ns == &init_user_ns)
		return current_euid();
	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	return ns->owner;
}

static struct machvm_user *find_locked(kuid_t uid)
{
	struct machvm_user *user;

	hash_for_each_possible(users, user, hash, __kuid_val(uid))
		if (uid_eq(user->uid, uid) && refcount_inc_not_zero(&user->refs))
			return user;
	return NULL;
}

/* Who pays for what the caller does, with a reference; NULL if there is no memory. */
struct machvm_user *machvm_user_current(void)
{
	struct machvm_user *fresh = NULL, *user;
	kuid_t uid = paying_uid();

	spin_lock(&users_lock);
	user = find_locked(uid);
	spin_unlock(&users_lock);
	if (user)
		return user;
	fresh = kmem_cache_zalloc(user_cache, GFP_KERNEL);
	if (!fresh)
		return NULL;
	refcount_set(&fresh->refs, 1);
	fresh->uid = uid;
	spin_lock(&users_lock);
	user = find_locked(uid);
	if (!user)
		hash_add(users, &fresh->hash, __kuid_val(uid));
	spin_unlock(&users_lock);
	if (!user)
		return fresh;
	kmem_cache_free(user_cache, fresh);
	return user;
}

struct machvm_user *machvm_user_get(struct machvm_user *user)
{
	refcount_inc(&user->refs);
	return user;
}

void machvm_user_put(struct machvm_user *user)
{
	if (!refcount_dec_and_test(&user->refs))
		return;
	/* Whoever looks for it meanwhile finds no reference to take. */
	spin_lock(&users_lock);
	hash_del(&user->hash);
	spin_unlock(&users_lock);
	WARN_ON_ONCE(atomic_long_read(&user->pages) || atomic_long_read(&user->objects));
	kmem_cache_free(user_cache, user);
}

static bool charge(atomic_long_t *counter, unsigned long limit)
{
	if (atomic_long_inc_return(counter) <= limit)
		return true;
	atomic_long_dec(counter);
	return false;
}

static unsigned long pages_limit(void)
{
	return READ_ONCE(max_pages) ?: totalram_pages() / 2;
}

static unsigned long user_pages_limit(void)
{
	return READ_ONCE(max_user_pages) ?: pages_limit();
}

/* True if it is the user's own limit that keeps further pages from it. */
bool machvm_user_at_limit(struct machvm_user *user)
{
	return atomic_long_read(&user->pages) >= user_pages_limit();
}

bool machvm_user_charge_page(struct machvm_user *user)
{
	/* Per-CPU parts make the sum inexact by a few pages a CPU, which a limit can bear. */
	if (machvm_stat_estimate(MACHVM_STAT_PAGES) >= pages_limit())
		return false;
	if (!charge(&user->pages, user_pages_limit()))
		return false;
	machvm_count(MACHVM_STAT_PAGES, 1);
	return true;
}

void machvm_user_uncharge_page(struct machvm_user *user)
{
	atomic_long_dec(&user->pages);
	machvm_count(MACHVM_STAT_PAGES, -1);
}

bool machvm_user_charge_object(struct machvm_user *user)
{
	return charge(&user->objects, READ_ONCE(max_user_objects));
}

void machvm_user_uncharge_object(struct machvm_user *user)
{
	atomic_long_dec(&user->objects);
}

/*
 * May the caller look at what @user has made?  Who pays for it is another question: whoever is
 * inside a user namespace has its owner pay, who may be root, but is not its owner.
 */
bool machvm_user_may_see(struct machvm_user *user)
{
	return uid_eq(user->uid, current_euid()) || capable(CAP_SYS_ADMIN);
}

int machvm_user_init(void)
{
	user_cache = KMEM_CACHE(machvm_user, 0);
	return user_cache ? 0 : -ENOMEM;
}

void machvm_user_exit(void)
{
	kmem_cache_destroy(user_cache);
}
