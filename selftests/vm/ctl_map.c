// SPDX-License-Identifier: GPL-2.0-only
/*
 * ctl_map.c - machvmctl map tells the truth in every column: after wiring, fork, copies, sharing;
 * and what lists objects lists those that are there.
 */
#include "harness.h"
#include "util.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A line of the table. */
struct shown {
	vm_address_t start, end;
	char protection[8], maximum[8], inheritance[8], flags[8], wired[8];
	unsigned long object, offset, shadows, resident, dirty;
};

static FILE *ctl_map(pid_t pid, const char *option)
{
	char command[64];

	snprintf(command, sizeof(command), "machvmctl %s map %d", option, pid);
	return popen(command, "re");
}

/* The region that begins there; false if no line is about it. */
static bool shown_at(pid_t pid, vm_address_t start, struct shown *shown)
{
	FILE *pipe = ctl_map(pid, "");
	bool found = false;
	char line[256];

	while (pipe && fgets(line, sizeof(line), pipe)) {
		if (found ||
		    sscanf(line, "%lx-%lx %3[^/]/%3s %7s %7s %lu %lx %lu %lu %lu %7s",
			   &shown->start, &shown->end, shown->protection, shown->maximum,
			   shown->inheritance, shown->flags, &shown->object, &shown->offset,
			   &shown->shadows, &shown->resident, &shown->dirty, shown->wired) != 12)
			continue;
		found = shown->start == start;
	}
	return pipe && !pclose(pipe) && found;
}

#define EXPECT_SHOWN(_pid, _start, _shown)                                                  \
	ASSERT_TRUE(shown_at(_pid, _start, _shown)) TH_LOG("no region at %lx", _start)

TEST(V18_machvmctl_map_of_plain_regions)
{
	vm_address_t base = util_make(16);
	struct shown shown;

	EXPECT_SHOWN(getpid(), base, &shown);
	EXPECT_EQ(base + PAGES(16), shown.end);
	EXPECT_STREQ("rw-", shown.protection);
	EXPECT_STREQ("rwx", shown.maximum);
	EXPECT_STREQ("copy", shown.inheritance);
	EXPECT_STREQ("---", shown.flags);
	EXPECT_STREQ("no", shown.wired);
	EXPECT_EQ(0, shown.object);
	EXPECT_EQ(0, shown.resident);
	util_read(base + PAGES(2));
	util_write(base + PAGES(3), 1);
	util_write(base + PAGES(12), 1);
	vm_protect(SELF, base + PAGES(8), PAGES(8), TRUE, VM_PROT_READ);
	vm_inherit(SELF, base + PAGES(8), PAGES(8), VM_INHERIT_NONE);
	EXPECT_SHOWN(getpid(), base, &shown);
	EXPECT_EQ(base + PAGES(8), shown.end);
	EXPECT_NE(0, shown.object);
	EXPECT_EQ(0, shown.offset);
	EXPECT_EQ(2, shown.resident);
	EXPECT_EQ(1, shown.dirty);
	EXPECT_EQ(0, shown.shadows);
	EXPECT_SHOWN(getpid(), base + PAGES(8), &shown);
	EXPECT_STREQ("r--", shown.protection);
	EXPECT_STREQ("r--", shown.maximum);
	EXPECT_STREQ("none", shown.inheritance);
	EXPECT_EQ(PAGES(8), shown.offset);
	EXPECT_EQ(1, shown.resident);
	EXPECT_EQ(1, shown.dirty);
}

