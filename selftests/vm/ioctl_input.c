// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl_input.c - bad input: every command on every descriptor answers a defined errno, and has
 * done nothing: regions, objects and pagers are before and after the same.
 */
#include "harness.h"
#include "calls.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

FIXTURE(input) {
	struct world world;
	char *before;
};

static void put(FILE *out, const char *what, const void *structure, size_t size)
{
	const __u32 *words = structure;

	fprintf(out, "%s", what);
	for (size_t i = 0; i < size / sizeof(*words); i++)
		fprintf(out, " %x", words[i]);
	fputc('\n', out);
}

/* All that is known of this process's regions, and of everybody's objects and pagers. */
static char *state(void)
{
	struct machvm_object_info object = { .size = sizeof(object) };
	struct machvm_port_info port = { .size = sizeof(port) };
	struct machvm_vm_region region;
	vm_address_t address = 0;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (; !util_region_full(MACHVM_TASK_SELF, address, &region);
	     address = region.address + region.out_length)
		put(out, "region", &region, sizeof(region));
	for (; !util_ioctl(util_device(), MACHVM_OBJECT_INFO, &object); object.id++)
		put(out, "object", &object, sizeof(object));
	for (; !util_ioctl(util_device(), MACHVM_PORT_INFO, &port); port.id++)
		put(out, "port", &port, sizeof(port));
	fclose(out);
	return text;
}

FIXTURE_SETUP(input)
{
	struct world *world = &self->world;

	world->pager = util_pager_start(8);
	ASSERT_NE(NULL, world->pager);
	world->base = util_make(9);
	util_fill(world->base, 9, 1);
	vm_protect(SELF, world->base + PAGES(4), PAGES(2), FALSE, VM_PROT_READ);
	world->mapped = util_map(util_pager_object(world->pager), 0, 8, false);
	vm_deallocate(SELF, world->base + PAGES(8), PAGE);	/* and nothing comes there */
	ASSERT_EQ(util_mark(0, 0), util_read(world->mapped).byte);
	world->trap = mmap(NULL, PAGES(2), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	mprotect(world->trap + PAGE, PAGE, PROT_NONE);
	world->fd[DEVICE] = util_device();
	world->fd[OBJECT] = util_pager_object(world->pager);
	world->fd[CONTROL] = util_pager_control(world->pager);
	world->file = open("/dev/null", O_RDWR);
	util_read(world->base + PAGES(8));	/* for MACHVM_FAULT_INFO to know */
	self->before = state();
	ASSERT_NE(NULL, strstr(self->before, "region"));
	ASSERT_NE(NULL, strstr(self->before, "object"));
	ASSERT_NE(NULL, strstr(self->before, "port"));
}

FIXTURE_TEARDOWN(input)
{
	char *after = state();

	EXPECT_STREQ(self->before, after ? after : "");
	util_pager_stop(self->world.pager);
}

static void fill(union call *call, const struct row *row, struct world *world)
{
	memset(call, 0, sizeof(*call));
	call->size = row->size;
	row->good(call, world);
}

static int run(const struct row *row, struct world *world, void *call)
{
	return util_ioctl(world->fd[row->kind], row->command, call);
}

#define OTHER 0xa5	/* what a call does not know of */

#define EXPECT_ANSWER(expected, row, call)                                                  \
	do {                                                                                \
		int answer = run(row, &self->world, call);                                  \
		EXPECT_EQ(expected, answer) TH_LOG("%s", (row)->name);                      \
	} while (0)

TEST_F(input, structure_too_short)
{
	union call call;

	for (const struct row *row = rows; row->name; row++) {
		const unsigned int sizes[] = { 0, 1, 4, row->min - 8, row->min - 4, row->min - 1 };

		for (int i = 0; i < 6; i++) {
			fill(&call, row, &self->world);
			call.size = sizes[i];
			EXPECT_ANSWER(-EINVAL, row, &call);
		}
	}
}

TEST_F(input, structure_too_long)
{
	union call call;

	for (const struct row *row = rows; row->name; row++) {
		for (int i = row->size; i < row->size + 16; i++) {
			fill(&call, row, &self->world);
			call.size = row->size + 16;
			call.bytes[i] = 1;
			EXPECT_ANSWER(-E2BIG, row, &call);
		}
		fill(&call, row, &self->world);
		call.size = -1U;
		EXPECT_ANSWER(-E2BIG, row, &call);
		call.size = 1U << 31;
		EXPECT_ANSWER(-E2BIG, row, &call);
	}
}

TEST_F(input, reserved_fields)
{
	union call call;

	for (const struct row *row = rows; row->name; row++) {
		for (int bit = 0; row->reserved && bit < 32; bit += 31) {
			fill(&call, row, &self->world);
			*(__u32 *)(call.bytes + row->reserved) = 1U << bit;
			EXPECT_ANSWER(-EINVAL, row, &call);
		}
	}
}

TEST_F(input, structure_nowhere)
{
	for (const struct row *row = rows; row->name; row++) {
		EXPECT_ANSWER(-EFAULT, row, NULL);
		EXPECT_ANSWER(-EFAULT, row, (void *)8);
		EXPECT_ANSWER(-EFAULT, row, (void *)(1UL << 47));
		EXPECT_ANSWER(-EFAULT, row, (void *)-1UL);
		EXPECT_ANSWER(-EFAULT, row, (void *)-4096UL);
		EXPECT_ANSWER(-EFAULT, row, (void *)0xffff888000000000);
		/* In memory of ours that is gone. */
		EXPECT_ANSWER(-EFAULT, row, (void *)(self->world.base + PAGES(8)));
	}
}

/* Its end lies on a page that cannot be read. */
TEST_F(input, structure_cut_off)
{
	union call call;

	for (const struct row *row = rows; row->name; row++) {
		char *at = self->world.trap + PAGE - (row->size - 4);

		fill(&call, row, &self->world);
		memcpy(at, &call, row->size - 4);
		EXPECT_ANSWER(-EFAULT, row, at);
		memset(self->world.trap, 0, PAGE);
	}
}

/* What could not be answered is not done. */
TEST_F(input, structure_in_read_only_memory)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (const struct row *row = rows; row->name; row++) {
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
		fill((union call *)page, row, &self->world);
		mprotect(page, PAGE, PROT_READ);
		EXPECT_ANSWER(-EFAULT, row, page);
	}
}

