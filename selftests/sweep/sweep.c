// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep.c - every call of the address space with arguments of every kind, on memory of every kind:
 * answers, the map afterwards and what is in it are those of the oracle.
 *
 * Rows V1 to V17, V27, V28; S2.3 to S2.10, S2.12, S2.14 to S2.17, S2.23.
 */
#include "harness.h"
#include "stage.h"

#include <fcntl.h>
#include <unistd.h>

/* Where layouts stand, and how many arguments are left out: every so many is taken. */
struct scene {
	const char *layout;
	enum { MIDDLE, AT_START, AT_END } where;
	unsigned int stride;
};

static const struct scene scenes[] = {
	{ "..wwurrnn.mxx.otuui.w..", MIDDLE, 8 },
	{ ".wwee.eddcc.ee.uw", MIDDLE, 13 },
	{ "wr.u", AT_START, 11 },
	{ "u.rw", AT_END, 11 },
	{ ".wss.swc", MIDDLE, 23 },
};

/* In the middle: on a border of 2 MiB, with room below it. */
#define MIDDLE_AT 0x40000000UL

static uint64_t scene_base(const struct stage *stage, const struct scene *scene)
{
	const struct oracle_map *map = &stage->agree.map;

	switch (scene->where) {
	case AT_START:
		return map->min;
	case AT_END:
		return map->max - PAGES(strlen(scene->layout));
	default:
		return map->min + MIDDLE_AT;
	}
}

/* A sweep: one test, that counts its cases and those that went wrong. */
struct sweep {
	struct stage stage;
	const struct scene *scene;
	unsigned int cases, wrong;
	unsigned int number;	/* picks arguments in turn */
	unsigned int changes;	/* of the oracle, when the case began */
};

static bool scene_set(struct sweep *sweep)
{
	struct stage *stage = &sweep->stage;

	if (stage_set(stage, scene_base(stage, sweep->scene), sweep->scene->layout))
		return true;
	agree_complain("layout %s could not be made", sweep->scene->layout);
	sweep->wrong++;
	return false;
}

static void case_begin(struct sweep *sweep)
{
	sweep->changes = sweep->stage.agree.map.changes;
}

/* The answer agreed; does the map, and did nothing else change? */
static void case_end(struct sweep *sweep, bool agreed)
{
	struct agree *a = &sweep->stage.agree;
	bool changed = sweep->changes != a->map.changes;

	sweep->cases++;
	if (agreed && agree_regions(a) && agree_contents(a, changed)) {
		if (changed)
			scene_set(sweep);
		return;
	}
	agree_complain("... after %s, case %u on %s", agree_last(), sweep->cases,
		       sweep->scene->layout);
	sweep->wrong++;
	scene_set(sweep);
}

/* Addresses: all borders of pages of the layout, some bytes beside them, and the far ones. */
static unsigned int addresses_of(const struct sweep *sweep, uint64_t *addresses)
{
	static const int beside[] = { 1, -1, 0xfff, 0x123, 2, -2 };
	const struct oracle_map *map = &sweep->stage.agree.map;
	const uint64_t far[] = {
		0, 1, PAGE - 1, PAGE, PAGE + 2, map->min - PAGE, map->min, map->max - 1, map->max,
		USER_END - PAGE, USER_END, 1UL << 47, -PAGE - 1, -PAGE, -PAGE + 1, -2UL, -1UL,
		sweep->stage.ordinary, sweep->stage.ordinary + PAGE + 1,
	};
	unsigned int nr = 0;

	for (unsigned int page = 0; page <= sweep->stage.pages; page++) {
		addresses[nr++] = sweep->stage.base + PAGES(page);
		addresses[nr++] = sweep->stage.base + PAGES(page) + beside[page % 6];
	}
	for (unsigned int i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		addresses[nr++] = far[i];
	return nr;
}

#define ADDRESSES 96

/* Sizes: about a page, some pages, all of the layout; wrapping at the top, or just not. */
static uint64_t size_of(const struct sweep *sweep, uint64_t address, unsigned int i)
{
	const uint64_t sizes[] = {
		0, PAGE, 1, PAGE + 1, PAGES(2), PAGE - 1, PAGES(4), 2, PAGES(3) + 2, PAGE + 2,
		PAGES(sweep->stage.pages), -address, -address - 1, -address - PAGE,
		-address - PAGE + 1, -PAGE, -PAGE + 1, -1UL, -2UL, -PAGE - 2, 1UL << 47,
	};

	return sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
}

#define SIZES 21

/* What a sweep does with one pair of address and size. */
typedef void try_t(struct sweep *sweep, uint64_t address, uint64_t size);

static void sweep_ranges(struct sweep *sweep, try_t *try)
{
	uint64_t addresses[ADDRESSES];
	unsigned int nr = addresses_of(sweep, addresses);

	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int j = i % sweep->scene->stride; j < SIZES;
		     j += sweep->scene->stride) {
			sweep->number++;
			try(sweep, addresses[i], size_of(sweep, addresses[i], j));
		}
	}
}

