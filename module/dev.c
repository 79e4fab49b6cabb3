// SPDX-License-Identifier: GPL-2.0-only
/*
 * dev.c - /dev/machvm: the vm_* calls on the caller's own map, and new memory objects.
 * Callers: user space.
 * Never: keeps anything in the open file, which is no authority over any map.
 * Locks: none.
 */
#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "bytes.h"
#include "contig.h"
#include "fetch.h"
#include "ioctl.h"
#include "manager.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "pageout.h"
#include "proxy.h"
#include "resident.h"
#include "task.h"
#include "user.h"
#include "vm.h"

/* After a call that may have wired memory, or taken wired memory away. */
static void map_done(struct machvm_map *map)
{
	machvm_resident_settle(map);
	machvm_map_put(map);
}

/*
 * Brings in what the call has wired of a range, new memory or memory that can be read again.  What
 * cannot be had now will be kept once it is touched.
 */
static void map_filled(struct machvm_map *map, u64 addr, u64 length)
{
	if (READ_ONCE(map->wired_size))
		machvm_resident_fill(map, addr & PAGE_MASK, PAGE_ALIGN(addr + length));
	map_done(map);
}

static long vm_allocate(struct file *file, void *arg)
{
	struct machvm_vm_allocate *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->__reserved || call->anywhere > 1)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_allocate(map, &call->address, call->length, call->anywhere);
	map_filled(map, call->address, ret ? 0 : call->length);
	return ret;
}

static long vm_deallocate(struct file *file, void *arg)
{
	struct machvm_vm_deallocate *call = arg;
	struct machvm_map *map;
	long ret;

	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_deallocate(map, call->address, call->length);
	map_done(map);
	return ret;
}

static long vm_protect(struct file *file, void *arg)
{
	struct machvm_vm_protect *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->set_maximum > 1)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_protect(map, call->address, call->length, call->set_maximum,
				call->protection);
	map_filled(map, call->address, ret ? 0 : call->length);
	return ret;
}

/* What a copy needs at once is there, and stays, until it is made. */
static long map_memobj(struct machvm_map *map, struct machvm_vm_map *call,
		       struct machvm_memobj *memobj, u64 *addr)
{
	struct machvm_object *held = NULL;
	long ret = 0;

	if (call->copy)
		ret = machvm_fetch_object(memobj, call->offset, call->length, map->user, &held);
	ret = ret ?: machvm_vm_map(map, call, memobj, addr);
	if (held)
		machvm_object_put(held);
	return ret;
}

/* Maps what the descriptor is a right to: a memory object, or a proxy. */
static long map_object(struct machvm_map *map, struct machvm_vm_map *call, u64 *addr)
{
	struct machvm_memobj *memobj = machvm_memobj_from_fd(call->object);
	struct machvm_proxy *proxy;
	long ret;

	if (memobj) {
		ret = map_memobj(map, call, memobj, addr);
		machvm_memobj_put(memobj);
		return ret;
	}
	proxy = machvm_proxy_from_fd(call->object);
	if (!proxy)
		return MACHVM_KERN_INVALID_ARGUMENT;	/* Mach: not a memory object */
	ret = machvm_vm_map_proxy(map, call, proxy, addr);
	machvm_proxy_put(proxy);
	return ret;
}

static long vm_map(struct file *file, void *arg)
{
	struct machvm_vm_map *call = arg;
	struct machvm_map *map;
	u64 addr;
	long ret;

	if (call->anywhere > 1 || call->copy > 1)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	if (call->object >= 0)
		ret = map_object(map, call, &addr);
	else
		ret = machvm_vm_map(map, call, NULL, &addr);
	if (!ret)
		call->address = addr;
	map_filled(map, call->address, ret ? 0 : call->length);
	return ret;
}

static long vm_inherit(struct file *file, void *arg)
{
	struct machvm_vm_inherit *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->__reserved)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_inherit(map, call->address, call->length, call->inheritance);
	machvm_map_put(map);
	return ret;
}

static long vm_copy(struct file *file, void *arg)
{
	struct machvm_vm_copy *call = arg;
	struct machvm_map *map;
	long ret;

	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_fetch_range(map, call->source, call->length) ?:
	      machvm_bytes_copy(map, map, call->source, call->length, call->destination);
	map_done(map);
	return ret;
}

