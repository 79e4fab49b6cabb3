// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_sync.c - vm_msync and vm_object_sync as the pager sees them: rows V27 and V28.
 */
#include "harness.h"
#include "raw.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANY 0xee
#define SYNC VM_SYNC_SYNCHRONOUS
#define ASYNC VM_SYNC_ASYNCHRONOUS
#define INVALIDATE VM_SYNC_INVALIDATE
#define CONTIGUOUS VM_SYNC_CONTIGUOUS

/* A call in a thread of its own. */
struct sync {
	vm_address_t address;
	vm_size_t size;
	vm_sync_t flags;
	memory_object_name_t name;	/* vm_object_sync(), of this */
	kern_return_t result;
	atomic_int stage;		/* 1: about to call, 2: done */
	pid_t tid;
	pthread_t thread;
};

static void *sync_thread(void *argument)
{
	struct sync *sync = argument;

	sync->tid = syscall(SYS_gettid);
	atomic_store(&sync->stage, 1);
	if (sync->name)
		sync->result = vm_object_sync(sync->name, sync->address, sync->size,
					      !!(sync->flags & INVALIDATE),
					      !!(sync->flags & SYNC), FALSE);
	else
		sync->result = vm_msync(SELF, sync->address, sync->size, sync->flags);
	atomic_store(&sync->stage, 2);
	return NULL;
}

static void sync_begin(struct sync *sync)
{
	must(!pthread_create(&sync->thread, NULL, sync_thread, sync));
	wait_until(atomic_load(&sync->stage));
}

/* Begins a call that the pager is to end. */
static void sync_start(struct sync *sync, struct served *s, unsigned int page, unsigned int nr,
		       vm_sync_t flags)
{
	*sync = (struct sync){ .address = s->base + PAGES(page), .size = PAGES(nr),
			       .flags = flags };
	sync_begin(sync);
}

static void sync_asleep(struct sync *sync)
{
	util_wait_asleep(getpid(), sync->tid);
	must_eq(atomic_load(&sync->stage), 1);
}

/* It is asleep in this function of the kernel. */
static void sync_asleep_in(struct sync *sync, const char *function)
{
	char path[64], where[64] = "";

	snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", sync->tid);
	do {
		FILE *file = fopen(path, "re");

		must(file);
		if (!fgets(where, sizeof(where), file))
			where[0] = 0;
		fclose(file);
		must_eq(atomic_load(&sync->stage), 1);
	} while (strcmp(where, function) != 0);
}

static kern_return_t sync_end(struct sync *sync)
{
	must(!pthread_join(sync->thread, NULL));
	return sync->result;
}

/* One that ends by itself. */
static kern_return_t msync_pages(struct served *s, unsigned int page, unsigned int nr,
				 vm_sync_t flags)
{
	return vm_msync(SELF, s->base + PAGES(page), PAGES(nr), flags);
}

static memory_object_name_t name_at(vm_address_t address)
{
	struct util_region region;

	must_eq(util_region(address, &region), KERN_SUCCESS);
	return region.name;
}

TEST(V27_S2_58_sync_answers_when_the_pager_has_released_all)
{
	struct sync sync;
	struct served s;

	serve_clean(&s, 8);
	write_page(&s, 1, ANY);
	write_page(&s, 2, ANY);
	write_page(&s, 5, ANY);
	write_page(&s, 7, ANY);
	sync_start(&sync, &s, 0, 6, SYNC);
	expect_return(&s, 1, 2, true, true, ANY);
	sync_asleep(&sync);
	released(&s, 1, 1);
	sync_asleep(&sync);
	released(&s, 2, 1);
	expect_return(&s, 5, 1, true, true, ANY);
	sync_asleep(&sync);
	released(&s, 5, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
	EXPECT_EQ(8, object_info(&s.object).out_resident);
}

TEST(V27_S2_58_clean_pages_send_nothing)
{
	struct served s;

	serve_clean(&s, 8);
	EXPECT_EQ(util_mark(3, 0), byte_at(s.base, 3));
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 8, SYNC));
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 8, ASYNC));
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 8, 0));
	write_page(&s, 4, ANY);
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 8, 0));
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 8, CONTIGUOUS));
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 8, VM_SYNC_DEACTIVATE | SYNC));
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 8, VM_SYNC_KILLPAGES | SYNC));
	EXPECT_EQ(KERN_SUCCESS, vm_msync(SELF, s.base + PAGES(4) + 5, 0, SYNC));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_TRUE(page_is(s.base, 4, ANY));
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
	EXPECT_EQ(8, object_info(&s.object).out_resident);
}

