/*
 * Lowering of transposed convolutions.
 *
 * By phases: results that lie a stride apart meet the same places of the
 * kernel, so each residue of the result's indices is a convolution of its own,
 * with a part of the kernel and without a stride:
 *
 *	y[n, m, 2*h, 2*w] = sum(c) x[n, c, h, w] * k[c, m, 0, 0]
 *	y[n, m, 2*h, 2*w+1] = sum(c) x[n, c, h, w] * k[c, m, 0, 1]
 *	...
 *
 * Where that would be too many, or with dilations, the places are gathered:
 * place r of the kernel meets result o where o + pad - r*dilation is a multiple
 * of the stride.
 */
#include "ir/index.h"
#include "ir/params.h"
#include "passes/lower_math.h"

enum { MAX_PHASES = 16 };

struct transposed {
	struct sn_tensor *x, *w, *bias, *y;
	struct sn_window win[SN_MAX_RANK];
	int64_t group;
	int nspatial;
};

/* One axis of one phase: results stride*h + residue, places first + stride*t of the kernel, elements
 * h + shift - t of x. */
struct phase {
	int64_t residue, first, count, shift;
};

/* ---- what both forms share ---- */

/* Indices of x and w but for their spatial axes, which come from the caller; adds the reduction over
 * the channels. */
static void
channel_indices(struct sn_lower *c, struct sn_comp *m, const struct transposed *v, sn_ex *xi,
		sn_ex *wi)
{
	sn_ex channel = AXIS(m, 1), of_group = v->w->type.dims[1];
	sn_ex per_group = sn_divk(c->pool, v->x->type.dims[1], v->group);
	sn_ex ch = sn_lower_red(c, m, "c", per_group);

	xi[0] = AXIS(m, 0);
	xi[1] = v->group == 1 ? ch : ADD(MUL(FLOORDIV(channel, of_group), per_group), ch);
	wi[0] = xi[1];
	wi[1] = v->group == 1 ? channel : MOD(channel, of_group);
}

static sn_ex
with_bias(struct sn_lower *c, struct sn_comp *m, const struct transposed *v, sn_ex e)
{
	sn_ex channel = AXIS(m, 1);

	return v->bias ? ADD(e, sn_lower_widen(c, sn_lower_read(c, v->bias, &channel))) : e;
}

/* ---- gathered ---- */

/* Sets XI[2..] and WI[2..]; returns the condition for a place to meet the result, NULL: always. */
static sn_ex
gathered_index(struct sn_lower *c, struct sn_comp *m, const struct transposed *v, sn_ex *xi,
	       sn_ex *wi)
{
	sn_ex divides = NULL;

	for (int i = 0; i < v->nspatial; i++) {
		const struct sn_window *w = &v->win[i];
		wi[i + 2] = sn_lower_red(c, m, sn_printf(c->arena, "k%d", i), INT(w->kernel));
		sn_ex at = SUB(ADD(AXIS(m, i + 2), w->pad_lo),
			       sn_mulk(c->pool, wi[i + 2], w->dilation));

		xi[i + 2] = sn_divk(c->pool, at, w->stride);
		if (w->stride == 1)
			continue;
		sn_ex is_whole = EQ(sn_modk(c->pool, at, w->stride), INT(0));

		divides = divides ? AND(divides, is_whole) : is_whole;
	}
	return divides;
}

static void
lower_gathered(struct sn_lower *c, const struct transposed *v)
{
	struct sn_comp *m = sn_lower_comp(c, &v->y->type);
	sn_ex xi[SN_MAX_RANK], wi[SN_MAX_RANK];

	channel_indices(c, m, v, xi, wi);
	sn_ex divides = gathered_index(c, m, v, xi, wi);
	sn_ex outside = sn_float(c->pool, v->x->type.dtype, 0);
	sn_ex a = sn_lower_widen(c, sn_read(c->pool, v->x, xi, v->x->type.rank, outside));

	a = divides ? SEL(divides, a, LIKE(a, 0)) : a;
	sn_ex e = sn_lower_reduce(c, m, "sum",
				  MUL(a, sn_lower_widen(c, sn_lower_read(c, v->w, wi))));
	STORE(m, v->y, with_bias(c, m, v, e));
}

/* ---- by phases ---- */

