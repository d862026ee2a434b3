/*
 * Lowering of sliding windows: convolutions and pooling, one helper for all.
 *
 *	y[n,m,h,w] = sum(c, r, s) (x[n, c, 2*h+r-1, 2*w+s-1] else 0) * k[m, c, r, s]
 */
#include <math.h>
#include "ir/index.h"
#include "ir/params.h"
#include "passes/lower_math.h"

/* ---- the helper ------------------------------------------------------------------------------- */

/* Reduction axes for the window's places; IDX[2..] are then the indices into x. */
static void
window_axes(struct sn_lower *c, struct sn_comp *m, const struct sn_window *w, int nspatial,
	    sn_ex *places, sn_ex *idx)
{
	for (int i = 0; i < nspatial; i++) {
		places[i] = sn_lower_red(c, m, sn_printf(c->arena, "k%d", i), INT(w[i].kernel));
		sn_ex at = ADD(sn_mulk(c->pool, AXIS(m, i + 2), w[i].stride),
			       sn_mulk(c->pool, places[i], w[i].dilation));
		idx[i + 2] = SUB(at, w[i].pad_lo);
	}
}

/* Can the window, at IDX[2..], reach over an edge, as far as is known? Then reads need an outside
 * value. */
static bool
reaches_out(struct sn_lower *c, const struct sn_window *w, int nspatial, const sn_ex *idx)
{
	for (int i = 0; i < nspatial; i++)
		if (!sn_prove_le(c->pool, INT(0), idx[i + 2])
		    || !sn_prove_lt(c->pool, idx[i + 2], w[i].in))
			return true;
	return false;
}

/* ---- convolution ------------------------------------------------------------------------------ */

/* Operands of a convolution by slot, and what is different between its kinds. */
struct conv {
	struct sn_tensor *x, *w, *y;
	struct sn_tensor *x_zero, *w_zero; /* NULL: none */
	enum sn_dtype type;		   /* of the products */
	struct sn_window win[SN_MAX_RANK];
	int64_t group;
	int nspatial;
};

/* First channel of the group that channel M of the result belongs to. */
static sn_ex
group_start(struct sn_lower *c, const struct conv *v, sn_ex m, sn_ex out_channels, sn_ex per_group)
{
	if (v->group == 1)
		return INT(0);
	sn_ex of_group = sn_divk(c->pool, out_channels, v->group);
	return MUL(FLOORDIV(m, of_group), per_group);
}

/* A zero point: one number, or one for each element of an axis, here at AT; in TYPE. */
static sn_ex
zero_point(struct sn_lower *c, struct sn_tensor *t, sn_ex at)
{
	sn_ex idx = INT(0);
	if (t->type.rank == 1 && !sn_is_int_const(t->type.dims[0], 1))
		idx = at;
	return sn_lower_read(c, t, &idx);
}

/* The sum of products at the axes of M, the state of its reduction. */
static sn_ex
conv_sum(struct sn_lower *c, struct sn_comp *m, const struct conv *v)
{
	sn_ex xi[SN_MAX_RANK], wi[SN_MAX_RANK], outside = NULL;
	sn_ex per_group = v->w->type.dims[1], channel = AXIS(m, 1);
	sn_ex ch = sn_lower_red(c, m, "c", per_group);
	xi[0] = AXIS(m, 0);
	xi[1] = ADD(group_start(c, v, channel, v->w->type.dims[0], per_group), ch);
	wi[0] = channel;
	wi[1] = ch;
	window_axes(c, m, v->win, v->nspatial, wi + 2, xi);
	if (reaches_out(c, v->win, v->nspatial, xi))
		outside = v->x_zero ? zero_point(c, v->x_zero, INT(0))
				    : sn_float(c->pool, v->x->type.dtype, 0);
	sn_ex a = CAST(v->type, sn_read(c->pool, v->x, xi, v->x->type.rank, outside));
	sn_ex b = CAST(v->type, sn_lower_read(c, v->w, wi));
	if (v->x_zero)
		a = SUB(a, CAST(v->type, zero_point(c, v->x_zero, INT(0))));
	if (v->w_zero)
		b = SUB(b, CAST(v->type, zero_point(c, v->w_zero, channel)));
	return sn_lower_reduce(c, m, "sum", MUL(a, b));
}

static bool
conv_init(struct sn_lower *c, struct conv *v, int wslot)
{
	*v = (struct conv){ .x = sn_lower_in(c, 0),
			    .w = sn_lower_in(c, wslot),
			    .y = sn_lower_out(c, 0),
			    .group = sn_attrs(c->node, conv)->group };
	v->nspatial = v->x->type.rank - 2;
	v->type = sn_is_float(v->x->type.dtype) ? sn_lower_compute_type(v->x->type.dtype) : DT_I32;
	return sn_node_conv_windows(c->pool, c->node, &v->w->type, v->win);
}

