/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * machvm.h - the ioctl interface of /dev/machvm and of the descriptors it hands out.
 *
 * This header is the manual of record.  Programs normally use libmachvm, whose calls have
 * Mach's own names; the pager messages are in machvm_netlink.h.
 */
#ifndef _UAPI_MACHVM_H
#define _UAPI_MACHVM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: answers
 *
 * Every ioctl returns either a negative errno (the request itself was unusable and nothing was
 * done) or a kern_return_t, which is never negative: 0 is KERN_SUCCESS.  Output fields are valid
 * only when the answer is KERN_SUCCESS, unless a field says otherwise.
 *
 * Each errno has one meaning:
 *
 * ENOTTY     no such command on this descriptor
 * EINVAL     ``size`` is smaller than the first version of the structure, a reserved field or an
 *            unknown flag is not zero, or an argument has a value that no caller may pass
 * E2BIG      ``size`` is larger than this kernel knows and the surplus is not all zero
 * EFAULT     the structure, or memory that it points to, cannot be read or written.  It is tried
 *            before anything is done; who takes the memory away meanwhile gets this for a call that
 *            was carried out
 * EBADF      a descriptor in the structure is not open, or not of the kind asked for
 * EACCES     the caller may not look at this task or object
 * ENOENT     an info call found nothing at or after the place asked for
 * ESTALE     a reply carries the epoch of a binding that has ended
 * EBUSY      the object is served through another port at the moment
 * ENOMEM     the kernel had no memory for its own bookkeeping
 * EMFILE     the caller has no free descriptor (ENFILE: the system has none)
 * EDQUOT     the user's limit on objects is reached
 * EINTR      a fatal signal ended the wait for a lock
 * EAGAIN     the task's address space is being set up by a fork or torn down by an exit
 *
 * Each kern_return_t has the meaning Mach gives it; &enum machvm_kern lists those in use.
 */

/**
 * DOC: structure sizes
 *
 * Every structure begins with ``__u32 size``, set by the caller to sizeof the structure it was
 * compiled with.  A shorter structure of an older caller is extended with zeroes, a longer one is
 * accepted when what the kernel does not know is zero.  Reserved fields must be zero.
 */

#define MACHVM_DEVICE "/dev/machvm"
#define MACHVM_ABI 1

/*
 * Where a task is asked for: the calling process itself, found through its memory, not by fd.
 * Another task is named by its port, see struct machvm_task_port.
 */
#define MACHVM_TASK_SELF (-1)

/* Mach's numeric values. */
enum machvm_kern {
	MACHVM_KERN_SUCCESS = 0,
	MACHVM_KERN_INVALID_ADDRESS = 1,	/* outside the map, or nothing is mapped there */
	MACHVM_KERN_PROTECTION_FAILURE = 2,	/* the protection, or its maximum, forbids it */
	MACHVM_KERN_NO_SPACE = 3,		/* occupied, or no room, or no further region */
	MACHVM_KERN_INVALID_ARGUMENT = 4,
	MACHVM_KERN_FAILURE = 5,
	MACHVM_KERN_RESOURCE_SHORTAGE = 6,	/* no memory, or a limit is reached */
	MACHVM_KERN_NO_ACCESS = 8,		/* privilege is missing */
	MACHVM_KERN_MEMORY_FAILURE = 9,
	MACHVM_KERN_MEMORY_ERROR = 10,		/* the pager reported an error, or is gone */
	MACHVM_KERN_ABORTED = 14,
	MACHVM_KERN_INVALID_NAME = 15,		/* a descriptor in an array is no memory object */
	MACHVM_KERN_INVALID_TASK = 16,
	MACHVM_KERN_INVALID_HOST = 22,
	MACHVM_KERN_MEMORY_PRESENT = 23,	/* a supplied page was there already */
	MACHVM_KERN_WRITE_PROTECTION_FAILURE = 24, /* as 2, the region asked for VM_PROT_NOTIFY */
};

/* Protections: Mach's bits. */
#define MACHVM_PROT_NONE 0x00
#define MACHVM_PROT_READ 0x01
#define MACHVM_PROT_WRITE 0x02
#define MACHVM_PROT_EXECUTE 0x04
#define MACHVM_PROT_ALL 0x07
#define MACHVM_PROT_NO_CHANGE 0x08
#define MACHVM_PROT_NOTIFY 0x10

enum machvm_inherit {
	MACHVM_INHERIT_SHARE = 0,
	MACHVM_INHERIT_COPY = 1,
	MACHVM_INHERIT_NONE = 2,
	MACHVM_INHERIT_ZERO = 8,	/* fresh zero-filled memory in the child; not Mach's */
};

enum machvm_copy_strategy {
	MACHVM_COPY_NONE = 0,
	MACHVM_COPY_CALL = 1,
	MACHVM_COPY_DELAY = 2,
	MACHVM_COPY_TEMPORARY = 3,
	MACHVM_COPY_SYMMETRIC = 4,	/* internal objects only */
};

/* Which pages a pager wants back; any other value is as DIRTY. */
enum machvm_return {
	MACHVM_RETURN_NONE = 0,
	MACHVM_RETURN_DIRTY = 1,	/* those written */
	MACHVM_RETURN_ALL = 2,		/* these, and precious ones */
	MACHVM_RETURN_ANYTHING = 3,	/* every resident page; not GNU Mach's */
};

/**
 * struct machvm_version - what is loaded (MACHVM_VERSION, any machvm descriptor)
 * @size: sizeof(struct machvm_version)
 * @out_abi: %MACHVM_ABI of the module
 * @out_magic: 0x4d414348 ("MACH"): tells a machvm descriptor from whatever else answers ioctls
 * @out_page_shift: log2 of the page size in bytes
 */
struct machvm_version {
	__u32 size;
	__u32 out_abi;
	__u32 out_magic;
	__u32 out_page_shift;
};

#define MACHVM_MAGIC 0x4d414348

/**
 * struct machvm_vm_allocate - fresh zero-filled memory (MACHVM_VM_ALLOCATE, device)
 * @size: sizeof(struct machvm_vm_allocate)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @anywhere: 0: at @address, rounded down to a page; 1: wherever there is room
 * @__reserved: 0
 * @address: in: where, ignored if @anywhere; out: where the memory is, 0 if @length was 0
 * @length: bytes, rounded up to whole pages
 *
 * Answers SUCCESS, INVALID_ADDRESS (outside the user address space or wrapping), NO_SPACE
 * (occupied, by Linux too, or below what Linux allows the caller, or no room), INVALID_ARGUMENT
 * (@length rounds to 0, or an anywhere of nothing), INVALID_TASK, RESOURCE_SHORTAGE.  In another
 * process only what it has reserved already is to be had: NO_SPACE elsewhere.  New memory:
 * protection READ|WRITE, maximum ALL, inheritance COPY.
 */
struct machvm_vm_allocate {
	__u32 size;
	__s32 task;
	__u32 anywhere;
	__u32 __reserved;
	__aligned_u64 address;
	__aligned_u64 length;
};

/**
 * struct machvm_vm_deallocate - take memory away (MACHVM_VM_DEALLOCATE, device)
 * @size: sizeof(struct machvm_vm_deallocate)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: any byte of the first page
 * @length: bytes; every page that the range touches goes
 *
 * Answers SUCCESS, also over holes, for 0 bytes and for a range that wraps (nothing happens).
 */
struct machvm_vm_deallocate {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
};

/**
 * struct machvm_vm_protect - set protection (MACHVM_VM_PROTECT, device)
 * @size: sizeof(struct machvm_vm_protect)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: any byte of the first page
 * @length: bytes; every page that the range touches is meant
 * @set_maximum: 0: the current protection; 1: the maximum, and current is cut down to it
 * @protection: MACHVM_PROT_* bits, also %MACHVM_PROT_NOTIFY
 *
 * Answers SUCCESS (holes are passed over), PROTECTION_FAILURE (beyond the maximum of one of the
 * regions, or Linux denies the caller execution: then none is changed), INVALID_ARGUMENT (other
 * bits), RESOURCE_SHORTAGE.  Regions of another process that become executable can be executed
 * once it has protected them so itself; others can be no longer at once.
 */
struct machvm_vm_protect {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 set_maximum;
	__u32 protection;
};

