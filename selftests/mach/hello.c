// SPDX-License-Identifier: GPL-2.0-only
/*
 * hello.c - a program written for Mach: only <mach/mach.h> and libc, no set-up call.
 *
 * Uses every virtual memory call in the ordinary way and says what it found, as TAP; exits with 1
 * if something was not as Mach has it.
 */
#include <mach/mach.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 8

struct region {
	vm_address_t address;
	vm_size_t size;
	vm_prot_t protection;
	vm_prot_t max_protection;
	vm_inherit_t inheritance;
	boolean_t shared;
	memory_object_name_t name;
	vm_offset_t offset;
};

static int failures;
static int checks;
static bool in_child;

/* One line of TAP; the child's are remarks, for only the parent counts. */
__attribute__((format(printf, 2, 3))) static void check(bool right, const char *format, ...)
{
	va_list arguments;

	if (in_child)
		printf("# %s ", right ? "right:" : "WRONG:");
	else
		printf("%s %d mach_hello: ", right ? "ok" : "not ok", ++checks);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	failures += !right;
}

static void check_result(const char *what, kern_return_t got, kern_return_t wanted)
{
	check(got == wanted, "%s answers %d%s", what, got, got == wanted ? "" : ", unexpectedly");
}

static char *page(vm_address_t base, int index)
{
	return (char *)base + index * vm_page_size;
}

static kern_return_t region_at(vm_address_t address, struct region *region)
{
	region->address = address;
	return vm_region(mach_task_self(), &region->address, &region->size, &region->protection,
			 &region->max_protection, &region->inheritance, &region->shared,
			 &region->name, &region->offset);
}

/* Bytes that the regions between two addresses cover, each as vm_region() gives it. */
static vm_size_t regions_walk(vm_address_t from, vm_address_t to, int *count)
{
	struct region region;
	vm_address_t at = from;
	vm_size_t covered = 0;

	*count = 0;
	while (at < to && region_at(at, &region) == KERN_SUCCESS && region.address < to) {
		printf("# region %#lx, %lu KiB, protection %d of %d, inheritance %d\n",
		       (unsigned long)region.address, (unsigned long)region.size / 1024,
		       region.protection, region.max_protection, region.inheritance);
		covered += region.size;
		at = region.address + region.size;
		++*count;
	}
	return covered;
}

static vm_address_t test_allocate(void)
{
	vm_address_t base = 0, fixed, empty = 1;
	int zeroes = 0;

	check_result("vm_allocate of 8 pages anywhere",
		     vm_allocate(mach_task_self(), &base, PAGES * vm_page_size, TRUE),
		     KERN_SUCCESS);
	if (!base)
		return 0;
	check(base % vm_page_size == 0, "the memory is at a page boundary, %#lx",
	      (unsigned long)base);
	for (vm_size_t i = 0; i < PAGES * vm_page_size; i++)
		zeroes += *page(base, 0) == ((char *)base)[i] && ((char *)base)[i] == 0;
	check(zeroes == (int)(PAGES * vm_page_size), "fresh memory reads as %d zeroes", zeroes);
	for (int i = 0; i < PAGES; i++)
		snprintf(page(base, i), vm_page_size, "page %d", i);
	check(!strcmp(page(base, 5), "page 5"), "what was written is read back");

	fixed = base + vm_page_size;
	check_result("vm_allocate over it",
		     vm_allocate(mach_task_self(), &fixed, vm_page_size, FALSE), KERN_NO_SPACE);
	check_result("vm_allocate of nothing",
		     vm_allocate(mach_task_self(), &empty, 0, TRUE), KERN_SUCCESS);
	check(empty == 0, "and gives address 0");
	check_result("vm_allocate for no task",
		     vm_allocate(MACH_PORT_NULL, &empty, vm_page_size, TRUE),
		     KERN_INVALID_ARGUMENT);
	return base;
}

