// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle_place.c - where new memory may lie.
 */
#include "oracle_internal.h"

static bool range_free(const struct oracle_map *map, uint64_t start, uint64_t end)
{
	unsigned int i = oracle_index(map, start);

	return i == map->nr_pages || map->pages[i].address >= end;
}

/* What Linux has is not to be had, nor what the caller cannot ask Linux for. */
static bool range_open(const struct oracle_map *map, uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < map->nr_closed; i++)
		if (map->closed[i].start < end && map->closed[i].end > start)
			return false;
	return true;
}

/*
 * Ones at the bottom are address bits that must be 0, ones at the top are so as well, and thereby
 * a ceiling.  A mask of any other shape is refused, and one without a zero.
 */
static bool mask_of(uint64_t mask, uint64_t *low, uint64_t *ceiling)
{
	unsigned int i = 0, j = 64;

	while (i < 64 && mask >> i & 1)
		i++;
	while (j > i && mask >> (j - 1) & 1)
		j--;
	if (i == 64)
		return false;
	for (unsigned int bit = i; bit < j; bit++)
		if (mask >> bit & 1)
			return false;
	*low = (1ULL << i) - 1;
	*ceiling = j == 64 ? ~0ULL : (1ULL << j) - 1;
	return true;
}

/* Is there a gap of the size, aligned, that ends by the ceiling? */
static bool room_for(const struct oracle_map *map, uint64_t size, uint64_t low, uint64_t ceiling)
{
	uint64_t start = map->min;

	for (unsigned int i = 0; i <= map->nr_pages; i++) {
		uint64_t end = i < map->nr_pages ? map->pages[i].address : map->max;
		uint64_t first = (start + low) & ~low;

		if (end > map->max)
			end = map->max;
		if (first >= start && first <= end && end - first >= size &&
		    first + size - 1 <= ceiling)
			return true;
		if (i < map->nr_pages && map->pages[i].address >= map->min)
			start = map->pages[i].address + ORACLE_PAGE;
	}
	return false;
}

static int place_anywhere(const struct oracle_map *map, uint64_t address, uint64_t size,
			  uint64_t mask)
{
	uint64_t low, ceiling;

	if (!mask_of(mask, &low, &ceiling) || !room_for(map, size, low, ceiling))
		return MACHVM_KERN_NO_SPACE;
	if (address & (low | (ORACLE_PAGE - 1)) || address + size < address ||
	    address + size - 1 > ceiling || address < map->min || address + size > map->max ||
	    !range_free(map, address, address + size))
		return ORACLE_BAD_PLACE;
	return MACHVM_KERN_SUCCESS;
}

static int place_fixed(const struct oracle_map *map, uint64_t *address, uint64_t size,
		       uint64_t mask)
{
	uint64_t low, ceiling;

	*address = trunc_page(*address);
	if (!mask_of(mask, &low, &ceiling) || *address & low || *address > ceiling)
		return MACHVM_KERN_NO_SPACE;
	if (*address + size < *address || *address + size > ORACLE_USER_END)
		return MACHVM_KERN_INVALID_ADDRESS;
	return range_free(map, *address, *address + size) &&
	       range_open(map, *address, *address + size) ? MACHVM_KERN_SUCCESS :
							    MACHVM_KERN_NO_SPACE;
}

int oracle_place(const struct oracle_map *map, uint64_t *address, uint64_t size, uint64_t mask,
		 bool anywhere, uint32_t max_protection)
{
	int kr = anywhere ? place_anywhere(map, *address, size, mask) :
			    place_fixed(map, address, size, mask);

	if (kr && kr != ORACLE_BAD_PLACE)
		return kr;
	if (max_protection && (size > map->limit || oracle_size(map) > map->limit - size))
		return MACHVM_KERN_NO_SPACE;
	return kr;
}
