// SPDX-License-Identifier: GPL-2.0-only
/*
 * calls.c - what can be called: each ioctl with its structure, each message with its attributes,
 * and what Linux has to offer beside.
 */
#include "fuzz.h"

#include <linux/netlink.h>
#include <sys/mman.h>

#include "others.h"

#define NUMBER(n) { V_NUMBER, 0, n }
#define FIELD(s, f, k, limit_, ...)                                                        \
	{ #f, offsetof(struct s, f), sizeof(((struct s *)0)->f), k, limit_, __VA_ARGS__ }

#define HEAD(on_, size_)                                                                   \
	{ "on", 0, 0, K_FD, 0, { on_, 0, 0 } },                                            \
	{ "at", 0, 0, K_POINTER, 0, { V_BUFFER, 0, 0 } },                                  \
	{ "size", 0, 4, K_LENGTH, 0, NUMBER(size_) },                                      \
	{ "noise", 0, 0, K_NUMBER, 0, NUMBER(0) }

#define SELF { V_NUMBER, 0, (uint32_t)MACHVM_TASK_SELF }
#define NONE { V_NUMBER, 0, (uint32_t)-1 }
#define TASK(s) FIELD(s, task, K_FD, 0, SELF)
#define MEM0 { V_MEMORY, 0, 0 }
#define ADDRESS(s, f) FIELD(s, f, K_ADDRESS, 0, MEM0)
#define LENGTH(s, f) FIELD(s, f, K_LENGTH, 0, NUMBER(0x1000))
#define OFFSET(s, f) FIELD(s, f, K_OFFSET, 0, NUMBER(0))
#define BOOL(s, f) FIELD(s, f, K_BOOL, 1, NUMBER(0))
#define ID(s, f) FIELD(s, f, K_ID, 0, NUMBER(0))
#define EPOCH(s) FIELD(s, epoch, K_EPOCH, 0, NUMBER(0))
#define PROT(s, f, usual_) FIELD(s, f, K_FLAGS, 0x1f, NUMBER(usual_))
#define ZERO(s, f) FIELD(s, f, K_ZERO, 0, NUMBER(0))

#define HEAD_DEVICE(s) HEAD(V_DEVICE, sizeof(struct s))
#define HEAD_CONTROL(s) HEAD(V_CONTROL, sizeof(struct s))

static const struct field version_fields[] = { HEAD_DEVICE(machvm_version) };

static const struct field allocate_fields[] = {
	HEAD_DEVICE(machvm_vm_allocate), TASK(machvm_vm_allocate),
	FIELD(machvm_vm_allocate, anywhere, K_BOOL, 1, NUMBER(1)),
	ZERO(machvm_vm_allocate, __reserved), ADDRESS(machvm_vm_allocate, address),
	LENGTH(machvm_vm_allocate, length),
};

static const struct field deallocate_fields[] = {
	HEAD_DEVICE(machvm_vm_deallocate), TASK(machvm_vm_deallocate),
	ADDRESS(machvm_vm_deallocate, address), LENGTH(machvm_vm_deallocate, length),
};

static const struct field protect_fields[] = {
	HEAD_DEVICE(machvm_vm_protect), TASK(machvm_vm_protect),
	ADDRESS(machvm_vm_protect, address), LENGTH(machvm_vm_protect, length),
	BOOL(machvm_vm_protect, set_maximum), PROT(machvm_vm_protect, protection, 1),
};

static const struct field map_fields[] = {
	HEAD_DEVICE(machvm_vm_map), TASK(machvm_vm_map), ADDRESS(machvm_vm_map, address),
	LENGTH(machvm_vm_map, length), FIELD(machvm_vm_map, mask, K_LENGTH, 0, NUMBER(0)),
	FIELD(machvm_vm_map, anywhere, K_BOOL, 1, NUMBER(1)),
	FIELD(machvm_vm_map, object, K_FD, 0, NONE), OFFSET(machvm_vm_map, offset),
	BOOL(machvm_vm_map, copy), PROT(machvm_vm_map, protection, 3),
	PROT(machvm_vm_map, max_protection, 7),
	FIELD(machvm_vm_map, inheritance, K_ENUM, 8, NUMBER(1)),
};

static const struct field region_fields[] = {
	HEAD_DEVICE(machvm_vm_region), TASK(machvm_vm_region),
	ADDRESS(machvm_vm_region, address), BOOL(machvm_vm_region, count),
	ZERO(machvm_vm_region, __reserved),
};

static const struct field inherit_fields[] = {
	HEAD_DEVICE(machvm_vm_inherit), TASK(machvm_vm_inherit),
	ADDRESS(machvm_vm_inherit, address), LENGTH(machvm_vm_inherit, length),
	FIELD(machvm_vm_inherit, inheritance, K_ENUM, 8, NUMBER(0)),
	ZERO(machvm_vm_inherit, __reserved),
};

static const struct field copy_fields[] = {
	HEAD_DEVICE(machvm_vm_copy), TASK(machvm_vm_copy), ADDRESS(machvm_vm_copy, source),
	LENGTH(machvm_vm_copy, length), ADDRESS(machvm_vm_copy, destination),
};

static const struct field read_fields[] = {
	HEAD_DEVICE(machvm_vm_read), TASK(machvm_vm_read), ADDRESS(machvm_vm_read, address),
	LENGTH(machvm_vm_read, length), ZERO(machvm_vm_read, out_data),
};

static const struct field write_fields[] = {
	HEAD_DEVICE(machvm_vm_write), TASK(machvm_vm_write), ADDRESS(machvm_vm_write, address),
	ADDRESS(machvm_vm_write, data), LENGTH(machvm_vm_write, length),
};

static const struct field pageout_fields[] = {
	HEAD_DEVICE(machvm_vm_pageout), TASK(machvm_vm_pageout),
	ADDRESS(machvm_vm_pageout, address), LENGTH(machvm_vm_pageout, length),
};

static const struct field msync_fields[] = {
	HEAD_DEVICE(machvm_vm_msync), TASK(machvm_vm_msync), ADDRESS(machvm_vm_msync, address),
	LENGTH(machvm_vm_msync, length),
	FIELD(machvm_vm_msync, flags, K_FLAGS, MACHVM_SYNC_ALL, NUMBER(0)),
	ZERO(machvm_vm_msync, __reserved),
};

static const struct field object_sync_fields[] = {
	HEAD_DEVICE(machvm_object_sync), ZERO(machvm_object_sync, __reserved),
	ID(machvm_object_sync, id), OFFSET(machvm_object_sync, offset),
	LENGTH(machvm_object_sync, length), BOOL(machvm_object_sync, should_return),
	BOOL(machvm_object_sync, should_flush),
};

static const struct field task_port_fields[] = {
	HEAD_DEVICE(machvm_task_port), TASK(machvm_task_port),
	ZERO(machvm_task_port, __reserved),
};

static const struct field task_info_fields[] = {
	HEAD_DEVICE(machvm_task_info), TASK(machvm_task_info),
};

static const struct field wire_fields[] = {
	HEAD_DEVICE(machvm_vm_wire), TASK(machvm_vm_wire), ADDRESS(machvm_vm_wire, address),
	LENGTH(machvm_vm_wire, length), PROT(machvm_vm_wire, access, 1),
	BOOL(machvm_vm_wire, privileged),
};

static const struct field wire_all_fields[] = {
	HEAD_DEVICE(machvm_vm_wire_all), TASK(machvm_vm_wire_all),
	FIELD(machvm_vm_wire_all, flags, K_FLAGS, MACHVM_WIRE_ALL, NUMBER(0)),
	BOOL(machvm_vm_wire_all, privileged),
};

static const struct field contiguous_fields[] = {
	HEAD_DEVICE(machvm_vm_allocate_contiguous), TASK(machvm_vm_allocate_contiguous),
	LENGTH(machvm_vm_allocate_contiguous, length),
	ZERO(machvm_vm_allocate_contiguous, pmin),
	FIELD(machvm_vm_allocate_contiguous, pmax, K_LENGTH, 0, NUMBER(-1UL)),
	FIELD(machvm_vm_allocate_contiguous, palign, K_LENGTH, 0, NUMBER(0)),
};

static const struct field pages_phys_fields[] = {
	HEAD_DEVICE(machvm_vm_pages_phys), TASK(machvm_vm_pages_phys),
	ADDRESS(machvm_vm_pages_phys, address), LENGTH(machvm_vm_pages_phys, length),
	FIELD(machvm_vm_pages_phys, pages, K_POINTER, 0, { V_BUFFER, 0, 0 }),
};

static const struct field limit_fields[] = {
	HEAD_DEVICE(machvm_vm_size_limit), TASK(machvm_vm_size_limit),
	FIELD(machvm_vm_size_limit, limit, K_LENGTH, 0, NUMBER(1UL << 40)),
	FIELD(machvm_vm_size_limit, maximum, K_LENGTH, 0, NUMBER(1UL << 41)),
	BOOL(machvm_vm_size_limit, privileged), ZERO(machvm_vm_size_limit, __reserved),
};

static const struct field limit_get_fields[] = {
	HEAD_DEVICE(machvm_vm_size_limit), TASK(machvm_vm_size_limit),
	ZERO(machvm_vm_size_limit, privileged), ZERO(machvm_vm_size_limit, __reserved),
};

static const struct field statistics_fields[] = { HEAD_DEVICE(machvm_vm_statistics) };
static const struct field cache_fields[] = { HEAD_DEVICE(machvm_vm_cache_statistics) };

static const struct field fault_info_fields[] = {
	HEAD_DEVICE(machvm_fault_info), ADDRESS(machvm_fault_info, address),
};

static const struct field object_create_fields[] = {
	HEAD_DEVICE(machvm_object_create), ZERO(machvm_object_create, __reserved),
};

static const struct field object_info_fields[] = {
	HEAD_DEVICE(machvm_object_info), ZERO(machvm_object_info, __reserved),
	ID(machvm_object_info, id),
};

static const struct field object_pages_fields[] = {
	HEAD_DEVICE(machvm_object_pages),
	FIELD(machvm_object_pages, flags, K_FLAGS, MACHVM_PAGES_PHYSICAL, NUMBER(0)),
	FIELD(machvm_object_pages, id, K_ID, 0, { V_ID, 0, 0 }), OFFSET(machvm_object_pages, offset),
	FIELD(machvm_object_pages, address, K_POINTER, 0, { V_BUFFER, 0, PAGE }),
	FIELD(machvm_object_pages, count, K_LENGTH, 0, NUMBER(16)),
	ZERO(machvm_object_pages, __reserved),
};

static const struct field port_info_fields[] = {
	HEAD_DEVICE(machvm_port_info), ID(machvm_port_info, id),
};

static const struct field waiter_info_fields[] = {
	HEAD_DEVICE(machvm_waiter_info), ID(machvm_waiter_info, id),
	FIELD(machvm_waiter_info, skip, K_NUMBER, 0, NUMBER(0)),
	ZERO(machvm_waiter_info, __reserved),
};

/* Two ranges stand behind the structure. */
struct proxy_call {
	struct machvm_proxy_create head;
	struct machvm_proxy_range first, second;
};

#define RANGE(n, suffix)                                                                   \
	{ "object" #suffix, offsetof(struct proxy_call, n.object), 4, K_FD, 0, { V_OBJECT, 0, 0 } }, \
	{ "offset" #suffix, offsetof(struct proxy_call, n.offset), 8, K_OFFSET, 0,         \
	  NUMBER(0x1000 * suffix) },                                                       \
	{ "start" #suffix, offsetof(struct proxy_call, n.start), 8, K_OFFSET, 0, NUMBER(0) }, \
	{ "length" #suffix, offsetof(struct proxy_call, n.length), 8, K_LENGTH, 0,         \
	  NUMBER(0x1000) }

static const struct field proxy_fields[] = {
	HEAD_DEVICE(machvm_proxy_create), PROT(machvm_proxy_create, max_protection, 7),
	FIELD(machvm_proxy_create, flags, K_FLAGS, MACHVM_PROXY_REVOCABLE, NUMBER(0)),
	FIELD(machvm_proxy_create, count, K_ENUM, 2, NUMBER(1)),
	FIELD(machvm_proxy_create, ranges, K_POINTER, 0,
	      { V_BUFFER, 0, sizeof(struct machvm_proxy_create) }),
	RANGE(first, 0), RANGE(second, 1),
};

static const struct field region_proxy_fields[] = {
	HEAD_DEVICE(machvm_region_proxy), TASK(machvm_region_proxy),
	ADDRESS(machvm_region_proxy, address), LENGTH(machvm_region_proxy, length),
	PROT(machvm_region_proxy, max_protection, 7),
	FIELD(machvm_region_proxy, flags, K_FLAGS, MACHVM_PROXY_REVOCABLE, NUMBER(0)),
};

static const struct field manager_fields[] = {
	HEAD_DEVICE(machvm_default_manager), FIELD(machvm_default_manager, manager, K_FD, 0, NONE),
	FIELD(machvm_default_manager, flags, K_FLAGS, MACHVM_MANAGER_KERNEL, NUMBER(0)),
};

static const struct field bind_fields[] = {
	HEAD_CONTROL(machvm_control_bind), FIELD(machvm_control_bind, socket, K_FD, 0, { V_SOCKET, 0, 0 }),
	FIELD(machvm_control_bind, window, K_NUMBER, 1024, NUMBER(0)),
};

static const struct field absence_fields[] = {
	HEAD_CONTROL(machvm_control_absence),
	FIELD(machvm_control_absence, fallback, K_ENUM, 2, NUMBER(0)),
	FIELD(machvm_control_absence, answer_ms, K_NUMBER, 0, NUMBER(0)),
	FIELD(machvm_control_absence, successor_ms, K_NUMBER, 0, NUMBER(0)),
	ZERO(machvm_control_absence, __reserved),
};

static const struct field control_copy_fields[] = {
	HEAD_CONTROL(machvm_control_copy),
	FIELD(machvm_control_copy, id, K_ID, 0, { V_MESSAGE_NEW, 0, 0 }),
};

static const struct field control_open_fields[] = {
	HEAD_CONTROL(machvm_control_open),
	FIELD(machvm_control_open, id, K_ID, 0, { V_MESSAGE_OBJECT, 0, 0 }),
	ZERO(machvm_control_open, __reserved),
};

static const struct field supply_fields[] = {
	HEAD_CONTROL(machvm_data_supply), EPOCH(machvm_data_supply),
	OFFSET(machvm_data_supply, offset), LENGTH(machvm_data_supply, length),
	FIELD(machvm_data_supply, address, K_POINTER, 0, { V_BUFFER, 0, PAGE }),
	FIELD(machvm_data_supply, lock_value, K_FLAGS, 0xf, NUMBER(0)),
	BOOL(machvm_data_supply, precious),
	FIELD(machvm_data_supply, status, K_POINTER, 0, NUMBER(0)),
};

static const struct field return_fields[] = {
	HEAD_CONTROL(machvm_data_return), ZERO(machvm_data_return, __reserved),
	OFFSET(machvm_data_return, offset), LENGTH(machvm_data_return, length),
	FIELD(machvm_data_return, address, K_POINTER, 0, { V_BUFFER, 0, PAGE }),
};

static const struct field release_fields[] = {
	HEAD_CONTROL(machvm_data_return), ZERO(machvm_data_return, __reserved),
	OFFSET(machvm_data_return, offset), LENGTH(machvm_data_return, length),
	ZERO(machvm_data_return, address),
};

static const struct field lock_fields[] = {
	HEAD_CONTROL(machvm_lock_request), EPOCH(machvm_lock_request),
	OFFSET(machvm_lock_request, offset), LENGTH(machvm_lock_request, length),
	FIELD(machvm_lock_request, should_return, K_ENUM, 4, NUMBER(1)),
	BOOL(machvm_lock_request, should_flush),
	FIELD(machvm_lock_request, lock_value, K_FLAGS, 0xf, NUMBER(8)),
	FIELD(machvm_lock_request, reply, K_BOOL, 1, NUMBER(1)),
};

static const struct field attributes_fields[] = {
	HEAD_CONTROL(machvm_attributes), EPOCH(machvm_attributes),
	FIELD(machvm_attributes, may_cache, K_BOOL, 1, NUMBER(0)),
	FIELD(machvm_attributes, copy_strategy, K_ENUM, 4, NUMBER(2)),
	FIELD(machvm_attributes, cluster_size, K_LENGTH, 0, NUMBER(0)),
	FIELD(machvm_attributes, set, K_FLAGS, MACHVM_ATTRIBUTES_ALL, NUMBER(0)),
	FIELD(machvm_attributes, behavior, K_FLAGS, MACHVM_BEHAVIORS, NUMBER(0)),
	FIELD(machvm_attributes, dirty_limit, K_LENGTH, 0, NUMBER(0)),
};

static const struct field attributes_get_fields[] = {
	HEAD_CONTROL(machvm_attributes), ZERO(machvm_attributes, epoch),
	ZERO(machvm_attributes, set),
};

static const struct field destroy_fields[] = {
	HEAD_CONTROL(machvm_object_destroy), EPOCH(machvm_object_destroy),
	FIELD(machvm_object_destroy, reason, K_NUMBER, 0, NUMBER(5)),
	BOOL(machvm_object_destroy, flush),
};

#define MESSAGE(command_)                                                                  \
	{ "on", 0, 0, K_FD, 0, { V_SOCKET, 0, 0 } },                                             \
	{ "command", 0, 0, K_ENUM, MACHVM_CMD_MAX, NUMBER(command_) },                     \
	{ "flags", 0, 0, K_FLAGS, 0xfff, NUMBER(NLM_F_REQUEST | NLM_F_ACK) },              \
	{ "torn", 0, 0, K_ZERO, 0, NUMBER(0) },                                            \
	{ "noise", 0, 0, K_NUMBER, 0, NUMBER(0) },                                         \
	{ "deaf", 0, 0, K_BOOL, 1, NUMBER(0) },                                            \
	{ "object", MACHVM_A_MSG_OBJECT, 8, K_ID, 0, { V_ID, 0, 0 } },                           \
	{ "epoch", MACHVM_A_MSG_EPOCH, 4, K_EPOCH, 0, { V_EPOCH, 0, 0 } }

#define A_OFFSET { "offset", MACHVM_A_MSG_OFFSET, 8, K_OFFSET, 0, NUMBER(0) }
#define A_LENGTH { "length", MACHVM_A_MSG_LENGTH, 8, K_LENGTH, 0, NUMBER(0x1000) }
#define A_ERROR { "error", MACHVM_A_MSG_ERROR, 4, K_NUMBER, 0, NUMBER(5) }
#define A_REPLY { "reply", MACHVM_A_MSG_REPLY, 0, K_FLAG, 0, { V_ABSENT, 0, 0 } }
#define A_FLUSH { "should_flush", MACHVM_A_MSG_SHOULD_FLUSH, 0, K_FLAG, 0, { V_ABSENT, 0, 0 } }
#define A_LOCK { "lock_value", MACHVM_A_MSG_LOCK_VALUE, 4, K_FLAGS, 0xf, { V_ABSENT, 0, 0 } }
#define A_CACHE { "may_cache", MACHVM_A_MSG_MAY_CACHE, 4, K_BOOL, 1, NUMBER(0) }
#define A_STRATEGY { "copy_strategy", MACHVM_A_MSG_COPY_STRATEGY, 4, K_ENUM, 4, NUMBER(2) }

static const struct field say_ready_fields[] = {
	MESSAGE(MACHVM_CMD_READY), A_CACHE, A_STRATEGY,
};

static const struct field say_supply_fields[] = {
	MESSAGE(MACHVM_CMD_DATA_SUPPLY), A_OFFSET,
	{ "data", MACHVM_A_MSG_DATA, 0, K_BYTES, 0, NUMBER(0x1000) }, A_LOCK,
	{ "precious", MACHVM_A_MSG_PRECIOUS, 0, K_FLAG, 0, { V_ABSENT, 0, 0 } }, A_REPLY,
};

static const struct field say_range_fields[] = {
	MESSAGE(MACHVM_CMD_DATA_UNAVAILABLE), A_OFFSET, A_LENGTH,
};

static const struct field say_error_fields[] = {
	MESSAGE(MACHVM_CMD_DATA_ERROR), A_OFFSET, A_LENGTH, A_ERROR,
};

static const struct field say_lock_fields[] = {
	MESSAGE(MACHVM_CMD_LOCK_REQUEST), A_OFFSET, A_LENGTH,
	{ "should_return", MACHVM_A_MSG_SHOULD_RETURN, 4, K_ENUM, 4, NUMBER(1) }, A_FLUSH, A_LOCK,
	A_REPLY,
};

static const struct field say_change_fields[] = {
	MESSAGE(MACHVM_CMD_CHANGE_ATTRIBUTES), A_CACHE, A_STRATEGY,
	{ "cluster_size", MACHVM_A_MSG_CLUSTER_SIZE, 8, K_LENGTH, 0, { V_ABSENT, 0, 0 } }, A_REPLY,
};

static const struct field say_destroy_fields[] = {
	MESSAGE(MACHVM_CMD_DESTROY), A_ERROR, A_FLUSH,
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define IOCTL(name, command, structure, fields)                                            \
	{ name, CALL_IOCTL, command, sizeof(structure), fields, NR(fields), NULL }
#define SAY(name, fields) { name, CALL_NETLINK, 0, 0, fields, NR(fields), NULL }
#define OTHER(name)                                                                        \
	{ #name, CALL_OTHER, 0, 0, name##_fields, NR(name##_fields), run_##name }

const struct call_kind call_kinds[] = {
	IOCTL("version", MACHVM_VERSION, struct machvm_version, version_fields),
	IOCTL("vm_allocate", MACHVM_VM_ALLOCATE, struct machvm_vm_allocate, allocate_fields),
	IOCTL("vm_deallocate", MACHVM_VM_DEALLOCATE, struct machvm_vm_deallocate,
	      deallocate_fields),
	IOCTL("vm_protect", MACHVM_VM_PROTECT, struct machvm_vm_protect, protect_fields),
	IOCTL("vm_map", MACHVM_VM_MAP, struct machvm_vm_map, map_fields),
	IOCTL("vm_region", MACHVM_VM_REGION, struct machvm_vm_region, region_fields),
	IOCTL("vm_inherit", MACHVM_VM_INHERIT, struct machvm_vm_inherit, inherit_fields),
	IOCTL("vm_copy", MACHVM_VM_COPY, struct machvm_vm_copy, copy_fields),
	IOCTL("vm_read", MACHVM_VM_READ, struct machvm_vm_read, read_fields),
	IOCTL("vm_write", MACHVM_VM_WRITE, struct machvm_vm_write, write_fields),
	IOCTL("vm_pageout", MACHVM_VM_PAGEOUT, struct machvm_vm_pageout, pageout_fields),
	IOCTL("vm_msync", MACHVM_VM_MSYNC, struct machvm_vm_msync, msync_fields),
	IOCTL("object_sync", MACHVM_OBJECT_SYNC, struct machvm_object_sync, object_sync_fields),
	IOCTL("task_port", MACHVM_TASK_PORT, struct machvm_task_port, task_port_fields),
	IOCTL("task_info", MACHVM_TASK_INFO, struct machvm_task_info, task_info_fields),
	IOCTL("vm_wire", MACHVM_VM_WIRE, struct machvm_vm_wire, wire_fields),
	IOCTL("vm_wire_all", MACHVM_VM_WIRE_ALL, struct machvm_vm_wire_all, wire_all_fields),
	IOCTL("vm_allocate_contiguous", MACHVM_VM_ALLOCATE_CONTIGUOUS,
	      struct machvm_vm_allocate_contiguous, contiguous_fields),
	IOCTL("vm_pages_phys", MACHVM_VM_PAGES_PHYS, struct machvm_vm_pages_phys,
	      pages_phys_fields),
	IOCTL("vm_set_size_limit", MACHVM_VM_SET_SIZE_LIMIT, struct machvm_vm_size_limit,
	      limit_fields),
	IOCTL("vm_get_size_limit", MACHVM_VM_GET_SIZE_LIMIT, struct machvm_vm_size_limit,
	      limit_get_fields),
	IOCTL("vm_statistics", MACHVM_VM_STATISTICS, struct machvm_vm_statistics,
	      statistics_fields),
	IOCTL("vm_cache_statistics", MACHVM_VM_CACHE_STATISTICS,
	      struct machvm_vm_cache_statistics, cache_fields),
	IOCTL("fault_info", MACHVM_FAULT_INFO, struct machvm_fault_info, fault_info_fields),
	IOCTL("object_create", MACHVM_OBJECT_CREATE, struct machvm_object_create,
	      object_create_fields),
	IOCTL("object_info", MACHVM_OBJECT_INFO, struct machvm_object_info, object_info_fields),
	IOCTL("object_pages", MACHVM_OBJECT_PAGES, struct machvm_object_pages,
	      object_pages_fields),
	IOCTL("port_info", MACHVM_PORT_INFO, struct machvm_port_info, port_info_fields),
	IOCTL("waiter_info", MACHVM_WAITER_INFO, struct machvm_waiter_info, waiter_info_fields),
	IOCTL("proxy_create", MACHVM_PROXY_CREATE, struct proxy_call, proxy_fields),
	IOCTL("region_proxy", MACHVM_REGION_PROXY, struct machvm_region_proxy,
	      region_proxy_fields),
	IOCTL("set_default_manager", MACHVM_SET_DEFAULT_MANAGER, struct machvm_default_manager,
	      manager_fields),
	IOCTL("bind", MACHVM_CONTROL_BIND, struct machvm_control_bind, bind_fields),
	IOCTL("absence", MACHVM_CONTROL_ABSENCE, struct machvm_control_absence, absence_fields),
	IOCTL("control_copy", MACHVM_CONTROL_COPY, struct machvm_control_copy,
	      control_copy_fields),
	IOCTL("control_open", MACHVM_CONTROL_OPEN, struct machvm_control_open,
	      control_open_fields),
	IOCTL("data_supply", MACHVM_DATA_SUPPLY, struct machvm_data_supply, supply_fields),
	IOCTL("return_read", MACHVM_RETURN_READ, struct machvm_data_return, return_fields),
	IOCTL("return_map", MACHVM_RETURN_MAP, struct machvm_data_return, release_fields),
	IOCTL("return_release", MACHVM_RETURN_RELEASE, struct machvm_data_return, release_fields),
	IOCTL("lock_request", MACHVM_LOCK_REQUEST, struct machvm_lock_request, lock_fields),
	IOCTL("set_attributes", MACHVM_SET_ATTRIBUTES, struct machvm_attributes,
	      attributes_fields),
	IOCTL("get_attributes", MACHVM_GET_ATTRIBUTES, struct machvm_attributes,
	      attributes_get_fields),
	IOCTL("object_destroy", MACHVM_OBJECT_DESTROY, struct machvm_object_destroy,
	      destroy_fields),
	SAY("say_ready", say_ready_fields),
	SAY("say_supply", say_supply_fields),
	SAY("say_unavailable", say_range_fields),
	SAY("say_error", say_error_fields),
	SAY("say_lock", say_lock_fields),
	SAY("say_change", say_change_fields),
	SAY("say_destroy", say_destroy_fields),
	OTHER(socket), OTHER(receive), OTHER(serve), OTHER(close), OTHER(dup), OTHER(touch),
	OTHER(fork), OTHER(kill), OTHER(proc_mem), OTHER(mmap), OTHER(munmap), OTHER(mprotect),
	OTHER(madvise), OTHER(mremap), OTHER(mlock), OTHER(copy_out), OTHER(peek), OTHER(poke),
	OTHER(futex), OTHER(reclaim), OTHER(pause),
};

const unsigned int nr_call_kinds = NR(call_kinds);
