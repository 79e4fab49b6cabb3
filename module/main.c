// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - what is set up when the module is loaded, and its mirror image.
 */
#include <linux/module.h>
#include "arena.h"
#include "bank.h"
#include "channel.h"
#include "ioctl.h"
#include "shrinker.h"
#include "stats.h"
#include "store.h"
#include "user.h"

static int __init machvm_init(void)
{
	int err;

	err = machvm_stats_init();
	if (err)
		return err;
	err = machvm_user_init();
	if (err)
		goto err_stats;
	err = machvm_store_init();
	if (err)
		goto err_user;
	err = machvm_shrinker_init();
	if (err)
		goto err_store;
	err = machvm_arena_init();
	if (err)
		goto err_shrinker;
	err = machvm_queue_init();
	if (err)
		goto err_arena;
	err = machvm_bank_init();
	if (err)
		goto err_queue;
	err = machvm_channel_init();
	if (err)
		goto err_bank;
	err = machvm_dev_init();
	if (err)
		goto err_channel;
	return 0;

err_channel:
	machvm_channel_exit();
err_bank:
	machvm_bank_exit();
err_queue:
	machvm_queue_exit();
err_arena:
	machvm_arena_exit();
err_shrinker:
	machvm_shrinker_exit();
err_store:
	machvm_store_exit();
err_user:
	machvm_user_exit();
err_stats:
	machvm_stats_exit();
	return err;
}

/*
 * Open files and mappings pin the module, so no map and no object is left.  A bank may wait for a
 * manager that has only its socket, and what comes through a socket may wake the bank: the channel
 * goes before it.
 */
static void __exit machvm_exit(void)
{
	machvm_dev_exit();
	machvm_channel_exit();
	machvm_bank_exit();
	machvm_queue_exit();
	machvm_arena_exit();
	machvm_shrinker_exit();
	machvm_store_exit();
	machvm_user_exit();
	machvm_stats_exit();
}

module_init(machvm_init);
module_exit(machvm_exit);

MODULE_DESCRIPTION("Mach's virtual memory: maps, objects and pagers");
MODULE_AUTHOR("The machvm developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
