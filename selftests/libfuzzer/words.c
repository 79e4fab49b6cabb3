// SPDX-License-Identifier: GPL-2.0-only
/*
 * words.c - a command line for machvmctl, an argument a line, on a machine without the module; and
 * each of them as a number.
 */
#include <getopt.h>

#include "../../tools/machvmctl/machvmctl.h"
#include "../../tools/machvmctl/out.h"
#include "fuzz.h"

#define WORDS 12

int machvmctl_main(int argc, char **argv);
int __wrap_dev_open(void);

/* Nothing is done to the machine that it runs on. */
int __wrap_dev_open(void)
{
	return -1;
}

/* What is a number is the same where units are allowed, and there is one that is too large. */
static void number(const char *word)
{
	uint64_t plain = 0, size = 0;
	bool is_plain = parse_u64(word, false, &plain), is_size = parse_u64(word, true, &size);
	char text[32];

	must(!is_plain || (is_size && size == plain));
	if (!is_plain)
		return;
	snprintf(text, sizeof(text), "%lluK", (unsigned long long)plain);
	must(parse_u64(text, true, &size) == (plain <= UINT64_MAX >> 10));
	must(plain > UINT64_MAX >> 10 || size == plain << 10);
	must(!parse_u64(text, false, &size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS + 2] = { (char *)(uintptr_t)"machvmctl" };
	char *text = strndup((const char *)data, size), *rest = text;
	int argc = 1, status;

	must(text && freopen("/dev/null", "w", stdout));
	while (argc <= WORDS && rest && *rest)
		argv[argc++] = strsep(&rest, "\n");
	for (int i = 1; i < argc; i++)
		number(argv[i]);
	optind = 0;
	out_set_json(false);
	status = machvmctl_main(argc, argv);
	must(status >= EXIT_OK && status <= EXIT_USAGE);
	free(text);
	return 0;
}
