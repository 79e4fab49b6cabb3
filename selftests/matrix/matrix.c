// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix.c - each misbehaviour of a pager with each thing that a client can do meanwhile.
 */
#include "harness.h"
#include "../pager/cell.h"

FIXTURE(pager) {
};

FIXTURE_VARIANT(pager) {
	enum how how;
};

FIXTURE_SETUP(pager)
{
	(void)self;
	(void)variant;
}

FIXTURE_TEARDOWN(pager)
{
	(void)self;
}

FIXTURE_VARIANT_ADD(pager, dies) { .how = HOW_DIES };
FIXTURE_VARIANT_ADD(pager, stalls) { .how = HOW_STALLS };
FIXTURE_VARIANT_ADD(pager, answers_twice) { .how = HOW_TWICE };
FIXTURE_VARIANT_ADD(pager, answers_the_last_first) { .how = HOW_ORDER };
FIXTURE_VARIANT_ADD(pager, answers_odd_sizes) { .how = HOW_SIZES };
FIXTURE_VARIANT_ADD(pager, answers_what_nobody_asked) { .how = HOW_UNASKED };
FIXTURE_VARIANT_ADD(pager, answers_beyond_the_end) { .how = HOW_BEYOND };
FIXTURE_VARIANT_ADD(pager, faults_on_its_own_object) { .how = HOW_OWN_FAULT };
FIXTURE_VARIANT_ADD(pager, sleeps_in_data_return) { .how = HOW_SLEEPS };

#define CELL(what)                                        \
	TEST_F(pager, what)                               \
	{                                                 \
		cell_play(variant->how, WHAT_##what);     \
	}

CELL(READ)
CELL(WRITE)
CELL(VM_READ)
CELL(VM_WRITE)
CELL(VM_COPY)
CELL(MAP_COPY)
CELL(FORK_WRITE)
CELL(MSYNC)
CELL(WIRE)
CELL(LOCK_REQUEST)
CELL(DEALLOCATE)
CELL(EXIT)
CELL(KILLED)

HARNESS_MAIN
