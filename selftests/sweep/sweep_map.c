// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep_map.c - vm_map with arguments of every kind, on memory of every kind: as the oracle has it.
 *
 * Rows V14, V16, X2; S2.10, S2.23.
 */
#include "harness.h"
#include "cases.h"

/* There are many kinds of arguments: all that is odd about one, and then some at random. */

static struct agree_object *object_of(struct sweep *sweep, unsigned int i)
{
	static struct agree_object dead = { .name = "dead", .port = MACH_PORT_DEAD };
	static struct agree_object closed = { .name = "closed", .port = 777, .refused = true };
	static struct agree_object device = { .name = "device", .refused = true };

	if (!device.port)
		device.port = util_device();
	switch (i % 12) {
	case 0:
		return &dead;
	case 1:
		return &closed;
	case 2:
		return &device;
	case 3 ... 5:
		return &sweep->stage.memory_object;
	case 6 ... 7:
		return &sweep->stage.fresh_memory;
	default:
		return &sweep->stage.proxies[i % 12 - 8];
	}
}

static const uint64_t masks[] = {
	0, 0xfff, 0x1fff, 0xffff, 0x1fffff, 0x7ff, 0xffff800000000000, 0xffffc00000000000,
	0xffff8000001fffff, 0x1000, 0xfff000, -1UL, 0xf0f000, 0x8000000000000000,
	0xffff000000000000, 0xffffff0000000000, 0x3fffffffff,
};

static const uint64_t offsets[] = {
	0, PAGES(3), 0x123, -PAGE, PAGES(60), -PAGES(3), 0x100000, 1, -1UL,
};

static const vm_prot_t rights[] = {
	VM_PROT_DEFAULT, VM_PROT_READ, VM_PROT_NONE, VM_PROT_ALL, VM_PROT_WRITE, 8, 0x10, -1, 5,
};

static const vm_inherit_t inheritances[] = {
	VM_INHERIT_COPY, VM_INHERIT_SHARE, VM_INHERIT_NONE, MACHVM_INHERIT_ZERO, 3, -1,
};

static void try_map(struct sweep *sweep, uint64_t address, uint64_t size,
		    const struct agree_mapping *mapping)
{
	case_begin(sweep);
	case_end(sweep, agree_map(&sweep->stage.agree, address, size, mapping));
}

/* One argument is odd, the others are good; of three objects, fixed and anywhere. */
static void sweep_map_odd(struct sweep *sweep, struct agree_mapping mapping)
{
	uint64_t hole = sweep->stage.base - PAGES(8);
	struct agree_mapping odd;

	for (unsigned int i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		if (case_skipped(sweep))
			continue;
		odd = mapping;
		odd.how.mask = masks[i];
		try_map(sweep, hole, PAGES(2), &odd);
		try_map(sweep, hole + PAGES(2), PAGES(2) - 1, &odd);
	}
	for (unsigned int i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		if (case_skipped(sweep))
			continue;
		odd = mapping;
		odd.how.offset = offsets[i];
		try_map(sweep, hole, PAGE, &odd);
		try_map(sweep, hole + 0x123, PAGES(2), &odd);
	}
	for (unsigned int i = 0; i < 81; i++) {
		if (case_skipped(sweep))
			continue;
		odd = mapping;
		odd.how.protection = rights[i % 9];
		odd.how.max_protection = rights[i / 9];
		try_map(sweep, hole, PAGE, &odd);
	}
	for (unsigned int i = 0; i < sizeof(inheritances) / sizeof(inheritances[0]); i++) {
		if (case_skipped(sweep))
			continue;
		odd = mapping;
		odd.how.inheritance = inheritances[i];
		try_map(sweep, hole, PAGE, &odd);
	}
}

static void sweep_map_ranges(struct sweep *sweep, uint64_t address, uint64_t size)
{
	unsigned int n = sweep->number;
	struct agree_mapping mapping = {
		.object = object_of(sweep, n % 5 ? 3 + n % 9 : n),
		.how = {
			.mask = n % 4 ? 0 : PICK(masks, n / 4),
			.anywhere = n % 7 == 0,
			.offset = n % 3 ? PAGES(n % 8) : PICK(offsets, n / 3),
			.copy = n % 2,
			.protection = n % 6 ? VM_PROT_DEFAULT : PICK(rights, n / 6),
			.max_protection = n % 5 ? VM_PROT_ALL : PICK(rights, n / 5),
			.inheritance = n % 9 ? VM_INHERIT_COPY : PICK(inheritances, n / 9),
		},
	};

	try_map(sweep, address, size, &mapping);
}

static void sweep_map(struct sweep *sweep, try_t *try)
{
	static const unsigned int objects[] = { 6, 3, 0, 8, 9, 10, 11 };
	struct agree_mapping good = {
		.how = {
			.protection = VM_PROT_DEFAULT,
			.max_protection = VM_PROT_ALL,
			.inheritance = VM_INHERIT_COPY,
		},
	};

	if (sweep->first) {
		for (unsigned int i = 0; i < 7; i++) {
			good.object = object_of(sweep, PICK(objects, i));
			good.how.anywhere = i / 3 % 2;
			good.how.copy = i % 2;
			sweep_map_odd(sweep, good);
		}
	}
	sweep_ranges(sweep, try);
}

SWEEP(V14_S2_10_sweep_of_vm_map, sweep_map, sweep_map_ranges, 1000)

HARNESS_MAIN_SLOW
