// SPDX-License-Identifier: LGPL-2.1-or-later
#include <machvm.h>
#include <pthread.h>
#include <stdio.h>

static void data_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			 vm_size_t length, vm_prot_t desired)
{
	char page[4096] = "";

	snprintf(page, sizeof(page), "hello, %s, from byte %#lx", (char *)cookie, offset);
	memory_object_data_supply(control, offset, (vm_offset_t)page, length, 0, FALSE, 0);
}

static void *serve(void *pager) { return machvm_pager_run(pager) ? pager : NULL; }

int main(void)
{
	const struct machvm_pager_ops ops = { .data_request = data_request };
	struct machvm_pager *pager;
	memory_object_t object;
	vm_address_t at;
	pthread_t thread;

	if (machvm_pager_create(&ops, &pager) || machvm_pager_object(pager, "pager", &object) ||
	    pthread_create(&thread, NULL, serve, pager) || vm_map(mach_task_self(), &at, 8192, 0,
	    TRUE, object, 0, FALSE, VM_PROT_READ, VM_PROT_READ, VM_INHERIT_COPY))
		return puts(machvm_strerror(KERN_FAILURE)), 1;
	return puts((char *)at + 4096) < 0;
}
