// SPDX-License-Identifier: GPL-2.0-only
/*
 * pressure.c - three times the memory of the machine in internal memory: every word right, nobody
 * killed.
 */
#include "harness.h"
#include "util.h"

#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 1500

#define SWAP "/dev/vda"

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

HARNESS_MAIN
