// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task.c - rights to the memory of tasks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "internal.h"

/* A port for the task that @task, in the device's words, is about. */
static kern_return_t task_port(int32_t task, task_t *port)
{
	struct machvm_task_port args = {
		.size = sizeof(args),
		.task = task,
	};
	kern_return_t result = mv_device_call(MACHVM_TASK_PORT, &args);
	int fd;

	if (result != KERN_SUCCESS)
		return result;
	fd = mv_port_adopt_fd(args.out_port);
	if (fd < 0)
		return KERN_RESOURCE_SHORTAGE;
	*port = (task_t)fd;
	return KERN_SUCCESS;
}

/* For calls that do nothing to the task: any that looks at it will do. */
kern_return_t mv_task_check(task_t task)
{
	struct machvm_vm_size_limit args = { .size = sizeof(args) };

	if (!mv_port_task(task, &args.task))
		return KERN_INVALID_ARGUMENT;
	if (args.task == MACHVM_TASK_SELF)
		return KERN_SUCCESS;
	return mv_device_call(MACHVM_VM_GET_SIZE_LIMIT, &args);
}

kern_return_t machvm_task_port(task_t *port)
{
	return task_port(MACHVM_TASK_SELF, port);
}

static kern_return_t result_of_open(int error)
{
	switch (error) {
	case ENOENT:
	case ESRCH:
		return KERN_INVALID_TASK;
	case EACCES:
	case EPERM:
		return KERN_NO_ACCESS;
	default:
		return KERN_RESOURCE_SHORTAGE;
	}
}

kern_return_t machvm_task_for_pid(pid_t pid, task_t *port)
{
	kern_return_t result;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return result_of_open(errno);
	result = task_port(fd, port);
	close(fd);
	return result;
}
