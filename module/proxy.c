// SPDX-License-Identifier: GPL-2.0-only
/*
 * proxy.c - proxies: rights to parts of memory objects, of other proxies and of tasks' memory.
 * Callers: grant.c makes them; dev.c maps them.
 * Never: changes what it was made from; waits for a pager.
 * Locks: takes map->lock of one map at a time, then the objects'.
 *
 * A proxy knows only what it was made from.  What a byte of it is, and which access is left, is
 * worked out when it is mapped, level by level, so that nothing can be gained by nesting, and so
 * that a proxy that is revoked takes those on it along.  Mappings stay.
 */
#include "proxy.h"
#include "map.h"
#include "memobj.h"
#include "object.h"
#include "user.h"
#include "vm.h"

/* Pieces that one mapping may consist of. */
#define PIECES_MAX 4096

/* Some of what is to be mapped, from one place. */
struct piece {
	const struct machvm_proxy_part *part;
	u64 start;			/* byte of that */
	u64 length;
	u8 protection;			/* what all levels allow */
};

/* A proxy without parts: the caller fills in and counts, then shows it to machvm_proxy_check(). */
struct machvm_proxy *machvm_proxy_alloc(struct machvm_user *user, u8 max_protection,
					unsigned int nr)
{
	struct machvm_proxy *proxy;

	if (!machvm_user_charge_object(user))
		return ERR_PTR(-EDQUOT);
	proxy = kvzalloc(struct_size(proxy, parts, nr), GFP_KERNEL_ACCOUNT);
	if (!proxy) {
		machvm_user_uncharge_object(user);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&proxy->refs, 1);
	INIT_LIST_HEAD(&proxy->ending);
	proxy->max_protection = max_protection;
	proxy->user = machvm_user_get(user);
	return proxy;
}

struct machvm_proxy *machvm_proxy_get(struct machvm_proxy *proxy)
{
	refcount_inc(&proxy->refs);
	return proxy;
}

/* Drops what a part refers to; a proxy that ends with it goes on the list. */
static void part_end(struct machvm_proxy_part *part, struct list_head *ending)
{
	if (part->memobj)
		machvm_memobj_put(part->memobj);
	if (part->proxy && refcount_dec_and_test(&part->proxy->refs))
		list_add_tail(&part->proxy->ending, ending);
	if (part->memory) {
		machvm_vm_clear(part->memory);
		machvm_map_put(part->memory);
	}
}

/* Context: no lock held. */
void machvm_proxy_put(struct machvm_proxy *proxy)
{
	LIST_HEAD(ending);
	unsigned int i;

	if (!refcount_dec_and_test(&proxy->refs))
		return;
	list_add(&proxy->ending, &ending);
	while (!list_empty(&ending)) {
		proxy = list_first_entry(&ending, struct machvm_proxy, ending);
		list_del(&proxy->ending);
		for (i = 0; i < proxy->nr; i++)
			part_end(&proxy->parts[i], &ending);
		machvm_user_uncharge_object(proxy->user);
		machvm_user_put(proxy->user);
		kvfree(proxy);
		cond_resched();
	}
}

static bool parts_overlap(const struct machvm_proxy_part *a, const struct machvm_proxy_part *b)
{
	return a->offset < b->offset + b->length && b->offset < a->offset + a->length;
}

/*
 * Sees to it that the parts are whole pages without overlaps, and not too deep.  Bytes beyond the
 * last whole page are not shown.
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT, KERN_RESOURCE_SHORTAGE.
 */
int machvm_proxy_check(struct machvm_proxy *proxy)
{
	unsigned int i, j;
	u64 end;

	proxy->depth = 1;
	for (i = 0; i < proxy->nr; i++) {
		struct machvm_proxy_part *part = &proxy->parts[i];

		if (!PAGE_ALIGNED(part->offset) || !PAGE_ALIGNED(part->start) ||
		    check_add_overflow(part->offset, part->length, &end) ||
		    check_add_overflow(part->start, part->length, &end))
			return MACHVM_KERN_INVALID_ARGUMENT;
		part->length &= PAGE_MASK;
		for (j = 0; j < i; j++)
			if (parts_overlap(part, &proxy->parts[j]))
				return MACHVM_KERN_INVALID_ARGUMENT;
		if (part->proxy)
			proxy->depth = max(proxy->depth, part->proxy->depth + 1);
	}
	return proxy->depth > MACHVM_PROXY_DEPTH ? MACHVM_KERN_RESOURCE_SHORTAGE :
						   MACHVM_KERN_SUCCESS;
}

