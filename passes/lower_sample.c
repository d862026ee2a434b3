/*
 * Lowering of GridSample, elements at coordinates that are data; of AffineGrid,
 * which makes such coordinates; and of the windows of signal processing.
 *
 * A coordinate in -1..1 becomes a place on its axis; the elements around are
 * weighted, the weights of the axes multiply.  What lies outside is zero, the
 * nearest element, or a reflection.
 */
#include <math.h>
#include <string.h>
#include "passes/lower_math.h"

enum { MAX_TAPS = 4 };

struct axis {
	sn_ex n;      /* extent */
	sn_ex lo, hi; /* borders, f32 */
	sn_ex at;     /* the place, f32 */
	int ntaps;
	sn_ex idx[MAX_TAPS], weight[MAX_TAPS];
};

/* X brought back by reflecting at both borders. */
static sn_ex
reflected(struct sn_lower *c, const struct axis *a, sn_ex x)
{
	sn_ex range = SUB(a->hi, a->lo), twice = ADD(range, range);
	sn_ex t = MOD(SUB(x, a->lo), twice);
	sn_ex y = ADD(a->lo, MIN(t, SUB(twice, t)));
	return SEL(LT(LIKE(x, 0), range), y, LIKE(x, 0));
}

static sn_ex
clamped(struct sn_lower *c, sn_ex i, sn_ex n)
{
	return sn_shape_max(c->pool, sn_shape_min(c->pool, i, sn_addk(c->pool, n, -1)), INT(0));
}

/* An index that may lie outside, as the padding mode has it; zeros are the read's matter. */
static sn_ex
padded(struct sn_lower *c, const struct axis *a, sn_ex i)
{
	const char *mode = sn_attrs(c->node, grid_sample)->padding_mode;
	if (strcmp(mode, "zeros") == 0)
		return i;
	if (strcmp(mode, "reflection") == 0)
		i = CAST(DT_I64, reflected(c, a, CAST(DT_F32, i)));
	return clamped(c, i, a->n);
}

/* The place that coordinate V means. */
static void
locate(struct sn_lower *c, struct axis *a, sn_ex v)
{
	const struct sn_attrs_grid_sample *at = sn_attrs(c->node, grid_sample);
	sn_ex n = CAST(DT_F32, a->n), one = LIKE(v, 1), half = LIKE(v, .5);
	a->lo = at->align_corners ? LIKE(v, 0) : LIKE(v, -.5);
	a->hi = at->align_corners ? SUB(n, one) : SUB(n, half);
	sn_ex x = at->align_corners ? MUL(MUL(ADD(v, one), half), SUB(n, one))
				    : MUL(SUB(MUL(ADD(v, one), n), one), half);
	if (strcmp(at->mode, "nearest") == 0)
		x = RINT(x);
	sn_ex is_out = OR(LT(x, a->lo), LT(a->hi, x));
	if (strcmp(at->padding_mode, "border") == 0)
		x = SEL(is_out, MIN(MAX(x, LIKE(x, 0)), SUB(n, one)), x);
	else if (strcmp(at->padding_mode, "reflection") == 0)
		x = SEL(is_out, reflected(c, a, x), x);
	a->at = x;
}

static void
find_taps(struct sn_lower *c, struct axis *a)
{
	const char *mode = sn_attrs(c->node, grid_sample)->mode;
	bool is_cubic = strcmp(mode, "cubic") == 0;
	if (strcmp(mode, "nearest") == 0) {
		a->ntaps = 1;
		a->weight[0] = NULL;
		a->idx[0] = padded(c, a, CAST(DT_I64, a->at));
		return;
	}
	sn_ex low = FLOOR(a->at), part = SUB(a->at, low), base = CAST(DT_I64, low);
	a->ntaps = is_cubic ? 4 : 2;
	for (int i = 0; i < a->ntaps; i++)
		a->idx[i] = padded(c, a, sn_addk(c->pool, base, is_cubic ? i - 1 : i));
	if (is_cubic) {
		sn_lower_cubic_weights(c, part, -.75, a->weight);
	} else {
		a->weight[0] = SUB(LIKE(part, 1), part);
		a->weight[1] = part;
	}
}