static bool sweep_scenes(struct sweep *sweep, void (*over)(struct sweep *sweep, try_t *try),
			 try_t *try)
{
	memset(sweep, 0, sizeof(*sweep));
	if (!stage_init(&sweep->stage)) {
		agree_complain("no stage");
		return false;
	}
	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		sweep->scene = &scenes[i];
		if (scene_set(sweep))
			over(sweep, try);
	}
	stage_end(&sweep->stage);
	printf("# %u cases\n", sweep->cases);
	return !sweep->wrong;
}

/* Memory outside the arena is not given yet, where nobody has something. */
static bool outside(const struct sweep *sweep, uint64_t address, uint64_t size)
{
	const struct oracle_map *map = &sweep->stage.agree.map;

	return address < USER_END && (address < map->min || address + size > map->max);
}

static void try_allocate(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	/* What is larger than some pages cannot be had for good. */
	if (size < PAGES(64) && outside(sweep, address, size + PAGE))
		return;
	case_end(sweep, agree_allocate(&sweep->stage.agree, address, size,
				       sweep->number % 8 == 0));
}

static void try_deallocate(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_deallocate(&sweep->stage.agree, address, size));
}

static void try_protect(struct sweep *sweep, uint64_t address, uint64_t size)
{
	static const vm_prot_t protections[] = {
		VM_PROT_READ, VM_PROT_NONE, VM_PROT_DEFAULT, 0x13, VM_PROT_WRITE, VM_PROT_ALL, 0x10,
		VM_PROT_READ, VM_PROT_EXECUTE, 0x20, VM_PROT_DEFAULT, 8, 5, -1, 0x1f,
	};
	vm_prot_t protection = protections[sweep->number % 15];

	case_begin(sweep);
	case_end(sweep, agree_protect(&sweep->stage.agree, address, size, sweep->number / 15 % 3 == 0,
				      protection));
}

static void try_inherit(struct sweep *sweep, uint64_t address, uint64_t size)
{
	static const vm_inherit_t values[] = {
		VM_INHERIT_NONE, VM_INHERIT_SHARE, VM_INHERIT_COPY, MACHVM_INHERIT_ZERO, 3, -1, 7,
	};

	case_begin(sweep);
	case_end(sweep, agree_inherit(&sweep->stage.agree, address, size,
				      values[sweep->number % 7]));
}

/* KILLPAGES frees what it can: the oracle, which knows no objects, cannot tell. */
static void try_msync(struct sweep *sweep, uint64_t address, uint64_t size)
{
	static const vm_sync_t flags[] = {
		VM_SYNC_SYNCHRONOUS, VM_SYNC_INVALIDATE, VM_SYNC_CONTIGUOUS,
		VM_SYNC_SYNCHRONOUS | VM_SYNC_CONTIGUOUS, VM_SYNC_ASYNCHRONOUS, 0,
		VM_SYNC_SYNCHRONOUS | VM_SYNC_INVALIDATE | VM_SYNC_CONTIGUOUS,
		VM_SYNC_DEACTIVATE | VM_SYNC_INVALIDATE, VM_SYNC_ASYNCHRONOUS | VM_SYNC_CONTIGUOUS,
		VM_SYNC_ASYNCHRONOUS | VM_SYNC_SYNCHRONOUS, 0x40, -1,
	};

	case_begin(sweep);
	case_end(sweep, agree_msync(&sweep->stage.agree, address, size, flags[sweep->number % 12]));
}

