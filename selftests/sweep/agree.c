// SPDX-License-Identifier: GPL-2.0-only
/*
 * agree.c - see agree.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "agree_internal.h"

#include <stdarg.h>
#include <string.h>

void agree_complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# FAIL ");
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

char agree_call_text[256];

const char *agree_last(void)
{
	return agree_call_text;
}

bool agree_compare(int kr, int expected, uint64_t at, uint64_t expected_at)
{
	if (kr == expected && (kr || at == expected_at))
		return true;
	agree_complain("%s: %d at " X ", not %d at " X, agree_call_text, kr, at, expected,
		       expected_at);
	return false;
}

static void make_map(task_t task, struct agree_call *c)
{
	vm_address_t at = c->address;

	c->kr = vm_map(task, &at, c->size, c->how.mask, c->how.anywhere, c->object, c->how.offset,
		       c->how.copy, c->how.protection, c->how.max_protection, c->how.inheritance);
	c->address = at;
}

static void make_read(task_t task, struct agree_call *c)
{
	mach_msg_type_number_t count = ~0U;
	vm_offset_t data = 1;

	c->kr = vm_read(task, c->address, c->size, &data, &count);
	c->other = data;
	if (!c->kr && count != c->size)
		c->kr = KERN_FAILURE;
}

static void make_store(struct agree_call *c)
{
	c->kr = util_why_write(c->address, c->value);
	if (!c->kr)
		c->kr = util_why_write(c->address | (PAGE - 1), c->value);
}

static void make_load(struct agree_call *c)
{
	struct util_access access = util_read(c->address);

	c->kr = access.signal ? access.info ?: access.why : KERN_SUCCESS;
	c->value = access.byte;
	if (!c->kr && util_read(c->address | (PAGE - 1)).byte != c->value)
		c->kr = KERN_FAILURE;
}

static void make_pageout(task_t task, struct agree_call *c)
{
	struct machvm_vm_pageout pageout = {
		.size = sizeof(pageout),
		.task = task == SELF ? MACHVM_TASK_SELF : (int)task,
		.address = c->address,
		.length = c->size,
	};

	c->kr = util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &pageout);
}

void agree_make(task_t task, struct agree_call *c)
{
	vm_address_t at = c->address;

	switch (c->what) {
	case AGREE_ALLOCATE:
		c->kr = vm_allocate(task, &at, c->size, c->flag);
		c->address = at;
		break;
	case AGREE_DEALLOCATE:
		c->kr = vm_deallocate(task, c->address, c->size);
		break;
	case AGREE_PROTECT:
		c->kr = vm_protect(task, c->address, c->size, c->flag, c->value);
		break;
	case AGREE_INHERIT:
		c->kr = vm_inherit(task, c->address, c->size, c->value);
		break;
	case AGREE_MAP:
		make_map(task, c);
		break;
	case AGREE_COPY:
		c->kr = vm_copy(task, c->address, c->size, c->other);
		break;
	case AGREE_READ:
		make_read(task, c);
		break;
	case AGREE_WRITE:
		c->kr = vm_write(task, c->address, c->other, c->size);
		break;
	case AGREE_MSYNC:
		c->kr = vm_msync(task, c->address, c->size, c->value);
		break;
	case AGREE_WIRE:
		c->kr = vm_wire(c->flag ? mach_host_priv() : mach_host_self(), task, c->address,
				c->size, c->value);
		break;
	case AGREE_PAGEOUT:
		make_pageout(task, c);
		break;
	case AGREE_FETCH:
		c->value = util_run(c->address);
		break;
	case AGREE_STORE:
		make_store(c);
		break;
	case AGREE_LOAD:
		make_load(c);
		break;
	}
}

struct agree_call agree_send(struct agree *a, struct agree_call c)
{
	if (a->send)
		a->send(a, &c);
	else
		agree_make(a->task, &c);
	return c;
}

bool agree_allocate(struct agree *a, uint64_t address, uint64_t size, bool anywhere)
{
	struct agree_call c;
	uint64_t expected_at;
	int expected;

	if (!anywhere)
		agree_closed_begin(a, address, size);
	c = MAKE(a, AGREE_ALLOCATE, address, .size = size, .flag = anywhere);
	expected_at = anywhere ? c.address : address;
	expected = oracle_allocate(&a->map, &expected_at, size, anywhere);
	agree_closed_end(a);
	return AGREE(c.kr, expected, c.address, expected_at, "vm_allocate(" X ", " X ", %d)",
		     address, size, anywhere);
}

bool agree_deallocate(struct agree *a, uint64_t address, uint64_t size)
{
	int kr = MAKE(a, AGREE_DEALLOCATE, address, .size = size).kr;

	return AGREE(kr, oracle_deallocate(&a->map, address, size), 0, 0,
		     "vm_deallocate(" X ", " X ")", address, size);
}

bool agree_protect(struct agree *a, uint64_t address, uint64_t size, bool set_maximum,
		   vm_prot_t protection)
{
	int kr = MAKE(a, AGREE_PROTECT, address, .size = size, .flag = set_maximum,
		      .value = protection).kr;

	return AGREE(kr, oracle_protect(&a->map, address, size, set_maximum, protection), 0, 0,
		     "vm_protect(" X ", " X ", %d, %#x)", address, size, set_maximum, protection);
}

bool agree_inherit(struct agree *a, uint64_t address, uint64_t size, vm_inherit_t inheritance)
{
	int kr = MAKE(a, AGREE_INHERIT, address, .size = size, .value = inheritance).kr;

	return AGREE(kr, oracle_inherit(&a->map, address, size, inheritance), 0, 0,
		     "vm_inherit(" X ", " X ", %d)", address, size, inheritance);
}

bool agree_map(struct agree *a, uint64_t address, uint64_t size, const struct agree_mapping *m)
{
	struct oracle_mapping how = m->how;
	int expected = KERN_INVALID_ARGUMENT;
	uint64_t expected_at;
	struct agree_call c;

	if (!how.anywhere)
		agree_closed_begin(a, address, size);
	c = MAKE(a, AGREE_MAP, address, .size = size, .how = how, .object = m->object->port);
	expected_at = how.anywhere ? c.address : address;
	how.object = m->object->oracle;
	if (!m->object->refused)
		expected = oracle_vm_map(&a->map, &expected_at, size, &how);
	agree_closed_end(a);
	return AGREE(c.kr, expected, c.address, expected_at,
		     "vm_map(" X ", " X ", mask " X ", %d, %s, " X ", %d, %#x, %#x, %d)", address,
		     size, how.mask, how.anywhere, m->object->name, how.offset, how.copy,
		     how.protection, how.max_protection, how.inheritance);
}

bool agree_copy(struct agree *a, uint64_t source, uint64_t size, uint64_t destination)
{
	int kr = MAKE(a, AGREE_COPY, source, .size = size, .other = destination).kr;

	return AGREE(kr, oracle_copy(&a->map, source, size, destination), 0, 0,
		     "vm_copy(" X ", " X ", " X ")", source, size, destination);
}

bool agree_read(struct agree *from, uint64_t address, uint64_t size, struct agree *into)
{
	struct agree_call c = MAKE(from, AGREE_READ, address, .size = size);
	uint64_t expected_data = c.other;
	int expected = oracle_read(&from->map, address, size, &into->map, &expected_data);

	return AGREE(c.kr, expected, c.other, expected_data, "vm_read(" X ", " X ")", address,
		     size);
}

bool agree_write(struct agree *a, uint64_t address, struct agree *from, uint64_t data,
		 uint32_t size)
{
	int kr = MAKE(a, AGREE_WRITE, address, .size = size, .other = data).kr;

	return AGREE(kr, oracle_write(&a->map, address, &from->map, data, size), 0, 0,
		     "vm_write(" X ", " X ", %#x)", address, data, size);
}

bool agree_store(struct agree *a, uint64_t address, unsigned char value)
{
	int kr = MAKE(a, AGREE_STORE, address, .value = value).kr;

	if (kr && agree_is_linux(a, address))
		return true;
	return AGREE(kr, oracle_store(&a->map, address, value), 0, 0, "store(" X ", %u)", address,
		     value);
}

bool agree_loaded(const struct agree_call *load, int kr, int value)
{
	if (value == ORACLE_UNKNOWN && load->kr == KERN_FAILURE)
		return true;
	return load->kr == kr && (kr || value == ORACLE_UNKNOWN || (int)load->value == value);
}

bool agree_load(struct agree *a, uint64_t address)
{
	const struct oracle_page *page = oracle_find(&a->map, address);
	struct agree_call c = MAKE(a, AGREE_LOAD, address);
	int expected = oracle_load(&a->map, address);

	if (c.kr && agree_is_linux(a, address))
		return true;
	if (agree_loaded(&c, expected, page ? page->cell->value : ORACLE_UNKNOWN))
		return true;
	return AGREE(c.kr, expected, c.value, page ? page->cell->value : 0,
		     "load(" X ")", address);
}

bool agree_run(struct agree *a, uint64_t address)
{
	const vm_prot_t wanted = VM_PROT_READ | VM_PROT_EXECUTE;
	const struct oracle_page *page = oracle_find(&a->map, address);
	bool runs = (int)MAKE(a, AGREE_FETCH, address).value != -1;
	bool expected = page && (page->protection & wanted) == wanted;

	return AGREE(!runs, !expected, 0, 0, "run(" X ")", address);
}

/* The region that is shown for the page: it and what it says of its object. */
static bool page_agrees(const struct oracle_page *page, const struct machvm_vm_region *region)
{
	if (page->protection != region->out_protection ||
	    page->max_protection != region->out_max_protection ||
	    page->inheritance != region->out_inheritance || oracle_kept(page) != region->out_wired)
		return false;
	if (page->shared && !(region->out_flags & MACHVM_REGION_SHARED))
		return false;
	return !page->object ||
	       page->offset == region->out_offset + (page->address - region->address);
}