/* How many phases there are; 0 if the places of a phase are not known numbers. */
static int64_t
count_phases(const struct transposed *v)
{
	int64_t n = 1, pad;

	for (int i = 0; i < v->nspatial; i++) {
		const struct sn_window *w = &v->win[i];

		if (w->stride > MAX_PHASES || !sn_get_int(w->pad_lo, &pad)
		    || (w->stride > 1 && w->dilation > 1) || pad < INT32_MIN || pad > INT32_MAX)
			return 0;
		n *= w->stride;
		if (n > MAX_PHASES)
			return 0;
	}
	return n;
}

/* The axes of phase NUMBER; false if some result has no place of the kernel to meet. */
static bool
find_phase(const struct transposed *v, int64_t number, struct phase *out)
{
	bool has_places = true;

	for (int i = v->nspatial - 1; i >= 0; i--) {
		const struct sn_window *w = &v->win[i];
		int64_t s = w->stride, pad, r = number % s;

		sn_get_int(w->pad_lo, &pad);
		int64_t first = ((r + pad) % s + s) % s;

		out[i] = (struct phase){ r, first, (w->kernel - first + s - 1) / s,
					 (r + pad - first) / s };
		has_places &= first < w->kernel;
		number /= s;
	}
	return has_places;
}

/* The sum over the places of a phase. */
static sn_ex
phase_sum(struct sn_lower *c, struct sn_comp *m, const struct transposed *v, const struct phase *ph)
{
	sn_ex xi[SN_MAX_RANK], wi[SN_MAX_RANK], outside = NULL;

	channel_indices(c, m, v, xi, wi);
	for (int i = 0; i < v->nspatial; i++) {
		const struct sn_window *w = &v->win[i];
		sn_ex t = INT(0);

		if (ph[i].count > 1)
			t = sn_lower_red(c, m, sn_printf(c->arena, "k%d", i), INT(ph[i].count));
		wi[i + 2] = sn_addk(c->pool, sn_mulk(c->pool, t, w->stride), ph[i].first);
		xi[i + 2] = SUB(sn_addk(c->pool, AXIS(m, i + 2), ph[i].shift),
				sn_mulk(c->pool, t, w->dilation));
		if (!sn_prove_le(c->pool, INT(0), xi[i + 2])
		    || !sn_prove_lt(c->pool, xi[i + 2], w->in))
			outside = sn_float(c->pool, v->x->type.dtype, 0);
	}
	sn_ex a = sn_lower_widen(c, sn_read(c->pool, v->x, xi, v->x->type.rank, outside));

	return sn_lower_reduce(c, m, "sum", MUL(a, sn_lower_widen(c, sn_lower_read(c, v->w, wi))));
}

static void
lower_phase(struct sn_lower *c, const struct transposed *v, int64_t number)
{
	struct phase ph[SN_MAX_RANK];
	struct sn_type t = v->y->type;
	sn_ex idx[SN_MAX_RANK];
	bool has_places = find_phase(v, number, ph);

	for (int i = 0; i < v->nspatial; i++) {
		int64_t s = v->win[i].stride;
		sn_ex rounded = sn_addk(c->pool, t.dims[i + 2], s - 1 - ph[i].residue);

		t.dims[i + 2] = sn_divk(c->pool, rounded, s);
		if (number > 0 && sn_is_int_const(t.dims[i + 2], 0))
			return;
	}
	struct sn_comp *m = sn_lower_comp(c, &t);

	for (int i = 0; i < t.rank; i++)
		idx[i] = AXIS(m, i);
	for (int i = 0; i < v->nspatial; i++)
		idx[i + 2] = sn_addk(c->pool, sn_mulk(c->pool, idx[i + 2], v->win[i].stride),
				     ph[i].residue);
	sn_ex zero = sn_float(c->pool, sn_lower_compute_type(t.dtype), 0);
	sn_ex e = has_places ? phase_sum(c, m, v, ph) : zero;

	sn_lower_store_at(m, v->y, idx, CAST(v->y->type.dtype, with_bias(c, m, v, e)));
}

bool
sn_lower_conv_transpose(struct sn_lower *c)
{
	struct transposed v = { .x = sn_lower_in(c, 0),
				.w = sn_lower_in(c, 1),
				.bias = sn_lower_in(c, 2),
				.y = sn_lower_out(c, 0),
				.group = sn_attrs(c->node, conv_transpose)->group };

	v.nspatial = v.x->type.rank - 2;
	if (!sn_node_conv_transpose_windows(c->pool, c->node, &v.w->type, v.win))
		return sn_lower_refuse(c, "a kernel of symbolic size");
	int64_t n = count_phases(&v);

	if (n == 0)
		lower_gathered(c, &v);
	for (int64_t i = 0; i < n; i++)
		lower_phase(c, &v, i);
	return true;
}
