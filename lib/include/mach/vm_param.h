/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/vm_param.h - the page size, and rounding to it.
 */
#ifndef _MACH_VM_PARAM_H_
#define _MACH_VM_PARAM_H_

#include <mach/vm_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes in a page; constant while the program runs. */
extern vm_size_t vm_page_size;

#ifdef __cplusplus
}
#endif

#define vm_page_mask (vm_page_size - 1)
#define trunc_page(x) ((vm_offset_t)(x) & ~vm_page_mask)
#define round_page(x) (((vm_offset_t)(x) + vm_page_mask) & ~vm_page_mask)

#endif /* _MACH_VM_PARAM_H_ */
