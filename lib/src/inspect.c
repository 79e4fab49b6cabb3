// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * inspect.c - the debugging calls: regions, objects and their pages.
 */
#include <limits.h>
#include <stddef.h>

#include "internal.h"

#pragma GCC visibility push(default)
#include <mach_debug/mach_debug.h>
#pragma GCC visibility pop

/* The kernel fills in the caller's arrays. */
_Static_assert(sizeof(vm_page_info_t) == sizeof(struct machvm_page_info), "size");
_Static_assert(sizeof(vm_page_phys_info_t) == sizeof(struct machvm_page_info), "size");
_Static_assert(offsetof(vm_page_info_t, vpi_state) == offsetof(struct machvm_page_info, state),
	       "order");
_Static_assert(offsetof(vm_page_phys_info_t, vpi_phys_addr) ==
	       offsetof(struct machvm_page_info, phys), "order");

static unsigned int natural(uint64_t value)
{
	return value > UINT_MAX ? UINT_MAX : (unsigned int)value;
}

kern_return_t mach_vm_region_info(vm_task_t task, vm_address_t address, vm_region_info_t *region,
				  memory_object_name_t *object)
{
	struct machvm_vm_region args = {
		.size = sizeof(args),
		.address = address,
	};
	kern_return_t result;

	if (!mv_port_task(task, &args.task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_VM_REGION, &args);
	if (result != KERN_SUCCESS)
		return result;
	*region = (vm_region_info_t){
		.vri_start = args.address,
		.vri_end = args.address + args.out_length,
		.vri_protection = (vm_prot_t)args.out_protection,
		.vri_max_protection = (vm_prot_t)args.out_max_protection,
		.vri_inheritance = (vm_inherit_t)args.out_inheritance,
		.vri_wired_count = args.out_wired,
		.vri_user_wired_count = args.out_wired,
		.vri_object = args.out_object,
		.vri_offset = args.out_offset,
		.vri_needs_copy = !!(args.out_flags & MACHVM_REGION_NEEDS_COPY),
		.vri_sharing = !!(args.out_flags & MACHVM_REGION_SHARED),
	};
	*object = mv_port_name(args.out_object);
	return KERN_SUCCESS;
}

/* A name has the lower bits of a number: looks for a living object whose number ends in them. */
kern_return_t mv_object_find(memory_object_name_t name, struct machvm_object_info *args)
{
	uint64_t low = name & MV_NAME_MASK, id = low;
	kern_return_t result;

	if (!MACH_PORT_VALID(name) || (name & ~MV_NAME_MASK) != MV_NAME_BIT)
		return KERN_INVALID_ARGUMENT;
	for (;;) {
		*args = (struct machvm_object_info){ .size = sizeof(*args), .id = id };
		result = mv_device_call(MACHVM_OBJECT_INFO, args);
		if (result == KERN_FAILURE && !mv_device_trouble)
			return KERN_INVALID_ARGUMENT;	/* none from there on */
		if (result != KERN_SUCCESS || (args->id & MV_NAME_MASK) == low)
			return result;
		id = (args->id & ~(uint64_t)MV_NAME_MASK) | low;
		if (id < args->id)
			id += MV_NAME_BIT;
	}
}

static vm_object_info_state_t object_state(uint32_t flags)
{
	vm_object_info_state_t state = VOI_STATE_ALIVE;

	if (flags & MACHVM_OBJECT_INTERNAL)
		return state | VOI_STATE_INTERNAL | VOI_STATE_TEMPORARY;
	state |= VOI_STATE_PAGER_CREATED;
	if (flags & MACHVM_OBJECT_INITIALIZED)
		state |= VOI_STATE_PAGER_INITIALIZED;
	if (flags & MACHVM_OBJECT_READY)
		state |= VOI_STATE_PAGER_READY;
	if (flags & MACHVM_OBJECT_CACHEABLE)
		state |= VOI_STATE_CAN_PERSIST;
	if (flags & MACHVM_OBJECT_TEMPORARY)
		state |= VOI_STATE_TEMPORARY;
	return state;
}

kern_return_t mach_vm_object_info(memory_object_name_t object, vm_object_info_t *info,
				  memory_object_name_t *shadow, memory_object_name_t *copy)
{
	struct machvm_object_info args;
	kern_return_t result = mv_object_find(object, &args);

	if (result != KERN_SUCCESS)
		return result;
	*info = (vm_object_info_t){
		.voi_object = args.id,
		.voi_pagesize = vm_page_size,
		.voi_size = args.out_size,
		.voi_ref_count = args.out_ref_count,
		.voi_resident_page_count = natural(args.out_resident),
		.voi_absent_count = natural(args.out_requests),
		.voi_copy = args.out_copy,
		.voi_shadow = args.out_shadow,
		.voi_shadow_offset = args.out_shadow_offset,
		.voi_copy_strategy = (memory_object_copy_strategy_t)args.out_copy_strategy,
		.voi_paging_in_progress = natural(args.out_requests),
		.voi_state = object_state(args.out_flags),
	};
	*shadow = mv_port_name(args.out_shadow);
	*copy = mv_port_name(args.out_copy);
	return KERN_SUCCESS;
}

/* All pages into an array with that much room; more tells whether they did not fit. */
static kern_return_t pages_fill(uint64_t id, uint32_t flags, void *array,
				mach_msg_type_number_t *count, bool *more)
{
	struct machvm_object_pages args = {
		.size = sizeof(args),
		.flags = flags,
		.id = id,
		.address = (uintptr_t)array,
		.count = *count,
	};
	kern_return_t result = mv_device_call(MACHVM_OBJECT_PAGES, &args);

	if (result == KERN_FAILURE && !mv_device_trouble)
		return KERN_INVALID_ARGUMENT;	/* gone since */
	*count = args.count;
	*more = args.offset != UINT64_MAX;
	return result;
}

/* Memory that no neighbour takes in, so that looking at an object does not change it. */
static kern_return_t pages_allocate(vm_address_t *array, vm_size_t bytes)
{
	*array = 0;
	return vm_map(mach_task_self(), array, bytes, 0, TRUE, MEMORY_OBJECT_NULL, 0, FALSE,
		      VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_NONE);
}

/* Callers free what the answer takes up, and know of no more. */
static void pages_trim(vm_address_t array, vm_size_t bytes, vm_size_t used)
{
	vm_size_t kept = (used + vm_page_size - 1) & ~(vm_page_size - 1);

	if (bytes > kept)
		vm_deallocate(mach_task_self(), array + kept, bytes - kept);
}

static kern_return_t object_pages(memory_object_name_t object, uint32_t flags, void **pages,
				  mach_msg_type_number_t *count)
{
	mach_msg_type_number_t room = *count;
	struct machvm_object_info info;
	kern_return_t result = mv_object_find(object, &info);
	vm_address_t array = (vm_address_t)*pages;
	vm_size_t bytes = 0;
	bool more;

	if (result != KERN_SUCCESS)
		return result;
	for (;;) {
		*count = room;
		result = pages_fill(info.id, flags, (void *)array, count, &more);
		if (result == KERN_SUCCESS && !more)
			break;
		if (bytes)
			vm_deallocate(mach_task_self(), array, bytes);
		if (result != KERN_SUCCESS)
			return result;
		room = natural(2 * (uint64_t)room + info.out_resident + info.out_requests + 1);
		bytes = (vm_size_t)room * sizeof(struct machvm_page_info);
		result = pages_allocate(&array, bytes);
		if (result != KERN_SUCCESS)
			return result;
	}
	pages_trim(array, bytes, (vm_size_t)*count * sizeof(struct machvm_page_info));
	*pages = (void *)array;
	return KERN_SUCCESS;
}

kern_return_t mach_vm_object_pages(memory_object_name_t object, vm_page_info_array_t *pages,
				   mach_msg_type_number_t *pages_count)
{
	return object_pages(object, 0, (void **)pages, pages_count);
}

kern_return_t mach_vm_object_pages_phys(memory_object_name_t object,
					vm_page_phys_info_array_t *pages,
					mach_msg_type_number_t *pages_count)
{
	return object_pages(object, MACHVM_PAGES_PHYSICAL, (void **)pages, pages_count);
}

/* How many pages each object has, as far as there is room; count tells of all objects. */
static kern_return_t buckets_fill(hash_info_bucket_t *array, mach_msg_type_number_t room,
				  mach_msg_type_number_t *count)
{
	uint64_t id = 0;

	for (*count = 0;; (*count)++) {
		struct machvm_object_info args = { .size = sizeof(args), .id = id };
		kern_return_t result = mv_device_call(MACHVM_OBJECT_INFO, &args);

		if (result == KERN_FAILURE && !mv_device_trouble)
			return KERN_SUCCESS;	/* none from there on */
		if (result != KERN_SUCCESS)
			return result;
		if (*count < room)
			array[*count].hib_count = natural(args.out_resident);
		id = args.id + 1;
	}
}

kern_return_t host_virtual_physical_table_info(host_t host, hash_info_bucket_array_t *info,
					       mach_msg_type_number_t *count)
{
	vm_address_t array = (vm_address_t)*info;
	mach_msg_type_number_t room = *count;
	uint32_t privileged;
	vm_size_t bytes = 0;
	kern_return_t result;

	if (!mv_port_host(host, &privileged))
		return KERN_INVALID_HOST;
	for (;;) {
		result = buckets_fill((hash_info_bucket_t *)array, room, count);
		if (result == KERN_SUCCESS && *count <= room)
			break;
		if (bytes)
			vm_deallocate(mach_task_self(), array, bytes);
		if (result != KERN_SUCCESS)
			return result;
		room = 2 * *count;	/* more may come while they are counted again */
		bytes = (vm_size_t)room * sizeof(hash_info_bucket_t);
		result = pages_allocate(&array, bytes);
		if (result != KERN_SUCCESS)
			return result;
	}
	pages_trim(array, bytes, (vm_size_t)*count * sizeof(hash_info_bucket_t));
	*info = (hash_info_bucket_t *)array;
	return KERN_SUCCESS;
}
