// SPDX-License-Identifier: GPL-2.0-only
/*
 * soak.c - everything together, with less memory than is used, for MINUTES=n: what was written is
 * there, nobody is killed, everybody goes on, and nothing is left behind.
 *
 * SEED=n for the same choices again, which meet differently each time; STALL=n: seconds that a part
 * may take for a step (600).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 200

struct board *board;
struct object object;
static long patience = 600;

unsigned int seed_of(const struct part *part)
{
	return board->seed * 1000 + (part ? part - board->parts + 1 : 0);
}

unsigned int below(unsigned int *seed, unsigned int limit)
{
	return rand_r(seed) % limit;
}

/* The one that others are made of already, in a process of its own. */
static void stress_run(struct part *part)
{
	char seed[32];

	(void)part;
	snprintf(seed, sizeof(seed), "%lu", board->seed);
	setenv("SEED", seed, 1);
	setenv("COMPANY", "1", 1);
	execlp("stress", "stress", NULL);
	_exit(127);
}

/* From the beginning to the end: to switch it often is too much for emulated processors. */
static void trace_run(struct part *part)
{
	char id[32];

	(void)part;
	snprintf(id, sizeof(id), "%llu", (unsigned long long)object.id);
	dup2(open("/dev/null", O_WRONLY), 1);
	execlp("machvmctl", "machvmctl", "trace", "--object", id, NULL);
	_exit(127);
}

/* Parts that do not tell how far they are; one is asked to end, the other knows when. */
static bool is_program(const struct part *part)
{
	return part->run == stress_run || part->run == trace_run;
}

static void add(const char *name, void (*run)(struct part *part), unsigned int number,
		unsigned long pages)
{
	struct part *part = &board->parts[board->nr_parts++];

	must(board->nr_parts <= PARTS_MAX);
	snprintf(part->name, sizeof(part->name), "%s", name);
	part->run = run;
	part->number = number;
	part->pages = pages;
}

/* Nearly three times what there is. */
static void plan(unsigned long ram)
{
	for (unsigned int i = 0; i < 3; i++)
		add("memory", memory_run, i, ram * 6 / 10);
	add("group", group_run, 0, ram * 4 / 10);
	board->object_pages = ram * 3 / 10 * OBJECT_WRITERS;
	for (unsigned int i = 0; i < OBJECT_WRITERS; i++)
		add("object", object_run, i, board->object_pages / OBJECT_WRITERS);
	add("linux", linux_run, 0, ram * 4 / 10);
	add("look", look_run, 0, 0);
	add("stress", stress_run, 0, 0);
	add("trace", trace_run, 0, 0);
}

static void start(struct part *part)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid) {
		part->pid = pid;
		return;
	}
	if (is_program(part))
		close(object.control);
	part->run(part);
	_exit(0);
}

static void ended(struct part *part, int status)
{
	if (status || !(stopped() || part->run == stress_run))
		finding("%s %u ends with %#x", part->name, part->number, status);
	part->pid = 0;
}

static void look_after(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pagers_ended(pid, status))
			continue;
		for (unsigned int i = 0; i < board->nr_parts; i++)
			if (board->parts[i].pid == pid)
				ended(&board->parts[i], status);
	}
}

static unsigned int living(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < board->nr_parts; i++)
		nr += !!board->parts[i].pid;
	return nr;
}

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* Who has done nothing for too long: that is to be found out, not to be waited for. */
static bool somebody_hangs(void)
{
	static unsigned long seen[PARTS_MAX];
	static long since[PARTS_MAX];

	for (unsigned int i = 0; i < board->nr_parts; i++) {
		struct part *part = &board->parts[i];
		unsigned long progress = atomic_load(&part->progress);

		if (!since[i] || progress != seen[i] || !part->pid || is_program(part)) {
			since[i] = now();
			seen[i] = progress;
		} else if (now() - since[i] > patience) {
			finding("%s %u has not gone on for %ld seconds%s%s", part->name,
				part->number, now() - since[i], *part->doing ? ": " : "",
				part->doing);
			say_pagers();
			return true;
		}
	}
	return false;
}

static void say_counts(const char *when, long minute)
{
	struct machvm_vm_statistics all = statistics();

	printf("# %s minute %ld: %llu faults, %llu pageins, %llu pageouts, %llu paged out; ", when,
	       minute, all.out_faults, all.out_pageins, all.out_pageouts, all.out_paged_out);
	printf("%lu deaths, %lu successions, %lu managers; %lu forks, %lu short, %lu shocks, %lu looks; ",
	       atomic_load(&board->deaths), atomic_load(&board->successions),
	       atomic_load(&board->managers), atomic_load(&board->children),
	       atomic_load(&board->shortages), atomic_load(&board->shocks),
	       atomic_load(&board->looks));
	printf("%lu MiB written, %lu MiB verified; steps", atomic_load(&board->written) >> 8,
	       atomic_load(&board->verified) >> 8);
	for (unsigned int i = 0; i < board->nr_parts; i++)
		if (!is_program(&board->parts[i]))
			printf(" %lu", atomic_load(&board->parts[i].progress));
	puts("");
}

/* Nobody else sees when this process itself does not go on. */
static pid_t start_guard(void)
{
	pid_t pid = fork();
	unsigned long beats = 0;
	long since = now();

	must(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		sleep(1);
		if (beats != atomic_load(&board->beats)) {
			beats = atomic_load(&board->beats);
			since = now();
		} else if (now() - since > patience) {
			finding("who looks after the parts does not go on");
			say_pagers();
			since = now();
		}
	}
}

