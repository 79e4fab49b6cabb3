// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_input.c - messages and ioctls that no pager should send: a defined errno each, and nothing
 * has changed.
 */
#include "harness.h"
#include "raw.h"

#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>

static struct request request;

/* The same object in all these tests: a dirty page, a clean one, and two that are waited for. */
struct scene {
	struct served s;
	struct touch waiters[2];
	char *map, *objects;
};

/* What machvmctl says of all objects, without the one thing that may pass: time. */
static char *view_of_objects(void)
{
	char *view = output_of("machvmctl -j object");

	for (char *age = view; (age = strstr(age, "_ns\":")); ) {
		age += strlen("_ns\":");
		memmove(age, age + strspn(age, "0123456789"),
			strlen(age + strspn(age, "0123456789")) + 1);
	}
	return view;
}

static void must_be_the_view(const char *what, const char *before, const char *now)
{
	if (strcmp(before, now))
		raw_die(__FILE__, __LINE__, "%s was\n%s\nand is\n%s", what, before, now);
}

static void scene_open(struct scene *scene)
{
	serve(&scene->s, 8);
	must_eq(supply_mark(&scene->s.object, 0, 0), 0);
	must_eq(supply_mark(&scene->s.object, 1, 0), 0);
	*(unsigned char *)scene->s.base = 200;
	must_eq(byte_at(scene->s.base, 1), util_mark(1, 0));
	map_object(&scene->s.object, 0, 8, true);
	for (int i = 0; i < 2; i++) {
		sleeping_read(&scene->waiters[i], scene->s.base + PAGES(4 + i));
		expect_message(&scene->s.channel, MACHVM_CMD_DATA_REQUEST);
	}
	scene->map = output_of("machvmctl -j map %d", getpid());
	scene->objects = view_of_objects();
	must(strchr(scene->map, '{') && strstr(scene->objects, "oldest_request_ns"));
}

/* The pager was told nothing, both still wait, and machvmctl prints what it printed. */
static void scene_close(struct scene *scene)
{
	struct served *s = &scene->s;

	must(channel_empty(&s->channel));
	must_be_the_view("the map", scene->map, output_of("machvmctl -j map %d", getpid()));
	must_be_the_view("the list of objects", scene->objects, view_of_objects());
	for (int i = 0; i < 2; i++) {
		touch_asleep(&scene->waiters[i]);
		must_eq(say_error(&s->channel, &s->object, PAGES(4 + i), PAGE, 3), 0);
		touch_end(&scene->waiters[i]);
		must_eq(scene->waiters[i].signal, SIGBUS);
		must_eq(scene->waiters[i].reason, 3);
	}
	must_eq(byte_at(s->base, 0), 200);
	must(page_is(s->base, 1, util_mark(1, 0)));
}

static void begin(struct scene *scene, unsigned char command)
{
	request_begin(&request, &scene->s.channel, command);
}

static int finish(struct scene *scene)
{
	return request_send(&request, &scene->s.channel);
}

/* What each message needs, in the order of its attributes. */
struct need {
	unsigned short attribute;
	unsigned int size;
};

static const struct need ready_needs[] = {
	{ MACHVM_A_MSG_OBJECT, 8 }, { MACHVM_A_MSG_EPOCH, 4 },
	{ MACHVM_A_MSG_MAY_CACHE, 4 }, { MACHVM_A_MSG_COPY_STRATEGY, 4 },
};

static const struct need supply_needs[] = {
	{ MACHVM_A_MSG_OBJECT, 8 }, { MACHVM_A_MSG_EPOCH, 4 },
	{ MACHVM_A_MSG_OFFSET, 8 }, { MACHVM_A_MSG_DATA, 4096 },
};

static const struct need unavailable_needs[] = {
	{ MACHVM_A_MSG_OBJECT, 8 }, { MACHVM_A_MSG_EPOCH, 4 },
	{ MACHVM_A_MSG_OFFSET, 8 }, { MACHVM_A_MSG_LENGTH, 8 },
};

