// SPDX-License-Identifier: GPL-2.0-only
/*
 * cluster.c - who asks a pager for a page asks for what is missing around it, too.
 * Callers: vma.c, before it waits for the page.
 * Never: waits, but for memory.
 * Locks: family->lock for reading, a page at a time.
 *
 * Each page has a question of its own, like one that somebody has touched; port.c makes one message
 * of those that lie side by side in its queue.  So pages may be answered in any order and by parts,
 * and what a pager leaves behind is asked of its successor.
 */
#include "cluster.h"
#include "memobj.h"
#include "object.h"
#include "page.h"
#include "request.h"

/* The pages to ask for, the one that was touched among them. */
struct cluster {
	u64 first;
	u64 last;
};

/*
 * The aligned cluster that the page is in; if it is the page behind the last cluster, the next one
 * as well, as somebody seems to read in order.  Nothing beyond what has ever been mapped.
 */
static struct cluster cluster_of(struct machvm_object *object, u64 index)
{
	struct machvm_memobj *memobj = object->memobj;
	u64 pages = READ_ONCE(memobj->cluster_pages);
	struct cluster cluster = { .first = round_down(index, pages) };

	cluster.last = cluster.first + pages - 1;
	if (index == READ_ONCE(memobj->next_index))
		cluster.last += pages;
	WRITE_ONCE(memobj->next_index, cluster.first + pages);
	cluster.last = min(cluster.last, (READ_ONCE(object->size) - 1) >> PAGE_SHIFT);
	return cluster;
}

static bool is_absent(struct machvm_object *object, u64 index)
{
	struct machvm_request *request;
	bool present;

	down_read(&object->family->lock);
	request = machvm_page_request(object, index);
	present = request || machvm_page_exists(object, index);
	up_read(&object->family->lock);
	if (request)
		machvm_request_put(request);
	return !present;
}

/* A question with a page to fill, if they can be had without trouble. */
static struct machvm_request *create(struct machvm_request *leader, u64 index,
				     struct machvm_user *user)
{
	struct folio *folio = machvm_page_alloc(user, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	struct machvm_request *request;

	if (IS_ERR(folio))
		return NULL;
	request = machvm_request_create(leader->msg.memobj, index, leader->msg.access, folio);
	if (!request)
		machvm_page_free(folio);
	return request;
}

/**
 * machvm_question_ask - a question takes its place and goes to the queue, unless there is another
 * @object: the object
 * @index: its page
 * @request: the question, not in any queue
 *
 * Both with the lock, so that destroy.c finds it in neither or in both.
 * Return: KERN_SUCCESS; KERN_MEMORY_PRESENT (there is one, or the page); KERN_MEMORY_ERROR.
 */
int machvm_question_ask(struct machvm_object *object, u64 index, struct machvm_request *request)
{
	int kr = MACHVM_KERN_MEMORY_PRESENT;

	down_read(&object->family->lock);
	if (object->flags & MACHVM_OBJ_DESTROYED)
		kr = MACHVM_KERN_MEMORY_ERROR;
	else if (!machvm_page_ask(object, index, request))
		kr = machvm_request_post(request);
	up_read(&object->family->lock);
	return kr;
}

/* False if that was as far as it goes. */
static bool ask_along(struct machvm_object *object, u64 index, struct machvm_request *leader,
		      struct machvm_user *user)
{
	struct machvm_request *request;
	int kr;

	if (!is_absent(object, index))
		return false;
	request = create(leader, index, user);
	if (!request)
		return false;
	kr = machvm_question_ask(object, index, request);
	if (kr)
		machvm_request_finish(request, kr, 0);
	machvm_request_put(request);
	return !kr;
}

/**
 * machvm_cluster_ask - ask for the pages around one that was asked for
 * @leader: the question for that page
 * @user: who pays for the others
 *
 * From the page downwards, then upwards, up to what is there or asked for already: so each lies
 * beside one before it.
 * Context: no lock of ours held.
 */
void machvm_cluster_ask(struct machvm_request *leader, struct machvm_user *user)
{
	u64 index = leader->msg.offset >> PAGE_SHIFT, at;
	struct machvm_object *object;
	struct cluster cluster;
	bool more;

	if (READ_ONCE(leader->msg.memobj->cluster_pages) == 1)
		return;
	object = machvm_memobj_object(leader->msg.memobj);
	if (!object)
		return;
	cluster = cluster_of(object, index);
	for (at = index, more = true; more && at > cluster.first; at--)
		more = ask_along(object, at - 1, leader, user);
	for (at = index + 1, more = true; more && at <= cluster.last; at++)
		more = ask_along(object, at, leader, user);
	machvm_object_put(object);
}
