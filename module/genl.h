/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/machvm.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_MACHVM_GEN_H
#define _LINUX_MACHVM_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/machvm_netlink.h>

/* Global operation policy for machvm */
extern const struct nla_policy machvm_msg_nl_policy[MACHVM_A_MSG_CLUSTER_SIZE + 1];

/* Ops table for machvm */
extern const struct genl_small_ops machvm_nl_ops[7];

int machvm_nl_ready_doit(struct sk_buff *skb, struct genl_info *info);
int machvm_nl_data_supply_doit(struct sk_buff *skb, struct genl_info *info);
int machvm_nl_data_unavailable_doit(struct sk_buff *skb,
				    struct genl_info *info);
int machvm_nl_data_error_doit(struct sk_buff *skb, struct genl_info *info);
int machvm_nl_lock_request_doit(struct sk_buff *skb, struct genl_info *info);
int machvm_nl_change_attributes_doit(struct sk_buff *skb,
				     struct genl_info *info);
int machvm_nl_destroy_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* _LINUX_MACHVM_GEN_H */
