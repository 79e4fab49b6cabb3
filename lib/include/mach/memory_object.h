/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/memory_object.h - memory objects: their ports and the values of their attributes.
 */
#ifndef _MACH_MEMORY_OBJECT_H_
#define _MACH_MEMORY_OBJECT_H_

#include <mach/port.h>

typedef mach_port_t memory_object_t;		/* the right to map the object */
typedef mach_port_t memory_object_control_t;	/* the right to answer for it */
typedef mach_port_t memory_object_name_t;	/* what vm_region() calls it */

#define MEMORY_OBJECT_NULL ((memory_object_t)MACH_PORT_NULL)
#define MEMORY_OBJECT_CONTROL_NULL ((memory_object_control_t)MACH_PORT_NULL)
#define MEMORY_OBJECT_NAME_NULL ((memory_object_name_t)MACH_PORT_NULL)

/* How the object is copied. */
typedef int memory_object_copy_strategy_t;

#define MEMORY_OBJECT_COPY_NONE 0	/* at once, page by page */
#define MEMORY_OBJECT_COPY_CALL 1	/* by asking the pager */
#define MEMORY_OBJECT_COPY_DELAY 2	/* when a page is written */
#define MEMORY_OBJECT_COPY_TEMPORARY 3	/* as DELAY, and nothing is returned at the end */

/* Which pages a pager wants back. */
typedef int memory_object_return_t;

#define MEMORY_OBJECT_RETURN_NONE 0
#define MEMORY_OBJECT_RETURN_DIRTY 1	/* those written */
#define MEMORY_OBJECT_RETURN_ALL 2	/* those written, and precious ones */
#define MEMORY_OBJECT_RETURN_ANYTHING 3	/* all that are resident; not GNU Mach's */

#endif /* _MACH_MEMORY_OBJECT_H_ */
