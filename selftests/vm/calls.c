// SPDX-License-Identifier: GPL-2.0-only
/* calls.c - every command with a call that is good, see calls.h. */
#include "calls.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* Each fills in a call that is good. */
static void good_version(union call *call, struct world *world)
{
	(void)call;
	(void)world;
}

static void good_manager(union call *call, struct world *world)
{
	(void)world;
	call->manager.manager = -1;
}

static void good_allocate(union call *call, struct world *world)
{
	(void)world;
	call->allocate.task = MACHVM_TASK_SELF;
	call->allocate.anywhere = 1;
	call->allocate.length = PAGE;
}

static void good_deallocate(union call *call, struct world *world)
{
	call->deallocate.task = MACHVM_TASK_SELF;
	call->deallocate.address = world->base;
	call->deallocate.length = PAGES(8);
}

static void good_protect(union call *call, struct world *world)
{
	call->protect.task = MACHVM_TASK_SELF;
	call->protect.address = world->base;
	call->protect.length = PAGES(2);
	call->protect.protection = MACHVM_PROT_READ;
}

static void good_map(union call *call, struct world *world)
{
	call->map.task = MACHVM_TASK_SELF;
	call->map.length = PAGE;
	call->map.anywhere = 1;
	call->map.object = world->fd[OBJECT];
	call->map.protection = MACHVM_PROT_READ;
	call->map.max_protection = MACHVM_PROT_ALL;
	call->map.inheritance = MACHVM_INHERIT_COPY;
}

static void good_region(union call *call, struct world *world)
{
	call->region.task = MACHVM_TASK_SELF;
	call->region.address = world->base;
}

static void good_inherit(union call *call, struct world *world)
{
	call->inherit.task = MACHVM_TASK_SELF;
	call->inherit.address = world->base;
	call->inherit.length = PAGES(2);
	call->inherit.inheritance = MACHVM_INHERIT_NONE;
}

static void good_copy(union call *call, struct world *world)
{
	call->copy.task = MACHVM_TASK_SELF;
	call->copy.source = world->base;
	call->copy.length = PAGES(2);
	call->copy.destination = world->base + PAGES(4);
}

static void good_read(union call *call, struct world *world)
{
	call->read.task = MACHVM_TASK_SELF;
	call->read.address = world->base;
	call->read.length = PAGES(2);
}

static void good_write(union call *call, struct world *world)
{
	call->write.task = MACHVM_TASK_SELF;
	call->write.address = world->base + PAGES(4);
	call->write.data = world->base;
	call->write.length = PAGES(2);
}

static void good_wire(union call *call, struct world *world)
{
	call->wire.task = MACHVM_TASK_SELF;
	call->wire.address = world->base;
	call->wire.length = PAGES(2);
	call->wire.access = MACHVM_PROT_READ;
	call->wire.privileged = 1;
}

static void good_wire_all(union call *call, struct world *world)
{
	(void)world;
	call->wire_all.task = MACHVM_TASK_SELF;
	call->wire_all.flags = MACHVM_WIRE_FUTURE;
	call->wire_all.privileged = 1;
}

static void good_contiguous(union call *call, struct world *world)
{
	(void)world;
	call->contiguous.task = MACHVM_TASK_SELF;
	call->contiguous.length = PAGE;
	call->contiguous.pmax = -1ULL;
}

static void good_phys(union call *call, struct world *world)
{
	call->phys.task = MACHVM_TASK_SELF;
	call->phys.address = world->base;
	call->phys.length = PAGES(2);
	call->phys.pages = (__u64)world->trap;
}

static void good_limit(union call *call, struct world *world)
{
	(void)world;
	call->limit.task = MACHVM_TASK_SELF;
}

static void good_set_limit(union call *call, struct world *world)
{
	good_limit(call, world);
	call->limit.limit = PAGES(100000);
	call->limit.maximum = USER_END;
	call->limit.privileged = 1;
}

static void good_pageout(union call *call, struct world *world)
{
	call->pageout.task = MACHVM_TASK_SELF;
	call->pageout.address = world->base + PAGES(20);	/* state() shows what is resident */
	call->pageout.length = PAGES(2);
}

static void good_msync(union call *call, struct world *world)
{
	call->msync.task = MACHVM_TASK_SELF;
	call->msync.address = world->mapped;
	call->msync.length = PAGES(2);
	call->msync.flags = MACHVM_SYNC_SYNCHRONOUS;
}

static void good_object_sync(union call *call, struct world *world)
{
	struct machvm_vm_region region = { .size = sizeof(region), .task = MACHVM_TASK_SELF,
					   .address = world->mapped };

	util_ioctl(world->fd[DEVICE], MACHVM_VM_REGION, &region);
	call->object_sync.id = region.out_object;
	call->object_sync.length = PAGES(2);
	call->object_sync.should_return = 1;
}

