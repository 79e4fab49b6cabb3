// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager.c - pagers of machvm: one as lean as the interface allows, one through libmachvm.
 *
 * The lean one makes two system calls for a request: it receives it, and it supplies the pages.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <machvm.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/machvm.h>
#include <linux/machvm_netlink.h>

#include "bench.h"

#define CLUSTER_MAX 16

/* A memory object of this process, and the socket through which the kernel asks for pages. */
struct served {
	struct nl_sock *sock;
	int socket;
	int family;
	int object;
	int control;
	uint64_t id;
	uint32_t epoch;
};

/* The part of a message that matters here. */
struct question {
	uint8_t command;
	uint64_t offset;
};

static char pages[CLUSTER_MAX * PAGE] __attribute__((aligned(4096)));

struct served *served_create(void)
{
	struct machvm_object_create create = { .size = sizeof(create) };
	struct machvm_control_bind bind = { .size = sizeof(bind) };
	struct served *served = calloc(1, sizeof(*served));

	if (!served)
		die("no memory");
	served->sock = nl_socket_alloc();
	if (!served->sock || genl_connect(served->sock))
		die("no generic netlink socket");
	nl_socket_disable_auto_ack(served->sock);
	served->family = genl_ctrl_resolve(served->sock, MACHVM_FAMILY_NAME);
	if (served->family < 0)
		die("no netlink family %s", MACHVM_FAMILY_NAME);
	served->socket = nl_socket_get_fd(served->sock);
	machvm_call(machvm_device(), MACHVM_OBJECT_CREATE, &create, "object_create");
	served->object = create.out_object;
	served->control = create.out_control;
	served->id = create.out_id;
	bind.socket = served->socket;
	machvm_call(served->control, MACHVM_CONTROL_BIND, &bind, "control_bind");
	served->epoch = bind.out_epoch;
	return served;
}

int served_object(const struct served *served)
{
	return served->object;
}

static void served_receive(struct served *served, struct question *question)
{
	char buffer[1024] __attribute__((aligned(8)));
	struct nlmsghdr *header = (struct nlmsghdr *)buffer;
	ssize_t got = recv(served->socket, buffer, sizeof(buffer), 0);
	struct nlattr *offset;

	if (got < 0)
		die("recv: %s", strerror(errno));
	question->command = 0;
	if (!nlmsg_ok(header, (int)got) || header->nlmsg_type != served->family)
		return;
	offset = nlmsg_find_attr(header, GENL_HDRLEN, MACHVM_A_MSG_OFFSET);
	question->command = ((struct genlmsghdr *)nlmsg_data(header))->cmd;
	question->offset = offset ? nla_get_u64(offset) : 0;
}

static void served_ready(struct served *served)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, served->family, 0, NLM_F_REQUEST,
				 MACHVM_CMD_READY, MACHVM_FAMILY_VERSION) ||
	    nla_put_u64(msg, MACHVM_A_MSG_OBJECT, served->id) ||
	    nla_put_u32(msg, MACHVM_A_MSG_EPOCH, served->epoch) ||
	    nla_put_u32(msg, MACHVM_A_MSG_MAY_CACHE, 0) ||
	    nla_put_u32(msg, MACHVM_A_MSG_COPY_STRATEGY, MACHVM_COPY_DELAY))
		die("no memory");
	if (nl_send_auto(served->sock, msg) < 0)
		die("ready cannot be sent");
	nlmsg_free(msg);
}

void served_wait_ready(struct served *served)
{
	struct question question;

	do {
		served_receive(served, &question);
	} while (question.command != MACHVM_CMD_INIT);
	served_ready(served);
}

void served_supply(struct served *served, uint64_t offset, const void *data, uint64_t length)
{
	struct machvm_data_supply args = {
		.size = sizeof(args),
		.epoch = served->epoch,
		.offset = offset,
		.length = length,
		.address = (uintptr_t)data,
	};

	int ret = ioctl(served->control, MACHVM_DATA_SUPPLY, &args);

	/* A page may have been asked for again while its cluster was on the way. */
	if (ret && ret != MACHVM_KERN_MEMORY_PRESENT)
		die("data_supply: answer %d, %s", ret, strerror(errno));
}

