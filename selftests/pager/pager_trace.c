// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_trace.c - machvmctl trace prints each message, once, as it was said and in that order.
 */
#include "harness.h"
#include "manager.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTANCES "/sys/kernel/tracing/instances"
#define MOST 64

/* A machvmctl that listens, and what it is to have printed when it ends. */
struct trace {
	pid_t pid;
	char output[32];
	struct object *object;
	uint64_t port;
	bool json;
	char *lines[MOST];
	unsigned int nr;
};

/* Returns when nothing is missed any more.  Without @object it listens to all there are. */
static void trace_start(struct trace *trace, struct object *object, bool json)
{
	char *arguments[8] = { "machvmctl", "trace", "--ready-fd", "9" };
	unsigned int nr = 4;
	int ready[2], fd;
	char id[24], byte;

	memset(trace, 0, sizeof(*trace));
	trace->object = object;
	trace->json = json;
	strcpy(trace->output, "/tmp/trace.XXXXXX");
	if (object) {
		snprintf(id, sizeof(id), "%llu", (unsigned long long)object->id);
		arguments[nr++] = "--object";
		arguments[nr++] = id;
	}
	if (json)
		arguments[nr++] = "-j";
	fd = mkstemp(trace->output);
	must(fd >= 0 && !pipe(ready));
	trace->pid = fork();
	if (!trace->pid) {
		dup2(fd, 1);
		if (ready[1] != 9) {
			dup2(ready[1], 9);
			close(ready[1]);
		}
		execvp("machvmctl", arguments);
		_exit(127);
	}
	close(fd);
	close(ready[1]);
	must_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static bool has_instance(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), INSTANCES "/machvmctl-%d", pid);
	return !access(path, F_OK);
}

static char *text_of(const char *path)
{
	char *text = calloc(1, 1 << 16);
	FILE *file = fopen(path, "re");

	must(text && file);
	must(fread(text, 1, (1 << 16) - 1, file) < (1 << 16) - 1);
	fclose(file);
	return text;
}

static __attribute__((format(printf, 2, 3))) void said(struct trace *trace, const char *format, ...)
{
	char *line, *body;
	va_list arguments;

	va_start(arguments, format);
	must(vasprintf(&body, format, arguments) > 0 && trace->nr < MOST);
	va_end(arguments);
	if (trace->json)
		must(asprintf(&line, "{\"object\":%llu,\"port\":%llu,%s}",
			      (unsigned long long)trace->object->id,
			      (unsigned long long)trace->port, body) > 0);
	else
		must(asprintf(&line, "object=%llu port=%llu %s",
			      (unsigned long long)trace->object->id,
			      (unsigned long long)trace->port, body) > 0);
	free(body);
	trace->lines[trace->nr++] = line;
}

/* It ends as it should, and has printed these lines and no more. */
static void trace_end(struct trace *trace, int sig)
{
	char *text, *at;
	unsigned int i;
	int status;

	must(has_instance(trace->pid));
	must_eq(kill(trace->pid, sig), 0);
	must_eq(waitpid(trace->pid, &status, 0), trace->pid);
	must_eq(status, 0);
	must(!has_instance(trace->pid));
	text = at = text_of(trace->output);
	for (i = 0; i < trace->nr; i++) {
		char *line = strsep(&at, "\n");

		if (!line || !at || strcmp(line, trace->lines[i]))
			raw_die(__FILE__, __LINE__, "line %u is\n  %s\nnot\n  %s", i + 1,
				line ?: "missing", trace->lines[i]);
		free(trace->lines[i]);
	}
	if (*at)
		raw_die(__FILE__, __LINE__, "more came: %s", at);
	free(text);
	unlink(trace->output);
}

static int lock_request(struct object *object, uint32_t should_return, uint32_t lock, bool reply)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .epoch = object->epoch, .length = PAGES(4),
		.should_return = should_return, .lock_value = lock, .reply = reply,
	};

	return util_ioctl(object->control, MACHVM_LOCK_REQUEST, &call);
}

/* Bound, mapped, and ready. */
static void begin(struct trace *trace, struct served *s)
{
	channel_open(&s->channel);
	must_eq(object_bind(&s->object, &s->channel, 0), 0);
	s->pages = 4;
	s->base = map_object(&s->object, 0, 4, false);
	expect_message(&s->channel, MACHVM_CMD_INIT);
	trace->port = object_info(&s->object).out_port;
	must_eq(say_ready(&s->channel, &s->object, COPY_DELAY), 0);
}

