// SPDX-License-Identifier: GPL-2.0-only
/*
 * vma.c - the only file that knows vm_area_struct: mapping a window, faults, fork, the end.
 * Callers: Linux's mm.
 * Never: decides what an address shows; fault.c and vm.c do.
 * Locks: comes in with mmap_lock (or the VMA lock, for a fault) held; gives a fault's lock back
 * before it sleeps.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include "arena.h"
#include "cluster.h"
#include "fault.h"
#include "laundry.h"
#include "layout.h"
#include "map.h"
#include "memobj.h"
#include "pmap.h"
#include "request.h"
#include "resident.h"
#include "stats.h"
#include "trace.h"
#include "user.h"
#include "vm.h"
#include "waiter.h"
#include "window.h"

/* Memory shortage of our own making is the program's fault, not the machine's: no OOM kill. */
static vm_fault_t vm_fault_of(struct machvm_map *map, u64 addr, int kr, int error)
{
	if (!machvm_note_prepare(map))
		machvm_note_set(map, addr, kr, error, false);
	switch (kr) {
	case MACHVM_KERN_INVALID_ADDRESS:
	case MACHVM_KERN_PROTECTION_FAILURE:
	case MACHVM_KERN_WRITE_PROTECTION_FAILURE:
		return VM_FAULT_SIGSEGV;
	default:
		return VM_FAULT_SIGBUS;
	}
}

/*
 * A fault that nobody could interrupt, or that Linux cannot try again, must not wait for a pager:
 * kernel threads, tasks on their way out, and get_user_pages without a retry.
 */
static bool may_wait(struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_ALLOW_RETRY &&
	       !(current->flags & (PF_KTHREAD | PF_EXITING | PF_DUMPCORE));
}

/*
 * True if any signal may end the wait, not only a fatal one: it is handled on the way back to the
 * program.  A trap inside a system call comes back here instead, so that must wait the second time.
 */
static bool is_interruptible(struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_INTERRUPTIBLE &&
	       (vmf->flags & FAULT_FLAG_USER || !(vmf->flags & FAULT_FLAG_TRIED));
}

/*
 * Sleeps until the request is answered.  Woken by machvm_request_finish(); what it finds then is
 * for the next fault, which Linux makes at once.
 * In: ->wait referenced; mmap_lock or VMA lock held.  Out: both given back, the VMA is unknown.
 */
static vm_fault_t wait_for_pager(struct vm_fault *vmf, struct machvm_fault *fault)
{
	struct machvm_request *request = fault->wait;
	struct machvm_map *map = fault->map;
	bool interruptible = is_interruptible(vmf);
	struct file *file = get_file(vmf->vma->vm_file);	/* holds the module */

	machvm_map_get(map);
	release_fault_lock(vmf);
	if (fault->asked)
		machvm_cluster_ask(request, map->user);
	machvm_memobj_pump(request->msg.memobj);
	if (interruptible)
		wait_event_interruptible(request->wait, machvm_request_done(request));
	else
		wait_event_killable(request->wait, machvm_request_done(request));
	if (machvm_request_done(request) && request->result == MACHVM_KERN_SUCCESS)
		machvm_map_count(map, MACHVM_EVENT_PAGEINS);
	if (machvm_request_done(request) && request->result == MACHVM_KERN_MEMORY_ERROR)
		machvm_note_set(map, fault->addr, request->result, request->error, true);
	machvm_request_put(request);
	machvm_map_put(map);
	fput(file);
	return VM_FAULT_RETRY | VM_FAULT_MAJOR;
}

static vm_fault_t fault_wait(struct vm_fault *vmf, struct machvm_fault *fault)
{
	bool waits = may_wait(vmf) && !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT);

	if (waits && !machvm_note_prepare(fault->map))
		return wait_for_pager(vmf, fault);
	machvm_memobj_pump(fault->wait->msg.memobj);	/* asked all the same, for who comes next */
	machvm_request_put(fault->wait);
	if (waits)
		return VM_FAULT_OOM;
	if (may_wait(vmf))
		return VM_FAULT_RETRY;
	return vm_fault_of(fault->map, fault->addr, MACHVM_KERN_MEMORY_ERROR, 0);
}

