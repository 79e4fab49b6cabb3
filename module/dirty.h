/* SPDX-License-Identifier: GPL-2.0-only */
/* dirty.h - how much of a memory object may be written and not returned. */
#ifndef _MACHVM_DIRTY_H
#define _MACHVM_DIRTY_H

#include "types.h"

bool machvm_dirty_may(struct machvm_object *object, struct folio *folio);
bool machvm_dirty_clean(struct machvm_memobj *memobj);

#endif /* _MACHVM_DIRTY_H */