/* The same in memory of the arena that vm_protect made read-only. */
TEST_F(input, structure_in_read_only_memory_of_ours)
{
	vm_address_t page = self->world.base + PAGES(4);

	for (const struct row *row = rows; row->name; row++) {
		vm_protect(SELF, page, PAGES(2), FALSE, VM_PROT_DEFAULT);
		fill((union call *)page, row, &self->world);
		vm_protect(SELF, page, PAGES(2), FALSE, VM_PROT_READ);
		EXPECT_ANSWER(-EFAULT, row, (void *)page);
	}
	util_read(self->world.base + PAGES(8));
}

TEST_F(input, unknown_commands)
{
	union call call = { .size = 64 };

	for (int kind = 0; kind < KINDS; kind++) {
		int fd = self->world.fd[kind];

		for (unsigned int number = 0; number < 256; number++) {
			bool known = false;

			for (const struct row *row = rows; row->name; row++)
				known |= row->kind == kind && _IOC_NR(row->command) == number;
			if (!known)
				EXPECT_EQ(-ENOTTY, util_ioctl(fd, _IOWR('M', number, union call),
							      &call))
					TH_LOG("number %u, kind %d", number, kind);
		}
		/* Numbers that are known, of another type. */
		EXPECT_EQ(-ENOTTY, util_ioctl(fd, _IOWR('m', 1, union call), &call));
		EXPECT_EQ(-ENOTTY, util_ioctl(fd, _IOWR('N', 0, union call), &call));
		EXPECT_EQ(-ENOTTY, util_ioctl(fd, 0x5401 /* TCGETS */, &call));
	}
}

