// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle.c - see oracle.h.
 */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

/* Cells and pages */

static struct oracle_cell *cell_new(int value)
{
	struct oracle_cell *cell = malloc(sizeof(*cell));

	if (!cell)
		abort();
	*cell = (struct oracle_cell){ 1, value };
	return cell;
}

static struct oracle_cell *cell_get(struct oracle_cell *cell)
{
	cell->refs++;
	return cell;
}

static void cell_put(struct oracle_cell *cell)
{
	if (cell && !--cell->refs)
		free(cell);
}

static struct oracle_cell *cell_copy(const struct oracle_cell *cell)
{
	return cell_new(cell->value);
}

void oracle_object_init(struct oracle_object *object, unsigned int nr_pages,
			unsigned char (*value)(unsigned int page))
{
	object->nr_pages = nr_pages;
	object->value = value;
	object->cells = calloc(nr_pages, sizeof(*object->cells));
	if (!object->cells)
		abort();
	for (unsigned int i = 0; i < nr_pages; i++)
		object->cells[i] = cell_new(value(i));
}

void oracle_object_end(struct oracle_object *object)
{
	for (unsigned int i = 0; i < object->nr_pages; i++)
		cell_put(object->cells[i]);
	free(object->cells);
}

void oracle_init(struct oracle_map *map, uint64_t min, uint64_t max)
{
	memset(map, 0, sizeof(*map));
	map->min = min;
	map->max = max;
	map->limit = ORACLE_USER_END;
	map->max_limit = ORACLE_USER_END;
}

void oracle_end(struct oracle_map *map)
{
	for (unsigned int i = 0; i < map->nr_pages; i++)
		cell_put(map->pages[i].cell);
	free(map->pages);
	memset(map, 0, sizeof(*map));
}

/* How many pages lie below the address. */
static unsigned int index_of(const struct oracle_map *map, uint64_t address)
{
	unsigned int low = 0, high = map->nr_pages;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (map->pages[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t trunc_page(uint64_t address)
{
	return address & ~(ORACLE_PAGE - 1);
}

/* 0 if it does not fit in. */
static uint64_t round_page(uint64_t address)
{
	return trunc_page(address + ORACLE_PAGE - 1);
}

struct oracle_page *oracle_find(const struct oracle_map *map, uint64_t address)
{
	unsigned int i = index_of(map, trunc_page(address));

	return i < map->nr_pages && map->pages[i].address == trunc_page(address) ?
	       &map->pages[i] : NULL;
}

struct oracle_page *oracle_next(const struct oracle_map *map, uint64_t address)
{
	unsigned int i = index_of(map, trunc_page(address));

	while (i < map->nr_pages && map->pages[i].ordinary)
		i++;
	return i < map->nr_pages ? &map->pages[i] : NULL;
}

/* A new page, RW, maximum ALL, inherited as a copy.  There is none at the address. */
static struct oracle_page *page_new(struct oracle_map *map, uint64_t address)
{
	unsigned int i = index_of(map, address);

	if (map->nr_pages == map->room) {
		map->room = map->room ? 2 * map->room : 64;
		map->pages = realloc(map->pages, map->room * sizeof(*map->pages));
		if (!map->pages)
			abort();
	}
	memmove(&map->pages[i + 1], &map->pages[i], (map->nr_pages - i) * sizeof(*map->pages));
	map->nr_pages++;
	map->pages[i] = (struct oracle_page){
		.address = address,
		.protection = RW,
		.max_protection = MACHVM_PROT_ALL,
		.inheritance = MACHVM_INHERIT_COPY,
	};
	return &map->pages[i];
}

static void page_fill(struct oracle_page *page, struct oracle_cell *cell)
{
	cell_put(page->cell);
	page->cell = cell;
}

void oracle_ordinary(struct oracle_map *map, uint64_t address, unsigned int nr, unsigned char value)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct oracle_page *page = page_new(map, address + ORACLE_PAGES(i));

		page->ordinary = true;
		page_fill(page, cell_new(value));
	}
}

/* Ranges */

/*
 * The whole pages that a range touches.  False if it is empty; also if its last page is not below
 * 2^64, for such a range never comes out again at the bottom, and touches nothing.
 */
static bool range_of(uint64_t address, uint64_t size, uint64_t *start, uint64_t *end)
{
	*start = trunc_page(address);
	*end = round_page(address + size);
	return size && address + size >= address && *end > *start;
}

/* Calls @change for each page of the range that is in a region. */
static void each_page(struct oracle_map *map, uint64_t start, uint64_t end,
		      void (*change)(struct oracle_page *page, uint32_t value), uint32_t value)
{
	for (unsigned int i = index_of(map, start);
	     i < map->nr_pages && map->pages[i].address < end; i++) {
		if (map->pages[i].ordinary)
			continue;
		change(&map->pages[i], value);
		map->changes++;
	}
}

static bool range_free(const struct oracle_map *map, uint64_t start, uint64_t end)
{
	unsigned int i = index_of(map, start);

	return i == map->nr_pages || map->pages[i].address >= end;
}

/* The first thing wrong with a range of pages without a gap, in order of address. */
static int range_allows(const struct oracle_map *map, uint64_t start, uint64_t end, uint32_t access)
{
	for (uint64_t at = start; at < end; at += ORACLE_PAGE) {
		const struct oracle_page *page = oracle_find(map, at);

		if (!page)
			return MACHVM_KERN_INVALID_ADDRESS;
		if (access & ~page->protection)
			return MACHVM_KERN_PROTECTION_FAILURE;
	}
	return MACHVM_KERN_SUCCESS;
}

uint64_t oracle_size(const struct oracle_map *map)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < map->nr_pages; i++)
		if (!map->pages[i].ordinary && map->pages[i].max_protection)
			size += ORACLE_PAGE;
	return size;
}

