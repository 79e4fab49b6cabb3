/* SPDX-License-Identifier: GPL-2.0-only */
/* page.h - the slots of an object and the state of a resident page. */
#ifndef _MACHVM_PAGE_H
#define _MACHVM_PAGE_H

#include "types.h"

/*
 * folio->private of a resident page: the user who pays for it, and these bits.  They only mean
 * something while the page is in an object; whoever frees it ignores them.
 */
enum machvm_page_bits {
	MACHVM_PAGE_DIRTY,		/* was made writable for somebody since it came in */
	MACHVM_PAGE_PRECIOUS,		/* the pager wants it back even if clean */
	MACHVM_PAGE_RETURNED,		/* its pager is reading it where it is, see laundry.c */
	MACHVM_PAGE_INACTIVE,		/* not used since its translations were taken away to see */
	MACHVM_PAGE_EXTERNAL,		/* it is counted as one with a pager, see stats.h */
	MACHVM_PAGE_LOCKS,		/* the first of those for MACHVM_PROT_ALL */
	MACHVM_PAGE_NR_BITS = MACHVM_PAGE_LOCKS + 3,
};

/* The last page that an object can have: of 2^64 bytes. */
#define MACHVM_PAGE_INDEX_MAX (U64_MAX >> PAGE_SHIFT)

#define MACHVM_PAGE_BITS_MASK ((1UL << MACHVM_PAGE_NR_BITS) - 1)

/* What a slot holds, for those who only look: a page, or a question, which somebody waits for. */
struct machvm_slot {
	struct folio *folio;		/* NULL: asked for */
	bool wanted;
};

/* The address_space that every resident page names: an inode that outlives every fault. */
extern struct address_space *machvm_page_mapping;

struct folio *machvm_page_alloc(struct machvm_user *user, gfp_t gfp);
bool machvm_page_own(struct page *page, struct machvm_user *user);
void machvm_page_disown(struct folio *folio);
void machvm_page_free(struct folio *folio);
void machvm_page_set(struct folio *folio, enum machvm_page_bits bit);
void machvm_page_clear(struct folio *folio, enum machvm_page_bits bit);
bool machvm_page_test(struct folio *folio, enum machvm_page_bits bit);
void machvm_page_dirty(struct machvm_object *object, struct folio *folio);
bool machvm_page_dirty_below(struct machvm_object *object, struct folio *folio, long limit);
void machvm_page_clean(struct machvm_object *object, struct folio *folio);
u32 machvm_page_locks(struct folio *folio);
void machvm_page_set_locks(struct folio *folio, u32 locks);
void machvm_page_strip(struct folio *folio);
struct machvm_user *machvm_page_user(struct folio *folio);
void machvm_page_use(struct folio *folio);

struct folio *machvm_page_lookup(struct machvm_object *object, u64 index);
struct folio *machvm_page_find(struct machvm_object *object, u64 index, u64 *place);
/* Pages of a part.  An object has a bit for each part, those beyond the 64th share them. */
#define MACHVM_PART_PAGES 16

static inline unsigned int machvm_part_of(u64 index)
{
	return index / MACHVM_PART_PAGES % BITS_PER_LONG;
}

/*
 * False if nothing has ever been in that slot, so that who walks down a chain need not look there.
 * As good as a look: what comes in at that very moment may be missed either way.
 */
static inline bool machvm_page_possible(const struct machvm_object *object, u64 index)
{
	return READ_ONCE(object->parts) >> machvm_part_of(index) & 1;
}

bool machvm_page_exists(struct machvm_object *object, u64 index);
bool machvm_page_next_kept(struct machvm_object *object, u64 *index, u64 last);
bool machvm_page_full(struct machvm_object *object, u64 nr);
void machvm_page_window(struct machvm_object *object, u64 first, u64 nr, struct page **pages);
struct folio *machvm_page_next(struct machvm_object *object, u64 *index, u64 last);
struct folio *machvm_page_next_pinned(struct machvm_object *object, u64 *index, u64 last);
bool machvm_page_look(struct machvm_object *object, u64 *index, struct machvm_slot *out);
struct machvm_request *machvm_page_request(struct machvm_object *object, u64 index);
bool machvm_page_next_request(struct machvm_object *object, u64 *index, u64 last);
int machvm_page_insert(struct machvm_object *object, u64 index, struct folio *folio);
int machvm_page_ask(struct machvm_object *object, u64 index, struct machvm_request *request);
int machvm_page_answer(struct machvm_object *object, u64 index, struct machvm_request *request,
		       struct folio *folio);
struct folio *machvm_page_take(struct machvm_object *object, u64 index);
struct folio *machvm_page_lend(struct machvm_object *object, u64 index);
void machvm_page_forget(struct machvm_object *object, u64 index);
void machvm_page_return(struct machvm_object *object, u64 index, struct folio *folio);
int machvm_page_out(struct machvm_object *object, u64 index, struct folio *folio, u64 place);
int machvm_page_in(struct machvm_object *object, u64 index, u64 place, struct folio *folio);
int machvm_page_move(struct machvm_object *from, u64 index, struct machvm_object *to,
		     u64 to_index);
void machvm_page_purge(struct machvm_object *object, u64 first, u64 last);

#endif /* _MACHVM_PAGE_H */
