/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach_debug/hash_info.h - how full the table is in which pages are found.
 */
#ifndef _MACH_DEBUG_HASH_INFO_H_
#define _MACH_DEBUG_HASH_INFO_H_

#include <mach/vm_types.h>

/**
 * struct hash_info_bucket - a part of the table
 * @hib_count: resident pages in it; stops at the largest unsigned int
 */
typedef struct hash_info_bucket {
	natural_t hib_count;
} hash_info_bucket_t;

typedef hash_info_bucket_t *hash_info_bucket_array_t;

#endif
