/*
 * Operations: type checks, folding of constants, and identities that hold to
 * the last bit (x + 0.0 is none: -0.0 + 0.0 = 0.0).  Index arithmetic goes on
 * to ir/index.c.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir/expr_impl.h"
#include "ir/index.h"
#include "support/diag.h"

static bool
is_class(enum sn_dtype t, char operands)
{
	char kind = sn_dtype_info(t)->kind;

	switch (operands) {
	case 'F': return kind == 'F';
	case 'I': return kind == 'I' || kind == 'U' || kind == 'B';
	case 'N': return kind == 'F' || kind == 'I' || kind == 'U' || kind == 'C';
	default: return kind != '-';
	}
}

/* Vectors of one length, and scalars, which go with any. */
static bool
lanes_agree(const struct sn_expr *const *args, int nargs)
{
	int lanes = 1;

	for (int i = 0; i < nargs; i++) {
		if (args[i]->lanes == 1)
			continue;
		if (lanes != 1 && args[i]->lanes != lanes)
			return false;
		lanes = args[i]->lanes;
	}
	return true;
}

bool
sn_op_fits(enum sn_scalar_op op, const struct sn_expr *const *args, int nargs)
{
	const struct sn_scalar_info *info = sn_scalar_info(op);
	int first = op == OP_SELECT;

	if (nargs != info->arity || info->result == 'T' || op == OP_SPLAT || op == OP_IOTA)
		return false;
	if (first && args[0]->dtype != DT_BOOL)
		return false;
	for (int i = first; i < nargs; i++)
		if (args[i]->dtype != args[first]->dtype)
			return false;
	return is_class((enum sn_dtype)args[first]->dtype, info->operands)
	       && lanes_agree(args, nargs);
}

static bool
is_lane_op(enum sn_scalar_op op)
{
	return op == OP_LANE_SUM || op == OP_LANE_MAX || op == OP_LANE_MIN;
}

const struct sn_expr *
sn_expr_node(struct sn_pool *p, enum sn_scalar_op op, enum sn_dtype dtype,
	     const struct sn_expr *const *args, int nargs)
{
	struct sn_expr head = {
		.kind = EX_OP,
		.op = (uint8_t)op,
		.dtype = (uint8_t)dtype,
		.nargs = (uint16_t)nargs,
		.lanes = is_lane_op(op) ? 1 : args[0]->lanes,
	};
	return sn_expr_intern(p, &head, args);
}

static const struct sn_expr *
vector_const(struct sn_pool *p, const struct sn_expr *scalar, int lanes)
{
	struct sn_expr head = { .kind = EX_CONST,
				.dtype = scalar->dtype,
				.lanes = (uint16_t)lanes,
				.num = scalar->num };

	return sn_expr_intern(p, &head, NULL);
}

static const struct sn_expr *
fold(struct sn_pool *p, enum sn_scalar_op op, enum sn_dtype result,
     const struct sn_expr *const *args, int nargs)
{
	union sn_num x[3];
	enum sn_dtype t = (enum sn_dtype)args[op == OP_SELECT]->dtype;

	for (int i = 0; i < nargs; i++) {
		if (!sn_is_const(args[i]))
			return NULL;
		x[i] = args[i]->num;
	}
	if (is_lane_op(op) && args[0]->lanes > 1)
		return NULL;
	/* what is out of range has to be reported yet */
	if (op == OP_WITHIN && sn_scalar_eval(op, t, result, x).i != x[0].i)
		return NULL;
	const struct sn_expr *c = sn_const(p, result, sn_scalar_eval(op, t, result, x));

	return args[0]->lanes > 1 ? vector_const(p, c, args[0]->lanes) : c;
}

/* True if E is the constant X, the sign of zero included. */
static bool
is_number(const struct sn_expr *e, double x)
{
	if (!sn_is_const(e))
		return false;
	if (!sn_is_float((enum sn_dtype)e->dtype))
		return e->dtype != DT_BOOL && isfinite(x) && e->num.i == (int64_t)x;
	return e->num.f == x && signbit(e->num.f) == signbit(x);
}

static bool
is_zero_int(const struct sn_expr *e)
{
	return sn_is_int_const(e, 0);
}

static bool
is_op(const struct sn_expr *e, enum sn_scalar_op op)
{
	return e->kind == EX_OP && e->op == op;
}

/*
 * Identities: one small function per operation, tried after folding; NULL if
 * none applies.  A and B are the operands, B of unary operations is NULL.
 */
