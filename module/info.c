// SPDX-License-Identifier: GPL-2.0-only
/*
 * info.c - the calls that only look: regions, objects, ports, counters, the last fault.
 * Callers: dev.c's table.
 * Never: changes anything; shows other users' objects to those without the right.
 * Locks: map->lock and family->lock for reading, port->lock.
 */
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include "arena.h"
#include "cache.h"
#include "ioctl.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "port.h"
#include "request.h"
#include "stats.h"
#include "task.h"
#include "user.h"
#include "vm.h"

long machvm_ioctl_vm_region(struct file *file, void *arg)
{
	struct machvm_vm_region *call = arg;
	struct machvm_region region;
	struct machvm_map *map;
	long ret;

	if (call->count > 1 || call->__reserved)
		return -EINVAL;
	map = machvm_task_look(call->task, &ret);
	if (!map)
		return ret;
	if (call->count)
		ret = machvm_vm_region_count(map, call->address, &region);
	else
		ret = machvm_vm_region(map, call->address, &region);
	machvm_map_put(map);
	if (ret)
		return ret;
	call->address = region.start;
	call->out_length = region.end - region.start;
	call->out_protection = region.protection;
	call->out_max_protection = region.max_protection;
	call->out_inheritance = region.inheritance;
	call->out_flags = region.flags;
	call->out_object = region.object;
	call->out_offset = region.offset;
	call->out_resident = region.resident;
	call->out_dirty = region.dirty;
	call->out_shadow_depth = region.depth;
	call->out_wired = region.wired;
	return MACHVM_KERN_SUCCESS;
}

/* Counters that are read one after the other need not add up while pages come and go. */
static u64 not_negative(s64 difference)
{
	return max_t(s64, difference, 0);
}

/* Adds the regions up, one at a time: they may change meanwhile. */
static long sum_regions(struct machvm_map *map, struct machvm_task_info *call)
{
	struct machvm_region region;
	u64 at = 0;
	long ret;

	while (!(ret = machvm_vm_region_count(map, at, &region))) {
		call->out_virtual_size += region.end - region.start;
		call->out_resident_size += region.resident << PAGE_SHIFT;
		at = region.end;
		cond_resched();
	}
	return ret == MACHVM_KERN_NO_SPACE ? MACHVM_KERN_SUCCESS : ret;
}

long machvm_ioctl_task_info(struct file *file, void *arg)
{
	struct machvm_task_info *call = arg;
	struct machvm_map *map;
	long ret;

	map = machvm_task_look(call->task, &ret);
	call->out_virtual_size = 0;
	call->out_resident_size = 0;
	if (!map)
		return ret;
	ret = sum_regions(map, call);
	call->out_faults = atomic_long_read(&map->events[MACHVM_EVENT_FAULTS]);
	call->out_zero_fills = atomic_long_read(&map->events[MACHVM_EVENT_ZERO_FILLS]);
	call->out_reactivations = atomic_long_read(&map->events[MACHVM_EVENT_REACTIVATIONS]);
	call->out_pageins = atomic_long_read(&map->events[MACHVM_EVENT_PAGEINS]);
	call->out_cow_faults = atomic_long_read(&map->events[MACHVM_EVENT_COW_FAULTS]);
	machvm_map_put(map);
	return ret;
}

enum { TMP, PERM, NR_KINDS };

#define COUNT_BATCH 1024

/* Of so many pages from *index on; true if there may be more. */
static bool count_wired_batch(struct machvm_object *object, u64 *index, s64 *nr)
{
	unsigned int i;
	bool more = true;

	down_read(&object->family->lock);
	for (i = 0; i < COUNT_BATCH && more; i++) {
		more = READ_ONCE(object->family->nr_wired) &&
		       machvm_page_next(object, index, ULONG_MAX);
		if (more)
			*nr += machvm_page_wired_locked(object, (*index)++);
	}
	up_read(&object->family->lock);
	return more;
}

/*
 * Each page once, however many wired regions show it; so a count for each map would not do.  Looks
 * at all objects, and at all pages of the families of such regions, unless there is none.
 */
