// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager_proxy.c - proxies of memory objects, of tasks' memory and of proxies: rows X1 to X5, S2.56.
 */
#include "harness.h"
#include "raw.h"

#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ VM_PROT_READ
#define RW (VM_PROT_READ | VM_PROT_WRITE)

/* An object all of whose pages are there, marked with their number. */
static void serve_full(struct served *s, unsigned int pages)
{
	serve(s, pages);
	for (unsigned int i = 0; i < pages; i++)
		must_eq(supply_mark(&s->object, i, 0), 0);
}

/* A proxy of one part that begins at its byte 0. */
static kern_return_t proxy_of(mach_port_t object, vm_prot_t max, vm_offset_t start, vm_size_t len,
			      mach_port_t *proxy)
{
	vm_offset_t offset = 0;

	return memory_object_create_proxy(SELF, max, &object, MACH_MSG_TYPE_COPY_SEND, 1, &offset,
					  1, &start, 1, &len, 1, proxy);
}

static mach_port_t must_proxy(mach_port_t object, vm_prot_t max, vm_offset_t start, vm_size_t len)
{
	mach_port_t proxy;

	must_eq(proxy_of(object, max, start, len, &proxy), KERN_SUCCESS);
	return proxy;
}

/* vm_map anywhere. */
static kern_return_t map_at(mach_port_t object, vm_offset_t offset, vm_size_t size, boolean_t copy,
			    vm_prot_t cur, vm_prot_t max, vm_address_t *address)
{
	*address = 0;
	return vm_map(SELF, address, size, 0, TRUE, object, offset, copy, cur, max,
		      VM_INHERIT_COPY);
}

static kern_return_t try_map(mach_port_t object, vm_offset_t offset, vm_size_t size)
{
	vm_address_t address;

	return map_at(object, offset, size, FALSE, READ, READ, &address);
}

static vm_address_t must_map(mach_port_t object, vm_offset_t offset, unsigned int pages,
			     boolean_t copy)
{
	vm_address_t address;

	must_eq(map_at(object, offset, PAGES(pages), copy, RW, VM_PROT_ALL, &address),
		KERN_SUCCESS);
	return address;
}

TEST(X1_a_part_of_an_object)
{
	mach_port_t proxy;
	vm_address_t base;
	struct served s;

	serve_full(&s, 8);
	proxy = must_proxy(s.object.fd, VM_PROT_ALL, PAGES(2), PAGES(4));
	base = must_map(proxy, PAGES(1), 3, FALSE);
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(page_is(base, i, util_mark(3 + i, 0)));
	/* It is the object itself. */
	*(unsigned char *)base = 77;
	EXPECT_EQ(77, byte_at(s.base, 3));
	EXPECT_EQ(s.object.id, ({
			struct machvm_vm_region region;

			util_region_full(MACHVM_TASK_SELF, base, &region);
			region.out_object;
		}));
}

/* As the whole of GNU's callers have it: from 0, as long as numbers go. */
TEST(X1_all_of_an_object)
{
	mach_port_t proxy;
	vm_address_t base;
	struct served s;

	serve_full(&s, 4);
	proxy = must_proxy(s.object.fd, READ, 0, ~0UL);
	base = must_map(proxy, PAGES(1), 3, FALSE);
	EXPECT_TRUE(page_is(base, 0, util_mark(1, 0)));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, -PAGES(2), PAGES(4)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, -PAGE, PAGE));
}

