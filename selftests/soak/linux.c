// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux.c - what Linux is told to do to its memory meanwhile.
 *
 * What a kernel does not have it is not told; what it refuses it may refuse.  No processor is taken
 * away: the clock by which Linux shares out an emulated one stands still when it has come back.
 */
#include "soak.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP_FILE "/sys/fs/cgroup/" GROUP "/"
#define MIB (1UL << 20)

struct shaker {
	struct part *part;
	unsigned int seed;
};

static void say(const char *path, const char *format, unsigned long value)
{
	char text[64];

	snprintf(text, sizeof(text), format, value);
	util_file_write(path, text);
}

static void shake_caches(struct shaker *s)
{
	if (below(&s->seed, 2))
		util_drop_caches();
	else
		util_file_write("/proc/sys/vm/drop_caches", "5");
}

static void shake_compact(struct shaker *s)
{
	(void)s;
	util_file_write("/proc/sys/vm/compact_memory", "1");
}

/* What is there goes elsewhere, or it stays if there is no room. */
static void shake_swap(struct shaker *s)
{
	(void)s;
	if (swapon(SMALL_SWAP, SWAP_FLAG_PREFER | 10))
		swapoff(SMALL_SWAP);
}

/* The limits of the group are about a part of what is used there. */
static void shake_group(struct shaker *s)
{
	unsigned long pages = s->part->pages;

	say(GROUP_FILE "memory.max", "%lu", PAGES(pages / 4 + below(&s->seed, pages / 2)));
	say(GROUP_FILE "memory.high", "%lu", PAGES(pages / 4 + below(&s->seed, pages / 2)));
	say(GROUP_FILE "memory.reclaim", "%lu", below(&s->seed, 8) * MIB);
}

static void shake_limits(struct shaker *s)
{
	unsigned long most = s->part->pages;

	util_parameter_set("max_pages", most / 2 + below(&s->seed, most));
	util_parameter_set("max_dirty_pages", below(&s->seed, 2) * (100 + below(&s->seed, 1000)));
}

static void shake_merging(struct shaker *s)
{
	say("/sys/kernel/mm/ksm/run", "%lu", below(&s->seed, 2));
}

static void shake_huge_pages(struct shaker *s)
{
	static const char *const words[] = { "always", "madvise", "never", "advise" };

	util_file_write("/sys/kernel/mm/transparent_hugepage/enabled",
			words[below(&s->seed, 3)]);
	util_file_write("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
			words[below(&s->seed, 4)]);
}

/* Pages that are not Linux's stay where they are. */
static void shake_nodes(struct shaker *s)
{
	pid_t pid = board->parts[below(&s->seed, board->nr_parts)].pid;
	unsigned long from = 1UL << below(&s->seed, 2), to = 3 ^ from;

	if (pid > 0)
		syscall(SYS_migrate_pages, pid, 8, &from, &to);
}

/* Memory that is Linux's own, for a moment. */
static void shake_hog(struct shaker *s)
{
	size_t size = PAGES(s->part->pages / 2);
	pid_t pid = fork();
	char *memory;

	must(pid >= 0);
	if (!pid) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (size_t at = 0; memory != MAP_FAILED && at < size && !stopped(); at += PAGE)
			memory[at] = 1;
		_exit(0);
	}
	if (util_wait(pid))
		finding("who uses memory of Linux's is killed");
}

#define SHRINKERS "/sys/kernel/debug/shrinker/"

/* Each of them, as if memory were short. */
static void shake_shrinkers(struct shaker *s)
{
	DIR *folder = opendir(SHRINKERS);
	struct dirent *entry;
	char path[320];

	while (folder && (entry = readdir(folder))) {
		if (!strstr(entry->d_name, "machvm"))
			continue;
		snprintf(path, sizeof(path), SHRINKERS "%s/scan", entry->d_name);
		say(path, "0 0 %lu", 1 + below(&s->seed, 1000));
	}
	if (folder)
		closedir(folder);
}

static void (*const shocks[])(struct shaker *s) = {
	shake_caches, shake_compact, shake_swap, shake_group, shake_limits, shake_merging,
	shake_huge_pages, shake_nodes, shake_hog, shake_shrinkers,
};

static void begin(void)
{
	util_file_write("/proc/sys/kernel/numa_balancing", "1");
	util_file_write("/sys/kernel/mm/ksm/sleep_millisecs", "100");
	util_file_write("/sys/kernel/mm/ksm/pages_to_scan", "500");
}

static void end(void)
{
	swapoff(SMALL_SWAP);
	util_parameter_set("max_pages", 0);
	util_parameter_set("max_dirty_pages", 0);
	util_file_write("/sys/kernel/mm/ksm/run", "0");
}

void linux_run(struct part *part)
{
	struct shaker s = { .part = part, .seed = seed_of(part) };

	begin();
	while (!stopped()) {
		shocks[below(&s.seed, sizeof(shocks) / sizeof(shocks[0]))](&s);
		atomic_fetch_add(&board->shocks, 1);
		go_on(part);
		usleep(below(&s.seed, 1000) * 1000);
	}
	end();
}
