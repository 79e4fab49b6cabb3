// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager.c - messages become callbacks in the right order, replies get their answer.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/genl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../src/pager.h"
#include "check.h"

/* What the callbacks did, a letter each: lower case begins, upper case ends. */
static char story[4096];
static atomic_int story_length;
static atomic_int inside, most_inside;
static struct machvm_pager *the_pager;
static memory_object_control_t the_control;
static uint64_t the_id;
static int callback_ms;

static void note(char letter)
{
	story[atomic_fetch_add(&story_length, 1)] = letter;
}

static void enter(char letter)
{
	int now = atomic_fetch_add(&inside, 1) + 1;
	int most = atomic_load(&most_inside);

	while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now))
		;
	note(letter);
	if (callback_ms)
		nanosleep(&(struct timespec){ .tv_nsec = callback_ms * 1000000L }, NULL);
}

static void leave(char letter)
{
	note(letter);
	atomic_fetch_sub(&inside, 1);
}

static void on_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		    vm_size_t page_size)
{
	CHECK(cookie == story && name == mv_port_name(the_id) && page_size == vm_page_size);
	the_control = control;
	enter('i');
	leave('I');
}

static void on_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
		       vm_size_t length, vm_prot_t desired)
{
	CHECK(cookie == story && control == the_control);
	CHECK(offset % 4096 == 0 && length == 4096 && desired == VM_PROT_READ);
	enter('r');
	leave('R');
}

static void on_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
		      const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	CHECK(cookie == story && control == the_control && offset == 8192 && length == 4096);
	CHECK((uintptr_t)data % vm_page_size == 0 && !dirty && !kernel_copy);
	CHECK(fake.command == MACHVM_RETURN_READ);
	enter('d');
	leave('D');
}

static void on_supplied(void *cookie, memory_object_control_t control, vm_offset_t offset,
			vm_size_t length, kern_return_t result, vm_offset_t error_offset)
{
	CHECK(cookie == story && control == the_control && offset == 4096 && length == 8192);
	CHECK((result == KERN_SUCCESS && error_offset == 0) ||
	      (result == KERN_MEMORY_PRESENT && error_offset == 4096));
	enter('s');
	leave('S');
}

static void on_terminate(void *cookie, memory_object_control_t control)
{
	CHECK(cookie == story && control == the_control);
	enter('t');
	leave('T');
}

static const struct machvm_pager_ops noting_ops = {
	.init = on_init,
	.data_request = on_request,
	.data_return = on_return,
	.supply_completed = on_supplied,
	.terminate = on_terminate,
};

static memory_object_t begin(const struct machvm_pager_ops *ops)
{
	memory_object_t object = 0;

	memset(story, 0, sizeof(story));
	story_length = most_inside = 0;
	callback_ms = 0;
	CHECK(machvm_pager_create(ops, &the_pager) == KERN_SUCCESS);
	CHECK(machvm_pager_object(the_pager, story, &object) == KERN_SUCCESS);
	CHECK(mv_port_is_fd(object));
	/* The control port and the id, as an init message would tell. */
	for (int i = 0; i < MV_PAGER_BUCKETS; i++) {
		if (the_pager->objects[i]) {
			the_id = the_pager->objects[i]->id;
			the_control = (memory_object_control_t)the_pager->objects[i]->control;
		}
	}
	return object;
}

static void end(memory_object_t object)
{
	machvm_pager_destroy(the_pager);
	mach_port_deallocate(mach_task_self(), object);
	close(fake.kernel);
}

static bool readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1;
}

static void dispatch_handles_what_is_there(void)
{
	memory_object_t object = begin(&noting_ops);

	CHECK(!readable(machvm_pager_fd(the_pager)));
	CHECK(machvm_pager_dispatch(the_pager) == 0);
	fake_message(MACHVM_CMD_INIT, the_id, 1, 0);
	fake_message(MACHVM_CMD_DATA_REQUEST, the_id, 2, 4096);
	fake_message(MACHVM_CMD_DATA_RETURN, the_id, 3, 8192);
	CHECK(readable(machvm_pager_fd(the_pager)));
	CHECK(machvm_pager_dispatch(the_pager) == 3);
	CHECK(!strcmp(story, "iIrRdD"));
	CHECK(fake.command == MACHVM_RETURN_RELEASE);
	CHECK(!readable(machvm_pager_fd(the_pager)));
	fake_message(MACHVM_CMD_TERMINATE, the_id, 4, 0);
	fake_message(MACHVM_CMD_INIT, the_id, 5, 0);
	CHECK(machvm_pager_dispatch(the_pager) == 2);
	CHECK(!strcmp(story, "iIrRdDtTiI"));
	machvm_pager_stop(the_pager);
	CHECK(machvm_pager_dispatch(the_pager) == -ECANCELED);
	CHECK(readable(machvm_pager_fd(the_pager)));
	end(object);
}

