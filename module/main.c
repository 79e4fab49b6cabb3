// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - loads and unloads the module.
 */
#include <linux/module.h>

static int __init machvm_init(void)
{
	return 0;
}

static void __exit machvm_exit(void)
{
}

module_init(machvm_init);
module_exit(machvm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mach's virtual memory");
