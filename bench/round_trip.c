// SPDX-License-Identifier: GPL-2.0-only
/*
 * round_trip.c - workload 4: a fault, one question to a pager on the same processor, one page.
 */
#include "bench.h"

#define FAULTS 2048UL
#define LENGTH (FAULTS * PAGE)

static uint64_t reads(uintptr_t at)
{
	uint64_t start;

	read_pages(at, PAGE);	/* then the pager is up */
	start = now();
	read_pages(at + PAGE, LENGTH - PAGE);
	return now() - start;
}

static uint64_t machvm_run(void)
{
	return reads(machvm_map(pager_start(1), LENGTH, false));
}

static uint64_t library_run(void)
{
	return reads(machvm_map(pager_start_library(1), LENGTH, false));
}

static uint64_t uffd_run(void)
{
	void *at = map_pages(LENGTH);

	uffd_start(at, LENGTH, 1, UFFD_COPY);
	return reads((uintptr_t)at);
}

static struct side machvm = { .name = "two system calls", .ops = FAULTS - 1, .run = machvm_run };
static struct side library = { .name = "libmachvm", .ops = FAULTS - 1, .run = library_run };
static struct side uffd = { .name = "userfaultfd copy", .ops = FAULTS - 1, .run = uffd_run };

static struct side *const sides[] = { &machvm, &library, &uffd, NULL };

static const struct row rows[] = {
	{ "pager round trip, 1 page", &machvm, &uffd, 1.5, 1.0 },
	{ "pager round trip, 1 page", &library, &uffd, 0, 0 },
	{ }
};

const struct group round_trip_group = {
	.number = 4,
	.unit = "fault",
	.note = "pager in another process on the same CPU; pages read in order",
	.sides = sides,
	.rows = rows,
};