/**
 * struct machvm_vm_map - map a memory object, or fresh memory (MACHVM_VM_MAP, device)
 * @size: sizeof(struct machvm_vm_map)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: in: where, ignored if @anywhere; out: where it is
 * @length: bytes, rounded up to whole pages, not 0
 * @mask: low ones: address bits that must be 0 (alignment); high ones: a ceiling on the address
 * @anywhere: 0: at @address, rounded down; 1: wherever there is room
 * @object: descriptor of a memory object or a proxy, or -1 for fresh zero-filled memory
 * @offset: byte offset into the object, a multiple of the page size
 * @copy: 0: share the object; 1: a copy-on-write copy of it, as it is now
 * @protection: current protection; bits beyond @max_protection are dropped
 * @max_protection: the maximum
 * @inheritance: &enum machvm_inherit
 *
 * Answers SUCCESS, INVALID_ARGUMENT, INVALID_ADDRESS, NO_SPACE, RESOURCE_SHORTAGE,
 * INVALID_TASK, PROTECTION_FAILURE (Linux denies the caller execution).  What is said of other
 * processes at MACHVM_VM_ALLOCATE and MACHVM_VM_PROTECT holds.  Never waits for the pager.
 */
struct machvm_vm_map {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 mask;
	__u32 anywhere;
	__s32 object;
	__aligned_u64 offset;
	__u32 copy;
	__u32 protection;
	__u32 max_protection;
	__u32 inheritance;
};

/**
 * struct machvm_vm_region - the region at or after an address (MACHVM_VM_REGION, device)
 * @size: sizeof(struct machvm_vm_region)
 * @task: %MACHVM_TASK_SELF, a task descriptor, or a descriptor of /proc/PID/mem that the caller
 *        opened for reading (the open did the permission check)
 * @address: in: where to look; out: start of the region
 * @out_length: bytes
 * @out_protection: current protection
 * @out_max_protection: maximum protection
 * @out_inheritance: &enum machvm_inherit
 * @out_flags: MACHVM_REGION_* bits
 * @out_object: id of the object the region points at, 0 if it was never touched
 * @out_offset: byte offset of the region in that object
 * @out_resident: pages resident in that object within the region, if @count
 * @out_dirty: of these, pages that were written
 * @out_shadow_depth: objects below the region's own
 * @out_wired: 1 if its pages are kept resident
 * @count: 1: fill in @out_resident and @out_dirty, which takes time for each page; else 0
 * @__reserved: 0
 *
 * Answers SUCCESS, NO_SPACE (no region at or after @address), INVALID_TASK.
 */
struct machvm_vm_region {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 out_length;
	__u32 out_protection;
	__u32 out_max_protection;
	__u32 out_inheritance;
	__u32 out_flags;
	__aligned_u64 out_object;
	__aligned_u64 out_offset;
	__aligned_u64 out_resident;
	__aligned_u64 out_dirty;
	__u32 out_shadow_depth;
	__u32 out_wired;
	__u32 count;
	__u32 __reserved;
};

#define MACHVM_REGION_SHARED 0x1	/* a fork has shared it, or a proxy was made of it */
#define MACHVM_REGION_NEEDS_COPY 0x2	/* the next write makes a shadow object */
#define MACHVM_REGION_EXTERNAL 0x4	/* a pager serves the object */

/**
 * struct machvm_vm_inherit - what a child of fork gets (MACHVM_VM_INHERIT, device)
 * @size: sizeof(struct machvm_vm_inherit)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: any byte of the first page
 * @length: bytes; every page that the range touches is meant
 * @inheritance: &enum machvm_inherit
 * @__reserved: 0
 *
 * Answers SUCCESS (holes are passed over), INVALID_ARGUMENT (another value).
 */
struct machvm_vm_inherit {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 inheritance;
	__u32 __reserved;
};

/**
 * struct machvm_vm_copy - copy memory within a task, by reference (MACHVM_VM_COPY, device)
 * @size: sizeof(struct machvm_vm_copy)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @source: page aligned
 * @length: bytes, whole pages
 * @destination: page aligned; keeps its protection and inheritance
 *
 * No page is copied before one side writes to it; overlapping ranges behave as a copy through a
 * snapshot.  Where one side lies outside all windows, in ordinary memory, and where the destination
 * is shared or wired, bytes are copied.
 * Answers SUCCESS, INVALID_ADDRESS (a hole, or ordinary memory that allows no access),
 * PROTECTION_FAILURE (source not readable, destination not writable), INVALID_ARGUMENT (not
 * aligned), MEMORY_ERROR (bytes are copied, and a pager has failed, or is gone), RESOURCE_SHORTAGE,
 * INVALID_TASK.  What is wrong with the source counts first, then the alignment, then the
 * destination.  All of it or nothing.
 */
struct machvm_vm_copy {
	__u32 size;
	__s32 task;
	__aligned_u64 source;
	__aligned_u64 length;
	__aligned_u64 destination;
};

/**
 * struct machvm_vm_read - a snapshot of a task's memory (MACHVM_VM_READ, device)
 * @size: sizeof(struct machvm_vm_read)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: first byte, any alignment
 * @length: bytes; 0 reads nothing
 * @out_data: where it is in the caller's map: fresh memory of whole pages, at the same offset in
 *            its page as @address; 0 if @length was 0
 *
 * Answers SUCCESS, INVALID_ADDRESS (a hole), PROTECTION_FAILURE (not readable), NO_SPACE,
 * RESOURCE_SHORTAGE.
 */
struct machvm_vm_read {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 out_data;
};

/**
 * struct machvm_vm_write - put the caller's memory into a task (MACHVM_VM_WRITE, device)
 * @size: sizeof(struct machvm_vm_write)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: page aligned
 * @data: page aligned address in the caller's memory
 * @length: bytes, whole pages; 0 writes nothing
 *
 * As MACHVM_VM_COPY, whose answers it gives.
 */
struct machvm_vm_write {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 data;
	__aligned_u64 length;
};

/**
 * struct machvm_vm_pageout - page memory out now (MACHVM_VM_PAGEOUT, device)
 * @size: sizeof(struct machvm_vm_pageout)
 * @task: a task port, or %MACHVM_TASK_SELF
 * @address: first byte
 * @length: bytes; pages that the range touches in part count
 * @out_pages: how many pages went out
 *
 * What MADV_PAGEOUT is to ordinary memory: advice that costs who uses the memory next some time
 * and nothing else.  Internal memory goes to the default memory manager, wherever in the chains of
 * shadows its pages lie.  Holes, pages of memory objects, wired pages, and pages that an I/O or
 * another user holds are passed over.
 * Answers SUCCESS, INVALID_ADDRESS (the range wraps), INVALID_TASK.
 */
struct machvm_vm_pageout {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 out_pages;
};

/**
 * struct machvm_vm_msync - bring memory into line with its pagers (MACHVM_VM_MSYNC, device)
 * @size: sizeof(struct machvm_vm_msync)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: any byte of the first page
 * @length: bytes; every page that the range touches is meant
 * @flags: MACHVM_SYNC_* bits
 * @__reserved: 0
 *
 * Regions that show a memory object itself are meant.  Holes, ordinary Linux memory among them,
 * are passed over, and so is internal memory: shadows and copies, too, for what was written to
 * them is not their pager's.
 *
 * SYNCHRONOUS: pages that were written, and precious ones, are returned to the pager, as for
 * &struct machvm_lock_request; answers when it has released them, so that whatever was written
 * before the call is with it.  ASYNCHRONOUS: the same, but without waiting.  INVALIDATE: pages
 * leave the kernel, to be asked for anew when they are next used, and this is waited for unless
 * ASYNCHRONOUS is given; without either of the others what was written is lost, not so precious
 * pages, nor anything of a region that cannot be made writable.  Pages that are wired, or in use
 * by a system call or a device, are returned but stay.
 *
 * KILLPAGES: what the pages hold is no longer needed.  Internal memory that no other region and no
 * copy knows, that is not wired and can be made writable, is freed and reads as zeroes; all other
 * stays.  DEACTIVATE: they will not be used soon: pages of internal memory are paged out before
 * others, unless they are used.  With either of the two nothing but this is done.
 *
 * Answers SUCCESS (also with no flag, or for 0 bytes), INVALID_ARGUMENT (other bits, ASYNCHRONOUS
 * with SYNCHRONOUS, a range that wraps), INVALID_TASK, MEMORY_ERROR (nobody serves one of the
 * objects, or its pager has died before it had released the pages, which stay as written; who does
 * not say ASYNCHRONOUS waits for a successor first, for the successor_ms of the object),
 * RESOURCE_SHORTAGE (some pages could not be seen to, or too many calls are under way);
 * INVALID_ADDRESS (CONTIGUOUS is given and there is a hole).  On the last three all has been done
 * that could be.  A pager that never releases what it got is waited for until a fatal signal.
 */
