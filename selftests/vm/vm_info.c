// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_info.c - regions, objects and pages as a debugger sees them: rows D1 to D4, and V17.
 */
#include "harness.h"
#include "util.h"

#include <mach_debug/mach_debug.h>
#include <unistd.h>

static vm_region_info_t region_at(vm_address_t address, memory_object_name_t *name)
{
	vm_region_info_t region = { 0 };

	if (mach_vm_region_info(SELF, address, &region, name) != KERN_SUCCESS)
		region.vri_end = 0;
	return region;
}

static memory_object_name_t name_at(vm_address_t address)
{
	memory_object_name_t name = MACH_PORT_NULL;

	region_at(address, &name);
	return name;
}

TEST(D1_region_info_says_what_vm_region_says)
{
	memory_object_name_t name = 1;
	struct util_region basic;
	vm_region_info_t region;
	vm_address_t base = util_make(8);

	vm_protect(SELF, base, PAGES(2), FALSE, VM_PROT_READ);
	vm_protect(SELF, base, PAGES(2), TRUE, VM_PROT_READ | VM_PROT_EXECUTE);
	vm_inherit(SELF, base, PAGES(2), VM_INHERIT_NONE);
	region = region_at(base + 5, &name);
	EXPECT_EQ(base, region.vri_start);
	EXPECT_EQ(base + PAGES(2), region.vri_end);
	EXPECT_EQ(VM_PROT_READ, region.vri_protection);
	EXPECT_EQ(VM_PROT_READ | VM_PROT_EXECUTE, region.vri_max_protection);
	EXPECT_EQ(VM_INHERIT_NONE, region.vri_inheritance);
	EXPECT_EQ(0, region.vri_wired_count);
	EXPECT_EQ(0, region.vri_user_wired_count);
	EXPECT_EQ(0, region.vri_object);
	EXPECT_EQ(0, region.vri_needs_copy);
	EXPECT_EQ(0, region.vri_sharing);
	EXPECT_EQ(MACH_PORT_NULL, name);

	util_fill(base + PAGES(3), 1, 1);
	region = region_at(base + PAGES(2), &name);
	EXPECT_NE(0, region.vri_object);
	ASSERT_EQ(KERN_SUCCESS, util_region(base + PAGES(2), &basic));
	EXPECT_EQ(basic.name, name);
	EXPECT_EQ(basic.offset, region.vri_offset);
}

/* At a hole the next region; past the last one NO_SPACE, and nothing is set. */
TEST(D1_S2_12_region_info_at_a_hole_and_past_the_end)
{
	vm_region_info_t region = { .vri_start = 77 };
	memory_object_name_t name = 77;
	vm_address_t base = util_make(5);

	vm_deallocate(SELF, base + PAGE, PAGES(2));
	ASSERT_EQ(KERN_SUCCESS, mach_vm_region_info(SELF, base + PAGE, &region, &name));
	EXPECT_EQ(base + PAGES(3), region.vri_start);
	region.vri_start = name = 77;
	EXPECT_EQ(KERN_NO_SPACE, mach_vm_region_info(SELF, base + PAGES(5), &region, &name));
	EXPECT_EQ(KERN_NO_SPACE, mach_vm_region_info(SELF, -1UL, &region, &name));
	EXPECT_EQ(77, region.vri_start);
	EXPECT_EQ(77, name);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, mach_vm_region_info(MACH_PORT_NULL, base, &region, &name));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, mach_vm_region_info(STDERR_FILENO, base, &region, &name));
}

TEST(V22_D1_D3_wired_memory)
{
	vm_page_info_t room[4], *pages = room;
	mach_msg_type_number_t count = 4;
	vm_address_t base = util_make(4);
	memory_object_name_t name;
	vm_region_info_t region;

	util_fill(base, 4, 1);
	ASSERT_EQ(KERN_SUCCESS,
		  vm_wire(mach_host_priv(), SELF, base + PAGE, PAGES(2), VM_PROT_READ));
	ASSERT_EQ(KERN_SUCCESS,
		  vm_wire(mach_host_priv(), SELF, base + PAGE, PAGES(2), VM_PROT_READ));
	region = region_at(base + PAGE, &name);
	EXPECT_EQ(base + PAGES(3), region.vri_end);
	EXPECT_EQ(1, region.vri_wired_count);
	EXPECT_EQ(1, region.vri_user_wired_count);
	EXPECT_EQ(0, region_at(base, &name).vri_wired_count);
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_pages(name, &pages, &count));
	ASSERT_EQ(4, count);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i == 1 || i == 2, pages[i].vpi_wire_count);
}

