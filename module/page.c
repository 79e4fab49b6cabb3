// SPDX-License-Identifier: GPL-2.0-only
/*
 * page.c - the slots of an object: who is there, and the only code that writes them.
 * Callers: fault.c and copy.c insert, memobj.c answers, pageout.c takes out, object.c purges.
 * Never: maps a page, talks to a pager, or waits.
 * Locks: slots change by compare-and-exchange under the xarray's lock; removal needs family->lock
 * for writing.
 */
#include "page.h"
#include "cgroup.h"
#include "request.h"
#include "stats.h"
#include "store.h"
#include "user.h"

/* xarray pointer tags */
#define SLOT_REQUEST 1UL
#define SLOT_STORED 3UL		/* a place in the store, above the two bits of the tag */
#define SLOT_TAG_BITS 2
#define LOOK_PAGES 1024		/* without letting others run */

/*
 * The mark of a slot that is kept: where nothing is known it holds a zero entry, which reads as
 * NULL.  So there is always a place for the page that was lent from it.
 */
#define SLOT_KEPT XA_MARK_0

static_assert(MACHVM_PAGE_BITS_MASK < MACHVM_USER_ALIGN);

static bool slot_is_request(void *slot)
{
	return xa_pointer_tag(slot) == SLOT_REQUEST;
}

static void *slot_of_request(struct machvm_request *request)
{
	return xa_tag_pointer(request, SLOT_REQUEST);
}

static struct machvm_request *request_of_slot(void *slot)
{
	return xa_untag_pointer(slot);
}

static bool slot_is_stored(void *slot)
{
	return xa_pointer_tag(slot) == SLOT_STORED;
}

static void *slot_of_place(u64 place)
{
	return xa_tag_pointer((void *)(unsigned long)(place << SLOT_TAG_BITS), SLOT_STORED);
}

static u64 place_of_slot(void *slot)
{
	return (unsigned long)slot >> SLOT_TAG_BITS;
}

static struct folio *folio_of_slot(void *slot)
{
	return slot_is_request(slot) || slot_is_stored(slot) ? NULL : slot;
}

/**
 * machvm_page_alloc - a page that nobody else has
 * @user: who pays for it
 * @gfp: GFP_KERNEL or weaker, with __GFP_ZERO if wanted; the current memory cgroup is charged
 *
 * Return: the folio, locked by nobody; ERR_PTR(-ENOMEM), or ERR_PTR(-EDQUOT) at a limit.
 */
struct folio *machvm_page_alloc(struct machvm_user *user, gfp_t gfp)
{
	struct page *page;

	if (!machvm_user_charge_page(user))
		return ERR_PTR(-EDQUOT);
	page = alloc_page(gfp | __GFP_ACCOUNT | __GFP_HIGHMEM);
	if (page && machvm_cgroup_charge(page_folio(page), gfp)) {
		__free_page(page);
		page = NULL;
	}
	if (!page) {
		machvm_user_uncharge_page(user);
		return ERR_PTR(-ENOMEM);
	}
	page_folio(page)->private = machvm_user_get(user);
	return page_folio(page);
}

/* The same for a page that was had otherwise: false at a limit, and then it stays the caller's. */
bool machvm_page_own(struct page *page, struct machvm_user *user)
{
	if (!machvm_user_charge_page(user))
		return false;
	if (machvm_cgroup_charge(page_folio(page), GFP_KERNEL)) {
		machvm_user_uncharge_page(user);
		return false;
	}
	page_folio(page)->private = machvm_user_get(user);
	return true;
}

/* Takes machvm_page_own() back.  In: the folio is in no object and mapped nowhere. */
void machvm_page_disown(struct folio *folio)
{
	struct machvm_user *user = machvm_page_user(folio);

	machvm_page_clear(folio, MACHVM_PAGE_DIRTY);
	machvm_page_clear(folio, MACHVM_PAGE_INACTIVE);
	folio->private = NULL;
	folio->mapping = NULL;
	machvm_cgroup_uncharge(folio);
	machvm_user_uncharge_page(user);
	machvm_user_put(user);
}

/*
 * In: as for machvm_page_disown().  Somebody may still hold a reference from get_user_pages; the
 * page then lives until that is dropped, but it is no longer ours.
 */
void machvm_page_free(struct folio *folio)
{
	machvm_page_disown(folio);
	folio_put(folio);
}

