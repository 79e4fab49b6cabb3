// SPDX-License-Identifier: GPL-2.0-only
/*
 * raw.c - see raw.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "raw.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

void raw_die(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	flockfile(stderr);
	fprintf(stderr, "# %s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	funlockfile(stderr);
	_exit(1);
}

/* Messages from the kernel */

static void message_attribute(struct message *message, int type, const void *data, size_t size)
{
	uint64_t value = 0;

	if (type < 32)
		message->seen |= 1U << type;
	memcpy(&value, data, size < sizeof(value) ? size : sizeof(value));
	switch (type) {
	case MACHVM_A_MSG_OBJECT: message->object = value; break;
	case MACHVM_A_MSG_EPOCH: message->epoch = value; break;
	case MACHVM_A_MSG_SEQUENCE: message->sequence = value; break;
	case MACHVM_A_MSG_OFFSET: message->offset = value; break;
	case MACHVM_A_MSG_LENGTH: message->length = value; break;
	case MACHVM_A_MSG_ACCESS: message->access = value; break;
	case MACHVM_A_MSG_PAGE_SIZE: message->page_size = value; break;
	case MACHVM_A_MSG_DIRTY: message->dirty = value; break;
	case MACHVM_A_MSG_KERNEL_COPY: message->kernel_copy = value; break;
	case MACHVM_A_MSG_RESULT: message->result = value; break;
	case MACHVM_A_MSG_ERROR_OFFSET: message->error_offset = value; break;
	case MACHVM_A_MSG_MAY_CACHE: message->may_cache = value; break;
	case MACHVM_A_MSG_COPY_STRATEGY: message->copy_strategy = value; break;
	case MACHVM_A_MSG_CLUSTER_SIZE: message->cluster_size = value; break;
	case MACHVM_A_MSG_NEW_OBJECT: message->new_object = value; break;
	case MACHVM_A_MSG_STATUS:
		must(size <= sizeof(message->status));
		memcpy(message->status, data, size);
		message->nr_status = size;
		break;
	}
}

static void message_parse(struct message *message, const struct nlmsghdr *header)
{
	const struct genlmsghdr *generic = NLMSG_DATA(header);
	const char *at = (const char *)generic + GENL_HDRLEN;
	const char *end = (const char *)header + header->nlmsg_len;

	memset(message, 0, sizeof(*message));
	message->command = generic->cmd;
	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attribute = (const struct nlattr *)at;

		must(attribute->nla_len >= NLA_HDRLEN && at + attribute->nla_len <= end);
		message_attribute(message, attribute->nla_type & NLA_TYPE_MASK,
				  at + NLA_HDRLEN, attribute->nla_len - NLA_HDRLEN);
		at += NLA_ALIGN(attribute->nla_len);
	}
}

static void stash(struct channel *channel, const struct message *message)
{
	if (channel->nr_stash == channel->size_stash) {
		channel->size_stash = channel->size_stash * 2 + 16;
		channel->stash = realloc(channel->stash,
					 channel->size_stash * sizeof(*channel->stash));
		must(channel->stash);
	}
	channel->stash[channel->nr_stash++] = *message;
}

/*
 * Reads one packet: messages go to the stash; an acknowledgement of number @awaited sets *@answer.
 * Returns 1, or 0 if nothing was there and @flags say not to wait.
 */
static int channel_read(struct channel *channel, int flags, uint32_t awaited, int *answer)
{
	static __thread unsigned char packet[32768] __attribute__((aligned(8)));
	struct nlmsghdr *header = (struct nlmsghdr *)packet;
	ssize_t got = recv(channel->fd, packet, sizeof(packet), flags);
	int left;

	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0 && errno == EINTR)
		return 1;
	if (got < 0 && errno == ENOBUFS) {	/* said once; the messages are still there */
		channel->overruns++;
		return 1;
	}
	must(got >= 0);
	for (left = got; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
		struct message message;

		if (header->nlmsg_type == NLMSG_ERROR) {
			must_eq(header->nlmsg_seq, awaited);
			*answer = ((struct nlmsgerr *)NLMSG_DATA(header))->error;
		} else {
			must_eq(header->nlmsg_type, channel->family);
			message_parse(&message, header);
			stash(channel, &message);
		}
	}
	return 1;
}

struct message channel_next(struct channel *channel)
{
	struct message message;
	int answer = 1;

	while (!channel->nr_stash)
		channel_read(channel, 0, 0, &answer);
	message = channel->stash[0];
	memmove(channel->stash, channel->stash + 1,
		--channel->nr_stash * sizeof(*channel->stash));
	return message;
}

