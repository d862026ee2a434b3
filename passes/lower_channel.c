/*
 * Lowering of normalisations with parameters for each channel: batch norm,
 * group norm, local response normalisation.
 */
#include "passes/lower_math.h"

/* ---- batch norm ------------------------------------------------------------------------------- */

/* Element CHANNEL of operand or tensor T, in type TYPE. */
static sn_ex
at_channel(struct sn_lower *c, enum sn_dtype type, struct sn_tensor *t, sn_ex channel)
{
	return CAST(type, sn_lower_read(c, t, &channel));
}

/* A comprehension over the channels of x, with reduction axes for all others. */
static struct sn_comp *
channel_stage(struct sn_lower *c, struct sn_tensor *x, enum sn_dtype type, sn_ex *out_x)
{
	struct sn_type channels = { .rank = 1, .dims = { x->type.dims[1] } };
	struct sn_comp *m = sn_lower_comp(c, &channels);
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = i == 1 ? AXIS(m, 0)
				: sn_lower_red(c, m, sn_printf(c->arena, "r%d", i),
					       x->type.dims[i]);
	*out_x = CAST(type, sn_lower_read(c, x, idx));
	return m;
}

/* The mean of E over the reduction axes of M. */
static sn_ex
mean_of(struct sn_lower *c, struct sn_comp *m, sn_ex e)
{
	sn_ex n = INT(1);
	for (int i = 0; i < m->nred; i++)
		n = MUL(n, m->red[i]->extent);
	return DIV(sn_lower_reduce(c, m, "sum", e), CAST((enum sn_dtype)e->dtype, n));
}

/* old * momentum + now * (1 - momentum), for the running statistics. */
static void
store_running(struct sn_lower *c, struct sn_comp *m, int operand, int result, sn_ex now)
{
	double momentum = sn_attrs(c->node, batch_norm)->momentum;
	struct sn_tensor *y = sn_lower_out(c, result);
	if (!y)
		return;
	sn_ex old = at_channel(c, (enum sn_dtype)now->dtype, sn_lower_in(c, operand), AXIS(m, 0));
	STORE(m, y, ADD(MUL(old, LIKE(now, momentum)), MUL(now, LIKE(now, 1 - momentum))));
}

/* Statistics of this batch in place of operands 3 and 4. */
static void
batch_statistics(struct sn_lower *c, struct sn_tensor *x, enum sn_dtype t,
		 struct sn_tensor **out_mean, struct sn_tensor **out_var)
{
	sn_ex e;
	*out_mean = sn_lower_temp(c, "mean", t, 1, &x->type.dims[1]);
	*out_var = sn_lower_temp(c, "var", t, 1, &x->type.dims[1]);
	struct sn_comp *m = channel_stage(c, x, t, &e);
	e = mean_of(c, m, e);
	STORE(m, *out_mean, e);
	store_running(c, m, 3, 1, e);
	m = channel_stage(c, x, t, &e);
	e = SUB(e, at_channel(c, t, *out_mean, AXIS(m, 0)));
	e = mean_of(c, m, MUL(e, e));
	STORE(m, *out_var, e);
	store_running(c, m, 4, 2, e);
}

/* y = (x - mean) * (scale / sqrt(var + epsilon)) + bias */
bool
sn_lower_batch_norm(struct sn_lower *c)
{
	const struct sn_attrs_batch_norm *at = sn_attrs(c->node, batch_norm);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_tensor *mean = sn_lower_in(c, 3), *var = sn_lower_in(c, 4);
	enum sn_dtype t = sn_lower_compute_type(x->type.dtype);
	if (x->type.rank < 2 && at->training_mode)
		return sn_lower_refuse(c, "training mode without channels");
	if (at->training_mode)
		batch_statistics(c, x, t, &mean, &var);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex ch = x->type.rank > 1 ? AXIS(m, 1) : INT(0);
	sn_ex e = CAST(t, sn_lower_broadcast_read(c, m, x));
	sn_ex dev = at_channel(c, t, var, ch);
	dev = SQRT(ADD(dev, LIKE(dev, at->epsilon)));
	sn_ex factor = DIV(at_channel(c, t, sn_lower_in(c, 1), ch), dev);
	e = MUL(SUB(e, at_channel(c, t, mean, ch)), factor);
	STORE(m, y, ADD(e, at_channel(c, t, sn_lower_in(c, 2), ch)));
	return true;
}

/* ---- group norm ------------------------------------------------------------------------------- */

/* What the stages of a group norm work on: sums of each channel first, then of the channels of its
 * group, so that vectors can run along channels (in blocks) as well as along rows. */
struct groups {
	struct sn_tensor *x;
	const struct sn_axis *image;
	sn_ex dims[2]; /* images, channels */
	sn_ex per_group, count;
	enum sn_dtype type;
};

/* A stage over all channels of an image. */
static struct sn_comp *
group_stage(struct sn_lower *c, const struct groups *g)
{
	struct sn_comp *m = sn_lower_stage(c, &g->image, 1);
	m->axes[m->naxes++] = sn_axis_new(c->pool, "i1", g->dims[1]);
	return m;
}

