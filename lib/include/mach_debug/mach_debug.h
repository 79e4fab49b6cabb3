/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach_debug/mach_debug.h - the calls of Mach's debugging interface on virtual memory.
 *
 * Whoever may use a task may look at its regions; whoever made an object, or has CAP_SYS_ADMIN, may
 * look at that.  What Mach tells of its allocator is in /proc/slabinfo.
 */
#ifndef _MACH_DEBUG_MACH_DEBUG_H_
#define _MACH_DEBUG_MACH_DEBUG_H_

#include <mach/mach_types.h>
#include <mach_debug/hash_info.h>
#include <mach_debug/vm_info.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mach_vm_region_info() - the region at an address, or the next one above it
 * @task: as for vm_region()
 * @address: where to look
 * @region: out: the region
 * @object: out: the name of its object, as vm_region() gives it; MACH_PORT_NULL if it has none
 *
 * Return: KERN_SUCCESS, KERN_NO_SPACE (no region there or above).
 */
kern_return_t mach_vm_region_info(vm_task_t task, vm_address_t address, vm_region_info_t *region,
				  memory_object_name_t *object);

/**
 * mach_vm_object_info() - what an object is like
 * @object: its name
 * @info: out: the object
 * @shadow: out: the name of the object below, or MACH_PORT_NULL
 * @copy: out: the name of its newest delayed copy, or MACH_PORT_NULL
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (no such object, or not the caller's to see).
 */
kern_return_t mach_vm_object_info(memory_object_name_t object, vm_object_info_t *info,
				  memory_object_name_t *shadow, memory_object_name_t *copy);

/**
 * mach_vm_object_pages() - the pages of an object
 * @object: its name
 * @pages: in: an array; out: where the pages are: there if they fit, else in fresh memory, which is
 *         the caller's to vm_deallocate()
 * @pages_count: in: room in the array; out: how many there are
 *
 * They are in order, resident ones and those that were asked of the pager.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (no such object, or not the caller's to see).
 */
kern_return_t mach_vm_object_pages(memory_object_name_t object, vm_page_info_array_t *pages,
				   mach_msg_type_number_t *pages_count);

/**
 * mach_vm_object_pages_phys() - the pages of an object and where they are in memory
 * @object: its name
 * @pages: as for mach_vm_object_pages()
 * @pages_count: as for mach_vm_object_pages()
 *
 * Return: also KERN_NO_ACCESS without CAP_SYS_RAWIO.
 */
kern_return_t mach_vm_object_pages_phys(memory_object_name_t object,
					vm_page_phys_info_array_t *pages,
					mach_msg_type_number_t *pages_count);

/**
 * host_virtual_physical_table_info() - how full the table is in which pages are found
 * @host: mach_host_self()
 * @info: in: an array; out: where the buckets are: there if they fit, else in fresh memory, which is
 *        the caller's to vm_deallocate()
 * @count: in: room in the array; out: how many there are
 *
 * Pages are found by their object and then by their offset: a bucket is an object that the caller may
 * look at, in the order of their numbers.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_HOST.
 */
kern_return_t host_virtual_physical_table_info(host_t host, hash_info_bucket_array_t *info,
					       mach_msg_type_number_t *count);

#ifdef __cplusplus
}
#endif

#endif /* _MACH_DEBUG_MACH_DEBUG_H_ */
