// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux_io.c - Linux's system calls on memory of the arena: files, pipes, other processes, futexes.
 */
#include "harness.h"
#include "util.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DISK "/dev/ram0"

static int file_temporary(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

TEST(linux_write_and_read)
{
	vm_address_t from = util_make(16), to = util_make(16);
	int fd = file_temporary();

	ASSERT_GE(fd, 0);
	util_fill(from, 16, 1);
	EXPECT_EQ(PAGES(16), write(fd, (void *)from, PAGES(16)));
	/* Into memory that was never touched, and out of such. */
	EXPECT_EQ(PAGES(16), pread(fd, (void *)to, PAGES(16), 0));
	EXPECT_EQ(0, util_wrong(to, 16, 1));
	EXPECT_EQ(PAGES(4), pwrite(fd, (void *)util_make(4), PAGES(4), PAGES(16)));
	EXPECT_EQ(PAGES(4), pread(fd, (void *)to, PAGES(4), PAGES(16)));
	EXPECT_EQ(0, util_not_zero(to, 4));
	/* Over existing pages, at odd places. */
	EXPECT_EQ(5000, pread(fd, (void *)(to + 100), 5000, 0));
	EXPECT_EQ(util_mark(0, 1), util_read(to + 100).byte);
	EXPECT_EQ(0, util_read(to + 99).byte);
	EXPECT_EQ(util_mark(1, 1), util_read(to + 5099).byte);
	EXPECT_EQ(0, util_read(to + 5100).byte);
}

TEST(linux_read_stops_where_memory_ends)
{
	vm_address_t base = util_make(4);
	int fd = file_temporary();

	util_fill(base, 4, 1);
	ASSERT_EQ(PAGES(4), write(fd, (void *)base, PAGES(4)));
	vm_deallocate(SELF, base + PAGES(2), PAGE);
	vm_protect(SELF, base + PAGES(3), PAGE, FALSE, VM_PROT_READ);
	EXPECT_EQ(PAGES(2), pread(fd, (void *)base, PAGES(4), 0));
	EXPECT_EQ(-1, pread(fd, (void *)(base + PAGES(3)), PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(PAGES(2), pwrite(fd, (void *)base, PAGES(4), PAGES(4)));
	EXPECT_EQ(0, util_wrong(base, 2, 1));
}

TEST(linux_read_after_fork_is_private)
{
	vm_address_t base = util_make(4);
	int fd = file_temporary();
	struct util_gate gate;
	pid_t pid;

	util_fill(base, 4, 2);
	ASSERT_EQ(PAGES(4), write(fd, (void *)base, PAGES(4)));
	util_fill(base, 4, 1);
	ASSERT_EQ(0, util_gate_init(&gate));
	pid = fork();
	if (pid == 0) {
		util_gate_close_writer(&gate);
		EXPECT_EQ(0, util_gate_pass(&gate));
		EXPECT_EQ(0, util_wrong(base, 4, 1));
		CHILD_END();
	}
	EXPECT_EQ(PAGES(4), pread(fd, (void *)base, PAGES(4), 0));
	EXPECT_EQ(0, util_wrong(base, 4, 2));
	util_gate_open(&gate);
	EXPECT_EQ(0, util_wait(pid));
}

/* The block device of the guest, without a page cache in between. */
static int disk_open(void)
{
	return open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
}

TEST(linux_direct_io)
{
	vm_address_t from = util_make(32), to = util_make(32);
	int fd = disk_open();

	ASSERT_GE(fd, 0);
	util_fill(from, 32, 1);
	ASSERT_EQ(PAGES(32), pwrite(fd, (void *)from, PAGES(32), 0));
	/* Into memory that was never touched, then over what is there. */
	ASSERT_EQ(PAGES(32), pread(fd, (void *)to, PAGES(32), 0));
	EXPECT_EQ(0, util_wrong(to, 32, 1));
	util_fill(to, 32, 2);
	ASSERT_EQ(PAGES(32), pread(fd, (void *)to, PAGES(32), 0));
	EXPECT_EQ(0, util_wrong(to, 32, 1));
	/* Out of memory that was never touched. */
	ASSERT_EQ(PAGES(4), pwrite(fd, (void *)util_make(4), PAGES(4), PAGES(8)));
	ASSERT_EQ(PAGES(4), pread(fd, (void *)to, PAGES(4), PAGES(8)));
	EXPECT_EQ(0, util_not_zero(to, 4));
}

TEST(linux_direct_io_respects_protection)
{
	vm_address_t base = util_make(3);
	int fd = disk_open();

	ASSERT_GE(fd, 0);
	util_fill(base, 3, 1);
	vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ);
	vm_protect(SELF, base + PAGE, PAGE, FALSE, VM_PROT_NONE);
	EXPECT_EQ(-1, pread(fd, (void *)base, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(PAGE, pwrite(fd, (void *)base, PAGE, 0));
	EXPECT_EQ(-1, pwrite(fd, (void *)(base + PAGE), PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	vm_deallocate(SELF, base + PAGES(2), PAGE);
	EXPECT_EQ(-1, pwrite(fd, (void *)(base + PAGES(2)), PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, util_wrong(base, 1, 1));
}

/* What the device writes lands in the copy of who asked for it. */
TEST(linux_direct_io_into_a_copy)
{
	vm_address_t base = util_make(8);
	int fd = disk_open();
	pid_t pid;

	ASSERT_GE(fd, 0);
	util_fill(base, 8, 2);
	ASSERT_EQ(PAGES(8), pwrite(fd, (void *)base, PAGES(8), 0));
	util_fill(base, 8, 1);
	pid = fork();
	if (pid == 0) {
		ASSERT_EQ(PAGES(8), pread(fd, (void *)base, PAGES(8), 0));
		EXPECT_EQ(0, util_wrong(base, 8, 2));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 8, 1));
	pid = fork();
	if (pid == 0) {
		util_wait_asleep(getppid(), getppid());
		EXPECT_EQ(0, util_wrong(base, 8, 1));
		CHILD_END();
	}
	ASSERT_EQ(PAGES(4), pread(fd, (void *)base, PAGES(4), 0));
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 2));
}

/* Out of an object, through its pager. */
TEST(linux_direct_io_of_an_object)
{
	struct util_pager *pager = util_pager_start(16);
	vm_address_t base = util_map(util_pager_object(pager), 0, 16, false);
	vm_address_t to = util_make(16);
	int fd = disk_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(PAGES(16), pwrite(fd, (void *)base, PAGES(16), 0));
	ASSERT_EQ(PAGES(16), pread(fd, (void *)to, PAGES(16), 0));
	EXPECT_EQ(0, util_wrong(to, 16, 0));
	util_fill(to, 16, 3);
	ASSERT_EQ(PAGES(16), pwrite(fd, (void *)to, PAGES(16), 0));
	ASSERT_EQ(PAGES(16), pread(fd, (void *)base, PAGES(16), 0));
	EXPECT_EQ(0, util_wrong(base, 16, 3));
	util_pager_stop(pager);
}

/* A thread takes the memory away while another has the disk write into it. */
struct direct {
	int fd;
	vm_address_t base;
	volatile bool stop;
};

static void *direct_thread(void *argument)
{
	struct direct *direct = argument;

	while (!direct->stop)
		(void)!pread(direct->fd, (void *)direct->base, PAGES(16), 0);
	return NULL;
}

TEST(linux_direct_io_while_memory_goes)
{
	struct direct direct = { .fd = disk_open(), .base = util_make(16) };
	vm_address_t from = util_make(16);
	pthread_t thread;

	ASSERT_GE(direct.fd, 0);
	util_fill(from, 16, 5);
	ASSERT_EQ(PAGES(16), pwrite(direct.fd, (void *)from, PAGES(16), 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, direct_thread, &direct));
	for (int i = 0; i < 200; i++) {
		vm_address_t at = direct.base + PAGES(i % 8);

		ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, at, PAGES(8)));
		ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &at, PAGES(8), FALSE));
	}
	direct.stop = true;
	pthread_join(thread, NULL);
	ASSERT_EQ(PAGES(16), pread(direct.fd, (void *)direct.base, PAGES(16), 0));
	EXPECT_EQ(0, util_wrong(direct.base, 16, 5));
}

