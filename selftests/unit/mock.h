/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mock.h - what stands around the pure files: users, page tables, the sender, counters; all of
 * them record what was asked of them.  And words that most tests need.
 */
#ifndef _UNIT_MOCK_H
#define _UNIT_MOCK_H

#include "types.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "pmap.h"
#include "port.h"
#include "request.h"
#include "pageout.h"
#include "stats.h"
#include "store.h"
#include "user.h"
#include "vm.h"

/* Users */
struct machvm_user {
	refcount_t refs;
	long pages, page_limit;
	long objects, object_limit;
} __aligned(MACHVM_USER_ALIGN);

extern struct machvm_user mock_user;

/*
 * Page tables: what each address of a map shows.  A zap takes away just what was asked for, and
 * is remembered.
 */
struct mock_pte {
	struct folio *folio;
	bool write;
};

struct machvm_pmap {
	struct rw_semaphore mmap_lock;	/* faults read, fork writes */
	struct mock_pte *ptes;		/* of the whole arena */
};

extern u64 mock_may_wire;	/* bytes that the unprivileged may have wired */

extern bool mock_foreign;	/* the caller is no thread of the map's */

struct vm_area_struct {
	struct machvm_map *map;
};

struct mock_zap {
	struct machvm_map *map;
	u64 start, end;
};

extern struct mock_zap mock_zaps[];
extern unsigned int mock_nr_zaps;
void mock_zaps_forget(void);
bool mock_zapped(struct machvm_map *map, u64 start, u64 end);

/* The sender: unless it is held back, a pump sends what it may, as a real one does. */
struct mock_sent {
	u8 type;
	u64 object, offset, length;
	u32 access, epoch, sequence;
	bool kernel_copy;
	struct machvm_binding *via;
	u64 new_object;
};

extern struct mock_sent *mock_sents;
extern unsigned int mock_nr_sent;
extern bool mock_pump_held;		/* pumps do nothing */
extern unsigned int mock_pumps;
extern int mock_send_error;		/* what the next sends end in, 0 for success */
extern unsigned int mock_bindings_released;
extern bool mock_serves;		/* the caller is a pager */
void mock_sents_forget(void);
struct mock_sent *mock_last_sent(void);
unsigned int mock_sent_of(u8 type);

/*
 * Fails unless the messages since the last call were just these, one letter each: init, request,
 * return, terminate, unlock, completed.
 */
void heard_at(const char *file, int line, const char *expected);
#define heard(expected) heard_at(__FILE__, __LINE__, expected)

/*
 * The store keeps each place until it is freed; what is read of one that was freed is not what it
 * held.  The first reader after mock_store_fail() gets that error.
 */
extern unsigned int mock_stored;	/* places in use */
extern unsigned int mock_store_reads;
extern bool mock_store_room;
extern unsigned long mock_cgroup_share;	/* pages; 0 is no limit */
void mock_store_fail(int err);

/* The object that the default memory manager was set by, NULL: there is none. */
extern struct machvm_memobj *mock_manager;

extern long mock_stats[MACHVM_NR_STATS];

/* A map over [ARENA, ARENA_END); ends with map_end(). */
#define ARENA (1ULL << 40)
#define ARENA_PAGES 4096ULL
#define ARENA_END (ARENA + (ARENA_PAGES << PAGE_SHIFT))
#define AT(page) (ARENA + ((u64)(page) << PAGE_SHIFT))
#define PAGES(n) ((u64)(n) << PAGE_SHIFT)

struct machvm_map *map_new(void);
struct machvm_map *map_new_of(u64 pages);
void map_end(struct machvm_map *map);

/* Fails unless tree, gaps and counters of the map agree with one another. */
void map_check(struct machvm_map *map);
/*
 * Fails unless the regions are just these: "0+4 rw-/rwx 1; 6+1 r--/r-x 2", first page + pages,
 * protection (n at the end: notify) / maximum, inheritance.
 */
void map_is_at(const char *file, int line, struct machvm_map *map, const char *regions);
#define map_is(map, regions) map_is_at(__FILE__, __LINE__, map, regions)

int allocate_at(struct machvm_map *map, u64 page, u64 nr);
int deallocate_at(struct machvm_map *map, u64 page, u64 nr);
int protect_at(struct machvm_map *map, u64 page, u64 nr, u32 protection);
int set_maximum_at(struct machvm_map *map, u64 page, u64 nr, u32 protection);
struct machvm_entry *entry_at(struct machvm_map *map, u64 page);

/*
 * One byte of memory as a program sees it: faults are taken, pagers waited for by way of
 * fake_world().  Returns KERN_SUCCESS, or the reason of the fault that failed, or -ENOMEM.
 */
struct machvm_wiring wiring_of(struct machvm_map *map, u64 page, u64 nr, u8 access);
int wire_at(struct machvm_map *map, u64 page, u64 nr, u8 access);
int unwire_at(struct machvm_map *map, u64 page, u64 nr);
int cpu_load(struct machvm_map *map, u64 addr, u8 *value);
int cpu_store(struct machvm_map *map, u64 addr, u8 value);
int load(struct machvm_map *map, u64 page);		/* value, or the reason negated - 1000 */
int store(struct machvm_map *map, u64 page, u8 value);
#define FAILED(kr) (-1000 - (kr))
struct mock_pte *pte_at(struct machvm_map *map, u64 page);

/* Pages out what the pages show: how many went. */
u64 pageout_at(struct machvm_map *map, u64 page, u64 nr);

/* Fork; NULL if it failed. */
struct machvm_map *map_fork(struct machvm_map *parent);

/*
 * Fails unless the objects agree with one another: every reference is that of an entry or of an
 * object above.  Nobody may hold one for a moment.
 */
void objects_check(void);

/* Makes a page of that byte resident. */
void fill(struct machvm_object *object, u64 index, char value);

/* A memory object whose pager has a socket and is ready, if asked for; ends with pager_end(). */
struct pager {
	struct machvm_memobj *memobj;
	struct machvm_binding *binding;
};

void pager_new(struct pager *pager);
void pager_bind(struct pager *pager, unsigned int window);
void pager_close(struct pager *pager);
void pager_end(struct pager *pager);
int map_pager(struct machvm_map *map, struct pager *pager, u64 page, u64 nr, u64 offset_page,
	      bool copy);
/* As a fault does about a page that is not there: the open question, new or joined; NULL. */
struct machvm_request *ask(struct machvm_object *object, u64 index);
int supply(struct pager *pager, u64 index, char value, bool precious);

/* A map whose first pages are those of a new pager; page n holds n + 1, all of them resident. */
struct machvm_map *map_file(struct pager *pager, u64 nr);

/* The next message returns these pages; the pager is done with them. */
void expect_return_at(const char *file, int line, struct pager *pager, u64 first, u64 nr,
		      bool dirty, bool kernel_copy, int value);
#define expect_return(pager, first, nr, dirty, kernel_copy, value)                          \
	expect_return_at(__FILE__, __LINE__, pager, first, nr, dirty, kernel_copy, value)
int release_pages(struct pager *pager, u64 first, u64 nr);

#endif /* _UNIT_MOCK_H */
