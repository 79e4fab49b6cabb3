// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_statistics.c - every counter moves by exactly what was done: rows V20, V21 and V45.
 */
#include "harness.h"
#include "raw.h"

#include <sched.h>
#include <unistd.h>

#define MANY 100

/* All that counts, as it is now; nobody else uses the module meanwhile. */
struct counters {
	vm_statistics_data_t vm;
	vm_cache_statistics_data_t cache;
};

static struct counters counters(void)
{
	struct counters now;

	must_eq(vm_statistics(SELF, &now.vm), KERN_SUCCESS);
	must_eq(vm_cache_statistics(SELF, &now.cache), KERN_SUCCESS);
	return now;
}

/* What has changed since then, field by field; the host's own counts are left out. */
static struct counters since(const struct counters *then)
{
	struct counters now = counters();
	integer_t *field = (integer_t *)&now;
	const integer_t *was = (const integer_t *)then;

	for (size_t i = 0; i < sizeof(now) / sizeof(*field); i++)
		field[i] -= was[i];
	now.vm.free_count = 0;
	now.cache.slab_count = 0;
	now.cache.slab_reclaim_count = 0;
	return now;
}

#define EXPECT_CHANGE(then, ...)                                                           \
	do {                                                                               \
		const struct counters expected_ = { __VA_ARGS__ }, got_ = since(then);     \
		const integer_t *e_ = (const integer_t *)&expected_;                       \
		const integer_t *g_ = (const integer_t *)&got_;                            \
		for (size_t i_ = 0; i_ < sizeof(got_) / sizeof(*g_); i_++) {               \
			EXPECT_EQ(e_[i_], g_[i_]) TH_LOG("field %zu", i_);                 \
		}                                                                          \
	} while (0)

TEST(V20_the_host_and_its_pages)
{
	struct counters now = counters();

	EXPECT_EQ(PAGE, now.vm.pagesize);
	EXPECT_LT(0, now.vm.free_count);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_statistics(MACH_PORT_NULL, &now.vm));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_cache_statistics(MACH_PORT_NULL, &now.cache));
	EXPECT_LT(0, now.cache.slab_count);
	EXPECT_LE(now.cache.slab_reclaim_count, now.cache.slab_count);
}

TEST(V20_V21_fresh_memory)
{
	vm_address_t base = util_make(MANY);
	struct counters before;

	util_fill(base, 1, 1);		/* makes the object */
	before = counters();
	util_fill(base, MANY, 1);
	EXPECT_CHANGE(&before, .vm = { .active_count = MANY - 1, .zero_fill_count = MANY - 1,
				       .faults = MANY - 1 },
		      .cache = { .active_tmp_count = MANY - 1, .dirty_count = MANY - 1 });
	before = counters();
	EXPECT_EQ(0, util_wrong(base, MANY, 1));
	EXPECT_CHANGE(&before, .vm = { 0 });
	vm_deallocate(SELF, base, PAGES(MANY));
	EXPECT_CHANGE(&before, .vm = { .active_count = -MANY },
		      .cache = { .active_tmp_count = -MANY, .dirty_count = -MANY });
}

TEST(V20_V21_copies_on_write)
{
	vm_address_t base = util_make(MANY), copy;
	mach_msg_type_number_t count;
	struct counters before;

	util_fill(base, MANY, 1);
	before = counters();
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(MANY), &copy, &count));
	EXPECT_CHANGE(&before, .vm = { 0 });
	util_fill(copy, MANY, 2);
	EXPECT_CHANGE(&before, .vm = { .active_count = MANY, .faults = MANY, .cow_faults = MANY },
		      .cache = { .active_tmp_count = MANY, .dirty_count = MANY });
}

/* A failed access is a fault; nothing else has happened. */
TEST(V20_a_failed_access)
{
	struct counters before;
	vm_address_t base = util_make(1);

	vm_protect(SELF, base, PAGE, FALSE, VM_PROT_NONE);
	before = counters();
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base));
	EXPECT_CHANGE(&before, .vm = { .faults = 1 });
}

/* One that waits for its pager and is tried again is one fault. */
TEST(V20_V21_pages_of_a_pager)
{
	struct counters before = counters();
	struct touch reader;
	struct served s;

	serve(&s, 6);
	EXPECT_CHANGE(&before, .vm = { .lookups = 1 }, .cache = { .cache_object_count = 1 });
	before = counters();
	sleeping_read(&reader, s.base);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	EXPECT_CHANGE(&before, .vm = { .active_count = 1, .pageins = 1, .faults = 1 },
		      .cache = { .cache_count = 1, .active_perm_count = 1 });
	must_eq(supply_mark(&s.object, 1, 0), 0);	/* unasked */
	EXPECT_EQ(MACHVM_KERN_MEMORY_PRESENT, supply_mark(&s.object, 1, 0));
	EXPECT_CHANGE(&before, .vm = { .active_count = 2, .pageins = 2, .faults = 1 },
		      .cache = { .cache_count = 2, .active_perm_count = 2 });
	sleeping_read(&reader, s.base + PAGES(2));
	must_eq(say_unavailable(&s.channel, &s.object, PAGES(2), PAGE), 0);
	touch_end(&reader);
	EXPECT_CHANGE(&before, .vm = { .active_count = 3, .zero_fill_count = 1, .pageins = 2,
				       .faults = 2 },
		      .cache = { .cache_count = 3, .active_perm_count = 3 });
	before = counters();
	vm_deallocate(SELF, map_object(&s.object, 0, 6, false), PAGES(6));
	EXPECT_CHANGE(&before, .vm = { .lookups = 1, .hits = 1 });
}

