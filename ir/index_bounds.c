/*
 * Bounds of index expressions, kept in the expression from its making on.
 *
 * The ends of int64_t stand for infinity.  Numbers that come from data (reads,
 * states, locals) may be anything and wrap around, and what is computed from
 * them carries SN_HAS_WRAP until a bound is known.
 */
#include "ir/index_impl.h"

struct range {
	int64_t lo, hi;
};

static const struct range everything = { INT64_MIN, INT64_MAX };

static bool
is_infinite(int64_t x)
{
	return x == INT64_MIN || x == INT64_MAX;
}

static int64_t
sat_add(int64_t a, int64_t b)
{
	int64_t r;

	if (is_infinite(a))
		return a;
	if (is_infinite(b))
		return b;
	return __builtin_add_overflow(a, b, &r) ? (a < 0 ? INT64_MIN : INT64_MAX) : r;
}

static int64_t
sat_neg(int64_t a)
{
	return is_infinite(a) ? (a < 0 ? INT64_MAX : INT64_MIN) : -a;
}

static int64_t
sat_mul(int64_t a, int64_t b)
{
	int64_t r;

	if (a == 0 || b == 0)
		return 0;
	if (is_infinite(a) || is_infinite(b) || __builtin_mul_overflow(a, b, &r))
		return (a < 0) != (b < 0) ? INT64_MIN : INT64_MAX;
	return r;
}

static int64_t
min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
static int64_t
max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t
sn_floor_mod(int64_t a, int64_t k)
{
	int64_t r = a % k;

	return r < 0 ? r + k : r;
}

int64_t
sn_floor_div(int64_t a, int64_t k)
{
	if (is_infinite(a))
		return a;
	return a / k - (a % k < 0);
}

static struct range
range_of(const struct sn_expr *e)
{
	return (struct range){ e->lo, e->hi };
}

static struct range
r_add(struct range a, struct range b)
{
	return (struct range){ sat_add(a.lo, b.lo), sat_add(a.hi, b.hi) };
}

static struct range
r_neg(struct range a)
{
	return (struct range){ sat_neg(a.hi), sat_neg(a.lo) };
}

static struct range
r_sub(struct range a, struct range b)
{
	return r_add(a, r_neg(b));
}

static struct range
r_mul(struct range a, struct range b)
{
	int64_t x = sat_mul(a.lo, b.lo), y = sat_mul(a.lo, b.hi);
	int64_t z = sat_mul(a.hi, b.lo), w = sat_mul(a.hi, b.hi);

	return (struct range){ min_of(min_of(x, y), min_of(z, w)),
			       max_of(max_of(x, y), max_of(z, w)) };
}

static struct range
r_min(struct range a, struct range b)
{
	return (struct range){ min_of(a.lo, b.lo), min_of(a.hi, b.hi) };
}

static struct range
r_max(struct range a, struct range b)
{
	return (struct range){ max_of(a.lo, b.lo), max_of(a.hi, b.hi) };
}

static struct range
r_abs(struct range a)
{
	struct range n = r_neg(a);

	if (a.lo >= 0)
		return a;
	return a.hi <= 0 ? n : (struct range){ 0, max_of(a.hi, n.hi) };
}

static struct range
r_sign(struct range a)
{
	return (struct range){ a.lo > 0	   ? 1
			       : a.lo == 0 ? 0
					   : -1,
			       a.hi < 0	   ? -1
			       : a.hi == 0 ? 0
					   : 1 };
}

/* By D > 0, which may be infinite. */
static int64_t
quotient(int64_t a, int64_t d)
{
	if (d == INT64_MAX && !is_infinite(a))
		return a < 0 ? -1 : 0;
	return sn_floor_div(a, d);
}

/* The divisor may be 0 where its bound says so, and the quotient is then 0. */
static struct range
r_floordiv(struct range a, struct range d)
{
	if (d.lo < 0) {
		struct range m = r_abs(a);

		return (struct range){ sat_neg(m.hi), m.hi };
	}
	if (d.hi == 0)
		return (struct range){ 0, 0 };
	struct range by = { max_of(d.lo, 1), d.hi };
	struct range q = { quotient(a.lo, a.lo < 0 ? by.lo : by.hi),
			   quotient(a.hi, a.hi < 0 ? by.hi : by.lo) };

	if (d.lo == 0)
		q = (struct range){ min_of(q.lo, 0), max_of(q.hi, 0) };
	return q;
}

/* Sign of the divisor; a dividend that is not negative is never exceeded. */
static struct range
r_mod(struct range a, struct range d)
{
	struct range r = { 0, 0 };

	if (d.hi > 0)
		r.hi = d.hi == INT64_MAX ? d.hi : d.hi - 1;
	if (d.lo < 0)
		r.lo = d.lo == INT64_MIN ? d.lo : d.lo + 1;
	if (a.lo >= 0 && d.lo >= 0)
		r.hi = min_of(r.hi, a.hi);
	return r;
}

/* Toward zero: no farther from it than the dividend. */
static struct range
r_div(struct range a, struct range d)
{
	struct range m = r_abs(a);

	(void)d;
	return (struct range){ a.lo >= 0 && d.lo >= 0 ? 0 : sat_neg(m.hi), m.hi };
}