__attribute__((noreturn)) static void serve(struct served *served, uint64_t cluster)
{
	struct question question;

	served_wait_ready(served);
	for (;;) {
		served_receive(served, &question);
		if (question.command == MACHVM_CMD_DATA_REQUEST)
			served_supply(served, question.offset & ~(cluster * PAGE - 1), pages,
				      cluster * PAGE);
	}
}

/* The pager's process: it says which object it serves, then it serves until it is killed. */
__attribute__((noreturn)) static void pager_process(int socket, uint64_t cluster)
{
	struct served *served;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(pages, 0x5a, sizeof(pages));
	served = served_create();
	if (machvm_object_send(socket, (memory_object_t)served->object) != KERN_SUCCESS)
		die("the object cannot be sent");
	serve(served, cluster);
}

static void data_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			 vm_size_t length, vm_prot_t desired)
{
	const uint64_t bytes = *(uint64_t *)cookie;

	(void)length;
	(void)desired;
	memory_object_data_supply(control, offset & ~(bytes - 1), (vm_offset_t)pages, bytes, 0,
				  FALSE, MACH_PORT_NULL);
}

__attribute__((noreturn)) static void library_process(int socket, uint64_t cluster)
{
	const struct machvm_pager_ops ops = { .data_request = data_request };
	uint64_t bytes = cluster * PAGE;
	struct machvm_pager *pager;
	memory_object_t object;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(pages, 0x5a, sizeof(pages));
	if (machvm_pager_create(&ops, &pager) || machvm_pager_object(pager, &bytes, &object) ||
	    machvm_object_send(socket, object))
		die("pager: %s", machvm_strerror(KERN_FAILURE));
	machvm_pager_run(pager);
	die("the pager has ended");
}

/* Is ready, and answers nothing. */
__attribute__((noreturn)) static void mute_process(int socket, uint64_t unused)
{
	struct question question;
	struct served *served;

	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	served = served_create();
	if (write(socket, &served->id, sizeof(served->id)) != sizeof(served->id) ||
	    machvm_object_send(socket, (memory_object_t)served->object) != KERN_SUCCESS)
		die("the object cannot be sent");
	served_wait_ready(served);
	for (;;)
		served_receive(served, &question);
}

/* Begins a pager's process, which has the other end of @socket. */
static pid_t fork_pager(void (*process)(int socket, uint64_t cluster), uint64_t cluster,
			int *socket)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		die("socketpair: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close(ends[0]);
		process(ends[1], cluster);
	}
	close(ends[1]);
	*socket = ends[0];
	return pid;
}

static int receive_object(int socket)
{
	memory_object_t object;

	if (machvm_object_recv(socket, &object) != KERN_SUCCESS)
		die("no object came from the pager");
	close(socket);
	return (int)object;
}

static int start(void (*process)(int socket, uint64_t cluster), uint64_t cluster)
{
	int socket;

	fork_pager(process, cluster, &socket);
	return receive_object(socket);
}

/**
 * pager_start() - another process on this processor, which serves one object
 * @cluster: pages that it supplies for each request, a power of two
 *
 * Return: the object.  The pager ends with the calling process.
 */
int pager_start(uint64_t cluster)
{
	return start(pager_process, cluster);
}

/* pager_start_library() - the same by libmachvm */
int pager_start_library(uint64_t cluster)
{
	return start(library_process, cluster);
}

/* pager_start_mute() - one that answers nothing, to be killed; and the number of its object */
int pager_start_mute(pid_t *pid, uint64_t *id)
{
	int socket;

	*pid = fork_pager(mute_process, 0, &socket);
	if (read(socket, id, sizeof(*id)) != sizeof(*id))
		die("the pager says nothing");
	return receive_object(socket);
}