static const struct need error_needs[] = {
	{ MACHVM_A_MSG_OBJECT, 8 }, { MACHVM_A_MSG_EPOCH, 4 },
	{ MACHVM_A_MSG_OFFSET, 8 }, { MACHVM_A_MSG_LENGTH, 8 }, { MACHVM_A_MSG_ERROR, 4 },
};

static const struct need destroy_needs[] = {
	{ MACHVM_A_MSG_OBJECT, 8 }, { MACHVM_A_MSG_EPOCH, 4 }, { MACHVM_A_MSG_ERROR, 4 },
};

static const struct command {
	unsigned char number;
	const struct need *needs;
	unsigned int nr;
} commands[] = {
	{ MACHVM_CMD_READY, ready_needs, 4 },
	{ MACHVM_CMD_DATA_SUPPLY, supply_needs, 4 },
	{ MACHVM_CMD_DATA_UNAVAILABLE, unavailable_needs, 4 },
	{ MACHVM_CMD_DATA_ERROR, error_needs, 5 },
	{ MACHVM_CMD_LOCK_REQUEST, unavailable_needs, 4 },
	{ MACHVM_CMD_CHANGE_ATTRIBUTES, ready_needs, 4 },
	{ MACHVM_CMD_DESTROY, destroy_needs, 3 },
};

#define FOR_EACH_COMMAND(c) \
	for (const struct command *c = commands; c < commands + 7; c++)

/* A value that would do, for page 4, which is waited for. */
static void put_good(struct scene *scene, const struct need *need)
{
	static unsigned char page[PAGE];

	switch (need->attribute) {
	case MACHVM_A_MSG_OBJECT:
		request_u64(&request, need->attribute, scene->s.object.id);
		break;
	case MACHVM_A_MSG_EPOCH:
		request_u32(&request, need->attribute, scene->s.object.epoch);
		break;
	case MACHVM_A_MSG_OFFSET:
		request_u64(&request, need->attribute, PAGES(4));
		break;
	case MACHVM_A_MSG_LENGTH:
		request_u64(&request, need->attribute, PAGE);
		break;
	case MACHVM_A_MSG_DATA:
		request_put(&request, need->attribute, page, PAGE);
		break;
	case MACHVM_A_MSG_COPY_STRATEGY:
		request_u32(&request, need->attribute, COPY_DELAY);
		break;
	default:
		request_u32(&request, need->attribute, 0);
	}
}

TEST(each_attribute_missing)
{
	struct scene scene;

	scene_open(&scene);
	FOR_EACH_COMMAND(c)
		for (unsigned int without = 0; without < c->nr; without++) {
			begin(&scene, c->number);
			for (unsigned int i = 0; i < c->nr; i++)
				if (i != without)
					put_good(&scene, &c->needs[i]);
			EXPECT_EQ(-EINVAL, finish(&scene)) {
				TH_LOG("command %u without attribute %u", c->number,
				       c->needs[without].attribute);
			}
		}
	FOR_EACH_COMMAND(c) {
		begin(&scene, c->number);
		EXPECT_EQ(-EINVAL, finish(&scene));
	}
	scene_close(&scene);
}

TEST(each_attribute_of_a_wrong_size)
{
	static const unsigned char bytes[4097];
	struct scene scene;

	scene_open(&scene);
	FOR_EACH_COMMAND(c)
		for (unsigned int wrong = 0; wrong < c->nr; wrong++) {
			static const unsigned int sizes[] = { 0, 1, 3, 5, 7, 9, 16, 4097 };

			for (unsigned int k = 0; k < 8; k++) {
				int answer;

				begin(&scene, c->number);
				for (unsigned int i = 0; i < c->nr; i++)
					if (i == wrong)
						request_put(&request, c->needs[i].attribute, bytes,
							    sizes[k]);
					else
						put_good(&scene, &c->needs[i]);
				answer = finish(&scene);
				EXPECT_TRUE(answer == -EINVAL || answer == -ERANGE) {
					TH_LOG("command %u, attribute %u of %u bytes: %d",
					       c->number, c->needs[wrong].attribute, sizes[k],
					       answer);
				}
			}
		}
	scene_close(&scene);
}

