/*
 * Attributes and constant operands of operators that move data, as numbers and
 * expressions for each axis.
 */
#include "ir/params.h"

#include <math.h>
#include <string.h>
#include "ir/index.h"
#include "ir/infer.h"

bool
sn_node_ints(const struct sn_node *n, int slot, struct sn_ints *out)
{
	int64_t *v = NULL;
	*out = (struct sn_ints){ .n = -1 };
	if (!sn_in(n, slot))
		return true;
	int64_t count;
	if (sn_type_is_static(&sn_in(n, slot)->type, &count) && count == 0)
		out->n = 0;
	else if (!sn_value_ints(sn_in(n, slot), n->graph->arena, &v, &out->n))
		return false;
	out->v = v;
	return true;
}

/* Elements of an operand as expressions; absent: *out_n = -1 and true. */
static bool
elements(struct sn_pool *p, const struct sn_node *n, int slot, const struct sn_expr *const **out,
	 int *out_n)
{
	*out = NULL;
	*out_n = -1;
	if (!sn_in(n, slot))
		return true;
	*out = sn_value_elements(p, n->graph->arena, sn_in(n, slot), out_n);
	return *out != NULL;
}

/* Axis number I of a list that, if absent, is 0, 1, 2, ... */
static bool
nth_axis(const struct sn_ints *axes, int i, int rank, int *out)
{
	return sn_shape_axis(axes->n >= 0 ? axes->v[i] : i, rank, out);
}

/* ---- reductions ------------------------------------------------------------------------------- */

bool
sn_node_reduce_axes(const struct sn_node *n, unsigned *out)
{
	int rank = n->in[0].value->type.rank;
	struct sn_ints axes;
	*out = 0;
	if (!sn_node_ints(n, 1, &axes))
		return false;
	if (axes.n <= 0) {
		*out = sn_attrs(n, reduce)->noop_with_empty_axes ? 0 : (1u << rank) - 1;
		return true;
	}
	for (int i = 0; i < axes.n; i++) {
		int axis;
		if (!sn_shape_axis(axes.v[i], rank, &axis))
			return false;
		*out |= 1u << axis;
	}
	return true;
}

/* ---- slices ----------------------------------------------------------------------------------- */

/* X, counted from the end if negative, brought into LO..HI; to HI where that is below LO, as it is where
 * there are no elements. */
static const struct sn_expr *
clamp_bound(struct sn_pool *p, const struct sn_expr *x, const struct sn_expr *dim,
	    const struct sn_expr *lo, const struct sn_expr *hi)
{
	int64_t k, xlo, xhi;
	if (sn_get_int(x, &k) && (k >= INT32_MAX || k <= INT32_MIN))
		return k > 0 ? hi : sn_shape_min(p, lo, hi); /* "to the end" */
	sn_bounds(x, &xlo, &xhi);
	if (xhi < 0)
		x = sn_add(p, x, dim);
	else if (xlo < 0)
		x = sn_op3(p, OP_SELECT, sn_op2(p, OP_LT, x, sn_int(p, 0)), sn_add(p, x, dim), x);
	return sn_shape_min(p, sn_shape_max(p, x, lo), hi);
}

static void
one_slice(struct sn_pool *p, const struct sn_expr *start, const struct sn_expr *end, int64_t step,
	  const struct sn_expr *dim, struct sn_slice *out)
{
	const struct sn_expr *zero = sn_int(p, 0), *span;
	int64_t size = step > 0 ? step : -step;
	if (step > 0) {
		out->start = clamp_bound(p, start, dim, zero, dim);
		span = sn_sub(p, clamp_bound(p, end, dim, zero, dim), out->start);
	} else {
		const struct sn_expr *last = sn_addk(p, dim, -1), *before = sn_int(p, -1);
		out->start = clamp_bound(p, start, dim, zero, last);
		span = sn_sub(p, out->start, clamp_bound(p, end, dim, before, last));
	}
	out->step = step;
	out->count = sn_divk(p, sn_addk(p, span, size - 1), size);
	out->count = sn_shape_max(p, out->count, zero);
}

bool
sn_node_slices(struct sn_pool *p, const struct sn_node *n, struct sn_slice *out)
{
	const struct sn_type *x = &n->in[0].value->type;
	const struct sn_expr *const *starts, *const *ends;
	struct sn_ints axes, steps;
	int nstarts, nends;
	if (!elements(p, n, 1, &starts, &nstarts) || !elements(p, n, 2, &ends, &nends)
	    || !sn_node_ints(n, 3, &axes) || !sn_node_ints(n, 4, &steps) || nstarts != nends
	    || nstarts > x->rank || (axes.n >= 0 && axes.n != nstarts)
	    || (steps.n >= 0 && steps.n != nstarts))
		return false;
	for (int i = 0; i < x->rank; i++)
		out[i] = (struct sn_slice){ sn_int(p, 0), x->dims[i], 1 };
	for (int i = 0; i < nstarts; i++) {
		int axis;
		int64_t step = steps.n >= 0 ? steps.v[i] : 1;
		if (!nth_axis(&axes, i, x->rank, &axis) || step == 0)
			return false;
		/* a huge step takes one element, as does a large one */
		step = step > INT32_MAX ? INT32_MAX : step < -INT32_MAX ? -INT32_MAX : step;
		one_slice(p, starts[i], ends[i], step, x->dims[axis], &out[axis]);
	}
	return true;
}

/* ---- padding ---------------------------------------------------------------------------------- */

