/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mach/memory_object_types.h - attributes of memory objects by flavors, as OSF's kernels have them.
 *
 * For machvm_pager_change_attributes() and machvm_pager_get_attributes() of <machvm/pager.h>, which
 * say what the fields mean.
 */
#ifndef _MACH_MEMORY_OBJECT_TYPES_H_
#define _MACH_MEMORY_OBJECT_TYPES_H_

#include <mach/boolean.h>
#include <mach/memory_object.h>
#include <mach/vm_types.h>

typedef int memory_object_flavor_t;
typedef int *memory_object_info_t;			/* one of the structures below */
typedef natural_t memory_object_cluster_size_t;		/* bytes */

#define MEMORY_OBJECT_PERFORMANCE_INFO 11
#define MEMORY_OBJECT_ATTRIBUTE_INFO 14
#define MEMORY_OBJECT_BEHAVIOR_INFO 15

struct memory_object_perf_info {
	memory_object_cluster_size_t cluster_size;
	boolean_t may_cache;
};

typedef struct memory_object_perf_info *memory_object_perf_info_t;
typedef struct memory_object_perf_info memory_object_perf_info_data_t;

struct memory_object_attr_info {
	memory_object_copy_strategy_t copy_strategy;
	memory_object_cluster_size_t cluster_size;
	boolean_t may_cache_object;
	boolean_t temporary;
};

typedef struct memory_object_attr_info *memory_object_attr_info_t;
typedef struct memory_object_attr_info memory_object_attr_info_data_t;

struct memory_object_behave_info {
	memory_object_copy_strategy_t copy_strategy;
	boolean_t temporary;
	boolean_t invalidate;
	boolean_t silent_overwrite;
	boolean_t advisory_pageout;
};

typedef struct memory_object_behave_info *memory_object_behave_info_t;
typedef struct memory_object_behave_info memory_object_behave_info_data_t;

/* Sizes, in integers. */
#define MEMORY_OBJECT_PERF_INFO_COUNT                                                         \
	((mach_msg_type_number_t)(sizeof(memory_object_perf_info_data_t) / sizeof(int)))
#define MEMORY_OBJECT_ATTR_INFO_COUNT                                                         \
	((mach_msg_type_number_t)(sizeof(memory_object_attr_info_data_t) / sizeof(int)))
#define MEMORY_OBJECT_BEHAVE_INFO_COUNT                                                       \
	((mach_msg_type_number_t)(sizeof(memory_object_behave_info_data_t) / sizeof(int)))

#endif /* _MACH_MEMORY_OBJECT_TYPES_H_ */
