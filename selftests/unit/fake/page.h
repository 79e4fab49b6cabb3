/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * page.h - order-0 pages with real contents.  A page whose last reference goes is freed at once,
 * and must then be unlocked, unmapped and without a mapping, as Linux demands.
 */
#ifndef _FAKE_PAGE_H
#define _FAKE_PAGE_H

struct inode;
struct vm_area_struct;

struct address_space {
	struct inode *host;
	unsigned long nrpages;
	const void *a_ops;
};

enum pageflags {
	PG_locked, PG_uptodate, PG_dirty, PG_referenced, PG_active, PG_private, PG_private_2,
	PG_owner_priv_1, PG_error, PG_workingset, PG_reclaim, PG_swapbacked, PG_unevictable,
	PG_writeback, PG_waiters,
};

#define FAKE_PAGE_FIELDS							\
	unsigned long flags;							\
	struct list_head lru;							\
	struct address_space *mapping;						\
	pgoff_t index;								\
	void *private;								\
	atomic_t _mapcount;		/* from -1 */				\
	atomic_t _refcount;							\
	struct lockdep_map dep_map;						\
	void *data;								\
	const char *file;		/* who allocated it */			\
	int line

struct page {
	FAKE_PAGE_FIELDS;
};

struct folio {
	union {
		struct {
			FAKE_PAGE_FIELDS;
		};
		struct page page;
	};
};

struct folio *fake_folio_alloc(gfp_t gfp, unsigned int order, const char *file, int line);
void fake_folio_put(struct folio *folio, int refs, const char *file, int line);
void fake_folio_get(struct folio *folio, int refs, const char *file, int line);
int fake_folio_lock(struct folio *folio, int kind, const char *file, int line);
void fake_folio_unlock(struct folio *folio, const char *file, int line);

#define page_folio(p) ((struct folio *)(p))
#define folio_page(f, n) (&(f)->page)
#define folio_file_page(f, index) (&(f)->page)

#define folio_alloc(gfp, order) fake_folio_alloc(gfp, order, __FILE__, __LINE__)
#define alloc_pages(gfp, order) ((struct page *)folio_alloc(gfp, order))
#define alloc_page(gfp) alloc_pages(gfp, 0)
#define folio_put(f) fake_folio_put(f, 1, __FILE__, __LINE__)
#define folio_put_refs(f, n) fake_folio_put(f, n, __FILE__, __LINE__)
#define folio_get(f) fake_folio_get(f, 1, __FILE__, __LINE__)
#define folio_ref_add(f, n) fake_folio_get(f, n, __FILE__, __LINE__)
#define folio_ref_inc(f) folio_get(f)
#define put_page(p) folio_put(page_folio(p))
#define get_page(p) folio_get(page_folio(p))
#define __free_page(p) put_page(p)
#define folio_ref_count(f) atomic_read(&(f)->_refcount)
#define page_count(p) atomic_read(&(p)->_refcount)
#define page_ref_count(p) page_count(p)
#define folio_try_get(f) atomic_inc_not_zero(&(f)->_refcount)
#define folio_ref_freeze(f, n) (atomic_cmpxchg(&(f)->_refcount, n, 0) == (n))
#define folio_ref_unfreeze(f, n) atomic_set(&(f)->_refcount, n)
#define page_ref_freeze(p, n) folio_ref_freeze(page_folio(p), n)
#define folio_set_count(f, n) atomic_set(&(f)->_refcount, n)

#define folio_lock(f) ((void)fake_folio_lock(f, 0, __FILE__, __LINE__))
#define folio_trylock(f) (fake_folio_lock(f, FAKE_LOCK_TRY, __FILE__, __LINE__) == 0)
#define folio_lock_killable(f) fake_folio_lock(f, FAKE_LOCK_KILLABLE, __FILE__, __LINE__)
#define folio_unlock(f) fake_folio_unlock(f, __FILE__, __LINE__)
#define lock_page(p) folio_lock(page_folio(p))
#define trylock_page(p) folio_trylock(page_folio(p))
#define unlock_page(p) folio_unlock(page_folio(p))
#define folio_test_locked(f) test_bit(PG_locked, &(f)->flags)
#define PageLocked(p) folio_test_locked(p)

#define FAKE_PAGE_FLAG(name, bit)						\
static inline bool folio_test_##name(const struct folio *f) { return test_bit(bit, &f->flags); } \
static inline void folio_set_##name(struct folio *f) { __set_bit(bit, &f->flags); } \
static inline void __folio_set_##name(struct folio *f) { __set_bit(bit, &f->flags); } \
static inline void folio_clear_##name(struct folio *f) { __clear_bit(bit, &f->flags); } \
static inline void __folio_clear_##name(struct folio *f) { __clear_bit(bit, &f->flags); } \
static inline bool folio_test_set_##name(struct folio *f)			\
{ return __test_and_set_bit(bit, &f->flags); }					\
static inline bool folio_test_clear_##name(struct folio *f)			\
{ return __test_and_clear_bit(bit, &f->flags); }

