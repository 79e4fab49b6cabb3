// SPDX-License-Identifier: GPL-2.0-only
/*
 * pressure.c - three times the memory of the machine in internal memory, or three times what
 * machvm may have in a memory object: every word right, nobody killed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "disk_pager.h"
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <machvm/machvm.h>
#include <machvm/pager.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 1500

#define SWAP "/dev/vda"
#define DISK SWAP	/* of those who use no swap */

/* Linux's own memory, for a moment.  Returns what became of who used it. */
static int use_of_linux(unsigned long pages)
{
	pid_t pid = fork();
	char *memory;

	if (pid == 0) {
		memory = mmap(NULL, PAGES(pages), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (unsigned long page = 0; memory != MAP_FAILED && page < pages; page++)
			memory[PAGES(page)] = 1;
		_exit(memory == MAP_FAILED);
	}
	return util_wait(pid);
}

FIXTURE(pressure) {
	unsigned long pages;	/* of RAM */
};

FIXTURE_SETUP(pressure)
{
	struct sysinfo info;

	swapoff(SWAP);
	ASSERT_EQ(0, system("mkswap " SWAP " >/dev/null"));
	ASSERT_EQ(0, swapon(SWAP, 0));
	ASSERT_EQ(0, sysinfo(&info));
	self->pages = info.totalram * info.mem_unit / PAGE;
}

FIXTURE_TEARDOWN_PARENT(pressure)
{
	swapoff(SWAP);
}

/* A word that no other place of the same or another round holds. */
static unsigned long word(unsigned long page, unsigned long at, unsigned long round)
{
	return (page << 32 | at << 8 | round) * 0x9e3779b97f4a7c15UL;
}

static void write_all(vm_address_t base, unsigned long pages, unsigned long round)
{
	for (unsigned long page = 0; page < pages; page++) {
		unsigned long *words = (unsigned long *)(base + PAGES(page));

		for (unsigned long i = 0; i < PAGE / sizeof(*words); i++)
			words[i] = word(page, i, round);
	}
}

/* Pages that do not hold what they should. */
static unsigned long wrong_pages(vm_address_t base, unsigned long pages, unsigned long round)
{
	unsigned long wrong = 0;

	for (unsigned long page = 0; page < pages; page++) {
		unsigned long *words = (unsigned long *)(base + PAGES(page));

		for (unsigned long i = 0; i < PAGE / sizeof(*words); i++) {
			if (words[i] != word(page, i, round)) {
				wrong++;
				break;
			}
		}
	}
	return wrong;
}

#define GROUP "machvm-pressure"
#define DISK_GROUP "machvm-pressure-disk"	/* each test ends inside of its own */

/* A word of the line that begins so; -1 if there is none. */
static long file_value(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	char name[64];
	long value;

	while (file && fscanf(file, "%63s %ld", name, &value) == 2) {
		if (!strcmp(name, key)) {
			fclose(file);
			return value;
		}
	}
	if (file)
		fclose(file);
	return -1;
}

TEST_F(pressure, K13_three_times_the_memory)
{
	struct machvm_vm_statistics after = { .size = sizeof(after) };
	long killed = file_value("/proc/vmstat", "oom_kill");
	unsigned long pages = 3 * self->pages;
	vm_address_t base = util_make(pages);

	ASSERT_NE(0, base);
	write_all(base, pages, 1);
	EXPECT_EQ(0, wrong_pages(base, pages, 1));
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &after));
	EXPECT_LE(pages / 2, after.out_paged_out);
	EXPECT_EQ(killed, file_value("/proc/vmstat", "oom_kill"));
}

TEST_F(pressure, K13_three_times_the_limit_of_a_cgroup)
{
	unsigned long limit = self->pages / 4, pages = 3 * limit;
	vm_address_t base;

	ASSERT_EQ(0, util_cgroup_make(GROUP, PAGES(limit)));
	ASSERT_EQ(0, util_cgroup_enter(GROUP));
	base = util_make(pages);
	ASSERT_NE(0, base);
	write_all(base, pages, 1);
	EXPECT_EQ(0, wrong_pages(base, pages, 1));
	write_all(base, pages, 2);
	EXPECT_EQ(0, wrong_pages(base, pages, 2));
	EXPECT_EQ(0, util_cgroup_kills(GROUP));
}

