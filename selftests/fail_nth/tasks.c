// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasks.c - processes that begin and end, and ports of theirs.
 */
#include "sweep.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARTS 5

enum part { PART_COPIED, PART_SHARED, PART_MISSING, PART_ZEROED, PART_WIRED };

static vm_address_t part(struct scene *scene, enum part number)
{
	return scene->base + PAGES(2 * number);
}

/* Memory of every inheritance, two pages each. */
static void family(struct scene *scene)
{
	scene->base = util_make(2 * PARTS);
	must(scene->base);
	util_fill(scene->base, 2 * PARTS, 1);
	must_eq(vm_inherit(SELF, part(scene, PART_SHARED), PAGES(2), VM_INHERIT_SHARE), 0);
	must_eq(vm_inherit(SELF, part(scene, PART_MISSING), PAGES(2), VM_INHERIT_NONE), 0);
	must_eq(vm_inherit(SELF, part(scene, PART_ZEROED), PAGES(2), MACHVM_INHERIT_ZERO), 0);
	must_eq(vm_wire(mach_host_priv(), SELF, part(scene, PART_WIRED), PAGES(2), VM_PROT_READ),
		0);
	must(!util_gate_init(&scene->gate));
}

static unsigned int wrong_in(struct scene *scene, enum part number)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 2; i++)
		wrong += !page_is(part(scene, number), i, util_mark(2 * number + i, 1));
	return wrong;
}

enum { FATE_WHOLE, FATE_BARREN, FATE_BAD };

/* All of it or nothing, and who has nothing can begin anew. */
static int child_fate(struct scene *scene)
{
	if (!util_regions(0, -1UL))
		return util_read(scene->base).signal && util_make(1) ? FATE_BARREN : FATE_BAD;
	if (wrong_in(scene, PART_COPIED) + wrong_in(scene, PART_SHARED) +
	    wrong_in(scene, PART_WIRED) + util_not_zero(part(scene, PART_ZEROED), 2) ||
	    util_why_read(part(scene, PART_MISSING)) != KERN_INVALID_ADDRESS)
		return FATE_BAD;
	util_fill(part(scene, PART_COPIED), 2, 9);
	util_fill(part(scene, PART_WIRED), 2, 9);
	util_fill(part(scene, PART_ZEROED), 2, 9);
	return FATE_WHOLE;
}

/* Without libc, which allocates, too. */
static long fork_raw(struct scene *scene)
{
	scene->pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (!scene->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		util_gate_pass(&scene->gate);
		_exit(child_fate(scene));
	}
	return scene->pid < 0 ? -errno : 0;
}

static void forked(struct scene *scene, long answer)
{
	int fate = FATE_WHOLE;

	if (!answer) {
		util_gate_open(&scene->gate);
		fate = util_wait(scene->pid);
	}
	if (scene->lacked && !answer)
		must(fate == FATE_WHOLE || fate == FATE_BARREN);
	else
		must_eq(fate, FATE_WHOLE);
	for (int i = 0; i < PARTS; i++)
		must_eq(wrong_in(scene, i), 0);
	util_fill(scene->base, 2 * PARTS, 1);
}

/* A child sets all of it up, lacks something from then on, and ends as @end has it. */
static long child_ends(struct scene *scene, void (*end)(void))
{
	siginfo_t info;
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid) {
		family(scene);
		lack_open();
		if (scene->traced)
			traced_go_instead();
		lack_begin(scene->nth);
		end();
		_exit(0);
	}
	must(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	scene->fds[3] = lack_left(pid);
	scene->lacked = !scene->fds[3];
	if (!scene->lacked)
		must_eq(util_wait(pid), 0);
	else
		util_wait(pid);
	return 0;
}

static void end_exit(void)
{
	_exit(0);
}

static void end_exec(void)
{
	static char *const arguments[] = { "busybox", "true", NULL };

	execve("/bin/busybox", arguments, NULL);
}

