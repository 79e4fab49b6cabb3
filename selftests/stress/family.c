// SPDX-License-Identifier: GPL-2.0-only
/*
 * family.c - what the threads of a family do.
 */
#include "family.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define WINDOWS 0x200000000UL

static struct written *slot_written(struct family *family, unsigned int slot)
{
	return &board->slots[family->number][slot];
}

struct bounds bounds_now(struct family *family)
{
	struct bounds now;

	for (unsigned int i = 0; i < SLOTS; i++) {
		now.era[i] = atomic_load(&slot_written(family, i)->era);
		now.low[i] = atomic_load(&slot_written(family, i)->low);
	}
	for (unsigned int i = 0; i < OBJECTS; i++)
		for (unsigned int j = 0; j < OBJECT_PAGES; j++)
			now.objects[i][j] = atomic_load(&board->pages[i][j].low);
	return now;
}

bool expected(kern_return_t answer, const char *what, kern_return_t also, kern_return_t or_this)
{
	if (answer == KERN_SUCCESS)
		return true;
	/* Pages that a call needs for itself are not had by paging others out. */
	if (answer != also && answer != or_this &&
	    !(board->company && answer == KERN_RESOURCE_SHORTAGE))
		finding("%s: %d", what, answer);
	atomic_fetch_add(&board->refused, 1);
	return false;
}

void slot_check(struct family *family, unsigned int slot, const struct bounds *then,
		vm_address_t at, unsigned int first, unsigned int nr, const char *what)
{
	struct written *written = slot_written(family, slot);
	unsigned int owner = SLOT_OWNER(family->number, slot);

	for (unsigned int i = first; i < first + nr; i++) {
		uint64_t high = atomic_load(&written->high), era, wrong;
		kern_return_t why = page_check(at + PAGES(i - first), owner, i, then->low[slot],
					       high, &wrong);

		era = atomic_load(&written->era);
		if (why && why != KERN_PROTECTION_FAILURE && why != KERN_INVALID_ADDRESS)
			finding("%s of slot %u, page %u: access ends with %d", what, slot, i, why);
		/* Who has made it anew meanwhile has emptied it. */
		if ((then->era[slot] & 1 || era != then->era[slot]) &&
		    (wrong == ZERO || word_fits(wrong, owner, i, 0, high)))
			continue;
		if (wrong)
			finding("%s of slot %u of family %u, page %u: %#lx, not between %lu and %lu",
				what, slot, family->number, i, wrong, then->low[slot], high);
	}
}

void object_check(unsigned int object, const struct bounds *then, vm_address_t at,
		  const char *what)
{
	for (unsigned int i = 0; i < OBJECT_PAGES; i++) {
		uint64_t low = then->objects[object][i], wrong;
		uint64_t high = atomic_load(&board->pages[object][i].high);
		kern_return_t why = page_check(at + PAGES(i), OBJECT_OWNER(object), i, low, high,
					       &wrong);

		if (why || wrong)
			finding("%s of object %u, page %u: access %d, %#lx, not between %lu and %lu",
				what, object, i, why, wrong, low, high);
	}
}

/* One of the two that the thread writes to, or any. */
static unsigned int own_slot(struct thread *thread)
{
	return thread->number * 2 + random_below(&thread->random, 2);
}

static unsigned int any_slot(struct thread *thread)
{
	return random_below(&thread->random, SLOTS);
}

static void op_write(struct thread *thread)
{
	unsigned int slot = own_slot(thread), owner = SLOT_OWNER(thread->family->number, slot);
	struct written *written = slot_written(thread->family, slot);
	uint64_t times = atomic_load(&written->high) + 1;
	kern_return_t why = KERN_SUCCESS;

	atomic_store(&written->high, times);
	for (unsigned int i = 0; i < SLOT_PAGES && !why; i++)
		why = page_write(thread->family->slots[slot] + PAGES(i), word_of(owner, i, times));
	if (expected(why, "a write", KERN_PROTECTION_FAILURE, KERN_PROTECTION_FAILURE))
		atomic_store(&written->low, times);
}

