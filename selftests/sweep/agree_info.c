// SPDX-License-Identifier: GPL-2.0-only
/*
 * agree_info.c - what is told of regions and objects, and rights to parts of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "agree_internal.h"

#include <mach/mach4.h>
#include <mach_debug/mach_debug.h>
#include <string.h>

/* Names are numbers, and this is none yet. */
#define NO_NAME 0x7ffffff0

static bool info_agrees(const struct oracle_page *page, const vm_region_info_t *info)
{
	return info->vri_start <= page->address && page->address < info->vri_end &&
	       info->vri_protection == page->protection &&
	       info->vri_max_protection == page->max_protection &&
	       info->vri_inheritance == page->inheritance &&
	       info->vri_wired_count == oracle_kept(page) &&
	       info->vri_user_wired_count == oracle_kept(page) &&
	       (!page->shared || info->vri_sharing == 1) &&
	       (!page->object || (info->vri_object && page->offset == info->vri_offset +
			(page->address - info->vri_start)));
}

bool agree_region_info(struct agree *a, uint64_t address)
{
	const struct oracle_page *page = oracle_next(&a->map, address);
	memory_object_name_t name = 1;
	vm_region_info_t info;
	int kr = mach_vm_region_info(a->task, address, &info, &name);

	if (!AGREE(kr, page ? KERN_SUCCESS : KERN_NO_SPACE, 0, 0, "mach_vm_region_info(" X ")",
		   address))
		return false;
	if (kr || (info_agrees(page, &info) && !name == !info.vri_object &&
		   (info.vri_start == page->address || page->address == (address & -PAGE))))
		return true;
	agree_complain("%s: " X "-" X " %#x/%#x inherit %u wired %u sharing %u object %u",
		       agree_last(), (uint64_t)info.vri_start, (uint64_t)info.vri_end,
		       info.vri_protection, info.vri_max_protection, info.vri_inheritance,
		       info.vri_wired_count, info.vri_sharing, name);
	return false;
}

static bool object_agrees(const struct oracle_page *page, const vm_region_info_t *region,
			  const vm_object_info_t *info)
{
	bool has_pager = info->voi_state & VOI_STATE_PAGER_CREATED;

	return info->voi_object == region->vri_object && info->voi_pagesize == PAGE && info->voi_ref_count &&
	       info->voi_state & VOI_STATE_ALIVE &&
	       has_pager == !(info->voi_state & VOI_STATE_INTERNAL) &&
	       (!page->object || has_pager) && !info->voi_paging_offset && !info->voi_last_alloc &&
	       region->vri_offset + (region->vri_end - region->vri_start) <= info->voi_size;
}

/*
 * In order, all inside the object, unless a pager, of this one or of one that it copies, has
 * supplied more than anybody shows; the one at @offset is wired if it is to be.
 */
static bool pages_agree(const vm_page_info_t *pages, unsigned int count,
			const vm_object_info_t *info, uint64_t offset, bool wired)
{
	bool inside = !(info->voi_state & VOI_STATE_PAGER_CREATED) && !info->voi_shadow;
	bool found = false;

	for (unsigned int i = 0; i < count; i++) {
		if (pages[i].vpi_offset % PAGE ||
		    (inside && pages[i].vpi_offset >= info->voi_size) ||
		    (i && pages[i].vpi_offset <= pages[i - 1].vpi_offset))
			return false;
		found |= pages[i].vpi_offset == offset && pages[i].vpi_wire_count == 1;
	}
	return count == info->voi_resident_page_count + info->voi_absent_count &&
	       (found || !wired);
}

static bool phys_agrees(const vm_page_info_t *pages, unsigned int count, memory_object_name_t name)
{
	vm_page_phys_info_t room[2], *phys = room;
	mach_msg_type_number_t nr = 2;
	bool agreed;

	if (mach_vm_object_pages_phys(name, &phys, &nr))
		return false;
	agreed = nr == count;
	for (unsigned int i = 0; agreed && i < count; i++)
		agreed = phys[i].vpi_offset == pages[i].vpi_offset && phys[i].vpi_phys_addr &&
			 phys[i].vpi_phys_addr % PAGE == 0 && !pages[i].vpi_phys_addr;
	if (phys != room)
		vm_deallocate(SELF, (vm_address_t)phys, nr * sizeof(*phys));
	return agreed;
}

static bool object_pages_agree(const struct oracle_page *page, memory_object_name_t name,
			       const vm_region_info_t *region, const vm_object_info_t *info)
{
	uint64_t offset = region->vri_offset + (page->address - region->vri_start);
	bool wired = oracle_kept(page), agreed;
	vm_page_info_t room[4], *pages = room;
	mach_msg_type_number_t nr = 4;

	if (mach_vm_object_pages(name, &pages, &nr))
		return false;
	agreed = pages_agree(pages, nr, info, offset, wired) && phys_agrees(pages, nr, name);
	if (pages != room)
		vm_deallocate(SELF, (vm_address_t)pages, nr * sizeof(*pages));
	return agreed;
}

