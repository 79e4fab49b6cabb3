// SPDX-License-Identifier: GPL-2.0-only
/*
 * model.c - random calls, forks, loads and stores of a few tasks, by themselves and through their
 * ports, each beside the oracle, whose memory is a flat list of pages that are copied when they
 * are copied.
 *
 * One memory object has a pager that cleans, flushes and locks its pages, has others take over from
 * it, and keeps what was written in a log, in which all must be found in the end.
 *
 * SEED=n STEPS=n repeats a run, in the first test; the others take the numbers behind n.  Each step
 * draws its own numbers, so that SKIP="from-to from-to" leaves steps out and the others do what they
 * did.  VERBOSE=1 shows each.
 */
#include "harness.h"
#include "logged.h"
#include "tasks.h"

#include <inttypes.h>
#include <sys/utsname.h>

#define WINDOW_PAGES 40
#define WINDOW_AT 0x10000000UL	/* above the arena's start, where anywhere is */
#define MANY_PAGES 120		/* a map with more is thinned out */

/* The same number of pages where there is a window only while something is in it. */
#define OUTSIDE_AT (1UL << 41)

#define STEPS 2500		/* in one test, if nobody says */
#define CHECK_EVERY 100

#define FAILURE 77		/* what the pager says when it fails */

struct model {
	struct tasks tasks;
	struct logged *logged;		/* the pager of: */
	struct oracle_object kept;
	struct agree_object kept_object;
	uint64_t window;
	uint64_t random;
	unsigned int step;
	/* Of this step: */
	struct agree *self;	/* whose map, and who makes the call: itself, or ... */
	struct agree remote;	/* ... we on its port; has a map only meanwhile */
	struct agree *caller;	/* where data comes from and goes to */
	struct task_slot *slot;
	uint64_t address, other;
	unsigned int nr;
	const char *why;	/* it went wrong */
};

/* splitmix64: one number decides the next, and every seed is a good one. */
static uint64_t draw(struct model *m)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static unsigned int below(struct model *m, unsigned int n)
{
	return draw(m) % n;
}

/* A page of the window, or one that is there. */
static uint64_t some_page(struct model *m, const struct oracle_map *map)
{
	if (map->nr_pages && below(m, 3) == 0)
		return map->pages[below(m, map->nr_pages)].address;
	return m->window + PAGES(below(m, WINDOW_PAGES));
}

static vm_prot_t some_protection(struct model *m)
{
	static const vm_prot_t often[] = {
		VM_PROT_DEFAULT, VM_PROT_DEFAULT, VM_PROT_DEFAULT, VM_PROT_READ, VM_PROT_ALL,
		VM_PROT_NONE, VM_PROT_WRITE, VM_PROT_READ | VM_PROT_NOTIFY,
	};

	return often[below(m, sizeof(often) / sizeof(often[0]))];
}

static vm_inherit_t some_inheritance(struct model *m)
{
	static const vm_inherit_t often[] = {
		VM_INHERIT_COPY, VM_INHERIT_COPY, VM_INHERIT_SHARE, VM_INHERIT_SHARE,
		VM_INHERIT_NONE, VM_INHERIT_ZERO,
	};

	return often[below(m, sizeof(often) / sizeof(often[0]))];
}

/* The kinds of step; those that make a call make it in the task or through its port. */

static bool do_allocate(struct model *m)
{
	return agree_allocate(m->self, m->address, PAGES(m->nr), false);
}

static bool do_allocate_anywhere(struct model *m)
{
	return agree_allocate(m->self, 0, PAGES(m->nr), true);
}

static bool do_deallocate(struct model *m)
{
	return agree_deallocate(m->self, m->address, PAGES(m->nr));
}

static bool do_protect(struct model *m)
{
	return agree_protect(m->self, m->address, PAGES(m->nr), false, some_protection(m));
}

static bool do_protect_back(struct model *m)
{
	return agree_protect(m->self, m->address, PAGES(m->nr + 8), false, VM_PROT_DEFAULT);
}

static bool do_set_maximum(struct model *m)
{
	return agree_protect(m->self, m->address, PAGE, true, some_protection(m));
}

static bool do_inherit(struct model *m)
{
	return agree_inherit(m->self, m->address, PAGES(m->nr), some_inheritance(m));
}

