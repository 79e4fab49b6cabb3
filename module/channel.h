/* SPDX-License-Identifier: GPL-2.0-only */
/* channel.h - the generic netlink family: binding sockets, sending, receiving. */
#ifndef _MACHVM_CHANNEL_H
#define _MACHVM_CHANNEL_H

#include <net/genetlink.h>
#include "types.h"

extern struct genl_family machvm_nl_family;

int machvm_channel_bind(struct machvm_memobj *memobj, int socket_fd, u32 window, u32 *epoch);
int machvm_channel_init(void);
void machvm_channel_exit(void);

#endif /* _MACHVM_CHANNEL_H */
