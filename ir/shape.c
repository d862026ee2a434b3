/*
 * Shape arithmetic: axes, broadcasting, windows, and products of dimensions
 * taken apart into factors, which is what reshaping needs.
 */
#include "ir/shape.h"

#include <string.h>
#include "ir/attrs.h"
#include "ir/index.h"

bool
sn_shape_axis(int64_t axis, int rank, int *out)
{
	if (axis < -rank || axis >= rank)
		return false;
	*out = (int)(axis < 0 ? axis + rank : axis);
	return true;
}

const struct sn_expr *
sn_shape_min(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	if (sn_prove_le(p, a, b))
		return a;
	return sn_prove_le(p, b, a) ? b : sn_op2(p, OP_MIN, a, b);
}

const struct sn_expr *
sn_shape_max(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	if (sn_prove_le(p, a, b))
		return b;
	return sn_prove_le(p, b, a) ? a : sn_op2(p, OP_MAX, a, b);
}

bool
sn_shape_may_equal(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return a == b || (!sn_prove_lt(p, a, b) && !sn_prove_lt(p, b, a));
}

/* ---- broadcasting ----------------------------------------------------------------------------- */

/* 1 or, where it isn't a constant, perhaps 0. */
static bool
is_at_most_one(const struct sn_expr *e)
{
	int64_t lo, hi;
	sn_bounds(e, &lo, &hi);
	return hi == 1;
}

static bool
broadcast_dim(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b,
	      const struct sn_expr **out)
{
	if (a == b || sn_is_int_const(b, 1)) {
		*out = a;
		return true;
	}
	*out = is_at_most_one(a) || sn_is_const(b) ? b : a;
	if (sn_is_int_const(a, 1) || sn_shape_may_equal(p, a, b))
		return true;
	/* proved different: one of them has to be 1; where either may be, the other is the product */
	const struct sn_expr *one = sn_int(p, 1);
	bool may_a = sn_shape_may_equal(p, a, one), may_b = sn_shape_may_equal(p, b, one);
	*out = may_a && may_b ? sn_mul(p, a, b) : may_a ? b : a;
	return may_a || may_b;
}

bool
sn_shape_broadcast(struct sn_pool *p, const struct sn_type *a, const struct sn_type *b,
		   struct sn_type *out)
{
	struct sn_type t = { .kind = TY_TENSOR, .dtype = a->dtype };
	t.rank = a->rank > b->rank ? a->rank : b->rank;
	for (int i = 0; i < t.rank; i++) {
		int ia = i - (t.rank - a->rank), ib = i - (t.rank - b->rank);
		if (ia < 0 || ib < 0)
			t.dims[i] = ia < 0 ? b->dims[ib] : a->dims[ia];
		else if (!broadcast_dim(p, a->dims[ia], b->dims[ib], &t.dims[i]))
			return false;
	}
	*out = t;
	return true;
}

/* ---- windows ---------------------------------------------------------------------------------- */

/* Padding so that the result has ceil(in / stride) elements; the odd one goes to the end for
 * SAME_UPPER, else to the beginning. */
static void
pad_same(struct sn_pool *p, struct sn_window *w, bool is_upper)
{
	const struct sn_expr *zero = sn_int(p, 0);
	w->out = sn_divk(p, sn_addk(p, w->in, w->stride - 1), w->stride);
	const struct sn_expr *need = sn_mulk(p, sn_addk(p, w->out, -1), w->stride);
	need = sn_addk(p, need, (w->kernel - 1) * w->dilation + 1);
	const struct sn_expr *total = sn_shape_max(p, sn_sub(p, need, w->in), zero);
	const struct sn_expr *less = sn_divk(p, total, 2), *more = sn_sub(p, total, less);
	w->pad_lo = is_upper ? less : more;
	w->pad_hi = is_upper ? more : less;
}

/* Number of places of the window. With ceil_mode a last, partial place counts, unless it would
 * begin in the padding after the end. */
static void
count_places(struct sn_pool *p, struct sn_window *w, bool ceil_mode)
{
	const struct sn_expr *from = sn_add(p, w->in, w->pad_lo);
	const struct sn_expr *room = sn_addk(p, sn_add(p, from, w->pad_hi),
					     -((w->kernel - 1) * w->dilation + 1));
	if (!ceil_mode) {
		w->out = sn_addk(p, sn_divk(p, room, w->stride), 1);
		return;
	}
	const struct sn_expr *up = sn_divk(p, sn_addk(p, room, w->stride - 1), w->stride);
	const struct sn_expr *last = sn_divk(p, sn_addk(p, from, -1), w->stride);
	w->out = sn_addk(p, sn_shape_min(p, up, last), 1);
}

