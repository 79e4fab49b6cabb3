// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_dirty.c - how much of a memory object may be written before its pager gets some of it, and
 * who waits for that: row K14, complaints S3.1, S3.6 and S3.24.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <machvm/pager.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT 16	/* pages; the least there is */
#define WRITTEN 77

/* A process that writes to pages of an object, and is no pager. */
struct writer {
	atomic_uint written;	/* pages, in all */
	atomic_bool go;
	pid_t pid;
};

static struct machvm_attributes attributes(struct object *object)
{
	struct machvm_attributes call = { .size = sizeof(call) };

	must_eq(util_ioctl(object->control, MACHVM_GET_ATTRIBUTES, &call), 0);
	return call;
}

static int set_limit(struct object *object, uint64_t pages)
{
	return machvm_pager_dirty_limit(object->control, PAGES(pages));
}

/* All of its pages are there, and clean, and writers are to share them. */
static void serve_shared(struct served *s, unsigned int pages)
{
	serve_clean(s, pages);
	must_eq(vm_inherit(SELF, s->base, PAGES(pages), VM_INHERIT_SHARE), 0);
}

static void serve_limited(struct served *s, unsigned int pages)
{
	serve_shared(s, pages);
	must_eq(set_limit(&s->object, LIMIT), 0);
}

static void write_pages(struct writer *writer, struct served *s, unsigned int first,
			unsigned int nr)
{
	for (unsigned int page = first; page < first + nr; page++) {
		memset((void *)(s->base + PAGES(page)), WRITTEN, PAGE);
		writer->written++;
	}
}

static struct writer *writer_new(void)
{
	struct writer *writer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(writer != MAP_FAILED);
	return writer;
}

/* 0 in the child, which shares the structure. */
static pid_t writer_fork(struct writer *writer, struct served *s)
{
	pid_t pid = fork_client(s);

	if (pid)
		writer->pid = pid;
	return pid;
}

static struct writer *writer_start(struct served *s, unsigned int first, unsigned int nr)
{
	struct writer *writer = writer_new();

	if (!writer_fork(writer, s)) {
		write_pages(writer, s, first, nr);
		_exit(0);
	}
	return writer;
}

