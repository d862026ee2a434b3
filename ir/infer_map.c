/*
 * Inference of elementwise operators, and of casts and quantisation, whose
 * results have the shape of an operand.
 */
#include <string.h>
#include "ir/infer_help.h"
#include "ir/map.h"

/* ---- maps ------------------------------------------------------------------------------------- */

/* Element types agree; the type of the result. Rows with W have a condition before. */
static bool
map_dtype(struct sn_infer *c, struct sn_node *n, const char *traits, enum sn_dtype *out)
{
	int first = strchr(traits, 'W') ? 1 : 0;
	*out = strchr(traits, 'B') ? DT_BOOL : sn_in_type(n, first)->dtype;
	if (first && sn_in_type(n, 0)->dtype != DT_BOOL)
		return SN_INFER_ERROR(c, n, DG_OPERAND_CLASS, sn_in_name(n, 0),
				      sn_infer_text(c, sn_in_type(n, 0)), "bool");
	for (int i = first + 1; !strchr(traits, 'M') && i < n->nin; i++)
		if (!sn_infer_check_same(c, n, first, i))
			return false;
	return true;
}

/* Of the operands' shapes by broadcasting; operand 0's where the traits say that it is. */
static bool
map_shape(struct sn_infer *c, struct sn_node *n, const char *traits, struct sn_type *t)
{
	*t = *sn_in_type(n, 0);
	for (int i = 1; i < n->nin; i++) {
		if (!sn_in(n, i))
			continue;
		const struct sn_type *x = sn_in_type(n, i);
		if (!sn_shape_broadcast(c->pool, t, x, t))
			return SN_INFER_ERROR(c, n, DG_BROADCAST, sn_in_name(n, 0),
					      sn_infer_text(c, sn_in_type(n, 0)), sn_in_name(n, i),
					      sn_infer_text(c, x));
	}
	if (strchr(traits, 'U') && t->rank == sn_in_type(n, 0)->rank)
		*t = *sn_in_type(n, 0);
	for (int i = 0; n->nin > 1 && i < n->nin; i++)
		if (sn_in(n, i) && !sn_infer_require_fits(c, n, sn_in_type(n, i), t))
			return false;
	return true;
}

/* Which element of an operand of type X the element AT of a result of type T reads. */
static int
broadcast_index(const struct sn_type *t, const struct sn_type *x, int at)
{
	int index = 0, stride = 1;
	for (int i = t->rank - 1, j = x->rank - 1; j >= 0; i--, j--) {
		int64_t ti = 1, xj = 1;
		sn_get_int(t->dims[i], &ti);
		sn_get_int(x->dims[j], &xj);
		index += (int)(xj == 1 ? 0 : at % ti) * stride;
		stride *= (int)xj;
		at /= (int)ti;
	}
	return index;
}

enum { MAX_MAP_OPERANDS = 16 };

static sn_dim
known_element(struct sn_infer *c, const struct sn_node *n, const struct sn_type *t,
	      const sn_dim *const *known, int at)
{
	sn_dim args[MAX_MAP_OPERANDS];
	for (int i = 0; i < n->nin; i++)
		args[i] = sn_in(n, i) ? known[i][broadcast_index(t, sn_in_type(n, i), at)] : NULL;
	if (!strchr(sn_graph_op_info(n->op)->traits, 'V'))
		return sn_map_body(c->pool, n->op, n->attrs, args, n->nin);
	sn_dim e = args[0];
	for (int i = 1; i < n->nin; i++) {
		const sn_dim pair[2] = { e, args[i] };
		e = sn_map_body(c->pool, n->op, n->attrs, pair, 2);
		if (!e)
			return NULL;
	}
	return e;
}

