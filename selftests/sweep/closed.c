// SPDX-License-Identifier: GPL-2.0-only
/*
 * closed.c - addresses that a call for a fixed one cannot have, which only Linux can tell.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "agree_internal.h"

#include <string.h>

#define RANGES 2048

static struct oracle_range ranges[RANGES];

static void range_add(struct oracle_map *map, uint64_t start, uint64_t end)
{
	if (start < end && map->nr_closed < RANGES)
		ranges[map->nr_closed++] = (struct oracle_range){ start, end };
}

/*
 * The task itself is not given what Linux has there; others only get what lies in windows that are
 * there.
 */
static void ranges_read(struct oracle_map *map, FILE *maps, bool itself)
{
	uint64_t start, end, last = 0;
	char line[512];

	while (fgets(line, sizeof(line), maps)) {
		bool ours = strstr(line, "[machvm]");

		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		if (itself && !ours)
			range_add(map, start, end);
		if (itself || !ours)
			continue;
		range_add(map, last, start);
		last = end;
	}
	if (!itself)
		range_add(map, last, UINT64_MAX);
}

void agree_closed_begin(struct agree *a, uint64_t address, uint64_t size)
{
	struct oracle_map *map = &a->map;
	char path[32] = "/proc/self/maps";
	FILE *maps;

	if (address >= map->min && address < map->max && size <= map->max - address)
		return;
	if (a->pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", a->pid);
	maps = fopen(path, "re");
	if (!maps)
		return;
	map->closed = ranges;
	ranges_read(map, maps, a->send || !a->pid);
	fclose(maps);
}

void agree_closed_end(struct agree *a)
{
	a->map.nr_closed = 0;
}

bool agree_is_linux(const struct agree *a, uint64_t address)
{
	return (address < a->map.min || address >= a->map.max) && !oracle_find(&a->map, address);
}
