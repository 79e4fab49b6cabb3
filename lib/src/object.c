// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * object.c - memory objects pass from process to process over a Unix socket.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

/* 'M', then the size: nothing between the two, hence bytes. */
#define MESSAGE_TAG 'M'
#define MESSAGE_BYTES (1 + sizeof(uint64_t))

/* Room for more descriptors than may come, so that those too many arrive and can be closed. */
#define MESSAGE_FDS 4

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
};

/* Bytes sent, or -errno.  The descriptor goes with the first byte. */
static ssize_t message_send(int unix_socket, const unsigned char *bytes, size_t length, int fd)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t sent;

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	do {
		sent = sendmsg(unix_socket, &msg, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Keeps the first descriptor in *@fd if that is still -1, closes all others. */
static void message_take_fds(struct msghdr *msg, int *fd)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int got;

			memcpy(&got, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (*fd < 0)
				*fd = got;
			else
				close(got);
		}
	}
}

/* Bytes received, 0 at the end, or -errno. */
static ssize_t message_recv(int unix_socket, unsigned char *bytes, size_t length, int *fd)
{
	struct iovec iov = { .iov_base = bytes, .iov_len = length };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;

	do {
		got = recvmsg(unix_socket, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	message_take_fds(&msg, fd);
	if (*fd < 0 && (msg.msg_flags & MSG_CTRUNC))
		return -EMFILE;		/* a descriptor was sent, but there was no number for it */
	return got;
}

kern_return_t machvm_object_send_size(int unix_socket, memory_object_t object, uint64_t size)
{
	unsigned char bytes[MESSAGE_BYTES] = { MESSAGE_TAG };
	size_t done = 0;

	if (!mv_port_is_fd(object))
		return KERN_INVALID_ARGUMENT;
	memcpy(bytes + 1, &size, sizeof(size));
	while (done < sizeof(bytes)) {
		ssize_t sent = message_send(unix_socket, bytes + done, sizeof(bytes) - done,
					    done ? -1 : (int)object);

		if (sent < 0)
			return mv_errno_to_kern((int)-sent);
		done += (size_t)sent;
	}
	return KERN_SUCCESS;
}

kern_return_t machvm_object_send(int unix_socket, memory_object_t object)
{
	return machvm_object_send_size(unix_socket, object, 0);
}

/* Fills all of @bytes; 0 or -errno. */
static int message_recv_all(int unix_socket, unsigned char *bytes, size_t length, int *fd)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got = message_recv(unix_socket, bytes + done, length - done, fd);

		if (got < 0)
			return (int)got;
		if (got == 0)
			return -ECONNRESET;
		done += (size_t)got;
	}
	return bytes[0] == MESSAGE_TAG && *fd >= 0 ? 0 : -EBADMSG;
}

kern_return_t machvm_object_recv_size(int unix_socket, memory_object_t *object, uint64_t *size)
{
	unsigned char bytes[MESSAGE_BYTES];
	int fd = -1;
	int error;

	error = message_recv_all(unix_socket, bytes, sizeof(bytes), &fd);
	if (error) {
		if (fd >= 0)
			close(fd);
		return mv_errno_to_kern(-error);
	}
	fd = mv_port_adopt_fd(fd);
	if (fd < 0)
		return KERN_RESOURCE_SHORTAGE;
	*object = (memory_object_t)fd;
	memcpy(size, bytes + 1, sizeof(*size));
	return KERN_SUCCESS;
}

kern_return_t machvm_object_recv(int unix_socket, memory_object_t *object)
{
	uint64_t size;

	return machvm_object_recv_size(unix_socket, object, &size);
}
