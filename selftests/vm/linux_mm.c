// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_mm.c - Linux's own memory calls on the arena, and what /proc shows of it.
 *
 * The arena is one mapping.  Linux may take it away as a whole; cutting, moving and protecting
 * it is refused, and whatever is tried leaves Mach's memory as it was.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

struct arena {
	vm_address_t start, end;
};

/* The mapping that the address lies in, by /proc; false if there is none. */
static bool mapping_of(vm_address_t address, struct arena *arena, char *line, size_t size)
{
	FILE *file = fopen("/proc/self/maps", "re");
	bool found = false;

	while (file && !found && fgets(line, size, file))
		found = sscanf(line, "%lx-%lx", &arena->start, &arena->end) == 2 &&
			arena->start <= address && address < arena->end;
	if (file)
		fclose(file);
	return found;
}

/* Memory with something in it, and the arena around it. */
FIXTURE(arena) {
	vm_address_t base;
	struct arena arena;
	int regions;
};

FIXTURE_SETUP(arena)
{
	char line[512];

	self->base = util_make(16);
	ASSERT_NE(0, self->base);
	util_fill(self->base, 8, 1);
	vm_protect(SELF, self->base + PAGES(12), PAGES(4), FALSE, VM_PROT_READ);
	ASSERT_TRUE(mapping_of(self->base, &self->arena, line, sizeof(line)));
	ASSERT_NE(NULL, strstr(line, "machvm"));
	self->regions = util_regions(0, -1UL);
}

/* All is as before, and goes on to work. */
FIXTURE_TEARDOWN(arena)
{
	struct arena now;
	char line[512];

	EXPECT_TRUE(mapping_of(self->base, &now, line, sizeof(line)));
	EXPECT_EQ(self->arena.start, now.start);
	EXPECT_EQ(self->arena.end, now.end);
	EXPECT_NE(NULL, strstr(line, "rw"));
	EXPECT_EQ(0, util_wrong(self->base, 8, 1));
	EXPECT_EQ(0, util_not_zero(self->base + PAGES(8), 8));
	EXPECT_EQ(self->regions, util_regions(0, -1UL));
	EXPECT_EQ(PAGES(16), util_covered(self->base, self->base + PAGES(16)));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(self->base + PAGES(12), 1));
	util_fill(self->base, 12, 2);
	EXPECT_EQ(0, util_wrong(self->base, 12, 2));
	EXPECT_NE(0, util_make(1));
}

TEST_F(arena, linux_munmap_of_a_part)
{
	const vm_address_t starts[] = { self->arena.start, self->base, self->base + PAGES(4) };

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-1, munmap((void *)starts[i], PAGES(2)));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, munmap((void *)(self->arena.end - PAGE), PAGE));
	EXPECT_EQ(EINVAL, errno);
	/* Part of it, together with what is outside. */
	EXPECT_EQ(-1, munmap((void *)(self->arena.start - PAGES(4)), PAGES(8)));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(arena, linux_mmap_over_a_part)
{
	EXPECT_EQ(MAP_FAILED, mmap((void *)self->base, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(MAP_FAILED, mmap((void *)(self->base + PAGES(9)), PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(arena, linux_mprotect)
{
	const int protections[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_EXEC,
				    PROT_READ | PROT_WRITE | PROT_EXEC };
	size_t size = self->arena.end - self->arena.start;

	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(-1, mprotect((void *)self->base, PAGES(2), protections[i]));
		EXPECT_EQ(-1, mprotect((void *)self->arena.start, size, protections[i]));
	}
	EXPECT_EQ(-1, mprotect((void *)self->arena.start, size, PROT_READ));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(arena, linux_mremap)
{
	size_t size = self->arena.end - self->arena.start;
	void *place = mmap(NULL, PAGES(64), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(MAP_FAILED, mremap((void *)self->base, PAGES(4), PAGES(8), MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->base, PAGES(4), PAGES(2), 0));
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->base, PAGES(4), PAGES(4),
				     MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->base, PAGES(4), PAGES(4),
				     MREMAP_MAYMOVE | MREMAP_FIXED | 4 /* DONTUNMAP */, place));
	/* A second mapping of the same. */
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->base, 0, PAGES(4), MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->arena.start, 0, PAGES(4), MREMAP_MAYMOVE));
	/* All of it. */
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->arena.start, size, size,
				     MREMAP_MAYMOVE | MREMAP_FIXED, self->arena.start - 2 * size));
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->arena.start, size, size + PAGE,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap((void *)self->arena.start, size, size - PAGE, 0));
	munmap(place, PAGES(64));
}

TEST_F(arena, linux_remap_file_pages)
{
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, self->base, PAGE, 0, 1, 0));
}