/* A command of one kind of descriptor on another, and on what is none of ours. */
TEST_F(input, wrong_descriptors)
{
	union call call;
	int answer;

	for (const struct row *row = rows; row->name; row++) {
		for (int kind = 0; kind < KINDS; kind++) {
			if (kind == row->kind || row->command == MACHVM_VERSION)
				continue;
			fill(&call, row, &self->world);
			answer = util_ioctl(self->world.fd[kind], row->command, &call);
			EXPECT_EQ(-ENOTTY, answer) TH_LOG("%s on kind %d", row->name, kind);
		}
		fill(&call, row, &self->world);
		EXPECT_EQ(-ENOTTY, util_ioctl(self->world.file, row->command, &call));
		EXPECT_EQ(-EBADF, util_ioctl(-1, row->command, &call));
	}
}

/* Reading, writing and mapping the descriptors themselves. */
TEST_F(input, descriptors_are_for_ioctls_only)
{
	char buffer[64] = "";

	for (int kind = 0; kind < KINDS; kind++) {
		int fd = self->world.fd[kind];

		EXPECT_EQ(-1, read(fd, buffer, sizeof(buffer)));
		EXPECT_EQ(-1, write(fd, buffer, sizeof(buffer)));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
		EXPECT_EQ(-1, ftruncate(fd, PAGE));
	}
}

#define TRY(_expected, _row, ...)                                                           \
	do {                                                                                \
		for (const struct row *row = rows; row->name; row++) {              \
			if (row->command != (_row))                                         \
				continue;                                                   \
			fill(&call, row, &self->world);                                     \
			__VA_ARGS__;                                                        \
			EXPECT_ANSWER(_expected, row, &call);                               \
		}                                                                           \
	} while (0)

TEST_F(input, arguments_of_placement)
{
	struct world *world = &self->world;
	union call call;

	TRY(-EINVAL, MACHVM_VM_ALLOCATE, call.allocate.anywhere = 2);
	TRY(-EINVAL, MACHVM_VM_ALLOCATE, call.allocate.anywhere = -1);
	TRY(-EBADF, MACHVM_VM_ALLOCATE, call.allocate.task = -2);
	TRY(-EBADF, MACHVM_VM_ALLOCATE, call.allocate.task = 999);
	TRY(-EBADF, MACHVM_VM_ALLOCATE, call.allocate.task = world->file);
	TRY(-EBADF, MACHVM_VM_ALLOCATE, call.allocate.task = world->fd[DEVICE]);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_ALLOCATE, call.allocate.length = -1ULL);
	TRY(KERN_INVALID_ADDRESS, MACHVM_VM_ALLOCATE, call.allocate.anywhere = 0,
	    call.allocate.address = -PAGE);
	TRY(KERN_NO_SPACE, MACHVM_VM_ALLOCATE, call.allocate.anywhere = 0,
	    call.allocate.address = world->base + 5);

	TRY(-EBADF, MACHVM_VM_DEALLOCATE, call.deallocate.task = 0);
	TRY(KERN_SUCCESS, MACHVM_VM_DEALLOCATE, call.deallocate.length = -world->base);
	TRY(KERN_SUCCESS, MACHVM_VM_DEALLOCATE, call.deallocate.length = 0);
	TRY(KERN_SUCCESS, MACHVM_VM_DEALLOCATE, call.deallocate.address = -PAGE);

	TRY(-EINVAL, MACHVM_VM_MAP, call.map.anywhere = 2);
	TRY(-EINVAL, MACHVM_VM_MAP, call.map.copy = 2);
	TRY(-EBADF, MACHVM_VM_MAP, call.map.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.length = 0);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.length = -1ULL);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.offset = 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.offset = -PAGE,
	    call.map.length = PAGES(2));
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.inheritance = 3);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.protection = 8);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.max_protection = 0x100);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.object = world->file);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.object = world->fd[CONTROL]);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.object = world->fd[DEVICE]);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MAP, call.map.object = 999);
	TRY(KERN_NO_SPACE, MACHVM_VM_MAP, call.map.mask = 0x1000);
	TRY(KERN_NO_SPACE, MACHVM_VM_MAP, call.map.mask = -1ULL);
	TRY(KERN_INVALID_ADDRESS, MACHVM_VM_MAP, call.map.anywhere = 0,
	    call.map.address = -PAGE);
	/* The same with a copy: nothing is left of it. */
	TRY(KERN_NO_SPACE, MACHVM_VM_MAP, call.map.copy = 1, call.map.mask = 0x1000);
	TRY(KERN_NO_SPACE, MACHVM_VM_MAP, call.map.copy = 1, call.map.length = 1ULL << 46);
}