/* Who pays for the page. */
struct machvm_user *machvm_page_user(struct folio *folio)
{
	return (void *)((unsigned long)folio->private & ~MACHVM_PAGE_BITS_MASK);
}

static void count_bit(struct folio *folio, enum machvm_page_bits bit, long n)
{
	if (bit == MACHVM_PAGE_DIRTY)
		machvm_count(MACHVM_STAT_DIRTY, n);
	else if (bit == MACHVM_PAGE_INACTIVE)
		machvm_count(machvm_page_test(folio, MACHVM_PAGE_EXTERNAL) ?
				     MACHVM_STAT_INACTIVE_PERM :
				     MACHVM_STAT_INACTIVE_TMP, n);
}

/* True if it was not set. */
static bool bit_is_new(struct folio *folio, enum machvm_page_bits bit)
{
	if (machvm_page_test(folio, bit) ||
	    test_and_set_bit(bit, (unsigned long *)&folio->private))
		return false;
	count_bit(folio, bit, 1);
	return true;
}

/* True if it was set. */
static bool bit_is_gone(struct folio *folio, enum machvm_page_bits bit)
{
	if (!machvm_page_test(folio, bit) ||
	    !test_and_clear_bit(bit, (unsigned long *)&folio->private))
		return false;
	count_bit(folio, bit, -1);
	return true;
}

void machvm_page_set(struct folio *folio, enum machvm_page_bits bit)
{
	bit_is_new(folio, bit);
}

void machvm_page_clear(struct folio *folio, enum machvm_page_bits bit)
{
	bit_is_gone(folio, bit);
}

/* Somebody asked for the page: it is active, if it was not. */
void machvm_page_use(struct folio *folio)
{
	if (!machvm_page_test(folio, MACHVM_PAGE_INACTIVE))
		return;
	machvm_page_clear(folio, MACHVM_PAGE_INACTIVE);
	machvm_count(MACHVM_STAT_REACTIVATIONS, 1);
}

bool machvm_page_test(struct folio *folio, enum machvm_page_bits bit)
{
	return test_bit(bit, (unsigned long *)&folio->private);
}

/* Access that the pager forbids, MACHVM_PROT_* bits.  Certain under the folio lock. */
u32 machvm_page_locks(struct folio *folio)
{
	return (unsigned long)folio->private >> MACHVM_PAGE_LOCKS & MACHVM_PROT_ALL;
}

/*
 * In: the folio is locked, or in no object yet.  The caller takes translations away that show
 * more than @locks allow, before it lets go.
 */
void machvm_page_set_locks(struct folio *folio, u32 locks)
{
	unsigned int i;

	for (i = 0; i < MACHVM_PAGE_NR_BITS - MACHVM_PAGE_LOCKS; i++) {
		if (locks & BIT(i))
			machvm_page_set(folio, MACHVM_PAGE_LOCKS + i);
		else
			machvm_page_clear(folio, MACHVM_PAGE_LOCKS + i);
	}
}

/* The page leaves its memory object for good: what the pager said of it no longer holds. */
void machvm_page_strip(struct folio *folio)
{
	machvm_page_clear(folio, MACHVM_PAGE_PRECIOUS);
	machvm_page_clear(folio, MACHVM_PAGE_RETURNED);
	machvm_page_set_locks(folio, 0);
}

/*
 * True if somebody uses a resident page who is neither its object nor a translation: I/O that is
 * under way, a pipe.  On 6.1 they hold plain references, which nothing tells from one another.
 */
static bool is_pinned(struct folio *folio)
{
	return folio_ref_count(folio) > atomic_read(&folio->_mapcount) + 1 + 1;
}

/**
 * machvm_page_lookup - the resident page of a slot
 * @object: the object
 * @index: its page
 *
 * Context: family->lock held, either way; the folio stays resident until it is released.
 * Return: the folio, or NULL.
 */
struct folio *machvm_page_lookup(struct machvm_object *object, u64 index)
{
	return folio_of_slot(xa_load(&object->pages, index));
}

/**
 * machvm_page_find - what an object has in a slot
 * @object: the object
 * @index: page index
 * @place: out: where in the store the page lies if it is paged out, else 0
 *
 * Context: as machvm_page_lookup().
 * Return: the resident page, or NULL.
 */
struct folio *machvm_page_find(struct machvm_object *object, u64 index, u64 *place)
{
	void *slot = xa_load(&object->pages, index);