/* At a dirty limit it is a pager's own clients who wait for it; else it is whoever wants memory. */
static void wait_until_laundered(struct machvm_fault *fault, bool interruptible)
{
	struct machvm_waiter waiter = {
		.offset = fault->ask_index << PAGE_SHIFT,
		.access = MACHVM_PROT_WRITE,
		.state = MACHVM_WAITER_LIMIT,
	};

	if (fault->limited)
		machvm_waiter_begin(fault->limited, &waiter);
	machvm_laundry_wait(fault->events, interruptible);
	if (fault->limited)
		machvm_waiter_end(fault->limited, &waiter);
	machvm_fault_put_limited(fault);
}

/*
 * Sleeps until pagers have taken some of what stands in the way, or for a moment.  As
 * wait_for_pager(); the next fault looks for a page again, or comes back here.
 */
static vm_fault_t wait_for_laundry(struct vm_fault *vmf, struct machvm_fault *fault)
{
	bool interruptible = is_interruptible(vmf);
	struct machvm_map *map = fault->map;
	struct file *file;

	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT) {
		machvm_fault_put_limited(fault);
		return VM_FAULT_RETRY;
	}
	file = get_file(vmf->vma->vm_file);	/* holds the module */
	machvm_map_get(map);
	release_fault_lock(vmf);
	wait_until_laundered(fault, interruptible);
	machvm_map_put(map);
	fput(file);
	return VM_FAULT_RETRY | VM_FAULT_MAJOR;
}

static void count_fault(struct machvm_map *map)
{
	machvm_count(MACHVM_STAT_FAULTS, 1);
	machvm_map_count(map, MACHVM_EVENT_FAULTS);
}

static vm_fault_t arena_fault(struct vm_fault *vmf)
{
	struct machvm_map *map = vmf->vma->vm_private_data;
	struct machvm_fault fault = {
		.map = map,
		.vma = vmf->vma,
		.addr = (u64)vmf->pgoff << PAGE_SHIFT,
		.at = vmf->address & PAGE_MASK,
		.write = vmf->flags & FAULT_FLAG_WRITE,
		.fetch = vmf->flags & FAULT_FLAG_INSTRUCTION,
		.waited = vmf->flags & FAULT_FLAG_TRIED,
		.patient = may_wait(vmf),
	};
	enum machvm_outcome outcome;
	int kr, error = 0;

	if (!map)
		return VM_FAULT_SIGBUS;	/* a child whose fork ran out of memory */
	if (!fault.waited)
		count_fault(map);
	kr = machvm_note_take_pending(map, fault.addr);
	if (kr) {
		machvm_note_read(map, fault.addr, &error);
		trace_machvm_fault(map, fault.addr, fault.write, MACHVM_FAULT_FAILED, kr);
		return vm_fault_of(map, fault.addr, kr, error);
	}
	outcome = machvm_fault_resolve(&fault);
	trace_machvm_fault(map, fault.addr, fault.write, outcome, fault.kr);
	switch (outcome) {
	case MACHVM_FAULT_MAPPED:
		return VM_FAULT_NOPAGE | (fault.read_store ? VM_FAULT_MAJOR : 0);
	case MACHVM_FAULT_WAIT:
		return fault_wait(vmf, &fault);
	case MACHVM_FAULT_LAUNDRY:
		return wait_for_laundry(vmf, &fault);
	case MACHVM_FAULT_FAILED:
		return vm_fault_of(map, fault.addr, fault.kr, fault.error);
	default:
		return VM_FAULT_OOM;
	}
}

/*
 * A write to a page that is mapped read-only.  Linux cannot try this one again, so whatever needs
 * a wait takes the translation away: the next trap comes to arena_fault() as a write.
 */
