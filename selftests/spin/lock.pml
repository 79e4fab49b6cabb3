/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.pml - a page is cleaned, flushed, locked, returned and read, while a task writes to it and
 * waits for data_unlock.
 *
 * What a page holds is a number: how often it was written.
 *
 *	writer		an access; stage_own(), stage_unlock(), keep_returned(), stage_enter()
 *	job		machvm_job_step(): walk(), do_page(), keep_page(), take_page(), set_locks()
 *	pager		return_page(), machvm_run_page(), and machvm_run_release()
 *	go		machvm_run_drop(), as the pager dies with pages that it has not released
 *
 * memobj->lock and family->lock are one here: both are held for writing by a job, and no fault of
 * this page can be between them.
 *
 * Bounds: one page, one writer of WRITES writes, ORDERS lock requests of the pager's own accord,
 * and one for each question.
 * Holds: no stale writable mapping (who writes by a translation writes to a resident page that is
 * dirty, not locked and not marked); no lost dirty page (what was written is in the page, which is
 * dirty, or in the run, or with the pager); the pager gets a page as it was when it was cleaned;
 * no lost wake-up (the writer ends).
 */
#include "locks.h"

#define WRITES 3
#define ORDERS 2

bool memobj_lock = false;
bool folio_lock = false;

bool resident = true, dirty = false, marked = false, locked = false;
bool mapped = false;		/* for writing */
byte holds = 0;			/* the page */
byte last = 0;			/* that was written */

bool run_there = false, run_sent = false, run_has = false;
byte run_holds;			/* a page of its own: flushed, or copied before a write */
byte cleaned;			/* what the page was when the run was made */

byte stored = 0;		/* with the pager */

bool question = false, answered = false;
bool writer_over = false, pager_over = false, gone = false;

/* An access by the translation: one instruction. */
inline write_mapped() {
	assert(resident && dirty && !marked && !locked);
	holds++;
	last = holds;
	mine++
}

proctype writer() {
	byte mine = 0;

	do
	:: mine == WRITES -> break
	:: mine < WRITES ->
		if
		:: atomic { mapped -> write_mapped() }
		:: !mapped ->
			if
			/*
			 * data_request and data_supply, which are another model's.  The pager hears
			 * of what was returned first, so its answer comes after that.
			 */
			:: atomic { !resident && !run_there && !memobj_lock && !gone ->
				resident = true; dirty = false; marked = false;
				holds = stored }
			:: !resident && gone -> mine++	/* MEMORY_ERROR */
			:: atomic { resident && !folio_lock -> folio_lock = true };
				if
				:: !resident -> folio_lock = false
				:: resident && locked && !gone ->
					/* stage_unlock(): asked with the folio locked */
					atomic { question = true; answered = false };
#ifdef MUTANT_UNLOCK_IS_MISSED
					folio_lock = false;
					answered = false;
#else
					folio_lock = false;
#endif
					answered || gone
				:: resident && locked && gone ->
					mine++;		/* MEMORY_ERROR */
					folio_lock = false
				:: else ->
#ifndef MUTANT_KEEPS_NO_COPY
					if
					:: marked ->	/* keep_returned() */
						run_holds = holds;
						run_has = true;
						marked = false
					:: else
					fi;
#endif
					dirty = true;
#ifdef MUTANT_KEEPS_NO_COPY
					marked = false;
#endif
					mapped = true;
					folio_lock = false
				fi
			fi
		fi
	od;
	writer_over = true
}

/* One lock request; the run that it makes is offered at once. */
inline job(flush, wanted_lock) {
	MUTEX_LOCK(memobj_lock);
	if
	:: resident && !run_there && !gone ->
		MUTEX_LOCK(folio_lock);
#ifndef MUTANT_ZAPS_LATE
		mapped = false;
#endif
		if
		:: dirty ->
			cleaned = holds;
			run_there = true;
			run_sent = true
		:: else
		fi;
		if
		:: flush ->
			run_has = run_there;
			run_holds = holds;
			resident = false;
			mapped = false
		:: else ->
			run_has = false;
			marked = run_there
		fi;
#ifdef MUTANT_ZAPS_LATE
		mapped = false;
#endif
		/* set_locks(), or take_page(): who waits looks again */
		locked = !flush && wanted_lock;
		atomic {
			if
			:: question -> question = false; answered = true
			:: else
			fi
		};
		MUTEX_UNLOCK(folio_lock)
	:: else
	fi;
	MUTEX_UNLOCK(memobj_lock)
}

/* Reads the page that was returned, until it is known which one it was; then lets go of it. */
inline take_returned() {
	do
	:: true ->
		MUTEX_LOCK(memobj_lock);
		MUTEX_LOCK(folio_lock);
		in_place = resident && marked;
		MUTEX_UNLOCK(folio_lock);
		MUTEX_UNLOCK(memobj_lock);
		/* copy_to_user(), with no lock held */
		if
		:: in_place -> got = holds
		:: else -> got = run_holds
		fi;
#ifdef MUTANT_READS_ONCE
		break;
#endif
		MUTEX_LOCK(memobj_lock);
		MUTEX_LOCK(folio_lock);
		again = resident && marked;
		MUTEX_UNLOCK(folio_lock);
		MUTEX_UNLOCK(memobj_lock);
		if
		:: again == in_place -> break
		:: else
		fi
	od;
	assert(got == cleaned);
	stored = got;
	MUTEX_LOCK(memobj_lock);
	MUTEX_LOCK(folio_lock);
	if
	:: resident && marked -> marked = false; dirty = false
#ifdef MUTANT_CLEANS_LATER_WRITES
	:: resident && !marked -> dirty = false
#endif
	:: else
	fi;
	MUTEX_UNLOCK(folio_lock);
	run_has = false;
	run_there = false;
	run_sent = false;
	MUTEX_UNLOCK(memobj_lock)
}

/* The run goes back: the page stays as dirty as it was, one that was flushed is there again. */
inline go() {
	MUTEX_LOCK(memobj_lock);
	MUTEX_LOCK(folio_lock);
	if
	:: run_there && resident -> marked = false
	:: run_there && !resident && run_has ->
		resident = true; holds = run_holds; dirty = true
	:: else
	fi;
	run_there = false;
	run_has = false;
	gone = true;
	MUTEX_UNLOCK(folio_lock);
	MUTEX_UNLOCK(memobj_lock)
}

proctype pager() {
	byte orders = 0, got;
	bool in_place, again, dies;

	if
	:: dies = true
	:: dies = false
	fi;
	do
	:: run_sent && run_there -> take_returned()
	:: question && !run_there -> job(false, false)
	:: orders < ORDERS && !run_there ->
		orders++;
		if
		:: job(false, false)
		:: job(false, true)
		:: job(true, false)
		fi
	:: writer_over && !run_there -> break
	:: dies -> go(); break
	od;
	pager_over = true
}

init {
	atomic { run writer(); run pager() }
	writer_over && pager_over;
	if
	:: resident -> assert(holds == last && (dirty || stored == last))
	:: else -> assert(stored == last)
	fi
}
