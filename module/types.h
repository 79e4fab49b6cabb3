/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * types.h - the structures of the pure files, and the rules of their locks.
 */
#ifndef _MACHVM_TYPES_H
#define _MACHVM_TYPES_H

#include "kinc.h"

/**
 * DOC: locking
 *
 * One order, outermost first::
 *
 *	pmap->layout			mutex: what Linux maps for one map; held across vm_mmap
 *	mmap_lock or VMA lock		Linux's; held when a fault or fork enters
 *	  map->lock			rwsem: the entries of one map
 *	    family->lock		rwsem: the shape of one family of objects
 *	      folio lock		what a page's mappings may show
 *	        family->mappers		mutex: which entries point at which object
 *	          i_mmap_rwsem, page-table lock	(taken inside unmap_mapping_pages and insertion)
 *
 * memobj->lock (mutex) is taken with none of the above held but map->lock; family->lock and what
 * follows it may be taken inside.  port->lock, xa_lock, the map table and the user table are
 * leaves.  Nothing of ours is held across copy_*_user, get_user_pages, a send, or a wait for a
 * pager, nor, but for pmap->layout, across vm_mmap.
 *
 * A family is all the objects that are tied together by shadow links, as an anon_vma root is for
 * Linux.  Faults hold its lock for reading and may add pages; copies, shadows, collapse and
 * destruction change its shape and hold it for writing.  A page leaves an object only under the
 * write lock, so a reader may look at any resident page without a reference.
 *
 * A translation to page P is made only with the folio lock of P held, after it was checked under
 * that lock that P is what the object chain answers.  Whoever changes that answer (a copy on
 * write above P, a push of P into a delayed copy) holds the folio lock of P, and takes the old
 * translations away before releasing it.  Whoever changes an entry holds map->lock for writing
 * and takes the translations of the range away before releasing it.
 *
 * A fault waits for one folio lock; a copy on write then locks a page that nobody else knows yet,
 * and mapping what lies around a page takes further ones, but only by trylock.
 *
 * page_mkwrite answers LOCKED: it returns to Linux with the folio lock, but none of ours.  That
 * is safe because Linux then makes only the very translation writable that it trapped on: if
 * somebody took it away meanwhile, nothing happens, and nobody can have put it back, which needs
 * the folio lock.  The page is marked dirty before LOCKED is answered.
 *
 * Letters on the fields below: (c) constant once published, (a) atomic, (m) map->lock,
 * (f) family->lock, (M) family->mappers, (l) folio lock, (p) port->lock, (o) memobj->lock,
 * (L) pmap->layout, (t) the lock of the table it is in.  Two letters: both to change, either to
 * read.
 */

struct machvm_memobj;
struct machvm_object;
struct machvm_port;
struct machvm_run;
struct machvm_user;

/* The lock and fate that objects tied by shadow links share. */
struct machvm_family {
	refcount_t refs;		/* (a) one for each object */
	struct rw_semaphore lock;
	struct mutex mappers;
	unsigned long nr_wired;		/* (M) wired entries that point into it */
};

/* A region of one map. */
struct machvm_entry {
	union {
		struct rb_node node;	/* (m) */
		struct list_head chain;	/* of those that one call keeps, in no map */
	};
	u64 start;			/* (m+M) first byte */
	u64 end;			/* (m+M) first byte after */
	u64 gap;			/* (m) bytes without entries before start */
	u64 subtree_gap;		/* (m) largest gap in this subtree */
	struct machvm_map *map;		/* (c) */
	struct machvm_object *object;	/* (m+M) NULL: never touched */
	u64 offset;			/* (m+M) byte of the object at start */
	struct rb_node mapper;		/* (M) on object->mappers, empty if it is not */
	u64 mappers_last;		/* (M) last page that one of this subtree shows */
	u8 protection;			/* (m) */
	u8 max_protection;		/* (m) */
	u8 inheritance;			/* (m) */
	bool needs_copy;		/* (m) a write must make a shadow first */
	bool fresh_ident;		/* (m) that shadow gets a futex identity of its own */
	u8 wire;			/* (m) access that it was wired for, 0 if it was not */
	bool wired;			/* (m+f) its pages stay: wired, and readable */
	u64 wiring;			/* (m) the call that is bringing its pages in, or 0 */
};

/* What faults of one task have come to. */
enum machvm_event {
	MACHVM_EVENT_FAULTS,
	MACHVM_EVENT_ZERO_FILLS,
	MACHVM_EVENT_REACTIVATIONS,
	MACHVM_EVENT_PAGEINS,
	MACHVM_EVENT_COW_FAULTS,
	MACHVM_NR_EVENTS,
};

