/*
 * Lowering of attention and rotary embedding.
 *
 *	qk = q * k' * scale (+ mask); p = softmax(qk); y = p * v
 *
 * as one kernel of stages over batch, head and query, so that what holds for
 * attention written in twelve operators holds for this one.
 */
#include <math.h>
#include "ir/params.h"
#include "passes/lower_math.h"

struct attention {
	struct sn_attention at;
	struct sn_tensor *k, *v;	 /* with the past in front */
	const struct sn_axis *shared[3]; /* batch, head, query */
	const struct sn_expr *dims[4];	 /* their extents, then that of the keys */
	enum sn_dtype type;
};

/* Element d of head H at place S, of an operand with four dimensions or three. */
static sn_ex
head_element(struct sn_lower *c, const struct attention *a, struct sn_tensor *t, bool is_packed,
	     const sn_ex *idx, sn_ex size)
{
	sn_ex packed[3] = { idx[0], idx[2], ADD(MUL(idx[1], size), idx[3]) };
	return CAST(a->type, sn_lower_read(c, t, is_packed ? packed : idx));
}

/* One part of the present keys or values: operand SLOT, from OFFSET on. */
static void
store_part(struct sn_lower *c, const struct attention *a, int slot, bool is_packed,
	   struct sn_tensor *present, sn_ex offset)
{
	struct sn_tensor *x = sn_lower_in(c, slot);
	struct sn_type t = present->type;
	t.dims[2] = is_packed ? x->type.dims[1] : x->type.dims[2];
	if (sn_is_int_const(t.dims[2], 0))
		return;
	struct sn_comp *m = sn_lower_comp(c, &t);
	sn_ex from[4], to[4];
	for (int i = 0; i < 4; i++)
		from[i] = to[i] = AXIS(m, i);
	to[2] = ADD(to[2], offset);
	sn_ex e = head_element(c, a, x, is_packed, from, t.dims[3]);
	sn_lower_store_at(m, present, to, CAST(t.dtype, e));
}

/* Keys or values with what came before; the operand itself if nothing did and nobody asks. */
static struct sn_tensor *
present(struct sn_lower *c, struct attention *a, int slot, int past, int result, sn_ex head_size)
{
	struct sn_tensor *x = sn_lower_in(c, slot), *y = sn_lower_out(c, result);
	if (!y && !sn_in(c->node, past))
		return x;
	if (!y) {
		sn_ex dims[4] = { a->at.batch, a->at.kv_heads, a->at.total_len, head_size };
		y = sn_lower_temp(c, slot == 1 ? "keys" : "values", x->type.dtype, 4, dims);
	}
	if (sn_in(c->node, past))
		store_part(c, a, past, false, y, INT(0));
	store_part(c, a, slot, a->at.is_packed, y, sn_in(c->node, past) ? a->at.past_len : INT(0));
	return y;
}

/* The key head of the query head at axis 1. */
static sn_ex
kv_head(struct sn_lower *c, const struct attention *a, sn_ex head)
{
	return sn_divk(c->pool, head, a->at.repeat);
}

/* The mask's element for query S and key T added to E; beyond the mask's end nothing is seen. */
static sn_ex
masked(struct sn_lower *c, struct sn_comp *m, sn_ex e, sn_ex t)
{
	struct sn_tensor *mask = sn_lower_in(c, 3);
	sn_ex idx[SN_MAX_RANK], nothing = LIKE(e, -INFINITY);
	if (!mask)
		return e;
	int rank = mask->type.rank;
	for (int i = 0; i < rank - 1; i++)
		idx[i] = sn_lower_broadcast_index(c, AXIS(m, i + 4 - rank),
						  m->axes[i + 4 - rank]->extent,
						  mask->type.dims[i]);
	idx[rank - 1] = t;
	bool is_bool = mask->type.dtype == DT_BOOL;
	sn_ex x = sn_read(c->pool, mask, idx, rank,
			  sn_float(c->pool, mask->type.dtype, is_bool ? 0 : -INFINITY));
	return is_bool ? SEL(x, e, nothing) : ADD(e, CAST((enum sn_dtype)e->dtype, x));
}