#define IDENTITY(name) \
	static const struct sn_expr *name(struct sn_pool *p, const struct sn_expr *a, \
					  const struct sn_expr *b)

/* x + 0 = x for integers, x + -0.0 = x for floats */
IDENTITY(add_identity)
{
	double zero = sn_is_float((enum sn_dtype)a->dtype) ? -0.0 : 0.0;

	(void)p;
	return is_number(b, zero) ? a : is_number(a, zero) ? b : NULL;
}

/* x - 0 = x; x - x = 0 for integers */
IDENTITY(sub_identity)
{
	if (is_number(b, 0.0))
		return a;
	if (a == b && sn_is_int((enum sn_dtype)a->dtype) && a->lanes == 1)
		return sn_const(p, (enum sn_dtype)a->dtype, (union sn_num){ .i = 0 });
	return NULL;
}

/* x * 1 = x; x * 0 = 0 for integers */
IDENTITY(mul_identity)
{
	(void)p;
	if (is_number(b, 1) || is_zero_int(a))
		return a;
	return is_number(a, 1) || is_zero_int(b) ? b : NULL;
}

/* The exact reciprocal of a power of two that both are ordinary numbers of F32 or F64; else 0. */
static double
exact_reciprocal(const struct sn_expr *e)
{
	int exponent;

	if (!sn_is_const(e) || (e->dtype != DT_F32 && e->dtype != DT_F64))
		return 0;
	double fraction = frexp(e->num.f, &exponent);

	return fabs(fraction) == 0.5 && abs(exponent) < 120 ? 1 / e->num.f : 0;
}

/* x / 1 = x, x / 8 = x * 0.125, x // 1 = x for integers */
IDENTITY(div_identity)
{
	double r = exact_reciprocal(b);

	if (is_number(b, 1))
		return a;
	if (r == 0)
		return NULL;
	return sn_op2(p, OP_MUL, a, sn_float(p, (enum sn_dtype)b->dtype, r));
}

/* pow(x, 1) = x; pow(x, 2) = x * x where a double holds the square */
IDENTITY(pow_identity)
{
	if (is_number(b, 1))
		return a;
	if (is_number(b, 2) && a->dtype != DT_F64)
		return sn_op2(p, OP_MUL, a, a);
	return NULL;
}

IDENTITY(floordiv_identity)
{
	(void)p;
	return is_number(b, 1) && sn_is_int((enum sn_dtype)a->dtype) ? a : NULL;
}

/* min(x, x) = x, min(x, inf) = x */
IDENTITY(min_identity)
{
	(void)p;
	return a == b || is_number(b, (double)INFINITY) ? a : NULL;
}

IDENTITY(max_identity)
{
	(void)p;
	return a == b || is_number(b, -(double)INFINITY) ? a : NULL;
}

/* op(op(x)) = x */
IDENTITY(neg_identity)
{
	(void)p, (void)b;
	return is_op(a, OP_NEG) ? a->args[0] : NULL;
}

IDENTITY(not_identity)
{
	(void)p, (void)b;
	return is_op(a, OP_NOT) ? a->args[0] : NULL;
}

/* abs(abs(x)) = abs(x), abs(-x) = abs(x) */
IDENTITY(abs_identity)
{
	(void)b;
	if (is_op(a, OP_ABS))
		return a;
	return is_op(a, OP_NEG) ? sn_op1(p, OP_ABS, a->args[0]) : NULL;
}

static bool
is_all_ones(const struct sn_expr *e)
{
	if (!sn_is_const(e))
		return false;
	const struct sn_dtype_info *d = sn_dtype_info((enum sn_dtype)e->dtype);

	if (d->kind == 'B')
		return e->num.i == 1;
	return d->kind == 'I' ? e->num.i == -1
			      : (uint64_t)e->num.i == ~(uint64_t)0 >> (64 - d->bits);
}

/* x & x = x, x & 0 = 0, x & ~0 = x */
IDENTITY(and_identity)
{
	(void)p;
	if (a == b || is_all_ones(b) || is_zero_int(a))
		return a;
	return is_all_ones(a) || is_zero_int(b) ? b : NULL;
}

IDENTITY(or_identity)
{
	(void)p;
	if (a == b || is_zero_int(b) || is_all_ones(a))
		return a;
	return is_zero_int(a) || is_all_ones(b) ? b : NULL;
}

IDENTITY(xor_identity)
{
	if (a == b && a->lanes == 1)
		return sn_const(p, (enum sn_dtype)a->dtype, (union sn_num){ .i = 0 });
	return is_zero_int(b) ? a : is_zero_int(a) ? b : NULL;
}

