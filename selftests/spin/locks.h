/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * locks.h - a mutex, a lock for readers and a writer, and Linux's wait queues, for the models.
 */
#define MUTEX_LOCK(lock)	atomic { !lock -> lock = true }
#define MUTEX_UNLOCK(lock)	lock = false

/* Readers are counted; a writer is 255. */
#define READ_LOCK(lock)		atomic { lock != 255 -> lock++ }
#define READ_UNLOCK(lock)	atomic { lock-- }
#define WRITE_LOCK(lock)	atomic { lock == 0 -> lock = 255 }
#define WRITE_UNLOCK(lock)	lock = 0
