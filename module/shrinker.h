/* SPDX-License-Identifier: GPL-2.0-only */
/* shrinker.h - pages for Linux, when it is short of memory. */
#ifndef _MACHVM_SHRINKER_H
#define _MACHVM_SHRINKER_H

int machvm_shrinker_init(void);
void machvm_shrinker_exit(void);

#endif /* _MACHVM_SHRINKER_H */
