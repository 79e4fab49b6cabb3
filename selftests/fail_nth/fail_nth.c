// SPDX-License-Identifier: GPL-2.0-only
/*
 * fail_nth.c - whatever a call lacks, once: it says so, has done all or nothing, leaves nothing
 * behind, and can be made again.
 *
 * QUICK=1: a few things of each sequence.
 */
#include "harness.h"
#include "inject.h"
#include "sweep.h"

static const struct sequence *find(const char *name)
{
	static const struct sequence *const tables[] = {
		call_sequences, fault_sequences, reply_sequences, right_sequences,
		task_sequences,
	};

	for (unsigned int i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct sequence *at = tables[i]; at->name; at++)
			if (!strcmp(at->name, name))
				return at;
	return NULL;
}

FIXTURE(fail_nth) {
	const struct sequence *sequence;
	bool all;
};

FIXTURE_VARIANT(fail_nth) {
	const char *name;
};

FIXTURE_SETUP(fail_nth)
{
	struct util_inject inject;

	self->sequence = find(variant->name);
	self->all = !getenv("QUICK");
	ASSERT_NE(NULL, self->sequence);
	ASSERT_TRUE(util_inject_init(&inject));
	ASSERT_TRUE(lack_possible());
	ASSERT_TRUE(traced_works());
}

FIXTURE_TEARDOWN(fail_nth)
{
}

#define SEQUENCE(word) FIXTURE_VARIANT_ADD(fail_nth, word) { .name = #word }

/* calls.c */
SEQUENCE(first_call);
SEQUENCE(copy);
SEQUENCE(allocate);
SEQUENCE(allocate_fixed);
SEQUENCE(deallocate);
SEQUENCE(map_object);
SEQUENCE(map_copy);
SEQUENCE(map_proxy);
SEQUENCE(proxy_create);
SEQUENCE(region_proxy);
SEQUENCE(protect);
SEQUENCE(execute);
SEQUENCE(inherit);
SEQUENCE(read);
SEQUENCE(write);
SEQUENCE(wire);
SEQUENCE(contiguous);
SEQUENCE(pageout);
SEQUENCE(msync);
/* faults.c */
SEQUENCE(fault_zero);
SEQUENCE(fault_copy);
SEQUENCE(fault_push);
SEQUENCE(fault_stored);
SEQUENCE(fault_pager);
SEQUENCE(fault_pager_write);
SEQUENCE(fault_unlock);
/* replies.c */
SEQUENCE(object_create);
SEQUENCE(bind);
SEQUENCE(ready);
SEQUENCE(supply);
SEQUENCE(supply_unasked);
SEQUENCE(supply_inline);
SEQUENCE(supply_replied);
SEQUENCE(unavailable);
SEQUENCE(error);
SEQUENCE(lock_request);
SEQUENCE(return_read);
SEQUENCE(return_map);
SEQUENCE(return_map_first);
SEQUENCE(return_release);
SEQUENCE(attributes);
SEQUENCE(change_attributes);
SEQUENCE(change_replied);
SEQUENCE(destroy);
/* rights.c */
SEQUENCE(control_copy);
SEQUENCE(manager);
SEQUENCE(object_pages);
/* tasks.c */
SEQUENCE(fork);
SEQUENCE(exec);
SEQUENCE(exit);
SEQUENCE(task_port);
SEQUENCE(port_passed);
SEQUENCE(task_for_pid);

TEST_F_TIMEOUT(fail_nth, comes_out_clean, 1800)
{
	ASSERT_EQ(0, sweep(self->sequence, self->all));
}

HARNESS_MAIN
