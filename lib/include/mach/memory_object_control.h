/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/memory_object_control.h - what a pager says about its object.
 *
 * @control is the object's control port, as the init callback of <machvm/pager.h> got it.  All
 * calls answer KERN_SUCCESS or: KERN_INVALID_ARGUMENT (@control is not a control port, or does
 * not belong to a pager of this process; an offset or size is not whole pages), KERN_ABORTED
 * (another process took the object over since the question was asked).
 *
 * Offsets and sizes are bytes and multiples of vm_page_size.
 */
#ifndef _MACH_MEMORY_OBJECT_CONTROL_H_
#define _MACH_MEMORY_OBJECT_CONTROL_H_

#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * memory_object_ready() - the pager will now answer requests; the answer to init
 * @control: the object
 * @may_cache_object: TRUE if pages may stay when nobody maps the object any more
 * @copy_strategy: MEMORY_OBJECT_COPY_NONE, _CALL, _DELAY or _TEMPORARY
 *
 * Until then all who touch the object's memory wait.
 *
 * GNU Mach reference manual, "Memory Object Creation and Attributes".
 */
kern_return_t memory_object_ready(memory_object_control_t control, boolean_t may_cache_object,
				  memory_object_copy_strategy_t copy_strategy);

/**
 * memory_object_change_attributes() - change what memory_object_ready() has said
 * @control: the object
 * @may_cache_object: FALSE also ends an object that is kept though nobody maps it any more
 * @copy_strategy: as above; it cannot become another while delayed copies of the object exist.
 *                 MEMORY_OBJECT_COPY_TEMPORARY cannot be taken back and leaves the strategy alone:
 *                 from then on no data_return is called when the object ends
 * @reply: MACH_PORT_NULL, or @control to have change_completed called with what holds then
 *
 * GNU Mach reference manual, "Memory Object Cache Control".
 */
kern_return_t memory_object_change_attributes(memory_object_control_t control,
					      boolean_t may_cache_object,
					      memory_object_copy_strategy_t copy_strategy,
					      mach_port_t reply);

/**
 * memory_object_get_attributes() - the attributes that hold now
 * @control: the object
 * @object_ready: out: FALSE until memory_object_ready(), and when nobody maps the object any more
 * @may_cache_object: out
 * @copy_strategy: out
 *
 * GNU Mach reference manual, "Memory Object Cache Control".
 */
kern_return_t memory_object_get_attributes(memory_object_control_t control,
					   boolean_t *object_ready, boolean_t *may_cache_object,
					   memory_object_copy_strategy_t *copy_strategy);

/**
 * memory_object_data_supply() - contents of pages; the answer to data_request
 * @control: the object
 * @offset: first byte in the object
 * @data: address of the contents, of any alignment; they are copied before the call returns
 * @data_count: bytes
 * @lock_value: access to forbid, bits of VM_PROT_ALL: data_unlock is called when somebody needs it
 * @precious: TRUE: return these pages even if they stay clean
 * @reply: MACH_PORT_NULL, or @control to have supply_completed called with the outcome, too
 *
 * May give more pages than were asked for, and pages that nobody asked for.  A page that is
 * there already is left as it is, and the others are taken.
 *
 * GNU Mach reference manual, "Data Supply".
 *
 * Return: as above, and KERN_MEMORY_PRESENT (some page was there already), KERN_INVALID_ADDRESS
 * (@data cannot be read), KERN_MEMORY_ERROR (the object has been terminated).
 */
kern_return_t memory_object_data_supply(memory_object_control_t control, vm_offset_t offset,
					vm_offset_t data, vm_size_t data_count,
					vm_prot_t lock_value, boolean_t precious,
					mach_port_t reply);

/**
 * memory_object_lock_request() - clean, flush or lock pages
 * @control: the object
 * @offset: first byte in the object
 * @size: bytes; every page that the range touches is meant
 * @should_return: MEMORY_OBJECT_RETURN_*: which resident pages data_return is to be called with
 * @should_flush: TRUE: the pages leave the kernel; what is not returned is lost
 * @lock_value: access to forbid from now on, bits of VM_PROT_ALL, in the place of what was
 *              forbidden before; VM_PROT_NO_CHANGE leaves it alone
 * @reply: MACH_PORT_NULL, or @control to have lock_completed called when all is done
 *
 * Does not wait until it is done.  Pages that are not there are passed over.  One that a system
 * call, a device or vm_wire() holds on to is returned, but neither flushed nor clean then.
 *
 * GNU Mach reference manual, "Memory Object Cache Control".
 *
 * Return: as above, and KERN_MEMORY_ERROR (no pager serves the object).
 */
kern_return_t memory_object_lock_request(memory_object_control_t control, vm_offset_t offset,
					 vm_size_t size, memory_object_return_t should_return,
					 boolean_t should_flush, vm_prot_t lock_value,
					 mach_port_t reply);

/**
 * memory_object_data_unavailable() - there is no data for these pages: they read as zeroes
 * @control: the object
 * @offset: first byte in the object
 * @size: bytes
 *
 * GNU Mach reference manual, "Data Supply".
 */
kern_return_t memory_object_data_unavailable(memory_object_control_t control, vm_offset_t offset,
					     vm_size_t size);

/**
 * memory_object_data_error() - these pages cannot be had
 * @control: the object
 * @offset: first byte in the object
 * @size: bytes
 * @error_value: any number; machvm_fault_info() hands it to the program that touched the page
 *
 * All who wait for one of the pages get SIGBUS.  The next to touch it makes a new request.
 *
 * GNU Mach reference manual, "Data Supply".
 */
kern_return_t memory_object_data_error(memory_object_control_t control, vm_offset_t offset,
				       vm_size_t size, kern_return_t error_value);

/**
 * memory_object_destroy() - give the object up
 * @control: the object
 * @reason: any number; machvm_fault_info() hands it to programs whose accesses fail
 *
 * Who waits for a page or for memory_object_ready() gets SIGBUS, and so does who touches a page
 * that is not there.  Pages that are there can be used by who maps them; what was written to them
 * is not returned, see machvm_pager_retire().  Terminate follows.  A later mapping of the object
 * is preceded by init.
 *
 * GNU Mach reference manual, "Memory Object Termination".
 *
 * Return: as above, and KERN_MEMORY_ERROR (nobody maps the object).
 */
kern_return_t memory_object_destroy(memory_object_control_t control, kern_return_t reason);

#ifdef __cplusplus
}
#endif

#endif /* _MACH_MEMORY_OBJECT_CONTROL_H_ */
