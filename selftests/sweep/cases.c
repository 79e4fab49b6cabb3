// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases.c - see cases.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cases.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static const struct sweep_scene scenes[] = {
	{ "..wwurrnn.mxx.otuui.w..", MIDDLE, 11 },
	{ ".wwee.eddcc.ee.uw", MIDDLE, 17 },
	{ "wr.u", AT_START, 13 },
	{ "u.rw", AT_END, 13 },
	{ ".wss.swc", MIDDLE, 23 },
	{ ".wkkrke.kuq.", MIDDLE, 23 },
};

/* In the middle: on a border of 2 MiB, with room below it. */
#define MIDDLE_AT 0x40000000UL

static uint64_t scene_base(const struct stage *stage, const struct sweep_scene *scene)
{
	const struct oracle_map *map = &stage->agree.map;

	switch (scene->where) {
	case AT_START:
		return map->min;
	case AT_END:
		return map->max - PAGES(strlen(scene->layout));
	default:
		return map->min + MIDDLE_AT;
	}
}

static bool scene_set(struct sweep *sweep)
{
	struct stage *stage = &sweep->stage;

	if (stage_set(stage, scene_base(stage, sweep->scene), sweep->scene->layout))
		return true;
	agree_complain("layout %s could not be made", sweep->scene->layout);
	sweep->wrong++;
	return false;
}

bool case_skipped(struct sweep *sweep)
{
	return sweep->offered++ % sweep->slowness;
}

void case_begin(struct sweep *sweep)
{
	sweep->changes = sweep->stage.agree.map.changes;
}

/* The answer agreed; does the map, and did nothing else change? */
void case_end(struct sweep *sweep, bool agreed)
{
	struct agree *a = &sweep->stage.agree;
	bool changed = sweep->changes != a->map.changes;

	sweep->cases++;
	if (agreed && agree_regions(a) && agree_contents(a, changed)) {
		if (changed)
			scene_set(sweep);
		return;
	}
	agree_complain("... after %s, case %u on %s", agree_last(), sweep->cases,
		       sweep->scene->layout);
	sweep->wrong++;
	scene_set(sweep);
}

/* Addresses: all borders of pages of the layout, some bytes beside them, and the far ones. */
static unsigned int addresses_of(const struct sweep *sweep, uint64_t *addresses)
{
	static const int beside[] = { 1, -1, 0xfff, 0x123, 2, -2 };
	const struct oracle_map *map = &sweep->stage.agree.map;
	const uint64_t far[] = {
		0, 1, PAGE - 1, PAGE, PAGE + 2, map->min - PAGE, map->min, map->max - 1, map->max,
		USER_END - PAGE, USER_END, 1UL << 47, -PAGE - 1, -PAGE, -PAGE + 1, -2UL, -1UL,
		sweep->stage.ordinary, sweep->stage.ordinary + PAGE + 1,
	};
	unsigned int nr = 0;

	for (unsigned int page = 0; page <= sweep->stage.pages; page++) {
		addresses[nr++] = sweep->stage.base + PAGES(page);
		addresses[nr++] = sweep->stage.base + PAGES(page) + beside[page % 6];
	}
	for (unsigned int i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		addresses[nr++] = far[i];
	return nr;
}

#define ADDRESSES 96

/* Sizes: about a page, some pages, all of the layout; wrapping at the top, or just not. */
static uint64_t size_of(const struct sweep *sweep, uint64_t address, unsigned int i)
{
	const uint64_t sizes[] = {
		0, PAGE, 1, PAGE + 1, PAGES(2), PAGE - 1, PAGES(4), 2, PAGES(3) + 2, PAGE + 2,
		PAGES(sweep->stage.pages), -address, -address - 1, -address - PAGE,
		-address - PAGE + 1, -PAGE, -PAGE + 1, -1UL, -2UL, -PAGE - 2, 1UL << 47,
	};

	return sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
}

#define SIZES 21

void sweep_ranges(struct sweep *sweep, try_t *try)
{
	unsigned int stride = sweep->scene->stride * sweep->slowness;
	uint64_t addresses[ADDRESSES];
	unsigned int nr = addresses_of(sweep, addresses);

	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int j = i % stride; j < SIZES; j += stride) {
			sweep->number++;
			try(sweep, addresses[i], size_of(sweep, addresses[i], j));
		}
	}
}

bool sweep_first_scene(struct sweep *sweep)
{
	sweep->scene = &scenes[0];
	return stage_init(&sweep->stage) && scene_set(sweep);
}

/* A kernel with all its checks, emulated, gets a fifth. */
static unsigned int slowness(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, "-machvm-") ? 5 : 1;
}

bool sweep_scenes(struct sweep *sweep, void (*over)(struct sweep *sweep, try_t *try), try_t *try)
{
	memset(sweep, 0, sizeof(*sweep));
	sweep->slowness = slowness();
	if (!stage_init(&sweep->stage)) {
		agree_complain("no stage");
		return false;
	}
	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		sweep->scene = &scenes[i];
		sweep->first = i == 0;
		if (scene_set(sweep))
			over(sweep, try);
	}
	stage_end(&sweep->stage);
	printf("# %u cases\n", sweep->cases);
	return !sweep->wrong;
}
