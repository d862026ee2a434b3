/*
 * Inference of attention and rotary embedding.
 */
#include "ir/infer_help.h"
#include "ir/params.h"

/* Numbers of heads: from the attributes where the operands are packed, else dimension 1. */
static bool
count_heads(struct sn_pool *p, const struct sn_node *n, struct sn_attention *at)
{
	const struct sn_attrs_attention *a = sn_attrs(n, attention);
	const struct sn_type *q = &n->in[0].value->type, *k = &n->in[1].value->type;
	int64_t heads = a->q_num_heads, kv_heads = a->kv_num_heads;
	if (!at->is_packed
	    && (!sn_get_int(q->dims[1], &heads) || !sn_get_int(k->dims[1], &kv_heads)))
		return false;
	if (heads < 1 || kv_heads < 1 || heads % kv_heads)
		return false;
	at->q_heads = sn_int(p, heads);
	at->kv_heads = sn_int(p, kv_heads);
	at->repeat = heads / kv_heads;
	return true;
}

static bool
head_size(struct sn_pool *p, const struct sn_type *t, bool is_packed, const struct sn_expr *heads,
	  const struct sn_expr **out)
{
	*out = t->dims[t->rank - 1];
	return !is_packed || sn_shape_quotient(p, &t->dims[2], 1, &heads, 1, out);
}

bool
sn_node_attention(struct sn_pool *p, const struct sn_node *n, struct sn_attention *out)
{
	const struct sn_type *q = &n->in[0].value->type, *k = &n->in[1].value->type;
	const struct sn_type *v = &n->in[2].value->type;
	const struct sn_value *past = sn_in(n, 4);
	if ((q->rank != 3 && q->rank != 4) || k->rank != q->rank || v->rank != q->rank
	    || (past && past->type.rank != 4))
		return false;
	*out = (struct sn_attention){ .is_packed = q->rank == 3, .batch = q->dims[0] };
	out->q_len = q->dims[q->rank - 2];
	out->kv_len = k->dims[k->rank - 2];
	out->past_len = past ? past->type.dims[2] : sn_int(p, 0);
	out->total_len = sn_add(p, out->past_len, out->kv_len);
	return count_heads(p, n, out)
	       && head_size(p, q, out->is_packed, out->q_heads, &out->head_size)
	       && head_size(p, v, out->is_packed, out->kv_heads, &out->v_head_size);
}

/* Operand I, what is kept of earlier keys or values, of SIZE elements a head. */
static bool
require_past(struct sn_infer *c, struct sn_node *n, const struct sn_attention *a, int i,
	     sn_dim size)
{
	const sn_dim want[4] = { a->batch, a->kv_heads, a->past_len, size };
	if (!sn_in(n, i))
		return true;
	if (!sn_infer_check_rank(c, n, i, 4, 4))
		return false;
	for (int d = 0; d < 4; d++)
		if (want[d] && !sn_infer_require(c, n, OP_EQ, sn_in_type(n, i)->dims[d], want[d]))
			return false;
	return true;
}

/* Batch, lengths, heads and sizes that Q, K, V and what came before of them must share. */
static bool
require_alike(struct sn_infer *c, struct sn_node *n, const struct sn_attention *a)
{
	const struct sn_type *k = sn_in_type(n, 1);
	bool ok = sn_infer_check_dims(c, n, 0, 0, 1, 0) && sn_infer_check_dims(c, n, 1, 0, 2, 0)
		  && sn_infer_check_dims(c, n, 1, k->rank - 2, 2, k->rank - 2);
	if (ok && !a->is_packed)
		ok = sn_infer_check_dims(c, n, 0, 3, 1, 3) && sn_infer_check_dims(c, n, 1, 1, 2, 1);
	else if (ok)
		ok = sn_infer_require(c, n, OP_EQ, sn_mul(c->pool, a->q_heads, a->head_size),
				      sn_in_type(n, 0)->dims[2])
		     && sn_infer_require(c, n, OP_EQ, sn_mul(c->pool, a->kv_heads, a->head_size),
					 k->dims[2])
		     && sn_infer_require(c, n, OP_EQ, sn_mul(c->pool, a->kv_heads, a->v_head_size),
					 sn_in_type(n, 2)->dims[2]);
	return ok && require_past(c, n, a, 4, a->head_size)
	       && require_past(c, n, a, 5, a->v_head_size);
}

bool
sn_infer_attention(struct sn_infer *c, struct sn_node *n)
{
	struct sn_attention a;
	struct sn_type y = *sn_in_type(n, 0), t = y;
	if (!sn_node_attention(c->pool, n, &a))
		return SN_INFER_ERROR(c, n, DG_ATTR, "q_num_heads",
				      "(or the ranks and heads of Q, K and V) doesn't fit");
	if (!require_alike(c, n, &a))
		return false;
	if (a.is_packed)
		y.dims[2] = sn_mul(c->pool, a.q_heads, a.v_head_size);
	else
		y.dims[3] = a.v_head_size;
	sn_infer_set(c, n, 0, &y);
	t.rank = 4;
	t.dims[0] = a.batch;
	t.dims[1] = a.kv_heads;
	t.dims[2] = a.total_len;
	t.dims[3] = a.head_size;
	sn_infer_set(c, n, 1, &t);
	t.dims[3] = a.v_head_size;
	sn_infer_set(c, n, 2, &t);
	t.dims[1] = a.q_heads;
	t.dims[2] = a.q_len;
	t.dims[3] = a.total_len;
	return sn_infer_set(c, n, 3, &t);
}

/* Cosines and sines, of RANK dimensions: for each position half of what is rotated. */
static bool
check_angles(struct sn_infer *c, struct sn_node *n, int rank)
{
	const struct sn_attrs_rotary *at = sn_attrs(n, rotary);
	const struct sn_type *x = sn_in_type(n, 0);
	sn_dim size = x->rank == 4 ? x->dims[3] : sn_divk(c->pool, x->dims[2], at->num_heads);
	sn_dim rotated = at->rotary_embedding_dim > 0 ? sn_int(c->pool, at->rotary_embedding_dim)
						      : size;
	if (x->rank == 3 && !sn_infer_require_divides(c, n, at->num_heads, x->dims[2]))
		return false;
	for (int d = 0; d < rank - 1; d++)
		if (!sn_infer_check_dims(c, n, 1, d, 2, d))
			return false;
	for (int i = 1; i < 3; i++)
		if (!sn_infer_require(c, n, OP_EQ, sn_in_type(n, i)->dims[rank - 1],
				      sn_divk(c->pool, rotated, 2)))
			return false;
	return rank == 2
	       || (sn_infer_check_dims(c, n, 0, 0, 1, 0)
		   && sn_infer_check_dims(c, n, 0, x->rank - 2, 1, 1));
}

bool
sn_infer_rotary(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_rotary *at = sn_attrs(n, rotary);
	const struct sn_type *x = sn_in_type(n, 0);
	if (!sn_infer_check_rank(c, n, 0, 3, 4))
		return false;
	if (x->rank == 3 && at->num_heads < 1)
		return SN_INFER_ERROR(c, n, DG_ATTR, "num_heads", "must be given for 3 dimensions");
	int cache = sn_in(n, 3) ? 2 : 3;
	return sn_infer_check_rank(c, n, 1, cache, cache)
	       && sn_infer_check_rank(c, n, 2, cache, cache) && check_angles(c, n, cache)
	       && sn_infer_same(c, n);
}