struct machvm_vm_msync {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 flags;
	__u32 __reserved;
};

/* Mach's numeric values. */
#define MACHVM_SYNC_ASYNCHRONOUS 0x01
#define MACHVM_SYNC_SYNCHRONOUS 0x02
#define MACHVM_SYNC_INVALIDATE 0x04
#define MACHVM_SYNC_KILLPAGES 0x08
#define MACHVM_SYNC_DEACTIVATE 0x10
#define MACHVM_SYNC_CONTIGUOUS 0x20
#define MACHVM_SYNC_ALL 0x3f

/**
 * struct machvm_object_sync - bring an object into line with its pager (MACHVM_OBJECT_SYNC, device)
 * @size: sizeof(struct machvm_object_sync)
 * @__reserved: 0
 * @id: number of an object that is in memory
 * @offset: byte offset in the object
 * @length: bytes; every page that the range touches is meant, and 0 means none
 * @should_return: 1: as SYNCHRONOUS in &struct machvm_vm_msync
 * @should_flush: 1: as INVALIDATE there; what was written is lost only if some region of the caller
 *                shows the object and can be made writable
 *
 * Waits for the pager in any case.  Nothing happens to an object without one.  Visibility as for
 * &struct machvm_object_info.
 *
 * Answers SUCCESS, INVALID_ARGUMENT (no such object, a range that wraps), MEMORY_ERROR and
 * RESOURCE_SHORTAGE as there.
 */
struct machvm_object_sync {
	__u32 size;
	__u32 __reserved;
	__aligned_u64 id;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 should_return;
	__u32 should_flush;
};

/**
 * struct machvm_task_port - a right to a task's memory (MACHVM_TASK_PORT, device)
 * @size: sizeof(struct machvm_task_port)
 * @task: %MACHVM_TASK_SELF, or a descriptor of /proc/PID/mem that the caller opened for reading and
 *        writing (the open did the permission check)
 * @out_port: descriptor, close-on-exec, to be given as task to the vm_* calls by whoever holds it
 * @__reserved: 0
 *
 * The port names an address space: it is dead, and calls answer INVALID_TASK, once the process
 * has ended or has executed another program.  A child of fork that inherits it holds the parent's.
 * Answers SUCCESS, INVALID_TASK (no such process, or it never used machvm).
 */
struct machvm_task_port {
	__u32 size;
	__s32 task;
	__s32 out_port;
	__u32 __reserved;
};

/**
 * struct machvm_task_info - memory of one task, and what it cost (MACHVM_TASK_INFO, device)
 * @size: sizeof(struct machvm_task_info)
 * @task: as in &struct machvm_vm_region
 * @out_virtual_size: bytes in regions
 * @out_resident_size: bytes of these that are resident in the objects that the regions point at
 * @out_faults: faults of the task
 * @out_zero_fills: pages that they filled with zeroes
 * @out_reactivations: inactive pages that they came to use
 * @out_pageins: pages that they waited for and got
 * @out_cow_faults: pages that they copied on write
 *
 * Counted since the task first used machvm, or was forked.  Answers SUCCESS, NO_SPACE (the caller
 * never used machvm), INVALID_TASK.
 */
struct machvm_task_info {
	__u32 size;
	__s32 task;
	__aligned_u64 out_virtual_size;
	__aligned_u64 out_resident_size;
	__aligned_u64 out_faults;
	__aligned_u64 out_zero_fills;
	__aligned_u64 out_reactivations;
	__aligned_u64 out_pageins;
	__aligned_u64 out_cow_faults;
};

/**
 * struct machvm_vm_wire - keep memory resident, or no longer (MACHVM_VM_WIRE, device)
 * @size: sizeof(struct machvm_vm_wire)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: any byte of the first page
 * @length: bytes; every page that the range touches is meant
 * @access: MACHVM_PROT_* bits of %MACHVM_PROT_ALL: what the memory is to be ready for; 0 unwires
 * @privileged: 1: with the caller's CAP_SYS_RESOURCE, if it has it, the limit does not hold
 *
 * Brings the pages in, waiting for their pagers, and keeps them: no page is paged out, flushed or
 * moved to a copy.  Does not stack: unwiring once undoes any number of calls.  Regions that a later
 * protection puts out of reach are kept again once they can be read.  What is wired counts to the
 * locked memory of the process, and together with it is held against the caller's RLIMIT_MEMLOCK.
 * Answers SUCCESS, INVALID_ARGUMENT (other bits), NO_SPACE (a hole, a range that wraps, or a
 * protection without @access), NO_ACCESS (over the limit), MEMORY_ERROR (a pager has failed, or is
 * gone), RESOURCE_SHORTAGE, INVALID_TASK.  All of the range is wired or what was wired before.
 */
struct machvm_vm_wire {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 access;
	__u32 privileged;
};

/**
 * struct machvm_vm_wire_all - wire all of a task (MACHVM_VM_WIRE_ALL, device)
 * @size: sizeof(struct machvm_vm_wire_all)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @flags: MACHVM_WIRE_* bits; 0 unwires everything, and what is to come
 * @privileged: as for &struct machvm_vm_wire
 *
 * Regions are wired for what they allow.  FUTURE holds for whatever is allocated, mapped or
 * received from then on, until it is taken back; a child of fork does not inherit it.  Where the
 * limit is in the way of such a new region, it is not made: RESOURCE_SHORTAGE.
 * Answers SUCCESS, INVALID_ARGUMENT (other bits), and as MACHVM_VM_WIRE; on an error nothing has
 * changed.
 */
struct machvm_vm_wire_all {
	__u32 size;
	__s32 task;
	__u32 flags;
	__u32 privileged;
};

#define MACHVM_WIRE_CURRENT 0x1
#define MACHVM_WIRE_FUTURE 0x2
#define MACHVM_WIRE_ALL (MACHVM_WIRE_CURRENT | MACHVM_WIRE_FUTURE)

/**
 * struct machvm_vm_allocate_contiguous - memory for a driver (device)
 * @size: sizeof(struct machvm_vm_allocate_contiguous)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @length: bytes, rounded up to whole pages; at most 4 MiB
 * @pmin: 0
 * @pmax: largest physical address that a byte of it may have
 * @palign: alignment of the physical address: 0, or what divides the page size
 * @out_address: where the task sees it
 * @out_physical: physical address of its first byte
 *
 * MACHVM_VM_ALLOCATE_CONTIGUOUS: the pages lie side by side, are filled with zeroes and wired,
 * whatever the limit on that, until they are deallocated or unwired.  Protection and maximum
 * READ|WRITE, inheritance COPY; a child of fork gets other pages.  Wants CAP_SYS_RAWIO.
 * Answers SUCCESS, NO_ACCESS, INVALID_ARGUMENT (also a @length that rounds to 0), NO_SPACE,
 * RESOURCE_SHORTAGE (no such memory), INVALID_TASK.
 */
struct machvm_vm_allocate_contiguous {
	__u32 size;
	__s32 task;
	__aligned_u64 length;
	__aligned_u64 pmin;
	__aligned_u64 pmax;
	__aligned_u64 palign;
	__aligned_u64 out_address;
	__aligned_u64 out_physical;
};

/**
 * struct machvm_vm_pages_phys - where pages lie (MACHVM_VM_PAGES_PHYS, device)
 * @size: sizeof(struct machvm_vm_pages_phys)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: page aligned
 * @length: bytes, whole pages
 * @pages: address of an array of __u64, one for each page: its physical address, or 0 if none is
 *         resident there
 *
 * What is not wired may lie elsewhere by the time of the answer.  Wants CAP_SYS_RAWIO.
 * Answers SUCCESS, NO_ACCESS, INVALID_ARGUMENT (not aligned), INVALID_TASK.  EFAULT: @pages cannot
 * be written; the part before was.
 */
struct machvm_vm_pages_phys {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 pages;
};

/**
 * struct machvm_vm_size_limit - how much memory a task may have (device)
 * @size: sizeof(struct machvm_vm_size_limit)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @limit: bytes; MACHVM_VM_SET_SIZE_LIMIT: in, MACHVM_VM_GET_SIZE_LIMIT: out
 * @maximum: bytes, what @limit may be raised to; the same
 * @privileged: SET: 1 if the caller's CAP_SYS_RESOURCE, if it has it, is to be used; GET: 0
 * @__reserved: 0
 *
 * All regions count but those whose maximum protection is NONE.  A call that would take the task
 * past @limit answers NO_SPACE; a limit below what the task has keeps it from growing.  Both are
 * the size of the user address space at first, and inherited by fork.
 * Answers SUCCESS, INVALID_ARGUMENT (@limit above @maximum), NO_ACCESS (raises the maximum, without
 * privilege), INVALID_TASK.
 */
