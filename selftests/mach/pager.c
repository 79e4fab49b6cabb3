// SPDX-License-Identifier: GPL-2.0-only
/*
 * pager.c - the library's pager against the module: what is served arrives, what is written comes
 * back, and nobody waits for a pager that is gone.
 *
 * Each test is a process of its own, so that one that crashes or hangs takes no other along.
 */
#include <machvm.h>

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 512
#define THREADS 8
#define SECONDS 60

static int failures;

#define CHECK(condition)							\
	do {									\
		if (!(condition)) {						\
			printf("# line %d: %s\n", __LINE__, #condition);	\
			fflush(stdout);						\
			failures++;						\
		}								\
	} while (0)

/* A pager that remembers what it was asked and what it was given. */
static struct {
	struct machvm_pager *pager;
	memory_object_t object;
	memory_object_control_t control;
	pthread_t threads[THREADS];
	int serving;
	unsigned char contents[PAGES][PAGE];
	atomic_int asked[PAGES], returned[PAGES];
	atomic_int inits, terminates, completed, inside;
	kern_return_t last_result;
	vm_offset_t last_error_offset;
} store;

static void wait_until(atomic_int *counter, int value)
{
	for (int i = 0; atomic_load(counter) < value; i++) {
		if (i > 10000) {
			printf("# after 10 s it is %d, not %d; %d inits, %d terminates\n",
			       atomic_load(counter), value, atomic_load(&store.inits),
			       atomic_load(&store.terminates));
			failures++;
			return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static void store_init(void *cookie, memory_object_control_t control, memory_object_name_t name,
		       vm_size_t page_size)
{
	CHECK(cookie == &store && name != MACH_PORT_NULL && page_size == PAGE);
	CHECK(atomic_fetch_add(&store.inside, 1) == 0);
	store.control = control;
	CHECK(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY) == KERN_SUCCESS);
	atomic_fetch_sub(&store.inside, 1);
	atomic_fetch_add(&store.inits, 1);
}

static void store_request(void *cookie, memory_object_control_t control, vm_offset_t offset,
			  vm_size_t length, vm_prot_t desired)
{
	CHECK(cookie == &store && control == store.control);
	CHECK(length == PAGE && offset % PAGE == 0 && (desired & VM_PROT_READ));
	atomic_fetch_add(&store.inside, 1);
	atomic_fetch_add(&store.asked[offset / PAGE], 1);
	CHECK(memory_object_data_supply(control, offset,
					(vm_offset_t)store.contents[offset / PAGE], length,
					VM_PROT_NONE, FALSE, MACH_PORT_NULL) == KERN_SUCCESS);
	atomic_fetch_sub(&store.inside, 1);
}

static void store_return(void *cookie, memory_object_control_t control, vm_offset_t offset,
			 const void *data, vm_size_t length, boolean_t dirty, boolean_t kernel_copy)
{
	CHECK(cookie == &store && control == store.control);
	CHECK(dirty && !kernel_copy && length % PAGE == 0);
	memcpy(store.contents[offset / PAGE], data, length);
	for (vm_offset_t at = offset; at < offset + length; at += PAGE)
		atomic_fetch_add(&store.returned[at / PAGE], 1);
}

static void store_supplied(void *cookie, memory_object_control_t control, vm_offset_t offset,
			   vm_size_t length, kern_return_t result, vm_offset_t error_offset)
{
	CHECK(cookie == &store && control == store.control && offset == 0 && length == 4 * PAGE);
	store.last_result = result;
	store.last_error_offset = error_offset;
	atomic_fetch_add(&store.completed, 1);
}

static void store_terminate(void *cookie, memory_object_control_t control)
{
	CHECK(cookie == &store && control == store.control);
	CHECK(atomic_load(&store.inside) == 0);
	atomic_fetch_add(&store.terminates, 1);
}

static const struct machvm_pager_ops store_ops = {
	.init = store_init,
	.data_request = store_request,
	.data_return = store_return,
	.supply_completed = store_supplied,
	.terminate = store_terminate,
};

static void *run(void *pager)
{
	int ret = machvm_pager_run(pager);

	CHECK(ret == 0);
	return NULL;
}

static void store_begin(const struct machvm_pager_ops *ops, int threads)
{
	for (int i = 0; i < PAGES; i++)
		memset(store.contents[i], i % 251 + 1, PAGE);
	CHECK(machvm_pager_create(ops, &store.pager) == KERN_SUCCESS);
	CHECK(machvm_pager_object(store.pager, &store, &store.object) == KERN_SUCCESS);
	for (store.serving = 0; store.serving < threads; store.serving++)
		CHECK(!pthread_create(&store.threads[store.serving], NULL, run, store.pager));
}

static void store_end(void)
{
	machvm_pager_stop(store.pager);
	for (int i = 0; i < store.serving; i++)
		CHECK(!pthread_join(store.threads[i], NULL));
	machvm_pager_destroy(store.pager);
}

static unsigned char *map(memory_object_t object, boolean_t copy, int pages)
{
	vm_address_t at = 0;

	CHECK(vm_map(mach_task_self(), &at, (vm_size_t)pages * PAGE, 0, TRUE, object, 0, copy,
		     VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY) == KERN_SUCCESS);
	return (unsigned char *)at;
}

static void unmap(unsigned char *at, int pages)
{
	CHECK(vm_deallocate(mach_task_self(), (vm_address_t)at, (vm_size_t)pages * PAGE) ==
	      KERN_SUCCESS);
}

/* SIGBUS lands here. */
static sigjmp_buf landing;
static volatile kern_return_t landed_why;
static volatile int landed_reason;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	kern_return_t why = -1;
	int reason = -1;

	(void)context;
	CHECK(machvm_fault_info(info->si_addr, &why, &reason) == KERN_SUCCESS);
	landed_why = why;
	landed_reason = reason;
	siglongjmp(landing, signal);
}

/* The signal that reading a byte brings, or 0. */
static int touch(const volatile unsigned char *at)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	int signal = sigsetjmp(landing, 1);

	if (!signal) {
		sigaction(SIGBUS, &action, NULL);
		sigaction(SIGSEGV, &action, NULL);
		(void)*at;
	}
	return signal;
}

static void *read_all(void *memory)
{
	const unsigned char *bytes = memory;

	for (int i = 0; i < PAGES; i++)
		for (int j = 0; j < PAGE; j += 1000)
			CHECK(bytes[i * PAGE + j] == i % 251 + 1);
	return NULL;
}

static void many_readers_and_servers_ask_for_each_page_once(void)
{
	pthread_t readers[THREADS];
	unsigned char *at;

	store_begin(&store_ops, THREADS);
	at = map(store.object, FALSE, PAGES);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&readers[i], NULL, read_all, at));
	for (int i = 0; i < THREADS; i++)
		pthread_join(readers[i], NULL);
	for (int i = 0; i < PAGES; i++)
		CHECK(atomic_load(&store.asked[i]) == 1);
	CHECK(store.inits == 1);
	store_end();
}

