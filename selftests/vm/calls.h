/* SPDX-License-Identifier: GPL-2.0-only */
/* calls.h - every command with a call that is good, for tests to spoil. */
#ifndef _SELFTESTS_CALLS_H
#define _SELFTESTS_CALLS_H

#include "util.h"

enum kind { DEVICE, OBJECT, CONTROL, KINDS };

/* What the calls are about: a region, an object of which page 0 is resident, its descriptors. */
struct world {
	struct util_pager *pager;
	vm_address_t base;		/* 8 pages, touched */
	vm_address_t mapped;		/* the object's 8 pages */
	int fd[KINDS];
	int file;
	char *trap;			/* a page, and behind it one that cannot be read */
};

union call {
	__u32 size;
	struct machvm_version version;
	struct machvm_vm_allocate allocate;
	struct machvm_vm_deallocate deallocate;
	struct machvm_vm_protect protect;
	struct machvm_vm_map map;
	struct machvm_vm_region region;
	struct machvm_vm_inherit inherit;
	struct machvm_vm_copy copy;
	struct machvm_vm_read read;
	struct machvm_vm_write write;
	struct machvm_vm_wire wire;
	struct machvm_vm_wire_all wire_all;
	struct machvm_vm_size_limit limit;
	struct machvm_vm_allocate_contiguous contiguous;
	struct machvm_vm_pages_phys phys;
	struct machvm_vm_pageout pageout;
	struct machvm_vm_msync msync;
	struct machvm_object_sync object_sync;
	struct machvm_task_port task_port;
	struct machvm_vm_statistics statistics;
	struct machvm_vm_cache_statistics cache_statistics;
	struct machvm_task_info task_info;
	struct machvm_fault_info fault_info;
	struct machvm_object_create create;
	struct machvm_object_info object;
	struct machvm_object_pages pages;
	struct machvm_proxy_create proxy;
	struct machvm_region_proxy region_proxy;
	struct machvm_port_info port;
	struct machvm_control_bind bind;
	struct machvm_data_supply supply;
	struct machvm_data_return give;
	struct machvm_lock_request lock;
	struct machvm_control_absence absence;
	struct machvm_control_copy copied;
	struct machvm_attributes attributes;
	struct machvm_object_destroy destroy;
	struct machvm_default_manager manager;
	unsigned char bytes[512];
};

/*
 * @min is the size that the structure's first version had; @reserved the offset of a 32 bit field
 * that must be 0, or 0; @answer what the good call gets.  The library has bound its socket, so
 * binding and returning can only be tried with what is refused.
 */
struct row {
	const char *name;
	unsigned int command;
	enum kind kind;
	unsigned int size, min;
	unsigned int reserved;
	int answer;
	void (*good)(union call *call, struct world *world);
};

/* Ends with a row without a name. */
extern const struct row rows[];

#endif /* _SELFTESTS_CALLS_H */
