// SPDX-License-Identifier: GPL-2.0-only
/* mock.c - the surroundings, see mock.h. */
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

/* Counters */

long mock_stats[MACHVM_NR_STATS];

void machvm_count(enum machvm_stat stat, long n)
{
	mock_stats[stat] += n;
}

/* Page tables */

#define MAX_ZAPS 4096
struct mock_zap mock_zaps[MAX_ZAPS];
unsigned int mock_nr_zaps;

static struct address_space the_mapping;
struct address_space *machvm_page_mapping = &the_mapping;

void mock_zaps_forget(void)
{
	mock_nr_zaps = 0;
}

void machvm_pmap_zap(struct machvm_map *map, u64 start, u64 end)
{
	might_sleep();
	WARN(start >= end || (start | end) & ~PAGE_MASK, "zap of [%#llx, %#llx)", start, end);
	if (mock_nr_zaps == MAX_ZAPS)
		mock_nr_zaps = 0;
	mock_zaps[mock_nr_zaps++] = (struct mock_zap){ map, start, end };
}

void machvm_pmap_free(struct machvm_map *map)
{
	check(!map->pmap);
}

bool mock_zapped(struct machvm_map *map, u64 start, u64 end)
{
	unsigned int i;

	while (start < end) {
		u64 reached = start;

		for (i = 0; i < mock_nr_zaps; i++)
			if (mock_zaps[i].map == map && mock_zaps[i].start <= start)
				reached = max(reached, mock_zaps[i].end);
		if (reached == start)
			return false;
		start = reached;
	}
	return true;
}

/* The sender */

static unsigned int sents_room;
struct mock_sent *mock_sents;
unsigned int mock_nr_sent;
bool mock_pump_held;
unsigned int mock_pumps;
int mock_send_error;
unsigned int mock_bindings_released;

void mock_sents_forget(void)
{
	mock_nr_sent = 0;
}

static void send_one(struct machvm_sending *sending)
{
	struct machvm_msg *msg = &sending->copy;

	if (mock_send_error)
		return;
	if (mock_nr_sent == sents_room) {
		sents_room = sents_room * 2 + 64;
		mock_sents = realloc(mock_sents, sents_room * sizeof(*mock_sents));
		BUG_ON(!mock_sents);
	}
	mock_sents[mock_nr_sent++] = (struct mock_sent){
		msg->type, msg->memobj->id, msg->offset, msg->length, msg->access, msg->epoch,
		msg->sequence, sending->via,
	};
}

void machvm_port_pump(struct machvm_port *port)
{
	struct machvm_sending sending;

	might_sleep();
	mock_pumps++;
	while (!mock_pump_held && machvm_port_next(port, &sending)) {
		check(sending.via->in_flight <= sending.via->window);
		send_one(&sending);
		machvm_port_sent(port, &sending, mock_send_error);
	}
}

struct mock_sent *mock_last_sent(void)
{
	return mock_nr_sent ? &mock_sents[mock_nr_sent - 1] : NULL;
}

unsigned int mock_sent_of(u8 type)
{
	unsigned int i, found = 0;

	for (i = 0; i < mock_nr_sent; i++)
		found += mock_sents[i].type == type;
	return found;
}

static void retry_run(struct work_struct *work)
{
	struct machvm_port *port = container_of(to_delayed_work(work), struct machvm_port, retry);

	machvm_port_uncongest(port);
	machvm_port_pump(port);
}

void machvm_port_init_retry(struct machvm_port *port)
{
	INIT_DELAYED_WORK(&port->retry, retry_run);
}

/* A port that goes must not leave its timer behind. */
void machvm_port_release(struct machvm_port *port)
{
	cancel_delayed_work_sync(&port->retry);
}

void machvm_binding_release(struct machvm_binding *binding)
{
	mock_bindings_released++;
}

/* What every test must have given back */

