// SPDX-License-Identifier: GPL-2.0-only
/* window_test.c - ranges in which Linux lets a map decide; made by hand, as nobody maps anything. */
#include "test.h"
#include "mock.h"
#include "window.h"

/* A map like that of a process, which has windows, but not yet. */
static struct machvm_map *windowed_map(void)
{
	struct machvm_map *map = map_new();

	map->windowed = true;
	return map;
}

static void window(struct machvm_map *map, u64 page, u64 nr, bool roomy, bool execute)
{
	struct machvm_window *window = machvm_window_alloc(map, AT(page), AT(page + nr));

	require(window);
	window->roomy = roomy;
	window->execute = execute;
	down_write(&map->lock);
	machvm_window_insert_locked(map, window);
	up_write(&map->lock);
}

static int allocate(struct machvm_map *map, u64 page, u64 nr)
{
	u64 addr = AT(page);

	return machvm_vm_allocate(map, &addr, PAGES(nr), false);
}

/* The page at which memory that may lie anywhere is put, or -1. */
static s64 place(struct machvm_map *map, u64 nr)
{
	u64 addr = 0;

	if (machvm_vm_allocate(map, &addr, PAGES(nr), true))
		return -1;
	return (addr - ARENA) >> PAGE_SHIFT;
}

static u64 hole(struct machvm_map *map, u64 page, u64 nr, enum machvm_window_work work)
{
	u64 start = AT(page), end = AT(page + nr);

	down_read(&map->lock);
	check_eq(machvm_window_hole_locked(map, &start, &end), work);
	up_read(&map->lock);
	return ((start - ARENA) >> PAGE_SHIFT) * 1000 + ((end - ARENA) >> PAGE_SHIFT);
}

TEST(window, before_the_first_nothing_fits)
{
	struct machvm_map *map = windowed_map();

	check_eq(allocate(map, 12, 1), MACHVM_KERN_NO_SPACE);
	check_eq(place(map, 1), -1);
	check_eq(hole(map, 5, 10, MACHVM_WINDOW_ABSENT), 5015);
	window(map, 10, 10, true, false);
	check_eq(place(map, 1), 10);
	machvm_vm_unmapped(map, AT(10), AT(20));
	check_eq(place(map, 1), -1);
	map_end(map);
}

TEST(window, fixed_memory_needs_windows_throughout)
{
	struct machvm_map *map = windowed_map();

	window(map, 10, 10, true, false);
	window(map, 20, 10, false, false);
	window(map, 40, 10, false, true);
	check_eq(allocate(map, 12, 16), MACHVM_KERN_SUCCESS);
	check_eq(allocate(map, 9, 2), MACHVM_KERN_NO_SPACE);
	check_eq(allocate(map, 29, 2), MACHVM_KERN_NO_SPACE);
	check_eq(allocate(map, 42, 2), MACHVM_KERN_NO_SPACE);
	check_eq(hole(map, 5, 10, MACHVM_WINDOW_ABSENT), 5010);
	check_eq(hole(map, 28, 10, MACHVM_WINDOW_ABSENT), 30038);
	check_eq(hole(map, 28, 20, MACHVM_WINDOW_ABSENT), 30040);
	check_eq(hole(map, 41, 20, MACHVM_WINDOW_TO_PLAIN), 41050);
	check_eq(hole(map, 60, 1, MACHVM_WINDOW_ABSENT), 60061);
	hole(map, 10, 20, MACHVM_WINDOW_FINE);
	map_end(map);
}

TEST(window, others_take_windows_as_they_are)
{
	struct machvm_map *map = windowed_map();

	window(map, 10, 10, true, true);
	window(map, 20, 10, true, false);
	mock_foreign = true;
	hole(map, 15, 10, MACHVM_WINDOW_FINE);
	check_eq(hole(map, 25, 10, MACHVM_WINDOW_ABSENT), 30035);
	check_eq(allocate(map, 15, 10), MACHVM_KERN_SUCCESS);
	mock_foreign = false;
	check_eq(hole(map, 12, 2, MACHVM_WINDOW_TO_PLAIN), 12014);
	map_end(map);
}

TEST(window, memory_anywhere_goes_where_there_is_room)
{
	struct machvm_map *map = windowed_map();

	window(map, 0, 4, false, false);
	window(map, 4, 4, true, true);
	window(map, 100, 8, true, false);
	window(map, 108, 8, true, false);
	window(map, 200, 32, true, false);
	check_eq(place(map, 12), 100);		/* across two side by side */
	check_eq(place(map, 8), 200);
	check_eq(place(map, 4), 112);
	check_eq(place(map, 32), -1);
	check_eq(place(map, 24), 208);
	check_eq(place(map, 1), -1);
	check_eq(allocate(map, 1, 2), MACHVM_KERN_SUCCESS);
	map_end(map);
}

