/* SPDX-License-Identifier: GPL-2.0-only */
/* base.h - types, annotations, arithmetic, bits, errors, messages. */
#ifndef _FAKE_BASE_H
#define _FAKE_BASE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <linux/types.h>

#include "test.h"

#define CONFIG_64BIT 1
#define CONFIG_SMP 1
#define CONFIG_BASE_SMALL 0
#define CONFIG_XARRAY_MULTI 1
#define BITS_PER_LONG 64
#define XA_DEBUG

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
typedef unsigned int gfp_t;
typedef unsigned int fmode_t;
typedef unsigned int vm_fault_t;
typedef unsigned long pgoff_t;
typedef s64 ktime_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#ifndef ERESTARTSYS
#define ERESTARTSYS 512
#endif

/* Annotations */
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define __acquire(x) ((void)0)
#define __release(x) ((void)0)
#define __rcu
#define __user
#define __force
#define __bitwise
#define __init
#define __exit
#define __read_mostly
#define __ro_after_init
#define __private
#define __randomize_layout
#define __cold
#define __percpu
#define __visible
#define __always_unused __attribute__((unused))
#define __maybe_unused __attribute__((unused))
#define __must_check __attribute__((warn_unused_result))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __aligned(x) __attribute__((aligned(x)))
#define __packed __attribute__((packed))
#define noinline __attribute__((noinline))
#define noinline_for_stack noinline
#define asmlinkage
#define ____cacheline_aligned
#define ____cacheline_aligned_in_smp
#define fallthrough __attribute__((fallthrough))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define unreachable() __builtin_unreachable()
#define barrier() __asm__ __volatile__("" : : : "memory")
#define static_assert(expr, ...) _Static_assert(expr, #expr)
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)
#define BUILD_BUG_ON_ZERO(e) ((int)sizeof(struct { int: (-!!(e)); }))
#define IS_ENABLED(option) 0
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define EXPORT_SYMBOL_NS_GPL(name, ns)
#define MODULE_PARM_DESC(name, text)
#define module_param(name, type, mode)
#define module_param_named(name, value, type, mode)
#define THIS_MODULE NULL

/* Bugs: of the code under test. */
#define WARN(cond, format, ...)							\
	({									\
		bool warn_ = !!(cond);						\
		if (warn_)							\
			test_fail(__FILE__, __LINE__, "WARN: " format, ##__VA_ARGS__); \
		warn_;								\
	})
#define WARN_ON(cond) WARN(cond, "%s", #cond)
#define WARN_ON_ONCE(cond) WARN(cond, "%s", #cond)
#define WARN_ONCE(cond, format, ...) WARN(cond, format, ##__VA_ARGS__)
#define BUG() test_die(__FILE__, __LINE__, "BUG")
#define BUG_ON(cond)								\
	do {									\
		if (cond)							\
			test_die(__FILE__, __LINE__, "BUG: %s", #cond);		\
	} while (0)
#define VM_BUG_ON(cond) BUG_ON(cond)
#define VM_WARN_ON(cond) ((void)WARN_ON(cond))
#define VM_WARN_ON_ONCE(cond) ((void)WARN_ON(cond))
#define VM_BUG_ON_FOLIO(cond, folio) BUG_ON(cond)
#define VM_BUG_ON_PAGE(cond, page) BUG_ON(cond)
#define VM_WARN_ON_ONCE_FOLIO(cond, folio) ((void)WARN_ON(cond))
#define ASSERT_EXCLUSIVE_WRITER(x) ((void)0)
#define dump_stack() ((void)0)

/* Messages */
#define printk_nop(format, ...)							\
	do {									\
		if (0)								\
			printf(format, ##__VA_ARGS__);				\
	} while (0)
#define pr_fmt(format) format
#define pr_err(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_warn(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_info(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_debug(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_cont(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_err_once(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_warn_once(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_err_ratelimited(format, ...) printk_nop(format, ##__VA_ARGS__)
#define pr_warn_ratelimited(format, ...) printk_nop(format, ##__VA_ARGS__)

/* Arithmetic */
#define U8_MAX UINT8_MAX
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX ((u64)~0ULL)
#define S32_MAX INT32_MAX
#define S64_MAX INT64_MAX
#define _AC(x, y) x##y
#define __KERNEL_DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define DIV_ROUND_UP(n, d) __KERNEL_DIV_ROUND_UP(n, d)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))
#define __ALIGN_MASK(x, mask) (((x) + (mask)) & ~(mask))
#define ALIGN(x, a) __ALIGN_MASK(x, (typeof(x))(a) - 1)
#define ALIGN_DOWN(x, a) ((x) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a) ((typeof(p))ALIGN((unsigned long)(p), (a)))
#define round_up(x, y) ((((x) - 1) | ((typeof(x))(y) - 1)) + 1)
#define round_down(x, y) ((x) & ~((typeof(x))(y) - 1))
#define min(a, b) ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b) ({ type a_ = (a); type b_ = (b); a_ < b_ ? a_ : b_; })
#define max_t(type, a, b) ({ type a_ = (a); type b_ = (b); a_ > b_ ? a_ : b_; })
#define min_not_zero(a, b)							\
	({ __auto_type c_ = (a); __auto_type d_ = (b); !c_ ? d_ : !d_ ? c_ : min(c_, d_); })
#define min3(a, b, c) min(min(a, b), c)
#define max3(a, b, c) max(max(a, b), c)
#define clamp(v, low, high) min(max(v, low), high)
#define clamp_t(type, v, low, high) min_t(type, max_t(type, v, low), high)
#define swap(a, b) do { typeof(a) t_ = (a); (a) = (b); (b) = t_; } while (0)
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d) __builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d) __builtin_mul_overflow(a, b, d)
#define div_u64(a, b) ((u64)(a) / (u32)(b))
#define div64_u64(a, b) ((u64)(a) / (u64)(b))
#define container_of(ptr, type, member)						\
	((type *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))
#define struct_size(p, member, n) (sizeof(*(p)) + sizeof((p)->member[0]) * (n))

static inline size_t size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t size_mul(size_t a, size_t b)
{
	size_t product;

	return check_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

/* Errors in pointers */
#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) unlikely((unsigned long)(void *)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE((unsigned long)ptr);
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

/* Bits.  The fakes run in one thread: atomic and not is the same. */
#define BITS_PER_BYTE 8
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, BITS_PER_LONG)
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define BIT_WORD(n) ((n) / BITS_PER_LONG)
#define BIT_MASK(n) (1UL << ((n) % BITS_PER_LONG))
#define GENMASK(h, l) ((~0UL << (l)) & (~0UL >> (BITS_PER_LONG - 1 - (h))))
#define GENMASK_ULL(h, l) ((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define BITMAP_LAST_WORD_MASK(n) (~0UL >> (-(n) & (BITS_PER_LONG - 1)))
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static inline bool test_bit(unsigned long n, const volatile unsigned long *map)
{
	return map[BIT_WORD(n)] & BIT_MASK(n);
}

static inline void __set_bit(unsigned long n, volatile unsigned long *map)
{
	map[BIT_WORD(n)] |= BIT_MASK(n);
}

static inline void __clear_bit(unsigned long n, volatile unsigned long *map)
{
	map[BIT_WORD(n)] &= ~BIT_MASK(n);
}

static inline bool __test_and_set_bit(unsigned long n, volatile unsigned long *map)
{
	bool old = test_bit(n, map);

	__set_bit(n, map);
	return old;
}

static inline bool __test_and_clear_bit(unsigned long n, volatile unsigned long *map)
{
	bool old = test_bit(n, map);

	__clear_bit(n, map);
	return old;
}

#define set_bit(n, map) __set_bit(n, map)
#define clear_bit(n, map) __clear_bit(n, map)
#define change_bit(n, map) ((map)[BIT_WORD(n)] ^= BIT_MASK(n))
#define assign_bit(n, map, value) ((value) ? __set_bit(n, map) : __clear_bit(n, map))
#define __assign_bit(n, map, value) assign_bit(n, map, value)
#define test_and_set_bit(n, map) __test_and_set_bit(n, map)
#define test_and_clear_bit(n, map) __test_and_clear_bit(n, map)
#define test_bit_acquire(n, map) test_bit(n, map)
#define clear_bit_unlock(n, map) __clear_bit(n, map)
#define test_and_set_bit_lock(n, map) __test_and_set_bit(n, map)

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long from)
{
	while (from < size && !test_bit(from, map))
		from++;
	return from < size ? from : size;
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
					       unsigned long from)
{
	while (from < size && test_bit(from, map))
		from++;
	return from < size ? from : size;
}