/* Sends the command with one attribute replaced by this number. */
static int with_u64(struct scene *scene, const struct command *c, unsigned short attribute,
		    uint64_t value)
{
	begin(scene, c->number);
	for (unsigned int i = 0; i < c->nr; i++)
		if (c->needs[i].attribute == attribute)
			request_put(&request, attribute, &value, c->needs[i].size);
		else
			put_good(scene, &c->needs[i]);
	return finish(scene);
}

TEST(epochs_of_others)
{
	struct scene scene;
	uint32_t mine;

	scene_open(&scene);
	mine = scene.s.object.epoch;
	FOR_EACH_COMMAND(c) {
		EXPECT_EQ(-ERANGE, with_u64(&scene, c, MACHVM_A_MSG_EPOCH, 0));
		EXPECT_EQ(-ESTALE, with_u64(&scene, c, MACHVM_A_MSG_EPOCH, mine + 1));
		EXPECT_EQ(-ESTALE, with_u64(&scene, c, MACHVM_A_MSG_EPOCH, -1));
		EXPECT_EQ(-ESTALE, with_u64(&scene, c, MACHVM_A_MSG_EPOCH, 0x80000000));
	}
	EXPECT_EQ(-ESTALE, util_ioctl(scene.s.object.control, MACHVM_DATA_SUPPLY,
				      &(struct machvm_data_supply){
					      .size = sizeof(struct machvm_data_supply),
					      .epoch = mine + 1, .offset = PAGES(4), .length = PAGE,
					      .address = (uintptr_t)&request,
				      }));
	scene_close(&scene);
}

TEST(objects_that_are_not)
{
	struct scene scene;
	uint64_t mine;

	scene_open(&scene);
	mine = scene.s.object.id;
	FOR_EACH_COMMAND(c) {
		EXPECT_EQ(-ENOENT, with_u64(&scene, c, MACHVM_A_MSG_OBJECT, 0));
		EXPECT_EQ(-ENOENT, with_u64(&scene, c, MACHVM_A_MSG_OBJECT, mine + 1000000));
		EXPECT_EQ(-ENOENT, with_u64(&scene, c, MACHVM_A_MSG_OBJECT, -1));
		EXPECT_EQ(-ENOENT, with_u64(&scene, c, MACHVM_A_MSG_OBJECT, mine + (1ULL << 32)));
	}
	scene_close(&scene);
}

TEST(objects_of_another_pager)
{
	struct scene scene;
	struct channel other;
	struct object theirs;

	scene_open(&scene);
	channel_open(&other);
	object_create(&theirs);
	must_eq(object_bind(&theirs, &other, 0), 0);
	FOR_EACH_COMMAND(c)
		EXPECT_EQ(-EPERM, with_u64(&scene, c, MACHVM_A_MSG_OBJECT, theirs.id));
	close(theirs.fd);
	close(theirs.control);
	channel_close(&other);
	scene_close(&scene);
}

TEST(sockets_that_are_not_bound)
{
	struct scene scene;
	struct channel stranger;

	scene_open(&scene);
	channel_open(&stranger);
	FOR_EACH_COMMAND(c) {
		request_begin(&request, &stranger, c->number);
		for (unsigned int i = 0; i < c->nr; i++)
			put_good(&scene, &c->needs[i]);
		EXPECT_EQ(-EPERM, request_send(&request, &stranger));
	}
	channel_close(&stranger);
	scene_close(&scene);
}

