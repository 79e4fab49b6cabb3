// SPDX-License-Identifier: GPL-2.0-only
/*
 * finding.c - what is wrong, and what is left behind.
 */
#include "finding.h"
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USES "/sys/module/machvm/refcnt"

static atomic_uint *findings;

void findings_begin(atomic_uint *counter)
{
	findings = counter;
}

/* Others may hold the locks of stdio, for ever in a child: one write is one line. */
void finding(const char *format, ...)
{
	char text[512];
	va_list arguments;
	int length;

	length = snprintf(text, sizeof(text), "# finding: ");
	va_start(arguments, format);
	length += vsnprintf(text + length, sizeof(text) - length - 1, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(text) - 2)
		length = sizeof(text) - 2;
	text[length++] = '\n';
	if (atomic_fetch_add(findings, 1) < 20 && write(2, text, length) < 0)
		abort();
}

struct counts counts_now(void)
{
	struct machvm_vm_statistics all = { .size = sizeof(all) };

	if (util_ioctl(util_device(), MACHVM_VM_STATISTICS, &all))
		finding("no statistics");
	return (struct counts){
		all.out_maps, all.out_objects,
		all.out_active_count + all.out_inactive_count + all.out_wire_count,
		all.out_wire_count, all.out_ports, all.out_queued, all.out_paged_out,
		all.out_managed, util_file_number(USES),
	};
}

void counts_expect(const struct counts *before, unsigned int patience, void (*tick)(void))
{
	const unsigned long *was = (const unsigned long *)before;
	struct counts after = counts_now();
	const unsigned long *is = (const unsigned long *)&after;

	for (; patience && memcmp(before, &after, sizeof(after)); patience--) {
		tick();
		after = counts_now();
	}
	for (unsigned int i = 0; i < sizeof(after) / sizeof(*is); i++)
		if (was[i] != is[i])
			finding("count %u was %lu, is %lu", i, was[i], is[i]);
}