static void op_verify(struct thread *thread)
{
	unsigned int slot = own_slot(thread);
	struct bounds now = bounds_now(thread->family);

	slot_check(thread->family, slot, &now, thread->family->slots[slot], 0, SLOT_PAGES,
		   "memory");
}

/* For a while; the writer, and whoever copies, may run into it. */
static void op_protect(struct thread *thread)
{
	static const vm_prot_t protections[] = {
		VM_PROT_READ, VM_PROT_READ, VM_PROT_NONE, VM_PROT_READ | VM_PROT_EXECUTE,
	};
	vm_prot_t protection = protections[random_below(&thread->random, 4)];
	unsigned int first = random_below(&thread->random, SLOT_PAGES);
	unsigned int nr = 1 + random_below(&thread->random, SLOT_PAGES - first);
	vm_address_t at = thread->family->slots[any_slot(thread)] + PAGES(first);

	expected(vm_protect(SELF, at, PAGES(nr), FALSE, protection), "vm_protect",
		 KERN_SUCCESS, KERN_SUCCESS);
	if (random_below(&thread->random, 2))
		sched_yield();
	expected(vm_protect(SELF, at, PAGES(nr), FALSE, RW), "vm_protect to write",
		 KERN_SUCCESS, KERN_SUCCESS);
}

/* The scratch memory is the thread's own again, and says so. */
static void scratch_fill(struct thread *thread)
{
	thread->scratched++;
	for (unsigned int i = 0; i < 2 * SLOT_PAGES; i++)
		must_eq(page_write(thread->scratch + PAGES(i),
				   word_of(SCRATCH_OWNER, i, thread->scratched)), 0);
}

/* Nobody has touched it. */
static void scratch_is_whole(struct thread *thread, const char *what)
{
	uint64_t wrong;

	for (unsigned int i = 0; i < 2 * SLOT_PAGES; i++) {
		must_eq(page_check(thread->scratch + PAGES(i), SCRATCH_OWNER, i,
				   thread->scratched, thread->scratched, &wrong), 0);
		if (wrong)
			finding("%s has failed and left %#lx in page %u", what, wrong, i);
	}
}

/* If its destination is wired, bytes are copied. */
static void op_copy(struct thread *thread)
{
	bool wired = !random_below(&thread->random, 4);
	unsigned int slot = any_slot(thread);
	struct bounds then;
	kern_return_t kr;

	scratch_fill(thread);
	must_eq(vm_wire(mach_host_priv(), SELF, thread->scratch, PAGES(SLOT_PAGES),
			wired ? RW : VM_PROT_NONE), 0);
	then = bounds_now(thread->family);
	kr = vm_copy(SELF, thread->family->slots[slot], PAGES(SLOT_PAGES), thread->scratch);
	if (expected(kr, "vm_copy", KERN_PROTECTION_FAILURE, KERN_INVALID_ADDRESS))
		slot_check(thread->family, slot, &then, thread->scratch, 0, SLOT_PAGES, "a copy");
	else
		scratch_is_whole(thread, "vm_copy");
}

/* Looks at what was copied from byte @from of the slot on. */
static void part_check(struct thread *thread, unsigned int slot, const struct bounds *then,
		       vm_address_t at, unsigned int from, unsigned int length)
{
	struct written *written = slot_written(thread->family, slot);
	unsigned int owner = SLOT_OWNER(thread->family->number, slot);

	for (unsigned int i = 0; i < length; i += STRIDE_BYTES) {
		uint64_t word = *(volatile uint64_t *)(at + i);
		uint64_t high = atomic_load(&written->high);
		unsigned int page = (from + i) / PAGE;
		bool same = !(then->era[slot] & 1) &&
			    atomic_load(&written->era) == then->era[slot];

		if (!word_fits(word, owner, page, same ? then->low[slot] : 0, high))
			finding("byte %u of a copied part, page %u of slot %u: %#lx, not between %lu and %lu",
				i, page, slot, word, then->low[slot], high);
	}
}

