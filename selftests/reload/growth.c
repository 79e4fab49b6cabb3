// SPDX-License-Identifier: GPL-2.0-only
/*
 * growth.c - what the kernel has, and whether it becomes more and more.
 */
#include "reload.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKS 8
#define THINGS 1024

static struct thing {
	char name[64];
	unsigned int looks;
	long count[LOOKS];
} things[THINGS];

static unsigned int nr_things, nr_looks;

static void add(const char *name, long count)
{
	struct thing *thing = things;

	while (thing < things + nr_things && strcmp(thing->name, name))
		thing++;
	if (thing == things + nr_things) {
		must(nr_things < THINGS);
		nr_things++;
		snprintf(thing->name, sizeof(thing->name), "%s", name);
	}
	/* A cache that comes later or goes for a while is no steady loss. */
	if (thing->looks == nr_looks)
		thing->count[thing->looks++] = count;
}

/* Objects that are free, but on a slab that a processor has for itself, count as used. */
static void shrink_slabs(void)
{
	DIR *slabs = opendir("/sys/kernel/slab");
	struct dirent *slab;
	char path[512];

	must(slabs);
	while ((slab = readdir(slabs))) {
		if (slab->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", slab->d_name);
		util_file_write(path, "1");
	}
	closedir(slabs);
}

static void look_at_slabs(void)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	char line[512], name[128];
	long active;

	must(file);
	while (fgets(line, sizeof(line), file))
		if (line[0] != '#' && sscanf(line, "%127s %ld", name, &active) == 2)
			add(name, active);
	fclose(file);
}

/* Free pages that processors have for themselves. */
static long on_lists(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	long count, all = 0;
	char line[256];

	must(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %ld", &count) == 1)
			all += count;
	fclose(file);
	return all;
}

/* In pages.  What is free counts the other way round, with what would be for the asking. */
static void look_at_pages(void)
{
	static const char *const grow[] = {
		"SUnreclaim", "VmallocUsed", "Percpu", "KernelStack", "PageTables", "Shmem",
	};
	static const char *const idle[] = { "MemFree", "Buffers", "Cached", "SReclaimable" };
	FILE *file = fopen("/proc/meminfo", "re");
	long kib, gone = -on_lists();
	char line[256], name[64];

	must(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %ld", name, &kib) != 2)
			continue;
		for (unsigned int i = 0; i < sizeof(grow) / sizeof(grow[0]); i++)
			if (!strcmp(name, grow[i]))
				add(name, kib * 1024 / PAGE);
		for (unsigned int i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
			if (!strcmp(name, idle[i]))
				gone -= kib * 1024 / PAGE;
	}
	fclose(file);
	add("pages", gone);
}

void growth_look(void)
{
	must(nr_looks < LOOKS);
	util_file_write("/proc/sys/vm/drop_caches", "3");
	shrink_slabs();
	util_file_write("/proc/sys/vm/stat_refresh", "1");
	look_at_slabs();
	look_at_pages();
	nr_looks++;
}

static bool grew(const struct thing *thing, unsigned long cycles)
{
	if (thing->looks < nr_looks)
		return false;
	for (unsigned int i = 1; i < thing->looks; i++)
		if (thing->count[i] - thing->count[i - 1] < (long)cycles / 2)
			return false;
	return true;
}

unsigned int growth_found(unsigned long cycles)
{
	unsigned int found = 0;

	for (struct thing *thing = things; thing < things + nr_things; thing++) {
		bool bad = grew(thing, cycles);

		/* Of pages it is said anyway, to see how much noise there is. */
		if (!bad && strcmp(thing->name, "pages"))
			continue;
		found += bad;
		printf("# %s%s:", thing->name, bad ? " grows" : "");
		for (unsigned int i = 0; i < thing->looks; i++)
			printf(" %ld", thing->count[i]);
		putchar('\n');
	}
	return found;
}
