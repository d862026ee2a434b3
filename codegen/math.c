/*
 * Mathematical functions of f32 as expressions, printed for scalars and vectors alike.
 *
 * Each is a list of named values over one argument x: range reduction, a
 * polynomial of our own (bench/fit_math.py), and the way back.  Polynomials are
 * written with mac; everything else is safe whether or not a compiler
 * contracts it.  Largest errors in units of the last place, measured on the
 * emitted code by tests/unit/test_codegen_math.c over all of f32 in steps of a
 * prime: exp 1, expm1 1.5, log 1, log1p 1.5, sigmoid 2.5, tanh 3, erf 2, sin and cos 1.5
 * (beyond 10000 they are the library's).  NaN gives NaN, overflow inf, results below the least
 * normal number are rounded once.  What has no row here comes from the C
 * library, lane by lane.
 */
#include <math.h>
#include <string.h>
#include "codegen/print.h"

typedef const struct sn_expr *expr;

/* A function in the making: its values go into the block of B. */
struct maker {
	struct sn_pool *pool;
	struct sn_builder b;
	int lanes;
};

static expr
vec(struct maker *m, expr e)
{
	return m->lanes > 1 ? sn_splat(m->pool, e, m->lanes) : e;
}

static expr
num(struct maker *m, double x)
{
	return vec(m, sn_float(m->pool, DT_F32, x));
}

static expr
bits(struct maker *m, int64_t x)
{
	return vec(m, sn_const(m->pool, DT_I32, (union sn_num){ .i = x }));
}

static expr
let(struct maker *m, const char *name, expr e)
{
	return sn_at_let(&m->b, name, e);
}

static expr
add(struct maker *m, expr a, expr b)
{
	return sn_op2(m->pool, OP_ADD, a, b);
}
static expr
sub(struct maker *m, expr a, expr b)
{
	return sn_op2(m->pool, OP_SUB, a, b);
}
static expr
mul(struct maker *m, expr a, expr b)
{
	return sn_op2(m->pool, OP_MUL, a, b);
}
static expr
quo(struct maker *m, expr a, expr b)
{
	return sn_op2(m->pool, OP_DIV, a, b);
}
static expr
less(struct maker *m, expr a, expr b)
{
	return sn_op2(m->pool, OP_LT, a, b);
}
static expr
mac(struct maker *m, expr a, expr b, expr c)
{
	return sn_op3(m->pool, OP_MAC, a, b, c);
}
static expr
sel(struct maker *m, expr c, expr a, expr b)
{
	return sn_op3(m->pool, OP_SELECT, c, a, b);
}
static expr
to_i32(struct maker *m, expr a)
{
	return sn_bitcast(m->pool, DT_I32, a);
}
static expr
to_f32(struct maker *m, expr a)
{
	return sn_bitcast(m->pool, DT_F32, a);
}
static expr
mag(struct maker *m, expr a)
{
	return sn_op1(m->pool, OP_ABS, a);
}

/* The polynomial with coefficients C, lowest first. */
static expr
poly(struct maker *m, expr x, const double *c, int n)
{
	expr p = num(m, c[n - 1]);

	for (int i = n - 2; i >= 0; i--)
		p = mac(m, p, x, num(m, c[i]));
	return p;
}
#define POLY(m, x, ...) \
	poly(m, x, (const double[]){ __VA_ARGS__ }, ARRAY_LEN(((const double[]){ __VA_ARGS__ })))

/* |a| with the sign of x. */
static expr
with_sign(struct maker *m, expr a, expr x)
{
	expr sign = sn_op2(m->pool, OP_AND, to_i32(m, x), bits(m, INT32_MIN));

	return to_f32(m, sn_op2(m->pool, OP_OR, to_i32(m, a), sign));
}

/* Adding it and taking it away rounds to a whole number; its low bits then hold that number. */
static const double magic = 0x1.8p23;
static const int64_t magic_bits = 0x4b400000;

/* 2^n for the whole number in the low bits of T, of which OFFSET are taken away. */
static expr
power_of_two(struct maker *m, expr n)
{
	return to_f32(m, sn_op2(m->pool, OP_SHL, add(m, n, bits(m, 127)), bits(m, 23)));
}

