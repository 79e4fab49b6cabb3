// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_default.c - machvmctl default-pager keeps pages in a file, and loses none when it is killed.
 *
 * KILL_ROUNDS=N kills it N times; KILL_SEED=N chooses when, and what is done meanwhile.
 */
#include "harness.h"
#include "raw.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <machvm/machvm.h>

#define NR 48
#define WORDS (PAGE / sizeof(uint64_t))
#define MOST_MOVED 200	/* pages that come and go while a manager lives */
#define MOST_YIELDS 100	/* after the last of them */

static char file[] = "/tmp/pages.XXXXXX";

#define managed() (statistics().out_managed)

/* Returns when it takes pages. */
static pid_t start(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	must(!pipe(ready));
	pid = fork();
	if (!pid) {
		dup2(ready[1], 9);
		close(ready[1]);
		close(ready[0]);
		execlp("machvmctl", "machvmctl", "default-pager", "--ready-fd", "9", file, NULL);
		_exit(127);
	}
	close(ready[1]);
	must_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid, int sig)
{
	int status;

	must_eq(kill(pid, sig), 0);
	must_eq(waitpid(pid, &status, 0), pid);
	must_eq(status, sig == SIGKILL ? SIGKILL : 0);
}

static void kernels_again(void)
{
	memory_object_t manager = MACH_PORT_DEAD;

	must_eq(vm_set_default_memory_manager(mach_host_priv(), &manager), KERN_SUCCESS);
	if (manager != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), manager);
	unlink(file);
}

static void file_new(void)
{
	int fd = mkstemp(strcpy(file, "/tmp/pages.XXXXXX"));

	must(fd >= 0);
	close(fd);
}

static void pageout(vm_address_t base)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = base,
		.length = PAGES(NR),
	};
	int device = open("/dev/machvm", O_RDWR | O_CLOEXEC);

	must_eq(util_ioctl(device, MACHVM_VM_PAGEOUT, &call), 0);
	close(device);
}

/* Memory, and what it must hold. */
struct memory {
	vm_address_t base;
	uint32_t generation[NR];
	unsigned int seed;
	atomic_int rest;	/* 1: be still, 2: it is, 3: end */
};

static uint64_t word_of(struct memory *m, unsigned int page, unsigned int word)
{
	return (uint64_t)m->generation[page] << 32 | page << 16 | word;
}

static void write_one(struct memory *m, unsigned int page)
{
	uint64_t *words = (uint64_t *)(m->base + PAGES(page));

	m->generation[page]++;
	for (unsigned int i = 0; i < WORDS; i++)
		words[i] = word_of(m, page, i);
}

static void verify(struct memory *m, unsigned int page)
{
	volatile uint64_t *words = (uint64_t *)(m->base + PAGES(page));

	for (unsigned int i = 0; i < WORDS; i++)
		must_eq(words[i], word_of(m, page, i));
}

static void verify_all(struct memory *m)
{
	for (unsigned int page = 0; page < NR; page++)
		verify(m, page);
}

/* All of the memory is written, and on its way to a manager that was just started. */
static pid_t start_full(struct memory *m)
{
	pid_t pid;

	file_new();
	pid = start();
	for (unsigned int page = 0; page < NR; page++)
		write_one(m, page);
	pageout(m->base);
	return pid;
}

TEST(K13_default_pager_keeps_pages_in_a_file)
{
	struct memory m = { .base = util_make(NR) };
	unsigned int page;
	pid_t pid;

	pid = start_full(&m);
	wait_until(managed() == NR);
	verify_all(&m);
	EXPECT_EQ(0, managed());
	for (page = 0; page < NR; page += 2)
		write_one(&m, page);
	pageout(m.base);
	wait_until(managed() == NR);
	/* Ended, and begun again: what waited meanwhile goes on. */
	end(pid, SIGTERM);
	pid = start();
	verify_all(&m);
	unmap(m.base, NR);
	end(pid, SIGTERM);
	kernels_again();
}

/* Uses the memory at random, as long as nobody says that it is to rest. */
static void *user(void *arg)
{
	struct memory *m = arg;

	while (atomic_load(&m->rest) != 3) {
		unsigned int page = rand_r(&m->seed) % NR, what = rand_r(&m->seed) % 8;

		if (atomic_load(&m->rest) == 1)
			atomic_store(&m->rest, 2);
		if (atomic_load(&m->rest))
			sched_yield();
		else if (what == 0)
			pageout(m->base);
		else if (what < 4)
			verify(m, page);
		else
			write_one(m, page);
	}
	return NULL;
}

