// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_stat.c - the counters, once or as differences every so often.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dev.h"
#include "machvmctl.h"
#include "out.h"

struct counter {
	const char *key;
	const char *head; /* of its column with an interval */
	size_t offset;
	bool level; /* what there is now, not what has happened since load */
	const char *help;
};

#define COUNTER(_key, _head, _level, _help)                                                      \
	{ #_key, _head, offsetof(struct machvm_vm_statistics, out_##_key), _level, _help }

static const struct counter counters[] = {
	COUNTER(faults, "faults", false, "faults handled"),
	COUNTER(zero_fill_count, "zerofill", false, "pages filled with zeroes"),
	COUNTER(cow_faults, "cow", false, "pages copied on write"),
	COUNTER(requests, "requests", false, "pages asked of pagers"),
	COUNTER(pageins, "pageins", false, "pages supplied by pagers, or read back from the store"),
	COUNTER(pageouts, "pageouts", false, "pages returned to pagers, or paged out to the store"),
	COUNTER(unasked, "unasked", false, "pages supplied that nobody had asked for"),
	COUNTER(refused, "refused", false, "pages supplied that were present already"),
	COUNTER(errors, "errors", false, "pages answered with an error, or by a pager's death"),
	COUNTER(lookups, "lookups", false, "memory objects looked up by vm_map"),
	COUNTER(hits, "hits", false, "of these, found alive"),
	COUNTER(reactivations, "reactiv", false, "pages that left the inactive queue by use"),
	COUNTER(collapses, "collapse", false, "objects merged into the only one above"),
	COUNTER(bypasses, "bypass", false, "objects that let go of the one below"),
	COUNTER(active_count, "active", true, "resident pages of machvm"),
	COUNTER(inactive_count, "inactive", true, "resident pages next to be paged out"),
	COUNTER(wire_count, "wired", true, "wired pages of machvm"),
	COUNTER(free_count, "free", true, "free pages of the host"),
	COUNTER(paged_out, "stored", true, "pages that the default memory manager keeps"),
	COUNTER(managed, "managed", true, "of these, pages that one in user space has, and nobody else"),
	COUNTER(objects, "objects", true, "objects alive"),
	COUNTER(maps, "maps", true, "maps alive"),
	COUNTER(ports, "ports", true, "pager ports alive"),
	COUNTER(queued, "queued", true, "requests waiting to be sent or answered"),
};

#define NR_COUNTERS (ARRAY_SIZE(counters))

static uint64_t counter_get(const struct machvm_vm_statistics *s, const struct counter *c)
{
	__u64 v;

	memcpy(&v, (const char *)s + c->offset, sizeof(v));
	return v;
}

static int print_once(int dev)
{
	struct machvm_vm_statistics s;
	size_t i;

	if (dev_statistics(dev, &s) < 0)
		return EXIT_FAILED;
	out_record("stat", NULL);
	out_u64("pagesize", "pagesize", s.out_pagesize);
	for (i = 0; i < NR_COUNTERS; i++)
		out_u64(counters[i].key, counters[i].key, counter_get(&s, &counters[i]));
	out_record_end();
	return EXIT_OK;
}

static void print_row(const struct machvm_vm_statistics *was, const struct machvm_vm_statistics *is)
{
	size_t i;

	out_row();
	for (i = 0; i < NR_COUNTERS; i++) {
		const struct counter *c = &counters[i];
		uint64_t v = counter_get(is, c);

		out_u64(c->key, c->head, c->level ? v : v - counter_get(was, c));
	}
	out_stream_row_end();
}

static void wait_until(struct timespec *when, double interval)
{
	double whole;

	when->tv_nsec += (long)(modf(interval, &whole) * 1e9);
	when->tv_sec += (time_t)whole + when->tv_nsec / 1000000000;
	when->tv_nsec %= 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, when, NULL))
		;
}

static int print_every(int dev, double interval, uint64_t count)
{
	struct machvm_vm_statistics was, is;
	struct timespec when;
	uint64_t i;

	if (dev_statistics(dev, &was) < 0)
		return EXIT_FAILED;
	clock_gettime(CLOCK_MONOTONIC, &when);
	out_stream();
	for (i = 0; !count || i < count; i++) {
		wait_until(&when, interval);
		if (dev_statistics(dev, &is) < 0)
			return EXIT_FAILED;
		print_row(&was, &is);
		was = is;
	}
	return EXIT_OK;
}

static int run_stat(int argc, char **argv)
{
	static const struct option own[] = { { 0 } };
	double interval = 0;
	uint64_t count = 0;
	char *end;
	int dev, ret;

	if (verb_getopt(argc, argv, own) != -1)
		return verb_exit();
	if (optind < argc) {
		interval = strtod(argv[optind], &end);
		if (*end || !(interval >= 0.001 && interval <= 1e6))
			return usage_error("INTERVAL is in seconds, not '%s'", argv[optind]);
		optind++;
	}
	if (optind < argc) {
		if (!parse_u64(argv[optind], false, &count) || !count)
			return usage_error("COUNT is a whole number, not '%s'", argv[optind]);
		optind++;
	}
	if (optind < argc)
		return usage_error("stat takes at most INTERVAL and COUNT");
	dev = dev_open();
	if (dev < 0)
		return EXIT_FAILED;
	ret = interval > 0 ? print_every(dev, interval, count) : print_once(dev);
	dev_close(dev);
	return ret;
}

static void print_help(void)
{
	size_t i;

	printf("\n  %-16s %-9s %s\n", "counter", "column", "meaning");
	for (i = 0; i < NR_COUNTERS; i++)
		printf("  %-16s %-9s %s%s\n", counters[i].key, counters[i].head, counters[i].help,
		       counters[i].level ? " (now)" : "");
}

const struct verb verb_stat = {
	.name = "stat",
	.args = "[INTERVAL [COUNT]]",
	.help = "all counters; with an interval, what each interval added",
	.run = run_stat,
	.more = "Without INTERVAL: every counter since the module was loaded. With it: a row\n"
		"every INTERVAL seconds (fractions are allowed), COUNT rows or until\n"
		"interrupted. Events are then the difference to the row before; counters\n"
		"marked (now) are levels.\n"
		"With --json, each row is one JSON document on a line of its own.\n"
		"\n"
		"Examples:\n"
		"  machvmctl stat\n"
		"  machvmctl stat 1          a row a second\n"
		"  machvmctl stat 0.5 10     ten rows in five seconds\n",
	.more_fn = print_help,
};
