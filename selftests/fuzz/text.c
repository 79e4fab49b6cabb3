// SPDX-License-Identifier: GPL-2.0-only
/*
 * text.c - programs as text; fuzz.h shows what they look like.
 */
#include "fuzz.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const value_names[V_KINDS] = {
	[V_DEVICE] = "dev",	      [V_OBJECT] = "obj",	  [V_CONTROL] = "ctl",
	[V_ID] = "id",		      [V_EPOCH] = "epoch",	  [V_SOCKET] = "sock",
	[V_MEMORY] = "mem",	      [V_TASK] = "task",	  [V_PROXY] = "proxy",
	[V_OWNER] = "owner",	      [V_BUFFER] = "buf",	  [V_MESSAGE_OBJECT] = "msgobj",
	[V_MESSAGE_EPOCH] = "msgepoch", [V_MESSAGE_OFFSET] = "msgoff",
	[V_MESSAGE_LENGTH] = "msglen", [V_MESSAGE_NEW] = "msgnew",
};

void call_usual(struct call *call, unsigned int kind)
{
	memset(call, 0, sizeof(*call));
	call->kind = kind;
	for (unsigned int i = 0; i < call_kinds[kind].nr; i++)
		call->values[i] = call_kinds[kind].fields[i].usual;
}

static bool same(const struct value *a, const struct value *b)
{
	return a->kind == b->kind && a->index == b->index && a->add == b->add;
}

/* True if all of the text is a number. */
static bool number_read(const char *text, uint64_t *number)
{
	char *end;

	*number = strtoull(text, &end, 0);
	return end != text && !*end;
}

static bool value_read(struct value *value, const char *text)
{
	memset(value, 0, sizeof(*value));
	if (!strcmp(text, "-"))
		return true;
	value->kind = V_NUMBER;
	if (isdigit(*text))
		return number_read(text, &value->add);
	for (unsigned int i = 0; i < V_KINDS; i++) {
		size_t length = value_names[i] ? strlen(value_names[i]) : 0;
		char *end;

		if (!length || strncmp(text, value_names[i], length) ||
		    (text[length] && !isdigit(text[length]) && text[length] != '+'))
			continue;
		value->kind = i;
		value->index = strtoul(text + length, &end, 10);
		return !*end || (*end == '+' && number_read(end + 1, &value->add));
	}
	return false;
}

static int value_write(const struct value *value, char *text, size_t size)
{
	if (value->kind == V_ABSENT)
		return snprintf(text, size, "-");
	if (value->kind == V_NUMBER)
		return snprintf(text, size, "%#" PRIx64, value->add);
	if (!value->add)
		return snprintf(text, size, "%s%u", value_names[value->kind], value->index);
	return snprintf(text, size, "%s%u+%#" PRIx64, value_names[value->kind], value->index,
			value->add);
}

static bool assignment_read(struct call *call, char *word)
{
	const struct call_kind *kind = &call_kinds[call->kind];
	char *is = strchr(word, '=');

	if (!is)
		return false;
	*is = 0;
	for (unsigned int i = 0; i < kind->nr; i++)
		if (!strcmp(kind->fields[i].name, word))
			return value_read(&call->values[i], is + 1);
	return false;
}

static bool call_read(struct call *call, char *line)
{
	char *rest, *word = strtok_r(line, " \t", &rest);
	uint8_t process = 0;
	bool async = false;
	unsigned int i;

	if (word && word[0] == 'p' && isdigit(word[1]) && !word[2]) {
		process = word[1] - '0';
		word = strtok_r(NULL, " \t", &rest);
	}
	if (word && !strcmp(word, "async")) {
		async = true;
		word = strtok_r(NULL, " \t", &rest);
	}
	for (i = 0; word && i < nr_call_kinds; i++)
		if (!strcmp(call_kinds[i].name, word))
			break;
	if (!word || i == nr_call_kinds || process >= PROCESSES)
		return false;
	call_usual(call, i);
	call->process = process;
	call->async = async;
	while ((word = strtok_r(NULL, " \t", &rest)))
		if (!assignment_read(call, word))
			return false;
	return true;
}

/* One line of the text; false at its end. */
static bool line_read(const char **text, char *line, size_t size)
{
	size_t length = strcspn(*text, "\n"), taken = length < size ? length : size - 1;

	if (!**text)
		return false;
	memcpy(line, *text, taken);
	line[taken] = 0;
	*text += length + ((*text)[length] == '\n');
	return true;
}

int program_read(struct program *program, const char **text, char *line, size_t size)
{
	char copy[1024];

	memset(program, 0, sizeof(*program));
	while (line_read(text, line, size)) {
		if (!line[strspn(line, " \t")]) {	/* ends one */
			if (program->nr)
				return 1;
			continue;
		}
		if (line[0] == '#')
			continue;
		if (!strcmp(line, "as user") || !strcmp(line, "as root")) {
			program->user = !strcmp(line, "as user");
			continue;
		}
		snprintf(copy, sizeof(copy), "%s", line);
		if (program->nr == CALLS_MAX || !call_read(&program->calls[program->nr++], copy))
			return -1;
	}
	return program->nr ? 1 : 0;
}

static size_t call_write(const struct call *call, char *text, size_t size)
{
	const struct call_kind *kind = &call_kinds[call->kind];
	char value[64], process[4] = "";
	size_t used;

	if (call->process)
		snprintf(process, sizeof(process), "p%u ", call->process % 10);
	used = snprintf(text, size, "%s%s%s", process, call->async ? "async " : "", kind->name);
	for (unsigned int i = 0; i < kind->nr && used < size; i++) {
		if (same(&call->values[i], &kind->fields[i].usual))
			continue;
		value_write(&call->values[i], value, sizeof(value));
		used += snprintf(text + used, size - used, " %s=%s", kind->fields[i].name, value);
	}
	if (used < size)
		used += snprintf(text + used, size - used, "\n");
	return used;
}

/* Its length, without the 0; what does not fit is cut. */
int program_write(const struct program *program, char *text, size_t size)
{
	size_t used = snprintf(text, size, "as %s\n", program->user ? "user" : "root");

	for (unsigned int i = 0; i < program->nr && used < size; i++)
		used += call_write(&program->calls[i], text + used, size - used);
	return used < size ? used : size - 1;
}
