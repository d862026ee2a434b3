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
	case ST_NONE: return x;
	case ST_ABS: return ABS(x);
	case ST_SQUARE: return MUL(x, x);
	case ST_SQRT: return SQRT(f);
	case ST_LOG: return LOG(f);
	case ST_MEAN: return DIV(x, CAST((enum sn_dtype)x->dtype, count));
	}
	return x;
}

/* What a reduction goes over. */
struct domain {
	struct sn_comp *m; /* over the axes of the result */
	sn_ex x;	   /* the element at the reduction axes */
	sn_ex is_in;	   /* does it belong to this result? NULL: always */
	sn_ex count;	   /* elements for each result */
};

/*
 * A comprehension over the axes of X that are not in MASK, in the order and
 * places of Y (where reduced axes are kept as ones, or gone), with reduction
 * axes for the others.
 */
static struct domain
fixed_domain(struct sn_lower *c, struct sn_tensor *x, struct sn_tensor *y, unsigned mask)
{
	struct domain d = { .m = sn_lower_comp(c, &y->type), .count = INT(1) };
	bool is_kept = y->type.rank == x->type.rank;
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0, j = 0; i < x->type.rank; i++) {
		if (mask >> i & 1) {
			idx[i] = sn_lower_red(c, d.m, sn_printf(c->arena, "r%d", i),
					      x->type.dims[i]);
			d.count = MUL(d.count, x->type.dims[i]);
			j += is_kept;
		} else {
			idx[i] = AXIS(d.m, j++);
		}
	}
	d.x = sn_lower_widen(c, sn_lower_read(c, x, idx));
	return d;
}

/* Element AT, an expression, of the axes of M; for a result without reduced axes. */
static sn_ex
axis_at(struct sn_lower *c, struct sn_comp *m, sn_ex at)
{
	sn_ex e = INT(0);
	for (int i = 0; i < m->naxes; i++)
		e = SEL(EQ(at, INT(i)), AXIS(m, i), e);
	return e;
}

/*
 * The same where the axes are known at run time only: every result goes over all
 * of x and takes what belongs to it.  Slow, but right for whatever the axes say
 * within the declared shape.
 */
static struct domain
open_domain(struct sn_lower *c, struct sn_tensor *x, struct sn_tensor *y)
{
	struct domain d = { .m = sn_lower_comp(c, &y->type), .count = INT(1) };
	int rank = x->type.rank, naxes = sn_lower_element_count(c, 1);
	sn_ex idx[SN_MAX_RANK], place = INT(0);
	for (int i = 0; i < rank; i++) {
		idx[i] = sn_lower_red(c, d.m, sn_printf(c->arena, "r%d", i), x->type.dims[i]);
		sn_ex is_reduced = sn_const(c->pool, DT_BOOL, (union sn_num){ .i = 0 });
		for (int k = 0; k < naxes; k++)
			is_reduced = OR(is_reduced, sn_lower_names_axis(c, 1, k, i, rank));
		sn_ex at = y->type.rank == rank ? AXIS(d.m, i) : axis_at(c, d.m, place);
		sn_ex is_here = OR(is_reduced, EQ(idx[i], at));
		d.is_in = d.is_in ? AND(d.is_in, is_here) : is_here;
		d.count = MUL(d.count, SEL(is_reduced, x->type.dims[i], INT(1)));
		place = ADD(place, SEL(is_reduced, INT(0), INT(1)));
	}
	d.x = sn_lower_widen(c, sn_lower_read(c, x, idx));
	return d;
}

static bool
make_domain(struct sn_lower *c, struct sn_tensor *x, struct sn_tensor *y, struct domain *out)
{
	unsigned mask;
	if (sn_node_reduce_axes(c->node, &mask))
		*out = fixed_domain(c, x, y, mask);
	else if (sn_lower_element_count(c, 1) >= 0)
		*out = open_domain(c, x, y);
	else
		return sn_lower_refuse(c, "a list of axes of unknown length");
	return true;
}

