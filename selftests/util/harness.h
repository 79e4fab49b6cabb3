/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * harness.h - the kernel's kselftest_harness.h, called as selftests/run calls its programs.
 *
 * PROGRAM -l lists the tests, one a line; PROGRAM NAME... runs those.  A test carries the number
 * of the rule that it tests: TEST(S2_9_never_replaces) is known as global.S2.9_never_replaces.
 *
 * A test runs in a process of its own.  A child that it forks says what it found by its exit
 * status: CHILD_END at its end, and in the parent EXPECT_EQ(0, util_wait(pid)).
 */
#ifndef _SELFTESTS_HARNESS_H
#define _SELFTESTS_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <kselftest_harness.h>

/* Emulated processors, one of them busy with something else, and a kernel full of checks. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 240

#define CHILD_END() _exit(_metadata->exit_code)

#define HARNESS_NAMES 512

/* S2_9_name becomes S2.9_name: with the underscore it only is a C identifier. */
static inline void harness_rename(struct __test_metadata *test)
{
	char *name = strdup(test->name);
	char *at = name ? strstr(name, "S2_") : NULL;

	for (; at; at = strstr(at + 1, "S2_"))
		if (isdigit(at[3]))
			at[2] = '.';
	if (name)
		test->name = name;
}

static inline void harness_full_name(char *into, size_t size, struct __fixture_metadata *f,
				     struct __fixture_variant_metadata *v,
				     struct __test_metadata *t)
{
	snprintf(into, size, "%s%s%s.%s", f->name, v ? "." : "", v ? v->name : "", t->name);
}

static inline int harness_list(void)
{
	struct __fixture_variant_metadata *v;
	struct __fixture_metadata *f;
	struct __test_metadata *t;
	char name[256];

	for (f = __fixture_list; f; f = f->next) {
		v = f->variant;
		do {
			for (t = f->tests; t; t = t->next) {
				harness_full_name(name, sizeof(name), f, v, t);
				puts(name);
			}
			v = v ? v->next : NULL;
		} while (v);
	}
	return 0;
}

/* HARNESS_SECONDS=N: how long a test may take that does not say so itself. */
static inline void harness_limit(struct __test_metadata *test)
{
	const char *seconds = getenv("HARNESS_SECONDS");

	if (seconds && test->timeout == TEST_TIMEOUT_DEFAULT)
		test->timeout = atoi(seconds);
}

static inline int harness_main(int argc, char **argv)
{
	char *arguments[2 * HARNESS_NAMES + 2];
	struct __fixture_metadata *f;
	struct __test_metadata *t;
	int count = 1;

	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next) {
			harness_rename(t);
			harness_limit(t);
		}
	if (argc == 2 && !strcmp(argv[1], "-l"))
		return harness_list();
	if (argc > HARNESS_NAMES)
		return 2;
	arguments[0] = argv[0];
	for (int i = 1; i < argc; i++) {
		arguments[count++] = "-r";
		arguments[count++] = argv[i];
	}
	arguments[count] = NULL;
	return test_harness_run(count, arguments);
}

/* Tests that say themselves how long they take, and end: an emulated machine may be slow. */
#define HARNESS_SLOW_SECONDS 1800

static inline int harness_main_slow(int argc, char **argv)
{
	for (struct __fixture_metadata *f = __fixture_list; f; f = f->next)
		for (struct __test_metadata *t = f->tests; t; t = t->next)
			t->timeout = HARNESS_SLOW_SECONDS;
	return harness_main(argc, argv);
}

#define HARNESS_MAIN_SLOW                            \
	int main(int argc, char **argv)              \
	{                                            \
		return harness_main_slow(argc, argv); \
	}

/* The one of kselftest_harness.h would list and select other names. */
#undef TEST_HARNESS_MAIN
#define HARNESS_MAIN                            \
	int main(int argc, char **argv)         \
	{                                       \
		return harness_main(argc, argv); \
	}

#endif /* _SELFTESTS_HARNESS_H */