static long exits(struct scene *scene)
{
	return child_ends(scene, end_exit);
}

static long execs(struct scene *scene)
{
	return child_ends(scene, end_exec);
}

static void nothing(struct scene *scene, long answer)
{
	(void)scene;
	must_eq(answer, 0);
}

static long task_port(struct scene *scene)
{
	struct machvm_task_port call = { .size = sizeof(call), .task = MACHVM_TASK_SELF };
	long answer = util_ioctl(util_device(), MACHVM_TASK_PORT, &call);

	scene->fds[0] = call.out_port;
	return answer;
}

/* The port is good for this process's memory. */
static void port_works(struct scene *scene, long answer)
{
	struct machvm_vm_region region;

	if (answer)
		return;
	must_eq(util_region_full(scene->fds[0], scene->base, &region), 0);
	must_eq(region.address, scene->base);
}

static void with_port(struct scene *scene)
{
	scene_memory(scene);
	must_eq(task_port(scene), 0);
	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scene->fds + 1));
}

union ancillary {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static void message_about(struct msghdr *message, struct iovec *part, union ancillary *right,
			  char *byte)
{
	*part = (struct iovec){ byte, 1 };
	*message = (struct msghdr){
		.msg_iov = part, .msg_iovlen = 1,
		.msg_control = right, .msg_controllen = sizeof(*right),
	};
}

/* From one end of a pair of sockets to the other. */
static long pass_port(struct scene *scene)
{
	union ancillary right = { 0 };
	struct msghdr message;
	struct iovec part;
	char byte = 'M';

	message_about(&message, &part, &right, &byte);
	right.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&right.header), &scene->fds[0], sizeof(int));
	if (sendmsg(scene->fds[1], &message, 0) < 0)
		return -errno;
	message_about(&message, &part, &right, &byte);
	if (recvmsg(scene->fds[2], &message, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	/* Who has no room for the right gets the byte alone. */
	if (message.msg_flags & MSG_CTRUNC || message.msg_controllen < sizeof(struct cmsghdr))
		return -ENOBUFS;
	memcpy(&scene->fds[0], CMSG_DATA(&right.header), sizeof(int));
	return 0;
}

static void child_with_memory(struct scene *scene)
{
	struct util_gate ready;

	must(!util_gate_init(&scene->gate));
	must(!util_gate_init(&ready));
	scene->pid = fork();
	must(scene->pid >= 0);
	if (!scene->pid) {
		must(!prctl(PR_SET_PDEATHSIG, SIGKILL));
		scene_memory(scene);
		must(write(ready.fd[1], &scene->base, sizeof(scene->base)) ==
		     sizeof(scene->base));
		util_gate_pass(&scene->gate);
		_exit(0);
	}
	must(read(ready.fd[0], &scene->base, sizeof(scene->base)) == sizeof(scene->base));
}

static long task_for_pid(struct scene *scene)
{
	mach_port_t port = 0;
	long answer = machvm_task_for_pid(scene->pid, &port);

	scene->fds[0] = port;
	return answer;
}

static void task_found(struct scene *scene, long answer)
{
	port_works(scene, answer);
	if (answer)
		return;
	util_gate_open(&scene->gate);
	must_eq(util_wait(scene->pid), 0);
}

const struct sequence task_sequences[] = {
	STEPS("fork", family, fork_raw, forked),
	STEPS("exec", NULL, execs, nothing, .itself = true),
	STEPS("exit", NULL, exits, nothing, .itself = true),
	STEPS("task_port", scene_memory, task_port, port_works),
	STEPS("port_passed", with_port, pass_port, port_works, .also = -EAGAIN),
	/* Linux says of a file in /proc for which it lacks memory that it is not there. */
	STEPS("task_for_pid", child_with_memory, task_for_pid, task_found,
	      .also = KERN_INVALID_TASK, .library = true),
	SEQUENCE_END
};
