// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo.c - machvm at work: a pager in user space serves a file to processes that map it.
 *
 * Usage: demo FILE SHA256
 *
 * Every stage checks what it shows.  Ends "demo: ok" with status 0, or says what is wrong and
 * ends with status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <machvm/machvm.h>

#include "demo.h"

#define SMALLEST (16u << 20)
#define PATIENCE 580		/* seconds: by then something waits for ever */
#define AT_ONCE 1000000000ull	/* nanoseconds that "at once" may take */

struct shared {
	pthread_barrier_t barrier;
	struct client readers[READERS], copier;
};

static pid_t demo_pid;

void fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("\ndemo: FAILED: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	/* the clients and the pager end with the demo; a client must not run its exit handlers */
	if (getpid() != demo_pid)
		_exit(1);
	exit(1);
}

void must_succeed(kern_return_t kr, const char *what)
{
	if (kr != KERN_SUCCESS)
		fail("%s: %s", what, machvm_strerror(kr));
}

static void on_alarm(int signal)
{
	static const char text[] = "\ndemo: FAILED: no end in sight\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static __printf(1, 2) void stage(const char *fmt, ...)
{
	static int number;
	va_list ap;

	printf("[%d/6] ", ++number);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

static void progress(const char *text)
{
	fputs(text, stdout);
	fflush(stdout);
}

static void file_open(struct file *f, const char *path, const char *sha)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail("%s: %s", path, strerror(errno));
	if (st.st_size < SMALLEST)
		fail("%s is smaller than 16 MiB", path);
	f->path = path;
	f->sha256 = sha;
	f->size = (size_t)st.st_size;
	f->pages = (f->size + vm_page_size - 1) / vm_page_size;
	f->data = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (f->data == MAP_FAILED)
		fail("%s: %s", path, strerror(errno));
	close(fd);
}

static void expect_sha(const struct file *f, const char *who, const char *found)
{
	if (strcmp(found, f->sha256))
		fail("%s: sha256 is %s, not %s", who, found, f->sha256);
}

static void expect(const char *what, uint64_t found, uint64_t wanted)
{
	if (found != wanted)
		fail("%s: %" PRIu64 ", not %" PRIu64, what, found, wanted);
}

static void expect_event(struct client *c, char wanted)
{
	char event = client_event(c);

	if (event != wanted)
		fail("process %d is out of step: '%c', not '%c'", c->pid, event, wanted);
}

/* Stage 2 and 3: two processes touch one page at once, then read everything. */
static void two_readers(const struct file *f, struct shared *s)
{
	uint64_t page = f->pages / 2, begin = now();
	int i, quarter;

	stage("Two processes map the first object and touch page %" PRIu64 " at the same moment",
	      page);
	for (i = 0; i < READERS; i++)
		client_go_on(&s->readers[i]);
	for (i = 0; i < READERS; i++)
		expect_event(&s->readers[i], EVENT_TOUCHED);
	expect("requests for that page", log_requests_of_page(0, page), 1);
	progress(": one request\n");
	stage("Both read all of it:");
	for (quarter = 1; quarter <= 4; quarter++) {
		for (i = 0; i < READERS; i++)
			expect_event(&s->readers[i], EVENT_QUARTER);
		printf(" %d%%", 25 * quarter);
		fflush(stdout);
	}
	for (i = 0; i < READERS; i++) {
		expect_event(&s->readers[i], EVENT_DONE);
		expect_sha(f, "a reader", s->readers[i].sha256);
	}
	printf(" in %.1f s, and find sha256 %.16s..., as the host did\n",
	       (double)(now() - begin) / 1e9, f->sha256);
	for (i = 0; i < READERS; i++)
		client_end(&s->readers[i]);
}

/* Stage 4: a third process writes to a copy; it stays, to be looked at. */
static void one_copier(const struct file *f, struct shared *s, const void *object)
{
	char found[HEX_SIZE];

	stage("A third process maps it with copy=TRUE");
	client_go_on(&s->copier);
	expect_event(&s->copier, EVENT_DONE);
	sha256(object, f->size, found, NULL);
	expect_sha(f, "the object in the third process, after it wrote to its copy",
		   s->copier.sha256);
	expect_sha(f, "the object, after a write to a copy of it", found);
	printf(", writes to %zu of its pages and sees that; the original is unchanged\n",
	       s->copier.written);
}

/* Stage 5: the kernel and the pager agree on what was asked for. */
static void counters(const struct file *f, const struct machvm_vm_statistics *was,
		     const void *object)
{
	struct machvm_vm_statistics is;
	struct machvm_object_info o;
	struct tally t;

	kernel_counters(&is);
	kernel_object(object, &o);
	log_tally(f, 0, &t);
	stage("Each of the %zu pages was asked for exactly once, and nothing came unasked:\n",
	      f->pages);
	printf("      the kernel counts %llu requested, %llu supplied, %llu unasked, "
	       "%llu refused, %llu errors\n",
	       is.out_requests - was->out_requests, is.out_pageins - was->out_pageins,
	       is.out_unasked - was->out_unasked, is.out_refused - was->out_refused,
	       is.out_errors - was->out_errors);
	printf("      the pager logged  %" PRIu64 " requested, %" PRIu64 " distinct, %" PRIu64
	       " supplied, %" PRIu64 " unasked\n", t.pages, t.distinct, t.supplied, t.unasked);
	expect("the kernel: requested", is.out_requests - was->out_requests, f->pages);
	expect("the kernel: supplied", is.out_pageins - was->out_pageins, f->pages);
	expect("the kernel: unasked", is.out_unasked - was->out_unasked, 0);
	expect("the kernel: refused", is.out_refused - was->out_refused, 0);
	expect("the kernel: errors", is.out_errors - was->out_errors, 0);
	expect("the kernel, of the object: requested", o.out_requested, f->pages);
	expect("the kernel, of the object: supplied", o.out_supplied, f->pages);
	expect("the kernel, of the object: unasked", o.out_unasked, 0);
	expect("the kernel, of the object: resident", o.out_resident, f->pages);
	expect("the log: requested", t.pages, f->pages);
	expect("the log: distinct", t.distinct, f->pages);
	expect("the log: supplied", t.supplied, f->pages);
	expect("the log: unasked", t.unasked, 0);
	expect("the log: other lines", t.other, 0);
}

static sigjmp_buf bus_jump;
static kern_return_t bus_why;
static int bus_reason;

static void on_bus(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (machvm_fault_info(info->si_addr, &bus_why, &bus_reason) != KERN_SUCCESS)
		bus_why = KERN_SUCCESS;
	siglongjmp(bus_jump, 1);
}

/* touch_absent - nanoseconds until SIGBUS came */
static uint64_t touch_absent(const char *at)
{
	struct sigaction bus = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
	volatile uint64_t begin;
	char found;

	sigaction(SIGBUS, &bus, NULL);
	bus_why = -1;
	begin = now();
	if (!sigsetjmp(bus_jump, 1)) {
		found = *(const volatile char *)at;
		fail("a page that nobody can supply reads as %#x", (unsigned char)found);
	}
	signal(SIGBUS, SIG_DFL);
	if (bus_why != KERN_MEMORY_ERROR)
		fail("SIGBUS, but machvm_fault_info says: %s", machvm_strerror(bus_why));
	return now() - begin;
}

/* Stage 6: the pager dies with half of its second object in memory. */
static void pager_dies(const struct file *f, pid_t pager, const void *first)
{
	const char *second = map_object(SOCKET ".1", f->size, FALSE);
	size_t half = f->pages / 2;
	char found[HEX_SIZE];
	struct tally t;
	uint64_t took, last;

	stage("%zu pages of the second object are read", half);
	if (memcmp(second, f->data, half * vm_page_size))
		fail("the second object differs from the file");
	progress(", then the pager is killed:\n");
	pager_kill(pager);
	log_tally(f, 1, &t);
	expect("the log, of the second object: requested", t.pages, half);
	took = touch_absent(second + half * vm_page_size);
	last = touch_absent(second + (f->pages - 1) * vm_page_size);
	printf("      an absent page gives SIGBUS after %.0f us: %s\n", (double)took / 1e3,
	       machvm_strerror(bus_why));
	if (took > AT_ONCE || last > AT_ONCE)
		fail("that is not at once");
	if (memcmp(second, f->data, half * vm_page_size))
		fail("pages that were resident have changed");
	sha256(first, f->size, found, NULL);
	expect_sha(f, "the first object, after the pager's death", found);
	progress("      what was resident is readable and right, in both objects\n");
}

static struct shared *shared_new(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attr;

	if (s == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&s->barrier, &attr, READERS);
	return s;
}

static void views(const struct client *copier)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	show("map", pid);
	snprintf(pid, sizeof(pid), "%d", copier->pid);
	show("map", pid);
	show("stat", NULL);
}

