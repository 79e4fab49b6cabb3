/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/mach_interface.h - the virtual memory calls.
 *
 * Addresses, sizes and offsets are bytes.  Every call may also answer KERN_FAILURE, which means
 * that the device could not be used; machvm_strerror() in <machvm/machvm.h> says why and what to
 * do about it.  KERN_RESOURCE_SHORTAGE means that the kernel, or the process, has run out of
 * something.  A task other than mach_task_self() is a descriptor; a null or closed one is
 * KERN_INVALID_ARGUMENT where no other answer is named, and the task of a process that is gone KERN_INVALID_TASK.
 *
 * Only the memory that these calls made is the task's as far as they are concerned.  What
 * mmap(2), the loader or the stack put into the process is as a hole to them.
 */
#ifndef _MACH_MACH_INTERFACE_H_
#define _MACH_MACH_INTERFACE_H_

#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vm_allocate() - fresh memory, filled with zeroes
 * @target_task: mach_task_self() or a task descriptor
 * @address: in: where, rounded down to a page, if not @anywhere; out: where the memory is
 * @size: bytes, rounded up to whole pages
 * @anywhere: TRUE: wherever there is room, and what @address holds is not looked at
 *
 * The new region may be read and written, may be given any protection, and is copied by fork.
 * A @size of 0 succeeds and sets @address to 0.
 *
 * GNU Mach reference manual, "Memory Allocation".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS (outside the user address space), KERN_NO_SPACE
 * (something is there, or there is no room), KERN_INVALID_ARGUMENT (the rounded size is 0).
 */
kern_return_t vm_allocate(task_t target_task, vm_address_t *address, vm_size_t size,
			  boolean_t anywhere);

/**
 * vm_deallocate() - take memory away
 * @target_task: mach_task_self() or a task descriptor
 * @address: any byte of the first page
 * @size: bytes; every page that the range touches goes
 *
 * Holes are passed over.  A range that wraps around, and a @size of 0, do nothing.
 *
 * GNU Mach reference manual, "Memory Deallocation".
 *
 * Return: KERN_SUCCESS.
 */
kern_return_t vm_deallocate(task_t target_task, vm_address_t address, vm_size_t size);

/**
 * vm_protect() - set the protection of a range
 * @target_task: mach_task_self() or a task descriptor
 * @address: any byte of the first page
 * @size: bytes; every page that the range touches is meant
 * @set_maximum: FALSE: the protection in force; TRUE: the most that may ever be in force, which
 *               can only be lowered and takes the protection in force down with it
 * @new_protection: bits of VM_PROT_ALL, with or without VM_PROT_NOTIFY
 *
 * Holes are passed over.
 *
 * GNU Mach reference manual, "Memory Attributes".
 *
 * Return: KERN_SUCCESS, KERN_PROTECTION_FAILURE (beyond the maximum somewhere in the range, and
 * then nothing has changed), KERN_INVALID_ARGUMENT (other bits).
 */
kern_return_t vm_protect(task_t target_task, vm_address_t address, vm_size_t size,
			 boolean_t set_maximum, vm_prot_t new_protection);

/**
 * vm_inherit() - say what a child of fork(2) is to get of a range
 * @target_task: mach_task_self() or a task descriptor
 * @address: any byte of the first page
 * @size: bytes; every page that the range touches is meant
 * @new_inheritance: VM_INHERIT_SHARE, VM_INHERIT_COPY, VM_INHERIT_NONE, or, which Mach has not,
 *                   VM_INHERIT_ZERO for fresh memory filled with zeroes
 *
 * Holes are passed over.
 *
 * GNU Mach reference manual, "Memory Attributes".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (another value).
 */
kern_return_t vm_inherit(task_t target_task, vm_address_t address, vm_size_t size,
			 vm_inherit_t new_inheritance);

/**
 * vm_copy() - copy whole pages within a task, by reference
 * @target_task: mach_task_self() or a task descriptor
 * @source_address: page aligned
 * @count: bytes, whole pages
 * @dest_address: page aligned; the range keeps its protection and inheritance
 *
 * No page is copied before one side writes to it.  Overlapping ranges behave as if the source were
 * copied away first.  Ordinary memory takes part by bytes.
 *
 * GNU Mach reference manual, "Data Transfer".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (not aligned), KERN_INVALID_ADDRESS (a hole),
 * KERN_PROTECTION_FAILURE (source not readable or destination not writable), KERN_MEMORY_ERROR (a
 * pager of memory that had to be copied by bytes has failed).  On an error the destination is as
 * it was.
 */
