// SPDX-License-Identifier: GPL-2.0-only
/* fake_test.c - the stand-ins themselves: a check that cannot fail proves nothing. */
#include "kinc.h"

/* Arrays and trees are the kernel's own: these show that they work on our ground. */

TEST(fake, xarray_keeps_what_is_stored)
{
	DEFINE_XARRAY(xa);
	unsigned long index;
	int things[64], i, seen = 0;
	void *entry;

	xa_init(&xa);
	for (i = 0; i < 64; i++)
		check(!xa_err(xa_store(&xa, i * 1000003UL, &things[i], GFP_KERNEL)));
	for (i = 0; i < 64; i++)
		check(xa_load(&xa, i * 1000003UL) == &things[i]);
	check(!xa_load(&xa, 1));
	check_eq(xa_insert(&xa, 1000003, &things[0], GFP_KERNEL), -EBUSY);
	check(xa_cmpxchg(&xa, 1000003, &things[1], &things[0], GFP_KERNEL) == &things[1]);
	check(xa_load(&xa, 1000003) == &things[0]);
	xa_for_each(&xa, index, entry)
		seen++;
	check_eq(seen, 64);
	index = 1;
	check(xa_find(&xa, &index, ULONG_MAX, XA_PRESENT) == &things[0] && index == 1000003);
	for (i = 0; i < 64; i++)
		check(xa_erase(&xa, i * 1000003UL));
	check(xa_empty(&xa));
	xa_destroy(&xa);
}

TEST(fake, xarray_tags_and_values)
{
	struct xarray xa;
	long thing;
	void *entry;

	xa_init(&xa);
	entry = xa_tag_pointer(&thing, 1);
	check_eq(xa_pointer_tag(entry), 1);
	check(xa_untag_pointer(entry) == &thing);
	xa_store(&xa, 7, entry, GFP_KERNEL);
	check(xa_load(&xa, 7) == entry);
	xa_store(&xa, 8, xa_mk_value(5), GFP_KERNEL);
	check(xa_is_value(xa_load(&xa, 8)));
	check_eq(xa_to_value(xa_load(&xa, 8)), 5);
	xa_set_mark(&xa, 8, XA_MARK_0);
	check(xa_get_mark(&xa, 8, XA_MARK_0));
	check(!xa_get_mark(&xa, 7, XA_MARK_0));
	xa_destroy(&xa);
}

TEST(fake, xarray_gives_ids)
{
	struct xarray xa;
	u32 id, i;

	xa_init_flags(&xa, XA_FLAGS_ALLOC1);
	for (i = 1; i <= 10; i++) {
		check_eq(xa_alloc(&xa, &id, &xa, xa_limit_32b, GFP_KERNEL), 0);
		check_eq(id, i);
	}
	xa_destroy(&xa);
}

TEST(fake, xarray_state_walks_under_its_lock)
{
	struct xarray xa;
	XA_STATE(xas, &xa, 0);
	unsigned int seen = 0;
	void *entry;
	int i;

	xa_init(&xa);
	for (i = 0; i < 100; i += 10)
		xa_store(&xa, i, &xa, GFP_KERNEL);
	rcu_read_lock();
	xas_for_each(&xas, entry, 50)
		seen++;
	rcu_read_unlock();
	check_eq(seen, 6);
	xas_set(&xas, 40);
	xas_lock(&xas);
	check(xas_load(&xas) == &xa);
	xas_store(&xas, NULL);
	xas_unlock(&xas);
	check(!xa_load(&xa, 40));
	xa_destroy(&xa);
}

TEST(fake, xarray_survives_failing_allocations)
{
	int failures = 0;

	for_each_failure(n) {
		struct xarray xa;
		bool hit;
		int err;

		xa_init(&xa);
		fail_nth(n);
		err = xa_err(xa_store(&xa, 1UL << 40, &xa, GFP_KERNEL));
		hit = fail_end();
		check(!err || (hit && err == -ENOMEM));
		failures += !!err;
		check(xa_load(&xa, 1UL << 40) == (err ? NULL : &xa));
		xa_destroy(&xa);
		rcu_barrier();
		check_eq(alloc_live(), 0);
	}
	check(failures > 5);
}

