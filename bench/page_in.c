// SPDX-License-Identifier: GPL-2.0-only
/*
 * page_in.c - workload 6: read memory in order, its pager answers with 16 pages a time.
 */
#include "bench.h"

#define CLUSTER 16UL
#define LENGTH (8 * MIB)
#define WARM (CLUSTER * PAGE)	/* one cluster more, read before the clock starts */

static uint64_t reads(uintptr_t at)
{
	uint64_t start;

	read_pages(at, WARM);
	start = now();
	read_pages(at + WARM, LENGTH);
	return now() - start;
}

static uint64_t machvm_run(void)
{
	return reads(machvm_map(pager_start(CLUSTER), WARM + LENGTH, false));
}

/* Aligned to the cluster. */
static uintptr_t fresh(void)
{
	uintptr_t at = (uintptr_t)map_pages(LENGTH + 2 * WARM);

	return (at + WARM - 1) & ~(WARM - 1);
}

static uint64_t copy_run(void)
{
	uintptr_t at = fresh();

	uffd_start((void *)at, LENGTH + WARM, CLUSTER, UFFD_COPY);
	return reads(at);
}

static uint64_t move_run(void)
{
	uintptr_t at = fresh();

	if (!uffd_start((void *)at, LENGTH + WARM, CLUSTER, UFFD_MOVE))
		return 0;
	return reads(at);
}

static struct side machvm = { .name = "16 pages a supply", .ops = LENGTH / PAGE,
			      .run = machvm_run };
static struct side copy = { .name = "userfaultfd copy-16", .ops = LENGTH / PAGE,
			    .run = copy_run };
static struct side move = { .name = "userfaultfd move-16", .ops = LENGTH / PAGE,
			    .run = move_run };

static struct side *const sides[] = { &machvm, &copy, &move, NULL };

static const struct row rows[] = {
	{ "page in 8 MiB, clusters of 16", &machvm, &copy, 1.0, 0.6 },
	{ "page in 8 MiB, clusters of 16", &machvm, &move, 0, 0 },
	{ }
};

const struct group page_in_group = {
	.number = 6,
	.unit = "page",
	.note = "same CPU; what is moved was filled before the clock started",
	.sides = sides,
	.rows = rows,
};
