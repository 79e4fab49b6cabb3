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
int dev_port(int dev, uint64_t id, struct machvm_port_info *p);

/*
 * A walk over all that are there when it begins, in the order of their numbers.  Some of what is
 * made meanwhile may be among them, but nobody waits for more of it: it may come faster than it is
 * listed.
 */
struct dev_walk {
	int dev;
	uint64_t next, last;
	bool over;
};

bool dev_walk_objects(int dev, struct dev_walk *walk);
int dev_next_object(struct dev_walk *walk, struct machvm_object_info *o);
bool dev_walk_ports(int dev, struct dev_walk *walk);
int dev_next_port(struct dev_walk *walk, struct machvm_port_info *p);

/* dev_waiter - the next one after what *w says; all 0 for the first */
int dev_waiter(int dev, struct machvm_waiter_info *w);

#endif
