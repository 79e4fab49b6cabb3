/* SPDX-License-Identifier: GPL-2.0-only */
/* object.h - memory objects: references, shadows, delayed copies.  Page indices, not bytes. */
#ifndef _MACHVM_OBJECT_H
#define _MACHVM_OBJECT_H

#include "types.h"

struct machvm_object *machvm_object_create(struct machvm_user *user, struct machvm_memobj *memobj);
struct machvm_object *machvm_object_create_kin(struct machvm_object *kin, struct machvm_user *user);
struct machvm_object *machvm_object_get(struct machvm_object *object);
bool machvm_object_tryget(struct machvm_object *object);
void machvm_object_put(struct machvm_object *object);
void machvm_object_put_shared(struct machvm_object *object);
void machvm_object_free(struct machvm_object *object);

bool machvm_object_is_empty(struct machvm_object *object);
struct machvm_object *machvm_object_first(u64 id);
struct folio *machvm_object_answer_locked(struct machvm_object *object, u64 index);
int machvm_object_count(struct machvm_object *object, u64 first, u64 last, u64 *resident,
			u64 *dirty);
int machvm_object_count_shown(struct machvm_object *object, u64 first, u64 last, u64 *resident,
			      u64 *dirty);
unsigned int machvm_object_depth_locked(struct machvm_object *object);
bool machvm_object_extend(struct machvm_object *object, u64 index, u64 nr);
void machvm_object_release_range(struct machvm_object *object, u64 index, u64 nr);
u64 machvm_ident_new(void);

/* An entry shows the object up to this byte, or is going to; 0: to the end of all numbers. */
static inline void machvm_object_reach(struct machvm_object *object, u64 end)
{
	lockdep_assert_held(&object->family->mappers);
	object->size = max(object->size, end ?: U64_MAX & PAGE_MASK);
}

/* copy.c */
bool machvm_object_is_shared(struct machvm_object *object);
bool machvm_object_copied_now(struct machvm_object *object);
bool machvm_object_shows_shared(struct machvm_object *object);
void machvm_object_share(struct machvm_object *object, unsigned long how);
void machvm_entry_shadow_locked(struct machvm_entry *entry, struct machvm_object **spare);
struct machvm_object *machvm_object_copy(struct machvm_object *source, u64 end);
struct machvm_object *machvm_object_copy_delayed(struct machvm_object *source, u64 end,
						 struct machvm_object **spare);
bool machvm_push_wanted_locked(struct machvm_object *source, u64 index);
int machvm_push_locked(struct machvm_object *source, u64 index, struct folio *folio,
		       struct folio *spare);
bool machvm_object_pinned(struct machvm_object *object, u64 index, u64 nr);
void machvm_zap_mappers(struct machvm_object *object, u64 index, u64 nr);
void machvm_zap_viewers_locked(struct machvm_object *object, u64 index);
void machvm_zap_viewers_run_locked(struct machvm_object *object, u64 index, u64 nr);
bool machvm_object_single_view(struct machvm_object *object);
bool machvm_page_wired_locked(struct machvm_object *object, u64 index);

/* collapse.c */
bool machvm_object_collapse_locked(struct machvm_object *object);
void machvm_object_shed_locked(struct machvm_object *object);
void machvm_object_shorten(struct machvm_object *object);

#endif /* _MACHVM_OBJECT_H */
