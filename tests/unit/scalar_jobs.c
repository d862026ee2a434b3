#include "unit.h"
#include <math.h>
#include "ir/dtype.h"
#include "scalar_jobs.h"

static const enum sn_dtype types[] = {
	DT_F64, DT_F32, DT_F16, DT_BF16, DT_I64, DT_I32,  DT_I16,
	DT_I8,	DT_U64, DT_U32, DT_U16,	 DT_U8,	 DT_BOOL,
};

/* ---- values ---- */

static union sn_num
value(enum sn_dtype t, int i)
{
	static const double floats[JOB_VALUES] = {
		0.0,  -0.0, 1,	   -1,	 0.5,	   -0.5,     1.5,	2.5,
		-2.5, 3,    -7.25, 100,	 -1000.75, 65504,    -70000,	1e-3,
		1e-8, 3e9,  -3e9,  1e19, -1e19,	   INFINITY, -INFINITY, NAN,
	};
	static const int64_t ints[JOB_VALUES] = {
		0,    1,   -1,	2,     -2,     3,	  5,	     -7,
		7,    8,   31,	33,    63,     100,	  -100,	     127,
		-128, 128, 255, 32767, -32768, INT64_MAX, INT64_MIN, 0x123456789abcdef,
	};
	const struct sn_dtype_info *d = sn_dtype_info(t);
	union sn_num x;

	if (d->kind == 'F')
		return sn_num_cast((union sn_num){ .f = floats[i] }, DT_F64, t);
	x.i = ints[i];
	if (d->kind == 'B')
		x.i = i & 1;
	else if (i >= JOB_VALUES - 3 && d->bits < 64) /* the ends of the type */
		x.i = ints[i] == INT64_MIN ? (int64_t)1 << (d->bits - 1)
					   : ((int64_t)1 << (d->bits - 1)) - 1;
	return sn_num_cast(x, DT_I64, t);
}

/* Operand K of element I. */
union sn_num
job_operand(enum sn_dtype t, int k, int i)
{
	return value(t, k == 0	 ? i % JOB_VALUES
			: k == 1 ? i / JOB_VALUES
				 : (i * 7 + 3) % JOB_VALUES);
}

/* ---- which operations on which types ---- */

static bool
accepts(enum sn_scalar_op op, enum sn_dtype t)
{
	char kind = sn_dtype_info(t)->kind;

	switch (sn_scalar_info(op)->operands) {
	case 'F': return kind == 'F';
	case 'I': return kind != 'F';
	case 'N': return kind != 'B';
	default: return true;
	}
}

static void
add_job(struct jobs *j, struct sn_arena *a, struct job x)
{
	x.name = sn_printf(a, "f%zu", j->list.n);
	SN_PUSH(a, &j->list, x);
}

static bool
is_tested(enum sn_scalar_op op)
{
	return op != OP_SPLAT && op != OP_IOTA && op != OP_LANE_SUM && op != OP_LANE_MAX
	       && op != OP_LANE_MIN && op != OP_WITHIN && op != OP_CAST && op != OP_BITCAST;
}

void
jobs_list(struct jobs *j, struct sn_arena *a, int lanes)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		enum sn_dtype t = types[i];

		for (int op = 0; op < OP_COUNT; op++) {
			if (!is_tested(op) || !accepts(op, t)
			    || (t == DT_BOOL && (op == OP_SHL || op == OP_SHR)))
				continue;
			enum sn_dtype r = sn_scalar_info(op)->result == 'B' ? DT_BOOL : t;

			add_job(j, a, (struct job){ op, t, r, lanes, NULL });
		}
		for (size_t k = 0; k < ARRAY_LEN(types); k++) {
			if (types[k] != t)
				add_job(j, a, (struct job){ OP_CAST, t, types[k], lanes, NULL });
			if (types[k] != t && t != DT_BOOL && types[k] != DT_BOOL && t != DT_F16
			    && t != DT_BF16 && types[k] != DT_F16 && types[k] != DT_BF16
			    && sn_dtype_info(t)->bits == sn_dtype_info(types[k])->bits)
				add_job(j, a, (struct job){ OP_BITCAST, t, types[k], lanes, NULL });
		}
	}
}

/* ---- functions ---- */

int
job_arity(const struct job *j)
{
	return j->op == OP_SELECT ? 3 : sn_scalar_info(j->op)->arity;
}

const struct sn_expr *
job_apply(struct sn_pool *p, const struct job *j, const struct sn_expr *const *x)
{
	if (j->op == OP_CAST)
		return sn_cast(p, j->result, x[0]);
	if (j->op == OP_BITCAST)
		return sn_bitcast(p, j->result, x[0]);
	if (j->op == OP_SELECT)
		return sn_op3(p, OP_SELECT, sn_op2(p, OP_NE, x[0], x[1]), x[1], x[2]);
	return sn_op(p, j->op, x, sn_scalar_info(j->op)->arity);
}

/* ---- comparing ---- */

static bool
is_close(enum sn_scalar_op op, enum sn_dtype t, double want, double got)
{
	static const double eps[] = {
		[DT_F64] = 1e-14, [DT_F32] = 3e-7, [DT_F16] = 1e-3, [DT_BF16] = 8e-3
	};
	/* the edge of a rounding after few operations, or the error of a function */
	double tolerance = eps[t] * (op == OP_TAN || op == OP_POW || op == OP_MOD ? 16 : 1);

	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (want == got)
		return true;
	return fabs(want - got)
	       <= tolerance * fmax(fabs(want), ldexp(1, t == DT_F64 ? -1000 : -126));
}

void
job_check(const struct job *j, const void *got, size_t first)
{
	for (int i = 0; i < JOB_N; i++) {
		union sn_num x[3], want, have = sn_dtype_load(j->result, got, first + (size_t)i);

		for (int k = 0; k < 3; k++)
			x[k] = job_operand(j->t, k, i);
		if (j->op == OP_SELECT) {
			union sn_num c = sn_scalar_eval(OP_NE, j->t, DT_BOOL, x);

			want = c.i ? x[1] : x[2];
		} else {
			want = sn_scalar_eval(j->op, j->t, j->result, x);
		}
		bool is_float = sn_is_float(j->result);

		if (j->op == OP_MAC && is_float) { /* either of its two forms */
			union sn_num once = { .f = x[0].f * x[1].f + x[2].f };

			if (is_close(j->op, j->result, sn_num_cast(once, DT_F64, j->t).f, have.f))
				continue;
		}
		if (is_float ? is_close(j->op, j->result, want.f, have.f) : want.i == have.i)
			continue;
		fail_msg("%s (%s -> %s, %d lanes) of %g/%lld, %g/%lld: %g/%lld, should be %g/%lld",
			 sn_scalar_info(j->op)->text, sn_dtype_info(j->t)->text,
			 sn_dtype_info(j->result)->text, j->lanes, x[0].f, (long long)x[0].i,
			 x[1].f, (long long)x[1].i, have.f, (long long)have.i, want.f,
			 (long long)want.i);
	}
}