#define find_first_bit(map, size) find_next_bit(map, size, 0)
#define find_first_zero_bit(map, size) find_next_zero_bit(map, size, 0)
#define for_each_set_bit(bit, map, size)					\
	for ((bit) = find_first_bit(map, size); (bit) < (size);			\
	     (bit) = find_next_bit(map, size, (bit) + 1))

static inline void bitmap_set(unsigned long *map, unsigned int from, unsigned int nr)
{
	while (nr--)
		__set_bit(from++, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int from, unsigned int nr)
{
	while (nr--)
		__clear_bit(from++, map);
}

#define bitmap_zero(map, nr) bitmap_clear(map, 0, nr)
#define bitmap_fill(map, nr) bitmap_set(map, 0, nr)
#define bitmap_empty(map, nr) (find_first_bit(map, nr) == (nr))
#define bitmap_full(map, nr) (find_first_zero_bit(map, nr) == (nr))

#define __ffs(x) ((unsigned long)__builtin_ctzl(x))
#define ffz(x) __ffs(~(x))
#define fls64(x) ((x) ? 64 - __builtin_clzll(x) : 0)
#define fls(x) ((x) ? 32 - __builtin_clz(x) : 0)
#define __fls(x) (63UL - __builtin_clzl(x))
#define hweight_long(x) ((unsigned long)__builtin_popcountl(x))
#define hweight64(x) ((unsigned int)__builtin_popcountll(x))
#define hweight32(x) ((unsigned int)__builtin_popcount(x))
#define hweight8(x) ((unsigned int)__builtin_popcount((u8)(x)))
#define ilog2(x) (63 - __builtin_clzll(x))
#define is_power_of_2(x) ((x) && !((x) & ((x) - 1)))

/* Pages, as far as numbers go */
#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) ALIGN(x, PAGE_SIZE)
#define PAGE_ALIGN_DOWN(x) ALIGN_DOWN(x, PAGE_SIZE)
#define PAGE_ALIGNED(x) IS_ALIGNED((unsigned long)(x), PAGE_SIZE)
#define offset_in_page(x) ((unsigned long)(x) & ~PAGE_MASK)
#define TASK_SIZE_MAX ((1UL << 47) - PAGE_SIZE)
#define TASK_SIZE TASK_SIZE_MAX
#define totalram_pages() (1UL << 20)

#endif /* _FAKE_BASE_H */
