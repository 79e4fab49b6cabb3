// SPDX-License-Identifier: GPL-2.0-only
/*
 * stage.c - see stage.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "stage.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Far from where programs, libraries and arenas are. */
#define ORDINARY_AT (1UL << 40)

static bool arena_find(uint64_t *min, uint64_t *max)
{
	FILE *file = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[512];

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		if (strstr(line, "[machvm]"))
			found = sscanf(line, "%" SCNx64 "-%" SCNx64, min, max) == 2;
	fclose(file);
	return found;
}

/* A child that only is there, and keeps what it inherited. */
static pid_t keeper_start(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void keeper_end(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		util_wait(*pid);
	}
	*pid = 0;
}

static unsigned char object_mark(unsigned int page)
{
	return util_mark(page, 0);
}

/* Somebody maps the object all the time, so that it never ends. */
static bool object_keep(struct stage *stage)
{
	vm_address_t base = util_map(util_pager_object(stage->pager), 0, STAGE_OBJECT, false);

	if (!base || vm_inherit(SELF, base, PAGES(STAGE_OBJECT), VM_INHERIT_SHARE))
		return false;
	util_read(base);
	stage->keeper = keeper_start();
	return stage->keeper > 0 && vm_deallocate(SELF, base, PAGES(STAGE_OBJECT)) == KERN_SUCCESS;
}

static bool ordinary_map(struct stage *stage)
{
	void *memory = mmap((void *)ORDINARY_AT, PAGES(STAGE_ORDINARY), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	stage->ordinary = ORDINARY_AT;
	return memory == (void *)ORDINARY_AT;
}

/* Of a right that was taken back, as it would be shown without that. */
static bool revoked_make(struct agree_object *proxy, struct agree_object *object)
{
	struct oracle_part part = { object->oracle, 0, 0, PAGES(STAGE_OBJECT) };
	mach_port_t owner;

	if (machvm_object_create_proxy(VM_PROT_ALL, 1, &object->port, &part.offset, &part.start,
				       &part.length, &proxy->port, &owner) ||
	    oracle_proxy(&proxy->own[0], VM_PROT_ALL, 1, &part))
		return false;
	proxy->name = "revoked";
	proxy->oracle = &proxy->own[0];
	proxy->oracle->revoked = true;
	return mach_port_deallocate(SELF, owner) == KERN_SUCCESS;
}

/* Read only; in two parts with a hole; of a read-only one, with all rights; of no use any more. */
static bool proxies_make(struct stage *stage)
{
	struct agree_object *proxies = stage->proxies;
	struct agree_object *of[] = { &stage->memory_object, &stage->memory_object };
	struct agree_object *of_proxy[] = { &proxies[0], &stage->memory_object };
	const struct oracle_part whole = { .length = PAGES(STAGE_OBJECT) };
	const struct oracle_part parts[] = {
		{ .offset = PAGES(4), .start = PAGES(8), .length = PAGES(60) + 5 },
		{ .start = PAGES(4), .length = PAGES(3) },
	};

	return agree_proxy(&proxies[0], VM_PROT_READ, 1, of, &whole) &&
	       agree_proxy(&proxies[1], VM_PROT_DEFAULT, 2, of, parts) &&
	       agree_proxy(&proxies[2], VM_PROT_ALL, 2, of_proxy, parts) &&
	       revoked_make(&proxies[3], &stage->memory_object);
}

bool stage_init(struct stage *stage)
{
	uint64_t min, max;

	memset(stage, 0, sizeof(*stage));
	if (!util_make(1) || !arena_find(&min, &max) || !ordinary_map(stage))
		return false;
	stage->agree.task = SELF;
	stage->agree.fd = MACHVM_TASK_SELF;
	oracle_init(&stage->agree.map, min, max);
	stage->pager = util_pager_start(STAGE_OBJECT);
	if (!stage->pager || !object_keep(stage))
		return false;
	oracle_object_init(&stage->object, STAGE_OBJECT, object_mark);
	stage->memory_object = (struct agree_object){
		.name = "object",
		.port = util_pager_object(stage->pager),
		.oracle = &stage->object,
	};
	stage->fresh_memory = (struct agree_object){ .name = "null", .port = MACH_PORT_NULL };
	agree_clear(&stage->agree);
	return proxies_make(stage);
}

void stage_end(struct stage *stage)
{
	agree_clear(&stage->agree);
	keeper_end(&stage->sharer);
	keeper_end(&stage->keeper);
	oracle_end(&stage->agree.map);
	for (unsigned int i = 0; i < STAGE_PROXIES; i++)
		agree_object_end(&stage->proxies[i]);
	oracle_object_end(&stage->object);
	munmap((void *)ORDINARY_AT, PAGES(STAGE_ORDINARY));
	util_pager_stop(stage->pager);
}

static bool ordinary_set(struct stage *stage)
{
	struct oracle_map *map = &stage->agree.map;

	if (oracle_find(map, stage->ordinary)) {
		for (unsigned int i = 0; i < STAGE_ORDINARY; i++)
			oracle_find(map, stage->ordinary + PAGES(i))->cell->value = 99;
	} else {
		oracle_ordinary(map, stage->ordinary, STAGE_ORDINARY, 99);
	}
	memset((void *)stage->ordinary, 99, PAGES(STAGE_ORDINARY));
	return true;
}

static bool run_map(struct stage *stage, uint64_t at, unsigned int page, unsigned int nr, bool copy)
{
	struct agree_mapping mapping = {
		.object = &stage->memory_object,
		.how = {
			.offset = PAGES(page),
			.copy = copy,
			.protection = VM_PROT_DEFAULT,
			.max_protection = VM_PROT_ALL,
			.inheritance = VM_INHERIT_COPY,
		},
	};

	return agree_map(&stage->agree, at, PAGES(nr), &mapping);
}

static bool run_mark(struct stage *stage, uint64_t at, unsigned int page, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!agree_store(&stage->agree, at + PAGES(i), util_mark(page + i, 1)))
			return false;
	return true;
}

