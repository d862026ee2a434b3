/*
 * The second half of vectorize: loops that have passed its checks are replaced by statements on
 * vectors, their bodies in place of the loops.
 */
#include <string.h>
#include "passes/vectorize.h"

static const struct sn_expr *
value_of(struct vec *v, const struct sn_expr *e)
{
	sn_vec_narrow_compares(v, e);
	const struct sn_expr *r = sn_subst(&v->values, e);

	return r->lanes == 1 ? sn_splat(v->pool, r, v->loop->lanes) : r;
}

static const struct sn_local *
widen_local(struct vec *v, const struct sn_local *l)
{
	const struct sn_local *w = sn_local_new(v->pool, l->name, l->dtype, v->loop->lanes);

	sn_vec_set_varying(v, l);
	sn_subst_put(&v->values, sn_local_expr(v->pool, l), sn_local_expr(v->pool, w));
	return w;
}

/* Lanes touched in memory: 0 says all. */
static int
active_lanes(const struct vec *v, const struct sn_stmt *s)
{
	const struct lanes *b = sn_vec_buffer(v, s->mem.buffer);
	int n = v->loop->extent;

	return n == v->loop->lanes || (b && b->most == n) ? 0 : n;
}

static void
index_at_lane_zero(struct vec *v, struct sn_stmt *s)
{
	int last = s->mem.buffer->rank - 1;

	if (sn_vec_buffer(v, s->mem.buffer))
		s->mem.idx[last] = NULL;
	else
		s->mem.idx[last] = sn_subst(&v->indices, s->mem.idx[last]);
	s->mem.active = active_lanes(v, s);
}

/* A builder whose cursor stands at the end of BLOCK. */
static struct sn_builder
builder_at(struct vec *v, struct sn_block *block, const struct sn_origin *o)
{
	struct sn_builder b;

	sn_builder_init(&b, v->func);
	b.stack[0] = block;
	b.origin = o;
	return b;
}

/* Stores the values that all lanes of E have, unless it has been done; a bit that says where, or 0. */
static unsigned
store_rounded(struct vec *v, struct sn_builder *b, const struct sn_expr *e)
{
	struct rounded *r = &v->rounded;
	const struct sn_expr *zero = sn_int(v->pool, 0);
	int64_t lanes = v->loop->lanes;

	for (int i = 0; i < r->n; i++)
		if (r->parts[i] == e)
			return 1u << i;
	if (r->n == ARRAY_LEN(r->parts))
		return 0;
	r->parts[r->n] = e;
	r->lanes[r->n] = sn_at_alloc(b, SP_STACK, "at", (enum sn_dtype)e->dtype, 1, &lanes);
	sn_at_store_active(b, r->lanes[r->n], &zero, value_of(v, e), v->loop->extent);
	return 1u << r->n++;
}

/* Floats made integers in an index that moves with the lanes: a loop over lanes would compute each alone.
 * The bits of those that are stored. */
static unsigned
find_rounded(struct vec *v, struct sn_builder *b, const struct sn_expr *e)
{
	unsigned found = 0;

	if (e->kind != EX_OP || !sn_vec_is_varying(v, e))
		return 0;
	if (e->op == OP_CAST && !sn_is_float((enum sn_dtype)e->dtype)
	    && sn_is_float((enum sn_dtype)e->args[0]->dtype))
		return store_rounded(v, b, e);
	for (int i = 0; i < e->nargs; i++)
		found |= find_rounded(v, b, e->args[i]);
	return found;
}

static const struct sn_expr *
open_lane_loop(struct vec *v, struct sn_builder *b, const struct sn_stmt *s,
	       const struct sn_expr **idx)
{
	const struct rounded *r = &v->rounded;
	struct sn_subst sub;
	unsigned found = 0;

	for (int k = 0; k < s->mem.buffer->rank && !v->is_on_device; k++)
		found |= find_rounded(v, b, s->mem.idx[k]);
	const struct sn_expr *i = sn_at_for(b, LK_UNROLLED, v->loop->axis->name,
					    sn_int(v->pool, v->loop->extent));

	sn_subst_init(&sub, v->pool, v->scratch);
	sn_subst_put(&sub, sn_axis_expr(v->pool, v->loop->axis), i);
	for (int k = 0; k < r->n; k++)
		if (found >> k & 1)
			sn_subst_put(&sub, r->parts[k], sn_at_load(b, "at", r->lanes[k], &i));
	for (int k = 0; k < s->mem.buffer->rank; k++)
		idx[k] = sn_subst(&sub, s->mem.idx[k]);
	return i;
}