static struct range
r_fmod(struct range a, struct range d)
{
	struct range m = r_abs(a), n = r_abs(d);
	int64_t most = min_of(m.hi, n.hi == 0 ? 0 : is_infinite(n.hi) ? n.hi : n.hi - 1);

	return (struct range){ a.lo >= 0 ? 0 : sat_neg(most), a.hi <= 0 ? 0 : most };
}

static struct range
r_within(struct range a, struct range n)
{
	int64_t most = n.hi > 0 ? n.hi - 1 : 0, least = n.lo > 0 ? n.lo - 1 : 0;

	return (struct range){ max_of(0, min_of(a.lo, least)), max_of(0, min_of(a.hi, most)) };
}

static struct range (*const unary[OP_COUNT])(struct range) = {
	[OP_NEG] = r_neg,
	[OP_ABS] = r_abs,
	[OP_SIGN] = r_sign,
};

static struct range (*const binary[OP_COUNT])(struct range, struct range) = {
	[OP_ADD] = r_add,	    [OP_SUB] = r_sub,	    [OP_MUL] = r_mul,	[OP_DIV] = r_div,
	[OP_FLOORDIV] = r_floordiv, [OP_MOD] = r_mod,	    [OP_FMOD] = r_fmod, [OP_MIN] = r_min,
	[OP_MAX] = r_max,	    [OP_WITHIN] = r_within,
};

static struct range
range_of_type(enum sn_dtype t)
{
	const struct sn_dtype_info *d = sn_dtype_info(t);

	if (d->kind == 'B')
		return (struct range){ 0, 1 };
	if (d->kind == 'U' && d->bits < 64)
		return (struct range){ 0, ((int64_t)1 << d->bits) - 1 };
	if (d->kind == 'I' && d->bits < 64)
		return (struct range){ -((int64_t)1 << (d->bits - 1)),
				       ((int64_t)1 << (d->bits - 1)) - 1 };
	return everything;
}

static struct range
range_of_op(const struct sn_expr *e)
{
	struct range r = everything;

	if (unary[e->op]) {
		r = unary[e->op](range_of(e->args[0]));
	} else if (binary[e->op]) {
		r = binary[e->op](range_of(e->args[0]), range_of(e->args[1]));
	} else if (e->op == OP_SELECT) {
		r = (struct range){ min_of(e->args[1]->lo, e->args[2]->lo),
				    max_of(e->args[1]->hi, e->args[2]->hi) };
	} else if (e->op == OP_CAST) {
		r = range_of_type((enum sn_dtype)e->args[0]->dtype);
	} else if (e->op == OP_SPLAT) {
		r = range_of(e->args[0]);
	} else if (e->op == OP_IOTA) {
		r = r_add(range_of(e->args[0]), (struct range){ 0, e->lanes - 1 });
	}
	return r;
}

static bool
is_modular(enum sn_scalar_op op)
{
	return op == OP_ADD || op == OP_SUB || op == OP_MUL || op == OP_NEG || op == OP_ABS
	       || op == OP_IOTA;
}

static void
set_op_bounds(struct sn_expr *e)
{
	struct range r = range_of_op(e);
	bool is_full = r.lo == INT64_MIN && r.hi == INT64_MAX;
	bool is_data = is_full && !unary[e->op] && !binary[e->op] && e->op != OP_SELECT;

	/* what is brought in range is as good as the range */
	for (int i = e->op == OP_WITHIN; i < e->nargs; i++)
		is_data |= e->args[i]->dtype == DT_I64 && (e->args[i]->has & SN_HAS_WRAP);
	if (is_data && (is_infinite(r.lo) || is_infinite(r.hi))) {
		e->has |= SN_HAS_WRAP;
		if (is_modular((enum sn_scalar_op)e->op))
			r = everything;
	}
	e->lo = r.lo;
	e->hi = r.hi;
}

void
sn_index_set_bounds(struct sn_expr *e)
{
	struct range r = everything;

	if (e->kind == EX_OP) {
		set_op_bounds(e);
		return;
	}
	if (e->kind == EX_CONST)
		r = (struct range){ e->num.i, e->num.i };
	else if (e->kind == EX_SYM)
		r = (struct range){ e->sym->lo, e->sym->hi };
	else if (e->kind == EX_LOCAL)
		r = (struct range){ e->local->lo, e->local->hi };
	else if (e->kind == EX_AXIS)
		r = (struct range){ 0, max_of(0, sat_add(e->axis->extent->hi, -1)) };
	if (r.lo == INT64_MIN && e->kind != EX_CONST)
		e->has |= SN_HAS_WRAP;
	e->lo = r.lo;
	e->hi = r.hi;
}

void
sn_bounds(const struct sn_expr *e, int64_t *out_lo, int64_t *out_hi)
{
	struct range r = e->dtype == DT_I64 ? range_of(e) : range_of_type((enum sn_dtype)e->dtype);

	*out_lo = r.lo;
	*out_hi = r.hi;
}

void
sn_affine_bounds(const struct sn_affine *a, int64_t *out_lo, int64_t *out_hi)
{
	struct range r = { a->constant, a->constant };

	for (int i = 0; i < a->n; i++)
		r = r_add(r, r_mul(range_of(a->terms[i].base),
				   (struct range){ a->terms[i].coef, a->terms[i].coef }));
	*out_lo = r.lo;
	*out_hi = r.hi;
}
