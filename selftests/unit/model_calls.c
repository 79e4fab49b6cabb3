// SPDX-License-Identifier: GPL-2.0-only
/* model_calls.c - the calls of the model; see model.h. */
#include "model.h"
#include "proxy.h"

static bool range_free(struct mtask *task, u64 page, u64 nr)
{
	while (nr--)
		if (task->pages[page++].mapped)
			return false;
	return true;
}

bool starve(void)
{
	bool starved = test_random() % 6 == 0;

	if (starved)
		fail_nth(test_random() % 8 + 1);
	return starved;
}

void do_allocate(struct mtask *task, u64 page, u64 nr)
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

void do_allocate_anywhere(struct mtask *task, u64 nr)
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
void do_map_fresh(struct mtask *task, u64 page, u64 nr, bool anywhere)
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

void do_deallocate(struct mtask *task, u64 page, u64 nr)
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

void do_protect(struct mtask *task, u64 page, u64 nr)
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

void do_set_maximum(struct mtask *task, u64 page, u64 nr)
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

void do_inherit(struct mtask *task, u64 page, u64 nr)
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

void do_map(struct mtask *task, u64 page, u64 nr)
{
	unsigned int which = test_random() % NR_FILES, at = test_random() % FILE_PAGES, i;
	bool copy = test_random() % 2, starved;
	struct mfile *file = &model_files[which];
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

static bool has_wired(struct mtask *task)
{
	unsigned int i;

	for (i = 0; i < TASK_PAGES; i++)
		if (task->pages[i].wired)
			return true;
	return false;
}

/* Wired pages are copied at once, for which there may be no room. */
static bool copy_excused(int kr, bool hit, struct mtask *from)
{
	return excused(kr, hit || (model_scarce && has_wired(from)));
}

/* Wired pages are copied at once; what else there is makes no room for that. */
void do_fork(struct mtask *parent)
{
	struct mtask *child = NULL;
	unsigned int i;
	bool starved;

	for (i = 0; i < NR_TASKS; i++)
		if (!model_tasks[i].map)
			child = &model_tasks[i];
	if (!child)
		return;
	starved = starve();
	child->map = map_fork(parent->map);
	if (!child->map) {
		check((starved && fail_end()) || (model_scarce && has_wired(parent)));
		return;
	}
	if (starved)
		fail_end();
	for (i = 0; i < TASK_PAGES; i++) {
		struct mpage *from = &parent->pages[i], *to = &child->pages[i];

		if (!from->mapped || from->inheritance == MACHVM_INHERIT_NONE)
			continue;
		*to = *from;
		to->wired = false;
		if (from->inheritance == MACHVM_INHERIT_SHARE)
			cell_get(to->cell);
		else
			to->cell = cell_new(from->inheritance == MACHVM_INHERIT_ZERO ? 0 :
					    from->cell->value);
	}
}

void do_exit(struct mtask *task)
{
	unsigned int i;

	map_end(task->map);
	task->map = NULL;
	for (i = 0; i < TASK_PAGES; i++)
		page_clear(&task->pages[i]);
}

void do_store(struct mtask *task, u64 page)
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
void do_copy(struct mtask *to, u64 page, struct mtask *from, u64 source, u64 nr)
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
	if (copy_excused(kr, starved && fail_end(), from))
		return;
	if (kr == MACHVM_KERN_RESOURCE_SHORTAGE && model_scarce && has_wired(from))
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

void do_read(struct mtask *to, struct mtask *from, u64 source, u64 nr)
{
	unsigned int odd = test_random() % 3 ? 0 : 0x104;
	u64 data = 1, i, page, expected_at;
	bool starved = starve();
	int kr, expected;

	kr = machvm_vm_read(from->map, AT(source) + odd, PAGES(nr) - odd, to->map, &data);
	if (copy_excused(kr, starved && fail_end(), from))
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
void do_alias(struct mtask *to, struct mtask *from, u64 source, u64 nr)
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

void do_check(struct mtask *task, u64 page, u64 nr)
{
	u8 want = test_random() % 2 ? MACHVM_PROT_READ : MACHVM_PROT_WRITE;

	check_eq(machvm_vm_check(task->map, AT(page) + 1, PAGES(nr) - 1, want),
		 range_allowed(task, page, nr, want));
}

/* The region at or above a page: all of it is alike and there, and so is nothing below it. */
void do_region(struct mtask *task, u64 page)
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
void do_nothing(struct mtask *task, u64 page, u64 nr)
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

void do_store_run(struct mtask *task, u64 page, u64 nr)
{
	while (nr--)
		do_store(task, page++);
}

void do_load_run(struct mtask *task, u64 page, u64 nr)
{
	while (nr--)
		check_load(task, page++);
}

/* Nobody may notice. */
void do_pageout(struct mtask *task, u64 page, u64 nr)
{
	bool starved = starve();

	pageout_at(task->map, page, nr);
	if (starved)
		fail_end();
}

/* Wiring: all or nothing, and of some access that the whole range allows. */
void do_wire(struct mtask *task, u64 page, u64 nr)
{
	u8 access = test_random() % 2 ? RW : MACHVM_PROT_READ;
	bool starved = starve();
	int kr = wire_at(task->map, page, nr, access);

	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, range_allowed(task, page, nr, access) ? MACHVM_KERN_NO_SPACE : 0) || kr)
		return;
	while (nr--)
		task->pages[page++].wired = true;
}

