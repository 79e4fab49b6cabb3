/* SPDX-License-Identifier: GPL-2.0-only */
/* cluster.h - pages that are asked for along with another. */
#ifndef _MACHVM_CLUSTER_H
#define _MACHVM_CLUSTER_H

#include "types.h"

int machvm_question_ask(struct machvm_object *object, u64 index, struct machvm_request *request);
void machvm_cluster_ask(struct machvm_request *leader, struct machvm_user *user);

#endif /* _MACHVM_CLUSTER_H */
