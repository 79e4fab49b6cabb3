// SPDX-License-Identifier: GPL-2.0-only
/*
 * store.c - the default memory manager: one file of shmem, underneath which is Linux's swap.
 * Callers: pageout.c writes, fault.c reads, page.c frees.
 * Never: knows objects; takes a lock of ours.
 * Locks: shmem's.
 *
 * Places are handed out in a row, so that pages that leave together lie together, and a number
 * names one page for ever.  The file is sparse: at 2^51 pages it would be full.
 */
#include "store.h"
#include "bank.h"
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/writeback.h>

static struct file *store;
static atomic64_t last_place = ATOMIC64_INIT(0);

/* Rather no memory than an OOM kill: whoever wants a page can wait, or stay where it is. */
#define STORE_GFP (GFP_HIGHUSER | __GFP_NOWARN)

/* Without swap the store is no way to free memory. */
bool machvm_store_has_room(void)
{
	return get_nr_swap_pages() > 0;
}

static struct page *page_at(u64 place)
{
	return shmem_read_mapping_page_gfp(store->f_mapping, place, STORE_GFP | __GFP_NORETRY);
}

/* Those who page out hold little at a time, and soon give more back than they took. */
static struct page *page_from_reserve(u64 place)
{
	unsigned int flags = memalloc_noreclaim_save();
	struct page *page = page_at(place);

	memalloc_noreclaim_restore(flags);
	return page;
}

/**
 * machvm_store_reserve - a new place, with memory for its page
 * @slot: out: to be filled and committed, or cancelled
 *
 * Context: no lock of ours is held.  The current memory cgroup is charged, beyond its limit if
 * need be.
 * Return: 0, or a negative errno if there is no memory.
 */
int machvm_store_reserve(struct machvm_store_slot *slot)
{
	u64 place = atomic64_inc_return(&last_place);
	struct page *page = page_at(place);

	if (IS_ERR(page) && machvm_store_has_room())
		page = page_from_reserve(place);
	if (IS_ERR(page))
		return PTR_ERR(page);
	*slot = (struct machvm_store_slot){ .place = place, .page = page };
	return 0;
}

/*
 * Copies a page to its place, where it can be read from then on.  Nobody else knows the place, and
 * our reference keeps shmem from dropping the page before it is marked dirty.
 */
void machvm_store_fill(struct machvm_store_slot *slot, struct folio *from)
{
	copy_highpage(slot->page, folio_page(from, 0));
	folio_mark_dirty(page_folio(slot->page));
}

/*
 * Starts to write the page to swap, if there is any.  Left to reclaim that would come late: until
 * then paging out has freed nothing.
 */
static void write_to_swap(struct folio *folio)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_NONE,
		.nr_to_write = 1,
		.range_end = LLONG_MAX,
		.for_reclaim = 1,
	};

	folio_lock(folio);
	if (folio->mapping == store->f_mapping && !folio_test_large(folio) &&
	    !folio_test_writeback(folio) && folio_clear_dirty_for_io(folio)) {
		int err;

		folio_set_reclaim(folio);
		err = store->f_mapping->a_ops->writepage(folio_page(folio, 0), &wbc);
		if (!folio_test_writeback(folio))
			folio_clear_reclaim(folio);
		if (!err)
			return;		/* and it is unlocked */
	}
	folio_unlock(folio);
}

/*
 * The place is in use, for page @index of @object; its page goes on to the default manager in user
 * space, if there is one, and to swap.
 */
void machvm_store_commit(struct machvm_store_slot *slot, struct machvm_object *object, u64 index)
{
	write_to_swap(page_folio(slot->page));
	put_page(slot->page);
	machvm_bank_offer(object, index, slot->place);
}

/* The place is not needed. */
void machvm_store_cancel(struct machvm_store_slot *slot)
{
	put_page(slot->page);
	machvm_store_free(slot->place);
}

/* What lies in our own file.  Return: as machvm_store_read(). */
int machvm_store_load(u64 place, struct folio *into)
{
	loff_t pos = (loff_t)place << PAGE_SHIFT;
	void *to = kmap_local_folio(into, 0);
	ssize_t got = kernel_read(store, to, PAGE_SIZE, &pos);

	kunmap_local(to);
	if (got == PAGE_SIZE)
		return 0;
	return got < 0 ? got : -EIO;
}

/**
 * machvm_store_read - what lies in a place
 * @place: its number; if it was freed, anything may be read
 * @into: a page of the caller's own
 *
 * A page that goes on to the default manager while we read is dropped here only once it is known
 * to be there, so it is enough to look again.
 * Context: no lock of ours is held, as it may wait for swap.
 * Return: 0; -EINPROGRESS, it is to be asked for (machvm_store_ask()); -ENOMEM, or another negative
 * errno if swap cannot be read.
 */
int machvm_store_read(u64 place, struct folio *into)
{
	int err = machvm_bank_read(place, into);

	if (err != -ENOENT)
		return err;
	err = machvm_store_load(place, into);
	return machvm_bank_has(place) ? -EINPROGRESS : err;
}

/**
 * machvm_store_ask - ask the default manager in user space for the page of a place
 * @place: its number, after machvm_store_read() has said that it is to be asked for
 * @folio: to be filled; NULL when it was taken
 *
 * Return: the question, to be waited for, with a reference; NULL if it is to be read again; or
 * ERR_PTR(-ENOMEM), ERR_PTR(-EIO).
 */
struct machvm_request *machvm_store_ask(u64 place, struct folio **folio)
{
	return machvm_bank_ask(place, folio);
}

/* Our copy of a page is not wanted any more.  May sleep, but not for swap. */
void machvm_store_drop(u64 place)
{
	loff_t pos = (loff_t)place << PAGE_SHIFT;

	shmem_truncate_range(file_inode(store), pos, pos + PAGE_SIZE - 1);
}

/* The page of a place is not wanted any more, wherever it is. */
void machvm_store_free(u64 place)
{
	machvm_bank_free(place);
	machvm_store_drop(place);
}

/* The object is about to be freed.  Pages that were its own may be others' by now. */
void machvm_store_forget(struct machvm_object *object)
{
	machvm_bank_forget(object->id);
}

int machvm_store_init(void)
{
	store = shmem_file_setup("machvm", MAX_LFS_FILESIZE, VM_NORESERVE);
	if (IS_ERR(store))
		return PTR_ERR(store);
	file_inode(store)->i_flags |= S_PRIVATE;	/* no security module has a say */
	mapping_set_gfp_mask(store->f_mapping, STORE_GFP | __GFP_RETRY_MAYFAIL);
	return 0;
}

void machvm_store_exit(void)
{
	fput(store);
}
