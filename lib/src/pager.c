// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pager.c - pagers and their objects: made, found by control port, given up.
 *
 * fork: a child would keep the socket and the control ports open, so that the death of the pager
 * went unnoticed.  A pager belongs to the process that made it; the child closes its copies.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pager.h"

#define REGISTRY_BUCKETS 1024

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mv_object *registry[REGISTRY_BUCKETS];	/* (r) by control port */
static struct machvm_pager *pagers;			/* (r) */
static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static struct mv_object **registry_slot(int control)
{
	struct mv_object **slot = &registry[(unsigned int)control % REGISTRY_BUCKETS];

	while (*slot && (*slot)->control != control)
		slot = &(*slot)->next_by_control;
	return slot;
}

static struct mv_object **pager_slot(struct machvm_pager *pager, uint64_t id)
{
	struct mv_object **slot = &pager->objects[id % MV_PAGER_BUCKETS];

	while (*slot && (*slot)->id != id)
		slot = &(*slot)->next_by_id;
	return slot;
}

struct mv_object *mv_object_get(memory_object_control_t control)
{
	struct mv_object *object;

	if (!mv_port_is_fd(control))
		return NULL;
	pthread_mutex_lock(&registry_lock);
	object = *registry_slot((int)control);
	if (object)
		atomic_fetch_add(&object->references, 1);
	pthread_mutex_unlock(&registry_lock);
	return object;
}

struct mv_object *mv_object_find_locked(struct machvm_pager *pager, uint64_t id)
{
	return *pager_slot(pager, id);
}

void mv_object_put(struct mv_object *object)
{
	if (atomic_fetch_sub(&object->references, 1) != 1)
		return;
	close(object->control);
	free(object);
}

static void publish_by_id_locked(struct mv_object *object)
{
	struct mv_object **slot = pager_slot(object->pager, object->id);

	object->next_by_id = *slot;
	*slot = object;
}

static void publish_by_control(struct mv_object *object)
{
	struct mv_object **slot;

	pthread_mutex_lock(&registry_lock);
	slot = registry_slot(object->control);
	object->next_by_control = *slot;
	*slot = object;
	pthread_mutex_unlock(&registry_lock);
}

void mv_object_publish(struct mv_object *object)
{
	pthread_mutex_lock(&object->pager->lock);
	publish_by_id_locked(object);
	pthread_mutex_unlock(&object->pager->lock);
	publish_by_control(object);
}

bool mv_object_forget(int control)
{
	struct machvm_pager *pager;
	struct mv_object *object;
	struct mv_object **slot;

	pthread_mutex_lock(&registry_lock);
	slot = registry_slot(control);
	object = *slot;
	if (object)
		*slot = object->next_by_control;
	pthread_mutex_unlock(&registry_lock);
	if (!object)
		return false;

	atomic_store(&object->forgotten, true);
	pager = object->pager;
	pthread_mutex_lock(&pager->lock);
	slot = pager_slot(pager, object->id);
	*slot = object->next_by_id;
	mv_serve_drop_locked(&object->parked, object);
	mv_serve_drop_locked(&pager->ready, object);
	mv_serve_show_locked(pager);
	pthread_mutex_unlock(&pager->lock);
	mv_object_put(object);
	return true;
}

static void fork_prepare(void)
{
	pthread_mutex_lock(&registry_lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&registry_lock);
}

/* Only close(2): the parent's threads may have held any other lock. */
static void fork_child(void)
{
	for (int i = 0; i < REGISTRY_BUCKETS; i++) {
		for (struct mv_object *object = registry[i]; object;
		     object = object->next_by_control)
			close(object->control);
		registry[i] = NULL;
	}
	for (struct machvm_pager *pager = pagers; pager; pager = pager->next) {
		atomic_store(&pager->orphan, true);
		close(pager->channel.fd);
		close(pager->epoll);
		close(pager->ready_event);
		close(pager->stop_event);
	}
	pagers = NULL;
	pthread_mutex_unlock(&registry_lock);
}

static void process_prepare(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
	mv_port_forget = mv_object_forget;
}

static int epoll_watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void pager_close_events(struct machvm_pager *pager)
{
	if (pager->epoll >= 0)
		close(pager->epoll);
	if (pager->ready_event >= 0)
		close(pager->ready_event);
	if (pager->stop_event >= 0)
		close(pager->stop_event);
}

static int pager_watch_all(struct machvm_pager *pager)
{
	int error = epoll_watch(pager->epoll, pager->channel.fd);

	if (!error)
		error = epoll_watch(pager->epoll, pager->ready_event);
	if (!error)
		error = epoll_watch(pager->epoll, pager->stop_event);
	return error;
}