TEST_F(input, arguments_of_attributes)
{
	struct world *world = &self->world;
	union call call;

	TRY(-EINVAL, MACHVM_VM_PROTECT, call.protect.set_maximum = 2);
	TRY(-EBADF, MACHVM_VM_PROTECT, call.protect.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_PROTECT, call.protect.protection = 8);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_PROTECT, call.protect.protection = -1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_PROTECT, call.protect.protection = 0x80000000);
	TRY(KERN_SUCCESS, MACHVM_VM_PROTECT, call.protect.length = 0);
	TRY(KERN_SUCCESS, MACHVM_VM_PROTECT, call.protect.length = -world->base);

	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_INHERIT, call.inherit.inheritance = 3);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_INHERIT, call.inherit.inheritance = -1);
	TRY(-EBADF, MACHVM_VM_INHERIT, call.inherit.task = 999);
	TRY(KERN_SUCCESS, MACHVM_VM_INHERIT, call.inherit.length = 0);

	TRY(-EBADF, MACHVM_VM_REGION, call.region.task = world->file);
	TRY(KERN_NO_SPACE, MACHVM_VM_REGION, call.region.address = -1ULL);
	TRY(-EINVAL, MACHVM_VM_REGION, call.region.count = 2);
}

TEST_F(input, arguments_of_transfers)
{
	struct world *world = &self->world;
	union call call;

	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_COPY, call.copy.source += 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_COPY, call.copy.length -= 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_COPY, call.copy.destination += 8);
	TRY(-EBADF, MACHVM_VM_COPY, call.copy.task = 999);
	TRY(KERN_INVALID_ADDRESS, MACHVM_VM_COPY, call.copy.source = world->base + PAGES(8));

	TRY(KERN_INVALID_ADDRESS, MACHVM_VM_READ, call.read.address += PAGES(8));
	TRY(KERN_INVALID_ADDRESS, MACHVM_VM_READ, call.read.length = -PAGE);
	TRY(-EBADF, MACHVM_VM_READ, call.read.task = 999);

	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_WRITE, call.write.address += 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_WRITE, call.write.data += 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_WRITE, call.write.length += 1);
	TRY(-EBADF, MACHVM_VM_WRITE, call.write.task = 999);
}

TEST_F(input, arguments_of_wiring)
{
	struct world *world = &self->world;
	union call call;

	TRY(-EINVAL, MACHVM_VM_WIRE, call.wire.privileged = 2);
	TRY(-EBADF, MACHVM_VM_WIRE, call.wire.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_WIRE, call.wire.access = 8);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_WIRE, call.wire.access = -1);
	TRY(KERN_NO_SPACE, MACHVM_VM_WIRE, call.wire.length = -world->base);
	TRY(KERN_NO_SPACE, MACHVM_VM_WIRE, call.wire.length = -1ULL);
	TRY(KERN_NO_SPACE, MACHVM_VM_WIRE, call.wire.address += PAGES(7));
	TRY(KERN_NO_SPACE, MACHVM_VM_WIRE, call.wire.access = 0, call.wire.length = PAGES(9));

	TRY(-EINVAL, MACHVM_VM_WIRE_ALL, call.wire_all.privileged = 2);
	TRY(-EBADF, MACHVM_VM_WIRE_ALL, call.wire_all.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_WIRE_ALL, call.wire_all.flags = 4);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_WIRE_ALL, call.wire_all.flags = -1);
}

