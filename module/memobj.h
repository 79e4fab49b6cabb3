/* SPDX-License-Identifier: GPL-2.0-only */
/* memobj.h - memory objects as their pagers see them. */
#ifndef _MACHVM_MEMOBJ_H
#define _MACHVM_MEMOBJ_H

#include "types.h"

/* A page on its way in: begun, filled by the caller with no lock held, then ended. */
struct machvm_supply {
	struct machvm_object *object;	/* referenced */
	struct machvm_request *request;	/* what it answers, or NULL if unasked */
	struct folio *folio;		/* to be filled */
	u64 index;
};

u64 machvm_id_new(void);
struct machvm_memobj *machvm_memobj_create(struct machvm_user *user);
struct machvm_memobj *machvm_memobj_get(struct machvm_memobj *memobj);
void machvm_memobj_put(struct machvm_memobj *memobj);
struct machvm_memobj *machvm_memobj_find(u64 id);
struct machvm_memobj *machvm_memobj_first(u64 id);
struct machvm_port *machvm_memobj_lock_port(struct machvm_memobj *memobj);
void machvm_memobj_unlock_port(struct machvm_port *port);
void machvm_memobj_pump(struct machvm_memobj *memobj);
bool machvm_memobj_answers(struct machvm_memobj *memobj);
struct machvm_object *machvm_memobj_object(struct machvm_memobj *memobj);
int machvm_memobj_join(struct machvm_memobj *memobj, struct machvm_port *port);
void machvm_memobj_bound_locked(struct machvm_memobj *memobj);
void machvm_memobj_terminated_locked(struct machvm_memobj *memobj);

void machvm_memobj_ctl_queue_locked(struct machvm_port *port, struct machvm_memobj *memobj,
				    u8 type);
bool machvm_memobj_ctl_unlist_locked(struct machvm_port *port, struct machvm_memobj *memobj);

/* attributes.c */
int machvm_memobj_ready(struct machvm_memobj *memobj, bool may_cache, u32 copy_strategy);
int machvm_memobj_change(struct machvm_memobj *memobj, bool may_cache, u32 strategy, u64 cluster);
int machvm_memobj_set_attributes(struct machvm_memobj *memobj,
				 const struct machvm_attributes *want);
void machvm_memobj_attributes(struct machvm_memobj *memobj, struct machvm_attributes *out);
/* reply.c */
int machvm_memobj_supply_begin(struct machvm_memobj *memobj, u64 offset,
			       struct machvm_supply *supply);
int machvm_memobj_supply_enter(struct machvm_supply *supply, u32 locks, bool precious,
			       struct machvm_request **asked);
int machvm_memobj_supply_end(struct machvm_supply *supply, u32 locks, bool precious);
void machvm_memobj_supply_abort(struct machvm_supply *supply);
bool machvm_memobj_answer_zero(struct machvm_memobj *memobj, struct machvm_request *request);
int machvm_memobj_unavailable(struct machvm_memobj *memobj, u64 offset, u64 length);
int machvm_memobj_error(struct machvm_memobj *memobj, u64 offset, u64 length, int error);
/* destroy.c */
int machvm_memobj_destroy(struct machvm_memobj *memobj, int reason, bool flush);
bool machvm_destroy_step(struct machvm_memobj *memobj, struct machvm_object **cached);
void machvm_destroy_unserved(struct machvm_memobj *memobj);
/* life.c */
void machvm_memobj_advance(struct machvm_memobj *memobj);
struct machvm_object *machvm_memobj_map(struct machvm_memobj *memobj);
void machvm_memobj_put_object(struct machvm_memobj *memobj, struct machvm_object *object);
void machvm_memobj_die(struct machvm_memobj *memobj);
void machvm_memobj_drop_unserved(struct machvm_memobj *memobj);
void machvm_memobj_absent(struct machvm_port *port);
struct folio *machvm_memobj_returned(struct machvm_memobj *memobj, u64 offset);
int machvm_memobj_release(struct machvm_memobj *memobj, u64 offset, u64 length,
			  struct machvm_object *into);

/* nl_out.c: a thread of the kernel's that calls machvm_memobj_advance(). */
void machvm_memobj_init_advance(struct machvm_memobj *memobj);
void machvm_memobj_advance_later(struct machvm_memobj *memobj);

/* True if it is not whole pages, or wraps. */
static inline bool machvm_range_is_bad(u64 offset, u64 length)
{
	u64 last;

	return !PAGE_ALIGNED(offset) || !PAGE_ALIGNED(length) ||
	       (length && check_add_overflow(offset, length - 1, &last));
}

#endif /* _MACHVM_MEMOBJ_H */
