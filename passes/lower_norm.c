/*
 * Lowering of normalisations: kernels of several stages over shared axes.
 *
 * The shared axes are those that statistics are taken for; they come first in
 * every stage.  Mean and variance take two passes over the data.
 */
#include "passes/lower_math.h"

/* ---- the frame: a tensor, its shared and its other axes --------------------------------------- */

struct frame {
	struct sn_tensor *x;
	unsigned mask; /* axes of x that statistics run over */
	int nshared;
	const struct sn_axis *shared[SN_MAX_RANK];
	const struct sn_expr *dims[SN_MAX_RANK]; /* extents of the shared ones */
	enum sn_dtype type;			 /* what is computed in */
};

static void
frame_init(struct sn_lower *c, struct frame *f, struct sn_tensor *x, unsigned mask)
{
	*f = (struct frame){ .x = x, .mask = mask, .type = sn_lower_compute_type(x->type.dtype) };
	for (int i = 0; i < x->type.rank; i++) {
		if (mask >> i & 1)
			continue;
		f->dims[f->nshared] = x->type.dims[i];
		f->shared[f->nshared++] = sn_axis_new(c->pool, sn_printf(c->arena, "i%d", i),
						      x->type.dims[i]);
	}
	c->kernel->nshared = f->nshared;
}

/* A stage with one value for each point of the shared axes; *out_x is the element of x at its
 * reduction axes. */
static struct sn_comp *
stat_stage(struct sn_lower *c, struct frame *f, sn_ex *out_x)
{
	struct sn_comp *m = sn_lower_stage(c, f->shared, f->nshared);
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0, j = 0; i < f->x->type.rank; i++)
		idx[i] = f->mask >> i & 1 ? sn_lower_red(c, m, sn_printf(c->arena, "r%d", i),
							 f->x->type.dims[i])
					  : AXIS(m, j++);
	*out_x = CAST(f->type, sn_lower_read(c, f->x, idx));
	return m;
}

/* A stage over all of x: shared axes, then the others; IDX are the indices in x's own order. */
static struct sn_comp *
map_stage(struct sn_lower *c, struct frame *f, sn_ex *idx, sn_ex *out_x)
{
	struct sn_comp *m = sn_lower_stage(c, f->shared, f->nshared);
	for (int i = 0, j = 0; i < f->x->type.rank; i++) {
		if (f->mask >> i & 1) {
			m->axes[m->naxes] = sn_axis_new(c->pool, sn_printf(c->arena, "i%d", i),
							f->x->type.dims[i]);
			idx[i] = AXIS(m, m->naxes++);
		} else {
			idx[i] = AXIS(m, j++);
		}
	}
	*out_x = CAST(f->type, sn_lower_read(c, f->x, idx));
	return m;
}

static void
store_map(struct sn_lower *c, struct sn_comp *m, sn_ex *idx, struct sn_tensor *y, sn_ex value)
{
	sn_lower_store_at(m, y, idx, CAST(y->type.dtype, value));
}

static struct sn_tensor *
stat_temp(struct sn_lower *c, struct frame *f, const char *name)
{
	return sn_lower_temp(c, name, f->type, f->nshared, f->dims);
}

/* The temp's value at the shared axes of M. */
static sn_ex
stat(struct sn_lower *c, struct frame *f, struct sn_comp *m, struct sn_tensor *t)
{
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0; i < f->nshared; i++)
		idx[i] = AXIS(m, i);
	return sn_lower_read(c, t, idx);
}

static sn_ex
count_of(struct sn_lower *c, struct frame *f)
{
	sn_ex n = INT(1);
	for (int i = 0; i < f->x->type.rank; i++)
		if (f->mask >> i & 1)
			n = MUL(n, f->x->type.dims[i]);
	return CAST(f->type, n);
}

/* A statistic that the model wants as a result as well: x's rank, ones for the reduced axes. */
static void
store_stat_result(struct sn_lower *c, struct frame *f, struct sn_comp *m, struct sn_tensor *y,
		  sn_ex value)
{
	sn_ex idx[SN_MAX_RANK];
	if (!y)
		return;
	for (int i = 0, j = 0; i < f->x->type.rank; i++)
		idx[i] = f->mask >> i & 1 ? INT(0) : AXIS(m, j++);
	sn_lower_store_at(m, y, idx, CAST(y->type.dtype, value));
}

/* ---- softmax ---------------------------------------------------------------------------------- */

/* The axis as a mask. */
static unsigned
axis_mask(int64_t axis, int rank)
{
	return 1u << (axis < 0 ? axis + rank : axis);
}

/* m = max(x) */
static struct sn_tensor *
max_stage(struct sn_lower *c, struct frame *f)
{
	struct sn_tensor *max = stat_temp(c, f, "max");
	sn_ex e;
	struct sn_comp *m = stat_stage(c, f, &e);
	STORE(m, max, sn_lower_reduce(c, m, "max", e));
	return max;
}