static void count_wired(s64 wired[NR_KINDS])
{
	struct machvm_object *object;
	u64 id;

	if (!machvm_stat_sum(MACHVM_STAT_WIRED))
		return;
	for (id = 0; (object = machvm_object_first(id));) {
		s64 *nr = &wired[object->memobj ? PERM : TMP];
		u64 index = 0;

		while (count_wired_batch(object, &index, nr) && !fatal_signal_pending(current))
			cond_resched();
		id = object->id + 1;
		machvm_object_put(object);
	}
}

long machvm_ioctl_vm_statistics(struct file *file, void *arg)
{
	s64 inactive = machvm_stat_sum(MACHVM_STAT_INACTIVE_TMP) +
		       machvm_stat_sum(MACHVM_STAT_INACTIVE_PERM);
	struct machvm_vm_statistics *call = arg;
	s64 wired[NR_KINDS] = {};

	count_wired(wired);
	call->out_pagesize = PAGE_SIZE;
	call->out_free_count = global_zone_page_state(NR_FREE_PAGES);
	call->out_inactive_count = inactive;
	call->out_wire_count = wired[TMP] + wired[PERM];
	call->out_active_count = not_negative(machvm_stat_sum(MACHVM_STAT_PAGES) - inactive -
					      call->out_wire_count);
	call->out_zero_fill_count = machvm_stat_sum(MACHVM_STAT_ZERO_FILL);
	call->out_reactivations = machvm_stat_sum(MACHVM_STAT_REACTIVATIONS);
	call->out_pageins = machvm_stat_sum(MACHVM_STAT_PAGEINS);
	call->out_pageouts = machvm_stat_sum(MACHVM_STAT_PAGEOUTS);
	call->out_faults = machvm_stat_sum(MACHVM_STAT_FAULTS);
	call->out_cow_faults = machvm_stat_sum(MACHVM_STAT_COW_FAULTS);
	call->out_lookups = machvm_stat_sum(MACHVM_STAT_LOOKUPS);
	call->out_hits = machvm_stat_sum(MACHVM_STAT_HITS);
	call->out_requests = machvm_stat_sum(MACHVM_STAT_REQUESTS);
	call->out_unasked = machvm_stat_sum(MACHVM_STAT_UNASKED);
	call->out_refused = machvm_stat_sum(MACHVM_STAT_REFUSED);
	call->out_errors = machvm_stat_sum(MACHVM_STAT_ERRORS);
	call->out_objects = machvm_stat_sum(MACHVM_STAT_OBJECTS);
	call->out_maps = machvm_stat_sum(MACHVM_STAT_MAPS);
	call->out_ports = machvm_stat_sum(MACHVM_STAT_PORTS);
	call->out_queued = machvm_stat_sum(MACHVM_STAT_QUEUED);
	call->out_paged_out = machvm_stat_sum(MACHVM_STAT_PAGED_OUT);
	call->out_managed = machvm_stat_sum(MACHVM_STAT_BANKED);
	call->out_lost = machvm_stat_sum(MACHVM_STAT_LOST);
	call->out_collapses = machvm_stat_sum(MACHVM_STAT_COLLAPSES);
	call->out_bypasses = machvm_stat_sum(MACHVM_STAT_BYPASSES);
	return MACHVM_KERN_SUCCESS;
}

long machvm_ioctl_vm_cache_statistics(struct file *file, void *arg)
{
	struct machvm_vm_cache_statistics *call = arg;
	unsigned long reclaimable = global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B);
	s64 wired[NR_KINDS] = {};

	if (call->__reserved)
		return -EINVAL;
	count_wired(wired);
	call->out_cache_object_count = machvm_stat_sum(MACHVM_STAT_EXTERNAL);
	call->out_cache_count = machvm_stat_sum(MACHVM_STAT_RESIDENT_PERM);
	call->out_inactive_tmp_count = machvm_stat_sum(MACHVM_STAT_INACTIVE_TMP);
	call->out_active_tmp_count = not_negative(machvm_stat_sum(MACHVM_STAT_RESIDENT_TMP) -
						  wired[TMP] -
						  call->out_inactive_tmp_count);
	call->out_inactive_perm_count = machvm_stat_sum(MACHVM_STAT_INACTIVE_PERM);
	call->out_active_perm_count = not_negative(call->out_cache_count -
						   wired[PERM] -
						   call->out_inactive_perm_count);
	call->out_dirty_count = machvm_stat_sum(MACHVM_STAT_DIRTY);
	call->out_laundry_count = machvm_stat_sum(MACHVM_STAT_LAUNDRY);
	call->out_writeback_count = machvm_stat_sum(MACHVM_STAT_WRITEBACK);
	call->out_slab_count = global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) + reclaimable;
	call->out_slab_reclaim_count = reclaimable;
	return MACHVM_KERN_SUCCESS;
}

