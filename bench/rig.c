// SPDX-License-Identifier: GPL-2.0-only
/*
 * rig.c - the clock that counts instructions, and a process for each measurement.
 *
 * In a guest under -icount shift=0 the time stamp counter advances by one with each instruction
 * of the machine, whoever runs it.  So a figure holds the interrupts and the other processors'
 * work that fell into it; both are small once the guest has settled.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

#define CPU 1			/* devices interrupt CPU 0 */
#define SETTLE_SECONDS 8
#define PAUSE_NS 50000000	/* for what the last process left to be freed */
#define CALIBRATION_LOOPS 50000000UL

void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bench: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

uint64_t now(void)
{
	return __rdtsc();
}

static void pause_for(time_t seconds, long ns)
{
	const struct timespec pause = { .tv_sec = seconds, .tv_nsec = ns };

	nanosleep(&pause, NULL);
}

/* rig_calibrate - ticks of the clock for one instruction: 1 on the rig */
double rig_calibrate(void)
{
	uint64_t loops = CALIBRATION_LOOPS;
	uint64_t start = now();

	asm volatile("1:	dec	%0\n"
		     "	jnz	1b\n" : "+r" (loops) : : "cc");
	return (double)(now() - start) / (2.0 * CALIBRATION_LOOPS);
}

/* rig_settle - stays on one processor, and lets the boot come to its end */
void rig_settle(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(CPU, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot stay on CPU %d: %s", CPU, strerror(errno));
	pause_for(SETTLE_SECONDS, 0);
}

static void subject(const struct side *side, int to)
{
	uint64_t ins;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ins = side->run();
	if (write(to, &ins, sizeof(ins)) != sizeof(ins))
		die("%s: %s", side->name, strerror(errno));
	fflush(NULL);
	_exit(0);
}

/* rig_measure - runs the side once; a round below 0 is for warming up */
void rig_measure(struct side *side, int round)
{
	uint64_t ins = 0;
	int ends[2], status;
	pid_t pid;

	if (pipe(ends))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close(ends[0]);
		subject(side, ends[1]);
	}
	close(ends[1]);
	if (read(ends[0], &ins, sizeof(ins)) != sizeof(ins))
		die("%s: nothing was measured", side->name);
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		die("%s: the process ended with status %#x", side->name, status);
	if (round >= 0)
		side->ins[round] = ins;
	pause_for(0, PAUSE_NS);
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void rig_sum_up(struct side *side)
{
	uint64_t sorted[BENCH_ROUNDS];
	uint64_t median;

	memcpy(sorted, side->ins, sizeof(sorted));
	qsort(sorted, BENCH_ROUNDS, sizeof(sorted[0]), compare);
	median = sorted[BENCH_ROUNDS / 2];
	if (!median)
		return;
	side->median = (double)median / side->ops;
	side->spread = (double)(sorted[BENCH_ROUNDS - 1] - sorted[0]) / median;
}

void read_pages(uintptr_t at, uint64_t length)
{
	uint64_t offset;

	for (offset = 0; offset < length; offset += PAGE)
		(void)*(volatile char *)(at + offset);
}

void write_pages(uintptr_t at, uint64_t length)
{
	uint64_t offset;

	for (offset = 0; offset < length; offset += PAGE)
		*(volatile char *)(at + offset) = 1;
}

/* map_pages - anonymous memory of small pages, as all that it is compared with has them */
void *map_pages(uint64_t length)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap of %lu bytes: %s", (unsigned long)length, strerror(errno));
	if (madvise(at, length, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("madvise: %s", strerror(errno));
	return at;
}