/* Another socket with the very address of one that is bound: not the socket, not the right. */
TEST(a_socket_with_the_address_of_another)
{
	struct scene scene;
	struct channel old, thief;
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct object second;

	scene_open(&scene);
	channel_open(&old);
	second = scene.s.object;
	must_eq(object_bind(&second, &old, 0), 0);
	address.nl_pid = old.port;
	channel_close(&old);
	thief = scene.s.channel;
	thief.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	thief.port = address.nl_pid;
	thief.stash = NULL;
	thief.nr_stash = thief.size_stash = 0;
	must(!bind(thief.fd, (struct sockaddr *)&address, sizeof(address)));
	EXPECT_EQ(-EPERM, say_error(&thief, &second, PAGES(4), PAGE, 1));
	EXPECT_EQ(-EPERM, say_error(&thief, &scene.s.object, PAGES(4), PAGE, 1));
	EXPECT_TRUE(channel_empty(&thief));
	channel_close(&thief);
	scene_close(&scene);
}

TEST(offsets_and_lengths_that_are_not)
{
	static const uint64_t bad[] = { 1, 0x123, PAGE - 1, PAGE + 1, PAGES(4) + 8, -1, -PAGE + 1 };
	struct scene scene;

	scene_open(&scene);
	FOR_EACH_COMMAND(c) {
		/* A lock request takes any bytes, and means the pages that they touch. */
		if (c->needs == ready_needs || c->needs == destroy_needs ||
		    c->number == MACHVM_CMD_LOCK_REQUEST)
			continue;
		for (unsigned int i = 0; i < 7; i++) {
			EXPECT_EQ(-EINVAL, with_u64(&scene, c, MACHVM_A_MSG_OFFSET, bad[i]));
			if (c->number == MACHVM_CMD_DATA_SUPPLY)
				continue;
			EXPECT_EQ(-EINVAL, with_u64(&scene, c, MACHVM_A_MSG_LENGTH, bad[i]));
		}
	}
	/* Ranges that wrap: */
	EXPECT_EQ(-EINVAL, say_unavailable(&scene.s.channel, &scene.s.object, PAGES(4), -PAGES(3)));
	EXPECT_EQ(-EINVAL, say_error(&scene.s.channel, &scene.s.object, PAGES(4), -PAGES(3), 1));
	EXPECT_EQ(-EINVAL, say_error(&scene.s.channel, &scene.s.object, -PAGE, PAGES(2), 1));
	/* Ranges of nothing: */
	EXPECT_EQ(0, say_unavailable(&scene.s.channel, &scene.s.object, PAGES(4), 0));
	EXPECT_EQ(0, say_error(&scene.s.channel, &scene.s.object, PAGES(4), 0, 1));
	EXPECT_EQ(0, say_error(&scene.s.channel, &scene.s.object, 0, 0, 1));
	/* Huge ones, beside those who wait: at once. */
	EXPECT_EQ(0, say_unavailable(&scene.s.channel, &scene.s.object, PAGES(6), 1ULL << 62));
	EXPECT_EQ(0, say_error(&scene.s.channel, &scene.s.object, PAGES(6), -PAGES(6), 1));
	scene_close(&scene);
}

TEST(a_huge_range_reaches_those_who_wait)
{
	struct served s;
	struct touch waiters[2];

	serve(&s, 4);
	for (int i = 0; i < 2; i++)
		sleeping_read(&waiters[i], s.base + PAGES(i * 3));
	EXPECT_EQ(0, say_error(&s.channel, &s.object, 0, -PAGE, 8));
	for (int i = 0; i < 2; i++) {
		touch_end(&waiters[i]);
		EXPECT_EQ(SIGBUS, waiters[i].signal);
		EXPECT_EQ(8, waiters[i].reason);
	}
}

TEST(data_that_is_not_whole_pages_or_too_much)
{
	static const unsigned int sizes[] = { 0, 1, 100, 4095, 4097, 8191, 15 * 4096 + 1 };
	static unsigned char data[65531];
	struct scene scene;

	scene_open(&scene);
	for (unsigned int i = 0; i < 7; i++) {
		EXPECT_EQ(-EINVAL, say_supply(&scene.s.channel, &scene.s.object, PAGES(4), data,
					      sizes[i], false, true)) {
			TH_LOG("%u bytes", sizes[i]);
		}
	}
	/* Sixteen pages do not fit an attribute, whose length has 16 bits: it says 4 bytes. */
	EXPECT_GT(0, say_supply(&scene.s.channel, &scene.s.object, PAGES(4), data, 65528, false,
				true));
	scene_close(&scene);
}

