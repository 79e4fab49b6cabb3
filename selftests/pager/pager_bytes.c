// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_bytes.c - vm_copy, vm_read and vm_write from and onto memory of pagers.
 */
#include "harness.h"
#include "util.h"

#include <pthread.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OBJECT_PAGES 8
#define FAILS_FROM 5

static unsigned char ordinary[PAGES(OBJECT_PAGES)] __attribute__((aligned(PAGE)));

FIXTURE(object) {
	struct util_pager *pager;
	vm_address_t base;	/* all of it */
	vm_address_t memory;	/* as much without a pager */
};

FIXTURE_SETUP(object)
{
	self->pager = util_pager_start(OBJECT_PAGES);
	ASSERT_NE(NULL, self->pager);
	self->base = util_map(util_pager_object(self->pager), 0, OBJECT_PAGES, false);
	ASSERT_NE(0, self->base);
	self->memory = util_make(OBJECT_PAGES);
}

FIXTURE_TEARDOWN(object)
{
	util_pager_stop(self->pager);
}

static unsigned int requests(struct util_pager *pager)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < OBJECT_PAGES; i++)
		sum += util_pager_requests(pager, i);
	return sum;
}

/* The destination is written in place, so all of it has to be there first. */
TEST_F(object, V12_S2_15_an_error_of_the_destinations_pager)
{
	util_pager_fail_from(self->pager, FAILS_FROM, 77);
	util_fill(self->memory, OBJECT_PAGES, 2);
	EXPECT_EQ(KERN_MEMORY_ERROR,
		  vm_write(SELF, self->base, self->memory, PAGES(OBJECT_PAGES)));
	EXPECT_EQ(0, util_wrong(self->base, FAILS_FROM, 0));
	EXPECT_EQ(KERN_MEMORY_ERROR,
		  vm_write(SELF, self->base + PAGES(FAILS_FROM), self->memory, PAGE));
	util_pager_fail_from(self->pager, -1U, 0);
	EXPECT_EQ(KERN_SUCCESS,
		  vm_write(SELF, self->base, self->memory, PAGES(OBJECT_PAGES)));
	EXPECT_EQ(0, util_wrong(self->base, OBJECT_PAGES, 2));
}

TEST_F(object, V13_S2_15_an_error_of_the_destinations_pager)
{
	util_pager_fail_from(self->pager, FAILS_FROM, 77);
	util_fill(self->memory, OBJECT_PAGES, 2);
	EXPECT_EQ(KERN_MEMORY_ERROR,
		  vm_copy(SELF, self->memory, PAGES(OBJECT_PAGES), self->base));
	EXPECT_EQ(0, util_wrong(self->base, FAILS_FROM, 0));
}

TEST_F(object, V12_V13_S2_15_an_error_of_the_sources_pager)
{
	vm_address_t to = (vm_address_t)ordinary;

	util_pager_fail_from(self->pager, FAILS_FROM, 77);
	util_fill(to, OBJECT_PAGES, 3);
	EXPECT_EQ(KERN_MEMORY_ERROR, vm_copy(SELF, self->base, PAGES(OBJECT_PAGES), to));
	EXPECT_EQ(KERN_MEMORY_ERROR, vm_write(SELF, to, self->base, PAGES(OBJECT_PAGES)));
	EXPECT_EQ(0, util_wrong(to, OBJECT_PAGES, 3));
	/* Wired memory is written in place, too. */
	util_fill(self->memory, OBJECT_PAGES, 4);
	ASSERT_EQ(KERN_SUCCESS,
		  vm_wire(mach_host_priv(), SELF, self->memory, PAGES(OBJECT_PAGES), VM_PROT_READ));
	EXPECT_EQ(KERN_MEMORY_ERROR, vm_copy(SELF, self->base, PAGES(OBJECT_PAGES), self->memory));
	EXPECT_EQ(0, util_wrong(self->memory, OBJECT_PAGES, 4));
}

