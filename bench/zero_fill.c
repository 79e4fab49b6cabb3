// SPDX-License-Identifier: GPL-2.0-only
/*
 * zero_fill.c - workload 1: fresh memory, each page of it written once, and given back.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

#define LENGTH (32 * MIB)

static uint64_t machvm_run(void)
{
	uintptr_t at;
	uint64_t start;

	machvm_deallocate(machvm_allocate(PAGE), PAGE);	/* the arena is made at the first call */
	start = now();
	at = machvm_allocate(LENGTH);
	write_pages(at, LENGTH);
	machvm_deallocate(at, LENGTH);
	return now() - start;
}

static uint64_t anonymous_run(void)
{
	uint64_t start = now();
	void *at = map_pages(LENGTH);

	write_pages((uintptr_t)at, LENGTH);
	munmap(at, LENGTH);
	return now() - start;
}

static uint64_t huge_run(void)
{
	uint64_t start = now();
	void *at = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (madvise(at, LENGTH, MADV_HUGEPAGE))
		return 0;
	write_pages((uintptr_t)at, LENGTH);
	munmap(at, LENGTH);
	return now() - start;
}

static struct side machvm = { .name = "vm_allocate", .ops = LENGTH / PAGE, .run = machvm_run };
static struct side anonymous = { .name = "anonymous mmap", .ops = LENGTH / PAGE,
				 .run = anonymous_run };
static struct side huge = { .name = "with huge pages", .ops = LENGTH / PAGE, .run = huge_run };

static struct side *const sides[] = { &machvm, &anonymous, &huge, NULL };

static const struct row rows[] = {
	{ "zero-fill 32 MiB", &machvm, &anonymous, 1.0, 0.75 },
	{ "zero-fill 32 MiB", &machvm, &huge, 0, 0 },
	{ }
};

const struct group zero_fill_group = {
	.number = 1,
	.unit = "page",
	.note = "allocate, write each page once, deallocate; machvm has no huge pages",
	.sides = sides,
	.rows = rows,
};
