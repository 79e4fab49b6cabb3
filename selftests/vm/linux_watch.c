// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_watch.c - who watches memory from outside, or would move it: userfaultfd, NUMA, the page map.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

/* userfaultfd: of all mappings it knows only Linux's own. */

/* A descriptor with these features, or -1 if the kernel has them not. */
static int userfault_open(unsigned long features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int userfault_register(int fd, vm_address_t base, vm_size_t size, unsigned long mode)
{
	struct uffdio_register call = { .range = { base, size }, .mode = mode };

	return util_ioctl(fd, UFFDIO_REGISTER, &call);
}

static const unsigned long userfault_modes[] = {
	UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP, UFFDIO_REGISTER_MODE_MINOR,
	UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
};

static const unsigned long userfault_features[] = {
	0, UFFD_FEATURE_WP_ASYNC, UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
};

TEST(linux_userfaultfd_is_refused)
{
	vm_address_t base = util_make(16), window = 0x200000000UL;
	struct util_mapping arena;

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &window, PAGES(4), FALSE));
	ASSERT_TRUE(util_mapping(base, &arena));
	for (int i = 0; i < 3; i++) {
		int fd = userfault_open(userfault_features[i]);

		if (!i)
			ASSERT_LE(0, fd);
		for (int j = 0; j < 4 && fd >= 0; j++) {
			unsigned long mode = userfault_modes[j];

			EXPECT_EQ(-EINVAL, userfault_register(fd, base, PAGES(16), mode));
			EXPECT_EQ(-EINVAL, userfault_register(fd, arena.start,
							      arena.end - arena.start, mode));
			EXPECT_EQ(-EINVAL, userfault_register(fd, window, PAGES(4), mode));
		}
		if (fd >= 0)
			close(fd);
	}
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	util_fill(base, 16, 2);
	util_fill(window, 4, 2);
	EXPECT_EQ(0, util_wrong(base, 16, 2));
	EXPECT_EQ(0, util_wrong(window, 4, 2));
}

/* Who has a descriptor, for memory of its own, cannot reach ours with it. */
TEST(linux_userfaultfd_puts_nothing_in)
{
	int fd = userfault_open(0);
	vm_address_t base = util_make(8);
	char *own = mmap(NULL, PAGES(8), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	struct uffdio_copy copy = { .dst = base + PAGES(4), .src = base, .len = PAGE };
	struct uffdio_zeropage zero = { .range = { base, PAGES(8) } };
	struct uffdio_writeprotect protect = {
		.range = { base, PAGES(8) }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, userfault_register(fd, (vm_address_t)own, PAGES(8),
					UFFDIO_REGISTER_MODE_MISSING));
	util_fill(base, 4, 1);
	EXPECT_EQ(-ENOENT, util_ioctl(fd, UFFDIO_COPY, &copy));
	EXPECT_EQ(-ENOENT, util_ioctl(fd, UFFDIO_ZEROPAGE, &zero));
	EXPECT_EQ(-ENOENT, util_ioctl(fd, UFFDIO_WRITEPROTECT, &protect));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	EXPECT_EQ(0, util_not_zero(base + PAGES(4), 4));
	/* It does serve as a source. */
	copy = (struct uffdio_copy){ .dst = (vm_address_t)own, .src = base, .len = PAGES(4) };
	EXPECT_EQ(0, util_ioctl(fd, UFFDIO_COPY, &copy));
	EXPECT_EQ(0, util_wrong((vm_address_t)own, 4, 1));
}

/* NUMA: our pages stay where they are, and nothing is asked of them. */

static bool numa_there(void)
{
	return !syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0);
}

/* What the kernel makes of it is its affair; the memory is the same after. */
TEST(linux_numa_policies)
{
	static const unsigned int flags[] = {
		0, MPOL_MF_STRICT, MPOL_MF_MOVE, MPOL_MF_MOVE | MPOL_MF_STRICT, MPOL_MF_MOVE_ALL,
	};
	vm_address_t base = util_make(16);
	unsigned long node = 1;
	struct util_mapping arena;
	void *pages[8];
	int nodes[8] = { 0 }, status[8];
	pid_t pid;

	if (!numa_there())
		SKIP(return, "no NUMA");
	util_fill(base, 8, 1);
	ASSERT_TRUE(util_mapping(base, &arena));
	for (int i = 0; i < 8; i++)
		pages[i] = (void *)(base + PAGES(i));
	for (int i = 0; i < 5; i++) {
		/* A part would be a mapping of its own. */
		EXPECT_EQ(-1, syscall(SYS_mbind, base, PAGES(8), MPOL_BIND, &node, 64, flags[i]));
		EXPECT_EQ(0, util_wrong(base, 8, 1));
		syscall(SYS_mbind, arena.start, arena.end - arena.start, MPOL_PREFERRED, &node, 64,
			flags[i]);
		EXPECT_EQ(0, util_wrong(base, 8, 1));
	}
	syscall(SYS_move_pages, 0, 8, pages, nodes, status, MPOL_MF_MOVE_ALL);
	syscall(SYS_migrate_pages, 0, 64, &node, &node);
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	util_fill(base, 16, 2);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(base, 16, 2));
		util_fill(base, 16, 3);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 16, 2));
}

#define SETTINGS "/sys/kernel/debug/sched/numa_balancing/"

static const char *const settings[] = {
	"/proc/sys/kernel/numa_balancing", SETTINGS "scan_delay_ms",
	SETTINGS "scan_period_min_ms", SETTINGS "scan_period_max_ms",
};

static const long often[] = { 1, 1, 10, 20 };