bool channel_empty(struct channel *channel)
{
	int answer = 1;

	while (channel_read(channel, MSG_DONTWAIT, 0, &answer))
		;
	return !channel->nr_stash;
}

/* Messages to the kernel */

static void header_begin(struct request *request, struct channel *channel, uint16_t type,
			 unsigned char command)
{
	struct nlmsghdr *header = (struct nlmsghdr *)request->bytes;
	struct genlmsghdr *generic = NLMSG_DATA(header);

	memset(request->bytes, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	header->nlmsg_seq = ++channel->sequence;
	header->nlmsg_pid = channel->port;
	generic->cmd = command;
	generic->version = 1;
	request->used = NLMSG_HDRLEN + GENL_HDRLEN;
}

void request_begin(struct request *request, struct channel *channel, unsigned char command)
{
	header_begin(request, channel, channel->family, command);
}

void request_put(struct request *request, unsigned short attribute, const void *data, size_t size)
{
	struct nlattr *header = (struct nlattr *)(request->bytes + request->used);
	size_t total = NLA_ALIGN(NLA_HDRLEN + size);

	must(request->used + total <= sizeof(request->bytes));
	memset(header, 0, total);
	header->nla_type = attribute;
	header->nla_len = NLA_HDRLEN + size;
	memcpy((char *)header + NLA_HDRLEN, data, size);
	request->used += total;
}

void request_u32(struct request *request, unsigned short attribute, uint32_t value)
{
	request_put(request, attribute, &value, sizeof(value));
}

void request_u64(struct request *request, unsigned short attribute, uint64_t value)
{
	request_put(request, attribute, &value, sizeof(value));
}

int request_send(struct request *request, struct channel *channel)
{
	struct nlmsghdr *header = (struct nlmsghdr *)request->bytes;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;
	int answer = 1;

	header->nlmsg_len = request->used;
	sent = sendto(channel->fd, request->bytes, request->used, 0, (struct sockaddr *)&kernel,
		      sizeof(kernel));
	if (sent < 0)
		return -errno;
	/* It has been carried out by now, and the answer is behind whatever was there before. */
	while (answer == 1)
		must(channel_read(channel, MSG_DONTWAIT, header->nlmsg_seq, &answer));
	return answer;
}

static void channel_resolve(struct channel *channel)
{
	static struct request request;
	static const char name[] = MACHVM_FAMILY_NAME;
	unsigned char packet[8192] __attribute__((aligned(8)));
	struct nlmsghdr *header = (struct nlmsghdr *)packet;
	const char *at, *end;
	ssize_t got;

	header_begin(&request, channel, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	((struct nlmsghdr *)request.bytes)->nlmsg_flags = NLM_F_REQUEST;
	request_put(&request, CTRL_ATTR_FAMILY_NAME, name, sizeof(name));
	((struct nlmsghdr *)request.bytes)->nlmsg_len = request.used;
	must(send(channel->fd, request.bytes, request.used, 0) == (ssize_t)request.used);
	got = recv(channel->fd, packet, sizeof(packet), 0);
	must(got > 0 && header->nlmsg_type == GENL_ID_CTRL);
	at = (const char *)NLMSG_DATA(header) + GENL_HDRLEN;
	end = (const char *)header + header->nlmsg_len;
	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(((const struct nlattr *)at)->nla_len))
		if (((const struct nlattr *)at)->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&channel->family, at + NLA_HDRLEN, sizeof(channel->family));
	must(channel->family);
}

void channel_open(struct channel *channel)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t length = sizeof(address);
	int on = 1;

	memset(channel, 0, sizeof(*channel));
	channel->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	must(channel->fd >= 0);
	must(!bind(channel->fd, (struct sockaddr *)&address, sizeof(address)));
	must(!getsockname(channel->fd, (struct sockaddr *)&address, &length));
	channel->port = address.nl_pid;
	must(!setsockopt(channel->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)));
	channel_resolve(channel);
}

void channel_close(struct channel *channel)
{
	close(channel->fd);
	free(channel->stash);
	channel->stash = NULL;
	channel->nr_stash = channel->size_stash = 0;
}

/* Objects */

void object_create(struct object *object)
{
	struct machvm_object_create create = { .size = sizeof(create) };

	must_eq(util_ioctl(util_device(), MACHVM_OBJECT_CREATE, &create), 0);
	object->fd = create.out_object;
	object->control = create.out_control;
	object->id = create.out_id;
	object->epoch = 0;
}

