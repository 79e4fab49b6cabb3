// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults.c - accesses to memory.  Linux makes one again for which there was no memory, so most of
 * them succeed whatever was missing.
 */
#include "sweep.h"

static void untouched(struct scene *scene)
{
	scene->base = util_make(SCENE_PAGES);
	must(scene->base);
}

static long write_one(struct scene *scene)
{
	return util_why_write(scene->base + PAGES(1), 7);
}

static void zero_filled(struct scene *scene, long answer)
{
	unsigned char *page = (unsigned char *)(scene->base + PAGES(1));

	if (!answer)
		must_eq(page[0], 7);
	for (unsigned int i = 1; i < PAGE; i++)
		must_eq(page[i], 0);
}

/* Two that share pages until one of them writes. */
static void copied(struct scene *scene)
{
	scene_memory(scene);
	scene->other = util_make(SCENE_PAGES);
	must(scene->other);
	must_eq(vm_copy(SELF, scene->base, PAGES(SCENE_PAGES), scene->other), KERN_SUCCESS);
}

static void copy_written(struct scene *scene, long answer)
{
	if (!answer)
		must_eq(*(unsigned char *)(scene->base + PAGES(1)), 7);
	must_eq(util_wrong(scene->other, SCENE_PAGES, 1), 0);
	must_eq(util_wrong(scene->base, 1, 1), 0);
}

/* An object with a delayed copy, which gets the page before it is written. */
static void delayed(struct scene *scene)
{
	scene_served(scene);
	must_eq(util_wrong(scene->base, SCENE_PAGES, 0), 0);
	scene->other = map_object(&scene->served.object, 0, SCENE_PAGES, true);
}

static void was_pushed(struct scene *scene, long answer)
{
	if (!answer)
		must_eq(*(unsigned char *)(scene->base + PAGES(1)), 7);
	must_eq(util_wrong(scene->other, SCENE_PAGES, 0), 0);
	must_eq(util_wrong(scene->base, 1, 0), 0);
}

static void stored(struct scene *scene)
{
	struct machvm_vm_pageout call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .length = PAGES(SCENE_PAGES),
	};

	scene_memory(scene);
	call.address = scene->base;
	must_eq(util_ioctl(util_device(), MACHVM_VM_PAGEOUT, &call), 0);
	must(call.out_pages);
}

static long read_one(struct scene *scene)
{
	return util_why_read(scene->base + PAGES(1));
}

static void came_back(struct scene *scene, long answer)
{
	(void)answer;
	must_eq(util_wrong(scene->base, SCENE_PAGES, 1), 0);
}

static void was_supplied(struct scene *scene, long answer)
{
	(void)answer;
	must_eq(util_wrong(scene->base, SCENE_PAGES, 0), 0);
}

static void was_written(struct scene *scene, long answer)
{
	if (!answer)
		must_eq(*(unsigned char *)(scene->base + PAGES(1)), 7);
	must_eq(((unsigned char *)(scene->base + PAGES(1)))[1], util_mark(1, 0));
}

/* Page 1 may not be written before the pager has allowed it. */
static void locked(struct scene *scene)
{
	struct machvm_lock_request call = {
		.size = sizeof(call), .offset = PAGES(1), .length = PAGE,
		.lock_value = MACHVM_PROT_WRITE,
	};

	scene_served(scene);
	must_eq(util_wrong(scene->base, SCENE_PAGES, 0), 0);
	must_eq(util_ioctl(scene->served.object.control, MACHVM_LOCK_REQUEST, &call), 0);
}

const struct sequence fault_sequences[] = {
	STEPS("fault_zero", untouched, write_one, zero_filled),
	STEPS("fault_copy", copied, write_one, copy_written),
	STEPS("fault_push", delayed, write_one, was_pushed),
	STEPS("fault_stored", stored, read_one, came_back),
	STEPS("fault_pager", scene_served, read_one, was_supplied),
	STEPS("fault_pager_write", scene_served, write_one, was_written),
	STEPS("fault_unlock", locked, write_one, was_written),
	SEQUENCE_END
};
