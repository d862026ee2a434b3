/*
 * What can be proved of index expressions.
 *
 * d >= 0 is shown by eliminating variables: where d rises or falls with an
 * axis or a symbol throughout, the variable is put at the end of its range
 * where d is least (an axis at its extent - 1, which may be symbolic); then
 * quotients, remainders, minima give way to bounds of theirs.
 */
#include "ir/index_impl.h"

/* Simplifying inside a proof may ask for proofs: they share one budget of steps. */
enum { MAX_DEPTH = 12, MAX_STEPS = 64 };

/* How an expression changes with a variable. */
enum trend { CONSTANT, RISES, FALLS, UNKNOWN };

static bool
is_op(const struct sn_expr *e, enum sn_scalar_op op)
{
	return e->kind == EX_OP && e->op == op;
}

static enum trend
reversed(enum trend t)
{
	return t == RISES ? FALLS : t == FALLS ? RISES : t;
}

static enum trend
joined(enum trend a, enum trend b)
{
	if (a == CONSTANT || a == b)
		return b;
	return b == CONSTANT ? a : UNKNOWN;
}

static enum trend trend_of(const struct sn_expr *e, const struct sn_expr *var);

/* Of a product, whose other factors are not negative. */
static enum trend
trend_of_product(const struct sn_expr *e, const struct sn_expr *var)
{
	const struct sn_expr *a = e->args[0], *b = e->args[1];
	enum trend x = trend_of(a, var), y = trend_of(b, var);

	if (a->hi <= 0 && sn_is_const(a))
		return reversed(y);
	if ((y != CONSTANT && a->lo < 0) || (x != CONSTANT && b->lo < 0))
		return UNKNOWN;
	return joined(x, y);
}

/* Of a quotient by a divisor that is positive and does not change. */
static enum trend
trend_of_quotient(const struct sn_expr *e, const struct sn_expr *var)
{
	if (e->args[1]->lo < 1 || trend_of(e->args[1], var) != CONSTANT)
		return UNKNOWN;
	return trend_of(e->args[0], var);
}

static enum trend
trend_of(const struct sn_expr *e, const struct sn_expr *var)
{
	if (e == var)
		return RISES;
	if (e->kind != EX_OP) {
		enum trend t = CONSTANT;

		for (int i = 0; i < e->nargs && t == CONSTANT; i++)
			t = trend_of(e->args[i], var) == CONSTANT ? CONSTANT : UNKNOWN;
		return t;
	}
	switch ((enum sn_scalar_op)e->op) {
	case OP_ADD:
	case OP_MIN:
	case OP_MAX: return joined(trend_of(e->args[0], var), trend_of(e->args[1], var));
	case OP_SUB: return joined(trend_of(e->args[0], var), reversed(trend_of(e->args[1], var)));
	case OP_MUL: return trend_of_product(e, var);
	case OP_FLOORDIV: return trend_of_quotient(e, var);
	default: break;
	}
	for (int i = 0; i < e->nargs; i++)
		if (trend_of(e->args[i], var) != CONSTANT)
			return UNKNOWN;
	return CONSTANT;
}

/* E with VAR replaced; small expressions, hence no memo. */
static const struct sn_expr *
replace(struct sn_pool *p, const struct sn_expr *e, const struct sn_expr *var,
	const struct sn_expr *by)
{
	const struct sn_expr *args[3];
	bool is_same = true;

	if (e == var)
		return by;
	if (e->kind != EX_OP || e->nargs > 3 || e->op == OP_CAST || e->op == OP_BITCAST)
		return e;
	for (int i = 0; i < e->nargs; i++) {
		args[i] = replace(p, e->args[i], var, by);
		is_same &= args[i] == e->args[i];
	}
	return is_same ? e : sn_op(p, (enum sn_scalar_op)e->op, args, e->nargs);
}

/* Axes (or symbols) under E, at most SN_MAX_TERMS of them. */
static void
collect(const struct sn_expr *e, enum sn_expr_kind kind, const struct sn_expr **out, int *n)
{
	if (e->kind == kind) {
		for (int i = 0; i < *n; i++)
			if (out[i] == e)
				return;
		if (*n < SN_MAX_TERMS)
			out[(*n)++] = e;
	}
	if (e->kind == EX_OP)
		for (int i = 0; i < e->nargs && *n < SN_MAX_TERMS; i++)
			collect(e->args[i], kind, out, n);
}

/* The least (else greatest) value of a variable; NULL if it has none. */
static const struct sn_expr *
end_of(struct sn_pool *p, const struct sn_expr *var, bool is_least)
{
	int64_t end = is_least ? var->lo : var->hi;

	if (var->kind == EX_AXIS && !is_least)
		return sn_addk(p, var->axis->extent, -1);
	return end == INT64_MIN || end == INT64_MAX ? NULL : sn_int(p, end);
}

/* D at its least in one variable of KIND; NULL if there is none to eliminate. */
static const struct sn_expr *
eliminate_variable(struct sn_pool *p, const struct sn_expr *d, enum sn_expr_kind kind)
{
	const struct sn_expr *vars[SN_MAX_TERMS];
	int n = 0;

	collect(d, kind, vars, &n);
	for (int i = 0; i < n; i++) {
		enum trend t = trend_of(d, vars[i]);
		const struct sn_expr *end = NULL;

		if (t == RISES || t == FALLS)
			end = end_of(p, vars[i], t == RISES);
		if (end)
			return replace(p, d, vars[i], end);
	}
	return NULL;
}

static bool is_not_negative(struct sn_pool *p, const struct sn_expr *d, int depth);

