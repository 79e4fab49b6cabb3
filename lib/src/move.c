// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * move.c - the calls that copy memory by reference, and what a child inherits.
 */
#include <limits.h>

#include "internal.h"

kern_return_t vm_inherit(task_t target_task, vm_address_t address, vm_size_t size,
			 vm_inherit_t new_inheritance)
{
	struct machvm_vm_inherit args = {
		.size = sizeof(args),
		.address = address,
		.length = size,
		.inheritance = (uint32_t)new_inheritance,
	};

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	return mv_device_call(MACHVM_VM_INHERIT, &args);
}

kern_return_t vm_copy(task_t target_task, vm_address_t source_address, vm_size_t count,
		      vm_address_t dest_address)
{
	struct machvm_vm_copy args = {
		.size = sizeof(args),
		.source = source_address,
		.length = count,
		.destination = dest_address,
	};

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	return mv_device_call(MACHVM_VM_COPY, &args);
}

kern_return_t vm_read(task_t target_task, vm_address_t address, vm_size_t size, vm_offset_t *data,
		      mach_msg_type_number_t *data_count)
{
	struct machvm_vm_read args = {
		.size = sizeof(args),
		.address = address,
		.length = size,
	};
	kern_return_t result;

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_VM_READ, &args);
	if (result != KERN_SUCCESS)
		return result;
	/* Only now: what is wrong with the memory counts before what cannot be counted. */
	if (size > UINT_MAX) {
		vm_deallocate(mach_task_self(), args.out_data, size);
		return KERN_INVALID_ARGUMENT;
	}
	*data = args.out_data;
	*data_count = (mach_msg_type_number_t)size;
	return KERN_SUCCESS;
}

kern_return_t vm_write(task_t target_task, vm_address_t address, vm_offset_t data,
		       mach_msg_type_number_t data_count)
{
	struct machvm_vm_write args = {
		.size = sizeof(args),
		.address = address,
		.data = data,
		.length = data_count,
	};

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	return mv_device_call(MACHVM_VM_WRITE, &args);
}
