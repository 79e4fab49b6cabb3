// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_info.c - objects with a pager, and their pages, as a debugger sees them: rows D2 and D3.
 */
#include "harness.h"
#include "raw.h"

#include <mach_debug/mach_debug.h>
#include <sched.h>

static vm_object_info_t info_of(vm_address_t address)
{
	memory_object_name_t name, shadow, copy;
	vm_region_info_t region;
	vm_object_info_t info;

	must_eq(mach_vm_region_info(SELF, address, &region, &name), KERN_SUCCESS);
	must_eq(mach_vm_object_info(name, &info, &shadow, &copy), KERN_SUCCESS);
	return info;
}

static unsigned int pages_of(vm_address_t address, vm_page_info_t *room, unsigned int nr)
{
	mach_msg_type_number_t count = nr;
	vm_page_info_array_t pages = room;
	memory_object_name_t name;
	vm_region_info_t region;

	must_eq(mach_vm_region_info(SELF, address, &region, &name), KERN_SUCCESS);
	must_eq(mach_vm_object_pages(name, &pages, &count), KERN_SUCCESS);
	must(pages == room);
	return count;
}

TEST(D2_state_of_a_pager)
{
	const vm_object_info_state_t created = VOI_STATE_ALIVE | VOI_STATE_PAGER_CREATED;
	struct channel channel;
	struct object object;
	vm_object_info_t info;
	vm_address_t base;

	channel_open(&channel);
	object_create(&object);
	base = map_object(&object, 1, 4, false);
	info = info_of(base);
	EXPECT_EQ(object.id, info.voi_object);
	EXPECT_EQ(PAGES(5), info.voi_size);
	EXPECT_EQ(MEMORY_OBJECT_COPY_DELAY, info.voi_copy_strategy);
	EXPECT_EQ(created, info.voi_state);
	must_eq(object_bind(&object, &channel, 0), 0);
	expect_message(&channel, MACHVM_CMD_INIT);
	EXPECT_EQ(created | VOI_STATE_PAGER_INITIALIZED, info_of(base).voi_state);
	must_eq(say_ready(&channel, &object, COPY_DELAY), 0);
	EXPECT_EQ(created | VOI_STATE_PAGER_INITIALIZED | VOI_STATE_PAGER_READY,
		  info_of(base).voi_state);
}

TEST(D2_a_delayed_copy_is_named)
{
	vm_object_info_t info;
	vm_address_t copy;
	struct served s;

	serve(&s, 4);
	EXPECT_EQ(0, info_of(s.base).voi_copy);
	copy = map_object(&s.object, 0, 2, true);
	info = info_of(copy);
	EXPECT_EQ(info.voi_object, info_of(s.base).voi_copy);
	EXPECT_EQ(s.object.id, info.voi_shadow);
	EXPECT_EQ(VOI_STATE_ALIVE | VOI_STATE_INTERNAL | VOI_STATE_TEMPORARY, info.voi_state);
}

TEST(D3_pages_of_a_pager)
{
	vm_page_info_t pages[8];
	struct touch reader;
	struct served s;

	serve(&s, 8);
	EXPECT_EQ(0, pages_of(s.base, pages, 8));
	must_eq(supply_mark(&s.object, 1, 0), 0);
	must_eq(supply_mark(&s.object, 3, 0), 0);
	must_eq(supply_precious(&s.object, 4, 0), 0);
	util_fill(s.base + PAGES(3), 2, 1);
	sleeping_read(&reader, s.base + PAGES(6));
	ASSERT_EQ(4, pages_of(s.base, pages, 8));
	EXPECT_EQ(PAGES(1), pages[0].vpi_offset);
	EXPECT_EQ(VPI_STATE_TABLED | VPI_STATE_ACTIVE | VPI_STATE_PAGER, pages[0].vpi_state);
	EXPECT_EQ(PAGES(3), pages[1].vpi_offset);
	EXPECT_EQ(VPI_STATE_TABLED | VPI_STATE_ACTIVE | VPI_STATE_PAGER | VPI_STATE_DIRTY,
		  pages[1].vpi_state);
	EXPECT_EQ(PAGES(4), pages[2].vpi_offset);
	EXPECT_EQ(VPI_STATE_TABLED | VPI_STATE_ACTIVE | VPI_STATE_PRECIOUS | VPI_STATE_DIRTY,
		  pages[2].vpi_state);
	EXPECT_EQ(PAGES(6), pages[3].vpi_offset);
	EXPECT_EQ(VPI_STATE_BUSY | VPI_STATE_ABSENT | VPI_STATE_WANTED, pages[3].vpi_state);
	EXPECT_EQ(1, info_of(s.base).voi_absent_count);
	EXPECT_EQ(3, info_of(s.base).voi_resident_page_count);
	/* What failed is nothing that is there. */
	must_eq(say_error(&s.channel, &s.object, PAGES(6), PAGE, 5), 0);
	touch_end(&reader);
	EXPECT_EQ(3, pages_of(s.base, pages, 8));
	EXPECT_EQ(0, info_of(s.base).voi_absent_count);
}

TEST(D3_pages_on_their_way_to_the_pager)
{
	const vm_page_info_state_t clean = VPI_STATE_TABLED | VPI_STATE_ACTIVE | VPI_STATE_PAGER;
	vm_page_info_t pages[2];
	struct served s;

	serve_clean(&s, 2);
	write_page(&s, 0, 0x5a);
	write_page(&s, 1, 0x5a);
	must_eq(vm_msync(SELF, s.base + PAGE, PAGE, VM_SYNC_ASYNCHRONOUS), KERN_SUCCESS);
	expect_return(&s, 1, 1, true, true, 0x5a);
	ASSERT_EQ(2, pages_of(s.base, pages, 2));
	EXPECT_EQ(clean | VPI_STATE_DIRTY, pages[0].vpi_state);
	EXPECT_EQ(clean | VPI_STATE_DIRTY | VPI_STATE_LAUNDRY, pages[1].vpi_state);
	released(&s, 1, 1);
	ASSERT_EQ(2, pages_of(s.base, pages, 2));
	EXPECT_EQ(clean | VPI_STATE_DIRTY, pages[0].vpi_state);
	EXPECT_EQ(clean, pages[1].vpi_state);
}

TEST(D3_P3_what_the_pager_forbids_and_was_asked_to_allow)
{
	static unsigned char data[PAGE];
	struct machvm_data_supply supply = {
		.size = sizeof(supply), .length = PAGE, .address = (uintptr_t)data,
		.lock_value = VM_PROT_WRITE,
	};
	vm_page_info_t page;
	struct touch writer;
	struct served s;

	serve(&s, 2);
	supply.epoch = s.object.epoch;
	must_eq(util_ioctl(s.object.control, MACHVM_DATA_SUPPLY, &supply), 0);
	ASSERT_EQ(1, pages_of(s.base, &page, 1));
	EXPECT_EQ(VM_PROT_WRITE, page.vpi_page_lock);
	EXPECT_EQ(0, page.vpi_unlock_request);
	sleeping_write(&writer, s.base, 7);
	ASSERT_EQ(1, pages_of(s.base, &page, 1));
	EXPECT_EQ(VM_PROT_WRITE, page.vpi_page_lock);
	EXPECT_EQ(VM_PROT_READ | VM_PROT_WRITE, page.vpi_unlock_request);
	channel_close(&s.channel);
	touch_end(&writer);
	ASSERT_EQ(1, pages_of(s.base, &page, 1));
	EXPECT_EQ(0, page.vpi_unlock_request);
}

HARNESS_MAIN