bool
sn_lower_conv(struct sn_lower *c)
{
	struct conv v;
	if (!conv_init(c, &v, 1))
		return sn_lower_refuse(c, "a kernel of symbolic size");
	struct sn_comp *m = sn_lower_comp(c, &v.y->type);
	sn_ex e = conv_sum(c, m, &v), channel = AXIS(m, 1);
	struct sn_tensor *bias = sn_lower_in(c, 2);
	if (bias)
		e = ADD(e, sn_lower_widen(c, sn_lower_read(c, bias, &channel)));
	STORE(m, v.y, e);
	return true;
}

bool
sn_lower_conv_integer(struct sn_lower *c)
{
	struct conv v;
	if (!conv_init(c, &v, 1))
		return sn_lower_refuse(c, "a kernel of symbolic size");
	v.x_zero = sn_lower_in(c, 2);
	v.w_zero = sn_lower_in(c, 3);
	struct sn_comp *m = sn_lower_comp(c, &v.y->type);
	STORE(m, v.y, conv_sum(c, m, &v));
	return true;
}

/* y = quantise((sum + bias) * (x_scale * w_scale / y_scale)) */
bool
sn_lower_q_linear_conv(struct sn_lower *c)
{
	struct conv v;
	if (!conv_init(c, &v, 3))
		return sn_lower_refuse(c, "a kernel of symbolic size");
	v.x_zero = sn_lower_in(c, 2);
	v.w_zero = sn_lower_in(c, 5);
	struct sn_comp *m = sn_lower_comp(c, &v.y->type);
	sn_ex e = conv_sum(c, m, &v), channel = AXIS(m, 1);
	struct sn_tensor *bias = sn_lower_in(c, 8);
	if (bias)
		e = ADD(e, sn_lower_read(c, bias, &channel));
	sn_ex scale = MUL(CAST(DT_F32, zero_point(c, sn_lower_in(c, 1), INT(0))),
			  CAST(DT_F32, zero_point(c, sn_lower_in(c, 4), channel)));
	scale = DIV(scale, CAST(DT_F32, zero_point(c, sn_lower_in(c, 6), INT(0))));
	e = MUL(CAST(DT_F32, e), scale);
	STORE(m, v.y,
	      sn_lower_saturate(c, e, zero_point(c, sn_lower_in(c, 7), INT(0)), v.y->type.dtype));
	return true;
}

/* ---- pooling ---------------------------------------------------------------------------------- */

/* A comprehension over y's axes whose element *OUT_X is under the window, OUTSIDE at its rim. */
static struct sn_comp *
pool_comp(struct sn_lower *c, const struct sn_type *y, const struct sn_window *w, double outside,
	  sn_ex *out_idx, sn_ex *out_x)
{
	struct sn_tensor *x = sn_lower_in(c, 0);
	struct sn_comp *m = sn_lower_comp(c, y);
	sn_ex places[SN_MAX_RANK], rim = NULL;
	out_idx[0] = AXIS(m, 0);
	out_idx[1] = AXIS(m, 1);
	window_axes(c, m, w, x->type.rank - 2, places, out_idx);
	if (reaches_out(c, w, x->type.rank - 2, out_idx))
		rim = sn_float(c->pool, x->type.dtype, outside);
	*out_x = sn_lower_widen(c, sn_read(c->pool, x, out_idx, x->type.rank, rim));
	return m;
}

/* The least number of an element type. */
static double
lowest(enum sn_dtype t)
{
	const struct sn_dtype_info *info = sn_dtype_info(t);
	if (info->kind == 'F')
		return -INFINITY;
	return info->kind == 'I' ? -ldexp(1, info->bits - 1) : 0;
}

/* Number of the element at IDX of x: row by row, or column by column within an image's plane. */
static sn_ex
element_number(struct sn_lower *c, const struct sn_type *x, const sn_ex *idx, bool is_column_major)
{
	sn_ex e = ADD(MUL(idx[0], x->dims[1]), idx[1]);
	for (int i = 2; i < x->rank; i++)
		e = MUL(e, x->dims[i]);
	sn_ex stride = INT(1);
	for (int i = 0; i < x->rank - 2; i++) {
		int d = is_column_major ? 2 + i : x->rank - 1 - i;
		e = ADD(e, MUL(idx[d], stride));
		stride = MUL(stride, x->dims[d]);
	}
	return e;
}

bool
sn_lower_max_pool(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0);
	struct sn_tensor *y = sn_lower_out(c, 0), *at = sn_lower_out(c, 1);
	struct sn_window w[SN_MAX_RANK];
	sn_ex e, idx[SN_MAX_RANK];
	const struct sn_type *type = y ? &y->type : &at->type;
	if (!sn_node_pool_windows(c->pool, c->node, w))
		return sn_lower_refuse(c, "this window");
	struct sn_comp *m = pool_comp(c, type, w, lowest(x->type.dtype), idx, &e);
	e = sn_lower_reduce(c, m, at ? "argmax" : "max", e);
	if (y)
		STORE(m, y, e);
	if (!at)
		return true;
	bool is_column_major = sn_attrs(c->node, pool)->storage_order == 1;
	m->args[1] = element_number(c, &x->type, idx, is_column_major);
	STORE(m, at, sn_state(c->pool, DT_I64, 1));
	return true;
}

