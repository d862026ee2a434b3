/*
 * The pool of expressions: hash-consing, leaves, and an order of expressions.
 */
#include <string.h>
#include "ir/expr_impl.h"
#include "ir/tensor.h"
#include "support/diag.h"

void
sn_pool_init(struct sn_pool *p, struct sn_arena *a)
{
	*p = (struct sn_pool){ .arena = a, .nslots = 1024 };
	p->slots = SN_NEW_ARRAY(a, p->nslots, const struct sn_expr *);
}

/* What distinguishes leaves of one kind, as a number; IDENTITY: pointers, else ids. */
static uint64_t
leaf_payload(const struct sn_expr *e, bool is_identity)
{
	switch ((enum sn_expr_kind)e->kind) {
	case EX_CONST: return (uint64_t)e->num.i;
	case EX_SYM: return is_identity ? (uintptr_t)e->sym : (uint64_t)e->sym->id;
	case EX_AXIS: return is_identity ? (uintptr_t)e->axis : (uint64_t)e->axis->id;
	case EX_READ: return is_identity ? (uintptr_t)e->tensor : (uint64_t)e->tensor->id;
	case EX_LOCAL: return is_identity ? (uintptr_t)e->local : (uint64_t)e->local->id;
	case EX_STATE:
	case EX_OTHER:
	case EX_ARG: return (uint64_t)e->state;
	case EX_OP: break;
	}
	return 0;
}

static uint64_t
mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

/* Ids, not addresses: the table is the same in every run. */
static uint64_t
expr_hash(const struct sn_expr *e, const struct sn_expr *const *args)
{
	uint64_t h = mix(e->kind | (uint64_t)e->op << 8 | (uint64_t)e->dtype << 16
				 | (uint64_t)e->has_outside << 24 | (uint64_t)e->lanes << 32
				 | (uint64_t)e->nargs << 48,
			 leaf_payload(e, false));

	for (int i = 0; i < e->nargs; i++)
		h = mix(h, args[i]->id);
	return h;
}

static bool
expr_is(const struct sn_expr *e, const struct sn_expr *head, const struct sn_expr *const *args)
{
	return e->kind == head->kind && e->op == head->op && e->dtype == head->dtype
	       && e->has_outside == head->has_outside && e->lanes == head->lanes
	       && e->nargs == head->nargs && leaf_payload(e, true) == leaf_payload(head, true)
	       && (!e->nargs || memcmp(e->args, args, e->nargs * sizeof(*args)) == 0);
}

static void
pool_grow(struct sn_pool *p)
{
	size_t n = p->nslots * 2;
	const struct sn_expr **slots = SN_NEW_ARRAY(p->arena, n, const struct sn_expr *);

	for (size_t i = 0; i < p->nslots; i++) {
		if (!p->slots[i])
			continue;
		size_t at = p->slots[i]->hash & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = p->slots[i];
	}
	p->slots = slots;
	p->nslots = n;
}

/* What occurs in E, from its operands. */
static void
set_summary(struct sn_expr *e)
{
	for (int i = 0; i < e->nargs; i++) {
		e->has |= e->args[i]->has;
		e->axes |= e->args[i]->axes;
	}
	if (e->kind == EX_AXIS)
		e->axes = 1ull << (e->axis->id % 64);
	else if (e->kind == EX_READ)
		e->has |= SN_HAS_READ;
	else if (e->kind == EX_STATE || e->kind == EX_OTHER || e->kind == EX_ARG)
		e->has |= SN_HAS_STATE;
	e->has &= (uint8_t)~SN_HAS_WRAP;
	if (e->dtype == DT_I64)
		sn_index_set_bounds(e);
}

const struct sn_expr *
sn_expr_intern(struct sn_pool *p, const struct sn_expr *head, const struct sn_expr *const *args)
{
	if (p->nexprs * 2 >= p->nslots)
		pool_grow(p);
	uint32_t hash = (uint32_t)expr_hash(head, args);
	size_t at = hash & (p->nslots - 1);

	for (; p->slots[at]; at = (at + 1) & (p->nslots - 1))
		if (expr_is(p->slots[at], head, args))
			return p->slots[at];
	struct sn_expr *e = sn_alloc(p->arena, sizeof(*e) + head->nargs * sizeof(*args));

	*e = *head;
	e->has = 0;
	e->axes = 0;
	e->id = (uint32_t)p->nexprs++;
	e->hash = hash;
	if (head->nargs)
		memcpy(e->args, args, head->nargs * sizeof(*args));
	set_summary(e);
	p->slots[at] = e;
	return e;
}

/* One NaN: its payload means nothing. */
const struct sn_expr *
sn_const(struct sn_pool *p, enum sn_dtype t, union sn_num x)
{
	if (sn_is_float(t) && x.f != x.f)
		x.f = (double)__builtin_nanf("");
	return sn_expr_intern(
		p, &(struct sn_expr){ .kind = EX_CONST, .dtype = (uint8_t)t, .lanes = 1, .num = x },
		NULL);
}

const struct sn_expr *
sn_int(struct sn_pool *p, int64_t x)
{
	return sn_const(p, DT_I64, (union sn_num){ .i = x });
}

const struct sn_expr *
sn_float(struct sn_pool *p, enum sn_dtype t, double x)
{
	return sn_const(p, t, sn_num_cast((union sn_num){ .f = x }, DT_F64, t));
}

