// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * errno.c - the one table from errno to kern_return_t.
 *
 * The meaning of each errno of the module stands in the ioctl header.
 */
#include <errno.h>
#include <stddef.h>

#include "internal.h"

static const struct {
	int error;
	kern_return_t result;
} table[] = {
	{ EINVAL, KERN_INVALID_ARGUMENT },
	{ EBADF, KERN_INVALID_ARGUMENT },	/* not open, or another kind of port */
	{ ENOTTY, KERN_INVALID_ARGUMENT },	/* another kind of port */
	{ ENOTSOCK, KERN_INVALID_ARGUMENT },
	{ EOPNOTSUPP, KERN_INVALID_ARGUMENT },
	{ ERANGE, KERN_INVALID_ARGUMENT },	/* an attribute outside its range */
	{ EBADMSG, KERN_INVALID_ARGUMENT },
	{ EFAULT, KERN_INVALID_ADDRESS },
	{ EACCES, KERN_NO_ACCESS },
	{ EPERM, KERN_NO_ACCESS },
	{ ESRCH, KERN_INVALID_TASK },
	{ EEXIST, KERN_MEMORY_PRESENT },	/* in the answer to a message ... */
	{ ENXIO, KERN_MEMORY_ERROR },		/* ... which carries no more than an errno */
	{ ENOMEM, KERN_RESOURCE_SHORTAGE },
	{ ENOBUFS, KERN_RESOURCE_SHORTAGE },
	{ ENOSPC, KERN_RESOURCE_SHORTAGE },
	{ EMFILE, KERN_RESOURCE_SHORTAGE },
	{ ENFILE, KERN_RESOURCE_SHORTAGE },
	{ EDQUOT, KERN_RESOURCE_SHORTAGE },
	{ ETOOMANYREFS, KERN_RESOURCE_SHORTAGE },
	{ EINTR, KERN_ABORTED },		/* the process is about to die */
	{ EAGAIN, KERN_ABORTED },		/* retried for long enough, or would block */
	{ ESTALE, KERN_ABORTED },		/* another binding serves the object now */
	{ EPIPE, KERN_ABORTED },		/* nobody at the other end */
	{ ECONNRESET, KERN_ABORTED },
	{ ENOTCONN, KERN_ABORTED },
	/* E2BIG, EBUSY, ENOENT, ENODEV and what nobody expects: KERN_FAILURE. */
};

kern_return_t mv_errno_to_kern(int error)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].error == error)
			return table[i].result;
	return KERN_FAILURE;
}
