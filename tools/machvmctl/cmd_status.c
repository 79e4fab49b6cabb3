// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_status.c - is machvm there, which one, how is it set and how much of it is in use.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev.h"
#include "machvmctl.h"
#include "out.h"

#define SYSFS_MODULE "/sys/module/machvm"

/* sysfs_read - the first line of a file under the module's directory; false if unreadable */
static bool sysfs_read(const char *dir, const char *name, char *buf, size_t size)
{
	char path[512];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(buf, (int)size, f);
	if (ok)
		buf[strcspn(buf, "\n")] = 0;
	fclose(f);
	return ok;
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void print_parameters(void)
{
	struct dirent **names;
	char value[128], *end;
	int i, n = scandir(SYSFS_MODULE "/parameters", &names, not_hidden, alphasort);

	if (n < 0)
		return;
	out_record("parameters", "limits (module parameters)");
	for (i = 0; i < n; i++) {
		unsigned long long number;

		if (!sysfs_read(SYSFS_MODULE "/parameters", names[i]->d_name, value, sizeof(value)))
			continue;
		number = strtoull(value, &end, 10);
		if (*value >= '0' && *value <= '9' && !*end)
			out_u64(names[i]->d_name, names[i]->d_name, number);
		else
			out_str(names[i]->d_name, names[i]->d_name, value);
	}
	out_record_end();
	/* out_record_end() has read the names: only now may they go */
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int print_use(int dev)
{
	struct machvm_vm_statistics s;

	if (dev_statistics(dev, &s) < 0)
		return EXIT_FAILED;
	out_record("use", "in use");
	out_u64("objects", "objects", s.out_objects);
	out_u64("maps", "maps", s.out_maps);
	out_u64("ports", "pager ports", s.out_ports);
	out_u64("queued", "requests waiting", s.out_queued);
	out_u64("resident", "resident pages", s.out_active_count + s.out_inactive_count);
	out_u64("wired", "wired pages", s.out_wire_count);
	out_record_end();
	return EXIT_OK;
}

static void print_module(int dev)
{
	char text[128];
	struct machvm_version v = { 0 };

	out_record("module", NULL);
	out_str("device", "device", MACHVM_DEVICE);
	out_bool("usable", "usable", dev >= 0);
	out_bool("loaded", "module loaded", dev_module_loaded());
	if (sysfs_read(SYSFS_MODULE, "version", text, sizeof(text)))
		out_str("version", "module version", text);
	if (dev >= 0 && dev_version(dev, &v) > 0) {
		out_u64("abi", "ABI", v.out_abi);
		out_u64("page_size", "page size", 1ull << v.out_page_shift);
	}
	out_record_end();
}

static int run_status(int argc, char **argv)
{
	static const struct option own[] = { { 0 } };
	int dev, ret = EXIT_FAILED;

	if (verb_getopt(argc, argv, own) != -1)
		return verb_exit();
	if (optind < argc)
		return usage_error("status takes no arguments");
	dev = dev_open();
	print_module(dev);
	print_parameters();
	if (dev >= 0) {
		ret = print_use(dev);
		dev_close(dev);
	}
	return ret;
}

const struct verb verb_status = {
	.name = "status",
	.args = "",
	.help = "whether machvm is there, its version, limits and use",
	.run = run_status,
	.more = "Exits 0 only if the device can be used, so scripts may ask with it.\n"
		"\n"
		"  device            the device node that programs open\n"
		"  usable            this user can open it and it speaks our ABI\n"
		"  module loaded     the kernel has the module\n"
		"  limits            the files under /sys/module/machvm/parameters\n"
		"  requests waiting  asked of pagers, not yet answered or not yet sent\n"
		"\n"
		"Examples:\n"
		"  machvmctl status\n"
		"  machvmctl -j status | jq .use.objects\n",
};
