// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep.c - see sweep.h.
 */
#include "sweep.h"
#include "inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NTH_MOST 5000		/* a sequence needs fewer things, or never ends */
#define NTH_COUNT 1000000	/* for a run in which nothing is to fail, and all is counted */
#define REACH_TRIES 20
#define TICK_SECONDS 10
#define HANG_TICKS 12
#define HUNG 96			/* how a process that hangs ends */
#define SETTLE_LOOKS 2000	/* at the statistics, until all that is gone is */

/* What a round says to the process that started it. */
struct result {
	long answer, again, traced;
	unsigned int points;	/* things that were needed, in a run that counts */
	bool lacked, counted;
};

static struct result *result;
static int fail_nth = -1;

void lack_open(void)
{
	if (fail_nth >= 0)
		close(fail_nth);
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

bool lack_possible(void)
{
	return !access("/proc/thread-self/fail-nth", W_OK);
}

/* What is to fail may be the copy of this very number, once. */
static void nth_write(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	if (fail_nth < 0)
		return;
	must(pwrite(fail_nth, text, length, 0) == length ||
	     pwrite(fail_nth, text, length, 0) == length);
}

static unsigned int nth_read(int fd)
{
	char text[16] = "";

	/* This, too, is a copy that may be what fails. */
	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return atoi(text);
}

void lack_begin(unsigned int nth)
{
	if (nth)
		nth_write(nth);
}

unsigned int lack_end(void)
{
	unsigned int left;

	if (fail_nth < 0)
		return 1;
	left = nth_read(fail_nth);
	nth_write(0);
	return left;
}

unsigned int lack_left(pid_t pid)
{
	unsigned int left = 1;
	char path[64];
	int fd;

	if (fail_nth < 0)
		return left;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fail-nth", pid, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	left = nth_read(fd);
	close(fd);
	return left;
}

bool answer_is_lost(long answer)
{
	return answer == -EFAULT || answer == -ENOBUFS;
}

static unsigned int open_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	unsigned int count = 0;

	must(files);
	while (readdir(files))
		count++;
	closedir(files);
	return count;
}

/* One that failed has left no descriptor, and can be made again; then all is as it should be. */
static void call_again(const struct sequence *sequence, struct scene *scene, unsigned int files)
{
	if (!answer_is_lost(result->answer) && !sequence->library)
		must_eq(open_files(), files);
	result->again = sequence->call(scene);
	if (!answer_is_lost(result->answer))
		must_eq(result->again, 0);
	sequence->check(scene, 0);
}

static void watch(int signal)
{
	static unsigned int ticks;
	char command[128];

	(void)signal;
	if (++ticks < HANG_TICKS)
		return;
	snprintf(command, sizeof(command),
		 "cd /proc/%d/task; for t in *; do echo \"# $t\"; cat $t/stack; done >&2",
		 getpid());
	if (system(command))
		fputs("# and cannot say where\n", stderr);
	_exit(HUNG);
}

/*
 * Who hangs says where each thread is, and ends.  It is a number of ticks, as the clock of an
 * emulated machine may jump.
 */
static void watch_start(void)
{
	const struct itimerval tick = { { TICK_SECONDS, 0 }, { TICK_SECONDS, 0 } };

	signal(SIGALRM, watch);
	must(!setitimer(ITIMER_REAL, &tick, NULL));
}

/* In a process of its own; with @nth 0 all is there, and counted. */
static void play(const struct sequence *sequence, unsigned int nth, bool trace)
{
	static struct scene scene;
	unsigned int files, left;

	watch_start();
	lack_open();
	if (sequence->prepare)
		sequence->prepare(&scene);
	scene.nth = nth ?: NTH_COUNT;
	if (trace)
		result->traced = traced_begin();
	files = open_files();
	scene.traced = trace && !result->traced;
	if (scene.traced && !sequence->itself)
		traced_go();
	if (!sequence->itself)
		lack_begin(scene.nth);
	result->answer = sequence->call(&scene);
	if (!sequence->itself) {
		left = lack_end();
		scene.lacked = !left;
		result->points = scene.nth - left;
	} else {
		result->points = scene.nth - scene.fds[3];
	}
	if (scene.traced)
		result->traced = traced_end();
	result->lacked = scene.lacked;
	sequence->check(&scene, result->answer);
	if (result->answer)
		call_again(sequence, &scene, files);
	_exit(0);
}

