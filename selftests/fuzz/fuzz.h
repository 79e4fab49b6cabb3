/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h - programs of a few calls on machvm, in text and at work; what they reach.
 *
 * A program is a list of calls, one a line:
 *
 *	as user
 *	object_create
 *	socket
 *	bind on=ctl0 socket=sock0
 *	vm_map object=obj0 length=0x4000 anywhere=1 protection=7 max_protection=7
 *	async touch at=mem0 count=1
 *	serve on=sock0 count=2
 *
 * What is not said of a call is as usual for it.  A value is a number, or names what an earlier
 * call has brought, from 0, with a number added: mem0+0x1000.  p1 before a call: it is for the
 * first child of fork.  async: nobody waits for its end before the next one begins.
 */
#ifndef _SELFTESTS_FUZZ_H
#define _SELFTESTS_FUZZ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "../../uapi/machvm.h"
#include "../../uapi/machvm_netlink.h"

#define PAGE 4096UL
#define CALLS_MAX 28
#define VALUES_MAX 18
#define PROCESSES 3
#define TEXT_MAX 4096		/* of one program */

/* What a value is, or what it is counted from. */
enum value_kind {
	V_ABSENT,		/* an attribute that is left out */
	V_NUMBER,
	V_DEVICE,
	V_OBJECT,
	V_CONTROL,
	V_ID,
	V_EPOCH,
	V_SOCKET,
	V_MEMORY,
	V_TASK,
	V_PROXY,
	V_OWNER,
	V_BUFFER,		/* the caller's own memory, with the structure at its start */
	V_MESSAGE_OBJECT,	/* of a message that came in, 0 is the newest */
	V_MESSAGE_EPOCH,
	V_MESSAGE_OFFSET,
	V_MESSAGE_LENGTH,
	V_MESSAGE_NEW,
	V_KINDS
};

struct value {
	uint8_t kind;
	uint8_t index;
	uint64_t add;
};

/* What a field is for, and so what is tried in it. */
enum field_kind {
	K_FD,
	K_ADDRESS,
	K_LENGTH,
	K_OFFSET,
	K_ID,
	K_EPOCH,
	K_BOOL,
	K_ENUM,			/* 0 to limit */
	K_FLAGS,		/* bits of limit */
	K_NUMBER,
	K_ZERO,			/* reserved, or an answer */
	K_POINTER,
	K_BYTES,		/* an attribute of so many bytes */
	K_FLAG,			/* an attribute without any */
};

struct field {
	const char *name;
	uint16_t place;		/* in the structure; of an attribute, its type */
	uint8_t bytes;		/* 0: not in the structure */
	uint8_t kind;
	uint64_t limit;
	struct value usual;
};

enum call_type {
	CALL_IOCTL,
	CALL_NETLINK,
	CALL_OTHER,
};

/* The first values of an ioctl, and of a message. */
enum { I_ON, I_AT, I_SIZE, I_NOISE, I_FIELDS };
enum { N_ON, N_COMMAND, N_FLAGS, N_TORN, N_NOISE, N_DEAF, N_FIELDS };

struct call_kind {
	const char *name;
	enum call_type type;
	unsigned long command;
	unsigned int size;	/* of the structure, and what is behind it */
	const struct field *fields;
	unsigned int nr;
	long (*run)(const uint64_t *values);
};

extern const struct call_kind call_kinds[];
extern const unsigned int nr_call_kinds;

struct call {
	uint8_t kind;
	uint8_t process;
	bool async;
	struct value values[VALUES_MAX];
};

struct program {
	bool user;
	uint8_t nr;
	uint16_t fresh;		/* places that it was the first to reach */
	struct call calls[CALLS_MAX];
};

/* text.c */
void call_usual(struct call *call, unsigned int kind);

/* Reads the next program of a text and moves on; 1, 0 at the end, -1: *line does not parse. */
int program_read(struct program *program, const char **text, char *line, size_t size);
int program_write(const struct program *program, char *text, size_t size);

/* What the processes of one program have in common, in memory that they share. */
struct thing {
	int object, control;
	uint64_t id;
	uint32_t epoch;
};

struct heard {
	uint8_t command;
	uint32_t epoch;
	uint64_t object, offset, length, fresh;
};

