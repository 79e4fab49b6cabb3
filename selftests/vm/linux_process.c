// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_process.c - threads, fork, exec, other users, and descriptors that come and go.
 */
#include "harness.h"
#include "util.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK PAGES(16)

static void *stack_thread(void *argument)
{
	volatile char deep[PAGES(4)];

	memset((void *)deep, (long)argument, sizeof(deep));
	sched_yield();
	for (size_t i = 0; i < sizeof(deep); i++)
		if (deep[i] != (char)(long)argument)
			return (void *)1;
	return argument;
}

struct forker {
	volatile bool stop;
	unsigned int forks;
	int failed;
};

static void *forker_thread(void *argument)
{
	struct forker *forker = argument;

	while (!forker->stop || !forker->forks) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		forker->failed |= util_wait(pid);
		forker->forks++;
	}
	return NULL;
}

/*
 * The kernel tells pthread_join that a thread has ended through a word beside its stack, which
 * each fork makes copy-on-write.
 */
TEST(linux_pthread_join_with_stacks_while_forking)
{
	struct forker forker = { 0 };
	pthread_t thread[8], fork_thread;
	vm_address_t stack[8];
	pthread_attr_t attr;

	for (int i = 0; i < 8; i++) {
		stack[i] = util_make(16);
		ASSERT_NE(0, stack[i]);
	}
	ASSERT_EQ(0, pthread_create(&fork_thread, NULL, forker_thread, &forker));
	for (int round = 0; round < 60; round++) {
		for (long i = 0; i < 8; i++) {
			pthread_attr_init(&attr);
			ASSERT_EQ(0, pthread_attr_setstack(&attr, (void *)stack[i], STACK));
			ASSERT_EQ(0, pthread_create(&thread[i], &attr, stack_thread,
						    (void *)(i + 2)));
		}
		for (long i = 0; i < 8; i++) {
			void *result = NULL;

			ASSERT_EQ(0, pthread_join(thread[i], &result));
			EXPECT_EQ(i + 2, (long)result);
		}
	}
	forker.stop = true;
	pthread_join(fork_thread, NULL);
	EXPECT_EQ(0, forker.failed);
}

/* A thread whose own stack is in the arena forks. */
static void *forking_thread(void *argument)
{
	volatile long local = 41;
	pid_t pid = fork();

	if (pid == 0) {
		local++;
		_exit(local == 42 ? 0 : 1);
	}
	if (util_wait(pid) || local != 41)
		return (void *)1;
	return argument;
}

TEST(linux_fork_from_a_stack_of_the_arena)
{
	vm_address_t stack = util_make(16);
	pthread_attr_t attr;
	pthread_t thread;
	void *result;

	for (int i = 0; i < 20; i++) {
		pthread_attr_init(&attr);
		ASSERT_EQ(0, pthread_attr_setstack(&attr, (void *)stack, STACK));
		ASSERT_EQ(0, pthread_create(&thread, &attr, forking_thread, NULL));
		ASSERT_EQ(0, pthread_join(thread, &result));
		EXPECT_EQ(NULL, result);
	}
}

struct worker {
	unsigned int number;
	unsigned int rounds;
	unsigned int wrong;
};

static void *worker_thread(void *argument)
{
	struct worker *worker = argument;

	for (unsigned int i = 0; i < worker->rounds; i++) {
		unsigned int pages = 1 + (i + worker->number) % 7;
		vm_address_t base = util_make(pages);

		if (!base) {
			worker->wrong++;
			continue;
		}
		worker->wrong += util_not_zero(base, pages);
		util_fill(base, pages, worker->number);
		vm_protect(SELF, base, PAGES(pages), FALSE, VM_PROT_READ);
		worker->wrong += util_wrong(base, pages, worker->number);
		worker->wrong += vm_deallocate(SELF, base, PAGES(pages)) != KERN_SUCCESS;
	}
	return NULL;
}

TEST(linux_threads_allocate_side_by_side)
{
	struct worker worker[6];
	pthread_t thread[6];

	for (int i = 0; i < 6; i++) {
		worker[i] = (struct worker){ .number = i, .rounds = 100 };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, worker_thread, &worker[i]));
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, worker[i].wrong);
	}
	EXPECT_EQ(0, util_regions(0, -1UL));
}

