// SPDX-License-Identifier: GPL-2.0-only
/*
 * counters.c - who counted what: the kernel, and the pager in its log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "demo.h"

static void ask(unsigned long request, void *arg, const char *what)
{
	int dev = open(MACHVM_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (dev < 0)
		fail("%s: %s", MACHVM_DEVICE, strerror(errno));
	ret = ioctl(dev, request, arg);
	if (ret < 0)
		fail("%s: %s", what, strerror(errno));
	must_succeed(ret, what);
	close(dev);
}

void kernel_counters(struct machvm_vm_statistics *s)
{
	*s = (struct machvm_vm_statistics){ .size = sizeof(*s) };
	ask(MACHVM_VM_STATISTICS, s, "vm_statistics");
}

void kernel_object(const void *address, struct machvm_object_info *o)
{
	struct machvm_vm_region r = {
		.size = sizeof(r),
		.task = MACHVM_TASK_SELF,
		.address = (uintptr_t)address,
	};

	ask(MACHVM_VM_REGION, &r, "vm_region");
	if (r.address != (uintptr_t)address || !r.out_object)
		fail("vm_region knows no object at %p", address);
	*o = (struct machvm_object_info){ .size = sizeof(*o), .id = r.out_object };
	ask(MACHVM_OBJECT_INFO, o, "object_info");
	if (o->id != r.out_object)
		fail("object_info does not know object %" PRIu64, (uint64_t)r.out_object);
}

/* log_next - the next line of the log that is about the file; false at the end */
static bool log_next(FILE *log, unsigned int index, char what[16], uint64_t *page, uint64_t *count)
{
	uint64_t offset, length;
	unsigned int i;

	while (fscanf(log, "%15s %u %" SCNu64 " %" SCNu64, what, &i, &offset, &length) == 4) {
		if (i != index)
			continue;
		*page = offset / vm_page_size;
		*count = length / vm_page_size;
		return true;
	}
	return false;
}

static FILE *log_open(void)
{
	FILE *log = fopen(PAGER_LOG, "re");

	if (!log)
		fail("%s: %s", PAGER_LOG, strerror(errno));
	return log;
}

void log_tally(const struct file *f, unsigned int index, struct tally *t)
{
	uint8_t *asked = calloc(f->pages, 2), *given = asked + f->pages;
	FILE *log = log_open();
	uint64_t page, count, i;
	char what[16];

	if (!asked)
		fail("out of memory");
	*t = (struct tally){ 0 };
	while (log_next(log, index, what, &page, &count)) {
		bool request = !strcmp(what, "request");

		if (!request && strcmp(what, "supply")) {
			t->other++;
			continue;
		}
		t->requests += request;
		for (i = page; i < page + count; i++) {
			if (i >= f->pages)
				fail("the pager's log: a %s past the end", what);
			if (request) {
				t->pages++;
				t->distinct += !asked[i];
				asked[i] = 1;
			} else {
				t->supplied++;
				t->unasked += !asked[i] || given[i];
				given[i] = 1;
			}
		}
	}
	fclose(log);
	free(asked);
}

uint64_t log_requests_of_page(unsigned int index, uint64_t wanted)
{
	FILE *log = log_open();
	uint64_t page, count, n = 0;
	char what[16];

	while (log_next(log, index, what, &page, &count))
		if (!strcmp(what, "request") && wanted >= page && wanted < page + count)
			n++;
	fclose(log);
	return n;
}
