// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_trace.c - "trace": what kernel and pagers say, while they say it, a line each.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dev.h"
#include "listen.h"
#include "machvmctl.h"
#include "out.h"

enum { OBJECT = OPT_OWN, PAGER, READY_FD, TIME };

struct tracer {
	uint64_t object, port;
	bool time;
	int ready_fd; /* -1: nobody asked */
};

/* What of a message is shown. */
enum {
	SEQUENCE = 1,
	RANGE = 2,
	ACCESS = 4,
	RETURNED = 8, /* dirty, kernel_copy */
	RESULT = 0x10,
	FIRST_BAD = 0x20, /* error_offset */
	ATTRIBUTES = 0x40,
	CLUSTER = 0x80,
	LOCK = 0x100,
	PRECIOUS = 0x200,
	ERROR = 0x400,
	CLEAN = 0x800, /* should_return */
	FLUSH = 0x1000,
	REPLY = 0x2000,
	EPOCH = 0x4000,
	SIZE = 0x8000,
};

static const struct {
	const char *name;
	unsigned int shows;
} messages[] = {
	{ "init", SEQUENCE | EPOCH },
	{ "create", SEQUENCE | EPOCH | SIZE },
	{ "data_initialize", SEQUENCE | EPOCH | RANGE },
	{ "data_request", SEQUENCE | EPOCH | RANGE | ACCESS },
	{ "data_unlock", SEQUENCE | EPOCH | RANGE | ACCESS },
	{ "data_return", SEQUENCE | EPOCH | RANGE | RETURNED },
	{ "lock_completed", SEQUENCE | EPOCH | RANGE | RESULT },
	{ "supply_completed", EPOCH | RANGE | RESULT | FIRST_BAD },
	{ "change_completed", EPOCH | ATTRIBUTES | CLUSTER },
	{ "terminate", SEQUENCE | EPOCH },
	{ "ready", EPOCH | ATTRIBUTES },
	{ "data_supply", EPOCH | RANGE | LOCK | PRECIOUS | REPLY },
	{ "data_unavailable", EPOCH | RANGE },
	{ "data_error", EPOCH | RANGE | ERROR },
	{ "lock_request", EPOCH | RANGE | CLEAN | FLUSH | LOCK | REPLY },
	{ "change_attributes", EPOCH | ATTRIBUTES | CLUSTER | REPLY },
	{ "destroy", EPOCH | ERROR | FLUSH },
	{ "return_read", RANGE },
	{ "return_map", RANGE },
	{ "return_release", RANGE },
};

/* shown - of one that is not in the table, as a later module may have, all that it could have */
static unsigned int shown(const struct heard *h)
{
	size_t i;

	if (h->kind == HEARD_UNSENT || h->kind == HEARD_REFUSED)
		return RANGE | RESULT;
	for (i = 0; i < ARRAY_SIZE(messages); i++)
		if (!strcmp(messages[i].name, h->name))
			return messages[i].shows;
	return h->kind == HEARD_SENT ? ~0U : ~(unsigned int)SEQUENCE;
}

static void put_protection(const char *key, const char *head, uint32_t v)
{
	char text[4] = "", *at = text;

	if (v & MACHVM_PROT_READ)
		*at++ = 'r';
	if (v & MACHVM_PROT_WRITE)
		*at++ = 'w';
	if (v & MACHVM_PROT_EXECUTE)
		*at++ = 'x';
	*at = 0;
	out_str(key, head, v == MACHVM_PROT_NO_CHANGE ? "same" : *text ? text : "none");
}

static void put_return(uint32_t v)
{
	static const char *const names[] = { "none", "dirty", "all", "anything" };

	out_str("should_return", "return", v < ARRAY_SIZE(names) ? names[v] : "dirty");
}

static void put_strategy(uint32_t v)
{
	static const char *const names[] = { "none", "call", "delay", "temporary", "symmetric" };

	out_str("copy_strategy", "copy", v < ARRAY_SIZE(names) ? names[v] : "unknown");
}

static void put_body(const struct heard *h, unsigned int shows)
{
	if (shows & SEQUENCE)
		out_u64("sequence", "seq", h->sequence);
	if (shows & EPOCH)
		out_u64("epoch", "epoch", h->epoch);
	if (shows & RANGE) {
		out_hex("offset", "offset", h->offset);
		out_hex("length", "length", h->length);
	}
	if (shows & SIZE && !(shows & RANGE))
		out_hex("size", "size", h->length);
	if (shows & ACCESS)
		put_protection("access", "access", h->access);
	if (shows & RETURNED) {
		out_bool("dirty", "dirty", h->dirty);
		out_bool("kernel_copy", "kernel_copy", h->kernel_copy);
	}
	if (shows & ATTRIBUTES) {
		out_bool("may_cache", "may_cache", h->may_cache);
		put_strategy(h->copy_strategy);
	}
	if (shows & CLUSTER)
		out_hex("cluster_size", "cluster", h->cluster_size);
	if (shows & CLEAN)
		put_return(h->should_return);
	if (shows & FLUSH)
		out_bool("should_flush", "flush", h->should_flush);
	if (shows & LOCK)
		put_protection("lock_value", "lock", h->lock_value);
	if (shows & PRECIOUS)
		out_bool("precious", "precious", h->precious);
	if (shows & REPLY)
		out_bool("reply", "reply", h->reply);
	if (shows & ERROR)
		out_i64("error", "error", h->error);
	if (shows & RESULT)
		out_i64("result", "result", h->result);
	if (shows & FIRST_BAD)
		out_hex("error_offset", "error_offset", h->error_offset);
}

