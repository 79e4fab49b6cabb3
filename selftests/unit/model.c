// SPDX-License-Identifier: GPL-2.0-only
/* model.c - see model.h. */
#include <stdlib.h>
#include "model.h"

struct mtask model_tasks[NR_TASKS];
struct mfile model_files[NR_FILES];
struct mfile *model_copies;
unsigned int model_taken;
unsigned int model_served;
bool model_lazy;
u32 model_strategy;
bool model_mortal;
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
	struct mfile *copy;
	unsigned int i;

	if (hit && (kr == -ENOMEM || kr == MACHVM_KERN_RESOURCE_SHORTAGE))
		return true;
	for (i = 0; i < NR_FILES; i++)
		if ((model_files[i].faulty || model_files[i].dead) &&
		    kr == MACHVM_KERN_MEMORY_ERROR)
			return true;
	for (copy = model_copies; copy; copy = copy->next)
		if (copy->faulty && kr == MACHVM_KERN_MEMORY_ERROR)
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
