/* SPDX-License-Identifier: GPL-2.0-only */
/* manager.h - who is the default memory manager. */
#ifndef _MACHVM_MANAGER_H
#define _MACHVM_MANAGER_H

#include "types.h"

bool machvm_manager_is_set(void);
struct machvm_memobj *machvm_manager_get(void);
struct machvm_memobj *machvm_manager_set(struct machvm_memobj *manager);
void machvm_manager_bound(struct machvm_memobj *memobj);
struct machvm_port *machvm_manager_port(void);
void machvm_manager_exit(void);

#endif /* _MACHVM_MANAGER_H */
