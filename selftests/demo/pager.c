// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager.c - runs machvmctl: as the pager, and to show its views.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

#define CTL "machvmctl"

/* exec_pager - serves the file twice: two objects of one pager; says on fd when it is ready */
static void exec_pager(const struct file *f, int fd)
{
	char number[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(number, sizeof(number), "%d", fd);
	if (dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) < 0)
		_exit(127);
	execlp(CTL, CTL, "pager", "serve", "--listen", SOCKET, "--log", PAGER_LOG, "--ready-fd",
	       number, f->path, f->path, (char *)NULL);
	fprintf(stderr, "demo: %s: %s\n", CTL, strerror(errno));
	_exit(127);
}

pid_t pager_start(const struct file *f)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		fail("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (!pid) {
		close(ready[0]);
		exec_pager(f, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		fail("the pager did not start");
	close(ready[0]);
	return pid;
}

void pager_kill(pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		fail("killing the pager: %s", strerror(errno));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail("the pager had ended before it was killed");
}

void show(const char *command, const char *arg)
{
	char *const argv[] = { CTL, (char *)command, (char *)arg, NULL };
	int status;
	pid_t pid;

	printf("\n$ %s %s%s%s\n", CTL, command, arg ? " " : "", arg ? arg : "");
	fflush(stdout);
	/* Unlike fork(2), this makes no copy of our map, which the view would show. */
	if (posix_spawnp(&pid, CTL, NULL, NULL, argv, environ))
		fail("%s cannot be run", CTL);
	if (waitpid(pid, &status, 0) != pid || status)
		fail("%s %s failed", CTL, command);
}
