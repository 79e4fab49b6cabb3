/* SPDX-License-Identifier: GPL-2.0-only */
/* help.h - what several KUnit suites need: a real map, and a pager without a process. */
#ifndef _MACHVM_TESTS_HELP_H
#define _MACHVM_TESTS_HELP_H

#include <kunit/test.h>
#include "arena.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "pmap.h"
#include "port.h"
#include "request.h"
#include "stats.h"
#include "user.h"
#include "vm.h"
#include "window.h"

#define PAGES(n) ((u64)(n) << PAGE_SHIFT)

/* The arena of an address space that is made for the test.  Given back with the test. */
struct machvm_map *help_map(struct kunit *test);

/* Its lowest address. */
u64 help_base(struct machvm_map *map);

struct machvm_user *help_user(struct kunit *test);

/* A memory object, mapped by nobody but @object, ready, served by sockets that nobody reads. */
struct help_pager {
	struct kunit *test;
	struct machvm_memobj *memobj;
	struct machvm_object *object;
	struct machvm_port *port;
	struct socket *sockets[2];
	struct machvm_binding *bindings[2];
};

struct help_pager *help_pager(struct kunit *test, unsigned int window);

/* One more socket; its number. */
void help_second_socket(struct help_pager *pager, unsigned int window);
void help_close_socket(struct help_pager *pager, unsigned int number);

/* A question for a page, in its slot and queued, as a fault makes it; with a reference. */
struct machvm_request *help_ask(struct help_pager *pager, u64 index, bool with_folio);

/* A page of @byte from the pager: what the last step answered. */
int help_supply(struct help_pager *pager, u64 index, u8 byte);

/* Maps the object at any place. */
u64 help_map_object(struct help_pager *pager, struct machvm_map *map, u64 nr, bool copy);

#endif /* _MACHVM_TESTS_HELP_H */
