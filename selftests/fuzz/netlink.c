// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink.c - messages of a program, good and torn, and a pager that answers what it hears.
 */
#include "fuzz.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 72000
#define BYTES_MAX 65000
#define PATIENCE_MS 20

struct message {
	unsigned char bytes[MESSAGE_MAX] __attribute__((aligned(8)));
	size_t used;
};

static __thread struct message message;
static __thread unsigned char packet[32768] __attribute__((aligned(8)));
static __thread uint32_t sequence;

static void begin(uint16_t type, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message.bytes;
	struct genlmsghdr *generic = NLMSG_DATA(header);

	memset(message.bytes, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	header->nlmsg_type = type;
	header->nlmsg_flags = flags;
	header->nlmsg_seq = ++sequence;
	generic->cmd = command;
	generic->version = 1;
	message.used = NLMSG_HDRLEN + GENL_HDRLEN;
}

/* Attributes of many bytes hold a pattern. */
static void put(uint16_t type, const void *data, size_t size)
{
	struct nlattr *header = (struct nlattr *)(message.bytes + message.used);
	size_t total = NLA_ALIGN(NLA_HDRLEN + size);

	if (message.used + total > sizeof(message.bytes))
		return;
	memset(header, 0x5a, total);
	header->nla_type = type;
	header->nla_len = NLA_HDRLEN + size;
	if (data)
		memcpy((char *)header + NLA_HDRLEN, data, size);
	message.used += total;
}

static void put_number(uint16_t type, uint64_t value, size_t size)
{
	put(type, &value, size);
}

static void hear_attribute(struct heard *heard, const struct nlattr *attribute)
{
	size_t size = attribute->nla_len - NLA_HDRLEN;
	uint64_t value = 0;

	memcpy(&value, attribute + 1, size < sizeof(value) ? size : sizeof(value));
	switch (attribute->nla_type & NLA_TYPE_MASK) {
	case MACHVM_A_MSG_OBJECT:
		heard->object = value;
		break;
	case MACHVM_A_MSG_EPOCH:
		heard->epoch = value;
		break;
	case MACHVM_A_MSG_OFFSET:
		heard->offset = value;
		break;
	case MACHVM_A_MSG_LENGTH:
		heard->length = value;
		break;
	case MACHVM_A_MSG_NEW_OBJECT:
		heard->fresh = value;
		break;
	}
}

static void hear(const struct nlmsghdr *header, struct heard *heard)
{
	const struct genlmsghdr *generic = NLMSG_DATA(header);
	const char *at = (const char *)generic + GENL_HDRLEN;
	const char *end = (const char *)header + header->nlmsg_len;

	memset(heard, 0, sizeof(*heard));
	heard->command = generic->cmd;
	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attribute = (const struct nlattr *)at;

		if (attribute->nla_len < NLA_HDRLEN || at + attribute->nla_len > end)
			break;
		hear_attribute(heard, attribute);
		at += NLA_ALIGN(attribute->nla_len);
	}
	learn_heard(heard);
}

/*
 * Reads what is there.  *answer: of the message whose number is @awaited, if it is among that.
 * With @last it stops at a message of the kernel's; true if it is that.
 */
static bool drain(int fd, uint32_t awaited, long *answer, struct heard *last)
{
	struct heard heard;
	ssize_t got;

	for (int i = 0; i < 64; i++) {
		struct nlmsghdr *header = (struct nlmsghdr *)packet;
		int left;

		got = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS)
			continue;
		if (got <= 0)
			return false;
		for (left = got; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == scene->family) {
				hear(header, last ?: &heard);
				if (last)
					return true;
			} else if (header->nlmsg_type == NLMSG_ERROR &&
				   header->nlmsg_seq == awaited && answer) {
				*answer = ((struct nlmsgerr *)NLMSG_DATA(header))->error;
			}
		}
	}
	return false;
}

/* What is on its way is waited for a little. */
void netlink_drain(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (poll(&ready, 1, PATIENCE_MS) > 0)
		drain(fd, 0, NULL, NULL);
}

