/*
 * Inference of operators that make or change shapes: what an exporter's
 * Shape, Gather, Concat, Reshape chains are made of.  They carry known elements.
 */
#include "ir/infer_help.h"
#include "ir/index.h"
#include "ir/params.h"

/* ---- sources ---------------------------------------------------------------------------------- */

static bool
set_constant(struct sn_infer *c, struct sn_node *n, const struct sn_type *t,
	     const struct sn_data *data)
{
	if (n->out[0])
		n->out[0]->data = data;
	return sn_infer_set(c, n, 0, t);
}

/* A scalar or, with n >= 0, a vector of f32 or i64. */
static bool
list_constant(struct sn_infer *c, struct sn_node *n, enum sn_dtype t, const void *v, int count)
{
	void *bytes;
	sn_dim dim = sn_int(c->pool, count);
	struct sn_type type = sn_infer_type(t, count < 0 ? 0 : 1, &dim);
	struct sn_data *d = sn_data_new(c->arena, t, count < 0 ? 1 : (size_t)count, &bytes);
	for (size_t i = 0; i < d->n; i++)
		sn_dtype_store(t, bytes, i, sn_dtype_load(t, v, i));
	return set_constant(c, n, &type, d);
}

bool
sn_infer_constant(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_constant *at = sn_attrs(n, constant);
	if (at->value.data) {
		struct sn_type t = sn_infer_type(at->value.data->dtype, at->value.rank, NULL);
		for (int i = 0; i < t.rank; i++)
			t.dims[i] = sn_int(c->pool, at->value.dims[i]);
		return set_constant(c, n, &t, at->value.data);
	}
	if (at->value_ints.n >= 0)
		return list_constant(c, n, DT_I64, at->value_ints.v, at->value_ints.n);
	if (at->value_floats.n >= 0)
		return list_constant(c, n, DT_F32, at->value_floats.v, at->value_floats.n);
	if (at->value_int != INT64_MIN)
		return list_constant(c, n, DT_I64, &at->value_int, -1);
	return list_constant(c, n, DT_F32, &at->value_float, -1);
}

/* The dimensions that operand SLOT names. */
static bool
shape_operand(struct sn_infer *c, struct sn_node *n, int slot, struct sn_type *out)
{
	const sn_dim *elems;
	int count;
	if (!sn_infer_elems(c, n, slot, "shape", &elems, &count))
		return false;
	if (count > SN_MAX_RANK)
		return SN_INFER_ERROR(c, n, DG_RANK_LIMIT, count, SN_MAX_RANK);
	*out = sn_infer_type(out->dtype, count, elems);
	return true;
}

