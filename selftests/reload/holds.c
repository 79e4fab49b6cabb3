// SPDX-License-Identifier: GPL-2.0-only
/*
 * holds.c - what uses the module, each thing by itself.
 */
#include "reload.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define USED_PAGES 8

static void close_device(void)
{
	must(!close(util_device()));
}

static void device(void)
{
	must(util_device() >= 0);
}

static void memory(void)
{
	struct machvm_vm_allocate call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .anywhere = 1, .length = PAGES(4),
	};

	must_eq(util_ioctl(util_device(), MACHVM_VM_ALLOCATE, &call), 0);
	*(volatile char *)call.address = 1;
	close_device();
}

/* Of a process that has ended. */
static void inherited_memory(void)
{
	struct util_gate ready, end;
	pid_t pid;

	must(!util_gate_init(&ready));
	must(!util_gate_init(&end));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		memory();
		if (fork())
			_exit(0);
		util_gate_close_writer(&end);
		util_gate_open(&ready);
		util_gate_pass(&end);
		_exit(0);
	}
	must_eq(util_wait(pid), 0);
	util_gate_close_writer(&ready);
	must(!util_gate_pass(&ready));
}

static void object(void)
{
	struct object object;

	object_create(&object);
	must(!close(object.control));
	close_device();
}

static void control(void)
{
	struct object object;

	object_create(&object);
	must(!close(object.fd));
	close_device();
}

static int port_to_self(void)
{
	struct machvm_task_port call = { .size = sizeof(call), .task = MACHVM_TASK_SELF };

	must_eq(util_ioctl(util_device(), MACHVM_TASK_PORT, &call), 0);
	close_device();
	return call.out_port;
}

static void task_port(void)
{
	port_to_self();
}

/* In a message that nobody has received. */
static void port_under_way(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} right = { 0 };
	char byte = 'M';
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &right, .msg_controllen = sizeof(right),
	};
	int port = port_to_self(), ends[2];

	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	right.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&right.header), &port, sizeof(int));
	must(sendmsg(ends[0], &message, 0) == 1);
	must(!close(port));
}

static void proxy(void)
{
	struct object object;
	struct machvm_proxy_range range = { .length = PAGES(4) };
	struct machvm_proxy_create call = {
		.size = sizeof(call), .max_protection = MACHVM_PROT_READ,
		.count = 1, .ranges = (uintptr_t)&range,
	};

	object_create(&object);
	range.object = object.fd;
	must_eq(util_ioctl(util_device(), MACHVM_PROXY_CREATE, &call), 0);
	must(!close(object.fd));
	must(!close(object.control));
	close_device();
}

const struct hold holds[] = {
	{ "device", device },
	{ "memory", memory },
	{ "inherited_memory", inherited_memory },
	{ "object", object },
	{ "control", control },
	{ "task_port", task_port },
	{ "port_under_way", port_under_way },
	{ "proxy", proxy },
};

const unsigned int nr_holds = sizeof(holds) / sizeof(holds[0]);

/* Copies, a child, and pages that go to the store and come back. */
static void use_memory(void)
{
	struct machvm_vm_pageout out = {
		.size = sizeof(out), .task = MACHVM_TASK_SELF, .length = PAGES(USED_PAGES),
	};
	vm_address_t base = util_make(USED_PAGES), copy = util_make(USED_PAGES);
	pid_t pid;

	must(base && copy);
	util_fill(base, USED_PAGES, 1);
	must_eq(vm_copy(SELF, base, PAGES(USED_PAGES), copy), KERN_SUCCESS);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		util_fill(base, USED_PAGES, 2);
		_exit(util_wrong(copy, USED_PAGES, 1) != 0);
	}
	must_eq(util_wait(pid), 0);
	out.address = copy;
	must_eq(util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &out), 0);
	must_eq(util_wrong(copy, USED_PAGES, 1), 0);
	must_eq(util_wrong(base, USED_PAGES, 1), 0);
	must_eq(vm_deallocate(SELF, base, PAGES(USED_PAGES / 2)), KERN_SUCCESS);
}

/* A page that is supplied and read, and one that is written and returned. */
static void use_object(void)
{
	static struct served served;
	struct machvm_lock_request call = {
		.size = sizeof(call), .length = PAGES(2), .should_return = MACHVM_RETURN_DIRTY,
		.should_flush = 1, .reply = 1,
	};
	struct touch touch;

	serve(&served, 4);
	sleeping_read(&touch, served.base);
	expect_message(&served.channel, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&served.object, 0, 0), 0);
	touch_end(&touch);
	must_eq(supply_mark(&served.object, 1, 0), 0);
	write_page(&served, 1, 9);
	must_eq(util_ioctl(served.object.control, MACHVM_LOCK_REQUEST, &call), 0);
	expect_return(&served, 1, 1, true, false, 9);
	released(&served, 1, 1);
	expect_message(&served.channel, MACHVM_CMD_LOCK_COMPLETED);
}

void use_it(void)
{
	use_memory();
	use_object();
}