struct machvm_vm_size_limit {
	__u32 size;
	__s32 task;
	__aligned_u64 limit;
	__aligned_u64 maximum;
	__u32 privileged;
	__u32 __reserved;
};

/**
 * struct machvm_vm_statistics - event counters since load (MACHVM_VM_STATISTICS, device)
 * @size: sizeof(struct machvm_vm_statistics)
 * @out_pagesize: bytes
 * @out_free_count: free pages of the host
 * @out_active_count: resident pages of machvm
 * @out_inactive_count: resident pages that are next to be paged out
 * @out_wire_count: wired pages of machvm
 * @out_zero_fill_count: pages filled with zeroes
 * @out_reactivations: pages that left the inactive queue by being used
 * @out_pageins: pages supplied by pagers, or read back by the default memory manager
 * @out_pageouts: pages returned to pagers, or paged out to the default memory manager
 * @out_faults: faults handled; one that waited for its pager and was tried again is one
 * @out_cow_faults: pages copied on write
 * @out_lookups: memory objects looked up by vm_map
 * @out_hits: of these, found alive
 * @out_requests: pages asked of pagers
 * @out_unasked: pages supplied that nobody had asked for
 * @out_refused: pages supplied that were present already
 * @out_errors: pages answered with an error, or by a pager's death
 * @out_objects: objects alive
 * @out_maps: maps alive
 * @out_ports: pager ports alive
 * @out_queued: requests waiting to be sent or answered
 * @out_paged_out: pages that the default memory manager keeps now
 * @out_lost: pages that were to be returned when no pager was there to take them
 * @out_collapses: objects that were merged into the only one above them
 * @out_bypasses: objects that let go of the one below, needing nothing of it
 * @out_managed: of the pages that the default memory manager keeps, those that are with one in user
 *               space, which has released them, and nowhere else
 */
struct machvm_vm_statistics {
	__u32 size;
	__u32 out_pagesize;
	__aligned_u64 out_free_count;
	__aligned_u64 out_active_count;
	__aligned_u64 out_inactive_count;
	__aligned_u64 out_wire_count;
	__aligned_u64 out_zero_fill_count;
	__aligned_u64 out_reactivations;
	__aligned_u64 out_pageins;
	__aligned_u64 out_pageouts;
	__aligned_u64 out_faults;
	__aligned_u64 out_cow_faults;
	__aligned_u64 out_lookups;
	__aligned_u64 out_hits;
	__aligned_u64 out_requests;
	__aligned_u64 out_unasked;
	__aligned_u64 out_refused;
	__aligned_u64 out_errors;
	__aligned_u64 out_objects;
	__aligned_u64 out_maps;
	__aligned_u64 out_ports;
	__aligned_u64 out_queued;
	__aligned_u64 out_paged_out;
	__aligned_u64 out_lost;
	__aligned_u64 out_collapses;
	__aligned_u64 out_bypasses;
	__aligned_u64 out_managed;
};

/**
 * struct machvm_vm_cache_statistics - pages by kind (MACHVM_VM_CACHE_STATISTICS, device)
 * @size: sizeof(struct machvm_vm_cache_statistics)
 * @__reserved: 0
 * @out_cache_object_count: objects with a pager that are in memory, mapped or kept for later
 * @out_cache_count: their resident pages
 * @out_active_tmp_count: resident pages without a pager, neither inactive nor wired
 * @out_inactive_tmp_count: of the pages without a pager, those next to be paged out
 * @out_active_perm_count: resident pages with a pager, neither inactive nor wired
 * @out_inactive_perm_count: of the pages with a pager, those next to be paged out
 * @out_dirty_count: pages that were written since they came in
 * @out_laundry_count: pages picked to be written back and not offered to their pager yet
 * @out_writeback_count: pages offered to a pager that has not released them yet
 * @out_slab_count: pages that the host's kernel has in its slab allocator
 * @out_slab_reclaim_count: of these, reclaimable
 *
 * All are what there is now, and exact when nothing is going on.
 */
struct machvm_vm_cache_statistics {
	__u32 size;
	__u32 __reserved;
	__aligned_u64 out_cache_object_count;
	__aligned_u64 out_cache_count;
	__aligned_u64 out_active_tmp_count;
	__aligned_u64 out_inactive_tmp_count;
	__aligned_u64 out_active_perm_count;
	__aligned_u64 out_inactive_perm_count;
	__aligned_u64 out_dirty_count;
	__aligned_u64 out_laundry_count;
	__aligned_u64 out_writeback_count;
	__aligned_u64 out_slab_count;
	__aligned_u64 out_slab_reclaim_count;
};

/**
 * struct machvm_fault_info - why the last fault of this thread failed (MACHVM_FAULT_INFO, device)
 * @size: sizeof(struct machvm_fault_info)
 * @out_reason: kern_return_t of the failure
 * @address: in: an address in the page; out: page address of the fault
 * @out_error: the pager's own error value if @out_reason is MEMORY_ERROR, else 0
 * @__reserved: 0
 *
 * Answers SUCCESS, or INVALID_ADDRESS if no failed fault of the calling thread is recorded for
 * that page.
 */
struct machvm_fault_info {
	__u32 size;
	__s32 out_reason;
	__aligned_u64 address;
	__s32 out_error;
	__u32 __reserved;
};

/**
 * struct machvm_object_create - a new memory object (MACHVM_OBJECT_CREATE, device)
 * @size: sizeof(struct machvm_object_create)
 * @out_object: descriptor, the right to map
 * @out_control: descriptor, the right to answer for the object
 * @__reserved: 0
 * @out_id: number of the object in messages and info calls, never reused
 *
 * Both descriptors are close-on-exec.  The object exists until its last descriptor and mapping
 * are gone; when the last control descriptor is closed its pager is dead for good.
 */
struct machvm_object_create {
	__u32 size;
	__s32 out_object;
	__s32 out_control;
	__u32 __reserved;
	__aligned_u64 out_id;
};

/**
 * struct machvm_object_info - one object (MACHVM_OBJECT_INFO, device)
 * @size: sizeof(struct machvm_object_info)
 * @__reserved: 0
 * @id: in: look at the first object with this id or a larger one; out: its id
 * @out_flags: MACHVM_OBJECT_* bits
 * @out_ref_count: references by regions, shadows, copies and descriptors
 * @out_resident: resident pages
 * @out_dirty: of these, pages that were written
 * @out_shadow: id of the object below, or 0
 * @out_shadow_offset: byte offset of this object in the one below
 * @out_copy: id of the newest delayed copy, or 0
 * @out_requests: pages asked for and not answered
 * @out_oldest_request_ns: age of the oldest of them in nanoseconds
 * @out_port: id of the port that serves it, or 0
 * @out_requested: pages ever asked of the pager
 * @out_supplied: pages ever supplied
 * @out_unasked: of these, unasked
 * @out_copy_strategy: &enum machvm_copy_strategy
 * @out_shadow_depth: objects below this one
 * @out_size: bytes up to the end of the furthest region that ever showed it
 *
 * Shows the caller's own objects; those of all users with CAP_SYS_ADMIN.  ENOENT past the last.
 */
struct machvm_object_info {
	__u32 size;
	__u32 __reserved;
	__aligned_u64 id;
	__u32 out_flags;
	__u32 out_ref_count;
	__aligned_u64 out_resident;
	__aligned_u64 out_dirty;
	__aligned_u64 out_shadow;
	__aligned_u64 out_shadow_offset;
	__aligned_u64 out_copy;
	__aligned_u64 out_requests;
	__aligned_u64 out_oldest_request_ns;
	__aligned_u64 out_port;
	__aligned_u64 out_requested;
	__aligned_u64 out_supplied;
	__aligned_u64 out_unasked;
	__u32 out_copy_strategy;
	__u32 out_shadow_depth;
	__aligned_u64 out_size;
};

