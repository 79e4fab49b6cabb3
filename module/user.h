/* SPDX-License-Identifier: GPL-2.0-only */
/* user.h - who pays: per-user and global limits on pages and objects. */
#ifndef _MACHVM_USER_H
#define _MACHVM_USER_H

#include "types.h"

/* page.c keeps bits in the low end of pointers to users. */
#define MACHVM_USER_ALIGN 1024

struct machvm_user *machvm_user_current(void);
struct machvm_user *machvm_user_get(struct machvm_user *user);
void machvm_user_put(struct machvm_user *user);
bool machvm_user_charge_page(struct machvm_user *user);
bool machvm_user_at_limit(struct machvm_user *user);
void machvm_user_uncharge_page(struct machvm_user *user);
bool machvm_user_charge_object(struct machvm_user *user);
void machvm_user_uncharge_object(struct machvm_user *user);
bool machvm_user_may_see(struct machvm_user *user);
int machvm_user_init(void);
void machvm_user_exit(void);

#endif /* _MACHVM_USER_H */