/* A range in which Linux lets a map decide. */
struct machvm_window {
	struct rb_node node;		/* (m) */
	u64 start;			/* (m) first byte */
	u64 end;			/* (m) first byte after */
	bool roomy;			/* (c) for memory that may lie anywhere */
	bool execute;			/* (c) its pages can be executed */
	bool leaving;			/* (m) about to be unmapped */
	struct machvm_entry *low;	/* (m) for its end, to cut an entry below ... */
	struct machvm_entry *high;	/* (m) ... and above */
};

/* The address map of one task. */
struct machvm_map {
	refcount_t refs;		/* (a) */
	struct rw_semaphore lock;
	struct rb_root entries;		/* (m) by address, augmented with gaps */
	unsigned long nr_entries;	/* (m) */
	struct rb_root windows;		/* (m) by address */
	bool windowed;			/* (c) entries lie in windows; else anywhere */
	unsigned long nr_windows;	/* (m) */
	u64 min;			/* (c) lowest address there can be */
	u64 max;			/* (c) first byte after the highest */
	u64 tail_gap;			/* (m) bytes without entries after the last one */
	u64 size;			/* (m) bytes of the entries with a maximum protection */
	u64 size_limit;			/* (m) what size may grow to */
	u64 size_limit_max;		/* (m) what size_limit may be raised to */
	u64 wired_size;			/* (m) bytes of the entries that were wired */
	u8 wire_future;			/* (m) access that new entries are wired for, or 0 */
	u64 last_wiring;		/* (m) number of the last call that wired */
	u64 wirings_ended;		/* (m) how many of them have */
	wait_queue_head_t wirings;	/* for one to end */
	struct machvm_object *last_copy;/* (m) while it is filled: delayed copy it was given */
	bool dead;			/* (m) its last VMA is gone */
	struct machvm_user *user;	/* (c) who pays for its objects */
	struct machvm_pmap *pmap;	/* (c) its page tables, see pmap.h */
	atomic_long_t events[MACHVM_NR_EVENTS];	/* (a) */
};

/**
 * struct machvm_object - memory: pages, and where the missing ones come from
 *
 * An internal object is zero-filled; an external one has a memobj, whose pager is asked.  A page
 * that an object lacks is looked for in its shadow.
 *
 * Slots of @pages: NULL, nothing known; a folio, resident; a tagged &struct machvm_request, a
 * pager was asked (a finished one there counts as NULL); a tagged number, paged out, the place in
 * the store where it lies.  page.c alone writes them.
 */
struct machvm_object {
	refcount_t refs;		/* (a) entries, children, and users for a moment */
	u64 id;				/* (c) */
	unsigned long flags;		/* (f) MACHVM_OBJ_* */
	struct machvm_family *family;	/* (c) */
	struct xarray pages;		/* slots, by page index */
	unsigned long parts;		/* (a) which ever had pages, see machvm_page_possible() */
	atomic_long_t resident;		/* (a) folios in pages */
	atomic_long_t paged_out;	/* (a) places of the store in pages */
	u64 hand;			/* (a) page that is next to be looked at by reclaim.c */
	struct machvm_object *shadow;	/* (f) the object below, referenced */
	u64 shadow_index;		/* (f) our page 0 is this page of the shadow */
	u64 hidden;			/* (f) no page of the shadow shows below this one ... */
	int hidden_gains;		/* (f) ... when the shadow had gained so many */
	atomic_t gains;			/* (a) pages that came while there were children */
	struct machvm_object *copy;	/* (f) newest delayed copy, not referenced */
	struct list_head children;	/* (f) objects whose shadow this is */
	struct list_head sibling;	/* (f) on shadow->children */
	struct rb_root_cached mappers;	/* (M) entries that point here, by their pages */
	u64 size;			/* (M) bytes up to the furthest that an entry showed */
	struct machvm_memobj *memobj;	/* (c) the memory object, NULL if internal */
	struct machvm_user *user;	/* (c) creator, for limits and visibility */
	u64 ident;			/* (c) futex identity: upper part of folio->index */
	u64 ident_index;		/* (c) our page 0 is this page of that identity */
	int destroyed;			/* (f) why, if its pager has destroyed it */
	bool banked;			/* (a) pages of it are with the default manager, or were */
	struct rcu_head rcu;
};

#define MACHVM_OBJ_SHARED 0x1	/* more than one region writes to it directly */
#define MACHVM_OBJ_DIRECT 0x2	/* one does, and will not move to a shadow for a copy's sake */
#define MACHVM_OBJ_DESTROYED 0x4	/* its memory object knows of it no more */

/*
 * A question to a pager: may I have this page, or may I use it like that.  The first kind lives in
 * the object's slot until answered, the second in memobj->unlocks.
 */
