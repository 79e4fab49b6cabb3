/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault.pml - a fault asks, a pager answers or dies, and whoever sleeps is woken.
 *
 * One page of one object; tasks that fault on it; a pager that answers some of what it is asked,
 * in its own time, by data or an error, also twice; and its death, at any moment.
 *
 *	fault		machvm_fault_resolve(), stage_pager(), and wait_for_pager() in vma.c
 *	ask		machvm_page_ask(), under the lock of the slots
 *	post		machvm_request_post(), under port->lock
 *	settle, wake	machvm_request_settle(), machvm_request_wake()
 *	pager		machvm_memobj_supply_begin() and _enter(), machvm_memobj_error()
 *	death		machvm_memobj_die(), then machvm_absence_run()
 *
 * Bounds: FAULTS tasks, ANSWERS answers, no page that leaves again.
 * Holds: no lost wake-up (every task ends, whatever the others do), who was told that the page is
 * there finds it, who fails was told so, and no request is on the list when all is over.
 */
#include "locks.h"

#define FAULTS 2
#define ANSWERS 2
#define REQUESTS 5	/* more than can be made */

#define NOTHING 255	/* a slot: nothing, a page, or the number of a request */
#define PAGE 254

mtype = { NEW, OPEN, DONE };

byte slot = NOTHING;
bool dead = false;		/* memobj->dead, under the port's lock */
bool port_lock = false;
bool swept = false;		/* the death is over */

mtype state[REQUESTS] = NEW;
bool listed[REQUESTS];		/* on memobj->open */
bool failed[REQUESTS];		/* result: an error */
bool parked[REQUESTS];		/* the page to fill is there to be taken */
byte made = 0;
byte ended = 0;

bool queued[FAULTS];		/* in a wait queue ... */
byte queue[FAULTS];		/* ... of this request */
bool woken[FAULTS];

/* Wakes all who are in the queue of a request. */
inline wake(request) {
	atomic {
		w = 0;
		do
		:: w < FAULTS ->
			if
			:: queued[w] && queue[w] == request -> woken[w] = true
			:: else
			fi;
			w++
		:: else -> break
		od;
		w = 0
	}
}

/* Once; whoever comes second changes nothing. */
inline settle(request, error) {
	MUTEX_LOCK(port_lock);
	listed[request] = false;
	if
	:: state[request] != DONE ->
		failed[request] = error;
		state[request] = DONE;
		parked[request] = false
	:: else
	fi;
	MUTEX_UNLOCK(port_lock)
}

inline finish(request, error) {
#ifdef MUTANT_WAKES_FIRST
	wake(request);
	settle(request, error)
#else
	settle(request, error);
	wake(request)
#endif
}

proctype fault(byte me) {
	byte mine, w;
	bool fails;

again:
	fails = false;
	mine = NOTHING;
	/* stage_find(): the page, a question that is open, or a new one in its place. */
	atomic {
		if
		:: slot == PAGE -> goto over
		:: slot < PAGE && state[slot] != DONE -> mine = slot; goto sleep
		:: else ->
			mine = made;
			made++;
			assert(made <= REQUESTS);
			parked[mine] = true;
			slot = mine
		fi
	}
#ifdef MUTANT_LOOKS_BEFORE
	/* Whether there is a pager is looked at before the lock is taken. */
	fails = dead;
	MUTEX_LOCK(port_lock);
#else
	MUTEX_LOCK(port_lock);
	fails = dead;
#endif
	if
	:: !fails && state[mine] != DONE -> state[mine] = OPEN; listed[mine] = true
	:: else
	fi;
	MUTEX_UNLOCK(port_lock);
	if
	:: fails -> finish(mine, true); goto over
	:: else
	fi;
sleep:
	/* wait_event(): in the queue first, then a look, then asleep. */
	atomic { queue[me] = mine; woken[me] = false; queued[me] = true }
	do
	:: state[mine] == DONE -> break
	:: state[mine] != DONE ->
#ifndef MUTANT_FORGETS_WHO_SLEEPS
		woken[me];
		woken[me] = false
#else
		false
#endif
	od;
	queued[me] = false;
	if
	:: failed[mine] -> goto over
	:: else -> assert(slot == PAGE); goto again
	fi;
over:
	ended++
}

/* Answers some request that was made, however old. */
proctype pager() {
	byte request, w, answers = 0;
	bool filled;

	do
	:: answers < ANSWERS && made > 0 && !dead ->
		answers++;
		/* One that it has heard of. */
		select(request : 0 .. REQUESTS - 1);
		if
		:: request < made && state[request] == OPEN ->
			if
			:: true ->	/* data_supply: takes the parked page and fills it */
				atomic { filled = parked[request]; parked[request] = false }
				if
				:: filled ->
					/* machvm_page_answer(): in the place of that question */
					atomic {
						if
						:: slot == request -> slot = PAGE
						:: else
						fi
					}
					finish(request, false)
				:: else
				fi
			:: true -> finish(request, true)	/* data_error */
			fi
		:: else
		fi
	:: true -> break
	od
}

/* The last control descriptor is closed; machvm_absence_run() ends what is open. */
proctype death() {
	byte w, request = 0;

	MUTEX_LOCK(port_lock);
	dead = true;
	MUTEX_UNLOCK(port_lock);
	do
	:: request < REQUESTS ->
		if
		:: listed[request] -> finish(request, true)
		:: else
		fi;
		request++
	:: else -> break
	od;
	swept = true
}

init {
	byte i = 0;

	atomic {
		run pager();
		run death();
		do
		:: i < FAULTS -> run fault(i); i++
		:: else -> break
		od
	}
	ended == FAULTS && swept;
	i = 0;
	do
	:: i < REQUESTS -> assert(!listed[i]); i++
	:: else -> break
	od
}
