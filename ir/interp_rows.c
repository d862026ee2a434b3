/*
 * Tensor interpreter: scalar operations over rows.
 *
 * The common operations on f32, f64 and i64 carriers have loops of their own,
 * in three forms (row with row, row with number, number with row); everything
 * else goes through sn_scalar_eval, number by number, which also says what the
 * loops must give.
 */
#include <math.h>

#include "ir/interp.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#define EACH for (int i = 0; i < n; i++)

#define BINARY(name, T, R, E) \
	static void name##_vv(const struct inst *in, int n) \
	{ \
		const T *a = in->src[0]->p, *b = in->src[1]->p; \
		R *restrict d = in->dst->buf; \
		EACH d[i] = (R)E(a[i], b[i]); \
	} \
	static void name##_vs(const struct inst *in, int n) \
	{ \
		const T *a = in->src[0]->p, b = *(const T *)in->src[1]->p; \
		R *restrict d = in->dst->buf; \
		EACH d[i] = (R)E(a[i], b); \
	} \
	static void name##_sv(const struct inst *in, int n) \
	{ \
		const T a = *(const T *)in->src[0]->p, *b = in->src[1]->p; \
		R *restrict d = in->dst->buf; \
		EACH d[i] = (R)E(a, b[i]); \
	}

#define UNARY(name, T, R, E) \
	static void name(const struct inst *in, int n) \
	{ \
		const T *a = in->src[0]->p; \
		R *restrict d = in->dst->buf; \
		EACH d[i] = (R)E(a[i]); \
	}

#define ADD(x, y) ((x) + (y))
#define SUB(x, y) ((x) - (y))
#define MUL(x, y) ((x) * (y))
#define DIV(x, y) ((x) / (y))
#define MIN(x, y) ((x) < (y) || (x) != (x) ? (x) : (y))
#define MAX(x, y) ((x) > (y) || (x) != (x) ? (x) : (y))
#define EQ(x, y) ((x) == (y))
#define NE(x, y) ((x) != (y))
#define LT(x, y) ((x) < (y))
#define LE(x, y) ((x) <= (y))
#define U(x) ((uint64_t)(x))
#define IADD(x, y) (U(x) + U(y))
#define ISUB(x, y) (U(x) - U(y))
#define IMUL(x, y) (U(x) * U(y))
#define IMIN(x, y) ((x) < (y) ? (x) : (y))
#define IMAX(x, y) ((x) > (y) ? (x) : (y))
#define AND(x, y) ((x) & (y))
#define OR(x, y) ((x) | (y))
#define XOR(x, y) ((x) ^ (y))
#define NEG(x) (-(x))
#define SAME(x) (x)

/* Toward the divisor's sign; for i64 alone. */
static inline int64_t
floor_div(int64_t a, int64_t b)
{
	if (b == 0)
		return 0;
	if (b == -1)
		return (int64_t) - (uint64_t)a;
	int64_t q = a / b;
	return q - (a % b != 0 && (a < 0) != (b < 0));
}

static inline int64_t
floor_mod(int64_t a, int64_t b)
{
	if (b == 0 || b == -1)
		return 0;
	int64_t r = a % b;
	return r + (r != 0 && (r < 0) != (b < 0) ? b : 0);
}