static void written_pages_come_back_and_are_served_again(void)
{
	unsigned char *at;

	store_begin(&store_ops, 3);
	at = map(store.object, FALSE, PAGES);
	for (int i = 0; i < PAGES; i += 2)
		memset(at + i * PAGE, 0xff, PAGE);
	CHECK(at[PAGE] == 2);
	unmap(at, PAGES);
	wait_until(&store.terminates, 1);
	for (int i = 0; i < PAGES; i++)
		CHECK(atomic_load(&store.returned[i]) == !(i % 2));

	at = map(store.object, FALSE, PAGES);
	for (int i = 0; i < 10; i++)
		CHECK(at[i * PAGE + 7] == (i % 2 ? i + 1 : 0xff));
	CHECK(store.inits == 2);
	unmap(at, PAGES);
	wait_until(&store.terminates, 2);
	store_end();
}

static void mapping_again_and_again_keeps_init_and_terminate_in_order(void)
{
	store_begin(&store_ops, THREADS);
	for (int round = 0; round < 50; round++) {
		unsigned char *at = map(store.object, FALSE, 4);

		CHECK(at[PAGE] == 2);
		at[2 * PAGE] = 3;
		unmap(at, 4);
	}
	wait_until(&store.terminates, 50);
	CHECK(store.inits == 50);
	store_end();
}