static void good_task_port(union call *call, struct world *world)
{
	(void)world;
	call->task_port.task = MACHVM_TASK_SELF;
}

static void good_task_info(union call *call, struct world *world)
{
	(void)world;
	call->task_info.task = MACHVM_TASK_SELF;
}

static void good_fault_info(union call *call, struct world *world)
{
	call->fault_info.address = world->base + PAGES(8);	/* failed before */
}

static void good_pages(union call *call, struct world *world)
{
	struct machvm_vm_region region = { .size = sizeof(region), .task = MACHVM_TASK_SELF,
					   .address = world->base };

	util_ioctl(world->fd[DEVICE], MACHVM_VM_REGION, &region);
	call->pages.id = region.out_object;
	call->pages.address = (__u64)world->trap;
	call->pages.count = 1;
}

static void good_proxy(union call *call, struct world *world)
{
	static struct machvm_proxy_range range = { .length = PAGES(2) };

	range.object = world->fd[OBJECT];
	call->proxy.count = 1;
	call->proxy.max_protection = MACHVM_PROT_READ;
	call->proxy.ranges = (__u64)&range;
}

static void good_region_proxy(union call *call, struct world *world)
{
	call->region_proxy.task = MACHVM_TASK_SELF;
	call->region_proxy.address = world->mapped;
	call->region_proxy.length = PAGES(2);
	call->region_proxy.max_protection = MACHVM_PROT_READ;
}

static void good_supply(union call *call, struct world *world)
{
	call->supply.offset = PAGES(4);
	call->supply.length = PAGE;
	call->supply.address = (__u64)world->trap;
}

static void good_return(union call *call, struct world *world)
{
	(void)world;
	call->give.length = PAGE;
}

static void good_return_read(union call *call, struct world *world)
{
	good_return(call, world);
	call->give.address = (__u64)world->trap;
}

static void good_lock(union call *call, struct world *world)
{
	(void)world;
	call->lock.length = PAGES(8);
	call->lock.lock_value = MACHVM_PROT_NO_CHANGE;
}

static void good_attributes(union call *call, struct world *world)
{
	(void)world;
	call->attributes.copy_strategy = MACHVM_COPY_DELAY;
}

static void good_bind(union call *call, struct world *world)
{
	call->bind.socket = world->file;	/* which is no socket */
}

