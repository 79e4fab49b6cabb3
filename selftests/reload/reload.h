/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reload.h - the module is loaded, used and unloaded.
 */
#ifndef _SELFTESTS_RELOAD_H
#define _SELFTESTS_RELOAD_H

#include "../pager/raw.h"

/* Something that keeps the module from being unloaded. */
struct hold {
	const char *name;
	void (*take)(void);	/* and nothing else of machvm is left open */
};

extern const struct hold holds[];
extern const unsigned int nr_holds;

/* What the module goes with, though the process is there: nothing else of it is left open. */
void leave_behind(void);
void leave_unreleased(void);

/* A bit of everything that the module can do. */
void use_it(void);

/*
 * What the kernel has of each slab cache and of pages.  It is looked at several times, at regular
 * intervals: what something of ours loses grows from each look to the next; noise does not.
 */
void growth_look(void);

/* How many things grew all the time, by half of @cycles or more, which were said. */
unsigned int growth_found(unsigned long cycles);

#endif /* _SELFTESTS_RELOAD_H */
