// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_pager.c - the pagers of the model: what they answer, and what they say by themselves.
 *
 * A pager keeps what was returned to it, so that it can answer with that.  It answers late, by
 * other pages as well, or with errors; cleans, flushes and locks pages; and leaves its object to
 * a successor, who hears of all that was not answered.  Nothing that was written may be lost.
 *
 * Of an object that is copied by CALL it takes the copies, and serves them with what it had when it
 * heard of them.  They may be copied like that in turn.
 */
#include "absence.h"
#include "copycall.h"
#include "lock.h"
#include "model.h"

#define CLUSTER_MOST 3		/* 8 pages, which divides FILE_PAGES */

/* NULL if it is a copy that has ended. */
static struct mfile *file_of(u64 id)
{
	struct mfile *file;
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		if (model_files[i].pager.memobj->id == id)
			return &model_files[i];
	for (file = model_copies; file; file = file->next)
		if (file->pager.memobj->id == id)
			return file;
	return NULL;
}

/* One of the files, or now and then a copy. */
static struct mfile *some_file(void)
{
	struct mfile *file = model_copies;
	unsigned int skip = test_random() % 8;

	while (file && skip--)
		file = file->next;
	return file && test_random() % 4 == 0 ? file : &model_files[test_random() % NR_FILES];
}

static void pump(struct mfile *file)
{
	machvm_port_pump(file->pager.memobj->port);
}

static u32 some_strategy(void)
{
	if (model_strategy)
		return model_strategy;
	return !model_scarce && test_random() % 2 ? MACHVM_COPY_CALL : MACHVM_COPY_DELAY;
}

static void serve_page(struct mfile *file, unsigned int page)
{
	struct machvm_memobj *memobj = file->pager.memobj;
	int kr;

	if (file->faulty)
		kr = machvm_memobj_error(memobj, PAGES(page), PAGE_SIZE, 7);
	else if (!file->stored[page] && test_random() % 2)
		kr = machvm_memobj_unavailable(memobj, PAGES(page), PAGE_SIZE);
	else
		kr = supply(&file->pager, page, file->stored[page], test_random() % 8 == 0);
	/* Refused if the last mapping is gone, or the page has come, or nobody waits any more. */
	check(!kr || kr == MACHVM_KERN_MEMORY_ERROR || kr == MACHVM_KERN_MEMORY_PRESENT ||
	      kr == MACHVM_KERN_RESOURCE_SHORTAGE);
}

