// SPDX-License-Identifier: GPL-2.0-only
/* mock_map.c - maps, their page tables, the processor, and what must hold of them at any time. */
#include "mock.h"
#include "fault.h"
#include "laundry.h"
#include "mapper.h"

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
		machvm_fault_put_limited(&fault);
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
