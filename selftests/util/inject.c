// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject.c - see inject.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "inject.h"
#include "util.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RSEQ_SIZE 32		/* what glibc registers, whatever it uses of it */

static const char *const settings[][2] = {
	{ "/sys/kernel/debug/failslab/cache-filter", "Y" },
	{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/failslab/verbose", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
	{ "/sys/kernel/debug/fail_usercopy/verbose", "0" },
};

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* All slabs but those of who looks for leaks, and complains. */
static void choose_slabs(void)
{
	DIR *slabs = opendir("/sys/kernel/slab");
	struct dirent *slab;
	char path[512];

	while (slabs && (slab = readdir(slabs))) {
		if (slab->d_name[0] == '.' || !strncmp(slab->d_name, "kmemleak", 8))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/failslab", slab->d_name);
		file_write(path, "1");
	}
	if (slabs)
		closedir(slabs);
}

/*
 * Linux writes to a thread's restartable sequence when it likes, and kills who has it out of reach:
 * that is not the call that is to fail.  glibc has registered one.
 */
static bool sequence_end(void)
{
	void *sequence = (char *)__builtin_thread_pointer() + __rseq_offset;

	return !__rseq_size || !syscall(SYS_rseq, sequence, RSEQ_SIZE, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

bool util_inject_init(struct util_inject *inject)
{
	inject->limit = util_parameter("max_user_pages");
	inject->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (inject->fd < 0)
		return inject->limit >= 0;
	if (!sequence_end())
		return false;
	choose_slabs();
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (file_write(settings[i][0], settings[i][1]))
			return false;
	return true;
}

/* What was to fail may be the copy of this very number, once. */
static void fail_nth(int fd, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fd, text, length, 0) != length && pwrite(fd, text, length, 0) != length)
		abort();
}

void util_inject(struct util_inject *inject, unsigned int nth)
{
	struct machvm_vm_statistics now = { .size = sizeof(now) };

	if (inject->fd >= 0) {
		fail_nth(inject->fd, nth);
		return;
	}
	util_ioctl(util_device(), MACHVM_VM_STATISTICS, &now);
	util_parameter_set("max_user_pages", now.out_active_count + now.out_inactive_count +
			   now.out_wire_count + nth - 1);
}

bool util_inject_end(struct util_inject *inject)
{
	char text[16] = "";
	bool failed = false;

	if (inject->fd < 0) {
		util_parameter_set("max_user_pages", inject->limit);
		return false;
	}
	failed = pread(inject->fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
	fail_nth(inject->fd, 0);
	return failed;
}
