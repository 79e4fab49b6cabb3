// SPDX-License-Identifier: GPL-2.0-only
/*
 * nl_in.c - what pagers say over netlink: who is it, may it, then one verb of memobj.c.
 * Callers: generic netlink, after the policy in genl.c has checked each attribute.
 * Never: touches user memory or waits: it runs under a lock of the whole machine's netlink.
 * Locks: port->lock to find the binding.
 */
#include <net/genetlink.h>
#include "bank.h"
#include "channel.h"
#include "genl.h"
#include "lock.h"
#include "memobj.h"
#include "request.h"
#include "trace.h"
#include "uapi/machvm_netlink.h"

/* The errno for a kern_return_t; the message that acknowledges carries no more. */
static int errno_of(int kr)
{
	switch (kr) {
	case MACHVM_KERN_SUCCESS:
		return 0;
	case MACHVM_KERN_INVALID_ARGUMENT:
		return -EINVAL;
	case MACHVM_KERN_MEMORY_PRESENT:
		return -EEXIST;
	case MACHVM_KERN_RESOURCE_SHORTAGE:
		return -ENOMEM;
	default:
		return -ENXIO;	/* MEMORY_ERROR: not mapped, or not ready */
	}
}

/* The name of a message, as the specification has it; those of both directions. */
const char *machvm_message_name(u8 command)
{
	static const char *const names[] = {
		[MACHVM_CMD_INIT] = "init",
		[MACHVM_CMD_DATA_REQUEST] = "data_request",
		[MACHVM_CMD_DATA_RETURN] = "data_return",
		[MACHVM_CMD_TERMINATE] = "terminate",
		[MACHVM_CMD_READY] = "ready",
		[MACHVM_CMD_DATA_SUPPLY] = "data_supply",
		[MACHVM_CMD_SUPPLY_COMPLETED] = "supply_completed",
		[MACHVM_CMD_DATA_UNAVAILABLE] = "data_unavailable",
		[MACHVM_CMD_DATA_ERROR] = "data_error",
		[MACHVM_CMD_DATA_UNLOCK] = "data_unlock",
		[MACHVM_CMD_LOCK_REQUEST] = "lock_request",
		[MACHVM_CMD_LOCK_COMPLETED] = "lock_completed",
		[MACHVM_CMD_CHANGE_ATTRIBUTES] = "change_attributes",
		[MACHVM_CMD_CHANGE_COMPLETED] = "change_completed",
		[MACHVM_CMD_DESTROY] = "destroy",
		[MACHVM_CMD_COPY] = "copy",
		[MACHVM_CMD_CREATE] = "create",
		[MACHVM_CMD_DATA_INITIALIZE] = "data_initialize",
	};

	return command < ARRAY_SIZE(names) && names[command] ? names[command] : "?";
}

/* Only a socket that is bound to the object may answer, and only for that binding. */
static int check_sender(struct machvm_memobj *memobj, struct sock *sk, u32 epoch)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	struct machvm_binding *binding;
	int err = -EPERM;

	list_for_each_entry(binding, &port->bindings, node) {
		if (binding->sk == sk) {
			err = binding->epoch == epoch ? 0 : -ESTALE;
			break;
		}
	}
	machvm_memobj_unlock_port(port);
	return err;
}

static u32 u32_of(struct genl_info *info, int attribute, u32 otherwise)
{
	return info->attrs[attribute] ? nla_get_u32(info->attrs[attribute]) : otherwise;
}

static u64 u64_of(struct genl_info *info, int attribute)
{
	return info->attrs[attribute] ? nla_get_u64(info->attrs[attribute]) : 0;
}

static void trace_heard(struct machvm_memobj *memobj, struct genl_info *info)
{
	bool locks = info->genlhdr->cmd == MACHVM_CMD_LOCK_REQUEST;
	struct nlattr *error = info->attrs[MACHVM_A_MSG_ERROR];
	struct nlattr *data = info->attrs[MACHVM_A_MSG_DATA];

	trace_machvm_reply_received(memobj, &(struct machvm_spoken){
		.name = machvm_message_name(info->genlhdr->cmd),
		.epoch = u32_of(info, MACHVM_A_MSG_EPOCH, 0),
		.offset = u64_of(info, MACHVM_A_MSG_OFFSET),
		.length = data ? nla_len(data) : u64_of(info, MACHVM_A_MSG_LENGTH),
		.lock_value = u32_of(info, MACHVM_A_MSG_LOCK_VALUE,
				     locks ? MACHVM_PROT_NO_CHANGE : 0),
		.precious = nla_get_flag(info->attrs[MACHVM_A_MSG_PRECIOUS]),
		.reply = nla_get_flag(info->attrs[MACHVM_A_MSG_REPLY]),
		.should_return = u32_of(info, MACHVM_A_MSG_SHOULD_RETURN, 0),
		.should_flush = nla_get_flag(info->attrs[MACHVM_A_MSG_SHOULD_FLUSH]),
		.may_cache = u32_of(info, MACHVM_A_MSG_MAY_CACHE, 0),
		.copy_strategy = u32_of(info, MACHVM_A_MSG_COPY_STRATEGY, 0),
		.cluster_size = u64_of(info, MACHVM_A_MSG_CLUSTER_SIZE),
		.error = error ? nla_get_s32(error) : 0,
	});
}

