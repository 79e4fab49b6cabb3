// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * proxy.c - rights to parts of memory objects and of tasks' memory.
 */
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

/* As the kernel has it. */
#define RANGES_MAX 1024

/* What the kernel handed out, as ports. */
static kern_return_t ports_adopt(int proxy_fd, int owner_fd, mach_port_t *proxy,
				 mach_port_t *owner)
{
	proxy_fd = mv_port_adopt_fd(proxy_fd);
	if (owner)
		owner_fd = mv_port_adopt_fd(owner_fd);
	if (proxy_fd < 0 || (owner && owner_fd < 0)) {
		if (proxy_fd >= 0)
			close(proxy_fd);
		if (owner && owner_fd >= 0)
			close(owner_fd);
		return KERN_RESOURCE_SHORTAGE;
	}
	*proxy = (mach_port_t)proxy_fd;
	if (owner)
		*owner = (mach_port_t)owner_fd;
	return KERN_SUCCESS;
}

kern_return_t machvm_object_create_proxy(vm_prot_t max_protection, mach_msg_type_number_t count,
					 const memory_object_t *object, const vm_offset_t *offset,
					 const vm_offset_t *start, const vm_size_t *len,
					 mach_port_t *proxy, mach_port_t *owner)
{
	struct machvm_proxy_create args = {
		.size = sizeof(args),
		.max_protection = (uint32_t)max_protection,
		.flags = owner ? MACHVM_PROXY_REVOCABLE : 0,
		.count = count,
	};
	struct machvm_proxy_range *ranges;
	kern_return_t result;

	if (!count || count > RANGES_MAX)
		return KERN_INVALID_ARGUMENT;
	ranges = calloc(count, sizeof(*ranges));
	if (!ranges)
		return KERN_RESOURCE_SHORTAGE;
	for (mach_msg_type_number_t i = 0; i < count; i++) {
		ranges[i].object = mv_port_is_fd(object[i]) ? (int32_t)object[i] : -1;
		ranges[i].offset = offset[i];
		ranges[i].start = start[i];
		ranges[i].length = len[i];
	}
	args.ranges = (uintptr_t)ranges;
	result = mv_device_call(MACHVM_PROXY_CREATE, &args);
	free(ranges);
	if (result != KERN_SUCCESS)
		return result;
	return ports_adopt(args.out_proxy, args.out_owner, proxy, owner);
}

kern_return_t memory_object_create_proxy(task_t task, vm_prot_t max_protection,
					 const memory_object_array_t object,
					 mach_msg_type_name_t object_type,
					 mach_msg_type_number_t object_count,
					 const vm_offset_array_t offset,
					 mach_msg_type_number_t offset_count,
					 const vm_offset_array_t start,
					 mach_msg_type_number_t start_count,
					 const vm_size_array_t len,
					 mach_msg_type_number_t len_count, mach_port_t *proxy)
{
	kern_return_t result;

	if (task != MV_TASK_SELF)
		return KERN_INVALID_TASK;
	if (offset_count != object_count || start_count != object_count ||
	    len_count != object_count)
		return KERN_INVALID_ARGUMENT;
	result = machvm_object_create_proxy(max_protection, object_count, object, offset, start,
					    len, proxy, NULL);
	if (result != KERN_SUCCESS || object_type != MACH_MSG_TYPE_MOVE_SEND)
		return result;
	for (mach_msg_type_number_t i = 0; i < object_count; i++)
		mach_port_deallocate(task, object[i]);
	return KERN_SUCCESS;
}

kern_return_t machvm_region_create_proxy(task_t task, vm_address_t address,
					 vm_prot_t max_protection, vm_size_t len,
					 mach_port_t *proxy, mach_port_t *owner)
{
	struct machvm_region_proxy args = {
		.size = sizeof(args),
		.address = address,
		.length = len,
		.max_protection = (uint32_t)max_protection,
		.flags = owner ? MACHVM_PROXY_REVOCABLE : 0,
	};
	kern_return_t result;

	if (!mv_port_task(task, &args.task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_REGION_PROXY, &args);
	if (result != KERN_SUCCESS)
		return result;
	return ports_adopt(args.out_proxy, args.out_owner, proxy, owner);
}

kern_return_t vm_region_create_proxy(task_t task, vm_address_t address, vm_prot_t max_protection,
				     vm_size_t len, mach_port_t *proxy)
{
	return machvm_region_create_proxy(task, address, max_protection, len, proxy, NULL);
}