TEST(D1_region_that_is_shared_or_to_be_copied)
{
	vm_address_t base = util_make(4);
	memory_object_name_t name;
	vm_region_info_t region;
	pid_t pid;

	vm_inherit(SELF, base, PAGES(2), VM_INHERIT_SHARE);
	util_fill(base, 4, 1);
	pid = fork();
	if (pid == 0) {
		region = region_at(base, &name);
		EXPECT_EQ(1, region.vri_sharing);
		EXPECT_EQ(0, region.vri_needs_copy);
		region = region_at(base + PAGES(2), &name);
		EXPECT_EQ(0, region.vri_sharing);
		EXPECT_EQ(1, region.vri_needs_copy);
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	region = region_at(base, &name);
	EXPECT_EQ(1, region.vri_sharing);	/* and stays so */
	region = region_at(base + PAGES(2), &name);
	EXPECT_EQ(0, region.vri_sharing);
	EXPECT_EQ(1, region.vri_needs_copy);
	util_fill(base + PAGES(2), 1, 2);
	EXPECT_EQ(0, region_at(base + PAGES(2), &name).vri_needs_copy);
}

/* The name is that of the object that the offset is in, also with others below it. */
TEST(V17_name_and_offset_are_of_one_object)
{
	vm_address_t base = util_make(6), copy;
	memory_object_name_t shadow, none;
	mach_msg_type_number_t count;
	struct util_region region;
	vm_object_info_t info;

	util_fill(base, 6, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, base + PAGES(2), PAGES(3), &copy, &count));
	ASSERT_EQ(KERN_SUCCESS, util_region(copy, &region));
	EXPECT_EQ(name_at(base), region.name);
	EXPECT_EQ(PAGES(2), region.offset);
	util_fill(copy, 1, 2);
	ASSERT_EQ(KERN_SUCCESS, util_region(copy, &region));
	EXPECT_NE(name_at(base), region.name);
	EXPECT_EQ(0, region.offset);
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_info(region.name, &info, &shadow, &none));
	EXPECT_EQ(PAGES(2), info.voi_shadow_offset);
	EXPECT_EQ(MACH_PORT_NULL, none);
}

/* What the basic call does not tell: pages, written ones, and how many objects lie below. */
TEST(V18_residence_and_shadow_depth)
{
	struct machvm_vm_region region;
	vm_address_t base = util_make(8), copy, again;
	mach_msg_type_number_t count;

	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	EXPECT_EQ(0, region.out_resident);
	EXPECT_EQ(0, region.out_shadow_depth);
	EXPECT_EQ(0, region.out_flags);
	util_fill(base, 3, 1);
	util_read(base + PAGES(5));
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base, &region));
	EXPECT_EQ(4, region.out_resident);
	EXPECT_EQ(3, region.out_dirty);
	/* Only pages of the region, where the object has others. */
	vm_protect(SELF, base + PAGES(2), PAGES(6), FALSE, VM_PROT_READ);
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, base + PAGES(2), &region));
	EXPECT_EQ(2, region.out_resident);
	EXPECT_EQ(1, region.out_dirty);
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(8), &copy, &count));
	util_fill(copy, 1, 2);
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, copy, PAGES(8), &again, &count));
	util_fill(again, 2, 3);
	ASSERT_EQ(0, util_region_full(MACHVM_TASK_SELF, again, &region));
	EXPECT_EQ(2, region.out_shadow_depth);
	EXPECT_EQ(4, region.out_resident);
	EXPECT_EQ(3, region.out_dirty);
	/* Who does not ask for counts does not pay for them. */
	region = (struct machvm_vm_region){ .size = sizeof(region), .task = MACHVM_TASK_SELF,
					    .address = again };
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_REGION, &region));
	EXPECT_EQ(0, region.out_resident);
	EXPECT_EQ(2, region.out_shadow_depth);
}

