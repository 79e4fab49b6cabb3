// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * statistics.c - the counters, as narrow as Mach made them.
 */
#include <limits.h>

#include "internal.h"

/* A level stops at the top, for a wrong but large number does less harm than a negative one. */
static integer_t statistics_level(uint64_t value)
{
	return value > INT_MAX ? INT_MAX : (integer_t)value;
}

/* A count of events wraps, so that the difference of two readings is right. */
static integer_t statistics_count(uint64_t value)
{
	return (integer_t)(uint32_t)value;
}

kern_return_t vm_statistics(task_t target_task, vm_statistics_data_t *vm_stats)
{
	struct machvm_vm_statistics args = { .size = sizeof(args) };
	kern_return_t result = mv_task_check(target_task);

	if (result == KERN_SUCCESS)
		result = mv_device_call(MACHVM_VM_STATISTICS, &args);
	if (result != KERN_SUCCESS)
		return result;
	*vm_stats = (vm_statistics_data_t){
		.pagesize = statistics_level(args.out_pagesize),
		.free_count = statistics_level(args.out_free_count),
		.active_count = statistics_level(args.out_active_count),
		.inactive_count = statistics_level(args.out_inactive_count),
		.wire_count = statistics_level(args.out_wire_count),
		.zero_fill_count = statistics_count(args.out_zero_fill_count),
		.reactivations = statistics_count(args.out_reactivations),
		.pageins = statistics_count(args.out_pageins),
		.pageouts = statistics_count(args.out_pageouts),
		.faults = statistics_count(args.out_faults),
		.cow_faults = statistics_count(args.out_cow_faults),
		.lookups = statistics_count(args.out_lookups),
		.hits = statistics_count(args.out_hits),
	};
	return KERN_SUCCESS;
}

kern_return_t vm_cache_statistics(vm_task_t target_task,
				  vm_cache_statistics_data_t *vm_cache_stats)
{
	struct machvm_vm_cache_statistics args = { .size = sizeof(args) };
	kern_return_t result = mv_task_check(target_task);

	if (result == KERN_SUCCESS)
		result = mv_device_call(MACHVM_VM_CACHE_STATISTICS, &args);
	if (result != KERN_SUCCESS)
		return result;
	*vm_cache_stats = (vm_cache_statistics_data_t){
		.cache_object_count = statistics_level(args.out_cache_object_count),
		.cache_count = statistics_level(args.out_cache_count),
		.active_tmp_count = statistics_level(args.out_active_tmp_count),
		.inactive_tmp_count = statistics_level(args.out_inactive_tmp_count),
		.active_perm_count = statistics_level(args.out_active_perm_count),
		.inactive_perm_count = statistics_level(args.out_inactive_perm_count),
		.dirty_count = statistics_level(args.out_dirty_count),
		.laundry_count = statistics_level(args.out_laundry_count),
		.writeback_count = statistics_level(args.out_writeback_count),
		.slab_count = statistics_level(args.out_slab_count),
		.slab_reclaim_count = statistics_level(args.out_slab_reclaim_count),
	};
	return KERN_SUCCESS;
}

kern_return_t machvm_task_memory(task_t task, struct machvm_task_memory *memory)
{
	struct machvm_task_info args = { .size = sizeof(args) };
	kern_return_t result;

	if (!mv_port_task(task, &args.task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_TASK_INFO, &args);
	if (result == KERN_NO_SPACE)
		result = KERN_SUCCESS;	/* who has no memory yet has none */
	if (result != KERN_SUCCESS)
		return result;
	*memory = (struct machvm_task_memory){
		.virtual_size = args.out_virtual_size,
		.resident_size = args.out_resident_size,
		.faults = args.out_faults,
		.zero_fills = args.out_zero_fills,
		.reactivations = args.out_reactivations,
		.pageins = args.out_pageins,
		.cow_faults = args.out_cow_faults,
	};
	return KERN_SUCCESS;
}
