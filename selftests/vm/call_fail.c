// SPDX-License-Identifier: GPL-2.0-only
/*
 * call_fail.c - a call that lacks any one thing says so, has done nothing or all, and leaves
 * nothing behind; above all one for which Linux had to unmap memory first.
 */
#include "harness.h"
#include "inject.h"
#include "util.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define RX (VM_PROT_READ | VM_PROT_EXECUTE)
#define WINDOW 0x200000000UL

/* Sixteen pages that the calls are about. */
static vm_address_t base;

static kern_return_t call_allocate(void)
{
	vm_address_t fresh = 0;

	return vm_allocate(SELF, &fresh, PAGES(4), TRUE);
}

static kern_return_t call_allocate_window(void)
{
	vm_address_t window = WINDOW;

	return vm_allocate(SELF, &window, PAGES(4), FALSE);
}

static kern_return_t call_allocate_arena(void)
{
	vm_address_t fresh = 0;

	return vm_allocate(SELF, &fresh, 2UL << 40, TRUE);
}

static kern_return_t call_deallocate(void)
{
	vm_address_t window = WINDOW;

	vm_allocate(SELF, &window, PAGES(4), FALSE);
	return vm_deallocate(SELF, window + PAGES(1), PAGES(2));
}

static kern_return_t call_protect(void)
{
	return vm_protect(SELF, base + PAGES(3), PAGES(5), FALSE, VM_PROT_READ);
}

static kern_return_t call_execute(void)
{
	return vm_protect(SELF, base + PAGES(3), PAGES(5), FALSE, RX);
}

static kern_return_t call_execute_no_more(void)
{
	vm_protect(SELF, base + PAGES(3), PAGES(5), FALSE, RX);
	return vm_protect(SELF, base + PAGES(4), PAGES(3), FALSE, RW);
}

static kern_return_t call_inherit(void)
{
	return vm_inherit(SELF, base + PAGES(3), PAGES(5), VM_INHERIT_NONE);
}

static kern_return_t call_copy(void)
{
	vm_address_t window = WINDOW;
	kern_return_t kr = vm_allocate(SELF, &window, PAGES(4), FALSE);

	return kr ? kr : vm_copy(SELF, base + PAGES(2), PAGES(4), window);
}

static kern_return_t call_read(void)
{
	mach_msg_type_number_t count;
	vm_offset_t data;

	return vm_read(SELF, base + PAGES(2), PAGES(4), &data, &count);
}

static kern_return_t call_wire(void)
{
	return vm_wire(mach_host_priv(), SELF, base + PAGES(3), PAGES(5), RW);
}

static kern_return_t call_map_object(void)
{
	struct machvm_object_create create = { .size = sizeof(create) };
	kern_return_t kr;

	if (util_ioctl(util_device(), MACHVM_OBJECT_CREATE, &create))
		return KERN_RESOURCE_SHORTAGE;
	kr = util_map(create.out_object, 0, 4, true) ? KERN_SUCCESS : KERN_RESOURCE_SHORTAGE;
	close(create.out_object);
	close(create.out_control);
	return kr;
}

static const struct row {
	const char *name;
	kern_return_t (*call)(void);
} rows[] = {
	{ "allocate", call_allocate },
	{ "allocate a window", call_allocate_window },
	{ "allocate another arena", call_allocate_arena },
	{ "deallocate", call_deallocate },
	{ "protect", call_protect },
	{ "execute", call_execute },
	{ "execute no more", call_execute_no_more },
	{ "inherit", call_inherit },
	{ "copy", call_copy },
	{ "read", call_read },
	{ "wire", call_wire },
	{ "map an object", call_map_object },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct counts {
	unsigned long maps, objects, pages, wired;
};

static struct counts count(void)
{
	struct machvm_vm_statistics now = { .size = sizeof(now) };

	util_ioctl(util_device(), MACHVM_VM_STATISTICS, &now);
	return (struct counts){
		now.out_maps, now.out_objects,
		now.out_active_count + now.out_inactive_count + now.out_wire_count,
		now.out_wire_count,
	};
}

/* Takes away whatever the calls have made. */
static void tidy(struct __test_metadata *_metadata)
{
	EXPECT_EQ(KERN_SUCCESS, vm_wire(mach_host_priv(), SELF, base, PAGES(16), VM_PROT_NONE));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(16), FALSE, RW));
	EXPECT_EQ(KERN_SUCCESS, vm_inherit(SELF, base, PAGES(16), VM_INHERIT_COPY));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, 0, base));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(16), USER_END - base - PAGES(16)));
}