bool
sn_infer_constant_of_shape(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_data *value = sn_attrs(n, fill)->value.data;
	enum sn_dtype dtype = value ? value->dtype : DT_F32;
	if (value && (value->n != 1 || value->strings))
		return SN_INFER_ERROR(c, n, DG_ATTR, "value", "must be one number");
	union sn_num x = value ? sn_data_get(value, 0) : (union sn_num){ .f = 0 };
	struct sn_type t = { .kind = TY_TENSOR, .dtype = dtype };
	int64_t count;
	if (sn_infer_is_runtime(c, n, 0) && sn_infer_declared(c, n, 0, dtype))
		return true;
	if (!shape_operand(c, n, 0, &t))
		return false;
	for (int i = 0; i < t.rank; i++)
		if (sn_get_int(t.dims[i], &count) && count < 0)
			return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 0), "shape",
					      "has a negative element");
	if (sn_type_is_static(&t, &count))
		return set_constant(c, n, &t, sn_data_splat(c->arena, dtype, (size_t)count, x));
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_eye_like(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	int64_t dtype = sn_attrs(n, eye)->dtype;
	if (dtype > 0 && dtype < INT32_MAX)
		t.dtype = sn_dtype_by_onnx((int)dtype);
	return sn_infer_check_rank(c, n, 0, 2, 2) && sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_shape(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_shape *at = sn_attrs(n, shape);
	const struct sn_type *x = sn_in_type(n, 0);
	int64_t start = at->start, end = at->end == INT64_MIN ? x->rank : at->end;
	start += start < 0 ? x->rank : 0;
	end += end < 0 ? x->rank : 0;
	start = start < 0 ? 0 : start > x->rank ? x->rank : start;
	end = end < start ? start : end > x->rank ? x->rank : end;
	sn_dim count = sn_int(c->pool, end - start);
	struct sn_type t = sn_infer_type(DT_I64, 1, &count);
	sn_infer_set(c, n, 0, &t);
	return sn_infer_set_known(c, n, 0, x->dims + start, (int)(end - start));
}

bool
sn_infer_size(struct sn_infer *c, struct sn_node *n)
{
	sn_dim count = sn_type_count(c->pool, sn_in_type(n, 0));
	struct sn_type t = sn_infer_type(DT_I64, 0, NULL);
	sn_infer_set(c, n, 0, &t);
	return sn_infer_set_known(c, n, 0, &count, 1);
}

/* The first operand is the number of elements. */
bool
sn_infer_window(struct sn_infer *c, struct sn_node *n)
{
	int64_t number = sn_attrs(n, window)->output_datatype;
	enum sn_dtype t = number > 0 && number < INT32_MAX ? sn_dtype_by_onnx((int)number)
							   : DT_NONE;
	const sn_dim *size;
	int count;
	if (!sn_is_float(t))
		return SN_INFER_ERROR(c, n, DG_ATTR, "output_datatype",
				      "is no floating point type");
	if (sn_infer_is_runtime(c, n, 0) && sn_infer_declared(c, n, 0, t))
		return true;
	if (!sn_infer_elems(c, n, 0, "size", &size, &count))
		return false;
	struct sn_type type = sn_infer_type(t, 1, size);
	return sn_infer_set(c, n, 0, &type);
}

bool
sn_infer_affine_grid(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *theta = sn_in_type(n, 0);
	struct sn_type size = { .kind = TY_TENSOR, .dtype = theta->dtype }, t;
	if (!sn_infer_check_rank(c, n, 0, 3, 3))
		return false;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, theta->dtype))
		return true;
	if (!shape_operand(c, n, 1, &size))
		return false;
	if (size.rank != 4 && size.rank != 5)
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "size",
				      "must have 4 or 5 elements");
	if (!sn_infer_require(c, n, OP_EQ, theta->dims[0], size.dims[0])
	    || !sn_infer_require(c, n, OP_EQ, theta->dims[1], sn_int(c->pool, size.rank - 2))
	    || !sn_infer_require(c, n, OP_EQ, theta->dims[2], sn_int(c->pool, size.rank - 1)))
		return false;
	t = size;
	for (int i = 1; i < t.rank - 1; i++)
		t.dims[i] = size.dims[i + 1];
	t.dims[t.rank - 1] = sn_int(c->pool, t.rank - 2);
	return sn_infer_set(c, n, 0, &t);
}

/* Number of elements from START to LIMIT by DELTA; integers may be symbolic, floats not. */
static sn_dim
range_count(struct sn_pool *p, sn_dim start, sn_dim limit, sn_dim delta)
{
	int64_t step;
	if (sn_is_float((enum sn_dtype)start->dtype)) {
		sn_dim e = sn_op2(p, OP_DIV, sn_op2(p, OP_SUB, limit, start), delta);
		e = sn_cast(p, DT_I64, sn_op1(p, OP_CEIL, e));
		return sn_shape_max(p, e, sn_int(p, 0));
	}
	if (!sn_get_int(delta, &step) || step == 0 || step == INT64_MIN)
		return NULL;
	sn_dim span = step > 0 ? sn_sub(p, limit, start) : sn_sub(p, start, limit);
	step = step > 0 ? step : -step;
	span = sn_divk(p, sn_addk(p, span, step - 1), step);
	return sn_shape_max(p, span, sn_int(p, 0));
}