/* The pages of a cluster, from any one on. */
static void serve_request(struct mfile *file, struct mock_sent *sent)
{
	unsigned int first = sent->offset >> PAGE_SHIFT, nr = sent->length >> PAGE_SHIFT;
	unsigned int from = test_random(), i;

	require(nr && first + nr <= FILE_PAGES);
	for (i = 0; i < nr; i++)
		serve_page(file, first + (from + i) % nr);
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

static int lock_request(struct mfile *file, const struct machvm_lock_order *order)
{
	int kr = machvm_job_start(file->pager.memobj, order, NULL);

	machvm_memobj_advance(file->pager.memobj);
	return kr;
}

/* Whoever is kept out is let in; where there was no memory for that, at the second try. */
static void serve_unlock(struct mfile *file, struct mock_sent *sent)
{
	struct machvm_lock_order order = {
		.offset = sent->offset, .length = sent->length, .reply = true,
	};

	if (lock_request(file, &order))
		check_eq(lock_request(file, &order), 0);
}

static void bind(struct mfile *file)
{
	pager_bind(&file->pager, test_random() % 8 + 1);
}

static void copy_end(struct mfile *copy)
{
	struct mfile **at = &model_copies;

	while (*at != copy)
		at = &(*at)->next;
	*at = copy->next;
	pager_end(&copy->pager);
	free(copy);
}

/* What was returned before this message is in the copy, what will be returned is not. */
static void serve_copy(struct mfile *file, struct mock_sent *sent)
{
	unsigned int first = sent->offset >> PAGE_SHIFT, nr = sent->length >> PAGE_SHIFT;
	struct machvm_memobj *memobj = machvm_copy_find(file->pager.memobj, sent->new_object);
	struct mfile *copy;

	require(nr && first + nr <= FILE_PAGES);
	if (!memobj)
		return;		/* nobody maps it any more */
	check(machvm_copy_take(file->pager.memobj, memobj));
	copy = calloc(1, sizeof(*copy));
	copy->pager.memobj = memobj;
	copy->is_copy = true;
	copy->strategy = MACHVM_COPY_DELAY;
	copy->next = model_copies;
	model_copies = copy;
	model_taken++;
	memcpy(copy->stored, file->stored + first, nr);
	if (READ_ONCE(memobj->object))
		bind(copy);
	else
		copy_end(copy);		/* and nobody ever will */
}

static void serve_init(struct mfile *file)
{
	bool may_cache = !file->is_copy && test_random() % 3 == 0;
	u32 strategy = file->is_copy ? some_strategy() : file->strategy;

	check_eq(machvm_memobj_ready(file->pager.memobj, may_cache, strategy), 0);
	file->strategy = file->pager.memobj->copy_strategy;	/* it may be too late */
	pump(file);
}

static void serve_terminate(struct mfile *file)
{
	if (file->is_copy)
		copy_end(file);
	else
		check(stored_all(file) || model_lazy || file->dead);
}

static void serve_one(struct mfile *file, struct mock_sent *sent)
{
	switch (sent->type) {
	case MACHVM_MSG_INIT:
		serve_init(file);
		break;
	case MACHVM_MSG_COPY:
		serve_copy(file, sent);
		break;
	case MACHVM_MSG_DATA_REQUEST:
		serve_request(file, sent);
		break;
	case MACHVM_MSG_DATA_UNLOCK:
		serve_unlock(file, sent);
		break;
	case MACHVM_MSG_DATA_RETURN:
		serve_return(file, sent);
		break;
	case MACHVM_MSG_LOCK_COMPLETED:
		if (sent->access)
			serve_unlock(file, sent);
		break;
	default:
		check_eq(sent->type, MACHVM_MSG_TERMINATE);
		serve_terminate(file);
		break;
	}
}

/* Of an object that nobody serves, somebody comes. */
static void bind_absent(void)
{
	struct mfile *file;
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		if (!model_files[i].pager.binding && !model_files[i].dead)
			bind(&model_files[i]);
	for (file = model_copies; file; file = file->next)
		if (!file->pager.binding)
			bind(file);
}

/* What was unmapped before it got init hears of nothing any more. */
static void reap_copies(void)
{
	struct mfile *copy, *next;

	if (model_served < mock_nr_sent)
		return;		/* it may have been sent something before it ended */
	for (copy = model_copies; copy; copy = next) {
		struct machvm_memobj *memobj = copy->pager.memobj;

		next = copy->next;
		if (memobj->state == MACHVM_MEMOBJ_IDLE && !memobj->mapped)
			copy_end(copy);
	}
}

/* As the kernel's thread does for who copies. */
static void pump_all(void)
{
	struct mfile *file;
	unsigned int i;

	for (i = 0; i < NR_FILES; i++)
		pump(&model_files[i]);
	for (file = model_copies; file; file = file->next)
		pump(file);
}

void serve(bool all)
{
	if (all || test_random() % 4 == 0)
		bind_absent();
	reap_copies();
	pump_all();
	while (model_served < mock_nr_sent) {
		struct mock_sent sent = mock_sents[model_served];
		struct mfile *file = file_of(sent.object);

		if (!all && model_lazy && test_random() % 2)
			return;
		model_served++;
		/* What a predecessor was sent comes again, but for terminate. */
		if (!file)
			continue;
		if (file->pager.binding && file->pager.binding->epoch == sent.epoch)
			serve_one(file, &sent);
		else if (file->is_copy && sent.type == MACHVM_MSG_TERMINATE)
			copy_end(file);		/* that was for him, and all */
	}
}

void model_world(void *arg)
{
	serve(true);
}

void file_begin(struct mfile *file)
{
	unsigned int i;

	memset(file, 0, sizeof(*file));
	pager_new(&file->pager);
	machvm_absence_set(file->pager.memobj, MACHVM_FALLBACK_ERROR, 0, MACHVM_FOREVER_MS);
	bind(file);
	file->strategy = some_strategy();
	for (i = 0; i < FILE_PAGES; i++) {
		file->stored[i] = test_random() % 3 ? test_random() : 0;
		file->content[i] = (struct cell){ 1, file->stored[i] };
	}
}

/* Nothing maps it any more.  All that was written is with the pager. */
void file_check(struct mfile *file)
{
	struct machvm_memobj *memobj = file->pager.memobj;

	if (file->dead)
		return;
	serve(true);
	check_eq(machvm_memobj_change(memobj, false, file->strategy, 0), 0);
	machvm_memobj_advance(memobj);
	serve(true);
	check(stored_all(file));
	check_eq(memobj->state, MACHVM_MEMOBJ_IDLE);
}

void file_end(struct mfile *file)
{
	if (file->dead)
		machvm_memobj_put(file->pager.memobj);
	else
		pager_end(&file->pager);
}

/* What pagers do by themselves; of the range just the length matters. */

static void some_range(u64 *offset, u64 *length, u64 nr)
{
	u64 at = test_random() % FILE_PAGES;

	*offset = PAGES(at);
	*length = PAGES(min_t(u64, nr, FILE_PAGES - at));
}

/* Whoever looks at the pages must see what was written before, however they came and went. */
void do_pager_lock(struct mtask *task, u64 page, u64 nr)
{
	static const u32 locks[] = {
		MACHVM_PROT_NO_CHANGE, MACHVM_PROT_NO_CHANGE, 0, MACHVM_PROT_WRITE, RW,
		MACHVM_PROT_ALL,
	};
	struct mfile *file = some_file();
	struct machvm_lock_order order = {
		.should_return = test_random() % 3 ? MACHVM_RETURN_DIRTY : MACHVM_RETURN_ALL,
		.flush = test_random() % 2,
		.locks = locks[test_random() % ARRAY_SIZE(locks)],
		.reply = test_random() % 2,
	};
	bool starved, hit;
	int kr;

	some_range(&order.offset, &order.length, nr);
	if (!order.flush && test_random() % 3 == 0)
		order.should_return = MACHVM_RETURN_NONE;
	starved = starve();
	kr = lock_request(file, &order);
	hit = starved && fail_end();
	if (!file->pager.binding)
		check(kr == MACHVM_KERN_MEMORY_ERROR || excused(kr, hit));
	else if (!excused(kr, hit))
		check_eq(kr, 0);
	machvm_memobj_advance(file->pager.memobj);	/* as the kernel's thread does */
}

/* What it has, unasked; it knows what it has when it has taken all that was returned. */
void do_pager_supply(struct mtask *task, u64 page, u64 nr)
{
	struct mfile *file;
	u64 offset, length;
	int kr;

	some_range(&offset, &length, nr);
	serve(true);
	file = some_file();
	for (; length && !file->dead; length -= PAGE_SIZE, offset += PAGE_SIZE) {
		unsigned int at = offset >> PAGE_SHIFT;
		bool starved = starve();

		kr = supply(&file->pager, at, file->stored[at], test_random() % 4 == 0);
		if (!excused(kr, (starved && fail_end()) || model_scarce))
			check(!kr || kr == MACHVM_KERN_MEMORY_PRESENT ||
			      kr == MACHVM_KERN_MEMORY_ERROR);
	}
}

/* To questions that it was asked, or not; what is there is not harmed. */
void do_pager_answers(struct mtask *task, u64 page, u64 nr)
{
	bool error = test_random() % 2;
	struct mfile *file;
	u64 offset, length;
	int kr;

	some_range(&offset, &length, nr);
	if (!error)
		serve(true);
	file = some_file();
	if (file->dead || !file->pager.binding)
		return;
	if (error) {
		kr = machvm_memobj_error(file->pager.memobj, offset, length, 3);
	} else {
		if (file->stored[offset >> PAGE_SHIFT])
			return;
		kr = machvm_memobj_unavailable(file->pager.memobj, offset, PAGE_SIZE);
	}
	check(!kr || kr == MACHVM_KERN_MEMORY_ERROR);
	pump(file);
}

void do_pager_attributes(struct mtask *task, u64 page, u64 nr)
{
	u32 strategy = test_random() % 4 ? MACHVM_COPY_DELAY : some_strategy();
	struct mfile *file = some_file();
	u32 was = file->pager.memobj->copy_strategy;
	bool may_cache = !file->is_copy && test_random() % 2;
	int kr;

	if (strategy == MACHVM_COPY_DELAY)
		strategy = file->strategy;
	kr = machvm_memobj_change(file->pager.memobj, may_cache, strategy,
				  PAGE_SIZE << test_random() % (CLUSTER_MOST + 1));
	/* Not while there are copies of another kind; before it is ready they are delayed. */
	if (strategy == was)
		check_eq(kr, 0);
	else
		check(!kr || kr == MACHVM_KERN_INVALID_ARGUMENT);
	if (!kr)
		file->strategy = strategy;
	machvm_memobj_advance(file->pager.memobj);
}

/* Its socket closes; the next one may not come at once. */
void do_pager_succession(struct mtask *task, u64 page, u64 nr)
{
	struct mfile *file = some_file();

	if (!file->pager.binding)
		return;
	pager_close(&file->pager);
	if (test_random() % 2)
		bind(file);
}

void do_pager_death(struct mtask *task, u64 page, u64 nr)
{
	struct mfile *file = &model_files[test_random() % NR_FILES];

	if (!model_mortal || file->dead || test_random() % 4)
		return;
	if (file->pager.binding)
		pager_close(&file->pager);
	machvm_memobj_die(file->pager.memobj);
	file->dead = true;
}

void do_pager_trouble(struct mtask *task, u64 page, u64 nr)
{
	some_file()->faulty = test_random() % 4 == 0;
}
