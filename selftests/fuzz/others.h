/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * others.h - what a program does beside calling machvm: touch memory, fork, be a pager.
 */
#ifndef _SELFTESTS_FUZZ_OTHERS_H
#define _SELFTESTS_FUZZ_OTHERS_H

#include "fuzz.h"

#define OTHER_FIELD(name, kind, limit, ...) { name, 0, 0, kind, limit, __VA_ARGS__ }
#define OTHER_NUMBER(n) { V_NUMBER, 0, n }
#define OTHER_AT OTHER_FIELD("at", K_ADDRESS, 0, { V_MEMORY, 0, 0 })
#define OTHER_LENGTH OTHER_FIELD("length", K_LENGTH, 0, OTHER_NUMBER(0x1000))

/* named=0: a socket that has no address yet */
static const struct field socket_fields[] = {
	OTHER_FIELD("named", K_BOOL, 1, OTHER_NUMBER(1)),
};

/* All that has come in */
static const struct field receive_fields[] = {
	OTHER_FIELD("on", K_FD, 0, { V_SOCKET, 0, 0 }),
};

/* Answers so many messages, as SERVE_* say */
static const struct field serve_fields[] = {
	OTHER_FIELD("on", K_FD, 0, { V_SOCKET, 0, 0 }),
	OTHER_FIELD("count", K_ENUM, 8, OTHER_NUMBER(2)),
	OTHER_FIELD("how", K_FLAGS, SERVE_ALL, OTHER_NUMBER(0)),
};

static const struct field close_fields[] = {
	OTHER_FIELD("fd", K_FD, 0, { V_CONTROL, 0, 0 }),
};

static const struct field dup_fields[] = {
	OTHER_FIELD("fd", K_FD, 0, { V_CONTROL, 0, 0 }),
};

static const struct field touch_fields[] = {
	OTHER_AT,
	OTHER_FIELD("count", K_NUMBER, 1024, OTHER_NUMBER(1)),
	OTHER_FIELD("write", K_BOOL, 1, OTHER_NUMBER(0)),
};

static const struct field fork_fields[] = {
	OTHER_FIELD("vm", K_ZERO, 0, OTHER_NUMBER(0)),
};

static const struct field kill_fields[] = {
	OTHER_FIELD("process", K_ENUM, PROCESSES - 1, OTHER_NUMBER(1)),
};

/* A descriptor of the memory of a process of this program */
static const struct field proc_mem_fields[] = {
	OTHER_FIELD("process", K_ENUM, PROCESSES - 1, OTHER_NUMBER(0)),
};

static const struct field mmap_fields[] = {
	OTHER_AT, OTHER_LENGTH,
	OTHER_FIELD("prot", K_FLAGS, 7, OTHER_NUMBER(3)),
	OTHER_FIELD("fixed", K_BOOL, 1, OTHER_NUMBER(0)),
};

static const struct field munmap_fields[] = { OTHER_AT, OTHER_LENGTH };

static const struct field mprotect_fields[] = {
	OTHER_AT, OTHER_LENGTH, OTHER_FIELD("prot", K_FLAGS, 7, OTHER_NUMBER(1)),
};

static const struct field madvise_fields[] = {
	OTHER_AT, OTHER_LENGTH, OTHER_FIELD("advice", K_ENUM, 25, OTHER_NUMBER(4)),
};

static const struct field mremap_fields[] = {
	OTHER_AT, OTHER_LENGTH, OTHER_FIELD("new_length", K_LENGTH, 0, OTHER_NUMBER(0x2000)),
	OTHER_FIELD("flags", K_FLAGS, 1, OTHER_NUMBER(1)),
};

static const struct field mlock_fields[] = {
	OTHER_AT, OTHER_LENGTH, OTHER_FIELD("lock", K_BOOL, 1, OTHER_NUMBER(1)),
};

/* System calls with memory of machvm: into a pipe, and out of it again */
static const struct field copy_out_fields[] = {
	OTHER_AT, OTHER_FIELD("to", K_ADDRESS, 0, { V_MEMORY, 0, 0x1000 }), OTHER_LENGTH,
};

/* Through /proc/PID/mem, or another task's descriptor of it */
static const struct field peek_fields[] = {
	OTHER_FIELD("task", K_FD, 0, { V_TASK, 0, 0 }), OTHER_AT, OTHER_LENGTH,
};

static const struct field poke_fields[] = {
	OTHER_FIELD("task", K_FD, 0, { V_TASK, 0, 0 }), OTHER_AT, OTHER_LENGTH,
};

/* Wakes, or compares and moves: a fault that cannot wait */
static const struct field futex_fields[] = {
	OTHER_AT, OTHER_FIELD("shared", K_BOOL, 1, OTHER_NUMBER(0)),
};

/* Linux asks everybody for memory */
static const struct field reclaim_fields[] = {
	OTHER_FIELD("what", K_ENUM, 3, OTHER_NUMBER(2)),
};

/* Until others have got on */
static const struct field pause_fields[] = {
	OTHER_FIELD("ms", K_ENUM, 20, OTHER_NUMBER(5)),
};

long run_socket(const uint64_t *values);
long run_receive(const uint64_t *values);
long run_serve(const uint64_t *values);
long run_close(const uint64_t *values);
long run_dup(const uint64_t *values);
long run_touch(const uint64_t *values);
long run_kill(const uint64_t *values);
long run_proc_mem(const uint64_t *values);
long run_mmap(const uint64_t *values);
long run_munmap(const uint64_t *values);
long run_mprotect(const uint64_t *values);
long run_madvise(const uint64_t *values);
long run_mremap(const uint64_t *values);
long run_mlock(const uint64_t *values);
long run_copy_out(const uint64_t *values);
long run_peek(const uint64_t *values);
long run_poke(const uint64_t *values);
long run_futex(const uint64_t *values);
long run_reclaim(const uint64_t *values);
long run_pause(const uint64_t *values);

#endif /* _SELFTESTS_FUZZ_OTHERS_H */
