/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kinc.h - the one list of kernel headers that the pure files (map, object, copy, page, request)
 * may include.  The unit tests put a user-space header of the same name in front of it.
 */
#ifndef _MACHVM_KINC_H
#define _MACHVM_KINC_H

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/interval_tree_generic.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/rbtree.h>
#include <linux/rbtree_augmented.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "uapi/machvm.h"

#endif /* _MACHVM_KINC_H */
