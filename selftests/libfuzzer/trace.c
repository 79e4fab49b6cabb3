// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace.c - events of any content for machvmctl trace, as text and as JSON, of which each line
 * must be some.
 *
 * What else tracefs says is in tools/machvmctl/tests.
 */
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <tracefs.h>
#include <unistd.h>

#include "../../tools/machvmctl/machvmctl.h"
#include "../../tools/machvmctl/out.h"
#include "fuzz.h"

#define RECORD 256		/* more than any event has */
#define DESCRIPTORS 8		/* that an instance of tracefs may leave behind */

static struct bytes bytes;

int __wrap_dev_open(void);
void __wrap_dev_close(int dev);

int __wrap_dev_open(void)
{
	return 0;
}

void __wrap_dev_close(int dev)
{
	(void)dev;
}

/* Then nobody has more to say, and it is to stop. */
int tracefs_iterate_raw_events(struct tep_handle *tep, struct tracefs_instance *instance,
			       cpu_set_t *cpus, int cpu_size,
			       int (*callback)(struct tep_event *, struct tep_record *, int, void *),
			       void *context)
{
	(void)instance, (void)cpus, (void)cpu_size;
	while (bytes.left) {
		char data[RECORD] = "";
		struct tep_record record = { .data = data, .size = sizeof(data) };
		struct tep_event *event = tep_find_event(tep, 1 + take_byte(&bytes) % 5);

		must(event);
		record.ts = take_short(&bytes);
		record.missed_events = (int8_t)take_byte(&bytes);
		take_some(&bytes, data, take_byte(&bytes));
		if (callback(event, &record, 0, context))
			break;
	}
	raise(SIGINT);
	return 0;
}

static void check_json(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		struct json_object *object = json_tokener_parse(line);

		must(object);
		json_object_put(object);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[] = { (char *)(uintptr_t)"machvmctl", (char *)(uintptr_t)"--time", NULL };
	int first = dup(0), status;
	FILE *real = stdout;
	char *text = NULL;
	size_t length;
	uint8_t how;

	bytes = (struct bytes){ data, size };
	how = take_byte(&bytes);
	stdout = open_memstream(&text, &length);
	must(first >= 0 && stdout);
	optind = 0;
	out_set_json(how & 1);
	status = out_finish(verb_trace.run(how & 2 ? 2 : 1, argv));
	must(status == EXIT_OK || status == EXIT_FAILED);
	fclose(stdout);
	stdout = real;
	if (how & 1)
		check_json(text);
	free(text);
	for (int fd = first; fd < first + DESCRIPTORS; fd++)
		close(fd);
	return 0;
}
