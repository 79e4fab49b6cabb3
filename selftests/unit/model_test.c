// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_test.c - random calls, forks, loads and stores of a few tasks and pagers, against a model
 * that knows no objects: each page of each task is a byte of its own, copied when it is copied
 * and shared when it is shared, and a memory object is an array.  The real code must agree on every
 * byte and every answer, also while allocations fail, and have nothing left at the end.
 *
 * MODEL_STEPS=n makes the runs longer, TEST_SEED=n makes others.
 */
#include <stdlib.h>
#include "mock.h"

#define NR_TASKS 4
#define TASK_PAGES 48
#define NR_FILES 2
#define FILE_PAGES 24

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

/* The model: who shares a page shares its cell. */

struct cell {
	int refs;
	u8 value;
};

struct mpage {
	bool mapped;
	u8 protection, max_protection, inheritance;
	struct cell *cell;
};

struct mtask {
	struct machvm_map *map;		/* NULL: there is no such task */
	struct mpage pages[TASK_PAGES];
};

struct mfile {
	struct pager pager;
	struct cell content[FILE_PAGES];	/* as every sharer sees it */
	u8 stored[FILE_PAGES];		/* as the pager has it */
	bool faulty;			/* the pager answers with errors for now */
};

static struct mtask tasks[NR_TASKS];
static struct mfile files[NR_FILES];
static unsigned int served;		/* messages that pagers have dealt with */
static bool lazy;			/* returned pages may wait */

static struct cell *cell_new(u8 value)
{
	struct cell *cell = malloc(sizeof(*cell));

	*cell = (struct cell){ 1, value };
	return cell;
}

static struct cell *cell_get(struct cell *cell)
{
	cell->refs++;
	return cell;
}

static void page_clear(struct mpage *page)
{
	if (page->mapped && !--page->cell->refs)
		free(page->cell);
	memset(page, 0, sizeof(*page));
}

static void page_set(struct mpage *page, struct cell *cell)
{
	*page = (struct mpage){ true, RW, MACHVM_PROT_ALL, MACHVM_INHERIT_COPY, cell };
}

static bool is_of_file(const struct cell *cell)
{
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		if (cell >= files[i].content && cell < files[i].content + FILE_PAGES)
			return true;
	return false;
}

static bool stored_all(struct mfile *file)
{
	unsigned int i;

	for (i = 0; i < FILE_PAGES; i++)
		if (file->stored[i] != file->content[i].value)
			return false;
	return true;
}

/* The pagers */

static struct mfile *file_of(u64 id)
{
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		if (files[i].pager.memobj->id == id)
			return &files[i];
	BUG();
}

static void serve_request(struct mfile *file, struct mock_sent *sent)
{
	unsigned int page = sent->offset >> PAGE_SHIFT;
	int kr;

	require(page < FILE_PAGES && sent->length == PAGE_SIZE);
	if (file->faulty) {
		kr = machvm_memobj_error(file->pager.memobj, sent->offset, sent->length, 7);
		check(!kr || kr == MACHVM_KERN_MEMORY_ERROR);
	} else if (!file->stored[page] && test_random() % 2) {
		kr = machvm_memobj_unavailable(file->pager.memobj, sent->offset, sent->length);
		check(!kr || kr == MACHVM_KERN_MEMORY_ERROR);
	} else {
		/* Refused if the last mapping is gone. */
		kr = supply(&file->pager, page, file->stored[page], test_random() % 8 == 0);
		check(kr == 0 || kr == MACHVM_KERN_MEMORY_ERROR ||
		      kr == MACHVM_KERN_MEMORY_PRESENT);
	}
}

static void serve_return(struct mfile *file, struct mock_sent *sent)
{
	unsigned int first = sent->offset >> PAGE_SHIFT, nr = sent->length >> PAGE_SHIFT, i;

	require(nr && first + nr <= FILE_PAGES);
	for (i = first; i < first + nr; i++) {
		struct folio *folio = machvm_memobj_returned(file->pager.memobj, PAGES(i));
		u8 value;

		require(folio);
		value = *(u8 *)folio_address(folio);
		folio_put(folio);
		/* Clean ones were precious. */
		check(sent->access || value == file->stored[i]);
		file->stored[i] = value;
		check_eq(machvm_memobj_release(file->pager.memobj, PAGES(i), PAGE_SIZE, NULL), 0);
	}
}

