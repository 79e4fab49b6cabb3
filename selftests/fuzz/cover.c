// SPDX-License-Identifier: GPL-2.0-only
/*
 * cover.c - which places of the module the calls have reached, and what they compared, by kcov.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fuzz.h"

#include <fcntl.h>
#include <linux/kcov.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS (1UL << 16)
#define FIRST_FD 200		/* out of the way of the programs' own */
#define REACH (1UL << 21)	/* bytes of the module's text */
#define NEW_MOST 4096
#define OPERAND_WORDS 4

/* What all lanes have reached. */
struct known {
	pthread_mutex_t lock;
	atomic_uint nr;
	atomic_uchar places[REACH / 8];
};

static struct known *known;
static unsigned long base;
static uint64_t *areas[SLOTS];
static int fds[SLOTS];
static unsigned int new_places[NEW_MOST], nr_new;
static unsigned char new_bits[REACH / 8];

static unsigned long text_base(void)
{
	FILE *file = fopen("/sys/module/machvm/sections/.text", "r");
	unsigned long at = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lx", &at) != 1)
		at = 0;
	fclose(file);
	return at;
}

/* Before the lanes part. */
bool cover_shared(void)
{
	known = mmap(NULL, sizeof(*known), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	base = text_base();
	return known != MAP_FAILED;
}

bool cover_open(unsigned int lane)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		int fd = open("/sys/kernel/debug/kcov", O_RDWR);

		if (fd < 0)
			return false;	/* not even the first */
		fds[i] = FIRST_FD + lane * SLOTS + i;
		if (ioctl(fd, KCOV_INIT_TRACE, WORDS) || dup2(fd, fds[i]) < 0)
			return false;
		close(fd);
		areas[i] = mmap(NULL, WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
				fds[i], 0);
		/* A fork would copy the tables of each. */
		if (areas[i] == MAP_FAILED ||
		    madvise(areas[i], WORDS * sizeof(uint64_t), MADV_DONTFORK))
			return false;
	}
	return true;
}

bool cover_works(void)
{
	return areas[0];
}

void cover_enable(unsigned int slot, enum cover_mode mode)
{
	if (mode != COVER_NONE)
		ioctl(fds[slot], KCOV_ENABLE, mode == COVER_PCS ? KCOV_TRACE_PC : KCOV_TRACE_CMP);
}

void cover_reset(unsigned int slot)
{
	if (areas[slot])
		__atomic_store_n(&areas[slot][0], 0, __ATOMIC_RELAXED);
}

static bool is_known(unsigned int place)
{
	return atomic_load_explicit(&known->places[place / 8], memory_order_relaxed) &
	       1 << place % 8;
}

static void note(uint64_t pc)
{
	uint64_t place = pc - base;

	if (place >= REACH || is_known(place) || new_bits[place / 8] & 1 << place % 8 ||
	    nr_new == NEW_MOST)
		return;
	new_bits[place / 8] |= 1 << place % 8;
	new_places[nr_new++] = place;
}

/* What the program that has ended reached, and nobody before. */
unsigned int cover_new(unsigned int **places)
{
	for (unsigned int i = 0; i < nr_new; i++)
		new_bits[new_places[i] / 8] = 0;
	nr_new = 0;
	for (unsigned int i = 0; i < SLOTS; i++) {
		uint64_t count = areas[i] ? areas[i][0] : 0;

		for (uint64_t j = 1; j <= count && j < WORDS; j++)
			note(areas[i][j]);
	}
	if (places)
		*places = new_places;
	return nr_new;
}

/* How many of the places the program that has ended reached, too; these come first then. */
unsigned int cover_again(unsigned int *places, unsigned int nr)
{
	unsigned int again = 0;

	cover_new(NULL);
	for (unsigned int i = 0; i < nr; i++)
		if (new_bits[places[i] / 8] & 1 << places[i] % 8) {
			unsigned int place = places[i];

			places[i] = places[again];
			places[again++] = place;
		}
	return again;
}

/* Places that are reached now and then only are not looked at again. */
void cover_known(const unsigned int *places, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		unsigned char bit = 1 << places[i] % 8;

		if (!(atomic_fetch_or(&known->places[places[i] / 8], bit) & bit))
			atomic_fetch_add(&known->nr, 1);
	}
}

/* What is new is known from now on; how much that is. */
unsigned int cover_merge(void)
{
	unsigned int added = 0;

	for (unsigned int i = 0; i < nr_new; i++) {
		unsigned char bit = 1 << new_places[i] % 8;

		if (!(atomic_fetch_or(&known->places[new_places[i] / 8], bit) & bit))
			added++;
	}
	atomic_fetch_add(&known->nr, added);
	return added;
}

unsigned int cover_count(void)
{
	return atomic_load(&known->nr);
}

/* Offsets in the text of the module, all that are known. */
unsigned int cover_places(uint32_t *into, unsigned int most)
{
	unsigned int nr = 0;

	for (unsigned int place = 0; place < REACH && nr < most; place++)
		if (is_known(place))
			into[nr++] = place;
	return nr;
}

static unsigned int bits_of(uint64_t type)
{
	return 8U << (type >> 1 & 3);
}

/* What a thread has compared since its last reset, each pair once. */
unsigned int cover_operands(unsigned int slot, struct operands *into, unsigned int most)
{
	uint64_t count = areas[slot] ? areas[slot][0] : 0;
	unsigned int nr = 0;

	for (uint64_t i = 0; i < count && (i + 1) * OPERAND_WORDS < WORDS && nr < most; i++) {
		const uint64_t *record = &areas[slot][1 + i * OPERAND_WORDS];
		struct operands pair = { record[1], record[2], bits_of(record[0]) };
		unsigned int j = 0;

		if (pair.a == pair.b)
			continue;
		while (j < nr && (into[j].a != pair.a || into[j].b != pair.b))
			j++;
		if (j == nr)
			into[nr++] = pair;
	}
	return nr;
}
