// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_seeds.c - each of the programs that fuzzing begins with, once: it ends, the calls that it is
 * there for succeed, and nothing is left behind.
 */
#include "harness.h"
#include "fuzz.h"

#include <stdlib.h>

#define ROUNDS 5

/* The files of seeds/, one after the other. */
__asm__(".pushsection .rodata\n"
	"seeds_text:\n"
	".incbin \"" SEEDS "\"\n"
	".byte 0\n"
	".popsection\n");

extern const char seeds_text[];

static bool succeeded[256];

static void count_answers(const struct program *program)
{
	for (unsigned int i = 0; i < program->nr; i++)
		if (!scene->answers[i])
			succeeded[program->calls[i].kind] = true;
}

/* There may be what other tests have not got rid of yet. */
static struct counts before;

static unsigned int run_all(void)
{
	const char *text = seeds_text;
	unsigned int nr = 0;
	struct program program;
	char line[1024];
	int got;

	while ((got = program_read(&program, &text, line, sizeof(line))) > 0) {
		struct outcome outcome = lane_run(&program, COVER_NONE);

		if (outcome.hung || !outcome.calls) {
			fprintf(stderr, "# number %u %s\n", nr,
				outcome.hung ? "does not die" : "does not begin");
			return 0;
		}
		count_answers(&program);
		nr++;
	}
	if (got < 0)
		fprintf(stderr, "# does not parse: %s\n", line);
	return got < 0 ? 0 : nr;
}

/* Calls that no seed has shown at work yet. */
static unsigned int count_unseen(bool tell)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_call_kinds; i++) {
		if (succeeded[i])
			continue;
		if (tell)
			fprintf(stderr, "# no %s succeeds\n", call_kinds[i].name);
		nr++;
	}
	return nr;
}

/* What is written is read as the same. */
TEST(fuzz_programs_are_read_as_they_are_written)
{
	static char text[TEXT_MAX];
	const char *at = seeds_text;
	struct program program, again;
	const char *back;
	char line[1024];

	while (program_read(&program, &at, line, sizeof(line)) > 0) {
		program_write(&program, text, sizeof(text));
		back = text;
		ASSERT_EQ(1, program_read(&again, &back, line, sizeof(line)));
		EXPECT_EQ(0, memcmp(&program, &again, sizeof(program)));
	}
	EXPECT_EQ(0, *at);
}

TEST(fuzz_each_seed_ends_and_leaves_nothing)
{
	struct counts after;

	ASSERT_TRUE(counts_read(&before));
	ASSERT_TRUE(lane_open(0));
	/* On a busy machine a pager may come too late for what a program is there to show. */
	for (unsigned int i = 0; i < ROUNDS && count_unseen(false); i++)
		ASSERT_LT(0, run_all());
	EXPECT_TRUE(counts_settle(&before, &after));
	EXPECT_EQ(0, count_unseen(true));
}

HARNESS_MAIN_SLOW
