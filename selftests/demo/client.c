// SPDX-License-Identifier: GPL-2.0-only
/*
 * client.c - processes that map an object of the pager.
 * Each connects to the pager itself, as a program that knows only the socket would.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <machvm/machvm.h>

#include "demo.h"

#define WRITE_EVERY 32 /* the copier writes to one page in so many */

static struct client *self;	/* in a client: itself */
static int say_fd, order_fd;	/* in a client: its ends of events and orders */

static __printf(1, 2) __attribute__((noreturn)) void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(self->why, sizeof(self->why), fmt, ap);
	va_end(ap);
	_exit(1);
}

static void say(char event)
{
	if (write(say_fd, &event, 1) != 1)
		_exit(1);
}

static void say_quarter(void)
{
	say(EVENT_QUARTER);
}

/* wait_for_order - there are two: to begin and to end */
static void wait_for_order(void)
{
	char c;

	if (read(order_fd, &c, 1) != 1)
		_exit(1);
}

static memory_object_t receive(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memory_object_t object;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof(a)))
		fail("connecting to %s: %s", path, strerror(errno));
	must_succeed(machvm_object_recv(s, &object), "machvm_object_recv");
	close(s);
	return object;
}

void *map_object(const char *socket, size_t size, boolean_t copy)
{
	memory_object_t object = receive(socket);
	vm_address_t address = 0;

	must_succeed(vm_map(mach_task_self(), &address, size, 0, TRUE, object, 0, copy,
			    copy ? VM_PROT_READ | VM_PROT_WRITE : VM_PROT_READ, VM_PROT_ALL,
			    VM_INHERIT_SHARE), "vm_map");
	/* The mapping holds the object: */
	must_succeed(mach_port_deallocate(mach_task_self(), object), "mach_port_deallocate");
	return (void *)address;
}

void sha256(const void *data, size_t size, char hex[HEX_SIZE], void (*quarter)(void))
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char digest[32];
	size_t i, done = 0;

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		fail("sha256 is not to be had");
	for (i = 1; i <= 4; i++) {
		size_t end = i < 4 ? size / 4 * i : size;

		EVP_DigestUpdate(ctx, (const char *)data + done, end - done);
		done = end;
		if (quarter)
			quarter();
	}
	EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	for (i = 0; i < sizeof(digest); i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

/* client_fork - 0 in the client, which ends with its parent */
static pid_t client_fork(struct client *c)
{
	int events[2], orders[2];
	pid_t pid;

	if (pipe2(events, O_CLOEXEC) || pipe2(orders, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid) { /* only here: the client would write 0 to the same memory */
		c->pid = pid;
		close(events[1]);
		close(orders[0]);
		c->events = events[0];
		c->orders = orders[1];
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(events[0]);
	close(orders[1]);
	self = c;
	say_fd = events[1];
	order_fd = orders[0];
	wait_for_order();
	return 0;
}

static void read_all(const struct file *f, pthread_barrier_t *barrier)
{
	const volatile char *data = map_object(SOCKET, f->size, FALSE);

	pthread_barrier_wait(barrier);
	if (data[f->pages / 2 * vm_page_size] != f->data[f->pages / 2 * vm_page_size])
		die("the first page that it touched is wrong");
	say(EVENT_TOUCHED);
	sha256((const char *)data, f->size, self->sha256, say_quarter);
	say(EVENT_DONE);
	wait_for_order();
	_exit(0);
}

void reader_fork(struct client *c, const struct file *f, void *barrier)
{
	if (!client_fork(c))
		read_all(f, barrier);
}

/* check_page - the copy has what was written to it and else what the object has */
static void check_page(const char *copy, const char *original, size_t page, const char *mark)
{
	size_t at = page * vm_page_size, skip = 0;

	if (page % WRITE_EVERY == 0) {
		skip = strlen(mark);
		if (memcmp(copy + at, mark, skip))
			die("page %zu of the copy lost what was written to it", page);
	}
	if (memcmp(copy + at + skip, original + at + skip, vm_page_size - skip))
		die("page %zu of the copy is not that of the object", page);
}

static void write_copy(const struct file *f)
{
	static const char mark[] = "written by the third process, into its copy alone";
	const char *original = map_object(SOCKET, f->size, FALSE);
	char *copy = map_object(SOCKET, f->size, TRUE);
	size_t page;

	for (page = 0; page < f->pages; page += WRITE_EVERY) {
		memcpy(copy + page * vm_page_size, mark, strlen(mark));
		self->written++;
	}
	for (page = 0; page < f->pages; page++)
		check_page(copy, original, page, mark);
	sha256(original, f->size, self->sha256, NULL);
	say(EVENT_DONE);
	wait_for_order();
	_exit(0);
}

void copier_fork(struct client *c, const struct file *f)
{
	if (!client_fork(c))
		write_copy(f);
}

void client_go_on(struct client *c)
{
	if (write(c->orders, "", 1) != 1)
		fail("process %d: %s", c->pid, strerror(errno));
}

char client_event(struct client *c)
{
	char event;
	int status;

	if (read(c->events, &event, 1) == 1)
		return event;
	if (waitpid(c->pid, &status, 0) == c->pid && WIFSIGNALED(status))
		fail("process %d: %s", c->pid, strsignal(WTERMSIG(status)));
	fail("process %d: %s", c->pid, *c->why ? c->why : "ended without a word");
}

void client_end(struct client *c)
{
	int status;

	client_go_on(c);
	if (waitpid(c->pid, &status, 0) != c->pid || status)
		fail("process %d did not end well", c->pid);
	close(c->orders);
	close(c->events);
}
