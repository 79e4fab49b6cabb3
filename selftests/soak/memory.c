// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - a writer and its memory, which is not there most of the time.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "soak.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WORDS (PAGE / sizeof(uint64_t))
#define MIX 0x9e3779b97f4a7c15UL
#define STEP 0xbf58476d1ce4e5b9UL
#define FEW 20			/* one of so many pages is among those used most */
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

/* What no other page holds at this place, nor this one when it is written again. */
static uint64_t word(unsigned int owner, unsigned long page, uint32_t version, unsigned int at)
{
	uint64_t key = (uint64_t)owner << 56 | (uint64_t)page << 32 | version;

	return version ? key * MIX + at * STEP : 0;
}

/* Whose word it is, if it is one: what word() made it of. */
static uint64_t key_of(uint64_t word, unsigned int at)
{
	uint64_t inverse = MIX;

	for (int i = 0; i < 6; i++)
		inverse *= 2 - MIX * inverse;
	return (word - at * STEP) * inverse;
}

static int first_wrong(const void *data, unsigned int owner, unsigned long page, uint32_t version)
{
	const volatile uint64_t *words = data;

	for (unsigned int i = 0; i < WORDS; i++)
		if (words[i] != word(owner, page, version, i))
			return i;
	return -1;
}

bool page_holds(const void *data, unsigned int owner, unsigned long page, uint32_t version)
{
	return first_wrong(data, owner, page, version) < 0;
}

static void page_write(struct memory *memory, unsigned long page)
{
	volatile uint64_t *words = (volatile uint64_t *)(memory->base + PAGES(page));
	uint32_t version = ++memory->versions[page];

	if (memory->published)
		memory->published[page] = version;
	for (unsigned int i = 0; i < WORDS; i++)
		words[i] = word(memory->owner, page, version, i);
}

void pages_write(struct memory *memory, unsigned long first, unsigned long nr)
{
	for (unsigned long i = first; i < first + nr; i++) {
		page_write(memory, i);
		go_on(memory->part);
	}
	atomic_fetch_add(&board->written, nr);
}

static void page_verify(struct memory *memory, vm_address_t at, unsigned long page,
			const char *what)
{
	uint32_t version = memory->versions[page];
	int wrong = first_wrong((void *)at, memory->owner, page, version);
	uint64_t is;

	if (wrong < 0)
		return;
	is = ((volatile uint64_t *)at)[wrong];
	finding("%s %u, %s: word %d of page %lu at %#lx is %#lx, of %#lx, and was written %#x times%s",
		memory->part->name, memory->part->number, what, wrong, page, at, is,
		is ? key_of(is, wrong) : 0, version,
		page_holds((void *)at, memory->owner, page, version) ? "; now it is right" : "");
}

void pages_verify(struct memory *memory, vm_address_t at, unsigned long first, unsigned long nr,
		  const char *what)
{
	for (unsigned long i = 0; i < nr; i++) {
		page_verify(memory, at + PAGES(i), first + i, what);
		go_on(memory->part);
	}
	atomic_fetch_add(&board->verified, nr);
}

unsigned long some_place(struct memory *memory, unsigned long nr)
{
	unsigned long all = memory->pages - nr + 1;

	return below(&memory->seed, 10) < 7 ? below(&memory->seed, all / FEW + 1) :
					      below(&memory->seed, all);
}

static unsigned long some_length(struct memory *memory)
{
	return 1 + below(&memory->seed, RUN);
}

/* False if it wanted pages for itself: those it does not have by paging others out. */
static bool done(kern_return_t answer, const char *what)
{
	if (answer == KERN_SUCCESS)
		return true;
	if (answer != KERN_RESOURCE_SHORTAGE)
		finding("%s: %d", what, answer);
	atomic_fetch_add(&board->shortages, 1);
	return false;
}

static void op_write(struct memory *memory)
{
	unsigned long nr = some_length(memory);

	pages_write(memory, some_place(memory, nr), nr);
}

static void op_verify(struct memory *memory)
{
	unsigned long nr = some_length(memory), first = some_place(memory, nr);

	pages_verify(memory, memory->base + PAGES(first), first, nr, "memory");
}

/* The way there is a delayed copy, or bytes that were read. */
static void op_copy(struct memory *memory)
{
	unsigned long nr = some_length(memory), first = some_place(memory, nr);
	vm_address_t source = memory->base + PAGES(first);
	mach_msg_type_number_t count;
	vm_offset_t data;

	if (below(&memory->seed, 2)) {
		if (done(vm_copy(SELF, source, PAGES(nr), memory->scratch), "vm_copy"))
			pages_verify(memory, memory->scratch, first, nr, "a copy");
	} else if (done(vm_read(SELF, source, PAGES(nr), &data, &count), "vm_read")) {
		pages_write(memory, first, nr / 2);
		pages_verify(memory, data + PAGES(nr / 2), first + nr / 2, nr - nr / 2,
			     "what was read");
		must_eq(vm_deallocate(SELF, data, PAGES(nr)), KERN_SUCCESS);
	}
}

/* Past all caches of Linux's, so that a device works on the pages themselves. */
static void op_io(struct memory *memory)
{
	unsigned long nr = some_length(memory), first = some_place(memory, nr);
	void *at = (void *)(memory->base + PAGES(first));

	must_eq(pwrite(memory->file, at, PAGES(nr), 0), PAGES(nr));
	must_eq(pread(memory->file, at, PAGES(nr), 0), PAGES(nr));
	pages_verify(memory, (vm_address_t)at, first, nr, "what was read from a disk");
}