/* Loads whole lanes into T if nothing is at an edge; leaves the cursor where they are collected else. */
static void
open_edge(struct vec *v, struct sn_builder *b, const struct sn_stmt *s, const struct sn_buffer *t)
{
	const struct sn_buffer *from = s->mem.buffer;
	const struct sn_expr *idx[ARRAY_LEN(from->dims)], *zero = sn_int(v->pool, 0);
	int n = v->loop->extent;
	struct unit u;

	memcpy(idx, s->mem.idx, sizeof(idx));
	sn_vec_find_unit(v, idx[from->rank - 1], &u);
	idx[from->rank - 1] = u.first;
	sn_at_if(b, u.condition);
	sn_at_store_active(b, t, &zero,
			   sn_at_load_lanes(b, s->mem.local->name, from, idx, v->loop->lanes, n),
			   n);
	sn_at_else(b);
}

/* Collects the elements of a load in an array, which is then loaded as a vector. */
static void
gather(struct vec *v, struct sn_stmt *s, bool has_edge, struct sn_block *out)
{
	struct sn_builder b = builder_at(v, out, s->origin);
	const struct sn_buffer *from = s->mem.buffer;
	const struct sn_expr *idx[ARRAY_LEN(from->dims)], *zero = sn_int(v->pool, 0);
	int64_t lanes = v->loop->lanes;
	const char *name = s->mem.local->name;
	struct sn_buffer *t = sn_at_alloc(&b, SP_STACK, "lane", from->dtype, 1, &lanes);

	int nrounded = v->rounded.n;

	if (has_edge)
		open_edge(v, &b, s, t);
	const struct sn_expr *i = open_lane_loop(v, &b, s, idx);

	sn_at_store(&b, t, &i, sn_at_load(&b, name, from, idx));
	sn_at_end(&b);
	if (has_edge) {
		sn_at_end(&b);
		v->rounded.n = nrounded;
	}
	const struct sn_expr *x = sn_at_load_lanes(&b, name, t, &zero, v->loop->lanes,
						   v->loop->extent);

	sn_vec_set_varying(v, s->mem.local);
	sn_subst_put(&v->values, sn_local_expr(v->pool, s->mem.local), x);
}

static void
scatter(struct vec *v, struct sn_stmt *s, struct sn_block *out)
{
	struct sn_builder b = builder_at(v, out, s->origin);
	const struct sn_buffer *to = s->mem.buffer;
	const struct sn_expr *idx[ARRAY_LEN(to->dims)], *zero = sn_int(v->pool, 0);
	int64_t lanes = v->loop->lanes;
	struct sn_buffer *t = sn_at_alloc(&b, SP_STACK, "lane", to->dtype, 1, &lanes);

	sn_at_store_active(&b, t, &zero, value_of(v, s->mem.value), v->loop->extent);
	const struct sn_expr *i = open_lane_loop(v, &b, s, idx);

	sn_at_store(&b, to, idx, sn_at_load(&b, "x", t, &i));
	sn_at_end(&b);
}

static void
widen_load(struct vec *v, struct sn_stmt *s, struct sn_block *out)
{
	enum access ac = sn_vec_classify(v, s);

	if (ac == AC_STRIDED || ac == AC_MOSTLY) {
		gather(v, s, ac == AC_MOSTLY, out);
		return;
	}
	if (ac == AC_UNIT)
		index_at_lane_zero(v, s);
	if (ac != AC_UNIFORM)
		s->mem.local = widen_local(v, s->mem.local);
	sn_block_append(out, s);
}

