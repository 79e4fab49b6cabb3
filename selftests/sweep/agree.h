/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agree.h - each call made twice, by the module and by the oracle, and the two compared.
 *
 * All return true if the two agree; if not, they say in a line how they were called and what came
 * of it.
 */
#ifndef _SWEEP_AGREE_H
#define _SWEEP_AGREE_H

#include "../oracle.h"
#include "util.h"

/* A call, as it is made: by this process or by one that was sent it. */
struct agree_call {
	enum {
		AGREE_ALLOCATE, AGREE_DEALLOCATE, AGREE_PROTECT, AGREE_INHERIT, AGREE_MAP,
		AGREE_COPY, AGREE_READ, AGREE_WRITE, AGREE_LOAD, AGREE_STORE,
		AGREE_MSYNC,
	} what;
	uint64_t address, size;
	uint64_t other;			/* destination, or data */
	bool flag;			/* anywhere, or set_maximum */
	uint32_t value;			/* protection, inheritance, byte */
	struct oracle_mapping how;
	mach_port_t object;
	kern_return_t kr;		/* out, as are .address of a new place and .other of data */
};

struct agree {
	task_t task;		/* whose map it is, as the module is told */
	int fd;			/* the same for ioctls */
	/* Has somebody else make the call; NULL: this process does. */
	void (*send)(struct agree *a, struct agree_call *call);
	int socket;		/* for .send */
	struct oracle_map map;
};

/* A memory object as both know it; .port alone: what is none. */
struct agree_object {
	const char *name;
	memory_object_t port;
	struct oracle_object *oracle;	/* NULL: answers as fresh memory */
	bool refused;		/* KERN_INVALID_ARGUMENT, whatever else is wrong */
};

struct agree_mapping {
	struct agree_object *object;
	struct oracle_mapping how;	/* but for .object */
};

bool agree_allocate(struct agree *a, uint64_t address, uint64_t size, bool anywhere);
bool agree_deallocate(struct agree *a, uint64_t address, uint64_t size);
bool agree_protect(struct agree *a, uint64_t address, uint64_t size, bool set_maximum,
		   vm_prot_t protection);
bool agree_inherit(struct agree *a, uint64_t address, uint64_t size, vm_inherit_t inheritance);
bool agree_map(struct agree *a, uint64_t address, uint64_t size, const struct agree_mapping *m);
bool agree_copy(struct agree *a, uint64_t source, uint64_t size, uint64_t destination);
bool agree_read(struct agree *from, uint64_t address, uint64_t size, struct agree *into);
bool agree_write(struct agree *a, uint64_t address, struct agree *from, uint64_t data,
		 uint32_t size);
bool agree_msync(struct agree *a, uint64_t address, uint64_t size, vm_sync_t flags);
/* vm_object_sync of what is at the address. */
bool agree_object_sync(struct agree *a, uint64_t address, uint64_t offset, uint64_t size,
		       bool flush, bool write_back);
bool agree_region(struct agree *a, uint64_t address);
bool agree_store(struct agree *a, uint64_t address, unsigned char value);
bool agree_load(struct agree *a, uint64_t address);

/* Is this what a load should have come to?  An unknown @value is any, even several. */
bool agree_loaded(const struct agree_call *load, int kr, int value);

/* Makes the call on the task. */
void agree_make(task_t task, struct agree_call *call);

/* Are the regions those of the oracle, and no others? */
bool agree_regions(struct agree *a);

/* Do its readable pages hold what they should?  Fresh ones are only touched if @all. */
bool agree_contents(struct agree *a, bool all);

/* No memory is left. */
void agree_clear(struct agree *a);

/* The last call in words. */
const char *agree_last(void);

/* A line for whoever looks for the fault. */
void agree_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* _SWEEP_AGREE_H */
