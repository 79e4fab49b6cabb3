// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager.c - a pager for tests, see util.h: one object, one thread, a record of what it was asked.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "util.h"

#include <machvm/pager.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX 4096

struct page_record {
	unsigned int requests;
	unsigned int returns;
	unsigned char returned;
};

struct held_request {
	vm_offset_t offset;
	vm_size_t length;
};

struct util_pager {
	struct machvm_pager *pager;
	pthread_t thread;
	memory_object_t object;
	memory_object_control_t control;
	unsigned int pages;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct page_record *record;
	unsigned int requests;
	unsigned int terminated;
	unsigned int fail_from;
	int error;
	bool hold;
	struct held_request held[HELD_MAX];
	unsigned int nr_held;
};

static void pager_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		       vm_size_t page_size)
{
	struct util_pager *pager = cookie;

	(void)name;
	(void)page_size;
	pthread_mutex_lock(&pager->lock);
	pager->control = control;
	pthread_mutex_unlock(&pager->lock);
	memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY);
}

static void pager_answer(struct util_pager *pager, memory_object_control_t control,
			 vm_offset_t offset, vm_size_t length)
{
	unsigned char page[PAGE];

	for (vm_offset_t at = offset; at < offset + length; at += PAGE) {
		unsigned int number = at / PAGE;

		if (number >= pager->fail_from) {
			memory_object_data_error(control, at, PAGE, pager->error);
			continue;
		}
		memset(page, util_mark(number, 0), PAGE);
		memory_object_data_supply(control, at, (vm_offset_t)page, PAGE, VM_PROT_NONE,
					  FALSE, MACH_PORT_NULL);
	}
}

static void pager_data_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			       vm_size_t length, vm_prot_t desired)
{
	struct util_pager *pager = cookie;
	bool held;

	(void)desired;
	pthread_mutex_lock(&pager->lock);
	for (vm_offset_t at = offset; at < offset + length; at += PAGE) {
		pager->requests++;
		if (at / PAGE < pager->pages)
			pager->record[at / PAGE].requests++;
	}
	held = pager->hold && pager->nr_held < HELD_MAX;
	if (held)
		pager->held[pager->nr_held++] = (struct held_request){ offset, length };
	pthread_cond_broadcast(&pager->changed);
	pthread_mutex_unlock(&pager->lock);
	if (!held)
		pager_answer(pager, control, offset, length);
}

static void pager_data_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
			      const void *data, vm_size_t length, boolean_t dirty,
			      boolean_t kernel_copy)
{
	struct util_pager *pager = cookie;
	const unsigned char *bytes = data;

	(void)control;
	(void)dirty;
	(void)kernel_copy;
	pthread_mutex_lock(&pager->lock);
	for (vm_offset_t at = 0; at < length; at += PAGE) {
		unsigned int number = (offset + at) / PAGE;

		if (number >= pager->pages)
			continue;
		pager->record[number].returns++;
		pager->record[number].returned = bytes[at];
	}
	pthread_mutex_unlock(&pager->lock);
}

static void pager_terminate(void *cookie, memory_object_control_t control)
{
	struct util_pager *pager = cookie;

	(void)control;
	pthread_mutex_lock(&pager->lock);
	pager->terminated++;
	pthread_cond_broadcast(&pager->changed);
	pthread_mutex_unlock(&pager->lock);
}

static void *pager_thread(void *argument)
{
	machvm_pager_run(((struct util_pager *)argument)->pager);
	return NULL;
}

struct util_pager *util_pager_start(unsigned int pages)
{
	static const struct machvm_pager_ops ops = {
		.init = pager_init,
		.data_request = pager_data_request,
		.data_return = pager_data_return,
		.terminate = pager_terminate,
	};
	struct util_pager *pager = calloc(1, sizeof(*pager));

	if (!pager)
		return NULL;
	pager->pages = pages;
	pager->fail_from = -1U;
	pager->record = calloc(pages, sizeof(*pager->record));
	pthread_mutex_init(&pager->lock, NULL);
	pthread_cond_init(&pager->changed, NULL);
	if (!pager->record || machvm_pager_create(&ops, &pager->pager) != KERN_SUCCESS ||
	    machvm_pager_object(pager->pager, pager, &pager->object) != KERN_SUCCESS ||
	    pthread_create(&pager->thread, NULL, pager_thread, pager))
		return NULL;	/* the test fails and its process ends */
	return pager;
}

memory_object_t util_pager_object(struct util_pager *pager)
{
	return pager->object;
}

unsigned int util_pager_requests(struct util_pager *pager, unsigned int page)
{
	unsigned int requests;

	pthread_mutex_lock(&pager->lock);
	requests = pager->record[page].requests;
	pthread_mutex_unlock(&pager->lock);
	return requests;
}

unsigned int util_pager_returns(struct util_pager *pager, unsigned int page)
{
	unsigned int returns;

	pthread_mutex_lock(&pager->lock);
	returns = pager->record[page].returns;
	pthread_mutex_unlock(&pager->lock);
	return returns;
}

unsigned char util_pager_returned(struct util_pager *pager, unsigned int page)
{
	unsigned char byte;

	pthread_mutex_lock(&pager->lock);
	byte = pager->record[page].returned;
	pthread_mutex_unlock(&pager->lock);
	return byte;
}

void util_pager_hold(struct util_pager *pager, bool hold)
{
	struct held_request *held = NULL;
	unsigned int count = 0;

	pthread_mutex_lock(&pager->lock);
	pager->hold = hold;
	if (!hold && pager->nr_held) {
		count = pager->nr_held;
		held = malloc(count * sizeof(*held));
		memcpy(held, pager->held, count * sizeof(*held));
		pager->nr_held = 0;
	}
	pthread_mutex_unlock(&pager->lock);
	for (unsigned int i = 0; i < count; i++)
		pager_answer(pager, pager->control, held[i].offset, held[i].length);
	free(held);
}

void util_pager_wait_requests(struct util_pager *pager, unsigned int count)
{
	pthread_mutex_lock(&pager->lock);
	while (pager->requests < count)
		pthread_cond_wait(&pager->changed, &pager->lock);
	pthread_mutex_unlock(&pager->lock);
}

void util_pager_wait_terminate(struct util_pager *pager)
{
	pthread_mutex_lock(&pager->lock);
	while (!pager->terminated)
		pthread_cond_wait(&pager->changed, &pager->lock);
	pthread_mutex_unlock(&pager->lock);
}

void util_pager_fail_from(struct util_pager *pager, unsigned int page, int error)
{
	pthread_mutex_lock(&pager->lock);
	pager->fail_from = page;
	pager->error = error;
	pthread_mutex_unlock(&pager->lock);
}

void util_pager_stop(struct util_pager *pager)
{
	machvm_pager_stop(pager->pager);
	pthread_join(pager->thread, NULL);
	machvm_pager_destroy(pager->pager);
	mach_port_deallocate(SELF, pager->object);
	free(pager->record);
	free(pager);
}

int util_pager_control(struct util_pager *pager)
{
	int control;

	pthread_mutex_lock(&pager->lock);
	control = (int)pager->control;
	pthread_mutex_unlock(&pager->lock);
	return control;
}
