// SPDX-License-Identifier: GPL-2.0-only
/*
 * alloc.c - every live allocation stands in a table here, beside it and not in it, so that the
 * address sanitizer sees a byte too far on either side.
 */
#include "kinc.h"
#include "fake/thread.h"

#define NR_BUCKETS 4096

struct live {
	struct live *next;
	const void *ptr;
	size_t size;
	struct kmem_cache *cache;
	const char *file;
	int line;
};

struct kmem_cache {
	const char *name;
	size_t size;
	size_t align;
	void (*ctor)(void *ptr);
	unsigned long live;
};

static struct live *live[NR_BUCKETS];
static unsigned long nr_live, nr_ever;
static unsigned long countdown;
static bool failed, last_round_failed;
static bool for_good;		/* all from the n-th on fail */

/* lib/radix-tree.c has these two in the kernel; the array takes its nodes from there. */
struct kmem_cache *radix_tree_node_cachep;

void radix_tree_node_rcu_free(struct rcu_head *head);
void radix_tree_node_rcu_free(struct rcu_head *head)
{
	struct xa_node *node = container_of(head, struct xa_node, rcu_head);

	kmem_cache_free(radix_tree_node_cachep, node);
}

static void node_ctor(void *ptr)
{
	struct xa_node *node = ptr;

	memset(node, 0, sizeof(*node));
	INIT_LIST_HEAD(&node->private_list);
}

void fake_alloc_begin(void)
{
	if (!radix_tree_node_cachep)
		radix_tree_node_cachep = kmem_cache_create("xa_node", sizeof(struct xa_node), 8, 0,
							   node_ctor);
}

void fake_alloc_end(void)
{
	struct live *one;
	unsigned int i;

	for (i = 0; i < NR_BUCKETS; i++) {
		for (one = live[i]; one; one = one->next)
			test_fail(one->file, one->line, "leak: %zu bytes%s%s", one->size,
				  one->cache ? " of " : "", one->cache ? one->cache->name : "");
	}
	if (countdown)
		test_fail(__FILE__, __LINE__, "fail_end() is missing");
}

void fail_nth(unsigned long n)
{
	countdown = n;
	failed = false;
}

bool fail_end(void)
{
	bool hit = failed;

	countdown = 0;
	failed = false;
	return hit;
}

/* For for_each_failure(): the last round is the first in which nothing failed. */
unsigned long fail_next(unsigned long n)
{
	if (n > 100000)
		test_die(__FILE__, __LINE__, "failing allocations go on for ever");
	if (!n) {
		for_good = false;
	} else if (!last_round_failed) {
		if (for_good) {
			for_good = false;
			test_at("%s", "");
			return 0;
		}
		for_good = true;
		n = 0;
	}
	last_round_failed = false;
	test_at("allocation %lu%s", n + 1, for_good ? " and all after it fail" : " fails");
	return n + 1;
}

unsigned long alloc_live(void)
{
	return nr_live;
}

unsigned long alloc_count(void)
{
	return nr_ever;
}

bool fake_alloc_fails(gfp_t gfp, const char *file, int line)
{
	if (gfpflags_allow_blocking(gfp))
		fake_might_sleep(file, line);
	fake_point();
	nr_ever++;
	if (!countdown || (gfp & __GFP_NOFAIL))
		return false;
	if (countdown > 1) {
		countdown--;
		return false;
	}
	/* It stays at 1, so that a missing fail_end() is seen. */
	if (failed && !for_good)
		return false;
	failed = true;
	last_round_failed = true;
	return true;
}

static struct live **find(const void *ptr)
{
	struct live **link = &live[((uintptr_t)ptr >> 4) % NR_BUCKETS];

	while (*link && (*link)->ptr != ptr)
		link = &(*link)->next;
	return link;
}

void *fake_alloc(size_t size, size_t align, gfp_t gfp, struct kmem_cache *cache,
		 const char *file, int line)
{
	struct live *one, **link;
	void *ptr;

	if (size > 1UL << 30)
		return NULL;
	if (fake_alloc_fails(gfp, file, line))
		return NULL;
	one = malloc(sizeof(*one));
	if (align > 16)
		ptr = aligned_alloc(align, ALIGN(size, align));
	else
		ptr = malloc(size);
	if (!one || !ptr)
		test_die(file, line, "the machine is out of memory");
	memset(ptr, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	link = &live[((uintptr_t)ptr >> 4) % NR_BUCKETS];
	*one = (struct live){ *link, ptr, size, cache, file, line };
	*link = one;
	nr_live++;
	return ptr;
}

void fake_free(const void *ptr, struct kmem_cache *cache, const char *file, int line)
{
	struct live *one, **link;

	if (!ptr)
		return;
	link = find(ptr);
	one = *link;
	if (!one)
		test_die(file, line, "free: %p is not allocated", ptr);
	if (cache && one->cache != cache)
		test_die(file, line, "free: %p is not of the cache %s", ptr, cache->name);
	if (one->cache)
		one->cache->live--;
	*link = one->next;
	free(one);
	free((void *)ptr);
	nr_live--;
}

size_t fake_size(const void *ptr)
{
	struct live *one = *find(ptr);

	return one ? one->size : 0;
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = calloc(1, sizeof(*cache));

	BUG_ON(!cache);
	*cache = (struct kmem_cache){ name, size, align, ctor, 0 };
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (!cache)
		return;
	WARN(cache->live, "%lu objects of %s are left", cache->live, cache->name);
	free(cache);
}

void *fake_cache_alloc(struct kmem_cache *cache, gfp_t gfp, const char *file, int line)
{
	void *ptr = fake_alloc(cache->size, cache->align, gfp, cache, file, line);

	if (!ptr)
		return NULL;
	cache->live++;
	if (cache->ctor)
		cache->ctor(ptr);
	return ptr;
}