TEST_F(input, arguments_of_memory_for_drivers)
{
	struct world *world = &self->world;
	union call call;

	TRY(-EBADF, MACHVM_VM_ALLOCATE_CONTIGUOUS, call.contiguous.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_ALLOCATE_CONTIGUOUS, call.contiguous.pmin = 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_ALLOCATE_CONTIGUOUS, call.contiguous.palign = -1ULL);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_ALLOCATE_CONTIGUOUS, call.contiguous.length = -1ULL);
	TRY(KERN_RESOURCE_SHORTAGE, MACHVM_VM_ALLOCATE_CONTIGUOUS,
	    call.contiguous.length = 1ULL << 46);
	TRY(KERN_RESOURCE_SHORTAGE, MACHVM_VM_ALLOCATE_CONTIGUOUS, call.contiguous.pmax = 0);

	TRY(-EBADF, MACHVM_VM_PAGES_PHYS, call.phys.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_PAGES_PHYS, call.phys.address += 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_PAGES_PHYS, call.phys.length -= 1);
	TRY(-EFAULT, MACHVM_VM_PAGES_PHYS, call.phys.pages = 8);
	TRY(-EFAULT, MACHVM_VM_PAGES_PHYS, call.phys.pages = (__u64)world->trap + PAGE,
	    call.phys.length = -PAGE);
}

TEST_F(input, arguments_of_size_limits)
{
	union call call;

	TRY(-EINVAL, MACHVM_VM_SET_SIZE_LIMIT, call.limit.privileged = 2);
	TRY(-EBADF, MACHVM_VM_SET_SIZE_LIMIT, call.limit.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_SET_SIZE_LIMIT, call.limit.limit = -1ULL);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_SET_SIZE_LIMIT, call.limit.maximum = 0);
	TRY(KERN_NO_ACCESS, MACHVM_VM_SET_SIZE_LIMIT, call.limit.privileged = 0,
	    call.limit.maximum = USER_END + 1);

	TRY(-EINVAL, MACHVM_VM_GET_SIZE_LIMIT, call.limit.privileged = 1);
	TRY(-EBADF, MACHVM_VM_GET_SIZE_LIMIT, call.limit.task = 999);
}

TEST_F(input, arguments_of_syncing)
{
	struct world *world = &self->world;
	union call call;

	TRY(-EBADF, MACHVM_VM_MSYNC, call.msync.task = 999);
	TRY(-EBADF, MACHVM_VM_MSYNC, call.msync.task = world->file);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MSYNC, call.msync.flags = 3);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MSYNC, call.msync.flags = 0x40);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MSYNC, call.msync.flags = -1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_VM_MSYNC, call.msync.length = -1ULL);
	TRY(KERN_SUCCESS, MACHVM_VM_MSYNC, call.msync.length = -call.msync.address);
	TRY(KERN_SUCCESS, MACHVM_VM_MSYNC, call.msync.address = -PAGE, call.msync.length = 1);
	TRY(KERN_SUCCESS, MACHVM_VM_MSYNC, call.msync.address += 1, call.msync.length = 0);
	TRY(KERN_SUCCESS, MACHVM_VM_MSYNC, call.msync.flags = 0);
	TRY(-EINVAL, MACHVM_OBJECT_SYNC, call.object_sync.should_return = 2);
	TRY(-EINVAL, MACHVM_OBJECT_SYNC, call.object_sync.should_flush = -1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_OBJECT_SYNC, call.object_sync.id = 0);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_OBJECT_SYNC, call.object_sync.id = -1ULL);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_OBJECT_SYNC, call.object_sync.offset = -PAGE,
	    call.object_sync.length = PAGES(2));
	TRY(KERN_SUCCESS, MACHVM_OBJECT_SYNC, call.object_sync.offset = -PAGE,
	    call.object_sync.length = PAGE);
	TRY(KERN_SUCCESS, MACHVM_OBJECT_SYNC, call.object_sync.offset = -1ULL,
	    call.object_sync.length = 0);
}

