/* SPDX-License-Identifier: GPL-2.0-only */
/* channel.h - the generic netlink family: binding sockets, sending, receiving. */
#ifndef _MACHVM_CHANNEL_H
#define _MACHVM_CHANNEL_H

#include <net/genetlink.h>
#include "types.h"

extern struct genl_family machvm_nl_family;

#define MACHVM_SPOKEN_NAME 24

/* What one side says to the other, for who listens in: see trace.h. */
struct machvm_spoken {
	const char *name;
	u64 offset, length;
	u64 error_offset;
	u64 cluster_size;
	u32 epoch, sequence;
	u32 access;
	u32 lock_value;
	u32 should_return;
	u32 copy_strategy;
	s32 result;
	s32 error;
	bool dirty, kernel_copy, precious, reply, should_flush, may_cache;
};

const char *machvm_message_name(u8 command);
int machvm_channel_bind(struct machvm_memobj *memobj, int socket_fd, u32 window, u32 *epoch);
void machvm_channel_adopt(struct machvm_memobj *memobj, struct machvm_port *port);
int machvm_queue_init(void);
void machvm_queue_exit(void);
int machvm_channel_init(void);
void machvm_channel_exit(void);

#endif /* _MACHVM_CHANNEL_H */