/* What becomes of fresh memory with marks in it. */
static bool run_change(struct stage *stage, char kind, uint64_t at, uint64_t size)
{
	struct agree *a = &stage->agree;
	const char *source;

	switch (kind) {
	case 'r':
		return agree_protect(a, at, size, false, VM_PROT_READ);
	case 'n':
		return agree_protect(a, at, size, false, VM_PROT_NONE);
	case 'm':
		return agree_protect(a, at, size, true, VM_PROT_READ);
	case 'x':
		return agree_protect(a, at, size, true, VM_PROT_NONE);
	case 'o':
		return agree_protect(a, at, size, false, VM_PROT_WRITE);
	case 't':
		return agree_protect(a, at, size, false, VM_PROT_READ | VM_PROT_NOTIFY);
	case 'i':
		return agree_inherit(a, at, size, VM_INHERIT_NONE);
	case 's':
		return agree_inherit(a, at, size, VM_INHERIT_SHARE);
	case 'q':
		return agree_wire(a, true, at, size, VM_PROT_READ) &&
		       agree_protect(a, at, size, false, VM_PROT_NONE);
	case 'k':
		return agree_wire(a, true, at, size, VM_PROT_DEFAULT);
	case 'c':
		source = strchr(stage->layout, 'w');
		return agree_copy(a, stage->base + PAGES(source - stage->layout), size, at);
	default:
		return true;
	}
}

/* @nr pages of one kind, from number @page on. */
static bool run_set(struct stage *stage, unsigned int page, unsigned int nr)
{
	uint64_t at = stage->base + PAGES(page);
	char kind = stage->layout[page];

	if (kind == '.')
		return true;
	if (kind == 'e' || kind == 'd')
		return run_map(stage, at, page, nr, kind == 'd') &&
		       (kind == 'd' || run_mark(stage, at, page, nr));
	if (!agree_allocate(&stage->agree, at, PAGES(nr), false))
		return false;
	if (kind == 'u')
		return true;
	return run_mark(stage, at, page, nr) && run_change(stage, kind, at, PAGES(nr));
}

/* Another task comes to share what is to be inherited so. */
static bool share(struct stage *stage)
{
	struct oracle_map child;

	keeper_end(&stage->sharer);
	if (!strchr(stage->layout, 's'))
		return true;
	oracle_fork(&stage->agree.map, &child);
	oracle_end(&child);
	stage->sharer = keeper_start();
	return stage->sharer > 0;
}

bool stage_set(struct stage *stage, uint64_t base, const char *layout)
{
	unsigned int page, nr;

	agree_clear(&stage->agree);
	stage->base = base;
	stage->layout = layout;
	stage->pages = strlen(layout);
	ordinary_set(stage);
	for (page = 0; page < stage->pages; page += nr) {
		for (nr = 1; layout[page + nr] == layout[page];)
			nr++;
		if (!run_set(stage, page, nr))
			return false;
	}
	return share(stage);
}
