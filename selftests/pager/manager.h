/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * manager.h - a default memory manager by hand, as raw.h has pagers.
 */
#ifndef _SELFTESTS_MANAGER_H
#define _SELFTESTS_MANAGER_H

#include "raw.h"

/* The ioctl: its answer, or -errno.  Without @previous who was set before is forgotten. */
int set_manager(int manager, uint32_t flags, int *previous);

/* A manager, and an object of the kernel's that it was told of. */
struct manager {
	struct channel channel;
	struct object self;
	struct object bank;
	unsigned char kept[16][PAGE];
};

/* From here on it is the one. */
void manager_start(struct manager *m);

/* The right to serve an object of the kernel's: an answer, or -errno. */
int open_bank(struct manager *m, uint64_t id);

/* The next message is create, which it returns; the manager is ready then. */
struct message told(struct manager *m);

/* Takes the pages of a message.  Returns how many. */
unsigned int take_some(struct manager *m, const struct message *message);

/* Takes pages that leave, as many as there are to come, all in such messages. */
void take(struct manager *m, unsigned char command, unsigned int nr);

/* Pages of one's own memory are to go; returns how many do. */
unsigned long pageout(vm_address_t base, unsigned int pages);

#endif /* _SELFTESTS_MANAGER_H */
