/*
 * Floor quotients and remainders of index expressions.
 *
 * Division by a constant k splits x = k*q + r term by term; what is left is
 * divided only if its bounds span several multiples of k.  Division by an
 * expression d (proved >= 1) is resolved when x = q*d + r with 0 <= r < d can
 * be proved; multiples of a d of one term come off in any case.  Nothing here is
 * done to numbers that may wrap around.
 */
#include "ir/index_impl.h"

static bool
is_op(const struct sn_expr *e, enum sn_scalar_op op)
{
	return e->kind == EX_OP && e->op == op;
}

static const struct sn_expr *
node(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_expr_node(p, op, DT_I64, (const struct sn_expr *[]){ a, b }, 2);
}

static int64_t
gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = a % b;

		a = b;
		b = r;
	}
	return a < 0 ? -a : a;
}

/* True if all values of A lie in one period [*out*k, *out*k + k). */
static bool
in_one_period(const struct sn_affine *a, int64_t k, int64_t *out)
{
	int64_t lo, hi;

	sn_affine_bounds(a, &lo, &hi);
	if (lo == INT64_MIN || hi == INT64_MAX)
		return false;
	*out = sn_floor_div(lo, k);
	return *out == sn_floor_div(hi, k);
}

/* X = K * QUOT + REST, coefficients of REST smaller than K, its constant in [0, K). */
static bool
split_terms(const struct sn_expr *x, int64_t k, struct sn_affine *quot, struct sn_affine *rest)
{
	struct sn_affine a;

	sn_affine_of(x, &a);
	*quot = *rest = (struct sn_affine){ .is_exact = true };
	if (!a.is_exact)
		return false;
	quot->constant = sn_floor_div(a.constant, k);
	rest->constant = sn_floor_mod(a.constant, k);
	for (int i = 0; i < a.n; i++) {
		sn_affine_add_term(quot, a.terms[i].base, a.terms[i].coef / k);
		sn_affine_add_term(rest, a.terms[i].base, a.terms[i].coef % k);
	}
	return a.constant != INT64_MIN && a.constant != INT64_MAX;
}

/*
 * A = g * *out_high + *out_low with 0 <= low < g for the largest such g > 1 that
 * divides K; false if there is none.
 */
static bool
split_digits(const struct sn_affine *a, int64_t k, int64_t *out_g, struct sn_affine *out_high,
	     struct sn_affine *out_low)
{
	int64_t best = 1;

	for (int c = 0; c < a->n; c++) {
		int64_t g = gcd(a->terms[c].coef, k), digit;
		struct sn_affine high = { .is_exact = true };
		struct sn_affine low = { .is_exact = true, .constant = a->constant };

		for (int i = 0; g > best && i < a->n; i++)
			sn_affine_add_term(a->terms[i].coef % g ? &low : &high, a->terms[i].base,
					   a->terms[i].coef % g ? a->terms[i].coef
								: a->terms[i].coef / g);
		if (g <= best || !in_one_period(&low, g, &digit))
			continue;
		high.constant = digit;
		low.constant -= digit * g;
		best = *out_g = g;
		*out_high = high;
		*out_low = low;
	}
	return best > 1;
}

/* The one term of A, if it has coefficient 1 and is the operation OP. */
static const struct sn_expr *
only_term(const struct sn_affine *a, enum sn_scalar_op op)
{
	if (a->n != 1 || a->terms[0].coef != 1 || !is_op(a->terms[0].base, op))
		return NULL;
	return a->terms[0].base;
}

/* (y//d + c)//k = (y + c*d)//(d*k); (y%d)//k = (y//k) % (d/k) if k divides d; NULL if neither */
static const struct sn_expr *
nested_quotient(struct sn_pool *p, const struct sn_affine *a, int64_t k)
{
	const struct sn_expr *e = only_term(a, OP_FLOORDIV);
	int64_t d, product;

	if (e && e->args[1]->lo >= 1 && !__builtin_mul_overflow(e->args[1]->lo, k, &product)) {
		const struct sn_expr *num = sn_add(p, e->args[0],
						   sn_mulk(p, e->args[1], a->constant));

		return sn_op2(p, OP_FLOORDIV, num, sn_mulk(p, e->args[1], k));
	}
	e = only_term(a, OP_MOD);
	if (e && a->constant == 0 && sn_get_int(e->args[1], &d) && d > 0 && d % k == 0)
		return sn_modk(p, sn_divk(p, e->args[0], k), d / k);
	return NULL;
}

/* A // K where nothing splits off any more. */
static const struct sn_expr *
quotient_of_rest(struct sn_pool *p, const struct sn_affine *a, int64_t k)
{
	struct sn_affine high, low;
	int64_t g;

	if (in_one_period(a, k, &g))
		return sn_int(p, g);
	const struct sn_expr *e = nested_quotient(p, a, k);

	if (e)
		return e;
	if (split_digits(a, k, &g, &high, &low))
		return sn_divk(p, sn_affine_expr(p, &high), k / g);
	return node(p, OP_FLOORDIV, sn_affine_expr(p, a), sn_int(p, k));
}

