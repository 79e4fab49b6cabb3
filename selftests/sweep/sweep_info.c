// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep_info.c - what is told of regions and objects, and rights to parts of them, with arguments
 * of every kind: as the oracle has it.
 *
 * Rows D1 to D3, X1 to X5; S2.12, S2.56.
 */
#include "harness.h"
#include "cases.h"

static void try_region_info(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_region_info(&sweep->stage.agree, address + size));
}

static void try_object_info(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_object_info(&sweep->stage.agree, address + size));
}

/* What is mapped of it is the same memory: what is written there shows here. */
static bool mapping_agrees(struct agree *a, struct agree_object *proxy, uint64_t size, bool copy)
{
	struct agree_mapping mapping = {
		.object = proxy,
		.how = {
			.anywhere = true,
			.copy = copy,
			.protection = VM_PROT_DEFAULT,
			.max_protection = VM_PROT_ALL,
			.inheritance = VM_INHERIT_COPY,
		},
	};
	const struct oracle_page *last;
	unsigned int nr = a->map.nr_pages;

	if (!agree_map(a, 0, size, &mapping))
		return false;
	if (a->map.nr_pages == nr)
		return true;
	/* The lowest gap was taken, somewhere below the layout. */
	last = oracle_next(&a->map, a->map.min);
	return !last || agree_store(a, last->address, 77);
}

static void try_region_proxy(struct sweep *sweep, uint64_t address, uint64_t size)
{
	static const vm_prot_t protections[] = {
		VM_PROT_DEFAULT, VM_PROT_READ, VM_PROT_ALL, VM_PROT_NONE, 8, VM_PROT_WRITE, -1,
		VM_PROT_DEFAULT, VM_PROT_ALL,
	};
	struct agree *a = &sweep->stage.agree;
	struct agree_object proxy;
	bool agreed;

	if (sweep->number % 4)
		address &= -PAGE;
	if (sweep->number % 3 && size < PAGES(64))
		size = PAGES(1 + sweep->number % 3);
	case_begin(sweep);
	agreed = agree_region_proxy(a, address, size, PICK(protections, sweep->number), &proxy);
	if (agreed && proxy.oracle) {
		a->map.changes++;
		agreed = mapping_agrees(a, &proxy, size & -PAGE, sweep->number % 5 == 0) &&
			 mapping_agrees(a, &proxy, size + 1, false) &&
			 agree_store(a, address, 78);
	}
	case_end(sweep, agreed);
	agree_object_end(&proxy);
}

static const uint64_t places[] = {
	0, PAGE, 5, PAGES(60), -PAGE, -PAGES(2), -1UL, 1UL << 63,
};

static const uint64_t lengths[] = {
	PAGES(3), PAGE, PAGE + 7, 5, -1UL, -PAGE, PAGES(64), PAGES(2),
};

/* A proxy of two parts, and what can be mapped of it. */
static void try_proxy(struct sweep *sweep, vm_prot_t protection, struct agree_object *const *of,
		      const struct oracle_part *parts, unsigned int count)
{
	struct agree *a = &sweep->stage.agree;
	struct agree_object proxy;
	bool agreed;

	case_begin(sweep);
	agreed = agree_proxy(&proxy, protection, count, of, parts);
	if (agreed && proxy.oracle) {
		agreed = mapping_agrees(a, &proxy, PAGE, false) &&
			 mapping_agrees(a, &proxy, PAGES(4), sweep->cases % 2);
	}
	case_end(sweep, agreed);
	agree_object_end(&proxy);
}

static void sweep_proxy(struct sweep *sweep, try_t *try)
{
	static struct agree_object none = { .name = "none", .port = 777 };
	struct stage *stage = &sweep->stage;
	struct agree_object *const objects[] = {
		&stage->memory_object, &stage->proxies[0], &stage->proxies[1], &none,
		&stage->memory_object, &stage->proxies[2],
	};
	static const vm_prot_t protections[] = {
		VM_PROT_ALL, VM_PROT_READ, VM_PROT_DEFAULT, VM_PROT_NONE, VM_PROT_WRITE, 8, 0x10, -1,
	};

	(void)try;
	for (unsigned int i = 0; i < 8 * 8 * 2; i++) {
		if (case_skipped(sweep))
			continue;
		struct agree_object *of[] = { PICK(objects, i), PICK(objects, i / 5) };
		const struct oracle_part parts[] = {
			{ .offset = i % 3 ? 0 : PICK(places, i / 3), .start = PICK(places, i),
			  .length = PICK(lengths, i / 8) },
			{ .offset = i % 7 ? PAGES(3) : PICK(places, i / 7),
			  .start = i % 4 ? PAGES(2) : PICK(places, i / 4),
			  .length = i % 6 ? PAGES(1) : PICK(lengths, i / 6) },
		};

		try_proxy(sweep, PICK(protections, i % 5 ? i % 3 : i / 5), of, parts, 1 + i % 2);
	}
}

/* As many parts, and as many levels, as there may be, and one more. */
TEST(X1_X3_sweep_of_large_proxies)
{
	static struct agree_object *of[1025], levels[18];
	static struct oracle_part parts[1025];
	struct agree_object proxy;
	struct sweep sweep = {};

	ASSERT_TRUE(sweep_first_scene(&sweep));
	for (unsigned int i = 0; i < 1025; i++) {
		of[i] = &sweep.stage.memory_object;
		parts[i] = (struct oracle_part){ .offset = PAGES(i), .length = PAGE };
	}
	for (unsigned int count = 0; count <= 1025; count += count ? 1024 : 1)
		try_proxy(&sweep, VM_PROT_READ, of, parts, count);
	try_proxy(&sweep, VM_PROT_READ, of, parts, 1024);
	EXPECT_TRUE(agree_proxy(&levels[0], VM_PROT_ALL, 1, of, parts));
	for (unsigned int i = 1; i < 18 && levels[i - 1].oracle; i++) {
		of[0] = &levels[i - 1];
		EXPECT_TRUE(agree_proxy(&levels[i], VM_PROT_ALL, 1, of, parts));
	}
	EXPECT_EQ(NULL, levels[16].oracle);
	of[0] = &levels[15];
	try_proxy(&sweep, VM_PROT_READ, of, parts, 2);
	EXPECT_TRUE(agree_proxy(&proxy, VM_PROT_ALL, 0, of, parts));
	for (unsigned int i = 0; i < 16; i++)
		agree_object_end(&levels[i]);
	EXPECT_EQ(0, sweep.wrong);
	stage_end(&sweep.stage);
}

SWEEP(D1_S2_12_sweep_of_mach_vm_region_info, sweep_ranges, try_region_info, 250)
SWEEP(D2_D3_sweep_of_mach_vm_object_info, sweep_ranges, try_object_info, 250)
SWEEP(X5_sweep_of_vm_region_create_proxy, sweep_ranges, try_region_proxy, 250)
SWEEP(X1_X2_S2_56_sweep_of_memory_object_create_proxy, sweep_proxy, NULL, 500)

HARNESS_MAIN_SLOW
