/* SPDX-License-Identifier: GPL-2.0-only */
/* mapper.h - the entries that point at an object, found by the pages that they show. */
#ifndef _MACHVM_MAPPER_H
#define _MACHVM_MAPPER_H

#include "types.h"

void machvm_mapper_add_locked(struct machvm_entry *entry);
void machvm_mapper_remove_locked(struct machvm_entry *entry);
struct machvm_entry *machvm_mapper_first_locked(struct machvm_object *object, u64 first, u64 last);
struct machvm_entry *machvm_mapper_next_locked(struct machvm_entry *entry, u64 first, u64 last);
bool machvm_mapper_single_locked(struct machvm_object *object);

/* Those that show one of the pages [first, last]. */
#define machvm_for_each_mapper(entry, object, first, last)			\
	for ((entry) = machvm_mapper_first_locked(object, first, last); (entry);	\
	     (entry) = machvm_mapper_next_locked(entry, first, last))

static inline u64 machvm_mapper_page(const struct machvm_entry *entry)
{
	return entry->offset >> PAGE_SHIFT;
}

static inline u64 machvm_mapper_last(const struct machvm_entry *entry)
{
	return machvm_mapper_page(entry) + ((entry->end - entry->start) >> PAGE_SHIFT) - 1;
}

#endif /* _MACHVM_MAPPER_H */
