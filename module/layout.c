// SPDX-License-Identifier: GPL-2.0-only
/*
 * layout.c - makes and changes the windows of a map: what Linux maps where, and whether it can be
 * executed.
 * Callers: vm.c by way of pmap.h, when it needs room or has left a window without use; arena.c for
 * the first window; vma.c tells what Linux did.
 * Never: touches entries; works on another process, as vm_mmap() only knows the caller's.
 * Locks: pmap->layout across vm_mmap(), outside mmap_lock; map->lock for a moment.
 *
 * Linux cuts no mapping of ours for anybody but the task that is just mapping here.  It merges
 * none either, so a map that has used up its windows has neighbours of a kind mapped anew as one.
 */
#include "layout.h"
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include "arena.h"
#include "map.h"
#include "pmap.h"
#include "window.h"

#define ARENA_SIZE BIT_ULL(40)
#define ARENA_SIZE_MIN BIT_ULL(28)
#define ARENA_FIRST (16ULL << 40)	/* below it programs ask for fixed addresses */
#define ARENA_PLACES 48			/* of ARENA_SIZE each: well below stacks and libraries */
#define ARENA_END (ARENA_FIRST + ARENA_PLACES * ARENA_SIZE)

/* Each costs Linux a VMA, of which it allows a process 65,530. */
static uint max_windows = 4096;
module_param(max_windows, uint, 0644);
MODULE_PARM_DESC(max_windows, "separate ranges of addresses that machvm may map for one process");

/* Who asks for one page after another gets windows that double, up to this. */
#define WINDOW_GROWTH_MAX BIT_ULL(26)

/* True if it is the caller's, which alone can have its windows changed. */
bool machvm_pmap_own(const struct machvm_map *map)
{
	return map->pmap->mm == current->mm;
}

/* The layout is the caller's to change until layout_end().  Returns 0 or an errno. */
static int layout_begin(struct machvm_map *map)
{
	struct machvm_pmap *pmap = map->pmap;

	if (!machvm_pmap_own(map))
		return -EXDEV;
	if (mutex_lock_killable(&pmap->layout))
		return -EINTR;
	if (atomic_inc_not_zero(&pmap->vmas))
		return 0;
	mutex_unlock(&pmap->layout);
	return -ESRCH;
}

static void layout_end(struct machvm_map *map)
{
	mutex_unlock(&map->pmap->layout);
	machvm_arena_leave_unlocked(map);
}

/* From here on Linux may cut mappings of ours for the caller.  Returns 0 or -ENOMEM. */
static int cut_begin(struct machvm_map *map)
{
	struct machvm_pmap *pmap = map->pmap;

	pmap->spares[0] = machvm_window_alloc(map, 0, 0);
	pmap->spares[1] = machvm_window_alloc(map, 0, 0);
	pmap->torn = false;
	if (!pmap->spares[0] || !pmap->spares[1])
		return -ENOMEM;
	WRITE_ONCE(pmap->layer, current);
	return 0;
}

static void cut_end(struct machvm_map *map)
{
	struct machvm_pmap *pmap = map->pmap;
	int i;

	WRITE_ONCE(pmap->layer, NULL);
	machvm_window_free(pmap->making);
	pmap->making = NULL;
	for (i = 0; i < ARRAY_SIZE(pmap->spares); i++) {
		machvm_window_free(pmap->spares[i]);
		pmap->spares[i] = NULL;
	}
}

static struct machvm_window **spare_of(struct machvm_pmap *pmap)
{
	return pmap->spares[0] ? &pmap->spares[0] : &pmap->spares[1];
}

/* Called by Linux, by way of vma.c, when it cuts a mapping in two, of which this is one. */
void machvm_layout_split(struct machvm_map *map, u64 start, u64 end)
{
	down_write(&map->lock);
	machvm_window_split_locked(map, start, spare_of(map->pmap));
	machvm_window_split_locked(map, end, spare_of(map->pmap));
	up_write(&map->lock);
}

/* Called by Linux, by way of vma.c: what pmap->making says is mapped, perhaps over others. */
void machvm_layout_mapped(struct machvm_map *map)
{
	struct machvm_window *window = map->pmap->making;

	map->pmap->making = NULL;
	down_write(&map->lock);
	machvm_window_remove_locked(map, window->start, window->end);
	machvm_window_insert_locked(map, window);
	up_write(&map->lock);
}

