// SPDX-License-Identifier: GPL-2.0-only
/*
 * nl_out.c - messages to pagers: which socket, composing, sending.
 * Callers: whoever queued a message or gave credit back calls machvm_port_pump().
 * Never: waits for a socket; sends page contents.
 * Locks: bind_lock (mutex) before memobj->lock; bindings_lock, a leaf; none is held while a message
 * is sent.
 */
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/workqueue.h>
#include <net/netlink.h>
#include <net/sock.h>
#include "absence.h"
#include "channel.h"
#include "memobj.h"
#include "port.h"
#include "request.h"
#include "trace.h"
#include "uapi/machvm_netlink.h"

#define RETRY_MS 10	/* a full socket tells nobody when it is read: look again */
#define PUMP_MAX 64	/* messages that one task sends, whosever they are */

static DEFINE_SPINLOCK(bindings_lock);
static DEFINE_MUTEX(bind_lock);		/* one bind at a time, so a socket has one binding a port */
static LIST_HEAD(bindings);		/* all of them; each entry is a reference */
struct workqueue_struct *machvm_queue;

static int put_range(struct sk_buff *skb, const struct machvm_msg *msg)
{
	return nla_put_u64_64bit(skb, MACHVM_A_MSG_OFFSET, msg->offset, MACHVM_A_MSG_PAD) ?:
	       nla_put_u64_64bit(skb, MACHVM_A_MSG_LENGTH, msg->length, MACHVM_A_MSG_PAD);
}

static int put_body(struct sk_buff *skb, const struct machvm_msg *msg)
{
	switch (msg->type) {
	case MACHVM_MSG_INIT:
		return nla_put_u32(skb, MACHVM_A_MSG_PAGE_SIZE, PAGE_SIZE);
	case MACHVM_MSG_CREATE:
		return nla_put_u64_64bit(skb, MACHVM_A_MSG_LENGTH, msg->length,
					 MACHVM_A_MSG_PAD) ?:
		       nla_put_u32(skb, MACHVM_A_MSG_PAGE_SIZE, PAGE_SIZE);
	case MACHVM_MSG_DATA_INITIALIZE:
		return put_range(skb, msg);
	case MACHVM_MSG_DATA_REQUEST:
	case MACHVM_MSG_DATA_UNLOCK:
		return put_range(skb, msg) ?: nla_put_u32(skb, MACHVM_A_MSG_ACCESS, msg->access);
	case MACHVM_MSG_DATA_RETURN:
		return put_range(skb, msg) ?: nla_put_u32(skb, MACHVM_A_MSG_DIRTY, msg->access) ?:
		       nla_put_u32(skb, MACHVM_A_MSG_KERNEL_COPY, msg->kernel_copy);
	case MACHVM_MSG_LOCK_COMPLETED:
		return put_range(skb, msg) ?: nla_put_u32(skb, MACHVM_A_MSG_RESULT, msg->access);
	case MACHVM_MSG_COPY:
		return put_range(skb, msg) ?:
		       nla_put_u64_64bit(skb, MACHVM_A_MSG_NEW_OBJECT, msg->new_object,
					 MACHVM_A_MSG_PAD);
	default:
		return 0;
	}
}

static u8 command_of(u8 type)
{
	switch (type) {
	case MACHVM_MSG_INIT:
		return MACHVM_CMD_INIT;
	case MACHVM_MSG_DATA_REQUEST:
		return MACHVM_CMD_DATA_REQUEST;
	case MACHVM_MSG_DATA_RETURN:
		return MACHVM_CMD_DATA_RETURN;
	case MACHVM_MSG_DATA_UNLOCK:
		return MACHVM_CMD_DATA_UNLOCK;
	case MACHVM_MSG_LOCK_COMPLETED:
		return MACHVM_CMD_LOCK_COMPLETED;
	case MACHVM_MSG_COPY:
		return MACHVM_CMD_COPY;
	case MACHVM_MSG_CREATE:
		return MACHVM_CMD_CREATE;
	case MACHVM_MSG_DATA_INITIALIZE:
		return MACHVM_CMD_DATA_INITIALIZE;
	default:
		return MACHVM_CMD_TERMINATE;
	}
}

/*
 * Without reclaim: all who have queued something meanwhile rely on this task to go on.  From the
 * reserve: what is sent may make room.
 */
static struct sk_buff *compose(const struct machvm_msg *msg)
{
	struct sk_buff *skb = genlmsg_new(160, GFP_ATOMIC | __GFP_NOWARN);
	void *head;