struct span {
	struct rb_node node;
	u64 start, size, subtree_size;
};

#define span_size(s) ((s)->size)
RB_DECLARE_CALLBACKS_MAX(static, span_callbacks, struct span, node, u64, subtree_size, span_size)

static u64 largest(const struct rb_root *root)
{
	return root->rb_node ? rb_entry(root->rb_node, struct span, node)->subtree_size : 0;
}

TEST(fake, augmented_tree_knows_the_largest)
{
	struct rb_root root = RB_ROOT;
	struct span spans[200];
	int i, j;

	for (i = 0; i < 200; i++) {
		struct rb_node **link = &root.rb_node, *parent = NULL;
		struct span *span = &spans[i];

		span->start = test_random();
		span->size = test_random() % 1000 + 1;
		span->subtree_size = span->size;
		while (*link) {
			parent = *link;
			link = span->start < rb_entry(parent, struct span, node)->start ?
				&parent->rb_left : &parent->rb_right;
		}
		rb_link_node(&span->node, parent, link);
		span_callbacks_propagate(parent, NULL);
		rb_insert_augmented(&span->node, &root, &span_callbacks);
	}
	for (i = 0; i < 200; i++) {
		u64 most = 0;

		for (j = i; j < 200; j++)
			most = max(most, spans[j].size);
		check_eq(largest(&root), most);
		rb_erase_augmented(&spans[i].node, &root, &span_callbacks);
	}
	check(RB_EMPTY_ROOT(&root));
}

TEST(fake, lists)
{
	struct { struct list_head node; int n; } a = { .n = 1 }, b = { .n = 2 };
	LIST_HEAD(head);

	list_add_tail(&a.node, &head);
	list_add_tail(&b.node, &head);
	check(!list_empty(&head));
	check_eq(list_first_entry(&head, typeof(a), node)->n, 1);
	list_del_init(&a.node);
	check(list_empty(&a.node));
	check(list_is_singular(&head));
}

/* Memory */

static void leak_memory(void)
{
	check(kmalloc(10, GFP_KERNEL));
}

static void leak_page(void)
{
	check(folio_alloc(GFP_KERNEL, 0));
}

static void free_twice(void)
{
	void *ptr = kmalloc(10, GFP_KERNEL);

	kfree(ptr);
	kfree(ptr);
}

static void write_too_far(void)
{
	volatile char *ptr = kmalloc(10, GFP_KERNEL);

	ptr[10] = 1;
	kfree((void *)ptr);
}

static void forget_fail_end(void)
{
	fail_nth(5);
}

TEST(fake, leaks_and_misuse_of_memory_are_seen)
{
	must_fail(leak_memory, "leak: 10 bytes");
	must_fail(leak_page, "leak: 4096 bytes");
	must_fail(free_twice, "is not allocated");
	must_fail(write_too_far, "heap-buffer-overflow");
	must_fail(forget_fail_end, "fail_end() is missing");
}

TEST(fake, the_nth_allocation_fails_once)
{
	void *first, *second, *third;

	fail_nth(2);
	first = kmalloc(8, GFP_KERNEL);
	second = kzalloc(8, GFP_KERNEL);
	third = kmalloc(8, GFP_KERNEL);
	check(first && !second && third);
	check(fail_end());
	check(!fail_end());
	kfree(first);
	kfree(third);
	fail_nth(1);
	check(!folio_alloc(GFP_KERNEL, 0));
	check(fail_end());
	fail_nth(1);
	first = kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);
	check(first && !fail_end());
	kfree(first);
}

TEST(fake, a_sweep_ends_when_nothing_failed)
{
	unsigned long rounds = 0;

	for_each_failure(n) {
		void *ptr;
		int i;

		rounds++;
		fail_nth(n);
		for (i = 0; i < 3; i++) {
			ptr = kmalloc(8, GFP_KERNEL);
			kfree(ptr);
			if (!ptr)
				break;
		}
		check_eq(fail_end(), n <= 3);
	}
	check_eq(rounds, 8);
}

