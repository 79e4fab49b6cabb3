/* SPDX-License-Identifier: GPL-2.0-only */
/* What 6.1's <linux/mm.h> lacks of 6.12's. */
#ifndef _MACHVM_COMPAT_MM_H
#define _MACHVM_COMPAT_MM_H

#include_next <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* Sets the flags of a VMA that is no part of any address space; nobody else can look. */
static inline void vm_flags_set_raw(struct vm_area_struct *vma, vm_flags_t flags)
{
	*(vm_flags_t *)&vma->vm_flags = flags;
}

/* One page of another process; whether mmap_lock is still held comes back in @locked. */
static inline long pin_user_page_remote(struct mm_struct *mm, unsigned long addr,
					unsigned int flags, struct page **page, int *locked)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return pin_user_pages_remote(mm, addr, 1, flags, page, NULL, locked);
#else
	return pin_user_pages_remote(mm, addr, 1, flags, page, locked);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* There are no per-VMA locks: a fault holds mmap_lock. */
static inline void release_fault_lock(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define MACHVM_GET_POLICY_ARGS struct vm_area_struct *vma, unsigned long addr
#else
#define MACHVM_GET_POLICY_ARGS struct vm_area_struct *vma, unsigned long addr, pgoff_t *ilx
#endif

#endif /* _MACHVM_COMPAT_MM_H */