static void check_at_end(void)
{
	check_eq(refcount_read(&mock_user.refs), 1);
	check_eq(mock_user.pages, 0);
	check_eq(mock_stats[MACHVM_STAT_OBJECTS], 0);
	check_eq(mock_stats[MACHVM_STAT_PORTS], 0);
	check_eq(mock_stats[MACHVM_STAT_QUEUED], 0);
}

static void __attribute__((constructor)) mock_setup(void)
{
	test_at_end(check_at_end);
}

/* Maps */

struct machvm_map *map_new(void)
{
	struct machvm_map *map = machvm_map_create(ARENA, ARENA_END, &mock_user);

	require(map);
	return map;
}

void map_end(struct machvm_map *map)
{
	machvm_vm_clear(map);
	map_check(map);
	check_eq(map->nr_entries, 0);
	machvm_map_put(map);
}

static u64 check_subtree(struct rb_node *node)
{
	struct machvm_entry *entry = rb_entry_safe(node, struct machvm_entry, node);
	u64 most;

	if (!entry)
		return 0;
	most = max3(entry->gap, check_subtree(node->rb_left), check_subtree(node->rb_right));
	check_eq(entry->subtree_gap, most);
	return most;
}

void map_check(struct machvm_map *map)
{
	struct machvm_entry *entry;
	unsigned long nr = 0;
	u64 end = map->min;

	down_read(&map->lock);
	for (entry = machvm_map_next_locked(map, 0); entry; entry = machvm_entry_next(entry)) {
		check(entry->map == map);
		check(entry->start >= end && entry->start < entry->end && entry->end <= map->max);
		check(PAGE_ALIGNED(entry->start) && PAGE_ALIGNED(entry->end));
		check_eq(entry->gap, entry->start - end);
		check(!(entry->protection & ~entry->max_protection & MACHVM_PROT_ALL));
		check(entry->object || !entry->needs_copy);
		check(!entry->object || !list_empty(&entry->mapper));
		end = entry->end;
		nr++;
	}
	check_eq(map->tail_gap, map->max - end);
	check_eq(map->nr_entries, nr);
	check_subtree(map->entries.rb_node);
	up_read(&map->lock);
}

static const char *protection_name(u8 protection, bool notify)
{
	static char names[4][5];
	static unsigned int turn;
	char *name = names[turn++ % 4];

	snprintf(name, 5, "%c%c%c%s", protection & MACHVM_PROT_READ ? 'r' : '-',
		 protection & MACHVM_PROT_WRITE ? 'w' : '-',
		 protection & MACHVM_PROT_EXECUTE ? 'x' : '-',
		 notify && protection & MACHVM_PROT_NOTIFY ? "n" : "");
	return name;
}

void map_is_at(const char *file, int line, struct machvm_map *map, const char *regions)
{
	struct machvm_region region;
	char is[4000] = "";
	size_t length = 0;
	u64 addr = 0;

	map_check(map);
	while (machvm_vm_region(map, addr, &region) == MACHVM_KERN_SUCCESS) {
		length += snprintf(is + length, sizeof(is) - length, "%s%llu+%llu %s/%s %d",
				   length ? "; " : "", (region.start - ARENA) >> PAGE_SHIFT,
				   (region.end - region.start) >> PAGE_SHIFT,
				   protection_name(region.protection, true),
				   protection_name(region.max_protection, false),
				   region.inheritance);
		require(length < sizeof(is) && region.end > addr);
		addr = region.end;
	}
	if (strcmp(is, regions))
		test_fail(file, line, "the regions are '%s', not '%s'", is, regions);
}

int allocate_at(struct machvm_map *map, u64 page, u64 nr)
{
	u64 addr = AT(page);
	int kr = machvm_vm_allocate(map, &addr, PAGES(nr), false);

	if (!kr)
		check_eq(addr, AT(page));
	return kr;
}

int deallocate_at(struct machvm_map *map, u64 page, u64 nr)
{
	return machvm_vm_deallocate(map, AT(page), PAGES(nr));
}

int protect_at(struct machvm_map *map, u64 page, u64 nr, u32 protection)
{
	return machvm_vm_protect(map, AT(page), PAGES(nr), false, protection);
}

