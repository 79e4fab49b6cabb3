// SPDX-License-Identifier: GPL-2.0-only
/*
 * calls.c - the vm_* calls on the caller's own memory.
 */
#include "sweep.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)
#define WINDOW 0x200000000UL

/* The very first call of a process, by the library, which has nothing open yet. */
static long first_call(struct scene *scene)
{
	scene->base = 0;
	return vm_allocate(SELF, &scene->base, PAGES(4), TRUE);
}

static long allocate(struct scene *scene)
{
	struct machvm_vm_allocate call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .anywhere = 1, .length = PAGES(4),
	};
	long answer = util_ioctl(util_device(), MACHVM_VM_ALLOCATE, &call);

	scene->base = call.address;
	return answer;
}

static void allocated(struct scene *scene, long answer)
{
	if (answer)
		return;
	must_eq(util_not_zero(scene->base, 4), 0);
	util_fill(scene->base, 4, 1);
	must_eq(util_wrong(scene->base, 4, 1), 0);
}

static long allocate_fixed(struct scene *scene)
{
	(void)scene;
	return own_call(MACHVM_VM_ALLOCATE, machvm_vm_allocate, .task = MACHVM_TASK_SELF,
			.address = WINDOW, .length = PAGES(4));
}

static void allocated_fixed(struct scene *scene, long answer)
{
	if (!answer_is_lost(answer))
		must_eq(util_covered(WINDOW, WINDOW + PAGES(8)), answer ? 0 : PAGES(4));
	scene->base = WINDOW;
	allocated(scene, answer);
}

static void some_memory(struct scene *scene)
{
	scene->other = util_make(1);
	must(scene->other);
}

static long deallocate(struct scene *scene)
{
	return own_call(MACHVM_VM_DEALLOCATE, machvm_vm_deallocate, .task = MACHVM_TASK_SELF,
			.address = scene->base + PAGES(2), .length = PAGES(3));
}

static void deallocated(struct scene *scene, long answer)
{
	vm_size_t covered = util_covered(scene->base, scene->base + PAGES(8));

	if (!answer_is_lost(answer))
		must_eq(covered, answer ? PAGES(8) : PAGES(5));
	must_eq(util_wrong(scene->base, 2, 1), 0);
	must_eq(*(unsigned char *)(scene->base + PAGES(7)), util_mark(7, 1));
}

static long map(struct scene *scene, int object, bool copy)
{
	struct machvm_vm_map call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .length = PAGES(4), .anywhere = 1,
		.object = object, .copy = copy, .protection = RW,
		.max_protection = MACHVM_PROT_ALL, .inheritance = MACHVM_INHERIT_COPY,
	};
	long answer = util_ioctl(util_device(), MACHVM_VM_MAP, &call);

	scene->other = call.address;
	return answer;
}

static long map_the_object(struct scene *scene)
{
	return map(scene, scene->served.object.fd, false);
}

static long map_a_copy(struct scene *scene)
{
	return map(scene, scene->served.object.fd, true);
}

static void mapped(struct scene *scene, long answer)
{
	if (!answer)
		must_eq(util_wrong(scene->other, 4, 0), 0);
	must_eq(util_wrong(scene->base, 4, 0), 0);
}

static long proxy_create(struct scene *scene)
{
	struct machvm_proxy_range range = {
		.object = scene->served.object.fd, .length = PAGES(4),
	};
	struct machvm_proxy_create call = {
		.size = sizeof(call), .max_protection = RW, .flags = MACHVM_PROXY_REVOCABLE,
		.count = 1, .ranges = (uintptr_t)&range,
	};
	long answer = util_ioctl(util_device(), MACHVM_PROXY_CREATE, &call);

	scene->fds[0] = call.out_proxy;
	return answer;
}

static void proxy_created(struct scene *scene, long answer)
{
	if (!answer)
		must_eq(map(scene, scene->fds[0], false), 0);
	if (!answer)
		mapped(scene, answer);
}

static void with_proxy(struct scene *scene)
{
	scene_served(scene);
	must_eq(proxy_create(scene), 0);
}

static long map_the_proxy(struct scene *scene)
{
	return map(scene, scene->fds[0], false);
}

