// SPDX-License-Identifier: GPL-2.0-only
/*
 * messages.c - packets of any bytes, and nearly right ones, come from the kernel to a pager of the
 * library, which has all callbacks; and what is sent with a memory object to whoever maps it.
 *
 * The kernel is the one of lib/tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../lib/src/pager.h"
#include "../../lib/tests/check.h"
#include "fuzz.h"

#define FAMILY 99		/* as lib/tests/fake.c has it */
#define PACKET_MOST 300
#define PIECES_MOST 20		/* of returned pages, until the object is given up */

int check_failures;
static struct machvm_pager *pager;
static unsigned int pieces;

static void on_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		    vm_size_t page_size)
{
	(void)cookie, (void)name, (void)page_size;
	memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY);
}

static void on_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
		       vm_size_t length, vm_prot_t desired)
{
	(void)cookie;
	if (desired & VM_PROT_WRITE)
		memory_object_data_error(control, offset, length, KERN_FAILURE);
	else
		memory_object_data_unavailable(control, offset, length);
}

/* All of it can be read. */
static void on_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
		      const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	volatile const unsigned char *bytes = data;

	(void)cookie, (void)offset, (void)dirty, (void)kernel_copy;
	for (vm_size_t i = 0; i < length; i += 512)
		(void)bytes[i];
	if (length)
		(void)bytes[length - 1];
	if (++pieces >= PIECES_MOST)
		mach_port_deallocate(mach_task_self(), control);
}

static void on_copy(void *cookie, memory_object_control_t control, vm_offset_t offset,
		    vm_size_t length, memory_object_t copy)
{
	(void)cookie, (void)control, (void)offset;
	if (length & 4096)
		machvm_pager_adopt(pager, copy, NULL);
}

static void *on_create(memory_object_control_t control, uint64_t id, vm_size_t size,
		       vm_size_t page_size)
{
	(void)control, (void)id, (void)size, (void)page_size;
	return NULL;
}

static const struct machvm_pager_ops ops = {
	.init = on_init,
	.data_request = on_request,
	.data_return = on_return,
	.copy = on_copy,
	.create = on_create,
};

/* Descriptors and numbers that the kernel would have made. */
static void fill(void *argument)
{
	static uint64_t ids = 1000;
	int fd = -1;

	if (fake.command == MACHVM_CONTROL_BIND) {
		((struct machvm_control_bind *)argument)->out_id = ++ids;
		((struct machvm_control_bind *)argument)->out_epoch = 1;
	}

	if (fake.command == MACHVM_CONTROL_OPEN || fake.command == MACHVM_CONTROL_COPY)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fake.command == MACHVM_CONTROL_OPEN)
		((struct machvm_control_open *)argument)->out_control = fd;
	if (fake.command == MACHVM_CONTROL_COPY)
		((struct machvm_control_copy *)argument)->out_control = fd;
}

static uint64_t id_of_any(void)
{
	for (int i = 0; i < MV_PAGER_BUCKETS; i++)
		if (pager->objects[i])
			return pager->objects[i]->id;
	return 0;
}

/* As a header of the module's would be, with the object if @id. */
static size_t headers(unsigned char *packet, uint8_t command, uint64_t id)
{
	struct nlattr attribute = {
		.nla_len = NLA_HDRLEN + sizeof(id), .nla_type = MACHVM_A_MSG_OBJECT,
	};
	struct genlmsghdr generic = { .cmd = command, .version = MACHVM_FAMILY_VERSION };
	size_t length = NLMSG_HDRLEN + GENL_HDRLEN;

	memset(packet, 0, length);
	memcpy(packet + NLMSG_HDRLEN, &generic, sizeof(generic));
	if (!id)
		return length;
	memcpy(packet + length, &attribute, sizeof(attribute));
	memcpy(packet + length + NLA_HDRLEN, &id, sizeof(id));
	return length + NLA_HDRLEN + sizeof(id);
}

/* What it is made of is in its first byte: bytes as they are, or behind headers. */
static void send_packet(struct bytes *bytes)
{
	unsigned char packet[PACKET_MOST + 64] __attribute__((aligned(8)));
	uint8_t kind = take_byte(bytes);
	size_t length = 0, most = take_short(bytes) % PACKET_MOST;
	struct nlmsghdr header = { 0 };

	if (kind & 3)
		length = headers(packet, take_byte(bytes), kind & 2 ? id_of_any() : 0);
	length += take_some(bytes, packet + length, most);
	if (kind & 3) {
		header.nlmsg_len = (uint32_t)length;
		header.nlmsg_type = FAMILY;
		memcpy(packet, &header, sizeof(header));
	}
	fake.ack = kind & 4 ? KERN_INVALID_ARGUMENT : KERN_SUCCESS;
	fake.pending = kind >> 6;
	fake.answers[0] = fake.answers[1] = fake.answers[2] = kind & 8 ? -ENOMEM : -EINVAL;
	if (send(fake.kernel, packet, length, MSG_DONTWAIT) < 0)
		must(errno == EAGAIN || errno == EINVAL);
}

/* The first one that is free, which tells whether any has been left open. */
static int first_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void serve(struct bytes *bytes)
{
	memory_object_t object;
	int ret, socket;

	fake_reset();
	fake.fill = fill;
	pieces = 0;
	must(machvm_pager_create(&ops, &pager) == KERN_SUCCESS);
	must(machvm_pager_object(pager, NULL, &object) == KERN_SUCCESS);
	socket = pager->channel.fd;	/* not the library's to close, as it is none of libnl's */
	while (bytes->left) {
		send_packet(bytes);
		ret = machvm_pager_dispatch(pager);
		must(ret >= 0 || ret == -EAGAIN || ret == -EIO || ret == -ECANCELED);
	}
	mach_port_deallocate(mach_task_self(), object);
	machvm_pager_destroy(pager);
	close(fake.kernel);
	close(socket);
}

/* What somebody else has sent, with and without a descriptor. */
static void receive(struct bytes *bytes)
{
	unsigned int nr = take_byte(bytes) % 6;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(6 * sizeof(int))];
	} control = { .header = {
		.cmsg_len = CMSG_LEN(nr * sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes->at, .iov_len = bytes->left };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	memory_object_t object;
	uint64_t size;
	int ends[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	for (unsigned int i = 0; i < nr; i++)
		memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &ends[0], sizeof(int));
	if (nr) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(nr * sizeof(int));
	}
	if (bytes->left)
		must(sendmsg(ends[0], &message, 0) == (ssize_t)bytes->left);
	shutdown(ends[0], SHUT_WR);
	if (machvm_object_recv_size(ends[1], &object, &size) == KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), object);
	close(ends[0]);
	close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size };
	int before;

	fake_reset();
	must(mv_device_get() >= 0);	/* once for all */
	before = first_free();
	if (take_byte(&bytes) & 1)
		receive(&bytes);
	else
		serve(&bytes);
	must(first_free() == before);
	return 0;
}
