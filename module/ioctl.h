/* SPDX-License-Identifier: GPL-2.0-only */
/* ioctl.h - tables of size-first ioctls, and who serves them. */
#ifndef _MACHVM_IOCTL_H
#define _MACHVM_IOCTL_H

#include <linux/fs.h>
#include <linux/types.h>
#include "types.h"

/* The largest structure of the interface; the buffer is on the stack. */
#define MACHVM_IOCTL_MAX 256

struct machvm_ioctl {
	unsigned int cmd;
	u32 size;	/* as this module knows the structure */
	u32 min_size;	/* of its first version */
	/* A kern_return_t or a negative errno; @arg holds the structure, both ways. */
	long (*run)(struct file *file, void *arg);
};

#define MACHVM_IOCTL_ROW(_cmd, _type, _last, _run)                                           \
	{                                                                                     \
		.cmd = (_cmd), .size = sizeof(struct _type) +                                 \
			BUILD_BUG_ON_ZERO(sizeof(struct _type) > MACHVM_IOCTL_MAX),           \
		.min_size = offsetofend(struct _type, _last), .run = (_run),                  \
	}

long machvm_ioctl_dispatch(struct file *file, const struct machvm_ioctl *table, size_t nr,
			   unsigned int cmd, void __user *user);
long machvm_ioctl_version(struct file *file, void *arg);

/* control.c */
int machvm_memobj_open(struct machvm_memobj *memobj, struct machvm_object_create *out);
struct machvm_memobj *machvm_memobj_from_fd(int fd);
int machvm_memobj_open_object(struct machvm_memobj *memobj);

/* grant.c */
long machvm_ioctl_proxy_create(struct file *file, void *arg);
long machvm_ioctl_region_proxy(struct file *file, void *arg);
struct machvm_proxy *machvm_proxy_from_fd(int fd);

/* inspect.c */
long machvm_ioctl_object_pages(struct file *file, void *arg);

/* info.c */
long machvm_ioctl_vm_region(struct file *file, void *arg);
long machvm_ioctl_vm_statistics(struct file *file, void *arg);
long machvm_ioctl_task_info(struct file *file, void *arg);
long machvm_ioctl_vm_cache_statistics(struct file *file, void *arg);
long machvm_ioctl_object_info(struct file *file, void *arg);
long machvm_ioctl_port_info(struct file *file, void *arg);
long machvm_ioctl_waiter_info(struct file *file, void *arg);
long machvm_ioctl_fault_info(struct file *file, void *arg);

int machvm_dev_init(void);
void machvm_dev_exit(void);

#endif /* _MACHVM_IOCTL_H */
