// SPDX-License-Identifier: GPL-2.0-only
/*
 * grant.c - the descriptors of a proxy: the right to map it, and the right to revoke that.
 * Callers: dev.c's table; user space.
 * Never: gives more than the caller holds.
 * Locks: none.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "ioctl.h"
#include "map.h"
#include "memobj.h"
#include "proxy.h"
#include "task.h"
#include "user.h"

static const struct machvm_ioctl proxy_ioctls[] = {
	MACHVM_IOCTL_ROW(MACHVM_VERSION, machvm_version, out_page_shift, machvm_ioctl_version),
};

static long proxy_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return machvm_ioctl_dispatch(file, proxy_ioctls, ARRAY_SIZE(proxy_ioctls), cmd,
				     (void __user *)arg);
}

static int proxy_release(struct inode *inode, struct file *file)
{
	machvm_proxy_put(file->private_data);
	return 0;
}

static const struct file_operations proxy_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = proxy_ioctl,
	.release = proxy_release,
	.llseek = noop_llseek,
};

/* Whoever could revoke has gone: what they granted goes with them. */
static int owner_release(struct inode *inode, struct file *file)
{
	machvm_proxy_revoke(file->private_data);
	return proxy_release(inode, file);
}

static const struct file_operations owner_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = proxy_ioctl,
	.release = owner_release,
	.llseek = noop_llseek,
};

/* The proxy that a descriptor gives the right to map, with a reference, or NULL. */
struct machvm_proxy *machvm_proxy_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct machvm_proxy *proxy = NULL;

	if (file && file->f_op == &proxy_fops)
		proxy = machvm_proxy_get(file->private_data);
	if (file)
		fput(file);
	return proxy;
}

/* A descriptor that is not installed yet; *@file holds a reference on the proxy. */
static int open_right(struct machvm_proxy *proxy, const char *name,
		      const struct file_operations *fops, struct file **file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	*file = anon_inode_getfile(name, fops, proxy, O_RDWR);
	if (IS_ERR(*file)) {
		put_unused_fd(fd);
		return PTR_ERR(*file);
	}
	machvm_proxy_get(proxy);
	return fd;
}

/* Hands out the descriptors of a new proxy.  Returns 0 or an errno; then none is left. */
static int open_rights(struct machvm_proxy *proxy, bool revocable, s32 *out_proxy, s32 *out_owner)
{
	struct file *file, *owner = NULL;
	int proxy_fd, owner_fd = -1;

	proxy_fd = open_right(proxy, "[machvm-proxy]", &proxy_fops, &file);
	if (proxy_fd < 0)
		return proxy_fd;
	if (revocable) {
		owner_fd = open_right(proxy, "[machvm-proxy-owner]", &owner_fops, &owner);
		if (owner_fd < 0) {
			put_unused_fd(proxy_fd);
			fput(file);
			return owner_fd;
		}
		fd_install(owner_fd, owner);
	}
	fd_install(proxy_fd, file);
	*out_proxy = proxy_fd;
	*out_owner = owner_fd;
	return 0;
}

static struct machvm_proxy *create(u32 max_protection, unsigned int nr)
{
	struct machvm_user *user = machvm_user_current();
	struct machvm_proxy *proxy;

	if (!user)
		return ERR_PTR(-ENOMEM);
	proxy = machvm_proxy_alloc(user, max_protection, nr);
	machvm_user_put(user);
	return proxy;
}

static int take_part(struct machvm_proxy *proxy, const struct machvm_proxy_range *range)
{
	struct machvm_proxy_part *part = &proxy->parts[proxy->nr];

	if (range->__reserved)
		return -EINVAL;
	part->offset = range->offset;
	part->start = range->start;
	part->length = range->length;
	part->memobj = machvm_memobj_from_fd(range->object);
	if (!part->memobj)
		part->proxy = machvm_proxy_from_fd(range->object);
	if (!part->memobj && !part->proxy)
		return MACHVM_KERN_INVALID_NAME;
	proxy->nr++;
	return MACHVM_KERN_SUCCESS;
}

static int take_parts(struct machvm_proxy *proxy, const struct machvm_proxy_create *call)
{
	struct machvm_proxy_range *ranges;
	int kr = MACHVM_KERN_SUCCESS;
	u32 i;

	ranges = vmemdup_user(u64_to_user_ptr(call->ranges), call->count * sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	for (i = 0; i < call->count && !kr; i++)
		kr = take_part(proxy, &ranges[i]);
	kvfree(ranges);
	return kr ?: machvm_proxy_check(proxy);
}

long machvm_ioctl_proxy_create(struct file *file, void *arg)
{
	struct machvm_proxy_create *call = arg;
	struct machvm_proxy *proxy;
	long ret;

	if (call->flags & ~MACHVM_PROXY_REVOCABLE)
		return -EINVAL;
	if (call->max_protection & ~MACHVM_PROT_ALL || !call->count ||
	    call->count > MACHVM_PROXY_RANGES)
		return MACHVM_KERN_INVALID_ARGUMENT;
	proxy = create(call->max_protection, call->count);
	if (IS_ERR(proxy))
		return PTR_ERR(proxy);
	ret = take_parts(proxy, call) ?:
	      open_rights(proxy, call->flags & MACHVM_PROXY_REVOCABLE, &call->out_proxy,
			  &call->out_owner);
	machvm_proxy_put(proxy);
	return ret;
}

long machvm_ioctl_region_proxy(struct file *file, void *arg)
{
	struct machvm_region_proxy *call = arg;
	struct machvm_proxy *proxy;
	struct machvm_map *map;
	long ret;

	if (call->flags & ~MACHVM_PROXY_REVOCABLE)
		return -EINVAL;
	map = machvm_task_map(call->task, &ret);
	if (!map)
		return ret;
	if (call->max_protection & ~MACHVM_PROT_ALL) {
		machvm_map_put(map);
		return MACHVM_KERN_INVALID_ARGUMENT;
	}
	proxy = create(call->max_protection, 1);
	if (IS_ERR(proxy)) {
		machvm_map_put(map);
		return PTR_ERR(proxy);
	}
	ret = machvm_proxy_take_region(proxy, map, call->address, call->length) ?:
	      open_rights(proxy, call->flags & MACHVM_PROXY_REVOCABLE, &call->out_proxy,
			  &call->out_owner);
	machvm_proxy_put(proxy);
	machvm_map_put(map);
	return ret;
}