/* The weighted sum over the taps of spatial axis S and on. */
static sn_ex
tap_sum(struct sn_lower *c, struct sn_tensor *x, const struct axis *axes, int s, sn_ex *idx)
{
	if (s == x->type.rank - 2) {
		bool is_zero = strcmp(sn_attrs(c->node, grid_sample)->padding_mode, "zeros") == 0;
		return sn_read(c->pool, x, idx, x->type.rank,
			       is_zero ? sn_float(c->pool, x->type.dtype, 0) : NULL);
	}
	sn_ex sum = NULL;
	for (int i = 0; i < axes[s].ntaps; i++) {
		idx[s + 2] = axes[s].idx[i];
		sn_ex e = tap_sum(c, x, axes, s + 1, idx);
		if (axes[s].weight[i])
			e = MUL(CAST(DT_F32, e), axes[s].weight[i]);
		sum = sum ? ADD(sum, e) : e;
	}
	return sum;
}

bool
sn_lower_grid_sample(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *grid = sn_lower_in(c, 1), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	struct axis axes[SN_MAX_RANK];
	sn_ex idx[SN_MAX_RANK], at[SN_MAX_RANK];
	int nspatial = x->type.rank - 2;
	if (nspatial > 4)
		return sn_lower_refuse(c, "sampling over more than four axes");
	idx[0] = at[0] = AXIS(m, 0);
	idx[1] = AXIS(m, 1);
	for (int s = 0; s < nspatial; s++)
		at[s + 1] = AXIS(m, s + 2);
	for (int s = 0; s < nspatial; s++) {
		/* coordinates are listed from the last axis to the first */
		at[nspatial + 1] = INT(nspatial - 1 - s);
		axes[s].n = x->type.dims[s + 2];
		locate(c, &axes[s], CAST(DT_F32, sn_lower_read(c, grid, at)));
		find_taps(c, &axes[s]);
	}
	STORE(m, y, tap_sum(c, x, axes, 0, idx));
	return true;
}

/* ---- coordinates ------------------------------------------------------------------------------ */

/* Place I of N in -1..1: the centres of elements, or from the first to the last. */
static sn_ex
normalised(struct sn_lower *c, sn_ex i, sn_ex n)
{
	sn_ex x = CAST(DT_F32, i), one = LIKE(x, 1), two = LIKE(x, 2);
	if (!sn_attrs(c->node, affine_grid)->align_corners)
		return SUB(DIV(ADD(MUL(x, two), one), CAST(DT_F32, n)), one);
	sn_ex steps = sn_shape_max(c->pool, sn_addk(c->pool, n, -1), INT(1));
	return SUB(DIV(MUL(x, two), CAST(DT_F32, steps)), one);
}

/* grid[n, ..., k] = theta[n, k, :] * (x, y, [z,] 1) */
bool
sn_lower_affine_grid(struct sn_lower *c)
{
	struct sn_tensor *theta = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	int nspatial = y->type.rank - 2;
	sn_ex idx[3] = { AXIS(m, 0), AXIS(m, nspatial + 1), INT(nspatial) };
	sn_ex sum = sn_lower_widen(c, sn_lower_read(c, theta, idx));
	for (int i = 0; i < nspatial; i++) {
		int axis = nspatial - i; /* x runs along the last */
		idx[2] = INT(i);
		sn_ex at = normalised(c, AXIS(m, axis), y->type.dims[axis]);
		sn_ex factor = sn_lower_widen(c, sn_lower_read(c, theta, idx));
		sum = ADD(sum, MUL(factor, CAST((enum sn_dtype)factor->dtype, at)));
	}
	STORE(m, y, sum);
	return true;
}

/* ---- windows ---------------------------------------------------------------------------------- */

/* a - b cos(2 pi i / n) + d cos(4 pi i / n), n one less if the window is not periodic. */
static bool
cosine_window(struct sn_lower *c, double a, double b, double d)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	enum sn_dtype t = sn_lower_compute_type(y->type.dtype);
	sn_ex n = y->type.dims[0];
	if (!sn_attrs(c->node, window)->periodic)
		n = sn_shape_max(c->pool, sn_addk(c->pool, n, -1), INT(1));
	sn_ex x = CAST(t, AXIS(m, 0));
	x = DIV(MUL(x, LIKE(x, 2 * acos(-1))), CAST(t, n));
	sn_ex e = SUB(LIKE(x, a), MUL(LIKE(x, b), sn_op1(c->pool, OP_COS, x)));
	if (d != 0)
		e = ADD(e, MUL(LIKE(x, d), sn_op1(c->pool, OP_COS, MUL(LIKE(x, 2), x))));
	STORE(m, y, e);
	return true;
}

bool
sn_lower_hann_window(struct sn_lower *c)
{
	return cosine_window(c, .5, .5, 0);
}

bool
sn_lower_hamming_window(struct sn_lower *c)
{
	return cosine_window(c, 25. / 46, 21. / 46, 0);
}

bool
sn_lower_blackman_window(struct sn_lower *c)
{
	return cosine_window(c, .42, .5, .08);
}