/* The object that a message is about, with a reference, if its sender may answer for it. */
static struct machvm_memobj *memobj_of(struct sk_buff *skb, struct genl_info *info)
{
	struct machvm_memobj *memobj;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_OBJECT) ||
	    GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_EPOCH))
		return ERR_PTR(-EINVAL);
	memobj = machvm_memobj_find(nla_get_u64(info->attrs[MACHVM_A_MSG_OBJECT]));
	if (!memobj) {
		NL_SET_BAD_ATTR(info->extack, info->attrs[MACHVM_A_MSG_OBJECT]);
		return ERR_PTR(-ENOENT);
	}
	err = check_sender(memobj, NETLINK_CB(skb).sk,
			   nla_get_u32(info->attrs[MACHVM_A_MSG_EPOCH]));
	if (err) {
		if (err == -EPERM)
			GENL_SET_ERR_MSG(info, "socket is not bound to the object");
		else
			GENL_SET_ERR_MSG(info, "epoch is not this binding's");
		machvm_memobj_put(memobj);
		return ERR_PTR(err);
	}
	if (trace_machvm_reply_received_enabled())
		trace_heard(memobj, info);
	return memobj;
}

/* Every answer ends here: it may have given credit back. */
static int answered(struct machvm_memobj *memobj, const char *what, u64 offset, u64 length, int kr)
{
	if (kr)
		trace_machvm_reply_refused(memobj, what, offset, length, kr);
	machvm_memobj_pump(memobj);
	machvm_memobj_put(memobj);
	return errno_of(kr);
}

/* The object, as memobj_of(), and the attributes that it is to have. */
static struct machvm_memobj *attributes_of(struct sk_buff *skb, struct genl_info *info,
					   struct machvm_attributes *out)
{
	struct nlattr *cluster = info->attrs[MACHVM_A_MSG_CLUSTER_SIZE];

	if (GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_MAY_CACHE) ||
	    GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_COPY_STRATEGY))
		return ERR_PTR(-EINVAL);
	out->may_cache = nla_get_u32(info->attrs[MACHVM_A_MSG_MAY_CACHE]);
	out->copy_strategy = nla_get_u32(info->attrs[MACHVM_A_MSG_COPY_STRATEGY]);
	out->cluster_size = cluster ? nla_get_u64(cluster) : 0;
	return memobj_of(skb, info);
}

int machvm_nl_ready_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct machvm_attributes wanted = {};
	struct machvm_memobj *memobj = attributes_of(skb, info, &wanted);
	int kr;

	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	kr = machvm_memobj_ready(memobj, wanted.may_cache, wanted.copy_strategy);
	if (memobj->bank)
		machvm_bank_kick();
	return answered(memobj, "ready", 0, 0, kr);
}

/* Tells the attributes that hold now. */
static int change_completed(struct genl_info *info, struct machvm_memobj *memobj)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	struct machvm_attributes now = {};
	void *head;

	if (!skb)
		return -ENOMEM;
	machvm_memobj_attributes(memobj, &now);
	head = genlmsg_put_reply(skb, info, &machvm_nl_family, 0, MACHVM_CMD_CHANGE_COMPLETED);
	if (!head ||
	    nla_put_u64_64bit(skb, MACHVM_A_MSG_OBJECT, memobj->id, MACHVM_A_MSG_PAD) ||
	    nla_put_u32(skb, MACHVM_A_MSG_EPOCH, nla_get_u32(info->attrs[MACHVM_A_MSG_EPOCH])) ||
	    nla_put_u32(skb, MACHVM_A_MSG_MAY_CACHE, now.may_cache) ||
	    nla_put_u32(skb, MACHVM_A_MSG_COPY_STRATEGY, now.copy_strategy) ||
	    nla_put_u64_64bit(skb, MACHVM_A_MSG_CLUSTER_SIZE, now.cluster_size,
			      MACHVM_A_MSG_PAD)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	trace_machvm_message_sent(memobj, &(struct machvm_spoken){
		.name = "change_completed",
		.epoch = nla_get_u32(info->attrs[MACHVM_A_MSG_EPOCH]),
		.may_cache = now.may_cache,
		.copy_strategy = now.copy_strategy,
		.cluster_size = now.cluster_size,
	});
	return genlmsg_reply(skb, info);
}

