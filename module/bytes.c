// SPDX-License-Identifier: GPL-2.0-only
/*
 * bytes.c - memory that lies outside all windows takes part in copies by bytes.
 * Callers: dev.c, for vm_copy, vm_read and vm_write.
 * Never: holds a lock while it touches user memory.
 * Locks: none of its own.
 *
 * Whatever the source, it is first taken as a snapshot in fresh memory of the caller; that can
 * fail without a trace.  Putting it in place then cannot fail half-way: inside an arena it is an
 * exchange of entries, outside it goes to memory that was tried before.
 *
 * That of another task is reached as a debugger does, but nobody is asked whether the caller could
 * be one: the right to the task is the port.
 */
#include "bytes.h"
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "arena.h"
#include "map.h"
#include "resident.h"
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

static bool is_own(struct machvm_map *map)
{
	return map->pmap->mm == current->mm;
}

/* Bytes of one page of another process.  Returns a kern_return_t or -EINTR. */
static int move_remote(struct mm_struct *mm, u64 addr, void *bytes, size_t length, bool write)
{
	struct page *page;
	int locked = 1;
	long got;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	got = pin_user_page_remote(mm, addr, write ? FOLL_WRITE : 0, &page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (got == -ENOMEM)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	if (got != 1)
		return fatal_signal_pending(current) ? -EINTR : MACHVM_KERN_INVALID_ADDRESS;
	if (write)
		memcpy_to_page(page, offset_in_page(addr), bytes, length);
	else
		memcpy_from_page(bytes, page, offset_in_page(addr), length);
	unpin_user_pages_dirty_lock(&page, 1, write);
	return MACHVM_KERN_SUCCESS;
}

static int move_own(u64 addr, void *bytes, size_t length, bool write)
{
	unsigned long left;

	left = write ? copy_to_user(u64_to_user_ptr(addr), bytes, length) :
		       copy_from_user(bytes, u64_to_user_ptr(addr), length);
	return left ? MACHVM_KERN_INVALID_ADDRESS : MACHVM_KERN_SUCCESS;
}

/* Part of a page of @map's task to @bytes, or from there if @write. */
static int move(struct machvm_map *map, u64 addr, void *bytes, size_t length, bool write)
{
	struct mm_struct *mm = map->pmap->mm;
	int ret;

	if (is_own(map))
		return move_own(addr, bytes, length, write);
	if (!mmget_not_zero(mm))
		return MACHVM_KERN_INVALID_TASK;
	ret = move_remote(mm, addr, bytes, length, write);
	mmput(mm);
	return ret;
}

/*
 * Bytes from one place to another, which are at the same offset in their pages.  Returns a
 * kern_return_t or -EINTR.
 */
static int copy_bytes(struct machvm_map *to, u64 destination, struct machvm_map *from, u64 source,
		      u64 length)
{
	void *bytes = (void *)__get_free_page(GFP_KERNEL);
	int ret = MACHVM_KERN_SUCCESS;
	u64 done, part;

	if (!bytes)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	for (done = 0; done < length && !ret; done += part) {
		part = min_t(u64, length - done, PAGE_SIZE - offset_in_page(source + done));
		ret = move(from, source + done, bytes, part, false) ?:
		      move(to, destination + done, bytes, part, true);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)bytes);
	return ret;
}

static bool in_user_space(u64 addr, u64 length)
{
	u64 end;

	return !check_add_overflow(addr, length, &end) && end <= MACHVM_ADDRESS_END;
}