static void serve(bool all)
{
	while (served < mock_nr_sent) {
		struct mock_sent sent = mock_sents[served];
		struct mfile *file = file_of(sent.object);

		if (!all && lazy && test_random() % 2)
			return;
		served++;
		switch (sent.type) {
		case MACHVM_MSG_INIT:
			check_eq(machvm_memobj_ready(file->pager.memobj, false, MACHVM_COPY_DELAY), 0);
			machvm_port_pump(file->pager.memobj->port);
			break;
		case MACHVM_MSG_DATA_REQUEST:
			serve_request(file, &sent);
			break;
		case MACHVM_MSG_DATA_RETURN:
			serve_return(file, &sent);
			break;
		default:
			check_eq(sent.type, MACHVM_MSG_TERMINATE);
			check(stored_all(file) || lazy);
			break;
		}
	}
}

static void world(void *arg)
{
	serve(true);
}

static int access_allowed(const struct mpage *page, bool write)
{
	u8 want = write ? RW : MACHVM_PROT_READ;

	if (!page->mapped)
		return MACHVM_KERN_INVALID_ADDRESS;
	return want & ~page->protection ? MACHVM_KERN_PROTECTION_FAILURE : 0;
}

/* True if the answer is one that failing allocations or a faulty pager explain. */
static bool excused(int kr, bool hit)
{
	unsigned int i;

	if (hit && (kr == -ENOMEM || kr == MACHVM_KERN_RESOURCE_SHORTAGE))
		return true;
	for (i = 0; i < NR_FILES; i++)
		if (files[i].faulty && kr == MACHVM_KERN_MEMORY_ERROR)
			return true;
	return false;
}

static void check_load(struct mtask *task, unsigned int page)
{
	u8 first = 0, last = 0;
	int kr = cpu_load(task->map, AT(page), &first);

	if (excused(kr, false))
		return;
	if (!check_eq(kr, access_allowed(&task->pages[page], false)) || kr)
		return;
	check_eq(cpu_load(task->map, AT(page) + PAGE_SIZE - 1, &last), 0);
	check_eq(first, task->pages[page].cell->value);
	check_eq(last, first);
}

static void check_everything(void)
{
	unsigned int i, page;
	struct machvm_region region;

	for (i = 0; i < NR_TASKS; i++) {
		if (!tasks[i].map)
			continue;
		map_check(tasks[i].map);
		for (page = 0; page < TASK_PAGES; page++) {
			struct mpage *mpage = &tasks[i].pages[page];

			test_at("task %u, page %u", i, page);
			check_load(&tasks[i], page);
			if (!mpage->mapped)
				continue;
			check_eq(machvm_vm_region(tasks[i].map, AT(page), &region), 0);
			check_eq(region.protection, mpage->protection);
			check_eq(region.max_protection, mpage->max_protection);
			check_eq(region.inheritance, mpage->inheritance);
		}
	}
	objects_check();
}

/* The calls */

static bool range_free(struct mtask *task, u64 page, u64 nr)
{
	while (nr--)
		if (task->pages[page++].mapped)
			return false;
	return true;
}

static bool starve(void)
{
	bool starved = test_random() % 6 == 0;

	if (starved)
		fail_nth(test_random() % 8 + 1);
	return starved;
}

static void do_allocate(struct mtask *task, u64 page, u64 nr)
{
	bool starved = starve();
	int kr = allocate_at(task->map, page, nr);

	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, range_free(task, page, nr) ? 0 : MACHVM_KERN_NO_SPACE) || kr)
		return;
	while (nr--)
		page_set(&task->pages[page++], cell_new(0));
}

/* The lowest page of a free place that is aligned to so many; TASK_PAGES if there is none. */
static u64 free_place(struct mtask *task, u64 nr, unsigned int align)
{
	u64 page;

	for (page = 0; page + nr <= TASK_PAGES; page += align)
		if (range_free(task, page, nr))
			return page;
	return TASK_PAGES;
}

static void do_allocate_anywhere(struct mtask *task, u64 nr)
{
	u64 page = free_place(task, nr, 1), addr = AT(5);
	bool starved = starve();
	int kr = machvm_vm_allocate(task->map, &addr, PAGES(nr) - test_random() % 2, true);

	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, page < TASK_PAGES ? 0 : MACHVM_KERN_NO_SPACE) || kr)
		return;
	check_eq(addr, AT(page));
	while (nr--)
		page_set(&task->pages[page++], cell_new(0));
}

