// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork_fail.c - ways to make a child that go round libc, and forks that fail: rows C1 to C3.
 *
 * However a child is made, it has all that it was to inherit.  Where there is no memory for that it
 * has none of it, and whatever fails, nothing is left behind and the parent's memory is untouched.
 */
#include "harness.h"
#include "inject.h"
#include "util.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef VM_INHERIT_ZERO
#define VM_INHERIT_ZERO MACHVM_INHERIT_ZERO
#endif

#define WINDOW 0x200000000UL
#define USER 4321

/* Memory of every kind: copied, shared, wired, missing, zeroed; in the arena and outside of it. */
struct family {
	vm_address_t copied, shared, wired, missing, zeroed, window;
};

static bool family_make(struct family *family)
{
	family->copied = util_make(16);
	family->shared = util_make(4);
	family->wired = util_make(4);
	family->missing = util_make(4);
	family->zeroed = util_make(4);
	family->window = WINDOW;
	if (!family->copied || !family->shared || !family->wired || !family->missing ||
	    !family->zeroed || vm_allocate(SELF, &family->window, PAGES(4), FALSE))
		return false;
	util_fill(family->copied, 8, 1);	/* the rest was never touched */
	util_fill(family->shared, 4, 2);
	util_fill(family->wired, 4, 3);
	util_fill(family->missing, 4, 4);
	util_fill(family->zeroed, 4, 5);
	util_fill(family->window, 4, 6);
	return !vm_inherit(SELF, family->shared, PAGES(4), VM_INHERIT_SHARE) &&
	       !vm_inherit(SELF, family->missing, PAGES(4), VM_INHERIT_NONE) &&
	       !vm_inherit(SELF, family->zeroed, PAGES(4), VM_INHERIT_ZERO) &&
	       !vm_wire(mach_host_priv(), SELF, family->wired, PAGES(4), VM_PROT_READ);
}

/* How much of what the parent has written is not as it was; it leaves the rest untouched. */
static unsigned int family_wrong(const struct family *family)
{
	return util_wrong(family->copied, 8, 1) + util_wrong(family->shared, 4, 2) +
	       util_wrong(family->wired, 4, 3) +
	       util_wrong(family->missing, 4, 4) +
	       util_wrong(family->zeroed, 4, 5) + util_wrong(family->window, 4, 6);
}

/* The parent writes it anew, so that no copy of a child's is under it. */
static void family_write(const struct family *family)
{
	util_fill(family->copied, 8, 1);
	util_fill(family->shared, 4, 2);
	util_fill(family->wired, 4, 3);
	util_fill(family->missing, 4, 4);
	util_fill(family->zeroed, 4, 5);
	util_fill(family->window, 4, 6);
}

/* In a child: it has inherited everything, and writes to its own. */
static unsigned int family_child_wrong(const struct family *family)
{
	unsigned int wrong;

	wrong = util_wrong(family->copied, 8, 1) + util_not_zero(family->copied + PAGES(8), 8) +
		util_wrong(family->shared, 4, 2) + util_wrong(family->wired, 4, 3) +
		util_not_zero(family->zeroed, 4) + util_wrong(family->window, 4, 6) +
		(util_why_read(family->missing) != KERN_INVALID_ADDRESS);
	util_fill(family->copied, 16, 9);
	util_fill(family->wired, 4, 9);
	util_fill(family->zeroed, 4, 9);
	util_fill(family->window, 4, 9);
	return wrong;
}

#define FAMILY_PARTS 5

/* In a child: how many of its pages cannot be had, whatever is tried. */
static unsigned int family_child_missing(const struct family *family)
{
	const vm_address_t parts[FAMILY_PARTS] = {
		family->copied, family->shared, family->wired, family->zeroed, family->window,
	};
	unsigned int missing = 0;

	for (int i = 0; i < FAMILY_PARTS; i++)
		missing += util_read(parts[i]).signal && util_write(parts[i], 7).signal;
	return missing;
}