TEST(fake, a_sweep_gets_past_a_second_try)
{
	int lost = 0;

	for_each_failure(n) {
		void *ptr;

		fail_nth(n);
		ptr = kmalloc(8, GFP_NOWAIT) ?: kmalloc(8, GFP_KERNEL);
		fail_end();
		lost += !ptr;
		kfree(ptr);
	}
	check_eq(lost, 1);
}

TEST(fake, memory_is_zero_only_if_asked)
{
	unsigned char *a = kmalloc(16, GFP_KERNEL), *b = kzalloc(16, GFP_KERNEL);
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, 0);

	check_eq(a[3], 0xa5);
	check_eq(b[3], 0);
	check_eq(((char *)folio_address(folio))[4095], 0);
	kfree(a);
	kfree(b);
	folio_put(folio);
}

/* Locks */

static DEFINE_MUTEX(mutex_a);
static DEFINE_MUTEX(mutex_b);
static DECLARE_RWSEM(rwsem);
static DEFINE_SPINLOCK(spin);

static void lock_twice(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_a);
}

static void read_twice(void)
{
	down_read(&rwsem);
	down_read(&rwsem);
}

static void unlock_twice(void)
{
	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
	mutex_unlock(&mutex_a);
}

static void unlock_the_wrong_way(void)
{
	down_read(&rwsem);
	up_write(&rwsem);
}

static void keep_a_lock(void)
{
	mutex_lock(&mutex_a);
}

static void turn_the_order_round(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_b);
	mutex_unlock(&mutex_b);
	mutex_unlock(&mutex_a);
	mutex_lock(&mutex_b);
	mutex_lock(&mutex_a);
}

static void turn_a_long_order_round(void)
{
	mutex_lock(&mutex_a);
	down_read(&rwsem);
	up_read(&rwsem);
	mutex_unlock(&mutex_a);
	down_write(&rwsem);
	mutex_lock(&mutex_b);
	mutex_unlock(&mutex_b);
	up_write(&rwsem);
	mutex_lock(&mutex_b);
	mutex_lock(&mutex_a);
}

static void two_of_a_class(void)
{
	struct mutex locks[2];
	int i;

	for (i = 0; i < 2; i++)
		mutex_init(&locks[i]);
	mutex_lock(&locks[0]);
	mutex_lock(&locks[1]);
}

static void not_initialised(void)
{
	struct mutex *mutex = kzalloc(sizeof(*mutex), GFP_KERNEL);

	mutex_lock(mutex);
}

static void assert_unheld(void)
{
	lockdep_assert_held(&mutex_a);
}

static void assert_write_when_read(void)
{
	down_read(&rwsem);
	lockdep_assert_held(&rwsem);
	lockdep_assert_held_write(&rwsem);
}

static void assert_read_when_written(void)
{
	down_write(&rwsem);
	lockdep_assert_held_read(&rwsem);
}

static void sleep_under_spinlock(void)
{
	spin_lock(&spin);
	kfree(kmalloc(8, GFP_KERNEL));
}

static void mutex_under_spinlock(void)
{
	spin_lock(&spin);
	mutex_lock(&mutex_a);
}

static void mutex_under_rcu(void)
{
	rcu_read_lock();
	mutex_lock(&mutex_a);
}

TEST(fake, misuse_of_locks_is_seen)
{
	must_fail(lock_twice, "would wait for ever");
	must_fail(read_twice, "taken twice for reading");
	must_fail(unlock_twice, "is not held");
	must_fail(unlock_the_wrong_way, "is not held for writing");
	must_fail(keep_a_lock, "still held at the end: mutex_a");
	must_fail(turn_the_order_round, "lock order: mutex_a after mutex_b");
	must_fail(turn_a_long_order_round, "lock order: mutex_a after mutex_b");
	must_fail(two_of_a_class, "two of one class");
	must_fail(not_initialised, "not initialised");
	must_fail(assert_unheld, "is not held");
	must_fail(assert_write_when_read, "is not held for writing");
	must_fail(assert_read_when_written, "is not held for reading");
	must_fail(sleep_under_spinlock, "sleeps where nobody may");
	must_fail(mutex_under_spinlock, "sleeps where nobody may");
	must_fail(mutex_under_rcu, "sleeps where nobody may");
}

