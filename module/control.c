// SPDX-License-Identifier: GPL-2.0-only
/*
 * control.c - the two descriptors of a memory object: the right to map, the right to answer.
 * Callers: user space; dev.c makes them.
 * Never: holds a lock while it touches user memory.
 * Locks: none of its own.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include "absence.h"
#include "arena.h"
#include "channel.h"
#include "copycall.h"
#include "ioctl.h"
#include "lock.h"
#include "manager.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "request.h"
#include "resident.h"
#include "stats.h"
#include "trace.h"
#include "user.h"
#include "vm.h"

static long bind_socket(struct file *file, void *arg)
{
	struct machvm_memobj *memobj = file->private_data;
	struct machvm_control_bind *call = arg;
	int err;

	call->out_id = memobj->id;
	err = machvm_channel_bind(memobj, call->socket, call->window, &call->out_epoch);
	if (!err)
		machvm_manager_bound(memobj);
	return err;
}

static long set_absence(struct file *file, void *arg)
{
	struct machvm_control_absence *call = arg;

	if (call->__reserved)
		return -EINVAL;
	if (call->fallback > MACHVM_FALLBACK_MANAGER)
		return MACHVM_KERN_INVALID_ARGUMENT;
	machvm_absence_set(file->private_data, call->fallback, call->answer_ms,
			   call->successor_ms);
	return MACHVM_KERN_SUCCESS;
}

/* An answer that names a binding must name one that is still there; 0 names none. */
static bool epoch_is_stale(struct machvm_memobj *memobj, u32 epoch)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	struct machvm_binding *binding;
	bool stale = epoch;

	list_for_each_entry(binding, &port->bindings, node)
		if (binding->epoch == epoch)
			stale = false;
	machvm_memobj_unlock_port(port);
	return stale;
}

/*
 * Who waits for pages of one supply is woken when all of them are in, or would come back at once
 * to ask for the next.  But nobody is left asleep while this thread may have to wait itself.
 */
struct wakes {
	unsigned int nr;
	struct machvm_request *asked[16];
};

static void wake_all(struct wakes *wakes)
{
	while (wakes->nr) {
		struct machvm_request *asked = wakes->asked[--wakes->nr];

		machvm_request_wake(asked);
		machvm_request_put(asked);
	}
}

static bool copy_page_in(void *to, const void __user *from, struct wakes *wakes)
{
	unsigned long left = PAGE_SIZE;

	if (wakes->nr) {
		pagefault_disable();
		left = copy_from_user(to, from, PAGE_SIZE);
		pagefault_enable();
		if (left)
			wake_all(wakes);
	}
	return !left || !copy_from_user(to, from, PAGE_SIZE);
}

/* One page from user memory.  -EFAULT leaves the question open. */
static long supply_page(struct machvm_memobj *memobj, const struct machvm_data_supply *call,
			u64 done, struct wakes *wakes)
{
	const void __user *from = u64_to_user_ptr(call->address + done);
	struct machvm_supply supply;
	struct machvm_request *asked;
	int kr = machvm_memobj_supply_begin(memobj, call->offset + done, &supply);

	if (kr)
		return kr;
	if (!copy_page_in(folio_address(supply.folio), from, wakes)) {
		machvm_memobj_supply_abort(&supply);
		return -EFAULT;
	}
	kr = machvm_memobj_supply_enter(&supply, call->lock_value, call->precious, &asked);
	if (asked)
		wakes->asked[wakes->nr++] = asked;
	if (wakes->nr == ARRAY_SIZE(wakes->asked))
		wake_all(wakes);
	return kr;
}

/* Every page is tried; the answer is that of the first that was refused. */
static long supply_pages(struct machvm_memobj *memobj, struct machvm_data_supply *call,
			 struct wakes *wakes)
{
	u8 __user *status = u64_to_user_ptr(call->status);
	long answer = MACHVM_KERN_SUCCESS;
	u64 done;

