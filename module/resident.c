// SPDX-License-Identifier: GPL-2.0-only
/*
 * resident.c - brings wired memory in, and tells Linux how much of it there is.
 * Callers: dev.c for vm_wire and vm_wire_all, and after whatever may have wired or unwired.
 * Never: decides what is wired; wire.c does.
 * Locks: takes mmap_lock, with none of ours held.
 *
 * Pages come in as if the task itself touched them, so that they are mapped, too, and a page whose
 * pager has failed says so.
 */
#include "resident.h"
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include "arena.h"
#include "map.h"
#include "vm.h"

/* What vm_wire_all records: regions of any protection are wired, for whatever they allow. */
#define ACCESS_OF_ALL MACHVM_PROT_READ

/* The page could not be had: why?  0 if nobody knows. */
static int reason_of(struct machvm_map *map, u64 addr, int err)
{
	int error;

	if (err == -EINTR)
		return -EINTR;
	if (err == -ENOMEM)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	return machvm_note_read(map, addr, &error);
}

/* The same of a page that was to be wired.  0 if that is because the region has changed. */
static int failure_of(struct machvm_map *map, u64 addr, int err)
{
	int reason = reason_of(map, addr, err);

	switch (reason) {
	case MACHVM_KERN_INVALID_ADDRESS:
	case MACHVM_KERN_PROTECTION_FAILURE:
	case MACHVM_KERN_WRITE_PROTECTION_FAILURE:
		return 0;
	case MACHVM_KERN_RESOURCE_SHORTAGE:
	case -EINTR:
		return reason;
	default:
		return MACHVM_KERN_MEMORY_ERROR;
	}
}

static int touch(struct mm_struct *mm, u64 addr, bool write)
{
	unsigned int flags = (write ? FAULT_FLAG_WRITE : 0) |
			     (mm == current->mm ? 0 : FAULT_FLAG_REMOTE);
	bool unlocked = false;
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = fixup_user_fault(mm, addr, flags, &unlocked);
	mmap_read_unlock(mm);
	return err;
}