#define MACHVM_OBJECT_INTERNAL 0x01	/* no pager: zero-filled */
#define MACHVM_OBJECT_READY 0x02	/* the pager has answered init */
#define MACHVM_OBJECT_DEAD 0x04		/* the pager is dead for good */
#define MACHVM_OBJECT_ABSENT 0x08	/* no socket is bound to the object's port */
#define MACHVM_OBJECT_MAPPED 0x10	/* some region, shadow or copy uses it */
#define MACHVM_OBJECT_CACHEABLE 0x20	/* pages are to outlive the last mapping */
#define MACHVM_OBJECT_SHARED 0x40	/* several maps write to it directly */
#define MACHVM_OBJECT_CACHED 0x80	/* nothing uses it, but its pages are kept */
#define MACHVM_OBJECT_INITIALIZED 0x100	/* init is on its way to the pager, or was */
#define MACHVM_OBJECT_TEMPORARY 0x200	/* nothing is returned when it ends */
#define MACHVM_OBJECT_DESTROYED 0x400	/* by its pager; who maps it keeps the pages */

/**
 * struct machvm_page_info - one page of an object
 * @offset: byte offset in the object
 * @phys: physical address if that was asked for, else 0
 * @wire_count: 1 if it is wired
 * @lock: MACHVM_PROT_* that the pager has forbidden
 * @unlock_request: MACHVM_PROT_* that the pager was asked to allow and has not answered
 * @state: MACHVM_PAGE_STATE_* bits
 */
struct machvm_page_info {
	__aligned_u64 offset;
	__aligned_u64 phys;
	__u32 wire_count;
	__u32 lock;
	__u32 unlock_request;
	__u32 state;
};

/* Mach's numeric values. */
#define MACHVM_PAGE_STATE_BUSY 0x00000001	/* somebody is at work on it */
#define MACHVM_PAGE_STATE_WANTED 0x00000002	/* absent, and somebody waits for it */
#define MACHVM_PAGE_STATE_TABLED 0x00000004	/* it is in its object: all but absent ones */
#define MACHVM_PAGE_STATE_ABSENT 0x00000020	/* asked of the pager and not answered */
#define MACHVM_PAGE_STATE_DIRTY 0x00000080	/* written since it came in */
#define MACHVM_PAGE_STATE_PRECIOUS 0x00000100	/* the pager wants it back even if clean */
#define MACHVM_PAGE_STATE_INACTIVE 0x00000400	/* next to be paged out */
#define MACHVM_PAGE_STATE_ACTIVE 0x00000800	/* neither inactive nor wired */
#define MACHVM_PAGE_STATE_LAUNDRY 0x00001000	/* its pager is reading it where it is */
#define MACHVM_PAGE_STATE_PAGER 0x80000000	/* the pager has kept a copy of what it supplied */

/**
 * struct machvm_object_pages - the pages of an object (MACHVM_OBJECT_PAGES, device)
 * @size: sizeof(struct machvm_object_pages)
 * @flags: %MACHVM_PAGES_PHYSICAL or 0
 * @id: number of an object that is in memory
 * @offset: in: byte offset, the first page at or after it comes first; out: where the next call is
 *          to go on, all ones if there is no more
 * @address: array of &struct machvm_page_info
 * @count: in: room in the array; out: how many were filled in
 * @__reserved: 0
 *
 * Resident pages, and absent ones that the pager was asked for, in order; no lock is held for
 * longer than a hundred of them takes, so pages may come and go meanwhile.  Visibility as for
 * &struct machvm_object_info, else ENOENT.  Answers SUCCESS, NO_ACCESS (physical addresses need
 * CAP_SYS_RAWIO).
 */
struct machvm_object_pages {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 offset;
	__aligned_u64 address;
	__u32 count;
	__u32 __reserved;
};

#define MACHVM_PAGES_PHYSICAL 0x1

/**
 * struct machvm_proxy_range - what a part of a proxy shows
 * @object: descriptor of a memory object or of a proxy
 * @__reserved: 0
 * @offset: first byte of the part in the proxy, page aligned
 * @start: byte of the object that is there, page aligned
 * @length: bytes; those beyond the last whole page are not shown
 */
struct machvm_proxy_range {
	__s32 object;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 start;
	__aligned_u64 length;
};

/**
 * struct machvm_proxy_create - a right to parts of objects (MACHVM_PROXY_CREATE, device)
 * @size: sizeof(struct machvm_proxy_create)
 * @max_protection: MACHVM_PROT_* that mappings may have
 * @flags: %MACHVM_PROXY_REVOCABLE or 0
 * @count: how many ranges, 1 to 1024
 * @ranges: array of &struct machvm_proxy_range, which may not overlap in the proxy
 * @out_proxy: descriptor, close-on-exec, to be given as object to MACHVM_VM_MAP
 * @out_owner: if revocable, descriptor, close-on-exec; else -1.  When its last copy is closed, no
 *             further mapping can be made of the proxy or of proxies on it
 *
 * A mapping of a proxy gets what is left when the rights and the ranges of all levels are
 * intersected: MACHVM_VM_MAP drops protections beyond it, and answers INVALID_ARGUMENT where the
 * range has a hole or a level was revoked; a copy needs the right to read, else
 * PROTECTION_FAILURE, and is not limited otherwise.  Mappings outlive the proxy and its
 * revocation.
 *
 * Answers SUCCESS, INVALID_NAME (not a memory object or proxy), INVALID_ARGUMENT (protection bits,
 * alignment, wrap, overlap, count), RESOURCE_SHORTAGE (more than 16 levels).
 */
struct machvm_proxy_create {
	__u32 size;
	__u32 max_protection;
	__u32 flags;
	__u32 count;
	__aligned_u64 ranges;
	__s32 out_proxy;
	__s32 out_owner;
};

#define MACHVM_PROXY_REVOCABLE 0x1

/**
 * struct machvm_region_proxy - a right to memory of a task (MACHVM_REGION_PROXY, device)
 * @size: sizeof(struct machvm_region_proxy)
 * @task: %MACHVM_TASK_SELF or a task descriptor
 * @address: page aligned
 * @length: bytes inside one region; those beyond the last whole page are not shown
 * @max_protection: MACHVM_PROT_* that mappings may have; those beyond the maximum of the region are
 *                  dropped
 * @flags: %MACHVM_PROXY_REVOCABLE or 0
 * @out_proxy: as in &struct machvm_proxy_create, with the first byte at offset 0
 * @out_owner: as in &struct machvm_proxy_create
 *
 * Who maps it and the task see each other's writes.  The memory stays when the task ends.
 *
 * Answers SUCCESS, NO_SPACE (nothing is mapped there or above), INVALID_ADDRESS (a hole),
 * INVALID_ARGUMENT (beyond the end of the region, no whole page, alignment, protection bits),
 * INVALID_TASK, RESOURCE_SHORTAGE.
 */
struct machvm_region_proxy {
	__u32 size;
	__s32 task;
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 max_protection;
	__u32 flags;
	__s32 out_proxy;
	__s32 out_owner;
};

/**
 * struct machvm_port_info - one pager port (MACHVM_PORT_INFO, device)
 * @size: sizeof(struct machvm_port_info)
 * @out_pid: process that bound the first socket, in the caller's pid namespace, or 0
 * @id: in: look at the first port with this id or a larger one; out: its id
 * @out_objects: objects that the port carries
 * @out_sockets: sockets bound to it
 * @out_queued: messages that wait for credit
 * @out_sent: messages sent and not answered: requests, init, data_return
 * @out_messages: messages ever sent
 * @out_requests: pages ever asked for
 * @out_supplied: pages ever supplied
 * @out_oldest_ns: age of the oldest unanswered request in nanoseconds
 * @out_open: pages asked for, or asked to be unlocked, and not answered, sent or not
 * @out_resident: pages of its objects in memory, with those that are being returned
 * @out_dirty: of these, pages that were written since the pager gave or got them
 * @out_returning: pages that the pager was told to take back and has not released
 * @out_returned: pages ever returned and released
 *
 * What an object has that was destroyed counts no more.  Those from @out_open on came later: a
 * module that does not know them leaves them as they are, which must be 0.
 *
 * Visibility as for &struct machvm_object_info.
 */
struct machvm_port_info {
	__u32 size;
	__u32 out_pid;
	__aligned_u64 id;
	__aligned_u64 out_objects;
	__aligned_u64 out_sockets;
	__aligned_u64 out_queued;
	__aligned_u64 out_sent;
	__aligned_u64 out_messages;
	__aligned_u64 out_requests;
	__aligned_u64 out_supplied;
	__aligned_u64 out_oldest_ns;
	__aligned_u64 out_open;
	__aligned_u64 out_resident;
	__aligned_u64 out_dirty;
	__aligned_u64 out_returning;
	__aligned_u64 out_returned;
};

