// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * port.c - ports are descriptors, and a few are pseudo-handles that mean whoever uses them.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "internal.h"

/* Standard input, output and error: a program that closed them may open them again. */
#define PORT_FIRST_FD 3

vm_size_t vm_page_size = 4096;
bool (*_Atomic mv_port_forget)(int fd);

__attribute__((constructor)) static void page_size_init(void)
{
	vm_page_size = (vm_size_t)sysconf(_SC_PAGESIZE);
}

task_t mach_task_self(void)
{
	return MV_TASK_SELF;
}

host_t mach_host_self(void)
{
	return MV_HOST_SELF;
}

host_priv_t mach_host_priv(void)
{
	return MV_HOST_PRIV;
}

bool mv_port_task(task_t task, int32_t *out)
{
	if (task == MV_TASK_SELF)
		*out = MACHVM_TASK_SELF;
	else if (mv_port_is_fd(task))
		*out = (int32_t)task;
	else
		return false;
	return true;
}

bool mv_port_host(host_t host, uint32_t *privileged)
{
	*privileged = host == MV_HOST_PRIV;
	return host == MV_HOST_SELF || host == MV_HOST_PRIV;
}

int mv_port_adopt_fd(int fd)
{
	int moved;

	if (fd < 0 || fd >= PORT_FIRST_FD)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, PORT_FIRST_FD);
	close(fd);
	return moved;
}

kern_return_t mach_port_deallocate(task_t task, mach_port_t name)
{
	bool (*forget)(int fd) = mv_port_forget;

	if (task != MV_TASK_SELF)
		return KERN_INVALID_TASK;
	if (!MACH_PORT_VALID(name))
		return KERN_INVALID_NAME;
	if (!mv_port_is_fd(name))
		return KERN_SUCCESS;
	if (forget && forget((int)name))
		return KERN_SUCCESS;
	/* The kernel frees the number even when it answers EINTR or EIO. */
	return close((int)name) < 0 && errno == EBADF ? KERN_INVALID_NAME : KERN_SUCCESS;
}
