/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pager.h - the rooms of the pager: channel.c speaks netlink, pager.c keeps pagers and objects,
 * serve.c runs callbacks, reply.c answers.
 *
 * DOC: locking
 *
 * One lock a pager, machvm_pager.lock.  It guards the pager's socket, its table of objects and
 * its queues, and is held across a send to the kernel, which never waits, and never across a
 * callback.  The registry lock of pager.c, which guards the way from a control port to its
 * object, is taken last.  Letters below: (c) constant once published, (a) atomic, (p) pager
 * lock, (r) registry lock.
 *
 * DOC: order
 *
 * All threads of a pager read one socket, so messages are seen in the order they were sent.  What
 * an object may begin goes to the pager's ready list; the rest waits in the object: init, copy and
 * terminate begin when nothing of the object runs, and nothing begins beside them.
 */
#ifndef MACHVM_PAGER_INTERNAL_H
#define MACHVM_PAGER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "internal.h"

#define MV_PAGER_BUCKETS 1024

struct nl_sock;
struct nl_msg;

/**
 * struct mv_message - one message of the kernel, unpacked; absent attributes are 0
 * @next: in a queue (p)
 * @object: for whom; holds a reference (p)
 * @id: number of the object in the message
 * @command: MACHVM_CMD_*
 *
 * All but @next is the handler's alone.
 */
struct mv_message {
	struct mv_message *next;
	struct mv_object *object;
	uint64_t id;
	uint64_t offset;
	uint64_t length;
	uint64_t error_offset;
	uint32_t epoch;
	uint32_t access;
	uint32_t page_size;
	uint32_t dirty;
	uint32_t kernel_copy;
	uint32_t result;
	uint32_t may_cache;
	uint32_t copy_strategy;
	uint64_t new_object;
	uint8_t command;
};

struct mv_queue {
	struct mv_message *head;
	struct mv_message *tail;
};

/**
 * struct mv_channel - a generic netlink socket (p)
 */
struct mv_channel {
	struct nl_sock *sock;
	int fd;
	int family;
	uint32_t sequence;	/* of the last message sent */
};

/**
 * struct mv_object - a memory object that a pager of this process serves
 */
struct mv_object {
	struct mv_object *next_by_id;		/* (p) */
	struct mv_object *next_by_control;	/* (r) */
	struct machvm_pager *pager;		/* (c) */
	void *cookie;				/* (c) once bound, or created */
	uint64_t id;				/* (c) once bound */
	bool mortal;				/* (c) terminate is its end: the kernel's own, or a copy */
	int control;				/* (c) closed with the last reference */
	atomic_int references;			/* (a) table, messages, replies under way */
	atomic_uint epoch;			/* (a) of the newest message */
	atomic_bool forgotten;			/* (a) given up: nothing begins any more */
	struct mv_queue parked;			/* (p) may not begin yet */
	unsigned int running;			/* (p) on the ready list or in a callback */
	bool alone;				/* (p) what runs is init or terminate */
};

/**
 * struct mv_buffer - where returned pages are handed out; begins at a page
 * @next: while it is spare (p)
 */
struct mv_buffer {
	struct mv_buffer *next;
};

struct machvm_pager {
	struct machvm_pager *next;		/* (r) */
	struct machvm_pager_ops ops;		/* (c) */
	pthread_mutex_t lock;
	pthread_cond_t left;			/* (p) serving became 0 */
	struct mv_channel channel;		/* (p) */
	struct mv_object *objects[MV_PAGER_BUCKETS]; /* (p) by id */
	struct mv_queue ready;			/* (p) may begin */
	bool ready_shown;			/* (p) ready_event is readable */
	unsigned int serving;			/* (p) threads in run or dispatch */
	unsigned int buffers;			/* (p) as many as ever were, if pages come back */
	struct mv_buffer *spare;		/* (p) of these, those that nobody uses */
	int ready_event;			/* (c) readable while ready is not empty */
	int stop_event;				/* (c) readable after stop */
	int epoll;				/* (c) of the socket and both events */
	atomic_bool stopped;			/* (a) */
	atomic_bool orphan;			/* (a) inherited over fork: not ours */
};

/* channel.c: all with the pager's lock held but open and close. */

/* Called for each message that is not the answer to one of ours. */
typedef void mv_channel_sink(struct machvm_pager *pager, const struct mv_message *message);

int mv_channel_open(struct mv_channel *channel);
void mv_channel_close(struct mv_channel *channel);

/* Reads what is there, at most one packet: 1 if there was one, 0 if not, or -errno. */
int mv_channel_receive(struct mv_channel *channel, mv_channel_sink *sink,
		       struct machvm_pager *pager);

/* A message to be filled with attributes, or NULL. */
struct nl_msg *mv_channel_message(struct mv_channel *channel, uint8_t command);

/* Sends @message and frees it; the kernel's answer, a kern_return_t or -errno. */
int mv_channel_ask(struct mv_channel *channel, struct nl_msg *message, mv_channel_sink *sink,
		   struct machvm_pager *pager);

/* pager.c */

/* The object of a control port, with a reference, or NULL. */
struct mv_object *mv_object_get(memory_object_control_t control);
struct mv_object *mv_object_find_locked(struct machvm_pager *pager, uint64_t id);

/* An object of the kernel's that the pager is to serve, or NULL if there is none of that number. */
struct mv_object *mv_object_open_locked(struct machvm_pager *pager, uint64_t id);
void mv_object_put(struct mv_object *object);

/* Ends the service of an object: false if @control is no control port of ours. */
bool mv_object_forget(int control);

/*
 * Takes the copy of that number from the kernel: an object that is known by its control port and
 * not bound yet, with a reference; NULL if there is none to be had.
 */
struct mv_object *mv_object_copied(struct mv_object *source, uint64_t id);

/* Binds it, unless that has been done, or it was given up. */
void mv_object_begin(struct mv_object *object);

/* Objects enter the tables here, with one reference that the tables own. */
void mv_object_publish(struct mv_object *object);

/* reply.c */

/*
 * An ioctl on a control port, whose incarnation goes to *@epoch, in @args, if the pager is in this
 * process.  @object: out: that pager's object with a reference; NULL if it is in another.
 */
kern_return_t mv_control_call(memory_object_control_t control, unsigned long command, void *args,
			      uint32_t *epoch, struct mv_object **object);

/* An outcome comes back as a message, so that the callback finds no lock held. */
void mv_completed(struct mv_object *object, const struct mv_message *message);

/* serve.c */

/* Memory that is needed to keep a message or its pages: waits until there is some. */
void *mv_serve_alloc(size_t size);
void mv_serve_free_buffers(struct machvm_pager *pager);

/* Takes a message in, with the lock held; then show what is ready, before the lock is dropped. */
void mv_serve_enqueue_locked(struct machvm_pager *pager, const struct mv_message *message);
void mv_serve_show_locked(struct machvm_pager *pager);

/* Frees what is in @queue for @object. */
void mv_serve_drop_locked(struct mv_queue *queue, const struct mv_object *object);

/* The epoch that a reply of this thread for @object repeats. */
uint32_t mv_serve_epoch(struct mv_object *object);

#endif /* MACHVM_PAGER_INTERNAL_H */
