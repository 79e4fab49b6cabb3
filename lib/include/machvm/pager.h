/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machvm/pager.h - serve memory objects from user space.
 *
 * A pager has a port, through which the kernel asks for pages of all the objects that the pager
 * serves, and callbacks that answer with the calls of <mach/memory_object_control.h>, at once or
 * later, from any thread of the process.  A pager belongs to the process that created it: a child
 * of fork may map its objects but not serve them.
 *
 * For one object, callbacks begin in the order in which the kernel sent the messages; init and
 * terminate run alone, the others side by side when several threads serve.  No lock of the
 * library is held meanwhile, so a callback may make any call but machvm_pager_destroy().  One
 * that touches memory of an object which only its own thread could page in waits for ever.
 *
 * Pages are returned because memory is short, and a pager that then needs some waits for itself
 * until Linux kills somebody.  The library has what data_return is given before it begins to serve;
 * the rest is the pager's: mlockall(2) with MCL_CURRENT and MCL_FUTURE, what data_return needs
 * allocated before, and files opened with O_DIRECT.
 */
#ifndef _MACHVM_PAGER_H_
#define _MACHVM_PAGER_H_

#include <mach/mach.h>
#include <mach/memory_object_types.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct machvm_pager;

/**
 * struct machvm_pager_ops - what a pager does, as Mach names it; any may be NULL
 * @init: the object is mapped, for the first time or again after terminate: set up, then call
 *        memory_object_ready().  NULL: memory_object_ready(control, FALSE,
 *        MEMORY_OBJECT_COPY_DELAY)
 * @data_request: pages are wanted: answer with memory_object_data_supply(), _data_unavailable()
 *                or _data_error().  NULL: memory_object_data_error() with KERN_FAILURE
 * @data_return: written or precious pages leave the kernel; @data is valid during the callback
 *               and page aligned.  NULL: they are dropped
 * @data_unlock: access that a page's lock forbids is wanted: answer with
 *               memory_object_lock_request().  NULL: all of it is allowed
 * @data_initialize: as data_return, of pages that the default memory manager was never offered
 *                   before.  NULL: data_return
 * @copy: [offset, offset + length) of an object whose strategy is MEMORY_OBJECT_COPY_CALL was copied,
 *        and is @new_object from its byte 0 on: the control port of a memory object that is this
 *        pager's to serve. It shows what the kernel had; for the rest data_request will come, and
 *        what is to be given is what was there at the moment of this call, whatever is returned
 *        of the original later. machvm_pager_adopt(), here and with a cookie of its own, begins its
 *        service; else the pager does so afterwards, with the cookie of the original. init with
 *        @new_object as the control port follows, or terminate if nothing maps it any more. It is
 *        temporary: at its end nothing comes back, and @new_object goes with terminate.
 *        mach_port_deallocate() refuses it. NULL: refused
 * @lock_completed: a lock request that named a reply port was carried out, and data_return has
 *                  been through with all that it returned; range as it was given
 * @supply_completed: a supply that named a reply port was carried out: @result is KERN_SUCCESS,
 *                    or KERN_MEMORY_PRESENT with the first offset that was refused
 * @change_completed: attributes were changed by a call that named a reply port
 * @terminate: nobody maps the object any more and all its pages were returned.  It may be mapped
 *             again, unless mach_port_deallocate() gives @control up.  An object that create was
 *             called for is no more, nor is a copy, and @control goes with it
 * @create: to the default memory manager (vm_set_default_memory_manager()): internal memory of
 *          @size bytes so far is to be kept in this object, whose number @id is used for no other
 *          while the module is loaded; takes the place of init.  Answer with
 *          memory_object_ready() and return the cookie of the object.  @size 0: a manager before
 *          this one was told of it, and what that had released is asked for here now.  A manager
 *          that cannot keep what data_initialize or data_return has brought must end before it
 *          returns from it: then the kernel still has it
 *
 * @cookie is what machvm_pager_object() was given.  Offsets and lengths are bytes.
 */