struct counts {
	unsigned long maps, objects, pages, wired;
};

static struct counts count(void)
{
	struct machvm_vm_statistics now = { .size = sizeof(now) };

	util_ioctl(util_device(), MACHVM_VM_STATISTICS, &now);
	return (struct counts){
		now.out_maps, now.out_objects,
		now.out_active_count + now.out_inactive_count + now.out_wire_count,
		now.out_wire_count,
	};
}

static void expect_counts(struct __test_metadata *_metadata, struct counts before)
{
	struct counts after = count();

	EXPECT_EQ(before.maps, after.maps);
	EXPECT_EQ(before.objects, after.objects);
	EXPECT_EQ(before.pages, after.pages);
	EXPECT_EQ(before.wired, after.wired);
}

/*
 * The counts once a child has come and gone, as after each of those that follow.  What it reads and
 * nobody has ever touched is zeroes for both from then on.
 */
static struct counts settle(const struct family *family)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(family_child_wrong(family));
	util_wait(pid);
	family_write(family);
	return count();
}

/* Without libc, which then knows nothing of the child. */
static pid_t raw_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static pid_t raw_clone3(pid_t *wanted)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (unsigned long)wanted,
		.set_tid_size = wanted ? 1 : 0,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

TEST(C2_raw_clone)
{
	struct counts before;
	struct family family;

	ASSERT_TRUE(family_make(&family));
	before = settle(&family);
	for (int i = 0; i < 6; i++) {
		pid_t pid = i % 2 ? raw_clone3(NULL) : raw_clone();

		if (pid == 0)
			syscall(SYS_exit_group, family_child_wrong(&family));
		EXPECT_EQ(0, util_wait(pid));
		EXPECT_EQ(0, family_wrong(&family));
		family_write(&family);
	}
	expect_counts(_metadata, before);
}

/* What is spawned finds its arguments in memory that is gone when it runs. */
TEST(C2_posix_spawn)
{
	vm_address_t text = util_make(1);
	posix_spawn_file_actions_t actions;
	char *argument[4], answer[64] = "";
	struct counts before;
	struct family family;
	char **spawned;
	int out[2];
	pid_t pid;

	ASSERT_TRUE(family_make(&family));
	spawned = (char **)text;
	argument[0] = strcpy((char *)text + 512, "/bin/busybox");
	argument[1] = strcpy((char *)text + 600, "echo");
	argument[2] = strcpy((char *)text + 700, "spawned");
	argument[3] = NULL;
	memcpy(spawned, argument, sizeof(argument));
	before = settle(&family);
	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, posix_spawn(&pid, spawned[0], &actions, NULL, spawned, environ));
		EXPECT_EQ(0, util_wait(pid));
		EXPECT_EQ(8, read(out[0], answer, sizeof(answer)));
		EXPECT_EQ(0, strcmp(answer, "spawned\n"));
		EXPECT_NE(0, posix_spawn(&pid, "/nothing/there", NULL, NULL, spawned, environ));
		EXPECT_EQ(0, family_wrong(&family));
	}
	expect_counts(_metadata, before);
}

/* Several at once, while others write. */
#define FORKERS 3

struct team {
	struct family family;
	volatile bool stop;
	unsigned int wrong;
};

struct writer {
	struct team *team;
	vm_address_t busy;
};