/* Parts of it written again in another order, and a child that copies. */
TEST_F(pressure, K13_forks_and_a_second_round)
{
	unsigned long pages = self->pages;
	vm_address_t base = util_make(pages);
	pid_t pid;

	ASSERT_NE(0, base);
	write_all(base, pages, 1);
	pid = fork();
	if (pid == 0) {
		write_all(base, pages / 2, 2);
		EXPECT_EQ(0, wrong_pages(base, pages / 2, 2));
		CHILD_END();
	}
	write_all(base + PAGES(pages / 2), pages / 2, 3);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, wrong_pages(base, pages / 2, 1));
	EXPECT_EQ(0, wrong_pages(base + PAGES(pages / 2), pages / 2, 3));
}

/* The pager is a process of its own, which needs no memory to take pages. */
static void disk_serve(int socket, unsigned long pages)
{
	struct disk_pager disk = {
		.disk = open(DISK, O_RDWR | O_DIRECT), .written = calloc(pages, 1),
	};
	struct machvm_pager *pager;
	memory_object_t object;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || disk.disk < 0 || !disk.written ||
	    machvm_pager_create(&disk_pager_ops, &pager) ||
	    machvm_pager_object(pager, &disk, &object) || machvm_object_send(socket, object))
		_exit(1);
	_exit(machvm_pager_run(pager) ? 1 : 0);
}

FIXTURE(disk) {
	unsigned long limit;	/* pages that machvm may have */
	memory_object_t object;
	unsigned long pages;	/* of it */
	pid_t pager;
};

FIXTURE_SETUP(disk)
{
	struct sysinfo info;
	int sockets[2];

	swapoff(SWAP);
	ASSERT_EQ(0, sysinfo(&info));
	self->limit = info.totalram * info.mem_unit / PAGE / 2;
	self->pages = 3 * self->limit;
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	self->pager = fork();
	if (self->pager == 0)
		disk_serve(sockets[1], self->pages);
	ASSERT_LT(0, self->pager);
	close(sockets[1]);	/* so that a pager that has failed is noticed */
	ASSERT_EQ(KERN_SUCCESS, machvm_object_recv(sockets[0], &self->object));
}

FIXTURE_TEARDOWN(disk)
{
	kill(self->pager, SIGKILL);
	util_wait(self->pager);
}

TEST_F(disk, K14_three_times_the_limit)
{
	long killed = file_value("/proc/vmstat", "oom_kill");
	vm_address_t base = util_map(self->object, 0, self->pages, false);

	ASSERT_NE(0, base);
	write_all(base, self->pages, 1);
	EXPECT_EQ(0, wrong_pages(base, self->pages, 1));
	/* Parts of it again, in another order. */
	write_all(base + PAGES(self->limit), self->limit / 2, 2);
	EXPECT_EQ(0, wrong_pages(base, self->limit, 1));
	EXPECT_EQ(0, wrong_pages(base + PAGES(self->limit), self->limit / 2, 2));
	EXPECT_EQ(killed, file_value("/proc/vmstat", "oom_kill"));
}

/* Linux gets what it wants, though a pager has to write it first. */
TEST_F(disk, K14_linux_gets_what_machvm_has)
{
	vm_address_t base = util_map(self->object, 0, self->pages, false);
	long killed = file_value("/proc/vmstat", "oom_kill");
	pid_t writer;
	int status;

	ASSERT_NE(0, base);
	ASSERT_EQ(KERN_SUCCESS, vm_inherit(mach_task_self(), base, PAGES(self->pages),
					   VM_INHERIT_SHARE));
	writer = fork();
	if (writer == 0) {
		for (unsigned int round = 1; round < 4; round++)
			write_all(base, self->pages, round);
		EXPECT_EQ(0, wrong_pages(base, self->pages, 3));
		CHILD_END();
	}
	while (!waitpid(writer, &status, WNOHANG))
		EXPECT_EQ(0, use_of_linux(self->limit * 9 / 10));
	EXPECT_EQ(0, status);
	EXPECT_EQ(killed, file_value("/proc/vmstat", "oom_kill"));
}

/* The pager is not in the group: only what it is asked for is charged to it. */
TEST_F(disk, K14_three_times_the_limit_of_a_cgroup)
{
	unsigned long limit = self->limit / 4, pages = 3 * limit;
	vm_address_t base;

	ASSERT_EQ(0, util_cgroup_make(DISK_GROUP, PAGES(limit)));
	ASSERT_EQ(0, util_cgroup_enter(DISK_GROUP));
	base = util_map(self->object, 0, pages, false);
	ASSERT_NE(0, base);
	write_all(base, pages, 1);
	EXPECT_EQ(0, wrong_pages(base, pages, 1));
	write_all(base, pages, 2);
	EXPECT_EQ(0, wrong_pages(base, pages, 2));
	EXPECT_EQ(0, util_cgroup_kills(DISK_GROUP));
}

HARNESS_MAIN