static unsigned long long moved(void)
{
	struct machvm_vm_statistics now = statistics();

	return now.out_pageins + now.out_pageouts;
}

/* Returns at a moment that is as good as any other, with things under way. */
static void live_on(unsigned int *seed)
{
	unsigned long long end = moved() + rand_r(seed) % MOST_MOVED;

	wait_until(moved() >= end);
	for (unsigned int i = rand_r(seed) % MOST_YIELDS; i; i--)
		sched_yield();
}

TEST(K13_default_pager_loses_nothing_when_it_is_killed)
{
	unsigned int rounds = atoi(getenv("KILL_ROUNDS") ?: "6"), round;
	unsigned int seed = atoi(getenv("KILL_SEED") ?: "1");
	struct memory m = { .base = util_make(NR), .seed = seed };
	unsigned long long kept = 0;
	pthread_t thread;
	pid_t pid;

	pid = start_full(&m);
	wait_until(managed());
	must_eq(pthread_create(&thread, NULL, user, &m), 0);
	for (round = 0; round < rounds; round++) {
		live_on(&seed);
		end(pid, SIGKILL);
		kept += managed();
		pid = start();
		/* Whom it keeps waiting can go on, and so come to rest. */
		atomic_store(&m.rest, 1);
		wait_until(atomic_load(&m.rest) == 2);
		verify_all(&m);
		pageout(m.base);
		wait_until(managed());
		atomic_store(&m.rest, 0);
	}
	atomic_store(&m.rest, 3);
	pthread_join(thread, NULL);
	TH_LOG("%u times, with %llu pages in all that only the file had", rounds, kept);
	EXPECT_LT(0, kept);
	unmap(m.base, NR);
	end(pid, SIGTERM);
	kernels_again();
}

/* It was given one page of it, and has no other. */
TEST(K13_S2_51_default_pager_keeps_what_a_pager_leaves)
{
	struct touch reader;
	struct served s;
	pid_t pid;

	file_new();
	pid = start();
	serve_clean(&s, 4);
	set_absence(&s.object, MACHVM_FALLBACK_MANAGER, 0, 0);
	write_page(&s, 1, 200);
	channel_close(&s.channel);
	close(s.object.control);
	EXPECT_EQ(KERN_SUCCESS, vm_msync(SELF, s.base, PAGES(4),
					 VM_SYNC_SYNCHRONOUS | VM_SYNC_INVALIDATE));
	EXPECT_EQ(0, object_info(&s.object).out_resident);
	EXPECT_TRUE(page_is(s.base, 1, 200));
	reader = touch_now(s.base, false, 0);
	EXPECT_EQ(SIGBUS, reader.signal);
	EXPECT_EQ(KERN_MEMORY_ERROR, reader.why);
	unmap(s.base, 4);
	end(pid, SIGTERM);
	kernels_again();
}

/* From its status, in KiB; -1 if there is none. */
static long status_kib(pid_t pid, const char *name)
{
	char path[32], line[128], format[32];
	long kib = -1;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	snprintf(format, sizeof(format), "%s: %%ld kB", name);
	status = fopen(path, "re");
	must(status);
	while (fgets(line, sizeof(line), status) && sscanf(line, format, &kib) != 1)
		;
	fclose(status);
	return kib;
}

/* What makes room must not wait for room. */
TEST(K13_default_pager_stays_in_memory)
{
	struct memory m = { .base = util_make(NR) };
	pid_t pid = start_full(&m);

	wait_until(managed() == NR);
	EXPECT_LT(0, status_kib(pid, "VmData"));
	EXPECT_LE(status_kib(pid, "VmData"), status_kib(pid, "VmLck"));
	unmap(m.base, NR);
	end(pid, SIGTERM);
	kernels_again();
}

TEST(K13_default_pager_is_for_root)
{
	static const char other[] = "/tmp/pages.of.nobody";
	int status;
	pid_t pid = fork();

	if (!pid) {
		must(!setgid(1000) && !setuid(1000));
		execlp("machvmctl", "machvmctl", "default-pager", other, NULL);
		_exit(127);
	}
	must_eq(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(1, WEXITSTATUS(status));
	unlink(other);
}

HARNESS_MAIN_SLOW
