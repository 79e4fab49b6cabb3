/* SPDX-License-Identifier: GPL-2.0-only */
/* copycall.h - copies that are memory objects of their own, and whose source's pager is told. */
#ifndef _MACHVM_COPYCALL_H
#define _MACHVM_COPYCALL_H

#include "types.h"

/* The memory object that a message tells of, or NULL. */
static inline struct machvm_memobj *machvm_copied_of(struct machvm_msg *msg)
{
	if (msg->type != MACHVM_MSG_COPY)
		return NULL;
	return container_of(msg, struct machvm_memobj, copied);
}

bool machvm_object_copied_by_call(struct machvm_object *object);
struct machvm_object *machvm_object_copy_call(struct machvm_object *source, u64 first, u64 nr,
					      struct machvm_user *user);
struct machvm_memobj *machvm_copy_find(struct machvm_memobj *source, u64 id);
bool machvm_copy_take(struct machvm_memobj *source, struct machvm_memobj *copy);
void machvm_copy_forget(struct machvm_memobj *copy);
void machvm_copies_end(struct machvm_memobj *source);

#endif /* _MACHVM_COPYCALL_H */