TEST(V20_V21_pages_on_their_way_back)
{
	struct counters before = counters(), mapped;
	struct message message;
	struct served s;

	serve(&s, 6);
	for (int i = 0; i < 6; i++)
		must_eq(supply_mark(&s.object, i, 0), 0);
	mapped = counters();
	util_fill(s.base, 4, 1);
	EXPECT_CHANGE(&mapped, .vm = { .faults = 4 }, .cache = { .dirty_count = 4 });
	unmap(s.base, 6);		/* the two clean ones go */
	EXPECT_CHANGE(&mapped, .vm = { .active_count = -2, .faults = 4 },
		      .cache = { .cache_count = -2, .active_perm_count = -2, .dirty_count = 4,
				 .writeback_count = 4 });
	message = expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	EXPECT_EQ(PAGES(4), message.length);
	must_eq(return_release(&s.object, 0, PAGE), 0);
	EXPECT_CHANGE(&mapped, .vm = { .active_count = -3, .pageouts = 1, .faults = 4 },
		      .cache = { .cache_count = -3, .active_perm_count = -3, .dirty_count = 3,
				 .writeback_count = 3 });
	must_eq(return_release(&s.object, PAGE, PAGES(3)), 0);
	EXPECT_CHANGE(&before, .vm = { .pageins = 6, .pageouts = 4, .faults = 4, .lookups = 1 });
}

/* Nobody takes them: they are gone, and no counter says otherwise. */
TEST(V21_pages_whose_pager_dies)
{
	struct counters before = counters();
	struct served s;

	serve(&s, 3);
	for (int i = 0; i < 3; i++)
		must_eq(supply_mark(&s.object, i, 0), 0);
	util_fill(s.base, 3, 1);
	unmap(s.base, 3);
	channel_close(&s.channel);
	EXPECT_CHANGE(&before, .vm = { .pageins = 3, .faults = 3, .lookups = 1 });
}

static struct machvm_task_memory memory_of(task_t task)
{
	struct machvm_task_memory memory;

	must_eq(machvm_task_memory(task, &memory), KERN_SUCCESS);
	must(memory.resident_size <= memory.virtual_size);
	return memory;
}

TEST(V45_memory_of_a_task)
{
	struct machvm_task_memory before, after;
	vm_address_t base, copy;
	mach_msg_type_number_t count;
	struct touch reader;
	struct served s;

	before = memory_of(SELF);
	EXPECT_EQ(0, before.virtual_size);
	EXPECT_EQ(0, before.faults);
	base = util_make(10);
	util_fill(base, 3, 1);
	after = memory_of(SELF);
	EXPECT_EQ(PAGES(10), after.virtual_size);
	EXPECT_EQ(PAGES(3), after.resident_size);
	EXPECT_EQ(3, after.faults);
	EXPECT_EQ(3, after.zero_fills);
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(10), &copy, &count));
	util_fill(copy, 2, 2);
	after = memory_of(SELF);
	EXPECT_EQ(PAGES(20), after.virtual_size);
	EXPECT_EQ(5, after.faults);
	EXPECT_EQ(2, after.cow_faults);
	EXPECT_EQ(0, after.pageins);
	serve(&s, 4);
	sleeping_read(&reader, s.base);
	must_eq(supply_mark(&s.object, 0, 0), 0);
	touch_end(&reader);
	after = memory_of(SELF);
	EXPECT_EQ(PAGES(24), after.virtual_size);
	EXPECT_EQ(6, after.faults);
	EXPECT_EQ(1, after.pageins);
	EXPECT_EQ(3, after.zero_fills);
}

/* A child begins at nothing, and what others do is not counted. */
TEST(V45_each_task_for_itself)
{
	vm_address_t base = util_make(8);
	struct machvm_task_memory memory;
	pid_t pid;

	util_fill(base, 8, 1);
	pid = fork();
	if (pid == 0) {
		memory = memory_of(SELF);
		EXPECT_EQ(PAGES(8), memory.virtual_size);
		EXPECT_EQ(0, memory.zero_fills);
		EXPECT_EQ(0, memory.cow_faults);
		util_fill(base, 5, 2);
		memory = memory_of(SELF);
		EXPECT_EQ(5, memory.cow_faults);
		EXPECT_EQ(PAGES(8), memory.resident_size);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	memory = memory_of(SELF);
	EXPECT_EQ(8, memory.zero_fills);
	EXPECT_EQ(0, memory.cow_faults);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, machvm_task_memory(MACH_PORT_NULL, &memory));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, machvm_task_memory(STDERR_FILENO, &memory));
}

HARNESS_MAIN