	for (done = 0; done < call->length; done += PAGE_SIZE) {
		long ret = supply_page(memobj, call, done, wakes);

		if (ret < 0)
			return ret;
		if (status) {
			wake_all(wakes);
			if (put_user(ret, status++))
				return -EFAULT;
		}
		if (ret && !answer) {
			answer = ret;
			call->out_error_offset = call->offset + done;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return answer;
}

static long data_supply(struct file *file, void *arg)
{
	struct machvm_memobj *memobj = file->private_data;
	struct machvm_data_supply *call = arg;
	struct wakes wakes = {};
	long ret;

	if (machvm_range_is_bad(call->offset, call->length) ||
	    call->lock_value & ~MACHVM_PROT_ALL || call->precious > 1)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (epoch_is_stale(memobj, call->epoch))
		return -ESTALE;
	trace_machvm_reply_received(memobj, &(struct machvm_spoken){
		.name = "data_supply",
		.epoch = call->epoch,
		.offset = call->offset,
		.length = call->length,
		.lock_value = call->lock_value,
		.precious = call->precious,
	});
	ret = supply_pages(memobj, call, &wakes);
	wake_all(&wakes);
	if (ret)
		trace_machvm_reply_refused(memobj, "data_supply", call->offset, call->length, ret);
	machvm_memobj_pump(memobj);
	return ret;
}

/* A returned range is fetched or let go of. */
static void trace_returned(struct machvm_memobj *memobj, const char *name,
			   const struct machvm_data_return *call)
{
	trace_machvm_reply_received(memobj, &(struct machvm_spoken){
		.name = name,
		.offset = call->offset,
		.length = call->length,
	});
}

/* Copies one page out.  It may be written meanwhile: then there is another that is as it was. */
static long return_page(struct machvm_memobj *memobj, u64 offset, u8 __user *to)
{
	struct folio *folio = machvm_memobj_returned(memobj, offset), *again;

	while (folio) {
		if (copy_to_user(to, folio_address(folio), PAGE_SIZE)) {
			folio_put(folio);
			return -EFAULT;
		}
		again = machvm_memobj_returned(memobj, offset);
		folio_put(folio);
		if (again == folio) {
			folio_put(again);
			return 0;
		}
		folio = again;
	}
	return MACHVM_KERN_INVALID_ADDRESS;
}

static long return_read(struct file *file, void *arg)
{
	struct machvm_data_return *call = arg;
	u8 __user *to = u64_to_user_ptr(call->address);
	u64 done;

	if (call->__reserved)
		return -EINVAL;
	if (machvm_range_is_bad(call->offset, call->length))
		return MACHVM_KERN_INVALID_ARGUMENT;
	trace_returned(file->private_data, "return_read", call);
	for (done = 0; done < call->length; done += PAGE_SIZE) {
		long ret = return_page(file->private_data, call->offset + done, to + done);

		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return MACHVM_KERN_SUCCESS;
}

static long return_release(struct file *file, void *arg)
{
	struct machvm_data_return *call = arg;

	if (call->__reserved || call->address)
		return -EINVAL;
	trace_returned(file->private_data, "return_release", call);
	return machvm_memobj_release(file->private_data, call->offset, call->length, NULL);
}

/*
 * The pages move into fresh memory of the caller.  It is mapped first, because that can fail, and
 * out of reach until they are in.  Once they are, the pager has them, so nothing may fail any more.
 */
static long return_map(struct file *file, void *arg)
{
	struct machvm_data_return *call = arg;
	struct machvm_object *object;
	struct machvm_map *map;
	u64 addr = 0;
	long ret;

	if (call->__reserved)
		return -EINVAL;
	if (machvm_range_is_bad(call->offset, call->length) || !call->length)
		return MACHVM_KERN_INVALID_ARGUMENT;
	trace_returned(file->private_data, "return_map", call);
	map = machvm_arena_current();
	if (IS_ERR(map))
		return PTR_ERR(map) == -ENOMEM ? MACHVM_KERN_RESOURCE_SHORTAGE : PTR_ERR(map);
	object = machvm_object_create(map->user, NULL);
	if (!object) {
		machvm_map_put(map);
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	}
	ret = machvm_vm_map_object(map, object, call->length, &addr);
	if (!ret)
		ret = machvm_memobj_release(file->private_data, call->offset, call->length, object);
	if (!ret) {
		ret = machvm_vm_reveal_object(map, object, addr, call->length);
	} else if (addr) {
		machvm_vm_deallocate(map, addr, call->length);
		addr = 0;
	}
	machvm_object_put(object);
	machvm_resident_settle(map);
	machvm_map_put(map);
	call->address = addr;
	return ret;
}

static long lock_request(struct file *file, void *arg)
{
	struct machvm_memobj *memobj = file->private_data;
	struct machvm_lock_request *call = arg;
	struct machvm_lock_order order = {
		.offset = call->offset,
		.length = call->length,
		.should_return = call->should_return,
		.flush = call->should_flush,
		.locks = call->lock_value,
		.reply = call->reply,
	};
	int kr;

	if (call->should_flush > 1 || call->reply > 1)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (epoch_is_stale(memobj, call->epoch))
		return -ESTALE;
	trace_machvm_reply_received(memobj, &(struct machvm_spoken){
		.name = "lock_request",
		.epoch = call->epoch,
		.offset = call->offset,
		.length = call->length,
		.should_return = call->should_return,
		.should_flush = call->should_flush,
		.lock_value = call->lock_value,
		.reply = call->reply,
	});
	kr = machvm_job_start(memobj, &order, NULL);
	if (kr)
		trace_machvm_reply_refused(memobj, "lock_request", call->offset, call->length, kr);
	else
		machvm_memobj_advance(memobj);
	return kr;
}

static long set_attributes(struct file *file, void *arg)
{
	struct machvm_memobj *memobj = file->private_data;
	struct machvm_attributes *call = arg;
	int kr;

	if (epoch_is_stale(memobj, call->epoch))
		return -ESTALE;
	trace_machvm_reply_received(memobj, &(struct machvm_spoken){
		.name = "change_attributes",
		.epoch = call->epoch,
		.may_cache = call->may_cache,
		.copy_strategy = call->copy_strategy,
		.cluster_size = call->cluster_size,
	});
	kr = machvm_memobj_set_attributes(memobj, call);
	if (kr) {
		trace_machvm_reply_refused(memobj, "change_attributes", 0, 0, kr);
		return kr;
	}
	machvm_memobj_advance(memobj);
	machvm_memobj_attributes(memobj, call);
	return MACHVM_KERN_SUCCESS;
}

static long get_attributes(struct file *file, void *arg)
{
	struct machvm_attributes *call = arg;

	if (call->epoch || call->set)
		return -EINVAL;
	machvm_memobj_attributes(file->private_data, call);
	return MACHVM_KERN_SUCCESS;
}

static long destroy(struct file *file, void *arg)
{
	struct machvm_memobj *memobj = file->private_data;
	struct machvm_object_destroy *call = arg;
	int kr;

	if (call->flush > 1)
		return MACHVM_KERN_INVALID_ARGUMENT;
	if (epoch_is_stale(memobj, call->epoch))
		return -ESTALE;
	trace_machvm_reply_received(memobj, &(struct machvm_spoken){
		.name = "destroy",
		.epoch = call->epoch,
		.error = call->reason,
		.should_flush = call->flush,
	});
	kr = machvm_memobj_destroy(memobj, call->reason, call->flush);
	if (kr)
		trace_machvm_reply_refused(memobj, "destroy", 0, 0, kr);
	else
		machvm_memobj_advance(memobj);
	return kr;
}

static const struct file_operations control_fops;

static struct file *open_right(struct machvm_memobj *memobj, const char *name,
			       const struct file_operations *fops)
{
	struct file *file = anon_inode_getfile(name, fops, memobj, O_RDWR);

	if (!IS_ERR(file))
		machvm_memobj_get(memobj);
	return file;
}

/* Takes a copy that waits for it; who comes second gets nothing. */
static long take_copy(struct file *file, void *arg)
{
	struct machvm_memobj *memobj = file->private_data, *copy;
	struct machvm_control_copy *call = arg;
	struct file *control;
	bool taken;
	int fd;

	copy = machvm_copy_find(memobj, call->id);
	if (!copy)
		return MACHVM_KERN_INVALID_ARGUMENT;
	fd = get_unused_fd_flags(O_CLOEXEC);
	control = fd < 0 ? ERR_PTR(fd) : open_right(copy, "[machvm-control]", &control_fops);
	if (IS_ERR(control)) {
		if (fd >= 0)
			put_unused_fd(fd);
		machvm_memobj_put(copy);
		return PTR_ERR(control);
	}
	taken = machvm_copy_take(memobj, copy);
	if (taken) {
		call->out_control = fd;
		fd_install(fd, control);
	} else {
		control->private_data = NULL;	/* or its end would be that of the copy */
		machvm_memobj_put(copy);
		fput(control);
		put_unused_fd(fd);
	}
	machvm_memobj_put(copy);
	return taken ? MACHVM_KERN_SUCCESS : MACHVM_KERN_INVALID_ARGUMENT;
}

static long open_control(struct file *file, void *arg);

static const struct machvm_ioctl control_ioctls[] = {
	MACHVM_IOCTL_ROW(MACHVM_VERSION, machvm_version, out_page_shift, machvm_ioctl_version),
	MACHVM_IOCTL_ROW(MACHVM_CONTROL_BIND, machvm_control_bind, out_id, bind_socket),
	MACHVM_IOCTL_ROW(MACHVM_DATA_SUPPLY, machvm_data_supply, out_error_offset, data_supply),
	MACHVM_IOCTL_ROW(MACHVM_RETURN_READ, machvm_data_return, address, return_read),
	MACHVM_IOCTL_ROW(MACHVM_RETURN_MAP, machvm_data_return, address, return_map),
	MACHVM_IOCTL_ROW(MACHVM_RETURN_RELEASE, machvm_data_return, address, return_release),
	MACHVM_IOCTL_ROW(MACHVM_LOCK_REQUEST, machvm_lock_request, reply, lock_request),
	MACHVM_IOCTL_ROW(MACHVM_SET_ATTRIBUTES, machvm_attributes, dirty_limit, set_attributes),
	MACHVM_IOCTL_ROW(MACHVM_GET_ATTRIBUTES, machvm_attributes, dirty_limit, get_attributes),
	MACHVM_IOCTL_ROW(MACHVM_OBJECT_DESTROY, machvm_object_destroy, flush, destroy),
	MACHVM_IOCTL_ROW(MACHVM_CONTROL_ABSENCE, machvm_control_absence, __reserved, set_absence),
	MACHVM_IOCTL_ROW(MACHVM_CONTROL_COPY, machvm_control_copy, id, take_copy),
	MACHVM_IOCTL_ROW(MACHVM_CONTROL_OPEN, machvm_control_open, __reserved, open_control),
};

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return machvm_ioctl_dispatch(file, control_ioctls, ARRAY_SIZE(control_ioctls), cmd,
				     (void __user *)arg);
}

/* Without any control: by a default manager that is, or that is to come. */
static bool may_be_served(struct machvm_memobj *memobj)
{
	return memobj->bank || (machvm_manager_is_set() &&
				READ_ONCE(memobj->fallback) == MACHVM_FALLBACK_MANAGER);
}

/*
 * Nobody can answer any more, and nobody can ever come who could, but for an object of the kernel's
 * own, or one that is to go to the default manager.
 */
static int control_release(struct inode *inode, struct file *file)
{
	struct machvm_memobj *memobj = file->private_data;

	if (!memobj)
		return 0;
	if (!may_be_served(memobj))
		machvm_memobj_die(memobj);
	else if (!memobj->bank)
		machvm_absence_run(memobj);
	machvm_memobj_put(memobj);
	return 0;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = control_ioctl,
	.release = control_release,
	.llseek = noop_llseek,
};

static const struct machvm_ioctl object_ioctls[] = {
	MACHVM_IOCTL_ROW(MACHVM_VERSION, machvm_version, out_page_shift, machvm_ioctl_version),
};

static long object_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return machvm_ioctl_dispatch(file, object_ioctls, ARRAY_SIZE(object_ioctls), cmd,
				     (void __user *)arg);
}

static int object_release(struct inode *inode, struct file *file)
{
	machvm_memobj_put(file->private_data);
	return 0;
}

static const struct file_operations object_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = object_ioctl,
	.release = object_release,
	.llseek = noop_llseek,
};