enum machvm_request_state {
	MACHVM_REQUEST_NEW,		/* not posted yet */
	MACHVM_REQUEST_GATED,		/* waits for the pager to be ready */
	MACHVM_REQUEST_QUEUED,		/* waits for credit */
	MACHVM_REQUEST_SENT,		/* with a pager */
	MACHVM_REQUEST_DONE,		/* answered, refused or cancelled */
};

enum machvm_msg_type {
	MACHVM_MSG_NONE,
	MACHVM_MSG_INIT,
	MACHVM_MSG_DATA_REQUEST,
	MACHVM_MSG_DATA_RETURN,
	MACHVM_MSG_TERMINATE,
	MACHVM_MSG_DATA_UNLOCK,
	MACHVM_MSG_LOCK_COMPLETED,
	MACHVM_MSG_COPY,
	MACHVM_MSG_CREATE,		/* init, to the default manager */
	MACHVM_MSG_DATA_INITIALIZE,	/* data_return, of pages it was never told of */
};

/* What stands in a port's queue.  Part of its owner, so that queueing cannot fail. */
struct machvm_msg {
	struct list_head node;		/* (p) on one of the port, binding->sent or memobj->gated */
	struct machvm_binding *via;	/* (p) where it was sent */
	struct machvm_memobj *memobj;	/* (c) */
	u8 type;			/* (p) enum machvm_msg_type */
	u32 sequence;			/* (p) */
	u32 epoch;			/* (p) of via */
	u32 access;			/* (c) wanted, or 1 if dirty, or what became of it */
	bool kernel_copy;		/* (c) of a data_return: the object keeps the pages */
	u64 offset;			/* (p) bytes */
	u64 length;			/* (p) bytes */
	u64 queued_ns;			/* (p) when it was first queued */
	u64 new_object;			/* (c) of a copy: number of the memory object that it is */
};

struct machvm_request {
	struct machvm_msg msg;
	struct list_head open;		/* (p) on memobj->open */
	struct list_head open_on_port;	/* (p) on port->open */
	refcount_t refs;		/* (a) slot or table, port list, each waiter */
	u8 state;			/* (p) enum machvm_request_state */
	int result;			/* (p) kern_return_t, valid when DONE */
	int error;			/* (p) the pager's reason */
	struct folio *folio;		/* (a) parked page, taken by whoever fills it */
	wait_queue_head_t wait;
	struct rcu_head rcu;
};

/* A netlink socket that serves a port. */
struct machvm_binding {
	struct list_head node;		/* (p) on port->bindings */
	struct list_head all;		/* (t) on the table of all bindings */
	struct machvm_port *port;	/* (c) referenced */
	struct sock *sk;		/* (c) referenced */
	struct net *net;		/* (c) */
	pid_t tgid;			/* (c) process that has bound it */
	refcount_t refs;		/* (a) */
	u32 portid;			/* (c) */
	u32 epoch;			/* (c) */
	unsigned int window;		/* (c) most questions in flight */
	unsigned int in_flight;		/* (p) messages of every kind */
	unsigned int asked;		/* (p) questions of these */
	bool congested;			/* (p) full: wait for the timer or an answer */
	bool gone;			/* (p) closed */
	struct list_head sent;		/* (p) */
};

/* A queue that pagers serve; carries any number of memory objects. */
struct machvm_port {
	refcount_t refs;		/* (a) memobjs, bindings */
	u64 id;				/* (c) */
	spinlock_t lock;
	struct list_head queue;		/* (p) questions waiting for credit */
	struct list_head notices;	/* (p) all other messages, which need none */
	struct list_head bindings;	/* (p) */
	u32 last_epoch;			/* (p) */
	u64 absent_ns;			/* (p) when the last binding went, 0: never */
	struct list_head memobjs;	/* (p) that it carries */
	struct list_head open;		/* (p) their requests that are not done, oldest first */
	unsigned long nr_objects;	/* (p) */
	unsigned long nr_open;		/* (p) */
	unsigned long nr_queued;	/* (p) */
	unsigned long nr_sent;		/* (p) */
	bool sending;			/* (p) a task is between next and sent */
	u64 messages;			/* (p) ever sent */
	u64 requests;			/* (p) pages ever asked for */
	u64 supplied;			/* (p) pages ever supplied */
	u64 returned;			/* (p) pages ever returned and released */
	struct pid *pid;		/* (p) who bound the first socket, referenced */
	struct machvm_user *user;	/* (c) */
	struct delayed_work retry;	/* pumps after a full socket */
	struct rcu_head rcu;
};

enum machvm_memobj_state {
	MACHVM_MEMOBJ_IDLE,		/* no incarnation, or its init could not be sent yet */
	MACHVM_MEMOBJ_INIT,		/* init queued or sent, ready awaited */
	MACHVM_MEMOBJ_READY,
	MACHVM_MEMOBJ_RETURNING,	/* last mapping gone, pages on their way to the pager */
	MACHVM_MEMOBJ_TERMINATING,	/* terminate queued */
};