static bool no_object(memory_object_name_t name)
{
	mach_msg_type_number_t nr = 0;
	memory_object_name_t shadow, copy;
	vm_page_phys_info_t *phys = NULL;
	vm_page_info_t *pages = NULL;
	vm_object_info_t info;

	return AGREE(mach_vm_object_info(name, &info, &shadow, &copy), KERN_INVALID_ARGUMENT, 0, 0,
		     "mach_vm_object_info(%u)", name) &&
	       AGREE(mach_vm_object_pages(name, &pages, &nr), KERN_INVALID_ARGUMENT, 0, 0,
		     "mach_vm_object_pages(%u)", name) &&
	       AGREE(mach_vm_object_pages_phys(name, &phys, &nr), KERN_INVALID_ARGUMENT, 0, 0,
		     "mach_vm_object_pages_phys(%u)", name);
}

bool agree_object_info(struct agree *a, uint64_t address)
{
	const struct oracle_page *page = oracle_next(&a->map, address);
	memory_object_name_t name = MACH_PORT_NULL, shadow, copy;
	vm_region_info_t region;
	vm_object_info_t info;

	if (!no_object(MACH_PORT_NULL) || !no_object(NO_NAME))
		return false;
	if (!page || mach_vm_region_info(a->task, address, &region, &name) || !name)
		return !page || !page->object;
	if (!AGREE(mach_vm_object_info(name, &info, &shadow, &copy), KERN_SUCCESS, 0, 0,
		   "mach_vm_object_info(%u)", name))
		return false;
	if (object_agrees(page, &region, &info) &&
	    object_pages_agree(page, name, &region, &info) && !shadow == !info.voi_shadow &&
	    !copy == !info.voi_copy)
		return true;
	agree_complain("object %u of " X ": size " X " refs %u state %#x, %u resident", name,
		       page->address, (uint64_t)info.voi_size, info.voi_ref_count, info.voi_state,
		       info.voi_resident_page_count);
	return false;
}

#define PARTS 1200

static void proxy_made(struct agree_object *proxy, mach_port_t port)
{
	proxy->name = "proxy";
	proxy->port = port;
	proxy->oracle = &proxy->own[0];
}

bool agree_proxy(struct agree_object *proxy, vm_prot_t max_protection, unsigned int count,
		 struct agree_object *const *objects, const struct oracle_part *parts)
{
	static vm_offset_t offset[PARTS], start[PARTS];
	static memory_object_t object[PARTS];
	static struct oracle_part known[PARTS];
	static vm_size_t length[PARTS];
	mach_port_t port = MACH_PORT_NULL;
	int kr, expected;

	memset(proxy, 0, sizeof(*proxy));
	for (unsigned int i = 0; i < count && i < PARTS; i++) {
		known[i] = parts[i];
		known[i].object = objects[i]->oracle;
		object[i] = objects[i]->port;
		offset[i] = parts[i].offset;
		start[i] = parts[i].start;
		length[i] = parts[i].length;
	}
	kr = memory_object_create_proxy(SELF, max_protection, object, MACH_MSG_TYPE_COPY_SEND,
					count, offset, count, start, count, length, count, &port);
	expected = oracle_proxy(&proxy->own[0], max_protection, count, known);
	if (!kr)
		proxy_made(proxy, port);
	return AGREE(kr, expected, 0, 0,
		     "memory_object_create_proxy(%#x, %u of %s, " X ", " X ", " X ")",
		     max_protection, count, count ? objects[0]->name : "", count ? offset[0] : 0,
		     count ? start[0] : 0, count ? length[0] : 0);
}

bool agree_region_proxy(struct agree *a, uint64_t address, uint64_t size, vm_prot_t max_protection,
			struct agree_object *proxy)
{
	mach_port_t port = MACH_PORT_NULL;
	vm_region_info_t info = {};
	memory_object_name_t name;
	int kr, expected;

	memset(proxy, 0, sizeof(*proxy));
	mach_vm_region_info(a->task, address, &info, &name);
	kr = vm_region_create_proxy(a->task, address, max_protection, size, &port);
	expected = oracle_region_proxy(&proxy->own[0], &proxy->own[1], &a->map, address, size,
				       max_protection, info.vri_end);
	if (!kr)
		proxy_made(proxy, port);
	return AGREE(kr, expected, 0, 0, "vm_region_create_proxy(" X ", %#x, " X ")", address,
		     max_protection, size);
}

void agree_object_end(struct agree_object *object)
{
	if (object->oracle != &object->own[0])
		return;
	mach_port_deallocate(SELF, object->port);
	oracle_object_end(&object->own[0]);
	oracle_object_end(&object->own[1]);
	object->oracle = NULL;
}
