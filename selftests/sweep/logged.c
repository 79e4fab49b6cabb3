// SPDX-License-Identifier: GPL-2.0-only
/*
 * logged.c - see logged.h.
 *
 * The log is an array of pages with a number and a checksum each; the newest entry of a page is
 * what it holds.  When it is full the entries that count move to its front.  One thread serves, so
 * that a request is answered after what was returned before it is in the log.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "logged.h"

#include <fcntl.h>
#include <machvm/pager.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_ENTRIES 512		/* several times the pages */

struct entry {
	unsigned int page;
	uint64_t checksum;
	unsigned char data[PAGE];
};

struct logged {
	struct machvm_pager *pager;
	pthread_t thread;
	memory_object_t object;
	memory_object_control_t control;	/* 0 until init */
	unsigned int pages;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct entry *log;
	unsigned int nr_log;
	unsigned int *newest;			/* entry of each page */
	int error;				/* what requests end in, 0: none */
	bool wrong;
	unsigned int inits, terminates, completed;
	unsigned int init_heard_by;		/* successors until then */
	unsigned int supplied, unavailable, failed, returned, compacted, successors;
};

/* The first thing that was wrong is what whoever looks into it wants to know. */
static bool wrong_if(struct logged *l, bool wrong, const char *what, unsigned int page)
{
	if (wrong && !l->wrong)
		printf("# FAIL the pager: %s, page %u\n", what, page);
	l->wrong |= wrong;
	return wrong;
}

static uint64_t checksum_of(unsigned int page, const unsigned char *data)
{
	uint64_t sum = 0xcbf29ce484222325ULL ^ page;

	for (unsigned int i = 0; i < PAGE; i++)
		sum = (sum ^ data[i]) * 0x100000001b3ULL;
	return sum;
}

/* The log */

static void log_compact_locked(struct logged *l)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->nr_log; i++) {
		if (l->newest[l->log[i].page] != i)
			continue;
		l->newest[l->log[i].page] = kept;
		if (i != kept)
			l->log[kept] = l->log[i];
		kept++;
	}
	l->nr_log = kept;
	l->compacted++;
}

static void log_append_locked(struct logged *l, unsigned int page, const unsigned char *data)
{
	struct entry *entry;

	if (l->nr_log == LOG_ENTRIES)
		log_compact_locked(l);
	entry = &l->log[l->nr_log];
	entry->page = page;
	memcpy(entry->data, data, PAGE);
	entry->checksum = checksum_of(page, entry->data);
	l->newest[page] = l->nr_log++;
}

static const unsigned char *log_find_locked(struct logged *l, unsigned int page)
{
	const struct entry *entry = &l->log[l->newest[page]];

	wrong_if(l, entry->page != page || entry->checksum != checksum_of(page, entry->data),
		 "its log is damaged", page);
	return entry->data;
}

/* A copy of what a page holds; true if that is nothing but zeroes. */
static bool log_read(struct logged *l, unsigned int page, unsigned char *data)
{
	pthread_mutex_lock(&l->lock);
	memcpy(data, log_find_locked(l, page), PAGE);
	pthread_mutex_unlock(&l->lock);
	return !data[0] && !memcmp(data, data + 1, PAGE - 1);
}

static void count(struct logged *l, unsigned int *what)
{
	pthread_mutex_lock(&l->lock);
	++*what;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

/* What the kernel says */

static void on_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		    vm_size_t page_size)
{
	struct machvm_control_absence wait = {
		.size = sizeof(wait), .successor_ms = MACHVM_FOREVER_MS,
	};
	struct logged *l = cookie;

	(void)name;
	wrong_if(l, page_size != PAGE, "pages of another size", 0);
	/* What a predecessor was told, and had not read when it stopped, nobody is told again. */
	if (l->successors != l->init_heard_by)
		l->terminates = l->inits;
	l->init_heard_by = l->successors;
	wrong_if(l, l->inits != l->terminates, "init of what is not terminated", l->inits);
	wrong_if(l, util_ioctl((int)control, MACHVM_CONTROL_ABSENCE, &wait),
		 "cannot be waited for", 0);
	l->control = control;
	memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY);
	count(l, &l->inits);
}

static void answer(struct logged *l, memory_object_control_t control, unsigned int page)
{
	unsigned char data[PAGE];

	if (l->error) {
		memory_object_data_error(control, PAGES(page), PAGE, l->error);
		count(l, &l->failed);
	} else if (log_read(l, page, data)) {
		memory_object_data_unavailable(control, PAGES(page), PAGE);
		count(l, &l->unavailable);
	} else {
		memory_object_data_supply(control, PAGES(page), (vm_offset_t)data, PAGE,
					  VM_PROT_NONE, page % 16 == 5, MACH_PORT_NULL);
		count(l, &l->supplied);
	}
}

/* The last page of a cluster first. */
static void on_data_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			    vm_size_t length, vm_prot_t desired)
{
	struct logged *l = cookie;
	unsigned int nr = length / PAGE;

	(void)desired;
	if (!wrong_if(l, !nr || offset / PAGE + nr > l->pages, "asked beyond the end",
		      offset / PAGE))
		while (nr--)
			answer(l, control, offset / PAGE + nr);
}

/* A page that was not written is only returned if it is precious. */
static void on_data_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
			   const void *data, vm_size_t length, boolean_t dirty,
			   boolean_t kernel_copy)
{
	struct logged *l = cookie;

	(void)control;
	(void)kernel_copy;
	pthread_mutex_lock(&l->lock);
	for (vm_size_t at = 0; at < length; at += PAGE) {
		unsigned int page = (offset + at) / PAGE;

		if (wrong_if(l, page >= l->pages, "returned beyond the end", page))
			break;
		if (dirty)
			log_append_locked(l, page, data + at);
		else
			wrong_if(l, memcmp(data + at, log_find_locked(l, page), PAGE),
				 "returned as clean, with other contents", page);
		l->returned++;
	}
	pthread_mutex_unlock(&l->lock);
}

