/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * machvmctl.h - what the files of machvmctl share: verbs, exit codes, options.
 */
#ifndef MACHVMCTL_H
#define MACHVMCTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define __printf(f, a) __attribute__((format(printf, f, a)))

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/**
 * struct verb - one thing that machvmctl can do; the table of them is the usage text as well
 * @name: one word, or two ("pager serve")
 * @args: what follows it on the command line
 * @help: one line
 * @run: does it; argv[0] is the last word of the name, the answer is the exit code
 * @more: the rest of the verb's --help: what is printed, examples
 * @more_fn: prints the part of the help that comes from a table of its own, or NULL
 */
struct verb {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(int argc, char **argv);
	const char *more;
	void (*more_fn)(void);
};

extern const struct verb verb_status, verb_stat, verb_map, verb_object;
extern const struct verb verb_pager_list, verb_pager_serve, verb_cat, verb_trace;
extern const struct verb verb_default;

/* Values of a verb's own long options start here, clear of every letter. */
#define OPT_OWN 256

/* verb_getopt - next own option of the verb; -1 at the end, '?' when the verb must return
 * verb_exit().  Handles --json, --help and --version.
 */
int verb_getopt(int argc, char **argv, const struct option *own);
int verb_exit(void);

__printf(1, 2) int usage_error(const char *fmt, ...);

/* parse_u64 - a whole number, 0x.. for hexadecimal; @sizes allows the suffixes K, M, G, T. */
bool parse_u64(const char *s, bool sizes, uint64_t *v);

/* parse_ready_fd - the argument of --ready-fd: a descriptor that is open; else says so */
bool parse_ready_fd(const char *s, int *fd);

/* announce_ready - a newline to the descriptor of --ready-fd, which is closed; -1: nobody asked */
void announce_ready(int fd);

/* stop_signals - SIGINT and SIGTERM as a descriptor; a reader that hangs up is no signal at all */
int stop_signals(void);

#endif
