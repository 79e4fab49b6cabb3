/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * window.h - the ranges of a map in which Linux lets it decide.
 *
 * Memory in transit, and most maps of the unit tests, are not ->windowed: nothing restricts them.
 */
#ifndef _MACHVM_WINDOW_H
#define _MACHVM_WINDOW_H

#include "types.h"

/* What is to be done about a part of a map. */
enum machvm_window_work {
	MACHVM_WINDOW_FINE,
	MACHVM_WINDOW_ABSENT,		/* nothing of ours is mapped there */
	MACHVM_WINDOW_TO_PLAIN,		/* can be executed, and must not */
	MACHVM_WINDOW_TO_EXECUTE,
};

struct machvm_window *machvm_window_alloc(struct machvm_map *map, u64 start, u64 end);
void machvm_window_free(struct machvm_window *window);
struct machvm_window *machvm_window_next_locked(struct machvm_map *map, u64 addr);
struct machvm_window *machvm_window_after(struct machvm_window *window);
bool machvm_window_touch_locked(struct machvm_map *map, u64 start, u64 end);
void machvm_window_insert_locked(struct machvm_map *map, struct machvm_window *window);
void machvm_window_split_locked(struct machvm_map *map, u64 addr, struct machvm_window **spare);
void machvm_window_remove_locked(struct machvm_map *map, u64 start, u64 end);
bool machvm_window_room_locked(struct machvm_map *map, u64 addr, u64 *start, u64 *end);
enum machvm_window_work machvm_window_hole_locked(struct machvm_map *map, u64 *start, u64 *end);
enum machvm_window_work machvm_window_work_locked(struct machvm_map *map, u64 *start, u64 *end);
bool machvm_window_no_execute_locked(struct machvm_map *map, u64 *start, u64 *end);
struct machvm_window *machvm_window_empty_locked(struct machvm_map *map, u64 start, u64 end);
bool machvm_window_untidy_locked(struct machvm_map *map, u64 start, u64 end);

#endif /* _MACHVM_WINDOW_H */
