/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle.h - what each call on an address space is to answer and to bring about, page by page.
 *
 * A map here is a list of pages, nothing else: no regions, no objects that shadow one another, no
 * page tables.  Memory that is copied is copied at once; memory that is shared shares a cell, one
 * byte that stands for all of a page.  The rules are those of Mach's reference manual and of its
 * live kernel.
 *
 * Where a call may choose an address, the one that was chosen is shown to the oracle, which judges
 * it.  No part of this calls the module, so it builds wherever there is a C compiler.
 */
#ifndef _SELFTESTS_ORACLE_H
#define _SELFTESTS_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "../uapi/machvm.h"

#define ORACLE_PAGE 4096ULL
#define ORACLE_PAGES(n) ((uint64_t)(n) * ORACLE_PAGE)

/* The first address that no program can have. */
#define ORACLE_USER_END ((1ULL << 47) - ORACLE_PAGE)

/* The answer if memory was put where it must not be. */
#define ORACLE_BAD_PLACE (-1)

/* Of a cell: nobody knows what is in the page, and it need not be the same throughout. */
#define ORACLE_UNKNOWN (-1)

struct oracle_cell {
	unsigned int refs;
	int value;
};

/* What a proxy shows from @offset on: bytes of an object from @start on. */
struct oracle_part {
	struct oracle_object *object;	/* NULL: what is named is no memory object */
	uint64_t offset;
	uint64_t start, length;
};

/*
 * A memory object: what its pages hold as those see it who share it.  Its pager forgets what is
 * returned to it.  Or a proxy, which has no pages of its own.
 */
struct oracle_object {
	unsigned int nr_pages;
	unsigned char (*value)(unsigned int page);	/* what the pager says */
	struct oracle_cell **cells;
	bool nameless;		/* it was a region, and nobody knows where in its object */
	bool revoked;
	uint32_t max_protection;	/* of a proxy */
	unsigned int nr_parts;
	struct oracle_part *parts;
};

struct oracle_range {
	uint64_t start, end;
};

struct oracle_page {
	uint64_t address;
	uint8_t protection;
	uint8_t max_protection;
	uint8_t inheritance;
	bool wired;
	bool ordinary;		/* Linux's memory, which only copies by bytes know */
	bool shared;		/* with another task, by inheritance */
	bool fresh;		/* zero-filled, and nothing was ever done with what is in it */
	struct oracle_object *object;	/* whose page it shows, NULL if none */
	uint64_t offset;		/* of it in the object */
	struct oracle_cell *cell;
};

struct oracle_map {
	uint64_t min, max;	/* where memory is placed that may lie anywhere */
	const struct oracle_range *closed;	/* what cannot be had: it is Linux's, or the */
	unsigned int nr_closed;			/* caller is somebody else and cannot ask Linux */
	uint64_t limit;		/* bytes, as vm_set_size_limit has it */
	uint64_t max_limit;
	uint64_t wire_limit;	/* bytes that those may have wired who have no privilege */
	bool wire_future;	/* whatever comes is wired */
	unsigned int changes;	/* counts whatever may have changed something */
	unsigned int nr_pages, room;
	struct oracle_page *pages;	/* in order of address */
};

/* The arguments of vm_map that are not addresses. */
struct oracle_mapping {
	uint64_t mask;
	bool anywhere;
	struct oracle_object *object;	/* NULL: fresh memory */
	uint64_t offset;
	bool copy;
	uint32_t protection, max_protection, inheritance;
};

void oracle_init(struct oracle_map *map, uint64_t min, uint64_t max);
void oracle_end(struct oracle_map *map);

/* A memory object whose page i holds value(i). */
void oracle_object_init(struct oracle_object *object, unsigned int nr_pages,
			unsigned char (*value)(unsigned int page));
void oracle_object_end(struct oracle_object *object);

/* The page that contains the address; the first one of a region there or above; NULL. */
struct oracle_page *oracle_find(const struct oracle_map *map, uint64_t address);
struct oracle_page *oracle_next(const struct oracle_map *map, uint64_t address);

/* Is the page, which is wired, kept?  Not while it is out of reach. */
bool oracle_kept(const struct oracle_page *page);

/* Says that Linux has memory there. */
void oracle_ordinary(struct oracle_map *map, uint64_t address, unsigned int nr, unsigned char value);

/* Bytes that count against the limit. */
uint64_t oracle_size(const struct oracle_map *map);

/*
 * The calls.  What they return is a kern_return_t, or ORACLE_BAD_PLACE; if it is KERN_SUCCESS the
 * map is as it is to be.  An address that is passed by reference is in: the argument, or, where
 * any place will do, the one that was taken; out: the one that is to be returned.
 */
int oracle_allocate(struct oracle_map *map, uint64_t *address, uint64_t size, bool anywhere);
int oracle_deallocate(struct oracle_map *map, uint64_t address, uint64_t size);
int oracle_protect(struct oracle_map *map, uint64_t address, uint64_t size, bool set_maximum,
		   uint32_t protection);
int oracle_inherit(struct oracle_map *map, uint64_t address, uint64_t size, uint32_t inheritance);
int oracle_vm_map(struct oracle_map *map, uint64_t *address, uint64_t size,
		  const struct oracle_mapping *mapping);
int oracle_copy(struct oracle_map *map, uint64_t source, uint64_t size, uint64_t destination);
int oracle_read(struct oracle_map *from, uint64_t address, uint64_t size, struct oracle_map *into,
		uint64_t *data);
int oracle_write(struct oracle_map *map, uint64_t address, struct oracle_map *from, uint64_t data,
		 uint64_t size);
int oracle_wire(struct oracle_map *map, uint64_t address, uint64_t size, uint32_t access,
		bool privileged);
int oracle_wire_all(struct oracle_map *map, uint32_t flags);
int oracle_msync(struct oracle_map *map, uint64_t address, uint64_t size, uint32_t flags);
/* Of the object that the page shows. */
int oracle_object_sync(struct oracle_map *map, struct oracle_page *page, uint64_t offset,
		       uint64_t size, bool flush);
int oracle_set_size_limit(struct oracle_map *map, uint64_t limit, uint64_t max_limit,
			  bool privileged);
int oracle_allocate_contiguous(struct oracle_map *map, uint64_t *address, uint64_t size,
			       uint64_t pmin, uint64_t pmax, uint64_t palign);
int oracle_pages_phys(uint64_t address, uint64_t size);
int oracle_machine_attribute(uint64_t address, uint64_t size);

/* If they succeed, @proxy is one, until oracle_object_end(). */
int oracle_proxy(struct oracle_object *proxy, uint32_t max_protection, unsigned int count,
		 const struct oracle_part *parts);

/*
 * The region that the address lies in is shown to the oracle by its @end; @region becomes what of
 * it the proxy shows.
 */
int oracle_region_proxy(struct oracle_object *proxy, struct oracle_object *region,
			const struct oracle_map *map, uint64_t address, uint64_t length,
			uint32_t max_protection, uint64_t end);

/* fork: @child is empty and becomes what it is to be. */
void oracle_fork(struct oracle_map *parent, struct oracle_map *child);

/* A byte, as a program reads or writes it; what the fault is to say that fails. */
int oracle_load(const struct oracle_map *map, uint64_t address);
int oracle_store(struct oracle_map *map, uint64_t address, unsigned char value);

#endif /* _SELFTESTS_ORACLE_H */