static long region_proxy(struct scene *scene)
{
	struct machvm_region_proxy call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = scene->base,
		.length = PAGES(4), .max_protection = RW, .flags = MACHVM_PROXY_REVOCABLE,
	};
	long answer = util_ioctl(util_device(), MACHVM_REGION_PROXY, &call);

	scene->fds[0] = call.out_proxy;
	return answer;
}

static void region_proxied(struct scene *scene, long answer)
{
	must_eq(util_wrong(scene->base, SCENE_PAGES, 1), 0);
	if (answer)
		return;
	must_eq(map(scene, scene->fds[0], false), 0);
	must_eq(util_wrong(scene->other, 4, 1), 0);
	util_fill(scene->other, 4, 1);
}

static long protect_to(struct scene *scene, unsigned int protection)
{
	return own_call(MACHVM_VM_PROTECT, machvm_vm_protect, .task = MACHVM_TASK_SELF,
			.address = scene->base + PAGES(2), .length = PAGES(3),
			.protection = protection);
}

static long protect(struct scene *scene)
{
	return protect_to(scene, MACHVM_PROT_READ);
}

static long execute(struct scene *scene)
{
	return protect_to(scene, MACHVM_PROT_READ | MACHVM_PROT_EXECUTE);
}

/* All of the range, or none, and what is around it as before. */
static void protected(struct scene *scene, long answer)
{
	for (unsigned int i = 0; i < SCENE_PAGES; i++) {
		bool inside = i >= 2 && i < 5;
		kern_return_t why = util_why_write(scene->base + PAGES(i), util_mark(i, 1));

		if (inside && answer_is_lost(answer))
			continue;
		must_eq(why, inside && !answer ? KERN_PROTECTION_FAILURE : KERN_SUCCESS);
	}
	must_eq(util_wrong(scene->base, SCENE_PAGES, 1), 0);
}

static long inherit(struct scene *scene)
{
	return own_call(MACHVM_VM_INHERIT, machvm_vm_inherit, .task = MACHVM_TASK_SELF,
			.address = scene->base + PAGES(2), .length = PAGES(3),
			.inheritance = MACHVM_INHERIT_SHARE);
}

static void inherited(struct scene *scene, long answer)
{
	struct util_region region;

	for (unsigned int i = 0; i < SCENE_PAGES; i++) {
		bool inside = i >= 2 && i < 5;

		if (inside && answer_is_lost(answer))
			continue;
		must_eq(util_region(scene->base + PAGES(i), &region), KERN_SUCCESS);
		must_eq(region.inheritance,
			inside && !answer ? VM_INHERIT_SHARE : VM_INHERIT_COPY);
	}
}

static void two_memories(struct scene *scene)
{
	scene_memory(scene);
	scene->other = util_make(SCENE_PAGES);
	must(scene->other);
	util_fill(scene->other, SCENE_PAGES, 2);
}

static long copy(struct scene *scene)
{
	return own_call(MACHVM_VM_COPY, machvm_vm_copy, .task = MACHVM_TASK_SELF,
			.source = scene->base, .length = PAGES(SCENE_PAGES),
			.destination = scene->other);
}

static long write_to(struct scene *scene)
{
	return own_call(MACHVM_VM_WRITE, machvm_vm_write, .task = MACHVM_TASK_SELF,
			.address = scene->other, .data = scene->base,
			.length = PAGES(SCENE_PAGES));
}

static void copied(struct scene *scene, long answer)
{
	if (!answer_is_lost(answer))
		must_eq(util_wrong(scene->other, SCENE_PAGES, answer ? 2 : 1), 0);
	must_eq(util_wrong(scene->base, SCENE_PAGES, 1), 0);
	if (answer)
		return;
	/* Neither sees what the other writes. */
	util_fill(scene->other, SCENE_PAGES, 3);
	must_eq(util_wrong(scene->base, SCENE_PAGES, 1), 0);
}

static long read_from(struct scene *scene)
{
	struct machvm_vm_read call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .address = scene->base,
		.length = PAGES(SCENE_PAGES),
	};
	long answer = util_ioctl(util_device(), MACHVM_VM_READ, &call);

	scene->other = call.out_data;
	return answer;
}