/**
 * machvm_proxy_take_region - make a proxy without parts one for memory of a task
 * @proxy: its maximum protection is cut down to the region's
 * @map: of the task
 * @addr: page aligned
 * @length: bytes, all of which have to be there; whole pages are shown
 *
 * Return: as machvm_vm_take(); KERN_INVALID_ARGUMENT, KERN_RESOURCE_SHORTAGE.
 */
int machvm_proxy_take_region(struct machvm_proxy *proxy, struct machvm_map *map, u64 addr,
			     u64 length)
{
	struct machvm_proxy_part *part = &proxy->parts[0];
	u8 max_protection;
	u64 touched;
	int kr;

	part->length = length & PAGE_MASK;
	if (!part->length || !PAGE_ALIGNED(addr))
		return MACHVM_KERN_INVALID_ARGUMENT;
	touched = max(PAGE_ALIGN(length), part->length);	/* no region is as long as 2^64 */
	part->memory = machvm_map_create(0, touched, map->user);
	if (!part->memory)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	proxy->nr = 1;
	proxy->depth = 1;
	kr = machvm_vm_take(map, addr, touched, part->memory, &max_protection);
	if (!kr)
		proxy->max_protection &= max_protection;
	return kr;
}

/* No further mapping can be made of it, or of proxies on it. */
void machvm_proxy_revoke(struct machvm_proxy *proxy)
{
	WRITE_ONCE(proxy->revoked, true);
}

static const struct machvm_proxy_part *part_at(const struct machvm_proxy *proxy, u64 offset)
{
	unsigned int i;

	for (i = 0; i < proxy->nr; i++) {
		const struct machvm_proxy_part *part = &proxy->parts[i];

		if (offset >= part->offset && offset - part->offset < part->length)
			return part;
	}
	return NULL;
}

/* What is at @offset: through all levels, as far as it goes on, with what each of them allows. */
static int piece_at(const struct machvm_proxy *proxy, u64 offset, struct piece *piece)
{
	const struct machvm_proxy_part *part;

	piece->protection = MACHVM_PROT_ALL;
	piece->length = U64_MAX;
	for (;;) {
		part = part_at(proxy, offset);
		if (!part || READ_ONCE(proxy->revoked))
			return MACHVM_KERN_INVALID_ARGUMENT;
		piece->protection &= proxy->max_protection;
		offset -= part->offset;
		piece->length = min(piece->length, part->length - offset);
		offset += part->start;
		if (!part->proxy)
			break;
		proxy = part->proxy;
	}
	piece->part = part;
	piece->start = offset;
	return MACHVM_KERN_SUCCESS;
}

/* The object of a piece, with a reference, or an ERR_PTR; the piece begins at byte *@offset. */
static struct machvm_object *piece_object(const struct piece *piece, u64 *offset)
{
	struct machvm_map *memory = piece->part->memory;
	struct machvm_object *object;
	struct machvm_entry *entry;

	*offset = piece->start;
	if (!memory)
		return machvm_memobj_map(piece->part->memobj);
	down_read(&memory->lock);
	entry = machvm_map_lookup_locked(memory, piece->start);
	*offset = machvm_entry_offset(entry, piece->start);
	object = machvm_object_get(entry->object);
	up_read(&memory->lock);
	return object;
}

/* Puts a piece at byte @at of a map in transit. */
static int piece_enter(struct machvm_map *transit, u64 at, const struct piece *piece,
		       const struct machvm_vm_map *arg)
{
	struct machvm_entry *entry = machvm_entry_alloc(transit);
	struct machvm_object *object;
	u64 offset;
	int kr;

	if (!entry)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	machvm_entry_place(entry, transit, at, at + piece->length);
	entry->max_protection = arg->max_protection;
	if (!arg->copy)
		entry->max_protection &= piece->protection;
	object = piece_object(piece, &offset);
	if (!IS_ERR(object))
		kr = machvm_entry_map_object(entry, object, offset, arg->copy);
	else
		kr = PTR_ERR(object) == -EINTR ? -EINTR : MACHVM_KERN_RESOURCE_SHORTAGE;
	if (kr) {
		machvm_entry_free(entry);
		return kr;
	}
	down_write(&transit->lock);
	machvm_map_insert_locked(transit, entry);
	up_write(&transit->lock);
	return MACHVM_KERN_SUCCESS;
}

