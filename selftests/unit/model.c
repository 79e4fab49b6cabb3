// SPDX-License-Identifier: GPL-2.0-only
/* model.c - see model.h. */
#include <stdlib.h>
#include "model.h"

struct mtask model_tasks[NR_TASKS];
struct mfile model_files[NR_FILES];
unsigned int model_served;
bool model_lazy;
bool model_scarce;

struct cell *cell_new(u8 value)
{
	struct cell *cell = malloc(sizeof(*cell));

	*cell = (struct cell){ 1, value };
	return cell;
}

struct cell *cell_get(struct cell *cell)
{
	cell->refs++;
	return cell;
}

void page_clear(struct mpage *page)
{
	if (page->mapped && !--page->cell->refs)
		free(page->cell);
	memset(page, 0, sizeof(*page));
}

void page_set(struct mpage *page, struct cell *cell)
{
	*page = (struct mpage){
		.mapped = true,
		.protection = RW,
		.max_protection = MACHVM_PROT_ALL,
		.inheritance = MACHVM_INHERIT_COPY,
		.cell = cell,
	};
}

bool is_of_file(const struct cell *cell)
{
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		if (cell >= model_files[i].content && cell < model_files[i].content + FILE_PAGES)
			return true;
	return false;
}

bool stored_all(struct mfile *file)
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
		if (model_files[i].pager.memobj->id == id)
			return &model_files[i];
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

void serve(bool all)
{
	while (model_served < mock_nr_sent) {
		struct mock_sent sent = mock_sents[model_served];
		struct mfile *file = file_of(sent.object);

		if (!all && model_lazy && test_random() % 2)
			return;
		model_served++;
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
			check(stored_all(file) || model_lazy);
			break;
		}
	}
}

void model_world(void *arg)
{
	serve(true);
}

int access_allowed(const struct mpage *page, bool write)
{
	u8 want = write ? RW : MACHVM_PROT_READ;

	if (!page->mapped)
		return MACHVM_KERN_INVALID_ADDRESS;
	return want & ~page->protection ? MACHVM_KERN_PROTECTION_FAILURE : 0;
}

/* True if the answer is one that failing allocations or a faulty pager explain. */
bool excused(int kr, bool hit)
{
	unsigned int i;

	if (hit && (kr == -ENOMEM || kr == MACHVM_KERN_RESOURCE_SHORTAGE))
		return true;
	for (i = 0; i < NR_FILES; i++)
		if (model_files[i].faulty && kr == MACHVM_KERN_MEMORY_ERROR)
			return true;
	return false;
}

void check_load(struct mtask *task, unsigned int page)
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

void check_everything(void)
{
	unsigned int i, page;
	struct machvm_region region;
	u64 wired;

	for (i = 0; i < NR_TASKS; i++) {
		if (!model_tasks[i].map)
			continue;
		map_check(model_tasks[i].map);
		for (page = 0, wired = 0; page < TASK_PAGES; page++)
			wired += model_tasks[i].pages[page].wired ? PAGE_SIZE : 0;
		check_eq(model_tasks[i].map->wired_size, wired);
		for (page = 0; page < TASK_PAGES; page++) {
			struct mpage *mpage = &model_tasks[i].pages[page];

			test_at("task %u, page %u", i, page);
			check_load(&model_tasks[i], page);
			if (!mpage->mapped)
				continue;
			check_eq(machvm_vm_region(model_tasks[i].map, AT(page), &region), 0);
			check_eq(region.protection, mpage->protection);
			check_eq(region.max_protection, mpage->max_protection);
			check_eq(region.inheritance, mpage->inheritance);
		}
	}
	objects_check();
}
