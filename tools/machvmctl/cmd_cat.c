// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_cat.c - maps a memory object and writes what it sees to standard output.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mach/mach.h>
#include <machvm/machvm.h>

#include "dev.h"
#include "machvmctl.h"
#include "out.h"
#include "share.h"

#define CHUNK (256u << 10)

struct want {
	uint64_t offset, length;
	bool all, copy;
};

static bool parse_size(const char *option, const char *arg, uint64_t *v)
{
	if (parse_u64(arg, true, v))
		return true;
	usage_error("%s: '%s' is not a number of bytes", option, arg);
	return false;
}

static bool parse_options(int argc, char **argv, struct want *w, int *exit_code)
{
	enum { COPY = OPT_OWN, OFFSET, LENGTH };
	static const struct option own[] = {
		{ "copy", no_argument, NULL, COPY },
		{ "offset", required_argument, NULL, OFFSET },
		{ "length", required_argument, NULL, LENGTH },
		{ 0 },
	};
	int opt;

	*exit_code = EXIT_USAGE;
	while ((opt = verb_getopt(argc, argv, own)) != -1) {
		switch (opt) {
		case COPY:
			w->copy = true;
			break;
		case OFFSET:
			if (!parse_size("--offset", optarg, &w->offset))
				return false;
			break;
		case LENGTH:
			if (!parse_size("--length", optarg, &w->length))
				return false;
			w->all = false;
			break;
		default:
			*exit_code = verb_exit();
			return false;
		}
	}
	if (out_is_json())
		usage_error("cat writes the object's bytes, never JSON");
	else if (argc - optind > 1)
		usage_error("cat takes one SOCKET");
	else
		return true;
	return false;
}

/* clamp - turns what is wanted into what there is; false and said so if that makes no sense */
static bool clamp(struct want *w, uint64_t size)
{
	if (!size && w->all) {
		out_error("Say how much with --length.",
			  "the pager did not say how big the object is");
		return false;
	}
	if (size && w->offset > size) {
		out_error(NULL, "--offset is past the end: the object has %" PRIu64 " bytes", size);
		return false;
	}
	if (w->all || (size && w->length > size - w->offset))
		w->length = size - w->offset;
	return true;
}

static sigjmp_buf fault_jump;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(fault_jump, 1);
}

/*
 * copy_in - how many of the bytes can be read: all, or those before a page that cannot be had
 * It is a copy and not write(2) from the mapping: that does not touch what goes to /dev/null.
 */
static size_t copy_in(char *to, const char *from, size_t length)
{
	static size_t done; /* keeps its value over the jump */
	size_t n;

	done = 0;
	if (sigsetjmp(fault_jump, 1))
		return done;
	for (; done < length; done += n) {
		n = vm_page_size - (uintptr_t)(from + done) % vm_page_size;
		if (n > length - done)
			n = length - done;
		memcpy(to + done, from + done, n);
	}
	return done;
}

/* unreadable - why a page could not be had */
static int unreadable(const char *at, uint64_t offset)
{
	kern_return_t why;
	int reason;

	if (machvm_fault_info((void *)(uintptr_t)at, &why, &reason) != KERN_SUCCESS)
		return out_error("Its pager failed, or is gone: see machvmctl pager list.",
				 "offset %" PRIu64 " cannot be read", offset);
	return out_error(why == KERN_MEMORY_ERROR && !reason ?
				 "Is the pager still running? See machvmctl pager list." :
				 NULL,
			 "offset %" PRIu64 " cannot be read: %s%s%s", offset, machvm_strerror(why),
			 reason ? ": the pager says: " : "", reason ? strerror(reason) : "");
}

static bool write_full(const char *from, size_t length)
{
	ssize_t n;

	while (length) {
		n = write(STDOUT_FILENO, from, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			out_error(NULL, "writing standard output: %s", strerror(errno));
			return false;
		}
		from += n;
		length -= (size_t)n;
	}
	return true;
}

static int write_out(const char *base, const struct want *w, uint64_t skip)
{
	static char buf[CHUNK];
	uint64_t done = 0;
	size_t n, got;

	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	while (done < w->length) {
		n = w->length - done < CHUNK ? w->length - done : CHUNK;
		got = copy_in(buf, base + skip + done, n);
		if (!write_full(buf, got))
			return EXIT_FAILED;
		done += got;
		if (got < n)
			return unreadable(base + skip + done, w->offset + done);
	}
	return EXIT_OK;
}

static int show(memory_object_t object, const struct want *w)
{
	uint64_t skip = w->offset % vm_page_size;
	vm_address_t base = 0;
	kern_return_t kr;
	int ret;

	if (!w->length)
		return EXIT_OK;
	kr = vm_map(mach_task_self(), &base, w->length + skip, 0, TRUE, object, w->offset - skip,
		    w->copy, VM_PROT_READ, VM_PROT_READ, VM_INHERIT_NONE);
	if (kr != KERN_SUCCESS)
		return out_error(NULL, "mapping the object: %s", machvm_strerror(kr));
	ret = write_out((const char *)base, w, skip);
	vm_deallocate(mach_task_self(), base, w->length + skip);
	return ret;
}

static int run_cat(int argc, char **argv)
{
	struct want w = { .all = true };
	memory_object_t object;
	kern_return_t kr;
	uint64_t size = 0;
	const char *path;
	int ret, s, dev;

	if (!parse_options(argc, argv, &w, &ret))
		return ret;
	path = optind < argc ? argv[optind] : share_default();
	if (!path)
		return usage_error("cat needs a SOCKET");
	dev = dev_open(); /* says best what is wrong, if something is */
	if (dev < 0)
		return EXIT_FAILED;
	dev_close(dev);
	s = share_connect(path);
	if (s < 0)
		return EXIT_FAILED;
	kr = machvm_object_recv_size(s, &object, &size);
	close(s);
	if (kr != KERN_SUCCESS)
		return out_error("Does a machvm pager listen there?",
				 "%s: receiving the object: %s", path, machvm_strerror(kr));
	ret = clamp(&w, size) ? show(object, &w) : EXIT_FAILED;
	mach_port_deallocate(mach_task_self(), object);
	return ret;
}

const struct verb verb_cat = {
	.name = "cat",
	.args = "[--copy] [--offset BYTES] [--length BYTES] [SOCKET]",
	.help = "map the object that a pager hands out at SOCKET and write it to stdout",
	.run = run_cat,
	.more = "The bytes come through a mapping: every page is asked of the pager, unless it\n"
		"is in memory already, because someone else has used it.\n"
		"\n"
		"  --copy           map a copy-on-write copy of the object instead of itself\n"
		"  --offset BYTES   begin there (K, M, G and T are allowed: 64K)\n"
		"  --length BYTES   write that much; otherwise all\n"
		"  SOCKET           default: as for pager serve\n"
		"\n"
		"Examples:\n"
		"  machvmctl cat /tmp/s | sha256sum\n"
		"  machvmctl cat --offset 1M --length 4K /tmp/s | hexdump -C\n",
};
