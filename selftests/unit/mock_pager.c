// SPDX-License-Identifier: GPL-2.0-only
/* mock_pager.c - pagers, and the sockets that carry what they hear. */
#include "mock.h"

/* The sender */

struct workqueue_struct *machvm_queue;

static unsigned int sents_room;
struct mock_sent *mock_sents;
unsigned int mock_nr_sent;
bool mock_pump_held;
unsigned int mock_pumps;
int mock_send_error;
unsigned int mock_bindings_released;

void mock_sents_forget(void)
{
	mock_nr_sent = 0;
}

void heard_at(const char *file, int line, const char *expected)
{
	char is[200] = "";
	unsigned int i;

	for (i = 0; i < mock_nr_sent && i < sizeof(is) - 1; i++)
		is[i] = "-iqrtuc"[mock_sents[i].type];
	if (strcmp(is, expected))
		test_fail(file, line, "the pager heard '%s', not '%s'", is, expected);
	mock_sents_forget();
}

static void send_one(struct machvm_sending *sending)
{
	struct machvm_msg *msg = &sending->copy;

	fake_point();
	if (mock_send_error)
		return;
	if (mock_nr_sent == sents_room) {
		sents_room = sents_room * 2 + 64;
		mock_sents = realloc(mock_sents, sents_room * sizeof(*mock_sents));
		BUG_ON(!mock_sents);
	}
	mock_sents[mock_nr_sent++] = (struct mock_sent){
		msg->type, msg->memobj->id, msg->offset, msg->length, msg->access, msg->epoch,
		msg->sequence, msg->kernel_copy, sending->via, msg->new_object,
	};
}

void machvm_port_pump(struct machvm_port *port)
{
	struct machvm_sending sending;

	might_sleep();
	mock_pumps++;
	while (!mock_pump_held && machvm_port_next(port, &sending)) {
		check(sending.via->asked <= sending.via->window);
		send_one(&sending);
		machvm_port_sent(port, &sending, mock_send_error);
	}
}

struct mock_sent *mock_last_sent(void)
{
	return mock_nr_sent ? &mock_sents[mock_nr_sent - 1] : NULL;
}

unsigned int mock_sent_of(u8 type)
{
	unsigned int i, found = 0;

	for (i = 0; i < mock_nr_sent; i++)
		found += mock_sents[i].type == type;
	return found;
}

static void retry_run(struct work_struct *work)
{
	struct machvm_port *port = container_of(to_delayed_work(work), struct machvm_port, retry);

	machvm_port_uncongest(port);
	machvm_port_pump(port);
}

void machvm_port_init_retry(struct machvm_port *port)
{
	INIT_DELAYED_WORK(&port->retry, retry_run);
}

/* A port that goes must not leave its timer behind. */
void machvm_port_release(struct machvm_port *port)
{
	cancel_delayed_work_sync(&port->retry);
}

void machvm_binding_release(struct machvm_binding *binding)
{
	mock_bindings_released++;
}

void machvm_memobj_init_advance(struct machvm_memobj *memobj)
{
}

bool mock_serves;

bool machvm_port_serves_current(void)
{
	return mock_serves;
}

/* There is no thread for it: a test calls machvm_memobj_advance() itself. */
void machvm_memobj_advance_later(struct machvm_memobj *memobj)
{
}

/* Pagers */

void pager_new(struct pager *pager)
{
	pager->memobj = machvm_memobj_create(&mock_user);
	require(!IS_ERR(pager->memobj));
	pager->binding = NULL;
}

/* As the ioctl does it: the socket joins the port, init goes out if it is time. */
void pager_bind(struct pager *pager, unsigned int window)
{
	struct machvm_port *port = machvm_memobj_lock_port(pager->memobj);

	machvm_memobj_unlock_port(port);
	/* One that gets no memory tries again. */
	pager->binding = machvm_binding_create(port, NULL, NULL, 1, window) ?:
			 machvm_binding_create(port, NULL, NULL, 1, window);
	require(pager->binding);
	spin_lock(&port->lock);
	machvm_memobj_bound_locked(pager->memobj);
	spin_unlock(&port->lock);
	machvm_port_pump(port);
}

void pager_close(struct pager *pager)
{
	machvm_binding_close(pager->binding);
	machvm_binding_put(pager->binding);
	pager->binding = NULL;
}

void pager_end(struct pager *pager)
{
	if (pager->binding)
		pager_close(pager);
	machvm_memobj_die(pager->memobj);
	machvm_memobj_put(pager->memobj);
}

