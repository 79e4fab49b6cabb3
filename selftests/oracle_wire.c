// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle_wire.c - memory that stays, limits, and what drivers and machines are told.
 */
#include "oracle_internal.h"

/* The largest piece of memory that lies side by side. */
#define CONTIGUOUS_MOST (4ULL << 20)

static void page_wire(struct oracle_page *page, uint32_t wired)
{
	page->wired = wired;
	page->fresh = page->fresh && !wired;
}

bool oracle_kept(const struct oracle_page *page)
{
	return page->wired && page->protection & MACHVM_PROT_READ;
}

/* What pages are to be wired that are not yet, in bytes. */
static uint64_t wire_cost(const struct oracle_map *map, uint64_t start, uint64_t end)
{
	uint64_t cost = 0;

	for (unsigned int i = 0; i < map->nr_pages; i++) {
		const struct oracle_page *page = &map->pages[i];

		if (page->address >= start && page->address < end && !page->wired &&
		    !page->ordinary)
			cost += ORACLE_PAGE;
	}
	return cost;
}

/* What is wired already counts once, and does so out of reach, too. */
static bool may_wire(const struct oracle_map *map, uint64_t start, uint64_t end)
{
	uint64_t wired = 0;

	for (unsigned int i = 0; i < map->nr_pages; i++)
		wired += map->pages[i].wired ? ORACLE_PAGE : 0;
	return wired + wire_cost(map, start, end) <= map->wire_limit;
}

/* Wiring does not stack; a hole anywhere, and be it for 0 bytes, leaves everything as it was. */
int oracle_wire(struct oracle_map *map, uint64_t address, uint64_t size, uint32_t access,
		bool privileged)
{
	uint64_t start, end;

	if (access & ~MACHVM_PROT_ALL)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!oracle_find(map, address) || oracle_find(map, address)->ordinary)
		return MACHVM_KERN_NO_SPACE;
	if (!size)
		return MACHVM_KERN_SUCCESS;
	if (!range_of(address, size, &start, &end))
		return MACHVM_KERN_NO_SPACE;
	for (uint64_t at = start; at < end; at += ORACLE_PAGE) {
		const struct oracle_page *page = oracle_find(map, at);

		if (!page || page->ordinary || access & ~page->protection)
			return MACHVM_KERN_NO_SPACE;
	}
	if (access && !privileged && !may_wire(map, start, end))
		return MACHVM_KERN_NO_ACCESS;
	oracle_each_page(map, start, end, page_wire, access != 0);
	return MACHVM_KERN_SUCCESS;
}

/* Regions are wired for what they allow now, or will: all of them. */
int oracle_wire_all(struct oracle_map *map, uint32_t flags)
{
	if (flags & ~MACHVM_WIRE_ALL)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!flags) {
		oracle_each_page(map, 0, ORACLE_USER_END, page_wire, false);
		map->wire_future = false;
	}
	if (flags & MACHVM_WIRE_CURRENT)
		oracle_each_page(map, 0, ORACLE_USER_END, page_wire, true);
	if (flags & MACHVM_WIRE_FUTURE)
		map->wire_future = true;
	map->changes++;
	return MACHVM_KERN_SUCCESS;
}

/* A limit below what is in use already only stops growth. */
int oracle_set_size_limit(struct oracle_map *map, uint64_t limit, uint64_t max_limit,
			  bool privileged)
{
	if (limit > max_limit)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (max_limit > map->max_limit && !privileged)
		return MACHVM_KERN_NO_ACCESS;
	map->limit = limit;
	map->max_limit = max_limit;
	map->changes++;
	return MACHVM_KERN_SUCCESS;
}

/* The best alignment to be had is that of a page, and no machine gives its first page away. */
int oracle_allocate_contiguous(struct oracle_map *map, uint64_t *address, uint64_t size,
			       uint64_t pmin, uint64_t pmax, uint64_t palign)
{
	uint64_t length = round_page(size);
	int kr;

	if (!length || pmin || (palign && ORACLE_PAGE % palign))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (length > CONTIGUOUS_MOST || pmax < ORACLE_PAGE)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = oracle_place(map, address, length, 0, true, RW);
	if (kr)
		return kr;
	map->changes++;
	for (uint64_t at = 0; at < length; at += ORACLE_PAGE) {
		struct oracle_page *page = oracle_page_new(map, *address + at);

		page->max_protection = RW;
		page->wired = true;
		oracle_page_fill(page, oracle_cell_new(0));
	}
	return MACHVM_KERN_SUCCESS;
}

/* Holes have no pages, which is no error. */
int oracle_pages_phys(uint64_t address, uint64_t size)
{
	return (address | size) % ORACLE_PAGE ? MACHVM_KERN_INVALID_ARGUMENT : MACHVM_KERN_SUCCESS;
}

/* The machine can be told nothing. */
int oracle_machine_attribute(uint64_t address, uint64_t size)
{
	if (address > ORACLE_USER_END || size > ORACLE_USER_END - address)
		return MACHVM_KERN_INVALID_ARGUMENT;
	return MACHVM_KERN_INVALID_ADDRESS;
}