/* Where memory may be put */

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
	return range_free(map, *address, *address + size) ? MACHVM_KERN_SUCCESS :
							    MACHVM_KERN_NO_SPACE;
}

/* @size is of whole pages; memory that can never be touched is free of charge. */
static int place(const struct oracle_map *map, uint64_t *address, uint64_t size, uint64_t mask,
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

/* The calls */

int oracle_allocate(struct oracle_map *map, uint64_t *address, uint64_t size, bool anywhere)
{
	uint64_t length = round_page(size);
	int kr;

	if (!size) {
		*address = 0;
		return MACHVM_KERN_SUCCESS;
	}
	if (!length)
		return MACHVM_KERN_INVALID_ARGUMENT;
	kr = place(map, address, length, 0, anywhere, MACHVM_PROT_ALL);
	if (kr)
		return kr;
	map->changes++;
	for (uint64_t at = 0; at < length; at += ORACLE_PAGE) {
		struct oracle_page *page = page_new(map, *address + at);

		page->fresh = true;
		page_fill(page, cell_new(0));
	}
	return MACHVM_KERN_SUCCESS;
}

int oracle_deallocate(struct oracle_map *map, uint64_t address, uint64_t size)
{
	uint64_t start, end;
	unsigned int kept = 0;

	if (!range_of(address, size, &start, &end))
		return MACHVM_KERN_SUCCESS;
	for (unsigned int i = 0; i < map->nr_pages; i++) {
		struct oracle_page *page = &map->pages[i];

		if (page->ordinary || page->address < start || page->address >= end) {
			map->pages[kept++] = *page;
			continue;
		}
		cell_put(page->cell);
		map->changes++;
	}
	map->nr_pages = kept;
	return MACHVM_KERN_SUCCESS;
}

static void page_protect(struct oracle_page *page, uint32_t protection)
{
	page->protection = protection;
}

/* What is current is cut down to the new maximum, which is of accesses alone. */
static void page_set_maximum(struct oracle_page *page, uint32_t protection)
{
	page->max_protection = protection & MACHVM_PROT_ALL;
	page->protection &= protection;
}

int oracle_protect(struct oracle_map *map, uint64_t address, uint64_t size, bool set_maximum,
		   uint32_t protection)
{
	uint64_t start, end;

	if (protection & ~(MACHVM_PROT_ALL | MACHVM_PROT_NOTIFY))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!range_of(address, size, &start, &end))
		return MACHVM_KERN_SUCCESS;
	for (unsigned int i = index_of(map, start);
	     i < map->nr_pages && map->pages[i].address < end; i++)
		if (!map->pages[i].ordinary &&
		    protection & MACHVM_PROT_ALL & ~map->pages[i].max_protection)
			return MACHVM_KERN_PROTECTION_FAILURE;
	each_page(map, start, end, set_maximum ? page_set_maximum : page_protect, protection);
	return MACHVM_KERN_SUCCESS;
}

static bool inheritance_known(uint32_t inheritance)
{
	return inheritance == MACHVM_INHERIT_SHARE || inheritance == MACHVM_INHERIT_COPY ||
	       inheritance == MACHVM_INHERIT_NONE || inheritance == MACHVM_INHERIT_ZERO;
}

static void page_inherit(struct oracle_page *page, uint32_t inheritance)
{
	page->inheritance = inheritance;
}