static bool map_somehow(struct model *m, struct agree_object *object, bool anywhere, bool copy,
			uint64_t mask)
{
	struct agree_mapping mapping = {
		.object = object,
		.how = {
			.mask = mask,
			.anywhere = anywhere,
			.offset = PAGES(below(m, STAGE_OBJECT - 16)),
			.copy = copy,
			.protection = some_protection(m) & VM_PROT_ALL,
			.max_protection = below(m, 4) ? VM_PROT_ALL : VM_PROT_DEFAULT,
			.inheritance = some_inheritance(m),
		},
	};

	return agree_map(m->self, m->address, PAGES(m->nr), &mapping);
}

static bool do_map_fresh(struct model *m)
{
	return map_somehow(m, &m->tasks.stage.fresh_memory, false, false, 0);
}

static bool do_map_aligned(struct model *m)
{
	return map_somehow(m, &m->tasks.stage.fresh_memory, true, false, 0xffff);
}

static bool do_map_object(struct model *m)
{
	return map_somehow(m, &m->tasks.stage.memory_object, false, false, 0);
}

static bool do_map_object_anywhere(struct model *m)
{
	return map_somehow(m, &m->tasks.stage.memory_object, true, false, 0);
}

static bool do_map_object_copy(struct model *m)
{
	return map_somehow(m, &m->tasks.stage.memory_object, false, true, 0);
}

static bool do_map_kept(struct model *m)
{
	return map_somehow(m, &m->kept_object, below(m, 4) == 0, false, 0);
}

static bool do_map_kept_copy(struct model *m)
{
	return map_somehow(m, &m->kept_object, false, true, 0);
}

static bool do_copy(struct model *m)
{
	return agree_copy(m->self, m->address, PAGES(m->nr), m->other);
}

static bool do_copy_overlapping(struct model *m)
{
	return agree_copy(m->self, m->address, PAGES(m->nr + 2),
			  m->address + PAGES(below(m, 5)) - PAGES(2));
}

static bool do_read(struct model *m)
{
	return agree_read(m->self, m->address, PAGES(m->nr), m->caller);
}

static bool do_read_unaligned(struct model *m)
{
	return agree_read(m->self, m->address + 0x104, 1 + below(m, 3 * PAGE), m->caller);
}

static bool do_write(struct model *m)
{
	return agree_write(m->self, m->address, m->caller, some_page(m, &m->caller->map),
			   PAGES(m->nr));
}

static bool do_write_ordinary(struct model *m)
{
	return agree_write(m->self, m->address, m->caller, m->tasks.stage.ordinary,
			   PAGES(1 + below(m, STAGE_ORDINARY)));
}

/* Only its own ordinary memory can be reached. */
static bool do_copy_to_ordinary(struct model *m)
{
	return agree_copy(&m->slot->agree, m->address, PAGES(1 + below(m, STAGE_ORDINARY)),
			  m->tasks.stage.ordinary);
}

static bool do_unaligned(struct model *m)
{
	return agree_copy(m->self, m->address + 8, PAGE, m->other) &&
	       agree_deallocate(m->self, m->address + 0xfff, 0) &&
	       agree_protect(m->self, m->address + 0xfff, 2, false, VM_PROT_READ) &&
	       agree_inherit(m->self, m->address, -m->address, VM_INHERIT_NONE);
}

static bool do_allocate_outside(struct model *m)
{
	return agree_allocate(m->self, OUTSIDE_AT + PAGES(below(m, WINDOW_PAGES)), PAGES(m->nr),
			      false);
}

static bool do_map_outside(struct model *m)
{
	m->address = OUTSIDE_AT + PAGES(below(m, WINDOW_PAGES));
	return map_somehow(m, &m->tasks.stage.memory_object, false, below(m, 2), 0);
}

static bool do_map_proxy(struct model *m)
{
	return map_somehow(m, &m->tasks.stage.proxies[below(m, STAGE_PROXIES)], below(m, 2),
			   below(m, 2), 0);
}

