/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/vm_types.h - numbers: natural ones, and those as wide as an address.
 */
#ifndef _MACH_VM_TYPES_H_
#define _MACH_VM_TYPES_H_

typedef unsigned int natural_t;
typedef int integer_t;
typedef natural_t mach_msg_type_number_t; /* a number of items or bytes */

/* Bytes, all three. */
typedef __UINTPTR_TYPE__ vm_offset_t;
typedef __UINTPTR_TYPE__ vm_address_t;
typedef __UINTPTR_TYPE__ vm_size_t;

/* Physical addresses, as they travel between tasks. */
typedef __UINT64_TYPE__ rpc_phys_addr_t;
typedef rpc_phys_addr_t *rpc_phys_addr_array_t;

#endif /* _MACH_VM_TYPES_H_ */
