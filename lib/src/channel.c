// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * channel.c - the netlink socket of a pager: packets become messages, replies get their answer.
 *
 * The kernel carries out what is sent to it before the send returns, so its answer is in the
 * receive queue by then, behind requests that came meanwhile.  Whoever asks therefore empties the
 * queue, under the lock that everyone who reads takes, and hands the requests on.  A queue that
 * overflowed takes no answer; hence it is emptied before asking, too, and if the answer is
 * missing nevertheless the reply is sent again, which the kernel tolerates.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "../../uapi/machvm_netlink.h"
#include "pager.h"

/* Holds the largest window of requests; without privilege the kernel gives what it may. */
#define CHANNEL_BUFFER (4 << 20)

/* Largest packet: messages carry no page contents. */
#define CHANNEL_PACKET 8192

#define CHANNEL_TRIES 3

static struct nla_policy policy[MACHVM_A_MSG_MAX + 1] = {
	[MACHVM_A_MSG_OBJECT] = { .type = NLA_U64 },
	[MACHVM_A_MSG_EPOCH] = { .type = NLA_U32 },
	[MACHVM_A_MSG_OFFSET] = { .type = NLA_U64 },
	[MACHVM_A_MSG_LENGTH] = { .type = NLA_U64 },
	[MACHVM_A_MSG_ACCESS] = { .type = NLA_U32 },
	[MACHVM_A_MSG_PAGE_SIZE] = { .type = NLA_U32 },
	[MACHVM_A_MSG_DIRTY] = { .type = NLA_U32 },
	[MACHVM_A_MSG_KERNEL_COPY] = { .type = NLA_U32 },
	[MACHVM_A_MSG_RESULT] = { .type = NLA_U32 },
	[MACHVM_A_MSG_ERROR_OFFSET] = { .type = NLA_U64 },
	[MACHVM_A_MSG_NEW_OBJECT] = { .type = NLA_U64 },
};

static void socket_configure(int fd)
{
	const int size = CHANNEL_BUFFER;
	const int on = 1;

	/* All of these only help: what the kernel does not know or allow is done without. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
}

static int errno_from_libnl(int error)
{
	switch (-error) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
		return -EAFNOSUPPORT;	/* the device is there, the family is not */
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EACCES;
	default:
		return -EIO;
	}
}

int mv_channel_open(struct mv_channel *channel)
{
	int error;

	channel->sock = nl_socket_alloc();
	if (!channel->sock)
		return -ENOMEM;
	error = genl_connect(channel->sock);	/* close-on-exec */
	if (error < 0)
		goto err_free;
	channel->family = genl_ctrl_resolve(channel->sock, MACHVM_FAMILY_NAME);
	if (channel->family < 0) {
		error = channel->family;
		goto err_free;
	}
	channel->fd = nl_socket_get_fd(channel->sock);
	socket_configure(channel->fd);
	return 0;

err_free:
	nl_socket_free(channel->sock);
	channel->sock = NULL;
	return errno_from_libnl(error);
}

void mv_channel_close(struct mv_channel *channel)
{
	nl_socket_free(channel->sock);
	channel->sock = NULL;
	channel->fd = -1;
}

static uint32_t attribute_u32(struct nlattr **attributes, int type)
{
	return attributes[type] ? nla_get_u32(attributes[type]) : 0;
}

static uint64_t attribute_u64(struct nlattr **attributes, int type)
{
	return attributes[type] ? nla_get_u64(attributes[type]) : 0;
}

