// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz.c - programs that reach what none before has reached, for a while; run beside this starts it
 * in a guest.
 *
 * SECONDS=n for how long, SEED=n which choices, LANES=n programs at a time, KEEP=1: the last
 * programs and the corpus outlive the guest; CORPUS=file what is begun with; REPLAY=n: only runs
 * that, n times.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fuzz.h"
#include "notes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CORPUS_MAX 6000
#define LANES_MAX 4
#define OPERANDS_MAX 2048
#define REST_SECONDS 120	/* between looks at whether anything is left behind */

/* What the lanes and who watches over them share. */
static struct common {
	pthread_mutex_t lock;
	atomic_uint nr;		/* of the corpus */
	atomic_uint begun;	/* programs of the input that some lane has taken */
	unsigned int input;	/* where that ends */
	atomic_bool rest, stop;
	atomic_uint resting, hung;
	atomic_ulong ran, ran_as_user, blocked;
	uint64_t seed;
	struct program input_programs[CORPUS_MAX];
	struct program programs[CORPUS_MAX];
} *common;

static unsigned int lane;
static struct program current;

struct found {
	unsigned int call;
	struct operands operands;
};

static struct found found[OPERANDS_MAX];
static unsigned int nr_found;

static void *shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

/* One run, which is known beforehand to who may have to find out what it did. */
static void run(const struct program *program, enum cover_mode mode)
{
	struct outcome outcome;

	notes_program(lane, program);
	outcome = lane_run(program, mode);
	atomic_fetch_add(&common->ran, 1);
	if (program->user)
		atomic_fetch_add(&common->ran_as_user, 1);
	atomic_fetch_add(&common->blocked, outcome.blocked);
	if (outcome.hung) {
		atomic_fetch_add(&common->hung, 1);
		fprintf(stderr, "# something does not die of SIGKILL, in lane %u\n", lane);
		_exit(1);
	}
}

static void cut(struct program *program, unsigned int at, unsigned int nr)
{
	if (nr > program->nr - at)
		nr = program->nr - at;
	memmove(&program->calls[at], &program->calls[at + nr],
		(program->nr - at - nr) * sizeof(program->calls[0]));
	program->nr -= nr;
}

/* Halves, and then quarters, without which it reaches the same are left out. */
static void minimise(struct program *program, unsigned int *places, unsigned int nr)
{
	for (unsigned int parts = 2; parts <= 4; parts *= 2) {
		unsigned int size = (program->nr + parts - 1) / parts;

		for (int at = (parts - 1) * size; at >= 0 && program->nr > 1; at -= size) {
			struct program less = *program;

			if (at >= less.nr)
				continue;
			cut(&less, at, size);
			if (!less.nr)
				continue;
			run(&less, COVER_PCS);
			if (cover_again(places, nr) == nr)
				*program = less;
		}
	}
}

static void keep(const struct program *program)
{
	unsigned int at;

	pthread_mutex_lock(&common->lock);
	at = atomic_load(&common->nr);
	if (at < CORPUS_MAX) {
		common->programs[at] = *program;
		atomic_store(&common->nr, at + 1);
	}
	pthread_mutex_unlock(&common->lock);
}

/* A program that has just reached something new: once more, for what it reaches every time. */
static void judge(struct program *program, bool shorten)
{
	static unsigned int places[4096];
	unsigned int *seen, nr = cover_new(&seen), stays = 0;

	if (!shorten && !cover_works())
		keep(program);
	if (!nr)
		return;
	memcpy(places, seen, nr * sizeof(places[0]));
	if (shorten) {
		run(program, COVER_PCS);
		stays = cover_again(places, nr);
		if (stays)
			minimise(program, places, stays);
		run(program, COVER_PCS);
		cover_new(NULL);
	}
	program->fresh = cover_merge();
	cover_known(places, nr);
	if (program->fresh)
		keep(program);
}

/* By operands that were compared */

static void find(unsigned int call, unsigned int slot)
{
	static struct operands operands[256];
	unsigned int nr = cover_operands(slot, operands, 256);

	for (unsigned int i = 0; i < nr && nr_found < OPERANDS_MAX; i++)
		found[nr_found++] = (struct found){ call, operands[i] };
}