	*place = slot_is_stored(slot) ? place_of_slot(slot) : 0;
	return folio_of_slot(slot);
}

/* True if the object has a page of its own there, be it resident or paged out. */
bool machvm_page_exists(struct machvm_object *object, u64 index)
{
	u64 place;

	return machvm_page_find(object, index, &place) || place;
}

/* True if there is such a page in [*index, last]; moves *index to the first. */
bool machvm_page_next_kept(struct machvm_object *object, u64 *index, u64 last)
{
	unsigned long at = *index;
	void *slot;

	xa_for_each_range(&object->pages, at, slot, *index, last) {
		if (!slot_is_request(slot)) {
			*index = at;
			return true;
		}
	}
	return false;
}

/* True if the object has pages of its own, be they resident or paged out, in all of [0, nr). */
bool machvm_page_full(struct machvm_object *object, u64 nr)
{
	unsigned long at, expected = 0;
	void *slot;

	if (!nr || atomic_long_read(&object->resident) + atomic_long_read(&object->paged_out) < nr)
		return false;
	xa_for_each_range(&object->pages, at, slot, 0, nr - 1) {
		if (at != expected || slot_is_request(slot))
			return false;
		expected++;
	}
	return expected == nr;
}

/* The resident pages of @nr slots from @first on; NULL where there is none. */
void machvm_page_window(struct machvm_object *object, u64 first, u64 nr, struct page **pages)
{
	XA_STATE(xas, &object->pages, first);
	struct folio *folio;
	void *slot;

	memset(pages, 0, nr * sizeof(*pages));
	rcu_read_lock();
	xas_for_each(&xas, slot, first + nr - 1) {
		folio = xas_retry(&xas, slot) ? NULL : folio_of_slot(slot);
		if (folio)
			pages[xas.xa_index - first] = folio_page(folio, 0);
	}
	rcu_read_unlock();
}

/* The first resident page in [*index, last]; moves *index to it. */
struct folio *machvm_page_next(struct machvm_object *object, u64 *index, u64 last)
{
	unsigned long at = *index;
	void *slot;

	xa_for_each_range(&object->pages, at, slot, *index, last) {
		if (!folio_of_slot(slot))
			continue;
		*index = at;
		return slot;
	}
	return NULL;
}

/*
 * The first page in [*index, last] that is_pinned(); moves *index to it.  Whoever makes
 * a copy looks at all pages here, so it is one walk.
 */
struct folio *machvm_page_next_pinned(struct machvm_object *object, u64 *index, u64 last)
{
	XA_STATE(xas, &object->pages, *index);
	struct folio *folio = NULL;
	unsigned int looked = 0;
	void *slot;

	rcu_read_lock();
	xas_for_each(&xas, slot, last) {
		folio = xas_retry(&xas, slot) ? NULL : folio_of_slot(slot);
		if (folio && is_pinned(folio))
			break;
		folio = NULL;
		if (++looked % LOOK_PAGES)
			continue;
		xas_pause(&xas);
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	*index = xas.xa_index;
	return folio;
}

static void slot_describe(void *slot, struct machvm_slot *out)
{
	*out = (struct machvm_slot){};
	if (slot_is_request(slot))
		/* A glance, on which nothing depends. */
		out->wanted = waitqueue_active(&request_of_slot(slot)->wait);
	else
		out->folio = slot;
}

/**
 * machvm_page_look - the first slot from *@index on with a resident page or an open question
 * @object: the object
 * @index: in: where to look first; out: the slot
 * @out: what it holds
 *
 * Context: family->lock held, either way.
 * Return: false past the last one.
 */
bool machvm_page_look(struct machvm_object *object, u64 *index, struct machvm_slot *out)
{
	unsigned long at = *index;
	bool found = false;
	void *slot;

	rcu_read_lock();	/* for a request; xarray's own ends with each step */
	xa_for_each_start(&object->pages, at, slot, *index) {
		if (slot_is_stored(slot) ||
		    (slot_is_request(slot) && machvm_request_done(request_of_slot(slot))))
			continue;
		slot_describe(slot, out);
		*index = at;
		found = true;
		break;
	}
	rcu_read_unlock();
	return found;
}

/* Before something comes there, so that whoever sees it sees the bit, too. */
static void part_is_used(struct machvm_object *object, u64 index)
{
	unsigned int part = machvm_part_of(index);

	if (!test_bit(part, &object->parts))
		set_bit(part, &object->parts);
}

/* What a slot becomes that is to hold @new, or nothing. */
static void *slot_entry(struct xa_state *xas, void *new)
{
	return new || !xas_get_mark(xas, SLOT_KEPT) ? new : XA_ZERO_ENTRY;
}

/*
 * Puts @new where @old is.  Returns 0, -EBUSY if something else is there, -ENOMEM; that only for an
 * empty slot which is not kept.
 */
static int slot_exchange(struct machvm_object *object, u64 index, void *old, void *new)
{
	XA_STATE(xas, &object->pages, index);
	void *was;

	if (new)
		part_is_used(object, index);
	do {
		xas_lock(&xas);
		was = xas_load(&xas);
		if (xa_is_zero(was))
			was = NULL;
		if (was == old)
			xas_store(&xas, slot_entry(&xas, new));
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL | __GFP_NOWARN));
	return xas_error(&xas) ?: was == old ? 0 : -EBUSY;
}

