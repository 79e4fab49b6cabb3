// SPDX-License-Identifier: GPL-2.0-only
/*
 * perform.c - the threads that carry calls out, and the calls of Linux's among them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fuzz.h"
#include "futex.h"
#include "others.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (32 * PAGE)
#define COPY_MOST (16 * PAGE)
#define MAP_MOST (1UL << 24)
#define TOUCH_FAILURES 8
#define SECOND_SLOTS 2		/* of each process but the first, which has the rest */

static __thread unsigned char *buffer;
static __thread sigjmp_buf env;
static __thread volatile sig_atomic_t armed;

/* Touching memory that may not be there */

static void fault(int signal)
{
	(void)signal;
	if (!armed)
		_exit(1);
	armed = 0;
	siglongjmp(env, 1);
}

static void faults_catch(void)
{
	struct sigaction action = { .sa_handler = fault, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool guarded_copy(void *to, const void *from, size_t size)
{
	if (sigsetjmp(env, 0))
		return false;
	armed = 1;
	memcpy(to, from, size);
	armed = 0;
	return true;
}

bool guarded_touch(uint64_t at, bool write)
{
	volatile unsigned char *byte = (volatile unsigned char *)at;

	if (sigsetjmp(env, 0))
		return false;
	armed = 1;
	if (write)
		*byte = at >> 12;
	else
		(void)*byte;
	armed = 0;
	return true;
}

void *worker_buffer(void)
{
	return buffer;
}

/* One call */

static long result(long returned)
{
	return returned < 0 ? -errno : returned;
}

static void put_in(unsigned char *structure, const struct field *field, uint64_t value)
{
	if (field->bytes)
		memcpy(structure + field->place, &value, field->bytes);
}

static long ioctl_perform(const struct call_kind *kind, const struct call *call,
			  const uint64_t *values)
{
	unsigned char structure[512] __attribute__((aligned(8))) = {};
	uint64_t noise = values[I_NOISE];
	long answer;

	(void)call;
	for (unsigned int i = 0; i < kind->nr; i++)
		put_in(structure, &kind->fields[i], values[i]);
	for (; noise; noise >>= 16)
		structure[(noise & 0xff) % kind->size] ^= noise >> 8 & 0xff;
	memset(buffer, 0, PAGE);
	guarded_copy((void *)values[I_AT], structure, kind->size);
	answer = result(ioctl(values[I_ON], kind->command, values[I_AT]));
	if (!answer && guarded_copy(structure, (void *)values[I_AT], kind->size))
		learn_ioctl(kind->command, structure);
	return answer;
}

long call_perform(const struct call *call, unsigned int number)
{
	const struct call_kind *kind = &call_kinds[call->kind];
	uint64_t *values = scene->resolved[number];

	for (unsigned int i = 0; i < kind->nr; i++)
		values[i] = value_resolve(&call->values[i], buffer);
	switch (kind->type) {
	case CALL_IOCTL:
		return ioctl_perform(kind, call, values);
	case CALL_NETLINK:
		return netlink_perform(kind, call, values);
	default:
		return kind->run(values);
	}
}

/* Threads */

static void worker_more(unsigned int number);

static void worker_run(unsigned int number)
{
	struct slot *slot = &scene->slots[number];

	buffer = mmap(NULL, BUFFER + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (buffer == MAP_FAILED || munmap(buffer + BUFFER, PAGE))
		_exit(1);
	memset(buffer + PAGE, 0x77, PAGE);
	slot->thread = syscall(SYS_gettid);
	cover_enable(number, scene->mode);
	for (;;) {
		int call;

		atomic_store(&slot->state, SLOT_IDLE);
		futex_wake(&slot->state);
		while (atomic_load(&slot->state) == SLOT_IDLE)
			futex_wait(&slot->state, SLOT_IDLE, NULL);
		worker_more(number);
		call = slot->call;
		scene->answers[call] = call_perform(&scene->program.calls[call], call);
	}
}

static void *worker_thread(void *argument)
{
	worker_run((uintptr_t)argument);
	return NULL;
}

static unsigned int first_slot(int process)
{
	return process ? SLOTS - SECOND_SLOTS * (PROCESSES - process) : 0;
}

/* Whoever begins a call, which may not come back, leaves another one there for the next. */
static void worker_more(unsigned int number)
{
	int process = scene->slots[number].process;
	unsigned int end = first_slot(process + 1);
	pthread_attr_t attributes;
	pthread_t thread;

	number++;
	if (number >= end || atomic_load(&scene->slots[number].state) != SLOT_UNUSED ||
	    scene->slots[number].begun)
		return;
	scene->slots[number].process = process;
	scene->slots[number].begun = true;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 1 << 18);
	pthread_create(&thread, &attributes, worker_thread, (void *)(uintptr_t)number);
	pthread_attr_destroy(&attributes);
}

/* The caller becomes the first of the threads of a process; never returns. */
void worker_start(unsigned int slot, int process)
{
	faults_catch();
	scene->pids[process] = getpid();
	scene->slots[slot].begun = true;
	worker_run(slot);
}

long run_fork(const uint64_t *values)
{
	unsigned int process = atomic_fetch_add(&scene->nr_processes, 1) + 1;
	pid_t pid;

	(void)values;
	if (process >= PROCESSES)
		return -EAGAIN;
	/* Who waits for it knows that it is to come. */
	scene->slots[first_slot(process)].process = process;
	scene->slots[first_slot(process)].begun = true;
	pid = fork();
	if (!pid)
		worker_start(first_slot(process), process);
	return pid < 0 ? -errno : 0;
}

/* What Linux offers */

/* Where nothing of the program itself lies. */
static bool is_foreign(uint64_t at)
{
	return at >= 1UL << 32 && at < 0x7e0000000000;
}

long run_socket(const uint64_t *values)
{
	return netlink_socket(values[0] & 1);
}

long run_receive(const uint64_t *values)
{
	netlink_drain(values[0]);
	return 0;
}

long run_serve(const uint64_t *values)
{
	return netlink_serve(values[0], values[1] & 0xf, values[2]) ? 0 : -EAGAIN;
}

long run_close(const uint64_t *values)
{
	unsigned int fd = values[0];

	return fd < 100 ? result(close(fd)) : -EBADF;
}

long run_dup(const uint64_t *values)
{
	int fd = dup(values[0]);

	return fd < 0 ? -errno : 0;
}

long run_touch(const uint64_t *values)
{
	unsigned int count = values[1] % 1025, failures = 0;

	for (unsigned int i = 0; i < count && failures < TOUCH_FAILURES; i++)
		failures += !guarded_touch(values[0] + i * PAGE, values[2] & 1);
	return failures ? -EFAULT : 0;
}

long run_kill(const uint64_t *values)
{
	pid_t pid = scene->pids[values[0] % PROCESSES];

	return pid > 0 ? result(kill(pid, SIGKILL)) : -ESRCH;
}

long run_proc_mem(const uint64_t *values)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", scene->pids[values[0] % PROCESSES]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	learn_task(fd);
	return 0;
}

long run_mmap(const uint64_t *values)
{
	uint64_t at = values[0] & -PAGE, length = values[1] % MAP_MOST;
	void *got;

	if (values[3] & 1 && !is_foreign(at))
		return -EINVAL;
	got = mmap((void *)at, length, values[2] & 7,
		   MAP_PRIVATE | MAP_ANONYMOUS | (values[3] & 1 ? MAP_FIXED : 0), -1, 0);
	if (got == MAP_FAILED)
		return -errno;
	learn_memory((uintptr_t)got, length);
	return 0;
}

long run_munmap(const uint64_t *values)
{
	return is_foreign(values[0]) ? result(munmap((void *)values[0], values[1])) : -EINVAL;
}

long run_mprotect(const uint64_t *values)
{
	if (!is_foreign(values[0]))
		return -EINVAL;
	return result(mprotect((void *)values[0], values[1], values[2] & 7));
}

long run_madvise(const uint64_t *values)
{
	if (!is_foreign(values[0]))
		return -EINVAL;
	return result(madvise((void *)values[0], values[1], values[2] % 26));
}

long run_mremap(const uint64_t *values)
{
	void *got;

	if (!is_foreign(values[0]))
		return -EINVAL;
	got = mremap((void *)values[0], values[1], values[2] % MAP_MOST,
		     values[3] & MREMAP_MAYMOVE);
	return got == MAP_FAILED ? -errno : 0;
}

long run_mlock(const uint64_t *values)
{
	uint64_t length = values[1] % MAP_MOST;

	if (values[2] & 1)
		return result(mlock((void *)values[0], length));
	return result(munlock((void *)values[0], length));
}

static size_t at_most(uint64_t length)
{
	return length < COPY_MOST ? length : COPY_MOST;
}

long run_copy_out(const uint64_t *values)
{
	ssize_t got = -1;
	int ends[2];

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	got = write(ends[1], (void *)values[0], at_most(values[2]));
	if (got > 0)
		got = read(ends[0], (void *)values[1], got);
	close(ends[0]);
	close(ends[1]);
	return got > 0 ? 0 : -EFAULT;
}

long run_peek(const uint64_t *values)
{
	ssize_t got = pread(values[0], buffer + PAGE, at_most(values[2]), values[1]);

	return got < 0 ? -errno : 0;
}

long run_poke(const uint64_t *values)
{
	ssize_t got = pwrite(values[0], buffer + PAGE, at_most(values[2]), values[1]);

	return got < 0 ? -errno : 0;
}

long run_futex(const uint64_t *values)
{
	const struct timespec soon = { .tv_nsec = 1000000 };
	int private = values[1] & 1 ? 0 : 128;

	syscall(SYS_futex, values[0], 0 | private, 0, &soon, NULL, 0);
	return result(syscall(SYS_futex, values[0], 5 | private, 1, 1, values[0], 0x1000000));
}

long run_reclaim(const uint64_t *values)
{
	const char what = '0' + values[0] % 4;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	long answer;

	if (fd < 0)
		return -errno;
	answer = write(fd, &what, 1) == 1 ? 0 : -errno;
	close(fd);
	return answer;
}

long run_pause(const uint64_t *values)
{
	const struct timespec pause = { .tv_nsec = values[0] % 21 * 1000000 };

	nanosleep(&pause, NULL);
	return 0;
}
