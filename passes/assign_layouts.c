/*
 * assign-layouts: gives stored tensors their layouts.
 *
 *	y = sum(c, r, s) x[..] * k[m, c, r, s]   ->   y {NCHW16c}, x {halo 1}
 *
 * A contraction with constant weights wants its result in blocks along the
 * axis that only the weights share with it (unless that axis is contiguous
 * anyway); maps and windows follow what they read.  A tensor that is read with
 * a constant outside value gets a halo holding it.  The caller's tensors stay
 * row-major: where a contraction would read an input with an outside value, or
 * store an output in blocks, a copy is put between; so also where an operand
 * that is no constant is not contiguous along its result's rows.  Constants are laid out
 * later (pack-constants).  Exact.  Cost: linear in reads.
 *
 * On a device everything stays row-major: groups stage what they read through
 * local memory, and masks are cheaper there than copies.
 *
 * Not done: undoing a blocked layout where later readers want rows.
 */
#include "ir/index.h"
#include "passes/emit.h"
#include "passes/pass.h"
#include "passes/tile.h"

/* Widest halo, in elements on one side. */
enum { MAX_HALO = 16 };

struct want {
	int block_dim; /* -1: row-major */
	int64_t lo[SN_MAX_RANK], hi[SN_MAX_RANK];
	bool has_halo, has_fill;
	union sn_num fill;
};

struct assign {
	struct sn_pass_ctx *c;
	struct sn_sched_ctx s;
	struct sn_module *m;
	struct sn_program *pr;
	struct want *want; /* by tensor id */
	size_t nwant;
};

static struct want *
want_of(struct assign *a, const struct sn_tensor *t)
{
	return &a->want[t->id];
}

/* ---- blocks ---- */

/* Does reading X stay where it is along axis V for some vector length? */
static bool
is_still(struct assign *a, const struct sn_comp *m, const struct sn_expr *x, int v)
{
	for (int64_t lanes = tile_lanes(&a->s, m); lanes >= TILE_FEWEST_LANES; lanes /= 2)
		if (tile_lane_use(&a->s, x->tensor, x->args, m->axes[v], lanes) == LANE_SAME)
			return true;
	return false;
}

/* The axis of a sum of products that constants are read along and nothing else is (but for the first
 * channel of a group), or -1. */
static int
weights_axis(struct assign *a, const struct sn_comp *m)
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

/* True if dimension D is followed by extents of 1 only: rows along it are contiguous. */
static bool
is_innermost(const struct sn_tensor *t, int d)
{
	for (int i = d + 1; i < t->type.rank; i++)
		if (!sn_is_int_const(t->type.dims[i], 1))
			return false;
	return true;
}

static bool
is_wide(struct assign *a, const struct sn_comp *m, const struct sn_expr *extent)
{
	int64_t n, lanes = tile_lanes(&a->s, m);
	return sn_get_int(extent, &n) && lanes > 1 && n >= lanes / 2;
}

static bool
is_wide_or_unknown(struct assign *a, const struct sn_comp *m, const struct sn_expr *extent)
{
	int64_t n;
	return !sn_get_int(extent, &n) || is_wide(a, m, extent);
}

/* Wants blocks for the results of K if it is a contraction with weights. */
static bool
want_blocks(struct assign *a, const struct sn_comp *m)
{
	int v = weights_axis(a, m);
	if (v < 0)
		return false;
	for (int i = 0; i < m->nresults; i++) {
		const struct sn_result *r = &m->results[i];
		int d = stored_dim(a, m, r, v);
		if (d >= 0 && !is_innermost(r->tensor, d) && is_wide(a, m, r->tensor->type.dims[d]))
			want_of(a, r->tensor)->block_dim = d;
	}
	return true;
}

