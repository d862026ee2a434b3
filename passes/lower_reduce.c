/*
 * Lowering of reductions: the reducer, what is done to each element before and
 * to the sum after, from one table; ArgMax and ArgMin; sums along an axis.
 */
#include "ir/params.h"
#include "passes/lower_math.h"

/* ---- Reduce... -------------------------------------------------------------------------------- */

enum step { ST_NONE, ST_ABS, ST_SQUARE, ST_SQRT, ST_LOG, ST_MEAN };

static const struct {
	enum sn_graph_op op;
	const char *reducer, *bool_reducer;
	enum step before, after;
} reductions[] = {
	{ GR_REDUCE_L1, "sum", NULL, ST_ABS, ST_NONE },
	{ GR_REDUCE_L2, "sum", NULL, ST_SQUARE, ST_SQRT },
	{ GR_REDUCE_LOG_SUM, "sum", NULL, ST_NONE, ST_LOG },
	{ GR_REDUCE_MAX, "max", "or", ST_NONE, ST_NONE },
	{ GR_REDUCE_MEAN, "sum", NULL, ST_NONE, ST_MEAN },
	{ GR_REDUCE_MIN, "min", "and", ST_NONE, ST_NONE },
	{ GR_REDUCE_PROD, "prod", NULL, ST_NONE, ST_NONE },
	{ GR_REDUCE_SUM, "sum", NULL, ST_NONE, ST_NONE },
	{ GR_REDUCE_SUM_SQUARE, "sum", NULL, ST_SQUARE, ST_NONE },
};

/* STEP of X, with COUNT elements summed; roots and logarithms of integers through f64. */
static sn_ex
apply(struct sn_lower *c, enum step step, sn_ex x, sn_ex count)
{
	sn_ex f = sn_is_float((enum sn_dtype)x->dtype) ? x : CAST(DT_F64, x);
	switch (step) {
	case ST_NONE:
		return x;
	case ST_ABS:
		return ABS(x);
	case ST_SQUARE:
		return MUL(x, x);
	case ST_SQRT:
		return SQRT(f);
	case ST_LOG:
		return LOG(f);
	case ST_MEAN:
		return DIV(x, CAST((enum sn_dtype)x->dtype, count));
	}
	return x;
}

/*
 * A comprehension over the axes of X that are not in MASK, in the order and
 * places of Y (where reduced axes are kept as ones, or gone), with reduction
 * axes for the others; *out_x is the element.
 */
static struct sn_comp *
reduce_comp(struct sn_lower *c, struct sn_tensor *x, struct sn_tensor *y, unsigned mask,
	    sn_ex *out_x)
{
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	bool is_kept = y->type.rank == x->type.rank;
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0, j = 0; i < x->type.rank; i++) {
		if (mask >> i & 1) {
			idx[i] = sn_lower_red(c, m, sn_printf(c->arena, "r%d", i),
					      x->type.dims[i]);
			j += is_kept;
		} else {
			idx[i] = AXIS(m, j++);
		}
	}
	*out_x = sn_lower_widen(c, sn_lower_read(c, x, idx));
	return m;
}

static sn_ex
reduced_count(struct sn_lower *c, const struct sn_comp *m)
{
	sn_ex n = INT(1);
	for (int i = 0; i < m->nred; i++)
		n = MUL(n, m->red[i]->extent);
	return n;
}

bool
sn_lower_reduction(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	unsigned mask;
	size_t row = 0;
	sn_ex e;
	while (reductions[row].op != c->node->op)
		row++;
	if (!sn_node_reduce_axes(c->node, &mask))
		return sn_lower_refuse(c, "axes known at run time only");
	struct sn_comp *m = reduce_comp(c, x, y, mask, &e);
	bool is_bool = e->dtype == DT_BOOL;
	e = apply(c, reductions[row].before, e, NULL);
	if (m->nred > 0)
		e = sn_lower_reduce(c, m, is_bool && reductions[row].bool_reducer
					? reductions[row].bool_reducer : reductions[row].reducer, e);
	STORE(m, y, apply(c, reductions[row].after, e, reduced_count(c, m)));
	return true;
}

/* log(sum(e^(x - m))) + m with m the maximum, so that nothing overflows. */
bool
sn_lower_reduce_log_sum_exp(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	unsigned mask;
	sn_ex e, top;
	if (!sn_node_reduce_axes(c->node, &mask))
		return sn_lower_refuse(c, "axes known at run time only");
	enum sn_dtype t = sn_is_float(x->type.dtype) ? sn_lower_compute_type(x->type.dtype) : DT_F64;
	struct sn_tensor *max = sn_lower_temp(c, "max", t, y->type.rank, y->type.dims);
	struct sn_comp *m = reduce_comp(c, x, y, mask, &e);
	e = CAST(t, e);
	top = m->nred ? sn_lower_reduce(c, m, "max", e) : e;
	STORE(m, max, SEL(ISINF(top), LIKE(top, 0), top));
	m = reduce_comp(c, x, y, mask, &e);
	top = sn_lower_broadcast_read(c, m, max);
	e = EXP(SUB(CAST(t, e), top));
	STORE(m, y, ADD(LOG(m->nred ? sn_lower_reduce(c, m, "sum", e) : e), top));
	return true;
}

/* ---- ArgMax, ArgMin --------------------------------------------------------------------------- */

static bool
arg_reduction(struct sn_lower *c, const char *first, const char *last)
{
	const struct sn_attrs_arg *at = sn_attrs(c->node, arg);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	int axis = (int)(at->axis < 0 ? at->axis + x->type.rank : at->axis);
	sn_ex e;
	struct sn_comp *m = reduce_comp(c, x, y, 1u << axis, &e);
	sn_lower_reduce(c, m, at->select_last_index ? last : first, e);
	m->args[1] = sn_axis_expr(c->pool, m->red[0]);
	STORE(m, y, sn_state(c->pool, m->reducer->state_types[1], 1));
	return true;
}

bool
sn_lower_arg_max(struct sn_lower *c)
{
	return arg_reduction(c, "argmax", "argmax_last");
}

bool
sn_lower_arg_min(struct sn_lower *c)
{
	return arg_reduction(c, "argmin", "argmin_last");
}

/* ---- sums along an axis ----------------------------------------------------------------------- */

/*
 * y[i] = sum over j <= i of x[j]; exclusive: j < i; reverse: from the end.
 * Every element alone, so quadratic in the axis: right for the short axes of
 * today's models; a scan region will replace it.
 */
static bool
cumulate(struct sn_lower *c, const char *reducer, double neutral)
{
	const struct sn_attrs_cum *at = sn_attrs(c->node, cum);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	struct sn_ints list;
	int axis;
	if (!sn_node_ints(c->node, 1, &list) || !sn_shape_axis(list.v[0], x->type.rank, &axis))
		return sn_lower_refuse(c, "an axis known at run time only");
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = AXIS(m, i);
	sn_ex here = idx[axis], j = sn_lower_red(c, m, "j", x->type.dims[axis]);
	idx[axis] = j;
	sn_ex before = at->reverse ? here : j, after = at->reverse ? j : here;
	sn_ex e = sn_lower_widen(c, sn_lower_read(c, x, idx));
	e = SEL(at->exclusive ? LT(before, after) : LE(before, after), e, LIKE(e, neutral));
	STORE(m, y, sn_lower_reduce(c, m, reducer, e));
	return true;
}

bool
sn_lower_cum_sum(struct sn_lower *c)
{
	return cumulate(c, "sum", 0);
}

bool
sn_lower_cum_prod(struct sn_lower *c)
{
	return cumulate(c, "prod", 1);
}
