// SPDX-License-Identifier: GPL-2.0-only
/*
 * util.c - see util.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

vm_address_t util_make(unsigned int pages)
{
	vm_address_t base = 0;

	if (vm_page_size != PAGE)
		return 0;
	return vm_allocate(SELF, &base, PAGES(pages), TRUE) == KERN_SUCCESS ? base : 0;
}

unsigned char util_mark(unsigned int page, unsigned int generation)
{
	return 1 + (page * 7 + generation * 31) % 251;
}

void util_fill(vm_address_t base, unsigned int pages, unsigned int generation)
{
	for (unsigned int i = 0; i < pages; i++)
		memset((void *)(base + PAGES(i)), util_mark(i, generation), PAGE);
}

static bool page_holds(vm_address_t page, unsigned char byte)
{
	const unsigned char *bytes = (const unsigned char *)page;

	for (size_t i = 0; i < PAGE; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

unsigned int util_wrong(vm_address_t base, unsigned int pages, unsigned int generation)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < pages; i++)
		wrong += !page_holds(base + PAGES(i), util_mark(i, generation));
	return wrong;
}

unsigned int util_not_zero(vm_address_t base, unsigned int pages)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < pages; i++)
		wrong += !page_holds(base + PAGES(i), 0);
	return wrong;
}

kern_return_t util_region(vm_address_t address, struct util_region *region)
{
	region->address = address;
	return vm_region(SELF, &region->address, &region->size, &region->protection,
			 &region->max_protection, &region->inheritance, &region->shared,
			 &region->name, &region->offset);
}

int util_regions(vm_address_t from, vm_address_t to)
{
	struct util_region region;
	vm_address_t at = from;
	int count = 0;

	while (at < to && util_region(at, &region) == KERN_SUCCESS && region.address < to) {
		at = region.address + region.size;
		if (++count > 100000 || !region.size)
			return -1;
	}
	return count;
}

vm_size_t util_covered(vm_address_t from, vm_address_t to)
{
	struct util_region region;
	vm_address_t at = from;
	vm_size_t covered = 0;

	while (at < to && util_region(at, &region) == KERN_SUCCESS && region.address < to) {
		vm_address_t end = region.address + region.size;
		vm_address_t start = region.address > from ? region.address : from;

		if (!region.size)
			break;
		covered += (end < to ? end : to) - start;
		at = end;
	}
	return covered;
}

int util_region_full(int task, vm_address_t address, struct machvm_vm_region *region)
{
	memset(region, 0, sizeof(*region));
	region->size = sizeof(*region);
	region->task = task;
	region->address = address;
	region->count = 1;
	return util_ioctl(util_device(), MACHVM_VM_REGION, region);
}

/* Calls @each with every mapping until it is content. */
static bool mappings_walk(bool (*each)(const struct util_mapping *mapping, void *argument),
			  void *argument)
{
	FILE *file = fopen("/proc/self/maps", "re");
	struct util_mapping mapping;
	bool found = false;
	char line[512];

	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %4s", &mapping.start, &mapping.end,
			   mapping.access) != 3)
			break;
		mapping.ours = strstr(line, "[machvm]");
		found = each(&mapping, argument);
	}
	if (file)
		fclose(file);
	return found;
}

struct wanted {
	vm_address_t from, to;
	bool ours;
	unsigned int count;
	struct util_mapping *into;
};

static bool mapping_contains(const struct util_mapping *mapping, void *argument)
{
	struct wanted *wanted = argument;

	*wanted->into = *mapping;
	return mapping->start <= wanted->from && wanted->from < mapping->end;
}

bool util_mapping(vm_address_t address, struct util_mapping *mapping)
{
	struct wanted wanted = { .from = address, .into = mapping };

	return mappings_walk(mapping_contains, &wanted);
}

static bool mapping_count(const struct util_mapping *mapping, void *argument)
{
	struct wanted *wanted = argument;

	if (mapping->start < wanted->to && mapping->end > wanted->from)
		wanted->count += !wanted->ours || mapping->ours;
	return false;
}

