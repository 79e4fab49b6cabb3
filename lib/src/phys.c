// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * phys.c - memory as a driver sees it: where pages lie, and what the machine is told about them.
 */
#include "internal.h"

kern_return_t vm_allocate_contiguous(host_priv_t host_priv, task_t target_task,
				     vm_address_t *vaddr, rpc_phys_addr_t *paddr, vm_size_t size,
				     rpc_phys_addr_t pmin, rpc_phys_addr_t pmax,
				     rpc_phys_addr_t palign)
{
	struct machvm_vm_allocate_contiguous args = {
		.size = sizeof(args),
		.length = size,
		.pmin = pmin,
		.pmax = pmax,
		.palign = palign,
	};
	kern_return_t result;

	if (host_priv != MV_HOST_PRIV)
		return KERN_INVALID_HOST;
	if (!mv_port_task(target_task, &args.task))
		return KERN_INVALID_ARGUMENT;
	result = mv_device_call(MACHVM_VM_ALLOCATE_CONTIGUOUS, &args);
	if (result == KERN_SUCCESS) {
		*vaddr = args.out_address;
		*paddr = args.out_physical;
	}
	return result;
}

/* Room for the answers in fresh memory; as Mach's array that did not fit into the message. */
static kern_return_t phys_room(rpc_phys_addr_array_t *pages, size_t count)
{
	vm_address_t address = 0;
	kern_return_t result = vm_allocate(MV_TASK_SELF, &address, count * sizeof(**pages), TRUE);

	if (result == KERN_SUCCESS)
		*pages = (rpc_phys_addr_array_t)address;
	return result;
}

kern_return_t vm_pages_phys(host_priv_t host, task_t target_task, vm_address_t address,
			    vm_size_t size, rpc_phys_addr_array_t *pages,
			    mach_msg_type_number_t *count)
{
	struct machvm_vm_pages_phys args = {
		.size = sizeof(args),
		.address = address,
		.length = size,
	};
	rpc_phys_addr_array_t to = *pages;
	size_t wanted = size / vm_page_size;
	kern_return_t result;

	if (host != MV_HOST_PRIV)
		return KERN_INVALID_HOST;
	result = mv_task_check(target_task);
	if (result != KERN_SUCCESS)
		return result;
	if (!mv_port_task(target_task, &args.task) || wanted != (mach_msg_type_number_t)wanted)
		return KERN_INVALID_ARGUMENT;
	if (wanted > *count)
		result = phys_room(&to, wanted);
	if (result != KERN_SUCCESS)
		return result;
	args.pages = (uint64_t)to;
	result = mv_device_call(MACHVM_VM_PAGES_PHYS, &args);
	if (result == KERN_SUCCESS) {
		*pages = to;
		*count = (mach_msg_type_number_t)wanted;
	} else if (to != *pages) {
		vm_deallocate(MV_TASK_SELF, (vm_address_t)to, wanted * sizeof(*to));
	}
	return result;
}

/* What no process may have begins here. */
#define USER_END (((vm_address_t)1 << 47) - 4096)

kern_return_t vm_machine_attribute(task_t target_task, vm_address_t address, vm_size_t size,
				   vm_machine_attribute_t attribute,
				   vm_machine_attribute_val_t *value)
{
	kern_return_t result = mv_task_check(target_task);

	(void)attribute;
	(void)value;
	if (result != KERN_SUCCESS)
		return result;
	if (address > USER_END || size > USER_END - address)
		return KERN_INVALID_ARGUMENT;
	return KERN_INVALID_ADDRESS;
}
