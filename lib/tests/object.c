// SPDX-License-Identifier: GPL-2.0-only
/*
 * object.c - ports: pseudo-handles, descriptors, and their way over a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static void pseudo_handles_are_no_descriptors(void)
{
	const mach_port_t ports[] = { MACH_PORT_NULL, MACH_PORT_DEAD, mach_task_self(),
				      mach_host_self(), mach_host_priv(), mv_port_name(1) };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		CHECK(!mv_port_is_fd(ports[i]));
		for (size_t j = 0; j < i; j++)
			CHECK(ports[i] != ports[j]);
	}
	CHECK(mv_port_name(0) == MACH_PORT_NULL);
	CHECK(mv_port_name(5) == 0x40000005);
	CHECK(MACH_PORT_VALID(mv_port_name(1ull << 30)));
	CHECK(mv_port_name(~0ull) < 0x80000000);
	CHECK(vm_page_size == (vm_size_t)sysconf(_SC_PAGESIZE));
}

static void deallocate_closes_descriptors_alone(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(mach_port_deallocate(mach_task_self(), (mach_port_t)fd) == KERN_SUCCESS);
	CHECK(fcntl(fd, F_GETFD) < 0);
	CHECK(mach_port_deallocate(mach_task_self(), (mach_port_t)fd) == KERN_INVALID_NAME);
	CHECK(mach_port_deallocate(mach_task_self(), MACH_PORT_NULL) == KERN_INVALID_NAME);
	CHECK(mach_port_deallocate(mach_task_self(), MACH_PORT_DEAD) == KERN_INVALID_NAME);
	CHECK(mach_port_deallocate(mach_task_self(), mach_host_self()) == KERN_SUCCESS);
	CHECK(mach_port_deallocate(mach_task_self(), mv_port_name(9)) == KERN_SUCCESS);
	CHECK(mach_port_deallocate(mach_host_self(), mv_port_name(9)) == KERN_INVALID_TASK);
}

static void ports_are_never_standard_input(void)
{
	int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
	int fd;

	close(0);
	fd = mv_port_adopt_fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
	CHECK(fd >= 3);
	CHECK(fcntl(0, F_GETFD) < 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	if (saved >= 0) {
		dup2(saved, 0);
		close(saved);
	}
}

const struct test port_tests[] = {
	{ "pseudo_handles_are_no_descriptors", pseudo_handles_are_no_descriptors },
	{ "deallocate_closes_descriptors_alone", deallocate_closes_descriptors_alone },
	{ "ports_are_never_standard_input", ports_are_never_standard_input },
	{ 0 }
};

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* Sends raw bytes with @count copies of one descriptor. */
static void raw_send(int socket, const void *bytes, size_t length, int fd, int count)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, length };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (count) {
		struct cmsghdr *cmsg;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		for (int i = 0; i < count; i++)
			memcpy(CMSG_DATA(cmsg) + (size_t)i * sizeof(int), &fd, sizeof(int));
	}
	CHECK(sendmsg(socket, &msg, 0) == (ssize_t)length);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 2000; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void objects_pass_over_sockets_of_each_type(void)
{
	const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };

	for (int i = 0; i < 3; i++) {
		int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		memory_object_t got = 0;
		uint64_t size = 1;
		int ends[2];

		CHECK(socketpair(AF_UNIX, types[i], 0, ends) == 0);
		CHECK(machvm_object_send(ends[0], (memory_object_t)file) == KERN_SUCCESS);
		CHECK(machvm_object_send_size(ends[0], (memory_object_t)file, 0x123456789abc) ==
		      KERN_SUCCESS);
		CHECK(machvm_object_recv_size(ends[1], &got, &size) == KERN_SUCCESS);
		CHECK(size == 0 && (int)got != file && same_file((int)got, file));
		CHECK(fcntl((int)got, F_GETFD) & FD_CLOEXEC);
		close((int)got);
		CHECK(machvm_object_recv_size(ends[1], &got, &size) == KERN_SUCCESS);
		CHECK(size == 0x123456789abc && same_file((int)got, file));
		close((int)got);
		close(file);
		close(ends[0]);
		close(ends[1]);
	}
}

static void message_is_nine_bytes_with_a_tag(void)
{
	char bytes[64];
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(machvm_object_send_size(ends[0], (memory_object_t)ends[0], 5) == KERN_SUCCESS);
	CHECK(read(ends[1], bytes, sizeof(bytes)) == 9);
	CHECK(bytes[0] == 'M' && bytes[1] == 5 && bytes[8] == 0);
	close(ends[0]);
	close(ends[1]);
}

static void message_in_pieces_is_put_together(void)
{
	const char message[9] = { 'M', 1, 2 };
	memory_object_t got = 0;
	uint64_t size = 0;
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	raw_send(ends[0], message, 1, 2, 1);
	raw_send(ends[0], message + 1, 8, -1, 0);
	CHECK(machvm_object_recv_size(ends[1], &got, &size) == KERN_SUCCESS);
	CHECK(size == 0x201);
	close((int)got);
	close(ends[0]);
	close(ends[1]);
}

static void other_messages_are_refused_and_leave_nothing_open(void)
{
	const char wrong[9] = { 'X' }, right[9] = { 'M' };
	memory_object_t got = 99;
	int before = open_descriptors();
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	raw_send(ends[0], wrong, 9, 2, 1);
	CHECK(machvm_object_recv(ends[1], &got) == KERN_INVALID_ARGUMENT);
	raw_send(ends[0], right, 9, -1, 0);
	CHECK(machvm_object_recv(ends[1], &got) == KERN_INVALID_ARGUMENT);
	raw_send(ends[0], right, 9, 2, 3);
	CHECK(got == 99);
	CHECK(machvm_object_recv(ends[1], &got) == KERN_SUCCESS);
	close((int)got);
	raw_send(ends[0], right, 4, 2, 8);
	close(ends[0]);
	CHECK(machvm_object_recv(ends[1], &got) == KERN_ABORTED);
	close(ends[1]);
	CHECK(open_descriptors() == before);
}

static void broken_sockets_are_told(void)
{
	memory_object_t got;
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	CHECK(machvm_object_recv(ends[1], &got) == KERN_ABORTED);
	CHECK(machvm_object_send(ends[0], MACH_PORT_NULL) == KERN_INVALID_ARGUMENT);
	CHECK(machvm_object_send(ends[0], mach_task_self()) == KERN_INVALID_ARGUMENT);
	CHECK(machvm_object_send(ends[0], 98765) == KERN_INVALID_ARGUMENT);
	close(ends[0]);
	CHECK(machvm_object_recv(ends[1], &got) == KERN_ABORTED);
	CHECK(machvm_object_send(ends[1], (memory_object_t)ends[1]) == KERN_ABORTED);
	close(ends[1]);
	CHECK(machvm_object_recv(ends[1], &got) == KERN_INVALID_ARGUMENT);
	CHECK(machvm_object_send(1, 1) == KERN_INVALID_ARGUMENT);
}

#define TEST(name) { #name, name }
const struct test object_tests[] = {
	TEST(objects_pass_over_sockets_of_each_type),
	TEST(message_is_nine_bytes_with_a_tag),
	TEST(message_in_pieces_is_put_together),
	TEST(other_messages_are_refused_and_leave_nothing_open),
	TEST(broken_sockets_are_told),
	{ 0 }
};
