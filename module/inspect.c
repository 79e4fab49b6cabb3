// SPDX-License-Identifier: GPL-2.0-only
/*
 * inspect.c - the pages of an object, one by one, for those who debug.
 * Callers: dev.c's table.
 * Never: changes anything; tells a physical address without the privilege.
 * Locks: family->lock for reading, a batch of pages at a time; none while user memory is touched.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "ioctl.h"
#include "lock.h"
#include "object.h"
#include "page.h"
#include "user.h"

#define BATCH (PAGE_SIZE / sizeof(struct machvm_page_info))

static u32 state_of_page(struct machvm_object *object, struct folio *folio, bool wired)
{
	u32 state = MACHVM_PAGE_STATE_TABLED;

	if (!wired && machvm_page_test(folio, MACHVM_PAGE_INACTIVE))
		state |= MACHVM_PAGE_STATE_INACTIVE;
	else if (!wired)
		state |= MACHVM_PAGE_STATE_ACTIVE;
	if (machvm_page_test(folio, MACHVM_PAGE_RETURNED))
		state |= MACHVM_PAGE_STATE_LAUNDRY;
	if (folio_test_locked(folio))
		state |= MACHVM_PAGE_STATE_BUSY;
	if (machvm_page_test(folio, MACHVM_PAGE_DIRTY))
		state |= MACHVM_PAGE_STATE_DIRTY;
	if (machvm_page_test(folio, MACHVM_PAGE_PRECIOUS))
		state |= MACHVM_PAGE_STATE_PRECIOUS;
	else if (object->memobj)
		state |= MACHVM_PAGE_STATE_PAGER;
	return state;
}

/* @slot: what is at @index, resident or asked for */
static void describe_slot(struct machvm_object *object, u64 index, const struct machvm_slot *slot,
			  bool physical, struct machvm_page_info *info)
{
	*info = (struct machvm_page_info){ .offset = index << PAGE_SHIFT };
	if (!slot->folio) {
		info->state = MACHVM_PAGE_STATE_BUSY | MACHVM_PAGE_STATE_ABSENT |
			      (slot->wanted ? MACHVM_PAGE_STATE_WANTED : 0);
		return;
	}
	info->wire_count = machvm_page_wired_locked(object, index);
	info->state = state_of_page(object, slot->folio, info->wire_count);
	info->lock = machvm_page_locks(slot->folio);
	if (object->memobj)
		info->unlock_request = machvm_unlock_wanted(object->memobj, index);
	if (physical)
		info->phys = PFN_PHYS(folio_pfn(slot->folio));
}

/* Fills in what comes from @index on, and moves it behind that.  Returns how many. */
static unsigned int fill_batch(struct machvm_object *object, u64 *index, unsigned int room,
			       bool physical, struct machvm_page_info *infos)
{
	struct machvm_slot slot;
	unsigned int nr = 0;

	down_read(&object->family->lock);
	while (nr < room && machvm_page_look(object, index, &slot))
		describe_slot(object, (*index)++, &slot, physical, &infos[nr++]);
	up_read(&object->family->lock);
	return nr;
}

/* Where the next call is to go on. */
static u64 cursor_of(struct machvm_object *object, u64 index)
{
	struct machvm_slot slot;
	bool more;

	down_read(&object->family->lock);
	more = machvm_page_look(object, &index, &slot);
	up_read(&object->family->lock);
	return more ? index << PAGE_SHIFT : U64_MAX;
}

static long fill_all(struct machvm_object *object, struct machvm_object_pages *call,
		     struct machvm_page_info *infos)
{
	struct machvm_page_info __user *to = u64_to_user_ptr(call->address);
	bool physical = call->flags & MACHVM_PAGES_PHYSICAL;
	u64 index = call->offset >> PAGE_SHIFT;
	unsigned int room, nr;
	u32 done = 0;

	do {
		room = min_t(u32, call->count - done, BATCH);
		nr = fill_batch(object, &index, room, physical, infos);
		if (copy_to_user(to + done, infos, nr * sizeof(*infos)))
			return -EFAULT;
		done += nr;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (nr == room && done < call->count);
	call->offset = cursor_of(object, index);
	call->count = done;
	return MACHVM_KERN_SUCCESS;
}

long machvm_ioctl_object_pages(struct file *file, void *arg)
{
	struct machvm_object_pages *call = arg;
	struct machvm_page_info *infos;
	struct machvm_object *object;
	long ret = -ENOENT;

	if (call->__reserved || call->flags & ~MACHVM_PAGES_PHYSICAL)
		return -EINVAL;
	if (call->flags & MACHVM_PAGES_PHYSICAL && !capable(CAP_SYS_RAWIO))
		return MACHVM_KERN_NO_ACCESS;
	infos = (void *)__get_free_page(GFP_KERNEL);
	if (!infos)
		return -ENOMEM;
	object = machvm_object_first(call->id);
	if (object && object->id == call->id && machvm_user_may_see(object->user))
		ret = fill_all(object, call, infos);
	if (object)
		machvm_object_put(object);
	free_page((unsigned long)infos);
	return ret;
}
