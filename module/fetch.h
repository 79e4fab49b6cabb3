/* SPDX-License-Identifier: GPL-2.0-only */
/* fetch.h - what must be there before it is copied. */
#ifndef _MACHVM_FETCH_H
#define _MACHVM_FETCH_H

#include "types.h"

int machvm_fetch_object(struct machvm_memobj *memobj, u64 offset, u64 length,
			struct machvm_user *user, struct machvm_object **held);
int machvm_fetch_range(struct machvm_map *map, u64 addr, u64 length);

#endif /* _MACHVM_FETCH_H */