TEST(values_out_of_range)
{
	struct scene scene;

	scene_open(&scene);
	EXPECT_EQ(-ERANGE, with_u64(&scene, &commands[0], MACHVM_A_MSG_MAY_CACHE, 2));
	EXPECT_EQ(-ERANGE, with_u64(&scene, &commands[0], MACHVM_A_MSG_COPY_STRATEGY, 5));
	EXPECT_EQ(-ERANGE, with_u64(&scene, &commands[0], MACHVM_A_MSG_COPY_STRATEGY, -1));
	EXPECT_EQ(-EINVAL, with_u64(&scene, &commands[0], MACHVM_A_MSG_COPY_STRATEGY,
				    MACHVM_COPY_SYMMETRIC));
	EXPECT_EQ(-ERANGE, with_u64(&scene, &commands[5], MACHVM_A_MSG_MAY_CACHE, 2));
	EXPECT_EQ(-ERANGE, with_u64(&scene, &commands[5], MACHVM_A_MSG_COPY_STRATEGY, 5));
	EXPECT_EQ(-EINVAL, with_u64(&scene, &commands[5], MACHVM_A_MSG_COPY_STRATEGY,
				    MACHVM_COPY_SYMMETRIC));
	for (uint32_t lock = 8; lock < 16; lock++) {
		begin(&scene, MACHVM_CMD_DATA_SUPPLY);
		for (unsigned int i = 0; i < 4; i++)
			put_good(&scene, &supply_needs[i]);
		request_u32(&request, MACHVM_A_MSG_LOCK_VALUE, lock);
		EXPECT_EQ(lock == 8 ? -EINVAL : -ERANGE, finish(&scene));
	}
	scene_close(&scene);
}

TEST(attributes_that_only_the_kernel_sends_or_nobody_knows)
{
	static const unsigned short strange[] = {
		MACHVM_A_MSG_SEQUENCE, MACHVM_A_MSG_ACCESS, MACHVM_A_MSG_PAGE_SIZE,
		MACHVM_A_MSG_DIRTY, MACHVM_A_MSG_KERNEL_COPY, MACHVM_A_MSG_RESULT,
		MACHVM_A_MSG_ERROR_OFFSET, MACHVM_A_MSG_STATUS, MACHVM_A_MSG_MAX + 1, 100, 0x3fff,
	};
	struct scene scene;

	scene_open(&scene);
	FOR_EACH_COMMAND(c)
		for (unsigned int k = 0; k < 11; k++) {
			begin(&scene, c->number);
			for (unsigned int i = 0; i < c->nr; i++)
				put_good(&scene, &c->needs[i]);
			request_u32(&request, strange[k], 1);
			EXPECT_EQ(-EINVAL, finish(&scene)) {
				TH_LOG("command %u, attribute %u", c->number, strange[k]);
			}
		}
	scene_close(&scene);
}

TEST(commands_that_pagers_do_not_send)
{
	static const unsigned char numbers[] = {
		0, MACHVM_CMD_INIT, MACHVM_CMD_DATA_REQUEST, MACHVM_CMD_DATA_RETURN,
		MACHVM_CMD_TERMINATE, MACHVM_CMD_SUPPLY_COMPLETED, MACHVM_CMD_MAX + 1, 255,
	};
	struct scene scene;

	scene_open(&scene);
	for (unsigned int i = 0; i < 8; i++) {
		begin(&scene, numbers[i]);
		put_good(&scene, &error_needs[0]);
		put_good(&scene, &error_needs[1]);
		EXPECT_EQ(-EOPNOTSUPP, finish(&scene));
	}
	scene_close(&scene);
}

