// SPDX-License-Identifier: GPL-2.0-only
/* race.c - see race.h. */
#include "race.h"

struct machvm_map *one, *two;
struct pager file;
int kr_a, kr_b;

void two_maps(void)
{
	one = map_new_of(16);
	two = map_new_of(16);
}

void end_maps(void)
{
	if (one)
		map_check(one);
	if (two)
		map_check(two);
	objects_check();
	if (one)
		map_end(one);
	if (two)
		map_end(two);
	one = two = NULL;
}

void shared_file(void)
{
	int i;

	two_maps();
	pager_new(&file);
	pager_bind(&file, 0);
	check_eq(map_pager(one, &file, 0, 8, 0, false), 0);
	check_eq(map_pager(two, &file, 0, 8, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	for (i = 0; i < 8; i++)
		check_eq(supply(&file, i, i, false), 0);
	mock_sents_forget();
}

int end_file(u64 page)
{
	int found = -1;
	u64 i;

	end_maps();
	while (file.binding && file.memobj->state == MACHVM_MEMOBJ_RETURNING) {
		struct mock_sent sent = *mock_last_sent();

		for (i = 0; i < sent.length >> PAGE_SHIFT; i++) {
			u64 offset = sent.offset + PAGES(i);
			struct folio *folio = machvm_memobj_returned(file.memobj, offset);

			if (check(folio) && offset == PAGES(page))
				found = ((u8 *)folio_address(folio))[page];
			if (folio)
				folio_put(folio);
		}
		check_eq(machvm_memobj_release(file.memobj, sent.offset, sent.length, NULL), 0);
	}
	pager_end(&file);
	mock_sents_forget();
	return found;
}