static void try_operands(const struct program *program)
{
	static uint64_t resolved[CALLS_MAX][VALUES_MAX];

	nr_found = 0;
	lane_harvest = find;
	run(program, COVER_OPERANDS);
	lane_harvest = NULL;
	memcpy(resolved, scene->resolved, sizeof(resolved));
	for (unsigned int i = 0, tried = 0; i < 64 && nr_found && tried < 12; i++) {
		const struct found *one = &found[random_below(nr_found)];

		current = *program;
		memcpy(scene->resolved, resolved, sizeof(resolved));
		if (!mutate_operand(&current, one->call, &one->operands))
			continue;
		tried++;
		run(&current, COVER_PCS);
		judge(&current, true);
	}
}

/* Newer ones more often. */
static const struct program *choose(void)
{
	static const struct program none;
	unsigned int nr = atomic_load(&common->nr);
	unsigned int a = random_below(nr), b = random_below(nr);

	return nr ? &common->programs[a > b ? a : b] : &none;
}

static void step(void)
{
	static struct program base;

	if (!random_below(25)) {
		program_random(&current);
	} else {
		base = *choose();
		if (base.nr && !random_below(12)) {
			try_operands(&base);
			return;
		}
		current = base;
		mutate(&current, choose());
	}
	run(&current, COVER_PCS);
	judge(&current, true);
}

static void rest(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	atomic_fetch_add(&common->resting, 1);
	while (atomic_load(&common->rest) && !atomic_load(&common->stop))
		nanosleep(&pause, NULL);
	atomic_fetch_sub(&common->resting, 1);
}

/* What there is already, and then new ones. */
static void lane_loop(void)
{
	for (uint64_t n = 0; !atomic_load(&common->stop); n++) {
		unsigned int begun;

		if (atomic_load(&common->rest)) {
			rest();
			continue;
		}
		random_seed(common->seed * 0x9e3779b9 + n * LANES_MAX + lane);
		begun = atomic_load(&common->begun) < common->input ?
			atomic_fetch_add(&common->begun, 1) : common->input;
		if (begun < common->input) {
			current = common->input_programs[begun];
			run(&current, COVER_PCS);
			judge(&current, false);
		} else {
			step();
		}
	}
	_exit(0);
}

/* Who watches */

