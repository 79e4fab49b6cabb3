// SPDX-License-Identifier: GPL-2.0-only
/*
 * machvmctl.c - finds the verb and helps whoever does not know it.
 * The table of verbs drives both.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "machvmctl.h"
#include "out.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

static const struct verb *const verbs[] = {
	&verb_status,	  &verb_stat,	     &verb_map, &verb_object,
	&verb_pager_list, &verb_pager_serve, &verb_cat,	&verb_trace,
	&verb_default,
};

#define NR_VERBS ARRAY_SIZE(verbs)

static const struct verb *verb; /* the one that runs */
static int exit_code;		/* what verb_exit() answers */

static void help(FILE *to)
{
	size_t i;

	fputs("usage: machvmctl [-j] VERB [ARGUMENTS]\n"
	      "Shows and steers machvm, Mach's virtual memory on Linux.\n"
	      "\n"
	      "verbs:\n", to);
	for (i = 0; i < NR_VERBS; i++)
		fprintf(to, "  %-12s %s\n", verbs[i]->name, verbs[i]->help);
	fputs("\n"
	      "options, before or after the verb:\n"
	      "  -j, --json     print JSON\n"
	      "  -h, --help     this text; after a verb: its arguments, columns and examples\n"
	      "  -V, --version  print the version\n"
	      "\n"
	      "Exit status: 0 done, 1 failed, 2 not understood.\n"
	      "\n"
	      "Try:\n"
	      "  machvmctl status\n"
	      "  machvmctl pager serve --listen /tmp/s /etc/services &\n"
	      "  machvmctl cat /tmp/s | cmp - /etc/services\n", to);
}

static void verb_help(void)
{
	printf("usage: machvmctl %s%s%s\n%s\n\n%s", verb->name, *verb->args ? " " : "", verb->args,
	       verb->help, verb->more);
	if (verb->more_fn)
		verb->more_fn();
}

int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("machvmctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n  machvmctl %s%s--help explains.\n", verb ? verb->name : "",
		verb ? " " : "");
	exit_code = EXIT_USAGE;
	return EXIT_USAGE;
}

int verb_exit(void)
{
	return exit_code;
}

/* common_option - the options of every verb; -1: handled, go on; else '?': stop */
static int common_option(int opt)
{
	switch (opt) {
	case 'j':
		out_set_json(true);
		return -1;
	case 'h':
		if (verb)
			verb_help();
		else
			help(stdout);
		exit_code = EXIT_OK;
		break;
	case 'V':
		puts("machvmctl " VERSION);
		exit_code = EXIT_OK;
		break;
	default: /* getopt has said what is wrong */
		usage_error("cannot go on");
		break;
	}
	return '?';
}

static const struct option common_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

int verb_getopt(int argc, char **argv, const struct option *own)
{
	struct option all[16] = { 0 };
	const struct option *o;
	size_t n = 0;
	int opt;

	for (o = common_options; o->name; o++)
		all[n++] = *o;
	for (o = own; o->name && n < ARRAY_SIZE(all) - 1; o++)
		all[n++] = *o;
	for (;;) {
		opt = getopt_long(argc, argv, "jhV", all, NULL);
		if (opt == -1 || opt >= OPT_OWN)
			return opt;
		opt = common_option(opt);
		if (opt != -1)
			return opt;
	}
}

bool parse_u64(const char *s, bool sizes, uint64_t *v)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	unsigned int shift = 0;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*v = strtoull(s, &end, 0);
	if (errno)
		return false;
	if (*end && sizes) {
		unit = strchr(units, *end);
		if (!unit)
			return false;
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	if (*end || *v > UINT64_MAX >> shift)
		return false;
	*v <<= shift;
	return true;
}

bool parse_ready_fd(const char *s, int *fd)
{
	uint64_t v;

	if (!parse_u64(s, false, &v) || v > INT_MAX || fcntl((int)v, F_GETFD) < 0) {
		usage_error("--ready-fd: %s is not open", s);
		return false;
	}
	*fd = (int)v;
	return true;
}

void announce_ready(int fd)
{
	if (fd < 0)
		return;
	if (write(fd, "\n", 1) != 1)
		out_warn("--ready-fd: %s", strerror(errno));
	close(fd);
}

int stop_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* verb_find - the verb that the arguments begin with; *used: how many words its name has */
static const struct verb *verb_find(int argc, char **argv, int *used)
{
	size_t i;

	for (i = 0; i < NR_VERBS; i++) {
		const char *space = strchr(verbs[i]->name, ' ');
		size_t first = space ? (size_t)(space - verbs[i]->name) : strlen(verbs[i]->name);

		if (strlen(argv[0]) != first || memcmp(argv[0], verbs[i]->name, first))
			continue;
		if (space && (argc < 2 || strcmp(argv[1], space + 1)))
			continue;
		*used = space ? 2 : 1;
		return verbs[i];
	}
	return NULL;
}

static int not_found(int argc, char **argv)
{
	size_t len = strlen(argv[0]), i, n = 0;
	char list[128] = "";

	for (i = 0; i < NR_VERBS; i++)
		if (!strncmp(verbs[i]->name, argv[0], len) && verbs[i]->name[len] == ' ')
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
					      verbs[i]->name + len + 1);
	if (!n)
		return usage_error("there is no verb '%s'", argv[0]);
	if (argc > 1 && argv[1][0] != '-')
		return usage_error("'%s' does not know '%s', only: %s", argv[0], argv[1], list);
	return usage_error("'%s' needs a second word: %s", argv[0], list);
}

int main(int argc, char **argv)
{
	int opt, used;

	while ((opt = getopt_long(argc, argv, "+jhV", common_options, NULL)) != -1)
		if (common_option(opt) != -1)
			return out_finish(exit_code);
	argc -= optind;
	argv += optind;
	if (!argc) {
		help(stderr);
		return EXIT_USAGE;
	}
	verb = verb_find(argc, argv, &used);
	if (!verb)
		return not_found(argc, argv);
	/* getopt starts anew, and names us in its messages by argv[0] */
	argc -= used - 1;
	argv += used - 1;
	argv[0] = (char *)"machvmctl";
	optind = 0;
	return out_finish(verb->run(argc, argv));
}
