// SPDX-License-Identifier: GPL-2.0-only
/*
 * words.c - accesses that may fail, and what they find.
 */
#include "stress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static __thread sigjmp_buf env;
static __thread volatile bool armed;
static __thread volatile kern_return_t failure;

static void failed(int signal, siginfo_t *info, void *context)
{
	kern_return_t why = -1;
	int reason;

	(void)context;
	if (!armed) {
		finding("signal %d at %p, which nobody was to touch", signal, info->si_addr);
		_exit(1);
	}
	/* Where there is no window any more, the fault was Linux's. */
	if (machvm_fault_info(info->si_addr, &why, &reason))
		why = signal == SIGSEGV ? KERN_INVALID_ADDRESS : -1;
	failure = why;
	siglongjmp(env, 1);
}

void access_begin(void)
{
	struct sigaction action = {
		.sa_sigaction = failed, .sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	must(!sigaction(SIGSEGV, &action, NULL));
	must(!sigaction(SIGBUS, &action, NULL));
}

kern_return_t page_write(vm_address_t address, uint64_t word)
{
	volatile uint64_t *volatile words = (volatile uint64_t *)address;

	failure = KERN_SUCCESS;
	armed = true;
	if (!sigsetjmp(env, 0))
		for (unsigned int i = 0; i < PAGE / sizeof(*words); i += STRIDE)
			words[i] = word;
	armed = false;
	return failure;
}

/*
 * A copy by bytes may find a word half written: its lower bytes are of one number and the others
 * of another one, and both of these are allowed.
 */
bool word_fits(uint64_t word, unsigned int owner, unsigned int page, uint64_t low, uint64_t high)
{
	const uint64_t tag = ~((1UL << 40) - 1);
	uint64_t times = word & ~tag;

	if (!word)
		return !low;
	return (word & tag) == (word_of(owner, page, 1) & tag) && times >= (low & ~0xffUL) &&
	       times <= (high | 0xff);
}

kern_return_t page_check(vm_address_t address, unsigned int owner, unsigned int page, uint64_t low,
			 uint64_t high, uint64_t *wrong)
{
	volatile uint64_t *volatile words = (volatile uint64_t *)address;
	volatile uint64_t bad = 0;

	failure = KERN_SUCCESS;
	armed = true;
	if (!sigsetjmp(env, 0)) {
		for (unsigned int i = 0; i < PAGE / sizeof(*words) && !bad; i += STRIDE) {
			uint64_t word = words[i];

			if (!word_fits(word, owner, page, low, high))
				bad = word ?: ZERO;
		}
	}
	armed = false;
	*wrong = bad;
	return failure;
}