static void test_protect(vm_address_t base)
{
	struct region region;
	vm_size_t covered;
	int count;

	check_result("vm_protect of one page to read-only",
		     vm_protect(mach_task_self(), base + 2 * vm_page_size, vm_page_size, FALSE,
				VM_PROT_READ),
		     KERN_SUCCESS);
	check(!strcmp(page(base, 2), "page 2"), "the page can still be read");
	check_result("vm_region of it", region_at(base + 2 * vm_page_size, &region), KERN_SUCCESS);
	check(region.address == base + 2 * vm_page_size && region.size == vm_page_size,
	      "the page is a region of its own");
	check(region.protection == VM_PROT_READ && region.max_protection == VM_PROT_ALL &&
	      region.inheritance == VM_INHERIT_COPY && !region.shared,
	      "it is read-only, may become all, and is copied by fork");
	check(region.name != MACH_PORT_NULL, "its object has a name, since it was touched");
	check_result("mach_port_deallocate of that name",
		     mach_port_deallocate(mach_task_self(), region.name), KERN_SUCCESS);
	covered = regions_walk(base, base + PAGES * vm_page_size, &count);
	check(covered == PAGES * vm_page_size && count == 3, "%d regions cover the memory", count);

	check_result("vm_protect of a maximum",
		     vm_protect(mach_task_self(), base + 2 * vm_page_size, vm_page_size, TRUE,
				VM_PROT_READ),
		     KERN_SUCCESS);
	check_result("vm_protect of all 8 pages beyond it",
		     vm_protect(mach_task_self(), base, PAGES * vm_page_size, FALSE, VM_PROT_ALL),
		     KERN_PROTECTION_FAILURE);
	check_result("vm_region of the first", region_at(base, &region), KERN_SUCCESS);
	check(region.protection == VM_PROT_DEFAULT, "which is as it was");
}

static void test_map(void)
{
	vm_address_t at = 0;
	struct region region;

	check_result("vm_map of fresh memory, aligned to 64 KiB",
		     vm_map(mach_task_self(), &at, 2 * vm_page_size, 0xffff, TRUE,
			    MEMORY_OBJECT_NULL, 0, FALSE, VM_PROT_DEFAULT, VM_PROT_DEFAULT,
			    VM_INHERIT_COPY),
		     KERN_SUCCESS);
	check((at & 0xffff) == 0, "it is, at %#lx", (unsigned long)at);
	strcpy((char *)at, "mapped");
	check(!strcmp((char *)at, "mapped"), "and may be used");
	check_result("vm_region of it", region_at(at, &region), KERN_SUCCESS);
	check(region.max_protection == VM_PROT_DEFAULT, "its maximum is what vm_map was given");
	check_result("vm_map of nothing",
		     vm_map(mach_task_self(), &at, 0, 0, TRUE, MEMORY_OBJECT_NULL, 0, FALSE,
			    VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY),
		     KERN_INVALID_ARGUMENT);
	check_result("vm_map of the host",
		     vm_map(mach_task_self(), &at, vm_page_size, 0, TRUE, mach_host_self(), 0,
			    FALSE, VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY),
		     KERN_INVALID_ARGUMENT);
	check_result("vm_deallocate",
		     vm_deallocate(mach_task_self(), at, 2 * vm_page_size), KERN_SUCCESS);
}

static int child(vm_address_t base, int from_parent, int to_parent)
{
	char byte;
	vm_address_t own = 0;

	failures = 0;
	in_child = true;
	check(!strcmp(page(base, 5), "page 5"), "the child finds its copy");
	strcpy(page(base, 5), "child");
	(void)!write(to_parent, "c", 1);
	(void)!read(from_parent, &byte, 1);
	check(!strcmp(page(base, 5), "child"), "and keeps it when the parent writes");
	check(!strcmp(page(base, 6), "page 6"), "and does not see what the parent writes");
	check_result("vm_allocate in the child",
		     vm_allocate(mach_task_self(), &own, vm_page_size, TRUE), KERN_SUCCESS);
	if (own)
		*(char *)own = 1;
	check_result("vm_deallocate in the child",
		     vm_deallocate(mach_task_self(), base, PAGES * vm_page_size), KERN_SUCCESS);
	return failures != 0;
}

