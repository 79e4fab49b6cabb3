/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test.h - tests of the pure files in user space: how to write one, and how it fails.
 *
 * TEST(suite, law) { ... } registers itself.  Every test runs in a process of its own; when it
 * returns, all memory, pages and locks must have been given back.
 */
#ifndef _UNIT_TEST_H
#define _UNIT_TEST_H

#include <stdbool.h>

struct test {
	const char *suite;
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);

#define TEST(suite_, name_)							\
	static void suite_##_##name_(void);					\
	static struct test test_##suite_##_##name_ = {				\
		.suite = #suite_, .name = #name_, .run = suite_##_##name_,	\
	};									\
	static void __attribute__((constructor)) add_##suite_##_##name_(void)	\
	{									\
		test_register(&test_##suite_##_##name_);			\
	}									\
	static void suite_##_##name_(void)

/* Runs @check at the end of every test, when all should have been given back. */
void test_at_end(void (*check)(void));

/* The test fails, and goes on; or stops at once. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void test_die(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));

bool test_has_failed(void);

#define check(cond)								\
	({									\
		bool ok_ = !!(cond);						\
		if (!ok_)							\
			test_fail(__FILE__, __LINE__, "not so: %s", #cond);	\
		ok_;								\
	})

#define check_eq(a, b)								\
	({									\
		long long a_ = (long long)(a), b_ = (long long)(b);		\
		if (a_ != b_)							\
			test_fail(__FILE__, __LINE__, "%s is %lld (%#llx), not %s, %lld (%#llx)", \
				  #a, a_, a_, #b, b_, b_);			\
		a_ == b_;							\
	})

#define require(cond)								\
	do {									\
		if (!(cond))							\
			test_die(__FILE__, __LINE__, "not so: %s", #cond);	\
	} while (0)

/* Says where in a sweep or a random run the test is; shown when it fails. */
void test_at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs @run as a test of its own that must fail, saying @why. */
void test_must_fail(const char *file, int line, void (*run)(void), const char *why);
#define must_fail(run, why) test_must_fail(__FILE__, __LINE__, run, why)

/* The same numbers in every run; TEST_SEED changes them. */
unsigned int test_random(void);

#endif /* _UNIT_TEST_H */