static void on_lock_completed(void *cookie, memory_object_control_t control, vm_offset_t offset,
			      vm_size_t length)
{
	struct logged *l = cookie;

	(void)control;
	(void)offset;
	(void)length;
	count(l, &l->completed);
}

static void on_terminate(void *cookie, memory_object_control_t control)
{
	struct logged *l = cookie;

	(void)control;
	count(l, &l->terminates);
}

static const struct machvm_pager_ops ops = {
	.init = on_init,
	.data_request = on_data_request,
	.data_return = on_data_return,
	.lock_completed = on_lock_completed,
	.terminate = on_terminate,
};

/* Service */

static void *serve(void *pager)
{
	machvm_pager_run(pager);
	return NULL;
}

static bool serve_begin(struct logged *l)
{
	return !pthread_create(&l->thread, NULL, serve, l->pager);
}

static void serve_end(struct logged *l)
{
	machvm_pager_stop(l->pager);
	pthread_join(l->thread, NULL);
	machvm_pager_destroy(l->pager);
}

struct logged *logged_start(unsigned int pages, unsigned char (*value)(unsigned int page))
{
	struct logged *l = calloc(1, sizeof(*l));
	unsigned char data[PAGE];

	if (!l)
		return NULL;
	l->pages = pages;
	l->log = calloc(LOG_ENTRIES, sizeof(*l->log));
	l->newest = calloc(pages, sizeof(*l->newest));
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	if (!l->log || !l->newest || machvm_pager_create(&ops, &l->pager) != KERN_SUCCESS ||
	    machvm_pager_object(l->pager, l, &l->object) != KERN_SUCCESS)
		return NULL;	/* the test fails and its process ends */
	for (unsigned int page = 0; page < pages; page++) {
		memset(data, value(page), PAGE);
		log_append_locked(l, page, data);
	}
	return serve_begin(l) ? l : NULL;
}

memory_object_t logged_object(struct logged *l)
{
	return l->object;
}

void logged_stop(struct logged *l)
{
	serve_end(l);
	mach_port_deallocate(SELF, l->object);
	free(l->log);
	free(l->newest);
	free(l);
}

unsigned char logged_value(struct logged *l, unsigned int page)
{
	unsigned char data[PAGE];

	log_read(l, page, data);
	return data[0];
}

bool logged_is_wrong(struct logged *l)
{
	return l->wrong;
}

const char *logged_counts(struct logged *l)
{
	static char text[160];

	snprintf(text, sizeof(text), "%u lives, %u successors, %u pages supplied, %u unavailable, "
		 "%u failed, %u returned; log compacted %u times", l->inits, l->successors,
		 l->supplied, l->unavailable, l->failed, l->returned, l->compacted);
	return text;
}

/* What the pager says by itself */

void logged_lock(struct logged *l, unsigned int page, unsigned int nr, int should_return,
		 bool flush, vm_prot_t lock)
{
	unsigned int before = l->completed;

	if (!l->control ||
	    memory_object_lock_request(l->control, PAGES(page), PAGES(nr), should_return, flush,
				       lock, l->control) != KERN_SUCCESS)
		return;
	pthread_mutex_lock(&l->lock);
	while (l->completed == before)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

/* That a request for nothing is completed is said after all that was said before. */
void logged_wait(struct logged *l)
{
	logged_lock(l, 0, 0, MEMORY_OBJECT_RETURN_NONE, false, VM_PROT_NO_CHANGE);
}

/* Nothing that was returned is still to come, for then it would be older than what is supplied. */
void logged_supply(struct logged *l, unsigned int page, unsigned int nr)
{
	unsigned char data[PAGE];

	logged_wait(l);
	for (; l->control && nr-- && page < l->pages; page++) {
		log_read(l, page, data);
		memory_object_data_supply(l->control, PAGES(page), (vm_offset_t)data, PAGE,
					  VM_PROT_NONE, FALSE, MACH_PORT_NULL);
	}
}

void logged_attributes(struct logged *l, bool may_cache, unsigned int cluster_pages)
{
	if (!l->control)
		return;
	memory_object_change_attributes(l->control, may_cache, MEMORY_OBJECT_COPY_DELAY,
					MACH_PORT_NULL);
	machvm_pager_cluster_size(l->control, PAGES(cluster_pages));
}

void logged_succeed(struct logged *l)
{
	int control;

	if (!l->control)
		return;
	control = fcntl((int)l->control, F_DUPFD_CLOEXEC, 3);
	serve_end(l);
	l->control = (memory_object_control_t)control;
	l->successors++;
	wrong_if(l, control < 0 || machvm_pager_create(&ops, &l->pager) != KERN_SUCCESS ||
		    machvm_pager_adopt(l->pager, l->control, l) != KERN_SUCCESS || !serve_begin(l),
		 "there can be no successor", l->successors);
}

void logged_fail(struct logged *l, int error)
{
	l->error = error;
}

void logged_settle(struct logged *l)
{
	/* With this nothing that it was told is left unheard. */
	vm_address_t base = util_map(l->object, 0, 1, false);

	wrong_if(l, !base || util_read(base).signal, "nobody can read", 0);
	logged_attributes(l, false, 1);
	vm_deallocate(SELF, base, PAGE);
	pthread_mutex_lock(&l->lock);
	while (l->inits != l->terminates)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
}
