/*
 * Rules that find normalisations which exporters write with several nodes.
 */
#include "ir/params.h"
#include "passes/fold_linear.h"
#include "passes/rewrite.h"

/* V, a constant of one number for each of GROUPS groups, as one for each of CHANNELS channels; NULL if
 * it is no such constant. */
static struct sn_value *
spread_groups(struct sn_rewrite *r, const struct sn_value *v, int64_t groups, int64_t channels)
{
	if (!sn_value_is_const(v) || (int64_t)v->data->n != groups)
		return NULL;
	struct sn_type t = { .kind = TY_TENSOR, .dtype = v->type.dtype, .rank = 1 };
	double *x = SN_NEW_ARRAY(r->scratch, (size_t)channels, double);
	for (int64_t i = 0; i < channels; i++)
		x[i] = sn_data_get(v->data, (size_t)(i / (channels / groups))).f;
	t.dims[0] = sn_int(r->graph->pool, channels);
	return sn_graph_add_const(r->graph, v->name, &t,
				  sn_data_doubles(r->arena, t.dtype, x, (size_t)channels));
}

/* Does INNER regroup the channels of its operand, images being kept? Then their numbers. */
static bool
is_regrouping(const struct sn_node *inner, int64_t *out_groups, int64_t *out_channels)
{
	const struct sn_type *x = &inner->in[0].value->type, *y = &inner->out[0]->type;
	return x->rank >= 2 && y->rank >= 3 && x->dims[0] == y->dims[0]
	       && sn_get_int(x->dims[1], out_channels) && sn_get_int(y->dims[1], out_groups)
	       && *out_groups > 0 && *out_channels % *out_groups == 0;
}

RULE(group_norm, GR_RESHAPE,
     "Reshape (InstanceNormalization (Reshape (x, [n, g, ...]), s, b), shape of x) -> "
     "GroupNormalization <num_groups = g> (x, s, b)")
{
	struct sn_node *norm = sn_rw_def(n, 0, GR_INSTANCE_NORM);
	struct sn_node *inner = norm && sn_rw_has_one_use(norm) ? sn_rw_def(norm, 0, GR_RESHAPE)
								: NULL;
	int64_t groups, channels;
	if (!inner || !is_regrouping(inner, &groups, &channels)
	    || !sn_type_equal(&n->out[0]->type, &inner->in[0].value->type))
		return false;
	struct sn_value *in[3] = { inner->in[0].value, NULL, NULL };
	for (int i = 1; i < 3; i++) {
		in[i] = spread_groups(r, sn_in(norm, i), groups, channels);
		if (!in[i])
			return false;
	}
	struct sn_node *made = sn_rw_node(n, GR_GROUP_NORM, in, 3, 1);
	struct sn_attrs_group_norm *at = made->attrs;
	at->num_groups = groups;
	at->epsilon = sn_attrs(norm, epsilon)->epsilon;
	made->origin = sn_origin_join(r->arena, n->origin, norm->origin);
	return sn_rw_forward(r, n, 0, sn_rw_infer(r, made));
}

const struct sn_rule *const sn_rules_norm[] = {
	&rule_group_norm,
	NULL,
};