/* Keys that the query must not see: later ones, and padding. */
static sn_ex
hidden(struct sn_lower *c, const struct attention *a, struct sn_comp *m, sn_ex e, sn_ex t)
{
	struct sn_tensor *lengths = sn_lower_in(c, 6);
	sn_ex nothing = LIKE(e, -INFINITY), batch = AXIS(m, 0);
	if (sn_attrs(c->node, attention)->is_causal)
		e = SEL(LE(t, ADD(AXIS(m, 2), a->at.past_len)), e, nothing);
	if (lengths)
		e = SEL(LT(t, CAST(DT_I64, sn_lower_read(c, lengths, &batch))), e, nothing);
	return e;
}

static struct sn_tensor *
temp(struct sn_lower *c, const struct attention *a, const char *name, int rank)
{
	return sn_lower_temp(c, name, a->type, rank, a->dims);
}

/* A stage over batch, head, query and, in parallel, keys. */
static struct sn_comp *
key_stage(struct sn_lower *c, const struct attention *a)
{
	struct sn_comp *m = sn_lower_stage(c, a->shared, 3);
	m->axes[m->naxes++] = sn_axis_new(c->pool, "t", a->at.total_len);
	return m;
}

/* The stage that reduces tensor X over keys by REDUCER. */
static struct sn_tensor *
over_keys(struct sn_lower *c, const struct attention *a, struct sn_tensor *x, const char *reducer)
{
	struct sn_tensor *y = temp(c, a, reducer, 3);
	struct sn_comp *m = sn_lower_stage(c, a->shared, 3);
	sn_ex idx[4] = { AXIS(m, 0), AXIS(m, 1), AXIS(m, 2),
			 sn_lower_red(c, m, "t", a->at.total_len) };
	STORE(m, y, sn_lower_reduce(c, m, reducer, sn_lower_read(c, x, idx)));
	return y;
}

/* Result 3 is what the mode says: the product, with the mask, or the softmax. */
static void
store_product(struct sn_lower *c, struct sn_comp *m, bool is_it, sn_ex e)
{
	struct sn_tensor *y = sn_lower_out(c, 3);
	if (y && is_it)
		STORE(m, y, e);
}

static struct sn_tensor *
score_stage(struct sn_lower *c, const struct attention *a)
{
	const struct sn_attrs_attention *at = sn_attrs(c->node, attention);
	struct sn_tensor *scores = temp(c, a, "qk", 4);
	struct sn_comp *m = key_stage(c, a);
	sn_ex t = AXIS(m, 3), d = sn_lower_red(c, m, "d", a->at.head_size);
	sn_ex qi[4] = { AXIS(m, 0), AXIS(m, 1), AXIS(m, 2), d };
	sn_ex ki[4] = { AXIS(m, 0), kv_head(c, a, AXIS(m, 1)), t, d };
	sn_ex q = head_element(c, a, sn_lower_in(c, 0), a->at.is_packed, qi, a->at.head_size);
	sn_ex k = head_element(c, a, a->k, a->k->type.rank == 3, ki, a->at.head_size);
	sn_ex e = sn_lower_reduce(c, m, "sum", MUL(q, k));
	sn_ex scale = isnan(at->scale) ? DIV(LIKE(e, 1), SQRT(CAST(a->type, a->at.head_size)))
				       : LIKE(e, at->scale);
	e = MUL(e, scale);
	if (at->softcap > 0)
		e = MUL(sn_op1(c->pool, OP_TANH, DIV(e, LIKE(e, at->softcap))),
			LIKE(e, at->softcap));
	store_product(c, m, at->qk_matmul_output_mode < 2, e);
	e = hidden(c, a, m, masked(c, m, e, t), t);
	store_product(c, m, at->qk_matmul_output_mode == 2, e);
	STORE(m, scores, e);
	return scores;
}

