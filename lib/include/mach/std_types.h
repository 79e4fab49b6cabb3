/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/std_types.h - the types that every interface uses.
 */
#ifndef _MACH_STD_TYPES_H_
#define _MACH_STD_TYPES_H_

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/port.h>
#include <mach/vm_types.h>

#endif /* _MACH_STD_TYPES_H_ */