static void beat(void)
{
	usleep(TICK_MS * 1000);
	atomic_fetch_add(&board->beats, 1);
}

static void tick(unsigned int *seed, bool deadly)
{
	static long minute, begun;

	begun = begun ?: now();
	look_after();
	pagers_tick(seed, deadly);
	if (now() - begun >= 60 * (minute + 1))
		say_counts("after", ++minute);
	beat();
}

static void end_parts(unsigned int *seed)
{
	atomic_store(&board->stop, true);
	for (unsigned int i = 0; i < board->nr_parts; i++)
		if (board->parts[i].run == trace_run && board->parts[i].pid)
			kill(board->parts[i].pid, SIGTERM);
	/* The other program ends itself, if not at once. */
	while (living() && !atomic_load(&board->findings) && !somebody_hangs())
		tick(seed, false);
}

/* What memory is used for, as long as the parts are still there: a finding may have to do with it. */
static void say_memory(void)
{
	fflush(stdout);
	if (system("{ machvmctl -j stat; cat /proc/meminfo; "
		   "awk '$3 * $4 > 1000000 { print $1, $2, $3, $4 }' /proc/slabinfo; } 2>&1 | "
		   "sed 's/^/# /'"))
		puts("# it cannot be said what memory is used for");
}

static void run(long minutes)
{
	unsigned int seed = seed_of(NULL);
	long end = now() + 60 * minutes;

	for (unsigned int i = 0; i < board->nr_parts; i++)
		start(&board->parts[i]);
	while (now() < end && !atomic_load(&board->findings) && !somebody_hangs())
		tick(&seed, true);
	if (atomic_load(&board->findings))
		say_memory();
	end_parts(&seed);
	/* All that was written to the object has to go to its pager now. */
	for (unsigned int i = 0; i < patience * 1000 / TICK_MS && !atomic_load(&board->terminated) &&
	     !atomic_load(&board->findings); i++)
		tick(&seed, false);
	if (!atomic_load(&board->terminated) && !atomic_load(&board->findings))
		finding("the object does not end");
}

/* Nobody has it in memory any more. */
static void disk_check(void)
{
	unsigned long share = board->object_pages / OBJECT_WRITERS;
	char data[PAGE] __attribute__((aligned(PAGE)));

	for (unsigned long i = 0; i < board->object_pages; i++) {
		uint32_t version = board->object_versions[i];

		atomic_fetch_add(&board->beats, 1);
		must_eq(pread(board->disk.disk, data, PAGE, PAGES(i)), PAGE);
		if (version && (!board->disk.written[i] ||
				!page_holds(data, 128 + i / share, i % share, version)))
			finding("page %lu of the object, written %u times, is not on the disk", i,
				version);
	}
}

/* Not every kernel counts that; each of them logs it. */
static long killed(void)
{
	FILE *file = fopen("/proc/vmstat", "re");
	char name[64];
	long value, found = -1;

	while (file && fscanf(file, "%63s %ld", name, &value) == 2)
		if (!strcmp(name, "oom_kill"))
			found = value;
	if (file)
		fclose(file);
	return found >= 0 ? found : !system("dmesg | grep -q oom-kill:");
}

static void machine_begin(unsigned long ram)
{
	must(!system("mkswap " SWAP " >/dev/null && mkswap " SMALL_SWAP " >/dev/null"));
	must(!swapon(SWAP, 0));
	must(!system("mkdir -p " FILES " && mke2fs -b 4096 " FILES_DISK " >/dev/null 2>&1 && "
		     "mount -t ext4 " FILES_DISK " " FILES));
	must(!util_cgroup_make(GROUP, PAGES(ram / 8)));
}

static void object_begin(void)
{
	object_create(&object);
	set_absence(&object, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	board->disk.disk = open(PAGER_DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	board->disk.written = util_shared(board->object_pages);
	board->object_versions = util_shared(board->object_pages * sizeof(uint32_t));
	must(board->disk.disk >= 0 && board->disk.written && board->object_versions);
}

static void object_end(void)
{
	if (!atomic_load(&board->findings))
		disk_check();
	close(object.control);
	close(object.fd);
}

int main(void)
{
	long minutes = atol(getenv("MINUTES") ?: "1"), kills = killed();
	struct counts before;
	struct sysinfo info;
	pid_t guard;

	setvbuf(stdout, NULL, _IOLBF, 0);
	must(dup2(1, 2) == 2);		/* so that all is read in the order in which it was said */
	board = util_shared(sizeof(*board));
	must(board && !sysinfo(&info));
	findings_begin(&board->findings);
	board->seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : time(NULL) ^ getpid();
	printf("# SEED=%lu\n", board->seed);
	machine_begin(info.totalram * info.mem_unit / PAGE);
	kernels_again();	/* the library opens the device for that, and for good */
	before = counts_now();
	plan(info.totalram * info.mem_unit / PAGE);
	object_begin();
	patience = atol(getenv("STALL") ?: "600");
	guard = start_guard();
	run(minutes);
	puts("# all parts have ended");
	/* What it has open is all that has been. */
	kill(guard, SIGKILL);
	util_wait(guard);
	pagers_end();
	object_end();
	if (!atomic_load(&board->findings))
		counts_expect(&before, patience * 1000 / TICK_MS, beat);
	if (killed() != kills || util_cgroup_kills(GROUP))
		finding("Linux has killed %ld for want of memory", killed() - kills);
	say_counts("at the end, after", minutes);
	printf("# seed %lu: %u findings\n", board->seed, atomic_load(&board->findings));
	return atomic_load(&board->findings) != 0;
}