int map_pager(struct machvm_map *map, struct pager *pager, u64 page, u64 nr, u64 offset_page,
	      bool copy)
{
	struct machvm_vm_map arg = {
		.size = sizeof(arg), .address = AT(page), .length = PAGES(nr),
		.offset = PAGES(offset_page), .copy = copy,
		.protection = MACHVM_PROT_READ | MACHVM_PROT_WRITE,
		.max_protection = MACHVM_PROT_ALL, .inheritance = MACHVM_INHERIT_COPY,
	};
	u64 addr;

	return machvm_vm_map(map, &arg, pager->memobj, &addr);
}

struct machvm_request *ask(struct machvm_object *object, u64 index)
{
	struct machvm_request *request;
	struct folio *folio;
	int kr;

	down_read(&object->family->lock);
	request = machvm_page_request(object, index);
	up_read(&object->family->lock);
	if (request)
		return request;
	folio = machvm_page_alloc(object->user, GFP_KERNEL);
	if (IS_ERR(folio))
		return NULL;
	request = machvm_request_create(object->memobj, index, MACHVM_PROT_READ, folio);
	if (!request) {
		machvm_page_free(folio);
		return NULL;
	}
	down_read(&object->family->lock);
	if (machvm_page_ask(object, index, request)) {
		up_read(&object->family->lock);
		machvm_request_put(request);
		return NULL;
	}
	up_read(&object->family->lock);
	kr = machvm_request_post(request);
	if (kr) {
		machvm_request_finish(request, kr, 0);
		return request;
	}
	machvm_port_pump(object->memobj->port);
	return request;
}

int supply(struct pager *pager, u64 index, char value, bool precious)
{
	struct machvm_supply supply;
	int kr = machvm_memobj_supply_begin(pager->memobj, PAGES(index), &supply);
	struct machvm_port *port;

	if (kr)
		return kr;
	memset(folio_address(supply.folio), value, PAGE_SIZE);
	kr = machvm_memobj_supply_end(&supply, 0, precious);
	port = machvm_memobj_lock_port(pager->memobj);
	machvm_memobj_unlock_port(port);
	machvm_port_pump(port);
	return kr;
}

struct machvm_map *map_file(struct pager *pager, u64 nr)
{
	struct machvm_map *map = map_new();
	u64 i;

	pager_new(pager);
	pager_bind(pager, 0);
	check_eq(map_pager(map, pager, 0, nr, 0, false), 0);
	check_eq(machvm_memobj_ready(pager->memobj, false, MACHVM_COPY_DELAY), 0);
	for (i = 0; i < nr; i++)
		check_eq(supply(pager, i, i + 1, false), 0);
	mock_sents_forget();
	return map;
}

int release_pages(struct pager *pager, u64 first, u64 nr)
{
	return machvm_memobj_release(pager->memobj, PAGES(first), PAGES(nr), NULL);
}

/* What the pager reads of a page that was returned to it, or -1. */
static int returned(struct pager *pager, u64 index)
{
	struct folio *folio = machvm_memobj_returned(pager->memobj, PAGES(index));
	int value = folio ? ((u8 *)folio_address(folio))[index % PAGE_SIZE] : -1;

	if (folio)
		folio_put(folio);
	return value;
}

void expect_return_at(const char *file, int line, struct pager *pager, u64 first, u64 nr,
		      bool dirty, bool kernel_copy, int value)
{
	struct mock_sent *sent = mock_nr_sent ? &mock_sents[0] : NULL;
	u64 i;

	if (mock_nr_sent != 1 || sent->type != MACHVM_MSG_DATA_RETURN)
		test_die(file, line, "%u messages, and not one that returns pages", mock_nr_sent);
	if (sent->offset != PAGES(first) || sent->length != PAGES(nr) || sent->access != dirty ||
	    sent->kernel_copy != kernel_copy)
		test_fail(file, line, "pages %llu+%llu, dirty %u, kernel copy %d are returned",
			  sent->offset >> PAGE_SHIFT, sent->length >> PAGE_SHIFT, sent->access,
			  sent->kernel_copy);
	for (i = first; i < first + nr; i++)
		if (returned(pager, i) != value)
			test_fail(file, line, "page %llu holds %d", i, returned(pager, i));
	mock_sents_forget();
	check_eq(release_pages(pager, first, nr), 0);
}
