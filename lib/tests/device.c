// SPDX-License-Identifier: GPL-2.0-only
/*
 * device.c - the device comes and goes, and the calls pass on what they are given.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void errno_table_gives_mach_codes(void)
{
	CHECK(mv_errno_to_kern(EINVAL) == KERN_INVALID_ARGUMENT);
	CHECK(mv_errno_to_kern(EBADF) == KERN_INVALID_ARGUMENT);
	CHECK(mv_errno_to_kern(EFAULT) == KERN_INVALID_ADDRESS);
	CHECK(mv_errno_to_kern(EACCES) == KERN_NO_ACCESS);
	CHECK(mv_errno_to_kern(EPERM) == KERN_NO_ACCESS);
	CHECK(mv_errno_to_kern(ENOMEM) == KERN_RESOURCE_SHORTAGE);
	CHECK(mv_errno_to_kern(EMFILE) == KERN_RESOURCE_SHORTAGE);
	CHECK(mv_errno_to_kern(ENFILE) == KERN_RESOURCE_SHORTAGE);
	CHECK(mv_errno_to_kern(EDQUOT) == KERN_RESOURCE_SHORTAGE);
	CHECK(mv_errno_to_kern(ESTALE) == KERN_ABORTED);
	CHECK(mv_errno_to_kern(EINTR) == KERN_ABORTED);
	CHECK(mv_errno_to_kern(EAGAIN) == KERN_ABORTED);
	CHECK(mv_errno_to_kern(EEXIST) == KERN_MEMORY_PRESENT);
	CHECK(mv_errno_to_kern(ENXIO) == KERN_MEMORY_ERROR);
	CHECK(mv_errno_to_kern(ESRCH) == KERN_INVALID_TASK);
	for (int error = 1; error < 200; error++) {
		CHECK(mv_errno_to_kern(error) != KERN_SUCCESS);
		CHECK(strcmp(machvm_strerror(mv_errno_to_kern(error)), "unknown answer"));
	}
	CHECK(mv_errno_to_kern(EXDEV) == KERN_FAILURE);
}

/* The library's descriptor, or -1 if it has none so far. */
static int device_fd(void)
{
	int fd = mv_device_get();

	CHECK(fd >= 0);
	return fd;
}

static void device_forget(void)
{
	int fd;

	mv_device_path = FAKE_DEVICE;
	fd = mv_device_get();
	if (fd >= 0)
		close(fd);
}

static void absent_device_is_said_to_be_absent(void)
{
	vm_address_t at = 123;

	device_forget();
	mv_device_path = "/nonexistent/machvm";
	CHECK(vm_allocate(mach_task_self(), &at, 4096, TRUE) == KERN_FAILURE);
	CHECK(at == 123);
	CHECK(strstr(machvm_strerror(KERN_FAILURE), "modprobe machvm"));
	mv_device_trouble = 0;	/* as in a thread that has not called */
	CHECK(strstr(machvm_strerror(KERN_FAILURE), "modprobe machvm"));
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_FAILURE);
	CHECK(strcmp(machvm_strerror(KERN_SUCCESS), "success") == 0);
}

static void foreign_device_is_not_used(void)
{
	device_forget();
	mv_device_path = "/dev/null";
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_FAILURE);
	CHECK(strstr(machvm_strerror(KERN_FAILURE), "is not a device of the machvm module"));
	mv_device_path = "/proc/self/exe";
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_FAILURE);
	mv_device_path = "/";
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_FAILURE);
}

static void forbidden_device_is_said_to_be_forbidden(void)
{
	mv_device_trouble = EACCES;
	CHECK(strstr(machvm_strerror(KERN_FAILURE), "mode"));
}

static void other_abi_is_refused(void)
{
	device_forget();
	fake.abi = MACHVM_ABI + 1;
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_FAILURE);
	CHECK(strstr(machvm_strerror(KERN_FAILURE), "different versions"));
	CHECK(fake.calls == 0);
}

static void descriptor_is_high_and_closed_on_exec(void)
{
	int fd = device_fd();

	CHECK(fd >= 1000 || fd >= 200);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(mv_device_get() == fd);
}

static void *get_device(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)mv_device_get();
}

static void threads_that_come_at_once_share_one_descriptor(void)
{
	pthread_t threads[8];
	void *got[8];

	for (int round = 0; round < 100; round++) {
		int next = dup(0);

		close(next);
		device_forget();
		for (int i = 0; i < 8; i++)
			CHECK(!pthread_create(&threads[i], NULL, get_device, NULL));
		for (int i = 0; i < 8; i++)
			CHECK(!pthread_join(threads[i], &got[i]));
		for (int i = 0; i < 8; i++)
			CHECK(got[i] == got[0]);
		CHECK(device_fd() == (int)(intptr_t)got[0]);
		CHECK(dup(0) == next);	/* none of the others was left open */
		close(next);
	}
}