/* There is no room: but what is wrong with the source counts first. */
static int why_not_read(struct machvm_map *from, u64 addr, u64 length, int kr)
{
	u64 at, end = addr + length;
	int ret = MACHVM_KERN_SUCCESS;
	u8 byte;

	for (at = addr; at < end && !ret; at = (at & PAGE_MASK) + PAGE_SIZE) {
		ret = move(from, at, &byte, 1, false);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret ?: kr;
}

/* Fresh memory of the caller with what ordinary memory holds, at the same offset in its page. */
static int read_ordinary(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *own,
			 u64 *data)
{
	u64 shift = offset_in_page(addr);
	int kr;

	if (!in_user_space(addr, length))
		return MACHVM_KERN_INVALID_ADDRESS;
	kr = machvm_vm_allocate(own, data, shift + length, true);
	if (kr)
		return why_not_read(from, addr, length, kr);
	kr = copy_bytes(own, *data + shift, from, addr, length);
	if (kr)
		machvm_vm_deallocate(own, *data, shift + length);
	else
		*data += shift;
	return kr;
}

/* All or nothing: what cannot be had of either side is known before a byte is written. */
static int write_bytes(struct machvm_map *to, u64 destination, struct machvm_map *own, u64 data,
		       u64 length)
{
	return machvm_resident_try(own, data, length, false) ?:
	       machvm_resident_try(to, destination, length, true) ?:
	       copy_bytes(to, destination, own, data, length);
}

/* vm_read: a snapshot of @from becomes fresh memory of the caller, whose map is @own. */
int machvm_bytes_read(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *own,
		      u64 *data)
{
	*data = 0;
	if (!length || in_arena(from, addr, length))
		return machvm_vm_read(from, addr, length, own, data);
	return read_ordinary(from, addr, length, own, data);
}

/*
 * Memory that others share, or a memory object: they are to see the bytes.  They are written
 * through a window of the caller's own, so that any task will do, and as if the task wrote them.
 */
static int write_shared(struct machvm_map *own, u64 data, u64 length, struct machvm_map *to,
			u64 destination)
{
	u64 window = 0, snapshot = 0;
	int kr;

	kr = machvm_vm_read(own, data, length, own, &snapshot);	/* the two may overlap */
	if (kr)
		return kr;
	kr = machvm_vm_alias(to, destination, length, own, &window);
	if (!kr) {
		kr = write_bytes(own, window, own, snapshot, length);
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

	if (!in_arena(to, destination, length)) {
		kr = machvm_vm_check(from, data, length, MACHVM_PROT_READ) ?:
		     arguments_check(data, length, destination);
		if (!kr && !in_user_space(destination, length))
			kr = MACHVM_KERN_INVALID_ADDRESS;
		return kr ?: write_bytes(to, destination, from, data, length);
	}
	kr = machvm_vm_write(to, destination, from, data, length);
	if (kr != MACHVM_VM_SHARED)
		return kr;
	return write_shared(from, data, length, to, destination);
}

/* vm_copy in another task, if it takes bytes: by way of the caller's map. */
static int copy_through_caller(struct machvm_map *map, u64 source, u64 length, u64 destination)
{
	struct machvm_map *own = machvm_arena_current();
	u64 data;
	int kr;

	if (IS_ERR(own))
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = machvm_bytes_read(map, source, length, own, &data);
	if (!kr) {
		kr = arguments_check(source, length, destination) ?:
		     put_in_place(own, data, length, map, destination);
		machvm_vm_deallocate(own, data, length);
	}
	machvm_map_put(own);
	return kr;
}

/* vm_copy in another task. */
static int copy_there(struct machvm_map *map, u64 source, u64 length, u64 destination)
{
	int kr = MACHVM_VM_SHARED;

	if (in_arena(map, source, length) && in_arena(map, destination, length))
		kr = machvm_vm_write(map, destination, map, source, length);
	return kr == MACHVM_VM_SHARED ? copy_through_caller(map, source, length, destination) : kr;
}

/**
 * machvm_bytes_copy - vm_copy and vm_write
 * @from: the caller's map, unless @to is the same one
 * @to: whose memory is written
 * @source: address in @from
 * @length: bytes
 * @destination: address in @to
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
	if (!is_own(from))
		return copy_there(from, source, length, destination);
	if (in_arena(from, source, length))
		return put_in_place(from, source, length, to, destination);
	/* What is read may come to lie in a hole of the destination: look while it still is one. */
	if (in_arena(to, destination, length))
		there = machvm_vm_check(to, destination, length, MACHVM_PROT_WRITE);
	kr = read_ordinary(from, source, length, from, &data);
	if (kr)
		return kr;
	kr = arguments_check(source, length, destination) ?: there ?:
	     put_in_place(from, data, length, to, destination);
	machvm_vm_deallocate(from, data, length);
	return kr;
}
