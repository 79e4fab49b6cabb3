/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - what the workloads share: the clock, processes to measure in, calls of machvm, and
 * the two kinds of pager.
 *
 * A side is one thing that is measured, in a process of its own each time; a row sets a side of
 * machvm's beside one of Linux's.  The sides of a group take turns, round by round.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE 4096UL
#define MIB (1UL << 20)

#define BENCH_WARM_UP 2
#define BENCH_ROUNDS 7

/**
 * struct side - something that is measured
 * @name: for the table
 * @ops: operations in one run
 * @run: does them; returns the instructions it took, 0 if this kernel cannot
 * @ins: instructions of each round
 * @median: of the rounds, for one operation
 * @spread: (largest - smallest) / median of the rounds
 */
struct side {
	const char *name;
	uint64_t ops;
	uint64_t (*run)(void);
	uint64_t ins[BENCH_ROUNDS];
	double median;
	double spread;
};

/**
 * struct row - a line of the table
 * @name: what is done
 * @machvm: how machvm does it
 * @peer: how Linux does it
 * @gate: the ratio that machvm must reach, 0 if there is none
 * @target: the ratio that it should reach
 */
struct row {
	const char *name;
	struct side *machvm;
	struct side *peer;
	double gate;
	double target;
};

/**
 * struct group - one workload
 * @number: as in the table of workloads
 * @unit: what one operation is
 * @note: what a reader must know to judge the figures, or NULL
 * @sides: NULL at the end
 * @rows: a row without a name at the end
 */
struct group {
	unsigned int number;
	const char *unit;
	const char *note;
	struct side *const *sides;
	const struct row *rows;
};

extern const struct group zero_fill_group;
extern const struct group resident_read_group;
extern const struct group round_trip_group;
extern const struct group page_in_group;
extern const struct group snapshot_group;
extern const struct group chain_group;
extern const struct group churn_group;
extern const struct group death_group;

/* rig.c */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);
uint64_t now(void);
double rig_calibrate(void);
void rig_settle(void);
void rig_measure(struct side *side, int round);
void rig_sum_up(struct side *side);
void read_pages(uintptr_t at, uint64_t length);
void write_pages(uintptr_t at, uint64_t length);
void *map_pages(uint64_t length);

/* call.c */
int machvm_device(void);
void machvm_call(int fd, unsigned long command, void *args, const char *what);
uintptr_t machvm_allocate(uint64_t length);
void machvm_deallocate(uintptr_t at, uint64_t length);
void machvm_protect(uintptr_t at, uint64_t length, unsigned int protection);
void machvm_copy(uintptr_t from, uint64_t length, uintptr_t to);
uintptr_t machvm_map(int object, uint64_t length, bool copy);
int machvm_resident_object(uint64_t length, uintptr_t *at);

/* pager.c */
int pager_start(uint64_t cluster);
int pager_start_library(uint64_t cluster);
int pager_start_mute(pid_t *pid, uint64_t *id);

struct served;
struct served *served_create(void);
int served_object(const struct served *served);
void served_wait_ready(struct served *served);
void served_supply(struct served *served, uint64_t offset, const void *data, uint64_t length);

/* uffd.c */
enum uffd_how {
	UFFD_COPY,
	UFFD_MOVE,
};

bool uffd_start(void *at, uint64_t length, uint64_t cluster, enum uffd_how how);

#endif /* _BENCH_H */