static void low_limit_of_descriptors_is_respected(void)
{
	struct rlimit old, low;

	device_forget();
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	low = old;
	low.rlim_cur = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_SUCCESS);
	CHECK(device_fd() >= 3 && device_fd() < 64);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
	device_forget();
}

static void closed_descriptor_is_opened_again(void)
{
	close(device_fd());
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_SUCCESS);
	CHECK(fake.calls == 1 && fake.foreign == 0);
}

static void number_taken_by_a_program_is_left_alone(void)
{
	int fd = device_fd();
	int data = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(dup2(data, fd) == fd);
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_SUCCESS);
	CHECK(fake.foreign == 0);
	CHECK(device_fd() != fd);
	CHECK(fcntl(fd, F_GETFD) >= 0);	/* and is still open */
	close(data);
	close(fd);
}

static void child_uses_what_it_inherits(void)
{
	int fd = device_fd();
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(mv_device_get() != fd ||
		      vm_deallocate(mach_task_self(), 0, 4096) != KERN_SUCCESS);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void interrupted_call_is_repeated(void)
{
	fake.answers[0] = -EINTR;
	fake.answers[1] = -EAGAIN;
	fake.answers[2] = KERN_NO_SPACE;
	fake.pending = 3;
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_NO_SPACE);
	CHECK(fake.calls == 3);
}

static void older_module_is_told(void)
{
	fake.answers[0] = -ENOTTY;
	fake.pending = 1;
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_FAILURE);
	CHECK(strstr(machvm_strerror(KERN_FAILURE), "different versions"));
	CHECK(vm_deallocate(mach_task_self(), 0, 4096) == KERN_SUCCESS);
	CHECK(strcmp(machvm_strerror(KERN_FAILURE), "failure") == 0);
}

static void fill_allocate(void *argument)
{
	((struct machvm_vm_allocate *)argument)->address = 0x5000;
}

static void allocate_passes_everything_on(void)
{
	const struct machvm_vm_allocate *args = (const void *)fake.argument;
	vm_address_t at = 0x1234;

	fake.fill = fill_allocate;
	CHECK(vm_allocate(mach_task_self(), &at, 100, FALSE) == KERN_SUCCESS);
	CHECK(fake.command == MACHVM_VM_ALLOCATE && args->size == sizeof(*args));
	CHECK(args->task == MACHVM_TASK_SELF && args->anywhere == 0);
	CHECK(args->address == 0x1234 && args->length == 100 && at == 0x5000);
	CHECK(vm_allocate(17, &at, 100, 2) == KERN_SUCCESS);
	CHECK(args->task == 17 && args->anywhere == 1 && args->address == 0);

	fake.answers[0] = KERN_NO_SPACE;
	fake.pending = 1;
	at = 1;
	CHECK(vm_allocate(mach_task_self(), &at, 100, FALSE) == KERN_NO_SPACE);
	CHECK(at == 1);
}

static void protect_passes_everything_on(void)
{
	const struct machvm_vm_protect *args = (const void *)fake.argument;

	CHECK(vm_protect(mach_task_self(), 0x1001, 7, 5, -1) == KERN_SUCCESS);
	CHECK(fake.command == MACHVM_VM_PROTECT && args->size == sizeof(*args));
	CHECK(args->address == 0x1001 && args->length == 7 && args->set_maximum == 1);
	CHECK(args->protection == 0xffffffff);
}

static void map_passes_everything_on(void)
{
	const struct machvm_vm_map *args = (const void *)fake.argument;
	vm_address_t at = 0x2000;

	CHECK(vm_map(mach_task_self(), &at, 9, 0xffff, FALSE, 5, 0x3000, TRUE, 1, 3,
		     VM_INHERIT_NONE) == KERN_SUCCESS);
	CHECK(fake.command == MACHVM_VM_MAP && args->size == sizeof(*args));
	CHECK(args->address == 0x2000 && args->length == 9 && args->mask == 0xffff);
	CHECK(args->anywhere == 0 && args->object == 5 && args->offset == 0x3000);
	CHECK(args->copy == 1 && args->protection == 1 && args->max_protection == 3);
	CHECK(args->inheritance == MACHVM_INHERIT_NONE);
}

static void map_without_an_object_looks_at_no_offset(void)
{
	const struct machvm_vm_map *args = (const void *)fake.argument;
	const memory_object_t none[] = { MACH_PORT_NULL, MACH_PORT_DEAD };
	vm_address_t at = 0;

	for (int i = 0; i < 2; i++) {
		CHECK(vm_map(mach_task_self(), &at, 9, 0, TRUE, none[i], 0x123, TRUE, 1, 3, 0) ==
		      KERN_SUCCESS);
		CHECK(args->object == -1 && args->offset == 0 && args->copy == 0);
	}
}