static void was_read(struct scene *scene, long answer)
{
	must_eq(util_wrong(scene->base, SCENE_PAGES, 1), 0);
	if (!answer)
		must_eq(util_wrong(scene->other, SCENE_PAGES, 1), 0);
	if (answer && !answer_is_lost(answer))
		must_eq(util_regions(0, -1UL), 1);
}

static void half_touched(struct scene *scene)
{
	scene->base = util_make(SCENE_PAGES);
	must(scene->base);
	util_fill(scene->base, 4, 1);
}

static long wire(struct scene *scene)
{
	return own_call(MACHVM_VM_WIRE, machvm_vm_wire, .task = MACHVM_TASK_SELF,
			.address = scene->base + PAGES(2), .length = PAGES(4), .access = RW,
			.privileged = 1);
}

static void wired(struct scene *scene, long answer)
{
	if (!answer_is_lost(answer))
		must_eq(statistics().out_wire_count, answer ? 0 : 4);
	must_eq(util_wrong(scene->base, 4, 1), 0);
	must_eq(util_not_zero(scene->base + PAGES(4), 4), 0);
}

static long contiguous(struct scene *scene)
{
	struct machvm_vm_allocate_contiguous call = {
		.size = sizeof(call), .task = MACHVM_TASK_SELF, .length = PAGES(4), .pmax = -1ULL,
	};
	long answer = util_ioctl(util_device(), MACHVM_VM_ALLOCATE_CONTIGUOUS, &call);

	scene->base = call.out_address;
	return answer;
}

static void is_contiguous(struct scene *scene, long answer)
{
	if (answer_is_lost(answer))
		return;
	if (answer)
		must_eq(util_regions(0, -1UL), 1);	/* only some_memory() */
	else if (scene->base)	/* not if the answer was lost before */
		allocated(scene, answer);
}

static long pageout(struct scene *scene)
{
	return own_call(MACHVM_VM_PAGEOUT, machvm_vm_pageout, .task = MACHVM_TASK_SELF,
			.address = scene->base, .length = PAGES(SCENE_PAGES));
}

static void paged_out(struct scene *scene, long answer)
{
	(void)answer;
	must_eq(util_wrong(scene->base, SCENE_PAGES, 1), 0);
}

static void written(struct scene *scene)
{
	scene_served(scene);
	util_fill(scene->base, 4, 1);
}

static long msync_call(struct scene *scene)
{
	return own_call(MACHVM_VM_MSYNC, machvm_vm_msync, .task = MACHVM_TASK_SELF,
			.address = scene->base, .length = PAGES(4),
			.flags = MACHVM_SYNC_SYNCHRONOUS);
}

static void synced(struct scene *scene, long answer)
{
	must_eq(util_wrong(scene->base, 4, 1), 0);
	must_eq(atomic_load(&scene->wrong), 0);
	if (!answer)
		must_eq(atomic_load(&scene->returned), 0xf);
}

const struct sequence call_sequences[] = {
	STEPS("first_call", NULL, first_call, allocated, .library = true),
	STEPS("allocate", some_memory, allocate, allocated),
	STEPS("allocate_fixed", some_memory, allocate_fixed, allocated_fixed),
	STEPS("deallocate", scene_memory, deallocate, deallocated),
	STEPS("map_object", scene_served, map_the_object, mapped),
	STEPS("map_copy", scene_served, map_a_copy, mapped),
	STEPS("map_proxy", with_proxy, map_the_proxy, mapped),
	STEPS("proxy_create", scene_served, proxy_create, proxy_created),
	STEPS("region_proxy", scene_memory, region_proxy, region_proxied),
	STEPS("protect", scene_memory, protect, protected),
	STEPS("execute", scene_memory, execute, protected),
	STEPS("inherit", scene_memory, inherit, inherited),
	STEPS("copy", two_memories, copy, copied),
	STEPS("read", scene_memory, read_from, was_read),
	STEPS("write", two_memories, write_to, copied),
	STEPS("wire", half_touched, wire, wired),
	STEPS("contiguous", some_memory, contiguous, is_contiguous),
	STEPS("pageout", scene_memory, pageout, paged_out),
	STEPS("msync", written, msync_call, synced),
	SEQUENCE_END
};
