// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_test.c - random calls, forks, loads and stores of a few tasks and pagers, against a model
 * that knows no objects: each page of each task is a byte of its own, copied when it is copied,
 * and a memory object is an array.  The real code must agree on every byte and every answer, also
 * while allocations fail, and have nothing left at the end.
 */
#include "mock.h"

#define NR_TASKS 4
#define TASK_PAGES 48
#define NR_FILES 2
#define FILE_PAGES 24
#define PRIVATE (-1)

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

/* The model */

struct mpage {
	bool mapped;
	u8 protection, max_protection;
	int file;			/* PRIVATE, or whose page it shows */
	unsigned int file_page;
	u8 value;			/* if private */
};

struct mtask {
	struct machvm_map *map;		/* NULL: there is no such task */
	struct mpage pages[TASK_PAGES];
};

struct mfile {
	struct pager pager;
	u8 content[FILE_PAGES];		/* as every sharer sees it */
	u8 stored[FILE_PAGES];		/* as the pager has it */
	bool faulty;			/* the pager answers with errors for now */
};

static struct mtask tasks[NR_TASKS];
static struct mfile files[NR_FILES];
static unsigned int served;		/* messages that pagers have dealt with */
static bool lazy;			/* returned pages may wait */

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
			check_eq(machvm_memobj_ready(file->pager.memobj, MACHVM_COPY_DELAY), 0);
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
			check(!memcmp(file->stored, file->content, FILE_PAGES) || lazy);
			break;
		}
	}
}

static void world(void *arg)
{
	serve(true);
}

/* What the model says about a page, by its own byte or the file's. */

static u8 *value_of(struct mpage *page)
{
	return page->file == PRIVATE ? &page->value : &files[page->file].content[page->file_page];
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
	check_eq(first, *value_of(&task->pages[page]));
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
		task->pages[page++] = (struct mpage){ true, RW, MACHVM_PROT_ALL, PRIVATE };
}

static void do_deallocate(struct mtask *task, u64 page, u64 nr)
{
	bool starved = starve();
	int kr = deallocate_at(task->map, page, nr);

	if (excused(kr, starved && fail_end()))
		return;
	if (check_eq(kr, 0))
		memset(task->pages + page, 0, nr * sizeof(*task->pages));
}

static void do_protect(struct mtask *task, u64 page, u64 nr)
{
	static const u8 often[] = { RW, RW, MACHVM_PROT_READ, MACHVM_PROT_ALL, 0, 2 };
	u8 protection = often[test_random() % ARRAY_SIZE(often)];
	bool starved = starve();
	int kr = protect_at(task->map, page, nr, protection);

	if (!excused(kr, starved && fail_end()) && check_eq(kr, 0))
		while (nr--)
			task->pages[page++].protection = protection;
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
		task->pages[page + i] = (struct mpage){
			true, RW, MACHVM_PROT_ALL, copy ? PRIVATE : (int)which, at + i,
			file->content[at + i],
		};
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
	memcpy(child->pages, parent->pages, sizeof(child->pages));
	for (i = 0; i < TASK_PAGES; i++) {
		child->pages[i].value = *value_of(&parent->pages[i]);
		child->pages[i].file = PRIVATE;
	}
}

static void do_exit(struct mtask *task)
{
	map_end(task->map);
	memset(task, 0, sizeof(*task));
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
	*value_of(&task->pages[page]) = value;
	check_eq(cpu_store(task->map, AT(page) + PAGE_SIZE - 1, value), 0);
}

static void one_call(void)
{
	u64 page = test_random() % TASK_PAGES, nr = test_random() % 10 + 1;
	struct mtask *task = &tasks[test_random() % NR_TASKS];
	unsigned int op = test_random() % 32, i;

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
	default:
		check_load(task, page);
		break;
	}
	serve(false);
}

static void run_model(unsigned int calls)
{
	unsigned int i, j;

	fake_world = world;
	for (i = 0; i < NR_FILES; i++) {
		pager_new(&files[i].pager);
		pager_bind(&files[i].pager, test_random() % 8 + 1);
		for (j = 0; j < FILE_PAGES; j++)
			files[i].content[j] = files[i].stored[j] = test_random() % 3 ? test_random() : 0;
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
		check(!memcmp(files[i].stored, files[i].content, FILE_PAGES));
		check_eq(files[i].pager.memobj->state, MACHVM_MEMOBJ_IDLE);
		pager_end(&files[i].pager);
	}
	mock_sents_forget();
}

TEST(model, random_calls_of_several_tasks)
{
	run_model(20000);
}

TEST(model, random_calls_with_lazy_pagers)
{
	lazy = true;
	run_model(20000);
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