TEST(fake, locks_used_well_say_nothing)
{
	down_write(&rwsem);
	lockdep_assert_held_write(&rwsem);
	check(!down_read_trylock(&rwsem));
	downgrade_write(&rwsem);
	lockdep_assert_held_read(&rwsem);
	check(!down_write_trylock(&rwsem));
	up_read(&rwsem);
	lockdep_assert_not_held(&rwsem);
	spin_lock(&spin);
	kfree(kmalloc(8, GFP_NOWAIT));
	spin_unlock(&spin);
	check(mutex_trylock(&mutex_a));
	check(!mutex_trylock(&mutex_a));
	mutex_unlock(&mutex_a);
	fail_killable(2);
	check_eq(down_write_killable(&rwsem), 0);
	up_write(&rwsem);
	check_eq(down_write_killable(&rwsem), -EINTR);
	check(fake_nothing_held());
}

/* Counts */

static void get_the_dead(void)
{
	refcount_t r = REFCOUNT_INIT(1);

	check(refcount_dec_and_test(&r));
	refcount_inc(&r);
}

static void put_the_dead(void)
{
	refcount_t r = REFCOUNT_INIT(1);

	check(refcount_dec_and_test(&r));
	check(refcount_dec_and_test(&r));
}

TEST(fake, misuse_of_counts_is_seen)
{
	must_fail(get_the_dead, "a reference to what is gone");
	must_fail(put_the_dead, "underflow");
}

static void warns(void)
{
	WARN_ON_ONCE(1 == 1);
}

static void bugs(void)
{
	BUG_ON(1 == 1);
}

static void shifts_too_far(void)
{
	volatile int by = 32;

	check(1U << by);
}

TEST(fake, warnings_and_bugs_fail_the_test)
{
	must_fail(warns, "WARN: 1 == 1");
	must_fail(bugs, "BUG: 1 == 1");
	must_fail(shifts_too_far, "shift exponent");
}

/* Pages */

static struct folio *a_folio(void)
{
	return folio_alloc(GFP_KERNEL, 0);
}

static void put_locked(void)
{
	struct folio *folio = a_folio();

	folio_lock(folio);
	folio_put(folio);
}

static void put_mapped(void)
{
	struct folio *folio = a_folio();

	atomic_inc(&folio->_mapcount);
	folio_put(folio);
}

static void put_with_mapping(void)
{
	static struct address_space mapping;
	struct folio *folio = a_folio();

	folio->mapping = &mapping;
	folio_put(folio);
}

static void put_too_often(void)
{
	struct folio *folio = a_folio();

	folio_get(folio);
	folio_put_refs(folio, 3);
}

static void lock_page_twice(void)
{
	struct folio *folio = a_folio();

	folio_lock(folio);
	folio_lock(folio);
}

static void get_frozen(void)
{
	struct folio *folio = a_folio();

	check(folio_ref_freeze(folio, 1));
	folio_get(folio);
}

static void read_freed(void)
{
	struct folio *folio = a_folio();
	volatile char *data = folio_address(folio);

	folio_put(folio);
	check(data[0]);
}

TEST(fake, misuse_of_pages_is_seen)
{
	must_fail(put_locked, "freed while locked");
	must_fail(put_mapped, "freed while mapped");
	must_fail(put_with_mapping, "freed with a mapping");
	must_fail(put_too_often, "put once too often");
	must_fail(lock_page_twice, "would wait for ever");
	must_fail(get_frozen, "freed or frozen");
	must_fail(read_freed, "heap-use-after-free");
}

