/* SPDX-License-Identifier: GPL-2.0-only */
/* request.h - questions to pagers, and the ports that queue them. */
#ifndef _MACHVM_REQUEST_H
#define _MACHVM_REQUEST_H

#include "types.h"

#define MACHVM_WINDOW_DEFAULT 64
#define MACHVM_WINDOW_MAX 1024

/* What machvm_port_next() hands to the sender: a copy of the message, and whom to tell. */
struct machvm_sending {
	struct machvm_msg copy;
	struct machvm_msg *msg;		/* NULL if it needs no answer */
	struct machvm_binding *via;
};

struct machvm_request *machvm_request_create(struct machvm_memobj *memobj, u64 index, u32 access,
					     struct folio *folio);
void machvm_request_get(struct machvm_request *request);
bool machvm_request_tryget(struct machvm_request *request);
void machvm_request_put(struct machvm_request *request);
bool machvm_request_done(struct machvm_request *request);
int machvm_request_post(struct machvm_request *request);
void machvm_request_settle(struct machvm_request *request, int result, int error);
void machvm_request_wake(struct machvm_request *request);
void machvm_request_finish(struct machvm_request *request, int result, int error);
struct folio *machvm_request_take_folio(struct machvm_request *request);
void machvm_request_park_folio(struct machvm_request *request, struct folio *folio);
void machvm_request_cancel_all(struct machvm_port *port, struct machvm_memobj *memobj, int result);

struct machvm_port *machvm_port_create(struct machvm_user *user);
struct machvm_port *machvm_port_get(struct machvm_port *port);
void machvm_port_put(struct machvm_port *port);
struct machvm_port *machvm_port_first(u64 id);
void machvm_port_queue_locked(struct machvm_port *port, struct machvm_msg *msg);
void machvm_port_unlist_locked(struct machvm_port *port, struct machvm_msg *msg);
bool machvm_port_next(struct machvm_port *port, struct machvm_sending *sending);
void machvm_port_sent(struct machvm_port *port, struct machvm_sending *sending, int err);
void machvm_port_uncongest(struct machvm_port *port);
u64 machvm_port_oldest_locked(struct machvm_port *port, struct machvm_memobj *memobj,
			      unsigned long *nr);

struct machvm_binding *machvm_binding_create(struct machvm_port *port, struct sock *sk,
					     struct net *net, u32 portid, unsigned int window);
void machvm_binding_put(struct machvm_binding *binding);
void machvm_binding_close(struct machvm_binding *binding);

/* nl_out.c */
void machvm_port_init_retry(struct machvm_port *port);
void machvm_port_release(struct machvm_port *port);
void machvm_binding_release(struct machvm_binding *binding);

#endif /* _MACHVM_REQUEST_H */
