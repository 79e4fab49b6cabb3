// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fault.c - why a memory access failed; for signal handlers, so nothing here may take a lock.
 */
#include <errno.h>

#include "internal.h"

kern_return_t machvm_fault_info(void *address, kern_return_t *why, int *pager_reason)
{
	struct machvm_fault_info args = {
		.size = sizeof(args),
		.address = (uintptr_t)address,
	};
	int saved = errno;
	kern_return_t result = mv_device_call(MACHVM_FAULT_INFO, &args);

	errno = saved;
	if (result != KERN_SUCCESS)
		return result;
	*why = args.out_reason;
	if (pager_reason)
		*pager_reason = args.out_error;
	return KERN_SUCCESS;
}
