// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagers.c - the pager of the object and the default memory manager, and their ends.
 *
 * Who is killed is followed by another one, at once or after a while: until then whoever needs
 * one waits.
 */
#include "soak.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ticks; there are some of them in a second. */
#define PAGER_LIVES 60
#define MANAGER_LIVES 150
#define LATE 20

struct mortal {
	const char *name;
	void (*serve)(void);
	unsigned int lives;		/* ticks, about */
	pid_t pid;
	unsigned int absent;		/* ticks until the next one */
	int ends_with;			/* the signal that it was sent, or 0 */
};

static void on_terminate(void *cookie, memory_object_control_t control)
{
	(void)cookie;
	(void)control;
	atomic_fetch_add(&board->terminated, 1);
}

static void serve_object(void)
{
	struct machvm_pager_ops ops = disk_pager_ops;
	struct machvm_pager *pager;

	ops.terminate = on_terminate;
	must(!mlockall(MCL_CURRENT | MCL_FUTURE));
	must_eq(machvm_pager_create(&ops, &pager), KERN_SUCCESS);
	must_eq(machvm_pager_adopt(pager, object.control, &board->disk), KERN_SUCCESS);
	atomic_fetch_add(&board->successions, 1);
	_exit(machvm_pager_run(pager) ? 1 : 0);
}

static void serve_memory(void)
{
	int null = open("/dev/null", O_WRONLY);

	atomic_fetch_add(&board->managers, 1);
	dup2(null, 1);
	execlp("machvmctl", "machvmctl", "default-pager", DATABASE, NULL);
	_exit(127);
}

static struct mortal mortals[] = {
	{ .name = "pager", .serve = serve_object, .lives = PAGER_LIVES },
	{ .name = "default pager", .serve = serve_memory, .lives = MANAGER_LIVES },
};
#define NR_MORTALS (sizeof(mortals) / sizeof(mortals[0]))
#define MANAGER (&mortals[1])

static void start(struct mortal *mortal)
{
	mortal->ends_with = 0;
	mortal->pid = fork();
	must(mortal->pid >= 0);
	if (!mortal->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		mortal->serve();
	}
}

static void end(struct mortal *mortal, int sig)
{
	mortal->ends_with = sig;
	kill(mortal->pid, sig);
}

static void tick(struct mortal *mortal, unsigned int *seed, bool deadly)
{
	if (!mortal->pid) {
		if (mortal->absent)
			mortal->absent--;
		else
			start(mortal);
	} else if (deadly && !mortal->ends_with && !below(seed, mortal->lives)) {
		mortal->absent = below(seed, 3) ? 0 : below(seed, LATE);
		end(mortal, mortal == MANAGER && !below(seed, 4) ? SIGTERM : SIGKILL);
	}
}

void kernels_again(void)
{
	memory_object_t manager = MACH_PORT_DEAD;

	must_eq(vm_set_default_memory_manager(mach_host_priv(), &manager), KERN_SUCCESS);
	if (manager != MACH_PORT_NULL)
		mach_port_deallocate(SELF, manager);
}

void pagers_tick(unsigned int *seed, bool deadly)
{
	for (unsigned int i = 0; i < NR_MORTALS; i++)
		tick(&mortals[i], seed, deadly);
	if (deadly && !below(seed, 4 * MANAGER_LIVES))
		kernels_again();
}

bool pagers_ended(pid_t pid, int status)
{
	for (unsigned int i = 0; i < NR_MORTALS; i++) {
		struct mortal *mortal = &mortals[i];

		if (mortal->pid != pid)
			continue;
		mortal->pid = 0;
		atomic_fetch_add(&board->deaths, 1);
		/* Who was told to end has ended well, or was killed before it had begun. */
		if (!mortal->ends_with ||
		    (status != mortal->ends_with && !(status == 0 && mortal->ends_with == SIGTERM)))
			finding("the %s ends with %#x after signal %d", mortal->name, status,
				mortal->ends_with);
		return true;
	}
	return false;
}

void pagers_end(void)
{
	kernels_again();
	for (unsigned int i = 0; i < NR_MORTALS; i++) {
		if (!mortals[i].pid)
			continue;
		kill(mortals[i].pid, SIGKILL);
		util_wait(mortals[i].pid);
		mortals[i].pid = 0;
	}
}

void say_pagers(void)
{
	if (system("machvmctl pager list >&2; machvmctl object >&2; machvmctl stat >&2; "
		   "cat /proc/meminfo /proc/swaps >&2"))
		fputs("# machvmctl does not say who waits\n", stderr);
	util_say_stacks();
}
