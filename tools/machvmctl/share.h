/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * share.h - handing memory objects over UNIX sockets.
 */
#ifndef MACHVMCTL_SHARE_H
#define MACHVMCTL_SHARE_H

#include <stddef.h>

/* share_default - where pager serve listens and cat connects if they are not told; NULL: nowhere */
const char *share_default(void);

/* share_listen - a listening socket, or -1 and said so; the path of a dead listener is reused */
int share_listen(const char *path);

/* share_connect - a connected socket, or -1 and said so */
int share_connect(const char *path);

#endif
