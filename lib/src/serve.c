// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * serve.c - from a message to its callback, by any number of threads.
 *
 * See DOC: order in pager.h for what may run beside what.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "../../uapi/machvm_netlink.h"
#include "pager.h"

/* Returned pages are handed out in pieces of at most this many bytes. */
#define RETURN_PIECE (1u << 20)

/* The message whose callback this thread is in. */
static _Thread_local const struct mv_message *current;

static void pause_briefly(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	nanosleep(&pause, NULL);
}

void *mv_serve_alloc(size_t size)
{
	void *memory;

	/* Dropping a message would leave a program waiting for ever. */
	while (posix_memalign(&memory, size < vm_page_size ? sizeof(void *) : vm_page_size, size))
		pause_briefly();
	return memory;
}

uint32_t mv_serve_epoch(struct mv_object *object)
{
	if (current && current->object == object && current->epoch)
		return current->epoch;
	return atomic_load(&object->epoch);
}

static void queue_append(struct mv_queue *queue, struct mv_message *message)
{
	message->next = NULL;
	if (queue->head)
		queue->tail->next = message;
	else
		queue->head = message;
	queue->tail = message;
}

static struct mv_message *queue_take(struct mv_queue *queue)
{
	struct mv_message *message = queue->head;

	if (message)
		queue->head = message->next;
	return message;
}

void mv_serve_drop_locked(struct mv_queue *queue, const struct mv_object *object)
{
	struct mv_queue kept = { 0 };
	struct mv_message *message;

	while ((message = queue_take(queue))) {
		if (message->object != object) {
			queue_append(&kept, message);
			continue;
		}
		mv_object_put(message->object);
		free(message);
	}
	*queue = kept;
}

static bool message_runs_alone(const struct mv_message *message)
{
	return message->command == MACHVM_CMD_INIT || message->command == MACHVM_CMD_COPY ||
	       message->command == MACHVM_CMD_TERMINATE || message->command == MACHVM_CMD_CREATE;
}

/* Moves what may begin from the object to the pager's ready list. */
static void object_advance_locked(struct mv_object *object)
{
	while (object->parked.head && !object->alone) {
		bool alone = message_runs_alone(object->parked.head);

		if (alone && object->running)
			break;
		object->alone = alone;
		object->running++;
		queue_append(&object->pager->ready, queue_take(&object->parked));
	}
}

static void enqueue_for_locked(struct mv_object *object, const struct mv_message *message)
{
	struct mv_message *kept;

	kept = mv_serve_alloc(sizeof(*kept));
	*kept = *message;
	kept->object = object;
	atomic_fetch_add(&object->references, 1);
	if (message->epoch)
		atomic_store(&object->epoch, message->epoch);
	queue_append(&object->parked, kept);
	object_advance_locked(object);
}

/*
 * A message about an object that is not ours: one that we have given up in the meantime, or one of
 * the kernel's own, for whose default memory manager we are set.
 */
static struct mv_object *take_over_locked(struct machvm_pager *pager,
					  const struct mv_message *message)
{
	struct mv_message create = {
		.id = message->id, .epoch = message->epoch, .command = MACHVM_CMD_CREATE,
		.page_size = vm_page_size,
	};
	struct mv_object *object;

	if (!pager->ops.create || message->command == MACHVM_CMD_TERMINATE)
		return NULL;
	object = mv_object_open_locked(pager, message->id);
	if (object && message->command != MACHVM_CMD_CREATE)
		enqueue_for_locked(object, &create);	/* another manager was told of it */
	return object;
}

void mv_serve_enqueue_locked(struct machvm_pager *pager, const struct mv_message *message)
{
	struct mv_object *object = mv_object_find_locked(pager, message->id);

	if (!object)
		object = take_over_locked(pager, message);
	if (object)
		enqueue_for_locked(object, message);
}

void mv_serve_show_locked(struct machvm_pager *pager)
{
	bool show = pager->ready.head;
	uint64_t count = 1;

	if (show == pager->ready_shown)
		return;
	if (show)
		(void)!write(pager->ready_event, &count, sizeof(count));
	else
		(void)!read(pager->ready_event, &count, sizeof(count));
	pager->ready_shown = show;
}

static bool has_taker(const struct mv_message *message)
{
	const struct machvm_pager_ops *ops = &message->object->pager->ops;

	return ops->data_return ||
	       (message->command == MACHVM_CMD_DATA_INITIALIZE && ops->data_initialize);
}

static void hand_out(struct mv_message *message, uint64_t offset, uint64_t length, const void *data)
{
	struct mv_object *object = message->object;
	const struct machvm_pager_ops *ops = &object->pager->ops;
	memory_object_control_t control = (memory_object_control_t)object->control;
	bool first = message->command == MACHVM_CMD_DATA_INITIALIZE;

	if (first && ops->data_initialize)
		ops->data_initialize(object->cookie, control, offset, data, length);
	else
		ops->data_return(object->cookie, control, offset, data, length,
				 first || message->dirty, !!message->kernel_copy);
}

