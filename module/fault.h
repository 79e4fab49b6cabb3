/* SPDX-License-Identifier: GPL-2.0-only */
/* fault.h - one fault, as a struct that moves through stages. */
#ifndef _MACHVM_FAULT_H
#define _MACHVM_FAULT_H

#include "types.h"

struct vm_area_struct;

enum machvm_outcome {
	MACHVM_FAULT_MAPPED,	/* done: the translation is in, or somebody else's is */
	MACHVM_FAULT_UPGRADE,	/* done: make the trapped translation writable; folio is locked */
	MACHVM_FAULT_WAIT,	/* ->wait is to be waited for; then ask again */
	MACHVM_FAULT_LAUNDRY,	/* as is machvm_laundry_wait(->events) */
	MACHVM_FAULT_FAILED,	/* ->kr says why */
	MACHVM_FAULT_NOMEM,
};

struct machvm_fault {
	/* parameters */
	struct machvm_map *map;
	struct vm_area_struct *vma;
	u64 addr;			/* page address as the map knows it */
	u64 at;				/* page address where the translation goes */
	bool write;
	bool fetch;			/* of an instruction */
	bool waited;			/* for a pager, until just now */
	bool patient;			/* it may wait for pagers to take pages */
	struct folio *trapped;		/* what is mapped read-only there, for page_mkwrite */

	/* found on the way; valid while the locks of the try are held */
	struct machvm_entry *entry;
	struct machvm_object *top;	/* the entry's object */
	u64 index;			/* of the page in top */
	struct folio *folio;		/* the page that answers */

	/* made for the fault, freed with it if unused */
	struct folio *spare;
	bool spare_is_zero;
	u64 spare_place;		/* it holds what lies there in the store; 0: it does not */
	struct machvm_request *fresh;
	struct machvm_memobj *ask;	/* referenced: fresh is to be for this page of it */
	u64 ask_index;
	u32 ask_access;
	bool ask_unlock;		/* not for the page, but to be allowed to use it */
	u64 place;			/* of the store, to be read or to be freed */
	bool read_store;		/* this took I/O */
	bool uncleaned;			/* nothing will be returned: it may write all the same */

	/* outcome */
	struct machvm_request *wait;	/* referenced */
	bool asked;			/* it is this fault's own question for a page */
	unsigned long events;		/* of the laundry, that were seen */
	struct machvm_memobj *limited;	/* referenced: at whose limit it waits, or NULL */
	int kr;
	int error;			/* the pager's reason for it */
};

enum machvm_outcome machvm_fault_resolve(struct machvm_fault *fault);
void machvm_fault_put_limited(struct machvm_fault *fault);

/* around.c */
void machvm_fault_map_around(struct machvm_fault *fault);

#endif /* _MACHVM_FAULT_H */