static void supply_tells_what_was_present(void)
{
	unsigned char *at;

	store_begin(&store_ops, 2);
	at = map(store.object, FALSE, PAGES);
	CHECK(at[2 * PAGE] == 3);
	CHECK(memory_object_data_supply(store.control, 0, (vm_offset_t)store.contents[8], 4 * PAGE,
					VM_PROT_NONE, FALSE, store.control) == KERN_MEMORY_PRESENT);
	wait_until(&store.completed, 1);
	CHECK(store.last_result == KERN_MEMORY_PRESENT && store.last_error_offset == 2 * PAGE);
	CHECK(at[0] == 9 && at[PAGE] == 10 && at[2 * PAGE] == 3 && at[3 * PAGE] == 12);
	CHECK(atomic_load(&store.asked[0]) == 0 && atomic_load(&store.asked[3]) == 0);
	CHECK(memory_object_data_supply(store.control, 1, (vm_offset_t)store.contents, PAGE, 0,
					FALSE, MACH_PORT_NULL) == KERN_INVALID_ARGUMENT);
	CHECK(memory_object_data_supply(store.control, 0, 8, 4 * PAGE, 0, FALSE,
					MACH_PORT_NULL) != KERN_SUCCESS);
	store_end();
}

static void refuse(void *cookie, memory_object_control_t control, vm_offset_t offset,
		   vm_size_t length, vm_prot_t desired)
{
	(void)cookie;
	(void)desired;
	if (offset == 0)
		CHECK(memory_object_data_unavailable(control, offset, length) == KERN_SUCCESS);
	else
		CHECK(memory_object_data_error(control, offset, length, -77) == KERN_SUCCESS);
}

static void unavailable_reads_zero_and_errors_are_told(void)
{
	const struct machvm_pager_ops ops = { .data_request = refuse };
	unsigned char *at;

	store_begin(&ops, 2);
	at = map(store.object, FALSE, 4);
	CHECK(touch(at) == 0 && at[0] == 0 && at[PAGE - 1] == 0);
	CHECK(touch(at + PAGE + 5) == SIGBUS);
	CHECK(landed_why == KERN_MEMORY_ERROR && landed_reason == -77);
	store_end();
}

static void without_callbacks_pages_are_errors(void)
{
	const struct machvm_pager_ops ops = { 0 };

	store_begin(&ops, 1);
	CHECK(touch(map(store.object, FALSE, 1)) == SIGBUS);
	CHECK(landed_why == KERN_MEMORY_ERROR && landed_reason == KERN_FAILURE);
	store_end();
}

static void *read_first(void *memory)
{
	return (void *)(uintptr_t)*(unsigned char *)memory;
}

static void loop_of_ones_own_serves(void)
{
	struct pollfd ready;
	pthread_t reader;
	void *got = NULL;
	int handled = 0;

	store_begin(&store_ops, 0);
	CHECK(machvm_pager_dispatch(store.pager) == 0);
	CHECK(!pthread_create(&reader, NULL, read_first, map(store.object, FALSE, 1)));
	ready = (struct pollfd){ .fd = machvm_pager_fd(store.pager), .events = POLLIN };
	while (handled < 2 && poll(&ready, 1, 10000) == 1) {
		int ret = machvm_pager_dispatch(store.pager);

		CHECK(ret >= 0);
		handled += ret;
	}
	pthread_join(reader, &got);
	CHECK(handled == 2 && got == (void *)1);
	CHECK(machvm_pager_dispatch(store.pager) == 0);
	store_end();
}

