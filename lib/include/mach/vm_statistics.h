/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/vm_statistics.h - what vm_statistics() fills in.
 */
#ifndef _MACH_VM_STATISTICS_H_
#define _MACH_VM_STATISTICS_H_

#include <mach/vm_types.h>

/**
 * struct vm_statistics - counts of pages and of events since the module was loaded
 * @pagesize: bytes in a page
 * @free_count: free pages of the host
 * @active_count: resident pages of machvm
 * @inactive_count: resident pages that are next to be paged out
 * @wire_count: wired pages of machvm
 * @zero_fill_count: pages filled with zeroes
 * @reactivations: pages that left the inactive queue by being used
 * @pageins: pages that pagers supplied
 * @pageouts: pages returned to pagers
 * @faults: faults handled
 * @cow_faults: pages copied on write
 * @lookups: memory objects looked up by vm_map
 * @hits: of these, found alive
 *
 * The fields are as narrow as Mach made them: a count of pages stops at the largest
 * integer_t, a count of events wraps, so that a difference of two readings stays right.
 */
struct vm_statistics {
	integer_t pagesize;
	integer_t free_count;
	integer_t active_count;
	integer_t inactive_count;
	integer_t wire_count;
	integer_t zero_fill_count;
	integer_t reactivations;
	integer_t pageins;
	integer_t pageouts;
	integer_t faults;
	integer_t cow_faults;
	integer_t lookups;
	integer_t hits;
};

typedef struct vm_statistics *vm_statistics_t;
typedef struct vm_statistics vm_statistics_data_t;

#endif /* _MACH_VM_STATISTICS_H_ */
