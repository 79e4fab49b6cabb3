/* SPDX-License-Identifier: GPL-2.0-only */
/* alloc.h - memory that is counted, remembers who asked for it, and can be made to fail. */
#ifndef _FAKE_ALLOC_H
#define _FAKE_ALLOC_H

#define ___GFP_DIRECT_RECLAIM 0x1u
#define __GFP_DIRECT_RECLAIM 0x1u
#define __GFP_KSWAPD_RECLAIM 0x2u
#define __GFP_RECLAIM 0x3u
#define __GFP_IO 0x4u
#define __GFP_FS 0x8u
#define __GFP_ZERO 0x10u
#define __GFP_HIGH 0x20u
#define __GFP_NOWARN 0x40u
#define __GFP_RETRY_MAYFAIL 0x80u
#define __GFP_NOFAIL 0x100u
#define __GFP_NORETRY 0x200u
#define __GFP_ACCOUNT 0x400u
#define __GFP_HIGHMEM 0x800u
#define __GFP_MOVABLE 0x1000u
#define __GFP_COMP 0x2000u
#define __GFP_NOMEMALLOC 0x4000u
#define __GFP_MEMALLOC 0x8000u
#define __GFP_THISNODE 0x10000u
#define __GFP_HARDWALL 0x20000u
#define __GFP_BITS_SHIFT 20
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOIO __GFP_RECLAIM
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define GFP_NOWAIT (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_USER (GFP_KERNEL | __GFP_HARDWALL)
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)

#define SLAB_ACCOUNT 0
#define SLAB_PANIC 0
#define SLAB_HWCACHE_ALIGN 0
#define SLAB_RECLAIM_ACCOUNT 0
#define SLAB_TYPESAFE_BY_RCU 0

struct list_lru;
struct mem_cgroup;
struct kmem_cache;

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

/* True if this allocation is to fail; also checks that it may sleep if it says so. */
bool fake_alloc_fails(gfp_t gfp, const char *file, int line);
void *fake_alloc(size_t size, size_t align, gfp_t gfp, struct kmem_cache *cache,
		 const char *file, int line);
void fake_free(const void *ptr, struct kmem_cache *cache, const char *file, int line);
size_t fake_size(const void *ptr);

#define FAKE_ALLOC(size, gfp) fake_alloc(size, 8, gfp, NULL, __FILE__, __LINE__)
#define kmalloc(size, gfp) FAKE_ALLOC(size, gfp)
#define kzalloc(size, gfp) FAKE_ALLOC(size, (gfp) | __GFP_ZERO)
#define kmalloc_array(n, size, gfp) FAKE_ALLOC(size_mul(n, size), gfp)
#define kcalloc(n, size, gfp) FAKE_ALLOC(size_mul(n, size), (gfp) | __GFP_ZERO)
#define kvmalloc(size, gfp) kmalloc(size, gfp)
#define kvzalloc(size, gfp) kzalloc(size, gfp)
#define kvmalloc_array(n, size, gfp) kmalloc_array(n, size, gfp)
#define kvcalloc(n, size, gfp) kcalloc(n, size, gfp)
#define kmalloc_node(size, gfp, node) kmalloc(size, gfp)
#define kzalloc_node(size, gfp, node) kzalloc(size, gfp)
#define kmemdup(from, size, gfp)						\
	({									\
		size_t size_ = (size);						\
		void *new_ = kmalloc(size_, gfp);				\
		if (new_)							\
			memcpy(new_, from, size_);				\
		new_;								\
	})
#define kfree(ptr) fake_free(ptr, NULL, __FILE__, __LINE__)
#define kvfree(ptr) kfree(ptr)
#define kfree_sensitive(ptr) kfree(ptr)
#define ksize(ptr) fake_size(ptr)

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *fake_cache_alloc(struct kmem_cache *cache, gfp_t gfp, const char *file, int line);

#define KMEM_CACHE(type, flags)							\
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)
#define kmem_cache_alloc(cache, gfp) fake_cache_alloc(cache, gfp, __FILE__, __LINE__)
#define kmem_cache_zalloc(cache, gfp)						\
	fake_cache_alloc(cache, (gfp) | __GFP_ZERO, __FILE__, __LINE__)
#define kmem_cache_alloc_lru(cache, lru, gfp) kmem_cache_alloc(cache, gfp)
#define kmem_cache_free(cache, ptr) fake_free(ptr, cache, __FILE__, __LINE__)

#define might_alloc(gfp) might_sleep_if(gfpflags_allow_blocking(gfp))
#define memalloc_nofs_save() 0u
#define memalloc_nofs_restore(flags) ((void)(flags))
#define kmemleak_not_leak(ptr) ((void)(ptr))
#define kmemleak_transient_leak(ptr) ((void)(ptr))

#endif /* _FAKE_ALLOC_H */
