/* SPDX-License-Identifier: GPL-2.0-only */
/* absence.h - how requests end that nobody answers. */
#ifndef _MACHVM_ABSENCE_H
#define _MACHVM_ABSENCE_H

#include "types.h"

void machvm_absence_init(struct machvm_memobj *memobj);
void machvm_absence_set(struct machvm_memobj *memobj, u8 fallback, u32 answer_ms,
			u32 successor_ms);
bool machvm_absence_refuses_locked(struct machvm_memobj *memobj);
void machvm_absence_watch_locked(struct machvm_memobj *memobj, struct machvm_request *request);
bool machvm_absence_over_locked(struct machvm_memobj *memobj);
void machvm_absence_run(struct machvm_memobj *memobj);
void machvm_absence_end(struct machvm_memobj *memobj);
bool machvm_absence_may_end(struct machvm_memobj *memobj);
int machvm_absence_wait(struct machvm_memobj *memobj);
void machvm_absence_wake(void);

/* nl_out.c: where deadlines run. */
extern struct workqueue_struct *machvm_queue;

#endif /* _MACHVM_ABSENCE_H */
