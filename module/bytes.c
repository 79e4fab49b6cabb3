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
#include "vm.h"

static bool in_arena(struct machvm_map *map, u64 addr, u64 length)
{
	return addr < map->max && addr + length > map->min;
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

	if (check_add_overflow(addr, length, &end) || !access_ok(u64_to_user_ptr(addr), length))
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
	if (fault_in_writeable(u64_to_user_ptr(addr), length))
		return MACHVM_KERN_INVALID_ADDRESS;
	return copy_bytes(addr, data, length);
}

/* vm_read of the caller's own memory. */
int machvm_bytes_read(struct machvm_map *map, u64 addr, u64 length, u64 *data)
{
	*data = 0;
	if (!length || in_arena(map, addr, length))
		return machvm_vm_read(map, addr, length, map, data);
	return read_ordinary(map, addr, length, data);
}

/* vm_copy, and vm_write, within the caller's own memory. */
int machvm_bytes_copy(struct machvm_map *map, u64 source, u64 length, u64 destination)
{
	bool from_arena = in_arena(map, source, length);
	bool to_arena = in_arena(map, destination, length);
	u64 data;
	int kr;

	if (!length || !PAGE_ALIGNED(source | length | destination) || (from_arena && to_arena))
		return machvm_vm_copy(map, source, length, destination);
	kr = machvm_bytes_read(map, source, length, &data);
	if (kr)
		return kr;
	kr = to_arena ? machvm_vm_copy(map, data, length, destination) :
			write_ordinary(destination, data, length);
	machvm_vm_deallocate(map, data, length);
	return kr;
}
