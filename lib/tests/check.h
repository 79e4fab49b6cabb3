/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - the few words that the tests are written in, and the kernel that fake.c plays.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdio.h>

#include "../../uapi/machvm_netlink.h"
#include "../src/internal.h"

struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test device_tests[], object_tests[], port_tests[], pager_tests[];

extern int check_failures;	/* of the running test */

#define CHECK(condition)							\
	do {									\
		if (!(condition)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,	\
				#condition);					\
			check_failures++;					\
		}								\
	} while (0)

/* fake.c: what the machvm device would be. */

#define FAKE_DEVICE "/dev/zero"		/* any character device that every machine has */

struct fake {
	unsigned int abi;		/* what MACHVM_VERSION tells */
	int answers[4];			/* of the next ioctls: -errno or kern_return_t ... */
	int pending;			/* ... how many of them are still to be given */
	int calls;			/* ioctls seen, but for MACHVM_VERSION */
	int foreign;			/* ioctls that hit what is not the device */
	unsigned long command;		/* of the last */
	unsigned char argument[256];	/* of the last, as it came */
	void (*fill)(void *argument);	/* sets output fields, or NULL */

	int kernel;			/* the kernel's end of the pager's socket */
	int acks_to_lose;		/* answers that do not arrive */
	int ack;			/* the answer to what is sent */
	void (*before_ack)(void);	/* what the kernel sends meanwhile, or NULL */
	int sends;			/* messages seen */
	int areas;			/* of memory, a page or longer, that were wanted */
	unsigned char sent[256];	/* the last of them */
};

extern struct fake fake;

/* The fake device is there, nothing has been called. */
void fake_reset(void);

/* A message of the kernel for the pager. */
void fake_message(int command, uint64_t object, unsigned int sequence, uint64_t offset);

#endif /* CHECK_H */