int object_bind(struct object *object, struct channel *channel, unsigned int window)
{
	struct machvm_control_bind bind = {
		.size = sizeof(bind), .socket = channel->fd, .window = window,
	};
	int ret = util_ioctl(object->control, MACHVM_CONTROL_BIND, &bind);

	if (!ret)
		object->epoch = bind.out_epoch;
	return ret;
}

struct machvm_object_info object_info(struct object *object)
{
	struct machvm_object_info info = { .size = sizeof(info), .id = object->id };

	must_eq(util_ioctl(util_device(), MACHVM_OBJECT_INFO, &info), 0);
	must_eq(info.id, object->id);
	return info;
}

bool object_is_mapped(struct object *object)
{
	struct machvm_object_info info = { .size = sizeof(info), .id = object->id };

	return !util_ioctl(util_device(), MACHVM_OBJECT_INFO, &info) && info.id == object->id &&
	       info.out_flags & MACHVM_OBJECT_MAPPED;
}

struct machvm_port_info port_info(uint64_t id)
{
	struct machvm_port_info info = { .size = sizeof(info), .id = id };

	must_eq(util_ioctl(util_device(), MACHVM_PORT_INFO, &info), 0);
	must_eq(info.id, id);
	return info;
}

struct machvm_vm_statistics statistics(void)
{
	struct machvm_vm_statistics all = { .size = sizeof(all) };

	must_eq(util_ioctl(util_device(), MACHVM_VM_STATISTICS, &all), 0);
	return all;
}

/* Answers */

static __thread struct request answer;

static void answer_begin(struct channel *channel, struct object *object, unsigned char command)
{
	request_begin(&answer, channel, command);
	request_u64(&answer, MACHVM_A_MSG_OBJECT, object->id);
	request_u32(&answer, MACHVM_A_MSG_EPOCH, object->epoch);
}

void set_absence(struct object *object, unsigned int fallback, unsigned int answer_ms,
		 unsigned int successor_ms)
{
	struct machvm_control_absence call = {
		.size = sizeof(call), .fallback = fallback, .answer_ms = answer_ms,
		.successor_ms = successor_ms,
	};

	must_eq(util_ioctl(object->control, MACHVM_CONTROL_ABSENCE, &call), 0);
}

int say_ready_as(struct channel *channel, struct object *object, bool may_cache,
		 uint32_t strategy)
{
	answer_begin(channel, object, MACHVM_CMD_READY);
	request_u32(&answer, MACHVM_A_MSG_MAY_CACHE, may_cache);
	request_u32(&answer, MACHVM_A_MSG_COPY_STRATEGY, strategy);
	return request_send(&answer, channel);
}

int say_ready(struct channel *channel, struct object *object, uint32_t strategy)
{
	return say_ready_as(channel, object, false, strategy);
}

int say_change(struct channel *channel, struct object *object, bool may_cache, uint32_t strategy,
	       bool reply)
{
	answer_begin(channel, object, MACHVM_CMD_CHANGE_ATTRIBUTES);
	request_u32(&answer, MACHVM_A_MSG_MAY_CACHE, may_cache);
	request_u32(&answer, MACHVM_A_MSG_COPY_STRATEGY, strategy);
	if (reply)
		request_put(&answer, MACHVM_A_MSG_REPLY, NULL, 0);
	return request_send(&answer, channel);
}

int say_destroy(struct channel *channel, struct object *object, int reason, bool flush)
{
	answer_begin(channel, object, MACHVM_CMD_DESTROY);
	request_put(&answer, MACHVM_A_MSG_ERROR, &reason, sizeof(reason));
	if (flush)
		request_put(&answer, MACHVM_A_MSG_SHOULD_FLUSH, NULL, 0);
	return request_send(&answer, channel);
}

int say_supply(struct channel *channel, struct object *object, uint64_t offset, const void *data,
	       size_t length, bool precious, bool reply)
{
	answer_begin(channel, object, MACHVM_CMD_DATA_SUPPLY);
	request_u64(&answer, MACHVM_A_MSG_OFFSET, offset);
	request_put(&answer, MACHVM_A_MSG_DATA, data, length);
	if (precious)
		request_put(&answer, MACHVM_A_MSG_PRECIOUS, NULL, 0);
	if (reply)
		request_put(&answer, MACHVM_A_MSG_REPLY, NULL, 0);
	return request_send(&answer, channel);
}

int say_unavailable(struct channel *channel, struct object *object, uint64_t offset,
		    uint64_t length)
{
	answer_begin(channel, object, MACHVM_CMD_DATA_UNAVAILABLE);
	request_u64(&answer, MACHVM_A_MSG_OFFSET, offset);
	request_u64(&answer, MACHVM_A_MSG_LENGTH, length);
	return request_send(&answer, channel);
}