/* Advice is taken or refused; the memory is the same after. */
TEST_F(arena, linux_madvise)
{
	static const int kinds[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_DONTNEED_LOCKED, MADV_COLLAPSE,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, 12345,
	};
	size_t size = self->arena.end - self->arena.start;

	for (int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		madvise((void *)self->base, PAGES(8), kinds[i]);
		EXPECT_EQ(0, util_wrong(self->base, 8, 1)) TH_LOG("advice %d", kinds[i]);
		/* To populate all of an arena would take a while, and fails at the first hole. */
		if (kinds[i] != MADV_POPULATE_READ && kinds[i] != MADV_POPULATE_WRITE)
			madvise((void *)self->arena.start, size, kinds[i]);
		EXPECT_EQ(0, util_wrong(self->base, 8, 1)) TH_LOG("advice %d to all", kinds[i]);
	}
}

/* Linux finds no page of ours on its lists, and gives up to take one out of use. */
TEST_F(arena, linux_madvise_memory_failure)
{
	EXPECT_EQ(-1, madvise((void *)self->base, PAGE, MADV_SOFT_OFFLINE));
	EXPECT_EQ(-1, madvise((void *)(self->base + PAGE), PAGE, MADV_HWPOISON));
	EXPECT_EQ(0, util_wrong(self->base, 8, 1));
	util_fill(self->base, 8, 1);
	EXPECT_EQ(0, util_wrong(self->base, 8, 1));
}

TEST_F(arena, linux_populate)
{
	struct machvm_vm_region region;

	ASSERT_EQ(0, madvise((void *)self->base, PAGES(12), MADV_POPULATE_WRITE));
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, self->base, &region));
	EXPECT_EQ(12, region.out_resident);
	ASSERT_EQ(0, madvise((void *)self->base, PAGES(16), MADV_POPULATE_READ));
	EXPECT_EQ(-1, madvise((void *)self->base, PAGES(16), MADV_POPULATE_WRITE));
	EXPECT_EQ(-1, madvise((void *)self->base, PAGES(17), MADV_POPULATE_READ));
}

/* Whatever was advised before, a child gets a copy of its own. */
TEST_F(arena, linux_keeponfork_then_fork)
{
	size_t size = self->arena.end - self->arena.start;
	pid_t pid;

	madvise((void *)self->arena.start, size, MADV_KEEPONFORK);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(self->base, 8, 1));
		util_fill(self->base, 8, 3);
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(self->base, 8, 1));
	pid = fork();
	if (pid == 0) {
		util_fill(self->base, 8, 3);
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, util_wait(pid));
}

TEST_F(arena, linux_mlock)
{
	mlock((void *)self->base, PAGES(8));
	munlock((void *)self->base, PAGES(8));
	EXPECT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT));
	EXPECT_EQ(0, util_wrong(self->base, 8, 1));
	EXPECT_EQ(0, munlockall());
}

TEST_F(arena, linux_msync_and_mincore)
{
	unsigned char vector[16];

	msync((void *)self->base, PAGES(8), MS_SYNC);
	msync((void *)self->base, PAGES(8), MS_ASYNC | MS_INVALIDATE);
	mincore((void *)self->base, PAGES(16), vector);
}

static size_t read_all(const char *path, const char *wanted, bool *found)
{
	static char buffer[1 << 20];
	int fd = open(path, O_RDONLY);
	size_t size = 0;
	ssize_t got;

	*found = false;
	if (fd < 0)
		return 0;
	while ((got = read(fd, buffer + size, sizeof(buffer) - 1 - size)) > 0)
		size += got;
	close(fd);
	buffer[size] = 0;
	*found = strstr(buffer, wanted);
	return got < 0 ? 0 : size;
}

TEST_F(arena, linux_proc_files)
{
	bool found;

	EXPECT_NE(0, read_all("/proc/self/maps", "machvm", &found));
	EXPECT_TRUE(found);
	EXPECT_NE(0, read_all("/proc/self/smaps", "machvm", &found));
	EXPECT_TRUE(found);
	EXPECT_NE(0, read_all("/proc/self/smaps_rollup", "Rss", &found));
	EXPECT_NE(0, read_all("/proc/self/statm", " ", &found));
	EXPECT_NE(0, read_all("/proc/self/status", "VmSize", &found));
	read_all("/proc/self/numa_maps", "machvm", &found);
}

TEST_F(arena, linux_pagemap_and_clear_refs)
{
	int fd = open("/proc/self/pagemap", O_RDONLY), clear;
	uint64_t word[16];

	ASSERT_GE(fd, 0);
	ASSERT_EQ(sizeof(word), pread(fd, word, sizeof(word), self->base / PAGE * 8));
	for (int i = 0; i < 8; i++)
		EXPECT_NE(0, word[i] >> 63);
	for (int i = 8; i < 16; i++)
		EXPECT_EQ(0, word[i] >> 63);
	close(fd);
	for (int kind = 1; kind <= 5; kind++) {
		char text[2] = { '0' + kind, 0 };

		clear = open("/proc/self/clear_refs", O_WRONLY);
		ASSERT_GE(clear, 0);
		(void)!write(clear, text, 1);
		close(clear);
		EXPECT_EQ(0, util_wrong(self->base, 8, 1));
		util_fill(self->base, 8, 1);
	}
}