static void remove_window(struct machvm_map *map, u64 start, u64 end)
{
	down_write(&map->lock);
	machvm_window_remove_locked(map, start, end);
	up_write(&map->lock);
}

/* Maps a window; MAP_FIXED in @flags: over others.  Returns 0 or what mmap answers. */
static int map_window(struct machvm_map *map, const struct machvm_window *like, int flags)
{
	int prot = PROT_READ | PROT_WRITE | (like->execute ? PROT_EXEC : 0);
	struct machvm_pmap *pmap = map->pmap;
	unsigned long addr;
	struct file *file = machvm_arena_file(map);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	pmap->making = machvm_window_alloc(map, like->start, like->end);
	err = pmap->making ? cut_begin(map) : -ENOMEM;
	if (!err) {
		pmap->making->roomy = like->roomy;
		pmap->making->execute = like->execute;
		file->private_data = map;
		addr = vm_mmap(file, like->start, like->end - like->start, prot,
			       MAP_SHARED | MAP_NORESERVE | flags, like->start);
		file->private_data = NULL;
		err = IS_ERR_VALUE(addr) ? (int)addr : 0;
		if (err && pmap->torn)
			remove_window(map, like->start, like->end);
	}
	cut_end(map);
	return err;
}

/* The first byte after the windows from @window on that lie side by side and are of one kind. */
static u64 end_of_kind(struct machvm_window *window)
{
	struct machvm_window *next = machvm_window_after(window);

	while (next && next->start == window->end && next->roomy == window->roomy &&
	       next->execute == window->execute && !next->leaving) {
		window = next;
		next = machvm_window_after(window);
	}
	return window->end;
}

/* Makes one window of each run of a kind. */
static void join_windows(struct machvm_map *map)
{
	struct machvm_window *window, like = {};
	u64 end;

	do {
		down_read(&map->lock);
		window = machvm_window_next_locked(map, like.end);
		for (; window; window = machvm_window_after(window)) {
			end = end_of_kind(window);
			if (end == window->end)
				continue;
			like = *window;
			like.end = end;
			break;
		}
		up_read(&map->lock);
	} while (window && !map_window(map, &like, MAP_FIXED));
}

/* Bounds what one process can make of it: may there be @more? */
static bool has_number(struct machvm_map *map, unsigned int more)
{
	return READ_ONCE(map->nr_windows) + more <= READ_ONCE(max_windows);
}

static int check_number(struct machvm_map *map)
{
	if (!has_number(map, 1))
		join_windows(map);
	return has_number(map, 1) ? 0 : -ENOBUFS;
}

/*
 * As much of [start, end) as lies in windows of one kind; @more: how many windows there will be in
 * addition if that is mapped anew.
 */
static struct machvm_window one_kind(struct machvm_map *map, u64 start, u64 end,
				     unsigned int *more)
{
	struct machvm_window like = {}, *window;

	down_read(&map->lock);
	window = machvm_window_next_locked(map, start);
	if (window && window->start <= start) {
		like = *window;
		like.start = start;
		like.end = min(end, end_of_kind(window));
		*more = (window->start < start) +
			(machvm_window_next_locked(map, like.end - 1)->end > like.end);
	}
	up_read(&map->lock);
	return like;
}

/*
 * Lets windows be executed, or no longer.  If Linux has unmapped them and then failed, they are
 * mapped as they were; what if that fails, too, is out of reach, but vm_read.
 */
static int remap(struct machvm_map *map, u64 start, u64 end, bool execute)
{
	struct machvm_window like;
	unsigned int more = 0;
	int err;

	like = one_kind(map, start, end, &more);
	if (!has_number(map, more)) {
		join_windows(map);
		like = one_kind(map, start, end, &more);
	}
	if (!has_number(map, more))
		return -ENOBUFS;
	if (!like.end)
		return -EEXIST;		/* somebody has unmapped it meanwhile */
	swap(like.execute, execute);
	err = map_window(map, &like, MAP_FIXED);
	if (!err || !map->pmap->torn)
		return err;
	like.execute = execute;
	map_window(map, &like, MAP_FIXED_NOREPLACE);
	return err;
}

