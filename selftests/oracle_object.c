// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle_object.c - memory objects, rights to parts of them, and what becomes of both when they
 * are mapped.
 */
#include "oracle_internal.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MOST 1024
#define LEVELS_MOST 16

void oracle_object_init(struct oracle_object *object, unsigned int nr_pages,
			unsigned char (*value)(unsigned int page))
{
	memset(object, 0, sizeof(*object));
	object->nr_pages = nr_pages;
	object->value = value;
	object->cells = calloc(nr_pages, sizeof(*object->cells));
	if (!object->cells)
		abort();
	for (unsigned int i = 0; i < nr_pages; i++)
		object->cells[i] = oracle_cell_new(value(i));
}

void oracle_object_end(struct oracle_object *object)
{
	for (unsigned int i = 0; i < object->nr_pages; i++)
		oracle_cell_put(object->cells[i]);
	free(object->cells);
	free(object->parts);
	memset(object, 0, sizeof(*object));
}

/* Proxies */

static int part_check(const struct oracle_part *part)
{
	if ((part->offset | part->start) % ORACLE_PAGE ||
	    part->offset + part->length < part->offset || part->start + part->length < part->start)
		return MACHVM_KERN_INVALID_ARGUMENT;
	return MACHVM_KERN_SUCCESS;
}

static bool parts_overlap(const struct oracle_part *one, const struct oracle_part *other)
{
	return one->offset < other->offset + other->length &&
	       other->offset < one->offset + one->length;
}

/* A memory object is none, a proxy of it one, and so on. */
static unsigned int level_of(const struct oracle_object *object)
{
	unsigned int most = 0;

	for (unsigned int i = 0; i < object->nr_parts; i++) {
		unsigned int level = 1 + level_of(object->parts[i].object);

		if (level > most)
			most = level;
	}
	return most;
}

/* What is wrong with rights comes before what is wrong with ranges. */
static int proxy_check(uint32_t max_protection, unsigned int count, const struct oracle_part *parts)
{
	int kr = MACHVM_KERN_SUCCESS;

	if (max_protection & ~MACHVM_PROT_ALL || !count || count > PARTS_MOST)
		return MACHVM_KERN_INVALID_ARGUMENT;
	for (unsigned int i = 0; i < count && !kr; i++)
		if (!parts[i].object)
			kr = MACHVM_KERN_INVALID_NAME;
	for (unsigned int i = 0; i < count && !kr; i++) {
		kr = part_check(&parts[i]);
		for (unsigned int j = 0; j < i && !kr; j++)
			if (parts_overlap(&parts[i], &parts[j]))
				kr = MACHVM_KERN_INVALID_ARGUMENT;
	}
	for (unsigned int i = 0; i < count && !kr; i++)
		if (level_of(parts[i].object) >= LEVELS_MOST)
			kr = MACHVM_KERN_RESOURCE_SHORTAGE;
	return kr;
}

int oracle_proxy(struct oracle_object *proxy, uint32_t max_protection, unsigned int count,
		 const struct oracle_part *parts)
{
	int kr = proxy_check(max_protection, count, parts);

	memset(proxy, 0, sizeof(*proxy));
	if (kr)
		return kr;
	proxy->max_protection = max_protection;
	proxy->nr_parts = count;
	proxy->parts = calloc(count, sizeof(*parts));
	if (!proxy->parts)
		abort();
	memcpy(proxy->parts, parts, count * sizeof(*parts));
	return MACHVM_KERN_SUCCESS;
}

/* The pages of a region, whose maximum is that of the first, as an object. */
static void region_object(struct oracle_object *object, const struct oracle_map *map,
			  uint64_t address, unsigned int nr_pages)
{
	memset(object, 0, sizeof(*object));
	object->nameless = true;
	object->nr_pages = nr_pages;
	object->cells = calloc(nr_pages, sizeof(*object->cells));
	if (!object->cells)
		abort();
	for (unsigned int i = 0; i < nr_pages; i++)
		object->cells[i] =
			oracle_cell_get(oracle_find(map, address + ORACLE_PAGES(i))->cell);
}

int oracle_region_proxy(struct oracle_object *proxy, struct oracle_object *region,
			const struct oracle_map *map, uint64_t address, uint64_t length,
			uint32_t max_protection, uint64_t end)
{
	const struct oracle_page *page = oracle_find(map, address);
	struct oracle_part part = { .object = region, .length = trunc_page(length) };

	if (max_protection & ~MACHVM_PROT_ALL || address % ORACLE_PAGE || !part.length)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!oracle_next(map, address))
		return MACHVM_KERN_NO_SPACE;
	if (!page || page->ordinary)
		return MACHVM_KERN_INVALID_ADDRESS;
	if (length > end - address)
		return MACHVM_KERN_INVALID_ARGUMENT;
	region_object(region, map, address, part.length / ORACLE_PAGE);
	return oracle_proxy(proxy, max_protection & page->max_protection, 1, &part);
}

