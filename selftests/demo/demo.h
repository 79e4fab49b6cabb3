/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo.h - what the files of the demo share.
 */
#ifndef DEMO_H
#define DEMO_H

#include <linux/machvm.h>
#include <mach/mach.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SOCKET "/tmp/demo.sock"
#define PAGER_LOG "/tmp/demo.log"
#define READERS 2
#define HEX_SIZE 65

#define __printf(f, a) __attribute__((format(printf, f, a)))

/**
 * struct file - what is served, and what is known of it without machvm
 * @path: the file, here in the guest
 * @sha256: of it, as the host found it
 * @size: bytes
 * @pages: pages, the last one perhaps in part
 * @data: an ordinary mapping of it
 */
struct file {
	const char *path;
	const char *sha256;
	size_t size;
	size_t pages;
	const char *data;
};

/**
 * struct client - a process that maps an object; in memory that it shares with us
 * @pid: of the process
 * @events: what it has to say, a letter each: EVENT_*
 * @orders: a byte written to this lets it begin, another one lets it end
 * @sha256: what it found
 * @written: pages that it wrote
 * @why: what went wrong
 */
struct client {
	pid_t pid;
	int events;
	int orders;
	char sha256[HEX_SIZE];
	size_t written;
	char why[160];
};

#define EVENT_TOUCHED 't'
#define EVENT_QUARTER 'q'
#define EVENT_DONE 'd'

/* What the pager's log says of one file. */
struct tally {
	uint64_t requests;	/* messages */
	uint64_t pages;		/* asked for, each time counted */
	uint64_t distinct;	/* asked for, each page counted once */
	uint64_t supplied;	/* supplied, each time counted */
	uint64_t unasked;	/* supplied before or without being asked for */
	uint64_t other;		/* unavailable, error, return, terminate */
};

/* demo.c */
__printf(1, 2) __attribute__((noreturn)) void fail(const char *fmt, ...);
void must_succeed(kern_return_t kr, const char *what);

/* client.c - they are forked before the demo maps anything itself: nothing is inherited */
void *map_object(const char *socket, size_t size, boolean_t copy);
void sha256(const void *data, size_t size, char hex[HEX_SIZE], void (*quarter)(void));
void reader_fork(struct client *c, const struct file *f, void *barrier);
void copier_fork(struct client *c, const struct file *f);
void client_go_on(struct client *c);
char client_event(struct client *c);
void client_end(struct client *c);

/* counters.c */
void kernel_counters(struct machvm_vm_statistics *s);
void kernel_object(const void *address, struct machvm_object_info *o);
void log_tally(const struct file *f, unsigned int index, struct tally *t);
uint64_t log_requests_of_page(unsigned int index, uint64_t page);

/* pager.c */
pid_t pager_start(const struct file *f);
void pager_kill(pid_t pid);
void show(const char *command, const char *arg);

#endif
