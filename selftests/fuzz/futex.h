/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * futex.h - how the threads of a program and who runs it wait for each other.
 */
#ifndef _SELFTESTS_FUZZ_FUTEX_H
#define _SELFTESTS_FUZZ_FUTEX_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline void futex_wait(atomic_int *word, int value, const struct timespec *most)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, most, NULL, 0);
}

static inline void futex_wake(atomic_int *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

#endif /* _SELFTESTS_FUZZ_FUTEX_H */
