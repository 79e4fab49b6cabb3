// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_map.c - the regions of one process.
 */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "dev.h"
#include "machvmctl.h"
#include "out.h"

struct totals {
	uint64_t regions, bytes, resident, dirty, wired;
};

static void prot_text(uint32_t prot, char text[4])
{
	text[0] = prot & MACHVM_PROT_READ ? 'r' : '-';
	text[1] = prot & MACHVM_PROT_WRITE ? 'w' : '-';
	text[2] = prot & MACHVM_PROT_EXECUTE ? 'x' : '-';
	text[3] = 0;
}

static const char *inherit_text(uint32_t inherit)
{
	switch (inherit) {
	case MACHVM_INHERIT_SHARE:
		return "share";
	case MACHVM_INHERIT_COPY:
		return "copy";
	case MACHVM_INHERIT_NONE:
		return "none";
	case MACHVM_INHERIT_ZERO:
		return "zero";
	}
	return "?";
}

static void print_flags(uint32_t flags)
{
	char text[4] = "---";

	if (out_is_json()) {
		out_bool("shared", "", flags & MACHVM_REGION_SHARED);
		out_bool("needs_copy", "", flags & MACHVM_REGION_NEEDS_COPY);
		out_bool("external", "", flags & MACHVM_REGION_EXTERNAL);
		return;
	}
	if (flags & MACHVM_REGION_SHARED)
		text[0] = 's';
	if (flags & MACHVM_REGION_NEEDS_COPY)
		text[1] = 'c';
	if (flags & MACHVM_REGION_EXTERNAL)
		text[2] = 'p';
	out_str("flags", "FLAGS", text);
}

static void print_region(const struct machvm_vm_region *r, struct totals *t)
{
	char cur[4], max[4];

	prot_text(r->out_protection, cur);
	prot_text(r->out_max_protection, max);
	out_row();
	out_range("start", "end", "START-END", r->address, r->address + r->out_length);
	out_str2("protection", "max_protection", "CUR/MAX", cur, max);
	out_str("inheritance", "INHERIT", inherit_text(r->out_inheritance));
	print_flags(r->out_flags);
	out_u64("object", "OBJECT", r->out_object);
	out_hex("offset", "OFFSET", r->out_offset);
	out_u64("shadow_depth", "SHADOWS", r->out_shadow_depth);
	out_u64("resident", "RESIDENT", r->out_resident);
	out_u64("dirty", "DIRTY", r->out_dirty);
	out_bool("wired", "WIRED", r->out_wired);
	t->regions++;
	t->bytes += r->out_length;
	t->resident += r->out_resident;
	t->dirty += r->out_dirty;
	t->wired += r->out_wired;
}

static int print_map(int dev, int task)
{
	struct machvm_vm_region r;
	struct totals t = { 0 };
	uint64_t at = 0;
	int ret;

	out_table("regions", NULL);
	while ((ret = dev_region(dev, task, at, &r)) > 0) {
		print_region(&r, &t);
		at = r.address + r.out_length;
		if (at <= r.address)
			break;
	}
	out_table_end("no regions: the process has no memory of machvm");
	out_record("total", "total");
	out_u64("regions", "regions", t.regions);
	out_u64("bytes", "bytes", t.bytes);
	out_u64("resident", "resident pages", t.resident);
	out_u64("dirty", "dirty pages", t.dirty);
	out_u64("wired", "wired regions", t.wired);
	out_record_end();
	return ret < 0 ? EXIT_FAILED : EXIT_OK;
}

static int run_map(int argc, char **argv)
{
	static const struct option own[] = { { 0 } };
	int dev, ret, task = MACHVM_TASK_SELF;
	uint64_t pid = 0;

	if (verb_getopt(argc, argv, own) != -1)
		return verb_exit();
	if (optind < argc) {
		if (!parse_u64(argv[optind], false, &pid) || !pid || pid > INT_MAX)
			return usage_error("PID is a process's number, not '%s'", argv[optind]);
		optind++;
	}
	if (optind < argc)
		return usage_error("map takes at most one PID");
	dev = dev_open();
	if (dev < 0)
		return EXIT_FAILED;
	if (pid) {
		task = dev_task((pid_t)pid);
		if (task < 0) {
			dev_close(dev);
			return EXIT_FAILED;
		}
	}
	ret = print_map(dev, task);
	if (task >= 0)
		close(task);
	dev_close(dev);
	return ret;
}

const struct verb verb_map = {
	.name = "map",
	.args = "[PID]",
	.help = "the regions of a process (of machvmctl itself if none is given)",
	.run = run_map,
	.more = "One region a line, in the order of addresses, then the totals.\n"
		"\n"
		"  START-END  addresses, the end is the first byte after it\n"
		"  CUR/MAX    protection now / the most that vm_protect may set; r w x\n"
		"  INHERIT    what a child of fork gets: share, copy, none or zero\n"
		"  FLAGS      s  shared: other maps see writes to it\n"
		"             c  needs copy: the next write makes a shadow object\n"
		"             p  a pager serves the object\n"
		"  OBJECT     id of the object (see machvmctl object ID); 0: never touched\n"
		"  OFFSET     where in the object the region begins\n"
		"  SHADOWS    objects below this one: the length of the shadow chain\n"
		"  RESIDENT   pages of the object that are in memory, within the region\n"
		"  DIRTY      of these, pages that were written\n"
		"  WIRED      whether the region may not be paged out\n"
		"\n"
		"Examples:\n"
		"  machvmctl map 1234\n"
		"  machvmctl -j map 1234 | jq '.regions[] | select(.shared)'\n",
};