/* It comes back empty. */
static void op_remake(struct memory *memory)
{
	unsigned long nr = some_length(memory), first = some_place(memory, nr);
	vm_address_t at = memory->base + PAGES(first);

	if (memory->external)
		return;
	must_eq(vm_deallocate(SELF, at, PAGES(nr)), KERN_SUCCESS);
	must_eq(vm_allocate(SELF, &at, PAGES(nr), FALSE), KERN_SUCCESS);
	memset(memory->versions + first, 0, nr * sizeof(*memory->versions));
	pages_verify(memory, at, first, nr, "new memory");
}

static void op_pageout(struct memory *memory)
{
	unsigned long nr = some_length(memory), first = some_place(memory, nr);
	struct machvm_vm_pageout out = {
		.size = sizeof(out), .task = MACHVM_TASK_SELF,
		.address = memory->base + PAGES(first), .length = PAGES(nr),
	};

	if (memory->external)
		must_eq(vm_msync(SELF, out.address, PAGES(nr), VM_SYNC_SYNCHRONOUS),
			KERN_SUCCESS);
	else
		must_eq(util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &out), KERN_SUCCESS);
}

static void op_wire(struct memory *memory)
{
	unsigned long nr = some_length(memory) / 4 + 1, first = some_place(memory, nr);
	vm_address_t at = memory->base + PAGES(first);

	if (!done(vm_wire(mach_host_priv(), SELF, at, PAGES(nr), VM_PROT_READ), "vm_wire"))
		return;
	pages_verify(memory, at, first, nr, "wired memory");
	pages_write(memory, first, nr);
	must_eq(vm_wire(mach_host_priv(), SELF, at, PAGES(nr), VM_PROT_NONE), KERN_SUCCESS);
}

/* Linux may refuse; what it does must not be seen. */
static void op_advise(struct memory *memory)
{
	static const int advice[] = { MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED,
				      MADV_MERGEABLE, MADV_HUGEPAGE };
	unsigned long nr = some_length(memory), first = some_place(memory, nr);
	void *at = (void *)(memory->base + PAGES(first));

	madvise(at, PAGES(nr), advice[below(&memory->seed, 6)]);
	pages_verify(memory, (vm_address_t)at, first, nr, "memory that Linux was told about");
}

static const struct {
	void (*run)(struct memory *memory);
	unsigned int weight;		/* of 100 */
} operations[] = {
	{ op_write, 33 }, { op_verify, 33 }, { op_copy, 8 }, { op_io, 6 }, { op_remake, 4 },
	{ op_pageout, 4 }, { op_wire, 4 }, { op_advise, 4 }, { op_fork, 4 },
};

static void operate(struct memory *memory)
{
	unsigned int at = below(&memory->seed, 100), i;

	for (i = 0; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	operations[i].run(memory);
	go_on(memory->part);
}

/* Nobody is to be stopped by a signal here. */
static void failed(int signal, siginfo_t *info, void *context)
{
	kern_return_t why = -1;
	int reason = 0;

	(void)context;
	machvm_fault_info(info->si_addr, &why, &reason);
	finding("process %d: signal %d at %p, because of %d, of its pager %d", getpid(), signal,
		info->si_addr, why, reason);
	_exit(1);
}

/* What the writer needs besides its memory. */
static void memory_begin(struct memory *memory)
{
	struct sigaction action = { .sa_sigaction = failed, .sa_flags = SA_SIGINFO };
	char path[64];

	must(!sigaction(SIGSEGV, &action, NULL));
	must(!sigaction(SIGBUS, &action, NULL));
	prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);	/* new kernels know it */
	memory->seed = seed_of(memory->part);
	memory->versions = calloc(memory->pages, sizeof(*memory->versions));
	memory->scratch = util_make(RUN);
	snprintf(path, sizeof(path), FILES "/%s.%u", memory->part->name, memory->part->number);
	memory->file = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	must(memory->versions && memory->scratch && memory->file >= 0 && memory->base);
}

static void memory_live(struct memory *memory)
{
	memory_begin(memory);
	for (unsigned long at = 0; !stopped(); at += RUN) {
		if (at + RUN <= memory->pages)
			pages_write(memory, at, RUN);
		operate(memory);
	}
	children_end(memory);
	pages_verify(memory, memory->base, 0, memory->pages, "memory at the end");
}

void memory_run(struct part *part)
{
	struct memory memory = {
		.part = part, .owner = 1 + part->number, .pages = part->pages,
		.base = util_make(part->pages),
	};

	memory_live(&memory);
}

void group_run(struct part *part)
{
	struct memory memory = { .part = part, .owner = 64, .pages = part->pages };

	must(!util_cgroup_enter(GROUP));
	memory.base = util_make(part->pages);
	memory_live(&memory);
}

/* Pages of an object that others write to elsewhere. */
void object_run(struct part *part)
{
	unsigned long first = part->number * part->pages;
	struct memory memory = {
		.part = part, .owner = 128 + part->number, .external = true,
		.pages = part->pages, .base = map_object(&object, first, part->pages, false),
		.published = board->object_versions + first,
	};

	memory_live(&memory);
}
