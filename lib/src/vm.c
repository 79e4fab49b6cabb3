// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vm.c - the virtual memory calls: each fills a structure, asks the device, hands out the answer.
 */
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

/* These calls have a name for a port that is no task, which is all that is wrong if @good. */
static kern_return_t task_call(unsigned long command, void *args, bool good)
{
	kern_return_t result = mv_device_call(command, args);

	return good && result == KERN_INVALID_ARGUMENT ? KERN_INVALID_TASK : result;
}

kern_return_t vm_wire(host_t host, task_t target_task, vm_address_t address, vm_size_t size,
		      vm_prot_t wired_access)
{
	struct machvm_vm_wire args = {
		.size = sizeof(args),
		.address = address,
		.length = size,
		.access = (uint32_t)wired_access,
	};

	if (!mv_port_host(host, &args.privileged))
		return KERN_INVALID_HOST;
	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_TASK;
	return task_call(MACHVM_VM_WIRE, &args, !(wired_access & ~VM_PROT_ALL));
}

kern_return_t vm_set_size_limit(host_t host_port, task_t map, vm_size_t current_limit,
				vm_size_t max_limit)
{
	struct machvm_vm_size_limit args = {
		.size = sizeof(args),
		.limit = current_limit,
		.maximum = max_limit,
	};

	if (current_limit > max_limit)
		return KERN_INVALID_ARGUMENT;
	if (!mv_port_host(host_port, &args.privileged))
		return KERN_INVALID_HOST;
	if (!mv_port_task(map, &args.task))
		return KERN_INVALID_TASK;
	return task_call(MACHVM_VM_SET_SIZE_LIMIT, &args, true);
}

kern_return_t vm_get_size_limit(task_t map, vm_size_t *current_limit, vm_size_t *max_limit)
{
	struct machvm_vm_size_limit args = { .size = sizeof(args) };
	kern_return_t result;

	if (!mv_port_task(map, &args.task))
		return KERN_INVALID_TASK;
	result = task_call(MACHVM_VM_GET_SIZE_LIMIT, &args, true);
	if (result == KERN_SUCCESS) {
		*current_limit = args.limit;
		*max_limit = args.maximum;
	}
	return result;
}

kern_return_t vm_wire_all(host_priv_t host, task_t target_task, vm_wire_t flags)
{
	struct machvm_vm_wire_all args = {
		.size = sizeof(args),
		.flags = (uint32_t)flags,
	};

	if (!mv_port_host(host, &args.privileged) || !args.privileged)
		return KERN_INVALID_HOST;
	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_TASK;
	return task_call(MACHVM_VM_WIRE_ALL, &args, !(flags & ~VM_WIRE_ALL));
}
