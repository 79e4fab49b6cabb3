// SPDX-License-Identifier: GPL-2.0-only
/*
 * share.c - UNIX sockets that memory objects travel over.
 * Whoever may write to the socket's file may have the object: its mode is the only lock.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "out.h"
#include "share.h"

#define BACKLOG 64

const char *share_default(void)
{
	static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (!dir && !geteuid())
		dir = "/run";
	if (!dir || (size_t)snprintf(path, sizeof(path), "%s/machvm.sock", dir) >= sizeof(path))
		return NULL;
	return path;
}

static bool address(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(a->sun_path)) {
		memcpy(a->sun_path, path, strlen(path));
		return true;
	}
	out_error("Use a path relative to the current directory, or a shorter directory.",
		  "%s: longer than the %zu characters that a socket's name may have", path,
		  sizeof(a->sun_path) - 1);
	return false;
}

/* dead - is the file a socket that nobody listens on? */
static bool dead(const struct sockaddr_un *a)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused;

	if (s < 0)
		return false;
	refused = connect(s, (const struct sockaddr *)a, sizeof(*a)) && errno == ECONNREFUSED;
	close(s);
	return refused;
}

int share_listen(const char *path)
{
	struct sockaddr_un a;
	int s, ret;

	if (!address(path, &a))
		return -1;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0) {
		out_error(NULL, "making a socket: %s", strerror(errno));
		return -1;
	}
	ret = bind(s, (struct sockaddr *)&a, sizeof(a));
	if (ret && errno == EADDRINUSE && dead(&a) && !unlink(path))
		ret = bind(s, (struct sockaddr *)&a, sizeof(a));
	if (!ret)
		ret = listen(s, BACKLOG);
	if (!ret)
		return s;
	out_error(errno == EADDRINUSE ? "Give another name to --listen." : NULL,
		  "listening on %s: %s", path, strerror(errno));
	close(s);
	return -1;
}

int share_connect(const char *path)
{
	const char *advice = NULL;
	struct sockaddr_un a;
	int s;

	if (!address(path, &a))
		return -1;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s >= 0 && !connect(s, (struct sockaddr *)&a, sizeof(a)))
		return s;
	if (errno == ENOENT || errno == ECONNREFUSED)
		advice = "No pager listens there: see machvmctl pager serve --help";
	else if (errno == EACCES)
		advice = "The pager's owner decides who may write to the socket.";
	out_error(advice, "connecting to %s: %s", path, strerror(errno));
	if (s >= 0)
		close(s);
	return -1;
}