struct machvm_pager_ops {
	void (*init)(void *cookie, memory_object_control_t control, memory_object_name_t name,
		     vm_size_t page_size);
	void (*data_request)(void *cookie, memory_object_control_t control, vm_offset_t offset,
			     vm_size_t length, vm_prot_t desired);
	void (*data_return)(void *cookie, memory_object_control_t control, vm_offset_t offset,
			    const void *data, vm_size_t length, boolean_t dirty,
			    boolean_t kernel_copy);
	void (*data_unlock)(void *cookie, memory_object_control_t control, vm_offset_t offset,
			    vm_size_t length, vm_prot_t desired);
	void (*data_initialize)(void *cookie, memory_object_control_t control, vm_offset_t offset,
				const void *data, vm_size_t length);
	void (*copy)(void *cookie, memory_object_control_t old_control, vm_offset_t offset,
		     vm_size_t length, memory_object_t new_object);
	void (*lock_completed)(void *cookie, memory_object_control_t control, vm_offset_t offset,
			       vm_size_t length);
	void (*supply_completed)(void *cookie, memory_object_control_t control, vm_offset_t offset,
				 vm_size_t length, kern_return_t result,
				 vm_offset_t error_offset);
	void (*change_completed)(void *cookie, boolean_t may_cache,
				 memory_object_copy_strategy_t strategy);
	void (*terminate)(void *cookie, memory_object_control_t control);
	void *(*create)(memory_object_control_t control, uint64_t id, vm_size_t size,
			vm_size_t page_size);
};

/**
 * machvm_pager_create() - a pager without objects
 * @ops: the callbacks; copied
 * @pager: out: the pager
 *
 * Return: KERN_SUCCESS, KERN_FAILURE (the module is not loaded; see machvm_strerror()),
 * KERN_RESOURCE_SHORTAGE.
 */
kern_return_t machvm_pager_create(const struct machvm_pager_ops *ops, struct machvm_pager **pager);

/**
 * machvm_pager_object() - a new memory object, served by this pager
 * @pager: the pager
 * @cookie: handed to the callbacks of this object
 * @object: out: the right to map, for vm_map() or machvm_object_send(); a descriptor of the
 *          caller's, close-on-exec
 *
 * The control port, which the callbacks get, is the pager's, up to machvm_pager_destroy() or
 * mach_port_deallocate() of it; from then on the object has no pager for good.  May be called
 * while other threads serve.
 *
 * Return: KERN_SUCCESS, KERN_FAILURE (the device cannot be used), KERN_RESOURCE_SHORTAGE (no
 * memory, no free descriptor, or the user's limit on objects).
 */
kern_return_t machvm_pager_object(struct machvm_pager *pager, void *cookie,
				  memory_object_t *object);

/**
 * machvm_pager_adopt() - take over an object whose pager has gone
 * @pager: the pager
 * @control: a control port of the object, for example received over a socket; it becomes the
 *	pager's, also if this fails
 * @cookie: handed to every callback for this object
 *
 * Pages that are resident stay, with what was written to them. If the pager that has gone had
 * answered init, none follows: the next message may be one that it left unanswered.
 *
 * While somebody else serves the object still, a pager without objects of its own comes to share
 * the work; for one that has some it is too early.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (no control port, or one that is served already),
 * KERN_FAILURE (too early), KERN_RESOURCE_SHORTAGE.
 */
kern_return_t machvm_pager_adopt(struct machvm_pager *pager, memory_object_control_t control,
				 void *cookie);

/**
 * machvm_pager_cluster_size() - how much one data_request is best for
 * @control: the object
 * @size: bytes, a power of two, from a page to 1 MiB; at first it is a page
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (no control port, no such size), KERN_ABORTED
 * (another process took the object over).
 */
kern_return_t machvm_pager_cluster_size(memory_object_control_t control, vm_size_t size);

/**
 * machvm_pager_dirty_limit() - how much of an object may be written before some is returned
 * @control: the object
 * @size: bytes, whole pages; 0: no limit but that of the module, as at first
 *
 * At the limit the kernel returns all that is dirty, and whoever would write one page more waits
 * until the pager has released some.  Less than 16 pages counts as 16.
 *
 * Return: as machvm_pager_cluster_size().
 */
kern_return_t machvm_pager_dirty_limit(memory_object_control_t control, vm_size_t size);

