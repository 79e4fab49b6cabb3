/* SPDX-License-Identifier: GPL-2.0-only */
/* bytes.h - vm_copy, vm_read and vm_write wherever the memory lies. */
#ifndef _MACHVM_BYTES_H
#define _MACHVM_BYTES_H

#include "types.h"

int machvm_bytes_copy(struct machvm_map *from, struct machvm_map *to, u64 source, u64 length,
		      u64 destination);
int machvm_bytes_read(struct machvm_map *from, u64 addr, u64 length, struct machvm_map *own,
		      u64 *data);

#endif /* _MACHVM_BYTES_H */