static void
widen_store(struct vec *v, struct sn_stmt *s, struct sn_block *out)
{
	enum access ac = sn_vec_classify(v, s);

	if (ac == AC_STRIDED) {
		scatter(v, s, out);
		return;
	}
	if (ac == AC_UNIT)
		index_at_lane_zero(v, s);
	s->mem.value = value_of(v, s->mem.value);
	sn_block_append(out, s);
}

static void widen_block(struct vec *v, const struct sn_block *b, struct sn_block *out);

static void
widen_nested(struct vec *v, struct sn_block *b)
{
	struct sn_block body = { NULL, NULL };
	int n = v->rounded.n;

	widen_block(v, b, &body);
	v->rounded.n = n; /* what the block has allocated is gone */
	*b = body;
}

static void
widen_let(struct vec *v, struct sn_stmt *s)
{
	if (!sn_vec_is_varying(v, s->let.value))
		return;
	s->let.value = value_of(v, s->let.value);
	s->let.local = widen_local(v, s->let.local);
}

static void
widen_alloc(struct vec *v, struct sn_buffer *buf)
{
	sn_map_put_num(&v->private, (uint64_t)buf->id, buf);
	buf->lanes = v->loop->lanes;
}

static void
widen_stmt(struct vec *v, struct sn_stmt *s, struct sn_block *out)
{
	switch (s->kind) {
	case ST_LOAD: widen_load(v, s, out); return;
	case ST_STORE: widen_store(v, s, out); return;
	case ST_FOR: widen_nested(v, &s->loop.body); break;
	case ST_IF:
		widen_nested(v, &s->cond.then);
		widen_nested(v, &s->cond.otherwise);
		break;
	case ST_LET: widen_let(v, s); break;
	case ST_ALLOC: widen_alloc(v, s->alloc.buffer); break;
	case ST_PREFETCH:
	case ST_BARRIER:
	case ST_CHECK: break;
	}
	sn_block_append(out, s);
}

static void
widen_block(struct vec *v, const struct sn_block *b, struct sn_block *out)
{
	for (struct sn_stmt *s = b->first, *next; s; s = next) {
		next = s->next;
		widen_stmt(v, s, out);
	}
}

static void
widen_loop(struct vec *v, struct vloop *l, const struct sn_block *body, struct sn_block *out)
{
	const struct sn_expr *axis = sn_axis_expr(v->pool, l->axis);

	sn_vec_start(v, l);
	v->rounded.n = 0;
	sn_subst_init(&v->values, v->pool, v->scratch);
	sn_subst_init(&v->indices, v->pool, v->scratch);
	sn_subst_put(&v->values, axis, sn_iota(v->pool, sn_int(v->pool, 0), l->lanes));
	sn_subst_put(&v->indices, axis, sn_int(v->pool, 0));
	widen_block(v, body, out);
}

/* Explicit vector accesses of a buffer whose elements are vectors now. */
static void
drop_lane_index(const struct vec *v, struct sn_stmt *s)
{
	if (sn_vec_buffer(v, s->mem.buffer) && sn_vec_lanes_of(s) > 1)
		s->mem.idx[s->mem.buffer->rank - 1] = NULL;
}

void
sn_vec_rewrite(struct vec *v, struct sn_block *b)
{
	struct sn_block out = { NULL, NULL };

	for (struct sn_stmt *s = b->first, *next; s; s = next) {
		struct vloop *l = s->kind != ST_FOR
					  ? NULL
					  : sn_map_get_num(&v->loops, (uint64_t)s->loop.axis->id);

		next = s->next;
		if (l) {
			widen_loop(v, l, &s->loop.body, &out);
			continue;
		}
		if (s->kind == ST_FOR)
			sn_vec_rewrite(v, &s->loop.body);
		if (s->kind == ST_IF) {
			sn_vec_rewrite(v, &s->cond.then);
			sn_vec_rewrite(v, &s->cond.otherwise);
		}
		if (s->kind == ST_LOAD || s->kind == ST_STORE)
			drop_lane_index(v, s);
		sn_block_append(&out, s);
	}
	*b = out;
}
