/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/mach_init.h - the ports that a program has from the start.
 */
#ifndef _MACH_MACH_INIT_H_
#define _MACH_MACH_INIT_H_

#include <mach/mach_types.h>
#include <mach/vm_param.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mach_task_self() - the calling task
 *
 * A pseudo-handle, not a descriptor: it means whoever uses it, so a child of fork(2) may go on
 * using the value and means itself.  It cannot be sent and need not be deallocated.
 */
task_t mach_task_self(void);

/**
 * mach_host_self() - the machine, as everyone may see it
 *
 * A pseudo-handle like mach_task_self().
 */
host_t mach_host_self(void);

/**
 * mach_host_priv() - the machine, for calls that need privilege
 *
 * Anyone may have the handle; a call that it is given to checks the caller's capabilities and
 * answers KERN_NO_ACCESS where they do not suffice.
 */
host_priv_t mach_host_priv(void);

#ifdef __cplusplus
}
#endif

#endif /* _MACH_MACH_INIT_H_ */
