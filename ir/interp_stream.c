/*
 * Tensor interpreter: reading and storing rows.
 *
 * An index is a number that is the same for all lanes plus a lane part, so a
 * row of indices is a few runs of constant stride.  A run that leaves the
 * tensor is cut to the part inside; the rest keeps the outside value.  Indices
 * that are not affine in the lanes go lane by lane.
 */
#include <string.h>

#include "ir/interp.h"

/* A + B*C; wraps, since indices from data may be anything until they are checked. */
static inline int64_t
step(int64_t a, int64_t b, int64_t c)
{
	return (int64_t)((uint64_t)a + (uint64_t)b * (uint64_t)c);
}

static int64_t
terms_value(const struct terms *t)
{
	int64_t sum = t->base;
	for (size_t i = 0; i < t->list.n; i++)
		sum = step(sum, t->list.v[i].coef, *t->list.v[i].value);
	return sum;
}

/* The same as an index: far outside every tensor it stays outside, but can't overflow later. */
static int64_t
index_value(const struct terms *t)
{
	const int64_t far = (int64_t)1 << 48;
	int64_t x = terms_value(t);
	return x < -far ? -far : x > far ? far : x;
}

/* ---- setting up ---- */

static void
add_flat(struct stream *s, const struct stream_dim *d, struct sn_arena *a)
{
	s->flat.base += d->at.base * d->stride;
	for (size_t i = 0; i < d->at.list.n; i++) {
		struct term t = d->at.list.v[i];
		t.coef *= d->stride;
		size_t j = 0;
		while (j < s->flat.list.n && s->flat.list.v[j].value != t.value)
			j++;
		if (j < s->flat.list.n)
			s->flat.list.v[j].coef += t.coef;
		else if (t.coef)
			SN_PUSH(a, &s->flat.list, t);
	}
}

void
sn_stream_finish(struct stream *s, struct plan *p, bool is_row, enum carrier c)
{
	const struct lanes *l = s->lanes = &p->lanes;
	s->interp = p->in;
	for (int d = 0; d < s->rank; d++) {
		struct stream_dim *dim = &s->dims[d];
		if (dim->row) {
			s->has_rows = true;
			continue;
		}
		s->has_checks |= dim->is_checked;
		add_flat(s, dim, p->arena);
		for (int j = 0; j < l->naxes; j++) {
			int64_t reach = dim->lane_coef[j] * (l->size[j] - 1);
			s->lane_stride[j] += dim->lane_coef[j] * dim->stride;
			*(reach < 0 ? &dim->lane_lo : &dim->lane_hi) += reach;
		}
	}
	int from = l->naxes ? l->naxes - 1 : 0;
	while (from > 0 && s->lane_stride[from - 1] == s->lane_stride[from] * l->size[from])
		from--;
	s->flat_from = from;
	s->is_alias = is_row && l->naxes && from == 0 && s->lane_stride[l->naxes - 1] == 1
		      && s->mem->is_aligned && c == carrier_of(s->mem->dtype)
		      && (s->mem->dtype == DT_F32 || s->mem->dtype == DT_F64
			  || s->mem->dtype == DT_I64);
	s->load = sn_interp_load_fn(s->mem->dtype, c);
	s->store = sn_interp_store_fn(s->mem->dtype, c);
}

/* ---- rows that lie inside the tensor ---- */

/* Row elements from lane axis J on. */
static int
lanes_from(const struct lanes *l, int j)
{
	int64_t n = 1;
	for (; j < l->naxes; j++)
		n *= l->size[j];
	return (int)n;
}

static int64_t
inner_stride(const struct stream *s)
{
	return s->lanes->naxes ? s->lane_stride[s->lanes->naxes - 1] : 0;
}

static char *
load_inside(const struct stream *s, int j, char *dst, size_t size, int64_t offset)
{
	if (j >= s->flat_from) {
		int n = lanes_from(s->lanes, j);
		s->load(dst, s->mem, offset, inner_stride(s), n);
		return dst + (size_t)n * size;
	}
	for (int64_t i = 0; i < s->lanes->size[j]; i++)
		dst = load_inside(s, j + 1, dst, size, step(offset, i, s->lane_stride[j]));
	return dst;
}