const struct row rows[] = {
#define GREW(_command, _kind, _struct, _min, _reserved, _answer, _good)                      \
	{ #_command, _command, _kind, sizeof(struct _struct), _min, _reserved, _answer, _good }
#define ROW(_command, _kind, _struct, _reserved, _answer, _good)                            \
	GREW(_command, _kind, _struct, sizeof(struct _struct), _reserved, _answer, _good)
	ROW(MACHVM_VERSION, DEVICE, machvm_version, 0, 0, good_version),
	ROW(MACHVM_VERSION, OBJECT, machvm_version, 0, 0, good_version),
	ROW(MACHVM_VERSION, CONTROL, machvm_version, 0, 0, good_version),
	ROW(MACHVM_VM_ALLOCATE, DEVICE, machvm_vm_allocate,
	    offsetof(struct machvm_vm_allocate, __reserved), 0, good_allocate),
	ROW(MACHVM_VM_PROTECT, DEVICE, machvm_vm_protect, 0, 0, good_protect),
	ROW(MACHVM_VM_MAP, DEVICE, machvm_vm_map, 0, 0, good_map),
	ROW(MACHVM_VM_REGION, DEVICE, machvm_vm_region,
	    offsetof(struct machvm_vm_region, __reserved), 0, good_region),
	ROW(MACHVM_VM_READ, DEVICE, machvm_vm_read, 0, 0, good_read),
	ROW(MACHVM_VM_COPY, DEVICE, machvm_vm_copy, 0, KERN_PROTECTION_FAILURE, good_copy),
	ROW(MACHVM_VM_WRITE, DEVICE, machvm_vm_write, 0, KERN_PROTECTION_FAILURE, good_write),
	ROW(MACHVM_VM_INHERIT, DEVICE, machvm_vm_inherit,
	    offsetof(struct machvm_vm_inherit, __reserved), 0, good_inherit),
	ROW(MACHVM_VM_WIRE, DEVICE, machvm_vm_wire, 0, 0, good_wire),
	ROW(MACHVM_VM_WIRE_ALL, DEVICE, machvm_vm_wire_all, 0, 0, good_wire_all),
	ROW(MACHVM_VM_ALLOCATE_CONTIGUOUS, DEVICE, machvm_vm_allocate_contiguous, 0, 0,
	    good_contiguous),
	ROW(MACHVM_VM_PAGES_PHYS, DEVICE, machvm_vm_pages_phys, 0, 0, good_phys),
	ROW(MACHVM_VM_SET_SIZE_LIMIT, DEVICE, machvm_vm_size_limit,
	    offsetof(struct machvm_vm_size_limit, __reserved), 0, good_set_limit),
	ROW(MACHVM_VM_GET_SIZE_LIMIT, DEVICE, machvm_vm_size_limit,
	    offsetof(struct machvm_vm_size_limit, __reserved), 0, good_limit),
	ROW(MACHVM_VM_PAGEOUT, DEVICE, machvm_vm_pageout, 0, 0, good_pageout),
	ROW(MACHVM_SET_DEFAULT_MANAGER, DEVICE, machvm_default_manager, 0, 0, good_manager),
	ROW(MACHVM_VM_MSYNC, DEVICE, machvm_vm_msync,
	    offsetof(struct machvm_vm_msync, __reserved), 0, good_msync),
	ROW(MACHVM_OBJECT_SYNC, DEVICE, machvm_object_sync,
	    offsetof(struct machvm_object_sync, __reserved), 0, good_object_sync),
	ROW(MACHVM_TASK_PORT, DEVICE, machvm_task_port,
	    offsetof(struct machvm_task_port, __reserved), 0, good_task_port),
	ROW(MACHVM_VM_STATISTICS, DEVICE, machvm_vm_statistics, 0, 0, good_version),
	ROW(MACHVM_TASK_INFO, DEVICE, machvm_task_info, 0, 0, good_task_info),
	ROW(MACHVM_VM_CACHE_STATISTICS, DEVICE, machvm_vm_cache_statistics,
	    offsetof(struct machvm_vm_cache_statistics, __reserved), 0, good_version),
	ROW(MACHVM_FAULT_INFO, DEVICE, machvm_fault_info,
	    offsetof(struct machvm_fault_info, __reserved), 0, good_fault_info),
	ROW(MACHVM_OBJECT_CREATE, DEVICE, machvm_object_create,
	    offsetof(struct machvm_object_create, __reserved), 0, good_version),
	ROW(MACHVM_OBJECT_INFO, DEVICE, machvm_object_info,
	    offsetof(struct machvm_object_info, __reserved), 0, good_version),
	ROW(MACHVM_OBJECT_PAGES, DEVICE, machvm_object_pages,
	    offsetof(struct machvm_object_pages, __reserved), 0, good_pages),
	ROW(MACHVM_PROXY_CREATE, DEVICE, machvm_proxy_create, 0, 0, good_proxy),
	ROW(MACHVM_REGION_PROXY, DEVICE, machvm_region_proxy, 0, 0, good_region_proxy),
	GREW(MACHVM_PORT_INFO, DEVICE, machvm_port_info,
	     offsetof(struct machvm_port_info, out_open), 0, 0, good_version),
	ROW(MACHVM_WAITER_INFO, DEVICE, machvm_waiter_info,
	    offsetof(struct machvm_waiter_info, __reserved), -ENOENT, good_version),
	ROW(MACHVM_CONTROL_BIND, CONTROL, machvm_control_bind, 0, -EBADF, good_bind),
	ROW(MACHVM_DATA_SUPPLY, CONTROL, machvm_data_supply, 0, 0, good_supply),
	ROW(MACHVM_RETURN_READ, CONTROL, machvm_data_return,
	    offsetof(struct machvm_data_return, __reserved), KERN_INVALID_ADDRESS,
	    good_return_read),
	ROW(MACHVM_RETURN_MAP, CONTROL, machvm_data_return,
	    offsetof(struct machvm_data_return, __reserved), KERN_INVALID_ADDRESS, good_return),
	ROW(MACHVM_RETURN_RELEASE, CONTROL, machvm_data_return,
	    offsetof(struct machvm_data_return, __reserved), KERN_INVALID_ADDRESS, good_return),
	ROW(MACHVM_LOCK_REQUEST, CONTROL, machvm_lock_request, 0, 0, good_lock),
	ROW(MACHVM_SET_ATTRIBUTES, CONTROL, machvm_attributes, 0, 0, good_attributes),
	ROW(MACHVM_GET_ATTRIBUTES, CONTROL, machvm_attributes,
	    offsetof(struct machvm_attributes, epoch), 0, good_version),
	ROW(MACHVM_CONTROL_COPY, CONTROL, machvm_control_copy, 0, KERN_INVALID_ARGUMENT,
	    good_version),
	ROW(MACHVM_CONTROL_ABSENCE, CONTROL, machvm_control_absence,
	    offsetof(struct machvm_control_absence, __reserved), 0, good_version),
	ROW(MACHVM_CONTROL_OPEN, CONTROL, machvm_control_open,
	    offsetof(struct machvm_control_open, __reserved), KERN_INVALID_ARGUMENT, good_version),
	ROW(MACHVM_OBJECT_DESTROY, CONTROL, machvm_object_destroy, 0, 0, good_version),
	ROW(MACHVM_VM_DEALLOCATE, DEVICE, machvm_vm_deallocate, 0, 0, good_deallocate),
	{ 0 },
};
