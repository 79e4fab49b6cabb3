// SPDX-License-Identifier: GPL-2.0-only
/*
 * agree_sync.c - what is returned to pagers.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "agree_internal.h"

bool agree_msync(struct agree *a, uint64_t address, uint64_t size, vm_sync_t flags)
{
	int kr = MAKE(a, AGREE_MSYNC, address, .size = size, .value = flags).kr;

	return AGREE(kr, oracle_msync(&a->map, address, size, flags), 0, 0,
		     "vm_msync(" X ", " X ", %#x)", address, size, flags);
}

bool agree_object_sync(struct agree *a, uint64_t address, uint64_t offset, uint64_t size,
		       bool flush, bool write_back)
{
	struct oracle_page *page = oracle_find(&a->map, address);
	memory_object_name_t name = MACH_PORT_NULL;
	int expected = KERN_INVALID_ARGUMENT;
	struct util_region region;

	if (page && !page->ordinary && util_region(address, &region) == KERN_SUCCESS)
		name = region.name;
	if (name)		/* or nothing was ever done with the region */
		expected = oracle_object_sync(&a->map, page, offset, size, flush);
	return AGREE(vm_object_sync(name, offset, size, flush, write_back, TRUE), expected, 0, 0,
		     "vm_object_sync(of " X ", " X ", " X ", %d, %d)", address, offset, size,
		     flush, write_back);
}
