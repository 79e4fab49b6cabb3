// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay.c - runs a target on files, once each: what libFuzzer does without options, for machines
 * that have no clang.
 */
#include "fuzz.h"

#define MOST (1 << 20)

int main(int argc, char **argv)
{
	uint8_t *data = malloc(MOST);

	must(data);
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "r");
		uint8_t *exact;
		size_t size;

		must(file);
		size = fread(data, 1, MOST, file);
		fclose(file);
		/* So that the sanitizer knows where it ends. */
		exact = malloc(size ?: 1);
		must(exact);
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
		fprintf(stderr, "ran %s\n", argv[i]);
	}
	free(data);
	return 0;
}