/* Brings the pages of [*start, end) in; *start becomes the first that is not. */
static int touch_range(struct machvm_map *map, u64 *start, u64 end, bool write)
{
	for (; *start < end; *start += PAGE_SIZE) {
		int err = fatal_signal_pending(current) ? -EINTR :
							  touch(map->pmap->mm, *start, write);

		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * machvm_resident_fill - bring in what is wired of a range
 * @map: the task's
 * @start: page aligned
 * @end: page aligned
 *
 * Context: no lock held; waits for pagers, killably.
 * Return: KERN_SUCCESS, KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE, KERN_INVALID_TASK, -EINTR.
 */
int machvm_resident_fill(struct machvm_map *map, u64 start, u64 end)
{
	int ret = MACHVM_KERN_SUCCESS;
	u64 unknown = end;
	bool write;

	if (!mmget_not_zero(map->pmap->mm))
		return MACHVM_KERN_INVALID_TASK;
	while (!ret && start < end) {
		u64 stop = end;
		int err;

		if (!machvm_wire_next(map, &start, &stop, &write))
			break;
		err = touch_range(map, &start, stop, write);
		if (!err)
			continue;
		if (start != unknown && !reason_of(map, start, err)) {
			/* Nothing is mapped there: look once more whether there is to be. */
			unknown = start;
			continue;
		}
		ret = failure_of(map, start, err);
		/* Out of reach by now: whoever lets it be read again brings it in. */
		start += PAGE_SIZE;
	}
	mmput(map->pmap->mm);
	return ret;
}

/**
 * machvm_resident_try - bring in all pages of a range, whatever is there
 * @map: whose; the range may lie outside its windows
 * @addr: bytes
 * @length: bytes, not 0
 * @write: as if they were written, which changes none of them
 *
 * Context: no lock held; waits for pagers, killably.
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS, KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE,
 * KERN_INVALID_TASK, -EINTR.
 */
int machvm_resident_try(struct machvm_map *map, u64 addr, u64 length, bool write)
{
	u64 start = addr & PAGE_MASK;
	int err, reason;

	if (!mmget_not_zero(map->pmap->mm))
		return MACHVM_KERN_INVALID_TASK;
	err = touch_range(map, &start, addr + length, write);
	mmput(map->pmap->mm);
	if (!err)
		return MACHVM_KERN_SUCCESS;
	reason = reason_of(map, start, err);
	if (reason == -EINTR || reason == MACHVM_KERN_RESOURCE_SHORTAGE ||
	    reason == MACHVM_KERN_MEMORY_ERROR)
		return reason;
	return MACHVM_KERN_INVALID_ADDRESS;
}

/* Does what begin() has marked, all of it or nothing. */
static int wire(struct machvm_wiring *wiring)
{
	int ret = machvm_wire_begin(wiring);

	if (ret)
		return ret;
	ret = machvm_resident_fill(wiring->map, wiring->start, wiring->end);
	machvm_wire_end(wiring, !ret);
	return ret;
}

/**
 * machvm_resident_wire - vm_wire
 * @map: the task's
 * @addr: first byte
 * @length: bytes
 * @access: that it is wired for, 0: no longer wired
 * @privileged: the caller may go beyond the limit
 *
 * Wiring does not stack: one call with no access undoes any number with some.
 * Source: GNU Mach reference manual, "Memory Attributes"; NO_SPACE as the live kernel.
 */
int machvm_resident_wire(struct machvm_map *map, u64 addr, u64 length, u32 access,
			 bool privileged)
{
	struct machvm_wiring wiring = {
		.map = map, .access = access, .privileged = privileged,
	};
	u64 end;

	if (access & ~MACHVM_PROT_ALL)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (check_add_overflow(addr, length, &end) || PAGE_ALIGN(end) < end)
		return MACHVM_KERN_NO_SPACE;
	wiring.start = addr & PAGE_MASK;
	wiring.end = PAGE_ALIGN(end);
	if (!length)
		return machvm_wire_covers(map, addr) ? MACHVM_KERN_SUCCESS : MACHVM_KERN_NO_SPACE;
	return access ? wire(&wiring) : machvm_unwire(map, wiring.start, wiring.end);
}

/**
 * machvm_resident_wire_all - vm_wire_all
 * @map: the task's
 * @flags: MACHVM_WIRE_*, 0: no longer wired
 * @privileged: the caller may go beyond the limit
 *
 * Source: GNU Mach reference manual, "Memory Attributes".
 */
int machvm_resident_wire_all(struct machvm_map *map, u32 flags, bool privileged)
{
	struct machvm_wiring wiring = {
		.map = map, .start = map->min, .end = map->max, .access = ACCESS_OF_ALL,
		.all = true, .privileged = privileged,
	};
	u8 old;
	int ret;

	if (flags & ~MACHVM_WIRE_ALL)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (!flags)
		return machvm_unwire_all(map);
	if (flags == MACHVM_WIRE_CURRENT)
		return wire(&wiring);
	ret = machvm_wire_future(map, ACCESS_OF_ALL, privileged, &old);
	if (ret || !(flags & MACHVM_WIRE_CURRENT))
		return ret;
	ret = wire(&wiring);
	if (ret)
		machvm_wire_future_restore(map, old);
	return ret;
}

static void settle_locked(struct machvm_map *map)
{
	struct machvm_pmap *pmap = map->pmap;
	unsigned long now = READ_ONCE(map->wired_size) >> PAGE_SHIFT, was = pmap->locked;

	/* Never less than is in locked_vm: machvm_pmap_may_wire() reads both without the lock. */
	if (now > was) {
		WRITE_ONCE(pmap->locked, now);
		__account_locked_vm(pmap->mm, now - was, true, current, true);
	} else if (now < was) {
		__account_locked_vm(pmap->mm, was - now, false, current, true);
		WRITE_ONCE(pmap->locked, now);
	}
}

/*
 * Linux has taken a window away: what was wired in it is locked no longer.
 * Context: mmap_lock, which munmap(2) has taken for writing and then made a read lock: even so
 * nobody else can be changing what is locked.
 */
void machvm_resident_unmapped(struct machvm_map *map)
{
	struct machvm_pmap *pmap = map->pmap;
	unsigned long now = READ_ONCE(map->wired_size) >> PAGE_SHIFT;

	if (now >= pmap->locked)
		return;
	pmap->mm->locked_vm -= pmap->locked - now;
	WRITE_ONCE(pmap->locked, now);
}

/**
 * machvm_resident_settle - count what is wired to the locked memory of the process
 * @map: the task's
 *
 * Whoever changes what is wired calls this afterwards, so that the last one counts it all.
 * Context: no lock held.
 */
void machvm_resident_settle(struct machvm_map *map)
{
	struct machvm_pmap *pmap = map->pmap;

	if (READ_ONCE(map->wired_size) >> PAGE_SHIFT == READ_ONCE(pmap->locked) ||
	    !mmget_not_zero(pmap->mm))
		return;
	/* Who is killed while he waits leaves it to the next one. */
	if (!mmap_write_lock_killable(pmap->mm)) {
		settle_locked(map);
		mmap_write_unlock(pmap->mm);
	}
	mmput(pmap->mm);
}
