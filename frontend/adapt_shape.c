/*
 * Adapters for older rules about axes: broadcasting from a given axis, and
 * operators that saw every tensor as a matrix.
 */
#include <string.h>
#include "frontend/adapt.h"

/* V with K dimensions of 1 at its end. */
static struct sn_value *
unsqueeze_tail(struct sn_raw_node *n, struct sn_value *v, int rank, int k)
{
	int64_t axes[SN_MAX_RANK];
	if (k <= 0)
		return v;
	for (int i = 0; i < k; i++)
		axes[i] = rank + i;
	struct sn_value *in[2] = { v, sn_raw_ints(n, axes, k) };
	return sn_raw_emit(n, GR_UNSQUEEZE, in, 2)->out[0];
}

/* a, b, broadcast=1, axis=k: b's dimensions stand under those of a from k on; without axis at the end,
 * as they do now. */
bool
sn_adapt_broadcast(struct sn_raw_node *n)
{
	const struct sn_raw_attr *axis = sn_raw_attr(n, "axis");
	bool is_on = sn_raw_int(n, "broadcast", 0) != 0;
	int64_t k = axis && axis->kind == RA_INT ? axis->i : 0;
	bool has_axis = axis && is_on;
	sn_raw_drop(n, "axis");
	sn_raw_drop(n, "broadcast");
	if (!has_axis || n->in.n != 2 || !n->in.v[0] || !n->in.v[1])
		return true;
	int rank = sn_raw_type(n, n->in.v[0])->rank, rank_b = sn_raw_type(n, n->in.v[1])->rank;
	if (rank < 0 || rank_b < 0)
		return sn_raw_refuse(n, "it broadcasts along an axis of a tensor of unknown rank");
	k += k < 0 ? rank : 0;
	if (k < 0 || k > rank - rank_b)
		return sn_raw_refuse(n, "it broadcasts along an axis that does not exist");
	n->in.v[1] = unsqueeze_tail(n, n->in.v[1], rank_b, rank - (int)k - rank_b);
	return true;
}

/* A slope for each channel was a vector under axis 1; now it broadcasts from the end. */
bool
sn_adapt_prelu_slope(struct sn_raw_node *n)
{
	if (n->in.n != 2 || !n->in.v[0] || !n->in.v[1])
		return true;
	const struct sn_type *slope = sn_raw_type(n, n->in.v[1]);
	int rank = sn_raw_type(n, n->in.v[0])->rank;
	if (slope->rank != 1 || sn_is_int_const(slope->dims[0], 1))
		return true;
	if (rank < 0)
		return sn_raw_refuse(n, "the rank of PRelu's operand is not known");
	n->in.v[1] = unsqueeze_tail(n, n->in.v[1], 1, rank - 2);
	return true;
}

/*
 * Softmax <axis=k> (x) over the matrix that x is when all axes from k on are
 * one: Reshape (Softmax <axis=-1> (Flatten <axis=k> (x)), Shape (x)).  With k the
 * last axis both meanings are the same.
 */
bool
sn_adapt_flatten_axis(struct sn_raw_node *n)
{
	int64_t axis = sn_raw_int(n, "axis", 1);
	struct sn_value *x = sn_raw_in(n, 0);
	sn_raw_set_int(n, "axis", -1);
	if (!x || n->in.n != 1)
		return true;
	int rank = sn_raw_type(n, x)->rank;
	if (axis == -1 || (rank >= 0 && axis == rank - 1))
		return true;

	struct sn_node *flat = sn_raw_emit(n, GR_FLATTEN, &x, 1);
	((struct sn_attrs_axis_second *)flat->attrs)->axis = axis;
	enum sn_graph_op op = sn_graph_op_by_name("", n->type);
	struct sn_node *rows = sn_raw_emit(n, op, &flat->out[0], 1);
	struct sn_node *shape = sn_raw_emit(n, GR_SHAPE, &x, 1);
	n->type = "Reshape";
	sn_raw_drop_all(n);
	sn_raw_set_in(n, 0, rows->out[0]);
	sn_raw_set_in(n, 1, shape->out[0]);
	return true;
}
