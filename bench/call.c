// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - the calls of /dev/machvm, without a library in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/machvm.h>

#include "bench.h"

int machvm_device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(MACHVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", MACHVM_DEVICE, strerror(errno));
	return fd;
}

void machvm_call(int fd, unsigned long command, void *args, const char *what)
{
	int ret = ioctl(fd, command, args);

	if (ret < 0)
		die("%s: %s", what, strerror(errno));
	if (ret)
		die("%s: answer %d", what, ret);
}

uintptr_t machvm_allocate(uint64_t length)
{
	struct machvm_vm_allocate args = {
		.size = sizeof(args),
		.task = MACHVM_TASK_SELF,
		.anywhere = 1,
		.length = length,
	};

	machvm_call(machvm_device(), MACHVM_VM_ALLOCATE, &args, "vm_allocate");
	return args.address;
}

void machvm_deallocate(uintptr_t at, uint64_t length)
{
	struct machvm_vm_deallocate args = {
		.size = sizeof(args),
		.task = MACHVM_TASK_SELF,
		.address = at,
		.length = length,
	};

	machvm_call(machvm_device(), MACHVM_VM_DEALLOCATE, &args, "vm_deallocate");
}

void machvm_protect(uintptr_t at, uint64_t length, unsigned int protection)
{
	struct machvm_vm_protect args = {
		.size = sizeof(args),
		.task = MACHVM_TASK_SELF,
		.address = at,
		.length = length,
		.protection = protection,
	};

	machvm_call(machvm_device(), MACHVM_VM_PROTECT, &args, "vm_protect");
}

void machvm_copy(uintptr_t from, uint64_t length, uintptr_t to)
{
	struct machvm_vm_copy args = {
		.size = sizeof(args),
		.task = MACHVM_TASK_SELF,
		.source = from,
		.length = length,
		.destination = to,
	};

	machvm_call(machvm_device(), MACHVM_VM_COPY, &args, "vm_copy");
}

uintptr_t machvm_map(int object, uint64_t length, bool copy)
{
	struct machvm_vm_map args = {
		.size = sizeof(args),
		.task = MACHVM_TASK_SELF,
		.length = length,
		.anywhere = 1,
		.object = object,
		.copy = copy,
		.protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE,
		.max_protection = MACHVM_PROT_ALL,
		.inheritance = MACHVM_INHERIT_COPY,
	};

	machvm_call(machvm_device(), MACHVM_VM_MAP, &args, "vm_map");
	return args.address;
}

/*
 * machvm_resident_object - an object all of whose pages are there: its pager is this process,
 * which supplies them before anybody asks.  *@at is where it is mapped, untouched.
 */
int machvm_resident_object(uint64_t length, uintptr_t *at)
{
	struct served *served = served_create();
	uint64_t offset;
	void *data;

	*at = machvm_map(served_object(served), length, false);
	served_wait_ready(served);
	data = aligned_alloc(PAGE, MIB);
	if (!data)
		die("no memory");
	memset(data, 0x5a, MIB);
	for (offset = 0; offset < length; offset += MIB)
		served_supply(served, offset, data, MIB);
	free(data);
	return served_object(served);
}