/* D with its term T replaced by coef * BY. */
static const struct sn_expr *
with_term(struct sn_pool *p, const struct sn_expr *d, struct sn_term t, const struct sn_expr *by)
{
	return sn_add(p, sn_sub(p, d, sn_mulk(p, t.base, t.coef)), sn_mulk(p, by, t.coef));
}

/* Is D proved with term T, a minimum or maximum, replaced by its operands: both, or one of them? */
static bool
try_extreme(struct sn_pool *p, const struct sn_expr *d, struct sn_term t, int depth)
{
	bool is_bound = is_op(t.base, OP_MAX) == (t.coef > 0);
	const struct sn_expr *const *x = &t.base->args[is_op(t.base, OP_SELECT)];
	bool first = is_not_negative(p, with_term(p, d, t, x[0]), depth - 1);

	if (is_bound && !is_op(t.base, OP_SELECT))
		return first || is_not_negative(p, with_term(p, d, t, x[1]), depth - 1);
	return first && is_not_negative(p, with_term(p, d, t, x[1]), depth - 1);
}

/* 0 <= y%m <= m - 1; 0 <= within(y, m) <= m - 1; y - k + 1 <= k*(y//k) <= y, and where the quotient
 * stands alone exactly: 0 <= r - y//k where y <= k*r + k - 1, 0 <= r + y//k where 0 <= k*r + y. */
static const struct sn_expr *
relax(struct sn_pool *p, const struct sn_expr *d, struct sn_term t)
{
	const struct sn_expr *y = t.base->args[0], *k = t.base->args[1];

	if (k->lo < 1)
		return NULL;
	if (is_op(t.base, OP_MOD) || is_op(t.base, OP_WITHIN))
		return with_term(p, d, t, t.coef > 0 ? sn_int(p, 0) : sn_addk(p, k, -1));
	const struct sn_expr *others = sn_sub(p, d, sn_mulk(p, t.base, t.coef));
	const struct sn_expr *top = sn_addk(p, sn_sub(p, y, k), 1);
	const struct sn_expr *end = t.coef == -1 || t.coef > 1 ? top : y;

	return sn_add(p, sn_mul(p, others, k), sn_mulk(p, end, t.coef));
}

/* Tries the terms that are no plain variables. Extremes first: their operands are exact, and may
 * cancel what relaxing would lose. */
static bool
try_terms(struct sn_pool *p, const struct sn_expr *d, int depth)
{
	struct sn_affine a;

	sn_affine_of(d, &a);
	for (int i = 0; i < a.n && a.is_exact; i++) {
		const struct sn_expr *base = a.terms[i].base;

		if (is_op(base, OP_MIN) || is_op(base, OP_MAX) || is_op(base, OP_SELECT))
			return try_extreme(p, d, a.terms[i], depth);
	}
	for (int i = 0; i < a.n && a.is_exact; i++) {
		const struct sn_expr *base = a.terms[i].base, *e = NULL;

		if (is_op(base, OP_FLOORDIV) || is_op(base, OP_MOD) || is_op(base, OP_WITHIN))
			e = relax(p, d, a.terms[i]);
		if (e && is_not_negative(p, e, depth - 1))
			return true;
	}
	return false;
}

static bool
is_not_negative(struct sn_pool *p, const struct sn_expr *d, int depth)
{
	if (d->lo >= 0)
		return true;
	if (d->hi < 0 || depth == 0 || (d->has & SN_HAS_WRAP) || p->proof_steps <= 1)
		return false;
	p->proof_steps--;
	const struct sn_expr *e = eliminate_variable(p, d, EX_AXIS);

	if (!e && try_terms(p, d, depth))
		return true;
	if (!e)
		e = eliminate_variable(p, d, EX_SYM);
	return e && is_not_negative(p, e, depth - 1);
}

/* A + DISTANCE <= B from the meaning of quotients and remainders by symbols: x % q < q, and
 * x // q < n where x < q * n. */
static bool
prove_by_meaning(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b,
		 int64_t distance)
{
	if (is_op(a, OP_MOD) || is_op(a, OP_WITHIN))
		return a->args[1] == b && b->lo >= 1 && distance <= 1;
	if (!is_op(a, OP_FLOORDIV) || a->args[1]->lo < 1 || sn_is_const(a->args[1]))
		return false;
	return sn_prove_lt(p, a->args[0], sn_mul(p, a->args[1], sn_addk(p, b, 1 - distance)));
}

static bool
prove(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b, int64_t distance)
{
	bool is_outer = p->proof_steps == 0;

	if (prove_by_meaning(p, a, b, distance))
		return true;
	if (is_outer)
		p->proof_steps = MAX_STEPS;
	if (p->proof_steps < 2)
		return false;
	bool is_proved = is_not_negative(p, sn_addk(p, sn_sub(p, b, a), -distance), MAX_DEPTH);

	if (is_outer)
		p->proof_steps = 0;
	return is_proved;
}

bool
sn_prove_le(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	if (a == b || a->hi <= b->lo)
		return true;
	if (a->lo > b->hi || ((a->has | b->has) & SN_HAS_WRAP))
		return false;
	return prove(p, a, b, 0);
}

bool
sn_prove_lt(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	if (a == b)
		return false;
	if (a->hi < b->lo)
		return true;
	if (a->lo >= b->hi || ((a->has | b->has) & SN_HAS_WRAP))
		return false;
	return prove(p, a, b, 1);
}

bool
sn_prove_divides(const struct sn_expr *e, int64_t k)
{
	struct sn_affine a;

	sn_affine_of(e, &a);
	if (k == 0 || a.constant % k != 0)
		return false;
	for (int i = 0; i < a.n; i++)
		if (a.terms[i].coef % k != 0)
			return false;
	return true;
}
