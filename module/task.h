/* SPDX-License-Identifier: GPL-2.0-only */
/* task.h - which map a call is about. */
#ifndef _MACHVM_TASK_H
#define _MACHVM_TASK_H

#include "types.h"

struct machvm_map *machvm_task_map(int task, long *answer);
struct machvm_map *machvm_task_look(int task, long *answer);
long machvm_task_port(struct machvm_task_port *call);

#endif /* _MACHVM_TASK_H */