void do_unwire(struct mtask *task, u64 page, u64 nr)
{
	bool starved = starve();
	int kr = unwire_at(task->map, page, nr);

	if (excused(kr, starved && fail_end()))
		return;
	if (!check_eq(kr, range_allowed(task, page, nr, 0) ? MACHVM_KERN_NO_SPACE : 0) || kr)
		return;
	while (nr--)
		task->pages[page++].wired = false;
}

/* A limit in the way, which is taken back. */
void do_size_limit(struct mtask *task, u64 page, u64 nr)
{
	u64 used = 0, addr = AT(page), most = U64_MAX;
	unsigned int i;

	for (i = 0; i < TASK_PAGES; i++)
		used += task->pages[i].mapped && task->pages[i].max_protection ? PAGE_SIZE : 0;
	check_eq(machvm_vm_set_size_limit(task->map, used + PAGES(nr) - 1, most, true), 0);
	check_eq(machvm_vm_allocate(task->map, &addr, PAGES(nr), false), MACHVM_KERN_NO_SPACE);
	check_eq(machvm_vm_set_size_limit(task->map, used + PAGES(nr), most, true), 0);
	do_allocate(task, page, nr);
	check_eq(machvm_vm_set_size_limit(task->map, most, most, true), 0);
}

/* Maps a right to pages, whose cells are @cells, in another place; both are the same memory. */
static void map_proxy(struct mtask *task, u64 page, u64 nr, struct machvm_proxy *proxy,
		      struct cell *const *cells, bool copy)
{
	struct machvm_vm_map arg = {
		.address = AT(page), .length = PAGES(nr), .copy = copy, .object = -1,
		.protection = RW, .max_protection = MACHVM_PROT_ALL,
		.inheritance = MACHVM_INHERIT_COPY,
	};
	bool starved = starve();
	int kr, expected;
	u64 addr;

	kr = machvm_vm_map_proxy(task->map, &arg, proxy, &addr);
	if (excused(kr, starved && fail_end()))
		return;
	expected = range_free(task, page, nr) ? 0 : MACHVM_KERN_NO_SPACE;
	if (copy && !(proxy->max_protection & MACHVM_PROT_READ))
		expected = MACHVM_KERN_PROTECTION_FAILURE;
	if (!check_eq(kr, expected) || kr)
		return;
	for (; nr--; page++, cells++) {
		page_set(&task->pages[page], copy ? cell_new((*cells)->value) : cell_get(*cells));
		if (copy)
			continue;
		task->pages[page].max_protection = proxy->max_protection;
		task->pages[page].protection &= proxy->max_protection;
	}
}

static struct machvm_proxy *proxy_new(void)
{
	static const u8 rights[] = { MACHVM_PROT_ALL, RW, MACHVM_PROT_READ, MACHVM_PROT_WRITE };
	struct machvm_proxy *proxy;

	proxy = machvm_proxy_alloc(&mock_user, rights[test_random() % ARRAY_SIZE(rights)], 1);
	require(!IS_ERR(proxy));
	return proxy;
}

void do_map_proxy(struct mtask *task, u64 page, u64 nr)
{
	struct mfile *file = &model_files[test_random() % NR_FILES];
	u64 at = test_random() % (FILE_PAGES - 10), i;
	struct machvm_proxy *proxy = proxy_new();
	struct cell *cells[TASK_PAGES];

	for (i = 0; i < nr; i++)
		cells[i] = &file->content[at + i];
	proxy->parts[0] = (struct machvm_proxy_part){
		.start = PAGES(at), .length = PAGES(nr),
		.memobj = machvm_memobj_get(file->pager.memobj),
	};
	proxy->nr = 1;
	check_eq(machvm_proxy_check(proxy), 0);
	map_proxy(task, page, nr, proxy, cells, test_random() % 2);
	machvm_proxy_put(proxy);
}

/* A part of a region of one task is seen by another, or twice by the same. */
void do_region_proxy(struct mtask *task, u64 page, u64 nr)
{
	struct mtask *into = &model_tasks[test_random() % NR_TASKS];
	u64 at = test_random() % TASK_PAGES, i;
	struct machvm_proxy *proxy = proxy_new();
	struct cell *cells[TASK_PAGES];
	struct machvm_region region;
	bool starved;
	int kr;

	if (!into->map)
		into = task;
	if (machvm_vm_region(task->map, AT(page), &region))
		region.start = region.end = U64_MAX;
	nr = min(nr, TASK_PAGES - at);
	starved = starve();
	kr = machvm_proxy_take_region(proxy, task->map, AT(page), PAGES(nr));
	if (excused(kr, starved && fail_end()))
		goto out;
	if (region.end == U64_MAX)
		check_eq(kr, MACHVM_KERN_NO_SPACE);
	else if (region.start > AT(page))
		check_eq(kr, MACHVM_KERN_INVALID_ADDRESS);
	else
		check_eq(kr, region.end < AT(page + nr) ? MACHVM_KERN_INVALID_ARGUMENT : 0);
	for (i = 0; i < nr && !kr; i++)
		cells[i] = task->pages[page + i].cell;
	if (!kr)
		map_proxy(into, at, nr, proxy, cells, test_random() % 4 == 0);
out:
	machvm_proxy_put(proxy);
}

struct mtask *some_task(void)
{
	struct mtask *task = &model_tasks[test_random() % NR_TASKS];

	return task->map ? task : NULL;
}