/* The memory object that a descriptor gives the right to map, with a reference, or NULL. */
struct machvm_memobj *machvm_memobj_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct machvm_memobj *memobj = NULL;

	if (file && file->f_op == &object_fops)
		memobj = machvm_memobj_get(file->private_data);
	if (file)
		fput(file);
	return memobj;
}

/* A descriptor of one right, close-on-exec, or an errno. */
static int open_fd(struct machvm_memobj *memobj, const char *name,
		   const struct file_operations *fops)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = open_right(memobj, name, fops);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/* One more descriptor for the right to map, or an errno. */
int machvm_memobj_open_object(struct machvm_memobj *memobj)
{
	return open_fd(memobj, "[machvm-object]", &object_fops);
}

/* True if both are served through one port; *epoch: of the binding that it has, the newest. */
static bool same_port(struct machvm_memobj *memobj, struct machvm_memobj *manager, u32 *epoch)
{
	struct machvm_port *port = machvm_memobj_lock_port(memobj);
	bool same = port == READ_ONCE(manager->port);

	*epoch = port->last_epoch;
	machvm_memobj_unlock_port(port);
	return same;
}

static long open_control(struct file *file, void *arg)
{
	struct machvm_control_open *call = arg;
	struct machvm_memobj *memobj;
	long ret = MACHVM_KERN_INVALID_ARGUMENT;

	if (call->__reserved)
		return -EINVAL;
	memobj = machvm_memobj_find(call->id);
	if (!memobj)
		return ret;
	if ((memobj->bank || READ_ONCE(memobj->fallback) == MACHVM_FALLBACK_MANAGER) &&
	    same_port(memobj, file->private_data, &call->out_epoch)) {
		call->out_control = open_fd(memobj, "[machvm-control]", &control_fops);
		ret = call->out_control < 0 ? call->out_control : MACHVM_KERN_SUCCESS;
	}
	machvm_memobj_put(memobj);
	return ret;
}

/**
 * machvm_memobj_open - hand out the descriptors of a new memory object
 * @memobj: the object
 * @out: where they are written
 *
 * Return: 0, or an errno; then no descriptor is left.
 */
int machvm_memobj_open(struct machvm_memobj *memobj, struct machvm_object_create *out)
{
	struct file *object, *control;
	int object_fd, control_fd, err;

	control = open_right(memobj, "[machvm-control]", &control_fops);
	if (IS_ERR(control))
		return PTR_ERR(control);
	object = open_right(memobj, "[machvm-object]", &object_fops);
	err = PTR_ERR_OR_ZERO(object);
	if (err)
		goto err_control;
	object_fd = get_unused_fd_flags(O_CLOEXEC);
	err = object_fd;
	if (err < 0)
		goto err_object;
	control_fd = get_unused_fd_flags(O_CLOEXEC);
	err = control_fd;
	if (err < 0)
		goto err_object_fd;
	fd_install(object_fd, object);
	fd_install(control_fd, control);
	out->out_object = object_fd;
	out->out_control = control_fd;
	out->out_id = memobj->id;
	return 0;

err_object_fd:
	put_unused_fd(object_fd);
err_object:
	fput(object);
err_control:
	fput(control);
	return err;
}