static bool
one_window(struct sn_pool *p, const char *auto_pad, bool ceil_mode, struct sn_window *w)
{
	int64_t out;
	if (w->kernel < 1 || w->stride < 1 || w->dilation < 1)
		return false;
	if (w->kernel > INT32_MAX || w->stride > INT32_MAX || w->dilation > INT32_MAX)
		return false;
	if (auto_pad && strncmp(auto_pad, "SAME_", 5) == 0)
		pad_same(p, w, strcmp(auto_pad, "SAME_UPPER") == 0);
	else
		count_places(p, w, ceil_mode);
	return !sn_get_int(w->out, &out) || out >= 0;
}

static bool
is_given(const struct sn_ints *list)
{
	return list->n > 0;
}

/* LIST has an entry for each of N, or none at all. */
static bool
has_entries(const struct sn_ints *list, int n)
{
	return !is_given(list) || list->n == n;
}

bool
sn_shape_windows(struct sn_pool *p, const struct sn_type *x, const struct sn_window_attrs *at,
		 struct sn_window *out)
{
	int n = at->nspatial;
	bool is_valid = at->auto_pad && strcmp(at->auto_pad, "VALID") == 0;
	bool has_pads = is_given(at->pads) && !is_valid;
	if (!has_entries(at->strides, n) || !has_entries(at->dilations, n)
	    || (has_pads && at->pads->n != 2 * n))
		return false;
	for (int i = 0; i < n; i++) {
		struct sn_window *w = &out[i];
		w->kernel = at->kernel[i];
		w->stride = is_given(at->strides) ? at->strides->v[i] : 1;
		w->dilation = is_given(at->dilations) ? at->dilations->v[i] : 1;
		w->in = x->dims[x->rank - n + i];
		w->pad_lo = sn_int(p, has_pads ? at->pads->v[i] : 0);
		w->pad_hi = sn_int(p, has_pads ? at->pads->v[i + n] : 0);
		if (!one_window(p, at->auto_pad, at->ceil_mode, w))
			return false;
	}
	return true;
}

/* ---- products as factors ---------------------------------------------------------------------- */

enum { MAX_FACTORS = 32 };

/* coef * f[0] * f[1] * ...; each factor an expression that is no product and has no constant
 * factor, so equal factors are equal pointers. */
struct factors {
	int64_t coef;
	int n;
	const struct sn_expr *f[MAX_FACTORS];
	bool is_bad; /* overflow of either */
};

static void
mul_coef(struct factors *x, int64_t k)
{
	if (__builtin_mul_overflow(x->coef, k, &x->coef))
		x->is_bad = true;
}

static void
push(struct factors *x, const struct sn_expr *e)
{
	if (x->n == MAX_FACTORS)
		x->is_bad = true;
	else
		x->f[x->n++] = e;
}

static int64_t
gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t t = a % b;
		a = b;
		b = t;
	}
	return a < 0 ? -a : a;
}

/* Factors of a term's base: the operands of a product, else itself. */
static void
factor_base(struct factors *x, const struct sn_expr *e)
{
	if (e->kind != EX_OP || e->op != OP_MUL) {
		push(x, e);
		return;
	}
	for (int i = 0; i < e->nargs; i++)
		factor_base(x, e->args[i]);
}

/* Takes E out of X's factors once; false if it isn't there. */
static bool
cancel_one(struct factors *x, const struct sn_expr *e)
{
	for (int i = 0; i < x->n; i++) {
		if (x->f[i] == e) {
			x->f[i] = x->f[--x->n];
			return true;
		}
	}
	return false;
}

static const struct sn_expr *
product(struct sn_pool *p, const struct factors *x)
{
	const struct sn_expr *e = sn_int(p, x->coef);
	for (int i = 0; i < x->n; i++)
		e = sn_mul(p, e, x->f[i]);
	return e;
}

/* What all terms have in common, apart from constants. */
static struct factors
common_factors(const struct sn_affine *a)
{
	struct factors common = { .coef = 1 };
	if (a->constant != 0 || a->n == 0)
		return common;
	factor_base(&common, a->terms[0].base);
	for (int i = 1; i < a->n; i++) {
		struct factors term = { .coef = 1 }, both = { .coef = 1 };
		factor_base(&term, a->terms[i].base);
		for (int j = 0; j < common.n; j++)
			if (cancel_one(&term, common.f[j]))
				push(&both, common.f[j]);
		common = both;
	}
	return common;
}