/**
 * struct machvm_waiter_info - a thread that waits for a pager (MACHVM_WAITER_INFO, device)
 * @size: sizeof(struct machvm_waiter_info)
 * @out_thread: its number in the caller's pid namespace, 0 if it has none there
 * @id: in: look at the first object with this number or a larger one for whose pager somebody
 *      waits; out: its number
 * @skip: in: waiters of the object @id to pass over; out: one more than were passed over
 * @out_offset: byte offset in the object of the page that it wants, or of the range that it has
 *      brought into line with the pager
 * @out_age_ns: age of the question that it waits for, or since when it waits, in nanoseconds
 * @out_port: number of the port that serves the object
 * @out_access: what the page was first asked for, MACHVM_PROT_* bits; 0 if it is not
 * @out_pager: process that bound the port's first socket, in the caller's pid namespace, or 0
 * @out_state: &enum machvm_waiter_state
 * @__reserved: 0
 *
 * With the answer's @id and @skip the next call finds the next waiter.  Those that come and go
 * meanwhile may be missed or seen twice.  Who waits for free memory waits for whichever pager is
 * the first to take some pages, a tenth of a second at a time, and is not listed.  Visibility as
 * for &struct machvm_object_info.  ENOENT past the last.
 */
struct machvm_waiter_info {
	__u32 size;
	__u32 out_thread;
	__aligned_u64 id;
	__aligned_u64 skip;
	__aligned_u64 out_offset;
	__aligned_u64 out_age_ns;
	__aligned_u64 out_port;
	__u32 out_access;
	__u32 out_pager;
	__u32 out_state;
	__u32 __reserved;
};

enum machvm_waiter_state {
	MACHVM_WAITER_GATED = 0,	/* its pager has not said that it is ready */
	MACHVM_WAITER_QUEUED = 1,	/* its question has not been sent */
	MACHVM_WAITER_SENT = 2,		/* it has */
	MACHVM_WAITER_UNLOCK = 3,	/* the page is there, but may not be used like that */
	MACHVM_WAITER_LIMIT = 4,	/* it may not write to more pages before some are taken */
	MACHVM_WAITER_SYNC = 5,		/* what vm_msync or vm_object_sync returned is not taken */
};

/**
 * struct machvm_control_bind - serve an object through a socket (MACHVM_CONTROL_BIND, control)
 * @size: sizeof(struct machvm_control_bind)
 * @socket: a generic netlink socket of the caller
 * @window: requests that may be sent and unanswered, 1 to 1024; 0 means 64
 * @out_epoch: number of this binding; requests carry it and replies must repeat it
 * @out_id: number of the object in messages
 *
 * A socket that already serves another object brings this one to the same port.  Whoever holds a
 * control descriptor may bind when the pager has gone, and takes over: resident pages stay, an
 * object whose pager was ready gets no other init, and what &struct machvm_control_absence has let
 * wait is asked anew, in the name of this binding and under the old sequence numbers.  Objects that
 * the pager which has gone left on the same port stay behind for whoever binds to them.
 *
 * EBADF: not a generic netlink socket.  EBUSY: the object has a port with other sockets on it.
 */
struct machvm_control_bind {
	__u32 size;
	__s32 socket;
	__u32 window;
	__u32 out_epoch;
	__aligned_u64 out_id;
};

/* How a request ends that nobody answers. */
enum machvm_fallback {
	MACHVM_FALLBACK_ERROR = 0,	/* KERN_MEMORY_ERROR; a later access asks again */
	MACHVM_FALLBACK_ZERO = 1,	/* a page of zeroes, as after data_unavailable */
	MACHVM_FALLBACK_MANAGER = 2,	/* as the default memory manager says, if it can have it */
};

#define MACHVM_FOREVER_MS 0xffffffffU

/**
 * struct machvm_control_absence - when no answer comes (MACHVM_CONTROL_ABSENCE, control)
 * @size: sizeof(struct machvm_control_absence)
 * @fallback: &enum machvm_fallback: how requests end that nobody answers
 * @answer_ms: milliseconds that a pager has for each request from when it was asked; 0: no end
 * @successor_ms: milliseconds that a request waits for a pager when no socket is bound, from when
 *	it was asked or the last socket closed, whichever was later; 0: none, %MACHVM_FOREVER_MS: no
 *	end.  Whoever binds a socket meanwhile is asked anew.  Pages on their way to a pager when
 *	its last socket closed wait as long to be offered to the next one.
 * @__reserved: 0
 *
 * With %MACHVM_FALLBACK_MANAGER an object that no pager serves, and whose wait for another is over,
 * goes to the default memory manager when it is needed, if that is a program which serves: open
 * requests are asked of it, and what was written is returned to it.  It hears of the object by
 * those messages, and MACHVM_CONTROL_OPEN gives it the control.  Whoever comes later is refused
 * while it is there.  What a pager that is there does not answer, and what no such manager can
 * have, ends as with %MACHVM_FALLBACK_ERROR.
 *
 * Holds at once, also for requests that are open.  A new object has 0 in all of them.  When the
 * last control descriptor is closed nobody can come any more: all requests end as @fallback says.
 * With %MACHVM_FALLBACK_MANAGER, while a manager is set, that one can still.
 * Answers SUCCESS, or INVALID_ARGUMENT for another @fallback.
 */
struct machvm_control_absence {
	__u32 size;
	__u32 fallback;
	__u32 answer_ms;
	__u32 successor_ms;
	__aligned_u64 __reserved;
};

/**
 * struct machvm_control_copy - serve a copy of the object (MACHVM_CONTROL_COPY, control)
 * @size: sizeof(struct machvm_control_copy)
 * @out_control: descriptor, the right to answer for the copy, close-on-exec
 * @id: number of the new memory object, as the copy message has it
 *
 * The answer to a copy message: whoever has the descriptor binds a socket to it, as to any other
 * object, and gets init.  Until then those who touch what is not there of the copy wait.  A pager
 * that does not want to serve it closes the descriptor: what is not there is MEMORY_ERROR then.
 * Answers SUCCESS, INVALID_ARGUMENT (no copy of that number waits to be taken: it was taken, or
 * nobody needs it any more).
 */
struct machvm_control_copy {
	__u32 size;
	__s32 out_control;
	__aligned_u64 id;
};

/**
 * struct machvm_data_supply - pages for an object (MACHVM_DATA_SUPPLY, control)
 * @size: sizeof(struct machvm_data_supply)
 * @epoch: epoch of the request that this answers, or 0
 * @offset: byte offset in the object, page aligned
 * @length: bytes, a multiple of the page size
 * @address: the data, any alignment
 * @lock_value: access to forbid, MACHVM_PROT_* bits: who needs it makes the kernel send data_unlock
 * @precious: 1: return these pages even if they stay clean
 * @status: 0, or address of one byte a page that receives the kern_return_t of each page
 * @out_error_offset: first offset that was refused, if the answer is MEMORY_PRESENT
 *
 * Answers SUCCESS, MEMORY_PRESENT (some page was there already and is left as it is, the others
 * were taken), INVALID_ARGUMENT (alignment, wrap, bits), MEMORY_ERROR (the object was terminated).
 * EFAULT: @address cannot be read; pages before the bad one were taken.
 */
struct machvm_data_supply {
	__u32 size;
	__u32 epoch;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 address;
	__u32 lock_value;
	__u32 precious;
	__aligned_u64 status;
	__aligned_u64 out_error_offset;
};

/**
 * struct machvm_data_return - fetch, map or release returned pages (control)
 * @size: sizeof(struct machvm_data_return)
 * @__reserved: 0
 * @offset: byte offset in the object, page aligned, inside a data_return message
 * @length: bytes, a multiple of the page size
 * @address: MACHVM_RETURN_READ: where to copy the data to; MACHVM_RETURN_MAP: out, where the
 *           pages are in the caller's map; MACHVM_RETURN_RELEASE: 0
 *
 * READ copies and may be repeated.  MAP moves the pages, without a copy, into fresh memory of
 * the caller and releases them.  RELEASE drops them; when the last page of an object is
 * released the terminate message follows.  Answers SUCCESS, INVALID_ADDRESS (a page of the range
 * was not returned, or was released), INVALID_ARGUMENT, NO_SPACE and RESOURCE_SHORTAGE (MAP).
 */
struct machvm_data_return {
	__u32 size;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 address;
};