unsigned int util_mappings(vm_address_t from, vm_address_t to, bool ours)
{
	struct wanted wanted = { .from = from, .to = to, .ours = ours };

	mappings_walk(mapping_count, &wanted);
	return wanted.count;
}

static sigjmp_buf access_env;
static struct util_access access_result;

static void access_failed(int signal, siginfo_t *info, void *context)
{
	(void)context;
	access_result.signal = signal;
	access_result.code = info->si_code;
	access_result.address = info->si_addr;
	access_result.why = -1;
	access_result.info = machvm_fault_info(info->si_addr, &access_result.why,
					       &access_result.pager_reason);
	siglongjmp(access_env, 1);
}

static struct util_access access_try(vm_address_t address, bool write, unsigned char byte)
{
	struct sigaction action = { .sa_sigaction = access_failed, .sa_flags = SA_SIGINFO };
	struct sigaction segv, bus;

	access_result = (struct util_access){ 0 };
	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	if (sigsetjmp(access_env, 1) == 0) {
		if (write)
			*(volatile unsigned char *)address = byte;
		else
			access_result.byte = *(volatile unsigned char *)address;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return access_result;
}

struct util_access util_read(vm_address_t address)
{
	return access_try(address, false, 0);
}

struct util_access util_write(vm_address_t address, unsigned char byte)
{
	return access_try(address, true, byte);
}

static kern_return_t why_of(struct util_access access)
{
	if (!access.signal)
		return KERN_SUCCESS;
	return access.info == KERN_SUCCESS ? access.why : -1;
}

static sigjmp_buf fetch_again;
static void *fetch_failed_at;

static void fetch_failed(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fetch_failed_at = info->si_addr;
	siglongjmp(fetch_again, 1);
}

int util_run(vm_address_t address)
{
	struct sigaction action = { .sa_sigaction = fetch_failed, .sa_flags = SA_SIGINFO };
	struct sigaction before;
	volatile int value = -1;

	sigaction(SIGSEGV, &action, &before);
	if (!sigsetjmp(fetch_again, 1))
		value = ((int (*)(void))address)();
	else if (fetch_failed_at != (void *)address)
		value = -2;
	sigaction(SIGSEGV, &before, NULL);
	return value;
}

kern_return_t util_why_read(vm_address_t address)
{
	return why_of(util_read(address));
}

kern_return_t util_why_write(vm_address_t address, unsigned char byte)
{
	return why_of(util_write(address, byte));
}

int util_device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(MACHVM_DEVICE, O_RDWR | O_CLOEXEC);
	return fd;
}

int util_ioctl(int fd, unsigned long command, void *argument)
{
	int ret = ioctl(fd, command, argument);

	return ret < 0 ? -errno : ret;
}

int util_wait(pid_t pid)
{
	int status;

	if (pid <= 0)
		return 2000;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 2001;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

int util_gate_init(struct util_gate *gate)
{
	return pipe2(gate->fd, O_CLOEXEC);
}

void util_gate_open(struct util_gate *gate)
{
	while (write(gate->fd[1], "", 1) < 0 && errno == EINTR)
		;
}

int util_gate_pass(struct util_gate *gate)
{
	ssize_t got;
	char byte;

	do {
		got = read(gate->fd[0], &byte, 1);
	} while (got < 0 && errno == EINTR);
	return got == 1 ? 0 : -1;
}

void util_gate_close_writer(struct util_gate *gate)
{
	close(gate->fd[1]);
	gate->fd[1] = -1;
}

char util_thread_state(pid_t pid, pid_t tid)
{
	char path[64], line[512], *at;
	char state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file)) {
		at = strrchr(line, ')');
		if (at && at[1] == ' ')
			state = at[2];
	}
	fclose(file);
	return state;
}

void util_wait_asleep(pid_t pid, pid_t tid)
{
	char state;

	while ((state = util_thread_state(pid, tid)) && state != 'S' && state != 'D')
		sched_yield();
}

