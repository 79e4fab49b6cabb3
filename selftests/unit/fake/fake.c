// SPDX-License-Identifier: GPL-2.0-only
/* fake.c - the state before and after each test. */
#include "kinc.h"

void fake_lock_reset(void);
void fake_lock_end(void);
void fake_alloc_begin(void);
void fake_alloc_end(void);
void fake_rcu_reset(void);
void fake_wait_reset(void);
void fake_wait_end(void);

void fake_begin(void)
{
	fake_lock_reset();
	fake_rcu_reset();
	fake_wait_reset();
	fake_alloc_begin();
}

void fake_end(void)
{
	fake_lock_end();
	fake_wait_end();
	if (fake_nothing_held())
		rcu_barrier();
	fake_alloc_end();
}
