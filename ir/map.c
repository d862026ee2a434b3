/*
 * Scalar bodies of the elementwise operators: one function for each MAP row of
 * ir/ops.def, made from the row, and the few that don't fit on a line.
 */
#include "ir/map.h"

#include <math.h>
#include <string.h>
#include "ir/index.h"

#define U(op, x) sn_op1(p, op, x)
#define B(op, x, y) sn_op2(p, op, x, y)
/* The number X in the type of operand a. */
#define K(x) sn_float(p, (enum sn_dtype)a->dtype, x)
#define ADD(x, y) B(OP_ADD, x, y)
#define SUB(x, y) B(OP_SUB, x, y)
#define MUL(x, y) B(OP_MUL, x, y)
#define DIV(x, y) divide(p, x, y)
#define MOD(x, y) B(OP_MOD, x, y)
#define FMOD(x, y) B(OP_FMOD, x, y)
#define MIN(x, y) B(OP_MIN, x, y)
#define MAX(x, y) B(OP_MAX, x, y)
#define POW(x, y) B(OP_POW, x, y)
#define AND(x, y) B(OP_AND, x, y)
#define OR(x, y) B(OP_OR, x, y)
#define XOR(x, y) B(OP_XOR, x, y)
#define EQ(x, y) equal(p, x, y)
#define LT(x, y) less(p, x, y, true)
#define LE(x, y) less(p, x, y, false)
#define SEL(x, y, z) sn_op3(p, OP_SELECT, x, y, z)
#define NEG(x) U(OP_NEG, x)
#define ABS(x) U(OP_ABS, x)
#define SIGN(x) U(OP_SIGN, x)
#define NOT(x) U(OP_NOT, x)
#define SQRT(x) U(OP_SQRT, x)
#define EXP(x) U(OP_EXP, x)
#define EXPM1(x) U(OP_EXPM1, x)
#define LOG(x) U(OP_LOG, x)
#define LOG1P(x) U(OP_LOG1P, x)
#define SIN(x) U(OP_SIN, x)
#define COS(x) U(OP_COS, x)
#define TAN(x) U(OP_TAN, x)
#define ASIN(x) U(OP_ASIN, x)
#define ACOS(x) U(OP_ACOS, x)
#define ATAN(x) U(OP_ATAN, x)
#define SINH(x) U(OP_SINH, x)
#define COSH(x) U(OP_COSH, x)
#define TANH(x) U(OP_TANH, x)
#define ASINH(x) U(OP_ASINH, x)
#define ACOSH(x) U(OP_ACOSH, x)
#define ATANH(x) U(OP_ATANH, x)
#define ERF(x) U(OP_ERF, x)
#define SIGMOID(x) U(OP_SIGMOID, x)
#define FLOOR(x) U(OP_FLOOR, x)
#define CEIL(x) U(OP_CEIL, x)
#define RINT(x) U(OP_RINT, x)
#define ISNAN(x) U(OP_ISNAN, x)
#define ISINF(x) U(OP_ISINF, x)

static const struct sn_expr *
truth(struct sn_pool *p, bool x)
{
	return sn_const(p, DT_BOOL, (union sn_num){ .i = x });
}

/* Division of integers goes toward zero; of dimensions (never negative) it is the floor,
 * which index arithmetic can simplify. */
static const struct sn_expr *
divide(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	int64_t alo, blo, hi;
	if (a->dtype != DT_I64 || a->lanes != 1)
		return B(OP_DIV, a, b);
	sn_bounds(a, &alo, &hi);
	sn_bounds(b, &blo, &hi);
	return B(alo >= 0 && blo > 0 ? OP_FLOORDIV : OP_DIV, a, b);
}

/* Comparisons of dimensions are decided here if they can be (a dimension with -1). */
static const struct sn_expr *
equal(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	if (a->dtype == DT_I64 && a->lanes == 1) {
		if (a == b)
			return truth(p, true);
		if (sn_prove_lt(p, a, b) || sn_prove_lt(p, b, a))
			return truth(p, false);
	}
	return B(OP_EQ, a, b);
}

static const struct sn_expr *
less(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b, bool is_strict)
{
	if (a->dtype == DT_I64 && a->lanes == 1) {
		if (is_strict ? sn_prove_lt(p, a, b) : sn_prove_le(p, a, b))
			return truth(p, true);
		if (is_strict ? sn_prove_le(p, b, a) : sn_prove_lt(p, b, a))
			return truth(p, false);
	}
	return B(is_strict ? OP_LT : OP_LE, a, b);
}

