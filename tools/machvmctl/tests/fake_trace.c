// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_trace.c - a tracefs with a few messages in it, on two processors, and then SIGINT.
 * What was said later comes first, as it may when the buffers are read one after the other.
 */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

/* As the kernel lays an event out, but for the fields that it has none of here. */
struct event {
	uint16_t type;
	uint8_t flags, preempt_count;
	int32_t pid;
	uint64_t object, port, offset, length;
	uint32_t epoch, sequence, access, lock_value;
	int32_t result, error;
	uint8_t precious;
	char name[24];
};

enum { SENT = 1, REPLY, UNSENT, REFUSED, FAULT };

static const struct {
	uint64_t ns;
	struct event event;
} said[] = {
	{ 4500000000, { .type = SENT, .object = 6, .port = 2, .sequence = 1, .epoch = 1,
			.name = "init" } },
	{ 5000000000, { .type = REPLY, .object = 6, .port = 2, .epoch = 1, .error = -7,
			.name = "farewell" } },
	{ 3000000000, { .type = SENT, .object = 5, .port = 2, .offset = 1ULL << 40,
			.length = 4096, .sequence = 2, .epoch = 1, .access = 3,
			.name = "data_request" } },
	{ 3000000500, { .type = FAULT, .name = "no message" } },
	{ 3000001000, { .type = REPLY, .object = 5, .port = 2, .offset = 1ULL << 40,
			.length = 4096, .epoch = 1, .lock_value = 6, .precious = 1,
			.name = "data_supply" } },
	{ 3000001000, { .type = REFUSED, .object = 5, .port = 2, .offset = 1ULL << 40,
			.length = 4096, .result = 23, .name = "data_supply" } },
};

#define NR_SAID (sizeof(said) / sizeof(said[0]))

static const char *const names[] = {
	[SENT] = "machvm_message_sent",	    [REPLY] = "machvm_reply_received",
	[UNSENT] = "machvm_message_unsent", [REFUSED] = "machvm_reply_refused",
	[FAULT] = "machvm_fault",
};

static void add_format(struct tep_handle *tep, int type)
{
#define FIELD(kind, name, sign)                                                                   \
	fprintf(f, "\tfield:" kind ";\toffset:%zu;\tsize:%zu;\tsigned:" sign ";\n",               \
		offsetof(struct event, name), sizeof(((struct event *)0)->name))
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "name: %s\nID: %d\nformat:\n", names[type], type);
	FIELD("unsigned short common_type", type, "0");
	FIELD("unsigned char common_flags", flags, "0");
	FIELD("unsigned char common_preempt_count", preempt_count, "0");
	FIELD("int common_pid", pid, "1");
	fputs("\n", f);
	FIELD("u64 object", object, "0");
	FIELD("u64 port", port, "0");
	FIELD("u64 offset", offset, "0");
	FIELD("u64 length", length, "0");
	FIELD("u32 epoch", epoch, "0");
	FIELD("u32 sequence", sequence, "0");
	FIELD("u32 access", access, "0");
	FIELD("u32 lock_value", lock_value, "0");
	FIELD("s32 result", result, "1");
	FIELD("s32 error", error, "1");
	FIELD("u8 precious", precious, "0");
	FIELD("char name[24]", name, "0");
	fputs("\nprint fmt: \"%llu\", REC->object\n", f);
	fclose(f);
	if (tep_parse_event(tep, text, size, "machvm"))
		abort();
	free(text);
#undef FIELD
}

struct tep_handle *tracefs_local_events_system(const char *dir, const char *const *systems)
{
	struct tep_handle *tep = tep_alloc();
	int type;

	(void)dir;
	(void)systems;
	for (type = SENT; type <= FAULT; type++)
		add_format(tep, type);
	return tep;
}

int tracefs_iterate_raw_events(struct tep_handle *tep, struct tracefs_instance *instance,
			       cpu_set_t *cpus, int cpu_size,
			       int (*callback)(struct tep_event *, struct tep_record *, int,
					       void *),
			       void *context)
{
	static size_t i;

	(void)instance;
	(void)cpus;
	(void)cpu_size;
	for (; i < NR_SAID; i++) {
		struct tep_record record = {
			.ts = said[i].ns, .data = (void *)&said[i].event,
			.size = sizeof(struct event),
			.missed_events = i || !getenv("FAKE_LOST") ? 0 : atoi(getenv("FAKE_LOST")),
		};

		if (callback(tep_find_event(tep, said[i].event.type), &record, 0, context))
			break;
	}
	raise(SIGINT);
	return 0;
}

const char *tracefs_tracing_dir(void)
{
	return "/nowhere";
}

struct tracefs_instance *tracefs_instance_create(const char *name)
{
	(void)name;
	return malloc(1);
}

int tracefs_instance_destroy(struct tracefs_instance *instance)
{
	(void)instance;
	return 0;
}

void tracefs_instance_free(struct tracefs_instance *instance)
{
	free(instance);
}

int tracefs_instance_file_write(struct tracefs_instance *instance, const char *file,
				const char *text)
{
	(void)instance;
	(void)file;
	return (int)strlen(text);
}

int tracefs_instance_file_open(struct tracefs_instance *instance, const char *file, int mode)
{
	int fds[2];

	(void)instance;
	(void)file;
	(void)mode;
	if (pipe(fds) || write(fds[1], "", 1) != 1)
		return -1;
	return fds[0];
}

int tracefs_event_file_write(struct tracefs_instance *instance, const char *system,
			     const char *event, const char *file, const char *text)
{
	(void)system;
	(void)event;
	return tracefs_instance_file_write(instance, file, text);
}

int tracefs_event_enable(struct tracefs_instance *instance, const char *system, const char *event)
{
	(void)instance;
	(void)system;
	(void)event;
	return 0;
}
