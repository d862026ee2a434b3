/*
 * Index arithmetic: canonical sums and products, comparisons, selections.
 *
 * A sum is written with its positive terms first, larger coefficients before
 * smaller ones, its constant last.  Products are multiplied out, so that a
 * polynomial has one form; their factors are sorted.
 */
#include <string.h>
#include "ir/index_impl.h"

int64_t
sn_wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

int64_t
sn_wrap_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

static bool
is_op(const struct sn_expr *e, enum sn_scalar_op op)
{
	return e->kind == EX_OP && e->op == op;
}

static uint64_t
magnitude(int64_t x)
{
	return x < 0 ? -(uint64_t)x : (uint64_t)x;
}

/* ---- taking apart ---- */

bool
sn_affine_add_term(struct sn_affine *a, const struct sn_expr *base, int64_t coef)
{
	int i = 0;

	if (coef == 0)
		return true;
	while (i < a->n && a->terms[i].base->id < base->id)
		i++;
	if (i < a->n && a->terms[i].base == base) {
		a->terms[i].coef = sn_wrap_add(a->terms[i].coef, coef);
		if (a->terms[i].coef == 0)
			memmove(&a->terms[i], &a->terms[i + 1],
				(size_t)(--a->n - i) * sizeof(a->terms[0]));
		return true;
	}
	if (a->n == SN_MAX_TERMS)
		return false;
	memmove(&a->terms[i + 1], &a->terms[i], (size_t)(a->n++ - i) * sizeof(a->terms[0]));
	a->terms[i] = (struct sn_term){ base, coef };
	return true;
}

bool
sn_affine_add(struct sn_affine *a, const struct sn_expr *e, int64_t coef)
{
	if (e->lanes > 1 || e->dtype != DT_I64)
		return sn_affine_add_term(a, e, coef);
	if (e->kind == EX_CONST) {
		a->constant = sn_wrap_add(a->constant, sn_wrap_mul(coef, e->num.i));
		return true;
	}
	if (is_op(e, OP_ADD) || is_op(e, OP_SUB))
		return sn_affine_add(a, e->args[0], coef)
		       && sn_affine_add(a, e->args[1],
					is_op(e, OP_ADD) ? coef : sn_wrap_mul(-1, coef));
	if (is_op(e, OP_MUL) && sn_is_const(e->args[0]))
		return sn_affine_add(a, e->args[1], sn_wrap_mul(coef, e->args[0]->num.i));
	return sn_affine_add_term(a, e, coef);
}

void
sn_affine_of(const struct sn_expr *e, struct sn_affine *out)
{
	*out = (struct sn_affine){ .is_exact = true };
	if (sn_affine_add(out, e, 1))
		return;
	*out = (struct sn_affine){ .n = 1, .terms = { { e, 1 } } };
}

/* ---- putting together ---- */

static bool
is_before(const struct sn_term *a, const struct sn_term *b)
{
	if ((a->coef > 0) != (b->coef > 0))
		return a->coef > 0;
	if (a->coef != b->coef)
		return magnitude(a->coef) > magnitude(b->coef);
	return sn_expr_order(a->base, b->base) < 0;
}

static const struct sn_expr *
node(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_expr_node(p, op, DT_I64, (const struct sn_expr *[]){ a, b }, 2);
}

static const struct sn_expr *
scaled(struct sn_pool *p, const struct sn_expr *base, int64_t coef)
{
	return coef == 1 ? base : node(p, OP_MUL, sn_int(p, coef), base);
}

/* SUM + COEF * BASE (BASE NULL: the constant COEF); a SUM of NULL is 0. */
static const struct sn_expr *
append(struct sn_pool *p, const struct sn_expr *sum, const struct sn_expr *base, int64_t coef)
{
	bool is_minus = sum && coef < 0 && coef != INT64_MIN;
	int64_t k = is_minus ? -coef : coef;
	const struct sn_expr *term = base ? scaled(p, base, k) : sn_int(p, k);

	return sum ? node(p, is_minus ? OP_SUB : OP_ADD, sum, term) : term;
}