TEST(linux_process_vm_readv)
{
	vm_address_t *base = util_shared(PAGE);
	struct util_gate ready, done;
	unsigned char buffer[8 * 4096];
	struct iovec local = { buffer, sizeof(buffer) }, remote = { NULL, sizeof(buffer) };
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&ready) || util_gate_init(&done));
	pid = fork();
	if (pid == 0) {
		*base = util_make(8);
		util_fill(*base, 4, 1);		/* the rest is not resident */
		util_gate_open(&ready);
		util_gate_close_writer(&done);
		EXPECT_EQ(0, util_gate_pass(&done));
		EXPECT_EQ(0, util_wrong(*base, 4, 1));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	remote.iov_base = (void *)*base;
	ASSERT_EQ(sizeof(buffer), process_vm_readv(pid, &local, 1, &remote, 1, 0));
	EXPECT_EQ(0, util_wrong((vm_address_t)buffer, 4, 1));
	EXPECT_EQ(0, util_not_zero((vm_address_t)buffer + PAGES(4), 4));
	remote.iov_base = (void *)(*base + PAGES(8));
	EXPECT_EQ(-1, process_vm_readv(pid, &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	util_gate_open(&done);
	EXPECT_EQ(0, util_wait(pid));
}

TEST(linux_process_vm_writev)
{
	vm_address_t *base = util_shared(PAGE);
	struct util_gate ready, done;
	unsigned char buffer[8 * 4096];
	struct iovec local = { buffer, sizeof(buffer) }, remote = { NULL, sizeof(buffer) };
	pid_t pid;

	util_fill((vm_address_t)buffer, 8, 2);
	ASSERT_EQ(0, util_gate_init(&ready) || util_gate_init(&done));
	pid = fork();
	if (pid == 0) {
		*base = util_make(9);
		util_fill(*base, 4, 1);
		vm_protect(SELF, *base + PAGES(8), PAGE, FALSE, VM_PROT_READ);
		util_gate_open(&ready);
		util_gate_close_writer(&done);
		EXPECT_EQ(0, util_gate_pass(&done));
		EXPECT_EQ(0, util_wrong(*base, 8, 2));
		EXPECT_EQ(0, util_not_zero(*base + PAGES(8), 1));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	remote.iov_base = (void *)*base;
	EXPECT_EQ(sizeof(buffer), process_vm_writev(pid, &local, 1, &remote, 1, 0));
	remote = (struct iovec){ (void *)(*base + PAGES(8)), PAGE };
	EXPECT_EQ(-1, process_vm_writev(pid, &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	util_gate_open(&done);
	EXPECT_EQ(0, util_wait(pid));
}

/* The memory that is read is one of whose pages a pager must be asked. */
TEST(linux_process_vm_readv_through_a_pager)
{
	struct util_pager *pager = util_pager_start(8);
	memory_object_t object = util_pager_object(pager);
	vm_address_t *base = util_shared(PAGE);
	struct util_gate ready, done;
	unsigned char buffer[8 * 4096];
	struct iovec local = { buffer, sizeof(buffer) }, remote = { NULL, sizeof(buffer) };
	pid_t pid;

	ASSERT_EQ(0, util_gate_init(&ready) || util_gate_init(&done));
	pid = fork();
	if (pid == 0) {
		*base = util_map(object, 0, 8, false);
		util_gate_open(&ready);
		util_gate_close_writer(&done);
		EXPECT_EQ(0, util_gate_pass(&done));
		CHILD_END();
	}
	ASSERT_EQ(0, util_gate_pass(&ready));
	remote.iov_base = (void *)*base;
	ASSERT_EQ(sizeof(buffer), process_vm_readv(pid, &local, 1, &remote, 1, 0));
	EXPECT_EQ(0, util_wrong((vm_address_t)buffer, 8, 0));
	util_gate_open(&done);
	EXPECT_EQ(0, util_wait(pid));
	util_pager_stop(pager);
}

TEST(linux_ptrace_peek_and_poke)
{
	vm_address_t base = util_make(4);
	int status;
	pid_t pid;

	util_fill(base, 4, 1);
	pid = fork();
	if (pid == 0) {
		vm_protect(SELF, base + PAGE, PAGE, FALSE, VM_PROT_READ);
		vm_protect(SELF, base + PAGES(2), PAGE, FALSE, VM_PROT_NONE);
		vm_deallocate(SELF, base + PAGES(3), PAGE);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		EXPECT_EQ(0x5555, *(long *)base);
		EXPECT_EQ(util_mark(0, 1), util_read(base + 8).byte);
		EXPECT_EQ(0, util_wrong(base + PAGE, 0, 1));
		EXPECT_EQ(util_mark(1, 1), util_read(base + PAGE).byte);
		CHILD_END();
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	errno = 0;
	EXPECT_EQ(*(long *)base, ptrace(PTRACE_PEEKDATA, pid, base, NULL));
	EXPECT_EQ(*(long *)(base + PAGE), ptrace(PTRACE_PEEKDATA, pid, base + PAGE, NULL));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, base, 0x5555));
	EXPECT_EQ(0x5555, ptrace(PTRACE_PEEKDATA, pid, base, NULL));
	/* What Mach protects a debugger may not overwrite: vm_protect is its way. */
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, base + PAGE, 1));
	EXPECT_EQ(-1, ptrace(PTRACE_PEEKDATA, pid, base + PAGES(3), NULL));
	EXPECT_EQ(EIO, errno);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(0, util_wrong(base, 4, 1));
}

TEST(linux_proc_mem)
{
	vm_address_t base = util_make(4);
	unsigned char buffer[4096];
	int fd = open("/proc/self/mem", O_RDWR);

	ASSERT_GE(fd, 0);
	util_fill(base, 2, 1);
	EXPECT_EQ(PAGE, pread(fd, buffer, PAGE, base + PAGE));
	EXPECT_EQ(util_mark(1, 1), buffer[100]);
	EXPECT_EQ(PAGE, pread(fd, buffer, PAGE, base + PAGES(2)));
	EXPECT_EQ(0, util_not_zero((vm_address_t)buffer, 1));
	memset(buffer, util_mark(3, 7), PAGE);
	EXPECT_EQ(PAGE, pwrite(fd, buffer, PAGE, base + PAGES(3)));
	EXPECT_EQ(util_mark(3, 7), util_read(base + PAGES(3) + 99).byte);
	vm_protect(SELF, base, PAGE, FALSE, VM_PROT_READ);
	EXPECT_EQ(-1, pwrite(fd, buffer, PAGE, base));
	EXPECT_EQ(0, util_wrong(base, 1, 1));
}

TEST(linux_vmsplice)
{
	vm_address_t base = util_make(8), to = util_make(8);
	struct iovec part = { (void *)base, PAGES(8) };
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	util_fill(base, 8, 1);
	ASSERT_EQ(PAGES(8), vmsplice(fd[1], &part, 1, 0));
	ASSERT_EQ(PAGES(8), read(fd[0], (void *)to, PAGES(8)));
	EXPECT_EQ(0, util_wrong(to, 8, 1));
	/* The other way, into memory of the arena. */
	util_fill(base, 8, 2);
	ASSERT_EQ(PAGES(8), write(fd[1], (void *)base, PAGES(8)));
	part.iov_base = (void *)to;
	ASSERT_EQ(PAGES(8), vmsplice(fd[0], &part, 1, 0));
	EXPECT_EQ(0, util_wrong(to, 8, 2));
}

/* What is in the pipe outlives the memory that it came from. */
TEST(linux_vmsplice_outlives_the_memory)
{
	vm_address_t base = util_make(8), again = base;
	unsigned char buffer[8 * 4096];
	struct iovec part = { (void *)base, PAGES(8) };
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	util_fill(base, 8, 1);
	ASSERT_EQ(PAGES(8), vmsplice(fd[1], &part, 1, 0));
	ASSERT_EQ(KERN_SUCCESS, vm_deallocate(SELF, base, PAGES(8)));
	ASSERT_EQ(KERN_SUCCESS, vm_allocate(SELF, &again, PAGES(8), FALSE));
	util_fill(base, 8, 3);
	ASSERT_EQ(PAGES(8), read(fd[0], buffer, PAGES(8)));
	EXPECT_EQ(0, util_wrong((vm_address_t)buffer, 8, 1));
	EXPECT_EQ(0, util_wrong(base, 8, 3));
}

TEST(linux_sockets)
{
	vm_address_t from = util_make(4), to = util_make(4);
	int fd[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	util_fill(from, 4, 1);
	ASSERT_EQ(PAGES(4), send(fd[0], (void *)from, PAGES(4), 0));
	ASSERT_EQ(PAGES(4), recv(fd[1], (void *)to, PAGES(4), MSG_WAITALL));
	EXPECT_EQ(0, util_wrong(to, 4, 1));
}

static long futex(void *address, int operation, unsigned int value)
{
	return syscall(SYS_futex, address, operation, value, NULL, NULL, 0);
}

/* Wakes until somebody was there to be woken. */
static void futex_wake_one(void *address, int flags)
{
	while (futex(address, FUTEX_WAKE | flags, 1) == 0)
		sched_yield();
}

struct waiter {
	unsigned int *word;
	int flags;
	volatile pid_t tid;
	long result;
};

static void *futex_thread(void *argument)
{
	struct waiter *waiter = argument;

	waiter->tid = gettid();
	waiter->result = futex(waiter->word, FUTEX_WAIT | waiter->flags, *waiter->word);
	return NULL;
}

static pthread_t waiter_start(struct waiter *waiter)
{
	pthread_t thread;

	pthread_create(&thread, NULL, futex_thread, waiter);
	while (!waiter->tid)
		sched_yield();
	util_wait_asleep(getpid(), waiter->tid);
	return thread;
}

TEST(linux_private_futex)
{
	struct waiter waiter = { .word = (void *)util_make(1), .flags = FUTEX_PRIVATE_FLAG };
	pthread_t thread;

	/* A word that was never touched, then one that was. */
	for (int i = 0; i < 2; i++) {
		waiter.tid = 0;
		thread = waiter_start(&waiter);
		futex_wake_one(waiter.word, FUTEX_PRIVATE_FLAG);
		pthread_join(thread, NULL);
		EXPECT_EQ(0, waiter.result);
		*waiter.word = 5;
	}
	EXPECT_EQ(-1, futex(waiter.word, FUTEX_WAIT_PRIVATE, 6));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, futex(waiter.word + 1, FUTEX_WAKE_PRIVATE, 1));
}

TEST(linux_shared_futex_in_one_task)
{
	struct waiter waiter = { .word = (void *)util_make(1) };
	pthread_t thread;

	*waiter.word = 1;
	thread = waiter_start(&waiter);
	EXPECT_EQ(0, futex(waiter.word + 1, FUTEX_WAKE, 1));
	futex_wake_one(waiter.word, 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, waiter.result);
}

/* Two tasks, two addresses, one memory object. */
TEST(linux_shared_futex_of_an_object)
{
	struct util_pager *pager = util_pager_start(8);
	memory_object_t object = util_pager_object(pager);
	vm_address_t base = util_map(object, 0, 8, false);
	pid_t pid = fork();

	if (pid == 0) {
		vm_address_t mine = util_map(object, PAGES(2), 4, false);
		unsigned int *word = (unsigned int *)(mine + 64);

		EXPECT_EQ(0, futex(word, FUTEX_WAIT, *word));
		CHILD_END();
	}
	/* The page was not resident in our mapping, and other words are other futexes. */
	EXPECT_EQ(0, futex((void *)(base + PAGES(2) + 68), FUTEX_WAKE, 1));
	EXPECT_EQ(0, futex((void *)(base + PAGES(3) + 64), FUTEX_WAKE, 1));
	futex_wake_one((void *)(base + PAGES(2) + 64), 0);
	EXPECT_EQ(0, util_wait(pid));
	util_pager_stop(pager);
}

/* A process-shared mutex and condition between two tasks. */
struct turn {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int turn;
};

static void take_turns(struct turn *turn, unsigned int mine, unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds; i++) {
		pthread_mutex_lock(&turn->lock);
		while (turn->turn % 2 != mine)
			pthread_cond_wait(&turn->changed, &turn->lock);
		turn->turn++;
		pthread_cond_broadcast(&turn->changed);
		pthread_mutex_unlock(&turn->lock);
	}
}

TEST(linux_shared_mutex_of_an_object)
{
	struct util_pager *pager = util_pager_start(2);
	memory_object_t object = util_pager_object(pager);
	struct turn *turn = (struct turn *)util_map(object, 0, 1, false);
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	pid_t pid;

	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&turn->lock, &mutex);
	pthread_cond_init(&turn->changed, &cond);
	turn->turn = 0;
	pid = fork();
	if (pid == 0) {
		take_turns((struct turn *)util_map(object, 0, 1, false), 1, 200);
		CHILD_END();
	}
	take_turns(turn, 0, 200);
	EXPECT_EQ(0, util_wait(pid));
	EXPECT_EQ(400, turn->turn);
	util_pager_stop(pager);
}