static void test_fork(vm_address_t base)
{
	int to_child[2], to_parent[2], status;
	char byte;
	pid_t pid;

	if (pipe(to_child) || pipe(to_parent)) {
		check(false, "pipe");
		return;
	}
	pid = fork();
	if (pid == 0)
		_exit(child(base, to_child[0], to_parent[1]));
	close(to_parent[1]);	/* so that a child that died is noticed */
	(void)!read(to_parent[0], &byte, 1);
	check(!strcmp(page(base, 5), "page 5"), "the parent does not see what the child writes");
	strcpy(page(base, 5), "parent");
	strcpy(page(base, 6), "parent");
	(void)!write(to_child[1], "p", 1);
	check(waitpid(pid, &status, 0) == pid && status == 0, "the child found all as it should");
	check(!strcmp(page(base, 5), "parent"), "the parent's memory outlives the child");
}

static void test_statistics(void)
{
	vm_statistics_data_t before, after;
	vm_address_t base = 0;

	check_result("vm_statistics", vm_statistics(mach_task_self(), &before), KERN_SUCCESS);
	check(before.pagesize == (integer_t)vm_page_size && before.free_count > 0,
	      "%d bytes in a page, %d pages free", before.pagesize, before.free_count);
	vm_allocate(mach_task_self(), &base, PAGES * vm_page_size, TRUE);
	for (int i = 0; i < PAGES; i++)
		*page(base, i) = 1;
	vm_statistics(mach_task_self(), &after);
	vm_deallocate(mach_task_self(), base, PAGES * vm_page_size);
	check(after.faults - before.faults >= 1 &&
	      after.zero_fill_count - before.zero_fill_count >= PAGES,
	      "touching %d pages made %d faults and %d pages of zeroes", PAGES,
	      after.faults - before.faults, after.zero_fill_count - before.zero_fill_count);
}

static void test_deallocate(vm_address_t base)
{
	struct region region;
	vm_size_t covered;
	int count;

	check_result("vm_deallocate of two pages in the middle",
		     vm_deallocate(mach_task_self(), base + 3 * vm_page_size, 2 * vm_page_size),
		     KERN_SUCCESS);
	check(!strcmp(page(base, 2), "page 2") && !strcmp(page(base, 7), "page 7"),
	      "their neighbours are as they were");
	covered = regions_walk(base, base + PAGES * vm_page_size, &count);
	check(covered == (PAGES - 2) * vm_page_size, "%lu pages are left",
	      (unsigned long)(covered / vm_page_size));
	check_result("vm_deallocate of all 8, over the hole",
		     vm_deallocate(mach_task_self(), base, PAGES * vm_page_size), KERN_SUCCESS);
	check(region_at(base, &region) != KERN_SUCCESS ||
	      region.address >= base + PAGES * vm_page_size, "nothing is left");
	check_result("vm_region above all memory",
		     region_at(-vm_page_size, &region), KERN_NO_SPACE);
}

static void test_ports(void)
{
	check(mach_task_self() == mach_task_self() && MACH_PORT_VALID(mach_task_self()),
	      "mach_task_self() is a port, and always the same");
	check(MACH_PORT_VALID(mach_host_self()) && MACH_PORT_VALID(mach_host_priv()),
	      "so are mach_host_self() and mach_host_priv()");
	check_result("mach_port_deallocate of the task",
		     mach_port_deallocate(mach_task_self(), mach_task_self()), KERN_SUCCESS);
	check_result("mach_port_deallocate of null",
		     mach_port_deallocate(mach_task_self(), MACH_PORT_NULL), KERN_INVALID_NAME);
}

int main(int argc, char **argv)
{
	vm_address_t base;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		puts("mach_hello");
		return 0;
	}
	base = test_allocate();
	if (base) {
		test_protect(base);
		test_map();
		test_fork(base);
		test_statistics();
		test_deallocate(base);
	}
	test_ports();
	printf("1..%d\n", checks);
	return failures != 0;
}
