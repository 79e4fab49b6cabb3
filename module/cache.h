/* SPDX-License-Identifier: GPL-2.0-only */
/* cache.h - memory objects that keep their pages though nothing maps them. */
#ifndef _MACHVM_CACHE_H
#define _MACHVM_CACHE_H

#include "types.h"

void machvm_cache_add_locked(struct machvm_memobj *memobj);
bool machvm_cache_remove_locked(struct machvm_memobj *memobj);
bool machvm_cache_has(struct machvm_memobj *memobj);
bool machvm_cache_recount(struct machvm_memobj *memobj, struct machvm_object *object);
unsigned int machvm_cache_oldest(struct machvm_memobj **memobjs, unsigned int max);
bool machvm_cache_drop(struct machvm_memobj *memobj);
bool machvm_cache_evict_oldest(void);
void machvm_cache_trim(void);

#endif /* _MACHVM_CACHE_H */