/* Twice the bytes of the window for fixed addresses that ends where one is to begin. */
static u64 size_to_grow(struct machvm_map *map, u64 start)
{
	struct machvm_window *window;
	u64 size = 0;

	down_read(&map->lock);
	window = start ? machvm_window_next_locked(map, start - 1) : NULL;
	if (window && window->end == start && !window->roomy)
		size = 2 * (window->end - window->start);
	up_read(&map->lock);
	return min(size, WINDOW_GROWTH_MAX);
}

static int add_window(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_window like = { .start = start, .end = end };
	int err = check_number(map);

	if (err)
		return err;
	like.end = max(end, min(start + size_to_grow(map, start), map->max));
	err = map_window(map, &like, MAP_FIXED_NOREPLACE);
	if (!err || like.end == end)
		return err;
	like.end = end;
	return map_window(map, &like, MAP_FIXED_NOREPLACE);
}

static int unmap_window(struct machvm_map *map, u64 start, u64 end)
{
	int err = cut_begin(map);

	if (!err)
		err = vm_munmap(start, end - start);
	cut_end(map);
	if (!err)
		remove_window(map, start, end);
	return err;
}

/* Unmaps the windows for fixed addresses in the range that nothing is in. */
static void trim(struct machvm_map *map, u64 start, u64 end)
{
	struct machvm_window *window;
	u64 from = 0, to = 0;

	do {
		down_write(&map->lock);
		window = machvm_window_empty_locked(map, start, end);
		if (window) {
			window->leaving = true;
			from = window->start;
			to = window->end;
		}
		up_write(&map->lock);
	} while (window && !unmap_window(map, from, to));
	if (!window)
		return;
	down_write(&map->lock);
	window = machvm_window_next_locked(map, from);
	if (window && window->start == from)
		window->leaving = false;
	up_write(&map->lock);
}

typedef enum machvm_window_work (*look_fn)(struct machvm_map *map, u64 *start, u64 *end);

/* Does what @look finds to do in the range. */
static int work_off(struct machvm_map *map, u64 start, u64 end, look_fn look)
{
	enum machvm_window_work work;
	u64 from, to;
	int err = 0;

	while (!err) {
		from = start;
		to = end;
		down_read(&map->lock);
		work = look(map, &from, &to);
		up_read(&map->lock);
		if (work == MACHVM_WINDOW_FINE)
			break;
		if (work == MACHVM_WINDOW_ABSENT)
			err = add_window(map, from, to);
		else
			err = remap(map, from, to, work == MACHVM_WINDOW_TO_EXECUTE);
	}
	return err;
}

/* @refused: what to answer where Linux does not let the caller. */
static int kern_of(int err, int refused)
{
	switch (err) {
	case 0:
	case -EINTR:
		return err;
	case -ESRCH:
		return MACHVM_KERN_INVALID_TASK;
	case -ENOMEM:
	case -EAGAIN:
	case -ENFILE:
	case -ENOBUFS:
		return MACHVM_KERN_RESOURCE_SHORTAGE;
	default:
		return refused;
	}
}

/* Where something is by now, there is nothing to be done. */
static enum machvm_window_work look_hole(struct machvm_map *map, u64 *start, u64 *end)
{
	if (!machvm_map_free_locked(map, *start, *end))
		return MACHVM_WINDOW_FINE;
	return machvm_window_hole_locked(map, start, end);
}

/**
 * machvm_pmap_reserve - let memory be placed at fixed addresses
 * @map: the map
 * @start: page aligned
 * @end: page aligned
 *
 * Context: no lock held.
 * Return: KERN_SUCCESS; KERN_NO_SPACE where Linux has something or allows nothing, or for another
 * process; KERN_RESOURCE_SHORTAGE; KERN_INVALID_TASK; -EINTR.
 */
int machvm_pmap_reserve(struct machvm_map *map, u64 start, u64 end)
{
	int err = layout_begin(map);

	if (!err) {
		err = work_off(map, start, end, look_hole);
		if (err)
			trim(map, start, end);
		layout_end(map);
	}
	return kern_of(err, MACHVM_KERN_NO_SPACE);
}

static enum machvm_window_work look_no_execute(struct machvm_map *map, u64 *start, u64 *end)
{
	return machvm_window_no_execute_locked(map, start, end) ? MACHVM_WINDOW_TO_EXECUTE :
								  MACHVM_WINDOW_FINE;
}

