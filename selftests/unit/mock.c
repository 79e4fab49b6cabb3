// SPDX-License-Identifier: GPL-2.0-only
/* mock.c - the surroundings, see mock.h: who pays, counters, the store. */
#include "mock.h"

/* Users */

struct machvm_user mock_user = {
	.refs = REFCOUNT_INIT(1), .page_limit = LONG_MAX, .object_limit = LONG_MAX,
};

struct machvm_user *machvm_user_current(void)
{
	return machvm_user_get(&mock_user);
}

struct machvm_user *machvm_user_get(struct machvm_user *user)
{
	refcount_inc(&user->refs);
	return user;
}

void machvm_user_put(struct machvm_user *user)
{
	if (refcount_dec_and_test(&user->refs))
		test_die(__FILE__, __LINE__, "user: put once too often");
}

static bool charge(long *used, long limit)
{
	if (*used >= limit)
		return false;
	++*used;
	return true;
}

bool machvm_user_charge_page(struct machvm_user *user)
{
	return charge(&user->pages, user->page_limit);
}

bool machvm_user_at_limit(struct machvm_user *user)
{
	return user->pages >= user->page_limit;
}

void machvm_user_uncharge_page(struct machvm_user *user)
{
	WARN_ON(user->pages-- <= 0);
}

bool machvm_user_charge_object(struct machvm_user *user)
{
	return charge(&user->objects, user->object_limit);
}

void machvm_user_uncharge_object(struct machvm_user *user)
{
	WARN_ON(user->objects-- <= 0);
}

bool machvm_user_may_see(struct machvm_user *user)
{
	return user == &mock_user;
}

/* Counters */

long mock_stats[MACHVM_NR_STATS];

void machvm_count(enum machvm_stat stat, long n)
{
	mock_stats[stat] += n;
}

s64 machvm_stat_sum(enum machvm_stat stat)
{
	return mock_stats[stat];
}

s64 machvm_stat_estimate(enum machvm_stat stat)
{
	return mock_stats[stat];
}

/* Memory cgroups: everything belongs to one. */

static atomic_long_t cgroup_pages;
unsigned long mock_cgroup_share;

int machvm_cgroup_charge(struct folio *folio, gfp_t gfp)
{
	if (fake_alloc_fails(gfp, __FILE__, __LINE__))
		return -ENOMEM;
	atomic_long_inc(&cgroup_pages);
	return 0;
}

void machvm_cgroup_uncharge(struct folio *folio)
{
	atomic_long_dec(&cgroup_pages);
}

const void *machvm_cgroup_of(struct folio *folio)
{
	return &cgroup_pages;
}

const void *machvm_cgroup_limited(bool *full)
{
	*full = mock_cgroup_share && atomic_long_read(&cgroup_pages) >= (long)mock_cgroup_share;
	return mock_cgroup_share ? &cgroup_pages : NULL;
}

/* The store */

static char **places;		/* by number; freed ones are NULL */
static u64 places_room, places_used = 1;
unsigned int mock_stored;
unsigned int mock_store_reads;
bool mock_store_room;
static int store_error;

void mock_store_fail(int err)
{
	store_error = err;
}

bool machvm_store_has_room(void)
{
	return mock_store_room;
}

int machvm_store_reserve(struct machvm_store_slot *slot)
{
	might_sleep();
	if (fake_alloc_fails(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	if (places_used == places_room || !places_room) {
		places_room = places_room * 2 + 64;
		places = realloc(places, places_room * sizeof(*places));
		BUG_ON(!places);
	}
	slot->place = places_used++;
	slot->page = NULL;
	places[slot->place] = calloc(1, PAGE_SIZE);
	mock_stored++;
	return 0;
}

void machvm_store_fill(struct machvm_store_slot *slot, struct folio *from)
{
	check_eq(folio_ref_count(from), 0);
	check(!folio_mapped(from) && folio_test_locked(from));
	memcpy(places[slot->place], folio_address(from), PAGE_SIZE);
}

void machvm_store_commit(struct machvm_store_slot *slot, struct machvm_object *object, u64 index)
{
	might_sleep();
}

struct machvm_request *machvm_store_ask(u64 place, struct folio **folio)
{
	BUG();
	return NULL;
}

struct machvm_memobj *mock_manager;

/* As manager.c and nl_out.c do it. */
void machvm_store_adopt(struct machvm_memobj *memobj)
{
	struct machvm_port *port;

	if (!mock_manager || machvm_memobj_join(memobj, mock_manager->port))
		return;
	port = machvm_memobj_lock_port(memobj);
	machvm_memobj_bound_locked(memobj);
	machvm_memobj_unlock_port(port);
	machvm_memobj_advance(memobj);
}

void machvm_store_forget(struct machvm_object *object)
{
	BUG();
}

void machvm_store_cancel(struct machvm_store_slot *slot)
{
	machvm_store_free(slot->place);
}

int machvm_store_read(u64 place, struct folio *into)
{
	int err = store_error;

	might_sleep();
	mock_store_reads++;
	store_error = 0;
	if (err)
		return err;
	if (fake_alloc_fails(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	require(place < places_used);
	if (places[place])
		memcpy(folio_address(into), places[place], PAGE_SIZE);
	else
		memset(folio_address(into), 0xdb, PAGE_SIZE);
	return 0;
}

void machvm_store_free(u64 place)
{
	might_sleep();
	require(place < places_used && places[place]);
	free(places[place]);
	places[place] = NULL;
	mock_stored--;
}

static void store_end(void)
{
	check_eq(mock_stored, 0);
	check_eq(mock_stats[MACHVM_STAT_PAGED_OUT], 0);
	free(places);
	places = NULL;
	places_room = 0;
	places_used = 1;
}

/* What every test must have given back */

static void check_at_end(void)
{
	check_eq(refcount_read(&mock_user.refs), 1);
	check_eq(mock_user.pages, 0);
	check_eq(mock_user.objects, 0);
	store_end();
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 0);
	check_eq(mock_stats[MACHVM_STAT_PORTS], 0);
	check_eq(mock_stats[MACHVM_STAT_QUEUED], 0);
}

static void __attribute__((constructor)) mock_setup(void)
{
	test_at_end(check_at_end);
}
