// SPDX-License-Identifier: GPL-2.0-only
/*
 * task.c - task ports, and which map a call is about.
 * Callers: dev.c and info.c.
 * Never: decides by user ids: whoever holds a port may use it, and it is made for oneself, or by
 * who could open the process's memory.
 * Locks: none.
 */
#include "task.h"
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include "arena.h"
#include "ioctl.h"
#include "map.h"

static int task_release(struct inode *inode, struct file *file)
{
	machvm_map_put(file->private_data);
	return 0;
}

static const struct machvm_ioctl task_ioctls[] = {
	MACHVM_IOCTL_ROW(MACHVM_VERSION, machvm_version, out_page_shift, machvm_ioctl_version),
};

static long task_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return machvm_ioctl_dispatch(file, task_ioctls, ARRAY_SIZE(task_ioctls), cmd,
				     (void __user *)arg);
}

static const struct file_operations task_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = task_ioctl,
	.release = task_release,
	.llseek = noop_llseek,
};

/* The caller's own map, made if need be. */
static struct machvm_map *own_map(long *answer)
{
	struct machvm_map *map = machvm_arena_current();

	if (!IS_ERR(map))
		return map;
	*answer = PTR_ERR(map);
	if (*answer == -ENOMEM)
		*answer = MACHVM_KERN_RESOURCE_SHORTAGE;
	else if (*answer == -EEXIST)
		*answer = MACHVM_KERN_NO_SPACE;
	return NULL;
}

/*
 * The map of a port, or of an open /proc/PID/mem with that mode if @mode is not 0.  NULL if the
 * process has none, ERR_PTR(-EBADF) if the descriptor is neither, ERR_PTR(-ESRCH) if the task has
 * ended: its port is good for nothing, whatever else the call says.
 */
static struct machvm_map *map_of_fd(int fd, fmode_t mode)
{
	struct machvm_map *map = ERR_PTR(-EBADF);
	struct file *file = fget(fd);

	if (!file)
		return map;
	if (file->f_op == &task_fops) {
		map = file->private_data;
		map = READ_ONCE(map->dead) ? ERR_PTR(-ESRCH) : machvm_map_get(map);
	} else if (mode) {
		map = machvm_arena_of_proc_mem(file, mode);
	}
	fput(file);
	return map;
}

static long answer_of(struct machvm_map *error)
{
	return PTR_ERR(error) == -ESRCH ? MACHVM_KERN_INVALID_TASK : PTR_ERR(error);
}

/**
 * machvm_task_map - the map that a call is to work on
 * @task: %MACHVM_TASK_SELF or a task port
 * @answer: out: what to answer if there is none
 *
 * Return: the map with a reference, or NULL.
 */
struct machvm_map *machvm_task_map(int task, long *answer)
{
	struct machvm_map *map;

	if (task == MACHVM_TASK_SELF)
		return own_map(answer);
	map = map_of_fd(task, 0);
	if (!IS_ERR(map))
		return map;
	*answer = answer_of(map);
	return NULL;
}

/* As machvm_task_map(), for those who only look: also an open /proc/PID/mem, and no map is made. */
struct machvm_map *machvm_task_look(int task, long *answer)
{
	struct machvm_map *map;

	if (task == MACHVM_TASK_SELF)
		map = current->mm ? machvm_arena_find(current->mm) : NULL;
	else
		map = map_of_fd(task, FMODE_READ);
	if (!IS_ERR_OR_NULL(map))
		return map;
	/* Who never called us has nothing mapped. */
	*answer = map ? answer_of(map) : MACHVM_KERN_NO_SPACE;
	return NULL;
}

/* Makes a port.  Returns a kern_return_t or an errno. */
long machvm_task_port(struct machvm_task_port *call)
{
	struct machvm_map *map;
	long answer = MACHVM_KERN_INVALID_TASK;
	int fd;

	if (call->__reserved)
		return -EINVAL;
	if (call->task == MACHVM_TASK_SELF)
		map = own_map(&answer);
	else
		map = map_of_fd(call->task, FMODE_READ | FMODE_WRITE);
	if (IS_ERR(map))
		return answer_of(map);
	if (!map)
		return answer;
	fd = anon_inode_getfd("[machvm-task]", &task_fops, map, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		machvm_map_put(map);
		return fd;
	}
	call->out_port = fd;
	return MACHVM_KERN_SUCCESS;
}