static struct sn_tensor *
softmax_stages(struct sn_lower *c, const struct attention *a, struct sn_tensor *scores)
{
	struct sn_tensor *max = over_keys(c, a, scores, "max");
	struct sn_tensor *exps = temp(c, a, "exp", 4), *p = temp(c, a, "p", 4);
	struct sn_comp *m = key_stage(c, a);
	sn_ex idx[4] = { AXIS(m, 0), AXIS(m, 1), AXIS(m, 2), AXIS(m, 3) };
	STORE(m, exps, EXP(SUB(sn_lower_read(c, scores, idx), sn_lower_read(c, max, idx))));
	struct sn_tensor *sum = over_keys(c, a, exps, "sum");
	m = key_stage(c, a);
	idx[3] = AXIS(m, 3);
	sn_ex e = DIV(sn_lower_read(c, exps, idx), sn_lower_read(c, sum, idx));
	STORE(m, p, e);
	store_product(c, m, sn_attrs(c->node, attention)->qk_matmul_output_mode == 3, e);
	return p;
}

static void
value_stage(struct sn_lower *c, const struct attention *a, struct sn_tensor *p, struct sn_tensor *y)
{
	struct sn_comp *m = sn_lower_stage(c, a->shared, 3);
	m->axes[m->naxes++] = sn_axis_new(c->pool, "d", a->at.v_head_size);
	sn_ex t = sn_lower_red(c, m, "t", a->at.total_len);
	sn_ex pi[4] = { AXIS(m, 0), AXIS(m, 1), AXIS(m, 2), t };
	sn_ex vi[4] = { AXIS(m, 0), kv_head(c, a, AXIS(m, 1)), t, AXIS(m, 3) };
	sn_ex v = head_element(c, a, a->v, a->v->type.rank == 3, vi, a->at.v_head_size);
	sn_ex e = sn_lower_reduce(c, m, "sum", MUL(sn_lower_read(c, p, pi), v));
	sn_ex packed[3] = { AXIS(m, 0), AXIS(m, 2),
			    ADD(MUL(AXIS(m, 1), a->at.v_head_size), AXIS(m, 3)) };
	sn_ex plain[4] = { AXIS(m, 0), AXIS(m, 1), AXIS(m, 2), AXIS(m, 3) };
	sn_lower_store_at(m, y, a->at.is_packed ? packed : plain, CAST(y->type.dtype, e));
}

bool
sn_lower_attention(struct sn_lower *c)
{
	static const char *const names[3] = { "b", "h", "s" };
	struct attention a = { .type = sn_lower_compute_type(sn_lower_in(c, 0)->type.dtype) };
	struct sn_tensor *y = sn_lower_out(c, 0);
	if (!sn_node_attention(c->pool, c->node, &a.at))
		return sn_lower_refuse(c, "a symbolic number of heads");
	a.dims[0] = a.at.batch;
	a.dims[1] = a.at.q_heads;
	a.dims[2] = a.at.q_len;
	a.dims[3] = a.at.total_len;
	for (int i = 0; i < 3; i++)
		a.shared[i] = sn_axis_new(c->pool, names[i], a.dims[i]);
	a.k = present(c, &a, 1, 4, 1, a.at.head_size);
	a.v = present(c, &a, 2, 5, 2, a.at.v_head_size);
	struct sn_tensor *p = softmax_stages(c, &a, score_stage(c, &a));
	if (y)
		value_stage(c, &a, p, y);
	return true;
}

/* ---- rotary embedding ------------------------------------------------------------------------- */

/* Angle element J of cache operand SLOT, at batch B and place S: by position, or one for each. */
static sn_ex
angle(struct sn_lower *c, int slot, sn_ex b, sn_ex s, sn_ex j)
{
	struct sn_tensor *cache = sn_lower_in(c, slot), *positions = sn_lower_in(c, 3);
	if (!positions) {
		sn_ex idx[3] = { b, s, j };
		return sn_lower_widen(c, sn_lower_read(c, cache, idx));
	}
	sn_ex at[2] = { b, s }, place = CAST(DT_I64, sn_lower_read(c, positions, at));
	place = sn_op2(c->pool, OP_WITHIN, place, cache->type.dims[0]);
	sn_ex idx[2] = { place, j };
	return sn_lower_widen(c, sn_lower_read(c, cache, idx));
}

