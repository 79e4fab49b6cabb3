// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle.c - see oracle.h.
 */
#include "oracle_internal.h"

#include <stdlib.h>
#include <string.h>

/* Cells and pages */

struct oracle_cell *oracle_cell_new(int value)
{
	struct oracle_cell *cell = malloc(sizeof(*cell));

	if (!cell)
		abort();
	*cell = (struct oracle_cell){ 1, value };
	return cell;
}

struct oracle_cell *oracle_cell_get(struct oracle_cell *cell)
{
	cell->refs++;
	return cell;
}

void oracle_cell_put(struct oracle_cell *cell)
{
	if (cell && !--cell->refs)
		free(cell);
}

struct oracle_cell *oracle_cell_copy(const struct oracle_cell *cell)
{
	return oracle_cell_new(cell->value);
}

void oracle_init(struct oracle_map *map, uint64_t min, uint64_t max)
{
	memset(map, 0, sizeof(*map));
	map->min = min;
	map->max = max;
	map->limit = ORACLE_USER_END;
	map->max_limit = ORACLE_USER_END;
	map->wire_limit = UINT64_MAX;
}

void oracle_end(struct oracle_map *map)
{
	for (unsigned int i = 0; i < map->nr_pages; i++)
		oracle_cell_put(map->pages[i].cell);
	free(map->pages);
	memset(map, 0, sizeof(*map));
}

unsigned int oracle_index(const struct oracle_map *map, uint64_t address)
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

struct oracle_page *oracle_find(const struct oracle_map *map, uint64_t address)
{
	unsigned int i = oracle_index(map, trunc_page(address));

	return i < map->nr_pages && map->pages[i].address == trunc_page(address) ?
	       &map->pages[i] : NULL;
}

struct oracle_page *oracle_next(const struct oracle_map *map, uint64_t address)
{
	unsigned int i = oracle_index(map, trunc_page(address));

	while (i < map->nr_pages && map->pages[i].ordinary)
		i++;
	return i < map->nr_pages ? &map->pages[i] : NULL;
}

struct oracle_page *oracle_page_new(struct oracle_map *map, uint64_t address)
{
	unsigned int i = oracle_index(map, address);

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
		.wired = map->wire_future,
	};
	return &map->pages[i];
}

void oracle_page_fill(struct oracle_page *page, struct oracle_cell *cell)
{
	oracle_cell_put(page->cell);
	page->cell = cell;
}

void oracle_ordinary(struct oracle_map *map, uint64_t address, unsigned int nr, unsigned char value)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct oracle_page *page = oracle_page_new(map, address + ORACLE_PAGES(i));

		page->ordinary = true;
		page->wired = false;
		oracle_page_fill(page, oracle_cell_new(value));
	}
}

/* Ranges */

void oracle_each_page(struct oracle_map *map, uint64_t start, uint64_t end,
		      void (*change)(struct oracle_page *page, uint32_t value), uint32_t value)
{
	for (unsigned int i = oracle_index(map, start);
	     i < map->nr_pages && map->pages[i].address < end; i++) {
		if (map->pages[i].ordinary)
			continue;
		change(&map->pages[i], value);
		map->changes++;
	}
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
	kr = oracle_place(map, address, length, 0, anywhere, MACHVM_PROT_ALL);
	if (kr)
		return kr;
	map->changes++;
	for (uint64_t at = 0; at < length; at += ORACLE_PAGE) {
		struct oracle_page *page = oracle_page_new(map, *address + at);

		page->fresh = true;
		oracle_page_fill(page, oracle_cell_new(0));
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
		oracle_cell_put(page->cell);
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
	for (unsigned int i = oracle_index(map, start);
	     i < map->nr_pages && map->pages[i].address < end; i++)
		if (!map->pages[i].ordinary &&
		    protection & MACHVM_PROT_ALL & ~map->pages[i].max_protection)
			return MACHVM_KERN_PROTECTION_FAILURE;
	oracle_each_page(map, start, end, set_maximum ? page_set_maximum : page_protect, protection);
	return MACHVM_KERN_SUCCESS;
}

bool oracle_inheritance_known(uint32_t inheritance)
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

	if (!oracle_inheritance_known(inheritance))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (range_of(address, size, &start, &end))
		oracle_each_page(map, start, end, page_inherit, inheritance);
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
		cells[i] = oracle_cell_copy(oracle_find(map, start + ORACLE_PAGES(i))->cell);
	return cells;
}

static void snapshot_end(struct oracle_cell **cells, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		oracle_cell_put(cells[i]);
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
		return oracle_cell_new(ORACLE_UNKNOWN);
	return oracle_cell_copy(page->cell);
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
	kr = oracle_place(into, &place_at, end - start, 0, true, MACHVM_PROT_ALL);
	if (kr)
		return kr;
	into->changes++;
	for (at = start; at < end; at += ORACLE_PAGE) {
		struct oracle_cell *cell = page_read(oracle_find(from, at), address, size);

		oracle_page_fill(oracle_page_new(into, place_at + (at - start)), cell);
	}
	*data = place_at + (address - start);
	return MACHVM_KERN_SUCCESS;
}

/* Tasks and accesses */

static void page_bequeath(struct oracle_page *page, struct oracle_map *child)
{
	struct oracle_page *twin;

	if (page->inheritance == MACHVM_INHERIT_NONE && !page->ordinary)
		return;
	twin = oracle_page_new(child, page->address);
	*twin = *page;
	twin->wired = false;
	if (page->inheritance == MACHVM_INHERIT_SHARE) {
		page->shared = true;
		page->fresh = false;
		twin->shared = true;
		twin->fresh = false;
		oracle_cell_get(twin->cell);
		return;
	}
	twin->shared = false;
	twin->object = NULL;
	twin->fresh = page->fresh || page->inheritance == MACHVM_INHERIT_ZERO;
	twin->cell = page->inheritance == MACHVM_INHERIT_ZERO ? oracle_cell_new(0) : oracle_cell_copy(page->cell);
}

void oracle_fork(struct oracle_map *parent, struct oracle_map *child)
{
	oracle_init(child, parent->min, parent->max);
	child->limit = parent->limit;
	child->max_limit = parent->max_limit;
	child->wire_limit = parent->wire_limit;
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