/* clang-format off */
#define FLOATS(s, T) \
	BINARY(add_##s, T, T, ADD) \
	BINARY(sub_##s, T, T, SUB) \
	BINARY(mul_##s, T, T, MUL) \
	BINARY(min_##s, T, T, MIN) \
	BINARY(max_##s, T, T, MAX) \
	BINARY(eq_##s, T, int64_t, EQ) \
	BINARY(ne_##s, T, int64_t, NE) \
	BINARY(lt_##s, T, int64_t, LT) \
	BINARY(le_##s, T, int64_t, LE) \
	UNARY(neg_##s, T, T, NEG)
/* clang-format on */
FLOATS(f32, float)
FLOATS(f64, double)
UNARY(abs_f32, float, float, fabsf)
UNARY(abs_f64, double, double, fabs)
UNARY(sqrt_f32, float, float, sqrtf)
UNARY(sqrt_f64, double, double, sqrt)
UNARY(f32_to_f64, float, double, SAME)
UNARY(f64_to_f32, double, float, SAME)
UNARY(i64_to_f32, int64_t, float, SAME)
UNARY(i64_to_f64, int64_t, double, SAME)

/* x/0 is inf or NaN, as IEEE 754 has it. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("float-divide-by-zero"))), \
			     apply_to = function)
#endif
BINARY(div_f32, float, float, DIV)
BINARY(div_f64, double, double, DIV)
#if defined(__clang__)
#pragma clang attribute pop
#endif

BINARY(add_i64, int64_t, int64_t, IADD)
BINARY(sub_i64, int64_t, int64_t, ISUB)
BINARY(mul_i64, int64_t, int64_t, IMUL)
BINARY(min_i64, int64_t, int64_t, IMIN)
BINARY(max_i64, int64_t, int64_t, IMAX)
BINARY(and_i64, int64_t, int64_t, AND)
BINARY(or_i64, int64_t, int64_t, OR)
BINARY(xor_i64, int64_t, int64_t, XOR)
BINARY(eq_i64, int64_t, int64_t, EQ)
BINARY(ne_i64, int64_t, int64_t, NE)
BINARY(lt_i64, int64_t, int64_t, LT)
BINARY(le_i64, int64_t, int64_t, LE)
BINARY(floordiv_i64, int64_t, int64_t, floor_div)
BINARY(mod_i64, int64_t, int64_t, floor_mod)

/* Which integer types a loop over i64 carriers is right for. */
enum fit {
	FIT_ALL,    /* the result needs no wrapping and signs don't matter */
	FIT_SIGNED, /* not u64: its carrier looks negative */
	FIT_I64,    /* i64 alone, else the result must be wrapped */
};

static const struct binary_row {
	enum sn_scalar_op op;
	enum carrier carrier;
	enum fit fit;
	inst_fn *vv, *vs, *sv;
} binary_rows[] = {
#define ROW3(op, c, fit, name) { op, c, fit, name##_vv, name##_vs, name##_sv },
/* clang-format off */
#define FLOAT_ROWS(c, s) \
	ROW3(OP_ADD, c, FIT_ALL, add_##s) \
	ROW3(OP_SUB, c, FIT_ALL, sub_##s) \
	ROW3(OP_MUL, c, FIT_ALL, mul_##s) \
	ROW3(OP_DIV, c, FIT_ALL, div_##s) \
	ROW3(OP_MIN, c, FIT_ALL, min_##s) \
	ROW3(OP_MAX, c, FIT_ALL, max_##s) \
	ROW3(OP_EQ, c, FIT_ALL, eq_##s) \
	ROW3(OP_NE, c, FIT_ALL, ne_##s) \
	ROW3(OP_LT, c, FIT_ALL, lt_##s) \
	ROW3(OP_LE, c, FIT_ALL, le_##s)
	FLOAT_ROWS(CR_F32, f32)
	FLOAT_ROWS(CR_F64, f64)
	ROW3(OP_ADD, CR_I64, FIT_I64, add_i64)
	ROW3(OP_SUB, CR_I64, FIT_I64, sub_i64)
	ROW3(OP_MUL, CR_I64, FIT_I64, mul_i64)
	ROW3(OP_FLOORDIV, CR_I64, FIT_I64, floordiv_i64)
	ROW3(OP_MOD, CR_I64, FIT_I64, mod_i64)
	ROW3(OP_MIN, CR_I64, FIT_SIGNED, min_i64)
	ROW3(OP_MAX, CR_I64, FIT_SIGNED, max_i64)
	ROW3(OP_LT, CR_I64, FIT_SIGNED, lt_i64)
	ROW3(OP_LE, CR_I64, FIT_SIGNED, le_i64)
	ROW3(OP_AND, CR_I64, FIT_ALL, and_i64)
	ROW3(OP_OR, CR_I64, FIT_ALL, or_i64)
	ROW3(OP_XOR, CR_I64, FIT_ALL, xor_i64)
	ROW3(OP_EQ, CR_I64, FIT_ALL, eq_i64)
	ROW3(OP_NE, CR_I64, FIT_ALL, ne_i64)
	/* clang-format on */
};

static const struct unary_row {
	enum sn_scalar_op op;
	enum carrier carrier;
	inst_fn *run;
} unary_rows[] = {
	{ OP_NEG, CR_F32, neg_f32 }, { OP_NEG, CR_F64, neg_f64 },   { OP_ABS, CR_F32, abs_f32 },
	{ OP_ABS, CR_F64, abs_f64 }, { OP_SQRT, CR_F32, sqrt_f32 }, { OP_SQRT, CR_F64, sqrt_f64 },
};

/* i32 results of + - * are computed as i64 and wrapped in place by these. */
#define WRAPPED(name, base) \
	static void name(const struct inst *in, int n) \
	{ \
		int64_t *d = in->dst->buf; \
		base(in, n); \
		EACH d[i] = (int32_t)d[i]; \
	}
WRAPPED(add_i32_vv, add_i64_vv)
WRAPPED(add_i32_vs, add_i64_vs)
WRAPPED(add_i32_sv, add_i64_sv)
WRAPPED(sub_i32_vv, sub_i64_vv)
WRAPPED(sub_i32_vs, sub_i64_vs)
WRAPPED(sub_i32_sv, sub_i64_sv)
WRAPPED(mul_i32_vv, mul_i64_vv)
WRAPPED(mul_i32_vs, mul_i64_vs)
WRAPPED(mul_i32_sv, mul_i64_sv)

/* clang-format off */
static const struct binary_row i32_rows[] = {
	ROW3(OP_ADD, CR_I64, FIT_ALL, add_i32)
	ROW3(OP_SUB, CR_I64, FIT_ALL, sub_i32)
	ROW3(OP_MUL, CR_I64, FIT_ALL, mul_i32)
};
/* clang-format on */

static void
select_op(const struct inst *in, int n)
{
	const int64_t *cond = in->src[0]->p;
	const struct slot *then = in->src[1], *otherwise = in->src[2];
	int c1 = in->src[0]->is_row, a1 = then->is_row, b1 = otherwise->is_row;
	if (in->dst->carrier == CR_F32) {
		const float *a = then->p, *b = otherwise->p;
		float *restrict d = in->dst->buf;
		EACH d[i] = cond[i * c1] ? a[i * a1] : b[i * b1];
	} else {
		const uint64_t *a = then->p, *b = otherwise->p;
		uint64_t *restrict d = in->dst->buf;
		EACH d[i] = cond[i * c1] ? a[i * a1] : b[i * b1];
	}
}

/* Any operation, number by number. */
static void
any_op(const struct inst *in, int n)
{
	int arity = sn_scalar_info(in->op)->arity;
	for (int i = 0; i < n; i++) {
		union sn_num x[3] = { 0 };
		for (int k = 0; k < arity; k++)
			x[k] = carrier_get(in->src[k]->carrier, in->src[k]->p,
					   in->src[k]->is_row ? i : 0);
		carrier_put(in->dst->carrier, in->dst->buf, i,
			    sn_scalar_eval(in->op, in->dtype, in->result, x));
	}
}

/* The first index of a run that is out of range is reported; all are brought in range. */
static void
within(const struct inst *in, int n)
{
	struct interp *p = in->interp;
	any_op(in, n);
	for (int i = 0; i < n && !p->has_failed; i++) {
		const struct slot *a = in->src[0], *b = in->src[1];
		int64_t x = carrier_get(a->carrier, a->p, a->is_row ? i : 0).i;
		int64_t extent = carrier_get(b->carrier, b->p, b->is_row ? i : 0).i;
		if (x == carrier_get(in->dst->carrier, in->dst->buf, i).i && x < extent)
			continue;
		sn_report(p->diags, sn_origin_where(p->kernel->origin), DG_INTERP_WITHIN,
			  p->kernel->name, (long long)x, (long long)extent - 1);
		p->has_failed = true;
	}
}

static void
mac_f32(const struct inst *in, int n)
{
	const float *a = in->src[0]->p, *b = in->src[1]->p, *c = in->src[2]->p;
	int a1 = in->src[0]->is_row, b1 = in->src[1]->is_row, c1 = in->src[2]->is_row;
	float *restrict d = in->dst->buf;
	EACH d[i] = a[i * a1] * b[i * b1] + c[i * c1];
}

static void
mac_f64(const struct inst *in, int n)
{
	const double *a = in->src[0]->p, *b = in->src[1]->p, *c = in->src[2]->p;
	int a1 = in->src[0]->is_row, b1 = in->src[1]->is_row, c1 = in->src[2]->is_row;
	double *restrict d = in->dst->buf;
	EACH d[i] = a[i * a1] * b[i * b1] + c[i * c1];
}

static inst_fn *
cast_fn(const struct inst *in)
{
	enum sn_dtype to = in->result, from = in->dtype;
	if (from == DT_F32 && to == DT_F64)
		return f32_to_f64;
	if (from == DT_F64 && to == DT_F32)
		return f64_to_f32;
	if (!sn_is_float(from) && sn_dtype_info(from)->bits < 64 && to == DT_F32)
		return i64_to_f32;
	if (!sn_is_float(from) && sn_dtype_info(from)->bits < 64 && to == DT_F64)
		return i64_to_f64;
	return any_op;
}

static bool
row_fits(const struct binary_row *r, const struct inst *in)
{
	if (r->op != in->op || r->carrier != in->src[0]->carrier)
		return false;
	if (r->carrier == CR_F64) /* narrow floats are rounded after each operation */
		return in->dtype == DT_F64 || sn_scalar_info(in->op)->result == 'B';
	if (r->carrier == CR_F32 || r->fit == FIT_ALL)
		return true;
	return r->fit == FIT_I64 ? in->dtype == DT_I64 : in->dtype != DT_U64;
}

static inst_fn *
binary_fn(const struct binary_row *rows, size_t n, const struct inst *in)
{
	bool a_row = in->src[0]->is_row, b_row = in->src[1]->is_row;
	for (size_t i = 0; i < n; i++)
		if (row_fits(&rows[i], in))
			return a_row == b_row ? rows[i].vv : a_row ? rows[i].vs : rows[i].sv;
	return NULL;
}

static inst_fn *
unary_fn(const struct inst *in)
{
	for (size_t i = 0; i < ARRAY_LEN(unary_rows); i++)
		if (unary_rows[i].op == in->op && unary_rows[i].carrier == in->src[0]->carrier
		    && (in->dtype == DT_F32 || in->dtype == DT_F64))
			return unary_rows[i].run;
	return NULL;
}

inst_fn *
sn_interp_op_fn(const struct inst *in, int nargs)
{
	inst_fn *f = NULL;
	if (in->op == OP_WITHIN)
		return within;
	if (in->op == OP_SELECT)
		return select_op;
	if (in->op == OP_CAST)
		return cast_fn(in);
	if (in->op == OP_MAC && (in->dtype == DT_F32 || in->dtype == DT_F64))
		return in->dtype == DT_F32 ? mac_f32 : mac_f64;
	if (nargs == 2 && in->dtype == DT_I32)
		f = binary_fn(i32_rows, ARRAY_LEN(i32_rows), in);
	if (!f && nargs == 2)
		f = binary_fn(binary_rows, ARRAY_LEN(binary_rows), in);
	if (nargs == 1)
		f = unary_fn(in);
	return f ? f : any_op;
}

/* ---- states: the row is operand and result, so it is named once ---- */

#define FOLD(name, T, E) \
	static void name##_v(const struct inst *in, int n) \
	{ \
		const T *restrict a = in->src[0]->p; \
		T *restrict s = in->dst->buf; \
		EACH s[i] = (T)E(s[i], a[i]); \
	} \
	static void name##_s(const struct inst *in, int n) \
	{ \
		const T a = *(const T *)in->src[0]->p; \
		T *restrict s = in->dst->buf; \
		EACH s[i] = (T)E(s[i], a); \
	}
/* clang-format off */
#define FLOAT_FOLDS(s, T) \
	FOLD(fold_add_##s, T, ADD) \
	FOLD(fold_mul_##s, T, MUL) \
	FOLD(fold_min_##s, T, MIN) \
	FOLD(fold_max_##s, T, MAX)
/* clang-format on */
FLOAT_FOLDS(f32, float)
FLOAT_FOLDS(f64, double)
FOLD(fold_add_i64, int64_t, IADD)
FOLD(fold_mul_i64, int64_t, IMUL)
FOLD(fold_min_i64, int64_t, IMIN)
FOLD(fold_max_i64, int64_t, IMAX)
#define WRAP_ADD(x, y) ((int32_t)IADD(x, y))
FOLD(fold_add_i32, int64_t, WRAP_ADD)

static const struct fold_row {
	enum sn_scalar_op op;
	enum sn_dtype dtype;
	inst_fn *v, *s;
} fold_rows[] = {
/* clang-format off */
#define FOLD_ROWS(t, s) \
	{ OP_ADD, t, fold_add_##s##_v, fold_add_##s##_s }, \
	{ OP_MUL, t, fold_mul_##s##_v, fold_mul_##s##_s }, \
	{ OP_MIN, t, fold_min_##s##_v, fold_min_##s##_s }, \
	{ OP_MAX, t, fold_max_##s##_v, fold_max_##s##_s },
	FOLD_ROWS(DT_F32, f32)
	FOLD_ROWS(DT_F64, f64)
	FOLD_ROWS(DT_I64, i64)
	{ OP_ADD, DT_I32, fold_add_i32_v, fold_add_i32_s },
	/* clang-format on */
};

inst_fn *
sn_interp_fold_fn(const struct inst *in)
{
	for (size_t i = 0; i < ARRAY_LEN(fold_rows); i++)
		if (fold_rows[i].op == in->op && fold_rows[i].dtype == in->dtype)
			return in->src[0]->is_row ? fold_rows[i].v : fold_rows[i].s;
	return NULL;
}

#define MAC(name, T) \
	static void name##_vv(const struct inst *in, int n) \
	{ \
		const T *a = in->src[0]->p, *b = in->src[1]->p; \
		T *restrict s = in->dst->buf; \
		EACH s[i] += a[i] * b[i]; \
	} \
	static void name##_vs(const struct inst *in, int n) \
	{ \
		const T *a = in->src[0]->p, b = *(const T *)in->src[1]->p; \
		T *restrict s = in->dst->buf; \
		EACH s[i] += a[i] * b; \
	} \
	static void name##_sv(const struct inst *in, int n) \
	{ \
		const T a = *(const T *)in->src[0]->p, *b = in->src[1]->p; \
		T *restrict s = in->dst->buf; \
		EACH s[i] += a * b[i]; \
	}
MAC(acc_f32, float)
MAC(acc_f64, double)

inst_fn *
sn_interp_mac_fn(const struct inst *in)
{
	bool a = in->src[0]->is_row, b = in->src[1]->is_row, is_f32 = in->dtype == DT_F32;
	if (!a && !b)
		return NULL;
	if (a && b)
		return is_f32 ? acc_f32_vv : acc_f64_vv;
	if (a)
		return is_f32 ? acc_f32_vs : acc_f64_vs;
	return is_f32 ? acc_f32_sv : acc_f64_sv;
}

#define COPY(name, T) \
	static void name##_v(const struct inst *in, int n) \
	{ \
		const T *a = in->src[0]->p; \
		T *d = in->dst->buf; \
		EACH d[i] = a[i]; \
	} \
	static void name##_s(const struct inst *in, int n) \
	{ \
		const T a = *(const T *)in->src[0]->p; \
		T *d = in->dst->buf; \
		EACH d[i] = a; \
	}
COPY(copy_f32, float)
COPY(copy_f64, double)
COPY(copy_i64, int64_t)

inst_fn *
sn_interp_copy_fn(enum carrier c, bool is_row)
{
	static inst_fn *const fns[3][2] = {
		{ copy_f32_s, copy_f32_v },
		{ copy_f64_s, copy_f64_v },
		{ copy_i64_s, copy_i64_v },
	};
	return fns[c][is_row];
}
