/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/vm_inherit.h - what a child of fork gets of a region.
 */
#ifndef _MACH_VM_INHERIT_H_
#define _MACH_VM_INHERIT_H_

typedef int vm_inherit_t;

#define VM_INHERIT_SHARE ((vm_inherit_t)0) /* the same memory */
#define VM_INHERIT_COPY ((vm_inherit_t)1)  /* a copy as of the fork */
#define VM_INHERIT_NONE ((vm_inherit_t)2)  /* nothing */
#define VM_INHERIT_ZERO ((vm_inherit_t)8)  /* fresh zero-filled memory; not Mach's */
#define VM_INHERIT_DEFAULT VM_INHERIT_COPY

#endif /* _MACH_VM_INHERIT_H_ */