static vm_fault_t arena_page_mkwrite(struct vm_fault *vmf)
{
	struct machvm_map *map = vmf->vma->vm_private_data;
	struct machvm_fault fault = {
		.map = map,
		.vma = vmf->vma,
		.addr = (u64)vmf->pgoff << PAGE_SHIFT,
		.at = vmf->address & PAGE_MASK,
		.write = true,
		.patient = true,
		.trapped = page_folio(vmf->page),
	};
	enum machvm_outcome outcome;

	if (!map)
		return VM_FAULT_SIGBUS;
	count_fault(map);
	outcome = machvm_fault_resolve(&fault);
	trace_machvm_fault(map, fault.addr, true, outcome, fault.kr);
	switch (outcome) {
	case MACHVM_FAULT_MAPPED:
		return VM_FAULT_NOPAGE;
	case MACHVM_FAULT_UPGRADE:
		return VM_FAULT_LOCKED;
	case MACHVM_FAULT_WAIT:
		machvm_request_put(fault.wait);
		fallthrough;
	case MACHVM_FAULT_LAUNDRY:
		machvm_fault_put_limited(&fault);
		machvm_pmap_zap(map, fault.addr, fault.addr + PAGE_SIZE);
		return VM_FAULT_NOPAGE;
	case MACHVM_FAULT_FAILED:
		return vm_fault_of(map, fault.addr, fault.kr, fault.error);
	default:
		return VM_FAULT_OOM;
	}
}

/* Its presence makes 6.12 call ->fault under the VMA lock alone. */
static vm_fault_t arena_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	return 0;
}

/*
 * The window that a child's VMA is to it; as the parent's, of which it is a copy.  NULL also if
 * the parent has none, for want of memory at its own birth.
 */
static struct machvm_window *window_of(struct vm_area_struct *vma, struct machvm_map *parent,
				       struct machvm_map *child)
{
	struct machvm_window *window = machvm_window_alloc(child, vma->vm_start, vma->vm_end);
	struct machvm_window *like;

	if (!window)
		return NULL;
	down_read(&parent->lock);
	like = machvm_window_next_locked(parent, vma->vm_start);
	if (like)
		window->roomy = like->roomy;
	up_read(&parent->lock);
	window->execute = vma->vm_flags & VM_EXEC;
	if (like)
		return window;
	machvm_window_free(window);
	return NULL;
}

/* Returns 0 or -ENOMEM: then the child is empty and dead. */
static int inherit(struct vm_area_struct *vma, struct machvm_map *parent,
		   struct machvm_map *child)
{
	struct machvm_window *window = window_of(vma, parent, child);
	int err;

	if (!window) {
		machvm_vm_clear(child);
		return -ENOMEM;
	}
	err = machvm_vm_fork(parent, child, vma->vm_start, vma->vm_end);
	if (err) {
		machvm_window_free(window);
		return err;
	}
	down_write(&child->lock);
	machvm_window_insert_locked(child, window);
	up_write(&child->lock);
	return 0;
}

/*
 * The map of a child, made for the first of its VMAs.  Returns it with a reference and the right
 * to one VMA, or NULL.
 */
static struct machvm_map *child_of(struct machvm_map *parent, struct mm_struct *mm)
{
	struct machvm_map *child = machvm_arena_find(mm);

	if (child) {
		atomic_inc(&child->pmap->vmas);
		return child;
	}
	child = machvm_arena_create(parent->min, parent->max, mm, parent->pmap->inode,
				    parent->user);
	if (child)
		machvm_arena_publish(child);
	return child;
}

/*
 * The child's VMA still points at the parent's map; give it one of its own, or none: what cannot
 * be inherited in full is not inherited at all.
 */
