// SPDX-License-Identifier: GPL-2.0-only
/*
 * object.c - objects: birth, references, the chain of shadows, death.
 * Callers: vm.c and fault.c create and drop; memobj.c for external objects.
 * Never: waits for a pager.
 * Locks: takes family->lock and family->mappers, never two families at once.
 */
#include "object.h"
#include "mapper.h"
#include "memobj.h"
#include "page.h"
#include "stats.h"
#include "store.h"
#include "user.h"

static DEFINE_XARRAY(object_table);	/* by id; entries are not references */
static atomic64_t last_id = ATOMIC64_INIT(0);

/* Numbers of objects, memory objects and ports: one row, never reused. */
u64 machvm_id_new(void)
{
	return atomic64_inc_return(&last_id);
}

/*
 * A futex identity: the upper bits of folio->index, so that a shared futex in memory of two tasks
 * has one key.  Page indices use the lower 36 bits, 256 TiB; beyond that, keys of different
 * objects may meet, which costs a spurious wake-up.
 */
u64 machvm_ident_new(void)
{
	static atomic64_t last = ATOMIC64_INIT(0);

	return (u64)atomic64_inc_return(&last) << 36;
}

static struct machvm_family *family_create(void)
{
	struct machvm_family *family = kzalloc(sizeof(*family), GFP_KERNEL_ACCOUNT);

	if (!family)
		return NULL;
	refcount_set(&family->refs, 1);
	init_rwsem(&family->lock);
	mutex_init(&family->mappers);
	return family;
}

static void family_put(struct machvm_family *family)
{
	if (refcount_dec_and_test(&family->refs))
		kfree(family);
}

/* Consumes the reference on @family; an external object takes its memobj's number. */
static struct machvm_object *object_alloc(struct machvm_family *family, struct machvm_user *user,
					  struct machvm_memobj *memobj)
{
	struct machvm_object *object;

	if (!family)
		return NULL;
	object = kzalloc(sizeof(*object), GFP_KERNEL_ACCOUNT);
	if (!object)
		goto err_family;
	refcount_set(&object->refs, 1);
	object->family = family;
	xa_init_flags(&object->pages, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&object->children);
	INIT_LIST_HEAD(&object->sibling);
	object->mappers = RB_ROOT_CACHED;
	object->ident = machvm_ident_new();
	object->id = memobj ? memobj->id : machvm_id_new();
	object->memobj = memobj ? machvm_memobj_get(memobj) : NULL;
	object->user = machvm_user_get(user);
	/*
	 * Whoever looks at the table finds it from here on.  The number of a memory object may
	 * still be that of an incarnation that is dying.
	 */
	if (xa_err(xa_store(&object_table, object->id, object, GFP_KERNEL_ACCOUNT)))
		goto err_object;
	machvm_count(MACHVM_STAT_OBJECTS, 1);
	machvm_count(MACHVM_STAT_EXTERNAL, !!memobj);
	return object;

err_object:
	machvm_user_put(object->user);
	if (memobj)
		machvm_memobj_put(memobj);
	kfree(object);
err_family:
	family_put(family);
	return NULL;
}

/**
 * machvm_object_create - an object in a family of its own
 * @user: who pays for its pages
 * @memobj: the memory object whose pages it holds, or NULL for zero-filled memory
 *
 * Return: the object with one reference, or NULL if there is no memory.
 */
struct machvm_object *machvm_object_create(struct machvm_user *user, struct machvm_memobj *memobj)
{
	return object_alloc(family_create(), user, memobj);
}

/* An object in the family of @kin, to be tied to it as shadow or copy. */
struct machvm_object *machvm_object_create_kin(struct machvm_object *kin, struct machvm_user *user)
{
	refcount_inc(&kin->family->refs);
	return object_alloc(kin->family, user, NULL);
}

struct machvm_object *machvm_object_get(struct machvm_object *object)
{
	refcount_inc(&object->refs);
	return object;
}

bool machvm_object_tryget(struct machvm_object *object)
{
	return refcount_inc_not_zero(&object->refs);
}

/* For a reference that cannot be the last, where dropping the last would not be allowed. */
void machvm_object_put_shared(struct machvm_object *object)
{
	WARN_ON_ONCE(refcount_dec_and_test(&object->refs));
}

