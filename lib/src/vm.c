// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vm.c - the virtual memory calls: each fills a structure, asks the device, hands out the answer.
 */
#include <limits.h>

#include "internal.h"

kern_return_t vm_allocate(task_t target_task, vm_address_t *address, vm_size_t size,
			  boolean_t anywhere)
{
	struct machvm_vm_allocate args = {
		.size = sizeof(args),
		.anywhere = !!anywhere,
		.address = anywhere ? 0 : *address,
		.length = size,
	};
	kern_return_t result;

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_VM_ALLOCATE, &args);
	if (result == KERN_SUCCESS)
		*address = args.address;
	return result;
}

kern_return_t vm_deallocate(task_t target_task, vm_address_t address, vm_size_t size)
{
	struct machvm_vm_deallocate args = {
		.size = sizeof(args),
		.address = address,
		.length = size,
	};

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	return mv_device_call(MACHVM_VM_DEALLOCATE, &args);
}

kern_return_t vm_protect(task_t target_task, vm_address_t address, vm_size_t size,
			 boolean_t set_maximum, vm_prot_t new_protection)
{
	struct machvm_vm_protect args = {
		.size = sizeof(args),
		.address = address,
		.length = size,
		.set_maximum = !!set_maximum,
		.protection = (uint32_t)new_protection,
	};

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	return mv_device_call(MACHVM_VM_PROTECT, &args);
}

/* As Mach has it, a dead port is no object, and without an object nothing about it is looked at. */
static bool map_object(struct machvm_vm_map *args, memory_object_t object, vm_offset_t offset,
		       boolean_t copy)
{
	args->object = -1;
	if (!MACH_PORT_VALID(object))
		return true;
	if (!mv_port_is_fd(object))
		return false;
	args->object = (int32_t)object;
	args->offset = offset;
	args->copy = !!copy;
	return true;
}

kern_return_t vm_map(task_t target_task, vm_address_t *address, vm_size_t size, vm_address_t mask,
		     boolean_t anywhere, memory_object_t memory_object, vm_offset_t offset,
		     boolean_t copy, vm_prot_t cur_protection, vm_prot_t max_protection,
		     vm_inherit_t inheritance)
{
	struct machvm_vm_map args = {
		.size = sizeof(args),
		.address = anywhere ? 0 : *address,
		.length = size,
		.mask = mask,
		.anywhere = !!anywhere,
		.protection = (uint32_t)cur_protection,
		.max_protection = (uint32_t)max_protection,
		.inheritance = (uint32_t)inheritance,
	};
	kern_return_t result;

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	if (!map_object(&args, memory_object, offset, copy))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_VM_MAP, &args);
	if (result == KERN_SUCCESS)
		*address = args.address;
	return result;
}

kern_return_t vm_region(task_t target_task, vm_address_t *address, vm_size_t *size,
			vm_prot_t *protection, vm_prot_t *max_protection,
			vm_inherit_t *inheritance, boolean_t *is_shared,
			memory_object_name_t *object_name, vm_offset_t *offset)
{
	struct machvm_vm_region args = {
		.size = sizeof(args),
		.address = *address,
	};
	kern_return_t result;

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_VM_REGION, &args);
	if (result != KERN_SUCCESS)
		return result;
	*address = args.address;
	*size = args.out_length;
	*protection = (vm_prot_t)args.out_protection;
	*max_protection = (vm_prot_t)args.out_max_protection;
	*inheritance = (vm_inherit_t)args.out_inheritance;
	*is_shared = !!(args.out_flags & MACHVM_REGION_SHARED);
	*object_name = mv_port_name(args.out_object);
	*offset = args.out_offset;
	return KERN_SUCCESS;
}

/* A level stops at the top, for a wrong but large number does less harm than a negative one. */
static integer_t statistics_level(uint64_t value)
{
	return value > INT_MAX ? INT_MAX : (integer_t)value;
}

/* A count of events wraps, so that the difference of two readings is right. */
static integer_t statistics_count(uint64_t value)
{
	return (integer_t)(uint32_t)value;
}

kern_return_t vm_statistics(task_t target_task, vm_statistics_data_t *vm_stats)
{
	struct machvm_vm_statistics args = { .size = sizeof(args) };
	kern_return_t result;
	int32_t task;

	if (!mv_port_task(target_task, &task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_VM_STATISTICS, &args);
	if (result != KERN_SUCCESS)
		return result;
	*vm_stats = (vm_statistics_data_t){
		.pagesize = statistics_level(args.out_pagesize),
		.free_count = statistics_level(args.out_free_count),
		.active_count = statistics_level(args.out_active_count),
		.inactive_count = statistics_level(args.out_inactive_count),
		.wire_count = statistics_level(args.out_wire_count),
		.zero_fill_count = statistics_count(args.out_zero_fill_count),
		.reactivations = statistics_count(args.out_reactivations),
		.pageins = statistics_count(args.out_pageins),
		.pageouts = statistics_count(args.out_pageouts),
		.faults = statistics_count(args.out_faults),
		.cow_faults = statistics_count(args.out_cow_faults),
		.lookups = statistics_count(args.out_lookups),
		.hits = statistics_count(args.out_hits),
	};
	return KERN_SUCCESS;
}
