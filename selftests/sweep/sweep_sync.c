// SPDX-License-Identifier: GPL-2.0-only
/*
 * sweep_sync.c - vm_msync and vm_object_sync with arguments of every kind, on memory of every kind:
 * as the oracle has it.
 *
 * Rows V27, V28; S2.58.
 */
#include "harness.h"
#include "cases.h"

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

SWEEP(V27_S2_58_sweep_of_vm_msync, sweep_ranges, try_msync, 250)
SWEEP(V28_sweep_of_vm_object_sync, sweep_ranges, try_object_sync, 250)

HARNESS_MAIN_SLOW
