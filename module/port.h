/* SPDX-License-Identifier: GPL-2.0-only */
/* port.h - the queues that pagers serve, and the sockets that do. */
#ifndef _MACHVM_PORT_H
#define _MACHVM_PORT_H

#include "types.h"

#define MACHVM_WINDOW_DEFAULT 64
#define MACHVM_WINDOW_MAX 1024

/* What machvm_port_next() hands to the sender: a copy of the message, and whom to tell. */
struct machvm_sending {
	struct machvm_msg copy;
	struct machvm_msg *msg;
	struct machvm_request *request;	/* that it is, referenced, or NULL */
	struct machvm_job *job;		/* so too: one that is done */
	struct machvm_memobj *copied;	/* so too: the copy that it is about */
	struct machvm_binding *via;
};

struct machvm_port *machvm_port_create(struct machvm_user *user);
struct machvm_port *machvm_port_get(struct machvm_port *port);
void machvm_port_put(struct machvm_port *port);
struct machvm_port *machvm_port_first(u64 id);
bool machvm_port_absent_locked(struct machvm_port *port);
void machvm_port_queue_locked(struct machvm_port *port, struct machvm_msg *msg);
void machvm_port_unlist_locked(struct machvm_port *port, struct machvm_msg *msg);
bool machvm_port_next(struct machvm_port *port, struct machvm_sending *sending);
void machvm_port_sent(struct machvm_port *port, struct machvm_sending *sending, int err);
void machvm_port_drop_notices(struct machvm_port *port, struct machvm_memobj *memobj);
void machvm_port_uncongest(struct machvm_port *port);

struct machvm_binding *machvm_binding_create(struct machvm_port *port, struct sock *sk,
					     struct net *net, u32 portid, unsigned int window);
void machvm_binding_put(struct machvm_binding *binding);
void machvm_binding_close(struct machvm_binding *binding);

/* nl_out.c: sends what there is credit for.  No lock held. */
void machvm_port_pump(struct machvm_port *port);
void machvm_port_init_retry(struct machvm_port *port);
void machvm_port_release(struct machvm_port *port);
void machvm_binding_release(struct machvm_binding *binding);

/* nl_out.c: true for a thread of a process that has bound a socket which is still there. */
bool machvm_port_serves_current(void);

#endif /* _MACHVM_PORT_H */
