// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffd.c - the pager that Linux offers: userfaultfd, missing pages, one handler.
 *
 * The handler that copies is another process; the one that moves pages must be a thread, because
 * the pages have to be in the same address space.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "bench.h"

/* Newer than the headers of the oldest system that this builds on. */
#ifndef UFFDIO_MOVE
#define UFFD_FEATURE_MOVE (1 << 16)

struct uffdio_move {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};

#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

struct handler {
	int fd;
	uintptr_t at;
	uintptr_t source;	/* one cluster to copy, or as much as all of it to move */
	uint64_t bytes;		/* of a cluster */
	enum uffd_how how;
};

static void answer(const struct handler *handler, uintptr_t address)
{
	uintptr_t base = address & ~(handler->bytes - 1);
	int ret;

	if (handler->how == UFFD_COPY) {
		struct uffdio_copy copy = {
			.dst = base,
			.src = handler->source,
			.len = handler->bytes,
		};

		ret = ioctl(handler->fd, UFFDIO_COPY, &copy);
	} else {
		struct uffdio_move move = {
			.dst = base,
			.src = handler->source + (base - handler->at),
			.len = handler->bytes,
		};

		ret = ioctl(handler->fd, UFFDIO_MOVE, &move);
	}
	if (ret)
		die("userfaultfd: %#lx cannot be filled: %s", address, strerror(errno));
}

static void *handle(void *arg)
{
	const struct handler *handler = arg;
	struct uffd_msg msg;

	for (;;) {
		if (read(handler->fd, &msg, sizeof(msg)) != sizeof(msg))
			die("userfaultfd: %s", strerror(errno));
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			answer(handler, msg.arg.pagefault.address);
	}
	return NULL;
}

static bool uffd_open(struct handler *handler, uint64_t length)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = handler->at, .len = length },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (handler->how == UFFD_MOVE)
		api.features = UFFD_FEATURE_MOVE;
	handler->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (handler->fd < 0)
		die("userfaultfd: %s", strerror(errno));
	if (ioctl(handler->fd, UFFDIO_API, &api)) {
		if (handler->how == UFFD_MOVE && errno == EINVAL)
			return false;
		die("userfaultfd: %s", strerror(errno));
	}
	if (ioctl(handler->fd, UFFDIO_REGISTER, &range))
		die("userfaultfd: register: %s", strerror(errno));
	return true;
}

static void start_thread(struct handler *handler)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, handle, handler))
		die("no thread");
}

static void start_process(struct handler *handler)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	handle(handler);
}

/**
 * uffd_start() - pages of a range come from a handler on this processor
 * @at: the range, aligned to the cluster
 * @length: bytes
 * @cluster: pages that the handler answers with, a power of two
 * @how: by copying them, or by moving pages that are filled beforehand
 *
 * Return: false if this kernel cannot.  The handler ends with the calling process.
 */
bool uffd_start(void *at, uint64_t length, uint64_t cluster, enum uffd_how how)
{
	struct handler *handler = calloc(1, sizeof(*handler));
	uint64_t bytes = cluster * PAGE;
	uint64_t source = how == UFFD_COPY ? bytes : length;

	if (!handler)
		die("no memory");
	handler->at = (uintptr_t)at;
	handler->bytes = bytes;
	handler->how = how;
	handler->source = (uintptr_t)map_pages(source);
	write_pages(handler->source, source);
	if (!uffd_open(handler, length))
		return false;
	if (how == UFFD_COPY)
		start_process(handler);
	else
		start_thread(handler);
	return true;
}