static void *team_fork(void *argument)
{
	struct team *team = argument;

	for (int i = 0; i < 15; i++) {
		pid_t pid = i % 2 ? fork() : raw_clone();

		if (pid == 0)
			syscall(SYS_exit_group, family_child_wrong(&team->family));
		__atomic_add_fetch(&team->wrong, util_wait(pid), __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *team_write(void *argument)
{
	struct writer *writer = argument;

	for (unsigned int i = 0; !writer->team->stop; i++)
		util_fill(writer->busy, 8, i);
	return NULL;
}

TEST(C2_threads_fork_at_once)
{
	struct team team = { 0 };
	struct writer writers[2] = { { &team, util_make(8) }, { &team, util_make(8) } };
	pthread_t writer[2], forker[FORKERS];

	ASSERT_TRUE(family_make(&team.family));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&writer[i], NULL, team_write, &writers[i]));
	for (int i = 0; i < FORKERS; i++)
		ASSERT_EQ(0, pthread_create(&forker[i], NULL, team_fork, &team));
	for (int i = 0; i < FORKERS; i++)
		pthread_join(forker[i], NULL);
	team.stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(writer[i], NULL);
	EXPECT_EQ(0, team.wrong);
	EXPECT_EQ(0, family_wrong(&team.family));
}

/*
 * The number that the child was to have is taken, which Linux finds out when all has been
 * inherited.
 */
static pid_t late_failure(void)
{
	pid_t taken = getpid();

	return raw_clone3(&taken);
}

TEST(C2_fork_that_fails_late)
{
	struct counts before;
	struct family family;

	ASSERT_TRUE(family_make(&family));
	before = settle(&family);
	for (int i = 0; i < 50; i++) {
		ASSERT_EQ(-1, late_failure());
		EXPECT_EQ(EEXIST, errno);
		if (i % 10)
			continue;
		EXPECT_EQ(0, family_wrong(&family));
		family_write(&family);
	}
	EXPECT_EQ(0, family_wrong(&family));
	family_write(&family);
	expect_counts(_metadata, before);
}

static void *team_fail(void *argument)
{
	struct team *team = argument;

	for (int i = 0; i < 40; i++)
		if (late_failure() != -1)
			__atomic_add_fetch(&team->wrong, 1, __ATOMIC_RELAXED);
	return NULL;
}

TEST(C2_forks_that_fail_beside_others)
{
	struct team team = { 0 };
	struct writer busy = { &team, util_make(8) };
	pthread_t writer, forker, failer;

	ASSERT_TRUE(family_make(&team.family));
	ASSERT_EQ(0, pthread_create(&writer, NULL, team_write, &busy));
	ASSERT_EQ(0, pthread_create(&forker, NULL, team_fork, &team));
	ASSERT_EQ(0, pthread_create(&failer, NULL, team_fail, &team));
	pthread_join(forker, NULL);
	pthread_join(failer, NULL);
	team.stop = true;
	pthread_join(writer, NULL);
	EXPECT_EQ(0, team.wrong);
	EXPECT_EQ(0, family_wrong(&team.family));
}

/* A fork that the user may have no more pages for: wired memory is copied at once. */
FIXTURE(fork_limit) {
	long pages;
};

FIXTURE_SETUP(fork_limit)
{
	self->pages = util_parameter("max_user_pages");
	ASSERT_LE(0, self->pages);
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
}

FIXTURE_TEARDOWN_PARENT(fork_limit)
{
	util_parameter_set("max_user_pages", self->pages);
}

TEST_F(fork_limit, C2_fork_without_pages_for_the_child)
{
	vm_address_t base, window = WINDOW;
	struct counts before;
	pid_t pid;

	ASSERT_EQ(0, util_parameter_set("max_user_pages", 40));
	ASSERT_EQ(0, setuid(USER));
	base = util_make(32);
	util_fill(base, 16, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &window, PAGES(16), FALSE));
	util_fill(window, 16, 2);
	ASSERT_EQ(KERN_SUCCESS, vm_wire(mach_host_self(), SELF, window, PAGES(16), VM_PROT_READ));
	before = count();
	for (int i = 0; i < 5; i++) {
		pid = fork();
		if (pid == 0) {
			vm_address_t fresh = 0;

			/* None of it is there, also what came before the lack was known. */
			for (int j = 0; j < 16; j++) {
				EXPECT_EQ(SIGBUS, util_read(base + PAGES(j)).signal);
				EXPECT_EQ(SIGBUS, util_write(window + PAGES(j), 1).signal);
			}
			EXPECT_EQ(0, util_regions(0, -1UL));
			/* It may begin anew, and its own children with it. */
			EXPECT_EQ(KERN_SUCCESS, vm_allocate(SELF, &fresh, PAGES(4), TRUE));
			util_fill(fresh, 4, 3);
			pid = fork();
			if (pid == 0) {
				EXPECT_EQ(0, util_wrong(fresh, 4, 3));
				EXPECT_EQ(SIGBUS, util_read(base).signal);
				CHILD_END();
			}
			EXPECT_EQ(0, util_wait(pid));
			EXPECT_EQ(0, util_wrong(fresh, 4, 3));
			CHILD_END();
		}
		EXPECT_EQ(0, util_wait(pid));
		expect_counts(_metadata, before);
		EXPECT_EQ(0, util_wrong(base, 16, 1));
		EXPECT_EQ(0, util_wrong(window, 16, 2));
		util_fill(base, 16, 1);
		util_fill(window, 16, 2);
	}
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_self(), SELF, window, PAGES(16), VM_PROT_NONE));
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, util_wrong(base, 16, 1));
		EXPECT_EQ(0, util_wrong(window, 16, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
}

/* What becomes of a fork that does not get all that it needs. */
enum fate { FATE_NONE, FATE_BARREN, FATE_WHOLE, FATE_BAD };

static enum fate child_fate(const struct family *family)
{
	unsigned int missing = family_child_missing(family);

	/* All of it or nothing, and who has nothing can begin anew. */
	if (missing == FAMILY_PARTS)
		return util_regions(0, -1UL) || !util_make(1) ? FATE_BAD : FATE_BARREN;
	return missing || family_child_wrong(family) ? FATE_BAD : FATE_WHOLE;
}

static enum fate fork_failing(const struct family *family, struct util_inject *inject,
			      unsigned int nth, bool *more)
{
	struct util_gate gate;
	enum fate fate = FATE_NONE;
	pid_t pid;

	if (util_gate_init(&gate))
		return FATE_BAD;
	util_inject(inject, nth);
	pid = raw_clone();
	if (pid == 0) {
		util_gate_pass(&gate);
		_exit(child_fate(family));
	}
	*more = util_inject_end(inject);
	if (pid > 0) {
		util_gate_open(&gate);
		fate = util_wait(pid);
		*more |= fate == FATE_BARREN;
	}
	close(gate.fd[0]);
	close(gate.fd[1]);
	return fate;
}

/* Some four hundred forks. */
TEST_F_TIMEOUT(fork_limit, C2_fork_that_lacks_any_one_thing, 570)
{
	unsigned int fates[FATE_BAD] = { 0 }, nth;
	struct util_inject inject;
	struct counts before;
	struct family family;
	bool more = true;

	ASSERT_TRUE(family_make(&family));
	before = settle(&family);
	ASSERT_TRUE(util_inject_init(&inject));
	for (nth = 1; more; nth++) {
		enum fate fate = fork_failing(&family, &inject, nth, &more);

		ASSERT_GT(FATE_BAD, fate) TH_LOG("without number %u", nth);
		fates[fate]++;
		EXPECT_EQ(0, family_wrong(&family)) TH_LOG("without number %u", nth);
		family_write(&family);
		expect_counts(_metadata, before);
	}
	TH_LOG("%u failed forks, %u children without, %u with all", fates[FATE_NONE],
	       fates[FATE_BARREN], fates[FATE_WHOLE]);
	EXPECT_EQ(inject.fd >= 0, fates[FATE_NONE] > 0);
	EXPECT_LT(0, fates[FATE_BARREN]);
	EXPECT_LT(0, fates[FATE_WHOLE]);
}

HARNESS_MAIN