/* Frees the shell: no pages, no kin. */
void machvm_object_free(struct machvm_object *object)
{
	xa_cmpxchg(&object_table, object->id, object, NULL, GFP_KERNEL);
	WARN_ON_ONCE(!machvm_object_is_empty(object));
	xa_destroy(&object->pages);
	if (object->banked)
		machvm_store_forget(object);
	family_put(object->family);
	machvm_user_put(object->user);
	machvm_count(MACHVM_STAT_OBJECTS, -1);
	machvm_count(MACHVM_STAT_EXTERNAL, -!!object->memobj);
	kfree_rcu(object, rcu);
}

/* Unties a dead object from its kin.  Returns the shadow with the reference on it. */
static struct machvm_object *object_untie(struct machvm_object *object)
{
	struct machvm_object *shadow;

	down_write(&object->family->lock);
	shadow = object->shadow;
	if (shadow) {
		list_del_init(&object->sibling);
		if (shadow->copy == object)
			shadow->copy = NULL;
		object->shadow = NULL;
	}
	up_write(&object->family->lock);
	return shadow;
}

/*
 * If all that will be left of the references is that of one object above, the two become one.
 * The look without a lock may miss it when two go at once: the chain then stays one longer.
 */
static void collapse_before_put(struct machvm_object *object)
{
	bool collapsed;

	if (list_empty(&object->children))
		return;
	down_write(&object->family->lock);
	machvm_object_shed_locked(object);
	collapsed = machvm_object_collapse_locked(object);
	up_write(&object->family->lock);
	if (collapsed)
		machvm_object_put_shared(object);	/* what was the child's */
}

/**
 * machvm_object_put - drop a reference; the last one ends the object
 * @object: the reference is consumed
 *
 * The pages of an internal object are freed, then the object below loses a reference, and so on
 * down.  An external one has none below; life.c keeps it or offers its pages to the pager.
 *
 * Context: none of our locks but map->lock may be held.  Sleeps, but not for a pager.
 */
void machvm_object_put(struct machvm_object *object)
{
	struct machvm_object *shadow;

	for (; object; object = shadow) {
		if (object->memobj) {
			machvm_memobj_put_object(object->memobj, object);
			return;
		}
		collapse_before_put(object);
		if (!refcount_dec_and_test(&object->refs))
			return;
		shadow = object_untie(object);
		WARN_ON_ONCE(!RB_EMPTY_ROOT(&object->mappers.rb_root) ||
			     !list_empty(&object->children));
		machvm_page_purge(object, 0, ULONG_MAX);
		machvm_object_free(object);
	}
}

/*
 * True if it has no page, neither resident nor paged out.  With no lock held, one that is being
 * paged out just now may be missed.
 */
bool machvm_object_is_empty(struct machvm_object *object)
{
	return !atomic_long_read(&object->paged_out) && !atomic_long_read(&object->resident);
}

/* The first living object whose number is @id or larger, with a reference; NULL past the last. */
struct machvm_object *machvm_object_first(u64 id)
{
	struct machvm_object *object;
	unsigned long at = id;

	rcu_read_lock();
	xa_for_each_start(&object_table, at, object, id) {
		if (machvm_object_tryget(object))
			break;
	}
	rcu_read_unlock();
	return object;
}

#define COUNT_BATCH 1024

/* As machvm_object_count(), of so many pages; true if there may be more. */
static bool count_batch_locked(struct machvm_object *object, u64 *index, u64 last, u64 *resident,
			       u64 *dirty)
{
	struct folio *folio;
	unsigned int i;

	for (i = 0; i < COUNT_BATCH; i++) {
		folio = machvm_page_next(object, index, last);
		if (!folio)
			return false;
		++*resident;
		*dirty += machvm_page_test(folio, MACHVM_PAGE_DIRTY);
		if ((*index)++ == last)
			return false;
	}
	return true;
}

/**
 * machvm_object_count - count the resident pages of an object, and how many of them were written
 * @object: referenced by the caller
 * @first: page index
 * @last: page index
 * @resident: increased by the one number
 * @dirty: increased by the other
 *
 * Takes family->lock for a batch of pages at a time.
 * Return: 0, or -EINTR.
 */
int machvm_object_count(struct machvm_object *object, u64 first, u64 last, u64 *resident,
			u64 *dirty)
{
	bool more = atomic_long_read(&object->resident);

	while (more) {
		if (fatal_signal_pending(current))
			return -EINTR;
		down_read(&object->family->lock);
		more = count_batch_locked(object, &first, last, resident, dirty);
		up_read(&object->family->lock);
		cond_resched();
	}
	return 0;
}

/* What the chain from @object down answers for a page: a folio; NULL for one that is out, too. */
struct folio *machvm_object_answer_locked(struct machvm_object *object, u64 index)
{
	struct folio *folio;
	u64 place;

