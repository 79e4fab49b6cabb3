// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * reply.c - what a pager says about its object: pages by ioctl, the rest over the pager's socket.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "../../uapi/machvm_netlink.h"
#include "pager.h"

/**
 * struct reply - attributes of a reply beside object and epoch
 * @first: MACHVM_A_MSG_*, a 64 bit attribute, or 0 for none; so @second
 * @third: a 32 bit attribute, or 0 for none; so @fourth
 */
struct reply {
	uint8_t command;
	int first;
	uint64_t first_value;
	int second;
	uint64_t second_value;
	int third;
	uint32_t third_value;
	int fourth;
	uint32_t fourth_value;
};

static bool reply_pack(struct nl_msg *message, struct mv_object *object, const struct reply *reply)
{
	return nla_put_u64(message, MACHVM_A_MSG_OBJECT, object->id) == 0 &&
	       nla_put_u32(message, MACHVM_A_MSG_EPOCH, mv_serve_epoch(object)) == 0 &&
	       (!reply->first || nla_put_u64(message, reply->first, reply->first_value) == 0) &&
	       (!reply->second || nla_put_u64(message, reply->second, reply->second_value) == 0) &&
	       (!reply->third || nla_put_u32(message, reply->third, reply->third_value) == 0) &&
	       (!reply->fourth || nla_put_u32(message, reply->fourth, reply->fourth_value) == 0);
}

static int reply_send(struct mv_object *object, const struct reply *reply)
{
	struct machvm_pager *pager = object->pager;
	struct nl_msg *message;
	int answer;

	message = mv_channel_message(&pager->channel, reply->command);
	if (!message)
		return -ENOMEM;
	if (!reply_pack(message, object, reply)) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	pthread_mutex_lock(&pager->lock);
	answer = mv_channel_ask(&pager->channel, message, mv_serve_enqueue_locked, pager);
	mv_serve_show_locked(pager);
	pthread_mutex_unlock(&pager->lock);
	return answer;
}

static kern_return_t reply_to(memory_object_control_t control, const struct reply *reply)
{
	struct mv_object *object = mv_object_get(control);
	int answer;

	if (!object)
		return KERN_INVALID_ARGUMENT;
	answer = reply_send(object, reply);
	mv_object_put(object);
	mv_device_trouble = 0;
	return answer >= 0 ? answer : mv_errno_to_kern(-answer);
}

kern_return_t memory_object_ready(memory_object_control_t control, boolean_t may_cache_object,
				  memory_object_copy_strategy_t copy_strategy)
{
	const struct reply reply = {
		.command = MACHVM_CMD_READY,
		.third = MACHVM_A_MSG_MAY_CACHE,
		.third_value = !!may_cache_object,
		.fourth = MACHVM_A_MSG_COPY_STRATEGY,
		.fourth_value = (uint32_t)copy_strategy,
	};

	return reply_to(control, &reply);
}

kern_return_t memory_object_data_unavailable(memory_object_control_t control, vm_offset_t offset,
					     vm_size_t size)
{
	const struct reply reply = {
		.command = MACHVM_CMD_DATA_UNAVAILABLE,
		.first = MACHVM_A_MSG_OFFSET,
		.first_value = offset,
		.second = MACHVM_A_MSG_LENGTH,
		.second_value = size,
	};

	return reply_to(control, &reply);
}

kern_return_t memory_object_data_error(memory_object_control_t control, vm_offset_t offset,
				       vm_size_t size, kern_return_t error_value)
{
	const struct reply reply = {
		.command = MACHVM_CMD_DATA_ERROR,
		.first = MACHVM_A_MSG_OFFSET,
		.first_value = offset,
		.second = MACHVM_A_MSG_LENGTH,
		.second_value = size,
		.third = MACHVM_A_MSG_ERROR,
		.third_value = (uint32_t)error_value,
	};

	return reply_to(control, &reply);
}

kern_return_t mv_control_call(memory_object_control_t control, unsigned long command, void *args,
			      uint32_t *epoch, struct mv_object **object)
{
	*object = NULL;
	if (!mv_port_is_fd(control))
		return KERN_INVALID_ARGUMENT;
	*object = mv_object_get(control);
	if (*object)
		*epoch = mv_serve_epoch(*object);
	return mv_port_call((int)control, command, args);
}

kern_return_t memory_object_lock_request(memory_object_control_t control, vm_offset_t offset,
					 vm_size_t size, memory_object_return_t should_return,
					 boolean_t should_flush, vm_prot_t lock_value,
					 mach_port_t reply)
{
	struct machvm_lock_request args = {
		.size = sizeof(args),
		.offset = offset,
		.length = size,
		.should_return = (uint32_t)should_return,
		.should_flush = !!should_flush,
		.lock_value = (uint32_t)lock_value,
		.reply = reply != MACH_PORT_NULL,
	};
	struct mv_object *object;
	kern_return_t result;

	result = mv_control_call(control, MACHVM_LOCK_REQUEST, &args, &args.epoch, &object);
	if (object)
		mv_object_put(object);
	return result;
}

void mv_completed(struct mv_object *object, const struct mv_message *message)
{
	struct machvm_pager *pager = object->pager;

	pthread_mutex_lock(&pager->lock);
	mv_serve_enqueue_locked(pager, message);
	mv_serve_show_locked(pager);
	pthread_mutex_unlock(&pager->lock);
}

static kern_return_t destroy(memory_object_control_t control, kern_return_t reason, bool flush)
{
	struct machvm_object_destroy args = {
		.size = sizeof(args),
		.reason = reason,
		.flush = flush,
	};
	struct mv_object *object;
	kern_return_t result;

	result = mv_control_call(control, MACHVM_OBJECT_DESTROY, &args, &args.epoch, &object);
	if (object)
		mv_object_put(object);
	return result;
}

kern_return_t memory_object_destroy(memory_object_control_t control, kern_return_t reason)
{
	return destroy(control, reason, false);
}

kern_return_t machvm_pager_retire(memory_object_control_t control, kern_return_t reason)
{
	return destroy(control, reason, true);
}

static void supply_completed(struct mv_object *object, const struct machvm_data_supply *args,
			     kern_return_t result)
{
	const struct mv_message message = {
		.command = MACHVM_CMD_SUPPLY_COMPLETED,
		.id = object->id,
		.epoch = args->epoch,
		.offset = args->offset,
		.length = args->length,
		.result = (uint32_t)result,
		.error_offset = result == KERN_SUCCESS ? 0 : args->out_error_offset,
	};

	mv_completed(object, &message);
}

kern_return_t memory_object_data_supply(memory_object_control_t control, vm_offset_t offset,
					vm_offset_t data, vm_size_t data_count,
					vm_prot_t lock_value, boolean_t precious, mach_port_t reply)
{
	struct machvm_data_supply args = {
		.size = sizeof(args),
		.offset = offset,
		.length = data_count,
		.address = data,
		.lock_value = (uint32_t)lock_value,
		.precious = !!precious,
	};
	struct mv_object *object;
	kern_return_t result;

	result = mv_control_call(control, MACHVM_DATA_SUPPLY, &args, &args.epoch, &object);
	if (!object)
		return result;	/* a control port that this process only uses to supply */
	if (reply != MACH_PORT_NULL &&
	    (result == KERN_SUCCESS || result == KERN_MEMORY_PRESENT))
		supply_completed(object, &args, result);
	mv_object_put(object);
	return result;
}
