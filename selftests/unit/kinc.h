/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kinc.h - takes the place of module/kinc.h when the pure files are built in user space.
 *
 * The guard is the same and the compiler is told to include this file first, so the module's own
 * kinc.h comes out empty.  Every <linux/...> header that the kernel's lists, trees and arrays ask
 * for leads here too, see the Makefile; these few are the kernel's own, from linux-source.
 */
#ifndef _MACHVM_KINC_H
#define _MACHVM_KINC_H

#include "fake/base.h"
#include "fake/atomic.h"
#include "fake/lock.h"
#include "fake/alloc.h"
#include "fake/rcu.h"

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/rbtree_augmented.h>
#include <linux/interval_tree_generic.h>
#include <linux/xarray.h>

/* Points passed and steps along lists, for tests of how work grows. */
extern unsigned long fake_steps;
#undef list_for_each_entry
#define list_for_each_entry(pos, head, member)					\
	for (pos = list_first_entry(head, typeof(*pos), member);		\
	     fake_steps++, !list_entry_is_head(pos, head, member);		\
	     pos = list_next_entry(pos, member))

#include "fake/wait.h"
#include "fake/page.h"
#include "fake/fake.h"

#include "uapi/machvm.h"

/* Tracepoints do nothing; trace-nop.h has one line for each that the sources call. */
#define _MACHVM_TRACE_H
static inline void trace_nop(int nothing, ...)
{
}
#include "trace-nop.h"

#endif /* _MACHVM_KINC_H */