IDENTITY(shift_identity)
{
	(void)p;
	return is_zero_int(b) ? a : NULL;
}

/* x == x, x <= x are true for integers; x < x is false for all */
IDENTITY(eq_identity)
{
	if (a != b || a->lanes > 1 || !is_class((enum sn_dtype)a->dtype, 'I'))
		return NULL;
	return sn_const(p, DT_BOOL, (union sn_num){ .i = 1 });
}

IDENTITY(ne_identity)
{
	if (a != b || a->lanes > 1 || !is_class((enum sn_dtype)a->dtype, 'I'))
		return NULL;
	return sn_const(p, DT_BOOL, (union sn_num){ .i = 0 });
}

IDENTITY(lt_identity)
{
	return a == b && a->lanes == 1 ? sn_const(p, DT_BOOL, (union sn_num){ .i = 0 }) : NULL;
}

typedef const struct sn_expr *
identity_fn(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);

static identity_fn *const identities[OP_COUNT] = {
	[OP_ADD] = add_identity,
	[OP_SUB] = sub_identity,
	[OP_MUL] = mul_identity,
	[OP_DIV] = div_identity,
	[OP_FLOORDIV] = floordiv_identity,
	[OP_POW] = pow_identity,
	[OP_MIN] = min_identity,
	[OP_MAX] = max_identity,
	[OP_NEG] = neg_identity,
	[OP_NOT] = not_identity,
	[OP_ABS] = abs_identity,
	[OP_AND] = and_identity,
	[OP_OR] = or_identity,
	[OP_XOR] = xor_identity,
	[OP_SHL] = shift_identity,
	[OP_SHR] = shift_identity,
	[OP_EQ] = eq_identity,
	[OP_NE] = ne_identity,
	[OP_LT] = lt_identity,
	[OP_LE] = eq_identity,
};

/* select(c, x, x) = x; select(true, x, y) = x; for bool select(c, true, false) = c */
static const struct sn_expr *
select_identity(const struct sn_expr *const *args)
{
	if (args[1] == args[2])
		return args[1];
	if (sn_is_const(args[0]))
		return args[0]->num.i ? args[1] : args[2];
	if (args[1]->dtype == DT_BOOL && sn_is_int_const(args[1], 1) && sn_is_int_const(args[2], 0))
		return args[0];
	return NULL;
}

/* mac(1, x, c) = x + c, mac(x, y, -0.0) = x * y, for integers mac(x, y, c) = x * y + c */
static const struct sn_expr *
mac_identity(struct sn_pool *p, const struct sn_expr *const *args)
{
	bool is_float = sn_is_float((enum sn_dtype)args[0]->dtype);

	if (!is_float || is_number(args[0], 1) || is_number(args[1], 1))
		return sn_op2(p, OP_ADD, sn_op2(p, OP_MUL, args[0], args[1]), args[2]);
	return is_number(args[2], -0.0) ? sn_op2(p, OP_MUL, args[0], args[1]) : NULL;
}

static const struct sn_expr *
identity(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *const *args, int nargs)
{
	if (op == OP_SELECT)
		return select_identity(args);
	if (op == OP_MAC)
		return mac_identity(p, args);
	return identities[op] ? identities[op](p, args[0], nargs > 1 ? args[1] : NULL) : NULL;
}

/* Brings the operands to the length of the longest. */
static void
splat_all(struct sn_pool *p, const struct sn_expr **out, const struct sn_expr *const *args,
	  int nargs)
{
	int lanes = 1;

	for (int i = 0; i < nargs; i++)
		if (args[i]->lanes > lanes)
			lanes = args[i]->lanes;
	for (int i = 0; i < nargs; i++)
		out[i] = sn_splat(p, args[i], lanes);
}

const struct sn_expr *
sn_op(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *const *args, int nargs)
{
	const struct sn_scalar_info *info = sn_scalar_info(op);
	const struct sn_expr *a[3];

	if (!sn_op_fits(op, args, nargs))
		sn_bug(p->arena->guard, "%s of operands that don't fit it (%d, first %s)",
		       info->text, nargs,
		       nargs ? sn_dtype_info((enum sn_dtype)args[0]->dtype)->text : "none");
	splat_all(p, a, args, nargs);
	enum sn_dtype t = (enum sn_dtype)a[op == OP_SELECT]->dtype;
	enum sn_dtype result = info->result == 'B' ? DT_BOOL : t;
	const struct sn_expr *e = fold(p, op, result, a, nargs);

	if (e)
		return e;
	if (t == DT_I64 && a[0]->lanes == 1)
		e = sn_index_op(p, op, a, nargs);
	if (!e)
		e = identity(p, op, a, nargs);
	return e ? e : sn_expr_node(p, op, result, a, nargs);
}