static void private_copy_does_not_see_later_writes(void)
{
	unsigned char *shared, *copy;

	store_begin(&store_ops, 2);
	shared = map(store.object, FALSE, 4);
	copy = map(store.object, TRUE, 4);
	shared[0] = 100;
	copy[PAGE] = 101;
	CHECK(copy[0] == 1 && shared[PAGE] == 2);
	store_end();
}

/* A pager in another process; its object comes over a socket. */
static pid_t pager_process(memory_object_t *object, const struct machvm_pager_ops *ops)
{
	int ends[2];
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[1]);
		store_begin(ops, 1);
		CHECK(machvm_object_send(ends[0], store.object) == KERN_SUCCESS);
		mach_port_deallocate(mach_task_self(), store.object);
		pthread_join(store.threads[0], NULL);
		_exit(0);
	}
	close(ends[0]);
	CHECK(machvm_object_recv(ends[1], object) == KERN_SUCCESS);
	close(ends[1]);
	return pid;
}

static void killed_pager_leaves_what_is_resident(void)
{
	memory_object_t object = MACH_PORT_NULL;
	pid_t pager = pager_process(&object, &store_ops);
	unsigned char *at = map(object, FALSE, PAGES);

	CHECK(touch(at) == 0 && at[0] == 1);
	kill(pager, SIGKILL);
	waitpid(pager, NULL, 0);
	CHECK(touch(at) == 0 && at[0] == 1);
	CHECK(touch(at + PAGE) == SIGBUS && landed_why == KERN_MEMORY_ERROR);
}

static int asked[2]; /* a pipe that says when never_answer() was asked */

static void never_answer(void *cookie, memory_object_control_t control, vm_offset_t offset,
			 vm_size_t length, vm_prot_t desired)
{
	(void)cookie, (void)control, (void)offset, (void)length, (void)desired;
	CHECK(write(asked[1], "", 1) == 1);
}

static void *touch_in_thread(void *at)
{
	return (void *)(intptr_t)touch(at);
}

static void pager_that_dies_wakes_who_waits(void)
{
	const struct machvm_pager_ops ops = { .data_request = never_answer };
	memory_object_t object = MACH_PORT_NULL;
	pthread_t waiter;
	void *signal = NULL;
	pid_t pager;
	char c;

	CHECK(!pipe(asked));
	pager = pager_process(&object, &ops);
	CHECK(!pthread_create(&waiter, NULL, touch_in_thread, map(object, FALSE, 1)));
	CHECK(read(asked[0], &c, 1) == 1);
	kill(pager, SIGKILL);
	CHECK(!pthread_join(waiter, &signal));
	CHECK((intptr_t)signal == SIGBUS && landed_why == KERN_MEMORY_ERROR);
	waitpid(pager, NULL, 0);
}