static bool message_unpack(struct nlmsghdr *header, struct mv_message *message)
{
	struct nlattr *attributes[MACHVM_A_MSG_MAX + 1];
	struct genlmsghdr *generic = nlmsg_data(header);

	if (!genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attributes, MACHVM_A_MSG_MAX, policy) < 0)
		return false;
	*message = (struct mv_message){
		.command = generic->cmd,
		.id = attribute_u64(attributes, MACHVM_A_MSG_OBJECT),
		.epoch = attribute_u32(attributes, MACHVM_A_MSG_EPOCH),
		.offset = attribute_u64(attributes, MACHVM_A_MSG_OFFSET),
		.length = attribute_u64(attributes, MACHVM_A_MSG_LENGTH),
		.access = attribute_u32(attributes, MACHVM_A_MSG_ACCESS),
		.page_size = attribute_u32(attributes, MACHVM_A_MSG_PAGE_SIZE),
		.dirty = attribute_u32(attributes, MACHVM_A_MSG_DIRTY),
		.kernel_copy = attribute_u32(attributes, MACHVM_A_MSG_KERNEL_COPY),
		.result = attribute_u32(attributes, MACHVM_A_MSG_RESULT),
		.error_offset = attribute_u64(attributes, MACHVM_A_MSG_ERROR_OFFSET),
		.new_object = attribute_u64(attributes, MACHVM_A_MSG_NEW_OBJECT),
	};
	return true;
}

/*
 * Reads one packet.  If it holds the answer to the message numbered @awaited, sets *@answer and
 * *@answered.
 */
static int packet_receive(struct mv_channel *channel, mv_channel_sink *sink,
			  struct machvm_pager *pager, uint32_t awaited, int *answer,
			  bool *answered)
{
	unsigned char packet[CHANNEL_PACKET] __attribute__((aligned(8)));
	struct sockaddr_nl from = { 0 };
	socklen_t from_length = sizeof(from);
	struct nlmsghdr *header;
	ssize_t got;
	int left;

	do {
		got = recvfrom(channel->fd, packet, sizeof(packet), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &from_length);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (from.nl_pid != 0)
		return 1;	/* some process wrote to us, not the kernel */
	left = (int)got;
	for (header = (struct nlmsghdr *)packet; nlmsg_ok(header, left);
	     header = nlmsg_next(header, &left)) {
		struct mv_message message;

		if (header->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = nlmsg_data(header);

			if (nlmsg_datalen(header) < (int)sizeof(error->error) ||
			    header->nlmsg_seq != awaited)
				continue;
			*answer = error->error;
			*answered = true;
		} else if (header->nlmsg_type == channel->family &&
			   message_unpack(header, &message)) {
			sink(pager, &message);
		}
	}
	return 1;
}

int mv_channel_receive(struct mv_channel *channel, mv_channel_sink *sink,
		       struct machvm_pager *pager)
{
	bool answered;
	int answer;

	/* An answer that nobody waits for is of a reply that was sent twice. */
	return packet_receive(channel, sink, pager, 0, &answer, &answered);
}

struct nl_msg *mv_channel_message(struct mv_channel *channel, uint8_t command)
{
	struct nl_msg *message = nlmsg_alloc_size(256);

	if (!message)
		return NULL;
	if (!genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, channel->family, 0,
			 NLM_F_REQUEST | NLM_F_ACK, command, MACHVM_FAMILY_VERSION)) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

static int header_send(int fd, const struct nlmsghdr *header)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;

	do {
		sent = sendto(fd, header, header->nlmsg_len, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int mv_channel_ask(struct mv_channel *channel, struct nl_msg *message, mv_channel_sink *sink,
		   struct machvm_pager *pager)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	bool answered = false;
	int answer = 0;
	int ret = 0;

	header->nlmsg_pid = nl_socket_get_local_port(channel->sock);
	for (int i = 0; i < CHANNEL_TRIES && !answered && ret >= 0; i++) {
		if (++channel->sequence == 0)
			channel->sequence = 1;	/* 0 awaits nothing */
		header->nlmsg_seq = channel->sequence;
		while ((ret = mv_channel_receive(channel, sink, pager)) > 0)
			;
		if (ret == 0)
			ret = header_send(channel->fd, header);
		while (ret >= 0 && !answered) {
			ret = packet_receive(channel, sink, pager, channel->sequence, &answer,
					     &answered);
			if (ret == 0)
				break;
		}
	}
	nlmsg_free(message);
	if (answered)
		return answer;
	return ret < 0 ? ret : -EAGAIN;
}
