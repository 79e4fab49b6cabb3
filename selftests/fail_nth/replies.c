// SPDX-License-Identifier: GPL-2.0-only
/*
 * replies.c - memory objects, and what their pagers say.
 */
#include "sweep.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static long create(struct scene *scene)
{
	struct machvm_object_create call = { .size = sizeof(call) };
	long answer = util_ioctl(util_device(), MACHVM_OBJECT_CREATE, &call);

	scene->fds[0] = call.out_object;
	scene->fds[1] = call.out_control;
	return answer;
}

static void created(struct scene *scene, long answer)
{
	if (answer)
		return;
	must(!close(scene->fds[0]));
	must(!close(scene->fds[1]));
}

static void unbound(struct scene *scene)
{
	channel_open(&scene->served.channel);
	object_create(&scene->served.object);
}

static long bind_it(struct scene *scene)
{
	return object_bind(&scene->served.object, &scene->served.channel, 0);
}

static void was_bound(struct scene *scene, long answer)
{
	struct message message;

	if (answer)
		return;
	scene->base = map_object(&scene->served.object, 0, 1, false);
	message = expect_message(&scene->served.channel, MACHVM_CMD_INIT);
	must_eq(message.object, scene->served.object.id);
}

/* Messages: raw.c waits for an acknowledgement, which is one of the things that get lost here. */
static struct request said;

static void say_begin(struct scene *scene, unsigned char command)
{
	struct object *object = &scene->served.object;

	request_begin(&said, &scene->served.channel, command);
	request_u64(&said, MACHVM_A_MSG_OBJECT, object->id);
	request_u32(&said, MACHVM_A_MSG_EPOCH, object->epoch);
}

