/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach_debug/vm_info.h - regions, objects and pages as a debugger sees them.
 *
 * An object is named by its number, which is never given to another; 0 is none.
 */
#ifndef _MACH_DEBUG_VM_INFO_H_
#define _MACH_DEBUG_VM_INFO_H_

#include <mach/boolean.h>
#include <mach/memory_object.h>
#include <mach/vm_inherit.h>
#include <mach/vm_prot.h>
#include <mach/vm_types.h>

/**
 * struct vm_region_info - a region of a task
 * @vri_start: first byte
 * @vri_end: first byte after it
 * @vri_protection: protection in force
 * @vri_max_protection: what vm_protect() may at most set
 * @vri_inheritance: VM_INHERIT_*
 * @vri_wired_count: 1 if it is wired: wiring does not stack
 * @vri_user_wired_count: the same
 * @vri_object: number of the object, 0 if the region was never touched
 * @vri_offset: first byte of the region in that object
 * @vri_needs_copy: TRUE if the next write makes a shadow object
 * @vri_sharing: 1 if other maps see what is written to it
 */
typedef struct vm_region_info {
	vm_offset_t vri_start;
	vm_offset_t vri_end;
	vm_prot_t vri_protection;
	vm_prot_t vri_max_protection;
	vm_inherit_t vri_inheritance;
	unsigned int vri_wired_count;
	unsigned int vri_user_wired_count;
	vm_offset_t vri_object;
	vm_offset_t vri_offset;
	integer_t vri_needs_copy;
	unsigned int vri_sharing;
} vm_region_info_t;

typedef vm_region_info_t *vm_region_info_array_t;

typedef unsigned int vm_object_info_state_t;

#define VOI_STATE_PAGER_CREATED 0x00000001	/* it has a pager */
#define VOI_STATE_PAGER_INITIALIZED 0x00000002	/* which was sent init */
#define VOI_STATE_PAGER_READY 0x00000004	/* and has answered */
#define VOI_STATE_CAN_PERSIST 0x00000008	/* pages are to outlive the last mapping */
#define VOI_STATE_INTERNAL 0x00000010		/* memory of programs */
#define VOI_STATE_TEMPORARY 0x00000020		/* nobody will miss it once it is unmapped */
#define VOI_STATE_ALIVE 0x00000040
#define VOI_STATE_LOCK_IN_PROGRESS 0x00000080	/* never set: a lock request holds nothing up */
#define VOI_STATE_LOCK_RESTART 0x00000100	/* never set */

/**
 * struct vm_object_info - an object
 * @voi_object: its number
 * @voi_pagesize: bytes
 * @voi_size: bytes up to the end of the furthest region that ever showed it
 * @voi_ref_count: references by regions, shadows, copies and descriptors
 * @voi_resident_page_count: resident pages
 * @voi_absent_count: pages asked of the pager and not answered
 * @voi_copy: number of the newest delayed copy, or 0
 * @voi_shadow: number of the object below, or 0
 * @voi_shadow_offset: byte of that one where this one begins
 * @voi_paging_offset: byte of the memory object where this one begins: always 0
 * @voi_copy_strategy: MEMORY_OBJECT_COPY_*; 4, symmetric, if it has no pager
 * @voi_last_alloc: always 0: nobody keeps it
 * @voi_paging_in_progress: pages on their way: the absent ones
 * @voi_state: VOI_STATE_*
 *
 * Counts stop at the largest unsigned int.
 */
typedef struct vm_object_info {
	vm_offset_t voi_object;
	vm_size_t voi_pagesize;
	vm_size_t voi_size;
	unsigned int voi_ref_count;
	unsigned int voi_resident_page_count;
	unsigned int voi_absent_count;
	vm_offset_t voi_copy;
	vm_offset_t voi_shadow;
	vm_offset_t voi_shadow_offset;
	vm_offset_t voi_paging_offset;
	memory_object_copy_strategy_t voi_copy_strategy;
	vm_offset_t voi_last_alloc;
	unsigned int voi_paging_in_progress;
	vm_object_info_state_t voi_state;
} vm_object_info_t;

typedef vm_object_info_t *vm_object_info_array_t;

/* States of a page; those that machvm's pages never have are there for programs that name them. */
typedef unsigned int vm_page_info_state_t;

#define VPI_STATE_BUSY 0x00000001	/* somebody is at work on it */
#define VPI_STATE_WANTED 0x00000002	/* absent, and somebody waits for it */
#define VPI_STATE_TABLED 0x00000004	/* resident in its object */
#define VPI_STATE_FICTITIOUS 0x00000008	/* never: an absent page is no page */
#define VPI_STATE_PRIVATE 0x00000010	/* never */
#define VPI_STATE_ABSENT 0x00000020	/* asked of the pager and not answered */
#define VPI_STATE_ERROR 0x00000040	/* never: what failed is asked for again */
#define VPI_STATE_DIRTY 0x00000080	/* written since it came in */
#define VPI_STATE_PRECIOUS 0x00000100	/* the pager wants it back even if clean */
#define VPI_STATE_OVERWRITING 0x00000200 /* never */
#define VPI_STATE_INACTIVE 0x00000400	/* next to be paged out */
#define VPI_STATE_ACTIVE 0x00000800	/* neither inactive nor wired */
#define VPI_STATE_LAUNDRY 0x00001000	/* on its way to the pager */
#define VPI_STATE_FREE 0x00002000	/* never */
#define VPI_STATE_REFERENCE 0x00004000	/* used lately */
#define VPI_STATE_PAGER 0x80000000	/* the pager has kept a copy of what it supplied */

/**
 * struct vm_page_info - a page of an object
 * @vpi_offset: byte of the object
 * @vpi_phys_addr: 0, see mach_vm_object_pages_phys()
 * @vpi_wire_count: 1 if it is wired
 * @vpi_page_lock: access that the pager has forbidden
 * @vpi_unlock_request: access that the pager was asked to allow and has not answered
 * @vpi_state: VPI_STATE_*
 */
typedef struct vm_page_info {
	vm_offset_t vpi_offset;
	vm_offset_t vpi_phys_addr;
	unsigned int vpi_wire_count;
	vm_prot_t vpi_page_lock;
	vm_prot_t vpi_unlock_request;
	vm_page_info_state_t vpi_state;
} vm_page_info_t;

typedef vm_page_info_t *vm_page_info_array_t;

/* The same, with the physical address of a resident page in bytes. */
typedef struct vm_page_phys_info {
	vm_offset_t vpi_offset;
	unsigned long long vpi_phys_addr;
	unsigned int vpi_wire_count;
	vm_prot_t vpi_page_lock;
	vm_prot_t vpi_unlock_request;
	vm_page_info_state_t vpi_state;
} vm_page_phys_info_t;

typedef vm_page_phys_info_t *vm_page_phys_info_array_t;

#endif /* _MACH_DEBUG_VM_INFO_H_ */
