// SPDX-License-Identifier: GPL-2.0-only
/*
 * manager.c - who is the default memory manager: the kernel's own store, or a program.
 * Callers: dev.c sets and asks; control.c binds; absence.c; bank.c sends to its port.
 * Never: waits.
 * Locks: manager_lock, a leaf.
 */
#include "manager.h"
#include "bank.h"
#include "channel.h"
#include "memobj.h"
#include "port.h"
#include "store.h"

static DEFINE_SPINLOCK(manager_lock);
static struct machvm_memobj *manager;	/* (manager_lock) referenced; NULL: the store */

/* False if there is only the store.  It may be that nobody serves the one that is set. */
bool machvm_manager_is_set(void)
{
	return READ_ONCE(manager);
}

/* The memory object that was set, with a reference, or NULL. */
struct machvm_memobj *machvm_manager_get(void)
{
	struct machvm_memobj *memobj;

	spin_lock(&manager_lock);
	memobj = manager;
	if (memobj)
		machvm_memobj_get(memobj);
	spin_unlock(&manager_lock);
	return memobj;
}

/* The port of the manager, with a reference, if somebody serves it; else NULL. */
struct machvm_port *machvm_manager_port(void)
{
	struct machvm_memobj *memobj = machvm_manager_get();
	struct machvm_port *port;
	bool served;

	if (!memobj)
		return NULL;
	port = machvm_port_get(machvm_memobj_lock_port(memobj));
	served = !memobj->dead && !machvm_port_absent_locked(port);
	machvm_memobj_unlock_port(port);
	machvm_memobj_put(memobj);
	if (served)
		return port;
	machvm_port_put(port);
	return NULL;
}

/* Puts what nobody serves of what managers have before the one that is there, if there is one. */
static void adopt_all(void)
{
	struct machvm_port *port = machvm_manager_port();
	struct machvm_memobj *memobj;
	u64 id = 0;

	while (port && (memobj = machvm_memobj_first(id))) {
		if (memobj->bank)
			machvm_channel_adopt(memobj, port);
		id = memobj->id + 1;
		machvm_memobj_put(memobj);
		cond_resched();
	}
	if (port)
		machvm_port_put(port);
	machvm_bank_kick();
}

/**
 * machvm_manager_set - another default memory manager
 * @memobj: to whose port create is sent from now on, with a reference, which is consumed; NULL: the
 *	    kernel's own store
 *
 * What another one has stays with it as long as it is served, and is served by the new one then.
 * Return: the one before, with a reference, or NULL.
 */
struct machvm_memobj *machvm_manager_set(struct machvm_memobj *memobj)
{
	struct machvm_memobj *old;

	spin_lock(&manager_lock);
	old = manager;
	WRITE_ONCE(manager, memobj);
	spin_unlock(&manager_lock);
	adopt_all();
	return old;
}

/* A socket was bound to @memobj: if that is the manager it is there from now on. */
void machvm_manager_bound(struct machvm_memobj *memobj)
{
	if (READ_ONCE(manager) == memobj)
		adopt_all();
}

/**
 * machvm_store_adopt - the default memory manager is to serve an object that nobody serves
 * @memobj: the object
 *
 * Nothing happens if that is not a program, or is not there, or somebody serves the object.
 * Context: no lock of ours held.
 */
void machvm_store_adopt(struct machvm_memobj *memobj)
{
	struct machvm_port *port = machvm_manager_port();

	if (!port)
		return;
	machvm_channel_adopt(memobj, port);
	machvm_port_put(port);
	if (memobj->bank)
		machvm_bank_kick();
}

/* It may be set still: a memory object holds the module by its descriptors alone. */
void machvm_manager_exit(void)
{
	struct machvm_memobj *old;

	/* Who still asks, as sockets are bound that nobody has closed, finds none. */
	spin_lock(&manager_lock);
	old = manager;
	WRITE_ONCE(manager, NULL);
	spin_unlock(&manager_lock);
	if (old)
		machvm_memobj_put(old);
}