/* x = n ln 2 + r: *out_n as bits, returns r. */
static expr
reduce_exp(struct maker *m, expr x, expr *out_n)
{
	expr t = let(m, "t", mac(m, x, num(m, 0x1.715476p+0), num(m, magic)));
	expr n = let(m, "n", sub(m, t, num(m, magic)));

	*out_n = let(m, "i", sub(m, to_i32(m, t), bits(m, magic_bits)));
	/* the first part of ln 2 has 9 bits: n times it is exact */
	expr r = mac(m, n, num(m, -0x1.63p-1), x);

	return let(m, "r", mac(m, n, num(m, 0x1.bd0106p-13), r));
}

static expr
make_exp(struct maker *m, expr x)
{
	expr i, low = let(m, "low", sn_op2(m->pool, OP_MAX, x, num(m, -104)));
	expr c = let(m, "c", sn_op2(m->pool, OP_MIN, low, num(m, 89)));
	expr r = reduce_exp(m, c, &i);
	expr q = POLY(m, r, 0x1.fffffcp-2, 0x1.555492p-3, 0x1.5558f2p-5, 0x1.1239d6p-7,
		      0x1.6a243ep-10);
	expr p = let(m, "p", add(m, mac(m, mul(m, r, r), q, r), num(m, 1)));
	/* in two steps, so that neither factor leaves the range */
	expr half = let(m, "half", sn_op2(m->pool, OP_SHR, i, bits(m, 1)));
	expr s = mul(m, p, power_of_two(m, half));

	return mul(m, s, power_of_two(m, sub(m, i, half)));
}

static expr
make_expm1(struct maker *m, expr x)
{
	expr i, low = let(m, "low", sn_op2(m->pool, OP_MAX, x, num(m, -20)));
	expr c = let(m, "c", sn_op2(m->pool, OP_MIN, low, num(m, 89)));
	expr r = reduce_exp(m, c, &i);
	expr q = POLY(m, r, 0.5, 0x1.555556p-3, 0x1.5554aep-5, 0x1.111098p-7, 0x1.6d74cep-10,
		      0x1.a19660p-13);
	expr p = let(m, "p", mac(m, mul(m, r, r), q, r));
	/* 2^n (1 + p) - 1, with half of 2^n because 2^128 is too large */
	expr s = let(m, "s", power_of_two(m, sub(m, i, bits(m, 1))));
	expr y = mul(m, mac(m, s, p, sub(m, s, num(m, 0.5))), num(m, 2));

	/* a tiny x is its own result, sign and all */
	return sel(m, less(m, mag(m, x), num(m, 0x1p-24)), x, y);
}

/* log(m 2^e), and when C is given: corrected by C after the polynomial. */
static expr
log_of(struct maker *m, expr x, expr correction)
{
	expr is_tiny = less(m, x, num(m, 0x1p-126));
	expr y = let(m, "y", sel(m, is_tiny, mul(m, x, num(m, 0x1p23)), x));
	/* 2^e with sqrt(1/2) <= m < sqrt(2) */
	expr d = let(m, "d", sub(m, to_i32(m, y), bits(m, 0x3f3504f3)));
	expr e = let(m, "e", sn_op2(m->pool, OP_SHR, d, bits(m, 23)));
	expr f = let(m, "f",
		     sub(m,
			 to_f32(m, sub(m, to_i32(m, y), sn_op2(m->pool, OP_SHL, e, bits(m, 23)))),
			 num(m, 1)));
	expr n = let(m, "n",
		     sub(m, sn_cast(m->pool, DT_F32, e), sel(m, is_tiny, num(m, 23), num(m, 0))));
	expr p = POLY(m, f, 0x1.555546p-2, -0x1.ffffeep-3, 0x1.99a546p-3, -0x1.5562e0p-3,
		      0x1.2332b4p-3, -0x1.fb4378p-4, 0x1.e6517ep-4, -0x1.e2e836p-4, 0x1.1b3f20p-4);
	expr f2 = let(m, "f2", mul(m, f, f));
	expr low = mac(m, mul(m, f2, f), p, mul(m, n, num(m, -0x1.bd0106p-13)));

	if (correction)
		low = add(m, low, correction);
	low = let(m, "low", mac(m, f2, num(m, -0.5), low));
	return mac(m, n, num(m, 0x1.63p-1), add(m, f, low));
}