/**
 * struct machvm_lock_request - clean, flush or lock pages (MACHVM_LOCK_REQUEST, control)
 * @size: sizeof(struct machvm_lock_request)
 * @epoch: epoch of the message that this answers, or 0
 * @offset: byte offset in the object
 * @length: bytes; every page that the range touches is meant, and 0 means none
 * @should_return: &enum machvm_return: which resident pages are sent by data_return
 * @should_flush: 1: the pages leave the kernel; what is not returned is lost
 * @lock_value: access to forbid from now on, MACHVM_PROT_* bits, in the place of what was forbidden
 *              before; %MACHVM_PROT_NO_CHANGE leaves that, and who waits for data_unlock, alone
 * @reply: 1: send lock_completed when all is done and every returned page is released
 *
 * Requests of an object are carried out one after the other.  Pages that are not there are passed
 * over; so the time goes by what is resident.  At most 32 pages are in one data_return, and the
 * request goes on when they are released.  A page that is not flushed is write-protected, read as
 * it was then, and clean once it is released unless it was written since.  A page that is wired,
 * or that a system call or a device works on, is returned but not flushed, and then stays dirty.
 * What a delayed copy of the object needs is put there before it is flushed.
 * Answers SUCCESS (also before all is done), INVALID_ARGUMENT (other bits in @lock_value, a range
 * that wraps), MEMORY_ERROR (no socket serves the object), RESOURCE_SHORTAGE.
 */
struct machvm_lock_request {
	__u32 size;
	__u32 epoch;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 should_return;
	__u32 should_flush;
	__u32 lock_value;
	__u32 reply;
};

/**
 * enum machvm_attribute - attributes of an object, for &struct machvm_attributes
 * @MACHVM_ATTRIBUTE_MAY_CACHE: may_cache
 * @MACHVM_ATTRIBUTE_COPY_STRATEGY: copy_strategy
 * @MACHVM_ATTRIBUTE_CLUSTER_SIZE: cluster_size, which must not be 0 then
 * @MACHVM_ATTRIBUTE_TEMPORARY: behavior: nothing is returned when the object ends; for good
 * @MACHVM_ATTRIBUTE_INVALIDATE: behavior: pages that vm_msync or vm_object_sync has written back
 *                               go, as if the caller had said MACHVM_SYNC_INVALIDATE, too
 * @MACHVM_ATTRIBUTE_SILENT_OVERWRITE: behavior: a page that vm_write or vm_copy overwrites as a
 *                                     whole need not be asked for first.  That is a permission: a
 *                                     pager must be ready for the question still
 * @MACHVM_ATTRIBUTE_DIRTY_LIMIT: dirty_limit
 */
enum machvm_attribute {
	MACHVM_ATTRIBUTE_MAY_CACHE = 0x1,
	MACHVM_ATTRIBUTE_COPY_STRATEGY = 0x2,
	MACHVM_ATTRIBUTE_CLUSTER_SIZE = 0x4,
	MACHVM_ATTRIBUTE_TEMPORARY = 0x8,
	MACHVM_ATTRIBUTE_INVALIDATE = 0x10,
	MACHVM_ATTRIBUTE_SILENT_OVERWRITE = 0x20,
	MACHVM_ATTRIBUTE_DIRTY_LIMIT = 0x40,
};

/* Those that are bits of behavior. */
#define MACHVM_BEHAVIORS                                                                      \
	(MACHVM_ATTRIBUTE_TEMPORARY | MACHVM_ATTRIBUTE_INVALIDATE |                           \
	 MACHVM_ATTRIBUTE_SILENT_OVERWRITE)
#define MACHVM_ATTRIBUTES_ALL                                                                 \
	(MACHVM_ATTRIBUTE_MAY_CACHE | MACHVM_ATTRIBUTE_COPY_STRATEGY |                        \
	 MACHVM_ATTRIBUTE_CLUSTER_SIZE | MACHVM_ATTRIBUTE_DIRTY_LIMIT | MACHVM_BEHAVIORS)

/* Most bytes of an object that one request may be for. */
#define MACHVM_CLUSTER_MAX 0x100000

/**
 * struct machvm_attributes - how an object is kept, copied and asked for (control)
 * @size: sizeof(struct machvm_attributes)
 * @epoch: MACHVM_SET_ATTRIBUTES: epoch of the message that this answers, or 0; otherwise 0
 * @may_cache: 1: pages may stay when nothing maps the object any more; 0 also ends one that is only
 *             kept like that
 * @copy_strategy: &enum machvm_copy_strategy.  With NONE vm_map with copy, vm_copy, vm_read and
 *                 vm_write from the object wait until all of it is there, and fail if it cannot be
 *                 had; fork never waits.  With CALL a copy gets what is there, and is a memory
 *                 object of its own for the rest, of which the pager is told by copy; nobody waits.
 *                 TEMPORARY leaves the strategy as it is, and cannot be taken back: from then on
 *                 nothing is returned when the object ends
 * @cluster_size: bytes that the pager would have one data_request be for, a power of two from a
 *                page to %MACHVM_CLUSTER_MAX; 0 leaves it as it is
 * @out_temporary: 1 after TEMPORARY
 * @out_ready: 1 if the pager has answered init
 * @set: MACHVM_SET_ATTRIBUTES: bits of &enum machvm_attribute, which of them to change; 0:
 *       may_cache, copy_strategy, and cluster_size if that is not 0.  MACHVM_GET_ATTRIBUTES: 0
 * @behavior: bits of %MACHVM_BEHAVIORS: those of @set are changed to what they are here; answers
 *            with all that hold
 * @dirty_limit: bytes of the object, whole pages, that may be written and not returned; 0: any
 *               number.  The module's parameter max_dirty_pages holds if that is less.  Less than
 *               16 pages counts as 16.  At the limit all that is dirty is returned, and who would
 *               write one page more waits until some is released, or no pager is there.  Not so
 *               processes that are pagers themselves, and accesses that cannot wait.  Pages that
 *               I/O is using cannot be returned, and come on top
 *
 * MACHVM_SET_ATTRIBUTES changes them, at any time; both answer with those that hold then.  A new
 * object has may_cache 0, DELAY, clusters of a page, no behaviors, and no limit.  Fields that @set
 * does not name are not looked at.
 *
 * Answers SUCCESS, INVALID_ARGUMENT (a value that is none, a strategy that is not served, TEMPORARY
 * taken back, or another strategy than before while delayed copies of the object exist, and with
 * COPY_STRATEGY in @set also once init is answered); then nothing has changed.
 */
struct machvm_attributes {
	__u32 size;
	__u32 epoch;
	__u32 may_cache;
	__u32 copy_strategy;
	__aligned_u64 cluster_size;
	__u32 out_temporary;
	__u32 out_ready;
	__u32 set;
	__u32 behavior;
	__aligned_u64 dirty_limit;
};

/**
 * struct machvm_object_destroy - give an object up (MACHVM_OBJECT_DESTROY, control)
 * @size: sizeof(struct machvm_object_destroy)
 * @epoch: epoch of the message that this answers, or 0
 * @reason: any value; &struct machvm_fault_info hands it to whose access fails because of this
 * @flush: 0: at once; 1: after what was written or is precious is returned
 *
 * Nothing more is asked of the pager.  Who waits for a page, or for ready, gets MEMORY_ERROR; so
 * does who touches a page that is not there, from now on.  Pages that are there can be used by who
 * maps them, and what is written to them goes nowhere.  With @flush those who write wait until the
 * last page is returned and released.  Then terminate follows; the next mapping of the object is
 * preceded by an init, and knows nothing of the pages before.
 * Answers SUCCESS (also before all is done), MEMORY_ERROR (the object is not mapped or cached, or
 * the pager has not heard of it), INVALID_ARGUMENT (another @flush), RESOURCE_SHORTAGE.
 */
struct machvm_object_destroy {
	__u32 size;
	__u32 epoch;
	__s32 reason;
	__u32 flush;
};

