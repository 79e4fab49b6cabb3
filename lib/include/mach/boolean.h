/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/boolean.h - the truth type of the interfaces.
 */
#ifndef _MACH_BOOLEAN_H_
#define _MACH_BOOLEAN_H_

typedef int boolean_t;

#ifndef TRUE
#define TRUE ((boolean_t)1)
#endif
#ifndef FALSE
#define FALSE ((boolean_t)0)
#endif

#endif /* _MACH_BOOLEAN_H_ */
