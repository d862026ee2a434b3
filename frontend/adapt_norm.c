/*
 * Adapters of normalisations and of what differs between training and inference.
 */
#include "frontend/adapt.h"

/* Before opset 9 statistics could be per element, before 7 a flag said "inference". */
bool
sn_adapt_batch_norm_flags(struct sn_raw_node *n)
{
	if (sn_raw_int(n, "spatial", 1) == 0)
		return sn_raw_refuse(n, "BatchNormalization had statistics for every element");
	sn_raw_drop(n, "spatial");
	sn_raw_drop(n, "is_test");
	return true;
}

/* Four further results were for training. */
bool
sn_adapt_batch_norm_results(struct sn_raw_node *n)
{
	for (size_t i = 1; i < n->out.n; i++)
		if (sn_raw_wants(n, i))
			return sn_raw_refuse(n, "results of BatchNormalization were for training");
	n->out.n = n->out.n ? 1 : 0;
	return true;
}

/* A model without an operand that says so is not in training: the ratio has no meaning. */
bool
sn_adapt_dropout(struct sn_raw_node *n)
{
	sn_raw_drop(n, "ratio");
	sn_raw_drop(n, "is_test");
	return true;
}

/* Scale and bias were per group, now per channel: each is repeated for the group's channels. */
static struct sn_value *
repeat(struct sn_raw_node *n, struct sn_value *v, int64_t groups, int64_t channels)
{
	const int64_t column[] = { groups, 1 }, wide[] = { groups, channels / groups };
	struct sn_value *in[2] = { v, sn_raw_ints(n, column, 2) };
	in[0] = sn_raw_emit(n, GR_RESHAPE, in, 2)->out[0];
	in[1] = sn_raw_ints(n, wide, 2);
	in[0] = sn_raw_emit(n, GR_EXPAND, in, 2)->out[0];
	in[1] = sn_raw_ints(n, &channels, 1);
	return sn_raw_emit(n, GR_RESHAPE, in, 2)->out[0];
}

bool
sn_adapt_group_norm(struct sn_raw_node *n)
{
	int64_t groups = sn_raw_int(n, "num_groups", 0), channels = 0;
	if (n->in.n != 3 || !n->in.v[0] || !n->in.v[1] || !n->in.v[2] || groups < 1)
		return true; /* reported as what it is when the node is finished */
	const struct sn_type *t = sn_raw_type(n, n->in.v[0]);
	if (t->rank < 2 || !t->dims[1] || !sn_get_int(t->dims[1], &channels) || channels < groups)
		return sn_raw_refuse(n, "the number of GroupNormalization's channels is not known");
	n->in.v[1] = repeat(n, n->in.v[1], groups, channels);
	n->in.v[2] = repeat(n, n->in.v[2], groups, channels);
	return true;
}
