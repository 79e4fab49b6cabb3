// SPDX-License-Identifier: GPL-2.0-only
/*
 * agree_wire.c - memory that stays, limits, and what drivers ask for.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "agree_internal.h"

bool agree_wire(struct agree *a, bool privileged, uint64_t address, uint64_t size,
		vm_prot_t access)
{
	int kr = MAKE(a, AGREE_WIRE, address, .size = size, .flag = privileged, .value = access).kr;

	return AGREE(kr, oracle_wire(&a->map, address, size, access, privileged), 0, 0,
		     "vm_wire(%d, " X ", " X ", %#x)", privileged, address, size, access);
}

bool agree_wire_all(struct agree *a, vm_wire_t flags)
{
	int kr = vm_wire_all(mach_host_priv(), a->task, flags);

	return AGREE(kr, oracle_wire_all(&a->map, flags), 0, 0, "vm_wire_all(%#x)", flags);
}

bool agree_set_size_limit(struct agree *a, bool privileged, uint64_t limit, uint64_t max_limit)
{
	vm_size_t now = 1, most = 1;
	int kr;

	kr = vm_set_size_limit(privileged ? mach_host_priv() : mach_host_self(), a->task, limit,
			       max_limit);
	if (!AGREE(kr, oracle_set_size_limit(&a->map, limit, max_limit, privileged), 0, 0,
		   "vm_set_size_limit(%d, " X ", " X ")", privileged, limit, max_limit))
		return false;
	kr = vm_get_size_limit(a->task, &now, &most);
	return AGREE(kr, KERN_SUCCESS, now, a->map.limit, "vm_get_size_limit()") &&
	       AGREE(kr, KERN_SUCCESS, most, a->map.max_limit, "vm_get_size_limit(), maximum");
}

bool agree_allocate_contiguous(struct agree *a, uint64_t size, uint64_t pmin, uint64_t pmax,
			       uint64_t palign)
{
	rpc_phys_addr_t physical = 1;
	uint64_t expected_at;
	vm_address_t at = 0;
	int expected, kr;

	kr = vm_allocate_contiguous(mach_host_priv(), a->task, &at, &physical, size, pmin, pmax,
				    palign);
	expected_at = at;
	expected = oracle_allocate_contiguous(&a->map, &expected_at, size, pmin, pmax, palign);
	if (!AGREE(kr, expected, at, expected_at,
		   "vm_allocate_contiguous(" X ", " X ", " X ", " X ")", size, pmin, pmax, palign))
		return false;
	if (kr || (physical % PAGE == 0 && physical && physical + size - 1 <= pmax))
		return true;
	agree_complain("%s lies at " X, agree_last(), (uint64_t)physical);
	return false;
}

/* Of each page: none if nothing is there, some where it is wired. */
static bool phys_agree(struct agree *a, uint64_t address, const rpc_phys_addr_t *pages,
		       unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct oracle_page *page = oracle_find(&a->map, address + PAGES(i));
		bool absent = !page || page->ordinary, there = page && oracle_kept(page);

		if (pages[i] % PAGE == 0 && !(absent && pages[i]) && !(there && !pages[i]))
			continue;
		agree_complain("page " X " lies at " X, address + PAGES(i), (uint64_t)pages[i]);
		return false;
	}
	return true;
}

bool agree_pages_phys(struct agree *a, uint64_t address, uint64_t size)
{
	mach_msg_type_number_t count = 64;
	rpc_phys_addr_t room[64], *pages = room;
	int kr = vm_pages_phys(mach_host_priv(), a->task, address, size, &pages, &count);
	bool agreed = AGREE(kr, oracle_pages_phys(address, size), kr ? 0 : count, size / PAGE,
			    "vm_pages_phys(" X ", " X ")", address, size);

	if (kr)
		return agreed;
	agreed = agreed && phys_agree(a, address, pages, count);
	if (pages != room)
		vm_deallocate(SELF, (vm_address_t)pages, count * sizeof(*pages));
	return agreed;
}

bool agree_machine_attribute(struct agree *a, uint64_t address, uint64_t size,
			     vm_machine_attribute_t attribute, vm_machine_attribute_val_t value)
{
	vm_machine_attribute_val_t was = value;
	int kr = vm_machine_attribute(a->task, address, size, attribute, &value);

	return AGREE(kr, oracle_machine_attribute(address, size), 0, 0,
		     "vm_machine_attribute(" X ", " X ", %u, %d)", address, size, attribute, was) &&
	       value == was;
}

bool agree_pageout(struct agree *a, uint64_t address, uint64_t size)
{
	int kr = MAKE(a, AGREE_PAGEOUT, address, .size = size).kr;

	return AGREE(kr, KERN_SUCCESS, 0, 0, "pageout(" X ", " X ")", address, size);
}
