/*
 * fold-batch-norm: batch normalisation with constant parameters becomes part of
 * the convolution or Gemm before it, else a product and a sum.
 *
 *	c = Conv (x, w, b)
 *	y = BatchNormalization (c, scale, shift, mean, var)
 *	->	y = Conv (x, w * s, b * s + t)
 *	else	y = x * s + t
 *	s = scale / sqrt(var + epsilon),  t = shift - mean * s, by channel
 *
 * The parameters are computed in f64; weights and bias are rounded once.  Not
 * done: normalisation before a convolution (padding would have to become -t/s),
 * parameters that are not constant, training mode.  Rounds.  Cost: linear in
 * nodes and in the elements of the weights.
 */
#include <math.h>
#include "passes/fold_linear.h"
#include "passes/pass.h"

struct affine {
	double *scale, *shift;
	int channels;
};

/* s and t of N; false if a parameter is not constant. */
static bool
get_affine(const struct sn_node *n, struct sn_arena *scratch, struct affine *out)
{
	const struct sn_attrs_batch_norm *at = sn_attrs(n, batch_norm);
	const struct sn_type *t = &n->in[1].value->type;
	int64_t channels;
	double *p[4];
	if (at->training_mode || t->rank != 1 || !sn_get_int(t->dims[0], &channels)
	    || channels > INT32_MAX)
		return false;
	for (int i = 0; i < 4; i++) {
		p[i] = sn_channel_values(sn_in(n, i + 1), t, 0, (int)channels, scratch);
		if (!p[i])
			return false;
	}
	for (int64_t i = 0; i < channels; i++) {
		p[0][i] /= sqrt(p[3][i] + (double)at->epsilon);
		p[1][i] -= p[2][i] * p[0][i];
	}
	*out = (struct affine){ p[0], p[1], (int)channels };
	return true;
}

/* [C,1,1,...] so that it broadcasts along the channels of X. */
static struct sn_value *
channel_const(struct sn_node *n, const char *what, const double *v, int channels)
{
	const struct sn_type *x = &n->in[0].value->type;
	struct sn_type t = { .kind = TY_TENSOR, .dtype = x->dtype, .rank = x->rank - 1 };
	for (int i = 0; i < t.rank; i++)
		t.dims[i] = sn_int(n->graph->pool, i ? 1 : channels);
	const char *name = sn_printf(n->graph->arena, "%s_%s", n->out[0]->name, what);
	return sn_graph_add_const(n->graph, name, &t,
				  sn_data_doubles(n->graph->arena, t.dtype, v, (size_t)channels));
}

static struct sn_value *
binary(struct sn_node *n, enum sn_graph_op op, struct sn_value *a, struct sn_value *b)
{
	struct sn_node *e = sn_node_new_before(n, op, (struct sn_value *[]){ a, b }, 2, 1,
					       n->origin);
	e->out[0]->type = n->out[0]->type;
	return e->out[0];
}

static struct sn_value *
make_product_and_sum(struct sn_node *n, const struct affine *a)
{
	struct sn_value *s = channel_const(n, "scale", a->scale, a->channels);
	struct sn_value *t = channel_const(n, "shift", a->shift, a->channels);
	return binary(n, GR_ADD, binary(n, GR_MUL, n->in[0].value, s), t);
}

/* The new value goes by the old one's name, which users know. */
static void
replace(struct sn_node *n, struct sn_value *v)
{
	struct sn_value *old = n->out[0];
	const char *name = old->name;
	sn_value_replace(old, v);
	sn_value_set_name(n->graph, old, NULL);
	sn_value_rename(n->graph, v, name);
	sn_node_remove(n);
}

static bool
fold_node(struct sn_node *n, struct sn_arena *scratch)
{
	struct affine a;
	struct sn_linear l;
	for (int i = 1; i < n->nout; i++)
		if (n->out[i] && n->out[i]->uses)
			return false;
	if (n->in[0].value->type.rank < 2 || !get_affine(n, scratch, &a))
		return false;
	struct sn_node *folded = NULL;
	if (sn_linear_of(n->in[0].value, &l) && l.channels == a.channels)
		folded = sn_linear_fold(&l, a.scale, a.shift, n);
	replace(n, folded ? folded->out[0] : make_product_and_sum(n, &a));
	if (folded)
		sn_node_remove(l.node);
	return true;
}

static bool
fold_graph(struct sn_graph *g, struct sn_arena *scratch)
{
	bool has_changed = false;
	SN_FOR_NODES(g, n)
	{
		for (int i = 0; i < n->nregions; i++)
			has_changed |= fold_graph(n->regions[i], scratch);
		if (n->op == GR_BATCH_NORM)
			has_changed |= fold_node(n, scratch);
	}
	return has_changed;
}

bool
sn_pass_fold_batch_norm(struct sn_pass_ctx *c)
{
	c->has_changed = fold_graph(c->module->graph, c->scratch);
	return true;
}