static bool with_time;

static void print(const struct heard *h)
{
	bool to_pager = h->kind == HEARD_SENT || h->kind == HEARD_UNSENT;

	out_row();
	if (with_time)
		out_seconds("time_ns", "", h->ns);
	out_u64("object", "object", h->object);
	out_u64("port", "port", h->port);
	if (out_is_json())
		out_str("to", "", to_pager ? "pager" : "kernel");
	else
		out_str("to", "", to_pager ? "->" : "<-");
	out_str("message", "", h->name);
	if (h->kind == HEARD_UNSENT)
		out_str("outcome", "", "unsent");
	else if (h->kind == HEARD_REFUSED)
		out_str("outcome", "", "refused");
	put_body(h, shown(h));
	out_stream_row_end();
}

/* follow - until a signal asks to stop, or nobody reads; what was said before that is shown */
static bool follow(struct listener *l, int signals)
{
	struct pollfd polls[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = listen_fd(l), .events = POLLIN },
	};
	long left = 0;

	while (!ferror(stdout)) {
		if (poll(polls, ARRAY_SIZE(polls), left ? 0 : -1) < 0 && errno != EINTR) {
			out_error(NULL, "waiting for messages: %s", strerror(errno));
			return false;
		}
		left = listen_hear(l, polls[0].revents, print);
		if (left < 0)
			return false;
		if (polls[0].revents)
			return true;
	}
	return true;
}

static bool parse_number(const char *s, const char *of, uint64_t *v)
{
	if (parse_u64(s, false, v) && *v)
		return true;
	usage_error("%s is no number of %s", s, of);
	return false;
}

static bool parse_option(int opt, struct tracer *t)
{
	switch (opt) {
	case OBJECT:
		return parse_number(optarg, "an object", &t->object);
	case PAGER:
		return parse_number(optarg, "a port", &t->port);
	case READY_FD:
		return parse_ready_fd(optarg, &t->ready_fd);
	case TIME:
		t->time = true;
		return true;
	default: /* verb_getopt() has done what there was to do */
		return false;
	}
}

static bool parse_options(int argc, char **argv, struct tracer *t, int *exit_code)
{
	static const struct option own[] = {
		{ "object", required_argument, NULL, OBJECT },
		{ "pager", required_argument, NULL, PAGER },
		{ "ready-fd", required_argument, NULL, READY_FD },
		{ "time", no_argument, NULL, TIME },
		{ 0 },
	};
	int opt;

	while ((opt = verb_getopt(argc, argv, own)) != -1)
		if (!parse_option(opt, t))
			break;
	if (opt == -1 && optind == argc)
		return true;
	if (opt == -1)
		usage_error("trace takes no arguments");
	*exit_code = verb_exit();
	return false;
}

static int run_trace(int argc, char **argv)
{
	struct tracer t = { .ready_fd = -1 };
	int ret = EXIT_FAILED, signals, dev;
	struct listener *l;

	if (!parse_options(argc, argv, &t, &ret))
		return ret;
	dev = dev_open(); /* says best what is wrong, if something is */
	if (dev < 0)
		return EXIT_FAILED;
	dev_close(dev);
	signals = stop_signals();
	l = listen_start(t.object, t.port);
	if (!l)
		return EXIT_FAILED;
	with_time = t.time;
	out_lines();
	announce_ready(t.ready_fd);
	if (follow(l, signals))
		ret = EXIT_OK;
	if (listen_lost(l)) {
		out_warn("%llu messages or more came too fast and are not shown",
			 (unsigned long long)listen_lost(l));
		ret = EXIT_FAILED;
	}
	if (!listen_stop(l))
		ret = EXIT_FAILED;
	close(signals);
	return ret;
}

const struct verb verb_trace = {
	.name = "trace",
	.args = "[--object ID] [--pager PORT] [--time] [--ready-fd N]",
	.help = "what the kernel and the pagers say to one another, while they do",
	.run = run_trace,
	.more = "A line for each message, until SIGINT or SIGTERM:\n"
		"\n"
		"  object=12 port=7 -> data_request seq=2 epoch=1 offset=0 length=0x1000 access=r\n"
		"  object=12 port=7 <- data_supply epoch=1 offset=0 length=0x1000 lock=none ...\n"
		"\n"
		"The arrow points to the pager (->) or to the kernel (<-). What a pager does by\n"
		"ioctl is shown too: return_read, return_map and return_release fetch what a\n"
		"data_return has offered, and let go of it. A message is shown before it has an\n"
		"effect; if it had none, a second line says so: a reply was refused, with its\n"
		"kern_return_t (or, negative, errno), or a message was unsent, because the\n"
		"pager's socket was full, and comes again.\n"
		"\n"
		"  --object ID   only what is said of this object\n"
		"  --pager PORT  only what is said to and by those who serve this port, which\n"
		"                pager list shows\n"
		"  --time        begin each line with the seconds since the machine was started\n"
		"  --ready-fd N  write a newline to descriptor N and close it once nothing is\n"
		"                missed any more\n"
		"\n"
		"Wants root, and a kernel with tracefs. It listens through a trace instance of its\n"
		"own, so it disturbs no other tracing, and removes that at the end. If messages\n"
		"come faster than they can be shown, it says at the end how many were not.\n"
		"\n"
		"Examples:\n"
		"  machvmctl trace\n"
		"  machvmctl trace --object 12 --time\n"
		"  machvmctl -j trace | jq 'select(.message == \"data_request\") | .offset'\n",
};