/* They come because memory is short. */
static void pages_come_back_into_what_is_there(void)
{
	memory_object_t object = begin(&noting_ops);
	int areas;

	CHECK(machvm_pager_dispatch(the_pager) == 0);
	areas = fake.areas;
	CHECK(areas > 0);
	for (unsigned int sequence = 1; sequence < 4; sequence++)
		fake_message(MACHVM_CMD_DATA_RETURN, the_id, sequence, 8192);
	CHECK(machvm_pager_dispatch(the_pager) == 3);
	CHECK(!strcmp(story, "dDdDdD"));
	CHECK(fake.areas == areas);
	end(object);
}

static void strange_messages_are_passed_over(void)
{
	memory_object_t object = begin(&noting_ops);
	unsigned char junk[64] = { 0 };

	fake_message(MACHVM_CMD_DATA_REQUEST, the_id + 1000, 1, 0);
	fake_message(200, the_id, 1, 0);
	for (size_t length = 1; length <= sizeof(junk); length++)
		CHECK(write(fake.kernel, junk, length) == (ssize_t)length);
	memset(junk, 0xff, sizeof(junk));
	CHECK(write(fake.kernel, junk, sizeof(junk)) == sizeof(junk));
	CHECK(machvm_pager_dispatch(the_pager) >= 0);
	CHECK(story[0] == 0);
	end(object);
}

static void *run(void *result)
{
	*(int *)result = machvm_pager_run(the_pager);
	return NULL;
}

static void wait_for(int letters)
{
	while (atomic_load(&story_length) < letters)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

#define THREADS 8

static void many_threads_serve_side_by_side(void)
{
	memory_object_t object = begin(&noting_ops);
	pthread_t threads[THREADS];
	int results[THREADS];

	callback_ms = 5;
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, run, &results[i]));
	for (int round = 0; round < 3; round++) {
		fake_message(MACHVM_CMD_INIT, the_id, 1, 0);
		for (int i = 0; i < 40; i++)
			fake_message(MACHVM_CMD_DATA_REQUEST, the_id, 2, 4096);
		fake_message(MACHVM_CMD_TERMINATE, the_id, 42, 0);
		wait_for((round + 1) * 84);
	}
	machvm_pager_stop(the_pager);
	for (int i = 0; i < THREADS; i++) {
		CHECK(!pthread_join(threads[i], NULL));
		CHECK(results[i] == 0);
	}
	/* init and terminate ran alone, in their places; requests did not. */
	for (int round = 0; round < 3; round++) {
		CHECK(!strncmp(story + round * 84, "iI", 2));
		CHECK(!strncmp(story + round * 84 + 82, "tT", 2));
	}
	CHECK(most_inside > 1);
	end(object);
}

static void stop_is_remembered(void)
{
	memory_object_t object = begin(&noting_ops);

	machvm_pager_stop(the_pager);
	CHECK(machvm_pager_run(the_pager) == 0);
	end(object);
}

static const struct genlmsghdr *sent_generic(void)
{
	return (const struct genlmsghdr *)(fake.sent + NLMSG_HDRLEN);
}

/* Value of an attribute of the last message sent, or -1. */
static int64_t sent_attribute(int type)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)fake.sent;
	const unsigned char *at = fake.sent + NLMSG_HDRLEN + GENL_HDRLEN;

	while (at + NLA_HDRLEN <= fake.sent + header->nlmsg_len) {
		const struct nlattr *attribute = (const struct nlattr *)at;
		int64_t value = 0;

		memcpy(&value, at + NLA_HDRLEN, attribute->nla_len - (size_t)NLA_HDRLEN);
		if (attribute->nla_type == type)
			return value;
		at += NLA_ALIGN(attribute->nla_len);
	}
	return -1;
}