	for (; object; index += object->shadow_index, object = object->shadow) {
		if (object->shadow && !machvm_page_possible(object, index))
			continue;
		folio = machvm_page_find(object, index, &place);
		if (folio)
			return folio;
		if (place || object->memobj)
			break;
	}
	return NULL;
}

/* Where in a chain the count is: pages of a level, which is so far below the top. */
struct chain_count {
	struct machvm_object *top;
	u64 first, last;	/* of the top */
	unsigned int level;
	u64 index;		/* next page, in the top's count */
	u64 resident, dirty;
};

static void count_next_level(struct chain_count *count)
{
	count->level++;
	count->index = count->first;
}

/* As count_batch_locked(), of the pages of a level that nothing above hides. */
static bool count_shown_batch_locked(struct chain_count *count)
{
	struct machvm_object *object = count->top;
	struct folio *folio;
	unsigned int i;
	u64 shift = 0;

	for (i = 0; object && i < count->level; i++, object = object->shadow)
		shift += object->shadow_index;
	if (!object)
		return false;
	for (i = 0; i < COUNT_BATCH && count->index <= count->last; i++, count->index++) {
		u64 at = count->index + shift;

		folio = machvm_page_next(object, &at, count->last + shift);
		if (!folio) {
			count_next_level(count);
			return true;
		}
		count->index = at - shift;
		if (machvm_object_answer_locked(count->top, count->index) != folio)
			continue;
		count->resident++;
		count->dirty += machvm_page_test(folio, MACHVM_PAGE_DIRTY);
	}
	if (count->index > count->last)
		count_next_level(count);
	return true;
}

/**
 * machvm_object_count_shown - the same for the pages that a region of the object shows
 * @object: what the region maps
 * @first: page of @object
 * @last: page of @object
 * @resident: out: pages
 * @dirty: out: pages
 *
 * Whichever object of the chain has them.  The chain may change meanwhile.
 */
int machvm_object_count_shown(struct machvm_object *object, u64 first, u64 last, u64 *resident,
			      u64 *dirty)
{
	struct chain_count count = { .top = object, .first = first, .last = last, .index = first };
	bool more = true;

	while (more) {
		if (fatal_signal_pending(current))
			return -EINTR;
		down_read(&object->family->lock);
		more = count_shown_batch_locked(&count);
		up_read(&object->family->lock);
		cond_resched();
	}
	*resident += count.resident;
	*dirty += count.dirty;
	return 0;
}

/* How many objects lie below. */
unsigned int machvm_object_depth_locked(struct machvm_object *object)
{
	unsigned int depth = 0;

	lockdep_assert_held(&object->family->lock);
	while ((object = object->shadow))
		depth++;
	return depth;
}

/**
 * machvm_object_extend - may an entry of the object grow over further pages
 * @object: its object
 * @index: first of the new pages
 * @nr: how many
 *
 * Yes if the entry is the only one who knows the object and no page of the range can be anything
 * but zero; pages that an earlier, unmapped part left there are dropped.
 */
bool machvm_object_extend(struct machvm_object *object, u64 index, u64 nr)
{
	bool sole;

	if (object->memobj || refcount_read(&object->refs) != 1)
		return false;
	down_write(&object->family->lock);
	sole = refcount_read(&object->refs) == 1 && !object->shadow && !object->copy;
	if (sole)
		machvm_page_purge(object, index, index + nr - 1);
	up_write(&object->family->lock);
	return sole;
}

/* True if some entry of the object shows a page of the range. */
static bool object_range_mapped(struct machvm_object *object, u64 index, u64 nr)
{
	bool found;

	mutex_lock(&object->family->mappers);
	found = machvm_mapper_first_locked(object, index, index + nr - 1);
	mutex_unlock(&object->family->mappers);
	return found;
}

/**
 * machvm_object_release_range - free pages that an unmapped part of an entry leaves behind
 * @object: what was mapped
 * @index: first page
 * @nr: pages
 *
 * Only if nobody else can ever ask for them; otherwise they stay until the object goes.  They
 * also stay in a delayed copy: by its having none it is known that nothing was pushed.
 */
void machvm_object_release_range(struct machvm_object *object, u64 index, u64 nr)
{
	if (object->memobj || machvm_object_is_empty(object))
		return;
	down_write(&object->family->lock);
	if (list_empty(&object->children) && !object->copy &&
	    !(object->shadow && object->shadow->copy == object) &&
	    !object_range_mapped(object, index, nr))
		machvm_page_purge(object, index, index + nr - 1);
	up_write(&object->family->lock);
}