/* Reads a piece of returned pages and calls back; false if the kernel has not got it. */
static bool return_piece(struct mv_message *message, uint64_t offset, uint64_t length, void *data)
{
	struct mv_object *object = message->object;
	struct machvm_data_return args = {
		.size = sizeof(args),
		.offset = offset,
		.length = length,
		.address = (uintptr_t)data,
	};

	kern_return_t result;

	while ((result = mv_port_call(object->control, MACHVM_RETURN_READ, &args)) ==
	       KERN_RESOURCE_SHORTAGE)
		pause_briefly();	/* giving up would lose the pages */
	if (result != KERN_SUCCESS)
		return false;
	hand_out(message, offset, length, data);
	return true;
}

/*
 * Pages come back when memory is short, and a pager that must have some to take them would wait
 * for itself: so each thread that serves has its buffer before it begins.
 */
static void buffers_prepare_locked(struct machvm_pager *pager)
{
	if (!pager->ops.data_return && !pager->ops.data_initialize)
		return;
	for (; pager->buffers < pager->serving; pager->buffers++) {
		struct mv_buffer *buffer = mv_serve_alloc(RETURN_PIECE);

		buffer->next = pager->spare;
		pager->spare = buffer;
	}
}

static struct mv_buffer *buffer_take(struct machvm_pager *pager)
{
	struct mv_buffer *buffer;

	pthread_mutex_lock(&pager->lock);
	buffer = pager->spare;
	pager->spare = buffer->next;
	pthread_mutex_unlock(&pager->lock);
	return buffer;
}

static void buffer_give(struct machvm_pager *pager, struct mv_buffer *buffer)
{
	pthread_mutex_lock(&pager->lock);
	buffer->next = pager->spare;
	pager->spare = buffer;
	pthread_mutex_unlock(&pager->lock);
}

void mv_serve_free_buffers(struct machvm_pager *pager)
{
	struct mv_buffer *buffer;

	while ((buffer = pager->spare)) {
		pager->spare = buffer->next;
		free(buffer);
	}
}

static void handle_data_return(struct mv_message *message)
{
	struct mv_object *object = message->object;
	struct machvm_data_return release = {
		.size = sizeof(release),
		.offset = message->offset,
		.length = message->length,
	};

	if (has_taker(message)) {
		struct mv_buffer *buffer = buffer_take(object->pager);
		uint64_t done = 0;

		while (done < message->length && !atomic_load(&object->forgotten)) {
			uint64_t left = message->length - done;
			uint64_t length = left < RETURN_PIECE ? left : RETURN_PIECE;

			if (!return_piece(message, message->offset + done, length, buffer))
				break;
			done += length;
		}
		buffer_give(object->pager, buffer);
	}
	(void)mv_port_call(object->control, MACHVM_RETURN_RELEASE, &release);
}

/* Nothing of the object runs beside it, so the cookie may be set. */
static void handle_create(struct mv_message *message)
{
	struct mv_object *object = message->object;
	memory_object_control_t control = (memory_object_control_t)object->control;

	object->cookie = object->pager->ops.create(control, object->id, message->length,
						   message->page_size);
}

static void handle_init(struct mv_message *message)
{
	struct mv_object *object = message->object;
	memory_object_control_t control = (memory_object_control_t)object->control;

	if (object->pager->ops.init)
		object->pager->ops.init(object->cookie, control, mv_port_name(object->id),
					message->page_size ? message->page_size : vm_page_size);
	else
		(void)memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY);
}

static void handle_data_request(struct mv_message *message)
{
	struct mv_object *object = message->object;
	memory_object_control_t control = (memory_object_control_t)object->control;

	if (object->pager->ops.data_request)
		object->pager->ops.data_request(object->cookie, control, message->offset,
						message->length, (vm_prot_t)message->access);
	else
		(void)memory_object_data_error(control, message->offset, message->length,
					       KERN_FAILURE);
}

static void handle_data_unlock(struct mv_message *message)
{
	struct mv_object *object = message->object;
	memory_object_control_t control = (memory_object_control_t)object->control;

	if (object->pager->ops.data_unlock)
		object->pager->ops.data_unlock(object->cookie, control, message->offset,
					       message->length, (vm_prot_t)message->access);
	else
		(void)memory_object_lock_request(control, message->offset, message->length,
						 MEMORY_OBJECT_RETURN_NONE, FALSE, VM_PROT_NONE,
						 MACH_PORT_NULL);
}

/* What the callback has not adopted itself is served with the cookie of the original. */
static void handle_copy(struct mv_message *message)
{
	struct mv_object *object = message->object;
	struct mv_object *copy = mv_object_copied(object, message->new_object);

	if (!copy)
		return;		/* nobody needs it any more */
	if (object->pager->ops.copy)
		object->pager->ops.copy(object->cookie, (memory_object_control_t)object->control,
					message->offset, message->length,
					(memory_object_t)copy->control);
	else
		(void)mv_object_forget(copy->control);
	mv_object_begin(copy);
	mv_object_put(copy);
}