static void child_of_a_pager_does_not_keep_it_alive(void)
{
	memory_object_t object = MACH_PORT_NULL;
	unsigned char *at;
	int status;
	pid_t pid;

	store_begin(&store_ops, 2);
	object = store.object;
	at = map(object, FALSE, 4);
	CHECK(at[0] == 1);
	pid = fork();
	if (pid == 0) {
		/* Served by the parent; then the parent has given up. */
		failures = 0;
		CHECK(touch(at + PAGE) == 0 && at[PAGE] == 2);
		kill(getpid(), SIGSTOP);
		CHECK(touch(at) == 0 && at[0] == 1);
		CHECK(touch(at + 2 * PAGE) == SIGBUS);
		_exit(failures != 0);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	store_end();
	kill(pid, SIGCONT);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void object_given_up_has_no_pager_any_more(void)
{
	unsigned char *at;

	store_begin(&store_ops, 2);
	at = map(store.object, FALSE, 4);
	CHECK(touch(at) == 0);
	CHECK(mach_port_deallocate(mach_task_self(), store.control) == KERN_SUCCESS);
	CHECK(touch(at) == 0);
	CHECK(touch(at + PAGE) == SIGBUS && landed_why == KERN_MEMORY_ERROR);
	CHECK(memory_object_ready(store.control, FALSE, 2) == KERN_INVALID_ARGUMENT);
	store_end();
}

static void a_thousand_objects_share_a_pager(void)
{
	static memory_object_t objects[1000];
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	store_begin(&store_ops, 2);
	for (int i = 0; i < 1000; i++) {
		kern_return_t result = machvm_pager_object(store.pager, &store, &objects[i]);

		CHECK(result == KERN_SUCCESS);
		if (result != KERN_SUCCESS)
			return;
	}
	for (int i = 0; i < 1000; i += 100) {
		unsigned char *at = map(objects[i], FALSE, 2);

		CHECK(at[PAGE] == 2);
		unmap(at, 2);
		wait_until(&store.terminates, i / 100 + 1);
	}
	store_end();
}

static void closing_every_descriptor_harms_nobody(void)
{
	vm_address_t at = 0;

	CHECK(vm_allocate(mach_task_self(), &at, PAGE, TRUE) == KERN_SUCCESS);
	strcpy((char *)at, "kept");
	for (int fd = 3; fd < 4096; fd++)
		close(fd);
	CHECK(!strcmp((char *)at, "kept"));
	CHECK(vm_protect(mach_task_self(), at, PAGE, FALSE, VM_PROT_READ) == KERN_SUCCESS);
	CHECK(vm_deallocate(mach_task_self(), at, PAGE) == KERN_SUCCESS);
}

static void ports_are_never_standard_descriptors(void)
{
	fflush(stdout);
	close(0);
	store_begin(&store_ops, 1);
	CHECK(store.object > 2);
	CHECK(map(store.object, FALSE, 1)[0] == 1);
	CHECK(store.control > 2);
	store_end();
}

#define TEST(name) { "pager_" #name, name }
static const struct test {
	const char *name;
	void (*run)(void);
} tests[] = {
	TEST(many_readers_and_servers_ask_for_each_page_once),
	TEST(written_pages_come_back_and_are_served_again),
	TEST(mapping_again_and_again_keeps_init_and_terminate_in_order),
	TEST(supply_tells_what_was_present),
	TEST(unavailable_reads_zero_and_errors_are_told),
	TEST(without_callbacks_pages_are_errors),
	TEST(loop_of_ones_own_serves),
	TEST(private_copy_does_not_see_later_writes),
	TEST(killed_pager_leaves_what_is_resident),
	TEST(pager_that_dies_wakes_who_waits),
	TEST(child_of_a_pager_does_not_keep_it_alive),
	TEST(object_given_up_has_no_pager_any_more),
	TEST(a_thousand_objects_share_a_pager),
	TEST(closing_every_descriptor_harms_nobody),
	TEST(ports_are_never_standard_descriptors),
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static bool selected(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (fnmatch(argv[i], name, 0) == 0)
			return true;
	return argc == 1;
}

static bool passes(const struct test *test)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(SECONDS);
		test->run();
		fflush(stdout);
		_exit(failures != 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		printf("# signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
	return status == 0;
}

int main(int argc, char **argv)
{
	int planned = 0, number = 0, failed = 0;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (size_t i = 0; i < TESTS; i++)
			puts(tests[i].name);
		return 0;
	}
	for (size_t i = 0; i < TESTS; i++)
		planned += selected(tests[i].name, argc, argv);
	printf("1..%d\n", planned);
	for (size_t i = 0; i < TESTS; i++) {
		bool passed;

		if (!selected(tests[i].name, argc, argv))
			continue;
		passed = passes(&tests[i]);
		printf("%s %d %s\n", passed ? "ok" : "not ok", ++number, tests[i].name);
		failed += !passed;
	}
	return failed != 0;
}
