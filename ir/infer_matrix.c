/*
 * Inference of matrix products and reductions.
 */
#include <string.h>
#include "ir/infer_help.h"
#include "ir/params.h"

/* ---- products --------------------------------------------------------------------------------- */

/* numpy's matmul of operands A and B: a missing row or column dimension counts as 1 and goes. */
static bool
matmul_shape(struct sn_infer *c, struct sn_node *n, int sa, int sb, struct sn_type *out)
{
	const struct sn_type *a = sn_in_type(n, sa), *b = sn_in_type(n, sb);
	if (!sn_infer_check_rank(c, n, sa, 1, SN_MAX_RANK)
	    || !sn_infer_check_rank(c, n, sb, 1, SN_MAX_RANK)
	    || !sn_infer_check_dims(c, n, sa, a->rank - 1, sb, b->rank > 1 ? b->rank - 2 : 0))
		return false;
	struct sn_type ba = *a, bb = *b;
	ba.rank = a->rank > 2 ? a->rank - 2 : 0;
	bb.rank = b->rank > 2 ? b->rank - 2 : 0;
	if (!sn_shape_broadcast(c->pool, &ba, &bb, out))
		return SN_INFER_ERROR(c, n, DG_BROADCAST, sn_in_name(n, sa), sn_infer_text(c, a),
				      sn_in_name(n, sb), sn_infer_text(c, b));
	if (!sn_infer_require_fits(c, n, &ba, out) || !sn_infer_require_fits(c, n, &bb, out))
		return false;
	if (a->rank > 1)
		out->dims[out->rank++] = a->dims[a->rank - 2];
	if (b->rank > 1)
		out->dims[out->rank++] = b->dims[b->rank - 1];
	return true;
}