/* What is only cached ends in a thread of our own: its pages may be many. */
int machvm_nl_change_attributes_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct machvm_attributes wanted = {};
	struct machvm_memobj *memobj = attributes_of(skb, info, &wanted);
	int kr, err = 0;

	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	kr = machvm_memobj_change(memobj, wanted.may_cache, wanted.copy_strategy,
				  wanted.cluster_size);
	if (!kr && nla_get_flag(info->attrs[MACHVM_A_MSG_REPLY]))
		err = change_completed(info, memobj);
	if (!kr)
		machvm_memobj_advance_later(memobj);
	return answered(memobj, "change_attributes", 0, 0, kr) ?: err;
}

static int range_of(struct genl_info *info, u64 *offset, u64 *length)
{
	if (GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_OFFSET) ||
	    GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_LENGTH))
		return -EINVAL;
	*offset = nla_get_u64(info->attrs[MACHVM_A_MSG_OFFSET]);
	*length = nla_get_u64(info->attrs[MACHVM_A_MSG_LENGTH]);
	return 0;
}

int machvm_nl_data_unavailable_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct machvm_memobj *memobj;
	u64 offset, length;

	if (range_of(info, &offset, &length))
		return -EINVAL;
	memobj = memobj_of(skb, info);
	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	return answered(memobj, "data_unavailable", offset, length,
			machvm_memobj_unavailable(memobj, offset, length));
}

int machvm_nl_data_error_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct machvm_memobj *memobj;
	u64 offset, length;

	if (range_of(info, &offset, &length) || GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_ERROR))
		return -EINVAL;
	memobj = memobj_of(skb, info);
	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	return answered(memobj, "data_error", offset, length,
			machvm_memobj_error(memobj, offset, length,
					    nla_get_s32(info->attrs[MACHVM_A_MSG_ERROR])));
}

/* What there is to be done is done by a thread of our own. */
int machvm_nl_destroy_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct machvm_memobj *memobj;
	int kr;

	if (GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_ERROR))
		return -EINVAL;
	memobj = memobj_of(skb, info);
	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	kr = machvm_memobj_destroy(memobj, nla_get_s32(info->attrs[MACHVM_A_MSG_ERROR]),
				   nla_get_flag(info->attrs[MACHVM_A_MSG_SHOULD_FLUSH]));
	if (!kr)
		machvm_memobj_advance_later(memobj);
	return answered(memobj, "destroy", 0, 0, kr);
}

/* Only puts it in the queue: zapping and waiting for locks are for a thread of our own. */
int machvm_nl_lock_request_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct machvm_lock_order order = {
		.should_return = u32_of(info, MACHVM_A_MSG_SHOULD_RETURN, MACHVM_RETURN_NONE),
		.flush = nla_get_flag(info->attrs[MACHVM_A_MSG_SHOULD_FLUSH]),
		.locks = u32_of(info, MACHVM_A_MSG_LOCK_VALUE, MACHVM_PROT_NO_CHANGE),
		.reply = nla_get_flag(info->attrs[MACHVM_A_MSG_REPLY]),
	};
	struct machvm_memobj *memobj;
	int kr;

	if (range_of(info, &order.offset, &order.length))
		return -EINVAL;
	memobj = memobj_of(skb, info);
	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	kr = machvm_job_start(memobj, &order, NULL);
	if (!kr)
		machvm_memobj_advance_later(memobj);
	return answered(memobj, "lock_request", order.offset, order.length, kr);
}

#define INLINE_PAGES_MAX 15

/* What became of an inline supply: the whole, and each page. */
struct inline_supply {
	u64 offset;
	u64 error_offset;
	u32 locks;
	bool precious;
	unsigned int nr;
	int kr;
	u8 status[INLINE_PAGES_MAX];
};

static int supply_page(struct machvm_memobj *memobj, const struct inline_supply *all, u64 offset,
		       const void *data)
{
	struct machvm_supply supply;
	int kr = machvm_memobj_supply_begin(memobj, offset, &supply);

	if (kr)
		return kr;
	memcpy(folio_address(supply.folio), data, PAGE_SIZE);
	return machvm_memobj_supply_end(&supply, all->locks, all->precious);
}

