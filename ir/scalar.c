/*
 * Scalar operations on single numbers: the definition of what each means.
 *
 * Floats narrower than f64 are computed in double and rounded to f32, which is
 * exact for + - * / and sqrt, and from there to the type itself, as emitted
 * code does it.  Integers are computed as 64-bit numbers and wrapped.
 */
#include <math.h>
#include <string.h>
#include "ir/expr.h"

static const struct sn_scalar_info infos[OP_COUNT] = {
#define SCALAR(id, text, arity, form, result, operands) \
	[id] = { text, arity, form, result, operands },
#include "ir/scalar.def"
#undef SCALAR
};

const struct sn_scalar_info *
sn_scalar_info(enum sn_scalar_op op)
{
	return &infos[op];
}

/* ---- floats ---- */

static double
f_add(double a, double b)
{
	return a + b;
}
static double
f_sub(double a, double b)
{
	return a - b;
}
static double
f_mul(double a, double b)
{
	return a * b;
}
static double
f_neg(double a)
{
	return -a;
}
static double
f_same(double a)
{
	return a;
}
static double
f_sigmoid(double a)
{
	return 1 / (1 + exp(-a));
}

/* Division by zero is what IEEE 754 says, also where a compiler's checks would object. */
__attribute__((no_sanitize("float-divide-by-zero"))) static double
f_div(double a, double b)
{
	return a / b;
}

/* Sign of the divisor, also of a zero result. */
static double
f_mod(double a, double b)
{
	double r = fmod(a, b);

	if (r == 0)
		return copysign(0, b);
	return (r < 0) != (b < 0) ? r + b : r;
}

/* A NaN on either side gives NaN; of equal operands (zeros) the second. */
static double
f_min(double a, double b)
{
	return a < b || isnan(a) ? a : b;
}
static double
f_max(double a, double b)
{
	return a > b || isnan(a) ? a : b;
}

static double
f_sign(double a)
{
	return isnan(a) ? a : (double)((a > 0) - (a < 0));
}

static double (*const float_unary[OP_COUNT])(double) = {
	[OP_NEG] = f_neg,	  [OP_ABS] = fabs,	  [OP_SIGN] = f_sign,
	[OP_SQRT] = sqrt,	  [OP_EXP] = exp,	  [OP_EXPM1] = expm1,
	[OP_LOG] = log,		  [OP_LOG1P] = log1p,	  [OP_SIN] = sin,
	[OP_COS] = cos,		  [OP_TAN] = tan,	  [OP_ASIN] = asin,
	[OP_ACOS] = acos,	  [OP_ATAN] = atan,	  [OP_SINH] = sinh,
	[OP_COSH] = cosh,	  [OP_TANH] = tanh,	  [OP_ASINH] = asinh,
	[OP_ACOSH] = acosh,	  [OP_ATANH] = atanh,	  [OP_ERF] = erf,
	[OP_SIGMOID] = f_sigmoid, [OP_FLOOR] = floor,	  [OP_CEIL] = ceil,
	[OP_TRUNC] = trunc,	  [OP_RINT] = rint,	  [OP_SPLAT] = f_same,
	[OP_IOTA] = f_same,	  [OP_LANE_SUM] = f_same, [OP_LANE_MAX] = f_same,
	[OP_LANE_MIN] = f_same,
};

static double (*const float_binary[OP_COUNT])(double, double) = {
	[OP_ADD] = f_add, [OP_SUB] = f_sub, [OP_MUL] = f_mul, [OP_DIV] = f_div, [OP_MOD] = f_mod,
	[OP_FMOD] = fmod, [OP_MIN] = f_min, [OP_MAX] = f_max, [OP_POW] = pow,
};

static double
round_to(enum sn_dtype t, double x)
{
	if (t == DT_F64)
		return x;
	x = (double)(float)x;
	return t == DT_F32 ? x : sn_num_cast((union sn_num){ .f = x }, DT_F32, t).f;
}

static bool
float_test(enum sn_scalar_op op, double a, double b)
{
	switch (op) {
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_ISNAN: return isnan(a);
	default: return isinf(a);
	}
}