kern_return_t vm_copy(task_t target_task, vm_address_t source_address, vm_size_t count,
		      vm_address_t dest_address);

/**
 * vm_read() - take a snapshot of a task's memory
 * @target_task: mach_task_self() or a task descriptor
 * @address: first byte, any alignment
 * @size: bytes, less than 4 GiB
 * @data: out: where it is, in fresh memory of the caller that vm_deallocate() frees; 0 if @size is
 * @data_count: out: @size
 *
 * Whole pages are made visible, @data at the same offset in its page as @address.
 *
 * GNU Mach reference manual, "Data Transfer".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS (a hole), KERN_PROTECTION_FAILURE (not readable),
 * KERN_INVALID_ARGUMENT (4 GiB or more), KERN_NO_SPACE.
 */
kern_return_t vm_read(task_t target_task, vm_address_t address, vm_size_t size, vm_offset_t *data,
		      mach_msg_type_number_t *data_count);

/**
 * vm_write() - put memory of the caller into a task, by reference
 * @target_task: mach_task_self() or a task descriptor
 * @address: page aligned; the range keeps its protection and inheritance
 * @data: page aligned address in the caller
 * @data_count: bytes, whole pages
 *
 * As vm_copy(), whose answers it gives.
 *
 * GNU Mach reference manual, "Data Transfer".
 */
kern_return_t vm_write(task_t target_task, vm_address_t address, vm_offset_t data,
		       mach_msg_type_number_t data_count);

/**
 * vm_map() - map a memory object, or fresh memory
 * @target_task: mach_task_self() or a task descriptor
 * @address: in: where, rounded down to a page, if not @anywhere; out: where it is
 * @size: bytes, rounded up to whole pages, not 0
 * @mask: low ones: bits of the address that must be 0, so 0xffff aligns to 64 KiB; high ones:
 *        a ceiling that the address may not pass; 0 for neither
 * @anywhere: TRUE: wherever there is room, and what @address holds is not looked at
 * @memory_object: what to map, or MEMORY_OBJECT_NULL for memory filled with zeroes
 * @offset: first byte of the object to map, a multiple of the page size; not looked at without
 *          an object
 * @copy: FALSE: writes are seen by all who map the object; TRUE: they stay private, and later
 *        writes of others are not seen; not looked at without an object
 * @cur_protection: protection at first; what goes beyond @max_protection is dropped
 * @max_protection: what vm_protect() may at most set
 * @inheritance: what a child of fork is to get, VM_INHERIT_*
 *
 * Does not wait for the object's pager: only touching the memory may.
 *
 * GNU Mach reference manual, "Mapping Memory Objects".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT, KERN_INVALID_ADDRESS (outside the user address
 * space), KERN_NO_SPACE (something is there, there is no room, or @mask has another shape).
 */
kern_return_t vm_map(task_t target_task, vm_address_t *address, vm_size_t size, vm_address_t mask,
		     boolean_t anywhere, memory_object_t memory_object, vm_offset_t offset,
		     boolean_t copy, vm_prot_t cur_protection, vm_prot_t max_protection,
		     vm_inherit_t inheritance);

/**
 * vm_region() - the region at an address, or the next one above it
 * @target_task: mach_task_self(), a task descriptor, or a descriptor of /proc/PID/mem that was
 *               opened for reading
 * @address: in: where to look; out: where the region begins
 * @size: out: bytes
 * @protection: out: protection in force
 * @max_protection: out: what vm_protect() may at most set
 * @inheritance: out: VM_INHERIT_*
 * @is_shared: out: TRUE if a fork has shared it
 * @object_name: out: a number that tells the region's object from others, MACH_PORT_NULL if the
 *               region was never touched; no descriptor, and of no other use
 * @offset: out: first byte of the region in that object
 *
 * GNU Mach reference manual, "Memory Attributes".
 *
 * Return: KERN_SUCCESS, KERN_NO_SPACE (no region there or above, and no output is set).
 */
kern_return_t vm_region(task_t target_task, vm_address_t *address, vm_size_t *size,
			vm_prot_t *protection, vm_prot_t *max_protection,
			vm_inherit_t *inheritance, boolean_t *is_shared,
			memory_object_name_t *object_name, vm_offset_t *offset);

/**
 * vm_allocate_contiguous() - memory for a driver: wired, and its pages lie side by side
 * @host_priv: mach_host_priv(); wants CAP_SYS_RAWIO
 * @target_task: mach_task_self() or a task descriptor
 * @vaddr: out: where the task sees it
 * @paddr: out: physical address of its first byte
 * @size: bytes, rounded up to whole pages; at most 4 MiB
 * @pmin: 0
 * @pmax: largest physical address that a byte of it may have
 * @palign: alignment of @paddr: 0, or what divides the page size
 *
 * Filled with zeroes.  A child of fork(2) gets other pages.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_HOST, KERN_NO_ACCESS, KERN_INVALID_ARGUMENT,
 * KERN_RESOURCE_SHORTAGE (no such memory), KERN_NO_SPACE.
 */