/* Follows a read of a tensor in blocks: the axis that indexes its blocked dimension is stored in blocks. */
static void
follow_read(struct assign *a, const struct sn_comp *m, const struct sn_expr *x)
{
	int b = want_of(a, x->tensor)->block_dim;
	for (int v = 0; b >= 0 && v < m->naxes; v++) {
		if (tile_plain_dim(a->m->pool, x->tensor, x->args, m->axes[v]) != b)
			continue;
		for (int i = 0; i < m->nresults; i++) {
			struct sn_tensor *t = m->results[i].tensor;
			int d = stored_dim(a, m, &m->results[i], v);
			if (d >= 0 && !is_innermost(t, d) && is_wide(a, m, t->type.dims[d]))
				want_of(a, t)->block_dim = d;
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

/* ---- halos ---- */

/* How far read index IDX may lie beyond dimension extent N, 0..MAX_HALO, or -1. */
static int64_t
beyond(struct sn_pool *p, const struct sn_expr *idx, const struct sn_expr *n)
{
	for (int64_t h = 0; h <= MAX_HALO; h++)
		if (sn_prove_lt(p, idx, sn_addk(p, n, h)))
			return h;
	return -1;
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
		int64_t lo, hi;
		sn_bounds(x->args[d], &lo, &hi);
		hi = beyond(p, x->args[d], x->tensor->type.dims[d]);
		if (lo < -MAX_HALO || hi < 0)
			return false;
		out->lo[d] = lo < 0 ? -lo : 0;
		out->hi[d] = hi;
		out->has_halo |= lo < 0 || hi > 0;
	}
	return out->has_halo;
}

static void
join_halo(struct want *w, const struct want *h)
{
	if (w->has_halo && w->fill.i != h->fill.i)
		return;
	w->has_halo = w->has_fill = true;
	w->fill = h->fill;
	for (int d = 0; d < SN_MAX_RANK; d++) {
		w->lo[d] = w->lo[d] > h->lo[d] ? w->lo[d] : h->lo[d];
		w->hi[d] = w->hi[d] > h->hi[d] ? w->hi[d] : h->hi[d];
	}
}

static void
want_halos(struct assign *a, const struct sn_comp *m)
{
	struct sn_read_list reads = { 0 };
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], a->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_expr *x = reads.list.v[i];
		struct want h = { .block_dim = -1 };
		if (x->has_outside && x->tensor->role != TR_CONST && halo_of(a, x, &h))
			join_halo(want_of(a, x->tensor), &h);
	}
}

/* ---- copies between the caller's row-major tensors and ours ---- */

/* A kernel that copies FROM to TO, before kernel number AT. */
static void
insert_copy(struct assign *a, struct sn_tensor *from, struct sn_tensor *to, size_t at)
{
	struct sn_program *pr = a->pr;
	struct sn_kernel *k = sn_kernel_new(pr, sn_printf(pr->arena, "copy_%s", to->name));
	struct sn_comp *m = SN_NEW(pr->arena, struct sn_comp);
	const struct sn_expr *idx[SN_MAX_RANK];
	m->naxes = from->type.rank;
	m->nresults = 1;
	m->results[0].tensor = to;
	for (int d = 0; d < from->type.rank; d++) {
		m->axes[d] = sn_axis_new(pr->pool, sn_printf(pr->arena, "i%d", d),
					 from->type.dims[d]);
		idx[d] = m->results[0].idx[d] = sn_axis_expr(pr->pool, m->axes[d]);
	}
	m->results[0].value = sn_read(pr->pool, from, idx, from->type.rank, NULL);
	m->origin = k->origin = from->origin;
	SN_PUSH(pr->arena, &k->stages, m);
	SN_PUSH(pr->arena, &pr->kernels, k);
	for (size_t i = pr->kernels.n - 1; i > at; i--)
		pr->kernels.v[i] = pr->kernels.v[i - 1];
	pr->kernels.v[at] = k;
}

struct swap {
	const struct sn_tensor *from;
	struct sn_tensor *to;
};

static const struct sn_expr *
swap_read(struct sn_subst *s, const struct sn_expr *e)
{
	const struct swap *w = s->arg;
	if (e->kind != EX_READ || e->tensor != w->from)
		return NULL;
	int n = e->nargs - e->has_outside;
	return sn_read(s->pool, w->to, e->args, n, e->has_outside ? e->args[n] : NULL);
}