/* Elements of the result where all operands' are known; integers have to be exact in i64. */
static void
map_known(struct sn_infer *c, struct sn_node *n, const struct sn_type *t)
{
	const sn_dim *known[MAX_MAP_OPERANDS];
	sn_dim out[SN_MAX_KNOWN];
	int64_t count;
	if (n->nin > MAX_MAP_OPERANDS || !sn_type_is_static(t, &count) || count > SN_MAX_KNOWN)
		return;
	for (int i = 0; i < n->nin; i++) {
		int nelems;
		known[i] = sn_infer_known(c, n, i, &nelems);
		if (sn_in(n, i) && !known[i])
			return;
	}
	for (int i = 0; i < (int)count; i++) {
		out[i] = known_element(c, n, t, known, i);
		if (!out[i])
			return;
	}
	sn_infer_set_known(c, n, 0, out, (int)count);
}

bool
sn_infer_map(struct sn_infer *c, struct sn_node *n)
{
	const char *traits = sn_graph_op_info(n->op)->traits;
	enum sn_dtype dtype;
	struct sn_type t;
	if (!map_dtype(c, n, traits, &dtype) || !map_shape(c, n, traits, &t))
		return false;
	if (strchr(traits, 'U') && t.rank > sn_in_type(n, 0)->rank)
		return SN_INFER_ERROR(c, n, DG_BROADCAST, sn_in_name(n, 0),
				      sn_infer_text(c, sn_in_type(n, 0)), sn_in_name(n, 1),
				      sn_infer_text(c, sn_in_type(n, 1)));
	t.dtype = dtype;
	sn_infer_set(c, n, 0, &t);
	/* bits of unsigned and narrow integers are not those of a dimension */
	enum sn_dtype in = sn_in_type(n, 0)->dtype;
	if (strchr(traits, 'i') == NULL && in != DT_U64)
		map_known(c, n, &t);
	return true;
}

/* ---- casts ------------------------------------------------------------------------------------ */

/* A known element in type TO. A dimension that went to float and back is taken as exact. */
static sn_dim
cast_known(struct sn_pool *p, sn_dim e, enum sn_dtype to)
{
	enum sn_dtype from = (enum sn_dtype)e->dtype;
	if (sn_is_int(to) && from == DT_I64)
		return e;
	if (sn_is_int(to) && e->kind == EX_OP && e->op == OP_CAST && e->args[0]->dtype == DT_I64)
		return e->args[0];
	if (to == DT_BOOL && from != DT_BOOL)
		return sn_op2(p, OP_NE, e, sn_float(p, from, 0));
	return sn_cast(p, sn_is_int(to) ? DT_I64 : to, e);
}

static bool
set_cast(struct sn_infer *c, struct sn_node *n, enum sn_dtype to)
{
	int count;
	const sn_dim *known = sn_infer_known(c, n, 0, &count);
	struct sn_type t = *sn_in_type(n, 0);
	t.dtype = to;
	sn_infer_set(c, n, 0, &t);
	bool is_wide = to == DT_I64 || to == DT_I32 || to == DT_F32 || to == DT_F64
		       || to == DT_BOOL;
	if (!known || !is_wide)
		return true;
	sn_dim out[SN_MAX_KNOWN];
	for (int i = 0; i < count; i++)
		out[i] = cast_known(c->pool, known[i], to);
	return sn_infer_set_known(c, n, 0, out, count);
}

/* The element type with ONNX number TO, as attribute NAME. */
static bool
attr_dtype(struct sn_infer *c, struct sn_node *n, const char *name, int64_t to, enum sn_dtype *out)
{
	*out = to >= 0 && to <= INT32_MAX ? sn_dtype_by_onnx((int)to) : DT_NONE;
	return *out != DT_NONE
	       || SN_INFER_ERROR(c, n, DG_ATTR, name,
				 sn_printf(c->arena, "is %lld, which is no element type",
					   (long long)to));
}

bool
sn_infer_cast(struct sn_infer *c, struct sn_node *n)
{
	enum sn_dtype to;
	return attr_dtype(c, n, "to", sn_attrs(n, cast)->to, &to) && set_cast(c, n, to);
}