TEST(window, what_linux_unmaps_takes_its_memory_along)
{
	struct machvm_map *map = windowed_map();

	window(map, 10, 10, true, false);
	window(map, 20, 10, false, false);
	window(map, 30, 10, false, false);
	check_eq(allocate(map, 15, 20), MACHVM_KERN_SUCCESS);
	machvm_vm_unmapped(map, AT(20), AT(30));
	down_read(&map->lock);
	check_eq(machvm_map_lookup_locked(map, AT(19))->end, AT(20));
	check(!machvm_map_lookup_locked(map, AT(20)));
	check_eq(machvm_map_lookup_locked(map, AT(30))->start, AT(30));
	check(!machvm_window_touch_locked(map, AT(20), AT(30)));
	check(machvm_window_touch_locked(map, AT(19), AT(20)));
	up_read(&map->lock);
	check_eq(map->nr_windows, 2);
	machvm_vm_unmapped(map, AT(0), AT(100));
	check_eq(map->nr_windows, 0);
	check_eq(map->nr_entries, 0);
	map_end(map);
}

TEST(window, windows_are_cut_where_linux_cuts)
{
	struct machvm_map *map = windowed_map();
	struct machvm_window *spare = machvm_window_alloc(map, 0, 0);

	window(map, 10, 10, true, false);
	down_write(&map->lock);
	machvm_window_split_locked(map, AT(10), &spare);
	machvm_window_split_locked(map, AT(20), &spare);
	machvm_window_split_locked(map, AT(5), &spare);
	check(spare);
	machvm_window_split_locked(map, AT(12), &spare);
	check(!spare);
	check_eq(machvm_window_next_locked(map, AT(11))->end, AT(12));
	check_eq(machvm_window_next_locked(map, AT(12))->end, AT(20));
	check(machvm_window_next_locked(map, AT(12))->roomy);
	up_write(&map->lock);
	check_eq(map->nr_windows, 2);
	map_end(map);
}

/* Where the windows do not agree with what is in them, until they do. */
TEST(window, execution_follows_the_entries)
{
	struct machvm_map *map = windowed_map();
	u64 start, end;

	window(map, 0, 100, true, false);
	window(map, 100, 10, true, true);
	check_eq(allocate(map, 10, 10), MACHVM_KERN_SUCCESS);
	check_eq(allocate(map, 30, 10), MACHVM_KERN_SUCCESS);
	check_eq(machvm_vm_protect(map, AT(15), PAGES(20), false, MACHVM_PROT_ALL),
		 MACHVM_KERN_SUCCESS);
	down_read(&map->lock);
	start = AT(0);
	end = AT(200);
	check_eq(machvm_window_work_locked(map, &start, &end), MACHVM_WINDOW_TO_EXECUTE);
	check_eq(start, AT(15));
	check_eq(end, AT(20));
	start = AT(20);
	end = AT(33);
	check_eq(machvm_window_work_locked(map, &start, &end), MACHVM_WINDOW_TO_EXECUTE);
	check_eq(start, AT(30));
	check_eq(end, AT(33));
	start = AT(40);
	end = AT(200);
	check_eq(machvm_window_work_locked(map, &start, &end), MACHVM_WINDOW_TO_PLAIN);
	check_eq(start, AT(100));
	check_eq(end, AT(110));
	start = AT(0);
	end = AT(200);
	check(machvm_window_no_execute_locked(map, &start, &end));
	check_eq(start, AT(10));
	check_eq(end, AT(20));
	start = AT(20);
	end = AT(30);
	check(!machvm_window_no_execute_locked(map, &start, &end));
	up_read(&map->lock);
	map_end(map);
}

TEST(window, a_child_inherits_what_lies_in_the_range)
{
	struct machvm_map *map = map_new(), *child;

	check_eq(allocate(map, 10, 20), MACHVM_KERN_SUCCESS);
	for_each_failure(n) {
		child = machvm_map_create(ARENA, ARENA_END, &mock_user);
		fail_nth(n);
		if (machvm_vm_fork(map, child, AT(15), AT(25))) {
			check(fail_end());
			check_eq(child->nr_entries, 0);
		} else {
			check(!fail_end());
			down_read(&child->lock);
			check_eq(machvm_map_next_locked(child, 0)->start, AT(15));
			check_eq(machvm_map_next_locked(child, 0)->end, AT(25));
			up_read(&child->lock);
			check_eq(child->nr_entries, 1);
		}
		machvm_vm_clear(child);
		machvm_map_put(child);
	}
	map_end(map);
}
