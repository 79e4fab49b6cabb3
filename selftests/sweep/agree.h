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
		AGREE_COPY, AGREE_READ, AGREE_WRITE, AGREE_MSYNC, AGREE_WIRE, AGREE_PAGEOUT,
		AGREE_LOAD, AGREE_STORE, AGREE_FETCH,
	} what;
	uint64_t address, size;
	uint64_t other;			/* destination, or data */
	bool flag;			/* anywhere, set_maximum, or privileged */
	uint32_t value;			/* protection, inheritance, byte, or what code returned */
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
	pid_t pid;		/* of the task; 0: this process */
	struct oracle_map map;
};

/* A memory object as both know it; .port alone: what is none. */
struct agree_object {
	const char *name;
	memory_object_t port;
	struct oracle_object *oracle;	/* NULL: answers as fresh memory */
	struct oracle_object own[2];	/* what agree_proxy() and agree_region_proxy() make */
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
bool agree_wire(struct agree *a, bool privileged, uint64_t address, uint64_t size,
		vm_prot_t access);
bool agree_wire_all(struct agree *a, vm_wire_t flags);
bool agree_set_size_limit(struct agree *a, bool privileged, uint64_t limit, uint64_t max_limit);
bool agree_allocate_contiguous(struct agree *a, uint64_t size, uint64_t pmin, uint64_t pmax,
			       uint64_t palign);
bool agree_pages_phys(struct agree *a, uint64_t address, uint64_t size);
bool agree_machine_attribute(struct agree *a, uint64_t address, uint64_t size,
			     vm_machine_attribute_t attribute, vm_machine_attribute_val_t value);

/* Nothing but time. */
bool agree_pageout(struct agree *a, uint64_t address, uint64_t size);

/* Proxies: if they come about, @proxy can be mapped until agree_object_end(). */
bool agree_proxy(struct agree_object *proxy, vm_prot_t max_protection, unsigned int count,
		 struct agree_object *const *objects, const struct oracle_part *parts);
bool agree_region_proxy(struct agree *a, uint64_t address, uint64_t size, vm_prot_t max_protection,
			struct agree_object *proxy);
void agree_object_end(struct agree_object *object);

bool agree_region(struct agree *a, uint64_t address);
bool agree_region_info(struct agree *a, uint64_t address);

/* What is told of the object of the region at the address, and of one that does not exist. */
bool agree_object_info(struct agree *a, uint64_t address);
bool agree_store(struct agree *a, uint64_t address, unsigned char value);
bool agree_load(struct agree *a, uint64_t address);

/* Calls what is there, which returns; does it run if that is allowed, and not if not? */
bool agree_run(struct agree *a, uint64_t address);

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