kern_return_t vm_allocate_contiguous(host_priv_t host_priv, task_t target_task,
				     vm_address_t *vaddr, rpc_phys_addr_t *paddr, vm_size_t size,
				     rpc_phys_addr_t pmin, rpc_phys_addr_t pmax,
				     rpc_phys_addr_t palign);

/**
 * vm_pages_phys() - where pages lie
 * @host: mach_host_priv(); wants CAP_SYS_RAWIO
 * @target_task: mach_task_self() or a task descriptor
 * @address: page aligned
 * @size: bytes, whole pages
 * @pages: in: room for @count addresses; out: the same, or fresh memory if that is too little, which
 *         vm_deallocate() frees; an address is 0 where no page is resident
 * @count: in: how many fit; out: how many there are
 *
 * Memory that is not wired may lie elsewhere by the time of the answer.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_HOST, KERN_NO_ACCESS, KERN_INVALID_ARGUMENT (not aligned).
 */
kern_return_t vm_pages_phys(host_priv_t host, task_t target_task, vm_address_t address,
			    vm_size_t size, rpc_phys_addr_array_t *pages,
			    mach_msg_type_number_t *count);

/**
 * vm_machine_attribute() - tell the machine how to treat memory
 * @target_task: mach_task_self() or a task descriptor
 * @address: first byte
 * @size: bytes
 * @attribute: MATTR_*
 * @value: in: MATTR_VAL_*; out: as it was
 *
 * x86 has nothing to be told: caches are coherent.  As on GNU Mach, no attribute can be had.
 *
 * GNU Mach reference manual, "Memory Attributes".
 *
 * Return: KERN_INVALID_ARGUMENT (the range is not one of the user address space),
 * KERN_INVALID_ADDRESS.
 */
kern_return_t vm_machine_attribute(task_t target_task, vm_address_t address, vm_size_t size,
				   vm_machine_attribute_t attribute,
				   vm_machine_attribute_val_t *value);

/**
 * vm_set_default_memory_manager() - who keeps internal memory that is paged out
 * @host_priv: mach_host_priv()
 * @default_manager: in: an object whose pager is to do it, see create of struct machvm_pager_ops;
 *	MACH_PORT_NULL: only ask; MACH_PORT_DEAD: the kernel's own store, as at first.  Out: the one
 *	before, a right of the caller's, or MACH_PORT_NULL for the kernel's own store
 *
 * What was paged out to another manager stays with that as long as it serves; the next one that is
 * set is asked for it then.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_HOST, KERN_NO_ACCESS (wants CAP_SYS_ADMIN),
 * KERN_INVALID_ARGUMENT (no memory object, or one whose pager is dead), KERN_RESOURCE_SHORTAGE.
 */
kern_return_t vm_set_default_memory_manager(host_priv_t host_priv,
					    memory_object_t *default_manager);

/**
 * vm_set_size_limit() - say how much memory a task may have
 * @host_port: mach_host_self(), or mach_host_priv() to make use of CAP_SYS_RESOURCE
 * @map: mach_task_self() or a task descriptor
 * @current_limit: bytes; if the task has more, it keeps it, but gets nothing new
 * @max_limit: what @current_limit may later be raised to; only privilege raises it
 *
 * Counts the regions of these calls but for those whose maximum protection is VM_PROT_NONE.  What
 * would go past the limit is KERN_NO_SPACE.  A child of fork(2) inherits both limits.
 *
 * GNU Mach reference manual, "Memory Attributes".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (@current_limit above @max_limit), KERN_INVALID_HOST,
 * KERN_INVALID_TASK, KERN_NO_ACCESS.
 */
kern_return_t vm_set_size_limit(host_t host_port, task_t map, vm_size_t current_limit,
				vm_size_t max_limit);

/**
 * vm_get_size_limit() - what vm_set_size_limit() has said, or the size of the user address space
 * @map: mach_task_self() or a task descriptor
 * @current_limit: out: bytes
 * @max_limit: out: bytes
 *
 * Return: KERN_SUCCESS, KERN_INVALID_TASK.
 */
kern_return_t vm_get_size_limit(task_t map, vm_size_t *current_limit, vm_size_t *max_limit);