struct counts {
	unsigned long maps, objects, pages, wired, ports, queued, paged_out, managed;
};

static struct counts count(void)
{
	struct machvm_vm_statistics now = statistics();

	return (struct counts){
		now.out_maps, now.out_objects,
		now.out_active_count + now.out_inactive_count + now.out_wire_count,
		now.out_wire_count, now.out_ports, now.out_queued, now.out_paged_out,
		now.out_managed,
	};
}

/* What a process had goes when it has ended, and some of it a little later. */
static bool settles(const struct counts *before, struct counts *after)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned int i = 0; i < SETTLE_LOOKS; i++) {
		*after = count();
		if (!memcmp(before, after, sizeof(*after)))
			return true;
		if (i)
			nanosleep(&pause, NULL);
	}
	return false;
}

static unsigned int wrong(const struct sequence *sequence, unsigned int nth, const char *what,
			  long value)
{
	fprintf(stderr, "# %s without number %u: %s (%ld)\n", sequence->name, nth, what, value);
	return 1;
}

static bool answer_is_known(const struct sequence *sequence, long answer)
{
	return answer == KERN_SUCCESS || answer == KERN_RESOURCE_SHORTAGE || answer == -ENOMEM ||
	       answer_is_lost(answer) ||
	       (sequence->library && (answer == KERN_FAILURE || answer == KERN_INVALID_ADDRESS)) ||
	       (sequence->also && answer == sequence->also);
}

/* One round, and what it has left behind. */
static unsigned int round_play(const struct sequence *sequence, const struct counts *before,
			       unsigned int nth, bool trace)
{
	struct counts after;
	unsigned int bad = 0;
	int status;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	fflush(NULL);
	pid = fork();
	if (!pid)
		play(sequence, nth, trace);
	status = util_wait(pid);
	if (trace && !traced_over())
		bad += wrong(sequence, nth, "is traced still", 0);
	if (status == HUNG)
		bad += wrong(sequence, nth, "hangs", result->answer);
	else if (status)
		bad += wrong(sequence, nth, "does not come out as it must", status);
	if (!answer_is_known(sequence, result->answer))
		bad += wrong(sequence, nth, "answer", result->answer);
	if (result->answer && !result->lacked)
		bad += wrong(sequence, nth, "fails with all there", result->answer);
	if (!settles(before, &after)) {
		const unsigned long *was = (const unsigned long *)before;
		const unsigned long *is = (const unsigned long *)&after;

		for (unsigned int i = 0; i < sizeof(after) / sizeof(*is); i++)
			if (was[i] != is[i])
				fprintf(stderr, "# count %u was %lu, is %lu\n", i, was[i], is[i]);
		bad += wrong(sequence, nth, "something is left", 0);
	}
	return bad;
}

/* A slab that must grow now and then makes runs differ: the least of a few is what all need. */
static unsigned int count_good(const struct sequence *sequence, const struct counts *before,
			       bool all, unsigned int *points, long *traced)
{
	unsigned int bad = 0;

	*points = -1U;
	*traced = -1;
	for (int i = 0; i < (all ? 3 : 1); i++) {
		bad += round_play(sequence, before, 0, all);
		if (result->points < *points)
			*points = result->points;
		if (*traced < 0 || result->traced < *traced)
			*traced = result->traced;
	}
	return bad;
}

/* The first thing is the same for all; of the others some are enough if not @all. */
static unsigned int next_nth(unsigned int nth, unsigned int points, bool all)
{
	return nth + (all ? 1 : 1 + points / 2);
}

/*
 * A slab that had room this time, and not when it was counted, makes a round need less: it is tried
 * again what is missing up to @traced, and counted again.
 */