#define THINGS 16
#define SLOTS 8

/* A thread that runs calls. */
struct slot {
	atomic_int state;
	int call;
	int process;
	bool begun;
	pid_t thread;
};

enum { SLOT_UNUSED, SLOT_IDLE, SLOT_BUSY };

struct scene {
	struct slot slots[SLOTS];
	struct program program;
	atomic_uint nr_things, nr_sockets, nr_memory, nr_tasks, nr_proxies, nr_heard;
	atomic_uint nr_processes;
	pid_t pids[PROCESSES];
	int device, mode, family;
	struct thing things[THINGS];
	int sockets[THINGS], tasks[THINGS], proxies[THINGS], owners[THINGS];
	struct {
		uint64_t at, length;
	} memory[THINGS];
	struct heard heard[THINGS];
	long answers[CALLS_MAX];
	uint64_t resolved[CALLS_MAX][VALUES_MAX];
};

extern struct scene *scene;

/* resolve.c */
uint64_t value_resolve(const struct value *value, void *buffer);
void learn_socket(int fd);
void learn_memory(uint64_t at, uint64_t length);
void learn_task(int fd);
void learn_ioctl(unsigned long command, const void *structure);
void learn_heard(const struct heard *heard);
struct thing *thing_of(uint64_t id);

/* perform.c: in a thread of the program */
long call_perform(const struct call *call, unsigned int number);
void worker_start(unsigned int slot, int process);
void *worker_buffer(void);
bool guarded_copy(void *to, const void *from, size_t size);
bool guarded_touch(uint64_t at, bool write);

/* netlink.c */
int netlink_family(void);
long netlink_perform(const struct call_kind *kind, const struct call *call,
		     const uint64_t *values);
void netlink_drain(int fd);
long netlink_socket(bool named);
long netlink_serve(int fd, unsigned int count, unsigned int how);

/* What netlink_serve() does with what it gets; 0: what a good pager does. */
#define SERVE_INLINE 0x1
#define SERVE_UNAVAILABLE 0x2
#define SERVE_ERROR 0x4
#define SERVE_MAP 0x8
#define SERVE_HOLD 0x10		/* returned pages are not released */
#define SERVE_LOCKED 0x20
#define SERVE_PRECIOUS 0x40
#define SERVE_CALL 0x80		/* ready says COPY_CALL */
#define SERVE_CACHE 0x100
#define SERVE_NONE 0x200	/* ready says COPY_NONE */
#define SERVE_ALL 0x3ff

/* perform.c */
long run_fork(const uint64_t *values);

/* cover.c */
enum cover_mode { COVER_NONE, COVER_PCS, COVER_OPERANDS };

bool cover_open(unsigned int lane);	/* false: this kernel cannot tell */
bool cover_works(void);
void cover_enable(unsigned int slot, enum cover_mode mode);
void cover_reset(unsigned int slot);
unsigned int cover_new(unsigned int **places);	/* of this lane, and not yet known to all */
unsigned int cover_again(unsigned int *places, unsigned int nr);
void cover_known(const unsigned int *places, unsigned int nr);
unsigned int cover_merge(void);
unsigned int cover_count(void);
unsigned int cover_places(uint32_t *into, unsigned int most);
bool cover_shared(void);

struct operands {
	uint64_t a, b;
	unsigned int bits;
};

unsigned int cover_operands(unsigned int slot, struct operands *into, unsigned int most);

/* lane.c: runs programs, one after the other */
struct outcome {
	bool hung;		/* something does not die */
	unsigned int calls, blocked;
};

bool lane_open(unsigned int number);
struct outcome lane_run(const struct program *program, enum cover_mode mode);
extern void (*lane_harvest)(unsigned int call, unsigned int slot);

/* mutate.c */
void random_seed(uint64_t seed);
uint64_t random_below(uint64_t limit);
void mutate(struct program *program, const struct program *other);
void program_random(struct program *program);
bool mutate_operand(struct program *program, unsigned int call, const struct operands *operands);

/* What must be as before when all is over. */
struct counts {
	uint64_t maps, objects, ports, queued, pages, wired;
};

bool counts_read(struct counts *counts);
bool counts_settle(const struct counts *before, struct counts *after);

#endif /* _SELFTESTS_FUZZ_H */
