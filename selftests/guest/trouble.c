// SPDX-License-Identifier: GPL-2.0-only
/*
 * trouble.c - a module that does at load what a test of scripts/guest asks for.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *make = "";
module_param(make, charp, 0);
MODULE_PARM_DESC(make, "warning, hang, leak or loss");

static int __init trouble_init(void)
{
	if (!strcmp(make, "warning")) {
		WARN(1, "trouble was asked for\n");
	} else if (!strcmp(make, "hang")) {
		local_irq_disable();
		for (;;)
			cpu_relax();
	} else if (!strcmp(make, "leak")) {
		char *lost = kmalloc(100, GFP_KERNEL);

		pr_info("trouble: lost memory at %p\n", lost);
	} else if (!strcmp(make, "loss")) {
		if (!kmalloc(100, GFP_KERNEL) || !alloc_page(GFP_KERNEL))
			return -ENOMEM;
	} else {
		return -EINVAL;
	}
	return 0;
}

static void __exit trouble_exit(void)
{
}

module_init(trouble_init);
module_exit(trouble_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Trouble on demand, for the tests of scripts/guest");