int oracle_inherit(struct oracle_map *map, uint64_t address, uint64_t size, uint32_t inheritance)
{
	uint64_t start, end;

	if (!inheritance_known(inheritance))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (range_of(address, size, &start, &end))
		each_page(map, start, end, page_inherit, inheritance);
	return MACHVM_KERN_SUCCESS;
}

/* Without an object nothing that is said about it is looked at. */
static int mapping_check(const struct oracle_mapping *mapping, uint64_t length)
{
	if (!length || (mapping->protection | mapping->max_protection) & ~MACHVM_PROT_ALL ||
	    !inheritance_known(mapping->inheritance))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!mapping->object)
		return MACHVM_KERN_SUCCESS;
	/* The last byte of an object is number 2^64 - 1. */
	if (mapping->offset % ORACLE_PAGE || mapping->offset + (length - 1) < mapping->offset)
		return MACHVM_KERN_INVALID_ARGUMENT;
	return MACHVM_KERN_SUCCESS;
}

/* What is in the page of the object is shared, or copied as it is now. */
static void page_show(struct oracle_page *page, const struct oracle_mapping *mapping,
		      uint64_t offset)
{
	struct oracle_object *object = mapping->object;
	struct oracle_cell *cell;

	if (offset / ORACLE_PAGE >= object->nr_pages) {
		page_fill(page, cell_new(ORACLE_UNKNOWN));
	} else {
		cell = object->cells[offset / ORACLE_PAGE];
		page_fill(page, mapping->copy ? cell_copy(cell) : cell_get(cell));
	}
	if (mapping->copy)
		return;
	page->object = object;
	page->offset = offset;
}

int oracle_vm_map(struct oracle_map *map, uint64_t *address, uint64_t size,
		  const struct oracle_mapping *mapping)
{
	uint64_t length = round_page(size);
	int kr = mapping_check(mapping, length);

	if (!kr)
		kr = place(map, address, length, mapping->mask, mapping->anywhere,
			   mapping->max_protection);
	if (kr)
		return kr;
	map->changes++;
	for (uint64_t at = 0; at < length; at += ORACLE_PAGE) {
		struct oracle_page *page = page_new(map, *address + at);

		page->max_protection = mapping->max_protection;
		page->protection = mapping->protection & mapping->max_protection;
		page->inheritance = mapping->inheritance;
		page->fresh = !mapping->object;
		if (mapping->object)
			page_show(page, mapping, mapping->offset + at);
		else
			page_fill(page, cell_new(0));
	}
	return MACHVM_KERN_SUCCESS;
}

/* Is all of the source there, down to its unaligned ends, and readable? */
static int source_check(const struct oracle_map *map, uint64_t source, uint64_t size)
{
	uint64_t start, end;

	if (!range_of(source, size, &start, &end))
		return MACHVM_KERN_INVALID_ADDRESS;
	return range_allows(map, start, end, MACHVM_PROT_READ);
}

/* The destination keeps all its attributes; whoever shares it sees what was written. */
static void page_overwrite(struct oracle_page *page, const struct oracle_cell *with)
{
	page->fresh = false;
	page->cell->value = with->value;
}

static struct oracle_cell **snapshot(const struct oracle_map *map, uint64_t start, uint64_t nr)
{
	struct oracle_cell **cells = calloc(nr, sizeof(*cells));

	if (!cells)
		abort();
	for (uint64_t i = 0; i < nr; i++)
		cells[i] = cell_copy(oracle_find(map, start + ORACLE_PAGES(i))->cell);
	return cells;
}

static void snapshot_end(struct oracle_cell **cells, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		cell_put(cells[i]);
	free(cells);
}

/* What is wrong with the source counts first, then what is not aligned, then the destination. */
int oracle_write(struct oracle_map *map, uint64_t address, struct oracle_map *from, uint64_t data,
		 uint64_t size)
{
	struct oracle_cell **cells;
	uint64_t start, end;
	int kr;

	if (!size)
		return MACHVM_KERN_SUCCESS;
	kr = source_check(from, data, size);
	if (kr)
		return kr;
	if ((address | data | size) % ORACLE_PAGE)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!range_of(address, size, &start, &end))
		return MACHVM_KERN_INVALID_ADDRESS;
	kr = range_allows(map, start, end, MACHVM_PROT_WRITE);
	if (kr)
		return kr;
	map->changes++;
	cells = snapshot(from, data, size / ORACLE_PAGE);
	for (uint64_t at = 0; at < size; at += ORACLE_PAGE)
		page_overwrite(oracle_find(map, start + at), cells[at / ORACLE_PAGE]);
	snapshot_end(cells, size / ORACLE_PAGE);
	return MACHVM_KERN_SUCCESS;
}

