// SPDX-License-Identifier: GPL-2.0-only
/*
 * resident_read.c - workload 2: map an object whose pages are resident, and read each of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define LENGTH (32 * MIB)

static uint64_t machvm_run(void)
{
	uintptr_t first, at;
	int object = machvm_resident_object(LENGTH, &first);
	uint64_t start = now();

	at = machvm_map(object, LENGTH, false);
	read_pages(at, LENGTH);
	return now() - start;
}

static uint64_t memfd_run(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	uint64_t start;
	void *at;

	if (fd < 0 || ftruncate(fd, LENGTH))
		die("memfd: %s", strerror(errno));
	at = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	write_pages((uintptr_t)at, LENGTH);
	start = now();
	at = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	read_pages((uintptr_t)at, LENGTH);
	return now() - start;
}

static struct side machvm = { .name = "vm_map", .ops = LENGTH / PAGE, .run = machvm_run };
static struct side memfd = { .name = "memfd", .ops = LENGTH / PAGE, .run = memfd_run };

static struct side *const sides[] = { &machvm, &memfd, NULL };

static const struct row rows[] = {
	{ "map resident 32 MiB, read all", &machvm, &memfd, 1.25, 1.0 },
	{ }
};

const struct group resident_read_group = {
	.number = 2,
	.unit = "page",
	.note = "a second mapping in the same process; memfd with its fault-around of 16 pages",
	.sides = sides,
	.rows = rows,
};
