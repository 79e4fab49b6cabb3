// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_serve.c - "pager serve": options, sockets and the loop around the pager of serve.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mach/mach.h>
#include <machvm/machvm.h>
#include <machvm/pager.h>

#include "dev.h"
#include "machvmctl.h"
#include "out.h"
#include "serve.h"
#include "share.h"

struct server {
	const char *listen, *log_path;
	FILE *log;
	int ready_fd; /* -1: nobody asked */
	bool writable;
	struct machvm_pager *pager;
	struct serve_file *files;
	unsigned int nr_files;
	struct pollfd *polls;
};

/* Poll slots: two fixed ones, then a listening socket a file. */
enum { POLL_SIGNAL, POLL_PAGER, POLL_LISTEN };

static bool parse_options(int argc, char **argv, struct server *s, int *exit_code)
{
	enum { LISTEN = OPT_OWN, LOG, READY_FD, WRITE };
	static const struct option own[] = {
		{ "listen", required_argument, NULL, LISTEN },
		{ "log", required_argument, NULL, LOG },
		{ "ready-fd", required_argument, NULL, READY_FD },
		{ "write", no_argument, NULL, WRITE },
		{ 0 },
	};
	int opt;

	while ((opt = verb_getopt(argc, argv, own)) != -1) {
		switch (opt) {
		case LISTEN:
			s->listen = optarg;
			break;
		case LOG:
			s->log_path = optarg;
			break;
		case READY_FD:
			if (parse_ready_fd(optarg, &s->ready_fd))
				break;
			*exit_code = verb_exit();
			return false;
		case WRITE:
			s->writable = true;
			break;
		default:
			*exit_code = verb_exit();
			return false;
		}
	}
	if (optind < argc)
		return true;
	*exit_code = usage_error("pager serve needs a FILE to serve");
	return false;
}

static char *socket_name(const char *base, unsigned int index)
{
	char *name = NULL;

	if (!index)
		return strdup(base);
	return asprintf(&name, "%s.%u", base, index) < 0 ? NULL : name;
}

static bool file_start(struct server *s, struct serve_file *f, const char *path)
{
	kern_return_t kr;

	f->log = s->log;
	if (!serve_open(f, path, s->writable))
		return false;
	f->socket = socket_name(s->listen, f->index);
	if (!f->socket) {
		out_error(NULL, "out of memory");
		return false;
	}
	kr = machvm_pager_object(s->pager, f, &f->object);
	if (kr != KERN_SUCCESS) {
		out_error(NULL, "making a memory object: %s", machvm_strerror(kr));
		return false;
	}
	f->listen = share_listen(f->socket);
	return f->listen >= 0;
}

static bool server_start(struct server *s, char **paths)
{
	kern_return_t kr = machvm_pager_create(&serve_ops, &s->pager);
	unsigned int i;

	if (kr != KERN_SUCCESS) {
		out_error(NULL, "starting a pager: %s", machvm_strerror(kr));
		return false;
	}
	s->files = calloc(s->nr_files, sizeof(*s->files));
	s->polls = calloc(POLL_LISTEN + s->nr_files, sizeof(*s->polls));
	if (!s->files || !s->polls) {
		out_error(NULL, "out of memory");
		return false;
	}
	for (i = 0; i < s->nr_files; i++) { /* what server_stop() looks at */
		s->files[i].index = i;
		s->files[i].fd = -1;
		s->files[i].listen = -1;
	}
	for (i = 0; i < s->nr_files; i++)
		if (!file_start(s, &s->files[i], paths[i]))
			return false;
	return true;
}

static void announce(struct server *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_files; i++)
		if (!out_is_json())
			printf("serving %s (%" PRIu64 " bytes) on %s\n", s->files[i].path,
			       s->files[i].size, s->files[i].socket);
	fflush(stdout);
	announce_ready(s->ready_fd);
}

static void hand_out(struct serve_file *f)
{
	int client = accept4(f->listen, NULL, NULL, SOCK_CLOEXEC);
	kern_return_t kr;

	if (client < 0)
		return; /* it went away again */
	kr = machvm_object_send_size(client, f->object, f->size);
	if (kr != KERN_SUCCESS)
		out_warn("%s: sending the object: %s", f->socket, machvm_strerror(kr));
	close(client);
}

/* serve - until a signal asks to stop */
static bool serve(struct server *s, int signals)
{
	struct pollfd *polls = s->polls;
	unsigned int i;
	int ret;

	polls[POLL_SIGNAL] = (struct pollfd){ .fd = signals, .events = POLLIN };
	polls[POLL_PAGER] = (struct pollfd){ .fd = machvm_pager_fd(s->pager), .events = POLLIN };
	for (i = 0; i < s->nr_files; i++) {
		polls[POLL_LISTEN + i].fd = s->files[i].listen;
		polls[POLL_LISTEN + i].events = POLLIN;
	}
	for (;;) {
		if (poll(polls, POLL_LISTEN + s->nr_files, -1) < 0 && errno != EINTR) {
			out_error(NULL, "waiting for messages: %s", strerror(errno));
			return false;
		}
		if (polls[POLL_PAGER].revents) {
			ret = machvm_pager_dispatch(s->pager);
			if (ret < 0) {
				out_error(NULL, "the pager channel failed: %s", strerror(-ret));
				return false;
			}
		}
		for (i = 0; i < s->nr_files; i++)
			if (polls[POLL_LISTEN + i].revents)
				hand_out(&s->files[i]);
		if (polls[POLL_SIGNAL].revents)
			return true;
	}
}

