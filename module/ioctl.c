// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl.c - takes a size-first structure in, runs its row of a table, hands it back.
 * Callers: the file operations in dev.c and control.c.
 * Never: knows what a call means.
 * Locks: none; so user memory may be touched.
 */
#include "ioctl.h"
#include <linux/uaccess.h>
#include "uapi/machvm.h"

/* By number alone: the size in the command changes when a structure grows. */
static const struct machvm_ioctl *find_row(const struct machvm_ioctl *table, size_t nr,
					   unsigned int cmd)
{
	size_t i;

	if (_IOC_TYPE(cmd) != MACHVM_IOC_TYPE)
		return NULL;
	for (i = 0; i < nr; i++)
		if (_IOC_NR(table[i].cmd) == _IOC_NR(cmd))
			return &table[i];
	return NULL;
}

/**
 * machvm_ioctl_dispatch - one ioctl
 * @file: the descriptor it came on
 * @table: what that kind of descriptor serves
 * @nr: rows
 * @cmd: as it came
 * @user: the structure
 *
 * Where the answer will go is tried first: a call that has done something must be able to say so.
 * Return: a kern_return_t, or a negative errno as &DOC: answers in the uapi header lists them.
 */
long machvm_ioctl_dispatch(struct file *file, const struct machvm_ioctl *table, size_t nr,
			   unsigned int cmd, void __user *user)
{
	const struct machvm_ioctl *row = find_row(table, nr, cmd);
	u64 buffer[MACHVM_IOCTL_MAX / sizeof(u64)] = {};
	u32 size;
	long ret;

	if (!row)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < row->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(buffer, row->size, user, size);
	if (ret)
		return ret;
	size = min(size, row->size);
	if (copy_to_user(user, buffer, size))
		return -EFAULT;
	ret = row->run(file, buffer);
	if (ret >= 0 && copy_to_user(user, buffer, size))
		return -EFAULT;
	return ret;
}

long machvm_ioctl_version(struct file *file, void *arg)
{
	struct machvm_version *version = arg;

	version->out_abi = MACHVM_ABI;
	version->out_magic = MACHVM_MAGIC;
	version->out_page_shift = PAGE_SHIFT;
	return MACHVM_KERN_SUCCESS;
}
