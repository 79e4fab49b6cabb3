// SPDX-License-Identifier: GPL-2.0-only
/*
 * resolve.c - what the values of a program stand for, and what its calls have brought.
 */
#include "fuzz.h"

#include <string.h>

struct scene *scene;

/* Which of a growing list @index is, or -1 while there is none. */
static int pick(atomic_uint *nr, unsigned int index)
{
	unsigned int now = atomic_load(nr);

	if (now > THINGS)
		now = THINGS;
	return now ? (int)(index % now) : -1;
}

/* Where the next one of a list goes; it begins anew when it is full. */
static unsigned int next(atomic_uint *nr)
{
	return atomic_fetch_add(nr, 1) % THINGS;
}

static uint64_t of_thing(const struct value *value)
{
	int at = pick(&scene->nr_things, value->index);

	if (at < 0)
		return (uint32_t)-1;
	switch (value->kind) {
	case V_OBJECT:
		return (uint32_t)scene->things[at].object;
	case V_CONTROL:
		return (uint32_t)scene->things[at].control;
	case V_ID:
		return scene->things[at].id;
	default:
		return scene->things[at].epoch;
	}
}

static uint64_t of_list(atomic_uint *nr, const int *list, unsigned int index)
{
	int at = pick(nr, index);

	return at < 0 ? (uint32_t)-1 : (uint32_t)list[at];
}

static uint64_t of_heard(const struct value *value)
{
	unsigned int now = atomic_load(&scene->nr_heard);
	const struct heard *heard;

	if (!now)
		return 0;
	heard = &scene->heard[(now - 1 - value->index % (now < THINGS ? now : THINGS)) % THINGS];
	switch (value->kind) {
	case V_MESSAGE_OBJECT:
		return heard->object;
	case V_MESSAGE_EPOCH:
		return heard->epoch;
	case V_MESSAGE_OFFSET:
		return heard->offset;
	case V_MESSAGE_LENGTH:
		return heard->length;
	default:
		return heard->fresh;
	}
}

uint64_t value_resolve(const struct value *value, void *buffer)
{
	int at;

	switch (value->kind) {
	case V_DEVICE:
		return (uint32_t)(scene->device + value->add);
	case V_OBJECT:
	case V_CONTROL:
		return (uint32_t)(of_thing(value) + value->add);
	case V_ID:
	case V_EPOCH:
		return of_thing(value) + value->add;
	case V_SOCKET:
		return of_list(&scene->nr_sockets, scene->sockets, value->index) + value->add;
	case V_TASK:
		return of_list(&scene->nr_tasks, scene->tasks, value->index) + value->add;
	case V_PROXY:
		return of_list(&scene->nr_proxies, scene->proxies, value->index) + value->add;
	case V_OWNER:
		return of_list(&scene->nr_proxies, scene->owners, value->index) + value->add;
	case V_MEMORY:
		at = pick(&scene->nr_memory, value->index);
		return (at < 0 ? 0 : scene->memory[at].at) + value->add;
	case V_BUFFER:
		return (uintptr_t)buffer + value->add;
	case V_ABSENT:
	case V_NUMBER:
		return value->add;
	default:
		return of_heard(value) + value->add;
	}
}

void learn_socket(int fd)
{
	scene->sockets[next(&scene->nr_sockets)] = fd;
}

void learn_task(int fd)
{
	scene->tasks[next(&scene->nr_tasks)] = fd;
}

void learn_memory(uint64_t at, uint64_t length)
{
	unsigned int place = atomic_load(&scene->nr_memory) % THINGS;

	scene->memory[place].at = at;
	scene->memory[place].length = length;
	atomic_fetch_add(&scene->nr_memory, 1);
}

static void learn_thing(int object, int control, uint64_t id, uint32_t epoch)
{
	unsigned int place = atomic_load(&scene->nr_things) % THINGS;

	scene->things[place] = (struct thing){ object, control, id, epoch };
	atomic_fetch_add(&scene->nr_things, 1);
}

struct thing *thing_of(uint64_t id)
{
	for (unsigned int i = 0; i < THINGS && i < atomic_load(&scene->nr_things); i++)
		if (scene->things[i].id == id)
			return &scene->things[i];
	return NULL;
}

static void learn_proxy(int proxy, int owner)
{
	unsigned int place = atomic_load(&scene->nr_proxies) % THINGS;

	scene->proxies[place] = proxy;
	scene->owners[place] = owner;
	atomic_fetch_add(&scene->nr_proxies, 1);
}

void learn_heard(const struct heard *heard)
{
	scene->heard[atomic_load(&scene->nr_heard) % THINGS] = *heard;
	atomic_fetch_add(&scene->nr_heard, 1);
}

static void learn_epoch(const struct machvm_control_bind *call)
{
	struct thing *thing = thing_of(call->out_id);

	if (thing)
		thing->epoch = call->out_epoch;
}

/* What an ioctl that succeeded has brought. */
void learn_ioctl(unsigned long command, const void *structure)
{
	const struct machvm_object_create *create = structure;
	const struct machvm_vm_allocate *allocate = structure;
	const struct machvm_vm_map *map = structure;
	const struct machvm_vm_read *read = structure;
	const struct machvm_vm_allocate_contiguous *contiguous = structure;
	const struct machvm_data_return *returned = structure;
	const struct machvm_control_open *open = structure;
	const struct machvm_control_copy *copy = structure;
	const struct machvm_proxy_create *proxy = structure;
	const struct machvm_region_proxy *region = structure;

	switch (command) {
	case MACHVM_OBJECT_CREATE:
		return learn_thing(create->out_object, create->out_control, create->out_id, 0);
	case MACHVM_CONTROL_OPEN:
		return learn_thing(-1, open->out_control, open->id, open->out_epoch);
	case MACHVM_CONTROL_COPY:
		return learn_thing(-1, copy->out_control, copy->id, 0);
	case MACHVM_CONTROL_BIND:
		return learn_epoch(structure);
	case MACHVM_VM_ALLOCATE:
		return learn_memory(allocate->address, allocate->length);
	case MACHVM_VM_MAP:
		return learn_memory(map->address, map->length);
	case MACHVM_VM_READ:
		return learn_memory(read->out_data, read->length);
	case MACHVM_VM_ALLOCATE_CONTIGUOUS:
		return learn_memory(contiguous->out_address, contiguous->length);
	case MACHVM_RETURN_MAP:
		return learn_memory(returned->address, returned->length);
	case MACHVM_TASK_PORT:
		return learn_task(((const struct machvm_task_port *)structure)->out_port);
	case MACHVM_PROXY_CREATE:
		return learn_proxy(proxy->out_proxy, proxy->out_owner);
	case MACHVM_REGION_PROXY:
		return learn_proxy(region->out_proxy, region->out_owner);
	}
}