/* The ends of a logarithm: Y is its value where X is a positive number. */
static expr
log_ends(struct maker *m, expr x, expr y)
{
	expr inf = num(m, INFINITY);
	expr ok = sel(m, less(m, x, inf), y, x); /* inf and NaN stay */
	expr zero = sel(m, sn_op2(m->pool, OP_EQ, x, num(m, 0)), num(m, -INFINITY), ok);

	return sel(m, less(m, x, num(m, 0)), num(m, NAN), zero);
}

static expr
make_log(struct maker *m, expr x)
{
	return log_ends(m, x, let(m, "z", log_of(m, x, NULL)));
}

static expr
make_log1p(struct maker *m, expr x)
{
	expr u = let(m, "u", add(m, x, num(m, 1)));
	/* what the addition lost, relative to u */
	expr big = less(m, num(m, 1), x);
	expr lost = sel(m, big, sub(m, num(m, 1), sub(m, u, x)), sub(m, x, sub(m, u, num(m, 1))));
	expr c = let(m, "c", quo(m, lost, u));
	expr y = let(m, "z", log_of(m, u, c));

	return sel(m, less(m, mag(m, x), num(m, 0x1p-24)), x, log_ends(m, u, y));
}

static expr
make_sigmoid(struct maker *m, expr x)
{
	expr z = let(m, "z", sn_op1(m->pool, OP_EXP, sn_op1(m->pool, OP_NEG, mag(m, x))));
	expr top = sel(m, less(m, x, num(m, 0)), z, num(m, 1));

	return quo(m, top, add(m, z, num(m, 1)));
}

static expr
make_tanh(struct maker *m, expr x)
{
	expr z = let(m, "z", sn_op1(m->pool, OP_EXPM1, mul(m, mag(m, x), num(m, -2))));
	expr y = quo(m, sn_op1(m->pool, OP_NEG, z), add(m, z, num(m, 2)));

	return with_sign(m, y, x);
}

static expr
make_erf(struct maker *m, expr x)
{
	expr a = let(m, "a", sn_op2(m->pool, OP_MIN, mag(m, x), num(m, 4)));
	expr t = let(m, "t", mul(m, a, a));
	expr p = POLY(m, t, 0x1.06eba0p-3, -0x1.81273ep-2, 0x1.ce2cf8p-4, -0x1.b7f90cp-6,
		      0x1.5405b0p-8, -0x1.a3f6f0p-11, 0x1.496a0ap-14);
	expr below = let(m, "below", mac(m, a, p, a));
	expr q = POLY(m, a, 0x1.ac8e5ap-13, -0x1.213178p+0, -0x1.441dc6p-1, -0x1.bcfc2cp-4,
		      0x1.9fb842p-6, -0x1.18a64cp-8, 0x1.e650fap-12, -0x1.a8b764p-16,
		      0x1.0de802p-22);
	expr from = let(m, "from", sub(m, num(m, 1), sn_op1(m->pool, OP_EXP, q)));

	return with_sign(m, sel(m, less(m, a, num(m, 1)), below, from), x);
}

/* sin(x + quarter pi / 2). */
static expr
sin_of(struct maker *m, expr x, int quarter)
{
	expr t = let(m, "t", mac(m, x, num(m, 0x1.45f306p-1), num(m, magic)));
	expr n = let(m, "n", sub(m, t, num(m, magic)));
	/* pi / 2 in parts: n times the first three is exact, and the rest is kept apart in low */
	expr a = mac(m, n, num(m, -0x1.92p+0), x);
	expr b = let(m, "b", mac(m, n, num(m, -0x1.fb4p-12), a));
	expr r = let(m, "r", mac(m, n, num(m, -0x1.444p-24), b));
	expr low = mac(m, n, num(m, -0x1.444p-24), sub(m, b, r));

	low = let(m, "low", mac(m, n, num(m, -0x1.68c234p-39), low));
	expr r2 = let(m, "r2", mul(m, r, r));
	expr s = POLY(m, r2, -0x1.555556p-3, 0x1.111108p-7, -0x1.a00f9ep-13, 0x1.6cd878p-19);
	expr c = POLY(m, r2, 0x1.55554ap-5, -0x1.6c0c8cp-10, 0x1.9a0252p-16);

	s = let(m, "s", add(m, r, mac(m, mul(m, r2, r), s, low)));
	c = sub(m, mac(m, mul(m, r2, r2), c, mul(m, r2, num(m, -0.5))), mul(m, low, r));
	c = let(m, "c", add(m, num(m, 1), c));
	expr i = let(m, "i", add(m, to_i32(m, t), bits(m, quarter)));
	expr odd = sn_op2(m->pool, OP_NE, sn_op2(m->pool, OP_AND, i, bits(m, 1)), bits(m, 0));
	expr y = let(m, "y", sel(m, odd, c, s));
	expr flip = sn_op2(m->pool, OP_SHL, sn_op2(m->pool, OP_AND, i, bits(m, 2)), bits(m, 30));

	return to_f32(m, sn_op2(m->pool, OP_XOR, to_i32(m, y), flip));
}