/* m = max(x); e = exp(x - m); s = sum(e); y = e / s */
bool
sn_lower_softmax(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct frame f, g;
	sn_ex e, idx[SN_MAX_RANK];
	frame_init(c, &f, x, axis_mask(sn_attrs(c->node, axis)->axis, x->type.rank));
	struct sn_tensor *max = max_stage(c, &f), *sum = stat_temp(c, &f, "sum");

	/* e lies with the shared axes first, as its readers go through it */
	struct sn_comp *m = map_stage(c, &f, idx, &e);
	sn_ex dims[SN_MAX_RANK];
	for (int i = 0; i < m->naxes; i++)
		dims[i] = m->axes[i]->extent;
	struct sn_tensor *exps = sn_lower_temp(c, "exp", f.type, m->naxes, dims);
	STORE(m, exps, EXP(SUB(e, stat(c, &f, m, max))));

	g = f;
	g.x = exps;
	g.mask = 1u << f.nshared;
	m = stat_stage(c, &g, &e);
	STORE(m, sum, sn_lower_reduce(c, m, "sum", e));

	m = map_stage(c, &f, idx, &e);
	e = sn_lower_broadcast_read(c, m, exps);
	store_map(c, m, idx, y, DIV(e, stat(c, &f, m, sum)));
	return true;
}

/* m = max(x); s = log(sum(exp(x - m))); y = x - m - s */
void
sn_lower_log_softmax_of(struct sn_lower *c, struct sn_tensor *x, int64_t axis, struct sn_tensor *y)
{
	struct frame f;
	sn_ex e, idx[SN_MAX_RANK];
	frame_init(c, &f, x, axis_mask(axis, x->type.rank));
	struct sn_tensor *max = max_stage(c, &f), *sum = stat_temp(c, &f, "sum");
	struct sn_comp *m = stat_stage(c, &f, &e);
	e = EXP(SUB(e, stat(c, &f, m, max)));
	STORE(m, sum, LOG(sn_lower_reduce(c, m, "sum", e)));
	m = map_stage(c, &f, idx, &e);
	e = SUB(SUB(e, stat(c, &f, m, max)), stat(c, &f, m, sum));
	store_map(c, m, idx, y, e);
}

bool
sn_lower_log_softmax(struct sn_lower *c)
{
	int64_t axis = sn_attrs(c->node, axis)->axis;
	sn_lower_log_softmax_of(c, sn_lower_in(c, 0), axis, sn_lower_out(c, 0));
	return true;
}

/* One where the first largest element is, else zero. */
bool
sn_lower_hardmax(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct frame f;
	sn_ex e, idx[SN_MAX_RANK];
	int64_t axis = sn_attrs(c->node, axis)->axis;
	axis += axis < 0 ? x->type.rank : 0;
	frame_init(c, &f, x, 1u << axis);
	struct sn_tensor *at = sn_lower_temp(c, "at", DT_I64, f.nshared, f.dims);
	struct sn_comp *m = stat_stage(c, &f, &e);
	sn_lower_reduce(c, m, "argmax", e);
	m->args[1] = sn_axis_expr(c->pool, m->red[0]);
	STORE(m, at, sn_state(c->pool, DT_I64, 1));
	m = map_stage(c, &f, idx, &e);
	store_map(c, m, idx, y, SEL(EQ(idx[axis], stat(c, &f, m, at)), LIKE(e, 1), LIKE(e, 0)));
	return true;
}

/* ---- mean and deviation ----------------------------------------------------------------------- */

/* mean = sum(x) / n */
static struct sn_tensor *
mean_stage(struct sn_lower *c, struct frame *f, struct sn_tensor *result)
{
	struct sn_tensor *mean = stat_temp(c, f, "mean");
	sn_ex e;
	struct sn_comp *m = stat_stage(c, f, &e);
	e = DIV(sn_lower_reduce(c, m, "sum", e), count_of(c, f));
	STORE(m, mean, e);
	store_stat_result(c, f, m, result, e);
	return mean;
}

/* var = sum((x - mean)^2) / n; MEAN NULL: zero. */
static struct sn_comp *
variance_stage(struct sn_lower *c, struct frame *f, struct sn_tensor *mean, sn_ex *out)
{
	sn_ex e;
	struct sn_comp *m = stat_stage(c, f, &e);
	sn_ex d = mean ? SUB(e, stat(c, f, m, mean)) : e;
	*out = DIV(sn_lower_reduce(c, m, "sum", MUL(d, d)), count_of(c, f));
	return m;
}

/* inv = 1 / sqrt(var + epsilon) */
static struct sn_tensor *
inverse_stage(struct sn_lower *c, struct frame *f, struct sn_tensor *mean, float epsilon,
	      struct sn_tensor *result)
{
	struct sn_tensor *inv = stat_temp(c, f, "inv");
	sn_ex var;
	struct sn_comp *m = variance_stage(c, f, mean, &var);
	sn_ex e = DIV(LIKE(var, 1), SQRT(ADD(var, LIKE(var, epsilon))));
	STORE(m, inv, e);
	store_stat_result(c, f, m, result, e);
	return inv;
}