static unsigned int reach(const struct sequence *sequence, const struct counts *before,
			  unsigned int *last, long *traced)
{
	unsigned int bad = 0, points;
	long again;

	for (int i = 0; i < REACH_TRIES && !bad && (long)*last < *traced; i++) {
		bad += round_play(sequence, before, *last + 1, false);
		if (result->lacked) {
			++*last;
			continue;
		}
		bad += count_good(sequence, before, true, &points, &again);
		if (again < *traced)
			*traced = again;
	}
	return bad;
}

unsigned int sweep(const struct sequence *sequence, bool all)
{
	unsigned int bad = 0, nth, last = 0, points, failed = 0, lost = 0, tries = 0;
	struct counts before;
	long traced;
	bool more;

	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(result != MAP_FAILED);
	must(util_device() >= 0);
	before = count();
	bad += count_good(sequence, &before, all && lack_possible(), &points, &traced);
	if (!lack_possible())
		return bad;
	for (nth = all ? 1 : 2, more = true; more && bad < 5; nth = next_nth(nth, points, all)) {
		bad += round_play(sequence, &before, nth, false);
		if (result->lacked)
			last = nth;
		more = result->lacked || (all && (nth <= points || (long)nth <= traced));
		failed += result->answer && !answer_is_lost(result->answer);
		lost += answer_is_lost(result->answer);
		tries++;
		if (nth > NTH_MOST)
			bad += wrong(sequence, nth, "never runs clean", result->answer);
	}
	if (all)
		bad += reach(sequence, &before, &last, &traced);
	if (all && (traced < 0 || (long)last < traced))
		bad += wrong(sequence, last, "a good run allocates more often", traced);
	if (all)
		bad += round_play(sequence, &before, 0, false);
	fprintf(stderr, "# %s: n %u, good run %u, traced %ld; %u rounds, %u failed, %u lost answers\n",
		sequence->name, last, points, traced, tries, failed, lost);
	return bad;
}

/* Scenes */

void scene_memory(struct scene *scene)
{
	scene->base = util_make(SCENE_PAGES);
	must(scene->base);
	util_fill(scene->base, SCENE_PAGES, 1);
}

void scene_pager(struct scene *scene)
{
	serve(&scene->served, SCENE_PAGES);
	scene->base = scene->served.base;
	scene->say = &scene->served.channel;
}

static void server_takes(struct scene *scene, const struct message *message)
{
	unsigned char data[SCENE_PAGES * PAGE];
	unsigned int first = message->offset / PAGE, nr = message->length / PAGE;

	must(message->length <= sizeof(data));
	must_eq(return_read(&scene->served.object, message->offset, data, message->length), 0);
	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int j = 0; j < PAGE; j++)
			if (data[i * PAGE + j] != util_mark(first + i, 1))
				atomic_fetch_or(&scene->wrong, 1U << (first + i));
		atomic_fetch_or(&scene->returned, 1U << (first + i));
	}
	must_eq(return_release(&scene->served.object, message->offset, message->length), 0);
}

static void server_unlocks(struct scene *scene, const struct message *message)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .offset = message->offset, .length = message->length,
	};

	must_eq(util_ioctl(scene->served.object.control, MACHVM_LOCK_REQUEST, &call), 0);
}

static void *server_run(void *argument)
{
	struct scene *scene = argument;

	for (;;) {
		struct message message = channel_next(&scene->served.channel);

		switch (message.command) {
		case MACHVM_CMD_DATA_REQUEST:
			supply_mark(&scene->served.object, message.offset / PAGE, 0);
			break;
		case MACHVM_CMD_DATA_UNLOCK:
			server_unlocks(scene, &message);
			break;
		case MACHVM_CMD_DATA_RETURN:
			server_takes(scene, &message);
			break;
		}
	}
	return NULL;
}

void scene_served(struct scene *scene)
{
	scene_pager(scene);
	must(!pthread_create(&scene->server, NULL, server_run, scene));
}