TEST(V27_async_does_not_wait)
{
	struct served s;

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 2, ASYNC));
	expect_return(&s, 0, 1, true, true, ANY);
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 2, ASYNC | INVALIDATE));
	released(&s, 0, 1);
	wait_until(!object_info(&s.object).out_resident);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(V27_every_page_that_the_range_touches_is_meant)
{
	struct served s;

	serve_clean(&s, 4);
	for (unsigned int i = 0; i < 4; i++)
		write_page(&s, i, ANY);
	EXPECT_EQ(KERN_SUCCESS, vm_msync(SELF, s.base + PAGES(2) - 1, 2, ASYNC));
	expect_return(&s, 1, 2, true, true, ANY);
	released(&s, 1, 2);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* Two objects, a hole in the first, and between them whatever there is. */
struct pair {
	struct served one, two;
	vm_address_t start;
	vm_size_t size;
};

static void serve_pair(struct pair *pair)
{
	serve_clean(&pair->one, 4);
	serve_clean(&pair->two, 2);
	write_page(&pair->one, 0, ANY);
	write_page(&pair->one, 3, ANY);
	write_page(&pair->two, 1, ANY);
	must_eq(vm_deallocate(SELF, pair->one.base + PAGE, PAGE), KERN_SUCCESS);
	pair->start = pair->one.base < pair->two.base ? pair->one.base : pair->two.base;
	pair->size = (pair->one.base > pair->two.base ? pair->one.base : pair->two.base) +
		     PAGES(4) - pair->start;
}

static void expect_pair(struct pair *pair)
{
	expect_return(&pair->one, 0, 1, true, true, ANY);
	released(&pair->one, 0, 1);
	expect_return(&pair->one, 3, 1, true, true, ANY);
	released(&pair->one, 3, 1);
	expect_return(&pair->two, 1, 1, true, true, ANY);
	released(&pair->two, 1, 1);
}

TEST(V27_S2_58_contiguous_reports_a_hole_once_all_else_is_done)
{
	static struct pair pair;
	struct sync sync;

	serve_pair(&pair);
	sync = (struct sync){ .address = pair.start, .size = pair.size,
			      .flags = SYNC | CONTIGUOUS };
	sync_begin(&sync);
	expect_pair(&pair);
	EXPECT_EQ(KERN_INVALID_ADDRESS, sync_end(&sync));
	EXPECT_TRUE(channel_empty(&pair.one.channel));
	EXPECT_TRUE(channel_empty(&pair.two.channel));
}

TEST(V27_S2_58_holes_are_passed_over)
{
	static struct pair pair;
	struct sync sync;

	serve_pair(&pair);
	sync = (struct sync){ .address = pair.start, .size = pair.size, .flags = SYNC };
	sync_begin(&sync);
	expect_pair(&pair);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
}

TEST(V27_an_absent_pager_is_an_error_and_the_rest_is_done)
{
	static struct pair pair;
	struct sync sync;

	serve_pair(&pair);
	channel_close(&pair.one.channel);
	wait_until(object_info(&pair.one.object).out_flags & MACHVM_OBJECT_ABSENT);
	sync = (struct sync){ .address = pair.start, .size = pair.size,
			      .flags = SYNC | CONTIGUOUS };
	sync_begin(&sync);
	expect_return(&pair.two, 1, 1, true, true, ANY);
	released(&pair.two, 1, 1);
	EXPECT_EQ(KERN_MEMORY_ERROR, sync_end(&sync));
	EXPECT_EQ(KERN_MEMORY_ERROR, msync_pages(&pair.one, 0, 1, ASYNC));
	EXPECT_EQ(KERN_MEMORY_ERROR,
		  vm_object_sync(name_at(pair.one.base), 0, PAGE, TRUE, FALSE, TRUE));
	EXPECT_TRUE(page_is(pair.one.base, 0, ANY));
}

static void next_pager(struct served *s)
{
	channel_open(&s->channel);
	must_eq(object_bind(&s->object, &s->channel, 0), 0);
}

TEST(V27_S2_58_the_death_of_the_pager_ends_the_wait)
{
	struct sync sync, queued;
	struct served s;

	serve_clean(&s, 4);
	write_page(&s, 0, ANY);
	write_page(&s, 2, ANY);
	sync_start(&sync, &s, 0, 4, SYNC | INVALIDATE);
	expect_return(&s, 0, 1, true, false, ANY);
	sync_start(&queued, &s, 3, 1, SYNC);
	sync_asleep(&sync);
	sync_asleep(&queued);
	channel_close(&s.channel);
	EXPECT_EQ(KERN_MEMORY_ERROR, sync_end(&sync));
	EXPECT_EQ(KERN_MEMORY_ERROR, sync_end(&queued));
	/* What was on its way is not lost: the next pager gets it. */
	EXPECT_TRUE(page_is(s.base, 0, ANY));
	EXPECT_EQ(2, object_info(&s.object).out_dirty);
	next_pager(&s);
	sync_start(&sync, &s, 0, 1, SYNC);
	expect_return(&s, 0, 1, true, true, ANY);
	released(&s, 0, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
}

/* Who syncs waits like who touches: what the one pager has begun the next one ends. */
TEST(V27_S2_51_a_successor_is_waited_for_and_goes_on)
{
	struct sync sync;
	struct served s;

	serve_clean(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	write_page(&s, 0, ANY);
	write_page(&s, 2, ANY);
	sync_start(&sync, &s, 0, 4, SYNC | INVALIDATE);
	expect_return(&s, 0, 1, true, false, ANY);
	channel_close(&s.channel);
	sync_asleep(&sync);
	EXPECT_EQ(KERN_MEMORY_ERROR, msync_pages(&s, 0, 4, ASYNC));
	next_pager(&s);
	expect_return(&s, 0, 1, true, false, ANY);
	released(&s, 0, 1);
	expect_return(&s, 2, 1, true, false, ANY);
	sync_asleep(&sync);
	released(&s, 2, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* Waits for a successor who is to have what was written: its pager has gone before that. */
static void sync_abandoned(struct sync *sync, struct served *s)
{
	set_absence(&s->object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	write_page(s, 0, ANY);
	channel_close(&s->channel);
	wait_until(object_info(&s->object).out_flags & MACHVM_OBJECT_ABSENT);
	sync_start(sync, s, 0, 2, SYNC);
	sync_asleep_in(sync, "machvm_absence_wait");
}

/* It is no newcomer: the socket that takes the object over serves another one already. */
TEST(V27_S2_51_a_successor_that_serves_others)
{
	struct served s, other;
	struct sync sync;

	serve_clean(&s, 2);
	serve_clean(&other, 2);
	sync_abandoned(&sync, &s);
	s.channel = other.channel;
	must_eq(object_bind(&s.object, &s.channel, 0), 0);
	expect_return(&s, 0, 1, true, true, ANY);
	released(&s, 0, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
}

TEST(V27_S2_51_the_wait_for_a_successor_ends)
{
	struct sync sync;
	struct served s;

	serve_clean(&s, 2);
	sync_abandoned(&sync, &s);
	/* That is later than now, and asleep it hears of it. */
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, 1000);
	EXPECT_EQ(KERN_MEMORY_ERROR, sync_end(&sync));
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	sync_start(&sync, &s, 0, 2, SYNC);
	sync_asleep(&sync);
	close(s.object.control);
	EXPECT_EQ(KERN_MEMORY_ERROR, sync_end(&sync));
	EXPECT_TRUE(page_is(s.base, 0, ANY));
}

TEST(V27_S2_52_who_waits_for_a_successor_can_be_killed)
{
	struct served s;
	pid_t client;
	int status;

	serve_clean(&s, 2);
	set_absence(&s.object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	must_eq(vm_inherit(SELF, s.base, PAGES(2), VM_INHERIT_SHARE), KERN_SUCCESS);
	write_page(&s, 1, ANY);
	channel_close(&s.channel);
	client = fork_client(&s);
	if (!client) {
		msync_pages(&s, 0, 2, SYNC);
		_exit(0);
	}
	process_asleep(client);
	must(!kill(client, SIGKILL));
	must_eq(waitpid(client, &status, 0), client);
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(V27_who_waits_can_be_killed)
{
	struct served s;
	struct sync sync;
	pid_t client;
	int status;

	serve_clean(&s, 2);
	must_eq(vm_inherit(SELF, s.base, PAGES(2), VM_INHERIT_SHARE), KERN_SUCCESS);
	client = fork_client(&s);
	if (!client) {
		write_page(&s, 1, ANY);
		msync_pages(&s, 0, 2, SYNC);
		_exit(0);
	}
	expect_return(&s, 1, 1, true, true, ANY);
	process_asleep(client);
	must(!kill(client, SIGKILL));
	must_eq(waitpid(client, &status, 0), client);
	EXPECT_TRUE(WIFSIGNALED(status));
	/* The order goes on without it. */
	sync_start(&sync, &s, 0, 2, SYNC);
	sync_asleep(&sync);
	released(&s, 1, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(V27_the_region_may_go_while_the_pager_is_waited_for)
{
	struct sync sync;
	struct served s;

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	sync_start(&sync, &s, 0, 2, SYNC);
	expect_return(&s, 0, 1, true, true, ANY);
	sync_asleep(&sync);
	unmap(s.base, 2);
	released(&s, 0, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

TEST(V27_invalidate_alone_loses_what_was_written_but_not_precious_pages)
{
	struct touch reader;
	struct sync sync;
	struct served s;

	serve(&s, 4);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	must_eq(supply_mark(&s.object, 1, 0), 0);
	must_eq(supply_precious(&s.object, 2, 0), 0);
	must_eq(supply_precious(&s.object, 3, 0), 0);
	write_page(&s, 0, ANY);
	write_page(&s, 3, ANY);
	sync_start(&sync, &s, 0, 4, INVALIDATE);
	expect_return(&s, 2, 1, false, false, util_mark(2, 0));
	released(&s, 2, 1);
	expect_return(&s, 3, 1, true, false, ANY);
	sync_asleep(&sync);
	released(&s, 3, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	sleeping_read(&reader, s.base);
	EXPECT_EQ(0, expect_message(&s.channel, MACHVM_CMD_DATA_REQUEST).offset);
	must_eq(supply_mark(&s.object, 0, 5), 0);
	touch_end(&reader);
	EXPECT_EQ(util_mark(0, 5), reader.byte);
}

TEST(V27_invalidate_with_sync_returns_first)
{
	struct sync sync;
	struct served s;

	serve_clean(&s, 4);
	write_page(&s, 1, ANY);
	write_page(&s, 3, ANY);
	sync_start(&sync, &s, 0, 3, SYNC | INVALIDATE);
	expect_return(&s, 1, 1, true, false, ANY);
	released(&s, 1, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_EQ(1, object_info(&s.object).out_resident);
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
}

TEST(V27_who_may_not_write_loses_nothing_of_others)
{
	vm_address_t view;
	struct sync sync;
	struct served s;

	serve_clean(&s, 2);
	view = map_object(&s.object, 0, 2, false);
	must_eq(vm_protect(SELF, view, PAGES(2), TRUE, VM_PROT_READ), KERN_SUCCESS);
	write_page(&s, 0, ANY);
	sync = (struct sync){ .address = view, .size = PAGES(2), .flags = INVALIDATE };
	sync_begin(&sync);
	expect_return(&s, 0, 1, true, false, ANY);
	released(&s, 0, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	unmap(view, 2);
}

/* Pages of a shadow are the task's own, and those below it were written by somebody else. */
TEST(V27_copies_and_shadows_are_not_their_pagers)
{
	struct served s;
	vm_address_t copy;
	pid_t child;

	serve_clean(&s, 4);
	copy = map_object(&s.object, 0, 4, true);
	memset((void *)copy, 1, PAGE);
	write_page(&s, 2, ANY);
	EXPECT_EQ(KERN_SUCCESS, vm_msync(SELF, copy, PAGES(4), SYNC | INVALIDATE | CONTIGUOUS));
	EXPECT_TRUE(page_is(copy, 0, 1));
	EXPECT_EQ(4, object_info(&s.object).out_resident);
	child = fork_client(&s);
	if (!child) {
		write_page(&s, 1, 3);
		must_eq(msync_pages(&s, 0, 4, SYNC | INVALIDATE), KERN_SUCCESS);
		must(page_is(s.base, 1, 3));
		_exit(0);
	}
	EXPECT_EQ(0, util_wait(child));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
	unmap(copy, 4);
}

TEST(V27_what_a_copy_needs_survives_an_invalidation)
{
	struct served s;
	vm_address_t copy;

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	copy = map_object(&s.object, 0, 2, true);
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 2, INVALIDATE));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	EXPECT_TRUE(page_is(copy, 0, ANY));
	EXPECT_TRUE(page_is(copy, 1, util_mark(1, 0)));
	EXPECT_TRUE(channel_empty(&s.channel));
	unmap(copy, 2);
}

TEST(V27_wired_pages_are_returned_and_stay)
{
	struct sync sync;
	struct served s;

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	write_page(&s, 1, ANY);
	must_eq(vm_wire(mach_host_priv(), SELF, s.base, PAGE, VM_PROT_READ), KERN_SUCCESS);
	sync_start(&sync, &s, 0, 2, SYNC | INVALIDATE);
	expect_return(&s, 0, 1, true, true, ANY);
	released(&s, 0, 1);
	expect_return(&s, 1, 1, true, false, ANY);
	released(&s, 1, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_EQ(1, object_info(&s.object).out_resident);
	EXPECT_EQ(0, object_info(&s.object).out_dirty);
	EXPECT_TRUE(page_is(s.base, 0, ANY));
}

TEST(V27_a_mapping_of_a_proxy)
{
	vm_offset_t offset = 0, start = PAGES(2);
	mach_port_t proxy = MACH_PORT_NULL;
	vm_size_t length = PAGES(2);
	mach_port_t objects[1];
	vm_address_t view;
	struct sync sync;
	struct served s;

	serve_clean(&s, 4);
	objects[0] = s.object.fd;
	must_eq(memory_object_create_proxy(SELF, VM_PROT_READ, objects, MACH_MSG_TYPE_COPY_SEND, 1,
					   &offset, 1, &start, 1, &length, 1, &proxy),
		KERN_SUCCESS);
	view = util_map(proxy, 0, 2, false);
	must(view);
	write_page(&s, 1, ANY);
	write_page(&s, 3, ANY);
	sync = (struct sync){ .address = view, .size = PAGES(2), .flags = SYNC };
	sync_begin(&sync);
	expect_return(&s, 3, 1, true, true, ANY);
	released(&s, 3, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_TRUE(channel_empty(&s.channel));
	unmap(view, 2);
}

/* A client cannot fill the queue that the pager's own requests need. */
TEST(V27_calls_that_nobody_carries_out_are_bounded)
{
	struct machvm_lock_request request = { .size = sizeof(request), .length = PAGES(2),
					       .lock_value = MACHVM_PROT_NO_CHANGE };
	struct served s;
	unsigned int i = 0;

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	while (i < 5000 && msync_pages(&s, 0, 2, ASYNC) == KERN_SUCCESS)
		i++;
	EXPECT_EQ(512, i);
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, msync_pages(&s, 0, 2, SYNC));
	EXPECT_EQ(0, util_ioctl(s.object.control, MACHVM_LOCK_REQUEST, &request));
	expect_return(&s, 0, 1, true, true, ANY);
	released(&s, 0, 1);
	EXPECT_EQ(KERN_SUCCESS, msync_pages(&s, 0, 2, SYNC));
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(V28_object_sync_returns_pages_and_waits)
{
	struct sync sync;
	struct served s;

	serve_clean(&s, 8);
	for (unsigned int i = 0; i < 8; i++)
		write_page(&s, i, ANY);
	sync = (struct sync){ .address = PAGE - 1, .size = 2, .flags = SYNC,
			      .name = name_at(s.base) };
	sync_begin(&sync);
	expect_return(&s, 0, 2, true, true, ANY);
	sync_asleep(&sync);
	released(&s, 0, 2);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	sync = (struct sync){ .address = PAGES(2), .size = PAGE, .flags = SYNC | INVALIDATE,
			      .name = name_at(s.base) };
	sync_begin(&sync);
	expect_return(&s, 2, 1, true, false, ANY);
	released(&s, 2, 1);
	EXPECT_EQ(KERN_SUCCESS, sync_end(&sync));
	EXPECT_EQ(KERN_SUCCESS, vm_object_sync(name_at(s.base), 0, PAGES(4), FALSE, FALSE, TRUE));
	EXPECT_EQ(KERN_SUCCESS, vm_object_sync(name_at(s.base), 0, 0, TRUE, TRUE, TRUE));
	EXPECT_EQ(5, object_info(&s.object).out_dirty);
	EXPECT_EQ(KERN_SUCCESS,
		  vm_object_sync(name_at(s.base), PAGES(4), -PAGES(4), TRUE, FALSE, FALSE));
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
	EXPECT_EQ(3, object_info(&s.object).out_resident);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* As the region alone is a right to lose what others wrote to it, the number of the object is none. */
TEST(V28_who_does_not_map_the_object_loses_nothing_of_it)
{
	memory_object_name_t name;
	struct served s;
	pid_t client;

	serve_clean(&s, 2);
	name = name_at(s.base);
	must_eq(vm_inherit(SELF, s.base, PAGES(2), VM_INHERIT_NONE), KERN_SUCCESS);
	write_page(&s, 0, ANY);
	client = fork_client(&s);
	if (!client) {
		must_eq(vm_object_sync(name, 0, PAGES(2), TRUE, FALSE, FALSE), KERN_SUCCESS);
		_exit(0);
	}
	expect_return(&s, 0, 1, true, false, ANY);
	released(&s, 0, 1);
	EXPECT_EQ(0, util_wait(client));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
}

TEST(V28_what_is_no_name_of_an_object_in_memory)
{
	memory_object_name_t name;
	struct served s;
	pid_t client;

	serve_clean(&s, 2);
	write_page(&s, 0, ANY);
	name = name_at(s.base);
#define TRY(name, offset, size) vm_object_sync(name, offset, size, FALSE, TRUE, TRUE)
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(MACH_PORT_NULL, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(MACH_PORT_DEAD, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(s.object.fd, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(SELF, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(name + 1000000, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(name, PAGE, -PAGE + 1));
	client = fork_client(&s);
	if (!client) {
		must(!setuid(4321));
		must_eq(TRY(name, 0, PAGE), KERN_INVALID_ARGUMENT);
		_exit(0);
	}
	EXPECT_EQ(0, util_wait(client));
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(1, object_info(&s.object).out_dirty);
#undef TRY
}

HARNESS_MAIN
