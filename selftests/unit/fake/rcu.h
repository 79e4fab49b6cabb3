/* SPDX-License-Identifier: GPL-2.0-only */
/* rcu.h - read sections that are counted, and callbacks that wait for the test's word. */
#ifndef _FAKE_RCU_H
#define _FAKE_RCU_H

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

typedef void (*rcu_callback_t)(struct rcu_head *head);

void fake_rcu_read(int n, const char *file, int line);
bool rcu_read_lock_held(void);
void call_rcu(struct rcu_head *head, rcu_callback_t func);
void fake_kfree_rcu(const void *ptr, const char *file, int line);
void rcu_barrier(void);
#define synchronize_rcu() rcu_barrier()
#define synchronize_rcu_expedited() rcu_barrier()

#define rcu_read_lock() fake_rcu_read(1, __FILE__, __LINE__)
#define rcu_read_unlock() fake_rcu_read(-1, __FILE__, __LINE__)
#define kfree_rcu(ptr, member) fake_kfree_rcu(ptr, __FILE__, __LINE__)
#define kfree_rcu_mightsleep(ptr) ({ might_sleep(); fake_kfree_rcu(ptr, __FILE__, __LINE__); })
#define kvfree_rcu(ptr, member) kfree_rcu(ptr, member)

#define RCU_LOCKDEP_WARN(cond, text)						\
	do {									\
		if (cond)							\
			test_die(__FILE__, __LINE__, "rcu: %s", text);		\
	} while (0)
#define rcu_dereference_check(p, cond)						\
	({									\
		if (!(cond) && !rcu_read_lock_held())				\
			test_die(__FILE__, __LINE__, "rcu: %s read without protection", #p); \
		READ_ONCE(p);							\
	})
#define rcu_dereference_protected(p, cond)					\
	({									\
		if (!(cond))							\
			test_die(__FILE__, __LINE__, "rcu: %s read without protection", #p); \
		(p);								\
	})
#define rcu_dereference(p) rcu_dereference_check(p, false)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_assign_pointer(p, value) WRITE_ONCE(p, value)
#define RCU_INIT_POINTER(p, value) WRITE_ONCE(p, value)
#define rcu_replace_pointer(p, value, cond)					\
	({									\
		typeof(p) old_ = rcu_dereference_protected(p, cond);		\
		rcu_assign_pointer(p, value);					\
		old_;								\
	})

#endif /* _FAKE_RCU_H */