/*
 * Not of whole pages: vm_copy refuses, with whatever comes first as others change the protection
 * of its source, and touches nothing; vm_read takes any.
 */
static void op_copy_part(struct thread *thread)
{
	unsigned int from = STRIDE_BYTES * (1 + random_below(&thread->random, 7));
	unsigned int length = PAGES(1 + random_below(&thread->random, SLOT_PAGES - 2)) +
			      STRIDE_BYTES / 2;
	struct bounds then = bounds_now(thread->family);
	unsigned int slot = any_slot(thread);
	vm_address_t source = thread->family->slots[slot] + from;
	mach_msg_type_number_t count;
	vm_offset_t data;
	kern_return_t kr;

	scratch_fill(thread);
	kr = vm_copy(SELF, source, length, thread->scratch + PAGE);
	if (kr != KERN_PROTECTION_FAILURE && kr != KERN_INVALID_ADDRESS &&
	    kr != KERN_INVALID_ARGUMENT)
		finding("vm_copy of a part: %d", kr);
	scratch_is_whole(thread, "vm_copy of a part");
	kr = vm_read(SELF, source, length, &data, &count);
	if (!expected(kr, "vm_read of a part", KERN_PROTECTION_FAILURE, KERN_INVALID_ADDRESS))
		return;
	part_check(thread, slot, &then, data, from, length);
	must_eq(vm_deallocate(SELF, data, length), 0);
}

/* vm_write: all that the slot holds changes at once, or nothing. */
static void op_replace(struct thread *thread)
{
	unsigned int slot = own_slot(thread), owner = SLOT_OWNER(thread->family->number, slot);
	struct written *written = slot_written(thread->family, slot);
	uint64_t times = atomic_load(&written->high) + 1;
	kern_return_t kr;

	for (unsigned int i = 0; i < SLOT_PAGES; i++)
		must_eq(page_write(thread->scratch + PAGES(i), word_of(owner, i, times)), 0);
	atomic_store(&written->high, times);
	kr = vm_write(SELF, thread->family->slots[slot], thread->scratch, PAGES(SLOT_PAGES));
	if (expected(kr, "vm_write", KERN_PROTECTION_FAILURE, KERN_PROTECTION_FAILURE))
		atomic_store(&written->low, times);
}

static void op_fetch(struct thread *thread)
{
	struct bounds then = bounds_now(thread->family);
	unsigned int slot = any_slot(thread);
	mach_msg_type_number_t count;
	vm_offset_t data;
	kern_return_t kr;

	kr = vm_read(SELF, thread->family->slots[slot], PAGES(SLOT_PAGES), &data, &count);
	if (!expected(kr, "vm_read", KERN_PROTECTION_FAILURE, KERN_INVALID_ADDRESS))
		return;
	slot_check(thread->family, slot, &then, data, 0, SLOT_PAGES, "what was read");
	must_eq(vm_deallocate(SELF, data, PAGES(SLOT_PAGES)), 0);
}

/* A slot in a window of its own goes, and comes back empty. */
static void op_remake(struct thread *thread)
{
	unsigned int slot = thread->number * 2 + 1;
	struct written *written = slot_written(thread->family, slot);
	vm_address_t at = thread->family->slots[slot];

	atomic_fetch_add(&written->era, 1);
	expected(vm_deallocate(SELF, at, PAGES(SLOT_PAGES)), "vm_deallocate", KERN_SUCCESS,
		 KERN_SUCCESS);
	expected(vm_allocate(SELF, &at, PAGES(SLOT_PAGES), FALSE), "vm_allocate", KERN_SUCCESS,
		 KERN_SUCCESS);
	atomic_store(&written->low, 0);
	atomic_fetch_add(&written->era, 1);
}