/* The reduction of E over the domain. */
static sn_ex
reduce_domain(struct sn_lower *c, struct domain *d, const char *name, sn_ex e)
{
	if (d->m->nred == 0)
		return e;
	const struct sn_reducer *r = sn_reducer(c->pool, name, (enum sn_dtype)e->dtype);
	return sn_lower_reduce(c, d->m, name, d->is_in ? SEL(d->is_in, e, r->init[0]) : e);
}

bool
sn_lower_reduction(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct domain d;
	size_t row = 0;
	while (reductions[row].op != c->node->op)
		row++;
	if (!make_domain(c, x, y, &d))
		return false;
	bool is_bool = d.x->dtype == DT_BOOL && reductions[row].bool_reducer;
	sn_ex e = apply(c, reductions[row].before, d.x, NULL);
	e = reduce_domain(c, &d, is_bool ? reductions[row].bool_reducer : reductions[row].reducer,
			  e);
	STORE(d.m, y, apply(c, reductions[row].after, e, d.count));
	return true;
}

/* log(sum(e^(x - m))) + m with m the maximum, so that nothing overflows. */
bool
sn_lower_reduce_log_sum_exp(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct domain d;
	enum sn_dtype t = sn_is_float(x->type.dtype) ? sn_lower_compute_type(x->type.dtype)
						     : DT_F64;
	struct sn_tensor *max = sn_lower_temp(c, "max", t, y->type.rank, y->type.dims);
	if (!make_domain(c, x, y, &d))
		return false;
	sn_ex top = reduce_domain(c, &d, "max", CAST(t, d.x));
	STORE(d.m, max, SEL(ISINF(top), LIKE(top, 0), top));
	make_domain(c, x, y, &d);
	top = sn_lower_broadcast_read(c, d.m, max);
	sn_ex sum = reduce_domain(c, &d, "sum", EXP(SUB(CAST(t, d.x), top)));
	STORE(d.m, y, ADD(LOG(sum), top));
	return true;
}

/* ---- ArgMax, ArgMin --------------------------------------------------------------------------- */

static bool
arg_reduction(struct sn_lower *c, const char *first, const char *last)
{
	const struct sn_attrs_arg *at = sn_attrs(c->node, arg);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	int axis = (int)(at->axis < 0 ? at->axis + x->type.rank : at->axis);
	struct domain d = fixed_domain(c, x, y, 1u << axis);
	struct sn_comp *m = d.m;
	sn_lower_reduce(c, m, at->select_last_index ? last : first, d.x);
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
 * Every element says alone what it is; the scan schedules (passes/scan.h) see that
 * neighbours differ by one step.
 */
static bool
cumulate(struct sn_lower *c, const char *reducer, double neutral)
{
	const struct sn_attrs_cum *at = sn_attrs(c->node, cum);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK], is_in = sn_const(c->pool, DT_BOOL, (union sn_num){ .i = 1 });
	for (int i = 0; i < x->type.rank; i++) {
		sn_ex is_axis = sn_lower_names_axis(c, 1, 0, i, x->type.rank), here = AXIS(m, i);
		idx[i] = here;
		if (sn_is_int_const(is_axis, 0))
			continue;
		idx[i] = sn_lower_red(c, m, sn_printf(c->arena, "r%d", i), x->type.dims[i]);
		sn_ex before = at->reverse ? here : idx[i], after = at->reverse ? idx[i] : here;
		sn_ex is_before = at->exclusive ? LT(before, after) : LE(before, after);
		is_in = AND(is_in, SEL(is_axis, is_before, EQ(idx[i], here)));
	}
	sn_ex e = sn_lower_widen(c, sn_lower_read(c, x, idx));
	STORE(m, y, sn_lower_reduce(c, m, reducer, SEL(is_in, e, LIKE(e, neutral))));
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
