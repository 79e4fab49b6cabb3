// SPDX-License-Identifier: GPL-2.0-only
/*
 * trouble.c - a module that does at load what a test of scripts/guest asks for.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *make = "";
module_param(make, charp, 0);
MODULE_PARM_DESC(make, "warning, hang, leak, loss or race");

static unsigned long raced;

static int race(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

/* Two threads, each of which adds to what the other one adds to. */
static int race_for(unsigned int ms)
{
	struct task_struct *first = kthread_run(race, NULL, "trouble/1"), *second;

	if (IS_ERR(first))
		return PTR_ERR(first);
	second = kthread_run(race, NULL, "trouble/2");
	if (!IS_ERR(second)) {
		msleep(ms);
		kthread_stop(second);
	}
	kthread_stop(first);
	return PTR_ERR_OR_ZERO(second);
}

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
	} else if (!strcmp(make, "race")) {
		return race_for(2000);
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
