// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn.c - workload 14: small changes of a map: a page comes and goes, a page's protection flips.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/machvm.h>

#include "bench.h"

#define ROUNDS 4000UL
#define REGION 16		/* pages; the one whose protection flips is in the middle */
#define MIDDLE (REGION / 2 * PAGE)

static uint64_t allocate_run(void)
{
	uint64_t start, i;

	machvm_deallocate(machvm_allocate(PAGE), PAGE);
	start = now();
	for (i = 0; i < ROUNDS; i++)
		machvm_deallocate(machvm_allocate(PAGE), PAGE);
	return now() - start;
}

static uint64_t mmap_run(void)
{
	uint64_t start = now();
	uint64_t i;

	for (i = 0; i < ROUNDS; i++) {
		void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);

		if (at == MAP_FAILED || munmap(at, PAGE))
			die("mmap: %s", strerror(errno));
	}
	return now() - start;
}

/* Flips there and back; with @touch the page is written each time it may be. */
static uint64_t machvm_flips(bool touch)
{
	uintptr_t at = machvm_allocate(REGION * PAGE);
	uint64_t start, i;

	write_pages(at, REGION * PAGE);
	start = now();
	for (i = 0; i < ROUNDS; i++) {
		machvm_protect(at + MIDDLE, PAGE, MACHVM_PROT_READ);
		machvm_protect(at + MIDDLE, PAGE, MACHVM_PROT_READ | MACHVM_PROT_WRITE);
		if (touch)
			write_pages(at + MIDDLE, PAGE);
	}
	return now() - start;
}

static uint64_t mprotect_flips(bool touch)
{
	char *at = map_pages(REGION * PAGE);
	uint64_t start, i;

	write_pages((uintptr_t)at, REGION * PAGE);
	start = now();
	for (i = 0; i < ROUNDS; i++) {
		if (mprotect(at + MIDDLE, PAGE, PROT_READ) ||
		    mprotect(at + MIDDLE, PAGE, PROT_READ | PROT_WRITE))
			die("mprotect: %s", strerror(errno));
		if (touch)
			write_pages((uintptr_t)at + MIDDLE, PAGE);
	}
	return now() - start;
}

static uint64_t machvm_flip_run(void)
{
	return machvm_flips(false);
}

static uint64_t mprotect_flip_run(void)
{
	return mprotect_flips(false);
}

static uint64_t machvm_touch_run(void)
{
	return machvm_flips(true);
}

static uint64_t mprotect_touch_run(void)
{
	return mprotect_flips(true);
}

static struct side allocate = { .name = "vm_allocate", .ops = ROUNDS, .run = allocate_run };
static struct side map = { .name = "mmap", .ops = ROUNDS, .run = mmap_run };
static struct side flip = { .name = "vm_protect", .ops = 2 * ROUNDS, .run = machvm_flip_run };
static struct side mprotect_flip = { .name = "mprotect", .ops = 2 * ROUNDS,
				     .run = mprotect_flip_run };
static struct side touch = { .name = "vm_protect", .ops = 2 * ROUNDS, .run = machvm_touch_run };
static struct side mprotect_touch = { .name = "mprotect", .ops = 2 * ROUNDS,
				      .run = mprotect_touch_run };

static struct side *const sides[] = { &allocate, &map,	 &flip, &mprotect_flip,
				      &touch,	 &mprotect_touch, NULL };

static const struct row rows[] = {
	{ "4K allocate and deallocate", &allocate, &map, 1.0, 0.6 },
	{ "protect 1 page of 16", &flip, &mprotect_flip, 1.0, 0.6 },
	{ "and write it each second time", &touch, &mprotect_touch, 0, 0 },
	{ }
};

const struct group churn_group = {
	.number = 14,
	.unit = "call",
	.note = "allocate and deallocate count as one; protecting a written page, and undoing it,\n"
		"    as two",
	.sides = sides,
	.rows = rows,
};
