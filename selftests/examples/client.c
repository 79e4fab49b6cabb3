// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: client SOCKET FILE
 *
 * Maps the object that a pager hands out at SOCKET, compares every byte with FILE, inverts them
 * all, and returns when the pager has them.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <machvm.h>

static memory_object_t receive(const char *path, uint64_t *size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	memory_object_t object;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", path);
	if (machvm_object_recv_size(s, &object, size))
		errx(1, "no object comes");
	return object;
}

static const unsigned char *whole_file(const char *path, uint64_t size)
{
	int fd = open(path, O_RDONLY);
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		err(1, "%s", path);
	return at;
}

int main(int argc, char **argv)
{
	const unsigned char *file;
	vm_address_t address = 0;
	unsigned char *memory;
	uint64_t size, i, end;
	memory_object_t object;
	kern_return_t kr;

	if (argc != 3)
		errx(2, "usage: client SOCKET FILE");
	object = receive(argv[1], &size);
	end = (size + vm_page_size - 1) & -(uint64_t)vm_page_size;
	file = whole_file(argv[2], size);
	kr = vm_map(mach_task_self(), &address, end, 0, TRUE, object, 0, FALSE,
		    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_ALL, VM_INHERIT_NONE);
	if (kr)
		errx(1, "vm_map: %s", machvm_strerror(kr));
	memory = (unsigned char *)address;
	for (i = 0; i < end; i++) {
		if (memory[i] != (i < size ? file[i] : 0))
			errx(1, "byte %#lx is %#x", (long)i, memory[i]);
		memory[i] = ~memory[i];
	}
	kr = vm_msync(mach_task_self(), address, end, VM_SYNC_SYNCHRONOUS);
	if (kr)
		errx(1, "vm_msync: %s", machvm_strerror(kr));
	return 0;
}