/* How many places of the window at result O count: those inside x or, if the padding counts, those
 * before its end (beyond which only ceil_mode reaches). */
static sn_ex
places_inside(struct sn_lower *c, const struct sn_window *w, sn_ex o, bool count_pad)
{
	sn_ex zero = INT(0), last = INT(w->kernel - 1);
	sn_ex start = SUB(sn_mulk(c->pool, o, w->stride), w->pad_lo);
	sn_ex end = count_pad ? ADD(w->in, w->pad_hi) : w->in;
	sn_ex to = sn_divk(c->pool, SUB(sn_addk(c->pool, end, -1), start), w->dilation);
	to = sn_shape_min(c->pool, to, last);
	if (count_pad)
		return sn_addk(c->pool, to, 1);
	sn_ex from = sn_divk(c->pool, sn_addk(c->pool, NEG(start), w->dilation - 1), w->dilation);
	return sn_addk(c->pool, SUB(to, sn_shape_max(c->pool, from, zero)), 1);
}

bool
sn_lower_average_pool(struct sn_lower *c)
{
	const struct sn_attrs_pool *at = sn_attrs(c->node, pool);
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_window w[SN_MAX_RANK];
	sn_ex e, idx[SN_MAX_RANK], count = INT(1);
	if (!sn_node_pool_windows(c->pool, c->node, w))
		return sn_lower_refuse(c, "this window");
	struct sn_comp *m = pool_comp(c, &y->type, w, 0, idx, &e);
	bool count_pad = at->count_include_pad != 0;
	for (int i = 0; i < y->type.rank - 2; i++) {
		bool is_padded = !sn_is_int_const(w[i].pad_lo, 0)
				 || !sn_is_int_const(w[i].pad_hi, 0);
		bool is_full = !at->ceil_mode && (count_pad || !is_padded);
		count = MUL(count, is_full ? INT(w[i].kernel)
					   : places_inside(c, &w[i], AXIS(m, i + 2), count_pad));
	}
	e = sn_lower_reduce(c, m, "sum", e);
	STORE(m, y, DIV(e, CAST((enum sn_dtype)e->dtype, count)));
	return true;
}

/* |x|^p, and its inverse of a sum. */
static sn_ex
lp_term(struct sn_lower *c, sn_ex x, int64_t p)
{
	return p == 1 ? ABS(x) : p == 2 ? MUL(x, x) : POW(ABS(x), LIKE(x, (double)p));
}

static sn_ex
lp_root(struct sn_lower *c, sn_ex x, int64_t p)
{
	return p == 1 ? x : p == 2 ? SQRT(x) : POW(x, LIKE(x, 1. / (double)p));
}

bool
sn_lower_lp_pool(struct sn_lower *c)
{
	int64_t p = sn_attrs(c->node, pool)->p;
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_window w[SN_MAX_RANK];
	sn_ex e, idx[SN_MAX_RANK];
	if (!sn_node_pool_windows(c->pool, c->node, w))
		return sn_lower_refuse(c, "this window");
	struct sn_comp *m = pool_comp(c, &y->type, w, 0, idx, &e);
	e = sn_lower_reduce(c, m, "sum", lp_term(c, e, p));
	STORE(m, y, lp_root(c, e, p));
	return true;
}

/* ---- pooling of whole planes ------------------------------------------------------------------ */

static struct sn_comp *
plane_comp(struct sn_lower *c, sn_ex *out_x)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = i < 2 ? AXIS(m, i)
			       : sn_lower_red(c, m, sn_printf(c->arena, "r%d", i), x->type.dims[i]);
	*out_x = sn_lower_widen(c, sn_lower_read(c, x, idx));
	return m;
}

bool
sn_lower_global_average_pool(struct sn_lower *c)
{
	sn_ex e, count = INT(1);
	struct sn_comp *m = plane_comp(c, &e);
	for (int i = 0; i < m->nred; i++)
		count = MUL(count, m->red[i]->extent);
	e = m->nred ? sn_lower_reduce(c, m, "sum", e) : e;
	STORE(m, sn_lower_out(c, 0), DIV(e, CAST((enum sn_dtype)e->dtype, count)));
	return true;
}

bool
sn_lower_global_max_pool(struct sn_lower *c)
{
	sn_ex e;
	struct sn_comp *m = plane_comp(c, &e);
	STORE(m, sn_lower_out(c, 0), m->nred ? sn_lower_reduce(c, m, "max", e) : e);
	return true;
}

bool
sn_lower_global_lp_pool(struct sn_lower *c)
{
	int64_t p = sn_attrs(c->node, power)->p;
	sn_ex e;
	struct sn_comp *m = plane_comp(c, &e);
	e = lp_term(c, e, p);
	e = m->nred ? sn_lower_reduce(c, m, "sum", e) : e;
	STORE(m, sn_lower_out(c, 0), lp_root(c, e, p));
	return true;
}