TEST(linux_munmap_of_all_and_a_new_start)
{
	vm_address_t base = util_make(8), again;
	struct machvm_vm_statistics before = { .size = sizeof(before) }, after = before;
	struct arena arena;
	char line[512];

	ASSERT_TRUE(mapping_of(base, &arena, line, sizeof(line)));
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &before));
	for (int i = 0; i < 5; i++) {
		util_fill(base, 8, i);
		ASSERT_EQ(0, munmap((void *)arena.start, arena.end - arena.start));
		EXPECT_EQ(0, util_regions(0, -1UL));
		EXPECT_EQ(SIGSEGV, util_read(base).signal);
		EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(8)));
		again = util_make(8);
		ASSERT_NE(0, again);
		EXPECT_EQ(0, util_not_zero(again, 8));
		base = again;
		ASSERT_TRUE(mapping_of(base, &arena, line, sizeof(line)));
	}
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &after));
	EXPECT_EQ(before.out_maps, after.out_maps);
	EXPECT_EQ(before.out_active_count + before.out_inactive_count + 8,
		  after.out_active_count + after.out_inactive_count);
}

TEST(linux_mmap_over_all_and_a_new_start)
{
	vm_address_t base = util_make(8);
	struct arena arena;
	char line[512];
	void *other;

	util_fill(base, 8, 1);
	ASSERT_TRUE(mapping_of(base, &arena, line, sizeof(line)));
	other = mmap((void *)arena.start, arena.end - arena.start, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	ASSERT_EQ((void *)arena.start, other);
	EXPECT_EQ(0, util_not_zero(base, 8));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(8)));
	util_fill(base, 8, 2);
	base = util_make(8);
	ASSERT_NE(0, base);
	EXPECT_TRUE(base < arena.start || base >= arena.end);
	util_fill(base, 8, 1);
	EXPECT_EQ(0, util_wrong(base, 8, 1));
}

/* A child that was to have none of it has none, and begins anew. */
TEST(linux_dontfork)
{
	vm_address_t base = util_make(8);
	struct arena arena;
	char line[512];
	pid_t pid;

	util_fill(base, 8, 1);
	ASSERT_TRUE(mapping_of(base, &arena, line, sizeof(line)));
	EXPECT_EQ(-1, madvise((void *)base, PAGES(8), MADV_DONTFORK));
	ASSERT_EQ(0, madvise((void *)arena.start, arena.end - arena.start, MADV_DONTFORK));
	pid = fork();
	if (pid == 0) {
		vm_address_t mine;

		EXPECT_EQ(SIGSEGV, util_read(base).signal);
		EXPECT_EQ(0, util_regions(0, -1UL));
		mine = util_make(4);
		ASSERT_NE(0, mine);
		util_fill(mine, 4, 2);
		EXPECT_EQ(0, util_wrong(mine, 4, 2));
		EXPECT_EQ(1, util_regions(0, -1UL));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 8, 1));
}

TEST(linux_small_address_space)
{
	struct rlimit limit = { 2UL << 30, 2UL << 30 };
	vm_address_t base;

	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	base = util_make(8);
	ASSERT_NE(0, base);
	util_fill(base, 8, 1);
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	EXPECT_NE(MAP_FAILED, mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	EXPECT_EQ(KERN_NO_SPACE, vm_allocate(SELF, &base, 4UL << 30, TRUE));
}

TEST(linux_no_address_space)
{
	struct rlimit limit = { 64 << 20, RLIM_INFINITY };
	vm_address_t base = 0;
	kern_return_t kr;

	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	kr = vm_allocate(SELF, &base, PAGE, TRUE);
	if (kr != KERN_SUCCESS)
		EXPECT_EQ(KERN_RESOURCE_SHORTAGE, kr);
	/* Not for ever. */
	limit.rlim_cur = RLIM_INFINITY;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_NE(0, util_make(1));
}

TEST(linux_core_dump)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	int pattern = open("/proc/sys/kernel/core_pattern", O_WRONLY), status, fd;
	char path[64], magic[4] = "";
	pid_t pid;

	ASSERT_GE(pattern, 0);
	ASSERT_EQ(12, write(pattern, "/tmp/core.%p", 12));
	close(pattern);
	pid = fork();
	if (pid == 0) {
		vm_address_t base = util_make(16);
		int filter = open("/proc/self/coredump_filter", O_WRONLY);
		struct arena arena;
		char line[512];

		util_fill(base, 8, 1);
		(void)!write(filter, "0xff", 4);
		setrlimit(RLIMIT_CORE, &limit);
		/* Whoever asks for all of it gets what there is. */
		if (mapping_of(base, &arena, line, sizeof(line)))
			madvise((void *)arena.start, arena.end - arena.start, MADV_DODUMP);
		abort();
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
	EXPECT_TRUE(WCOREDUMP(status));
	snprintf(path, sizeof(path), "/tmp/core.%d", pid);
	fd = open(path, O_RDONLY);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(4, read(fd, magic, 4));
	EXPECT_EQ(0, memcmp(magic, "\177ELF", 4));
	close(fd);
	unlink(path);
}

HARNESS_MAIN
