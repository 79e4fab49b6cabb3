// SPDX-License-Identifier: GPL-2.0-only
/*
 * manager.c - see manager.h.
 */
#include "manager.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int set_manager(int manager, uint32_t flags, int *previous)
{
	struct machvm_default_manager call = {
		.size = sizeof(call), .manager = manager, .flags = flags,
	};
	int device = open("/dev/machvm", O_RDWR | O_CLOEXEC), ret;

	ret = util_ioctl(device, MACHVM_SET_DEFAULT_MANAGER, &call);
	close(device);
	if (previous)
		*previous = call.out_previous;
	else if (!ret && call.out_previous >= 0)
		close(call.out_previous);
	return ret;
}

void manager_start(struct manager *m)
{
	memset(m, 0, sizeof(*m));
	channel_open(&m->channel);
	object_create(&m->self);
	must_eq(object_bind(&m->self, &m->channel, 0), 0);
	must_eq(set_manager(m->self.fd, 0, NULL), 0);
}

int open_bank(struct manager *m, uint64_t id)
{
	struct machvm_control_open call = { .size = sizeof(call), .id = id };
	int ret = util_ioctl(m->self.control, MACHVM_CONTROL_OPEN, &call);

	if (ret)
		return ret;
	m->bank = (struct object){ .fd = -1, .control = call.out_control, .id = id,
				   .epoch = call.out_epoch };
	return 0;
}

struct message told(struct manager *m)
{
	struct message message = expect_message(&m->channel, MACHVM_CMD_CREATE);

	must_eq(open_bank(m, message.object), 0);
	must_eq(m->bank.epoch, message.epoch);
	must_eq(say_ready(&m->channel, &m->bank, COPY_DELAY), 0);
	return message;
}

unsigned int take_some(struct manager *m, const struct message *message)
{
	must_eq(message->object, m->bank.id);
	must(message->offset + message->length <= sizeof(m->kept));
	must_eq(return_read(&m->bank, message->offset, &m->kept[message->offset / PAGE],
			    message->length), 0);
	must_eq(return_release(&m->bank, message->offset, message->length), 0);
	return message->length / PAGE;
}

void take(struct manager *m, unsigned char command, unsigned int nr)
{
	while (nr) {
		struct message message = channel_next(&m->channel);

		must_eq(message.command, command);
		nr -= take_some(m, &message);
	}
}

unsigned long pageout(vm_address_t base, unsigned int pages)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = base,
		.length = PAGES(pages),
	};
	int device = open("/dev/machvm", O_RDWR | O_CLOEXEC);

	must_eq(util_ioctl(device, MACHVM_VM_PAGEOUT, &call), 0);
	close(device);
	return call.out_pages;
}
