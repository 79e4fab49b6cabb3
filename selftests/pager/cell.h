/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cell.h - a pager that misbehaves in a certain way, and a client that does something with its
 * memory meanwhile.  What must come out is stated here for each pair, in cell.c beside each kind.
 */
#ifndef _SELFTESTS_CELL_H
#define _SELFTESTS_CELL_H

/* What the pager does with requests for pages, and with pages that are returned to it. */
enum how {
	HOW_DIES,		/* closes all it has, its answer owing */
	HOW_STALLS,		/* does nothing, until a deadline ends its requests */
	HOW_TWICE,		/* answers again, and otherwise */
	HOW_ORDER,		/* answers the last page of a cluster first */
	HOW_SIZES,		/* answers too little, too much, and odd lengths */
	HOW_UNASKED,		/* answers about all other pages as well */
	HOW_BEYOND,		/* answers about pages beyond the end, too */
	HOW_OWN_FAULT,		/* touches the page itself first, in the thread that serves it */
	HOW_SLEEPS,		/* takes no page back before the client has ended, or waits for it */
};

/* What the client does; one that is killed waits for a page. */
enum what {
	WHAT_READ,
	WHAT_WRITE,
	WHAT_VM_READ,
	WHAT_VM_WRITE,
	WHAT_VM_COPY,
	WHAT_MAP_COPY,
	WHAT_FORK_WRITE,
	WHAT_MSYNC,
	WHAT_WIRE,
	WHAT_LOCK_REQUEST,	/* the pager's, while the client reads */
	WHAT_DEALLOCATE,
	WHAT_EXIT,
	WHAT_KILLED,
};

/* Plays it, and ends the process where it does not come out as it must. */
void cell_play(enum how how, enum what what);

#endif /* _SELFTESTS_CELL_H */
