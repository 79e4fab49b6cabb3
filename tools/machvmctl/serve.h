/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serve.h - files as memory objects: the pager behind "machvmctl pager serve".
 */
#ifndef MACHVMCTL_SERVE_H
#define MACHVMCTL_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <machvm/pager.h>

/**
 * struct serve_file - one file, its object and what was asked of it
 * @path: as the user gave it
 * @socket: path of the socket that hands the object out
 * @index: place on the command line, from 0: the log names the file by it
 * @fd: the open file
 * @listen: the listening socket
 * @size: bytes; the object ends with the page that the last byte is in
 * @writable: returned pages are written to the file
 * @object: what clients are given
 * @log: NULL, or where each message is noted before it is answered
 * @seen: a bit for each page that was ever asked for
 * @requests: data_request messages
 * @pages: pages asked for, each time counted
 * @distinct: pages asked for, each page counted once
 * @supplied: pages supplied
 * @zero: of those asked for, pages past the end of the file
 * @failed: of those asked for, pages that could not be read or supplied
 * @returned: pages returned
 * @dropped: of these, written by a client and not kept
 */
struct serve_file {
	const char *path;
	char *socket;
	unsigned int index;
	int fd;
	int listen;
	uint64_t size;
	bool writable;
	memory_object_t object;
	FILE *log;
	uint8_t *seen;
	uint64_t requests, pages, distinct, supplied, zero, failed, returned, dropped;
};

extern const struct machvm_pager_ops serve_ops;

/* serve_open - opens and measures the file; false and said so if it will not do */
bool serve_open(struct serve_file *f, const char *path, bool writable);

/* serve_close - false and said so if something written may not have reached the disk */
bool serve_close(struct serve_file *f);

#endif