bool
sn_node_pads(struct sn_pool *p, const struct sn_node *n, struct sn_padding *out)
{
	const struct sn_type *x = &n->in[0].value->type;
	const struct sn_expr *const *pads;
	struct sn_ints axes;
	int npads;
	if (!elements(p, n, 1, &pads, &npads) || !sn_node_ints(n, 3, &axes))
		return false;
	int count = axes.n >= 0 ? axes.n : x->rank;
	if (npads != 2 * count)
		return false;
	for (int i = 0; i < x->rank; i++)
		out[i] = (struct sn_padding){ sn_int(p, 0), sn_int(p, 0) };
	for (int i = 0; i < count; i++) {
		int axis;
		if (!nth_axis(&axes, i, x->rank, &axis))
			return false;
		out[axis] = (struct sn_padding){ pads[i], pads[i + count] };
	}
	return true;
}

/* ---- resize ----------------------------------------------------------------------------------- */

static const struct sn_expr *
as_f32(struct sn_pool *p, const struct sn_expr *e)
{
	return e->dtype == DT_F32 ? e : sn_cast(p, DT_F32, e);
}

/* floor(in * scale); for a scale that is a simple fraction without leaving the integers. */
static const struct sn_expr *
scaled_extent(struct sn_pool *p, const struct sn_expr *in, const struct sn_expr *scale)
{
	int64_t k;
	if (sn_is_const(scale) && sn_get_int(in, &k))
		return sn_int(p, (int64_t)floor((double)k * scale->num.f));
	for (int q = 1; sn_is_const(scale) && q <= 16; q++) {
		double num = scale->num.f * q;
		if (num == rint(num) && fabs(num) < 1e6)
			return sn_divk(p, sn_mulk(p, in, (int64_t)num), q);
	}
	const struct sn_expr *x = sn_op2(p, OP_MUL, as_f32(p, in), scale);
	return sn_cast(p, DT_I64, sn_op1(p, OP_FLOOR, x));
}

/* sizes with keep_aspect_ratio_policy: one scale for all axes, the extent rounded half up. */
static void
keep_aspect(struct sn_pool *p, bool is_smallest, int rank, struct sn_resize *out)
{
	const struct sn_expr *scale = NULL;
	for (int i = 0; i < rank; i++)
		if (out[i].is_resized)
			scale = scale ? sn_op2(p, is_smallest ? OP_MIN : OP_MAX, scale,
					       out[i].scale)
				      : out[i].scale;
	for (int i = 0; i < rank; i++) {
		if (!out[i].is_resized)
			continue;
		const struct sn_expr *x = sn_op2(p, OP_MUL, as_f32(p, out[i].in), scale);
		x = sn_op2(p, OP_ADD, x, sn_float(p, DT_F32, .5));
		out[i].out = sn_cast(p, DT_I64, sn_op1(p, OP_FLOOR, x));
		out[i].scale = scale;
		out[i].length = sn_op2(p, OP_MUL, scale, as_f32(p, out[i].in));
	}
}

/* Resize's operands as lists. */
struct resize_lists {
	const struct sn_expr *const *roi, *const *scales, *const *sizes;
	int nroi, nscales, nsizes, count;
};

static bool
read_resize(struct sn_pool *p, const struct sn_node *n, struct resize_lists *l)
{
	const struct sn_attrs_resize *at = sn_attrs(n, resize);
	bool has_roi = strcmp(at->coordinate_transformation_mode, "tf_crop_and_resize") == 0;
	l->count = at->axes.n > 0 ? at->axes.n : n->in[0].value->type.rank;
	l->nroi = -1;
	if (has_roi && (!elements(p, n, 1, &l->roi, &l->nroi) || l->nroi != 2 * l->count))
		return false;
	if (!elements(p, n, 2, &l->scales, &l->nscales)
	    || !elements(p, n, 3, &l->sizes, &l->nsizes))
		return false;
	return l->nsizes > 0 ? l->nsizes == l->count : l->nscales == l->count;
}

static void
one_resize(struct sn_pool *p, const struct resize_lists *l, int i, struct sn_resize *r)
{
	r->is_resized = true;
	if (l->nroi > 0) {
		r->roi_lo = as_f32(p, l->roi[i]);
		r->roi_hi = as_f32(p, l->roi[i + l->count]);
	}
	if (l->nsizes > 0) {
		r->out = l->sizes[i];
		r->length = as_f32(p, r->out);
		r->scale = sn_op2(p, OP_DIV, as_f32(p, r->out), as_f32(p, r->in));
		return;
	}
	r->scale = as_f32(p, l->scales[i]);
	r->length = sn_op2(p, OP_MUL, r->scale, as_f32(p, r->in));
	const struct sn_expr *total = r->scale;
	if (l->nroi > 0)
		total = sn_op2(p, OP_MUL, total, sn_op2(p, OP_SUB, r->roi_hi, r->roi_lo));
	r->out = scaled_extent(p, r->in, total);
}

bool
sn_node_resizes(struct sn_pool *p, const struct sn_node *n, struct sn_resize *out)
{
	const struct sn_attrs_resize *at = sn_attrs(n, resize);
	const struct sn_type *x = &n->in[0].value->type;
	struct resize_lists l;
	if (!read_resize(p, n, &l))
		return false;
	for (int i = 0; i < x->rank; i++)
		out[i] = (struct sn_resize){ .in = x->dims[i],
					     .out = x->dims[i],
					     .scale = sn_float(p, DT_F32, 1) };
	struct sn_ints axes = at->axes;
	for (int i = 0; i < l.count; i++) {
		int axis;
		if (!sn_shape_axis(axes.n > 0 ? axes.v[i] : i, x->rank, &axis))
			return false;
		one_resize(p, &l, i, &out[axis]);
	}
	if (l.nsizes > 0 && strcmp(at->keep_aspect_ratio_policy, "stretch") != 0)
		keep_aspect(p, strcmp(at->keep_aspect_ratio_policy, "not_larger") == 0, x->rank,
			    out);
	return true;
}