/* Checks the pages from @page on that the region covers; returns the first behind it, or NULL. */
static const struct oracle_page *region_agrees(struct agree *a, const struct oracle_page *page,
					       const struct machvm_vm_region *region)
{
	const struct oracle_page *end = a->map.pages + a->map.nr_pages;
	uint64_t at = region->address;

	for (; at < region->address + region->out_length; at += PAGE, page++) {
		while (page < end && page->ordinary)
			page++;
		if (page == end || page->address != at) {
			agree_complain("page " X " of region " X "+" X " should not be there", at,
				       (uint64_t)region->address, (uint64_t)region->out_length);
			return NULL;
		}
		if (page_agrees(page, region))
			continue;
		agree_complain("page " X ": %#x/%#x inherit %u wired %u flags %#x offset " X
			       ", not %#x/%#x inherit %u wired %d shared %d offset " X,
			       at, region->out_protection, region->out_max_protection,
			       region->out_inheritance, region->out_wired, region->out_flags,
			       (uint64_t)region->out_offset, page->protection,
			       page->max_protection, page->inheritance, oracle_kept(page), page->shared,
			       page->offset);
		return NULL;
	}
	return page;
}

bool agree_regions(struct agree *a)
{
	const struct oracle_page *page = a->map.pages, *end = page + a->map.nr_pages;
	struct machvm_vm_region region;
	uint64_t at = 0;

	while (util_region_full(a->fd, at, &region) == KERN_SUCCESS) {
		page = region_agrees(a, page, &region);
		if (!page)
			return false;
		at = region.address + region.out_length;
		if (!region.out_length) {
			agree_complain("region " X " is empty", (uint64_t)region.address);
			return false;
		}
	}
	while (page < end && page->ordinary)
		page++;
	if (page != end)
		agree_complain("page " X " should be there", page->address);
	return page == end;
}