static double
float_eval(enum sn_scalar_op op, enum sn_dtype t, const union sn_num *x)
{
	if (float_unary[op])
		return round_to(t, float_unary[op](x[0].f));
	if (op == OP_MAC) /* two roundings: the form that every target has */
		return round_to(t, round_to(t, x[0].f * x[1].f) + x[2].f);
	if (op == OP_FLOORDIV)
		return floor(round_to(t, f_div(x[0].f, x[1].f)));
	return round_to(t, float_binary[op](x[0].f, x[1].f));
}

/* ---- integers: 64-bit carriers of values of BITS bits, u64 as its bits ---- */

struct width {
	int bits;
	bool is_signed;
};

static int64_t
wrap(uint64_t x, struct width w)
{
	int unused = 64 - w.bits;

	if (w.is_signed)
		return (int64_t)(x << unused) >> unused;
	return (int64_t)(x << unused >> unused);
}

static bool
i_less(int64_t a, int64_t b, struct width w)
{
	return w.is_signed ? a < b : (uint64_t)a < (uint64_t)b;
}

static int64_t
i_add(int64_t a, int64_t b, struct width w)
{
	return wrap((uint64_t)a + (uint64_t)b, w);
}
static int64_t
i_sub(int64_t a, int64_t b, struct width w)
{
	return wrap((uint64_t)a - (uint64_t)b, w);
}
static int64_t
i_mul(int64_t a, int64_t b, struct width w)
{
	return wrap((uint64_t)a * (uint64_t)b, w);
}
static int64_t
i_min(int64_t a, int64_t b, struct width w)
{
	return i_less(a, b, w) ? a : b;
}
static int64_t
i_max(int64_t a, int64_t b, struct width w)
{
	return i_less(b, a, w) ? a : b;
}
static int64_t
i_and(int64_t a, int64_t b, struct width w)
{
	return wrap((uint64_t)a & (uint64_t)b, w);
}
static int64_t
i_or(int64_t a, int64_t b, struct width w)
{
	return wrap((uint64_t)a | (uint64_t)b, w);
}
static int64_t
i_xor(int64_t a, int64_t b, struct width w)
{
	return wrap((uint64_t)a ^ (uint64_t)b, w);
}

/* Toward zero; x/0 = 0, MIN/-1 = MIN. */
static int64_t
i_div(int64_t a, int64_t b, struct width w)
{
	if (b == 0)
		return 0;
	if (!w.is_signed)
		return (int64_t)((uint64_t)a / (uint64_t)b);
	return b == -1 ? wrap(-(uint64_t)a, w) : a / b;
}

/* Sign of the dividend; 0 for a zero divisor. */
static int64_t
i_fmod(int64_t a, int64_t b, struct width w)
{
	if (b == 0 || (w.is_signed && b == -1))
		return 0;
	return w.is_signed ? a % b : (int64_t)((uint64_t)a % (uint64_t)b);
}

static int64_t
i_floordiv(int64_t a, int64_t b, struct width w)
{
	int64_t q = i_div(a, b, w);
	bool is_rounded_up = w.is_signed && i_fmod(a, b, w) != 0 && (a < 0) != (b < 0);

	return is_rounded_up ? q - 1 : q;
}

