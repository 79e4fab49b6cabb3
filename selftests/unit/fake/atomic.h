/* SPDX-License-Identifier: GPL-2.0-only */
/* atomic.h - atomics for one thread, and reference counts that know when they are misused. */
#ifndef _FAKE_ATOMIC_H
#define _FAKE_ATOMIC_H

void fake_point(void);

#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))
#define data_race(x) (x)
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_load_acquire(p) ({ fake_point(); READ_ONCE(*(p)); })
#define smp_store_release(p, value) ({ WRITE_ONCE(*(p), value); fake_point(); })
#define smp_store_mb(x, value) WRITE_ONCE(x, value)

#define xchg(p, value)								\
	({ fake_point(); typeof(*(p)) old_ = *(p); *(p) = (value); old_; })
#define cmpxchg(p, was, value)							\
	({									\
		fake_point();							\
		typeof(*(p)) old_ = *(p);					\
		if (old_ == (was))						\
			*(p) = (value);						\
		old_;								\
	})
#define try_cmpxchg(p, was, value)						\
	({									\
		bool same_ = *(p) == *(was);					\
		if (same_)							\
			*(p) = (value);						\
		else								\
			*(was) = *(p);						\
		same_;								\
	})
#define cmpxchg_release(p, was, value) cmpxchg(p, was, value)
#define cmpxchg_acquire(p, was, value) cmpxchg(p, was, value)
#define xchg_release(p, value) xchg(p, value)

#define FAKE_ATOMIC(name, type)							\
typedef struct { type counter; } name##_t;					\
static inline type name##_read(const name##_t *v) { return v->counter; }	\
static inline type name##_read_acquire(const name##_t *v) { return v->counter; } \
static inline void name##_set(name##_t *v, type i) { v->counter = i; }		\
static inline void name##_set_release(name##_t *v, type i) { v->counter = i; }	\
static inline void name##_add(type i, name##_t *v) { v->counter += i; }		\
static inline void name##_sub(type i, name##_t *v) { v->counter -= i; }		\
static inline void name##_inc(name##_t *v) { v->counter++; }			\
static inline void name##_dec(name##_t *v) { v->counter--; }			\
static inline type name##_add_return(type i, name##_t *v) { return v->counter += i; } \
static inline type name##_sub_return(type i, name##_t *v) { return v->counter -= i; } \
static inline type name##_inc_return(name##_t *v) { return ++v->counter; }	\
static inline type name##_dec_return(name##_t *v) { return --v->counter; }	\
static inline type name##_fetch_add(type i, name##_t *v)			\
{ type old = v->counter; v->counter += i; return old; }				\
static inline bool name##_dec_and_test(name##_t *v) { return --v->counter == 0; } \
static inline bool name##_inc_and_test(name##_t *v) { return ++v->counter == 0; } \
static inline bool name##_sub_and_test(type i, name##_t *v)			\
{ v->counter -= i; return v->counter == 0; }					\
static inline bool name##_add_unless(name##_t *v, type i, type unless)		\
{ if (v->counter == unless) return false; v->counter += i; return true; }	\
static inline bool name##_inc_not_zero(name##_t *v) { return name##_add_unless(v, 1, 0); } \
static inline type name##_dec_if_positive(name##_t *v)				\
{ type next = v->counter - 1; if (next >= 0) v->counter = next; return next; }	\
static inline type name##_xchg(name##_t *v, type i)				\
{ type old = v->counter; v->counter = i; return old; }				\
static inline type name##_cmpxchg(name##_t *v, type was, type i)		\
{ type old = v->counter; if (old == was) v->counter = i; return old; }		\
static inline bool name##_try_cmpxchg(name##_t *v, type *was, type i)		\
{ if (v->counter == *was) { v->counter = i; return true; } *was = v->counter; return false; }

FAKE_ATOMIC(atomic, int)
FAKE_ATOMIC(atomic_long, long)
FAKE_ATOMIC(atomic64, s64)
#define ATOMIC_INIT(i) { (i) }
#define ATOMIC_LONG_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }

/* A count of 0 is dead: nothing but refcount_set() may bring it back. */
typedef struct refcount_struct {
	int refs;
} refcount_t;

#define REFCOUNT_INIT(n) { (n) }

static inline void refcount_set(refcount_t *r, int n)
{
	r->refs = n;
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	fake_point();
	return r->refs;
}

static inline void fake_refcount_add(const char *file, int line, refcount_t *r, int n)
{
	fake_point();
	if (r->refs <= 0)
		test_die(file, line, "refcount: a reference to what is gone (count %d)", r->refs);
	r->refs += n;
}

static inline bool fake_refcount_sub(const char *file, int line, refcount_t *r, int n)
{
	bool gone;

	fake_point();
	if (r->refs < n)
		test_die(file, line, "refcount: underflow (%d - %d)", r->refs, n);
	r->refs -= n;
	gone = !r->refs;
	fake_point();
	return gone;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	fake_point();
	if (!r->refs)
		return false;
	r->refs++;
	return true;
}

static inline bool refcount_dec_not_one(refcount_t *r)
{
	fake_point();
	if (r->refs == 1)
		return false;
	r->refs--;
	return true;
}

static inline bool refcount_dec_if_one(refcount_t *r)
{
	if (r->refs != 1)
		return false;
	r->refs = 0;
	return true;
}

#define refcount_inc(r) fake_refcount_add(__FILE__, __LINE__, r, 1)
#define refcount_add(n, r) fake_refcount_add(__FILE__, __LINE__, r, n)
#define refcount_dec_and_test(r) fake_refcount_sub(__FILE__, __LINE__, r, 1)
#define refcount_sub_and_test(n, r) fake_refcount_sub(__FILE__, __LINE__, r, n)
#define refcount_dec(r)								\
	do {									\
		if (fake_refcount_sub(__FILE__, __LINE__, r, 1))		\
			test_die(__FILE__, __LINE__, "refcount: dec to 0");	\
	} while (0)

struct kref {
	refcount_t refcount;
};

#define kref_init(k) refcount_set(&(k)->refcount, 1)
#define kref_read(k) refcount_read(&(k)->refcount)
#define kref_get(k) refcount_inc(&(k)->refcount)
#define kref_get_unless_zero(k) refcount_inc_not_zero(&(k)->refcount)
#define kref_put(k, release)							\
	(refcount_dec_and_test(&(k)->refcount) ? ((release)(k), 1) : 0)

#endif /* _FAKE_ATOMIC_H */
