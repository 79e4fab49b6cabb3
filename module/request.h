/* SPDX-License-Identifier: GPL-2.0-only */
/* request.h - questions to pagers. */
#ifndef _MACHVM_REQUEST_H
#define _MACHVM_REQUEST_H

#include "types.h"

/* The request that a message is, or NULL: then nobody waits for its answer. */
static inline struct machvm_request *machvm_request_of(struct machvm_msg *msg)
{
	if (msg->type != MACHVM_MSG_DATA_REQUEST && msg->type != MACHVM_MSG_DATA_UNLOCK)
		return NULL;
	return container_of(msg, struct machvm_request, msg);
}

struct machvm_request *machvm_request_create(struct machvm_memobj *memobj, u64 index, u32 access,
					     struct folio *folio);
struct machvm_request *machvm_request_create_unlock(struct machvm_memobj *memobj, u64 index,
						    u32 access);
void machvm_request_get(struct machvm_request *request);
bool machvm_request_tryget(struct machvm_request *request);
void machvm_request_put(struct machvm_request *request);
bool machvm_request_done(struct machvm_request *request);
int machvm_request_post(struct machvm_request *request);
void machvm_request_open_gate_locked(struct machvm_port *port, struct machvm_memobj *memobj,
				     bool all);
void machvm_request_settle(struct machvm_request *request, int result, int error);
void machvm_request_wake(struct machvm_request *request);
void machvm_request_finish(struct machvm_request *request, int result, int error);
struct folio *machvm_request_take_folio(struct machvm_request *request);
void machvm_request_park_folio(struct machvm_request *request, struct folio *folio);

#endif /* _MACHVM_REQUEST_H */