/* Sign of the divisor; 0 for a zero divisor. */
static int64_t
i_mod(int64_t a, int64_t b, struct width w)
{
	int64_t r = i_fmod(a, b, w);

	return w.is_signed && r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* By squaring, wrapping; a negative exponent gives the power rounded toward zero, 0 for base 0. */
static int64_t
i_pow(int64_t a, int64_t b, struct width w)
{
	uint64_t r = 1, square = (uint64_t)a, n = (uint64_t)b;

	if (w.is_signed && b < 0) {
		if (a == 1 || a == -1)
			return b % 2 ? a : 1;
		return 0;
	}
	for (; n; n >>= 1, square *= square)
		if (n & 1)
			r *= square;
	return wrap(r, w);
}

/* Counts are taken modulo the width. */
static int64_t
i_shl(int64_t a, int64_t b, struct width w)
{
	return wrap((uint64_t)a << ((uint64_t)b % (uint64_t)w.bits), w);
}

static int64_t
i_shr(int64_t a, int64_t b, struct width w)
{
	unsigned n = (unsigned)((uint64_t)b % (uint64_t)w.bits);

	return w.is_signed ? a >> n : (int64_t)((uint64_t)a >> n);
}

static int64_t
i_neg(int64_t a, struct width w)
{
	return wrap(-(uint64_t)a, w);
}
static int64_t
i_not(int64_t a, struct width w)
{
	return wrap(~(uint64_t)a, w);
}
static int64_t
i_same(int64_t a, struct width w)
{
	(void)w;
	return a;
}

static int64_t
i_abs(int64_t a, struct width w)
{
	return w.is_signed && a < 0 ? i_neg(a, w) : a;
}

static int64_t
i_sign(int64_t a, struct width w)
{
	return w.is_signed ? (a > 0) - (a < 0) : a != 0;
}

static int64_t (*const int_unary[OP_COUNT])(int64_t, struct width) = {
	[OP_NEG] = i_neg,	[OP_ABS] = i_abs,	[OP_SIGN] = i_sign,
	[OP_NOT] = i_not,	[OP_SPLAT] = i_same,	[OP_IOTA] = i_same,
	[OP_LANE_SUM] = i_same, [OP_LANE_MAX] = i_same, [OP_LANE_MIN] = i_same,
};

/* The nearest of 0 to n-1; that a was none of them is for who runs the program to report. */
static int64_t
i_within(int64_t a, int64_t n, struct width w)
{
	if (!i_less(0, n, w) || i_less(a, 0, w))
		return 0;
	return i_less(a, n, w) ? a : i_sub(n, 1, w);
}

static int64_t (*const int_binary[OP_COUNT])(int64_t, int64_t, struct width) = {
	[OP_ADD] = i_add,	    [OP_SUB] = i_sub, [OP_MUL] = i_mul,	  [OP_DIV] = i_div,
	[OP_FLOORDIV] = i_floordiv, [OP_MOD] = i_mod, [OP_FMOD] = i_fmod, [OP_MIN] = i_min,
	[OP_MAX] = i_max,	    [OP_POW] = i_pow, [OP_AND] = i_and,	  [OP_OR] = i_or,
	[OP_XOR] = i_xor,	    [OP_SHL] = i_shl, [OP_SHR] = i_shr,	  [OP_WITHIN] = i_within,
};

static bool
int_test(enum sn_scalar_op op, int64_t a, int64_t b, struct width w)
{
	switch (op) {
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return i_less(a, b, w);
	default: return !i_less(b, a, w);
	}
}

static int64_t
int_eval(enum sn_scalar_op op, enum sn_dtype t, const union sn_num *x)
{
	const struct sn_dtype_info *d = sn_dtype_info(t);
	struct width w = { d->kind == 'B' ? 1 : d->bits, d->kind == 'I' };

	if (int_unary[op])
		return int_unary[op](x[0].i, w);
	if (op == OP_MAC)
		return i_add(i_mul(x[0].i, x[1].i, w), x[2].i, w);
	if (int_binary[op])
		return int_binary[op](x[0].i, x[1].i, w);
	return int_test(op, x[0].i, x[1].i, w);
}

static union sn_num
bitcast(union sn_num x, enum sn_dtype from, enum sn_dtype to)
{
	unsigned char bytes[8] = { 0 };

	sn_dtype_store(from, bytes, 0, x);
	return sn_dtype_load(to, bytes, 0);
}

union sn_num
sn_scalar_eval(enum sn_scalar_op op, enum sn_dtype t, enum sn_dtype result,
	       const union sn_num *args)
{
	if (op == OP_SELECT)
		return args[0].i ? args[1] : args[2];
	if (op == OP_CAST)
		return sn_num_cast(args[0], t, result);
	if (op == OP_BITCAST)
		return bitcast(args[0], t, result);
	if (!sn_is_float(t))
		return (union sn_num){ .i = int_eval(op, t, args) };
	if (infos[op].result == 'B')
		return (union sn_num){ .i = float_test(op, args[0].f,
						       infos[op].arity > 1 ? args[1].f : 0) };
	return (union sn_num){ .f = float_eval(op, t, args) };
}