static long vm_read(struct file *file, void *arg)
{
	struct machvm_vm_read *call = arg;
	struct machvm_map *map, *own;
	long ret;

	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	own = machvm_task_map(MACHVM_TASK_SELF, &ret);
	if (own) {
		ret = machvm_fetch_range(map, call->address, call->length) ?:
		      machvm_bytes_read(map, call->address, call->length, own, &call->out_data);
		map_filled(own, call->out_data, ret ? 0 : call->length);
	}
	machvm_map_put(map);
	return ret;
}

static long vm_write(struct file *file, void *arg)
{
	struct machvm_vm_write *call = arg;
	struct machvm_map *map, *own;
	long ret;

	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	own = machvm_task_map(MACHVM_TASK_SELF, &ret);
	if (own) {
		ret = machvm_fetch_range(own, call->data, call->length) ?:
		      machvm_bytes_copy(own, map, call->data, call->length, call->address);
		map_done(own);
	}
	machvm_map_put(map);
	return ret;
}

static long vm_wire(struct file *file, void *arg)
{
	struct machvm_vm_wire *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->privileged > 1)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_resident_wire(map, call->address, call->length, call->access,
				   call->privileged);
	map_done(map);
	return ret;
}

static long vm_wire_all(struct file *file, void *arg)
{
	struct machvm_vm_wire_all *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->privileged > 1)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_resident_wire_all(map, call->flags, call->privileged);
	map_done(map);
	return ret;
}

static long vm_allocate_contiguous(struct file *file, void *arg)
{
	struct machvm_vm_allocate_contiguous *call = arg;
	struct machvm_map *map;
	long ret;

	if (!capable(CAP_SYS_RAWIO))
		return MACHVM_KERN_NO_ACCESS;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	if (call->pmin || (call->palign && PAGE_SIZE % call->palign))
		ret = MACHVM_KERN_INVALID_ARGUMENT;
	else
		ret = machvm_contig_allocate(map, call->length, call->pmax, &call->out_address,
					     &call->out_physical);
	map_filled(map, call->out_address, ret ? 0 : call->length);
	return ret;
}

#define PHYS_BATCH 32

/* Not with a lock held: the answers go to user memory. */
static long pages_phys(struct machvm_map *map, u64 addr, u64 nr, u64 __user *to)
{
	u64 phys[PHYS_BATCH];

	while (nr) {
		unsigned long part = min_t(u64, nr, PHYS_BATCH);
		long ret = machvm_contig_phys(map, addr, phys, part);

		if (ret)
			return ret;
		if (copy_to_user(to, phys, part * sizeof(*to)))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		addr += part << PAGE_SHIFT;
		to += part;
		nr -= part;
	}
	return MACHVM_KERN_SUCCESS;
}

static long vm_pages_phys(struct file *file, void *arg)
{
	struct machvm_vm_pages_phys *call = arg;
	struct machvm_map *map;
	long ret;

	if (!capable(CAP_SYS_RAWIO))
		return MACHVM_KERN_NO_ACCESS;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	if (!PAGE_ALIGNED(call->address | call->length))
		ret = MACHVM_KERN_INVALID_ARGUMENT;
	else
		ret = pages_phys(map, call->address, call->length >> PAGE_SHIFT,
				 u64_to_user_ptr(call->pages));
	machvm_map_put(map);
	return ret;
}

/* One change at a time: who is told of the one before must be told of the right one. */
static DEFINE_MUTEX(manager_mutex);

/*
 * A descriptor of the manager that there is, -1 for the store, comes first: without it nothing
 * changes.  A reference on @manager is consumed if it is set.
 */
static int swap_manager(struct machvm_memobj *manager, bool set, int *fd)
{
	struct machvm_memobj *previous;

	lockdep_assert_held(&manager_mutex);
	previous = machvm_manager_get();
	*fd = max(previous ? machvm_memobj_open_object(previous) : -1, -1);
	if (previous)
		machvm_memobj_put(previous);
	if (previous && *fd < 0)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	previous = set ? machvm_manager_set(manager) : NULL;
	if (previous)
		machvm_memobj_put(previous);
	return MACHVM_KERN_SUCCESS;
}

static struct machvm_memobj *manager_from_fd(int fd)
{
	struct machvm_memobj *manager = machvm_memobj_from_fd(fd);