bool
sn_infer_mat_mul(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t;
	return sn_infer_check_same(c, n, 0, 1) && matmul_shape(c, n, 0, 1, &t)
	       && sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_mat_mul_integer(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t;
	if (!matmul_shape(c, n, 0, 1, &t) || !sn_infer_check_same(c, n, 0, 2)
	    || !sn_infer_check_same(c, n, 1, 3))
		return false;
	t.dtype = DT_I32;
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_q_linear_mat_mul(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t;
	if (!matmul_shape(c, n, 0, 3, &t) || !sn_infer_check_same(c, n, 0, 2)
	    || !sn_infer_check_same(c, n, 3, 5))
		return false;
	t.dtype = sn_in_type(n, 7)->dtype;
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_gemm(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_gemm *at = sn_attrs(n, gemm);
	if (!sn_infer_check_rank(c, n, 0, 2, 2) || !sn_infer_check_rank(c, n, 1, 2, 2)
	    || !sn_infer_check_same(c, n, 0, 1) || !sn_infer_check_same(c, n, 0, 2)
	    || !sn_infer_check_dims(c, n, 0, at->transA ? 0 : 1, 1, at->transB ? 1 : 0))
		return false;
	struct sn_type t = *sn_in_type(n, 0), u;
	t.dims[0] = sn_in_type(n, 0)->dims[at->transA ? 1 : 0];
	t.dims[1] = sn_in_type(n, 1)->dims[at->transB ? 0 : 1];
	if (sn_in(n, 2) && (!sn_shape_broadcast(c->pool, &t, sn_in_type(n, 2), &u) || u.rank > 2))
		return SN_INFER_ERROR(c, n, DG_BROADCAST, "A*B", sn_infer_text(c, &t),
				      sn_in_name(n, 2), sn_infer_text(c, sn_in_type(n, 2)));
	return (!sn_in(n, 2) || sn_infer_require_fits(c, n, sn_in_type(n, 2), &t))
	       && sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_einsum(struct sn_infer *c, struct sn_node *n)
{
	struct sn_einsum e;
	struct sn_type t = *sn_in_type(n, 0);
	for (int i = 1; i < n->nin; i++)
		if (!sn_infer_check_same(c, n, 0, i))
			return false;
	if (!sn_node_einsum(c->pool, n, &e))
		return SN_INFER_ERROR(c, n, DG_ATTR, "equation",
				      sn_printf(c->arena, "'%s' doesn't fit the operands' shapes",
						sn_attrs(n, einsum)->equation));
	for (int i = 0; i < n->nin; i++) {
		const struct sn_type *x = sn_in_type(n, i);
		struct sn_type to = *x;
		for (int d = 0; d < x->rank; d++)
			to.dims[d] = e.extent[e.label[i][d]];
		if (!sn_infer_require_fits(c, n, x, &to))
			return false;
	}
	t.rank = e.rank[e.nterms];
	for (int i = 0; i < t.rank; i++)
		t.dims[i] = e.extent[e.label[e.nterms][i]];
	return sn_infer_set(c, n, 0, &t);
}

/* ---- reductions ------------------------------------------------------------------------------- */

static struct sn_type
reduced(struct sn_pool *p, const struct sn_type *x, unsigned axes, bool is_kept)
{
	struct sn_type t = *x;
	t.rank = 0;
	for (int i = 0; i < x->rank; i++) {
		if (!(axes >> i & 1))
			t.dims[t.rank++] = x->dims[i];
		else if (is_kept)
			t.dims[t.rank++] = sn_int(p, 1);
	}
	return t;
}

/* Reducers of known elements, for the products and sums of dimensions. */
static const struct {
	enum sn_graph_op op;
	enum sn_scalar_op step;
} known_reducers[] = {
	{ GR_REDUCE_PROD, OP_MUL },
	{ GR_REDUCE_SUM, OP_ADD },
	{ GR_REDUCE_MAX, OP_MAX },
	{ GR_REDUCE_MIN, OP_MIN },
};

static void
reduce_known(struct sn_infer *c, struct sn_node *n, unsigned axes)
{
	int count;
	const sn_dim *known = sn_infer_known(c, n, 0, &count);
	if (!known || sn_in_type(n, 0)->rank != 1 || axes != 1 || count == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(known_reducers); i++) {
		if (known_reducers[i].op != n->op || known[0]->dtype != DT_I64)
			continue;
		sn_dim e = known[0];
		for (int j = 1; j < count; j++)
			e = sn_op2(c->pool, known_reducers[i].step, e, known[j]);
		sn_infer_set_known(c, n, 0, &e, 1);
	}
}

bool
sn_infer_reduce(struct sn_infer *c, struct sn_node *n)
{
	struct sn_ints list;
	unsigned axes;
	const struct sn_type *x = sn_in_type(n, 0);
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, x->dtype))
		return true;
	if (!sn_infer_ints(c, n, 1, "axes", &list) || !sn_infer_axes(c, n, &list, x->rank, &axes)
	    || !sn_node_reduce_axes(n, &axes))
		return false;
	struct sn_type t = reduced(c->pool, x, axes, sn_attrs(n, reduce)->keepdims != 0);
	sn_infer_set(c, n, 0, &t);
	reduce_known(c, n, axes);
	return true;
}

bool
sn_infer_arg(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_arg *at = sn_attrs(n, arg);
	int axis;
	if (!sn_infer_axis(c, n, at->axis, sn_in_type(n, 0)->rank, &axis))
		return false;
	struct sn_type t = reduced(c->pool, sn_in_type(n, 0), 1u << axis, at->keepdims != 0);
	t.dtype = DT_I64;
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_cum(struct sn_infer *c, struct sn_node *n)
{
	struct sn_ints axis;
	int a;
	if (sn_infer_is_runtime(c, n, 1))
		return sn_infer_same(c, n);
	return sn_infer_ints(c, n, 1, "axis", &axis)
	       && (axis.n == 1
		   || SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "axis",
				     "must be one number"))
	       && sn_infer_axis(c, n, axis.v[0], sn_in_type(n, 0)->rank, &a) && sn_infer_same(c, n);
}