/* The acknowledgement, which is behind whatever else there is; -ENOBUFS if it was lost. */
static long say_answer(struct scene *scene, uint32_t sequence)
{
	static unsigned char packet[32768] __attribute__((aligned(8)));
	struct nlmsghdr *header = (struct nlmsghdr *)packet;
	long answer = -ENOBUFS;
	ssize_t got;

	for (;;) {
		got = recv(scene->served.channel.fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			return answer;
		if (got <= 0)
			continue;
		if (header->nlmsg_type == NLMSG_ERROR && header->nlmsg_seq == sequence)
			answer = ((struct nlmsgerr *)NLMSG_DATA(header))->error;
	}
}

static long say_it(struct scene *scene)
{
	struct nlmsghdr *header = (struct nlmsghdr *)said.bytes;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	header->nlmsg_len = said.used;
	if (sendto(scene->served.channel.fd, said.bytes, said.used, 0,
		   (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return say_answer(scene, header->nlmsg_seq);
}

static void not_ready(struct scene *scene)
{
	serve_start(&scene->served, SCENE_PAGES);
	scene->base = scene->served.base;
}

static long ready(struct scene *scene)
{
	say_begin(scene, MACHVM_CMD_READY);
	request_u32(&said, MACHVM_A_MSG_MAY_CACHE, 0);
	request_u32(&said, MACHVM_A_MSG_COPY_STRATEGY, COPY_DELAY);
	return say_it(scene);
}

static void is_ready(struct scene *scene, long answer)
{
	if (!answer_is_lost(answer))
		must_eq(!(object_info(&scene->served.object).out_flags & MACHVM_OBJECT_READY),
			answer != 0);
}

/* A thread waits for page 0, and its pager has been asked. */
static void asked(struct scene *scene)
{
	scene_pager(scene);
	sleeping_read(&scene->touch, scene->base);
	expect_message(&scene->served.channel, MACHVM_CMD_DATA_REQUEST);
}

static long supply_it(struct scene *scene)
{
	return supply_mark(&scene->served.object, 0, 0);
}

static long supply_inline(struct scene *scene)
{
	unsigned char page[PAGE];

	memset(page, util_mark(0, 0), PAGE);
	say_begin(scene, MACHVM_CMD_DATA_SUPPLY);
	request_u64(&said, MACHVM_A_MSG_OFFSET, 0);
	request_put(&said, MACHVM_A_MSG_DATA, page, PAGE);
	return say_it(scene);
}

/* With a message that says what became of it.  That alone may lack: then the page is there. */
static long supply_replied(struct scene *scene)
{
	unsigned char page[PAGE];
	long answer;

	memset(page, util_mark(0, 0), PAGE);
	say_begin(scene, MACHVM_CMD_DATA_SUPPLY);
	request_u64(&said, MACHVM_A_MSG_OFFSET, 0);
	request_put(&said, MACHVM_A_MSG_DATA, page, PAGE);
	request_put(&said, MACHVM_A_MSG_REPLY, NULL, 0);
	answer = say_it(scene);
	return answer == -EEXIST ? 0 : answer;
}

static void is_supplied(struct scene *scene, long answer)
{
	if (answer)
		return;
	touch_end(&scene->touch);
	must_eq(scene->touch.signal, 0);
	must(page_is(scene->base, 0, util_mark(0, 0)));
}

static long supply_unasked(struct scene *scene)
{
	return supply_mark(&scene->served.object, 3, 0);
}

static void is_there(struct scene *scene, long answer)
{
	if (!answer)
		must(page_is(scene->base, 3, util_mark(3, 0)));
}

static long unavailable(struct scene *scene)
{
	say_begin(scene, MACHVM_CMD_DATA_UNAVAILABLE);
	request_u64(&said, MACHVM_A_MSG_OFFSET, 0);
	request_u64(&said, MACHVM_A_MSG_LENGTH, PAGE);
	return say_it(scene);
}

static void is_zero(struct scene *scene, long answer)
{
	if (answer)
		return;
	touch_end(&scene->touch);
	must_eq(scene->touch.signal, 0);
	must(page_is(scene->base, 0, 0));
}

static long error(struct scene *scene)
{
	int reason = 77;

	say_begin(scene, MACHVM_CMD_DATA_ERROR);
	request_u64(&said, MACHVM_A_MSG_OFFSET, 0);
	request_u64(&said, MACHVM_A_MSG_LENGTH, PAGE);
	request_put(&said, MACHVM_A_MSG_ERROR, &reason, sizeof(reason));
	return say_it(scene);
}

static void is_error(struct scene *scene, long answer)
{
	if (answer)
		return;
	touch_end(&scene->touch);
	must_eq(scene->touch.signal, SIGBUS);
	must_eq(scene->touch.why, KERN_MEMORY_ERROR);
	must_eq(scene->touch.reason, 77);
}

/* Four pages that were written. */
static void dirty(struct scene *scene)
{
	scene_pager(scene);
	for (unsigned int i = 0; i < 4; i++)
		must_eq(supply_mark(&scene->served.object, i, 0), 0);
	util_fill(scene->base, 4, 1);
}

static long lock_request(struct scene *scene)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .length = PAGES(4), .should_return = MACHVM_RETURN_DIRTY,
		.should_flush = 1, .reply = 1,
	};

	return util_ioctl(scene->served.object.control, MACHVM_LOCK_REQUEST, &call);
}

/* What was written comes back as it was, each page once; returns the message behind that. */
static struct message take_returned(struct scene *scene, unsigned int *pages)
{
	struct object *object = &scene->served.object;
	unsigned char data[SCENE_PAGES * PAGE];

	for (;;) {
		struct message message = channel_next(&scene->served.channel);

		if (message.command != MACHVM_CMD_DATA_RETURN)
			return message;
		must(message.length <= sizeof(data));
		must_eq(return_read(object, message.offset, data, message.length), 0);
		for (unsigned int at = 0; at < message.length; at += PAGE) {
			unsigned int page = (message.offset + at) / PAGE;

			must(!(*pages & 1U << page));
			*pages |= 1U << page;
			must_eq(data[at], util_mark(page, 1));
			must_eq(data[at + PAGE - 1], util_mark(page, 1));
		}
		must_eq(return_release(object, message.offset, message.length), 0);
	}
}

static void is_locked(struct scene *scene, long answer)
{
	unsigned int pages = 0;

	if (answer)
		return;
	must_eq(take_returned(scene, &pages).command, MACHVM_CMD_LOCK_COMPLETED);
	must_eq(pages, 0xf);
	must_eq(object_info(&scene->served.object).out_resident, 0);
}

static void returned(struct scene *scene)
{
	struct message message;

	dirty(scene);
	must_eq(lock_request(scene), 0);
	message = expect_message(&scene->served.channel, MACHVM_CMD_DATA_RETURN);
	must_eq(message.offset, 0);
	must_eq(message.length, PAGES(4));
}

static unsigned char fetched[4 * PAGE];

static long return_fetch(struct scene *scene)
{
	return return_read(&scene->served.object, 0, fetched, PAGES(4));
}

static void is_fetched(struct scene *scene, long answer)
{
	if (answer)
		return;
	must_eq(util_wrong((vm_address_t)fetched, 4, 1), 0);
	must_eq(return_release(&scene->served.object, 0, PAGES(4)), 0);
	expect_message(&scene->served.channel, MACHVM_CMD_LOCK_COMPLETED);
}

static long return_mapped(struct scene *scene)
{
	return return_map(&scene->served.object, 0, PAGES(4), &scene->other);
}

/* All of it is, or nothing; the pager hears @command once it is. */
static void mapped_before(struct scene *scene, long answer, unsigned char command)
{
	if (answer && !answer_is_lost(answer))
		must_eq(return_read(&scene->served.object, 0, fetched, PAGES(4)), 0);
	if (answer)
		return;
	if (scene->other)	/* not if the answer was lost, and all is there */
		must_eq(util_wrong(scene->other, 4, 1), 0);
	must_eq(channel_next(&scene->served.channel).command, command);
}

static void is_mapped(struct scene *scene, long answer)
{
	mapped_before(scene, answer, MACHVM_CMD_LOCK_COMPLETED);
}

/* The pager has mapped nothing yet, and its only client has written to all pages and ended. */
static void returned_first(struct scene *scene)
{
	struct served *s = &scene->served;
	struct message message;

	must(!util_gate_init(&scene->gate));
	channel_open(&s->channel);
	object_create(&s->object);
	must_eq(object_bind(&s->object, &s->channel, 0), 0);
	scene->pid = fork();
	must(scene->pid >= 0);
	if (!scene->pid) {
		must(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		s->base = map_object(&s->object, 0, 4, false);
		util_gate_pass(&scene->gate);
		util_fill(s->base, 4, 1);
		_exit(0);
	}
	expect_message(&s->channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s->channel, &s->object, COPY_DELAY), 0);
	for (unsigned int i = 0; i < 4; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
	util_gate_open(&scene->gate);
	must_eq(util_wait(scene->pid), 0);
	message = expect_message(&s->channel, MACHVM_CMD_DATA_RETURN);
	must_eq(message.offset, 0);
	must_eq(message.length, PAGES(4));
}

static void is_mapped_first(struct scene *scene, long answer)
{
	mapped_before(scene, answer, MACHVM_CMD_TERMINATE);
}

static long return_let_go(struct scene *scene)
{
	return return_release(&scene->served.object, 0, PAGES(4));
}

static void is_let_go(struct scene *scene, long answer)
{
	if (!answer)
		expect_message(&scene->served.channel, MACHVM_CMD_LOCK_COMPLETED);
}

static long attributes(struct scene *scene)
{
	struct machvm_attributes call = {
		.size = sizeof(call), .may_cache = 1, .copy_strategy = COPY_DELAY,
		.cluster_size = PAGES(4),
	};

	return util_ioctl(scene->served.object.control, MACHVM_SET_ATTRIBUTES, &call);
}

static void attributes_are(struct scene *scene, bool may_cache, unsigned long cluster)
{
	struct machvm_attributes call = { .size = sizeof(call) };

	must_eq(util_ioctl(scene->served.object.control, MACHVM_GET_ATTRIBUTES, &call), 0);
	must_eq(call.may_cache, may_cache);
	must_eq(call.cluster_size, cluster);
}

static void are_set(struct scene *scene, long answer)
{
	if (!answer_is_lost(answer))
		attributes_are(scene, !answer, answer ? PAGE : PAGES(4));
	if (!answer)	/* nothing of it stays behind */
		must_eq(say_destroy(&scene->served.channel, &scene->served.object, 0, false), 0);
}

static long change(struct scene *scene)
{
	say_begin(scene, MACHVM_CMD_CHANGE_ATTRIBUTES);
	request_u32(&said, MACHVM_A_MSG_MAY_CACHE, 1);
	request_u32(&said, MACHVM_A_MSG_COPY_STRATEGY, COPY_DELAY);
	return say_it(scene);
}

static void is_changed(struct scene *scene, long answer)
{
	if (!answer_is_lost(answer))
		attributes_are(scene, !answer, PAGE);
	if (!answer)
		must_eq(say_destroy(&scene->served.channel, &scene->served.object, 0, false), 0);
}

static long change_replied(struct scene *scene)
{
	say_begin(scene, MACHVM_CMD_CHANGE_ATTRIBUTES);
	request_u32(&said, MACHVM_A_MSG_MAY_CACHE, 1);
	request_u32(&said, MACHVM_A_MSG_COPY_STRATEGY, COPY_DELAY);
	request_put(&said, MACHVM_A_MSG_REPLY, NULL, 0);
	return say_it(scene);
}

/* If only the reply lacks the change has been made. */
static void is_changed_at_last(struct scene *scene, long answer)
{
	if (!answer)
		is_changed(scene, answer);
}

static long destroy(struct scene *scene)
{
	struct machvm_object_destroy call = { .size = sizeof(call), .flush = 1 };

	return util_ioctl(scene->served.object.control, MACHVM_OBJECT_DESTROY, &call);
}

static void is_destroyed(struct scene *scene, long answer)
{
	unsigned int pages = 0;

	if (answer)
		return;
	must_eq(take_returned(scene, &pages).command, MACHVM_CMD_TERMINATE);
	must_eq(pages, 0xf);
	must_eq(util_why_read(scene->base + PAGES(5)), KERN_MEMORY_ERROR);
}

const struct sequence reply_sequences[] = {
	STEPS("object_create", NULL, create, created),
	STEPS("bind", unbound, bind_it, was_bound),
	STEPS("ready", not_ready, ready, is_ready),
	STEPS("supply", asked, supply_it, is_supplied),
	/* Nothing is allocated for what was asked for: there is a page for it. */
	STEPS("supply_unasked", scene_pager, supply_unasked, is_there),
	STEPS("supply_inline", asked, supply_inline, is_supplied),
	STEPS("supply_replied", asked, supply_replied, is_supplied),
	STEPS("unavailable", asked, unavailable, is_zero),
	STEPS("error", asked, error, is_error),
	STEPS("lock_request", dirty, lock_request, is_locked),
	STEPS("return_read", returned, return_fetch, is_fetched),
	STEPS("return_map", returned, return_mapped, is_mapped),
	STEPS("return_map_first", returned_first, return_mapped, is_mapped_first),
	STEPS("return_release", returned, return_let_go, is_let_go),
	STEPS("attributes", scene_pager, attributes, are_set),
	STEPS("change_attributes", scene_pager, change, is_changed),
	STEPS("change_replied", scene_pager, change_replied, is_changed_at_last),
	STEPS("destroy", dirty, destroy, is_destroyed),
	SEQUENCE_END
};