static void null_callbacks_have_defaults(void)
{
	const struct machvm_pager_ops none = { 0 };
	memory_object_t object = begin(&none);

	fake_message(MACHVM_CMD_INIT, the_id, 1, 0);
	CHECK(machvm_pager_dispatch(the_pager) == 1);
	CHECK(sent_generic()->cmd == MACHVM_CMD_READY);
	CHECK(sent_attribute(MACHVM_A_MSG_OBJECT) == (int64_t)the_id);
	CHECK(sent_attribute(MACHVM_A_MSG_EPOCH) == 7);
	CHECK(sent_attribute(MACHVM_A_MSG_MAY_CACHE) == 0);
	CHECK(sent_attribute(MACHVM_A_MSG_COPY_STRATEGY) == MEMORY_OBJECT_COPY_DELAY);
	fake_message(MACHVM_CMD_DATA_REQUEST, the_id, 2, 4096);
	CHECK(machvm_pager_dispatch(the_pager) == 1);
	CHECK(sent_generic()->cmd == MACHVM_CMD_DATA_ERROR);
	CHECK(sent_attribute(MACHVM_A_MSG_OFFSET) == 4096);
	CHECK(sent_attribute(MACHVM_A_MSG_LENGTH) == 4096);
	CHECK(sent_attribute(MACHVM_A_MSG_ERROR) == KERN_FAILURE);
	fake_message(MACHVM_CMD_DATA_RETURN, the_id, 3, 8192);
	fake_message(MACHVM_CMD_SUPPLY_COMPLETED, the_id, 4, 4096);
	fake_message(MACHVM_CMD_TERMINATE, the_id, 5, 0);
	fake.calls = 0;
	CHECK(machvm_pager_dispatch(the_pager) == 3);
	CHECK(fake.calls == 1 && fake.command == MACHVM_RETURN_RELEASE);
	end(object);
}

static void replies_answer_what_the_kernel_said(void)
{
	memory_object_t object = begin(&noting_ops);

	CHECK(memory_object_data_unavailable(the_control, 0, 4096) == KERN_SUCCESS);
	CHECK(sent_generic()->cmd == MACHVM_CMD_DATA_UNAVAILABLE);
	fake.ack = -EINVAL;
	CHECK(memory_object_data_unavailable(the_control, 1, 4096) == KERN_INVALID_ARGUMENT);
	fake.ack = -ESTALE;
	CHECK(memory_object_ready(the_control, TRUE, 2) == KERN_ABORTED);
	CHECK(sent_attribute(MACHVM_A_MSG_MAY_CACHE) == 1);
	fake.ack = KERN_MEMORY_ERROR;
	CHECK(memory_object_data_error(the_control, 0, 4096, -5) == KERN_MEMORY_ERROR);
	CHECK((int)sent_attribute(MACHVM_A_MSG_ERROR) == -5);
	fake.sends = 0;
	CHECK(memory_object_ready(MACH_PORT_NULL, TRUE, 2) == KERN_INVALID_ARGUMENT);
	CHECK(memory_object_ready(object, TRUE, 2) == KERN_INVALID_ARGUMENT);
	CHECK(memory_object_ready(mach_task_self(), TRUE, 2) == KERN_INVALID_ARGUMENT);
	CHECK(fake.sends == 0);
	end(object);
}

static void send_requests(void)
{
	for (int i = 0; i < 5; i++)
		fake_message(MACHVM_CMD_DATA_REQUEST, the_id, 2, 4096);
}

static void requests_that_overtake_an_answer_are_kept(void)
{
	memory_object_t object = begin(&noting_ops);

	fake.before_ack = send_requests;
	CHECK(memory_object_data_unavailable(the_control, 0, 4096) == KERN_SUCCESS);
	CHECK(readable(machvm_pager_fd(the_pager)));
	CHECK(machvm_pager_dispatch(the_pager) == 5);
	CHECK(!strcmp(story, "rRrRrRrRrR"));
	CHECK(!readable(machvm_pager_fd(the_pager)));
	end(object);
}

static void reply_is_repeated_when_its_answer_is_lost(void)
{
	memory_object_t object = begin(&noting_ops);

	fake.acks_to_lose = 1;
	CHECK(memory_object_data_unavailable(the_control, 0, 4096) == KERN_SUCCESS);
	CHECK(fake.sends == 2);
	fake.acks_to_lose = 100;
	CHECK(memory_object_data_unavailable(the_control, 0, 4096) == KERN_ABORTED);
	end(object);
}

static void fill_present(void *argument)
{
	((struct machvm_data_supply *)argument)->out_error_offset = 4096;
}