/**
 * machvm_page_request - the open question of a slot
 * @object: the object
 * @index: its page
 *
 * A finished request that still sits there is swept out.
 * Return: the request with a reference for the caller, or NULL.
 */
struct machvm_request *machvm_page_request(struct machvm_object *object, u64 index)
{
	struct machvm_request *request = NULL;
	bool done = false;
	void *slot;

	rcu_read_lock();
	slot = xa_load(&object->pages, index);
	if (slot_is_request(slot)) {
		request = request_of_slot(slot);
		if (!machvm_request_tryget(request))
			request = NULL;
		else
			done = machvm_request_done(request);
	}
	rcu_read_unlock();
	if (!done)
		return request;
	if (!slot_exchange(object, index, slot, NULL))
		machvm_request_put(request);	/* the slot's */
	machvm_request_put(request);
	return NULL;
}

/* True if a slot in [*index, last] holds a question; moves *index to the first that does. */
bool machvm_page_next_request(struct machvm_object *object, u64 *index, u64 last)
{
	unsigned long at = *index;
	void *slot;

	xa_for_each_range(&object->pages, at, slot, *index, last) {
		if (slot_is_request(slot)) {
			*index = at;
			return true;
		}
	}
	return false;
}

static bool is_dirty(struct folio *folio)
{
	return machvm_page_test(folio, MACHVM_PAGE_DIRTY);
}

/* Its memory object knows of the pages: those of one that was destroyed are nobody's. */
static bool is_accounted(struct machvm_object *object)
{
	return object->memobj && !(object->flags & MACHVM_OBJ_DESTROYED);
}

static noinline void count_accounted(struct machvm_object *object, bool dirty, long n)
{
	if (!is_accounted(object))
		return;
	atomic_long_add(n, &object->memobj->resident);
	if (dirty)
		atomic_long_add(n, &object->memobj->dirty);
}

/*
 * A page has come into the slots of an object (1), or left them (-1): a dirty one?  For internal
 * memory this is a part of each fault.
 */
static __always_inline void count_resident(struct machvm_object *object, bool dirty, long n)
{
	atomic_long_add(n, &object->resident);
	machvm_count_page(MACHVM_STAT_RESIDENT_TMP, object, n);
	if (object->memobj)
		count_accounted(object, dirty, n);
}

/**
 * machvm_page_dirty - a page of an object is written, or will be
 * @object: the object
 * @folio: its page
 *
 * Context: family->lock held, either way, and the folio locked if @object has a pager.
 */
void machvm_page_dirty(struct machvm_object *object, struct folio *folio)
{
	if (bit_is_new(folio, MACHVM_PAGE_DIRTY) && is_accounted(object))
		atomic_long_inc(&object->memobj->dirty);
}

/* As machvm_page_dirty(), if fewer than @limit pages of its memory object are dirty, or it is. */
bool machvm_page_dirty_below(struct machvm_object *object, struct folio *folio, long limit)
{
	long dirty = atomic_long_read(&object->memobj->dirty);

	if (is_dirty(folio) || !is_accounted(object))
		return true;
	do {
		if (dirty >= limit)
			return false;
	} while (!atomic_long_try_cmpxchg(&object->memobj->dirty, &dirty, dirty + 1));
	machvm_page_set(folio, MACHVM_PAGE_DIRTY);
	return true;
}

/*
 * The pager has the page as it is.  The folio is locked.  With memobj->lock held the object is not
 * destroyed meanwhile, which ends the accounts.
 */
