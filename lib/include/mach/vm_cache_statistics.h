/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/vm_cache_statistics.h - what vm_cache_statistics() fills in.
 */
#ifndef _MACH_VM_CACHE_STATISTICS_H_
#define _MACH_VM_CACHE_STATISTICS_H_

#include <mach/vm_types.h>

/**
 * struct vm_cache_statistics - resident pages by kind, and what is on its way out
 * @cache_object_count: objects with a pager that are in memory, mapped or kept for later
 * @cache_count: their resident pages
 * @active_tmp_count: pages without a pager that are in use
 * @inactive_tmp_count: pages without a pager that are next to be paged out
 * @active_perm_count: pages with a pager that are in use
 * @inactive_perm_count: pages with a pager that are next to be paged out
 * @dirty_count: pages that were written
 * @laundry_count: pages picked to be written back
 * @writeback_count: pages that a pager was offered and has not released yet
 * @slab_count: pages in the slab allocator of the host
 * @slab_reclaim_count: of these, reclaimable
 *
 * Wired pages are neither active nor inactive.  A count stops at the largest integer_t.
 */
struct vm_cache_statistics {
	integer_t cache_object_count;
	integer_t cache_count;
	integer_t active_tmp_count;
	integer_t inactive_tmp_count;
	integer_t active_perm_count;
	integer_t inactive_perm_count;
	integer_t dirty_count;
	integer_t laundry_count;
	integer_t writeback_count;
	integer_t slab_count;
	integer_t slab_reclaim_count;
};

typedef struct vm_cache_statistics *vm_cache_statistics_t;
typedef struct vm_cache_statistics vm_cache_statistics_data_t;

#endif /* _MACH_VM_CACHE_STATISTICS_H_ */
