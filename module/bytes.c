// SPDX-License-Identifier: GPL-2.0-only
/*
 * bytes.c - memory of the caller that lies outside the arena takes part in copies by bytes.
 * Callers: dev.c, for vm_copy, vm_read and vm_write on the caller's own task.
 * Never: holds a lock while it touches user memory.
 * Locks: none of its own.
 *
 * Whatever the source, it is first taken as a snapshot in fresh memory of the arena; that can fail
 * without a trace.  Putting it in place then cannot fail half-way: inside the arena it is an
 * exchange of entries, outside it goes to memory that was tried before.
 */
#include "bytes.h"
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "arena.h"
#include "map.h"
#include "vm.h"
#include "window.h"

static bool in_arena(struct machvm_map *map, u64 addr, u64 length)
{
	bool touches;

	down_read(&map->lock);
	touches = machvm_window_touch_locked(map, addr, addr + length);
	up_read(&map->lock);
	return touches;
}

/* Bytes of the caller from one place to another.  Returns a kern_return_t, -EINTR or -ENOMEM. */
static int copy_bytes(u64 to, u64 from, u64 length)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	int ret = MACHVM_KERN_SUCCESS;
	u64 done, part;

	if (!page)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	for (done = 0; done < length && !ret; done += part) {
		part = min_t(u64, length - done, PAGE_SIZE);
		if (copy_from_user(page, u64_to_user_ptr(from + done), part) ||
		    copy_to_user(u64_to_user_ptr(to + done), page, part))
			ret = MACHVM_KERN_INVALID_ADDRESS;
		else if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)page);
	return ret;
}

/* Fresh memory of the arena with what ordinary memory holds, at the same offset in its page. */
static int read_ordinary(struct machvm_map *map, u64 addr, u64 length, u64 *data)
{
	u64 shift = addr & ~PAGE_MASK, end;
	int kr;

	if (check_add_overflow(addr, length, &end) || end > MACHVM_ADDRESS_END)
		return MACHVM_KERN_INVALID_ADDRESS;
	kr = machvm_vm_allocate(map, data, shift + length, true);
	if (kr)
		return kr;
	kr = copy_bytes(*data + shift, addr, length);
	if (kr)
		machvm_vm_deallocate(map, *data, shift + length);
	else
		*data += shift;
	return kr;
}

static int write_ordinary(u64 addr, u64 data, u64 length)
{
	if (!access_ok(u64_to_user_ptr(addr), length))
		return MACHVM_KERN_INVALID_ADDRESS;
	/* The kind that changes nothing: it is all or nothing. */
	if (fault_in_safe_writeable(u64_to_user_ptr(addr), length))
		return MACHVM_KERN_INVALID_ADDRESS;
	return copy_bytes(addr, data, length);
}

static bool is_own(struct machvm_map *map)
{
	return map->pmap->mm == current->mm;
}

/* vm_read: a snapshot of @from becomes fresh memory of the caller, whose map is @own. */
int machvm_bytes_read(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *own,
		      u64 *data)
{
	*data = 0;
	if (!length || !is_own(from) || in_arena(from, addr, length))
		return machvm_vm_read(from, addr, length, own, data);
	return read_ordinary(own, addr, length, data);
}

/*
 * Memory that others share, or a memory object: they are to see the bytes.  They are written
 * through a window of the caller's own, so that any task will do, and as if the task wrote them.
 */
static int write_shared(struct machvm_map *own, u64 data, u64 length, struct machvm_map *to,
			u64 destination)
{
	u64 window, snapshot;
	int kr;

	kr = machvm_vm_read(own, data, length, own, &snapshot);	/* the two may overlap */
	if (kr)
		return kr;
	kr = machvm_vm_alias(to, destination, length, own, &window);
	if (!kr) {
		/* What cannot be had of either is to be known before a byte is written. */
		if (fault_in_readable(u64_to_user_ptr(snapshot), length) ||
		    fault_in_writeable(u64_to_user_ptr(window), length))
			kr = MACHVM_KERN_INVALID_ADDRESS;
		else
			kr = copy_bytes(window, snapshot, length);
		machvm_vm_deallocate(own, window, length);
	}
	machvm_vm_deallocate(own, snapshot, length);
	return kr;
}

static int arguments_check(u64 source, u64 length, u64 destination)
{
	return PAGE_ALIGNED(source | length | destination) ? MACHVM_KERN_SUCCESS :
							     MACHVM_KERN_INVALID_ARGUMENT;
}

/* Puts a snapshot in the arena of @from, which is the caller's, where it is to go. */
static int put_in_place(struct machvm_map *from, u64 data, u64 length, struct machvm_map *to,
			u64 destination)
{
	int kr;

	if (is_own(to) && !in_arena(to, destination, length))
		return machvm_vm_check(from, data, length, MACHVM_PROT_READ) ?:
		       arguments_check(data, length, destination) ?:
		       write_ordinary(destination, data, length);
	kr = machvm_vm_write(to, destination, from, data, length);
	if (kr != MACHVM_VM_SHARED)
		return kr;
	return write_shared(from, data, length, to, destination);
}

/* vm_copy in another task, onto memory that is shared there: by way of the caller's map. */
static int copy_through_caller(struct machvm_map *map, u64 source, u64 length, u64 destination)
{
	struct machvm_map *own = machvm_arena_current();
	u64 data;
	int kr;

	if (IS_ERR(own))
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = machvm_vm_read(map, source, length, own, &data);
	if (!kr) {
		kr = write_shared(own, data, length, map, destination);
		machvm_vm_deallocate(own, data, length);
	}
	machvm_map_put(own);
	return kr;
}

/**
 * machvm_bytes_copy - vm_copy and vm_write
 * @from: the caller's map, unless @to is the same one
 * @to: whose memory is written
 *
 * Return: as machvm_vm_copy().
 */
int machvm_bytes_copy(struct machvm_map *from, struct machvm_map *to, u64 source, u64 length,
		      u64 destination)
{
	int kr, there = MACHVM_KERN_SUCCESS;
	u64 data;

	if (!length)
		return MACHVM_KERN_SUCCESS;
	if (!is_own(from)) {
		kr = machvm_vm_write(to, destination, from, source, length);
		if (kr == MACHVM_VM_SHARED)
			kr = copy_through_caller(to, source, length, destination);
		return kr;
	}
	if (in_arena(from, source, length))
		return put_in_place(from, source, length, to, destination);
	/* What is read may come to lie in a hole of the destination: look while it still is one. */
	if (!is_own(to) || in_arena(to, destination, length))
		there = machvm_vm_check(to, destination, length, MACHVM_PROT_WRITE);
	kr = read_ordinary(from, source, length, &data);
	if (kr)
		return kr;
	kr = arguments_check(source, length, destination) ?: there ?:
	     put_in_place(from, data, length, to, destination);
	machvm_vm_deallocate(from, data, length);
	return kr;
}
