/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * util.h - what many tests need: short calls, regions, accesses that may fail, children.
 */
#ifndef _SELFTESTS_UTIL_H
#define _SELFTESTS_UTIL_H

#include <mach/mach.h>
#include <machvm/machvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../uapi/machvm.h"

#define SELF mach_task_self()

/* As on every machine that machvm knows; util_make() checks it. */
#define PAGE 4096UL
#define PAGES(n) ((vm_size_t)(n) * PAGE)

/* The first address that no program can have. */
#define USER_END ((1UL << 47) - PAGE)

/* Fresh memory of whole pages, anywhere; 0 if there is none. */
vm_address_t util_make(unsigned int pages);

/* A byte that tells a page from others: never 0. */
unsigned char util_mark(unsigned int page, unsigned int generation);

/* Writes a mark all over each of the pages, or counts the pages that do not hold it throughout. */
void util_fill(vm_address_t base, unsigned int pages, unsigned int generation);
unsigned int util_wrong(vm_address_t base, unsigned int pages, unsigned int generation);

/* Pages of the range that are not all zeroes. */
unsigned int util_not_zero(vm_address_t base, unsigned int pages);

struct util_region {
	vm_address_t address;
	vm_size_t size;
	vm_prot_t protection;
	vm_prot_t max_protection;
	vm_inherit_t inheritance;
	boolean_t shared;
	memory_object_name_t name;
	vm_offset_t offset;
};

kern_return_t util_region(vm_address_t address, struct util_region *region);

/* Regions that begin in the range; -1 if the walk does not end. */
int util_regions(vm_address_t from, vm_address_t to);

/* Bytes of the range that lie in regions. */
vm_size_t util_covered(vm_address_t from, vm_address_t to);

/* All that vm_region() does not tell: the ioctl itself.  The answer, or -errno. */
int util_region_full(int task, vm_address_t address, struct machvm_vm_region *region);

/* A mapping of Linux's, as /proc/self/maps has it. */
struct util_mapping {
	vm_address_t start, end;
	char access[5];		/* "rw-s" */
	bool ours;
};

/* The one that the address lies in; false if there is none. */
bool util_mapping(vm_address_t address, struct util_mapping *mapping);

/* Mappings that have a byte in the range; those of the module's if @ours. */
unsigned int util_mappings(vm_address_t from, vm_address_t to, bool ours);

/* How an access ended. */
struct util_access {
	int signal;		/* 0: it succeeded */
	int code;		/* si_code */
	void *address;		/* si_addr */
	kern_return_t info;	/* what machvm_fault_info() answered in the handler ... */
	kern_return_t why;	/* ... and said */
	int pager_reason;
	unsigned char byte;	/* what was read */
};

/* Reads or writes the byte, whatever comes of it.  One thread at a time. */
struct util_access util_read(vm_address_t address);
struct util_access util_write(vm_address_t address, unsigned char byte);

/* What the function at the address returns; -1: the fetch of its first instruction failed. */
int util_run(vm_address_t address);

/* Why the access failed, 0 if it did not, -1 if nobody knows. */
kern_return_t util_why_read(vm_address_t address);
kern_return_t util_why_write(vm_address_t address, unsigned char byte);

/* A descriptor of the device, for raw ioctls. */
int util_device(void);

/* The ioctl: its answer, or -errno. */
int util_ioctl(int fd, unsigned long command, void *argument);

/* 0 if the child ended with status 0, else its status, or 1000 and the signal. */
int util_wait(pid_t pid);

/* A place to wait for one another, across fork, too. */
struct util_gate {
	int fd[2];
};

int util_gate_init(struct util_gate *gate);
void util_gate_open(struct util_gate *gate);	/* lets one through */
int util_gate_pass(struct util_gate *gate);	/* waits; -1 if nobody is left who could open */
void util_gate_close_writer(struct util_gate *gate);

/* What /proc says the thread does: R, S, D ...; 0 if it is gone. */
char util_thread_state(pid_t pid, pid_t tid);

/* Returns when the thread sleeps, which is to be in the thing that it was started for. */
void util_wait_asleep(pid_t pid, pid_t tid);

/* Reads or sets a parameter of the module. */
long util_parameter(const char *name);
int util_parameter_set(const char *name, long value);

/* The number that a file begins with, -1 if there is none. */
long util_file_number(const char *path);
int util_file_write(const char *path, const char *text);

/* From now on this many descriptors can be had, 0 or 1; -1: as many as before. */
int util_descriptors(int nr);

/* Linux asks whoever has memory that can be had again for it, as when it is short. */
int util_drop_caches(void);

/* The same as root says that there is none left, so that @pid, a child, is killed; waits for it. */
int util_oom_kill(pid_t pid);

/* A memory cgroup, with a limit or with 0 for none; the caller enters alone. */
int util_cgroup_make(const char *group, unsigned long bytes);
int util_cgroup_enter(const char *group);
int util_cgroup_remove(const char *group);
long util_cgroup_number(const char *group, const char *file);
long util_cgroup_kills(const char *group);

/* Below it Linux lets only the privileged map. */
void util_lowest_address(unsigned long address);

/* Fresh memory that is shared by fork, from Linux, for children to leave results in. */
void *util_shared(size_t size);

/* Where in the kernel everybody is whom machvm keeps: on standard error. */
void util_say_stacks(void);

/* A memory object with the library's pager in a thread of this process. */
struct util_pager;

/* Page i of the object holds util_mark(i, 0) throughout. */
struct util_pager *util_pager_start(unsigned int pages);
memory_object_t util_pager_object(struct util_pager *pager);

/* The control descriptor, once a page of the object was touched. */
int util_pager_control(struct util_pager *pager);
unsigned int util_pager_requests(struct util_pager *pager, unsigned int page);
unsigned int util_pager_returns(struct util_pager *pager, unsigned int page);
unsigned char util_pager_returned(struct util_pager *pager, unsigned int page);

/* Until it is opened again, requests stay unanswered. */
void util_pager_hold(struct util_pager *pager, bool hold);

/* Returns when that many requests came in all. */
void util_pager_wait_requests(struct util_pager *pager, unsigned int count);

/* Waits until the object was terminated. */
void util_pager_wait_terminate(struct util_pager *pager);

/* Pages from this one on get data_error with this value; -1U: none. */
void util_pager_fail_from(struct util_pager *pager, unsigned int page, int error);
void util_pager_stop(struct util_pager *pager);

/* vm_map of the object anywhere with all defaults; 0 if it fails. */
vm_address_t util_map(memory_object_t object, vm_offset_t offset, unsigned int pages, bool copy);

#endif /* _SELFTESTS_UTIL_H */
