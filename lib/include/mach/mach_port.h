/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/mach_port.h - calls on port names.
 */
#ifndef _MACH_MACH_PORT_H_
#define _MACH_MACH_PORT_H_

#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mach_port_deallocate() - give up one port
 * @task: mach_task_self()
 * @name: the port
 *
 * Closes the descriptor behind @name.  Given the control port of an object that a pager of this
 * process serves, it ends the service for good: see <machvm/pager.h>.  The names that vm_region()
 * hands out and the pseudo-handles hold nothing, so giving them up only succeeds.
 *
 * GNU Mach reference manual, "Ports and Other Tasks" and "Port Destruction".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_TASK (@task is not the caller), KERN_INVALID_NAME (null,
 * dead, or not open).
 */
kern_return_t mach_port_deallocate(task_t task, mach_port_t name);

#ifdef __cplusplus
}
#endif

#endif /* _MACH_MACH_PORT_H_ */
