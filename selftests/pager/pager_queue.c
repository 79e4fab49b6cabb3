// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_queue.c - a port's queue: no request is lost, whatever the pager reads and when.
 */
#include "harness.h"
#include "raw.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#define MANY 1000
#define SOME 150		/* where the number is not the point */

static struct touch crowd[MANY];
static unsigned int asked[MANY];
static unsigned int threads = MANY;

/* Serves until each page was asked for once, in the order of the numbers; whoever asks twice fails. */
static void serve_crowd(struct channel *channels, unsigned int nr_channels, struct object *object,
			uint32_t *epochs)
{
	uint32_t last[4] = { 0 };
	struct pollfd polls[4];

	for (unsigned int i = 0; i < nr_channels; i++)
		polls[i] = (struct pollfd){ .fd = channels[i].fd, .events = POLLIN };
	for (unsigned int done = 0; done < threads;) {
		unsigned int before = done;

		for (unsigned int i = 0; i < nr_channels; i++) {
			while (!channel_empty(&channels[i])) {
				struct message request = expect_message(&channels[i],
							MACHVM_CMD_DATA_REQUEST);
				unsigned int page = request.offset / PAGE;

				must(page < threads && !asked[page]);
				must_eq(request.epoch, epochs[i]);
				must(request.sequence > last[i]);
				last[i] = request.sequence;
				asked[page]++;
				object->epoch = request.epoch;
				must_eq(supply_mark(object, page, 0), 0);
				done++;
			}
		}
		must(done > before || poll(polls, nr_channels, -1) > 0);
	}
}

static void start_crowd(struct served *s)
{
	uint64_t port = object_info(&s->object).out_port;
	struct machvm_port_info info;

	for (int i = 0; i < threads; i++)
		touch_start(&crowd[i], s->base + PAGES(i), i % 3 == 0, util_mark(i, 0));
	do {
		sched_yield();
		info = port_info(port);
	} while (info.out_queued + info.out_sent < threads);
	must_eq(info.out_queued + info.out_sent, threads);
	must_eq(info.out_requests, threads);
	must(info.out_oldest_ns > 0);
}

static void end_crowd(struct served *s)
{
	struct machvm_object_info info;
	struct machvm_port_info port;

	for (int i = 0; i < threads; i++) {
		touch_end(&crowd[i]);
		must_eq(crowd[i].signal, 0);
		must_eq(crowd[i].byte, util_mark(i, 0));
		must_eq(asked[i], 1);
	}
	must_eq(util_wrong(s->base, threads, 0), 0);
	must(channel_empty(&s->channel));
	info = object_info(&s->object);
	must_eq(info.out_requested, threads);
	must_eq(info.out_supplied, threads);
	must_eq(info.out_unasked, 0);
	must_eq(info.out_requests, 0);
	port = port_info(info.out_port);
	must_eq(port.out_queued + port.out_sent, 0);
	must_eq(port.out_requests, threads);
	must_eq(port.out_supplied, threads);
	must_eq(port.out_messages, threads + 1);	/* and init */
}

static void serve_window(struct served *s, unsigned int pages, unsigned int window)
{
	channel_open(&s->channel);
	object_create(&s->object);
	must_eq(object_bind(&s->object, &s->channel, window), 0);
	s->base = map_object(&s->object, 0, pages, false);
	expect_message(&s->channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s->channel, &s->object, COPY_DELAY), 0);
}

TEST(a_thousand_threads_while_the_pager_does_not_read)
{
	struct served s;
	struct machvm_port_info info;

	serve_window(&s, threads, 0);
	start_crowd(&s);
	info = port_info(object_info(&s.object).out_port);
	EXPECT_EQ(64, info.out_sent);	/* the window that 0 means */
	serve_crowd(&s.channel, 1, &s.object, &s.object.epoch);
	end_crowd(&s);
}

TEST(many_threads_and_a_window_of_one)
{
	struct served s;

	threads = SOME;
	serve_window(&s, threads, 1);
	start_crowd(&s);
	EXPECT_EQ(1, port_info(object_info(&s.object).out_port).out_sent);
	serve_crowd(&s.channel, 1, &s.object, &s.object.epoch);
	end_crowd(&s);
}

