/*
 * Arithmetic on constant weights, for the passes and rules that move per-channel
 * factors and summands into them.
 */
#include <math.h>
#include <string.h>
#include "passes/fold_linear.h"

/* Weights of up to this many elements may be stored anew though others read them, or though they
 * were one number before. */
enum { SMALL = 65536 };

static int64_t
dim_of(const struct sn_type *t, int axis)
{
	int64_t d = -1;
	return axis < t->rank && sn_get_int(t->dims[axis], &d) ? d : -1;
}

/* Axis of channels in the weights of N; for ConvTranspose within a group. */
static int
weights_axis(const struct sn_node *n)
{
	if (n->op == GR_CONV)
		return 0;
	if (n->op == GR_CONV_TRANSPOSE)
		return 1;
	return sn_attrs(n, gemm)->transB ? 0 : 1;
}

static int64_t
ngroups(const struct sn_node *n)
{
	return n->op == GR_CONV_TRANSPOSE ? sn_attrs(n, conv_transpose)->group : 1;
}

static bool
is_linear(const struct sn_node *n)
{
	return n
	       && (n->op == GR_CONV || n->op == GR_CONV_TRANSPOSE
		   || (n->op == GR_GEMM && sn_attrs(n, gemm)->beta == 1));
}

static bool
has_one_reader(const struct sn_value *v)
{
	return v->uses && !v->uses->next && v->uses->node;
}

bool
sn_linear_of(const struct sn_value *v, struct sn_linear *out)
{
	struct sn_node *n = v ? v->def : NULL;
	if (!is_linear(n) || !has_one_reader(v) || !sn_value_is_const(sn_in(n, 1))
	    || !sn_is_float(sn_in(n, 1)->type.dtype))
		return false;
	if (sn_in(n, 2) && !sn_value_is_const(sn_in(n, 2)))
		return false;
	*out = (struct sn_linear){ n, sn_in(n, 1), sn_in(n, 2), 1, 0 };
	int64_t channels = dim_of(&out->weights->type, weights_axis(n)) * ngroups(n);
	if (channels <= 0 || channels > INT32_MAX || v->type.rank < 2)
		return false;
	out->channels = (int)channels;
	return true;
}

double *
sn_channel_values(const struct sn_value *v, const struct sn_type *t, int axis, int n,
		  struct sn_arena *scratch)
{
	if (!sn_value_is_const(v) || !sn_is_float(v->data->dtype) || v->type.rank > t->rank)
		return NULL;
	int skipped = t->rank - v->type.rank;
	int64_t count = 1;
	for (int i = 0; i < v->type.rank; i++) {
		int64_t d = dim_of(&v->type, i);
		if (d != 1 && (i + skipped != axis || d != n))
			return NULL;
		count *= d;
	}
	double *out = SN_NEW_ARRAY(scratch, (size_t)n, double);
	for (int i = 0; i < n; i++)
		out[i] = sn_data_get(v->data, count == 1 ? 0 : (size_t)i).f;
	return out;
}

const struct sn_data *
sn_data_doubles(struct sn_arena *a, enum sn_dtype t, const double *v, size_t n)
{
	bool is_uniform = n > 0;
	for (size_t i = 1; i < n; i++)
		is_uniform &= v[i] == v[0] && signbit(v[i]) == signbit(v[0]);
	if (is_uniform)
		return sn_data_splat(a, t, n, (union sn_num){ .f = v[0] });
	void *bytes;
	struct sn_data *d = sn_data_new(a, t, n, &bytes);
	for (size_t i = 0; i < n; i++)
		sn_dtype_store(t, bytes, i, (union sn_num){ .f = v[i] });
	return d;
}

/* Runs of INNER elements have one channel; ALONG runs follow each other through the channels of
 * a group, which has GROUP such rounds. */
struct channel_map {
	size_t inner, along, group;
};

static struct channel_map
map_channels(const struct sn_linear *l)
{
	const struct sn_type *t = &l->weights->type;
	int axis = weights_axis(l->node);
	struct channel_map m = { 1, (size_t)dim_of(t, axis), SIZE_MAX };
	for (int i = axis + 1; i < t->rank; i++)
		m.inner *= (size_t)dim_of(t, i);
	if (l->node->op == GR_CONV_TRANSPOSE)
		m.group = (size_t)dim_of(t, 0) / (size_t)ngroups(l->node);
	return m;
}

/* N elements times X; nearly all weights are f32, so theirs is a loop of its own. */
static void
scale_run_f32(const char *from, size_t step, char *to, size_t n, double x)
{
	for (size_t i = 0; i < n; i++) {
		float f;
		memcpy(&f, from + i * step, sizeof(f));
		f = (float)((double)f * x);
		memcpy(to + i * sizeof(f), &f, sizeof(f));
	}
}

