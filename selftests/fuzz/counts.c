// SPDX-License-Identifier: GPL-2.0-only
/*
 * counts.c - what the module has, which must be as before when all programs are gone.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fuzz.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_LOOKS 3000	/* ten milliseconds apart */
#define FORGET_LOOKS 20

/* The kernel's store is the manager again, and what is only kept for later goes. */
static void forget(int device)
{
	struct machvm_default_manager kernel = {
		.size = sizeof(kernel), .manager = -1, .flags = MACHVM_MANAGER_KERNEL,
	};
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (!ioctl(device, MACHVM_SET_DEFAULT_MANAGER, &kernel) && kernel.out_previous >= 0)
		close(kernel.out_previous);
	if (fd >= 0 && write(fd, "2", 1) != 1)
		perror("# drop_caches");
	close(fd);
}

static bool look_at(struct counts *counts, unsigned int look)
{
	struct machvm_vm_statistics now = { .size = sizeof(now) };
	int device = open(MACHVM_DEVICE, O_RDWR | O_CLOEXEC);
	bool ok = device >= 0;

	if (!ok)
		return false;
	if (look % FORGET_LOOKS == 0)
		forget(device);
	ok = !ioctl(device, MACHVM_VM_STATISTICS, &now);
	close(device);
	*counts = (struct counts){
		now.out_maps, now.out_objects, now.out_ports, now.out_queued,
		now.out_active_count + now.out_inactive_count + now.out_wire_count,
		now.out_wire_count,
	};
	return ok;
}

bool counts_read(struct counts *counts)
{
	return look_at(counts, 0);
}

/* Less is as well: what others had before may be on its way. */
static bool is_no_more(const struct counts *before, const struct counts *after)
{
	const uint64_t *was = (const uint64_t *)before, *is = (const uint64_t *)after;

	for (unsigned int i = 0; i < sizeof(*after) / sizeof(*is); i++)
		if (is[i] > was[i])
			return false;
	return true;
}

/* Some of what a process had goes a little later. */
bool counts_settle(const struct counts *before, struct counts *after)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned int i = 0; i < SETTLE_LOOKS; i++) {
		if (look_at(after, i) && is_no_more(before, after))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}
