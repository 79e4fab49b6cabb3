// SPDX-License-Identifier: GPL-2.0-only
/*
 * reload.c - the module is loaded, used, refuses to be unloaded while anything of it is in use, and
 * is unloaded; CYCLES times, and nothing of that stays.
 *
 * Usage: reload MODULE [PARAMETERS].  With UNUSED=1 it is only loaded and unloaded.
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

static pid_t child(struct util_gate *ready, struct util_gate *end, const struct hold *hold)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid)
		return pid;
	must(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	if (hold)
		hold->take();
	else
		use_it();
	util_gate_open(ready);
	util_gate_pass(end);
	_exit(0);
}

/* A process of its own does it, or holds it; the module stays until that has ended. */
static void use(const struct hold *hold)
{
	struct util_gate ready, end;
	pid_t pid;

	must(!util_gate_init(&ready));
	must(!util_gate_init(&end));
	pid = child(&ready, &end, hold);
	util_gate_close_writer(&ready);
	if (util_gate_pass(&ready))
		raw_die(__FILE__, __LINE__, "%s fails", hold ? hold->name : "use");
	if (unload())
		raw_die(__FILE__, __LINE__, "unloaded in spite of %s", hold ? hold->name : "use");
	util_gate_open(&end);
	must_eq(util_wait(pid), 0);
	for (unsigned int i = 0; i < 2; i++)
		close(end.fd[i]);
	close(ready.fd[0]);
}

static void cycle(unsigned int number, bool used)
{
	load();
	if (used) {
		use(NULL);
		use(&holds[number % nr_holds]);
	}
	unload_at_last();
}

int main(int argc, char **argv)
{
	const char *number = getenv("CYCLES");
	unsigned int interval = (number && *number ? atoi(number) : CYCLES) / INTERVALS;
	unsigned int found;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_module(argv[1]);
	parameters = argc > 2 ? argv[2] : "";
	for (unsigned int i = 0; i < INTERVALS * interval; i++) {
		cycle(i, !getenv("UNUSED"));
		if ((i + 1) % interval == 0)
			growth_look();
	}
	found = growth_found(interval);
	printf("# %u cycles, %u things grow\n", INTERVALS * interval, found);
	return found != 0;
}
