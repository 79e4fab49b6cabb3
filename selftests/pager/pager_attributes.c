// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_attributes.c - how an object is kept, copied and asked for: rows K10, P12, P13, P16 and C9,
 * rule S2.54.
 */
#include "harness.h"
#include "raw.h"

#include <errno.h>
#include <machvm/pager.h>
#include <unistd.h>

static struct machvm_attributes attributes(struct object *object)
{
	struct machvm_attributes call = { .size = sizeof(call) };

	must_eq(util_ioctl(object->control, MACHVM_GET_ATTRIBUTES, &call), 0);
	return call;
}

static int change(struct object *object, bool may_cache, uint32_t strategy, uint64_t cluster)
{
	struct machvm_attributes call = {
		.size = sizeof(call), .epoch = object->epoch, .may_cache = may_cache,
		.copy_strategy = strategy, .cluster_size = cluster,
	};

	return util_ioctl(object->control, MACHVM_SET_ATTRIBUTES, &call);
}

static void supply_all(struct served *s)
{
	for (unsigned int i = 0; i < s->pages; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
}

TEST(P13_attributes_are_what_ready_said)
{
	struct machvm_attributes now;
	struct served s;

	serve_start(&s, 2);
	now = attributes(&s.object);
	EXPECT_EQ(0, now.out_ready);
	EXPECT_EQ(0, now.may_cache);
	EXPECT_EQ(MACHVM_COPY_DELAY, now.copy_strategy);
	EXPECT_EQ(PAGE, now.cluster_size);
	must_eq(say_ready_as(&s.channel, &s.object, true, COPY_DELAY), 0);
	now = attributes(&s.object);
	EXPECT_EQ(1, now.out_ready);
	EXPECT_EQ(1, now.may_cache);
	EXPECT_EQ(MACHVM_COPY_DELAY, now.copy_strategy);
	EXPECT_EQ(0, now.out_temporary);
}

TEST(P12_attributes_change_one_way_or_the_other)
{
	struct machvm_attributes now;
	struct served s;

	serve(&s, 2);
	EXPECT_EQ(0, change(&s.object, true, COPY_DELAY, PAGES(16)));
	now = attributes(&s.object);
	EXPECT_EQ(1, now.may_cache);
	EXPECT_EQ(PAGES(16), now.cluster_size);
	EXPECT_EQ(0, say_change(&s.channel, &s.object, false, COPY_DELAY, false));
	now = attributes(&s.object);
	EXPECT_EQ(0, now.may_cache);
	EXPECT_EQ(PAGES(16), now.cluster_size);		/* said nothing of */
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(P12_a_bad_strategy_changes_nothing)
{
	struct machvm_attributes now;
	struct served s;

	serve(&s, 2);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, change(&s.object, true, MACHVM_COPY_SYMMETRIC, PAGES(4)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, change(&s.object, true, 9, PAGES(4)));
	EXPECT_EQ(-EINVAL, say_change(&s.channel, &s.object, true, MACHVM_COPY_SYMMETRIC, true));
	EXPECT_EQ(-ERANGE, say_change(&s.channel, &s.object, true, 9, true));
	EXPECT_TRUE(channel_empty(&s.channel));
	now = attributes(&s.object);
	EXPECT_EQ(0, now.may_cache);
	EXPECT_EQ(PAGE, now.cluster_size);
}

TEST(K10_change_completed_carries_what_holds_now)
{
	struct message message;
	struct served s;

	serve(&s, 2);
	must_eq(change(&s.object, false, COPY_DELAY, PAGES(8)), 0);
	EXPECT_TRUE(channel_empty(&s.channel));
	must_eq(say_change(&s.channel, &s.object, true, MACHVM_COPY_TEMPORARY, true), 0);
	message = expect_message(&s.channel, MACHVM_CMD_CHANGE_COMPLETED);
	EXPECT_EQ(s.object.id, message.object);
	EXPECT_EQ(s.object.epoch, message.epoch);
	EXPECT_EQ(1, message.may_cache);
	EXPECT_EQ(MACHVM_COPY_DELAY, message.copy_strategy);	/* TEMPORARY leaves it alone */
	EXPECT_EQ(PAGES(8), message.cluster_size);
	EXPECT_TRUE(channel_empty(&s.channel));
}

TEST(K10_change_completed_may_come_after_terminate)
{
	struct served s;

	serve(&s, 2);
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	must_eq(say_change(&s.channel, &s.object, true, COPY_DELAY, true), 0);
	EXPECT_EQ(1, expect_message(&s.channel, MACHVM_CMD_CHANGE_COMPLETED).may_cache);
}

TEST(L4_P12_S2_54_may_cache_false_ends_a_cached_object)
{
	struct served s[2];

	for (int i = 0; i < 2; i++) {
		serve_start(&s[i], 4);
		must_eq(say_ready_as(&s[i].channel, &s[i].object, true, COPY_DELAY), 0);
		supply_all(&s[i]);
		*(unsigned char *)(s[i].base + PAGE) = 200;
		unmap(s[i].base, 4);
		EXPECT_TRUE(channel_empty(&s[i].channel));
	}
	must_eq(change(&s[0].object, false, COPY_DELAY, 0), 0);
	must_eq(say_change(&s[1].channel, &s[1].object, false, COPY_DELAY, false), 0);
	for (int i = 0; i < 2; i++) {
		struct message message = expect_message(&s[i].channel, MACHVM_CMD_DATA_RETURN);

		EXPECT_EQ(PAGE, message.offset);
		EXPECT_EQ(PAGE, message.length);
		must_eq(return_release(&s[i].object, PAGE, PAGE), 0);
		expect_message(&s[i].channel, MACHVM_CMD_TERMINATE);
		EXPECT_FALSE(object_is_mapped(&s[i].object));
	}
}

TEST(C9_S2_54_a_temporary_object_returns_nothing_at_its_end)
{
	unsigned char data[PAGE];
	struct served s;

	serve_start(&s, 4);
	must_eq(say_ready(&s.channel, &s.object, MACHVM_COPY_TEMPORARY), 0);
	EXPECT_EQ(1, attributes(&s.object).out_temporary);
	EXPECT_TRUE(object_info(&s.object).out_flags & MACHVM_OBJECT_TEMPORARY);
	supply_all(&s);
	must_eq(supply_precious(&s.object, 7, 0), 0);
	memset((void *)s.base, 200, PAGES(2));
	/* There is no way back. */
	must_eq(change(&s.object, false, COPY_DELAY, 0), 0);
	EXPECT_EQ(1, attributes(&s.object).out_temporary);
	unmap(s.base, 4);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
	EXPECT_EQ(KERN_INVALID_ADDRESS, return_read(&s.object, 0, data, PAGE));
}

/* What the pager has begun to fetch by a lock request it gets. */
TEST(C9_a_temporary_object_waits_for_its_lock_requests)
{
	struct machvm_lock_request lock = {
		.size = sizeof(lock), .length = PAGES(4), .should_return = MACHVM_RETURN_DIRTY,
		.lock_value = MACHVM_PROT_NO_CHANGE, .reply = 1,
	};
	unsigned char data[PAGE];
	struct served s;

	serve_start(&s, 4);
	must_eq(say_ready(&s.channel, &s.object, MACHVM_COPY_TEMPORARY), 0);
	supply_all(&s);
	*(unsigned char *)(s.base + PAGE) = 200;
	*(unsigned char *)(s.base + PAGES(3)) = 201;
	must_eq(util_ioctl(s.object.control, MACHVM_LOCK_REQUEST, &lock), 0);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	unmap(s.base, 4);
	must_eq(return_read(&s.object, PAGE, data, PAGE), 0);
	EXPECT_EQ(200, data[0]);
	must_eq(return_release(&s.object, PAGE, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_LOCK_COMPLETED);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* GNU Mach panics on both. */
TEST(C9_defect_3_vm_copy_and_vm_write_of_a_temporary_object)
{
	vm_address_t copy = util_make(4), data = util_make(1);
	struct served s;

	serve_start(&s, 4);
	must_eq(say_ready(&s.channel, &s.object, MACHVM_COPY_TEMPORARY), 0);
	supply_all(&s);
	must_eq(vm_copy(SELF, s.base, PAGES(4), copy), KERN_SUCCESS);
	memset((void *)data, 99, PAGE);
	must_eq(vm_write(SELF, s.base + PAGE, data, PAGE), KERN_SUCCESS);
	EXPECT_EQ(0, util_wrong(copy, 4, 0));
	EXPECT_TRUE(page_is(s.base, 1, 99));
	unmap(copy, 4);
	unmap(s.base, 4);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
}

/* What else a pager may say, one by one */

static int set(struct object *object, uint32_t which, uint32_t strategy, uint32_t behavior)
{
	struct machvm_attributes call = {
		.size = sizeof(call), .epoch = object->epoch, .set = which,
		.copy_strategy = strategy, .behavior = behavior,
	};
	int ret = util_ioctl(object->control, MACHVM_SET_ATTRIBUTES, &call);

	if (!ret)
		must_eq(call.behavior, attributes(object).behavior);
	return ret;
}

TEST(P16_a_strategy_is_for_as_long_as_the_object_is_mapped)
{
	const uint32_t strategy = MACHVM_ATTRIBUTE_COPY_STRATEGY;
	struct served s;

	serve_start(&s, 2);
	EXPECT_EQ(0, set(&s.object, strategy, MACHVM_COPY_NONE, 0));
	EXPECT_EQ(MACHVM_COPY_NONE, attributes(&s.object).copy_strategy);
	must_eq(say_ready(&s.channel, &s.object, COPY_DELAY), 0);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, set(&s.object, strategy, MACHVM_COPY_NONE, 0));
	EXPECT_EQ(0, set(&s.object, strategy, MACHVM_COPY_DELAY, 0));
	EXPECT_EQ(MACHVM_COPY_DELAY, attributes(&s.object).copy_strategy);
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(0, set(&s.object, strategy, MACHVM_COPY_NONE, 0));
}

TEST(P16_temporary_is_one_way)
{
	struct served s;

	serve(&s, 2);
	EXPECT_EQ(0, set(&s.object, MACHVM_ATTRIBUTE_TEMPORARY, 0, 0));
	EXPECT_EQ(0, attributes(&s.object).out_temporary);
	EXPECT_EQ(0, set(&s.object, MACHVM_ATTRIBUTE_TEMPORARY, 0, MACHVM_BEHAVIORS));
	EXPECT_EQ(MACHVM_ATTRIBUTE_TEMPORARY, attributes(&s.object).behavior);
	EXPECT_EQ(1, attributes(&s.object).out_temporary);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, set(&s.object, MACHVM_ATTRIBUTE_TEMPORARY, 0, 0));
	supply_all(&s);
	memset((void *)s.base, 200, PAGES(2));
	unmap(s.base, 2);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* What is written back goes, so that the next access sees what the pager has by then. */
TEST(P16_V27_what_is_synchronized_is_invalidated)
{
	struct served s;

	serve(&s, 4);
	supply_all(&s);
	must_eq(vm_msync(SELF, s.base, PAGES(4), VM_SYNC_ASYNCHRONOUS), KERN_SUCCESS);
	EXPECT_EQ(4, object_info(&s.object).out_resident);
	must_eq(set(&s.object, MACHVM_ATTRIBUTE_INVALIDATE, 0, MACHVM_BEHAVIORS), 0);
	*(unsigned char *)s.base = 200;
	must_eq(vm_msync(SELF, s.base, PAGES(2), VM_SYNC_ASYNCHRONOUS), KERN_SUCCESS);
	EXPECT_EQ(0, expect_message(&s.channel, MACHVM_CMD_DATA_RETURN).kernel_copy);
	must_eq(return_release(&s.object, 0, PAGE), 0);
	wait_until(object_info(&s.object).out_resident == 2);
	must_eq(set(&s.object, MACHVM_ATTRIBUTE_INVALIDATE, 0, 0), 0);
	must_eq(vm_msync(SELF, s.base, PAGES(4), VM_SYNC_SYNCHRONOUS), KERN_SUCCESS);
	EXPECT_EQ(2, object_info(&s.object).out_resident);
	EXPECT_TRUE(channel_empty(&s.channel));
}

/* The library */

static atomic_int completed, completed_may_cache, completed_strategy;
static atomic_uint control_of;

static void on_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		    vm_size_t page_size)
{
	boolean_t ready = TRUE, may_cache = TRUE;
	memory_object_copy_strategy_t strategy = -1;

	(void)cookie;
	(void)name;
	(void)page_size;
	must_eq(memory_object_get_attributes(control, &ready, &may_cache, &strategy), KERN_SUCCESS);
	must_eq(ready, FALSE);
	must_eq(strategy, MEMORY_OBJECT_COPY_DELAY);
	must_eq(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY), KERN_SUCCESS);
	must_eq(memory_object_get_attributes(control, &ready, &may_cache, &strategy), KERN_SUCCESS);
	must_eq(ready, TRUE);
	must_eq(may_cache, FALSE);
	must_eq(memory_object_change_attributes(control, TRUE, 9, control), KERN_INVALID_ARGUMENT);
	must_eq(memory_object_change_attributes(control, TRUE, MEMORY_OBJECT_COPY_DELAY, control),
		KERN_SUCCESS);
	must_eq(atomic_load(&completed), 0);	/* no callback inside a callback */
	must_eq(machvm_pager_cluster_size(control, vm_page_size - 1), KERN_INVALID_ARGUMENT);
	must_eq(machvm_pager_cluster_size(control, 0), KERN_INVALID_ARGUMENT);
	must_eq(machvm_pager_cluster_size(control, 4 * vm_page_size), KERN_SUCCESS);
	atomic_store(&control_of, control);
}

static void on_change_completed(void *cookie, boolean_t may_cache,
				memory_object_copy_strategy_t strategy)
{
	(void)cookie;
	atomic_store(&completed_may_cache, may_cache);
	atomic_store(&completed_strategy, strategy);
	atomic_fetch_add(&completed, 1);
}

TEST(K10_P12_P13_by_way_of_the_library)
{
	const struct machvm_pager_ops ops = {
		.init = on_init, .change_completed = on_change_completed,
	};
	memory_object_copy_strategy_t strategy;
	struct machvm_pager *pager;
	boolean_t ready, may_cache;
	memory_object_t object;

	must_eq(machvm_pager_create(&ops, &pager), KERN_SUCCESS);
	must_eq(machvm_pager_object(pager, NULL, &object), KERN_SUCCESS);
	must(util_map(object, 0, 1, false));
	while (!atomic_load(&completed))
		must(machvm_pager_dispatch(pager) >= 0);
	EXPECT_EQ(TRUE, completed_may_cache);
	EXPECT_EQ(MEMORY_OBJECT_COPY_DELAY, completed_strategy);
	EXPECT_EQ(KERN_SUCCESS, memory_object_get_attributes(control_of, &ready, &may_cache,
							     &strategy));
	EXPECT_EQ(TRUE, may_cache);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, memory_object_get_attributes(object, &ready, &may_cache,
								      &strategy));
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  memory_object_change_attributes(MACH_PORT_NULL, TRUE, MEMORY_OBJECT_COPY_DELAY,
						  MACH_PORT_NULL));
	machvm_pager_destroy(pager);
	EXPECT_EQ(1, completed);
}

