/* SPDX-License-Identifier: GPL-2.0-only */
/* What of 6.12's <linux/list_lru.h> has another name in 6.1's: items that are slab objects. */
#ifndef _MACHVM_COMPAT_LIST_LRU_H
#define _MACHVM_COMPAT_LIST_LRU_H

#include_next <linux/list_lru.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define list_lru_add_obj list_lru_add
#define list_lru_del_obj list_lru_del
#endif

#endif /* _MACHVM_COMPAT_LIST_LRU_H */
