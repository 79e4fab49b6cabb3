/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machvm/machvm.h - what a program on Linux needs beside Mach's own calls.
 */
#ifndef _MACHVM_MACHVM_H_
#define _MACHVM_MACHVM_H_

#include <sys/types.h>
#include <mach/mach.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * machvm_strerror() - an answer in words
 * @result: what a call returned
 *
 * For KERN_FAILURE, says what is wrong with the device and what to do: load the module, or
 * change the device's mode.  If the calling thread's last call did not fail for such a reason,
 * the device is tried.  Never returns NULL; the string is constant.
 */
const char *machvm_strerror(kern_return_t result);

/**
 * machvm_task_port() - a port for the calling task's own memory, to be given to others
 * @port: out: a descriptor; whoever holds it may use it as the task of the vm calls
 *
 * It names the address space: it is dead once this process has ended or executed another program.
 *
 * Return: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
kern_return_t machvm_task_port(task_t *port);

/**
 * machvm_task_for_pid() - a port for another process's memory
 * @pid: the process, which has used machvm
 * @port: out: a descriptor
 *
 * Allowed to those who could attach to it as a debugger.
 *
 * Return: KERN_SUCCESS, KERN_NO_ACCESS, KERN_INVALID_TASK (no such process, or one that never used
 * machvm), KERN_RESOURCE_SHORTAGE.
 */
kern_return_t machvm_task_for_pid(pid_t pid, task_t *port);

/**
 * struct machvm_task_memory - the memory of a task, and what it cost
 * @virtual_size: bytes in regions
 * @resident_size: bytes of these that are resident in the objects that the regions point at
 * @faults: faults of the task
 * @zero_fills: pages that they filled with zeroes
 * @reactivations: inactive pages that they came to use
 * @pageins: pages that they waited for and got
 * @cow_faults: pages that they copied on write
 */
struct machvm_task_memory {
	uint64_t virtual_size;
	uint64_t resident_size;
	uint64_t faults;
	uint64_t zero_fills;
	uint64_t reactivations;
	uint64_t pageins;
	uint64_t cow_faults;
};

/**
 * machvm_task_memory() - what task_info() of Mach tells about memory
 * @task: as for vm_region()
 * @memory: out: events are counted since the task first used machvm, or was forked
 *
 * Return: KERN_SUCCESS.
 */
kern_return_t machvm_task_memory(task_t task, struct machvm_task_memory *memory);

/**
 * machvm_fault_info() - why a memory access just failed
 * @address: an address in the page, such as si_addr of the signal
 * @why: out: KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE, KERN_WRITE_PROTECTION_FAILURE,
 *       KERN_MEMORY_ERROR ...
 * @pager_reason: out: with KERN_MEMORY_ERROR, the error_value of the pager, else 0; may be NULL
 *
 * For the handler of SIGSEGV or SIGBUS, in the thread that got it: async-signal-safe, and leaves
 * errno alone.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ADDRESS (no failure of this thread is on record for that
 * page).
 */
kern_return_t machvm_fault_info(void *address, kern_return_t *why, int *pager_reason);

/**
 * machvm_object_create_proxy() - a proxy that can be revoked
 * @max_protection: as for memory_object_create_proxy()
 * @count: as for memory_object_create_proxy(), of all four arrays
 * @object: as for memory_object_create_proxy()
 * @offset: as for memory_object_create_proxy()
 * @start: as for memory_object_create_proxy()
 * @len: as for memory_object_create_proxy()
 * @proxy: out: the right to map
 * @owner: out: once this port is deallocated, by all who hold it, nobody can map the proxy any more,
 *         nor proxies made from it; mappings stay; NULL for a proxy that cannot be revoked
 */
kern_return_t machvm_object_create_proxy(vm_prot_t max_protection, mach_msg_type_number_t count,
					 const memory_object_t *object, const vm_offset_t *offset,
					 const vm_offset_t *start, const vm_size_t *len,
					 mach_port_t *proxy, mach_port_t *owner);

/**
 * machvm_region_create_proxy() - a proxy of a region that can be revoked
 * @task: as for vm_region_create_proxy()
 * @address: as for vm_region_create_proxy()
 * @max_protection: as for vm_region_create_proxy()
 * @len: as for vm_region_create_proxy()
 * @proxy: out: the right to map
 * @owner: as for machvm_object_create_proxy()
 */
kern_return_t machvm_region_create_proxy(task_t task, vm_address_t address,
					 vm_prot_t max_protection, vm_size_t len,
					 mach_port_t *proxy, mach_port_t *owner);

/**
 * machvm_object_send() - pass the right to map an object to another process
 * @unix_socket: a connected Unix domain socket
 * @object: the object, or any other port that is a descriptor; the caller keeps it
 *
 * The message is one byte 'M', the size in bytes as 64 bits in the machine's byte order, and
 * the descriptor.  This call sends 0, size unknown.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (not a Unix socket, or not a descriptor),
 * KERN_ABORTED (the other end is closed, or the socket would block).
 */
kern_return_t machvm_object_send(int unix_socket, memory_object_t object);

/**
 * machvm_object_send_size() - as machvm_object_send(), and say how big the object is
 * @unix_socket: a connected Unix domain socket
 * @object: the object
 * @size: bytes that are worth mapping, 0 if unknown
 */
kern_return_t machvm_object_send_size(int unix_socket, memory_object_t object, uint64_t size);

/**
 * machvm_object_recv() - take what machvm_object_send() sent
 * @unix_socket: the other end
 * @object: out: a descriptor, close-on-exec, for mach_port_deallocate() to close
 *
 * Waits for the message, if the socket does.
 *
 * Return: KERN_SUCCESS, KERN_INVALID_ARGUMENT (not a Unix socket, or another message),
 * KERN_ABORTED (the other end is closed, or the socket would block), KERN_RESOURCE_SHORTAGE (no
 * free descriptor).
 */
kern_return_t machvm_object_recv(int unix_socket, memory_object_t *object);

/**
 * machvm_object_recv_size() - as machvm_object_recv(), and learn how big the object is
 * @unix_socket: the other end
 * @object: out: the descriptor
 * @size: out: bytes that are worth mapping, 0 if unknown
 */
kern_return_t machvm_object_recv_size(int unix_socket, memory_object_t *object, uint64_t *size);

#ifdef __cplusplus
}
#endif

#endif /* _MACHVM_MACHVM_H_ */