	if (!skb)
		return NULL;
	head = genlmsg_put(skb, 0, 0, &machvm_nl_family, 0, command_of(msg->type));
	if (!head ||
	    nla_put_u64_64bit(skb, MACHVM_A_MSG_OBJECT, msg->memobj->id, MACHVM_A_MSG_PAD) ||
	    nla_put_u32(skb, MACHVM_A_MSG_EPOCH, msg->epoch) ||
	    nla_put_u32(skb, MACHVM_A_MSG_SEQUENCE, msg->sequence) || put_body(skb, msg)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, head);
	return skb;
}

static bool has_range(u8 type)
{
	return type != MACHVM_MSG_INIT && type != MACHVM_MSG_CREATE &&
	       type != MACHVM_MSG_TERMINATE;
}

static void trace_sending(const struct machvm_msg *msg)
{
	struct machvm_spoken said = {
		.name = machvm_message_name(command_of(msg->type)),
		.sequence = msg->sequence,
		.epoch = msg->epoch,
		.kernel_copy = msg->kernel_copy,
	};

	if (msg->type == MACHVM_MSG_CREATE)
		said.length = msg->length;
	else if (msg->type == MACHVM_MSG_DATA_RETURN)
		said.dirty = msg->access;
	else if (msg->type == MACHVM_MSG_LOCK_COMPLETED)
		said.result = msg->access;
	else
		said.access = msg->access;
	if (has_range(msg->type)) {
		said.offset = msg->offset;
		said.length = msg->length;
	}
	trace_machvm_message_sent(msg->memobj, &said);
}

/* Once it is out it may be answered at once, so it is traced before. */
static int send_one(const struct machvm_sending *sending)
{
	const struct machvm_msg *msg = &sending->copy;
	struct sk_buff *skb = compose(msg);
	int err = -ENOMEM;

	if (trace_machvm_message_sent_enabled())
		trace_sending(msg);
	if (skb)
		err = genlmsg_unicast(sending->via->net, skb, sending->via->portid);
	if (err)
		trace_machvm_message_unsent(msg->memobj, machvm_message_name(command_of(msg->type)),
					    msg->offset, msg->length, err);
	return err;
}

/* Pumps again from a worker, at the latest after @ms. */
static void pump_later(struct machvm_port *port, unsigned int ms)
{
	bool pending;

	machvm_port_get(port);
	if (ms)
		pending = !queue_delayed_work(machvm_queue, &port->retry, msecs_to_jiffies(ms));
	else
		pending = mod_delayed_work(machvm_queue, &port->retry, 0);
	if (pending)
		machvm_port_put(port);
}

/**
 * machvm_port_pump - send what there is credit for
 * @port: the queue and its sockets
 *
 * If another task is at it, that one sends what the caller has queued.  No task does more than
 * PUMP_MAX for all the others; what is left then is for a worker.
 *
 * Context: process context, no lock of ours held.  Does not wait: a full socket is tried again
 * after RETRY_MS, or when it answers something.
 */
void machvm_port_pump(struct machvm_port *port)
{
	struct machvm_sending sending;
	unsigned int nr = 0;
	bool failed = false;

	while (nr < PUMP_MAX && machvm_port_next(port, &sending)) {
		int err = send_one(&sending);

		machvm_port_sent(port, &sending, err);
		failed |= err;
		nr++;
	}
	if (failed)
		pump_later(port, RETRY_MS);
	else if (nr == PUMP_MAX)
		pump_later(port, 0);
}

static void retry_work(struct work_struct *work)
{
	struct machvm_port *port = container_of(work, struct machvm_port, retry.work);

	machvm_port_uncongest(port);
	machvm_port_pump(port);
	machvm_port_put(port);
}

static void advance_work(struct work_struct *work)
{
	struct machvm_memobj *memobj = container_of(work, struct machvm_memobj, advance);

	machvm_memobj_advance(memobj);
	machvm_memobj_put(memobj);
}

void machvm_memobj_init_advance(struct machvm_memobj *memobj)
{
	INIT_WORK(&memobj->advance, advance_work);
}

/* For who may not wait for a page: the jobs go on in a thread of the kernel's. */
void machvm_memobj_advance_later(struct machvm_memobj *memobj)
{
	machvm_memobj_get(memobj);
	if (!queue_work(machvm_queue, &memobj->advance))
		machvm_memobj_put(memobj);
}

void machvm_port_init_retry(struct machvm_port *port)
{
	INIT_DELAYED_WORK(&port->retry, retry_work);
}

void machvm_port_release(struct machvm_port *port)
{
	put_pid(port->pid);
}

void machvm_binding_release(struct machvm_binding *binding)
{
	sock_put(binding->sk);
}

/* The port that @sk serves already, with a reference, or NULL. */
static struct machvm_port *port_of_socket(struct sock *sk)
{
	struct machvm_binding *binding;
	struct machvm_port *port = NULL;

