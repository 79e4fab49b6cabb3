// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_flight.c - memory is copied, forked and taken away while somebody else is writing to it.
 *
 * A device reads into it by O_DIRECT, or Linux copies on behalf of process_vm_writev(2); both hold
 * the pages and go on when the test says so.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define BELOW "/dev/ram0"
#define NAME "machvm-flight"
#define SECTORS 2048

/* A disk that can be stopped: a linear one of the device mapper, suspended. */

struct dm_call {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char parameters[64];
};

static int dm_call(int control, unsigned long command, struct dm_call *call, unsigned int flags)
{
	call->head = (struct dm_ioctl){
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(*call),
		.data_start = sizeof(call->head),
		.flags = flags,
		.target_count = command == DM_TABLE_LOAD,
		.name = NAME,
	};
	return ioctl(control, command, call);
}

static int disk_make(int control)
{
	struct dm_call call = { 0 };
	char path[64];

	if (dm_call(control, DM_DEV_CREATE, &call, 0))
		return -1;
	snprintf(path, sizeof(path), "/dev/dm-%u", (unsigned int)(call.head.dev & 0xff));
	call.target = (struct dm_target_spec){ .length = SECTORS, .target_type = "linear" };
	strcpy(call.parameters, BELOW " 0");
	if (dm_call(control, DM_TABLE_LOAD, &call, 0) ||
	    dm_call(control, DM_DEV_SUSPEND, &call, 0))
		return -1;
	return open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
}

static int disk_stop(int control, bool stop)
{
	struct dm_call call = { 0 };

	return dm_call(control, DM_DEV_SUSPEND, &call,
		       stop ? DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG : 0);
}

/* Writes to eight pages from another thread, which stops in the middle. */
#define FLYING 8

FIXTURE(flight) {
	vm_address_t base;
	unsigned int written;	/* the generation that is being written */
	int control, disk;
	struct util_pager *pager;
	vm_address_t source;
	pthread_t thread;
	volatile pid_t tid;
	ssize_t done;
};

FIXTURE_VARIANT(flight) {
	bool disk;
};

FIXTURE_VARIANT_ADD(flight, O_DIRECT) { .disk = true };
FIXTURE_VARIANT_ADD(flight, process_vm_writev) { .disk = false };

static void *flight_thread(void *argument)
{
	struct _test_data_flight *self = argument;
	struct iovec from = { (void *)self->source, PAGES(FLYING) };
	struct iovec to = { (void *)self->base, PAGES(FLYING) };

	self->tid = gettid();
	self->done = self->pager ? process_vm_writev(getpid(), &from, 1, &to, 1, 0) :
				   pread(self->disk, to.iov_base, to.iov_len, 0);
	return NULL;
}

static bool flight_prepare_disk(struct _test_data_flight *self)
{
	self->written = 2;
	self->disk = disk_make(self->control);
	util_fill(self->base, FLYING, 2);
	return self->disk >= 0 &&
	       pwrite(self->disk, (void *)self->base, PAGES(FLYING), 0) == PAGES(FLYING) &&
	       !disk_stop(self->control, true);
}

static bool flight_prepare_pager(struct _test_data_flight *self)
{
	self->written = 0;
	self->pager = util_pager_start(FLYING);
	self->source = util_map(util_pager_object(self->pager), 0, FLYING, false);
	util_pager_hold(self->pager, true);
	return self->source;
}

FIXTURE_SETUP(flight)
{
	self->control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (variant->disk && self->control < 0)
		SKIP(return, "no device mapper");
	self->base = util_make(FLYING);
	ASSERT_TRUE(variant->disk ? flight_prepare_disk(self) : flight_prepare_pager(self));
	util_fill(self->base, FLYING, 1);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, flight_thread, self));
	while (!self->tid)
		sched_yield();
	if (self->pager)
		util_pager_wait_requests(self->pager, 1);
	util_wait_asleep(getpid(), self->tid);
}

/* All of it is written. */
static void land(struct _test_data_flight *self)
{
	if (self->pager)
		util_pager_hold(self->pager, false);
	else
		disk_stop(self->control, false);
	pthread_join(self->thread, NULL);
}

FIXTURE_TEARDOWN(flight)
{
	struct dm_call call = { 0 };

	if (self->pager)
		util_pager_stop(self->pager);
	if (self->disk > 0) {
		close(self->disk);
		EXPECT_EQ(0, dm_call(self->control, DM_DEV_REMOVE, &call, 0));
	}
}

TEST_F(flight, C2_fork_during_io)
{
	struct util_gate gate;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&gate));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&gate);
		EXPECT_EQ(0, util_gate_pass(&gate));
		EXPECT_EQ(0, util_wrong(self->base, FLYING, 1));
		util_fill(self->base, FLYING, 5);
		_exit(_metadata->exit_code);
	}
	land(self);
	EXPECT_EQ(PAGES(FLYING), self->done);
	EXPECT_EQ(0, util_wrong(self->base, FLYING, self->written));
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(self->base, FLYING, self->written));
}

TEST_F(flight, V13_copies_during_io)
{
	vm_address_t copy = util_make(FLYING), written = util_make(FLYING);
	mach_msg_type_number_t count;
	vm_offset_t data;

	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, self->base, PAGES(FLYING), copy));
	EXPECT_EQ(KERN_SUCCESS, vm_read(SELF, self->base, PAGES(FLYING), &data, &count));
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, written, self->base, PAGES(FLYING)));
	land(self);
	EXPECT_EQ(PAGES(FLYING), self->done);
	EXPECT_EQ(0, util_wrong(self->base, FLYING, self->written));
	EXPECT_EQ(0, util_wrong(copy, FLYING, 1));
	EXPECT_EQ(0, util_wrong(data, FLYING, 1));
	EXPECT_EQ(0, util_wrong(written, FLYING, 1));
	util_fill(copy, FLYING, 6);
	EXPECT_EQ(0, util_wrong(self->base, FLYING, self->written));
}

/* What is written goes into pages that nobody sees any more. */
TEST_F(flight, V3_deallocate_during_io)
{
	vm_address_t again = self->base;

	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, self->base, PAGES(FLYING)));
	EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &again, PAGES(FLYING), FALSE));
	EXPECT_EQ(0, util_not_zero(self->base, FLYING));
	util_fill(self->base, FLYING, 3);
	land(self);
	EXPECT_EQ(PAGES(FLYING), self->done);
	EXPECT_EQ(0, util_wrong(self->base, FLYING, 3));
}

/* Pages that are being written stay. */
TEST_F(flight, pageout_during_io)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = self->base,
		.length = PAGES(FLYING),
	};

	EXPECT_EQ(0, util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &call));
	EXPECT_EQ(0, call.out_pages);
	land(self);
	EXPECT_EQ(PAGES(FLYING), self->done);
	EXPECT_EQ(0, util_wrong(self->base, FLYING, self->written));
}

HARNESS_MAIN
