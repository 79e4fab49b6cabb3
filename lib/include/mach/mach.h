/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/mach.h - everything a program written for Mach virtual memory includes.
 */
#ifndef _MACH_MACH_H_
#define _MACH_MACH_H_

#include <mach/mach_types.h>
#include <mach/gnumach.h>
#include <mach/mach4.h>
#include <mach/mach_init.h>
#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/memory_object_control.h>

#endif /* _MACH_MACH_H_ */
