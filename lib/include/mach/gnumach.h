/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/gnumach.h - the calls that GNU Mach has added to Mach's.
 */
#ifndef _MACH_GNUMACH_H_
#define _MACH_GNUMACH_H_

#include <mach/mach_types.h>
#include <mach/vm_cache_statistics.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vm_cache_statistics() - resident pages by kind
 * @target_task: mach_task_self(), or any task descriptor: the counters are everyone's
 * @vm_cache_stats: out: see struct vm_cache_statistics
 *
 * Return: KERN_SUCCESS.
 */
kern_return_t vm_cache_statistics(vm_task_t target_task,
				  vm_cache_statistics_data_t *vm_cache_stats);

#ifdef __cplusplus
}
#endif

#endif /* _MACH_GNUMACH_H_ */
