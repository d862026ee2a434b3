/* What layouts are wanted: blocks for contractions and what follows them, halos for windows. */
#include "ir/index.h"
#include "passes/layouts.h"

/* Widest halo, in elements on one side: so many, or a part of the extent. */
enum { MAX_HALO = 16, HALO_PART = 8 };

struct want *
layout_want_of(struct assign *a, const struct sn_tensor *t)
{
	return &a->want[t->id];
}

/* ---- blocks ---- */

struct sn_tensor *
layout_root(struct assign *a, struct sn_tensor *t)
{
	while (a->group[t->id])
		t = a->group[t->id];
	return t;
}

int64_t
layout_block(struct assign *a, const struct sn_tensor *t, const struct want *w)
{
	if (w->block)
		return w->block;
	int bits = sn_dtype_info(t->type.dtype)->bits;
	return sn_target_lanes(a->m->target, bits < 32 ? 4 : bits / 8);
}

/* Does reading X stay where it is along axis V for some vector length? */
static bool
is_still(struct assign *a, const struct sn_comp *m, const struct sn_expr *x, int v)
{
	for (int64_t lanes = tile_lanes(&a->s, m); lanes >= TILE_FEWEST_LANES; lanes /= 2)
		if (tile_lane_use(&a->s, x->tensor, x->args, m->axes[v], lanes) == LANE_SAME)
			return true;
	return false;
}

int
layout_weights_axis(struct assign *a, const struct sn_comp *m)
{
	if (!m->reducer || m->nred == 0)
		return -1;
	struct sn_read_list reads = { 0 };
	for (int i = 0; i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], a->c->scratch, &reads);
	for (int v = m->naxes - 1; v >= 0; v--) {
		bool has_const = false, has_other = false;
		for (size_t i = 0; i < reads.list.n; i++) {
			const struct sn_expr *x = reads.list.v[i];
			if (!sn_expr_has_axis(x, m->axes[v]))
				continue;
			if (x->tensor->role == TR_CONST
			    && tile_plain_dim(a->m->pool, x->tensor, x->args, m->axes[v]) >= 0)
				has_const = true;
			else if (!is_still(a, m, x, v))
				has_other = true;
		}
		if (has_const && !has_other)
			return v;
	}
	return -1;
}

/* The dimension of R's tensor that is stored at axis V, or at V plus the start of a slice; -1: none. */
static int
stored_dim(struct assign *a, const struct sn_comp *m, const struct sn_result *r, int v)
{
	int found = -1;
	for (int d = 0; d < r->tensor->type.rank; d++) {
		const struct sn_expr *coef, *rest;
		if (!sn_expr_has_axis(r->idx[d], m->axes[v]))
			continue;
		if (found >= 0 || !sn_affine_split(a->m->pool, r->idx[d], m->axes[v], &coef, &rest)
		    || !sn_is_int_const(coef, 1))
			return -1;
		found = d;
	}
	return found;
}

bool
layout_is_innermost(const struct sn_tensor *t, int d)
{
	for (int i = d + 1; i < t->type.rank; i++)
		if (!sn_is_int_const(t->type.dims[i], 1))
			return false;
	return true;
}

bool
layout_is_wide(struct assign *a, const struct sn_comp *m, const struct sn_expr *extent)
{
	int64_t n, lanes = tile_lanes(&a->s, m);
	return sn_get_int(extent, &n) && lanes > 1 && n >= lanes / 2;
}

bool
layout_is_wide_or_unknown(struct assign *a, const struct sn_comp *m, const struct sn_expr *extent)
{
	int64_t n;
	return !sn_get_int(extent, &n) || layout_is_wide(a, m, extent);
}

/* Wants blocks for the results of K if it is a contraction with weights. */
static bool
want_blocks(struct assign *a, const struct sn_comp *m)
{
	int v = layout_weights_axis(a, m);
	if (v < 0)
		return false;
	for (int i = 0; i < m->nresults; i++) {
		const struct sn_result *r = &m->results[i];
		int d = stored_dim(a, m, r, v);
		if (d >= 0 && !layout_is_innermost(r->tensor, d)
		    && layout_is_wide(a, m, r->tensor->type.dims[d]))
			layout_want_of(a, r->tensor)->block_dim = d;
	}
	return true;
}