static long message_send(int fd, size_t length, bool deaf)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message.bytes;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	long answer = -ENOMSG;

	header->nlmsg_len = message.used;
	if (sendto(fd, message.bytes, length, MSG_DONTWAIT, (struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	if (!deaf)
		drain(fd, header->nlmsg_seq, &answer, NULL);
	return answer;
}

static void put_field(const struct field *field, const struct value *value, uint64_t resolved)
{
	if (value->kind == V_ABSENT)
		return;
	switch (field->kind) {
	case K_BYTES:
		put(field->place, NULL, resolved < BYTES_MAX ? resolved : BYTES_MAX);
		break;
	case K_FLAG:
		put(field->place, NULL, resolved & 1);
		break;
	default:
		put_number(field->place, resolved, field->bytes);
	}
}

/* Bytes at places that the number chooses become others. */
static void make_noise(unsigned char *bytes, size_t size, uint64_t noise)
{
	for (; noise && size; noise >>= 16)
		bytes[(noise & 0xff) * 7 % size] ^= noise >> 8 & 0xff;
}

long netlink_perform(const struct call_kind *kind, const struct call *call,
		     const uint64_t *values)
{
	size_t length;

	begin(scene->family, values[N_COMMAND], values[N_FLAGS]);
	for (unsigned int i = N_FIELDS; i < kind->nr; i++)
		put_field(&kind->fields[i], &call->values[i], values[i]);
	make_noise(message.bytes + NLMSG_HDRLEN, message.used - NLMSG_HDRLEN, values[N_NOISE]);
	length = message.used;
	if (values[N_TORN])
		length -= values[N_TORN] % length;
	return message_send(values[N_ON], length, values[N_DEAF] & 1);
}

long netlink_socket(bool named)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0)
		return -errno;
	if (named && bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	learn_socket(fd);
	return 0;
}

/* The number of the family; -1 if the module is not there. */
int netlink_family(void)
{
	static const char name[] = MACHVM_FAMILY_NAME;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), family = -1;
	struct nlmsghdr *header = (struct nlmsghdr *)packet;
	const char *at, *end;

	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_REQUEST);
	put(CTRL_ATTR_FAMILY_NAME, name, sizeof(name));
	((struct nlmsghdr *)message.bytes)->nlmsg_len = message.used;
	if (fd < 0 || send(fd, message.bytes, message.used, 0) < 0 ||
	    recv(fd, packet, sizeof(packet), 0) < 0 || header->nlmsg_type != GENL_ID_CTRL)
		return -1;
	at = (const char *)NLMSG_DATA(header) + GENL_HDRLEN;
	end = (const char *)header + header->nlmsg_len;
	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(((const struct nlattr *)at)->nla_len))
		if (((const struct nlattr *)at)->nla_type == CTRL_ATTR_FAMILY_ID)
			family = *(const uint16_t *)(at + NLA_HDRLEN);
	close(fd);
	return family;
}

/* A pager */

static void answer_begin(const struct heard *heard, uint8_t command)
{
	begin(scene->family, command, NLM_F_REQUEST);
	put_number(MACHVM_A_MSG_OBJECT, heard->object, 8);
	put_number(MACHVM_A_MSG_EPOCH, heard->epoch, 4);
}

static void answer_init(int fd, const struct heard *heard, unsigned int how)
{
	answer_begin(heard, MACHVM_CMD_READY);
	put_number(MACHVM_A_MSG_MAY_CACHE, !!(how & SERVE_CACHE), 4);
	put_number(MACHVM_A_MSG_COPY_STRATEGY,
		   how & SERVE_CALL ? MACHVM_COPY_CALL :
		   how & SERVE_NONE ? MACHVM_COPY_NONE : MACHVM_COPY_DELAY, 4);
	message_send(fd, message.used, true);
}

static void answer_range(int fd, const struct heard *heard, uint8_t command, unsigned int how)
{
	answer_begin(heard, command);
	put_number(MACHVM_A_MSG_OFFSET, heard->offset, 8);
	if (command == MACHVM_CMD_DATA_SUPPLY)
		put(MACHVM_A_MSG_DATA, NULL, heard->length < 15 * PAGE ? heard->length : 15 * PAGE);
	else
		put_number(MACHVM_A_MSG_LENGTH, heard->length, 8);
	if (command == MACHVM_CMD_DATA_ERROR)
		put_number(MACHVM_A_MSG_ERROR, 7, 4);
	if (how & SERVE_PRECIOUS)
		put(MACHVM_A_MSG_PRECIOUS, NULL, 0);
	if (how & SERVE_LOCKED)
		put_number(MACHVM_A_MSG_LOCK_VALUE, MACHVM_PROT_WRITE, 4);
	message_send(fd, message.used, true);
}