TEST(attributes_whose_length_is_a_lie)
{
	static const unsigned short lies[] = { 0, 1, 3, 200, 0xffff };
	struct scene scene;

	scene_open(&scene);
	for (unsigned int i = 0; i < 5; i++) {
		struct nlattr *last;

		begin(&scene, MACHVM_CMD_DATA_ERROR);
		for (unsigned int k = 0; k < 4; k++)
			put_good(&scene, &error_needs[k]);
		last = (struct nlattr *)(request.bytes + request.used);
		put_good(&scene, &error_needs[4]);
		last->nla_len = lies[i];
		EXPECT_EQ(-EINVAL, finish(&scene)) {
			TH_LOG("length %u", lies[i]);
		}
	}
	/* Without all of the header that a command has. */
	begin(&scene, MACHVM_CMD_DATA_ERROR);
	request.used = NLMSG_HDRLEN;
	EXPECT_EQ(-EINVAL, finish(&scene));
	scene_close(&scene);
}

static uint32_t random_state = 12345;

static uint32_t random_next(void)
{
	random_state = random_state * 1103515245 + 12345;
	return random_state >> 8;
}

/* Never for page 4 or 5, so that those who wait still do: the object is somebody else's. */
TEST(noise_for_an_object_of_another)
{
	struct scene scene;

	scene_open(&scene);
	for (int round = 0; round < 3000; round++) {
		unsigned int nr = random_next() % 8;
		uint64_t noise[16];
		int answer;

		begin(&scene, random_next() % 12);
		request_u64(&request, MACHVM_A_MSG_OBJECT, scene.s.object.id + 1 + random_next());
		for (unsigned int i = 0; i < nr; i++) {
			for (unsigned int k = 0; k < 16; k++)
				noise[k] = random_next() % 3 ? random_next() : 0;
			request_put(&request, 2 + random_next() % 20, noise,
				    random_next() % 3 ? 4 << random_next() % 2 :
				    random_next() % sizeof(noise));
		}
		if (!(random_next() % 4))
			request.bytes[NLMSG_HDRLEN + random_next() % (request.used - NLMSG_HDRLEN)]
				^= 1 << random_next() % 8;
		answer = finish(&scene);
		must(answer == -EINVAL || answer == -ERANGE || answer == -ENOENT ||
		     answer == -EOPNOTSUPP || answer == -EPERM);
	}
	scene_close(&scene);
}

/* MACHVM_CONTROL_BIND */

static int bind_fd(struct object *object, int fd, unsigned int window)
{
	struct machvm_control_bind bind = { .size = sizeof(bind), .socket = fd, .window = window };

	return util_ioctl(object->control, MACHVM_CONTROL_BIND, &bind);
}

TEST(bind_takes_generic_netlink_sockets_only)
{
	struct object object;
	struct channel channel;
	int pipes[2], fd;

	object_create(&object);
	must(!pipe2(pipes, O_CLOEXEC));
	EXPECT_EQ(-EBADF, bind_fd(&object, -1, 0));
	EXPECT_EQ(-EBADF, bind_fd(&object, 9999, 0));
	EXPECT_EQ(-EBADF, bind_fd(&object, pipes[0], 0));
	EXPECT_EQ(-EBADF, bind_fd(&object, object.fd, 0));
	EXPECT_EQ(-EBADF, bind_fd(&object, object.control, 0));
	EXPECT_EQ(-EBADF, bind_fd(&object, util_device(), 0));
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT_EQ(-EBADF, bind_fd(&object, fd, 0));
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	must(fd >= 0);
	EXPECT_EQ(-EBADF, bind_fd(&object, fd, 0));
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	EXPECT_EQ(-EINVAL, bind_fd(&object, fd, 0));	/* has no address yet */
	map_object(&object, 0, 1, false);
	EXPECT_TRUE(object_info(&object).out_flags & MACHVM_OBJECT_ABSENT);
	channel_open(&channel);
	EXPECT_EQ(0, bind_fd(&object, channel.fd, 0));
	/* Only on the right to answer. */
	EXPECT_EQ(-ENOTTY, util_ioctl(object.fd, MACHVM_CONTROL_BIND,
				      &(struct machvm_control_bind){
					      .size = sizeof(struct machvm_control_bind),
					      .socket = channel.fd }));
	EXPECT_EQ(-ENOTTY, util_ioctl(util_device(), MACHVM_CONTROL_BIND,
				      &(struct machvm_control_bind){
					      .size = sizeof(struct machvm_control_bind),
					      .socket = channel.fd }));
}

