/* SPDX-License-Identifier: GPL-2.0-only */
/* proxy.h - rights to parts of other memory objects, with less access. */
#ifndef _MACHVM_PROXY_H
#define _MACHVM_PROXY_H

#include "types.h"

#define MACHVM_PROXY_RANGES 1024	/* of one proxy */
#define MACHVM_PROXY_DEPTH 16		/* of proxies on proxies */

/* Bytes [offset, offset + length) of a proxy are those of one of the three, from start on. */
struct machvm_proxy_part {
	u64 offset;
	u64 start;
	u64 length;
	struct machvm_memobj *memobj;	/* a memory object ... */
	struct machvm_proxy *proxy;	/* ... or another proxy ... */
	struct machvm_map *memory;	/* ... or memory of a task: one entry, from byte 0 on */
};

/* All but @refs and @revoked is constant once somebody else knows it. */
struct machvm_proxy {
	refcount_t refs;		/* (a) descriptors, proxies on it, users for a moment */
	bool revoked;			/* (a) no further mapping may be made */
	u8 max_protection;		/* (c) */
	unsigned int depth;		/* (c) levels, this one included */
	struct machvm_user *user;	/* (c) whose objects it counts among */
	struct list_head ending;	/* used by who has dropped the last reference */
	unsigned int nr;		/* (c) */
	struct machvm_proxy_part parts[];
};

struct machvm_proxy *machvm_proxy_alloc(struct machvm_user *user, u8 max_protection,
					unsigned int nr);
struct machvm_proxy *machvm_proxy_get(struct machvm_proxy *proxy);
void machvm_proxy_put(struct machvm_proxy *proxy);
int machvm_proxy_check(struct machvm_proxy *proxy);
int machvm_proxy_take_region(struct machvm_proxy *proxy, struct machvm_map *map, u64 addr,
			     u64 length);
void machvm_proxy_revoke(struct machvm_proxy *proxy);
int machvm_vm_map_proxy(struct machvm_map *map, const struct machvm_vm_map *arg,
			struct machvm_proxy *proxy, u64 *addr);

#endif /* _MACHVM_PROXY_H */