static void ports_of_the_wrong_kind_are_refused(void)
{
	const mach_port_t tasks[] = { MACH_PORT_NULL, MACH_PORT_DEAD, mach_host_self(),
				      mach_host_priv(), mv_port_name(3) };
	vm_statistics_data_t statistics;
	vm_address_t at = 0;

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		CHECK(vm_allocate(tasks[i], &at, 1, TRUE) == KERN_INVALID_ARGUMENT);
		CHECK(vm_deallocate(tasks[i], at, 1) == KERN_INVALID_ARGUMENT);
		CHECK(vm_protect(tasks[i], at, 1, FALSE, 1) == KERN_INVALID_ARGUMENT);
		CHECK(vm_statistics(tasks[i], &statistics) == KERN_INVALID_ARGUMENT);
		CHECK(vm_map(tasks[i], &at, 1, 0, TRUE, 0, 0, FALSE, 1, 1, 1) ==
		      KERN_INVALID_ARGUMENT);
	}
	CHECK(vm_map(mach_task_self(), &at, 1, 0, TRUE, mach_task_self(), 0, FALSE, 1, 1, 1) ==
	      KERN_INVALID_ARGUMENT);
	CHECK(fake.calls == 0);
}

static void fill_region(void *argument)
{
	struct machvm_vm_region *args = argument;

	args->address = 0x4000;
	args->out_length = 0x1000;
	args->out_protection = 1;
	args->out_max_protection = 7;
	args->out_inheritance = 2;
	args->out_flags = MACHVM_REGION_SHARED | MACHVM_REGION_EXTERNAL;
	args->out_object = 0x1c0000005;
	args->out_offset = 0x7000;
}

static void region_hands_everything_out(void)
{
	vm_address_t at = 0x3000;
	vm_size_t size;
	vm_prot_t protection, maximum;
	vm_inherit_t inheritance;
	boolean_t shared;
	memory_object_name_t name;
	vm_offset_t offset;

	fake.fill = fill_region;
	CHECK(vm_region(mach_task_self(), &at, &size, &protection, &maximum, &inheritance, &shared,
			&name, &offset) == KERN_SUCCESS);
	CHECK(((const struct machvm_vm_region *)fake.argument)->address == 0x3000);
	CHECK(at == 0x4000 && size == 0x1000 && protection == 1 && maximum == 7);
	CHECK(inheritance == 2 && shared == TRUE && offset == 0x7000);
	CHECK(name == 0x40000005);
}

static void fill_statistics(void *argument)
{
	struct machvm_vm_statistics *args = argument;

	args->out_pagesize = 4096;
	args->out_free_count = 1ull << 40;
	args->out_hits = 0x100000003;
}

static void statistics_fit_into_integers(void)
{
	vm_statistics_data_t statistics;

	fake.fill = fill_statistics;
	CHECK(vm_statistics(mach_task_self(), &statistics) == KERN_SUCCESS);
	CHECK(statistics.pagesize == 4096 && statistics.free_count == INT_MAX);
	CHECK(statistics.hits == 3);
}

static void fill_fault(void *argument)
{
	struct machvm_fault_info *args = argument;

	args->out_reason = KERN_MEMORY_ERROR;
	args->out_error = -17;
}

static void fault_info_leaves_errno_alone(void)
{
	kern_return_t why = 0;
	int reason = 0;

	fake.fill = fill_fault;
	errno = 42;
	CHECK(machvm_fault_info((void *)0x1000, &why, &reason) == KERN_SUCCESS);
	CHECK(why == KERN_MEMORY_ERROR && reason == -17);
	CHECK(machvm_fault_info((void *)0x1000, &why, NULL) == KERN_SUCCESS);
	fake.answers[0] = -EFAULT;
	fake.pending = 1;
	CHECK(machvm_fault_info((void *)0x1000, &why, &reason) == KERN_INVALID_ADDRESS);
	CHECK(errno == 42);
}

#define TEST(name) { #name, name }
const struct test device_tests[] = {
	TEST(errno_table_gives_mach_codes),
	TEST(absent_device_is_said_to_be_absent),
	TEST(foreign_device_is_not_used),
	TEST(forbidden_device_is_said_to_be_forbidden),
	TEST(other_abi_is_refused),
	TEST(descriptor_is_high_and_closed_on_exec),
	TEST(threads_that_come_at_once_share_one_descriptor),
	TEST(low_limit_of_descriptors_is_respected),
	TEST(closed_descriptor_is_opened_again),
	TEST(number_taken_by_a_program_is_left_alone),
	TEST(child_uses_what_it_inherits),
	TEST(interrupted_call_is_repeated),
	TEST(older_module_is_told),
	TEST(allocate_passes_everything_on),
	TEST(protect_passes_everything_on),
	TEST(map_passes_everything_on),
	TEST(map_without_an_object_looks_at_no_offset),
	TEST(ports_of_the_wrong_kind_are_refused),
	TEST(region_hands_everything_out),
	TEST(statistics_fit_into_integers),
	TEST(fault_info_leaves_errno_alone),
	{ 0 }
};
