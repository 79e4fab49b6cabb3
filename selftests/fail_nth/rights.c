// SPDX-License-Identifier: GPL-2.0-only
/*
 * rights.c - calls that hand out descriptors of what there is, or tell of it.
 */
#include "sweep.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static uint64_t waiting;	/* the copy that is to be taken */
static uint64_t known;		/* the object that is looked at */

static void close_right(struct scene *scene)
{
	if (scene->fds[0] > 0)	/* it was not lost on the way */
		must(!close(scene->fds[0]));
	scene->fds[0] = 0;
}

static void copy_waits(struct scene *scene)
{
	serve_start(&scene->served, SCENE_PAGES);
	must_eq(say_ready(&scene->served.channel, &scene->served.object, COPY_CALL), 0);
	map_object(&scene->served.object, 0, SCENE_PAGES, true);
	waiting = expect_message(&scene->served.channel, MACHVM_CMD_COPY).new_object;
}

static long take_copy(struct scene *scene)
{
	struct machvm_control_copy call = { .size = sizeof(call), .id = waiting };
	long answer = util_ioctl(scene->served.object.control, MACHVM_CONTROL_COPY, &call);

	scene->fds[0] = call.out_control;
	return answer;
}

static void is_taken(struct scene *scene, long answer)
{
	if (!answer)
		close_right(scene);
}

static long manage(int manager, unsigned int flags, int *previous)
{
	struct machvm_default_manager call = {
		.size = sizeof(call), .manager = manager, .flags = flags,
	};
	long answer = util_ioctl(util_device(), MACHVM_SET_DEFAULT_MANAGER, &call);

	*previous = answer ? 0 : call.out_previous;
	return answer;
}

static void managed(struct scene *scene)
{
	channel_open(&scene->served.channel);
	object_create(&scene->served.object);
	must_eq(object_bind(&scene->served.object, &scene->served.channel, 0), 0);
	must_eq(manage(scene->served.object.fd, 0, &scene->fds[0]), 0);
}

/* A descriptor of the one that there is. */
static long manager(struct scene *scene)
{
	return manage(-1, 0, &scene->fds[0]);
}

static void manager_is(struct scene *scene, long answer)
{
	if (answer)
		return;
	close_right(scene);
	must_eq(manage(-1, MACHVM_MANAGER_KERNEL, &scene->fds[0]), 0);
	close_right(scene);
}

static struct machvm_page_info pages[SCENE_PAGES];

static void known_memory(struct scene *scene)
{
	struct machvm_vm_region region;

	scene_memory(scene);
	must_eq(util_region_full(MACHVM_TASK_SELF, scene->base, &region), 0);
	known = region.out_object;
}

static long object_pages(struct scene *scene)
{
	struct machvm_object_pages call = {
		.size = sizeof(call), .id = known, .address = (uintptr_t)pages,
		.count = SCENE_PAGES,
	};

	(void)scene;
	return util_ioctl(util_device(), MACHVM_OBJECT_PAGES, &call);
}

static void pages_are(struct scene *scene, long answer)
{
	(void)scene;
	for (unsigned int i = 0; i < SCENE_PAGES && !answer; i++)
		must_eq(pages[i].offset, PAGES(i));
}

const struct sequence right_sequences[] = {
	STEPS("control_copy", copy_waits, take_copy, is_taken),
	STEPS("manager", managed, manager, manager_is),
	STEPS("object_pages", known_memory, object_pages, pages_are),
	SEQUENCE_END
};