static void try_object_sync(struct sweep *sweep, uint64_t address, uint64_t size)
{
	unsigned int n = sweep->number;

	case_begin(sweep);
	case_end(sweep, agree_object_sync(&sweep->stage.agree, address,
					  n % 5 ? PAGES(n % 17) : -PAGES(n % 4) - n % 3, size,
					  n % 2, n % 3 == 0));
}

static void try_read(struct sweep *sweep, uint64_t address, uint64_t size)
{
	struct agree *a = &sweep->stage.agree;

	case_begin(sweep);
	case_end(sweep, agree_read(a, address, size, a));
}

static void try_region(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_region(&sweep->stage.agree, address + size));
}

/* The other end of a copy: a page of the layout, aligned or not, or far away. */
static uint64_t other_end(const struct sweep *sweep)
{
	unsigned int n = sweep->number;
	uint64_t far[] = { sweep->stage.ordinary, 0, -PAGE, USER_END - PAGE };

	if (n % 11 == 0)
		return far[n / 11 % 4];
	return sweep->stage.base + PAGES(n * 7 % sweep->stage.pages) + (n % 13 == 0);
}

/* Sizes of whole pages more often, as all else is refused. */
static uint64_t copy_size(const struct sweep *sweep, uint64_t size)
{
	if (sweep->number % 3 == 0 || size > PAGES(64))
		return size;
	return PAGES(1 + sweep->number % 5);
}

static void try_copy_from(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_copy(&sweep->stage.agree, address, copy_size(sweep, size),
				   other_end(sweep)));
}

static void try_copy_to(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_copy(&sweep->stage.agree, other_end(sweep), copy_size(sweep, size),
				   address));
}

static void try_write(struct sweep *sweep, uint64_t address, uint64_t size)
{
	struct agree *a = &sweep->stage.agree;
	uint64_t data = sweep->number % 3 ? sweep->stage.ordinary : other_end(sweep);

	case_begin(sweep);
	case_end(sweep, agree_write(a, address, a, data, copy_size(sweep, size)));
}


/* vm_map has arguments of more kinds: all that is odd about one, and then some at random. */

static struct agree_object *object_of(struct sweep *sweep, unsigned int i)
{
	static struct agree_object dead = { .name = "dead", .port = MACH_PORT_DEAD };
	static struct agree_object closed = { .name = "closed", .port = 777, .refused = true };
	static struct agree_object device = { .name = "device", .refused = true };

	if (!device.port)
		device.port = util_device();
	switch (i % 8) {
	case 0:
		return &dead;
	case 1:
		return &closed;
	case 2:
		return &device;
	case 3 ... 5:
		return &sweep->stage.memory_object;
	default:
		return &sweep->stage.fresh_memory;
	}
}

static const uint64_t masks[] = {
	0, 0xfff, 0x1fff, 0xffff, 0x1fffff, 0x7ff, 0xffff800000000000, 0xffffc00000000000,
	0xffff8000001fffff, 0x1000, 0xfff000, -1UL, 0xf0f000, 0x8000000000000000,
	0xffff000000000000, 0xffffff0000000000, 0x3fffffffff,
};

static const uint64_t offsets[] = {
	0, PAGES(3), 0x123, -PAGE, PAGES(60), -PAGES(3), 0x100000, 1, -1UL,
};

static const vm_prot_t rights[] = {
	VM_PROT_DEFAULT, VM_PROT_READ, VM_PROT_NONE, VM_PROT_ALL, VM_PROT_WRITE, 8, 0x10, -1, 5,
};

static const vm_inherit_t inheritances[] = {
	VM_INHERIT_COPY, VM_INHERIT_SHARE, VM_INHERIT_NONE, MACHVM_INHERIT_ZERO, 3, -1,
};