/* A sum: its content (greatest common divisor), its common factors, and what remains. */
static void
factor_sum(struct sn_pool *p, struct factors *x, const struct sn_affine *a)
{
	int64_t g = a->constant;
	for (int i = 0; i < a->n; i++)
		g = gcd(g, a->terms[i].coef);
	mul_coef(x, g);
	struct factors common = common_factors(a);
	for (int i = 0; i < common.n; i++)
		push(x, common.f[i]);
	const struct sn_expr *rest = sn_int(p, a->constant / g);
	for (int i = 0; i < a->n; i++) {
		struct factors term = { .coef = a->terms[i].coef / g };
		factor_base(&term, a->terms[i].base);
		for (int j = 0; j < common.n; j++)
			cancel_one(&term, common.f[j]);
		rest = sn_add(p, rest, product(p, &term));
	}
	push(x, rest);
}

static void
factor(struct sn_pool *p, struct factors *x, const struct sn_expr *e)
{
	struct sn_affine a;
	int64_t k;
	if (sn_get_int(e, &k)) {
		mul_coef(x, k);
		return;
	}
	sn_affine_of(e, &a);
	if (!a.is_exact || (a.n == 1 && a.constant == 0)) {
		mul_coef(x, a.is_exact ? a.terms[0].coef : 1);
		factor_base(x, a.is_exact ? a.terms[0].base : e);
	} else {
		factor_sum(p, x, &a);
	}
}

/* Removes from both what they have in common. */
static void
cancel(struct factors *num, struct factors *den)
{
	for (int i = num->n - 1; i >= 0; i--) {
		const struct sn_expr *e = num->f[i];
		if (cancel_one(den, e)) {
			num->f[i] = num->f[--num->n];
		}
	}
	int64_t g = gcd(num->coef, den->coef);
	if (g) {
		num->coef /= g;
		den->coef /= g;
	}
}

bool
sn_shape_quotient(struct sn_pool *p, const struct sn_expr *const *num, int n,
		  const struct sn_expr *const *den, int m, const struct sn_expr **out)
{
	struct factors x = { .coef = 1 }, y = { .coef = 1 };
	for (int i = 0; i < n; i++)
		factor(p, &x, num[i]);
	for (int i = 0; i < m; i++)
		factor(p, &y, den[i]);
	if (x.is_bad || y.is_bad || y.coef == 0)
		return false;
	cancel(&x, &y);
	if (y.coef < 0) {
		x.coef = -x.coef;
		y.coef = -y.coef;
	}
	*out = product(p, &x);
	if (y.n == 0 && y.coef == 1)
		return true;
	if (y.n == 0 && x.n == 0)
		return false;
	*out = sn_op2(p, OP_FLOORDIV, *out, product(p, &y));
	return true;
}

/* ---- reshape groups --------------------------------------------------------------------------- */

/* Which side of the group is behind: -1 source, 1 result, 0 both match; 2: neither divides. */
static int
compare_products(const struct factors *s, const struct factors *d)
{
	struct factors x = *s, y = *d;
	cancel(&x, &y);
	bool x_is_one = x.n == 0 && x.coef == 1, y_is_one = y.n == 0 && y.coef == 1;
	if (x_is_one && y_is_one)
		return 0;
	if (x_is_one || y_is_one)
		return x_is_one ? -1 : 1;
	if (x.n == 0 && y.n == 0)
		return x.coef < y.coef ? -1 : 1;
	if (x.n == 0 || y.n == 0)
		return x.n == 0 ? -1 : 1;
	return 2;
}

/* Extends group G, which begins at s0, d0, until both sides have the same product. */
static void
close_group(struct sn_pool *p, const struct sn_type *src, const struct sn_type *dst,
	    struct sn_reshape_group *g)
{
	struct factors s = { .coef = 1 }, d = { .coef = 1 };
	if (g->s1 < src->rank)
		factor(p, &s, src->dims[g->s1++]);
	if (g->d1 < dst->rank)
		factor(p, &d, dst->dims[g->d1++]);
	for (;;) {
		int behind = compare_products(&s, &d);
		bool can_s = g->s1 < src->rank, can_d = g->d1 < dst->rank;
		if (behind == 0 || (!can_s && !can_d))
			return;
		if (can_s && (behind == -1 || behind == 2 || !can_d))
			factor(p, &s, src->dims[g->s1++]);
		if (can_d && (behind == 1 || behind == 2 || !can_s))
			factor(p, &d, dst->dims[g->d1++]);
	}
}

int
sn_shape_reshape_groups(struct sn_pool *p, const struct sn_type *src, const struct sn_type *dst,
			struct sn_reshape_group *out)
{
	int n = 0, s = 0, d = 0;
	while (s < src->rank || d < dst->rank) {
		if (n == SN_MAX_RANK) { /* only ones can be left */
			out[n - 1].s1 = src->rank;
			out[n - 1].d1 = dst->rank;
			break;
		}
		out[n] = (struct sn_reshape_group){ s, s, d, d };
		close_group(p, src, dst, &out[n]);
		s = out[n].s1;
		d = out[n].d1;
		n++;
	}
	return n;
}