/* The first call of all, by many threads at once. */
TEST(linux_threads_begin_together)
{
	for (int round = 0; round < 10; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct worker worker[4];
			pthread_t thread[4];

			for (int i = 0; i < 4; i++) {
				worker[i] = (struct worker){ .number = i, .rounds = 10 };
				pthread_create(&thread[i], NULL, worker_thread, &worker[i]);
			}
			for (int i = 0; i < 4; i++) {
				pthread_join(thread[i], NULL);
				EXPECT_EQ(0, worker[i].wrong);
			}
			CHILD_END();
		}
		EXPECT_EQ(0, util_wait(pid));
	}
}

TEST(linux_exec_leaves_all_behind)
{
	struct machvm_vm_statistics before = { .size = sizeof(before) }, after = before;
	char line[512];
	FILE *maps;
	int fd[2];
	pid_t pid;

	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &before));
	ASSERT_EQ(0, pipe(fd));
	pid = fork();
	if (pid == 0) {
		vm_address_t base = util_make(64);

		util_fill(base, 64, 1);
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		execl("/bin/busybox", "sh", "-c", "cat /proc/self/maps; ls -l /proc/$$/fd", NULL);
		_exit(99);
	}
	close(fd[1]);
	maps = fdopen(fd[0], "r");
	while (fgets(line, sizeof(line), maps))
		EXPECT_EQ(NULL, strstr(line, "machvm")) TH_LOG("%s", line);
	EXPECT_EQ(0, util_wait(pid));
	ASSERT_EQ(0, util_ioctl(util_device(), MACHVM_VM_STATISTICS, &after));
	EXPECT_EQ(before.out_active_count + before.out_inactive_count,
		  after.out_active_count + after.out_inactive_count);
	EXPECT_EQ(before.out_maps, after.out_maps);
}

/* exec by a thread that is not the first, with others in the arena. */
static void *exec_thread(void *argument)
{
	(void)argument;
	execl("/bin/busybox", "true", NULL);
	return NULL;
}

static void *spin_thread(void *argument)
{
	for (;;)
		(*(volatile unsigned long *)argument)++;
	return NULL;
}

TEST(linux_exec_by_a_thread)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t thread[2];
		vm_address_t base = util_make(2);

		pthread_create(&thread[0], NULL, spin_thread, (void *)base);
		while (!*(volatile unsigned long *)base)
			sched_yield();
		pthread_create(&thread[1], NULL, exec_thread, NULL);
		pthread_join(thread[0], NULL);
		_exit(99);
	}
	EXPECT_EQ(0, util_wait(pid));
}

/* A child of vfork is in its parent's memory, Mach's too. */
TEST(linux_vfork)
{
	volatile vm_address_t mine = 0;
	vm_address_t base = util_make(4);
	pid_t pid;

	util_fill(base, 4, 1);
	pid = vfork();
	if (pid == 0) {
		vm_address_t fresh = 0;

		*(volatile char *)(base + PAGE) = 77;
		if (vm_allocate(SELF, &fresh, PAGES(2), TRUE) == KERN_SUCCESS)
			*(volatile char *)fresh = 78;
		vm_deallocate(SELF, base + PAGES(3), PAGE);
		mine = fresh;
		_exit(0);
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(77, util_read(base + PAGE).byte);
	ASSERT_NE(0, mine);
	EXPECT_EQ(78, util_read(mine).byte);
	EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base + PAGES(3)));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
}

TEST(linux_vfork_and_exec)
{
	vm_address_t base = util_make(4);
	pid_t pid;

	util_fill(base, 4, 1);
	for (int i = 0; i < 5; i++) {
		pid = vfork();
		if (pid == 0) {
			execl("/bin/busybox", "true", NULL);
			_exit(99);
		}
		EXPECT_EQ(0, util_wait(pid));
		EXPECT_EQ(0, util_wrong(base, 4, 1));
	}
}

TEST(linux_setuid)
{
	vm_address_t base = util_make(4), other;

	util_fill(base, 4, 1);
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
	ASSERT_EQ(0, setgid(1000));
	ASSERT_EQ(0, setuid(1000));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
	other = util_make(4);
	ASSERT_NE(0, other);
	util_fill(other, 4, 2);
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(4), FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(4)));
	/* Also when it must be opened anew. */
	close_range(3, ~0U, 0);
	EXPECT_NE(0, util_make(1));
	EXPECT_EQ(0, util_wrong(other, 4, 2));
}

