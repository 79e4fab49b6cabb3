// SPDX-License-Identifier: GPL-2.0-only
/* mock.c - the surroundings, see mock.h. */
#include "mock.h"
#include "mapper.h"
#include "fault.h"
#include "laundry.h"

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

static struct mock_pte *pte_of(struct machvm_map *map, u64 addr)
{
	BUG_ON(addr < map->min || addr >= map->max);
	return &map->pmap->ptes[(addr - map->min) >> PAGE_SHIFT];
}

static void pte_clear(struct mock_pte *pte)
{
	struct folio *folio = pte->folio;

	if (!folio)
		return;
	pte->folio = NULL;
	pte->write = false;
	atomic_dec(&folio->_mapcount);
	folio_put(folio);
}

void machvm_pmap_zap(struct machvm_map *map, u64 start, u64 end)
{
	u64 addr;

	might_sleep();
	WARN(start >= end || (start | end) & ~PAGE_MASK, "zap of [%#llx, %#llx)", start, end);
	if (mock_nr_zaps == MAX_ZAPS)
		mock_nr_zaps = 0;
	mock_zaps[mock_nr_zaps++] = (struct mock_zap){ map, start, end };
	for (addr = max(start, map->min); map->pmap && addr < min(end, map->max);
	     addr += PAGE_SIZE)
		pte_clear(pte_of(map, addr));
}

int machvm_pmap_enter(struct vm_area_struct *vma, u64 addr, struct folio *folio, bool write,
		      bool execute)
{
	struct mock_pte *pte = pte_of(vma->map, addr);

	lockdep_assert_held(&vma->map->lock);
	check(folio_test_locked(folio));
	check(folio->mapping == machvm_page_mapping);
	if (pte->folio)
		return -EBUSY;
	if (fake_alloc_fails(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	folio_get(folio);
	atomic_inc(&folio->_mapcount);
	pte->folio = folio;
	pte->write = write;
	return 0;
}

int machvm_pmap_enter_run(struct vm_area_struct *vma, u64 addr, struct page **pages,
			  unsigned long nr, bool execute)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		int err = machvm_pmap_enter(vma, addr + i * PAGE_SIZE, page_folio(pages[i]), false,
					    execute);

		if (err && err != -EBUSY)
			return err;
	}
	return 0;
}

u64 mock_may_wire = U64_MAX;

bool machvm_pmap_may_wire(struct machvm_map *map, u64 bytes, bool privileged)
{
	return privileged || (map->wired_size <= mock_may_wire &&
			      bytes <= mock_may_wire - map->wired_size);
}

/* There are no windows, but where a test makes some; then there will be no more. */

bool mock_foreign;

bool machvm_pmap_own(const struct machvm_map *map)
{
	return !mock_foreign;
}

int machvm_pmap_reserve(struct machvm_map *map, u64 start, u64 end)
{
	return MACHVM_KERN_NO_SPACE;
}

int machvm_pmap_grow(struct machvm_map *map, u64 length, u64 mask)
{
	return MACHVM_KERN_NO_SPACE;
}

int machvm_pmap_execute(struct machvm_map *map, u64 start, u64 end)
{
	return MACHVM_KERN_SUCCESS;
}

int machvm_pmap_tidy(struct machvm_map *map, u64 start, u64 end)
{
	return MACHVM_KERN_SUCCESS;
}

