// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/machvm.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl.h"

#include <uapi/machvm_netlink.h>

/* Global operation policy for machvm */
const struct nla_policy machvm_msg_nl_policy[MACHVM_A_MSG_CLUSTER_SIZE + 1] = {
	[MACHVM_A_MSG_OBJECT] = { .type = NLA_U64, },
	[MACHVM_A_MSG_EPOCH] = NLA_POLICY_MIN(NLA_U32, 1),
	[MACHVM_A_MSG_OFFSET] = { .type = NLA_U64, },
	[MACHVM_A_MSG_LENGTH] = { .type = NLA_U64, },
	[MACHVM_A_MSG_MAY_CACHE] = NLA_POLICY_MAX(NLA_U32, 1),
	[MACHVM_A_MSG_COPY_STRATEGY] = NLA_POLICY_MAX(NLA_U32, 4),
	[MACHVM_A_MSG_DATA] = { .type = NLA_BINARY, },
	[MACHVM_A_MSG_LOCK_VALUE] = NLA_POLICY_MAX(NLA_U32, 8),
	[MACHVM_A_MSG_PRECIOUS] = { .type = NLA_FLAG, },
	[MACHVM_A_MSG_REPLY] = { .type = NLA_FLAG, },
	[MACHVM_A_MSG_ERROR] = { .type = NLA_S32, },
	[MACHVM_A_MSG_SHOULD_RETURN] = { .type = NLA_U32, },
	[MACHVM_A_MSG_SHOULD_FLUSH] = { .type = NLA_FLAG, },
	[MACHVM_A_MSG_CLUSTER_SIZE] = { .type = NLA_U64, },
};

/* Ops table for machvm */
const struct genl_small_ops machvm_nl_ops[7] = {
	{
		.cmd	= MACHVM_CMD_READY,
		.doit	= machvm_nl_ready_doit,
	},
	{
		.cmd	= MACHVM_CMD_DATA_SUPPLY,
		.doit	= machvm_nl_data_supply_doit,
	},
	{
		.cmd	= MACHVM_CMD_DATA_UNAVAILABLE,
		.doit	= machvm_nl_data_unavailable_doit,
	},
	{
		.cmd	= MACHVM_CMD_DATA_ERROR,
		.doit	= machvm_nl_data_error_doit,
	},
	{
		.cmd	= MACHVM_CMD_LOCK_REQUEST,
		.doit	= machvm_nl_lock_request_doit,
	},
	{
		.cmd	= MACHVM_CMD_CHANGE_ATTRIBUTES,
		.doit	= machvm_nl_change_attributes_doit,
	},
	{
		.cmd	= MACHVM_CMD_DESTROY,
		.doit	= machvm_nl_destroy_doit,
	},
};
