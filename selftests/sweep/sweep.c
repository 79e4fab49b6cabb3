// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep.c - calls of the address space with arguments of every kind, on memory of every kind:
 * answers, the map afterwards and what is in it are those of the oracle.
 *
 * Rows V1, V3, V5, V8, V17; S2.3 to S2.9, S2.12.
 */
#include "harness.h"
#include "cases.h"

#include <fcntl.h>
#include <mach_debug/mach_debug.h>
#include <unistd.h>

static void try_allocate(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
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

static void try_region(struct sweep *sweep, uint64_t address, uint64_t size)
{
	case_begin(sweep);
	case_end(sweep, agree_region(&sweep->stage.agree, address + size));
}

/* Calls on what is no task. */

struct task_case {
	const char *name;
	task_t task;
	kern_return_t answer;	/* of most calls; the others know but KERN_INVALID_TASK */
};

static bool agree_on_answers(struct sweep *sweep, const char *calls, const struct task_case *task,
			     const kern_return_t *answers, unsigned int nr)
{
	bool right = true;

	for (unsigned int i = 0; i < nr; i++) {
		case_begin(sweep);
		case_end(sweep, true);
		if (answers[i] == task->answer)
			continue;
		agree_complain("%s %u on %s task: %d, not %d", calls, i, task->name, answers[i],
			       task->answer);
		right = false;
	}
	return right;
}

/* Calls that have a name of their own for what is no task. */
static bool task_is_named(struct sweep *sweep, const struct task_case *task)
{
	const struct task_case named = { task->name, task->task, KERN_INVALID_TASK };
	vm_address_t at = sweep->stage.base;
	host_priv_t host = mach_host_priv();
	vm_size_t limit, maximum;
	const kern_return_t answers[] = {
		vm_wire(host, task->task, at, PAGE, VM_PROT_READ),
		vm_wire(host, task->task, at, PAGE, VM_PROT_NONE),
		vm_wire(mach_host_self(), task->task, at, 0, VM_PROT_READ),
		vm_wire_all(host, task->task, VM_WIRE_FUTURE),
		vm_wire_all(host, task->task, VM_WIRE_NONE),
		vm_set_size_limit(host, task->task, 0, 0),
		vm_get_size_limit(task->task, &limit, &maximum),
		vm_msync(task->task, at, PAGE, VM_SYNC_SYNCHRONOUS),
		vm_msync(task->task, at, 0, VM_SYNC_INVALIDATE),
	};

	return agree_on_answers(sweep, "named call", &named, answers,
				sizeof(answers) / sizeof(answers[0]));
}

static bool task_refuses(struct sweep *sweep, const struct task_case *task)
{
	struct stage *stage = &sweep->stage;
	vm_address_t at = stage->base;
	mach_msg_type_number_t count;
	vm_machine_attribute_val_t attribute = MATTR_VAL_GET;
	vm_cache_statistics_data_t cache;
	vm_statistics_data_t statistics;
	rpc_phys_addr_t physical = 0, *pages = &physical;
	memory_object_name_t name;
	mach_msg_type_number_t one = 1;
	struct util_region region;
	vm_region_info_t info;
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
		vm_statistics(task->task, &statistics),
		vm_cache_statistics(task->task, &cache),
		vm_pages_phys(mach_host_priv(), task->task, at, PAGE, &pages, &one),
		vm_allocate_contiguous(mach_host_priv(), task->task, &at, &physical, PAGE, 0,
				       UINT64_MAX, 0),
		vm_machine_attribute(task->task, at, PAGE, MATTR_CACHE, &attribute),
		mach_vm_region_info(task->task, at, &info, &name),
		vm_region(task->task, &at, &region.size, &region.protection,
			  &region.max_protection, &region.inheritance, &region.shared,
			  &region.name, &region.offset),
	};

	return agree_on_answers(sweep, "call", task, answers, sizeof(answers) / sizeof(answers[0]));
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
	struct sweep sweep = {};

	ASSERT_TRUE(sweep_first_scene(&sweep));
	for (unsigned int i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		struct task_case task = tasks[i];

		if (!strcmp(task.name, "object"))
			task.task = sweep.stage.memory_object.port;
		if (!strcmp(task.name, "dead"))
			task.task = dead_task();
		EXPECT_TRUE(task_refuses(&sweep, &task));
		EXPECT_TRUE(task_is_named(&sweep, &task));
	}
	EXPECT_EQ(0, sweep.wrong);
	stage_end(&sweep.stage);
}

SWEEP(V1_S2_9_sweep_of_vm_allocate, sweep_ranges, try_allocate, 250)
SWEEP(V3_S2_5_sweep_of_vm_deallocate, sweep_ranges, try_deallocate, 250)
SWEEP(V5_S2_3_sweep_of_vm_protect, sweep_ranges, try_protect, 250)
SWEEP(V8_S2_4_sweep_of_vm_inherit, sweep_ranges, try_inherit, 250)
SWEEP(V17_S2_12_sweep_of_vm_region, sweep_ranges, try_region, 250)

HARNESS_MAIN_SLOW