static const char *
store_inside(const struct stream *s, int j, const char *src, size_t size, int64_t offset)
{
	if (j >= s->flat_from) {
		int n = lanes_from(s->lanes, j);
		s->store(s->mem, offset, inner_stride(s), src, n);
		return src + (size_t)n * size;
	}
	for (int64_t i = 0; i < s->lanes->size[j]; i++)
		src = store_inside(s, j + 1, src, size, step(offset, i, s->lane_stride[j]));
	return src;
}

/* ---- rows that are partly outside ---- */

struct run {
	int64_t lo, hi;
};

static int64_t
div_up(int64_t a, int64_t b)
{
	return b == 1 ? a : (a + b - 1) / b;
}

/* Cuts R to those t with 0 <= START + COEF*t < EXTENT. */
static struct run
cut_run(struct run r, int64_t start, int64_t coef, int64_t extent)
{
	if (coef < 0) { /* mirrored: the distance from the other end */
		start = extent - 1 - start;
		coef = -coef;
	}
	if (coef == 0)
		return start >= 0 && start < extent ? r : (struct run){ 0, 0 };
	int64_t lo = start < 0 ? div_up(-start, coef) : 0;
	int64_t hi = start < extent ? div_up(extent - start, coef) : 0;
	return (struct run){ lo > r.lo ? lo : r.lo, hi < r.hi ? hi : r.hi };
}

/* AT: index of each dimension at the first lane of the run. */
static char *
load_cut(const struct stream *s, int j, char *dst, size_t size, int64_t offset, const int64_t *at)
{
	const struct lanes *l = s->lanes;
	if (j >= l->naxes - 1) {
		int64_t n = l->naxes ? l->size[j] : 1;
		struct run r = { 0, n };
		for (int d = 0; d < s->rank; d++)
			if (s->dims[d].is_checked)
				r = cut_run(r, at[d], l->naxes ? s->dims[d].lane_coef[j] : 0,
					    s->dims[d].extent);
		if (r.lo < r.hi)
			s->load(dst + (size_t)r.lo * size, s->mem,
				step(offset, r.lo, inner_stride(s)), inner_stride(s),
				(int)(r.hi - r.lo));
		return dst + (size_t)n * size;
	}
	int64_t next[SN_MAX_RANK + 1];
	for (int64_t i = 0; i < l->size[j]; i++) {
		for (int d = 0; d < s->rank; d++)
			next[d] = at[d] + i * s->dims[d].lane_coef[j];
		dst = load_cut(s, j + 1, dst, size, step(offset, i, s->lane_stride[j]), next);
	}
	return dst;
}

/* ---- lane by lane ---- */

static const int64_t *
lane_table(struct stream *s, int d)
{
	const struct lanes *l = s->lanes;
	if (s->lane_idx[d])
		return s->lane_idx[d];
	int64_t *t = s->lane_idx[d] = SN_NEW_ARRAY(s->interp->work, ROW, int64_t);
	for (int i = 0; i < ROW; i++) {
		int64_t rest = i;
		for (int j = l->naxes - 1; j >= 0; j--) {
			int64_t size = j ? l->size[j] : ROW;
			t[i] += rest % size * s->dims[d].lane_coef[j];
			rest /= size;
		}
	}
	return t;
}

static void
report_range(struct stream *s, int d, int64_t index)
{
	struct sn_where where = sn_origin_where(s->interp->kernel->origin);
	if (!s->has_reported)
		sn_report(s->interp->diags, where, DG_INTERP_RANGE, s->interp->kernel->name, d,
			  s->tensor->name, (long long)index, (long long)s->dims[d].extent);
	s->has_reported = s->interp->has_failed = true;
}

enum lane_place { LANE_INSIDE, LANE_OUTSIDE, LANE_CLAMPED };

/* Offset of lane I.  Where there is no outside value an index outside is reported and clamped (if
 * there is any element at all). */