/* Its pager has given the incarnation up, see destroy.c. */
enum machvm_doom {
	MACHVM_DOOM_NONE,
	MACHVM_DOOM_FLUSH,		/* after the lock requests that there are */
	MACHVM_DOOM_DROP,		/* now */
};

/*
 * A memobj moves to another port only while no socket is bound to its own; its messages move with
 * it.  Both ports are locked then, so machvm_memobj_lock_port() needs no more than a second look.
 */

/**
 * struct machvm_memobj - a memory object: the lasting identity behind incarnations of pages
 *
 * Descriptors, messages and limits know this; @object is its pages while something maps it.
 */
struct machvm_memobj {
	refcount_t refs;		/* (a) descriptors, incarnations, messages */
	u64 id;				/* (c) */
	struct mutex lock;
	struct machvm_object *object;	/* (o) incarnation, not referenced */
	struct machvm_object *returning;/* (o) incarnation whose pages the pager fetches */
	struct list_head cached;	/* (o+t) in the cache, which references object then */
	unsigned long cached_pages;	/* (t) that it was counted for there */
	bool evicted;			/* (o) object is not to be cached at its next end */
	struct machvm_port *port;	/* (o+p) whose lock guards the fields below */
	u8 state;			/* (p) enum machvm_memobj_state */
	bool mapped;			/* (p) there is an incarnation */
	bool may_cache;			/* (p) it may outlive its mappings */
	bool temporary;			/* (p) nothing is returned at its end; for good */
	bool invalidate;		/* (p) what is synchronized goes, too */
	bool silent_overwrite;		/* (p) who writes all of a page need not ask for it */
	u8 copy_strategy;		/* (p) enum machvm_copy_strategy */
	u16 cluster_pages;		/* (p) that one request may be for, a power of two */
	u64 max_dirty;			/* (p; a to read) pages, 0: no limit of its own */
	u8 fallback;			/* (p) enum machvm_fallback */
	u32 answer_ms;			/* (p) that a pager has for each request, 0: no end */
	u32 successor_ms;		/* (p) that is waited for another pager */
	struct delayed_work deadline;	/* references us while it is pending */
	bool dead;			/* (p) the last control descriptor is closed */
	u8 doom;			/* (p) enum machvm_doom */
	int doom_reason;		/* (p) for who asks in vain then */
	struct list_head on_port;	/* (p) on port->memobjs */
	struct list_head open;		/* (p) requests that are not done, oldest first */
	unsigned long nr_open;		/* (p) */
	struct list_head waiters;	/* (p) threads that wait otherwise, see waiter.h */
	struct list_head gated;		/* (p) those of them that wait for ready, or for the run */
	bool gathering;			/* (p) pages are in the run that the pager is not told of */
	struct list_head jobs;		/* (p) lock requests, the first one is at work */
	atomic_t nr_jobs;		/* (a) these, and lock_completed that are not sent */
	struct machvm_run *run;		/* (o) pages on their way to the pager, see laundry.h */
	struct work_struct advance;	/* goes on with the jobs */
	struct machvm_msg ctl;		/* (p) init, data_return or terminate, one at a time */
	u32 sequence;			/* (p) of the last message */
	u64 next_index;			/* (a) page behind the cluster asked for last, a guess */
	struct xarray unlocks;		/* open data_unlock questions, see lock.c */
	struct list_head copies;	/* (p) objects copied of it that no pager has taken yet */
	struct list_head of_source;	/* (p) of source: on its copies, which reference us ... */
	struct machvm_memobj *source;	/* ... and it, referenced; (c) while we are there */
	struct machvm_msg copied;	/* (p) of source: tells its pager of us, until taken */
	bool untaken;			/* (p) nobody can serve us yet: who asks waits */
	bool awaited;			/* (p) a copy of which a pager hears before init ... */
	bool unheard;			/* (p) ... and which has ended before that */
	atomic_long_t requested;	/* (a) pages ever asked for */
	atomic_long_t supplied;		/* (a) */
	atomic_long_t unasked;		/* (a) */
	atomic_long_t resident;		/* (a) pages of it that are in memory ... */
	atomic_long_t dirty;		/* (a) ... of these, that were written */
	atomic_long_t writeback;	/* (a) pages that its pager has not released yet */
	long unclean;			/* (o; a to read) dirty ones that could not be cleaned */
	bool bank;			/* (c) the kernel's own, see bank.c */
	struct machvm_user *user;	/* (c) */
	struct rcu_head rcu;
};

#endif /* _MACHVM_TYPES_H */