static const struct sn_expr *
floordiv_const(struct sn_pool *p, const struct sn_expr *x, int64_t k)
{
	struct sn_affine quot, rest;

	if (k == 1)
		return x;
	if (!split_terms(x, k, &quot, &rest))
		return NULL;
	return sn_add(p, sn_affine_expr(p, &quot), quotient_of_rest(p, &rest, k));
}

/* Terms c*(y%d) of A with k dividing c*d become c*y: the same modulo k. False if there is none. */
static bool
drop_inner_mods(struct sn_affine *a, int64_t k)
{
	for (int i = 0; i < a->n; i++) {
		const struct sn_expr *e = a->terms[i].base;
		int64_t c = a->terms[i].coef, d;

		if (!is_op(e, OP_MOD) || !sn_get_int(e->args[1], &d) || d <= 0
		    || sn_wrap_mul(c % k, d % k) % k != 0 || k > INT32_MAX)
			continue;
		if (e->args[0]->has & SN_HAS_WRAP)
			continue;
		struct sn_affine b = *a;

		if (!sn_affine_add_term(&b, e, -c) || !sn_affine_add(&b, e->args[0], c))
			continue;
		*a = b;
		return true;
	}
	return false;
}

static const struct sn_expr *
mod_const(struct sn_pool *p, const struct sn_expr *x, int64_t k)
{
	struct sn_affine quot, rest, high, low;
	int64_t g;

	if (k == 1)
		return sn_int(p, 0);
	if (!split_terms(x, k, &quot, &rest))
		return NULL;
	if (in_one_period(&rest, k, &g)) {
		rest.constant -= g * k;
		return sn_affine_expr(p, &rest);
	}
	if (drop_inner_mods(&rest, k))
		return sn_modk(p, sn_affine_expr(p, &rest), k);
	if (split_digits(&rest, k, &g, &high, &low)) {
		const struct sn_expr *digit = sn_modk(p, sn_affine_expr(p, &high), k / g);

		return sn_add(p, sn_mulk(p, digit, g), sn_affine_expr(p, &low));
	}
	return node(p, OP_MOD, sn_affine_expr(p, &rest), sn_int(p, k));
}

/* ---- division by an expression ---- */

/* BASE / LEAD, both products; NULL if LEAD's factors are not all in BASE. */
static const struct sn_expr *
divide_base(struct sn_pool *p, const struct sn_expr *base, const struct sn_expr *lead)
{
	const struct sn_expr *f[SN_MAX_TERMS], *g[SN_MAX_TERMS];
	int n = sn_factors(base, f), m = sn_factors(lead, g);

	for (int i = 0; i < m; i++) {
		int k = 0;

		while (k < n && f[k] != g[i])
			k++;
		if (k == n)
			return NULL;
		f[k] = f[--n];
	}
	return m ? sn_product(p, f, n) : NULL;
}

/* The term of D with most factors leads a long division. */
static const struct sn_term *
leading_term(const struct sn_affine *d)
{
	const struct sn_expr *f[SN_MAX_TERMS];
	const struct sn_term *best = NULL;
	int most = 0;

	for (int i = 0; i < d->n; i++) {
		int n = sn_factors(d->terms[i].base, f);

		if (n > most
		    || (n == most && best && sn_expr_order(d->terms[i].base, best->base) < 0)) {
			most = n;
			best = &d->terms[i];
		}
	}
	return best;
}

/* One step of X divided by D: a term of X that LEAD divides; NULL if there is none. */
static const struct sn_expr *
division_step(struct sn_pool *p, const struct sn_expr *x, const struct sn_term *lead)
{
	struct sn_affine a;

	sn_affine_of(x, &a);
	for (int i = 0; i < a.n; i++) {
		const struct sn_expr *q = divide_base(p, a.terms[i].base, lead->base);

		if (q && a.terms[i].coef % lead->coef == 0)
			return sn_mulk(p, q, a.terms[i].coef / lead->coef);
	}
	return NULL;
}

/* What long division leaves. */
enum division {
	NOT_DIVIDED,
	SPLIT, /* multiples of D came off, which is one term; the rest is not proved to lie in [0, D) */
	DIVIDED,
};

