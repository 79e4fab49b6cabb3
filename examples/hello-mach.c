// SPDX-License-Identifier: LGPL-2.1-or-later
#include <mach/mach.h>
#include <stdio.h>

int main(void)
{
	vm_address_t page;

	if (vm_allocate(mach_task_self(), &page, vm_page_size, TRUE) != KERN_SUCCESS)
		return 1;
	snprintf((char *)page, vm_page_size, "hello, Mach");
	return puts((char *)page) < 0 || vm_deallocate(mach_task_self(), page, vm_page_size);
}
