// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmap.c - puts translations into the page tables and takes them away.
 * Callers: fault.c enters; everyone who changes what an address may show zaps.
 * Never: decides; looks at entries or objects.
 * Locks: see DOC: locking for what is held at each; takes i_mmap_rwsem and page-table locks.
 */
#include "pmap.h"
#include <linux/capability.h>
#include <linux/sched/signal.h>
#include "arena.h"

/**
 * machvm_pmap_zap - take all translations of [start, end) away
 * @map: the task's
 * @start: page aligned
 * @end: page aligned
 *
 * Also those of forked relatives at the same addresses, which only costs them a fault.
 * Context: map->lock held for writing, or family->mappers for a range of one of its entries.
 */
void machvm_pmap_zap(struct machvm_map *map, u64 start, u64 end)
{
	if (!map->pmap)
		return;		/* memory in transit has no translations */
	unmap_mapping_pages(map->pmap->inode->i_mapping, start >> PAGE_SHIFT,
			    (end - start) >> PAGE_SHIFT, false);
}

/**
 * machvm_pmap_may_wire - may the caller have that much more of the task wired
 * @map: the task's
 * @bytes: what is to be wired
 * @privileged: whether the caller uses what privilege it has
 *
 * As mlock(2): all that is locked of the address space, by whatever means, is held against the
 * caller's RLIMIT_MEMLOCK, unless it has CAP_SYS_RESOURCE.  An mlock(2) that runs at the same time
 * may not be seen.
 * Context: map->lock held for writing.
 */
bool machvm_pmap_may_wire(struct machvm_map *map, u64 bytes, bool privileged)
{
	unsigned long locked = READ_ONCE(map->pmap->mm->locked_vm);
	unsigned long ours = READ_ONCE(map->pmap->locked);
	u64 limit = rlimit(RLIMIT_MEMLOCK), total;

	total = locked > ours ? (u64)(locked - ours) << PAGE_SHIFT : 0;
	if (check_add_overflow(total, map->wired_size, &total) ||
	    check_add_overflow(total, bytes, &total))
		return false;
	return total <= limit || (privileged && capable(CAP_SYS_RESOURCE));
}

/* A page that is mapped this often is not mapped again: its reference count must not wrap. */
#define MAPPINGS_MAX BIT(30)

/*
 * vm_insert_page() takes the protection from the VMA, where a filesystem's is always read-only, so
 * it is given a copy of the VMA that says what this page is to have.
 */
static void vma_as_if(struct vm_area_struct *as_if, struct vm_area_struct *vma, bool write,
		      bool execute)
{
	pgprot_t prot = vm_get_page_prot(VM_SHARED | VM_READ | (write ? VM_WRITE : 0) |
					 (execute ? vma->vm_flags & VM_EXEC : 0));

	memcpy(as_if, vma, sizeof(*as_if));	/* its flags are const to an assignment */
	vm_flags_set_raw(as_if, vma->vm_flags | VM_MIXEDMAP);
	as_if->vm_page_prot = __pgprot(pgprot_val(prot) | _PAGE_ACCESSED |
				       (write ? _PAGE_DIRTY : 0));
}

/**
 * machvm_pmap_enter - map one page
 * @vma: the arena, as the fault sees it
 * @addr: user address, page aligned
 * @folio: the page
 * @write: map it writable and dirty; else read-only and clean, which nothing upgrades silently
 * @execute: let it be executed, if Linux knows of that
 *
 * Context: map->lock and family->lock held for reading, the folio locked.
 * Return: 0; -EBUSY if something is mapped there; -ENOMEM; -EMFILE beyond MAPPINGS_MAX.
 */
int machvm_pmap_enter(struct vm_area_struct *vma, u64 addr, struct folio *folio, bool write,
		      bool execute)
{
	struct vm_area_struct as_if;

	if (folio_ref_count(folio) > MAPPINGS_MAX)
		return -EMFILE;
	vma_as_if(&as_if, vma, write, execute);
	return vm_insert_page(&as_if, addr, folio_page(folio, 0));
}

/**
 * machvm_pmap_enter_run - map pages side by side, read-only
 * @vma: the arena, as the fault sees it
 * @addr: user address of the first
 * @pages: folios of one page each, all of them locked
 * @nr: how many
 * @execute: as for machvm_pmap_enter()
 *
 * What is mapped there already stays; what lies outside of the VMA is for another fault.
 * Context: as for machvm_pmap_enter().
 * Return: 0; -ENOMEM: some are mapped; -EMFILE if one is beyond MAPPINGS_MAX: none is.
 */
int machvm_pmap_enter_run(struct vm_area_struct *vma, u64 addr, struct page **pages,
			  unsigned long nr, bool execute)
{
	struct vm_area_struct as_if;
	unsigned long done, first = 0;

	if (addr < vma->vm_start)
		first = (vma->vm_start - addr) >> PAGE_SHIFT;
	nr = min(nr, (unsigned long)(vma->vm_end - addr) >> PAGE_SHIFT);
	for (done = first; done < nr; done++)
		if (page_ref_count(pages[done]) > MAPPINGS_MAX)
			return -EMFILE;
	vma_as_if(&as_if, vma, false, execute);
	done = first;
	while (done < nr) {
		unsigned long left = nr - done;
		int err = vm_insert_pages(&as_if, addr + done * PAGE_SIZE, pages + done, &left);

		if (err && err != -EBUSY)
			return err;
		done = nr - left + (err ? 1 : 0);
	}
	return 0;
}