/* A right to memory of the task, of which we map some, here or in the task itself. */
static bool do_region_proxy(struct model *m)
{
	struct agree *into = m->self->send || below(m, 2) ? &m->tasks.stage.agree : m->self;
	struct agree_mapping mapping = {
		.how = {
			.anywhere = true,
			.copy = below(m, 4) == 0,
			.protection = VM_PROT_DEFAULT,
			.max_protection = VM_PROT_ALL,
			.inheritance = some_inheritance(m),
		},
	};
	struct agree_object proxy;
	bool agreed;

	agreed = agree_region_proxy(m->self, m->address, PAGES(1 + below(m, 3)),
				    some_protection(m) & VM_PROT_ALL, &proxy);
	mapping.object = &proxy;
	if (agreed && proxy.oracle)
		agreed = agree_map(into, 0, PAGES(1 + below(m, 2)), &mapping);
	agree_object_end(&proxy);
	return agreed;
}

static bool do_wire(struct model *m)
{
	static const vm_prot_t often[] = {
		VM_PROT_DEFAULT, VM_PROT_DEFAULT, VM_PROT_READ, VM_PROT_NONE,
	};

	return agree_wire(m->self, true, m->address, PAGES(m->nr), often[below(m, 4)]);
}

static bool do_unwire(struct model *m)
{
	return agree_wire(m->self, false, m->address, PAGES(m->nr), VM_PROT_NONE);
}

static bool do_wire_all(struct model *m)
{
	return agree_wire_all(m->self, VM_WIRE_CURRENT) && agree_regions(m->self) &&
	       agree_wire_all(m->self, VM_WIRE_NONE);
}

static bool do_pageout(struct model *m)
{
	return agree_pageout(m->self, m->address, PAGES(m->nr + 6));
}

/* Room for some pages and not one more. */
static bool do_size_limit(struct model *m)
{
	uint64_t limit = oracle_size(&m->self->map) + PAGES(m->nr);

	return agree_set_size_limit(m->self, true, limit - 1, USER_END) &&
	       agree_allocate(m->self, 0, PAGES(m->nr), true) &&
	       agree_set_size_limit(m->self, true, limit, USER_END) &&
	       agree_allocate(m->self, m->address, PAGES(m->nr), false) &&
	       agree_allocate(m->self, 0, PAGE, true) &&
	       agree_set_size_limit(m->self, true, USER_END, USER_END);
}

/* A return instruction, which is run, and is not; what the task itself says is so at once. */
static bool do_run(struct model *m)
{
	struct agree *own = &m->slot->agree;
	const struct oracle_page *page = oracle_find(&own->map, m->address);

	if (!page || page->ordinary || page->max_protection != VM_PROT_ALL)
		return true;
	return agree_protect(own, m->address, PAGE, false, VM_PROT_DEFAULT) &&
	       agree_store(own, m->address, 0xc3) &&
	       agree_protect(own, m->address, PAGE, false, VM_PROT_READ | VM_PROT_EXECUTE) &&
	       agree_run(own, m->address) &&
	       agree_protect(own, m->address, PAGE, false, VM_PROT_READ) &&
	       agree_run(own, m->address);
}

static bool do_region_info(struct model *m)
{
	/* Numbers of pages are compared, so none may be on its way. */
	logged_wait(m->logged);
	return agree_region_info(m->self, m->address + below(m, PAGE)) &&
	       agree_object_info(m->self, m->address);
}

static bool do_region(struct model *m)
{
	return agree_region(m->self, m->address + below(m, PAGE));
}

static bool do_load(struct model *m)
{
	return agree_load(&m->slot->agree, m->address);
}

static bool do_store(struct model *m)
{
	return agree_store(&m->slot->agree, m->address, below(m, 256));
}

static bool do_store_many(struct model *m)
{
	unsigned char value = below(m, 256);

	for (unsigned int i = 0; i < m->nr; i++)
		if (!agree_store(&m->slot->agree, m->address + PAGES(i), value + i))
			return false;
	return true;
}

static bool do_own_store(struct model *m)
{
	struct agree *own = &m->tasks.stage.agree;

	return agree_store(own, some_page(m, &own->map), below(m, 256));
}

static bool do_pipe(struct model *m)
{
	const struct oracle_page *from = oracle_find(&m->slot->agree.map, m->address);

	return (from && from->cell->value == ORACLE_UNKNOWN) ||
	       tasks_pipe(m->slot, m->address, m->other);
}