static void writer_asleep(struct writer *writer)
{
	char path[64], where[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/wchan", writer->pid);
	while (strcmp(where, "machvm_laundry_wait") != 0) {
		FILE *file = fopen(path, "re");

		must(file);
		if (!fgets(where, sizeof(where), file))
			where[0] = 0;
		fclose(file);
	}
}

static int writer_end(struct writer *writer)
{
	int status;

	must_eq(waitpid(writer->pid, &status, 0), writer->pid);
	return status;
}

/* It has written as much as it may of @nr pages, all of which its pager has before it. */
static struct writer *writer_at_limit(struct served *s, unsigned int nr)
{
	struct writer *writer;

	serve_limited(s, 64);
	writer = writer_start(s, 0, nr);
	expect_return(s, 0, LIMIT, true, true, WRITTEN);
	writer_asleep(writer);
	return writer;
}

static unsigned int dirty(struct object *object)
{
	return port_info(object_info(object).out_port).out_dirty;
}

/* The next message returns these pages of a writer's, which are released then. */
static void take(struct served *s, unsigned int page, unsigned int nr)
{
	expect_return(s, page, nr, true, true, WRITTEN);
	released(s, page, nr);
}

TEST(K14_S3_24_who_writes_waits_at_the_limit)
{
	struct writer *writer;
	struct served s;

	serve_limited(&s, 64);
	writer = writer_start(&s, 0, 3 * LIMIT);
	for (unsigned int round = 0; round < 2; round++) {
		expect_return(&s, LIMIT * round, LIMIT, true, true, WRITTEN);
		writer_asleep(writer);
		EXPECT_EQ(LIMIT * (round + 1), writer->written);
		EXPECT_EQ(LIMIT, dirty(&s.object));
		released(&s, LIMIT * round, LIMIT);
	}
	EXPECT_EQ(0, writer_end(writer));
	EXPECT_EQ(3 * LIMIT, writer->written);
	EXPECT_EQ(LIMIT, dirty(&s.object));
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* One page more for each that was released: the pager sets the pace. */
TEST(K14_S3_1_a_page_released_is_a_page_to_write)
{
	struct writer *writer;
	struct served s;

	serve_limited(&s, 64);
	writer = writer_start(&s, 0, 2 * LIMIT);
	expect_return(&s, 0, LIMIT, true, true, WRITTEN);
	for (unsigned int page = 0; page < LIMIT; page++) {
		wait_until(writer->written == LIMIT + page);
		writer_asleep(writer);
		EXPECT_EQ(LIMIT + page, writer->written);
		released(&s, page, 1);
	}
	EXPECT_EQ(0, writer_end(writer));
	EXPECT_EQ(LIMIT, dirty(&s.object));
}

TEST(K14_what_is_dirty_may_be_written_at_the_limit)
{
	struct writer *writer = writer_new();
	struct served s;

	serve_limited(&s, 64);
	if (!writer_fork(writer, &s)) {
		for (int i = 0; i < 3; i++)
			write_pages(writer, &s, 0, LIMIT);
		_exit(0);
	}
	EXPECT_EQ(0, writer_end(writer));
	EXPECT_EQ(3 * LIMIT, writer->written);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* It would wait for itself. */
TEST(K14_a_pager_is_not_held_up)
{
	struct served s;

	serve_limited(&s, 64);
	for (unsigned int page = 0; page < 64; page++)
		write_page(&s, page, WRITTEN);
	EXPECT_EQ(64, dirty(&s.object));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K14_who_waits_at_the_limit_can_be_killed)
{
	struct writer *writer;
	int status;
	struct served s;

	writer = writer_at_limit(&s, 2 * LIMIT);
	must_eq(kill(writer->pid, SIGKILL), 0);
	status = writer_end(writer);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(LIMIT, writer->written);
	released(&s, 0, LIMIT);
	EXPECT_EQ(0, dirty(&s.object));
}

TEST(K14_S3_6_nobody_waits_for_a_pager_that_has_gone)
{
	struct writer *writer;
	struct served s;

	writer = writer_at_limit(&s, 64);
	channel_close(&s.channel);
	EXPECT_EQ(0, writer_end(writer));
	EXPECT_EQ(64, writer->written);
	EXPECT_EQ(64, dirty(&s.object));
	channel_open(&s.channel);
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	unmap(s.base, 64);
	EXPECT_EQ(PAGES(64), expect_message(&s.channel, MACHVM_CMD_DATA_RETURN).length);
	released(&s, 0, 64);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(K14_nor_for_one_that_gives_its_object_up)
{
	struct writer *writer;
	struct served s;

	writer = writer_at_limit(&s, 64);
	must_eq(say_destroy(&s.channel, &s.object, 1, false), 0);
	EXPECT_EQ(0, writer_end(writer));
	EXPECT_EQ(64, writer->written);
}

/* Pages in a pipe are in use; who put them there would wait for itself. */
static void splice_and_write(struct writer *writer, struct served *s)
{
	struct iovec pages = { (void *)s->base, PAGES(LIMIT) };
	int ends[2];

	must_eq(pipe(ends), 0);
	must(fcntl(ends[1], F_SETPIPE_SZ, PAGES(LIMIT)) >= (int)PAGES(LIMIT));
	write_pages(writer, s, 0, LIMIT);
	must_eq(vmsplice(ends[1], &pages, 1, 0), PAGES(LIMIT));
	write_pages(writer, s, LIMIT, LIMIT);
	wait_until(writer->go);
	close(ends[0]);
	close(ends[1]);
	write_pages(writer, s, 2 * LIMIT, 1);
	_exit(0);
}

TEST(K14_pages_in_use_come_on_top_of_the_limit)
{
	struct writer *writer = writer_new();
	struct served s;

	serve_limited(&s, 64);
	if (!writer_fork(writer, &s))
		splice_and_write(writer, &s);
	wait_until(writer->written == 2 * LIMIT);
	EXPECT_EQ(2 * LIMIT, dirty(&s.object));
	EXPECT_TRUE(channel_empty(&s.channel));
	writer->go = true;
	take(&s, 0, 2 * LIMIT);		/* they can be returned now */
	EXPECT_EQ(0, writer_end(writer));
	EXPECT_EQ(1, dirty(&s.object));
}

TEST(K14_many_writers_and_never_more_than_the_limit)
{
	enum { WRITERS = 4, PAGES_EACH = 32 };
	unsigned int over = 0, written = 0;
	struct writer *writers[WRITERS];
	struct served s;

	serve_limited(&s, WRITERS * PAGES_EACH);
	for (unsigned int i = 0; i < WRITERS; i++)
		writers[i] = writer_start(&s, i * PAGES_EACH, PAGES_EACH);
	while (written < WRITERS * PAGES_EACH) {
		if (!channel_empty(&s.channel)) {
			struct message message = expect_message(&s.channel,
								MACHVM_CMD_DATA_RETURN);

			over += dirty(&s.object) > LIMIT;
			must_eq(return_release(&s.object, message.offset, message.length), 0);
		}
		written = 0;
		for (unsigned int i = 0; i < WRITERS; i++)
			written += writers[i]->written;
	}
	for (unsigned int i = 0; i < WRITERS; i++)
		EXPECT_EQ(0, writer_end(writers[i]));
	EXPECT_EQ(0, over);
	EXPECT_GE(LIMIT, dirty(&s.object));
}

TEST(K14_the_limit_is_an_attribute)
{
	struct machvm_attributes call = {
		.size = sizeof(call), .set = MACHVM_ATTRIBUTE_DIRTY_LIMIT, .dirty_limit = PAGE + 1,
	};
	struct served s;

	serve_clean(&s, 2);
	EXPECT_EQ(0, attributes(&s.object).dirty_limit);
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  util_ioctl(s.object.control, MACHVM_SET_ATTRIBUTES, &call));
	EXPECT_EQ(0, attributes(&s.object).dirty_limit);
	EXPECT_EQ(KERN_SUCCESS, set_limit(&s.object, 3));
	EXPECT_EQ(PAGES(3), attributes(&s.object).dirty_limit);
	EXPECT_EQ(MACHVM_COPY_DELAY, attributes(&s.object).copy_strategy);
	EXPECT_EQ(KERN_SUCCESS, set_limit(&s.object, 0));
	EXPECT_EQ(0, attributes(&s.object).dirty_limit);
	EXPECT_EQ(KERN_SUCCESS, machvm_pager_dirty_limit(s.object.control, -PAGE));
	write_page(&s, 0, WRITTEN);
}

FIXTURE(limit) {
	long pages;
};

FIXTURE_SETUP(limit)
{
	self->pages = util_parameter("max_dirty_pages");
	ASSERT_EQ(0, self->pages);
}

FIXTURE_TEARDOWN_PARENT(limit)
{
	util_parameter_set("max_dirty_pages", 0);
}

/* Which of the two is the less. */
TEST_F(limit, K14_that_of_the_module_holds_for_all)
{
	struct writer *writer;
	struct served s;

	serve_shared(&s, 64);
	must_eq(util_parameter_set("max_dirty_pages", LIMIT), 0);
	must_eq(set_limit(&s.object, 2 * LIMIT), 0);
	writer = writer_start(&s, 0, LIMIT + 1);
	take(&s, 0, LIMIT);
	EXPECT_EQ(0, writer_end(writer));
	must_eq(util_parameter_set("max_dirty_pages", 3 * LIMIT), 0);
	writer = writer_start(&s, LIMIT, 2 * LIMIT + 1);
	take(&s, LIMIT, 2 * LIMIT);
	EXPECT_EQ(0, writer_end(writer));
}

HARNESS_MAIN