/* Fresh memory with attributes of its own, at a place or aligned to 4 pages. */
static void do_map_fresh(struct mtask *task, u64 page, u64 nr, bool anywhere)
{
	struct machvm_vm_map arg = {
		.address = AT(page),
		.length = PAGES(nr),
		.mask = anywhere ? PAGES(4) - 1 : 0,
		.anywhere = anywhere,
		.object = -1,
		.protection = MACHVM_PROT_ALL,
		.max_protection = test_random() % 2 ? MACHVM_PROT_ALL : RW,
		.inheritance = test_random() % 3,
	};
	bool starved;
	u64 addr;
	int kr;

	if (anywhere)
		page = free_place(task, nr, 4);
	starved = starve();
	kr = machvm_vm_map(task->map, &arg, NULL, &addr);
	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, page < TASK_PAGES && range_free(task, page, nr) ? 0 :
			  MACHVM_KERN_NO_SPACE) || kr)
		return;
	check_eq(addr, AT(page));
	for (; nr--; page++) {
		page_set(&task->pages[page], cell_new(0));
		task->pages[page].protection = arg.max_protection;
		task->pages[page].max_protection = arg.max_protection;
		task->pages[page].inheritance = arg.inheritance;
	}
}

static void do_deallocate(struct mtask *task, u64 page, u64 nr)
{
	bool starved = starve();
	int kr = deallocate_at(task->map, page, nr);

	if (excused(kr, starved && fail_end()))
		return;
	if (check_eq(kr, 0))
		while (nr--)
			page_clear(&task->pages[page++]);
}

static u8 some_rights(void)
{
	static const u8 often[] = { RW, RW, MACHVM_PROT_ALL, RW, MACHVM_PROT_ALL, MACHVM_PROT_READ,
				    0, 2 };

	return often[test_random() % ARRAY_SIZE(often)];
}

static int protect_answer(struct mtask *task, u64 page, u64 nr, u8 protection)
{
	for (; nr--; page++)
		if (task->pages[page].mapped && protection & ~task->pages[page].max_protection)
			return MACHVM_KERN_PROTECTION_FAILURE;
	return 0;
}

static void do_protect(struct mtask *task, u64 page, u64 nr)
{
	u8 protection = some_rights();
	bool starved = starve();
	int kr = protect_at(task->map, page, nr, protection);

	if (excused(kr, starved && fail_end()))
		return;
	if (check_eq(kr, protect_answer(task, page, nr, protection)) && !kr)
		while (nr--)
			task->pages[page++].protection = protection;
}

static void do_set_maximum(struct mtask *task, u64 page, u64 nr)
{
	u8 protection = some_rights();
	bool starved = starve();
	int kr = set_maximum_at(task->map, page, nr, protection);

	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, protect_answer(task, page, nr, protection)) || kr)
		return;
	for (; nr--; page++) {
		task->pages[page].max_protection = protection;
		task->pages[page].protection &= protection;
	}
}

static void do_inherit(struct mtask *task, u64 page, u64 nr)
{
	static const u32 values[] = { MACHVM_INHERIT_COPY, MACHVM_INHERIT_SHARE,
				      MACHVM_INHERIT_NONE, MACHVM_INHERIT_ZERO, 7 };
	u32 value = values[test_random() % ARRAY_SIZE(values)];
	bool starved = starve();
	int kr = machvm_vm_inherit(task->map, AT(page), PAGES(nr), value);

	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, value == 7 ? MACHVM_KERN_INVALID_ARGUMENT : 0) || kr)
		return;
	for (; nr--; page++)
		if (task->pages[page].mapped)
			task->pages[page].inheritance = value;
}

static void do_map(struct mtask *task, u64 page, u64 nr)
{
	unsigned int which = test_random() % NR_FILES, at = test_random() % FILE_PAGES, i;
	bool copy = test_random() % 2, starved;
	struct mfile *file = &files[which];
	int kr;

	nr = min_t(u64, nr, FILE_PAGES - at);
	starved = starve();
	kr = map_pager(task->map, &file->pager, page, nr, at, copy);
	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, range_free(task, page, nr) ? 0 : MACHVM_KERN_NO_SPACE) || kr)
		return;
	for (i = 0; i < nr; i++)
		page_set(&task->pages[page + i], copy ? cell_new(file->content[at + i].value) :
			 cell_get(&file->content[at + i]));
}