static void arena_fork(struct vm_area_struct *vma, struct machvm_map *parent)
{
	struct machvm_pmap *pmap = parent->pmap;
	struct machvm_map *child;

	vma->vm_private_data = NULL;
	if (pmap->barren == vma->vm_mm)
		return;
	child = child_of(parent, vma->vm_mm);
	if (child && !inherit(vma, parent, child)) {
		vma->vm_private_data = child;
		return;
	}
	if (pmap->barren)
		mmdrop(pmap->barren);
	mmgrab(vma->vm_mm);
	pmap->barren = vma->vm_mm;
	if (child) {
		machvm_arena_retire(child);
		machvm_arena_leave(child);
		machvm_map_put(child);
	}
}

/* False for one that Linux has moved, or throws away: a window is where its offset is. */
static bool is_window(struct vm_area_struct *vma)
{
	return (u64)vma->vm_pgoff << PAGE_SHIFT == vma->vm_start && vma->vm_start < vma->vm_end;
}

/* True if it is the caller who changes what is mapped, by layout.c. */
static bool is_layer(struct machvm_map *map)
{
	return READ_ONCE(map->pmap->layer) == current;
}

/*
 * Called for the VMA of a child at fork, with the mmap_locks of both held for writing, and for
 * the second half when Linux splits or moves one.
 */
static void arena_open(struct vm_area_struct *vma)
{
	struct machvm_map *map = vma->vm_private_data;

	if (!map)
		return;
	if (map->pmap->mm != vma->vm_mm) {
		arena_fork(vma, map);
		return;
	}
	machvm_map_get(map);
	atomic_inc(&map->pmap->vmas);
	if (is_layer(map))
		machvm_layout_split(map, vma->vm_start, vma->vm_end);
}

static void arena_close(struct vm_area_struct *vma)
{
	struct machvm_map *map = vma->vm_private_data;

	if (!map)
		return;
	if (is_window(vma)) {
		if (is_layer(map))
			map->pmap->torn = true;
		else
			machvm_vm_unmapped(map, vma->vm_start, vma->vm_end);
		machvm_resident_unmapped(map);
	}
	machvm_arena_leave(map);
	machvm_map_put(map);
}

/* Mach's regions are cut and protected by vm_deallocate and vm_protect, windows by layout.c. */
static int arena_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	struct machvm_map *map = vma->vm_private_data;

	return map && is_layer(map) ? 0 : -EINVAL;
}

static int arena_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static int arena_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			  unsigned long newflags)
{
	return -EACCES;
}

#ifdef CONFIG_NUMA
/* Having a policy at all keeps NUMA balancing from taking translations away. */
static struct mempolicy *arena_get_policy(MACHVM_GET_POLICY_ARGS)
{
	return NULL;
}
#endif

static const struct vm_operations_struct arena_vm_ops = {
	.open = arena_open,
	.close = arena_close,
	.may_split = arena_may_split,
	.mremap = arena_mremap,
	.mprotect = arena_mprotect,
	.fault = arena_fault,
	.map_pages = arena_map_pages,
	.page_mkwrite = arena_page_mkwrite,
#ifdef CONFIG_NUMA
	.get_policy = arena_get_policy,
#endif
};

/* Only for the window that layout.c is just making; nobody else may map the file. */
static int arena_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct machvm_map *map = file->private_data;
	struct machvm_window *window;

	if (!map || !is_layer(map) || map->pmap->mm != vma->vm_mm)
		return -EINVAL;
	window = map->pmap->making;
	if (!window || vma->vm_start != window->start || vma->vm_end != window->end ||
	    !is_window(vma) || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_WIPEONFORK);
	if (!window->execute)	/* whatever the personality says */
		vm_flags_clear(vma, VM_EXEC);
	vma->vm_ops = &arena_vm_ops;
	vma->vm_private_data = machvm_map_get(map);
	atomic_inc(&map->pmap->vmas);
	machvm_layout_mapped(map);
	if (hlist_unhashed(&map->pmap->hash))
		machvm_arena_publish(map);	/* it has its first */
	return 0;
}

const struct file_operations machvm_arena_fops = {
	.owner = THIS_MODULE,
	.mmap = arena_mmap,
};