/* Of each flavor what was said, and only that. */
static void flavors_before_ready(memory_object_control_t control)
{
	struct memory_object_behave_info behavior = {
		.copy_strategy = MEMORY_OBJECT_COPY_NONE, .invalidate = TRUE,
	};
	struct memory_object_attr_info now;
	mach_msg_type_number_t count = MEMORY_OBJECT_ATTR_INFO_COUNT + 1;

	must_eq(machvm_pager_change_attributes(control, MEMORY_OBJECT_BEHAVIOR_INFO,
					       (memory_object_info_t)&behavior,
					       MEMORY_OBJECT_BEHAVE_INFO_COUNT, MACH_PORT_NULL),
		KERN_SUCCESS);
	must_eq(machvm_pager_get_attributes(control, MEMORY_OBJECT_ATTRIBUTE_INFO,
					    (memory_object_info_t)&now, &count), KERN_SUCCESS);
	must_eq(count, MEMORY_OBJECT_ATTR_INFO_COUNT);
	must_eq(now.copy_strategy, MEMORY_OBJECT_COPY_NONE);
	must_eq(now.cluster_size, vm_page_size);
	must_eq(now.may_cache_object, FALSE);
	must_eq(now.temporary, FALSE);
}

static void flavors_after_ready(memory_object_control_t control)
{
	struct memory_object_behave_info behavior = {
		.copy_strategy = MEMORY_OBJECT_COPY_DELAY, .silent_overwrite = TRUE,
	};
	struct memory_object_attr_info attr = {
		.copy_strategy = MEMORY_OBJECT_COPY_NONE, .cluster_size = vm_page_size,
	};
	struct memory_object_perf_info perf = {
		.cluster_size = 4 * vm_page_size, .may_cache = TRUE,
	};
	mach_msg_type_number_t count = MEMORY_OBJECT_BEHAVE_INFO_COUNT;

	must_eq(machvm_pager_change_attributes(control, MEMORY_OBJECT_PERFORMANCE_INFO,
					       (memory_object_info_t)&perf,
					       MEMORY_OBJECT_PERF_INFO_COUNT, control),
		KERN_SUCCESS);
	must_eq(machvm_pager_change_attributes(control, MEMORY_OBJECT_ATTRIBUTE_INFO,
					       (memory_object_info_t)&attr,
					       MEMORY_OBJECT_ATTR_INFO_COUNT, control),
		KERN_INVALID_ARGUMENT);
	must_eq(machvm_pager_change_attributes(control, MEMORY_OBJECT_BEHAVIOR_INFO,
					       (memory_object_info_t)&behavior,
					       MEMORY_OBJECT_BEHAVE_INFO_COUNT, MACH_PORT_NULL),
		KERN_SUCCESS);
	memset(&behavior, 0xff, sizeof(behavior));
	must_eq(machvm_pager_get_attributes(control, MEMORY_OBJECT_BEHAVIOR_INFO,
					    (memory_object_info_t)&behavior, &count),
		KERN_SUCCESS);
	must_eq(behavior.copy_strategy, MEMORY_OBJECT_COPY_DELAY);
	must_eq(behavior.temporary, FALSE);
	must_eq(behavior.invalidate, FALSE);
	must_eq(behavior.silent_overwrite, TRUE);
	must_eq(behavior.advisory_pageout, FALSE);
	memset(&perf, 0xff, sizeof(perf));
	count = MEMORY_OBJECT_PERF_INFO_COUNT;
	must_eq(machvm_pager_get_attributes(control, MEMORY_OBJECT_PERFORMANCE_INFO,
					    (memory_object_info_t)&perf, &count), KERN_SUCCESS);
	must_eq(perf.cluster_size, 4 * vm_page_size);
	must_eq(perf.may_cache, TRUE);
}