static void supply_goes_by_ioctl_and_completes(void)
{
	memory_object_t object = begin(&noting_ops);
	const struct machvm_data_supply *args = (const void *)fake.argument;

	CHECK(memory_object_data_supply(the_control, 4096, 0x1001, 8192, 2, TRUE,
					MACH_PORT_NULL) == KERN_SUCCESS);
	CHECK(fake.command == MACHVM_DATA_SUPPLY && args->size == sizeof(*args));
	CHECK(args->offset == 4096 && args->length == 8192 && args->address == 0x1001);
	CHECK(args->lock_value == 2 && args->precious == 1);
	CHECK(machvm_pager_dispatch(the_pager) == 0);
	CHECK(memory_object_data_supply(the_control, 4096, 0x1001, 8192, 0, FALSE,
					the_control) == KERN_SUCCESS);
	CHECK(!strcmp(story, ""));	/* not from within the call */
	CHECK(readable(machvm_pager_fd(the_pager)));
	CHECK(machvm_pager_dispatch(the_pager) == 1);
	CHECK(!strcmp(story, "sS"));
	fake.fill = fill_present;
	fake.answers[0] = KERN_MEMORY_PRESENT;
	fake.answers[1] = -EINVAL;
	fake.pending = 2;
	CHECK(memory_object_data_supply(the_control, 4096, 0x1001, 8192, 0, FALSE,
					the_control) == KERN_MEMORY_PRESENT);
	CHECK(memory_object_data_supply(the_control, 4096, 0x1001, 8191, 0, FALSE,
					the_control) == KERN_INVALID_ARGUMENT);
	CHECK(machvm_pager_dispatch(the_pager) == 1);
	CHECK(!strcmp(story, "sSsS"));
	end(object);
}

static void give_up(void *cookie, memory_object_control_t control)
{
	CHECK(mach_port_deallocate(mach_task_self(), control) == KERN_SUCCESS);
	CHECK(memory_object_ready(control, FALSE, 2) == KERN_INVALID_ARGUMENT);
	(void)cookie;
	note('g');
}

static void object_that_is_given_up_is_forgotten(void)
{
	const struct machvm_pager_ops ops = { .terminate = give_up, .data_request = on_request };
	memory_object_t object = begin(&ops);

	fake_message(MACHVM_CMD_DATA_REQUEST, the_id, 1, 4096);
	fake_message(MACHVM_CMD_TERMINATE, the_id, 2, 0);
	fake_message(MACHVM_CMD_DATA_REQUEST, the_id, 3, 4096);
	CHECK(machvm_pager_dispatch(the_pager) == 2);
	CHECK(!strcmp(story, "rRg"));
	CHECK(mach_port_deallocate(mach_task_self(), the_control) == KERN_INVALID_NAME);
	end(object);
}

static void child_has_no_part_in_the_pager(void)
{
	memory_object_t object = begin(&noting_ops);
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		check_failures = 0;
		CHECK(machvm_pager_run(the_pager) == -ECHILD);
		CHECK(machvm_pager_dispatch(the_pager) == -ECHILD);
		CHECK(memory_object_ready(the_control, FALSE, 2) == KERN_INVALID_ARGUMENT);
		CHECK(close((int)the_control) < 0 && close(the_pager->channel.fd) < 0);
		machvm_pager_stop(the_pager);
		machvm_pager_destroy(the_pager);
		_exit(check_failures != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	fake_message(MACHVM_CMD_DATA_REQUEST, the_id, 1, 4096);
	CHECK(machvm_pager_dispatch(the_pager) == 1);
	end(object);
}

static void pager_without_a_device_says_so(void)
{
	struct machvm_pager *pager;

	close(mv_device_get());
	mv_device_path = "/nonexistent/machvm";
	CHECK(machvm_pager_create(&noting_ops, &pager) == KERN_FAILURE);
	CHECK(strstr(machvm_strerror(KERN_FAILURE), "modprobe"));
	machvm_pager_destroy(NULL);
}

#define TEST(name) { #name, name }
const struct test pager_tests[] = {
	TEST(dispatch_handles_what_is_there),
	TEST(pages_come_back_into_what_is_there),
	TEST(strange_messages_are_passed_over),
	TEST(many_threads_serve_side_by_side),
	TEST(stop_is_remembered),
	TEST(null_callbacks_have_defaults),
	TEST(replies_answer_what_the_kernel_said),
	TEST(requests_that_overtake_an_answer_are_kept),
	TEST(reply_is_repeated_when_its_answer_is_lost),
	TEST(supply_goes_by_ioctl_and_completes),
	TEST(object_that_is_given_up_is_forgotten),
	TEST(child_has_no_part_in_the_pager),
	TEST(pager_without_a_device_says_so),
	{ 0 }
};
