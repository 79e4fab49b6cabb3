// SPDX-License-Identifier: GPL-2.0-only
/*
 * test.c - lists, selects and runs the tests, each in a process of its own.
 *
 * Usage: unit [-l] [-n] [PATTERN]...
 *   -l  list the tests    -n  do not fork (for a debugger)
 * A pattern is matched against "suite.name" as in a shell, or as a part of it.
 */
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sanitizer/common_interface_defs.h>

#include "fake/fake.h"
#include "test.h"

#define TIME_LIMIT 300	/* seconds for one test */

static struct test *tests, **tests_tail = &tests;
static int failures;
static char at[200];
static unsigned int seed = 1;

/* Leaks are counted by the fakes, which also know where a thing was allocated. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0:exitcode=1";
}

void test_register(struct test *test)
{
	*tests_tail = test;
	tests_tail = &test->next;
}

#define MAX_END_CHECKS 8
static void (*end_checks[MAX_END_CHECKS])(void);
static int nr_end_checks;

void test_at_end(void (*check)(void))
{
	if (nr_end_checks < MAX_END_CHECKS)
		end_checks[nr_end_checks++] = check;
}

static void report(const char *file, int line, const char *format, va_list args)
{
	failures++;
	if (failures > 20)
		return;
	fprintf(stderr, "%s:%d: ", file, line);
	vfprintf(stderr, format, args);
	fprintf(stderr, at[0] ? " (%s)\n" : "\n", at);
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(file, line, format, args);
	va_end(args);
}

void test_die(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(file, line, format, args);
	va_end(args);
	__sanitizer_print_stack_trace();
	exit(1);
}

bool test_has_failed(void)
{
	return failures;
}

void test_at(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(at, sizeof(at), format, args);
	va_end(args);
}

unsigned int test_random(void)
{
	/* xorshift32 */
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* Never returns: the status of the process is the verdict. */
static void run_and_exit(void (*run)(void))
{
	int i;

	alarm(TIME_LIMIT);
	fake_begin();
	run();
	test_at("%s", "");
	fake_end();
	for (i = 0; i < nr_end_checks; i++)
		end_checks[i]();
	exit(failures ? 1 : 0);
}

static int run_in_child(void (*run)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!pid)
		run_and_exit(run);
	while (waitpid(pid, &status, 0) < 0)
		;
	if (WIFSIGNALED(status))
		fprintf(stderr, "ended by signal %d%s\n", WTERMSIG(status),
			WTERMSIG(status) == SIGALRM ? ", it took too long" : "");
	return status;
}

void test_must_fail(const char *file, int line, void (*run)(void), const char *why)
{
	char said[65536];
	size_t length = 0;
	ssize_t got;
	int pipes[2], status;
	pid_t pid;

	fflush(NULL);
	if (pipe(pipes))
		test_die(file, line, "no pipe");
	pid = fork();
	if (pid < 0)
		test_die(file, line, "no process");
	if (!pid) {
		dup2(pipes[1], 2);
		close(pipes[0]);
		close(pipes[1]);
		run_and_exit(run);
	}
	close(pipes[1]);
	while (length < sizeof(said) - 1 &&
	       (got = read(pipes[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += got;
	said[length] = 0;
	close(pipes[0]);
	waitpid(pid, &status, 0);
	if (!status)
		test_fail(file, line, "this went unnoticed, where '%s' was to be said", why);
	else if (!strstr(said, why))
		test_fail(file, line, "did not say '%s' but: %.500s", why, said);
}

static bool selected(const struct test *test, char **patterns)
{
	char name[200];

	snprintf(name, sizeof(name), "%s.%s", test->suite, test->name);
	if (!*patterns)
		return true;
	for (; *patterns; patterns++) {
		if (strstr(name, *patterns) || !fnmatch(*patterns, name, 0))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	int passed = 0, failed = 0, option;
	bool list = false, in_place = false;
	const struct test *test;

	while ((option = getopt(argc, argv, "ln")) != -1) {
		switch (option) {
		case 'l':
			list = true;
			break;
		case 'n':
			in_place = true;
			break;
		default:
			fprintf(stderr, "usage: %s [-l] [-n] [PATTERN]...\n", argv[0]);
			return 2;
		}
	}
	if (getenv("TEST_SEED"))
		seed = strtoul(getenv("TEST_SEED"), NULL, 0) ?: 1;
	if (!list)
		printf("# TEST_SEED=%lu\n", (unsigned long)seed);

	for (test = tests; test; test = test->next) {
		if (!selected(test, argv + optind))
			continue;
		if (list) {
			printf("%s.%s\n", test->suite, test->name);
			continue;
		}
		if (in_place)
			run_and_exit(test->run);
		if (run_in_child(test->run)) {
			printf("not ok %s.%s\n", test->suite, test->name);
			failed++;
		} else {
			printf("ok %s.%s\n", test->suite, test->name);
			passed++;
		}
	}
	if (list)
		return 0;
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	if (!passed && !failed)
		fprintf(stderr, "no such test\n");
	return failed || !passed;
}