TEST(V22_machvmctl_map_of_wired_memory)
{
	vm_address_t base = util_make(8);
	struct shown shown;

	ASSERT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), SELF, base + PAGES(2), PAGES(4),
					VM_PROT_READ));
	EXPECT_SHOWN(getpid(), base, &shown);
	EXPECT_STREQ("no", shown.wired);
	EXPECT_SHOWN(getpid(), base + PAGES(2), &shown);
	EXPECT_EQ(base + PAGES(6), shown.end);
	EXPECT_STREQ("yes", shown.wired);
	EXPECT_EQ(4, shown.resident);
	/* Out of reach it is not kept; within reach it is again. */
	vm_protect(SELF, base + PAGES(2), PAGES(4), FALSE, VM_PROT_NONE);
	EXPECT_SHOWN(getpid(), base + PAGES(2), &shown);
	EXPECT_STREQ("---", shown.protection);
	EXPECT_STREQ("no", shown.wired);
	vm_protect(SELF, base + PAGES(2), PAGES(4), FALSE, VM_PROT_DEFAULT);
	EXPECT_SHOWN(getpid(), base + PAGES(2), &shown);
	EXPECT_STREQ("yes", shown.wired);
	vm_wire(mach_host_priv(), SELF, base + PAGES(2), PAGES(4), VM_PROT_NONE);
	EXPECT_SHOWN(getpid(), base + PAGES(2), &shown);
	EXPECT_STREQ("no", shown.wired);
}

/* Both sides of a fork, before and after they write. */
TEST(C2_machvmctl_map_of_relatives)
{
	vm_address_t base = util_make(8), shared = util_make(4);
	struct util_gate ready, go;
	struct shown mine, its;
	unsigned long object;
	pid_t pid;

	/* Not one region with the other. */
	vm_inherit(SELF, shared, PAGES(4), VM_INHERIT_SHARE);
	util_fill(base, 8, 1);
	util_fill(shared, 4, 1);
	EXPECT_SHOWN(getpid(), base, &mine);
	object = mine.object;
	ASSERT_EQ(0, util_gate_init(&ready) || util_gate_init(&go));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&go);
		util_gate_open(&ready);
		util_gate_pass(&go);
		util_fill(base, 3, 2);
		util_gate_open(&ready);
		util_gate_pass(&go);
		_exit(0);
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	EXPECT_SHOWN(getpid(), base, &mine);
	EXPECT_SHOWN(pid, base, &its);
	EXPECT_STREQ("-c-", mine.flags);
	EXPECT_STREQ("-c-", its.flags);
	EXPECT_EQ(object, mine.object);
	EXPECT_EQ(object, its.object);
	EXPECT_EQ(8, its.resident);
	EXPECT_SHOWN(getpid(), shared, &mine);
	EXPECT_SHOWN(pid, shared, &its);
	EXPECT_STREQ("share", mine.inheritance);
	EXPECT_STREQ("s--", mine.flags);
	EXPECT_STREQ("s--", its.flags);
	EXPECT_EQ(mine.object, its.object);
	EXPECT_EQ(4, its.resident);
	util_gate_open(&go);
	ASSERT_EQ(0, util_gate_pass(&ready));
	/* It wrote to three pages, and shows five of its parent's. */
	EXPECT_SHOWN(pid, base, &its);
	EXPECT_STREQ("---", its.flags);
	EXPECT_NE(object, its.object);
	EXPECT_EQ(1, its.shadows);
	EXPECT_EQ(8, its.resident);
	EXPECT_EQ(8, its.dirty);
	EXPECT_SHOWN(getpid(), base, &mine);
	EXPECT_EQ(object, mine.object);
	EXPECT_EQ(0, mine.shadows);
	EXPECT_EQ(8, mine.resident);
	util_gate_open(&go);
	EXPECT_EQ(0, util_wait(pid));
}

TEST(V13_machvmctl_map_of_copies)
{
	vm_address_t base = util_make(8), to = util_make(8);
	struct shown from, copy;

	vm_inherit(SELF, to, PAGES(8), VM_INHERIT_NONE);
	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_copy(SELF, base, PAGES(8), to));
	EXPECT_SHOWN(getpid(), base, &from);
	EXPECT_SHOWN(getpid(), to, &copy);
	EXPECT_EQ(from.object, copy.object);
	EXPECT_STREQ("-c-", from.flags);
	EXPECT_STREQ("-c-", copy.flags);
	EXPECT_STREQ("none", copy.inheritance);
	util_write(to + PAGES(5), 1);
	EXPECT_SHOWN(getpid(), to, &copy);
	EXPECT_NE(from.object, copy.object);
	EXPECT_EQ(1, copy.shadows);
	EXPECT_EQ(8, copy.resident);
}

