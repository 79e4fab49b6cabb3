/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk_pager.h - a pager that keeps the pages of its object on a disk.
 */
#ifndef _SELFTESTS_DISK_PAGER_H
#define _SELFTESTS_DISK_PAGER_H

#include <machvm/pager.h>

/* The cookie. What is in it outlives the pager if it is on the disk and in shared memory. */
struct disk_pager {
	int disk;
	unsigned char *written;		/* of each page, whether the disk has it */
};

extern const struct machvm_pager_ops disk_pager_ops;

#endif /* _SELFTESTS_DISK_PAGER_H */
