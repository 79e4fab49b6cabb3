/* SPDX-License-Identifier: GPL-2.0-only */
/* lock.h - what pagers forbid, and the questions about it. */
#ifndef _MACHVM_LOCK_H
#define _MACHVM_LOCK_H

#include "types.h"

struct machvm_request *machvm_unlock_find(struct machvm_memobj *memobj, u64 index, u32 access);
int machvm_unlock_ask(struct machvm_memobj *memobj, u64 index, struct machvm_request *request);
void machvm_unlock_end(struct machvm_memobj *memobj, u64 first, u64 last, int result);

#endif /* _MACHVM_LOCK_H */
