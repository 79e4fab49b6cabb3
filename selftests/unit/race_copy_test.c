// SPDX-License-Identifier: GPL-2.0-only
/* race_copy_test.c - writes and the end of mappings meet delayed copies; as race_test.c. */
#include "race.h"

static void copy_to_two(void)
{
	kr_b = map_pager(two, &file, 8, 8, 0, true);
}

static void store_shared(void)
{
	kr_a = store(one, 3, 30);
}

static void after_copy(void)
{
	int seen = cpu_load(two, AT(11) + 3, &(u8){ 0 });
	u8 value = 0;

	check_eq(seen, 0);
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check(value == 3 || value == 30);
	seen = value;
	check_eq(store(one, 3, 31), 0);
	check_eq(store(two, 3, 32), 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check_eq(value, seen);
	/* Both map the file itself at 3. */
	check_eq(end_file(3), 32);
}

TEST(race, S2_29_a_write_meets_a_delayed_copy)
{
	race(&(struct race){ shared_file, store_shared, copy_to_two, after_copy });
}

static void file_read_mapped(void)
{
	shared_file();
	check_eq(load(one, 3), 3);
}

TEST(race, S2_29_an_upgrade_meets_a_delayed_copy)
{
	race(&(struct race){ file_read_mapped, store_shared, copy_to_two, after_copy });
}

static void file_and_copy(void)
{
	shared_file();
	check_eq(map_pager(two, &file, 8, 8, 0, true), 0);
}

/* Two pages of the object are mapped, all are there. */
static void file_mapped_in_part(void)
{
	int i;

	two_maps();
	pager_new(&file);
	pager_bind(&file, 0);
	check_eq(map_pager(one, &file, 0, 2, 0, false), 0);
	check_eq(machvm_memobj_ready(file.memobj, false, MACHVM_COPY_DELAY), 0);
	for (i = 0; i < 8; i++)
		check_eq(supply(&file, i, i, false), 0);
	mock_sents_forget();
}

static void copy_all_to_two(void)
{
	kr_a = map_pager(two, &file, 0, 8, 0, true);
}

/* Pushes all that is mapped, and makes a newer copy. */
static void write_and_copy(void)
{
	kr_b = store(one, 0, 10) ?: store(one, 1, 11) ?: map_pager(one, &file, 8, 1, 0, true);
}

static void after_copies_of_two_sizes(void)
{
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(load(two, 5), 5);
	check_eq(load(two, 7), 7);
	end_file(0);
}

TEST(race, C11_a_copy_of_more_than_is_mapped_meets_a_newer_one)
{
	race(&(struct race){ file_mapped_in_part, copy_all_to_two, write_and_copy,
			     after_copies_of_two_sizes });
}

static void store_shared_too(void)
{
	kr_b = cpu_store(two, AT(3) + 100, 40);
}

static void after_two_pushes(void)
{
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check_eq(value, 3);
	check_eq(cpu_load(two, AT(11) + 100, &value), 0);
	check_eq(value, 3);
	check_eq(load(one, 3), 30);
	check_eq(cpu_load(one, AT(3) + 100, &value), 0);
	check_eq(value, 40);
	check_eq(end_file(3), 30);
}

TEST(race, two_sharers_push_the_same_page)
{
	race(&(struct race){ file_and_copy, store_shared, store_shared_too, after_two_pushes });
}

static void load_copy(void)
{
	u8 value = 0;

	kr_b = cpu_load(two, AT(11) + 3, &value);
	check_eq(kr_b, 0);
	check_eq(value, 3);
}

static void store_copy(void)
{
	kr_b = cpu_store(two, AT(11) + 100, 40);
	check_eq(kr_b, 0);
}

static void after_push(void)
{
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(cpu_load(two, AT(11) + 3, &value), 0);
	check_eq(value, 3);
	check_eq(load(one, 3), 30);
	check_eq(cpu_load(one, AT(3) + 100, &value), 0);
	check_eq(value, 3);
	check_eq(end_file(3), 30);
}

TEST(race, a_push_meets_a_reader_of_the_copy)
{
	race(&(struct race){ file_and_copy, store_shared, load_copy, after_push });
}

TEST(race, a_push_meets_a_writer_of_the_copy)
{
	race(&(struct race){ file_and_copy, store_shared, store_copy, after_push });
}

static void unmap_copy(void)
{
	kr_b = deallocate_at(two, 8, 8);
}

static void after_unmapped_copy(void)
{
	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(load(one, 3), 30);
	check_eq(end_file(3), 30);
}

TEST(race, a_push_meets_the_end_of_the_copy)
{
	race(&(struct race){ file_and_copy, store_shared, unmap_copy, after_unmapped_copy });
}

static void copy_to_one(void)
{
	kr_a = map_pager(one, &file, 8, 8, 0, true);
}

static void after_two_copies(void)
{
	u8 value = 0;

	check_eq(kr_a, 0);
	check_eq(kr_b, 0);
	check_eq(store(one, 3, 30), 0);
	check_eq(cpu_load(one, AT(11) + 3, &value), 0);
	check_eq(value, 3);
	if (entry_at(two, 8)) {
		check_eq(cpu_load(two, AT(11) + 3, &value), 0);
		check_eq(value, 3);
	}
	check_eq(end_file(3), 30);
}

TEST(race, two_delayed_copies_at_once)
{
	race(&(struct race){ shared_file, copy_to_one, copy_to_two, after_two_copies });
}

TEST(race, a_new_copy_meets_the_end_of_the_older)
{
	race(&(struct race){ file_and_copy, copy_to_one, unmap_copy, after_two_copies });
}

static void pushed_copy(void)
{
	file_and_copy();
	check_eq(store(two, 5, 9), 0);
}

TEST(race, a_new_copy_meets_the_end_of_an_older_one_with_pages)
{
	race(&(struct race){ pushed_copy, copy_to_one, unmap_copy, after_two_copies });
}

/* The life of a memory object */
