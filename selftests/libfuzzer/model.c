// SPDX-License-Identifier: GPL-2.0-only
/*
 * model.c - the bytes choose calls, forks, loads and stores of the model of selftests/unit, and
 * what its pagers do; the pure files of the module have to agree with it.
 *
 * Takes the place of test.c there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "../unit/fake/fake.h"
#include "../unit/model.h"
#include "../unit/test.h"

#define MOST_CALLS 400
#define MAX_END_CHECKS 8

int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size);

static const unsigned char *next, *end;
static unsigned int calls;
static char at[200];
static void (*end_checks[MAX_END_CHECKS])(void);
static int nr_end_checks;

/* Leaks are counted by the fakes. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

void test_register(struct test *test)
{
}

void test_at_end(void (*check)(void))
{
	if (nr_end_checks < MAX_END_CHECKS)
		end_checks[nr_end_checks++] = check;
}

static void __attribute__((noreturn)) die(const char *file, int line, const char *format,
					  va_list args)
{
	fprintf(stderr, "%s:%d: ", file, line);
	vfprintf(stderr, format, args);
	fprintf(stderr, " (%s)\n", at);
	abort();
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	die(file, line, format, args);
}

void test_die(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	die(file, line, format, args);
}

bool test_has_failed(void)
{
	return false;
}

void test_at(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(at, sizeof(at), format, args);
	va_end(args);
}

void test_must_fail(const char *file, int line, void (*run)(void), const char *why)
{
	test_die(file, line, "a test of tests");
}

/* Nearly all that is chosen is among a few. */
unsigned int test_random(void)
{
	return next < end ? *next++ : 0;
}

static bool more(void)
{
	return next < end && calls++ < MOST_CALLS;
}

static void choose_world(void)
{
	static const u32 strategies[] = { 0, 0, MACHVM_COPY_CALL, MACHVM_COPY_DELAY,
					  MACHVM_COPY_NONE };
	unsigned int how = test_random();

	model_lazy = how & 1;
	model_mortal = how & 2;
	model_scarce = (how & 12) == 12;
	model_strategy = strategies[(how >> 4) % ARRAY_SIZE(strategies)];
	mock_user.page_limit = model_scarce ? 112 : LONG_MAX;
	mock_store_room = model_scarce;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size)
{
	int i;

	next = data;
	end = data + size;
	calls = 0;
	choose_world();
	fake_begin();
	model_run(more);
	test_at("the end");
	fake_end();
	for (i = 0; i < nr_end_checks; i++)
		end_checks[i]();
	return 0;
}