/*
 * Who waits on memory that fork then makes copy-on-write is woken through it all the same: by the
 * parent after its page became a new one, and never by the child, whose memory is another.
 */
TEST(linux_shared_futex_across_fork)
{
	struct waiter waiter = { .word = (void *)util_make(1) };
	pthread_t thread;
	pid_t pid;

	*waiter.word = 1;
	thread = waiter_start(&waiter);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, futex(waiter.word, FUTEX_WAKE, 1));
		*waiter.word = 3;
		EXPECT_EQ(0, futex(waiter.word, FUTEX_WAKE, 1));
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
	*waiter.word = 2;
	ASSERT_EQ(1, futex(waiter.word, FUTEX_WAKE, 1));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, waiter.result);
}

/* The same with the child alive, and the parent's page read and written in turn. */
TEST(linux_shared_futex_across_forks)
{
	struct waiter waiter = { .word = (void *)util_make(1) };
	struct util_gate gate;
	pid_t pid[4];

	ASSERT_EQ(0, util_gate_init(&gate));
	*waiter.word = 1;
	for (int i = 0; i < 4; i++) {
		pthread_t thread;

		waiter.tid = 0;
		thread = waiter_start(&waiter);
		pid[i] = fork();
		if (pid[i] == 0) {
			*waiter.word = 7;
			EXPECT_EQ(0, futex(waiter.word, FUTEX_WAKE, 1));
			util_gate_close_writer(&gate);
			EXPECT_EQ(0, util_gate_pass(&gate));
			CHILD_END();
		}
		if (i % 2)
			*waiter.word = i;
		ASSERT_EQ(1, futex(waiter.word, FUTEX_WAKE, 1));
		pthread_join(thread, NULL);
		EXPECT_EQ(0, waiter.result);
	}
	for (int i = 0; i < 4; i++)
		util_gate_open(&gate);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, util_wait(pid[i]));
}

/* A child's own threads use futexes in its copy. */
TEST(linux_shared_futex_in_the_child)
{
	unsigned int *word = (unsigned int *)util_make(1);
	pid_t pid;

	*word = 1;
	pid = fork();
	if (pid == 0) {
		struct waiter waiter = { .word = word };
		pthread_t thread;

		for (int i = 0; i < 2; i++) {
			waiter.tid = 0;
			thread = waiter_start(&waiter);
			if (i)
				*word = 2;
			ASSERT_EQ(1, futex(word, FUTEX_WAKE, 1));
			pthread_join(thread, NULL);
		}
		CHILD_END();
	}
	EXPECT_EQ(0, util_wait(pid));
}

HARNESS_MAIN