#define PICK(array, i) ((array)[(i) % (sizeof(array) / sizeof((array)[0]))])

static void try_map(struct sweep *sweep, uint64_t address, uint64_t size,
		    const struct agree_mapping *mapping)
{
	case_begin(sweep);
	if (!mapping->how.anywhere && size < PAGES(64) && outside(sweep, address, size + PAGE))
		return;
	case_end(sweep, agree_map(&sweep->stage.agree, address, size, mapping));
}

/* One argument is odd, the others are good; of three objects, fixed and anywhere. */
static void sweep_map_odd(struct sweep *sweep, struct agree_mapping mapping)
{
	uint64_t hole = sweep->stage.base - PAGES(8);
	struct agree_mapping odd;

	for (unsigned int i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		odd = mapping;
		odd.how.mask = masks[i];
		try_map(sweep, hole, PAGES(2), &odd);
		try_map(sweep, hole + PAGES(2), PAGES(2) - 1, &odd);
	}
	for (unsigned int i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		odd = mapping;
		odd.how.offset = offsets[i];
		try_map(sweep, hole, PAGE, &odd);
		try_map(sweep, hole + 0x123, PAGES(2), &odd);
	}
	for (unsigned int i = 0; i < 81; i++) {
		odd = mapping;
		odd.how.protection = rights[i % 9];
		odd.how.max_protection = rights[i / 9];
		try_map(sweep, hole, PAGE, &odd);
	}
	for (unsigned int i = 0; i < sizeof(inheritances) / sizeof(inheritances[0]); i++) {
		odd = mapping;
		odd.how.inheritance = inheritances[i];
		try_map(sweep, hole, PAGE, &odd);
	}
}

static void sweep_map_ranges(struct sweep *sweep, uint64_t address, uint64_t size)
{
	unsigned int n = sweep->number;
	struct agree_mapping mapping = {
		.object = object_of(sweep, n % 5 ? 3 + n % 4 : n),
		.how = {
			.mask = n % 4 ? 0 : PICK(masks, n / 4),
			.anywhere = n % 7 == 0,
			.offset = n % 3 ? PAGES(n % 8) : PICK(offsets, n / 3),
			.copy = n % 2,
			.protection = n % 6 ? VM_PROT_DEFAULT : PICK(rights, n / 6),
			.max_protection = n % 5 ? VM_PROT_ALL : PICK(rights, n / 5),
			.inheritance = n % 9 ? VM_INHERIT_COPY : PICK(inheritances, n / 9),
		},
	};

	try_map(sweep, address, size, &mapping);
}

static void sweep_map(struct sweep *sweep, try_t *try)
{
	struct agree_mapping good = {
		.how = {
			.protection = VM_PROT_DEFAULT,
			.max_protection = VM_PROT_ALL,
			.inheritance = VM_INHERIT_COPY,
		},
	};

	if (sweep->scene == scenes) {
		for (unsigned int i = 0; i < 6; i++) {
			good.object = object_of(sweep, (const unsigned int[]){ 6, 3, 0 }[i % 3]);
			good.how.anywhere = i / 3;
			good.how.copy = i % 2;
			sweep_map_odd(sweep, good);
		}
	}
	sweep_ranges(sweep, try);
}

/* Calls on what is no task. */

struct task_case {
	const char *name;
	task_t task;
	kern_return_t answer;	/* of all calls */
};