/* Kernel K reads (and stores) TO where it had FROM. */
static void
swap_tensor(struct assign *a, struct sn_kernel *k, struct sn_tensor *from, struct sn_tensor *to)
{
	struct swap w = { from, to };
	for (size_t i = 0; i < k->stages.n; i++) {
		struct sn_subst s;
		sn_subst_init(&s, a->m->pool, a->c->scratch);
		s.leaf = swap_read;
		s.arg = &w;
		sn_comp_subst(k->stages.v[i], &s);
		for (int r = 0; r < k->stages.v[i]->nresults; r++)
			if (k->stages.v[i]->results[r].tensor == from)
				k->stages.v[i]->results[r].tensor = to;
	}
}

static struct sn_tensor *
twin(struct assign *a, struct sn_tensor *t, const char *suffix)
{
	struct sn_tensor *n = sn_tensor_new(
		a->pr, sn_printf(a->pr->arena, "%s_%s", t->name, suffix), &t->type, TR_TEMP);
	n->origin = t->origin;
	return n;
}

static struct want *
grow_want(struct assign *a, const struct sn_tensor *n, const struct want *w)
{
	if ((size_t)n->id >= a->nwant)
		sn_bug(a->m->arena->guard, "no room for the layout of '%s'", n->name);
	a->want[n->id] = *w;
	return &a->want[n->id];
}

/* An input that is read with a halo: its readers get a copy that has one. */
static void
copy_input(struct assign *a, struct sn_tensor *t)
{
	struct want w = *want_of(a, t);
	*want_of(a, t) = (struct want){ .block_dim = -1 };
	if (!w.has_halo)
		return;
	struct sn_tensor *n = twin(a, t, "padded");
	w.block_dim = -1;
	grow_want(a, n, &w);
	for (size_t i = 0; i < a->pr->kernels.n; i++)
		swap_tensor(a, a->pr->kernels.v[i], t, n);
	insert_copy(a, t, n, 0);
}

/* An output that is stored in blocks or with a halo: its kernels work on a temporary, copied at the end. */
static void
copy_output(struct assign *a, struct sn_tensor *t)
{
	struct want w = *want_of(a, t);
	*want_of(a, t) = (struct want){ .block_dim = -1 };
	if (w.block_dim < 0 && !w.has_halo)
		return;
	struct sn_tensor *n = twin(a, t, "blocked");
	grow_want(a, n, &w);
	for (size_t i = 0; i < a->pr->kernels.n; i++)
		swap_tensor(a, a->pr->kernels.v[i], t, n);
	insert_copy(a, n, t, a->pr->kernels.n);
}

/* ---- operands of contractions that are not constants ---- */

/* The axis along which the first result of M is contiguous as it is, or -1. */
static int
contiguous_axis(struct assign *a, const struct sn_comp *m)
{
	const struct sn_tensor *t = m->results[0].tensor;
	for (int v = 0; v < m->naxes; v++) {
		int d = tile_plain_dim(a->m->pool, t, m->results[0].idx, m->axes[v]);
		if (d >= 0 && want_of(a, t)->block_dim < 0 && is_innermost(t, d)
		    && !sn_is_int_const(m->axes[v]->extent, 1))
			return v;
	}
	return -1;
}

/* A copy of X's tensor, made before kernel number AT, that is contiguous along dimension D. */
static struct sn_tensor *
copy_turned(struct assign *a, const struct sn_expr *x, int d, size_t at)
{
	struct sn_tensor *t = (struct sn_tensor *)x->tensor;
	struct sn_tensor *n = twin(a, t, "turned");
	struct sn_layout_part parts[SN_MAX_RANK];
	int np = 0;
	for (int i = 0; i < t->type.rank; i++)
		if (i != d)
			parts[np++] = (struct sn_layout_part){ i, 1, 0, NULL };
	parts[np++] = (struct sn_layout_part){ d, 1, 0, NULL };
	n->layout = sn_layout_of_parts(a->m->pool, &t->type, parts, np);
	insert_copy(a, t, n, at);
	return n;
}

/* Sums of products whose operands are not constants: one that moves with the result's contiguous axis
 * must be contiguous along it too, else a copy is. True if kernel number AT has moved up by one. */
