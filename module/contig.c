// SPDX-License-Identifier: GPL-2.0-only
/*
 * contig.c - memory for drivers in user space: where pages are, and pages that lie side by side.
 * Callers: dev.c, which has checked the caller's privilege.
 * Never: moves a page: what is to stay where it is said to be must be wired.
 * Locks: map->lock and family->lock for reading.
 */
#include "contig.h"
#include <linux/io.h>
#include <linux/mm.h>
#include "map.h"
#include "object.h"
#include "page.h"
#include "vm.h"

/* The largest block that Linux gives to modules, 4 MiB. */
#define ORDER_MAX 10

/* From the whole of memory, and from the parts that old devices reach. */
static const gfp_t zones[] = { 0, __GFP_DMA32, __GFP_DMA };

/* 2^@order pages no byte of which lies above @pmax; each can be freed by itself. */
static struct page *block_alloc(unsigned int order, u64 pmax)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(zones); i++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_ACCOUNT | __GFP_ZERO |
						__GFP_NOWARN | zones[i], order);

		if (!page)
			continue;
		if (page_to_phys(page) + (PAGE_SIZE << order) - 1 <= pmax) {
			split_page(page, order);
			return page;
		}
		__free_pages(page, order);
	}
	return NULL;
}

/* Makes the pages those of the object.  Returns how many it took; the others are the caller's. */
static unsigned long fill_object(struct machvm_object *object, struct page *page, unsigned long nr)
{
	unsigned long done;

	down_read(&object->family->lock);
	for (done = 0; done < nr; done++) {
		if (!machvm_page_own(page + done, object->user))
			break;
		if (machvm_page_insert(object, done, page_folio(page + done))) {
			machvm_page_disown(page_folio(page + done));
			break;
		}
	}
	up_read(&object->family->lock);
	return done;
}

static struct machvm_object *contig_object(struct machvm_map *map, unsigned long nr, u64 pmax,
					   u64 *paddr)
{
	struct machvm_object *object = machvm_object_create(map->user, NULL);
	unsigned int order = get_order(nr << PAGE_SHIFT);
	unsigned long done, i;
	struct page *page;

	if (!object)
		return NULL;
	page = block_alloc(order, pmax);
	if (!page)
		goto err_object;
	*paddr = page_to_phys(page);
	done = fill_object(object, page, nr);
	for (i = done; i < 1UL << order; i++)
		__free_page(page + i);
	if (done == nr)
		return object;
err_object:
	machvm_object_put(object);
	return NULL;
}

/**
 * machvm_contig_allocate - wired memory whose pages lie side by side
 * @map: whose
 * @length: bytes
 * @pmax: no byte lies above it
 * @addr: out: where the task sees it
 * @paddr: out: where it lies
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT, KERN_NO_SPACE, KERN_RESOURCE_SHORTAGE, or as
 * machvm_map_lock().
 */
int machvm_contig_allocate(struct machvm_map *map, u64 length, u64 pmax, u64 *addr, u64 *paddr)
{
	struct machvm_object *object;
	int kr;

	length = PAGE_ALIGN(length);
	if (!length)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (length > PAGE_SIZE << ORDER_MAX)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	object = contig_object(map, length >> PAGE_SHIFT, pmax, paddr);
	if (!object)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = machvm_vm_map_wired(map, object, length, addr);
	machvm_object_put(object);
	return kr;
}

static u64 phys_of_locked(struct machvm_map *map, u64 addr)
{
	struct machvm_entry *entry = machvm_map_lookup_locked(map, addr);
	struct folio *folio;
	u64 paddr = 0;

	if (!entry || !entry->object)
		return 0;
	down_read(&entry->object->family->lock);
	folio = machvm_object_answer_locked(entry->object,
					    machvm_entry_offset(entry, addr) >> PAGE_SHIFT);
	if (folio)
		paddr = page_to_phys(folio_page(folio, 0));
	up_read(&entry->object->family->lock);
	return paddr;
}

/* Where each of the pages lies that the task would see at @addr and behind it; 0: not resident. */
int machvm_contig_phys(struct machvm_map *map, u64 addr, u64 *phys, unsigned long nr)
{
	unsigned long i;

	if (down_read_killable(&map->lock))
		return -EINTR;
	for (i = 0; i < nr; i++)
		phys[i] = phys_of_locked(map, addr + i * PAGE_SIZE);
	up_read(&map->lock);
	return MACHVM_KERN_SUCCESS;
}