const struct sn_expr *
sn_op1(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a)
{
	return sn_op(p, op, &a, 1);
}

const struct sn_expr *
sn_op2(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_op(p, op, (const struct sn_expr *[]){ a, b }, 2);
}

const struct sn_expr *
sn_op3(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, const struct sn_expr *b,
       const struct sn_expr *c)
{
	return sn_op(p, op, (const struct sn_expr *[]){ a, b, c }, 3);
}

/* Bits that hold a value's magnitude exactly: of integers all but the sign, of floats the fraction. */
static int
exact_bits(enum sn_dtype t)
{
	const struct sn_dtype_info *d = sn_dtype_info(t);

	switch (t) {
	case DT_F64: return 53;
	case DT_F32: return 24;
	case DT_F16: return 11;
	case DT_BF16: return 8;
	case DT_BOOL: return 1;
	default: return d->kind == 'I' ? d->bits - 1 : d->kind == 'U' ? d->bits : 0;
	}
}

/* True if every value of FROM is a value of TO. */
static bool
is_widening(enum sn_dtype from, enum sn_dtype to)
{
	char a = sn_dtype_info(from)->kind, b = sn_dtype_info(to)->kind;
	bool has_wider_bits = exact_bits(from) && exact_bits(to) >= exact_bits(from);

	if (a == 'F')
		return b == 'F' && has_wider_bits && (to == DT_F64 || to == DT_F32 || from == to);
	if (b == 'F') /* an i16 may be larger than every f16 */
		return (to == DT_F64 || to == DT_F32) && has_wider_bits;
	return has_wider_bits && (a != 'I' || b == 'I') && b != 'B';
}

const struct sn_expr *
sn_cast(struct sn_pool *p, enum sn_dtype to, const struct sn_expr *a)
{
	enum sn_dtype from = (enum sn_dtype)a->dtype;

	if (from == to)
		return a;
	const struct sn_expr *e = fold(p, OP_CAST, to, &a, 1);

	if (e)
		return e;
	/* to(wider(x)) = to(x) */
	if (is_op(a, OP_CAST) && is_widening((enum sn_dtype)a->args[0]->dtype, from))
		return sn_cast(p, to, a->args[0]);
	return sn_expr_node(p, OP_CAST, to, &a, 1);
}

const struct sn_expr *
sn_bitcast(struct sn_pool *p, enum sn_dtype to, const struct sn_expr *a)
{
	enum sn_dtype from = (enum sn_dtype)a->dtype;

	if (from == to)
		return a;
	if (sn_dtype_info(from)->bits != sn_dtype_info(to)->bits || sn_dtype_info(to)->bits == 0
	    || sn_dtype_info(to)->bits > 64)
		sn_bug(p->arena->guard, "bitcast of %s to %s", sn_dtype_info(from)->text,
		       sn_dtype_info(to)->text);
	const struct sn_expr *e = fold(p, OP_BITCAST, to, &a, 1);

	return e ? e : sn_expr_node(p, OP_BITCAST, to, &a, 1);
}

static const struct sn_expr *
widen(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, int lanes)
{
	struct sn_expr head = {
		.kind = EX_OP,
		.op = (uint8_t)op,
		.dtype = a->dtype,
		.nargs = 1,
		.lanes = (uint16_t)lanes,
	};
	return sn_expr_intern(p, &head, &a);
}

const struct sn_expr *
sn_splat(struct sn_pool *p, const struct sn_expr *a, int lanes)
{
	if (a->lanes == lanes)
		return a;
	if (a->lanes != 1)
		sn_bug(p->arena->guard, "splat of a vector of %d lanes", a->lanes);
	return sn_is_const(a) ? vector_const(p, a, lanes) : widen(p, OP_SPLAT, a, lanes);
}

const struct sn_expr *
sn_iota(struct sn_pool *p, const struct sn_expr *a, int lanes)
{
	if (a->lanes != 1)
		sn_bug(p->arena->guard, "iota of a vector of %d lanes", a->lanes);
	return lanes == 1 ? a : widen(p, OP_IOTA, a, lanes);
}
