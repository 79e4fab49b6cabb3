// SPDX-License-Identifier: GPL-2.0-only
/*
 * chain.c - workload 12: copying on write must cost the same however many pages were copied
 * before, and however long the chain of shadows is.
 */
#include "bench.h"

#define FEW (4 * MIB)
#define MANY (4 * FEW)
#define DEPTH 32
#define WRITTEN (2 * MIB)

/* Copies @length bytes on write, in ascending order. */
static uint64_t ascending(uint64_t length)
{
	uintptr_t from = machvm_allocate(length);
	uintptr_t to = machvm_allocate(length);
	uint64_t start;

	write_pages(from, length);
	machvm_copy(from, length, to);
	start = now();
	write_pages(to, length);
	return now() - start;
}

static uint64_t few_run(void)
{
	return ascending(FEW);
}

static uint64_t many_run(void)
{
	return ascending(MANY);
}

/*
 * Writes to the last of @depth copies, each made of the one before.  A page written in each keeps
 * its object, so that all of them lie in the way to the first, which alone has the pages.
 */
static uint64_t at_depth(unsigned int depth)
{
	uintptr_t last = machvm_allocate(WRITTEN + DEPTH * PAGE);
	uint64_t start;

	write_pages(last, WRITTEN + DEPTH * PAGE);
	for (unsigned int i = 0; i < depth; i++) {
		uintptr_t next = machvm_allocate(WRITTEN + DEPTH * PAGE);

		machvm_copy(last, WRITTEN + DEPTH * PAGE, next);
		write_pages(next + WRITTEN + i * PAGE, PAGE);
		last = next;
	}
	start = now();
	write_pages(last, WRITTEN);
	return now() - start;
}

static uint64_t shallow_run(void)
{
	return at_depth(1);
}

static uint64_t deep_run(void)
{
	return at_depth(DEPTH);
}

static struct side few = { .name = "the first 4 MiB", .ops = 1, .run = few_run };
static struct side many = { .name = "16 MiB", .ops = 1, .run = many_run };
static struct side shallow = { .name = "depth 1", .ops = WRITTEN / PAGE, .run = shallow_run };
static struct side deep = { .name = "depth 32", .ops = WRITTEN / PAGE, .run = deep_run };

static struct side *const sides[] = { &few, &many, &shallow, &deep, NULL };

static const struct row rows[] = {
	{ "copy on write, ascending", &many, &few, 4.4, 4.0 },
	{ "copy on write of a page", &deep, &shallow, 1.10, 1.02 },
	{ }
};

const struct group chain_group = {
	.number = 12,
	.unit = "copy or page",
	.note = "machvm beside itself: four times the pages, and 32 shadows in the way",
	.sides = sides,
	.rows = rows,
};