bool
sn_infer_range(struct sn_infer *c, struct sn_node *n)
{
	static const char *const what[3] = { "start", "limit", "delta" };
	const sn_dim *e[3];
	int count;
	int64_t static_count;
	for (int i = 0; i < 3; i++)
		if (sn_infer_is_runtime(c, n, i)
		    && sn_infer_declared(c, n, 0, sn_in_type(n, 0)->dtype))
			return true;
	for (int i = 0; i < 3; i++)
		if (!sn_infer_check_same(c, n, 0, i)
		    || !sn_infer_elems(c, n, i, what[i], &e[i], &count))
			return false;
	sn_dim dim = range_count(c->pool, e[0][0], e[1][0], e[2][0]);
	if (!dim)
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 2), "delta",
				      "must be a constant other than 0");
	struct sn_type t = sn_infer_type(sn_in_type(n, 0)->dtype, 1, &dim);
	sn_infer_set(c, n, 0, &t);
	if (!sn_get_int(dim, &static_count) || static_count > SN_MAX_KNOWN)
		return true;
	sn_dim out[SN_MAX_KNOWN];
	for (int i = 0; i < (int)static_count; i++) {
		sn_dim k = sn_float(c->pool, (enum sn_dtype)e[2][0]->dtype, i);
		out[i] = sn_op2(c->pool, OP_ADD, e[0][0], sn_op2(c->pool, OP_MUL, k, e[2][0]));
	}
	return sn_infer_set_known(c, n, 0, out, (int)static_count);
}

/* ---- reshaping -------------------------------------------------------------------------------- */

/* Result with type T and the operand's own elements in order. */
static bool
set_reshaped(struct sn_infer *c, struct sn_node *n, const struct sn_type *t)
{
	int count;
	const sn_dim *known = sn_infer_known(c, n, 0, &count);
	sn_infer_set(c, n, 0, t);
	return !known || sn_infer_set_known(c, n, 0, known, count);
}

static bool
bad_reshape(struct sn_infer *c, struct sn_node *n, const struct sn_type *t)
{
	return SN_INFER_ERROR(c, n, DG_RESHAPE, sn_in_name(n, 0),
			      sn_infer_text(c, sn_in_type(n, 0)), sn_infer_text(c, t));
}

/* Dimension OPEN of T is what makes the numbers of elements equal. */
static bool
solve_open(struct sn_infer *c, const struct sn_type *x, struct sn_type *t, int open)
{
	sn_dim others[SN_MAX_RANK];
	int n = 0;
	for (int i = 0; i < t->rank; i++)
		if (i != open)
			others[n++] = t->dims[i];
	return sn_shape_quotient(c->pool, x->dims, x->rank, others, n, &t->dims[open]);
}

static bool
is_same_count(const struct sn_type *x, const struct sn_type *t)
{
	int64_t nx, nt;
	return !sn_type_is_static(x, &nx) || !sn_type_is_static(t, &nt) || nx == nt;
}

/*
 * The shape T that operand 1 gives is meant as it stands, but for dimension OPEN, and has as many
 * elements as the data: an extent that turns out 0 would be the data's own instead, or -1 open.
 */
static bool
require_counts(struct sn_infer *c, struct sn_node *n, const struct sn_type *t, int open)
{
	const struct sn_type *x = sn_in_type(n, 0);
	sn_dim least = sn_int(c->pool, sn_attrs(n, reshape)->allowzero ? 0 : 1), ratio;
	int64_t one;
	for (int i = 0; i < t->rank; i++) {
		bool is_own = i < x->rank && t->dims[i] == x->dims[i];
		if (i != open && !is_own && !sn_is_const(t->dims[i])
		    && !sn_infer_require(c, n, OP_LE, least, t->dims[i]))
			return false;
	}
	if (sn_shape_quotient(c->pool, x->dims, x->rank, t->dims, t->rank, &ratio)
	    && sn_get_int(ratio, &one) && one == 1)
		return true;
	sn_dim count = sn_type_count(c->pool, x), others = sn_int(c->pool, 1);
	for (int i = 0; i < t->rank; i++)
		if (i != open)
			others = sn_mul(c->pool, others, t->dims[i]);
	return open >= 0 ? sn_infer_require(c, n, OP_EQ, sn_op2(c->pool, OP_MOD, count, others),
					    sn_int(c->pool, 0))
			 : sn_infer_require(c, n, OP_EQ, count, others);
}

bool
sn_infer_reshape(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_type t = { .kind = TY_TENSOR, .dtype = x->dtype };
	int open = -1;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, x->dtype))
		return true;
	if (!shape_operand(c, n, 1, &t))
		return false;
	for (int i = 0; i < t.rank; i++) {
		int64_t k;
		if (!sn_get_int(t.dims[i], &k))
			continue;
		if (k == 0 && !sn_attrs(n, reshape)->allowzero && i < x->rank)
			t.dims[i] = x->dims[i];
		else if (k < -1 || (k == -1 && open >= 0))
			return bad_reshape(c, n, &t);
		else if (k == -1)
			open = i;
	}
	if (open >= 0 && !solve_open(c, x, &t, open))
		return bad_reshape(c, n, &t);
	if (!is_same_count(x, &t))
		return bad_reshape(c, n, &t);
	return require_counts(c, n, &t, open) && set_reshaped(c, n, &t);
}