static long number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (file && fscanf(file, "%ld", &number) != 1)
		number = -1;
	if (file)
		fclose(file);
	return number;
}

static int number_set(const char *path, long number)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -1;
	fprintf(file, "%ld\n", number);
	return fclose(file);
}

/* The number behind a name in a file of names and numbers, -1 if it is not there. */
static long number_of(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256];
	long number = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			number = atol(line + strcspn(line, "0123456789"));
	if (file)
		fclose(file);
	return number;
}

/* The kernel looks at all of a process's mappings every few milliseconds. */
FIXTURE(balancing) {
	long were[4];
};

FIXTURE_SETUP(balancing)
{
	for (int i = 0; i < 4; i++) {
		self->were[i] = number_in(settings[i]);
		if (self->were[i] < 0 || number_set(settings[i], often[i]))
			SKIP(return, "no NUMA balancing");
	}
}

FIXTURE_TEARDOWN_PARENT(balancing)
{
	for (int i = 0; i < 4; i++)
		if (self->were[i] >= 0)
			number_set(settings[i], self->were[i]);
}

static volatile bool scanned;

static void *touching_thread(void *argument)
{
	while (!scanned)
		(*(volatile unsigned long *)argument)++;
	return NULL;
}

#define BALANCED 4096

static void balance(struct __test_metadata *_metadata)
{
	vm_address_t base = util_make(BALANCED);
	long scans;
	pthread_t thread;
	pid_t pid;

	util_fill(base, BALANCED, 1);
	pid = fork();		/* all of it is copied on write now */
	if (pid == 0) {
		pause();
		_exit(99);
	}
	EXPECT_EQ(0, util_wrong(base, BALANCED, 1));
	/* What is one thread's alone on one node stays, so there are two. */
	ASSERT_EQ(0, pthread_create(&thread, NULL, touching_thread, util_shared(PAGE)));
	scans = number_of("/proc/self/sched", "mm->numa_scan_seq");
	ASSERT_LE(0, scans);
	while (number_of("/proc/self/sched", "mm->numa_scan_seq") < scans + 2)
		EXPECT_EQ(util_mark(7, 1), util_read(base + PAGES(7)).byte);
	scanned = true;
	pthread_join(thread, NULL);
	util_fill(base, BALANCED, 2);
	EXPECT_EQ(0, util_wrong(base, BALANCED, 2));
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
}

TEST_F(balancing, linux_numa_balancing)
{
	pid_t pid;

	pid = fork();		/* its address space is one of the new settings */
	if (pid == 0) {
		balance(_metadata);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
}

/* The page map: an entry of eight bytes for each page that there could be. */

#define CHUNK (1UL << 20)
#define CHUNK_PAGES (CHUNK / sizeof(uint64_t))

/* Entries of [start, end) that say there is a page, their numbers summed up in @sum. */
static unsigned long pagemap_count(int fd, vm_address_t start, vm_address_t end,
				   unsigned long *sum)
{
	static uint64_t entries[CHUNK_PAGES];
	unsigned long present = 0;

	*sum = 0;
	for (vm_address_t at = start; at < end; at += CHUNK_PAGES * PAGE) {
		unsigned long pages = (end - at) / PAGE;

		if (pages > CHUNK_PAGES)
			pages = CHUNK_PAGES;
		if (pread(fd, entries, pages * 8, at / PAGE * 8) != (ssize_t)pages * 8)
			return -1;
		for (unsigned long i = 0; i < pages; i++) {
			if (!(entries[i] >> 63))
				continue;
			present++;
			*sum += (at - start) / PAGE + i;
		}
	}
	return present;
}

TEST(linux_pagemap_of_a_whole_arena)
{
	vm_address_t base = 0, end;
	unsigned long sum, expected = 0;
	struct util_mapping arena;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &base, 1UL << 36, TRUE));
	end = base + (1UL << 36);
	ASSERT_TRUE(util_mapping(base, &arena));
	for (int i = 0; i < 100; i++) {
		vm_address_t page = i % 2 ? base + PAGES(i * 97) : end - PAGES(i * 513 + 1);

		*(volatile char *)page = 1;
		expected += (page - arena.start) / PAGE;
	}
	EXPECT_EQ(100, pagemap_count(fd, arena.start, arena.end, &sum));
	EXPECT_EQ(expected, sum);
}

/* Who reads it is killed when it is to be, and holds up nobody meanwhile. */
TEST(linux_pagemap_reader_can_be_killed)
{
	struct util_mapping arena;
	vm_address_t base = util_make(4);
	unsigned long sum;
	struct util_gate gate;
	char path[64];
	pid_t pid;

	util_fill(base, 4, 1);
	ASSERT_TRUE(util_mapping(base, &arena));
	ASSERT_EQ(0, util_gate_init(&gate));
	snprintf(path, sizeof(path), "/proc/%d/pagemap", getpid());
	pid = fork();
	if (pid == 0) {
		int fd = open(path, O_RDONLY);

		while (pagemap_count(fd, arena.start, arena.start + (1UL << 30), &sum) != -1UL)
			util_gate_open(&gate);
		_exit(99);
	}
	util_gate_close_writer(&gate);
	for (int i = 0; i < 4; i++) {
		vm_address_t fresh = util_make(64);

		EXPECT_EQ(0, util_gate_pass(&gate));
		util_fill(fresh, 64, 2);
		EXPECT_EQ(0, util_wrong(fresh, 64, 2));
		EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, fresh, PAGES(64)));
	}
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(1000 + SIGKILL, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

HARNESS_MAIN
