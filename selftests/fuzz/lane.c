// SPDX-License-Identifier: GPL-2.0-only
/*
 * lane.c - runs a program in processes of its own, and makes an end of it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fuzz.h"
#include "futex.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000
#define CALL_MS 20		/* a call that takes longer, and sleeps, is left alone */
#define CALL_LOOKS 500
#define END_LOOKS 2
#define DIE_LOOKS 12000		/* at whether what was killed has died, ten milliseconds apart */
#define USER 1000

void (*lane_harvest)(unsigned int call, unsigned int slot);

static bool covered;

bool lane_open(unsigned int number)
{
	scene = mmap(NULL, sizeof(*scene), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	/* Children of children come to us. */
	if (scene == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return false;
	covered = cover_open(number);
	return true;
}

static void limit(int resource, rlim_t most)
{
	const struct rlimit both = { most, most };

	setrlimit(resource, &both);
}

static void become_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
		_exit(1);
	prctl(PR_SET_DUMPABLE, 1);	/* or not even /proc/self/mem can be opened */
}

/* The first process of the program; never returns. */
static void play(void)
{
	int fd, adjust = open("/proc/self/oom_score_adj", O_WRONLY);

	setpgid(0, 0);
	if (adjust < 0 || write(adjust, "1000", 4) != 4)
		_exit(1);
	close_range(3, 199, 0);
	fd = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	close(fd);
	limit(RLIMIT_NOFILE, 256);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_MEMLOCK, 1 << 20);
	if (scene->program.user)
		become_user();
	scene->device = open(MACHVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (scene->device < 0)
		_exit(1);
	worker_start(0, 0);
}

/* Waits for that state to pass; false if it is still so after @ms. */
static bool passes(struct slot *slot, int state, unsigned int ms)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	while (atomic_load(&slot->state) == state) {
		struct timespec most;
		long left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (end.tv_sec - now.tv_sec) * 1000000000L + end.tv_nsec - now.tv_nsec;
		if (left <= 0)
			return false;
		most = (struct timespec){ left / 1000000000, left % 1000000000 };
		futex_wait(&slot->state, state, &most);
	}
	return true;
}

/* What /proc says of the thread; 0 if it is gone. */
static char thread_state(const struct slot *slot)
{
	char path[64], line[256] = "", *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", slot->thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, line, sizeof(line) - 1) < 0)
		line[0] = 0;
	close(fd);
	at = strrchr(line, ')');
	return at && at[1] ? at[2] : 0;
}

/* One that only has had no processor is waited for. */
static bool ends(struct slot *slot, unsigned int looks)
{
	for (unsigned int i = 0; i < looks; i++) {
		if (passes(slot, SLOT_BUSY, CALL_MS))
			return true;
		if (thread_state(slot) != 'R')
			return passes(slot, SLOT_BUSY, 0);
	}
	return false;
}

static struct slot *idle_slot(int process)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct slot *slot = &scene->slots[i];

		if (slot->process != process || !slot->begun)
			continue;
		/* One that has just been made is on its way. */
		if (atomic_load(&slot->state) == SLOT_UNUSED)
			passes(slot, SLOT_UNUSED, START_MS);
		if (atomic_load(&slot->state) == SLOT_IDLE)
			return slot;
	}
	return NULL;
}

static void harvest(const struct slot *slot)
{
	if (lane_harvest)
		lane_harvest(slot->call, slot - scene->slots);
}

static void calls_make(struct outcome *outcome)
{
	for (unsigned int i = 0; i < scene->program.nr; i++) {
		const struct call *call = &scene->program.calls[i];
		struct slot *slot = idle_slot(call->process);

		scene->answers[i] = -ETIME;
		if (!slot)
			continue;
		slot->call = i;
		if (scene->mode == COVER_OPERANDS)
			cover_reset(slot - scene->slots);
		atomic_store(&slot->state, SLOT_BUSY);
		futex_wake(&slot->state);
		outcome->calls++;
		if (call->async)
			continue;
		if (ends(slot, CALL_LOOKS))
			harvest(slot);
		else
			outcome->blocked++;
	}
}

static void calls_end(void)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (atomic_load(&scene->slots[i].state) == SLOT_BUSY)
			ends(&scene->slots[i], END_LOOKS);
}

/* Where everything hangs, into the log of the kernel, too. */
static void tell_stacks(pid_t group)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "for t in $(ps -o pid,pgid 2>/dev/null | awk '$2 == %d { print $1 }') %d; do "
		 "for s in /proc/$t/task/*/stack; do echo \"# $s\"; cat $s; done; done >&2",
		 group, group);
	if (system(command))
		fputs("# and cannot say where\n", stderr);
}

/* All of it dies, whatever it is at; false if it does not. */
static bool group_end(pid_t group)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned int i = 0; i < DIE_LOOKS; i++) {
		pid_t pid;

		kill(-group, SIGKILL);
		do {
			pid = waitpid(-group, NULL, WNOHANG | __WALL);
		} while (pid > 0);
		if (pid < 0 && errno == ECHILD && kill(-group, 0))
			return true;
		nanosleep(&pause, NULL);
	}
	tell_stacks(group);
	return false;
}

struct outcome lane_run(const struct program *program, enum cover_mode mode)
{
	struct outcome outcome = {};
	int family = scene->family;
	pid_t group;

	memset(scene, 0, sizeof(*scene));
	scene->program = *program;
	scene->mode = covered ? mode : COVER_NONE;
	scene->family = family ? family : netlink_family();
	for (unsigned int i = 0; i < SLOTS; i++)
		cover_reset(i);
	group = fork();
	if (group < 0)
		return outcome;
	if (!group)
		play();
	setpgid(group, group);	/* whoever of both comes first */
	if (passes(&scene->slots[0], SLOT_UNUSED, START_MS))
		calls_make(&outcome);
	calls_end();
	outcome.hung = !group_end(group);
	return outcome;
}