void machvm_pmap_free(struct machvm_map *map)
{
	u64 addr;

	for (addr = map->min; addr < map->max; addr += PAGE_SIZE)
		check(!pte_of(map, addr)->folio);
	free(map->pmap->ptes);
	free(map->pmap);
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

/* The sender */

struct workqueue_struct *machvm_queue;

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

void heard_at(const char *file, int line, const char *expected)
{
	char is[200] = "";
	unsigned int i;

	for (i = 0; i < mock_nr_sent && i < sizeof(is) - 1; i++)
		is[i] = "-iqrtuc"[mock_sents[i].type];
	if (strcmp(is, expected))
		test_fail(file, line, "the pager heard '%s', not '%s'", is, expected);
	mock_sents_forget();
}

static void send_one(struct machvm_sending *sending)
{
	struct machvm_msg *msg = &sending->copy;

	fake_point();
	if (mock_send_error)
		return;
	if (mock_nr_sent == sents_room) {
		sents_room = sents_room * 2 + 64;
		mock_sents = realloc(mock_sents, sents_room * sizeof(*mock_sents));
		BUG_ON(!mock_sents);
	}
	mock_sents[mock_nr_sent++] = (struct mock_sent){
		msg->type, msg->memobj->id, msg->offset, msg->length, msg->access, msg->epoch,
		msg->sequence, msg->kernel_copy, sending->via, msg->new_object,
	};
}

void machvm_port_pump(struct machvm_port *port)
{
	struct machvm_sending sending;

	might_sleep();
	mock_pumps++;
	while (!mock_pump_held && machvm_port_next(port, &sending)) {
		check(sending.via->asked <= sending.via->window);
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

void machvm_memobj_init_advance(struct machvm_memobj *memobj)
{
}

bool mock_serves;

bool machvm_port_serves_current(void)
{
	return mock_serves;
}

/* There is no thread for it: a test calls machvm_memobj_advance() itself. */
void machvm_memobj_advance_later(struct machvm_memobj *memobj)
{
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

/* Maps */

static struct machvm_map *with_page_tables(struct machvm_map *map)
{
	if (!map)
		return NULL;
	map->pmap = calloc(1, sizeof(*map->pmap));
	init_rwsem(&map->pmap->mmap_lock);
	map->pmap->ptes = calloc((map->max - map->min) >> PAGE_SHIFT, sizeof(struct mock_pte));
	return map;
}

struct machvm_map *map_new_of(u64 pages)
{
	struct machvm_map *map = machvm_map_create(ARENA, AT(pages), &mock_user);

	require(map);
	return with_page_tables(map);
}

struct machvm_map *map_new(void)
{
	return map_new_of(ARENA_PAGES);
}

/* Linux takes the page tables down before it closes the last VMA. */
static void drop_page_tables(struct machvm_map *map)
{
	u64 addr;

	for (addr = map->min; map->pmap && addr < map->max; addr += PAGE_SIZE)
		pte_clear(pte_of(map, addr));
}

void map_end(struct machvm_map *map)
{
	drop_page_tables(map);
	machvm_vm_clear(map);
	map_check(map);
	check_eq(map->nr_entries, 0);
	machvm_map_put(map);
}

struct machvm_map *map_fork(struct machvm_map *parent)
{
	struct machvm_map *child = with_page_tables(machvm_map_create(parent->min, parent->max,
								      parent->user));

	if (!child)
		return NULL;
	down_write(&parent->pmap->mmap_lock);
	if (machvm_vm_fork(parent, child, parent->min, parent->max)) {
		check_eq(child->nr_entries, 0);
		machvm_map_put(child);
		child = NULL;
	}
	up_write(&parent->pmap->mmap_lock);
	return child;
}

/* The processor, and what vma.c does for Linux */

struct mock_pte *pte_at(struct machvm_map *map, u64 page)
{
	return pte_of(map, AT(page));
}

static int wait_for_pager(struct machvm_request *request)
{
	struct machvm_port *port =
		machvm_port_get(machvm_memobj_lock_port(request->msg.memobj));
	int kr = MACHVM_KERN_SUCCESS;

	machvm_memobj_unlock_port(port);
	machvm_port_pump(port);
	machvm_port_put(port);
	if (wait_event_killable(request->wait, machvm_request_done(request)))
		kr = MACHVM_KERN_ABORTED;
	else if (request->result == MACHVM_KERN_MEMORY_ERROR)
		kr = request->result;
	machvm_request_put(request);
	return kr;
}

static int take_fault(struct machvm_map *map, u64 addr, bool write)
{
	struct vm_area_struct vma = { map };
	struct mock_pte *pte = pte_of(map, addr);
	struct machvm_fault fault = {
		.map = map, .vma = &vma, .addr = addr & PAGE_MASK, .at = addr & PAGE_MASK,
		.write = write, .patient = true,
	};
	int kr = 0;

	down_read(&map->pmap->mmap_lock);
	/* Linux holds a reference on the page that it has trapped on. */
	fault.trapped = pte->folio;
	if (fault.trapped)
		folio_get(fault.trapped);
	switch (machvm_fault_resolve(&fault)) {
	case MACHVM_FAULT_MAPPED:
		break;
	case MACHVM_FAULT_UPGRADE:
		check(write && fault.folio == fault.trapped);
		fake_point();
		if (pte->folio == fault.trapped)
			pte->write = true;
		folio_unlock(fault.folio);
		break;
	case MACHVM_FAULT_WAIT:
		if (!fault.trapped) {
			up_read(&map->pmap->mmap_lock);
			return wait_for_pager(fault.wait);
		}
		machvm_request_put(fault.wait);
		machvm_pmap_zap(map, fault.addr, fault.addr + PAGE_SIZE);
		break;
	case MACHVM_FAULT_LAUNDRY:
		if (!fault.trapped) {
			up_read(&map->pmap->mmap_lock);
			return machvm_laundry_wait(fault.events, false) ? MACHVM_KERN_ABORTED : 0;
		}
		machvm_pmap_zap(map, fault.addr, fault.addr + PAGE_SIZE);
		break;
	case MACHVM_FAULT_FAILED:
		kr = fault.kr;
		break;
	default:
		kr = -ENOMEM;
		break;
	}
	if (fault.trapped)
		folio_put(fault.trapped);
	up_read(&map->pmap->mmap_lock);
	return kr;
}

/* Returns the byte that the translation leads to, once there is one that allows the access. */
static int cpu_access(struct machvm_map *map, u64 addr, bool write, u8 **byte)
{
	struct mock_pte *pte = pte_of(map, addr);
	int kr, tries;

	for (tries = 0; !pte->folio || (write && !pte->write); tries++) {
		kr = take_fault(map, addr, write);
		check(fake_nothing_held());
		if (kr)
			return kr;
		if (tries == 100)
			test_die(__FILE__, __LINE__, "the fault at %#llx is taken for ever", addr);
	}
	/* A page that left its object must have lost its translations first. */
	if (pte->folio->mapping != machvm_page_mapping)
		test_die(__FILE__, __LINE__, "a stale translation at %#llx", addr);
	*byte = (u8 *)folio_address(pte->folio) + offset_in_page(addr);
	return 0;
}

int cpu_load(struct machvm_map *map, u64 addr, u8 *value)
{
	u8 *byte;
	int kr = cpu_access(map, addr, false, &byte);

	if (!kr)
		*value = *byte;
	return kr;
}

int cpu_store(struct machvm_map *map, u64 addr, u8 value)
{
	u8 *byte;
	int kr = cpu_access(map, addr, true, &byte);

	if (!kr)
		*byte = value;
	return kr;
}

int load(struct machvm_map *map, u64 page)
{
	u8 value;
	int kr = cpu_load(map, AT(page) + page % PAGE_SIZE, &value);

	return kr ? FAILED(kr) : value;
}

int store(struct machvm_map *map, u64 page, u8 value)
{
	return cpu_store(map, AT(page) + page % PAGE_SIZE, value);
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
	u64 wired = 0, size = 0;

	down_read(&map->lock);
	for (entry = machvm_map_next_locked(map, 0); entry; entry = machvm_entry_next(entry)) {
		check(entry->map == map);
		check(entry->start >= end && entry->start < entry->end && entry->end <= map->max);
		check(PAGE_ALIGNED(entry->start) && PAGE_ALIGNED(entry->end));
		check_eq(entry->gap, entry->start - end);
		check(!(entry->protection & ~entry->max_protection & MACHVM_PROT_ALL));
		check(entry->object || !entry->needs_copy);
		check(!entry->object || !RB_EMPTY_NODE(&entry->mapper));
		check_eq(entry->wired, entry->wire && entry->protection & MACHVM_PROT_READ);
		size += entry->max_protection ? entry->end - entry->start : 0;
		wired += entry->wire ? entry->end - entry->start : 0;
		end = entry->end;
		nr++;
	}
	check_eq(map->tail_gap, map->max - end);
	check_eq(map->nr_entries, nr);
	check_eq(map->wired_size, wired);
	check_eq(map->size, size);
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

static void object_check(struct machvm_object *object)
{
	unsigned int entries = 0, children = 0, cached = 0;
	struct machvm_object *child;
	struct machvm_entry *entry;
	long resident = 0, kept = 0;
	struct folio *folio;
	u64 index;

	down_read(&object->family->lock);
	mutex_lock(&object->family->mappers);
	machvm_for_each_mapper(entry, object, 0, U64_MAX) {
		check(entry->object == object);
		entries++;
	}
	mutex_unlock(&object->family->mappers);
	list_for_each_entry(child, &object->children, sibling) {
		check(child->shadow == object && child->family == object->family);
		children++;
	}
	if (object->memobj && object->memobj->object == object)
		cached = !list_empty(&object->memobj->cached);
	/* Ours is the one more. */
	check_eq(refcount_read(&object->refs), entries + children + cached + 1);
	check(!object->copy || object->copy->shadow == object);
	check(!object->shadow || !list_empty(&object->sibling));
	for (index = 0; (folio = machvm_page_next(object, &index, ULONG_MAX)); index++) {
		check(folio->mapping == machvm_page_mapping);
		check_eq(folio->index, object->ident + object->ident_index + index);
		check(!folio_test_locked(folio));
		resident++;
	}
	for (index = 0; machvm_page_next_kept(object, &index, ULONG_MAX); index++)
		kept++;
	check_eq(atomic_long_read(&object->resident), resident);
	check_eq(atomic_long_read(&object->paged_out), kept - resident);
	up_read(&object->family->lock);
}

void objects_check(void)
{
	struct machvm_object *object;
	u64 id;

	for (id = 0; (object = machvm_object_first(id));) {
		object_check(object);
		id = object->id + 1;
		machvm_object_put(object);
	}
}

u64 pageout_at(struct machvm_map *map, u64 page, u64 nr)
{
	u64 pages;

	check_eq(machvm_vm_pageout(map, AT(page), PAGES(nr), &pages), 0);
	return pages;
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
	require(!IS_ERR(pager->memobj));
	pager->binding = NULL;
}

/* As the ioctl does it: the socket joins the port, init goes out if it is time. */
void pager_bind(struct pager *pager, unsigned int window)
{
	struct machvm_port *port = machvm_memobj_lock_port(pager->memobj);

	machvm_memobj_unlock_port(port);
	/* One that gets no memory tries again. */
	pager->binding = machvm_binding_create(port, NULL, NULL, 1, window) ?:
			 machvm_binding_create(port, NULL, NULL, 1, window);
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
	kr = machvm_memobj_supply_end(&supply, 0, precious);
	port = machvm_memobj_lock_port(pager->memobj);
	machvm_memobj_unlock_port(port);
	machvm_port_pump(port);
	return kr;
}

struct machvm_map *map_file(struct pager *pager, u64 nr)
{
	struct machvm_map *map = map_new();
	u64 i;

	pager_new(pager);
	pager_bind(pager, 0);
	check_eq(map_pager(map, pager, 0, nr, 0, false), 0);
	check_eq(machvm_memobj_ready(pager->memobj, false, MACHVM_COPY_DELAY), 0);
	for (i = 0; i < nr; i++)
		check_eq(supply(pager, i, i + 1, false), 0);
	mock_sents_forget();
	return map;
}

int release_pages(struct pager *pager, u64 first, u64 nr)
{
	return machvm_memobj_release(pager->memobj, PAGES(first), PAGES(nr), NULL);
}

/* What the pager reads of a page that was returned to it, or -1. */
static int returned(struct pager *pager, u64 index)
{
	struct folio *folio = machvm_memobj_returned(pager->memobj, PAGES(index));
	int value = folio ? ((u8 *)folio_address(folio))[index % PAGE_SIZE] : -1;

	if (folio)
		folio_put(folio);
	return value;
}

void expect_return_at(const char *file, int line, struct pager *pager, u64 first, u64 nr,
		      bool dirty, bool kernel_copy, int value)
{
	struct mock_sent *sent = mock_nr_sent ? &mock_sents[0] : NULL;
	u64 i;

	if (mock_nr_sent != 1 || sent->type != MACHVM_MSG_DATA_RETURN)
		test_die(file, line, "%u messages, and not one that returns pages", mock_nr_sent);
	if (sent->offset != PAGES(first) || sent->length != PAGES(nr) || sent->access != dirty ||
	    sent->kernel_copy != kernel_copy)
		test_fail(file, line, "pages %llu+%llu, dirty %u, kernel copy %d are returned",
			  sent->offset >> PAGE_SHIFT, sent->length >> PAGE_SHIFT, sent->access,
			  sent->kernel_copy);
	for (i = first; i < first + nr; i++)
		if (returned(pager, i) != value)
			test_fail(file, line, "page %llu holds %d", i, returned(pager, i));
	mock_sents_forget();
	check_eq(release_pages(pager, first, nr), 0);
}
