// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * strerror.c - answers in words, and what to do when the device cannot be used.
 */
#include <errno.h>
#include <stddef.h>

#include "internal.h"

static const char *const words[] = {
	[KERN_SUCCESS] = "success",
	[KERN_INVALID_ADDRESS] = "invalid address: outside the address space, or nothing there",
	[KERN_PROTECTION_FAILURE] = "protection failure: the protection or its maximum forbids it",
	[KERN_NO_SPACE] = "no space: occupied, no room, or no further region",
	[KERN_INVALID_ARGUMENT] = "invalid argument",
	[KERN_FAILURE] = "failure",
	[KERN_RESOURCE_SHORTAGE] = "resource shortage: no memory, or a limit is reached",
	[KERN_NOT_RECEIVER] = "not the receiver of the port",
	[KERN_NO_ACCESS] = "no access: privilege is missing",
	[KERN_MEMORY_FAILURE] = "memory failure: the page was lost",
	[KERN_MEMORY_ERROR] = "memory error: the pager reported an error, or is gone",
	[KERN_ALREADY_IN_SET] = "the port is in the set already",
	[KERN_NOT_IN_SET] = "the port is not in a set",
	[KERN_NAME_EXISTS] = "the name is in use",
	[KERN_ABORTED] = "aborted: the call was cut short",
	[KERN_INVALID_NAME] = "invalid name: no such port",
	[KERN_INVALID_TASK] = "invalid task: not a task, or it is gone",
	[KERN_INVALID_RIGHT] = "the port has another kind of right",
	[KERN_INVALID_VALUE] = "a value is out of range",
	[KERN_UREFS_OVERFLOW] = "too many references",
	[KERN_INVALID_CAPABILITY] = "invalid capability",
	[KERN_RIGHT_EXISTS] = "the right exists under another name",
	[KERN_INVALID_HOST] = "invalid host",
	[KERN_MEMORY_PRESENT] = "memory present: some of the pages were there already",
	[KERN_WRITE_PROTECTION_FAILURE] = "write to a region that asked to be notified",
	[KERN_TERMINATED] = "terminated",
	[KERN_TIMEDOUT] = "timed out",
	[KERN_INTERRUPTED] = "interrupted",
};

static const char *trouble_words(int error)
{
	switch (error) {
	case ENOENT:
		return "failure: there is no " MACHVM_DEVICE
		       ": load the module with \"modprobe machvm\"";
	case ENXIO:
	case ENODEV:
		return "failure: " MACHVM_DEVICE " is not a device of the machvm module: "
		       "load the module with \"modprobe machvm\"";
	case EACCES:
	case EPERM:
		return "failure: " MACHVM_DEVICE " may not be opened: change the mode or the group "
		       "of the device (a udev rule keeps it), or run as root";
	case EMFILE:
		return "failure: no free descriptor to open " MACHVM_DEVICE
		       ": close some, or raise the limit with \"ulimit -n\"";
	case ENFILE:
		return "failure: the system has no free descriptor to open " MACHVM_DEVICE;
	case EAFNOSUPPORT:
		return "failure: the netlink family \"machvm\" cannot be seen from here: run the "
		       "pager in the initial network namespace";
	case EPROTONOSUPPORT:
	case ENOTTY:
	case E2BIG:
		return "failure: the loaded machvm module and libmachvm are of different versions: "
		       "install both from the same release and reload the module";
	default:
		return "failure: " MACHVM_DEVICE " cannot be used; see the kernel log (dmesg)";
	}
}

const char *machvm_strerror(kern_return_t result)
{
	int saved = errno;
	int trouble;

	if (result == KERN_FAILURE) {
		trouble = mv_device_trouble;
		if (!trouble) {
			int fd = mv_device_get();

			trouble = fd < 0 ? -fd : 0;
		}
		errno = saved;
		if (trouble)
			return trouble_words(trouble);
	}
	if (result < 0 || (size_t)result >= sizeof(words) / sizeof(words[0]) || !words[result])
		return "unknown answer";
	return words[result];
}