static const struct sn_expr *
bit_shift(struct sn_pool *p, const char *direction, const struct sn_expr *a,
	  const struct sn_expr *b)
{
	return B(strcmp(direction, "LEFT") == 0 ? OP_SHL : OP_SHR, a, b);
}

/* max first: where the bounds cross, the upper one wins. */
static const struct sn_expr *
clip(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *lo, const struct sn_expr *hi)
{
	const struct sn_expr *x = lo ? MAX(a, lo) : a;
	return hi ? MIN(x, hi) : x;
}

static const struct sn_expr *
gelu(struct sn_pool *p, const char *approximate, const struct sn_expr *a)
{
	const struct sn_expr *half = MUL(K(.5), a);
	if (strcmp(approximate, "tanh") != 0)
		return MUL(half, ADD(K(1), ERF(MUL(a, K(sqrt(.5))))));
	const struct sn_expr *cube = MUL(MUL(a, a), a);
	const struct sn_expr *t = MUL(K(sqrt(2 / acos(-1))), ADD(a, MUL(K(.044715), cube)));
	return MUL(half, ADD(K(1), TANH(t)));
}

static const struct sn_expr *
is_inf(struct sn_pool *p, const struct sn_attrs_is_inf *at, const struct sn_expr *a)
{
	if (at->detect_negative && at->detect_positive)
		return ISINF(a);
	if (!at->detect_negative && !at->detect_positive)
		return truth(p, false);
	return AND(ISINF(a), at->detect_positive ? LT(K(0), a) : LT(a, K(0)));
}

/* The result has the type of the base; a float exponent of an integer base counts as float. */
static const struct sn_expr *
power(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	enum sn_dtype ta = (enum sn_dtype)a->dtype, tb = (enum sn_dtype)b->dtype;
	if (ta == tb)
		return POW(a, b);
	if (sn_is_float(ta) || !sn_is_float(tb))
		return POW(a, sn_cast(p, ta, b));
	return sn_cast(p, ta, POW(sn_cast(p, DT_F64, a), sn_cast(p, DT_F64, b)));
}

static const struct sn_expr *
shrink(struct sn_pool *p, const struct sn_attrs_shrink *at, const struct sn_expr *x)
{
	enum sn_dtype t = (enum sn_dtype)x->dtype;
	const struct sn_expr *a = sn_is_float(t) ? x : sn_cast(p, DT_F32, x);
	const struct sn_expr *low = SEL(LT(a, K(-at->lambd)), ADD(a, K(at->bias)), K(0));
	const struct sn_expr *y = SEL(LT(K(at->lambd), a), SUB(a, K(at->bias)), low);
	return sn_is_float(t) ? y : sn_cast(p, t, y);
}

/* log(1 + e^a), without overflow. */
static const struct sn_expr *
softplus(struct sn_pool *p, const struct sn_expr *a)
{
	return ADD(MAX(a, K(0)), LOG1P(EXP(NEG(ABS(a)))));
}

struct sn_attrs_NONE; /* never defined: such a row has no use for it */

#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower)
#define MAP(id, domain, name, since, attrs, nin0, nin1, traits, body) \
	static const struct sn_expr *body_##id(struct sn_pool *p, const void *attrs_of_node, \
					       const struct sn_expr *a, const struct sn_expr *b, \
					       const struct sn_expr *c) \
	{ \
		const struct sn_attrs_##attrs *at = attrs_of_node; \
		(void)p, (void)at, (void)b, (void)c; \
		return body; \
	}
#include "ir/ops.def"

static const struct sn_expr *(*const bodies[GR_COUNT])(struct sn_pool *p, const void *at,
						       const struct sn_expr *a,
						       const struct sn_expr *b,
						       const struct sn_expr *c) = {
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower)
#define MAP(id, domain, name, since, attrs, nin0, nin1, traits, body) [id] = body_##id,
#include "ir/ops.def"
};

const struct sn_expr *
sn_map_body(struct sn_pool *p, enum sn_graph_op op, const void *at,
	    const struct sn_expr *const *args, int nargs)
{
	if (!bodies[op])
		return NULL;
	return bodies[op](p, at, args[0], nargs > 1 ? args[1] : NULL, nargs > 2 ? args[2] : NULL);
}