int say_error(struct channel *channel, struct object *object, uint64_t offset, uint64_t length,
	      int error)
{
	answer_begin(channel, object, MACHVM_CMD_DATA_ERROR);
	request_u64(&answer, MACHVM_A_MSG_OFFSET, offset);
	request_u64(&answer, MACHVM_A_MSG_LENGTH, length);
	request_put(&answer, MACHVM_A_MSG_ERROR, &error, sizeof(error));
	return request_send(&answer, channel);
}

int supply_status(struct object *object, struct machvm_data_supply *call)
{
	call->size = sizeof(*call);
	return util_ioctl(object->control, MACHVM_DATA_SUPPLY, call);
}

int supply(struct object *object, uint64_t offset, const void *data, size_t length)
{
	struct machvm_data_supply call = {
		.epoch = object->epoch, .offset = offset, .length = length,
		.address = (uintptr_t)data,
	};

	return supply_status(object, &call);
}

static int supply_page(struct object *object, unsigned int page, unsigned int generation,
		       bool precious)
{
	unsigned char data[PAGE];
	struct machvm_data_supply call = {
		.epoch = object->epoch, .offset = PAGES(page), .length = PAGE,
		.address = (uintptr_t)data, .precious = precious,
	};

	memset(data, util_mark(page, generation), sizeof(data));
	return supply_status(object, &call);
}

int supply_mark(struct object *object, unsigned int page, unsigned int generation)
{
	return supply_page(object, page, generation, false);
}

int supply_precious(struct object *object, unsigned int page, unsigned int generation)
{
	return supply_page(object, page, generation, true);
}

static int return_call(struct object *object, unsigned long command, uint64_t offset,
		       size_t length, uint64_t *address)
{
	struct machvm_data_return call = {
		.size = sizeof(call), .offset = offset, .length = length, .address = *address,
	};
	int ret = util_ioctl(object->control, command, &call);

	*address = call.address;
	return ret;
}

int return_read(struct object *object, uint64_t offset, void *to, size_t length)
{
	uint64_t address = (uintptr_t)to;

	return return_call(object, MACHVM_RETURN_READ, offset, length, &address);
}

int return_map(struct object *object, uint64_t offset, size_t length, vm_address_t *address)
{
	uint64_t place = 0;
	int ret = return_call(object, MACHVM_RETURN_MAP, offset, length, &place);

	*address = place;
	return ret;
}

int return_release(struct object *object, uint64_t offset, size_t length)
{
	uint64_t address = 0;

	return return_call(object, MACHVM_RETURN_RELEASE, offset, length, &address);
}

vm_address_t map_object(struct object *object, uint64_t page, unsigned int pages, bool copy)
{
	struct machvm_vm_map call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .length = PAGES(pages),
		.anywhere = 1, .object = object->fd, .offset = page * PAGE, .copy = copy,
		.protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE,
		.max_protection = MACHVM_PROT_ALL, .inheritance = MACHVM_INHERIT_COPY,
	};

	must_eq(util_ioctl(util_device(), MACHVM_VM_MAP, &call), 0);
	must(call.address);
	return call.address;
}

void unmap(vm_address_t base, unsigned int pages)
{
	must_eq(vm_deallocate(SELF, base, PAGES(pages)), KERN_SUCCESS);
}

void serve_start(struct served *served, unsigned int pages)
{
	struct message message;

	channel_open(&served->channel);
	object_create(&served->object);
	must_eq(object_bind(&served->object, &served->channel, 0), 0);
	served->pages = pages;
	served->base = map_object(&served->object, 0, pages, false);
	message = expect_message(&served->channel, MACHVM_CMD_INIT);
	must_eq(message.object, served->object.id);
	must_eq(message.epoch, served->object.epoch);
}

void serve(struct served *served, unsigned int pages)
{
	serve_start(served, pages);
	must_eq(say_ready(&served->channel, &served->object, COPY_DELAY), 0);
	must(object_info(&served->object).out_flags & MACHVM_OBJECT_READY);
}

void expect_return(struct served *s, unsigned int page, unsigned int nr, bool dirty,
			  bool kernel_copy, unsigned char byte)
{
	struct message message = expect_message(&s->channel, MACHVM_CMD_DATA_RETURN);
	unsigned char data[32 * PAGE];

	must_eq(message.offset, PAGES(page));
	must_eq(message.length, PAGES(nr));
	must_eq(message.dirty, dirty);
	must_eq(message.kernel_copy, kernel_copy);
	must_eq(return_read(&s->object, PAGES(page), data, PAGES(nr)), 0);
	for (unsigned int i = 0; i < PAGES(nr); i++)
		must_eq(data[i], byte);
}

