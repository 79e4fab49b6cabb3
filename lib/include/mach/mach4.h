/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/mach4.h - proxies: rights to parts of memory objects and of tasks' memory.
 *
 * A proxy is a port like that of the object that it stands for: it is given to vm_map(), passed on
 * and deallocated, and further proxies can be made from it.  What a mapping may do is what all
 * levels allow.  Mappings outlive the proxy.
 */
#ifndef _MACH_MACH4_H_
#define _MACH_MACH4_H_

#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef memory_object_t *memory_object_array_t;
typedef vm_offset_t *vm_offset_array_t;
typedef vm_size_t *vm_size_array_t;

/* What becomes of the caller's rights in an array. */
typedef unsigned int mach_msg_type_name_t;

#ifndef MACH_MSG_TYPE_COPY_SEND
#define MACH_MSG_TYPE_MOVE_SEND 17	/* they are deallocated if the call succeeds */
#define MACH_MSG_TYPE_COPY_SEND 19	/* the caller keeps them */
#define MACH_MSG_TYPE_MAKE_SEND 20	/* the same: they are descriptors */
#endif

/**
 * memory_object_create_proxy() - a right to parts of memory objects
 * @task: mach_task_self()
 * @max_protection: what a mapping may at most be given
 * @object: memory objects, or proxies
 * @object_type: MACH_MSG_TYPE_COPY_SEND, _MAKE_SEND or _MOVE_SEND
 * @object_count: how many, 1 to 1024; so the other arrays
 * @offset: byte of the proxy where each part begins, page aligned; parts may not overlap
 * @offset_count: as @object_count
 * @start: byte of the object that is there, page aligned
 * @start_count: as @object_count
 * @len: bytes of each part, of which whole pages are shown; ~0 for all there are, with a @start of 0
 * @len_count: as @object_count
 * @proxy: out: the right
 *
 * With a proxy, vm_map() answers KERN_INVALID_ARGUMENT where the range is not all of parts, drops
 * protections beyond those allowed if it shares, and KERN_PROTECTION_FAILURE if it copies what may
 * not be read.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (counts, protection, alignment, overlap, overflow),
 * KERN_INVALID_NAME (not a memory object or proxy), KERN_INVALID_TASK (not the caller),
 * KERN_RESOURCE_SHORTAGE (more than 16 levels of proxies).
 */
kern_return_t memory_object_create_proxy(task_t task, vm_prot_t max_protection,
					 const memory_object_array_t object,
					 mach_msg_type_name_t object_type,
					 mach_msg_type_number_t object_count,
					 const vm_offset_array_t offset,
					 mach_msg_type_number_t offset_count,
					 const vm_offset_array_t start,
					 mach_msg_type_number_t start_count,
					 const vm_size_array_t len,
					 mach_msg_type_number_t len_count, mach_port_t *proxy);

/**
 * vm_region_create_proxy() - a right to memory of a task
 * @task: mach_task_self() or a task descriptor
 * @address: page aligned
 * @max_protection: what a mapping may at most be given; what the region's maximum does not allow is
 *                  dropped
 * @len: bytes inside the region, of which whole pages are shown
 * @proxy: out: the right; its byte 0 is at @address
 *
 * Who maps it and the task see each other's writes, and the memory stays when the task ends.
 *
 * Return: KERN_SUCCESS, KERN_NO_SPACE (nothing is mapped there or above), KERN_INVALID_ADDRESS (a
 * hole), KERN_INVALID_ARGUMENT (beyond the end of the region, protection, alignment),
 * KERN_INVALID_TASK.
 */
kern_return_t vm_region_create_proxy(task_t task, vm_address_t address, vm_prot_t max_protection,
				     vm_size_t len, mach_port_t *proxy);

#ifdef __cplusplus
}
#endif

#endif /* _MACH_MACH4_H_ */