static void do_fork(struct mtask *parent)
{
	struct mtask *child = NULL;
	unsigned int i;
	bool starved;

	for (i = 0; i < NR_TASKS; i++)
		if (!tasks[i].map)
			child = &tasks[i];
	if (!child)
		return;
	starved = starve();
	child->map = map_fork(parent->map);
	if (!child->map) {
		check(starved && fail_end());
		return;
	}
	if (starved)
		fail_end();
	for (i = 0; i < TASK_PAGES; i++) {
		struct mpage *from = &parent->pages[i], *to = &child->pages[i];

		if (!from->mapped || from->inheritance == MACHVM_INHERIT_NONE)
			continue;
		*to = *from;
		if (from->inheritance == MACHVM_INHERIT_SHARE)
			cell_get(to->cell);
		else
			to->cell = cell_new(from->inheritance == MACHVM_INHERIT_ZERO ? 0 :
					    from->cell->value);
	}
}

static void do_exit(struct mtask *task)
{
	unsigned int i;

	map_end(task->map);
	task->map = NULL;
	for (i = 0; i < TASK_PAGES; i++)
		page_clear(&task->pages[i]);
}

static void do_store(struct mtask *task, u64 page)
{
	u8 value = test_random() % 4 ? test_random() : 0;
	bool starved = starve();
	int kr = cpu_store(task->map, AT(page), value);

	if (starved && fail_end() && excused(kr, true))
		return;
	if (excused(kr, false))
		return;
	if (!check_eq(kr, access_allowed(&task->pages[page], true)) || kr)
		return;
	task->pages[page].cell->value = value;
	check_eq(cpu_store(task->map, AT(page) + PAGE_SIZE - 1, value), 0);
}

/* The first thing wrong with a range, from its start on. */
static int range_allowed(struct mtask *task, u64 page, u64 nr, u8 want)
{
	for (; nr--; page++) {
		if (!task->pages[page].mapped)
			return MACHVM_KERN_INVALID_ADDRESS;
		if (want & ~task->pages[page].protection)
			return MACHVM_KERN_PROTECTION_FAILURE;
	}
	return 0;
}

/* What vm_copy, vm_write and vm_read are to bring about: a snapshot, then stores. */
static void do_copy(struct mtask *to, u64 page, struct mtask *from, u64 source, u64 nr)
{
	bool starved = starve(), shared = false;
	u8 values[TASK_PAGES];
	int kr, expected;
	u64 i;

	for (i = 0; i < nr; i++)
		if (to->pages[page + i].mapped && (to->pages[page + i].cell->refs > 1 ||
						   is_of_file(to->pages[page + i].cell)))
			shared = true;
	kr = machvm_vm_write(to->map, AT(page), from->map, AT(source), PAGES(nr));
	if (excused(kr, starved && fail_end()))
		return;
	expected = range_allowed(from, source, nr, MACHVM_PROT_READ) ?:
		   range_allowed(to, page, nr, MACHVM_PROT_WRITE);
	/* Left to the caller, who writes the bytes; memory that was shared once may count as such. */
	if (kr == MACHVM_VM_SHARED || (shared && !expected)) {
		check_eq(kr, MACHVM_VM_SHARED);
		check_eq(expected, MACHVM_KERN_SUCCESS);
		return;
	}
	if (!check_eq(kr, expected) || kr)
		return;
	for (i = 0; i < nr; i++)
		values[i] = from->pages[source + i].cell->value;
	for (i = 0; i < nr; i++)
		to->pages[page + i].cell->value = values[i];
}

static void do_read(struct mtask *to, struct mtask *from, u64 source, u64 nr)
{
	unsigned int odd = test_random() % 3 ? 0 : 0x104;
	u64 data = 1, i, page, expected_at;
	bool starved = starve();
	int kr, expected;

	kr = machvm_vm_read(from->map, AT(source) + odd, PAGES(nr) - odd, to->map, &data);
	if (excused(kr, starved && fail_end()))
		return;
	expected = range_allowed(from, source, nr, MACHVM_PROT_READ);
	for (expected_at = 0; expected_at + nr <= TASK_PAGES; expected_at++)
		if (range_free(to, expected_at, nr))
			break;
	if (!expected && expected_at + nr > TASK_PAGES)
		expected = MACHVM_KERN_NO_SPACE;
	if (!check_eq(kr, expected) || kr) {
		check_eq(data, 0);
		return;
	}
	if (!check_eq(data, AT(expected_at) + odd))
		return;
	page = expected_at;
	for (i = 0; i < nr; i++)
		page_set(&to->pages[page + i], cell_new(from->pages[source + i].cell->value));
}

