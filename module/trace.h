/* SPDX-License-Identifier: GPL-2.0-only */
/* trace.h - tracepoints: the outcome of every fault, and every message to and from a pager. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM machvm

#if !defined(_MACHVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MACHVM_TRACE_H

#include <linux/tracepoint.h>
#include "channel.h"
#include "fault.h"
#include "types.h"

TRACE_EVENT(machvm_fault,
	TP_PROTO(struct machvm_map *map, u64 addr, bool write, int outcome, int kr),
	TP_ARGS(map, addr, write, outcome, kr),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(bool, write)
		__field(int, outcome)
		__field(int, kr)
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->write = write;
		__entry->outcome = outcome;
		__entry->kr = kr;
	),
	TP_printk("addr=0x%llx access=%s outcome=%s kr=%d", __entry->addr,
		  __entry->write ? "write" : "read",
		  __print_symbolic(__entry->outcome,
				   { MACHVM_FAULT_MAPPED, "mapped" },
				   { MACHVM_FAULT_UPGRADE, "upgraded" },
				   { MACHVM_FAULT_WAIT, "waits" },
				   { MACHVM_FAULT_LAUNDRY, "laundry" },
				   { MACHVM_FAULT_FAILED, "failed" },
				   { MACHVM_FAULT_NOMEM, "nomem" }),
		  __entry->kr)
);

/*
 * A message, in one direction or the other, or an ioctl that stands for one.  It is told of before
 * it has an effect, so that what follows from it comes later; what became of it, if anything is
 * wrong, is told of by the two events below.  What a message does not have is 0.
 */
DECLARE_EVENT_CLASS(machvm_message,
	TP_PROTO(const struct machvm_memobj *memobj, const struct machvm_spoken *said),
	TP_ARGS(memobj, said),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, port)
		__field(u64, offset)
		__field(u64, length)
		__field(u64, error_offset)
		__field(u64, cluster_size)
		__field(u32, epoch)
		__field(u32, sequence)
		__field(u32, access)
		__field(u32, lock_value)
		__field(u32, should_return)
		__field(u32, copy_strategy)
		__field(s32, result)
		__field(s32, error)
		__field(u8, dirty)
		__field(u8, kernel_copy)
		__field(u8, precious)
		__field(u8, reply)
		__field(u8, should_flush)
		__field(u8, may_cache)
		__array(char, name, MACHVM_SPOKEN_NAME)
	),
	TP_fast_assign(
		__entry->object = memobj->id;
		/* A port goes away with RCU, and tracepoints are within it. */
		__entry->port = READ_ONCE(memobj->port)->id;
		__entry->offset = said->offset;
		__entry->length = said->length;
		__entry->error_offset = said->error_offset;
		__entry->cluster_size = said->cluster_size;
		__entry->epoch = said->epoch;
		__entry->sequence = said->sequence;
		__entry->access = said->access;
		__entry->lock_value = said->lock_value;
		__entry->should_return = said->should_return;
		__entry->copy_strategy = said->copy_strategy;
		__entry->result = said->result;
		__entry->error = said->error;
		__entry->dirty = said->dirty;
		__entry->kernel_copy = said->kernel_copy;
		__entry->precious = said->precious;
		__entry->reply = said->reply;
		__entry->should_flush = said->should_flush;
		__entry->may_cache = said->may_cache;
		strscpy(__entry->name, said->name, sizeof(__entry->name));
	),
	TP_printk("object=%llu port=%llu %s seq=%u epoch=%u offset=0x%llx length=0x%llx access=%u dirty=%u kernel_copy=%u lock_value=%u precious=%u should_return=%u should_flush=%u reply=%u may_cache=%u copy_strategy=%u cluster_size=0x%llx result=%d error=%d error_offset=0x%llx",
		  __entry->object, __entry->port, __entry->name, __entry->sequence, __entry->epoch,
		  __entry->offset, __entry->length, __entry->access, __entry->dirty,
		  __entry->kernel_copy, __entry->lock_value, __entry->precious,
		  __entry->should_return, __entry->should_flush, __entry->reply,
		  __entry->may_cache, __entry->copy_strategy, __entry->cluster_size,
		  __entry->result, __entry->error, __entry->error_offset)
);

DEFINE_EVENT(machvm_message, machvm_message_sent,
	TP_PROTO(const struct machvm_memobj *memobj, const struct machvm_spoken *said),
	TP_ARGS(memobj, said));

DEFINE_EVENT(machvm_message, machvm_reply_received,
	TP_PROTO(const struct machvm_memobj *memobj, const struct machvm_spoken *said),
	TP_ARGS(memobj, said));

/*
 * The message before it did not go out, for want of memory or of room in a socket: result is an
 * errno, and it will be sent again.  Or the pager's was refused: result is a kern_return_t or an
 * errno.
 */
DECLARE_EVENT_CLASS(machvm_outcome,
	TP_PROTO(const struct machvm_memobj *memobj, const char *name, u64 offset, u64 length,
		 int result),
	TP_ARGS(memobj, name, offset, length, result),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, port)
		__field(u64, offset)
		__field(u64, length)
		__field(s32, result)
		__array(char, name, MACHVM_SPOKEN_NAME)
	),
	TP_fast_assign(
		__entry->object = memobj->id;
		__entry->port = READ_ONCE(memobj->port)->id;
		__entry->offset = offset;
		__entry->length = length;
		__entry->result = result;
		strscpy(__entry->name, name, sizeof(__entry->name));
	),
	TP_printk("object=%llu port=%llu %s offset=0x%llx length=0x%llx result=%d",
		  __entry->object, __entry->port, __entry->name, __entry->offset, __entry->length,
		  __entry->result)
);

DEFINE_EVENT(machvm_outcome, machvm_message_unsent,
	TP_PROTO(const struct machvm_memobj *memobj, const char *name, u64 offset, u64 length,
		 int result),
	TP_ARGS(memobj, name, offset, length, result));

DEFINE_EVENT(machvm_outcome, machvm_reply_refused,
	TP_PROTO(const struct machvm_memobj *memobj, const char *name, u64 offset, u64 length,
		 int result),
	TP_ARGS(memobj, name, offset, length, result));

#endif /* _MACHVM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH module
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