FAKE_PAGE_FLAG(uptodate, PG_uptodate)
FAKE_PAGE_FLAG(dirty, PG_dirty)
FAKE_PAGE_FLAG(referenced, PG_referenced)
FAKE_PAGE_FLAG(active, PG_active)
FAKE_PAGE_FLAG(private, PG_private)
FAKE_PAGE_FLAG(private_2, PG_private_2)
FAKE_PAGE_FLAG(checked, PG_owner_priv_1)
FAKE_PAGE_FLAG(error, PG_error)
FAKE_PAGE_FLAG(workingset, PG_workingset)
FAKE_PAGE_FLAG(reclaim, PG_reclaim)
FAKE_PAGE_FLAG(swapbacked, PG_swapbacked)
FAKE_PAGE_FLAG(unevictable, PG_unevictable)
#define folio_mark_uptodate(f) folio_set_uptodate(f)
#define __folio_mark_uptodate(f) folio_set_uptodate(f)
#define folio_mark_dirty(f) folio_set_dirty(f)
#define SetPageUptodate(p) folio_set_uptodate(page_folio(p))
#define SetPagePrivate(p) folio_set_private(page_folio(p))
#define ClearPagePrivate(p) folio_clear_private(page_folio(p))
#define PagePrivate(p) folio_test_private(page_folio(p))

static inline void *folio_get_private(struct folio *folio)
{
	return folio->private;
}

static inline void folio_attach_private(struct folio *folio, void *data)
{
	folio_get(folio);
	folio->private = data;
	folio_set_private(folio);
}

static inline void *folio_change_private(struct folio *folio, void *data)
{
	return xchg(&folio->private, data);
}

static inline void *folio_detach_private(struct folio *folio)
{
	void *data = folio->private;

	if (!folio_test_private(folio))
		return NULL;
	folio_clear_private(folio);
	folio->private = NULL;
	folio_put(folio);
	return data;
}

#define page_private(p) ((unsigned long)(p)->private)
#define set_page_private(p, value) ((p)->private = (void *)(value))
#define folio_mapping(f) ((f)->mapping)
#define folio_mapcount(f) (atomic_read(&(f)->_mapcount) + 1)
#define folio_mapped(f) (folio_mapcount(f) > 0)
#define page_mapped(p) folio_mapped(page_folio(p))
#define page_mapcount(p) folio_mapcount(page_folio(p))
#define folio_nr_pages(f) 1L
#define folio_order(f) 0u
#define folio_size(f) PAGE_SIZE
#define folio_shift(f) PAGE_SHIFT
#define folio_pos(f) ((loff_t)(f)->index << PAGE_SHIFT)
#define folio_nid(f) 0
#define folio_maybe_dma_pinned(f) false

#define folio_address(f) ((f)->data)
#define page_address(p) ((p)->data)
#define page_to_virt(p) page_address(p)
#define kmap_local_page(p) page_address(p)
#define kmap_local_folio(f, offset) ((f)->data + (offset))
#define kunmap_local(address) ((void)(address))
#define kmap_atomic(p) page_address(p)
#define kunmap_atomic(address) ((void)(address))
#define clear_page(address) memset(address, 0, PAGE_SIZE)
#define copy_page(to, from) memcpy(to, from, PAGE_SIZE)
#define clear_highpage(p) clear_page(page_address(p))
#define clear_user_highpage(p, address) clear_highpage(p)
#define clear_user_page(kaddr, address, p) clear_page(kaddr)
#define copy_highpage(to, from) copy_page(page_address(to), page_address(from))
#define copy_user_highpage(to, from, address, vma) copy_highpage(to, from)
#define copy_mc_user_highpage(to, from, address, vma) ({ copy_highpage(to, from); 0; })
#define copy_mc_highpage(to, from) ({ copy_highpage(to, from); 0; })
#define folio_zero_range(f, start, length) memset((f)->data + (start), 0, length)
#define folio_zero_segment(f, start, end) memset((f)->data + (start), 0, (end) - (start))
#define folio_copy(to, from) copy_page((to)->data, (from)->data)
#define memcpy_to_page(p, offset, from, length)					\
	memcpy(page_address(p) + (offset), from, length)
#define memcpy_from_page(to, p, offset, length)					\
	memcpy(to, page_address(p) + (offset), length)
#define memcpy_to_folio(f, offset, from, length) memcpy((f)->data + (offset), from, length)
#define memcpy_from_folio(to, f, offset, length) memcpy(to, (f)->data + (offset), length)
#define flush_dcache_folio(f) ((void)(f))
#define flush_dcache_page(p) ((void)(p))

#endif /* _FAKE_PAGE_H */
