/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_internal.h - what the files of the oracle share.
 */
#ifndef _SELFTESTS_ORACLE_INTERNAL_H
#define _SELFTESTS_ORACLE_INTERNAL_H

#include "oracle.h"

#define RW (MACHVM_PROT_READ | MACHVM_PROT_WRITE)

struct oracle_cell *oracle_cell_new(int value);
struct oracle_cell *oracle_cell_get(struct oracle_cell *cell);
void oracle_cell_put(struct oracle_cell *cell);
struct oracle_cell *oracle_cell_copy(const struct oracle_cell *cell);

/* A new page, RW, maximum ALL, inherited as a copy.  There is none at the address. */
struct oracle_page *oracle_page_new(struct oracle_map *map, uint64_t address);

/* The cell is the page's from now on. */
void oracle_page_fill(struct oracle_page *page, struct oracle_cell *cell);

/* How many pages lie below the address. */
unsigned int oracle_index(const struct oracle_map *map, uint64_t address);

static inline uint64_t trunc_page(uint64_t address)
{
	return address & ~(ORACLE_PAGE - 1);
}

/* 0 if it does not fit in. */
static inline uint64_t round_page(uint64_t address)
{
	return trunc_page(address + ORACLE_PAGE - 1);
}

/*
 * The whole pages that a range touches.  False if it is empty; also if its last page is not below
 * 2^64, for such a range never comes out again at the bottom, and touches nothing.
 */
static inline bool range_of(uint64_t address, uint64_t size, uint64_t *start, uint64_t *end)
{
	*start = trunc_page(address);
	*end = round_page(address + size);
	return size && address + size >= address && *end > *start;
}

bool oracle_inheritance_known(uint32_t inheritance);

/* Calls @change for each page of the range that is in a region. */
void oracle_each_page(struct oracle_map *map, uint64_t start, uint64_t end,
		      void (*change)(struct oracle_page *page, uint32_t value), uint32_t value);

/*
 * May memory be put there?  @size is of whole pages; memory that can never be touched is free of
 * charge.
 */
int oracle_place(const struct oracle_map *map, uint64_t *address, uint64_t size, uint64_t mask,
		 bool anywhere, uint32_t max_protection);

#endif /* _SELFTESTS_ORACLE_INTERNAL_H */
