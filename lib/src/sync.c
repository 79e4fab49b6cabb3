// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * sync.c - memory is brought into line with its pagers.
 */
#include "internal.h"

#define WRITE_BACK (VM_SYNC_ASYNCHRONOUS | VM_SYNC_SYNCHRONOUS)

/* Nothing but the task can be a bad argument, and for that Mach has another name. */
static bool is_good(vm_address_t address, vm_size_t size, vm_sync_t flags)
{
	return !(flags & ~VM_SYNC_ALL) && (flags & WRITE_BACK) != WRITE_BACK &&
	       (!size || address + (size - 1) >= address);
}

kern_return_t vm_msync(task_t target_task, vm_address_t address, vm_size_t size,
		       vm_sync_t sync_flags)
{
	struct machvm_vm_msync args = {
		.size = sizeof(args),
		.address = address,
		.length = size,
		.flags = sync_flags,
	};
	kern_return_t result;

	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_TASK;
	result = mv_device_call(MACHVM_VM_MSYNC, &args);
	if (result == KERN_INVALID_ARGUMENT && is_good(address, size, sync_flags))
		return KERN_INVALID_TASK;
	return result;
}

kern_return_t vm_object_sync(memory_object_name_t object, vm_offset_t offset, vm_size_t size,
			     boolean_t should_flush, boolean_t should_return,
			     boolean_t should_iosync)
{
	struct machvm_object_info info;
	struct machvm_object_sync args = {
		.size = sizeof(args),
		.offset = offset,
		.length = size,
		.should_return = !!should_return,
		.should_flush = !!should_flush,
	};
	kern_return_t result = mv_object_find(object, &info);

	(void)should_iosync;	/* always, as on Mach */
	if (result != KERN_SUCCESS)
		return result;
	args.id = info.id;
	return mv_device_call(MACHVM_OBJECT_SYNC, &args);
}