static bool
turn_operand(struct assign *a, size_t at)
{
	struct sn_kernel *k = a->pr->kernels.v[at];
	const struct sn_comp *m = k->stages.v[0];
	if (k->stages.n != 1 || !m->reducer || m->nred == 0 || weights_axis(a, m) >= 0)
		return false;
	int v = contiguous_axis(a, m);
	struct sn_read_list reads = { 0 };
	sn_reads_of(m->args[0], a->c->scratch, &reads);
	for (size_t i = 0; v >= 0 && i < reads.list.n; i++) {
		const struct sn_expr *x = reads.list.v[i];
		int d = tile_plain_dim(a->m->pool, x->tensor, x->args, m->axes[v]);
		if (reads.list.n < 2 || d < 0 || is_innermost(x->tensor, d) || x->has_outside
		    || !is_wide_or_unknown(a, m, m->axes[v]->extent) || x->tensor->layout
		    || want_of(a, x->tensor)->block_dim >= 0 || x->tensor->role == TR_CONST)
			continue;
		swap_tensor(a, k, (struct sn_tensor *)x->tensor, copy_turned(a, x, d, at));
		return true;
	}
	return false;
}

/* ---- the pass ---- */

/* A halo along the blocked dimension would shift every block: those reads are guarded instead. */
static void
drop_blocked_halo(struct want *w)
{
	if (w->block_dim < 0 || !w->has_halo)
		return;
	w->lo[w->block_dim] = w->hi[w->block_dim] = 0;
	w->has_halo = false;
	for (int d = 0; d < SN_MAX_RANK; d++)
		w->has_halo |= w->lo[d] || w->hi[d];
}

static void
set_layout(struct assign *a, struct sn_tensor *t)
{
	struct want *w = want_of(a, t);
	drop_blocked_halo(w);
	int64_t block = sn_target_lanes(a->m->target, sn_dtype_info(t->type.dtype)->bits / 8);
	if (t->layout || t->store != TS_OWN || t->role != TR_TEMP
	    || (w->block_dim < 0 && !w->has_halo))
		return;
	if (sn_dtype_info(t->type.dtype)->bits < 32)
		block = sn_target_lanes(a->m->target, 4);
	struct sn_layout_blocking b = { .axis = w->block_dim, .block = block };
	if (w->block_dim < 0)
		b.axis = 0, b.block = 1;
	if (w->has_halo)
		b.halo_lo = w->lo, b.halo_hi = w->hi, b.fill = &w->fill;
	t->layout = sn_layout_blocked(a->m->pool, &t->type, &b);
}

static void
each_comp(struct assign *a, void (*f)(struct assign *a, const struct sn_comp *m))
{
	for (size_t i = 0; i < a->pr->kernels.n; i++)
		for (size_t j = 0; j < a->pr->kernels.v[i]->stages.n; j++)
			f(a, a->pr->kernels.v[i]->stages.v[j]);
}

static void
blocks(struct assign *a, const struct sn_comp *m)
{
	if (!want_blocks(a, m))
		follow(a, m);
}

bool
sn_pass_assign_layouts(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	if (sn_target_is_device(m->target))
		return true;
	struct assign a = { .c = c,
			    .m = m,
			    .pr = m->program,
			    .s = { m, m->target, m->pool, m->arena, c->scratch } };
	/* at most one twin for each input, output and kernel */
	a.nwant = a.pr->tensors.n + a.pr->inputs.n + a.pr->outputs.n + a.pr->kernels.n;
	a.want = SN_NEW_ARRAY(c->scratch, a.nwant, struct want);
	for (size_t i = 0; i < a.nwant; i++)
		a.want[i].block_dim = -1;
	if (m->has_vectors)
		each_comp(&a, blocks);
	each_comp(&a, want_halos);
	for (size_t i = 0; i < a.pr->kernels.n && m->has_vectors; i++)
		i += turn_operand(&a, i);
	for (size_t i = 0; i < a.pr->inputs.n; i++)
		copy_input(&a, a.pr->inputs.v[i]);
	for (size_t i = 0; i < a.pr->outputs.n; i++)
		copy_output(&a, a.pr->outputs.v[i]);
	for (size_t i = 0; i < a.pr->tensors.n; i++)
		set_layout(&a, a.pr->tensors.v[i]);
	c->has_changed = true;
	return true;
}