/* The sum of each channel of x, or of its squared distances from MEAN if that is not NULL. */
static struct sn_tensor *
channel_sums(struct sn_lower *c, const struct groups *g, struct sn_tensor *mean, const char *name)
{
	struct sn_tensor *sums = sn_lower_temp(c, name, g->type, 2, g->dims);
	struct sn_comp *m = group_stage(c, g);
	sn_ex idx[SN_MAX_RANK] = { AXIS(m, 0), AXIS(m, 1) };
	for (int i = 2; i < g->x->type.rank; i++)
		idx[i] = sn_lower_red(c, m, sn_printf(c->arena, "r%d", i), g->x->type.dims[i]);
	sn_ex e = CAST(g->type, sn_lower_read(c, g->x, idx));
	if (mean) {
		e = SUB(e, sn_lower_read(c, mean, idx));
		e = MUL(e, e);
	}
	STORE(m, sums, m->nred ? sn_lower_reduce(c, m, "sum", e) : e);
	return sums;
}

/* For each channel, the mean over its group that SUMS make; *out_m is the stage, which stores it. */
static sn_ex
group_mean(struct sn_lower *c, const struct groups *g, struct sn_tensor *sums,
	   struct sn_comp **out_m)
{
	struct sn_comp *m = *out_m = group_stage(c, g);
	sn_ex first = MUL(sn_op2(c->pool, OP_FLOORDIV, AXIS(m, 1), g->per_group), g->per_group);
	sn_ex idx[2] = { AXIS(m, 0), ADD(first, sn_lower_red(c, m, "r1", g->per_group)) };
	return DIV(sn_lower_reduce(c, m, "sum", sn_lower_read(c, sums, idx)),
		   CAST(g->type, g->count));
}

/* y = (x - mean) * inv * scale[c] + bias[c] */
static void
group_map(struct sn_lower *c, const struct groups *g, struct sn_tensor *mean, struct sn_tensor *inv)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = group_stage(c, g);
	sn_ex idx[SN_MAX_RANK] = { AXIS(m, 0), AXIS(m, 1) };
	for (int i = 2; i < y->type.rank; i++) {
		m->axes[m->naxes++] = sn_axis_new(c->pool, sn_printf(c->arena, "i%d", i),
						  y->type.dims[i]);
		idx[i] = AXIS(m, i);
	}
	sn_ex e = CAST(g->type, sn_lower_read(c, g->x, idx));
	e = MUL(SUB(e, sn_lower_read(c, mean, idx)), sn_lower_read(c, inv, idx));
	e = MUL(e, at_channel(c, g->type, sn_lower_in(c, 1), idx[1]));
	e = ADD(e, at_channel(c, g->type, sn_lower_in(c, 2), idx[1]));
	sn_lower_store_at(m, y, idx, CAST(y->type.dtype, e));
}

bool
sn_lower_group_norm(struct sn_lower *c)
{
	const struct sn_attrs_group_norm *at = sn_attrs(c->node, group_norm);
	struct sn_tensor *x = sn_lower_in(c, 0);
	struct groups g = { .x = x,
			    .type = sn_lower_compute_type(x->type.dtype),
			    .dims = { x->type.dims[0], x->type.dims[1] } };
	struct sn_comp *m;
	g.image = sn_axis_new(c->pool, "i0", g.dims[0]);
	g.count = g.per_group = sn_divk(c->pool, x->type.dims[1], at->num_groups);
	for (int i = 2; i < x->type.rank; i++)
		g.count = MUL(g.count, x->type.dims[i]);
	c->kernel->nshared = 1;
	struct sn_tensor *sums = channel_sums(c, &g, NULL, "sums");
	sn_ex e = group_mean(c, &g, sums, &m);
	struct sn_tensor *mean = sn_lower_temp(c, "mean", g.type, 2, g.dims);
	STORE(m, mean, e);
	sums = channel_sums(c, &g, mean, "squares");
	e = group_mean(c, &g, sums, &m);
	struct sn_tensor *inv = sn_lower_temp(c, "inv", g.type, 2, g.dims);
	STORE(m, inv, DIV(LIKE(e, 1), SQRT(ADD(e, LIKE(e, at->epsilon)))));
	group_map(c, &g, mean, inv);
	return true;
}

/* ---- local response --------------------------------------------------------------------------- */

/* y = x / (bias + alpha/size * sum of x^2 over SIZE channels around)^beta */
bool
sn_lower_lrn(struct sn_lower *c)
{
	const struct sn_attrs_lrn *at = sn_attrs(c->node, lrn);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	enum sn_dtype t = sn_lower_compute_type(x->type.dtype);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK], r = sn_lower_red(c, m, "r", INT(at->size));
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = AXIS(m, i);
	idx[1] = sn_addk(c->pool, ADD(idx[1], r), -((at->size - 1) / 2));
	sn_ex outside = sn_float(c->pool, x->type.dtype, 0);
	sn_ex e = CAST(t, sn_read(c->pool, x, idx, x->type.rank, outside));
	e = sn_lower_reduce(c, m, "sum", MUL(e, e));
	e = ADD(LIKE(e, at->bias), MUL(LIKE(e, (double)at->alpha / (double)at->size), e));
	e = DIV(CAST(t, sn_lower_broadcast_read(c, m, x)), POW(e, LIKE(e, at->beta)));
	STORE(m, y, e);
	return true;
}
