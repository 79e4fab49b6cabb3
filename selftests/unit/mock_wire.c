// SPDX-License-Identifier: GPL-2.0-only
/* mock_wire.c - wiring as its ioctl does it, without Linux's side of it. */
#include "mock.h"

struct machvm_wiring wiring_of(struct machvm_map *map, u64 page, u64 nr, u8 access)
{
	return (struct machvm_wiring){
		.map = map, .start = AT(page), .end = AT(page + nr), .access = access,
	};
}

/* As resident.c: what is marked is touched. */
int wire_at(struct machvm_map *map, u64 page, u64 nr, u8 access)
{
	struct machvm_wiring wiring = wiring_of(map, page, nr, access);
	u64 start = wiring.start, end = wiring.end;
	int kr = machvm_wire_begin(&wiring);
	bool write;
	u8 byte;

	if (kr)
		return kr;
	for (; !kr && machvm_wire_next(map, &start, &end, &write); end = wiring.end)
		for (; !kr && start < end; start += PAGE_SIZE) {
			kr = cpu_load(map, start, &byte);
			if (!kr && write)
				kr = cpu_store(map, start, byte);
		}
	machvm_wire_end(&wiring, !kr);
	map_check(map);
	return kr;
}

int unwire_at(struct machvm_map *map, u64 page, u64 nr)
{
	int kr = machvm_unwire(map, AT(page), AT(page + nr));

	map_check(map);
	return kr;
}
