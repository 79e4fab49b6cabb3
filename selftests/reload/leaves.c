// SPDX-License-Identifier: GPL-2.0-only
/*
 * leaves.c - what does not keep the module: a default memory manager that nobody has open, and a
 * socket that is bound and full, so that what its process is to hear of is sent again and again.
 */
#include "reload.h"
#include "../pager/manager.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_PAGES 4

/* Has memory that the manager is told of until the gate is opened. */
static pid_t client(struct util_gate *end)
{
	vm_address_t base;
	pid_t pid = fork();

	must(pid >= 0);
	if (pid)
		return pid;
	must(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	base = util_make(CLIENT_PAGES);
	must(base);
	util_fill(base, CLIENT_PAGES, 1);
	must_eq(pageout(base, CLIENT_PAGES), CLIENT_PAGES);
	util_gate_pass(end);
	_exit(0);
}

/* The process writes to its own socket until there is room for nothing more. */
static void fill_up(struct channel *channel)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_pid = channel->port };
	char bytes[256] = "";

	while (sendto(channel->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&self,
		      sizeof(self)) > 0)
		;
	must_eq(errno, EAGAIN);
}

static struct manager manager;

/* Neither the manager nor anything else is open any more, but for the socket. */
static void let_go(void)
{
	must(!close(manager.bank.control));
	must(!close(manager.self.control));
	must(!close(manager.self.fd));
	must(!close(util_device()));
}

/* It has not heard yet that its client has ended. */
void leave_behind(void)
{
	struct util_gate end;
	uint64_t port;
	pid_t pid;

	must(!util_gate_init(&end));
	manager_start(&manager);
	pid = client(&end);
	told(&manager);
	take(&manager, MACHVM_CMD_DATA_INITIALIZE, CLIENT_PAGES);
	port = object_info(&manager.bank).out_port;
	fill_up(&manager.channel);
	util_gate_open(&end);
	must_eq(util_wait(pid), 0);
	wait_until(port_info(port).out_queued == 1);
	let_go();
}

/* It has pages, and can release them no more. */
void leave_unreleased(void)
{
	struct util_gate end;
	pid_t pid;

	must(!util_gate_init(&end));
	manager_start(&manager);
	pid = client(&end);
	told(&manager);
	expect_message(&manager.channel, MACHVM_CMD_DATA_INITIALIZE);
	util_gate_open(&end);
	must_eq(util_wait(pid), 0);
	let_go();
}