TEST(D2_object_info_of_plain_memory)
{
	memory_object_name_t shadow = 7, copy = 7;
	vm_address_t base = util_make(10);
	vm_object_info_t info;

	util_fill(base, 3, 1);
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_info(name_at(base), &info, &shadow, &copy));
	EXPECT_EQ(PAGE, info.voi_pagesize);
	EXPECT_EQ(PAGES(10), info.voi_size);
	EXPECT_EQ(1, info.voi_ref_count);
	EXPECT_EQ(3, info.voi_resident_page_count);
	EXPECT_EQ(0, info.voi_absent_count);
	EXPECT_EQ(0, info.voi_shadow);
	EXPECT_EQ(0, info.voi_copy);
	EXPECT_EQ(0, info.voi_paging_offset);
	EXPECT_EQ(0, info.voi_paging_in_progress);
	EXPECT_EQ(VOI_STATE_ALIVE | VOI_STATE_INTERNAL | VOI_STATE_TEMPORARY, info.voi_state);
	EXPECT_EQ(MACH_PORT_NULL, shadow);
	EXPECT_EQ(MACH_PORT_NULL, copy);
	/* It grows with its region, and does not shrink. */
	vm_address_t next = base + PAGES(10);

	if (vm_allocate(SELF, &next, PAGES(2), FALSE) == KERN_SUCCESS) {
		mach_vm_object_info(name_at(base), &info, &shadow, &copy);
		EXPECT_EQ(PAGES(12), info.voi_size);
	}
	vm_deallocate(SELF, base + PAGES(5), PAGES(7));
	mach_vm_object_info(name_at(base), &info, &shadow, &copy);
	EXPECT_LE(PAGES(10), info.voi_size);
}

TEST(D2_object_info_of_a_shadow)
{
	vm_address_t base = util_make(8), copy;
	memory_object_name_t shadow, none;
	mach_msg_type_number_t count;
	vm_object_info_t info;

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, base + PAGES(3), PAGES(4), &copy, &count));
	util_fill(copy + PAGE, 1, 2);
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_info(name_at(copy), &info, &shadow, &none));
	EXPECT_EQ(name_at(base), shadow);
	EXPECT_EQ(PAGES(3), info.voi_shadow_offset);
	EXPECT_EQ(1, info.voi_resident_page_count);
	EXPECT_EQ(PAGES(4), info.voi_size);
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_info(shadow, &info, &shadow, &none));
	EXPECT_EQ(8, info.voi_resident_page_count);
	/* Three regions, which the read has cut, and what lies above. */
	EXPECT_EQ(4, info.voi_ref_count);
	EXPECT_EQ(MACH_PORT_NULL, shadow);
}

TEST(D2_names_that_are_none)
{
	mach_msg_type_number_t count = 0;
	memory_object_name_t shadow, copy, gone;
	vm_page_info_array_t pages = NULL;
	vm_address_t base = util_make(1);
	vm_object_info_t info;

	util_fill(base, 1, 1);
	gone = name_at(base);
	vm_deallocate(SELF, base, PAGE);
	const memory_object_name_t names[] = { MACH_PORT_NULL, MACH_PORT_DEAD, SELF, 3, 999, gone,
					       gone + 1000000, 0x40000000, 0x7fffffff };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_EQ(KERN_INVALID_ARGUMENT,
			  mach_vm_object_info(names[i], &info, &shadow, &copy));
		EXPECT_EQ(KERN_INVALID_ARGUMENT, mach_vm_object_pages(names[i], &pages, &count));
	}
}