bool
sn_infer_cast_like(struct sn_infer *c, struct sn_node *n)
{
	return set_cast(c, n, sn_in_type(n, 1)->dtype);
}

bool
sn_infer_bit_cast(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	enum sn_dtype from = t.dtype;
	if (!attr_dtype(c, n, "to", sn_attrs(n, to)->to, &t.dtype))
		return false;
	if (sn_dtype_info(from)->bits != sn_dtype_info(t.dtype)->bits)
		return SN_INFER_ERROR(c, n, DG_ATTR, "to",
				      sn_printf(c->arena, "is %s, which has not the bits of %s",
						sn_dtype_info(t.dtype)->text,
						sn_dtype_info(from)->text));
	return sn_infer_set(c, n, 0, &t);
}

/* ---- the shape of operand 0 ------------------------------------------------------------------- */

bool
sn_infer_same(struct sn_infer *c, struct sn_node *n)
{
	return sn_infer_set(c, n, 0, sn_in_type(n, 0));
}

/* The first attribute of the node's set is the axis. */
bool
sn_infer_same_axis(struct sn_infer *c, struct sn_node *n)
{
	int axis;
	return sn_infer_axis(c, n, sn_attrs(n, axis)->axis, sn_in_type(n, 0)->rank, &axis)
	       && sn_infer_same(c, n);
}

bool
sn_infer_dropout(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type mask = *sn_in_type(n, 0);
	mask.dtype = DT_BOOL;
	return sn_infer_same(c, n) && sn_infer_set(c, n, 1, &mask);
}

/* ---- quantisation ----------------------------------------------------------------------------- */

/* Scale of one number, of one per element of the axis, or of one per block along it. */
static bool
check_scale(struct sn_infer *c, struct sn_node *n, int64_t axis, int64_t block)
{
	const struct sn_type *x = sn_in_type(n, 0), *s = sn_in_type(n, 1);
	int64_t one;
	int a;
	if (s->rank == 0 || (s->rank == 1 && sn_get_int(s->dims[0], &one) && one == 1))
		return true;
	if (!sn_infer_axis(c, n, axis, x->rank, &a))
		return false;
	for (int i = 0; block > 0 && i < s->rank && s->rank == x->rank; i++) {
		sn_dim want = i != a ? x->dims[i]
				     : sn_divk(c->pool, sn_addk(c->pool, x->dims[i], block - 1),
					       block);
		if (!sn_infer_require(c, n, OP_EQ, s->dims[i], want))
			return false;
	}
	if (block > 0)
		return sn_infer_check_rank(c, n, 1, x->rank, x->rank);
	return sn_infer_check_rank(c, n, 1, 1, 1) && sn_infer_check_dims(c, n, 0, a, 1, 0);
}

bool
sn_infer_quantize(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_quantize *at = sn_attrs(n, quantize);
	struct sn_type t = *sn_in_type(n, 0);
	t.dtype = sn_in(n, 2) ? sn_in_type(n, 2)->dtype : DT_U8;
	if (!sn_in(n, 2) && at->output_dtype
	    && !attr_dtype(c, n, "output_dtype", at->output_dtype, &t.dtype))
		return false;
	return check_scale(c, n, at->axis, at->block_size) && sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_dequantize(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_dequantize *at = sn_attrs(n, dequantize);
	struct sn_type t = *sn_in_type(n, 0);
	t.dtype = sn_in_type(n, 1)->dtype;
	if (at->output_dtype && !attr_dtype(c, n, "output_dtype", at->output_dtype, &t.dtype))
		return false;
	return check_scale(c, n, at->axis, at->block_size) && sn_infer_check_same(c, n, 0, 2)
	       && sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_dynamic_quantize(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	struct sn_type scale = sn_infer_type(DT_F32, 0, NULL), zero = sn_infer_type(DT_U8, 0, NULL);
	t.dtype = DT_U8;
	return sn_infer_set(c, n, 0, &t) && sn_infer_set(c, n, 1, &scale)
	       && sn_infer_set(c, n, 2, &zero);
}
