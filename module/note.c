// SPDX-License-Identifier: GPL-2.0-only
/*
 * note.c - why the last failed fault of each thread failed.
 * Callers: vma.c writes and takes; dev.c reads for FAULT_INFO.
 * Never: waits.
 * Locks: the xarray's own.
 *
 * A fault that slept must answer RETRY, whatever it learnt: what the pager said is left here,
 * pending, and the same thread's next fault on that page finds it and fails.
 */
#include "arena.h"
#include <linux/sched.h>

struct note {
	u64 born;	/* when its thread was: another one may get the same number */
	u64 addr;
	int reason;	/* kern_return_t, 0: nothing is noted */
	int error;
	bool pending;
};

static unsigned long note_key(void)
{
	return task_pid_nr(current);
}

/* Only its own thread changes or drops a note while the map is in use, so it needs no lock. */
static struct note *note_find(struct machvm_map *map)
{
	struct note *note = xa_load(&map->pmap->notes, note_key());

	return note && note->born == current->start_boottime ? note : NULL;
}

/* Makes sure that machvm_note_set() has a place.  Returns 0 or -ENOMEM. */
int machvm_note_prepare(struct machvm_map *map)
{
	struct note *note = xa_load(&map->pmap->notes, note_key());
	int err;

	if (note) {
		if (note->born != current->start_boottime)
			*note = (struct note){ .born = current->start_boottime };
		return 0;
	}
	note = kzalloc(sizeof(*note), GFP_KERNEL_ACCOUNT);
	if (!note)
		return -ENOMEM;
	note->born = current->start_boottime;
	err = xa_err(xa_store(&map->pmap->notes, note_key(), note, GFP_KERNEL_ACCOUNT));
	if (err)
		kfree(note);
	return err;
}

void machvm_note_set(struct machvm_map *map, u64 addr, int reason, int error, bool pending)
{
	struct note *note = note_find(map);

	if (!note)
		return;
	note->addr = addr;
	note->reason = reason;
	note->error = error;
	note->pending = pending;
}

/* What was learnt while asleep, if it was about @addr.  Any other fault forgets it. */
int machvm_note_take_pending(struct machvm_map *map, u64 addr)
{
	struct note *note = note_find(map);

	if (!note || !note->pending)
		return 0;
	note->pending = false;
	return note->addr == addr ? note->reason : 0;
}

/* The noted reason for the page of @addr, 0 if there is none. */
int machvm_note_read(struct machvm_map *map, u64 addr, int *error)
{
	struct note *note = note_find(map);

	if (!note || note->addr != (addr & PAGE_MASK))
		return 0;
	*error = note->error;
	return note->reason;
}

void machvm_notes_free(struct machvm_map *map)
{
	unsigned long key;
	struct note *note;

	xa_for_each(&map->pmap->notes, key, note)
		kfree(note);
	xa_destroy(&map->pmap->notes);
}
