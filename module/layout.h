/* SPDX-License-Identifier: GPL-2.0-only */
/* layout.h - what Linux maps for a map; the rest of it is in pmap.h. */
#ifndef _MACHVM_LAYOUT_H
#define _MACHVM_LAYOUT_H

#include "types.h"

int machvm_layout_first(struct machvm_map *map);
void machvm_layout_split(struct machvm_map *map, u64 start, u64 end);
void machvm_layout_mapped(struct machvm_map *map);

#endif /* _MACHVM_LAYOUT_H */