TEST(D3_pages_of_plain_memory)
{
	struct machvm_task_memory before, after;
	vm_page_info_t room[4], *pages = room;
	mach_msg_type_number_t count = 4;
	vm_address_t base = util_make(600);

	util_fill(base + PAGES(1), 1, 1);
	util_read(base + PAGES(5));
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_pages(name_at(base), &pages, &count));
	EXPECT_EQ(&room[0], pages);
	ASSERT_EQ(2, count);
	EXPECT_EQ(PAGES(1), pages[0].vpi_offset);
	EXPECT_EQ(VPI_STATE_TABLED | VPI_STATE_ACTIVE | VPI_STATE_DIRTY, pages[0].vpi_state);
	EXPECT_EQ(PAGES(5), pages[1].vpi_offset);
	EXPECT_EQ(VPI_STATE_TABLED | VPI_STATE_ACTIVE, pages[1].vpi_state);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, pages[i].vpi_phys_addr);
		EXPECT_EQ(0, pages[i].vpi_wire_count);
		EXPECT_EQ(0, pages[i].vpi_page_lock);
		EXPECT_EQ(0, pages[i].vpi_unlock_request);
	}
	ASSERT_EQ(KERN_SUCCESS, vm_msync(SELF, base + PAGES(5), PAGE, VM_SYNC_DEACTIVATE));
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_pages(name_at(base), &pages, &count));
	EXPECT_EQ(VPI_STATE_TABLED | VPI_STATE_ACTIVE | VPI_STATE_DIRTY, pages[0].vpi_state);
	EXPECT_EQ(VPI_STATE_TABLED | VPI_STATE_INACTIVE, pages[1].vpi_state);
	/* They just fit. */
	util_fill(base + PAGES(2), 2, 1);
	count = 4;
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_pages(name_at(base), &pages, &count));
	EXPECT_EQ(&room[0], pages);
	EXPECT_EQ(4, count);
	/* They do not; and there are more than one batch. */
	util_fill(base, 600, 1);
	ASSERT_EQ(KERN_SUCCESS, machvm_task_memory(SELF, &before));
	count = 4;
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_pages(name_at(base), &pages, &count));
	ASSERT_NE(&room[0], pages);
	ASSERT_EQ(600, count);
	for (unsigned int i = 0; i < count; i++)
		ASSERT_EQ(PAGES(i), pages[i].vpi_offset);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, (vm_address_t)pages, count * sizeof(*pages)));
	ASSERT_EQ(KERN_SUCCESS, machvm_task_memory(SELF, &after));
	EXPECT_EQ(before.virtual_size, after.virtual_size);
}

/* The cursor of the ioctl: in pieces of any size the same pages. */
TEST(D3_pages_in_pieces)
{
	static struct machvm_page_info all[300], piece[300];
	struct machvm_object_pages call = { .size = sizeof(call) };
	vm_address_t base = util_make(300);
	memory_object_name_t name;
	unsigned int total = 0;

	util_fill(base, 300, 1);
	call.id = region_at(base, &name).vri_object;
	call.address = (uintptr_t)all;
	call.count = 300;
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_OBJECT_PAGES, &call));
	EXPECT_EQ(300, call.count);
	EXPECT_EQ(UINT64_MAX, call.offset);
	for (unsigned int size = 1; size <= 299; size += 149) {
		call.offset = 0;
		for (total = 0; call.offset != UINT64_MAX; total += call.count) {
			call.address = (uintptr_t)(piece + total);
			call.count = size;
			ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_OBJECT_PAGES, &call));
			ASSERT_LE(call.count, size);
		}
		ASSERT_EQ(300, total);
		EXPECT_EQ(0, memcmp(all, piece, sizeof(all)));
	}
	/* In the middle, and behind the last. */
	call.offset = PAGES(298) + 1;
	call.count = 300;
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_OBJECT_PAGES, &call));
	EXPECT_EQ(2, call.count);
	call.offset = PAGES(300);
	call.count = 300;
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_OBJECT_PAGES, &call));
	EXPECT_EQ(0, call.count);
	EXPECT_EQ(UINT64_MAX, call.offset);
	call.offset = 0;
	call.count = 0;
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_OBJECT_PAGES, &call));
	EXPECT_EQ(0, call.offset);
}