TEST_F(input, arguments_of_introspection)
{
	struct world *world = &self->world;
	union call call;

	TRY(-EBADF, MACHVM_TASK_PORT, call.task_port.task = 999);
	TRY(-EBADF, MACHVM_TASK_PORT, call.task_port.task = world->file);
	TRY(-EBADF, MACHVM_TASK_PORT, call.task_port.task = world->fd[OBJECT]);

	TRY(-EBADF, MACHVM_TASK_INFO, call.task_info.task = 999);
	TRY(-EBADF, MACHVM_TASK_INFO, call.task_info.task = world->file);

	TRY(KERN_INVALID_ADDRESS, MACHVM_FAULT_INFO, call.fault_info.address = world->base);
	TRY(KERN_INVALID_ADDRESS, MACHVM_FAULT_INFO, call.fault_info.address = -1ULL);

	TRY(-ENOENT, MACHVM_OBJECT_INFO, call.object.id = -1ULL);

	TRY(-ENOENT, MACHVM_OBJECT_PAGES, call.pages.id = -1ULL);
	TRY(-ENOENT, MACHVM_OBJECT_PAGES, call.pages.id = 0);
	TRY(-EINVAL, MACHVM_OBJECT_PAGES, call.pages.flags = 2);
	TRY(-EFAULT, MACHVM_OBJECT_PAGES, call.pages.address = 8);
	TRY(-EFAULT, MACHVM_OBJECT_PAGES, call.pages.address = -PAGE);
	TRY(-EFAULT, MACHVM_OBJECT_PAGES, call.pages.address = (__u64)world->trap + PAGE);

	TRY(-ENOENT, MACHVM_PORT_INFO, call.port.id = -1ULL);
}

TEST_F(input, arguments_of_proxies)
{
	struct world *world = &self->world;
	union call call;

	TRY(-EINVAL, MACHVM_PROXY_CREATE, call.proxy.flags = 2);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_PROXY_CREATE, call.proxy.count = 0);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_PROXY_CREATE, call.proxy.count = 1025);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_PROXY_CREATE, call.proxy.count = -1U);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_PROXY_CREATE, call.proxy.max_protection = 8);
	TRY(-EFAULT, MACHVM_PROXY_CREATE, call.proxy.ranges = 8);
	TRY(-EFAULT, MACHVM_PROXY_CREATE, call.proxy.ranges = -PAGE);
	TRY(-EFAULT, MACHVM_PROXY_CREATE, call.proxy.ranges = (__u64)world->trap + PAGE - 8);

	TRY(-EINVAL, MACHVM_REGION_PROXY, call.region_proxy.flags = 2);
	TRY(-EBADF, MACHVM_REGION_PROXY, call.region_proxy.task = 999);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_REGION_PROXY, call.region_proxy.address += 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_REGION_PROXY, call.region_proxy.length = PAGES(9));
	TRY(KERN_INVALID_ARGUMENT, MACHVM_REGION_PROXY, call.region_proxy.length = -PAGE);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_REGION_PROXY, call.region_proxy.max_protection = 16);
	TRY(KERN_NO_SPACE, MACHVM_REGION_PROXY, call.region_proxy.address = -PAGE);
}