static void supply_by_ioctl(const struct heard *heard, unsigned int how)
{
	struct thing *thing = thing_of(heard->object);
	struct machvm_data_supply call = {
		.size = sizeof(call), .epoch = heard->epoch, .offset = heard->offset,
		.length = heard->length < 15 * PAGE ? heard->length : 15 * PAGE,
		.address = (uintptr_t)worker_buffer(),
		.lock_value = how & SERVE_LOCKED ? MACHVM_PROT_WRITE : 0,
		.precious = !!(how & SERVE_PRECIOUS),
	};

	if (thing)
		ioctl(thing->control, MACHVM_DATA_SUPPLY, &call);
}

static void answer_request(int fd, const struct heard *heard, unsigned int how)
{
	if (how & SERVE_UNAVAILABLE)
		answer_range(fd, heard, MACHVM_CMD_DATA_UNAVAILABLE, 0);
	else if (how & SERVE_ERROR)
		answer_range(fd, heard, MACHVM_CMD_DATA_ERROR, 0);
	else if (how & SERVE_INLINE)
		answer_range(fd, heard, MACHVM_CMD_DATA_SUPPLY, how);
	else
		supply_by_ioctl(heard, how);
}

static void answer_return(const struct heard *heard, unsigned int how)
{
	struct thing *thing = thing_of(heard->object);
	struct machvm_data_return call = {
		.size = sizeof(call), .offset = heard->offset, .length = heard->length,
	};

	if (!thing || how & SERVE_HOLD)
		return;
	ioctl(thing->control, how & SERVE_MAP ? MACHVM_RETURN_MAP : MACHVM_RETURN_RELEASE, &call);
}

static void answer_unlock(const struct heard *heard, unsigned int how)
{
	struct thing *thing = thing_of(heard->object);
	struct machvm_lock_request call = {
		.size = sizeof(call), .offset = heard->offset, .length = heard->length,
		.should_flush = !!(how & SERVE_MAP),
	};

	if (thing)
		ioctl(thing->control, MACHVM_LOCK_REQUEST, &call);
}

/* A copy is served through the same socket. */
static void answer_copy(int fd, const struct heard *heard)
{
	struct thing *thing = thing_of(heard->object);
	struct machvm_control_copy copy = { .size = sizeof(copy), .id = heard->fresh };
	struct machvm_control_bind bind = { .size = sizeof(bind), .socket = fd };

	if (!thing || ioctl(thing->control, MACHVM_CONTROL_COPY, &copy))
		return;
	learn_ioctl(MACHVM_CONTROL_COPY, &copy);
	if (!ioctl(copy.out_control, MACHVM_CONTROL_BIND, &bind))
		learn_ioctl(MACHVM_CONTROL_BIND, &bind);
}

/* The control of an object of the kernel's is to be had with that of the manager. */
static void answer_create(int fd, const struct heard *heard, unsigned int how)
{
	struct machvm_control_open open = { .size = sizeof(open), .id = heard->object };

	for (unsigned int i = 0; i < THINGS && i < atomic_load(&scene->nr_things); i++) {
		if (!ioctl(scene->things[i].control, MACHVM_CONTROL_OPEN, &open)) {
			learn_ioctl(MACHVM_CONTROL_OPEN, &open);
			break;
		}
	}
	answer_init(fd, heard, how);
}

static void answer(int fd, const struct heard *heard, unsigned int how)
{
	switch (heard->command) {
	case MACHVM_CMD_INIT:
		return answer_init(fd, heard, how);
	case MACHVM_CMD_CREATE:
		return answer_create(fd, heard, how);
	case MACHVM_CMD_DATA_REQUEST:
		return answer_request(fd, heard, how);
	case MACHVM_CMD_DATA_RETURN:
	case MACHVM_CMD_DATA_INITIALIZE:
		return answer_return(heard, how);
	case MACHVM_CMD_DATA_UNLOCK:
		return answer_unlock(heard, how);
	case MACHVM_CMD_COPY:
		return answer_copy(fd, heard);
	}
}

/* How many were answered. */
long netlink_serve(int fd, unsigned int count, unsigned int how)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct heard heard;
	long answered = 0;

	while (count--) {
		if (!drain(fd, 0, NULL, &heard)) {
			if (poll(&ready, 1, PATIENCE_MS) <= 0 || !drain(fd, 0, NULL, &heard))
				break;
		}
		answer(fd, &heard, how);
		answered++;
	}
	return answered;
}