/* Returns how often the call failed. */
static unsigned int lack_each(struct __test_metadata *_metadata, struct util_inject *inject,
			      const struct row *row)
{
	unsigned int failures = 0;
	kern_return_t kr = KERN_FAILURE;
	struct counts before, after;
	bool more = true;

	row->call();
	tidy(_metadata);
	util_fill(base, 16, 1);
	before = count();
	for (unsigned int nth = 1; more && nth < 1000; nth++) {
		util_inject(inject, nth);
		kr = row->call();
		more = util_inject_end(inject);
		failures += kr != KERN_SUCCESS;
		/* All of it is within reach, whatever was to be mapped anew. */
		EXPECT_EQ(0, util_wrong(base, 16, 1)) TH_LOG("%s without %u", row->name, nth);
		tidy(_metadata);
		util_fill(base, 16, 1);
		after = count();
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)))
			TH_LOG("%s without %u", row->name, nth);
	}
	EXPECT_EQ(KERN_SUCCESS, kr) TH_LOG("%s", row->name);
	return failures;
}

FIXTURE(lack) {
	long limit;
};

FIXTURE_SETUP(lack)
{
	self->limit = util_parameter("max_user_pages");
	base = util_make(16);
	ASSERT_NE(0, base);
	util_fill(base, 16, 1);
}

FIXTURE_TEARDOWN_PARENT(lack)
{
	util_parameter_set("max_user_pages", self->limit);
}

TEST_F(lack, any_one_thing_for_a_call)
{
	struct util_inject inject;
	unsigned int failures;

	ASSERT_TRUE(util_inject_init(&inject));
	for (const struct row *row = rows; row < rows + ROWS; row++) {
		failures = lack_each(_metadata, &inject, row);
		if (inject.fd >= 0)
			EXPECT_LT(0, failures) TH_LOG("%s", row->name);
	}
}

/* Linux allows a process no further mapping. */
#define MAPPINGS "/proc/sys/vm/max_map_count"

static long mappings_allowed(void)
{
	FILE *file = fopen(MAPPINGS, "re");
	long number = -1;

	if (file && fscanf(file, "%ld", &number) != 1)
		number = -1;
	if (file)
		fclose(file);
	return number;
}

static int mappings_allow(long number)
{
	FILE *file = fopen(MAPPINGS, "we");

	if (!file)
		return -1;
	fprintf(file, "%ld\n", number);
	return fclose(file);
}

FIXTURE(few_mappings) {
	long allowed;
};

FIXTURE_SETUP(few_mappings)
{
	self->allowed = mappings_allowed();
	ASSERT_LT(0, self->allowed);
	base = util_make(16);
	ASSERT_NE(0, base);
	util_fill(base, 16, 1);
}

FIXTURE_TEARDOWN_PARENT(few_mappings)
{
	mappings_allow(self->allowed);
}

TEST_F(few_mappings, V5_S2_9_no_mapping_left)
{
	unsigned int number = util_mappings(0, -1UL, false);
	vm_address_t window = WINDOW;

	/* From one that is too many already to as many as are needed. */
	for (int more = -1; more < 6; more++) {
		ASSERT_EQ(0, mappings_allow(number + more));
		kern_return_t executed = vm_protect(SELF, base + PAGES(3), PAGES(5), FALSE, RX);
		kern_return_t placed = vm_allocate(SELF, &window, PAGES(4), FALSE);

		ASSERT_EQ(0, mappings_allow(self->allowed));
		if (executed != KERN_SUCCESS)
			EXPECT_EQ(KERN_RESOURCE_SHORTAGE, executed);
		if (placed != KERN_SUCCESS)
			EXPECT_EQ(KERN_RESOURCE_SHORTAGE, placed);
		if (more < 0)
			EXPECT_NE(KERN_SUCCESS, executed);
		if (more == 5)
			EXPECT_EQ(KERN_SUCCESS, executed | placed);
		EXPECT_EQ(executed ? 0 : KERN_PROTECTION_FAILURE,
			  util_why_write(base + PAGES(5), util_mark(5, 1)));
		EXPECT_EQ(0, util_wrong(base, 16, 1));
		EXPECT_EQ(placed ? 0 : PAGES(4), util_covered(WINDOW, WINDOW + PAGES(4)));
		EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(16), FALSE, RW));
		EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, WINDOW, PAGES(4)));
	}
}

HARNESS_MAIN
