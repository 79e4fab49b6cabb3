// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_misbehaves.c - each misbehaviour of a pager in two places; make pager-matrix has them all.
 */
#include "harness.h"
#include "cell.h"

FIXTURE(pager) {
};

FIXTURE_VARIANT(pager) {
	enum how how;
	enum what one, other;
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

FIXTURE_VARIANT_ADD(pager, dies) {
	.how = HOW_DIES, .one = WHAT_VM_COPY, .other = WHAT_WIRE,
};

FIXTURE_VARIANT_ADD(pager, stalls) {
	.how = HOW_STALLS, .one = WHAT_VM_READ, .other = WHAT_KILLED,
};

FIXTURE_VARIANT_ADD(pager, answers_twice) {
	.how = HOW_TWICE, .one = WHAT_FORK_WRITE, .other = WHAT_MSYNC,
};

FIXTURE_VARIANT_ADD(pager, answers_the_last_first) {
	.how = HOW_ORDER, .one = WHAT_READ, .other = WHAT_MAP_COPY,
};

FIXTURE_VARIANT_ADD(pager, answers_odd_sizes) {
	.how = HOW_SIZES, .one = WHAT_VM_WRITE, .other = WHAT_LOCK_REQUEST,
};

FIXTURE_VARIANT_ADD(pager, answers_what_nobody_asked) {
	.how = HOW_UNASKED, .one = WHAT_WRITE, .other = WHAT_EXIT,
};

FIXTURE_VARIANT_ADD(pager, answers_beyond_the_end) {
	.how = HOW_BEYOND, .one = WHAT_READ, .other = WHAT_DEALLOCATE,
};

FIXTURE_VARIANT_ADD(pager, faults_on_its_own_object) {
	.how = HOW_OWN_FAULT, .one = WHAT_WIRE, .other = WHAT_LOCK_REQUEST,
};

FIXTURE_VARIANT_ADD(pager, sleeps_in_data_return) {
	.how = HOW_SLEEPS, .one = WHAT_MSYNC, .other = WHAT_DEALLOCATE,
};

TEST_F(pager, S2_51_misbehaves_in_one_place)
{
	cell_play(variant->how, variant->one);
}

TEST_F(pager, S2_51_misbehaves_in_another_place)
{
	cell_play(variant->how, variant->other);
}

HARNESS_MAIN