void released(struct served *s, unsigned int page, unsigned int nr)
{
	must_eq(return_release(&s->object, PAGES(page), PAGES(nr)), 0);
}

void serve_clean(struct served *s, unsigned int pages)
{
	serve(s, pages);
	for (unsigned int i = 0; i < pages; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
}

void write_page(struct served *s, unsigned int page, unsigned char byte)
{
	memset((void *)(s->base + PAGES(page)), byte, PAGE);
}

/* Threads that touch */

static __thread struct touch *touching;

static void touch_failed(int signal, siginfo_t *info, void *context)
{
	struct touch *touch = touching;

	(void)context;
	if (!touch)
		raw_die(__FILE__, __LINE__, "signal %d at %p", signal, info->si_addr);
	touch->signal = signal;
	touch->signals++;
	touch->why = -1;
	touch->reason = 0;
	if (machvm_fault_info(info->si_addr, &touch->why, &touch->reason) != KERN_SUCCESS)
		touch->why = -1;
	siglongjmp(touch->env, 1);
}

static void touch_prepare(void)
{
	struct sigaction action = { .sa_sigaction = touch_failed, .sa_flags = SA_SIGINFO };

	must(!sigaction(SIGSEGV, &action, NULL));
	must(!sigaction(SIGBUS, &action, NULL));
}

static void touch_do(struct touch *touch)
{
	touching = touch;
	if (!sigsetjmp(touch->env, 1)) {
		atomic_store(&touch->stage, 1);
		if (touch->write)
			*(volatile unsigned char *)touch->address = touch->byte;
		else
			touch->byte = *(volatile unsigned char *)touch->address;
	}
	touching = NULL;
	atomic_store(&touch->stage, 2);
}

static void *touch_thread(void *argument)
{
	struct touch *touch = argument;

	touch->tid = syscall(SYS_gettid);
	touch_do(touch);
	return NULL;
}

static void touch_set(struct touch *touch, vm_address_t address, bool write, unsigned char byte)
{
	touch_prepare();
	memset(touch, 0, sizeof(*touch));
	touch->address = address;
	touch->write = write;
	touch->byte = byte;
}

void touch_start(struct touch *touch, vm_address_t address, bool write, unsigned char byte)
{
	pthread_attr_t attributes;

	touch_set(touch, address, write, byte);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 128 << 10);
	must(!pthread_create(&touch->thread, &attributes, touch_thread, touch));
	pthread_attr_destroy(&attributes);
	wait_until(atomic_load(&touch->stage));
}

void touch_asleep(struct touch *touch)
{
	util_wait_asleep(getpid(), touch->tid);
	must_eq(atomic_load(&touch->stage), 1);
}

void touch_end(struct touch *touch)
{
	must(!pthread_join(touch->thread, NULL));
	must_eq(atomic_load(&touch->stage), 2);
}

struct touch touch_now(vm_address_t address, bool write, unsigned char byte)
{
	struct touch touch;

	touch_set(&touch, address, write, byte);
	touch_do(&touch);
	return touch;
}

void sleeping_read(struct touch *touch, vm_address_t address)
{
	touch_start(touch, address, false, 0);
	touch_asleep(touch);
}

void sleeping_write(struct touch *touch, vm_address_t address, unsigned char byte)
{
	touch_start(touch, address, true, byte);
	touch_asleep(touch);
}

unsigned char byte_at(vm_address_t base, unsigned int page)
{
	return *(volatile unsigned char *)(base + PAGES(page));
}

bool page_is(vm_address_t base, unsigned int page, unsigned char byte)
{
	const unsigned char *bytes = (const unsigned char *)(base + PAGES(page));

	for (unsigned int i = 0; i < PAGE; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

pid_t fork_client(struct served *served)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid) {
		close(served->channel.fd);
		close(served->object.control);
	}
	return pid;
}

void process_asleep(pid_t pid)
{
	util_wait_asleep(pid, pid);
}

char *output_of(const char *format, ...)
{
	char command[256], *text = calloc(1, 1 << 20);
	va_list arguments;
	FILE *pipe;
	size_t got;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	must(text);
	pipe = popen(command, "re");
	must(pipe);
	got = fread(text, 1, (1 << 20) - 1, pipe);
	must_eq(pclose(pipe), 0);
	must(got);
	return text;
}