static void op_pageout(struct thread *thread)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF,
		.address = thread->family->slots[any_slot(thread)], .length = PAGES(SLOT_PAGES),
	};

	expected(util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &call), "pageout", KERN_SUCCESS,
		 KERN_SUCCESS);
}

static void op_wire(struct thread *thread)
{
	vm_address_t at = thread->family->slots[any_slot(thread)];

	expected(vm_wire(mach_host_priv(), SELF, at, PAGES(SLOT_PAGES), VM_PROT_READ), "vm_wire",
		 KERN_NO_SPACE, KERN_NO_SPACE);
	expected(vm_wire(mach_host_priv(), SELF, at, PAGES(SLOT_PAGES), VM_PROT_NONE),
		 "vm_wire of nothing", KERN_NO_SPACE, KERN_NO_SPACE);
}

/* Children of that time lack it. */
static void op_inherit(struct thread *thread)
{
	vm_address_t at = thread->family->slots[any_slot(thread)];

	must_eq(vm_inherit(SELF, at + PAGES(2), PAGES(4), VM_INHERIT_NONE), 0);
	sched_yield();
	must_eq(vm_inherit(SELF, at + PAGES(2), PAGES(4), VM_INHERIT_COPY), 0);
}

/* A page of an object that only this thread writes to. */
static unsigned int own_page(struct thread *thread)
{
	return (thread->family->number * THREADS + thread->number) * OWN_PAGES +
	       random_below(&thread->random, OWN_PAGES);
}

static void op_object_write(struct thread *thread)
{
	unsigned int object = random_below(&thread->random, OBJECTS), page = own_page(thread);
	struct written *written = &board->pages[object][page];
	uint64_t times = atomic_load(&written->high) + 1;
	kern_return_t why;

	atomic_store(&written->high, times);
	why = page_write(thread->family->objects[object] + PAGES(page),
			 word_of(OBJECT_OWNER(object), page, times));
	if (expected(why, "a write to an object", KERN_SUCCESS, KERN_SUCCESS))
		atomic_store(&written->low, times);
}

/* Wherever it has been meanwhile, it is as it was written last. */
static void op_object_verify(struct thread *thread)
{
	unsigned int object = random_below(&thread->random, OBJECTS), page = own_page(thread);
	volatile uint64_t *words =
		(volatile uint64_t *)(thread->family->objects[object] + PAGES(page));
	uint64_t times = atomic_load(&board->pages[object][page].low);
	uint64_t is = words[0], want = word_of(OBJECT_OWNER(object), page, times);

	if (is != want)
		finding("page %u of object %u holds %#lx, not %#lx", page, object, is, want);
}

/* Its pager is not asked for what it does not have to know. */
static void op_object_copy(struct thread *thread)
{
	struct bounds then = bounds_now(thread->family);
	unsigned int object = random_below(&thread->random, OBJECTS);
	vm_address_t copy = util_map(objects[object].fd, 0, OBJECT_PAGES, true);

	if (!copy) {
		finding("an object cannot be copied");
		return;
	}
	object_check(object, &then, copy, "a copy");
	must_eq(vm_deallocate(SELF, copy, PAGES(OBJECT_PAGES)), 0);
}

static void op_object_sync(struct thread *thread)
{
	unsigned int object = random_below(&thread->random, OBJECTS);
	struct machvm_vm_msync call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF,
		.address = thread->family->objects[object], .length = PAGES(OBJECT_PAGES),
		.flags = random_below(&thread->random, 2) ? MACHVM_SYNC_SYNCHRONOUS :
							    MACHVM_SYNC_ASYNCHRONOUS,
	};

	/* Its pager may die of it. */
	expected(util_ioctl(util_device(), MACHVM_VM_MSYNC, &call), "vm_msync",
		 KERN_MEMORY_ERROR, KERN_MEMORY_FAILURE);
}

