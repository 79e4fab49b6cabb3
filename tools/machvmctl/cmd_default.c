// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_default.c - "default-pager": the default memory manager, with the pages in a file.
 * A page is on the disk before it is released, so until then the kernel has it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mach/mach.h>
#include <machvm/machvm.h>
#include <machvm/pager.h>

#include "dev.h"
#include "machvmctl.h"
#include "out.h"
#include "vault.h"

static struct vault *vault;

/* An object of the kernel's; what the callbacks get as cookie. */
struct kept {
	uint64_t id;
};

/* lost - to go on would be to release what is not kept; ended, the kernel still has it */
static __attribute__((noreturn)) void lost(void)
{
	fputs("machvmctl: a page could not be kept; the kernel still has it\n", stderr);
	_exit(EXIT_FAILED);
}

/* on_create - with a size: there is nothing of it yet, whatever an earlier kernel has left here */
static void *on_create(memory_object_control_t control, uint64_t id, vm_size_t size,
		       vm_size_t page_size)
{
	struct kept *k = malloc(sizeof(*k));

	(void)page_size;
	if (!k)
		lost();
	k->id = id;
	if (size && !vault_forget(vault, k->id))
		lost();
	(void)memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY);
	return k;
}

static void on_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
		      const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	const struct kept *k = cookie;

	(void)control;
	(void)dirty;
	(void)kernel_copy;
	if (k && !vault_put(vault, k->id, offset, data, length))
		lost();
}

/* on_request - a page that is not here is an error, never zeroes: it was another manager's */
static void on_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
		       vm_size_t length, vm_prot_t desired)
{
	static _Alignas(4096) char page[4096];
	const struct kept *k = cookie;
	vm_offset_t at;

	(void)desired;
	for (at = offset; at < offset + length; at += sizeof(page)) {
		if (k && vault_get(vault, k->id, at, page, sizeof(page)) > 0)
			(void)memory_object_data_supply(control, at, (vm_offset_t)page,
							sizeof(page), 0, FALSE, MACH_PORT_NULL);
		else
			(void)memory_object_data_error(control, at, sizeof(page), EIO);
	}
}

static void on_terminate(void *cookie, memory_object_control_t control)
{
	struct kept *k = cookie;

	(void)control;
	if (k)
		vault_forget(vault, k->id);
	free(k);
}

static const struct machvm_pager_ops ops = {
	.create = on_create,
	.data_request = on_request,
	.data_return = on_return,
	.terminate = on_terminate,
};

/* sweep - what ended while nobody listened: the kernel has no object of that number any more */
static void sweep(int dev)
{
	struct machvm_object_info o;
	uint64_t id = 0;

	while (vault_next(vault, &id)) {
		int ret = dev_object(dev, id, &o);

		if (!ret || (ret > 0 && o.id != id))
			vault_forget(vault, id);
	}
}

static bool serve(struct machvm_pager *pager, int signals)
{
	struct pollfd polls[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = machvm_pager_fd(pager), .events = POLLIN },
	};
	int ret;

	for (;;) {
		if (poll(polls, ARRAY_SIZE(polls), -1) < 0 && errno != EINTR) {
			out_error(NULL, "waiting for messages: %s", strerror(errno));
			return false;
		}
		if (polls[0].revents)
			return true;
		ret = machvm_pager_dispatch(pager);
		if (ret < 0) {
			out_error(NULL, "the pager channel failed: %s", strerror(-ret));
			return false;
		}
	}
}

/* hold - who waits until there is room must not wait for pages of ours to come back first */
static void hold(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		fprintf(stderr, "machvmctl: its own memory may be paged out: %s\n", strerror(errno));
}

/* install - from now on what is paged out comes here */
static bool install(struct machvm_pager *pager)
{
	memory_object_t self, manager;
	kern_return_t kr = machvm_pager_object(pager, NULL, &self);

	manager = self;
	if (kr == KERN_SUCCESS)
		kr = vm_set_default_memory_manager(mach_host_priv(), &manager);
	if (kr == KERN_SUCCESS) {
		if (manager != MACH_PORT_NULL)
			mach_port_deallocate(mach_task_self(), manager);
		return true;
	}
	out_error(kr == KERN_NO_ACCESS ? "Only root may be the default memory manager." : NULL,
		  "becoming the default memory manager: %s", machvm_strerror(kr));
	return false;
}

static bool parse_options(int argc, char **argv, int *ready_fd, int *exit_code)
{
	enum { READY_FD = OPT_OWN };
	static const struct option own[] = {
		{ "ready-fd", required_argument, NULL, READY_FD },
		{ 0 },
	};
	int opt;

	while ((opt = verb_getopt(argc, argv, own)) != -1) {
		if (opt != READY_FD || !parse_ready_fd(optarg, ready_fd)) {
			*exit_code = verb_exit();
			return false;
		}
	}
	if (optind + 1 == argc)
		return true;
	*exit_code = usage_error("default-pager needs one FILE");
	return false;
}

static int run_default(int argc, char **argv)
{
	int ret = EXIT_FAILED, ready_fd = -1, signals, dev;
	struct machvm_pager *pager;

	if (!parse_options(argc, argv, &ready_fd, &ret))
		return ret;
	dev = dev_open(); /* says best what is wrong, if something is */
	if (dev < 0)
		return EXIT_FAILED;
	signals = stop_signals();
	vault = vault_open(argv[optind]);
	if (!vault)
		return EXIT_FAILED;
	hold();
	sweep(dev);
	dev_close(dev);
	if (machvm_pager_create(&ops, &pager) == KERN_SUCCESS) {
		if (install(pager)) {
			announce_ready(ready_fd);
			if (serve(pager, signals))
				ret = EXIT_OK;
		}
		machvm_pager_destroy(pager);
	}
	if (ret == EXIT_OK && vault_pages(vault))
		printf("%" PRIu64 " pages are in %s: who needs them waits until it is served again\n",
		       vault_pages(vault), argv[optind]);
	vault_close(vault);
	close(signals);
	return ret;
}

const struct verb verb_default = {
	.name = "default-pager",
	.args = "[--ready-fd N] FILE",
	.help = "be the default memory manager: keep what is paged out in a file",
	.run = run_default,
	.more = "Internal memory that is paged out goes to the kernel's own store, and from there\n"
		"to FILE, a SQLite database that is made if it is not there. A page leaves the\n"
		"kernel when it is on the disk, so none is lost if this is killed, whenever that\n"
		"is: start it again with the same FILE. Until then, whoever touches a page that\n"
		"is in it waits. Runs until SIGINT or SIGTERM.\n"
		"\n"
		"  --ready-fd N  write a newline to descriptor N and close it once pages are taken\n"
		"\n"
		"Only one manager receives pages, the one started last; what another one has it\n"
		"serves until it ends. FILE means nothing once the module was unloaded.\n"
		"\n"
		"Examples:\n"
		"  machvmctl default-pager /var/lib/machvm/pages &\n"
		"  machvmctl stat | grep managed\n",
};