/* What scripts/guest takes for a complaint of the kernel's. */
static bool is_complaint(const char *line)
{
	static const char *const words[] = {
		"WARNING: ", "BUG: ", "kernel BUG at", "Oops: ", "Kernel panic", "KASAN: ",
		"UBSAN: ", "general protection fault, ", "INFO: possible", "blocked for more than",
		"INFO: trying to register", "rcu: INFO: ", "Bad page", "refcount_t: ", "ODEBUG: ",
		"page dumped because", "Bad rss-counter", "scheduling while atomic", "soft lockup",
	};

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static bool kernel_complains(int log)
{
	char line[4096];
	ssize_t got;

	while ((got = read(log, line, sizeof(line) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		line[got > 0 ? got : 0] = 0;
		if (is_complaint(line)) {
			fprintf(stderr, "# the kernel complains: %s", line);
			return true;
		}
	}
	return false;
}

static void tell_last(unsigned int lanes)
{
	static char text[TEXT_MAX];

	for (unsigned int i = 0; i < lanes; i++)
		for (unsigned int back = 2; back--;) {
			notes_last(i, back, text);
			fprintf(stderr, "# lane %u, %s:\n%s\n", i, back ? "before" : "last", text);
		}
}

static bool lanes_rest(unsigned int lanes)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	atomic_store(&common->rest, true);
	for (unsigned int i = 0; i < 60000 && atomic_load(&common->resting) < lanes; i++) {
		if (atomic_load(&common->hung))
			return false;
		nanosleep(&pause, NULL);
	}
	return atomic_load(&common->resting) == lanes;
}

static bool nothing_left(const struct counts *before)
{
	struct counts after;

	if (counts_settle(before, &after))
		return true;
	fprintf(stderr, "# left behind: %ld maps, %ld objects, %ld ports, %ld queued, %ld pages, "
		"%ld wired\n", (long)(after.maps - before->maps),
		(long)(after.objects - before->objects), (long)(after.ports - before->ports),
		(long)(after.queued - before->queued), (long)(after.pages - before->pages),
		(long)(after.wired - before->wired));
	return false;
}

static void tell(const char *what, time_t seconds)
{
	printf("# %s: %ld s, %lu programs (%lu as user), "
	       "%lu calls were waited for in vain, corpus %u, places %u\n",
	       what, (long)seconds, atomic_load(&common->ran), atomic_load(&common->ran_as_user),
	       atomic_load(&common->blocked), atomic_load(&common->nr), cover_count());
	fflush(stdout);
}

/* True if all was well until the time was over. */
static bool watch(unsigned int lanes, time_t seconds, const struct counts *before, int log)
{
	time_t begun = time(NULL), told = begun, now = begun;
	bool well = true;

	while (well && now - begun < seconds) {
		usleep(200000);
		now = time(NULL);
		well = !kernel_complains(log) && !atomic_load(&common->hung);
		if (well && now - told >= REST_SECONDS) {
			well = lanes_rest(lanes) && nothing_left(before);
			notes_corpus(common->programs, atomic_load(&common->nr));
			atomic_store(&common->rest, false);
			tell("so far", now - begun);
			told = now;
		}
	}
	if (well)
		well = lanes_rest(lanes) && nothing_left(before) && !kernel_complains(log);
	notes_corpus(common->programs, atomic_load(&common->nr));
	notes_places();
	tell(well ? "done" : "ended", now - begun);
	return well;
}

static unsigned int corpus_read(const char *path)
{
	int fd = path ? open(path, O_RDONLY) : -1;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	char *text = malloc(size + 1), line[1024];
	const char *at = text;
	unsigned int nr = 0;
	int got = 1;

	if (fd < 0 || pread(fd, text, size, 0) != size)
		size = 0;
	text[size] = 0;
	while (nr < CORPUS_MAX && got) {
		got = program_read(&common->input_programs[nr], &at, line, sizeof(line));
		if (got < 0)
			fprintf(stderr, "# does not parse: %s\n", line);
		nr += got > 0;
	}
	free(text);
	return nr;
}

/* Each program of the input, and what its calls answer. */
static bool replay(unsigned int times, const struct counts *before, int log)
{
	bool well = lane_open(0);

	for (unsigned int i = 0; well && i < common->input * times; i++) {
		struct program *program = &common->input_programs[i % common->input];
		struct outcome outcome = lane_run(program, COVER_NONE);

		printf("# as %s\n", program->user ? "user" : "root");
		for (unsigned int j = 0; j < program->nr; j++)
			printf("# %s: %ld\n", call_kinds[program->calls[j].kind].name,
			       scene->answers[j]);
		well = !outcome.hung && !kernel_complains(log);
	}
	return well && nothing_left(before) && !kernel_complains(log);
}

static void lanes_start(unsigned int lanes)
{
	for (unsigned int i = 0; i < lanes; i++) {
		if (fork())
			continue;
		lane = i;
		if (!lane_open(i))
			_exit(1);
		lane_loop();
	}
}

int main(void)
{
	unsigned int lanes = number_of("LANES", 2), times = number_of("REPLAY", 0);
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	pthread_mutexattr_t attribute;
	struct counts before;
	bool well;

	common = shared(sizeof(*common));
	if (!common || !cover_shared() || !notes_open(getenv("KEEP")) || !counts_read(&before))
		return 2;
	lseek(log, 0, SEEK_END);
	pthread_mutexattr_init(&attribute);
	pthread_mutexattr_setpshared(&attribute, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&common->lock, &attribute);
	common->input = corpus_read(getenv("CORPUS"));
	common->seed = number_of("SEED", time(NULL));
	printf("# SEED=%lu, %u programs to begin with\n", common->seed, common->input);
	fflush(stdout);
	if (times) {
		well = replay(times, &before, log);
	} else {
		lanes_start(lanes < LANES_MAX ? lanes : LANES_MAX);
		well = watch(lanes, number_of("SECONDS", 60), &before, log);
		if (!well)
			tell_last(lanes);
	}
	atomic_store(&common->stop, true);
	return well ? 0 : 1;
}