const struct sn_expr *
sn_affine_expr(struct sn_pool *p, const struct sn_affine *a)
{
	struct sn_term t[SN_MAX_TERMS];
	const struct sn_expr *sum = NULL;
	int64_t rest = a->constant;

	for (int i = 0; i < a->n; i++) {
		int k = i;

		for (; k > 0 && is_before(&a->terms[i], &t[k - 1]); k--)
			t[k] = t[k - 1];
		t[k] = a->terms[i];
	}
	if (a->n && t[0].coef < 0 && rest > 0) { /* 7-i rather than -1*i+7 */
		sum = sn_int(p, rest);
		rest = 0;
	}
	for (int i = 0; i < a->n; i++)
		sum = append(p, sum, t[i].base, t[i].coef);
	return rest || !sum ? append(p, sum, NULL, rest) : sum;
}

/* ---- sums and products ---- */

static const struct sn_expr *
sum_of(struct sn_pool *p, const struct sn_expr *x, int64_t k, const struct sn_expr *y, int64_t l)
{
	struct sn_affine a = { .is_exact = true };

	if (!sn_affine_add(&a, x, k) || (y && !sn_affine_add(&a, y, l)))
		return NULL;
	sn_affine_join(p, &a);
	return sn_affine_expr(p, &a);
}

static bool
add_factors(const struct sn_expr *e, const struct sn_expr **out, int *n)
{
	if (is_op(e, OP_MUL) && e->lanes == 1 && !sn_is_const(e->args[0]))
		return add_factors(e->args[0], out, n) && add_factors(e->args[1], out, n);
	if (*n == SN_MAX_TERMS)
		return false;
	out[(*n)++] = e;
	return true;
}

int
sn_factors(const struct sn_expr *e, const struct sn_expr **out)
{
	int n = 0;

	return add_factors(e, out, &n) ? n : 0;
}

const struct sn_expr *
sn_product(struct sn_pool *p, const struct sn_expr **factors, int n)
{
	for (int i = 1; i < n; i++) {
		const struct sn_expr *f = factors[i];
		int k = i;

		for (; k > 0 && sn_expr_order(f, factors[k - 1]) < 0; k--)
			factors[k] = factors[k - 1];
		factors[k] = f;
	}
	const struct sn_expr *e = n ? factors[0] : sn_int(p, 1);

	for (int i = 1; i < n; i++)
		e = node(p, OP_MUL, e, factors[i]);
	return e;
}

/* Product of two bases, neither a sum nor with a coefficient; NULL if it is too long. */
static const struct sn_expr *
base_product(struct sn_pool *p, const struct sn_expr *x, const struct sn_expr *y)
{
	const struct sn_expr *f[SN_MAX_TERMS];
	int n = 0;

	if (!add_factors(x, f, &n) || !add_factors(y, f, &n))
		return NULL;
	return sn_product(p, f, n);
}

/* (x1 + x2 + ..)*(y1 + y2 + ..), multiplied out; NULL if that has too many terms. */
static const struct sn_expr *
product(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	struct sn_affine x, y, r = { .is_exact = true };

	sn_affine_of(a, &x);
	sn_affine_of(b, &y);
	if (!x.is_exact || !y.is_exact)
		return NULL;
	r.constant = sn_wrap_mul(x.constant, y.constant);
	for (int i = 0; i < x.n; i++) {
		if (!sn_affine_add_term(&r, x.terms[i].base,
					sn_wrap_mul(x.terms[i].coef, y.constant)))
			return NULL;
		for (int k = 0; k < y.n; k++) {
			const struct sn_expr *xy = base_product(p, x.terms[i].base,
								y.terms[k].base);

			if (!xy
			    || !sn_affine_add_term(&r, xy,
						   sn_wrap_mul(x.terms[i].coef, y.terms[k].coef)))
				return NULL;
		}
	}
	for (int k = 0; k < y.n; k++)
		if (!sn_affine_add_term(&r, y.terms[k].base,
					sn_wrap_mul(y.terms[k].coef, x.constant)))
			return NULL;
	sn_affine_join(p, &r);
	return sn_affine_expr(p, &r);
}