TEST(fake, pages_hold_bytes)
{
	struct folio *a = a_folio(), *b = a_folio();

	memset(folio_address(a), 7, PAGE_SIZE);
	copy_highpage(folio_page(b, 0), &a->page);
	check_eq(((char *)kmap_local_folio(b, 0))[4095], 7);
	check(page_folio(&a->page) == a);
	check(folio_trylock(a));
	check(!folio_trylock(a));
	check(folio_test_locked(a));
	folio_unlock(a);
	check(!folio_ref_freeze(a, 2));
	check(folio_ref_freeze(a, 1));
	folio_ref_unfreeze(a, 1);
	folio_put(a);
	folio_put(b);
}

/* RCU, waiting, time, work */

struct late {
	struct rcu_head rcu;
	int *ran;
};

static void late_run(struct rcu_head *head)
{
	struct late *late = container_of(head, struct late, rcu);

	++*late->ran;
	kfree(late);
}

TEST(fake, rcu_callbacks_wait)
{
	int ran = 0;
	struct late *late = kmalloc(sizeof(*late), GFP_KERNEL);

	late->ran = &ran;
	call_rcu(&late->rcu, late_run);
	check_eq(ran, 0);
	rcu_barrier();
	check_eq(ran, 1);
	late = kmalloc(sizeof(*late), GFP_KERNEL);
	kfree_rcu(late, rcu);
	late->ran = &ran;
	check_eq(alloc_live(), 1);
}

static void read_unprotected(void)
{
	void *ptr = NULL;

	check(!rcu_dereference(ptr));
}

static void barrier_inside(void)
{
	rcu_read_lock();
	synchronize_rcu();
}

static void leave_a_section_open(void)
{
	rcu_read_lock();
}

TEST(fake, misuse_of_rcu_is_seen)
{
	must_fail(read_unprotected, "read without protection");
	must_fail(barrier_inside, "sleeps where nobody may");
	must_fail(leave_a_section_open, "atomic sections opened");
}

struct scene {
	wait_queue_head_t wq;
	int rounds;
};

static void world(void *arg)
{
	struct scene *scene = arg;

	if (++scene->rounds == 3)
		wake_up(&scene->wq);
}

static void wait_alone(void)
{
	struct scene scene = { .rounds = 0 };

	init_waitqueue_head(&scene.wq);
	wait_event(scene.wq, scene.rounds);
}

static void wait_with_lock(void)
{
	struct scene scene = { .rounds = 0 };

	init_waitqueue_head(&scene.wq);
	fake_world = world;
	fake_world_arg = &scene;
	mutex_lock(&mutex_a);
	wait_event(scene.wq, scene.rounds);
}

TEST(fake, sleepers_let_the_world_go_on)
{
	struct scene scene = { .rounds = 0 };

	init_waitqueue_head(&scene.wq);
	fake_world = world;
	fake_world_arg = &scene;
	check_eq(wait_event_killable(scene.wq, scene.rounds == 3), 0);
	check_eq(fake_sleeps, 3);
	check_eq(fake_wakes, 1);
	fake_signal(true);
	check_eq(wait_event_killable(scene.wq, scene.rounds == 4), -ERESTARTSYS);
	check_eq(scene.rounds, 3);
	must_fail(wait_alone, "would sleep for ever");
	must_fail(wait_with_lock, "sleeps with a lock held");
}

static unsigned int worked;

static void work_run(struct work_struct *work)
{
	worked++;
}

TEST(fake, work_waits_to_be_run)
{
	struct delayed_work work;

	INIT_DELAYED_WORK(&work, work_run);
	check(schedule_delayed_work(&work, 10));
	check(!schedule_delayed_work(&work, 10));
	check_eq(worked, 0);
	check_eq(fake_work_run(), 1);
	check_eq(worked, 1);
	check(schedule_delayed_work(&work, 10));
	check(cancel_delayed_work_sync(&work));
	check_eq(fake_work_run(), 0);
}
