// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep_wire.c - wiring, limits and what drivers ask for, with arguments of every kind on memory of
 * every kind: as the oracle has it.
 *
 * Rows V22 to V24, V26, V30, V41; S2.8, S2.19, S2.22.
 */
#include "harness.h"
#include "cases.h"

#include <sys/resource.h>

/* What those without privilege may have wired: less than some ranges, more than others. */
#define WIRE_LIMIT PAGES(6)

static void wire_limit_set(struct sweep *sweep)
{
	const struct rlimit limit = { WIRE_LIMIT, WIRE_LIMIT };

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		abort();
	sweep->stage.agree.map.wire_limit = WIRE_LIMIT;
}

static void try_wire(struct sweep *sweep, uint64_t address, uint64_t size)
{
	static const vm_prot_t accesses[] = {
		VM_PROT_DEFAULT, VM_PROT_READ, VM_PROT_NONE, VM_PROT_ALL, VM_PROT_READ,
		VM_PROT_WRITE, 8, VM_PROT_NONE, 0x10, VM_PROT_READ, -1,
	};

	case_begin(sweep);
	case_end(sweep, agree_wire(&sweep->stage.agree, sweep->number % 3 == 0, address, size,
				   PICK(accesses, sweep->number)));
}

static void sweep_wire(struct sweep *sweep, try_t *try)
{
	wire_limit_set(sweep);
	sweep_ranges(sweep, try);
}

/* Whatever comes is wired; what was forked is not. */
static bool future_agrees(struct agree *a, uint64_t from)
{
	struct oracle_map child;

	oracle_fork(&a->map, &child);
	for (unsigned int i = 0; i < child.nr_pages; i++)
		if (child.pages[i].wired)
			return false;
	oracle_end(&child);
	return agree_allocate(a, 0, PAGES(2), true) && agree_read(a, from, PAGE, a) &&
	       agree_regions(a);
}

static void sweep_wire_all(struct sweep *sweep, try_t *try)
{
	static const vm_wire_t flags[] = {
		VM_WIRE_CURRENT, VM_WIRE_FUTURE, VM_WIRE_ALL, VM_WIRE_NONE, 4, 5, 7, -1,
	};
	struct agree *a = &sweep->stage.agree;
	uint64_t written = sweep->stage.base + PAGES(strcspn(sweep->scene->layout, "w"));

	(void)try;
	for (unsigned int i = 0; i < 64; i++) {
		if (case_skipped(sweep))
			continue;
		case_begin(sweep);
		case_end(sweep, agree_wire_all(a, PICK(flags, i)) && agree_regions(a) &&
				future_agrees(a, written) && agree_wire_all(a, PICK(flags, i / 8)) &&
				future_agrees(a, written) && agree_wire_all(a, VM_WIRE_NONE) &&
				future_agrees(a, written));
	}
}

/* What a limit is good for, and what it does not hold back. */
static bool limit_agrees(struct agree *a, uint64_t at)
{
	return agree_allocate(a, 0, PAGES(2), true) && agree_allocate(a, at, PAGE, false) &&
	       agree_allocate(a, 0, 1, true) && agree_read(a, at + 1, PAGE, a) &&
	       agree_protect(a, at, PAGE, true, VM_PROT_NONE) &&
	       agree_allocate(a, at + PAGE, PAGE, false);
}

static void sweep_size_limit(struct sweep *sweep, try_t *try)
{
	struct agree *a = &sweep->stage.agree;
	uint64_t size = oracle_size(&a->map);
	const uint64_t limits[] = {
		0, size - PAGE, size, size + 1, size + PAGE, size + PAGES(3), USER_END, -PAGE, -1UL,
	};
	unsigned int nr = sizeof(limits) / sizeof(limits[0]);

	(void)try;
	for (unsigned int i = 0; i < nr * nr * 2; i++) {
		if (case_skipped(sweep))
			continue;
		case_begin(sweep);
		case_end(sweep, agree_set_size_limit(a, i / nr / nr, PICK(limits, i),
						     PICK(limits, i / nr)) &&
				limit_agrees(a, sweep->stage.base + PAGES(sweep->stage.pages + 1)) &&
				agree_set_size_limit(a, false, PAGES(1), USER_END) &&
				agree_set_size_limit(a, true, USER_END, USER_END));
	}
}

static void sweep_contiguous(struct sweep *sweep, try_t *try)
{
	static const uint64_t sizes[] = {
		PAGE, 0, 1, PAGES(3) + 1, -1UL, -PAGE, 1UL << 40, (4UL << 20) + 1, PAGES(16),
	};
	static const uint64_t most[] = { -1UL, 0, PAGE - 1, 0xffffffff, 1UL << 40 };
	static const uint64_t aligns[] = { 0, PAGE, 1, 64, 3, PAGES(2), -1UL };

	(void)try;
	for (unsigned int i = 0; i < 9 * 5 * 7; i++) {
		if (case_skipped(sweep))
			continue;
		case_begin(sweep);
		case_end(sweep, agree_allocate_contiguous(&sweep->stage.agree, PICK(sizes, i),
							  i % 11 ? 0 : i, PICK(most, i / 9),
							  PICK(aligns, i / 45)));
	}
}

/* An array for all that is asked about must be had. */
static void try_pages_phys(struct sweep *sweep, uint64_t address, uint64_t size)
{
	if (size > PAGES(256) && (address | size) % PAGE == 0)
		size = PAGES(100);
	case_begin(sweep);
	case_end(sweep, agree_pages_phys(&sweep->stage.agree, address, size));
	case_begin(sweep);
	case_end(sweep, agree_pages_phys(&sweep->stage.agree, address & -PAGE,
					 PAGES(sweep->number % 80)));
}

static void try_machine_attribute(struct sweep *sweep, uint64_t address, uint64_t size)
{
	static const int values[] = {
		MATTR_VAL_OFF, MATTR_VAL_ON, MATTR_VAL_GET, MATTR_VAL_CACHE_FLUSH,
		MATTR_VAL_ICACHE_FLUSH, 3, -1,
	};
	static const unsigned int attributes[] = {
		MATTR_CACHE, MATTR_MIGRATE, MATTR_REPLICATE, 0, 8, -1U,
	};

	case_begin(sweep);
	case_end(sweep, agree_machine_attribute(&sweep->stage.agree, address, size,
						PICK(attributes, sweep->number),
						PICK(values, sweep->number / 6)));
}

SWEEP(V22_S2_8_S2_19_sweep_of_vm_wire, sweep_wire, try_wire, 250)
SWEEP(V24_sweep_of_vm_wire_all, sweep_wire_all, NULL, 250)
SWEEP(V26_S2_22_sweep_of_vm_set_size_limit, sweep_size_limit, NULL, 500)
SWEEP(V41_sweep_of_vm_allocate_contiguous, sweep_contiguous, NULL, 250)
SWEEP(V41_sweep_of_vm_pages_phys, sweep_ranges, try_pages_phys, 500)
SWEEP(V30_sweep_of_vm_machine_attribute, sweep_ranges, try_machine_attribute, 250)

HARNESS_MAIN_SLOW
