/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * internal.h - what the rooms of the library know of one another.
 *
 * Upwards: errno.c, then device.c, then port.c, vm.c, object.c and fault.c, which are thin calls;
 * channel.c, then pager.c, then reply.c and serve.c, which make the pager.
 */
#ifndef MACHVM_INTERNAL_H
#define MACHVM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/* All else is hidden. */
#pragma GCC visibility push(default)
#include <mach/mach.h>
#include <machvm/machvm.h>
#include <machvm/pager.h>
#pragma GCC visibility pop

#include "../../uapi/machvm.h"

/* errno.c */

/* What a call answers when the kernel or libc said -@error. */
kern_return_t mv_errno_to_kern(int error);

/* device.c */

/* Where the device is; a variable for the tests alone. */
extern const char *mv_device_path;

/* errno of what kept this thread's last call from using the device, or 0. */
extern _Thread_local int mv_device_trouble;

/* The library's own descriptor of the device, or -errno.  Async-signal-safe, takes no lock. */
int mv_device_get(void);

/* An ioctl on the device. */
kern_return_t mv_device_call(unsigned long command, void *argument);

/* An ioctl on a descriptor that the caller named, such as a control port. */
kern_return_t mv_port_call(int fd, unsigned long command, void *argument);

/* port.c */

/* Pseudo-handles: values that no descriptor has, since the kernel's stay below 1 << 30. */
#define MV_NAME_BIT 0x40000000u		/* | 30 bits of an object's id: a name of vm_region() */
#define MV_NAME_MASK 0x3fffffffu
#define MV_TASK_SELF 0x80000001u
#define MV_HOST_SELF 0x80000002u
#define MV_HOST_PRIV 0x80000003u

static inline bool mv_port_is_fd(mach_port_t port)
{
	return port != MACH_PORT_NULL && port < MV_NAME_BIT;
}

static inline memory_object_name_t mv_port_name(uint64_t id)
{
	return id ? MV_NAME_BIT | ((uint32_t)id & MV_NAME_MASK) : MACH_PORT_NULL;
}

/* What the kernel is told for @task: false if it cannot be a task. */
bool mv_port_task(task_t task, int32_t *out);

/* Whether @host is that of the privileged calls: false if it is neither. */
bool mv_port_host(host_t host, uint32_t *privileged);

/* inspect.c: what an object name stands for; KERN_INVALID_ARGUMENT if that is nothing. */
kern_return_t mv_object_find(memory_object_name_t name, struct machvm_object_info *args);

/*
 * Ends the service of an object if @fd is its control port: true if it was.  Set when the first
 * pager is made, so that a static program without pagers does not link the pager's rooms.
 */
extern bool (*_Atomic mv_port_forget)(int fd);

/* @fd itself, or what it was moved to because ports are not standard input, output or error. */
int mv_port_adopt_fd(int fd);

/* task.c */

/* KERN_SUCCESS if @task is one that lives. */
kern_return_t mv_task_check(task_t task);

#endif /* MACHVM_INTERNAL_H */