static bool task_refuses(struct sweep *sweep, const struct task_case *task)
{
	struct stage *stage = &sweep->stage;
	vm_address_t at = stage->base;
	mach_msg_type_number_t count;
	struct util_region region;
	vm_offset_t data;
	const kern_return_t answers[] = {
		vm_allocate(task->task, &at, PAGE, TRUE),
		vm_deallocate(task->task, at, PAGE),
		vm_protect(task->task, at, PAGE, FALSE, VM_PROT_READ),
		vm_inherit(task->task, at, PAGE, VM_INHERIT_NONE),
		vm_map(task->task, &at, PAGE, 0, TRUE, MACH_PORT_NULL, 0, FALSE, VM_PROT_READ,
		       VM_PROT_READ, VM_INHERIT_COPY),
		vm_copy(task->task, at, PAGE, at + PAGE),
		vm_read(task->task, at, PAGE, &data, &count),
		vm_write(task->task, at, stage->ordinary, PAGE),
		vm_region(task->task, &at, &region.size, &region.protection,
			  &region.max_protection, &region.inheritance, &region.shared,
			  &region.name, &region.offset),
	};
	bool right = true;

	for (unsigned int i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		case_begin(sweep);
		case_end(sweep, true);
		if (answers[i] == task->answer)
			continue;
		agree_complain("call %u on %s task: %d, not %d", i, task->name, answers[i],
			       task->answer);
		right = false;
	}
	return right;
}

/* A port of a task that has ended. */
static task_t dead_task(void)
{
	struct util_gate gate;
	task_t port = 0;
	pid_t pid;

	if (util_gate_init(&gate))
		return 0;
	pid = fork();
	if (!pid) {
		util_gate_pass(&gate);
		_exit(0);
	}
	if (machvm_task_for_pid(pid, &port) != KERN_SUCCESS)
		port = 0;
	util_gate_open(&gate);
	util_wait(pid);
	return port;
}

TEST(sweep_of_tasks_that_are_none)
{
	const struct task_case tasks[] = {
		{ "null", MACH_PORT_NULL, KERN_INVALID_ARGUMENT },
		{ "dead name", MACH_PORT_DEAD, KERN_INVALID_ARGUMENT },
		{ "closed", 777, KERN_INVALID_ARGUMENT },
		{ "object", 0, KERN_INVALID_ARGUMENT },
		{ "file", open("/dev/null", O_RDONLY), KERN_INVALID_ARGUMENT },
		{ "dead", 0, KERN_INVALID_TASK },
	};
	struct sweep sweep = { .scene = scenes };

	ASSERT_TRUE(stage_init(&sweep.stage));
	ASSERT_TRUE(scene_set(&sweep));
	for (unsigned int i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		struct task_case task = tasks[i];

		if (!strcmp(task.name, "object"))
			task.task = sweep.stage.memory_object.port;
		if (!strcmp(task.name, "dead"))
			task.task = dead_task();
		EXPECT_TRUE(task_refuses(&sweep, &task));
	}
	EXPECT_EQ(0, sweep.wrong);
	stage_end(&sweep.stage);
}

/* The tests: a call each, so many cases at least. */

#define SWEEP(name, over, try, least)                             \
	TEST(name)                                                \
	{                                                         \
		struct sweep sweep;                               \
								  \
		EXPECT_TRUE(sweep_scenes(&sweep, over, try));     \
		EXPECT_LE(least, sweep.cases);                    \
	}

SWEEP(V1_S2_9_sweep_of_vm_allocate, sweep_ranges, try_allocate, 250)
SWEEP(V3_S2_5_sweep_of_vm_deallocate, sweep_ranges, try_deallocate, 250)
SWEEP(V5_S2_3_sweep_of_vm_protect, sweep_ranges, try_protect, 250)
SWEEP(V8_S2_4_sweep_of_vm_inherit, sweep_ranges, try_inherit, 250)
SWEEP(V14_S2_10_sweep_of_vm_map, sweep_map, sweep_map_ranges, 1000)
SWEEP(V13_S2_17_sweep_of_vm_copy_from, sweep_ranges, try_copy_from, 250)
SWEEP(V13_S2_15_sweep_of_vm_copy_to, sweep_ranges, try_copy_to, 250)
SWEEP(V9_S2_17_sweep_of_vm_read, sweep_ranges, try_read, 250)
SWEEP(V12_S2_15_sweep_of_vm_write, sweep_ranges, try_write, 250)
SWEEP(V27_S2_58_sweep_of_vm_msync, sweep_ranges, try_msync, 250)
SWEEP(V28_sweep_of_vm_object_sync, sweep_ranges, try_object_sync, 250)
SWEEP(V17_S2_12_sweep_of_vm_region, sweep_ranges, try_region, 250)

HARNESS_MAIN