bool agree_region(struct agree *a, uint64_t address)
{
	const struct oracle_page *page = oracle_next(&a->map, address);
	vm_prot_t protection = -1, maximum = -1;
	memory_object_name_t name;
	vm_address_t at = address;
	vm_inherit_t inheritance;
	boolean_t shared;
	vm_offset_t offset;
	vm_size_t size = 0;
	int kr;

	kr = vm_region(a->task, &at, &size, &protection, &maximum, &inheritance, &shared, &name,
		       &offset);
	if (!page || kr)
		return AGREE(kr, page ? KERN_SUCCESS : KERN_NO_SPACE, at, address, "vm_region(" X ")",
			     address) && at == address;
	if (at <= page->address && page->address < at + size && !(size % PAGE) &&
	    (at == page->address || page->address <= address) &&
	    protection == page->protection && maximum == page->max_protection &&
	    inheritance == page->inheritance && (!page->object || name != MACH_PORT_NULL))
		return true;
	agree_complain("vm_region(" X "): " X "+" X " %#x/%#x inherit %d name %u", address, at, size,
		       protection, maximum, inheritance, name);
	return false;
}

static bool page_holds(const struct oracle_page *page)
{
	const unsigned char *bytes = (const unsigned char *)page->address;
	unsigned char first = bytes[0], last = bytes[PAGE - 1];

	if (first == page->cell->value && last == first)
		return true;
	agree_complain("page " X " holds %u and %u, not %u", page->address, first, last,
		       page->cell->value);
	return false;
}

bool agree_contents(struct agree *a, bool all)
{
	for (unsigned int i = 0; i < a->map.nr_pages; i++) {
		const struct oracle_page *page = &a->map.pages[i];

		if (!page->ordinary && oracle_load(&a->map, page->address))
			continue;
		if (page->cell->value != ORACLE_UNKNOWN && (all || !page->fresh) &&
		    !page_holds(page))
			return false;
	}
	return true;
}

void agree_clear(struct agree *a)
{
	vm_deallocate(a->task, 0, ORACLE_USER_END);
	oracle_deallocate(&a->map, 0, ORACLE_USER_END);
}
