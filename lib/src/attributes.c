// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * attributes.c - how an object is kept, copied and asked for: GNU Mach's calls, and OSF's flavors.
 */
#include "../../uapi/machvm_netlink.h"
#include "pager.h"

/* @reply of a pager of this process is told of the new attributes. */
static kern_return_t attributes_set(memory_object_control_t control,
				    struct machvm_attributes *args, mach_port_t reply)
{
	struct mv_object *object;
	kern_return_t result;

	args->size = sizeof(*args);
	result = mv_control_call(control, MACHVM_SET_ATTRIBUTES, args, &args->epoch, &object);
	if (!object)
		return result;
	if (result == KERN_SUCCESS && reply != MACH_PORT_NULL) {
		const struct mv_message message = {
			.command = MACHVM_CMD_CHANGE_COMPLETED,
			.id = object->id,
			.epoch = args->epoch,
			.may_cache = args->may_cache,
			.copy_strategy = args->copy_strategy,
		};

		mv_completed(object, &message);
	}
	mv_object_put(object);
	return result;
}

kern_return_t memory_object_change_attributes(memory_object_control_t control,
					      boolean_t may_cache_object,
					      memory_object_copy_strategy_t copy_strategy,
					      mach_port_t reply)
{
	struct machvm_attributes args = {
		.may_cache = !!may_cache_object,
		.copy_strategy = (uint32_t)copy_strategy,
	};

	return attributes_set(control, &args, reply);
}

static kern_return_t attributes_get(memory_object_control_t control,
				    struct machvm_attributes *args)
{
	*args = (struct machvm_attributes){ .size = sizeof(*args) };
	if (!mv_port_is_fd(control))
		return KERN_INVALID_ARGUMENT;
	return mv_port_call((int)control, MACHVM_GET_ATTRIBUTES, args);
}

kern_return_t memory_object_get_attributes(memory_object_control_t control,
					   boolean_t *object_ready, boolean_t *may_cache_object,
					   memory_object_copy_strategy_t *copy_strategy)
{
	struct machvm_attributes args;
	kern_return_t result = attributes_get(control, &args);

	if (result != KERN_SUCCESS)
		return result;
	*object_ready = !!args.out_ready;
	*may_cache_object = !!args.may_cache;
	*copy_strategy = (memory_object_copy_strategy_t)args.copy_strategy;
	return KERN_SUCCESS;
}

kern_return_t machvm_pager_cluster_size(memory_object_control_t control, vm_size_t size)
{
	struct machvm_attributes args = {
		.set = MACHVM_ATTRIBUTE_CLUSTER_SIZE, .cluster_size = size,
	};

	return attributes_set(control, &args, MACH_PORT_NULL);
}

kern_return_t machvm_pager_dirty_limit(memory_object_control_t control, vm_size_t size)
{
	struct machvm_attributes args = {
		.set = MACHVM_ATTRIBUTE_DIRTY_LIMIT, .dirty_limit = size,
	};

	return attributes_set(control, &args, MACH_PORT_NULL);
}

/* A value of &enum machvm_attribute that is a truth. */
static uint32_t behavior(boolean_t holds, enum machvm_attribute attribute)
{
	return holds ? attribute : 0;
}

static void performance_in(const struct memory_object_perf_info *info,
			   struct machvm_attributes *args)
{
	args->set = MACHVM_ATTRIBUTE_CLUSTER_SIZE | MACHVM_ATTRIBUTE_MAY_CACHE;
	args->cluster_size = info->cluster_size;
	args->may_cache = !!info->may_cache;
}

static void attributes_in(const struct memory_object_attr_info *info,
			  struct machvm_attributes *args)
{
	args->set = MACHVM_ATTRIBUTE_COPY_STRATEGY | MACHVM_ATTRIBUTE_CLUSTER_SIZE |
		    MACHVM_ATTRIBUTE_MAY_CACHE | MACHVM_ATTRIBUTE_TEMPORARY;
	args->copy_strategy = (uint32_t)info->copy_strategy;
	args->cluster_size = info->cluster_size;
	args->may_cache = !!info->may_cache_object;
	args->behavior = behavior(info->temporary, MACHVM_ATTRIBUTE_TEMPORARY);
}

static void behavior_in(const struct memory_object_behave_info *info,
			struct machvm_attributes *args)
{
	args->set = MACHVM_ATTRIBUTE_COPY_STRATEGY | MACHVM_BEHAVIORS;
	args->copy_strategy = (uint32_t)info->copy_strategy;
	args->behavior = behavior(info->temporary, MACHVM_ATTRIBUTE_TEMPORARY) |
			 behavior(info->invalidate, MACHVM_ATTRIBUTE_INVALIDATE) |
			 behavior(info->silent_overwrite, MACHVM_ATTRIBUTE_SILENT_OVERWRITE);
}