/* Mach took one object at offset 0, and found out when it was mapped what that was. */
TEST(X1_what_is_refused)
{
	vm_offset_t offset[2] = { 0, PAGES(1) }, start[2] = { 0 };
	vm_size_t len[2] = { PAGES(1), PAGES(1) };
	mach_port_t objects[2], proxy = 77, owner = 77;
	static mach_port_t many[1025];
	static vm_offset_t zeroes[1025];
	struct served s;

#define TRY(objects, objects_nr, offset_nr, start_nr, len_nr, max)                          \
	memory_object_create_proxy(SELF, max, objects, MACH_MSG_TYPE_COPY_SEND, objects_nr, \
				   offset, offset_nr, start, start_nr, len, len_nr, &proxy)
	serve(&s, 4);
	objects[0] = objects[1] = s.object.fd;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 0, 0, 0, 0, READ));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 1, 2, 2, READ));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 1, 2, READ));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 1, READ));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 2, 0x10));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 2, -1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, machvm_object_create_proxy(READ, 1025, many, zeroes,
								    zeroes, zeroes, &proxy, NULL));
	/* Where parts are: aligned, without overlap, and no further than numbers go. */
	offset[1] = PAGES(1) - 1;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 2, READ));
	offset[1] = 0;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 2, READ));
	offset[1] = -PAGE;
	len[1] = PAGES(2);
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 2, READ));
	offset[1] = PAGES(1);
	start[1] = 8;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 2, READ));
	start[1] = PAGE;
	len[1] = ~0UL;
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY(objects, 2, 2, 2, 2, READ));
	start[1] = 0;
	len[1] = PAGE;
	/* What the rights are. */
	const mach_port_t wrong[] = { MACH_PORT_NULL, MACH_PORT_DEAD, SELF, s.object.control, 999,
				      STDERR_FILENO };

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		objects[1] = wrong[i];
		EXPECT_EQ(KERN_INVALID_NAME, TRY(objects, 2, 2, 2, 2, READ));
		EXPECT_EQ(KERN_INVALID_NAME, machvm_object_create_proxy(READ, 2, objects, offset,
									start, len, &proxy,
									&owner));
	}
	EXPECT_EQ(KERN_INVALID_TASK,
		  memory_object_create_proxy(MACH_PORT_NULL, READ, objects,
					     MACH_MSG_TYPE_COPY_SEND, 1, offset, 1, start, 1, len,
					     1, &proxy));
	EXPECT_EQ(77, proxy);
	EXPECT_EQ(77, owner);
}

TEST(X1_many_parts_in_any_order)
{
	struct served a, b;
	vm_offset_t offset[] = { PAGES(3), PAGES(0), PAGES(1), PAGES(6) };
	vm_offset_t start[] = { PAGES(1), PAGES(5), PAGES(0), PAGES(2) };
	vm_size_t len[] = { PAGES(2), PAGES(1), PAGES(2), PAGES(1) };
	mach_port_t objects[4], proxy;
	vm_address_t base, copy;

	serve_full(&a, 8);
	serve_full(&b, 8);
	for (int i = 0; i < 4; i++)
		objects[i] = i & 1 ? b.object.fd : a.object.fd;
	ASSERT_EQ(KERN_SUCCESS, machvm_object_create_proxy(VM_PROT_ALL, 4, objects, offset, start,
							   len, &proxy, NULL));
	must_eq(supply_mark(&b.object, 5, 9), MACHVM_KERN_MEMORY_PRESENT);
	base = must_map(proxy, 0, 5, FALSE);
	*(unsigned char *)(b.base + PAGES(5)) = 99;
	EXPECT_EQ(99, byte_at(base, 0));		/* b's page 5 */
	EXPECT_EQ(util_mark(0, 0), byte_at(base, 1));	/* a's 0 and 1 */
	EXPECT_EQ(util_mark(1, 0), byte_at(base, 2));
	EXPECT_EQ(util_mark(1, 0), byte_at(base, 3));	/* a's 1 and 2 */
	EXPECT_EQ(util_mark(2, 0), byte_at(base, 4));
	*(unsigned char *)(base + PAGES(2)) = 55;	/* one page at two places */
	EXPECT_EQ(55, byte_at(base, 3));
	EXPECT_EQ(55, byte_at(a.base, 1));
	copy = must_map(proxy, PAGES(2), 2, TRUE);
	*(unsigned char *)copy = 11;
	EXPECT_EQ(55, byte_at(copy, 1));
	EXPECT_EQ(55, byte_at(a.base, 1));
	/* With a hole in it, nothing is mapped at all. */
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, PAGES(4), PAGES(3)));
	EXPECT_EQ(KERN_SUCCESS, try_map(proxy, PAGES(6), PAGE));
	/* At a fixed place, where something is. */
	EXPECT_EQ(KERN_NO_SPACE, vm_map(SELF, &base, PAGES(5), 0, FALSE, proxy, 0, FALSE, READ,
					READ, VM_INHERIT_COPY));
	vm_deallocate(SELF, base, PAGES(5));
	EXPECT_EQ(KERN_SUCCESS, vm_map(SELF, &base, PAGES(5), 0, FALSE, proxy, 0, FALSE, READ, READ,
				       VM_INHERIT_COPY));
	EXPECT_EQ(55, byte_at(base, 3));
}