TEST_F(input, arguments_of_control_calls)
{
	struct world *world = &self->world;
	int pair[2], route = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	union call call;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TRY(-EBADF, MACHVM_CONTROL_BIND, call.bind.socket = -1);
	TRY(-EBADF, MACHVM_CONTROL_BIND, call.bind.socket = 999);
	TRY(-EBADF, MACHVM_CONTROL_BIND, call.bind.socket = pair[0]);
	TRY(-EBADF, MACHVM_CONTROL_BIND, call.bind.socket = route);
	TRY(-EINVAL, MACHVM_CONTROL_BIND, call.bind.window = 1025);
	TRY(-EINVAL, MACHVM_CONTROL_BIND, call.bind.window = -1);

	TRY(KERN_INVALID_ARGUMENT, MACHVM_DATA_SUPPLY, call.supply.offset += 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_DATA_SUPPLY, call.supply.length -= 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_DATA_SUPPLY, call.supply.offset = -PAGE,
	    call.supply.length = PAGES(2));
	TRY(KERN_INVALID_ARGUMENT, MACHVM_DATA_SUPPLY, call.supply.lock_value = 0x20);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_DATA_SUPPLY, call.supply.precious = 2);
	TRY(-ESTALE, MACHVM_DATA_SUPPLY, call.supply.epoch = 0x12345678);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_LOCK_REQUEST, call.lock.lock_value = 9);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_LOCK_REQUEST, call.lock.lock_value = 0x20);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_LOCK_REQUEST, call.lock.should_flush = 2);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_LOCK_REQUEST, call.lock.reply = 2);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_LOCK_REQUEST, call.lock.offset = -PAGE);
	TRY(-ESTALE, MACHVM_LOCK_REQUEST, call.lock.epoch = 0x12345678);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES, call.attributes.may_cache = 2);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES, call.attributes.copy_strategy = 4);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES, call.attributes.copy_strategy = 5);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES, call.attributes.cluster_size = 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES, call.attributes.cluster_size = 3 * PAGE);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES, call.attributes.cluster_size = -PAGE);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES,
	    call.attributes.cluster_size = 2 * MACHVM_CLUSTER_MAX);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES,
	    call.attributes.set = MACHVM_ATTRIBUTES_ALL + 1);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES,
	    call.attributes.set = MACHVM_ATTRIBUTE_CLUSTER_SIZE);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_SET_ATTRIBUTES,
	    call.attributes.behavior = MACHVM_BEHAVIORS + 1);
	TRY(-ESTALE, MACHVM_SET_ATTRIBUTES, call.attributes.epoch = 0x12345678);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_OBJECT_DESTROY, call.destroy.flush = 2);
	TRY(-ESTALE, MACHVM_OBJECT_DESTROY, call.destroy.epoch = 0x12345678);
	TRY(-EFAULT, MACHVM_DATA_SUPPLY, call.supply.address = 8);
	TRY(-EFAULT, MACHVM_DATA_SUPPLY, call.supply.address = -PAGE);
	TRY(-EFAULT, MACHVM_DATA_SUPPLY, call.supply.address = (__u64)world->trap + PAGE);
	TRY(-EFAULT, MACHVM_DATA_SUPPLY, call.supply.address = (__u64)world->trap + 8);

	for (int i = 0; i < 3; i++) {
		const unsigned int commands[] = { MACHVM_RETURN_READ, MACHVM_RETURN_MAP,
						  MACHVM_RETURN_RELEASE };

		TRY(KERN_INVALID_ARGUMENT, commands[i], call.give.offset = 1);
		TRY(KERN_INVALID_ARGUMENT, commands[i], call.give.length = PAGE + 1);
		TRY(KERN_INVALID_ARGUMENT, commands[i], call.give.offset = -PAGE,
		    call.give.length = PAGES(2));
		TRY(KERN_INVALID_ADDRESS, commands[i], call.give.offset = PAGES(100));
	}
	TRY(-EINVAL, MACHVM_RETURN_RELEASE, call.give.address = world->base);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_CONTROL_ABSENCE, call.absence.fallback = 3);
	TRY(KERN_INVALID_ARGUMENT, MACHVM_CONTROL_ABSENCE, call.absence.fallback = -1);
	close(pair[0]);
	close(pair[1]);
	close(route);
}