/* Every page is tried; the answer is the first one's that was refused. */
static void supply_pages(struct machvm_memobj *memobj, struct inline_supply *all,
			 const void *data)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		u64 offset = all->offset + i * PAGE_SIZE;
		int kr = supply_page(memobj, all, offset, data + i * PAGE_SIZE);

		all->status[i] = kr;
		if (kr && !all->kr) {
			all->kr = kr;
			all->error_offset = offset;
		}
	}
}

static int supply_completed(struct genl_info *info, struct machvm_memobj *memobj,
			    const struct inline_supply *all)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *head;

	if (!skb)
		return -ENOMEM;
	head = genlmsg_put_reply(skb, info, &machvm_nl_family, 0, MACHVM_CMD_SUPPLY_COMPLETED);
	if (!head ||
	    nla_put_u64_64bit(skb, MACHVM_A_MSG_OBJECT, memobj->id, MACHVM_A_MSG_PAD) ||
	    nla_put_u32(skb, MACHVM_A_MSG_EPOCH, nla_get_u32(info->attrs[MACHVM_A_MSG_EPOCH])) ||
	    nla_put_u64_64bit(skb, MACHVM_A_MSG_OFFSET, all->offset, MACHVM_A_MSG_PAD) ||
	    nla_put_u64_64bit(skb, MACHVM_A_MSG_LENGTH, (u64)all->nr << PAGE_SHIFT,
			      MACHVM_A_MSG_PAD) ||
	    nla_put_u32(skb, MACHVM_A_MSG_RESULT, all->kr) ||
	    nla_put_u64_64bit(skb, MACHVM_A_MSG_ERROR_OFFSET, all->error_offset,
			      MACHVM_A_MSG_PAD) ||
	    nla_put(skb, MACHVM_A_MSG_STATUS, all->nr, all->status)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	trace_machvm_message_sent(memobj, &(struct machvm_spoken){
		.name = "supply_completed",
		.epoch = nla_get_u32(info->attrs[MACHVM_A_MSG_EPOCH]),
		.offset = all->offset,
		.length = (u64)all->nr << PAGE_SHIFT,
		.result = all->kr,
		.error_offset = all->error_offset,
	});
	return genlmsg_reply(skb, info);
}

static int supply_check(struct genl_info *info, struct inline_supply *all)
{
	struct nlattr *data = info->attrs[MACHVM_A_MSG_DATA];
	u64 last;

	all->offset = nla_get_u64(info->attrs[MACHVM_A_MSG_OFFSET]);
	all->nr = nla_len(data) >> PAGE_SHIFT;
	if (nla_len(data) % PAGE_SIZE || !all->nr || all->nr > INLINE_PAGES_MAX) {
		NL_SET_BAD_ATTR(info->extack, data);
		return -EINVAL;
	}
	if (!PAGE_ALIGNED(all->offset) ||
	    check_add_overflow(all->offset, (u64)nla_len(data) - 1, &last)) {
		NL_SET_BAD_ATTR(info->extack, info->attrs[MACHVM_A_MSG_OFFSET]);
		return -EINVAL;
	}
	all->locks = u32_of(info, MACHVM_A_MSG_LOCK_VALUE, 0);
	if (all->locks & ~MACHVM_PROT_ALL) {
		NL_SET_BAD_ATTR(info->extack, info->attrs[MACHVM_A_MSG_LOCK_VALUE]);
		return -EINVAL;
	}
	all->precious = nla_get_flag(info->attrs[MACHVM_A_MSG_PRECIOUS]);
	return 0;
}

int machvm_nl_data_supply_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct inline_supply all = {};
	struct machvm_memobj *memobj;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_OFFSET) ||
	    GENL_REQ_ATTR_CHECK(info, MACHVM_A_MSG_DATA))
		return -EINVAL;
	err = supply_check(info, &all);
	if (err)
		return err;
	memobj = memobj_of(skb, info);
	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	supply_pages(memobj, &all, nla_data(info->attrs[MACHVM_A_MSG_DATA]));
	err = 0;
	if (nla_get_flag(info->attrs[MACHVM_A_MSG_REPLY]))
		err = supply_completed(info, memobj, &all);
	return answered(memobj, "data_supply", all.offset, (u64)all.nr << PAGE_SHIFT, all.kr) ?:
	       err;
}

struct genl_family machvm_nl_family __ro_after_init = {
	.name = MACHVM_FAMILY_NAME,
	.version = MACHVM_FAMILY_VERSION,
	.maxattr = ARRAY_SIZE(machvm_msg_nl_policy) - 1,
	.policy = machvm_msg_nl_policy,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.small_ops = machvm_nl_ops,
	.n_small_ops = ARRAY_SIZE(machvm_nl_ops),
	.resv_start_op = MACHVM_CMD_INIT,
};