TEST(X2_protections_are_cut_down)
{
	struct util_region region;
	vm_address_t base, copy;
	mach_port_t proxy;
	struct served s;

	serve_full(&s, 4);
	proxy = must_proxy(s.object.fd, READ, 0, PAGES(4));
	base = must_map(proxy, 0, 4, FALSE);
	util_region(base, &region);
	EXPECT_EQ(READ, region.protection);
	EXPECT_EQ(READ, region.max_protection);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, vm_protect(SELF, base, PAGE, FALSE, RW));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	/* A copy is the mapper's own. */
	copy = must_map(proxy, 0, 4, TRUE);
	util_region(copy, &region);
	EXPECT_EQ(RW, region.protection);
	EXPECT_EQ(VM_PROT_ALL, region.max_protection);
	EXPECT_EQ(0, util_why_write(copy, 1));
	EXPECT_EQ(util_mark(0, 0), byte_at(s.base, 0));
}

TEST(X2_S2_56_a_copy_takes_the_right_to_read)
{
	mach_port_t blind, proxy;
	vm_address_t address;
	struct served s;

	serve_full(&s, 4);
	blind = must_proxy(s.object.fd, VM_PROT_WRITE, 0, PAGES(4));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, map_at(blind, 0, PAGE, TRUE, READ, READ, &address));
	EXPECT_EQ(KERN_SUCCESS, map_at(blind, 0, PAGE, FALSE, READ, READ, &address));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(address));
	/* What is not there comes first. */
	EXPECT_EQ(KERN_INVALID_ARGUMENT,
		  map_at(blind, PAGES(3), PAGES(2), TRUE, READ, READ, &address));
	/* One part of two. */
	const mach_port_t objects[] = { s.object.fd, blind };
	const vm_offset_t offset[] = { 0, PAGE }, start[] = { 0, 0 };
	const vm_size_t len[] = { PAGE, PAGE };

	ASSERT_EQ(KERN_SUCCESS, machvm_object_create_proxy(VM_PROT_ALL, 2, objects, offset, start,
							   len, &proxy, NULL));
	EXPECT_EQ(KERN_PROTECTION_FAILURE,
		  map_at(proxy, 0, PAGES(2), TRUE, READ, READ, &address));
	EXPECT_EQ(KERN_SUCCESS, map_at(proxy, 0, PAGE, TRUE, READ, READ, &address));
	/* Shared, each has what it may. */
	ASSERT_EQ(KERN_SUCCESS, map_at(proxy, 0, PAGES(2), FALSE, RW, RW, &address));
	EXPECT_EQ(0, util_why_write(address, 1));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(address + PAGE));
}

TEST(X2_ranges_beyond_the_proxy)
{
	mach_port_t proxy;
	struct served s;

	serve_full(&s, 8);
	proxy = must_proxy(s.object.fd, READ, PAGES(2), PAGES(4) + 100);
	EXPECT_EQ(KERN_SUCCESS, try_map(proxy, 0, PAGES(4)));
	EXPECT_EQ(KERN_SUCCESS, try_map(proxy, PAGES(3), 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, 0, PAGES(4) + 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, PAGES(4), 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, PAGES(1), PAGES(4)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, 5, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, 0, 0));
	/* Sums that wrap. */
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, -PAGE, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, -PAGES(2), PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, PAGES(3), -PAGES(3)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, -PAGES(4), PAGES(5)));
}