/* They only say of which version they are. */
TEST_F(input, rights_that_are_for_no_call)
{
	union call call;
	int rights[2];

	TRY(0, MACHVM_TASK_PORT, (void)0);
	rights[0] = call.task_port.out_port;
	TRY(0, MACHVM_PROXY_CREATE, (void)0);
	rights[1] = call.proxy.out_proxy;
	for (int i = 0; i < 2; i++) {
		for (const struct row *row = rows; row->name; row++) {
			int answer;

			fill(&call, row, &self->world);
			answer = util_ioctl(rights[i], row->command, &call);
			EXPECT_EQ(row->command == MACHVM_VERSION ? 0 : -ENOTTY, answer)
				TH_LOG("%s of right %d", row->name, i);
		}
		close(rights[i]);
	}
	TRY(-EBADF, MACHVM_VM_PAGEOUT, call.pageout.task = self->world.file);
}

TEST_F(input, descriptors_that_are_not_to_be_had)
{
	union call call;
	int fd;

	ASSERT_EQ(0, util_descriptors(0));
	TRY(-EMFILE, MACHVM_OBJECT_CREATE, (void)0);
	TRY(-EMFILE, MACHVM_TASK_PORT, (void)0);
	TRY(-EMFILE, MACHVM_PROXY_CREATE, (void)0);
	/* Where there are to be two, one is not enough, and is not kept. */
	ASSERT_EQ(0, util_descriptors(1));
	TRY(-EMFILE, MACHVM_OBJECT_CREATE, (void)0);
	TRY(-EMFILE, MACHVM_PROXY_CREATE, call.proxy.flags = MACHVM_PROXY_REVOCABLE);
	fd = dup(STDIN_FILENO);
	EXPECT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, util_descriptors(-1));
}

/* A longer structure whose surplus is zero, and a command that carries another size, are good. */
FIXTURE(good) {
	struct world world;
};

FIXTURE_SETUP(good)
{
	struct _test_data_input input = { 0 };

	input_setup(_metadata, &input, NULL);
	self->world = input.world;
}

FIXTURE_TEARDOWN(good)
{
	util_pager_stop(self->world.pager);
}

TEST_F(good, structure_as_it_is)
{
	union call call;

	for (const struct row *row = rows; row->name; row++) {
		fill(&call, row, &self->world);
		EXPECT_ANSWER(row->answer, row, &call);
		EXPECT_EQ(row->size, call.size);
	}
}

/* What is behind it is the program's own. */
TEST_F(good, structure_of_an_older_program)
{
	union call call;

	for (const struct row *row = rows; row->name; row++) {
		fill(&call, row, &self->world);
		call.size = row->min;
		memset(call.bytes + row->min, OTHER, sizeof(call) - row->min);
		EXPECT_ANSWER(row->answer, row, &call);
		EXPECT_EQ(row->min, call.size);
		for (size_t i = row->min; i < sizeof(call); i++)
			EXPECT_EQ(OTHER, call.bytes[i]);
	}
}

TEST_F(good, structure_of_a_newer_program)
{
	union call call;

	for (const struct row *row = rows; row->name; row++) {
		fill(&call, row, &self->world);
		call.size = row->size + 64;
		EXPECT_ANSWER(row->answer, row, &call);
		EXPECT_EQ(row->size + 64, call.size);
		for (int i = row->size; i < row->size + 64; i++)
			EXPECT_EQ(0, call.bytes[i]);
	}
}

TEST_F(good, command_of_another_size)
{
	union call call;
	int answer;

	for (const struct row *row = rows; row->name; row++) {
		fill(&call, row, &self->world);
		answer = util_ioctl(self->world.fd[row->kind],
				    _IOWR('M', _IOC_NR(row->command), union call), &call);
		EXPECT_EQ(row->answer, answer) TH_LOG("%s", row->name);
	}
}

/* The structure in memory of the arena that was never touched but for this. */
TEST_F(good, structure_in_memory_of_ours)
{
	for (const struct row *row = rows; row->name; row++) {
		vm_address_t page = util_make(1);

		fill((union call *)page, row, &self->world);
		EXPECT_ANSWER(row->answer, row, (void *)page);
	}
}

HARNESS_MAIN