static void message_handle(struct mv_message *message)
{
	struct mv_object *object = message->object;
	const struct machvm_pager_ops *ops = &object->pager->ops;
	memory_object_control_t control = (memory_object_control_t)object->control;

	switch (message->command) {
	case MACHVM_CMD_INIT:
		handle_init(message);
		break;
	case MACHVM_CMD_DATA_REQUEST:
		handle_data_request(message);
		break;
	case MACHVM_CMD_DATA_UNLOCK:
		handle_data_unlock(message);
		break;
	case MACHVM_CMD_LOCK_COMPLETED:
		if (ops->lock_completed)
			ops->lock_completed(object->cookie, control, message->offset,
					    message->length);
		break;
	case MACHVM_CMD_CREATE:
		handle_create(message);
		break;
	case MACHVM_CMD_DATA_INITIALIZE:
	case MACHVM_CMD_DATA_RETURN:
		handle_data_return(message);
		break;
	case MACHVM_CMD_SUPPLY_COMPLETED:
		if (ops->supply_completed)
			ops->supply_completed(object->cookie, control, message->offset,
					      message->length, (kern_return_t)message->result,
					      message->error_offset);
		break;
	case MACHVM_CMD_CHANGE_COMPLETED:
		if (ops->change_completed)
			ops->change_completed(object->cookie, !!message->may_cache,
					      (memory_object_copy_strategy_t)message->copy_strategy);
		break;
	case MACHVM_CMD_COPY:
		handle_copy(message);
		break;
	case MACHVM_CMD_TERMINATE:
		if (ops->terminate)
			ops->terminate(object->cookie, control);
		/* Nobody can map it again.  If it was given up here, its number may be another's. */
		if (object->mortal && !atomic_load(&object->forgotten))
			mv_object_forget(object->control);
		break;
	default:
		break;		/* of a newer module */
	}
}

/* A message that may begin, from the ready list or else from the socket: 1, 0 for none, -errno. */
static int next_locked(struct machvm_pager *pager, struct mv_message **message)
{
	for (;;) {
		int ret;

		*message = queue_take(&pager->ready);
		if (*message)
			return 1;
		ret = mv_channel_receive(&pager->channel, mv_serve_enqueue_locked, pager);
		if (ret <= 0 && ret != -ENOBUFS)
			return ret;
	}
}

static void message_run(struct mv_message *message)
{
	const struct mv_message *outer = current;

	if (atomic_load(&message->object->forgotten))
		return;
	current = message;
	message_handle(message);
	current = outer;
}

/* One message, if there is one: 1, 0 for none, -errno. */
static int serve_one(struct machvm_pager *pager)
{
	struct mv_message *message;
	struct mv_object *object;
	int ret;

	pthread_mutex_lock(&pager->lock);
	ret = next_locked(pager, &message);
	mv_serve_show_locked(pager);
	pthread_mutex_unlock(&pager->lock);
	if (ret <= 0)
		return ret;

	message_run(message);
	object = message->object;
	pthread_mutex_lock(&pager->lock);
	object->running--;
	object->alone = false;
	object_advance_locked(object);
	mv_serve_show_locked(pager);
	pthread_mutex_unlock(&pager->lock);
	mv_object_put(object);
	free(message);
	return 1;
}

static int serve_enter(struct machvm_pager *pager)
{
	if (atomic_load(&pager->orphan))
		return -ECHILD;
	pthread_mutex_lock(&pager->lock);
	pager->serving++;
	buffers_prepare_locked(pager);
	pthread_mutex_unlock(&pager->lock);
	return 0;
}

static void serve_leave(struct machvm_pager *pager)
{
	pthread_mutex_lock(&pager->lock);
	if (--pager->serving == 0)
		pthread_cond_broadcast(&pager->left);
	pthread_mutex_unlock(&pager->lock);
}

/* Until something may be there to do; 0 or -errno. */
static int serve_wait(struct machvm_pager *pager)
{
	struct epoll_event event;

	if (epoll_wait(pager->epoll, &event, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int machvm_pager_run(struct machvm_pager *pager)
{
	int ret = serve_enter(pager);

	if (ret)
		return ret;
	while (!atomic_load(&pager->stopped) && ret >= 0) {
		ret = serve_one(pager);
		if (ret == 0)
			ret = serve_wait(pager);
	}
	serve_leave(pager);
	return ret < 0 ? ret : 0;
}

int machvm_pager_dispatch(struct machvm_pager *pager)
{
	int ret = serve_enter(pager);
	int handled = 0;

	if (ret)
		return ret;
	while (!atomic_load(&pager->stopped)) {
		ret = serve_one(pager);
		if (ret <= 0)
			break;
		handled++;
	}
	serve_leave(pager);
	if (handled)
		return handled;
	return atomic_load(&pager->stopped) ? -ECANCELED : ret;
}