void machvm_page_clean(struct machvm_object *object, struct folio *folio)
{
	if (object->memobj)
		lockdep_assert_held(&object->memobj->lock);
	if (bit_is_gone(folio, MACHVM_PAGE_DIRTY) && is_accounted(object))
		atomic_long_dec(&object->memobj->dirty);
}

static void page_adopt(struct machvm_object *object, u64 index, struct folio *folio)
{
	folio->mapping = machvm_page_mapping;
	folio->index = object->ident + object->ident_index + index;
	if (machvm_page_test(folio, MACHVM_PAGE_EXTERNAL) == !!object->memobj)
		return;
	machvm_page_clear(folio, MACHVM_PAGE_INACTIVE);	/* it was counted with the others */
	if (object->memobj)
		machvm_page_set(folio, MACHVM_PAGE_EXTERNAL);
	else
		machvm_page_clear(folio, MACHVM_PAGE_EXTERNAL);
}

/**
 * machvm_page_insert - make a page resident where nothing is known
 * @object: the object
 * @index: its page
 * @folio: not in any object
 *
 * Consumes @folio on success.
 * Context: family->lock held; the folio is locked if anybody might map it before its time.
 * Return: 0, -EBUSY (a page or an open question is there), -ENOMEM.
 */
int machvm_page_insert(struct machvm_object *object, u64 index, struct folio *folio)
{
	bool dirty = is_dirty(folio);	/* it may be written as soon as it is there */
	struct machvm_request *request;
	int err;

	page_adopt(object, index, folio);
	err = slot_exchange(object, index, NULL, folio);
	if (err == -EBUSY) {	/* perhaps only by a finished question, which this sweeps out */
		request = machvm_page_request(object, index);
		if (request)
			machvm_request_put(request);
		else
			err = slot_exchange(object, index, NULL, folio);
	}
	if (err) {
		folio->mapping = NULL;
		return err;
	}
	count_resident(object, dirty, 1);
	if (!list_empty(&object->children))
		atomic_inc(&object->gains);
	return 0;
}

/* Puts a new question where nothing is known; the slot takes a reference of its own. */
int machvm_page_ask(struct machvm_object *object, u64 index, struct machvm_request *request)
{
	int err;

	machvm_request_get(request);
	err = slot_exchange(object, index, NULL, slot_of_request(request));
	if (err)
		machvm_request_put(request);
	return err;
}

/* Puts the page in the place of the question that it answers.  As machvm_page_insert(). */
int machvm_page_answer(struct machvm_object *object, u64 index, struct machvm_request *request,
		       struct folio *folio)
{
	bool dirty = is_dirty(folio);
	int err;

	page_adopt(object, index, folio);
	err = slot_exchange(object, index, slot_of_request(request), folio);
	if (err) {
		folio->mapping = NULL;
		return err;
	}
	count_resident(object, dirty, 1);
	machvm_request_put(request);	/* the slot's */
	return 0;
}

/* Takes the resident page out, if there is one.  The caller sees to its mappings. */
struct folio *machvm_page_take(struct machvm_object *object, u64 index)
{
	struct folio *folio = machvm_page_lookup(object, index);

	if (!folio || slot_exchange(object, index, folio, NULL))
		return NULL;
	count_resident(object, is_dirty(folio), -1);
	return folio;
}

/**
 * machvm_page_lend - take a page out that may have to come back
 * @object: the object
 * @index: its page
 *
 * Its place stays, whoever comes there and goes again meanwhile, so that to put the page back takes
 * no memory.  machvm_page_return() or machvm_page_forget() ends that, or the end of the object.
 * Context: family->lock held for writing; the caller sees to its mappings.
 * Return: the page, or NULL if there is none.
 */
struct folio *machvm_page_lend(struct machvm_object *object, u64 index)
{
	xa_set_mark(&object->pages, index, SLOT_KEPT);
	return machvm_page_take(object, index);
}

/* The page that was lent does not come back. */
void machvm_page_forget(struct machvm_object *object, u64 index)
{
	XA_STATE(xas, &object->pages, index);
	void *slot;

	xas_lock(&xas);
	slot = xas_load(&xas);
	if (slot)
		xas_clear_mark(&xas, SLOT_KEPT);
	if (xa_is_zero(slot))
		xas_store(&xas, NULL);
	xas_unlock(&xas);
}