static expr
make_sin(struct maker *m, expr x)
{
	return sin_of(m, x, 0);
}
static expr
make_cos(struct maker *m, expr x)
{
	return sin_of(m, x, 1);
}

/* To a whole number by adding and taking away 2^23; what is larger, or NaN, is one already. */
static expr
make_rint(struct maker *m, expr x)
{
	expr a = let(m, "a", mag(m, x));
	expr y = sub(m, add(m, a, num(m, 0x1p23)), num(m, 0x1p23));

	return sel(m, less(m, a, num(m, 0x1p23)), with_sign(m, y, x), x);
}

static expr
make_floor(struct maker *m, expr x)
{
	expr y = let(m, "y", sn_op1(m->pool, OP_RINT, x));

	return with_sign(m, sub(m, y, sel(m, less(m, x, y), num(m, 1), num(m, 0))), x);
}

static expr
make_ceil(struct maker *m, expr x)
{
	expr y = let(m, "y", sn_op1(m->pool, OP_RINT, x));

	return with_sign(m, add(m, y, sel(m, less(m, y, x), num(m, 1), num(m, 0))), x);
}

static expr
make_trunc(struct maker *m, expr x)
{
	expr a = let(m, "a", mag(m, x)), y = let(m, "y", sn_op1(m->pool, OP_RINT, a));

	return with_sign(m, sub(m, y, sel(m, less(m, a, y), num(m, 1), num(m, 0))), x);
}

struct definition {
	expr (*make)(struct maker *m, expr x);
	bool has_priority;  /* else the language's is as good or better, if it has one */
	const char *beyond; /* a helper for elements too large, or NULL */
};

static const struct definition definitions[OP_COUNT] = {
	[OP_EXP] = { make_exp, true, NULL },	     [OP_EXPM1] = { make_expm1, true, NULL },
	[OP_LOG] = { make_log, true, NULL },	     [OP_LOG1P] = { make_log1p, true, NULL },
	[OP_SIGMOID] = { make_sigmoid, true, NULL }, [OP_TANH] = { make_tanh, true, NULL },
	[OP_ERF] = { make_erf, true, NULL },	     [OP_SIN] = { make_sin, true, "large_sin" },
	[OP_COS] = { make_cos, true, "large_cos" },  [OP_RINT] = { make_rint, false, NULL },
	[OP_FLOOR] = { make_floor, false, NULL },    [OP_CEIL] = { make_ceil, false, NULL },
	[OP_TRUNC] = { make_trunc, false, NULL },
};

bool
sn_math_helper(struct sn_printer *p, enum sn_scalar_op op, struct sn_ty ty, const char **out_name)
{
	const struct definition *d = &definitions[op];

	bool is_simple = ty.lanes <= 1 || p->dialect->has_vector_math;

	if (!d->make || ty.t != DT_F32 || (is_simple && !d->has_priority))
		return false;
	const char *name = sn_scalar_info(op)->text;

	*out_name = ty.lanes > 1 ? sn_printf(p->arena, "%s_v%df32", name, ty.lanes)
				 : sn_printf(p->arena, "%s_f32", name);
	if (sn_map_get(&p->seen, *out_name))
		return true;
	sn_map_put(&p->seen, *out_name, p);
	struct sn_func *f = sn_func_new(p->arena, p->pool, *out_name);
	struct sn_local *x = sn_local_new(p->pool, "x", DT_F32, ty.lanes);
	struct maker m = { .pool = p->pool, .lanes = ty.lanes };

	sn_builder_init(&m.b, f);
	expr y = d->make(&m, sn_local_expr(p->pool, x));

	sn_print_helper(p, f, x, y, d->beyond);
	return true;
}