/* Asked, supplied with a reply, supplied once more in vain; an error; zeroes. */
static void pages_come(struct trace *trace, struct served *s)
{
	unsigned char page[PAGE];
	struct touch touch;

	memset(page, 7, sizeof(page));
	said(trace, "-> init seq=1 epoch=1");
	said(trace, "<- ready epoch=1 may_cache=no copy=delay");
	sleeping_read(&touch, s->base);
	expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);
	said(trace, "-> data_request seq=2 epoch=1 offset=0 length=0x1000 access=r");
	must_eq(say_supply(&s->channel, &s->object, 0, page, PAGE, true, true), 0);
	expect_message(&s->channel, MACHVM_CMD_SUPPLY_COMPLETED);
	touch_end(&touch);
	said(trace, "<- data_supply epoch=1 offset=0 length=0x1000 lock=none precious=yes reply=yes");
	said(trace, "-> supply_completed epoch=1 offset=0 length=0x1000 result=0 error_offset=0");
	must_eq(supply(&s->object, 0, page, PAGE), KERN_MEMORY_PRESENT);
	said(trace, "<- data_supply epoch=1 offset=0 length=0x1000 lock=none precious=no reply=no");
	said(trace, "<- data_supply refused offset=0 length=0x1000 result=23");

	sleeping_write(&touch, s->base + PAGE, 1);
	expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);
	said(trace, "-> data_request seq=3 epoch=1 offset=0x1000 length=0x1000 access=rw");
	must_eq(say_error(&s->channel, &s->object, PAGE, PAGE, -5), 0);
	touch_end(&touch);
	said(trace, "<- data_error epoch=1 offset=0x1000 length=0x1000 error=-5");
	sleeping_write(&touch, s->base + PAGES(2), 1);
	expect_message(&s->channel, MACHVM_CMD_DATA_REQUEST);
	said(trace, "-> data_request seq=4 epoch=1 offset=0x2000 length=0x1000 access=rw");
	must_eq(say_unavailable(&s->channel, &s->object, PAGES(2), PAGE), 0);
	touch_end(&touch);
	said(trace, "<- data_unavailable epoch=1 offset=0x2000 length=0x1000");
}

/* Cleaned and locked; a lock in the way is lifted. */
static void pages_are_locked(struct trace *trace, struct served *s)
{
	unsigned char page[PAGE];
	struct touch touch;

	must_eq(lock_request(&s->object, MACHVM_RETURN_DIRTY, MACHVM_PROT_WRITE, true), 0);
	expect_message(&s->channel, MACHVM_CMD_DATA_RETURN);
	said(trace, "<- lock_request epoch=1 offset=0 length=0x4000 return=dirty flush=no lock=w "
		    "reply=yes");
	said(trace, "-> data_return seq=5 epoch=1 offset=0x2000 length=0x1000 dirty=yes "
		    "kernel_copy=yes");
	must_eq(return_read(&s->object, PAGES(2), page, PAGE), 0);
	must_eq(return_release(&s->object, PAGES(2), PAGE), 0);
	expect_message(&s->channel, MACHVM_CMD_LOCK_COMPLETED);
	said(trace, "<- return_read offset=0x2000 length=0x1000");
	said(trace, "<- return_release offset=0x2000 length=0x1000");
	said(trace, "-> lock_completed seq=6 epoch=1 offset=0 length=0x4000 result=0");
	sleeping_write(&touch, s->base + PAGES(2), 2);
	expect_message(&s->channel, MACHVM_CMD_DATA_UNLOCK);
	said(trace, "-> data_unlock seq=7 epoch=1 offset=0x2000 length=0x1000 access=rw");
	must_eq(lock_request(&s->object, MACHVM_RETURN_NONE, MACHVM_PROT_NONE, false), 0);
	touch_end(&touch);
	said(trace, "<- lock_request epoch=1 offset=0 length=0x4000 return=none flush=no lock=none "
		    "reply=no");
}

static void pages_go(struct trace *trace, struct served *s)
{
	vm_address_t at;

	must_eq(say_change(&s->channel, &s->object, false, MACHVM_COPY_NONE, true), 0);
	expect_message(&s->channel, MACHVM_CMD_CHANGE_COMPLETED);
	said(trace, "<- change_attributes epoch=1 may_cache=no copy=none cluster=0 reply=yes");
	said(trace, "-> change_completed epoch=1 may_cache=no copy=none cluster=0x1000");
	unmap(s->base, 4);
	expect_message(&s->channel, MACHVM_CMD_DATA_RETURN);
	said(trace, "-> data_return seq=8 epoch=1 offset=0 length=0x1000 dirty=no kernel_copy=no");
	must_eq(return_release(&s->object, 0, PAGE), 0);
	said(trace, "<- return_release offset=0 length=0x1000");
	expect_message(&s->channel, MACHVM_CMD_DATA_RETURN);
	said(trace, "-> data_return seq=9 epoch=1 offset=0x2000 length=0x1000 dirty=yes "
		    "kernel_copy=no");
	must_eq(return_map(&s->object, PAGES(2), PAGE, &at), 0);
	expect_message(&s->channel, MACHVM_CMD_TERMINATE);
	said(trace, "<- return_map offset=0x2000 length=0x1000");
	said(trace, "-> terminate seq=10 epoch=1");
}