TEST(bind_windows)
{
	struct object object;
	struct channel channel;

	object_create(&object);
	channel_open(&channel);
	EXPECT_EQ(-EINVAL, bind_fd(&object, channel.fd, 1025));
	EXPECT_EQ(-EINVAL, bind_fd(&object, channel.fd, -1));
	EXPECT_EQ(0, bind_fd(&object, channel.fd, 1024));
}

TEST(bind_twice_is_once)
{
	struct object object;
	struct channel channel;
	uint32_t epoch;

	object_create(&object);
	channel_open(&channel);
	must_eq(object_bind(&object, &channel, 0), 0);
	epoch = object.epoch;
	EXPECT_NE(0, epoch);
	map_object(&object, 0, 1, false);
	expect_message(&channel, MACHVM_CMD_INIT);
	EXPECT_EQ(0, object_bind(&object, &channel, 0));
	EXPECT_EQ(epoch, object.epoch);
	EXPECT_EQ(1, port_info(object_info(&object).out_port).out_sockets);
	EXPECT_TRUE(channel_empty(&channel));
	EXPECT_EQ(0, say_ready(&channel, &object, COPY_DELAY));
}

TEST(bind_of_an_object_that_another_port_serves_is_EBUSY)
{
	struct object first, second;
	struct channel one, two;

	channel_open(&one);
	channel_open(&two);
	object_create(&first);
	object_create(&second);
	must_eq(object_bind(&first, &one, 0), 0);
	must_eq(object_bind(&second, &two, 0), 0);
	EXPECT_EQ(-EBUSY, bind_fd(&second, one.fd, 0));
	map_object(&second, 0, 1, false);
	expect_message(&two, MACHVM_CMD_INIT);
	EXPECT_TRUE(channel_empty(&one));
	channel_close(&two);
	EXPECT_EQ(0, bind_fd(&second, one.fd, 0));
	expect_message(&one, MACHVM_CMD_INIT);
}

TEST(bind_arguments)
{
	struct machvm_control_bind bind = { .size = 4 };
	struct object object;

	object_create(&object);
	EXPECT_EQ(-EINVAL, util_ioctl(object.control, MACHVM_CONTROL_BIND, &bind));
	bind.size = 1 << 20;
	EXPECT_EQ(-E2BIG, util_ioctl(object.control, MACHVM_CONTROL_BIND, &bind));
	EXPECT_EQ(-EFAULT, util_ioctl(object.control, MACHVM_CONTROL_BIND, NULL));
	EXPECT_EQ(-ENOTTY, util_ioctl(object.control, MACHVM_OBJECT_CREATE, &bind));
}

TEST(a_port_is_seen_by_pager_list)
{
	struct served s;
	struct touch reader;
	char *list, pid[32];

	serve(&s, 2);
	sleeping_read(&reader, s.base);
	list = output_of("machvmctl -j pager list");
	snprintf(pid, sizeof(pid), "%d", getpid());
	EXPECT_NE(NULL, strstr(list, pid));
	list = output_of("machvmctl pager list");
	EXPECT_NE(NULL, strstr(list, pid));
	EXPECT_EQ(getpid(), port_info(object_info(&s.object).out_port).out_pid);
	EXPECT_EQ(1, port_info(object_info(&s.object).out_port).out_sent);
	EXPECT_EQ(2, port_info(object_info(&s.object).out_port).out_messages);
	must_eq(say_error(&s.channel, &s.object, 0, PAGE, 0), 0);
	touch_end(&reader);
}

HARNESS_MAIN
