// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault.c - one fault: which entry, may it, which page, and put it in.
 * Callers: vma.c, which knows Linux's side and sleeps if it must.
 * Never: waits for a pager; knows a vm_fault.
 * Locks: map->lock and family->lock for reading during one try, then the folio lock.
 *
 * A try runs through the stages below.  A stage that lacks something that may sleep to get (an
 * object, a page, a request) says so; it is fetched with no lock held and the fault is tried
 * anew, so nothing that was looked at before is trusted after.
 */
#include "fault.h"
#include <linux/mm.h>
#include "dirty.h"
#include "laundry.h"
#include "lock.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "pageout.h"
#include "pmap.h"
#include "request.h"
#include "stats.h"
#include "store.h"
#include "user.h"
#include "vm.h"

enum step {
	STEP_NEXT,		/* go on with the next stage */
	STEP_MAPPED,
	STEP_UPGRADE,
	STEP_WAIT,
	STEP_FAILED,
	STEP_NOMEM,
	STEP_AGAIN,		/* somebody else changed what we looked at */
	STEP_NEED_OBJECT,	/* the entry has none yet, or needs a shadow */
	STEP_NEED_PAGE,
	STEP_NEED_ZERO_PAGE,
	STEP_NEED_REQUEST,
	STEP_NEED_CLEANING,	/* too much is dirty */
	STEP_NEED_STORED,	/* the page is paged out */
	STEP_FREE_STORED,	/* it is back */
};

static enum step fail(struct machvm_fault *fault, int kr)
{
	fault->kr = kr;
	return STEP_FAILED;
}

/* Stage 1: the entry, and whether it allows the access.  Writing needs reading, as on Mach. */
static enum step stage_entry(struct machvm_fault *fault)
{
	u8 want = MACHVM_PROT_READ | (fault->write ? MACHVM_PROT_WRITE : 0) |
		  (fault->fetch ? MACHVM_PROT_EXECUTE : 0);
	struct machvm_entry *entry = machvm_map_lookup_locked(fault->map, fault->addr);

	if (fault->map->dead)	/* no memory to inherit what was here */
		return fail(fault, MACHVM_KERN_RESOURCE_SHORTAGE);
	if (!entry)
		return fail(fault, MACHVM_KERN_INVALID_ADDRESS);
	if (want & ~entry->protection)
		return fail(fault, fault->write && entry->protection & MACHVM_PROT_NOTIFY ?
			    MACHVM_KERN_WRITE_PROTECTION_FAILURE :
			    MACHVM_KERN_PROTECTION_FAILURE);
	if (!entry->object || (entry->needs_copy && fault->write))
		return STEP_NEED_OBJECT;
	fault->entry = entry;
	fault->top = entry->object;
	fault->index = machvm_entry_offset(entry, fault->addr) >> PAGE_SHIFT;
	return STEP_NEXT;
}

/* @folio, or an ERR_PTR, is the spare page now; returns it. */
static struct folio *spare_of(struct machvm_fault *fault, struct folio *folio, bool zero)
{
	if (IS_ERR(folio))
		return folio;
	fault->spare = folio;
	fault->spare_is_zero = zero;
	fault->spare_place = 0;
	return folio;
}