static bool do_fork(struct model *m)
{
	struct task_slot *child = tasks_fork(&m->tasks, m->slot);

	return !child || tasks_check(child);
}

static bool end(struct model *m, bool by_signal)
{
	unsigned int alive = 0;

	for (unsigned int i = 0; i < TASKS; i++)
		alive += m->tasks.slots[i].pid != 0;
	return alive == 1 || tasks_exit(m->slot, by_signal);
}

static bool do_exit(struct model *m)
{
	return end(m, false);
}

static bool do_kill(struct model *m)
{
	return end(m, true);
}

/* What the pager of the kept object does, which nobody may notice. */

static bool do_pager_clean(struct model *m)
{
	logged_lock(m->logged, below(m, STAGE_OBJECT), 1 + below(m, 20), 1 + below(m, 2), false,
		    VM_PROT_NO_CHANGE);
	return true;
}

static bool do_pager_flush(struct model *m)
{
	logged_lock(m->logged, below(m, STAGE_OBJECT), 1 + below(m, 40), 1 + below(m, 2), true,
		    VM_PROT_NO_CHANGE);
	return true;
}

static bool do_pager_lock(struct model *m)
{
	static const vm_prot_t often[] = { VM_PROT_WRITE, VM_PROT_DEFAULT, VM_PROT_ALL, 0 };

	logged_lock(m->logged, below(m, STAGE_OBJECT), 1 + below(m, 40), below(m, 3), false,
		    often[below(m, 4)]);
	return true;
}

static bool do_pager_supply(struct model *m)
{
	logged_supply(m->logged, below(m, STAGE_OBJECT), 1 + below(m, 8));
	return true;
}

static bool do_pager_attributes(struct model *m)
{
	logged_attributes(m->logged, below(m, 2), 1 << below(m, 4));
	return true;
}

static bool do_pager_succeed(struct model *m)
{
	logged_succeed(m->logged);
	return true;
}

/* An access of ours fails, unless the page must stay, and is made again. */
static bool do_pager_fail(struct model *m)
{
	unsigned int page = below(m, STAGE_OBJECT);
	vm_address_t base = util_map(m->kept_object.port, PAGES(page), 1, false);
	struct util_access failed, again;

	again = util_read(base);
	logged_lock(m->logged, page, 1, MEMORY_OBJECT_RETURN_ALL, true, VM_PROT_NO_CHANGE);
	logged_fail(m->logged, FAILURE);
	failed = util_read(base);
	logged_fail(m->logged, 0);
	if (!again.signal)
		again = util_read(base);
	vm_deallocate(SELF, base, PAGE);
	if (!again.signal && (m->kept.cells[page]->value == ORACLE_UNKNOWN ||
			      again.byte == m->kept.cells[page]->value) &&
	    (!failed.signal ? failed.byte == again.byte :
			      failed.why == KERN_MEMORY_ERROR && failed.pager_reason == FAILURE))
		return true;
	agree_complain("page %u of a pager that failed: signals %d and %d, %d, holds %d", page,
		       failed.signal, again.signal, failed.why, again.byte);
	return false;
}

static bool do_check(struct model *m)
{
	return tasks_check(m->slot);
}

