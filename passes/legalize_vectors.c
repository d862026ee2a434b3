/*
 * legalize-vectors: vector values in terms of scalars, for dialects without vector types.
 *
 *	load v = acc[p, 0 : 4]           alloc stack f32 v[4]
 *	y[p] = lane_sum(v)       ->      serial i < 4 { load x = acc[p, i]  v[i] = x }
 *	                                 alloc stack f32 half[2]
 *	                                 serial i < 2 { half[i] = v[i] + v[i+2] }
 *	                                 serial i < 1 { half[i] = half[i] + half[i+1] }
 *	                                 load sum = half[0]
 *	                                 y[p] = sum
 *
 * Vector loops are plain loops there, so the only vector values are those whose
 * lanes are reduced; the order is that of the interpreter and of all dialects.
 * Where the dialect has vectors the pass does nothing.  Cost: linear.
 */
#include "passes/loop_passes.h"

struct scalars {
	struct sn_func *func;
	struct sn_pool *pool;
	struct sn_map arrays; /* vector locals by id -> struct sn_buffer */
	struct sn_subst subst;
	struct sn_builder b; /* at the end of the block being rebuilt */
	bool has_changed;
};

/* Stores the lanes of the vector that S loads in an array. */
static void
spread(struct scalars *v, const struct sn_stmt *s)
{
	const struct sn_local *l = s->mem.local;
	const struct sn_expr *idx[ARRAY_LEN(s->mem.idx)];
	int64_t lanes = l->lanes;
	int last = s->mem.buffer->rank - 1;
	struct sn_buffer *array = sn_at_alloc(&v->b, SP_STACK, l->name, l->dtype, 1, &lanes);
	const struct sn_expr *i = sn_at_for(&v->b, LK_SERIAL, "i", sn_int(v->pool, lanes));

	for (int k = 0; k <= last; k++)
		idx[k] = sn_subst(&v->subst, s->mem.idx[k]);
	idx[last] = sn_add(v->pool, idx[last], i);
	sn_at_store(&v->b, array, &i, sn_at_load(&v->b, "x", s->mem.buffer, idx));
	sn_at_end(&v->b);
	sn_map_put_num(&v->arrays, (uint64_t)l->id, array);
	v->has_changed = true;
}

/* TO[i] = OP(FROM[i], FROM[i + HALF]) for all i < HALF. */
static void
combine(struct scalars *v, enum sn_scalar_op op, const struct sn_buffer *from,
	const struct sn_buffer *to, int64_t half)
{
	const struct sn_expr *i = sn_at_for(&v->b, LK_SERIAL, "i", sn_int(v->pool, half));
	const struct sn_expr *other = sn_addk(v->pool, i, half);
	const struct sn_expr *x = sn_at_load(&v->b, "x", from, &i);
	const struct sn_expr *y = sn_at_load(&v->b, "y", from, &other);

	sn_at_store(&v->b, to, &i, sn_op2(v->pool, op, x, y));
	sn_at_end(&v->b);
}

static const struct sn_expr *
reduce(struct scalars *v, enum sn_scalar_op op, const struct sn_expr *vector)
{
	struct sn_buffer *from = vector->kind != EX_LOCAL
					 ? NULL
					 : sn_map_get_num(&v->arrays, (uint64_t)vector->local->id);
	int64_t half = vector->lanes / 2;
	const struct sn_expr *zero = sn_int(v->pool, 0);

	if (!from)
		sn_bug(v->func->arena->guard, "%s: a vector that is not loaded", v->func->name);
	struct sn_buffer *to = sn_at_alloc(&v->b, SP_STACK, "half", from->dtype, 1, &half);

	for (; half >= 1; half /= 2) {
		combine(v, op, from, to, half);
		from = to;
	}
	return sn_at_load(&v->b, "all", to, &zero);
}

static void
visit(const struct sn_expr *e, void *arg)
{
	struct scalars *v = arg;

	if (e->kind != EX_OP)
		return;
	if (e->op == OP_LANE_SUM)
		sn_subst_put(&v->subst, e, reduce(v, OP_ADD, e->args[0]));
	if (e->op == OP_LANE_MAX)
		sn_subst_put(&v->subst, e, reduce(v, OP_MAX, e->args[0]));
	if (e->op == OP_LANE_MIN)
		sn_subst_put(&v->subst, e, reduce(v, OP_MIN, e->args[0]));
}

static void
rewrite_value(struct scalars *v, const struct sn_expr **e, struct sn_arena *scratch)
{
	sn_expr_walk(*e, scratch, visit, v);
	*e = sn_subst(&v->subst, *e);
}

static void rewrite_block(struct scalars *v, struct sn_block *b, struct sn_arena *scratch);

static void
rewrite_stmt(struct scalars *v, struct sn_stmt *s, struct sn_arena *scratch)
{
	switch (s->kind) {
	case ST_FOR: rewrite_block(v, &s->loop.body, scratch); break;
	case ST_IF:
		rewrite_value(v, &s->cond.cond, scratch);
		rewrite_block(v, &s->cond.then, scratch);
		rewrite_block(v, &s->cond.otherwise, scratch);
		break;
	case ST_LET: rewrite_value(v, &s->let.value, scratch); break;
	case ST_CHECK: rewrite_value(v, &s->check.cond, scratch); break;
	case ST_STORE: rewrite_value(v, &s->mem.value, scratch); break;
	default: break;
	}
}

static void
rewrite_block(struct scalars *v, struct sn_block *b, struct sn_arena *scratch)
{
	struct sn_builder outer = v->b;
	struct sn_block out = { NULL, NULL };

	sn_builder_init(&v->b, v->func);
	v->b.stack[0] = &out;
	for (struct sn_stmt *s = b->first, *next; s; s = next) {
		next = s->next;
		v->b.origin = s->origin;
		if (s->kind == ST_LOAD && s->mem.local->lanes > 1) {
			spread(v, s);
			continue;
		}
		rewrite_stmt(v, s, scratch);
		sn_block_append(&out, s);
	}
	*b = out;
	v->b = outer;
}

bool
sn_legalize_vectors_func(struct sn_func *f, struct sn_arena *scratch)
{
	struct scalars v = { .func = f, .pool = f->pool };

	sn_map_init(&v.arrays, scratch);
	sn_subst_init(&v.subst, f->pool, scratch);
	rewrite_block(&v, &f->body, scratch);
	return v.has_changed;
}

bool
sn_pass_legalize_vectors(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;

	for (size_t i = 0; !m->has_vectors && i < m->funcs.n; i++)
		c->has_changed |= sn_legalize_vectors_func(m->funcs.v[i], c->scratch);
	return true;
}