static enum lane_place
lane_offset(struct stream *s, const int64_t *at, int i, int64_t *out_offset)
{
	enum lane_place place = LANE_INSIDE;
	*out_offset = 0;
	for (int d = 0; d < s->rank; d++) {
		const struct stream_dim *dim = &s->dims[d];
		int64_t x = dim->row ? ((const int64_t *)dim->row->p)[dim->row->is_row ? i : 0]
				     : at[d] + lane_table(s, d)[i];
		if (x < 0 || x >= dim->extent) {
			if (s->outside)
				return LANE_OUTSIDE;
			report_range(s, d, x);
			if (dim->extent == 0 || s->mem->is_shared)
				return LANE_OUTSIDE;
			x = x < 0 ? 0 : dim->extent - 1;
			place = LANE_CLAMPED;
		}
		*out_offset += x * dim->stride;
	}
	return place;
}

/* Affine indices at the first lane. */
static void
first_lane(const struct stream *s, int64_t *at)
{
	for (int d = 0; d < s->rank; d++)
		at[d] = s->dims[d].row ? 0 : index_value(&s->dims[d].at);
}

static void
load_lanes(struct stream *s, char *dst, size_t size, int n, const int64_t *at)
{
	for (int i = 0; i < n; i++) {
		int64_t offset;
		if (lane_offset(s, at, i, &offset) != LANE_OUTSIDE)
			s->load(dst + (size_t)i * size, s->mem, offset, 0, 1);
		else if (!s->outside)
			memset(dst + (size_t)i * size, 0, size);
	}
}

/* ---- instructions ---- */

/* Are all lanes inside, as far as dimensions are not proved to be?  AT gets the first lane. */
static bool
is_inside(const struct stream *s, int64_t *at)
{
	bool inside = true;
	for (int d = 0; d < s->rank; d++) {
		const struct stream_dim *dim = &s->dims[d];
		if (!dim->is_checked || dim->row)
			continue;
		at[d] = index_value(&dim->at);
		inside &= at[d] + dim->lane_lo >= 0 && at[d] + dim->lane_hi < dim->extent;
	}
	return inside;
}

static void
fill_outside(const struct inst *in, int n)
{
	const struct slot *o = in->stream->outside;
	struct inst copy = { .dst = in->dst, .src = { (struct slot *)o } };
	sn_interp_copy_fn(o->carrier, o->is_row)(&copy, n);
}

void
sn_stream_read(const struct inst *in, int n)
{
	struct stream *s = in->stream;
	struct slot *dst = in->dst;
	size_t size = carrier_bytes(dst->carrier);
	int64_t at[SN_MAX_RANK + 1];
	if (!s->has_rows && (!s->has_checks || is_inside(s, at))) {
		int64_t offset = terms_value(&s->flat);
		dst->p = dst->buf;
		if (s->is_alias)
			dst->p = s->mem->bytes + offset * (int64_t)size;
		else if (dst->is_row)
			load_inside(s, 0, dst->buf, size, offset);
		else
			s->load(dst->buf, s->mem, offset, 0, 1);
		return;
	}
	dst->p = dst->buf;
	first_lane(s, at);
	if (s->outside)
		fill_outside(in, n);
	if (s->has_rows || !s->outside || !dst->is_row)
		load_lanes(s, dst->buf, size, n, at);
	else
		load_cut(s, 0, dst->buf, size, terms_value(&s->flat), at);
}

void
sn_stream_store(const struct inst *in, int n)
{
	struct stream *s = in->stream;
	const char *src = in->src[0]->p;
	size_t size = carrier_bytes(in->src[0]->carrier);
	int64_t at[SN_MAX_RANK + 1], offset;
	if (!s->has_rows && (!s->has_checks || is_inside(s, at))) {
		store_inside(s, 0, src, size, terms_value(&s->flat));
		return;
	}
	first_lane(s, at);
	for (int i = 0; i < n; i++)
		if (lane_offset(s, at, i, &offset) == LANE_INSIDE)
			s->store(s->mem, offset, 0, src + (size_t)i * size, 1);
}
