// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork.c - children, who look at what they have inherited, write to it, and end in some way.
 */
#include "family.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define GENERATIONS 2

/* Own from now on: what others write is not to be seen here. */
static void child_write(struct thread *thread, unsigned int slot)
{
	vm_address_t at = thread->family->slots[slot];
	kern_return_t why[SLOT_PAGES];
	uint64_t wrong;

	for (unsigned int i = 0; i < SLOT_PAGES; i++)
		why[i] = page_write(at + PAGES(i), word_of(CHILD_OWNER, i, 1));
	for (unsigned int i = 0; i < random_below(&thread->random, 20); i++)
		sched_yield();
	for (unsigned int i = 0; i < SLOT_PAGES; i++) {
		if (!expected(why[i], "a child's write", KERN_PROTECTION_FAILURE,
			      KERN_INVALID_ADDRESS))
			continue;
		why[i] = page_check(at + PAGES(i), CHILD_OWNER, i, 1, 1, &wrong);
		if (why[i] || wrong)
			finding("a child's own page %u of slot %u: access %d, %#lx", i, slot,
				why[i], wrong);
	}
}

static void child_look(struct thread *thread, const struct bounds *then)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (random_below(&thread->random, 2))
			slot_check(thread->family, i, then, thread->family->slots[i], 0,
				   SLOT_PAGES, "inheritance");
	for (unsigned int i = 0; i < OBJECTS; i++)
		if (!random_below(&thread->random, 3))
			object_check(i, then, thread->family->objects[i], "inheritance");
}

static void child_add(struct thread *thread)
{
	atomic_fetch_add((_Atomic uint64_t *)thread->family->shared, 1);
	atomic_fetch_add(&board->shared[thread->family->number], 1);
}

/*
 * What is shared every child has, unless there were no pages for copies of those that are wired or
 * in use by a device: then it has nothing at all.
 */
static bool child_is_empty(struct thread *thread)
{
	uint64_t wrong;

	if (!board->company || !page_check(thread->family->shared, 0, 0, 0, -1, &wrong))
		return false;
	atomic_fetch_add(&board->empty, 1);
	return true;
}

static pid_t child_start(struct thread *thread, unsigned int generation, bool killed);

static void child_run(struct thread *thread, const struct bounds *then, unsigned int generation,
		      bool killed)
{
	pid_t pid;

	do {
		child_look(thread, then);
	} while (killed);
	for (unsigned int i = 0; i < SLOTS; i += 3)
		child_write(thread, random_below(&thread->random, SLOTS));
	if (generation < GENERATIONS && random_below(&thread->random, 2)) {
		/* What it has written itself is not what the board says. */
		pid = child_start(thread, GENERATIONS, false);
		if (pid > 0 && util_wait(pid))
			finding("a grandchild does not end well");
	}
	child_add(thread);
}

/* Returns -1 if there is no room for another one. */
static pid_t child_start(struct thread *thread, unsigned int generation, bool killed)
{
	struct bounds then = bounds_now(thread->family);
	uint64_t seed = random_below(&thread->random, 1 << 30);
	pid_t pid = fork();

	if (pid < 0)
		atomic_fetch_add(&board->refused, 1);
	if (pid)
		return pid;
	thread->random.state ^= seed << 20;
	if (child_is_empty(thread))
		_exit(0);
	if (generation == GENERATIONS)
		child_add(thread);
	else
		child_run(thread, &then, generation, killed);
	_exit(0);
}

static void child_end(struct child *child)
{
	int status;

	if (child->pid <= 0)
		return;
	if (child->killed)
		kill(child->pid, SIGKILL);
	status = util_wait(child->pid);
	if (status && !(child->killed && status == 1000 + SIGKILL))
		finding("a child ends with %d", status);
	child->pid = 0;
}

void op_fork(struct thread *thread)
{
	struct child *child = &thread->children[random_below(&thread->random, CHILDREN)];

	child_end(child);
	child->killed = !random_below(&thread->random, 4);
	child->pid = child_start(thread, 1, child->killed);
	if (child->pid > 0)
		atomic_fetch_add(&board->children, 1);
}

void children_reap(struct thread *thread)
{
	for (unsigned int i = 0; i < CHILDREN; i++)
		child_end(&thread->children[i]);
}