/* Puts the page in the place of the open question that is there.  Returns 0 or -EBUSY. */
static int answer_with(struct machvm_object *object, u64 index, struct folio *folio)
{
	struct machvm_request *request = machvm_page_request(object, index);
	int err = -EBUSY;

	if (!request)
		return err;
	err = machvm_page_answer(object, index, request, folio);
	if (!err)
		machvm_request_finish(request, MACHVM_KERN_SUCCESS, 0);
	machvm_request_put(request);
	return err;
}

/**
 * machvm_page_return - put a page back that was lent
 * @object: the object
 * @index: its page
 * @folio: the page; consumed
 *
 * It is the answer to those who ask for it.  If another one is there by now that is the newer one,
 * and this one is freed.
 * Context: family->lock held, either way.
 */
void machvm_page_return(struct machvm_object *object, u64 index, struct folio *folio)
{
	int err;

	do {
		err = machvm_page_insert(object, index, folio);
		if (err == -EBUSY)
			err = answer_with(object, index, folio);
	} while (err == -EBUSY && !machvm_page_lookup(object, index));
	machvm_page_forget(object, index);
	if (err)
		machvm_page_free(folio);
}

/*
 * Leaves a place in the store in the slot of a resident page, which is the caller's from then on.
 * Context: family->lock held for writing; the caller sees to its mappings.
 * Return: 0, or -EBUSY if the page is not there.
 */
int machvm_page_out(struct machvm_object *object, u64 index, struct folio *folio, u64 place)
{
	int err = slot_exchange(object, index, folio, slot_of_place(place));

	if (err)
		return err;
	atomic_long_inc(&object->paged_out);
	count_resident(object, is_dirty(folio), -1);
	machvm_count(MACHVM_STAT_PAGEOUTS, 1);
	machvm_count(MACHVM_STAT_PAGED_OUT, 1);
	return 0;
}

/*
 * Puts a page that was read from the store back.  Consumes @folio on success; the place in the
 * store is the caller's then, to be freed.
 * Context: family->lock held.
 * Return: 0, or -EBUSY if the slot no longer names that place.
 */
int machvm_page_in(struct machvm_object *object, u64 index, u64 place, struct folio *folio)
{
	int err;

	page_adopt(object, index, folio);
	err = slot_exchange(object, index, slot_of_place(place), folio);
	if (err) {
		folio->mapping = NULL;
		return err;
	}
	count_resident(object, false, 1);
	atomic_long_dec(&object->paged_out);
	machvm_count(MACHVM_STAT_PAGEINS, 1);
	machvm_count(MACHVM_STAT_PAGED_OUT, -1);
	return 0;
}

/*
 * Moves a page, resident or paged out, into an empty slot of another object.  Translations to it
 * stay.
 * Context: family->lock of both held for writing, the folio locked.
 * Return: 0, or -ENOMEM: then it is where it was.
 */
int machvm_page_move(struct machvm_object *from, u64 index, struct machvm_object *to, u64 to_index)
{
	void *slot = xa_load(&from->pages, index);
	int err = slot_exchange(to, to_index, NULL, slot);

	if (err)
		return err;
	if (slot_is_stored(slot)) {
		atomic_long_inc(&to->paged_out);
		xa_erase(&from->pages, index);
		atomic_long_dec(&from->paged_out);
		return 0;
	}
	page_adopt(to, to_index, slot);
	count_resident(to, is_dirty(slot), 1);
	machvm_page_take(from, index);
	return 0;
}

/*
 * Frees all pages, resident or paged out, and cancels all questions in [first, last].
 * In: nothing maps the pages, and nothing can come to: no fault reaches the object, or
 * family->lock is held for writing.
 */
void machvm_page_purge(struct machvm_object *object, u64 first, u64 last)
{
	unsigned long index;
	struct machvm_request *request;
	void *slot;

	xa_for_each_range(&object->pages, index, slot, first, last) {
		if (slot_exchange(object, index, slot, NULL))
			continue;
		if (slot_is_request(slot)) {
			request = request_of_slot(slot);
			machvm_request_finish(request, MACHVM_KERN_INVALID_ADDRESS, 0);
			machvm_request_put(request);
			continue;
		}
		if (slot_is_stored(slot)) {
			atomic_long_dec(&object->paged_out);
			machvm_count(MACHVM_STAT_PAGED_OUT, -1);
			machvm_store_free(place_of_slot(slot));
			continue;
		}
		count_resident(object, is_dirty(slot), -1);
		machvm_page_free(slot);
	}
}
