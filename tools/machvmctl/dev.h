/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dev.h - the questions that go straight to the device.
 * Each answers 1: found, 0: nothing (more) there, -1: failed and said so.
 */
#ifndef MACHVMCTL_DEV_H
#define MACHVMCTL_DEV_H

#include <linux/machvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* dev_open - the device, checked to be machvm of our ABI, or -1 */
int dev_open(void);
void dev_close(int dev);

/* dev_module_loaded - whether the kernel has the module, device or not */
bool dev_module_loaded(void);

/* dev_task - something to name a process by in dev_region(), or -1 */
int dev_task(pid_t pid);

int dev_version(int dev, struct machvm_version *v);
int dev_statistics(int dev, struct machvm_vm_statistics *s);
int dev_region(int dev, int task, uint64_t address, struct machvm_vm_region *r);
int dev_object(int dev, uint64_t id, struct machvm_object_info *o);
/* dev_waiter - the next one after what *w says; all 0 for the first */
int dev_waiter(int dev, struct machvm_waiter_info *w);
int dev_port(int dev, uint64_t id, struct machvm_port_info *p);

#endif