/* The same of a page that can be had without reclaim. */
static bool spare_alloc(struct machvm_fault *fault, bool zero)
{
	gfp_t gfp = (GFP_KERNEL & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN;
	struct folio *folio;

	if (machvm_reclaim_is_due())
		return false;
	folio = machvm_page_alloc(fault->map->user, gfp | (zero ? __GFP_ZERO : 0));
	return !IS_ERR(spare_of(fault, folio, zero));
}

/* A page with no lock held, for which others may have to go. */
static struct folio *spare_fetch(struct machvm_fault *fault, bool zero)
{
	struct folio *folio = machvm_reclaim_page(fault->map->user, zero ? __GFP_ZERO : 0,
						  fault->patient ? &fault->events : NULL);

	return spare_of(fault, folio, zero);
}

/* A page under the locks, if it can be had without reclaim; else the try ends and asks for it. */
static enum step want_spare(struct machvm_fault *fault, bool zero)
{
	if (fault->spare && (fault->spare_is_zero || !zero))
		return STEP_NEXT;
	if (!fault->spare && spare_alloc(fault, zero))
		return STEP_NEXT;
	return zero ? STEP_NEED_ZERO_PAGE : STEP_NEED_PAGE;
}

static struct folio *use_spare(struct machvm_fault *fault)
{
	struct folio *folio = fault->spare;

	fault->spare = NULL;
	return folio;
}

/* The spare becomes a copy of @source. */
static void copy_to_spare(struct machvm_fault *fault, struct folio *source)
{
	copy_highpage(folio_page(fault->spare, 0), folio_page(source, 0));
	fault->spare_is_zero = false;
	fault->spare_place = 0;
}

static bool may_execute(struct machvm_fault *fault)
{
	return fault->entry->protection & MACHVM_PROT_EXECUTE;
}

static void zap_trapped(struct machvm_fault *fault)
{
	if (fault->trapped)
		machvm_pmap_zap(fault->map, fault->addr, fault->addr + PAGE_SIZE);
}

/*
 * Last stage: put the page in.
 * In: the folio is locked, and is what the chain answers; if @fault->write it is top's own and
 * nobody else may still look at it as it is.  Out: unlocked, except for STEP_UPGRADE.
 */
static enum step stage_enter(struct machvm_fault *fault, struct folio *folio)
{
	int err;

	machvm_page_use(folio);
	if (fault->write)
		machvm_page_dirty(fault->top, folio);
	if (fault->write && folio == fault->trapped) {
		fault->folio = folio;
		return STEP_UPGRADE;
	}
	zap_trapped(fault);
	err = machvm_pmap_enter(fault->vma, fault->at, folio, fault->write, may_execute(fault));
	if (err == -EBUSY && fault->write) {
		/* Mapped since the trap, by a reader, and perhaps what was there before. */
		machvm_pmap_zap(fault->map, fault->addr, fault->addr + PAGE_SIZE);
		err = machvm_pmap_enter(fault->vma, fault->at, folio, true, may_execute(fault));
	}
	folio_unlock(folio);
	if (err == -EMFILE)
		return fail(fault, MACHVM_KERN_RESOURCE_SHORTAGE);
	return err && err != -EBUSY ? STEP_NOMEM : STEP_MAPPED;
}

/*
 * The old page goes into the delayed copy before it is written.
 * In: @folio locked, top's own.  Out: still locked if STEP_NEXT.
 */
static enum step push(struct machvm_fault *fault, struct folio *folio)
{
	enum step step = want_spare(fault, false);

	if (step != STEP_NEXT)
		return step;
	fault->spare_is_zero = false;
	fault->spare_place = 0;
	switch (machvm_push_locked(fault->top, fault->index, folio, fault->spare)) {
	case 0:
		break;
	case -EBUSY:
		return STEP_AGAIN;
	default:
		return STEP_NOMEM;
	}
	use_spare(fault);
	machvm_count(MACHVM_STAT_COW_FAULTS, 1);
	machvm_map_count(fault->map, MACHVM_EVENT_COW_FAULTS);
	return STEP_NEXT;
}

/*
 * The page is about to be written while its pager reads it: the pager gets it as it was.
 * In: @folio locked, top's own.  Out: still locked.
 */
static enum step keep_returned(struct machvm_fault *fault, struct folio *folio)
{
	enum step step = want_spare(fault, false);

	if (step != STEP_NEXT)
		return step;
	copy_highpage(folio_page(fault->spare, 0), folio_page(folio, 0));
	machvm_run_keep(fault->top->memobj, fault->index, use_spare(fault));
	machvm_page_clear(folio, MACHVM_PAGE_RETURNED);
	return STEP_NEXT;
}

/* Access to a page of @object that the fault needs: what lies below is only read. */
static u32 access_to(struct machvm_fault *fault, struct machvm_object *object)
{
	return MACHVM_PROT_READ |
	       (fault->write && object == fault->top ? MACHVM_PROT_WRITE : 0);
}

/* Ends the try: a question for that page is needed, unless it is there already. */
static enum step want_request(struct machvm_fault *fault, struct machvm_object *object, u64 index,
			      bool unlock)
{
	u8 type = unlock ? MACHVM_MSG_DATA_UNLOCK : MACHVM_MSG_DATA_REQUEST;
	struct machvm_msg *msg = fault->fresh ? &fault->fresh->msg : NULL;

	if (msg && msg->type == type && msg->memobj == object->memobj &&
	    msg->offset >> PAGE_SHIFT == index)
		return STEP_NEXT;
	fault->ask = machvm_memobj_get(object->memobj);
	fault->ask_index = index;
	fault->ask_access = access_to(fault, object);
	fault->ask_unlock = unlock;
	return STEP_NEED_REQUEST;
}

/* The question has its place: it goes to the pager, and is waited for. */
static enum step post_fresh(struct machvm_fault *fault)
{
	struct machvm_request *request = fault->fresh;
	int kr = machvm_request_post(request);

	fault->fresh = NULL;
	if (kr) {
		if (READ_ONCE(request->msg.memobj->doom))
			fault->error = READ_ONCE(request->msg.memobj->doom_reason);
		machvm_count(MACHVM_STAT_ERRORS, 1);
		machvm_request_finish(request, kr, 0);
		machvm_request_put(request);
		return fail(fault, kr);
	}
	fault->wait = request;
	fault->asked = request->msg.type == MACHVM_MSG_DATA_REQUEST;
	return STEP_WAIT;
}

static bool is_locked_against(struct machvm_fault *fault, struct machvm_object *object,
			      struct folio *folio)
{
	return !(object->flags & MACHVM_OBJ_DESTROYED) &&
	       machvm_page_locks(folio) & access_to(fault, object);
}

/*
 * The page is there, but its pager forbids the access: join the question that is open, or ask.
 * In: the folio locked, so that its lock does not change meanwhile.  Out: unlocked.
 */
static enum step stage_unlock(struct machvm_fault *fault, struct machvm_object *object, u64 index,
			      struct folio *folio)
{
	enum step step = STEP_WAIT;

	fault->wait = machvm_unlock_find(object->memobj, index, access_to(fault, object));
	if (!fault->wait)
		step = want_request(fault, object, index, true);
	if (step == STEP_NEXT)
		step = machvm_unlock_ask(object->memobj, index, fault->fresh) ? STEP_NOMEM :
									       post_fresh(fault);
	folio_unlock(folio);
	return step;
}

/* Ends the try, unless one more page of top may be written. */
static enum step want_dirty(struct machvm_fault *fault, struct folio *folio)
{
	if (!fault->top->memobj || !fault->patient || fault->uncleaned)
		return STEP_NEXT;
	fault->events = machvm_laundry_events();	/* before it is found that it may not */
	if (machvm_dirty_may(fault->top, folio))
		return STEP_NEXT;
	fault->ask = machvm_memobj_get(fault->top->memobj);
	fault->ask_index = fault->index;
	return STEP_NEED_CLEANING;
}

/* The page is in the entry's own object. */
static enum step stage_own(struct machvm_fault *fault, struct folio *folio)
{
	enum step step = STEP_NEXT;

	folio_lock(folio);
	if (is_locked_against(fault, fault->top, folio))
		return stage_unlock(fault, fault->top, fault->index, folio);
	if (fault->write && machvm_push_wanted_locked(fault->top, fault->index))
		step = push(fault, folio);
	if (step == STEP_NEXT && fault->write && machvm_page_test(folio, MACHVM_PAGE_RETURNED))
		step = keep_returned(fault, folio);
	if (step == STEP_NEXT && fault->write)
		step = want_dirty(fault, folio);
	if (step != STEP_NEXT) {
		folio_unlock(folio);
		return step;
	}
	return stage_enter(fault, folio);
}

/* The page is in an object below, @owner, and only to be read. */
static enum step stage_below(struct machvm_fault *fault, struct machvm_object *owner, u64 index,
			     struct folio *folio)
{
	folio_lock(folio);
	if (machvm_object_answer_locked(fault->top, fault->index) != folio) {
		folio_unlock(folio);
		return STEP_AGAIN;
	}
	if (is_locked_against(fault, owner, folio))
		return stage_unlock(fault, owner, index, folio);
	return stage_enter(fault, folio);
}

/*
 * Puts the spare page into the entry's object.
 * Out: it is locked if STEP_NEXT.
 */
static enum step insert_spare(struct machvm_fault *fault)
{
	int err;

	folio_lock(fault->spare);
	err = machvm_page_insert(fault->top, fault->index, fault->spare);
	if (!err)
		return STEP_NEXT;
	folio_unlock(fault->spare);
	return err == -EBUSY ? STEP_AGAIN : STEP_NOMEM;
}

/*
 * The spare has become top's own page.  If a delayed copy of top must get it first, that is for
 * another try, which finds it there.
 */
static enum step enter_spare(struct machvm_fault *fault)
{
	struct folio *folio = use_spare(fault);

	if (fault->write && machvm_push_wanted_locked(fault->top, fault->index)) {
		folio_unlock(folio);
		return STEP_AGAIN;
	}
	return stage_enter(fault, folio);
}

/*
 * The page is in an object below, @owner, and to be written: top gets a copy.
 * Whoever writes to @owner directly pushes, and then looks for those who see the page through the
 * copy; top no longer does, so what top's entries show of it must go while it cannot change.
 *
 * Only such a push can have changed what there is to copy since it was found: what else may have
 * come in on the way down is a copy, too.  So the chain is not walked again if there was none.
 */
static enum step stage_copy(struct machvm_fault *fault, struct machvm_object *owner, u64 index,
			    struct folio *source)
{
	enum step step = want_spare(fault, false);

	if (step != STEP_NEXT)
		return step;
	folio_lock(source);
	if (owner->copy && machvm_object_answer_locked(fault->top, fault->index) != source) {
		folio_unlock(source);
		return STEP_AGAIN;
	}
	if (is_locked_against(fault, owner, source))
		return stage_unlock(fault, owner, index, source);
	copy_to_spare(fault, source);
	step = insert_spare(fault);
	if (step == STEP_NEXT) {
		machvm_page_dirty(fault->top, fault->spare);
		machvm_count(MACHVM_STAT_COW_FAULTS, 1);
		machvm_map_count(fault->map, MACHVM_EVENT_COW_FAULTS);
		if (machvm_object_is_shared(owner) || !machvm_object_single_view(fault->top))
			machvm_zap_viewers_locked(fault->top, fault->index);
	}
	folio_unlock(source);
	return step == STEP_NEXT ? enter_spare(fault) : step;
}

/* Nobody has such a page: a zeroed one, also for a read, so that a write need not trap again. */
static enum step stage_zero(struct machvm_fault *fault)
{
	enum step step = want_spare(fault, true);

	if (step == STEP_NEXT)
		step = insert_spare(fault);
	if (step != STEP_NEXT)
		return step;
	machvm_count(MACHVM_STAT_ZERO_FILL, 1);
	machvm_map_count(fault->map, MACHVM_EVENT_ZERO_FILLS);
	return enter_spare(fault);
}

/* An object with a pager lacks the page: join the question that is open, or ask. */
static enum step stage_pager(struct machvm_fault *fault, struct machvm_object *object, u64 index)
{
	enum step step;

	if (object->flags & MACHVM_OBJ_DESTROYED) {
		fault->error = object->destroyed;
		return fail(fault, MACHVM_KERN_MEMORY_ERROR);
	}
	fault->wait = machvm_page_request(object, index);
	if (fault->wait)
		return STEP_WAIT;
	step = want_request(fault, object, index, false);
	if (step != STEP_NEXT)
		return step;
	switch (machvm_page_ask(object, index, fault->fresh)) {
	case 0:
		return post_fresh(fault);
	case -EBUSY:
		return STEP_AGAIN;
	default:
		return STEP_NOMEM;
	}
}

/*
 * The page is paged out, in whatever object of the chain.  It is read with no lock held, as that
 * may wait for I/O, and comes in if its slot then still names the place that was read.
 */
static enum step stage_stored(struct machvm_fault *fault, struct machvm_object *object, u64 index,
			      u64 place)
{
	fault->place = place;
	if (!fault->spare || fault->spare_place != place)
		return STEP_NEED_STORED;
	if (machvm_page_in(object, index, place, fault->spare))
		return STEP_AGAIN;
	machvm_page_set(use_spare(fault), MACHVM_PAGE_DIRTY);	/* the place is about to go */
	return STEP_FREE_STORED;
}

/* Stage 2: walk the chain to the page, or to the place where it is to come from. */
static enum step stage_find(struct machvm_fault *fault)
{
	struct machvm_object *object = fault->top;
	u64 index = fault->index;
	struct folio *folio;
	u64 place;

	lockdep_assert_held(&object->family->lock);
	for (;; index += object->shadow_index, object = object->shadow) {
		if (object->shadow && !machvm_page_possible(object, index))
			continue;
		folio = machvm_page_find(object, index, &place);
		if (folio && object == fault->top)
			return stage_own(fault, folio);
		if (folio)
			return fault->write ? stage_copy(fault, object, index, folio) :
					      stage_below(fault, object, index, folio);
		if (place)
			return stage_stored(fault, object, index, place);
		if (object->memobj)
			return stage_pager(fault, object, index);
		if (!object->shadow)
			return stage_zero(fault);
	}
}

static enum step try_once(struct machvm_fault *fault)
{
	enum step step;

	if (down_read_killable(&fault->map->lock))
		return fail(fault, MACHVM_KERN_ABORTED);
	step = stage_entry(fault);
	if (step == STEP_NEXT) {
		struct machvm_family *family = fault->top->family;

		down_read(&family->lock);
		step = stage_find(fault);
		if (step == STEP_MAPPED && !fault->write)
			machvm_fault_map_around(fault);
		up_read(&family->lock);
	}
	up_read(&fault->map->lock);
	return step;
}

/* The question, with the page that the answer will fill.  Returns 0 or an errno. */
static int create_request(struct machvm_fault *fault)
{
	struct folio *folio = fault->spare;

	if (!folio)
		folio = spare_fetch(fault, false);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	fault->fresh = machvm_request_create(fault->ask, fault->ask_index, fault->ask_access,
					     folio);
	if (!fault->fresh)
		return -ENOMEM;
	fault->spare = NULL;
	return 0;
}

/* No lock held: makes the question that the try has lacked. */
static int fetch_request(struct machvm_fault *fault)
{
	int err;

	if (fault->fresh)
		machvm_request_put(fault->fresh);
	fault->fresh = NULL;
	if (fault->ask_unlock) {
		fault->fresh = machvm_request_create_unlock(fault->ask, fault->ask_index,
							    fault->ask_access);
		err = fault->fresh ? 0 : -ENOMEM;
	} else {
		err = create_request(fault);
	}
	machvm_memobj_put(fault->ask);
	fault->ask = NULL;
	return err;
}

/* The page may be written when others have been returned, or at once if none will be. */
static int fetch_cleaning(struct machvm_fault *fault)
{
	struct machvm_memobj *memobj = fault->ask;

	fault->ask = NULL;
	fault->uncleaned = !machvm_dirty_clean(memobj);
	if (!fault->uncleaned) {
		fault->limited = memobj;
		return -EBUSY;
	}
	machvm_memobj_put(memobj);
	return 0;
}

static int fetch_page(struct machvm_fault *fault, bool zero)
{
	struct folio *folio;

	if (fault->spare)
		machvm_page_free(fault->spare);
	fault->spare = NULL;
	folio = spare_fetch(fault, zero);
	return PTR_ERR_OR_ZERO(folio);
}

/* The page is with the default manager in user space: it is waited for as for any pager. */
static int ask_stored(struct machvm_fault *fault)
{
	struct machvm_request *request = machvm_store_ask(fault->place, &fault->spare);

	if (IS_ERR_OR_NULL(request))
		return PTR_ERR_OR_ZERO(request);
	fault->wait = request;
	return -EINPROGRESS;
}

static int fetch_stored(struct machvm_fault *fault)
{
	struct folio *folio = fault->spare ?: spare_fetch(fault, false);
	int err;

	if (IS_ERR(folio))
		return PTR_ERR(folio);
	fault->spare_is_zero = false;
	fault->spare_place = 0;
	err = machvm_store_read(fault->place, folio);
	if (err == -EINPROGRESS)
		return ask_stored(fault);
	if (err)
		return err == -ENOMEM ? err : -EIO;
	fault->spare_place = fault->place;
	fault->read_store = true;
	return 0;
}

/* Gets what a try said it needs.  Returns 0 or an errno. */
static int fetch(struct machvm_fault *fault, enum step step)
{
	switch (step) {
	case STEP_NEED_OBJECT:
		return machvm_entry_prepare(fault->map, fault->addr, fault->write);
	case STEP_NEED_PAGE:
		return fetch_page(fault, false);
	case STEP_NEED_ZERO_PAGE:
		return fetch_page(fault, true);
	case STEP_NEED_REQUEST:
		return fetch_request(fault);
	case STEP_NEED_CLEANING:
		return fetch_cleaning(fault);
	case STEP_NEED_STORED:
		return fetch_stored(fault);
	case STEP_FREE_STORED:
		machvm_store_free(fault->place);
		return 0;
	default:
		return 0;
	}
}

static enum machvm_outcome outcome_of(struct machvm_fault *fault, enum step step, int err)
{
	switch (err) {
	case 0:
		break;
	case -EINPROGRESS:
		return MACHVM_FAULT_WAIT;
	case -EBUSY:
		return MACHVM_FAULT_LAUNDRY;
	case -EDQUOT:
		fault->kr = MACHVM_KERN_RESOURCE_SHORTAGE;
		return MACHVM_FAULT_FAILED;
	case -EINTR:
		fault->kr = MACHVM_KERN_ABORTED;
		return MACHVM_FAULT_FAILED;
	case -EIO:
		fault->kr = MACHVM_KERN_MEMORY_ERROR;
		return MACHVM_FAULT_FAILED;
	default:
		return MACHVM_FAULT_NOMEM;
	}
	switch (step) {
	case STEP_MAPPED:
		return MACHVM_FAULT_MAPPED;
	case STEP_UPGRADE:
		return MACHVM_FAULT_UPGRADE;
	case STEP_WAIT:
		return MACHVM_FAULT_WAIT;
	case STEP_FAILED:
		return MACHVM_FAULT_FAILED;
	default:
		return MACHVM_FAULT_NOMEM;
	}
}

/**
 * machvm_fault_resolve - see one fault through, as far as that goes without waiting for a pager
 * @fault: parameters filled in, the rest zero
 *
 * Context: mmap_lock or VMA lock held for reading; may sleep for memory.
 * Return: as &enum machvm_outcome says.
 */
enum machvm_outcome machvm_fault_resolve(struct machvm_fault *fault)
{
	enum step step;
	int err;

	do {
		step = try_once(fault);
		err = fetch(fault, step);
	} while (!err && step >= STEP_AGAIN);
	if (fault->spare)
		machvm_page_free(fault->spare);
	if (fault->fresh)
		machvm_request_put(fault->fresh);
	return outcome_of(fault, step, err);
}

/* Who waited at a limit, or does not care to, has done with it. */
void machvm_fault_put_limited(struct machvm_fault *fault)
{
	if (fault->limited)
		machvm_memobj_put(fault->limited);
	fault->limited = NULL;
}
