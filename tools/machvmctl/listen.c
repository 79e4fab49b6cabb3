// SPDX-License-Identifier: GPL-2.0-only
/*
 * listen.c - the module's tracepoints, through an instance of tracefs of our own.
 * Each processor has a buffer, and they are read one after the other: what has come since the
 * reading began waits for the next time, or it would overtake what a buffer read earlier has now.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tracefs.h>
#include <unistd.h>

#include "listen.h"
#include "machvmctl.h"
#include "out.h"

#define SYSTEM "machvm"

struct listener {
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	int pipe;
	struct heard *queue; /* heard, and not handed on */
	size_t nr, room;
	uint64_t lost;
	bool full; /* no memory for the queue */
};

static const char *const events[] = {
	[HEARD_SENT] = "machvm_message_sent",
	[HEARD_REPLY] = "machvm_reply_received",
	[HEARD_UNSENT] = "machvm_message_unsent",
	[HEARD_REFUSED] = "machvm_reply_refused",
};

/* number - a field of the event, 0 if it has none of that name */
static uint64_t number(struct tep_event *event, struct tep_record *record, const char *name)
{
	unsigned long long v = 0;

	if (tep_get_field_val(NULL, event, name, record, &v, 0))
		return 0;
	return v;
}

static void take_name(struct tep_event *event, struct tep_record *record, struct heard *h)
{
	int len = 0;
	const char *name = tep_get_field_raw(NULL, event, "name", record, &len, 0);

	if (len >= HEARD_NAME)
		len = HEARD_NAME - 1;
	if (name)
		memcpy(h->name, name, strnlen(name, (size_t)len));
}

static void take(struct tep_event *event, struct tep_record *record, struct heard *h)
{
#define TAKE(field) (h->field = (__typeof__(h->field))number(event, record, #field))
	h->ns = record->ts;
	take_name(event, record, h);
	TAKE(object);
	TAKE(port);
	TAKE(offset);
	TAKE(length);
	TAKE(error_offset);
	TAKE(cluster_size);
	TAKE(sequence);
	TAKE(epoch);
	TAKE(access);
	TAKE(lock_value);
	TAKE(should_return);
	TAKE(copy_strategy);
	TAKE(result);
	TAKE(error);
	TAKE(dirty);
	TAKE(kernel_copy);
	TAKE(precious);
	TAKE(reply);
	TAKE(should_flush);
	TAKE(may_cache);
#undef TAKE
}

static int on_event(struct tep_event *event, struct tep_record *record, int cpu, void *arg)
{
	struct listener *l = arg;
	struct heard h = { 0 };
	size_t i;

	(void)cpu;
	if (record->missed_events) /* negative: nobody knows how many */
		l->lost += record->missed_events > 0 ? (uint64_t)record->missed_events : 1;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(event->name, events[i]))
			break;
	if (i == ARRAY_SIZE(events))
		return 0;
	if (l->nr == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		struct heard *queue = reallocarray(l->queue, room, sizeof(*queue));

		l->full = !queue;
		if (!queue)
			return -1;
		l->queue = queue;
		l->room = room;
	}
	h.kind = (enum heard_kind)i;
	take(event, record, &h);
	l->queue[l->nr++] = h;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct heard *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

/* stable: what one processor has said at one time stays in order; nearly all of it is in order */
static void sort(struct heard *queue, size_t nr)
{
	size_t i, j;

	for (i = 1; i < nr; i++) {
		struct heard h = queue[i];

		for (j = i; j && by_time(&h, &queue[j - 1]) < 0; j--)
			queue[j] = queue[j - 1];
		queue[j] = h;
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

long listen_hear(struct listener *l, bool all, void (*hear)(const struct heard *))
{
	uint64_t before = all ? UINT64_MAX : now_ns();
	size_t i;

	if (tracefs_iterate_raw_events(l->tep, l->instance, NULL, 0, on_event, l) < 0 || l->full) {
		out_error(NULL, "reading the tracepoints: %s", l->full ? "out of memory" :
							       strerror(errno));
		return -1;
	}
	sort(l->queue, l->nr);
	for (i = 0; i < l->nr && l->queue[i].ns < before; i++)
		hear(&l->queue[i]);
	l->nr -= i;
	if (l->nr) /* else there may be no queue yet */
		memmove(l->queue, l->queue + i, l->nr * sizeof(*l->queue));
	return (long)l->nr;
}

int listen_fd(const struct listener *l)
{
	return l->pipe;
}

uint64_t listen_lost(const struct listener *l)
{
	return l->lost;
}

static bool failed(const char *what)
{
	out_error(errno == EACCES || errno == EPERM ? "Only root may trace." : NULL, "%s: %s", what,
		  strerror(errno));
	return false;
}

/* enable - one tracepoint, for what is asked for */
static bool enable(struct listener *l, const char *event, uint64_t object, uint64_t port)
{
	char filter[96] = "0";

	if (object && port)
		snprintf(filter, sizeof(filter), "object == %" PRIu64 " && port == %" PRIu64,
			 object, port);
	else if (object || port)
		snprintf(filter, sizeof(filter), "%s == %" PRIu64, object ? "object" : "port",
			 object ? object : port);
	if (tracefs_event_file_write(l->instance, SYSTEM, event, "filter", filter) < 0 ||
	    tracefs_event_enable(l->instance, SYSTEM, event))
		return failed(event);
	return true;
}

static bool start(struct listener *l, uint64_t object, uint64_t port)
{
	static const char *const systems[] = { SYSTEM, NULL };
	char name[32];
	size_t i;

	if (!tracefs_tracing_dir()) {
		out_error("Become root; the kernel must have tracepoints, and tracefs.",
			  "there is no tracefs");
		return false;
	}
	snprintf(name, sizeof(name), "machvmctl-%d", getpid());
	l->instance = tracefs_instance_create(name);
	if (!l->instance)
		return failed("making an instance of tracefs");
	l->tep = tracefs_local_events_system(NULL, systems);
	if (!l->tep)
		return failed("reading the formats of the tracepoints");
	if (tracefs_instance_file_write(l->instance, "trace_clock", "mono") < 0)
		return failed("trace_clock");
	l->pipe = tracefs_instance_file_open(l->instance, "trace_pipe", O_RDONLY | O_NONBLOCK);
	if (l->pipe < 0)
		return failed("trace_pipe");
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!enable(l, events[i], object, port))
			return false;
	return true;
}

struct listener *listen_start(uint64_t object, uint64_t port)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l) {
		out_error(NULL, "out of memory");
		return NULL;
	}
	l->pipe = -1;
	if (start(l, object, port))
		return l;
	listen_stop(l);
	return NULL;
}

bool listen_stop(struct listener *l)
{
	bool ok = true;

	if (l->pipe >= 0)
		close(l->pipe);
	if (l->instance) {
		if (tracefs_instance_destroy(l->instance))
			ok = failed(tracefs_instance_get_name(l->instance));
		tracefs_instance_free(l->instance);
	}
	tep_free(l->tep);
	free(l->queue);
	free(l);
	return ok;
}