/**
 * machvm_pmap_execute - let what is mapped in a range be executed
 * @map: the task's
 * @start: page aligned
 * @end: page aligned
 *
 * Until its entries say so as well, nothing is.  Nothing happens to another process: what is made
 * executable from outside can be executed once the process itself has protected it so.
 * Context: no lock held.
 * Return: KERN_SUCCESS; KERN_PROTECTION_FAILURE where Linux refuses; KERN_RESOURCE_SHORTAGE;
 * KERN_INVALID_TASK; -EINTR.
 */
int machvm_pmap_execute(struct machvm_map *map, u64 start, u64 end)
{
	int err = layout_begin(map);

	if (err == -EXDEV)
		return MACHVM_KERN_SUCCESS;
	if (!err) {
		err = work_off(map, start, end, look_no_execute);
		if (err)
			work_off(map, start, end, machvm_window_work_locked);
		layout_end(map);
	}
	return kern_of(err, MACHVM_KERN_PROTECTION_FAILURE);
}

/**
 * machvm_pmap_tidy - after entries of a range have changed
 * @map: the task's
 * @start: page aligned
 * @end: page aligned
 *
 * Windows can be executed where entries can, and nowhere else; those for fixed addresses go when
 * they are empty.  Of another process they stay as they are.
 * Context: no lock held.
 * Return: as machvm_pmap_execute().
 */
int machvm_pmap_tidy(struct machvm_map *map, u64 start, u64 end)
{
	int err = layout_begin(map);

	if (err == -EXDEV)
		return MACHVM_KERN_SUCCESS;
	if (!err) {
		err = work_off(map, start, end, machvm_window_work_locked);
		trim(map, start, end);
		layout_end(map);
	}
	return kern_of(err, MACHVM_KERN_PROTECTION_FAILURE);
}

/*
 * Tries every place once, from a random one on; then, where a limit on the address space stands in
 * the way, smaller windows.
 */
static int map_arena(struct machvm_map *map, u64 length, u64 align, u64 ceiling)
{
	u64 size = max(ARENA_SIZE, length), least = max(ARENA_SIZE_MIN, length);
	unsigned int number = 0, tries = 0;
	int err = -EEXIST;

	if (!(current->personality & ADDR_NO_RANDOMIZE))
		number = get_random_u32() % ARENA_PLACES;
	while (tries < ARENA_PLACES && size >= least) {
		struct machvm_window like = { .roomy = true };

		like.start = ARENA_FIRST + number % ARENA_PLACES * ARENA_SIZE;
		like.start = ALIGN(like.start, align);
		if (check_add_overflow(like.start, size, &like.end) || like.end > ARENA_END ||
		    like.start + length - 1 > ceiling)
			err = -EEXIST;
		else
			err = map_window(map, &like, MAP_FIXED_NOREPLACE);
		if (err == -ENOMEM || err == -EAGAIN) {
			size >>= 2;
		} else if (err == -EEXIST) {
			number++;
			tries++;
		} else {
			break;
		}
	}
	return err;
}

/* The first window of a map that nobody knows.  Returns 0 or what mmap answers. */
int machvm_layout_first(struct machvm_map *map)
{
	int err = layout_begin(map);

	if (err)
		return err;
	err = map_arena(map, PAGE_SIZE, PAGE_SIZE, U64_MAX);
	layout_end(map);
	return err;
}

/**
 * machvm_pmap_grow - make room for memory that may lie anywhere
 * @map: the map
 * @length: bytes, whole pages
 * @mask: as for vm_map
 *
 * Context: no lock held.
 * Return: KERN_SUCCESS; KERN_NO_SPACE, also for another process; KERN_INVALID_TASK; -EINTR.
 */
int machvm_pmap_grow(struct machvm_map *map, u64 length, u64 mask)
{
	u64 align, ceiling;
	int err;

	if (!machvm_mask_parse(mask, &align, &ceiling))
		return MACHVM_KERN_NO_SPACE;
	err = layout_begin(map);
	if (!err) {
		err = check_number(map) ?: map_arena(map, length, align, ceiling);
		layout_end(map);
	}
	if (err && err != -EINTR && err != -ESRCH)
		return MACHVM_KERN_NO_SPACE;
	return kern_of(err, MACHVM_KERN_NO_SPACE);
}
