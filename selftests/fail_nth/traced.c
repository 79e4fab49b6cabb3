// SPDX-License-Identifier: GPL-2.0-only
/*
 * traced.c - how often a thread allocates, as the tracepoints of kmem tell.
 */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSTANCE "/sys/kernel/tracing/instances/fail_nth"

static const char *const events[] = {
	"kmem/kmalloc", "kmem/kmem_cache_alloc", "kmem/mm_page_alloc",
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

/*
 * Not what must not fail, nor what those take who look for errors: no call that allocates them is
 * meant to.
 */
static const char *const excluded[] = {
	"__GFP_NOFAIL", "kmemleak", "__create_object", "__alloc_object", "mem_pool_alloc",
	"stack_depot", "kasan", "fill_pool", "debug_object",
};

/* Instead of whatever was there. */
static int instance_write(const char *file, const char *text)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), INSTANCE "/%s", file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return ret;
}

static int trace_me(void)
{
	char tid[16];

	snprintf(tid, sizeof(tid), "%ld", syscall(SYS_gettid));
	return instance_write("set_event_pid", tid);
}

/* Open before, as opening allocates. */
static int tracing_on = -1;

long traced_begin(void)
{
	char path[64];

	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		return -1;
	if (instance_write("tracing_on", "0") || trace_me())
		return -1;
	for (unsigned int i = 0; i < EVENTS; i++) {
		snprintf(path, sizeof(path), "events/%s/enable", events[i]);
		if (instance_write(path, "1"))
			return -1;
	}
	tracing_on = open(INSTANCE "/tracing_on", O_WRONLY | O_CLOEXEC);
	return instance_write("trace", "") || tracing_on < 0 ? -1 : 0;
}

void traced_go(void)
{
	must(write(tracing_on, "1", 1) == 1);
}

void traced_go_instead(void)
{
	must(!trace_me());
	traced_go();
}

/* "program-12  [000] d..2.  1.234: kmalloc: ...": in the thread, and not in an interrupt. */
static bool counts(const char *line)
{
	const char *flags = strchr(line, ']');

	if (line[0] == '#' || !flags || strlen(flags) < 6 || strchr("hHsZz", flags[4]))
		return false;
	for (unsigned int i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
		if (strstr(line, excluded[i]))
			return false;
	return true;
}

long traced_end(void)
{
	FILE *trace;
	char line[1024];
	long count = 0;

	if (write(tracing_on, "0", 1) != 1 || close(tracing_on))
		return -1;
	trace = fopen(INSTANCE "/trace", "re");
	if (!trace)
		return -1;
	while (fgets(line, sizeof(line), trace)) {
		count += counts(line);
		if (getenv("FAIL_NTH_TRACE"))
			fprintf(stderr, "# %s", line);
	}
	fclose(trace);
	return count;
}

/* A child may have a descriptor until it ends, and the instance is used as long. */
bool traced_over(void)
{
	return !rmdir(INSTANCE) || errno == ENOENT;
}

bool traced_works(void)
{
	int fd;

	if (traced_begin())
		return false;
	traced_go();
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && !close(fd) && traced_end() > 0 && traced_over();
}