/* May the range be mapped: first whether it is all there, then whether it may be read. */
static int pieces_check(const struct machvm_vm_map *arg, const struct machvm_proxy *proxy,
			u64 length)
{
	bool unreadable = false;
	unsigned int nr = 0;
	struct piece piece;
	u64 at;

	for (at = 0; at < length; at += piece.length) {
		int kr = piece_at(proxy, arg->offset + at, &piece);

		if (kr)
			return kr;
		if (nr++ == PIECES_MAX)
			return MACHVM_KERN_RESOURCE_SHORTAGE;
		if (!(piece.protection & MACHVM_PROT_READ))
			unreadable = true;
		piece.length = min(piece.length, length - at);
	}
	return arg->copy && unreadable ? MACHVM_KERN_PROTECTION_FAILURE : MACHVM_KERN_SUCCESS;
}

/* All pieces of the mapping, in order. */
static int pieces_enter(struct machvm_map *transit, const struct machvm_vm_map *arg,
			const struct machvm_proxy *proxy)
{
	int kr = pieces_check(arg, proxy, transit->max);
	struct piece piece;
	u64 at;

	for (at = 0; at < transit->max && !kr; at += piece.length) {
		kr = piece_at(proxy, arg->offset + at, &piece);
		if (kr)
			return kr;
		piece.length = min(piece.length, transit->max - at);
		kr = piece_enter(transit, at, &piece, arg);
	}
	return kr;
}

/* The pieces are in place and out of reach: each gets its protection. */
static int pieces_protect(struct machvm_map *map, u64 addr, u64 length,
			  const struct machvm_vm_map *arg)
{
	struct machvm_region region;
	int kr = MACHVM_KERN_SUCCESS;
	u64 at, end;

	for (at = addr; at < addr + length && !kr; at = end) {
		kr = machvm_vm_region(map, at, &region);
		if (kr)
			break;
		end = min(region.end, addr + length);
		kr = machvm_vm_protect(map, at, end - at, false,
				       arg->protection & region.max_protection);
	}
	return kr;
}

/* Fresh memory out of reach keeps the place, until what is in transit is exchanged for it. */
static int transit_place(struct machvm_map *map, struct machvm_map *transit,
			 const struct machvm_vm_map *arg, u64 *addr)
{
	struct machvm_vm_map keeper = *arg;
	int kr;

	keeper.protection = MACHVM_PROT_NONE;
	kr = machvm_vm_map(map, &keeper, NULL, addr);
	if (kr)
		return kr;
	kr = machvm_vm_install(map, *addr, transit) ?:
	     pieces_protect(map, *addr, transit->max, arg);
	if (kr)
		machvm_vm_deallocate(map, *addr, transit->max);
	return kr;
}

/* One memory object, and all of it allowed alike: a mapping like any other. */
static int map_piece(struct machvm_map *map, const struct machvm_vm_map *arg,
		     const struct piece *piece, u64 *addr)
{
	struct machvm_vm_map call = *arg;

	call.offset = piece->start;
	if (!arg->copy)
		call.max_protection &= piece->protection;
	else if (!(piece->protection & MACHVM_PROT_READ))
		return MACHVM_KERN_PROTECTION_FAILURE;
	return machvm_vm_map(map, &call, piece->part->memobj, addr);
}

/**
 * machvm_vm_map_proxy - as machvm_vm_map(), with a proxy for a memory object
 * @map: the task's
 * @arg: as the caller gave it
 * @proxy: stands for the object
 * @addr: out: where
 *
 * Shared, the mapping gets no protection beyond what the proxy allows; a copy is the mapper's own,
 * but takes the right to read.
 * Return: also KERN_PROTECTION_FAILURE; KERN_INVALID_ARGUMENT if the range has a hole, or the
 * proxy was revoked.
 */
int machvm_vm_map_proxy(struct machvm_map *map, const struct machvm_vm_map *arg,
			struct machvm_proxy *proxy, u64 *addr)
{
	u64 length = PAGE_ALIGN(arg->length);
	struct machvm_map *transit;
	struct piece piece;
	int kr;

	kr = machvm_vm_map_check(arg, length, true) ?: piece_at(proxy, arg->offset, &piece);
	if (kr)
		return kr;
	if (piece.part->memobj && piece.length >= length)
		return map_piece(map, arg, &piece, addr);
	transit = machvm_map_create(0, length, map->user);
	if (!transit)
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	kr = pieces_enter(transit, arg, proxy) ?: transit_place(map, transit, arg, addr);
	machvm_vm_clear(transit);
	machvm_map_put(transit);
	return kr;
}
