// SPDX-License-Identifier: GPL-2.0-only
/*
 * help.c - see help.h.
 */
#include "help.h"
#include <linux/mman.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>

KUNIT_DEFINE_ACTION_WRAPPER(end_map, machvm_map_put, struct machvm_map *);
KUNIT_DEFINE_ACTION_WRAPPER(end_user, machvm_user_put, struct machvm_user *);

struct machvm_map *help_map(struct kunit *test)
{
	struct machvm_map *map;

	/* Gives the thread of the test an address space. */
	KUNIT_ASSERT_NE(test, 0, kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
					       MAP_ANONYMOUS | MAP_PRIVATE, 0));
	map = machvm_arena_current();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, map);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_map, map));
	return map;
}

u64 help_base(struct machvm_map *map)
{
	u64 base;

	down_read(&map->lock);
	base = machvm_window_next_locked(map, 0)->start;
	up_read(&map->lock);
	return base;
}

struct machvm_user *help_user(struct kunit *test)
{
	struct machvm_user *user = machvm_user_current();

	KUNIT_ASSERT_NOT_NULL(test, user);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_user, user));
	return user;
}

static void open_socket(struct help_pager *pager, unsigned int number, unsigned int window)
{
	struct kunit *test = pager->test;
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct socket *socket;
	int err;

	err = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, &socket);
	KUNIT_ASSERT_EQ(test, 0, err);
	pager->sockets[number] = socket;
	KUNIT_ASSERT_EQ(test, 0, kernel_bind(socket, (struct sockaddr *)&address, sizeof(address)));
	KUNIT_ASSERT_LE(test, 0, kernel_getsockname(socket, (struct sockaddr *)&address));
	sock_hold(socket->sk);
	pager->bindings[number] = machvm_binding_create(pager->port, socket->sk, &init_net,
							address.nl_pid, window);
	KUNIT_ASSERT_NOT_NULL(test, pager->bindings[number]);
}

void help_second_socket(struct help_pager *pager, unsigned int window)
{
	open_socket(pager, 1, window);
}

void help_close_socket(struct help_pager *pager, unsigned int number)
{
	struct machvm_binding *binding = pager->bindings[number];

	pager->bindings[number] = NULL;
	if (binding) {
		machvm_binding_close(binding);
		machvm_binding_put(binding);
	}
	if (pager->sockets[number])
		sock_release(pager->sockets[number]);
	pager->sockets[number] = NULL;
}

/* In the order in which a process would do it by exiting. */
static void end_pager(void *argument)
{
	struct help_pager *pager = argument;

	if (pager->object)
		machvm_object_put(pager->object);
	help_close_socket(pager, 0);
	help_close_socket(pager, 1);
	machvm_memobj_die(pager->memobj);
	machvm_port_put(pager->port);
	machvm_memobj_put(pager->memobj);
}

struct help_pager *help_pager(struct kunit *test, unsigned int window)
{
	struct help_pager *pager = kunit_kzalloc(test, sizeof(*pager), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pager);
	pager->test = test;
	pager->memobj = machvm_memobj_create(help_user(test));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pager->memobj);
	pager->port = machvm_port_get(machvm_memobj_lock_port(pager->memobj));
	machvm_memobj_unlock_port(pager->port);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_pager, pager));
	open_socket(pager, 0, window);
	pager->object = machvm_memobj_map(pager->memobj);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pager->object);
	KUNIT_ASSERT_EQ(test, MACHVM_MEMOBJ_INIT, pager->memobj->state);
	KUNIT_ASSERT_EQ(test, MACHVM_KERN_SUCCESS,
			machvm_memobj_ready(pager->memobj, false, MACHVM_COPY_DELAY));
	return pager;
}

struct machvm_request *help_ask(struct help_pager *pager, u64 index, bool with_folio)
{
	struct machvm_request *request;
	struct folio *folio = NULL;
	int err;

	if (with_folio) {
		folio = machvm_page_alloc(pager->memobj->user, GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(pager->test, folio);
	}
	request = machvm_request_create(pager->memobj, index, MACHVM_PROT_READ, folio);
	KUNIT_ASSERT_NOT_NULL(pager->test, request);
	down_read(&pager->object->family->lock);
	err = machvm_page_ask(pager->object, index, request);
	up_read(&pager->object->family->lock);
	KUNIT_ASSERT_EQ(pager->test, 0, err);
	KUNIT_ASSERT_EQ(pager->test, MACHVM_KERN_SUCCESS, machvm_request_post(request));
	return request;
}

int help_supply(struct help_pager *pager, u64 index, u8 byte)
{
	struct machvm_supply supply;
	int kr = machvm_memobj_supply_begin(pager->memobj, PAGES(index), &supply);

	if (kr)
		return kr;
	memset(folio_address(supply.folio), byte, PAGE_SIZE);
	return machvm_memobj_supply_end(&supply, 0, false);
}

u64 help_map_object(struct help_pager *pager, struct machvm_map *map, u64 nr, bool copy)
{
	struct machvm_vm_map arg = {
		.size = sizeof(arg), .length = PAGES(nr), .anywhere = 1, .copy = copy,
		.protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE,
		.max_protection = MACHVM_PROT_ALL, .inheritance = MACHVM_INHERIT_COPY,
	};
	u64 addr;

	KUNIT_ASSERT_EQ(pager->test, MACHVM_KERN_SUCCESS,
			machvm_vm_map(map, &arg, pager->memobj, &addr));
	return addr;
}