long machvm_ioctl_fault_info(struct file *file, void *arg)
{
	struct machvm_fault_info *call = arg;
	struct machvm_map *map;
	int reason, error = 0;

	if (call->__reserved)
		return -EINVAL;
	map = current->mm ? machvm_arena_find(current->mm) : NULL;
	if (!map)
		return MACHVM_KERN_INVALID_ADDRESS;
	reason = machvm_note_read(map, call->address, &error);
	machvm_map_put(map);
	if (!reason)
		return MACHVM_KERN_INVALID_ADDRESS;
	call->address &= PAGE_MASK;
	call->out_reason = reason;
	call->out_error = error;
	return MACHVM_KERN_SUCCESS;
}

static u64 age_of(const struct machvm_request *request)
{
	return request ? ktime_get_ns() - request->msg.queued_ns : 0;
}

static void describe_memobj(struct machvm_memobj *memobj, struct machvm_object_info *call)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);

	call->out_port = port->id;
	call->out_oldest_request_ns = age_of(list_first_entry_or_null(&memobj->open,
								      struct machvm_request, open));
	call->out_requests = memobj->nr_open;
	if (memobj->state == MACHVM_MEMOBJ_READY)
		call->out_flags |= MACHVM_OBJECT_READY;
	if (memobj->state != MACHVM_MEMOBJ_IDLE)
		call->out_flags |= MACHVM_OBJECT_INITIALIZED;
	if (memobj->may_cache)
		call->out_flags |= MACHVM_OBJECT_CACHEABLE;
	if (memobj->temporary)
		call->out_flags |= MACHVM_OBJECT_TEMPORARY;
	call->out_copy_strategy = memobj->copy_strategy;
	if (memobj->dead)
		call->out_flags |= MACHVM_OBJECT_DEAD;
	if (list_empty(&port->bindings))
		call->out_flags |= MACHVM_OBJECT_ABSENT;
	machvm_memobj_unlock_port(port);
	call->out_requested = atomic_long_read(&memobj->requested);
	call->out_supplied = atomic_long_read(&memobj->supplied);
	call->out_unasked = atomic_long_read(&memobj->unasked);
}

/* Returns 0 or -EINTR. */
static int describe_object(struct machvm_object *object, struct machvm_object_info *call)
{
	bool destroyed;

	down_read(&object->family->lock);
	call->id = object->id;
	call->out_ref_count = refcount_read(&object->refs) - 1;	/* ours */
	call->out_size = READ_ONCE(object->size);
	if (object->shadow) {
		call->out_shadow = object->shadow->id;
		call->out_shadow_offset = object->shadow_index << PAGE_SHIFT;
	}
	if (object->copy)
		call->out_copy = object->copy->id;
	call->out_shadow_depth = machvm_object_depth_locked(object);
	call->out_copy_strategy = MACHVM_COPY_SYMMETRIC;
	destroyed = object->flags & MACHVM_OBJ_DESTROYED;
	if (machvm_object_shows_shared(object))
		call->out_flags |= MACHVM_OBJECT_SHARED;
	up_read(&object->family->lock);
	if (destroyed)
		call->out_flags |= MACHVM_OBJECT_DESTROYED;
	else if (object->memobj)
		describe_memobj(object->memobj, call);
	else
		call->out_flags |= MACHVM_OBJECT_INTERNAL;
	if (object->memobj && !destroyed && machvm_cache_has(object->memobj))
		call->out_flags |= MACHVM_OBJECT_CACHED;
	else
		call->out_flags |= MACHVM_OBJECT_MAPPED;
	return machvm_object_count(object, 0, ULONG_MAX, &call->out_resident, &call->out_dirty);
}

/* The first object with that number or a larger one that the caller may see, with a reference. */
static struct machvm_object *visible_object(u64 id)
{
	struct machvm_object *object;

