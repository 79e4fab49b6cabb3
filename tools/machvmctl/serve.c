// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve.c - a file as a memory object: answers what the kernel asks.
 * The callbacks run one at a time, in the loop of cmd_serve.c.  The file is read with pread(2)
 * and not mapped: a file cut short, or a bad disk, is then an error to report, not a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mach/mach.h>
#include <machvm/machvm.h>

#include "out.h"
#include "serve.h"

#define CHUNK (256u << 10) /* the most that one supply carries */

static uint64_t end_of(const struct serve_file *f)
{
	return (f->size + vm_page_size - 1) / vm_page_size * vm_page_size;
}

static void note(struct serve_file *f, const char *what, uint64_t offset, uint64_t length)
{
	if (f->log)
		fprintf(f->log, "%s %u %" PRIu64 " %" PRIu64 "\n", what, f->index, offset, length);
}

static void count_request(struct serve_file *f, uint64_t offset, uint64_t length)
{
	uint64_t page = offset / vm_page_size, end = page + length / vm_page_size;

	f->requests++;
	f->pages += end - page;
	for (; page < end && page < end_of(f) / vm_page_size; page++) {
		uint8_t bit = (uint8_t)(1u << page % 8);

		if (!(f->seen[page / 8] & bit))
			f->distinct++;
		f->seen[page / 8] |= bit;
	}
}

/* read_full - the bytes of the file, zeroes after its end; an errno if it cannot be read */
static int read_full(struct serve_file *f, char *buf, uint64_t offset, size_t length)
{
	size_t want = length, got = 0;
	ssize_t n;

	if (offset + length > f->size)
		want = f->size - offset;
	while (got < want) {
		n = pread(f->fd, buf + got, want - got, (off_t)(offset + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (!n)
			return EIO; /* it was longer when we opened it */
		got += (size_t)n;
	}
	memset(buf + want, 0, length - want);
	return 0;
}

static void refuse(struct serve_file *f, memory_object_control_t control, uint64_t offset,
		   size_t length, int err)
{
	if (!f->failed)
		out_warn("%s: offset %" PRIu64 ": %s (said once; clients get SIGBUS)", f->path,
			 offset, strerror(err));
	f->failed += length / vm_page_size;
	memory_object_data_error(control, offset, length, err);
}

static void supply(struct serve_file *f, memory_object_control_t control, uint64_t offset,
		   size_t length)
{
	static char buf[CHUNK];
	kern_return_t kr;
	int err = read_full(f, buf, offset, length);

	if (err) {
		note(f, "error", offset, length);
		refuse(f, control, offset, length, err);
		return;
	}
	note(f, "supply", offset, length);
	kr = memory_object_data_supply(control, offset, (vm_offset_t)buf, length, VM_PROT_NONE,
				       FALSE, MACH_PORT_NULL);
	if (kr == KERN_SUCCESS) {
		f->supplied += length / vm_page_size;
		return;
	}
	if (!f->failed)
		out_warn("%s: supplying offset %" PRIu64 ": %s (said once)", f->path, offset,
			 machvm_strerror(kr));
	f->failed += length / vm_page_size;
}

static void on_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
		       vm_size_t length, vm_prot_t desired)
{
	struct serve_file *f = cookie;
	uint64_t end = end_of(f), stop = offset + length, at = offset;

	(void)desired;
	note(f, "request", offset, length);
	count_request(f, offset, length);
	while (at < stop && at < end) {
		uint64_t n = (stop < end ? stop : end) - at;

		if (n > CHUNK)
			n = CHUNK;
		supply(f, control, at, n);
		at += n;
	}
	if (at < stop) {
		note(f, "unavailable", at, stop - at);
		f->zero += (stop - at) / vm_page_size;
		memory_object_data_unavailable(control, at, stop - at);
	}
}

static int write_full(struct serve_file *f, const char *data, uint64_t offset, size_t length)
{
	ssize_t n;

	while (length) {
		n = pwrite(f->fd, data, length, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		data += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

static void on_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
		      const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	struct serve_file *f = cookie;
	size_t keep = length;
	int err = 0;

	(void)control;
	(void)kernel_copy;
	note(f, "return", offset, length);
	f->returned += length / vm_page_size;
	if (!dirty)
		return;
	if (!f->writable) {
		if (!f->dropped)
			out_warn("%s: written by a client; dropped for want of --write (said once)",
				 f->path);
		f->dropped += length / vm_page_size;
		return;
	}
	if (offset >= f->size)
		keep = 0;
	else if (keep > f->size - offset)
		keep = f->size - offset;
	if (keep)
		err = write_full(f, data, offset, keep);
	if (err) {
		out_warn("%s: writing %zu bytes at %" PRIu64 ": %s: they are lost", f->path, keep,
			 (uint64_t)offset, strerror(err));
		f->dropped += length / vm_page_size;
	}
}

static void on_terminate(void *cookie, memory_object_control_t control)
{
	(void)control;
	note(cookie, "terminate", 0, 0);
}

const struct machvm_pager_ops serve_ops = {
	.data_request = on_request,
	.data_return = on_return,
	.terminate = on_terminate,
};

/* size_of - regular files and block devices have a size that a seek finds */
static bool size_of(struct serve_file *f)
{
	struct stat st;
	off_t end;

	if (fstat(f->fd, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
		out_error(NULL, "%s: neither a regular file nor a block device", f->path);
		return false;
	}
	end = lseek(f->fd, 0, SEEK_END);
	if (end < 0) {
		out_error(NULL, "%s: %s", f->path, strerror(errno));
		return false;
	}
	if (!end) {
		out_error("An object of no pages cannot be mapped.", "%s: is empty", f->path);
		return false;
	}
	f->size = (uint64_t)end;
	return true;
}

bool serve_open(struct serve_file *f, const char *path, bool writable)
{
	f->path = path;
	f->writable = writable;
	f->listen = -1;
	f->fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (f->fd < 0) {
		out_error(NULL, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!size_of(f))
		return false;
	f->seen = calloc(end_of(f) / vm_page_size / 8 + 1, 1);
	if (!f->seen) {
		out_error(NULL, "%s: no memory to note its pages", path);
		return false;
	}
	return true;
}

bool serve_close(struct serve_file *f)
{
	bool ok = true;

	if (f->fd >= 0 && f->writable && fdatasync(f->fd)) {
		out_error(NULL, "%s: writing it to disk: %s", f->path, strerror(errno));
		ok = false;
	}
	if (f->fd >= 0)
		close(f->fd);
	free(f->seen);
	return ok;
}
