// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench.c - machvm beside what Linux offers, in instructions per operation.
 *
 * Runs in a guest whose clock counts instructions; see run.  Says how far machvm is from its gate
 * and target, and judges nothing: it fails only if it cannot measure.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

/* A clock off by more than this does not count instructions. */
#define CLOCK_TOLERANCE 0.02

static const struct group *const groups[] = {
	&zero_fill_group, &resident_read_group, &round_trip_group,
	&page_in_group,	  &snapshot_group,	&chain_group,	    &churn_group,
	&death_group,
};

#define NR_GROUPS (sizeof(groups) / sizeof(groups[0]))

static bool selected(const struct group *group, char *const *numbers)
{
	if (!*numbers)
		return true;
	for (; *numbers; numbers++)
		if ((unsigned int)atoi(*numbers) == group->number)
			return true;
	return false;
}

static void measure(const struct group *group)
{
	struct side *const *side;
	int round;

	for (round = -BENCH_WARM_UP; round < BENCH_ROUNDS; round++)
		for (side = group->sides; *side; side++)
			rig_measure(*side, round);
	for (side = group->sides; *side; side++)
		rig_sum_up(*side);
}

static double ratio(const struct row *row)
{
	return row->peer->median ? row->machvm->median / row->peer->median : 0;
}

/* Where the row stands, in a word. */
static const char *standing(const struct row *row)
{
	if (!row->gate || !ratio(row))
		return "";
	if (ratio(row) <= row->target)
		return "target";
	return ratio(row) <= row->gate ? "gate" : "above";
}

static void print_row(const struct group *group, const struct row *row)
{
	double spread = row->machvm->spread > row->peer->spread ? row->machvm->spread :
								   row->peer->spread;
	char wanted[32] = "";

	if (row->gate)
		snprintf(wanted, sizeof(wanted), "%6.2f %6.2f", row->gate, row->target);
	printf("%2u  %-30s %-18s %9.0f  %-19s ", group->number, row->name, row->machvm->name,
	       row->machvm->median, row->peer->name);
	if (row->peer->median)
		printf("%9.0f %6.2f %4.1f%% %13s  %s\n", row->peer->median, ratio(row),
		       100 * spread, wanted, standing(row));
	else
		printf("%9s\n", "n/a");
}

static void print_table(char *const *numbers)
{
	const struct row *row;
	size_t i;

	printf("\n%2s  %-30s %-18s %9s  %-19s %9s %6s %5s %6s %6s\n", "",
	       "instructions per operation", "machvm", "ins", "Linux", "ins", "ratio", "+-",
	       "gate", "target");
	for (i = 0; i < NR_GROUPS; i++)
		for (row = groups[i]->rows; selected(groups[i], numbers) && row->name; row++)
			print_row(groups[i], row);
	printf("\nAn operation and how it was measured:\n");
	for (i = 0; i < NR_GROUPS; i++)
		if (selected(groups[i], numbers))
			printf("%2u  %s: %s\n", groups[i]->number, groups[i]->unit,
			       groups[i]->note);
	printf("+- is how far the lowest and the highest of %d rounds are apart, on the side where that\n"
	       "is more. A row without a gate is there to compare.\n", BENCH_ROUNDS);
}

static void print_json(char *const *numbers)
{
	const char *comma = "";
	const struct row *row;
	size_t i;

	printf("[");
	for (i = 0; i < NR_GROUPS; i++) {
		for (row = groups[i]->rows; selected(groups[i], numbers) && row->name; row++) {
			printf("%s\n  {\"workload\": %u, \"name\": \"%s\", \"unit\": \"%s\",\n"
			       "   \"machvm\": \"%s\", \"machvm_ins\": %.1f, \"machvm_spread\": %.4f,\n"
			       "   \"peer\": \"%s\", \"peer_ins\": %.1f, \"peer_spread\": %.4f,\n"
			       "   \"ratio\": %.4f, \"gate\": %.2f, \"target\": %.2f}",
			       comma, groups[i]->number, row->name, groups[i]->unit,
			       row->machvm->name, row->machvm->median, row->machvm->spread,
			       row->peer->name, row->peer->median, row->peer->spread, ratio(row),
			       row->gate, row->target);
			comma = ",";
		}
	}
	printf("\n]\n");
}

static void check_clock(FILE *out)
{
	double ticks = rig_calibrate();

	fprintf(out, "bench: a loop of known length: %.4f ticks for an instruction\n", ticks);
	if (ticks < 1 - CLOCK_TOLERANCE || ticks > 1 + CLOCK_TOLERANCE)
		die("this clock does not count instructions; see scripts/guest --icount");
}

int main(int argc, char **argv)
{
	struct utsname name;
	bool json = false;
	FILE *out;
	size_t i;
	int option;

	while ((option = getopt(argc, argv, "j")) != -1) {
		if (option != 'j') {
			fprintf(stderr, "Usage: bench [-j] [WORKLOAD...]\n");
			return 2;
		}
		json = true;
	}
	argv += optind;
	out = json ? stderr : stdout;
	setvbuf(out, NULL, _IOLBF, 0);
	uname(&name);
	rig_settle();
	fprintf(out, "bench: Linux %s; both sides in turn, %d rounds after %d to warm up, median\n",
		name.release, BENCH_ROUNDS, BENCH_WARM_UP);
	check_clock(out);
	for (i = 0; i < NR_GROUPS; i++) {
		if (!selected(groups[i], argv))
			continue;
		fprintf(out, "bench: workload %u\n", groups[i]->number);
		measure(groups[i]);
	}
	if (json)
		print_json(argv);
	else
		print_table(argv);
	return 0;
}