/* Pages of one task appear in another as well, and both see what either writes. */
static void do_alias(struct mtask *to, struct mtask *from, u64 source, u64 nr)
{
	u64 page = free_place(to, nr, 1), alias, i;
	bool starved = starve();
	int kr, expected;

	kr = machvm_vm_alias(from->map, AT(source), PAGES(nr), to->map, &alias);
	if (excused(kr, starved && fail_end()))
		return;
	expected = range_allowed(from, source, nr, MACHVM_PROT_WRITE);
	if (!expected && page == TASK_PAGES)
		expected = MACHVM_KERN_NO_SPACE;
	if (!check_eq(kr, expected) || kr || !check_eq(alias, AT(page)))
		return;
	for (i = 0; i < nr; i++)
		page_set(&to->pages[page + i], cell_get(from->pages[source + i].cell));
}

static void do_check(struct mtask *task, u64 page, u64 nr)
{
	u8 want = test_random() % 2 ? MACHVM_PROT_READ : MACHVM_PROT_WRITE;

	check_eq(machvm_vm_check(task->map, AT(page) + 1, PAGES(nr) - 1, want),
		 range_allowed(task, page, nr, want));
}

/* The region at or above a page: all of it is alike and there, and so is nothing below it. */
static void do_region(struct mtask *task, u64 page)
{
	struct machvm_region region;
	u64 at = page;
	int kr = machvm_vm_region(task->map, AT(page), &region);

	while (at < TASK_PAGES && !task->pages[at].mapped)
		at++;
	if (!check_eq(kr, at < TASK_PAGES ? 0 : MACHVM_KERN_NO_SPACE) || kr)
		return;
	check(region.start == AT(at) || (at == page && region.start < AT(at)));
	check(region.end > AT(at));
	for (at = (region.start - ARENA) >> PAGE_SHIFT; AT(at) < region.end; at++) {
		check(task->pages[at].mapped);
		check_eq(task->pages[at].protection, region.protection);
	}
}

/* Calls that are refused, or have nothing to do; what follows shows that they did nothing. */
static void do_nothing(struct mtask *task, u64 page, u64 nr)
{
	struct machvm_map *map = task->map;
	u64 at = AT(page), addr = at;

	check_eq(machvm_vm_allocate(map, &addr, -1ULL, false), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_allocate(map, &addr, -PAGES(1), false), MACHVM_KERN_INVALID_ADDRESS);
	check_eq(machvm_vm_allocate(map, &addr, PAGES(TASK_PAGES + 1), true), MACHVM_KERN_NO_SPACE);
	check_eq(machvm_vm_deallocate(map, at, -at), 0);
	check_eq(machvm_vm_deallocate(map, at + 1, 0), 0);
	check_eq(machvm_vm_protect(map, at, -1ULL, false, 0), 0);
	check_eq(machvm_vm_protect(map, at, PAGES(nr), false, 8), MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_inherit(map, at, -at, MACHVM_INHERIT_NONE), 0);
	check_eq(machvm_vm_copy(map, at, 0, at + 1), 0);
	check_eq(machvm_vm_copy(map, at, PAGES(nr), at + 8),
		 range_allowed(task, page, nr, MACHVM_PROT_READ) ?: MACHVM_KERN_INVALID_ARGUMENT);
	check_eq(machvm_vm_copy(map, at, -PAGES(1), at), MACHVM_KERN_INVALID_ADDRESS);
}

static void do_store_run(struct mtask *task, u64 page, u64 nr)
{
	while (nr--)
		do_store(task, page++);
}

static void do_load_run(struct mtask *task, u64 page, u64 nr)
{
	while (nr--)
		check_load(task, page++);
}

/* Nobody may notice. */
static void do_pageout(struct mtask *task, u64 page, u64 nr)
{
	bool starved = starve();

	pageout_at(task->map, page, nr);
	if (starved)
		fail_end();
}

static struct mtask *some_task(void)
{
	struct mtask *task = &tasks[test_random() % NR_TASKS];

	return task->map ? task : NULL;
}

