// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle_sync.c - what is returned to pagers, and asked of them anew.
 */
#include "oracle_internal.h"

/* The page is asked for anew; the cell is everybody's who shares it. */
static void object_invalidate(struct oracle_object *object, uint64_t offset)
{
	unsigned int page = offset / ORACLE_PAGE;

	if (offset / ORACLE_PAGE < object->nr_pages)
		object->cells[page]->value = object->value(page);
}

int oracle_msync(struct oracle_map *map, uint64_t address, uint64_t size, uint32_t flags)
{
	uint64_t last = address + size - 1, found = 0;

	if (flags & ~MACHVM_SYNC_ALL ||
	    (flags & MACHVM_SYNC_ASYNCHRONOUS && flags & MACHVM_SYNC_SYNCHRONOUS))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!size)
		return MACHVM_KERN_SUCCESS;
	if (last < address)
		return MACHVM_KERN_INVALID_ARGUMENT;
	for (unsigned int i = oracle_index(map, trunc_page(address));
	     i < map->nr_pages && map->pages[i].address <= last; i++) {
		struct oracle_page *page = &map->pages[i];

		if (page->ordinary)
			continue;
		found++;
		if (!page->object || !(flags & MACHVM_SYNC_INVALIDATE) ||
		    flags & MACHVM_SYNC_DEACTIVATE)
			continue;
		object_invalidate(page->object, page->offset);
		map->changes++;
	}
	if (flags & MACHVM_SYNC_CONTIGUOUS &&
	    found != last / ORACLE_PAGE - address / ORACLE_PAGE + 1)
		return MACHVM_KERN_INVALID_ADDRESS;
	return MACHVM_KERN_SUCCESS;
}

int oracle_object_sync(struct oracle_map *map, struct oracle_page *page, uint64_t offset,
		       uint64_t size, bool flush)
{
	uint64_t last = offset + size - 1;

	if (size && last < offset)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!size || !flush || !page->object)
		return MACHVM_KERN_SUCCESS;
	for (unsigned int i = 0; i < page->object->nr_pages; i++)
		if (i >= offset / ORACLE_PAGE && i <= last / ORACLE_PAGE)
			object_invalidate(page->object, ORACLE_PAGES(i));
	map->changes++;
	return MACHVM_KERN_SUCCESS;
}
