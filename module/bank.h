/* SPDX-License-Identifier: GPL-2.0-only */
/* bank.h - pages that are with a default memory manager in user space. */
#ifndef _MACHVM_BANK_H
#define _MACHVM_BANK_H

#include "types.h"

void machvm_bank_offer(struct machvm_object *object, u64 index, u64 place);
int machvm_bank_read(u64 place, struct folio *into);
struct machvm_request *machvm_bank_ask(u64 place, struct folio **folio);
bool machvm_bank_has(u64 place);
void machvm_bank_free(u64 place);
void machvm_bank_forget(u64 id);
void machvm_bank_kick(void);

int machvm_bank_init(void);
void machvm_bank_exit(void);

/* store.c: what lies in the kernel's own part of the store, and that it need not any more. */
int machvm_store_load(u64 place, struct folio *into);
void machvm_store_drop(u64 place);

#endif /* _MACHVM_BANK_H */