/* Follows a read of a tensor in blocks: the axis that indexes its blocked dimension is stored in blocks. */
static void
follow_read(struct assign *a, const struct sn_comp *m, const struct sn_expr *x)
{
	int b = layout_want_of(a, x->tensor)->block_dim;
	for (int v = 0; b >= 0 && v < m->naxes; v++) {
		if (tile_plain_dim(a->m->pool, x->tensor, x->args, m->axes[v]) != b)
			continue;
		for (int i = 0; i < m->nresults; i++) {
			struct sn_tensor *t = m->results[i].tensor;
			int d = stored_dim(a, m, &m->results[i], v);
			if (d >= 0 && !layout_is_innermost(t, d)
			    && layout_is_wide(a, m, t->type.dims[d]))
				layout_want_of(a, t)->block_dim = d;
		}
	}
}

static void
follow(struct assign *a, const struct sn_comp *m)
{
	struct sn_read_list reads = { 0 };
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], a->c->scratch, &reads);
	for (int i = 0; i < m->nresults; i++)
		sn_reads_of(m->results[i].value, a->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++)
		follow_read(a, m, reads.list.v[i]);
}

void
layout_want_blocks(struct assign *a, const struct sn_comp *m)
{
	if (!want_blocks(a, m))
		follow(a, m);
}

/* ---- halos ---- */

static int64_t
widest_halo(const struct sn_expr *extent)
{
	int64_t n;
	return sn_get_int(extent, &n) && n / HALO_PART > MAX_HALO ? n / HALO_PART : MAX_HALO;
}

/* How far read index IDX, which is at most HIGHEST, may lie beyond dimension extent N; more than the
 * widest halo where that is not known. */
static int64_t
beyond(struct sn_pool *p, const struct sn_expr *idx, int64_t highest, const struct sn_expr *n)
{
	int64_t extent, h = 0;
	if (sn_get_int(n, &extent))
		return highest < extent		 ? 0
		       : highest < INT64_MAX / 2 ? highest - extent + 1
						 : highest;
	while (h <= MAX_HALO && !sn_prove_lt(p, idx, sn_addk(p, n, h)))
		h++;
	return h;
}

static bool
halo_of(struct assign *a, const struct sn_expr *x, struct want *out)
{
	struct sn_pool *p = a->m->pool;
	const struct sn_expr *outside = x->args[x->nargs - 1];
	if (!sn_is_const(outside))
		return false;
	out->fill = outside->num;
	for (int d = 0; d < x->tensor->type.rank; d++) {
		const struct sn_expr *extent = x->tensor->type.dims[d];
		int64_t lo, hi;
		sn_bounds(x->args[d], &lo, &hi);
		hi = beyond(p, x->args[d], hi, extent);
		if (lo < -widest_halo(extent) || hi > widest_halo(extent))
			return false;
		out->lo[d] = lo < 0 ? -lo : 0;
		out->hi[d] = hi;
		out->has_halo |= lo < 0 || hi > 0;
	}
	return out->has_halo;
}

bool
layout_join_halo(struct want *w, const struct want *h)
{
	if (!h->has_halo)
		return true;
	if (w->has_halo && w->fill.i != h->fill.i)
		return false;
	w->has_halo = w->has_fill = true;
	w->fill = h->fill;
	for (int d = 0; d < SN_MAX_RANK; d++) {
		w->lo[d] = w->lo[d] > h->lo[d] ? w->lo[d] : h->lo[d];
		w->hi[d] = w->hi[d] > h->hi[d] ? w->hi[d] : h->hi[d];
	}
	return true;
}

void
layout_want_halos(struct assign *a, const struct sn_comp *m)
{
	struct sn_read_list reads = { 0 };
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], a->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_expr *x = reads.list.v[i];
		struct want h = { .block_dim = -1 };
		if (x->has_outside && x->tensor->role != TR_CONST && halo_of(a, x, &h))
			layout_join_halo(layout_want_of(a, x->tensor), &h);
	}
}
