// SPDX-License-Identifier: GPL-2.0-only
/*
 * check.c - runs the unit tests of the library; an argument selects those whose name has it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

int check_failures;

static const struct test *const groups[] = { device_tests, port_tests, object_tests, pager_tests };

int main(int argc, char **argv)
{
	int passed = 0, failed = 0;

	alarm(120);	/* what hangs has failed */
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		for (const struct test *test = groups[i]; test->name; test++) {
			if (argc > 1 && !strstr(test->name, argv[1]))
				continue;
			check_failures = 0;
			fake_reset();
			test->run();
			printf("%s %s\n", check_failures ? "not ok" : "ok", test->name);
			fflush(stdout);
			if (check_failures)
				failed++;
			else
				passed++;
		}
	}
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed != 0;
}