TEST(trace_prints_each_message_of_both_sides)
{
	struct trace trace;
	struct served s;

	object_create(&s.object);
	trace_start(&trace, &s.object, false);
	begin(&trace, &s);
	pages_come(&trace, &s);
	pages_are_locked(&trace, &s);
	pages_go(&trace, &s);
	trace_end(&trace, SIGINT);
}

TEST(trace_in_json_and_of_one_object)
{
	struct served s, other;
	struct trace trace;

	object_create(&s.object);
	trace_start(&trace, &s.object, true);
	begin(&trace, &s);
	said(&trace, "\"to\":\"pager\",\"message\":\"init\",\"sequence\":1,\"epoch\":1");
	said(&trace, "\"to\":\"kernel\",\"message\":\"ready\",\"epoch\":1,\"may_cache\":false,"
		     "\"copy_strategy\":\"delay\"");
	serve(&other, 4);	/* another object, on another port */
	unmap(other.base, 4);
	must_eq(say_destroy(&s.channel, &s.object, 77, false), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	said(&trace, "\"to\":\"kernel\",\"message\":\"destroy\",\"epoch\":1,"
		     "\"should_flush\":false,\"error\":77");
	said(&trace, "\"to\":\"pager\",\"message\":\"terminate\",\"sequence\":2,\"epoch\":1");
	trace_end(&trace, SIGTERM);
}

/* An object of the kernel's, of which the default memory manager is told how large it is. */
TEST(K13_trace_prints_what_a_manager_is_told)
{
	vm_address_t base = util_make(1);
	struct message message;
	struct trace trace;
	struct manager m;

	manager_start(&m);
	trace_start(&trace, NULL, false);
	util_fill(base, 1, 1);
	must_eq(pageout(base, 1), 1);
	message = told(&m);
	trace.object = &m.bank;
	trace.port = object_info(&m.bank).out_port;
	EXPECT_LT(0, message.length);
	said(&trace, "-> create seq=1 epoch=1 size=%#llx", (unsigned long long)message.length);
	said(&trace, "<- ready epoch=1 may_cache=no copy=delay");
	take(&m, MACHVM_CMD_DATA_INITIALIZE, 1);
	said(&trace, "-> data_initialize seq=2 epoch=1 offset=0 length=0x1000");
	said(&trace, "<- return_read offset=0 length=0x1000");
	said(&trace, "<- return_release offset=0 length=0x1000");
	unmap(base, 1);
	expect_message(&m.channel, MACHVM_CMD_TERMINATE);
	said(&trace, "-> terminate seq=3 epoch=1");
	must_eq(set_manager(-1, MACHVM_MANAGER_KERNEL, NULL), 0);
	trace_end(&trace, SIGINT);
}

/* What it says on standard error as another user, behind what @prepare has done. */
static char *refusal(void (*prepare)(void))
{
	char path[] = "/tmp/trace.XXXXXX", *text;
	int fd = mkstemp(path), status;
	pid_t pid;

	must(fd >= 0);
	pid = fork();
	if (!pid) {
		if (prepare)
			prepare();
		dup2(fd, 2);
		if (setgid(1000) || setuid(1000))
			_exit(126);
		execlp("machvmctl", "machvmctl", "trace", NULL);
		_exit(127);
	}
	must_eq(waitpid(pid, &status, 0), pid);
	must(WIFEXITED(status));
	must_eq(WEXITSTATUS(status), 1);
	must(!has_instance(pid));
	text = text_of(path);
	close(fd);
	unlink(path);
	return text;
}

/* debugfs has a tracefs of its own. */
static void without_tracefs(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2("/sys/kernel/tracing", MNT_DETACH) ||
	    umount2("/sys/kernel/debug", MNT_DETACH))
		_exit(126);
}

TEST(trace_says_why_it_cannot)
{
	char *text = refusal(NULL);

	EXPECT_NE(NULL, strstr(text, "Only root may trace")) TH_LOG("%s", text);
	free(text);
	text = refusal(without_tracefs);
	EXPECT_NE(NULL, strstr(text, "there is no tracefs")) TH_LOG("%s", text);
	free(text);
}

HARNESS_MAIN