	spin_lock(&bindings_lock);
	list_for_each_entry(binding, &bindings, all) {
		if (binding->sk == sk) {
			port = machvm_port_get(binding->port);
			break;
		}
	}
	spin_unlock(&bindings_lock);
	return port;
}

/* The binding of @sk on @port with a reference, or NULL. */
static struct machvm_binding *binding_on(struct machvm_port *port, struct sock *sk)
{
	struct machvm_binding *binding, *found = NULL;

	spin_lock(&port->lock);
	list_for_each_entry(binding, &port->bindings, node) {
		if (binding->sk == sk) {
			refcount_inc(&binding->refs);
			found = binding;
			break;
		}
	}
	spin_unlock(&port->lock);
	return found;
}

/*
 * The address of a socket, or 0 if it has none yet.  After a bind(2) that failed it shows one that
 * is somebody else's: a socket that is bound refuses to be bound anew, and only that one tells us
 * when it closes.
 */
static u32 address_of(struct socket *socket)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK }, address = {};

	if (kernel_getsockname(socket, (struct sockaddr *)&address) < 0 || !address.nl_pid ||
	    kernel_bind(socket, (struct sockaddr *)&any, sizeof(any)) != -EINVAL)
		return 0;
	return address.nl_pid;
}

static struct machvm_binding *binding_new(struct machvm_port *port, struct socket *socket,
					  u32 window)
{
	u32 portid = address_of(socket);
	struct machvm_binding *binding;

	if (!portid)
		return ERR_PTR(-EINVAL);
	sock_hold(socket->sk);
	binding = machvm_binding_create(port, socket->sk, sock_net(socket->sk), portid, window);
	if (!binding) {
		sock_put(socket->sk);
		return ERR_PTR(-ENOMEM);
	}
	binding->tgid = task_tgid_nr(current);
	spin_lock(&bindings_lock);
	refcount_inc(&binding->refs);
	list_add(&binding->all, &bindings);
	spin_unlock(&bindings_lock);
	return binding;
}

bool machvm_port_serves_current(void)
{
	struct machvm_binding *binding;
	bool serves = false;

	spin_lock(&bindings_lock);
	list_for_each_entry(binding, &bindings, all) {
		serves = binding->tgid == task_tgid_nr(current);
		if (serves)
			break;
	}
	spin_unlock(&bindings_lock);
	return serves;
}

/*
 * The port through which @memobj is to be served by a socket that serves none yet: its own, unless
 * a pager that is gone has left it there with other objects, which are not the newcomer's.
 */
static struct machvm_port *port_for(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_port_get(machvm_memobj_lock_port(memobj));
	bool left = machvm_port_absent_locked(port) && port->nr_objects > 1;

	machvm_memobj_unlock_port(port);
	if (!left)
		return port;
	machvm_port_put(port);
	return machvm_port_create(memobj->user);
}

/* Who binds the first socket is who a port is served by. */
static void note_pid(struct machvm_port *port)
{
	struct pid *old, *new = get_task_pid(current, PIDTYPE_TGID);

	spin_lock(&port->lock);
	old = list_is_singular(&port->bindings) ? port->pid : new;
	if (old != new)
		port->pid = new;
	spin_unlock(&port->lock);
	put_pid(old);
}

/*
 * Finds or makes the binding of @socket through which @memobj is to be served: on the port that
 * the socket serves already, or on one of the object's own.
 */
static struct machvm_binding *bind_socket(struct machvm_memobj *memobj, struct socket *socket,
					  u32 window)
{
	struct machvm_port *port = port_of_socket(socket->sk) ?: port_for(memobj);
	struct machvm_binding *binding;
	int err;

	if (!port)
		return ERR_PTR(-ENOMEM);
	err = machvm_memobj_join(memobj, port);
	if (err) {
		machvm_port_put(port);
		return ERR_PTR(err);
	}
	binding = binding_on(port, socket->sk) ?: binding_new(port, socket, window);
	if (!IS_ERR(binding))
		note_pid(port);
	machvm_port_put(port);
	return binding;
}

/**
 * machvm_channel_bind - serve a memory object through a netlink socket
 * @memobj: the object
 * @socket_fd: a generic netlink socket
 * @window: requests that may be unanswered, 0 for the default
 * @epoch: out: number of the binding
 *
 * Return: 0, -EBADF (no such socket), -EINVAL (window, or a socket without an address), -EBUSY
 * (other sockets serve the object on another port), -ENOMEM.
 */