/* Element D of head H; X has three dimensions or four. */
static sn_ex
rotary_element(struct sn_lower *c, struct sn_tensor *x, const sn_ex *at, sn_ex size, sn_ex d)
{
	sn_ex plain[4] = { at[0], at[1], at[2], d },
	      packed[3] = { at[0], at[2], ADD(MUL(at[1], size), d) };
	return sn_lower_widen(c, sn_lower_read(c, x, x->type.rank == 4 ? plain : packed));
}

/* Pairs (x1, x2) of a head become (cos x1 - sin x2, sin x1 + cos x2); what is beyond the rotated part
 * is copied. One comprehension for each half and one for the rest. */
static void
rotary_part(struct sn_lower *c, struct sn_tensor *y, const struct sn_type *t, int part, sn_ex half)
{
	bool is_interleaved = sn_attrs(c->node, rotary)->interleaved != 0;
	struct sn_tensor *x = sn_lower_in(c, 0);
	struct sn_comp *m = sn_lower_comp(c, t);
	sn_ex size = y->type.dims[3];
	sn_ex at[3] = { AXIS(m, 0), AXIS(m, 1), AXIS(m, 2) }, j = AXIS(m, 3), e, d;
	if (part < 2) {
		sn_ex d1 = is_interleaved ? sn_mulk(c->pool, j, 2) : j;
		sn_ex d2 = is_interleaved ? sn_addk(c->pool, d1, 1) : ADD(j, half);
		sn_ex x1 = rotary_element(c, x, at, size, d1),
		      x2 = rotary_element(c, x, at, size, d2);
		sn_ex cos = angle(c, 1, at[0], at[2], j), sin = angle(c, 2, at[0], at[2], j);
		e = part == 0 ? SUB(MUL(cos, x1), MUL(sin, x2)) : ADD(MUL(sin, x1), MUL(cos, x2));
		d = part == 0 ? d1 : d2;
	} else {
		d = ADD(j, sn_mulk(c->pool, half, 2));
		e = rotary_element(c, x, at, size, d);
	}
	sn_ex idx[4] = { at[0], at[1], at[2], d };
	sn_lower_store_at(m, y, idx, CAST(y->type.dtype, e));
}

/* Y with three dimensions from X, which has the heads apart. */
static void
pack_heads(struct sn_lower *c, struct sn_tensor *x, struct sn_tensor *y)
{
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex size = x->type.dims[3];
	sn_ex idx[4] = { AXIS(m, 0), FLOORDIV(AXIS(m, 2), size), AXIS(m, 1),
			 MOD(AXIS(m, 2), size) };
	STORE(m, y, sn_lower_read(c, x, idx));
}

bool
sn_lower_rotary(struct sn_lower *c)
{
	const struct sn_attrs_rotary *at = sn_attrs(c->node, rotary);
	struct sn_tensor *out = sn_lower_out(c, 0), *y = out;
	const struct sn_type *x = &out->type;
	bool is_packed = x->rank == 3;
	sn_ex size = is_packed ? sn_divk(c->pool, x->dims[2], at->num_heads) : x->dims[3];
	sn_ex heads = is_packed ? INT(at->num_heads) : x->dims[1];
	struct sn_type t = { .kind = TY_TENSOR,
			     .dtype = x->dtype,
			     .rank = 4,
			     .dims = { x->dims[0], heads, x->dims[is_packed ? 1 : 2], size } };
	if (is_packed)
		y = sn_lower_temp(c, "heads", x->dtype, 4, t.dims);
	sn_ex rotated = at->rotary_embedding_dim > 0 ? INT(at->rotary_embedding_dim) : size;
	sn_ex half = sn_divk(c->pool, rotated, 2), rest = SUB(size, sn_mulk(c->pool, half, 2));
	for (int part = 0; part < 3; part++) {
		t.dims[3] = part < 2 ? half : rest;
		if (!sn_is_int_const(t.dims[3], 0))
			rotary_part(c, y, &t, part, half);
	}
	if (is_packed)
		pack_heads(c, y, out);
	return true;
}
