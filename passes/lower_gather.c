/*
 * Lowering of operators whose indices are data.
 */
#include "ir/index.h"
#include "passes/lower_math.h"

/* The least and greatest element of operand SLOT, if it is a constant. */
static bool
constant_range(struct sn_lower *c, int slot, int64_t *out_lo, int64_t *out_hi)
{
	const struct sn_data *d = sn_in(c->node, slot)->data;
	if (!d || d->n == 0 || !sn_is_int(d->dtype))
		return false;
	*out_lo = *out_hi = sn_data_get(d, 0).i;
	for (size_t i = 1; i < d->n && !d->is_splat; i++) {
		int64_t x = sn_data_get(d, i).i;
		*out_lo = x < *out_lo ? x : *out_lo;
		*out_hi = x > *out_hi ? x : *out_hi;
	}
	return true;
}

/* X, an element of operand SLOT, as an index into an axis of extent DIM that may count from the end.
 * What the data says is not to be trusted: it is brought in range, and the run reports it; unless
 * the data are here and say nothing wrong. */
static sn_ex
data_index(struct sn_lower *c, int slot, sn_ex x, sn_ex dim)
{
	sn_ex i = CAST(DT_I64, x), zero = INT(0);
	int64_t lo, hi, n;
	sn_bounds(i, &lo, &hi);
	bool is_here = constant_range(c, slot, &lo, &hi);
	if (lo < 0)
		i = SEL(LT(i, zero), ADD(i, dim), i);
	if (is_here && sn_get_int(dim, &n) && lo >= -n && hi < n)
		return sn_shape_max(c->pool, sn_shape_min(c->pool, i, sn_addk(c->pool, dim, -1)),
				    zero);
	return sn_op2(c->pool, OP_WITHIN, i, dim);
}

/* Element AT of the index operand 1; a single one that is known needs no read. */
static sn_ex
index_element(struct sn_lower *c, const sn_ex *at, sn_ex dim)
{
	int n;
	const sn_ex *known = sn_lower_elements(c, 1, &n);
	if (known && n == 1)
		return data_index(c, 1, known[0], dim);
	return data_index(c, 1, sn_lower_read(c, sn_lower_in(c, 1), at), dim);
}

bool
sn_lower_gather(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	const struct sn_type *indices = &sn_in(c->node, 1)->type;
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK], at[SN_MAX_RANK];
	int64_t axis = sn_attrs(c->node, axis_first)->axis;
	axis += axis < 0 ? x->type.rank : 0;
	for (int i = 0; i < indices->rank; i++)
		at[i] = AXIS(m, (int)axis + i);
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = i < axis   ? AXIS(m, i)
			 : i > axis ? AXIS(m, i + indices->rank - 1)
				    : index_element(c, at, x->type.dims[i]);
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

bool
sn_lower_gather_elements(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK], at[SN_MAX_RANK];
	int64_t axis = sn_attrs(c->node, axis_first)->axis;
	axis += axis < 0 ? x->type.rank : 0;
	for (int i = 0; i < x->type.rank; i++)
		at[i] = AXIS(m, i);
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = i == axis ? data_index(c, 1, sn_lower_read(c, sn_lower_in(c, 1), at),
						x->type.dims[i])
				   : sn_shape_min(c->pool, at[i],
						  sn_addk(c->pool, x->type.dims[i], -1));
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

/* The last axis of the indices holds tuples that lead into x, after BATCH_DIMS common axes. */
bool
sn_lower_gather_nd(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0), *k = sn_lower_in(c, 1);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	int batch = (int)sn_attrs(c->node, gather_nd)->batch_dims, lead = k->type.rank - 1;
	sn_ex idx[SN_MAX_RANK], at[SN_MAX_RANK];
	int64_t depth = 1;
	sn_get_int(k->type.dims[lead], &depth);
	for (int i = 0; i < lead; i++)
		at[i] = AXIS(m, i);
	for (int i = 0; i < batch; i++)
		idx[i] = AXIS(m, i);
	for (int i = 0; i < (int)depth; i++) {
		at[lead] = INT(i);
		idx[batch + i] = data_index(c, 1, sn_lower_read(c, k, at), x->type.dims[batch + i]);
	}
	for (int i = batch + (int)depth; i < x->type.rank; i++)
		idx[i] = AXIS(m, lead + i - batch - (int)depth);
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

/* on where the axis is at the index (negative ones count from the end), else off; an index out of
 * range meets none. */
bool
sn_lower_one_hot(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *values = sn_lower_in(c, 2);
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	int64_t axis = sn_attrs(c->node, axis)->axis;
	axis += axis < 0 ? y->type.rank : 0;
	sn_ex idx[SN_MAX_RANK], off = INT(0), on = INT(1);
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = AXIS(m, i < axis ? i : i + 1);
	sn_ex k = CAST(DT_I64, sn_lower_read(c, x, idx));
	k = SEL(LT(k, INT(0)), ADD(k, y->type.dims[axis]), k);
	sn_ex is_on = EQ(AXIS(m, (int)axis), k);
	STORE(m, y, SEL(is_on, sn_lower_read(c, values, &on), sn_lower_read(c, values, &off)));
	return true;
}

/* The first LEN elements of the time axis backward, the others in place. */
bool
sn_lower_reverse_sequence(struct sn_lower *c)
{
	const struct sn_attrs_reverse *at = sn_attrs(c->node, reverse);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	int64_t time = at->time_axis + (at->time_axis < 0 ? x->type.rank : 0);
	int64_t batch = at->batch_axis + (at->batch_axis < 0 ? x->type.rank : 0);
	sn_ex idx[SN_MAX_RANK], which = AXIS(m, (int)batch), t = AXIS(m, (int)time);
	sn_ex len = CAST(DT_I64, sn_lower_read(c, sn_lower_in(c, 1), &which));
	len = sn_op2(c->pool, OP_WITHIN, len, sn_addk(c->pool, x->type.dims[time], 1));
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = AXIS(m, i);
	sn_ex back = sn_shape_max(c->pool, SUB(sn_addk(c->pool, len, -1), t), INT(0));
	idx[time] = SEL(LT(t, len), back, t);
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}
