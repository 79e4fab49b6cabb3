/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach.h - the older name of <mach/mach.h>.
 */
#ifndef _MACH_H_
#define _MACH_H_

#include <mach/mach.h>

#endif /* _MACH_H_ */
