// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * manager.c - the default memory manager: which one there is.
 */
#include <unistd.h>

#include "internal.h"

kern_return_t vm_set_default_memory_manager(host_priv_t host_priv,
					    memory_object_t *default_manager)
{
	struct machvm_default_manager args = { .size = sizeof(args), .manager = -1 };
	kern_return_t result;
	int previous;

	if (host_priv != MV_HOST_PRIV)
		return KERN_INVALID_HOST;
	if (*default_manager == MACH_PORT_DEAD)
		args.flags = MACHVM_MANAGER_KERNEL;
	else if (*default_manager != MACH_PORT_NULL && !mv_port_is_fd(*default_manager))
		return KERN_INVALID_ARGUMENT;
	else if (*default_manager != MACH_PORT_NULL)
		args.manager = (int)*default_manager;
	result = mv_device_call(MACHVM_SET_DEFAULT_MANAGER, &args);
	if (result != KERN_SUCCESS)
		return result;
	*default_manager = MACH_PORT_NULL;
	if (args.out_previous < 0)
		return KERN_SUCCESS;
	previous = mv_port_adopt_fd(args.out_previous);
	if (previous < 0)
		return KERN_RESOURCE_SHORTAGE;
	*default_manager = (memory_object_t)previous;
	return KERN_SUCCESS;
}
