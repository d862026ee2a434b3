/*
 * Lowering of Resize: nearest, linear and cubic, every coordinate mode.
 *
 * On each axis a result's coordinate is brought into the operand (ORIGINAL), and
 * a few elements around it are weighted.  Weights of the axes multiply; the
 * taps are written out, so a kernel reads taps^axes elements for each result.
 */
#include <math.h>
#include <string.h>
#include "ir/params.h"
#include "passes/lower_math.h"

/* ---- coordinates ------------------------------------------------------------------------------ */

/* The place in the operand that result O stands for, in f32. */
static sn_ex
original(struct sn_lower *c, const struct sn_resize *r, const char *mode, sn_ex o)
{
	sn_ex x = CAST(DT_F32, o), one = LIKE(r->scale, 1), half = LIKE(r->scale, .5);
	sn_ex in = CAST(DT_F32, r->in), out = r->length;
	if (strcmp(mode, "asymmetric") == 0)
		return DIV(x, r->scale);
	if (strcmp(mode, "align_corners") == 0) {
		sn_ex at = DIV(MUL(x, SUB(in, one)), SUB(out, one));
		return SEL(LE(r->out, INT(1)), LIKE(x, 0), at);
	}
	if (strcmp(mode, "tf_crop_and_resize") == 0) {
		sn_ex span = SUB(r->roi_hi, r->roi_lo), last = SUB(in, one);
		sn_ex at = ADD(MUL(r->roi_lo, last), DIV(MUL(MUL(x, span), last), SUB(out, one)));
		sn_ex middle = MUL(MUL(half, ADD(r->roi_lo, r->roi_hi)), last);
		return SEL(LE(r->out, INT(1)), middle, at);
	}
	sn_ex at = SUB(DIV(ADD(x, half), r->scale), half);
	if (strcmp(mode, "pytorch_half_pixel") == 0)
		return SEL(LE(r->out, INT(1)), LIKE(x, 0), at);
	if (strcmp(mode, "half_pixel_symmetric") == 0) {
		/* what rounding took from the extent is shared between both ends */
		sn_ex adjust = DIV(CAST(DT_F32, r->out), out);
		sn_ex centre = DIV(in, LIKE(in, 2));
		return ADD(at, MUL(centre, SUB(one, adjust)));
	}
	return at;
}

static sn_ex
clamped(struct sn_lower *c, sn_ex i, sn_ex n)
{
	return sn_shape_max(c->pool, sn_shape_min(c->pool, i, sn_addk(c->pool, n, -1)), INT(0));
}

static sn_ex
nearest(struct sn_lower *c, const char *mode, sn_ex x)
{
	sn_ex half = LIKE(x, .5);
	if (strcmp(mode, "floor") == 0)
		return FLOOR(x);
	if (strcmp(mode, "ceil") == 0)
		return CEIL(x);
	if (strcmp(mode, "round_prefer_ceil") == 0)
		return FLOOR(ADD(x, half));
	return CEIL(SUB(x, half)); /* round_prefer_floor */
}

/* ---- taps ------------------------------------------------------------------------------------- */

enum { MAX_TAPS = 4 };

struct taps {
	int n;
	sn_ex idx[MAX_TAPS];	/* in range */
	sn_ex weight[MAX_TAPS]; /* NULL: 1 */
	sn_ex is_outside;	/* NULL: never (tf_crop_and_resize) */
};

/* Integer scales of asymmetric coordinates stay integers: y[i] = x[i // k]. */
static bool
whole_nearest(struct sn_lower *c, const struct sn_resize *r, sn_ex o, struct taps *t)
{
	const struct sn_attrs_resize *at = sn_attrs(c->node, resize);
	double k = sn_is_const(r->scale) ? r->scale->num.f : 0;
	bool is_floor = strcmp(at->nearest_mode, "floor") == 0;
	bool is_asymmetric = strcmp(at->coordinate_transformation_mode, "asymmetric") == 0;
	bool is_half = strcmp(at->coordinate_transformation_mode, "half_pixel") == 0;
	bool is_round = strncmp(at->nearest_mode, "round", 5) == 0;
	if (k < 1 || k != rint(k) || k > 4096)
		return false;
	/* half_pixel: (i + .5)/k - .5 rounds to i // k, whichever way ties go when k > 1 */
	if (!(is_asymmetric && is_floor) && !(is_half && is_round))
		return false;
	t->idx[0] = clamped(c, sn_divk(c->pool, o, (int64_t)k), r->in);
	return true;
}

