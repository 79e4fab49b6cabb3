/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store.h - where pages that are paged out lie: the kernel's own default memory manager.
 *
 * A place holds one page.  Its number is never used again, so whoever reads a place without a lock
 * has either its page, or the number is named nowhere any more; then what was read means nothing.
 */
#ifndef _MACHVM_STORE_H
#define _MACHVM_STORE_H

#include "types.h"

/* A place that a page is on its way to. */
struct machvm_store_slot {
	u64 place;		/* never 0 */
	struct page *page;	/* referenced; the store's own */
};

int machvm_store_reserve(struct machvm_store_slot *slot);
void machvm_store_fill(struct machvm_store_slot *slot, struct folio *from);
void machvm_store_commit(struct machvm_store_slot *slot, struct machvm_object *object, u64 index);
void machvm_store_cancel(struct machvm_store_slot *slot);
bool machvm_store_has_room(void);
int machvm_store_read(u64 place, struct folio *into);
struct machvm_request *machvm_store_ask(u64 place, struct folio **folio);
void machvm_store_free(u64 place);
void machvm_store_forget(struct machvm_object *object);
void machvm_store_adopt(struct machvm_memobj *memobj);
int machvm_store_init(void);
void machvm_store_exit(void);

#endif /* _MACHVM_STORE_H */