bool
sn_infer_flatten(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	int64_t axis = sn_attrs(n, axis_second)->axis;
	axis += axis < 0 ? x->rank : 0;
	if (axis < 0 || axis > x->rank)
		return SN_INFER_ERROR(c, n, DG_AXIS, (long long)axis, x->rank, sn_in_name(n, 0));
	struct sn_type head = *x, tail = *x, t = *x;
	head.rank = (int)axis;
	tail.rank = x->rank - (int)axis;
	for (int i = 0; i < tail.rank; i++)
		tail.dims[i] = x->dims[i + axis];
	t.rank = 2;
	t.dims[0] = sn_type_count(c->pool, &head);
	t.dims[1] = sn_type_count(c->pool, &tail);
	return set_reshaped(c, n, &t);
}

bool
sn_infer_squeeze(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_type t = *x;
	struct sn_ints list;
	unsigned axes;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, x->dtype))
		return true;
	if (!sn_infer_ints(c, n, 1, "axes", &list) || !sn_infer_axes(c, n, &list, x->rank, &axes))
		return false;
	t.rank = 0;
	for (int i = 0; i < x->rank; i++) {
		bool is_gone = list.n < 0 ? sn_is_int_const(x->dims[i], 1) : axes >> i & 1;
		if (!is_gone)
			t.dims[t.rank++] = x->dims[i];
		else if (!sn_shape_may_equal(c->pool, x->dims[i], sn_int(c->pool, 1)))
			return bad_reshape(c, n, &t);
		/* without axes an extent that turns out 1 would go */
		enum sn_scalar_op op = is_gone ? OP_EQ : OP_NE;
		if ((is_gone || list.n < 0)
		    && !sn_infer_require(c, n, op, x->dims[i], sn_int(c->pool, 1)))
			return false;
	}
	return set_reshaped(c, n, &t);
}

bool
sn_infer_unsqueeze(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_type t = *x;
	struct sn_ints list;
	unsigned axes;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, x->dtype))
		return true;
	if (!sn_infer_ints(c, n, 1, "axes", &list))
		return false;
	t.rank = x->rank + list.n;
	if (t.rank > SN_MAX_RANK)
		return SN_INFER_ERROR(c, n, DG_RANK_LIMIT, t.rank, SN_MAX_RANK);
	if (!sn_infer_axes(c, n, &list, t.rank, &axes))
		return false;
	if (__builtin_popcount(axes) != list.n)
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "axes",
				      "names an axis twice");
	for (int i = 0, j = 0; i < t.rank; i++)
		t.dims[i] = axes >> i & 1 ? sn_int(c->pool, 1) : x->dims[j++];
	return set_reshaped(c, n, &t);
}

bool
sn_infer_expand(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_type want = { .kind = TY_TENSOR, .dtype = x->dtype }, t;
	int64_t count;
	int nknown;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, x->dtype))
		return true;
	if (!shape_operand(c, n, 1, &want))
		return false;
	if (!sn_shape_broadcast(c->pool, x, &want, &t))
		return SN_INFER_ERROR(c, n, DG_BROADCAST, sn_in_name(n, 0), sn_infer_text(c, x),
				      sn_in_name(n, 1), sn_infer_text(c, &want));
	if (!sn_infer_require_fits(c, n, x, &t) || !sn_infer_require_fits(c, n, &want, &t))
		return false;
	sn_infer_set(c, n, 0, &t);
	const sn_dim *known = sn_infer_known(c, n, 0, &nknown);
	if (!known || nknown != 1 || !sn_type_is_static(&t, &count) || count > SN_MAX_KNOWN)
		return true;
	sn_dim out[SN_MAX_KNOWN];
	for (int i = 0; i < (int)count; i++)
		out[i] = known[0];
	return sn_infer_set_known(c, n, 0, out, (int)count);
}
