// SPDX-License-Identifier: GPL-2.0-only
/*
 * dev.c - the info calls that libmachvm has no name for, and what their failures mean.
 * The only file of machvmctl that calls ioctl(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <machvm/machvm.h>

#include "dev.h"
#include "out.h"

#define SYSFS_MODULE "/sys/module/machvm"

bool dev_module_loaded(void)
{
	return !access(SYSFS_MODULE, F_OK);
}

static void open_failed(int err)
{
	const char *advice = NULL;

	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		if (dev_module_loaded())
			advice = "The module is loaded, but udev has made no device node here.";
		else
			advice = "The module is not loaded. As root: modprobe machvm";
		break;
	case EACCES:
	case EPERM:
		advice = "Run as root, or let a udev rule give your group access to it.";
		break;
	case EMFILE:
	case ENFILE:
		advice = "There are too many open files.";
		break;
	}
	out_error(advice, "%s: %s", MACHVM_DEVICE, strerror(err));
}

static int version_check(int dev)
{
	struct machvm_version v;

	if (dev_version(dev, &v) < 0)
		return -1;
	if (v.out_magic != MACHVM_MAGIC) {
		out_error("Something else answers there; is another driver using the name?",
			  "%s is not machvm's device", MACHVM_DEVICE);
		return -1;
	}
	if (v.out_abi != MACHVM_ABI) {
		out_error("Install machvmctl and the module from the same release.",
			  "the module speaks ABI %u, this machvmctl speaks %u", v.out_abi,
			  MACHVM_ABI);
		return -1;
	}
	return 0;
}

int dev_open(void)
{
	int dev = open(MACHVM_DEVICE, O_RDWR | O_CLOEXEC);

	if (dev < 0) {
		open_failed(errno);
		return -1;
	}
	if (version_check(dev)) {
		close(dev);
		return -1;
	}
	return dev;
}

void dev_close(int dev)
{
	close(dev);
}

int dev_task(pid_t pid)
{
	const char *advice = NULL;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		advice = "There is no such process.";
	else if (errno == EACCES || errno == EPERM)
		advice = "Only who may trace a process may look at it: its owner, or root.";
	out_error(advice, "process %d: %s: %s", pid, path, strerror(errno));
	return -1;
}

/* ask - one info call: 1 found, 0 nothing at or after the place, -1 said so */
static int ask(int dev, unsigned long request, void *arg, const char *what)
{
	const char *advice = NULL;
	int ret = ioctl(dev, request, arg);

	if (!ret)
		return 1;
	if (ret > 0) {
		if (ret == MACHVM_KERN_NO_SPACE)
			return 0;
		out_error(NULL, "%s: %s", what, machvm_strerror(ret));
		return -1;
	}
	if (errno == ENOENT)
		return 0;
	if (errno == ENOTTY || errno == EINVAL || errno == E2BIG)
		advice = "Install machvmctl and the module from the same release.";
	else if (errno == EACCES)
		advice = "You may not look at it: run as its owner or as root.";
	out_error(advice, "%s: %s", what, strerror(errno));
	return -1;
}

int dev_version(int dev, struct machvm_version *v)
{
	*v = (struct machvm_version){ .size = sizeof(*v) };
	return ask(dev, MACHVM_VERSION, v, "asking for the version");
}

int dev_statistics(int dev, struct machvm_vm_statistics *s)
{
	*s = (struct machvm_vm_statistics){ .size = sizeof(*s) };
	return ask(dev, MACHVM_VM_STATISTICS, s, "reading the counters");
}

int dev_region(int dev, int task, uint64_t address, struct machvm_vm_region *r)
{
	*r = (struct machvm_vm_region){
		.size = sizeof(*r),
		.task = task,
		.address = address,
		.count = 1,
	};
	return ask(dev, MACHVM_VM_REGION, r, "reading the map");
}

int dev_object(int dev, uint64_t id, struct machvm_object_info *o)
{
	*o = (struct machvm_object_info){ .size = sizeof(*o), .id = id };
	return ask(dev, MACHVM_OBJECT_INFO, o, "reading the objects");
}

int dev_port(int dev, uint64_t id, struct machvm_port_info *p)
{
	*p = (struct machvm_port_info){ .size = sizeof(*p), .id = id };
	return ask(dev, MACHVM_PORT_INFO, p, "reading the pager ports");
}

/* object_from, port_from - whether there is one with that number or a larger one */
static int object_from(int dev, uint64_t id)
{
	struct machvm_object_info o;

	return dev_object(dev, id, &o);
}

static int port_from(int dev, uint64_t id)
{
	struct machvm_port_info p;

	return dev_port(dev, id, &p);
}

/* walk_begin - the largest number there is, bit by bit from the highest */
static bool walk_begin(int dev, int (*from)(int dev, uint64_t id), struct dev_walk *walk)
{
	int bit;

	*walk = (struct dev_walk){ .dev = dev };
	for (bit = 63; bit >= 0; bit--) {
		int ret = from(dev, walk->last | (uint64_t)1 << bit);

		if (ret < 0)
			return false;
		if (ret)
			walk->last |= (uint64_t)1 << bit;
	}
	return true;
}

/* walk_on - @id was found */
static int walk_on(struct dev_walk *walk, uint64_t id)
{
	if (id > walk->last)
		return 0;
	walk->over = id == walk->last;
	walk->next = id + 1;
	return 1;
}

bool dev_walk_objects(int dev, struct dev_walk *walk)
{
	return walk_begin(dev, object_from, walk);
}

int dev_next_object(struct dev_walk *walk, struct machvm_object_info *o)
{
	int ret = walk->over ? 0 : dev_object(walk->dev, walk->next, o);

	return ret > 0 ? walk_on(walk, o->id) : ret;
}

bool dev_walk_ports(int dev, struct dev_walk *walk)
{
	return walk_begin(dev, port_from, walk);
}

int dev_next_port(struct dev_walk *walk, struct machvm_port_info *p)
{
	int ret = walk->over ? 0 : dev_port(walk->dev, walk->next, p);

	return ret > 0 ? walk_on(walk, p->id) : ret;
}

int dev_waiter(int dev, struct machvm_waiter_info *w)
{
	w->size = sizeof(*w);
	return ask(dev, MACHVM_WAITER_INFO, w, "reading who waits");
}
