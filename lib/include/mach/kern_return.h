/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/kern_return.h - what a call answers; machvm_strerror() puts it into words.
 */
#ifndef _MACH_KERN_RETURN_H_
#define _MACH_KERN_RETURN_H_

typedef int kern_return_t;

#define KERN_SUCCESS 0
#define KERN_INVALID_ADDRESS 1		/* outside the map, or nothing is mapped there */
#define KERN_PROTECTION_FAILURE 2	/* the protection, or its maximum, forbids it */
#define KERN_NO_SPACE 3			/* occupied, or no room, or no further region */
#define KERN_INVALID_ARGUMENT 4
#define KERN_FAILURE 5			/* here: above all that the device cannot be used */
#define KERN_RESOURCE_SHORTAGE 6	/* no memory, or a limit is reached */
#define KERN_NOT_RECEIVER 7
#define KERN_NO_ACCESS 8		/* privilege is missing */
#define KERN_MEMORY_FAILURE 9
#define KERN_MEMORY_ERROR 10		/* the pager reported an error, or is gone */
#define KERN_ALREADY_IN_SET 11
#define KERN_NOT_IN_SET 12
#define KERN_NAME_EXISTS 13
#define KERN_ABORTED 14			/* the call was cut short */
#define KERN_INVALID_NAME 15		/* no such port */
#define KERN_INVALID_TASK 16
#define KERN_INVALID_RIGHT 17
#define KERN_INVALID_VALUE 18
#define KERN_UREFS_OVERFLOW 19
#define KERN_INVALID_CAPABILITY 20
#define KERN_RIGHT_EXISTS 21
#define KERN_INVALID_HOST 22
#define KERN_MEMORY_PRESENT 23		/* a supplied page was there already */
#define KERN_WRITE_PROTECTION_FAILURE 24 /* as 2, and the region asked for VM_PROT_NOTIFY */
#define KERN_TERMINATED 26
#define KERN_TIMEDOUT 27
#define KERN_INTERRUPTED 28

#endif /* _MACH_KERN_RETURN_H_ */