/**
 * struct machvm_default_manager - who keeps internal memory that is paged out (device)
 * @size: sizeof(struct machvm_default_manager)
 * @manager: descriptor of a memory object: its pager is to be the default memory manager; or -1
 * @flags: 0: with @manager -1, only ask; %MACHVM_MANAGER_KERNEL, with @manager -1: the kernel's own
 *         store is to be it again, as at first
 * @out_previous: descriptor, close-on-exec, of the object that was set before, or -1 if that was
 *                the kernel's own store
 *
 * MACHVM_SET_DEFAULT_MANAGER.  What is paged out goes to the kernel's store first, and from there
 * to the manager, if somebody serves the object.  An internal object that pages out becomes known
 * to it by a create message, on the port of @manager; MACHVM_CONTROL_OPEN gives the right to
 * answer.  Pages come by data_initialize the first time, by data_return after that, and are asked
 * for by data_request; each must be kept from when it was released until the object's terminate,
 * or until another comes for the same offset.  Requests for a page are to be answered before a
 * later data_return of it is released.
 *
 * When a manager has gone, or another one is set, who waits for a page goes on waiting, and what
 * is not released stays in the kernel's store.  The next one that is set serves the objects that
 * nobody serves any more, under their old numbers, and must have what the one before had released;
 * no second create is sent.  MACHVM_CONTROL_ABSENCE on the control of such an object says
 * otherwise.
 *
 * Wants CAP_SYS_ADMIN.  Answers SUCCESS, NO_ACCESS, INVALID_ARGUMENT (@manager is no memory object,
 * or one that no manager can be reached by, because its last control descriptor is closed),
 * RESOURCE_SHORTAGE (no descriptor for @out_previous could be had; nothing has changed).
 */
struct machvm_default_manager {
	__u32 size;
	__s32 manager;
	__u32 flags;
	__s32 out_previous;
};

#define MACHVM_MANAGER_KERNEL 0x1

/**
 * struct machvm_control_open - the right to answer for an object of the kernel's (control)
 * @size: sizeof(struct machvm_control_open)
 * @out_control: control descriptor, close-on-exec
 * @id: number of an object that the default memory manager was told of
 * @out_epoch: number of the binding that messages about it carry
 * @__reserved: 0
 *
 * MACHVM_CONTROL_OPEN on the control of the object that MACHVM_SET_DEFAULT_MANAGER was given.
 * Closing the descriptor has no effect on the object.
 * Answers SUCCESS, INVALID_ARGUMENT (this is not the manager's, or the object is none that the same
 * port serves).
 */
struct machvm_control_open {
	__u32 size;
	__s32 out_control;
	__aligned_u64 id;
	__u32 out_epoch;
	__u32 __reserved;
};

#define MACHVM_IOC_TYPE 'M'
#define MACHVM_VERSION _IOWR(MACHVM_IOC_TYPE, 0x00, struct machvm_version)
#define MACHVM_VM_ALLOCATE _IOWR(MACHVM_IOC_TYPE, 0x01, struct machvm_vm_allocate)
#define MACHVM_VM_DEALLOCATE _IOWR(MACHVM_IOC_TYPE, 0x02, struct machvm_vm_deallocate)
#define MACHVM_VM_PROTECT _IOWR(MACHVM_IOC_TYPE, 0x03, struct machvm_vm_protect)
#define MACHVM_VM_MAP _IOWR(MACHVM_IOC_TYPE, 0x04, struct machvm_vm_map)
#define MACHVM_VM_REGION _IOWR(MACHVM_IOC_TYPE, 0x05, struct machvm_vm_region)
#define MACHVM_VM_STATISTICS _IOWR(MACHVM_IOC_TYPE, 0x06, struct machvm_vm_statistics)
#define MACHVM_FAULT_INFO _IOWR(MACHVM_IOC_TYPE, 0x07, struct machvm_fault_info)
#define MACHVM_VM_INHERIT _IOWR(MACHVM_IOC_TYPE, 0x08, struct machvm_vm_inherit)
#define MACHVM_VM_COPY _IOWR(MACHVM_IOC_TYPE, 0x09, struct machvm_vm_copy)
#define MACHVM_VM_READ _IOWR(MACHVM_IOC_TYPE, 0x0a, struct machvm_vm_read)
#define MACHVM_VM_WRITE _IOWR(MACHVM_IOC_TYPE, 0x0b, struct machvm_vm_write)
#define MACHVM_TASK_PORT _IOWR(MACHVM_IOC_TYPE, 0x0c, struct machvm_task_port)
#define MACHVM_VM_WIRE _IOWR(MACHVM_IOC_TYPE, 0x0d, struct machvm_vm_wire)
#define MACHVM_VM_WIRE_ALL _IOWR(MACHVM_IOC_TYPE, 0x0e, struct machvm_vm_wire_all)
#define MACHVM_VM_SET_SIZE_LIMIT _IOWR(MACHVM_IOC_TYPE, 0x0f, struct machvm_vm_size_limit)
#define MACHVM_VM_GET_SIZE_LIMIT _IOWR(MACHVM_IOC_TYPE, 0x10, struct machvm_vm_size_limit)
#define MACHVM_VM_CACHE_STATISTICS                                                           \
	_IOWR(MACHVM_IOC_TYPE, 0x18, struct machvm_vm_cache_statistics)
#define MACHVM_TASK_INFO _IOWR(MACHVM_IOC_TYPE, 0x19, struct machvm_task_info)
#define MACHVM_VM_ALLOCATE_CONTIGUOUS                                                        \
	_IOWR(MACHVM_IOC_TYPE, 0x11, struct machvm_vm_allocate_contiguous)
#define MACHVM_VM_PAGES_PHYS _IOWR(MACHVM_IOC_TYPE, 0x12, struct machvm_vm_pages_phys)
#define MACHVM_OBJECT_CREATE _IOWR(MACHVM_IOC_TYPE, 0x20, struct machvm_object_create)
#define MACHVM_OBJECT_INFO _IOWR(MACHVM_IOC_TYPE, 0x21, struct machvm_object_info)
#define MACHVM_PORT_INFO _IOWR(MACHVM_IOC_TYPE, 0x22, struct machvm_port_info)
#define MACHVM_OBJECT_PAGES _IOWR(MACHVM_IOC_TYPE, 0x24, struct machvm_object_pages)
#define MACHVM_PROXY_CREATE _IOWR(MACHVM_IOC_TYPE, 0x25, struct machvm_proxy_create)
#define MACHVM_REGION_PROXY _IOWR(MACHVM_IOC_TYPE, 0x26, struct machvm_region_proxy)
#define MACHVM_WAITER_INFO _IOWR(MACHVM_IOC_TYPE, 0x28, struct machvm_waiter_info)
#define MACHVM_SET_DEFAULT_MANAGER _IOWR(MACHVM_IOC_TYPE, 0x31, struct machvm_default_manager)
#define MACHVM_VM_PAGEOUT _IOWR(MACHVM_IOC_TYPE, 0x30, struct machvm_vm_pageout)
#define MACHVM_VM_MSYNC _IOWR(MACHVM_IOC_TYPE, 0x38, struct machvm_vm_msync)
#define MACHVM_OBJECT_SYNC _IOWR(MACHVM_IOC_TYPE, 0x39, struct machvm_object_sync)
#define MACHVM_CONTROL_BIND _IOWR(MACHVM_IOC_TYPE, 0x40, struct machvm_control_bind)
#define MACHVM_DATA_SUPPLY _IOWR(MACHVM_IOC_TYPE, 0x41, struct machvm_data_supply)
#define MACHVM_RETURN_READ _IOWR(MACHVM_IOC_TYPE, 0x42, struct machvm_data_return)
#define MACHVM_RETURN_MAP _IOWR(MACHVM_IOC_TYPE, 0x43, struct machvm_data_return)
#define MACHVM_RETURN_RELEASE _IOWR(MACHVM_IOC_TYPE, 0x44, struct machvm_data_return)
#define MACHVM_LOCK_REQUEST _IOWR(MACHVM_IOC_TYPE, 0x45, struct machvm_lock_request)
#define MACHVM_SET_ATTRIBUTES _IOWR(MACHVM_IOC_TYPE, 0x48, struct machvm_attributes)
#define MACHVM_GET_ATTRIBUTES _IOWR(MACHVM_IOC_TYPE, 0x49, struct machvm_attributes)
#define MACHVM_OBJECT_DESTROY _IOWR(MACHVM_IOC_TYPE, 0x4a, struct machvm_object_destroy)
#define MACHVM_CONTROL_ABSENCE _IOWR(MACHVM_IOC_TYPE, 0x50, struct machvm_control_absence)
#define MACHVM_CONTROL_COPY _IOWR(MACHVM_IOC_TYPE, 0x51, struct machvm_control_copy)
#define MACHVM_CONTROL_OPEN _IOWR(MACHVM_IOC_TYPE, 0x52, struct machvm_control_open)

#endif /* _UAPI_MACHVM_H */