static void
nearest_taps(struct sn_lower *c, const struct sn_resize *r, sn_ex o, sn_ex x, struct taps *t)
{
	t->n = 1;
	if (whole_nearest(c, r, o, t))
		return;
	sn_ex at = CAST(DT_I64, nearest(c, sn_attrs(c->node, resize)->nearest_mode, x));
	t->idx[0] = clamped(c, at, r->in);
}

/* Keys' cubic with parameter a at distances 1+s, s, 1-s, 2-s. */
void
sn_lower_cubic_weights(struct sn_lower *c, sn_ex s, double a, sn_ex *w)
{
	sn_ex one = LIKE(s, 1), u = SUB(one, s);
	sn_ex ka = LIKE(s, a), s1 = ADD(s, one), u1 = ADD(u, one);
	sn_ex k5 = LIKE(s, 5 * a), k8 = LIKE(s, 8 * a), k4 = LIKE(s, 4 * a);
	w[0] = SUB(MUL(ADD(MUL(SUB(MUL(ka, s1), k5), s1), k8), s1), k4);
	w[1] = ADD(MUL(MUL(SUB(MUL(LIKE(s, a + 2), s), LIKE(s, a + 3)), s), s), one);
	w[2] = ADD(MUL(MUL(SUB(MUL(LIKE(s, a + 2), u), LIKE(s, a + 3)), u), u), one);
	w[3] = SUB(MUL(ADD(MUL(SUB(MUL(ka, u1), k5), u1), k8), u1), k4);
}

/* Weights of places outside the operand are dropped, and the others scaled up to a sum of 1. */
static void
exclude_outside(struct sn_lower *c, const sn_ex *at, sn_ex n, struct taps *t)
{
	sn_ex sum = NULL;
	for (int i = 0; i < t->n; i++) {
		sn_ex is_in = AND(LE(INT(0), at[i]), LT(at[i], n));
		t->weight[i] = SEL(is_in, t->weight[i], LIKE(t->weight[i], 0));
		sum = sum ? ADD(sum, t->weight[i]) : t->weight[i];
	}
	for (int i = 0; i < t->n; i++)
		t->weight[i] = DIV(t->weight[i], sum);
}

static void
weighted_taps(struct sn_lower *c, const struct sn_resize *r, sn_ex x, bool is_cubic, struct taps *t)
{
	const struct sn_attrs_resize *at = sn_attrs(c->node, resize);
	sn_ex low = FLOOR(x), part = SUB(x, low), base = CAST(DT_I64, low), raw[MAX_TAPS];
	t->n = is_cubic ? 4 : 2;
	for (int i = 0; i < t->n; i++) {
		raw[i] = sn_addk(c->pool, base, is_cubic ? i - 1 : i);
		t->idx[i] = clamped(c, raw[i], r->in);
	}
	if (is_cubic) {
		sn_lower_cubic_weights(c, part, at->cubic_coeff_a, t->weight);
	} else {
		t->weight[0] = SUB(LIKE(part, 1), part);
		t->weight[1] = part;
	}
	if (at->exclude_outside)
		exclude_outside(c, raw, r->in, t);
}

static struct taps
axis_taps(struct sn_lower *c, const struct sn_resize *r, sn_ex o)
{
	const struct sn_attrs_resize *at = sn_attrs(c->node, resize);
	struct taps t = { .n = 1, .idx = { o } };
	bool is_same = sn_is_const(r->scale) && r->scale->num.f == 1 && r->in == r->out;
	if (!r->is_resized || (is_same && !r->roi_lo))
		return t;
	sn_ex x = original(c, r, at->coordinate_transformation_mode, o);
	if (r->roi_lo) {
		sn_ex last = CAST(DT_F32, sn_addk(c->pool, r->in, -1));
		t.is_outside = OR(LT(x, LIKE(x, 0)), LT(last, x));
	}
	if (strcmp(at->mode, "nearest") == 0)
		nearest_taps(c, r, o, x, &t);
	else
		weighted_taps(c, r, x, strcmp(at->mode, "cubic") == 0, &t);
	return t;
}

/* ---- the sum ---------------------------------------------------------------------------------- */