const struct sn_expr *
sn_read(struct sn_pool *p, const struct sn_tensor *x, const struct sn_expr *const *idx, int nidx,
	const struct sn_expr *outside)
{
	const struct sn_expr *args[SN_MAX_RANK + 1];

	if (nidx != x->type.rank || nidx > SN_MAX_RANK)
		sn_bug(p->arena->guard, "read of '%s' with %d indices, its rank is %d", x->name,
		       nidx, x->type.rank);
	for (int i = 0; i < nidx; i++)
		args[i] = idx[i];
	args[nidx] = outside;
	struct sn_expr head = {
		.kind = EX_READ,
		.dtype = (uint8_t)x->type.dtype,
		.has_outside = outside != NULL,
		.lanes = 1,
		.nargs = (uint16_t)(nidx + (outside != NULL)),
		.tensor = x,
	};
	return sn_expr_intern(p, &head, args);
}

static const struct sn_expr *
state_leaf(struct sn_pool *p, enum sn_expr_kind kind, enum sn_dtype t, int which)
{
	return sn_expr_intern(
		p,
		&(struct sn_expr){
			.kind = (uint8_t)kind, .dtype = (uint8_t)t, .lanes = 1, .state = which },
		NULL);
}

const struct sn_expr *
sn_state(struct sn_pool *p, enum sn_dtype t, int state)
{
	return state_leaf(p, EX_STATE, t, state);
}

const struct sn_expr *
sn_other(struct sn_pool *p, enum sn_dtype t, int state)
{
	return state_leaf(p, EX_OTHER, t, state);
}

const struct sn_expr *
sn_arg(struct sn_pool *p, enum sn_dtype t, int arg)
{
	return state_leaf(p, EX_ARG, t, arg);
}

const struct sn_expr *
sn_sym_expr(struct sn_pool *p, const struct sn_sym *s)
{
	return sn_expr_intern(
		p, &(struct sn_expr){ .kind = EX_SYM, .dtype = DT_I64, .lanes = 1, .sym = s },
		NULL);
}

const struct sn_expr *
sn_axis_expr(struct sn_pool *p, const struct sn_axis *a)
{
	return sn_expr_intern(
		p, &(struct sn_expr){ .kind = EX_AXIS, .dtype = DT_I64, .lanes = 1, .axis = a },
		NULL);
}

const struct sn_expr *
sn_local_expr(struct sn_pool *p, const struct sn_local *l)
{
	return sn_expr_intern(p,
			      &(struct sn_expr){ .kind = EX_LOCAL,
						 .dtype = (uint8_t)l->dtype,
						 .lanes = (uint16_t)l->lanes,
						 .local = l },
			      NULL);
}

struct sn_sym *
sn_sym_new(struct sn_pool *p, const char *name, int64_t lo, int64_t hi)
{
	struct sn_sym *s = SN_NEW(p->arena, struct sn_sym);

	*s = (struct sn_sym){ .name = sn_strdup(p->arena, name),
			      .id = p->nsyms,
			      .lo = lo,
			      .hi = hi,
			      .input = -1,
			      .axis = -1 };
	if ((size_t)p->nsyms == p->symcap) {
		size_t cap = p->symcap ? 2 * p->symcap : 16;
		struct sn_sym **syms = SN_NEW_ARRAY(p->arena, cap, struct sn_sym *);

		if (p->nsyms)
			memcpy(syms, p->syms, p->symcap * sizeof(*syms));
		p->syms = syms;
		p->symcap = cap;
	}
	p->syms[p->nsyms++] = s;
	return s;
}

struct sn_axis *
sn_axis_new(struct sn_pool *p, const char *name, const struct sn_expr *extent)
{
	struct sn_axis *a = SN_NEW(p->arena, struct sn_axis);

	*a = (struct sn_axis){ .name = sn_strdup(p->arena, name),
			       .id = p->naxes++,
			       .extent = extent };
	return a;
}

struct sn_local *
sn_local_new(struct sn_pool *p, const char *name, enum sn_dtype t, int lanes)
{
	struct sn_local *l = SN_NEW(p->arena, struct sn_local);

	*l = (struct sn_local){
		.name = sn_strdup(p->arena, name),
		.id = p->nlocals++,
		.dtype = t,
		.lanes = lanes,
		.lo = INT64_MIN,
		.hi = INT64_MAX,
	};
	return l;
}

bool
sn_get_int(const struct sn_expr *e, int64_t *out)
{
	if (e->kind != EX_CONST || sn_is_float((enum sn_dtype)e->dtype))
		return false;
	*out = e->num.i;
	return true;
}

static int
order_of(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Leaves and reads by name; ids only break ties between equal names. */
static int
leaf_order(const struct sn_expr *a, const struct sn_expr *b)
{
	int c = 0;

	if (a->kind == EX_SYM)
		c = strcmp(a->sym->name, b->sym->name);
	else if (a->kind == EX_AXIS)
		c = strcmp(a->axis->name, b->axis->name);
	else if (a->kind == EX_READ)
		c = strcmp(a->tensor->name, b->tensor->name);
	else if (a->kind == EX_LOCAL)
		c = strcmp(a->local->name, b->local->name);
	return c ? c : order_of(leaf_payload(a, false), leaf_payload(b, false));
}

int
sn_expr_order(const struct sn_expr *a, const struct sn_expr *b)
{
	while (a != b) {
		int c = order_of(a->kind, b->kind);

		c = c ? c : order_of(a->op, b->op);
		c = c ? c : leaf_order(a, b);
		c = c ? c : order_of(a->dtype, b->dtype);
		c = c ? c : order_of(a->lanes, b->lanes);
		c = c ? c : order_of(a->nargs, b->nargs);
		if (c)
			return c;
		int i = 0;

		while (i < a->nargs && a->args[i] == b->args[i])
			i++;
		if (i == a->nargs)
			return order_of(a->id, b->id);
		/* the first operands that differ decide, so this descends one path */
		const struct sn_expr *next = a->args[i];

		b = b->args[i];
		a = next;
	}
	return 0;
}