/* The copy strategy TEMPORARY says both, so it does not contradict itself. */
static void make_consistent(struct machvm_attributes *args)
{
	if (args->set & MACHVM_ATTRIBUTE_COPY_STRATEGY &&
	    args->copy_strategy == MACHVM_COPY_TEMPORARY)
		args->behavior |= MACHVM_ATTRIBUTE_TEMPORARY;
}

kern_return_t machvm_pager_change_attributes(memory_object_control_t control,
					     memory_object_flavor_t flavor,
					     memory_object_info_t attributes,
					     mach_msg_type_number_t count, mach_port_t reply)
{
	struct machvm_attributes args = { 0 };

	if (flavor == MEMORY_OBJECT_PERFORMANCE_INFO && count == MEMORY_OBJECT_PERF_INFO_COUNT)
		performance_in((memory_object_perf_info_t)attributes, &args);
	else if (flavor == MEMORY_OBJECT_ATTRIBUTE_INFO && count == MEMORY_OBJECT_ATTR_INFO_COUNT)
		attributes_in((memory_object_attr_info_t)attributes, &args);
	else if (flavor == MEMORY_OBJECT_BEHAVIOR_INFO &&
		 count == MEMORY_OBJECT_BEHAVE_INFO_COUNT &&
		 !((memory_object_behave_info_t)attributes)->advisory_pageout)
		behavior_in((memory_object_behave_info_t)attributes, &args);
	else
		return KERN_INVALID_ARGUMENT;
	make_consistent(&args);
	return attributes_set(control, &args, reply);
}

/* How many integers a flavor has, 0 if there is no such one. */
static mach_msg_type_number_t flavor_count(memory_object_flavor_t flavor)
{
	switch (flavor) {
	case MEMORY_OBJECT_PERFORMANCE_INFO:
		return MEMORY_OBJECT_PERF_INFO_COUNT;
	case MEMORY_OBJECT_ATTRIBUTE_INFO:
		return MEMORY_OBJECT_ATTR_INFO_COUNT;
	case MEMORY_OBJECT_BEHAVIOR_INFO:
		return MEMORY_OBJECT_BEHAVE_INFO_COUNT;
	default:
		return 0;
	}
}

static void flavor_out(const struct machvm_attributes *args, memory_object_flavor_t flavor,
		       memory_object_info_t attributes)
{
	if (flavor == MEMORY_OBJECT_PERFORMANCE_INFO)
		*(memory_object_perf_info_t)attributes = (struct memory_object_perf_info){
			.cluster_size = (memory_object_cluster_size_t)args->cluster_size,
			.may_cache = !!args->may_cache,
		};
	else if (flavor == MEMORY_OBJECT_ATTRIBUTE_INFO)
		*(memory_object_attr_info_t)attributes = (struct memory_object_attr_info){
			.copy_strategy = (memory_object_copy_strategy_t)args->copy_strategy,
			.cluster_size = (memory_object_cluster_size_t)args->cluster_size,
			.may_cache_object = !!args->may_cache,
			.temporary = !!(args->behavior & MACHVM_ATTRIBUTE_TEMPORARY),
		};
	else
		*(memory_object_behave_info_t)attributes = (struct memory_object_behave_info){
			.copy_strategy = (memory_object_copy_strategy_t)args->copy_strategy,
			.temporary = !!(args->behavior & MACHVM_ATTRIBUTE_TEMPORARY),
			.invalidate = !!(args->behavior & MACHVM_ATTRIBUTE_INVALIDATE),
			.silent_overwrite =
				!!(args->behavior & MACHVM_ATTRIBUTE_SILENT_OVERWRITE),
		};
}

kern_return_t machvm_pager_get_attributes(memory_object_control_t control,
					  memory_object_flavor_t flavor,
					  memory_object_info_t attributes,
					  mach_msg_type_number_t *count)
{
	mach_msg_type_number_t needed = flavor_count(flavor);
	struct machvm_attributes args;
	kern_return_t result;

	if (!needed || *count < needed)
		return KERN_INVALID_ARGUMENT;
	result = attributes_get(control, &args);
	if (result != KERN_SUCCESS)
		return result;
	flavor_out(&args, flavor, attributes);
	*count = needed;
	return KERN_SUCCESS;
}