static void summary(const struct server *s)
{
	struct serve_file sum = { 0 };
	unsigned int i;

	for (i = 0; i < s->nr_files; i++) {
		const struct serve_file *f = &s->files[i];

		sum.requests += f->requests;
		sum.pages += f->pages;
		sum.distinct += f->distinct;
		sum.supplied += f->supplied;
		sum.zero += f->zero;
		sum.failed += f->failed;
		sum.returned += f->returned;
		sum.dropped += f->dropped;
	}
	if (out_is_json()) {
		out_record("summary", NULL);
		out_u64("requests", "", sum.requests);
		out_u64("pages_requested", "", sum.pages);
		out_u64("pages_distinct", "", sum.distinct);
		out_u64("pages_supplied", "", sum.supplied);
		out_u64("pages_past_end", "", sum.zero);
		out_u64("pages_failed", "", sum.failed);
		out_u64("pages_returned", "", sum.returned);
		out_u64("pages_dropped", "", sum.dropped);
		out_record_end();
		return;
	}
	printf("%" PRIu64 " requests for %" PRIu64 " pages (%" PRIu64 " distinct), %" PRIu64
	       " supplied, %" PRIu64 " past the end, %" PRIu64 " failed, %" PRIu64
	       " returned, %" PRIu64 " dropped\n",
	       sum.requests, sum.pages, sum.distinct, sum.supplied, sum.zero, sum.failed,
	       sum.returned, sum.dropped);
}

static bool server_stop(struct server *s)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; s->files && i < s->nr_files; i++) {
		struct serve_file *f = &s->files[i];

		if (f->listen >= 0) {
			unlink(f->socket);
			close(f->listen);
		}
		if (!serve_close(f) || (f->writable && f->dropped))
			ok = false;
		free(f->socket);
	}
	free(s->files);
	free(s->polls);
	if (s->pager)
		machvm_pager_destroy(s->pager);
	if (s->log && fclose(s->log)) {
		out_error(NULL, "%s: %s", s->log_path, strerror(errno));
		ok = false;
	}
	return ok;
}

static bool prepare(struct server *s)
{
	int dev;

	if (!s->listen)
		s->listen = share_default();
	if (!s->listen) {
		out_error("Name one: --listen SOCKET", "there is no default place for the socket");
		return false;
	}
	dev = dev_open(); /* says best what is wrong, if something is */
	if (dev < 0)
		return false;
	dev_close(dev);
	if (!s->log_path)
		return true;
	s->log = fopen(s->log_path, "we");
	if (!s->log) {
		out_error(NULL, "%s: %s", s->log_path, strerror(errno));
		return false;
	}
	setvbuf(s->log, NULL, _IOLBF, 0); /* what we did is on file even if we are killed */
	return true;
}

static int run_serve(int argc, char **argv)
{
	struct server s = { .ready_fd = -1 };
	int ret = EXIT_FAILED, signals;

	if (!parse_options(argc, argv, &s, &ret))
		return ret;
	if (!prepare(&s))
		return EXIT_FAILED;
	s.nr_files = (unsigned int)(argc - optind);
	signals = stop_signals();
	if (server_start(&s, argv + optind)) {
		announce(&s);
		if (serve(&s, signals))
			ret = EXIT_OK;
		summary(&s);
	}
	if (!server_stop(&s))
		ret = EXIT_FAILED;
	close(signals);
	return ret;
}

const struct verb verb_pager_serve = {
	.name = "pager serve",
	.args = "[--listen SOCKET] [--log FILE] [--ready-fd N] [--write] FILE...",
	.help = "be a pager: serve files as memory objects",
	.run = run_serve,
	.more = "Each FILE (or block device) becomes a memory object. Whoever connects to\n"
		"SOCKET is sent the first one and may map it; the next files are on SOCKET.1,\n"
		"SOCKET.2 and so on. Runs until SIGINT or SIGTERM, then prints one line of\n"
		"counts.\n"
		"\n"
		"  --listen SOCKET  the UNIX socket; its directory and mode decide who may connect\n"
		"                   (default: machvm.sock in $XDG_RUNTIME_DIR, for root in /run)\n"
		"  --log FILE       a line for each message: request, supply, unavailable, error,\n"
		"                   return or terminate, then number of the file, offset, length\n"
		"  --ready-fd N     write a newline to descriptor N and close it once clients may\n"
		"                   connect\n"
		"  --write          write pages that clients have changed back to the file; else\n"
		"                   they are dropped, with a warning\n"
		"\n"
		"Bytes between the end of the file and the end of its last page are zero, pages\n"
		"after that are too and are not kept. A page that cannot be read is an error: the\n"
		"program that touched it gets SIGBUS.\n"
		"When the pager ends, pages that are in memory stay readable and all others are\n"
		"errors; so end the clients first, above all with --write.\n"
		"\n"
		"Examples:\n"
		"  machvmctl pager serve --listen /tmp/s big.img &\n"
		"  machvmctl cat /tmp/s | sha256sum\n"
		"  machvmctl pager serve --write --listen /tmp/s notes.txt\n",
};
