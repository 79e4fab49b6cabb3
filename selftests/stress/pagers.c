// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagers.c - who serves an object, wants it back, forbids and allows, and dies now and then.
 *
 * What it was given back is on the board, so that the next one has it.
 */
#include "stress.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_MS 20
#define RETURNED_MAX 32		/* pages of one message */

struct pager {
	struct channel channel;
	struct object *object;
	unsigned int number;
	bool ready;
	struct random random;
};

static void supply_range(struct pager *pager, const struct message *message)
{
	unsigned int first = message->offset / PAGE;
	int answer;

	must(message->offset + message->length <= PAGES(OBJECT_PAGES));
	answer = supply(pager->object, message->offset, board->store[pager->number][first],
			message->length);
	must(answer >= 0 || answer == -ESTALE);
}

static void take_back(struct pager *pager, const struct message *message)
{
	static unsigned char data[RETURNED_MAX * PAGE];
	unsigned int first = message->offset / PAGE;

	must(message->offset + message->length <= PAGES(OBJECT_PAGES));
	must(message->length <= sizeof(data));
	must_eq(return_read(pager->object, message->offset, data, message->length), 0);
	memcpy(board->store[pager->number][first], data, message->length);
	must_eq(return_release(pager->object, message->offset, message->length), 0);
}

/* What was written comes back; what has been forbidden may be allowed again. */
static void lock_some(struct pager *pager, uint64_t offset, uint64_t length, bool allow)
{
	static const unsigned int values[] = {
		0, MACHVM_PROT_WRITE, MACHVM_PROT_NO_CHANGE,
	};
	bool flush = random_below(&pager->random, 2);
	struct machvm_lock_request call = {
		.size = sizeof(call), .offset = offset, .length = length,
		.should_return = flush || random_below(&pager->random, 2) ?
			MACHVM_RETURN_DIRTY : MACHVM_RETURN_NONE,
		.should_flush = flush,
		.lock_value = allow ? 0 : values[random_below(&pager->random, 3)],
		.reply = random_below(&pager->random, 2),
	};

	if (allow)
		call.should_return = call.should_flush = call.reply = 0;
	must(util_ioctl(pager->object->control, MACHVM_LOCK_REQUEST, &call) >= 0);
}

static void handle(struct pager *pager, const struct message *message)
{
	switch (message->command) {
	case MACHVM_CMD_INIT:
		must_eq(say_ready(&pager->channel, pager->object, COPY_DELAY), 0);
		pager->ready = true;
		break;
	case MACHVM_CMD_DATA_REQUEST:
		supply_range(pager, message);
		break;
	case MACHVM_CMD_DATA_UNLOCK:
		lock_some(pager, message->offset, message->length, true);
		break;
	case MACHVM_CMD_DATA_RETURN:
		take_back(pager, message);
		break;
	case MACHVM_CMD_TERMINATE:
		pager->ready = false;
		break;
	}
}

/* It dies with whatever it was just told. */
static void something_else(struct pager *pager)
{
	unsigned int first = random_below(&pager->random, OBJECT_PAGES);
	unsigned int nr = 1 + random_below(&pager->random, OBJECT_PAGES - first);

	if (!random_below(&pager->random, 300))
		raise(SIGKILL);
	if (pager->ready && !random_below(&pager->random, 6))
		lock_some(pager, PAGES(first), PAGES(nr), false);
}

void pager_run(unsigned int number, unsigned int incarnation)
{
	struct pager pager = { .object = &objects[number], .number = number };
	struct pollfd ready;

	random_begin(&pager.random, 1000 + 100000 * number + incarnation);
	channel_open(&pager.channel);
	must_eq(object_bind(pager.object, &pager.channel, 0), 0);
	ready = (struct pollfd){ .fd = pager.channel.fd, .events = POLLIN };
	/* Until it is killed, so that nobody waits in vain at the end. */
	for (;;) {
		must(poll(&ready, 1, IDLE_MS) >= 0);
		while (!channel_empty(&pager.channel)) {
			struct message message = channel_next(&pager.channel);

			if (!atomic_load(&board->stop))
				something_else(&pager);
			handle(&pager, &message);
		}
		if (!atomic_load(&board->stop))
			something_else(&pager);
	}
}
