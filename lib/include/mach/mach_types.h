/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/mach_types.h - the kinds of ports, and the types of the virtual memory calls.
 */
#ifndef _MACH_MACH_TYPES_H_
#define _MACH_MACH_TYPES_H_

#include <mach/std_types.h>
#include <mach/memory_object.h>
#include <mach/vm_attributes.h>
#include <mach/vm_inherit.h>
#include <mach/vm_prot.h>
#include <mach/vm_statistics.h>
#include <mach/vm_sync.h>
#include <mach/vm_wire.h>

typedef mach_port_t task_t;
typedef mach_port_t vm_task_t;
typedef mach_port_t host_t;
typedef mach_port_t host_priv_t;

#define TASK_NULL ((task_t)MACH_PORT_NULL)
#define HOST_NULL ((host_t)MACH_PORT_NULL)
#define HOST_PRIV_NULL ((host_priv_t)MACH_PORT_NULL)

#endif /* _MACH_MACH_TYPES_H_ */
