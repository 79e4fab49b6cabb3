// SPDX-License-Identifier: GPL-2.0-only
/*
 * reload.c - the module is loaded, used, refuses to be unloaded while anything of it is in use, and
 * is unloaded though what does not use it is there; CYCLES times, and nothing of that stays.
 *
 * Usage: reload MODULE [PARAMETERS].  With UNUSED=1 it is only loaded and unloaded; with LACK=1
 * what its parts need first lacks, one after the other, and it cannot be loaded.
 */
#include "reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CYCLES 200
#define INTERVALS 4
#define ENOUGH 40		/* cycles, to tell what grows from noise */
#define PATIENCE 6000		/* looks, 10 ms apart, until what a process had has gone */

static const char *parameters;
static int file;
static char name[64];

/* "/x/machvm.ko" is called machvm. */
static void open_module(const char *path)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : path);
	name[strcspn(name, ".")] = '\0';
	file = open(path, O_RDONLY | O_CLOEXEC);
	must(file >= 0);
}

static void load(void)
{
	must(!syscall(SYS_finit_module, file, parameters, 0));
}

static bool unload(void)
{
	if (!syscall(SYS_delete_module, name, O_NONBLOCK))
		return true;
	must(errno == EAGAIN || errno == EBUSY);
	return false;
}

/* Freeing what a process held may go on after the process has gone. */
static void unload_at_last(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned int i = 0; i < PATIENCE; i++) {
		if (unload())
			return;
		nanosleep(&pause, NULL);
	}
	raw_die(__FILE__, __LINE__, "the module stays in use");
}

/* A process that has done something, and waits to be let go. */
struct user {
	struct util_gate ready, end;
	pid_t pid;
};

static void user_start(struct user *user, const char *what, void (*does)(void))
{
	must(!util_gate_init(&user->ready));
	must(!util_gate_init(&user->end));
	user->pid = fork();
	must(user->pid >= 0);
	if (!user->pid) {
		must(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		does();
		util_gate_open(&user->ready);
		util_gate_pass(&user->end);
		_exit(0);
	}
	util_gate_close_writer(&user->ready);
	if (util_gate_pass(&user->ready))
		raw_die(__FILE__, __LINE__, "%s fails", what);
}

static void user_end(struct user *user)
{
	util_gate_open(&user->end);
	must_eq(util_wait(user->pid), 0);
	for (unsigned int i = 0; i < 2; i++)
		close(user->end.fd[i]);
	close(user->ready.fd[0]);
}

/* The module stays until who does it, or holds it, has ended. */
static void use(const char *what, void (*does)(void))
{
	struct user user;

	user_start(&user, what, does);
	if (unload())
		raw_die(__FILE__, __LINE__, "unloaded in spite of %s", what);
	user_end(&user);
}

/* The module goes first. */
static void outlive(const char *what, void (*leaves)(void))
{
	struct user user;

	user_start(&user, what, leaves);
	unload_at_last();
	user_end(&user);
}

static void cycle(unsigned int number, bool used)
{
	load();
	if (!used) {
		unload_at_last();
		return;
	}
	use("use", use_it);
	use(holds[number % nr_holds].name, holds[number % nr_holds].take);
	outlive("what is not heard", leave_behind);
	load();
	outlive("what is not released", leave_unreleased);
}

/* From where the parts of the module, each, get something when it is loaded, and little else does. */
static const char *const slabs[] = {
	"kmem_cache", "shmem_inode_cache", "pool_workqueue", "mnt_cache", "inode_cache",
};

static bool lack_prepare(void)
{
	char path[128];

	for (size_t i = 0; i < sizeof(slabs) / sizeof(slabs[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/failslab", slabs[i]);
		if (util_file_write(path, "1"))
			return false;
	}
	return !util_file_write("/sys/kernel/debug/failslab/cache-filter", "Y") &&
	       !util_file_write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
}

/* Returns how many things it needs, each of which was missing once. */
static unsigned int lack_each(void)
{
	int nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	unsigned int nth, left = 0;
	char text[16] = "";

	must(nth_file >= 0 && lack_prepare());
	for (nth = 1; !left; nth++) {
		int length = snprintf(text, sizeof(text), "%u", nth);
		long failed;
		int error;

		must(pwrite(nth_file, text, length, 0) == length ||
		     pwrite(nth_file, text, length, 0) == length);
		failed = syscall(SYS_finit_module, file, parameters, 0);
		error = errno;
		memset(text, 0, sizeof(text));
		/* This, too, is a copy that may be what lacks: then nothing was when it was loaded. */
		left = pread(nth_file, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 1;
		must(pwrite(nth_file, "0", 1, 0) == 1 || pwrite(nth_file, "0", 1, 0) == 1);
		if (failed && left)
			raw_die(__FILE__, __LINE__, "fails with all there: errno %d", error);
		/* It copies the parameters, too; and of an inode shmem says that it has no space. */
		if (failed && error != ENOMEM && error != EFAULT && error != ENOSPC)
			raw_die(__FILE__, __LINE__, "without number %u: errno %d", nth, error);
		if (!failed)
			unload_at_last();
	}
	return nth - 2;
}

int main(int argc, char **argv)
{
	const char *number = getenv("CYCLES");
	unsigned int cycles = number && *number ? atoi(number) : CYCLES;
	unsigned int interval = cycles / INTERVALS, found = 0;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_module(argv[1]);
	parameters = argc > 2 ? argv[2] : "";
	if (getenv("LACK")) {
		printf("# %u things were missing when it was loaded\n", lack_each());
		return 0;
	}
	for (unsigned int i = 0; i < cycles; i++) {
		cycle(i, !getenv("UNUSED"));
		if (cycles >= ENOUGH && (i + 1) % interval == 0)
			growth_look();
	}
	if (cycles >= ENOUGH)
		found = growth_found(interval);
	else
		printf("# too few to tell what grows\n");
	printf("# %u cycles, %u things grow\n", cycles, found);
	return found != 0;
}