long util_file_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long value = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

int util_file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

static const char *parameter_path(char (*path)[128], const char *name)
{
	snprintf(*path, sizeof(*path), "/sys/module/machvm/parameters/%s", name);
	return *path;
}

long util_parameter(const char *name)
{
	char path[128];

	return util_file_number(parameter_path(&path, name));
}

int util_parameter_set(const char *name, long value)
{
	char path[128], text[32];

	snprintf(text, sizeof(text), "%ld\n", value);
	return util_file_write(parameter_path(&path, name), text);
}

int util_descriptors(int nr)
{
	static rlim_t most;
	struct rlimit limit;
	int lowest;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	if (!most)
		most = limit.rlim_cur;
	limit.rlim_cur = most;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	if (nr < 0)
		return 0;
	lowest = dup(STDIN_FILENO);
	if (lowest < 0)
		return -1;
	close(lowest);
	limit.rlim_cur = lowest + nr;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

#define DROP_CACHES "/proc/sys/vm/drop_caches"

int util_drop_caches(void)
{
	return util_file_write(DROP_CACHES, "4") ||	/* does not log it */
	       util_file_write(DROP_CACHES, "2");
}

int util_oom_kill(pid_t pid)
{
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	err = util_file_write(path, "1000") || util_file_write("/proc/sysrq-trigger", "f");
	if (err)
		kill(pid, SIGKILL);
	return util_wait(pid) == 1000 + SIGKILL && !err ? 0 : -1;
}

#define CGROUPS "/sys/fs/cgroup"

static const char *cgroup_path(char (*path)[128], const char *group, const char *file)
{
	snprintf(*path, sizeof(*path), CGROUPS "/%s/%s", group, file);
	return *path;
}

int util_cgroup_make(const char *group, unsigned long bytes)
{
	char path[128], text[32];

	if (util_file_write(CGROUPS "/cgroup.subtree_control", "+memory") ||
	    mkdir(cgroup_path(&path, group, ""), 0755))
		return -1;
	if (!bytes)
		return 0;
	snprintf(text, sizeof(text), "%lu", bytes);
	return util_file_write(cgroup_path(&path, group, "memory.max"), text);
}

int util_cgroup_enter(const char *group)
{
	char path[128];

	return util_file_write(cgroup_path(&path, group, "cgroup.procs"), "0");
}

long util_cgroup_number(const char *group, const char *file)
{
	char path[128];

	return util_file_number(cgroup_path(&path, group, file));
}

long util_cgroup_kills(const char *group)
{
	char path[128], name[32];
	long value = -1;
	FILE *file = fopen(cgroup_path(&path, group, "memory.events"), "re");

	while (file && fscanf(file, "%31s %ld", name, &value) == 2 && strcmp(name, "oom_kill"))
		value = -1;
	if (file)
		fclose(file);
	return value;
}

int util_cgroup_remove(const char *group)
{
	char path[128];

	return rmdir(cgroup_path(&path, group, ""));
}

void util_lowest_address(unsigned long address)
{
	FILE *file = fopen("/proc/sys/vm/mmap_min_addr", "we");

	if (!file || fprintf(file, "%lu", address) < 0 || fclose(file))
		abort();
}

void *util_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

vm_address_t util_map(memory_object_t object, vm_offset_t offset, unsigned int pages, bool copy)
{
	vm_address_t base = 0;
	kern_return_t kr = vm_map(SELF, &base, PAGES(pages), 0, TRUE, object, offset, copy,
				  VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY);

	return kr == KERN_SUCCESS ? base : 0;
}

void util_say_stacks(void)
{
	static const char command[] =
		"for t in /proc/[0-9]*/task/[0-9]*; do grep -q machvm $t/stack || continue; "
		"echo \"# $t\" $(cat $t/comm); cat $t/stack; done >&2";

	if (system(command))
		fputs("# and cannot say where\n", stderr);
}
