// SPDX-License-Identifier: GPL-2.0-only
/*
 * mutate.c - programs that are a little different from those that were good.
 */
#include "fuzz.h"

#include <string.h>

static uint64_t state;

void random_seed(uint64_t seed)
{
	state = seed;
}

static uint64_t random_word(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t random_below(uint64_t limit)
{
	return limit ? random_word() % limit : 0;
}

static bool chance(unsigned int percent)
{
	return random_below(100) < percent;
}

/* Values */

static struct value number(uint64_t add)
{
	return (struct value){ V_NUMBER, 0, add };
}

static struct value thing(enum value_kind kind, uint64_t add)
{
	return (struct value){ kind, random_below(chance(70) ? 2 : 5), add };
}

/* Where sizes and signs end, pages begin, and addresses of users, arenas and the kernel lie. */
static uint64_t edge(void)
{
	static const uint64_t edges[] = {
		0, 1, 7, 8, 0xff, 0xfff, 0x1000, 0x1001, 0xffff, 0x100000, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 0xfffffffff000, 1UL << 44, 1UL << 46, (1UL << 47) - 0x1000,
		1UL << 47, 1UL << 48, 1UL << 62, 1UL << 63, -1UL, -0x1000UL, -0x1001UL,
		0xffff888000000000, 0x7fffffffffffffff, 0x7ffffffffffff000,
	};

	return edges[random_below(sizeof(edges) / sizeof(edges[0]))];
}

static uint64_t pages(unsigned int most)
{
	return random_below(most + 1) * PAGE;
}

static struct value any_fd(void)
{
	static const enum value_kind kinds[] = {
		V_DEVICE, V_OBJECT, V_OBJECT, V_CONTROL, V_CONTROL, V_SOCKET, V_TASK, V_PROXY,
		V_OWNER,
	};

	if (chance(10))
		return number(chance(50) ? (uint32_t)-1 : random_below(40));
	return thing(kinds[random_below(sizeof(kinds) / sizeof(kinds[0]))], 0);
}

/* Another one of the kind that is usual there, most of the time. */
static struct value fd_value(const struct field *field)
{
	unsigned int roll = random_below(100);

	if (roll < 60 && field->usual.kind != V_NUMBER)
		return thing(field->usual.kind, 0);
	if (!strcmp(field->name, "task"))
		return roll < 85 ? thing(V_TASK, 0) : roll < 92 ? field->usual : any_fd();
	if (!strncmp(field->name, "object", 6))
		return roll < 75 ? thing(V_OBJECT, 0) : roll < 90 ? thing(V_PROXY, 0) : any_fd();
	if (!strcmp(field->name, "manager"))
		return roll < 80 ? thing(V_OBJECT, 0) : any_fd();
	return any_fd();
}

static struct value address_value(void)
{
	unsigned int roll = random_below(100);

	if (roll < 75)
		return thing(V_MEMORY, pages(chance(80) ? 4 : 40));
	if (roll < 85)
		return thing(V_MEMORY, random_below(0x4000) - (chance(20) ? 0x1000 : 0));
	if (roll < 92)
		return number((1UL << 44) + pages(64));
	return number(edge());
}

static uint64_t length_value(void)
{
	unsigned int roll = random_below(100);

	if (roll < 60)
		return PAGE + pages(7);
	if (roll < 75)
		return pages(300);
	if (roll < 82)
		return random_below(0x3000);
	return roll < 86 ? 1UL << random_below(48) : edge();
}

static struct value offset_value(void)
{
	unsigned int roll = random_below(100);

	if (roll < 55)
		return number(pages(8));
	if (roll < 75)
		return thing(V_MESSAGE_OFFSET, chance(70) ? 0 : pages(2));
	return number(roll < 85 ? random_below(0x9000) : edge());
}

static struct value id_value(void)
{
	static const enum value_kind kinds[] = {
		V_ID, V_ID, V_ID, V_MESSAGE_OBJECT, V_MESSAGE_NEW,
	};

	if (chance(15))
		return number(chance(70) ? random_below(50) : edge());
	return thing(kinds[random_below(5)], chance(5) ? random_below(3) - 1 : 0);
}

static struct value pointer_value(void)
{
	unsigned int roll = random_below(100);

	if (roll < 50)
		return (struct value){ V_BUFFER, 0, pages(31) };
	if (roll < 60)	/* what is there ends before the structure does */
		return (struct value){ V_BUFFER, 0, 32 * PAGE - random_below(200) };
	if (roll < 90)
		return thing(V_MEMORY, chance(70) ? pages(4) : random_below(0x4000));
	return number(edge());
}

static struct value plain_value(const struct field *field)
{
	uint64_t limit = field->limit;

	switch (field->kind) {
	case K_BOOL:
		return number(chance(95) ? random_below(2) : edge());
	case K_ENUM:
		return number(chance(90) ? random_below(limit + 1) : chance(50) ? limit + 1 : edge());
	case K_FLAGS:
		return number(chance(90) ? random_word() & limit : 1UL << random_below(32));
	case K_ZERO:
		return number(chance(80) ? 0 : edge());
	case K_FLAG:
		return number(0);
	case K_BYTES:
		return number(chance(80) ? PAGE + pages(15) : random_below(70000));
	default:
		return number(chance(60) ? random_below(64) : edge());
	}
}

static struct value field_value(const struct field *field, bool attribute)
{
	if (attribute && chance(field->kind == K_FLAG ? 40 : 8))
		return (struct value){ V_ABSENT };
	switch (field->kind) {
	case K_FD:
		return fd_value(field);
	case K_ADDRESS:
		return address_value();
	case K_LENGTH:
		if (chance(10))
			return thing(V_MESSAGE_LENGTH, 0);
		return number(length_value());
	case K_OFFSET:
		return offset_value();
	case K_ID:
		return id_value();
	case K_EPOCH:
		if (chance(20))
			return number(random_below(4));
		return thing(chance(70) ? V_EPOCH : V_MESSAGE_EPOCH, 0);
	case K_POINTER:
		return pointer_value();
	default:
		return plain_value(field);
	}
}

static bool is_attribute(const struct call_kind *kind, unsigned int field)
{
	return kind->type == CALL_NETLINK && field >= N_FIELDS;
}

/* The first fields are those that make a call one of no sense: less often. */
static unsigned int choose_field(const struct call_kind *kind)
{
	unsigned int first = kind->type == CALL_IOCTL ? I_FIELDS :
			     kind->type == CALL_NETLINK ? N_FIELDS : 0;

	if (first >= kind->nr || chance(12))
		return random_below(kind->nr);
	return first + random_below(kind->nr - first);
}

/* Programs */

static void value_change(struct call *call)
{
	const struct call_kind *kind = &call_kinds[call->kind];
	unsigned int field = choose_field(kind);
	struct value *value = &call->values[field];

	if (chance(75) || value->kind == V_ABSENT) {
		*value = field_value(&kind->fields[field], is_attribute(kind, field));
	} else if (chance(50)) {
		value->add += (random_below(2) ? 1 : -1UL) * (chance(60) ? PAGE : 1);
	} else if (chance(50)) {
		value->add ^= 1UL << random_below(chance(60) ? 16 : 64);
	} else if (value->kind != V_NUMBER) {
		value->index = random_below(5);
	}
}

static void call_random(struct call *call)
{
	const struct call_kind *kind;

	call_usual(call, random_below(nr_call_kinds));
	kind = &call_kinds[call->kind];
	for (unsigned int i = 0; i < kind->nr; i++) {
		bool first = kind->type == CALL_IOCTL ? i < I_FIELDS :
			     kind->type == CALL_NETLINK && i < N_FIELDS;

		if (chance(first ? 3 : 45))
			call->values[i] = field_value(&kind->fields[i], is_attribute(kind, i));
	}
	if (chance(10))
		call->process = random_below(PROCESSES);
	call->async = chance(10);
}

static void insert(struct program *program, unsigned int at, const struct call *call)
{
	if (program->nr == CALLS_MAX)
		return;
	memmove(&program->calls[at + 1], &program->calls[at],
		(program->nr - at) * sizeof(program->calls[0]));
	program->calls[at] = *call;
	program->nr++;
}

static void remove_one(struct program *program, unsigned int at)
{
	memmove(&program->calls[at], &program->calls[at + 1],
		(program->nr - at - 1) * sizeof(program->calls[0]));
	program->nr--;
}

/* The beginning of one and the end of the other. */
static void splice(struct program *program, const struct program *other)
{
	unsigned int from = random_below(other->nr), at = random_below(program->nr + 1);

	if (chance(50))
		program->nr = at;
	for (; from < other->nr && program->nr < CALLS_MAX; from++)
		insert(program, at++, &other->calls[from]);
}

static void mutate_once(struct program *program, const struct program *other)
{
	unsigned int roll = random_below(100), at = random_below(program->nr);
	struct call call;

	if (roll < 50 && program->nr) {
		value_change(&program->calls[at]);
	} else if (roll < 70 || !program->nr) {
		call_random(&call);
		insert(program, random_below(program->nr + 1), &call);
	} else if (roll < 77) {
		remove_one(program, at);
	} else if (roll < 87 && other->nr) {
		splice(program, other);
	} else if (roll < 91) {
		call = program->calls[at];
		insert(program, random_below(program->nr + 1), &call);
	} else if (roll < 94) {
		program->calls[at].async ^= true;
	} else if (roll < 97) {
		program->calls[at].process = random_below(PROCESSES);
	} else {
		program->user ^= true;
	}
}

void mutate(struct program *program, const struct program *other)
{
	do {
		mutate_once(program, other);
	} while (!program->nr || chance(60));
}

void program_random(struct program *program)
{
	unsigned int nr = 2 + random_below(10);

	memset(program, 0, sizeof(*program));
	program->user = chance(50);
	for (unsigned int i = 0; i < nr; i++)
		call_random(&program->calls[program->nr++]);
}

/*
 * A value that was compared with another one becomes that one.  False if no value of the call was
 * that which was compared.
 */
bool mutate_operand(struct program *program, unsigned int at, const struct operands *operands)
{
	struct call *call = &program->calls[at];
	const struct call_kind *kind = &call_kinds[call->kind];
	uint64_t mask = operands->bits == 64 ? -1UL : (1UL << operands->bits) - 1;
	unsigned int start = random_below(kind->nr);

	for (unsigned int i = 0; i < kind->nr; i++) {
		unsigned int field = (start + i) % kind->nr;
		uint64_t value = scene->resolved[at][field] & mask;

		if (call->values[field].kind == V_ABSENT)
			continue;
		if (value == operands->a)
			call->values[field].add += operands->b - operands->a;
		else if (value == operands->b)
			call->values[field].add += operands->a - operands->b;
		else
			continue;
		return true;
	}
	return false;
}