TEST(many_threads_and_the_widest_window)
{
	struct served s;
	int size = 8 << 20;

	threads = SOME;
	channel_open(&s.channel);
	must(!setsockopt(s.channel.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)));
	object_create(&s.object);
	must_eq(object_bind(&s.object, &s.channel, 1024), 0);
	s.base = map_object(&s.object, 0, threads, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	start_crowd(&s);
	serve_crowd(&s.channel, 1, &s.object, &s.object.epoch);
	end_crowd(&s);
	EXPECT_EQ(0, s.channel.overruns);
}

/* A socket too small for what the window allows: it gets congested, and is tried again. */
static void congested(bool no_enobufs)
{
	struct machvm_port_info info;
	struct served s;
	int size = 1;

	channel_open(&s.channel);
	must(!setsockopt(s.channel.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	if (no_enobufs) {
		int on = 1;

		must(!setsockopt(s.channel.fd, 270, NETLINK_NO_ENOBUFS, &on, sizeof(on)));
	}
	object_create(&s.object);
	must_eq(object_bind(&s.object, &s.channel, 1024), 0);
	s.base = map_object(&s.object, 0, threads, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	start_crowd(&s);
	info = port_info(object_info(&s.object).out_port);
	must(info.out_sent < 50);	/* or the buffer is not small */
	must(info.out_queued > threads - 50);
	serve_crowd(&s.channel, 1, &s.object, &s.object.epoch);
	end_crowd(&s);
	must_eq(s.channel.overruns > 0, !no_enobufs);
}

TEST(a_thousand_threads_and_a_tiny_socket_buffer)
{
	congested(false);
}

TEST(many_threads_and_a_tiny_socket_buffer_without_ENOBUFS)
{
	threads = SOME;
	congested(true);
}

/* Reads everything, answers later: retries must not depend on answers. */
TEST(K12_a_full_socket_is_tried_again_when_it_is_read)
{
	struct served s;
	struct message request;
	int size = 1;

	threads = SOME;
	channel_open(&s.channel);
	must(!setsockopt(s.channel.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	object_create(&s.object);
	must_eq(object_bind(&s.object, &s.channel, 1024), 0);
	s.base = map_object(&s.object, 0, threads, false);
	expect_message(&s.channel, MACHVM_CMD_INIT);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	start_crowd(&s);
	for (int i = 0; i < threads; i++) {
		request = expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
		must_eq(request.sequence, i + 2);
		asked[request.offset / PAGE]++;
	}
	EXPECT_EQ(threads, port_info(object_info(&s.object).out_port).out_sent);
	for (int i = 0; i < threads; i++)
		must_eq(supply_mark(&s.object, i, 0), 0);
	end_crowd(&s);
}

/* Two threads an object: each maps it, asks for a page of its own, and unmaps, again and again. */

struct orderly {
	struct object objects[4];
	uint32_t last[4];
	atomic_uint started, running;
};

static void *ask_and_unmap(void *argument)
{
	struct orderly *all = argument;
	unsigned int me = atomic_fetch_add(&all->started, 1);

	for (int i = 0; i < 100; i++) {
		vm_address_t base = map_object(&all->objects[me / 2], 0, 2, false);

		must_eq(byte_at(base, me % 2), 0);
		unmap(base, 2);
	}
	atomic_fetch_sub(&all->running, 1);
	return NULL;
}

static void answer_in_order(struct orderly *all, struct channel *channel)
{
	struct message message = channel_next(channel);
	unsigned int i = 0;
	int ret = 0;

	while (all->objects[i].id != message.object)
		i++;
	must_eq(message.sequence, ++all->last[i]);
	if (message.command == MACHVM_CMD_INIT)
		ret = say_ready(channel, &all->objects[i], COPY_DELAY);
	else if (message.command == MACHVM_CMD_DATA_REQUEST)
		ret = say_unavailable(channel, &all->objects[i], message.offset, PAGE);
	must(!ret || ret == -ENXIO);	/* unmapped again */
}

TEST(K12_messages_arrive_in_the_order_of_their_numbers)
{
	static struct orderly all = { .running = 8 };
	struct channel channel;
	pthread_t crowd[8];

	channel_open(&channel);
	for (int i = 0; i < 4; i++) {
		object_create(&all.objects[i]);
		must_eq(object_bind(&all.objects[i], &channel, 0), 0);
	}
	for (int i = 0; i < 8; i++)
		must(!pthread_create(&crowd[i], NULL, ask_and_unmap, &all));
	while (atomic_load(&all.running) || !channel_empty(&channel)) {
		if (channel_empty(&channel))
			sched_yield();
		else
			answer_in_order(&all, &channel);
	}
	for (int i = 0; i < 8; i++)
		must(!pthread_join(crowd[i], NULL));
}

TEST(the_window_is_kept_and_answers_give_credit)
{
	struct served s;
	struct touch touches[12];
	uint64_t port;

	serve_window(&s, 12, 4);
	port = object_info(&s.object).out_port;
	for (int i = 0; i < 12; i++)
		sleeping_read(&touches[i], s.base + PAGES(i));
	EXPECT_EQ(4, port_info(port).out_sent);
	EXPECT_EQ(8, port_info(port).out_queued);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(PAGES(i), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	EXPECT_TRUE(channel_empty(&s.channel));
	/* Each kind of answer gives one credit back, and lets the oldest go. */
	must_eq(supply_mark(&s.object, 2, 0), 0);
	EXPECT_EQ(PAGES(4), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(say_unavailable(&s.channel, &s.object, 0, PAGE), 0);
	EXPECT_EQ(PAGES(5), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(say_error(&s.channel, &s.object, PAGE, PAGE, 1), 0);
	EXPECT_EQ(PAGES(6), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	EXPECT_TRUE(channel_empty(&s.channel));
	/* An answer to what was not even sent makes it unnecessary, and gives no credit. */
	must_eq(supply_mark(&s.object, 7, 0), 0);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(supply_mark(&s.object, 3, 0), 0);
	EXPECT_EQ(PAGES(8), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	EXPECT_EQ(4, port_info(port).out_sent);
	EXPECT_EQ(3, port_info(port).out_queued);
	for (int i = 4; i < 12; i++)
		supply_mark(&s.object, i, 0);
	for (int i = 0; i < 12; i++) {
		touch_end(&touches[i]);
		EXPECT_EQ(i == 1 ? SIGBUS : 0, touches[i].signal);
		EXPECT_EQ(i <= 1 ? 0 : util_mark(i, 0), touches[i].byte);
	}
	for (int i = 9; i < 12; i++)	/* sent before their answer came */
		EXPECT_EQ(PAGES(i), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(objects_of_one_port_share_its_window)
{
	struct channel channel;
	struct object objects[2];
	struct touch touches[4];
	vm_address_t bases[2];
	struct message request;

	channel_open(&channel);
	for (int i = 0; i < 2; i++) {
		object_create(&objects[i]);
		must_eq(object_bind(&objects[i], &channel, 2), 0);
		bases[i] = map_object(&objects[i], 0, 2, false);
		expect_message(&channel, MACHVM_CMD_INIT);
		must_eq(say_ready(&channel, &objects[i], COPY_DELAY), 0);
	}
	for (int i = 0; i < 4; i++)
		sleeping_read(&touches[i], bases[i % 2] + PAGES(i / 2));
	for (int i = 0; i < 4; i++) {
		request = expect_message(&channel, MACHVM_CMD_DATA_REQUEST);
		EXPECT_EQ(objects[i % 2].id, request.object);
		EXPECT_EQ(PAGES(i / 2), request.offset);
		EXPECT_EQ(i == 3, channel_empty(&channel));
		must_eq(supply_mark(&objects[i % 2], i / 2, 0), 0);
		touch_end(&touches[i]);
		EXPECT_EQ(0, touches[i].signal);
	}
}

/* Two sockets on one port. */

static void second_socket(struct served *s, struct channel *channel, struct object *as,
			  unsigned int window)
{
	channel_open(channel);
	*as = s->object;
	must_eq(object_bind(as, channel, window), 0);
	must(as->epoch != s->object.epoch);
}

TEST(two_sockets_share_the_requests)
{
	struct channel channels[2];
	uint32_t epochs[2];
	struct object second;
	struct served s;

	threads = SOME;
	serve_window(&s, threads, 16);
	second_socket(&s, &channels[1], &second, 16);
	EXPECT_EQ(2, port_info(object_info(&s.object).out_port).out_sockets);
	EXPECT_TRUE(channel_empty(&channels[1]));	/* init was sent already */
	start_crowd(&s);
	EXPECT_EQ(32, port_info(object_info(&s.object).out_port).out_sent);
	EXPECT_FALSE(channel_empty(&s.channel));
	EXPECT_FALSE(channel_empty(&channels[1]));
	channels[0] = s.channel;
	epochs[0] = s.object.epoch;
	epochs[1] = second.epoch;
	serve_crowd(channels, 2, &second, epochs);
	s.channel = channels[0];
	end_crowd(&s);
}

TEST(a_socket_that_closes_leaves_its_requests_to_the_other)
{
	struct channel other;
	struct object second;
	struct touch touches[8];
	bool seen[8] = { false };
	struct served s;
	uint64_t port;

	serve_window(&s, 8, 0);
	port = object_info(&s.object).out_port;
	for (int i = 0; i < 4; i++)
		sleeping_read(&touches[i], s.base + PAGES(i));
	second_socket(&s, &other, &second, 0);
	for (int i = 4; i < 8; i++)
		sleeping_read(&touches[i], s.base + PAGES(i));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(PAGES(i), expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	while (!channel_empty(&other))
		seen[expect_message(&other, MACHVM_CMD_DATA_REQUEST).offset / PAGE] = true;
	EXPECT_FALSE(seen[0] || seen[1] || seen[2] || seen[3]);
	channel_close(&s.channel);
	EXPECT_EQ(1, port_info(port).out_sockets);
	while (!channel_empty(&other)) {
		struct message request = expect_message(&other, MACHVM_CMD_DATA_REQUEST);

		EXPECT_EQ(second.epoch, request.epoch);
		EXPECT_FALSE(seen[request.offset / PAGE]);
		seen[request.offset / PAGE] = true;
	}
	/* An answer in the name of the binding that has ended: */
	EXPECT_EQ(-ESTALE, say_error(&other, &s.object, 0, PAGES(8), 1));
	EXPECT_EQ(-ESTALE, supply_mark(&s.object, 0, 0));
	for (int i = 0; i < 8; i++) {
		EXPECT_TRUE(seen[i]);
		must_eq(supply_mark(&second, i, 0), 0);
		touch_end(&touches[i]);
		EXPECT_EQ(0, touches[i].signal);
		EXPECT_EQ(util_mark(i, 0), touches[i].byte);
	}
	EXPECT_TRUE(channel_empty(&other));
	EXPECT_EQ(8, object_info(&s.object).out_requested);
}

TEST(init_in_flight_goes_to_the_other_socket)
{
	struct channel other;
	struct object second;
	struct served s;
	struct touch reader;

	serve_start(&s, 2);
	second_socket(&s, &other, &second, 0);
	sleeping_read(&reader, s.base);
	EXPECT_TRUE(channel_empty(&other));
	channel_close(&s.channel);
	EXPECT_EQ(second.epoch, expect_message(&other, MACHVM_CMD_INIT).epoch);
	must_eq(say_ready(&other, &second, COPY_DELAY), 0);
	expect_message(&other, MACHVM_CMD_DATA_REQUEST);
	must_eq(supply_mark(&second, 0, 0), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 0), reader.byte);
}

TEST(data_return_in_flight_goes_to_the_other_socket)
{
	struct channel other;
	struct object second;
	struct served s;
	unsigned char back[PAGE];

	serve(&s, 2);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	*(unsigned char *)(s.base + PAGE) = 200;
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	second_socket(&s, &other, &second, 0);
	EXPECT_TRUE(channel_empty(&other));
	channel_close(&s.channel);
	EXPECT_EQ(PAGE, expect_message(&other, MACHVM_CMD_DATA_RETURN).offset);
	must_eq(return_read(&second, PAGE, back, PAGE), 0);
	EXPECT_EQ(200, back[0]);
	must_eq(return_release(&second, PAGE, PAGE), 0);
	expect_message(&other, MACHVM_CMD_TERMINATE);
}

TEST(either_socket_may_answer)
{
	struct channel other;
	struct object second;
	struct touch readers[2];
	struct served s;

	serve(&s, 2);
	sleeping_read(&readers[0], s.base);
	expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST);
	second_socket(&s, &other, &second, 0);
	must_eq(say_unavailable(&other, &second, 0, PAGE), 0);
	touch_end(&readers[0]);
	EXPECT_EQ(0, readers[0].signal);
	/* But each only under its own name. */
	sleeping_read(&readers[1], s.base + PAGE);
	EXPECT_EQ(-ESTALE, say_unavailable(&other, &s.object, PAGE, PAGE));
	EXPECT_EQ(-ESTALE, say_unavailable(&s.channel, &second, PAGE, PAGE));
	touch_asleep(&readers[1]);
	must_eq(say_unavailable(&s.channel, &s.object, PAGE, PAGE), 0);
	touch_end(&readers[1]);
}

HARNESS_MAIN
