/*
 * The reducers with a name (ir/reduce.def), built as expressions.
 */
#include <math.h>
#include <string.h>

#include "ir/tensor.h"

enum reduce_shape { RS_FOLD, RS_PICK };
enum reduce_first { RF_ZERO, RF_ONE, RF_LOWEST, RF_HIGHEST, RF_ALL };
enum reduce_ties { RT_NONE, RT_EARLY, RT_LATE };

struct reduce_row {
	const char *name;
	enum reduce_shape shape;
	enum sn_scalar_op op;
	enum reduce_first first;
	enum reduce_ties ties;
};

static const struct reduce_row reduce_rows[] = {
#define REDUCE(name, shape, op, first, ties) { name, shape, op, first, ties },
#include "ir/reduce.def"
#undef REDUCE
};

static int64_t
int_lowest(enum sn_dtype t)
{
	const struct sn_dtype_info *info = sn_dtype_info(t);
	return info->kind == 'I' ? INT64_MIN >> (64 - info->bits) : 0;
}

/* In the carrier: of u64 all bits, -1. */
static int64_t
int_highest(enum sn_dtype t)
{
	const struct sn_dtype_info *info = sn_dtype_info(t);
	if (info->kind == 'B')
		return 1;
	int bits = info->bits - (info->kind == 'I');
	return (int64_t)(UINT64_MAX >> (64 - bits));
}

static const struct sn_expr *
first_value(struct sn_pool *p, enum sn_dtype t, enum reduce_first f)
{
	bool is_float = sn_is_float(t);
	union sn_num x = { .i = 0 };
	switch (f) {
	case RF_ZERO: return sn_float(p, t, 0);
	case RF_ONE: return sn_float(p, t, 1);
	case RF_LOWEST:
		if (is_float)
			return sn_float(p, t, -INFINITY);
		x.i = int_lowest(t);
		break;
	case RF_HIGHEST:
		if (is_float)
			return sn_float(p, t, INFINITY);
		x.i = int_highest(t);
		break;
	case RF_ALL: x.i = sn_dtype_info(t)->kind == 'I' ? -1 : int_highest(t); break;
	}
	return sn_const(p, t, x);
}

static void
build_fold(struct sn_pool *p, struct sn_reducer *r, const struct reduce_row *row, enum sn_dtype t)
{
	const struct sn_expr *state = sn_state(p, t, 0);
	r->nstates = r->nargs = 1;
	r->state_types[0] = r->arg_types[0] = t;
	r->init[0] = first_value(p, t, row->first);
	r->step[0] = sn_op2(p, row->op, state, sn_arg(p, t, 0));
	r->merge[0] = sn_op2(p, row->op, state, sn_other(p, t, 0));
}

/* Would B be chosen over A?  Numbers by OP; NaN over all numbers. */
static const struct sn_expr *
is_better(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, const struct sn_expr *b)
{
	const struct sn_expr *lt = op == OP_MAX ? sn_op2(p, OP_LT, a, b) : sn_op2(p, OP_LT, b, a);
	if (!sn_is_float((enum sn_dtype)a->dtype))
		return lt;
	const struct sn_expr *a_number = sn_op1(p, OP_NOT, sn_op1(p, OP_ISNAN, a));
	return sn_op2(p, OP_OR, lt, sn_op2(p, OP_AND, sn_op1(p, OP_ISNAN, b), a_number));
}

static const struct sn_expr *
is_tie(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	const struct sn_expr *eq = sn_op2(p, OP_EQ, a, b);
	if (!sn_is_float((enum sn_dtype)a->dtype))
		return eq;
	const struct sn_expr *nan = sn_op2(p, OP_AND, sn_op1(p, OP_ISNAN, a),
					   sn_op1(p, OP_ISNAN, b));
	return sn_op2(p, OP_OR, eq, nan);
}

/*
 * The first index is 0: it stands when no value is better than the first state,
 * so all are equal to it, and element 0 is the answer or comes later as a tie.
 * Merging compares the indices of a tie, so halves may be interleaved.
 */
static void
build_pick(struct sn_pool *p, struct sn_reducer *r, const struct reduce_row *row, enum sn_dtype t)
{
	const struct sn_expr *s = sn_state(p, t, 0), *si = sn_state(p, DT_I64, 1);
	const struct sn_expr *a = sn_arg(p, t, 0), *ai = sn_arg(p, DT_I64, 1);
	const struct sn_expr *o = sn_other(p, t, 0), *oi = sn_other(p, DT_I64, 1);
	bool is_late = row->ties == RT_LATE;
	r->nstates = r->nargs = 2;
	r->state_types[0] = r->arg_types[0] = t;
	r->state_types[1] = r->arg_types[1] = DT_I64;
	r->init[0] = first_value(p, t, row->first);
	r->init[1] = sn_int(p, 0);

	const struct sn_expr *step = is_better(p, row->op, s, a);
	if (is_late)
		step = sn_op2(p, OP_OR, step, is_tie(p, s, a));
	r->step[0] = sn_op3(p, OP_SELECT, step, a, s);
	r->step[1] = sn_op3(p, OP_SELECT, step, ai, si);

	const struct sn_expr *order = is_late ? sn_op2(p, OP_LT, si, oi) : sn_op2(p, OP_LT, oi, si);
	const struct sn_expr *merge = sn_op2(p, OP_OR, is_better(p, row->op, s, o),
					     sn_op2(p, OP_AND, is_tie(p, s, o), order));
	r->merge[0] = sn_op3(p, OP_SELECT, merge, o, s);
	r->merge[1] = sn_op3(p, OP_SELECT, merge, oi, si);
}

static bool
row_accepts(const struct reduce_row *row, enum sn_dtype t)
{
	char kind = sn_dtype_info(t)->kind;
	if (sn_scalar_info(row->op)->operands == 'I')
		return kind == 'I' || kind == 'U' || kind == 'B';
	return kind == 'F' || kind == 'I' || kind == 'U';
}

const struct sn_reducer *
sn_reducer(struct sn_pool *p, const char *name, enum sn_dtype t)
{
	for (size_t i = 0; i < ARRAY_LEN(reduce_rows); i++) {
		const struct reduce_row *row = &reduce_rows[i];
		if (strcmp(row->name, name))
			continue;
		if (!row_accepts(row, t))
			return NULL;
		struct sn_reducer *r = SN_NEW(p->arena, struct sn_reducer);
		r->name = row->name;
		if (row->shape == RS_FOLD)
			build_fold(p, r, row, t);
		else
			build_pick(p, r, row, t);
		return r;
	}
	return NULL;
}