/* X = *out_quot * D + *out_rest. */
static enum division
divide(struct sn_pool *p, const struct sn_expr *x, const struct sn_expr *d,
       const struct sn_expr **out_quot, const struct sn_expr **out_rest)
{
	struct sn_affine divisor;
	const struct sn_expr *quot = sn_int(p, 0), *q = NULL;

	sn_affine_of(d, &divisor);
	const struct sn_term *lead = leading_term(&divisor);

	if (!lead || !divisor.is_exact)
		return NOT_DIVIDED;
	for (int steps = 0; steps < SN_MAX_TERMS; steps++) {
		q = division_step(p, x, lead);
		if (!q)
			break;
		quot = sn_add(p, quot, q);
		x = sn_sub(p, x, sn_mul(p, q, d));
	}
	*out_quot = quot;
	*out_rest = x;
	if (sn_prove_le(p, sn_int(p, 0), x) && sn_prove_lt(p, x, d))
		return DIVIDED;
	bool is_term = divisor.n == 1 && divisor.constant == 0;

	return is_term && !q && !sn_is_int_const(quot, 0) ? SPLIT : NOT_DIVIDED;
}

static bool
may_wrap(const struct sn_expr *const *args)
{
	return ((args[0]->has | args[1]->has) & SN_HAS_WRAP) != 0;
}

const struct sn_expr *
sn_index_floordiv(struct sn_pool *p, const struct sn_expr *const *args)
{
	const struct sn_expr *x = args[0], *quot, *rest;
	int64_t k;

	if (may_wrap(args))
		return NULL;
	if (sn_get_int(args[1], &k))
		return k > 0 ? floordiv_const(p, x, k) : NULL;
	if (args[1]->lo < 1)
		return NULL;
	enum division result = divide(p, x, args[1], &quot, &rest);

	if (result == DIVIDED)
		return quot;
	if (result == SPLIT)
		return sn_add(p, quot, sn_op2(p, OP_FLOORDIV, rest, args[1]));
	if (is_op(x, OP_FLOORDIV) && x->args[1]->lo >= 1)
		return sn_op2(p, OP_FLOORDIV, x->args[0], sn_mul(p, x->args[1], args[1]));
	return NULL;
}

const struct sn_expr *
sn_index_mod(struct sn_pool *p, const struct sn_expr *const *args)
{
	const struct sn_expr *quot, *rest;
	int64_t k;

	if (may_wrap(args))
		return NULL;
	if (sn_get_int(args[1], &k))
		return k > 0 ? mod_const(p, args[0], k) : NULL;
	if (args[1]->lo < 1)
		return NULL;
	enum division result = divide(p, args[0], args[1], &quot, &rest);

	if (result == SPLIT)
		return sn_op2(p, OP_MOD, rest, args[1]);
	return result == DIVIDED ? rest : NULL;
}

/* ---- joining ---- */

/* A -= COEF * E if that removes every term of E from A; else A is left alone. */
static bool
take_away(struct sn_affine *a, const struct sn_expr *e, int64_t coef)
{
	struct sn_affine b = *a, x;

	sn_affine_of(e, &x);
	if (x.n == 0 || !x.is_exact || !sn_affine_add(&b, e, sn_wrap_mul(-1, coef))
	    || b.n != a->n - x.n)
		return false;
	*a = b;
	return true;
}

/* c*m*(z//m) + c*(z%m) = c*z */
static bool
join_remainder(struct sn_pool *p, struct sn_affine *a, const struct sn_term t)
{
	struct sn_affine b = *a;

	if (!is_op(t.base, OP_MOD) || t.base->args[1]->lo < 1)
		return false;
	const struct sn_expr *z = t.base->args[0], *m = t.base->args[1];
	const struct sn_expr *whole = sn_mul(p, m, sn_op2(p, OP_FLOORDIV, z, m));

	if (!sn_affine_add_term(&b, t.base, sn_wrap_mul(-1, t.coef))
	    || !take_away(&b, whole, t.coef) || !sn_affine_add(&b, z, t.coef))
		return false;
	*a = b;
	return true;
}

/* c*y - c*k*(y//k) = c*(y%k) */
static bool
join_quotient(struct sn_pool *p, struct sn_affine *a, const struct sn_term t)
{
	struct sn_affine b = *a;
	int64_t k;

	if (!is_op(t.base, OP_FLOORDIV) || !sn_get_int(t.base->args[1], &k) || k < 1
	    || t.coef % k != 0 || t.coef == INT64_MIN)
		return false;
	const struct sn_expr *y = t.base->args[0];
	int64_t c = -(t.coef / k);

	if (!sn_affine_add_term(&b, t.base, sn_wrap_mul(-1, t.coef)) || !take_away(&b, y, c)
	    || !sn_affine_add(&b, sn_modk(p, y, k), c))
		return false;
	*a = b;
	return true;
}

void
sn_affine_join(struct sn_pool *p, struct sn_affine *a)
{
	for (int rounds = 0, i = 0; i < a->n && rounds < SN_MAX_TERMS; i++) {
		if (!join_remainder(p, a, a->terms[i]) && !join_quotient(p, a, a->terms[i]))
			continue;
		rounds++;
		i = -1;
	}
}