/* The same page has one address, and two have two. */
TEST(D3_physical_addresses)
{
	vm_page_phys_info_t room[4], *pages = room;
	mach_msg_type_number_t count = 4;
	vm_address_t base = util_make(2);
	unsigned long long first;

	util_fill(base, 2, 1);
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_pages_phys(name_at(base), &pages, &count));
	ASSERT_EQ(2, count);
	first = pages[0].vpi_phys_addr;
	EXPECT_NE(0, first);
	EXPECT_EQ(0, first % PAGE);
	EXPECT_NE(first, pages[1].vpi_phys_addr);
	count = 4;
	ASSERT_EQ(KERN_SUCCESS, mach_vm_object_pages_phys(name_at(base), &pages, &count));
	EXPECT_EQ(first, pages[0].vpi_phys_addr);
}

/* A bucket is an object: what one more object has is in one more bucket. */
TEST(D4_pages_by_object)
{
	hash_info_bucket_t before_room[200], *before = before_room;
	hash_info_bucket_t after_room[200], *after = after_room;
	mach_msg_type_number_t count = 200, one_more = 200;
	vm_address_t base;

	ASSERT_EQ(KERN_SUCCESS,
		  host_virtual_physical_table_info(mach_host_self(), &before, &count));
	ASSERT_EQ(&before_room[0], before);
	base = util_make(7);
	util_fill(base, 5, 1);
	ASSERT_EQ(KERN_SUCCESS,
		  host_virtual_physical_table_info(mach_host_self(), &after, &one_more));
	ASSERT_EQ(count + 1, one_more);
	for (unsigned int i = 0; i < count; i++)
		EXPECT_EQ(before[i].hib_count, after[i].hib_count);
	EXPECT_EQ(5, after[count].hib_count);
	/* One short: the answer comes in fresh memory, which is an object more. */
	after = after_room;
	one_more = count;
	ASSERT_EQ(KERN_SUCCESS,
		  host_virtual_physical_table_info(mach_host_self(), &after, &one_more));
	ASSERT_NE(&after_room[0], after);
	ASSERT_LE(count + 1, one_more);
	EXPECT_EQ(5, after[count].hib_count);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, (vm_address_t)after, one_more * sizeof(*after)));
	EXPECT_EQ(KERN_INVALID_HOST,
		  host_virtual_physical_table_info(MACH_PORT_NULL, &after, &count));
}

/* A descriptor of the device is no right to look at what another user made. */
TEST(D2_D3_objects_of_others)
{
	vm_address_t base = util_make(1);
	pid_t pid;

	util_fill(base, 1, 1);
	pid = fork();
	if (pid == 0) {
		vm_page_info_t room[1], *pages = room;
		mach_msg_type_number_t count = 1;
		memory_object_name_t shadow, copy;
		vm_object_info_t info;

		EXPECT_EQ(0, setuid(1234));
		EXPECT_EQ(KERN_INVALID_ARGUMENT,
			  mach_vm_object_info(name_at(base), &info, &shadow, &copy));
		EXPECT_EQ(KERN_INVALID_ARGUMENT,
			  mach_vm_object_pages(name_at(base), &pages, &count));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
}

/* An ordinary user sees the objects of its own, but not where they are in memory. */
TEST(D2_D3_objects_of_ones_own)
{
	vm_statistics_data_t statistics;
	pid_t pid;

	/* The mode of the device is root's, so the library opens it before. */
	ASSERT_EQ(KERN_SUCCESS, vm_statistics(SELF, &statistics));
	pid = fork();
	if (pid == 0) {
		vm_page_phys_info_t phys_room[2], *phys = phys_room;
		vm_page_info_t room[2], *pages = room;
		mach_msg_type_number_t count = 2;
		memory_object_name_t shadow, copy;
		vm_object_info_t info;
		vm_address_t base;

		EXPECT_EQ(0, setuid(1234));
		base = util_make(2);
		EXPECT_NE(0, base);
		util_fill(base, 2, 1);
		EXPECT_EQ(KERN_SUCCESS, mach_vm_object_info(name_at(base), &info, &shadow, &copy));
		EXPECT_EQ(2, info.voi_resident_page_count);
		EXPECT_EQ(KERN_SUCCESS, mach_vm_object_pages(name_at(base), &pages, &count));
		EXPECT_EQ(2, count);
		count = 2;
		EXPECT_EQ(KERN_NO_ACCESS, mach_vm_object_pages_phys(name_at(base), &phys, &count));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
}

HARNESS_MAIN
