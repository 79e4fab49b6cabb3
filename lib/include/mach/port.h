/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/port.h - ports: here a descriptor, or a pseudo-handle of the library.
 */
#ifndef _MACH_PORT_H_
#define _MACH_PORT_H_

typedef unsigned int mach_port_name_t;
typedef mach_port_name_t mach_port_t;

#define MACH_PORT_NULL ((mach_port_t)0)
#define MACH_PORT_DEAD (~(mach_port_t)0)
#define MACH_PORT_VALID(name) ((name) != MACH_PORT_NULL && (name) != MACH_PORT_DEAD)

#endif /* _MACH_PORT_H_ */
