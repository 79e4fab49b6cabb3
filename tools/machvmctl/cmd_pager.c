// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_pager.c - pager ports, who serves them, and the objects on them.
 */
#include <stdio.h>
#include <string.h>

#include "dev.h"
#include "machvmctl.h"
#include "out.h"

/* command_name - what the process calls itself; "-" if it is gone or unknown */
static void command_name(uint32_t pid, char *name, size_t size)
{
	char path[32];
	FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	snprintf(name, size, "-");
	if (pid)
		f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(name, (int)size, f))
		name[strcspn(name, "\n")] = 0;
	fclose(f);
}

static int print_ports(int dev)
{
	struct machvm_port_info p;
	struct dev_walk walk;
	char name[32];
	int ret;

	if (!dev_walk_ports(dev, &walk))
		return -1;
	out_table("ports", "pager ports");
	while ((ret = dev_next_port(&walk, &p)) > 0) {
		command_name(p.out_pid, name, sizeof(name));
		out_row();
		out_u64("id", "PORT", p.id);
		out_u64("pid", "PID", p.out_pid);
		out_str("command", "COMMAND", name);
		out_u64("objects", "OBJECTS", p.out_objects);
		out_u64("sockets", "SOCKETS", p.out_sockets);
		out_u64("messages", "MESSAGES", p.out_messages);
		out_u64("requests", "REQUESTS", p.out_requests);
		out_u64("supplied", "SUPPLIED", p.out_supplied);
		out_u64("queued", "QUEUED", p.out_queued);
		out_u64("sent", "SENT", p.out_sent);
		out_u64("open", "OPEN", p.out_open);
		out_ns("oldest_ns", "OLDEST", p.out_oldest_ns);
		out_u64("resident", "RESIDENT", p.out_resident);
		out_u64("dirty", "DIRTY", p.out_dirty);
		out_u64("returning", "RETURNING", p.out_returning);
		out_u64("returned", "RETURNED", p.out_returned);
	}
	out_table_end("none: no pager serves an object that you may see");
	return ret;
}

static int print_objects(int dev)
{
	struct machvm_object_info o;
	struct dev_walk walk;
	int ret;

	if (!dev_walk_objects(dev, &walk))
		return -1;
	out_table("objects", "objects on them");
	while ((ret = dev_next_object(&walk, &o)) > 0) {
		if (o.out_port) {
			out_row();
			out_u64("port", "PORT", o.out_port);
			out_u64("id", "OBJECT", o.id);
			out_bool("ready", "READY", o.out_flags & MACHVM_OBJECT_READY);
			out_u64("resident", "RESIDENT", o.out_resident);
			out_u64("dirty", "DIRTY", o.out_dirty);
			out_u64("requested", "REQUESTED", o.out_requested);
			out_u64("supplied", "SUPPLIED", o.out_supplied);
			out_u64("unasked", "UNASKED", o.out_unasked);
			out_u64("requests", "WAITING", o.out_requests);
			out_ns("oldest_request_ns", "OLDEST", o.out_oldest_request_ns);
		}
	}
	out_table_end(NULL);
	return ret;
}

static const char *const waiter_states[] = {
	[MACHVM_WAITER_GATED] = "ready",
	[MACHVM_WAITER_QUEUED] = "queue",
	[MACHVM_WAITER_SENT] = "data",
	[MACHVM_WAITER_UNLOCK] = "unlock",
	[MACHVM_WAITER_LIMIT] = "limit",
	[MACHVM_WAITER_SYNC] = "sync",
};

static int print_waiters(int dev)
{
	struct machvm_waiter_info w = { 0 };
	char pager[32], thread[32];
	int ret;

	out_table("waiters", "threads that wait");
	while ((ret = dev_waiter(dev, &w)) > 0) {
		command_name(w.out_thread, thread, sizeof(thread));
		command_name(w.out_pager, pager, sizeof(pager));
		out_row();
		out_u64("thread", "THREAD", w.out_thread);
		out_str("command", "COMMAND", thread);
		out_u64("object", "OBJECT", w.id);
		out_u64("offset", "OFFSET", w.out_offset);
		out_str("for", "FOR", w.out_state < ARRAY_SIZE(waiter_states) ?
					      waiter_states[w.out_state] : "-");
		out_ns("age_ns", "AGE", w.out_age_ns);
		out_u64("pager", "PID", w.out_pager);
		out_str("pager_command", "PAGER", pager);
	}
	out_table_end(NULL);
	return ret;
}

static int run_list(int argc, char **argv)
{
	static const struct option own[] = { { 0 } };
	int dev, ret;

	if (verb_getopt(argc, argv, own) != -1)
		return verb_exit();
	if (optind < argc)
		return usage_error("pager list takes no arguments");
	dev = dev_open();
	if (dev < 0)
		return EXIT_FAILED;
	ret = print_ports(dev);
	if (ret >= 0)
		ret = print_objects(dev);
	if (ret >= 0)
		ret = print_waiters(dev);
	dev_close(dev);
	return ret < 0 ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_pager_list = {
	.name = "pager list",
	.args = "",
	.help = "pager ports, the processes that serve them, their objects, and who waits",
	.run = run_list,
	.more = "Shows your own ports; those of all users with CAP_SYS_ADMIN.\n"
		"\n"
		"  PORT       number of the port\n"
		"  PID        process that bound the first socket, COMMAND: its name\n"
		"  OBJECTS    objects that the port carries; SOCKETS: sockets that serve it\n"
		"  MESSAGES   messages ever sent to the pager\n"
		"  REQUESTS   pages ever asked for; SUPPLIED: pages ever supplied\n"
		"  QUEUED     messages not sent yet, because the pager has enough to do\n"
		"  SENT       messages sent and not answered\n"
		"  OPEN       requests not answered, sent or not; OLDEST: age of the oldest one\n"
		"  RESIDENT   pages of its objects in memory; DIRTY: written, and not returned yet\n"
		"  RETURNING  pages that it is to take back; RETURNED: pages that it ever took\n"
		"\n"
		"For each thread that waits: the page of which OBJECT, how old the question is,\n"
		"and which process is to answer. FOR data that was asked for, in the queue, until\n"
		"the pager is ready, or for the pager to unlock a page.\n"
		"\n"
		"A pager that hangs shows as SENT not 0 and an OLDEST that grows.\n"
		"\n"
		"Examples:\n"
		"  machvmctl pager list\n"
		"  machvmctl -j pager list | jq '.ports[] | select(.oldest_ns > 1e9) | .pid'\n",
};