/* N elements from number START on, times X. */
static void
scale_run(const struct sn_data *from, void *bytes, size_t start, size_t n, double x)
{
	if (from->dtype == DT_F32) {
		size_t size = sizeof(float), step = from->is_splat ? 0 : size;
		scale_run_f32((const char *)from->bytes + start * step, step,
			      (char *)bytes + start * size, n, x);
		return;
	}
	for (size_t i = start; i < start + n; i++) {
		union sn_num v = { .f = sn_data_get(from, i).f * x };
		sn_dtype_store(from->dtype, bytes, i, v);
	}
}

static struct sn_data *
scale_data(const struct sn_linear *l, const double *scale)
{
	const struct sn_data *from = l->weights->data;
	void *bytes;
	struct sn_data *to = sn_data_new(l->node->graph->arena, from->dtype, from->n, &bytes);
	struct channel_map m = map_channels(l);
	for (size_t run = 0; run * m.inner < from->n; run++) {
		size_t group = m.group == SIZE_MAX ? 0 : run / m.along / m.group;
		size_t channel = group * m.along + run % m.along;
		scale_run(from, bytes, run * m.inner, m.inner, scale[channel]);
	}
	return to;
}

static bool
is_uniform(const double *v, int n)
{
	for (int i = 1; i < n; i++)
		if (v[i] != v[0])
			return false;
	return true;
}

/* A constant in place of OLD, with its name if it can be had. */
static struct sn_value *
successor(struct sn_graph *g, struct sn_value *old, const struct sn_type *t,
	  const struct sn_data *d)
{
	const char *name = old->name;
	if (has_one_reader(old) && sn_map_get(&g->names, name) == old)
		sn_value_rename(g, old, NULL);
	return sn_graph_add_const(g, name, t, d);
}

static struct sn_value *
scale_weights(const struct sn_linear *l, const double *scale)
{
	struct sn_graph *g = l->node->graph;
	struct sn_value *w = l->weights;
	const struct sn_data *from = w->data;
	enum sn_dtype t = from->dtype;
	bool stays_splat = from->is_splat && is_uniform(scale, l->channels);
	if (stays_splat) {
		double x = sn_data_get(from, 0).f * scale[0];
		return successor(g, w, &w->type,
				 sn_data_splat(g->arena, t, from->n, (union sn_num){ .f = x }));
	}
	if (from->n > SMALL && (from->is_splat || !has_one_reader(w)))
		return NULL;
	return successor(g, w, &w->type, scale_data(l, scale));
}

/* NULL if the bias is not by channel. */
static struct sn_value *
make_bias(const struct sn_linear *l, const double *scale, const double *shift)
{
	struct sn_graph *g = l->node->graph;
	const struct sn_type *result = &l->node->out[0]->type;
	/* a Gemm's bias broadcasts to the result, a convolution's is one number per channel */
	struct sn_type t = { .kind = TY_TENSOR, .dtype = result->dtype, .rank = 1 };
	t.dims[0] = sn_int(g->pool, l->channels);
	const struct sn_type *full = l->node->op == GR_GEMM ? result : &t;
	double *b = l->bias ? sn_channel_values(l->bias, full, full->rank - 1, l->channels,
						g->arena)
			    : SN_NEW_ARRAY(g->arena, (size_t)l->channels, double);
	if (!b)
		return NULL;
	for (int i = 0; i < l->channels; i++)
		b[i] = b[i] * (scale ? scale[i] : 1) + (shift ? shift[i] : 0);
	const struct sn_data *d = sn_data_doubles(g->arena, t.dtype, b, (size_t)l->channels);
	if (l->bias)
		return successor(g, l->bias, &t, d);
	const char *name = sn_printf(g->arena, "%s_bias", l->node->out[0]->name);
	return sn_graph_add_const(g, name, &t, d);
}

struct sn_node *
sn_linear_fold(const struct sn_linear *l, const double *scale, const double *shift,
	       struct sn_node *before)
{
	struct sn_node *old = l->node;
	bool has_bias = l->bias || shift;
	struct sn_value *b = has_bias ? make_bias(l, scale, shift) : NULL;
	struct sn_value *w = scale ? scale_weights(l, scale) : l->weights;
	if (!w || (has_bias && !b))
		return NULL;
	struct sn_value *in[] = { old->in[0].value, w, b };
	const struct sn_origin *origin = sn_origin_join(old->graph->arena, old->origin,
							before->origin);
	struct sn_node *n = sn_node_new_before(before, old->op, in, b ? 3 : 2, 1, origin);
	n->attrs = old->attrs;
	n->out[0]->type = old->out[0]->type;
	return n;
}