static int pager_open_events(struct machvm_pager *pager)
{
	int error;

	pager->ready_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pager->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pager->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (pager->ready_event < 0 || pager->stop_event < 0 || pager->epoll < 0)
		error = -errno;
	else
		error = pager_watch_all(pager);
	if (error)
		pager_close_events(pager);
	return error;
}

kern_return_t machvm_pager_create(const struct machvm_pager_ops *ops, struct machvm_pager **out)
{
	struct machvm_pager *pager;
	int error;

	/* The device first: what is wrong with it is what the user can put right. */
	error = mv_device_get();
	if (error < 0) {
		mv_device_trouble = -error;
		return KERN_FAILURE;
	}
	mv_device_trouble = 0;
	pager = calloc(1, sizeof(*pager));
	if (!pager)
		return KERN_RESOURCE_SHORTAGE;
	pager->ops = *ops;
	error = mv_channel_open(&pager->channel);
	if (error)
		goto err_free;
	error = pager_open_events(pager);
	if (error)
		goto err_channel;
	pthread_mutex_init(&pager->lock, NULL);
	pthread_cond_init(&pager->left, NULL);

	pthread_once(&process_once, process_prepare);
	pthread_mutex_lock(&registry_lock);
	pager->next = pagers;
	pagers = pager;
	pthread_mutex_unlock(&registry_lock);
	*out = pager;
	return KERN_SUCCESS;

err_channel:
	mv_channel_close(&pager->channel);
err_free:
	free(pager);
	if (error == -EAFNOSUPPORT)
		mv_device_trouble = -error;
	return mv_errno_to_kern(-error);
}

/* The kernel's part of a new object: ports, and the way from the object to the pager's socket. */
static kern_return_t object_create(struct mv_object *object, memory_object_t *port)
{
	struct machvm_object_create create = { .size = sizeof(create) };
	struct machvm_control_bind bind = { .size = sizeof(bind) };
	kern_return_t result;
	int right;

	result = mv_device_call(MACHVM_OBJECT_CREATE, &create);
	if (result != KERN_SUCCESS)
		return result;
	object->id = create.out_id;
	object->control = mv_port_adopt_fd(create.out_control);
	right = mv_port_adopt_fd(create.out_object);
	if (right < 0 || object->control < 0) {
		result = KERN_RESOURCE_SHORTAGE;
		goto err_close;
	}
	bind.socket = object->pager->channel.fd;
	result = mv_port_call(object->control, MACHVM_CONTROL_BIND, &bind);
	if (result != KERN_SUCCESS)
		goto err_close;
	atomic_store(&object->epoch, bind.out_epoch);
	*port = (memory_object_t)right;
	return KERN_SUCCESS;

err_close:
	if (right >= 0)
		close(right);
	if (object->control >= 0)
		close(object->control);
	return result;
}

kern_return_t machvm_pager_object(struct machvm_pager *pager, void *cookie, memory_object_t *object)
{
	struct mv_object *new;
	kern_return_t result;

	if (atomic_load(&pager->orphan))
		return KERN_INVALID_ARGUMENT;
	new = calloc(1, sizeof(*new));
	if (!new)
		return KERN_RESOURCE_SHORTAGE;
	new->pager = pager;
	new->cookie = cookie;
	atomic_store(&new->references, 1);
	result = object_create(new, object);
	if (result != KERN_SUCCESS) {
		free(new);
		return result;
	}
	/* Nobody can have mapped it yet, so no message can have come for it. */
	mv_object_publish(new);
	return KERN_SUCCESS;
}

/* The socket is not read while the lock is held, so the object is there for its first message. */
static kern_return_t object_bind(struct mv_object *object)
{
	struct machvm_pager *pager = object->pager;
	struct machvm_control_bind bind = { .size = sizeof(bind), .socket = pager->channel.fd };
	kern_return_t result;

	pthread_mutex_lock(&pager->lock);
	result = mv_port_call(object->control, MACHVM_CONTROL_BIND, &bind);
	if (result == KERN_SUCCESS) {
		object->id = bind.out_id;
		atomic_store(&object->epoch, bind.out_epoch);
		publish_by_id_locked(object);
	}
	pthread_mutex_unlock(&pager->lock);
	return result;
}

static kern_return_t object_adopt(struct mv_object *object)
{
	publish_by_control(object);	/* for callbacks, which may begin at once */
	return object_bind(object);
}

struct mv_object *mv_object_copied(struct mv_object *source, uint64_t id)
{
	struct machvm_control_copy copy = { .size = sizeof(copy), .id = id };
	struct mv_object *new = mv_serve_alloc(sizeof(*new));

