/* SPDX-License-Identifier: GPL-2.0-only */
/* trace.h - tracepoints: the outcome of every fault, and every message to and from a pager. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM machvm

#if !defined(_MACHVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MACHVM_TRACE_H

#include <linux/tracepoint.h>
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
				   { MACHVM_FAULT_FAILED, "failed" },
				   { MACHVM_FAULT_NOMEM, "nomem" }),
		  __entry->kr)
);

TRACE_EVENT(machvm_message_sent,
	TP_PROTO(const struct machvm_msg *msg, int err),
	TP_ARGS(msg, err),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, offset)
		__field(u64, length)
		__field(u32, sequence)
		__field(u32, access)
		__field(u8, type)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->object = msg->memobj->id;
		__entry->offset = msg->offset;
		__entry->length = msg->length;
		__entry->sequence = msg->sequence;
		__entry->access = msg->access;
		__entry->type = msg->type;
		__entry->err = err;
	),
	TP_printk("object=%llu seq=%u %s offset=0x%llx length=0x%llx access=%u err=%d",
		  __entry->object, __entry->sequence,
		  __print_symbolic(__entry->type,
				   { MACHVM_MSG_INIT, "init" },
				   { MACHVM_MSG_DATA_REQUEST, "data_request" },
				   { MACHVM_MSG_DATA_RETURN, "data_return" },
				   { MACHVM_MSG_DATA_UNLOCK, "data_unlock" },
				   { MACHVM_MSG_LOCK_COMPLETED, "lock_completed" },
				   { MACHVM_MSG_TERMINATE, "terminate" }),
		  __entry->offset, __entry->length, __entry->access, __entry->err)
);

TRACE_EVENT(machvm_reply_received,
	TP_PROTO(u64 object, const char *what, u64 offset, u64 length, int kr),
	TP_ARGS(object, what, offset, length, kr),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(u64, offset)
		__field(u64, length)
		__field(int, kr)
		__array(char, name, 20)
	),
	TP_fast_assign(
		__entry->object = object;
		strscpy(__entry->name, what, sizeof(__entry->name));
		__entry->offset = offset;
		__entry->length = length;
		__entry->kr = kr;
	),
	TP_printk("object=%llu %s offset=0x%llx length=0x%llx kr=%d", __entry->object,
		  __entry->name, __entry->offset, __entry->length, __entry->kr)
);

#endif /* _MACHVM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH module
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