TEST(V14_machvmctl_map_of_an_object)
{
	struct util_pager *pager = util_pager_start(16);
	vm_address_t base = util_map(util_pager_object(pager), PAGES(4), 8, false);
	vm_address_t copy = util_map(util_pager_object(pager), 0, 4, true);
	struct shown shown;

	util_read(base + PAGES(1));
	util_write(base + PAGES(2), 1);
	EXPECT_SHOWN(getpid(), base, &shown);
	EXPECT_EQ('p', shown.flags[2]);
	EXPECT_EQ(PAGES(4), shown.offset);
	EXPECT_EQ(2, shown.resident);
	EXPECT_EQ(1, shown.dirty);
	EXPECT_SHOWN(getpid(), copy, &shown);
	EXPECT_EQ('-', shown.flags[2]);
	EXPECT_EQ(1, shown.shadows);
	util_pager_stop(pager);
}

/* The same for programs: every column under its name. */
TEST(V18_machvmctl_map_as_json)
{
	static const char *const names[] = {
		"start", "end", "protection", "max_protection", "inheritance", "shared",
		"needs_copy", "external", "object", "offset", "shadow_depth", "resident", "dirty",
		"wired",
	};
	vm_address_t base = util_make(2);
	char text[4096] = "", expected[64];
	FILE *pipe = ctl_map(getpid(), "-j");

	ASSERT_NE(0, base);
	ASSERT_NE(NULL, pipe);
	EXPECT_LT(0, fread(text, 1, sizeof(text) - 1, pipe));
	EXPECT_EQ(0, pclose(pipe));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(expected, sizeof(expected), "\"%s\":", names[i]);
		EXPECT_NE(NULL, strstr(text, expected)) TH_LOG("no %s", names[i]);
	}
}

#define CHURNERS 4
#define LIVING 256	/* objects of theirs */
#define OTHERS 16	/* objects and lines of whatever else */

/* Objects come and go, many at a time, faster than they are listed. */
static void churn(void)
{
	vm_address_t living[LIVING / CHURNERS] = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0;; i = (i + 1) % (LIVING / CHURNERS)) {
		if (living[i])
			vm_deallocate(SELF, living[i], PAGE);
		living[i] = util_make(1);
		/* Or it would be one object with its neighbours. */
		vm_inherit(SELF, living[i], PAGE, i % 2 ? VM_INHERIT_NONE : VM_INHERIT_COPY);
		util_write(living[i], 1);
	}
}

static int lines(const char *path)
{
	FILE *file = fopen(path, "re");
	int nr = 0, c;

	while (file && (c = getc(file)) != EOF)
		nr += c == '\n';
	return file && !fclose(file) ? nr : -1;
}

/* What is there when a list begins is in it, and not much of what comes then: or it might not end. */
TEST(V18_machvmctl_lists_what_is_there)
{
	static const char *const lists[] = {
		"machvmctl -j object >/tmp/list; grep -q '\"id\": *%lu\\>' /tmp/list",
		"machvmctl object --dot %lu >/tmp/list; grep -q '\\<%lu\\>' /tmp/list",
		"machvmctl object >/tmp/list; grep -q '^ *%lu ' /tmp/list",
	};
	vm_address_t base = util_make(1);
	struct shown shown;
	char command[128];
	pid_t pids[CHURNERS];

	util_write(base, 1);
	EXPECT_SHOWN(getpid(), base, &shown);
	for (size_t i = 0; i < CHURNERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			churn();
	}
	/* They make them faster than they are listed. */
	ASSERT_EQ(0, setpriority(PRIO_PROCESS, 0, 10));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(command, sizeof(command), lists[i], shown.object, shown.object);
		EXPECT_EQ(0, system(command)) TH_LOG("%s", command);
	}
	EXPECT_LT(0, lines("/tmp/list"));
	EXPECT_GE(LIVING + OTHERS, lines("/tmp/list"));
	for (size_t i = 0; i < CHURNERS; i++) {
		kill(pids[i], SIGKILL);
		util_wait(pids[i]);
	}
}

HARNESS_MAIN
