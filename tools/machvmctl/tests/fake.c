// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake.c - a device with a few objects, for the tests that have no module: LD_PRELOAD=fake.so.
 *
 * 3 has a pager, 8 is its delayed copy, 9 and 12 lie on that, 20 on 12; 30 stands alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/machvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NONE MACHVM_OBJECT_INTERNAL

static const struct machvm_object_info objects[] = {
	{ .id = 3, .out_flags = MACHVM_OBJECT_READY, .out_copy = 8, .out_resident = 5 },
	{ .id = 8, .out_flags = NONE, .out_shadow = 3, .out_shadow_depth = 1 },
	{ .id = 9, .out_flags = NONE, .out_shadow = 8, .out_shadow_depth = 2, .out_dirty = 1,
	  .out_resident = 2 },
	{ .id = 12, .out_flags = NONE, .out_shadow = 8, .out_shadow_offset = 0x3000,
	  .out_shadow_depth = 2 },
	{ .id = 20, .out_flags = NONE, .out_shadow = 12, .out_shadow_depth = 3 },
	{ .id = 30, .out_flags = NONE },
};

int open(const char *path, int flags, ...)
{
	if (!strcmp(path, MACHVM_DEVICE))
		path = "/dev/null";
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

static int object_info(struct machvm_object_info *o)
{
	size_t i;

	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		__u32 size = o->size;

		if (objects[i].id < o->id)
			continue;
		*o = objects[i];
		o->size = size;
		return 0;
	}
	errno = ENOENT;
	return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == MACHVM_OBJECT_INFO)
		return object_info(arg);
	if (request == MACHVM_VERSION) {
		struct machvm_version *v = arg;

		v->out_abi = MACHVM_ABI;
		v->out_magic = MACHVM_MAGIC;
		return 0;
	}
	return (int)syscall(SYS_ioctl, fd, request, arg);
}
