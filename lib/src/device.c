// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * device.c - the library's own descriptor of /dev/machvm, and ioctls on it.
 *
 * Opened at the first call and kept.  A program knows nothing of it and may close it at any
 * time, as daemons close all they find, and its number may then be somebody's database.  So the
 * open file carries a tag, which is checked before every call: a signal number for F_SETSIG that
 * nobody gets, since O_ASYNC stays off.  Reading a tag harms no file of any kind, costs less than
 * fstat(2), and the open file keeps it over dup(2) and fork(2).
 *
 * No lock, only one atomic number: a call works in signal handlers and in any child, also one of
 * vfork(2) or a bare clone(2), whose table of descriptors need not be that of its memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define DEVICE_TAG 61

/* EAGAIN: a fork or exit of this very process is half done; that lasts milliseconds. */
#define AGAIN_YIELDS 100
#define AGAIN_SLEEPS 1000

const char *mv_device_path = MACHVM_DEVICE;
_Thread_local int mv_device_trouble;

/*
 * The descriptor in the low half; in the high half, how often it was opened: the same number may
 * come again, and a thread that opened in vain must not take it for what it saw before.
 */
static _Atomic uint64_t device_known = UINT32_MAX;

static bool device_is_ours(int fd)
{
	return fd >= 0 && fcntl(fd, F_GETSIG) == DEVICE_TAG;
}

/* 0 if @fd is a machvm device of the ABI that this library was built for, else -errno. */
static int device_verify(int fd)
{
	struct machvm_version version = { .size = sizeof(version) };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENODEV;
	if (ioctl(fd, MACHVM_VERSION, &version) != 0 || version.out_magic != MACHVM_MAGIC)
		return -ENODEV;
	if (version.out_abi != MACHVM_ABI)
		return -EPROTONOSUPPORT;
	return 0;
}

/* Out of the way of programs that count on getting low numbers. */
static int device_move_high(int fd)
{
	static const int floors[] = { 1000, 200, 3 };

	for (unsigned int i = 0; i < sizeof(floors) / sizeof(floors[0]) && fd < floors[i]; i++) {
		int high = fcntl(fd, F_DUPFD_CLOEXEC, floors[i]);

		if (high >= 0) {
			close(fd);
			return high;
		}
	}
	return fd;
}

static int device_open(void)
{
	int fd, error;

	do {
		fd = open(mv_device_path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	error = device_verify(fd);
	if (!error && fcntl(fd, F_SETSIG, DEVICE_TAG) < 0)
		error = -errno;
	if (error) {
		close(fd);
		return error;
	}
	return device_move_high(fd);
}

int mv_device_get(void)
{
	uint64_t known = atomic_load(&device_known);
	uint64_t next;
	int fd;

	if (device_is_ours((int32_t)known))
		return (int32_t)known;
	fd = device_open();
	if (fd < 0)
		return fd;
	/* What was known is not ours, so it is forgotten and not closed. */
	do {
		next = ((known >> 32) + 1) << 32 | (uint32_t)fd;
		if (atomic_compare_exchange_strong(&device_known, &known, next))
			return fd;
	} while (!device_is_ours((int32_t)known));
	close(fd);	/* another thread was faster */
	return (int32_t)known;
}

static bool again_wait(unsigned int tries)
{
	const struct timespec millisecond = { .tv_nsec = 1000000 };

	if (tries >= AGAIN_YIELDS + AGAIN_SLEEPS)
		return false;
	if (tries < AGAIN_YIELDS)
		sched_yield();
	else
		nanosleep(&millisecond, NULL);
	return true;
}

/* The answer, or -errno. */
static int device_ioctl(int fd, unsigned long command, void *argument)
{
	unsigned int tries = 0;
	int ret;

	do {
		ret = ioctl(fd, command, argument);
	} while (ret < 0 && (errno == EINTR || (errno == EAGAIN && again_wait(tries++))));
	return ret < 0 ? -errno : ret;
}

kern_return_t mv_device_call(unsigned long command, void *argument)
{
	int ret;

	for (;;) {
		int fd = mv_device_get();

		if (fd < 0) {
			mv_device_trouble = -fd;
			return KERN_FAILURE;
		}
		ret = device_ioctl(fd, command, argument);
		if ((ret == -EBADF || ret == -ENOTTY) && !device_is_ours(fd))
			continue;	/* closed since it was checked */
		break;
	}
	mv_device_trouble = 0;
	if (ret >= 0)
		return ret;
	if (ret == -ENOTTY || ret == -E2BIG) {
		mv_device_trouble = -ret;	/* a module older than this library */
		return KERN_FAILURE;
	}
	return mv_errno_to_kern(-ret);
}

kern_return_t mv_port_call(int fd, unsigned long command, void *argument)
{
	int ret = device_ioctl(fd, command, argument);

	mv_device_trouble = 0;
	return ret >= 0 ? ret : mv_errno_to_kern(-ret);
}