/* Mapping */

/* What is at a byte of an object. */
struct shown {
	struct oracle_object *object;	/* none but memory objects */
	uint64_t offset;
	uint32_t rights;	/* that all levels leave */
};

static bool object_shows(struct oracle_object *object, uint64_t offset, struct shown *shown)
{
	*shown = (struct shown){ object, offset, MACHVM_PROT_ALL };
	for (;;) {
		const struct oracle_part *part = shown->object->parts;
		const struct oracle_part *last = part + shown->object->nr_parts;

		if (shown->object->revoked)
			return false;
		if (part == last)
			return true;
		while (part < last && (shown->offset < part->offset ||
				       shown->offset - part->offset >= trunc_page(part->length)))
			part++;
		if (part == last)
			return false;
		shown->rights &= shown->object->max_protection;
		shown->offset = part->start + (shown->offset - part->offset);
		shown->object = part->object;
	}
}

/* All of the range must be shown, and for a copy be readable. */
static int range_check(const struct oracle_mapping *mapping, uint64_t length)
{
	struct shown shown;
	int kr = MACHVM_KERN_SUCCESS;

	for (uint64_t at = 0; at < length && mapping->object->nr_parts; at += ORACLE_PAGE) {
		if (!object_shows(mapping->object, mapping->offset + at, &shown))
			return MACHVM_KERN_INVALID_ARGUMENT;
		if (mapping->copy && !(shown.rights & MACHVM_PROT_READ))
			kr = MACHVM_KERN_PROTECTION_FAILURE;
	}
	return kr;
}

/* Without an object nothing that is said about it is looked at. */
static int mapping_check(const struct oracle_mapping *mapping, uint64_t length)
{
	if (!length || (mapping->protection | mapping->max_protection) & ~MACHVM_PROT_ALL ||
	    !oracle_inheritance_known(mapping->inheritance))
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!mapping->object)
		return MACHVM_KERN_SUCCESS;
	/* The last byte of an object is number 2^64 - 1. */
	if (mapping->offset % ORACLE_PAGE || mapping->offset + (length - 1) < mapping->offset)
		return MACHVM_KERN_INVALID_ARGUMENT;
	return range_check(mapping, length);
}

/* What is in the page of the object is shared, or copied as it is now. */
static void page_show(struct oracle_page *page, const struct oracle_mapping *mapping,
		      uint64_t offset)
{
	struct oracle_cell *cell;
	struct shown shown;

	object_shows(mapping->object, offset, &shown);
	if (shown.offset / ORACLE_PAGE >= shown.object->nr_pages) {
		oracle_page_fill(page, oracle_cell_new(ORACLE_UNKNOWN));
	} else {
		cell = shown.object->cells[shown.offset / ORACLE_PAGE];
		oracle_page_fill(page, mapping->copy ? oracle_cell_copy(cell) :
						       oracle_cell_get(cell));
	}
	if (mapping->copy)
		return;
	page->protection &= shown.rights;
	page->max_protection &= shown.rights;
	if (shown.object->nameless)
		return;
	page->object = shown.object;
	page->offset = shown.offset;
}

/* Those of the first page: what more there is to be had of others is of no use to all. */
static uint32_t rights_of(const struct oracle_mapping *mapping)
{
	struct shown shown;

	if (!mapping->object || mapping->copy)
		return MACHVM_PROT_ALL;
	return object_shows(mapping->object, mapping->offset, &shown) ? shown.rights : 0;
}

int oracle_vm_map(struct oracle_map *map, uint64_t *address, uint64_t size,
		  const struct oracle_mapping *mapping)
{
	uint64_t length = round_page(size);
	int kr = mapping_check(mapping, length);

	if (!kr)
		kr = oracle_place(map, address, length, mapping->mask, mapping->anywhere,
				  mapping->max_protection & rights_of(mapping));
	if (kr)
		return kr;
	map->changes++;
	for (uint64_t at = 0; at < length; at += ORACLE_PAGE) {
		struct oracle_page *page = oracle_page_new(map, *address + at);

		page->max_protection = mapping->max_protection;
		page->protection = mapping->protection & mapping->max_protection;
		page->inheritance = mapping->inheritance;
		page->fresh = !mapping->object;
		if (mapping->object)
			page_show(page, mapping, mapping->offset + at);
		else
			oracle_page_fill(page, oracle_cell_new(0));
	}
	return MACHVM_KERN_SUCCESS;
}