	if (!manager || (!manager->bank && !READ_ONCE(manager->dead)))
		return manager;
	machvm_memobj_put(manager);
	return NULL;
}

static long set_default_manager(struct file *file, void *arg)
{
	struct machvm_default_manager *call = arg;
	struct machvm_memobj *manager = NULL;
	bool set = call->manager >= 0 || call->flags;
	int ret;

	if (call->flags & ~MACHVM_MANAGER_KERNEL || (call->flags && call->manager >= 0))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return MACHVM_KERN_NO_ACCESS;
	if (call->manager >= 0) {
		manager = manager_from_fd(call->manager);
		if (!manager)
			return MACHVM_KERN_INVALID_ARGUMENT;
	}
	ret = mutex_lock_killable(&manager_mutex);
	if (!ret) {
		ret = swap_manager(manager, set, &call->out_previous);
		mutex_unlock(&manager_mutex);
	}
	if (ret && manager)
		machvm_memobj_put(manager);
	return ret;
}

static long vm_set_size_limit(struct file *file, void *arg)
{
	struct machvm_vm_size_limit *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->privileged > 1 || call->__reserved)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_set_size_limit(map, call->limit, call->maximum,
				       call->privileged && capable(CAP_SYS_RESOURCE));
	machvm_map_put(map);
	return ret;
}

static long vm_get_size_limit(struct file *file, void *arg)
{
	struct machvm_vm_size_limit *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->privileged || call->__reserved)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_get_size_limit(map, &call->limit, &call->maximum);
	machvm_map_put(map);
	return ret;
}

static long vm_pageout(struct file *file, void *arg)
{
	struct machvm_vm_pageout *call = arg;
	struct machvm_map *map;
	long ret;

	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_pageout(map, call->address, call->length, &call->out_pages);
	machvm_map_put(map);
	return ret;
}

static long vm_msync(struct file *file, void *arg)
{
	struct machvm_vm_msync *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->__reserved)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	ret = machvm_vm_msync(map, call->address, call->length, call->flags);
	machvm_map_put(map);
	return ret;
}

static long object_sync(struct file *file, void *arg)
{
	struct machvm_object_sync *call = arg;
	struct machvm_map *map;
	long ret;

	if (call->__reserved || call->should_return > 1 || call->should_flush > 1)
		return -EINVAL;
	map = machvm_task_look(MACHVM_TASK_SELF, &ret);
	ret = machvm_vm_object_sync(map, call->id, call->offset, call->length, call->should_flush,
				    call->should_return);
	if (map)
		machvm_map_put(map);
	return ret;
}

static long task_port(struct file *file, void *arg)
{
	return machvm_task_port(arg);
}

static long object_create(struct file *file, void *arg)
{
	struct machvm_object_create *call = arg;
	struct machvm_user *user;
	struct machvm_memobj *memobj;
	long ret = -ENOMEM;

	if (call->__reserved)
		return -EINVAL;
	user = machvm_user_current();
	if (!user)
		return -ENOMEM;
	memobj = machvm_memobj_create(user);
	machvm_user_put(user);
	if (IS_ERR(memobj))
		return PTR_ERR(memobj);
	ret = machvm_memobj_open(memobj, call);
	machvm_memobj_put(memobj);
	return ret;
}

