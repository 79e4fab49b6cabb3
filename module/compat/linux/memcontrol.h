/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether memory cgroups pay for pages of the kernel: since 6.10 wherever there are any. */
#ifndef _MACHVM_COMPAT_MEMCONTROL_H
#define _MACHVM_COMPAT_MEMCONTROL_H

#include_next <linux/memcontrol.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define MACHVM_HAS_OBJCG IS_ENABLED(CONFIG_MEMCG_KMEM)
#else
#define MACHVM_HAS_OBJCG IS_ENABLED(CONFIG_MEMCG)
#endif

#endif /* _MACHVM_COMPAT_MEMCONTROL_H */
