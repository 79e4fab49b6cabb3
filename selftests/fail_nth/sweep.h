/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sweep.h - a sequence of calls is repeated, and each time one more of the things that it needs,
 * in order, is not to be had: an allocation, or a copy from or to user memory.
 *
 * Each round is a process of its own, so that all of it must be gone afterwards.
 */
#ifndef _SELFTESTS_SWEEP_H
#define _SELFTESTS_SWEEP_H

#include "../pager/raw.h"

#define SCENE_PAGES 8

/* What a round has set up. */
struct scene {
	struct served served;
	struct touch touch;
	struct channel *say;		/* where replies go */
	vm_address_t base, other;
	int fds[4];
	pid_t pid;
	struct util_gate gate;
	pthread_t server;
	atomic_uint returned;		/* pages that the server thread was given back, as a mask */
	atomic_uint wrong;		/* of these, with bytes that nobody had written */
	unsigned int nth;		/* what is to be missing, for who sees to it itself */
	bool lacked;			/* something was missing */
	bool traced;			/* and what it does is to be, for who sees to it itself */
};

struct sequence {
	const char *name;
	void (*prepare)(struct scene *scene);		/* nothing is missing yet */
	long (*call)(struct scene *scene);		/* a kern_return_t or -errno */
	void (*check)(struct scene *scene, long answer);	/* dies if something is wrong */
	long also;		/* an answer that it may give besides those that all may */
	bool library;		/* its answers are not the kernel's: EFAULT is another, too */
	bool itself;		/* it is another task that lacks and is traced */
};

/* Of a failed call that may have been carried out: only its answer got lost. */
bool answer_is_lost(long answer);

/*
 * All of it, or a few rounds if not @all.  Returns 0, or the number of things that were not as
 * they must be, which were said.
 */
unsigned int sweep(const struct sequence *sequence, bool all);

/* To be called by a thread before the next two. */
void lack_open(void);

/* Makes the next @nth thing that this thread needs fail; 0: nothing. */
void lack_begin(unsigned int nth);

/* Ends that.  Returns how many of @nth were not reached; 0 if one has failed. */
unsigned int lack_end(void);

/* The same for another thread, which may have ended. */
unsigned int lack_left(pid_t pid);

/* The kernel can be told so at all. */
bool lack_possible(void);

/*
 * How often the thread allocates between go and end, as the kernel's tracepoints tell; -1 if they
 * do not.
 */
long traced_begin(void);
void traced_go(void);
void traced_go_instead(void);	/* a child, of which nobody has asked for anything yet */
long traced_end(void);

/* When all processes have ended that were there between.  False if it cannot be taken down. */
bool traced_over(void);

/* It sees an allocation that is made. */
bool traced_works(void);

extern const struct sequence call_sequences[], fault_sequences[], reply_sequences[],
	right_sequences[], task_sequences[];

#define STEPS(name_, prepare_, call_, check_, ...)                                   \
	{                                                                            \
		.name = (name_), .prepare = (prepare_), .call = (call_),             \
		.check = (check_), ##__VA_ARGS__                                     \
	}
#define SEQUENCE_END { .name = NULL }

/* An ioctl of the device on the caller's own map. */
#define own_call(command, type, ...)                                                   \
	({                                                                             \
		struct type call_ = { .size = sizeof(call_), __VA_ARGS__ };            \
		util_ioctl(util_device(), command, &call_);                            \
	})

/* SCENE_PAGES of memory with marks of generation 1. */
void scene_memory(struct scene *scene);

/* An object that a thread serves; pages are as util_mark(page, 0). */
void scene_served(struct scene *scene);

/* The same without the thread: the caller is the pager. */
void scene_pager(struct scene *scene);

#endif /* _SELFTESTS_SWEEP_H */