/**
 * vm_wire() - keep memory resident, or no longer
 * @host: mach_host_self(), or mach_host_priv() to make use of CAP_SYS_RESOURCE
 * @target_task: mach_task_self() or a task descriptor
 * @address: any byte of the first page
 * @size: bytes; every page that the range touches is meant
 * @wired_access: bits of VM_PROT_ALL: what the memory is to be ready for; VM_PROT_NONE unwires it
 *
 * Waits until the pages are there.  Does not stack: VM_PROT_NONE once undoes any number of calls.
 * What is wired counts as locked memory of the process, as that of mlock(2) does, and may not go
 * beyond the caller's RLIMIT_MEMLOCK.
 *
 * GNU Mach reference manual, "Memory Attributes".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_HOST, KERN_INVALID_TASK (also a null or closed one),
 * KERN_INVALID_ARGUMENT (other bits), KERN_NO_SPACE (a hole, or a protection without @wired_access),
 * KERN_NO_ACCESS (beyond the limit), KERN_MEMORY_ERROR (a pager has failed).  On an error nothing has
 * changed.
 */
kern_return_t vm_wire(host_t host, task_t target_task, vm_address_t address, vm_size_t size,
		      vm_prot_t wired_access);

/**
 * vm_wire_all() - wire all memory of a task, or none
 * @host: mach_host_priv()
 * @target_task: mach_task_self() or a task descriptor
 * @flags: VM_WIRE_CURRENT for what there is, VM_WIRE_FUTURE for what is to come; VM_WIRE_NONE unwires
 *         both
 *
 * Regions are wired for what their protection allows, and again when that grows.
 *
 * GNU Mach reference manual, "Memory Attributes".
 *
 * Return: KERN_SUCCESS, KERN_INVALID_HOST, KERN_INVALID_ARGUMENT (other bits), and as vm_wire().
 */
kern_return_t vm_wire_all(host_priv_t host, task_t target_task, vm_wire_t flags);

/**
 * vm_msync() - bring memory into line with its pagers
 * @target_task: mach_task_self() or a task descriptor
 * @address: any byte of the first page
 * @size: bytes; every page that the range touches is meant
 * @sync_flags: VM_SYNC_*
 *
 * VM_SYNC_SYNCHRONOUS returns what was written to the pagers of the memory objects in the range,
 * and waits until they have it; VM_SYNC_ASYNCHRONOUS does not wait.  VM_SYNC_INVALIDATE takes the
 * pages away, so that the pagers are asked anew; alone, it loses what was written, if the region
 * can be written at all.  VM_SYNC_KILLPAGES frees internal memory that nobody shares, and
 * VM_SYNC_DEACTIVATE says that the range will not be used soon; with these nothing else is done.
 * Holes, and memory that has no pager, are passed over; VM_SYNC_CONTIGUOUS reports holes once all
 * else is done.
 *
 * A pager must not do this to memory of its own: it would wait for itself.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_TASK, KERN_INVALID_ARGUMENT (other bits, both of the first two,
 * a range that wraps), KERN_INVALID_ADDRESS (a hole), KERN_MEMORY_ERROR (a pager is gone),
 * KERN_RESOURCE_SHORTAGE.
 */
kern_return_t vm_msync(task_t target_task, vm_address_t address, vm_size_t size,
		       vm_sync_t sync_flags);

/**
 * vm_object_sync() - the same for a part of an object
 * @object: a name of vm_region(), of an object of the caller's user
 * @offset: byte offset in the object
 * @size: bytes; every page that the range touches is meant
 * @should_flush: as VM_SYNC_INVALIDATE
 * @should_return: as VM_SYNC_SYNCHRONOUS
 * @should_iosync: makes no difference: the pager is waited for
 *
 * Does nothing to an object without a pager.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (not a name, or of nothing that is in memory, or a
 * range that wraps), KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE.
 */
kern_return_t vm_object_sync(memory_object_name_t object, vm_offset_t offset, vm_size_t size,
			     boolean_t should_flush, boolean_t should_return,
			     boolean_t should_iosync);

/**
 * vm_statistics() - counters of the virtual memory system
 * @target_task: mach_task_self(), or any task descriptor: the counters are everyone's
 * @vm_stats: out: see struct vm_statistics
 *
 * GNU Mach reference manual, "Virtual Memory Interface" and "Memory Statistics".
 *
 * Return: KERN_SUCCESS.
 */
kern_return_t vm_statistics(task_t target_task, vm_statistics_data_t *vm_stats);

#ifdef __cplusplus
}
#endif

#endif /* _MACH_MACH_INTERFACE_H_ */