int machvm_channel_bind(struct machvm_memobj *memobj, int socket_fd, u32 window, u32 *epoch)
{
	struct machvm_binding *binding;
	struct machvm_port *port;
	struct socket *socket;
	int err;

	if (window > MACHVM_WINDOW_MAX)
		return -EINVAL;
	socket = sockfd_lookup(socket_fd, &err);
	if (!socket)
		return -EBADF;
	if (socket->sk->sk_family != AF_NETLINK || socket->sk->sk_protocol != NETLINK_GENERIC) {
		sockfd_put(socket);
		return -EBADF;
	}
	mutex_lock(&bind_lock);
	binding = bind_socket(memobj, socket, window);
	mutex_unlock(&bind_lock);
	sockfd_put(socket);
	if (IS_ERR(binding))
		return PTR_ERR(binding);
	*epoch = binding->epoch;
	port = machvm_memobj_lock_port(memobj);
	machvm_memobj_bound_locked(memobj);
	machvm_memobj_unlock_port(port);
	machvm_memobj_advance(memobj);
	machvm_binding_put(binding);
	return 0;
}

/**
 * machvm_channel_adopt - let an object that nobody serves be served by whoever serves @port
 * @memobj: the object
 * @port: whose sockets are to serve it
 *
 * Unless it is, by them or by somebody else.  What waits for an answer is asked of them.
 */
void machvm_channel_adopt(struct machvm_memobj *memobj, struct machvm_port *port)
{
	struct machvm_port *now;
	int err;

	if (READ_ONCE(memobj->port) == port)
		return;
	mutex_lock(&bind_lock);
	err = machvm_memobj_join(memobj, port);
	mutex_unlock(&bind_lock);
	if (err)
		return;
	now = machvm_memobj_lock_port(memobj);
	machvm_memobj_bound_locked(memobj);
	machvm_memobj_unlock_port(now);
	machvm_memobj_advance(memobj);
}

/* Takes the next binding that @match picks off the table, with the table's reference. */
static struct machvm_binding *take_binding(bool (*match)(struct machvm_binding *, void *),
					   void *arg)
{
	struct machvm_binding *binding;

	spin_lock(&bindings_lock);
	list_for_each_entry(binding, &bindings, all) {
		if (match(binding, arg)) {
			list_del_init(&binding->all);
			spin_unlock(&bindings_lock);
			return binding;
		}
	}
	spin_unlock(&bindings_lock);
	return NULL;
}

static void close_bindings(bool (*match)(struct machvm_binding *, void *), void *arg)
{
	struct machvm_binding *binding;

	while ((binding = take_binding(match, arg))) {
		machvm_binding_close(binding);
		machvm_binding_put(binding);
	}
}

/*
 * The address alone does not tell a socket: once it is out of the table another may have taken it,
 * before this notice of its end.  One that is dead is the one.
 */
static bool is_dead_one(struct machvm_binding *binding, void *arg)
{
	struct netlink_notify *notice = arg;

	return binding->portid == notice->portid && net_eq(binding->net, notice->net) &&
	       sock_flag(binding->sk, SOCK_DEAD);
}

static int netlink_event(struct notifier_block *block, unsigned long event, void *arg)
{
	struct netlink_notify *notice = arg;

	if (event == NETLINK_URELEASE && notice->protocol == NETLINK_GENERIC)
		close_bindings(is_dead_one, notice);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_notifier = {
	.notifier_call = netlink_event,
};

static bool is_any(struct machvm_binding *binding, void *arg)
{
	return true;
}

int machvm_queue_init(void)
{
	/* Pages that are to go do so by its works. */
	machvm_queue = alloc_workqueue("machvm", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return machvm_queue ? 0 : -ENOMEM;
}

void machvm_queue_exit(void)
{
	destroy_workqueue(machvm_queue);
}

int machvm_channel_init(void)
{
	int err = netlink_register_notifier(&netlink_notifier);

	if (err)
		return err;
	err = genl_register_family(&machvm_nl_family);
	if (err)
		netlink_unregister_notifier(&netlink_notifier);
	return err;
}

/* A retry holds its port, and its timer is nothing that a workqueue waits for. */
static void end_retries(void)
{
	struct machvm_port *port;
	u64 id;

	for (id = 0; (port = machvm_port_first(id)); id++) {
		id = port->id;
		flush_delayed_work(&port->retry);
		machvm_port_put(port);
	}
}

/*
 * No object is left but those of banks; sockets may still be bound, and stay open.  Whoever waits
 * for an answer, as the banks' worker may, goes on without one.
 */
void machvm_channel_exit(void)
{
	genl_unregister_family(&machvm_nl_family);
	netlink_unregister_notifier(&netlink_notifier);
	flush_workqueue(machvm_queue);	/* jobs of the last objects */
	close_bindings(is_any, NULL);
	end_retries();
}