static void flavors_refused(memory_object_control_t control)
{
	struct memory_object_behave_info behavior = {
		.copy_strategy = MEMORY_OBJECT_COPY_DELAY, .advisory_pageout = TRUE,
	};
	memory_object_info_t info = (memory_object_info_t)&behavior;
	mach_msg_type_number_t count = MEMORY_OBJECT_BEHAVE_INFO_COUNT;

	must_eq(machvm_pager_change_attributes(control, MEMORY_OBJECT_BEHAVIOR_INFO, info, count,
					       MACH_PORT_NULL), KERN_INVALID_ARGUMENT);
	behavior.advisory_pageout = FALSE;
	must_eq(machvm_pager_change_attributes(control, MEMORY_OBJECT_BEHAVIOR_INFO, info,
					       count + 1, MACH_PORT_NULL), KERN_INVALID_ARGUMENT);
	must_eq(machvm_pager_change_attributes(control, MEMORY_OBJECT_ATTRIBUTE_INFO, info, count,
					       MACH_PORT_NULL), KERN_INVALID_ARGUMENT);
	must_eq(machvm_pager_change_attributes(control, 10, info, count, MACH_PORT_NULL),
		KERN_INVALID_ARGUMENT);
	must_eq(machvm_pager_change_attributes(MACH_PORT_NULL, MEMORY_OBJECT_BEHAVIOR_INFO, info,
					       count, MACH_PORT_NULL), KERN_INVALID_ARGUMENT);
	must_eq(machvm_pager_get_attributes(control, 10, info, &count), KERN_INVALID_ARGUMENT);
	count--;
	must_eq(machvm_pager_get_attributes(control, MEMORY_OBJECT_BEHAVIOR_INFO, info, &count),
		KERN_INVALID_ARGUMENT);
	count++;
	must_eq(machvm_pager_get_attributes(MACH_PORT_NULL, MEMORY_OBJECT_BEHAVIOR_INFO, info,
					    &count), KERN_INVALID_ARGUMENT);
}

static void on_init_by_flavor(void *cookie, memory_object_control_t control,
			      memory_object_name_t name, vm_size_t page_size)
{
	(void)cookie;
	(void)name;
	(void)page_size;
	flavors_before_ready(control);
	must_eq(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY), KERN_SUCCESS);
	flavors_after_ready(control);
	flavors_refused(control);
}

TEST(P16_flavors_by_way_of_the_library)
{
	const struct machvm_pager_ops ops = {
		.init = on_init_by_flavor, .change_completed = on_change_completed,
	};
	struct machvm_pager *pager;
	memory_object_t object;

	atomic_store(&completed, 0);
	must_eq(machvm_pager_create(&ops, &pager), KERN_SUCCESS);
	must_eq(machvm_pager_object(pager, NULL, &object), KERN_SUCCESS);
	must(util_map(object, 0, 1, false));
	while (!atomic_load(&completed))
		must(machvm_pager_dispatch(pager) >= 0);
	EXPECT_EQ(TRUE, completed_may_cache);
	machvm_pager_destroy(pager);
	EXPECT_EQ(1, completed);	/* a change that was refused is not completed */
}

HARNESS_MAIN