	while ((object = machvm_object_first(id))) {
		if (machvm_user_may_see(object->user))
			break;
		id = object->id + 1;
		machvm_object_put(object);
		cond_resched();
	}
	return object;
}

/* The same for memory objects, of which nothing need be mapped. */
static struct machvm_memobj *visible_memobj(u64 id)
{
	struct machvm_memobj *memobj;

	while ((memobj = machvm_memobj_first(id))) {
		if (machvm_user_may_see(memobj->user))
			break;
		id = memobj->id + 1;
		machvm_memobj_put(memobj);
		cond_resched();
	}
	return memobj;
}

long machvm_ioctl_object_info(struct file *file, void *arg)
{
	struct machvm_object_info *call = arg;
	struct machvm_object *object;
	struct machvm_memobj *memobj;
	long ret = MACHVM_KERN_SUCCESS;
	u32 size = call->size;

	if (call->__reserved)
		return -EINVAL;
	object = visible_object(call->id);
	memobj = visible_memobj(call->id);
	if (!object && !memobj)
		return -ENOENT;
	memset(call, 0, sizeof(*call));
	call->size = size;
	if (object && (!memobj || object->id <= memobj->id)) {
		ret = describe_object(object, call);
	} else {
		call->id = memobj->id;
		describe_memobj(memobj, call);
	}
	if (memobj)
		machvm_memobj_put(memobj);
	if (object)
		machvm_object_put(object);
	return ret;
}

/*
 * The object behind @memobj, or the first one, with a reference; that on @memobj is dropped.  One
 * that has left the port meanwhile is the last.
 */
static struct machvm_memobj *next_on_port(struct machvm_port *port, struct machvm_memobj *memobj)
{
	struct list_head *at = &port->memobjs;
	struct machvm_memobj *next = NULL;

	spin_lock(&port->lock);
	if (!memobj || memobj->port == port) {
		at = memobj ? &memobj->on_port : at;
		list_for_each_continue(at, &port->memobjs) {
			next = list_entry(at, struct machvm_memobj, on_port);
			if (refcount_inc_not_zero(&next->refs))
				break;
			next = NULL;
		}
	}
	spin_unlock(&port->lock);
	if (memobj)
		machvm_memobj_put(memobj);
	return next;
}

/* There may be many, so others get the lock in between. */
static void describe_held(struct machvm_port *port, struct machvm_port_info *call)
{
	struct machvm_memobj *memobj = NULL;

	while ((memobj = next_on_port(port, memobj))) {
		call->out_resident += atomic_long_read(&memobj->resident);
		call->out_dirty += atomic_long_read(&memobj->dirty);
		call->out_returning += atomic_long_read(&memobj->writeback);
		cond_resched();
	}
}

static void describe_port(struct machvm_port *port, struct machvm_port_info *call)
{
	struct machvm_binding *binding;
	struct pid *pid;

	spin_lock(&port->lock);
	call->id = port->id;
	call->out_objects = port->nr_objects;
	list_for_each_entry(binding, &port->bindings, node)
		call->out_sockets++;
	call->out_queued = port->nr_queued;
	call->out_sent = port->nr_sent;
	call->out_messages = port->messages;
	call->out_requests = port->requests;
	call->out_supplied = port->supplied;
	call->out_oldest_ns = age_of(list_first_entry_or_null(&port->open, struct machvm_request,
							      open_on_port));
	call->out_open = port->nr_open;
	call->out_returned = port->returned;
	pid = get_pid(port->pid);
	spin_unlock(&port->lock);
	call->out_pid = pid_vnr(pid);
	put_pid(pid);
	describe_held(port, call);
}

long machvm_ioctl_port_info(struct file *file, void *arg)
{
	struct machvm_port_info *call = arg;
	struct machvm_port *port;
	u64 id = call->id;
	u32 size = call->size;

	while ((port = machvm_port_first(id))) {
		if (machvm_user_may_see(port->user))
			break;
		id = port->id + 1;
		machvm_port_put(port);
	}
	if (!port)
		return -ENOENT;
	memset(call, 0, sizeof(*call));
	call->size = size;
	describe_port(port, call);
	machvm_port_put(port);
	return MACHVM_KERN_SUCCESS;
}