static void one_call(void)
{
	u64 page = test_random() % TASK_PAGES, nr = test_random() % 10 + 1;
	struct mtask *task = &tasks[test_random() % NR_TASKS];
	u64 source = test_random() % TASK_PAGES;
	unsigned int op = test_random() % 60, i;

	nr = min(nr, TASK_PAGES - page);
	if (!task->map)
		task = &tasks[0];
	if (!task->map) {
		for (i = 0; i < NR_TASKS; i++)
			if (tasks[i].map)
				task = &tasks[i];
	}
	if (!task->map)
		task->map = map_new_of(TASK_PAGES);
	test_at("task %d, operation %u, page %llu+%llu", (int)(task - tasks), op, page, nr);
	switch (op) {
	case 0 ... 3:
		do_allocate(task, page, nr);
		break;
	case 4 ... 5:
		do_deallocate(task, page, nr);
		break;
	case 6 ... 7:
		do_protect(task, page, nr);
		break;
	case 8 ... 10:
		do_map(task, page, nr);
		break;
	case 11:
		do_fork(task);
		break;
	case 12:
		if (test_random() % 3 == 0)
			do_exit(task);
		break;
	case 13:
		files[test_random() % NR_FILES].faulty = test_random() % 4 == 0;
		break;
	case 14 ... 23:
		do_store(task, page);
		break;
	case 24:
		do_inherit(task, page, nr);
		break;
	case 25 ... 26:
		nr = min(nr, TASK_PAGES - source);
		do_copy(task, page, some_task() ?: task, source, nr);
		break;
	case 27:
		do_read(some_task() ?: task, task, page, nr);
		break;
	case 28 ... 30:
		do_pageout(task, page, nr);
		break;
	case 31 ... 32:
		do_allocate_anywhere(task, nr);
		break;
	case 33:
		do_map_fresh(task, page, nr, false);
		break;
	case 34:
		do_map_fresh(task, page, nr, true);
		break;
	case 35:
		do_set_maximum(task, page, 1);
		break;
	case 36:
		do_alias(some_task() ?: task, task, page, nr);
		break;
	case 37:
		do_check(task, page, nr);
		break;
	case 38:
		do_region(task, page);
		break;
	case 39:
		do_nothing(task, page, nr);
		break;
	case 40 ... 43:
		do_store_run(task, page, nr);
		break;
	case 44:
		do_load_run(task, page, nr);
		break;
	case 45 ... 46:
		/* Onto itself, by some pages. */
		nr = min(nr, TASK_PAGES - source);
		do_copy(task, min(source + test_random() % 4, TASK_PAGES - nr), task, source, nr);
		break;
	case 47:
		if (test_random() % 4 == 0)
			do_deallocate(task, 0, TASK_PAGES);
		break;
	default:
		check_load(task, page);
		break;
	}
	serve(false);
}

static unsigned int steps(void)
{
	const char *wanted = getenv("MODEL_STEPS");

	return wanted ? strtoul(wanted, NULL, 0) : 20000;
}

static void run_model(unsigned int calls)
{
	unsigned int i, j;

	fake_world = world;
	for (i = 0; i < NR_FILES; i++) {
		pager_new(&files[i].pager);
		pager_bind(&files[i].pager, test_random() % 8 + 1);
		for (j = 0; j < FILE_PAGES; j++) {
			files[i].stored[j] = test_random() % 3 ? test_random() : 0;
			files[i].content[j] = (struct cell){ 1, files[i].stored[j] };
		}
	}
	for (i = 0; i < calls; i++) {
		one_call();
		if (i % 64 == 0)
			check_everything();
	}
	test_at("%s", "");
	for (i = 0; i < NR_TASKS; i++)
		if (tasks[i].map)
			do_exit(&tasks[i]);
	serve(true);
	for (i = 0; i < NR_FILES; i++) {
		check(stored_all(&files[i]));
		check_eq(files[i].pager.memobj->state, MACHVM_MEMOBJ_IDLE);
		pager_end(&files[i].pager);
	}
	mock_sents_forget();
}

TEST(model, random_calls_of_several_tasks)
{
	run_model(steps());
}

TEST(model, random_calls_with_lazy_pagers)
{
	lazy = true;
	run_model(steps());
}

/* Far less than the tasks use, and hardly more than the memory objects have. */
TEST(model, random_calls_with_little_memory)
{
	mock_user.page_limit = 80;
	mock_store_room = true;
	run_model(20000);
	check(mock_stats[MACHVM_STAT_PAGEOUTS] > 2000);
}

TEST(model, short_lives_end_clean)
{
	unsigned int round;

	for (round = 0; round < 100; round++) {
		lazy = round % 2;
		served = 0;
		run_model(100);
	}
}