/* An object whose pager has gone for good. */
static void op_doom(struct thread *thread)
{
	struct object object;
	vm_address_t at;
	uint64_t wrong;
	kern_return_t why;

	(void)thread;
	object_create(&object);
	at = map_object(&object, 0, 2, false);
	must(!close(object.control));
	why = page_check(at, 0, 0, 0, 0, &wrong);
	if (why != KERN_MEMORY_ERROR)
		finding("access to an object without a pager ends with %d", why);
	must(!close(object.fd));
	unmap(at, 2);
}

/* The module is in use by more and less. */
static void op_port(struct thread *thread)
{
	struct machvm_task_port call = { .size = sizeof(call), .task = MACHVM_TASK_SELF };
	int device = open(MACHVM_DEVICE, O_RDWR | O_CLOEXEC);

	must(device >= 0);
	if (!util_ioctl(device, MACHVM_TASK_PORT, &call)) {
		must(!close(device));
		must_eq(vm_protect(call.out_port, thread->scratch, PAGE, FALSE, RW), 0);
		must(!close(call.out_port));
	} else {
		finding("no port of the own task");
	}
}

#define OP_RUN(name) op_##name,
static void (*const runs[NR_OPERATIONS])(struct thread *thread) = { OPERATIONS(OP_RUN) };

/* What costs most comes up least. */
static const unsigned int weights[NR_OPERATIONS] = {
	[OP_write] = 10, [OP_verify] = 6, [OP_protect] = 6, [OP_copy] = 4, [OP_copy_part] = 4,
	[OP_replace] = 3, [OP_fetch] = 3, [OP_remake] = 3, [OP_fork] = 3, [OP_pageout] = 4,
	[OP_wire] = 2, [OP_inherit] = 2, [OP_object_write] = 6, [OP_object_verify] = 6,
	[OP_object_copy] = 2, [OP_object_sync] = 2, [OP_doom] = 1, [OP_port] = 1,
};

static enum operation choose(struct random *random)
{
	unsigned int all = 0, at, i;

	for (i = 0; i < NR_OPERATIONS; i++)
		all += weights[i];
	at = random_below(random, all);
	for (i = 0; at >= weights[i]; i++)
		at -= weights[i];
	return i;
}

static void *thread_run(void *argument)
{
	struct thread *thread = argument;

	while (!atomic_load(&board->stop)) {
		enum operation operation = choose(&thread->random);

		runs[operation](thread);
		atomic_fetch_add(&board->done[operation], 1);
		atomic_fetch_add(&board->ended[thread->family->number][thread->number], 1);
	}
	children_reap(thread);
	return NULL;
}

static void family_make(struct family *family)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		family->slots[i] = WINDOWS + (i << 20);
		if (i % 2)
			must_eq(vm_allocate(SELF, &family->slots[i], PAGES(SLOT_PAGES), FALSE), 0);
		else
			family->slots[i] = util_make(SLOT_PAGES);
		must(family->slots[i]);
	}
	for (unsigned int i = 0; i < OBJECTS; i++)
		family->objects[i] = map_object(&objects[i], 0, OBJECT_PAGES, false);
	family->shared = util_make(1);
	must(family->shared);
	must_eq(vm_inherit(SELF, family->shared, PAGE, VM_INHERIT_SHARE), 0);
}

void family_run(unsigned int number)
{
	static struct family family;
	static struct thread threads[THREADS];

	family.number = number;
	access_begin();
	family_make(&family);
	for (unsigned int i = 0; i < THREADS; i++) {
		threads[i].family = &family;
		threads[i].number = i;
		threads[i].scratch = util_make(2 * SLOT_PAGES);
		must(threads[i].scratch);
		random_begin(&threads[i].random, number * THREADS + i);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		must(!pthread_create(&threads[i].thread, NULL, thread_run, &threads[i]));
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i].thread, NULL);
	if (*(volatile uint64_t *)family.shared != atomic_load(&board->shared[number]))
		finding("children have added %lu to %lu", atomic_load(&board->shared[number]),
			*(volatile uint64_t *)family.shared);
}