/* The weighted sum over the taps of axes AXIS and on, those before at IDX. */
static sn_ex
tap_sum(struct sn_lower *c, struct sn_tensor *x, const struct taps *t, int axis, sn_ex *idx)
{
	if (axis == x->type.rank)
		return sn_lower_read(c, x, idx);
	sn_ex sum = NULL;
	for (int i = 0; i < t[axis].n; i++) {
		idx[axis] = t[axis].idx[i];
		sn_ex e = tap_sum(c, x, t, axis + 1, idx);
		if (t[axis].weight[i])
			e = MUL(CAST(DT_F32, e), t[axis].weight[i]);
		sum = sum ? ADD(sum, e) : e;
	}
	return sum;
}

/* A narrow integer type rounds and saturates, a float is rounded once. */
static sn_ex
to_type(struct sn_lower *c, sn_ex e, enum sn_dtype t)
{
	if ((enum sn_dtype)e->dtype == t || sn_is_float(t))
		return CAST(t, e);
	return sn_lower_saturate(c, e, NULL, t);
}

static sn_ex
element_f32(struct sn_lower *c, int operand, int number)
{
	return CAST(DT_F32, sn_lower_element(c, operand, number));
}

/* Sizes keep the aspect ratio: one scale for all axes. */
static void
keep_aspect(struct sn_lower *c, int rank, struct sn_resize *r)
{
	const struct sn_attrs_resize *at = sn_attrs(c->node, resize);
	bool is_smallest = strcmp(at->keep_aspect_ratio_policy, "not_larger") == 0;
	sn_ex scale = NULL;
	for (int i = 0; i < rank; i++)
		if (r[i].is_resized)
			scale = !scale	      ? r[i].scale
				: is_smallest ? MIN(scale, r[i].scale)
					      : MAX(scale, r[i].scale);
	for (int i = 0; i < rank; i++) {
		if (!r[i].is_resized)
			continue;
		r[i].scale = scale;
		r[i].length = MUL(scale, CAST(DT_F32, r[i].in));
	}
}

/* Scales, sizes or roi are read at run time; the extents are those that the model declares. */
static void
runtime_resizes(struct sn_lower *c, const struct sn_type *y, struct sn_resize *r)
{
	const struct sn_attrs_resize *at = sn_attrs(c->node, resize);
	const struct sn_type *x = &sn_in(c->node, 0)->type;
	bool has_sizes = sn_lower_element_count(c, 3) > 0;
	bool has_roi = strcmp(at->coordinate_transformation_mode, "tf_crop_and_resize") == 0;
	int count = at->axes.n > 0 ? at->axes.n : x->rank;
	for (int i = 0; i < x->rank; i++)
		r[i] = (struct sn_resize){ .in = x->dims[i],
					   .out = y->dims[i],
					   .scale = sn_float(c->pool, DT_F32, 1) };
	for (int i = 0; i < count; i++) {
		int axis = i;
		if (at->axes.n > 0)
			sn_shape_axis(at->axes.v[i], x->rank, &axis);
		struct sn_resize *a = &r[axis];
		a->is_resized = true;
		sn_ex in = CAST(DT_F32, a->in);
		a->scale = has_sizes ? DIV(element_f32(c, 3, i), in) : element_f32(c, 2, i);
		a->length = has_sizes ? CAST(DT_F32, a->out) : MUL(a->scale, in);
		a->roi_lo = has_roi ? element_f32(c, 1, i) : NULL;
		a->roi_hi = has_roi ? element_f32(c, 1, i + count) : NULL;
	}
	if (has_sizes && strcmp(at->keep_aspect_ratio_policy, "stretch") != 0)
		keep_aspect(c, x->rank, r);
}

bool
sn_lower_resize(struct sn_lower *c)
{
	const struct sn_attrs_resize *at = sn_attrs(c->node, resize);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_resize r[SN_MAX_RANK];
	struct taps t[SN_MAX_RANK];
	sn_ex idx[SN_MAX_RANK], is_outside = NULL;
	int reads = 1;
	if (at->antialias)
		return sn_lower_refuse(c, "antialias");
	if (!sn_node_resizes(c->pool, c->node, r))
		runtime_resizes(c, &y->type, r);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	for (int i = 0; i < x->type.rank; i++) {
		t[i] = axis_taps(c, &r[i], AXIS(m, i));
		reads *= t[i].n;
		if (t[i].is_outside)
			is_outside = is_outside ? OR(is_outside, t[i].is_outside) : t[i].is_outside;
	}
	if (reads > 256)
		return sn_lower_refuse(c, "interpolation over so many axes");
	sn_ex e = tap_sum(c, x, t, 0, idx);
	if (is_outside)
		e = SEL(is_outside, LIKE(e, at->extrapolation_value), e);
	STORE(m, y, to_type(c, e, y->type.dtype));
	return true;
}