/* Mach kept the rights of the outermost level alone. */
TEST(X3_S2_56_no_level_gives_what_one_below_withholds)
{
	mach_port_t inner, outer, third;
	struct util_region region;
	vm_address_t base;
	struct served s;

	serve_full(&s, 8);
	inner = must_proxy(s.object.fd, READ | VM_PROT_EXECUTE, PAGES(1), PAGES(6));
	outer = must_proxy(inner, VM_PROT_ALL, PAGES(2), PAGES(3));
	base = must_map(outer, 0, 3, FALSE);
	util_region(base, &region);
	EXPECT_EQ(READ, region.protection);
	EXPECT_EQ(READ | VM_PROT_EXECUTE, region.max_protection);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	for (int i = 0; i < 3; i++)	/* starts add up */
		EXPECT_TRUE(page_is(base, i, util_mark(3 + i, 0)));
	third = must_proxy(outer, RW, PAGES(1), ~0UL - PAGES(1));
	base = must_map(third, 0, 2, FALSE);
	util_region(base, &region);
	EXPECT_EQ(READ, region.max_protection);
	EXPECT_EQ(util_mark(4, 0), byte_at(base, 0));
	/* And ranges intersect, however long the outer ones say they are. */
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(third, 0, PAGES(3)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(third, PAGES(2), PAGE));
	third = must_proxy(inner, VM_PROT_ALL, PAGES(5), PAGES(100));
	EXPECT_EQ(KERN_SUCCESS, try_map(third, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(third, 0, PAGES(2)));
}

TEST(X3_levels_have_an_end)
{
	mach_port_t proxy, next;
	kern_return_t answer;
	int levels = 1;
	struct served s;

	serve_full(&s, 2);
	proxy = must_proxy(s.object.fd, READ, 0, PAGES(2));
	while ((answer = proxy_of(proxy, READ, 0, PAGES(2), &next)) == KERN_SUCCESS) {
		mach_port_deallocate(SELF, proxy);	/* the one above holds it */
		proxy = next;
		ASSERT_GT(100, ++levels);
	}
	EXPECT_EQ(KERN_RESOURCE_SHORTAGE, answer);
	EXPECT_EQ(16, levels);
	EXPECT_EQ(util_mark(1, 0), byte_at(must_map(proxy, 0, 2, FALSE), 1));
}

TEST(X4_mappings_outlive_the_proxy)
{
	struct machvm_vm_statistics before = statistics();
	mach_port_t proxy;
	vm_address_t base;
	struct served s;

	serve_full(&s, 4);
	proxy = must_proxy(s.object.fd, RW, 0, PAGES(4));
	base = must_map(proxy, 0, 4, FALSE);
	ASSERT_EQ(KERN_SUCCESS, mach_port_deallocate(SELF, proxy));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, 0, PAGE));
	*(unsigned char *)base = 42;
	EXPECT_EQ(42, byte_at(s.base, 0));
	/* A proxy that nobody mapped holds nothing in memory. */
	proxy = must_proxy(s.object.fd, RW, 0, PAGES(4));
	vm_deallocate(SELF, base, PAGES(4));
	unmap(s.base, 4);
	expect_message(&s.channel, MACHVM_CMD_DATA_RETURN);
	must_eq(return_release(&s.object, 0, PAGE), 0);
	expect_message(&s.channel, MACHVM_CMD_TERMINATE);
	EXPECT_EQ(before.out_objects, statistics().out_objects);
	base = must_map(proxy, 0, 1, FALSE);
	expect_message(&s.channel, MACHVM_CMD_INIT);
}

TEST(X4_revocation_ends_the_right_and_no_mapping)
{
	const vm_offset_t zero = 0;
	const vm_size_t len = PAGES(4);
	mach_port_t proxy, owner, other, nested;
	memory_object_t object;
	vm_address_t base;
	struct served s;

	serve_full(&s, 4);
	object = s.object.fd;
	ASSERT_EQ(KERN_SUCCESS, machvm_object_create_proxy(RW, 1, &object, &zero, &zero, &len,
							   &proxy, &owner));
	nested = must_proxy(proxy, READ, 0, PAGES(4));
	other = must_proxy(object, READ, 0, PAGES(4));
	base = must_map(proxy, 0, 4, FALSE);
	EXPECT_EQ(KERN_SUCCESS, try_map(nested, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(owner, 0, PAGE));	/* is no right to map */
	ASSERT_EQ(KERN_SUCCESS, mach_port_deallocate(SELF, owner));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, 0, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(nested, 0, PAGE));
	EXPECT_EQ(KERN_SUCCESS, try_map(other, 0, PAGE));
	*(unsigned char *)(base + PAGE) = 42;
	EXPECT_EQ(42, byte_at(s.base, 1));
}