TEST(linux_device_closed_to_the_user)
{
	kern_return_t kr;
	vm_address_t base = 0;

	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0600));
	if (fork() == 0) {
		if (setuid(1000))
			_exit(98);
		kr = vm_allocate(SELF, &base, PAGE, TRUE);
		EXPECT_EQ(KERN_FAILURE, kr);
		EXPECT_NE(NULL, strstr(machvm_strerror(kr), MACHVM_DEVICE));
		CHILD_END();
	}
	int status;

	wait(&status);
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, chmod(MACHVM_DEVICE, 0666));
}

TEST(linux_every_descriptor_closed)
{
	vm_address_t base = util_make(16), other;

	util_fill(base, 8, 1);
	close_range(3, ~0U, 0);
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	/* The other half was never touched. */
	EXPECT_EQ(0, util_not_zero(base + PAGES(8), 8));
	util_fill(base, 16, 2);
	EXPECT_EQ(0, util_wrong(base, 16, 2));
	other = util_make(4);
	ASSERT_NE(0, other);
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(8)));
	EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base));
	EXPECT_EQ(util_mark(8, 2), util_read(base + PAGES(8)).byte);
}

/* The library's descriptor of the device. */
static int library_fd(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[64];
	int fd = -1;

	while ((entry = readdir(dir))) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (size > 0 && (target[size] = 0, !strcmp(target, MACHVM_DEVICE)))
			fd = atoi(entry->d_name);
	}
	closedir(dir);
	return fd;
}