/**
 * machvm_pager_change_attributes() - some attributes of an object, by flavor
 * @control: the object
 * @flavor: MEMORY_OBJECT_PERFORMANCE_INFO, _ATTRIBUTE_INFO or _BEHAVIOR_INFO
 * @attributes: the structure of that flavor, with new values for all its fields
 * @count: its size in integers, exactly
 * @reply: MACH_PORT_NULL, or @control to have change_completed called with what holds then
 *
 * OSF's memory_object_change_attributes(), whose name GNU Mach's call has.  It does not stand for
 * memory_object_ready(), which sets may_cache and the copy strategy anew.
 *
 * cluster_size and may_cache, may_cache_object: as of machvm_pager_cluster_size() and
 * memory_object_change_attributes().  copy_strategy: as there, but once memory_object_ready() was
 * called it cannot become another one.  temporary: TRUE for good: nothing is returned when the
 * object ends.  invalidate: what vm_msync() or vm_object_sync() has written back leaves memory, so
 * that the next access asks for it.  silent_overwrite: a page that vm_write() or vm_copy() overwrites
 * as a whole need not be asked for first; it may be nevertheless.  advisory_pageout: FALSE.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (no control port, no such flavor, another count, a
 * value that cannot be had or cannot be had any more; nothing has changed), KERN_ABORTED (another
 * process took the object over).
 */
kern_return_t machvm_pager_change_attributes(memory_object_control_t control,
					     memory_object_flavor_t flavor,
					     memory_object_info_t attributes,
					     mach_msg_type_number_t count, mach_port_t reply);

/**
 * machvm_pager_get_attributes() - the attributes that hold now, by flavor
 * @control: the object
 * @flavor: as above
 * @attributes: out: the structure of that flavor
 * @count: in: room in integers, out: integers filled in
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (no control port, no such flavor, no room).
 */
kern_return_t machvm_pager_get_attributes(memory_object_control_t control,
					  memory_object_flavor_t flavor,
					  memory_object_info_t attributes,
					  mach_msg_type_number_t *count);

/**
 * machvm_pager_retire() - memory_object_destroy() after what was written is returned
 * @control: the object
 * @reason: as of memory_object_destroy()
 *
 * Does not wait.  From now on nothing is asked for, and who writes waits until data_return has been
 * called for the last of the written and precious pages.
 *
 * Return: as memory_object_destroy(), and KERN_RESOURCE_SHORTAGE.
 */
kern_return_t machvm_pager_retire(memory_object_control_t control, kern_return_t reason);

/**
 * machvm_pager_run() - serve until machvm_pager_stop()
 * @pager: the pager
 *
 * Any number of threads may be in it: each takes the next message and runs its callback.
 *
 * Return: 0 after machvm_pager_stop(), also if that was called before; a negative errno if the
 * port can no longer be read.
 */
int machvm_pager_run(struct machvm_pager *pager);

/**
 * machvm_pager_fd() - a descriptor for an event loop of one's own
 * @pager: the pager
 *
 * Becomes readable when machvm_pager_dispatch() has something to do.  It is the pager's: wait for
 * it, and do nothing else with it.
 */
int machvm_pager_fd(struct machvm_pager *pager);

/**
 * machvm_pager_dispatch() - handle all messages that are there, without waiting for more
 * @pager: the pager
 *
 * Return: number of messages handled, which may be 0; -ECANCELED after machvm_pager_stop();
 * another negative errno if the port can no longer be read.
 */
int machvm_pager_dispatch(struct machvm_pager *pager);

/**
 * machvm_pager_stop() - end machvm_pager_run() in all threads, for good
 * @pager: the pager
 *
 * Callbacks that have begun are finished first.  Async-signal-safe.
 */
void machvm_pager_stop(struct machvm_pager *pager);

/**
 * machvm_pager_destroy() - stop, wait until nobody serves any more, free everything
 * @pager: the pager, or NULL
 *
 * Not from a callback.  Its objects have no pager any more: touching a page that is not resident
 * gives SIGBUS.  The object ports that machvm_pager_object() handed out stay the caller's.
 */
void machvm_pager_destroy(struct machvm_pager *pager);

#ifdef __cplusplus
}
#endif

#endif /* _MACHVM_PAGER_H_ */