static const struct kind {
	const char *name;
	bool (*run)(struct model *m);
	unsigned int often;
	bool by_port;		/* or so */
} kinds[] = {
#define KIND(name, often) { #name, do_##name, often, true }
#define ITSELF(name, often) { #name, do_##name, often, false }
	KIND(allocate, 8), KIND(allocate_anywhere, 2), KIND(deallocate, 5), KIND(protect, 4),
	KIND(protect_back, 4), KIND(set_maximum, 1), KIND(inherit, 4), KIND(map_fresh, 3),
	KIND(map_aligned, 1), KIND(map_object, 4), KIND(map_object_anywhere, 1),
	KIND(map_object_copy, 4), KIND(copy, 6), KIND(copy_overlapping, 3), KIND(read, 3),
	KIND(read_unaligned, 1), KIND(write, 5), KIND(write_ordinary, 2),
	KIND(unaligned, 1), KIND(region, 2), KIND(allocate_outside, 3), KIND(map_outside, 1),
	KIND(map_proxy, 3), KIND(region_proxy, 2), KIND(wire, 3), KIND(unwire, 2),
	KIND(wire_all, 1), KIND(pageout, 3), KIND(size_limit, 1), KIND(region_info, 1),
	KIND(map_kept, 6), KIND(map_kept_copy, 2), ITSELF(pager_clean, 3),
	ITSELF(pager_flush, 3), ITSELF(pager_lock, 2), ITSELF(pager_supply, 2),
	ITSELF(pager_attributes, 1), ITSELF(pager_succeed, 1), ITSELF(pager_fail, 1),
	ITSELF(run, 2), ITSELF(copy_to_ordinary, 1), ITSELF(load, 12),
	ITSELF(store, 20), ITSELF(store_many, 8), ITSELF(own_store, 4), ITSELF(pipe, 3),
	ITSELF(fork, 3), ITSELF(exit, 1), ITSELF(kill, 1), ITSELF(check, 1),
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *some_kind(struct model *m)
{
	unsigned int sum = 0, at;

	for (unsigned int i = 0; i < KINDS; i++)
		sum += kinds[i].often;
	at = below(m, sum);
	for (unsigned int i = 0; i < KINDS; i++) {
		if (at < kinds[i].often)
			return &kinds[i];
		at -= kinds[i].often;
	}
	return NULL;
}

/* A task and where in it; ordinary memory of others is out of reach. */
static void step_draw(struct model *m, bool remote)
{
	uint64_t last = m->tasks.stage.ordinary + PAGES(STAGE_ORDINARY);

	do {
		m->slot = &m->tasks.slots[below(m, TASKS)];
	} while (!m->slot->pid);
	do {
		m->address = some_page(m, &m->slot->agree.map);
		m->other = some_page(m, &m->slot->agree.map);
	} while (remote && (m->address < last || m->other < last));
	m->nr = 1 + below(m, 6);
}

/* The map is lent to whoever makes the call. */
static bool step_run(struct model *m, const struct kind *kind, bool remote)
{
	struct agree *own = &m->slot->agree;
	bool agreed;

	if (!remote) {
		m->self = own;
		m->caller = own;
		return kind->run(m);
	}
	m->remote = (struct agree){
		.task = own->task, .fd = own->fd, .pid = own->pid, .map = own->map,
	};
	m->self = &m->remote;
	m->caller = &m->tasks.stage.agree;
	agreed = kind->run(m);
	own->map = m->remote.map;
	return agreed;
}

/* Calls that put memory anywhere must not fill everything. */
static bool thin_out(struct agree *a)
{
	const struct oracle_page *page = oracle_next(&a->map, a->map.min);

	return a->map.nr_pages < MANY_PAGES || !page ||
	       agree_deallocate(a, page->address, PAGES(MANY_PAGES / 2));
}

static bool is_skipped(unsigned int step)
{
	const char *at = getenv("SKIP");
	unsigned int from, to;
	int length;

	while (at && sscanf(at, " %u-%u%n", &from, &to, &length) == 2) {
		if (step >= from && step <= to)
			return true;
		at += length;
	}
	return false;
}

static bool check_all(struct model *m)
{
	struct agree *own = &m->tasks.stage.agree;

	for (unsigned int i = 0; i < TASKS; i++)
		if (m->tasks.slots[i].pid && !tasks_check(&m->tasks.slots[i]))
			return false;
	if (logged_is_wrong(m->logged)) {
		agree_complain("the pager found something wrong");
		return false;
	}
	return agree_regions(own) && agree_contents(own, true);
}

static bool one_step(struct model *m, uint64_t seed)
{
	const struct kind *kind;
	bool remote, agreed;

	m->random = seed << 32 | m->step;
	kind = some_kind(m);
	remote = kind->by_port && below(m, 3) == 0;
	step_draw(m, remote);
	agreed = step_run(m, kind, remote);
	if (getenv("VERBOSE"))
		printf("# step %u: task %td %s, %s %s\n", m->step, m->slot - m->tasks.slots,
		       remote ? "through its port" : "itself", kind->name, agree_last());
	if (!agreed || (m->slot->pid && !thin_out(&m->slot->agree)) ||
	    !thin_out(&m->tasks.stage.agree)) {
		agree_complain("... in step %u, %s, task %td %s", m->step, kind->name,
			       m->slot - m->tasks.slots, remote ? "through its port" : "itself");
		return false;
	}
	return m->step % CHECK_EVERY || check_all(m);
}

/* A kernel with all its checks, emulated, gets a fifth. */
static unsigned int steps(void)
{
	const char *wanted = getenv("STEPS");
	struct utsname name;

	if (wanted)
		return strtoul(wanted, NULL, 0);
	return !uname(&name) && strstr(name.release, "-machvm-") ? STEPS / 5 : STEPS;
}

/* Zeroes, some of which the pager calls unavailable. */
static unsigned char kept_value(unsigned int page)
{
	return page % 4 ? util_mark(page, 3) : 0;
}

static bool model_begin(struct model *m)
{
	/* Before there are tasks, which inherit the right to map it. */
	m->logged = logged_start(STAGE_OBJECT, kept_value);
	if (!m->logged || !tasks_init(&m->tasks))
		return false;
	oracle_object_init(&m->kept, STAGE_OBJECT, kept_value);
	m->kept_object = (struct agree_object){
		.name = "kept", .port = logged_object(m->logged), .oracle = &m->kept,
	};
	m->window = m->tasks.stage.agree.map.min + WINDOW_AT;
	return true;
}

/* Nobody is left, and all that was written is in the log. */
static bool check_log(struct model *m)
{
	logged_settle(m->logged);
	printf("# %s\n", logged_counts(m->logged));
	for (unsigned int i = 0; i < STAGE_OBJECT; i++) {
		int value = m->kept.cells[i]->value, is = logged_value(m->logged, i);

		if (value != ORACLE_UNKNOWN && value != is) {
			agree_complain("page %u was %d and is %d in the log", i, value, is);
			return false;
		}
	}
	return !logged_is_wrong(m->logged);
}

/* What is resident outlives the pager. */
static bool check_death(struct model *m)
{
	vm_address_t base = util_map(m->kept_object.port, 0, STAGE_OBJECT, false);
	bool agreed = base;

	for (unsigned int i = 0; i < STAGE_OBJECT; i++)
		util_write(base + PAGES(i), i);
	logged_stop(m->logged);
	for (unsigned int i = 0; agreed && i < STAGE_OBJECT; i++)
		agreed = util_read(base + PAGES(i)).byte == i;
	if (!agreed)
		agree_complain("not all that was there when its pager died");
	return agreed && vm_deallocate(SELF, base, PAGES(STAGE_OBJECT)) == KERN_SUCCESS;
}

static bool run(unsigned int test)
{
	const char *first = getenv("SEED");
	uint64_t seed = (first ? strtoul(first, NULL, 0) : 1) + test - 1;
	unsigned int nr = steps();
	struct model *m = calloc(1, sizeof(*m));
	bool agreed = m && model_begin(m);

	printf("# SEED=%" PRIu64 " STEPS=%u\n", seed, nr);
	if (!agreed)
		return false;
	for (m->step = 1; agreed && m->step <= nr; m->step++)
		if (!is_skipped(m->step))
			agreed = one_step(m, seed);
	if (agreed)
		agreed = check_all(m);
	else
		agree_complain("SEED=%" PRIu64 " STEPS=%u, last %s", seed, m->step, agree_last());
	tasks_end(&m->tasks);
	agreed = agreed && check_log(m) && check_death(m);
	oracle_object_end(&m->kept);
	free(m);
	return agreed;
}

TEST(model_of_random_calls_1)
{
	EXPECT_TRUE(run(1));
}

TEST(model_of_random_calls_2)
{
	EXPECT_TRUE(run(2));
}

TEST(model_of_random_calls_3)
{
	EXPECT_TRUE(run(3));
}

TEST(model_of_random_calls_4)
{
	EXPECT_TRUE(run(4));
}

/* Long runs take their time. */
int main(int argc, char **argv)
{
	struct __test_metadata *t;

	for (t = __fixture_list->tests; t && getenv("STEPS"); t = t->next)
		t->timeout = 24 * 60 * 60;
	return harness_main(argc, argv);
}