TEST_F(object, V9_V12_V13_no_page_is_asked_for_by_the_call)
{
	vm_address_t to = util_make(OBJECT_PAGES), seen;
	mach_msg_type_number_t count;

	EXPECT_EQ(KERN_SUCCESS, vm_copy(SELF, self->base, PAGES(OBJECT_PAGES), to));
	EXPECT_EQ(KERN_SUCCESS, vm_write(SELF, self->memory, self->base, PAGES(OBJECT_PAGES)));
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, self->base, PAGES(OBJECT_PAGES), &seen, &count));
	EXPECT_EQ(0, requests(self->pager));
	EXPECT_EQ(util_mark(3, 0), *(unsigned char *)(to + PAGES(3)));
	EXPECT_EQ(util_mark(3, 0), *(unsigned char *)(self->memory + PAGES(3)));
	EXPECT_EQ(util_mark(3, 0), *(unsigned char *)(seen + PAGES(3)));
	EXPECT_EQ(1, requests(self->pager));
}

TEST_F(object, V12_what_is_written_to_an_object_goes_back_to_its_pager)
{
	util_fill(self->memory, OBJECT_PAGES, 2);
	ASSERT_EQ(KERN_SUCCESS,
		  vm_write(SELF, self->base + PAGES(2), self->memory + PAGES(2), PAGES(3)));
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, self->base, PAGES(OBJECT_PAGES)));
	util_pager_wait_terminate(self->pager);
	for (unsigned int i = 0; i < OBJECT_PAGES; i++)
		EXPECT_EQ(i >= 2 && i < 5, util_pager_returns(self->pager, i));
	for (unsigned int i = 2; i < 5; i++)
		EXPECT_EQ(util_mark(i, 2), util_pager_returned(self->pager, i));
}

/* A call that holds pages to write to, and sleeps for the bytes. */
struct writer {
	vm_address_t to, from;
	ssize_t done;
};

static void *writer_thread(void *argument)
{
	struct writer *writer = argument;
	struct iovec from = { (void *)writer->from, PAGE }, to = { (void *)writer->to, PAGE };

	writer->done = process_vm_writev(getpid(), &from, 1, &to, 1, 0);
	return NULL;
}

/* What is under way to a page when it is copied does not reach the copy. */
static void copy_of_page_in_use(struct __test_metadata *_metadata, memory_object_t source,
				vm_address_t base)
{
	struct util_pager *slow = util_pager_start(1);
	struct writer writer = { .to = base + PAGE };
	vm_address_t copy;
	pthread_t thread;

	writer.from = util_map(util_pager_object(slow), 0, 1, false);
	util_fill(base, OBJECT_PAGES, 1);
	util_pager_hold(slow, true);
	ASSERT_EQ(0, pthread_create(&thread, NULL, writer_thread, &writer));
	util_pager_wait_requests(slow, 1);
	copy = util_map(source, 0, OBJECT_PAGES, true);
	ASSERT_NE(0, copy);
	util_pager_hold(slow, false);
	pthread_join(thread, NULL);
	EXPECT_EQ(PAGE, writer.done);
	EXPECT_EQ(util_mark(0, 0), *(unsigned char *)(base + PAGE));
	EXPECT_EQ(0, util_wrong(copy, OBJECT_PAGES, 1));
	util_pager_stop(slow);
}

TEST_F(object, C6_S2_29_vm_map_copy_of_a_page_in_use)
{
	copy_of_page_in_use(_metadata, util_pager_object(self->pager), self->base);
}

TEST_F(object, C6_X2_copy_through_a_proxy_of_a_page_in_use)
{
	mach_port_t proxy;

	ASSERT_EQ(KERN_SUCCESS, vm_region_create_proxy(SELF, self->base, VM_PROT_READ,
						       PAGES(OBJECT_PAGES), &proxy));
	copy_of_page_in_use(_metadata, proxy, self->base);
}

/* Others may map the object, but no fork has shared the region. */
TEST_F(object, V17_C1_a_mapping_is_shared_once_a_fork_has_shared_it)
{
	struct util_region region;
	pid_t pid;

	ASSERT_EQ(KERN_SUCCESS, util_region(self->base, &region));
	EXPECT_FALSE(region.shared);
	vm_inherit(SELF, self->base, PAGES(OBJECT_PAGES), VM_INHERIT_SHARE);
	pid = fork();
	if (pid == 0) {
		ASSERT_EQ(KERN_SUCCESS, util_region(self->base, &region));
		EXPECT_TRUE(region.shared);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	ASSERT_EQ(KERN_SUCCESS, util_region(self->base, &region));
	EXPECT_TRUE(region.shared);
}

HARNESS_MAIN