int oracle_copy(struct oracle_map *map, uint64_t source, uint64_t size, uint64_t destination)
{
	return oracle_write(map, destination, map, source, size);
}

/* Of Linux's memory just the bytes come along, so that a page of which there are some is unknown. */
static struct oracle_cell *page_read(const struct oracle_page *page, uint64_t address, uint64_t size)
{
	if (page->ordinary && (page->address < address ||
			       page->address + ORACLE_PAGE > address + size))
		return cell_new(ORACLE_UNKNOWN);
	return cell_copy(page->cell);
}

/* The whole pages are there to be seen, at the offset in the page that was asked for. */
int oracle_read(struct oracle_map *from, uint64_t address, uint64_t size, struct oracle_map *into,
		uint64_t *data)
{
	uint64_t place_at = trunc_page(*data), start, end, at;
	int kr;

	if (!size) {
		*data = 0;
		return MACHVM_KERN_SUCCESS;
	}
	kr = source_check(from, address, size);
	if (kr)
		return kr;
	range_of(address, size, &start, &end);
	kr = place(into, &place_at, end - start, 0, true, MACHVM_PROT_ALL);
	if (kr)
		return kr;
	into->changes++;
	for (at = start; at < end; at += ORACLE_PAGE) {
		struct oracle_cell *cell = page_read(oracle_find(from, at), address, size);

		page_fill(page_new(into, place_at + (at - start)), cell);
	}
	*data = place_at + (address - start);
	return MACHVM_KERN_SUCCESS;
}

static void page_wire(struct oracle_page *page, uint32_t access)
{
	page->wired = access;
	page->fresh = page->fresh && !access;
}

/* Wiring does not stack; a hole anywhere, and be it for 0 bytes, leaves everything as it was. */
int oracle_wire(struct oracle_map *map, uint64_t address, uint64_t size, uint32_t access)
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
	each_page(map, start, end, page_wire, access);
	return MACHVM_KERN_SUCCESS;
}

/* A limit below what is in use already only stops growth. */
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
	for (unsigned int i = index_of(map, trunc_page(address));
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

/* Tasks and accesses */

static void page_bequeath(struct oracle_page *page, struct oracle_map *child)
{
	struct oracle_page *twin;

	if (page->inheritance == MACHVM_INHERIT_NONE && !page->ordinary)
		return;
	twin = page_new(child, page->address);
	*twin = *page;
	twin->wired = false;
	if (page->inheritance == MACHVM_INHERIT_SHARE) {
		page->shared = true;
		page->fresh = false;
		twin->shared = true;
		twin->fresh = false;
		cell_get(twin->cell);
		return;
	}
	twin->shared = false;
	twin->object = NULL;
	twin->fresh = page->fresh || page->inheritance == MACHVM_INHERIT_ZERO;
	twin->cell = page->inheritance == MACHVM_INHERIT_ZERO ? cell_new(0) : cell_copy(page->cell);
}

void oracle_fork(struct oracle_map *parent, struct oracle_map *child)
{
	oracle_init(child, parent->min, parent->max);
	child->limit = parent->limit;
	child->max_limit = parent->max_limit;
	for (unsigned int i = 0; i < parent->nr_pages; i++)
		page_bequeath(&parent->pages[i], child);
	parent->changes++;
}

/* No machine has memory that can be written and not read: a write asks for both. */
static int access_of(const struct oracle_page *page, uint32_t want)
{
	if (!page)
		return MACHVM_KERN_INVALID_ADDRESS;
	if (!(want & ~page->protection))
		return MACHVM_KERN_SUCCESS;
	if (want & MACHVM_PROT_WRITE && page->protection & MACHVM_PROT_NOTIFY)
		return MACHVM_KERN_WRITE_PROTECTION_FAILURE;
	return MACHVM_KERN_PROTECTION_FAILURE;
}

int oracle_load(const struct oracle_map *map, uint64_t address)
{
	return access_of(oracle_find(map, address), MACHVM_PROT_READ);
}

int oracle_store(struct oracle_map *map, uint64_t address, unsigned char value)
{
	struct oracle_page *page = oracle_find(map, address);
	struct oracle_cell cell = { .value = value };
	int kr = access_of(page, RW);

	if (kr)
		return kr;
	map->changes++;
	page_overwrite(page, &cell);
	return MACHVM_KERN_SUCCESS;
}
