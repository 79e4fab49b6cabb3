// SPDX-License-Identifier: GPL-2.0-only
/*
 * look.c - machvmctl, and files in /proc: who looks at what goes on must not disturb it, nor be
 * stopped by it.
 */
#include "soak.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* %d is a process, %u an object's number that may be anything. */
static const char *const commands[] = {
	"machvmctl status", "machvmctl stat", "machvmctl -j stat 0.1 3", "machvmctl map %d",
	"machvmctl -j map %d", "machvmctl object", "machvmctl -j object", "machvmctl object %u",
	"machvmctl object --tree %u", "machvmctl object --dot %u", "machvmctl pager list",
	"machvmctl -j pager list", "cat /proc/%d/smaps", "cat /proc/%d/maps /proc/%d/status",
	"cat /proc/%d/stack /proc/%d/wchan", "cat /proc/vmstat /proc/meminfo /proc/slabinfo",
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* What is asked for may have ended, which is 1; whatever else is wrong. */
static void look(const char *command)
{
	char line[256];
	int status;

	snprintf(line, sizeof(line), "exec >/dev/null 2>&1; %s", command);
	status = system(line);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		finding("%s ends with %#x", command, status);
}

void look_run(struct part *part)
{
	unsigned int seed = seed_of(part);

	while (!stopped()) {
		const char *format = commands[below(&seed, NR_COMMANDS)];
		pid_t pid = board->parts[below(&seed, board->nr_parts)].pid ?: getpid();

		snprintf(part->doing, sizeof(part->doing), format,
			 strstr(format, "%u") ? 1 + (pid_t)below(&seed, 100) : pid, pid);
		look(part->doing);
		atomic_fetch_add(&board->looks, 1);
		go_on(part);
	}
}
