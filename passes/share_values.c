/*
 * The second half of hoist-invariants: what the statements of one block use
 * more than once gets a name before its first use.
 *
 *	y[i] = a*b + sqrt(a*b)    ->    let t = a*b   y[i] = t + sqrt(t)
 *
 * Index sums of one operation are as short as a name and stay; so do those that
 * depend on unrolled loops, and indices of register buffers.
 */
#include "ir/index.h"
#include "passes/hoist.h"

struct share {
	struct sn_func *func;
	struct sn_pool *pool;
	struct sn_arena *scratch;
	struct sn_map *unrolled; /* axes of unrolled loops, by address */
	struct sn_map counts;	 /* uses in the block, by expression id */
	struct sn_map named;	 /* expressions that have a name, by id */
	struct sn_subst subst;
	struct sn_block *out;
	const struct sn_origin *origin;
	bool has_changed;
};

typedef void (*root_fn)(struct share *h, const struct sn_expr **root);

/* Calls F on each expression that S itself evaluates. */
static void
each_root(struct share *h, struct sn_stmt *s, root_fn f)
{
	switch (s->kind) {
	case ST_IF: f(h, &s->cond.cond); break;
	case ST_LET: f(h, &s->let.value); break;
	case ST_CHECK: f(h, &s->check.cond); break;
	case ST_LOAD:
	case ST_PREFETCH:
	case ST_STORE:
		for (int i = 0; i < s->mem.buffer->rank && s->mem.buffer->space != SP_REG; i++)
			f(h, &s->mem.idx[i]);
		if (s->kind == ST_STORE)
			f(h, &s->mem.value);
		break;
	default: break;
	}
}

/* ---- counting ---- */

static uintptr_t
count_of(const struct share *h, const struct sn_expr *e)
{
	return (uintptr_t)sn_map_get_num(&h->counts, e->id);
}

static void
count(struct share *h, const struct sn_expr *e)
{
	uintptr_t n = count_of(h, e);

	if (e->kind != EX_OP)
		return;
	sn_map_put_num(&h->counts, e->id, (void *)(n + 1));
	for (int i = 0; n == 0 && i < e->nargs; i++)
		count(h, e->args[i]);
}

static void
count_root(struct share *h, const struct sn_expr **root)
{
	count(h, *root);
}

/* ---- what is worth a name ---- */

struct shape {
	const struct share *h;
	int nops;
	bool is_unrolled, has_quotient;
};

static void
note_shape(const struct sn_expr *e, void *arg)
{
	struct shape *q = arg;

	if (e->kind == EX_AXIS && sn_map_get_num(q->h->unrolled, (uintptr_t)e->axis))
		q->is_unrolled = true;
	if (e->kind != EX_OP)
		return;
	q->nops++;
	q->has_quotient |= e->op == OP_FLOORDIV || e->op == OP_MOD || e->op == OP_DIV;
}

static bool
is_worth_a_name(const struct share *h, const struct sn_expr *e)
{
	struct shape q = { .h = h };

	if (e->kind != EX_OP || e->op == OP_SPLAT || e->op == OP_IOTA || count_of(h, e) < 2)
		return false;
	if (e->dtype != DT_I64 || e->lanes > 1)
		return true;
	sn_expr_walk(e, h->scratch, note_shape, &q);
	return !q.is_unrolled && (q.nops > 1 || q.has_quotient);
}

/* ---- naming, operands first ---- */

static void
name_parts(struct share *h, const struct sn_expr *e)
{
	if (e->kind != EX_OP || sn_map_get_num(&h->named, e->id))
		return;
	sn_map_put_num(&h->named, e->id, h);
	for (int i = 0; i < e->nargs; i++)
		name_parts(h, e->args[i]);
	if (!is_worth_a_name(h, e))
		return;
	struct sn_stmt *s = sn_stmt_new(h->func->arena, ST_LET, h->origin);

	s->let.value = sn_subst(&h->subst, e);
	s->let.local = sn_local_for(h->pool, e->dtype == DT_I64 ? "i" : "t", s->let.value);
	sn_block_append(h->out, s);
	sn_subst_put(&h->subst, e, sn_local_expr(h->pool, s->let.local));
	h->has_changed = true;
}

static void
name_root(struct share *h, const struct sn_expr **root)
{
	name_parts(h, *root);
	*root = sn_subst(&h->subst, *root);
}

/* The value of a let has a name already: its own. */
static void
name_let(struct share *h, struct sn_stmt *s)
{
	const struct sn_expr *e = s->let.value;

	for (int i = 0; i < e->nargs; i++)
		name_parts(h, e->args[i]);
	s->let.value = sn_subst(&h->subst, e);
	if (!sn_map_get_num(&h->named, e->id) && e->kind == EX_OP && is_worth_a_name(h, e)) {
		sn_map_put_num(&h->named, e->id, h);
		sn_subst_put(&h->subst, e, sn_local_expr(h->pool, s->let.local));
	}
}

/* ---- blocks ---- */

static void share_block(struct share *outer, struct sn_block *b);

static void
share_nested(struct share *h, struct sn_stmt *s)
{
	if (s->kind == ST_FOR) {
		if (s->loop.kind == LK_UNROLLED)
			sn_map_put_num(h->unrolled, (uintptr_t)s->loop.axis, s);
		share_block(h, &s->loop.body);
	}
	if (s->kind == ST_IF) {
		share_block(h, &s->cond.then);
		share_block(h, &s->cond.otherwise);
	}
}

static void
share_block(struct share *outer, struct sn_block *b)
{
	struct share h = *outer;
	struct sn_block out = { NULL, NULL };

	sn_map_init(&h.counts, h.scratch);
	sn_map_init(&h.named, h.scratch);
	sn_subst_init(&h.subst, h.pool, h.scratch);
	h.out = &out;
	for (struct sn_stmt *s = b->first; s; s = s->next)
		each_root(&h, s, count_root);
	for (struct sn_stmt *s = b->first, *next; s; s = next) {
		next = s->next;
		h.origin = s->origin;
		if (s->kind == ST_LET)
			name_let(&h, s);
		else
			each_root(&h, s, name_root);
		share_nested(&h, s);
		sn_block_append(&out, s);
	}
	*b = out;
	outer->has_changed |= h.has_changed;
}

bool
sn_share_values(struct sn_func *f, struct sn_arena *scratch)
{
	struct sn_map unrolled;
	struct share h = { .func = f, .pool = f->pool, .scratch = scratch, .unrolled = &unrolled };

	sn_map_init(&unrolled, scratch);
	share_block(&h, &f->body);
	return h.has_changed;
}