static const struct machvm_ioctl dev_ioctls[] = {
	MACHVM_IOCTL_ROW(MACHVM_VERSION, machvm_version, out_page_shift, machvm_ioctl_version),
	MACHVM_IOCTL_ROW(MACHVM_VM_ALLOCATE, machvm_vm_allocate, length, vm_allocate),
	MACHVM_IOCTL_ROW(MACHVM_VM_DEALLOCATE, machvm_vm_deallocate, length, vm_deallocate),
	MACHVM_IOCTL_ROW(MACHVM_VM_PROTECT, machvm_vm_protect, protection, vm_protect),
	MACHVM_IOCTL_ROW(MACHVM_VM_MAP, machvm_vm_map, inheritance, vm_map),
	MACHVM_IOCTL_ROW(MACHVM_VM_INHERIT, machvm_vm_inherit, __reserved, vm_inherit),
	MACHVM_IOCTL_ROW(MACHVM_VM_COPY, machvm_vm_copy, destination, vm_copy),
	MACHVM_IOCTL_ROW(MACHVM_VM_READ, machvm_vm_read, out_data, vm_read),
	MACHVM_IOCTL_ROW(MACHVM_VM_WRITE, machvm_vm_write, length, vm_write),
	MACHVM_IOCTL_ROW(MACHVM_VM_WIRE, machvm_vm_wire, privileged, vm_wire),
	MACHVM_IOCTL_ROW(MACHVM_VM_WIRE_ALL, machvm_vm_wire_all, privileged, vm_wire_all),
	MACHVM_IOCTL_ROW(MACHVM_VM_ALLOCATE_CONTIGUOUS, machvm_vm_allocate_contiguous,
			 out_physical, vm_allocate_contiguous),
	MACHVM_IOCTL_ROW(MACHVM_VM_PAGES_PHYS, machvm_vm_pages_phys, pages, vm_pages_phys),
	MACHVM_IOCTL_ROW(MACHVM_VM_SET_SIZE_LIMIT, machvm_vm_size_limit, __reserved,
			 vm_set_size_limit),
	MACHVM_IOCTL_ROW(MACHVM_VM_GET_SIZE_LIMIT, machvm_vm_size_limit, __reserved,
			 vm_get_size_limit),
	MACHVM_IOCTL_ROW(MACHVM_SET_DEFAULT_MANAGER, machvm_default_manager, out_previous,
			 set_default_manager),
	MACHVM_IOCTL_ROW(MACHVM_VM_PAGEOUT, machvm_vm_pageout, out_pages, vm_pageout),
	MACHVM_IOCTL_ROW(MACHVM_VM_MSYNC, machvm_vm_msync, __reserved, vm_msync),
	MACHVM_IOCTL_ROW(MACHVM_OBJECT_SYNC, machvm_object_sync, should_flush, object_sync),
	MACHVM_IOCTL_ROW(MACHVM_TASK_PORT, machvm_task_port, __reserved, task_port),
	MACHVM_IOCTL_ROW(MACHVM_VM_REGION, machvm_vm_region, __reserved, machvm_ioctl_vm_region),
	MACHVM_IOCTL_ROW(MACHVM_VM_STATISTICS, machvm_vm_statistics, out_managed,
			 machvm_ioctl_vm_statistics),
	MACHVM_IOCTL_ROW(MACHVM_TASK_INFO, machvm_task_info, out_cow_faults,
			 machvm_ioctl_task_info),
	MACHVM_IOCTL_ROW(MACHVM_VM_CACHE_STATISTICS, machvm_vm_cache_statistics,
			 out_slab_reclaim_count, machvm_ioctl_vm_cache_statistics),
	MACHVM_IOCTL_ROW(MACHVM_FAULT_INFO, machvm_fault_info, __reserved,
			 machvm_ioctl_fault_info),
	MACHVM_IOCTL_ROW(MACHVM_OBJECT_CREATE, machvm_object_create, out_id, object_create),
	MACHVM_IOCTL_ROW(MACHVM_OBJECT_INFO, machvm_object_info, out_size,
			 machvm_ioctl_object_info),
	MACHVM_IOCTL_ROW(MACHVM_OBJECT_PAGES, machvm_object_pages, __reserved,
			 machvm_ioctl_object_pages),
	MACHVM_IOCTL_ROW(MACHVM_PROXY_CREATE, machvm_proxy_create, out_owner,
			 machvm_ioctl_proxy_create),
	MACHVM_IOCTL_ROW(MACHVM_REGION_PROXY, machvm_region_proxy, out_owner,
			 machvm_ioctl_region_proxy),
	MACHVM_IOCTL_ROW(MACHVM_PORT_INFO, machvm_port_info, out_oldest_ns,
			 machvm_ioctl_port_info),
	MACHVM_IOCTL_ROW(MACHVM_WAITER_INFO, machvm_waiter_info, __reserved,
			 machvm_ioctl_waiter_info),
};

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return machvm_ioctl_dispatch(file, dev_ioctls, ARRAY_SIZE(dev_ioctls), cmd,
				     (void __user *)arg);
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "machvm",
	.fops = &dev_fops,
	.mode = 0600,	/* a udev rule opens it to a group */
};

int machvm_dev_init(void)
{
	return misc_register(&device);
}

void machvm_dev_exit(void)
{
	misc_deregister(&device);
}