int main(int argc, char **argv)
{
	struct machvm_vm_statistics was;
	struct shared *s = shared_new();
	struct utsname u;
	struct file f;
	void *first;
	pid_t pager;
	int i;

	if (argc != 3 || strlen(argv[2]) != HEX_SIZE - 1) {
		fputs("usage: demo FILE SHA256\n", stderr);
		return 2;
	}
	demo_pid = getpid();
	signal(SIGALRM, on_alarm);
	alarm(PATIENCE);
	uname(&u);
	file_open(&f, argv[1], argv[2]);
	printf("machvm on Linux %s: %s, %.1f MiB, as memory served from user space\n", u.release,
	       f.path, (double)f.size / (1 << 20));
	pager = pager_start(&f);
	for (i = 0; i < READERS; i++)
		reader_fork(&s->readers[i], &f, &s->barrier);
	copier_fork(&s->copier, &f);
	stage("machvmctl pager serve is process %d and serves the file as two objects\n", pager);
	kernel_counters(&was);
	first = map_object(SOCKET, f.size, FALSE);
	two_readers(&f, s);
	one_copier(&f, s, first);
	counters(&f, &was, first);
	pager_dies(&f, pager, first);
	views(&s->copier);
	client_end(&s->copier);
	printf("\ndemo: ok\n");
	return 0;
}