/* ---- operations ---- */

static const struct sn_expr *
boolean(struct sn_pool *p, bool x)
{
	return sn_const(p, DT_BOOL, (union sn_num){ .i = x });
}

static const struct sn_expr *
index_add(struct sn_pool *p, const struct sn_expr *const *x)
{
	return sum_of(p, x[0], 1, x[1], 1);
}

static const struct sn_expr *
index_sub(struct sn_pool *p, const struct sn_expr *const *x)
{
	return sum_of(p, x[0], 1, x[1], -1);
}

static const struct sn_expr *
index_neg(struct sn_pool *p, const struct sn_expr *const *x)
{
	return sum_of(p, x[0], -1, NULL, 0);
}

static const struct sn_expr *
index_mul(struct sn_pool *p, const struct sn_expr *const *x)
{
	if (sn_is_const(x[1]))
		return sum_of(p, x[0], x[1]->num.i, NULL, 0);
	if (sn_is_const(x[0]))
		return sum_of(p, x[1], x[0]->num.i, NULL, 0);
	return product(p, x[0], x[1]);
}

/* Equal to floor division where nothing is negative. */
static const struct sn_expr *
index_div(struct sn_pool *p, const struct sn_expr *const *x)
{
	return x[0]->lo >= 0 && x[1]->lo >= 0 ? sn_op(p, OP_FLOORDIV, x, 2) : NULL;
}

static const struct sn_expr *
index_fmod(struct sn_pool *p, const struct sn_expr *const *x)
{
	return x[0]->lo >= 0 && x[1]->lo >= 0 ? sn_op(p, OP_MOD, x, 2) : NULL;
}

/* min(a, b), one of which is proved the smaller; else the operands in order, a constant last. */
static const struct sn_expr *
extreme(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, const struct sn_expr *b)
{
	bool is_min = op == OP_MIN;

	if (sn_prove_le(p, a, b))
		return is_min ? a : b;
	if (sn_prove_le(p, b, a))
		return is_min ? b : a;
	if (sn_is_const(a) || (!sn_is_const(b) && sn_expr_order(b, a) < 0))
		return node(p, op, b, a);
	return NULL;
}

static const struct sn_expr *
index_min(struct sn_pool *p, const struct sn_expr *const *x)
{
	return extreme(p, OP_MIN, x[0], x[1]);
}

static const struct sn_expr *
index_max(struct sn_pool *p, const struct sn_expr *const *x)
{
	return extreme(p, OP_MAX, x[0], x[1]);
}

static const struct sn_expr *
index_within(struct sn_pool *p, const struct sn_expr *const *x)
{
	return sn_prove_le(p, sn_int(p, 0), x[0]) && sn_prove_lt(p, x[0], x[1]) ? x[0] : NULL;
}

static const struct sn_expr *
index_abs(struct sn_pool *p, const struct sn_expr *const *x)
{
	if (x[0]->lo >= 0)
		return x[0];
	return x[0]->hi <= 0 ? index_neg(p, x) : NULL;
}

static const struct sn_expr *
index_sign(struct sn_pool *p, const struct sn_expr *const *x)
{
	if (x[0]->lo > 0 || x[0]->hi < 0)
		return sn_int(p, x[0]->lo > 0 ? 1 : -1);
	return NULL;
}

static const struct sn_expr *
index_lt(struct sn_pool *p, const struct sn_expr *const *x)
{
	if (sn_prove_lt(p, x[0], x[1]))
		return boolean(p, true);
	return sn_prove_le(p, x[1], x[0]) ? boolean(p, false) : NULL;
}

static const struct sn_expr *
index_le(struct sn_pool *p, const struct sn_expr *const *x)
{
	if (sn_prove_le(p, x[0], x[1]))
		return boolean(p, true);
	return sn_prove_lt(p, x[1], x[0]) ? boolean(p, false) : NULL;
}

static bool
is_different(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_prove_lt(p, a, b) || sn_prove_lt(p, b, a);
}

static const struct sn_expr *
index_eq(struct sn_pool *p, const struct sn_expr *const *x)
{
	return is_different(p, x[0], x[1]) ? boolean(p, false) : NULL;
}

