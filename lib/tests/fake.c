// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake.c - plays the kernel: the linker sends the library's ioctl, sendto, posix_memalign
 * and mv_channel_open here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/socket.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/pager.h"
#include "check.h"

#define FAKE_FAMILY 99

struct fake fake;

int __wrap_ioctl(int fd, unsigned long command, ...);
ssize_t __wrap_sendto(int fd, const void *data, size_t length, int flags,
		      const struct sockaddr *to, socklen_t to_length);
int __wrap_mv_channel_open(struct mv_channel *channel);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.abi = MACHVM_ABI;
	fake.kernel = -1;
	mv_device_path = FAKE_DEVICE;
	mv_device_trouble = 0;
}

static bool is_device(int fd)
{
	struct stat device, st;

	return stat(FAKE_DEVICE, &device) == 0 && fstat(fd, &st) == 0 &&
	       st.st_rdev == device.st_rdev;
}

static int answer(int value)
{
	if (value >= 0)
		return value;
	errno = -value;
	return -1;
}

static int fake_create(struct machvm_object_create *create)
{
	static uint64_t id = 100;

	create->out_object = open("/dev/null", O_RDONLY | O_CLOEXEC);
	create->out_control = open("/dev/null", O_RDONLY | O_CLOEXEC);
	create->out_id = ++id;
	return KERN_SUCCESS;
}

int __wrap_ioctl(int fd, unsigned long command, ...)
{
	va_list arguments;
	void *argument;
	int value = KERN_SUCCESS;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (command == MACHVM_VERSION && is_device(fd)) {
		struct machvm_version *version = argument;

		version->out_abi = fake.abi;
		version->out_magic = MACHVM_MAGIC;
		return 0;
	}
	fake.calls++;
	fake.command = command;
	memcpy(fake.argument, argument, _IOC_SIZE(command));
	if (command == MACHVM_OBJECT_CREATE)
		return fake_create(argument);
	if (_IOC_NR(command) < 0x40 && !is_device(fd)) {
		fake.foreign++;
		return answer(-ENOTTY);
	}
	if (fake.pending) {
		value = fake.answers[0];
		memmove(fake.answers, fake.answers + 1, sizeof(fake.answers) - sizeof(int));
		fake.pending--;
	}
	if (value >= 0 && fake.fill)
		fake.fill(argument);
	return answer(value);
}

int __wrap_mv_channel_open(struct mv_channel *channel)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	channel->sock = nl_socket_alloc();
	channel->fd = ends[0];
	channel->family = FAKE_FAMILY;
	fake.kernel = ends[1];
	return 0;
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	fake.areas += size >= vm_page_size;
	return __real_posix_memalign(memory, alignment, size);
}

ssize_t __wrap_sendto(int fd, const void *data, size_t length, int flags,
		      const struct sockaddr *to, socklen_t to_length)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} ack = { .header = { .nlmsg_len = sizeof(ack), .nlmsg_type = NLMSG_ERROR } };

	(void)fd, (void)flags, (void)to, (void)to_length;
	fake.sends++;
	memcpy(fake.sent, data, length < sizeof(fake.sent) ? length : sizeof(fake.sent));
	if (fake.before_ack)
		fake.before_ack();
	ack.header.nlmsg_seq = ((const struct nlmsghdr *)data)->nlmsg_seq;
	ack.error.error = fake.ack;
	if (fake.acks_to_lose)
		fake.acks_to_lose--;
	else if (write(fake.kernel, &ack, sizeof(ack)) < 0)
		return -1;
	return (ssize_t)length;
}

static unsigned char *attribute(unsigned char *at, int type, const void *value, size_t size)
{
	struct nlattr header = { .nla_len = (uint16_t)(NLA_HDRLEN + size),
				 .nla_type = (uint16_t)type };

	memcpy(at, &header, sizeof(header));
	memcpy(at + NLA_HDRLEN, value, size);
	return at + NLA_ALIGN(NLA_HDRLEN + size);
}

void fake_message(int command, uint64_t object, unsigned int sequence, uint64_t offset)
{
	unsigned char packet[256] __attribute__((aligned(8))) = { 0 };
	struct nlmsghdr *header = (struct nlmsghdr *)packet;
	struct genlmsghdr *generic = (struct genlmsghdr *)(packet + NLMSG_HDRLEN);
	unsigned char *end = packet + NLMSG_HDRLEN + GENL_HDRLEN;
	const uint64_t length = 4096;
	const uint32_t epoch = 7, access = VM_PROT_READ;

	generic->cmd = (uint8_t)command;
	generic->version = MACHVM_FAMILY_VERSION;
	end = attribute(end, MACHVM_A_MSG_OBJECT, &object, sizeof(object));
	end = attribute(end, MACHVM_A_MSG_EPOCH, &epoch, sizeof(epoch));
	end = attribute(end, MACHVM_A_MSG_SEQUENCE, &sequence, sizeof(sequence));
	end = attribute(end, MACHVM_A_MSG_OFFSET, &offset, sizeof(offset));
	end = attribute(end, MACHVM_A_MSG_LENGTH, &length, sizeof(length));
	end = attribute(end, MACHVM_A_MSG_ACCESS, &access, sizeof(access));
	header->nlmsg_len = (uint32_t)(end - packet);
	header->nlmsg_type = FAKE_FAMILY;
	CHECK(write(fake.kernel, packet, header->nlmsg_len) == (ssize_t)header->nlmsg_len);
}
