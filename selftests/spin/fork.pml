/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fork.pml - a fork marks for copy on write and revokes, while threads of the parent write, and
 * read, and the child does.
 *
 * One page of one object at first; each task may get a shadow with a page of its own.
 *
 *	forks		machvm_vm_fork(): entries marked needs_copy, machvm_pmap_zap()
 *	access		try_once(): stage_entry(), stage_own(), stage_below(), stage_copy()
 *	prepare		machvm_entry_prepare(): machvm_entry_shadow_locked()
 *	upgrade		page_mkwrite answers LOCKED, and Linux makes the translation writable if it is
 *			still the one that trapped
 *
 * Bounds: two threads of the parent and one of the child, ACCESSES accesses each, one fork.
 * Holds: no stale writable mapping (nobody writes to a page that another task shows); the child
 * sees what was there when it was forked until it writes, and the parent never sees what the child
 * has written.
 */
#include "locks.h"

#define ACCESSES 2
#define PARENT 0
#define CHILD 1
#define BELOW 2		/* the page that both begin with; 0 and 1 are those of their shadows */
#define NONE 3

byte map_lock[2];
bool folio_lock[3];

bool has[3];			/* the page is there */
byte holds[3];
byte top[2];			/* of the entry: BELOW, or the task's own shadow */
bool needs_copy[2];
bool child_there = false;
byte forked_with;		/* what the page held */
bool child_wrote = false;

byte shows[2] = NONE;		/* what the translation is of ... */
bool writable[2];		/* ... and allows */

/* What task @t is to see, from its object and below. */
#define ANSWER(t)	((top[t] != BELOW && has[t]) -> t : BELOW)
#define SEEN_BY_OTHER(t, page)	\
	((t == PARENT -> child_there : true) && ANSWER(1 - t) == page)

inline hardware_write(who) {
	assert(!(child_there && SEEN_BY_OTHER(who, shows[who])));
	assert(shows[who] == ANSWER(who));
	holds[shows[who]]++;
	if
	:: who == CHILD -> child_wrote = true
	:: else
	fi
}

inline hardware_read(who) {
	assert(holds[shows[who]] == holds[ANSWER(who)]);
	if
	:: who == CHILD && !child_wrote -> assert(holds[shows[who]] == forked_with)
	:: else
	fi
}

/* machvm_entry_prepare(): a shadow for the entry, once. */
inline prepare(owner) {
	WRITE_LOCK(map_lock[owner]);
	if
	:: needs_copy[owner] -> top[owner] = owner; needs_copy[owner] = false
	:: else
	fi;
	WRITE_UNLOCK(map_lock[owner])
}

/* In: the map locked for reading, a page in the top object, its folio locked; out: unlocked. */
inline enter_own(who, entered, writes, trap) {
	if
	:: writes && trap == entered ->
		/* STEP_UPGRADE: our locks go, the folio's stays. */
		READ_UNLOCK(map_lock[who]);
#ifdef MUTANT_UPGRADES_UNLOCKED
		MUTEX_UNLOCK(folio_lock[entered]);
#endif
		atomic {
			if
			:: shows[who] == entered && !writable[who] -> writable[who] = true
			:: else
			fi
		}
#ifndef MUTANT_UPGRADES_UNLOCKED
		MUTEX_UNLOCK(folio_lock[entered])
#endif
	:: else ->
		atomic {
			if
			:: shows[who] == NONE || writes -> shows[who] = entered; writable[who] = writes
			:: else
			fi
		}
		MUTEX_UNLOCK(folio_lock[entered]);
		READ_UNLOCK(map_lock[who])
	fi
}

inline resolve(task, writing, trapping) {
	READ_LOCK(map_lock[task]);
	if
	:: writing && needs_copy[task] ->
		READ_UNLOCK(map_lock[task]);
		prepare(task)
	:: else ->
		if
		:: has[top[task]] ->	/* stage_own() */
			page = top[task];
			MUTEX_LOCK(folio_lock[page]);
			enter_own(task, page, writing, trapping)
		:: !has[top[task]] && !writing ->	/* stage_below(), looked at again when locked */
			MUTEX_LOCK(folio_lock[BELOW]);
			if
			:: ANSWER(task) == BELOW ->
				enter_own(task, BELOW, false, NONE)
			:: else ->
				MUTEX_UNLOCK(folio_lock[BELOW]);
				READ_UNLOCK(map_lock[task])
			fi
		:: else ->		/* stage_copy() */
			MUTEX_LOCK(folio_lock[BELOW]);
			if
			:: has[task] ->	/* -EBUSY: somebody else was first */
				MUTEX_UNLOCK(folio_lock[BELOW]);
				READ_UNLOCK(map_lock[task])
			:: else ->
				MUTEX_LOCK(folio_lock[task]);
				holds[task] = holds[BELOW];
				has[task] = true;
				/* machvm_zap_viewers_locked(), or zap_trapped() */
				atomic { shows[task] = NONE; writable[task] = false };
				MUTEX_UNLOCK(folio_lock[BELOW]);
				enter_own(task, task, true, NONE)
			fi
		fi
	fi
}

proctype access(byte t) {
	byte left = ACCESSES, page, trapped;
	bool write;

	do
	:: left == 0 -> break
	:: left > 0 ->
		left--;
		if
		:: write = true
		:: write = false
		fi;
		do
		:: atomic { write && writable[t] -> hardware_write(t); break }
		:: atomic { !write && shows[t] != NONE -> hardware_read(t); break }
		:: atomic { (write && !writable[t]) || (!write && shows[t] == NONE) ->
			trapped = shows[t] };
			resolve(t, write, trapped)
		od
	od
}

proctype forks() {
	WRITE_LOCK(map_lock[PARENT]);
	needs_copy[PARENT] = true;
#ifndef MUTANT_FORK_KEEPS_ACCESS
	atomic { shows[PARENT] = NONE; writable[PARENT] = false };
#endif
	atomic {
		needs_copy[CHILD] = true;
		top[CHILD] = BELOW;
		forked_with = holds[BELOW];
		child_there = true
	};
	WRITE_UNLOCK(map_lock[PARENT]);
	run access(CHILD)
}

init {
	has[BELOW] = true;
	top[PARENT] = BELOW;
	top[CHILD] = BELOW;
	atomic { run access(PARENT); run access(PARENT); run forks() }
}