static const struct sn_expr *
index_ne(struct sn_pool *p, const struct sn_expr *const *x)
{
	return is_different(p, x[0], x[1]) ? boolean(p, true) : NULL;
}

static const struct sn_expr *(*const rules[OP_COUNT])(struct sn_pool *p,
						      const struct sn_expr *const *x) = {
	[OP_ADD] = index_add,
	[OP_SUB] = index_sub,
	[OP_MUL] = index_mul,
	[OP_NEG] = index_neg,
	[OP_DIV] = index_div,
	[OP_FMOD] = index_fmod,
	[OP_FLOORDIV] = sn_index_floordiv,
	[OP_MOD] = sn_index_mod,
	[OP_MIN] = index_min,
	[OP_MAX] = index_max,
	[OP_WITHIN] = index_within,
	[OP_ABS] = index_abs,
	[OP_SIGN] = index_sign,
	[OP_LT] = index_lt,
	[OP_LE] = index_le,
	[OP_EQ] = index_eq,
	[OP_NE] = index_ne,
};

const struct sn_expr *
sn_index_op(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *const *args, int nargs)
{
	(void)nargs;
	return rules[op] ? rules[op](p, args) : NULL;
}

/* ---- what others ask ---- */

bool
sn_affine_coef(const struct sn_expr *e, const struct sn_axis *axis, int64_t *out_coef)
{
	struct sn_affine a;

	*out_coef = 0;
	sn_affine_of(e, &a);
	for (int i = 0; i < a.n; i++) {
		const struct sn_expr *base = a.terms[i].base;

		if (base->kind == EX_AXIS && base->axis == axis)
			*out_coef = a.terms[i].coef;
		else if (sn_expr_has_axis(base, axis))
			return false;
	}
	return true;
}

/* BASE = AXIS * *out; false if AXIS is not exactly one of its factors. */
static bool
factor_out(struct sn_pool *p, const struct sn_expr *base, const struct sn_axis *axis,
	   const struct sn_expr **out)
{
	const struct sn_expr *f[SN_MAX_TERMS];
	int n = sn_factors(base, f), kept = 0;

	for (int i = 0; i < n; i++)
		if (!(f[i]->kind == EX_AXIS && f[i]->axis == axis))
			f[kept++] = f[i];
	if (kept != n - 1)
		return false;
	*out = sn_product(p, f, kept);
	return !sn_expr_has_axis(*out, axis);
}

bool
sn_affine_split(struct sn_pool *p, const struct sn_expr *e, const struct sn_axis *axis,
		const struct sn_expr **out_coef, const struct sn_expr **out_rest)
{
	struct sn_affine a, rest = { .is_exact = true };
	const struct sn_expr *coef = sn_int(p, 0), *other;

	sn_affine_of(e, &a);
	rest.constant = a.constant;
	for (int i = 0; i < a.n; i++) {
		if (!sn_expr_has_axis(a.terms[i].base, axis)) {
			sn_affine_add_term(&rest, a.terms[i].base, a.terms[i].coef);
			continue;
		}
		if (!factor_out(p, a.terms[i].base, axis, &other))
			return false;
		coef = sn_add(p, coef, sn_mulk(p, other, a.terms[i].coef));
	}
	*out_coef = coef;
	*out_rest = sn_affine_expr(p, &rest);
	return true;
}

const struct sn_expr *
sn_add(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_op2(p, OP_ADD, a, b);
}

const struct sn_expr *
sn_sub(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_op2(p, OP_SUB, a, b);
}

const struct sn_expr *
sn_mul(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_op2(p, OP_MUL, a, b);
}

const struct sn_expr *
sn_addk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_add(p, a, sn_int(p, k));
}

const struct sn_expr *
sn_mulk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_mul(p, a, sn_int(p, k));
}

const struct sn_expr *
sn_divk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_op2(p, OP_FLOORDIV, a, sn_int(p, k));
}

const struct sn_expr *
sn_modk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_op2(p, OP_MOD, a, sn_int(p, k));
}