/* A program closes all it finds, and its database gets the number. */
TEST(linux_somebody_elses_file_at_the_librarys_number)
{
	vm_address_t base = util_make(4);
	int fd = library_fd(), file;
	char content[32] = "";
	struct stat before, after;

	ASSERT_GE(fd, 0);
	file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_EQ(13, write(file, "my database.\n", 13));
	ASSERT_EQ(fd, dup2(file, fd));
	close(file);
	ASSERT_EQ(0, fstat(fd, &before));
	util_fill(base, 4, 1);
	ASSERT_NE(0, util_make(4));
	EXPECT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ));
	EXPECT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base + PAGES(2), PAGE));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_write(base, 1));
	/* It is still theirs, open, unchanged and where it was. */
	ASSERT_EQ(0, fstat(fd, &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_EQ(before.st_size, after.st_size);
	EXPECT_EQ(13, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(13, pread(fd, content, sizeof(content), 0));
	EXPECT_EQ(0, strcmp(content, "my database.\n"));
}

/* The parent's descriptor in a child acts on the child's memory. */
TEST(linux_an_inherited_descriptor_is_no_way_into_the_parent)
{
	vm_address_t base = util_make(4);
	int fd = library_fd();
	pid_t pid;

	util_fill(base, 4, 1);
	pid = fork();
	if (pid == 0) {
		struct machvm_vm_deallocate call = {
			.size = sizeof(call),
			.task = MACHVM_TASK_SELF,
			.address = base,
			.length = PAGES(4),
		};

		EXPECT_EQ(0, util_ioctl(fd, MACHVM_VM_DEALLOCATE, &call));
		EXPECT_EQ(KERN_INVALID_ADDRESS, util_why_read(base));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

/* A clone that shares memory but no descriptors. */
static int clone_child(void *argument)
{
	vm_address_t *fresh = argument;

	close_range(3, ~0U, 0);
	if (vm_allocate(SELF, fresh, PAGE, TRUE) != KERN_SUCCESS)
		return 1;
	*(volatile char *)*fresh = 5;
	return 0;
}

TEST(linux_clone_with_the_same_memory)
{
	vm_address_t fresh = 0, base = util_make(1);
	char *stack = malloc(65536);
	pid_t pid;

	util_fill(base, 1, 1);
	pid = clone(clone_child, stack + 65536, CLONE_VM | SIGCHLD, &fresh);
	EXPECT_EQ(0, util_wait(pid));
	ASSERT_NE(0, fresh);
	EXPECT_EQ(5, util_read(fresh).byte);
	EXPECT_EQ(0, util_wrong(base, 1, 1));
	EXPECT_NE(0, util_make(1));
}

/* A handler may make calls, too. */
static volatile vm_address_t handler_made;

static void making_handler(int signal)
{
	(void)signal;
	handler_made = util_make(1);
}

TEST(linux_calls_in_a_signal_handler)
{
	signal(SIGUSR1, making_handler);
	for (int i = 0; i < 10; i++) {
		handler_made = 0;
		raise(SIGUSR1);
		ASSERT_NE(0, handler_made);
		EXPECT_EQ(0, util_why_write(handler_made, 1));
	}
}

/* SIGSEGV's handler mends what failed, and the access is tried again. */
static void mending_handler(int signal, siginfo_t *info, void *context)
{
	vm_address_t page = (vm_address_t)info->si_addr & -PAGE;
	kern_return_t why;

	(void)signal;
	(void)context;
	if (machvm_fault_info(info->si_addr, &why, NULL) != KERN_SUCCESS)
		_exit(97);
	if (why == KERN_INVALID_ADDRESS)
		vm_allocate(SELF, &page, PAGE, FALSE);
	else if (why == KERN_PROTECTION_FAILURE)
		vm_protect(SELF, page, PAGE, FALSE, VM_PROT_DEFAULT);
	else
		_exit(96);
}

TEST(linux_a_handler_mends_the_fault)
{
	struct sigaction action = { .sa_sigaction = mending_handler, .sa_flags = SA_SIGINFO };
	vm_address_t base = util_make(8);

	sigaction(SIGSEGV, &action, NULL);
	vm_protect(SELF, base, PAGES(4), FALSE, VM_PROT_READ);
	vm_deallocate(SELF, base + PAGES(4), PAGES(4));
	for (int i = 0; i < 8; i++)
		*(volatile unsigned char *)(base + PAGES(i)) = util_mark(i, 1);
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(util_mark(i, 1), *(volatile unsigned char *)(base + PAGES(i)));
}

static void *fault_info_thread(void *argument)
{
	kern_return_t why = 0;

	/* Another thread's failure is not ours. */
	return (void *)(long)machvm_fault_info(argument, &why, NULL);
}

TEST(V46_fault_info_is_of_the_thread)
{
	vm_address_t base = util_make(1);
	kern_return_t why = 0;
	pthread_t thread;
	void *result;

	vm_protect(SELF, base, PAGE, FALSE, VM_PROT_NONE);
	EXPECT_EQ(KERN_PROTECTION_FAILURE, util_why_read(base));
	pthread_create(&thread, NULL, fault_info_thread, (void *)base);
	pthread_join(thread, &result);
	EXPECT_EQ(KERN_INVALID_ADDRESS, (long)result);
	EXPECT_EQ(KERN_SUCCESS, machvm_fault_info((void *)(base + 99), &why, NULL));
	EXPECT_EQ(KERN_PROTECTION_FAILURE, why);
}

/* As vfork(2), with this number if it is not 0; it must be inline, as both return. */
static inline __attribute__((always_inline)) pid_t vfork_as(pid_t number)
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD,
		.set_tid = number ? (uintptr_t)&number : 0, .set_tid_size = number != 0,
	};
	long pid;

	asm volatile("syscall" : "=a"(pid) : "0"(SYS_clone3), "D"(&args), "S"(sizeof(args))
		     : "rcx", "r11", "memory");
	return pid;
}

/* Knows why its own access fails, and nothing of others: its status says what was not so. */
static void __attribute__((noreturn)) fail_at(vm_address_t mine, vm_address_t others)
{
	kern_return_t why;
	int wrong = 0;

	if (others)
		wrong |= machvm_fault_info((void *)others, &why, NULL) != KERN_INVALID_ADDRESS;
	wrong |= (util_why_read(mine) != KERN_PROTECTION_FAILURE) << 1;
	if (others)
		wrong |= (machvm_fault_info((void *)others, &why, NULL) !=
			  KERN_INVALID_ADDRESS) << 2;
	_exit(wrong);
}

/* Both in the memory of this process, which they end before it goes on. */
TEST(V46_fault_info_is_not_of_who_had_the_number_before)
{
	vm_address_t base = util_make(2);
	pid_t first, second;

	ASSERT_EQ(KERN_SUCCESS, vm_protect(SELF, base, PAGES(2), FALSE, VM_PROT_NONE));
	first = vfork_as(0);
	if (first == 0)
		fail_at(base, 0);
	ASSERT_LT(0, first);
	EXPECT_EQ(0, util_wait(first));
	second = vfork_as(first);
	if (second == 0)
		fail_at(base + PAGE, base);
	ASSERT_EQ(first, second);
	EXPECT_EQ(0, util_wait(second));
}

TEST(V46_unhandled_failures_end_the_process)
{
	vm_address_t base = util_make(1);
	pid_t pid;

	vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		*(volatile char *)base = 1;
		_exit(0);
	}
	EXPECT_EQ(1000 + SIGSEGV, util_wait(pid));
}

HARNESS_MAIN