int set_maximum_at(struct machvm_map *map, u64 page, u64 nr, u32 protection)
{
	return machvm_vm_protect(map, AT(page), PAGES(nr), true, protection);
}

struct machvm_entry *entry_at(struct machvm_map *map, u64 page)
{
	struct machvm_entry *entry;

	down_read(&map->lock);
	entry = machvm_map_lookup_locked(map, AT(page));
	up_read(&map->lock);
	return entry;
}

void fill(struct machvm_object *object, u64 index, char value)
{
	struct folio *folio = machvm_page_alloc(object->user, GFP_KERNEL);

	require(!IS_ERR(folio));
	memset(folio_address(folio), value, PAGE_SIZE);
	down_read(&object->family->lock);
	check_eq(machvm_page_insert(object, index, folio), 0);
	up_read(&object->family->lock);
}

/* Pagers */

void pager_new(struct pager *pager)
{
	pager->memobj = machvm_memobj_create(&mock_user);
	require(pager->memobj);
	pager->binding = NULL;
}

/* As the ioctl does it: the socket joins the port, init goes out if it is time. */
void pager_bind(struct pager *pager, unsigned int window)
{
	struct machvm_port *port = machvm_memobj_lock_port(pager->memobj);

	machvm_memobj_unlock_port(port);
	pager->binding = machvm_binding_create(port, NULL, NULL, 1, window);
	require(pager->binding);
	spin_lock(&port->lock);
	machvm_memobj_bound_locked(pager->memobj);
	spin_unlock(&port->lock);
	machvm_port_pump(port);
}

void pager_close(struct pager *pager)
{
	machvm_binding_close(pager->binding);
	machvm_binding_put(pager->binding);
	pager->binding = NULL;
}

void pager_end(struct pager *pager)
{
	if (pager->binding)
		pager_close(pager);
	machvm_memobj_die(pager->memobj);
	machvm_memobj_put(pager->memobj);
}

int map_pager(struct machvm_map *map, struct pager *pager, u64 page, u64 nr, u64 offset_page,
	      bool copy)
{
	struct machvm_vm_map arg = {
		.size = sizeof(arg), .address = AT(page), .length = PAGES(nr),
		.offset = PAGES(offset_page), .copy = copy,
		.protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE,
		.max_protection = MACHVM_PROT_ALL, .inheritance = MACHVM_INHERIT_COPY,
	};
	u64 addr;

	return machvm_vm_map(map, &arg, pager->memobj, &addr);
}

struct machvm_request *ask(struct machvm_object *object, u64 index)
{
	struct machvm_request *request;
	struct folio *folio;
	int kr;

	down_read(&object->family->lock);
	request = machvm_page_request(object, index);
	up_read(&object->family->lock);
	if (request)
		return request;
	folio = machvm_page_alloc(object->user, GFP_KERNEL);
	if (IS_ERR(folio))
		return NULL;
	request = machvm_request_create(object->memobj, index, MACHVM_PROT_READ, folio);
	if (!request) {
		machvm_page_free(folio);
		return NULL;
	}
	down_read(&object->family->lock);
	if (machvm_page_ask(object, index, request)) {
		up_read(&object->family->lock);
		machvm_request_put(request);
		return NULL;
	}
	up_read(&object->family->lock);
	kr = machvm_request_post(request);
	if (kr) {
		machvm_request_finish(request, kr, 0);
		return request;
	}
	machvm_port_pump(object->memobj->port);
	return request;
}

int supply(struct pager *pager, u64 index, char value, bool precious)
{
	struct machvm_supply supply;
	int kr = machvm_memobj_supply_begin(pager->memobj, PAGES(index), &supply);
	struct machvm_port *port;

	if (kr)
		return kr;
	memset(folio_address(supply.folio), value, PAGE_SIZE);
	kr = machvm_memobj_supply_end(&supply, precious);
	port = machvm_memobj_lock_port(pager->memobj);
	machvm_memobj_unlock_port(port);
	machvm_port_pump(port);
	return kr;
}