TEST(X4_the_right_travels)
{
	mach_port_t proxy;
	struct served s;
	int pair[2];
	pid_t pid;

	serve_full(&s, 4);
	proxy = must_proxy(s.object.fd, READ, PAGES(1), PAGES(2));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (pid == 0) {
		memory_object_t got;
		vm_address_t base;

		mach_port_deallocate(SELF, proxy);
		must_eq(machvm_object_recv(pair[1], &got), KERN_SUCCESS);
		base = must_map(got, 0, 2, FALSE);
		EXPECT_EQ(util_mark(1, 0), byte_at(base, 0));
		EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
		CHILD_END();
	}
	EXPECT_EQ(KERN_SUCCESS, machvm_object_send(pair[0], proxy));
	mach_port_deallocate(SELF, proxy);
	EXPECT_EQ(0, util_wait(pid));
}

TEST(X5_memory_of_a_task)
{
	vm_address_t base = util_make(8), seen, copy;
	struct util_region region;
	mach_port_t proxy;

	util_fill(base, 8, 1);
	ASSERT_EQ(KERN_SUCCESS, vm_region_create_proxy(SELF, base + PAGES(2), RW, PAGES(4), &proxy));
	EXPECT_EQ(1, util_regions(base, base + PAGES(8)));
	seen = must_map(proxy, PAGES(1), 3, FALSE);
	EXPECT_EQ(util_mark(3, 1), byte_at(seen, 0));
	*(unsigned char *)seen = 42;
	EXPECT_EQ(42, byte_at(base, 3));
	*(unsigned char *)(base + PAGES(4)) = 43;
	EXPECT_EQ(43, byte_at(seen, 1));
	util_region(seen, &region);
	EXPECT_EQ(RW, region.max_protection);
	EXPECT_TRUE(region.shared);
	copy = must_map(proxy, PAGES(1), 2, TRUE);
	*(unsigned char *)seen = 44;
	EXPECT_EQ(42, byte_at(copy, 0));
	*(unsigned char *)(copy + PAGE) = 45;
	EXPECT_EQ(43, byte_at(base, 4));
	/* The memory stays, and the range is what it was. */
	vm_deallocate(SELF, base, PAGES(8));
	vm_deallocate(SELF, seen, PAGES(3));
	seen = must_map(proxy, 0, 4, FALSE);
	EXPECT_EQ(44, byte_at(seen, 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, 0, PAGES(5)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, try_map(proxy, PAGES(4), PAGE));
}

/* Mach locked a null object for the first, and showed the original of the second. */
TEST(X5_memory_untouched_or_to_be_copied)
{
	vm_address_t base = util_make(4), seen, copy;
	mach_msg_type_number_t count;
	mach_port_t proxy;

	ASSERT_EQ(KERN_SUCCESS, vm_region_create_proxy(SELF, base, RW, PAGES(4), &proxy));
	EXPECT_EQ(1, util_regions(base, base + PAGES(4)));
	seen = must_map(proxy, 0, 4, FALSE);
	*(unsigned char *)(base + PAGE) = 42;
	EXPECT_EQ(42, byte_at(seen, 1));
	EXPECT_EQ(0, util_not_zero(seen, 1));

	ASSERT_EQ(KERN_SUCCESS, vm_read(SELF, base, PAGES(4), &copy, &count));
	ASSERT_EQ(KERN_SUCCESS, vm_region_create_proxy(SELF, copy, RW, PAGES(4), &proxy));
	seen = must_map(proxy, 0, 4, FALSE);
	*(unsigned char *)(seen + PAGE) = 43;
	EXPECT_EQ(43, byte_at(copy, 1));
	EXPECT_EQ(42, byte_at(base, 1));
}

/* Fresh memory that cannot be used would become part of what lies below the mapping. */
TEST(X2_X5_mapping_beside_memory_out_of_reach)
{
	vm_address_t base = util_make(4), other = 0, seen = base + PAGES(2);
	mach_port_t proxy;

	/* Not of the same object. */
	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &other, PAGES(2), 0, TRUE, MEMORY_OBJECT_NULL, 0, FALSE,
				       RW, VM_PROT_ALL, VM_INHERIT_NONE));
	util_fill(base, 2, 1);
	util_fill(other, 2, 2);
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, seen, PAGES(2)));
	ASSERT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(2), FALSE, VM_PROT_NONE));
	ASSERT_EQ(KERN_SUCCESS, vm_region_create_proxy(SELF, other, RW, PAGES(2), &proxy));
	ASSERT_EQ(KERN_SUCCESS, vm_map(SELF, &seen, PAGES(2), 0, FALSE, proxy, 0, FALSE, RW,
				       VM_PROT_ALL, VM_INHERIT_COPY));
	EXPECT_EQ(base + PAGES(2), seen);
	*(unsigned char *)seen = 42;
	EXPECT_EQ(42, byte_at(other, 0));
	EXPECT_EQ(util_mark(1, 2), byte_at(seen, 1));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base + PAGE));
	ASSERT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(2), FALSE, RW));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
}