	memset(new, 0, sizeof(*new));
	if (mv_port_call(source->control, MACHVM_CONTROL_COPY, &copy) != KERN_SUCCESS)
		goto err_free;
	new->control = mv_port_adopt_fd(copy.out_control);
	if (new->control < 0)
		goto err_free;
	new->pager = source->pager;
	new->cookie = source->cookie;
	new->mortal = true;
	atomic_store(&new->references, 2);	/* the table's and the caller's */
	publish_by_control(new);
	return new;

err_free:
	free(new);
	return NULL;
}

static bool object_is_bound(struct mv_object *object)
{
	return atomic_load(&object->epoch);
}

void mv_object_begin(struct mv_object *object)
{
	if (!object_is_bound(object) && !atomic_load(&object->forgotten) &&
	    object_bind(object) != KERN_SUCCESS)
		mv_object_forget(object->control);
}

/* A copy, in the callback that tells of it. */
static kern_return_t adopt_copy(struct mv_object *object, void *cookie)
{
	kern_return_t result;

	object->cookie = cookie;
	result = object_bind(object);
	if (result != KERN_SUCCESS)
		mv_object_forget(object->control);
	return result;
}

kern_return_t machvm_pager_adopt(struct machvm_pager *pager, memory_object_control_t control,
				 void *cookie)
{
	struct mv_object *new;
	kern_return_t result;

	if (atomic_load(&pager->orphan) || !mv_port_is_fd(control))
		return KERN_INVALID_ARGUMENT;
	new = mv_object_get(control);
	if (new) {
		result = new->pager == pager && !object_is_bound(new) ? adopt_copy(new, cookie) :
									KERN_INVALID_ARGUMENT;
		mv_object_put(new);
		return result;
	}
	new = calloc(1, sizeof(*new));
	if (!new) {
		close((int)control);
		return KERN_RESOURCE_SHORTAGE;
	}
	new->pager = pager;
	new->cookie = cookie;
	new->control = (int)control;
	atomic_store(&new->references, 1);
	result = object_adopt(new);
	if (result != KERN_SUCCESS)
		mv_object_forget(new->control);
	return result;
}

/* An object of the pager, if there is one left. */
static struct mv_object *pager_any_object(struct machvm_pager *pager)
{
	for (int i = 0; i < MV_PAGER_BUCKETS; i++)
		if (pager->objects[i])
			return pager->objects[i];
	return NULL;
}

struct mv_object *mv_object_open_locked(struct machvm_pager *pager, uint64_t id)
{
	struct machvm_control_open open = { .size = sizeof(open), .id = id };
	struct mv_object *any = pager_any_object(pager), *new;

	if (!any || mv_port_call(any->control, MACHVM_CONTROL_OPEN, &open) != KERN_SUCCESS)
		return NULL;
	new = mv_serve_alloc(sizeof(*new));
	*new = (struct mv_object){ .pager = pager, .id = id, .mortal = true };
	new->control = mv_port_adopt_fd(open.out_control);
	if (new->control < 0) {
		free(new);
		return NULL;
	}
	atomic_store(&new->references, 1);
	atomic_store(&new->epoch, open.out_epoch);
	publish_by_id_locked(new);
	publish_by_control(new);
	return new;
}

int machvm_pager_fd(struct machvm_pager *pager)
{
	return pager->epoll;
}

void machvm_pager_stop(struct machvm_pager *pager)
{
	const uint64_t one = 1;
	int saved = errno;

	atomic_store(&pager->stopped, true);
	if (!atomic_load(&pager->orphan))
		(void)!write(pager->stop_event, &one, sizeof(one));
	errno = saved;
}

static void pager_unlist(struct machvm_pager *pager)
{
	struct machvm_pager **slot;

	pthread_mutex_lock(&registry_lock);
	for (slot = &pagers; *slot; slot = &(*slot)->next) {
		if (*slot == pager) {
			*slot = pager->next;
			break;
		}
	}
	pthread_mutex_unlock(&registry_lock);
}

void machvm_pager_destroy(struct machvm_pager *pager)
{
	struct mv_object *object;

	/* What a child inherited may be locked by a thread that it has not: let it be. */
	if (!pager || atomic_load(&pager->orphan))
		return;
	machvm_pager_stop(pager);
	pthread_mutex_lock(&pager->lock);
	while (pager->serving)
		pthread_cond_wait(&pager->left, &pager->lock);
	pthread_mutex_unlock(&pager->lock);
	while ((object = pager_any_object(pager)))
		mv_object_forget(object->control);
	pager_unlist(pager);
	pager_close_events(pager);
	mv_channel_close(&pager->channel);
	pthread_cond_destroy(&pager->left);
	pthread_mutex_destroy(&pager->lock);
	mv_serve_free_buffers(pager);
	free(pager);
}