/* Operand I, which broadcasts to x, at index IDX of x; NULL if absent. */
static sn_ex
parameter(struct sn_lower *c, struct frame *f, int i, const sn_ex *idx)
{
	struct sn_tensor *t = sn_lower_in(c, i);
	sn_ex at[SN_MAX_RANK];
	if (!t)
		return NULL;
	int skip = f->x->type.rank - t->type.rank;
	for (int d = 0; d < t->type.rank; d++)
		at[d] = sn_lower_broadcast_index(c, idx[d + skip], f->x->type.dims[d + skip],
						 t->type.dims[d]);
	return CAST(f->type, sn_lower_read(c, t, at));
}

/* Element CHANNEL of operand I. */
static sn_ex
channel_parameter(struct sn_lower *c, struct frame *f, int i, sn_ex channel)
{
	return CAST(f->type, sn_lower_read(c, sn_lower_in(c, i), &channel));
}

static unsigned
tail_mask(int first, int rank)
{
	return ((1u << rank) - 1) & ~((1u << first) - 1);
}

/* y = (x - mean) * inv * scale + bias over the axes from AXIS on. */
static bool
tail_norm(struct sn_lower *c, bool is_centred)
{
	const struct sn_attrs_norm *at = sn_attrs(c->node, norm);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0), *mean = NULL;
	int axis = (int)(at->axis < 0 ? at->axis + x->type.rank : at->axis);
	struct frame f;
	sn_ex e, idx[SN_MAX_RANK];
	frame_init(c, &f, x, tail_mask(axis, x->type.rank));
	if (is_centred)
		mean = mean_stage(c, &f, sn_lower_out(c, 1));
	struct sn_tensor *inv = inverse_stage(c, &f, mean, at->epsilon, sn_lower_out(c, 2));
	struct sn_comp *m = map_stage(c, &f, idx, &e);
	e = MUL(mean ? SUB(e, stat(c, &f, m, mean)) : e, stat(c, &f, m, inv));
	e = MUL(e, parameter(c, &f, 1, idx));
	sn_ex bias = parameter(c, &f, 2, idx);
	store_map(c, m, idx, y, bias ? ADD(e, bias) : e);
	return true;
}

bool
sn_lower_layer_norm(struct sn_lower *c)
{
	return tail_norm(c, true);
}

bool
sn_lower_rms_norm(struct sn_lower *c)
{
	return tail_norm(c, false);
}

bool
sn_lower_instance_norm(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct frame f;
	sn_ex e, idx[SN_MAX_RANK];
	frame_init(c, &f, x, tail_mask(2, x->type.rank));
	struct sn_tensor *mean = mean_stage(c, &f, NULL);
	struct sn_tensor *inv = inverse_stage(c, &f, mean, sn_attrs(c->node, epsilon)->epsilon,
					      NULL);
	struct sn_comp *m = map_stage(c, &f, idx, &e);
	e = MUL(SUB(e, stat(c, &f, m, mean)), stat(c, &f, m, inv));
	e = MUL(e, channel_parameter(c, &f, 1, idx[1]));
	store_map(c, m, idx, y, ADD(e, channel_parameter(c, &f, 2, idx[1])));
	return true;
}

/* (x - mean) / (deviation + 1e-9) over the given axes. */
bool
sn_lower_mean_variance_norm(struct sn_lower *c)
{
	struct sn_ints axes = sn_attrs(c->node, mean_variance)->axes;
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	unsigned mask = 0;
	struct frame f;
	sn_ex e, var, idx[SN_MAX_RANK];
	for (int i = 0; i < axes.n; i++) {
		int axis;
		if (!sn_shape_axis(axes.v[i], x->type.rank, &axis))
			return sn_lower_refuse(c, "an axis outside the data");
		mask |= 1u << axis;
	}
	frame_init(c, &f, x, mask);
	struct sn_tensor *mean = mean_stage(c, &f, NULL), *dev = stat_temp(c, &f, "dev");
	struct sn_comp *m = variance_stage(c, &f, mean, &var);
	STORE(m, dev, ADD(SQRT(var), LIKE(var, 1e-9)));
	m = map_stage(c, &f, idx, &e);
	e = DIV(SUB(e, stat(c, &f, m, mean)), stat(c, &f, m, dev));
	store_map(c, m, idx, y, e);
	return true;
}

/* x / norm, and 0 where the norm is. */
bool
sn_lower_lp_norm(struct sn_lower *c)
{
	const struct sn_attrs_lp_norm *at = sn_attrs(c->node, lp_norm);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct frame f;
	sn_ex e, idx[SN_MAX_RANK];
	frame_init(c, &f, x, axis_mask(at->axis, x->type.rank));
	struct sn_tensor *norm = stat_temp(c, &f, "norm");
	struct sn_comp *m = stat_stage(c, &f, &e);
	e = sn_lower_reduce(c, m, "sum", at->p == 1 ? ABS(e) : MUL(e, e));
	STORE(m, norm, at->p == 1 ? e : SQRT(e));
	m = map_stage(c, &f, idx, &e);
	sn_ex d = stat(c, &f, m, norm);
	store_map(c, m, idx, y, SEL(EQ(d, LIKE(d, 0)), LIKE(d, 0), DIV(e, d)));
	return true;
}