/* Mach did not count the bytes before the address, and took the next region for a hole. */
TEST(X5_what_is_refused)
{
	vm_address_t base = util_make(8), address;
	mach_port_t proxy = 77;

	vm_protect(SELF, base + PAGES(6), PAGES(2), FALSE, READ);
	vm_deallocate(SELF, base + PAGES(2), PAGES(2));
#define TRY5(address, max, len) vm_region_create_proxy(SELF, address, max, len, &proxy)
	EXPECT_EQ(KERN_INVALID_ADDRESS, TRY5(base + PAGES(2), READ, PAGE));
	EXPECT_EQ(KERN_INVALID_ADDRESS, TRY5(base + PAGES(3), READ, PAGES(2)));
	EXPECT_EQ(KERN_NO_SPACE, TRY5(base + PAGES(8), READ, PAGE));
	EXPECT_EQ(KERN_NO_SPACE, TRY5(-PAGE, READ, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base, READ, PAGES(3)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base + PAGES(1), READ, PAGES(2)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base + PAGES(4), READ, PAGES(4)));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base, READ, ~0UL));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base, READ, 0));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base, READ, PAGE - 1));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base + 8, READ, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, TRY5(base, 0x10 | READ, PAGE));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_region_create_proxy(MACH_PORT_NULL, base, READ, PAGE,
								&proxy));
	EXPECT_EQ(KERN_INVALID_ARGUMENT, vm_region_create_proxy(STDERR_FILENO, base, READ, PAGE,
								&proxy));
	EXPECT_EQ(77, proxy);
	/* No more than the region may ever have. */
	vm_protect(SELF, base, PAGES(2), TRUE, READ);
	ASSERT_EQ(KERN_SUCCESS, TRY5(base, VM_PROT_ALL, PAGES(2)));
	address = must_map(proxy, 0, 2, FALSE);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, vm_protect(SELF, address, PAGE, FALSE, RW));
}

TEST(X5_memory_of_another_task_outlives_it)
{
	struct util_gate ready, done;
	vm_address_t *base = util_shared(PAGE), seen;
	mach_port_t proxy;
	task_t task;
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&ready) || util_gate_init(&done));
	pid = fork();
	if (pid == 0) {
		*base = util_make(4);
		util_fill(*base, 4, 1);
		util_gate_open(&ready);
		util_gate_close_writer(&done);
		util_gate_pass(&done);
		EXPECT_EQ(42, byte_at(*base, 2));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	ASSERT_EQ(KERN_SUCCESS, machvm_task_for_pid(pid, &task));
	ASSERT_EQ(KERN_SUCCESS, vm_region_create_proxy(task, *base, RW, PAGES(4), &proxy));
	seen = must_map(proxy, 0, 4, FALSE);
	EXPECT_EQ(util_mark(1, 1), byte_at(seen, 1));
	*(unsigned char *)(seen + PAGES(2)) = 42;
	util_gate_open(&done);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(42, byte_at(seen, 2));
	seen = must_map(proxy, PAGES(2), 1, FALSE);
	EXPECT_EQ(42, byte_at(seen, 0));
	EXPECT_EQ(KERN_INVALID_TASK, vm_region_create_proxy(task, *base, RW, PAGES(4), &proxy));
}

HARNESS_MAIN
