// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep_copy.c - vm_copy, vm_read and vm_write with arguments of every kind, on memory of every
 * kind: as the oracle has it.
 *
 * Rows V9, V12, V13; S2.14 to S2.17.
 */
#include "harness.h"
#include "cases.h"

static void try_read(struct sweep *sweep, uint64_t address, uint64_t size)
{
	struct agree *a = &sweep->stage.agree;

	case_begin(sweep);
	case_end(sweep, agree_read(a, address, size, a));
}

/* The other end of a copy: a page of the layout, aligned or not, or far away. */
static uint64_t other_end(const struct sweep *sweep)
{
	unsigned int n = sweep->number;
	uint64_t far[] = { sweep->stage.ordinary, 0, -PAGE, USER_END - PAGE };

	if (n % 11 == 0)
		return far[n / 11 % 4];
	return sweep->stage.base + PAGES(n * 7 % sweep->stage.pages) + (n % 13 == 0);
}

/* Sizes of whole pages more often, as all else is refused. */
static uint64_t copy_size(const struct sweep *sweep, uint64_t size)
{
	if (sweep->number % 3 == 0 || size > PAGES(64))
		return size;
	return PAGES(1 + sweep->number % 5);
}

static void try_copy_from(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_copy(&sweep->stage.agree, address, copy_size(sweep, size),
				   other_end(sweep)));
}

static void try_copy_to(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_copy(&sweep->stage.agree, other_end(sweep), copy_size(sweep, size),
				   address));
}

static void try_write(struct sweep *sweep, uint64_t address, uint64_t size)
{
	struct agree *a = &sweep->stage.agree;
	uint64_t data = sweep->number % 3 ? sweep->stage.ordinary : other_end(sweep);

	case_begin(sweep);
	case_end(sweep, agree_write(a, address, a, data, copy_size(sweep, size)));
}

SWEEP(V13_S2_17_sweep_of_vm_copy_from, sweep_ranges, try_copy_from, 250)
SWEEP(V13_S2_15_sweep_of_vm_copy_to, sweep_ranges, try_copy_to, 250)
SWEEP(V9_S2_17_sweep_of_vm_read, sweep_ranges, try_read, 250)
SWEEP(V12_S2_15_sweep_of_vm_write, sweep_ranges, try_write, 250)

HARNESS_MAIN_SLOW
