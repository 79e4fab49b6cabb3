/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * raw.h - a pager without a library: messages made and read by hand, ioctls, and threads that
 * touch memory.
 *
 * Whatever does not go as it must ends the process of the test, saying where; so these can be
 * used in threads and children, too.
 */
#ifndef _SELFTESTS_RAW_H
#define _SELFTESTS_RAW_H

#include "util.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>

#include "../../uapi/machvm_netlink.h"

void raw_die(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));

#define must(cond)                                                              \
	do {                                                                    \
		if (!(cond))                                                    \
			raw_die(__FILE__, __LINE__, "not so: %s", #cond);       \
	} while (0)

#define must_eq(a, b)                                                           \
	do {                                                                    \
		long long a_ = (long long)(a), b_ = (long long)(b);             \
		if (a_ != b_)                                                   \
			raw_die(__FILE__, __LINE__, "%s is %lld, not %s, %lld", \
				#a, a_, #b, b_);                                \
	} while (0)

/* Looks until it is so; what is waited for is an event, and the harness ends a test that hangs. */
#define wait_until(cond)               \
	do {                           \
		while (!(cond))        \
			sched_yield(); \
	} while (0)

#define COPY_DELAY MACHVM_COPY_DELAY
#define COPY_CALL MACHVM_COPY_CALL

/* What the kernel said. */
struct message {
	unsigned char command;
	uint64_t object, offset, length, error_offset;
	uint32_t epoch, sequence, access, page_size, dirty, kernel_copy, result;
	uint32_t may_cache, copy_strategy;
	uint64_t cluster_size, new_object;
	unsigned char status[16];
	unsigned int nr_status;
	uint32_t seen;		/* one bit for each attribute */
};

/* A generic netlink socket of the family. */
struct channel {
	int fd;
	uint16_t family;
	uint32_t port;
	uint32_t sequence;
	struct message *stash;	/* read while something else was awaited */
	unsigned int nr_stash, size_stash;
	unsigned int overruns;	/* how often the kernel said that messages did not fit */
};

void channel_open(struct channel *channel);
void channel_close(struct channel *channel);

/* The next message; waits for it. */
struct message channel_next(struct channel *channel);

/* True if no message is there now. */
bool channel_empty(struct channel *channel);

/* The next message, which must be this one. */
#define expect_message(channel, command_)                                              \
	({                                                                             \
		struct message message_ = channel_next(channel);                       \
		if (message_.command != (command_))                                    \
			raw_die(__FILE__, __LINE__, "message %u came instead of %s",   \
				message_.command, #command_);                          \
		message_;                                                              \
	})

/* A message to the kernel. */
struct request {
	unsigned char bytes[72000] __attribute__((aligned(8)));
	size_t used;
};

void request_begin(struct request *request, struct channel *channel, unsigned char command);
void request_put(struct request *request, unsigned short attribute, const void *data, size_t size);
void request_u32(struct request *request, unsigned short attribute, uint32_t value);
void request_u64(struct request *request, unsigned short attribute, uint64_t value);

/* Sends it and waits for the acknowledgement: 0 or -errno. */
int request_send(struct request *request, struct channel *channel);

/* A memory object. */
struct object {
	int fd, control;
	uint64_t id;
	uint32_t epoch;
};

void object_create(struct object *object);
int object_bind(struct object *object, struct channel *channel, unsigned int window);
/* What becomes of questions that nobody answers, as MACHVM_CONTROL_ABSENCE has it. */
void set_absence(struct object *object, unsigned int fallback, unsigned int answer_ms,
		 unsigned int successor_ms);

/* As the kernel shows it; it must be mapped. */
struct machvm_object_info object_info(struct object *object);
bool object_is_mapped(struct object *object);
struct machvm_port_info port_info(uint64_t id);
struct machvm_vm_statistics statistics(void);

/* Answers by netlink: 0 or -errno. */
int say_ready_as(struct channel *channel, struct object *object, bool may_cache,
		 uint32_t strategy);
int say_ready(struct channel *channel, struct object *object, uint32_t strategy);
int say_change(struct channel *channel, struct object *object, bool may_cache, uint32_t strategy,
	       bool reply);
int say_destroy(struct channel *channel, struct object *object, int reason, bool flush);
int say_supply(struct channel *channel, struct object *object, uint64_t offset, const void *data,
	       size_t length, bool precious, bool reply);
int say_unavailable(struct channel *channel, struct object *object, uint64_t offset,
		    uint64_t length);
int say_error(struct channel *channel, struct object *object, uint64_t offset, uint64_t length,
	      int error);

/* data_supply by ioctl: the answer or -errno. */
int supply(struct object *object, uint64_t offset, const void *data, size_t length);
int supply_status(struct object *object, struct machvm_data_supply *call);

/* One page full of util_mark(page, generation). */
int supply_mark(struct object *object, unsigned int page, unsigned int generation);
int supply_precious(struct object *object, unsigned int page, unsigned int generation);

int return_read(struct object *object, uint64_t offset, void *to, size_t length);
int return_map(struct object *object, uint64_t offset, size_t length, vm_address_t *address);
int return_release(struct object *object, uint64_t offset, size_t length);

/* An object that is served and mapped, whose init was read. */
struct served {
	struct channel channel;
	struct object object;
	vm_address_t base;
	unsigned int pages;
};

void serve_start(struct served *served, unsigned int pages);	/* not ready yet */
void serve(struct served *served, unsigned int pages);		/* ready */
vm_address_t map_object(struct object *object, uint64_t page, unsigned int pages, bool copy);
void unmap(vm_address_t base, unsigned int pages);

/* The same with pages supplied, and one of them written all over. */
void serve_clean(struct served *s, unsigned int pages);
void write_page(struct served *s, unsigned int page, unsigned char byte);

/* The next message returns these pages, all of them full of @byte. */
void expect_return(struct served *s, unsigned int page, unsigned int nr, bool dirty,
		   bool kernel_copy, unsigned char byte);
void released(struct served *s, unsigned int page, unsigned int nr);

/* An access, in a thread of its own, and how it ended. */
struct touch {
	vm_address_t address;
	bool write;
	unsigned char byte;	/* written, or read */
	int signal;		/* 0: it succeeded */
	int signals;		/* how many came */
	kern_return_t why;	/* of machvm_fault_info() in the handler */
	int reason;
	atomic_int stage;	/* 1: about to touch, 2: done */
	pid_t tid;
	pthread_t thread;
	sigjmp_buf env;
};

/* Returns when the thread is about to touch, or has. */
void touch_start(struct touch *touch, vm_address_t address, bool write, unsigned char byte);

/* Returns when it sleeps there. */
void touch_asleep(struct touch *touch);
void touch_end(struct touch *touch);

/* The same by the caller itself. */
struct touch touch_now(vm_address_t address, bool write, unsigned char byte);

/* A thread that reads and has gone to sleep. */
void sleeping_read(struct touch *touch, vm_address_t address);
void sleeping_write(struct touch *touch, vm_address_t address, unsigned char byte);

/* The byte at the start of a page, which must be there without asking. */
unsigned char byte_at(vm_address_t base, unsigned int page);

/* True if all bytes of the page are this. */
bool page_is(vm_address_t base, unsigned int page, unsigned char byte);

/* A process in which nothing of the pager is left open; 0 in the child. */
pid_t fork_client(struct served *served);

/* Waits until the process sleeps; it is to say when it is about to. */
void process_asleep(pid_t pid);

/* Standard output of a command, to be freed. */
char *output_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* _SELFTESTS_RAW_H */
