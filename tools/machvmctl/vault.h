/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vault.h - pages in a file that loses none of what it has taken, whenever we are killed.
 */
#ifndef MACHVMCTL_VAULT_H
#define MACHVMCTL_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vault;

/* vault_open - FILE, made if it is not there; NULL: it cannot be used, and that was said */
struct vault *vault_open(const char *path);
void vault_close(struct vault *v);

/*
 * Each of these is done, and on the disk, when it answers true; false: it is not, and that was said.
 * Offsets and lengths are bytes, whole pages.
 */
bool vault_put(struct vault *v, uint64_t object, uint64_t offset, const void *data, size_t length);
bool vault_forget(struct vault *v, uint64_t object);

/* vault_get - one page; 1: there it is, 0: it was never put, -1: failed, and said so */
int vault_get(struct vault *v, uint64_t object, uint64_t offset, void *page, size_t length);

/* vault_next - the next object after *object that has pages, its number in *object */
bool vault_next(struct vault *v, uint64_t *object);

uint64_t vault_pages(struct vault *v);

#endif
