// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk_pager.c - what the pager of disk_pager.h is asked, and given back.
 *
 * It is asked for several pages at a time: on a busy machine each question costs the emulated
 * processors some milliseconds.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "disk_pager.h"
#include "util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLUSTER 16

static void disk_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		      vm_size_t page_size)
{
	(void)cookie;
	(void)name;
	machvm_pager_cluster_size(control, CLUSTER * page_size);
	memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY);
}

/* The pages of [at, end) that are on the disk, or are not, as the first one; their end. */
static vm_offset_t alike(struct disk_pager *pager, vm_offset_t at, vm_offset_t end)
{
	unsigned char written = pager->written[at / PAGE];

	while (at < end && pager->written[at / PAGE] == written)
		at += PAGE;
	return at;
}

static void disk_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			 vm_size_t length, vm_prot_t desired)
{
	static char data[PAGES(CLUSTER)] __attribute__((aligned(4096)));
	struct disk_pager *pager = cookie;
	vm_offset_t next;

	(void)desired;
	for (vm_offset_t at = offset; at < offset + length; at = next) {
		next = alike(pager, at, offset + length);
		if (!pager->written[at / PAGE])
			memory_object_data_unavailable(control, at, next - at);
		else if (pread(pager->disk, data, next - at, at) != (ssize_t)(next - at))
			memory_object_data_error(control, at, next - at, EIO);
		else
			memory_object_data_supply(control, at, (vm_offset_t)data, next - at,
						  VM_PROT_NONE, FALSE, MACH_PORT_NULL);
	}
}

static void disk_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
			const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	struct disk_pager *pager = cookie;

	(void)control;
	(void)dirty;
	(void)kernel_copy;
	if (pwrite(pager->disk, data, length, offset) != (ssize_t)length)
		abort();
	memset(pager->written + offset / PAGE, 1, length / PAGE);
}

const struct machvm_pager_ops disk_pager_ops = {
	.init = disk_init,
	.data_request = disk_request,
	.data_return = disk_return,
};
